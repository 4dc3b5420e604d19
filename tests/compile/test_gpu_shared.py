"""Shared values that functions on the GPU, on the CPU and in NumPy use in turn."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import gpu
from symcomp.errors import OptionError, ShapeError
from tests.backends import no_gpu
from tests.laws.random_programs import KINDS

pytestmark = pytest.mark.skipif(bool(no_gpu()), reason=no_gpu())

START = np.arange(6.0).reshape(2, 3)


def adder(s, device="cuda", mode="c", by=1):
    """A function that adds to a shared value and gives its sum before."""
    return sc.function([], s.sum(), updates=[(s, s + by)], device=device, mode=mode)


def on_gpu(**options) -> sc.tensor.Expr:
    """A shared value that the GPU has written: 1 more than START."""
    s = sc.shared(START, "s", **options)
    adder(s)()
    assert s.device == "cuda"
    return s


# --- where a value is -----------------------------------------------------------------------------


def test_a_value_moves_to_whoever_uses_it():
    s = sc.shared(START, "s")
    assert s.device == "cpu"
    steps = [adder(s), adder(s, "cpu"), adder(s, mode="numpy"), adder(s), adder(s, mode="check")]
    devices = ["cuda", "cpu", "cpu", "cuda", "cuda"]
    for n, (step, device) in enumerate([*zip(steps, devices, strict=True)] * 2):
        assert step() == 15 + 6 * n
        assert s.device == device
    np.testing.assert_array_equal(s.get_value(), START + 10)


def test_a_value_that_the_gpu_has_read_is_in_both_places():
    s = sc.shared(START, "s")
    read = sc.function([], s * 2, device="cuda")
    np.testing.assert_array_equal(read(), START * 2)
    assert s.device == "cuda"
    np.testing.assert_array_equal(s.get_value(borrow=True), START)
    adder(s, "cpu")()
    assert s.device == "cpu"
    np.testing.assert_array_equal(read(), START * 2 + 2)
    s.set_value(START * 5)
    np.testing.assert_array_equal(read(), START * 10)


def test_two_functions_of_the_gpu_hand_a_value_on():
    s, t = sc.shared(START, "s"), sc.shared(START * 0, "t")
    first = sc.function([], updates=[(s, s + t), (t, s)], device="cuda")
    second = sc.function([], [s, t], updates=[(s, t)], device="cuda")
    first()
    first()
    a, b = second()
    np.testing.assert_array_equal(a, START * 2)
    np.testing.assert_array_equal(b, START)
    np.testing.assert_array_equal(s.get_value(), START)


def test_brought_at_once():
    before = gpu.gpu().free_memory()
    s = sc.shared(np.ones((1000, 1000)), device="cuda")
    assert before - gpu.gpu().free_memory() >= 8_000_000
    assert sc.function([], s.sum(), device="cuda")() == 1e6
    assert (s.get_value() == 1).all()


def test_unknown_devices():
    with pytest.raises(OptionError, match="'cpu' or 'cuda', not 'gpu'"):
        sc.shared(START, device="gpu")


def test_memory_is_given_back():
    gc.collect()
    before = gpu.gpu().free_memory()
    s = sc.shared(np.ones((500, 1000)), device="cuda")
    assert gpu.gpu().free_memory() < before
    del s
    gc.collect()
    assert gpu.gpu().free_memory() == before


# --- get_value and set_value ----------------------------------------------------------------------


def test_get_value_is_a_copy():
    s = on_gpu()
    first = s.get_value()
    np.testing.assert_array_equal(first, START + 1)
    first[:] = 0
    second = s.get_value(borrow=True)
    np.testing.assert_array_equal(second, START + 1)
    second[:] = 0
    np.testing.assert_array_equal(sc.function([], s, device="cuda")(), START + 1)


def test_borrowed_storage_of_the_host_is_kept_up_to_date():
    """What is written into borrowed storage, set again, is what the GPU sees."""
    given = START.copy()
    s = sc.shared(given, "s", borrow=True)
    adder(s)()
    s.get_value()
    np.testing.assert_array_equal(given, START + 1)
    borrowed = s.get_value(borrow=True)
    borrowed += 1
    s.set_value(borrowed, borrow=True)
    assert adder(s)() == (START + 2).sum()


def test_set_value_after_an_update_on_the_gpu():
    s = on_gpu()
    s.set_value(START * 3)
    assert s.device == "cpu"
    assert adder(s)() == START.sum() * 3
    np.testing.assert_array_equal(s.get_value(), START * 3 + 1)


def test_values_of_other_sizes():
    s = sc.shared(np.ones((2, 3)), "s", shape=(None, None))
    double = sc.function([], s.sum(), updates=[(s, s * 2)], device="cuda")
    for shape in ((2, 3), (100, 70), (1, 1), (0, 3), (5, 4)):
        s.set_value(np.ones(shape))
        assert double() == np.prod(shape)
        np.testing.assert_array_equal(s.get_value(), np.full(shape, 2.0))
    with pytest.raises(ShapeError):
        sc.shared(np.ones((2, 3))).set_value(np.ones((3, 2)))


def test_sizes_that_do_not_fit_are_seen_before_anything_is_done():
    s, t = sc.shared(np.ones(3), "s", shape=(None,)), sc.shared(np.ones(3), "t", shape=(None,))
    f = sc.function([], s + t, updates=[(s, s + t)], device="cuda")
    f()
    t.set_value(np.ones(4))
    with pytest.raises(ShapeError, match="s"):
        f()
    assert s.get_value().tolist() == [2, 2, 2]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (5, 7)])
def test_every_dtype_comes_back(dtype, shape):
    value = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    s = sc.shared(value)
    new = ~s if dtype == "bool" else s + s
    sc.function([], updates=[(s, new)], device="cuda")()
    want = ~value if dtype == "bool" else value + value
    got = s.get_value()
    assert got.dtype == dtype and got.shape == shape
    np.testing.assert_array_equal(got, want)


# --- numbers that decide sizes --------------------------------------------------------------------


def test_a_number_that_is_a_size_may_lie_on_the_gpu():
    n = sc.shared(np.int64(3), "n")
    f = sc.function([], T.arange(n) * 2, updates=[(n, n + 1)], device="cuda")
    for count in (3, 4, 5):
        np.testing.assert_array_equal(f(), np.arange(count) * 2)
    g = sc.function([], T.arange(n), device="cpu")
    assert len(g()) == 6 and n.get_value() == 6
    n.set_value(2)
    assert len(f()) == 2 and len(g()) == 3


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_shared_index(device):
    """It is checked as it is before the call, not as the call leaves it. A call on a GPU updates it
    before it is known that it was wrong.
    """
    at, x = sc.shared(np.int64(1), "at"), T.dvector("x")
    f = sc.function([x], x[at], updates=[(at, at + 1)], device=device)
    assert [float(f([5.0, 6.0, 7.0])) for _ in range(2)] == [6, 7]
    with pytest.raises(sc.errors.BoundsError, match="index 3"):
        f([5.0, 6.0, 7.0])
    assert at.get_value() == (3 if device == "cpu" else 4)


# --- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_copies_have_the_newest_value(again):
    s = on_gpu()
    other = again(s)
    np.testing.assert_array_equal(other.get_value(), START + 1)
    adder(other)()
    np.testing.assert_array_equal(s.get_value(), START + 1)
    np.testing.assert_array_equal(other.get_value(), START + 2)


def test_functions_are_pickled_with_their_device_and_values():
    s = on_gpu()
    f = adder(s)
    g = pickle.loads(pickle.dumps(f))
    assert (g.definition.device, g.definition.results) == ("cuda", "numpy")
    assert g() == (START + 1).sum()
    np.testing.assert_array_equal(g.shared[0].get_value(), START + 2)
    np.testing.assert_array_equal(s.get_value(), START + 1)


def test_copies_of_functions():
    s = on_gpu()
    f = adder(s)
    apart, together = f.copy(share=False), f.copy()
    assert apart() == together() == (START + 1).sum()
    assert apart() == together() == (START + 2).sum()
    np.testing.assert_array_equal(s.get_value(), START + 3)
    t = sc.shared(START * 10, "t")
    assert f.copy(swap={s: t})() == START.sum() * 10
    np.testing.assert_array_equal(s.get_value(), START + 3)


def test_eval_sees_the_newest_value():
    s = on_gpu()
    np.testing.assert_array_equal((s * 2).eval(), START * 2 + 2)


def test_updates_in_place_through_copies_and_with_hazards():
    """The same as on the CPU, call after call."""
    values = []
    for device in ("cpu", "cuda"):
        a, b = sc.shared(np.arange(9.0).reshape(3, 3)), sc.shared(np.ones((3, 3)))
        f = sc.function(
            [], [a.sum(), b[0]], updates=[(a, b + a.T), (b, a[::-1] - b.sum(0))], device=device
        )
        results = [np.array(v) for _ in range(4) for v in f()]
        values.append([*results, a.get_value(), b.get_value()])
    for cpu, cuda in zip(*values, strict=True):
        np.testing.assert_allclose(cuda, cpu, rtol=1e-13)


def test_random_streams_move_on_as_on_the_cpu():
    """The same bits, whichever device draws them."""
    results = []
    for devices in (("cpu",) * 4, ("cuda",) * 4, ("cuda", "cpu", "cpu", "cuda")):
        stream = sc.random.RandomStream(7)
        draws = [
            stream.uniform((5, 3)), stream.integers(0, 1000, (70,)), stream.normal((4,)),
            stream.bernoulli(0.3, (33,)), T.nn.dropout(T.ones((6, 6)), 0.5, stream),
            stream.permutation(20),
        ]  # fmt: skip
        functions = {d: sc.function([], draws, device=d) for d in set(devices)}
        results.append([v for d in devices for v in functions[d]()])
    for cpu, cuda, both in zip(*results, strict=True):
        if cpu.dtype.kind == "f" and cpu.shape == (4,):  # log and cos: the last bit may differ
            np.testing.assert_allclose(cuda, cpu, rtol=1e-14)
            np.testing.assert_allclose(both, cpu, rtol=1e-14)
        else:
            np.testing.assert_array_equal(cuda, cpu)
            np.testing.assert_array_equal(both, cpu)


@pytest.mark.parametrize("seed", range(6))
def test_random_updates_on_changing_devices(seed, request):
    """Whoever makes the next update, NumPy, the CPU or the GPU: the values are the same."""
    seed += 10 * request.config.getoption("--seed")
    program, outputs, updates = KINDS["update"](1300 + seed, 4)
    arguments = [program.values[x] for x in program.inputs]
    functions = [
        sc.function(program.inputs, outputs, updates=updates, on_unused_input="ignore", **where)
        for where in ({"mode": "numpy"}, {"device": "cpu"}, {"device": "cuda"})
    ]
    random = np.random.default_rng(seed)
    turns = [[0] * 8, random.integers(0, 3, 8), [1, 2] * 4]
    ends = []
    for turn in turns:
        for s in program.shared:
            s.set_value(program.values[s])
        with np.errstate(all="ignore"):
            results = [functions[k](*arguments) for k in turn]
        ends.append([*results[-1], *(s.get_value() for s in program.shared)])
    for other in ends[1:]:
        for got, want in zip(other, ends[0], strict=True):
            largest = max(1.0, np.abs(np.nan_to_num(want, posinf=0, neginf=0)).max(initial=0))
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4 * largest)


def test_threads_on_both_devices():
    """No update is lost, and whoever reads sees a value as some call has left it."""
    s = sc.shared(np.zeros(500), "s")
    functions = [adder(s, "cuda"), adder(s, "cpu"), adder(s, "cuda")]
    gate = threading.Barrier(4)

    def work(k):
        gate.wait()
        for _ in range(40):
            if k < 3:
                functions[k]()
            else:
                value = s.get_value()
                assert (value == value[0]).all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    np.testing.assert_array_equal(s.get_value(), np.full(500, 120.0))
