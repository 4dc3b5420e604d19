"""Large filters of one tap: by Winograd's algorithm for inner products where adders work beside the
multipliers, else by Strassen's; whatever this machine has, the latter is tested in another process.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build, runtime

STRASSEN = "-DSEPARATE_ADDERS=0"


@functools.cache
def function():
    x, w, u = (T.ftensor4(n) for n in "xwu")
    y = T.nn.conv2d(x, w)
    return sc.function([x, w, u], [y, *sc.vjp(y, [x, w], u)])


def products(x, w, u):
    """The three results in float64, and the sums of the terms' magnitudes."""
    rules = ("nchw,oc->nohw", x, w), ("nohw,oc->nchw", u, w), ("nohw,nchw->oc", u, x)
    values = [[a[:, :, 0, 0] if a is w else a for a in rule[1:]] for rule in rules]
    for (rule, *_), pair in zip(rules, values, strict=True):
        pair = [a.astype("float64") for a in pair]
        result, sums = np.einsum(rule, *pair), np.einsum(rule, *map(np.abs, pair))
        yield (r[:, :, None, None] if rule.endswith("->oc") else r for r in (result, sums))


def data(x_scale=1.0, w_scale=1.0, u_scale=1.0):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 288, 15, 17)) * x_scale
    w = rng.normal(size=(320, 288, 1, 1)) * w_scale
    u = rng.normal(size=(3, 320, 15, 17)) * u_scale
    return [a.astype("float32") for a in (x, w, u)]


@functools.cache
def has_adders() -> bool:
    """Whether the library of this machine is the one of inner products."""
    text = """#include "convolution_vectors.h"
    __attribute__((visibility("default"))) int adders(void) {
    #if SEPARATE_ADDERS
        return 1;
    #endif
        return 0;
    }
    """
    folder = Path(sc.options.cache)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"adders{os.getpid()}.so"
    build.compile_shared(text, place)
    return bool(runtime.function(runtime.open_library(place), "adders", "int", ())())


needs_adders = pytest.mark.skipif("not has_adders()", reason="no adders beside the multipliers")


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e15])
def test_errors_are_small_beside_the_magnitudes_of_the_terms(scale):
    given = data(x_scale=scale)
    for got, (want, sums) in zip(function()(*given), products(*given), strict=True):
        np.testing.assert_array_less(np.abs(got - want), 1e-5 * sums)


@needs_adders
def test_errors_are_those_of_a_direct_sum():
    given = data()
    with sc.options(direct_convolutions=True):
        x, w, u = (T.ftensor4(n) for n in "xwu")
        y = T.nn.conv2d(x, w)
        direct = sc.function([x, w, u], [y, *sc.vjp(y, [x, w], u)])(*given)
    for got, other, (want, _) in zip(function()(*given), direct, products(*given), strict=True):
        errors = [np.sqrt(np.mean((a - want) ** 2)) / want.std() for a in (got, other)]
        assert errors[0] < max(2 * errors[1], 5e-7)


@needs_adders
def test_rows_and_columns_may_be_of_very_different_sizes():
    """Each result is as exact as its own row and column allow."""
    rng = np.random.default_rng(2)
    sizes = (
        10.0 ** rng.integers(-12, 12, size=(3, 1, 15, 17)),
        10.0 ** rng.integers(-6, 7, (320, 1, 1, 1)),
    )
    given = data(*sizes)
    want, sums = next(products(*given))
    got = function()(*given)[0]
    np.testing.assert_array_less(np.abs(got - want), 3e-6 * sums)


@needs_adders
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_row_or_column(value):
    x, w, u = data()
    plain = function()(x, w, u)
    x[1, 7, 3, 5], u[2, 9, 14, 16], w[100, 200] = value, value, value
    met = (
        (np.s_[1, :, 3, 5], np.s_[:, 100]),
        (np.s_[2, :, 14, 16], np.s_[:, 200]),
        (np.s_[:, 7], np.s_[9]),
    )
    for got, before, places in zip(function()(x, w, u), plain, met, strict=True):
        reached = np.zeros(got.shape, bool)
        for place in places:
            reached[place] = True
        np.testing.assert_array_equal(np.isfinite(got), ~reached)
        np.testing.assert_array_equal(got[~reached], before[~reached])


@needs_adders
def test_zeros_and_the_largest_numbers():
    x, w, u = data()
    x[:, :, 4], w[7], u[0] = 0, 0, 0
    x[0, 3, 5, 6], w[9, 4] = 3e38, 1e-40
    for got, (want, sums) in zip(function()(x, w, u), products(x, w, u), strict=True):
        kept = sums < 1e30
        assert kept.mean() > 0.99
        assert (np.abs(got - want)[kept] <= 3e-6 * sums[kept]).all()


def test_by_strassen():
    """The same, and all sizes of the library's tests, in a process without adders."""
    script = """
import numpy as np
from tests.codegen import test_convolution_library as library, test_filters_of_one_tap as here
assert not here.has_adders()
for way in ("1 × 1", "1 × 1 in groups"):
    for number in range(len(library.WAYS[way][3])):
        library.test_values_are_those_of_numpy_on_any_number_of_threads(way, number, "float32")
        library.test_other_ways_are_about_as_accurate_as_a_direct_sum(way, number)
here.test_errors_are_small_beside_the_magnitudes_of_the_terms(1.0)
compiled, given = library.functions("1 × 1", "float32")[0], library.arguments("1 × 1", 2, "float32")
expected = compiled(*given)[0]
given[0][1, 7, 0, 3] = np.inf
result = compiled(*given)[0]
kept = np.isfinite(result)
# 64 positions and 32 channels, at most; all others keep their bits.
assert not kept[1, :, 0, 3].any() and kept[[0, 2]].all()
assert kept[1].reshape(128, 400)[:, 64:].all() and np.isnan(result).any()
np.testing.assert_array_equal(result[kept], expected[kept])
print("done")
"""
    environment = os.environ | {"SYMCOMP_CFLAGS": STRASSEN, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "done\n", done.stderr[-3000:]


def at_the_end(a: np.ndarray) -> np.ndarray:
    """A copy that ends where memory does: what reads on does not live."""
    page = mmap.PAGESIZE
    room = mmap.mmap(-1, -(-a.nbytes // page) * page + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    protect = ctypes.CDLL(None).mprotect
    assert protect(ctypes.c_void_p(start + len(room) - page), ctypes.c_size_t(page), 0) == 0
    copy = np.frombuffer(room, a.dtype, a.size, len(room) - page - a.nbytes).reshape(a.shape)
    copy[...] = a
    return copy


@pytest.mark.skipif(sys.platform != "linux", reason="memory is protected by Linux's call")
@pytest.mark.parametrize("cores", [3, 12])
def test_shares_of_the_channels_that_are_no_whole_vectors(cores):
    """How channels are cut depends on the machine's cores, here those of another."""
    script = f"""
import os
os.cpu_count = lambda: {cores}
import numpy as np
from tests.codegen.test_filters_of_one_tap import at_the_end, function, products
rng = np.random.default_rng(3)
for images, channels, height, width in (1, 1024, 32, 32), (1, 800, 32, 33), (6, 1024, 14, 14):
    shapes = (images, channels, height, width), (256, channels, 1, 1), (images, 256, height, width)
    given = [at_the_end(rng.normal(size=s).astype("float32")) for s in shapes]
    for got, (want, sums) in zip(function()(*given), products(*given), strict=True):
        np.testing.assert_array_less(np.abs(got - want), 1e-5 * sums)
"""
    root = Path(__file__).parents[2]
    around = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=around,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
