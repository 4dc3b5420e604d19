"""The vector math header against 60-digit arithmetic: accuracy in ulp, ends, vectorisation.

One C file loops every function over arrays; it is built for this processor, for AVX2 and for the
oldest x86-64. Float64 results are compared with mpmath at a few thousand points each; float32
results with the float64 ones, which those tests have then proven, at about a million points. The
bounds are one table (vector_math_cases); run with -s to see the measured values.
"""

import math

import mpmath
import numpy as np
import pytest
from vector_math_cases import (
    AWKWARD,
    BINARY,
    DIVISION,
    ENDS,
    EXACT,
    EXACT_BINARY,
    LIMITS,
    NUMPY_NAMES,
    SCALAR,
    TYPES,
    UNARY,
    binary_points,
    evaluate,
    random_bits,
    same,
    ulp_error,
    unary_points,
)
from vector_math_loops import BUILDS, Built, compiler_defines, float_loops


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """built(name): the loops compiled with one of BUILDS, skipping what this processor lacks."""
    cache = {}

    def get(name):
        defines = compiler_defines("-march=native")
        if name == "avx2" and not ("__AVX2__" in defines and "__FMA__" in defines):
            pytest.skip("this processor has no AVX2")
        if name not in cache:
            cache[name] = Built(tmp_path_factory.mktemp(name), BUILDS[name], list(float_loops()))
        return cache[name]

    return get


@pytest.fixture(scope="module")
def exact():
    """exact(name): points and their results in 60 digits, computed once for all builds."""
    cache = {}

    def get(name):
        if name not in cache:
            points = (
                unary_points(name, np.float64, 450)
                if name in UNARY
                else binary_points(name, np.float64, 1500)
            )
            function = UNARY[name][0] if name in UNARY else BINARY[name][0]
            with mpmath.workdps(60):
                values = [evaluate(function, *map(float, p)) for p in zip(*points, strict=True)]
            cache[name] = points, values
        return cache[name]

    return get


def allowance(build, bound):
    """Without fused multiply-add the same methods round once more here and there."""
    return bound if build != "plain" else 1.25 * bound


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_float64_against_60_digits(built, exact, name, build):
    bound = allowance(build, (UNARY[name][3] if name in UNARY else BINARY[name][1]))
    points, values = exact(name)
    results = built(build).call(name, "f64", *points)
    worst, where = 0.0, None
    with mpmath.workdps(60):
        for index, value in enumerate(values):
            if value is not None:
                scale = max(abs(p[index]) for p in points) if name == "logaddexp" else 0
                error = ulp_error(float(results[index]), value, float(scale))
                if error > worst:
                    worst, where = error, [float(p[index]) for p in points]
    print(f"{name}_f64 {build}: {worst:.3f} ulp of {len(values)} points, at {where}")
    assert worst <= bound, (name, worst, where)


@np.errstate(all="ignore")
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_float32_against_float64(built, name, build):
    bound = allowance(build, UNARY[name][4] if name in UNARY else BINARY[name][2])
    points = (
        unary_points(name, np.float32, 130_000)
        if name in UNARY
        else binary_points(name, np.float32, 250_000)
    )
    got = built(build).call(name, "f32", *points)
    reference = built(build).call(
        name.removesuffix("_bounded"), "f64", *(p.astype(np.float64) for p in points)
    )
    rounded = reference.astype(np.float32)
    finite = np.isfinite(got) & np.isfinite(rounded)
    scale = np.abs(rounded)
    if name == "logaddexp":
        scale = np.maximum.reduce([scale, *(np.where(np.isfinite(p), abs(p), 0) for p in points)])
    unit = np.spacing(np.where(finite, scale, 1).astype(np.float32)).astype(np.float64)
    error = np.where(
        finite, np.abs(got.astype(np.float64) - np.where(finite, reference, 0)) / unit, 0
    )
    edge = np.maximum(np.abs(got), np.abs(rounded)) == np.inf
    edge &= np.minimum(np.abs(got), np.abs(rounded)) == np.finfo(np.float32).max
    wrong = ~finite & ~same(got, rounded) & ~edge
    index = int(np.argmax(error))
    print(
        f"{name}_f32 {build}: {error[index]:.3f} ulp of {got.size} points,"
        f" at {[float(p[index]) for p in points]}"
    )
    assert not wrong.any(), [p[wrong][:5] for p in points]
    assert error[index] <= bound, (name, error[index], [p[index] for p in points])


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("suffix", TYPES)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_ends_zeros_and_nan_as_numpy(built, name, suffix, build):
    """nan, infinities, poles, domain errors and the signs of zeros are NumPy's."""
    dtype = TYPES[suffix][1]
    numpy_function = getattr(np, NUMPY_NAMES.get(name, name), None)
    with np.errstate(all="ignore"):
        if name in BINARY:
            x, y = (grid.ravel().astype(dtype) for grid in np.meshgrid(AWKWARD, AWKWARD))
            got, expected = built(build).call(name, suffix, x, y), numpy_function(x, y)
            x = np.stack([x, y], 1)
        elif name in LIMITS:
            x = np.array(ENDS, dtype)
            got, expected = built(build).call(name, suffix, x), np.array(LIMITS[name], dtype)
        elif "bounded" in name:
            x = np.array([0.0, -0.0], dtype)
            got, expected = built(build).call(name, suffix, x), getattr(np, name[:3])(x)
        else:
            x = np.array(AWKWARD, dtype)
            got, expected = built(build).call(name, suffix, x), numpy_function(x)
    special = ~np.isfinite(expected) | ~np.isfinite(got) | ((got == 0) & (expected == 0))
    special |= (name == "atan2") & (x.reshape(len(x), -1)[:, 0] == 0)
    bad = special & ~same(got, expected)
    assert not bad.any(), (x[bad], got[bad], expected[bad])


@pytest.mark.parametrize("suffix", TYPES)
@pytest.mark.parametrize("build", BUILDS)
def test_exact_functions_as_numpy(built, suffix, build):
    """Rounding, signs, maxima and minima are NumPy's (but for the sign of zero in maxima)."""
    dtype = TYPES[suffix][1]
    generator = np.random.default_rng(5)
    with np.errstate(all="ignore"):
        halves = generator.integers(-50, 50, 2000) / 2
        bits = random_bits(generator, dtype, 5000)
        x = np.concatenate([np.array(AWKWARD).astype(dtype), halves.astype(dtype), bits])
        for name, numpy_function in EXACT.items():
            bad = ~same(built(build).call(name, suffix, x), numpy_function(x))
            assert not bad.any(), (name, x[bad][:5])
        a, b = (grid.ravel().astype(dtype) for grid in np.meshgrid(AWKWARD, AWKWARD))
        for name, numpy_function in EXACT_BINARY.items():
            got, expected = built(build).call(name, suffix, a, b), numpy_function(a, b)
            bad = ~(same(got, expected) | ((got == 0) & (expected == 0) & (name != "copysign")))
            assert not bad.any(), (name, a[bad][:5], b[bad][:5])


@pytest.mark.parametrize("suffix", TYPES)
@pytest.mark.parametrize("build", BUILDS)
def test_float_mod_and_floor_divide_as_numpy(built, suffix, build):
    """Equal to NumPy: all exponents, huge quotients, exact multiples, all awkward pairs."""
    dtype = TYPES[suffix][1]
    generator = np.random.default_rng(6)
    with np.errstate(all="ignore"):
        a, b = (grid.ravel() for grid in np.meshgrid(AWKWARD, AWKWARD))
        whole = generator.integers(-30, 31, (2, 3000)) * 0.5
        near = generator.normal(size=(2, 3000)) * 10.0 ** generator.uniform(-9, 9, (2, 3000))
        bits = random_bits(generator, dtype, 6000).reshape(2, 3000)
        x, y = (
            np.concatenate(v).astype(dtype) for v in zip((a, b), whole, near, bits, strict=True)
        )
        for name, numpy_function in DIVISION.items():
            got, expected = built(build).call(name, suffix, x, y), numpy_function(x, y)
            bad = ~same(got, expected)
            assert not bad.any(), (name, x[bad][:5], y[bad][:5], got[bad][:5], expected[bad][:5])


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", SCALAR)
def test_scalar_special_functions(built, name):
    function, ranges, bound = SCALAR[name]
    generator = np.random.default_rng(sum(map(ord, name)))
    x = np.concatenate([generator.uniform(*region, 60) for region in ranges])
    got = built("native").call(name, "f64", x)
    narrow = built("native").call(name, "f32", x.astype(np.float32))
    wide = built("native").call(name, "f64", x.astype(np.float32).astype(np.float64))
    with mpmath.workdps(40):
        errors = [
            ulp_error(float(g), mpmath.re(function(mpmath.mpf(float(v)))))
            for g, v in zip(got, x, strict=True)
        ]
    worst = int(np.argmax(errors))
    print(f"{name}_f64: {errors[worst]:.2f} ulp at {x[worst]}")
    assert errors[worst] <= bound, (name, errors[worst], x[worst])
    assert np.array_equal(narrow, wide.astype(np.float32))


def test_scalar_special_functions_at_their_ends(built):
    inf, nan = math.inf, math.nan
    table = {
        "gammaln": [
            (0.0, inf),
            (-1.0, inf),
            (1.0, 0.0),
            (2.0, 0.0),
            (inf, inf),
            (-inf, inf),
            (nan, nan),
        ],
        "gamma": [(0.0, inf), (-0.0, -inf), (-1.0, nan), (5.0, 24.0), (inf, inf), (nan, nan)],
        "digamma": [(0.0, -inf), (-0.0, inf), (-1.0, nan), (inf, inf), (-inf, nan), (nan, nan)],
        "trigamma": [(0.0, inf), (-1.0, inf), (inf, 0.0), (nan, nan)],
        "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, inf), (-1.0, -inf), (1.5, nan), (nan, nan)],
        "ndtri": [(0.5, 0.0), (0.0, -inf), (1.0, inf), (-0.5, nan), (nan, nan)],
        "i0": [(0.0, 1.0), (inf, inf), (-inf, inf), (1e300, inf), (nan, nan)],
        "i1": [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -inf), (nan, nan)],
    }
    for name, rows in table.items():
        x, expected = np.array(rows).T
        got = built("native").call(name, "f64", x)
        assert same(got, expected).all(), (name, x, got)


@pytest.mark.parametrize("build", ["native", "avx2"])
def test_every_vector_loop_is_vectorised(built, build):
    loops_built = built(build)
    if loops_built.notes is None or "__AVX2__" not in compiler_defines(*BUILDS[build]):
        pytest.skip("needs gcc's report, and AVX2")
    assert loops_built.missed() == []
