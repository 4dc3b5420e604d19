"""Groups to loops: each kind of group has one shape of loop nest.

Rows are in `rows`, matrix products in `products`, convolutions in `convolutions`, attention in
`attention`; here are maps,
folds of everything, writes, calls out to Python, and the checks of positions.
"""

from __future__ import annotations

import numpy as np

from symcomp.codegen import improve, phases
from symcomp.codegen.attention import AttentionLowering
from symcomp.codegen.columns import ColumnLowering
from symcomp.codegen.convolutions import ConvolutionLowering
from symcomp.codegen.equations import flat, reindexed, stored_base
from symcomp.codegen.formulas import settled
from symcomp.codegen.loops import (
    Buffer,
    Call,
    For,
    If,
    Kernel,
    Let,
    Store,
    Update,
    load,
    local,
)
from symcomp.codegen.nests import BLOCK, at_indices, cost, nest, nest_serial, wide
from symcomp.codegen.plan import Group
from symcomp.codegen.products import ProductLowering
from symcomp.codegen.rows import Rows
from symcomp.codegen.words import by_block
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import Index, identity, index
from symcomp.graph.scalar import cast
from symcomp.tensor.arithmetic import logical_not, logical_or, where
from symcomp.tensor.windows import all_of


class Lowering(ColumnLowering, ProductLowering, ConvolutionLowering, AttentionLowering):
    """Turns groups into kernels, given where each stored expression lives."""

    #: How the loop runs that puts the parts of a full fold together.
    parts_together = "serial"

    def kernels(self, group: Group) -> list[Kernel]:
        """The kernels of a group, in the order in which they run."""
        made = getattr(self, f"_{group.kind}")(group)
        title = "_".join(dict.fromkeys(word(m.expr.op) for m in group.members[:4]))
        result = []
        for body in made:
            body = improve.hoist(tuple(body), (f"h{n}" for n in self.names))
            result.append(Kernel(f"k{next(self.names)}_{title}", body, note(group)))
        return result

    # --- map --------------------------------------------------------------------------------------

    def _map(self, group: Group):
        first = group.members[0]
        indices = self.fresh(first.shape, "i")
        values = []
        for m in group.members:
            values.append(at_indices(m, indices))
        offset = flat(first.shape, indices)
        merged, steps = improve.merge(indices, [size.as_expr(offset)], values)
        offset = improve.apply_steps(size.as_expr(offset), steps, is_offset=True)
        values = [improve.apply_steps(v, steps) for v in values]
        body: list = []
        if len(merged) > 1:
            *outer, inner = merged
            cut = phases.strip(inner, values, lambda n, name: self.let(n, name, body))
            if cut is not None:
                self._stripped(group, inner, values, offset, cut, body)
                work = size.times(cost(values, len(values)), inner.extent)
                yield [nest(outer, body, work)]
                return
        self.store_members(group.members, values, offset, body)
        yield by_block(nest(merged, body, cost(values, len(values))), self.names)

    def _stripped(self, group: Group, inner: Index, values, offset, cut, body: list) -> None:
        """A row as steps that have nothing to decide, and the elements before and after them."""
        begin = self.let(size.smaller(cut.begin, inner.extent), "begin", body)
        end = self.let(size.larger(begin, cut.end), "end", body)
        body += self._ends(group, inner, values, offset, 0, begin)
        if cut.given:
            all_hold = all_of(cut.given)
            body.append(If(all_hold, (self._steps(group, inner, offset, cut, cut.inside),)))
            steps = self._steps(group, inner, offset, cut, cut.phases)
            body.append(If(logical_not(all_hold), (steps,)))
        else:
            body.append(self._steps(group, inner, offset, cut, cut.phases))
        body += self._ends(group, inner, values, offset, end, inner.extent)

    def _ends(self, group: Group, inner: Index, values, offset, low, high) -> list:
        count = size.minus(high, low)
        if count == 0:
            return []
        within = index(count, f"e{next(self.names)}")
        moved = {inner: size.as_expr(size.plus(low, within))}
        statements: list = []
        own = [settled(reindexed(v, moved)) for v in values]
        self.store_members(group.members, own, reindexed(offset, moved), statements)
        return [For(within, tuple(statements))]

    def _steps(self, group: Group, inner: Index, offset, cut, formulas) -> For:
        steps: list = []
        for phase, values in enumerate(formulas):
            place = reindexed(offset, {inner: cut.place(phase)})
            self.store_members(group.members, values, place, steps)
        return nest_serial((cut.at,), steps)

    def _row(self, group: Group):
        if not group.outer:
            yield from self._full(group)
            return
        outer = self.fresh(group.outer, "i")
        rows = Rows(self, group, outer)
        body = rows.build()
        yield [nest(outer, body, rows.cost, simd=False)]

    def _full(self, group: Group):
        """Fold everything: blocks in parallel, then their results in order."""
        first = group.members[0]
        extents = (*first.shape, *(k.extent for k in first.equation.folds))
        indices = self.fresh(extents, "k")
        values = [at_indices(m, indices) for m in group.members]
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
        within = index(self.cut(extent, block, length, body), f"k{next(self.names)}")
        moved = {merged[0]: size.as_expr(size.plus(size.times(block, length), within))}
        values = [reindexed(v, moved) for v in values]
        offset = reindexed(size.as_expr(offset), moved)
        folds = [m for m in group.members if m.kind == "row"]
        partials = {m: self.temporary(m.expr.dtype, (count,), "partial") for m in folds}
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
            total = local(wide(m), f"s{next(self.names)}")
            again = index(count, f"b{next(self.names)}")
            part = cast(load(partials[m], again), total.dtype)
            body.append(Let(total, identity(m.equation.monoid, total.dtype)))
            body.append(For(again, (Update(total, m.equation.monoid, part),), self.parts_together))
            body.append(Store(self.buffers[m.expr], 0, cast(total, m.expr.dtype)))
        return body

    # --- writes and python ------------------------------------------------------------------------

    def _writes(self, group: Group):
        (root,) = group.members
        target = self.buffers[root.expr]
        for w in root.writes:
            body: list = []
            offset = self.located(size.as_expr(flat(root.shape, w.target)), {})
            value = self.unfolded(self.located(w.value), body)
            if w.monoid is None and value is load(target, offset):
                continue  # a scatter into what lies there already
            body.append(Store(target, offset, value, w.monoid))
            free = w.indices if w.injective else w.free
            simd = w.indices[-1:] in [(i,) for i in free]
            if w.indices[:1] in [(i,) for i in free]:
                yield [nest(w.indices, body, cost([value]), simd=simd)]
            else:
                yield [nest_serial(w.indices, body, simd=simd)]

    def _python(self, group: Group):
        (root,) = group.members
        arguments = tuple(self.buffers.get(b, b) for b in map(stored_base, root.expr.args))
        yield [Call("python", (root.expr, self.buffers[root.expr], *arguments))]

    def check(self, at: Expr, n, number: int, status: Buffer) -> Kernel:
        """A kernel that notes in `status` whether a position is outside its axis."""
        indices = self.fresh(at.shape, "i")
        bad = local("bool", f"bad{next(self.names)}")
        body = [
            Let(bad, identity("any", "bool")),
            nest_serial(indices, [Update(bad, "any", self.outside(at, n, indices))]),
        ]
        mark = where(bad, cast(size.as_expr(number), "int64"), load(status, 0))
        body.append(Store(status, 0, mark))
        body = improve.hoist(tuple(body), (f"h{n}" for n in self.names))
        return Kernel(f"k{next(self.names)}_check", body, "positions within their axis")

    def outside(self, at: Expr, n, indices) -> Expr:
        """Whether one position lies outside its axis: in its own dtype, if that has both ends."""
        value = self.located(self.formulas.at(at, indices))
        has = np.iinfo(at.dtype)
        if not (isinstance(n, int) and has.min <= -n and n <= has.max):
            value = cast(value, "int64")
        return logical_or(value < -size.as_expr(n), value >= size.as_expr(n))


def word(op) -> str:
    return "".join(c for c in op.name if c.isalnum()) or "op"


def note(group: Group) -> str:
    """What a kernel computes, for people."""
    return f"{group.kind}: " + "; ".join(str(m.expr) for m in group.members)
