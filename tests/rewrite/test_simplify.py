"""`sc.simplify`, and gradients as they are written down."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.walk import evaluate

x, a, b = T.vector("x"), T.scalar("a"), T.scalar("b")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (T.log(1 + T.exp(x)), "softplus(x)"),
        (x * 1 + 0, "x"),
        (a + b - 2 * b + 3 * b, "a + 2.0 * b"),
        (T.exp(T.log(T.exp(a))), "exp(a)"),
        (T.log(T.exp(x) / T.exp(x).sum()), "logsoftmax(x, axis=0)"),
    ],
)
def test_simplify(expr, text):
    result = sc.simplify(expr)
    assert str(result) == text
    given = {x: np.array([0.5, -2.0]), a: np.array(0.7), b: np.array(-1.5)}
    np.testing.assert_allclose(*evaluate([expr, result], given), rtol=1e-14)


def test_simplify_several():
    one, two = sc.simplify([T.exp(x) * 1, 1 + T.exp(x) - 1])
    assert one is T.exp(x)
    assert isinstance(sc.simplify((x,)), list)
    assert evaluate([two], {x: np.zeros(2)})[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("cost", "by", "text"),
    [
        (T.sin(a) * a**2, a, "sin(a) * (2.0 * a) + a ** 2.0 * cos(a)"),
        (a**3, a, "3.0 * a ** 2.0"),
        (a**1, a, "1.0"),
        (a**-1, a, "-1.0 * a ** -2.0"),
        (T.sin(x).sum(), x, "cos(x)"),
        (-T.sin(x).sum(), x, "-cos(x)"),
        (T.dot(x, x), x, "x + x"),
        ((3 * x).sum(), x, "broadcast_to(3.0, (x.shape[0],))"),
        (a * b, a, "b"),
        (a / b, a, "1.0 / b"),
        (T.exp(a) * b, a, "b * exp(a)"),
    ],
)
def test_gradient_reads_like_mathematics(cost, by, text):
    assert str(sc.grad(cost, by)) == text


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, 2.5])
def test_derivative_of_literal_power(exponent):
    value = np.array([0.3, 1.0, 7.0])
    g = evaluate([sc.grad((x**exponent).sum(), x)], {x: value})[0]
    np.testing.assert_allclose(g, exponent * value ** (exponent - 1.0), rtol=1e-14)


def test_derivative_at_zero():
    for exponent in (0, 1, 2, 3):
        g = evaluate([sc.grad(a**exponent, a)], {a: np.array(0.0)})[0]
        assert g == (1.0 if exponent == 1 else 0.0)
