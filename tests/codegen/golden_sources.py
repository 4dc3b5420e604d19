"""Run in a process of its own by test_golden: the C of the golden functions, as JSON on the
standard output.

A process of its own, since the order of sums in sizes is that in which their parts were first made.
"""

from __future__ import annotations

import json
import sys

from symcomp.codegen import tiling
from symcomp.compile.pipeline import Compilation, compile_expression
from tests.small_programs import CASES

tiling.CORES = 2  # products are cut by the number of cores: the files are those of two


def source(name: str) -> str:
    """The C text, but for the line that says how many cores this machine has."""
    c = CASES[name]()
    job = compile_expression(Compilation(name, c.outputs, c.updates))
    lines = job.source.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#define SYMCOMP_CORES"))


if __name__ == "__main__":
    print(json.dumps({name: source(name) for name in sys.argv[1:]}))
