"""Formulas as text, LaTeX and Graphviz."""

from __future__ import annotations

import pytest

import symcomp as sc
import symcomp.tensor as T

x, W, b = T.matrix("x"), T.matrix("W"), T.vector("b_1")
theta, phi, k = T.scalar("theta"), T.scalar("phi"), T.lscalar("k")
five = T.tensor("float64", (5,), "five")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (T.tanh(x @ W + b), "tanh(x @ W + b_1)"),
        ((x + 1) * 2 - x, "(x + 1.0) * 2.0 - x"),
        (x - (x - 1), "x - (x - 1.0)"),
        (-(x + 1), "-(x + 1.0)"),
        (x.T @ x, "x.T @ x"),
        (b[:, None], "b_1[:, None]"),
        (x.sum(axis=0), "sum(x, axis=0)"),
        (x.shape[0], "x.shape[0]"),
        (T.roll(b, 1), "roll(b_1, 1, axis=0)"),
        ((theta**phi) ** 2, "(theta ** phi) ** 2.0"),
        (theta ** (phi**2), "theta ** phi ** 2.0"),
        ((-theta) ** 2, "(-theta) ** 2.0"),
        (-(theta**2), "-theta ** 2.0"),
        (theta**-phi, "theta ** -phi"),
        (T.cast(-1.0, "float64") ** theta, "(-1.0) ** theta"),
        (theta * -2, "theta * -2.0"),
        (b[1:], "b_1[1:]"),
        (b[:-1], "b_1[:-1]"),
        (b[1:-1], "b_1[1:-1]"),
        (b[:3], "b_1[:3]"),
        (b[-3:], "b_1[-3:]"),
        (b[2:5], "b_1[2:5]"),
        (b[::-1], "b_1[::-1]"),
        (b[::2], "b_1[::2]"),
        (b[k:], "b_1[k:]"),
        (b[:k], "b_1[:k]"),
        (b[3], "b_1[3]"),
        (b[-1], "b_1[-1]"),
        (x[1:, 2], "x[1:, 2]"),
        (x[0], "x[0, :]"),
        (five[1:], "five[1:]"),
        (five[1:4:2], "five[1::2]"),
        (five[3:0:-1], "five[3:0:-1]"),
        (five[::-1], "five[::-1]"),
        ((b + 1)[1:], "(b_1 + 1.0)[1:]"),
        (T.zeros(b.shape[0] - 1).shape[0], "b_1.shape[0] - 1"),
        (b[1:].shape[0], "maximum(0, b_1.shape[0] - 1)"),
        (b[:3].shape[0], "minimum(b_1.shape[0], 3)"),
        (T.concatenate([b, b[:2]]).shape[0], "minimum(2 * b_1.shape[0], b_1.shape[0] + 2)"),
        (x.ravel().shape[0], "x.shape[0] * x.shape[1]"),
    ],
)
def test_text(expr, text):
    assert str(expr) == text


@pytest.mark.parametrize(
    ("expr", "formula"),
    [
        (T.tanh(x @ W + b), r"\tanh\left(x\,W + b_{1}\right)"),
        (theta / 2 + T.sqrt(theta), r"\frac{\theta}{2} + \sqrt{\theta}"),
        ((theta + 1) ** 2, r"\left(\theta + 1\right)^{2}"),
        (theta * 3e-7, r"\theta \cdot 3 \cdot 10^{-7}"),
        (x.T @ x, r"x^{\top}\,x"),
        (x.sum(axis=0), r"\sum_{0} x"),
        (T.vector("learning_rate"), r"\mathrm{learning}_{\mathrm{rate}}"),
        (
            T.where(theta > 0, theta, 0),
            r"\begin{cases}\theta & \theta > 0\\0 & \text{otherwise}\end{cases}",
        ),
        (T.nn.softmax(b), r"\operatorname{softmax}\left(b_{1}\right)"),
    ],
)  # fmt: skip
def test_latex(expr, formula):
    assert sc.latex(expr) == formula


def test_latex_of_a_deep_expression_needs_no_stack():
    y = theta
    for _ in range(5000):
        y = T.tanh(y)
    assert sc.latex(y).count("tanh") == 5000


def test_graphviz_draws_what_is_shared_once():
    y = T.exp(x)
    drawn = sc.to_dot(y * y + x - y)
    assert drawn.startswith("digraph symcomp {")
    assert drawn.count('label="exp(·)') == 1
    assert drawn.count("peripheries=2") == 1
    assert '[label="1"]' in drawn
