"""Matrix products and convolutions by our own kernels for GPUs, under the emulation."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from emulated import HERE, missing_compiler, sanitizers
from gpu_host import WHICH, Failed, Machine, arguments, compiled_kernels, expected

from symcomp.codegen import cuda, cuda_build, gpu_libraries, runtime
from symcomp.tensor.convolution import Geometry

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

DTYPES = ("float32", "float64")
TOLERANCE = {"float32": 2e-6, "float64": 4e-15}
ORDERS = ("forward", "reverse", "random:3")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return compiled_kernels(tmp_path_factory.mktemp("kernels"))


@pytest.fixture(scope="module")
def shared_machine(kernels, tmp_path_factory):
    return Machine(tmp_path_factory.mktemp("machine"), kernels)


@pytest.fixture
def machine(shared_machine):
    shared_machine.set(processors=4, limit=1 << 30)
    return shared_machine


def close(got, want, dtype, terms=1):
    """Rounding of this many terms, relative to the largest value."""
    assert got.dtype == dtype and got.shape == want.shape
    scale = np.abs(want).max(initial=0)
    bound = TOLERANCE[dtype] * max(1, terms) ** 0.5 * scale
    np.testing.assert_allclose(got, want, rtol=0, atol=bound)


def test_kernels_have_the_names_that_python_knows(machine):
    name = machine.call("symcomp_gpu_kernel_name", "char *", "int")
    for number, expected_name in enumerate(gpu_libraries.KERNELS):
        assert runtime.ffi().string(name(number)).decode() == expected_name
    assert name(len(gpu_libraries.KERNELS)) == name(-1) == runtime.ffi().NULL


# --- products -------------------------------------------------------------------------------------


def matrices(batch, rows, columns, inner, transposed, dtype, spare=0, seed=0):
    """Operands as `multiply` takes them, with `spare` elements between rows and matrices; and what
    of them is in use.
    """
    random = np.random.default_rng(seed)
    shapes = ((rows, inner), (inner, columns), (rows, columns))
    operands, used = [], []
    for (m, n), turned in zip(shapes, (*transposed, False), strict=True):
        m, n = (n, m) if turned else (m, n)
        whole = random.normal(size=(batch, m + bool(spare), n + spare)).astype(dtype)
        operands.append((whole, n + spare, whole[0].size if batch else 0, int(turned)))
        part = whole[:, :m, :n]
        used.append(np.swapaxes(part, 1, 2) if turned else part)
    return operands, used


SIZES = [
    (1, 1, 1, 1),
    (1, 64, 128, 16),  # whole tiles of float32
    (3, 5, 7, 3),
    (2, 65, 129, 17),  # one more
    (2, 63, 127, 15),  # one less
    (1, 200, 300, 40),
    (1, 1, 333, 20),
    (1, 333, 1, 20),
    (5, 9, 10, 1),
    (40, 3, 2, 4),
    (2, 3, 4, 0),
    (0, 3, 4, 5),
    (2, 0, 4, 5),
    (2, 3, 0, 5),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transposed", list(itertools.product((False, True), repeat=2)))
@pytest.mark.parametrize("sizes", SIZES)
def test_products(machine, sizes, transposed, dtype):
    for spare, order in zip((0, 1, 4), ORDERS, strict=True):
        operands, (a, b, c) = matrices(*sizes, transposed, dtype, spare)
        for alpha, beta in ((1, 0), (-0.5, 2)):
            got = machine.multiply(sizes, *operands, alpha, beta, order)
            _, rows, columns, inner = sizes
            want = alpha * (a.astype("float64") @ b) + beta * c
            close(got[:, :rows, :columns], want, dtype, inner)
            untouched = np.ones(got.shape, bool)
            untouched[:, :rows, :columns] = False
            assert np.array_equal(got[untouched], operands[2][0][untouched])


def test_what_is_not_to_be_kept_is_not_read(machine):
    operands, (a, b, _) = matrices(1, 70, 30, 20, (False, False), "float32")
    operands[2][0][...] = np.nan
    close(machine.multiply((1, 70, 30, 20), *operands), a @ b, "float32", 20)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("inner", [127, 1000, 1003])
def test_long_sums_are_taken_in_parts_and_added_in_order(machine, inner, dtype):
    sizes = (2, 10, 9, inner)
    operands, (a, b, c) = matrices(*sizes, (True, False), dtype, 3)
    results = {}
    for processors in (1, 3, 50):
        machine.set(processors=processors)
        way = machine.way_of_product(sizes, *operands)
        small = dtype == "float32"  # many tiles at a time
        assert ("parts" in way) == (inner > 500 and (small or processors > 1))
        bits = {machine.multiply(sizes, *operands, 2, 1, o).tobytes() for o in ORDERS}
        assert len(bits) == 1
        results[processors] = np.frombuffer(bits.pop(), dtype).reshape(operands[2][0].shape)
    for got in results.values():
        close(got[:, :10, :9], 2 * (a.astype("float64") @ b) + c, dtype, inner)


def test_without_room_for_parts(machine, kernels, tmp_path):
    sizes = (1, 10, 9, 1000)
    operands, (a, b, _) = matrices(*sizes, (False, False), "float64")
    machine.set(limit=100)
    with pytest.raises(Failed, match="no device memory left for the parts"):
        machine.multiply(sizes, *operands)
    alone = Machine(tmp_path, kernels, workspace=False)
    assert "parts" not in alone.way_of_product(sizes, *operands)
    close(alone.multiply(sizes, *operands), a @ b, "float64", 1000)


@pytest.mark.parametrize(
    ("columns", "kernel"), [(260, "multiply_f32"), (20, "multiply_small"), (120, "multiply_f32")]
)
def test_many_tiles_in_bands(machine, columns, kernel):
    """More tiles one below the other than a band has."""
    sizes = (1, 2100, columns, 3)
    operands, (a, b, _) = matrices(*sizes, (False, True), "float32")
    assert f"kernel sc_{kernel}" in machine.way_of_product(sizes, *operands)
    close(machine.multiply(sizes, *operands), a @ b, "float32", 3)


def test_a_single_row_has_no_stride_and_matrices_may_be_the_same(machine):
    left = np.random.default_rng(1).normal(size=(1, 12))
    right = np.random.default_rng(2).normal(size=(4, 12, 6))
    target = np.zeros((4, 1, 6))
    operands = (left, 0, 0, 0), (right, 6, 72, 0), (target, 1, 6, 0)
    got = machine.multiply((4, 1, 6, 12), *operands)
    close(got, left @ right, "float64", 12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_operands_that_are_not_aligned(machine, dtype):
    """Where a matrix begins, and how long its rows are, decides how it is read only."""
    sizes, random = (1, 66, 68, 24), np.random.default_rng(5)
    a, b = (random.normal(size=s).astype(dtype) for s in ((66, 24), (24, 68)))
    results = set()
    for shift, spare in itertools.product((0, 1, 2, 4), (0, 1, 4)):
        placed = []
        for x in (a, b):
            memory = np.full(shift + x.shape[0] * (x.shape[1] + spare), np.nan, dtype)
            memory[shift:].reshape(x.shape[0], -1)[:, : x.shape[1]] = x
            placed.append((memory, x.shape[1] + spare, 0, 0))
        target = np.zeros(shift + 66 * 68, dtype)
        moved = machine.multiply(sizes, *placed, (target, 68, 0, 0), shift=shift)
        results.add(moved[shift:].tobytes())
    assert len(results) == 1
    close(np.frombuffer(results.pop(), dtype).reshape(66, 68), a @ b, dtype, 24)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_finite_stays_in_its_row_and_column(machine, dtype):
    sizes = (1, 70, 140, 18)
    operands, (a, b, _) = matrices(*sizes, (False, False), dtype)
    a[0, 69, 17], b[0, 0, 3] = np.inf, np.nan
    got = machine.multiply(sizes, *operands)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(a @ b))


def test_more_blocks_than_a_launch_has_along_x(kernels, tmp_path):
    machine = Machine(tmp_path, kernels, ("-DSYMCOMP_MOST_BLOCKS=3",))
    sizes = (5, 70, 140, 300)
    operands, (a, b, _) = matrices(*sizes, (True, True), "float32")
    for processors in (1, 40):
        machine.set(processors=processors)
        got = machine.multiply(sizes, *operands)
        close(got, a.astype("float64") @ b, "float32", 300)
    g = Geometry(2, 3, 2, 5, (9, 8), (3, 2), (4, 4), (2, 2), (1, 1), (0, 0))
    single = g._replace(channels=1, filters=2)
    for which, geometry in itertools.product(WHICH, (g, single)):
        x = arguments(which, geometry, "float32")
        close(machine.convolve(which, geometry, *x), expected(which, geometry, *x), "float32", 100)


def test_a_kernel_that_is_not_there(kernels, tmp_path):
    machine = Machine(tmp_path, kernels)
    machine.forget(["sc_multiply_small_f32", "sc_forward_f64"])
    operands, _ = matrices(1, 2, 2, 2, (False, False), "float32")
    with pytest.raises(Failed, match="kernels of products and convolutions are not loaded"):
        machine.multiply((1, 2, 2, 2), *operands)
    g = Geometry(1, 1, 2, 2, (5,), (3,), (3,), (1,), (1,), (0,))
    assert "not loaded" in machine.way_of_convolution("forward", g, 8)
    assert "sc_forward_small_f32" in machine.way_of_convolution("forward", g, 4)


# --- convolutions ---------------------------------------------------------------------------------


def geometry(images, filters, out, stride=1, dilation=1, low=0, groups=1) -> Geometry:
    """`images` are (batch, channels, *size), `filters` (filters, channels of a group, *kernel)."""
    rank = len(out)
    each = [(n,) * rank if isinstance(n, int) else n for n in (stride, dilation, low)]
    image, kernel = tuple(images[2:]), tuple(filters[2:])
    return Geometry(images[0], groups, filters[1], filters[0] // groups, image, kernel, out, *each)


GEOMETRIES = {
    "3 × 3": geometry((2, 3, 8, 9), (5, 3, 3, 3), (8, 9), low=1),
    "one place": geometry((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), stride=2),
    "LeNet": geometry((3, 1, 28, 28), (20, 1, 5, 5), (24, 24)),
    "high tiles": geometry((2, 64, 9, 9), (64, 64, 2, 2), (8, 8)),
    "several tiles": geometry((2, 70, 7, 11), (130, 70, 2, 2), (6, 10)),
    "7 × 7, stride 2": geometry((1, 3, 21, 20), (9, 3, 7, 7), (11, 10), stride=2, low=3),
    "1 × 1, stride 2": geometry((2, 6, 9, 8), (4, 6, 1, 1), (5, 4), stride=2),
    "stride beyond the filter": geometry((2, 2, 13, 17), (3, 2, 2, 3), (3, 4), stride=(5, 4)),
    "dilated": geometry((2, 4, 11, 13), (6, 4, 3, 3), (7, 7), dilation=(2, 3)),
    "stride and dilation share a factor": geometry(
        (2, 3, 23, 31), (4, 3, 3, 4), (8, 9), stride=(2, 4), dilation=(4, 6), low=(1, 5)
    ),
    "stride and dilation the same": geometry(
        (1, 2, 20, 9), (3, 2, 3, 2), (6, 3), stride=(3, 2), dilation=(3, 2), low=1
    ),
    "uneven padding": geometry((2, 2, 5, 6), (3, 2, 3, 3), (9, 12), low=(1, 4)),
    "inside the image": geometry((2, 2, 9, 10), (3, 2, 2, 3), (3, 2), low=(-3, -2)),
    "results of nothing but zeros": geometry((1, 2, 3, 3), (2, 2, 2, 2), (9, 14), low=(4, 6)),
    "an image that is never met": geometry((1, 2, 4, 4), (2, 2, 1, 2), (2, 2), low=(9, 0)),
    "filters larger than the image": geometry((2, 3, 4, 5), (3, 3, 9, 11), (6, 5), low=5),
    "groups": geometry((2, 12, 6, 5), (15, 4, 3, 2), (4, 4), groups=3),
    "groups and strides": geometry((2, 6, 9, 9), (4, 3, 3, 3), (5, 5), 2, 1, 1, groups=2),
    "each channel alone": geometry((2, 7, 9, 8), (7, 1, 3, 3), (9, 8), low=1, groups=7),
    "several filters for each": geometry((2, 3, 9, 8), (9, 1, 3, 2), (5, 4), 2, 1, 1, groups=3),
    "many filters for each": geometry((2, 3, 6, 5), (27, 1, 3, 2), (4, 4), groups=3),
    "channels alone, dilated": geometry(
        (1, 2, 19, 17), (2, 1, 3, 3), (5, 4), (2, 4), (4, 3), (2, -1), groups=2
    ),
    "a signal": geometry((3, 4, 101), (5, 4, 9), (51,), stride=2, low=4),
    "one very long row": geometry((1, 1, 1, 3000), (2, 1, 1, 7), (1, 3000), low=(0, 3)),
    "a volume": geometry((2, 3, 5, 6, 7), (4, 3, 3, 2, 3), (5, 3, 7), (1, 2, 1), 1, (1, 0, 1)),
    "a volume, dilated": geometry(
        (1, 4, 7, 6, 8), (4, 2, 2, 2, 2), (3, 4, 2), (2, 1, 3), (3, 2, 2), (1, 0, 2), groups=2
    ),
    "a volume of channels alone": geometry(
        (2, 3, 4, 5, 6), (3, 1, 2, 3, 2), (2, 3, 3), (2, 1, 2), 1, (0, 0, 1), groups=3
    ),
    "a matrix": geometry((3, 5, 4, 7), (6, 5, 1, 1), (4, 7)),
    "matrices of groups": geometry((1, 6, 4, 7), (9, 2, 1, 1), (4, 7), groups=3),
    "many taps": geometry((2, 3, 50), (4, 3, 33), (58,), low=20),
    "many taps along three axes": geometry(
        (1, 2, 9, 12, 14), (3, 2, 10, 11, 13), (3, 4, 3), (2, 1, 2), 1, (2, 1, 3)
    ),
    "as many taps as there are bits": geometry((2, 2, 9, 60), (3, 2, 1, 28), (9, 51), low=(0, 9)),
    "a wide target": geometry((3, 20, 12, 12), (7, 20, 3, 3), (10, 10)),
    "many channels, in groups, dilated": geometry(
        (2, 80, 7, 6), (6, 40, 3, 2), (7, 5), 1, (2, 1), (2, 0), groups=2
    ),
    "many channels of a signal": geometry((2, 33, 20), (4, 33, 5), (20,), low=2),
    "many channels of a volume": geometry(
        (1, 34, 3, 4, 5), (2, 34, 2, 3, 1), (2, 4, 5), low=(0, 1, 0)
    ),
    "many channels, stride 2": geometry((1, 40, 9, 8), (3, 40, 3, 3), (5, 4), stride=2, low=1),
    "many channels, uneven padding": geometry((1, 36, 5, 6), (3, 36, 3, 3), (9, 9), low=(1, 4)),
    "many channels, padded beyond the filter": geometry(
        (1, 35, 4, 4), (3, 35, 3, 3), (10, 10), low=4
    ),
    "rows that meet few taps": geometry((9, 3, 12, 12), (5, 3, 5, 5), (8, 8)),
    "rows that meet few taps, stride 2": geometry(
        (4, 2, 15, 19), (3, 2, 7, 3), (5, 9), (2, 1), (3, 1), (1, 1)
    ),
    "rows that meet none": geometry((3, 2, 23, 9), (3, 2, 2, 2), (4, 8), 1, (3, 1), (-5, 0)),
    "rows that meet few taps, in groups": geometry((3, 40, 12, 9), (6, 20, 6, 2), (7, 8), groups=2),
    "slices that meet few taps": geometry((3, 2, 9, 4, 9), (3, 2, 4, 2, 2), (6, 3, 8)),
    "slices that meet few taps, stride 2": geometry(
        (2, 2, 9, 6, 17), (3, 2, 4, 2, 2), (3, 3, 16), (2, 2, 1), (3, 1, 1)
    ),
    "slices of rows": geometry((2, 2, 3, 9, 9), (3, 2, 1, 4, 2), (3, 6, 8)),
    "no images": geometry((0, 2, 5, 5), (3, 2, 3, 3), (3, 3)),
    "no channels": geometry((2, 0, 5, 5), (3, 0, 3, 3), (3, 3)),
    "no filters": geometry((2, 2, 5, 5), (0, 2, 3, 3), (3, 3)),
    "no results": geometry((2, 2, 2, 5), (3, 2, 3, 3), (0, 3)),
    "no taps": geometry((2, 2, 2, 5), (3, 2, 0, 3), (3, 3)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_convolutions(machine, name, which, dtype):
    g = GEOMETRIES[name]
    x = arguments(which, g, dtype)
    want = expected(which, g, *x)
    for processors, order in zip((1, 4, 64), ORDERS, strict=True):
        machine.set(processors=processors)
        close(machine.convolve(which, g, *x, order), want, dtype, 300)


@pytest.mark.parametrize("seed", range(30))
def test_random_convolutions(machine, seed):
    random = np.random.default_rng(seed)

    def some(low, high, count):
        return tuple(int(n) for n in random.integers(low, high + 1, count))

    rank = int(random.integers(1, 4))
    longest = {1: 40, 2: 14, 3: 7}[rank]
    g = Geometry(
        *some(1, 3, 2), *some(1, 7, 2), some(1, longest, rank), some(1, 5, rank),
        some(1, longest, rank), some(1, 4, rank), some(1, 4, rank), some(-2, 4, rank),
    )  # fmt: skip
    machine.set(processors=int(random.choice([1, 4, 40])))
    for which, dtype in itertools.product(WHICH, DTYPES):
        x = arguments(which, g, dtype, seed)
        close(machine.convolve(which, g, *x), expected(which, g, *x), dtype, 300)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("name", ["7 × 7, stride 2", "groups", "each channel alone", "a signal"])
def test_convolutions_in_parts_have_the_same_bits_in_any_order(machine, name, which, dtype):
    g = GEOMETRIES[name]._replace(batch=20)
    x = arguments(which, g, dtype)
    machine.set(processors=100)
    bits = {machine.convolve(which, g, *x, order).tobytes() for order in ORDERS}
    assert len(bits) == 1
    if which == "filters":
        assert "parts" in machine.way_of_convolution(which, g, x[0].itemsize)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["3 × 3", "7 × 7, stride 2", "groups", "each channel alone"])
def test_what_is_not_finite_spoils_what_it_meets(machine, name, value, dtype):
    g = GEOMETRIES[name]
    for which, at in itertools.product(WHICH, (0, -1)):
        x = arguments(which, g, dtype)
        x[0][-1].flat[at] = value
        with np.errstate(invalid="ignore"):
            want = expected(which, g, *x)
        np.testing.assert_array_equal(
            np.isfinite(machine.convolve(which, g, *x)), np.isfinite(want)
        )


WAYS = {
    "3 × 3": ("kernel sc_{}_small_f32", "kernel sc_{}_small_f32"),
    "each channel alone": ("kernel sc_channels_{}_f32", "kernel sc_channels_{}_f32"),
    "many filters for each": ("kernel sc_{}_small_f32", "kernel sc_{}_small_f32"),
    "many taps": ("kernel sc_{}_far_f32", "kernel sc_{}_far_f32"),
    "high tiles": ("kernel sc_{}_f32", "kernel sc_{}_f32"),
    "a matrix": ("a matrix product", "kernel sc_filters_small_f32"),
    "matrices of groups": ("a matrix product", "kernel sc_filters_small_f32"),
}


def test_every_kernel_is_met_by_some_geometry(machine):
    machine.set(processors=1)
    met = {
        machine.way_of_convolution(which, g).split(",")[0].removeprefix("kernel ")
        for g in GEOMETRIES.values()
        for which in WHICH
    }
    kinds = ("", "_far", "_flat", "_small")
    assert met >= {
        f"sc_{which}{kind}_f32" for which in ("forward", "backward", "filters") for kind in kinds
    }


@pytest.mark.parametrize("name", WAYS)
def test_what_computes_a_convolution(machine, name):
    machine.set(processors=1)
    for which, word in {"forward": "forward", "input": "backward", "filters": "filters"}.items():
        want = WAYS[name][which == "filters"].format(word)
        assert machine.way_of_convolution(which, GEOMETRIES[name]).startswith(want)
    empty = [("no results", "zeros"), ("no filters", "zeros"), ("no images", "nothing")]
    for name, word in empty:
        assert word in machine.way_of_convolution("input", GEOMETRIES[name])


def test_what_is_too_large_to_count_is_refused(machine):
    g = GEOMETRIES["3 × 3"]
    for larger in (
        g._replace(image=(1 << 16, 1 << 15)),
        g._replace(low=(1 << 30, 0)),
        g._replace(output=(1 << 20, 1), stride=(1 << 10, 1)),
    ):
        for which in WHICH:
            assert "more than 2^31 places" in machine.way_of_convolution(which, larger)


# --- the kernels themselves -----------------------------------------------------------------------

SANITIZE = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fsanitize-sections=emulated_shared",
    "-g1",
)
PROGRAM = """
import sys, itertools
from pathlib import Path
sys.path[:0] = {paths!r}
import test_gpu_products as tests
from gpu_host import Machine, WHICH, arguments, compiled_kernels, expected
folder = Path({folder!r})
machine = Machine(folder, compiled_kernels(folder, {flags!r}))
for sizes, transposed in itertools.product(tests.SIZES, ((False, False), (True, True))):
    operands, _ = tests.matrices(*sizes, transposed, "float32", 1)
    machine.multiply(sizes, *operands, 2, 1)
for processors, (name, g) in itertools.product((1, 40), tests.GEOMETRIES.items()):
    machine.set(processors=processors)
    for which in WHICH:
        x = arguments(which, g, "float32")
        tests.close(machine.convolve(which, g, *x), expected(which, g, *x), "float32", 300)
print("done")
"""


@pytest.mark.skipif(
    bool(missing_compiler()) or not sanitizers(), reason="no sanitizers of this compiler"
)
def test_under_sanitizers(tmp_path):
    """Reads and writes stay within the arrays, and no integer overflows."""
    paths = [str(HERE), str(HERE.parent), str(HERE.parents[1])]
    program = PROGRAM.format(paths=paths, folder=str(tmp_path), flags=SANITIZE)
    environment = {"LD_PRELOAD": sanitizers(), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.stdout == "done\n", done.stderr[:3000]


#: Registers that leave room for as many blocks on a multiprocessor as product.cuh says.
REGISTERS = {"f32": 168, "f64": 128}


@pytest.mark.parametrize("kind", ["nvrtc", "nvcc"])
@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
@pytest.mark.parametrize("element", ["f32", "f64"])
def test_kernels_for_a_gpu_spill_no_registers(element, target, kind, tmp_path):
    chosen = getattr(cuda_build, kind)()
    if chosen is None:
        pytest.skip(f"no {kind}")
    names = [name for name in gpu_libraries.KERNELS if name.endswith(element)]
    source = cuda.library_source(*names)
    found = cuda_build.resources(source, tmp_path / "kernels.cubin", target, chosen)
    assert set(found) == set(names)
    for name, used in found.items():
        print(name, used)
        assert used.spill_stores == used.spill_loads == 0, name
        assert used.registers <= REGISTERS[element] and used.shared <= 48 << 10
