"""Activations: functions that stand between the layers of a network, and the softmax family.

Those of one real number are declared as such, by their formula and their derivative; compiled code
inlines them into the loop that computes their argument.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast, define
from symcomp.graph.type import Type, float_of
from symcomp.tensor import reduction
from symcomp.tensor.arithmetic import abs, clip, maximum, minimum, square, where
from symcomp.tensor.elementary import exp, expm1, log, sigmoid, softplus, tanh
from symcomp.tensor.layout import expand_dims, normal_axis, reshape
from symcomp.tensor.reduction import require_float
from symcomp.tensor.special import ndtr

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_swish", "hard_tanh",
    "leaky_relu", "log_sigmoid", "log_softmax", "log_softmin", "maxout", "mish", "prelu", "relu",
    "relu6", "selu", "silu", "soft_shrink", "softmax", "softmin", "softsign", "swish",
    "tanh_shrink", "threshold_relu",
]  # fmt: skip


@operation
class Softmax(Op):
    """exp(x − m) / Σ exp(x − m) along an axis, where m is the largest element."""

    axis: int

    samples = (
        ((1,), (3, 4)),
        ((0,), (3, 4)),
        ((0,), (1,)),
    )

    def type(self, x):
        require_float(self.name, x)
        return Type(x.dtype, x.shape)

    def body(self, x):
        e = exp(x - reduction.top_of(x, (self.axis,)))
        return e / reduction.sum(e, self.axis, keepdims=True)

    def vjp(self, g, out, x):
        return ((g - reduction.sum(g * out, self.axis, keepdims=True)) * out,)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            e = np.exp(x - x.max(axis=self.axis, keepdims=True, initial=-np.inf))
            return e / e.sum(axis=self.axis, keepdims=True)


@operation
class LogSoftmax(Op):
    """x − m − log Σ exp(x − m) along an axis, where m is the largest element."""

    axis: int

    samples = (
        ((1,), (3, 4)),
        ((0,), (3, 4)),
        ((0,), (1,)),
    )

    def type(self, x):
        require_float(self.name, x)
        return Type(x.dtype, x.shape)

    def body(self, x):
        shifted = x - reduction.top_of(x, (self.axis,))
        return shifted - log(reduction.sum(exp(shifted), self.axis, keepdims=True))

    def vjp(self, g, out, x):
        return (g - softmax(x, self.axis) * reduction.sum(g, self.axis, keepdims=True),)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            shifted = x - x.max(axis=self.axis, keepdims=True, initial=-np.inf)
            return shifted - np.log(np.exp(shifted).sum(axis=self.axis, keepdims=True))


def _real(x: Any) -> Expr:
    x = as_expr(x)
    return cast(x, float_of(x.dtype))


def _fail(message: str, error: type = ShapeError) -> None:
    raise error(describe(message, origin=here()))


def softmax(x: Any, axis: int = -1) -> Expr:
    """exp(x) / Σ exp(x) along an axis, without overflow."""
    x = _real(x)
    return apply(Softmax(normal_axis(axis, x.ndim)), x)


def softmin(x: Any, axis: int = -1) -> Expr:
    """exp(−x) / Σ exp(−x) along an axis, without overflow."""
    return softmax(-_real(x), axis)


def log_softmin(x: Any, axis: int = -1) -> Expr:
    """The logarithm of the softmin, accurate where the softmin itself would round to 0."""
    return log_softmax(-_real(x), axis)


def log_softmax(x: Any, axis: int = -1) -> Expr:
    """The logarithm of the softmax, accurate where the softmax itself would round to 0."""
    x = _real(x)
    return apply(LogSoftmax(normal_axis(axis, x.ndim)), x)


# --- activations of one number -------------------------------------------------------------------


@define(grad=lambda x, y: x > 0)
def relu(x):
    """max(x, 0); its derivative at 0 is 0."""
    return maximum(x, 0)


@define(grad=lambda x, y: (x > 0) & (x < 6))
def relu6(x):
    """x between 0 and 6, else the nearer of the two."""
    return minimum(maximum(x, 0), 6)


def leaky_relu(x: Any, alpha: float = 0.01) -> Expr:
    """x where positive, else alpha·x."""
    x = _real(x)
    return where(x > 0, x, alpha * x)


def elu(x: Any, alpha: float = 1.0) -> Expr:
    """x where positive, else alpha·(eˣ − 1)."""
    x = _real(x)
    return where(x > 0, x, alpha * expm1(minimum(x, 0)))


def celu(x: Any, alpha: float = 1.0) -> Expr:
    """x where positive, else alpha·(exp(x / alpha) − 1): smooth for every alpha (Barron, 2017)."""
    x = _real(x)
    if not alpha > 0:
        _fail(f"celu: alpha must be positive, not {alpha!r}", ArgumentError)
    return where(x > 0, x, alpha * expm1(minimum(x, 0) / alpha))


def prelu(x: Any, slope: Any, axis: int = 1) -> Expr:
    """x where positive, else slope·x, with a slope that is learned (He et al., 2015).

    `slope` is a scalar, or a vector with one value for each place along `axis`. Errors: ShapeError
    where it is neither.
    """
    x, slope = _real(x), as_expr(slope)
    if slope.ndim:
        axis = normal_axis(axis, x.ndim)
        if slope.ndim > 1:
            _fail(f"prelu: the slope must be a scalar or a vector, not a {slope.type}")
        size.same_size(
            slope.shape[0],
            x.shape[axis],
            f"prelu: {{}} slopes do not fit axis {axis} of x, of length {{}}",
        )
        slope = expand_dims(slope, tuple(range(1, x.ndim - axis)))
    return where(x > 0, x, cast(slope, x.dtype) * x)


def threshold_relu(x: Any, threshold: float = 1.0) -> Expr:
    """x where it is above the threshold, else 0."""
    x = _real(x)
    return where(x > threshold, x, 0)


def selu(x: Any) -> Expr:
    """`elu` scaled so that mean 0 and variance 1 are kept (Klambauer et al., 2017)."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


@define(grad=lambda x, y: sigmoid(x) * (1 + x * (1 - sigmoid(x))))
def silu(x):
    """x · sigmoid(x)"""
    return x * sigmoid(x)


swish = silu


def gelu(x: Any, approximate: bool = False) -> Expr:
    """x·Φ(x), Φ the normal distribution; `approximate` writes Φ with tanh (Hendrycks, 2016)."""
    return _gelu_tanh(x) if approximate else _gelu(x)


@define(name="gelu", grad=lambda x, y: ndtr(x) + x * exp(-0.5 * x * x) / math.sqrt(2 * math.pi))
def _gelu(x):
    """x·Φ(x), Φ the normal distribution."""
    return x * ndtr(x)


def _gelu_angle(x):
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


def _gelu_tanh_slope(x, y):
    t = tanh(_gelu_angle(x))
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope


@define(name="gelu_tanh", grad=_gelu_tanh_slope)
def _gelu_tanh(x):
    """x·Φ(x), with Φ written in tanh."""
    return 0.5 * x * (1 + tanh(_gelu_angle(x)))


def log_sigmoid(x: Any) -> Expr:
    """log(sigmoid(x)), accurate where the sigmoid itself would round to 0."""
    return -softplus(-_real(x))


def hard_sigmoid(x: Any) -> Expr:
    """0.2·x + 0.5 between 0 and 1, else the nearer of the two (Theano's)."""
    return clip(0.2 * _real(x) + 0.5, 0, 1)


def hard_tanh(x: Any, low: float = -1.0, high: float = 1.0) -> Expr:
    """x between low and high, else the nearer of the two."""
    if not low < high:
        _fail(f"hard_tanh: the lower bound {low} must be below the upper bound {high}",
              ArgumentError)  # fmt: skip
    return clip(_real(x), low, high)


def hard_swish(x: Any) -> Expr:
    """x · relu6(x + 3) / 6 (Howard et al., 2019)."""
    x = _real(x)
    return x * relu6(x + 3) / 6


def hard_shrink(x: Any, threshold: float = 0.5) -> Expr:
    """x where |x| is above the threshold, else 0."""
    x = _real(x)
    return where(abs(x) > threshold, x, 0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Expr:
    """x moved towards 0 by the threshold; 0 where |x| is below it."""
    x = _real(x)
    return x - clip(x, -threshold, threshold)


@define(grad=lambda x, y: square(tanh(x)))
def tanh_shrink(x):
    """x − tanh(x)"""
    return x - tanh(x)


@define(grad=lambda x, y: 1 / square(1 + abs(x)))
def softsign(x):
    """x / (1 + |x|)"""
    return x / (1 + abs(x))


@define(grad=lambda x, y: tanh(softplus(x)) + x * sigmoid(x) * (1 - square(tanh(softplus(x)))))
def mish(x):
    """x · tanh(softplus(x))"""
    return x * tanh(softplus(x))


# --- those that take several elements to one -----------------------------------------------------


def glu(x: Any, axis: int = -1) -> Expr:
    """a · sigmoid(b), where a and b are the halves of x along an axis (Dauphin et al., 2016).

    Errors: ShapeError where the axis has no two equal halves.
    """
    x = _real(x)
    axis = normal_axis(axis, x.ndim)
    n = x.shape[axis]
    if isinstance(n, int) and n % 2:
        _fail(f"glu: axis {axis} has length {n}, which cannot be cut into halves")
    half, before = size.as_expr(size.quotient(n, 2)), (slice(None),) * axis
    return x[(*before, slice(None, half))] * sigmoid(x[(*before, slice(half, None))])


def maxout(x: Any, pieces: int, axis: int = 1) -> Expr:
    """The largest of each `pieces` neighbours along an axis, which becomes so much shorter.

    Goodfellow et al., 2013. Errors: ShapeError where the length is no multiple of `pieces`.
    """
    x = as_expr(x)
    axis = normal_axis(axis, x.ndim)
    if not isinstance(pieces, int) or isinstance(pieces, bool) or pieces < 1:
        _fail(f"maxout: the number of pieces must be a positive integer, not {pieces!r}",
              ArgumentError)  # fmt: skip
    n = x.shape[axis]
    if isinstance(n, int) and n % pieces:
        _fail(f"maxout: axis {axis} has length {n}, which is no multiple of {pieces}")
    cut = (*x.shape[:axis], size.quotient(n, pieces), pieces, *x.shape[axis + 1 :])
    return reduction.max(reshape(x, cut), axis + 1)
