"""The vocabulary of equations: indices, elements, folds and writes.

An operation says what it means as an equation over indices. `Dot`, for example, says

    k = index(a.shape[1]);  return Sum(k, a[i, k] * b[k, j])

in which everything is an ordinary scalar expression: `a[i, k]` is an `Element`, `Sum` a `Fold` over
the bound index. Where the place written to is not simply the index (a join, a scatter, a running
sum), `loops` returns `Write`s: for every value of `indices`, in order, `out[target] = value` (or
`⊕=` with a monoid).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from symcomp.graph.expr import Expr, Leaf, build, constant
from symcomp.graph.op import Op, operation, registry
from symcomp.graph.size import Size, as_expr
from symcomp.graph.type import Type, is_float


class Index(Leaf):
    """A whole number that runs from 0 to `extent` − 1."""

    __slots__ = ("extent",)

    def __init__(self, extent: Size, name: str | None = None):
        super().__init__(Type("int64", ()), name, weak=True)
        self.extent = extent


def index(extent: Size, name: str | None = None) -> Index:
    """A new index with values 0 … extent − 1."""
    return Index(extent, name)


@operation
class Element(Op):
    """One element of an array: a[i, j]."""

    def type(self, array, *indices):
        return Type(array.dtype, ())

    def numpy(self, array, *indices):
        return array[tuple(int(i) for i in indices)]

    def text(self, array, *indices):
        return f"{array}[{', '.join(indices)}]" if indices else array


ELEMENT = Element()


def formula_order(values, seen: set[Expr] | None = None) -> list[Expr]:
    """All parts of scalar formulas, arguments first; an array that is read is a part, but what it
    is made of is not. Parts in `seen` are left out, and what is found is added to it.
    """
    seen = set() if seen is None else seen
    result: list[Expr] = []
    stack = [*values][::-1]
    while stack:
        node = stack.pop()
        if node is None:  # below it lies a node whose parts are done
            result.append(stack.pop())
            continue
        if node in seen:
            continue
        seen.add(node)
        parts = node.args
        if not parts:
            result.append(node)
            continue
        stack += (node, None)
        if node.op is ELEMENT:
            array, *parts = parts
            if array not in seen:
                seen.add(array)
                result.append(array)
        stack += [p for p in parts[::-1] if p not in seen]
    return result


class Operand:
    """An argument of an equation: `a[i, j]` is its element, `a.shape` and `a.dtype` are those of
    the array.
    """

    __slots__ = ("expr",)

    def __init__(self, expr: Expr):
        self.expr = expr

    def __getitem__(self, indices) -> Expr:
        indices = indices if isinstance(indices, tuple) else (indices,)
        return build(ELEMENT, (self.expr, *(as_expr(i) for i in indices)))

    shape = property(lambda self: self.expr.shape)
    dtype = property(lambda self: self.expr.dtype)
    ndim = property(lambda self: self.expr.ndim)


class Monoid(NamedTuple):
    """An associative, commutative combination with an identity: what a fold folds with."""

    combine: str  # the name of a function of two real numbers
    numpy: Callable
    identity: Callable[[str], Any]

    def op(self):
        return registry[self.combine]


def _lowest(dtype: str):
    return -np.inf if is_float(dtype) else False if dtype == "bool" else np.iinfo(dtype).min


def _highest(dtype: str):
    return np.inf if is_float(dtype) else True if dtype == "bool" else np.iinfo(dtype).max


#: The monoids by name.
MONOIDS: dict[str, Monoid] = {
    "sum": Monoid("add", np.add, lambda dtype: 0),
    "prod": Monoid("multiply", np.multiply, lambda dtype: 1),
    "max": Monoid("maximum", np.maximum, _lowest),
    "min": Monoid("minimum", np.minimum, _highest),
    "any": Monoid("logical_or", np.logical_or, lambda dtype: False),
    "all": Monoid("logical_and", np.logical_and, lambda dtype: True),
}


@operation
class Fold(Op):
    """The combination of a body's values over a bound index: Σₖ body."""

    monoid: str
    index: Index

    def type(self, body):
        return Type(body.dtype, ())

    def text(self, body):
        return f"{self.monoid}[{self.index}<{self.index.extent}]({body})"


def Sum(k: Index, body: Expr) -> Expr:
    """Σₖ body"""
    return build(Fold("sum", k), (body,))


def Max(k: Index, body: Expr) -> Expr:
    """maxₖ body"""
    return build(Fold("max", k), (body,))


def fold(monoid: str, k: Index, body: Expr) -> Expr:
    """The fold of `body` over `k` by the monoid of that name."""
    return build(Fold(monoid, k), (body,))


class Write(NamedTuple):
    """For all values of `indices`, in order: out[target] = value, or out[target] ⊕= value with a
    monoid.
    """

    indices: tuple[Index, ...]
    target: tuple[Any, ...]
    value: Expr
    monoid: str | None = None
    #: Whether different values of the indices write different places, so that their order does not
    #: matter.
    injective: bool = True
    #: Indices of a write in order whose values do not meet: none reads or writes what another
    #: writes, so that these loops need no order.
    free: tuple[Index, ...] = ()


def identity(monoid: str, dtype: str) -> Expr:
    """The value that changes nothing when folded in."""
    return constant(np.asarray(MONOIDS[monoid].identity(dtype), dtype=dtype))
