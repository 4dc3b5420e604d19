"""The GPU as symcomp uses it: a driver, and the runtime above it (include/gpu.c).

A driver is a table of functions with the CUDA driver's signatures, and what goes with it: the
context, the stream, how kernels are compiled and loaded. There are two, and the option
`cuda_driver` chooses:

    pycuda   CUDA's own driver. pycuda takes the primary context of the device, which PyTorch, CuPy
             and JAX use too, makes the stream, and hands out memory
    host     the emulation: kernels are compiled for this machine's processor, and the GPU's memory
             is the host's. It is slow, and shows what is wrong with kernels where there is no GPU

There is one GPU in a process, taken when a function first needs it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
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
#: The functions of `symcomp_driver` in symcomp_gpu.h, by CUDA's names.
FUNCTIONS = (
    "cuCtxSetCurrent",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyDtoDAsync_v2",
    "cuMemsetD8Async",
    "cuStreamSynchronize",  # SYNCHRONIZE
    "cuLaunchKernel",
    "cuGetErrorString",
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphExecDestroy",
    "cuGraphDestroy",
)
SYNCHRONIZE = "cuStreamSynchronize"
OUT_OF_MEMORY, FORKED = 2, 100_000
MEGABYTE = 1e6


class Device(NamedTuple):
    """What there is to know of a GPU."""

    name: str
    architecture: str  # what kernels are compiled for: sm_90, …, or host
    processors: int
    shared_most: int  # bytes of shared memory of a block
    memory: int  # bytes in all


class Driver(Protocol):
    """What a GPU is driven by."""

    device: Device
    context: Any
    stream: Any
    functions: list[Any]

    def kernels(self, path: Path, names: Sequence[str]) -> list[Any]:
        """The kernels of a compiled file, by name, as `launch` takes them."""

    def allocate(self, count: int) -> Any:
        """Memory of the GPU; `int(…)` is its address, and it is given back with the object."""

    def free_memory(self) -> int:
        """The bytes that are free."""


class PycudaDriver:
    """CUDA's driver, in the context that pycuda takes."""

    def __init__(self) -> None:
        context, driver, tools = _pycuda()
        found = context.device
        attribute = driver.device_attribute
        major, minor = found.compute_capability()
        self.device = Device(
            found.name(),
            f"sm_{major}{minor}",
            found.get_attribute(attribute.MULTIPROCESSOR_COUNT),
            found.get_attribute(attribute.MAX_SHARED_MEMORY_PER_BLOCK),
            found.total_memory(),
        )
        ffi = runtime.ffi()
        self._driver, self._pool = driver, tools.DeviceMemoryPool()
        self._stream = driver.Stream()
        self.context = ffi.cast("void *", context.context.handle)
        self.stream = ffi.cast("void *", self._stream.handle)
        self._library = runtime.open_library(_libcuda())
        self.functions = [self._function(name) for name in FUNCTIONS]
        self._load = self._callable("cuModuleLoadData", "void **", "const void *")
        self._find = self._callable("cuModuleGetFunction", "void **", "void *", "const char *")

    def _function(self, name: str) -> Any:
        return runtime.ffi().cast("void *", runtime.function(self._library, name, "int", ()))

    def _callable(self, name: str, *arguments: str) -> Callable[..., int]:
        return runtime.function(self._library, name, "int", arguments)

    def kernels(self, path: Path, names: Sequence[str]) -> list[Any]:
        ffi = runtime.ffi()
        module = ffi.new("void **")
        status = self._load(module, ffi.from_buffer(path.read_bytes()))
        if status:
            message = f"the GPU does not load {path} (CUDA error {status}: {self.error(status)})"
            raise GpuError(message)
        result = []
        for name in names:
            place = ffi.new("void **")
            status = self._find(place, module[0], name.encode())
            if status:
                raise GpuError(f"{path} has no kernel {name} (CUDA error {status})")
            result.append(place[0])
        return result

    def error(self, status: int) -> str:
        ffi = runtime.ffi()
        text = ffi.new("char **")
        self._callable("cuGetErrorString", "int", "char **")(status, text)
        return ffi.string(text[0]).decode() if text[0] != ffi.NULL else "unknown"

    def allocate(self, count: int) -> Any:
        return self._pool.allocate(count)

    def free_memory(self) -> int:
        return self._driver.mem_get_info()[0]


def _pycuda() -> tuple[Any, Any, Any]:
    """pycuda's primary context, its driver and its tools, or an error that says what is missing."""
    try:
        import pycuda.driver as driver
    except ImportError as error:
        if "pycuda" in str(getattr(error, "name", "") or "") and "libcuda" not in str(error):
            raise GpuError(f'device="cuda" needs pycuda, which is not here: {INSTALL}') from None
        raise GpuError(
            f"pycuda cannot be imported ({error}): is NVIDIA's driver (libcuda.so.1) installed?"
        ) from None
    try:
        import pycuda.autoprimaryctx as context
        import pycuda.tools as tools
    except driver.Error as error:
        raise GpuError(
            f"there is no GPU that can be used ({error}): look at `nvidia-smi`; without one, the "
            'emulation works, slowly: cuda_driver="host" (SYMCOMP_CUDA_DRIVER)'
        ) from None
    return context, driver, tools


def _libcuda() -> str:
    import ctypes.util

    return ctypes.util.find_library("cuda") or "libcuda.so.1"


class HostDriver:
    """The emulation."""

    #: Bytes of the emulated device, unless told otherwise; and what it has of other things.
    MEMORY, PROCESSORS, SHARED = 8 << 30, 4, 48 << 10

    def __init__(self) -> None:
        self.device = Device(
            "emulation on the host", "host", self.PROCESSORS, self.SHARED, self.MEMORY
        )
        ffi = runtime.ffi()
        self.context = self.stream = ffi.cast("void *", 1)
        self._library = runtime.open_library(_built("emulated_driver"))
        table = ffi.new("void *[]", len(FUNCTIONS))
        self._call("symcomp_emulated_driver", "void", "void **")(table)
        self.functions = list(table)
        self._allocate = self._typed(table[1], "int(*)(uint64_t *, size_t)")
        self._release = self._typed(table[2], "int(*)(uint64_t)")
        self._used = self._call("symcomp_emulated_used", "int64_t")
        self.set_memory(self.MEMORY)

    def _call(self, name: str, result: str, *arguments: str) -> Callable[..., Any]:
        return runtime.function(self._library, name, result, arguments)

    def _typed(self, place: Any, kind: str) -> Any:
        return runtime.ffi().cast(kind, place)

    def set_memory(self, count: int) -> None:
        """How many bytes the emulated device has."""
        self._call("symcomp_emulated_limit", "void", "size_t")(count)
        self.device = self.device._replace(memory=count)

    def kernels(self, path: Path, names: Sequence[str]) -> list[Any]:
        library = runtime.open_library(path)
        find = [runtime.function(library, f"emulated_{name}", "int", ()) for name in names]
        return [runtime.ffi().cast("void *", f) for f in find]

    def allocate(self, count: int) -> Any:
        return _Emulated(self, count)

    def free_memory(self) -> int:
        return self.device.memory - self._used()


class _Emulated:
    """Memory of the emulated device."""

    __slots__ = ("_place", "_release")

    def __init__(self, driver: HostDriver, count: int) -> None:
        self._release = driver._release
        place = runtime.ffi().new("uint64_t *")
        self._place = 0
        if driver._allocate(place, count):
            raise MemoryError
        self._place = place[0]

    def __int__(self) -> int:
        return self._place

    def __del__(self) -> None:
        if self._place:
            self._release(self._place)


DRIVERS: dict[str, Callable[[], Driver]] = {"pycuda": PycudaDriver, "host": HostDriver}


class Gpu:
    """The one GPU of this process, and the runtime that launch plans call."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.device = driver.device
        ffi = runtime.ffi()
        runtime.native()
        self.library = runtime.open_library(_built("gpu"))
        start = self._call(
            "start", "void *", "void *const *", "void *", "void *", "int64_t", "int64_t"
        )
        self._functions = ffi.new("void *[]", driver.functions)
        self.table = start(
            self._functions,
            driver.context,
            driver.stream,
            self.device.processors,
            self.device.shared_most,
        )
        self._fetch = self._call("fetch", "int64_t", "void *", "int64_t")
        self._bring = self._call("bring", "uint64_t", "void *", "int64_t")
        self._transfer = self._call(
            "transfer", "int64_t", "void *", "uint64_t", "uint64_t", "int64_t"
        )
        self._wait = self._call("wait", "int64_t")
        self._failure = self._call("failure", "int64_t", "int64_t *", "char **", "char **")
        self._statistics = self._call("statistics", "void", "int64_t *")
        runtime.Cell.release = self._call("release", "void", "void *")
        runtime.Cell.fetch_from = self.fetch
        self._products: gpu_libraries.Products | None = None

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
        """Have what computes products and convolutions, as far as a function needs it: NVIDIA's
        libraries, and our own kernels of a dtype (a file of gpu_libraries.FILES).
        """
        with _lock:
            for name in libraries:
                if name in gpu_libraries.FILES:
                    self.products().add_kernels(name, self._kernels)

    def products(self) -> gpu_libraries.Products:
        """What computes products and convolutions."""
        with _lock:
            if self._products is None:
                self._enter_context()
                place = self._call("libraries_of", "void *")()
                made = gpu_libraries.Products(self.library, place, self.device.processors)
                if self.device.architecture != cuda_build.HOST:
                    made.add_libraries()
                self._products = made
            return self._products

    def _enter_context(self) -> None:
        """NVIDIA's libraries are made ready in the present context of the calling thread."""
        ffi = runtime.ffi()
        set_context = ffi.cast("int(*)(void *)", self._functions[0])
        if set_context(self.driver.context):
            raise GpuError("the GPU's context cannot be entered")

    def _kernels(self, name: str, source: str, names: Sequence[str]) -> list[Any]:
        """Kernels that belong to no function: compiled once per machine."""
        path = kernel_file(name, source, self.device.architecture, names)
        return self.driver.kernels(path, names)

    # --- memory -----------------------------------------------------------------------------------

    def allocate(self, count: int) -> Any:
        """Memory for an array; `int(…)` is its address."""
        try:
            return self.driver.allocate(max(count, 1))
        except Exception as error:
            if not isinstance(error, MemoryError) and "memory" not in str(error).lower():
                raise
            raise self.no_memory(f"{count / MEGABYTE:.1f} MB for an array") from None

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

    def wait_for(self, stream: int) -> None:
        """Until everything on a stream of somebody else's is done."""
        ffi = runtime.ffi()
        synchronize = ffi.cast("int(*)(void *)", self._functions[FUNCTIONS.index(SYNCHRONIZE)])
        status = synchronize(ffi.cast("void *", stream))
        if status:
            raise GpuError(f"the stream {stream} cannot be waited for: CUDA error {status}")

    def statistics(self) -> dict[str, int]:
        """What the runtime has done and holds: bytes of scratch memory, launches, replays."""
        three = runtime.ffi().new("int64_t[3]")
        self._statistics(three)
        return dict(zip(("scratch", "launches", "replays"), three, strict=True))

    # --- errors -----------------------------------------------------------------------------------

    def _check(self, status: int) -> None:
        if status:
            raise self.failure()

    def failure(self, held: str = "") -> Exception:
        """What went wrong in this thread's last call; `held` says what fills the memory."""
        ffi = runtime.ffi()
        wanted, doing, text = ffi.new("int64_t *"), ffi.new("char **"), ffi.new("char **")
        error = self._failure(wanted, doing, text)
        if error == OUT_OF_MEMORY:
            return self.no_memory(f"{wanted[0] / MEGABYTE:.1f} MB more", held)
        if error == FORKED:
            return GpuError(
                "the process has forked since it took the GPU: a child cannot use it; start "
                'processes by "spawn", or use the GPU in children only'
            )
        if said := self.products().error(error):
            return GpuError(f"the GPU failed: {said}")
        what, said = (ffi.string(t[0]).decode() if t[0] else "" for t in (doing, text))
        return GpuError(f"the GPU failed while {what}: CUDA error {error}{said and f' ({said})'}")

    def no_memory(self, wanted: str, held: str = "") -> Exception:
        device = self.device
        free = self.driver.free_memory() / MEGABYTE
        message = (
            f"the GPU has no memory for {wanted}: {free:.1f} of {device.memory / MEGABYTE:.1f} MB "
            f"are free ({device.name})"
        )
        return GpuMemoryError(f"{message}\n{held}" if held else message)


class GpuMemoryError(GpuError, MemoryError):
    """The GPU's memory does not suffice."""


_lock = threading.RLock()
_gpu: Gpu | None = None


def gpu() -> Gpu:
    """The GPU, taken at the first call. Errors: GpuError says what is missing."""
    global _gpu
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
