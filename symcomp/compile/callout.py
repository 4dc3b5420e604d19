"""Calls from compiled code back to Python: operations that are Python functions of arrays.

The entry is given one C callback, which it calls with the number of an operation and the addresses
of all results and arguments of all such operations. The shapes of a call are kept per thread, since
a function may run in several threads at once, and from within itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symcomp.codegen import runtime
from symcomp.errors import DtypeError, ShapeError, describe
from symcomp.graph.type import shape_text

CALLBACK = "int64_t(int64_t, void *const *)"
FAILED = 1


class Calls:
    """The calls to Python that one compiled function makes.

    `operations` do the work; `layout` says for each call, in the entry's order, which operation it
    is, and the dtypes of the result and of the arguments.
    """

    def __init__(
        self,
        operations: Sequence[Any],
        layout: Sequence[tuple[int, Sequence[str]]],
        entry: Callable[..., int],
    ):
        self._operations = operations
        self._layout = layout
        self._starts = [sum(len(d) for _, d in layout[:k]) for k in range(len(layout))]
        self._local = threading.local()
        self._entry = entry
        self.callback = runtime.ffi().callback(CALLBACK, self._call, error=FAILED)

    def run(self, shapes: Sequence[tuple[int, ...]], *arguments: Any) -> int:
        """Call the entry; an exception of an operation comes out of it as it was raised."""
        call = _Running(shapes, getattr(self._local, "call", None))
        self._local.call = call
        try:
            status = self._entry(*arguments)
        finally:
            self._local.call = call.outer
        if call.error is not None:
            raise call.error
        return status

    def _call(self, number: int, addresses: Any) -> int:
        call = self._local.call
        try:
            self._perform(number, addresses, call.shapes)
        except BaseException as error:
            call.error = error
            return FAILED
        return 0

    def _perform(self, number: int, addresses: Any, shapes: Sequence[tuple[int, ...]]) -> None:
        operation, dtypes = self._layout[number]
        first = self._starts[number]
        result, *arguments = (
            _array(addresses[first + k], dtype, shapes[first + k]) for k, dtype in enumerate(dtypes)
        )
        op = self._operations[operation]
        # Copies, since Python may keep them, and the memory is soon used for something else.
        given = np.asarray(op.perform(*(a.copy() for a in arguments)))
        _check(op, given, result)
        result[...] = given


class _Running:
    """One call that is under way in this thread."""

    __slots__ = ("error", "outer", "shapes")

    def __init__(self, shapes: Sequence[tuple[int, ...]], outer: _Running | None):
        self.shapes = shapes
        self.outer = outer
        self.error: BaseException | None = None


def _array(address: Any, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The memory at an address as an array."""
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64))
    if not size:
        return np.empty(shape, kind)
    memory = runtime.ffi().buffer(address, size * kind.itemsize)
    return np.frombuffer(memory, kind).reshape(shape)


def _check(op: Any, given: np.ndarray, result: np.ndarray) -> None:
    if given.dtype != result.dtype:
        message = f"{op.name} returned {given.dtype} where {result.dtype} was declared"
        raise DtypeError(describe(message, origin=_declared(op)))
    if given.shape != result.shape:
        have, need = shape_text(given.shape), shape_text(result.shape)
        message = f"{op.name} returned shape {have} where {need} was declared"
        raise ShapeError(describe(message, origin=_declared(op)))


def _declared(op: Any) -> Any:
    """Where the Python function of an operation was written."""
    code = getattr(getattr(op, "function", None), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else None
