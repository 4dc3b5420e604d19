"""The convolution library at sizes that its kernels are made for: every way to compute, against
NumPy; on one, two and three threads, and wherever the arrays lie, the bits are the same.

One function serves all sizes of a way: what differs is decided in C, at the call.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build, runtime, tiling

TOLERANCE = {"float32": 1e-5, "float64": 1e-13}
CONVOLUTIONS = {1: T.nn.conv1d, 2: T.nn.conv2d, 3: T.nn.conv3d}
ONE, TWO = (1, 1), (2, 2)

#: way: (stride, dilation, groups, cases), a case being (images, filters, padding on each side).
WAYS = {
    "3 × 3": (ONE, ONE, 1, [
        ((2, 32, 4, 5), (32, 32, 3, 3), (1, 1)),  # the least that Winograd takes in float32
        ((3, 40, 33, 30), (37, 40, 3, 3), (1, 1)),  # odd sizes, several panels, bands of tiles
        ((1, 33, 9, 7), (70, 33, 3, 3), (1, 1)),  # few tiles: filters packed as taps
        ((2, 70, 30, 41), (33, 70, 3, 3), (3, 0)),
        ((1, 17, 4, 150), (70, 17, 3, 3), (1, 0)),
        ((19, 64, 7, 7), (33, 64, 3, 3), (0, 0)),  # small images, several in a block
        ((2, 15, 20, 20), (16, 15, 3, 3), (1, 1)),  # too few channels: direct
        ((2, 3, 40, 41), (5, 3, 3, 3), (2, 2)),
        ((1, 1, 3, 3), (1, 1, 3, 3), (0, 0)),
        ((0, 20, 9, 9), (20, 20, 3, 3), (1, 1)),
        ((1, 128, 4, 4), (128, 128, 3, 3), (1, 1)),  # a tile; many planes
        ((4, 130, 4, 4), (40, 130, 3, 3), (1, 1)),  # two tiles a block
        ((1, 128, 4, 8), (33, 128, 3, 3), (1, 1)),
    ]),
    "5 × 5": (ONE, ONE, 1, [
        ((20, 20, 12, 12), (50, 20, 5, 5), (0, 0)),  # several images in a pass
        ((1, 16, 6, 7), (16, 16, 5, 5), (0, 0)),  # the least that Winograd takes in float32
        ((1, 16, 6, 6), (16, 16, 5, 5), (0, 0)),  # a single tile
        ((2, 40, 43, 35), (33, 40, 5, 5), (2, 2)),  # odd sizes, bands of tiles
        ((3, 20, 9, 60), (70, 20, 5, 5), (1, 4)),
        ((2, 24, 40, 9), (24, 24, 5, 5), (4, 0)),
        ((3, 18, 5, 5), (20, 18, 5, 5), (2, 2)),  # few tiles: filters packed as taps
        ((2, 20, 5, 9), (20, 20, 5, 5), (6, 5)),  # rows of the result that meet nothing but zeros
        ((1, 130, 8, 8), (40, 130, 5, 5), (2, 2)),
        ((2, 33, 20, 8), (17, 33, 5, 5), (0, 0)),  # two groups of channels, the last of one
        ((9, 32, 7, 7), (20, 32, 5, 5), (0, 0)),  # half the tiles would be outside: direct
        ((2, 20, 5, 40), (20, 20, 5, 5), (0, 2)),  # a row of results: direct
        ((0, 20, 12, 12), (50, 20, 5, 5), (0, 0)),
    ]),
    "5 × 5 in groups, dilated": (ONE, (2, 3), 2, [
        ((3, 40, 22, 30), (48, 20, 5, 5), (0, 0)),  # Winograd of each residue
        ((2, 40, 19, 23), (40, 20, 5, 5), (4, 6)),
        ((1, 36, 60, 21), (36, 18, 5, 5), (1, 8)),
        ((2, 40, 10, 15), (40, 20, 5, 5), (0, 0)),
    ]),
    "5 × 5 in volumes": ((1, 1, 1), (2, 1, 1), 1, [
        ((2, 10, 6, 12, 11), (20, 10, 2, 5, 5), (1, 2, 0)),
        ((1, 16, 3, 9, 14), (24, 16, 1, 5, 5), (0, 0, 2)),
    ]),
    "1 × 1": (ONE, ONE, 1, [
        ((2, 128, 22, 24), (128, 128, 1, 1), (0, 0)),  # the least that is no direct sum in float32
        ((5, 160, 14, 15), (224, 160, 1, 1), (0, 0)),  # columns of all widths
        ((3, 288, 20, 20), (128, 288, 1, 1), (0, 0)),  # more terms than one block has
        ((2, 544, 9, 60), (160, 544, 1, 1), (0, 0)),  # and blocks of terms that are not alike
        ((9, 256, 17, 22), (320, 256, 1, 1), (0, 0)),  # most positions lie in no column of an image
        ((7, 256, 13, 15), (256, 256, 1, 1), (0, 0)),  # images that are no whole fours of terms
        ((23, 128, 7, 7), (512, 128, 1, 1), (0, 0)),  # images narrower than a column: direct
        ((1, 192, 70, 71), (128, 192, 1, 1), (0, 0)),  # bands of rows
        ((2, 128, 31, 33), (136, 128, 1, 1), (0, 0)),  # channels that are no whole blocks: direct
        ((1, 128, 31, 33), (128, 128, 1, 1), (0, 0)),  # too few positions: direct
        ((5, 128, 14, 15), (1024, 128, 1, 1), (0, 0)),  # channels are cut, not images
    ]),
    "1 × 1 in groups": (ONE, ONE, 2, [
        ((3, 256, 20, 21), (320, 128, 1, 1), (0, 0)),
    ]),
    "any filters": (ONE, ONE, 1, [
        ((4, 3, 50, 47), (20, 3, 5, 5), (2, 2)),
        ((2, 30, 11, 11), (9, 30, 7, 7), (0, 0)),  # a result much smaller than the image
        ((20, 24, 8, 9), (50, 24, 5, 6), (0, 0)),
        ((7, 33, 20, 20), (65, 33, 1, 1), (0, 0)),
        ((5, 40, 7, 7), (33, 40, 1, 1), (0, 0)),  # planes that end within a vector
        ((3, 300, 5, 3), (20, 300, 1, 1), (0, 0)),
        ((2, 20, 70, 71), (40, 20, 1, 1), (0, 0)),  # bands of rows
        ((1, 2, 1, 2500), (6, 2, 1, 7), (0, 3)),  # one very wide row
        ((1, 2, 2500, 1), (6, 2, 7, 1), (3, 0)),
        ((2, 3, 4, 5), (3, 3, 9, 11), (5, 5)),  # filters larger than the image
        ((2, 4, 6, 6), (4, 4, 2, 4), (3, 5)),  # rows of the result that meet nothing but zeros
    ]),
    "strides": (TWO, ONE, 1, [
        ((4, 3, 64, 62), (24, 3, 7, 7), (3, 3)),
        ((3, 32, 17, 16), (40, 32, 3, 3), (1, 1)),
        ((2, 20, 30, 31), (8, 20, 1, 1), (0, 0)),  # most phases of the gradient have no taps
    ]),
    "twice the stride": (TWO, ONE, 1, [
        ((2, 17, 34, 37), (20, 17, 4, 4), (1, 1)),  # Winograd of 2 × 2 taps in float32
        ((3, 40, 33, 70), (33, 40, 4, 4), (0, 2)),
        ((2, 16, 40, 36), (16, 16, 4, 4), (3, 5)),
        ((9, 20, 18, 19), (30, 20, 4, 4), (1, 0)),  # several images in a block
        ((5, 24, 58, 61), (40, 24, 4, 4), (1, 1)),  # lines of several images together
        ((3, 70, 20, 130), (90, 70, 4, 4), (2, 1)),  # rows longer than two vectors
        ((0, 20, 40, 40), (20, 20, 4, 4), (1, 1)),
        ((2, 16, 37, 36), (16, 16, 4, 4), (0, 0)),  # rows and columns that no window reads
        ((2, 20, 9, 40), (20, 20, 4, 4), (1, 1)),  # too small: direct
    ]),
    "2 × 2": (ONE, ONE, 2, [
        ((2, 36, 20, 19), (40, 18, 2, 2), (0, 1)),
        ((3, 64, 9, 33), (34, 32, 2, 2), (1, 0)),
    ]),
    "4 × 4 in volumes": ((1, 2, 2), (1, 1, 1), 1, [
        ((2, 12, 5, 34, 38), (20, 12, 3, 4, 4), (1, 1, 1)),
        ((1, 9, 5, 34, 38), (16, 9, 2, 4, 4), (1, 1, 1)),  # fewer channels than shares of them
    ]),
    "4 × 2": (TWO[:1] + ONE[:1], ONE, 1, [
        ((2, 20, 31, 30), (33, 20, 4, 2), (1, 1)),
    ]),
    "long strides": ((3, 4), ONE, 1, [
        ((3, 5, 40, 50), (17, 5, 5, 3), (2, 1)),
        ((3, 5, 2, 3), (17, 5, 2, 2), (0, 0)),
    ]),
    "dilations": (ONE, (2, 3), 1, [
        ((2, 33, 21, 30), (34, 33, 3, 3), (2, 3)),  # Winograd of each residue
        ((5, 32, 29, 31), (32, 32, 3, 3), (0, 4)),
        ((2, 20, 9, 13), (18, 20, 3, 3), (2, 3)),
        ((3, 4, 30, 21), (6, 4, 4, 2), (0, 4)),
    ]),
    "groups": (ONE, ONE, 3, [
        ((2, 60, 13, 14), (51, 20, 3, 3), (1, 1)),
        ((2, 120, 13, 14), (102, 40, 3, 3), (1, 1)),
        ((2, 12, 20, 15), (15, 4, 5, 2), (1, 1)),
        ((2, 3, 30, 32), (3, 1, 3, 3), (1, 1)),  # each channel by itself
        ((2, 3, 30, 32), (21, 1, 3, 3), (1, 1)),  # several filters for each
    ]),
    "few channels": (ONE, ONE, 2, [
        ((3, 2, 30, 56), (2, 1, 3, 3), (1, 1)),  # each channel by itself
        ((2, 4, 19, 33), (4, 2, 3, 3), (0, 2)),
        ((2, 2, 18, 70), (8, 1, 3, 3), (3, 0)),
        ((2, 4, 5, 9), (2, 2, 4, 5), (1, 3)),  # rows shorter than a vector
        ((1, 2, 1, 40), (2, 1, 3, 3), (1, 1)),
        ((0, 2, 20, 40), (2, 1, 3, 3), (1, 1)),
        ((2, 6, 20, 40), (6, 3, 3, 3), (1, 1)),  # no longer few
    ]),
    "few channels, dilated": (ONE, (2, 3), 3, [
        ((2, 3, 20, 41), (3, 1, 3, 3), (2, 3)),
        ((2, 3, 5, 31), (6, 1, 2, 3), (2, 8)),
    ]),
    "few channels, strides": (TWO, ONE, 3, [
        ((2, 3, 20, 71), (3, 1, 3, 3), (1, 1)),
        ((2, 3, 33, 40), (3, 1, 5, 4), (2, 0)),
    ]),
    "signals": ((2,), (1,), 1, [
        ((3, 20, 1001), (33, 20, 9), (4,)),
        ((3, 1, 1001), (3, 1, 4), (0,)),
    ]),
    "volumes": ((1, 2, 1), (2, 1, 1), 1, [
        ((2, 5, 9, 12, 10), (17, 5, 3, 3, 3), (2, 1, 1)),
        ((2, 3, 4, 9, 40), (4, 3, 2, 2, 5), (0, 1, 0)),
    ]),
    "3 × 3 in volumes": ((1, 1, 1), (1, 1, 1), 1, [
        ((1, 12, 5, 10, 12), (20, 12, 3, 3, 3), (1, 1, 1)),
        ((1, 33, 3, 6, 9), (32, 33, 3, 3, 3), (1, 1, 1)),
    ]),
}  # fmt: skip
EACH = [(way, number) for way, (*_, cases) in WAYS.items() for number in range(len(cases))]


@functools.cache
def functions(way: str, dtype: str, shape: tuple = ()):
    """The convolution and its two gradients, in C and by NumPy, of sizes that come at the call: the
    padding too, as the length of a vector.
    """
    stride, dilation, groups, _ = WAYS[way]
    rank = len(stride)
    x, w, g = (T.tensor(dtype, (None,) * (rank + 2), name) for name in "xwg")
    pads = [T.tensor("bool", (None,), f"pad{axis}") for axis in range(rank)]
    convolve = CONVOLUTIONS[rank]
    y = convolve(x, w, stride, [p.shape[0] for p in pads], dilation, groups)
    outputs = [y, *sc.grad((y * g).sum(), [x, w])]
    inputs = [x, w, g, *pads]
    return sc.function(inputs, outputs), sc.function(inputs, outputs, mode="numpy")


def arguments(way: str, number: int, dtype: str) -> list[np.ndarray]:
    stride, dilation, _, cases = WAYS[way]
    images, filters, pads = cases[number]
    outputs = [
        max((n + 2 * p - d * (k - 1) - 1) // s + 1, 0)
        for n, k, s, d, p in zip(images[2:], filters[2:], stride, dilation, pads, strict=True)
    ]
    random = np.random.default_rng(number)
    shapes = (images, filters, (images[0], filters[0], *outputs))
    arrays = [random.normal(size=s).astype(dtype) for s in shapes]
    return [*arrays, *(np.zeros(p, bool) for p in pads)]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("way", "number"), EACH)
def test_values_are_those_of_numpy_on_any_number_of_threads(way, number, dtype):
    compiled, plain = functions(way, dtype)
    given = arguments(way, number, dtype)
    results = []
    for threads in (1, 2, 3):
        with sc.options(threads=threads):
            results.append(compiled(*given))
    for got, again, other, want in zip(*results, plain(*given), strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        assert got.tobytes() == again.tobytes() == other.tobytes()
        scale = np.abs(want).max(initial=0)
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[dtype] * scale)


def placed(array: np.ndarray, offset: int) -> np.ndarray:
    """The same elements, so many of them behind the beginning of a cache line."""
    memory = np.zeros(array.size + offset + 64 // array.itemsize, array.dtype)
    first = -memory.ctypes.data % 64 // array.itemsize + offset
    result = memory[first : first + array.size].reshape(array.shape)
    result[...] = array
    return result


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("way", "number"),
    [
        ("3 × 3", 1),
        ("5 × 5", 3),
        ("strides", 0),
        ("groups", 3),
        ("few channels", 0),
        ("2 × 2", 0),
        ("1 × 1", 1),
    ],
)
def test_where_the_arrays_lie_changes_no_bit(way, number, dtype):
    compiled, _ = functions(way, dtype)
    given = arguments(way, number, dtype)
    results = set()
    for offset in (0, 1, 3, 7):
        moved = [placed(a, (offset + n) % 8) for n, a in enumerate(given[:3])]
        results.add(b"".join(r.tobytes() for r in compiled(*moved, *given[3:])))
    assert len(results) == 1


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_where_it_belongs(value, dtype):
    """An image, or a filter, that is not finite spoils what it meets, not its neighbours: not even
    through the lanes of a vector that nobody asked for.
    """
    for way, number in (
        ("any filters", 1),
        ("strides", 1),
        ("groups", 2),
        ("3 × 3", 7),
        ("few channels", 0),
    ):
        compiled, plain = functions(way, dtype)
        for at in (0, -1):
            x, w, g, *pads = arguments(way, number, dtype)
            x[-1].flat[at] = value
            for got, want in zip(compiled(x, w, g, *pads), plain(x, w, g, *pads), strict=True):
                np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))
            x, w, g, *pads = arguments(way, number, dtype)
            g[0].flat[at] = value
            given = (x, w, g, *pads)
            got, want = compiled(*given)[2], plain(*given)[2]
            np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_what_no_window_reads_need_not_be_finite(dtype):
    compiled, plain = functions("twice the stride", dtype)
    for shape in ((2, 16, 37, 37), (1, 20, 35, 38), (2, 16, 36, 39)):
        random = np.random.default_rng(1)
        x, w = random.normal(size=shape), random.normal(size=(17, shape[1], 4, 4))
        rows, columns = ((n - 4) // 2 + 1 for n in shape[2:])
        g = random.normal(size=(shape[0], 17, rows, columns))
        x[:, :, 2 * rows + 2 :] = np.nan
        x[:, :, :, 2 * columns + 2 :] = np.inf
        given = [*(a.astype(dtype) for a in (x, w, g)), np.zeros(0, bool), np.zeros(0, bool)]
        for got, want in zip(compiled(*given), plain(*given), strict=True):
            np.testing.assert_allclose(
                got, want, rtol=0, atol=TOLERANCE[dtype] * np.abs(want).max()
            )


@pytest.mark.parametrize(("way", "number", "side"), [("3 × 3", 1, 4), ("5 × 5", 3, 2)])
def test_by_winograd_what_is_not_finite_spoils_its_tile(way, number, side):
    """Of results, and what meets the image there; all others keep their bits."""
    compiled, _ = functions(way, "float32")
    given = arguments(way, number, "float32")
    expected = compiled(*given)[0]
    given[0][1, 7, 13, 14] = np.nan
    result = compiled(*given)[0]
    spoiled = np.isnan(result)
    taps, pad = given[1].shape[-1], len(given[3])
    last = np.array((13, 14)) + pad  # results that meet it
    rows, columns = (slice(n - taps + 1, n + 1) for n in last)
    assert spoiled[1, :, rows, columns].all()
    assert not np.delete(spoiled, 1, axis=0).any()
    for axis, place in ((2, rows), (3, columns)):
        where = np.flatnonzero(spoiled.any(axis=tuple({0, 1, 2, 3} - {axis})))
        assert place.start // side * side <= where.min()
        assert where.max() < -(-place.stop // side) * side
    np.testing.assert_array_equal(result[~spoiled], expected[~spoiled])


def test_a_gradient_that_is_not_finite_is_so_where_it_is_met():
    """By 5 × 5 filters a tile of a gradient is spread over the 6 × 6 places that it meets."""
    compiled, _ = functions("5 × 5", "float32")
    given = arguments("5 × 5", 3, "float32")
    expected = compiled(*given)[1]
    given[2][0, 5, 20, 9] = np.inf
    result = compiled(*given)[1]
    spoiled = ~np.isfinite(result)
    assert spoiled[0, :, 18:23, 7:12].all() and not spoiled[1].any()
    spoiled[0, :, 16:24, 6:13] = False
    assert not spoiled.any()
    kept = np.isfinite(result)
    np.testing.assert_array_equal(result[kept], expected[kept])


@pytest.mark.parametrize(
    ("way", "number"),
    [
        *(("3 × 3", n) for n in (1, 3)),
        *(("5 × 5", n) for n in (0, 3, 8)),
        *(("1 × 1", n) for n in range(7)),
    ],
)
def test_other_ways_are_about_as_accurate_as_a_direct_sum(way, number):
    """Errors, on average, within three times those of NumPy's sum in float32, or about 10⁻⁶."""
    compiled, plain = functions(way, "float32")
    given = arguments(way, number, "float32")
    exact = functions(way, "float64")[1](*(a.astype("float64") for a in given[:3]), *given[3:])
    for got, direct, want in zip(compiled(*given), plain(*given), exact, strict=True):
        errors = [np.sqrt(np.mean((v - want) ** 2)) / want.std() for v in (got, direct)]
        assert errors[0] < max(3 * errors[1], 1.3e-6)


# --- how a convolution is cut into blocks ---------------------------------------------------------

#: The functions of tiling.py that the headers have too, with their number of arguments.
CUTS = {
    "fewest_positions": 5,
    "block_images": 5,
    "block_rows": 5,
    "block_channels": 3,
    "filter_chunks": 4,
    "filter_blocks": 4,
    "row_blocks": 2,
    "grain": 2,
}
SMALL = (1, 2, 3, 4, 6)
SIZES = (0, 1, 2, 3, 7, 8, 9, 16, 31, 32, 33, 64, 100, 255, 256, 257, 1000, 1536, 4096, 50_000)


@pytest.fixture(scope="module", params=[1, 2, 3, 64])
def cuts(request, tmp_path_factory):
    """(function in C, function in Python) by name, for a number of cores."""
    text = ['#include "symcomp_math.h"', '#include "symcomp_numbers.h"', '#include "convolution.h"']
    text += ['#define EXPORT __attribute__((visibility("default")))']
    for name, count in CUTS.items():
        given = ", ".join("abcde"[:count])
        declared = ", ".join(f"int64_t {n}" for n in "abcde"[:count])
        text.append(f"EXPORT int64_t c_{name}({declared}) {{ return sc_{name}({given}); }}")
    library = tmp_path_factory.mktemp("cuts") / f"cuts{request.param}.so"
    build.compile_shared("\n".join(text) + "\n", library, [f"-DSYMCOMP_CORES={request.param}"])
    loaded = runtime.open_library(library)
    return request.param, {
        name: runtime.function(loaded, f"c_{name}", "int64_t", ["int64_t"] * count)
        for name, count in CUTS.items()
    }


@pytest.mark.parametrize("name", CUTS)
def test_python_and_c_cut_alike(name, cuts, monkeypatch):
    cores, in_c = cuts
    monkeypatch.setattr(tiling, "CORES", cores)
    count = CUTS[name]
    sizes = SMALL if name == "fewest_positions" else SIZES
    chosen = itertools.product(sizes, repeat=count)
    step = max(1, len(sizes) ** count // 20_000)
    for given in itertools.islice(chosen, 0, None, step | 1):
        assert getattr(tiling, f"_{name}")(*given) == in_c[name](*given), given


def test_panels_are_alike(tmp_path):
    """Python makes room for panels of at most 8 rows, and for as many of them as C fills."""
    text = '#include "convolution.h"\n__attribute__((visibility("default"))) '
    text += "int64_t panel(int64_t n) { return sc_panel(n); }\n"
    build.compile_shared(text, tmp_path / "panel.so", [])
    panel = runtime.function(
        runtime.open_library(tmp_path / "panel.so"), "panel", "int64_t", ["int64_t"]
    )
    for channels in range(1, 300):
        rows = panel(channels)
        assert 1 <= rows <= tiling.PANEL
        assert -(-channels // rows) == -(-channels // tiling.PANEL)
        for tasks in (1, 2, 7, 100):
            for fewest in (tiling.FEWEST_POSITIONS, tiling.ONE_TAP_POSITIONS):
                some = tiling._block_channels(tasks, channels, fewest)
                assert some % rows == 0, "blocks are whole panels"


def test_literal_and_symbolic_sizes_are_cut_alike():
    """The same bits, whether the cut was made when the function was written or at its call."""
    x, w = np.random.default_rng(1).normal(size=(5, 40, 19, 23)), np.ones((70, 40, 3, 2))
    results = []
    for known in (True, False):
        a, b = (T.tensor("float64", v.shape if known else (None,) * 4) for v in (x, w))
        y = T.nn.conv2d(a, b, padding=1)
        assert all(isinstance(n, int) for n in y.shape) == known
        f = sc.function([a, b], [y, *sc.grad((y * y).sum(), [a, b])])
        results.append([r.tobytes() for r in f(x, w)])
    assert results[0] == results[1]
