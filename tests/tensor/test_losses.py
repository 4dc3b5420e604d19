"""Losses and activations of T.nn against their formulas; labels, weights, smoothing; gradients."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special as special
import scipy.stats

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, DtypeError, ShapeError

nn = T.nn
RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(6, 5)) * 2
Y = RANDOM.normal(size=(6, 5))
LABELS = np.array([0, 4, 2, 2, 1, 3])
SOFT = special.softmax(RANDOM.normal(size=(6, 5)), 1)
WEIGHTS = RANDOM.uniform(0.5, 2, 5)
LOG_P = special.log_softmax(X, 1)
BITS = (Y > 0).astype("float64")


def run(function, *arrays):
    variables = [T.tensor(a.dtype.name, (None,) * a.ndim, f"x{i}") for i, a in enumerate(arrays)]
    return sc.function(variables, function(*variables))(*arrays)


def close(got, want, tolerance=1e-12):
    np.testing.assert_allclose(got, want, tolerance, tolerance)


# --- classes --------------------------------------------------------------------------------------


def smoothed(target, epsilon):
    return (1 - epsilon) * target + epsilon / 5


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("labels", ["integers", "soft"])
def test_cross_entropy(labels, epsilon, weighted):
    target = LABELS if labels == "integers" else SOFT
    dense = np.eye(5)[LABELS] if labels == "integers" else SOFT
    weights = WEIGHTS if weighted else np.ones(5)
    want = -(smoothed(dense, epsilon) * weights * LOG_P).sum(1)
    options = {"label_smoothing": epsilon, "weights": WEIGHTS if weighted else None}
    close(run(lambda x, t: nn.cross_entropy_with_logits(x, t, **options), X, target), want)
    close(run(lambda x, t: nn.cross_entropy(nn.softmax(x), t, **options), X, target), want)
    got = run(lambda x, t: nn.cross_entropy_with_logits(x, t, axis=0, **options), X.T,
              target if labels == "integers" else target.T)  # fmt: skip
    close(got, want)


def test_ignored_classes():
    target = np.where(np.arange(6) % 2, LABELS, -100)
    want = np.where(np.arange(6) % 2, -LOG_P[range(6), LABELS], 0)
    f = lambda x, t: nn.cross_entropy_with_logits(x, t, ignore_index=-100)  # noqa: E731
    close(run(f, X, target), want)
    g = run(lambda x, t: sc.grad(f(x, t).sum(), x), X, target)
    assert (g[::2] == 0).all() and (g[1::2] != 0).all()
    options = {"ignore_index": -100, "label_smoothing": 0.1, "weights": WEIGHTS}
    got = run(lambda x, t: nn.cross_entropy_with_logits(x, t, **options), X, target)
    assert (got[::2] == 0).all() and (got[1::2] > 0).all()


def test_logits_far_out():
    """Where probabilities round to 0 and 1 the loss from logits is still exact."""
    x = np.array([[1000.0, 0.0, -1000.0]])
    for label, want in ((0, 0.0), (1, 1000.0), (2, 2000.0)):
        assert run(nn.cross_entropy_with_logits, x, np.array([label])) == [want]
        assert run(lambda x, t: nn.cross_entropy(nn.softmax(x), t), x, np.array([label])) == [want]
    far = np.array([1000.0, -1000.0, 40.0])
    close(run(nn.binary_cross_entropy_with_logits, far, np.array([0.0, 1.0, 1.0])),
          [1000, 1000, np.log1p(np.exp(-40.0))])  # fmt: skip
    assert np.isfinite(run(nn.focal, far, np.array([0.0, 1.0, 1.0]))).all()
    close(run(nn.log_cosh, far, 0 * far), abs(far) - np.log(2))


def test_binary_cross_entropy():
    p = special.expit(X)
    want = -(BITS * np.log(p) + (1 - BITS) * np.log1p(-p))
    for name in ("binary_cross_entropy", "binary_crossentropy"):
        close(run(getattr(nn, name), p, BITS), want)
    close(run(nn.binary_cross_entropy_with_logits, X, BITS), want)
    f = nn.binary_cross_entropy_with_logits
    close(run(lambda x, t: f(x, t, positive_weight=3.0), X, BITS), want * np.where(BITS, 3, 1))
    t = 0.8 * BITS + 0.1
    close(run(lambda x, t: f(x, t, label_smoothing=0.2), X, BITS),
          -(t * np.log(p) + (1 - t) * np.log1p(-p)))  # fmt: skip
    towards = np.where(BITS, p, 1 - p)
    close(run(nn.focal, X, BITS), want * (1 - towards) ** 2)
    alpha = np.where(BITS, 0.25, 0.75)
    close(run(lambda x, t: nn.focal(x, t, 1.5, 0.25), X, BITS), want * alpha * (1 - towards) ** 1.5)


def test_divergence():
    q, p = LOG_P, SOFT.copy()
    p[0] = np.eye(5)[2]
    close(run(nn.kl_divergence, q, p), scipy.stats.entropy(p, np.exp(q), axis=1))


def test_hinges():
    sign = np.sign(Y)
    close(run(nn.hinge, X, sign), np.maximum(0, 1 - sign * X))
    close(run(nn.squared_hinge, X, sign), np.maximum(0, 1 - sign * X) ** 2)
    right = X[range(6), LABELS][:, None]
    excess = np.maximum(0, 0.5 + X - right)
    excess[range(6), LABELS] = 0
    close(run(lambda x, t: nn.multi_class_hinge(x, t, 0.5), X, LABELS), excess.max(1))
    close(run(lambda x, t: nn.multi_class_hinge(x, t, 0.5, over="sum"), X, LABELS), excess.sum(1))
    close(run(lambda x, t: nn.multi_class_hinge(x, t, 0.5, 0), X.T, LABELS - 5), excess.max(1))


# --- numbers --------------------------------------------------------------------------------------

D = X - Y
PLAIN = {
    "squared_error": D**2,
    "absolute_error": abs(D),
    "huber": special.huber(1, D),
    "smooth_l1": special.huber(1, D),
    "log_cosh": np.log(np.cosh(D)),
    "poisson_nll": np.exp(X) - Y * X,
}


@pytest.mark.parametrize("name", PLAIN)
def test_losses_of_numbers(name):
    close(run(getattr(nn, name), X, Y), PLAIN[name])


def test_losses_with_options():
    close(run(lambda x, y: nn.huber(x, y, 0.3), X, Y), special.huber(0.3, D))
    close(run(lambda x, y: nn.smooth_l1(x, y, 0.3), X, Y), special.huber(0.3, D) / 0.3)
    counts = np.floor(abs(Y) * 5)
    want = -scipy.stats.poisson.logpmf(counts, np.exp(X))
    close(run(lambda x, t: nn.poisson_nll(x, t, full=True), X, counts), want, 1e-11)
    variance = np.square(Y) + 0.1
    want = -scipy.stats.norm.logpdf(Y, X, np.sqrt(variance))
    close(run(lambda m, t, v: nn.gaussian_nll(m, t, v, full=True), X, Y, variance), want)
    assert np.isfinite(run(nn.gaussian_nll, X, X, 0 * X)).all()


def test_embedding_losses():
    norm = lambda v: np.sqrt((v * v).sum(-1))  # noqa: E731
    cosine = (X * Y).sum(1) / norm(X) / norm(Y)
    close(run(nn.cosine_similarity, X, Y), cosine)
    assert run(nn.cosine_similarity, 0 * X, Y).tolist() == [0] * 6
    target = np.array([1, -1, 1, -1, 1, -1])
    close(run(lambda a, b, t: nn.cosine_embedding(a, b, t, 0.2), X, Y, target),
          np.where(target > 0, 1 - cosine, np.maximum(0, cosine - 0.2)))  # fmt: skip
    far = RANDOM.normal(size=X.shape)
    close(run(nn.triplet, X, Y, far), np.maximum(0, norm(X - Y) - norm(X - far) + 1))
    g = run(lambda a, b, c: sc.grad(nn.triplet(a, b, c).sum(), a), X, X, X)
    assert np.isfinite(g).all()


GRADIENTS = {
    "smoothed": lambda x: nn.cross_entropy_with_logits(x, LABELS, weights=WEIGHTS,
                                                       label_smoothing=0.1),
    "soft": lambda x: nn.cross_entropy(nn.softmax(x), SOFT, label_smoothing=0.2),
    "binary": lambda x: nn.binary_cross_entropy_with_logits(x, BITS, positive_weight=2.0),
    "focal": lambda x: nn.focal(x, BITS, 2.0, 0.3),
    "divergence": lambda x: nn.kl_divergence(nn.log_softmax(x), SOFT),
    "hinge": lambda x: nn.multi_class_hinge(x, LABELS, over="sum"),
    "log_cosh": lambda x: nn.log_cosh(x, Y),
    "gaussian": lambda x: nn.gaussian_nll(Y, x, nn.softplus(x)),
    "cosine": lambda x: nn.cosine_embedding(x, Y, np.array([1, -1, 1, -1, 1, -1])),
    "triplet": lambda x: nn.triplet(x, Y, Y[::-1].copy()),
    "glu": lambda x: nn.glu(x, axis=0),
    "maxout": lambda x: nn.maxout(x, 3, axis=0),
    "prelu": lambda x: nn.prelu(x, WEIGHTS),
    "celu": lambda x: nn.celu(x, 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    sc.check_gradient(GRADIENTS[name], [X])


# --- activations ----------------------------------------------------------------------------------

ACTIVATIONS = {
    "celu": (lambda x: nn.celu(x, 2.0), lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2))),
    "threshold_relu": (nn.threshold_relu, lambda x: np.where(x > 1, x, 0)),
    "hard_tanh": (nn.hard_tanh, lambda x: np.clip(x, -1, 1)),
    "hard_swish": (nn.hard_swish, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "hard_shrink": (nn.hard_shrink, lambda x: np.where(abs(x) > 0.5, x, 0)),
    "soft_shrink": (nn.soft_shrink, lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0)),
    "tanh_shrink": (nn.tanh_shrink, lambda x: x - np.tanh(x)),
    "softmin": (nn.softmin, lambda x: special.softmax(-x, 1)),
    "log_softmin": (nn.log_softmin, lambda x: special.log_softmax(-x, 1)),
    "prelu": (lambda x: nn.prelu(x, WEIGHTS), lambda x: np.where(x > 0, x, WEIGHTS * x)),
    "prelu of one": (lambda x: nn.prelu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
    "prelu of rows": (lambda x: nn.prelu(x, np.arange(6.0), 0),
                      lambda x: np.where(x > 0, x, np.arange(6)[:, None] * x)),
    "glu": (lambda x: nn.glu(x, 0), lambda x: x[:3] * special.expit(x[3:])),
    "maxout": (lambda x: nn.maxout(x, 2, 0), lambda x: x.reshape(3, 2, 5).max(1)),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("known", [True, False])
def test_activations(name, known):
    function, reference = ACTIVATIONS[name]
    x = T.tensor("float64", X.shape if known else (None, None), "x")
    close(sc.function([x], function(x))(X), reference(X))


# --- refused --------------------------------------------------------------------------------------

x, t, i = T.fmatrix("x"), T.fvector("t"), T.lvector("i")
REFUSED = [
    (lambda: nn.cross_entropy(x, t), DtypeError, "classes must be integers, not float32"),
    (lambda: nn.cross_entropy(x, i[0]), ShapeError, "a target of 0 axes does not fit 2 axes"),
    (lambda: nn.cross_entropy(x, i, weights=x), ShapeError, "weights must be a vector"),
    (lambda: nn.cross_entropy(x, i, label_smoothing=2), ArgumentError, "between 0 and 1, not 2"),
    (lambda: nn.cross_entropy(x, x, ignore_index=0), ArgumentError, "needs integer classes"),
    (lambda: nn.cross_entropy(np.ones((2, 3)), np.ones((2, 3)), weights=np.ones(4)), ShapeError,
     "4 weights do not fit 3 classes"),
    (lambda: nn.binary_cross_entropy_with_logits(x, x, label_smoothing=-1), ArgumentError,
     "between 0 and 1"),
    (lambda: nn.kl_divergence(x, t), ShapeError, "arrays of 2 and 1 axes do not fit"),
    (lambda: nn.multi_class_hinge(x, i, over="mean"), ArgumentError, 'over is "max" or "sum"'),
    (lambda: nn.multi_class_hinge(x, t), DtypeError, "classes must be integers"),
    (lambda: nn.smooth_l1(x, x, 0), ArgumentError, "beta must be positive"),
    (lambda: nn.cosine_embedding(x, x, x), ShapeError, "a target of 2 axes does not fit 1"),
    (lambda: nn.celu(x, 0), ArgumentError, "alpha must be positive"),
    (lambda: nn.prelu(x, x), ShapeError, "a scalar or a vector, not a float32 matrix"),
    (lambda: nn.prelu(np.ones((2, 3)), np.ones(2)), ShapeError, "2 slopes do not fit axis 1"),
    (lambda: nn.hard_tanh(x, 1, 1), ArgumentError, "must be below the upper bound"),
    (lambda: nn.glu(np.ones((2, 3))), ShapeError, "cannot be cut into halves"),
    (lambda: nn.maxout(np.ones((2, 3)), 2), ShapeError, "which is no multiple of 2"),
    (lambda: nn.maxout(x, 0), ArgumentError, "number of pieces must be a positive integer"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "error", "message"), REFUSED)
def test_what_is_refused(write, error, message):
    with pytest.raises(error, match=message):
        write()
