"""Run in a process of its own by test_golden: the texts of golden files, as JSON on the standard
output.

A process of its own, since the order of sums in sizes is that in which their parts were first made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from symcomp.codegen import tiling
from symcomp.compile.pipeline import Compilation, compile_expression
from tests.small_programs import CASES

tiling.CORES = 2  # products are cut by the number of cores: the files are those of two


def source(file: str) -> str:
    """The text of a file like `golden/elementwise.c`, or `golden_cuda/elementwise.cu` and `.c`, but
    for the line that says how many cores this machine has.
    """
    path = Path(file)
    device = "cuda" if path.parent.name == "golden_cuda" else "cpu"
    c = CASES[path.stem]()
    job = compile_expression(Compilation(path.stem, c.outputs, c.updates, device=device))
    text = job.kernels if path.suffix == ".cu" else job.source
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#define SYMCOMP_CORES"))


if __name__ == "__main__":
    print(json.dumps({file: source(file) for file in sys.argv[1:]}))
