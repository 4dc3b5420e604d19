"""Losses: how far predictions are from what they should be.

A loss is not reduced: where it compares single numbers there is one value for each, and where it
compares whole examples (over classes, over the axis of an embedding) one for each example. Take
`.mean()` for a cost: a mean is plain to see, and weights and masks are factors before it.
"""

from __future__ import annotations

import math
from typing import Any

from symcomp.errors import ArgumentError, DtypeError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import as_expr
from symcomp.graph.scalar import cast
from symcomp.graph.type import float_of, is_integer
from symcomp.tensor import reduction
from symcomp.tensor.activations import log_softmax, relu
from symcomp.tensor.arithmetic import abs, equal, maximum, minimum, square, where
from symcomp.tensor.creation import arange
from symcomp.tensor.elementary import exp, log, softplus, sqrt
from symcomp.tensor.indexing import pick
from symcomp.tensor.layout import expand_dims, normal_axis
from symcomp.tensor.special import gammaln, xlogy

__all__ = [
    "absolute_error", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "binary_crossentropy", "categorical_crossentropy", "cosine_embedding", "cosine_similarity",
    "cross_entropy", "cross_entropy_with_logits", "focal", "gaussian_nll", "hinge", "huber",
    "kl_divergence", "log_cosh", "multi_class_hinge", "poisson_nll", "smooth_l1", "squared_error",
    "squared_hinge", "triplet",
]  # fmt: skip


# --- classes -------------------------------------------------------------------------------------


def cross_entropy(
    probabilities: Any,
    target: Any,
    axis: int = -1,
    *,
    weights: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Expr:
    """−Σ target · log(probabilities) along the axis.

    `target` holds integer classes (one axis fewer than `probabilities`) or a distribution (of the
    same shape). With probabilities that are a softmax, the logarithm is simplified to a
    log_softmax: nothing is lost.

    `weights` is a vector with one factor for each class. `label_smoothing` ε replaces a target t by
    (1 − ε)·t + ε/classes (Szegedy et al., 2015). Where an integer target is `ignore_index` (which
    need not be a class) the loss is 0. Errors: DtypeError for classes that are not integers,
    ShapeError where target or weights do not fit, ArgumentError for a smoothing not in [0, 1].
    """
    probabilities = _real(probabilities)
    options = _ClassOptions("cross_entropy", weights, label_smoothing, ignore_index)
    return options.loss(log(probabilities), as_expr(target), axis)


def cross_entropy_with_logits(
    logits: Any,
    target: Any,
    axis: int = -1,
    *,
    weights: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Expr:
    """−Σ target · log_softmax(logits) along the axis; the rest as in `cross_entropy`."""
    options = _ClassOptions("cross_entropy_with_logits", weights, label_smoothing, ignore_index)
    return options.loss(log_softmax(logits, axis), as_expr(target), axis)


class _ClassOptions:
    """What the two functions above have in common: how a target is weighed."""

    def __init__(self, name: str, weights: Any, smoothing: float, ignored: int | None):
        self.name = name
        self.weights = None if weights is None else as_expr(weights)
        self.smoothing = smoothing
        self.ignored = ignored
        if not 0 <= smoothing <= 1:
            _fail(f"{name}: label_smoothing must be between 0 and 1, not {smoothing!r}",
                  ArgumentError)  # fmt: skip
        if self.weights is not None and self.weights.ndim != 1:
            _fail(f"{name}: weights must be a vector, one for each class, not a "
                  f"{self.weights.type}")  # fmt: skip

    def loss(self, log_p: Expr, target: Expr, axis: int) -> Expr:
        axis = normal_axis(axis, log_p.ndim)
        if target.ndim == log_p.ndim - 1:
            return self._of_classes(log_p, target, axis)
        if target.ndim != log_p.ndim:
            _fail(f"{self.name}: a target of {target.ndim} axes does not fit {log_p.ndim} axes of "
                  "predictions")  # fmt: skip
        if self.ignored is not None:
            _fail(f"{self.name}: ignore_index needs integer classes, not a distribution",
                  ArgumentError)  # fmt: skip
        if self.smoothing:
            classes = size.as_expr(log_p.shape[axis])
            target = (1 - self.smoothing) * cast(target, log_p.dtype) + self.smoothing / classes
        return -reduction.sum(self._weighed(target, log_p, axis) * log_p, axis)

    def _of_classes(self, log_p: Expr, target: Expr, axis: int) -> Expr:
        if not is_integer(target.dtype):
            _fail(f"{self.name}: classes must be integers, not {target.dtype}; "
                  "or give one value for each class", DtypeError)  # fmt: skip
        kept = None
        if self.ignored is not None:
            kept = ~equal(target, self.ignored)
            target = where(kept, target, 0)
        loss = -pick(log_p, target, axis)
        if self.weights is not None:
            loss = loss * cast(self.weights, log_p.dtype)[target]
        if self.smoothing:
            each = self.smoothing / size.as_expr(log_p.shape[axis])
            spread = reduction.sum(self._weighed(log_p, log_p, axis), axis)
            loss = (1 - self.smoothing) * loss - cast(each, log_p.dtype) * spread
        return loss if kept is None else where(kept, loss, 0)

    def _weighed(self, x: Expr, log_p: Expr, axis: int) -> Expr:
        if self.weights is None:
            return x
        weights = cast(self.weights, log_p.dtype)
        size.same_size(
            weights.shape[0], log_p.shape[axis], self.name + ": {} weights do not fit {} classes"
        )
        return x * expand_dims(weights, tuple(range(1, log_p.ndim - axis)))


def categorical_crossentropy(probabilities: Any, target: Any) -> Expr:
    """`cross_entropy` over the last axis, under Theano's name."""
    return cross_entropy(probabilities, target)


def binary_cross_entropy(p: Any, target: Any) -> Expr:
    """−t·log(p) − (1 − t)·log(1 − p)"""
    p, target = _real(p), as_expr(target)
    return -(target * log(p)) - (1 - target) * log(1 - p)


def binary_cross_entropy_with_logits(
    x: Any, target: Any, *, positive_weight: Any = None, label_smoothing: float = 0.0
) -> Expr:
    """The same from logits: softplus(x) − t·x, without overflow.

    `positive_weight` is a factor for targets of 1; `label_smoothing` ε brings targets to
    (1 − ε)·t + ε/2.
    """
    x, target = _real(x), as_expr(target)
    if not 0 <= label_smoothing <= 1:
        message = "binary_cross_entropy_with_logits: label_smoothing must be between 0 and 1"
        _fail(f"{message}, not {label_smoothing!r}", ArgumentError)
    if label_smoothing:
        target = (1 - label_smoothing) * cast(target, x.dtype) + label_smoothing / 2
    if positive_weight is None:
        return softplus(x) - target * x
    weight = 1 + (as_expr(positive_weight) - 1) * target
    return (1 - target) * x + weight * softplus(-x)


def binary_crossentropy(p: Any, target: Any) -> Expr:
    """`binary_cross_entropy` under Theano's name."""
    return binary_cross_entropy(p, target)


def focal(x: Any, target: Any, gamma: float = 2.0, alpha: float | None = None) -> Expr:
    """Cross-entropy of logits times (1 − p)^gamma, p the probability of the target, 0 or 1.

    What is already right counts little (Lin et al., 2017). `alpha` is the weight of targets of 1,
    1 − alpha that of 0.
    """
    x, target = _real(x), as_expr(target)
    target = cast(target, x.dtype)
    towards = (2 * target - 1) * x
    loss = softplus(-towards) * exp(-gamma * softplus(towards))
    return loss if alpha is None else loss * (alpha * target + (1 - alpha) * (1 - target))


def kl_divergence(log_probabilities: Any, target: Any, axis: int = -1) -> Expr:
    """Σ target · (log(target) − log_probabilities) along the axis, where 0 · log(0) is 0.

    The predictions are logarithms, of `log_softmax`; `target` is a distribution of the same shape.
    """
    log_q, target = _real(log_probabilities), _real(target)
    _same_rank("kl_divergence", log_q, target)
    return reduction.sum(xlogy(target, target) - target * log_q, axis)


def hinge(x: Any, target: Any) -> Expr:
    """max(0, 1 − target·x), for targets −1 and 1."""
    return relu(1 - as_expr(target) * _real(x))


def squared_hinge(x: Any, target: Any) -> Expr:
    """max(0, 1 − target·x)², for targets −1 and 1."""
    return square(hinge(x, target))


def multi_class_hinge(
    scores: Any, target: Any, margin: float = 1.0, axis: int = -1, over: str = "max"
) -> Expr:
    """max(0, margin + scoreⱼ − score of the target), for the worst class j that is not the target.

    `over` is "max" (Crammer and Singer, 2001) or "sum": over all other classes (Weston and Watkins,
    1999). `target` holds integer classes, with one axis fewer than `scores`.
    """
    scores, target = _real(scores), as_expr(target)
    axis = normal_axis(axis, scores.ndim)
    if over not in ("max", "sum"):
        _fail(f'multi_class_hinge: over is "max" or "sum", not {over!r}', ArgumentError)
    if not is_integer(target.dtype):
        _fail(f"multi_class_hinge: classes must be integers, not {target.dtype}", DtypeError)
    right = expand_dims(pick(scores, target, axis), axis)
    places = expand_dims(arange(scores.shape[axis]), tuple(range(1, scores.ndim - axis)))
    classes = size.as_expr(scores.shape[axis])
    own = equal(places, expand_dims(where(target < 0, target + classes, target), axis))
    excess = where(own, 0, relu(margin + scores - right))
    return reduction.reduce(over, excess, axis)


# --- numbers -------------------------------------------------------------------------------------


def squared_error(x: Any, target: Any) -> Expr:
    """(x − target)²"""
    return square(_real(x) - as_expr(target))


def absolute_error(x: Any, target: Any) -> Expr:
    """|x − target|"""
    return abs(_real(x) - as_expr(target))


def huber(x: Any, target: Any, delta: float = 1.0) -> Expr:
    """Half the squared error up to a distance of delta, from there on a straight line."""
    far = abs(_real(x) - as_expr(target))
    near = minimum(far, delta)
    return near * (far - 0.5 * near)


def smooth_l1(x: Any, target: Any, beta: float = 1.0) -> Expr:
    """|x − target| with its corner rounded within a distance of beta: `huber` / beta."""
    if not beta > 0:
        _fail(f"smooth_l1: beta must be positive, not {beta!r}", ArgumentError)
    return huber(x, target, beta) / beta


def log_cosh(x: Any, target: Any) -> Expr:
    """log(cosh(x − target)), without overflow."""
    far = abs(_real(x) - as_expr(target))
    return far + softplus(-2 * far) - math.log(2)


def poisson_nll(log_rate: Any, target: Any, full: bool = False) -> Expr:
    """exp(log_rate) − target·log_rate: counts, given the logarithm of their rate.

    With `full`, + log(target!): the whole negative log-likelihood.
    """
    log_rate, target = _real(log_rate), as_expr(target)
    loss = exp(log_rate) - target * log_rate
    return loss + gammaln(cast(target, log_rate.dtype) + 1) if full else loss


def gaussian_nll(
    mean: Any, target: Any, variance: Any, full: bool = False, epsilon: float = 1e-6
) -> Expr:
    """½·(log(variance) + (mean − target)² / variance), with variances of at least epsilon.

    With `full`, + ½·log(2π): the whole negative log-likelihood.
    """
    mean, variance = _real(mean), maximum(_real(variance), epsilon)
    loss = 0.5 * (log(variance) + square(mean - as_expr(target)) / variance)
    return loss + 0.5 * math.log(2 * math.pi) if full else loss


# --- embeddings ----------------------------------------------------------------------------------


def cosine_similarity(a: Any, b: Any, axis: int = -1, epsilon: float = 1e-8) -> Expr:
    """a·b / (‖a‖·‖b‖) along the axis; norms are at least epsilon."""
    a, b = _real(a), _real(b)
    _same_rank("cosine_similarity", a, b)
    axis = normal_axis(axis, a.ndim)
    least = epsilon * epsilon
    norms = [maximum(reduction.sum(square(v), axis), least) for v in (a, b)]
    return reduction.sum(a * b, axis) / (sqrt(norms[0]) * sqrt(norms[1]))


def cosine_embedding(
    a: Any, b: Any, target: Any, margin: float = 0.0, axis: int = -1, epsilon: float = 1e-8
) -> Expr:
    """1 − cos(a, b) where the target is 1, else max(0, cos(a, b) − margin)."""
    near = cosine_similarity(a, b, axis, epsilon)
    target = as_expr(target)
    if target.ndim not in (0, near.ndim):
        _fail(f"cosine_embedding: a target of {target.ndim} axes does not fit {near.ndim} axes of "
              "examples")  # fmt: skip
    return where(target > 0, 1 - near, relu(near - margin))


def triplet(anchor: Any, positive: Any, negative: Any, margin: float = 1.0, axis: int = -1) -> Expr:
    """max(0, ‖anchor − positive‖ − ‖anchor − negative‖ + margin) (Schroff et al., 2015).

    Distances are along the axis, √(Σ d² + 10⁻¹²): so they have a derivative at 0.
    """
    anchor, positive, negative = _real(anchor), _real(positive), _real(negative)
    _same_rank("triplet", anchor, positive)
    _same_rank("triplet", anchor, negative)
    near, far = (
        sqrt(reduction.sum(square(anchor - other), axis) + 1e-12) for other in (positive, negative)
    )
    return relu(near - far + margin)


# --- helpers -------------------------------------------------------------------------------------


def _real(x: Any) -> Expr:
    x = as_expr(x)
    return cast(x, float_of(x.dtype))


def _fail(message: str, error: type = ShapeError) -> None:
    raise error(describe(message, origin=here()))


def _same_rank(name: str, a: Expr, b: Expr) -> None:
    if a.ndim != b.ndim:
        _fail(f"{name}: arrays of {a.ndim} and {b.ndim} axes do not fit")
