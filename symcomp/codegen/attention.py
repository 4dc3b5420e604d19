"""Attention to loops: tiles of scores that live only while they are used.

Forward a task is a tile of queries. It goes over the keys block by block with the largest score and
the sum of exponentials seen so far; where a block has a larger score, what has been added up is
scaled down (Rabe and Staats, 2021; Dao et al., 2022). The sums that the gradient needs come from
the same kernel.

The gradient computes the scores again, from the kept sums. A task is a band of keys: it goes over
its blocks, and for each over the tiles of queries, and adds to the gradients of these keys and
values and to its own copy of the queries' gradient; a last kernel adds the copies up in order. So
results do not depend on threads. There is one band where leading axes give work enough.

Of n queries and m keys each core keeps ROWS × KEYS scores at a time: memory is linear in n and m.
"""

from __future__ import annotations

import numpy as np

from symcomp.codegen import loops, tiling
from symcomp.codegen.equations import flat, masks_of, stored_base
from symcomp.codegen.loops import Buffer, Call, For, Let, Scratch, Store, Update, View, load, local
from symcomp.codegen.nests import Context, nest
from symcomp.codegen.plan import Group
from symcomp.graph import size
from symcomp.graph.expr import Expr, constant
from symcomp.graph.notation import identity, index
from symcomp.tensor.arithmetic import equal, where
from symcomp.tensor.attention import AttentionSums
from symcomp.tensor.elementary import exp, log

#: Queries and keys of a tile of scores: it stays in a core's second cache. KEYS is a multiple of
#: ROWS, so that no tile of queries begins within a block that is hidden from all of it.
ROWS, KEYS = 64, 512
#: Bands of keys for each core in the gradient.
BANDS_PER_CORE = 2


class AttentionLowering(Context):
    """The lowering of attention groups."""

    # --- forward ----------------------------------------------------------------------------------

    def _attention(self, group: Group):
        tile = _Tile(self, group)
        n, m = tile.n, tile.m
        result, sums = tile.member("attention"), tile.member(AttentionSums.name)
        body = tile.body
        tiles = size.parts(n, ROWS)
        t = index(size.times(tile.count, tiles), f"t{next(self.names)}")
        tile.locate(*self.divided(t, tiles, body), tiles_of_queries=True)
        limit = m
        if tile.causal:
            limit = self.let(size.smaller(m, size.plus(tile.row, tile.rows)), "limit", body)
        tops, totals = tile.scratch(ROWS, "tops"), tile.scratch(ROWS, "totals")
        out = tile.view(result, tile.row) if result is not None else None
        body += self._empty_rows(tile, tops, totals, out)
        block = index(size.parts(limit, KEYS), f"b{next(self.names)}")
        inner: list = []
        tile.column = self.let(size.times(block, KEYS), "column", inner)
        tile.columns = self.cut(limit, block, KEYS, inner)
        inner.append(tile.scores())
        inner.append(self._soften(tile, tops, totals, out))
        if out is not None:
            v = tile.view(stored_base(result.args[2]), tile.column, result.args[2])
            weights = View(tile.p, size.as_expr(0), KEYS)
            inner.append(tile.product(tile.rows, out.stride, tile.columns, weights, v, out, 1))
        body.append(For(block, tuple(inner)))
        body.append(self._finish_rows(tile, tops, totals, out, sums))
        work = size.times(size.smaller(n, ROWS), m, size.plus(tile.d, out.stride if out else 0))
        yield [nest((t,), body, size.larger(1, work), simd=False)]

    def _empty_rows(self, tile: _Tile, tops: Buffer, totals: Buffer, out) -> list:
        i = index(tile.rows, f"i{next(self.names)}")
        body: list = [Store(tops, i, tile.number(-np.inf)), Store(totals, i, tile.number(0))]
        if out is not None:
            body.append(self._along(out, i, lambda old: tile.number(0)))
        return [For(i, tuple(body))]

    def _along(self, target: View, i, change) -> For:
        """Row i of a matrix, element by element."""
        j = index(target.stride, f"j{next(self.names)}")
        at = size.plus(target.offset, size.times(i, target.stride), j)
        old = load(target.buffer, at)
        return For(j, (Store(target.buffer, size.as_expr(at), change(old)),), "simd")

    def _soften(self, tile: _Tile, tops: Buffer, totals: Buffer, out) -> For:
        """A block of scores to exponentials, relative to the largest of each row until now."""
        i, body = index(tile.rows, f"i{next(self.names)}"), []
        seen = tile.seen(i, body)
        best = local(tile.dtype, f"best{next(self.names)}")
        body.append(Let(best, load(tops, i)))
        j = index(seen, f"j{next(self.names)}")
        at = size.plus(size.times(i, KEYS), j)
        score = tile.masked(load(tile.p, at), i, j)
        if tile.masks:
            kept = local(tile.dtype, f"s{next(self.names)}")
            first = (Let(kept, score), Store(tile.p, size.as_expr(at), kept),
                     Update(best, "max", kept))  # fmt: skip
        else:
            first = (Update(best, "max", score),)
        body.append(For(j, first, "simd"))
        shift, factor, total, weight = (
            local(tile.dtype, f"{n}{next(self.names)}") for n in ("shift", "factor", "total", "p")
        )
        body.append(Let(shift, where(equal(best, tile.number(-np.inf)), tile.number(0), best)))
        body.append(Let(factor, exp(load(tops, i) - shift)))
        body.append(Let(total, tile.number(0)))
        j = index(seen, f"j{next(self.names)}")
        at = size.as_expr(size.plus(size.times(i, KEYS), j))
        second = (Let(weight, exp(load(tile.p, at) - shift)), Store(tile.p, at, weight),
                  Update(total, "sum", weight))  # fmt: skip
        body.append(For(j, second, "simd"))
        body += tile.unseen(tile.p, i, seen)
        body.append(Store(tops, i, best))
        body.append(Store(totals, i, load(totals, i) * factor + total))
        if out is not None:
            body.append(self._along(out, i, lambda old: old * factor))
        return For(i, tuple(body))

    def _finish_rows(self, tile: _Tile, tops: Buffer, totals: Buffer, out, sums) -> For:
        i, body = index(tile.rows, f"i{next(self.names)}"), []
        total, divisor = (local(tile.dtype, f"{n}{next(self.names)}") for n in ("total", "divisor"))
        nothing = equal(total, tile.number(0))
        body.append(Let(total, load(totals, i)))
        if out is not None:
            body.append(Let(divisor, where(nothing, tile.number(1), total)))
            body.append(self._along(out, i, lambda old: old / divisor))
        if sums is not None:
            at = size.plus(tile.view(sums, tile.row).offset, i)
            value = where(nothing, tile.number(0), load(tops, i) + log(total))
            body.append(Store(self.buffers[sums], size.as_expr(at), value))
        return For(i, tuple(body))

    # --- gradient ---------------------------------------------------------------------------------

    def _attention_gradient(self, group: Group):
        tile = _Tile(self, group)
        targets = {m.expr.op.of: m.expr for m in group.members}
        blocks = size.parts(tile.m, KEYS)
        wanted = size.parts(BANDS_PER_CORE * tiling.CORES, size.larger(1, tile.count))
        bands = size.larger(1, size.smaller(wanted, blocks))
        slab = size.times(tile.n, tile.d)
        partial = self.buffers[targets[0]] if 0 in targets else None
        if partial is not None and bands != 1:
            shape = (size.times(bands, tile.count, slab),)
            partial = self.temporary(tile.dtype, shape, "partial")
        body = tile.body
        t = index(size.times(bands, tile.count), f"t{next(self.names)}")
        band, batch = self.divided(t, tile.count, body)
        tile.locate(batch, 0, tiles_of_queries=False)
        queries = None
        if partial is not None:
            queries = View(partial, size.as_expr(size.times(t, slab)), tile.d)
            body.append(self._zero(tile, queries, tile.n))
        each = self.let(size.parts(blocks, bands), "each", body)
        left = size.minus(blocks, size.times(band, each))
        some = self.let(size.larger(0, size.smaller(each, left)), "blocks", body)
        block = index(some, f"b{next(self.names)}")
        inner: list = []
        number = size.plus(size.times(band, each), block)
        tile.column = self.let(size.times(number, KEYS), "column", inner)
        tile.columns = self.cut(tile.m, number, KEYS, inner)
        keys, values = (
            tile.view(targets[of], tile.column) if of in targets else None for of in (1, 2)
        )
        inner += [self._zero(tile, v, tile.columns) for v in (keys, values) if v is not None]
        inner.append(self._queries_of_block(tile, queries, keys, values))
        body.append(For(block, tuple(inner)))
        work = size.times(tile.n, KEYS, size.plus(tile.d, tile.e))
        yield [nest((t,), body, size.larger(1, work), simd=False)]
        if partial is not None and bands != 1:
            yield [self._add_copies(targets[0], partial, bands, size.times(tile.count, slab))]

    def _zero(self, tile: _Tile, target: View, rows) -> For:
        j = index(size.times(rows, target.stride), f"j{next(self.names)}")
        at = size.as_expr(size.plus(target.offset, j))
        return For(j, (Store(target.buffer, at, tile.number(0)),), "simd")

    def _queries_of_block(self, tile: _Tile, queries, keys, values) -> For:
        """What a block of keys and values gets from all queries, and gives to them."""
        g, _, _, q, k, v = tile.args
        tiles = size.parts(tile.n, ROWS)
        first = size.quotient(tile.column, ROWS) if tile.causal else 0
        x = index(size.larger(0, size.minus(tiles, first)), f"x{next(self.names)}")
        body: list = []
        tile.rows_at(size.plus(first, x), body)
        body.append(tile.scores())
        differs = queries is not None or keys is not None
        at_output = tile.view(stored_base(g), tile.row, g)
        if differs:
            transposed = tile.view(stored_base(v), tile.column, v, transposed=True)
            target = View(tile.d_scores, size.as_expr(0), KEYS)
            body.append(
                tile.product(tile.rows, tile.columns, tile.e, at_output, transposed, target, 0)
            )
        body.append(self._weigh_again(tile, differs))
        p, d = (View(b, size.as_expr(0), KEYS) for b in (tile.p, tile.d_scores))
        turned = [View(w.buffer, w.offset, KEYS, True) for w in (p, d)]
        sizes = tile.rows, tile.columns
        if values is not None:
            body.append(tile.product(sizes[1], tile.e, sizes[0], turned[0], at_output, values, 1))
        if keys is not None:
            right = tile.view(stored_base(q), tile.row, q)
            body.append(tile.product(sizes[1], tile.d, sizes[0], turned[1], right, keys, 1))
        if queries is not None:
            right = tile.view(stored_base(k), tile.column, k)
            offset = size.as_expr(size.plus(queries.offset, size.times(tile.row, tile.d)))
            target = View(queries.buffer, offset, tile.d)
            body.append(tile.product(sizes[0], tile.d, sizes[1], d, right, target, 1))
        return For(x, tuple(body))

    def _weigh_again(self, tile: _Tile, differs: bool) -> For:
        """Scores to p, and what reaches p to what reaches the scores: p·(that − Σ g·out)."""
        i, body = index(tile.rows, f"i{next(self.names)}"), []
        seen = tile.seen(i, body)
        g, out, sums = tile.args[:3]
        kept, delta, weight = (local(tile.dtype, f"{n}{next(self.names)}") for n in ("k", "g", "p"))
        own = tile.view(stored_base(sums), tile.row, sums)
        body.append(Let(kept, load(own.buffer, size.plus(own.offset, i))))
        if differs:
            rows = [tile.view(stored_base(a), tile.row, a) for a in (g, out)]
            j = index(tile.e, f"j{next(self.names)}")
            ats = (size.plus(r.offset, size.times(i, tile.e), j) for r in rows)
            left, right = (load(r.buffer, at) for r, at in zip(rows, ats, strict=True))
            body.append(Let(delta, tile.number(0)))
            body.append(For(j, (Update(delta, "sum", left * right),), "simd"))
        j = index(seen, f"j{next(self.names)}")
        at = size.as_expr(size.plus(size.times(i, KEYS), j))
        score = tile.masked(load(tile.p, at) - kept, i, j)
        inner = [Let(weight, exp(score)), Store(tile.p, at, weight)]
        if differs:
            inner.append(Store(tile.d_scores, at, weight * (load(tile.d_scores, at) - delta)))
        body.append(For(j, tuple(inner), "simd"))
        for b in (tile.p, tile.d_scores)[: 1 + differs]:
            body += tile.unseen(b, i, seen)
        return For(i, tuple(body))

    def _add_copies(self, target: Expr, partial: Buffer, bands, count) -> For:
        """The copies of the queries' gradient added up, in order."""
        i, band = index(count, f"i{next(self.names)}"), index(bands, f"b{next(self.names)}")
        total = local(target.dtype, f"s{next(self.names)}")
        part = load(partial, size.plus(size.times(band, count), i))
        body = [
            Let(total, identity("sum", target.dtype)),
            For(band, (Update(total, "sum", part),)),
            Store(self.buffers[target], i, total),
        ]
        return nest((i,), body, size.times(bands, 8), simd=False)

    def divided(self, n, count, body: list):
        """n as (n // count, n % count)."""
        if count == 1:
            return n, 0
        quotient = self.let(size.quotient(n, count), "part", body)
        return quotient, self.let(size.minus(n, size.times(quotient, count)), "rest", body)


class _Tile:
    """A tile of scores: the arrays of one attention, and which queries and keys of which batch."""

    def __init__(self, lowering: AttentionLowering, group: Group):
        self.lowering = lowering
        self.group = group
        self.first = group.members[0].expr
        self.causal = self.first.op.causal
        self.masks = masks_of(self.first)
        self.args = [a for a in self.first.args if a not in self.masks]
        start = 0 if group.kind == "attention" else 3
        self.q, self.k = self.args[start : start + 2]
        self.n, self.d = self.q.shape[-2:]
        self.m = self.k.shape[-2]
        self.e = self.args[-1].shape[-1]
        lead = [m.expr.shape[:-2] for m in group.members]
        self.lead = [next((n for n in axis if n != 1), 1) for axis in zip(*lead, strict=True)]
        self.count = size.product(self.lead)
        self.dtype = self.first.dtype
        self.body: list = []
        self.p = self.scratch(ROWS * KEYS, "scores")
        differs = group.kind != "attention" and any(m.expr.op.of != 2 for m in group.members)
        self.d_scores = self.scratch(ROWS * KEYS, "changes") if differs else self.p

    def member(self, name: str) -> Expr | None:
        """The member of the group that is this operation."""
        return next((m.expr for m in self.group.members if m.expr.op.name == name), None)

    def number(self, x: float) -> Expr:
        return constant(np.asarray(x, self.dtype))

    def scratch(self, count: int, name: str) -> Buffer:
        made = loops.buffer(self.dtype, (count,), f"{name}{next(self.lowering.names)}")
        self.body.append(Scratch(made))
        return made

    def locate(self, batch, tile, tiles_of_queries: bool) -> None:
        """Which of the leading axes' places this is, and perhaps which tile of queries."""
        self.at = [0] * len(self.lead)
        axes = [a for a, n in enumerate(self.lead) if n != 1]
        for a in reversed(axes[1:]):
            batch, self.at[a] = self.lowering.divided(batch, self.lead[a], self.body)
        if axes:
            self.at[axes[0]] = batch
        if tiles_of_queries:
            self.rows_at(tile, self.body)

    def rows_at(self, tile, body: list) -> None:
        self.row = self.lowering.let(size.times(tile, ROWS), "row", body)
        self.rows = self.lowering.cut(self.n, tile, ROWS, body)

    def view(self, array: Expr, row, like: Expr | None = None, transposed: bool = False) -> View:
        """The matrix of an array at this place in the leading axes, from a row on."""
        *lead, rows, stride = (array if like is None else like).shape
        at = [0 if n == 1 else i for n, i in zip(lead, self.at, strict=True)]
        offset = size.plus(size.times(flat(lead, at), rows, stride), size.times(row, stride))
        buffer = self.lowering.buffers.get(array, array)
        return View(buffer, size.as_expr(offset), stride, transposed)

    def product(self, rows, columns, inner, left: View, right: View, target: View, keep) -> Call:
        sizes = map(size.as_expr, (rows, columns, inner))
        one = self.number(1)
        return Call("gemm", (*sizes, one, left, right, self.number(keep), target), self.dtype)

    def scores(self) -> Call:
        left = self.view(stored_base(self.q), self.row, self.q)
        right = self.view(stored_base(self.k), self.column, self.k, transposed=True)
        target = View(self.p, size.as_expr(0), KEYS)
        return self.product(self.rows, self.columns, self.d, left, right, target, 0)

    def seen(self, i, body: list):
        """How many keys of the block query i of the tile may look at."""
        if not self.causal:
            return self.columns
        past = size.minus(size.plus(self.row, i, 1), self.column)
        return self.lowering.let(size.larger(0, size.smaller(past, self.columns)), "seen", body)

    def unseen(self, target: Buffer, i, seen) -> list:
        """Zeros for the keys of the block that query i does not look at."""
        if not self.causal:
            return []
        j = index(size.minus(self.columns, seen), f"j{next(self.lowering.names)}")
        at = size.as_expr(size.plus(size.times(i, KEYS), seen, j))
        return [For(j, (Store(target, at, self.number(0)),), "simd")]

    def masked(self, score: Expr, i, j) -> Expr:
        """A score, −∞ where the mask, which is a formula, says no."""
        for mask in self.masks:
            places = (*self.at, size.plus(self.row, i), size.plus(self.column, j))
            at = tuple(0 if n == 1 else p for n, p in zip(mask.shape, places, strict=True))
            at = tuple(size.as_expr(p) for p in at)
            allowed = self.lowering.located(self.lowering.formulas.at(mask, at))
            score = where(allowed, score, self.number(-np.inf))
        return score
