"""The loop IR as people read it: one line a statement, in the notation of the mathematics.

k3_softmax                                       row: softmax(x)
    parallel i0 < n, in pieces of 21845
        s1 = −inf
        simd j2 < m
            s1 max= x[i0·m + j2]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from symcomp.codegen.loops import (
    Barrier,
    Call,
    For,
    If,
    Kernel,
    Let,
    Scratch,
    Statement,
    Store,
    Update,
    View,
)
from symcomp.codegen.ways import NUMBERS
from symcomp.errors import InternalError
from symcomp.graph.expr import Expr
from symcomp.graph.notation import Index
from symcomp.graph.show import leaf_text, text
from symcomp.graph.size import polynomial

#: Deeper parts of a formula are shown as `…`.
DEPTH = 24
#: How `⊕=` is written for a monoid.
SIGNS = {"sum": "+=", "prod": "*=", "max": "max=", "min": "min=", "any": "or=", "all": "and="}


def show(kernel: Kernel) -> str:
    """A kernel as text."""
    head = f"{kernel.name}    {kernel.note}" if kernel.note else kernel.name
    return "\n".join([head, *lines(kernel.body, 1)])


def lines(body: Iterable[Statement], depth: int = 0) -> Iterator[str]:
    """The lines of statements, indented."""
    indent = "    " * depth
    for s in body:
        yield indent + head(s)
        if isinstance(s, For):
            yield from lines(s.before, depth + 2)
        if isinstance(s, (For, If)):
            yield from lines(s.body, depth + 1)


def head(s: Statement) -> str:
    """The first line of a statement."""
    match s:
        case For(index, _, how, grain, before):
            pieces = f", in pieces of {amount(grain)}" if how == "parallel" else ""
            first = ", each first:" if before else ""
            word = "for" if how == "serial" else how
            return f"{word} {name(index)} < {amount(index.extent)}{pieces}{first}"
        case If(condition):
            return f"if {text(condition, DEPTH)}"
        case Let(variable, value):
            return f"{name(variable)} = {text(value, DEPTH)}"
        case Update(variable, monoid, value):
            return f"{name(variable)} {SIGNS[monoid]} {text(value, DEPTH)}"
        case Store(buffer, offset, value, monoid):
            sign = SIGNS[monoid] if monoid else "="
            return f"{name(buffer)}[{amount(offset)}] {sign} {text(value, DEPTH)}"
        case Scratch(buffer):
            return f"scratch {name(buffer)}[{', '.join(map(amount, buffer.shape))}]"
        case Barrier():
            return "barrier"
        case Call("gemm"):
            return _gemm(s.arguments, "gemm")
        case Call("product", (batch, *arguments)):
            many = "" if amount(batch) == "1" else f", {amount(batch)} times"
            return _gemm(arguments, f"product{many}")
        case Call("sort", (count, bound, numbers, target)):
            return (
                f"{view(target)} = sort({view(numbers)})    {amount(count)} below {amount(bound)}"
            )
        case Call("convolve", (which, *rest)):
            return _convolution("convolve", which, rest)
        case Call("convolution", (routine, which, *rest)):
            return _convolution(routine, which, rest)
        case Call("python", (expr, target, *arguments)):
            return f"{name(target)} = {expr.op.name}({', '.join(map(name, arguments))}) in Python"
    raise InternalError(f"no text for {s!r}")


def _gemm(arguments, how: str) -> str:
    m, n, k, alpha, left, right, beta, target = arguments
    into = view(target)
    kept = text(beta, DEPTH)
    old = "" if kept in ("0.0", "0") else f" + {kept} {into}"
    factor = text(alpha, DEPTH)
    scale = "" if factor in ("1.0", "1") else f"{factor} "
    sizes = f"{amount(m)}×{amount(k)} by {amount(k)}×{amount(n)}"
    return f"{into} = {scale}{view(left)} @ {view(right)}{old}    {how}, {sizes}"


def _convolution(routine: str, which: str, rest: list) -> str:
    *arrays, target = (view(v) for v in rest if isinstance(v, View))
    numbers = [amount(v) for v in rest[NUMBERS:] if not isinstance(v, View)]
    return f"{target} = {routine}({', '.join([*arrays, *numbers])})    convolution, {which}"


def view(v: View) -> str:
    """A matrix in a buffer."""
    offset = amount(v.offset)
    place = "" if offset == "0" else f"[{offset}:]"
    return f"{name(v.buffer)}{place}{'ᵀ' if v.transposed else ''}"


def amount(n: Any) -> str:
    """A size or an offset: a polynomial with its negative terms subtracted."""
    if not isinstance(n, Expr) or n.op is None:
        return name(n) if isinstance(n, Expr) else str(n)
    shown = ""
    for monomial, c in sorted(polynomial(n).items(), key=lambda term: term[1] < 0):
        factors = [str(abs(c))] if abs(c) != 1 or not monomial else []
        product = "·".join([*factors, *map(_atom, monomial)])
        sign = ("-" if c < 0 else "") if not shown else " - " if c < 0 else " + "
        shown += sign + product
    return shown or "0"


def _atom(e: Expr) -> str:
    """What a polynomial is made of: a leaf, or a function of other sizes."""
    if e.op is None or e.op.name not in ("maximum", "minimum", "floor_divide"):
        return text(e, DEPTH)
    parts = [amount(a) for a in e.args]
    if e.op.name == "floor_divide":
        top, bottom = (p if p.isalnum() else f"({p})" for p in parts)
        return f"({top} // {bottom})"
    return f"{'max' if e.op.name == 'maximum' else 'min'}({', '.join(parts)})"


def name(leaf: Expr) -> str:
    return leaf.name or "_" if isinstance(leaf, Index) else leaf_text(leaf)
