"""Indexing against NumPy, with known and unknown sizes; the sizes that follow; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from symcomp.graph.walk import evaluate

A = np.arange(60.0).reshape(3, 4, 5)
KEYS = [
    np.s_[1], np.s_[-1], np.s_[:], np.s_[...], np.s_[1:], np.s_[:-1], np.s_[::2], np.s_[::-1],
    np.s_[2:0:-1], np.s_[-2:], np.s_[:100], np.s_[100:], np.s_[-100:2], np.s_[3:1], np.s_[::-2],
    np.s_[0, 1, 2], np.s_[:, 1], np.s_[..., 0], np.s_[None], np.s_[:, None, 1:],
    np.s_[1, ..., None],
    np.s_[[0, 2]], np.s_[:, [1, -1, 1]], np.s_[[0, 1], [1, 2]], np.s_[[0, 1], :, [1, 2]],
    np.s_[:, [[0], [1]], [0, 4]], np.s_[1, [0, 1]], np.s_[[], :], np.s_[:, ::-1, [0]],
    np.s_[[True, False, True]], np.s_[0, 0, 0], np.s_[-100:-50], np.s_[1:-1, 1:-1, 1:-1],
]  # fmt: skip


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_keys(key, known):
    x = T.tensor("float64", A.shape if known else (None,) * 3, "x")
    y = x[key]
    want = A[key]
    got = evaluate([y], {x: A})[0]
    np.testing.assert_array_equal(got, want)
    sizes = evaluate([T.as_tensor(n) for n in y.shape], {x: A})
    assert tuple(map(int, sizes)) == want.shape


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("key", [np.s_[1:], np.s_[::-1], np.s_[:, [1, -1, 1]], np.s_[0, 1:3, ::2]])
def test_gradients_put_back(key, known):
    x = T.tensor("float64", A.shape if known else (None,) * 3, "x")
    g = evaluate([sc.grad((x[key] ** 2).sum(), x)], {x: A})[0]
    want = np.zeros_like(A)
    np.add.at(want, key, 2 * A[key])
    np.testing.assert_array_equal(g, want)


@pytest.mark.parametrize("bounds", [(0, 2), (1, 3), (-2, 3), (2, 1), (-9, 9), (0, 0), (-1, -2)])
@pytest.mark.parametrize("step", [None, 1, 2, -1, -2])
def test_symbolic_bounds(bounds, step):
    x, i, j = T.vector("x"), T.lscalar("i"), T.lscalar("j")
    values = np.arange(4.0)
    got = evaluate([x[i:j:step]], {x: values, i: np.int64(bounds[0]), j: np.int64(bounds[1])})[0]
    np.testing.assert_array_equal(got, values[bounds[0] : bounds[1] : step])


def test_symbolic_positions():
    x, i = T.matrix("x"), T.iscalar("i")
    for k in (0, 2, -1):
        got = evaluate([x[i], x[1:, i], x[i, i]], {x: A[0], i: np.int32(k)})
        np.testing.assert_array_equal(got[0], A[0][k])
        np.testing.assert_array_equal(got[1], A[0][1:, k])
        assert got[2] == A[0][k, k]


def test_neighbours_are_equally_long():
    x = T.vector("x")
    y = x[1:] + x[:-1]
    assert x[1:].shape == x[:-1].shape
    assert not y.requires
    assert x[::-1].shape == x.shape
    assert (x[:5].shape[0] is not x.shape[0]) and x[2:][1:].shape == x[3:].shape


def test_a_position_on_an_axis_of_unknown_length_is_checked_at_the_call():
    x = T.vector("x")
    assert x[3].args[0].requires
    with pytest.raises(IndexError):
        T.tensor("float64", (3,))[3]


@pytest.mark.parametrize(
    ("key", "new"),
    [
        (np.s_[1:], A[0][1:] * 2),
        (np.s_[0], 7.0),
        (np.s_[:, ::2], 1.0),
        (np.s_[[0, 2]], A[0][:2]),
        (np.s_[1:, 2], 5.0),
        (np.s_[[0, 0]], 1.0),
    ],
)
def test_set_and_inc(key, new):
    x = T.matrix("x")
    put, added = A[0].copy(), A[0].copy()
    put[key] = new
    np.add.at(added, key, new)
    outputs = [T.set_subtensor(x[key], new), T.inc_subtensor(x[key], new)]
    got = evaluate(outputs, {x: A[0]})
    np.testing.assert_array_equal(got[0], put)
    np.testing.assert_array_equal(got[1], added)


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (lambda x: x[5], BoundsError, "index 5 is out of bounds for axis 0 with length 3"),
        (lambda x: x[0, 0, 0, 0], ShapeError, "too many indices: 4 for an array of 3 axes"),
        (lambda x: x[..., ...], ArgumentError, "only one '...'"),
        (lambda x: x[x > 0], DtypeError, "a symbolic mask cannot index"),
        (lambda x: x[x], DtypeError, "an index must be an integer, not float64"),
        (lambda x: x[1.5], ArgumentError, "1.5 is not an index"),
        (lambda x: x["a"], ArgumentError, "'a' is not an index"),
        (lambda x: x[::0], ArgumentError, "step of a slice cannot be zero"),
        (lambda x: x[[7]], BoundsError, "index 7 is out of bounds"),
        (lambda x: T.set_subtensor(x + 1, 0), ArgumentError, "need a part of an array"),
    ],
)
def test_what_is_refused(write, error, message):
    x = T.tensor("float64", (3, 4, 5), "x")
    with pytest.raises(error, match=message) as caught:
        write(x)
    assert "test_indexing.py" in str(caught.value)


@pytest.mark.parametrize("mode", ["c", "check"])
def test_a_scatter_into_a_sum_takes_the_place_of_one_of_its_arrays(mode):
    """Not of two: the slope of a slice, of another one, and of elements meet in one array."""
    x, at = T.vector("x", dtype="float64"), T.lvector("at")
    d = x[1:] - x[:-1]
    y = (T.tanh(x[at]) / (1 + T.abs(d @ d))).sum()
    f = sc.function([x, at], sc.grad(y, x), mode=mode)
    values, places = np.random.default_rng(5).normal(size=17), np.array([3, 3, 0, -1])
    step = values[1:] - values[:-1]
    size, taken = 1 + step @ step, np.tanh(values[places])
    want = np.zeros(17)
    np.add.at(want, places, (1 - taken**2) / size)
    want[1:] -= taken.sum() / size**2 * 2 * step
    want[:-1] += taken.sum() / size**2 * 2 * step
    np.testing.assert_allclose(f(values, places), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("length", [3, 127, 128, 129, 200, 256, 70000])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_positions_are_checked_in_every_dtype(dtype, length):
    at, values = T.vector("at", dtype=dtype), np.arange(length, dtype="float32")
    taken = sc.function([at], T.take(T.constant(values), at))
    ends = np.iinfo(dtype)
    for p in (0, length - 1, length, -1, -length, -length - 1, ends.min, ends.max):
        if not ends.min <= p <= ends.max:
            continue
        given = np.array([0, p], dtype)
        try:
            want = values[given]
        except IndexError:
            with pytest.raises(BoundsError):
                taken(given)
        else:
            np.testing.assert_array_equal(taken(given), want)
