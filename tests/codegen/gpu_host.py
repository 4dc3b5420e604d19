"""Products and convolutions of the GPU runtime over the emulated driver, for tests."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
from emulated import HERE, VARIABLE

from symcomp.codegen import (
    build,
    convolutions,
    cuda,
    cuda_build,
    gpu_drivers,
    gpu_libraries,
    runtime,
)
from symcomp.tensor import convolution

WHICH = {"forward": 0, "input": 1, "filters": 2}
OPERATIONS = {
    "forward": (convolution.Convolution, "output"),
    "input": (convolution.ConvolutionInput, "image"),
    "filters": (convolution.ConvolutionFilters, "kernel"),
}
#: Flags that make every warning of ours an error.
STRICT = ("-Wall", "-Wextra", "-Werror")


class Failed(Exception):
    """An answer that is not 0."""


def compiled_kernels(folder: Path, flags=()) -> Path:
    """A file of all kernels, for the emulation."""
    names, path = gpu_libraries.KERNELS, folder / "kernels.so"
    cuda_build.compile_kernels(cuda.library_source(*names), path, "host", names, flags)
    return path


class Memory:
    """Memory of the emulated device, released with this object; `int(…)` is its place."""

    def __init__(self, machine: Machine, count: int) -> None:
        place = runtime.ffi().new("uint64_t *")
        assert machine.driver_function(1, "uint64_t *", "size_t")(place, count) == 0
        self._place, self._release = place[0], machine.driver_function(2, "uint64_t")

    def __int__(self) -> int:
        return self._place

    def __del__(self) -> None:
        self._release(self._place)


class Machine:
    """An emulated GPU with what computes products and convolutions."""

    def __init__(self, folder: Path, kernels: Path, flags=(), workspace=True) -> None:
        self.ffi = runtime.ffi()
        self.driver = gpu_drivers.HostDriver()
        source = (HERE / "gpu_products_host.c").read_text(encoding="utf-8")
        path = folder / "gpu_products_host.so"
        build.compile_shared(source, path, (*STRICT, *flags))
        self.library = runtime.open_library(path)
        table = self.driver.functions
        self.place = self.call("host_new", "void *", "void *", "int")(table, int(workspace))
        self.products = gpu_libraries.Products(self.library, self.place, 4, 13)
        names = gpu_libraries.KERNELS
        self.products.add(dict(zip(names, self.driver.kernels(kernels, names), strict=True)))
        self._upload = self.driver_function(3, "uint64_t", "void *", "size_t", "void *")
        self._download = self.driver_function(4, "void *", "uint64_t", "size_t", "void *")

    def call(self, name, result, *arguments):
        return runtime.function(self.library, name, result, arguments)

    def driver_function(self, number, *arguments):
        kind = f"int(*)({', '.join(arguments)})"
        return self.ffi.cast(kind, self.driver.functions[number])

    def set(self, **values) -> None:
        """`processors`, `balance`, or `limit` in bytes of scratch memory."""
        for name in {"processors", "balance"} & values.keys():
            change = self.call(f"host_{name}", "void", "void *", "int64_t")
            change(self.place, values[name])
        if "limit" in values:
            self.call("host_limit", "void", "size_t")(values["limit"])

    def forget(self, names) -> None:
        numbers = [gpu_libraries.KERNELS.index(name) for name in names]
        types = ("void *", "int *", "int")
        forget = self.call("host_forget", "void", *types)
        forget(self.place, self.ffi.new("int[]", numbers), len(numbers))

    # --- memory ---

    def send(self, array: np.ndarray) -> Memory:
        """A copy on the device, of which there is a byte if there are no elements."""
        memory = Memory(self, max(array.nbytes, 1))
        if array.nbytes:
            content = np.ascontiguousarray(array)
            stream = self.driver.stream
            assert self._upload(int(memory), runtime.pointer(content), array.nbytes, stream) == 0
        return memory

    def fetch(self, memory, like: np.ndarray) -> np.ndarray:
        out = np.empty_like(like, order="C")
        if out.nbytes:
            stream = self.driver.stream
            assert self._download(runtime.pointer(out), int(memory), out.nbytes, stream) == 0
        return out

    def _checked(self, status: int) -> None:
        if status:
            said = self.products.error(status)
            if not said:
                text = self.ffi.new("char **")
                self.driver_function(9, "int", "char **")(status, text)
                said = self.ffi.string(text[0]).decode()
            raise Failed(f"{status}: {said}")

    # --- products ---

    def _numbers(self, sizes, matrices):
        flat = [n for m in matrices for n in m]
        return self.ffi.new("int64_t[]", [*sizes, *flat])

    def multiply(self, sizes, left, right, target, alpha=1.0, beta=0.0, order="forward", shift=0):
        """`sizes` are batch, rows, columns, inner; an operand is (array, stride, step, transposed).

        The matrices begin `shift` elements after their arrays do. Returns what the array of
        the target holds then.
        """
        kept = [self.send(m[0]) for m in (left, right, target)]
        size, places = target[0].itemsize, [int(k) for k in kept]
        matrices = [
            (place + shift * size, *m[1:])
            for place, m in zip(places, (left, right, target), strict=True)
        ]
        types = ("void *", "int64_t *", "double", "double", "int")
        numbers = self._numbers(sizes, matrices)
        with ordered(order):
            product = self.call("host_product", "int", *types)
            self._checked(product(self.place, numbers, alpha, beta, size))
        return self.fetch(kept[2], target[0])

    def way_of_product(self, sizes, left, right, target) -> str:
        matrices = [(256, *m[1:]) for m in (left, right, target)]
        text = self.ffi.new("char[]", 300)
        types = ("void *", "int64_t *", "int", "char *", "size_t")
        way = self.call("host_way_of_product", "void", *types)
        way(self.place, self._numbers(sizes, matrices), target[0].itemsize, text, 300)
        return self.ffi.string(text).decode()

    # --- convolutions ---

    def _geometry(self, g: convolution.Geometry):
        return self.ffi.new("int64_t[]", list(convolutions.library_geometry(g)))

    def convolve(self, which: str, g: convolution.Geometry, a, b, order="forward"):
        """The target, which is full of ones (nan) before."""
        shape = OPERATIONS[which][0].result(None, g)
        target = np.full(shape, np.nan, a.dtype)
        kept = [self.send(x) for x in (a, b, target)]
        types = ("void *", "int", "void *", "int", *["uint64_t"] * 3)
        with ordered(order):
            convolve = self.call("symcomp_gpu_convolution", "int", *types)
            places = map(int, kept)
            status = convolve(self.place, WHICH[which], self._geometry(g), a.itemsize, *places)
            self._checked(status)
        return self.fetch(kept[2], target)

    def way_of_convolution(self, which: str, g: convolution.Geometry, size: int = 4) -> str:
        text = self.ffi.new("char[]", 300)
        types = ("void *", "int", "void *", "int", "char *", "size_t")
        way = self.call("host_way_of_convolution", "void", *types)
        way(self.place, WHICH[which], self._geometry(g), size, text, 300)
        return self.ffi.string(text).decode()


@contextlib.contextmanager
def ordered(order: str):
    """Threads run in this order."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = order
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def arguments(which: str, g: convolution.Geometry, dtype, seed=0):
    """Random arrays for a convolution."""
    random = np.random.default_rng(seed)
    shapes = {"images": g.images_shape, "filters": g.filters_shape, "outputs": g.outputs_shape}
    return [random.normal(size=shapes[n]).astype(dtype) for n in OPERATIONS[which][0].called]


def expected(which: str, g: convolution.Geometry, a, b) -> np.ndarray:
    """By NumPy, in float64."""
    kind, of_result = OPERATIONS[which]
    operation = kind(g.stride, g.dilation, g.groups, g.low, getattr(g, of_result))
    return operation.numpy(a.astype("float64"), b.astype("float64"))
