"""The GPU as symcomp uses it: a driver, and the runtime above it (include/gpu.c).

A driver is a table of functions with the CUDA driver's signatures, and what goes with it: the
context, the streams, how kernels are compiled and loaded. There are two, and the option
`cuda_driver` chooses:

    pycuda   CUDA's own driver. pycuda chooses the device (CUDA_DEVICE), takes its primary context,
             which PyTorch, CuPy and JAX use too, and makes the streams
    host     the emulation: kernels are compiled for this machine's processor, and the GPU's memory
             is the host's. It is slow, and shows what is wrong with kernels where there is no GPU

There is one GPU in a process, taken when a function first needs it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from symcomp.codegen import build, cache, cuda_build, gpu_libraries, runtime
from symcomp.errors import GpuError
from symcomp.options import options

INSTALL = (
    "install it (`pip install 'symcomp[cuda]'`; that compiles it, against the CUDA toolkit), "
    'or use the emulation, which is slow: cuda_driver="host" (SYMCOMP_CUDA_DRIVER)'
)
WITHOUT = 'without one, the emulation works, slowly: cuda_driver="host" (SYMCOMP_CUDA_DRIVER)'
#: The functions of `symcomp_driver` in symcomp_gpu.h, by CUDA's names.
FUNCTIONS = (
    "cuCtxPushCurrent_v2",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyDtoDAsync_v2",
    "cuMemsetD8Async",
    "cuStreamSynchronize",
    "cuLaunchKernel",
    "cuGetErrorString",
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphExecDestroy",
    "cuGraphDestroy",
    "cuCtxPopCurrent_v2",
    "cuMemGetInfo_v2",
    "cuMemHostAlloc",
    "cuPointerGetAttribute",
    "cuEventCreate",
    "cuEventRecord",
    "cuStreamWaitEvent",
)
OUT_OF_MEMORY, FORKED, NESTED, NOTED = 2, 100_000, 100_001, 100_002
#: Errors of the driver that come of a kernel, and perhaps of an earlier one's.
KERNEL_FAILED = frozenset({700, 702, 710, 714, 715, 716, 717, 718, 719})
MEGABYTE = 1e6
#: Flags and attributes as CUDA numbers them.
NON_BLOCKING, STATIC_SHARED, MOST_SHARED = 1, 1, 8
#: Shared memory that a kernel may have beside its tiles: what teams exchange, in symcomp_team.cuh.
SHARED_OTHERWISE = 1 << 10


class Device(NamedTuple):
    """What there is to know of a GPU."""

    name: str
    architecture: str  # what kernels are compiled for: sm_90, …, or host
    processors: int
    shared_most: int  # bytes of shared memory of a block
    memory: int  # bytes in all


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


class Driver(Protocol):
    """What a GPU is driven by."""

    device: Device
    context: Any
    #: Where everything is done in order, and where launches are captured (or NULL: there, too).
    stream: Any
    aside: Any
    functions: Sequence[Any]
    #: Whether it is one: memory that is given back is kept then, and failures last.
    real: bool

    def kernels(self, path: Path, names: Sequence[str]) -> list[Any]:
        """The kernels of a compiled file, by name, as `launch` takes them."""

    def current(self) -> contextlib.AbstractContextManager[None]:
        """A block in which the context is the calling thread's."""


class PycudaDriver:
    """CUDA's driver, in the primary context of the device that pycuda chooses.

    The context is current in a thread only while symcomp works there; who uses pycuda itself
    beside it imports `pycuda.autoprimaryctx`, which makes the same context the thread's own.
    """

    real = True

    def __init__(self) -> None:
        driver, context = _pycuda()
        ffi = runtime.ffi()
        self._library = runtime.open_library("libcuda.so.1")
        self.context = ffi.cast("void *", context.handle)
        self.functions = [ffi.cast("void *", self._function(name)) for name in FUNCTIONS]
        self._call = {
            name: self._function(name, *arguments)
            for name, *arguments in (
                ("cuCtxPushCurrent_v2", "void *"),
                ("cuCtxPopCurrent_v2", "void **"),
                ("cuModuleLoadData", "void **", "const void *"),
                ("cuModuleGetFunction", "void **", "void *", "const char *"),
                ("cuFuncGetAttribute", "int *", "int", "void *"),
                ("cuFuncSetAttribute", "void *", "int", "int"),
                ("cuGetErrorString", "int", "char **"),
            )
        }
        context.push()
        try:
            self.device = self._found(driver, context.get_device())
            streams = driver.Stream(), driver.Stream(NON_BLOCKING)
        finally:
            context.pop()
        self.stream, self.aside = (ffi.cast("void *", s.handle) for s in streams)
        _keep_for_good(context, *streams)

    def architecture(self, found: Any) -> str:
        """What kernels for a device of pycuda's are compiled for."""
        major, minor = found.compute_capability()
        return f"sm_{major}{minor}"

    def _found(self, driver: Any, found: Any) -> Device:
        attribute, ask = driver.device_attribute, found.get_attribute
        most = ask(attribute.MAX_SHARED_MEMORY_PER_BLOCK)
        with contextlib.suppress(AttributeError, driver.Error):
            # So much that two blocks find room; more than the usual has to be asked for.
            half = ask(attribute.MAX_SHARED_MEMORY_PER_MULTIPROCESSOR) // 2 - SHARED_OTHERWISE
            most = max(most, min(ask(attribute.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN), half))
        self._most_shared = most
        return Device(
            found.name(),
            self.architecture(found),
            ask(attribute.MULTIPROCESSOR_COUNT),
            most - SHARED_OTHERWISE,
            found.total_memory(),
        )

    def _function(self, name: str, *arguments: str) -> Callable[..., int]:
        try:
            return runtime.function(self._library, name, "int", arguments)
        except AttributeError:
            raise GpuError(
                f"NVIDIA's driver is too old: it lacks {name}; one for CUDA 11.4 or newer is needed"
            ) from None

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """The context is the calling thread's."""
        self._checked("cuCtxPushCurrent_v2", "takes no context", self.context)
        try:
            yield
        finally:
            self._call["cuCtxPopCurrent_v2"](runtime.ffi().new("void **"))

    def _checked(self, name: str, failed: str, *arguments: Any) -> None:
        status = self._call[name](*arguments)
        if status:
            text = runtime.ffi().new("char **")
            known = self._call["cuGetErrorString"](status, text) == 0
            said = f": {runtime.ffi().string(text[0]).decode()}" if known else ""
            raise GpuError(f"the GPU {failed} (CUDA error {status}{said})")

    def kernels(self, path: Path, names: Sequence[str]) -> list[Any]:
        ffi = runtime.ffi()
        module, place, number = ffi.new("void **"), ffi.new("void **"), ffi.new("int *")
        result = []
        with self.current():
            image = ffi.from_buffer(path.read_bytes())
            self._checked("cuModuleLoadData", f"does not load {path}", module, image)
            for name in names:
                failed = f"has no kernel {name} of {path}"
                given = ffi.new("char[]", name.encode())
                self._checked("cuModuleGetFunction", failed, place, module[0], given)
                kernel = place[0]
                failed = f"has no shared memory for {name} of {path}"
                self._checked("cuFuncGetAttribute", failed, number, STATIC_SHARED, kernel)
                most = self._most_shared - number[0]
                self._checked("cuFuncSetAttribute", failed, kernel, MOST_SHARED, most)
                result.append(kernel)
        return result


def _pycuda() -> tuple[Any, Any]:
    """pycuda's driver and the primary context, or an error that says what is missing."""
    try:
        import pycuda.driver as driver
        import pycuda.tools as tools
    except ModuleNotFoundError as error:
        if error.name != "pycuda":
            raise
        raise GpuError(f'device="cuda" needs pycuda, which is not here: {INSTALL}') from None
    except ImportError as error:
        raise GpuError(
            f"pycuda cannot be imported ({error}): is NVIDIA's driver (libcuda.so.1) installed, "
            f"and not older than pycuda was built for? {WITHOUT}"
        ) from None
    try:
        driver.init()
        return driver, tools.make_default_context(lambda found: found.retain_primary_context())
    except (driver.Error, RuntimeError, ValueError, TypeError) as error:
        raise GpuError(
            f"there is no GPU that can be used ({error}): look at `nvidia-smi`; {WITHOUT}"
        ) from None


def _keep_for_good(*objects: Any) -> None:
    """Objects of pycuda that live as long as the process.

    The system gives everything back when it ends. To destroy them earlier would need a thread in
    which their context is current, and fails in a child after a fork.
    """
    import ctypes

    for x in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(x))


class HostDriver:
    """The emulation."""

    #: Bytes of the emulated device, unless told otherwise; and what it has of other things.
    MEMORY, PROCESSORS, SHARED = 8 << 30, 4, 48 << 10

    real = False

    def __init__(self) -> None:
        self.device = Device(
            "emulation on the host", "host", self.PROCESSORS, self.SHARED, self.MEMORY
        )
        ffi = runtime.ffi()
        self.context = self.stream = ffi.cast("void *", 1)
        self.aside = ffi.NULL
        self._library = runtime.open_library(_built("emulated_driver"))
        self.functions = ffi.new("void *[]", len(FUNCTIONS))
        self._call("symcomp_emulated_driver", "void", "void **")(self.functions)
        self.set_memory(self.MEMORY)

    def _call(self, name: str, result: str, *arguments: str) -> Callable[..., Any]:
        return runtime.function(self._library, name, result, arguments)

    def set_memory(self, count: int) -> None:
        """How many bytes the emulated device has."""
        self._call("symcomp_emulated_limit", "void", "size_t")(count)
        self.device = self.device._replace(memory=count)

    def current(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def kernels(self, path: Path, names: Sequence[str]) -> list[Any]:
        library = runtime.open_library(path)
        find = [runtime.function(library, f"emulated_{name}", "int", ()) for name in names]
        return [runtime.ffi().cast("void *", f) for f in find]


DRIVERS: dict[str, Callable[[], Driver]] = {"pycuda": PycudaDriver, "host": HostDriver}


class Gpu:
    """The one GPU of this process, and the runtime that launch plans call."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        ffi = runtime.ffi()
        runtime.native()
        self.library = runtime.open_library(_built("gpu"))
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
                made = gpu_libraries.Products(self.library, place, self.device.processors)
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


def _built(name: str) -> Path:
    """A library of the runtime, from C, built once per machine."""
    source = (build.INCLUDE / f"{name}.c").read_text(encoding="utf-8")
    flags = ("-pthread",)
    key = cache.key(name, extra_flags=flags)
    entry = cache.lookup(key) or cache.publish(key, name, source, {"kind": "runtime"}, flags)
    return entry.library


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
        cuda_build.compile_kernels(source, output, architecture, kernels)
        return [suffix(architecture), ".cu"]

    return make
