"""Types: what is known of an array before it exists, its dtype and which axes have a known length.

The dtypes are NumPy's real ones; promotion is NumPy 2's, in which Python's own numbers are weak:
they take the dtype of the array that they meet. The one departure: symcomp has no float16, so where
NumPy would give float16 (the exponential of an int8) the result is float32.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from symcomp.errors import DtypeError

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float32", "float64")
DTYPES = ("bool", *INTEGERS, *FLOATS)

#: The letter of each dtype in constructors such as `fmatrix`.
PREFIXES = {
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
}

RANK_NAMES = ("scalar", "vector", "matrix", "tensor3", "tensor4", "tensor5", "tensor6", "tensor7")


class Type(NamedTuple):
    """A dtype and a shape; an axis is an int, a symbolic size (an integer expression), or None
    where unknown.
    """

    dtype: str
    shape: tuple[Any, ...]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        rank = RANK_NAMES[self.ndim] if self.ndim < len(RANK_NAMES) else f"tensor{self.ndim}"
        return f"{self.dtype} {rank}" + (f" {shape_text(self.shape)}" if self.shape else "")


def shape_text(shape) -> str:
    """A shape as people write it: `(?, 784)`."""
    inner = ", ".join("?" if n is None else str(n) for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


@cache
def check_dtype(dtype: Any) -> str:
    """The name of a dtype, or a `DtypeError` where symcomp does not have it."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise DtypeError(f"dtype {name!r} is not one that symcomp has: {', '.join(DTYPES)}")
    return name


def is_float(dtype: str) -> bool:
    return dtype in FLOATS


def is_integer(dtype: str) -> bool:
    return dtype in INTEGERS


@cache
def promote(*dtypes: Any) -> str:
    """The common dtype by NumPy 2's rules; `int`, `float` and `bool` stand for Python's own (weak)
    numbers.
    """
    weak = {bool: False, int: 0, float: 0.0}
    name = np.result_type(*(weak[d] if d in weak else np.dtype(d) for d in dtypes)).name
    return "float32" if name == "float16" else name


def float_of(dtype: str) -> str:
    """The dtype in which a real function of this dtype is computed."""
    if dtype in FLOATS:
        return dtype
    return "float32" if np.dtype(dtype).itemsize < 4 else "float64"


def sum_of(dtype: str) -> str:
    """The dtype in which values of this dtype are summed, as `np.sum` does."""
    if dtype == "bool" or dtype in ("int8", "int16", "int32"):
        return "int64"
    return "uint64" if dtype in ("uint8", "uint16", "uint32") else dtype
