"""Random numbers: the cipher's published answers, one stream in all modes and by any number of
threads, distributions by SciPy's tests, and the life of a state.
"""

from __future__ import annotations

import copy
import pickle
import threading
import time

import numpy as np
import pytest
import scipy.stats

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import (
    ArgumentError,
    DisconnectedInputError,
    DtypeError,
    OptionError,
    ShapeError,
    UpdateError,
)
from symcomp.graph.expr import constant
from symcomp.tensor import random as core

#: counter, key, block: from the "kat_vectors" of Random123, the authors' own library.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
#: The smallest p-value that is not taken for a failure: the seeds are fixed, so it is met or not.
UNLIKELY = 1e-4


@pytest.fixture
def stream():
    return sc.random.RandomStream(2026)


def place(counter):
    """The call, the draw and the block that a counter stands for."""
    a, b, c, d = counter
    return d << 24 | b >> 8, c, (b & 0xFF) << 32 | a


class TestBits:
    @pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
    def test_known_answers_of_the_reference(self, counter, key, block):
        words = core.philox(*map(np.uint64, counter), key[0] | key[1] << 32)
        assert tuple(map(int, words)) == block

    @pytest.mark.parametrize("mode", ["numpy", "c"])
    @pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
    def test_known_answers_at_a_place(self, mode, counter, key, block):
        call, draw, number = place(counter)
        wide = T.tensor("uint64", (None,), name="positions")
        where = [constant(np.uint64(v)) for v in (key[0] | key[1] << 32, call, draw)]
        outputs = [
            core.random_bits32(*where, wide),
            core.random_bits64(*where, wide // np.uint64(2)),
        ]
        for whole in (core.random_bits32, core.random_bits64):
            outputs += [part(*where, wide // np.uint64(4)) for part in core.PARTS[whole]]
        words, pairs, *parts = sc.function([wide], outputs, mode=mode)(
            4 * number + np.arange(4, dtype="uint64")
        )
        assert tuple(words) == block
        low, high = block[0] | block[1] << 32, block[2] | block[3] << 32
        assert pairs.tolist() == [low, low, high, high]
        assert [part.tolist() for part in parts] == [[v] * 4 for v in (*block, low, high)]

    def test_layout(self, stream):
        """Elements take words in order, calls and draws have counters of their own."""
        state = stream.get_state()
        bits = core.bits32(core.Draw(stream.state, 5), (3, 3))
        f = sc.function([], bits, mode="numpy")
        for call in range(2):
            block = [core.philox(*map(np.uint64, (b, call << 8, 5, 0)), state[0]) for b in range(3)]
            assert f().ravel().tolist() == np.ravel(block).tolist()[:9]

    def test_parts_of_the_reference(self):
        """The reference works part by part, and with a key for each element."""
        keys, calls = np.array([3, 9, 3], "uint64")[:, None], np.array([[1], [2], [1]], "uint64")
        at = np.arange(20_001, dtype="uint64")
        whole = core.random_bits32.numpy(keys, calls, np.uint64(4), at)
        for row, key, call in zip(whole, keys[:, 0], calls[:, 0], strict=True):
            np.testing.assert_array_equal(
                row[::997], core.random_bits32.numpy(key, call, np.uint64(4), at[::997])
            )

    def test_below(self):
        bits = np.array([0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF0], "uint64")
        for limit in (1, 2, 3, 10, 2**32 - 1, 2**32, 2**63 + 1, 2**64 - 1):
            for mode in ("numpy", "c"):
                x = T.tensor("uint64", (None,))
                f = sc.function([x], core.random_below(x, np.uint64(limit)), mode=mode)
                assert f(bits).tolist() == [int(b) * limit >> 64 for b in bits]


DRAWS = {
    "uniform": lambda s, n: s.uniform((n,), dtype="float32"),
    "uniform64": lambda s, n: s.uniform((n,), dtype="float64"),
    "bernoulli": lambda s, n: s.bernoulli(0.3, (n,)),
    "bernoulli32": lambda s, n: s.bernoulli(np.float32(0.3), (n,)),
    "integers": lambda s, n: s.integers(-5, 100, (n,)),
    "bytes": lambda s, n: s.integers(0, 256, (n,), dtype="uint8"),
    "permutation": lambda s, n: s.permutation(n),
    "matrix": lambda s, n: s.uniform((n, 3), dtype="float32"),
    "row": lambda s, n: s.uniform((3, n), dtype="float32"),
}
NEAR = {
    "normal": lambda s, n: s.normal((n,), dtype="float32"),
    "normal64": lambda s, n: s.normal((n,), dtype="float64"),
    "exponential": lambda s, n: s.exponential((n,), dtype="float32"),
    "gumbel64": lambda s, n: s.gumbel((n,), dtype="float64"),
    "truncated_normal": lambda s, n: s.truncated_normal((n,), dtype="float32"),
    "scaled": lambda s, n: s.uniform((n,), -1, 3, dtype="float32"),
}
SIZES = (0, 1, 2, 3, 5, 31, 1023, 70_001)


class TestOneStream:
    @pytest.mark.parametrize("name", DRAWS)
    def test_c_is_numpy_whatever_the_threads(self, name):
        n = T.lscalar("n")
        f, g = (
            sc.function([n], DRAWS[name](sc.random.RandomStream(5), n), mode=mode)
            for mode in ("c", "numpy")
        )
        for k, size in enumerate(SIZES):
            with sc.options(threads=1 + k % 3):
                got = f(size)
            want = g(size)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)

    @pytest.mark.parametrize("name", NEAR)
    def test_c_is_near_numpy(self, name):
        n = T.lscalar("n")
        f, g = (
            sc.function([n], NEAR[name](sc.random.RandomStream(5), n), mode=mode)
            for mode in ("c", "numpy")
        )
        for size in SIZES:
            got, want = f(size), g(size)
            assert (got.shape, got.dtype) == (want.shape, want.dtype)
            if name.startswith("normal"):
                distance = np.abs(got - want) / np.spacing(np.abs(want))
                allowed = 2 if np.finfo(np.longdouble).nmant > 60 or "64" not in name else 4
                assert distance.max(initial=0) <= allowed
            else:
                np.testing.assert_allclose(got, want, 1e-5, 1e-6)

    def test_threads_do_not_matter(self, stream):
        f = sc.function([], [stream.uniform((300_007,)), stream.normal((300_007,))])
        state, results = stream.get_state(), []
        for threads in (1, 2, 3):
            stream.set_state(state)
            with sc.options(threads=threads):
                results.append(f())
        for other in results[1:]:
            for a, b in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(a, b)

    def test_checked(self, stream):
        x = T.fmatrix("x")
        y = (T.nn.dropout(x, 0.4, stream) + stream.normal(like=x)).sum(axis=1)
        f = sc.function([x], [y, stream.permutation(5)], mode="check")
        f(np.ones((4, 7), "float32"))
        f(np.ones((4, 7), "float32"))
        assert stream.get_state()[1] == 2

    @pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 33)])
    def test_updates_in_place(self, shape):
        """Formulas of several draws, of words and pairs of words, that replace what they read."""
        results = []
        for mode in ("c", "numpy"):
            s = sc.random.RandomStream(8)
            w = sc.shared(np.arange(np.prod(shape), dtype="float32").reshape(shape))
            chosen = T.where(s.bernoulli(np.float32(0.5), shape), w, -w)
            new = chosen + s.integers(0, 9, shape).astype("float32") + s.uniform(like=w)
            f = sc.function([], [w.sum(axis=-1), new], updates=[(w, new)], mode=mode)
            results.append([v for _ in range(3) for v in f()] + [w.get_value()])
        for c, numpy in zip(*results, strict=True):
            np.testing.assert_allclose(c, numpy, 1e-5, 1e-4)

    def test_draws_are_values(self, stream):
        u, v = stream.uniform((50,)), stream.uniform((50,))
        same, zero, other = sc.function([], [u, u - u, v])()
        assert (zero == 0).all()
        assert not np.intersect1d(same, other).size

    def test_a_vector_read_again_and_again(self, stream):
        """A draw that is an argument of a product is computed once."""
        a = T.fmatrix("a")
        u = stream.uniform((a.shape[1],), dtype="float32")
        product, drawn = sc.function([a], [a @ u, u])(np.eye(6, dtype="float32"))
        np.testing.assert_array_equal(product, drawn)


def drawn(expression):
    return sc.function([], expression)()


def likely(test):
    assert test.pvalue > UNLIKELY, test


class TestDistributions:
    n = 100_000

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_uniform(self, stream, dtype):
        x = drawn(stream.uniform((self.n,), dtype=dtype))
        assert x.dtype == dtype
        assert 0 <= x.min() < 1e-3 and 1 - 1e-3 < x.max() < 1
        likely(scipy.stats.kstest(x, "uniform"))
        y = drawn(stream.uniform((self.n,), -3, 5, dtype=dtype))
        likely(scipy.stats.kstest(y, scipy.stats.uniform(-3, 8).cdf))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_normal(self, stream, dtype):
        x = drawn(stream.normal((self.n,), dtype=dtype))
        assert x.dtype == dtype
        likely(scipy.stats.kstest(x, "norm"))
        assert abs(x.mean()) < 0.015 and abs(x.std() - 1) < 0.01
        assert abs(scipy.stats.skew(x)) < 0.04 and abs(scipy.stats.kurtosis(x)) < 0.08
        assert abs(np.corrcoef(x[::2], x[1::2])[0, 1]) < 0.02
        y = drawn(stream.normal((self.n,), 2, 0.5, dtype=dtype))
        likely(scipy.stats.kstest(y, scipy.stats.norm(2, 0.5).cdf))

    def test_truncated_normal(self, stream):
        x = drawn(stream.truncated_normal((self.n,), 1, 2, -1, 2.5))
        assert x.min() >= -1 and x.max() <= 6
        likely(scipy.stats.kstest(x, scipy.stats.truncnorm(-1, 2.5, 1, 2).cdf))

    def test_exponential_and_gumbel(self, stream):
        x = drawn(stream.exponential((self.n,), 3.0))
        assert x.min() > 0
        likely(scipy.stats.kstest(x, scipy.stats.expon(scale=3).cdf))
        y = drawn(stream.gumbel((self.n,), 1.0, 2.0))
        likely(scipy.stats.kstest(y, scipy.stats.gumbel_r(1, 2).cdf))

    def test_integers(self, stream):
        x = drawn(stream.integers(-2, 5, (self.n,)))
        assert x.dtype == "int64"
        likely(scipy.stats.chisquare(np.bincount(x + 2, minlength=7)))
        assert set(drawn(stream.integers(3, shape=(100,)))) == {0, 1, 2}

    def test_integers_to_the_ends_of_their_dtypes(self, stream):
        whole = drawn(stream.integers(-(2**63), 2**63, (10_000,)))
        assert whole.min() < -(2**62) and whole.max() > 2**62
        unsigned = drawn(stream.integers(0, 2**64, (10_000,), dtype="uint64"))
        assert unsigned.dtype == "uint64" and unsigned.max() > 2**63
        upper = drawn(stream.integers(2**64 - 2, 2**64, (100,), dtype="uint64"))
        assert {int(v) for v in upper} == {2**64 - 2, 2**64 - 1}
        small = drawn(stream.integers(-128, 128, (10_000,), dtype="int8"))
        assert (small.min(), small.max()) == (-128, 127)

    def test_bernoulli(self, stream):
        x = drawn(stream.bernoulli(0.2, (self.n,)))
        assert x.dtype == "bool"
        likely(scipy.stats.binomtest(int(x.sum()), self.n, 0.2))
        ends = drawn(stream.bernoulli(np.array([0.0, 1.0]), (500, 2)))
        assert not ends[:, 0].any() and ends[:, 1].all()
        assert drawn(stream.bernoulli(0.5, (10,), dtype="float32")).dtype == "float32"

    def test_categorical(self, stream):
        p = np.array([0.1, 0.2, 0.0, 0.7])
        with np.errstate(divide="ignore"):
            x = drawn(stream.categorical(np.log(p), (self.n,)))
        counts = np.bincount(x, minlength=4)
        assert counts[2] == 0
        likely(scipy.stats.chisquare(counts[p > 0], self.n * p[p > 0]))
        rows = drawn(stream.categorical(np.array([[0.0, 50.0, 0.0], [50.0, 0.0, 0.0]])))
        assert rows.tolist() == [1, 0]
        columns = drawn(stream.categorical(np.array([[0.0, 50.0], [50.0, 0.0]]), axis=0))
        assert columns.tolist() == [1, 0]

    def test_permutation(self, stream):
        f = sc.function([], stream.permutation(4))
        seen = np.array([f() for _ in range(4800)]) @ [64, 16, 4, 1]
        _, counts = np.unique(seen, return_counts=True)
        assert len(counts) == 24
        likely(scipy.stats.chisquare(counts))
        assert sorted(drawn(stream.permutation(1000))) == list(range(1000))

    def test_order_of_arrays(self, stream):
        x, rows = T.matrix("x"), T.lscalar("rows")
        a = np.arange(40.0).reshape(8, 5)
        shuffled, columns = sc.function([x], [stream.shuffle(x), stream.permutation(x, axis=1)])(a)
        assert sorted(shuffled[:, 0]) == a[:, 0].tolist() and (np.diff(shuffled) == 1).all()
        assert sorted(columns[0]) == a[0].tolist() and (np.diff(columns, axis=0) == 5).all()
        f = sc.function([rows], stream.permutation(rows))
        assert sorted(f(7)) == list(range(7)) and f(0).shape == (0,)

    def test_choice(self, stream):
        a = np.array([2.0, 4.0, 8.0])
        assert set(drawn(stream.choice(a, (200,)))) == {2, 4, 8}
        assert set(drawn(stream.choice(3, (200,)))) == {0, 1, 2}
        assert sorted(drawn(stream.choice(a, 3, replace=False))) == [2, 4, 8]
        weighted = drawn(stream.choice(a, (20_000,), p=np.array([0.5, 0.0, 0.5])))
        assert set(weighted) == {2, 8} and abs((weighted == 2).mean() - 0.5) < 0.02

    def test_streams_are_independent(self):
        streams = [sc.random.RandomStream(seed) for seed in (0, 1)]
        streams += streams[0].split(2)
        streams += streams[0].split(1)
        assert len({int(s.get_state()[0]) for s in streams}) == 5
        values = sc.function([], [s.uniform((20_000,)) for s in streams])()
        assert np.abs(np.corrcoef(values) - np.eye(5)).max() < 0.03
        assert not set.intersection(*(set(v[:100].tolist()) for v in values))

    def test_calls_are_independent(self, stream):
        f = sc.function([], stream.normal((20_000,)))
        values = [f() for _ in range(4)]
        assert np.abs(np.corrcoef(values) - np.eye(4)).max() < 0.03


class TestShapes:
    def test_symbolic(self, stream):
        x, n = T.matrix("x"), T.lscalar("n")
        outputs = [
            stream.uniform((x.shape[0], n)),
            stream.normal(like=x),
            stream.normal(mean=x, std=0.0),
            stream.integers(0, n, (n + 1,)),
            stream.uniform((n, 0)),
            stream.uniform(()),
            stream.uniform(),
        ]
        f = sc.function([x, n], outputs)
        a = np.arange(6.0).reshape(2, 3)
        shapes = [v.shape for v in f(a, 4)]
        assert shapes == [(2, 4), (2, 3), (2, 3), (5,), (4, 0), (), ()]
        np.testing.assert_array_equal(f(a, 4)[2], a)
        assert f(a[:0], 1)[0].shape == (0, 1)

    def test_parameters_broadcast(self, stream):
        low = np.array([[0.0], [10.0]])
        high = np.array([1.0, 2.0, 3.0])
        x = drawn(stream.uniform(low=low, high=low + high))
        assert x.shape == (2, 3) and (x >= low).all() and (x <= low + high).all()
        y = drawn(stream.uniform((500, 2, 3), low, low + high))
        assert y.shape == (500, 2, 3) and len(np.unique(y)) == 3000
        assert drawn(stream.bernoulli(np.full(3, 0.5))).shape == (3,)
        counts = drawn(stream.integers(np.array([0, 5]), np.array([1, 6]), (4, 2)))
        assert counts.tolist() == [[0, 5]] * 4

    def test_dtypes(self, stream):
        x = T.fvector("x")
        assert stream.uniform((3,)).dtype == sc.options.floatX
        assert stream.uniform(like=x).dtype == "float32"
        assert stream.normal(mean=x).dtype == "float32"
        assert stream.normal(mean=x, std=T.dscalar()).dtype == "float64"
        assert stream.normal(mean=x, dtype="float64").dtype == "float64"
        assert stream.uniform(like=T.lvector()).dtype == sc.options.floatX

    def test_errors(self, stream):
        x = T.matrix("x")
        wrong = [
            (ArgumentError, "low must be below high", lambda: stream.uniform((3,), 1, 1)),
            (ArgumentError, "low must be below high", lambda: stream.integers(5, 5, (3,))),
            (ArgumentError, "low must be below high", lambda: stream.integers(0, shape=(3,))),
            (ArgumentError, "must not be negative, not -1", lambda: stream.normal((3,), 0, -1)),
            (ArgumentError, "between 0 and 1, not 1.5", lambda: stream.bernoulli(1.5, (3,))),
            (ArgumentError, "within int8", lambda: stream.integers(0, 300, (3,), dtype="int8")),
            (DtypeError, "must be integers", lambda: stream.integers(0.5, 3, (3,))),
            (DtypeError, "one of integers", lambda: stream.integers(3, dtype="float32")),
            (DtypeError, "float32 or float64", lambda: stream.normal((3,), dtype="int64")),
            (ArgumentError, "a shape, or an array", lambda: stream.uniform((3,), like=x)),
            (ShapeError, "cannot be negative", lambda: stream.uniform((3, -1))),
            (ShapeError, "must be an integer", lambda: stream.uniform((2.5,))),
            (ShapeError, "cannot broadcast", lambda: stream.normal((3,), np.zeros(4))),
            (ShapeError, "cannot be negative", lambda: stream.permutation(-1)),
            (ShapeError, "no order", lambda: stream.shuffle(3)),
            (ShapeError, "axis of classes", lambda: stream.categorical(1.0)),
            (ArgumentError, "nothing is left", lambda: stream.truncated_normal(low=50, high=51)),
            (ArgumentError, "without replacement", lambda: stream.choice(3, 2, False, [1, 0, 0])),
            (ArgumentError, "a seed is", lambda: sc.random.RandomStream(-1)),
            (ArgumentError, "a seed is", lambda: sc.random.RandomStream(1.5)),
            (ArgumentError, "split: n is", lambda: stream.split(-1)),
            (ArgumentError, "not 1.2", lambda: T.nn.dropout(x, 1.2, stream)),
            (ArgumentError, "not -0.1", lambda: T.nn.dropout(x, -0.1, stream)),
            (ArgumentError, "not 1.0", lambda: T.nn.alpha_dropout(x, 1, stream)),
            (ArgumentError, "RandomStream, not 7", lambda: T.nn.dropout(x, 0.5, 7)),
            (ShapeError, "out of range", lambda: T.nn.dropout(x, 0.5, stream, axes=2)),
            (DtypeError, "floating point", lambda: T.nn.dropout(x, T.lscalar(), stream)),
        ]
        for kind, words, make in wrong:
            with pytest.raises(kind, match=words) as caught:
                make()
            assert "test_random.py" in str(caught.value), words


class TestState:
    def test_calls_draw_anew(self, stream):
        f = sc.function([], stream.uniform((5,)))
        g = sc.function([], stream.uniform((5,)))
        values = [f(), f(), g(), f()]
        assert len(np.unique(values)) == 20
        assert stream.get_state()[1] == 4

    def test_eval_draws_anew(self, stream):
        u = stream.uniform((5,))
        assert (u.eval() != u.eval()).all()
        assert stream.get_state()[1] == 2

    def test_seeds_repeat(self):
        def numbers(seed):
            s = sc.random.RandomStream(seed)
            return drawn([s.uniform((5,)), s.normal((5,))])

        np.testing.assert_array_equal(numbers(3), numbers(3))
        np.testing.assert_array_equal(numbers([3, 4]), numbers([3, 4]))
        assert (np.asarray(numbers(3)) != numbers(4)).all()
        assert (np.asarray(numbers(None)) != numbers(None)).all()

    def test_save_and_restore(self, stream):
        f = sc.function([], stream.uniform((5,)))
        f()
        state = stream.get_state()
        later = [f(), f()]
        stream.set_state(state)
        np.testing.assert_array_equal([f(), f()], later)
        stream.set_state(state.tolist())
        np.testing.assert_array_equal(f(), later[0])
        stream.seed(2026)
        np.testing.assert_array_equal(stream.get_state(), sc.random.RandomStream(2026).get_state())
        with pytest.raises(ShapeError):
            stream.set_state(np.zeros(3, "uint64"))
        for wrong in (np.zeros(2), [-1, 0], [2**64, 0]):
            with pytest.raises(DtypeError):
                stream.set_state(wrong)

    def test_splits_repeat(self):
        a, b = (sc.random.RandomStream(1).split(3) for _ in range(2))
        for s, t in zip(a, b, strict=True):
            np.testing.assert_array_equal(s.get_state(), t.get_state())
        with pytest.raises(ArgumentError):
            sc.random.RandomStream(1).split("2")

    def test_copies_of_functions(self, stream):
        f = sc.function([], stream.uniform((5,)))
        f()
        same, own = f.copy(), f.copy(share=False)
        other = sc.random.RandomStream(7)
        swapped = f.copy(swap={stream.state: other.state})
        state = stream.get_state()
        expected = own()
        np.testing.assert_array_equal(stream.get_state(), state)
        np.testing.assert_array_equal(f(), expected)
        assert (same() != expected).all() and stream.get_state()[1] == 3
        np.testing.assert_array_equal(own(), own_at(f, 2))
        assert (swapped() != expected).all() and other.get_state()[1] == 1

    def test_copies_of_streams(self, stream):
        f = sc.function([], stream.uniform((5,)))
        for other in (
            copy.copy(stream),
            copy.deepcopy(stream),
            pickle.loads(pickle.dumps(stream)),
        ):
            np.testing.assert_array_equal(other.get_state(), stream.get_state())
            assert other.state is not stream.state
            assert other.state.default_update.args != stream.state.default_update.args
            u, v = other.uniform((5,)), other.uniform((5,))
            before = stream.get_state()
            a, b = sc.function([], [u, v])()
            np.testing.assert_array_equal(stream.get_state(), before)
            assert other.get_state()[1] == before[1] + 1
            assert not np.intersect1d(a, b).size and not np.intersect1d(a, f.copy(False)()).size

    def test_pickled_functions(self, stream):
        f = sc.function([], stream.uniform((5,)))
        f()
        g, own = pickle.loads(pickle.dumps((f, stream)))
        np.testing.assert_array_equal(g(), f())
        assert own.get_state()[1] == 2
        np.testing.assert_array_equal(g(), f())
        again = sc.function([], own.uniform((5,)))
        assert (again() != f()).all()
        assert own.get_state()[1] == 4

    def test_a_cached_function_is_the_same(self):
        values = [drawn(sc.random.RandomStream(3).uniform((9,))) for _ in range(2)]
        np.testing.assert_array_equal(*values)

    def test_threads_take_calls_of_their_own(self, stream):
        f = sc.function([], stream.uniform((3,), dtype="float64"))
        found, start = [], threading.Barrier(4)

        def work():
            start.wait()
            found.extend(f() for _ in range(200))

        workers = [threading.Thread(target=work) for _ in range(4)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        assert stream.get_state()[1] == 800
        assert len(np.unique(found)) == 2400

    def test_repr(self, stream):
        stream.uniform((2,))
        assert "call 0, 1 draws" in repr(stream)


def own_at(f, call):
    """What a copy of a function with one draw gives at a call."""
    made = f.copy(share=False)
    (state,) = made.shared
    state.set_value(np.array([state.get_value()[0], call], "uint64"))
    return made()


class TestDefaultUpdates:
    def counter(self):
        c = sc.shared(0, "c")
        c.default_update = c + 1
        return c

    def test_added(self):
        c = self.counter()
        f = sc.function([], c * 10)
        assert [int(f()) for _ in range(3)] == [0, 10, 20]
        assert c.get_value() == 3

    def test_refused(self):
        c, d = self.counter(), self.counter()
        f = sc.function([], c + d, no_default_updates=True)
        g = sc.function([], c + d, no_default_updates=[c])
        f(), g(), g()
        assert (c.get_value(), d.get_value()) == (0, 2)

    def test_updates_come_first(self):
        c = self.counter()
        sc.function([], c, updates=[(c, c + 5)])()
        assert c.get_value() == 5
        sc.function([], c, updates=[(c, c)])()
        assert c.get_value() == 5

    def test_found_in_updates_and_in_each_other(self):
        c, d, e = self.counter(), sc.shared(0, "d"), sc.shared(0, "e")
        d.default_update = d + c
        f = sc.function([], updates=[(e, e + d)])
        for _ in range(4):
            f()
        assert (c.get_value(), d.get_value(), e.get_value()) == (4, 6, 4)

    def test_givens(self):
        c, x = self.counter(), T.lscalar("x")
        f = sc.function([x], c + 1, givens=[(c, x)])
        assert f(5) == 6 and c.get_value() == 0

    def test_removed(self):
        c = self.counter()
        c.default_update = None
        sc.function([], c)()
        assert c.default_update is None and c.get_value() == 0

    def test_kept_by_copies_and_pickles(self):
        c = self.counter()
        for other in (copy.copy(c), copy.deepcopy(c), pickle.loads(pickle.dumps(c))):
            sc.function([], other)()
            assert (other.get_value(), c.get_value()) == (1, 0)
            sc.function([], other.default_update)()
            assert (other.get_value(), c.get_value()) == (2, 0)

    def test_refused_values(self):
        c = sc.shared(np.zeros(3, "float32"), "c")
        with pytest.raises(ShapeError, match="the default update of c has 0 axes"):
            c.default_update = 1.0
        with pytest.raises(DtypeError, match="is float64, which does not fit into float32"):
            c.default_update = np.zeros(3)
        with pytest.raises(UpdateError, match="no_default_updates lists shared values"):
            sc.function([], c, no_default_updates=[3])
        with pytest.raises(OptionError, match="no_default_updates is True, False or a list"):
            sc.function([], c, no_default_updates="all")


class TestGradients:
    def test_reparametrised(self, stream):
        mean, std = T.dscalar("mean"), T.dscalar("std")
        x = stream.normal((1000,), mean, std, dtype="float64")
        u = stream.uniform((1000,), mean, std, dtype="float64")
        e = stream.exponential((1000,), std, dtype="float64")
        outputs = [x, *sc.grad(x.sum(), [mean, std]), u, *sc.grad(u.sum(), [mean, std]), e]
        f = sc.function([mean, std], [*outputs, sc.grad(e.sum(), std)])
        x, by_mean, by_std, u, by_low, by_high, e, by_scale = f(1.0, 2.0)
        np.testing.assert_allclose([by_mean, by_std], [1000, ((x - 1) / 2).sum()], 1e-9)
        np.testing.assert_allclose([by_low, by_high], [(2 - u).sum(), (u - 1).sum()], 1e-9)
        np.testing.assert_allclose(by_scale, (e / 2).sum(), 1e-9)

    def test_none_through_choices(self, stream):
        p = T.dscalar("p")
        for draw in (
            stream.bernoulli(p, (5,), dtype="float64"),
            stream.integers(T.cast(p, "int64"), 10, (5,)).astype("float64"),
        ):
            with pytest.raises(DisconnectedInputError):
                sc.grad(draw.sum(), p)
            assert sc.grad((draw * p).sum() - draw.sum() * p, p).dtype == "float64"

    def test_jacobian(self, stream):
        """A batch of derivatives has one draw, not one for each."""
        x = T.dvector("x")
        y = T.nn.dropout(x, 0.5, stream) + stream.normal((3,), 0, x, dtype="float64")
        f = sc.function([x], [y, sc.jacobian(y, x)])
        a = np.array([1.0, 2.0, 3.0])
        value, slope = f(a)
        np.testing.assert_allclose(slope @ a, value, 1e-12)


class TestDropout:
    def test_values(self, stream):
        x = T.fmatrix("x")
        f = sc.function([x], T.nn.dropout(x, 0.25, stream))
        a = np.full((300, 500), 3.0, "float32")
        y = f(a)
        assert y.dtype == "float32"
        assert set(np.unique(y)) == {np.float32(0), np.float32(4)}
        likely(scipy.stats.binomtest(int((y == 0).sum()), y.size, 0.25))
        assert (f(a) != y).any()

    def test_edges(self, stream):
        x = T.fvector("x")
        assert T.nn.dropout(x, 0, stream) is x
        assert T.nn.alpha_dropout(x, 0.0, stream) is x
        nothing = sc.function([x], T.nn.dropout(x, 1, stream))
        assert (nothing(np.array([1, np.inf, np.nan], "float32")) == 0).all()
        rate = T.fscalar("rate")
        f = sc.function([x, rate], T.nn.dropout(x, rate, stream))
        ones = np.ones(1000, "float32")
        assert (f(ones, 0.0) == 1).all() and (f(ones, 1.0) == 0).all()
        assert set(np.unique(f(ones, 0.5))) == {0, 2}

    def test_axes(self, stream):
        x = T.ftensor4("x")
        f = sc.function([x], T.nn.dropout(x, 0.5, stream, axes=(0, 1)))
        y = f(np.ones((6, 8, 3, 5), "float32"))
        channels = y.reshape(48, 15)
        assert (channels == channels[:, :1]).all()
        assert 8 < (channels[:, 0] == 0).sum() < 40

    def test_gradient_uses_the_same_choice(self, stream):
        x = T.dmatrix("x")
        y = T.nn.dropout(x, 0.4, stream)
        f = sc.function([x], [y, sc.grad((y * y).sum() / 2, x)])
        value, slope = f(np.full((30, 40), 2.0))
        np.testing.assert_allclose(slope, value / 0.6, 1e-12)

    def test_alpha(self, stream):
        x = T.dvector("x")
        f = sc.function([x], T.nn.alpha_dropout(x, 0.2, stream))
        y = f(np.random.default_rng(0).standard_normal(200_000))
        assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02

    def test_it_adds_no_pass(self, stream):
        """One loop: nothing is stored for the choice, and no kernel beside the formula's own."""
        x = T.fmatrix("x")
        y = T.exp(T.nn.dropout(T.tanh(x), 0.3, stream)) * 2
        f = sc.function([x], y)
        source = str(f.explain("c"))
        # The formula, and the state.
        assert source.count("runtime->parallel(") == 2
        assert "no temporaries" in str(f.explain())

    def test_it_joins_a_product(self, stream):
        """Behind a matrix product it runs on the tiles of the result."""
        x, w = T.fmatrix("x"), T.fmatrix("w")
        f = sc.function([x, w], T.nn.dropout(T.nn.relu(x @ w), 0.3, stream))
        plan = str(f.explain("plan"))
        assert plan.count("[gemm") == 1 and "[map, parallel" not in plan
        a, b = np.ones((50, 8), "float32"), np.ones((8, 70), "float32")
        assert set(np.unique(f(a, b))) == {0, np.float32(8) * np.float32(1 / 0.7)}


def best(function, count=15):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def test_speed_beside_numpy(stream):
    """Measured where it matters, an array of a million: on two threads 2 to 3 times NumPy's speed.

    Here only that nothing has gone very wrong, since tests run beside others.
    """
    f = sc.function([], stream.uniform((10**6,), dtype="float32"))
    g = np.random.default_rng(0)
    assert best(f) < 2 * best(lambda: g.random(10**6, dtype="float32"))
