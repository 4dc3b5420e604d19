"""Gradients of formulas as people write them, log(1 + eˣ) and its like, against their values to 60
digits and more, for arguments so large that the formulas as written overflow.

The cost may be a sum, a mean or a weighted sum, and the argument a product: what surrounds the
formula must not hide it from the rules.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.walk import evaluate
from symcomp.rewrite import canonicalize, specialize, stabilize

mpmath.mp.dps = 60
DIGITS = 1000  # so that 1 + e⁻¹⁰⁰⁰ is not 1

POINTS = [-1000.0, -745.0, -700.0, -100.0, -30.0, -3.0, -0.5, -1e-9, 0.0, 1e-9]
POINTS = [*POINTS, *(-z for z in POINTS[:7])]
POSITIVE = [1e-300, 1e-9, 0.1, 1.0, 3.0, 50.0, 1000.0]


def _logistic(z):
    return 1 / (1 + mpmath.exp(-z))


#: The formula, its derivative, and where it is taken.
FORMULAS = {
    "log(1 + exp)": (lambda z: T.log(1 + T.exp(z)), _logistic, POINTS),
    "log(1 + exp(-))": (lambda z: T.log(1 + T.exp(-z)), lambda z: -_logistic(-z), POINTS),
    "log1p(exp)": (lambda z: T.log1p(T.exp(z)), _logistic, POINTS),
    "1 / (1 + exp(-))": (
        lambda z: 1 / (1 + T.exp(-z)),
        lambda z: _logistic(z) * _logistic(-z),
        POINTS,
    ),
    "exp / (1 + exp)": (
        lambda z: T.exp(z) / (1 + T.exp(z)),
        lambda z: _logistic(z) * _logistic(-z),
        POINTS,
    ),
    "sigmoid": (T.sigmoid, lambda z: _logistic(z) * _logistic(-z), POINTS),
    "log(sigmoid)": (lambda z: T.log(T.sigmoid(z)), lambda z: _logistic(-z), POINTS),
    "-log(sigmoid)": (lambda z: -T.log(T.sigmoid(z)), lambda z: -_logistic(-z), POINTS),
    "log(1 - sigmoid)": (lambda z: T.log(1 - T.sigmoid(z)), lambda z: -_logistic(z), POINTS),
    "log of a written sigmoid": (
        lambda z: T.log(1 / (1 + T.exp(-z))),
        lambda z: _logistic(-z),
        POINTS,
    ),
    "a cross-entropy": (
        lambda z: -0.25 * T.log(T.sigmoid(z)) - 0.75 * T.log(1 - T.sigmoid(z)),
        lambda z: _logistic(z) - mpmath.mpf(0.25),
        POINTS,
    ),
    "swish": (
        lambda z: z / (1 + T.exp(-z)),
        lambda z: _logistic(z) * (1 + z * _logistic(-z)),
        POINTS,
    ),
    "logaddexp": (
        lambda z: T.log(T.exp(z) + T.exp(2 * z)),
        lambda z: 1 + _logistic(z),
        POINTS,
    ),
    "log(cosh)": (lambda z: T.log(T.cosh(z)), mpmath.tanh, POINTS),
    "tanh": (T.tanh, lambda z: mpmath.sech(z) ** 2, POINTS),
    "sqrt of the square": (
        lambda z: T.sqrt(z**2 + 1),
        lambda z: z / mpmath.sqrt(z * z + 1),
        POINTS,
    ),
    "x log x": (lambda z: z * T.log(z), lambda z: mpmath.log(z) + 1, POSITIVE),
    "log": (T.log, lambda z: 1 / z, POSITIVE),
    "sqrt": (T.sqrt, lambda z: 1 / (2 * mpmath.sqrt(z)), POSITIVE),
}

REDUCTIONS = {
    "sum": lambda e, v: e.sum(),
    "mean": lambda e, v: e.mean(),
    "weighted": lambda e, v: (v * e).sum(),
    "weighted mean": lambda e, v: (v * e).mean(),
    "mean times": lambda e, v: 3 * e.mean() * v[0],
    "quotient": lambda e, v: (e / v).sum() / v.sum(),
}


def factors(name: str, v: np.ndarray):
    """What each reduction multiplies the derivative with."""
    n = len(v)
    return {
        "sum": np.ones(n),
        "mean": np.ones(n) / n,
        "weighted": v,
        "weighted mean": v / n,
        "mean times": np.full(n, 3 * v[0] / n),
        "quotient": 1 / v / v.sum(),
    }[name]


#: Gradients of the form y·(1 − y) or 1 − y², exact to a rounding error of 1.
ABSOLUTE = ("sigmoid", "tanh", "exp / (1 + exp)")


def rewritten(expr):
    return specialize(stabilize(canonicalize([expr])))[0]


def close(have, want, tolerance: float = 1e-12, absolute: float = 1e-300) -> None:
    have = np.asarray(have, dtype="float64")
    want = np.asarray([float(w) for w in np.ravel(want)]).reshape(have.shape)
    off = np.abs(have - want) > tolerance * np.abs(want) + absolute
    off |= ~np.isfinite(have)
    assert not off.any(), list(zip(have[off], want[off], strict=True))[:4]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", FORMULAS)
def test_gradient_of_formula(name, reduction):
    formula, derivative, points = FORMULAS[name]
    x, v, a = T.vector("x"), T.vector("v"), T.scalar("a")
    v_value = np.linspace(0.5, 1.5, len(points))
    with mpmath.workdps(DIGITS):
        exact = np.array([derivative(mpmath.mpf(z)) for z in points])
    exact = exact * factors(reduction, v_value)
    for argument, factor in ((x, 1.0), (a * x, 2.0)):
        cost = REDUCTIONS[reduction](formula(argument), v)
        g = rewritten(sc.grad(cost, x))
        given = {x: np.array(points) / factor, v: v_value, a: np.array(factor)}
        with np.errstate(all="ignore"):
            value = evaluate([g], given)[0]
        close(value, exact * factor, absolute=1e-14 if name in ABSOLUTE else 1e-300)


@pytest.mark.parametrize("name", ["log(1 + exp)", "-log(sigmoid)", "swish", "logaddexp"])
def test_beside_the_cost(name):
    """What the cost and its gradient share must not hide a formula either."""
    formula, derivative, points = FORMULAS[name]
    x = T.vector("x")
    cost = formula(x).mean()
    outputs = specialize(stabilize(canonicalize([cost, sc.grad(cost, x)])))
    with mpmath.workdps(DIGITS):
        exact = np.array([derivative(mpmath.mpf(z)) for z in points]) / len(points)
    with np.errstate(all="ignore"):
        value, gradient = evaluate(outputs, {x: np.array(points)})
    assert np.isfinite(value)
    close(gradient, exact)


# --- along an axis --------------------------------------------------------------------------------

ROWS = np.array([[1000.0, 999.0, -1000.0], [-1000.0, -1001.0, -1000.5], [0.5, 0.25, -3.0]])
LABELS = np.array([2, 2, 0])  # the first has the probability e⁻²⁰⁰⁰
LABELS_LATER = T.lvector("labels")  # of a length that is not known to be that of the rows


def _softmax(row):
    powers = [mpmath.exp(mpmath.mpf(float(z))) for z in row]
    return [p / mpmath.fsum(powers) for p in powers]


def _softmax_written_out(z):
    e = T.exp(z)
    return e / e.sum(axis=1, keepdims=True)


#: A formula of a matrix with one value a row, and its gradient: softmax less what is given.
BY_ROW = {
    "log of sum of exp": (lambda z: T.log(T.exp(z).sum(axis=1)), False),
    "log(softmax) picked": (
        lambda z: -T.log(_softmax_written_out(z))[T.arange(z.shape[0]), LABELS],
        True,
    ),
    "log(picked softmax)": (
        lambda z: -T.log(_softmax_written_out(z)[T.arange(z.shape[0]), LABELS]),
        True,
    ),
    "log(picked T.nn.softmax)": (
        lambda z: -T.log(T.nn.softmax(z)[T.arange(z.shape[0]), LABELS]),
        True,
    ),
    "log(picked rows of T.nn.softmax)": (
        lambda z: -T.log(T.nn.softmax(z)[T.arange(LABELS_LATER.shape[0]), LABELS_LATER]),
        True,
    ),
    "one-hot": (
        lambda z: -(T.one_hot(LABELS, 3) * T.log(_softmax_written_out(z))).sum(axis=1),
        True,
    ),
    "logsumexp less the label's": (
        lambda z: T.log(T.exp(z).sum(axis=1)) - z[T.arange(z.shape[0]), LABELS],
        True,
    ),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", BY_ROW)
def test_gradient_by_row(name, reduction):
    formula, less = BY_ROW[name]
    z, v = T.tensor("float64", (None, 3), "z"), T.vector("v")
    v_value = np.linspace(0.5, 1.5, 3)
    exact = np.array([_softmax(row) for row in ROWS])
    if less:
        exact = exact - np.eye(3)[LABELS]
    exact = exact * factors(reduction, v_value)[:, None]
    g = rewritten(sc.grad(REDUCTIONS[reduction](formula(z), v), z))
    with np.errstate(all="ignore"):
        value = evaluate([g], {z: ROWS, v: v_value, LABELS_LATER: LABELS})[0]
    close(value, exact, absolute=1e-16)


def test_a_nan_is_not_forgotten():
    x, y = T.vector("x"), T.vector("y")
    formulas = [
        T.sigmoid(x) / T.sigmoid(x),
        y * T.sigmoid(x) / T.sigmoid(x),
        (1 + T.exp(x)) * T.sigmoid(-x),
        (1 - T.sigmoid(x)) / T.sigmoid(-x),
        sc.grad(T.log(T.sigmoid(x)).mean(), x),
    ]
    given = {x: np.array([np.nan]), y: np.array([2.0])}
    for formula in formulas:
        assert np.isnan(evaluate([sc.simplify(formula)], given)[0]).all(), str(formula)


def test_deep_expressions_need_no_stack():
    x = T.vector("x")
    deep = x
    for i in range(3000):
        deep = -(2 * deep + x) if i % 2 else deep / (x + i)
    y = T.exp(deep) * T.sigmoid(x) / (1 + T.exp(-deep))
    assert sc.simplify(y).shape == x.shape


def test_compiled():
    x, w = T.matrix("x"), T.vector("w")
    cost = T.log(1 + T.exp(x @ w)).mean()
    gradient = sc.function([x, w], sc.grad(cost, w))([[1000, 0], [0, 1]], [1, -1])
    np.testing.assert_allclose(gradient, [500, 0.5 / (1 + np.e)], rtol=1e-13)
