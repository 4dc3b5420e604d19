"""Positions that must lie within an axis: where they are used, and what is done about others.

They are checked at the call. On the CPU, and where they lie on the host, before anything uses them;
on a GPU kernels check them that run beside those that use them, and whoever uses them takes one
outside the axis for the first element or the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from symcomp.codegen.equations import Formulas
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.notation import ELEMENT, formula_order, index
from symcomp.graph.scalar import cast
from symcomp.graph.walk import order, rebuild, remake
from symcomp.tensor.arithmetic import maximum, minimum
from symcomp.tensor.creation import Range


class Position(NamedTuple):
    """Positions that must lie within an axis, and the expression that uses them."""

    at: Expr
    length: object
    user: Expr


def positions(outputs: Sequence[Expr]) -> list[Position]:
    """All positions that must be checked before they are used."""
    found: dict = {}
    for e in order(outputs):
        if e.op is not None and hasattr(e.op, "bounds"):
            for at, n in e.op.bounds(*e.args):
                if not _surely_within(at, n):
                    found.setdefault((at, n), Position(at, n, e))
    return list(found.values())


def brought_into_range(outputs: Sequence[Expr]) -> list[Expr]:
    """The same, but that positions outside their axis are taken for its first or last element: for
    kernels that run before it is known that there are none.
    """
    return rebuild(outputs, _within_axes)


def _within_axes(e: Expr, args) -> Expr:
    """An operation of which positions are the last arguments, as `bounds` gives them in order."""
    if hasattr(e.op, "bounds"):
        at = e.op.bounds(*args)
        args = (*args[: len(args) - len(at)], *(_within(*pair) for pair in at))
    return remake(e, args)


def _within(at: Expr, n) -> Expr:
    if _surely_within(at, n):
        return at
    length = size.as_expr(n)
    return minimum(maximum(cast(at, "int64"), -length), length - 1)


def read_by_check(at: Expr, formulas: Formulas) -> set[Expr]:
    """The arrays from which positions are computed when they are checked."""
    formula = formulas.at(at, tuple(index(n) for n in at.shape))
    return {e.args[0] for e in formula_order([formula]) if e.op is ELEMENT}


def _surely_within(at: Expr, n) -> bool:
    """Whether positions are seen to be valid: a range up to the length, or literal ones."""
    if isinstance(at.op, Range):
        start, step = at.args[:2]
        literal = isinstance(start, Constant) and isinstance(step, Constant)
        return literal and start.value == 0 and step.value == 1 and at.shape[0] is n
    if isinstance(at, Constant) and isinstance(n, int) and at.value.size:
        return -n <= at.value.min() and at.value.max() < n
    return False
