"""Expressions as people read them: text, LaTeX and Graphviz.

`text` prints infix formulas with no more parentheses than precedence asks for; what lies deeper
than `depth` becomes `…`, so that an error about a graph of a million nodes is still one line.
"""

from __future__ import annotations

import numpy as np

from symcomp.graph.expr import Constant, Expr
from symcomp.graph.type import shape_text

#: An atom or a call binds tightest.
ATOM = 100
#: A minus in front binds less than a power, and more than a product.
_UNARY = 55


def text(expr: Expr, depth: int = 6) -> str:
    """The formula of an expression on one line."""
    return text_and_level(expr, depth)[0]


#: How sizes are written; set by `graph.spelling`, which needs their arithmetic.
speller: list = []


def text_and_level(expr: Expr, depth: int) -> tuple[str, int]:
    """The formula of an expression, and how tightly it binds."""
    if expr.op is None:
        leaf = leaf_text(expr)
        return leaf, _UNARY if leaf.startswith("-") else ATOM
    if depth <= 0:
        return "…", ATOM
    infix = getattr(expr.op, "infix", None)
    if infix is not None:
        size = speller[0](expr, depth) if expr.weak and speller else None
        return size or _infix(infix, [text_and_level(a, depth - 1) for a in expr.args])
    indexed = expr.op.indexed(*expr.args) if hasattr(expr.op, "indexed") else None
    if indexed is not None:
        whole, key = indexed
        inner, level = text_and_level(whole, depth - 1)
        return f"{inner if level == ATOM else f'({inner})'}[{key}]", ATOM
    parts = [text(a, depth - 1) for a in expr.args]
    if len(parts) > 8:
        parts = [*parts[:4], "…", parts[-1]]
        return f"{expr.op.name}({', '.join(parts)})", ATOM
    return expr.op.text(*parts), ATOM


def _infix(infix: tuple[str, int], parts: list[tuple[str, int]]) -> tuple[str, int]:
    symbol, precedence = infix
    if len(parts) == 1:
        inner, level = parts[0]
        return (f"{symbol}{inner}" if level > precedence else f"{symbol}({inner})"), precedence
    shown = []
    for position, (inner, level) in enumerate(parts):
        # A power is read from the right: x ** (y ** z), and its exponent may begin with a minus.
        last = position == len(parts) - 1 if symbol == "**" else position == 0
        least = _UNARY if symbol == "**" and position else precedence
        loose = level < least or (level == precedence and not last)
        shown.append(f"({inner})" if loose else inner)
    return f" {symbol} ".join(shown), precedence


def leaf_text(leaf: Expr) -> str:
    """A variable's name, or a constant's value."""
    if isinstance(leaf, Constant) and leaf.name is None:
        if leaf.value.ndim == 0:
            return str(leaf.value)
        if leaf.value.size <= 6:
            return np.array2string(leaf.value, separator=", ").replace("\n", "")
        return f"<{leaf.type}>"
    return leaf.name or f"<{leaf.type}>"


def signature_text(op, args) -> str:
    """The formula of an operation that could not be applied."""
    infix = getattr(op, "infix", None)
    parts = [text_and_level(a, 4) for a in args]
    if infix is not None:
        return _infix(infix, parts)[0]
    return op.text(*(p[0] for p in parts))


def operand_text(arg: Expr) -> str:
    """`x + y is float64 matrix (n, 3), written at train.py:12: …`."""
    where = f", written at {arg.origin}" if arg.origin is not None and arg.op is None else ""
    return f"{text(arg, 4)} is {type_text(arg)}{where}"


def type_text(expr: Expr) -> str:
    """dtype, rank and shape with the names of the sizes where they have one."""
    head = str(expr.type).split(" (")[0]
    if not expr.ndim:
        return head
    return (
        f"{head} {shape_text(tuple(n if isinstance(n, int) else text(n, 4) for n in expr.shape))}"
    )


Expr.__repr__ = Expr.__str__ = lambda self: text(self)
