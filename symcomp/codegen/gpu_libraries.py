"""What computes matrix products and convolutions on a GPU: NVIDIA's libraries, and our own kernels.

cuBLAS and cuDNN are loaded as they are found: in NVIDIA's wheels (PyTorch brings them), in a
toolkit, or by the system's own search. Neither has to be there, as the kernels of
include/products.cuh and convolutions.cuh do everything. Which of them computes what is decided in
include/gpu_ways.h; this module finds them, and fills the tables of its functions.

Most calls need few of the kernels, and each takes about half a second to compile. So each is a file
of its own, compiled when a call lacks it, side by side with what else that call lacks.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from symcomp.codegen import cuda, cuda_build, runtime
from symcomp.errors import SymcompError
from symcomp.options import available_cpus

#: Kernels that there are for each type: SYMCOMP_PRODUCT_KERNELS in gpu_products.h.
_EACH = (
    "multiply", "multiply_add", "forward", "forward_far", "forward_add", "backward",
    "backward_far", "backward_add", "filters", "filters_far", "turn_filters", "channels_forward",
    "channels_backward", "channels_filters",
)  # fmt: skip
#: Those of float32 alone: SYMCOMP_SINGLE_KERNELS.
_SINGLE = (
    "multiply_flat", "multiply_small", "forward_flat", "forward_small", "backward_flat",
    "backward_small", "filters_flat", "filters_small",
)  # fmt: skip
#: All kernels by number, as symcomp_gpu_kernel_name has them.
KERNELS = (
    *(f"sc_{name}_{t}" for name in _EACH for t in ("f32", "f64")),
    *(f"sc_{name}_f32" for name in _SINGLE),
)


class Library(NamedTuple):
    """One of NVIDIA's libraries: its functions are in the order of the table in gpu_products.h."""

    name: str
    file: str
    before: tuple[str, ...]  # what it needs, of the same folder
    package: str
    property: str  # the function that tells a part of the version
    functions: tuple[str, ...]


CUBLAS = Library(
    "cuBLAS",
    "libcublas",
    ("libcublasLt",),
    "nvidia-cublas",
    "cublasGetProperty",
    (
        "cublasCreate_v2",
        "cublasDestroy_v2",
        "cublasSetStream_v2",
        "cublasSetWorkspace_v2",
        "cublasSgemmStridedBatched",
        "cublasDgemmStridedBatched",
    ),
)
CUDNN = Library(
    "cuDNN",
    "libcudnn",
    (),
    "nvidia-cudnn-cu13",
    "cudnnGetProperty",
    (
        "cudnnCreate",
        "cudnnDestroy",
        "cudnnSetStream",
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensorNdDescriptor",
        "cudnnDestroyTensorDescriptor",
        "cudnnCreateFilterDescriptor",
        "cudnnSetFilterNdDescriptor",
        "cudnnDestroyFilterDescriptor",
        "cudnnCreateConvolutionDescriptor",
        "cudnnSetConvolutionNdDescriptor",
        "cudnnSetConvolutionGroupCount",
        "cudnnSetConvolutionMathType",
        "cudnnDestroyConvolutionDescriptor",
        "cudnnGetConvolutionForwardAlgorithm_v7",
        "cudnnConvolutionForward",
    ),
)
LIBRARIES = (CUBLAS, CUDNN)
#: Where Linux keeps libraries that packages of the system bring.
SYSTEM = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")


class State(NamedTuple):
    """A library as it is here: where, which version, and why it is not used if it is not."""

    library: Library
    path: str = ""
    version: str = ""
    missing: str = ""

    def __str__(self) -> str:
        if self.missing:
            return f"{self.library.name} is not used: {self.missing}"
        return f"{self.library.name} {self.version} ({self.path})"


# --- finding and opening --------------------------------------------------------------------------


def folders() -> Iterator[Path]:
    """Where NVIDIA's libraries may lie, the likeliest first."""
    for package, pattern in (("nvidia", "*/lib"), ("torch", "lib")):
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield from sorted(Path(place).glob(pattern), reverse=True)
    for root in cuda_build.toolkits(cuda_build.surroundings()):
        yield root / "lib64"
        yield from sorted(root.glob("targets/*/lib"))
    yield from map(Path, SYSTEM)


def find(name: str, places: Sequence[Path]) -> Path | None:
    """The newest file of a library in the first place that has it."""
    for place in places:
        files = [path for path in place.glob(f"{name}.so*") if path.is_file()]
        if files:
            return max(files, key=lambda path: (_version(path.name), path.name))
    return None


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", name.partition(".so")[2]))


def open_functions(library: Library, places: Sequence[Path]) -> tuple[State, Any]:
    """The state of a library, and the table of its functions: NULL where it cannot be used."""
    path = find(library.file, places)
    found = str(path or f"{library.file}.so")  # the system may know the plain name
    ffi = runtime.ffi()
    try:
        for name in library.before if path else ():
            needed = find(name, [path.parent])
            if needed:
                runtime.open_library(needed)
        opened = runtime.open_library(found)
    except SymcompError as error:
        install = f"it is not here (`pip install {library.package}`)"
        return State(library, found, missing=error.message if path else install), ffi.NULL
    try:
        symbols = [runtime.function(opened, name, "int", ()) for name in library.functions]
    except AttributeError as error:
        missing = f"{found} lacks a function that symcomp calls ({error})"
        return State(library, found, missing=missing), ffi.NULL
    table = ffi.new("void *[]", [ffi.cast("void *", symbol) for symbol in symbols])
    return State(library, found, _version_of(library, opened)), table


def _version_of(library: Library, opened: Any) -> str:
    part = runtime.ffi().new("int *")
    try:
        ask = runtime.function(opened, library.property, "int", ("int", "int *"))
    except AttributeError:
        return "of an unknown version"
    return ".".join(str(part[0]) for k in range(3) if ask(k, part) == 0)


def describe() -> list[State]:
    """What is found of NVIDIA's libraries, for people; loads them."""
    places = list(folders())
    return [open_functions(library, places)[0] for library in LIBRARIES]


# --- for the runtime ------------------------------------------------------------------------------


class Products:
    """What the GPU runtime was given; `libraries` says of NVIDIA's what is used, and why not."""

    def __init__(self, library: Any, place: Any, processors: int, balance: int) -> None:
        self._library, self._place = library, place
        self._device = processors, balance
        self._kept: list[Any] = []
        self.libraries: list[State] = []

    def _call(self, name: str, result: str, *arguments: str) -> Callable[..., Any]:
        return runtime.function(self._library, f"symcomp_gpu_{name}", result, arguments)

    def _serve(self, kernels: Mapping[int, Any], cublas: Any = None, cudnn: Any = None) -> None:
        ffi = runtime.ffi()
        given = ffi.new("void *[]", [kernels.get(k, ffi.NULL) for k in range(len(KERNELS))])
        tables = [ffi.NULL if table is None else table for table in (cublas, cudnn)]
        serve = self._call("serve", "void", "void *", *["int64_t"] * 2, *["void *"] * 3)
        serve(self._place, *self._device, given, *tables)

    def add(self, kernels: Mapping[str, Any]) -> None:
        """Have kernels, by their names."""
        self._serve({KERNELS.index(name): kernel for name, kernel in kernels.items()})

    def add_lacking(
        self,
        compiled: Callable[[str, str], Path],
        load: Callable[[Path, Sequence[str]], list[Any]],
    ) -> None:
        """Have the kernels that calls have lacked until now; `compiled(name, source)` is a file
        with one, `load(file, names)` are those of a file.
        """
        # Only a process that compiles needs it.
        from concurrent.futures import ThreadPoolExecutor

        bits = self._call("lacking", "uint64_t", "void *")(self._place)
        names = [name for k, name in enumerate(KERNELS) if bits >> k & 1]
        with ThreadPoolExecutor(available_cpus()) as pool:
            files = list(pool.map(compiled, names, map(cuda.library_source, names)))
        self.add({name: load(file, [name])[0] for name, file in zip(names, files, strict=True)})

    def add_libraries(self, places: Sequence[Path] | None = None) -> None:
        """Use what there is of NVIDIA's libraries; the GPU's context is the present one."""
        places = list(folders()) if places is None else places
        for library in LIBRARIES:
            state, table = open_functions(library, places)
            if not state.missing:
                self._kept.append(table)
                word = library.name.lower()
                self._serve({}, **{word: table})
                error = self._call(f"open_{word}", "int", "void *")(self._place)
                state = state._replace(missing=self.error(error)) if error else state
            self.libraries.append(state)

    def error(self, number: int) -> str:
        """An error of products and convolutions in words; empty if it is the driver's."""
        text = runtime.ffi().new("char[]", 200)
        self._call("products_error", "void", "int", "char *", "size_t")(number, text, 200)
        return runtime.ffi().string(text).decode()
