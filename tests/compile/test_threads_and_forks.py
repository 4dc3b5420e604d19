"""Calls from several threads at once, and from children of a process that has used everything."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T

THREADS = 4


@pytest.fixture(params=("c", "numpy"))
def mode(request):
    return request.param


def together(work, count=THREADS):
    """Run work(0), …, work(count − 1) in threads that start at the same moment."""
    gate = threading.Barrier(count)

    def start(k):
        gate.wait()
        return work(k)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


class TestThreads:
    def test_one_function_on_different_arrays(self, mode):
        x = T.dmatrix("x")
        f = sc.function([x], [T.tanh(x).sum(1), (x @ x.T).sum()], mode=mode)

        def work(k):
            for n in range(1, 60):
                array = np.full((n + k, 7), k + 1.0)
                rows, total = f(array)
                np.testing.assert_allclose(rows, np.tanh(array).sum(1), rtol=1e-12)
                np.testing.assert_allclose(total, (array @ array.T).sum(), rtol=1e-12)

        together(work)

    def test_updates_are_not_lost(self, mode):
        s, x = sc.shared(np.zeros(1000), "s"), T.dvector("x")
        add = sc.function([x], updates=[(s, s + x)], mode=mode)
        subtract = sc.function([x], s.sum(), updates=[(s, s - x)], mode=mode)
        repeats = 200 if mode == "c" else 50

        def work(k):
            for _ in range(repeats):
                add(np.full(1000, 3.0))
                subtract(np.full(1000, 1.0))

        together(work)
        np.testing.assert_array_equal(s.get_value(), np.full(1000, 2.0 * THREADS * repeats))

    def test_modes_mix(self):
        s = sc.shared(np.zeros(300), "s")
        functions = [sc.function([], updates=[(s, s + 1)], mode=m) for m in ("c", "numpy")]

        def work(k):
            for _ in range(100):
                functions[k % 2]()

        together(work)
        assert (s.get_value() == 100 * THREADS).all()

    def test_values_are_never_half_written(self, mode):
        s = sc.shared(np.zeros(20_000), "s")
        f = sc.function([], [s.min(), s.max()], updates=[(s, s + 1)], mode=mode)
        stop = time.monotonic() + 0.5

        def work(k):
            while time.monotonic() < stop:
                if k == 0:
                    low, high = f()
                    assert low == high
                elif k == 1:
                    s.set_value(np.full(20_000, 7.0))
                else:
                    value = s.get_value()
                    assert value.min() == value.max()

        together(work)

    def test_two_functions_that_lock_in_opposite_order(self, mode):
        a, b = sc.shared(np.zeros(50), "a"), sc.shared(np.zeros(50), "b")
        one = sc.function([], updates=[(a, b + 1), (b, a + 1)], mode=mode)
        two = sc.function([], updates=[(b, a + 1), (a, b + 1)], mode=mode)
        together(lambda k: [(one, two)[k % 2]() for _ in range(100)])
        assert a.get_value()[0] == b.get_value()[0] == 100 * THREADS

    def test_compiling_at_once(self):
        x = T.dvector("x")

        def work(k):
            f = sc.function([x], T.exp(x * (k % 2 + 1)).sum(), name="at_once")
            return f(np.ones(3)).item()

        assert together(work) == pytest.approx([3 * np.exp(k % 2 + 1) for k in range(THREADS)])

    def test_other_threads_run_meanwhile(self):
        """The GIL is released while native code runs."""
        x = T.dvector("x")
        f = sc.function([x], T.special.gammaln(x).sum())
        array = np.full(4_000_000, 3.3)
        f(array)
        stamps, done = [], threading.Event()

        def count():
            while not done.is_set():
                stamps.append(time.perf_counter())
                time.sleep(0.0005)

        counter = threading.Thread(target=count)
        counter.start()
        time.sleep(0.01)
        start = time.perf_counter()
        for _ in range(3):
            f(array)
        stop = time.perf_counter()
        done.set()
        counter.join()
        assert sum(start < t < stop for t in stamps) > 3

    def test_python_operations(self):
        op = sc.python_op(lambda a, k: np.full_like(a, k), type=lambda x, k: x)
        x, k = T.dvector("x"), T.lscalar("k")
        f = sc.function([x, k], op(x, k).sum() * 2)

        def work(k):
            for n in range(1, 100):
                assert f(np.zeros(n), k) == 2 * n * k

        together(work)

    def test_errors_go_to_their_own_thread(self):
        def odd(a):
            if a[0] % 2:
                raise ValueError(f"odd: {a[0]:g}")
            return a

        x = T.dvector("x")
        f = sc.function([x], sc.python_op(odd, type=lambda x: x)(x) * 2)

        def work(k):
            for _ in range(50):
                if k % 2:
                    with pytest.raises(ValueError, match=f"odd: {k}"):
                        f(np.full(2, float(k)))
                else:
                    assert f(np.full(2, float(k)))[0] == 2 * k

        together(work)

    def test_sizes_that_change_meanwhile(self):
        s = sc.shared(np.ones(10), "s", shape=(None,))
        f = sc.function([], [s.sum(), s.shape[0]])
        stop = time.monotonic() + 0.3

        def work(k):
            while time.monotonic() < stop:
                if k == 0:
                    total, length = f()
                    assert total == length
                else:
                    s.set_value(np.ones(1000 * k))

        together(work)


def in_child(work, seconds=60):
    """Run `work` in a forked child; fails when that hangs or fails."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
class TestForks:
    @pytest.fixture
    def used(self):
        """A function that has used threads, matrix products and a shared value."""
        x = T.dmatrix("x")
        w = sc.shared(np.ones((300, 300)), "w")
        f = sc.function([x], T.tanh(x @ w).sum(), updates=[(w, w * 0.5)])
        f(np.ones((400, 300)))
        return f, w, x

    def test_the_same_function(self, used):
        f, w, _ = used
        expected = 400 * 300 * np.tanh(150)

        def work():
            assert abs(f(np.ones((400, 300))) - expected) < 1e-6 * expected
            assert w.get_value()[0, 0] == 0.25

        in_child(work)
        assert w.get_value()[0, 0] == 0.5

    def test_a_new_function(self, used):
        _, w, x = used

        def work():
            f = sc.function([x], T.exp(x @ w).sum() * os.getpid(), name="new_in_child")
            expected = np.exp(np.ones((20, 300)) @ w.get_value()).sum() * os.getpid()
            np.testing.assert_allclose(f(np.ones((20, 300))), expected, rtol=1e-9)

        in_child(work)

    def test_while_other_threads_call(self, used):
        f, w, _ = used
        slow = sc.function([], w.sum(), updates=[(w, w + 0)], mode="numpy")
        stop = threading.Event()

        def busy(call, *arguments):
            while not stop.is_set():
                call(*arguments)

        threads = [
            threading.Thread(target=busy, args=(f, np.ones((400, 300)))),
            threading.Thread(target=busy, args=(slow,)),
        ]
        for t in threads:
            t.start()
        try:
            for _ in range(5):
                in_child(lambda: (f(np.ones((400, 300))), slow(), w.get_value()))
        finally:
            stop.set()
            for t in threads:
                t.join()

    def test_a_pool(self, used):
        f, _, _ = used
        with multiprocessing.get_context("fork").Pool(2) as pool:
            results = pool.map(f, [np.ones((n, 300)) for n in (1, 2, 3, 4)])
        assert all(np.isfinite(r) for r in results)

    def test_interpreted(self):
        s = sc.shared(1.0, "s")
        f = sc.function([], s, updates=[(s, s + 1)], mode="numpy")
        f()

        def work():
            assert f() == 2
            assert f() == 3

        in_child(work)
        assert f() == 2
