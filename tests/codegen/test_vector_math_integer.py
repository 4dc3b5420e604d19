"""Integer division, powers and casts of the C helpers are NumPy's, without undefined behaviour."""

import math
import platform
import subprocess

import numpy as np
import pytest
from vector_math_cases import AWKWARD, DIVISION, INTEGERS, TYPES, VECTOR_BINARY
from vector_math_loops import BUILDS, FLAGS, Built, casts, float_loops, integer_loops


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    loops = [*integer_loops(), *casts()]
    return Built(tmp_path_factory.mktemp("native"), BUILDS["native"], loops)


@pytest.mark.parametrize("suffix", INTEGERS)
def test_integer_mod_floor_divide_and_power_as_numpy(native, suffix):
    dtype = np.dtype(INTEGERS[suffix])
    info = np.iinfo(dtype)
    generator = np.random.default_rng(7)
    edges = np.array(
        [v for v in (info.min, info.min + 1, -7, -2, -1, 0, 1, 2, 7, info.max) if v >= info.min],
        dtype,
    )
    everything = np.arange(info.min, info.max + 1).astype(dtype) if info.bits == 8 else edges
    a, b = (grid.ravel() for grid in np.meshgrid(everything, everything))
    sampled = generator.integers(info.min, info.max, (2, 2000), dtype=dtype, endpoint=True)
    x, y = np.concatenate([a, sampled[0]]), np.concatenate([b, sampled[1]])
    with np.errstate(all="ignore"):
        assert np.array_equal(native.call("mod", suffix, x, y), np.mod(x, y))
        assert np.array_equal(native.call("floordiv", suffix, x, y), np.floor_divide(x, y))
    base, exponent = x[y >= 0], y[y >= 0]
    assert np.array_equal(native.call("ipow", suffix, base, exponent), np.power(base, exponent))
    if info.min < 0:
        x, y = np.array([1, -1, -1, 0, 3], dtype), np.array([-3, -2, -3, -1, -1], dtype)
        assert native.call("ipow", suffix, x, y).tolist() == [1, 1, -1, 0, 0]


def cast_dtypes():
    return {"f32": np.float32, "f64": np.float64, "bool": np.uint8} | {
        k: np.dtype(v) for k, v in INTEGERS.items()
    }


def cast_points(source):
    """Values of the source type on both sides of every integer type's ends."""
    dtype = np.dtype(cast_dtypes()[source])
    if source == "bool":
        return np.array([0, 1], dtype)
    if dtype.kind != "f":
        info = np.iinfo(dtype)
        edges = [s * 2**k + d for k in range(64) for s in (-1, 1) for d in (-1, 0, 1)]
        return np.array([v for v in edges if info.min <= v <= info.max], dtype)
    powers = np.array(
        [s * 2.0**k for k in (0, 7, 8, 15, 16, 31, 32, 63, 64, 70) for s in (-1, 1)], dtype
    )
    with np.errstate(all="ignore"):
        around = [
            powers,
            np.nextafter(powers, dtype.type(0)),
            np.nextafter(powers, dtype.type(np.inf)),
            powers * 1.5,
        ]
        return np.concatenate(
            [*around, np.array([*AWKWARD, 0.9, -0.9, 300.7, -300.7]).astype(dtype)]
        ).astype(dtype)


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="out of range, NumPy is as the processor"
)
@pytest.mark.parametrize("source", ["f32", "f64", "bool", *INTEGERS])
def test_casts_as_numpy(native, source):
    x = cast_points(source)
    for target, dtype in cast_dtypes().items():
        got = native.cast(x, source, target, dtype)
        with np.errstate(all="ignore"):
            expected = (x != 0).astype(np.uint8) if target == "bool" else x.astype(dtype)
            # NumPy's own scalar and vector loops differ beyond the range that is compared here
            counts = (
                (x > -(2.0**31)) & (x < 2.0**32)
                if source[0] == "f" and target == "u32"
                else np.ones(x.size, bool)
            )
        bad = counts & ~((got == expected) | ((got != got) & (expected != expected)))
        assert not bad.any(), (target, x[bad], got[bad], expected[bad])


def test_no_undefined_behaviour(tmp_path):
    """Every function over all awkward values, pairs and integer edges, under the sanitizer."""
    body = []
    for name, suffix, _ in [*float_loops(), *integer_loops()]:
        binary = name in VECTOR_BINARY or name in DIVISION or suffix in INTEGERS
        second = "b" if binary else "a"
        rows = "awkward, awkward_count" if suffix in TYPES else "edges, edge_count"
        body.append(f"    RUN{'2' if second == 'b' else '1'}({name}, {suffix}, {rows})")
    for name, source, _ in casts():
        rows = "awkward, awkward_count" if source in TYPES else "edges, edge_count"
        body.append(f"    RUN1({name}, {source}, {rows})")
    types = {"f32": "float", "f64": "double", "bool": "uint8_t"} | {
        k: f"{v}_t" for k, v in INTEGERS.items()
    }
    values = [
        *AWKWARD,
        *(s * 2.0**k for k in (7, 8, 15, 16, 31, 32, 63, 64) for s in (-1, 1)),
        -2147483649.0,
        1e10,
    ]
    numbers = ", ".join(
        "(0.0/0.0)" if v != v else f"{'-' * (v < 0)}__builtin_inf()" if math.isinf(v) else v.hex()
        for v in values
    )
    edges = ", ".join(
        f"{v}u"
        for v in sorted(
            {
                (s * 2**k + d) % 2**64
                for k in (0, 3, 7, 8, 15, 16, 31, 32, 63)
                for s in (-1, 1)
                for d in (-1, 0, 1)
            }
        )
    )
    lines = [
        '#include "symcomp_math.h"',
        *(f"typedef {ctype} type_{suffix};" for suffix, ctype in types.items()),
        f"static const double awkward[] = {{{numbers}}};",
        f"static const uint64_t edges[] = {{{edges}}};",
        "enum { awkward_count = sizeof awkward / sizeof *awkward };",
        "enum { edge_count = sizeof edges / sizeof *edges };",
        "static volatile double sink;",
        "#define RUN1(f, t, v, n) for (int i = 0; i < n; i++) \\",
        "    sink = (double)sc_##f##_##t((type_##t)v[i]);",
        "#define RUN2(f, t, v, n) for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) \\",
        "    sink = (double)sc_##f##_##t((type_##t)v[i], (type_##t)v[j]);",
        "int main(void) {",
        *body,
        "    return 0;",
        "}",
    ]
    source, program = tmp_path / "sanitized.c", tmp_path / "sanitized"
    source.write_text("\n".join(lines) + "\n")
    sanitize = ["-fsanitize=undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    command = [
        "cc",
        *FLAGS,
        "-O1",
        "-march=native",
        *sanitize,
        str(source),
        "-o",
        str(program),
        "-lm",
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    if "cannot find" in run.stderr and "ubsan" in run.stderr:
        pytest.skip("the compiler has no sanitizer library")
    assert run.returncode == 0, run.stderr[-3000:]
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
