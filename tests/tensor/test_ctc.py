"""CTC against the sum over all alignments, written out; gradients, lengths, what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.special as special

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, BoundsError, DtypeError, ShapeError

RANDOM = np.random.default_rng(11)
FRAMES, CLASSES = 5, 4
LABELS = np.array(
    [[1, 2, 3], [1, 1, 2], [2, 9, 9], [9, 9, 9], [3, 3, 3], [1, 1, 1], [1, 2, 1], [1, 9, 9]]
)
LENGTHS = np.array([3, 3, 1, 0, 3, 3, 3, 1])
INPUTS = np.array([5, 4, 3, 5, 5, 4, 5, 0])
X = RANDOM.normal(size=(FRAMES, len(LABELS), CLASSES))


def collapsed(path, blank):
    return [k for k, _ in itertools.groupby(path) if k != blank]


def by_enumeration(log_p, labels, frames, length, blank=0):
    """−log of the sum over all paths that collapse to the labels."""
    want, terms = list(labels[:length]), []
    for path in itertools.product(range(CLASSES), repeat=frames):
        if collapsed(path, blank) == want:
            terms.append(sum(log_p[t, k] for t, k in enumerate(path)))
    return -special.logsumexp(terms) if terms else np.inf


def expected(x, blank=0):
    log_p = special.log_softmax(x, -1)
    rows = enumerate(zip(LABELS, INPUTS, LENGTHS, strict=True))
    return np.array([by_enumeration(log_p[:, b], *row, blank) for b, row in rows])


def loss(x, labels=LABELS, inputs=INPUTS, lengths=LENGTHS, blank=0):
    return T.nn.ctc_loss(T.nn.log_softmax(x), labels, inputs, lengths, blank)


@pytest.mark.parametrize("mode", ["c", "numpy", "check"])
def test_sum_over_alignments(mode):
    x = T.dtensor3("x")
    np.testing.assert_allclose(sc.function([x], loss(x), mode=mode)(X), expected(X), rtol=1e-12)


def test_everything_symbolic_in_float32():
    x, i, n, m = T.ftensor3("x"), T.imatrix("i"), T.ivector("n"), T.lvector("m")
    f = sc.function([x, i, n, m], loss(x, i, n, m))
    got = f(X.astype("float32"), LABELS.astype("int32"), INPUTS.astype("int32"), LENGTHS)
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, expected(X), rtol=1e-5)


def test_another_blank():
    labels = np.where(LABELS == 3, 0, LABELS)
    x = T.dtensor3("x")
    got = sc.function([x], loss(x, labels, blank=3))(X)
    log_p = special.log_softmax(X, -1)
    rows = enumerate(zip(labels, INPUTS, LENGTHS, strict=True))
    want = [by_enumeration(log_p[:, b], *row, 3) for b, row in rows]
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_gradient():
    possible = np.isfinite(expected(X))
    weights = np.where(possible, RANDOM.uniform(0.5, 2, len(X[0])), 0)
    sc.check_gradient(lambda x: T.where(possible, loss(x), 0) * weights, [X])
    x = T.dtensor3("x")
    g = sc.function([x], sc.grad(loss(x).sum(), x))(X)
    assert np.isfinite(g).all()
    assert (g[:, ~possible] == 0).all() and (abs(g[:, possible]).sum(0) > 0)[0].any()
    for b in range(len(LABELS)):  # frames beyond the input have no part in it
        assert (g[INPUTS[b] :, b] == 0).all()


def test_gradient_of_the_log_probabilities_is_how_often_each_class_is_passed():
    x = T.dtensor3("x")
    cost = T.nn.ctc_loss(x, [[1, 2]], [5], [2]).sum()
    g = sc.function([x], sc.grad(cost, x))(special.log_softmax(X[:, :1], -1))
    np.testing.assert_allclose(g.sum(2), -np.ones((5, 1)), rtol=1e-12)


def test_hessian_is_symmetric():
    x = T.dvector("x")
    cost = T.nn.ctc_loss(T.nn.log_softmax(x.reshape((4, 1, 3))), [[1, 2]], [4], [2]).sum()
    h = sc.function([x], sc.hessian(cost, x))(RANDOM.normal(size=12))
    np.testing.assert_allclose(h, h.T, atol=1e-12)
    assert abs(h).max() > 0.01


def test_a_long_sequence_does_not_underflow():
    x = np.log(np.full((3000, 1, 4), 0.25, "float32"))
    v = T.ftensor3("x")
    cost = T.nn.ctc_loss(v, np.ones((1, 300), int) * np.array([1, 2] * 150), [3000], [300])
    value, g = sc.function([v], [cost, sc.grad(cost.sum(), v)])(x)
    assert 2000 < value[0] < 5000
    np.testing.assert_allclose(g.sum((1, 2)), -1, rtol=1e-2)


def test_probabilities_of_zero():
    """A class that cannot be: only alignments without it count."""
    p = np.full((3, 1, 3), 0.5)
    p[:, :, 2] = 0
    x = T.dtensor3("x")
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    cost = T.nn.ctc_loss(x, [[1]], [3], [1])
    value, g = sc.function([x], [cost, sc.grad(cost.sum(), x)])(log_p)
    np.testing.assert_allclose(value, [-np.log(6 / 8)])
    assert np.isfinite(g).all()
    assert sc.function([x], T.nn.ctc_loss(x, [[2]], [3], [1]))(log_p) == [np.inf]


def test_empty_arrays():
    x = T.dtensor3("x")
    none = np.zeros((2, 0), int)
    got = sc.function([x], T.nn.ctc_loss(T.nn.log_softmax(x), none, [5, 0], [0, 0]))(X[:, :2])
    want = -special.log_softmax(X, -1)[:, 0, 0].sum()
    np.testing.assert_allclose(got, [want, 0], rtol=1e-12)


x, i, v, k = T.dtensor3("x"), T.lmatrix("i"), T.lvector("v"), T.fvector("k")
REFUSED = [
    (lambda: T.nn.ctc_loss(i, i, v, v), DtypeError, "log-probabilities must be floating-point"),
    (lambda: T.nn.ctc_loss(x, x[0], v, v), DtypeError, "labels must be integers, not float64"),
    (lambda: T.nn.ctc_loss(x, i, k, v), DtypeError, "input_lengths must be integers, not float32"),
    (lambda: T.nn.ctc_loss(x, i, v, k), DtypeError, "label_lengths must be integers"),
    (lambda: T.nn.ctc_loss(x[0], i, v, v), ShapeError, r"must have 3 axes \(frames, batch"),
    (lambda: T.nn.ctc_loss(x, v, v, v), ShapeError, r"labels must have 2 axes \(batch, length"),
    (lambda: T.nn.ctc_loss(x, i, i, v), ShapeError, "input_lengths must have 1 axes"),
    (lambda: T.nn.ctc_loss(np.ones((3, 2, 4)), [[1]], [3], [1]), ShapeError,
     "labels for 1 sequences do not fit a batch of 2"),
    (lambda: T.nn.ctc_loss(np.ones((3, 1, 4)), [[1]], [3], [1], blank=4), ArgumentError,
     "the blank must be one of the classes"),
    (lambda: T.nn.ctc_loss(x, i, v, v, blank=-1), ArgumentError, "the blank must be one of"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "error", "message"), REFUSED)
def test_what_is_refused(write, error, message):
    with pytest.raises(error, match=message):
        write()


def test_what_is_refused_at_the_call():
    f = sc.function([x, i, v, n := T.lvector("n")], T.nn.ctc_loss(x, i, v, n))
    p = np.zeros((3, 1, 4))
    good = (np.array([[1, 2]]), np.array([3]), np.array([2]))
    assert np.isfinite(f(p, *good)).all()
    for position, bad in ((0, [[1, 4]]), (1, [4]), (1, [-1]), (2, [3]), (2, [-1])):
        arrays = list(good)
        arrays[position] = np.array(bad)
        with pytest.raises(BoundsError):
            f(p, *arrays)
    with pytest.raises(ShapeError):
        f(np.zeros((3, 2, 4)), *good)
