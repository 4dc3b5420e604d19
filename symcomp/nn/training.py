"""What is done to gradients before an optimizer, to the cost, and to its updates afterwards.

Clipping takes gradients and returns gradients; penalties are added to a cost; averages of the
parameters are further updates, and come back by parameter, so that they can be put in its place:

    gradients = sc.nn.clip_by_global_norm(sc.grad(cost, parameters), 1.0)
    updates = sc.nn.adam(gradients, parameters)
    updates, averaged = sc.nn.average(updates, parameters, decay=0.999)
    step = sc.function([x, y], cost, updates=updates)
    predict = sc.function([x], prediction, givens=averaged)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.nn.step import Updates, cast_like, fail, named

Averages = dict[sc.Shared, sc.Shared]

# --- clipping ------------------------------------------------------------------------------------


def clip_by_value(gradients: Sequence[sc.Expr], limit: Any) -> list[sc.Expr]:
    """Each element, brought between −limit and limit."""
    return [T.clip(g, -cast_like(limit, g), cast_like(limit, g)) for g in gradients]


def clip_by_norm(gradients: Sequence[sc.Expr], limit: Any) -> list[sc.Expr]:
    """Each gradient g, shortened to the length `limit` where it is longer: g · limit / ‖g‖."""
    return [g * _shortening(_squares(g), cast_like(limit, g)) for g in gradients]


def clip_by_global_norm(gradients: Sequence[sc.Expr], limit: Any) -> list[sc.Expr]:
    """All gradients, shortened by one factor where their common length √Σ‖g‖² exceeds `limit`
    (Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013).
    """
    factor = _shortening(sum(_squares(g) for g in gradients), limit)
    return [g * T.cast(factor, g.dtype) for g in gradients]


def global_norm(gradients: Sequence[sc.Expr]) -> sc.Expr:
    """√Σ‖g‖², the length of all gradients as one vector."""
    return T.sqrt(sum(_squares(g) for g in gradients))


def _squares(g: sc.Expr) -> sc.Expr:
    return (g * g).sum()


def _shortening(squares: sc.Expr, limit: Any) -> sc.Expr:
    return limit / T.maximum(T.sqrt(squares), limit)


# --- penalties and decay -------------------------------------------------------------------------


def l1(parameters: Any) -> sc.Expr:
    """Σ|p| over all elements of all parameters: a penalty that makes many of them 0 (Tibshirani,
    Regression shrinkage and selection via the lasso, 1996)."""
    return sum(abs(p).sum() for p in named(parameters, "l1").values())


def l2(parameters: Any) -> sc.Expr:
    """Σp² over all elements of all parameters: a penalty that keeps them small (Hoerl and Kennard,
    Ridge regression, 1970)."""
    return sum(_squares(p) for p in named(parameters, "l2").values())


def decay_weights(updates: Updates, parameters: Any, rate: Any) -> Updates:
    """The updates, with rate·p subtracted from the new value of each of the parameters (Loshchilov
    and Hutter, Decoupled weight decay regularization, 2019, for any optimizer)."""
    decayed = named(parameters, "decay_weights")
    _check_updated(updates, decayed, "decay_weights")
    chosen = set(decayed.values())
    return [(p, new - cast_like(rate, p) * p if p in chosen else new) for p, new in updates]


# --- averages of the parameters ------------------------------------------------------------------


def average(updates: Updates, parameters: Any, decay: Any = 0.999) -> tuple[Updates, Averages]:
    """Updates that also keep a ← decay·a + (1 − decay)·p for each parameter p, and these averages
    (Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; here decaying
    exponentially). An average starts as the parameter."""

    def moved(a: sc.Shared, p: sc.Expr) -> sc.Expr:
        keep = cast_like(decay, a)
        return keep * a + (1 - keep) * p

    return _averages(updates, parameters, moved, "average")


def average_stochastic_weights(
    updates: Updates, parameters: Any, start: int = 0, every: int = 1
) -> tuple[Updates, Averages]:
    """Updates that also keep the mean of each parameter after steps start, start + every, …, and
    these means (Izmailov et al., Averaging weights leads to wider optima and better generalization,
    2018). Steps are counted from 0; until step `start` the mean is the parameter as it began."""
    step = sc.shared(np.int64(0), "stochastic_average/step")
    since = step - start
    chosen = (since >= 0) & T.equal(since % every, 0)
    count = since // every + 1

    def moved(a: sc.Shared, p: sc.Expr) -> sc.Expr:
        return T.where(chosen, a + (p - a) / T.cast(count, a.dtype), a)

    updates, averages = _averages(updates, parameters, moved, "average_stochastic_weights")
    return [*updates, (step, step + 1)], averages


def _averages(updates: Updates, parameters: Any, moved: Any, method: str):
    averaged = named(parameters, method)
    _check_updated(updates, averaged, method)
    new = dict(updates)
    averages = {p: sc.shared(p.get_value(), f"{n}/average") for n, p in averaged.items()}
    return [*updates, *((a, moved(a, new[p])) for p, a in averages.items())], averages


def _check_updated(updates: Updates, parameters: dict[str, sc.Shared], method: str) -> None:
    updated = {value for value, _ in updates}
    for name, p in parameters.items():
        if p not in updated:
            fail(f"{method}: {name} is not among the updates")
