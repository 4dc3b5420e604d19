"""Every function of the headers in kernels: the same numbers as in the CPU's C.

Both are compiled for this machine, once without contraction of a·b + c, where all bits must agree,
and once as they are used, where the compilers choose what to contract. For GPUs the same text is
compiled where a compiler of CUDA is.
"""

from __future__ import annotations

import numpy as np
import pytest
from device_functions import FUNCTIONS, KINDS, kernels, loops, points
from emulated import Kernels, kernels_of, missing_compiler
from vector_math_cases import BINARY, SCALAR, UNARY

from symcomp.codegen import build, cuda_build, runtime
from symcomp.codegen.c import C_TYPES, template
from symcomp.errors import SymcompError
from symcomp.graph.op import registry
from symcomp.graph.scalar import Primitive
from symcomp.tensor.foreign import CFunction

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

BUILDS = {"exact": ("-ffp-contract=off",), "contracted": ()}
#: Beyond the accuracy of both: cancellation in what is contracted on one side only.
SPARE = 2


class Both:
    """The functions as loops of the CPU's C, and as kernels of the emulation."""

    def __init__(self, folder, flags):
        build.compile_shared(loops(), folder / "loops.so", flags)
        self.library = runtime.open_library(folder / "loops.so")
        self.kernels = Kernels(folder, kernels(), flags, list(FUNCTIONS))

    def call(self, f, columns):
        """The results of C, and of the kernel."""
        n = len(columns[0])
        results = [np.empty(n, KINDS[f.result][1]) for _ in range(2)]
        types = ["void *"] * (len(columns) + 1) + ["int64_t"]
        loop = runtime.function(self.library, f.key, "void", types)
        loop(*map(runtime.pointer, columns), runtime.pointer(results[0]), n)
        order = "random"
        self.kernels.launch(f.key, 3, 64, *columns, results[1], n, order=order)
        return results


@pytest.fixture(scope="module", params=BUILDS)
def both(request, tmp_path_factory):
    return request.param, Both(tmp_path_factory.mktemp(request.param), BUILDS[request.param])


def bound(f) -> float:
    """How many units of the last place C and the kernel may be apart where sums are contracted."""
    wide = f.arguments[0] == "f64"
    if f.name in UNARY:
        return 2 * UNARY[f.name][3 if wide else 4]
    if f.name in BINARY:
        return 2 * BINARY[f.name][1 if wide else 2]
    if f.name in SCALAR:
        return 2 * SCALAR[f.name][2]
    return SPARE if f.result in ("f32", "f64") and f.group == "random" else 0


def apart(got, expected):
    """The distance in units of the last place, and 0 for nan beside nan."""
    same = (got == expected) & (np.signbit(got) == np.signbit(expected))
    same |= np.isnan(got) & np.isnan(expected)
    with np.errstate(all="ignore"):
        unit = np.spacing(np.maximum(np.abs(got), np.abs(expected)))
        distance = np.abs(got - expected) / unit
    return np.where(same, 0, np.where(np.isnan(distance) | np.isnan(unit), np.inf, distance))


@np.errstate(all="ignore")
@pytest.mark.parametrize("key", FUNCTIONS)
def test_kernels_compute_what_c_does(both, key):
    name, built = both
    f = FUNCTIONS[key]
    columns = points(f)
    expected, got = built.call(f, columns)
    if expected.dtype.kind != "f":
        assert np.array_equal(got, expected), key
        return
    error = apart(got, expected)
    if f.name == "logaddexp" and name == "contracted":
        largest = np.maximum.reduce([np.abs(expected), *map(np.abs, columns)])
        error = np.where(error == 0, 0, error * np.abs(expected) / largest)
    worst = int(np.argmax(error))
    print(f"{key} {name}: {error[worst]:.2f} ulp")
    where = [c[worst] for c in columns], got[worst], expected[worst]
    assert error[worst] <= (0 if name == "exact" else bound(f)), (key, error[worst], where)


# --- every formula that may be printed ------------------------------------------------------------


def formulas():
    """Each function of real numbers that is written in C, for each dtype, as the printer writes
    it.
    """
    for op in registry.values():
        if not isinstance(op, Primitive) or isinstance(op, CFunction) or not op.c:
            continue
        count = 2 if op.variadic else len(op.parameters)
        seen = set()
        for dtype in C_TYPES:
            try:
                given, result = op.signature(*[dtype] * count)
            except SymcompError:
                continue
            if given not in seen:
                seen.add(given)
                yield op, given, result


def formula_kernels() -> str:
    """A kernel for each function, in which all its dtypes are."""
    lines, last = ['#include "symcomp_grid.cuh"'], None
    for op, given, result in formulas():
        if op is not last:
            lines += ["}"] if last else []
            lines.append(f'extern "C" __global__ void k_{op.name}(char *x, char *y, char *z) {{')
            lines.append("    const int64_t i = sc_thread();")
        last = op
        types = [C_TYPES[t] for t in (*given, result)]
        arguments = [f"(({t} *){v})[i]" for t, v in zip(types, "xyzx"[: len(given)], strict=False)]
        lines.append(f"    (({types[-1]} *)z)[i] = {template(op, arguments, given[-1])};")
    return "\n".join([*lines, "}"]) + "\n"


def test_every_formula_is_in_device_code(tmp_path):
    source = formula_kernels()
    names = kernels_of(source)
    assert len(names) > 80 and {"k_exp", "k_where", "k_add", "k_left_shift"} <= set(names)
    Kernels(tmp_path, source)


# --- for a GPU ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nvrtc", "nvcc"])
def test_the_same_text_compiles_for_a_gpu(kind, tmp_path):
    chosen = getattr(cuda_build, kind)()
    if chosen is None:
        pytest.skip(f"no {kind}")
    source = kernels() + formula_kernels().split("\n", 1)[1]
    output = tmp_path / "functions.cubin"
    assert "warning" not in cuda_build.compile_kernels(source, output, "sm_90", (), (), chosen)
    found = cuda_build.resources(source, output, "sm_90", chosen)
    assert set(found) == {*FUNCTIONS, *kernels_of(formula_kernels())}
    assert all(r.spill_stores == 0 for r in found.values())
