"""Row groups to loops: folds along rows, and what is computed from them while the row is in cache.

The members of a group are put on levels: a member that needs the result of a fold, or elements of a
row other than its own, runs in a later loop over the same row. Rows that nothing else reads live in
a tile on the stack.
"""

from __future__ import annotations

from symcomp.codegen import improve, loops
from symcomp.codegen.equations import flat, reindexed
from symcomp.codegen.loops import Buffer, For, Let, Local, Scratch, Store, Update, load, local
from symcomp.codegen.nests import RUN, Context, at_indices, cost, nest_serial, vectorises, wide
from symcomp.codegen.plan import Group, Root
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import identity, index
from symcomp.graph.scalar import cast
from symcomp.graph.type import is_float


class Rows:
    """One row of a row group: loops in levels, each after the folds that it needs."""

    def __init__(self, lowering: Context, group: Group, outer):
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
        """A member's level: after the folds it reads, and after rows that it reads elsewhere than
        at its own place.
        """
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
        value = at_indices(m, indices)
        values = {**self.totals, **at_hand}
        for e, b in self.scratch.items():
            if e not in values:
                values[e] = self._from_scratch(e, b)
        return self.lowering.unfolded(self.lowering.located(value, values), body)

    def _from_scratch(self, e: Expr, b: Buffer):
        base = flat(e.shape, (*self.outer, *[0] * (len(e.shape) - len(self.outer))))
        return lambda offset: load(b, size.minus(offset, base))

    def _loop(self, members, body) -> None:
        inner = self.lowering.fresh(self._inner(members[0]), "j")
        sums = [m for m in members if m.kind == "row"]
        for m in sums:
            self.totals[m.expr] = local(m.expr.dtype, f"s{next(self.lowering.names)}")
        accumulators = {m: self.totals[m.expr] for m in sums}
        long = any(is_float(m.expr.dtype) and m.equation.monoid in ("sum", "prod") for m in sums)
        values = [at_indices(m, (*self.outer, *inner)) for m in members]
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
        short = isinstance(last.extent, int) and last.extent <= RUN
        if long and not short and self.lowering.sums_in_runs:
            self._in_runs(members, values, offsets, merged, accumulators, body)
        else:
            body += [Let(a, identity(m.equation.monoid, a.dtype)) for m, a in accumulators.items()]
            statements = self._statements(members, values, offsets, accumulators, {})
            body.append(self.lowering.along_row(merged, statements))
        for m in sums:
            self._store_row(m, self.totals[m.expr], body)

    def _in_runs(self, members, values, offsets, merged, accumulators, body) -> None:
        """Long sums in runs: their error does not grow with the number of terms."""
        last = merged[-1]
        run = index(
            size.quotient(size.plus(last.extent, RUN - 1), RUN), f"r{next(self.lowering.names)}"
        )
        cut: list = []
        within = index(self.lowering.cut(last.extent, run, RUN, cut), last.name)
        moved = {last: size.as_expr(size.plus(size.times(run, RUN), within))}
        parts = {m: local(m.expr.dtype, f"p{next(self.lowering.names)}") for m in accumulators}
        totals = {m: local(wide(m), f"w{next(self.lowering.names)}") for m in accumulators}
        body += [Let(w, identity(m.equation.monoid, w.dtype)) for m, w in totals.items()]
        values = [reindexed(v, moved) for v in values]
        offsets = {m: reindexed(o, moved) for m, o in offsets.items()}
        inner = [*cut, *(Let(p, identity(m.equation.monoid, p.dtype)) for m, p in parts.items())]
        statements = self._statements(members, values, offsets, parts, {})
        how = "simd" if vectorises(statements) else "serial"
        inner.append(For(within, tuple(statements), how))
        inner += [Update(totals[m], m.equation.monoid, cast(p, wide(m))) for m, p in parts.items()]
        body.append(nest_serial((*merged[:-1], run), inner, simd=False))
        body += [Let(a, cast(totals[m], a.dtype)) for m, a in accumulators.items()]

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
