"""Facts hold: computed values lie within what is known of them before."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp.tensor as T
from symcomp.graph.expr import Variable
from symcomp.graph.op import registry
from symcomp.graph.scalar import Primitive
from symcomp.graph.type import Type, is_float
from symcomp.graph.walk import evaluate
from symcomp.rewrite.facts import Facts

FUNCTIONS = [f for f in registry.values() if isinstance(f, Primitive)]


@pytest.mark.parametrize("kind", ["float64", "positive", "int8", "uint8", "bool"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_values_are_within_the_facts(function, kind):
    rng = np.random.default_rng(0)
    count = 3 if function.variadic else len(function.parameters)
    dtype = "float64" if kind == "positive" else kind
    variables, values, args = [], {}, []
    for n in range(count):
        v = Variable(Type(dtype, (None,)), f"v{n}")
        data = (
            rng.normal(size=200) * rng.choice([0.3, 1, 30], 200)
            if is_float(dtype)
            else rng.integers(0 if kind == "uint8" else -20, 20, 200)
        )
        values[v] = np.asarray(data).astype(dtype)
        variables.append(v)
        args.append(abs(v) + 0.5 if kind == "positive" else v)
    try:
        e = function(*args)
    except (TypeError, ValueError):
        pytest.skip("not for this dtype")
    if function is T.power and not is_float(e.dtype):
        pytest.skip("NumPy has no negative powers of integers")
    fact = Facts().of(e)
    (out,) = evaluate([e], values)
    inputs_fine = np.all([np.isfinite(a) for a in evaluate(args, values)], axis=0)
    fine = ~np.isnan(out.astype(float))
    rounding = 1e-6 * np.abs(out[fine].astype(float)) + 1e-12
    assert np.all(out[fine] >= fact.low - rounding) and np.all(out[fine] <= fact.high + rounding)
    if fact.whole:
        assert np.all(out[np.isfinite(out.astype(float))] % 1 == 0)
    if fact.finite:
        assert np.all(np.isfinite(out[inputs_fine].astype(float)))
    if fact.nonzero and kind != "float64":  # a value may round to zero
        assert np.all(out != 0)


def test_signs_of_formulas():
    known, x = Facts(), T.vector("x")
    assert known.nonnegative(x**2) and known.nonnegative(abs(x) + T.sigmoid(x))
    assert (
        known.positive(1 + x**2) and known.positive(T.exp(x)) and known.negative(-T.softplus(x) - 1)
    )
    assert known.whole(T.floor(x)) and known.finite(T.cast(T.lvector("i"), "float64"))
    assert not known.finite(x) and not known.finite(T.sigmoid(x)) and not known.nonnegative(x)
    i = T.lvector("i")
    assert not known.nonnegative(i * i), "integers wrap around"
    assert known.nonnegative(x.shape[0] * x.shape[0])


def test_facts_do_not_recurse():
    x = T.vector("x")
    e = x
    for _ in range(20_000):
        e = T.sin(e) + 1
    assert Facts().nonnegative(e)
