"""The innermost loop of a map, cut so that its lanes have nothing to decide.

Along a row, a formula may divide the index by a stride (`x[q // 2]`: each window gives to two
elements) and may guard what it reads (`i ≥ 1`: a window that is cut off at the border). Both keep
a compiler from using vector lanes. So the loop over q becomes one over *steps* of a few elements,
q = step·t + phase with each phase written out, where every division is exact and every guard is
decided; and two short loops for what lies before and after, which decide element by element.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from symcomp.codegen.formulas import literal, reindexed, settled
from symcomp.codegen.improve import coefficient
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import ELEMENT, Fold, Index, formula_order, index
from symcomp.graph.size import Size, floor_divide
from symcomp.tensor.arithmetic import greater_equal, where

#: Longest steps, and most parts of formulas in one step.
LONGEST_STEP = 8
MOST_PARTS = 1200


@dataclass(frozen=True)
class Strip:
    """The steps from `low` on, `count` of them, of `length` elements each; `phases` are the
    formulas of the elements of one step, at step number `at`.
    """

    at: Index
    length: int
    low: Size
    phases: tuple[tuple[Expr, ...], ...]
    #: Guards that are the same in the whole row, and the formulas where they all hold.
    given: tuple[Expr, ...] = ()
    inside: tuple[tuple[Expr, ...], ...] = ()

    @property
    def count(self) -> Size:
        return self.at.extent

    def place(self, phase: int) -> Expr:
        """Where an element lies in the row."""
        step = size.plus(self.low, self.at)
        return size.as_expr(size.plus(size.times(step, self.length), phase))

    @property
    def begin(self) -> Size:
        return size.times(self.low, self.length)

    @property
    def end(self) -> Size:
        return size.times(size.plus(self.low, self.count), self.length)


def strip(q: Index, values: list[Expr], let: Callable[[Size, str], Size]) -> Strip | None:
    """The part of a row without decisions; None where there are none to make, or too many. `let`
    gives a size a name.
    """
    nodes = formula_order(values)
    if any(isinstance(e.op, Fold) for e in nodes):
        return None
    length = _step(q, nodes)
    if length is None or length * len(nodes) > MOST_PARTS:
        return None
    t = index(size.quotient(q.extent, length), q.name)
    phases = []
    for phase in range(length):
        moved = {q: size.as_expr(size.plus(size.times(t, length), phase))}
        phases.append([settled(reindexed(v, moved)) for v in values])
    found = [c for p in phases for c in _conditions(t, p)]
    if length == 1 and not found:
        return None
    low, high = _interval(t, found)
    low = let(low, "low")
    at = index(let(size.at_least_zero(size.minus(high, low)), "steps"), q.name)
    shifted = {t: size.as_expr(size.plus(low, at))}
    done = _moved(phases, set(found), shifted)
    given = _of_row(at, done)
    return Strip(at, length, low, done, given, _moved(done, set(given)) if given else ())


def _moved(phases, holds: set[Expr], replacements=None) -> tuple[tuple[Expr, ...], ...]:
    """The formulas where conditions hold, at other indices."""
    return tuple(
        tuple(settled(reindexed(settled(v, holds), replacements or {})) for v in p) for p in phases
    )


def _of_row(at: Index, phases) -> tuple[Expr, ...]:
    """The guards that choose between values (not places) and depend on no element of the row: gcc
    has no vector code for them.
    """
    found: dict[Expr, None] = {}
    for e in formula_order(v for p in phases for v in p):
        if e.op is not where or e.dtype == "int64":
            continue
        parts = formula_order([e.args[0]])
        if at not in parts and not any(x.op is ELEMENT for x in parts):
            found.update((x, None) for x in parts if x.op is greater_equal)
    return tuple(found)


def _step(q: Index, nodes: list[Expr]) -> int | None:
    """After how many elements all divisions of the index have gone on by whole numbers."""
    steps = {1}
    for e in nodes:
        if e.op is floor_divide and e.weak:
            d, c = literal(e.args[1]), coefficient(e.args[0], q)
            c = None if c is None else literal(c)
            if c is None or d is None or d <= 0:
                continue
            if c:
                steps.add(d // math.gcd(c, d))
    together = math.lcm(*steps)
    return together if together <= LONGEST_STEP else None


def _conditions(t: Index, values) -> list[Expr]:
    """The guards that depend on the step: c·t + rest ≥ 0, where rest is the same in a whole
    kernel.
    """
    found = []
    for e in formula_order(values):
        if e.op is not greater_equal or e.args[0].dtype != "int64":
            continue
        p = size.minus(*e.args) if all(a.weak for a in e.args) else None
        if p is None or isinstance(p, int) or t not in formula_order([p]):
            continue
        c = coefficient(p, t)
        rest = None if c is None else size.minus(p, size.times(c, t))
        if c is None or literal(c) is None or _has_index(rest):
            continue
        found.append(e)
    return list(dict.fromkeys(found))


def _has_index(rest: Size) -> bool:
    return isinstance(rest, Expr) and any(isinstance(e, Index) for e in formula_order([rest]))


def _interval(t: Index, conditions: list[Expr]) -> tuple[Size, Size]:
    """The steps at which all conditions hold."""
    low, high = 0, t.extent
    for e in conditions:
        p = size.minus(*e.args)
        c = literal(coefficient(p, t))
        rest = size.minus(p, size.times(c, t))
        if c > 0:
            first = size.quotient(size.plus(size.minus(0, rest), c - 1), c)
            low = size.larger(low, first)
        else:
            high = size.smaller(high, size.plus(size.quotient(rest, -c), 1))
    return low, high
