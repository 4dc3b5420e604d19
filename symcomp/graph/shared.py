"""Shared values: arrays that live between calls, read and updated by compiled functions.

A shared value owns its array. `get_value` and `set_value` copy unless told to `borrow`. Compiled
code reaches the array through a *cell*, a small native record (address, sizes, a reader-writer
lock) that stays where it is while the array may be replaced; it is made when the first compiled
function needs it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.errors import DtypeError, ShapeError, describe, here
from symcomp.graph.expr import Leaf
from symcomp.graph.type import Type, check_dtype, shape_text


class Shared(Leaf):
    """A value with a place of its own, which functions read and update; made by `shared`."""

    __slots__ = ("array", "cell")

    def __init__(self, array: np.ndarray, type: Type, name: str | None):
        super().__init__(type, name)
        self.array = array
        self.cell = None

    def current(self) -> np.ndarray:
        return self.array

    def get_value(self, borrow: bool = False) -> np.ndarray:
        """The array: a copy, or with `borrow` the very storage (which later updates change)."""
        if borrow:
            return self.array
        if self.cell is None:
            return self.array.copy()
        with self.cell.shared():
            return self.array.copy()

    def set_value(self, value: Any, borrow: bool = False) -> None:
        """Replace the array; `value` is copied unless `borrow` is true and it can serve as it is.

        Errors: DtypeError where the dtype would lose information, ShapeError where a fixed size
        differs.
        """
        array = self._accept(value, borrow)
        if self.cell is None:
            self.array = array
            return
        with self.cell.exclusive():
            self.array = array
            self.cell.set(array)

    def _accept(self, value: Any, borrow: bool) -> np.ndarray:
        given = np.asarray(value)
        fixed = self._type.shape
        what = f"set_value of {self.name or 'a shared value'}"
        if given.ndim != len(fixed) or any(
            n is not None and n != m for n, m in zip(fixed, given.shape, strict=True)
        ):
            message = (
                f"{what}: it has shape {shape_text(fixed)} "
                f"and cannot take {shape_text(given.shape)}; "
                "sizes that change are declared with shared(value, shape=(None, …))"
            )
            raise ShapeError(describe(message, origin=here()))
        if not np.can_cast(given.dtype, self.dtype, "same_kind" if np.isscalar(value) else "safe"):
            message = (
                f"{what}: {given.dtype} does not fit into {self.dtype} without loss; cast it first"
            )
            raise DtypeError(describe(message, origin=here()))
        if borrow and given is value and given.dtype == self.dtype and given.flags.carray:
            return given
        return np.array(given, dtype=self.dtype, order="C")


def shared(
    value: Any, name: str | None = None, borrow: bool = False, shape: tuple | None = None
) -> Shared:
    """A shared value that starts as `value`.

    The dtype is that of the value (Python floats are float64, or options.floatX through
    `np.asarray`). Its sizes are fixed, so that wrong sizes show when an expression is written;
    `shape=(None, 784)` leaves some free to change. With `borrow` the array itself becomes the
    storage where it is C-contiguous and writable.
    """
    given = np.asarray(value)
    dtype = check_dtype(given.dtype)
    if shape is None:
        shape = given.shape
    if len(shape) != given.ndim or any(
        n is not None and n != m for n, m in zip(shape, given.shape, strict=True)
    ):
        message = (
            f"shared: the value has shape {shape_text(given.shape)}, "
            f"which is not {shape_text(shape)}"
        )
        raise ShapeError(describe(message, origin=here()))
    usable = borrow and given is value and given.flags.carray and given.dtype.isnative
    array = given if usable else np.array(given, dtype=dtype, order="C")
    return Shared(array, Type(dtype, tuple(shape)), name)
