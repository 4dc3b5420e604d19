"""Products and convolutions by cuBLAS and cuDNN: what they are given, checked by libraries that
pretend to be them (pretended_cublas.c, pretended_cudnn.c); and how the real ones are found.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from emulated import HERE, missing_compiler
from gpu_host import STRICT, WHICH, Failed, Machine, arguments, compiled_kernels, expected
from test_gpu_products import DTYPES, GEOMETRIES, SIZES, close, geometry, matrices

from symcomp.codegen import build, gpu_libraries, runtime

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

#: Of those in GEOMETRIES, what cuDNN's descriptors can say (and is not left to others).
SAID = (
    "3 × 3", "one place", "LeNet", "several tiles", "7 × 7, stride 2", "dilated", "groups",
    "groups and strides", "many filters for each", "filters larger than the image", "a signal",
    "one very long row", "a volume",
)  # fmt: skip


def pretended(folder: Path, name: str, version: str = "") -> Path:
    """A library that pretends, under the file name of the real one."""
    source = (HERE / f"pretended_{name}.c").read_text(encoding="utf-8")
    made = folder / f"lib{name}.so"
    build.compile_shared(source, made, STRICT)
    return made.rename(f"{made}{version}")


class Number:
    """An int variable of a library."""

    def __init__(self, path: Path, name: str) -> None:
        self._library, self._name = runtime.open_library(path), name
        self._kind = runtime.ffi().typeof("int")

    @property
    def value(self) -> int:
        return self._library.read_variable(self._kind, self._name)

    @value.setter
    def value(self, to: int) -> None:
        self._library.write_variable(self._kind, self._name, to)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return compiled_kernels(tmp_path_factory.mktemp("kernels"))


class Equipped(Machine):
    """A machine with libraries that pretend."""

    def __init__(self, folder, kernels) -> None:
        super().__init__(folder, kernels)
        self.blas = pretended(folder, "cublas", ".so.13"[3:])
        self.dnn = pretended(folder, "cudnn", ".9")
        self.products.add_libraries([folder])

    def number(self, name) -> Number:
        return Number(self.dnn if name != "blas_calls" else self.blas, f"pretended_{name[-5:]}")


@pytest.fixture(scope="module")
def machine(kernels, tmp_path_factory):
    return Equipped(tmp_path_factory.mktemp("equipped"), kernels)
