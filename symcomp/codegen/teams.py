"""Teams of threads: which loops they share, and where they wait for each other.

What one thread of a team has written, another sees only after a barrier; and a place that some may
still read is written only after one.
"""

from __future__ import annotations

from dataclasses import replace

from symcomp.codegen import loops
from symcomp.codegen.equations import is_array
from symcomp.codegen.loops import Barrier, For, Scratch, Statement, Store
from symcomp.graph.notation import ELEMENT, formula_order


def is_team(statement: Statement) -> bool:
    """Whether the iterations of a grid loop are shared by teams."""
    return any(isinstance(s, For) and s.how == "block" for s in loops.walk((statement,)))


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
