"""Which libraries a convolution is seen to need: never fewer than it asks for at the call, and no
more than need be.
"""

from __future__ import annotations

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
        ((None,) * 4, (None,) * 4, {}, ["direct", "fives", "one_tap", "pairs", "winograd"]),
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
        ((None,) * 4, (128, 160, 1, 1), {}, ["direct", "one_tap"]),
        ((None,) * 4, (128, 168, 1, 1), {}, ["direct"]),
        ((None,) * 4, (128, 96, 1, 1), {}, ["direct"]),
        ((None,) * 4, (128, 128, 1, 1), {"stride": 2}, ["direct"]),
        ((2, 128, 20, 25), (128, 128, 1, 1), {}, ["direct"]),
        ((3, 128, 20, 25), (128, 128, 1, 1), {}, ["direct", "one_tap"]),
        ((None, 128, 7, 7), (128, 128, 1, 1), {}, ["direct"]),
        ((None,) * 4, (40, 1, 5, 5), {"groups": 40}, ["channelwise", "direct"]),
        ((None,) * 4, (40, 20, 5, 5), {"groups": 2}, ["direct", "fives"]),
        ((None,) * 4, (14, 20, 5, 5), {"groups": 2}, ["direct"]),
    ],
)
def test_only_what_may_be_needed_is_loaded(x, w, given, expected):
    single = needed(images(*x), images(*w), **given)
    assert single == [f"{way}_f32" for way in expected]
    double = needed(images(*x, dtype="float64"), images(*w, dtype="float64"), **given)
    assert double == [f"{way}_f64" for way in expected if way in ("direct", "channelwise")]


def test_direct_sums_need_no_other_library():
    with sc.options(direct_convolutions=True):
        x = images(None, None, None, None)
        assert needed(x, T.ftensor4("w")) == ["direct_f32"]
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
