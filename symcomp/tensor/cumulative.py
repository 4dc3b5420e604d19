"""Running sums and products, and the linear recurrence that their derivatives are.

`Recurrence` is out[i] = a[i]·out[i − 1] + b[i]. Its derivative is the same recurrence run
backwards, and so are those of a running product (exact where factors are zero) and of a running sum
(where every a is 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import MONOIDS, Write, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.type import Type, is_float, sum_of
from symcomp.tensor.creation import ones_like, zeros_like
from symcomp.tensor.keys import flip
from symcomp.tensor.layout import concatenate, normal_axis, ravel

__all__ = ["cumprod", "cumsum", "diff"]


def _running(x, axis: int, first, following) -> list[Write]:
    """out[0] = first(at), then out[i + 1] = following(at i, at i + 1), in order along the axis."""
    n = x.shape[axis]
    start = [index(size.smaller(n, 1) if a == axis else m) for a, m in enumerate(x.shape)]
    rest = [
        index(size.at_least_zero(size.minus(n, 1)) if a == axis else m)
        for a, m in enumerate(x.shape)
    ]
    after = [size.plus(i, 1) if a == axis else i for a, i in enumerate(rest)]
    start, rest, after = tuple(start), tuple(rest), tuple(after)
    # Not "injective": each place reads the one before, so the order matters along the axis.
    free = tuple(i for a, i in enumerate(rest) if a != axis)
    return [
        Write(start, start, first(start)),
        Write(rest, after, following(rest, after), injective=False, free=free),
    ]


@operation
class Cumulate(Op):
    """A running sum or product along an axis: out[i] = out[i − 1] ⊕ x[i]."""

    monoid: str
    axis: int

    samples = (
        (("sum", 0), (5,)),
        (("prod", 1), (2, 4)),
        (("sum", 0), (3, 2)),
        (("prod", 0), (0, 2)),
        (("sum", 0), (1,)),
    )

    def type(self, x):
        return Type(x.dtype, x.shape)

    def loops(self, out, x):
        combine = MONOIDS[self.monoid].op()
        return _running(x, self.axis, lambda i: x[i], lambda i, j: combine(out[i], x[j]))

    def vjp(self, g, out, x):
        if not is_float(x.dtype):
            return (None,)
        if self.monoid == "sum":
            return (flip(apply(self, flip(g, self.axis)), self.axis),)
        # Σₖ≥ᵢ gₖ ∏ⱼ≤ₖ,ⱼ≠ᵢ xⱼ = (∏ⱼ<ᵢ xⱼ) · (gᵢ + xᵢ₊₁·(gᵢ₊₁ + …)): no division, so zeros are no
        # matter.
        return (_before(out, self.axis, 1) * _adjoint(x, g, self.axis),)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            return MONOIDS[self.monoid].numpy.accumulate(x, axis=self.axis, dtype=x.dtype)

    def text(self, x):
        return f"cum{self.monoid}({x}, axis={self.axis})"


@operation
class Recurrence(Op):
    """out[i] = a[i]·out[i − 1] + b[i] along an axis, with out[−1] = 0."""

    axis: int

    samples = (
        ((0,), (5,), (5,)),
        ((1,), (2, 3), (2, 3)),
        ((0,), (0,), (0,)),
    )

    def type(self, a, b):
        message = "a recurrence needs factors and terms of one shape: {} is not {}"
        pairs = zip(a.shape, b.shape, strict=True)
        return Type(b.dtype, tuple(size.same_size(n, m, message) for n, m in pairs))

    def loops(self, out, a, b):
        return _running(b, self.axis, lambda i: b[i], lambda i, j: a[j] * out[i] + b[j])

    def vjp(self, g, out, a, b):
        back = _adjoint(a, g, self.axis)
        return back * _before(out, self.axis, 0), back

    def numpy(self, a, b):
        a, b = np.moveaxis(a, self.axis, 0), np.moveaxis(b, self.axis, 0)
        out = np.array(b)
        with np.errstate(all="ignore"):
            for i in range(1, len(out)):
                out[i] += a[i] * out[i - 1]
        return np.moveaxis(out, 0, self.axis)


def _ends(x: Expr, axis: int) -> tuple[Expr, Expr]:
    """x without its last, and x without its first element along the axis."""
    before = (slice(None),) * axis
    return x[(*before, slice(None, -1))], x[(*before, slice(1, None))]


def _edge(x: Expr, axis: int, value: float) -> Expr:
    """One element along the axis (none where x has none), of a constant value."""
    first = x[(*(slice(None),) * axis, slice(None, 1))]
    return ones_like(first) if value else zeros_like(first)


def _before(x: Expr, axis: int, start: float) -> Expr:
    """The element before each, and `start` before the first."""
    return concatenate([_edge(x, axis, start), _ends(x, axis)[0]], axis)


def _adjoint(a: Expr, g: Expr, axis: int) -> Expr:
    """s[i] = g[i] + a[i + 1]·s[i + 1]: the recurrence, backwards."""
    factors = concatenate([_ends(a, axis)[1], _edge(a, axis, 0)], axis)
    return flip(apply(Recurrence(axis), flip(factors, axis), flip(g, axis)), axis)


def _cumulate(monoid: str, x: Any, axis: int | None, dtype: Any) -> Expr:
    x = as_expr(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normal_axis(axis, x.ndim)
    return apply(Cumulate(monoid, axis), cast(x, dtype or sum_of(x.dtype)))


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Expr:
    """The sums of the first elements along an axis (of the flattened array by default)."""
    return _cumulate("sum", x, axis, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Expr:
    """The products of the first elements along an axis (of the flattened array by default)."""
    return _cumulate("prod", x, axis, dtype)


def diff(x: Any, n: int = 1, axis: int = -1) -> Expr:
    """The n-th differences of neighbours along an axis."""
    x = as_expr(x)
    axis = normal_axis(axis, x.ndim)
    for _ in range(n):
        low, high = _ends(x, axis)
        x = high ^ low if x.dtype == "bool" else high - low
    return x
