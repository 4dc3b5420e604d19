"""Small products on a GPU: the product and the maps that read it, as one kernel.

A library's product is a kernel or two, and the maps that read it (bias, activation) are one more.
Where the matrices are small, each of these takes less time than it takes to launch. So such a
product is a kernel of our own: a team computes a square tile of the result from strips of both
operands, which it brings to shared memory, and does with each element what the maps do. Where sizes
are known only at the launch, both ways are compiled, and the sizes choose.
"""

from __future__ import annotations

import numpy as np

from symcomp.codegen import loops
from symcomp.codegen.equations import flat, stored_base
from symcomp.codegen.loops import Buffer, For, If, Let, Scratch, Store, Update, load, local
from symcomp.codegen.lower import Lowering
from symcomp.codegen.nests import at_indices
from symcomp.codegen.plan import Group, matrices
from symcomp.graph import size
from symcomp.graph.notation import identity, index
from symcomp.graph.size import Size
from symcomp.tensor.arithmetic import logical_and

#: The side of a tile, and how many of its places a thread brings at once.
SIDE, AT_ONCE = 16, 4
#: Elements of a row for each of which a launch gives a team a thread: PER_THREAD in gpu.c.
EACH = 4
#: Multiplications of a product at most, and bytes of the longest sum: strips are as long, and find
#: room in the shared memory of any GPU.
MOST_WORK, TERM_BYTES = 1 << 23, 1024


def is_small(group: Group) -> Size:
    """1 where the sizes of a product are so small that one kernel does it best, else 0."""
    first = group.members[0].expr
    m = matrices(first)
    work = size.times(m.batch, m.rows, m.columns, m.inner)
    work = size.larger(work, size.times(m.inner, MOST_WORK // most_terms(first.dtype)))
    return size.smaller(1, size.quotient(MOST_WORK, size.larger(1, work)))


def most_terms(dtype: str) -> int:
    """The terms of the longest sum."""
    return TERM_BYTES // np.dtype(dtype).itemsize


class SmallProduct:
    """One group of a product and maps, lowered to a kernel of teams."""

    def __init__(self, lowering: Lowering, group: Group):
        self.lowering = lowering
        self.first, *self.maps = group.members
        self.m = matrices(self.first.expr)

    def body(self) -> For:
        """The loop over tiles."""
        m, names = self.m, self.lowering.names
        down, along = size.parts(m.rows, SIDE), size.parts(m.columns, SIDE)
        tile = index(size.times(m.batch, down, along), f"tile{next(names)}")
        body: list = []
        band, across = self._divided(tile, along, "band", body)
        batch, above = (0, band) if m.batch == 1 else self._divided(band, down, "batch", body)
        corner = batch, size.times(above, SIDE), size.times(across, SIDE)
        dtype = self.first.expr.dtype
        shape = most_terms(dtype), SIDE + 1  # one more: neighbours lie in different banks
        strips = [loops.buffer(dtype, shape, f"strip{next(names)}") for _ in range(2)]
        body += [*map(Scratch, strips), self._bring(strips, *corner)]
        body.append(self._multiply(strips, *corner))
        return For(tile, tuple(body), "grid", grain=SIDE * SIDE * EACH)

    def _divided(self, n: Size, by: Size, name: str, body: list) -> tuple[Size, Size]:
        """(n // by, n % by)"""
        if by == 1:
            return n, 0
        quotient = self.lowering.let(size.quotient(n, by), name, body)
        rest = size.minus(n, size.times(quotient, by))
        return quotient, self.lowering.let(rest, f"{name}_rest", body)

    def _indices(self, batch: Size, i: Size, j: Size, body: list) -> tuple[Size, ...]:
        """Those of an element of the result, whose rows may be several axes, and its columns."""
        shape, rows = self.first.shape, self.m.batch_axes
        columns = rows + self.m.row_axes
        result: list[Size] = []
        for n, extents in ((batch, shape[:rows]), (i, shape[rows:columns]), (j, shape[columns:])):
            inner: list[Size] = []
            for extent in reversed(extents[1:]):
                n, rest = self._divided(n, extent, "axis", body)
                inner.insert(0, rest)
            result += [n, *inner] if extents else []
        return tuple(result)

    def _bring(self, strips: list[Buffer], batch: Size, top: Size, start: Size) -> For:
        """The loop that brings strips of both operands to shared memory, where a term of all places
        stands below the one before. A thread brings a few neighbouring places at once.
        """
        m, lowering = self.m, self.lowering
        e = index(size.times(m.inner, SIDE // AT_ONCE), f"e{next(lowering.names)}")
        body: list = []
        term, part = self._divided(e, SIDE // AT_ONCE, "term", body)
        one = index(AT_ONCE, f"j{next(lowering.names)}")
        across = size.plus(size.times(part, AT_ONCE), one)
        sides = (
            (m.left, not m.transpose_left, top, m.rows),
            (m.right, m.transpose_right, start, m.columns),
        )
        inner: list = []
        for strip, (operand, by_term, begin, extent) in zip(strips, sides, strict=True):
            place = size.smaller(size.plus(begin, across), size.minus(extent, 1))
            place = lowering.let(place, "place", inner)
            within = (place, m.inner, term) if by_term else (term, extent, place)
            matrix = size.times(batch, m.inner, extent)
            offset = size.plus(matrix, size.times(within[0], within[1]), within[2])
            array = stored_base(operand)
            value = load(lowering.buffers.get(array, array), size.as_expr(offset))
            to = size.plus(size.times(term, SIDE + 1), across)
            inner.append(Store(strip, size.as_expr(to), value))
        return For(e, (*body, For(one, tuple(inner), "simd")), "block")

    def _multiply(self, strips: list[Buffer], batch: Size, top: Size, start: Size) -> For:
        """The elements of a tile: each a sum, and what the maps make of it."""
        m, first, lowering = self.m, self.first, self.lowering
        names = lowering.names
        e = index(SIDE * SIDE, f"e{next(names)}")
        body: list = []
        row, column = self._divided(e, SIDE, "row", body)
        i = lowering.let(size.plus(top, row), "i", body)
        j = lowering.let(size.plus(start, column), "j", body)
        total = local(first.expr.dtype, f"s{next(names)}")
        k = index(m.inner, f"k{next(names)}")
        left, right = (
            load(strip, size.as_expr(size.plus(size.times(k, SIDE + 1), place)))
            for strip, place in zip(strips, (row, column), strict=True)
        )
        inside: list = [
            Let(total, identity("sum", total.dtype)),
            For(k, (Update(total, "sum", left * right),)),
        ]
        indices = self._indices(batch, i, j, inside)
        offset = size.as_expr(flat(first.shape, indices))
        if first.expr in lowering.visible:
            inside.append(Store(lowering.buffers[first.expr], offset, total))
        values = [at_indices(r, indices) for r in self.maps]
        lowering.store_members(self.maps, values, offset, inside, {first.expr: total})
        fits = logical_and(
            size.as_expr(i) < size.as_expr(m.rows), size.as_expr(j) < size.as_expr(m.columns)
        )
        return For(e, (*body, If(fits, tuple(inside))), "block")
