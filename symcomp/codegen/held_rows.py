"""Rows that a team of a GPU's threads holds in registers.

Where all loops inside a row run over the same positions, they share one mapping of these to threads
(`sc_share` in include/symcomp_rows.cuh): a few vectors of neighbouring elements for each thread,
loaded and stored as one. A row that fits is loaded once, at the beginning, and what its loops leave
for each other stays where it was computed; a longer one is streamed through, loop by loop. Which of
the two it is, and whether rows are whole vectors, is known when the kernel is launched: there is a
kernel for each case.

This module says whether the loops of a kernel can be run so, and what they read and write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from symcomp.codegen import improve, loops
from symcomp.codegen.equations import reindexed
from symcomp.codegen.loops import (
    Buffer,
    For,
    Kernel,
    Let,
    Local,
    Scratch,
    Statement,
    Store,
    Update,
    local,
)
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.notation import ELEMENT, Index, formula_order
from symcomp.graph.size import Dimension
from symcomp.tensor.arithmetic import maximum, minimum

#: Bytes of a vector, and the most elements of one.
WIDE, MOST_LANES = 16, 4
#: Vectors that a thread has at once, and the registers that they should take, or may.
MOST_SLOTS, WANTED_REGISTERS, MOST_REGISTERS = 4, 16, 32
#: Threads of a block; of the longest rows fewer, so that two blocks have room on a processor.
THREADS, THREADS_OF_TWO = 1024, 640
#: Elements that a row is taken to have where nothing is known at the launch.
UNKNOWN_LENGTH = 4096


def whole_vectors(n: size.Size) -> size.Size:
    """The next size of parts of which each begins at a whole vector, of any dtype."""
    return size.times(size.parts(n, MOST_LANES), MOST_LANES)


@dataclass(frozen=True)
class Line:
    """What a row has of an array: its elements from `base` on; `element` is the one at hand."""

    buffer: Buffer
    base: Expr
    element: Local


@dataclass(frozen=True)
class Pass:
    """One loop inside a row. Its body has the elements of lines instead of loads; `loaded` are the
    lines that it reads, and `stored` says which line a statement writes.
    """

    loop: For
    body: tuple
    loaded: tuple[Line, ...]
    stored: dict[Store, Line]


@dataclass(frozen=True)
class RowLoops:
    """The loops of a kernel of rows, in order, and how its threads share a row."""

    loop: For
    passes: tuple[Pass, ...]
    lanes: int
    slots: int
    #: The elements of a row, or a bound of them that is known at the launch.
    length: size.Size
    #: Whether loops after the first need what the ones before have had.
    is_held: bool
    #: What must be multiples of `lanes` so that rows are whole vectors; None if that is unknown.
    multiples: tuple[Expr, ...] | None

    @property
    def threads(self) -> int:
        """The most threads of a team that holds its row."""
        return THREADS_OF_TWO if self.lanes * self.slots == MOST_LANES * MOST_SLOTS else THREADS

    @property
    def longest(self) -> int:
        """The elements of the longest row that is held."""
        return self.lanes * self.slots * self.threads

    def bounds(self, held: bool, wide: bool) -> tuple[int, int]:
        """The most threads of a block, and the blocks for which a processor has registers."""
        return (self.threads, 2) if held and wide and self.threads < THREADS else (THREADS, 1)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that some loop reads."""
        return tuple(dict.fromkeys(line for p in self.passes for line in p.loaded))

    @property
    def begun(self) -> tuple[Line, ...]:
        """The lines that are read before they are written: where a row is held, loaded first."""
        written: set[Line] = set()
        result: dict[Line, None] = {}
        for p in self.passes:
            result.update((line, None) for line in p.loaded if line not in written)
            written.update(p.stored.values())
        return tuple(result)

    def ways(self) -> Iterator[tuple[bool, bool]]:
        """The cases that may come up: (held, wide)."""
        is_short = isinstance(self.length, int) and self.length <= self.longest
        kinds = [True] if self.is_held and is_short else [True, False] if self.is_held else [False]
        for held in kinds:
            if self.multiples is not None:
                yield held, True
            if self.multiples != ():
                yield held, False


def row_loops(kernel: Kernel) -> RowLoops | None:
    """How the rows of a kernel are shared by teams, if they can be shared so."""
    if len(kernel.body) != 1 or not isinstance(kernel.body[0], For):
        return None
    (loop,) = kernel.body
    inner = [s for s in loop.body if isinstance(s, For) and s.how == "block"]
    if not inner or any(not _is_inside(s, inner[0].extent) for s in inner):
        return None
    if any(
        isinstance(s, For) and s.how != "serial" for s in loops.walk(loop.body) if s not in inner
    ):
        return None
    found = _Search(loop, inner[0].extent)
    passes = []
    for s in inner:
        made = found.made(s)
        if made is None:
            return None
        passes.append(made)
    if not found.lines or not found.are_alone():
        return None
    return _shaped(loop, tuple(passes), found)


def _is_inside(s: For, extent) -> bool:
    """Whether a loop runs over the positions of all, and has nothing but formulas in it."""
    straight = all(isinstance(x, (Let, Update, Store)) for x in s.body)
    straight &= all(x.monoid is None for x in s.body if isinstance(x, Store))
    return straight and (s.extent is extent or s.extent == extent)


@dataclass
class _Search:
    """What the loops inside a row read and write."""

    loop: For
    extent: size.Size
    lines: dict[tuple[Buffer, Expr], Line] = field(default_factory=dict)
    #: Arrays that are written in some other way than along the row, or read so.
    written_otherwise: set[Buffer] = field(default_factory=set)
    read_otherwise: set[Buffer] = field(default_factory=set)

    def __post_init__(self):
        #: Sizes that are computed once for each row, by what they are made of.
        self.sizes: dict[Expr, Expr] = {}
        for s in (*self.loop.before, *self.loop.body):
            if isinstance(s, Let) and s.local.weak:
                self.sizes[s.local] = reindexed(s.value, self.sizes)
            if not (isinstance(s, For) and s.how == "block"):
                self._other(s)

    def _other(self, statement: Statement) -> None:
        for s in loops.walk((statement,)):
            if isinstance(s, Store):
                self.written_otherwise.add(s.buffer)
            for v in loops.values(s):
                self.read_otherwise.update(_read(v))

    def made(self, s: For) -> Pass | None:
        """A loop with the elements of lines instead of loads."""
        places: dict[Expr, Expr] = {}
        loaded: dict[Line, None] = {}
        stored: dict[Store, Line] = {}
        body: list = []
        for x in s.body:
            if isinstance(x, Let) and x.local.weak:
                places[x.local] = reindexed(x.value, places)
            elements: dict[Expr, Expr] = {}
            for e in formula_order(loops.values(x)):
                if e.op is not ELEMENT:
                    continue
                line = self._line(s.index, e.args[0], reindexed(e.args[1], places))
                if line is None:
                    self.read_otherwise.update(_read(e))
                    continue
                if line in stored.values():
                    return None
                elements[e] = line.element
                loaded[line] = None
            made = _with_elements(x, elements)
            body.append(made)
            if isinstance(x, Store):
                line = self._line(s.index, x.buffer, reindexed(size.as_expr(x.offset), places))
                if line is None:
                    self.written_otherwise.add(x.buffer)
                else:
                    stored[made] = line
        return Pass(s, tuple(body), tuple(loaded), stored)

    def _line(self, position: Index, array: Expr, offset: Expr) -> Line | None:
        """The line that an access runs along; None if it goes another way."""
        if (
            isinstance(array, Constant)
            or _loads(offset)
            or improve.coefficient(offset, position) != 1
        ):
            return None
        base = size.as_expr(size.minus(offset, position))
        found = self.lines.get((array, base))
        if found is None:
            found = self.lines[array, base] = Line(
                array, base, local(array.dtype, array.name or "x")
            )
        return found

    def are_alone(self) -> bool:
        """Whether what is written of an array is read in the same place only: then no thread waits
        for another. Of scratch there is nothing but lines from its beginning.
        """
        written = {line.buffer for line in self.lines.values()} & self._stored()
        for b in written | self.written_otherwise:
            ways = [line for line in self.lines.values() if line.buffer is b]
            if b in self.read_otherwise or len(ways) > (b not in self.written_otherwise):
                return False
        scratch = {s.buffer for s in self.loop.body if isinstance(s, Scratch)}
        if scratch & (self.read_otherwise | self.written_otherwise):
            return False
        return all(
            line.base is size.as_expr(0) for line in self.lines.values() if line.buffer in scratch
        )

    def _stored(self) -> set[Buffer]:
        return {s.buffer for s in loops.walk(self.loop.body) if isinstance(s, Store)}

    def length(self) -> size.Size | None:
        """The elements of a row as far as they are known at the launch, or a bound of them."""
        return _bound(reindexed(size.as_expr(self.extent), self.sizes))

    def multiples(self, lanes: int) -> tuple[Expr, ...] | None:
        """What must be multiples of `lanes`: all places where lines begin, and their length."""
        found: dict[Expr, None] = {}
        for e in (size.as_expr(self.extent), *(line.base for line in self.lines.values())):
            more = _multiples(reindexed(e, self.sizes), lanes)
            if more is None:
                return None
            found.update(dict.fromkeys(more))
        return tuple(found)


def _with_elements(s: Let | Update | Store, elements: dict[Expr, Expr]):
    return replace(s, value=reindexed(s.value, elements))


def _read(value: Expr) -> set[Expr]:
    return {e.args[0] for e in formula_order([value]) if e.op is ELEMENT}


def _loads(offset: Expr) -> bool:
    return any(e.op is ELEMENT for e in formula_order([offset]))


def _multiples(value: Expr, lanes: int) -> list[Expr] | None:
    """The sizes that must be multiples of `lanes` so that a place is one in every row."""
    result: list[Expr] = []
    for monomial, c in size.polynomial(value).items():
        if c % lanes == 0:
            continue
        if len(monomial) == 1 and monomial[0].op in (minimum, maximum):
            for a in monomial[0].args:
                more = _multiples(a, lanes)
                if more is None:
                    return None
                result += more
            continue
        known = [a for a in monomial if _is_known(a)]
        if not known:
            return None
        result.append(size.as_expr(size.times(c, *known)))
    return result


def _bound(e: Expr) -> size.Size | None:
    """A size that is known at the launch and not below another; None if none is seen."""
    if _is_known(e):
        return size.as_size(e)
    if e.op is minimum:
        bounds = [b for b in map(_bound, e.args) if b is not None]
        return bounds[0] if bounds else None
    return None


def _is_known(e: Expr) -> bool:
    """Whether a size is known when the kernel is launched."""
    leaves = [x for x in formula_order([e]) if x.op is None]
    return all(isinstance(x, (Dimension, Constant)) for x in leaves)


def _shaped(loop: For, passes: tuple[Pass, ...], found: _Search) -> RowLoops:
    """The shape of a thread's share: as many vectors as registers allow."""
    dtypes = [line.buffer.dtype for line in found.lines.values()]
    lanes = max(1, min(WIDE // max(np.dtype(d).itemsize for d in dtypes), MOST_LANES))
    length = found.length()
    known = UNKNOWN_LENGTH if length is None else length
    shape = RowLoops(loop, passes, lanes, 0, known, False, found.multiples(lanes))
    kept = _kept(shape)
    slots = min(_slots(lines, lanes) for lines in kept) if length is not None else 0
    if slots and any(kept[1:]):
        return replace(shape, slots=slots, is_held=True)
    return replace(shape, slots=min(max(_slots(p.loaded, lanes), 1) for p in passes))


def _kept(rows: RowLoops) -> list[set[Line]]:
    """The lines that a thread has before each loop, where rows are held."""
    touched = [{*p.loaded, *p.stored.values()} for p in rows.passes]
    had, result = set(rows.begun), []
    for k in range(len(touched)):
        result.append({line for line in had if any(line in p.loaded for p in rows.passes[k:])})
        had |= touched[k]
    return result


def _slots(lines: Iterable[Line], lanes: int) -> int:
    """Vectors of each line that a thread has at once; 0 if there is no room."""
    each = lanes * sum(max(np.dtype(line.buffer.dtype).itemsize // 4, 1) for line in lines)
    slots = MOST_SLOTS
    while slots > 2 and slots * each > WANTED_REGISTERS:
        slots //= 2
    while slots and slots * each > MOST_REGISTERS:
        slots //= 2
    return slots
