"""NumPy's universal functions of expressions."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import symcomp.tensor as T
from symcomp.errors import DtypeError
from symcomp.tensor.ufuncs import _UFUNCS

X = T.dvector("x")
A = np.array([0.5, 0.25, 1.5])
MEANT = [u for u, function in _UFUNCS.items() if function is not None]


def test_most_of_them_have_a_meaning():
    assert len(MEANT) >= 60


@pytest.mark.parametrize("ufunc", MEANT, ids=lambda u: u.__name__)
def test_value(ufunc):
    kind = "int64" if "d->" not in "".join(t[-4:] for t in ufunc.types) else "float64"
    value = (A * 4).astype(kind)
    x = T.tensor(kind, (3,), "x")
    both = [value] * (ufunc.nin - 1)
    with np.errstate(all="ignore"):
        expected = ufunc(value, *both)
        found = ufunc(x, *both).eval({x: value})
        swapped = ufunc(*both, x).eval({x: value})
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(swapped, expected, rtol=1e-14)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "truediv", "matmul", "pow", "lt", "ge"])
def test_an_array_on_the_left_is_an_operand(op):
    function = getattr(operator, op)
    assert function(A, X).eval({X: A + 1}).tolist() == function(A, A + 1).tolist()


def test_reductions_of_numpy():
    assert np.sum(X) is X.sum()
    assert np.mean(X, axis=0) is X.mean(axis=0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: np.spacing(X), "np.spacing has no symbolic meaning"),
        (lambda: np.add.reduce(X), "np.add.reduce has no symbolic meaning; T.add"),
        (lambda: np.exp(X, where=A > 1), "np.exp with where= has no symbolic meaning"),
        (lambda: operator.iadd(A.copy(), X), "instead of a += x"),
        (lambda: operator.setitem(X, 0, 1), "T.set_subtensor"),
    ],
)
def test_what_has_no_meaning_says_so(call, words):
    with pytest.raises(DtypeError) as caught:
        call()
    assert words in str(caught.value)
