"""The loop IR: everything that becomes C or CUDA is one of these few statements.

    kernel    = Kernel(name, body)
    statement = For(index, body, how, grain)     how: one of HOW
              | If(condition, body)
              | Let(local, value)                a new scalar variable
              | Update(local, monoid, value)     local ⊕= value
              | Store(buffer, offset, value, monoid)   buffer[offset] = value, or ⊕= value
              | Scratch(buffer)                  a tile that lives until the enclosing body ends
              | Barrier()                        the threads of a team wait for each other
              | Call(symbol, arguments)          a library routine on views

On a GPU the iterations of a `grid` loop run side by side, each on a thread of its own; or, where
`block` loops stand inside, on a *team* of threads that share the iterations of these. What stands
between block loops is computed by all threads of the team alike, and stored once. An `Update` in a
block loop makes the loop a fold over the team. A `thread` loop fixes how many threads a team has:
each does one of its iterations. See codegen/grid.py.

Values are scalar expressions of `graph`: functions of real numbers over constants, indices, locals,
dimensions and loads. A load is an `Element` of a buffer at a *flat* offset, so that neighbouring
loops can be merged and strides are plain polynomials. A parallel loop's pieces are `grain` long
whatever the number of threads: results do not depend on it. A loop over teams may have one, too: it
gets as many threads as for rows of that length.

`verify` checks what a well-formed kernel must hold; `interpret` says what it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from symcomp.errors import InternalError
from symcomp.graph.expr import Constant, Expr, Leaf, build
from symcomp.graph.notation import ELEMENT, Index, formula_order
from symcomp.graph.size import Dimension, as_expr
from symcomp.graph.type import Type

HOW = ("serial", "simd", "parallel", "grid", "block", "thread")
#: Loops whose iterations run side by side, each part computing first what stands in `before`.
SPREAD = ("parallel", "grid")


class Buffer(Leaf):
    """An array in memory, row-major: of an input, an output, a shared value, a temporary or a
    scratch tile.
    """

    __slots__ = ()


class Local(Leaf):
    """A scalar variable of a kernel."""

    __slots__ = ()


def buffer(dtype: str, shape: tuple, name: str) -> Buffer:
    return Buffer(Type(dtype, tuple(shape)), name)


def local(dtype: str, name: str) -> Local:
    return Local(Type(dtype, ()), name)


def local_size(name: str) -> Local:
    """A variable that holds a size."""
    return Local(Type("int64", ()), name, weak=True)


def load(array: Expr, offset: Any) -> Expr:
    """The element of an array at a flat offset."""
    return build(ELEMENT, (array, as_expr(offset)))


@dataclass(frozen=True)
class For:
    index: Index
    body: tuple
    how: str = "serial"
    grain: Any = 1
    #: What each piece of a parallel loop computes first.
    before: tuple = ()

    @property
    def extent(self):
        return self.index.extent


@dataclass(frozen=True)
class If:
    condition: Expr
    body: tuple


@dataclass(frozen=True)
class Let:
    local: Local
    value: Expr


@dataclass(frozen=True)
class Update:
    local: Local
    monoid: str
    value: Expr


@dataclass(frozen=True)
class Store:
    buffer: Buffer
    offset: Any
    value: Expr
    monoid: str | None = None


@dataclass(frozen=True)
class Scratch:
    buffer: Buffer


@dataclass(frozen=True)
class Barrier:
    """What the threads of a team have written before, all of them see after."""


@dataclass(frozen=True)
class View:
    """A matrix in a buffer: from `offset`, rows `stride` apart, read transposed or not. Of a batch
    of them each is `step` after the one before; None where they follow one another.
    """

    buffer: Buffer
    offset: Any
    stride: Any
    transposed: bool = False
    step: Any = None


@dataclass(frozen=True)
class Call:
    """A routine: `gemm` (m, n, k, alpha, a, b, beta, c), `python` (number, result, arguments…),
    `convolution` (routine, direction, sizes…, arrays…, target): see codegen/convolutions.py.

    On a GPU a routine is a kernel of its own: `product` (batch, m, n, k, alpha, a, b, beta, c),
    `convolve` (direction, sizes…, arrays…, target), and `sort` (count, bound, numbers, target): the
    numbers, of 0 … bound − 1, in order, and behind them where each came from; equal ones stay in
    the order in which they were.
    """

    symbol: str
    arguments: tuple
    dtype: str = ""


@dataclass(frozen=True)
class Kernel:
    name: str
    body: tuple
    note: str = ""


@dataclass(frozen=True)
class Repeat:
    """Kernels of a GPU, from the first to the last, that the host runs again and again; `number`
    says for the how manieth time. Without one it runs them once, or not at all: `extent` is 1 or 0.
    """

    first: str
    last: str
    number: Dimension | None
    extent: Any


Statement = For | If | Let | Update | Store | Scratch | Barrier | Call


def walk(body: tuple) -> Iterator[Statement]:
    """All statements, outer before inner, in order."""
    for s in body:
        yield s
        if isinstance(s, For):
            yield from walk(s.before)
        if isinstance(s, (For, If)):
            yield from walk(s.body)


def outside_pieces(body: tuple) -> Iterator[Statement]:
    """The statements that are not in a parallel loop, whose pieces are done elsewhere."""
    for s in body:
        yield s
        if isinstance(s, If):
            yield from outside_pieces(s.body)
        elif isinstance(s, For) and s.how != "parallel":
            yield from outside_pieces((*s.before, *s.body))


def values(statement: Statement) -> tuple:
    """The scalar expressions that a statement itself evaluates (not those of its body)."""
    match statement:
        case For(index, _, _, grain, _):
            return tuple(v for v in (index.extent, grain) if isinstance(v, Expr))
        case If(condition):
            return (condition,)
        case Let(_, value) | Update(_, _, value):
            return (value,)
        case Store(_, offset, value):
            return (as_expr(offset), value)
        case Scratch(b):
            return tuple(n for n in b.shape if isinstance(n, Expr))
        case Barrier():
            return ()
        case Call(_, arguments):
            return tuple(v for a in arguments for v in _call_values(a))
    raise InternalError(f"no statement of the loop IR: {statement!r}")


def _call_values(argument) -> tuple:
    if isinstance(argument, View):
        parts = (argument.offset, argument.stride, argument.step)
        return tuple(p for p in parts if isinstance(p, Expr))
    return (argument,) if isinstance(argument, Expr) and not isinstance(argument, Buffer) else ()


def with_body(statement, body: tuple):
    return replace(statement, body=body)


def loads(expr: Expr) -> list[Expr]:
    """The loads in a scalar expression."""
    return [e for e in formula_order([expr]) if e.op is ELEMENT]


def read_buffers(kernel: Kernel) -> set[Buffer]:
    result, seen = set(), set()
    for s in walk(kernel.body):
        result.update(e for e in formula_order(values(s), seen) if isinstance(e, Buffer))
        if isinstance(s, Store) and s.monoid is not None:
            result.add(s.buffer)
        if isinstance(s, Call):
            result.update(a.buffer for a in s.arguments if isinstance(a, View))
            result.update(a for a in s.arguments if isinstance(a, Buffer))
    return result - scratch_buffers(kernel)


def written_buffers(kernel: Kernel) -> set[Buffer]:
    result = set()
    for s in walk(kernel.body):
        if isinstance(s, Store):
            result.add(s.buffer)
        if isinstance(s, Call):
            target = s.arguments[1] if s.symbol == "python" else s.arguments[-1]
            result.add(target.buffer if isinstance(target, View) else target)
    return result - scratch_buffers(kernel)


def scratch_buffers(kernel: Kernel) -> set[Buffer]:
    return {s.buffer for s in walk(kernel.body) if isinstance(s, Scratch)}


def verify(kernel: Kernel) -> None:
    """Every index is bound by the loop around it, every local is defined before it is used, dtypes
    agree.
    """
    _verify(kernel.body, set(), kernel)


def _verify(body: tuple, known: set, kernel: Kernel) -> None:
    known = set(known)
    for s in body:
        for v in values(s):
            for e in formula_order([v]):
                if isinstance(e, (Index, Local)) and e not in known:
                    raise InternalError(f"{kernel.name}: {e} is used before it is defined")
        match s:
            case For(index, inner, how, _, before):
                if how not in HOW:
                    raise InternalError(f"{kernel.name}: a loop cannot be {how!r}")
                _verify(before, known, kernel)
                named = {b.local for b in before}
                _verify(inner, known | named | {index}, kernel)
            case If(_, inner):
                _verify(inner, known, kernel)
            case Let(variable, value):
                _same_dtype(variable, value, kernel)
                known.add(variable)
            case Update(variable, _, value):
                if variable not in known:
                    raise InternalError(
                        f"{kernel.name}: {variable} is updated before it is defined"
                    )
                _same_dtype(variable, value, kernel)
            case Store(b, _, value):
                _same_dtype(b, value, kernel)


def _same_dtype(target: Leaf, value: Expr, kernel: Kernel) -> None:
    if target.dtype != value.dtype:
        raise InternalError(f"{kernel.name}: {target} is {target.dtype} and gets {value.dtype}")


def is_invariant_leaf(e: Expr) -> bool:
    """Whether a leaf has one value during a whole kernel."""
    return isinstance(e, (Constant, Dimension))
