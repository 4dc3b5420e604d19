"""The emulated driver: memory with bounds and a limit, launches, captures."""

from __future__ import annotations

import re

import numpy as np
import pytest
from emulated import HERE, Kernels, missing_compiler

from symcomp.codegen import build, runtime

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

INVALID, NO_MEMORY, ILLEGAL, FAILED, UNSUPPORTED, SPOILT, NOT_BEGUN = 1, 2, 700, 719, 900, 901, 904
STRICT, RELAXED = 0, 2
#: The functions of the table in its order, with the types of their arguments.
TABLE = {
    "push_context": "void *",
    "allocate": "uint64_t *, size_t",
    "release": "uint64_t",
    "upload": "uint64_t, const void *, size_t, void *",
    "download": "void *, uint64_t, size_t, void *",
    "copy": "uint64_t, uint64_t, size_t, void *",
    "fill": "uint64_t, unsigned char, size_t, void *",
    "synchronize": "void *",
    "launch": ", ".join(["void *", *["unsigned"] * 7, "void *", "void **", "void **"]),
    "error_text": "int, char **",
    "begin_capture": "void *, int",
    "end_capture": "void *, void **",
    "instantiate": "void **, void *, unsigned long long",
    "launch_graph": "void *, void *",
    "destroy_executable": "void *",
    "destroy_graph": "void *",
    "pop_context": "void **",
    "memory": "size_t *, size_t *",
    "allocate_host": "void **, size_t, unsigned",
    "about": "void *, int, uint64_t",
    "make_event": "void **, unsigned",
    "record_event": "void *, void *",
    "wait_for_event": "void *, void *, unsigned",
}
#: What the emulation has no use for.
ABSENT = ("about", "make_event", "record_event", "wait_for_event")
COUNTS = (
    "launches", "uploads", "downloads", "copies", "fills", "allocations", "releases",
    "synchronizations", "replays", "used", "most_used", "living",
)  # fmt: skip


class Driver:
    """The table, with its stream."""

    def __init__(self, folder):
        source = (build.INCLUDE / "emulated_driver.c").read_text(encoding="utf-8")
        build.compile_shared(source, folder / "driver.so", ("-pthread", "-Wall", "-Werror"))
        self.ffi = runtime.ffi()
        self.library = runtime.open_library(folder / "driver.so")
        table = self.ffi.new("void *[]", len(TABLE))
        self._own("driver", "void", "void **")(table)
        for place, (name, types) in zip(table, TABLE.items(), strict=True):
            setattr(self, name, self.ffi.cast(f"int(*)({types})", place))
        self.stream = self.ffi.cast("void *", 1)
        self.limit = self._own("limit", "void", "size_t")
        self.used = self._own("used", "int64_t")

    def _own(self, name, result, *types):
        return runtime.function(self.library, f"symcomp_emulated_{name}", result, types)

    def counts(self):
        out = self.ffi.new("int64_t[]", len(COUNTS))
        self._own("counts", "void", "int64_t *")(out)
        return dict(zip(COUNTS, out, strict=True))

    def new(self, array_or_count):
        """An allocation, filled from an array if one is given."""
        given = isinstance(array_or_count, np.ndarray)
        count = array_or_count.nbytes if given else array_or_count
        place = self.ffi.new("uint64_t *")
        assert self.allocate(place, count) == 0
        if given:
            data = runtime.pointer(array_or_count)
            assert self.upload(place[0], data, count, self.stream) == 0
        return place[0]

    def fetch(self, place, like):
        out = np.empty_like(like)
        assert self.download(runtime.pointer(out), place, out.nbytes, self.stream) == 0
        return out

    def text(self, error):
        text = self.ffi.new("char **")
        status = self.error_text(error, text)
        return self.ffi.string(text[0]).decode() if status == 0 else None

    def arguments(self, *values):
        kept = [self.ffi.new("uint64_t *", v) for v in values]
        return self.ffi.new("void *[]", [self.ffi.cast("void *", k) for k in kept]), kept

    def run(self, kernel, grid, block, *values, shared=0):
        given, _kept = self.arguments(*values)
        null = self.ffi.NULL
        return self.launch(kernel, grid, 1, 1, block, 1, 1, shared, self.stream, given, null)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return Driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture(autouse=True)
def _is_clean(driver):
    before = driver.counts()["living"]
    yield
    driver.limit(8 << 30)
    assert driver.counts()["living"] == before, "a test keeps memory"


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    source = (HERE / "emulated_kernels.cu").read_text(encoding="utf-8")
    made = Kernels(tmp_path_factory.mktemp("kernels"), source)

    def find(name):
        return runtime.ffi().cast(
            "void *", runtime.function(made.library, f"emulated_{name}", "int", ())
        )

    return find


def test_the_table_is_that_of_the_header(driver):
    """Its names, in order; what is not there is NULL."""
    header = (build.INCLUDE / "symcomp_gpu.h").read_text(encoding="utf-8")
    struct = header.split("typedef struct symcomp_driver {")[1].split("} symcomp_driver;")[0]
    assert re.findall(r"int \(\*(\w+)\)", struct) == list(TABLE)
    null = driver.ffi.NULL
    assert [name for name in TABLE if getattr(driver, name) == null] == list(ABSENT)
    assert driver.push_context(null) == driver.pop_context(driver.ffi.new("void **")) == 0


# --- memory ---------------------------------------------------------------------------------------


def test_what_is_uploaded_comes_back(driver):
    x = np.random.default_rng(0).normal(size=1000)
    place = driver.new(x)
    assert place % 256 == 0
    assert np.array_equal(driver.fetch(place, x), x)
    other = driver.new(x.nbytes)
    assert np.isnan(driver.fetch(other, x)).all(), "memory begins as ones"
    assert driver.copy(other, place, x.nbytes, driver.stream) == 0
    assert driver.fill(place, 0, x.nbytes, driver.stream) == 0
    assert np.array_equal(driver.fetch(other, x), x) and not driver.fetch(place, x).any()
    assert driver.release(place) == 0 and driver.release(other) == 0
    assert driver.used() == 0


def test_every_copy_lies_within_one_allocation(driver):
    x = np.zeros(16, np.uint8)
    data, s = runtime.pointer(x), driver.stream
    first, second = driver.new(x), driver.new(16)
    for place, count in (
        (first, 17),
        (first - 1, 16),
        (first + 16, 1),
        (first + 1, 16),
        (first - 1, 1),
        (0, 1),
        (2**64 - 8, 16),
        (first, 2**64 - 1),
    ):
        assert driver.upload(place, data, count, s) == INVALID, (place - first, count)
        assert driver.download(data, place, count, s) == INVALID
        assert driver.copy(place, second, count, s) == INVALID
        assert driver.copy(second, place, count, s) == INVALID
        assert driver.fill(place, 0, count, s) == INVALID
        assert "is not within an allocation" in driver.text(INVALID)
    assert driver.copy(first + 4, first, 8, s) == INVALID and "overlap" in driver.text(INVALID)
    assert driver.copy(first + 8, first, 8, s) == 0
    assert driver.upload(first + 15, data, 1, s) == 0 and driver.upload(0, data, 0, s) == 0
    assert driver.release(first + 8) == INVALID and driver.release(0) == INVALID
    assert driver.release(first) == 0 and driver.release(first) == INVALID
    assert driver.upload(first, data, 1, s) == INVALID, "it has been released"
    assert driver.release(second) == 0


def test_allocations_in_any_order(driver):
    generator = np.random.default_rng(1)
    living = {}
    for step in range(500):
        if living and generator.random() < 0.45:
            place = list(living)[generator.integers(len(living))]
            x = living.pop(place)
            assert np.array_equal(driver.fetch(place, x), x) and driver.release(place) == 0
        else:
            x = np.full(generator.integers(1, 300), step % 251, np.uint8)
            living[driver.new(x)] = x
        assert driver.used() == sum(x.nbytes for x in living.values())
    for place in living:
        assert driver.release(place) == 0


def test_memory_has_a_limit(driver):
    free, everything = driver.ffi.new("size_t *"), driver.ffi.new("size_t *")
    driver.limit(1000)
    assert driver.memory(free, everything) == 0 and free[0] == everything[0] == 1000
    place, s = driver.ffi.new("uint64_t *"), driver.stream
    one = driver.new(600)
    assert driver.allocate(place, 401) == NO_MEMORY and place[0] == 0
    assert driver.text(NO_MEMORY) == "out of memory"
    two = driver.new(400)
    assert driver.memory(free, everything) == 0 and (free[0], everything[0]) == (0, 1000)
    assert driver.allocate(place, 1) == NO_MEMORY
    free, all_ = driver.ffi.new("size_t *"), driver.ffi.new("size_t *")
    assert driver.memory(free, all_) == 0 and (free[0], all_[0]) == (0, 1000)
    assert driver.release(one) == 0 and driver.allocate(place, 600) == 0
    assert driver.allocate(driver.ffi.new("uint64_t *"), 0) == INVALID
    assert driver.release(two) == 0 and driver.release(place[0]) == 0
    driver.limit(2**63)
    assert driver.allocate(place, 2**62) == NO_MEMORY, "more than the host has"
    assert driver.synchronize(s) == 0


# --- launches -------------------------------------------------------------------------------------


def test_launches_are_done_and_counted(driver, kernels):
    x = np.arange(100, dtype=np.int32)
    place, out = driver.new(x), driver.new(x.nbytes)
    before = driver.counts()
    assert driver.run(kernels("turned"), 2, 64, place, out, 100) == 0
    expected = np.concatenate([x[:64][::-1], x[64:][::-1]])
    assert np.array_equal(driver.fetch(out, x), expected)
    after = driver.counts()
    assert after["launches"] == before["launches"] + 1
    assert after["downloads"] == before["downloads"] + 1
    assert after["most_used"] >= after["used"] >= 800
    assert driver.release(place) == 0 and driver.release(out) == 0


def test_what_is_wrong_in_a_kernel_is_told(driver, kernels):
    out = driver.new(np.zeros(64, np.int32))
    assert driver.run(kernels("two_barriers"), 1, 64, out) == FAILED
    assert driver.text(FAILED).startswith("two_barriers: block (0, 0, 0): thread ")
    assert driver.run(kernels("two_barriers"), 1, 1025, out) == INVALID
    assert driver.run(kernels("two_barriers"), 1, 32, out, shared=300 << 10) == INVALID
    assert driver.run(driver.ffi.NULL, 1, 32, out) == INVALID
    assert driver.text(ILLEGAL) == "an illegal memory access"
    assert driver.text(12345) is None and driver.text(0) == "no error"
    assert driver.release(out) == 0


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (4, "0 bytes after the end of an array of 16 bytes"),
        (20, "64 bytes after the end"),
        (-1, "4 bytes before the beginning"),
        (-64, "256 bytes before the beginning"),
    ],
)
def test_what_is_written_beside_an_array_is_noticed(driver, kernels, at, told):
    place, other = driver.new(16), driver.new(16)
    assert driver.run(kernels("anywhere"), 1, 1, place, 3) == 0
    assert driver.run(kernels("anywhere"), 1, 1, place, at % 2**64) == ILLEGAL
    assert told in driver.text(ILLEGAL)
    assert driver.run(kernels("anywhere"), 1, 1, place, 0) == 0, "it is told once"
    assert driver.release(place) == 0 and driver.release(other) == 0


# --- captures -------------------------------------------------------------------------------------


def test_what_is_captured_is_replayed_with_the_arguments_of_then(driver, kernels):
    ffi, s = driver.ffi, driver.stream
    x = np.arange(64, dtype=np.int32)
    given, middle, out = driver.new(x), driver.new(x.nbytes), driver.new(x.nbytes)
    assert driver.begin_capture(s, RELAXED) == 0
    values, kept = driver.arguments(given, middle, 64)
    null = ffi.NULL
    turned = kernels("turned")
    assert driver.launch(turned, 1, 1, 1, 64, 1, 1, 0, s, values, null) == 0
    for k in kept:
        k[0] = 0  # the caller's variables may change
    assert driver.copy(out, middle, 128, s) == 0
    assert driver.fill(out + 128, 7, 128, s) == 0
    graph, executable = ffi.new("void **"), ffi.new("void **")
    assert driver.end_capture(s, graph) == 0
    assert driver.fetch(out, x).tolist() == [-1] * 64, "nothing has been done yet"
    assert driver.instantiate(executable, graph[0], 0) == 0 and driver.destroy_graph(graph[0]) == 0
    before = driver.counts()
    for factor in (1, 3):
        data = x * factor
        assert driver.upload(given, runtime.pointer(data), x.nbytes, s) == 0
        assert driver.launch_graph(executable[0], s) == 0
        expected = [*data[::-1][:32], *[0x07070707] * 32]
        assert driver.fetch(out, x).tolist() == expected
    after = driver.counts()
    assert after["replays"] == before["replays"] + 2
    assert after["launches"] == before["launches"] + 2
    assert driver.destroy_executable(executable[0]) == 0
    for place in (given, middle, out):
        assert driver.release(place) == 0


def test_a_failure_ends_a_replay(driver, kernels):
    ffi, s = driver.ffi, driver.stream
    out = driver.new(np.zeros(64, np.int32))
    assert driver.begin_capture(s, RELAXED) == 0
    assert driver.run(kernels("two_barriers"), 1, 64, out) == 0
    assert driver.fill(out, 1, 256, s) == 0
    graph, executable = ffi.new("void **"), ffi.new("void **")
    assert driver.end_capture(s, graph) == 0
    assert driver.instantiate(executable, graph[0], 0) == 0
    assert driver.launch_graph(executable[0], s) == FAILED
    assert not driver.fetch(out, np.zeros(64, np.int32)).any()
    assert driver.destroy_executable(executable[0]) == driver.destroy_graph(graph[0]) == 0
    assert driver.release(out) == 0


def test_what_a_capture_forbids(driver):
    ffi, s = driver.ffi, driver.stream
    graph, place = ffi.new("void **"), ffi.new("uint64_t *")
    other = ffi.cast("void *", 2)
    assert driver.begin_capture(ffi.NULL, RELAXED) == UNSUPPORTED
    assert driver.end_capture(s, graph) == NOT_BEGUN
    assert driver.begin_capture(s, RELAXED) == 0
    assert driver.begin_capture(s, RELAXED) == INVALID
    assert driver.end_capture(other, graph) == NOT_BEGUN
    assert driver.synchronize(other) == 0
    assert driver.allocate(place, 8) == 0 and driver.release(place[0]) == 0
    assert driver.synchronize(s) == UNSUPPORTED
    assert driver.end_capture(s, graph) == SPOILT and graph[0] == ffi.NULL
    assert driver.begin_capture(s, STRICT) == 0
    assert driver.allocate(place, 8) == UNSUPPORTED
    assert driver.end_capture(s, graph) == SPOILT
    assert driver.begin_capture(s, STRICT) == 0, "a spoilt capture is over"
    assert driver.end_capture(s, graph) == 0 and driver.destroy_graph(graph[0]) == 0
