"""`python -m symcomp doctor`: what symcomp uses on this machine, in plain words, and what is wrong.

Each check is one function that yields findings; a finding that is wrong says what to do. A check
that fails unexpectedly is itself a finding: the doctor always reaches the end.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symcomp.codegen import build, cache, cuda_build, device_array, gpu, gpu_libraries, runtime
from symcomp.errors import GpuError, SymcompError
from symcomp.options import TABLE, available_cpus, options
from symcomp.version import VERSION

FEATURES = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "neon", "asimd", "sve")
MEGABYTE = 1e6


class Finding(NamedTuple):
    """One line of the report; `remedy` is what to do when it is wrong."""

    text: str
    wrong: bool = False
    remedy: str = ""


def versions() -> Iterator[Finding]:
    """Python and NumPy."""
    yield Finding(f"symcomp {VERSION}, Python {platform.python_version()} ({sys.executable})")
    old = int(np.__version__.split(".")[0]) < 2
    yield Finding(f"NumPy {np.__version__}", old, "symcomp needs NumPy 2: `pip install -U numpy`")


def settings() -> Iterator[Finding]:
    """The options that are not at their defaults."""
    for option in TABLE:
        try:
            source = options.source(option.name)
            if source != "default":
                yield Finding(f"option {option.name} is {options.get(option.name)} ({source})")
        except SymcompError as error:
            yield Finding(str(error), True, f"correct or unset {option.variable}")


def processor() -> Iterator[Finding]:
    """The processor and the threads."""
    features = [name for name in FEATURES if name in build.cpu_features()]
    yield Finding(f"processor: {build.cpu_model()} ({', '.join(features) or 'no vector units'})")
    cpus, threads = available_cpus(), options.threads
    yield Finding(f"threads: {threads} per call, on {cpus} processors")
    if threads > cpus:
        yield Finding(
            "more threads than processors: calls wait for each other",
            True,
            "unset SYMCOMP_THREADS, or give this process more processors",
        )


def compiler() -> Iterator[Finding]:
    """The C compiler: which, and whether what it makes runs."""
    chosen = build.compiler()
    yield Finding(f"C compiler: {' '.join(chosen.command)} ({chosen.version()})")
    yield Finding(f"flags: {' '.join(chosen.flags())}")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "probe.so")
        source = (build.INCLUDE / "probe.c").read_text(encoding="utf-8")
        build.compile_shared(source, path)
        library = runtime.open_library(path)
        probe = runtime.function(library, "probe", "double", ["double *", "int64_t"])
        total = probe(runtime.ffi().cast("double *", runtime.pointer(np.ones(100))), 100)
    right = total == 100.0
    remedy = "its flags and this processor do not fit: look at the option cflags (SYMCOMP_CFLAGS)"
    yield Finding(
        "it compiles a small program, which runs" if right else f"its program gives {total}",
        not right,
        remedy,
    )


def folder() -> Iterator[Finding]:
    """The cache folder and what is in it."""
    place = cache.folder()
    listed = list(cache.entries())
    size = sum(entry.size for entry in listed) / MEGABYTE
    yield Finding(f"cache folder: {place}, {len(listed)} entries, {size:.1f} MB")
    with tempfile.TemporaryDirectory(dir=place):
        yield Finding("it belongs to you, and can be written")


def kernels() -> Iterator[Finding]:
    """The runtime, and OpenBLAS's kernels."""
    native = runtime.native()
    yield Finding(f"runtime: {native.path}")
    blas = native.blas()
    asked = f", asked for as {blas.wanted}" if blas.wanted else ", its own choice"
    yield Finding(f"matrix products: {blas.version}, kernels {blas.name}{asked} ({blas.path})")
    if blas.wanted and blas.name.lower() != blas.wanted.lower():
        yield Finding(
            f"OpenBLAS does not run the kernels {blas.wanted}: products may take twice as long",
            True,
            "if this program imports scipy_openblas32 itself, let it import symcomp first; "
            "else see the option blas_coretype (SYMCOMP_BLAS_CORETYPE)",
        )


def graphics() -> Iterator[Finding]:
    """The GPU, without which symcomp does well: its device, compilers and libraries."""
    found = False
    try:
        taken = gpu.gpu()
    except GpuError as error:
        yield Finding(f"GPU: none: {error.message}", options.device == "cuda")
    else:
        found = True
        device, free = taken.device, taken.free_memory() / MEGABYTE
        yield Finding(
            f"GPU: {device.name} ({device.architecture}), {device.processors} multiprocessors, "
            f"{free:.0f} of {device.memory / MEGABYTE:.0f} MB free, driven by "
            f"{options.cuda_driver}"
        )
        kept = device_array.to_device(np.arange(100.0)).get()
        right = np.array_equal(kept, np.arange(100.0))
        yield Finding("it keeps numbers" if right else f"it loses numbers: {kept}", not right)
        if device.architecture == cuda_build.HOST:
            chosen = cuda_build.compiler(cuda_build.HOST)
            yield Finding(f"kernels for it: {' '.join(chosen.command)} ({chosen.version()})")
            return
    yield Finding(f"NVIDIA's driver: {_driver()}")
    compilers = [c for c in (cuda_build.nvrtc(), cuda_build.nvcc()) if c]
    yield Finding(
        "compilers of kernels, the first is used: "
        + (", ".join(f"{c.version()} ({c.command[0]})" for c in compilers) or "none"),
        found and not compilers,
        cuda_build.INSTALL,
    )
    for state in gpu_libraries.describe():
        yield Finding(f"{state}")


def _driver() -> str:
    """The newest CUDA that NVIDIA's driver knows, in words."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "none (libcuda.so.1)"
    number = ctypes.c_int()
    status = library.cuDriverGetVersion(ctypes.byref(number))
    if status:
        return f"does not answer (CUDA error {status})"
    return f"for CUDA {number.value // 1000}.{number.value % 1000 // 10}"


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    versions,
    settings,
    processor,
    compiler,
    folder,
    kernels,
    graphics,
)


def findings() -> Iterator[Finding]:
    """All findings; an error inside a check is one."""
    for check in CHECKS:
        try:
            yield from check()
        except (SymcompError, OSError) as error:
            # Errors of symcomp say what to do themselves.
            yield Finding(str(error), True)


def report() -> int:
    """Print the findings; the exit status: 1 when something is wrong."""
    wrong = 0
    for finding in findings():
        first, *rest = finding.text.splitlines()
        print(("WRONG  " if finding.wrong else "ok     ") + first)
        for line in [
            *rest,
            *([f"-> {finding.remedy}"] if finding.wrong and finding.remedy else []),
        ]:
            print("       " + line)
        wrong += finding.wrong
    print(f"\n{wrong} of these are wrong." if wrong else "\nAll is well.")
    return 1 if wrong else 0
