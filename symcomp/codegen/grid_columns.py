"""Folds down the columns on a GPU: teams of threads that lie across columns and down their rows.

A team has a tile of neighbouring columns: `across` threads lie side by side, each on a column of
its own, and `deep` of them, one below the other, share the rows of each. What they have folded goes
through shared memory, and is folded there in order. So neighbouring threads read neighbours, and a
matrix of few columns keeps a GPU busy, too.

Many rows are cut into blocks, a team for each, and a second kernel of the same form folds what they
leave. How everything is cut depends on the sizes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from symcomp.codegen import improve, loops
from symcomp.codegen.equations import flat
from symcomp.codegen.loops import Buffer, For, If, Let, Local, Scratch, Store, Update, load, local
from symcomp.codegen.nests import Context, at_indices, vectorises, wide
from symcomp.codegen.plan import Group, Root
from symcomp.codegen.teams import one_index
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import Index, formula_order, identity, index
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.tensor.arithmetic import equal, greater, less, logical_and, minimum, where

#: Threads of a team.
TEAM = 512
#: Neighbouring columns of a team: a multiple of SECTOR; where rows are many, at most BROAD.
SECTOR, BROAD = 8, 128
#: Columns times threads for each of them that are enough for a GPU; rows that one kernel folds.
COLUMN_THREADS, UNCUT = 1 << 17, 2048
#: Teams of a fold of many rows (few are faster than many), and rows that a thread of theirs has at
#: least.
COLUMN_TEAMS, LEAST_ROWS = 512, 16
#: Rows whose loads are under way together, where a row's formulas have few parts.
TOGETHER, FEW_PARTS = 8, 24
#: Partial results that are left of a column before the last step.
LEFT = 8


class Cut(NamedTuple):
    """How a matrix is cut: tiles of `across` columns, `blocks` of `length` rows, each with `deep`
    threads a column.
    """

    rows: Size
    columns: Size
    across: Size
    deep: Size
    tiles: Size
    blocks: Size = 1
    length: Size = 0


class GridColumns(Context):
    """The lowering of column groups."""

    known: Callable[[Size, str], Size]

    def _column(self, group: Group):
        folds = [m for m in group.members if m.kind == "column"]
        columns = self.fresh(folds[0].shape, "i")
        down = self.fresh([k.extent for k in folds[0].equation.folds], "k")
        values = {m: self.located(at_indices(m, (*columns, *down))) for m in folds}
        merged, steps = improve.merge(down, [], values.values())
        values = {m: improve.apply_steps(v, steps) for m, v in values.items()}
        row, *inner = merged
        cut = self._cut(row.extent, size.product([i.extent for i in columns]))
        own = {m: local(m.expr.dtype, f"s{next(self.names)}") for m in folds}

        def each(m: Root, at: Expr, body: list) -> Expr:
            if not any(isinstance(s, Let) and s.local is row for s in body):
                body.append(Let(row, at))
            return self._of_row(m, values[m], inner, body)

        if cut.blocks == 1:
            yield [self._team(group, cut, columns, own, each, None)]
            return
        partials = {
            m: self.temporary(m.expr.dtype, (cut.blocks, *m.shape), "partial") for m in folds
        }
        yield [self._team(group, cut, columns, own, each, partials)]
        columns = self.fresh(folds[0].shape, "i")
        own = {m: local(m.expr.dtype, f"s{next(self.names)}") for m in folds}

        def left(m: Root, at: Expr, body: list) -> Expr:
            return load(partials[m], size.as_expr(flat(partials[m].shape, (at, *columns))))

        yield [self._team(group, self._cut_again(cut), columns, own, left, None)]

    # --- sizes ------------------------------------------------------------------------------------

    def _cut(self, rows: Size, columns: Size) -> Cut:
        """Few rows in one block, by narrow tiles where else there would be few; of many the blocks
        that they are cut into are enough, and tiles are broad.
        """
        narrow = _narrow(columns)
        if isinstance(rows, int) and rows <= UNCUT:
            return self._tiled(rows, columns, narrow)
        many = size.smaller(1, size.quotient(rows, UNCUT + 1))
        more = size.times(many, size.minus(_broad(columns), narrow))
        cut = self._tiled(rows, columns, size.plus(narrow, more))
        wanted = size.quotient(COLUMN_TEAMS, size.larger(1, cut.tiles))
        most = size.quotient(rows, size.times(LEAST_ROWS, cut.deep))
        wanted = size.larger(1, size.times(many, size.smaller(wanted, most)))
        if wanted == 1:
            return cut
        even = size.times(TOGETHER, cut.deep)
        length = size.times(even, size.parts(size.parts(rows, wanted), even))
        length = self.known(size.larger(1, length), "length")
        blocks = self.known(size.larger(1, size.parts(rows, length)), "blocks")
        return cut._replace(blocks=blocks, length=length)

    def _cut_again(self, cut: Cut) -> Cut:
        """How the blocks' results are cut; there is nothing to do where there was one block."""
        again = self._tiled(cut.blocks, cut.columns, _narrow(cut.columns))
        several = size.smaller(1, size.minus(cut.blocks, 1))
        return again._replace(tiles=self.known(size.times(several, again.tiles), "tiles"))

    def _tiled(self, rows: Size, columns: Size, across: Size) -> Cut:
        across = self.known(size.larger(1, size.smaller(across, columns)), "across")
        deep = self.known(size.quotient(TEAM, across), "deep")
        tiles = self.known(size.parts(columns, across), "tiles")
        return Cut(rows, columns, across, deep, tiles, length=rows)

    # --- a team -----------------------------------------------------------------------------------

    def _team(self, group: Group, cut: Cut, columns, totals, each, partials) -> For:
        """What a team does: `each` is a fold's value in a row, `totals` what it is added to. Where
        there are several blocks, the team leaves its results in `partials`.
        """
        team = index(size.times(cut.tiles, cut.blocks), f"team{next(self.names)}")
        body: list = []
        block = self.let(size.quotient(team, cut.tiles), "block", body) if partials else 0
        tile = size.minus(team, size.times(block, cut.tiles))
        start = self.let(size.times(tile, cut.across), "start", body)
        parts = {m: loops.buffer(wide(m), (TEAM,), f"parts{next(self.names)}") for m in totals}
        body += [Scratch(p) for p in parts.values()]
        body.append(self._share(cut, columns, start, block, totals, each, parts))
        if not isinstance(cut.deep, int) or cut.deep > LEFT:
            body.append(self._few_left(cut, parts))
        body.append(self._last(group, cut, columns, start, block, parts, partials))
        return For(team, tuple(body), "grid")

    def _share(self, cut: Cut, columns, start, block, totals, each, parts) -> For:
        """Each thread folds its rows of its column."""
        one = index(TEAM, f"e{next(self.names)}")
        body: list = []
        lane = self.let(size.quotient(one, cut.across), "lane", body)
        column = size.plus(start, size.minus(one, size.times(lane, cut.across)))
        body += [Let(t, identity(m.equation.monoid, t.dtype)) for m, t in totals.items()]
        inside = self._at_column(columns, column)
        begin = self.let(size.times(block, cut.length), "begin", inside)
        end = self.let(size.smaller(cut.rows, size.plus(begin, cut.length)), "end", inside)
        first = self.let(size.plus(begin, lane), "first", inside)
        left = size.at_least_zero(size.minus(end, first))
        count = self.let(size.parts(left, cut.deep), "count", inside)
        inside += self._rows(first, cut.deep, count, each, totals)
        own = logical_and(_below(lane, cut.deep), _below(column, cut.columns))
        body.append(If(own, tuple(inside)))
        body += [Store(parts[m], one, cast(t, parts[m].dtype)) for m, t in totals.items()]
        return For(one, tuple(body), "thread")

    def _few_left(self, cut: Cut, parts: dict[Root, Buffer]) -> For:
        """A few threads of each column fold what the others have left, each every so manieth."""
        one = index(TEAM, f"e{next(self.names)}")
        body: list = []
        lane = self.let(size.quotient(one, cut.across), "lane", body)
        count = size.parts(size.at_least_zero(size.minus(cut.deep, lane)), LEFT)
        step = size.times(LEFT, cut.across)
        inside: list = []
        for m, p in parts.items():
            total = self._folded(m, p, one, step, self.let(count, "count", inside), inside)
            inside.append(Store(p, one, total))
        return For(one, (*body, If(_below(lane, LEFT), tuple(inside))), "thread")

    def _last(self, group: Group, cut: Cut, columns, start, block, parts, partials) -> For:
        """A thread of each column folds what is left, and computes what is made of it."""
        one = index(TEAM, f"e{next(self.names)}")
        column = size.plus(start, one)
        inside = self._at_column(columns, column)
        totals: dict[Root, Local] = {
            m: self._folded(m, p, one, cut.across, size.smaller(LEFT, cut.deep), inside)
            for m, p in parts.items()
        }
        finish: list = []
        self._finish_column(group, totals, columns, finish)
        if partials is None:
            inside += finish
        else:
            alone = equal(size.as_expr(cut.blocks), size.as_expr(1))
            inside.append(If(alone, tuple(finish)))
            inside.append(If(~alone, tuple(self._leave(totals, partials, block, columns))))
        own = logical_and(_below(one, cut.across), _below(column, cut.columns))
        return For(one, (If(own, tuple(inside)),), "thread")

    # --- pieces -----------------------------------------------------------------------------------

    def _at_column(self, columns: Sequence[Index], place: Size) -> list:
        """The indices of a column by its number."""
        every, first = one_index(columns)
        return [Let(every, size.as_expr(place)), *first]

    def _of_row(self, m: Root, value: Expr, inner: Sequence[Index], body: list) -> Expr:
        """A fold's value in a row, where the other axes that are folded lie inside it."""
        if not inner:
            return self.unfolded(value, body)
        total = local(m.expr.dtype, f"s{next(self.names)}")
        body.append(Let(total, identity(m.equation.monoid, total.dtype)))
        within: list = []
        within.append(Update(total, m.equation.monoid, self.unfolded(value, within)))
        for k in reversed(inner):
            within = [For(k, tuple(within))]
        body += within
        return total

    def _rows(self, first, step, count, each, totals: dict[Root, Local]) -> list:
        """A thread's loop over its rows: where they are simple a few at a time, whose loads are
        under way together; at the end some of these are done again, and left out.
        """

        def round_at(k, guard: Expr | None = None) -> list:
            body: list = []
            at = size.as_expr(size.plus(first, size.times(k, step)))
            for m, total in totals.items():
                value = each(m, at, body)
                if guard is not None:
                    value = where(guard, value, identity(m.equation.monoid, total.dtype))
                body.append(Update(total, m.equation.monoid, value))
            return body

        k = index(count, f"k{next(self.names)}")
        body = round_at(k)
        if not vectorises(body) or _parts(body) > FEW_PARTS:
            return [For(k, tuple(body))]
        result: list = []
        groups = self.let(size.quotient(count, TOGETHER), "groups", result)
        group = index(groups, f"g{next(self.names)}")
        lane = index(TOGETHER, f"k{next(self.names)}")
        within = round_at(size.plus(size.times(group, TOGETHER), lane))
        result.append(For(group, (For(lane, tuple(within), "simd"),)))
        lane = index(TOGETHER, f"k{next(self.names)}")
        at = size.plus(size.times(groups, TOGETHER), lane)
        last = build(minimum, (size.as_expr(at), size.as_expr(size.minus(count, 1))))
        within = round_at(last, _below(at, count))
        rest = greater(size.as_expr(count), size.as_expr(size.times(groups, TOGETHER)))
        result.append(If(rest, (For(lane, tuple(within), "simd"),)))
        return result

    def _folded(self, m: Root, parts: Buffer, start, step, count, body: list) -> Local:
        """The fold of `count` of the parts, from `start` on."""
        total = local(parts.dtype, f"s{next(self.names)}")
        k = index(count, f"k{next(self.names)}")
        part = load(parts, size.as_expr(size.plus(start, size.times(k, step))))
        body.append(Let(total, identity(m.equation.monoid, total.dtype)))
        body.append(For(k, (Update(total, m.equation.monoid, part),)))
        return total

    def _leave(self, totals, partials, block, columns) -> list:
        """What one block of rows has, for the next kernel."""
        return [
            Store(
                partials[m],
                size.as_expr(flat(partials[m].shape, (block, *columns))),
                cast(total, m.expr.dtype),
            )
            for m, total in totals.items()
        ]

    def _finish_column(self, group: Group, totals, columns, body: list) -> None:
        """What is made of the folds, column by column."""
        values = [
            cast(totals[m], m.expr.dtype) if m in totals else at_indices(m, columns)
            for m in group.members
        ]
        offset = size.as_expr(flat(group.members[0].shape, columns))
        self.store_members(group.members, values, offset, body)


# --- sizes ----------------------------------------------------------------------------------------


def _narrow(columns: Size) -> Size:
    """Columns of a tile where rows are few: so few that there are many tiles."""
    deep = size.quotient(COLUMN_THREADS, size.larger(1, columns))
    deep = size.larger(1, size.smaller(TEAM // SECTOR, deep))
    return size.times(SECTOR, size.quotient(size.quotient(TEAM, deep), SECTOR))


def _broad(columns: Size) -> Size:
    """Columns of a tile where rows are many: tiles that are equally broad."""
    if isinstance(columns, int) and columns <= BROAD:
        return columns
    tiles = size.larger(1, size.parts(columns, BROAD))
    return size.times(SECTOR, size.parts(size.parts(columns, tiles), SECTOR))


def _below(left: Any, right: Any) -> Expr:
    return less(size.as_expr(left), size.as_expr(right))


def _parts(body: Sequence) -> int:
    return sum(len(formula_order(loops.values(s))) for s in body)
