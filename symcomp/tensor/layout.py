"""Layout: the same elements in another arrangement. Nothing here computes; most of it costs nothing
when compiled.

Four operations carry all of it: `Axes` (transpose, insert and drop axes), `Broadcast`, `Reshape`
and `Join`; slices, which also flip, are in `indexing`. Functions follow NumPy's names and meanings.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import Write, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import broadcast_shape, cast, unbroadcast
from symcomp.graph.size import Size
from symcomp.graph.type import Type, promote, shape_text

__all__ = [
    "atleast_1d", "atleast_2d", "broadcast_arrays", "broadcast_to", "concatenate", "dimshuffle",
    "expand_dims", "flatten", "hstack", "join", "moveaxis", "ravel", "repeat", "reshape", "squeeze",
    "stack", "swapaxes", "tile", "transpose", "vstack",
]  # fmt: skip


def normal_axis(axis: Any, ndim: int, what: str = "axis") -> int:
    """A non-negative axis, or a ShapeError that says what there is."""
    try:
        axis = operator.index(axis)
    except TypeError:
        raise ArgumentError(f"{what} must be an integer, not {axis!r}") from None
    if not -ndim <= axis < ndim:
        raise ShapeError(f"{what} {axis} is out of range for an array of {ndim} axes")
    return axis % ndim


def normal_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    """Non-negative axes, each once; None means all."""
    if axes is None:
        return tuple(range(ndim))
    axes = axes if isinstance(axes, (tuple, list)) else (axes,)
    result = tuple(normal_axis(a, ndim) for a in axes)
    if len(set(result)) != len(result):
        raise ShapeError(f"axes {tuple(axes)} name an axis twice")
    return result


def template(shape: Sequence[Size]) -> tuple[tuple, tuple[Expr, ...]]:
    """A shape split into its literal part (None where symbolic) and the symbolic sizes."""
    literal = tuple(n if isinstance(n, int) else None for n in shape)
    return literal, tuple(n for n in shape if not isinstance(n, int))


def filled(literal: tuple, sizes: Iterable[Expr]) -> tuple:
    """The inverse of `template`."""
    sizes = iter(sizes)
    return tuple(size.as_size(next(sizes)) if n is None else n for n in literal)


def sizes_of(values: Any, what: str) -> tuple:
    """A shape given by a person: an int, an expression, or a sequence of them."""
    values = values if isinstance(values, (tuple, list)) else (values,)
    return tuple(size.as_size(v, what) for v in values)


@operation
class Axes(Op):
    """Axes in another order: result axis n is the argument's axis order[n], or a new one of length
    1 where None.

    Axes that `order` does not name must have length 1, and are dropped.
    """

    order: tuple[int | None, ...]

    samples = (
        (((1, 0),), (3, 4)),
        (((2, None, 0),), (3, 1, 2)),
        (((0, None),), (3, 1)),
        (((),), (1,)),
        (((None,),), ()),
    )

    def type(self, x):
        for axis, n in enumerate(x.shape):
            if axis not in self.order and n != 1:
                raise ShapeError(f"axis {axis} cannot be dropped: its length is {n}, not 1")
        return Type(x.dtype, tuple(1 if a is None else x.shape[a] for a in self.order))

    def element(self, x, *indices):
        at = {a: i for a, i in zip(self.order, indices, strict=True) if a is not None}
        return x[tuple(at.get(axis, 0) for axis in range(x.ndim))]

    def vjp(self, g, out, x):
        back = tuple(self.order.index(a) if a in self.order else None for a in range(x.ndim))
        return (axes(g, back),)

    def numpy(self, x):
        kept = [a for a in self.order if a is not None]
        dropped = [a for a in range(x.ndim) if a not in kept]
        y = np.transpose(x, (*kept, *dropped)).reshape([x.shape[a] for a in kept])
        return y[tuple(None if a is None else slice(None) for a in self.order)]

    def indexed(self, x):
        """x[3, 1:] where axes of a slice are dropped: what is indexed, and the key."""
        if not hasattr(x.op, "keys_text") or None in self.order or len(self.order) == x.ndim:
            return None
        return x.args[0], ", ".join(x.op.keys_text(self.order, *x.args))

    def text(self, x):
        if self.order == tuple(range(len(self.order)))[::-1]:
            return f"{wrap(x)}.T" if len(self.order) > 1 else x
        kept = [a for a in self.order if a is not None]
        if kept == list(range(len(kept))) and len(kept) < len(self.order):
            keys = ", ".join("None" if a is None else ":" for a in self.order)
            return f"{wrap(x)}[{keys}]" if kept else x
        if kept == sorted(kept) and len(kept) == len(self.order):
            return f"squeeze({x})"
        names = ", ".join("'x'" if a is None else str(a) for a in self.order)
        return f"dimshuffle({x}, {names})"


@operation
class Broadcast(Op):
    """An array repeated along its axes of length 1 until it has the given shape."""

    shape: tuple[int | None, ...]

    samples = (
        (((2, 3),), (3,)),
        (((2, 3),), (2, 1)),
        (((0, 3),), (1, 3)),
        (((2, None),), (2, 1), 4),
        (((),), ()),
    )

    def type(self, x, *sizes):
        shape = filled(self.shape, sizes)
        if len(shape) < x.ndim:
            raise ShapeError(f"cannot broadcast {x.ndim} axes to the shape {shape_text(shape)}")
        offset = len(shape) - x.ndim
        result = list(shape)
        for axis, n in enumerate(x.shape, offset):
            if n != 1:
                message = (
                    f"cannot broadcast shape {shape_text(x.shape)} to {shape_text(shape)}: "
                    f"axis {axis} is {{}}, not {{}}"
                )
                result[axis] = size.same_size(n, shape[axis], message)
        return Type(x.dtype, tuple(result))

    def element(self, x, *rest):
        indices = rest[len(rest) - len(self.shape) :]
        own = indices[len(indices) - x.ndim :]
        return x[tuple(0 if n == 1 else i for i, n in zip(own, x.shape, strict=True))]

    def vjp(self, g, out, x, *sizes):
        return (unbroadcast(g, x), *(None for _ in sizes))

    def numpy(self, x, *sizes):
        return np.broadcast_to(x, [int(n) for n in filled_values(self.shape, sizes)])

    def text(self, x, *sizes):
        return f"broadcast_to({x}, {template_text(self.shape, sizes)})"


@operation
class Reshape(Op):
    """The same elements, in row-major order, in another shape."""

    shape: tuple[int | None, ...]

    samples = (
        (((6,),), (2, 3)),
        (((3, 2),), (2, 3)),
        (((0, 5),), (0,)),
        (((2, None),), (6,), 3),
        (((),), (1,)),
    )

    def type(self, x, *sizes):
        shape = filled(self.shape, sizes)
        message = (
            f"cannot reshape {shape_text(x.shape)} to {shape_text(shape)}: "
            "{} elements are not {}"
        )
        size.same_size(size.product(x.shape), size.product(shape), message)
        return Type(x.dtype, shape)

    def element(self, x, *rest):
        indices = rest[len(rest) - len(self.shape) :]
        flat = 0
        sizes = [s.expr for s in rest[: len(rest) - len(indices)]]
        for i, n in zip(indices, filled(self.shape, sizes), strict=True):
            flat = size.as_expr(flat) * size.as_expr(n) + i
        places = []
        for axis in reversed(range(x.ndim)):
            n = size.as_expr(x.shape[axis])
            places.append(flat % n if axis else flat)
            flat = flat // n
        return x[tuple(reversed(places))]

    def vjp(self, g, out, x, *sizes):
        return (reshape(g, x.shape), *(None for _ in sizes))

    def numpy(self, x, *sizes):
        return np.reshape(x, [int(n) for n in filled_values(self.shape, sizes)])

    def text(self, x, *sizes):
        return f"reshape({x}, {template_text(self.shape, sizes)})"


@operation
class Join(Op):
    """Arrays one after another along an axis."""

    axis: int

    samples = (
        ((0,), (2, 3), (1, 3)),
        ((1,), (2, 3), (2, 0), (2, 2)),
        ((0,), (0,), (3,)),
    )

    def type(self, *arrays):
        first = arrays[0]
        shape = list(first.shape)
        for a in arrays[1:]:
            if a.ndim != first.ndim:
                raise ShapeError(f"cannot join arrays of {first.ndim} and {a.ndim} axes")
            for axis in range(first.ndim):
                if axis != self.axis:
                    message = (
                        f"cannot join along axis {self.axis}: "
                        f"axis {axis} has {{}} in one and {{}} in another"
                    )
                    shape[axis] = size.same_size(shape[axis], a.shape[axis], message)
        shape[self.axis] = size.plus(*(a.shape[self.axis] for a in arrays))
        return Type(first.dtype, tuple(shape))

    def loops(self, out, *arrays):
        writes, start = [], 0
        for a in arrays:
            indices = tuple(index(n) for n in a.shape)
            shifted = size.plus(start, indices[self.axis])
            target = (*indices[: self.axis], shifted, *indices[self.axis + 1 :])
            writes.append(Write(indices, target, a[indices]))
            start = size.plus(start, a.shape[self.axis])
        return writes

    def vjp(self, g, out, *arrays):
        parts, start = [], 0
        for a in arrays:
            stop = size.plus(start, a.shape[self.axis])
            parts.append(g[(slice(None),) * self.axis + (slice(start, stop),)])
            start = stop
        return tuple(parts)

    def numpy(self, *arrays):
        return np.concatenate(arrays, axis=self.axis)

    def text(self, *arrays):
        return f"concatenate([{', '.join(arrays)}], axis={self.axis})"


def wrap(formula: str) -> str:
    """The formula in parentheses, unless it is a name or a call: to put a dot or brackets after."""
    return formula if re.fullmatch(r"[\w.]*(\(.*\)|\[[^\[\]]*\])?", formula) else f"({formula})"


def filled_values(literal, values):
    values = iter(values)
    return [next(values) if n is None else n for n in literal]


def template_text(literal, texts) -> str:
    return shape_text(tuple(filled_values(literal, texts)))


# --- what people call ----------------------------------------------------------------------------


def axes(x: Any, order: Sequence[int | None]) -> Expr:
    """`Axes`, or x itself where nothing would change."""
    x = as_expr(x)
    order = tuple(order)
    return x if order == tuple(range(x.ndim)) else apply(Axes(order), x)


def dimshuffle(x: Any, *order: int | str) -> Expr:
    """Axes in a new order, 'x' for a new axis of length 1; axes that are left out must have length
    1 (Theano's).
    """
    x = as_expr(x)
    order = order[0] if len(order) == 1 and isinstance(order[0], (tuple, list)) else order
    named = [a for a in order if a != "x"]
    if len(set(named)) != len(named):
        raise ShapeError(f"dimshuffle{tuple(order)} names an axis twice")
    return axes(x, [None if a == "x" else normal_axis(a, x.ndim) for a in order])


def transpose(x: Any, axes_: Sequence[int] | None = None) -> Expr:
    """Axes permuted; reversed where no order is given."""
    x = as_expr(x)
    if axes_ is None:
        return axes(x, range(x.ndim)[::-1])
    order = normal_axes(tuple(axes_), x.ndim)
    if len(order) != x.ndim:
        raise ShapeError(f"transpose needs all {x.ndim} axes, not {tuple(axes_)}")
    return axes(x, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Expr:
    """Two axes exchanged."""
    x = as_expr(x)
    order = list(range(x.ndim))
    i, j = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    order[i], order[j] = j, i
    return axes(x, order)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Expr:
    """Axes moved to other positions, as `np.moveaxis`."""
    x = as_expr(x)
    source, destination = normal_axes(source, x.ndim), normal_axes(destination, x.ndim)
    if len(source) != len(destination):
        raise ShapeError("moveaxis needs as many sources as destinations")
    order = [a for a in range(x.ndim) if a not in source]
    for to, a in sorted(zip(destination, source, strict=True)):
        order.insert(to, a)
    return axes(x, order)


def expand_dims(x: Any, axis: int | Sequence[int]) -> Expr:
    """New axes of length 1 at the given positions of the result."""
    x = as_expr(x)
    positions = axis if isinstance(axis, (tuple, list)) else (axis,)
    places = normal_axes(tuple(positions), x.ndim + len(positions))
    old = iter(range(x.ndim))
    return axes(x, [None if i in places else next(old) for i in range(x.ndim + len(places))])


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Expr:
    """Without axes of length 1: those given, or all that are known to have it."""
    x = as_expr(x)
    dropped = (
        [i for i, n in enumerate(x.shape) if n == 1] if axis is None else normal_axes(axis, x.ndim)
    )
    return axes(x, [i for i in range(x.ndim) if i not in dropped])


def broadcast_to(x: Any, shape: Any) -> Expr:
    """x repeated along missing axes and axes of length 1 until it has the shape."""
    x = as_expr(x)
    shape = sizes_of(shape, "a size in broadcast_to")
    if len(shape) == x.ndim and all(a is b or a == b for a, b in zip(shape, x.shape, strict=True)):
        return x
    literal, symbolic = template(shape)
    return apply(Broadcast(literal), x, *symbolic)


def broadcast_arrays(*arrays: Any) -> list[Expr]:
    """All arrays repeated to their common shape."""
    from_arrays = [as_expr(a) for a in arrays]
    shape = broadcast_shape(from_arrays)
    return [broadcast_to(a, shape) for a in from_arrays]


def reshape(x: Any, shape: Any, *more: Any) -> Expr:
    """The same elements, in row-major order, in another shape; one size may be −1: whatever is
    left.
    """
    x = as_expr(x)
    if more:
        shape = (shape, *more)
    shape = list(sizes_of(shape, "a size in reshape"))
    unknown = [i for i, n in enumerate(shape) if isinstance(n, int) and n == -1]
    if len(unknown) > 1:
        raise ShapeError("reshape can find only one size that is given as -1")
    if any(isinstance(n, int) and n < -1 for n in shape):
        raise ShapeError(f"sizes must not be negative: {shape_text(tuple(shape))}")
    if unknown:
        known = size.product([n for i, n in enumerate(shape) if i != unknown[0]])
        total = size.product(x.shape)
        if isinstance(total, int) and isinstance(known, int) and (not known or total % known):
            raise ShapeError(f"cannot reshape {total} elements to {shape_text(tuple(shape))}")
        shape[unknown[0]] = size.quotient(total, known)
    if len(shape) == x.ndim and all(a is b or a == b for a, b in zip(shape, x.shape, strict=True)):
        return x
    literal, symbolic = template(shape)
    return apply(Reshape(literal), x, *symbolic)


def ravel(x: Any) -> Expr:
    """All elements in one axis, in row-major order."""
    return reshape(x, (-1,))


def flatten(x: Any, ndim: int = 1) -> Expr:
    """The trailing axes merged, so that `ndim` axes are left (Theano's)."""
    x = as_expr(x)
    if ndim < 1 or ndim > max(x.ndim, 1):
        raise ShapeError(f"cannot flatten {x.ndim} axes to {ndim}")
    return reshape(x, (*x.shape[: ndim - 1], size.product(x.shape[ndim - 1 :])))


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Expr:
    """Arrays joined along an existing axis; dtypes are promoted."""
    arrays = [as_expr(a) for a in arrays]
    if not arrays:
        raise ArgumentError("concatenate needs at least one array")
    if not arrays[0].ndim:
        raise ShapeError("scalars cannot be concatenated; use stack")
    axis = normal_axis(axis, arrays[0].ndim)
    dtype = promote(*(a.dtype for a in arrays))
    arrays = [cast(a, dtype) for a in arrays]
    return arrays[0] if len(arrays) == 1 else apply(Join(axis), *arrays)


def join(axis: int, *arrays: Any) -> Expr:
    """Theano's order of arguments for `concatenate`."""
    return concatenate(arrays, axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Expr:
    """Arrays of one shape along a new axis."""
    arrays = [as_expr(a) for a in arrays]
    if not arrays:
        raise ArgumentError("stack needs at least one array")
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


def atleast_1d(x: Any) -> Expr:
    """A scalar as a vector of one."""
    x = as_expr(x)
    return x if x.ndim else expand_dims(x, 0)


def atleast_2d(x: Any) -> Expr:
    """A scalar or vector as a matrix of one row."""
    x = atleast_1d(x)
    return x if x.ndim > 1 else expand_dims(x, 0)


def vstack(arrays: Sequence[Any]) -> Expr:
    """Arrays above each other; vectors are rows."""
    return concatenate([atleast_2d(a) for a in arrays], 0)


def hstack(arrays: Sequence[Any]) -> Expr:
    """Arrays beside each other: along axis 1, vectors along axis 0."""
    arrays = [atleast_1d(a) for a in arrays]
    return concatenate(arrays, 0 if arrays and arrays[0].ndim == 1 else 1)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Expr:
    """Each element `repeats` times, along an axis (or of the flattened array)."""
    x = ravel(x) if axis is None else as_expr(x)
    axis = normal_axis(axis or 0, x.ndim)
    repeats = size.as_size(repeats, "repeats")
    wide = expand_dims(x, axis + 1)
    shape = [*wide.shape]
    shape[axis + 1] = repeats
    merged = (*x.shape[:axis], size.times(x.shape[axis], repeats), *x.shape[axis + 1 :])
    return reshape(broadcast_to(wide, shape), merged)


def tile(x: Any, repeats: Any) -> Expr:
    """The whole array repeated along each axis, as `np.tile`."""
    x = as_expr(x)
    repeats = sizes_of(repeats, "repeats")
    ndim = max(len(repeats), x.ndim)
    repeats = (1,) * (ndim - len(repeats)) + repeats
    x = expand_dims(x, tuple(range(ndim - x.ndim))) if ndim > x.ndim else x
    wide = expand_dims(x, tuple(range(0, 2 * ndim, 2)))
    shape = [s for r, n in zip(repeats, x.shape, strict=True) for s in (r, n)]
    merged = [size.times(r, n) for r, n in zip(repeats, x.shape, strict=True)]
    return reshape(broadcast_to(wide, shape), merged)
