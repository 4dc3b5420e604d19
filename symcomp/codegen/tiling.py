"""How a matrix product is cut into tiles, each one call of BLAS on one core.

The cut depends on the sizes and on the machine's number of cores, never on the number of threads,
so that results do not either. With literal sizes it is decided here; else by the same formulas in
symcomp_numbers.h, at the call.

Measured (OpenBLAS's AVX-512 kernels on 2 cores of Zen 5, sizes of a perceptron's training step):
two tiles a core balance well; a tile should do at least half a million multiplications; bands of
rows are best, unless there are few rows: then both operands are read once if the columns are cut.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

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


def _sized(function, by_symbol, m, n, k) -> Any:
    if all(isinstance(s, int) for s in (m, n, k)):
        return function(m, n, k)
    return build(by_symbol, tuple(size.as_expr(s) for s in (m, n, k)))


def rows(m, n, k):
    """Rows of a tile, as a size."""
    return _sized(_rows, tile_rows, m, n, k)


def columns(m, n, k):
    """Columns of a tile, as a size."""
    return _sized(_columns, tile_columns, m, n, k)


def count(m, n, k):
    """The number of tiles, as a size."""
    return _sized(lambda *s: -(-s[0] // _rows(*s)) * -(-s[1] // _columns(*s)), tile_count, m, n, k)
