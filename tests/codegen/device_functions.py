"""Every function of the headers that kernels may call: one table, from which loops in C and kernels
in CUDA are made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from vector_math_cases import (
    AWKWARD,
    BINARY,
    DIVISION,
    EXACT,
    INTEGERS,
    SCALAR,
    TYPES,
    UNARY,
    VECTOR_BINARY,
    binary_points,
    random_bits,
    unary_points,
)

#: By suffix: C's name and NumPy's of each dtype.
KINDS = {
    "f32": ("float", "float32"),
    "f64": ("double", "float64"),
    "b": ("bool", "bool"),
    **{suffix: (f"{name}_t", name) for suffix, name in INTEGERS.items()},
}


class Function(NamedTuple):
    """`z = call(x, y, ...)`; the group says what the arguments are to be."""

    name: str
    group: str
    arguments: tuple[str, ...]
    result: str
    call: str

    @property
    def key(self) -> str:
        return f"{self.name}_{self.arguments[0]}"


def function(name, group, arguments, result, symbol=None):
    called = symbol or f"sc_{name}_{arguments[0]}"
    places = ", ".join(f"{v}[i]" for v in "xyzw"[: len(arguments)])
    return Function(name, group, tuple(arguments), result, f"{called}({places})")


def _floats():
    for t in TYPES:
        for name in [*UNARY, *EXACT, "abs", "cbrt"]:
            yield function(name, "unary", [t], t)
        for name in [*VECTOR_BINARY]:
            yield function(name, "binary", [t, t], t)
        for name in SCALAR:
            yield function(name, "scalar", [t], t)
        for name in DIVISION:
            yield function(name, "binary", [t, t], t)
        for name in ("isinf", "isfinite", "signbit"):
            yield function(name, "unary", [t], "b")


def _integers():
    for t in INTEGERS:
        for name in ("mod", "floordiv", "ipow", "pow", "maximum", "minimum", "fmax", "fmin"):
            yield function(name, "integers", [t, t], t)
        for name in ("shl", "shr"):
            yield function(name, "integers", [t, t], t)
        for name in ("not", "abs", "sign"):
            yield function(name, "integers", [t], t)


def _casts():
    for source in (*TYPES, *INTEGERS):
        for target in (*TYPES, *INTEGERS, "bool"):
            result = "b" if target == "bool" else target
            yield function(f"cast_{target}", "casts", [source], result)


def _random():
    u = "u64"
    for name, parts, result in (
        ("bits32", 4, "u32"),
        ("bits64", 2, u),
        ("normal32", 4, "f32"),
        ("normal64", 2, "f64"),
    ):
        for own in (name, *(f"{name}_part{k}" for k in range(parts))):
            yield function(own, "random", [u] * 4, result, f"symcomp_random_{own}")
    for name, source, result in (
        ("float32", "u32", "f32"),
        ("open32", "u32", "f32"),
        ("float64", u, "f64"),
        ("open64", u, "f64"),
    ):
        yield function(name, "random", [source], result, f"symcomp_random_{name}")
    yield function("below", "random", [u, u], u, "symcomp_random_below")
    for t in TYPES:
        bits = "u32" if t == "f32" else u
        yield function(f"chance_{t}", "random", [bits, t], "b", f"symcomp_random_chance_{t}")


def _sizes():
    for name in ("tile_rows", "tile_columns", "tile_count"):
        yield function(name, "sizes", ["i64"] * 3, "i64", f"sc_{name}")


FUNCTIONS = {f.key: f for make in (_floats, _integers, _casts, _random, _sizes) for f in make()}


def _declared(f: Function) -> str:
    arrays = [f"const {KINDS[t][0]} *{v}" for t, v in zip(f.arguments, "xyzw", strict=False)]
    return ", ".join([*arrays, f"{KINDS[f.result][0]} *out", "int64_t n"])


def loops() -> str:
    """All functions as loops in C."""
    lines = ['#include "symcomp.h"', '#include "symcomp_math.h"', '#include "symcomp_numbers.h"']
    for f in FUNCTIONS.values():
        lines.append(f"SYMCOMP_EXPORT void {f.key}({_declared(f)}) {{")
        lines.append(f"    for (int64_t i = 0; i < n; ++i) out[i] = {f.call};\n}}")
    return "\n".join(lines) + "\n"


def kernels(chosen=FUNCTIONS) -> str:
    """All functions as kernels."""
    lines = ['#include "symcomp_grid.cuh"']
    for f in (FUNCTIONS[key] for key in chosen):
        lines.append(f'extern "C" __global__ void {f.key}({_declared(f)}) {{')
        lines.append("    for (int64_t i = sc_thread(); i < n; i += sc_threads())")
        lines.append(f"        out[i] = {f.call};\n}}")
    return "\n".join(lines) + "\n"


# --- what they are called with --------------------------------------------------------------------


def _everything(suffix: str, generator, size: int):
    """Values of a dtype: the awkward ones, small ones and any bits."""
    dtype = np.dtype(KINDS[suffix][1])
    if dtype.kind == "b":
        return generator.random(size) < 0.5
    if dtype.kind == "f":
        small = generator.normal(size=size) * 10.0 ** generator.integers(-8, 9, size)
        powers = [s * 2.0**k for k in (7, 8, 15, 16, 31, 32, 63, 64) for s in (-1, 1)]
        near = [np.nextafter(dtype.type(p), dtype.type(d)) for p in powers for d in (0, np.inf)]
        bits = random_bits(generator, dtype, size)
        parts = [np.array(AWKWARD), np.array(powers), np.array(near), small, bits]
        with np.errstate(all="ignore"):
            return np.concatenate([p.astype(dtype) for p in parts])
    info = np.iinfo(dtype)
    edges = [s * 2**k + d for k in range(info.bits + 1) for s in (-1, 1) for d in (-2, -1, 0, 1)]
    edges = np.array([e for e in edges if info.min <= e <= info.max], dtype)
    large = generator.integers(info.min, info.max, size, dtype=dtype, endpoint=True)
    small = generator.integers(max(info.min, -70), 71, size).astype(dtype)
    return np.concatenate([edges, large, small])


def _pairs(columns, generator):
    """All columns of one length, in another order each, so that every pair is possible."""
    length = max(map(len, columns))
    return tuple(
        generator.permutation(np.resize(c, length)) if k else np.resize(c, length)
        for k, c in enumerate(columns)
    )


def points(f: Function, size: int = 3000):
    """The arguments to try, a column each."""
    generator = np.random.default_rng(sum(map(ord, f.key)))
    dtype = np.dtype(KINDS[f.arguments[0]][1])
    if f.name in UNARY:
        return unary_points(f.name, dtype.type, size)
    if f.name in BINARY:
        return binary_points(f.name, dtype.type, size)
    if f.group == "scalar":
        parts = [generator.uniform(*region, size) for region in SCALAR[f.name][1]]
        awkward = np.array([*AWKWARD, -1.0, -2.0, 1.0, 2.0])
        awkward = awkward[~(np.abs(awkward) > 1e30) | ~np.isfinite(awkward)]
        return (np.concatenate([*parts, awkward]).astype(dtype),)
    if f.group == "sizes":
        columns = [generator.integers(0, 2000, size) for _ in f.arguments]
        return _pairs(columns, generator)
    return _pairs([_everything(t, generator, size) for t in f.arguments], generator)
