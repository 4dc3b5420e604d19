"""mode="check": right functions pass; a wrong rule, kernel, print or memory plan is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import loops, lower, memory
from symcomp.compile import check
from symcomp.errors import BoundsError, CheckError, ShapeError
from symcomp.rewrite import ruleset
from symcomp.rewrite.rule import registry
from symcomp.tensor import elementary
from tests.laws.random_programs import KINDS, runner
from tests.laws.random_programs import check as compare
from tests.small_programs import CASES


@pytest.fixture
def own_cache(tmp_path):
    """Nothing that a fault has made is left for others."""
    with sc.options(cache=tmp_path / "cache"):
        yield


@pytest.mark.parametrize("name", CASES)
def test_small_programs_pass(name):
    c = CASES[name]()
    # Random streams do not move on, so that both functions draw the same.
    f = sc.function(c.inputs, c.outputs, updates=c.updates, mode="check", no_default_updates=True)
    plain = sc.function(
        c.inputs, c.outputs, mode="numpy", on_unused_input="ignore", no_default_updates=True
    )
    expected = plain(*c.arguments)
    for got, want in zip(f(*c.arguments), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_random_programs_pass(kind):
    for seed in range(100, 112):
        program, outputs, updates = KINDS[kind](seed, 6)
        assert not compare(
            program, outputs, updates, runner(program, outputs, updates, mode="check")
        )


def test_updates_happen_once():
    w = sc.shared(np.arange(3.0), name="w")
    f = sc.function([], w.sum(), updates=[(w, w + 1)], mode="check")
    assert [float(f()) for _ in range(3)] == [3, 6, 9]
    assert w.get_value().tolist() == [3, 4, 5]


def test_errors_of_the_caller_are_the_same():
    x, y, at = T.dvector("x"), T.dvector("y"), T.lvector("at")
    f = sc.function([x, y, at], (x + y)[at], mode="check")
    with pytest.raises(ShapeError):
        f(np.ones(3), np.ones(4), [0])
    with pytest.raises(BoundsError):
        f(np.ones(3), np.ones(3), [3])


@ruleset
def wrong(x):
    """The hyperbolic tangent is not its argument."""
    yield T.tanh(x), x


del registry["wrong"]  # the laws are not for it


def test_a_wrong_rule_is_named(own_cache):
    x = T.dvector("x")
    f = sc.function([x], T.tanh(x) + 1, rules=wrong, mode="check")
    with pytest.raises(CheckError, match=r"the rule wrong\S* changes a value") as error:
        f(np.array([0.0, 0.5, 2.0]))
    text = str(error.value)
    assert "at [1] it is np.float64(0.5) after it" in text and "2 elements differ" in text
    assert "tanh(x)  →  x" in text
    assert "test_check.py" in text and "T.tanh(x) + 1, rules=wrong" in text


def test_a_wrong_lowering_is_named(own_cache, monkeypatch):
    right = lower.Lowering.kernels

    def off_by_one(self, group):
        return [replace(k, body=_with_larger_stores(k.body)) for k in right(self, group)]

    monkeypatch.setattr(lower.Lowering, "kernels", off_by_one)
    x = T.dvector("x")
    f = sc.function([x], T.sin(x) * 3, mode="check")
    with pytest.raises(CheckError, match="does not compute its expression") as error:
        f(np.array([0.0, 1.0]))
    text = str(error.value)
    assert "at [0] it is np.float64(1.0) in C and np.float64(0.0) by NumPy" in text
    assert "T.sin(x) * 3" in text


def _with_larger_stores(body: tuple) -> tuple:
    result = []
    for s in body:
        if isinstance(s, loops.Store):
            s = replace(s, value=s.value + 1.0)
        elif isinstance(s, (loops.For, loops.If)):
            s = replace(s, body=_with_larger_stores(s.body))
        result.append(s)
    return tuple(result)


def test_wrong_c_is_named(own_cache, monkeypatch):
    monkeypatch.setattr(elementary.tanh, "c", "sc_sin_{t}({x})")
    x = T.dvector("x")
    f = sc.function([x], T.tanh(x) * 3, mode="check")
    with pytest.raises(CheckError, match="does not do what its loops say") as error:
        f(np.array([0.0, 1.0]))
    assert "tanh" in str(error.value) and "kernel k" in str(error.value)


def test_a_wrong_plan_of_memory_is_named(own_cache, monkeypatch):
    def one_for_all(kernels, temporaries, *more):
        sizes = [memory.measure(b) for b in temporaries]
        return [memory.Slot(list(dict.fromkeys(sizes)), list(temporaries))]

    monkeypatch.setattr(memory, "assign", one_for_all)
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = sc.function([x, y], T.dot(T.exp(x), T.exp(y)), mode="check")
    with pytest.raises(CheckError, match="output 0 is not what its kernels give one by one"):
        f(np.eye(3), np.ones((3, 3)))


# --- agreement ------------------------------------------------------------------------------------


def test_a_difference_names_the_first_place():
    got, expected = np.array([[1.0, 2.0], [3.5, 5.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    found = check.difference(got, expected, 4.0)
    assert found == ((1, 0), 3.5, 3.0, 2)


@pytest.mark.parametrize(
    ("got", "expected", "agree"),
    [
        ([1.0, np.nan], [1.0, np.nan], True),
        ([np.inf], [np.inf], True),
        ([np.inf], [-np.inf], False),
        ([np.nan], [1.0], False),
        ([1.0 + 1e-14], [1.0], True),
        ([1.0 + 1e-12], [1.0], False),
        ([1e-14, 1.0], [0.0, 1.0], True),
        ([3], [4], False),
        ([True], [False], False),
    ],
)
def test_what_agrees(got, expected, agree):
    got, expected = np.array(got), np.array(expected)
    assert (check.difference(got, expected, check._largest(expected)) is None) == agree


def test_a_cancellation_is_no_error():
    x = T.fvector("x")
    formula = T.exp(x) - (T.exp(x / 2) ** 2)
    f = sc.function([x], formula * 1e6, mode="check")
    f(np.linspace(1, 9, 50).astype("f4"))


def test_a_formula_that_overflows_may_be_replaced():
    x = T.dvector("x")
    f = sc.function([x], T.log(1 + T.exp(x)), mode="check")
    assert f(np.array([0.0, 1000.0])).tolist() == pytest.approx([np.log(2), 1000])
