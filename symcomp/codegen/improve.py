"""Loops made better without changing what they mean: merged where memory is contiguous, hoisted
out of loops.

`merge` turns neighbouring loops over rows and columns into one where every access runs through
memory in one stride. `hoist` computes what does not depend on a loop's index before the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from symcomp.codegen import loops
from symcomp.codegen.loops import (
    Buffer,
    Call,
    For,
    If,
    Let,
    Local,
    Scratch,
    Store,
    Update,
    View,
    local,
)
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, build
from symcomp.graph.notation import ELEMENT, Fold, Index, formula_order, index
from symcomp.graph.walk import order

# --- merging --------------------------------------------------------------------------------------


def merge(indices: Sequence[Index], offsets: Iterable, values: Iterable[Expr]):
    """Merge neighbouring loops as far as all accesses allow.

    `offsets` are the places written, `values` the formulas with their loads. Returns (indices,
    replacements) where a replacement maps an old pair (i, j) of indices to the merged one, to be
    applied by `merged`.
    """
    indices = list(indices)
    steps: list[tuple[Index, Index, Index]] = []
    places = [size.as_expr(o) for o in offsets]
    values = list(values)
    position = len(indices) - 2
    while position >= 0:
        i, j = indices[position], indices[position + 1]
        if _can_merge(i, j, places, values):
            f = index(size.times(i.extent, j.extent), i.name)
            places = [merged_offset(p, i, j, f) for p in places]
            values = [merged_value(v, i, j, f) for v in values]
            indices[position : position + 2] = [f]
            steps.append((i, j, f))
        position -= 1
    return tuple(indices), steps


def apply_steps(expr: Expr, steps, is_offset: bool = False) -> Expr:
    """Apply merges to a formula, or to an offset."""
    for i, j, f in steps:
        expr = merged_offset(expr, i, j, f) if is_offset else merged_value(expr, i, j, f)
    return expr


def _can_merge(i: Index, j: Index, places, values) -> bool:
    if any(not _linear(p, i, j) for p in places):
        return False
    for v in values:
        for e in order([v], stop=_is_place):
            found = e.args[1:] if e.op is ELEMENT else (e,) if e.weak else ()
            if not all(_linear(o, i, j) for o in found):
                return False
            if isinstance(e.op, Fold) and _mentions(e.op.index.extent, i, j):
                return False
    return True


def _is_place(e: Expr) -> bool:
    """Whether a part of a formula is a load, or itself a position (of a random number)."""
    return e.op is ELEMENT or e.weak


def _mentions(extent, *indices) -> bool:
    return isinstance(extent, Expr) and any(k in formula_order([extent]) for k in indices)


def _linear(offset: Expr, i: Index, j: Index) -> bool:
    """Whether an offset contains i and j only as c·(i·nⱼ + j)."""
    of_i, of_j = coefficient(offset, i), coefficient(offset, j)
    if of_i is None or of_j is None:
        return False
    return of_i is (expected := size.times(of_j, j.extent)) or of_i == expected


def coefficient(offset: Expr, i: Index):
    """c where offset = c·i + rest and neither c nor rest mentions i; None where it is not so."""
    terms = {}
    for monomial, c in size.polynomial(offset).items():
        inside = monomial.count(i)
        if inside > 1 or any(a is not i and a.op is not None and _holds(a, i) for a in monomial):
            return None
        if inside:
            terms[tuple(a for a in monomial if a is not i)] = c
    return size.from_polynomial(terms)


def _holds(atom: Expr, i: Index) -> bool:
    return i in formula_order([atom])


def merged_offset(offset: Expr, i: Index, j: Index, f: Index) -> Expr:
    """An offset that is `_linear` in i and j, over the merged index."""
    terms = {}
    for monomial, c in size.polynomial(offset).items():
        if j in monomial:
            terms[size.sorted_monomial(f if a is j else a for a in monomial)] = c
        elif i not in monomial:
            terms[monomial] = c
    return size.as_expr(size.from_polynomial(terms))


def merged_value(value: Expr, i: Index, j: Index, f: Index) -> Expr:
    nodes = formula_order([value])
    if i not in nodes and j not in nodes:
        return value
    done: dict[Expr, Expr] = {}
    for e in order([value], stop=_is_place):
        if e.op is ELEMENT:
            done[e] = loops.load(e.args[0], merged_offset(e.args[1], i, j, f))
        elif e.weak:
            done[e] = merged_offset(e, i, j, f)
        elif e.op is None:
            done[e] = e
        else:
            args = tuple(done[a] for a in e.args)
            done[e] = e if args == e.args else build(e.op, args)
    return done[value]


# --- hoisting -------------------------------------------------------------------------------------


def hoist(body: tuple, names: Iterator[str]) -> tuple:
    """Move what does not change in a loop before it, from the innermost loop outwards.

    What a parallel loop, or one over a grid, does not change goes to its `before`, which each of
    its pieces computes for itself.
    """
    result: list = []
    for s in body:
        match s:
            case For():
                inner, lifted = _lift(s.index, hoist(s.body, names), names)
                if s.how in loops.SPREAD:
                    result.append(replace(s, body=inner, before=(*s.before, *lifted)))
                else:
                    result += [*lifted, replace(s, body=inner)]
            case If(_, inner):
                result.append(replace(s, body=hoist(inner, names)))
            case _:
                result.append(s)
    return tuple(result)


def _lift(i: Index, body: tuple, names) -> tuple[tuple, list]:
    varying: set = {i}
    updated = set()
    for s in loops.walk(body):
        if isinstance(s, Store):
            varying.add(s.buffer)
        elif isinstance(s, Call):
            varying.update(a.buffer for a in s.arguments if isinstance(a, View))
            varying.update(a for a in s.arguments if isinstance(a, Buffer))
        elif isinstance(s, (Let, Update)):
            updated.add(s.local) if isinstance(s, Update) else None
            varying.add(s.local)
        elif isinstance(s, Scratch):
            varying.add(s.buffer)
        elif isinstance(s, For):
            varying.add(s.index)
    lifted: list = []
    done: dict[Expr, Local] = {}
    result = []
    for s in body:
        match s:
            case Let(variable, value):
                value = _lifted(value, varying, lifted, done, names)
                if variable not in updated and not _varies(value, varying):
                    lifted.append(Let(variable, value))
                    varying.discard(variable)
                else:
                    result.append(Let(variable, value))
            case Update() | Store():
                value = _lifted(s.value, varying, lifted, done, names)
                result.append(replace(s, value=value))
            case _:
                result.append(s)
    return tuple(result), lifted


def _varies(value: Expr, varying: set) -> bool:
    return any(e in varying for e in formula_order([value]))


def _lifted(value: Expr, varying: set, lifted: list, done: dict, names) -> Expr:
    """The value with its largest unchanging parts replaced by locals that are computed before the
    loop.
    """
    nodes = formula_order([value])
    changes: dict[Expr, bool] = {}
    for e in nodes:
        changes[e] = e in varying or any(changes[a] for a in e.args)
        if isinstance(e.op, Fold):
            changes[e] = True
    if not changes[value]:
        return value if _is_trivial(value) else _named(value, lifted, done, names)
    new: dict[Expr, Expr] = {}
    for e in nodes:
        if not changes[e] or e.op is None:
            new[e] = e
            continue
        args = tuple(
            a
            if changes[a] or _is_trivial(a) or (e.op is ELEMENT)
            else _named(a, lifted, done, names)
            for a in e.args
        )
        args = tuple(new[a] if changes.get(a) else a for a in args)
        new[e] = e if args == e.args else build(e.op, args)
    return new[value]


def _is_trivial(e: Expr) -> bool:
    """Leaves, and the integer arithmetic of offsets, which the C compiler hoists itself."""
    return e.op is None or e.weak or isinstance(e, Constant)


def _named(e: Expr, lifted: list, done: dict, names) -> Local:
    if e not in done:
        done[e] = local(e.dtype, next(names))
        lifted.append(Let(done[e], e))
    return done[e]
