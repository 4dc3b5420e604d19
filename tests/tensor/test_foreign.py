"""Operations declared outside: by equation, by C symbol, by Python."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, DtypeError, GradientError, ShapeError
from symcomp.graph.notation import Max, Sum, index
from symcomp.graph.walk import evaluate

A = np.random.default_rng(0).normal(size=(3, 2))
B = np.random.default_rng(1).normal(size=(4, 2))


@sc.equation(shape=lambda a, b: (a.shape[0], b.shape[0]))
def distance(a, b, i, j):
    """Σₖ |a[i, k] − b[j, k]|"""
    k = index(a.shape[1])
    return Sum(k, abs(a[i, k] - b[j, k]))


@sc.equation(shape=lambda x: (x.shape[0],), vjp=lambda g, out, x: T.expand_dims(g, 1) * (x >= 0))
def positive_part(x, i):
    k = index(x.shape[1])
    return Sum(k, T.maximum(x[i, k], 0))


@sc.c_function("twice_{t}({x})", source="", grad=lambda x, y: 2)
def twice(x):
    """2x"""
    return 2 * x


@sc.python_op(type=lambda x: x, vjp=lambda g, out, x: g * T.cos(x))
def sine(x):
    """sin x"""
    return np.sin(x)


def test_an_equation_is_evaluated():
    a, b = T.matrix("a"), T.matrix("b")
    d = distance(a, b)
    assert d.shape == (a.shape[0], b.shape[0])
    assert str(d) == "distance(a, b)"
    np.testing.assert_allclose(
        evaluate([d], {a: A, b: B})[0], abs(A[:, None] - B).sum(-1), rtol=1e-14
    )


def test_folds_in_folds():
    @sc.equation(shape=lambda x: ())
    def largest_row(x):
        i, k = index(x.shape[0]), index(x.shape[1])
        return Max(i, Sum(k, x[i, k]))

    x = T.matrix("x")
    assert evaluate([largest_row(x)], {x: A})[0] == pytest.approx(A.sum(1).max())


def test_gradients_of_declared_operations():
    sc.check_gradient(positive_part, [A])
    sc.check_gradient(twice, [A])
    sc.check_gradient(sine, [A])
    a = T.matrix("a")
    with pytest.raises(GradientError, match="distance was declared without a vjp"):
        sc.grad(distance(a, a).sum(), a)


@pytest.mark.parametrize("op", [distance, twice, sine])
def test_declared_operations_are_pickled_by_reference(op):
    assert pickle.loads(pickle.dumps(op)) is op


def test_python_must_return_what_was_declared():
    x = T.vector("x")
    wrong = sc.python_op(lambda v: v.astype("float32"), type=lambda v: v)
    with pytest.raises(DtypeError, match="returned float32 where float64 was declared"):
        evaluate([wrong(x)], {x: A[0]})
    wrong = sc.python_op(lambda v: v[None], type=lambda v: v)
    with pytest.raises(ShapeError, match=r"returned shape \(1, 2\)"):
        evaluate([wrong(x)], {x: A[0]})
    wrong = sc.python_op(np.sin, type="float64")
    with pytest.raises(ArgumentError, match="a result type is"):
        wrong(x)
    count = sc.python_op(lambda v: np.int64(len(v)), type=("int64", ()))
    assert evaluate([count(x)], {x: A[0]})[0] == 2


def test_names_and_parameters_of_c_functions():
    with pytest.raises(ArgumentError, match="exp is the name of an operation"):

        @sc.c_function("exp({x})")
        def exp(x):
            return x

    with pytest.raises(ArgumentError, match=r"\{z\} in 'f\(\{z\}\)' is not a parameter of f"):

        @sc.c_function("f({z})")
        def f(x):
            return x

    with pytest.raises(GradientError, match="vjp of two gives 2 gradients for 1 arg"):

        @sc.python_op(type=lambda x: x, vjp=lambda g, out, x: (g, g))
        def two(x):
            return x

        v = T.vector()
        sc.grad(two(v).sum(), v)
