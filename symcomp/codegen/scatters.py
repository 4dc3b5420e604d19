"""Writes to places that data say, on a GPU: what meets at a place is written there in order.

Threads write side by side, so those that write the same place must be brought together: a place is
done by one thread (of each column), which goes through all that is written there, in the order of
the positions. So results are the same every time, and those of NumPy. Which of two ways finds them
is decided by sizes, at the launch:

    few     every position is compared with all others: one kernel
    many    the positions are sorted by their places, stably (include/symcomp_sort.cuh). Then equal
            places are neighbours, and a kernel goes over them

The kernels of the way that is not taken have nothing to do, and are not launched.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symcomp.codegen.equations import flat, reindexed
from symcomp.codegen.loops import (
    Barrier,
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
    buffer,
    load,
    local,
    local_size,
)
from symcomp.codegen.lower import Lowering
from symcomp.codegen.plan import Root
from symcomp.codegen.teams import one_index, over_grid
from symcomp.graph import size
from symcomp.graph.expr import Expr, build, constant
from symcomp.graph.notation import Index, Write, index
from symcomp.graph.scalar import cast
from symcomp.tensor.arithmetic import equal, less, logical_and, logical_not, minimum, where

#: Positions are few up to here, while their pairs, times the columns, are no more than the second.
FEW, MOST_PAIRS = 256, 1 << 24
#: By so much a range is narrowed down in one round of bisection, and the most rounds there are.
FAN, MOST_ROUNDS = 16, 15
#: Columns that a thread does of rows that may have as many as the second.
COLUMNS, SHORT = 4, 32
#: Of so many sorted positions one looks whether it is of a long list, which has twice as many. And
#: what a team that adds one up takes to shared memory at once: elements, of so many columns.
PERIOD, TILE, TILE_COLUMNS = 128, 4096, 32

FALSE = constant(np.asarray(False))


class Scattered:
    """One write of a root, in the order of the positions where places meet."""

    def __init__(self, lowering: Lowering, root: Root, write: Write, free: list[Index]):
        self.lowering = lowering
        self.write, self.free = write, free
        self.ordered = [i for i in write.indices if i not in free]
        self.target = lowering.buffers[root.expr]
        self.shape = root.shape
        self.count = size.product([i.extent for i in self.ordered])
        #: The axes of the result whose places data say.
        self.axes = [k for k, t in enumerate(write.target) if t not in free]

    def kernels(self) -> Iterator:
        """The bodies of the kernels, in order."""
        few, many = self._numbers()
        if few != 0:
            yield [self._compared(few)]
        if many != 0:
            yield from self._sorted(many)

    def _numbers(self):
        """How many positions are done by comparing, and how many by sorting: all, and none."""
        some = self._known(size.smaller(self.count, FEW + 1), "some")
        columns = size.larger(1, size.product([i.extent for i in self.free]))
        pairs = size.quotient(size.times(some, some, columns), MOST_PAIRS)
        beyond = size.plus(size.at_least_zero(size.minus(self.count, FEW)), pairs)
        sorts = self._known(size.smaller(1, beyond), "sorts")
        many = self._known(size.times(self.count, sorts), "many")
        return self._known(size.minus(self.count, many), "few"), many

    # --- what is written ---

    def _at(self, e: Expr, body: list) -> dict[Expr, Expr]:
        """The ordered indices at the position number `e`."""
        found: dict[Expr, Expr] = {i: size.as_expr(0) for i in self.ordered if i.extent == 1}
        varying = [i for i in self.ordered if i.extent != 1]
        for i in reversed(varying[1:]):
            outer = self._let(size.quotient(e, i.extent), "outer", body)
            found[i] = size.as_expr(size.minus(e, size.times(outer, i.extent)))
            e = outer
        if varying:
            found[varying[0]] = size.as_expr(e)
        return found

    def _place(self, e: Expr, body: list) -> Expr:
        """Where the position number `e` writes, as a number."""
        extents = [self.shape[k] for k in self.axes]
        place = size.as_expr(flat(extents, [self.write.target[k] for k in self.axes]))
        return cast(self.lowering.located(reindexed(place, self._at(e, body))), "int64")

    def _value(self, e: Expr, body: list, column: dict) -> Expr:
        """What the position number `e` writes, in a column."""
        moved = self._at(e, body) | column
        value = self.lowering.located(reindexed(self.write.value, moved))
        return self.lowering.unfolded(value, body)

    def _offset(self, place: Expr, body: list) -> Expr:
        """Where a place lies in the result, in the column of the free indices."""
        target = list(self.write.target)
        for k in reversed(self.axes[1:]):
            outer = self._let(size.quotient(place, self.shape[k]), "outer", body)
            target[k] = size.minus(place, size.times(outer, self.shape[k]))
            place = outer
        target[self.axes[0]] = place
        return size.as_expr(flat(self.shape, target))

    def _over_columns(self, e: Index, body: list) -> For:
        """For all positions and columns; neighbouring threads write neighbours where they can."""
        return over_grid([*self.free, e] if self._runs_along() else [e, *self.free], body)

    def _runs_along(self) -> bool:
        """Whether neighbouring places, not neighbouring columns, lie side by side."""
        return self.axes[-1] == len(self.shape) - 1

    # --- few ---

    def _compared(self, few) -> For:
        """A thread for each position and column: the first one at a place adds them all up, or the
        last one is written.
        """
        e = self._index(few, "e")
        body: list = []
        place = self._let(self._place(e, body), "place", body)
        met = self._local("bool", "met")
        body.append(Let(met, FALSE))
        adds = self.write.monoid is not None
        after = size.plus(e, 1)
        j = self._index(e if adds else size.at_least_zero(size.minus(few, after)), "j")
        inner: list = []
        other = size.as_expr(j) if adds else self._let(size.plus(after, j), "other", inner)
        inner.append(Update(met, "any", equal(self._place(other, inner), place)))
        body.append(For(j, tuple(inner)))
        alone: list = []
        offset = self._offset(place, alone)
        if adds:
            self._add_equal(e, few, place, offset, alone)
        else:
            alone.append(Store(self.target, offset, self._value(e, alone, {})))
        body.append(If(logical_not(met), tuple(alone)))
        return self._over_columns(e, body)

    def _add_equal(self, e: Expr, few, place: Expr, offset: Expr, body: list) -> None:
        """Add what is written at a place from the position `e` on."""
        total = self._local(self.target.dtype, "total")
        body.append(Let(total, load(self.target, offset)))
        j = self._index(size.at_least_zero(size.minus(few, e)), "j")
        inner: list = []
        other = self._let(size.plus(e, j), "other", inner)
        same = equal(self._place(other, inner), place)
        adding: list = []
        adding.append(Update(total, self.write.monoid, self._value(other, adding, {})))
        inner.append(If(same, tuple(adding)))
        body += [For(j, tuple(inner)), Store(self.target, offset, total)]

    # --- many ---

    def _sorted(self, many) -> Iterator:
        places = self.lowering.temporary("int64", (many,), "places")
        ordered = self.lowering.temporary("int64", (2, many), "sorted")
        yield [self._noted(many, places)]
        bound = size.product([self.shape[k] for k in self.axes])
        views = (View(b, size.as_expr(0), size.as_expr(1)) for b in (places, ordered))
        yield [Call("sort", (size.as_expr(many), size.as_expr(bound), *views), "int64")]
        if self.write.monoid is None:
            yield [self._last_written(many, ordered)]
            return
        counts = self.lowering.temporary("int64", (many,), "counts")
        yield [self._counted(many, ordered, counts)]
        yield [self._added(many, ordered, counts)]
        if not (isinstance(many, int) and many < 2 * PERIOD):
            yield [self._added_long(many, ordered, counts)]

    def _noted(self, many, places: Buffer) -> For:
        """Where each position writes."""
        e = self._index(many, "e")
        body: list = []
        place = self._place(e, body)
        return over_grid([e], [*body, Store(places, e, place)])

    def _counted(self, many, ordered: Buffer, counts: Buffer) -> For:
        """How many equal places follow one another, noted at the first; 0 at the others."""
        s = self._index(many, "s")
        body: list = []
        place = self._let(load(ordered, s), "place", body)
        again = self._local("bool", "again")
        same = equal(load(ordered, size.minus(s, 1)), place)
        body += [Let(again, FALSE), If(less(size.as_expr(0), s), (Update(again, "any", same),))]
        end = self._let(s, "end", body)
        inner: list = []
        self._find_end(many, ordered, place, end, inner)
        count = size.as_expr(size.minus(end, s))
        body += [If(logical_not(again), tuple(inner)), Store(counts, s, count)]
        return over_grid([s], body)

    def _find_end(self, many, ordered: Buffer, place: Expr, end: Local, body: list) -> None:
        """Move `end` behind all places that are not above `place`, by bisection."""
        wider = [size.smaller(1, size.quotient(many, FAN**k)) for k in range(MOST_ROUNDS)]
        rounds = self._known(size.plus(*wider), "rounds")
        step = self._local_size("step")
        widest = For(self._index(rounds, "k"), (Update(step, "prod", size.as_expr(FAN)),))
        to = self._local_size("to")
        seen = build(minimum, (to, size.as_expr(many)))
        above = less(place, load(ordered, size.minus(seen, 1)))
        nothing = size.as_expr(0)
        more = where(above, nothing, where(less(size.as_expr(many), to), nothing, step))
        halved = Update(step, "min", size.as_expr(size.quotient(step, 2)))
        inner = (halved, Let(to, size.as_expr(size.plus(end, step))), Update(end, "sum", more))
        steps = size.times(rounds, FAN.bit_length() - 1)
        body += [Let(step, size.as_expr(1)), widest, For(self._index(steps, "k"), inner)]

    def _added(self, many, ordered: Buffer, counts: Buffer) -> For:
        """A team of threads for each first position adds up what is written there."""
        s = self._index(many, "s")
        body: list = []
        count = self._let(load(counts, s), "count", body)
        place = self._let(load(ordered, s), "place", body)
        first = self._let(load(ordered, size.plus(many, s)), "first", body)

        def added(columns: list[dict]) -> list:
            inner: list = []
            offset = self._offset(place, inner)
            offsets = [reindexed(offset, c) for c in columns]
            totals = [self._local(self.target.dtype, "total") for _ in columns]
            for total, at in zip(totals, offsets, strict=True):
                inner.append(Let(total, load(self.target, at)))
            inner += self._updates(totals, first, columns)
            k = self._index(size.at_least_zero(size.minus(count, 1)), "k")
            more: list = []
            e = self._let(load(ordered, size.plus(many, s, k, 1)), "e", more)
            inner.append(For(k, (*more, *self._updates(totals, e, columns))))
            stores = zip(offsets, totals, strict=True)
            return [*inner, *(Store(self.target, at, total) for at, total in stores)]

        some = logical_and(less(size.as_expr(0), count), less(count, size.as_expr(2 * PERIOD)))
        return self._shared(s, body, some, added)

    def _updates(self, totals: list[Local], e: Expr, columns: list[dict]) -> list:
        """Add what the position number `e` writes to the total of each column."""
        found: list = []
        for total, column in zip(totals, columns, strict=True):
            found.append(Update(total, self.write.monoid, self._value(e, found, column)))
        return found

    def _added_long(self, many, ordered: Buffer, counts: Buffer) -> For:
        """A team for each long list, and some columns, adds up tile after tile of what is written
        there: brought to shared memory by all threads, and added by one for each column.
        """
        across = size.product([i.extent for i in self.free])
        width = self._known(size.larger(1, size.smaller(across, TILE_COLUMNS)), "width")
        chunks = self._known(size.parts(across, width), "chunks")
        team = self._index(size.times(size.parts(many, PERIOD), chunks), "team")
        tile, totals = (
            buffer(self.target.dtype, (n,), f"{name}{next(self.lowering.names)}")
            for n, name in ((TILE, "tile"), (TILE_COLUMNS, "totals"))
        )
        body: list = [Scratch(tile), Scratch(totals)]
        number = self._let(size.quotient(team, chunks), "number", body)
        chunk = self._let(size.minus(team, size.times(number, chunks)), "chunk", body)
        at = self._let(size.times(number, PERIOD), "at", body)
        place = self._let(load(ordered, at), "place", body)
        mine = self._leads(many, ordered, at, place, body)
        inside: list = []
        start = self._start(ordered, at, place, inside)
        count = self._let(load(counts, start), "count", inside)
        every, first = one_index(self.free)
        left = self._let(size.times(chunk, width), "left", inside)
        here = self._let(size.smaller(width, size.minus(across, left)), "here", inside)
        column = self._index(here, "c")
        bound = [Let(every, size.as_expr(size.plus(left, column))), *first]
        offset = self._offset(place, bound)
        fetched = Store(totals, column, load(self.target, offset))
        work: list = [For(column, (*bound, fetched), "block")]
        height = size.quotient(TILE, width)
        tiles = self._index(size.parts(count, height), "tiles")
        inner: list = []
        done = self._let(size.times(tiles, height), "done", inner)
        rows = self._let(size.smaller(height, size.minus(count, done)), "rows", inner)
        e = self._index(size.times(rows, here), "e")
        row_of = self._local_size("row")
        brought: list = [Let(row_of, size.as_expr(size.quotient(e, here)))]
        from_ = size.minus(size.plus(left, e), size.times(row_of, here))
        brought += [Let(every, size.as_expr(from_)), *first]
        position = load(ordered, size.plus(many, start, done, row_of))
        position = self._let(position, "e", brought)
        brought.append(Store(tile, e, self._value(position, brought, {})))
        total, row = self._local(self.target.dtype, "total"), self._index(rows, "row")
        element = load(tile, size.plus(size.times(row, here), column))
        added = (
            Let(total, load(totals, column)),
            For(row, (Update(total, self.write.monoid, element),)),
            Store(totals, column, total),
        )
        inner += [
            For(e, tuple(brought), "block"),
            Barrier(),
            For(column, added, "block"),
            Barrier(),
        ]
        stored = Store(self.target, offset, load(totals, column))
        work += [For(tiles, tuple(inner)), For(column, (*bound, stored), "block")]
        long = logical_not(less(count, size.as_expr(2 * PERIOD)))
        body.append(If(mine, (*inside, If(long, tuple(work)))))
        return For(team, tuple(body), "grid")

    def _leads(self, many, ordered: Buffer, at: Expr, place: Expr, body: list) -> Expr:
        """Whether `at` is the first multiple of PERIOD in what may be a long list."""
        follows, before = (self._local("bool", name) for name in ("follows", "before"))
        for flag, other, inside in (
            (
                follows,
                size.plus(at, PERIOD - 1),
                less(size.plus(at, PERIOD - 1), size.as_expr(many)),
            ),
            (before, size.minus(at, PERIOD), less(size.as_expr(0), at)),
        ):
            same = Update(flag, "any", equal(load(ordered, other), place))
            body += [Let(flag, FALSE), If(inside, (same,))]
        return logical_and(follows, logical_not(before))

    def _start(self, ordered: Buffer, at: Expr, place: Expr, body: list) -> Expr:
        """Where the list begins that `at` is in, fewer than PERIOD before, by bisection."""
        back = self._local_size("back")
        body.append(Let(back, size.as_expr(0)))
        step = PERIOD // 2
        while step:
            to = size.as_expr(size.minus(at, size.plus(back, step)))
            same = equal(load(ordered, to), place)
            further = Update(back, "sum", where(same, size.as_expr(step), size.as_expr(0)))
            body.append(If(logical_not(less(to, size.as_expr(0))), (further,)))
            step //= 2
        return self._let(size.minus(at, back), "start", body)

    def _last_written(self, many, ordered: Buffer) -> For:
        """A team of threads for each last position of a place."""
        s = self._index(many, "s")
        body: list = []
        place = self._let(load(ordered, s), "place", body)
        e = self._let(load(ordered, size.plus(many, s)), "e", body)
        more = self._local("bool", "more")
        follows = less(s, size.as_expr(size.minus(many, 1)))
        same = equal(load(ordered, size.plus(s, 1)), place)
        body += [Let(more, FALSE), If(follows, (Update(more, "any", same),))]

        def written(columns: list[dict]) -> list:
            inner: list = []
            offset = self._offset(place, inner)
            values = [self._local(self.target.dtype, "value") for _ in columns]
            for value, c in zip(values, columns, strict=True):
                inner.append(Let(value, self._value(e, inner, c)))
            offsets = [reindexed(offset, c) for c in columns]
            stores = zip(offsets, values, strict=True)
            return [*inner, *(Store(self.target, at, value) for at, value in stores)]

        return self._shared(s, body, logical_not(more), written)

    def _shared(self, s: Index, body: list, condition: Expr, make) -> For:
        """For all sorted positions that fulfil a condition, in all columns: of a long row a thread
        does COLUMNS, whose loads are under way together, or one of those that are left over.
        """
        across = self.free[-1:]
        short = all(isinstance(i.extent, int) and i.extent < SHORT for i in across)
        if short or self._runs_along():
            return self._over_columns(s, [*body, If(condition, tuple(make([{}])))])
        (i,) = across
        whole = self._known(size.quotient(i.extent, COLUMNS), "whole")
        rest = size.minus(i.extent, size.times(whole, COLUMNS))
        part = self._index(size.plus(whole, rest), "part")
        at = [size.as_expr(size.plus(part, size.times(c, whole))) for c in range(COLUMNS)]
        many = less(part, size.as_expr(whole))
        inner = (
            If(many, tuple(make([{i: c} for c in at]))),
            If(logical_not(many), tuple(make([{i: at[-1]}]))),
        )
        return over_grid([s, *self.free[:-1], part], [*body, If(condition, inner)])

    # --- names ---

    def _known(self, n, name: str):
        return self.lowering.known(n, name)

    def _let(self, value, name: str, body: list):
        return self.lowering.let(size.as_expr(value), name, body)

    def _index(self, extent, name: str) -> Index:
        return index(extent, f"{name}{next(self.lowering.names)}")

    def _local(self, dtype: str, name: str) -> Local:
        return local(dtype, f"{name}{next(self.lowering.names)}")

    def _local_size(self, name: str) -> Local:
        return local_size(f"{name}{next(self.lowering.names)}")
