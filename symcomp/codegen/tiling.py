"""How a matrix product is cut into tiles, each one call of BLAS on one core, a convolution and the
rows of a column sum into blocks, and parallel loops into pieces.

The cut depends on the sizes and on the machine's number of cores, never on the number of threads,
so that results do not either. With literal sizes it is decided here; else by the same formulas in
symcomp_numbers.h and convolution.h, at the call.

Measured (OpenBLAS's AVX-512 kernels on 2 cores of Zen 5, sizes of a perceptron's training step):
two tiles a core balance well; a tile should do at least half a million multiplications; bands of
rows are best, unless there are few rows: then both operands are read once if the columns are cut.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from symcomp.codegen.ways import ONE_TAP_CHANNELS
from symcomp.graph import size
from symcomp.graph.expr import build
from symcomp.graph.scalar import number, primitive

#: Below so many rows the columns are cut, if there are at least NARROW of them.
FEW_ROWS, NARROW = 192, 128
#: The least multiplications in a tile.
TILE_WORK = 1 << 19
#: Tiles for each core.
TILES_PER_CORE = 2

CORES = os.cpu_count() or 1


def _tiles(m: int, n: int, k: int) -> int:
    return max(1, min(m * n * k // TILE_WORK, TILES_PER_CORE * CORES))


def _cuts_columns(m: int, n: int) -> bool:
    return m < FEW_ROWS and n >= NARROW


def _length(extent: int, pieces: int) -> int:
    """The length of a piece, a multiple of 16."""
    longest = (extent + pieces - 1) // pieces
    return max((longest + 15) // 16 * 16, 16)


def _rows(m: int, n: int, k: int) -> int:
    return max(m, 1) if _cuts_columns(m, n) else _length(m, _tiles(m, n, k))


def _columns(m: int, n: int, k: int) -> int:
    return _length(n, _tiles(m, n, k)) if _cuts_columns(m, n) else max(n, 1)


@primitive(numpy=np.vectorize(_rows), c="sc_tile_rows({m}, {n}, {k})", types=number, internal=True)
def tile_rows(m, n, k):
    """Rows of a tile of an m × k by k × n product."""


@primitive(
    numpy=np.vectorize(_columns), c="sc_tile_columns({m}, {n}, {k})", types=number, internal=True
)
def tile_columns(m, n, k):
    """Columns of a tile of an m × k by k × n product."""


@primitive(
    numpy=np.vectorize(lambda m, n, k: -(-m // _rows(m, n, k)) * -(-n // _columns(m, n, k))),
    c="sc_tile_count({m}, {n}, {k})",
    types=number,
    internal=True,
)
def tile_count(m, n, k):
    """How many tiles there are."""


def _sized(function, by_symbol, *sizes) -> Any:
    if all(isinstance(s, int) for s in sizes):
        return function(*sizes)
    return build(by_symbol, tuple(size.as_expr(s) for s in sizes))


def rows(m, n, k):
    """Rows of a tile, as a size."""
    return _sized(_rows, tile_rows, m, n, k)


def columns(m, n, k):
    """Columns of a tile, as a size."""
    return _sized(_columns, tile_columns, m, n, k)


def count(m, n, k):
    """The number of tiles, as a size."""
    return _sized(lambda *s: -(-s[0] // _rows(*s)) * -(-s[1] // _columns(*s)), tile_count, m, n, k)


# --- convolutions ---------------------------------------------------------------------------------

#: Sums in a block: as many as leave them, and the planes that they read, in the second cache.
BLOCK_SUMS = 1 << 17
#: Positions in a block: enough to pay for setting up, few enough for a core's cache.
LEAST_POSITIONS, MOST_POSITIONS = 512, 4096
#: Fewer positions, or channels, are no block: too much of it would be setting up.
FEWEST_POSITIONS, FEWEST_CHANNELS = 256, 32
#: By Winograd's algorithm, whose filters are two to four times as large, so many that reading them
#: is not what takes the time: of 3 × 3 taps, and of twice as many as the stride, for each phase.
WINOGRAD_POSITIONS, PAIR_POSITIONS = 1024, 2048
#: Of large filters of one tap, by Winograd's algorithm for inner products or Strassen's. With so
#: many channels for each core it pays to prepare the same planes on all: filters stay where they
#: were packed.
ONE_TAP_POSITIONS, ONE_TAP_PART = 1536, 512
#: Channels of the library's widest panel of filters.
PANEL = 8
#: Blocks for each core, so that they end together.
BLOCKS_PER_CORE = 8
#: Elements that a block of rows of a column sum should have, and the most blocks there are.
ROW_BLOCK_ELEMENTS, MOST_ROW_BLOCKS = 1 << 17, 64
#: Elements that the parts of a gradient of filters may take in all.
PARTIAL_ELEMENTS = 1 << 20


def _up(n: int, d: int) -> int:
    return -(-n // max(d, 1))


def _fewest_positions(height: int, width: int, down: int, across: int, phases: int) -> int:
    """Positions that are worth a block, of so many taps, of a stride that goes so far."""
    if (height, width, down, across) == (3, 3, 1, 1):
        return WINOGRAD_POSITIONS
    if height == 2 * down and width == 2 * across and max(down, across) <= 2:
        return PAIR_POSITIONS * phases
    if (height, width, down, across) == (1, 1, 1, 1):
        return ONE_TAP_POSITIONS
    return FEWEST_POSITIONS


def _parts(fewest: int) -> int:
    """Into how many parts at least something is cut: two for each core, so that they end together.
    Of large filters of one tap one, since each part prepares the same planes, or adds up more.
    """
    return CORES if fewest == ONE_TAP_POSITIONS else 2 * CORES


def _positions(channels: int, fewest: int) -> int:
    least = max(LEAST_POSITIONS, fewest)
    return min(max(BLOCK_SUMS // max(channels, 1), least), MOST_POSITIONS)


def _block_images(batch: int, others: int, area: int, channels: int, fewest: int) -> int:
    """Images in a block; `others` are groups and slices, `area` the positions of one. So many, or a
    little fewer, that all cores have as many.
    """
    parts = min(CORES, channels // ONE_TAP_PART) if fewest == ONE_TAP_POSITIONS else 1
    if parts > 1 and area <= fewest:
        return max(1, _up(batch, _up(CORES, parts * others)), min(_up(fewest, area), batch))
    blocks = batch * others // (BLOCKS_PER_CORE * CORES)
    fitting = min(_positions(channels, fewest) // max(area, 1), blocks)
    images = max(1, min(max(fitting, _up(fewest, area)), batch))
    rounds = _up(_up(batch, images) * others, CORES)
    images, fewer = (_up(batch, max(1, r * CORES // max(others, 1))) for r in (rounds, rounds + 1))
    return max(1, fewer if (rounds + 1) * fewer < rounds * images else images)


def _block_rows(tasks: int, height: int, width: int, channels: int, fewest: int) -> int:
    """Rows in a block: bands of equal, even height, and enough of them where there are few
    images.
    """
    area = height * width
    bands = _up(area, _positions(channels, fewest))
    if area > fewest:
        wanted = _up(BLOCKS_PER_CORE * CORES, tasks)
        bands = max(bands, min(wanted, _up(area, fewest)))
    rows = _up(height, min(bands, max(height, 1)))
    return max(1, min((rows + 3) // 4 * 4, height))


def _block_channels(tasks: int, channels: int, fewest: int) -> int:
    """Channels in a block, whole fours of panels: all, unless there would be too few blocks."""
    least = ONE_TAP_CHANNELS if fewest == ONE_TAP_POSITIONS else FEWEST_CHANNELS
    blocks = max(1, min(_up(_parts(fewest), tasks), channels // least))
    four = 4 * min(max(channels, 1), PANEL)
    return max(1, _up(_up(channels, four), blocks) * four)


def _filter_chunks(batch: int, planes: int, elements: int, fewest: int) -> int:
    """Into how many parts the images are cut for a gradient of filters of so many elements."""
    parts = _parts(fewest)
    wanted = max(PARTIAL_ELEMENTS // max(elements, 1), _up(parts, planes))
    return max(1, min(wanted, batch, parts))


def _filter_blocks(chunks: int, groups: int, channels: int, fewest: int) -> int:
    """Into how many parts the channels of a group are cut then."""
    return max(1, min(_parts(fewest) // max(chunks * groups, 1), channels))


def _row_blocks(elements: int, most: int) -> int:
    """Into how many blocks the rows of a column sum of so many elements are cut."""
    return max(1, min(elements // ROW_BLOCK_ELEMENTS, most, MOST_ROW_BLOCKS))


def _grain(piece: int, work: int) -> int:
    """How many tasks of so much work make a piece of that much."""
    return max(1, piece // max(work, 1))


def _by_symbol(name: str, function) -> Any:
    """The function of sizes: at once where they are literal, else in C."""
    count = function.__code__.co_argcount
    names = function.__code__.co_varnames[:count]
    symbol = primitive(
        numpy=np.vectorize(function),
        c=f"sc_{name}({', '.join(f'{{{n}}}' for n in names)})",
        types=number,
        internal=True,
        name=name,
    )(function)
    return lambda *sizes: _sized(function, symbol, *sizes)


fewest_positions = _by_symbol("fewest_positions", _fewest_positions)
block_images = _by_symbol("block_images", _block_images)
block_rows = _by_symbol("block_rows", _block_rows)
block_channels = _by_symbol("block_channels", _block_channels)
filter_chunks = _by_symbol("filter_chunks", _filter_chunks)
filter_blocks = _by_symbol("filter_blocks", _filter_blocks)
row_blocks = _by_symbol("row_blocks", _row_blocks)
grain = _by_symbol("grain", _grain)
