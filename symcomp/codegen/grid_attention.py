"""Attention on a GPU: one block of keys after another, by products and one kernel for each block.

The scores of all queries and one block of keys are kept at a time, so memory is linear in the
number of keys. Forward the host goes over the blocks: a product makes the scores, a kernel turns
them to exponentials relative to the largest of each row until now, and scales down what has been
added up where a block has a larger one; a second product adds. The gradient computes the scores
again, from the kept sums: as codegen/attention.py does on the CPU, tile by tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symcomp.codegen.equations import kernel_arrays, masks_of, stored_base
from symcomp.codegen.loops import Buffer, Call, For, Let, Store, Update, View, load, local
from symcomp.codegen.lower import Lowering
from symcomp.codegen.plan import Group
from symcomp.graph import size
from symcomp.graph.expr import Expr, constant
from symcomp.graph.notation import index
from symcomp.graph.size import Dimension
from symcomp.tensor.arithmetic import equal, less, where
from symcomp.tensor.attention import AttentionSums
from symcomp.tensor.elementary import exp, log

#: Keys of a block.
KEYS = 1024


def streams(e: Expr) -> bool:
    """Whether an attention goes over its keys block by block: where there may be several, and no
    array is repeated along a leading axis. Others are their body: two products and a softmax.
    """
    arrays = kernel_arrays(e)
    leads = [a.shape[:-2] if a.ndim == len(e.shape) else e.shape[:-2] for a in arrays]
    same = all(n is m or n == m for lead in leads for n, m in zip(lead, leads[0], strict=True))
    keys = arrays[-2 if e.op.name != AttentionSums.name else -1].shape[-2]
    return same and not (isinstance(keys, int) and keys <= KEYS)


@dataclass
class Repeated:
    """Bodies of kernels that the host runs for each block, or only for some sizes: see
    loops.Repeat.
    """

    number: Dimension | None
    extent: object
    bodies: list


class GridAttention(Lowering):
    """The lowering of attention groups for a GPU."""

    def _attention(self, group: Group) -> Iterator:
        a = _Attention(self, group)
        result, sums = a.member("attention"), a.member(AttentionSums.name)
        out = None if result is None else self.buffers[result]
        tops, totals = (self.temporary(a.dtype, (a.rows,), n) for n in ("tops", "totals"))
        yield self._nothing_yet(a, tops, totals, out)
        block = [
            [
                a.product(
                    a.n, a.columns, a.d, a.whole(a.q), a.block(a.k, turned=True), a.scores(), 0
                )
            ],
            [self._soften(a, tops, totals, out)],
        ]
        if out is not None:
            v = a.block(result.args[2])
            block.append([a.product(a.n, a.e, a.columns, a.scores(), v, a.whole_of(out, a.e), 1)])
        limit = size.smaller(a.m, a.n) if a.causal else a.m
        yield Repeated(a.number, size.parts(limit, KEYS), block)
        yield self._finished(a, tops, totals, out, sums)

    def _nothing_yet(self, a: _Attention, tops: Buffer, totals: Buffer, out: Buffer | None) -> list:
        r = index(a.rows, f"r{next(self.names)}")
        body = (Store(tops, r, a.constant(-np.inf)), Store(totals, r, a.constant(0)))
        loops = [For(r, body, "grid")]
        return loops if out is None else [*loops, a.filled(out, size.times(a.rows, a.e))]

    def _soften(self, a: _Attention, tops: Buffer, totals: Buffer, out: Buffer | None) -> For:
        """A block of scores to exponentials, and what was added up before to the same measure."""
        r, body, seen = a.row()
        best, shift, factor, total = (a.local(n) for n in ("best", "shift", "factor", "total"))
        body.append(Let(best, load(tops, r)))
        j = index(seen, f"j{next(self.names)}")
        score = a.masked(load(a.p, a.place(r, j)), j)
        keep: list = []
        if a.masks:
            kept = a.local("score")
            keep, score = [Let(kept, score), Store(a.p, a.place(r, j), kept)], kept
        body.append(For(j, (*keep, Update(best, "max", score)), "block"))
        body.append(Let(shift, where(equal(best, a.constant(-np.inf)), a.constant(0), best)))
        body.append(Let(factor, exp(load(tops, r) - shift)))
        body.append(Let(total, a.constant(0)))
        j = index(a.columns, f"j{next(self.names)}")
        weight = a.local("weight")
        value = exp(load(a.p, a.place(r, j)) - shift)
        second = [Let(weight, a.where_seen(j, seen, value)), Store(a.p, a.place(r, j), weight)]
        body.append(For(j, (*second, Update(total, "sum", weight)), "block"))
        if out is not None:
            c = index(a.e, f"c{next(self.names)}")
            at = size.as_expr(size.plus(size.times(r, a.e), c))
            body.append(For(c, (Store(out, at, load(out, at) * factor),), "block"))
        body.append(Store(tops, r, best))
        body.append(Store(totals, r, load(totals, r) * factor + total))
        return For(r, tuple(body), "grid")

    def _finished(self, a: _Attention, tops: Buffer, totals: Buffer, out, sums) -> list:
        """Sums to means, and the logarithms of the sums."""
        result = []
        nothing = a.constant(0)
        if out is not None:
            r, c = index(a.rows, f"r{next(self.names)}"), index(a.e, f"c{next(self.names)}")
            at, total = size.as_expr(size.plus(size.times(r, a.e), c)), load(totals, r)
            value = load(out, at) / where(equal(total, nothing), a.constant(1), total)
            result.append(For(r, (For(c, (Store(out, at, value),), "grid"),), "grid"))
        if sums is not None:
            r = index(a.rows, f"r{next(self.names)}")
            total = load(totals, r)
            value = where(equal(total, nothing), nothing, load(tops, r) + log(total))
            result.append(For(r, (Store(self.buffers[sums], r, value),), "grid"))
        return result

    # --- gradient ---------------------------------------------------------------------------------

    def _attention_gradient(self, group: Group) -> Iterator:
        a = _Attention(self, group)
        g, out, sums, q, k, v = a.args
        targets = {m.expr.op.of: self.buffers[m.expr] for m in group.members}
        delta = None
        if a.changes is not None:
            delta = self.temporary(a.dtype, (a.rows,), "delta")
            yield [self._delta(a, delta, g, out)]
        if 0 in targets:
            yield [a.filled(targets[0], size.times(a.rows, a.d))]
        block = [
            [a.product(a.n, a.columns, a.d, a.whole(q), a.block(k, turned=True), a.scores(), 0)]
        ]
        if a.changes is not None:
            turned = a.block(v, turned=True)
            changes = a.scores(of=a.changes)
            block.append([a.product(a.n, a.columns, a.e, a.whole(g), turned, changes, 0)])
        block.append([self._weigh_again(a, sums, delta)])
        for of, scores, other, width in ((2, a.p, g, a.e), (1, a.changes, q, a.d)):
            if of in targets:
                left, into = a.scores(of=scores, turned=True), a.block_of(targets[of], width)
                block.append([a.product(a.columns, width, a.n, left, a.whole(other), into, 0)])
        if 0 in targets:
            left, into = a.scores(of=a.changes), a.whole_of(targets[0], a.d)
            block.append([a.product(a.n, a.d, a.columns, left, a.block(k), into, 1)])
        yield Repeated(a.number, size.parts(a.m, KEYS), block)

    def _delta(self, a: _Attention, delta: Buffer, g: Expr, out: Expr) -> For:
        """Σ g·out of each query."""
        r, c = index(a.rows, f"r{next(self.names)}"), index(a.e, f"c{next(self.names)}")
        at, total = size.plus(size.times(r, a.e), c), a.local("total")
        left, right = (load(self.buffer_of(x), at) for x in (g, out))
        fold = For(c, (Update(total, "sum", left * right),), "block")
        return For(r, (Let(total, a.constant(0)), fold, Store(delta, r, total)), "grid")

    def _weigh_again(self, a: _Attention, sums: Expr, delta: Buffer | None) -> For:
        """Scores to p, and what reaches p to what reaches the scores: p·(that − Σ g·out)."""
        r, body, seen = a.row()
        kept, weight = a.local("kept"), a.local("weight")
        body.append(Let(kept, load(self.buffer_of(sums), r)))
        j = index(a.columns, f"j{next(self.names)}")
        at = a.place(r, j)
        value = exp(a.masked(load(a.p, at), j) - kept)
        inner = [Let(weight, a.where_seen(j, seen, value)), Store(a.p, at, weight)]
        if delta is not None:
            change = weight * (load(a.changes, at) - load(delta, r))
            inner.append(Store(a.changes, at, a.where_seen(j, seen, change)))
        body.append(For(j, tuple(inner), "block"))
        return For(r, tuple(body), "grid")

    def buffer_of(self, array: Expr) -> Buffer:
        base = stored_base(array)
        return self.buffers.get(base, base)


class _Attention:
    """The arrays and sizes of one attention, and the block of keys that is under way."""

    def __init__(self, lowering: GridAttention, group: Group):
        self.lowering = lowering
        self.group = group
        first = group.members[0].expr
        self.causal, self.masks, self.dtype = first.op.causal, masks_of(first), first.dtype
        self.args = kernel_arrays(first)
        start = 0 if group.kind == "attention" else 3
        self.q, self.k = self.args[start : start + 2]
        self.n, self.d = self.q.shape[-2:]
        self.m, self.e = self.k.shape[-2], self.args[-1].shape[-1]
        self.lead = self.q.shape[:-2]
        self.count = size.product(self.lead)
        self.rows = size.times(self.count, self.n)
        self.number = Dimension(f"block{next(lowering.names)}")
        lowering.derived.append((self.number, size.as_expr(0)))
        self.column = size.times(self.number, KEYS)
        self.columns = size.smaller(KEYS, size.at_least_zero(size.minus(self.m, self.column)))
        self.p = self._all_scores("scores")
        needed = group.kind != "attention" and any(m.expr.op.of != 2 for m in group.members)
        self.changes = self._all_scores("changes") if needed else None

    def _all_scores(self, name: str) -> Buffer:
        """Scores of all queries and one block."""
        return self.lowering.temporary(self.dtype, (self.count, self.n, KEYS), name)

    def member(self, name: str) -> Expr | None:
        return next((m.expr for m in self.group.members if m.expr.op.name == name), None)

    def constant(self, x: float) -> Expr:
        return constant(np.asarray(x, self.dtype))

    def local(self, name: str):
        return local(self.dtype, f"{name}{next(self.lowering.names)}")

    # --- matrices ---

    def whole_of(self, buffer: Buffer, width) -> View:
        """Rows of all queries."""
        return View(buffer, size.as_expr(0), width, False, size.times(self.n, width))

    def whole(self, array: Expr) -> View:
        return self.whole_of(self.lowering.buffer_of(array), array.shape[-1])

    def block_of(self, buffer: Buffer, width, turned: bool = False) -> View:
        """Rows of the keys of the block."""
        start = size.as_expr(size.times(self.column, width))
        return View(buffer, start, width, turned, size.times(self.m, width))

    def block(self, array: Expr, turned: bool = False) -> View:
        return self.block_of(self.lowering.buffer_of(array), array.shape[-1], turned)

    def scores(self, of: Buffer | None = None, turned: bool = False) -> View:
        step = size.times(self.n, KEYS)
        return View(self.p if of is None else of, size.as_expr(0), KEYS, turned, step)

    def product(self, rows, columns, inner, left: View, right: View, into: View, keep: int) -> Call:
        sizes = map(size.as_expr, (self.count, rows, columns, inner))
        one, kept = self.constant(1), self.constant(keep)
        return Call("product", (*sizes, one, left, right, kept, into), self.dtype)

    # --- rows ---

    def row(self):
        """A loop over all queries, its beginning, and how many keys of the block each sees."""
        lowering = self.lowering
        r, body = index(self.rows, f"r{next(lowering.names)}"), []
        batch = lowering.let(size.quotient(r, self.n), "batch", body)
        self.query = lowering.let(size.minus(r, size.times(batch, self.n)), "query", body)
        self.at = [0] * len(self.lead)
        axes = [a for a, n in enumerate(self.lead) if n != 1]
        for a in reversed(axes[1:]):
            outer = lowering.let(size.quotient(batch, self.lead[a]), "part", body)
            rest = size.minus(batch, size.times(outer, self.lead[a]))
            self.at[a], batch = lowering.let(rest, "rest", body), outer
        if axes:
            self.at[axes[0]] = batch
        if not self.causal:
            return r, body, self.columns
        past = size.at_least_zero(size.minus(size.plus(self.query, 1), self.column))
        return r, body, lowering.let(size.smaller(past, self.columns), "seen", body)

    def place(self, r, j) -> Expr:
        return size.as_expr(size.plus(size.times(r, KEYS), j))

    def where_seen(self, j, seen, value: Expr) -> Expr:
        """A value, 0 for keys that the query does not look at."""
        if not self.causal:
            return value
        return where(less(j, size.as_expr(seen)), value, self.constant(0))

    def masked(self, score: Expr, j) -> Expr:
        """A score, −∞ where the mask, which is a formula, says no."""
        for mask in self.masks:
            places = (*self.at, self.query, size.plus(self.column, j))
            at = (0 if n == 1 else p for n, p in zip(mask.shape, places, strict=True))
            at = tuple(size.as_expr(p) for p in at)
            allowed = self.lowering.located(self.lowering.formulas.at(mask, at))
            score = where(allowed, score, self.constant(-np.inf))
        return score

    def filled(self, buffer: Buffer, count) -> For:
        """Zeros."""
        i = index(count, f"i{next(self.lowering.names)}")
        return For(i, (Store(buffer, i, self.constant(0)),), "grid")
