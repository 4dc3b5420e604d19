"""Formulas as text, LaTeX and Graphviz."""

from __future__ import annotations

import pytest

import symcomp as sc
import symcomp.tensor as T

x, W, b = T.matrix("x"), T.matrix("W"), T.vector("b_1")
theta = T.scalar("theta")


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
