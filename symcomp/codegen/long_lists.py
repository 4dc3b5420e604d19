"""Scatters on a GPU where many positions write the same place: the ids of padding, a few classes.

What the other kernels of a scatter leave to one thread of each column is done by a team here. It
takes tile after tile of what is written to shared memory, all threads side by side, and adds the
columns of the tile up, each in order: so the sums are the same, and memory is not waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symcomp.codegen.loops import (
    Barrier,
    Buffer,
    For,
    If,
    Let,
    Scratch,
    Store,
    Update,
    buffer,
    load,
)
from symcomp.codegen.teams import one_index
from symcomp.graph import size
from symcomp.graph.expr import Expr, constant
from symcomp.tensor.arithmetic import equal, less, logical_and, logical_not, where

if TYPE_CHECKING:
    from symcomp.codegen.scatters import Scattered

#: Of so many sorted positions one looks whether it is of a long list, which has twice as many.
PERIOD = 128
#: What a team takes to shared memory at once: elements, of so many columns.
TILE, TILE_COLUMNS = 4096, 32

FALSE = constant(np.asarray(False))


def is_long(count: Expr) -> Expr:
    """Whether a list of positions that write the same place is done by a team."""
    return logical_not(less(count, size.as_expr(2 * PERIOD)))


class LongLists:
    """The kernel that adds up the long lists of one scatter, whose positions are sorted."""

    def __init__(self, scattered: Scattered, many, ordered: Buffer, counts: Buffer):
        self.scattered, self.many = scattered, many
        self.ordered, self.counts = ordered, counts
        self.across = size.product([i.extent for i in scattered.free])
        width = size.larger(1, size.smaller(self.across, TILE_COLUMNS))
        self.width = scattered.known(width, "width")
        #: One index that runs through all columns, and the free indices in terms of it.
        self.every, self.first = one_index(scattered.free)
        self.tile = self._scratch(TILE, "tile")
        self.totals = self._scratch(TILE_COLUMNS, "totals")

    def _scratch(self, length: int, name: str) -> Buffer:
        dtype = self.scattered.target.dtype
        return buffer(dtype, (length,), f"{name}{next(self.scattered.lowering.names)}")

    def added(self) -> For:
        """A team for each PERIOD of positions, and some columns."""
        new = self.scattered
        chunks = new.known(size.parts(self.across, self.width), "chunks")
        team = new.index(size.times(size.parts(self.many, PERIOD), chunks), "team")
        body: list = [Scratch(self.tile), Scratch(self.totals)]
        number = new.let(size.quotient(team, chunks), "number", body)
        chunk = new.let(size.minus(team, size.times(number, chunks)), "chunk", body)
        at = new.let(size.times(number, PERIOD), "at", body)
        place = new.let(load(self.ordered, at), "place", body)
        mine = self._leads(at, place, body)
        inside: list = []
        start = self._start(at, place, inside)
        count = new.let(load(self.counts, start), "count", inside)
        left = new.let(size.times(chunk, self.width), "left", inside)
        here = size.smaller(self.width, size.minus(self.across, left))
        here = new.let(here, "here", inside)
        inside.append(If(is_long(count), tuple(self._list(place, start, count, left, here))))
        return For(team, (*body, If(mine, tuple(inside))), "grid")

    def _list(self, place: Expr, start, count, left, here) -> list:
        """Add up what one list writes to the columns from `left` on, of which there are `here`."""
        new = self.scattered
        column = new.index(here, "c")
        bound = [Let(self.every, size.as_expr(size.plus(left, column))), *self.first]
        offset = new.offset(place, bound)
        fetched = Store(self.totals, column, load(new.target, offset))
        stored = Store(new.target, offset, load(self.totals, column))
        height = size.quotient(TILE, self.width)
        tiles = new.index(size.parts(count, height), "tiles")
        body: list = []
        done = new.let(size.times(tiles, height), "done", body)
        rows = new.let(size.smaller(height, size.minus(count, done)), "rows", body)
        first = size.plus(self.many, start, done)
        body += [self._brought(first, rows, left, here), Barrier()]
        body += [self._summed(column, rows, here), Barrier()]
        return [
            For(column, (*bound, fetched), "block"),
            For(tiles, tuple(body)),
            For(column, (*bound, stored), "block"),
        ]

    def _brought(self, first, rows, left, here) -> For:
        """A tile of what is written, by the positions from `first` on: a row for each of them."""
        new = self.scattered
        e = new.index(size.times(rows, here), "e")
        body: list = []
        row = new.let(size.quotient(e, here), "row", body)
        column = size.minus(size.plus(left, e), size.times(row, here))
        body += [Let(self.every, size.as_expr(column)), *self.first]
        position = new.let(load(self.ordered, size.plus(first, row)), "position", body)
        return For(e, (*body, Store(self.tile, e, new.value(position, body, {}))), "block")

    def _summed(self, column, rows, here) -> For:
        """The rows of a tile added to the totals, in order."""
        new = self.scattered
        total, row = new.local(new.target.dtype, "total"), new.index(rows, "row")
        element = load(self.tile, size.plus(size.times(row, here), column))
        body = (
            Let(total, load(self.totals, column)),
            For(row, (Update(total, new.write.monoid, element),)),
            Store(self.totals, column, total),
        )
        return For(column, body, "block")

    def _leads(self, at: Expr, place: Expr, body: list) -> Expr:
        """Whether `at` is the first multiple of PERIOD in what may be a long list."""
        follows, before = (self.scattered.local("bool", name) for name in ("follows", "before"))
        for flag, other, inside in (
            (
                follows,
                size.plus(at, PERIOD - 1),
                less(size.plus(at, PERIOD - 1), size.as_expr(self.many)),
            ),
            (before, size.minus(at, PERIOD), less(size.as_expr(0), at)),
        ):
            same = Update(flag, "any", equal(load(self.ordered, other), place))
            body += [Let(flag, FALSE), If(inside, (same,))]
        return logical_and(follows, logical_not(before))

    def _start(self, at: Expr, place: Expr, body: list) -> Expr:
        """Where the list begins that `at` is in, fewer than PERIOD before, by bisection."""
        back = self.scattered.local_size("back")
        body.append(Let(back, size.as_expr(0)))
        step = PERIOD // 2
        while step:
            to = size.as_expr(size.minus(at, size.plus(back, step)))
            same = equal(load(self.ordered, to), place)
            further = Update(back, "sum", where(same, size.as_expr(step), size.as_expr(0)))
            body.append(If(logical_not(less(to, size.as_expr(0))), (further,)))
            step //= 2
        return self.scattered.let(size.minus(at, back), "start", body)
