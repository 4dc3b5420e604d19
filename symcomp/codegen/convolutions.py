"""Convolutions to loops: blocks of the result by the convolution library, each finished while hot.

A block is some images of one group, one slice in depth and a band of rows; it is one call on one
core of `correlate` (see include/convolution.h), which reads filters that `pack` has put into the
order of its kernels. The maps that read the result (bias, activation) run over the block right
after it. Where there are none, the library does all blocks by itself (convolution_whole.h): one
call, and nothing for the C compiler to do. The gradient with respect to filters is a sum over
images and positions: the images' own gradient is turned (channels last), each task of the library
sums for some channels over some images, and a last kernel adds the parts up in a fixed order and
finishes them.

The library works on three spatial axes. Those that are missing have length 1: a signal lies along
the rows.
"""

from __future__ import annotations

from symcomp.codegen import improve, loops, tiling, ways
from symcomp.codegen.equations import flat, reindexed, stored_base
from symcomp.codegen.loops import Call, For, Scratch, View, load
from symcomp.codegen.nests import Context, at_indices, nest, nest_serial
from symcomp.codegen.plan import Group, Root
from symcomp.graph import size
from symcomp.graph.notation import index
from symcomp.options import options
from symcomp.tensor.convolution import Geometry

#: What Winograd's algorithm makes of the 9 or 25 taps of a filter (see convolution_winograd.h).
FACTORS = 36
#: Channels that it takes together (GROUP in convolution_winograd.h, for float32).
LANES = 16
#: Taps of the largest filters that are twice as long as their stride.
MOST_PAIR_TAPS = 16
#: Terms of a block of their products, at least.
PAIR_TERMS = 128
#: What large products make of a term, at most: by Strassen's algorithm 16 become 49, of
#: which each line is whole vectors.
ONE_TAP_TERMS = 5
#: Bytes to which turned filters are padded.
PADDING = 64
#: What it takes to pack a filter's element, in those of a map.
PACKING = 16
#: Columns of the result of a gradient of filters that are put together at a time.
COLUMNS = 64


def _three(values, fill) -> tuple:
    """Depth, height and width: a signal lies along the height."""
    values = tuple(values)
    if len(values) == 1:
        return (fill, *values, fill)
    return (*([fill] * (3 - len(values))), *values)


def library_geometry(g: Geometry) -> tuple:
    """The numbers of `symcomp_geometry`: sizes, and an option."""
    return (
        g.batch, g.groups, g.channels, g.filters,
        *_three(g.image, 1), *_three(g.kernel, 1), *_three(g.output, 1),
        *_three(g.stride, 1), *_three(g.dilation, 1), *_three(g.low, 0),
        int(options.direct_convolutions),
    )  # fmt: skip


class ConvolutionLowering(Context):
    """The lowering of convolution groups."""

    def _convolution(self, group: Group):
        yield from self._correlation(group, "forward")

    def _convolution_input(self, group: Group):
        yield from self._correlation(group, "input")

    def _correlation(self, group: Group, which: str):
        first, *maps = group.members
        g, source, filters = self._parts(first)
        packed = self._packed(g, first, which)
        target = self.product_target(first, maps)
        fewest = _fewest_positions(g, which, first.expr.dtype)
        if not maps:
            views = tuple(map(self._view, (source, filters, packed, target)))
            yield [_call("convolve", which, g, (fewest,), views, first)]
            return
        yield self._pack(g, first, which, filters, packed)
        side = (g.filters, g.output) if which == "forward" else (g.channels, g.image)
        channels, (depth, height, width) = side[0], _three(side[1], 1)
        body: list = []
        others, area = size.times(g.groups, depth), size.times(height, width)
        images = tiling.block_images(g.batch, others, area, channels, fewest)
        rows = tiling.block_rows(size.times(g.batch, others), height, width, channels, fewest)

        def places():
            """Blocks of all channels; of names, once `images` and `rows` have some."""
            return size.times(size.parts(g.batch, images), others, size.parts(height, rows))

        some = tiling.block_channels(places(), channels, fewest)
        work = size.times(images, rows, width, some, _terms(g, which))
        t = index(size.times(places(), size.parts(channels, some)), f"t{next(self.names)}")
        images, rows = self.let(images, "images", body), self.let(rows, "rows", body)
        some = self.let(tiling.block_channels(places(), channels, fewest), "some", body)
        rest, band = self._split(t, self.let(size.parts(height, rows), "bands", body), body)
        rest, part = self._split(rest, self.let(size.parts(channels, some), "parts", body), body)
        rest, slice_ = self._split(rest, depth, body)
        chunk, group_ = self._split(rest, g.groups, body)
        image, row = self.let(size.times(chunk, images), "image", body), size.times(band, rows)
        channel = size.times(part, some)
        count = self.cut(g.batch, chunk, images, body)
        these = self.cut(channels, part, some, body)
        high = self.cut(height, band, rows, body)
        each = size.times(depth, area)
        plane = size.times(size.plus(size.times(image, g.groups), group_), channels)
        start = size.plus(
            size.times(size.plus(plane, channel), each),
            size.times(slice_, area),
            size.times(row, width),
        )
        strides = (size.times(g.groups, channels, each), each)
        block = (image, count, group_, channel, these, slice_, row, high, *strides)
        views = (self._view(source), self._view(packed), self._view(target, start))
        body.append(_call("correlate", which, g, block, views, first))
        corner = (image, size.plus(size.times(group_, channels), channel), slice_, row)
        body += self._finish_block(first, maps, target, corner, (count, these, high, width))
        yield [nest((t,), body, work, simd=False)]

    def _parts(self, root: Root):
        """The geometry, and the two arrays."""
        e = root.expr
        g = e.op.geometry(*e.args)
        located = lambda n: self.located(n) if not isinstance(n, int) else n  # noqa: E731
        each = [tuple(map(located, v)) if isinstance(v, tuple) else located(v) for v in g]
        return Geometry(*each), *(stored_base(a) for a in e.args[:2])

    def _view(self, array, offset=0) -> View:
        return View(self.buffers.get(array, array), size.as_expr(offset), 1)

    def _split(self, n, count, body: list):
        """n as (n // count, n % count)."""
        if count == 1:
            return n, 0
        if n == 0:
            return 0, 0
        quotient = self.let(size.quotient(n, count), "part", body)
        return quotient, self.let(size.minus(n, size.times(quotient, count)), "rest", body)

    def _packed(self, g: Geometry, root: Root, which: str):
        """Room for the filters in the library's order."""
        channels = g.filters if which == "forward" else g.channels
        terms = _terms(g, which)
        dtype = root.expr.dtype
        rows, packed_terms = tiling.PANEL, terms
        chosen = ways.ways(which, library_geometry(g), dtype)
        if not {"winograd", "fives"}.isdisjoint(chosen):
            rows, packed_terms = LANES, _packed_terms(g, which)
        elif "pairs" in chosen:
            packed_terms = _packed_pairs(g, which)
        elif "one_tap" in chosen:
            packed_terms = size.times(terms, ONE_TAP_TERMS)
        room = size.times(g.groups, size.parts(channels, rows), rows, packed_terms)
        return self.temporary(dtype, (room,), "packed")

    def _pack(self, g: Geometry, root: Root, which: str, filters, packed) -> list:
        """The kernel that puts the filters there."""
        channels = g.filters if which == "forward" else g.channels
        panels = size.times(g.groups, size.parts(channels, tiling.PANEL))
        panel = index(panels, f"p{next(self.names)}")
        views = (self._view(filters), self._view(packed))
        body = [_call("pack", which, g, (panel, size.plus(panel, 1)), views, root)]
        work = size.times(tiling.PANEL * PACKING, _terms(g, which))
        return [nest((panel,), body, work, simd=False)]

    def _finish_block(self, first: Root, maps, target, corner, extents) -> list:
        """The maps that finish a block, right after it was computed."""
        image, channel, slice_, row = corner
        count, channels, high, width = extents
        i, m, y, u = self.fresh((count, channels, high, width), "i")
        spatial = (slice_, size.plus(row, y), u)
        rank = len(first.shape) - 2
        spatial = spatial[1:2] if rank == 1 else spatial[3 - rank :]
        indices = (size.plus(image, i), size.plus(channel, m), *spatial)
        values = [at_indices(r, indices) for r in maps]
        offset = size.as_expr(flat(first.shape, indices))
        inner, steps = improve.merge((y, u), [offset], values)
        offset = improve.apply_steps(offset, steps, is_offset=True)
        values = [improve.apply_steps(v, steps) for v in values]
        body: list = []
        at_hand = {first.expr: load(target, offset)}
        self.store_members(maps, values, offset, body, at_hand)
        return [For(i, (For(m, (nest_serial(inner, body),)),))]

    # --- with respect to the filters --------------------------------------------------------------

    def _convolution_filters(self, group: Group):
        first, *maps = group.members
        g, images, gradient = self._parts(first)
        dtype = first.expr.dtype
        lanes = PADDING // _itemsize(dtype)
        width = size.times(size.parts(g.filters, lanes), lanes)
        kernel = size.product(g.kernel)
        planes = size.times(g.groups, g.channels)
        fewest = _fewest_positions(g, "forward", dtype)
        chunks = tiling.filter_chunks(g.batch, planes, size.times(planes, kernel, width), fewest)
        blocks = tiling.filter_blocks(chunks, g.groups, g.channels, fewest)
        partial = self.temporary(
            dtype, (size.times(chunks, g.groups, g.channels, kernel, width),), "partial"
        )
        views = tuple(map(self._view, (images, gradient, partial)))
        yield [_call("sum_filters", "filters", g, (chunks, blocks), views, first)]
        yield [self._add_up(first, maps, g, chunks, partial)]

    def _add_up(self, first: Root, maps, g: Geometry, chunks, partial) -> For:
        """The parts of a gradient added up, in the order of the images, and finished: some filters
        and columns, which are channels and taps, at a time: the library brings their sums together
        in a tile, in the order of the result.
        """
        lanes = PADDING // _itemsize(first.expr.dtype)
        columns = size.times(g.channels, size.product(g.kernel))
        group, filter_ = self.fresh((g.groups, g.filters), "g")
        row = size.plus(size.times(group, g.filters), filter_)
        tail = self.fresh((g.channels, *g.kernel), "c")
        offset = size.as_expr(flat(first.shape, (row, *tail)))
        column = size.as_expr(flat((g.channels, *g.kernel), tail))
        values = [at_indices(r, (row, *tail)) for r in maps]
        across, steps = improve.merge(tail, [offset, column], values)
        offset, column = (improve.apply_steps(v, steps, is_offset=True) for v in (offset, column))
        values = [improve.apply_steps(v, steps) for v in values]
        most = COLUMNS if len(across) == 1 else columns
        room = size.times(size.parts(most, lanes), lanes)
        work = size.times(most, lanes, size.plus(chunks, 1))
        parts = (size.parts(g.filters, lanes), size.parts(columns, most))
        task, body = index(size.times(g.groups, *parts), f"t{next(self.names)}"), []
        columns, chunks = self.let(columns, "columns", body), self.let(chunks, "chunks", body)
        rest, right = self._split(task, self.let(parts[1], "parts", body), body)
        of_group, down = self._split(rest, self.let(parts[0], "parts", body), body)
        left = self.let(size.times(right, most), "left", body)
        high, wide = self.cut(g.filters, down, lanes, body), self.cut(columns, right, most, body)
        tile = loops.buffer(first.expr.dtype, (lanes, room), f"tile{next(self.names)}")
        body.append(Scratch(tile))
        numbers = (chunks, of_group, size.times(down, lanes), left, wide, room)
        views = (self._view(partial), self._view(tile))
        body.append(_call("add_up", "filters", g, numbers, views, first))
        f, k = self.fresh((high, wide), "f")
        place = {filter_: size.plus(size.times(down, lanes), f), group: of_group}
        if len(across) == 1:
            place[across[0]] = size.plus(left, k)
            across = (k,)
        place = {i: size.as_expr(v) for i, v in place.items()}
        offset, column, *values = (reindexed(v, place) for v in (offset, column, *values))
        at = size.plus(size.times(f, room), size.minus(column, left))
        inner: list = []
        self.store_members([first, *maps], [load(tile, at), *values], offset, inner)
        body.append(nest_serial((f, *across), inner))
        return nest((task,), body, work, simd=False)


def _call(routine: str, which: str, g: Geometry, numbers, views, root: Root) -> Call:
    values = tuple(size.as_expr(n) for n in (*library_geometry(g), *numbers))
    return Call("convolution", (routine, which, *values, *views), root.expr.dtype)


def _fewest_positions(g: Geometry, which: str, dtype: str):
    """Positions that are worth a block: more where it may be a quicker algorithm."""
    if not {"winograd", "pairs", "one_tap"} & set(ways.ways(which, library_geometry(g), dtype)):
        return tiling.FEWEST_POSITIONS
    kernel, stride = _three(g.kernel, 1)[1:], _three(g.stride, 1)[1:]
    phases = 1 if which == "forward" else size.product(stride)
    return tiling.fewest_positions(*kernel, *stride, phases)


def _terms(g: Geometry, which: str):
    """Terms of one sum."""
    planes = g.channels if which == "forward" else g.filters
    return size.times(planes, size.product(g.kernel))


def _packed_terms(g: Geometry, which: str):
    """What the library packs for them, and for each row, where it may use Winograd's algorithm: a
    line more than LANES for each factor (see convolution_winograd_correlate.h), or the taps.
    """
    planes = g.channels if which == "forward" else g.filters
    planes = size.times(planes, size.product(g.kernel[:-2]))
    area = size.product(g.kernel[-2:])
    return size.plus(
        size.times(size.parts(planes, LANES), FACTORS * (LANES + 1)),
        0 if area in (9, 25) else size.times(planes, area),
    )


def _packed_pairs(g: Geometry, which: str):
    """The same where it may be made of 2 × 2 taps (see convolution_pairs.h): 4 become 9, and for
    each block of terms there are two numbers more. (Where it may be either, the other's room is
    enough.)
    """
    area = size.product(g.kernel[-2:])
    area = area * 9 // 4 if isinstance(area, int) else size.plus(area, MOST_PAIR_TAPS * 5 // 4)
    planes = size.times(
        g.channels if which == "forward" else g.filters, size.product(g.kernel[:-2])
    )
    return size.times(size.plus(planes, size.times(3, size.parts(planes, PAIR_TERMS))), area)


def _itemsize(dtype: str) -> int:
    return 4 if dtype == "float32" else 8
