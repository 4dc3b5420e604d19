"""Normalisations against their formulas in float64; gradients; large means; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, ShapeError

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(1.5, 2.0, (4, 6, 5, 3))
SCALE, SHIFT = RANDOM.uniform(0.5, 2, 6), RANDOM.normal(size=6)
MEAN, VARIANCE = RANDOM.normal(size=6), RANDOM.uniform(0.5, 2, 6)


def run(function, *arrays):
    variables = [T.tensor(a.dtype.name, (None,) * a.ndim, f"x{i}") for i, a in enumerate(arrays)]
    return sc.function(variables, function(*variables))(*arrays)


def channels(v):
    return v[:, None, None]


def standard(x, axes, epsilon=1e-5):
    x = x.astype("float64")
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def close(got, want, tolerance=1e-12):
    np.testing.assert_allclose(got, want, tolerance, tolerance)


def test_batch_norm():
    got = run(T.nn.batch_norm, X, SCALE, SHIFT, MEAN, VARIANCE)
    factor = SCALE / np.sqrt(VARIANCE + 1e-5)
    close(got, (X - channels(MEAN)) * channels(factor) + channels(SHIFT))
    last = run(lambda *a: T.nn.batch_norm(*a, axis=-1), np.moveaxis(X, 1, -1), SCALE, SHIFT, MEAN,
               VARIANCE)  # fmt: skip
    close(np.moveaxis(last, -1, 1), got)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norm_in_training(dtype):
    arrays = [a.astype(dtype) for a in (X, SCALE, SHIFT)]
    y, mean, variance = run(T.nn.batch_norm_train, *arrays)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    want = standard(X, (0, 2, 3)) * channels(SCALE) + channels(SHIFT)
    close(y, want, tolerance)
    close(mean, X.mean((0, 2, 3)), tolerance)
    close(variance, X.var((0, 2, 3)), tolerance)
    assert y.dtype == mean.dtype == variance.dtype == dtype


def test_an_array_of_channels():
    x, scale = X[:, :, :, 0], RANDOM.normal(size=(6, 5))
    y, mean, _ = run(lambda x, s: T.nn.batch_norm_train(x, s, None, axis=(1, 2)), x, scale)
    close(y, standard(x, (0,)) * scale)
    close(mean, x.mean(0))


def test_layer_norm():
    scale, shift = RANDOM.normal(size=(2, 3))
    close(run(T.nn.layer_norm, X, scale, shift), standard(X, (3,)) * scale + shift)
    close(run(lambda x: T.nn.layer_norm(x, axis=(1, 2, 3)), X), standard(X, (1, 2, 3)))
    power = np.sqrt(np.square(X).mean(-1, keepdims=True) + 1e-5)
    close(run(T.nn.rms_norm, X, scale), X / power * scale)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm(groups):
    got = run(lambda x, s, b: T.nn.group_norm(x, groups, s, b), X, SCALE, SHIFT)
    cut = X.reshape(4, groups, 6 // groups, 5, 3)
    want = standard(cut, (2, 3, 4)).reshape(X.shape)
    close(got, want * channels(SCALE) + channels(SHIFT))


def test_instance_norm_and_standardize():
    got = run(T.nn.instance_norm, X, SCALE, SHIFT)
    close(got, standard(X, (2, 3)) * channels(SCALE) + channels(SHIFT))
    close(run(lambda x: T.nn.standardize(x, (1, 2, 3), 0.1), X), standard(X, (1, 2, 3), 0.1))
    close(run(T.nn.standardize, X), standard(X, (0, 1, 2, 3)))


@pytest.mark.parametrize("window", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("beta", [0.5, 0.75, 1, 0.6])
def test_local_response_norm(window, beta):
    got = run(lambda x: T.nn.local_response_norm(x, window, 0.3, beta, 1.5), X)
    total = np.zeros_like(X)
    for c in range(6):
        near = range(max(0, c - window // 2), min(6, c + (window - 1) // 2 + 1))
        total[:, c] = sum(X[:, k] ** 2 for k in near)
    close(got, X / (1.5 + 0.3 * total) ** beta)


FUNCTIONS = {
    "batch": lambda x, s, b: T.nn.batch_norm(x, s, b, MEAN, VARIANCE),
    "batch in training": lambda x, s, b: T.nn.batch_norm_train(x, s, b)[0],
    "its statistics": lambda x, s, b: sum(v.sum() for v in T.nn.batch_norm_train(x, s, b)),
    "layer": lambda x, s, b: T.nn.layer_norm(x, s, b, axis=1),
    "group": lambda x, s, b: T.nn.group_norm(x, 3, s, b),
    "instance": T.nn.instance_norm,
    "rms": lambda x, s, b: T.nn.rms_norm(x, s, axis=1),
    "local response": lambda x, s, b: T.nn.local_response_norm(x, 4, 0.3),
    "weights": lambda x, s, b: T.nn.standardize(x, (1, 2, 3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    sc.check_gradient(FUNCTIONS[name], [X[:2, :, :2, :2], SCALE, SHIFT])


@pytest.mark.parametrize("name", ["batch in training", "layer", "group", "instance"])
def test_compiled_gradients(name):
    """Compiled, in float32, beside the same expression in float64 by NumPy's reference."""
    results = []
    for dtype, mode in (("float32", "c"), ("float64", "numpy")):
        x, s, b = T.tensor(dtype, (None,) * 4, "x"), T.vector("s", dtype), T.vector("b", dtype)
        cost = T.sin(FUNCTIONS[name](x, s, b)).sum()
        f = sc.function([x, s, b], sc.grad(cost, [x, s, b]), mode=mode)
        results.append(f(*(a.astype(dtype) for a in (X, SCALE, SHIFT))))
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, 2e-4, 2e-5)


def test_second_derivative():
    x = T.vector("x", "float64")
    y = T.sin(T.nn.standardize(x) * T.arange(5)).sum()
    (g,) = [sc.grad(y, x)]
    sc.check_gradient(lambda v: sc.grad(T.sin(T.nn.standardize(v) * T.arange(5)).sum(), v),
                      [RANDOM.normal(size=5)])  # fmt: skip
    h = sc.function([x], sc.hessian(y, x))(RANDOM.normal(size=5))
    np.testing.assert_allclose(h, h.T, atol=1e-12)
    assert g.ndim == 1


@pytest.mark.parametrize("function", [
    lambda x: T.nn.layer_norm(x), lambda x: T.nn.layer_norm(x, axis=0),
    lambda x: T.nn.batch_norm_train(x, None, None)[0], lambda x: T.nn.group_norm(x.T, 2),
])  # fmt: skip
def test_a_large_mean_does_not_drown_the_variance(function):
    """E[x²] − E[x]² has no digits left here: x² is 10⁸, of which float32 keeps steps of 8."""
    x = (1e4 + RANDOM.uniform(-1, 1, (64, 64))).astype("float32")
    exact = sc.function([v := T.dmatrix()], function(v), mode="numpy")(x.astype("float64"))
    got = run(function, x)
    assert np.abs(got - exact).max() < 2e-2
    assert np.isfinite(got).all()


def test_one_value_has_no_variance():
    assert run(lambda x: T.nn.layer_norm(x), np.full((3, 1), 7.0)).tolist() == [[0.0]] * 3
    y, _, variance = run(lambda x: T.nn.batch_norm_train(x, None, None), np.ones((1, 4)))
    assert y.tolist() == [[0.0] * 4] and variance.tolist() == [0.0] * 4


def test_the_plan_reads_as_often_as_it_must():
    """Layer norm: one kernel. Batch norm: one for the statistics, one to normalise."""
    x, s, b = T.ftensor4("x"), T.fvector("s"), T.fvector("b")
    layer = sc.function([x, s, b], T.nn.layer_norm(x, s, b)).explain()
    assert str(layer).count("parallel over") == 1
    batch = sc.function([x, s, b], list(T.nn.batch_norm_train(x, s, b))).explain()
    assert str(batch).count("parallel over") == 2


def refused(error, message, function):
    with pytest.raises(error, match=message):
        function()


def test_errors():
    x, s, m = T.ftensor4("x"), T.fvector("s"), T.fmatrix("m")
    known = T.tensor("float32", (2, 6, 4, 4), "k")
    nn = T.nn
    refused(ShapeError, "the scale must be a vector", lambda: nn.batch_norm_train(x, m, s))
    refused(ShapeError, "the mean must be a vector", lambda: nn.batch_norm(x, s, s, m, s))
    refused(ShapeError, "a shift of length 5 does not fit axis 1 of x, of 6",
            lambda: nn.batch_norm_train(known, np.ones(6), np.ones(5)))  # fmt: skip
    refused(ShapeError, "no axis but that of the channels",
            lambda: nn.batch_norm_train(s, None, None, axis=0))  # fmt: skip
    refused(ArgumentError, "epsilon must be a number", lambda: nn.layer_norm(x, epsilon=-1))
    refused(ShapeError, "no axis to normalise", lambda: nn.layer_norm(x, axis=()))
    refused(ShapeError, "6 channels cannot be cut into 4", lambda: nn.group_norm(known, 4))
    refused(ArgumentError, "number of groups must be a positive", lambda: nn.group_norm(x, 0))
    refused(ArgumentError, "axis 0 counts the examples", lambda: nn.group_norm(x, 2, axis=0))
    refused(ShapeError, "nothing to normalise", lambda: nn.instance_norm(m))
    refused(ArgumentError, "window must be a positive", lambda: nn.local_response_norm(x, 0))
    refused(ShapeError, "out of range", lambda: nn.batch_norm_train(s, None, None, axis=1))


def test_sizes_are_checked_at_the_call():
    x, s = T.ftensor4("x"), T.fvector("s")
    f = sc.function([x, s], T.nn.batch_norm_train(x, s, None)[0])
    with pytest.raises(ShapeError):
        f(np.ones((2, 3, 4, 4), "float32"), np.ones(5, "float32"))
    f = sc.function([x], T.nn.group_norm(x, 2))
    with pytest.raises(ShapeError):
        f(np.ones((2, 3, 4, 4), "float32"))
