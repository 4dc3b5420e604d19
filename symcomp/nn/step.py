"""What all optimizers share: the making of one training step.

A `Step` knows the parameters with their names, their gradients and the learning rate; the method
asks it for state and puts updates into it. All that a method adds is its formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import symcomp as sc
import symcomp.tensor as T

Updates = list[tuple[sc.Shared, sc.Expr]]


class Step:
    """One step in the making: parameters, gradients and rate, and the updates collected so far."""

    def __init__(self, method: str, cost: Any, parameters: Any, learning_rate: Any, **decays):
        for name, value in decays.items():
            if isinstance(value, (int, float)) and not 0 <= value < 1:
                fail(f"{method}: {name} lies from 0 to below 1, and is not {value}")
        self.method, self.learning_rate = method, learning_rate
        self.names = {p: name for name, p in named(parameters, method).items()}
        self.gradients = gradients_of(cost, list(self.names), method)
        self.updates: Updates = []
        self._taken: sc.Shared | None = None

    def __iter__(self) -> Iterator[tuple[sc.Shared, sc.Expr]]:
        return zip(self.names, self.gradients, strict=True)

    @property
    def taken(self) -> sc.Shared:
        """The number of steps before this one; counted only where something depends on it."""
        if self._taken is None:
            self._taken = sc.shared(np.int64(0), f"{self.method}/step")
            self.put(self._taken, self._taken + 1)
        return self._taken

    @property
    def number(self) -> sc.Expr:
        """The number of this step, from 1, in float64."""
        return T.cast(self.taken + 1, "float64")

    def rate(self, p: sc.Shared) -> Any:
        """The learning rate, in the dtype of a parameter."""
        rate = self.learning_rate
        return cast_like(rate(self.taken) if is_schedule(rate) else rate, p)

    def state(self, p: sc.Shared, what: str) -> sc.Shared:
        """A shared value of zeros that belongs to a parameter."""
        zeros = np.zeros_like(p.get_value(borrow=True))
        return sc.shared(zeros, f"{self.names[p]}/{self.method}_{what}", borrow=True)

    def put(self, value: sc.Shared, new: sc.Expr) -> sc.Expr:
        self.updates.append((value, new))
        return new

    def gather(self, p: sc.Shared, what: str, decay: float, x: sc.Expr) -> sc.Expr:
        """s ← decay·s + x, with a new state s."""
        s = self.state(p, what)
        return self.put(s, decay * s + x)

    def average(self, p: sc.Shared, what: str, decay: float, x: sc.Expr) -> sc.Expr:
        """s ← decay·s + (1 − decay)·x, with a new state s."""
        return self.gather(p, what, decay, (1 - decay) * x)


def is_schedule(rate: Any) -> bool:
    return callable(rate) and not isinstance(rate, sc.Expr)


def cast_like(value: Any, p: sc.Expr) -> Any:
    """A number as it is (it takes the dtype of what it meets), anything else in the dtype of p."""
    if isinstance(value, (int, float)):
        return float(value)
    return T.cast(T.as_tensor(value), p.dtype)


def named(parameters: Any, method: str) -> dict[str, sc.Shared]:
    """Parameters by name: of a dict or a module its own names, else those of the shared values."""
    if hasattr(parameters, "named_parameters"):
        parameters = parameters.named_parameters()
    elif isinstance(parameters, sc.Shared):
        parameters = [parameters]
    result: dict[str, sc.Shared] = {}
    if not isinstance(parameters, Mapping):
        for i, p in enumerate(parameters):
            name = getattr(p, "name", None) or f"parameter{i}"
            result[f"{name}.{i}" if name in result else name] = p
    else:
        result = dict(parameters)
    for name, p in result.items():
        if not isinstance(p, sc.Shared):
            fail(f"{method}: {name} is not a shared value, and cannot be updated")
    if len(set(result.values())) < len(result):
        twice = [name for name, p in result.items() if list(result.values()).count(p) > 1]
        fail(f"{method}: {' and '.join(twice)} are the same shared value")
    return result


def gradients_of(cost: Any, parameters: Sequence[sc.Shared], method: str) -> list[sc.Expr]:
    """The gradients of a cost; or those that are given in its place."""
    if not isinstance(cost, (list, tuple)):
        return sc.grad(cost, list(parameters))
    if len(cost) != len(parameters):
        fail(f"{method}: {len(cost)} gradients do not belong to {len(parameters)} parameters")
    for p, g in zip(parameters, cost, strict=True):
        if (g.dtype, g.ndim) != (p.dtype, p.ndim):
            fail(
                f"{method}: the gradient of {p.name or 'a parameter'} is {g.dtype} with {g.ndim} "
                f"axes, and the parameter {p.dtype} with {p.ndim}"
            )
    return list(cost)


def fail(message: str) -> None:
    raise sc.errors.ArgumentError(message)
