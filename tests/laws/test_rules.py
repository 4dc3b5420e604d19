"""The four laws, over every rule of every table: true, no worse in accuracy, terminating, alive.

Run with `-s` to see each rule and the rung on which it was proven:

    SymPy            lhs − rhs simplifies to 0 under the rule's assumptions
    SymPy, by cases  the same for each sign, or each truth value, of the wildcards
    every value      checked for all int8 (or all truth values)
    60 digits        evidence, not proof: both sides agree at many points, evaluated by mpmath
"""

from __future__ import annotations

import itertools
import math
import zlib

import mpmath
import numpy as np
import pytest
import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom, BooleanFunction

import symcomp.tensor as T
from symcomp.graph.expr import Constant, Variable, constant
from symcomp.graph.type import Type, is_float
from symcomp.graph.walk import evaluate, order
from symcomp.rewrite import canonicalize, forgetful, regrouping, specialize, stabilize
from symcomp.rewrite.bridge import to_sympy
from symcomp.rewrite.engine import pattern_form, rewrite
from symcomp.rewrite.match import builder
from symcomp.rewrite.rule import Rule, RuleSet, decreases, registry

RULES = [r for rules in registry.values() for r in rules if isinstance(r, Rule)]
ARRAY_RULES = [r for rules in registry.values() for r in rules if not isinstance(r, Rule)]
EXTRA = list(forgetful)


def by_name(rules):
    return pytest.mark.parametrize("rule", rules, ids=lambda r: r.name)


def test_there_are_enough_rules():
    assert len(RULES) + len(ARRAY_RULES) >= 160


# --- true -----------------------------------------------------------------------------------------

BITS = {"bits"}
TRUTHS = (Relational, BooleanFunction, BooleanAtom)


def symbols_for(rule, extra=()):
    """SymPy symbols for the wildcards, under the assumptions of the rule; `extra` assumes more of
    some."""
    assumed = {w: {"real": True} for w in rule.wilds}
    for c in rule.conditions:
        for part in c.parts:
            if part in assumed and c.assumption and c.assumption != "real":
                assumed[part][c.assumption] = True
    for w, name in extra:
        assumed[w][name] = True
    made = {}
    for w in rule.wilds:
        if w.dtype == "bool":
            made[w] = sympy.Symbol(w.name)
        elif w.sort.name == "Integer":
            made[w] = sympy.Symbol(w.name, integer=True)
        else:
            made[w] = sympy.Symbol(w.name, **assumed[w])
    return made


def is_zero(left, right) -> bool:
    if left == right:
        return True
    if isinstance(left, TRUTHS) or isinstance(right, TRUTHS):
        left, right = (sympy.sympify(s).simplify() for s in (left, right))
        return left == right or sympy.simplify(sympy.Equivalent(left, right)) == sympy.true
    difference = left - right
    for attempt in (
        lambda d: d,
        sympy.expand,
        sympy.simplify,
        lambda d: sympy.simplify(sympy.expand_log(d, force=False)),
        lambda d: sympy.simplify(d.rewrite(sympy.Piecewise)),
        lambda d: sympy.simplify(sympy.expand(d.rewrite(sympy.exp))),
        lambda d: sympy.simplify(sympy.logcombine(d)),
    ):
        try:
            if attempt(difference) == 0:
                return True
        except (NotImplementedError, TypeError, ValueError, AttributeError):
            continue
    return False


def proven(rule, extra=()) -> bool:
    names = symbols_for(rule, extra)
    try:
        left, right = to_sympy(rule.left, names), to_sympy(rule.right, names)
    except TypeError:
        return False
    return is_zero(left, right)


def by_cases(rule) -> bool:
    truths = [w for w in rule.wilds if w.dtype == "bool"]
    if truths:
        names = symbols_for(rule)
        left, right = to_sympy(rule.left, names), to_sympy(rule.right, names)
        cases = itertools.product((sympy.true, sympy.false), repeat=len(truths))
        return all(
            is_zero(left.subs(chosen), right.subs(chosen))
            for case in cases
            for chosen in [dict(zip([names[w] for w in truths], case, strict=True))]
        )
    reals = [w for w in rule.wilds if w.sort.name in ("Float", "Number", "Value")]
    signs = itertools.product(("positive", "negative"), repeat=len(reals))
    try:
        return len(reals) <= 2 and all(
            proven(rule, tuple(zip(reals, case, strict=True))) for case in signs
        )
    except sympy.core.facts.InconsistentAssumptions:
        return False


def for_every_value(rule) -> bool:
    kinds = {w.sort.name for w in rule.wilds}
    if kinds == {"Integer"}:
        every = np.arange(-128, 128).astype("int8")
    elif kinds == {"Boolean"}:
        every = np.array([False, True])
    else:
        return False
    variables = {w: Variable(Type(every.dtype.name, (None,)), w.name) for w in rule.wilds}
    left, right = (
        as_expression(builder(s)(variables), every.dtype.name) for s in (rule.left, rule.right)
    )
    grid = np.meshgrid(*[every] * len(variables), indexing="ij")
    values = {v: g.ravel() for v, g in zip(variables.values(), grid, strict=True)}
    a, b = evaluate([left, right], values)
    return bool(np.all(a == b))


def as_expression(value, dtype):
    return constant(value) if not hasattr(value, "dtype") else value


def agrees_in_60_digits(rule) -> bool:
    names = symbols_for(rule)
    symbols = list(names.values())
    left = sympy.lambdify(symbols, to_sympy(rule.left, names), "mpmath")
    right = sympy.lambdify(symbols, to_sympy(rule.right, names), "mpmath")
    rng, seen = np.random.default_rng(zlib.crc32(rule.name.encode())), 0
    with mpmath.workdps(80):
        for _ in range(400):
            point = [mpmath.mpf(float(v)) for v in draw(rule, rng)]
            try:
                a, b = left(*point), right(*point)
            except (ValueError, ZeroDivisionError, OverflowError):
                continue
            if not isinstance(a, bool) and (isinstance(a, mpmath.mpc) or not mpmath.isfinite(a)):
                continue
            seen += 1
            if isinstance(a, bool):
                if a != b:
                    return False
            elif abs(a - b) > mpmath.mpf(10) ** -60 * max(1, abs(a)):
                return False
    return seen >= 50


def draw(rule, rng, scales=(0.1, 1.0, 10.0)) -> list[float]:
    """One random value for each wildcard, within the conditions."""
    values = {}
    for w in rule.wilds:
        values[w] = rng.normal() * rng.choice(scales)
        if w.sort.name == "Constant":
            values[w] = float(rng.choice([0.5, 2.0, 3.0, -1.5, -2.0, 0.1, 4.0]))
        if w.sort.name == "Integer":
            values[w] = float(rng.integers(-20, 20))
    for c in rule.conditions:
        part = c.parts[0]
        if part in values:
            values[part] = satisfying(c.name, values[part])
        elif c.name in ("positive", "nonnegative"):  # of 1 + x
            for w in values:
                values[w] = abs(values[w])
    return [values[w] for w in rule.wilds]


def satisfying(condition, value):
    if condition in ("positive", "nonnegative"):
        return abs(value) or (1e-3 if condition == "positive" else 0)
    if condition in ("negative", "nonpositive"):
        return -abs(value) or -1e-3
    if condition == "integer":
        return math.copysign(max(1.0, float(round(abs(value)))), value)
    return value


def holds(rule) -> str | None:
    if for_every_value(rule):
        return "every value"
    if rule.table not in BITS:
        if not any(e.op is T.rint for e in order([rule.left])):  # SymPy takes a minute over it
            if proven(rule):
                return "SymPy"
            if by_cases(rule):
                return "SymPy, by cases"
        if agrees_in_60_digits(rule):
            return "60 digits (evidence)"
    return None


@by_name(RULES)
def test_true(rule):
    rung = holds(rule)
    print(f"{rule.name:28} {rung:22} {rule}")
    assert rung is not None, f"not shown to be true: {rule}"


# --- no worse in accuracy -------------------------------------------------------------------------

NUMERIC = [
    r
    for r in RULES
    if is_float(r.left.dtype)
    and all(is_float(w.dtype) for w in r.wilds)
    and r.table not in ("regrouping", "cancelling")
]

#: How many ulp the right side may lose against the left at its worst: about one rounding more on
#: either side.
SLACK = 2.5


def in_ulp(value, exact, dtype) -> float:
    """How many units in the last place a computed value is away from the exact one."""
    if not np.isfinite(value):
        return math.inf
    nearest = np.asarray(float(exact), dtype=dtype)
    spacing = mpmath.mpf(float(np.spacing(np.abs(nearest))))
    return float(abs(mpmath.mpf(float(value)) - exact) / spacing)


@by_name(NUMERIC)
def test_no_worse_in_accuracy(rule):
    names = symbols_for(rule)
    exact = sympy.lambdify(list(names.values()), to_sympy(rule.left, names), "mpmath")
    rng = np.random.default_rng(zlib.crc32(rule.name.encode()))
    for dtype in ("float64", "float32"):
        points = [
            [
                float(np.asarray(v, dtype))
                for v in draw(rule, rng, (1e-6, 1e-3, 0.3, 1.0, 5.0, 60.0))
            ]
            for _ in range(120)
        ]
        variables = {w: Variable(Type(dtype, (None,)), w.name) for w in rule.wilds}
        sides = [fitted_to(builder(s)(variables), dtype) for s in (rule.left, rule.right)]
        columns = {
            v: np.array([p[i] for p in points], dtype) for i, v in enumerate(variables.values())
        }
        left, right = (np.broadcast_to(a, (len(points),)) for a in evaluate(sides, columns))
        worst_left = worst_right = 0.0
        with mpmath.workdps(150):
            for point, a, b in zip(points, left, right, strict=True):
                reference = exact_value(exact, point)
                if reference is None or not 1e-30 < abs(reference) < 1e30:
                    continue
                assert np.isfinite(b) or not np.isfinite(a), f"{rule} is {b} at {point}, not {a}"
                worst_left = max(worst_left, in_ulp(a, reference, dtype))
                worst_right = max(worst_right, in_ulp(b, reference, dtype))
        print(f"{rule.name:28} {dtype} {worst_left:8.3g} → {worst_right:8.3g} ulp   {rule}")
        assert worst_right <= worst_left + SLACK, rule


def fitted_to(value, dtype):
    return value if hasattr(value, "dtype") else constant(value, dtype)


def exact_value(function, point):
    try:
        value = function(*map(mpmath.mpf, point))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
        return None
    return mpmath.mpf(value)


@by_name(NUMERIC)
def test_a_nan_is_not_forgotten(rule):
    if any(c.name == "real" for c in rule.conditions):
        pytest.skip("asks for finite values")
    rng = np.random.default_rng(0)
    variables = {w: Variable(Type("float64", (None,)), w.name) for w in rule.wilds}
    sides = [fitted_to(builder(s)(variables), "float64") for s in (rule.left, rule.right)]
    for spoiled in range(len(variables)):
        point = draw(rule, rng)
        point[spoiled] = math.nan
        values = {v: np.array([p]) for v, p in zip(variables.values(), point, strict=True)}
        left, right = evaluate(sides, values)
        assert np.all(np.isnan(right) | ~np.isnan(left)), f"{rule} forgets a nan"


# --- terminating ----------------------------------------------------------------------------------


@by_name(RULES)
def test_terminating(rule):
    left, right = pattern_form(rule.left), pattern_form(rule.right)
    assert decreases(left, right), f"{rule} does not make its left side smaller"


# --- alive ----------------------------------------------------------------------------------------


def instance(rule, dtype):
    """The left side on variables (or formulas in them) that satisfy the conditions, with arrays for
    the variables."""
    rng = np.random.default_rng(zlib.crc32(rule.name.encode()))
    bound, values = {}, {}
    for w in rule.wilds:
        name = w.sort.name
        if name == "Constant":
            bound[w] = constant(np.asarray(2.0, dtype))
            wanted = {c.name for c in rule.conditions if w in c.parts}
            if "negative" in wanted:
                bound[w] = constant(np.asarray(-3.0, dtype))
            continue
        kind = (
            "bool"
            if name == "Boolean"
            else "int32"
            if name == "Integer" and is_float(dtype)
            else dtype
        )
        wanted = {c.name for c in rule.conditions if any(w in order([p]) for p in c.parts)}
        bound[w] = operand(w.name, kind, wanted, values, rng)
    return as_expression(builder(rule.left)(bound), dtype), values


def operand(name, kind, wanted, values, rng):
    if wanted & {"real", "integer"} and is_float(kind):
        v = Variable(Type("int8", (None,)), name)
        values[v] = rng.integers(-3, 3, 7).astype("int8")
        e = T.cast(v, kind)
    else:
        v = Variable(Type(kind, (None,)), name)
        values[v] = sample(kind, rng)
        e = v
    if wanted & {"positive", "nonzero"}:
        return abs(e) + 1
    if "nonnegative" in wanted:
        return abs(e)
    if wanted & {"negative", "nonpositive"}:
        return -(abs(e) + 1)
    return e


def sample(kind, rng):
    if kind == "bool":
        return rng.integers(0, 2, 7).astype(bool)
    if is_float(kind):
        return (rng.normal(size=7) * 0.8).astype(kind)
    info = np.iinfo(kind)
    return rng.integers(max(info.min, -100), min(info.max, 100), 7).astype(kind)


def close(before, after, dtype):
    assert before.dtype == after.dtype and before.shape == after.shape
    if not is_float(dtype):
        np.testing.assert_array_equal(before, after)
        return
    fine = np.isfinite(before)
    tolerance = 2e-4 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(after[fine], before[fine], rtol=tolerance, atol=tolerance)


def dtypes_of(rule):
    numbers = {w.sort.name for w in rule.wilds}
    if numbers <= {"Boolean"}:
        return ["bool"]
    if numbers & {"Float", "Constant"}:
        return ["float64", "float32"]
    whole = ["int32", "int8", "int64"] + ([] if "Signed" in numbers else ["uint8", "uint32"])
    return whole if numbers <= {"Integer", "Boolean"} else ["float64", "float32", *whole]


@by_name([*RULES, *EXTRA])
def test_alive(rule):
    if rule.table == "cancelling" and rule.conditions:
        pytest.skip(
            "the canonical form does this; the rule is there to be taken without its condition"
        )
    fired = 0
    alone = registry["canonical"] + RuleSet("one", lambda: [rule])
    for dtype in dtypes_of(rule):
        before, values = instance(rule, dtype)
        if not is_float(dtype) and any(is_float(e.dtype) for e in order([before])):
            continue  # the formula is computed in floating point, as those above
        trace = []
        (after,) = rewrite([before], alone, trace)
        fired += any(t.rule is rule for t in trace)
        assert any(t.rule is rule for t in trace), f"{rule} does not fire at {before} in {dtype}"
        staged = specialize(stabilize(canonicalize([before])))[0]
        expected, got, full = evaluate([before, after, staged], values)
        close(expected, got, before.dtype)
        close(expected, full, before.dtype)
        assert after.shape == before.shape and staged.shape == before.shape
    assert fired


def test_regrouping_is_opt_in():
    x, y = T.vectors("x", "y")
    product = T.exp(x) * T.exp(y)
    assert stabilize([product])[0].op is T.multiply
    assert stabilize([product], rules=regrouping)[0].op is T.exp


def test_constants_of_patterns_are_literals():
    assert all(
        isinstance(a, Constant) or a.op is None
        for r in RULES
        for a in order([r.left])
        if not a.args
    )
