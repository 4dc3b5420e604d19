"""The vocabulary of neural networks: activations, softmax, cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symcomp.errors import DtypeError, ShapeError
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr
from symcomp.graph.scalar import cast, define
from symcomp.graph.type import Type, float_of, is_integer
from symcomp.tensor import reduction
from symcomp.tensor.arithmetic import maximum, where
from symcomp.tensor.elementary import exp, expm1, log, sigmoid, softplus, tanh
from symcomp.tensor.indexing import pick
from symcomp.tensor.layout import normal_axis

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy",
    "cross_entropy_with_logits", "elu", "leaky_relu", "log_softmax", "relu", "sigmoid", "silu",
    "softmax", "softplus", "tanh",
]  # fmt: skip


@dataclass(frozen=True)
class Softmax(Op):
    """exp(x − m) / Σ exp(x − m) along an axis, where m is the largest element."""

    axis: int

    def type(self, x):
        return Type(x.dtype, x.shape)

    def body(self, x):
        e = exp(x - reduction.max(x, self.axis, keepdims=True))
        return e / reduction.sum(e, self.axis, keepdims=True)

    def vjp(self, g, out, x):
        return ((g - reduction.sum(g * out, self.axis, keepdims=True)) * out,)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            e = np.exp(x - x.max(axis=self.axis, keepdims=True, initial=-np.inf))
            return e / e.sum(axis=self.axis, keepdims=True)


@dataclass(frozen=True)
class LogSoftmax(Op):
    """x − m − log Σ exp(x − m) along an axis, where m is the largest element."""

    axis: int

    def type(self, x):
        return Type(x.dtype, x.shape)

    def body(self, x):
        shifted = x - reduction.max(x, self.axis, keepdims=True)
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
                f"{name}: classes must be integers, not {target.dtype}; or give one value for each class"
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


# --- activations ---------------------------------------------------------------------------------


def relu(x: Any) -> Expr:
    """max(x, 0); its derivative at 0 is 0."""
    return _relu(x)


@define(name="relu", grad=lambda x, y: x > 0)
def _relu(x):
    """max(x, 0); its derivative at 0 is 0."""
    return maximum(x, 0)


def leaky_relu(x: Any, alpha: float = 0.01) -> Expr:
    """x where positive, else alpha·x."""
    x = _real(x)
    return where(x > 0, x, alpha * x)


def elu(x: Any, alpha: float = 1.0) -> Expr:
    """x where positive, else alpha·(eˣ − 1)."""
    x = _real(x)
    negative = where(x > 0, 0, x)
    return where(x > 0, x, alpha * expm1(negative))


@define(grad=lambda x, y: sigmoid(x) * (1 + x * (1 - sigmoid(x))))
def silu(x):
    """x · sigmoid(x)"""
    return x * sigmoid(x)
