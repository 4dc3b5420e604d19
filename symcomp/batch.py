"""Batching: an expression for one value of its variables made into one for many, along a new first
axis.

Every operation has one rule that says what it does to arrays that have one more axis in front; the
rules are a table. The graph that comes out is as large as the graph that goes in, whatever the
length of the batch: a Jacobian is a batched vector-Jacobian product over the rows of the identity.
"""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symcomp.errors import GradientError, describe, inherit
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.op import Op, apply
from symcomp.graph.scalar import Elementwise
from symcomp.graph.show import text
from symcomp.graph.size import Length, Size
from symcomp.graph.walk import order, substitute
from symcomp.tensor.arrange import Roll
from symcomp.tensor.attention import Attention, AttentionGradient, AttentionSums
from symcomp.tensor.convolution import (
    Convolution,
    ConvolutionFilters,
    ConvolutionInput,
    Geometry,
    convolution,
    convolution_filters,
    convolution_input,
)
from symcomp.tensor.creation import arange
from symcomp.tensor.ctc import Alignments, BandedRecurrence, Shift
from symcomp.tensor.cumulative import Cumulate, Recurrence
from symcomp.tensor.gradients import StopGradient
from symcomp.tensor.indexing import Embed, Pick, Place, Scatter, Slice, Take, embed, place, slices
from symcomp.tensor.layout import (
    Axes,
    Broadcast,
    Join,
    Reshape,
    axes,
    broadcast_to,
    expand_dims,
    filled,
    moveaxis,
    reshape,
)
from symcomp.tensor.linear import Dot, product
from symcomp.tensor.nn import LogSoftmax, Softmax
from symcomp.tensor.normalization import Moment, NeighbourSum, Standardize
from symcomp.tensor.reduction import Extreme, LogSumExp, Reduce
from symcomp.tensor.resizing import Disperse, Interpolate
from symcomp.tensor.windowed import LargestAt, Overlay, Patches, PickAt, Pool, PutAt, Spread


def batched(outputs: Sequence[Expr], values: Mapping[Expr, Expr]) -> list[Expr]:
    """The outputs for every row of `values`: variables to arrays with one more axis in front.

    All values are equally long along it.

    Errors: GradientError where an operation has no rule, as those that run Python code.
    """
    length = next(iter(values.values())).shape[0]
    outputs = substitute(outputs, _lengths(values))
    done: dict[Expr, Expr] = dict(values)
    for node in order(outputs, stop=lambda e: e in values):
        if node in done or not any(a in done for a in node.args):
            continue
        with inherit(node.place):
            done[node] = _row(node, done, length)
    return [done[o] if o in done else _repeated(o, length) for o in outputs]


def _lengths(values: Mapping[Expr, Expr]) -> dict[Expr, Expr]:
    """The sizes of a row are those of all rows without the first."""
    return {
        build(Length(a), (x,)): size.as_expr(n)
        for x, rows in values.items()
        for a, n in enumerate(rows.shape[1:])
    }


def _row(node: Expr, done: dict[Expr, Expr], length: Size) -> Expr:
    rule = _RULES.get(type(node.op)) or (_elementwise if isinstance(node.op, Elementwise) else None)
    if rule is not None:
        return rule(node, Arguments(node.args, done, length))
    if node.op.body is not None:
        inner = node.op.body(*node.args)
        return batched([inner], {a: done[a] for a in node.args if a in done})[0]
    message = f"{node.op.name} has no rule for batching, so that it has no Jacobian or Hessian here"
    raise GradientError(describe(message, text(node), origin=node.origin))


def _repeated(x: Expr, length: Size) -> Expr:
    return broadcast_to(expand_dims(x, 0), (length, *x.shape))


class Arguments:
    """The arguments of a node, with and without the new axis."""

    def __init__(self, args: Sequence[Expr], done: Mapping[Expr, Expr], length: Size):
        self.args = args
        self.done = done
        self.length = length

    def has(self, i: int) -> bool:
        return self.args[i] in self.done

    def plain(self, i: int) -> Expr:
        """An argument that must not differ from row to row: a size."""
        if self.has(i):
            raise GradientError(f"a size may not depend on what is batched: {text(self.args[i])}")
        return self.args[i]

    def rest(self, start: int) -> list[Expr]:
        return [self.plain(i) for i in range(start, len(self.args))]

    def full(self, i: int) -> Expr:
        """The argument with the new axis, repeated along it where it does not have it."""
        return self.done[self.args[i]] if self.has(i) else _repeated(self.args[i], self.length)

    def thin(self, i: int) -> Expr:
        """The argument with the new axis, of length 1 where it does not have it."""
        return self.done[self.args[i]] if self.has(i) else expand_dims(self.args[i], 0)


# --- one rule for each operation -----------------------------------------------------------------


def _elementwise(node: Expr, given: Arguments) -> Expr:
    """Arguments of lower rank get their missing axes after the new one."""
    args = []
    for i, a in enumerate(node.args):
        missing = node.ndim - a.ndim
        if given.has(i):
            x = given.full(i)
            args.append(expand_dims(x, tuple(range(1, 1 + missing))) if missing else x)
        else:
            args.append(a)
    return node.op(*args)


def _shifted(*fields: str) -> Callable:
    """The operation on axes that lie one further; all arguments have the new axis."""

    def rule(node: Expr, given: Arguments) -> Expr:
        change = {}
        for f in fields:
            value = getattr(node.op, f)
            change[f] = value + 1 if isinstance(value, int) else tuple(a + 1 for a in value)
        op = dataclasses.replace(node.op, **change)
        return apply(op, *(given.full(i) for i in range(len(node.args))))

    return rule


def _axes(node: Expr, given: Arguments) -> Expr:
    return axes(given.full(0), (0, *(None if a is None else a + 1 for a in node.op.order)))


def _broadcast(node: Expr, given: Arguments) -> Expr:
    shape = filled(node.op.shape, given.rest(1))
    x = given.full(0)
    missing = len(shape) - node.args[0].ndim
    x = expand_dims(x, tuple(range(1, 1 + missing))) if missing else x
    return broadcast_to(x, (given.length, *shape))


def _reshape(node: Expr, given: Arguments) -> Expr:
    return reshape(given.full(0), (given.length, *filled(node.op.shape, given.rest(1))))


def _slice(node: Expr, given: Arguments) -> Expr:
    starts, lengths = node.op.places(given.rest(1))
    return slices(given.full(0), (0, *starts), (given.length, *lengths), (1, *node.op.steps))


def _embed(node: Expr, given: Arguments) -> Expr:
    cut = node.op.shape.count(None)
    sizes = given.rest(1)
    shape, starts = filled(node.op.shape, sizes[:cut]), filled(node.op.starts, sizes[cut:])
    return embed(given.full(0), (given.length, *shape), (0, *starts), (1, *node.op.steps))


def _dot(node: Expr, given: Arguments) -> Expr:
    op = node.op
    new = next(c for c in string.ascii_letters if c not in op.left + op.right)
    left = (new if given.has(0) else "") + op.left
    right = (new if given.has(1) else "") + op.right
    a, b = (given.full(i) if given.has(i) else node.args[i] for i in (0, 1))
    return product(a, b, left, right, new + op.out)


def _take(node: Expr, given: Arguments) -> Expr:
    op, indices = node.op, range(1, len(node.args))
    if not any(given.has(i) for i in indices):
        shifted = Take(tuple(a + 1 for a in op.axes), op.position + 1)
        return apply(shifted, given.full(0), *node.args[1:])
    arrays = _rows(given, indices)
    result = apply(Take((0, *(a + 1 for a in op.axes)), 0), given.full(0), *arrays)
    rank = node.args[1].ndim
    return moveaxis(result, range(1, 1 + rank), range(1 + op.position, 1 + op.position + rank))


def _rows(given: Arguments, indices) -> list[Expr]:
    """The index arrays with the new axis, and before them the one that counts the rows."""
    arrays = [given.full(i) for i in indices]
    count = arange(given.length)
    rows = expand_dims(count, tuple(range(1, arrays[0].ndim))) if arrays[0].ndim > 1 else count
    return [broadcast_to(rows, arrays[0].shape), *arrays]


def _scatter(node: Expr, given: Arguments) -> Expr:
    op, indices = node.op, range(2, len(node.args))
    base, values = given.full(0), given.full(1)
    if not any(given.has(i) for i in indices):
        shifted = Scatter(tuple(a + 1 for a in op.axes), op.position + 1, op.monoid)
        return apply(shifted, base, values, *node.args[2:])
    rank = node.args[2].ndim
    values = moveaxis(values, range(1 + op.position, 1 + op.position + rank), range(1, 1 + rank))
    shifted = Scatter((0, *(a + 1 for a in op.axes)), 0, op.monoid)
    return apply(shifted, base, values, *_rows(given, indices))


def _place(node: Expr, given: Arguments) -> Expr:
    n = node.op.length if node.op.length is not None else size.as_size(given.plain(2))
    return place(given.full(0), given.full(1), n, node.op.axis + 1)


def _roll(node: Expr, given: Arguments) -> Expr:
    return apply(Roll(node.op.axis + 1), given.full(0), given.plain(1))


#: What the two arguments of each convolution are, what the result is, and who applies it.
_CONVOLUTIONS = {
    Convolution: ("images", "filters", "outputs", convolution),
    ConvolutionInput: ("outputs", "filters", "images", convolution_input),
    ConvolutionFilters: ("images", "outputs", "filters", convolution_filters),
}

#: The sizes that the two first axes of each are made of, and the first of the two that share one.
_PARTS = {
    "images": (("batch", "groups", "channels"), 1),
    "filters": (("groups", "filters", "channels"), 0),
    "outputs": (("batch", "groups", "filters"), 1),
}


def _convolution(node: Expr, given: Arguments) -> Expr:
    """The rows are more batches, channels, filters or groups: whichever the arguments with rows and
    the result have, and the other argument does not.
    """
    *roles, wanted, applied = _CONVOLUTIONS[type(node.op)]
    s = node.op.geometry(*node.args[:2], *given.rest(2))
    (into,) = (
        part
        for part in _PARTS[wanted][0]
        if all((part in _PARTS[role][0]) == given.has(i) for i, role in enumerate(roles))
    )
    arrays = [
        _rows_into(into, given.full(i), role, s) if given.has(i) else node.args[i]
        for i, role in enumerate(roles)
    ]
    many = s._replace(**{into: size.times(given.length, getattr(s, into))})
    return _rows_out_of(into, applied(many, *arrays), wanted, s, given.length)


def _rows_into(into: str, x: Expr, role: str, s: Geometry) -> Expr:
    """An array whose rows have become part of one of its axes."""
    parts, joined = _PARTS[role]
    rows, spatial = x.shape[0], x.shape[3:]
    x = reshape(x, (rows, *(getattr(s, p) for p in parts), *spatial))
    x = moveaxis(x, 0, parts.index(into))
    whole = [size.times(rows, getattr(s, p)) if p == into else getattr(s, p) for p in parts]
    whole[joined : joined + 2] = [size.times(*whole[joined : joined + 2])]
    return reshape(x, (*whole, *spatial))


def _rows_out_of(into: str, x: Expr, role: str, s: Geometry, rows: Size) -> Expr:
    """The inverse of `_rows_into`."""
    parts, joined = _PARTS[role]
    at, whole, spatial = parts.index(into), [getattr(s, p) for p in parts], x.shape[2:]
    x = moveaxis(reshape(x, (*whole[:at], rows, *whole[at:], *spatial)), at, 0)
    whole[joined : joined + 2] = [size.times(*whole[joined : joined + 2])]
    return reshape(x, (rows, *whole, *spatial))


def _windows(arrays: int) -> Callable:
    """The operation on windows of axes that lie one further; arguments after the arrays are
    lengths.
    """

    def rule(node: Expr, given: Arguments) -> Expr:
        op = dataclasses.replace(node.op, axes=tuple(a + 1 for a in node.op.axes))
        return apply(op, *(given.full(i) for i in range(arrays)), *given.rest(arrays))

    return rule


def _leading(node: Expr, given: Arguments) -> Expr:
    """One more leading axis, along which arguments that do not have it are repeated."""
    return apply(node.op, *(given.thin(i) for i in range(len(node.args))))


def _attention_gradient(node: Expr, given: Arguments) -> Expr:
    # Its result has the shape of an argument, which must therefore have the axis.
    of = 3 + node.op.of
    args = (given.full(i) if i == of else given.thin(i) for i in range(len(node.args)))
    return apply(node.op, *args)


def _alignments(node: Expr, given: Arguments) -> Expr:
    """The new axis joins the batch, which is the last axis but one."""
    merged = []
    for i, a in enumerate(node.args):
        x = moveaxis(given.full(i), 0, a.ndim - 2)
        batch = size.times(given.length, a.shape[-2])
        merged.append(reshape(x, (*a.shape[:-2], batch, a.shape[-1])))
    result = apply(node.op, *merged)
    frames, batch, states = node.shape
    return moveaxis(reshape(result, (frames, given.length, batch, states)), 1, 0)


_RULES: dict[type[Op], Callable[[Expr, Arguments], Expr]] = {
    Axes: _axes,
    Broadcast: _broadcast,
    Reshape: _reshape,
    Join: _shifted("axis"),
    Reduce: _shifted("axes"),
    LogSumExp: _shifted("axes"),
    Extreme: _shifted("axis"),
    Softmax: _shifted("axis"),
    LogSoftmax: _shifted("axis"),
    Moment: _shifted("axes"),
    Standardize: _shifted("axes"),
    NeighbourSum: _shifted("axis"),
    Attention: _leading,
    AttentionSums: _leading,
    AttentionGradient: _attention_gradient,
    Alignments: _alignments,
    BandedRecurrence: _alignments,
    Shift: _shifted("axis"),
    Cumulate: _shifted("axis"),
    Recurrence: _shifted("axis"),
    Pick: _shifted("axis"),
    Place: _place,
    Roll: _roll,
    Slice: _slice,
    Embed: _embed,
    Take: _take,
    Scatter: _scatter,
    Dot: _dot,
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    Pool: _shifted("axes"),
    LargestAt: _shifted("axes"),
    PickAt: _shifted("axes"),
    Patches: _shifted("axes"),
    Interpolate: _shifted("axes"),
    Disperse: _shifted("axes"),
    Spread: _windows(1),
    Overlay: _windows(1),
    PutAt: _windows(2),
    StopGradient: lambda node, given: given.full(0),
}


def rule(op: type[Op]) -> Any:
    """Declare how an operation is batched: `@rule(MyOp)` on a function of a node and its
    `Arguments`.
    """

    def declare(function: Callable[[Expr, Arguments], Expr]) -> Callable:
        _RULES[op] = function
        return function

    return declare
