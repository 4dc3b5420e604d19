"""What equations and writes mean, in NumPy: their reference, and the referee of those who declare
both.

An equation is evaluated for all indices at once: every index, bound ones too, is an axis of a grid,
an element is NumPy's own fancy indexing, a fold is a reduction along its axis. Writes are executed
one by one, in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symcomp.graph.expr import Constant, Expr, Leaf, Variable, constant
from symcomp.graph.notation import MONOIDS, Element, Fold, Index, Operand, index
from symcomp.graph.op import Op
from symcomp.graph.size import as_expr
from symcomp.graph.type import Type, is_integer
from symcomp.graph.walk import evaluate, order


def stand_ins(arrays: Sequence[np.ndarray]) -> list[Leaf]:
    """Stand-ins for the arguments; integer scalars are constants, since they may be sizes."""
    leaves: list[Leaf] = []
    for a in map(np.asarray, arrays):
        if not a.ndim and is_integer(a.dtype.name):
            leaves.append(constant(a, weak=a.dtype == np.int64))
        else:
            leaves.append(Variable(Type(a.dtype.name, a.shape)))
    return leaves


def equation(op: Op, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The values of an operation that declares `element`."""
    leaves = stand_ins(arrays)
    type = op.type(*leaves)
    indices = [index(n) for n in type.shape]
    value = op.element(*map(Operand, leaves), *indices)
    value = value if isinstance(value, Expr) else constant(value)
    grid = _Grid([value], indices, dict(zip(leaves, map(np.asarray, arrays), strict=True)))
    result = grid.value(value)[(slice(None),) * len(indices) + (0,) * (grid.rank - len(indices))]
    return np.broadcast_to(result, type.shape).astype(type.dtype)


class _Grid:
    """All values of all indices at once; every value has one axis for each index, of length 1 where
    it is constant.
    """

    def __init__(self, outputs: list[Expr], indices: list[Index], arrays: dict):
        self.nodes = order(outputs)
        folded = [e.op.index for e in self.nodes if isinstance(e.op, Fold)]
        self.axis = {i: n for n, i in enumerate(dict.fromkeys([*indices, *folded]))}
        self.rank = len(self.axis)
        self.arrays = arrays
        self.done: dict[Expr, np.ndarray] = {}

    def value(self, output: Expr) -> np.ndarray:
        with np.errstate(all="ignore"):
            for e in self.nodes:
                self.done[e] = self._value(e)
        return self.done[output]

    def _value(self, e: Expr) -> np.ndarray:
        if isinstance(e, Index):
            shape = [1] * self.rank
            shape[self.axis[e]] = -1
            return np.arange(_extent(e)).reshape(shape)
        if e.op is None:
            array = e.value if isinstance(e, Constant) else self.arrays[e]
            return array if array.ndim else array.reshape((1,) * self.rank)
        args = [self.done[a] for a in e.args]
        if isinstance(e.op, Element):
            return self._element(e.args[0], args)
        if isinstance(e.op, Fold):
            return self._fold(e.op, args[0])
        return np.asarray(e.op.numpy(*args))

    def _element(self, array: Expr, args: list[np.ndarray]) -> np.ndarray:
        if not array.ndim:
            return args[0]
        whole, *places = args
        if not whole.size:
            return np.zeros(np.broadcast_shapes(*(p.shape for p in places)), whole.dtype)
        # Beyond the edge nothing may be read; where an equation looks there, it does not use it.
        inside = [np.clip(p, 0, n - 1) for p, n in zip(places, whole.shape, strict=True)]
        return whole[tuple(inside)]

    def _fold(self, op: Fold, body: np.ndarray) -> np.ndarray:
        axis = self.axis[op.index]
        shape = list(body.shape)
        shape[axis] = _extent(op.index)
        monoid = MONOIDS[op.monoid]
        whole = np.broadcast_to(body, shape)
        start = np.asarray(monoid.identity(body.dtype.name), body.dtype)
        return monoid.numpy.reduce(whole, axis=axis, keepdims=True, initial=start, dtype=body.dtype)


def _extent(i: Index) -> int:
    return int(evaluate([as_expr(i.extent)], {})[0])


def writes(op: Op, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The values of an operation that declares `loops`."""
    leaves = stand_ins(arrays)
    type = op.type(*leaves)
    out = Variable(type)
    result = np.zeros(type.shape, type.dtype)
    values: dict[Expr, np.ndarray] = dict(zip(leaves, map(np.asarray, arrays), strict=True))
    values[out] = result
    for w in op.loops(Operand(out), *map(Operand, leaves)):
        wanted = [*(as_expr(t) for t in w.target), w.value]
        combine = MONOIDS[w.monoid].numpy if w.monoid else None
        for at in np.ndindex(*map(_extent, w.indices)):
            values.update(zip(w.indices, map(np.int64, at), strict=True))
            *target, new = evaluate(wanted, values)
            place = tuple(map(int, target))
            with np.errstate(all="ignore"):
                result[place] = new if combine is None else combine(result[place], new)
    return result
