"""Pickling of expressions and functions: what is stored is structure, and loading rebuilds it.

An expression is stored flat, as lists of operations, leaves and nodes, so that one of a million
nodes needs no deep stack. Operations are stored by reference to where they are declared, with their
parameters; constants and shared values with their arrays. No code is stored, neither Python's nor
C's: a function is compiled (or found in the cache) where it is loaded. Within one pickle the same
leaf stays the same leaf.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symcomp.compile.definition import Definition, with_sizes
from symcomp.graph.expr import Constant, Expr, Variable, build, constant
from symcomp.graph.shared import Shared
from symcomp.graph.type import Type
from symcomp.graph.walk import leaves, order, substitute


def flatten(roots: Sequence[Expr]) -> tuple[list, list, list, list]:
    """Expressions as operations, leaves, nodes `(operation, argument, …)` and roots, by number."""
    nodes = order(roots)
    found = [e for e in nodes if e.op is None]
    numbers = {e: k for k, e in enumerate(found)}
    operations: dict[Any, int] = {}
    made = []
    for e in nodes:
        if e.op is not None:
            op = operations.setdefault(e.op, len(operations))
            made.append((op, *(numbers[a] for a in e.args)))
            numbers[e] = len(numbers)
    return list(operations), found, made, [numbers[r] for r in roots]


def restore(operations: list, found: list, made: list, roots: list) -> list[Expr]:
    """What `flatten` was given."""
    values = list(found)
    for op, *args in made:
        values.append(build(operations[op], tuple(values[a] for a in args)))
    return [values[r] for r in roots]


def restore_one(*flat: list) -> Expr:
    return restore(*flat)[0]


def _reduce(self: Expr) -> tuple[Callable, tuple]:
    if isinstance(self, Shared):
        # An update is made of its own shared value: it comes after, as what pickle calls a state.
        own = restore_shared, (self.get_value(), self.type, self.name)
        update = self.default_update
        return own if update is None else (*own, (None, {"default_update": update}))
    if isinstance(self, Constant):
        return restore_constant, (self.value, self.weak, self.name)
    if isinstance(self, Variable):
        return Variable, (self.type, self.name)
    if self.op is None:
        raise TypeError(f"{self} is internal to a compilation and cannot be pickled")
    return restore_one, tuple(flatten([self]))


def restore_shared(value: np.ndarray, type: Type, name: str | None) -> Shared:
    return Shared(np.require(value, requirements=["C", "A", "W"]), type, name)


def restore_constant(value: np.ndarray, weak: bool, name: str | None) -> Constant:
    return constant(value, weak=weak, name=name)


def _deep_copy(self: Expr, memo: dict) -> Expr:
    """Expressions are values, but the shared values in them are copied."""
    replaced = {e: copy.deepcopy(e, memo) for e in leaves([self]) if isinstance(e, Shared)}
    return substitute([self], with_sizes(replaced))[0] if replaced else self


def _reduce_definition(self: Definition) -> tuple[Callable, tuple]:
    fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
    del fields["outputs"], fields["updates"]
    targets = [s for s, _ in self.updates]
    return restore_definition, (fields, targets, flatten(self.values()))


def restore_definition(fields: dict, targets: list[Shared], flat: tuple) -> Definition:
    values = restore(*flat)
    count = len(values) - len(targets)
    updates = tuple(zip(targets, values[count:], strict=True))
    return Definition(**fields, outputs=tuple(values[:count]), updates=updates)


Expr.__reduce__ = _reduce
Expr.__deepcopy__ = _deep_copy
Definition.__reduce__ = _reduce_definition
