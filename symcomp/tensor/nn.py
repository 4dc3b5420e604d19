"""The vocabulary of neural networks: activations, softmax, cross-entropy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symcomp.errors import DtypeError, ShapeError
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast, define
from symcomp.graph.type import Type, float_of, is_integer
from symcomp.tensor import reduction
from symcomp.tensor.arithmetic import abs, clip, maximum, minimum, square, where
from symcomp.tensor.elementary import exp, expm1, log, sigmoid, softplus, tanh
from symcomp.tensor.indexing import one_hot, pick
from symcomp.tensor.layout import normal_axis
from symcomp.tensor.reduction import logsumexp, require_float
from symcomp.tensor.special import ndtr

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "binary_crossentropy",
    "categorical_crossentropy", "cross_entropy", "cross_entropy_with_logits", "elu", "gelu",
    "hard_sigmoid", "hinge", "huber", "leaky_relu", "log_sigmoid", "log_softmax", "logsumexp",
    "mish", "one_hot", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
    "softsign", "squared_error", "swish", "tanh",
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


def softmax(x: Any, axis: int = -1) -> Expr:
    """exp(x) / Σ exp(x) along an axis, without overflow."""
    x = _real(x)
    return apply(Softmax(normal_axis(axis, x.ndim)), x)


def log_softmax(x: Any, axis: int = -1) -> Expr:
    """The logarithm of the softmax, accurate where the softmax itself would round to 0."""
    x = _real(x)
    return apply(LogSoftmax(normal_axis(axis, x.ndim)), x)


# --- losses: one value for each example; take .mean() for a cost ---------------------------------


def cross_entropy(probabilities: Any, target: Any, axis: int = -1) -> Expr:
    """−Σ target · log(probabilities) along the axis.

    `target` holds integer classes (one axis fewer than `probabilities`) or a distribution (of the
    same shape). With probabilities that are a softmax, the logarithm is simplified to a
    log_softmax: nothing is lost.
    """
    probabilities = _real(probabilities)
    return _negative_log_likelihood(log(probabilities), target, axis, "cross_entropy")


def cross_entropy_with_logits(logits: Any, target: Any, axis: int = -1) -> Expr:
    """−Σ target · log_softmax(logits) along the axis; integer classes or distributions."""
    return _negative_log_likelihood(
        log_softmax(logits, axis), target, axis, "cross_entropy_with_logits"
    )


def _negative_log_likelihood(log_p: Expr, target: Any, axis: int, name: str) -> Expr:
    target = as_expr(target)
    if target.ndim == log_p.ndim - 1:
        if not is_integer(target.dtype):
            raise DtypeError(
                f"{name}: classes must be integers, not {target.dtype}; "
                "or give one value for each class"
            )
        return -pick(log_p, target, axis)
    if target.ndim != log_p.ndim:
        raise ShapeError(
            f"{name}: a target of {target.ndim} axes does not fit {log_p.ndim} axes of predictions"
        )
    return -reduction.sum(target * log_p, axis)


def binary_cross_entropy(p: Any, target: Any) -> Expr:
    """−t·log(p) − (1 − t)·log(1 − p)"""
    p, target = _real(p), as_expr(target)
    return -(target * log(p)) - (1 - target) * log(1 - p)


def binary_cross_entropy_with_logits(x: Any, target: Any) -> Expr:
    """The same from logits: softplus(x) − t·x, without overflow."""
    x, target = _real(x), as_expr(target)
    return softplus(x) - target * x


def categorical_crossentropy(probabilities: Any, target: Any) -> Expr:
    """`cross_entropy` over the last axis, under Theano's name."""
    return cross_entropy(probabilities, target)


def binary_crossentropy(p: Any, target: Any) -> Expr:
    """`binary_cross_entropy` under Theano's name."""
    return binary_cross_entropy(p, target)


def squared_error(x: Any, target: Any) -> Expr:
    """(x − target)²"""
    return square(_real(x) - as_expr(target))


def huber(x: Any, target: Any, delta: float = 1.0) -> Expr:
    """Half the squared error up to a distance of delta, from there on a straight line."""
    far = abs(_real(x) - as_expr(target))
    near = minimum(far, delta)
    return near * (far - 0.5 * near)


def hinge(x: Any, target: Any) -> Expr:
    """max(0, 1 − target·x), for targets −1 and 1."""
    return relu(1 - as_expr(target) * _real(x))


# --- activations ---------------------------------------------------------------------------------


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


@define(grad=lambda x, y: 1 / square(1 + abs(x)))
def softsign(x):
    """x / (1 + |x|)"""
    return x / (1 + abs(x))


@define(grad=lambda x, y: tanh(softplus(x)) + x * sigmoid(x) * (1 - square(tanh(softplus(x)))))
def mish(x):
    """x · tanh(softplus(x))"""
    return x * tanh(softplus(x))
