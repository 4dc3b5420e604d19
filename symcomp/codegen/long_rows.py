"""Few long rows on a GPU: each is cut into parts that many teams fold, and put together in order.

The sums over a batch that normalisation and the gradients of biases need are such rows: one for
each channel. A row group whose rows are few, and which computes nothing inside a row but folds,
becomes two kernels for each of its levels: parts of rows by teams, then a thread for each row that
folds the parts, and computes what is made of them.
"""

from __future__ import annotations

from symcomp.codegen import improve
from symcomp.codegen.equations import flat
from symcomp.codegen.held_rows import whole_vectors
from symcomp.codegen.loops import Buffer, For, Let, Store, Update, load, local
from symcomp.codegen.lower import Lowering
from symcomp.codegen.nests import at_indices, wide
from symcomp.codegen.plan import Group, Root
from symcomp.codegen.rows import Rows
from symcomp.codegen.teams import one_index, over_grid
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import identity, index
from symcomp.graph.scalar import cast

#: Rows are few up to here, and long from so many elements on.
FEW_ROWS, LONG_ROW = 1024, 1 << 14
#: Elements of a part at least, and the most parts of all rows.
ROW_PART, MOST_ROW_PARTS = 1 << 12, 1 << 13


def are_long(group: Group) -> bool:
    """Whether the rows of a group should be cut into parts."""
    rows = size.product(group.outer)
    folds = [m for m in group.members if m.kind == "row"]
    inside = any(m.kind == "map" and len(m.shape) > len(group.outer) for m in group.members)
    if not isinstance(rows, int) or not 0 < rows <= FEW_ROWS or inside:
        return False
    lengths = [size.product([k.extent for k in m.equation.folds]) for m in folds]
    return all(not isinstance(n, int) or n >= LONG_ROW for n in lengths)


class LongRows:
    """One group of long rows, lowered for a GPU."""

    def __init__(self, lowering: Lowering, group: Group):
        self.lowering = lowering
        self.group = group
        self.rows = size.product(group.outer)
        order = Rows(lowering, group, group.outer)
        for m in group.members:
            order._assign(m)
        self.level, self.key = order.level, order._key
        #: What is computed by one thread for each row, until the next parts.
        self.waiting: list[tuple[Root, tuple[Buffer, object] | None]] = []
        self.known: set[Expr] = set()

    def kernels(self):
        """The bodies of the kernels, in order."""
        last = max(self.level.values())
        for level in range(last + 1):
            here = [m for m in self.group.members if self.level[m.expr] == level]
            self.waiting += [(m, None) for m in here if m.kind == "map"]
            folds = [m for m in here if m.kind == "row"]
            if folds and self.waiting:
                yield [self._by_row(keep=True)]
            for key in dict.fromkeys(map(self.key, folds)):
                yield [self._parts([m for m in folds if self.key(m) == key])]
        yield [self._by_row(keep=False)]

    def _place(self, m: Root) -> Buffer:
        """Where a member's values lie, one for each row."""
        found = self.lowering.buffers.get(m.expr)
        if found is None or m.expr not in self.lowering.visible:
            found = self.lowering.temporary(m.expr.dtype, m.shape, "total")
            self.lowering.buffers[m.expr] = found
        return found

    def _at_hand(self, indices) -> dict[Expr, Expr]:
        """Members that earlier kernels have computed, at a row."""
        return {
            m.expr: load(self.lowering.buffers[m.expr], flat(m.shape, indices))
            for m in self.group.members
            if m.expr in self.known
        }

    def _parts(self, folds: list[Root]) -> For:
        """The kernel that folds parts of rows; what it leaves lies at [part, row]."""
        lowering = self.lowering
        extents = [k.extent for k in folds[0].equation.folds]
        total = size.product(extents)
        wanted = size.smaller(max(MOST_ROW_PARTS // self.rows, 1), size.parts(total, ROW_PART))
        count = lowering.known(size.larger(1, wanted), "parts")
        length = lowering.known(whole_vectors(size.parts(total, count)), "length")
        outer, inner = lowering.fresh(self.group.outer, "i"), lowering.fresh(extents, "k")
        values = [at_indices(m, (*outer, *inner)) for m in folds]
        merged, steps = improve.merge(inner, [], values)
        values = [improve.apply_steps(v, steps) for v in values]
        team = index(size.times(count, self.rows), f"team{next(lowering.names)}")
        row, rows_first = one_index(outer)
        every, inner_first = one_index(merged)
        body: list = []
        part = lowering.let(size.quotient(team, self.rows), "part", body)
        body.append(Let(row, size.as_expr(size.minus(team, size.times(part, self.rows)))))
        body += rows_first
        begin = lowering.let(size.times(part, length), "begin", body)
        left = size.at_least_zero(size.minus(every.extent, begin))
        within = index(
            lowering.let(size.smaller(length, left), "length", body), f"k{next(lowering.names)}"
        )
        rounds: list = [Let(every, size.as_expr(size.plus(begin, within))), *inner_first]
        stores: list = []
        for m, value in zip(folds, values, strict=True):
            sum_ = local(m.expr.dtype, f"s{next(lowering.names)}")
            body.append(Let(sum_, identity(m.equation.monoid, sum_.dtype)))
            value = lowering.unfolded(lowering.located(value, self._at_hand(outer)), rounds)
            rounds.append(Update(sum_, m.equation.monoid, value))
            partial = lowering.temporary(m.expr.dtype, (count, self.rows), "partial")
            stores.append(Store(partial, size.as_expr(team), sum_))
            self.waiting.append((m, (partial, count)))
        return For(team, (*body, For(within, tuple(rounds), "block"), *stores), "grid")

    def _by_row(self, keep: bool) -> For:
        """A thread for each row: the parts folded in order, and what is made of them. With `keep`
        later kernels read it all.
        """
        lowering = self.lowering
        outer = lowering.fresh(self.group.outer, "i")
        at_hand = self._at_hand(outer)
        row = flat(self.group.outer, outer)
        body: list = []
        stores: list = []
        for m, left in self.waiting:
            made = local(m.expr.dtype, f"v{next(lowering.names)}")
            if left is None:
                value = at_indices(m, outer)
                value = lowering.unfolded(lowering.located(value, at_hand), body)
                body.append(Let(made, lowering.chosen_first(value, body)))
            else:
                self._together(m, left, row, made, body)
            at_hand[m.expr] = made
            if keep or m.expr in lowering.visible:
                place = self._place(m) if keep else lowering.buffers[m.expr]
                stores.append(Store(place, size.as_expr(flat(m.shape, outer)), made))
            self.known |= {m.expr} if keep else set()
        self.waiting = []
        return over_grid(outer, [*body, *stores])

    def _together(self, m: Root, left, row, made, body: list) -> None:
        partial, count = left
        total = local(wide(m), f"s{next(self.lowering.names)}")
        again = index(count, f"p{next(self.lowering.names)}")
        at = size.as_expr(size.plus(size.times(again, self.rows), row))
        part = cast(load(partial, at), total.dtype)
        body.append(Let(total, identity(m.equation.monoid, total.dtype)))
        body.append(For(again, (Update(total, m.equation.monoid, part),)))
        body.append(Let(made, cast(total, m.expr.dtype)))
