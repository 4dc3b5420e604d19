"""Positions outside their axis on a GPU: where the error is raised, what it says, what else holds.

Positions on the host are checked before anything starts. Nobody waits for the check of those on the
GPU: kernels take them for the first or the last of the axis, and the error is raised where a call
waits anyway, else by what is called next.
"""

from __future__ import annotations

import gc
import re
import threading

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import gpu
from symcomp.errors import BoundsError
from tests.backends import no_gpu
from tests.comparing import shrink

pytestmark = pytest.mark.skipif(bool(no_gpu()), reason=no_gpu())

X = np.arange(3.0)
EARLIER = "in an earlier call of"


def function(*arguments, **options):
    return sc.function(*arguments, device="cuda", **options)


def taker(name="taker", **options):
    """x[at], and the sum of all x until now."""
    x, at = T.dvector("x"), T.lvector("at")
    s = sc.shared(np.zeros(3), "s")
    return function([x, at], x[at], updates=[(s, s + x)], name=name, **options), s


def on_gpu(*positions):
    return sc.to_device(np.array(positions, "int64"))


# --- where it is raised ---------------------------------------------------------------------------


@pytest.mark.parametrize("results", ["numpy", "device"])
@pytest.mark.parametrize("wrong", [[0, 3], [-4], [2**62, 0], [-(2**63)]])
def test_positions_on_the_host_are_checked_before_anything_starts(wrong, results):
    f, s = taker(results=results)
    assert np.asarray(f(X, [2, -3])).tolist() == [2, 0]
    for x in (X, sc.to_device(X)):
        with pytest.raises(BoundsError, match="taker: index") as raised:
            f(x, wrong)
        assert EARLIER not in str(raised.value)
    assert np.asarray(f(X, np.zeros(0, "int64"))).shape == (0,)
    np.testing.assert_array_equal(s.get_value(), 2 * X)


@pytest.mark.parametrize(
    ("wrong", "taken"), [([0, 3], [0, 2]), ([-4], [0]), ([2**62, 0], [2, 0]), ([-(2**63)], [0])]
)
def test_a_call_that_waits_raises_at_its_end(wrong, taken):
    f, s = taker()
    assert f(X, on_gpu(2, -3)).tolist() == [2, 0]
    first = next(w for w in wrong if not -3 <= w < 3)
    with pytest.raises(BoundsError, match=f"^taker: index {first} is out of .* length 3") as raised:
        f(X, on_gpu(*wrong))
    assert EARLIER not in str(raised.value)
    np.testing.assert_array_equal(s.get_value(), 2 * X)  # what is updated is updated
    assert f(X, on_gpu()).shape == (0,)
    # Without an error to tell, the results are those of the nearest positions.
    g, _ = taker(results="device")
    y = g(X, on_gpu(*wrong))
    with pytest.raises(BoundsError):
        gpu.gpu().wait()
    assert y.get().tolist() == taken


def test_the_text_is_that_of_the_cpu():
    x, w, at = T.dmatrix("x"), T.dmatrix("weights"), T.ivector("at")
    outputs = [(x @ w)[at] * 2, T.nn.cross_entropy_with_logits(x @ w, at).mean()]
    arguments = np.ones((2, 2)), np.ones((2, 4)), np.array([1, 3, 4], "int32")[1:]
    texts = []
    for device in ("cpu", "cuda"):
        f = sc.function([x, w, at], outputs, name="both", device=device)
        with pytest.raises(BoundsError) as raised:
            f(*map(np.asarray if device == "cpu" else sc.to_device, arguments))
        texts.append(str(raised.value))
    assert texts[0] == texts[1]
    assert "index 3 is out of bounds for an axis of length 2" in texts[0]
    assert "in: dot(x, weights)[at]" in texts[0] or "x @ weights" in texts[0]


LATER = {
    "the same function": lambda f, y, s: f(X, on_gpu(0)),
    "its results": lambda f, y, s: y.get(),
    "NumPy": lambda f, y, s: np.asarray(y),
    "a shared value": lambda f, y, s: s.get_value(),
    "another function": lambda f, y, s: squares()(X),
    "waiting": lambda f, y, s: gpu.gpu().wait(),
    "the host": lambda f, y, s: sc.function([], s * 2, device="cpu")(),
}


def squares(**options):
    x = T.dvector("x")
    return function([x], x * x, name="squares", **options)


@pytest.mark.parametrize("later", LATER)
def test_a_call_that_does_not_wait_raises_later(later):
    f, s = taker(results="device")
    f(X, on_gpu(1))
    y = f(X, on_gpu(1, 7, 9))
    with pytest.raises(BoundsError) as raised:
        LATER[later](f, y, s)
    assert re.match(
        r"taker: index 7 is out of bounds for an axis of length 3 "
        r"\(in an earlier call of taker: .*\)\n  in: x\[at\]\n  where ",
        str(raised.value),
    )
    # Once; and what raised it was not done.
    np.testing.assert_array_equal(s.get_value(), 2 * X)
    assert y.get().tolist() == [1, 2, 2]
    assert f(X, on_gpu(2)).get().tolist() == [2]
    assert squares()(X).tolist() == [0, 1, 4]


def test_arrays_go_to_the_gpu_all_the_same():
    f, _ = taker(results="device")
    f(X, on_gpu(3))
    at = on_gpu(1)
    with pytest.raises(BoundsError):
        f(X, at)
    assert f(X, at).get().tolist() == [1]


def test_several_functions_in_flight():
    f, _ = taker("first", results="device")
    g, _ = taker("second", results="device")
    clean = squares(results="device")
    y = [h(X, at) for h, at in ((f, on_gpu(2)), (g, on_gpu(0)))]
    z = clean(X)
    lost = f(X, on_gpu(5))
    # In the emulation all kernels are done at once: so the next call raises, whichever it is.
    with pytest.raises(BoundsError, match=r"first: index 5.*earlier call of first"):
        g(X, on_gpu(6))
    assert [float(v.get()[0]) for v in y] == [2, 0]
    g(X, on_gpu(6))
    with pytest.raises(BoundsError, match=r"second: index 6.*earlier call of second"):
        z.get()
    assert z.get().tolist() == [0, 1, 4] and lost.get().tolist() == [2]


def test_a_call_that_waits_after_one_that_does_not():
    """Both calls of the function may have noted it."""
    x, at = T.dvector("x"), T.lvector("at")
    here, there = (function([x, at], x[at], name="f", results=r) for r in ("numpy", "device"))
    there(X, on_gpu(0))
    with pytest.raises(BoundsError) as raised:
        here(X, on_gpu(3))
    assert "call" not in str(raised.value).partition("\n")[0]
    there(X, on_gpu(3))
    with pytest.raises(BoundsError, match="in an earlier call of f"):
        here(X, on_gpu(0))
    assert here(X, on_gpu(0)).tolist() == [0]


def test_functions_of_one_structure_are_told_apart():
    first, second = (taker(name, results="device")[0] for name in ("first", "second"))
    for f, name in ((first, "first"), (second, "second")):
        f(X, on_gpu(4))
        with pytest.raises(BoundsError, match=f"^{name}: index 4"):
            gpu.gpu().wait()


def test_a_function_that_is_gone():
    f, _ = taker("forgotten", results="device")
    f(X, on_gpu(4))
    del f
    gc.collect()
    with pytest.raises(BoundsError, match=r"^forgotten: index 4 is out of bounds .* length 3"):
        gpu.gpu().wait()
    gpu.gpu().wait()


@pytest.mark.parametrize("results", ["numpy", "device"])
def test_a_step_that_is_replayed(results):
    """Of a captured step only the fifth call is wrong; the steps after it are done."""
    f, s = taker(results=results)
    place, positions = sc.to_device(X), sc.to_device(np.array([2, 0]))
    before = gpu.gpu().statistics()

    def step(n):
        bad = n == 5
        gpu.gpu().upload(positions.address, np.array([n % 3, 3 if bad else 0]))
        return np.asarray(f(place, positions)).tolist()

    wrong = []
    for n in range(1, 13):
        try:
            assert step(n) == [n % 3, 0]
        except BoundsError as error:
            assert "index 3 is out of bounds" in str(error)
            assert (EARLIER in str(error)) == (results == "device")
            wrong.append(n)
    assert wrong == [5]
    np.testing.assert_array_equal(s.get_value(), 12 * X)
    replays = gpu.gpu().statistics()["replays"] - before["replays"]
    assert replays >= (10 if results == "numpy" else 1)


def test_threads():
    """Each error is raised once, by some thread."""
    f, _ = taker("shared", results="device")
    good, bad = on_gpu(1), on_gpu(3)
    errors, lock = [], threading.Lock()

    def work():
        for n in range(20):
            try:
                f(X, bad if n == 10 else good)
            except BoundsError as error:
                with lock:
                    errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    try:
        gpu.gpu().wait()
    except BoundsError as error:
        errors.append(str(error))
    assert 1 <= len(errors) <= 4 and all("shared: index 3" in e for e in errors)
    gpu.gpu().wait()
    assert f(X, good).get().tolist() == [1]


# --- what is checked ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (7,), (5, 3), (2, 4, 6), (9001,)])
@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16"])
def test_the_first_of_many_positions(shape, dtype, monkeypatch):
    shrink(monkeypatch, {"CHECK_WORK": 16})
    x, at = T.dvector("x"), T.tensor(dtype, (None,) * len(shape), "at")
    f = function([x, at], x[at], results="device")
    random = np.random.default_rng(len(shape))
    given = random.integers(0, 100, shape).astype(dtype)
    y = f(np.arange(100.0), sc.to_device(given))
    np.testing.assert_array_equal(y.get(), given)
    for wrong in sorted({0, given.size // 3, given.size - 1}):
        changed = given.copy()
        changed.ravel()[wrong:] = 100 + np.arange(given.size - wrong) % 20
        f(np.arange(100.0), sc.to_device(changed))
        with pytest.raises(BoundsError, match="index 100 is out of bounds for an axis of length 1"):
            gpu.gpu().wait()


def test_the_first_of_several_checks():
    x, i, j = T.dmatrix("x"), T.lvector("i"), T.lvector("j")
    f = function([x, i, j], [x[i, j], x[j]], results="device")
    f(np.ones((2, 4)), on_gpu(1, 0), on_gpu(1, -2))
    for wrong, said in (
        ((on_gpu(2, 0), on_gpu(9, 9)), "index 2 .* length 2"),
        ((on_gpu(1, 0), on_gpu(0, -5)), "index -5 .* length 4"),
        ((on_gpu(1, 0), on_gpu(0, 3)), "index 3 .* length 2"),
    ):
        f(np.ones((2, 4)), *wrong)
        with pytest.raises(BoundsError, match=said):
            gpu.gpu().wait()


@pytest.mark.parametrize("place", [np.asarray, sc.to_device], ids=["on the host", "on the GPU"])
def test_an_axis_without_elements(place):
    empty = place(np.zeros(0))
    x, at, y = T.dvector("x"), T.lvector("at"), T.dvector("y")
    f = function([x, at], x[at], name="of nothing")
    g = function([x, y], x[T.cumsum(y).astype("int64")], name="of nothing")
    for call in (lambda a: f(empty, place(a.astype("int64"))), lambda a: g(empty, place(a))):
        assert call(np.zeros(0)).shape == (0,)
        with pytest.raises(BoundsError, match=r"of nothing: index 0 .* length 0"):
            call(np.zeros(2))


def test_positions_that_are_computed_from_inputs():
    x, at = T.dvector("x"), T.lvector("at")
    s = sc.shared(np.zeros(3), "s")
    f = function([x, at], x[at * 2 - 1], updates=[(s, s + x)])
    assert f(X, [1, 0]).tolist() == [1, 2]
    for place in (np.asarray, sc.to_device):
        with pytest.raises(BoundsError, match="index 3"):
            f(X, place([1, 2]))
    np.testing.assert_array_equal(s.get_value(), 2 * X)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
def test_positions_that_kernels_compute(device, seen):
    """Known only once other kernels have run: nothing is read with them outside the array, also
    where they are results themselves.
    """
    x, y = T.dmatrix("x"), T.dvector("y")
    at = T.cumsum(x.sum(axis=1)).astype("int64")
    s = sc.shared(np.zeros(2), "s")
    outputs = [y[at], at] if seen else [y[at]]
    f = sc.function([x, y], outputs, updates=[(s, s + y[at])], name="late", device=device)
    for result in f([[1.0, 0.0], [0.5, 0.5]], np.arange(5.0)):
        assert result.tolist() == [1, 2]
    for wrong, after in (
        ([[1.0, 0.0], [2.5, 2.5]], [2, 6]),
        ([[1e15, 1e15], [0.0, 0.0]], [6, 10]),
    ):
        with pytest.raises(BoundsError, match="late: index"):
            f(wrong, np.arange(5.0))
        np.testing.assert_array_equal(s.get_value(), [1, 2] if device == "cpu" else after)
    before = gpu.gpu().statistics()["replays"]
    for _ in range(4):
        f([[1.0, 0.0], [0.5, 0.5]], np.arange(5.0))
    assert device == "cpu" or gpu.gpu().statistics()["replays"] > before


def test_scatters_and_losses_check_their_positions():
    x, at = T.fmatrix("x"), T.lvector("at")
    cost = T.nn.cross_entropy_with_logits(x, at).mean()
    f = function([x, at], [cost, sc.grad(cost, x)])
    good = np.random.default_rng(0).normal(size=(3, 4)).astype("f4")
    assert np.isfinite(f(good, [0, 3, 1])[0])
    for place in (np.asarray, sc.to_device):
        with pytest.raises(BoundsError):
            f(good, place([0, 4, 1]))


def test_nothing_is_written_outside():
    """What is put or added at a wrong position stays in the array; the emulation sees what does
    not.
    """
    table, at = sc.shared(np.zeros((4, 3)), "table"), T.lvector("at")
    rows = T.dmatrix("rows")
    for changed in (
        T.set_subtensor(table[at], rows),
        T.inc_subtensor(table[at], rows),
        table - sc.grad((table[at] * rows).sum(), table),
    ):
        f = function([at, rows], updates=[(table, changed)], name="embedding")
        f(on_gpu(1, 3), np.ones((2, 3)))
        for wrong in (on_gpu(4, 2), on_gpu(0, -5), on_gpu(2**62, -(2**62))):
            f(wrong, np.ones((2, 3)))
            with pytest.raises(BoundsError, match=r"embedding: index .* length 4"):
                table.get_value()
            assert table.get_value().shape == (4, 3)


def test_python_between_sees_no_wrong_positions():
    calls = []

    def seen(v):
        calls.append(v.tolist())
        return v

    op = sc.python_op(seen, type=lambda v: v)
    x, at = T.dvector("x"), T.lvector("at")
    f = function([x, at], op(x[at]) + 1, name="between")
    assert f(X, on_gpu(2)).tolist() == [3]
    with pytest.raises(BoundsError, match="between: index 3") as raised:
        f(X, on_gpu(3))
    assert EARLIER not in str(raised.value)
    assert calls == [[2.0]]
    # Also of positions that are used after it.
    y = T.dvector("y")
    g = function([y, x, at], [op(y), x[at]], name="after")
    with pytest.raises(BoundsError, match="after: index 3") as raised:
        g(X, X, on_gpu(3))
    assert EARLIER not in str(raised.value)


# --- the order of checks and updates --------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_check_reads_shared_values_as_they_were(device):
    """Positions that come of a shared value and of what kernels compute are checked after these;
    nothing that uses them is left to hold back the update, which one kernel with `s * 2` could do.
    """
    table, y = T.lvector("table"), T.dvector("y")
    s = sc.shared(np.array([0, 1]), "s")
    nothing = table[s + T.cumsum(y).astype("int64")] * 0
    f = sc.function(
        [table, y], [s * 2, nothing], updates=[(s, s + 100)], name="ordered", device=device
    )
    given = np.arange(5), np.ones(2)
    for result, want in zip(f(*given), ([0, 2], [0, 0]), strict=True):
        assert result.tolist() == want
    assert s.get_value().tolist() == [100, 101]
    with pytest.raises(BoundsError, match=r"ordered: index 101 .* length 5"):
        f(*given)
    s.set_value(np.array([3, 2]))
    assert f(*given)[0].tolist() == [6, 4]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_check_reads_what_is_overwritten_later(device):
    """What a scatter alone reads besides the check keeps a place of its own."""
    table, z, k = T.lvector("table"), T.lvector("z"), T.lvector("k")
    sums = T.cumsum(z)
    nothing = table[sums] * 0
    f = sc.function([table, z, k], [nothing, T.set_subtensor(sums[k], 1000)], device=device)
    for result, want in zip(f(np.arange(5), [1, 2], [0]), ([0, 0], [1000, 3]), strict=True):
        assert result.tolist() == want
