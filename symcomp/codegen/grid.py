"""Groups to loops on a GPU: which iterations run side by side, and which threads share a row.

Each kernel is one launch. Three shapes serve all groups:

    flat    nested `grid` loops, one iteration a thread; where one loop runs through memory, a
            thread does a few neighbouring elements, which the compiler loads and stores as one
    team    a `grid` loop whose iterations are shared by a team of threads through `block` loops:
            rows, and folds of everything. How many threads a team has is decided at the launch,
            and whether they hold a row in registers (see `held_rows`); for columns, and what is
            read across, it is fixed, by `thread` loops
    step    a library's product or convolution, or a call of Python, between kernels

Attention is in `grid_attention`, columns are in `grid_columns`, maps that read across in
`grid_tiles`, few long rows in `long_rows`, small products in `small_products`, writes to places
that data say in `scatters`, checks of positions in `grid_checks`.

Everything else is that of the CPU: the plan, the equations, the formulas. Long folds are cut by
sizes alone, never by how many threads there are, and what threads have added up is put together in
a fixed order: results are the same every time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symcomp.codegen import improve
from symcomp.codegen.convolutions import library_geometry
from symcomp.codegen.equations import flat, reindexed, stored_base
from symcomp.codegen.grid_attention import GridAttention, Repeated
from symcomp.codegen.grid_checks import GridChecks
from symcomp.codegen.grid_columns import GridColumns
from symcomp.codegen.grid_tiles import GridTiles, turned
from symcomp.codegen.held_rows import whole_vectors
from symcomp.codegen.long_rows import LongRows, are_long
from symcomp.codegen.loops import (
    Buffer,
    Call,
    For,
    Kernel,
    Let,
    Repeat,
    Store,
    Update,
    View,
    load,
    local,
)
from symcomp.codegen.lower import note, word
from symcomp.codegen.nests import at_indices, vectorises
from symcomp.codegen.plan import Group, Root, matrices
from symcomp.codegen.products import linear
from symcomp.codegen.rows import Rows
from symcomp.codegen.scatters import Scattered
from symcomp.codegen.small_products import SmallProduct, is_small
from symcomp.codegen.teams import one_index, over_grid, with_barriers
from symcomp.codegen.words import is_plain, per_block, written_out
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import ELEMENT, Write, formula_order, identity, index
from symcomp.graph.size import Dimension
from symcomp.tensor.cumulative import Cumulate

#: Bytes that a thread of a flat kernel loads and stores at once, and the most elements they are.
WIDE, MOST_LANES = 16, 4
#: Results of fewer elements are computed one by one.
SMALL = 1 << 15
#: Elements that a team folds before another is worth while, and the most teams of one fold: memory
#: serves a few long stretches faster than many.
TEAM_WORK, MOST_TEAMS = 1 << 14, 256
#: Chunks of a running sum, and the least length of one.
CHUNKS, CHUNK = 1024, 64


class GridLowering(GridChecks, GridColumns, GridTiles, GridAttention):
    """Turns groups into kernels for a GPU."""

    sums_in_runs = False
    parts_together = "block"

    def __init__(self, buffers, visible, formulas):
        super().__init__(buffers, visible, formulas)
        #: Sizes that the host computes once and hands to kernels.
        self.derived: list[tuple[Dimension, Expr]] = []
        self.repeats: list[Repeat] = []

    def known(self, n, name: str):
        """A size under a name that kernels are given; itself where it is literal."""
        if isinstance(n, int):
            return n
        made = Dimension(f"{name}{next(self.names)}")
        self.derived.append((made, size.as_expr(n)))
        return made

    def kernels(self, group: Group) -> list[Kernel]:
        """The kernels of a group, in the order in which they run."""
        title = "_".join(dict.fromkeys(word(m.expr.op) for m in group.members[:4]))
        result: list[Kernel] = []
        for made in getattr(self, f"_{group.kind}")(group):
            if not isinstance(made, Repeated):
                result.append(self._kernel(title, made, note(group)))
                continue
            block = [self._kernel(title, body, note(group)) for body in made.bodies]
            repeat = Repeat(block[0].name, block[-1].name, made.number, made.extent)
            self.repeats.append(repeat)
            result += block
        return result

    # --- flat -------------------------------------------------------------------------------------

    def _map(self, group: Group):
        indices = self.fresh(group.members[0].shape, "i")
        yield self._mapped(group.members, indices, {})

    def _mapped(self, members, indices, at_hand: dict) -> list:
        """Loops over the elements of equally shaped results; `at_hand` as in `store_members`, but
        each a buffer that holds the result at the same place.
        """
        values = [at_indices(m, indices) for m in members]
        offset = size.as_expr(flat(members[0].shape, indices))
        merged, steps = improve.merge(indices, [offset], values)
        offset = improve.apply_steps(offset, steps, is_offset=True)
        values = [improve.apply_steps(v, steps) for v in values]

        def elements(moved: dict) -> list:
            at = reindexed(offset, moved)
            own = [reindexed(v, moved) for v in values]
            known = {e: load(b, at) for e, b in at_hand.items()}
            body: list = []
            self.store_members(members, own, at, body, known)
            return body

        across = turned(merged, values)
        if across:
            return [self._through_tiles(members, merged, values, offset, across, at_hand)]
        return self._in_lanes(members, merged, elements)

    def _in_lanes(self, members, merged, elements) -> list:
        """Loops of which a thread does some rounds, if that pays; `elements` makes the body, with
        other indices.
        """
        body = elements({})
        lanes = _lanes(members, merged) if vectorises(body) else 1
        if lanes == 1:
            return [over_grid(merged, body)]
        position = _split_at(merged, lanes)
        i = merged[position]
        drawn = per_block(body, i) if len(merged) == 1 else 0
        lanes = max(lanes, drawn)
        plain = all(map(is_plain, body))
        whole = size.quotient(i.extent, lanes)
        if whole != 0:
            whole = self.known(whole, "groups")
        part, lane = index(whole, f"i{next(self.names)}"), index(lanes, f"j{next(self.names)}")
        rest = index(size.minus(i.extent, size.times(whole, lanes)), f"i{next(self.names)}")
        result = []
        for own, at in (
            (part, size.plus(size.times(part, lanes), lane)),
            (rest, size.plus(size.times(whole, lanes), rest)),
        ):
            if own.extent == 0:
                continue
            if own is part and plain:
                body = written_out(body, i, part, lanes, self.names)
            else:
                body = elements({i: size.as_expr(at)})
                body = [For(lane, tuple(body), "simd")] if own is part else body
            result.append(over_grid([*merged[:position], own, *merged[position + 1 :]], body))
        return result

    def _writes(self, group: Group):
        (root,) = group.members
        target = self.buffers[root.expr]
        if isinstance(root.expr.op, Cumulate):
            yield from self._cumulated(root, target)
            return
        for w in root.writes:
            offset = size.as_expr(flat(root.shape, w.target))
            *_, store = body = self._written(target, offset, w)
            if w.monoid is None and store.value is load(target, store.offset):
                continue  # a scatter into what lies there already
            free = [i for i in w.indices if w.injective or i in w.free]
            ordered = [i for i in w.indices if i not in free]
            loaded = {e.args[0] for e in formula_order(w.target) if e.op is ELEMENT}
            own = any(e.op is ELEMENT and e.args[0] is root.expr for e in formula_order([w.value]))
            if loaded and ordered and not own:
                yield from Scattered(self, root, w, free).kernels()
            elif not ordered:
                yield self._unordered(root, offset, w)
            else:
                yield [over_grid(free, _inside(ordered, body))]

    def _written(self, target: Buffer, offset: Expr, w: Write) -> list:
        """What one round of a write does."""
        body: list = []
        value = self.unfolded(self.located(w.value), body)
        return [*body, Store(target, self.located(offset, {}), value, w.monoid)]

    def _unordered(self, root: Root, offset: Expr, w: Write) -> list:
        """Writes that never meet: neighbours are written as one."""
        fixed = {i: size.as_expr(0) for i in w.indices if i.extent == 1}
        varying = [i for i in w.indices if i not in fixed]
        offset, value = reindexed(offset, fixed), reindexed(w.value, fixed)
        merged, steps = improve.merge(varying, [offset], [value])
        value = improve.apply_steps(value, steps)
        offset = improve.apply_steps(offset, steps, is_offset=True)
        target = self.buffers[root.expr]

        def elements(moved: dict) -> list:
            one = w._replace(value=reindexed(value, moved))
            return self._written(target, reindexed(offset, moved), one)

        return self._in_lanes([root], merged, elements)

    def _cumulated(self, root: Root, target: Buffer):
        """Running sums in chunks: what each adds up to, what stands before each, then all."""
        op, x, dtype = root.expr.op, root.expr.args[0], root.expr.dtype
        n = root.shape[op.axis]
        count = self.known(size.larger(1, size.smaller(CHUNKS, size.parts(n, CHUNK))), "chunks")
        length = self.known(size.parts(n, count), "length")
        others = tuple(m for a, m in enumerate(root.shape) if a != op.axis)
        sums = self.temporary(dtype, (count, *others), "partial")

        def loop(store: bool) -> For:
            chunk, around = index(count, f"c{next(self.names)}"), self.fresh(others, "i")
            at = size.as_expr(flat(sums.shape, (chunk, *around)))
            total, body = local(dtype, f"s{next(self.names)}"), []
            body.append(Let(total, load(sums, at) if store else identity(op.monoid, dtype)))
            some = self.cut(n, chunk, length, body)
            k = index(size.at_least_zero(some), f"k{next(self.names)}")
            along = size.as_expr(size.plus(size.times(chunk, length), k))
            indices = (*around[: op.axis], along, *around[op.axis :])
            inner: list = []
            value = self.unfolded(self.located(self.formulas.at(x, indices)), inner)
            inner.append(Update(total, op.monoid, value))
            if store:
                inner.append(Store(target, size.as_expr(flat(root.shape, indices)), total))
            body.append(For(k, tuple(inner)))
            body += [] if store else [Store(sums, at, total)]
            return over_grid((chunk, *around), body)

        yield [loop(store=False)]
        around, chunk = self.fresh(others, "i"), index(count, f"c{next(self.names)}")
        at = size.as_expr(flat(sums.shape, (chunk, *around)))
        total, own = local(dtype, f"s{next(self.names)}"), local(dtype, f"p{next(self.names)}")
        inner = (Let(own, load(sums, at)), Store(sums, at, total), Update(total, op.monoid, own))
        yield [over_grid(around, [Let(total, identity(op.monoid, dtype)), For(chunk, inner)])]
        yield [loop(store=True)]

    def _kernel(self, title: str, body, note: str) -> Kernel:
        body = with_barriers(improve.hoist(tuple(body), (f"h{n}" for n in self.names)))
        return Kernel(f"k{next(self.names)}_{title}", body, note)

    # --- team -------------------------------------------------------------------------------------

    def along_row(self, indices, body):
        """The threads of a team share what lies inside a row."""
        i, first = one_index(indices)
        return For(i, (*first, *body), "block")

    def _row(self, group: Group):
        if not group.outer:
            yield from self._full(group)
            return
        if are_long(group):
            yield from LongRows(self, group).kernels()
            return
        outer = self.fresh(group.outer, "i")
        row, first = one_index(outer)
        yield [For(row, (*first, *Rows(self, group, outer).build()), "grid")]

    def _full(self, group: Group):
        """Fold everything: parts by teams, then their results by one."""
        first = group.members[0]
        extents = (*first.shape, *(k.extent for k in first.equation.folds))
        folds = [m for m in group.members if m.kind == "row"]
        total = size.product(extents)
        count = size.smaller(MOST_TEAMS, size.parts(total, TEAM_WORK))
        if count == 1 or (isinstance(total, int) and total <= TEAM_WORK):
            yield [self._part(group, folds, extents, 0, total, None)]
            return
        count = self.known(size.larger(1, count), "teams")
        length = self.known(whole_vectors(size.parts(total, count)), "length")
        partials = {m: self.temporary(m.expr.dtype, (count,), "partial") for m in folds}
        team = index(count, f"b{next(self.names)}")
        yield [self._part(group, folds, extents, team, length, partials)]
        yield [For(index(1), tuple(self._finish(folds, partials, count)), "grid")]

    def _part(self, group: Group, folds, extents, team, length, partials) -> For:
        """What one team folds: `length` elements from its own on; stored, or left as partial."""
        indices = self.fresh(extents, "k")
        values = [at_indices(m, indices) for m in group.members]
        maps = [m for m in group.members if m.kind == "map"]
        offsets = [size.as_expr(flat(m.shape, indices)) for m in maps]
        merged, steps = improve.merge(indices, offsets, values)
        values = [improve.apply_steps(v, steps) for v in values]
        offset = improve.apply_steps(size.as_expr(flat(extents, indices)), steps, is_offset=True)
        every, first = one_index(merged)
        outer: list = []
        begin = self.let(size.times(team, length), "begin", outer)
        left = size.minus(every.extent, begin)
        some = size.smaller(length, size.at_least_zero(left)) if partials is not None else left
        within = index(self.let(some, "length", outer), f"k{next(self.names)}")
        totals = {m: local(m.expr.dtype, f"s{next(self.names)}") for m in folds}
        outer += [Let(t, identity(m.equation.monoid, t.dtype)) for m, t in totals.items()]
        inner: list = [Let(every, size.as_expr(size.plus(begin, within))), *first]
        self._fold_members(group.members, values, offset, totals, inner)
        outer.append(For(within, tuple(inner), "block"))
        for m, t in totals.items():
            place = (self.buffers[m.expr], 0) if partials is None else (partials[m], team)
            outer.append(Store(place[0], size.as_expr(place[1]), t))
        return For(team if partials is not None else index(1), tuple(outer), "grid")

    # --- steps ------------------------------------------------------------------------------------

    def _gemm(self, group: Group):
        """A product and the maps that read it: as one kernel, or by the library, or as the sizes
        say.
        """
        small = is_small(group)
        if small != 1:
            others = list(self._by_library(group))
        if small == 0:
            yield from others
            return
        kernel = [SmallProduct(self, group).body()]
        if small == 1:
            yield kernel
            return
        small = self.known(small, "small")
        yield Repeated(None, small, [kernel])
        yield Repeated(None, size.minus(1, small), others)

    def _by_library(self, group: Group):
        first, *maps = group.members
        m = matrices(first.expr)
        found = self._added_in_place(first, maps)
        if found is not None:
            (scale, keep), target, maps = found, self.buffers[maps[0].expr], []
        else:
            scale, keep = identity("prod", first.expr.dtype), identity("sum", first.expr.dtype)
            target = self.product_target(first, maps)
        sizes = (m.batch, m.rows, m.columns, m.inner)
        left, right = (self._whole(m, side) for side in ("left", "right"))
        result = View(target, size.as_expr(0), m.columns)
        arguments = (*map(size.as_expr, sizes), scale, left, right, keep, result)
        yield [Call("product", arguments, first.expr.dtype)]
        yield from self._after(first, maps, target)

    def _added_in_place(self, first: Root, maps):
        """(α, β) where the only map is α·product + β·old value in place, and both are known before
        the launch.
        """
        if len(maps) != 1 or first.expr in self.visible:
            return None
        target = self.buffers[maps[0].expr]
        old = next((r for r in maps[0].reads if self.buffers.get(r, r) is target), None)
        if old is None or maps[0].expr.dtype != first.expr.dtype:
            return None
        found = linear(maps[0].equation.value, first.expr, old)
        given = found and all(e.op is not ELEMENT for v in found for e in formula_order([v]))
        return found if given else None

    def _whole(self, m, side: str) -> View:
        array, transposed = getattr(m, side), getattr(m, f"transpose_{side}")
        first, second = (m.rows, m.inner) if side == "left" else (m.inner, m.columns)
        view = self._view(stored_base(array))
        return replace(view, stride=first if transposed else second, transposed=transposed)

    def _after(self, first: Root, maps, target: Buffer):
        """The maps that read a step's result at their own place."""
        if maps:
            indices = self.fresh(first.shape, "i")
            yield self._mapped(maps, indices, {first.expr: target})

    def _convolution(self, group: Group):
        yield from self._convolved(group, "forward")

    def _convolution_input(self, group: Group):
        yield from self._convolved(group, "input")

    def _convolution_filters(self, group: Group):
        yield from self._convolved(group, "filters")

    def _convolved(self, group: Group, which: str):
        first, *maps = group.members
        g, *arrays = self._parts(first)
        target = self.product_target(first, maps)
        views = (*map(self._view, arrays), View(target, size.as_expr(0), 1))
        sizes = tuple(size.as_expr(n) for n in library_geometry(g))
        yield [Call("convolve", (which, *sizes, *views), first.expr.dtype)]
        yield from self._after(first, maps, target)


# --- shapes of loops ------------------------------------------------------------------------------


def _inside(indices, body) -> list:
    for i in reversed(indices):
        body = [For(i, tuple(body))]
    return list(body)


def _lanes(members: list[Root], indices) -> int:
    """How many neighbouring elements a thread takes: of the widest dtype, WIDE bytes; of small
    results one, since there are threads enough.
    """
    total = size.product([i.extent for i in indices])
    if isinstance(total, int) and total < SMALL:
        return 1
    widest = max(np.dtype(m.expr.dtype).itemsize for m in members)
    return max(1, min(WIDE // widest, MOST_LANES))


def _split_at(indices, lanes: int) -> int:
    """The position of the loop of which a thread takes a few rounds: the last where its rows are
    known to begin aligned, so that loads become wide; else the one before, whose loads are apart
    but under way together.
    """
    last = indices[-1].extent
    alone = len(indices) == 1 or (isinstance(last, int) and last % lanes == 0)
    return len(indices) - (1 if alone else 2)
