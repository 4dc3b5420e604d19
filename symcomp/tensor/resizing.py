"""Resizing: arrays made larger by whole factors, and the gradients of that.

The nearest element is repeated: that is `Spread`, the transpose of a sum over windows. In between,
`Interpolate` is linear along each axis, with half-pixel centres: element q of the result lies at
(q + ½) / f − ½ of the argument, and beyond the outermost centres nothing changes. Its transpose,
`Disperse`, is a gather too: each element adds up the few results that are made of it. All
arithmetic of positions is in whole numbers, in units of 1 / 2f, so that compiled code knows the
weights of a step of f results beforehand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.errors import ArgumentError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import index
from symcomp.graph.op import apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.graph.type import Type
from symcomp.tensor.arithmetic import greater_equal, where
from symcomp.tensor.indexing import zero
from symcomp.tensor.pooling import numbers, spatial_axes
from symcomp.tensor.reduction import require_float
from symcomp.tensor.windowed import SMALL, Gathering, spread
from symcomp.tensor.windows import Window, all_of, folded

__all__ = ["upsample"]


def _at_least(p: Size, low: Size) -> Expr:
    return greater_equal(size.as_expr(size.minus(p, low)), size.as_expr(0))


def _between(p: Size, low: Size, high: Size) -> Size:
    """p, or the nearer end."""
    p, low, high = map(size.as_expr, (p, low, high))
    return where(_at_least(p, low), where(_at_least(high, p), p, high), low)


def _stretch(factor: int, n: int) -> np.ndarray:
    """The matrix that interpolates n elements, for `numpy`."""
    q = np.arange(n * factor)[:, None]
    at = np.clip(2 * q + 1 - factor, 0, 2 * factor * (n - 1))
    return np.maximum(0, 2 * factor - abs(at - 2 * factor * np.arange(n))) / (2 * factor)


@operation
class Interpolate(Gathering):
    """Arrays made larger by whole factors along axes, linear in between."""

    axes: tuple[int, ...]
    factors: tuple[int, ...]

    samples = (
        (((1,), (2,)), (2, 4)),
        (((0, 1), (2, 3)), (3, 2)),
        (((0,), (4,)), (1,)),
        (((1,), (2,)), (0, 3)),
    )

    def type(self, x):
        require_float(self.name, x)
        factors = dict(zip(self.axes, self.factors, strict=True))
        return Type(x.dtype, tuple(size.times(n, factors.get(a, 1)) for a, n in enumerate(x.shape)))

    def element(self, x, *indices):
        bound, place, weights = [], list(indices), []
        for a, f in zip(self.axes, self.factors, strict=True):
            at = size.plus(size.times(indices[a], 2), 1 - f)
            low = size.quotient(at, 2 * f)
            left = size.minus(at, size.times(low, 2 * f))
            k = index(2, f"k{a}")
            place[a] = _between(size.plus(low, k), 0, size.minus(x.shape[a], 1))
            # 2f − left of the lower element, left of the upper one
            share = size.plus(2 * f, size.times(k, size.minus(size.times(left, 2), 2 * f)))
            weights.append(cast(size.as_expr(size.minus(share, left)), x.dtype) / (2 * f))
            bound.append(k)
        value = x[tuple(place)]
        for w in weights:
            value = w * value
        return folded("sum", bound, value)

    def taps(self, x):
        return 2 ** len(self.axes)

    def vjp(self, g, out, x):
        return (apply(Disperse(self.axes, self.factors), g),)

    def numpy(self, x):
        for a, f in zip(self.axes, self.factors, strict=True):
            x = _along(_stretch(f, x.shape[a]), x, a)
        return x


def _along(matrix: np.ndarray, x: np.ndarray, axis: int) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis).astype(x.dtype)


@operation
class Disperse(Gathering):
    """What reaches the elements that an interpolation is made of: the transpose of
    `Interpolate`.
    """

    axes: tuple[int, ...]
    factors: tuple[int, ...]

    samples = (
        (((1,), (2,)), (2, 8)),
        (((0, 1), (2, 3)), (6, 6)),
        (((0,), (4,)), (4,)),
    )

    def type(self, g):
        require_float(self.name, g)
        shape = list(g.shape)
        for a, f in zip(self.axes, self.factors, strict=True):
            shape[a] = size.quotient(g.shape[a], f)
            message = f"{{}} elements are not {f} times {{}} ones"
            size.same_size(g.shape[a], size.times(shape[a], f), message)
        return Type(g.dtype, tuple(shape))

    def element(self, g, *indices):
        bound, place, weights, conditions = [], list(indices), [], []
        for a, f in zip(self.axes, self.factors, strict=True):
            n = size.quotient(g.shape[a], f)
            j = index(2 * f if f % 2 == 0 else 2 * f - 1, f"j{a}")
            q = size.plus(size.times(indices[a], f), j, -(f // 2))
            inside = [_at_least(q, 0), _at_least(size.times(n, f), size.plus(q, 1))]
            at = size.plus(size.times(q, 2), 1 - f)
            at = _between(at, 0, size.times(size.minus(n, 1), 2 * f))
            apart = size.as_expr(size.minus(at, size.times(indices[a], 2 * f)))
            far = where(_at_least(apart, 0), apart, size.as_expr(size.minus(0, apart)))
            share = size.as_expr(size.minus(2 * f, far))
            share = where(_at_least(share, 0), share, size.as_expr(0))
            weights.append(cast(share, g.dtype) / (2 * f))
            place[a] = where(all_of(inside), size.as_expr(q), size.as_expr(0))
            conditions += inside
            bound.append(j)
        value = g[tuple(place)]
        for w in weights:
            value = w * value
        return folded("sum", bound, where(all_of(conditions), value, zero(g.dtype)))

    def taps(self, g):
        total = 1
        for f in self.factors:
            total *= 2 * f
        return total if total <= SMALL else 1

    def vjp(self, g, out, of):
        return (apply(Interpolate(self.axes, self.factors), g),)

    def numpy(self, g):
        for a, f in zip(self.axes, self.factors, strict=True):
            g = _along(_stretch(f, g.shape[a] // f).T, g, a)
        return g


def upsample(x: Any, factor: Any, method: str = "nearest", layout: str | None = None) -> Expr:
    """An array made larger by a whole factor along its axes of space (as many as factors are given,
    else all after the first two; with a channels-last layout those between).

    method: "nearest" repeats each element; "bilinear" is linear along each axis, with half-pixel
    centres (as `torch.nn.functional.interpolate(align_corners=False)` and `jax.image.resize`), in
    floating point only.

    Errors: ShapeError, DtypeError, ArgumentError.
    """
    x = as_expr(x)
    axes = spatial_axes(x, factor, layout)
    factors = numbers(factor, len(axes), "factor")
    if min(factors) < 1:
        raise ArgumentError(f"factors must be at least 1, not {min(factors)}")
    kept = [(a, f) for a, f in zip(axes, factors, strict=True) if f > 1]
    if method not in ("nearest", "bilinear"):
        raise ArgumentError(f"the method must be nearest or bilinear, not {method!r}")
    if not kept:
        return x
    axes, factors = zip(*kept, strict=True)
    if method == "bilinear":
        return apply(Interpolate(axes, factors), x)
    shape = [size.times(n, dict(kept).get(a, 1)) for a, n in enumerate(x.shape)]
    return spread(x, axes, tuple(Window(f, f) for f in factors), shape)
