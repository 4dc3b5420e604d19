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

from symcomp.codegen.equations import flat, reindexed
from symcomp.codegen.long_lists import FALSE, PERIOD, LongLists, is_long
from symcomp.codegen.loops import (
    Buffer,
    Call,
    For,
    If,
    Let,
    Local,
    Store,
    Update,
    View,
    load,
    local,
    local_size,
)
from symcomp.codegen.lower import Lowering
from symcomp.codegen.plan import Root
from symcomp.codegen.teams import over_grid
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import Index, Write, index
from symcomp.graph.scalar import cast
from symcomp.tensor.arithmetic import equal, less, logical_and, logical_not, minimum, where

#: Positions are few up to here, while their pairs, times the columns, are no more than the second.
FEW, MOST_PAIRS = 256, 1 << 24
#: By so much a range is narrowed down in one round of bisection, and the most rounds there are.
FAN, MOST_ROUNDS = 16, 15
#: Columns that a thread does of rows that may have as many as the second.
COLUMNS, SHORT = 4, 32


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
        some = self.known(size.smaller(self.count, FEW + 1), "some")
        columns = size.larger(1, size.product([i.extent for i in self.free]))
        pairs = size.quotient(size.times(some, some, columns), MOST_PAIRS)
        beyond = size.plus(size.at_least_zero(size.minus(self.count, FEW)), pairs)
        sorts = self.known(size.smaller(1, beyond), "sorts")
        many = self.known(size.times(self.count, sorts), "many")
        return self.known(size.minus(self.count, many), "few"), many

    # --- what is written ---

    def _at(self, e: Expr, body: list) -> dict[Expr, Expr]:
        """The ordered indices at the position number `e`."""
        found: dict[Expr, Expr] = {i: size.as_expr(0) for i in self.ordered if i.extent == 1}
        varying = [i for i in self.ordered if i.extent != 1]
        for i in reversed(varying[1:]):
            outer = self.let(size.quotient(e, i.extent), "outer", body)
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

    def value(self, e: Expr, body: list, column: dict) -> Expr:
        """What the position number `e` writes, in a column."""
        moved = self._at(e, body) | column
        value = self.lowering.located(reindexed(self.write.value, moved))
        return self.lowering.unfolded(value, body)

    def offset(self, place: Expr, body: list) -> Expr:
        """Where a place lies in the result, in the column of the free indices."""
        target = list(self.write.target)
        for k in reversed(self.axes[1:]):
            outer = self.let(size.quotient(place, self.shape[k]), "outer", body)
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
        e = self.index(few, "e")
        body: list = []
        place = self.let(self._place(e, body), "place", body)
        met = self.local("bool", "met")
        body.append(Let(met, FALSE))
        adds = self.write.monoid is not None
        after = size.plus(e, 1)
        j = self.index(e if adds else size.at_least_zero(size.minus(few, after)), "j")
        inner: list = []
        other = size.as_expr(j) if adds else self.let(size.plus(after, j), "other", inner)
        inner.append(Update(met, "any", equal(self._place(other, inner), place)))
        body.append(For(j, tuple(inner)))
        alone: list = []
        offset = self.offset(place, alone)
        if adds:
            self._add_equal(e, few, place, offset, alone)
        else:
            alone.append(Store(self.target, offset, self.value(e, alone, {})))
        body.append(If(logical_not(met), tuple(alone)))
        return self._over_columns(e, body)

    def _add_equal(self, e: Expr, few, place: Expr, offset: Expr, body: list) -> None:
        """Add what is written at a place from the position `e` on."""
        total = self.local(self.target.dtype, "total")
        body.append(Let(total, load(self.target, offset)))
        j = self.index(size.at_least_zero(size.minus(few, e)), "j")
        inner: list = []
        other = self.let(size.plus(e, j), "other", inner)
        same = equal(self._place(other, inner), place)
        adding: list = []
        adding.append(Update(total, self.write.monoid, self.value(other, adding, {})))
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
            yield [LongLists(self, many, ordered, counts).added()]

    def _noted(self, many, places: Buffer) -> For:
        """Where each position writes."""
        e = self.index(many, "e")
        body: list = []
        place = self._place(e, body)
        return over_grid([e], [*body, Store(places, e, place)])

    def _counted(self, many, ordered: Buffer, counts: Buffer) -> For:
        """How many equal places follow one another, noted at the first; 0 at the others."""
        s = self.index(many, "s")
        body: list = []
        place = self.let(load(ordered, s), "place", body)
        again = self.local("bool", "again")
        same = equal(load(ordered, size.minus(s, 1)), place)
        body += [Let(again, FALSE), If(less(size.as_expr(0), s), (Update(again, "any", same),))]
        end = self.let(s, "end", body)
        inner: list = []
        self._find_end(many, ordered, place, end, inner)
        count = size.as_expr(size.minus(end, s))
        body += [If(logical_not(again), tuple(inner)), Store(counts, s, count)]
        return over_grid([s], body)

    def _find_end(self, many, ordered: Buffer, place: Expr, end: Local, body: list) -> None:
        """Move `end` behind all places that are not above `place`, by bisection."""
        wider = [size.smaller(1, size.quotient(many, FAN**k)) for k in range(MOST_ROUNDS)]
        rounds = self.known(size.plus(*wider), "rounds")
        step = self.local_size("step")
        widest = For(self.index(rounds, "k"), (Update(step, "prod", size.as_expr(FAN)),))
        to = self.local_size("to")
        seen = build(minimum, (to, size.as_expr(many)))
        above = less(place, load(ordered, size.minus(seen, 1)))
        nothing = size.as_expr(0)
        more = where(above, nothing, where(less(size.as_expr(many), to), nothing, step))
        halved = Update(step, "min", size.as_expr(size.quotient(step, 2)))
        inner = (halved, Let(to, size.as_expr(size.plus(end, step))), Update(end, "sum", more))
        steps = size.times(rounds, FAN.bit_length() - 1)
        body += [Let(step, size.as_expr(1)), widest, For(self.index(steps, "k"), inner)]

    def _added(self, many, ordered: Buffer, counts: Buffer) -> For:
        """A team of threads for each first position adds up what is written there."""
        s = self.index(many, "s")
        body: list = []
        count = self.let(load(counts, s), "count", body)
        place = self.let(load(ordered, s), "place", body)
        first = self.let(load(ordered, size.plus(many, s)), "first", body)

        def added(columns: list[dict]) -> list:
            inner: list = []
            offset = self.offset(place, inner)
            offsets = [reindexed(offset, c) for c in columns]
            totals = [self.local(self.target.dtype, "total") for _ in columns]
            for total, at in zip(totals, offsets, strict=True):
                inner.append(Let(total, load(self.target, at)))
            inner += self._updates(totals, first, columns)
            k = self.index(size.at_least_zero(size.minus(count, 1)), "k")
            more: list = []
            e = self.let(load(ordered, size.plus(many, s, k, 1)), "e", more)
            inner.append(For(k, (*more, *self._updates(totals, e, columns))))
            stores = zip(offsets, totals, strict=True)
            return [*inner, *(Store(self.target, at, total) for at, total in stores)]

        some = logical_and(less(size.as_expr(0), count), logical_not(is_long(count)))
        return self._shared(s, body, some, added)

    def _updates(self, totals: list[Local], e: Expr, columns: list[dict]) -> list:
        """Add what the position number `e` writes to the total of each column."""
        found: list = []
        for total, column in zip(totals, columns, strict=True):
            found.append(Update(total, self.write.monoid, self.value(e, found, column)))
        return found

    def _last_written(self, many, ordered: Buffer) -> For:
        """A team of threads for each last position of a place."""
        s = self.index(many, "s")
        body: list = []
        place = self.let(load(ordered, s), "place", body)
        e = self.let(load(ordered, size.plus(many, s)), "e", body)
        more = self.local("bool", "more")
        follows = less(s, size.as_expr(size.minus(many, 1)))
        same = equal(load(ordered, size.plus(s, 1)), place)
        body += [Let(more, FALSE), If(follows, (Update(more, "any", same),))]

        def written(columns: list[dict]) -> list:
            inner: list = []
            offset = self.offset(place, inner)
            values = [self.local(self.target.dtype, "value") for _ in columns]
            for value, c in zip(values, columns, strict=True):
                inner.append(Let(value, self.value(e, inner, c)))
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
        whole = self.known(size.quotient(i.extent, COLUMNS), "whole")
        rest = size.minus(i.extent, size.times(whole, COLUMNS))
        part = self.index(size.plus(whole, rest), "part")
        at = [size.as_expr(size.plus(part, size.times(c, whole))) for c in range(COLUMNS)]
        many = less(part, size.as_expr(whole))
        inner = (
            If(many, tuple(make([{i: c} for c in at]))),
            If(logical_not(many), tuple(make([{i: at[-1]}]))),
        )
        return over_grid([s, *self.free[:-1], part], [*body, If(condition, inner)])

    # --- names ---

    def known(self, n, name: str):
        return self.lowering.known(n, name)

    def let(self, value, name: str, body: list):
        return self.lowering.let(size.as_expr(value), name, body)

    def index(self, extent, name: str) -> Index:
        return index(extent, f"{name}{next(self.lowering.names)}")

    def local(self, dtype: str, name: str) -> Local:
        return local(dtype, f"{name}{next(self.lowering.names)}")

    def local_size(self, name: str) -> Local:
        return local_size(f"{name}{next(self.lowering.names)}")
