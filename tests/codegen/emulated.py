"""Kernels on the host for tests: a text of CUDA, compiled for the emulation, and its launches."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from symcomp.codegen import build, cuda_build, runtime
from symcomp.errors import CompilerError

HERE = Path(__file__).parent
ORDERS = ("forward", "reverse", "random", "random:7")
VARIABLE = "SYMCOMP_EMULATION_ORDER"


def missing_compiler() -> str:
    """Why nothing can be emulated here, or nothing."""
    try:
        cuda_build.host_compiler()
    except CompilerError as error:
        return str(error)
    return ""


def kernels_of(source: str) -> list[str]:
    """The names of the kernels of a text."""
    return re.findall(r"__global__ void (\w+)\(", source)


class KernelError(Exception):
    """What the emulation says, and its number."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Kernels:
    """The kernels of a text, compiled for the emulation."""

    def __init__(self, folder: Path, source: str, flags=(), names=None) -> None:
        self.names = names or kernels_of(source)
        path = folder / "kernels.so"
        cuda_build.compile_kernels(source, path, "host", self.names, flags)
        self.path = path
        self.library = runtime.open_library(path)
        kinds = ["const unsigned *", "const unsigned *", "size_t", "void **"]
        self._kernels = {
            name: runtime.function(self.library, f"emulated_{name}", "int", kinds)
            for name in self.names
        }
        self._error = runtime.function(self.library, "emulated_error", "char *", [])

    def launch(self, name, grid, block, *arguments, shared=0, order="forward") -> None:
        """Run a kernel; arrays are passed as their addresses, numbers as int64.

        Raises a KernelError where the emulation finds something wrong.
        """
        ffi = runtime.ffi()
        kept = [
            ffi.new("void **", ffi.cast("void *", runtime.pointer(a)))
            if isinstance(a, np.ndarray)
            else ffi.new("int64_t *", int(a))
            for a in arguments
        ]
        values = ffi.new("void *[]", [ffi.cast("void *", k) for k in kept] or 1)
        sizes = [ffi.new("unsigned[3]", _three(n)) for n in (grid, block)]
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = order
        try:
            status = self._kernels[name](*sizes, shared, values)
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before
        if status:
            raise KernelError(status, ffi.string(self._error()).decode())


def _three(n) -> tuple[int, int, int]:
    sizes = (n,) if isinstance(n, int) else tuple(n)
    return (*sizes, 1, 1, 1)[:3]


def sanitizers() -> str:
    """The libraries of the address and undefined-behaviour sanitizers, to be loaded before all
    others; empty where there are none.
    """
    found = cuda_build.host_compiler()
    if build.dialect(" ".join(found.command)) != "gcc":
        return ""
    paths = []
    for name in ("libasan.so", "libubsan.so"):
        status, text = build.run([*found.command, f"-print-file-name={name}"])
        if status != 0 or not os.path.isabs(text.strip()):
            return ""
        paths.append(os.path.realpath(text.strip()))
    return ":".join(paths)
