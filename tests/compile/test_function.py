"""function(): forms of inputs, outputs, updates and givens, in every mode."""

import warnings

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import (
    DtypeError,
    InputError,
    MissingInputError,
    ShapeError,
    UnusedInputError,
    UpdateError,
)

MODES = ("c", "numpy")
A = np.arange(6.0).reshape(2, 3)


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def x():
    return T.dmatrix("x")


class TestOutputs:
    def test_none(self, x, mode):
        s = sc.shared(0.0, "s")
        f = sc.function([x], updates={s: s + x.sum()}, mode=mode)
        assert f(A) is None
        assert s.get_value() == 15

    def test_one(self, x, mode):
        result = sc.function([x], x * 2, mode=mode)(A)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, A * 2)

    def test_scalars_are_arrays_of_rank_0(self, x, mode):
        result = sc.function([x], x.sum(), mode=mode)(A)
        assert result.shape == ()
        assert result.dtype == np.float64

    def test_list(self, x, mode):
        result = sc.function([x], [x + 1, x.sum()], mode=mode)(A)
        assert isinstance(result, list)
        np.testing.assert_array_equal(result[0], A + 1)
        assert result[1] == 15
        assert sc.function([], [], mode=mode)() == []

    def test_dict(self, x, mode):
        result = sc.function([x], {"twice": x * 2, 3: x.shape[0]}, mode=mode)(A)
        assert list(result) == ["twice", 3]
        np.testing.assert_array_equal(result["twice"], A * 2)
        assert result[3] == 2

    def test_an_input_itself_and_constants(self, x, mode):
        same, twice, seven, array = sc.function([x], [x, x, 7, A], mode=mode)(A)
        np.testing.assert_array_equal(same, A)
        np.testing.assert_array_equal(array, A)
        assert seven == 7
        assert not any(np.shares_memory(same, other) for other in (A, twice, array))

    def test_the_same_expression_twice(self, x, mode):
        y = T.exp(x)
        first, second = sc.function([x], [y, y], mode=mode)(A)
        np.testing.assert_array_equal(first, second)
        assert not np.shares_memory(first, second)


class TestInputs:
    def test_by_place_and_by_name(self, mode):
        a, b, c = T.dscalar("a"), T.dscalar("b"), T.dscalar("c")
        f = sc.function([a, b, c], a - 10 * b + 100 * c, mode=mode)
        assert f(1, 2, 3) == f(c=3, a=1, b=2) == f(1, c=3, b=2) == 281

    def test_defaults(self, mode):
        a, b = T.dscalar("a"), T.dscalar("b")
        f = sc.function([a, sc.In(b, value=5.0)], a + b, mode=mode)
        assert f(1) == 6
        assert f(1, 2) == 3
        assert f(b=1, a=2) == 3
        f = sc.function([sc.In(a, value=1), sc.In(b, value=5.0)], a + b, mode=mode)
        assert f() == 6
        assert f(b=1) == 2

    def test_a_default_does_not_follow_its_array(self, mode):
        a = T.dvector("a")
        value = np.ones(3)
        f = sc.function([sc.In(a, value=value)], a.sum(), mode=mode)
        value[:] = 100
        assert f() == 3

    def test_a_name_for_keywords(self, mode):
        a = T.dscalar("a")
        f = sc.function([sc.In(a, name="speed")], a * 2, mode=mode)
        assert f(speed=4) == 8
        with pytest.raises(InputError, match="no input 'a'; its inputs are speed"):
            f(a=4)

    @pytest.mark.parametrize(
        "name", ["lambda", "self", "_n0_0", "_self", "two words", "größe", "status", "_more", "max"]
    )
    def test_any_name_will_do(self, name, mode):
        a = T.dscalar(name)
        f = sc.function([a], a * 2, mode=mode)
        assert f(**{name: 4.0}) == f(4.0) == 8

    def test_equal_names(self, mode):
        a, b = T.dscalar("a"), T.dscalar("a")
        assert sc.function([a, b], a - b, mode=mode)(5, 3) == 2

    def test_without_names(self, mode):
        a, b = T.dscalar(), T.dscalar()
        assert sc.function([a, b], a - b, mode=mode)(5, 3) == 2

    def test_what_is_missing_or_too_much(self, mode):
        a, b = T.dscalar("a"), T.dscalar("b")
        f = sc.function([a, b], a + b, mode=mode, name="plus")
        with pytest.raises(MissingInputError, match=r"plus: input 1 \(b\) is missing"):
            f(1.0)
        with pytest.raises(MissingInputError, match=r"plus: input 0 \(a\) is missing"):
            f(b=1.0)
        with pytest.raises(InputError, match="plus: takes 2 inputs, and 3 were given"):
            f(1.0, 2.0, 3.0)
        with pytest.raises(InputError, match="plus: has no input 'd'; its inputs are a, b"):
            f(1.0, d=3.0)
        with pytest.raises((InputError, TypeError)):
            f(1.0, a=3.0)

    def test_unused(self, x):
        y = T.dscalar("y")
        with pytest.raises(UnusedInputError, match="input y"):
            sc.function([x, y], x * 2)
        with pytest.warns(UserWarning, match="input y") as caught:
            f = sc.function([x, y], x * 2, on_unused_input="warn", mode="numpy")
        assert caught[0].filename == __file__
        np.testing.assert_array_equal(f(A, 1), A * 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            f = sc.function([x, y], x * 2, on_unused_input="ignore")
        np.testing.assert_array_equal(f(A, 1), A * 2)
        with pytest.raises(DtypeError):
            f(A, "text")

    def test_an_input_that_a_given_replaces_is_unused(self, x):
        with pytest.raises(UnusedInputError):
            sc.function([x], x * 2, givens={x: T.constant(A)})


class TestUpdates:
    def test_all_from_the_old_values(self, mode):
        a, b = sc.shared(np.arange(3.0), "a"), sc.shared(np.ones(3), "b")
        f = sc.function([], [a, b], updates=[(a, b), (b, a)], mode=mode)
        old_a, old_b = f()
        np.testing.assert_array_equal(old_a, [0, 1, 2])
        np.testing.assert_array_equal(old_b, [1, 1, 1])
        np.testing.assert_array_equal(a.get_value(), [1, 1, 1])
        np.testing.assert_array_equal(b.get_value(), [0, 1, 2])

    def test_a_cycle_of_three_through_formulas(self, mode):
        a, b, c = (sc.shared(np.full(40, v), n) for v, n in ((1.0, "a"), (2.0, "b"), (3.0, "c")))
        f = sc.function([], updates={a: b + c, b: a * c, c: (a - b)[::-1]}, mode=mode)
        f()
        assert [s.get_value()[0] for s in (a, b, c)] == [5, 3, -1]
        f()
        assert [s.get_value()[0] for s in (a, b, c)] == [2, -5, 2]

    def test_in_place(self, mode):
        a = sc.shared(np.zeros((4, 4)), "a")
        storage = a.get_value(borrow=True)
        f = sc.function([], updates=[(a, a.T + 1)], mode=mode)
        f()
        f()
        assert a.get_value(borrow=True) is storage
        assert (storage == 2).all()

    def test_a_shared_value_that_is_only_written(self, x, mode):
        a = sc.shared(np.zeros((2, 3)), "a")
        sc.function([x], updates=[(a, x)], mode=mode)(A)
        np.testing.assert_array_equal(a.get_value(), A)
        assert not np.shares_memory(a.get_value(borrow=True), A)

    def test_constants_and_casts(self, mode):
        a, n = sc.shared(np.zeros(3, np.float32), "a"), sc.shared(5, "n")
        sc.function([], updates=[(a, [1, 2, 0.5]), (n, 0)], mode=mode)()
        np.testing.assert_array_equal(a.get_value(), np.array([1, 2, 0.5], np.float32))
        assert n.get_value() == 0
        i = sc.shared(np.zeros(3, np.int32), "i")
        b = sc.shared(np.zeros(3, np.float64), "b")
        sc.function([], updates=[(b, i + 1)], mode=mode)()
        np.testing.assert_array_equal(b.get_value(), [1, 1, 1])

    def test_sizes_that_show_only_at_the_call(self, mode):
        a, v = sc.shared(np.zeros(3), "a"), T.dvector("v")
        f = sc.function([v], updates=[(a, v)], mode=mode)
        f(np.ones(3))
        with pytest.raises((ShapeError, UpdateError), match="the update of a has length 4"):
            f(np.ones(4))
        np.testing.assert_array_equal(a.get_value(), np.ones(3))

    def test_after_set_value_of_another_size(self, mode):
        a = sc.shared(np.ones((2, 3)), "a", shape=(None, 3))
        f = sc.function([], [a.sum(), a.shape[0]], updates=[(a, a * 2)], mode=mode)
        assert [v.item() for v in f()] == [6, 2]
        a.set_value(np.ones((5, 3)))
        assert [v.item() for v in f()] == [15, 5]
        assert (a.get_value() == 2).all()


class TestGivens:
    def test_replace_inputs_and_expressions(self, x, mode):
        y = T.dmatrix("y")
        np.testing.assert_array_equal(
            sc.function([y], x * 2, givens={x: y + 1}, mode=mode)(A), (A + 1) * 2
        )
        z = T.exp(x)
        np.testing.assert_array_equal(sc.function([y], z + 1, givens=[(z, y)], mode=mode)(A), A + 1)

    def test_replace_shared_values(self, x, mode):
        w = sc.shared(A, "w")
        f = sc.function([x], w.sum(), updates=[(w, w * 2)], givens={w: x}, mode=mode)
        assert f(np.ones((2, 3))) == 6
        np.testing.assert_array_equal(w.get_value(), np.full((2, 3), 2))

    def test_sizes_follow(self, x, mode):
        y = T.dmatrix("y")
        rows = T.arange(x.shape[0]).sum() + x.shape[1]
        f = sc.function([y], rows, givens={x: y.T[1:]}, mode=mode)
        assert f(np.zeros((7, 5))) == 6 + 7

    def test_all_at_once(self, mode):
        a, b = T.dscalar("a"), T.dscalar("b")
        assert sc.function([a, b], a - b, givens={a: b, b: a}, mode=mode)(5, 3) == -2

    def test_numbers(self, mode):
        a = T.fscalar("a")
        assert sc.function([], a + 1, givens={a: 0.5}, mode=mode)() == 1.5


class TestSizes:
    def test_sizes_from_integer_inputs(self, mode):
        k = T.lscalar("k")
        f = sc.function([k], T.arange(k) * 2, mode=mode)
        for n in (0, 1, 7, -3):
            np.testing.assert_array_equal(f(n), np.arange(n) * 2)

    def test_negative_sizes(self, mode):
        k = T.iscalar("k")
        f = sc.function([k], T.zeros((k, 2)) + 1, mode=mode)
        assert f(3).shape == (3, 2)
        assert f(0).shape == (0, 2)
        with pytest.raises(ShapeError, match=r"a size is negative: .* is -1"):
            f(-1)

    def test_sizes_from_shared_values(self, mode):
        k = sc.shared(3, "k")
        f = sc.function([], T.ones(k).sum(), updates=[(k, k + 1)], mode=mode)
        assert [f().item() for _ in range(3)] == [3, 4, 5]

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
    def test_nothing(self, x, mode, shape):
        empty = np.zeros(shape)
        f = sc.function([x], [x * 2, x.sum(), x.sum(0), x @ x.T], mode=mode)
        for have, want in zip(f(empty), (empty, 0, empty.sum(0), empty @ empty.T), strict=True):
            np.testing.assert_array_equal(have, want)

    def test_large_constants(self, mode):
        table = np.random.default_rng(0).normal(size=(40, 50))
        i = T.lvector("i")
        f = sc.function([i], [T.constant(table)[i].sum(), T.constant(table * 2).sum()], mode=mode)
        at = np.array([3, 39])
        expected = table[at].sum(), table.sum() * 2
        del table
        for _ in range(3):
            np.testing.assert_allclose(f(at), expected, rtol=1e-12)

    def test_one_function_for_all_sizes(self, x):
        f = sc.function([x], T.tanh(x).sum(1))
        for n in range(1, 40):
            array = np.full((n, 41 - n), 0.5)
            np.testing.assert_allclose(f(array), np.tanh(array).sum(1), rtol=1e-12)


class TestCopy:
    @pytest.fixture
    def made(self, x, mode):
        w = sc.shared(np.ones((2, 3)), "w")
        return sc.function([x], (x * w).sum(), updates=[(w, w + x)], mode=mode, name="f"), w

    def test_shares(self, made):
        f, w = made
        g = f.copy()
        assert g is not f
        assert g(A) == 15
        np.testing.assert_array_equal(w.get_value(), A + 1)
        assert g.shared == [w]

    def test_does_not_share(self, made):
        f, w = made
        g = f.copy(share=False, name="g")
        assert g.name == "g"
        g(A)
        assert (w.get_value() == 1).all()
        np.testing.assert_array_equal(g.shared[0].get_value(), A + 1)

    def test_swaps(self, made):
        f, w = made
        v = sc.shared(np.zeros((2, 3)), "v")
        g = f.copy(swap={w: v})
        assert g(A) == 0
        np.testing.assert_array_equal(v.get_value(), A)
        assert (w.get_value() == 1).all()

    def test_swaps_only_what_fits(self, made, x):
        f, w = made
        with pytest.raises(UpdateError, match="length 4 along axis 0"):
            f.copy(swap={w: sc.shared(np.zeros((4, 3)), "v")})
        with pytest.raises(UpdateError, match="int64"):
            f.copy(swap={w: sc.shared(np.zeros((2, 3), np.float32), "v").astype("int64")})
        with pytest.raises(UpdateError, match="not a shared value of this function"):
            f.copy(swap={sc.shared(A): w})


class TestEval:
    def test_values(self, x):
        y = T.dmatrix("y")
        np.testing.assert_array_equal((x + y).eval({x: A, y: A}), A + A)
        assert T.constant(3).eval() == 3

    def test_reads_shared_values_and_gives_copies(self):
        s = sc.shared(A, "s")
        value = s.eval()
        value[:] = 0
        np.testing.assert_array_equal(s.get_value(), A)
        assert s.sum().eval() == 15
        s.set_value(A * 2)
        assert s.sum().eval() == 30

    def test_converts_as_functions_do(self, x):
        assert x.sum().eval({x: [[1, 2], [3, 4]]}) == 10
        with pytest.raises(DtypeError, match="complex"):
            x.sum().eval({x: A * 1j})

    def test_says_what_is_missing(self, x):
        y = T.dmatrix("y")
        with pytest.raises(MissingInputError, match=r"no value is given for y"):
            (x + y).eval({x: A})
        with pytest.raises(InputError, match="values are a dict"):
            x.eval(A)
        with pytest.raises(InputError, match="symbolic variables, not for 'x'"):
            x.eval({"x": A})

    def test_checks_sizes(self, x):
        y = T.dmatrix("y")
        with pytest.raises(ShapeError, match="sizes do not fit"):
            (x + y).eval({x: A, y: A[:1]})


def test_representation(x):
    f = sc.function([x, sc.In(T.iscalar(), value=1)], x * 2, name="twice", mode="numpy",
                    on_unused_input="ignore")  # fmt: skip
    assert repr(f) == (
        "<symcomp function twice(x: float64 matrix (?, ?), input: int32 scalar), mode 'numpy'>"
    )


def test_the_default_mode_is_an_option(x):
    with sc.options(mode="numpy"):
        assert sc.function([x], x).definition.mode == "numpy"
    assert sc.function([x], x + 1).definition.mode == "c"
