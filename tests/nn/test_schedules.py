"""Schedules give the rates that their formulas say, at every step."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.nn import schedules


def rates(schedule, steps):
    """The rates of the first steps, computed by one compiled function of the step."""
    step = T.lscalar("step")
    rate = schedule(step)
    assert (rate.dtype, rate.ndim) == ("float64", 0)
    at = sc.function([step], rate, on_unused_input="ignore")
    return np.array([at(i) for i in range(steps)])


def check(schedule, formula, steps=25):
    expected = [formula(i) for i in range(steps)]
    np.testing.assert_allclose(rates(schedule, steps), expected, rtol=1e-12, atol=1e-15)


def test_constant():
    check(schedules.constant(0.3), lambda i: 0.3)


def test_step_decay():
    check(schedules.step_decay(0.3, 10, 0.5), lambda i: 0.3 * 0.5 ** (i // 10))


def test_exponential():
    check(schedules.exponential(0.3, 0.9), lambda i: 0.3 * 0.9**i)
    check(schedules.exponential(0.3, 0.9, every=5), lambda i: 0.3 * 0.9 ** (i / 5))


def test_polynomial():
    check(schedules.polynomial(0.4, 20), lambda i: max(0.4 * (1 - i / 20), 0))
    formula = schedules.polynomial(0.4, 20, end=0.1, power=2)
    check(formula, lambda i: 0.1 + 0.3 * (1 - min(i, 20) / 20) ** 2)


def half(first, last, share):
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def test_cosine():
    check(schedules.cosine(0.4, 20, end=0.1), lambda i: half(0.4, 0.1, min(i, 20) / 20))


@pytest.mark.parametrize("growth", [1, 2, 3])
@pytest.mark.parametrize("steps", [1, 5, 7])
def test_cosine_restarts(growth, steps):
    expected = []
    length = steps
    while len(expected) < 2000:
        expected += [half(0.4, 0.1, i / length) for i in range(length)]
        length *= growth
    schedule = schedules.cosine_restarts(0.4, steps, end=0.1, growth=growth)
    step = T.lvector("step")
    found = sc.function([step], schedule(step))(np.arange(2000))
    np.testing.assert_allclose(found, expected[:2000], rtol=1e-9)


def test_warm_up():
    check(schedules.warm_up(10, 0.5), lambda i: 0.5 * min(i / 10, 1))
    after = schedules.exponential(0.5, 0.9)
    schedule = schedules.warm_up(10, after, start=0.1)
    check(schedule, lambda i: 0.1 + 0.4 * i / 10 if i < 10 else 0.5 * 0.9 ** (i - 10))


def test_piecewise():
    schedule = schedules.piecewise([0.1, schedules.polynomial(0.3, 10), 0.01], [5, 15])
    check(schedule, lambda i: 0.1 if i < 5 else 0.3 * (1 - (i - 5) / 10) if i < 15 else 0.01)


def test_piecewise_needs_a_boundary_between_any_two_rates():
    for boundaries in ([5], [15, 5], [5, 15, 25]):
        with pytest.raises(sc.errors.ArgumentError, match="3 rates need 2 boundaries"):
            schedules.piecewise([0.1, 0.2, 0.3], boundaries)


def test_one_cycle():
    def formula(i):
        top, last = 0.25 * 20 - 1, 19
        i = min(i, last)
        if i < top:
            return half(0.04, 1.0, i / top)
        return half(1.0, 0.04 / 1e4, (i - top) / (last - top))

    check(schedules.one_cycle(1.0, 20, rising=0.25), formula)


def test_one_cycle_of_too_few_steps():
    with pytest.raises(sc.errors.ArgumentError, match="too few"):
        schedules.one_cycle(1.0, 3)


def test_a_schedule_takes_numbers():
    assert schedules.polynomial(0.5, 10)(5).eval() == 0.25
