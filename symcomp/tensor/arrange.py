"""Arrangements by position: rolled, padded, triangular and diagonal arrays, and elements by a map
of indices.

Only `Roll` is an operation; the rest are formulas in slices, joins, masks and integer arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.type import Type, is_integer
from symcomp.options import options
from symcomp.tensor.arithmetic import equal, isfinite, isnan, mod, where
from symcomp.tensor.creation import arange, full
from symcomp.tensor.indexing import check_index_dtype, embed, slices
from symcomp.tensor.keys import flip
from symcomp.tensor.layout import (
    broadcast_to,
    concatenate,
    expand_dims,
    normal_axes,
    normal_axis,
    ravel,
    reshape,
    sizes_of,
)
from symcomp.tensor.linear import diagonal

__all__ = [
    "alloc", "diag", "meshgrid", "nan_to_num", "pad", "roll", "take_along_axis", "tri", "tril",
    "triu",
]  # fmt: skip


@operation
class Roll(Op):
    """Elements moved along an axis, in a circle: out[i] = x[(i − shift) mod n]."""

    axis: int

    samples = (
        ((0,), (5,), 2),
        ((1,), (2, 3), -4),
        ((0,), (0,), 1),
    )

    def type(self, x, shift):
        if shift.ndim or not is_integer(shift.dtype):
            raise ArgumentError(f"the shift must be an integer scalar, not a {shift.type}")
        return Type(x.dtype, x.shape)

    def element(self, x, shift, *indices):
        i = mod(indices[self.axis] - cast(shift[()], "int64"), size.as_expr(x.shape[self.axis]))
        return x[(*indices[: self.axis], i, *indices[self.axis + 1 :])]

    def vjp(self, g, out, x, shift):
        return apply(self, g, -shift), None

    def numpy(self, x, shift):
        return np.roll(x, int(shift), self.axis)

    def text(self, x, shift):
        return f"roll({x}, {shift}, axis={self.axis})"


def roll(x: Any, shift: Any, axis: Any = None) -> Expr:
    """Elements moved by `shift` places along the axes, those that fall off entering at the other
    end.

    Without an axis the array is rolled as if flattened, as in `np.roll`.
    """
    x = as_expr(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = normal_axes(axis, x.ndim)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        message = f"roll: {len(shifts)} shifts do not fit {len(axes)} axes"
        raise ArgumentError(describe(message, origin=here()))
    for s, a in zip(shifts, axes, strict=True):
        x = apply(Roll(a), x, size.as_expr(size.as_size(s, "the shift of roll")))
    return x


# --- triangles and diagonals ---------------------------------------------------------------------


def tri(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Expr:
    """Ones at and below the k-th diagonal, zeros above."""
    return cast(_below(n, n if m is None else m, k), dtype or options.floatX)


def _below(n: Any, m: Any, k: int) -> Expr:
    return expand_dims(arange(n), 1) + k >= expand_dims(arange(m), 0)


def tril(x: Any, k: int = 0) -> Expr:
    """x with zeros above the k-th diagonal of its last two axes."""
    x = _matrix(x, "tril")
    return where(_below(*x.shape[-2:], k), x, 0)


def triu(x: Any, k: int = 0) -> Expr:
    """x with zeros below the k-th diagonal of its last two axes."""
    x = _matrix(x, "triu")
    return where(_below(*x.shape[-2:], k - 1), 0, x)


def _matrix(x: Any, name: str) -> Expr:
    x = as_expr(x)
    if x.ndim < 2:
        raise ShapeError(describe(f"{name} needs two axes, not a {x.type}", origin=here()))
    return x


def diag(x: Any) -> Expr:
    """The matrix with the vector x on its diagonal, or the diagonal of the matrix x."""
    x = as_expr(x)
    if x.ndim != 1:
        return diagonal(x)
    i = arange(x.shape[0])
    return where(equal(expand_dims(i, 1), expand_dims(i, 0)), x, 0)


# --- padding -------------------------------------------------------------------------------------

_PADS = ("constant", "edge", "reflect", "symmetric", "wrap")


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Expr:
    """x with elements added before and after along each axis, as `np.pad`.

    `pad_width` is a number, a pair (before, after) or a pair for each axis; `mode` is "constant",
    "edge", "reflect" (without the edge), "symmetric" (with it) or "wrap".
    """
    x = as_expr(x)
    if mode not in _PADS:
        message = f"pad: mode is one of {', '.join(_PADS)}, not {mode!r}"
        raise ArgumentError(describe(message, origin=here()))
    widths = _pairs(pad_width, x.ndim)
    if mode == "constant" and isinstance(constant_values, (int, float)) and not constant_values:
        lengths = [size.plus(b, n, a) for n, (b, a) in zip(x.shape, widths, strict=True)]
        return embed(x, lengths, [b for b, _ in widths], (1,) * x.ndim)
    for axis, (before, after) in enumerate(widths):
        ends = _ends(x, axis, before, after, mode, constant_values)
        x = concatenate([ends[0], x, ends[1]], axis)
    return x


def _pairs(width: Any, ndim: int) -> list[tuple]:
    if not isinstance(width, (tuple, list)):
        width = ((width, width),) * ndim
    elif len(width) == 2 and not any(isinstance(w, (tuple, list)) for w in width):
        width = (tuple(width),) * ndim
    elif len(width) == 1:
        width = tuple(width) * ndim
    if len(width) != ndim:
        message = f"pad: {len(width)} pairs do not fit an array of {ndim} axes"
        raise ArgumentError(describe(message, origin=here()))
    return [sizes_of(pair if len(pair) == 2 else tuple(pair) * 2, "a pad width") for pair in width]


def _ends(x: Expr, axis: int, before: Any, after: Any, mode: str, value: Any) -> list[Expr]:
    """What comes before and after x along an axis."""
    skip = (slice(None),) * axis
    if mode in ("constant", "edge"):
        shapes = [(*x.shape[:axis], n, *x.shape[axis + 1 :]) for n in (before, after)]
        if mode == "constant":
            return [full(s, value, x.dtype) for s in shapes]
        edges = x[(*skip, slice(None, 1))], x[(*skip, slice(-1, None))]
        first, last = (_one(e, axis) for e in edges)
        return [broadcast_to(e, s) for e, s in zip((first, last), shapes, strict=True)]
    off = 1 if mode == "reflect" else 0
    if not (isinstance(before, int) and isinstance(after, int)):
        message = f"pad: mode {mode!r} needs widths that are literal integers"
        raise ArgumentError(describe(message, origin=here()))
    n = x.shape[axis]
    if mode == "wrap":
        return [_part(x, axis, size.minus(n, before), before), _part(x, axis, 0, after)]
    back = _part(x, axis, size.minus(n, after + off), after)
    return [flip(_part(x, axis, off, before), axis), flip(back, axis)]


def _part(x: Expr, axis: int, start: Any, length: int) -> Expr:
    """A part along one axis that must be there: the call checks it where the length is unknown."""
    starts = [start if a == axis else 0 for a in range(x.ndim)]
    lengths = [length if a == axis else n for a, n in enumerate(x.shape)]
    return slices(x, starts, lengths, (1,) * x.ndim)


def _one(edge: Expr, axis: int) -> Expr:
    """An edge whose length along the axis is 1, which the call checks."""
    if edge.shape[axis] == 1:
        return edge
    return reshape(edge, (*edge.shape[:axis], 1, *edge.shape[axis + 1 :]))


# --- by a map of indices -------------------------------------------------------------------------


def take_along_axis(x: Any, indices: Any, axis: int) -> Expr:
    """out[i, j] = x[indices[i, j], j]: elements at positions along an axis, as
    `np.take_along_axis`.
    """
    x, indices = as_expr(x), as_expr(indices)
    check_index_dtype(indices)
    if x.ndim != indices.ndim:
        message = f"take_along_axis: indices of {indices.ndim} axes do not fit {x.ndim} axes"
        raise ShapeError(describe(message, origin=here()))
    axis = normal_axis(axis, x.ndim)
    key = []
    for a, n in enumerate(x.shape):
        others = tuple(b for b in range(x.ndim) if b != a)
        key.append(indices if a == axis else expand_dims(arange(n), others))
    return x[tuple(key)]


def meshgrid(*vectors: Any, indexing: str = "xy") -> list[Expr]:
    """Coordinate arrays from coordinate vectors, as `np.meshgrid`."""
    from_vectors = [as_expr(v) for v in vectors]
    swap = indexing == "xy" and len(from_vectors) > 1
    order = [1, 0, *range(2, len(from_vectors))] if swap else list(range(len(from_vectors)))
    shape = [from_vectors[i].shape[0] for i in order]
    grids = []
    for i, v in enumerate(from_vectors):
        others = tuple(a for a in range(len(order)) if a != order.index(i))
        grids.append(broadcast_to(expand_dims(v, others) if others else v, shape))
    return grids


def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Expr:
    """x with numbers in place of nan and infinities (by default 0 and the largest finite ones)."""
    x = as_expr(x)
    if is_integer(x.dtype) or x.dtype == "bool":
        return x
    limit = np.finfo(x.dtype)
    high = float(limit.max) if posinf is None else posinf
    low = float(limit.min) if neginf is None else neginf
    return where(isnan(x), nan, where(isfinite(x), x, where(x > 0, high, low)))


def alloc(value: Any, *shape: Any) -> Expr:
    """An array of the given sizes filled with a value, which broadcasts (Theano's)."""
    return broadcast_to(value, _flat(shape))


def _flat(shape: Sequence[Any]) -> Sequence[Any]:
    return shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
