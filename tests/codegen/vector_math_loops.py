"""One C file that loops the functions of the vector math over arrays, built and called by cffi."""

import re
import subprocess
from pathlib import Path

import numpy as np
from vector_math_cases import (
    DIVISION,
    EXACT,
    INTEGERS,
    SCALAR,
    TYPES,
    UNARY,
    VECTOR_BINARY,
)

INCLUDE = Path(__file__).parents[2] / "symcomp" / "codegen" / "include"
FLAGS = [
    "-O3",
    "-std=c11",
    "-fopenmp-simd",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
]
FLAGS += ["-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}"]
LOOP = "void {f}_{t}(const {c} *restrict x, const {c} *restrict y, {c} *restrict z, long n) {{\n"
LOOP += "    (void)y;\n"
LOOP += "{simd}    for (long i = 0; i < n; i++) z[i] = sc_{f}_{t}({arguments});\n}}\n"
CAST = "void cast_{to}_{f}(const {c} *x, {to_c} *z, long n) {{\n"
CAST += "    for (long i = 0; i < n; i++) z[i] = sc_cast_{to}_{f}(x[i]);\n}}\n"


def loop(name, suffix, ctype, binary, simd):
    pragma = "#pragma omp simd\n" if simd else ""
    return LOOP.format(
        f=name, t=suffix, c=ctype, simd=pragma, arguments="x[i], y[i]" if binary else "x[i]"
    )


def float_loops():
    """(name, suffix, C text) of one loop per function of float32 and of float64."""
    for suffix, (ctype, _) in TYPES.items():
        for name in [*UNARY, *EXACT]:
            yield name, suffix, loop(name, suffix, ctype, False, True)
        for name in VECTOR_BINARY:
            yield name, suffix, loop(name, suffix, ctype, True, True)
        for name in SCALAR:
            yield name, suffix, loop(name, suffix, ctype, False, False)
        for name in DIVISION:
            yield name, suffix, loop(name, suffix, ctype, True, False)


def integer_loops():
    """(name, suffix, C text) of one loop per function and integer type."""
    for suffix, ctype in INTEGERS.items():
        for name in ("mod", "floordiv", "ipow"):
            yield name, suffix, loop(name, suffix, ctype + "_t", True, False)


def casts():
    """(name, suffix, C text) of one loop per pair of types; the suffix is the type cast from."""
    types = {"f32": "float", "f64": "double", "bool": "uint8_t"} | {
        k: f"{v}_t" for k, v in INTEGERS.items()
    }
    for source, source_c in types.items():
        for target, target_c in types.items():
            yield (
                f"cast_{target}",
                source,
                CAST.format(to=target, f=source, c=source_c, to_c=target_c),
            )


def compiler_defines(*flags):
    run = subprocess.run(
        ["cc", *flags, "-dM", "-E", "-x", "c", "/dev/null"], capture_output=True, text=True
    )
    return run.stdout if run.returncode == 0 else ""


class Built:
    """The compiled loops, called with NumPy arrays through cffi's ABI mode."""

    def __init__(self, folder, flags, loops):
        import cffi

        text = "".join(text for *_, text in loops)
        self.lines = ['#include "symcomp_math.h"', *text.splitlines()]
        source, library, notes = folder / "loops.c", folder / "loops.so", folder / "notes.txt"
        source.write_text("\n".join(self.lines) + "\n")
        report = [] if "__clang__" in compiler_defines() else [f"-fopt-info-vec={notes}"]
        command = ["cc", *FLAGS, *flags, *report, "-shared", "-fPIC", str(source)]
        command += ["-o", str(library), "-lm"]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        self.notes = notes.read_text() if notes.exists() else None
        self.ffi = cffi.FFI()
        for name, suffix, _ in loops:
            arrays = "void *, void *" if name.startswith("cast_") else "void *, void *, void *"
            self.ffi.cdef(f"void {name}_{suffix}({arrays}, long);")
        self.library = self.ffi.dlopen(str(library))

    def call(self, name, suffix, x, y=None):
        x = np.ascontiguousarray(x)
        y = x if y is None else np.ascontiguousarray(y)
        out = np.empty_like(x)
        pointers = [self.ffi.from_buffer(a) for a in (x, y, out)]
        getattr(self.library, f"{name}_{suffix}")(*pointers, x.size)
        return out

    def cast(self, x, source, target, dtype):
        out = np.empty(x.shape, dtype)
        getattr(self.library, f"cast_{target}_{source}")(
            self.ffi.from_buffer(x), self.ffi.from_buffer(out), x.size
        )
        return out

    def missed(self):
        """The vector loops that the compiler's report does not name."""
        done = {
            int(number)
            for number in re.findall(r"loops\.c:(\d+):\d+: \S+ loop vectorized", self.notes)
        }
        pairs = enumerate(zip(self.lines, self.lines[1:], strict=False), start=1)
        return [
            b.strip()
            for number, (a, b) in pairs
            if "omp simd" in a and not done & {number, number + 1}
        ]


BUILDS = {"native": ["-march=native"], "avx2": ["-mavx2", "-mfma"], "plain": []}
