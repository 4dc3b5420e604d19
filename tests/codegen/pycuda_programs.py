"""Programs that use a GPU through pycuda, each in a process of its own: see test_pycuda.py.

    python pycuda_programs.py NAME

runs one on the emulated libcuda. What a program checks is true of a GPU, too, but for those that
need the emulation:

    python pycuda_programs.py --real NAME...

runs some there, or all of them that can be.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import gpu, gpu_drivers, gpu_libraries
from symcomp.errors import DtypeError, GpuError, ShapeError

MEGABYTE = 1 << 20


class Emulated(gpu_drivers.PycudaDriver):
    """pycuda on the emulated libcuda, whose kernels are the host's."""

    def architecture(self, found):
        return "host"


@contextlib.contextmanager
def raises(kind: type[Exception], *parts: str) -> Iterator[None]:
    """Something must fail, with these words."""
    try:
        yield
    except kind as error:
        said = str(error)
    else:
        raise AssertionError(f"no {kind.__name__}")
    for part in parts:
        assert part in said, said


def close(got, expected) -> None:
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-12, atol=1e-14)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def statistics(name: str) -> int:
    return gpu.gpu().statistics()[name]


def doubler(**more):
    x = T.dvector("x")
    return sc.function([x], 2 * x, device="cuda", **more)


def libcuda() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")


class Foreign:
    """An array of a library of its own."""

    def __init__(self, address, shape, stream=None, strides=None, dtype="<f8"):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": dtype,
            "data": (address, False),
            "strides": strides,
            "stream": stream,
            "version": 3,
        }


# --- functions ------------------------------------------------------------------------------------


def results():
    """Functions agree with NumPy, whatever the sizes."""
    x, y = T.dmatrix("x"), T.dvector("y")
    outputs = [T.tanh(x) * y, x.sum(axis=1), x.sum(), T.nn.softmax(x), x.T + 1, (x + y).max(axis=0)]
    f = sc.function([x, y], outputs, device="cuda")
    for rows, columns in ((1, 1), (3, 5), (37, 129), (2, 3000), (300, 40)):
        a, b = numbers(rows, columns), numbers(columns, seed=1)
        shifted = np.exp(a - a.max(axis=1, keepdims=True))
        softmax = shifted / shifted.sum(axis=1, keepdims=True)
        wanted = [np.tanh(a) * b, a.sum(1), a.sum(), softmax, a.T + 1, (a + b).max(0)]
        for _ in range(4):
            for got, expected in zip(f(a, b), wanted, strict=True):
                close(got, expected)
    doubled = doubler()
    for n in (0, 1, 2, 1000):
        close(doubled(np.arange(n, dtype=float)), 2.0 * np.arange(n))
    k = T.lvector("k")
    picked = sc.function([x, k], x[k], device="cuda")
    close(picked(np.eye(3), np.array([2, 0])), np.eye(3)[[2, 0]])
    with raises(IndexError, "3"):
        picked(np.eye(3), np.array([2, 3]))


def shared_memory():
    """Rows for which a block needs more shared memory than it has without asking."""
    x = T.dmatrix("x")
    shifted = T.exp(x - x.max(axis=1, keepdims=True))
    f = sc.function([x], shifted / shifted.sum(axis=1, keepdims=True), device="cuda")
    for columns in (6000, 7000, 10_000, 14_000, 40_000):
        a = numbers(2, columns)
        e = np.exp(a - a.max(axis=1, keepdims=True))
        close(f(a), e / e.sum(axis=1, keepdims=True))


def products():
    """Matrix products by our own kernels, in a step of training that is captured as a whole."""
    x, y = T.dmatrix("x"), T.dmatrix("y")
    inner, outer = numbers(5, 7) / 2, numbers(7, 3, seed=1) / 2
    v, w = sc.shared(inner.copy(), "v"), sc.shared(outer.copy(), "w")
    loss = ((T.tanh(x @ v) @ w - y) ** 2).sum()
    changes = [(p, p - 0.01 * g) for p, g in zip((v, w), sc.grad(loss, [v, w]), strict=True)]
    step = sc.function([x, y], loss, updates=changes, device="cuda")
    for n in range(8):
        a, b = numbers(20, 5, seed=n), numbers(20, 3, seed=n + 50)
        hidden = np.tanh(a @ inner)
        error = hidden @ outer - b
        close(step(a, b), (error**2).sum())
        back = 2 * error @ outer.T * (1 - hidden**2)
        inner, outer = inner - 0.01 * a.T @ back, outer - 0.01 * hidden.T @ (2 * error)
    close(v.get_value(), inner)
    close(w.get_value(), outer)
    assert statistics("replays") == 6, statistics("replays")


def replays():
    """Launches are captured and replayed, and give what direct launches give."""
    x = T.dmatrix("x")
    f = sc.function([x], [T.tanh(x).sum(axis=1), T.exp(-(x**2))], device="cuda")

    def call(rows: int, seed: int) -> None:
        a = numbers(rows, 30, seed=seed)
        sums, bells = f(a)
        close(sums, np.tanh(a).sum(1))
        close(bells, np.exp(-(a**2)))

    for seed in range(10):
        call(20, seed)
    direct = statistics("launches")
    assert statistics("replays") == 8, statistics("replays")
    for seed in range(10):  # sizes that take turns are all kept,
        for rows in (20, 7, 31):
            call(rows, seed)
    assert statistics("replays") == 8 + 10 + 2 * 8
    assert statistics("launches") == 3 * direct
    for rows in range(1, 40):  # and too many of them are not
        call(rows, rows)
    assert statistics("replays") == 8 + 10 + 2 * 8
    for _ in range(3):
        call(20, 1)
    assert statistics("replays") == 8 + 10 + 2 * 8 + 1


def no_replays():
    """Where nothing can be captured, everything is launched."""
    f = doubler()
    for k in range(6):
        close(f(np.full(10, float(k))), np.full(10, 2.0 * k))
    assert statistics("replays") == 0 and statistics("launches") == 6, gpu.gpu().statistics()
    assert libcuda().emulated_captures() == int(os.environ["EMULATED_CUDA_CAPTURES"] == "2")


def addresses():
    """Arrays that lie elsewhere from call to call, and scratch memory that moves."""
    f = doubler(results="device")
    inputs = [sc.to_device(np.full(1000, float(k))) for k in range(3)]
    for n in range(30):
        close(f(inputs[n % 3]), np.full(1000, 2.0 * (n % 3)))
    assert statistics("replays") > 10, statistics("replays")

    x = T.dmatrix("x")
    rows = sc.function([x], T.nn.softmax(x), device="cuda")
    wide = sc.function([x], T.nn.softmax(x) * 2, device="cuda")

    def softmax(a):
        e = np.exp(a - a.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    doubler()(np.zeros(3_000_000))  # so large that nothing but scratch memory moves
    narrow, large = numbers(3, 20_000), numbers(3, 400_000, seed=1)
    for _ in range(4):
        close(rows(narrow), softmax(narrow))
    scratch = statistics("scratch")
    close(wide(large), 2 * softmax(large))
    assert statistics("scratch") > scratch, "nothing has moved"
    captures = getattr(libcuda(), "emulated_captures", None)
    before = captures and captures()
    for _ in range(4):
        close(rows(narrow), softmax(narrow))
    if captures:
        assert captures() == before + 1, "what was captured writes where scratch memory was"


def updates():
    """Shared values stay on the GPU, and come back when they are asked for."""
    weights = sc.shared(np.zeros(100), "weights")
    count = sc.shared(np.array(0), "count")
    x = T.dvector("x")
    step = sc.function(
        [x], (weights**2).sum(), updates=[(weights, weights + x), (count, count + 1)], device="cuda"
    )
    expected = np.zeros(100)
    for n in range(12):
        a = numbers(100, seed=n)
        close(step(a), (expected**2).sum())
        expected = expected + a
    assert weights.device == "cuda"
    assert statistics("replays") > 0
    close(weights.get_value(), expected)
    assert count.get_value() == 12
    weights.set_value(np.ones(100))
    for n in range(4):
        close(step(np.ones(100)), 100.0 * (n + 1) ** 2)
    close(weights.get_value(), np.full(100, 5.0))
    del step, weights
    gc.collect()
    assert statistics("kept") > 0


def device_results():
    """Results that stay, go on to the next function, and give their memory back."""
    f = doubler(results="device")
    a = numbers(1000)
    y = f(f(f(a)))
    assert isinstance(y, sc.DeviceArray)
    facts = y.__cuda_array_interface__
    assert facts["shape"] == (1000,) and facts["typestr"] == "<f8" and facts["stream"] > 2
    close(y, 8 * a)
    assert sc.to_device(y) is y
    del y
    used, kept = gpu.gpu()._free(), statistics("kept")
    for _ in range(200):
        f(a)
    assert (gpu.gpu()._free(), statistics("kept")) == (used, kept), "memory is not used again"
    assert float(sc.to_device(2.5)) == 2.5
    empty = f(np.zeros(0))
    assert empty.shape == (0,) and np.asarray(empty).shape == (0,)


def positions():
    """Nobody waits for the check of positions on the GPU; the next call says what was wrong."""
    x, at = T.dmatrix("x"), T.lvector("at")
    table, count = sc.shared(numbers(50, 8), "table"), sc.shared(np.zeros(8), "count")
    rows = table[at] * x
    changes = [(table, T.inc_subtensor(table[at], x)), (count, count + x.sum(axis=0))]
    step = sc.function([x, at], rows, updates=changes, device="cuda", results="device", name="step")
    expected, ones, good = table.get_value(), sc.to_device(np.ones((4, 8))), [3, -1, 3, 0]
    place = sc.to_device(np.array(good))
    whole = step(ones, place)
    close(whole, expected[good])

    def give(*wanted: int) -> None:
        gpu.gpu().upload(place.address, np.array(wanted))

    def result_of(n: int):
        give(3, -1, 50 if n == 4 else 3, 0)
        return step(ones, place)

    errors, last = [], whole
    for n in range(12):  # captured by then, and all in flight
        try:
            last = result_of(n)
        except IndexError as error:
            errors.append(str(error))
    try:
        gpu.gpu().wait()
    except IndexError as error:
        errors.append(str(error))
    (said,) = errors
    assert said.startswith("step: index 50 is out of bounds for an axis of length 50"), said
    assert "in an earlier call of step" in said and "table[at]" in said, said
    assert statistics("replays") > 0
    gpu.gpu().wait()
    assert np.isfinite(last.get()).all()
    assert count.get_value()[0] >= 4 * 12
    # A result of NumPy's waits, and is told at once; what is put outside lies within.
    put = sc.function(
        [x, at],
        x.sum(),
        updates=[(table, T.set_subtensor(table[at], x))],
        device="cuda",
        name="put",
    )
    for _ in range(5):
        give(*good)
        close(put(ones, place), 32.0)
        give(0, 1, 2, -51)
        with raises(IndexError, "put: index -51 is out of bounds for an axis of length 50"):
            put(ones, place)
    close(table.get_value()[[0, 1, 2, 3, 49]], np.ones((5, 8)))
    # Many positions, of which one is wrong.
    many, large = T.lvector("many"), np.arange(300_000) % 50
    taken = sc.function([many], table[many].sum(axis=0), device="cuda", name="taken")
    close(taken(sc.to_device(large)), 6000 * table.get_value().sum(axis=0))
    large[77_777], large[200_000] = 1234, -99
    with raises(IndexError, "taken: index 1234 "):
        taken(sc.to_device(large))
    with raises(IndexError, "taken: index 1234 "):
        taken(large)


# --- other libraries ------------------------------------------------------------------------------


def gpuarrays():
    """pycuda's own arrays go in, and take results, without a copy."""
    importlib.import_module("pycuda.autoprimaryctx")
    import pycuda.gpuarray as gpuarray

    x = T.dmatrix("x")
    f = sc.function([x], 2 * x, device="cuda", results="device")
    a = numbers(40, 8)
    given = gpuarray.to_gpu(a)
    assert sc.to_device(given).address == int(given.gpudata)
    close(f(given), 2 * a)
    flat, vector = gpuarray.to_gpu(a.ravel()), doubler(results="device")
    for start in (1, 2, 3, 7):  # a view from a place that kernels do not take is copied
        seen = sc.to_device(flat[start:])
        assert (seen.address == int(flat[start:].gpudata)) == (start % 2 == 0)
        close(vector(flat[start:]), 2 * a.ravel()[start:])
    with raises(ShapeError, "C-contiguous", "input 0 (x)", "(40, 8)"):
        f(gpuarray.to_gpu(np.asfortranarray(a)))
    with raises(ShapeError, "C-contiguous"):
        sc.to_device(flat[::2])
    with raises(DtypeError, "complex64"):
        sc.to_device(gpuarray.to_gpu(np.zeros(3, np.complex64)))
    with raises(ShapeError, "(320,)"):
        f(flat)
    y = f(given)
    back = gpuarray.GPUArray(y.shape, y.dtype, gpudata=y.address, base=y)
    gpu.gpu().wait()
    close(back.get(), 2 * a)
    close(sc.function([x], x + 1, device="cuda")(back), 2 * a + 1)
    empty = gpuarray.to_gpu(np.zeros((0, 3)))
    assert f(empty).shape == (0, 3)


def streams():
    """What other libraries have begun is waited for: on their streams, and on the default one."""
    importlib.import_module("pycuda.autoprimaryctx")
    import pycuda.driver as driver

    f, n = doubler(), 50_000
    place = driver.mem_alloc(8 * n)
    source = driver.pagelocked_empty(n, np.float64)
    theirs = driver.Stream(1)
    for k in range(6):
        source[:] = k
        driver.memcpy_htod_async(place, source, theirs)
        close(f(Foreign(int(place), (n,), theirs.handle)), np.full(n, 2.0 * k))
        theirs.synchronize()
    for k in range(6):  # a library that says nothing of a stream works on the default one
        source[:] = -k
        driver.memcpy_htod_async(place, source)
        close(f(Foreign(int(place), (n,))), np.full(n, -2.0 * k))
        driver.Context.synchronize()
    with raises(DtypeError, "mask"):
        masked = Foreign(int(place), (n,))
        masked.__cuda_array_interface__["mask"] = masked
        f(masked)
    # A result is complete for who uses the default stream.
    y = doubler(results="device")(np.ones(n))
    out = np.empty(n)
    driver.memcpy_dtoh(out, y.address)
    close(out, np.full(n, 2.0))


def page_locked():
    """An input in page-locked memory may be written to as soon as the call is over."""
    importlib.import_module("pycuda.autoprimaryctx")
    import pycuda.driver as driver

    f = doubler(results="device")
    source = driver.pagelocked_empty(100_000, np.float64)
    ordinary = np.empty(100_000)
    for k in range(5):
        for a in (source, ordinary):
            a[:] = k
            y = f(a)
            a[:] = -1
            close(y, np.full(a.shape, 2.0 * k))
    source[:] = 7
    y = sc.to_device(source)
    source[:] = -1
    close(y, np.full(source.shape, 7.0))


def other_contexts():
    """Who works in a context of their own is not disturbed, and their arrays are refused."""
    importlib.import_module("pycuda.autoinit")
    import pycuda.driver as driver
    import pycuda.gpuarray as gpuarray

    def current():
        found = ctypes.c_void_p()
        assert libcuda().cuCtxGetCurrent(ctypes.byref(found)) == 0
        return found.value

    a = numbers(100)
    theirs, before = gpuarray.to_gpu(a), current()
    f = doubler()
    with raises(GpuError, "another context", "pycuda.autoprimaryctx"):
        f(theirs)
    with raises(GpuError, "input 0 (x)"):
        f(theirs)
    close(f(a), 2 * a)
    assert current() == before
    close(theirs.get(), a)
    close(gpuarray.to_gpu(a).get(), a)
    driver.Context.synchronize()


# --- threads and processes ------------------------------------------------------------------------


def threads():
    """Several threads at once; the first use is in one of them, and the default stream is busy."""
    x = T.dmatrix("x")
    stop, errors = threading.Event(), []

    def guarded(work, *arguments):
        def run():
            try:
                work(*arguments)
            except BaseException as error:
                errors.append(error)

        return threading.Thread(target=run)

    def first():
        close(doubler()(np.ones(3)), np.full(3, 2.0))

    started = guarded(first)
    started.start()
    started.join()
    assert not errors, errors

    def other_library():
        import pycuda.driver as driver

        primary = driver.Device(0).retain_primary_context()
        primary.push()
        try:
            place, data = driver.mem_alloc(800), np.arange(100.0)
            while not stop.is_set():
                driver.memcpy_htod(place, data)
                back = np.empty(100)
                driver.memcpy_dtoh(back, place)
                close(back, data)
        finally:
            place.free()
            primary.pop()

    f = sc.function([x], [x.sum(axis=1), T.exp(x)], device="cuda")
    g = sc.function([x], 3 * x, device="cuda", results="device")
    total = sc.shared(np.zeros(10), "total")
    v = T.dvector("v")
    add = sc.function([v], updates=[(total, total + v)], device="cuda")

    def work(seed):
        a = numbers(9 + seed, 12, seed=seed)
        for _ in range(25):
            sums, e = f(a)
            close(sums, a.sum(axis=1))
            close(e, np.exp(a))
            close(g(g(a)), 9 * a)
            add(np.ones(10))

    busy = guarded(other_library)
    busy.start()
    workers = [guarded(work, k) for k in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    stop.set()
    busy.join()
    assert not errors, errors
    close(total.get_value(), np.full(10, 100.0))
    assert statistics("replays") > 20, statistics("replays")


def fork():
    """A child of a process that has used the GPU says so, and ends in order; the parent goes on."""
    f, total = doubler(), sc.shared(np.zeros(3), "total")
    add = sc.function([], updates=[(total, total + 1)], device="cuda")
    a = numbers(10)
    for _ in range(4):
        close(f(a), 2 * a)
        add()
    kept = sc.to_device(a)
    child = os.fork()
    if child == 0:
        for use in (lambda: f(a), doubler, add, total.get_value, kept.get, lambda: sc.to_device(a)):
            with raises(GpuError, "forked", "spawn"):
                use()
        del kept, total, add
        gc.collect()
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    close(f(a), 2 * a)
    close(kept, a)
    close(total.get_value(), np.full(3, 4.0))


def nested():
    """A function in Python that is called from the GPU's step: garbage is no matter, use is one."""
    kept = [sc.to_device(np.ones(10)), sc.shared(np.ones(5))]
    sc.function([], kept[1].sum(), device="cuda")()
    doubled = doubler()
    use = False

    @sc.python_op(type=lambda x: x)
    def meddling(x):
        kept.clear()
        gc.collect()
        return doubled(x) if use else x + 1

    x = T.dvector("x")
    f = sc.function([x], 2 * meddling(x), device="cuda")
    close(f(np.ones(4)), np.full(4, 4.0))
    use = True
    with raises(Exception, "cannot use the GPU itself"):
        f(np.ones(4))
    use = False
    close(f(np.ones(4)), np.full(4, 4.0))


# --- failures -------------------------------------------------------------------------------------


def no_memory():
    """EMULATED_CUDA_MEMORY is 32 MB: what does not fit says what fills it, and the rest works."""
    weights = sc.shared(np.zeros((512, 1024)), "weights")
    x = T.dmatrix("x")
    f = sc.function([x], (T.exp(x)[:, :1024] * weights[:1]).sum(), device="cuda")
    assert np.isfinite(f(np.zeros((100, 1024))))
    large = np.zeros((4096, 1024))
    with raises(
        MemoryError,
        "no memory for",
        "of 33.6 MB",
        "33.6 MB  x (4096, 1024)",
        "4.2 MB  weights (512, 1024)",
        " 0.0 MB  temporaries, inputs and results",
        "emulated GPU",
    ):
        f(large)
    assert np.isfinite(f(np.zeros((100, 1024))))
    with raises(GpuError, "no memory for 33.6 MB for an array"):
        sc.to_device(large)
    # What is kept for arrays to come is given back when something else needs it, and what only
    # garbage holds, too.
    arrays = [sc.to_device(np.zeros(MEGABYTE // 8)) for _ in range(12)]
    del arrays
    assert statistics("kept") >= 12 * MEGABYTE
    whole = sc.to_device(np.zeros(14 * MEGABYTE // 8))
    ring = [whole]
    ring.append(ring)
    gc.disable()
    del whole, ring
    assert sc.to_device(np.zeros(15 * MEGABYTE // 8)).nbytes == 15 * MEGABYTE


def illegal():
    """A kernel that writes where nothing is: the error is told, and again at every later call."""
    f, a = doubler(results="device"), np.ones(100)
    value = sc.shared(np.zeros(10), "value")
    add = sc.function([], updates=[(value, value + 1)], device="cuda")
    add()
    y = f(a)
    gpu.gpu().wait()
    beyond = y.address + y._owner.size
    ctypes.memset(beyond, 0, 4)  # as if a kernel had
    words = "CUDA error 700", "illegal", "start the process again"
    with raises(GpuError, *words):
        f(f(a)).get()
    for use in (lambda: f(a), y.get, add, value.get_value, lambda: sc.to_device(a), gpu.gpu().wait):
        with raises(GpuError, *words):
            use()
    assert value.device == "cuda"


def cubin():
    """What was compiled for a GPU is no kernel of this one."""
    driver = gpu.gpu().driver
    image = Path(os.environ["SYMCOMP_CACHE"]) / f"image-{os.getpid()}"
    try:
        for first, number in (("7f454c46", 209), ("23212f62", 200)):
            image.write_bytes(bytes.fromhex(first) + bytes(14) + bytes([190, 0]) + bytes(1000))
            with raises(GpuError, "does not load", f"CUDA error {number}"):
                driver.kernels(image, ["nothing"])
    finally:
        image.unlink()
    close(doubler()(np.ones(3)), np.full(3, 2.0))


def unusable():
    """Whatever is missing: the message is what the environment variable WORDS says."""
    with raises(GpuError, *os.environ["WORDS"].split("|")):
        doubler()
    x = T.dvector("x")
    close(sc.function([x], 2 * x)(np.ones(3)), np.full(3, 2.0))


def without_pycuda():
    """pycuda is not installed."""

    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "pycuda":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Hidden())
    unusable()


#: The programs that a GPU can run.
REAL = (
    results, shared_memory, products, replays, addresses, updates, device_results, positions,
    gpuarrays, streams, page_locked, other_contexts, threads, fork, nested,
)  # fmt: skip


def run_real(names: list[str]) -> None:
    """Programs on a GPU, each in a process of its own."""
    failed = []
    for name in names or [program.__name__ for program in REAL]:
        command = [sys.executable, __file__, "--one", name]
        status = subprocess.run(command, timeout=300).returncode
        print(f"{name}: {'fine' if status == 0 else f'failed ({status})'}", flush=True)
        failed += [name] if status else []
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    gpu.options.set(cuda_driver="pycuda")
    if sys.argv[1] == "--real":
        run_real(sys.argv[2:])
    if sys.argv[1] != "--one":
        gpu_drivers.DRIVERS["pycuda"] = Emulated
        gpu_libraries.LIBRARIES = ()  # cuBLAS wants more of a driver than there is
    globals()[sys.argv[-1]]()
    print("done")
