"""Threads: the loops that go over them, which of these a team shares, and where it waits.

What one thread of a team has written, another sees only after a barrier; and a place that some may
still read is written only after one.
"""

from __future__ import annotations

from dataclasses import replace

from symcomp.codegen import loops
from symcomp.codegen.equations import is_array
from symcomp.codegen.loops import Barrier, For, Let, Scratch, Statement, Store
from symcomp.graph import size
from symcomp.graph.notation import ELEMENT, Index, formula_order, index

#: Loops whose iterations the threads of a team share.
SHARED = ("block", "thread")

# --- loops ----------------------------------------------------------------------------------------


def one_index(indices) -> tuple[Index, list[Let]]:
    """One index that runs through all the others' values, and these in terms of it."""
    varying = [i for i in indices if i.extent != 1]
    fixed: list = [Let(i, size.as_expr(0)) for i in indices if i.extent == 1]
    if not varying:
        return index(1, "i"), fixed
    if len(varying) == 1:
        return varying[0], fixed
    every = index(size.product([i.extent for i in varying]), "at")
    rest = every
    for i in reversed(varying[1:]):
        outer = loops.local_size(f"{i.name}_and_more")
        fixed.append(Let(outer, size.as_expr(size.quotient(rest, i.extent))))
        fixed.append(Let(i, size.as_expr(size.minus(rest, size.times(outer, i.extent)))))
        rest = outer
    fixed.append(Let(varying[0], rest))
    return every, fixed


def over_grid(indices, body) -> For:
    """Grid loops: the innermost over neighbouring threads, all others together around it."""
    varying = [i for i in indices if i.extent != 1]
    fixed = tuple(Let(i, size.as_expr(0)) for i in indices if i.extent == 1)
    if not varying:
        return For(index(1), (*fixed, *body), "grid")
    inner = For(varying[-1], (*fixed, *body), "grid")
    if len(varying) == 1:
        return inner
    outer, first = one_index(varying[:-1])
    return For(outer, (*first, inner), "grid")


# --- teams ----------------------------------------------------------------------------------------


def is_team(statement: Statement) -> bool:
    """Whether the iterations of a grid loop are shared by teams."""
    return any(isinstance(s, For) and s.how in SHARED for s in loops.walk((statement,)))


def fixed_width(body: tuple) -> int:
    """How many threads the teams of a kernel have, where its loops fix it; else 0."""
    found = {s.extent for s in loops.walk(body) if isinstance(s, For) and s.how == "thread"}
    return found.pop() if found else 0


def with_barriers(body: tuple) -> tuple:
    """Barriers where threads of a team read what others have written, or write what others may
    still read; also from one row to the next, which use the same scratch.
    """
    return tuple(
        replace(s, body=_guarded(s.body)) if isinstance(s, For) and is_team(s) else s for s in body
    )


def _guarded(body: tuple) -> tuple:
    result: list = []
    read: set = set()
    written: set = set()
    scratch = {s.buffer for s in body if isinstance(s, Scratch)}
    for s in body:
        reads, writes = _touched(s)
        if written & (reads | writes) or read & writes:
            result.append(Barrier())
            read, written = set(), set()
        result.append(s)
        read |= reads
        written |= writes
    if scratch:
        result.append(Barrier())
    return tuple(result)


def _touched(statement: Statement) -> tuple[set, set]:
    """The arrays that a statement reads and writes."""
    reads, writes = set(), set()
    for s in loops.walk((statement,)):
        for v in loops.values(s):
            reads.update(e.args[0] for e in formula_order([v]) if e.op is ELEMENT)
        if isinstance(s, Store):
            writes.add(s.buffer)
            if s.monoid is not None:
                reads.add(s.buffer)
    return {b for b in reads if is_array(b)}, writes
