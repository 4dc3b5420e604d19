"""The GPU as symcomp uses it: a driver (gpu_drivers.py), and the runtime above it (include/gpu.c).

There is one GPU in a process, taken when a function first needs it.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from symcomp.codegen import cache, cuda_build, gpu_libraries, runtime
from symcomp.codegen.gpu_drivers import DRIVERS, Device, Driver, built
from symcomp.errors import GpuError
from symcomp.options import options

OUT_OF_MEMORY, FORKED, NESTED, NOTED = 2, 100_000, 100_001, 100_002
#: Errors of the driver that come of a kernel, and perhaps of an earlier one's.
KERNEL_FAILED = frozenset({700, 702, 710, 714, 715, 716, 717, 718, 719})
MEGABYTE = 1e6


class Note(NamedTuple):
    """What kernels have found: the number of the check, the length of the axis, the position, and
    in which call if it is not surely the one that fails.
    """

    check: int
    length: int
    position: int
    when: str


#: In the order of gpu_notes.h.
WHEN = ("an earlier call", "", "this call or an earlier one")


class Gpu:
    """The one GPU of this process, and the runtime that launch plans call."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        ffi = runtime.ffi()
        runtime.native()
        self.library = runtime.open_library(built("gpu"))
        kinds = ["void *const *", *["void *"] * 3, *["int64_t"] * 3]
        self._functions = ffi.new("void *[]", list(driver.functions))
        self.table = self._call("start", "void *", *kinds)(
            self._functions,
            driver.context,
            driver.stream,
            driver.aside,
            self.device.processors,
            self.device.shared_most,
            int(driver.real),
        )
        self._fetch = self._call("fetch", "int64_t", "void *", "int64_t")
        self._bring = self._call("bring", "uint64_t", "void *", "int64_t")
        self._transfer = self._call(
            "transfer", "int64_t", "void *", "uint64_t", "uint64_t", "int64_t"
        )
        self._allocate = self._call("allocate", "uint64_t", "int64_t", "size_t *")
        self._give = self._call("give", "void", "uint64_t", "int64_t")
        self._free = self._call("free", "int64_t")
        self._is_foreign = self._call("is_foreign", "int64_t", "uint64_t")
        self._follow = self._call("follow", "int64_t", "void *")
        self._wait = self._call("wait", "int64_t")
        self._found = self._call("found", "void", "int64_t *")
        self._record = self._call("record", "void *", "int64_t")
        #: What makes the error of a note, by the address of the function's record.
        self._explanations: dict[int, Callable[[Note], Exception]] = {}
        self._failure = self._call("failure", "int64_t", "int64_t *", "char **", "char **")
        self._statistics = self._call("statistics", "void", "int64_t *")
        runtime.Cell.release = self._call("release", "void", "void *")
        runtime.Cell.fetch_from = self.fetch
        self._products: gpu_libraries.Products | None = None

    @property
    def device(self) -> Device:
        return self.driver.device

    def _call(self, name: str, result: str, *arguments: str) -> Callable[..., Any]:
        return runtime.function(self.library, f"symcomp_gpu_{name}", result, arguments)

    def attach(self, library: Any, path: Path | None, names: Sequence[str]) -> None:
        """Give a loaded launch plan its kernels."""
        ffi = runtime.ffi()
        kernels = self.driver.kernels(path, names) if names else []
        given = ffi.new("void *[]", kernels or 1)
        kind = ["void *", "void *const *"]
        runtime.function(library, "symcomp_attach_gpu", "void", kind)(self.table, given)

    def require(self, libraries: Sequence[str]) -> None:
        """Have NVIDIA's libraries, if a function has products or convolutions. Our own kernels come
        when a call needs them.
        """
        if "products" in libraries:
            self.products()

    def add_lacking_kernels(self) -> None:
        """Have the kernels of products and convolutions that calls have lacked until now."""
        with _lock:
            self.products().add_lacking(self._kernel_file, self.driver.kernels)

    def products(self) -> gpu_libraries.Products:
        """What computes products and convolutions."""
        with _lock:
            if self._products is None:
                place = self._call("libraries_of", "void *")()
                device = self.device
                made = gpu_libraries.Products(
                    self.library, place, device.processors, device.balance
                )
                with self.driver.current():
                    if self.driver.real:
                        made.add_libraries()
                self._products = made
            return self._products

    def _kernel_file(self, name: str, source: str) -> Path:
        """A kernel that belongs to no function: compiled once per machine."""
        return kernel_file(name, source, self.device.architecture, [name])

    # --- memory -----------------------------------------------------------------------------------

    def allocate(self, count: int) -> Memory:
        """Memory for an array; `int(…)` is its address, and it is given back with the object."""
        size = runtime.ffi().new("size_t *")
        place = self._allocate(count, size)
        if not place:
            error = self.failure(array=count)
            if not isinstance(error, MemoryError):
                raise error
            gc.collect()  # arrays that refer to one another may be dead
            place = self._allocate(count, size)
            if not place:
                raise error
        return Memory(place, size[0], self._give)

    def upload(self, to: int, array: np.ndarray) -> None:
        self._check(self._transfer(runtime.pointer(array), to, 0, array.nbytes))

    def download(self, array: np.ndarray, address: int) -> None:
        self._check(self._transfer(runtime.pointer(array), 0, address, array.nbytes))

    def copy(self, to: int, address: int, count: int) -> None:
        self._check(self._transfer(runtime.ffi().NULL, to, address, count))

    def fetch(self, cell: runtime.Cell) -> None:
        """The newest value of a cell to the host; the caller holds it exclusively."""
        self._check(self._fetch(cell.pointer, cell.array.nbytes))

    def bring(self, cell: runtime.Cell) -> int:
        """A cell's value to the GPU, and where it lies there; the caller holds it exclusively."""
        place = self._bring(cell.pointer, cell.array.nbytes)
        if not place:
            raise self.failure()
        return place

    def wait(self) -> None:
        """Until everything that was asked for is done."""
        self._check(self._wait())

    def follow(self, stream: int) -> None:
        """What is asked for from now on comes after everything on somebody else's stream."""
        self._check(self._follow(runtime.ffi().cast("void *", stream)))

    def is_foreign(self, address: int) -> bool:
        """Whether memory is of another context, or of another GPU: it cannot be used here."""
        return bool(self._is_foreign(address))

    def free_memory(self) -> int:
        """The bytes of the GPU's memory that are free, as far as it tells."""
        return max(self._free(), 0)

    def record(self, checks: int, explain: Callable[[Note], Exception]) -> Any:
        """Where the kernels of a function with so many checks note positions outside their axis;
        `explain` makes the error of a note.
        """
        record = self._record(checks)
        if not record:
            raise self.failure()
        self._explanations[int(runtime.ffi().cast("intptr_t", record))] = explain
        return record

    def statistics(self) -> dict[str, int]:
        """What the runtime has done and holds: bytes of scratch memory, launches, replays, and
        bytes that are kept for arrays to come.
        """
        four = runtime.ffi().new("int64_t[4]")
        self._statistics(four)
        return dict(zip(("scratch", "launches", "replays", "kept"), four, strict=True))

    # --- errors -----------------------------------------------------------------------------------

    def _check(self, status: int) -> None:
        if status:
            raise self.failure()

    def failure(self, held: str = "", array: int = 0) -> Exception:
        """What went wrong in this thread's last call; `held` says what fills the memory, and
        `array` the bytes of one that was to be made.
        """
        ffi = runtime.ffi()
        wanted, doing, text = ffi.new("int64_t *"), ffi.new("char **"), ffi.new("char **")
        error = self._failure(wanted, doing, text)
        if error == NOTED:
            return self._noted()
        if error == OUT_OF_MEMORY:
            more = f"{array / MEGABYTE:.1f} MB for an array"
            return self._no_memory(more if array else f"{wanted[0] / MEGABYTE:.1f} MB more", held)
        if error in OWN_ERRORS:
            return GpuError(OWN_ERRORS[error])
        if self._products is not None and (said := self._products.error(error)):
            return GpuError(f"the GPU failed: {said}")
        what, said = (ffi.string(t[0]).decode() if t[0] else "" for t in (doing, text))
        told = f"the GPU failed while {what}: CUDA error {error}{said and f' ({said})'}"
        if error in KERNEL_FAILED and self.driver.real:
            told += (
                "; a kernel did, this call's or an earlier one's, and CUDA refuses everything "
                "from now on: start the process again"
            )
        return GpuError(told)

    def _noted(self) -> Exception:
        """The error of a position outside its axis, which kernels have found."""
        found = runtime.ffi().new("int64_t[5]")
        self._found(found)
        record, check, length, position, when = found
        return self._explanations[record](Note(check, length, position, WHEN[when]))

    def _no_memory(self, wanted: str, held: str = "") -> Exception:
        device, free = self.device, self.free_memory()
        known = f"{free / MEGABYTE:.1f} of {device.memory / MEGABYTE:.1f} MB are free"
        message = f"the GPU has no memory for {wanted}: {known} ({device.name})"
        return GpuMemoryError(f"{message}\n{held}" if held else message)


#: Errors of the runtime's own, by the numbers that it gives them.
OWN_ERRORS = {
    FORKED: "the process has forked since it took the GPU: a child cannot use it; start processes "
    'by "spawn", or use the GPU in children only',
    NESTED: "a Python function that a function on the GPU calls cannot use the GPU itself",
}


class Memory:
    """Memory of the GPU, given back with the object; `int(…)` is its address."""

    __slots__ = ("_give", "place", "size")

    def __init__(self, place: int, size: int, give: Callable[[int, int], None]) -> None:
        self.place, self.size, self._give = place, size, give

    def __int__(self) -> int:
        return self.place

    def __del__(self) -> None:
        self._give(self.place, self.size)


class GpuMemoryError(GpuError, MemoryError):
    """The GPU's memory does not suffice."""


_lock = threading.RLock()
_gpu: Gpu | None = None
_forked = False


def _in_child() -> None:
    """A child after a fork: another thread may have held the lock, and the GPU is its parent's."""
    global _lock, _forked
    _lock, _forked = threading.RLock(), _gpu is not None


os.register_at_fork(after_in_child=_in_child)


def gpu() -> Gpu:
    """The GPU, taken at the first call. Errors: GpuError says what is missing."""
    global _gpu
    if _forked:
        raise GpuError(OWN_ERRORS[FORKED])
    if _gpu is None:
        with _lock:
            if _gpu is None:
                _gpu = Gpu(DRIVERS[options.cuda_driver]())
    return _gpu


def started() -> Gpu | None:
    """The GPU, if a function has taken it."""
    return _gpu


def kernel_file(name: str, source: str, architecture: str, kernels: Sequence[str]) -> Path:
    """A file of kernels that belongs to no function, from the cache or compiled now."""
    parts = (name, source, architecture, cuda_build.identity(architecture))
    key = cache.key("kernels", *parts)
    entry = cache.lookup(key)
    if entry is None:
        more = kernel_part(source, architecture, kernels)
        entry = cache.publish(key, name, None, {"kind": "runtime"}, more=more)
    return entry.file(suffix(architecture))


def suffix(architecture: str) -> str:
    """What a file of kernels is called."""
    return ".emulated" if architecture == "host" else ".cubin"


def kernel_part(source: str, architecture: str, kernels: Sequence[str]) -> cache.Part:
    """What compiles kernels into an entry of the cache."""

    def make(stem: Path) -> Sequence[str]:
        output = stem.with_name(stem.name + suffix(architecture))
        files = cuda_build.compile_in_parts(source, output, architecture, kernels)
        return [*(file.name.removeprefix(stem.name) for file in files), ".cu"]

    return make
