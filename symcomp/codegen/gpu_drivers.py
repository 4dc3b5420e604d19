"""What a GPU is driven by.

A driver is a table of functions with the CUDA driver's signatures, and what goes with it: the
context, the streams, how kernels are compiled and loaded. There are two, and the option
`cuda_driver` chooses:

    pycuda   CUDA's own driver. pycuda chooses the device (CUDA_DEVICE), takes its primary context,
             which PyTorch, CuPy and JAX use too, and makes the streams
    host     the emulation: kernels are compiled for this machine's processor, and the GPU's memory
             is the host's. It is slow, and shows what is wrong with kernels where there is no GPU
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from symcomp.codegen import build, cache, cuda_build, runtime
from symcomp.errors import GpuError

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
#: The compute capability from which on a multiprocessor computes 128 threads in float32 at once.
TWICE_AS_WIDE = (8, 6)
#: Operations for a byte, of GPUs for computing.
USUAL_BALANCE = 13
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
    balance: int  # float32 operations that it does while it reads or writes a byte of its memory


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
            self._balance(found, attribute),
        )

    def _balance(self, found: Any, attribute: Any) -> int:
        """By the clocks (in kHz); each wire of the memory's bus carries two bits a clock."""
        ask = found.get_attribute
        at_once = 128 if found.compute_capability() >= TWICE_AS_WIDE else 64
        threads = at_once * ask(attribute.MULTIPROCESSOR_COUNT)
        operations = 2 * threads * ask(attribute.CLOCK_RATE)
        bits = 2 * ask(attribute.GLOBAL_MEMORY_BUS_WIDTH) * ask(attribute.MEMORY_CLOCK_RATE)
        return round(8 * operations / bits) if bits and operations else USUAL_BALANCE

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
        number, result = runtime.ffi().new("int *"), []
        with self.current():
            modules = [self._module(part) for part in cuda_build.parts_of(path)]
            for name in names:
                kernel = self._kernel(modules, name, path)
                failed = f"has no shared memory for {name} of {path}"
                self._checked("cuFuncGetAttribute", failed, number, STATIC_SHARED, kernel)
                most = self._most_shared - number[0]
                self._checked("cuFuncSetAttribute", failed, kernel, MOST_SHARED, most)
                result.append(kernel)
        return result

    def _module(self, path: Path) -> Any:
        ffi = runtime.ffi()
        module, image = ffi.new("void **"), ffi.from_buffer(path.read_bytes())
        self._checked("cuModuleLoadData", f"does not load {path}", module, image)
        return module[0]

    def _kernel(self, modules: Sequence[Any], name: str, path: Path) -> Any:
        """A kernel of one of the modules."""
        ffi = runtime.ffi()
        place, given = ffi.new("void **"), ffi.new("char[]", name.encode())
        for module in modules[:-1]:
            if self._call["cuModuleGetFunction"](place, module, given) == 0:
                return place[0]
        failed = f"has no kernel {name} of {path}"
        self._checked("cuModuleGetFunction", failed, place, modules[-1], given)
        return place[0]


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
            "emulation on the host",
            "host",
            self.PROCESSORS,
            self.SHARED,
            self.MEMORY,
            USUAL_BALANCE,
        )
        ffi = runtime.ffi()
        self.context = self.stream = ffi.cast("void *", 1)
        self.aside = ffi.NULL
        self._library = runtime.open_library(built("emulated_driver"))
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


def built(name: str) -> Path:
    """A library of the runtime, from C, built once per machine."""
    source = (build.INCLUDE / f"{name}.c").read_text(encoding="utf-8")
    flags = ("-pthread",)
    key = cache.key(name, extra_flags=flags)
    entry = cache.lookup(key) or cache.publish(key, name, source, {"kind": "runtime"}, flags)
    return entry.library
