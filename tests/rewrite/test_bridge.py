"""To SymPy and back."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symcomp.tensor as T
from symcomp.errors import ArgumentError
from symcomp.graph.walk import evaluate
from symcomp.rewrite.bridge import from_sympy, to_sympy

FORMULAS = [
    lambda x, y: T.exp(x) * T.sin(y) ** 2 - x / (1 + y * y),
    lambda x, y: T.where(x > y, T.sqrt(abs(x)), T.log1p(abs(y))),
    lambda x, y: T.maximum(x, T.minimum(y, 0.5)) + T.sigmoid(x) + T.arctan2(x, y),
    lambda x, y: T.cast(x > 0, "float64") * T.expm1(y) + T.floor(x) - T.arcsinh(y),
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_there_and_back(formula):
    x, y = T.vectors("x", "y")
    e = formula(x, y)
    back = from_sympy(to_sympy(e), {"x": x, "y": y})
    rng = np.random.default_rng(0)
    values = {x: rng.normal(size=9), y: rng.normal(size=9)}
    np.testing.assert_allclose(*evaluate([e, back], values), rtol=1e-12)


def test_constants_of_mathematics():
    assert to_sympy(T.scalar("x") * np.log(2)) == sympy.Symbol("x", real=True) * sympy.log(2)


def test_what_has_no_meaning_for_one_number():
    with pytest.raises(ArgumentError, match="to_sympy"):
        to_sympy(T.vector("x").sum())
    with pytest.raises(ArgumentError, match="no expression for z"):
        from_sympy(sympy.Symbol("z"), {})
