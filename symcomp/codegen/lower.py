"""Groups to loops: each kind of group has one shape of loop nest.

Sizes that decide speed stand here as named constants: how long a piece of parallel work is, how wide a tile of
accumulators, how long a floating-point sum runs before it is added to the total (which keeps long sums accurate).
"""

from __future__ import annotations

from collections.abc import Iterator

from symcomp.codegen import improve, loops, tiling
from symcomp.codegen.equations import Formulas, flat, is_dear, reindexed, stored_base
from symcomp.codegen.loops import (
    Buffer,
    Call,
    For,
    Kernel,
    Let,
    Local,
    Scratch,
    Store,
    Update,
    View,
    load,
    local,
)
from symcomp.codegen.plan import Group, Root, matrices
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import ELEMENT, Fold, Index, identity, index
from symcomp.graph.scalar import cast
from symcomp.graph.type import is_float
from symcomp.graph.walk import order
from symcomp.tensor.arithmetic import logical_or, minimum, where

#: Simple operations in one piece of parallel work: some tens of microseconds.
PIECE = 65536
#: Elements that a full fold sums up in one piece; the pieces' results are then summed in order.
BLOCK = 16384
#: Terms of a floating-point sum that are added up before they join the total.
RUN = 4096
#: Accumulators in the tile of a column fold.
TILE = 256


class Lowering:
    """Turns groups into kernels, given where each stored expression lives."""

    def __init__(self, buffers: dict[Expr, Buffer], visible: set[Expr], formulas: Formulas):
        self.buffers = buffers
        self.visible = visible
        self.formulas = formulas
        self.temporaries: list[Buffer] = []
        self.names: Iterator[int] = iter(range(10**9))

    def kernels(self, group: Group) -> list[Kernel]:
        """The kernels of a group, in the order in which they run."""
        made = getattr(self, f"_{group.kind}")(group)
        title = "_".join(dict.fromkeys(_word(m.expr.op) for m in group.members[:4]))
        result = []
        for body in made:
            body = improve.hoist(tuple(body), (f"h{n}" for n in self.names))
            result.append(Kernel(f"k{next(self.names)}_{title}", body, note(group)))
        return result

    # --- pieces ------------------------------------------------------------------------------------------------------

    def located(self, value: Expr, values: dict[Expr, Expr] | None = None) -> Expr:
        """A formula whose loads of stored expressions are loads of buffers, or values at hand.

        `values` maps (expression) to what stands for a load of it at the position being computed.
        """
        done: dict[Expr, Expr] = {}
        for e in order([value], stop=_inside_load):
            if e.op is ELEMENT:
                array = e.args[0]
                if values and array in values:
                    done[e] = values[array](e.args[1]) if callable(values[array]) else values[array]
                else:
                    offset = self.located(e.args[1], values) if _has_load(e.args[1]) else e.args[1]
                    done[e] = load(self.buffers.get(array, array), offset)
            elif e.op is None:
                done[e] = e
            else:
                args = tuple(done[a] for a in e.args)
                done[e] = e if args == e.args else build(e.op, args)
        return done[value]

    def unfolded(self, value: Expr, body: list) -> Expr:
        """A formula whose inner folds are computed by loops that are put before it."""
        while True:
            fold = next((e for e in order([value]) if isinstance(e.op, Fold)), None)
            if fold is None:
                return value
            total = local(fold.dtype, f"s{next(self.names)}")
            inner: list = []
            part = self.unfolded(fold.args[0], inner)
            body.append(Let(total, identity(fold.op.monoid, fold.dtype)))
            body.append(
                For(
                    fold.op.index,
                    (*inner, Update(total, fold.op.monoid, part)),
                    "simd" if not inner else "serial",
                )
            )
            value = _replaced(value, fold, total)

    def let(self, value, name: str, body: list):
        """A size under a name, so that the C stays readable; itself where it is literal."""
        if isinstance(value, int):
            return value
        variable = loops.local_size(f"{name}{next(self.names)}")
        body.append(Let(variable, value))
        return variable

    def _cut(self, extent, block, length, body: list):
        """How much of [0, extent) a block has: min(length, extent − block·length)."""
        if isinstance(extent, int) and isinstance(length, int) and extent <= length:
            return extent
        left = size.as_expr(size.minus(extent, size.times(block, length)))
        return self.let(build(minimum, (size.as_expr(length), left)), "length", body)

    def _fresh(self, extents, name: str) -> tuple[Index, ...]:
        return tuple(index(n, f"{name}{next(self.names)}") for n in extents)

    # --- map ---------------------------------------------------------------------------------------------------------

    def _map(self, group: Group):
        first = group.members[0]
        indices = self._fresh(first.shape, "i")
        values = []
        for m in group.members:
            values.append(_at_indices(m, indices))
        offset = flat(first.shape, indices)
        merged, steps = improve.merge(indices, [size.as_expr(offset)], values)
        offset = improve.apply_steps(size.as_expr(offset), steps, is_offset=True)
        values = [improve.apply_steps(v, steps) for v in values]
        body: list = []
        self._store_members(group.members, values, offset, body)
        yield [nest(merged, body, cost(values))]

    def _store_members(self, members, values, offset, body) -> None:
        """Compute all members at one position, then store: an update in place is read before it is written."""
        at_hand: dict[Expr, Expr] = {}
        stores = []
        for m, value in zip(members, values, strict=True):
            value = self.unfolded(self.located(value, at_hand), body)
            variable = local(m.expr.dtype, f"v{next(self.names)}")
            body.append(Let(variable, value))
            at_hand[m.expr] = variable
            if m.expr in self.visible:
                stores.append(Store(self.buffers[m.expr], offset, variable))
        body.extend(stores)

    # --- row ---------------------------------------------------------------------------------------------------------

    def _row(self, group: Group):
        if not group.outer:
            yield from self._full(group)
            return
        outer = self._fresh(group.outer, "i")
        rows = _Rows(self, group, outer)
        body = rows.build()
        yield [nest(outer, body, rows.cost, simd=False)]

    def _full(self, group: Group):
        """Fold everything: blocks in parallel, then their results in order."""
        first = group.members[0]
        extents = (*first.shape, *(k.extent for k in first.equation.folds))
        indices = self._fresh(extents, "k")
        values = [_at_indices(m, indices) for m in group.members]
        maps = [m for m in group.members if m.kind == "map"]
        offsets = [size.as_expr(flat(m.shape, indices)) for m in maps]
        merged, steps = improve.merge(indices, offsets, values)
        values = [improve.apply_steps(v, steps) for v in values]
        offset = improve.apply_steps(size.as_expr(flat(extents, indices)), steps, is_offset=True)
        if not merged:
            merged = (index(1),)
        inner_size = size.product([i.extent for i in merged[1:]])
        length = size.larger(1, size.quotient(BLOCK, inner_size)) if len(merged) > 1 else BLOCK
        extent = merged[0].extent
        count = size.quotient(size.plus(extent, size.minus(length, 1)), length)
        block = index(count, f"b{next(self.names)}")
        body: list = []
        within = index(self._cut(extent, block, length, body), f"k{next(self.names)}")
        moved = {merged[0]: size.as_expr(size.plus(size.times(block, length), within))}
        values = [reindexed(v, moved) for v in values]
        offset = reindexed(size.as_expr(offset), moved)
        folds = [m for m in group.members if m.kind == "row"]
        partials = {m: self._temporary(m.expr.dtype, (count,), "partial") for m in folds}
        totals = {}
        for m in folds:
            totals[m] = local(m.expr.dtype, f"s{next(self.names)}")
            body.append(Let(totals[m], identity(m.equation.monoid, m.expr.dtype)))
        inner: list = []
        self._fold_members(group.members, values, offset, totals, inner)
        body.append(nest_serial((within, *merged[1:]), inner))
        body += [Store(partials[m], block, totals[m]) for m in folds]
        yield [For(block, tuple(body), "parallel", 1)]
        yield self._finish(folds, partials, count)

    def _fold_members(self, members, values, offset, totals, inner) -> None:
        at_hand: dict = {}
        for m, value in zip(members, values, strict=True):
            value = self.unfolded(self.located(value, at_hand), inner)
            if m in totals:
                inner.append(Update(totals[m], m.equation.monoid, value))
                continue
            variable = local(m.expr.dtype, f"v{next(self.names)}")
            inner.append(Let(variable, value))
            at_hand[m.expr] = variable
            if m.expr in self.visible:
                inner.append(Store(self.buffers[m.expr], offset, variable))

    def _finish(self, folds, partials, count):
        body: list = []
        for m in folds:
            total = local(m.expr.dtype, f"s{next(self.names)}")
            again = index(count, f"b{next(self.names)}")
            body.append(Let(total, identity(m.equation.monoid, m.expr.dtype)))
            body.append(For(again, (Update(total, m.equation.monoid, load(partials[m], again)),)))
            body.append(Store(self.buffers[m.expr], 0, total))
        return body

    def _temporary(self, dtype: str, shape, name: str) -> Buffer:
        made = loops.buffer(dtype, shape, f"{name}{next(self.names)}")
        self.temporaries.append(made)
        return made

    # --- column ------------------------------------------------------------------------------------------------------

    def _column(self, group: Group):
        """Tiles of the kept contiguous axis run down the folded ones."""
        first = group.members[0]
        *above, width = first.shape
        while above and width == 1:
            *above, width = above
        rows = self._fresh(above, "i")
        tile = index(size.quotient(size.plus(width, TILE - 1), TILE), f"t{next(self.names)}")
        body: list = []
        lane = index(self._cut(width, tile, TILE, body), f"j{next(self.names)}")
        column = size.as_expr(size.plus(size.times(tile, TILE), lane))
        indices = (*rows, column, *[0] * (len(first.shape) - len(rows) - 1))
        sums: dict[Root, Buffer] = {}
        folds = [m for m in group.members if m.kind == "column"]
        for m in folds:
            sums[m] = loops.buffer(m.expr.dtype, (TILE,), f"a{next(self.names)}")
            body.append(Scratch(sums[m]))
            start = index(TILE, f"j{next(self.names)}")
            nothing = identity(m.equation.monoid, m.expr.dtype)
            body.append(For(start, (Store(sums[m], start, nothing),), "simd"))
        down = self._fresh([k.extent for k in folds[0].equation.folds], "k")
        inner: list = []
        for m in folds:
            value = self.located(_at_indices(m, (*indices, *down)))
            inner.append(Store(sums[m], lane, self.unfolded(value, inner), m.equation.monoid))
        body.append(nest_serial((*down, lane), inner))
        body.append(self._column_end(group, sums, indices, lane))
        work = size.product([TILE, *(k.extent for k in down)])
        yield [nest((*rows, tile), body, 2, simd=False, work=work)]

    def _column_end(self, group: Group, sums, indices, lane) -> For:
        last = index(lane.extent, f"j{next(self.names)}")
        indices = tuple(reindexed(size.as_expr(i), {lane: last}) for i in indices)
        inner: list = []
        values = [
            load(sums[m], last) if m in sums else _at_indices(m, indices) for m in group.members
        ]
        offset = size.as_expr(flat(group.members[0].shape, indices))
        self._store_members(group.members, values, offset, inner)
        return For(last, tuple(inner), "simd")

    # --- gemm --------------------------------------------------------------------------------------------------------

    def _gemm(self, group: Group):
        """Tiles of a product, each finished by the maps that read it while it is in cache."""
        first, *maps = group.members
        m = matrices(first.expr)
        target = self._gemm_target(first, maps)
        scale, keep, maps = self._in_place_product(first, maps)
        if scale is not None:
            target = self.buffers[group.members[1].expr]
        else:
            scale, keep = identity("prod", first.expr.dtype), identity("sum", first.expr.dtype)
        batch = 0 if m.batch == 1 else index(m.batch, f"b{next(self.names)}")
        body: list = []
        tiles, row, column, rows, columns = self._tiles(m, body)
        start = size.plus(size.times(batch, m.rows, m.columns), size.times(row, m.columns), column)
        left, right = self._operand(m, "left", batch, row), self._operand(m, "right", batch, column)
        scale, keep = self.located(scale), self.located(keep)
        body.append(
            Call("gemm", (*map(size.as_expr, (rows, columns, m.inner)), scale, left, right, keep,
                          View(target, size.as_expr(start), m.columns)), first.expr.dtype)
        )  # fmt: skip
        if maps:
            body.append(self._gemm_end(first, maps, target, (batch, row, column), rows, columns))
        loop = (tiles,) if m.batch == 1 else (batch, tiles)
        yield [nest(loop, body, 1, simd=False, work=PIECE)]

    def _gemm_target(self, first: Root, maps) -> Buffer:
        """Where BLAS writes: the result's own buffer, or that of the one map that finishes it."""
        if first.expr in self.visible:
            return self.buffers[first.expr]
        for m in maps:
            target = self.buffers.get(m.expr)
            if m.expr in self.visible and m.expr.dtype == first.expr.dtype:
                if not any(self.buffers.get(r, r) is target for o in maps for r in o.reads):
                    return target
        return self.buffers.setdefault(
            first.expr, self._temporary(first.expr.dtype, first.expr.shape, "product")
        )

    def _in_place_product(self, first: Root, maps):
        """(α, β) where the only map is α·product + β·old value, updated in place: BLAS can do it alone."""
        if len(maps) == 1 and first.expr not in self.visible:
            target = self.buffers[maps[0].expr]
            old = next((r for r in maps[0].reads if self.buffers.get(r, r) is target), None)
            if old is not None and maps[0].expr.dtype == first.expr.dtype:
                found = linear(maps[0].equation.value, first.expr, old)
                if found is not None:
                    return (*found, [])
        return None, None, maps

    def _gemm_end(self, first, maps, target, corner, rows, columns) -> For:
        batch, row, column = corner
        i, j = index(rows, f"i{next(self.names)}"), index(columns, f"j{next(self.names)}")
        indices = (size.plus(row, i), size.plus(column, j))
        indices = (batch, *indices) if len(first.shape) == 3 else indices
        offset = size.as_expr(flat(first.shape, indices))
        values = [_at_indices(m, indices) for m in maps]
        product = load(target, offset)
        body: list = []
        at_hand = {first.expr: product}
        stores = []
        for member, value in zip(maps, values, strict=True):
            value = self.unfolded(self.located(value, at_hand), body)
            variable = local(member.expr.dtype, f"v{next(self.names)}")
            body.append(Let(variable, value))
            at_hand[member.expr] = variable
            if member.expr in self.visible:
                stores.append(Store(self.buffers[member.expr], offset, variable))
        return For(i, (For(j, (*body, *stores), "simd"),))

    def _tiles(self, m, body: list):
        """The index over tiles, where a tile starts, and how large it is."""
        sizes = (m.rows, m.columns, m.inner)
        height = self.let(tiling.rows(*sizes), "height", body)
        width = self.let(tiling.columns(*sizes), "width", body)
        across = self.let(_pieces(m.columns, width), "across", body)
        tiles = index(tiling.count(*sizes), f"t{next(self.names)}")
        if across == 1:
            row, column = size.times(tiles, height), 0
        else:
            band = self.let(size.quotient(tiles, across), "band", body)
            row = self.let(size.times(band, height), "row", body)
            column = size.minus(tiles, size.times(band, across))
            column = self.let(size.times(column, width), "column", body)
        rows = self._rest(m.rows, row, height, body)
        columns = self._rest(m.columns, column, width, body)
        return tiles, row, column, rows, columns

    def _rest(self, extent, start, length, body):
        if start == 0 and (length is extent or length == extent):
            return extent
        left = size.as_expr(size.minus(extent, start))
        return self.let(build(minimum, (size.as_expr(length), left)), "length", body)

    def _operand(self, m, side: str, batch, start) -> View:
        """The part of an operand that a tile needs."""
        expr, transposed = getattr(m, side), getattr(m, f"transpose_{side}")
        first, second = (m.rows, m.inner) if side == "left" else (m.inner, m.columns)
        base = size.times(batch, first, second)
        stored_as = (second, first) if transposed else (first, second)
        by_row = (side == "left") != transposed
        offset = size.plus(base, size.times(start, stored_as[1]) if by_row else start)
        array = stored_base(expr)
        return View(self.buffers.get(array, array), size.as_expr(offset), stored_as[1], transposed)

    # --- writes and python -------------------------------------------------------------------------------------------

    def _writes(self, group: Group):
        (root,) = group.members
        target = self.buffers[root.expr]
        for w in root.writes:
            body: list = []
            offset = self.located(size.as_expr(flat(root.shape, w.target)), {})
            value = self.unfolded(self.located(w.value), body)
            body.append(Store(target, offset, value, w.monoid))
            if w.injective:
                yield [nest(w.indices, body, cost([value]))]
            else:
                yield [nest_serial(w.indices, body, simd=False)]

    def _python(self, group: Group):
        (root,) = group.members
        arguments = tuple(self.buffers.get(b, b) for b in map(stored_base, root.expr.args))
        yield [Call("python", (root.expr, self.buffers[root.expr], *arguments))]

    def check(self, at: Expr, n, number: int, status: Buffer) -> Kernel:
        """A kernel that notes in `status` whether a position is outside its axis."""
        indices = self._fresh(at.shape, "i")
        value = cast(self.located(self.formulas.at(at, indices)), "int64")
        bad = local("bool", f"bad{next(self.names)}")
        outside = logical_or(value < -size.as_expr(n), value >= size.as_expr(n))
        body = [
            Let(bad, identity("any", "bool")),
            nest_serial(indices, [Update(bad, "any", outside)]),
        ]
        mark = where(bad, cast(size.as_expr(number), "int64"), load(status, 0))
        body.append(Store(status, 0, mark))
        body = improve.hoist(tuple(body), (f"h{n}" for n in self.names))
        return Kernel(f"k{next(self.names)}_check", body, "positions within their axis")


class _Rows:
    """One row of a row group: loops in levels, each after the folds that it needs."""

    def __init__(self, lowering: Lowering, group: Group, outer):
        self.lowering = lowering
        self.group = group
        self.outer = outer
        self.level: dict[Expr, int] = {}
        self.place: dict[Expr, tuple] = {}
        self.scratch: dict[Expr, Buffer] = {}
        self.totals: dict[Expr, Local] = {}
        self.cost = 1
        self.members = {m.expr: m for m in group.members}

    def build(self) -> list:
        for m in self.group.members:
            self._assign(m)
        self._choose_scratch()
        body: list = [Scratch(b) for b in self.scratch.values()]
        for level in range(max(self.level.values()) + 1):
            here = [m for m in self.group.members if self.level[m.expr] == level]
            self._straight([m for m in here if not self._inner(m)], body)
            shapes = dict.fromkeys(self._key(m) for m in here if self._inner(m))
            for key in shapes:
                self._loop([m for m in here if self._inner(m) and self._key(m) == key], body)
        return body

    def _inner(self, m: Root) -> tuple:
        """The extents of the loops inside a row."""
        return (*m.shape[len(self.outer) :], *(k.extent for k in m.equation.folds))

    def _key(self, m: Root) -> tuple:
        return tuple(n if isinstance(n, int) else n.serial for n in self._inner(m)), len(
            self._inner(m)
        )

    def _assign(self, m: Root) -> None:
        """A member's level: after the folds it reads, and after rows that it reads elsewhere than at its own place."""
        level = 0
        position = (*m.equation.indices, *m.equation.folds)
        for r, offsets in m.reads.items():
            other = self.members.get(r)
            if other is None:
                continue
            same_loop = (
                self._inner(other) and other.kind == "map" and self._key(other) == self._key(m)
            )
            if same_loop:
                want = size.as_expr(flat(r.shape, position[: len(r.shape)]))
                same_loop = all(o is want for o in offsets)
            straight = other.kind == "map" and not self._inner(other)
            level = max(level, self.level[r] + (0 if same_loop or straight else 1))
        self.level[m.expr] = level

    def _choose_scratch(self) -> None:
        """Rows that only this group reads live in a tile, unless no other loop needs them."""
        for m in self.group.members:
            if m.kind != "map" or not self._inner(m) or m.expr in self.lowering.visible:
                continue
            needed = any(
                m.expr in o.reads
                and (self.level[o.expr], self._key(o)) != (self.level[m.expr], self._key(m))
                for o in self.group.members
            )
            if needed:
                shape = m.shape[len(self.outer) :]
                self.scratch[m.expr] = loops.buffer(
                    m.expr.dtype, shape, f"row{next(self.lowering.names)}"
                )

    def _straight(self, members, body) -> None:
        for m in members:
            value = self._value(m, self.outer, {}, body)
            variable = local(m.expr.dtype, f"v{next(self.lowering.names)}")
            body.append(Let(variable, value))
            self.totals[m.expr] = variable
            self._store_row(m, variable, body)

    def _store_row(self, m: Root, variable: Local, body) -> None:
        if m.expr in self.lowering.visible:
            offset = size.as_expr(flat(m.shape, self.outer))
            body.append(Store(self.lowering.buffers[m.expr], offset, variable))

    def _value(self, m: Root, indices, at_hand, body) -> Expr:
        value = _at_indices(m, indices)
        values = {**self.totals, **at_hand}
        for e, b in self.scratch.items():
            if e not in values:
                values[e] = self._from_scratch(e, b)
        return self.lowering.unfolded(self.lowering.located(value, values), body)

    def _from_scratch(self, e: Expr, b: Buffer):
        base = flat(e.shape, (*self.outer, *[0] * (len(e.shape) - len(self.outer))))
        return lambda offset: load(b, size.minus(offset, base))

    def _loop(self, members, body) -> None:
        inner = self.lowering._fresh(self._inner(members[0]), "j")
        sums = [m for m in members if m.kind == "row"]
        for m in sums:
            self.totals[m.expr] = local(m.expr.dtype, f"s{next(self.lowering.names)}")
            body.append(Let(self.totals[m.expr], identity(m.equation.monoid, m.expr.dtype)))
        accumulators = {m: self.totals[m.expr] for m in sums}
        long = any(is_float(m.expr.dtype) and m.equation.monoid in ("sum", "prod") for m in sums)
        values = [_at_indices(m, (*self.outer, *inner)) for m in members]
        offsets = {
            m: size.as_expr(flat(m.shape, (*self.outer, *inner)))
            for m in members
            if m.kind == "map"
        }
        merged, steps = improve.merge(inner, list(offsets.values()), values)
        values = [improve.apply_steps(v, steps) for v in values]
        offsets = {m: improve.apply_steps(o, steps, is_offset=True) for m, o in offsets.items()}
        last = merged[-1]
        self.cost = size.plus(self.cost, size.times(cost(values), *(i.extent for i in merged)))
        if long and not (isinstance(last.extent, int) and last.extent <= RUN):
            self._in_runs(members, values, offsets, merged, accumulators, body)
        else:
            statements = self._statements(members, values, offsets, accumulators, {})
            body.append(nest_serial(merged, statements))
        for m in sums:
            self._store_row(m, self.totals[m.expr], body)

    def _in_runs(self, members, values, offsets, merged, accumulators, body) -> None:
        """Long sums in runs: the error of a sum then grows with the number of runs, not of terms."""
        last = merged[-1]
        run = index(
            size.quotient(size.plus(last.extent, RUN - 1), RUN), f"r{next(self.lowering.names)}"
        )
        cut: list = []
        within = index(self.lowering._cut(last.extent, run, RUN, cut), last.name)
        moved = {last: size.as_expr(size.plus(size.times(run, RUN), within))}
        parts = {m: local(m.expr.dtype, f"p{next(self.lowering.names)}") for m in accumulators}
        values = [reindexed(v, moved) for v in values]
        offsets = {m: reindexed(o, moved) for m, o in offsets.items()}
        inner: list = [
            *cut,
            *(Let(p, identity(m.equation.monoid, p.dtype)) for m, p in parts.items()),
        ]
        statements = self._statements(members, values, offsets, parts, {})
        inner.append(
            For(within, tuple(statements), "simd" if _vectorises(statements) else "serial")
        )
        inner += [Update(accumulators[m], m.equation.monoid, p) for m, p in parts.items()]
        body.append(nest_serial((*merged[:-1], run), inner, simd=False))

    def _statements(self, members, values, offsets, accumulators, at_hand) -> list:
        body: list = []
        stores: list = []
        for m, value in zip(members, values, strict=True):
            known = {
                **{k: v for k, v in self.totals.items() if self.members[k] not in accumulators},
                **at_hand,
            }
            for e, b in self.scratch.items():
                if e not in known:
                    known[e] = self._from_scratch(e, b)
            value = self.lowering.unfolded(self.lowering.located(value, known), body)
            if m in accumulators:
                body.append(Update(accumulators[m], m.equation.monoid, value))
                continue
            variable = local(m.expr.dtype, f"v{next(self.lowering.names)}")
            body.append(Let(variable, value))
            at_hand[m.expr] = variable
            if m.expr in self.lowering.visible:
                stores.append(Store(self.lowering.buffers[m.expr], offsets[m], variable))
            elif m.expr in self.scratch:
                place = self._from_scratch(m.expr, self.scratch[m.expr])(offsets[m]).args[1]
                stores.append(Store(self.scratch[m.expr], place, variable))
        return body + stores


# --- helpers ---------------------------------------------------------------------------------------------------------


def _inside_load(e: Expr) -> bool:
    return e.op is ELEMENT


def _has_load(e: Expr) -> bool:
    return isinstance(e, Expr) and any(x.op is ELEMENT for x in order([e]))


def _replaced(value: Expr, old: Expr, new: Expr) -> Expr:
    done = {old: new}
    for e in order([value], stop=lambda e: e is old):
        if e not in done:
            args = tuple(done[a] for a in e.args)
            done[e] = e if args == e.args else build(e.op, args)
    return done[value]


def _at_indices(m: Root, indices) -> Expr:
    """A member's formula at given indices (its own, then its folds')."""
    own = (*m.equation.indices, *m.equation.folds)
    moved = {a: size.as_expr(b) for a, b in zip(own, indices, strict=True) if a is not b}
    return reindexed(m.equation.value, moved)


def cost(values) -> int:
    """Simple operations that formulas take, roughly."""
    total = 1
    for e in order(values):
        if e.op is not None and not e.weak:
            total += 12 if is_dear(e.op) else 1
    return total


def _vectorises(statements) -> bool:
    return all(isinstance(s, (Let, Update, Store, Scratch)) for s in statements)


def nest_serial(indices, body, simd: bool = True):
    """Loops from the outermost index to the innermost, which runs in SIMD lanes."""
    body = tuple(body)
    for position, i in enumerate(reversed(indices)):
        how = "simd" if position == 0 and simd and _vectorises(body) else "serial"
        body = (For(i, body, how),)
    if len(body) == 1:
        return body[0]
    return For(index(1), body)


def nest(indices, body, cost_, simd: bool = True, work=None):
    """A parallel outermost loop, serial ones, and an innermost one in SIMD lanes."""
    if not indices:
        return For(index(1), tuple(body))
    first, *inner = indices
    body = tuple(body)
    for position, i in enumerate(reversed(inner)):
        how = "simd" if position == 0 and simd and _vectorises(body) else "serial"
        body = (For(i, body, how),)
    per_index = work if work is not None else size.times(cost_, *(i.extent for i in inner))
    if work is not None:
        per_index = size.times(per_index, *(i.extent for i in inner))
    grain = size.larger(1, size.quotient(PIECE, per_index))
    return For(first, body, "parallel", grain)


def _pieces(extent, length):
    return size.quotient(size.plus(extent, size.minus(length, 1)), length)


def linear(value: Expr, product: Expr, old: Expr):
    """(α, β) with value = α·product + β·old, both the same for all elements; None where it is not so."""
    found = _linear(value, product, old)
    if found is None or found[0] is None:
        return None
    dtype = value.dtype
    return tuple(identity("sum", dtype) if c is None else c for c in found)


def _linear(v: Expr, product: Expr, old: Expr):
    if v.op is ELEMENT and v.args[0] in (product, old):
        one = identity("prod", v.dtype)
        return (one, None) if v.args[0] is product else (None, one)
    name = getattr(v.op, "name", None)
    if name in ("add", "subtract", "negative"):
        parts = [_linear(a, product, old) for a in v.args]
        if None in parts:
            return None
        if name == "negative":
            return tuple(None if c is None else -c for c in parts[0])
        if name == "subtract":
            parts[1] = tuple(None if c is None else -c for c in parts[1])
        return tuple(_added([p[k] for p in parts]) for k in (0, 1))
    if name in ("multiply", "divide"):
        varying = [a for a in v.args if not _is_invariant(a)]
        if len(varying) != 1 or (name == "divide" and varying[0] is not v.args[0]):
            return None
        inner = _linear(varying[0], product, old)
        if inner is None:
            return None
        others = [a for a in v.args if a is not varying[0]]
        return tuple(None if c is None else build(v.op, (c, *others)) for c in inner)
    return None


def _added(parts):
    parts = [p for p in parts if p is not None]
    if not parts:
        return None
    total = parts[0]
    for p in parts[1:]:
        total = total + p
    return total


def _is_invariant(v: Expr) -> bool:
    return not any(isinstance(e, Index) for e in order([v])) and not any(
        e.op is ELEMENT and e.args[0].ndim for e in order([v])
    )


def _word(op) -> str:
    return "".join(c for c in op.name if c.isalnum()) or "op"


def note(group: Group) -> str:
    """What a kernel computes, for people."""
    return f"{group.kind}: " + "; ".join(str(m.expr) for m in group.members)
