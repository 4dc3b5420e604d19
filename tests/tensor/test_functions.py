"""Functions that people call, against NumPy and SciPy: names, axes, options, errors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, DtypeError, ShapeError
from symcomp.graph.walk import evaluate

A = np.random.default_rng(0).normal(size=(3, 4))
V = A[0]


def run(function, *arrays):
    variables = [T.tensor(a.dtype, (None,) * a.ndim) for a in arrays]
    return evaluate([function(*variables)], dict(zip(variables, arrays, strict=True)))[0]


SAME_AS_NUMPY = [
    ("cumsum", {}), ("cumsum", {"axis": 1}), ("cumprod", {"axis": -1}), ("diff", {}),
    ("diff", {"n": 2, "axis": 0}), ("roll", {"shift": 2}), ("roll", {"shift": -5, "axis": 1}),
    ("roll", {"shift": (1, 2), "axis": (0, 1)}), ("tril", {}), ("triu", {"k": 1}), ("diag", {}),
    ("trace", {}), ("ptp", {"axis": 0}), ("mean", {}), ("var", {"axis": 0, "ddof": 1}),
    ("std", {"keepdims": True}), ("argmax", {"axis": 1}), ("argmin", {}), ("flip", {}),
    ("count_nonzero", {"axis": 0}), ("nan_to_num", {}), ("repeat", {"repeats": 2, "axis": 1}),
    ("transpose", {}), ("swapaxes", {"axis1": 0, "axis2": 1}),
    ("ravel", {}), ("expand_dims", {"axis": 1}), ("sinc", {}), ("clip", {"low": -0.5, "high": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), SAME_AS_NUMPY)
def test_same_as_numpy(name, options):
    function = getattr(T, name)
    reference = {"clip": lambda x, low, high: np.clip(x, low, high)}.get(name) or getattr(np, name)
    np.testing.assert_allclose(
        run(lambda x: function(x, **options), A), reference(A, **options), rtol=1e-14
    )


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [1, (2, 0), ((1, 2), (0, 1))])
def test_pad(mode, width):
    want = np.pad(A, width, mode)
    np.testing.assert_array_equal(run(lambda x: T.pad(x, width, mode), A), want)


def test_pad_with_a_value():
    want = np.pad(A, 1, constant_values=np.inf)
    np.testing.assert_array_equal(run(lambda x: T.pad(x, 1, constant_values=np.inf), A), want)


def test_along_an_axis():
    order = np.argsort(A, axis=1)
    got = run(lambda x, i: T.take_along_axis(x, i, 1), A, order)
    np.testing.assert_array_equal(got, np.sort(A, axis=1))
    for indexing in ("xy", "ij"):
        for k, want in enumerate(np.meshgrid(V, A[:, 0], indexing=indexing)):
            got = run(lambda x, y, k=k, i=indexing: T.meshgrid(x, y, indexing=i)[k], V, A[:, 0])
            np.testing.assert_array_equal(got, want)


def test_diagonal_matrices():
    np.testing.assert_array_equal(run(T.diag, V), np.diag(V))
    np.testing.assert_array_equal(evaluate([T.tri(3, 4, 1)], {})[0], np.tri(3, 4, 1))


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (1,)])
def test_running_sums_of_integers_are_wide(shape):
    x = np.ones(shape, "int8") * 100
    got = run(lambda v: T.cumsum(v, 0), x)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, np.cumsum(x, 0))


def test_gradient_of_a_running_product_with_zeros():
    x = np.array([2.0, 0.0, 3.0, 0.0, 4.0])
    sc.check_gradient(lambda v: T.cumprod(v), [x])
    sc.check_gradient(lambda v: sc.grad(T.cumprod(v).sum(), v), [x])


# --- Theano's names -------------------------------------------------------------------------------


def test_tiles():
    np.testing.assert_array_equal(run(lambda x: T.tile(x, (2, 1, 3)), A), np.tile(A, (2, 1, 3)))


def test_other_names():
    assert T.sqr is T.square
    assert T.switch is T.where
    assert T.psi is T.digamma
    x = T.matrix("x")
    assert T.neq(x, 1) is T.not_equal(x, 1)
    np.testing.assert_array_equal(run(T.shape, A), A.shape)
    np.testing.assert_array_equal(run(lambda v: T.fill(v, 2), A), np.full((3, 4), 2.0))
    np.testing.assert_array_equal(run(lambda v: T.alloc(v, 2, 4), V), np.stack([V, V]))
    assert T.iround(x).dtype == "int64"
    stacked = T.as_tensor_variable([x.sum(), 1.0])
    assert stacked.shape == (2,)


# --- special functions ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma(order):
    x = np.array([-3.3, -0.5, 0.1, 0.9, 2.0, 30.0, 1e4])
    x = x[2:] if order else x
    want = scipy.special.polygamma(order, x)
    np.testing.assert_allclose(run(lambda v: T.polygamma(order, v), x), want, rtol=2e-14)
    with pytest.raises(ArgumentError, match="whole number"):
        T.polygamma(-1, T.vector())


def test_special_functions_far_out():
    x = np.array([1e-300, 1e-5, 25.0, 29.9, 30.1, 500.0, 700.0])
    for name in ("i0", "i1"):
        want = getattr(scipy.special, name)(x)
        np.testing.assert_allclose(run(getattr(T, name), x), want, rtol=1e-14)
    y = np.array([-1, -0.9999999, -0.3, 1e-12, 0.5, 0.999999999999, 1])
    np.testing.assert_allclose(run(T.erfinv, y), scipy.special.erfinv(y), rtol=1e-14)
    assert run(T.gammaln, np.array([0.0, -1.0, np.inf])).tolist() == [np.inf] * 3
    assert run(T.xlogy, np.array([0.0, 0.0]), np.array([0.0, np.inf])).tolist() == [0, 0]


# --- T.nn -----------------------------------------------------------------------------------------

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "silu": lambda x: x * scipy.special.expit(x),
    "gelu": lambda x: x * scipy.special.ndtr(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "softsign": lambda x: x / (1 + abs(x)),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "softmax": lambda x: scipy.special.softmax(x, -1),
    "log_softmax": lambda x: scipy.special.log_softmax(x, -1),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    x = A * 3 + 0.01
    function = getattr(T.nn, name)
    np.testing.assert_allclose(run(function, x), ACTIVATIONS[name](x), rtol=1e-13, atol=1e-15)
    sc.check_gradient(function, [x])
    assert function(T.imatrix("n")).dtype in ("float64", "int32")


def test_cross_entropies_agree():
    labels = np.array([1, 0, 3])
    soft = np.eye(4)[labels]
    want = -scipy.special.log_softmax(A, 1)[range(3), labels]
    for target in (labels, soft):
        got = run(lambda x, t: T.nn.cross_entropy(T.nn.softmax(x), t), A, target)
        np.testing.assert_allclose(got, want, rtol=1e-13)
        np.testing.assert_allclose(run(T.nn.cross_entropy_with_logits, A, target), want, rtol=1e-13)
    p = scipy.special.expit(A)
    one = run(T.nn.binary_cross_entropy, p, soft[:, :4])
    two = run(T.nn.binary_cross_entropy_with_logits, A, soft[:, :4])
    np.testing.assert_allclose(one, two, rtol=1e-12)
    np.testing.assert_array_equal(run(lambda i: T.one_hot(i, 4), labels), soft)


def test_losses():
    t = np.sign(A)
    np.testing.assert_allclose(run(T.nn.hinge, A, t), np.maximum(0, 1 - t * A))
    np.testing.assert_allclose(run(T.nn.huber, A, t), scipy.special.huber(1, A - t))
    np.testing.assert_allclose(run(T.nn.squared_error, A, t), (A - t) ** 2)


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (lambda x: T.where(x > 0), TypeError, "where takes 3 arguments, not 1"),
        (lambda x: T.nn.cross_entropy(x, x[:, 0]), DtypeError, "classes must be integers"),
        (lambda x: T.nn.cross_entropy(x, x.sum()), ShapeError, "does not fit 2 axes"),
        (lambda x: T.pad(x, 1, "mirror"), ArgumentError, "pad: mode is one of"),
        (lambda x: T.triu(x[0]), ShapeError, "triu needs two axes"),
        (lambda x: T.roll(x, (1, 2), 0), ArgumentError, "2 shifts do not fit 1 axes"),
        (lambda x: bool(x.sum() > 0), TypeError, "not known before it runs"),
        (lambda x: float(x.sum()), TypeError, "has no value before it runs"),
        (lambda x: list(x), TypeError, "cannot iterate"),
        (lambda x: x & x, DtypeError, "only integers and booleans have bits"),
        (lambda x: (x > 0) - (x > 1), DtypeError, "booleans have no such arithmetic"),
        (lambda x: T.bvector() + 300, DtypeError, "300 does not fit into int8"),
        (lambda x: T.grad_clip(x, 1, -1), ArgumentError, "must not be above"),
        (lambda x: T.tensor("float64", (0, 3)).max(0), ShapeError, "empty axis"),
    ],
)
def test_what_is_refused(write, error, message):
    with pytest.raises(error, match=message):
        write(T.matrix("x"))
