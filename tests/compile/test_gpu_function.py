"""Functions on a GPU, as people use them: arguments, results, errors, options, reports, the cache.

Without a GPU it is emulated (option `cuda_driver`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build, cache, cuda, cuda_build, gpu, runtime
from symcomp.errors import (
    DtypeError,
    GpuError,
    InputError,
    MissingInputError,
    OptionError,
    ShapeError,
)  # fmt: skip
from tests.backends import no_gpu

pytestmark = pytest.mark.skipif(bool(no_gpu()), reason=no_gpu())

A = np.arange(12.0).reshape(3, 4)


def function(*arguments, **options):
    return sc.function(*arguments, device="cuda", **options)


def squares(**options):
    x = T.dmatrix("x")
    return function([x], x * x + 1, name="squares", **options)


class Foreign:
    """An array of another library on the GPU, as it looks from outside."""

    def __init__(self, array, **changes):
        self.array = sc.to_device(array)
        self.changes = changes

    @property
    def __cuda_array_interface__(self):
        return self.array.__cuda_array_interface__ | self.changes


# --- results --------------------------------------------------------------------------------------


def test_results_are_numpy_arrays():
    got = squares()(A)
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, A * A + 1)


def test_results_that_stay_on_the_gpu():
    f = squares(results="device")
    y = f(A)
    assert isinstance(y, sc.DeviceArray)
    assert (y.shape, y.dtype, y.ndim, y.size, y.nbytes) == ((3, 4), np.float64, 2, 12, 96)
    assert len(y) == 3 and "float64" in repr(y) and "(3, 4)" in repr(y)
    np.testing.assert_array_equal(np.asarray(y), A * A + 1)
    np.testing.assert_array_equal(y.get(), A * A + 1)
    assert np.asarray(y, "float32").dtype == "float32"
    with pytest.raises(ValueError, match="copied"):
        np.array(y, copy=False)
    z = f(y)
    np.testing.assert_array_equal(z.get(), (A * A + 1) ** 2 + 1)
    np.testing.assert_array_equal(y.get(), A * A + 1)


def test_numbers_that_stay_on_the_gpu():
    x = T.dvector("x")
    total, count, some = function([x], [x.sum(), (x > 1).sum(), (x > 1).any()], results="device")(
        [1.0, 2.5]
    )
    assert (float(total), int(count), bool(some), total.item()) == (3.5, 1, True, 3.5)
    with pytest.raises(TypeError, match="without axes"):
        len(total)


def test_results_that_are_empty():
    f = squares(results="device")
    y = f(np.ones((0, 4)))
    assert y.shape == (0, 4) and y.get().shape == (0, 4)
    assert squares()(np.ones((3, 0))).shape == (3, 0)
    assert f(y).get().shape == (0, 4)


@pytest.mark.parametrize("rows", [1, 7, 3000])
def test_several_folds_down_the_same_columns(rows):
    x = T.dmatrix("x")
    f = function([x], [x.sum(0), x.prod(0), x.max(0), (x * x).sum(0), T.exp(x).sum(0)])
    a = np.random.default_rng(0).uniform(0.9, 1.1, (rows, 5))
    expected = [a.sum(0), a.prod(0), a.max(0), (a * a).sum(0), np.exp(a).sum(0)]
    for got, value in zip(f(a), expected, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-12)


def test_every_result_has_memory_of_its_own():
    f = squares(results="device")
    kept = [f(A + n) for n in range(4)]
    for n, y in enumerate(kept):
        np.testing.assert_array_equal(y.get(), (A + n) ** 2 + 1)
    numpy = squares()
    kept = [numpy(A + n) for n in range(4)]
    for n, y in enumerate(kept):
        np.testing.assert_array_equal(y, (A + n) ** 2 + 1)


def test_results_that_are_inputs_or_each_other():
    x = T.dvector("x")
    f = function([x], [x, x, x * 1, x[::-1]], results="device")
    given = sc.to_device(np.arange(4.0))
    got = f(given)
    for y, want in zip(got, [given.get()] * 3 + [given.get()[::-1]], strict=True):
        np.testing.assert_array_equal(y.get(), want)
    assert len({y.address for y in got} | {given.address}) == 5


def test_forms_of_results():
    x = T.dvector("x")
    for outputs in (None, []):
        f = function([x], outputs, on_unused_input="ignore")
        assert f([1.0]) == outputs
    assert list(function([x], {"a": x, "b": x * 2})([1.0])) == ["a", "b"]


def test_the_interface_of_other_libraries():
    y = squares(results="device")(A)
    facts = y.__cuda_array_interface__
    assert facts["shape"] == (3, 4) and facts["typestr"] == "<f8" and facts["version"] == 3
    assert facts["data"] == (y.address, False) and facts["strides"] is None
    assert y.address % 16 == 0
    empty = squares(results="device")(np.ones((0, 4)))
    assert empty.__cuda_array_interface__["data"][0] == 0


# --- arguments ------------------------------------------------------------------------------------


def test_arguments_that_are_converted():
    f = squares()
    for given in (A.T.copy().T, A[:, ::-1], A.tolist(), A.astype("float32"), A.astype("int32")):
        np.testing.assert_array_equal(f(given), np.asarray(given, "float64") ** 2 + 1)
    np.testing.assert_array_equal(f(x=A), A * A + 1)


def test_arrays_on_the_gpu():
    f = squares()
    for given in (
        sc.to_device(A),
        Foreign(A),
        Foreign(A, strides=(32, 8)),
        Foreign(A, stream=None),
    ):
        np.testing.assert_array_equal(f(given), A * A + 1)
    np.testing.assert_array_equal(f(sc.to_device(A.tolist())), A * A + 1)
    assert sc.to_device(given.array) is given.array


def transfers(call) -> list[int]:
    """Copies to the GPU and from it during a call."""
    own = gpu.gpu().driver
    before, after = (runtime.ffi().new("int64_t[12]") for _ in range(2))
    counts = own._call("symcomp_emulated_counts", "void", "int64_t *")
    counts(before)
    call()
    counts(after)
    return [after[k] - before[k] for k in (1, 2)]


@pytest.mark.skipif(sc.options.cuda_driver != "host", reason="the emulation counts copies")
def test_arrays_of_which_only_the_shape_is_used_are_not_copied():
    x, w, v = T.ftensor4("x"), T.ftensor4("w"), T.ftensor4("v")
    images = sc.grad((T.nn.conv2d(x, w) * v).sum(), x)
    f = function([w, v, x], images, results="device")
    arrays = [np.ones(s, "float32") for s in ((2, 3, 3, 3), (1, 2, 4, 5), (1, 3, 6, 7))]
    there = [sc.to_device(a) for a in arrays]
    want = f(*arrays).get()
    assert transfers(lambda: f(*there)) == [0, 0]
    assert transfers(lambda: f(*there[:2], arrays[2])) == [0, 0]
    assert transfers(lambda: f(*there[:2], arrays[2][:, :, ::1, ::-1])) == [0, 0]
    assert transfers(lambda: f(there[0], arrays[1], there[2])) == [1, 0]
    np.testing.assert_array_equal(f(*there).get(), want)
    with pytest.raises(ShapeError):
        f(*there[:2], sc.to_device(arrays[2][:, :, 1:].copy()))
    y = T.dvector("y")
    g = function([x, y], y * 2, on_unused_input="ignore", results="device")
    assert transfers(lambda: g(there[2], sc.to_device([1.0]))) == [1, 0]


@pytest.mark.skipif(sc.options.cuda_driver != "host", reason="the emulation counts copies")
def test_small_arrays_are_copied_together():
    """One copy there and one back, a part of what is captured; large ones go by themselves."""
    x, y, z = T.fmatrix("x"), T.dvector("y"), T.lscalar("z")
    f = function([x, y, z], [x * 2, y.sum() + z, (y + 1)[:0], y - z])
    large = 1 << 14
    for shape, length in ((3, 5), 7), ((0, 4), 1), ((1, 1), 0), ((3, 5), large), ((200, 100), 3):
        staged = length < large and shape != (200, 100)
        for n in range(5):
            a = np.full(shape, n, "float32")
            b = np.arange(length) + 0.5 * n
            got = []
            copies = transfers(lambda a=a, b=b, n=n, got=got: got.extend(f(a, b, n)))
            want = [a * 2, b.sum() + n, b[:0], b - n]
            for g, w in zip(got, want, strict=True):
                np.testing.assert_array_equal(g, w)
            if staged:
                assert copies == ([1, 1] if n < 3 else [0, 0])  # the others are replayed
            else:
                assert copies == [3, 3]
    # What lies on the GPU stays there.
    there = sc.to_device(np.ones((2, 2), "float32"))
    for _ in range(2):
        assert transfers(lambda: f(there, np.ones(2), 1)) == [1, 1]
    assert f(there, np.ones(2), 1)[0].tolist() == [[2, 2], [2, 2]]


def test_arrays_may_change_once_a_call_is_over():
    """Also where the call has not waited."""
    x = T.dvector("x")
    for results in ("numpy", "device"):
        f, a, kept = function([x], x * 2, results=results), np.zeros(5), []
        for n in range(6):
            a[:] = n
            kept.append(f(a))
            a[:] = -1
        assert [float(np.asarray(y)[3]) for y in kept] == [0, 2, 4, 6, 8, 10]


def test_an_array_that_begins_between_is_copied():
    """Kernels take arrays to begin at a multiple of 16 bytes."""
    whole = sc.to_device(np.arange(13.0))
    part = Foreign(np.ones(1), shape=(3, 4), data=(whole.address + 8, False))
    np.testing.assert_array_equal(squares()(part), np.arange(1.0, 13).reshape(3, 4) ** 2 + 1)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (lambda: sc.to_device(A.astype("float32")), None, ""),
        (lambda: sc.to_device(A > 1), DtypeError, None),
        (lambda: sc.to_device(np.ones(3)), ShapeError, r"input 0 \(x\) has shape \(3,\)"),
        (lambda: np.ones(3), ShapeError, r"input 0 \(x\) has shape \(3,\)"),
        (lambda: Foreign(A, strides=(8, 24)), ShapeError, "must be C-contiguous.*strides"),
        (lambda: Foreign(A, typestr=">f8"), DtypeError, "byte order"),
        (lambda: Foreign(A, typestr="<c16", shape=(3, 2)), DtypeError, "complex128"),
        (lambda: A.astype("complex128"), DtypeError, "complex128"),
        (lambda: T.dmatrix("y"), InputError, "symbolic"),
    ],
)
def test_wrong_arguments(given, error, message):
    f = squares()
    value = given()
    if error is None or message is None:
        # What would lose nothing is converted, as on the host.
        np.testing.assert_allclose(f(value), np.asarray(value, "float64") ** 2 + 1)
        return
    with pytest.raises(error, match=message) as raised:
        f(value)
    assert "squares" in str(raised.value)


def test_wrong_sizes_name_the_formula():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = function([x, y], x + y, name="added")
    with pytest.raises(ShapeError, match=r"x \+ y"):
        f(A, A[:2])
    with pytest.raises(ShapeError, match=r"x \+ y"):
        f(sc.to_device(A), sc.to_device(A[:2].copy()))
    np.testing.assert_array_equal(f(A, sc.to_device(A)), 2 * A)


def test_arrays_on_the_gpu_given_to_the_host():
    x = T.dmatrix("x")
    for given in (sc.to_device(A), Foreign(A)):
        for mode in ("c", "numpy"):
            with pytest.raises(InputError, match=r'lies on a GPU.*device="cuda"'):
                sc.function([x], x * 2, device="cpu", mode=mode)(given)


def test_names_and_defaults():
    x, b = T.dvector("x"), T.dscalar("b")
    f = function([x, sc.In(b, value=2)], x * b)
    assert f([1.0, 2.0]).tolist() == [2, 4]
    assert f([1.0, 2.0], 3).tolist() == [3, 6]
    assert f(b=sc.to_device(4.0), x=sc.to_device([1.0, 2.0])).tolist() == [4, 8]
    with pytest.raises(MissingInputError, match="x"):
        f()
    g = function([sc.In(x, value=[1.0, 5.0])], x + 1, results="device")
    assert g().get().tolist() == g().get().tolist() == [2, 6]


def test_python_numbers():
    x, n = T.dscalar("x"), T.lscalar("n")
    f = function([x, n], [x * n, T.arange(n)])
    product, numbers = f(2.5, 3)
    assert product == 7.5 and numbers.tolist() == [0, 1, 2]
    product, numbers = f(sc.to_device(2.5), sc.to_device(np.int64(2)))
    assert product == 5 and numbers.tolist() == [0, 1]


def test_givens():
    x, y, s = T.dvector("x"), T.dvector("y"), sc.shared(np.ones(3))
    f = function([y], x.sum() * 2, givens={x: y + s})
    assert f(np.ones(3)) == 12


@pytest.mark.parametrize("count", [61, 62, 63, 130])
def test_many_arguments(count):
    inputs = [T.dvector(f"x{k}") for k in range(count)]
    for f, own in (
        (function(inputs, [sum(inputs), inputs[-1] * 2]), np.asarray),
        (function(inputs, [sum(inputs), inputs[-1] * 2], results="device"), np.asarray),
    ):
        arrays = [np.full(5, float(k)) for k in range(count)]
        for given in (arrays, [sc.to_device(a) for a in arrays]):
            total, last = f(*given)
            np.testing.assert_array_equal(own(total), np.full(5, count * (count - 1) / 2))
            np.testing.assert_array_equal(own(last), np.full(5, 2.0 * (count - 1)))


def test_many_results():
    x = T.dvector("x")
    f = function([x], [x * k for k in range(1, 130)], results="device")
    got = f(np.ones(3))
    assert [float(np.asarray(y)[0]) for y in got] == list(range(1, 130))


def test_large_constants():
    table = np.random.default_rng(0).normal(size=(300, 7))
    at, x = T.lvector("at"), T.dmatrix("x")
    f = function(
        [at, x], [T.constant(table)[at], x @ T.constant(table[:50]), T.constant(table).sum()]
    )
    rows, product, total = f([299, 0, -1], np.ones((2, 50)))
    np.testing.assert_array_equal(rows, table[[299, 0, -1]])
    np.testing.assert_allclose(product, np.ones((2, 50)) @ table[:50])
    np.testing.assert_allclose(total, table.sum())


# --- Python in between ----------------------------------------------------------------------------


@sc.python_op(type=lambda x: x, vjp=lambda g, out, x: g * T.cos(x))
def sine(x):
    """sin x"""
    assert isinstance(x, np.ndarray)
    return np.sin(x)


@pytest.mark.parametrize("results", ["numpy", "device"])
def test_calls_of_python(results):
    x = T.dmatrix("x")
    y = sine(x * 2).sum(axis=0) + sine(sine(x))[0]
    f = function([x], [y, sc.grad(y.sum(), x)], results=results)
    want = sc.function([x], [y, sc.grad(y.sum(), x)], mode="numpy")(A)
    for given in (A, sc.to_device(A)):
        for g, w in zip(f(given), want, strict=True):
            np.testing.assert_allclose(np.asarray(g), w, rtol=1e-12, atol=1e-12)


def test_calls_of_python_with_nothing():
    x = T.dmatrix("x")
    got = function([x], [sine(x) * 2, sine(x).sum()])(A[:0])
    assert got[0].shape == (0, 4) and got[1] == 0


def test_errors_of_python():
    def unwilling(v):
        if v[0] > 1:
            raise KeyError("unwilling")
        return v

    op = sc.python_op(unwilling, type=lambda v: v)
    x, s = T.dvector("x"), sc.shared(np.zeros(2), "s")
    f = function([x], op(x + 1) * 2, updates=[(s, s + op(x + 1))])
    assert f([-1.0, 5.0]).tolist() == [0, 12]
    with pytest.raises(KeyError, match="unwilling"):
        f([1.0, 5.0])
    np.testing.assert_array_equal(s.get_value(), [0, 6])
    assert f([-2.0, 5.0]).tolist() == [-2, 12]


def test_functions_called_by_python_called_by_functions():
    """One call at a time uses the GPU: a call within a call is refused, with words."""
    x = T.dvector("x")
    inner, host = function([x], x * 2), sc.function([x], x * 2, device="cpu")
    for called, works in ((host, True), (inner, False)):
        op = sc.python_op(lambda v, g=called: g(v), type=lambda v: v)
        f = function([x], op(x + 1) + 1)
        if works:
            assert f([1.0]).tolist() == [5]
        else:
            with pytest.raises(GpuError, match="Python"):
                f([1.0])
    assert inner([1.0]).tolist() == [2]


def test_c_of_ones_own():
    source = "SC_INLINE double gpu_twice_f64(double x) { return 2 * x; }\n"

    @sc.c_function("gpu_twice_{t}({x})", source=source)
    def gpu_twice(x):
        """2x"""
        return 2 * x

    x = T.dvector("x")
    assert function([x], gpu_twice(x) + 1)([1.0, 2.0]).tolist() == [3, 5]


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint64"])
def test_integers_wrap(dtype):
    info = np.iinfo(dtype)
    values = np.array([info.max, info.min, info.max - 1, 3], dtype)
    x = T.tensor(dtype, (None,), "x")
    outputs = [x + x, x * x, -x, x - x * 3, x.sum(dtype=dtype), T.cumsum(x), abs(x), x * x * x + x]
    for g, w in zip(
        function([x], outputs)(values),
        sc.function([x], outputs, device="cpu")(values),
        strict=True,
    ):
        assert g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


def test_results_are_the_same_every_time():
    """The same bits, also where other launches use the memory in between."""
    x = T.fmatrix("x")
    outputs = [x.sum(), x.sum(axis=0), x.sum(axis=1), T.nn.softmax(x), x.mean()]
    f = function([x], outputs)
    given = np.random.default_rng(0).normal(size=(300, 130)).astype("f4")
    first = [v.tobytes() for v in f(given)]
    for _ in range(3):
        squares()(A)
        assert [v.tobytes() for v in f(given)] == first
        assert [v.tobytes() for v in f(sc.to_device(given))] == first


def test_equal_calls_are_replayed():
    """What a call launches is captured when its places and sizes are those of the call before; its
    values may be others.
    """
    x, s = T.dmatrix("x"), sc.shared(np.zeros((3, 4)), "s")
    f = function([x], [T.nn.softmax(x + s), s.sum()], updates=[(s, s + x)])
    before = gpu.gpu().statistics()["replays"]
    total = np.zeros((3, 4))
    for n in range(8):
        given = A * n if n != 5 else sc.to_device(A * n)  # there its place is another one
        soft, all_ = f(given)
        e = np.exp(A * n + total - (A * n + total).max(axis=1, keepdims=True))
        np.testing.assert_allclose(soft, e / e.sum(axis=1, keepdims=True), rtol=1e-12)
        assert all_ == total.sum()
        total += A * n
        if n == 6:
            s.set_value(total * 2)
            total *= 2
    np.testing.assert_array_equal(s.get_value(), total)
    assert gpu.gpu().statistics()["replays"] > before


def test_sizes_may_change_from_call_to_call():
    f = squares()
    for shape in ((3, 4), (3, 4), (3, 4), (100, 300), (3, 4), (0, 0), (1, 1), (257, 33), (3, 4)):
        x = np.random.default_rng(1).normal(size=shape)
        np.testing.assert_allclose(f(x), x * x + 1, rtol=1e-15)


# --- modes, options, reports ----------------------------------------------------------------------


def test_modes():
    x = T.dmatrix("x")
    for mode in ("c", "numpy", "check"):
        f = function([x], T.nn.softmax(x), mode=mode)
        np.testing.assert_allclose(f(A).sum(axis=1), np.ones(3))
    assert function([x], x, mode="numpy").definition.device == "cuda"


def test_mode_check_sees_a_wrong_kernel(monkeypatch, tmp_path):
    source = cuda.source
    monkeypatch.setattr(cuda, "source", lambda *a: source(*a).replace("7.0", "7.5"))
    x = T.dvector("x")
    with sc.options(cache=tmp_path):
        f = function([x], x * x * x - 7, mode="check")
        with pytest.raises(sc.errors.CheckError, match="on the GPU"):
            f([1.0, 3.0])


def test_the_option_device():
    x = T.dvector("x")
    with sc.options(device="cuda"):
        f = sc.function([x], x * 2)
        assert f.definition.device == "cuda"
        assert sc.function([x], x * 2, device="cpu").definition.device == "cpu"
    assert sc.function([x], x * 2).definition.device == "cpu"
    assert f([1.0]).tolist() == [2]
    with pytest.raises(OptionError, match="device"):
        sc.function([x], x, device="gpu")
    with pytest.raises(OptionError, match="results"):
        sc.function([x], x, device="cuda", results="host")
    with pytest.raises(OptionError, match='device="cuda"'):
        sc.function([x], x, device="cpu", results="device")


def in_process(program: str, **variables) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, check=False, env=os.environ | variables,
    )  # fmt: skip


def test_the_environment_chooses_the_device():
    program = """
        import symcomp as sc, symcomp.tensor as T
        x = T.dvector("x")
        f = sc.function([x], x * 3)
        print(f.definition.device, f([1.0]).tolist())
    """
    done = in_process(program, SYMCOMP_DEVICE="cuda", SYMCOMP_CUDA_DRIVER="host")
    assert done.stdout == "cuda [3.0]\n", done.stderr


def test_without_pycuda_or_gpu_it_is_said_what_to_do():
    program = """
        import sys, symcomp as sc, symcomp.tensor as T
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "pycuda":
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        sys.meta_path.insert(0, Missing())
        x = T.dvector("x")
        try:
            sc.function([x], x * 3, device="cuda")
        except sc.errors.GpuError as error:
            print(error)
    """
    done = in_process(program, SYMCOMP_CUDA_DRIVER="pycuda")
    assert "pycuda" in done.stdout and 'cuda_driver="host"' in done.stdout, done.stderr


def test_reports():
    x = T.fmatrix("x")
    w = sc.shared(np.ones((4, 3), "f4"), "w")
    f = function([x], T.nn.softmax(T.tanh(x @ w)), updates=[(w, w * 2)], name="report")
    whole = str(f.explain())
    assert (
        "device 'cuda'" in whole and "teams over" in whole and "product float32 on the GPU" in whole
    )
    assert "__global__" in f.explain("cuda") and "symcomp_attach_gpu" not in f.explain("cuda")
    assert "SYMCOMP_ATTACH_GPU" in f.explain("c")
    for part in ("plan", "rules", "loops", "graph", "call"):
        assert f.explain(part)
    assert "_on_gpu" in f.explain("call")
    host = sc.function([x], x * 2, device="cpu")
    assert "__global__" in host.explain("cuda"), "what it would be there"


def test_profiles():
    x = T.dmatrix("x")
    f = function([x], T.nn.softmax(x @ x.T), profile=True)
    for _ in range(3):
        f(A)
    text = str(f.profile())
    assert "softmax" in text or "divide" in text, text
    np.testing.assert_allclose(f(A).sum(), 3)


def test_debugging_prints(capsys):
    x = T.dvector("x")
    with sc.options(debug=4):
        function([x], T.sin(x) * 1.2345, name="debugged")
    printed = capsys.readouterr().err
    assert "debugged" in printed


# --- the cache ------------------------------------------------------------------------------------


@pytest.fixture
def compilers(monkeypatch, tmp_path):
    """Counts what compilers do, in a cache of its own."""
    gpu.gpu()
    runs = []
    c, kernels = build.compile_shared, cuda_build.compile_kernels
    monkeypatch.setattr(build, "compile_shared", lambda *a, **k: (runs.append("c"), c(*a, **k))[1])
    monkeypatch.setattr(
        cuda_build, "compile_kernels", lambda *a, **k: (runs.append("kernels"), kernels(*a, **k))[1]
    )
    with sc.options(cache=tmp_path / "cache"):
        yield runs


def test_a_hit_compiles_nothing(compilers):
    for n in range(3):
        x = T.dvector(f"x{n}")
        f = function([x], T.exp(x) * 7, results=("numpy", "device")[n % 2], name=f"f{n}")
        np.testing.assert_allclose(np.asarray(f([0.0])), [7])
        assert sorted(compilers) == ["c", "kernels"]
    sc.function([x], T.exp(x) * 7, device="cpu")
    assert sorted(compilers) == ["c", "c", "kernels"]


def entry_of(f):
    return type(f).__call__.entry


@pytest.mark.parametrize("damage", ["emptied", "cut", "changed", "missing"])
def test_damaged_kernels_are_built_again(compilers, damage):
    x = T.dvector("x")
    entry = entry_of(function([x], T.exp(x) * 8))
    path = entry.file(gpu.suffix(gpu.gpu().device.architecture))
    data = path.read_bytes()
    path.unlink()
    changed = (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
    )
    new = {"emptied": b"", "cut": data[:-100], "changed": changed, "missing": None}[damage]
    if new is not None:
        path.write_bytes(new)
    cache._verified.clear()
    compilers.clear()
    f = function([x], T.exp(x) * 8)
    assert f([0.0]).tolist() == [8]
    assert sorted(compilers) == ["c", "kernels"]


def test_a_function_without_kernels():
    s = sc.shared(np.ones(3))
    x = T.dvector("x")
    f = function([x], x, updates=[(s, x)])
    assert f([1.0, 2.0, 3.0]).tolist() == [1, 2, 3]
    assert s.get_value().tolist() == [1, 2, 3]
    assert function([], [])() == []


# --- threads, forks, memory -----------------------------------------------------------------------


def test_calls_from_several_threads():
    x, s = T.dmatrix("x"), sc.shared(np.zeros(4), "s")
    f = function([x], [T.tanh(x).sum(axis=1), T.nn.softmax(x)], updates=[(s, s + x.sum(axis=0))])
    gate = threading.Barrier(4)

    def work(k):
        gate.wait()
        for n in range(15):
            given = np.full((n + k + 1, 4), k + 1.0)
            rows, soft = f(given if n % 2 else sc.to_device(given))
            np.testing.assert_allclose(rows, np.tanh(given).sum(axis=1), rtol=1e-12)
            np.testing.assert_allclose(soft.sum(), len(given))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    total = sum((n + k + 1) * (k + 1.0) for k in range(4) for n in range(15))
    np.testing.assert_allclose(s.get_value(), np.full(4, total))


def test_a_child_cannot_use_the_gpu_of_its_parent():
    program = """
        import os, numpy as np, symcomp as sc, symcomp.tensor as T
        x, s = T.dvector("x"), sc.shared(np.ones(3))
        f = sc.function([x], x * 3, updates=[(s, s + 1)], device="cuda")
        f([1.0]), s.get_value()
        host = sc.function([x], x.sum() + s.sum(), device="cpu")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                f([1.0])
            except sc.errors.GpuError as error:
                code = 0 if "forked" in str(error) and host([1.0]) == 7 else 2
            os._exit(code)
        _, status = os.waitpid(child, 0)
        print(status, f([1.0]).tolist())
    """
    done = in_process(program)
    assert done.stdout == "0 [3.0]\n", done.stderr


@pytest.fixture
def small_memory():
    driver = gpu.gpu().driver
    if not hasattr(driver, "set_memory"):
        pytest.skip("only the emulated GPU can be made small")
    before = driver.device.memory
    used = before - gpu.gpu().free_memory()
    driver.set_memory(used + (6 << 20))
    yield used + (6 << 20)
    driver.set_memory(before)


def test_out_of_memory_names_what_is_large(small_memory):
    x = T.dmatrix("x")
    w = sc.shared(np.ones((300, 300)), "weights")
    s = sc.shared(np.zeros(2), "small")
    f = function([x], x @ w, updates=[(s, s + x[0, :2])], name="hungry")
    rows = small_memory // (300 * 8) + 1  # scratch memory of earlier calls may be large
    with pytest.raises(MemoryError) as raised:
        f(np.ones((rows, 300)))
    text = str(raised.value)
    assert isinstance(raised.value, GpuError)
    assert "hungry" in text and "no memory" in text
    assert text.index(f"x ({rows}, 300)") < text.index("weights (300, 300)")
    assert s.get_value().tolist() == [0, 0]
    assert f(np.ones((2, 300))).shape == (2, 300), "the next call works"
    assert s.get_value().tolist() == [1, 1]


def test_out_of_memory_for_results_and_arrays(small_memory):
    x = T.dvector("x")
    f = function([x], T.outer(x, x), results="device")
    with pytest.raises(MemoryError, match=r"no memory for 8\.0 MB"):
        f(np.ones(1000))
    with pytest.raises(MemoryError, match="no memory"):
        sc.to_device(np.ones(10**6))
    with pytest.raises(MemoryError, match="no memory"):
        sc.shared(np.ones(10**6), device="cuda")
    assert f(np.ones(3)).shape == (3, 3)
