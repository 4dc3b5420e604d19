"""Walks over expressions: order, rebuild, substitute, count uses, evaluate. All iterative, all
memoised.

A graph of a million nodes is fine: nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from symcomp.errors import inherit
from symcomp.graph import scalar as _scalar
from symcomp.graph.expr import Constant, Expr


def order(outputs: Iterable[Expr], stop: Callable[[Expr], bool] | None = None) -> list[Expr]:
    """All expressions that the outputs are made of, arguments before what uses them, each once."""
    seen: set[Expr] = set()
    result: list[Expr] = []
    for output in outputs:
        if output in seen:
            continue
        stack: list[tuple[Expr, int]] = [(output, 0)]
        seen.add(output)
        while stack:
            node, position = stack.pop()
            args = () if stop is not None and stop(node) else node.args
            if position == len(args):
                result.append(node)
                continue
            stack.append((node, position + 1))
            child = args[position]
            if child not in seen:
                seen.add(child)
                stack.append((child, 0))
    return result


def leaves(outputs: Iterable[Expr]) -> list[Expr]:
    """The leaves that the outputs depend on, in the order of their first use."""
    return [e for e in order(outputs) if e.op is None]


def rebuild(
    outputs: Iterable[Expr], change: Callable[[Expr, tuple[Expr, ...]], Expr]
) -> list[Expr]:
    """Map expressions bottom-up: `change(node, new_args)` gives what stands for a node."""
    outputs = list(outputs)
    done: dict[Expr, Expr] = {}
    for node in order(outputs):
        done[node] = change(node, tuple(done[a] for a in node.args))
    return [done[o] for o in outputs]


def remake(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments."""
    if node.op is None or args == node.args:
        return node
    with inherit(node.place):
        return node.op(*args)


def substitute(outputs: Iterable[Expr], replacements: Mapping[Expr, Expr]) -> list[Expr]:
    """The outputs with some expressions replaced by others (all at once: replacements are not
    searched again).
    """
    if not replacements:
        return list(outputs)
    outputs = list(outputs)
    done: dict[Expr, Expr] = dict(replacements)
    for node in order(outputs, stop=lambda e: e in replacements):
        if node not in done:
            done[node] = remake(node, tuple(done[a] for a in node.args))
    return [done[o] for o in outputs]


def uses(outputs: Iterable[Expr]) -> dict[Expr, int]:
    """How often each expression is an argument of another (an output counts as one more use)."""
    outputs = list(outputs)
    count: dict[Expr, int] = {}
    for node in order(outputs):
        count.setdefault(node, 0)
        for a in node.args:
            count[a] += 1
    for o in outputs:
        count[o] += 1
    return count


def evaluate(outputs: Iterable[Expr], values: Mapping[Expr, np.ndarray]) -> list[np.ndarray]:
    """The values of the outputs by the NumPy references; a value is dropped after its last use."""
    outputs = list(outputs)
    nodes = order(outputs, stop=lambda e: e in values)
    left = uses_within(nodes, values)
    for o in outputs:
        left[o] = left.get(o, 0) + 1
    done: dict[Expr, np.ndarray] = {}
    for node in nodes:
        done[node] = _value(node, done, values)
        if node in values:
            continue
        for a in node.args:
            left[a] -= 1
            if not left[a]:
                del done[a]
    return [done[o] for o in outputs]


def uses_within(nodes, values) -> dict[Expr, int]:
    count: dict[Expr, int] = {}
    for node in nodes:
        if node in values:
            continue
        for a in node.args:
            count[a] = count.get(a, 0) + 1
    return count


def _value(node: Expr, done, values):
    if node in values:
        return values[node]
    if isinstance(node, Constant):
        return node.value
    if node.op is None:
        return leaf_value(node)
    result = np.asarray(node.op.numpy(*(done[a] for a in node.args)))
    return result if result.dtype.name == node.dtype else result.astype(node.dtype)


def leaf_value(leaf: Expr) -> np.ndarray:
    """The value of a leaf that carries one."""
    return leaf.current()


_scalar._evaluate.append(lambda expr: evaluate([expr], {})[0])
