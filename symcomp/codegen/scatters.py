"""Writes to places that data say, on a GPU: what meets at a place is written there in order.

Threads write side by side, so those that write the same place must be brought together: a place is
done by one thread (of each column), which goes through all that is written there, in the order of
the positions. So results are the same every time, and those of NumPy. Which of two ways finds them
is decided by sizes, at the launch:

    few     every position is compared with all others: one kernel
    many    the positions are sorted by their places, stably: pieces of RUN are, by comparing, then
            WAYS sorted runs are merged to one until a single one is left, each element finding its
            rank by bisection. Then equal places are neighbours, and a kernel goes over them

The kernels of the way that is not taken have nothing to do, and are not launched.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symcomp.codegen.equations import flat, reindexed
from symcomp.codegen.grid_attention import Repeated
from symcomp.codegen.loops import (
    Buffer,
    For,
    If,
    Let,
    Local,
    Store,
    Update,
    load,
    local,
    local_size,
)
from symcomp.codegen.lower import Lowering
from symcomp.codegen.plan import Root
from symcomp.codegen.teams import over_grid
from symcomp.graph import size
from symcomp.graph.expr import Expr, build, constant
from symcomp.graph.notation import Index, Write, identity, index
from symcomp.graph.scalar import cast
from symcomp.graph.size import Dimension
from symcomp.tensor.arithmetic import equal, less, logical_not, minimum, where

#: Positions are few up to here, while their pairs, times the columns, are no more than the second.
FEW, MOST_PAIRS = 256, 1 << 24
#: Positions of a run that is sorted by comparing, and how many runs are merged at once: both are
#: powers of two. After MOST_MERGES a run is longer than any array.
RUN, WAYS, MOST_MERGES = 64, 8, 12

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

    def _known(self, n, name: str):
        return self.lowering.known(n, name)

    def _let(self, value, name: str, body: list):
        return self.lowering.let(size.as_expr(value), name, body)

    def _index(self, extent, name: str) -> Index:
        return index(extent, f"{name}{next(self.lowering.names)}")

    def _local(self, dtype: str, name: str) -> Local:
        return local(dtype, f"{name}{next(self.lowering.names)}")

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

    def _value(self, e: Expr, body: list) -> Expr:
        """What the position number `e` writes."""
        value = self.lowering.located(reindexed(self.write.value, self._at(e, body)))
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
        last = self.axes[-1] == len(self.shape) - 1
        return over_grid([*self.free, e] if last else [e, *self.free], body)

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
            alone.append(Store(self.target, offset, self._value(e, alone)))
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
        adding.append(Update(total, self.write.monoid, self._value(other, adding)))
        inner.append(If(same, tuple(adding)))
        body += [For(j, tuple(inner)), Store(self.target, offset, total)]

    # --- many ---

    def _sorted(self, many) -> Iterator:
        places, order = (
            self.lowering.temporary("int64", (2, many), n) for n in ("places", "order")
        )
        yield [self._ranked(many, places, order)]
        longer = size.at_least_zero(size.minus(many, 1))
        merges = [size.smaller(1, size.quotient(longer, RUN * WAYS**k)) for k in range(MOST_MERGES)]
        merges = self._known(size.plus(*merges), "merges")
        number = Dimension(f"merge{next(self.lowering.names)}")
        self.lowering.derived.append((number, size.as_expr(0)))
        if merges != 0:
            yield Repeated(number, merges, [[self._merged(many, number, places, order)]])
        start = size.times(_odd(merges), many)
        if self.write.monoid is None:
            yield [self._last_written(many, start, places, order)]
            return
        counts = self.lowering.temporary("int64", (many,), "counts")
        yield [self._counted(many, merges, start, places, counts)]
        yield [self._added(many, start, places, order, counts)]

    def _ranked(self, many, places: Buffer, order: Buffer) -> For:
        """Runs of RUN positions, sorted by comparing each place with all others of its run."""
        e = self._index(many, "e")
        body: list = []
        place = self._let(self._place(e, body), "place", body)
        begin = self._let(size.times(size.quotient(e, RUN), RUN), "begin", body)
        length = self._let(size.smaller(RUN, size.minus(many, begin)), "length", body)
        rank = self._zero("rank", body)
        j = self._index(length, "j")
        inner: list = []
        other = self._let(size.plus(begin, j), "other", inner)
        least = size.plus(place, cast(other < e, "int64"))
        before = cast(less(self._place(other, inner), size.as_expr(least)), "int64")
        inner.append(Update(rank, "sum", before))
        to = self._let(size.plus(begin, rank), "to", after := [])
        stores = (Store(places, to, place), Store(order, to, size.as_expr(e)))
        return over_grid([e], [*body, For(j, tuple(inner)), *after, *stores])

    def _merged(self, many, number: Dimension, places: Buffer, order: Buffer) -> For:
        """WAYS neighbouring runs to one: an element comes after those of its own run before it, and
        after those of the others that are smaller, or equal and of an earlier run.
        """
        e = self._index(many, "e")
        body: list = []
        source = self._let(size.times(_odd(number), many), "source", body)
        length = self._run(number, body)
        run = self._let(size.quotient(e, length), "run", body)
        group = self._let(size.quotient(run, WAYS), "group", body)
        own = self._let(size.minus(run, size.times(group, WAYS)), "own", body)
        begin = self._let(size.times(group, WAYS, length), "begin", body)
        place = self._let(load(places, size.plus(source, e)), "place", body)
        end = self._let(size.plus(source, many), "end", body)
        searches, starts = [], []
        for t in range(WAYS - 1):
            is_earlier = cast(less(size.as_expr(t), size.as_expr(own)), "int64")
            earlier = self._let(is_earlier, "earlier", body)
            other = size.times(size.minus(t + 1, earlier), length)
            start = self._let(size.plus(source, begin, other), "start", body)
            limit = build(minimum, (size.as_expr(size.plus(start, length)), size.as_expr(end)))
            limit = self._let(limit, "limit", body)
            found = self._let(start, "found", body)
            starts.append(start)
            searches.append((found, limit, size.plus(place, earlier)))
        self._bisect(places, searches, length, number, body)
        own_rank = size.minus(e, size.times(run, length))
        before = [
            size.minus(found, start) for (found, *_), start in zip(searches, starts, strict=True)
        ]
        rank = size.plus(begin, own_rank, *before)
        to = self._let(size.plus(size.minus(many, source), rank), "to", body)
        value = load(order, size.plus(source, e))
        return over_grid([e], [*body, Store(places, to, place), Store(order, to, value)])

    def _run(self, merges, body: list) -> Local:
        """How long a run is after so many merges."""
        length = self._local_size("length")
        longer = For(self._index(merges, "k"), (Update(length, "prod", size.as_expr(WAYS)),))
        body += [Let(length, size.as_expr(RUN)), longer]
        return length

    def _bisect(self, places: Buffer, searches, length, merges, body: list) -> None:
        """Move each `found` of (found, limit, bound) along sorted places, of which there are
        `length` at most, to the first that is not below the bound, or to the limit. All searches go
        side by side and without branches, so that their loads do.
        """
        step = self._local_size("step")
        inner: list = []
        for found, limit, bound in searches:
            to = size.as_expr(size.plus(found, step))
            seen = build(minimum, (to, size.as_expr(limit)))
            below = less(load(places, size.minus(seen, 1)), size.as_expr(bound))
            fits = logical_not(less(size.as_expr(limit), to))
            nothing = size.as_expr(0)
            inner.append(Update(found, "sum", where(below, where(fits, step, nothing), nothing)))
        inner.append(Update(step, "min", size.as_expr(size.quotient(step, 2))))
        steps = size.plus(RUN.bit_length(), size.times(merges, WAYS.bit_length() - 1))
        body += [Let(step, size.as_expr(length)), For(self._index(steps, "k"), tuple(inner))]

    def _counted(self, many, merges, start, places: Buffer, counts: Buffer) -> For:
        """How many equal places follow one another, noted at the first; 0 at the others."""
        s = self._index(many, "s")
        body: list = []
        at = self._let(size.plus(start, s), "at", body)
        place = self._let(load(places, at), "place", body)
        again = self._local("bool", "again")
        same = equal(load(places, size.minus(at, 1)), place)
        body += [Let(again, FALSE), If(less(size.as_expr(0), s), (Update(again, "any", same),))]
        found = self._let(at, "found", body)
        search = (found, size.plus(start, many), size.plus(place, 1))
        inner: list = []
        self._bisect(places, [search], self._run(merges, inner), merges, inner)
        count = size.as_expr(size.minus(found, at))
        body += [If(logical_not(again), tuple(inner)), Store(counts, s, count)]
        return over_grid([s], body)

    def _added(self, many, start, places: Buffer, order: Buffer, counts: Buffer) -> For:
        """A thread for each first position and column adds up what is written there."""
        s = self._index(many, "s")
        body: list = []
        at = self._let(size.plus(start, s), "at", body)
        count = self._let(load(counts, s), "count", body)
        place = self._let(load(places, at), "place", body)
        inner: list = []
        offset = self._offset(place, inner)
        total = self._local(self.target.dtype, "total")
        inner.append(Let(total, load(self.target, offset)))
        k = self._index(count, "k")
        adding: list = []
        e = self._let(load(order, size.plus(at, k)), "e", adding)
        adding.append(Update(total, self.write.monoid, self._value(e, adding)))
        inner += [For(k, tuple(adding)), Store(self.target, offset, total)]
        body.append(If(less(size.as_expr(0), count), tuple(inner)))
        return self._over_columns(s, body)

    def _last_written(self, many, start, places: Buffer, order: Buffer) -> For:
        """A thread for each last position of a place, and column."""
        s = self._index(many, "s")
        body: list = []
        at = self._let(size.plus(start, s), "at", body)
        place = self._let(load(places, at), "place", body)
        e = self._let(load(order, at), "e", body)
        more = self._local("bool", "more")
        follows = less(s, size.as_expr(size.minus(many, 1)))
        same = equal(load(places, size.plus(at, 1)), place)
        body += [Let(more, FALSE), If(follows, (Update(more, "any", same),))]
        inner: list = []
        offset = self._offset(place, inner)
        inner.append(Store(self.target, offset, self._value(e, inner)))
        body.append(If(logical_not(more), tuple(inner)))
        return self._over_columns(s, body)

    # --- numbers ---

    def _local_size(self, name: str) -> Local:
        return local_size(f"{name}{next(self.lowering.names)}")

    def _zero(self, name: str, body: list) -> Local:
        """A size that is added to."""
        found = self._local_size(name)
        body.append(Let(found, identity("sum", "int64")))
        return found


def _odd(n):
    """n modulo 2."""
    return size.minus(n, size.times(size.quotient(n, 2), 2))
