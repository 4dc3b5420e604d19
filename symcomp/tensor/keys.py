"""Keys: what people write between brackets, `x[1:, None, ::-2, rows]`, and parts that are changed.

A key is first brought to one form, a list of (start, length, step) for the slices and of integer
arrays for the rest; negative and open bounds are resolved against the sizes, symbolically where
they must be.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, BoundsError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, constant
from symcomp.graph.op import apply, as_expr
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.graph.type import shape_text
from symcomp.tensor.arithmetic import where
from symcomp.tensor.indexing import Scatter, Slice, Take, check_index_dtype, embed, slices, take_at
from symcomp.tensor.layout import Axes, normal_axes
from symcomp.tensor.layout import axes as reorder

__all__ = ["flip", "inc_subtensor", "set_subtensor"]


def getitem(x: Expr, key: Any) -> Expr:
    """x[key] with ints, slices, None, …, integer arrays and literal masks, as in NumPy."""
    items = _expanded(x, key if isinstance(key, tuple) else (key,))
    starts, lengths, steps, order, advanced = [], [], [], [], []
    axis = 0
    for item in items:
        if item is None:
            order.append(None)
            continue
        n = x.shape[axis]
        start, length, step = 0, n, 1
        if isinstance(item, slice):
            start, length, step = _resolve(item, n)
            order.append(axis)
        elif isinstance(item, (int, np.integer)):
            start, length = _position(int(item), n, axis, x), 1
        else:
            advanced.append((axis, item, len(order)))
            order.append(axis)
        starts.append(start)
        lengths.append(length)
        steps.append(step)
        axis += 1
    result = reorder(slices(x, starts, lengths, steps), order)
    if not advanced:
        return result
    places = [order.index(axis) for axis, _, _ in advanced]
    return take_at(result, places, [item for _, item, _ in advanced])


def _expanded(x: Expr, key: tuple) -> list:
    """The key with `…` written out, masks as positions and lists as arrays; one entry an axis, None
    for new ones.
    """
    items = []
    for item in key:
        if isinstance(item, (list, np.ndarray)):
            item = np.asarray(item)
            item = item.astype(np.int64) if not item.size and item.dtype.kind == "f" else item
            if item.dtype == bool:
                items.extend(constant(p) for p in np.nonzero(item))
                continue
            item = constant(item)
        elif isinstance(item, (bool, np.bool_)) or not isinstance(
            item, (int, np.integer, slice, Expr, type(None), type(Ellipsis))
        ):
            raise ArgumentError(
                describe(
                    f"{item!r} is not an index: use ints, slices, None, ... or integer arrays",
                    origin=here(),
                )
            )
        if isinstance(item, Expr):
            check_index_dtype(item)
            if isinstance(item, Constant) and not item.ndim:
                item = int(item.value)
        items.append(item)
    taken_axes = sum(i is not None and i is not Ellipsis for i in items)
    if taken_axes > x.ndim:
        raise ShapeError(
            describe(f"too many indices: {taken_axes} for an array of {x.ndim} axes", origin=here())
        )
    dots = [p for p, i in enumerate(items) if i is Ellipsis]
    if len(dots) > 1:
        raise ArgumentError(describe("an index can hold only one '...'", origin=here()))
    at = dots[0] if dots else len(items)
    return [*items[:at], *[slice(None)] * (x.ndim - taken_axes), *items[at + 1 :]]


def _position(i: int, n: Size, axis: int, x: Expr) -> Size:
    if isinstance(n, int):
        if not -n <= i < n:
            raise BoundsError(
                describe(
                    f"index {i} is out of bounds for axis {axis} with length {n} "
                    f"of shape {shape_text(x.type.shape)}",
                    origin=here(),
                )
            )
        return i % n
    return i if i >= 0 else size.plus(n, i)


def _resolve(item: slice, n: Size) -> tuple[Size, Size, int]:
    """A slice as (start, length, step), clamped to the axis as Python does."""
    if item.start is None and item.stop is None and item.step is None:
        return 0, n, 1
    step = 1 if item.step is None else _literal_step(item.step)
    if isinstance(n, int) and all(
        v is None or not isinstance(v, Expr) for v in (item.start, item.stop)
    ):
        span = range(n)[slice(_int(item.start), _int(item.stop), step)]
        return (span.start if len(span) else 0), len(span), step
    if step > 0:
        start = 0 if item.start is None else _clamped(item.start, n)
        stop = n if item.stop is None else _clamped(item.stop, n)
        distance = size.minus(stop, start)
    else:
        top = size.minus(n, 1)
        start = top if item.start is None else size.smaller(_from_end(item.start, n), top)
        stop = -1 if item.stop is None else size.larger(_from_end(item.stop, n), -1)
        distance = size.minus(start, stop)
    length = size.at_least_zero(distance)
    if abs(step) != 1:
        length = size.quotient(size.plus(length, abs(step) - 1), abs(step))
    return start, length, step


def _int(v):
    return None if v is None else operator.index(v)


def _literal_step(step) -> int:
    try:
        step = operator.index(step)
    except TypeError:
        raise ArgumentError(
            describe(f"the step of a slice must be a literal integer, not {step}", origin=here())
        ) from None
    if not step:
        raise ArgumentError(describe("the step of a slice cannot be zero", origin=here()))
    return step


def _from_end(v: Any, n: Size) -> Size:
    v = size.as_size(v, "a bound of a slice")
    if isinstance(v, int):
        return v if v >= 0 else size.plus(n, v)
    if size.is_nonnegative(v):
        return v
    return size.as_size(where(size.as_expr(v) < 0, size.as_expr(size.plus(n, v)), size.as_expr(v)))


def _clamped(v: Any, n: Size) -> Size:
    v = size.as_size(v, "a bound of a slice")
    if isinstance(v, int) and v < 0:
        return size.at_least_zero(size.plus(n, v))
    return size.smaller(size.at_least_zero(_from_end(v, n)), n)


# --- functions -----------------------------------------------------------------------------------


def flip(x: Any, axis: Any = None) -> Expr:
    """The elements in reverse order along the axes (all by default)."""
    x = as_expr(x)
    flipped = normal_axes(axis, x.ndim)
    return getitem(x, tuple(slice(None, None, -1 if a in flipped else None) for a in range(x.ndim)))


def set_subtensor(part: Expr, values: Any) -> Expr:
    """`x` with x[key] = values, given x[key] (Theano's): `set_subtensor(x[1:3], 0)`."""
    return _changed(part, values, None)


def inc_subtensor(part: Expr, values: Any) -> Expr:
    """`x` with x[key] += values, given x[key] (Theano's); at repeated positions all are added."""
    return _changed(part, values, "sum")


def _changed(part: Expr, values: Any, monoid: str | None) -> Expr:
    """Walk back from the part to the array that it is a part of, putting the values there."""
    values = as_expr(values)
    values = cast(values, part.dtype)
    values = values.broadcast_to(part.shape)
    op = part.op
    x = part.args[0] if part.args else None
    if isinstance(op, Take):
        return apply(Scatter(op.axes, op.position, monoid), x, values, *part.args[1:])
    if isinstance(op, Slice):
        starts, _ = op.places(part.args[1:])
        spread = embed(values, x.shape, starts, op.steps)
        if monoid == "sum":
            return x + spread
        mask = embed(cast(1, "bool").broadcast_to(values.shape), x.shape, starts, op.steps)
        return where(mask, spread, x)
    if isinstance(op, Axes):
        inner = op.vjp(values, part, x)[0]
        if x.op is None or not isinstance(x.op, (Take, Slice)):
            return inner if monoid is None else x + inner
        return _changed(x, inner, monoid)
    raise ArgumentError(
        describe(
            f"set_subtensor and inc_subtensor need a part of an array, as x[1:3], not {part}",
            origin=here(),
        )
    )
