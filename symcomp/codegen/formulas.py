"""Scalar formulas rewritten: with other indices, with what is known put in, with small folds
written out.

Positions (integers made of indices, sizes and numbers) are kept in the normal form of sizes, so
that what two of them have in common cancels: that is how a division by a stride disappears, and how
a guard is seen to hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, build, constant
from symcomp.graph.notation import ELEMENT, MONOIDS, Fold, Index, formula_order, identity
from symcomp.graph.size import Dimension, floor_divide
from symcomp.graph.type import is_float
from symcomp.tensor.arithmetic import (
    bitwise_and,
    bitwise_or,
    greater,
    greater_equal,
    isnan,
    less,
    less_equal,
    logical_not,
    maximum,
    minimum,
    where,
)

#: Folds over so few terms in all are written out, if the formula stays shorter than the second.
MOST_TERMS = 16
MOST_PARTS = 160

TRUE, FALSE = constant(np.asarray(True)), constant(np.asarray(False))


def remade(e: Expr, args: tuple) -> Expr:
    """The same scalar function of other arguments; arithmetic on sizes and indices is kept in
    normal form.
    """
    if e.weak and e.op in (size.add, size.multiply):
        return size.as_expr(size.plus(*args) if e.op is size.add else size.times(*args))
    return nan_in(*args) if e.op is isnan else build(e.op, args)


def nan_in(x: Expr) -> Expr:
    """Whether a formula is nan, asked of what it chooses from. A C compiler asks there too, but
    then chooses between the answers, for which gcc has no vector code.
    """
    if isinstance(x, Constant):
        return TRUE if np.isnan(x.value) else FALSE
    if x.op is not where:
        return build(isnan, (x,))
    condition, yes, no = x.args
    parts = [_both(condition, nan_in(yes)), _both(_unless(condition, no), nan_in(no))]
    parts = [p for p in parts if p is not FALSE]
    return build(bitwise_or, tuple(parts)) if len(parts) > 1 else parts[0] if parts else FALSE


def _both(left: Expr, right: Expr) -> Expr:
    if FALSE in (left, right):
        return FALSE
    return right if left is TRUE else left if right is TRUE else build(bitwise_and, (left, right))


def _unless(condition: Expr, x: Expr) -> Expr:
    """The opposite of a condition; true where it compares x, since no comparison holds for nan."""
    compares = condition.op in (less, less_equal, greater, greater_equal)
    return TRUE if compares and x in condition.args else build(logical_not, (condition,))


def reindexed(value: Expr, replacements: Mapping[Expr, Expr]) -> Expr:
    """A formula with other indices (offsets stay in normal form)."""
    if not replacements:
        return value
    done: dict[Expr, Expr] = {}
    for e in formula_order([value]):
        if e in replacements:
            done[e] = replacements[e]
        elif e.op is None or any(a not in done for a in e.args):
            done[e] = e
        elif isinstance(e.op, Fold):
            done[e] = build(e.op, (done[e.args[0]],))
        else:
            args = tuple(done[a] for a in e.args)
            done[e] = e if args == e.args else remade(e, args)
    return done[value]


# --- what is known, put in ------------------------------------------------------------------------


def settled(value: Expr, holds: Collection[Expr] = ()) -> Expr:
    """The formula without what its form decides, and without the conditions that are known to
    hold.
    """
    done: dict[Expr, Expr] = {}
    places: set[Expr] = set()
    for e in formula_order([value]):
        if e in holds:
            done[e] = TRUE
        elif e.op is None:
            done[e] = e
            if isinstance(e, (Index, Dimension)) or e.weak:
                places.add(e)
        else:
            args = tuple(done.get(a, a) for a in e.args)
            done[e] = _settled(e, args, places)
            if done[e].op is None:
                if done[e].weak:
                    places.add(done[e])
            elif e.dtype == "int64" and e.op is not ELEMENT and all(a in places for a in args):
                places.add(done[e])
    return done[value]


def _settled(e: Expr, args: tuple, places: set[Expr]) -> Expr:
    op = e.op
    if op is where:
        condition, yes, no = args
        if condition in (TRUE, FALSE):
            return yes if condition is TRUE else no
        if yes.op is where and yes.args[2] is no:
            # One choice instead of two: where lanes end, each is a branch.
            return build(where, (build(bitwise_and, (condition, yes.args[0])), yes.args[1], no))
        return yes if yes is no else e if args == e.args else build(op, args)
    if op is bitwise_and and e.dtype == "bool":
        left = [a for a in args if a is not TRUE]
        if FALSE in args or len(left) < 2:
            return FALSE if FALSE in args else left[0] if left else TRUE
    if all(a in places or a.weak for a in args):
        if op in (size.add, size.multiply):
            return size.as_expr(size.plus(*args) if op is size.add else size.times(*args))
        if op is floor_divide:
            return _divided(*args)
        if op is greater_equal:
            return _compared(e, args)
    if op is size.add:
        left = tuple(a for a in args if not _is_zero(a))
        if len(left) < len(args):
            return build(op, left) if len(left) > 1 else left[0] if left else args[0]
    return e if args == e.args else nan_in(*args) if op is isnan else build(op, args)


def _is_zero(a: Expr) -> bool:
    return isinstance(a, Constant) and not a.weak and not a.ndim and a.value == 0


def _divided(top: Expr, bottom: Expr) -> Expr:
    """⌊(d·a + b) / d⌋ = a + ⌊b / d⌋"""
    d = literal(bottom)
    if d is None or d <= 0:
        return size.as_expr(size.quotient(top, bottom))
    whole, rest = 0, 0
    for monomial, c in size.polynomial(top).items():
        whole = size.plus(whole, size.times(c // d, *monomial))
        rest = size.plus(rest, size.times(c % d, *monomial))
    return size.as_expr(size.plus(whole, size.quotient(rest, d)))


def literal(e) -> int | None:
    """The number that a size is, if it is one."""
    terms = size.polynomial(e)
    if not terms:
        return 0
    return terms[()] if set(terms) == {()} else None


def _compared(e: Expr, args: tuple) -> Expr:
    difference = size.minus(*args)
    low, high = bounds(difference)
    if (low is not None and low >= 0) or size.is_nonnegative(_least(difference)):
        return TRUE
    if high is not None and high < 0:
        return FALSE
    return e if args == e.args else build(greater_equal, args)


def _least(p):
    """A size that p is never smaller than, without those indices that p is linear in."""
    result = p
    for monomial, c in size.polynomial(p).items():
        if len(monomial) == 1 and isinstance(monomial[0], Index):
            i = monomial[0]
            without = size.minus(result, size.times(c, i))
            result = without if c > 0 else size.plus(without, _least_of(c, i))
    return result


def _least_of(c: int, i: Index):
    """c·i at its least, for negative c: d·i ≤ a − d where i < ⌊a / d⌋."""
    extent = i.extent
    if isinstance(extent, Expr) and extent.op is floor_divide:
        top, d = extent.args[0], literal(extent.args[1])
        if d is not None and d > 0 and c % d == 0:
            return size.times(c // d, size.minus(top, d))
    return size.times(c, size.minus(extent, 1))


def bounds(p) -> tuple[int | None, int | None]:
    """The least and the largest value that a size is seen to have; None where it is not seen."""
    low, high = 0, 0
    for monomial, c in size.polynomial(p).items():
        ends = (1, 1) if not monomial else _bounds_of(monomial)
        least, most = ends if c > 0 else ends[::-1]
        low = None if low is None or least is None else low + c * least
        high = None if high is None or most is None else high + c * most
    return low, high


def _bounds_of(monomial: tuple) -> tuple[int | None, int | None]:
    parts = [_atom_bounds(a) for a in monomial]
    if any(low is None or low < 0 for low, _ in parts):
        return parts[0] if len(parts) == 1 else (None, None)
    low, high = 1, 1
    for least, most in parts:
        low *= least
        high = None if high is None or most is None else high * most
    return low, high


def _atom_bounds(a: Expr) -> tuple[int | None, int | None]:
    if isinstance(a, Index):
        return 0, a.extent - 1 if isinstance(a.extent, int) else None
    if a.op is floor_divide and (d := literal(a.args[1])) is not None and d > 0:
        return tuple(None if b is None else b // d for b in bounds(a.args[0]))
    if a.op is where:
        ends = list(zip(*(bounds(b) for b in a.args[1:]), strict=True))
        return tuple(None if None in e else f(e) for f, e in zip((min, max), ends, strict=True))
    return (0, None) if size.is_nonnegative(a) else (None, None)


# --- small folds ----------------------------------------------------------------------------------


def unrolled(value: Expr) -> Expr:
    """A formula whose folds over few literal terms are written out, in the order of their
    indices.
    """
    done: dict[Expr, Expr] = {}
    nodes = formula_order([value])
    if not any(isinstance(e.op, Fold) for e in nodes):
        return value
    inner = {e.args[0] for e in nodes if isinstance(e.op, Fold) and _continues(e)}
    for e in nodes:
        if e.op is None or any(a not in done for a in e.args):
            done[e] = e
            continue
        args = tuple(done[a] for a in e.args)
        done[e] = e if args == e.args else build(e.op, args)
        if isinstance(e.op, Fold) and e not in inner:
            done[e] = _written_out(done[e])
    return done[value]


def _continues(e: Expr) -> bool:
    """Whether the body of a fold is a fold by the same monoid."""
    body = e.args[0]
    return isinstance(body.op, Fold) and body.op.monoid == e.op.monoid


def _written_out(e: Expr) -> Expr:
    folds, body, count = [], e, 1
    while isinstance(body.op, Fold) and body.op.monoid == e.op.monoid:
        folds.append(body.op.index)
        if not isinstance(body.op.index.extent, int):
            return e
        count *= body.op.index.extent
        (body,) = body.args
    parts = formula_order([body])
    length = sum(e.op is not None and e.dtype not in ("bool", "int64") for e in parts)
    too_long = count > MOST_TERMS or count * length > MOST_PARTS
    if too_long or not count or any(isinstance(p.op, Fold) for p in parts):
        return e
    neutral = identity(e.op.monoid, e.dtype)
    terms = []
    for at in np.ndindex(*(k.extent for k in folds)):
        numbers = {k: size.as_expr(int(n)) for k, n in zip(folds, at, strict=True)}
        terms.append(settled(reindexed(body, numbers)))
    terms = [t for t in terms if t is not neutral] or [neutral]
    return _combined(MONOIDS[e.op.monoid].op(), terms)


def _combined(op, terms: list[Expr]) -> Expr:
    if op.variadic and len(terms) > 1:
        return build(op, tuple(terms))
    result = terms[0]
    for t in terms[1:]:
        result = _extreme(op, t, result) if op in _EXTREMES else build(op, (t, result))
    return result


_EXTREMES = {maximum: greater, minimum: less}


def _extreme(op, term: Expr, best: Expr) -> Expr:
    """The larger or smaller of two; nan where either is. What is asked about is the term: gcc finds
    no vector code for a chain of questions about what was chosen before.
    """
    if not is_float(term.dtype):
        return build(op, (term, best))
    chosen = where(_EXTREMES[op](term, best), term, best)
    return where(nan_in(term), term, chosen)
