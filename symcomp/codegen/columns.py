"""Column groups to loops: folds that leave the contiguous axis run down the rows with a tile of
accumulators.

Where there are few columns and many rows, the rows are cut into blocks that run in parallel, and
the blocks' results are folded in order: how many there are depends on the sizes alone, so results
do not depend on the threads.
"""

from __future__ import annotations

from symcomp.codegen import loops, tiling
from symcomp.codegen.equations import flat, reindexed
from symcomp.codegen.loops import Buffer, For, Scratch, Store, load
from symcomp.codegen.nests import TILE, Context, at_indices, cost, nest, nest_serial
from symcomp.codegen.plan import Group, Root
from symcomp.graph import size
from symcomp.graph.notation import identity, index


class ColumnLowering(Context):
    """The lowering of column groups."""

    def _column(self, group: Group):
        folds = [m for m in group.members if m.kind == "column"]
        count = self._blocks(group.members[0])
        if count == 1:
            yield self._down(group, folds, 1, None)
            return
        partials = {m: self.temporary(m.expr.dtype, (count, *m.shape), "partial") for m in folds}
        yield self._down(group, folds, count, partials)
        yield self._together(group, folds, count, partials)

    def _blocks(self, first: Root):
        """How many blocks the rows are cut into."""
        rows = first.equation.folds[0].extent
        elements = size.product([*first.shape, *(k.extent for k in first.equation.folds)])
        if not isinstance(rows, int) and len(first.shape) > 1:
            return 1
        most = rows // 64 if isinstance(rows, int) else tiling.MOST_ROW_BLOCKS
        return tiling.row_blocks(elements, most)

    def _down(self, group: Group, folds, count, partials):
        """Run down the rows (or one block of them), then finish, or leave the block's result."""
        shape = folds[0].shape
        extents = [k.extent for k in folds[0].equation.folds]
        rows, tile, lane, indices, body = self._tile(shape)
        block = index(count, f"b{next(self.names)}")
        down = list(self.fresh(extents, "k"))
        places = list(down)
        if partials is not None:
            length = size.quotient(size.plus(extents[0], size.minus(count, 1)), count)
            length = self.let(length, "rows", body)
            down[0] = index(self.cut(extents[0], block, length, body), f"k{next(self.names)}")
            places[0] = size.as_expr(size.plus(size.times(block, length), down[0]))
        values = {m: at_indices(m, (*indices, *places)) for m in folds}
        sums = self._accumulate(folds, values, (*down, lane), lane, body)
        if partials is None:
            body.append(self._finished(group, sums, indices, lane))
        else:
            body.append(self._left(sums, partials, block, indices, lane))
        each = cost([m.equation.value for m in folds])
        work = size.times(each, size.product([TILE, *(k.extent for k in down[1:]), 64]))
        outer = (*rows, tile) if partials is None else (block, *rows, tile)
        return [nest(outer, body, work, simd=False)]

    def _together(self, group: Group, folds, count, partials):
        """Fold the blocks' results."""
        rows, tile, lane, indices, body = self._tile(folds[0].shape)
        block = index(self.let(count, "blocks", body), f"b{next(self.names)}")
        values = {m: load(partials[m], flat(partials[m].shape, (block, *indices))) for m in folds}
        sums = self._accumulate(folds, values, (block, lane), lane, body)
        body.append(self._finished(group, sums, indices, lane))
        return [nest((*rows, tile), body, size.times(TILE * 8, count), simd=False)]

    def _tile(self, shape):
        """The loops over tiles of columns: rows above, tile, lane within it, the position, and
        their sizes.
        """
        *above, width = shape
        while above and width == 1:
            *above, width = above
        rows = self.fresh(above, "i")
        tile = index(size.quotient(size.plus(width, TILE - 1), TILE), f"t{next(self.names)}")
        body: list = []
        lane = index(self.cut(width, tile, TILE, body), f"j{next(self.names)}")
        column = size.as_expr(size.plus(size.times(tile, TILE), lane))
        return rows, tile, lane, (*rows, column, *[0] * (len(shape) - len(rows) - 1)), body

    def _accumulate(self, folds, values, indices, lane, body: list) -> dict[Root, Buffer]:
        """A tile of accumulators for each fold, set to its identity and run down the rows."""
        sums: dict[Root, Buffer] = {}
        for m in folds:
            sums[m] = loops.buffer(m.expr.dtype, (TILE,), f"a{next(self.names)}")
            start = index(TILE, f"j{next(self.names)}")
            nothing = identity(m.equation.monoid, m.expr.dtype)
            body.append(Scratch(sums[m]))
            body.append(For(start, (Store(sums[m], start, nothing),), "simd"))
        inner: list = []
        for m in folds:
            value = self.unfolded(self.located(values[m]), inner)
            inner.append(Store(sums[m], lane, value, m.equation.monoid))
        body.append(nest_serial(indices, inner))
        return sums

    def _left(self, sums, partials, block, indices, lane) -> For:
        last = index(lane.extent, f"j{next(self.names)}")
        indices = tuple(reindexed(size.as_expr(i), {lane: last}) for i in indices)
        stores = [
            Store(
                partials[m], size.as_expr(flat(partials[m].shape, (block, *indices))), load(a, last)
            )
            for m, a in sums.items()
        ]
        return For(last, tuple(stores), "simd")

    def _finished(self, group: Group, sums, indices, lane) -> For:
        """What is made of the folds, column by column."""
        last = index(lane.extent, f"j{next(self.names)}")
        indices = tuple(reindexed(size.as_expr(i), {lane: last}) for i in indices)
        inner: list = []
        values = [
            load(sums[m], last) if m in sums else at_indices(m, indices) for m in group.members
        ]
        offset = size.as_expr(flat(group.members[0].shape, indices))
        self.store_members(group.members, values, offset, inner)
        return For(last, tuple(inner), "simd")
