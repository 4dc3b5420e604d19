"""Reductions: an axis folded to one value.

Six monoids (sum, product, max, min, any, all) are the operation `Reduce`; everything else here is a
formula in them. Functions follow NumPy: `axis` is None (all axes), an int or a tuple; `keepdims`
keeps folded axes with length 1; sums and products of small integers are computed in 64 bits.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from symcomp.errors import DtypeError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import MONOIDS, fold, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.type import Type, float_of, is_float, sum_of
from symcomp.tensor import arithmetic, elementary
from symcomp.tensor.arithmetic import isfinite, where
from symcomp.tensor.creation import arange
from symcomp.tensor.layout import broadcast_to, expand_dims, normal_axes, normal_axis, ravel

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "logsumexp", "max", "mean",
    "min", "norm", "prod", "ptp", "std", "sum", "var",
]  # fmt: skip


@operation
class Reduce(Op):
    """Some axes folded by a monoid: out[i] = Σₖ x[i, k]."""

    monoid: str
    axes: tuple[int, ...]

    samples = (
        (("sum", (1,)), (3, 4)),
        (("sum", (0, 1)), (3, 4)),
        (("sum", (0,)), (0, 4)),
        (("prod", (0,)), (3, 4)),
        (("prod", (1,)), (3, 0)),
        (("max", (0,)), (3, 4)),
        (("min", (1,)), (3, 4)),
        (("max", (0,)), (1,)),
        (("any", (0,)), (3, 4)),
        (("all", (1,)), (3, 0)),
        (("sum", (0, 2)), (2, 3, 2)),
    )

    def type(self, x):
        if self.monoid in ("any", "all") and x.dtype != "bool":
            raise DtypeError(f"{self.monoid} folds booleans; cast the {x.dtype} first")
        if self.monoid in ("sum", "prod") and x.dtype == "bool":
            raise DtypeError(f"the {self.monoid} of booleans: cast them, or use any or all")
        if self.monoid in ("max", "min"):
            for a in self.axes:
                _require_some(self.monoid, x.shape[a], a)
        return Type(x.dtype, tuple(n for a, n in enumerate(x.shape) if a not in self.axes))

    def element(self, x, *indices):
        indices = iter(indices)
        folded = {a: index(x.shape[a], f"k{a}") for a in self.axes}
        value = x[tuple(folded[a] if a in folded else next(indices) for a in range(x.ndim))]
        for a in reversed(self.axes):
            value = fold(self.monoid, folded[a], value)
        return value

    def vjp(self, g, out, x):
        if not is_float(x.dtype):
            return (None,)
        if len(self.axes) < x.ndim:
            g, out = expand_dims(g, self.axes), expand_dims(out, self.axes)
        return (_GRADIENTS[self.monoid](self, broadcast_to(g, x.shape), out, x),)

    def numpy(self, x):
        if self.monoid in ("max", "min") and 0 in (x.shape[a] for a in self.axes):
            raise ShapeError(f"the {self.monoid} of an empty axis does not exist")
        with np.errstate(all="ignore"):
            return MONOIDS[self.monoid].numpy.reduce(x, axis=self.axes, dtype=x.dtype)

    def text(self, x):
        return f"{self.monoid}({x}, axis={self.axes[0] if len(self.axes) == 1 else self.axes})"


def require_float(name: str, x: Expr) -> None:
    """A DtypeError where x is not floating-point: what is only defined on real numbers."""
    if not is_float(x.dtype):
        raise DtypeError(f"{name} is computed in floating point; cast the {x.dtype} first")


def _require_some(name: str, length: size.Size, axis: int) -> None:
    if isinstance(length, int) and not length:
        raise ShapeError(f"the {name} of an empty axis does not exist (axis {axis})")
    if not isinstance(length, int):
        size.require_long_enough(length, 1)


def _gradient_of_extreme(op: Reduce, g: Expr, out: Expr, x: Expr) -> Expr:
    """The gradient is shared evenly among ties."""
    hits = arithmetic.equal(x, out)
    ties = expand_dims(apply(Reduce("sum", op.axes), cast(hits, x.dtype)), op.axes)
    return where(hits, g / ties, 0)


def _gradient_of_product(op: Reduce, g: Expr, out: Expr, x: Expr) -> Expr:
    """The product of the others: also right where one factor is zero, or several are."""
    zero = arithmetic.equal(x, 0)
    zeros = expand_dims(apply(Reduce("sum", op.axes), cast(zero, x.dtype)), op.axes)
    others = expand_dims(apply(Reduce("prod", op.axes), where(zero, 1, x)), op.axes)
    alone = where(arithmetic.equal(zeros, 1), others, 0)
    return g * where(zero, alone, where(arithmetic.equal(zeros, 0), out / where(zero, 1, x), 0))


_GRADIENTS = {
    "sum": lambda op, g, out, x: g,
    "prod": _gradient_of_product,
    "max": _gradient_of_extreme,
    "min": _gradient_of_extreme,
}


def reduce(monoid: str, x: Expr, axis: Any = None, keepdims: bool = False) -> Expr:
    """`Reduce` with NumPy's `axis` and `keepdims`."""
    axes = builtins.sorted(normal_axes(axis, x.ndim))
    result = apply(Reduce(monoid, tuple(axes)), x) if axes else x
    return expand_dims(result, tuple(axes)) if keepdims and axes else result


def sum(x: Any, axis: Any = None, dtype: str | None = None, keepdims: bool = False) -> Expr:
    """Σ x over the axes."""
    x = as_expr(x)
    return reduce("sum", cast(x, dtype or sum_of(x.dtype)), axis, keepdims)


def prod(x: Any, axis: Any = None, dtype: str | None = None, keepdims: bool = False) -> Expr:
    """∏ x over the axes."""
    x = as_expr(x)
    return reduce("prod", cast(x, dtype or sum_of(x.dtype)), axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """The largest element; nan where there is one. The gradient is shared evenly among ties."""
    return reduce("max", as_expr(x), axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """The smallest element; nan where there is one. The gradient is shared evenly among ties."""
    return reduce("min", as_expr(x), axis, keepdims)


amax, amin = max, min


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """Whether any element is true."""
    return reduce("any", cast(x, "bool"), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """Whether all elements are true."""
    return reduce("all", cast(x, "bool"), axis, keepdims)


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """How many elements are not zero."""
    return sum(cast(x, "bool"), axis, keepdims=keepdims)


def _count(x: Expr, axis: Any) -> Expr:
    return size.as_expr(size.product([x.shape[a] for a in normal_axes(axis, x.ndim)]))


def mean(x: Any, axis: Any = None, dtype: str | None = None, keepdims: bool = False) -> Expr:
    """The arithmetic mean; integers in float64."""
    x = as_expr(x)
    x = cast(x, dtype or (x.dtype if is_float(x.dtype) else "float64"))
    return sum(x, axis, keepdims=keepdims) / _count(x, axis)


def var(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Expr:
    """The mean squared distance from the mean, with n − ddof in the denominator."""
    x = as_expr(x)
    x = cast(x, x.dtype if is_float(x.dtype) else "float64")
    distance = x - mean(x, axis, keepdims=True)
    count = _count(x, axis) - ddof if ddof else _count(x, axis)
    return sum(arithmetic.square(distance), axis, keepdims=keepdims) / count


def std(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Expr:
    """The square root of `var`."""
    return elementary.sqrt(var(x, axis, ddof, keepdims))


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """The largest element minus the smallest."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


def norm(x: Any, ord: float = 2, axis: Any = None, keepdims: bool = False) -> Expr:
    """The vector norm (Σ|x|ᵖ)^(1/p) over the axes; ord may be 1, 2, inf or any positive number."""
    x = as_expr(x)
    x = cast(x, float_of(x.dtype))
    if ord == 2:
        return elementary.sqrt(sum(arithmetic.square(x), axis, keepdims=keepdims))
    if ord == 1:
        return sum(arithmetic.abs(x), axis, keepdims=keepdims)
    if ord == np.inf:
        return max(arithmetic.abs(x), axis, keepdims)
    return sum(arithmetic.abs(x) ** ord, axis, keepdims=keepdims) ** (1 / ord)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Expr:
    """log Σ eˣ, without overflow."""
    x = as_expr(x)
    x = cast(x, float_of(x.dtype))
    axes = normal_axes(axis, x.ndim)
    if not axes:
        return x
    return apply(LogSumExp(tuple(builtins.sorted(axes)), keepdims), x)


def top_of(x: Expr, axes: tuple[int, ...]) -> Expr:
    """The largest element along axes, which are kept; −∞ where there is none."""
    if builtins.any(isinstance(x.shape[a], int) and not x.shape[a] for a in axes):
        kept = (1 if a in axes else n for a, n in enumerate(x.shape))
        return broadcast_to(cast(-np.inf, x.dtype), tuple(kept))
    return max(x, axes, keepdims=True)


@operation
class LogSumExp(Op):
    """m + log Σ exp(x − m), where m is the largest element."""

    axes: tuple[int, ...]
    keepdims: bool

    samples = (
        (((1,), False), (3, 4)),
        (((0, 1), True), (3, 4)),
        (((0,), False), (1, 2)),
    )

    def type(self, x):
        require_float(self.name, x)
        kept = (1 if a in self.axes else n for a, n in enumerate(x.shape))
        shape = tuple(n for a, n in enumerate(kept) if self.keepdims or a not in self.axes)
        return Type(x.dtype, shape)

    def body(self, x):
        top = top_of(x, self.axes)
        top = where(isfinite(top), top, 0)
        total = sum(elementary.exp(x - top), self.axes, keepdims=True)
        result = top + elementary.log(total)
        return result if self.keepdims else result.squeeze(self.axes)

    def vjp(self, g, out, x):
        if not self.keepdims:
            g, out = expand_dims(g, self.axes), expand_dims(out, self.axes)
        return (g * elementary.exp(x - out),)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            top = np.max(x, axis=self.axes, keepdims=True, initial=-np.inf)
            top = np.where(np.isfinite(top), top, 0)
            total = np.sum(np.exp(x - top), axis=self.axes, keepdims=True)
            result = top + np.log(total)
        return result if self.keepdims else np.squeeze(result, self.axes)

    def text(self, x):
        return f"logsumexp({x}, axis={self.axes})"


@operation
class Extreme(Op):
    """The position of the first largest (max) or smallest (min) element along an axis; the first
    nan where there is one.
    """

    monoid: str
    axis: int

    samples = (
        (("max", 0), (3, 4)),
        (("min", 1), (3, 4)),
        (("max", 0), (1,)),
    )

    def type(self, x):
        _require_some(f"arg{self.monoid}", x.shape[self.axis], self.axis)
        return Type("int64", tuple(n for a, n in enumerate(x.shape) if a != self.axis))

    def body(self, x):
        n = x.shape[self.axis]
        best = reduce(self.monoid, x, self.axis, keepdims=True)
        hit = arithmetic.equal(x, best)
        if is_float(x.dtype):
            hit = hit | arithmetic.isnan(x)
        position = expand_dims(arange(n), tuple(range(1, x.ndim - self.axis)))
        return reduce("min", where(hit, position, size.as_expr(n)), self.axis)

    def numpy(self, x):
        return (np.argmax if self.monoid == "max" else np.argmin)(x, axis=self.axis)

    def text(self, x):
        return f"arg{self.monoid}({x}, axis={self.axis})"


def _extreme(monoid: str, x: Any, axis: int | None, keepdims: bool) -> Expr:
    x = as_expr(x)
    if axis is None:
        result = apply(Extreme(monoid, 0), ravel(x))
        return expand_dims(result, tuple(range(x.ndim))) if keepdims else result
    axis = normal_axis(axis, x.ndim)
    result = apply(Extreme(monoid, axis), x)
    return expand_dims(result, axis) if keepdims else result


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Expr:
    """Where the largest element is (the first of several), along an axis or in the flattened array:
    int64.
    """
    return _extreme("max", x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Expr:
    """Where the smallest element is (the first of several), along an axis or in the flattened
    array: int64.
    """
    return _extreme("min", x, axis, keepdims)
