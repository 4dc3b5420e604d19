"""Arrays in the GPU's memory: what functions on a GPU take and give, beside NumPy's.

They speak the CUDA array interface (version 3), so CuPy, PyTorch, JAX, Numba and pycuda take them
without a copy, and functions take the arrays of these.

Who copies one to the host waits for it, and is told what calls before have found wrong with their
positions (see codegen/grid_checks.py).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symcomp.codegen.gpu import Gpu, gpu
from symcomp.codegen.runtime import Cell, ffi
from symcomp.errors import DtypeError, GpuError, ShapeError
from symcomp.graph.shared import Shared
from symcomp.graph.type import check_dtype, shape_text

#: What kernels take arrays to begin at a multiple of, in bytes.
ALIGNED = 16


class DeviceArray:
    """An array that lies, C-contiguous, in the GPU's memory.

    Made by `to_device(array)`, and by functions on device "cuda" with results="device". `get()` and
    `np.asarray(…)` copy it to the host. Attributes: shape, dtype (NumPy's), ndim, size, nbytes.
    """

    __slots__ = ("_owner", "address", "dtype", "pointer", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: Any, address: int, owner: Any) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.address = address
        self.pointer = ffi().cast("void *", address)
        #: Keeps the memory alive.
        self._owner = owner

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    nbytes = property(lambda self: self.size * self.dtype.itemsize)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        stream = int(ffi().cast("uintptr_t", gpu().driver.stream))
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address if self.size else 0, False),
            "strides": None,
            "stream": stream or None,
            "version": 3,
        }

    def get(self) -> np.ndarray:
        """A copy on the host. Errors: GpuError; BoundsError of an earlier call."""
        result = np.empty(self.shape, self.dtype)
        if result.size:
            gpu().download(result, self.address)
        return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("an array on the GPU is copied when it becomes one of NumPy's")
        result = self.get()
        return result if dtype is None else result.astype(dtype, copy=False)

    def item(self) -> Any:
        """The one element, as Python's own number."""
        return self.get().item()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __bool__(self) -> bool:
        return bool(self.get())

    def __repr__(self) -> str:
        return f"<symcomp array on the GPU, {self.dtype}, shape {shape_text(self.shape)}>"


def empty(shape: tuple[int, ...], dtype: Any) -> DeviceArray:
    """A new array whose elements are to be written."""
    kind = np.dtype(dtype)
    owner = gpu().allocate(math.prod(shape) * kind.itemsize)
    return DeviceArray(shape, kind, int(owner), owner)


def to_device(value: Any) -> DeviceArray:
    """An array on the GPU: a copy of one of the host (or of a number, a list, a shared value), or a
    view of one that is there already.

    Errors: DtypeError for a dtype that symcomp has not, GpuError, GpuMemoryError.
    """
    if isinstance(value, DeviceArray):
        return value
    if hasattr(value, "__cuda_array_interface__"):
        return seen(value)
    if isinstance(value, Shared):
        return _copied(value)
    array = np.asarray(value, order="C")
    check_dtype(array.dtype)
    made = empty(array.shape, array.dtype)
    if array.size:
        gpu().upload(made.address, array)
    return made


def _copied(value: Shared) -> DeviceArray:
    """A copy of a shared value, from the GPU where it lies there."""
    value.give_cell(Cell)
    with value.cell.exclusive():
        made = empty(value.array.shape, value.dtype)
        if made.size:
            gpu().copy(made.address, gpu().bring(value.cell), made.nbytes)
    return made


def seen(value: Any) -> DeviceArray:
    """An array of another library as one of ours, without a copy where it is aligned."""
    facts = value.__cuda_array_interface__
    shape, dtype = tuple(facts["shape"]), np.dtype(facts["typestr"])
    check_dtype(dtype)
    if facts.get("mask") is not None:
        raise DtypeError("an array on the GPU must not have a mask")
    address = facts["data"][0] or 0
    if not _is_contiguous(shape, facts.get("strides"), dtype.itemsize):
        message = (
            f"an array on the GPU must be C-contiguous: this one, of shape {shape_text(shape)}, "
            f"has strides {facts['strides']}; make a contiguous copy"
        )
        raise ShapeError(message)
    if not dtype.isnative:
        raise DtypeError(f"an array on the GPU must have the machine's byte order, not {dtype}")
    own = gpu()
    _wait_for(own, facts.get("stream"))
    if address and own.is_foreign(address):
        raise GpuError(
            "an array lies in another context of CUDA, or on another GPU: symcomp uses the primary "
            "context of the device, as PyTorch, CuPy and JAX do, and as pycuda does if "
            "pycuda.autoprimaryctx is imported instead of pycuda.autoinit"
        )
    found = DeviceArray(shape, dtype, address, value)
    if address % ALIGNED == 0:
        return found
    made = empty(shape, dtype)
    own.copy(made.address, address, found.nbytes)
    return made


def _wait_for(own: Gpu, stream: Any) -> None:
    """What another library still computes on a stream of its own comes first."""
    mine = int(ffi().cast("uintptr_t", own.driver.stream))
    if stream is not None and stream != mine:
        own.follow(stream)


def _is_contiguous(shape: tuple[int, ...], strides: Any, itemsize: int) -> bool:
    if strides is None or 0 in shape:
        return True
    expected = itemsize
    for n, s in zip(reversed(shape), reversed(tuple(strides)), strict=True):
        if n != 1 and s != expected:
            return False
        expected *= n
    return True
