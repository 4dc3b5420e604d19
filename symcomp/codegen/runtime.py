"""The native runtime seen from Python: libraries and their functions, threads, BLAS, cells.

Everything goes through `_cffi_backend`, the C half of cffi, whose compiled parser of C types makes
cffi's Python half and pycparser (20 ms and more to import) unnecessary. A call releases the GIL.
The runtime's own library, `runtime.c`, is built through the cache like any other, when a function
is first compiled or loaded.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from symcomp.codegen import build, cache, tiling, ways
from symcomp.errors import CacheError, InternalError, SymcompError
from symcomp.options import available_cpus, options

#: The functions of OpenBLAS that the table serves, in the order of `symcomp_set_blas`.
BLAS_FUNCTIONS = ("cblas_sgemm", "cblas_dgemm", "cblas_sgemv", "cblas_dgemv")
#: The runtime's own libraries are written by hand, kernels of convolutions in vectors, each sum a
#: variable of its own: what more the compiler could do to them takes it longer than all the rest.
#: (Without `ivopts` the innermost loops keep fewer addresses. The last seven change nothing in
#: these, and save a third of the time.) Clang has no such flags.
_BY_HAND = {
    "gcc": (
        "-O1",
        "-fno-tree-vectorize",
        "-fno-tree-pre",
        "-fno-ivopts",
        "-fno-tree-ccp",
        "-fno-tree-dominator-opts",
        "-fno-thread-jumps",
        "-fira-region=one",
        "-fno-tree-pta",
        "-fno-dse",
        "-fno-tree-dse",
    ),
    "clang": (),
}
#: Convolutions need no more of the C library than `memcpy` and its like, which the process has: to
#: link with nothing takes half the time.
_ALONE = {"gcc": ("-nostdlib",), "clang": ()}
_TYPES = {
    "float32": ("-DT=float", "-DINTEGER=int32_t", "-DSUFFIX=f32"),
    "float64": ("-DT=double", "-DINTEGER=int64_t", "-DSUFFIX=f64"),
}
#: The libraries of convolutions, one for each way and type, and the flags that make them so.
CONVOLUTION = {
    ways.library(way, dtype): (*types, f"-D{way.upper()}")
    for way in ways.WAYS
    for dtype, types in _TYPES.items()
}
BLAS_PACKAGE = "scipy_openblas32"
BLAS_PREFIX = "scipy_"

#: What a processor must have for OpenBLAS's AVX-512 kernels, which it does not choose by itself on
#: AMD's: they give 220 GFLOP/s per core where its own choice, Haswell's, gives 118 (Zen 5,
#: float32). Its COOPERLAKE and SAPPHIRERAPIDS kernels differ from SKYLAKEX's in bfloat16 only.
AVX512 = frozenset({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"})

_lock = threading.RLock()
_local = threading.local()
#: Held while a library is built: each is built once, and who comes second waits for the first.
_building = {name: threading.Lock() for name in CONVOLUTION}


def _renew_locks() -> None:
    """A forked child has none of the threads that might have held a lock."""
    global _lock
    _lock = threading.RLock()
    _building.update((name, threading.Lock()) for name in CONVOLUTION)


os.register_at_fork(after_in_child=_renew_locks)

_native: Runtime | None = None

# A function does not keep its library alive, and a thread may be inside one: none is ever unloaded.
_open: list[Any] = []


@functools.cache
def ffi() -> Any:
    """The one FFI object of this process: `from_buffer`, `new`, `cast`, `NULL`, `typeof`."""
    # cffi's C half takes 2 ms to import; a program that never compiles does not pay them.
    import _cffi_backend

    return _cffi_backend.FFI()


def open_library(path: Path | str) -> Any:
    """Load a shared library, for good; its symbols are invisible to other libraries."""
    import _cffi_backend

    try:
        library = _cffi_backend.load_library(str(path), os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:
        raise CacheError(f"cannot load the library {path}: {error}") from None
    _open.append(library)
    return library


def function(library: Any, name: str, result: str, arguments: Sequence[str]) -> Callable[..., Any]:
    """The function `name` of a library as a callable that releases the GIL; types are C's, such as
    "int64_t".

    A pointer argument takes what `pointer` returns, or `ffi().NULL`.
    """
    kind = ffi().typeof(f"{result}(*)({', '.join(arguments) or 'void'})")
    return library.load_function(kind, name)


def pointer(array: np.ndarray) -> Any:
    """The address of a C-contiguous array's elements, read-only or not, as the functions take it.

    Keeps the array alive. A caller that wants speed calls `ffi().from_buffer` itself: this is all
    that it does.
    """
    return ffi().from_buffer(array)


class Kernels(NamedTuple):
    """The OpenBLAS that symcomp has loaded."""

    path: Path
    name: str  # of the kernels, as OpenBLAS calls them
    wanted: str  # the OPENBLAS_CORETYPE that was asked for, or ""
    version: str


class Runtime:
    """The runtime library of this process, and the table that generated libraries attach to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.library = open_library(path)
        start = self._find("start", "void *", "int64_t", "int64_t")
        self.table = start(options.process_value("threads"), available_cpus())
        if self.table == ffi().NULL:
            raise InternalError("the runtime cannot start: the system has no thread key left")
        self._set_threads = self._find("set_threads", "void", "int64_t")
        self._limit_threads = self._find("limit_threads", "void", "int64_t")
        self.trim = self._find("trim", "void")
        self.workers = self._find("workers", "int64_t")
        self.cell_new = self._find("cell_new", "void *")
        self.cell_free = self._find("cell_free", "void", "void *")
        self.cell_set = self._find("cell_set", "void", "void *", "void *", "int64_t *", "int64_t")
        self.cell_newest = self._find("cell_newest", "int64_t", "void *")
        self.cells_lock = self._find("cells_lock", "void", "void **", "uint8_t *", "int64_t")
        self.cells_unlock = self._find("cells_unlock", "void", "void **", "uint8_t *", "int64_t")
        self._blas: Kernels | None = None
        self._convolution: set[str] = set()

    def _find(self, name: str, result: str, *arguments: str) -> Callable[..., Any]:
        return function(self.library, f"symcomp_{name}", result, arguments)

    def set_threads(self, threads: int) -> None:
        """The number of threads of every call; for this process, from now on."""
        options.set(threads=threads)

    def apply_options(self) -> None:
        """Take over the option `threads`: the process's, and the calling thread's own."""
        self._set_threads(options.process_value("threads"))
        self._limit_threads(options.threads if options.in_block("threads") else 0)

    def load(self, path: Path | str) -> Any:
        """Load a generated library and attach it to the table."""
        library = open_library(path)
        function(library, "symcomp_attach", "void", ["void *"])(self.table)
        return library

    def blas(self) -> Kernels:
        """Load OpenBLAS if need be, so that the table's matrix products can be called."""
        with _lock:
            if self._blas is None:
                self._blas = self._load_blas()
            return self._blas

    def require(self, libraries: Sequence[str]) -> None:
        """Load what a function needs beside the runtime: see `ways.libraries_of`."""
        for name in libraries:
            if name == "blas":
                self.blas()
            elif name in CONVOLUTION:
                self._load_convolution(name)

    def _load_convolution(self, name: str) -> None:
        with _lock:
            if name in self._convolution:
                return
            library = self.load(build_convolution(name))
            found = function(library, "symcomp_convolver", "void *", ())()
            way, of_type = divmod(list(CONVOLUTION).index(name), len(_TYPES))
            places = [found if n == of_type else ffi().NULL for n in range(len(_TYPES))]
            self._find("set_convolution", "void", "int64_t", "void *", "void *")(way, *places)
            self._convolution.add(name)

    def _load_blas(self) -> Kernels:
        path = blas_library()
        wanted = blas_coretype()
        library = _open_with(path, {"OPENBLAS_CORETYPE": wanted, "OPENBLAS_NUM_THREADS": "1"})

        def find(name: str, result: str, *arguments: str) -> Callable[..., Any]:
            return function(library, BLAS_PREFIX + name, result, arguments)

        # Symcomp cuts products into pieces for its own threads; OpenBLAS's are harmful on the thin
        # ones.
        find("openblas_set_num_threads", "void", "int")(1)
        cast = functools.partial(ffi().cast, "void *")
        symbols = [cast(find(name, "void")) for name in BLAS_FUNCTIONS]
        self._find("set_blas", "void", *["void *"] * len(symbols))(*symbols)
        text = [find(f"openblas_get_{what}", "char *")() for what in ("corename", "config")]
        name, config = (ffi().string(part).decode() for part in text)
        return Kernels(path, name, wanted, " ".join(config.split()[:2]))


def _open_with(path: Path, variables: dict[str, str]) -> Any:
    """Load a library that reads its environment at that moment, and put the environment back."""
    before = {name: os.environ.get(name) for name in variables}
    try:
        os.environ.update({name: value for name, value in variables.items() if value})
        return open_library(path)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def build_convolution(name: str) -> Path:
    """A library of convolutions, built once per machine."""
    with _building[name]:
        source = (build.INCLUDE / "convolution.c").read_text(encoding="utf-8")
        cores = f"-DSYMCOMP_CORES={tiling.CORES}"
        dialect = build.compiler().dialect
        alone = () if options.cflags else _ALONE[dialect]  # the user's may need more
        flags = (*_BY_HAND[dialect], *alone, *CONVOLUTION[name], cores)
        key = cache.key(name, extra_flags=flags)
        entry = cache.lookup(key) or cache.publish(key, name, source, {"kind": "runtime"}, flags)
        return entry.library


def blas_library() -> Path:
    """The OpenBLAS of the wheel scipy-openblas32, found without importing it.

    Its `__init__` would load it at once, for all the world to see and with the kernels of its own
    choice.
    """
    spec = importlib.util.find_spec(BLAS_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(place, "lib").glob("libscipy_openblas*")):
            if path.suffix in (".so", ".dylib"):
                return path
    raise SymcompError(
        "matrix products need OpenBLAS from the package scipy-openblas32: "
        "`pip install scipy-openblas32`"
    )


def blas_coretype() -> str:
    """The kernels to ask OpenBLAS for: the option's, else AVX-512's where there is, else none."""
    chosen = options.blas_coretype
    if chosen != "auto":
        return chosen
    return "SKYLAKEX" if AVX512 <= set(build.cpu_features()) else ""


def native() -> Runtime:
    """The runtime, built and loaded at the first call."""
    global _native
    if _native is None:
        with _lock:
            if _native is None:
                _native = Runtime(_library())
                options.watch("threads", _native.apply_options)
    if not getattr(_local, "seen", False):
        _local.seen = True
        _native.apply_options()
    return _native


@functools.cache
def reads_arrays() -> bool:
    """Whether arrays and tuples lie in memory as symcomp.h says, so that C may read them there.

    True for CPython with its GIL; what is not certain to be readable is not looked at.
    """
    free_threaded = not getattr(sys, "_is_gil_enabled", lambda: True)()
    large = sys.maxsize > 2**32 and tuple.__basicsize__ == 24 and object.__basicsize__ == 16
    if sys.implementation.name != "cpython" or free_threaded or not large:
        return False
    base = np.zeros((5, 7), np.float32)
    return all(_described(array) == _facts(array) for array in (base, base[1:4, ::2]))


def _described(array: np.ndarray) -> list[int]:
    facts, arguments = ffi().new("int64_t[11]"), (array,)
    describe = function(native().library, "symcomp_describe", "void", ["uintptr_t", "int64_t *"])
    describe(id(arguments), facts)
    return list(facts)


def _facts(array: np.ndarray) -> list[int]:
    """The same as Python sees it: length, type, data, rank, shape, strides, base, dtype, flags."""
    base = 0 if array.base is None else id(array.base)
    place = [1, id(type(array)), array.ctypes.data, array.ndim]
    return [*place, *array.shape, *array.strides, base, id(array.dtype), array.flags.num]


def _library() -> Path:
    source = (build.INCLUDE / "runtime.c").read_text(encoding="utf-8")
    flags = (*_BY_HAND[build.compiler().dialect], "-pthread")
    key = cache.key("runtime", extra_flags=flags)
    entry = cache.lookup(key) or cache.publish(key, "runtime", source, {"kind": "runtime"}, flags)
    return entry.library


#: What `cell_newest` answers where only the host, or only a GPU, has what was written last:
#: SYMCOMP_HOST and SYMCOMP_GPU in symcomp.h.
ON_HOST, ON_GPU = 1, 2


class Cell:
    """A shared value's place: a C-contiguous array behind a lock; many may read, one may write."""

    __slots__ = ("__weakref__", "_free", "array", "pointer")

    #: What a GPU adds, once there is one: gives its memory back, and copies a value from there.
    release: ClassVar[Callable[[Any], None] | None] = None
    fetch_from: ClassVar[Callable[[Cell], None] | None] = None

    def __init__(self, array: np.ndarray) -> None:
        runtime = native()
        self._free = runtime.cell_free
        self.pointer = runtime.cell_new()
        if self.pointer == ffi().NULL:
            raise MemoryError
        self.set(array)

    def set(self, array: np.ndarray) -> None:
        """Put another array in place; the caller holds the cell exclusively."""
        shape = ffi().new("int64_t[]", array.shape or (0,))
        native().cell_set(self.pointer, ffi().from_buffer(array), shape, array.ndim)
        self.array = array

    @property
    def is_on_gpu(self) -> bool:
        """Whether a GPU alone has what was written last."""
        return native().cell_newest(self.pointer) == ON_GPU

    @property
    def lives_on_gpu(self) -> bool:
        """Whether a GPU has what was written last."""
        return native().cell_newest(self.pointer) != ON_HOST

    def fetch(self) -> None:
        """Make the array on the host the newest, too."""
        if self.is_on_gpu:
            with self.exclusive():
                Cell.fetch_from(self)

    @property
    def address(self) -> int:
        """Where the cell itself lies: the order in which cells are locked."""
        return int(ffi().cast("uintptr_t", self.pointer))

    def shared(self) -> Holding:
        """`with cell.shared():` others may read, nobody may write."""
        return Holding([self], [False])

    def exclusive(self) -> Holding:
        """`with cell.exclusive():` nobody else may read or write."""
        return Holding([self], [True])

    def __del__(self) -> None:
        place = getattr(self, "pointer", None)
        if place is not None:
            if Cell.release is not None:
                Cell.release(place)
            self._free(place)


class Holding:
    """Different cells and who writes, in C's order and form: `cells`, `exclusive`, `count`."""

    __slots__ = ("_kept", "cells", "count", "exclusive")

    def __init__(self, cells: Sequence[Cell], exclusive: Sequence[bool]) -> None:
        pairs = sorted(zip(cells, exclusive, strict=True), key=lambda pair: pair[0].address)
        self._kept = [cell for cell, _ in pairs]
        self.cells = ffi().new("void *[]", [cell.pointer for cell in self._kept])
        self.exclusive = ffi().new("uint8_t[]", [int(writes) for _, writes in pairs])
        self.count = len(pairs)

    def __enter__(self) -> None:
        native().cells_lock(self.cells, self.exclusive, self.count)

    def __exit__(self, *exception: object) -> None:
        native().cells_unlock(self.cells, self.exclusive, self.count)


def arguments(cells: Sequence[Cell], exclusive: Sequence[bool]) -> tuple[Any, Holding]:
    """Cells as an entry takes them: in the entry's own order, then in the order of locking.

    The second result keeps the cells alive; its flags go with the second half.
    """
    holding = Holding(cells, exclusive)
    both = [c.pointer for c in cells] + [holding.cells[k] for k in range(holding.count)]
    return ffi().new("void *[]", [*both, ffi().cast("void *", holding.exclusive)]), holding
