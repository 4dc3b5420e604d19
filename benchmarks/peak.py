"""The machine's own speed: a loop of fused multiply-adds that reads no memory, on all threads.

It stands among the contestants of a case with as many operations as one call of the case has, so
that it is measured in the same rounds as they are: its time over symcomp's is symcomp's share of
the peak.  The loop is C (``peak.c``), compiled by the compiler that compiles symcomp's functions.
"""

import ctypes
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.case import Arrays, Prepared

SOURCE = Path(__file__).with_name("peak.c")


def _library() -> ctypes.CDLL:
    from symcomp.codegen.build import compile_shared

    with tempfile.TemporaryDirectory(prefix="symcomp-peak-") as folder:
        output = Path(folder) / "peak.so"
        compile_shared(SOURCE.read_text(encoding="utf-8"), output, ("-fopenmp",))
        library = ctypes.CDLL(str(output))
    library.flops_of_a_round.restype = ctypes.c_long
    library.peak.restype = ctypes.c_float
    library.peak.argtypes = (ctypes.c_long, ctypes.c_float, ctypes.c_int)
    return library


def loop(flops: float) -> Callable[[Arrays], Prepared]:
    """A contestant that does that many operations, and whose result nobody compares."""

    def build(data: Arrays) -> Prepared:
        library = _library()
        rounds = round(flops / library.flops_of_a_round())
        arguments = rounds, 0.25, int(os.environ["OMP_NUM_THREADS"])
        return Prepared(library.peak, arguments, result=lambda sum: np.empty(0, np.float32))

    return build
