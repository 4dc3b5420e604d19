"""The ways to evaluate expressions that tests compare: each takes inputs, outputs and values."""

from __future__ import annotations

import functools
import zlib

import pytest

import symcomp
from symcomp.codegen import cuda_build
from symcomp.errors import CompilerError
from symcomp.graph.type import DTYPES
from symcomp.graph.walk import evaluate
from symcomp.options import options


def by_numpy(inputs, outputs, values):
    return evaluate(outputs, dict(zip(inputs, values, strict=True)))


def by_c(inputs, outputs, values):
    function = symcomp.function(inputs, outputs, on_unused_input="ignore")
    return function(*values)


def by_cuda(inputs, outputs, values):
    if no_gpu():
        pytest.skip(no_gpu())
    function = symcomp.function(inputs, outputs, on_unused_input="ignore", device="cuda")
    return function(*values)


@functools.cache
def no_gpu() -> str:
    """Why device="cuda" cannot be tested here; empty where it can. Without a GPU it is emulated."""
    if options.cuda_driver != "host":
        return ""
    try:
        cuda_build.host_compiler()
    except CompilerError as error:
        return f"the emulation of a GPU: {error}"
    return ""


#: Every backend by name.
BACKENDS = {"numpy": by_numpy, "c": by_c, "cuda": by_cuda}

#: Dtypes whose kernels are made alike: of each, one is enough where compiling takes long.
CLASSES_OF_DTYPES = (
    ("bool",), ("int8", "int16", "int32", "int64"), ("uint8", "uint16", "uint32", "uint64"),
    ("float32",), ("float64",),
)  # fmt: skip


def dtypes(backend: str, name: str, request, few: bool = False) -> list[str]:
    """The dtypes in which something is tried: all, or of slow backends one of each class (of every
    other class, if a `few` suffice), other ones for each name and `--seed`; with `--all-dtypes` all
    everywhere.
    """
    assert {d for c in CLASSES_OF_DTYPES for d in c} == set(DTYPES)
    if backend != "cuda" or request.config.getoption("--all-dtypes"):
        return list(DTYPES)
    number = zlib.crc32(name.encode()) + request.config.getoption("--seed")
    classes = CLASSES_OF_DTYPES[number % 2 :: 2] if few else CLASSES_OF_DTYPES
    chosen = {c[number % len(c)] for c in classes}
    return [d for d in DTYPES if d in chosen]
