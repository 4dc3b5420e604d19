"""Shared values: arrays that live between calls, read and updated by compiled functions.

A shared value owns its array. `get_value` and `set_value` copy unless told to `borrow`. Compiled
code reaches the array through a *cell*, a small native record (address, sizes, a reader-writer
lock) that stays where it is while the array may be replaced; it is made when the first compiled
function needs it. Until then, and wherever Python itself reads or writes, `guard` keeps order.
"""

from __future__ import annotations

import contextlib
import copy
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from symcomp.errors import DtypeError, OptionError, ShapeError, describe, here
from symcomp.graph.arrays import ready
from symcomp.graph.expr import Expr, Leaf
from symcomp.graph.op import as_expr
from symcomp.graph.type import Type, check_dtype, shape_text

#: Held while Python reads or writes shared values that have no cell, or gives one a cell.
guard = threading.RLock()


def _renew_guard() -> None:
    """A forked child has none of the threads that might have held the guard."""
    global guard
    guard = threading.RLock()


os.register_at_fork(after_in_child=_renew_guard)


class Shared(Leaf):
    """A value with a place of its own, which functions read and update; made by `shared`."""

    __slots__ = ("_update", "array", "cell")

    def __init__(self, array: np.ndarray, type: Type, name: str | None):
        super().__init__(type, name)
        self.array = array
        self.cell = None
        self._update: Expr | None = None

    @property
    def default_update(self) -> Expr | None:
        """The new value that each call of a function that uses this one gives it, if any.

        `function` adds it to the updates, unless they name this value themselves or
        `no_default_updates` refuses it. An expression, an array, or None for no update. Errors:
        ShapeError, DtypeError where it cannot be the new value.
        """
        return self._update

    @default_update.setter
    def default_update(self, value: Any) -> None:
        self._update = None if value is None else self._checked_update(as_expr(value))

    def _checked_update(self, value: Expr) -> Expr:
        what = f"the default update of {self.name or 'a shared value'}"
        if value.ndim != self.ndim:
            message = f"{what} has {value.ndim} axes, and that has {self.ndim}"
            raise ShapeError(describe(message, origin=here()))
        if not value.weak and not np.can_cast(value.dtype, self.dtype, "safe"):
            message = (
                f"{what} is {value.dtype}, which does not fit into {self.dtype}; cast it first"
            )
            raise DtypeError(describe(message, origin=here()))
        return value

    def current(self) -> np.ndarray:
        """The array on the host, as it is now: what a GPU has written is fetched first."""
        if self.cell is not None:
            self.cell.fetch()
        return self.array

    @property
    def device(self) -> str:
        """Where the value lives: "cuda" if a GPU has it as it is now, else "cpu"."""
        return "cuda" if self.cell is not None and self.cell.lives_on_gpu else "cpu"

    def get_value(self, borrow: bool = False) -> np.ndarray:
        """The array: a copy, or with `borrow` the very storage (which later updates change).

        Of a value that lives on a GPU it is a copy in any case.
        """
        on_gpu = self.device != "cpu"
        array = self.current()
        if borrow and not on_gpu:
            return array
        with self._held(exclusive=False):
            return array.copy()

    def rewritten(self) -> None:
        """Say that the array on the host has been written to; the caller holds the value."""
        if self.cell is not None:
            self.cell.set(self.array)

    def set_value(self, value: Any, borrow: bool = False) -> None:
        """Replace the array; `value` is copied unless `borrow` is true and it can serve as it is.

        Errors: DtypeError where the dtype would lose information, ShapeError where a fixed size
        differs.
        """
        array = self._accept(value, borrow)
        with self._held(exclusive=True):
            self._replace(array)

    def _replace(self, array: np.ndarray) -> None:
        self.array = array
        if self.cell is not None:
            self.cell.set(array)

    def _held(self, exclusive: bool) -> Any:
        """A `with` block in which nobody else writes this value (nor reads it, if exclusive)."""
        cell = self.cell
        if cell is None:
            return held([self], [exclusive])
        return cell.exclusive() if exclusive else cell.shared()

    def give_cell(self, make: Callable[[np.ndarray], Any]) -> None:
        """Let native code reach this value: `make(array)` is its cell, if it has none yet."""
        with guard:
            if self.cell is None:
                self.cell = make(self.array)

    def _accept(self, value: Any, borrow: bool) -> np.ndarray:
        what = f"set_value of {self.name or 'a shared value'}"
        try:
            given = ready(value, self.dtype)
        except DtypeError as error:
            message = f"{what}: {error.message}; cast it first"
            raise DtypeError(describe(message, origin=here())) from None
        fixed = self._type.shape
        if not fits(fixed, given.shape):
            message = (
                f"{what}: it has shape {shape_text(fixed)} "
                f"and cannot take {shape_text(given.shape)}; "
                "sizes that change are declared with shared(value, shape=(None, …))"
            )
            raise ShapeError(describe(message, origin=here()))
        return _owned(given, value, borrow)

    def __deepcopy__(self, memo: dict) -> Shared:
        made = memo[id(self)] = Shared(self.get_value(), self._type, self.name)
        made._update = copy.deepcopy(self._update, memo)
        return made

    def __copy__(self) -> Shared:
        return copy.deepcopy(self)


def fits(fixed: Sequence[int | None], shape: Sequence[int]) -> bool:
    """Whether an array of this shape has the sizes that are fixed."""
    return len(fixed) == len(shape) and all(
        n is None or n == m for n, m in zip(fixed, shape, strict=True)
    )


def _owned(given: np.ndarray, value: Any, borrow: bool) -> np.ndarray:
    """The array that a shared value keeps: `value` itself only if it is borrowed and can serve."""
    usable = borrow and given is value and given.flags.carray and type(given) is np.ndarray
    return given if usable else np.array(given, order="C", subok=False)


@contextlib.contextmanager
def held(values: Sequence[Shared], exclusive: Sequence[bool]) -> Iterator[None]:
    """A block of Python in which shared values keep still, and the exclusive ones are not read."""
    for s in values:
        s.current()
    with guard, contextlib.ExitStack() as stack:
        cells = [(s.cell, e) for s, e in zip(values, exclusive, strict=True) if s.cell is not None]
        # In the order in which native calls lock them, so that nobody waits in a circle.
        for cell, writes in sorted(cells, key=lambda pair: pair[0].address):
            stack.enter_context(cell.exclusive() if writes else cell.shared())
        yield


#: How a value is brought to a device, by the device's name; filled by what drives it.
bring: dict[str, Callable[[Shared], None]] = {"cpu": lambda value: None}


def shared(
    value: Any,
    name: str | None = None,
    borrow: bool = False,
    shape: tuple | None = None,
    device: str = "cpu",
) -> Shared:
    """A shared value that starts as `value`.

    The dtype is that of the value (Python floats are float64, or options.floatX through
    `np.asarray`). Its sizes are fixed, so that wrong sizes show when an expression is written;
    `shape=(None, 784)` leaves some free to change. With `borrow` the array itself becomes the
    storage where it is C-contiguous and writable.

    A value moves to the device of whatever function uses it, and stays there until it is needed
    elsewhere; `device="cuda"` brings it to the GPU at once. Errors: DtypeError, ShapeError,
    OptionError, GpuError.
    """
    if device not in bring:
        message = f"shared: device is {' or '.join(map(repr, bring))}, not {device!r}"
        raise OptionError(describe(message, origin=here()))
    dtype = _dtype_of(value)
    given = ready(value, dtype)
    shape = given.shape if shape is None else tuple(shape)
    if not fits(shape, given.shape):
        message = (
            f"shared: the value has shape {shape_text(given.shape)}, "
            f"which is not {shape_text(shape)}"
        )
        raise ShapeError(describe(message, origin=here()))
    made = Shared(_owned(given, value, borrow), Type(dtype, shape), name)
    bring[device](made)
    return made


def _dtype_of(value: Any) -> str:
    try:
        return check_dtype(np.asarray(value).dtype)
    except DtypeError as error:
        raise DtypeError(describe(f"shared: {error.message}", origin=here())) from None
    except ValueError as error:
        raise DtypeError(describe(f"shared: {error}", origin=here())) from None
