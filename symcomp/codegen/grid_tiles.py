"""Maps on a GPU that read some arrays across the order in which they write: through square tiles.

A team brings a tile of each such array to shared memory as it lies, and reads it there across. All
loads of a thread are under way together; the rows of a tile are longer by one element than they
need be, so that what is read across lies in different banks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from symcomp.codegen import improve, loops
from symcomp.codegen.equations import reindexed
from symcomp.codegen.loops import Buffer, For, If, Let, Local, Scratch, Store, load, local
from symcomp.codegen.nests import Context
from symcomp.codegen.plan import Root
from symcomp.codegen.teams import one_index
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import ELEMENT, Index, formula_order, identity, index
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.tensor.arithmetic import less, logical_and, where

#: The side of a tile, and of one where an axis is known to be no longer, or the tiles are many.
SQUARE, SMALL_SQUARE = 64, 32
#: Elements of a tile that a thread brings; the most tiles in one kernel, and bytes of all of them.
ROUNDS, MOST_TILES, MOST_BYTES = 16, 3, 48 << 10
#: Formulas of more parts are not written out for each element of a thread.
WRITTEN_OUT = 24


class GridTiles(Context):
    """The lowering of maps that read across."""

    known: Callable[[Size, str], Size]

    def _through_tiles(self, members: list[Root], merged, values, offset, turned, known) -> For:
        """A map as a loop of teams over tiles; `turned` are the loads that lie across, `known` is
        what is at hand at a place.
        """
        *around, i, j = merged
        side = _side((i, j), turned)
        starts: dict[Index, Size] = {}
        body: list = []
        tiles = self._tile_of(around, i, j, side, starts, body)
        held = {
            e: loops.buffer(e.dtype, (side * (side + 1),), f"tile{next(self.names)}")
            for e in turned
        }
        body += [Scratch(tile) for tile in held.values()]
        body.append(self._bring(i, j, side, starts, held))

        def element(row: Size, column: Size, at, moved: dict[Index, Expr], inside: list) -> None:
            place = size.as_expr(size.plus(size.times(column, side + 1), row))
            here = {e: load(tile, place) for e, tile in held.items()}
            own = [reindexed(_put(v, here), moved) for v in values]
            self.store_members(members, own, at, inside, {e: load(b, at) for e, b in known.items()})

        body.append(self._compute(i, j, side, starts, offset, element, values))
        return For(tiles, tuple(body), "grid")

    def _tile_of(self, around, i: Index, j: Index, side: int, starts, body: list) -> Index:
        """The loop over tiles, and where each begins. Neighbours lie along the axis of which there
        are fewer: what two of them have in common is still in the cache.
        """
        down = self.known(size.parts(i.extent, side), "down")
        along = self.known(size.parts(j.extent, side), "along")
        count = self.known(size.product([*(k.extent for k in around), down, along]), "tiles")
        tile = index(count, f"tile{next(self.names)}")
        fewer = self.let(size.smaller(down, along), "fewer", body)
        more = self.let(size.larger(down, along), "more", body)
        rest = self.let(size.quotient(tile, fewer), "rest", body)
        near = size.as_expr(size.minus(tile, size.times(rest, fewer)))
        outer = self.let(size.quotient(rest, more), "outer", body)
        far = size.as_expr(size.minus(rest, size.times(outer, more)))
        downwards = less(size.as_expr(down), size.as_expr(along))
        for k, first, second in ((i, near, far), (j, far, near)):
            number = loops.local_size(f"{k.name}_tile{next(self.names)}")
            body.append(Let(number, where(downwards, first, second)))
            starts[k] = self.let(size.times(number, side), k.name or "start", body)
        if around:
            every, first = one_index(around)
            body += [Let(every, size.as_expr(outer)), *first]
        return tile

    def _within(self, side: int, body: list) -> tuple[Index, tuple[Local, Local]]:
        """The threads of a team, and the row and column of each in a tile."""
        one = index(side * side // ROUNDS, f"e{next(self.names)}")
        row, column = (loops.local_size(f"{n}{next(self.names)}") for n in ("row", "column"))
        body.append(Let(row, size.quotient(one, side)))
        body.append(Let(column, size.minus(one, size.times(row, side))))
        return one, (row, column)

    def _bring(self, i: Index, j: Index, side: int, starts, held: dict[Expr, Buffer]) -> For:
        """What lies across, brought as it lies: first all loads of a thread, then its stores."""
        one, (y, x) = self._within(side, body := [])
        moved, fits = self._from(i, j, starts, (x, y), side, body)
        for e, tile in held.items():
            array, offset = self.located(e).args
            stores: list = []
            for r, at in enumerate(self._steps(offset, j, moved, side, body)):
                row = size.plus(y, r * (side // ROUNDS))
                part = local(e.dtype, f"x{next(self.names)}")
                found = where(fits(row), load(array, at), identity("sum", e.dtype))
                body.append(Let(part, found))
                place = size.as_expr(size.plus(size.times(row, side + 1), x))
                stores.append(Store(tile, place, part))
            body += stores
        return For(one, tuple(body), "thread")

    def _compute(self, i: Index, j: Index, side: int, starts, offset, element, values) -> For:
        """What is made of the tiles, in the order in which it is written."""
        one, (y, x) = self._within(side, body := [])
        moved, fits = self._from(j, i, starts, (x, y), side, body)
        step = side // ROUNDS
        if len(formula_order(values)) > WRITTEN_OUT:
            again = index(ROUNDS, f"r{next(self.names)}")
            row = size.plus(y, size.times(again, step))
            moved[i] = size.as_expr(size.plus(moved[i], size.times(again, step)))
            element(row, x, reindexed(offset, moved), moved, inside := [])
            body.append(For(again, (If(fits(row), tuple(inside)),)))
            return For(one, tuple(body), "thread")
        first = moved[i]
        for r, at in enumerate(self._steps(offset, i, moved, side, body)):
            row = size.plus(y, r * step)
            moved[i] = size.as_expr(size.plus(first, r * step))
            element(row, x, at, moved, inside := [])
            body.append(If(fits(row), tuple(inside)))
        return For(one, tuple(body), "thread")

    def _from(self, fast: Index, slow: Index, starts, within, side: int, body: list):
        """Where a thread's first element lies, and whether one of a row of the tile is there."""
        x, y = within
        moved = {}
        for k, place in ((fast, x), (slow, y)):
            own = loops.local_size(f"{k.name}_{next(self.names)}")
            body.append(Let(own, size.as_expr(size.plus(starts[k], place))))
            moved[k] = own
        left = size.smaller(side, size.minus(slow.extent, starts[slow]))
        left = self.let(left, "left", body)
        across = local("bool", f"across{next(self.names)}")
        body.append(Let(across, less(moved[fast], size.as_expr(fast.extent))))

        def fits(row) -> Expr:
            return logical_and(across, less(_short(row), _short(left)))

        return moved, fits

    def _steps(self, offset, slow: Index, moved, side: int, body: list) -> Iterator[Expr]:
        """The offsets of a thread's elements, each by addition from the one before. They have
        names, so that a load stays inside a choice.
        """
        stride = improve.coefficient(offset, slow)
        at = self.let(reindexed(offset, moved), "at", body)
        step = self.let(size.times(stride, side // ROUNDS), "step", body)
        yield size.as_expr(at)
        for _ in range(ROUNDS - 1):
            at = self.let(size.plus(at, step), "at", body)
            yield size.as_expr(at)


def turned(merged: Sequence[Index], values) -> list[Expr]:
    """The loads that lie in the order of the last index but one, where maps go along the last."""
    if len(merged) < 2:
        return []
    i, j = merged[-2:]
    if any(isinstance(k.extent, int) and k.extent < SMALL_SQUARE // 2 for k in (i, j)):
        return []
    found = []
    for e in formula_order(values):
        if e.op is ELEMENT and e.args[1].weak:
            of_i, of_j = (improve.coefficient(e.args[1], k) for k in (i, j))
            if of_i == 1 and of_j not in (None, 0, 1):
                found.append(e)
    return found if len(found) <= MOST_TILES else []


def _side(indices: Sequence[Index], turned: Sequence[Expr]) -> int:
    short = any(isinstance(k.extent, int) and k.extent <= SMALL_SQUARE for k in indices)
    taken = SQUARE * (SQUARE + 1) * sum(np.dtype(e.dtype).itemsize for e in turned)
    return SMALL_SQUARE if short or taken > MOST_BYTES else SQUARE


def _short(n: Size) -> Expr:
    """A number below the side of a tile, in 32 bits."""
    return cast(size.as_expr(n), "int32")


def _put(value: Expr, replacements: dict[Expr, Expr]) -> Expr:
    """A formula with other parts in the place of some, whatever they are made of."""
    done = dict(replacements)
    for e in formula_order([value]):
        if e not in done:
            args = tuple(done.get(a, a) for a in e.args)
            done[e] = e if args == e.args else build(e.op, args)
    return done[value]
