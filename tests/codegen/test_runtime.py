"""The native runtime: parallel loops, scratch memory, BLAS, locked cells; forks and threads."""

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from symcomp.codegen import build, cache, runtime
from symcomp.errors import CacheError
from symcomp.options import options

SOURCE = """
#include "symcomp.h"
SYMCOMP_ATTACH

typedef struct { double *out; int64_t extent, grain; } work;

static void add_one(void *context, int64_t begin, int64_t end) {
    work *w = context;
    for (int64_t i = begin; i < end; ++i) w->out[i] += 1;
}

SYMCOMP_EXPORT void add(double *out, int64_t extent, int64_t grain) {
    work w = {out, extent, grain};
    runtime->parallel(add_one, &w, extent, grain);
}

static void write_piece(void *context, int64_t begin, int64_t end) {
    work *w = context;
    w->out[begin / w->grain] = begin + end / 1e6;
}

/* out[q] tells where piece q begins and ends. */
SYMCOMP_EXPORT void pieces(double *out, int64_t extent, int64_t grain) {
    work w = {out, extent, grain};
    runtime->parallel(write_piece, &w, extent, grain);
}

static void add_row(void *context, int64_t begin, int64_t end) {
    work *w = context;
    for (int64_t i = begin; i < end; ++i) add(w->out + i * w->extent, w->extent, w->grain);
}

SYMCOMP_EXPORT void nested(double *out, int64_t extent, int64_t grain) {
    work w = {out, extent, grain};
    runtime->parallel(add_row, &w, extent, 1);
}

/* Every piece takes scratch memory of its own and counts in it. */
static void scratch_piece(void *context, int64_t begin, int64_t end) {
    work *w = context;
    double *mine = runtime->push((end - begin) * sizeof *mine);
    for (int64_t i = begin; i < end; ++i) mine[i - begin] = 1;
    for (int64_t i = begin; i < end; ++i) w->out[i] += mine[i - begin];
    runtime->pop(mine);
}

SYMCOMP_EXPORT void scratch(double *out, int64_t extent, int64_t grain) {
    work w = {out, extent, grain};
    runtime->parallel(scratch_piece, &w, extent, grain);
}

SYMCOMP_EXPORT void *push(int64_t bytes) { return runtime->push(bytes); }
SYMCOMP_EXPORT void pop(void *mark) { runtime->pop(mark); }

SYMCOMP_EXPORT void sgemm(const float *a, const float *b, float *c, int64_t n) {
    runtime->sgemm(101, 111, 111, n, n, n, 1, a, n, b, n, 0, c, n);
}
SYMCOMP_EXPORT void dgemm(const double *a, const double *b, double *c, int64_t n) {
    runtime->dgemm(101, 111, 112, n, n, n, 1, a, n, b, n, 0, c, n);
}
SYMCOMP_EXPORT void dgemv(const double *a, const double *b, double *c, int64_t n) {
    runtime->dgemv(101, 111, n, n, 1, a, n, b, 1, 0, c, 1);
}
SYMCOMP_EXPORT void sgemv(const float *a, const float *b, float *c, int64_t n) {
    runtime->sgemv(101, 112, n, n, 1, a, n, b, 1, 0, c, 1);
}

/* Under its lock, two elements of a cell are always equal; false if that was ever seen to fail. */
SYMCOMP_EXPORT int64_t exchange(symcomp_cell *const *cells, const uint8_t *exclusive, int64_t n,
                                int64_t rounds) {
    int64_t right = 1;
    for (int64_t r = 0; r < rounds; ++r) {
        runtime->lock(cells, exclusive, n);
        for (int64_t q = 0; q < n; ++q) {
            volatile double *data = cells[q]->data;
            right &= data[0] == data[1];
            if (exclusive[q]) { data[0] += 1; data[1] += 1; }
        }
        runtime->unlock(cells, exclusive, n);
    }
    return right;
}

SYMCOMP_EXPORT int64_t size(symcomp_cell *cell, int64_t axis) { return cell->shape[axis]; }
"""

FORK = multiprocessing.get_context("fork")
LOOP = ["double *", "int64_t", "int64_t"]


@pytest.fixture(scope="module")
def library():
    key = cache.key(SOURCE)
    entry = cache.lookup(key) or cache.publish(key, "runtime_test", SOURCE)
    return runtime.native().load(entry.library)


def doubles(array):
    return runtime.ffi().cast("double *", runtime.pointer(array))


def floats(array):
    return runtime.ffi().cast("float *", runtime.pointer(array))


def loop(library, name):
    call = runtime.function(library, name, "void", LOOP)
    return lambda out, extent, grain: call(doubles(out), extent, grain)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize(
    ("extent", "grain"), [(0, 1), (1, 1), (7, 7), (8, 7), (1000, 1), (999, 10)]
)
def test_pieces_are_the_same_with_any_number_of_threads(library, threads, extent, grain):
    expected = [begin + min(begin + grain, extent) / 1e6 for begin in range(0, extent, grain)]
    out = np.full(len(expected) + 1, -1.0)
    with options(threads=threads):
        for _ in range(20):
            loop(library, "pieces")(out, extent, grain)
    np.testing.assert_array_equal(out[:-1], expected)
    assert out[-1] == -1


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_index_is_done_once(library, threads):
    out = np.zeros(10007)
    with options(threads=threads):
        for repetition in range(300):
            loop(library, "add")(out, out.size, 1 + repetition * 37)
    np.testing.assert_array_equal(out, 300)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_nested_loops(library, threads):
    out = np.zeros((50, 50))
    with options(threads=threads):
        for _ in range(50):
            loop(library, "nested")(out, 50, 7)
    np.testing.assert_array_equal(out, 50)


def test_a_block_limits_its_own_thread_and_the_pool_grows_on_demand(library):
    with options(threads=5):
        loop(library, "add")(np.zeros(100), 100, 1)
    assert runtime.native().workers() >= 4
    before = runtime.native().workers()
    with options(threads=1):
        loop(library, "add")(np.zeros(100), 100, 1)
    assert runtime.native().workers() == before


def test_several_python_threads_at_once(library):
    failures = []

    def work():
        with options(threads=3):
            out = np.zeros(5000)
            for _ in range(200):
                loop(library, "add")(out, out.size, 50)
        if not (out == 200).all():
            failures.append(out)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and not any(thread.is_alive() for thread in threads)


def use_in_child(library, results):
    signal.alarm(60)  # a child that hangs dies, and the test fails instead of hanging too
    with options(threads=3):
        out = np.zeros(5000)
        loop(library, "add")(out, out.size, 50)
        loop(library, "scratch")(out, out.size, 50)
    results.put((out == 2).all())


def run_in_child(library):
    results = FORK.Queue()
    child = FORK.Process(target=use_in_child, args=(library, results))
    child.start()
    right = results.get(timeout=90)
    child.join(30)
    return right and child.exitcode == 0


def test_a_forked_child_computes_and_so_does_its_parent_afterwards(library):
    with options(threads=3):
        out = np.zeros(5000)
        loop(library, "add")(out, out.size, 50)
        assert run_in_child(library)
        loop(library, "add")(out, out.size, 50)
    np.testing.assert_array_equal(out, 2)


def test_a_fork_while_another_thread_is_inside_a_loop(library):
    stop = threading.Event()

    def work():
        out = np.zeros(50000)
        with options(threads=3):
            while not stop.is_set():
                loop(library, "scratch")(out, out.size, 10)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert all(run_in_child(library) for _ in range(10))
    finally:
        stop.set()
        thread.join(60)


def test_idle_workers_sleep(library):
    with options(threads=3):
        loop(library, "add")(np.zeros(5000), 5000, 50)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def native_in_child(results):
    signal.alarm(60)
    with runtime._lock:
        results.put(runtime.native().workers())


def test_a_forked_child_does_not_inherit_the_loaders_lock():
    runtime.native()
    results = FORK.Queue()
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with runtime._lock:
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    child = FORK.Process(target=native_in_child, args=(results,))
    child.start()
    assert results.get(timeout=90) == 0
    child.join(30)
    leave.set()
    thread.join(30)


def test_scratch_memory_is_a_stack_of_aligned_pieces(library):
    push = runtime.function(library, "push", "uintptr_t", ["int64_t"])
    pop = runtime.function(library, "pop", "void", ["uintptr_t"])
    rng = np.random.default_rng(1)
    for _ in range(50):
        sizes = [int(size) for size in rng.integers(0, 300_000, rng.integers(1, 12))]
        marks = [push(size) for size in sizes]
        assert all(mark and mark % 64 == 0 for mark in marks)
        spans = sorted(zip(marks, sizes, strict=True))
        assert all(a + n <= b for (a, n), (b, _) in itertools.pairwise(spans))
        keep = int(rng.integers(0, len(marks)))
        pop(marks[keep])
        assert push(sizes[keep]) >= 0
        pop(marks[0])
    first = push(100)
    pop(first)
    assert push(100) == first
    pop(first)
    runtime.native().trim()


def test_memory_that_repeats_itself_settles_in_place(library):
    push = runtime.function(library, "push", "uintptr_t", ["int64_t"])
    pop = runtime.function(library, "pop", "void", ["uintptr_t"])
    rounds = []
    for _ in range(6):
        marks = [push(200_000), push(3_000_000), push(50)]
        pop(marks[0])
        rounds.append(marks)
    assert rounds[-1] == rounds[-2] == rounds[-3]


def test_too_much_memory_is_refused(library):
    push = runtime.function(library, "push", "uintptr_t", ["int64_t"])
    assert push(2**62) == 0
    assert push(-1) == 0


def test_products_agree_with_numpy(library):
    runtime.native().blas()
    rng = np.random.default_rng(2)
    n = 37
    a, b, c = (rng.standard_normal((n, n)) for _ in range(3))
    square = ["void *", "void *", "void *", "int64_t"]

    def run(name, *arrays):
        call = runtime.function(library, name, "void", square)
        call(*map(runtime.pointer, arrays), n)

    run("dgemm", a, b, c)
    np.testing.assert_allclose(c, a @ b.T, rtol=1e-12, atol=1e-12)
    run("dgemv", a, b, c)
    np.testing.assert_allclose(c[0], a @ b[0], rtol=1e-12, atol=1e-12)
    a, b, c = (x.astype("float32") for x in (a, b, c))
    run("sgemm", a, b, c)
    np.testing.assert_allclose(c, a @ b, rtol=1e-4, atol=1e-4)
    run("sgemv", a, b, c)
    np.testing.assert_allclose(c[0], a.T @ b[0], rtol=1e-4, atol=1e-4)


def test_the_kernels_are_the_ones_asked_for_and_the_environment_is_as_before():
    before = dict(os.environ)
    kernels = runtime.native().blas()
    assert dict(os.environ) == before
    if set(build.cpu_features()) >= runtime.AVX512:
        assert kernels.name == "SkylakeX"


def test_numpys_own_openblas_is_not_touched():
    script = (
        "import numpy, symcomp.codegen.runtime as runtime\n"
        "x = numpy.ones((300, 300)); before = x @ x\n"
        "runtime.native().blas()\n"
        "import sys; assert 'scipy_openblas32' not in sys.modules\n"
        "assert 'cffi' not in sys.modules and 'pycparser' not in sys.modules\n"
        "assert (x @ x == before).all() and before[0, 0] == 300\n"
    )
    status, text = build.run([sys.executable, "-c", script])
    assert status == 0, text


def test_arrays_of_every_kind_have_a_pointer():
    read_only = np.arange(3.0)
    read_only.flags.writeable = False
    for array in (read_only, np.zeros(0), np.zeros((3, 0)), np.array(1.0), np.ones((2, 3), bool)):
        assert runtime.pointer(array) is not None
    with pytest.raises(ValueError, match="not C-contiguous"):
        runtime.pointer(np.zeros((3, 4))[:, ::2])


def test_arrays_lie_in_memory_as_the_header_says():
    runtime.reads_arrays.cache_clear()
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert runtime.reads_arrays() == (sys.implementation.name == "cpython" and gil)


def test_another_layout_is_noticed(monkeypatch):
    monkeypatch.setattr(runtime, "_described", lambda array: [0] * 11)
    runtime.reads_arrays.cache_clear()
    assert not runtime.reads_arrays()
    runtime.reads_arrays.cache_clear()


def test_a_library_that_is_none_is_an_error(tmp_path):
    (tmp_path / "none.so").write_text("nothing")
    with pytest.raises(CacheError, match="cannot load the library"):
        runtime.open_library(tmp_path / "none.so")


def test_a_cell_knows_its_array(library):
    size = runtime.function(library, "size", "int64_t", ["void *", "int64_t"])
    cell = runtime.Cell(np.zeros((3, 5)))
    assert [size(cell.pointer, axis) for axis in (0, 1)] == [3, 5]
    with cell.exclusive():
        cell.set(np.array(7.0))
    with cell.shared(), cell.shared():
        assert cell.array == 7


@pytest.mark.parametrize("order", [1, -1])
def test_cells_keep_writers_apart(library, order):
    exchange = runtime.function(
        library, "exchange", "int64_t", ["void *", "void *", "int64_t", "int64_t"]
    )
    cells = [runtime.Cell(np.zeros(2)) for _ in range(3)]
    rounds, seen = 20_000, []

    def work(writes):
        holding = runtime.Holding(cells[::order], writes[::order])
        seen.append(exchange(holding.cells, holding.exclusive, holding.count, rounds))

    patterns = [[True, False, False], [False, True, True], [False] * 3, [True] * 3]
    threads = [threading.Thread(target=work, args=(writes,)) for writes in patterns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [1] * 4
    assert [cell.array[0] for cell in cells] == [2 * rounds] * 3


def test_a_writer_waits_for_a_reader():
    cell = runtime.Cell(np.zeros(1))
    done = threading.Event()

    def write():
        with cell.exclusive():
            done.set()

    with cell.shared():
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.05)
    assert done.wait(30)
    thread.join(30)


def write_in_child(cell, results):
    signal.alarm(60)
    with cell.exclusive():
        results.put(True)


def test_a_forked_child_finds_its_cells_free():
    cell = runtime.Cell(np.zeros(1))
    results = FORK.Queue()
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with cell.exclusive():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    child = FORK.Process(target=write_in_child, args=(cell, results))
    child.start()
    assert results.get(timeout=90)
    child.join(30)
    leave.set()
    thread.join(30)
    assert child.exitcode == 0


def test_the_runtime_compiles_without_warnings(tmp_path):
    source = (build.INCLUDE / "runtime.c").read_text()
    flags = tuple(flag for flag in build.FLAGS if flag != "-w")
    command = [*build.compiler().command, *flags, "-Wall", "-Wextra", "-pthread"]
    path = tmp_path / "runtime.c"
    path.write_text(source)
    status, text = build.run(
        [*command, f"-I{build.INCLUDE}", str(path), "-o", str(tmp_path / "r.so")]
    )
    assert (status, text) == (0, "")
