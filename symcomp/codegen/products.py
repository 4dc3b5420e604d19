"""Products to loops: tiles of a matrix product by BLAS, each finished while it is in cache.

A tile is one call of gemm on one core. The maps that read the product (bias, activation) run over
the tile right after it. Where the only reader is an update α·product + β·old value in place, BLAS
does all of it.
"""

from __future__ import annotations

from symcomp.codegen import tiling
from symcomp.codegen.equations import flat, stored_base
from symcomp.codegen.loops import Buffer, Call, For, View, load
from symcomp.codegen.nests import PIECE, Context, at_indices, nest
from symcomp.codegen.plan import Group, Root, matrices
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import ELEMENT, Index, formula_order, identity, index
from symcomp.tensor.arithmetic import minimum


class ProductLowering(Context):
    """The lowering of gemm groups."""

    def _gemm(self, group: Group):
        """Tiles of a product, each finished by the maps that read it while it is in cache."""
        first, *maps = group.members
        m = matrices(first.expr)
        scale, keep, maps = self._in_place_product(first, maps)
        if scale is not None:
            target = self.buffers[group.members[1].expr]
        else:
            target = self.product_target(first, maps)
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
        yield [nest(loop, body, PIECE, simd=False)]

    def product_target(self, first: Root, maps) -> Buffer:
        """Where BLAS writes: the result's own buffer, or that of the one map that finishes it."""
        if first.expr in self.visible:
            return self.buffers[first.expr]
        for m in maps:
            target = self.buffers.get(m.expr)
            fits = m.expr in self.visible and m.expr.dtype == first.expr.dtype
            if fits and not any(self.buffers.get(r, r) is target for o in maps for r in o.reads):
                return target
        return self.buffers.setdefault(
            first.expr, self.temporary(first.expr.dtype, first.expr.shape, "product")
        )

    def _in_place_product(self, first: Root, maps):
        """(α, β) where the only map is α·product + β·old value, updated in place: BLAS can do it
        alone.
        """
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
        values = [at_indices(m, indices) for m in maps]
        body: list = []
        at_hand = {first.expr: load(target, offset)}
        self.store_members(maps, values, offset, body, at_hand)
        return For(i, (For(j, tuple(body), "simd"),))

    def _tiles(self, m, body: list):
        """The index over tiles, where a tile starts, and how large it is."""
        sizes = (m.rows, m.columns, m.inner)
        height = self.let(tiling.rows(*sizes), "height", body)
        width = self.let(tiling.columns(*sizes), "width", body)
        across = self.let(size.parts(m.columns, width), "across", body)
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


def linear(value: Expr, product: Expr, old: Expr):
    """(α, β) with value = α·product + β·old, both the same for all elements; None where it is not
    so.
    """
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
    return not any(isinstance(e, Index) for e in formula_order([v])) and not any(
        e.op is ELEMENT and e.args[0].ndim for e in formula_order([v])
    )
