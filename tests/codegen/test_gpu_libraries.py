"""Products and convolutions by cuBLAS and cuDNN: what they are given, checked by libraries that
pretend to be them (pretended_cublas.c, pretended_cudnn.c); and how the real ones are found.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from emulated import HERE, missing_compiler
from gpu_host import STRICT, WHICH, Failed, Machine, arguments, compiled_kernels, expected
from test_gpu_products import DTYPES, GEOMETRIES, SIZES, close, geometry, matrices

import symcomp as sc
from symcomp.codegen import build, gpu_libraries, runtime

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

#: Of those in GEOMETRIES, what cuDNN's descriptors can say (and is not left to others).
SAID = (
    "3 × 3", "one place", "1 × 1, stride 2", "stride beyond the filter", "LeNet", "high tiles",
    "several tiles", "7 × 7, stride 2", "dilated", "groups", "groups and strides",
    "many filters for each", "filters larger than the image", "a signal", "one very long row",
    "a volume", "many taps", "as many taps as there are bits", "a wide target",
    "many channels, in groups, dilated", "many channels of a signal", "many channels of a volume",
    "many channels, stride 2", "many channels, padded beyond the filter",
    "rows that meet few taps", "rows that meet few taps, in groups",
    "slices that meet few taps", "slices of rows",
)  # fmt: skip
#: Those whose gradient of images it computes, as the results of turned filters.
TURNED = (
    "high tiles", "several tiles", "many channels, in groups, dilated",
    "many channels of a signal", "many channels of a volume",
)  # fmt: skip


def pretended(folder: Path, name: str, version: str = "") -> Path:
    """A library that pretends, under the file name of the real one."""
    source = (HERE / f"pretended_{name}.c").read_text(encoding="utf-8")
    made = folder / f"lib{name}.so"
    build.compile_shared(source, made, STRICT)
    return made.rename(f"{made}{version}")


class Number:
    """An int variable of a library."""

    def __init__(self, path: Path, name: str) -> None:
        self._library, self._name = runtime.open_library(path), name
        self._kind = runtime.ffi().typeof("int")

    @property
    def value(self) -> int:
        return self._library.read_variable(self._kind, self._name)

    @value.setter
    def value(self, to: int) -> None:
        self._library.write_variable(self._kind, self._name, to)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return compiled_kernels(tmp_path_factory.mktemp("kernels"))


class Equipped(Machine):
    """A machine with libraries that pretend."""

    def __init__(self, folder, kernels) -> None:
        super().__init__(folder, kernels)
        self.cublas = pretended(folder, "cublas", ".13")
        self.cudnn = pretended(folder, "cudnn", ".9.5.1")
        self.products.add_libraries([folder])

    def count(self, library: str, name: str) -> int:
        """A variable of a library that pretends."""
        return Number(getattr(self, library), f"pretended_{name}").value


@pytest.fixture(scope="module")
def machine(kernels, tmp_path_factory):
    return Equipped(tmp_path_factory.mktemp("equipped"), kernels)


# --- cuBLAS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transposed", list(itertools.product((False, True), repeat=2)))
@pytest.mark.parametrize("sizes", SIZES)
def test_products_by_cublas(machine, sizes, transposed, dtype):
    _, rows, columns, inner = sizes
    for spare in (0, 3):
        operands, (a, b, c) = matrices(*sizes, transposed, dtype, spare)
        before = machine.count("cublas", "calls")
        got = machine.multiply(sizes, *operands, -0.5, 2)
        close(got[:, :rows, :columns], -0.5 * (a.astype("float64") @ b) + 2 * c, dtype, inner)
        used = machine.count("cublas", "calls") - before
        assert used == (0 not in sizes)
        if used:
            assert machine.way_of_product(sizes, *operands) == "cuBLAS"
            operands[2][0][...] = np.nan
            got = machine.multiply(sizes, *operands)
            close(got[:, :rows, :columns], a.astype("float64") @ b, dtype, inner)


def test_what_cublas_cannot_express_is_done_by_kernels(machine):
    """Rows that lie closer than they are long: the same row for all."""
    row, right = np.arange(6.0), np.random.default_rng(1).normal(size=(6, 5))
    operands = (row, 0, 0, 0), (right, 5, 0, 0), (np.zeros((4, 5)), 5, 0, 0)
    assert machine.way_of_product((1, 4, 5, 6), *operands).startswith("kernel sc_multiply_f64")
    got = machine.multiply((1, 4, 5, 6), *operands)
    close(got, np.broadcast_to(row @ right, (4, 5)), "float64", 6)


def test_a_single_row_needs_no_stride_for_cublas(machine):
    left, right = np.ones((1, 6)), np.random.default_rng(1).normal(size=(6, 1))
    for stride, turned in itertools.product((0, 1, 6), (0, 1)):
        operands = (left, stride, 0, 0), (right, 6 if turned else 1, 0, turned)
        target = (np.zeros((1, 1)), stride, 0, 0)
        assert machine.way_of_product((1, 1, 1, 6), *operands, target) == "cuBLAS"
        got = machine.multiply((1, 1, 1, 6), *operands, target)
        close(got, left @ right, "float64", 6)


def test_libraries_follow_to_another_stream(machine):
    """As for a capture; cuBLAS forgets its workspace then, and here refuses to work without."""
    use = machine.call("symcomp_gpu_use_stream", "int", "void *", "void *")
    cublas = runtime.open_library(machine.cublas)
    stream = runtime.function(cublas, "pretended_stream", "void *", ())
    usual = stream()
    other = machine.ffi.cast("void *", 2)
    g = GEOMETRIES["3 × 3"]
    x = arguments("forward", g, "float32")
    for place in (other, usual):
        assert use(machine.place, place) == 0 and stream() == place
        operands, (a, b, _) = matrices(1, 4, 5, 6, (False, False), "float64", 0)
        close(machine.multiply((1, 4, 5, 6), *operands), a @ b, "float64", 6)
        close(machine.convolve("forward", g, *x), expected("forward", g, *x), "float32", 100)


def test_a_convolution_of_one_place_goes_to_cublas(machine):
    for name, which in itertools.product(("a matrix", "matrices of groups"), WHICH):
        g = GEOMETRIES[name]
        x = arguments(which, g, "float32")
        before = machine.count("cublas", "calls")
        close(machine.convolve(which, g, *x), expected(which, g, *x), "float32", 100)
        assert machine.count("cublas", "calls") - before == (which != "filters")


# --- cuDNN ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_convolutions_with_cudnn_there(machine, name, which, dtype):
    g = GEOMETRIES[name]
    x = arguments(which, g, dtype)
    before = machine.count("cudnn", "calls")
    close(machine.convolve(which, g, *x), expected(which, g, *x), dtype, 300)
    used = machine.count("cudnn", "calls") - before
    assert used == (name in {"forward": SAID, "input": TURNED, "filters": ()}[which])
    way = machine.way_of_convolution(which, g, x[0].itemsize)
    if used and which == "forward":
        assert way == "cuDNN, algorithm 6, 4096 bytes of workspace"
    elif used:
        turned = -(-x[1].nbytes // 256) * 256
        said = f"cuDNN, algorithm 6, {turned + 4096} bytes of workspace, on turned filters"
        assert way == said


def test_cudnn_is_asked_once_for_each_convolution(kernels, tmp_path):
    machine = Equipped(tmp_path, kernels)
    sizes = range(3, 8)
    for _ in range(2):
        for n in sizes:
            g = geometry((1, 34, n, n), (3, 34, 3, 3), (n - 2, n - 2))
            for which in ("forward", "input"):
                machine.convolve(which, g, *arguments(which, g, "float32"))
    assert machine.count("cudnn", "searches") == 2 * len(sizes)
    for n in range(3, 100):  # more than are kept
        g = geometry((1, 2, n, 4), (3, 2, 3, 3), (n - 2, 2))
        machine.convolve("forward", g, *arguments("forward", g, "float32"))
    assert machine.count("cudnn", "living") == 4 * 64
    machine.call("symcomp_gpu_close", "void", "void *")(machine.place)
    assert machine.count("cudnn", "living") == 0
    assert "kernel" in machine.way_of_convolution("forward", g)
    alive = runtime.function(runtime.open_library(machine.cublas), "pretended_alive", "int", ())
    assert not alive()


def test_where_cudnn_has_nothing_that_fits(kernels, tmp_path):
    machine = Equipped(tmp_path, kernels)
    Number(machine.cudnn, "pretended_none").value = 1
    g = GEOMETRIES["high tiles"]
    for which in WHICH:
        x = arguments(which, g, "float64")
        close(machine.convolve(which, g, *x), expected(which, g, *x), "float64", 100)
        assert machine.way_of_convolution(which, g, 8).startswith("kernel sc_")
    assert machine.count("cudnn", "calls") == 0
    assert machine.count("cudnn", "searches") == 2


def test_what_cudnn_fails_at_is_done_by_kernels_from_then_on(kernels, tmp_path):
    machine = Equipped(tmp_path, kernels)
    Number(machine.cudnn, "pretended_fails").value = 1
    g = GEOMETRIES["high tiles"]
    for which in WHICH:
        x = arguments(which, g, "float32")
        for _ in range(2):
            close(machine.convolve(which, g, *x), expected(which, g, *x), "float32", 300)
    assert machine.count("cudnn", "calls") == 2


@pytest.mark.parametrize(
    ("sizes", "algorithm"),
    [
        ((64, 64, 64, 56, 3), 5),  # tiles
        ((32, 128, 128, 28, 3), 4),  # whole images
        ((1000, 50, 20, 12, 5), 4),
        ((1000, 1, 20, 24, 5), 6),  # there is more to move than to add
        ((64, 64, 64, 56, 1), None),  # a product
        ((16, 64, 64, 56, 17), 6),  # half a tile would be left
    ],
)
def test_fourier_transforms_where_they_pay(kernels, tmp_path, sizes, algorithm):
    """On an H200 227 µs instead of 357, 118 instead of 233, and 120 instead of 451."""
    batch, channels, filters, out, taps = sizes
    machine = Equipped(tmp_path, kernels)
    whole = out + taps - 1
    g = geometry((batch, channels, whole, whole), (filters, channels, taps, taps), (out, out))
    way = machine.way_of_convolution("forward", g)
    if algorithm is None:
        assert way == "a matrix product"
        return
    assert f"cuDNN, algorithm {algorithm}," in way
    assert "algorithm 6" in machine.way_of_convolution("forward", g, 8)


@pytest.mark.parametrize(
    "more", [{"stride": 2, "out": (28, 28)}, {"dilation": 2, "out": (54, 54)}, {"groups": 2}, {}]
)
def test_fourier_transforms_of_other_convolutions_and_gpus(kernels, tmp_path, more):
    """What they cannot do, and where memory is slow beside arithmetic."""
    machine = Equipped(tmp_path, kernels)
    channels = 64 // more.get("groups", 1)
    g = geometry((64, 64, 58, 58), (64, channels, 3, 3), **{"out": (56, 56), **more})
    if not more:
        machine.set(balance=100)
    assert "cuDNN, algorithm 6," in machine.way_of_convolution("forward", g)


def test_direct_sums_where_they_are_asked_for(kernels, tmp_path):
    """Neither Fourier transforms nor Winograd's algorithm, all that the pretended library has."""
    machine = Equipped(tmp_path, kernels)
    g = geometry((64, 64, 58, 58), (64, 64, 3, 3), (56, 56))
    with sc.options(direct_convolutions=True):
        assert machine.way_of_convolution("forward", g).startswith("kernel sc_")
    assert "cuDNN, algorithm 5," in machine.way_of_convolution("forward", g)


def test_gradients_with_few_channels_by_fourier_transforms_alone(kernels, tmp_path):
    machine = Equipped(tmp_path, kernels)
    for batch, way in ((1000, "cuDNN, algorithm 4,"), (1, "kernel sc_backward")):
        g = geometry((batch, 20, 12, 12), (50, 20, 5, 5), (8, 8))
        assert way in machine.way_of_convolution("input", g)
    g = geometry((30, 20, 12, 12), (50, 20, 5, 5), (8, 8))
    x = arguments("input", g, "float32")
    assert "cuDNN, algorithm 4," in machine.way_of_convolution("input", g)
    close(machine.convolve("input", g, *x), expected("input", g, *x), "float32", 300)


def test_no_room_for_cudnn(kernels, tmp_path):
    machine = Equipped(tmp_path, kernels)
    machine.set(limit=4095)
    g = GEOMETRIES["high tiles"]
    for which in ("forward", "input"):
        with pytest.raises(Failed, match="no device memory left"):
            machine.convolve(which, g, *arguments(which, g, "float32"))


def test_without_the_kernel_that_turns_filters(kernels, tmp_path):
    machine = Equipped(tmp_path, kernels)
    machine.forget(["sc_turn_filters_f64"])
    g = GEOMETRIES["high tiles"]
    assert "not loaded" in machine.way_of_convolution("input", g, 8)
    assert "turned" in machine.way_of_convolution("input", g, 4)


# --- finding them ---------------------------------------------------------------------------------


def test_the_newest_library_of_the_first_folder_is_taken(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, names in ((first, (".so.9", ".so.12.4", ".so.12.10")), (second, (".so.13",))):
        folder.mkdir()
        for name in names:
            (folder / f"libcublas{name}").touch()
    (first / "libcublasLt.so.99").touch()
    assert gpu_libraries.find("libcublas", [first, second]).name == "libcublas.so.12.10"
    assert gpu_libraries.find("libcublas", [second, first]).name == "libcublas.so.13"
    assert gpu_libraries.find("libcudnn", [first, second]) is None


def test_what_was_found_is_told(tmp_path):
    pretended(tmp_path, "cublas", ".13")
    state, table = gpu_libraries.open_functions(gpu_libraries.CUBLAS, [tmp_path])
    assert str(state) == f"cuBLAS 13.12.11 ({tmp_path}/libcublas.so.13)"
    assert len(table) == len(gpu_libraries.CUBLAS.functions)


def test_what_is_missing_is_told(tmp_path):
    null = runtime.ffi().NULL
    absent = gpu_libraries.CUDNN._replace(file="libnowhere")
    state, table = gpu_libraries.open_functions(absent, [tmp_path])
    assert table == null and "pip install nvidia-cudnn" in str(state)
    (tmp_path / "libcudnn.so.9").write_text("no library")
    state, table = gpu_libraries.open_functions(gpu_libraries.CUDNN, [tmp_path])
    assert table == null and "cannot load the library" in state.missing
    pretended(tmp_path, "cublas", ".13")
    more = (*gpu_libraries.CUBLAS.functions, "cublasGoneInThisVersion")
    newer = gpu_libraries.CUBLAS._replace(functions=more)
    state, table = gpu_libraries.open_functions(newer, [tmp_path])
    assert table == null and "cublasGoneInThisVersion" in state.missing


def test_a_library_that_does_not_start_is_not_used(kernels, tmp_path):
    machine = Machine(tmp_path, kernels)
    path = pretended(tmp_path, "cublas", ".13")
    Number(path, "pretended_fail_create").value = 1
    machine.products.add_libraries([tmp_path])
    blas = machine.products.libraries[0]
    assert str(blas) == "cuBLAS is not used: cuBLAS answered 1"
    operands, (a, b, _) = matrices(1, 3, 4, 5, (False, False), "float64")
    assert machine.way_of_product((1, 3, 4, 5), *operands).startswith("kernel")
    close(machine.multiply((1, 3, 4, 5), *operands), a @ b, "float64", 5)


def test_the_doctor_may_ask():
    described = gpu_libraries.describe()
    assert [s.library.name for s in described] == ["cuBLAS", "cuDNN"]
    assert all(str(s) for s in described)
