"""The emulation of a GPU: barriers, warps, teams, what it catches, and under which orders."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from emulated import HERE, ORDERS, KernelError, Kernels, missing_compiler, sanitizers

from symcomp.codegen import cuda_build

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

SOURCE = (HERE / "emulated_kernels.cu").read_text(encoding="utf-8")


def line(text: str) -> int:
    """The number of the first line of the kernels with this text."""
    return next(n for n, found in enumerate(SOURCE.splitlines(), 1) if text in found)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return Kernels(tmp_path_factory.mktemp("kernels"), SOURCE)


@pytest.fixture(scope="module")
def portable(tmp_path_factory):
    """The kernels on the C library's own stacks, as on other processors."""
    return Kernels(tmp_path_factory.mktemp("portable"), SOURCE, ("-DEMULATION_PORTABLE",))


orders = pytest.mark.parametrize("order", ORDERS)


# --- barriers -------------------------------------------------------------------------------------


def expected_turned(x, width):
    return np.concatenate([x[k : k + width][::-1] for k in range(0, len(x), width)] or [x])


@orders
@pytest.mark.parametrize("width", [1, 2, 31, 32, 33, 64, 256, 1024])
@pytest.mark.parametrize("n", [1, 2, 63, 1000])
def test_a_barrier_keeps_what_was_written(kernels, order, width, n):
    x = np.arange(n, dtype=np.int32)
    out = np.full(n, -7, np.int32)
    kernels.launch("turned", -(-n // width), width, x, out, n, order=order)
    assert np.array_equal(out, expected_turned(x, width))


def test_other_stacks_do_the_same(portable):
    x = np.arange(1000, dtype=np.int32)
    out = np.full(1000, -7, np.int32)
    portable.launch("turned", 4, 256, x, out, 1000, order="random")
    assert np.array_equal(out, expected_turned(x, 256))
    with pytest.raises(KernelError, match="in a barrier at line"):
        portable.launch("two_barriers", 1, 64, out)
    portable.launch("turned", 4, 256, x, out, 1000)
    assert np.array_equal(out, expected_turned(x, 256))


def test_a_missing_barrier_is_seen(kernels):
    """In whatever order threads run, some of them read before the others have written."""
    x = np.arange(512, dtype=np.int32)
    for order in ORDERS:
        out = np.empty_like(x)
        kernels.launch("turned_without_barrier", 2, 256, x, out, x.size, order=order)
        wrong = out != expected_turned(x, 256)
        assert wrong.any() and (out[wrong] == -1).all(), "what is not written yet is all ones"


def test_a_missing_second_barrier_is_seen_in_random_order(kernels):
    x = np.arange(1, 129, dtype=np.int32)
    for complete in (1, 0):
        results = []
        for seed in range(5):
            out = np.empty_like(x)
            order = f"random:{seed}"
            kernels.launch("running", 1, 128, x, out, complete, shared=512, order=order)
            results.append(np.array_equal(out, np.cumsum(x)))
        assert all(results) if complete else not any(results)


@orders
def test_votes_of_a_block(kernels, order):
    for x in (np.zeros(96, np.int32), np.ones(96, np.int32), np.arange(96, dtype=np.int32) % 5):
        out = np.empty((3, 96), np.int32)
        kernels.launch("voted", 1, 96, x, out, order=order)
        assert (out[0] == np.count_nonzero(x)).all()
        assert (out[1] == x.any()).all() and (out[2] == x.all()).all()


@orders
def test_shared_memory_begins_as_ones_in_each_block(kernels, order):
    fixed, dynamic = np.zeros(192, np.float32), np.zeros(192, np.uint32)
    kernels.launch("unset", 3, 64, fixed, dynamic, shared=16 + 256, order=order)
    assert np.isnan(fixed).all() and (dynamic == 0xFFFFFFFF).all()


# --- warps ----------------------------------------------------------------------------------------


@orders
@pytest.mark.parametrize("width", [1, 2, 8, 16, 32])
def test_shuffles(kernels, order, width):
    n = 96
    x = np.random.default_rng(3).normal(size=n)
    out = np.empty((4, n))
    kernels.launch("shuffled", 1, n, x, out, width, order=order)
    i = np.arange(n)
    first = i & ~(width - 1)

    def inside(target):
        within = (target >= first) & (target < first + width)
        return x[np.where(within, target, i)]

    assert np.array_equal(out[0], x[first + ((i + 3) & (width - 1))])
    for row, target in zip(out[1:], (i ^ 5, i - 3, i + 3), strict=True):
        assert np.array_equal(row, inside(target))


@orders
def test_parts_of_a_warp_go_their_own_ways(kernels, order):
    out = np.empty(64, np.int32)
    kernels.launch("halves", 1, 64, out, order=order)
    first = np.arange(64) & ~15
    assert np.array_equal(out, first * np.where(first % 32 == 0, 1 + 2 + 3, 1 + 2 + 3 + 4 + 5))


@orders
def test_votes_of_a_warp(kernels, order):
    x = (np.random.default_rng(4).random(96) < 0.5).astype(np.int32)
    x[32:64] = 1
    out = np.empty((3, 96), np.uint32)
    kernels.launch("ballots", 1, 96, x, out, order=order)
    bits = (x.reshape(3, 32).astype(np.uint64) << np.arange(32, dtype=np.uint64)).sum(1)
    assert np.array_equal(out[0], np.repeat(bits, 32).astype(np.uint32))
    assert np.array_equal(out[1], np.repeat(bits != 0, 32))
    assert np.array_equal(out[2], np.repeat(bits == 0xFFFFFFFF, 32))


@orders
def test_threads_that_have_ended_are_not_waited_for(kernels, order):
    out = np.empty(64, np.int32)
    kernels.launch("early", 1, 64, out, order=order)
    expected = np.full(64, -1)
    expected[0:32:2], expected[32::2] = 0b01010101 + 1, 1
    assert np.array_equal(out, expected)


@orders
def test_atomic_operations(kernels, order):
    x = np.random.default_rng(5).integers(0, 200, 5000).astype(np.uint8)
    bins, largest = np.zeros(256, np.int32), np.zeros(1, np.int32)
    kernels.launch("counted", 3, 128, x, bins, largest, x.size, order=order)
    assert np.array_equal(bins, np.bincount(x, minlength=256)) and largest[0] == x.max()


# --- what is wrong, is told -----------------------------------------------------------------------


def fails(kernels, match, name, *arguments, **named) -> KernelError:
    with pytest.raises(KernelError, match=match) as caught:
        kernels.launch(name, *arguments, **named)
    x = np.arange(64, dtype=np.int32)
    out = np.empty_like(x)
    kernels.launch("turned", 1, 64, x, out, 64)
    assert np.array_equal(out, x[::-1]), "the next launch is as if nothing had been"
    return caught.value


@orders
def test_barriers_at_two_places(kernels, order):
    out = np.zeros(64, np.int32)
    one = line("if (threadIdx.x < 32)") + 1
    other = one + 2
    error = fails(kernels, "in a barrier", "two_barriers", 1, 64, out, order=order)
    assert f"line {one}" in str(error) and f"line {other}" in str(error)
    assert error.status == 719 and not out.any()


@orders
def test_a_barrier_that_some_do_not_reach(kernels, order):
    out = np.zeros(32, np.int32)
    error = fails(kernels, "wait for ever", "half_a_barrier", 1, 32, out, order=order)
    assert "32 of 32" in str(error) and f"line {line('if (threadIdx.x < 16) __sync')}" in str(error)


@orders
@pytest.mark.parametrize("name", ["two_shuffles", "two_folds"])
def test_lanes_that_meet_at_two_places(kernels, order, name):
    out = np.ones(32, np.int32)
    one = line(f"void {name}(") + 2
    error = fails(kernels, "meets lanes", name, 1, 32, out, order=order)
    assert f"line {one}" in str(error) and f"line {one + 2}" in str(error)


def test_a_lane_that_leaves_itself_out(kernels):
    out = np.ones(32, np.int32)
    fails(kernels, "without itself", "without_itself", 1, 32, out)


def test_traps(kernels):
    kernels.launch("trapped", 4, 64, 256)
    error = fails(kernels, "thread 3 trapped", "trapped", 4, 64, 67)
    assert "block (1, 0, 0)" in str(error)


def test_a_stack_that_is_too_deep(kernels):
    out = np.zeros(64, np.int32)
    kernels.launch("deep", 1, 64, out)
    assert (out == (50_000 % 256 ^ 128) - 128).all()
    fails(kernels, "stack", "too_deep", 1, 64, out)


@pytest.mark.parametrize(
    ("grid", "block", "shared"),
    [
        (0, 32, 0),
        (1, 0, 0),
        (1, 1025, 0),
        (1, (1, 1, 65), 0),
        ((1, 65536), 32, 0),
        (1, 32, 300_000),
    ],
)
def test_launches_that_no_device_can_do(kernels, grid, block, shared):
    out = np.zeros(64, np.int32)
    error = fails(kernels, "beyond what", "two_barriers", grid, block, out, shared=shared)
    assert error.status == 1


@pytest.mark.parametrize("order", ["sideways", "randomly", "rev"])
def test_an_order_that_there_is_not(kernels, order):
    with pytest.raises(KernelError, match=f"'{order}', not forward, reverse"):
        kernels.launch("trapped", 1, 1, 5, order=order)


# --- under the sanitizers -------------------------------------------------------------------------

SANITIZE = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fsanitize-sections=emulated_shared",
    "-g1",
)
FAULTS = {
    "nothing": ("turned", 1, 64, ("x", "out", 64), 0, ""),
    "write behind an array": ("anywhere", 1, 1, ("x", 64), 0, "heap-buffer-overflow"),
    "read before an array": ("reads", 1, 1, ("x", "out", -1), 0, "heap-buffer-overflow"),
    "read behind shared memory": (
        "anywhere_shared",
        1,
        64,
        ("out", 1),
        0,
        "global-buffer-overflow",
    ),
    "write behind dynamic memory": ("anywhere_dynamic", 1, 1, ("out", 64), 256, "heap-buffer-over"),
    "a shift too far": ("shifted", 1, 1, ("out", 40), 0, "shift exponent 40"),
    "all is well again": ("running", 1, 64, ("x", "out", 1), 256, ""),
}
PROGRAM = """
import pathlib, sys
sys.path[:0] = [{here!r}]
import numpy as np
from emulated import Kernels
kernels = Kernels(pathlib.Path({folder!r}), pathlib.Path({source!r}).read_text(), {flags!r})
name, grid, block, arguments, shared = {launch!r}
arrays = {{"x": np.arange(64, dtype="int32"), "out": np.zeros(64, "int32")}}
given = [arrays[a] if isinstance(a, str) else a for a in arguments]
kernels.launch(name, grid, block, *given, shared=shared, order="random")
print("done")
"""


@pytest.mark.skipif(
    bool(missing_compiler()) or not sanitizers(), reason="no sanitizers of this compiler"
)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_sanitizers_watch_kernels(fault, tmp_path):
    *launch, seen = FAULTS[fault]
    folder = str(tmp_path)
    names = {"here": str(HERE), "source": str(HERE / "emulated_kernels.cu"), "folder": folder}
    program = PROGRAM.format(launch=tuple(launch), flags=SANITIZE, **names)
    environment = {
        "LD_PRELOAD": sanitizers(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=0",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    if seen:
        assert done.returncode != 0 and seen in done.stderr, done.stderr[:2000]
    else:
        assert done.stdout == "done\n", done.stderr[:2000]


# --- for a GPU ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nvrtc", "nvcc"])
def test_the_same_text_compiles_for_a_gpu(kind, tmp_path):
    chosen = getattr(cuda_build, kind)()
    if chosen is None:
        pytest.skip(f"no {kind}")
    output = tmp_path / "kernels.cubin"
    assert "warning" not in cuda_build.compile_kernels(SOURCE, output, "sm_90", (), (), chosen)
    found = cuda_build.resources(SOURCE, output, "sm_90", chosen)
    assert found["turned"].shared == 4096 and found["turned"].registers > 0
    assert (tmp_path / "kernels.cubin").read_bytes()[:4] == b"\x7fELF"
