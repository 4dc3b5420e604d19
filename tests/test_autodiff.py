"""Gradients of whole expressions: what they are, what their parameters do, and how they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import DisconnectedInputError, GradientError, OptionError
from symcomp.graph.walk import evaluate, order

X = np.array([0.3, -0.5, 1.2])
M = np.random.default_rng(0).normal(size=(4, 3))


def value(expr, **given):
    names = {v.name: v for v in order([expr]) if v.op is None and v.name in given}
    return evaluate([expr], {names[n]: np.asarray(a) for n, a in given.items() if n in names})[0]


# --- grad -----------------------------------------------------------------------------------------


def test_the_form_of_wrt_is_the_form_of_the_result():
    x, y = T.vector("x"), T.vector("y")
    cost = (x * y).sum()
    assert isinstance(sc.grad(cost, [x, y]), list)
    assert list(sc.grad(cost, {"a": x, "b": y})) == ["a", "b"]
    first, second = sc.grad(cost, (x, x))
    assert first is second is sc.grad(cost, x)


def test_gradients_have_the_type_of_their_variable():
    x = T.fmatrix("x")
    g = sc.grad((x.astype("float64") ** 2).sum(), x)
    assert (g.dtype, g.ndim) == ("float32", 2)


def test_paths_add_up():
    x = T.scalar("x")
    y = x * x
    assert value(sc.grad(y * y + y + x, x), x=2.0) == 4 * 8 + 2 * 2 + 1


def test_higher_orders():
    x = T.scalar("x")
    d = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
        d = sc.grad(d, x, disconnected_inputs="ignore")
        assert value(d, x=2.0) == pytest.approx(expected)


def test_consider_constant_takes_one_or_many():
    x = T.scalar("x")
    y = x * x
    for fixed in (y, [y]):
        assert value(sc.grad(y * x, x, consider_constant=fixed), x=3.0) == 9


def test_known_grads_start_inside():
    x, g = T.vector("x"), T.vector("g")
    y = T.tanh(x)
    d = sc.grad(None, x, known_grads={y: g})
    np.testing.assert_allclose(value(d, x=X, g=X), X * (1 - np.tanh(X) ** 2))


def test_broadcasting_is_summed_back():
    x, b = T.matrix("x"), T.row("b")
    np.testing.assert_allclose(
        value(sc.grad((x * b).sum(), b), x=M, b=np.ones((1, 3))), M.sum(0, keepdims=True)
    )


def test_a_long_chain_needs_no_stack():
    x = y = T.scalar("x")
    for _ in range(20_000):
        y = y + x
    assert value(sc.grad(y, x), x=1.0) == 20_001


def test_through_integers_and_comparisons_nothing_flows():
    x = T.vector("x")
    with pytest.raises(DisconnectedInputError, match="does not depend on x"):
        sc.grad((x > 0).sum().astype("float64"), x)


@pytest.mark.parametrize("policy", ["warn", "ignore"])
def test_disconnected_inputs(policy):
    x, y = T.vector("x"), T.vector("y")
    if policy == "warn":
        with pytest.warns(UserWarning, match="does not depend on y"):
            g = sc.grad(x.sum(), y, disconnected_inputs=policy)
    else:
        g = sc.grad(x.sum(), y, disconnected_inputs=policy)
    np.testing.assert_array_equal(value(g, y=X), np.zeros(3))


def test_what_grad_refuses():
    x, n = T.vector("x"), T.ivector("n")
    with pytest.raises(GradientError, match="must be a scalar, not a float64 vector"):
        sc.grad(x * 2, x)
    with pytest.raises(GradientError, match="n is int32"):
        sc.grad(x.sum(), n)
    with pytest.raises(OptionError, match="'raise' or 'warn' or 'ignore'"):
        sc.grad(x.sum(), x, disconnected_inputs="explode")
    with pytest.raises(GradientError, match="neither a cost nor a known gradient"):
        sc.grad(None, x)
    with pytest.raises(GradientError, match="not a symbolic expression"):
        sc.grad(x.sum(), 3)
    with pytest.raises(GradientError, match=r"test_autodiff\.py"):
        sc.grad(x * 2, x)


# --- stopped and clipped --------------------------------------------------------------------------


def test_stopped_zeroed_and_clipped():
    x = T.vector("x")
    assert value(sc.grad((T.stop_gradient(x) * x).sum(), x), x=X) == pytest.approx(X)
    with pytest.raises(DisconnectedInputError):
        sc.grad(T.stop_gradient(x).sum(), x)
    assert not value(sc.grad(T.zero_grad(x).sum(), x), x=X).any()
    clipped = sc.grad((T.grad_clip(x, -1, 1) * 3).sum(), x)
    np.testing.assert_array_equal(value(clipped, x=X), np.ones(3))


# --- products with vectors ------------------------------------------------------------------------


def test_vjp_and_jvp_are_transposes():
    x, u, v = T.vector("x"), T.vector("u"), T.vector("v")
    y = T.tanh(M @ x) * x.sum()
    given = {"x": X, "u": M[:, 0], "v": M[0]}
    left = value(sc.vjp(y, x, u), **given) @ M[0]
    right = M[:, 0] @ value(sc.jvp(y, x, v), **given)
    assert left == pytest.approx(right)


def test_jvp_of_what_does_not_depend_is_zero():
    x, y = T.vector("x"), T.vector("y")
    assert not value(sc.jvp(y * 2, x, x), x=X, y=X).any()


def test_vectors_must_fit():
    x = T.vector("x")
    with pytest.raises(GradientError, match="vjp: 1 values need as many cotangents, not 2"):
        sc.vjp(x, x, [x, x])
    with pytest.raises(GradientError, match="tangent of x is a float64 matrix"):
        sc.jvp(x, x, T.matrix("v"))


# --- Jacobians and Hessians -----------------------------------------------------------------------


def test_jacobian_has_the_shape_of_output_and_variable():
    x, a = T.vector("x"), T.matrix("a")
    y = T.tanh(a @ x)
    d = 1 - np.tanh(M @ X) ** 2
    np.testing.assert_allclose(value(sc.jacobian(y, x), x=X, a=M), d[:, None] * M)
    by_a = value(sc.jacobian(y, a), x=X, a=M)
    np.testing.assert_allclose(by_a, np.einsum("i,ij,k->ijk", d, np.eye(4), X))
    assert sc.jacobian(y, a).ndim == 3


def test_jacobians_do_not_grow_with_sizes():
    def nodes(n):
        x = T.tensor("float64", (n,), "x")
        return len(order([sc.jacobian(T.nn.softmax(x * x), x)]))

    assert nodes(3) == nodes(3000)


def test_jacobian_of_what_does_not_depend():
    x, y = T.vector("x"), T.vector("y")
    with pytest.raises(DisconnectedInputError):
        sc.jacobian(y, x)
    assert value(sc.jacobian(y, x, "ignore"), x=X, y=M[:, 0]).shape == (4, 3)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (T.exp(x) * x.sum() ** 2).sum(),
        lambda x: T.logsumexp(x * x),
        lambda x: T.cumprod(x).sum(),
        lambda x: (x[1:] * x[:-1] ** 2).sum(),
        lambda x: T.nn.cross_entropy_with_logits(T.outer(x, x), [0, 2, 1]).mean(),
        lambda x: T.sinc(x).prod(),
    ],
)
def test_hessians_are_those_of_differences(function):
    x = T.vector("x")
    h = value(sc.hessian(function(x), x), x=X)
    g = sc.grad(function(x), x)
    step = 1e-6
    columns = [(value(g, x=X + e) - value(g, x=X - e)) / (2 * step) for e in np.eye(3) * step]
    np.testing.assert_allclose(h, np.stack(columns, 1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(h, h.T, atol=1e-12)


def test_hessian_of_a_matrix_and_of_a_linear_cost():
    a = T.matrix("a")
    assert value(sc.hessian((a**3).sum(), a), a=M).shape == (4, 3, 4, 3)
    assert not value(sc.hessian(a.sum(), a), a=M).any()


def test_python_has_no_jacobian():
    op = sc.python_op(np.sin, type=lambda x: x, vjp=lambda g, out, x: slow_cos(x) * slow(g))
    slow = sc.python_op(np.copy, type=lambda x: x)
    slow_cos = sc.python_op(np.cos, type=lambda x: x)
    x = T.vector("x")
    np.testing.assert_allclose(value(sc.grad(op(x).sum(), x), x=X), np.cos(X))
    with pytest.raises(GradientError, match="has no rule for batching"):
        sc.jacobian(op(x), x)


# --- check_gradient -------------------------------------------------------------------------------


def test_check_gradient_finds_a_wrong_one():
    wrong = sc.python_op(np.sin, type=lambda x: x, vjp=lambda g, out, x: g)
    with pytest.raises(GradientError, match=r"the gradient is .* and the difference quotient"):
        sc.check_gradient(wrong, [X])
    assert sc.check_gradient(T.sin, [X]) < 1e-8
