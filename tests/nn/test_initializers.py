"""Initializers have the sizes, the spread and the structure that they promise, and repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symcomp as sc
from symcomp.nn import initializers

RANDOM = [
    initializers.uniform,
    initializers.normal,
    initializers.truncated_normal,
    initializers.glorot_uniform,
    initializers.glorot_normal,
    initializers.he_uniform,
    initializers.he_normal,
    initializers.lecun_uniform,
    initializers.lecun_normal,
    initializers.orthogonal,
]
FIXED = [initializers.zeros, initializers.ones, initializers.constant]
SHAPES = [(4, 6), (6, 4), (8, 3, 5, 5), (4, 2, 3), (0, 3), (2, 3, 2, 2, 2)]


@pytest.mark.parametrize("function", RANDOM + FIXED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shape_and_dtype(function, dtype, shape):
    result = function(shape, dtype, 0)
    assert type(result) is np.ndarray
    assert result.shape == shape and result.dtype == dtype and np.isfinite(result).all()
    assert result.flags.writeable and result.flags.c_contiguous


@pytest.mark.parametrize("function", RANDOM, ids=lambda f: f.__name__)
def test_a_seed_repeats_and_a_generator_goes_on(function):
    assert np.array_equal(function((5, 5), "float64", 3), function((5, 5), "float64", 3))
    assert not np.array_equal(function((5, 5), "float64", 3), function((5, 5), "float64", 4))
    generator = np.random.default_rng(3)
    first, second = (function((5, 5), "float64", generator) for _ in range(2))
    assert np.array_equal(first, function((5, 5), "float64", 3))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("shape", "fans"),
    [((3, 5), (3, 5)), ((8, 3, 5, 5), (75, 200)), ((4, 2, 3), (6, 12)), ((7, 3, 1, 1, 1), (3, 7))],
)
def test_fans(shape, fans):
    assert initializers.fans(shape) == fans


VARIANCES = {
    "glorot_uniform": lambda i, o: 2 / (i + o),
    "glorot_normal": lambda i, o: 2 / (i + o),
    "he_uniform": lambda i, o: 2 / i,
    "he_normal": lambda i, o: 2 / i,
    "lecun_uniform": lambda i, o: 1 / i,
    "lecun_normal": lambda i, o: 1 / i,
}


@pytest.mark.parametrize("shape", [(300, 200), (60, 30, 5, 5)], ids=str)
@pytest.mark.parametrize("name", VARIANCES)
def test_variance(name, shape):
    x = getattr(initializers, name)(shape, "float64", 0)
    expected = VARIANCES[name](*initializers.fans(shape))
    assert abs(x.mean()) < 5 * math.sqrt(expected / x.size)
    assert abs(x.var() / expected - 1) < 0.03
    if name.endswith("uniform"):
        limit = math.sqrt(3 * expected)
        assert 0.99 * limit < abs(x).max() <= limit


def test_truncated_normal():
    x = initializers.truncated_normal((400, 400), "float64", 0, mean=1, deviation=0.5, bound=1.5)
    assert x.min() >= 0.25 and x.max() <= 1.75 and abs(x.mean() - 1) < 0.01
    density = math.exp(-(1.5**2) / 2) / math.sqrt(2 * math.pi)
    inside = math.erf(1.5 / math.sqrt(2))
    assert abs(x.std() / (0.5 * math.sqrt(1 - 3 * density / inside)) - 1) < 0.01


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (4, 2, 3, 3), (20, 2, 3)], ids=str)
def test_orthogonal(shape):
    matrix = initializers.orthogonal(shape, "float64", 0, gain=2).reshape(shape[0], -1)
    rows, columns = matrix.shape
    gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_constant_takes_numbers_and_arrays():
    assert initializers.constant((2, 3), value=7).tolist() == [[7] * 3] * 2
    assert initializers.constant((2, 3), value=[1, 2, 3]).tolist() == [[1, 2, 3]] * 2


def test_identity():
    assert initializers.identity((2, 3), "float32", gain=2).tolist() == [[2, 0, 0], [0, 2, 0]]


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_filters_let_their_input_through(groups):
    filters = initializers.dirac((4, 4 // groups, 3, 3), groups=groups)
    x = np.random.default_rng(0).normal(size=(4, 6, 6))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    per_group = 4 // groups
    for out in range(4):
        first = out // per_group * per_group
        seen = windows[first : first + per_group]
        assert np.array_equal(np.einsum("cijkl,ckl->ij", seen, filters[out]), x[out])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: initializers.he_normal((3,)), "fans: the shape must have 2 axes or more"),
        (lambda: initializers.identity((3,)), "identity: the shape must have 2 axes"),
        (lambda: initializers.dirac((3, 3)), "dirac: the shape must have 3 axes"),
        (lambda: initializers.dirac((3, 3, 3), groups=2), "of 2 equal groups"),
        (lambda: initializers.orthogonal((3,)), "orthogonal: the shape must have 2 axes"),
    ],
)
def test_errors(call, words):
    with pytest.raises(sc.errors.ArgumentError, match=words):
        call()
