"""Schedules: learning rates that change from step to step.

Each function here returns a schedule: a function from the number of steps taken so far (0 at the
first step) to the learning rate, both of them expressions. An optimizer takes it as its
`learning_rate`, and the rate is then computed within the compiled step, in float64.
`schedule(100).eval()` is the rate of the step after 100 others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import symcomp as sc
import symcomp.tensor as T

Schedule = Callable[[Any], sc.Expr]


def constant(rate: float) -> Schedule:
    """The same rate at every step."""
    return lambda step: rate + 0 * _real(step)


def step_decay(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """rate · factor^⌊step / every⌋"""
    return lambda step: rate * factor ** T.floor(_real(step) / every)


def exponential(rate: float, factor: float, every: int = 1) -> Schedule:
    """rate · factor^(step / every)"""
    return lambda step: rate * factor ** (_real(step) / every)


def polynomial(rate: float, steps: int, end: float = 0.0, power: float = 1.0) -> Schedule:
    """end + (rate − end) · (1 − step / steps)^power, then `end`; power 1 is a straight line."""
    return lambda step: end + (rate - end) * (1 - _share(step, steps)) ** power


def cosine(rate: float, steps: int, end: float = 0.0) -> Schedule:
    """From `rate` to `end` along half a cosine, then `end` (Loshchilov and Hutter, SGDR: stochastic
    gradient descent with warm restarts, 2017)."""
    return lambda step: _half_cosine(rate, end, _share(step, steps))


def cosine_restarts(rate: float, steps: int, end: float = 0.0, growth: float = 1.0) -> Schedule:
    """Half a cosine over `steps` steps, then again from `rate`, each time `growth` times as long
    (Loshchilov and Hutter, 2017)."""

    def schedule(step: Any) -> sc.Expr:
        t = _real(step)
        if growth == 1:
            return _half_cosine(rate, end, (t % steps) / steps)
        # Cycle n begins at steps · (growthⁿ − 1) / (growth − 1). The logarithm of the first step
        # of a cycle may round to just below n, but lies much further below n for the step before.
        cycle = T.floor(T.log1p(t * (growth - 1) / steps) / math.log(growth) + 1e-9)
        length = steps * growth**cycle
        begin = (length - steps) / (growth - 1)
        return _half_cosine(rate, end, (t - begin) / length)

    return schedule


def warm_up(steps: int, then: float | Schedule, start: float = 0.0) -> Schedule:
    """A straight line from `start` to the first rate of `then`, which follows after `steps` steps
    (Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017)."""
    after = then if callable(then) else constant(then)

    def schedule(step: Any) -> sc.Expr:
        t = _real(step)
        line = start + (after(0) - start) * (t / steps)
        return T.where(t < steps, line, after(T.maximum(t - steps, 0)))

    return schedule


def piecewise(rates: Sequence[float | Schedule], boundaries: Sequence[int]) -> Schedule:
    """rates[0] before step boundaries[0], rates[1] from there to boundaries[1], and so on.

    A rate that is itself a schedule counts its steps from where it begins. Errors: ArgumentError.
    """
    if len(rates) != len(boundaries) + 1 or list(boundaries) != sorted(boundaries):
        raise sc.errors.ArgumentError(
            f"piecewise: {len(rates)} rates need {len(rates) - 1} boundaries, in rising order, "
            f"and not {list(boundaries)}"
        )
    pieces = [r if callable(r) else constant(r) for r in rates]

    def schedule(step: Any) -> sc.Expr:
        t = _real(step)
        value = pieces[0](t)
        for begin, piece in zip(boundaries, pieces[1:], strict=True):
            value = T.where(t < begin, value, piece(T.maximum(t - begin, 0)))
        return value

    return schedule


def one_cycle(
    peak: float,
    steps: int,
    rising: float = 0.3,
    start: float | None = None,
    end: float | None = None,
) -> Schedule:
    """Up from `start` to `peak` over the share `rising` of the steps, then down to `end`, both
    along half a cosine (Smith and Topin, Super-convergence, 2018).

    `start` is a 25th of the peak and `end` a 10000th of `start`, unless they are given.
    """
    start = peak / 25 if start is None else start
    end = start / 1e4 if end is None else end
    top, last = rising * steps - 1, steps - 1
    if not 0 < top < last:
        raise sc.errors.ArgumentError(f"one_cycle: {steps} steps are too few to rise and to fall")

    def schedule(step: Any) -> sc.Expr:
        t = T.minimum(_real(step), last)
        up = _half_cosine(start, peak, t / top)
        down = _half_cosine(peak, end, (t - top) / (last - top))
        return T.where(t < top, up, down)

    return schedule


def _real(step: Any) -> sc.Expr:
    return T.cast(T.as_tensor(step), "float64")


def _share(step: Any, steps: int) -> sc.Expr:
    """What part of the steps is over, at most 1."""
    return T.minimum(_real(step) / steps, 1)


def _half_cosine(first: Any, last: Any, share: sc.Expr) -> sc.Expr:
    """From `first` to `last` as the share goes from 0 to 1."""
    return last + (first - last) * 0.5 * (1 + T.cos(math.pi * share))
