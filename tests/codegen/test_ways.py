"""Which libraries a convolution is seen to need: never fewer than it asks for at the call, and no
more than need be.
"""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build, runtime, ways
from symcomp.compile.pipeline import Compilation, compile_expression


def needed(x, w, **given) -> list[str]:
    job = compile_expression(Compilation("f", [T.nn.conv2d(x, w, **given)], []))
    return [n.removeprefix("convolution_") for n in ways.libraries_of(job.program.kernels)]


def images(*shape, dtype="float32"):
    return T.tensor(dtype, shape)


@pytest.mark.parametrize(
    ("x", "w", "given", "expected"),
    [
        (
            (None,) * 4,
            (None,) * 4,
            {},
            ["direct", "fives", "one_tap", "pairs", "pointwise", "winograd"],
        ),
        ((None,) * 4, (None,) * 4, {"stride": 2}, ["direct", "pairs"]),
        ((None,) * 4, (None,) * 4, {"stride": 3}, ["direct"]),
        ((None,) * 4, (40, 40, 4, 4), {"stride": 2}, ["direct", "pairs"]),
        ((None,) * 4, (40, 40, 4, 4), {"stride": 2, "dilation": 2}, ["direct"]),
        ((None,) * 4, (40, 40, 5, 5), {}, ["direct", "fives"]),
        ((None,) * 4, (40, 4, 5, 5), {}, ["direct"]),
        ((None,) * 4, (40, 40, 5, 5), {"stride": 2}, ["direct"]),
        ((None,) * 4, (40, 40, 7, 7), {}, ["direct"]),
        ((None,) * 4, (40, 40, 3, 3), {}, ["direct", "winograd"]),
        ((None,) * 4, (40, 4, 3, 3), {}, ["direct"]),
        ((None,) * 4, (128, 160, 1, 1), {}, ["direct", "one_tap", "pointwise"]),
        ((None,) * 4, (128, 168, 1, 1), {}, ["direct", "pointwise"]),
        ((None,) * 4, (128, 96, 1, 1), {}, ["direct", "pointwise"]),
        ((None,) * 4, (128, 128, 1, 1), {"stride": 2}, ["direct"]),
        ((2, 128, 20, 25), (128, 128, 1, 1), {}, ["direct", "pointwise"]),
        ((3, 128, 20, 25), (128, 128, 1, 1), {}, ["direct", "one_tap", "pointwise"]),
        ((None, 128, 7, 7), (128, 128, 1, 1), {}, ["direct", "pointwise"]),
        ((None,) * 4, (40, 1, 5, 5), {"groups": 40}, ["channelwise", "direct"]),
        ((None,) * 4, (40, 20, 5, 5), {"groups": 2}, ["direct", "fives"]),
        ((None,) * 4, (14, 20, 5, 5), {"groups": 2}, ["direct"]),
    ],
)
def test_only_what_may_be_needed_is_loaded(x, w, given, expected):
    single = needed(images(*x), images(*w), **given)
    assert single == [f"{way}_f32" for way in expected]
    double = needed(images(*x, dtype="float64"), images(*w, dtype="float64"), **given)
    assert double == [f"{way}_f64" for way in expected if way in ("direct", *ways.EXACT)]


def test_direct_sums_need_only_direct_ways():
    with sc.options(direct_convolutions=True):
        x = images(None, None, None, None)
        assert needed(x, T.ftensor4("w")) == ["direct_f32", "pointwise_f32"]
        assert needed(x, images(40, 1, 5, 5), groups=40) == ["channelwise_f32", "direct_f32"]


def test_ways_are_those_of_c(tmp_path):
    """Python names the libraries, and C has a place for each, in the same order."""
    text = '#include "symcomp.h"\n'
    for n, way in enumerate(ways.WAYS):
        text += f'_Static_assert(SYMCOMP_{way.upper()} == {n}, "{way}");\n'
    text += f'_Static_assert(SYMCOMP_WAYS == {len(ways.WAYS)}, "all");\n'
    build.compile_shared(text, tmp_path / "ways.so", [])
    assert set(runtime.CONVOLUTION) == {
        ways.library(w, t) for w in ways.WAYS for t in ways.SUFFIXES
    }


ASKED = """
#define T float
#define INTEGER int32_t
#define SUFFIX f32
#define DIRECT
#include "convolution.c"

/* The number of the way that is taken for a geometry and what is wanted. */
SYMCOMP_EXPORT int64_t asked(const symcomp_geometry *g, int64_t which) {
    static const char names[SYMCOMP_WAYS];
    static symcomp_runtime all;
    for (int64_t way = 0; way < SYMCOMP_WAYS; ++way)
        all.convolution_f32[way] = (const void *)(names + way);
    runtime = &all;
    const void *way = which == SYMCOMP_FILTERS ? other_way_of_filters_f32(g, g->channels)
                                               : other_way_f32(g, (int)which);
    if (!way) /* `correlate` looks after what is packed as for direct sums */
        return which != SYMCOMP_FILTERS && is_pointwise_f32(g) ? SYMCOMP_POINTWISE : SYMCOMP_DIRECT;
    return (const char *)way - names;
}
"""


def geometries(count: int):
    """Numbers of `symcomp_geometry`, of all kinds."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        batch, taps = int(rng.integers(1, 9)), int(rng.integers(1, 6))
        planes = map(int, rng.choice((1, 8, 15, 16, 20, 32, 50, 128, 256), 2))
        image = list(map(int, rng.choice((1, 4, 6, 8, 9, 12, 14, 20), 2)))
        groups, stride, dilation, low = map(int, rng.choice((1, 1, 2), 4) - (0, 0, 0, 1))
        extra = int(rng.choice((0, low, 2 * low)))
        outputs = [(n + extra - dilation * (taps - 1) - 1) // stride + 1 for n in image]
        if min(outputs) > 0:
            sizes = [1, *image, 1, taps, taps, 1, *outputs, 1, stride, stride]
            direct = int(rng.integers(4) == 0)
            yield [batch, groups, *planes, *sizes, 1, dilation, dilation, 0, low, low, direct]


def test_every_way_that_c_takes_is_loaded(tmp_path):
    """Where all sizes are known, the last way that is asked for only if it is taken."""
    build.compile_shared(ASKED, tmp_path / "asked.so", [])
    library = runtime.open_library(tmp_path / "asked.so")
    asked = runtime.function(library, "asked", "int64_t", ["int64_t *", "int64_t"])
    taken = set()
    for numbers in geometries(20_000):
        for number, which in enumerate(("forward", "input", "filters")):
            way = ways.WAYS[asked(runtime.ffi().new("int64_t[]", numbers), number)]
            chosen = ways.ways(which, numbers, "float32")
            assert way in chosen, (which, numbers)
            if "scatter" in chosen:
                assert way in ("scatter", "pairs", "channelwise"), numbers
            taken.add(way)
    assert taken == set(ways.WAYS)
