"""Indexing: basic slices, integer arrays, one element a row, and the gradients that put values
back.

A key is first brought to one form, a list of (start, length, step) for the slices and of integer
arrays for the rest; negative and open bounds are resolved against the sizes, symbolically where
they must be. An index that is known only at the call is checked there: outside its axis it is a
`BoundsError`, as in NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.errors import BoundsError, DtypeError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, constant
from symcomp.graph.notation import Write, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.graph.spelling import position_text, slice_text
from symcomp.graph.type import Type, is_float, is_integer
from symcomp.tensor.arithmetic import equal, where
from symcomp.tensor.creation import zeros
from symcomp.tensor.layout import (
    broadcast_arrays,
    filled,
    filled_values,
    normal_axis,
    template,
)

__all__ = ["one_hot", "pick", "take"]


@operation
class Slice(Op):
    """A part of each axis: out[i] = x[start + i·step]. None in `starts` or `lengths` stands for a
    symbolic argument.
    """

    starts: tuple[int | None, ...]
    lengths: tuple[int | None, ...]
    steps: tuple[int, ...]

    samples = (
        (((1, 0), (2, 3), (1, 1)), (4, 3)),
        (((3,), (2,), (-2,)), (4,)),
        (((0,), (0,), (1,)), (0,)),
        (((None,), (None,), (2,)), (7,), 1, 3),
        (((), (), ()), ()),
    )

    def places(self, sizes) -> tuple[tuple, tuple]:
        """Starts and lengths with the symbolic ones filled in."""
        cut = self.starts.count(None)
        return filled(self.starts, sizes[:cut]), filled(self.lengths, sizes[cut:])

    def type(self, x, *sizes):
        starts, lengths = self.places(sizes)
        for start, length, step, n in zip(starts, lengths, self.steps, x.shape, strict=True):
            _require_inside(start, length, step, n)
        return Type(x.dtype, lengths)

    def element(self, x, *rest):
        sizes, indices = rest[: -len(self.steps)], rest[-len(self.steps) :]
        starts, _ = self.places([s.expr for s in sizes])
        return x[
            tuple(_affine(s, i, t) for s, i, t in zip(starts, indices, self.steps, strict=True))
        ]

    def vjp(self, g, out, x, *sizes):
        starts, _ = self.places(sizes)
        return (embed(g, x.shape, starts, self.steps), *(None for _ in sizes))

    def numpy(self, x, *sizes):
        return x[self.key(x.shape, sizes)]

    def key(self, shape, sizes) -> tuple:
        cut = self.starts.count(None)
        starts = filled_values(self.starts, sizes[:cut])
        lengths = filled_values(self.lengths, sizes[cut:])
        return tuple(
            _slice(int(s), int(n), t) for s, n, t in zip(starts, lengths, self.steps, strict=True)
        )

    def indexed(self, x, *sizes):
        """What is indexed, and what stands between the brackets: `1:-1`, `::2`."""
        return x, ", ".join(self.keys_text(range(x.ndim), x, *sizes))

    def keys_text(self, order, x, *sizes) -> list[str]:
        """The key of each axis of the result; axes that are not in `order` are single elements."""
        starts, lengths = self.places(sizes)
        parts = enumerate(zip(starts, lengths, self.steps, x.shape, strict=True))
        return [slice_text(*p) if a in order else position_text(p[0], p[3]) for a, p in parts]


def _require_inside(start: Size, length: Size, step: int, n: Size) -> None:
    """Note that a part of literal length must lie within its axis (others are clamped to it)."""
    if not isinstance(length, int) or not length:
        return
    last = size.plus(start, (length - 1) * step)
    first, last = (start, last) if step > 0 else (last, start)
    if isinstance(first, int) and isinstance(last, int) and isinstance(n, int):
        if first < 0 or last >= n:
            raise ShapeError(f"elements {first} to {last} are not all in an axis of length {n}")
        return
    for least in (first, size.minus(size.minus(n, last), 1)):
        if not size.is_nonnegative(least):
            size.require_long_enough(least, 0)


def _affine(start: Size, i: Expr, step: int) -> Expr:
    return size.as_expr(size.plus(start, size.times(i, step)))


def _slice(start: int, length: int, step: int) -> slice:
    if not length:
        return slice(0, 0, 1)
    last = start + (length - 1) * step
    return (
        slice(start, last + 1, step) if step > 0 else slice(start, last - 1 if last else None, step)
    )


@operation
class Embed(Op):
    """Zeros of a shape, with an array put where the slice would read: the transpose of `Slice`."""

    shape: tuple[int | None, ...]
    starts: tuple[int | None, ...]
    steps: tuple[int, ...]

    samples = (
        (((4, 3), (1, 0), (1, 2)), (2, 2)),
        (((5,), (4,), (-2,)), (3,)),
        (((None,), (None,), (1,)), (2,), 5, 3),
        (((3,), (0,), (1,)), (0,)),
    )

    def _parts(self, sizes):
        cut = self.shape.count(None)
        return filled(self.shape, sizes[:cut]), filled(self.starts, sizes[cut:])

    def type(self, g, *sizes):
        return Type(g.dtype, self._parts(sizes)[0])

    def loops(self, out, g, *sizes):
        shape, starts = self._parts([s.expr for s in sizes])
        everywhere = tuple(index(n) for n in shape)
        here_ = tuple(index(n) for n in g.shape)
        target = tuple(_affine(s, i, t) for s, i, t in zip(starts, here_, self.steps, strict=True))
        return [Write(everywhere, everywhere, zero(g.dtype)), Write(here_, target, g[here_])]

    def vjp(self, g, out, x, *sizes):
        _, starts = self._parts(sizes)
        return (slices(g, starts, x.shape, self.steps), *(None for _ in sizes))

    def numpy(self, g, *sizes):
        cut = self.shape.count(None)
        out = np.zeros([int(n) for n in filled_values(self.shape, sizes[:cut])], g.dtype)
        starts = filled_values(self.starts, sizes[cut:])
        out[
            tuple(_slice(int(s), n, t) for s, n, t in zip(starts, g.shape, self.steps, strict=True))
        ] = g
        return out


def zero(dtype: str) -> Constant:
    return constant(np.zeros((), dtype))


@operation
class Take(Op):
    """Elements at integer positions: the indexed axes are replaced, at `position`, by the axes of
    the index arrays.
    """

    axes: tuple[int, ...]
    position: int

    samples = (
        (((0,), 0), (4, 3), [1, -1, 1]),
        (((1,), 1), (2, 3), [[0, 2], [-3, 1]]),
        (((0, 1), 0), (3, 4), [0, 2, 2], [1, -1, 3]),
        (((0, 2), 0), (3, 2, 4), [0, 2], [1, -1]),
        (((0,), 0), (3, 2), 1),
        (((0,), 0), (4,), []),
    )

    def type(self, x, *indices):
        rest = [n for a, n in enumerate(x.shape) if a not in self.axes]
        taken = indices[0].shape
        for i in indices:
            if not is_integer(i.dtype):
                raise DtypeError(f"an index must be an integer array, not {i.dtype}")
        return Type(x.dtype, (*rest[: self.position], *taken, *rest[self.position :]))

    def element(self, x, *rest):
        n = len(self.axes)
        arrays, at = rest[:n], rest[n:]
        rank = arrays[0].ndim
        inner = at[self.position : self.position + rank]
        outer = iter((*at[: self.position], *at[self.position + rank :]))
        place = dict(zip(self.axes, arrays, strict=True))
        return x[
            tuple(
                wrapped(place[a][inner], x.shape[a]) if a in place else next(outer)
                for a in range(x.ndim)
            )
        ]

    def bounds(self, x, *indices):
        """What the call must check: each index array, and the axis that it must stay within."""
        return [(i, x.shape[a]) for a, i in zip(self.axes, indices, strict=True)]

    def vjp(self, g, out, x, *indices):
        if not is_float(x.dtype):
            return (None,) * (1 + len(indices))
        back = apply(Scatter(self.axes, self.position, "sum"), zeros(x.shape, x.dtype), g, *indices)
        return (back, *(None for _ in indices))

    def numpy(self, x, *indices):
        return taken(x, self.axes, self.position, indices)

    def text(self, x, *indices):
        parts = [":"] * (max(self.axes) + 1)
        for a, i in zip(self.axes, indices, strict=True):
            parts[a] = i
        return f"{x}[{', '.join(parts)}]"


def wrapped(i: Expr, n: Size) -> Expr:
    """A position counted from the start, where negative ones count from the end."""
    i = cast(i, "int64")
    if i.op is None and isinstance(i, Constant) and i.value >= 0:
        return i
    return where(i < 0, i + size.as_expr(n), i)


def _key(ndim, axes, indices) -> tuple:
    at = dict(zip(axes, indices, strict=True))
    return tuple(at.get(a, slice(None)) for a in range(ndim))


def taken(x, axes, position, indices):
    """NumPy's fancy indexing with the new axes at `position`."""
    front = np.moveaxis(x, axes, range(len(axes)))
    result = front[tuple(indices)]
    rank = indices[0].ndim
    return np.moveaxis(result, range(rank), range(position, position + rank))


@operation
class Scatter(Op):
    """`base` with values put (monoid None) or added (monoid "sum") at integer positions: the
    transpose of `Take`.

    Where positions repeat, sums add up in order, and of values that are put the last one stays.
    """

    axes: tuple[int, ...]
    position: int
    monoid: str | None

    samples = (
        (((0,), 0, "sum"), (4, 3), (3, 3), [1, -1, 1]),
        (((1,), 1, "sum"), (2, 3), (2, 2, 2), [[0, 2], [-3, 1]]),
        (((0,), 0, None), (5,), (3,), [0, 2, -1]),
        (((0, 1), 0, "sum"), (3, 4), (3,), [0, 2, 2], [1, -1, -1]),
        (((0,), 0, "sum"), (4,), (0,), []),
    )

    def type(self, base, values, *indices):
        want = Take(self.axes, self.position).type(base, *indices).shape
        for have, need in zip(values.shape, want, strict=True):
            size.same_size(have, need, "values of length {} do not fit where {} are indexed")
        return Type(base.dtype, base.shape)

    def loops(self, out, base, values, *indices):
        every = tuple(index(n) for n in base.shape)
        at = tuple(index(n) for n in values.shape)
        rank = indices[0].ndim
        inner = at[self.position : self.position + rank]
        outer = iter((*at[: self.position], *at[self.position + rank :]))
        place = dict(zip(self.axes, indices, strict=True))
        target = tuple(
            wrapped(place[a][inner], base.shape[a]) if a in place else next(outer)
            for a in range(base.ndim)
        )
        free = tuple(i for i in at if i not in inner)
        return [
            Write(every, every, base[every]),
            Write(at, target, values[at], self.monoid, injective=False, free=free),
        ]

    def bounds(self, base, values, *indices):
        return [(i, base.shape[a]) for a, i in zip(self.axes, indices, strict=True)]

    def vjp(self, g, out, base, values, *indices):
        g_values = apply(Take(self.axes, self.position), g, *indices)
        if self.monoid == "sum":
            g_base = g
        else:
            nothing = zeros(values.shape, g.dtype)
            g_base = apply(self, g, nothing, *indices)
        return (g_base, g_values, *(None for _ in indices))

    def numpy(self, base, values, *indices):
        out = np.array(base)
        rank = indices[0].ndim
        front = np.moveaxis(out, self.axes, range(len(self.axes)))
        new = np.moveaxis(values, range(self.position, self.position + rank), range(rank))
        if self.monoid == "sum":
            with np.errstate(all="ignore"):
                np.add.at(front, tuple(indices), new)
        else:
            front[tuple(indices)] = new
        return out


@operation
class Pick(Op):
    """One element along an axis for each place of the others: out[i] = x[i, at[i]]."""

    axis: int

    samples = (
        ((1,), (3, 4), [0, 3, -1]),
        ((0,), (3, 2), [2, -2]),
        ((0,), (3,), 1),
        ((1,), (0, 4), []),
    )

    def type(self, x, at):
        if not is_integer(at.dtype):
            raise DtypeError(f"positions must be integers, not {at.dtype}")
        rest = tuple(n for a, n in enumerate(x.shape) if a != self.axis)
        if at.ndim != len(rest):
            raise ShapeError(
                f"pick along one of {x.ndim} axes needs positions with {len(rest)}, not {at.ndim}"
            )
        message = "positions of length {1} do not fit an array with {0} rows"
        return Type(
            x.dtype,
            tuple(size.same_size(n, m, message) for n, m in zip(rest, at.shape, strict=True)),
        )

    def element(self, x, at, *indices):
        k = wrapped(at[indices], x.shape[self.axis])
        return x[(*indices[: self.axis], k, *indices[self.axis :])]

    def bounds(self, x, at):
        return [(at, x.shape[self.axis])]

    def vjp(self, g, out, x, at):
        return place(g, at, x.shape[self.axis], self.axis), None

    def numpy(self, x, at):
        return np.take_along_axis(x, np.expand_dims(at, self.axis), self.axis).squeeze(self.axis)


@operation
class Place(Op):
    """Zeros but for one element along a new axis: out[i, j] = g[i] where j = at[i], else 0.
    Transpose of `Pick`.
    """

    axis: int
    length: int | None

    samples = (
        ((1, 4), (3,), [0, 3, -1]),
        ((0, None), (2,), [2, -2], 3),
        ((0, 3), (), 1),
        ((1, 2), (0,), []),
    )

    def type(self, g, at, *length):
        n = self.length if self.length is not None else size.as_size(length[0])
        message = "{} values do not fit {} positions"
        shape = [size.same_size(n, m, message) for n, m in zip(g.shape, at.shape, strict=True)]
        return Type(g.dtype, (*shape[: self.axis], n, *shape[self.axis :]))

    def element(self, g, at, *rest):
        indices = rest[-(g.ndim + 1) :]
        n = self.length if self.length is not None else rest[0].expr
        own = (*indices[: self.axis], *indices[self.axis + 1 :])
        return where(equal(indices[self.axis], wrapped(at[own], n)), g[own], zero(g.dtype))

    def vjp(self, g, out, x, at, *length):
        return (apply(Pick(self.axis), g, at), *(None for _ in (at, *length)))

    def numpy(self, g, at, *length):
        n = self.length if self.length is not None else int(length[0])
        shape = (*g.shape[: self.axis], n, *g.shape[self.axis :])
        out = np.zeros(shape, g.dtype)
        if g.size:
            np.put_along_axis(
                out, np.expand_dims(at, self.axis), np.expand_dims(g, self.axis), self.axis
            )
        return out


def place(g: Expr, at: Expr, length: Size, axis: int) -> Expr:
    """`Place` with a literal or a symbolic length."""
    literal, symbolic = template((length,))
    return apply(Place(axis, literal[0]), g, at, *symbolic)


def slices(x: Expr, starts, lengths, steps) -> Expr:
    """`Slice` in normal form; x itself where all of it is taken."""
    if all(
        s == 0 and t == 1 and (n is m or n == m)
        for s, n, t, m in zip(starts, lengths, steps, x.shape, strict=True)
    ):
        return x
    first, dynamic = template(starts)
    second, more = template(lengths)
    return apply(Slice(first, second, tuple(steps)), x, *dynamic, *more)


def embed(g: Expr, shape, starts, steps) -> Expr:
    """`Embed` in normal form."""
    literal, sizes = template(shape)
    first, dynamic = template(starts)
    return apply(Embed(literal, first, tuple(steps)), g, *sizes, *dynamic)


# --- what people call ----------------------------------------------------------------------------


def take_at(x: Expr, places: list[int], items: list[Expr]) -> Expr:
    arrays = (
        broadcast_arrays(*(as_expr(i) for i in items)) if len(items) > 1 else [as_expr(items[0])]
    )
    for axis, array in zip(places, arrays, strict=True):
        check_literal(array, x.shape[axis], axis)
    adjacent = places == list(range(places[0], places[0] + len(places)))
    return apply(Take(tuple(places), places[0] if adjacent else 0), x, *arrays)


def check_literal(array: Expr, n: Size, axis: int) -> None:
    if isinstance(array, Constant) and isinstance(n, int) and array.value.size:
        low, high = array.value.min(), array.value.max()
        if low < -n or high >= n:
            bad = low if low < -n else high
            raise BoundsError(
                describe(
                    f"index {bad} is out of bounds for axis {axis} with length {n}", origin=here()
                )
            )


def check_index_dtype(item: Expr) -> None:
    if item.dtype == "bool":
        raise DtypeError(
            describe(
                "a symbolic mask cannot index: the size of the result would depend on its values; "
                "use T.where(mask, x, other), or sum over T.where(mask, x, 0)",
                origin=here(),
            )
        )
    if is_float(item.dtype):
        raise DtypeError(describe(f"an index must be an integer, not {item.dtype}", origin=here()))


def take(x: Any, indices: Any, axis: int | None = None) -> Expr:
    """Elements at integer positions along an axis (of the flattened array by default), as
    `np.take`.
    """
    x, indices = as_expr(x), as_expr(indices)
    if axis is None:
        return x.ravel()[indices]
    axis = normal_axis(axis, x.ndim)
    check_index_dtype(indices)
    return take_at(x, [axis], [indices])


def pick(x: Any, at: Any, axis: int = -1) -> Expr:
    """One element a row: out[i] = x[i, at[i]]; `at` has the shape of x without the axis."""
    x, at = as_expr(x), as_expr(at)
    return apply(Pick(normal_axis(axis, x.ndim)), x, at)


def one_hot(at: Any, length: Any, dtype: Any = "float64", axis: int = -1) -> Expr:
    """1 at each position along a new axis of the given length, 0 elsewhere."""
    at = as_expr(at)
    axis = normal_axis(axis, at.ndim + 1)
    ones_ = zeros(at.shape, dtype) + cast(1, dtype)
    return place(ones_, at, size.as_size(length, "the length of one_hot"), axis)
