"""How a matrix product is cut into tiles, each one call of BLAS on one core.

The cut depends on the sizes alone, never on the number of threads, so that results do not either. With literal sizes
it is decided here; else by the same formulas in symcomp_numbers.h, when the function is called.

Measured (OpenBLAS's AVX-512 kernels, Zen 5): a tile should do at least a million multiplications; with few rows the
columns are cut in blocks of about 128, so that both operands are read once; else bands of rows run over all columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.graph import size
from symcomp.graph.expr import build
from symcomp.graph.scalar import number, primitive

#: Up to so many rows the columns are cut.
FEW_ROWS = 96
#: Multiplications in a tile.
TILE_WORK = 1 << 21


def _rows(m: int, n: int, k: int) -> int:
    if m <= FEW_ROWS:
        return max(m, 1)
    bands = max(1, min(m * n * k // TILE_WORK, m // 48))
    return _round_up(-(-m // bands), 16)


def _columns(m: int, n: int, k: int) -> int:
    if m > FEW_ROWS:
        return max(n, 1)
    blocks = max(1, min(m * n * k // TILE_WORK, n // 128))
    return _round_up(-(-n // blocks), 16) if n else 16


def _round_up(n: int, step: int) -> int:
    return -(-n // step) * step


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
