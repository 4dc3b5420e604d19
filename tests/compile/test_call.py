"""Arguments of every kind: what is converted, what is refused, and that nothing aliases."""

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import DtypeError, InputError, ShapeError

A = np.arange(12.0).reshape(3, 4)


@pytest.fixture(params=("c", "numpy"))
def mode(request):
    return request.param


def other_layouts():
    wide = np.zeros((6, 8))
    wide[::2, ::2] = A
    shifted = np.zeros(A.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(3, 4)
    shifted[:] = A
    read_only = A.copy()
    read_only.flags.writeable = False
    record = np.zeros((3, 4), np.dtype([("skip", "u1"), ("value", "f8")]))
    record["value"] = A
    return {
        "plain": A,
        "Fortran": np.asfortranarray(A),
        "strided": wide[::2, ::2],
        "negative strides": A[::-1, ::-1].copy()[::-1, ::-1],
        "transposed": np.ascontiguousarray(A.T).T,
        "unaligned": shifted,
        "read-only": read_only,
        "byte-swapped": A.astype(">f8"),
        "field of a record": record["value"],
        "matrix": np.matrix(A),
        "float32": A.astype(np.float32),
        "int16": A.astype(np.int16),
        "bool": A > -1,
        "list": A.tolist(),
        "list of arrays": list(A),
        "tuple of tuples of int": tuple(tuple(int(v) for v in row) for row in A),
        "masked, but nothing is": np.ma.masked_array(A),
    }


@pytest.mark.parametrize("kind", other_layouts())
def test_layouts(kind, mode):
    x = T.dmatrix("x")
    value = other_layouts()[kind]
    result = sc.function([x], [x * 2, x.sum(0)], mode=mode)(value)
    plain = np.asarray(value, dtype=np.float64)
    np.testing.assert_array_equal(result[0], plain * 2)
    np.testing.assert_array_equal(result[1], plain.sum(0))


def test_a_file_in_memory(tmp_path, mode):
    file = np.memmap(tmp_path / "data", np.float64, "w+", shape=(3, 4))
    file[:] = A
    x = T.dmatrix("x")
    assert sc.function([x], x.sum(), mode=mode)(file) == A.sum()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "uint64", "float32"])
def test_every_dtype_keeps_its_extremes(dtype, mode):
    x = T.tensor(dtype, (None,), name="x")
    values = [False, True] if dtype == "bool" else None
    if values is None:
        limits = np.finfo(dtype) if dtype == "float32" else np.iinfo(dtype)
        values = [limits.min, limits.max, 0]
    array = np.array(values, dtype)
    np.testing.assert_array_equal(sc.function([x], x[::-1], mode=mode)(array), array[::-1])


class TestScalars:
    @pytest.mark.parametrize(
        "value",
        [2, 2.0, True, np.float64(2), np.float32(2), np.int8(2), np.array(2.0), [[2]][0][0]],
    )
    def test_floats(self, value, mode):
        x = T.dscalar("x")
        assert sc.function([x], x * 3, mode=mode)(value) == float(value) * 3

    @pytest.mark.parametrize(
        "value", [0.1, 3, np.float32(0.1), np.float64(0.1), float("inf"), float("nan")]
    )
    def test_float32(self, value, mode):
        x = T.fscalar("x")
        result = sc.function([x], x, mode=mode)(value)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, np.float32(value))

    @pytest.mark.parametrize("value", [2.5, 1e300, 300, -1, np.int64(300), np.float64(2), [1]])
    def test_what_does_not_fit_into_uint8(self, value, mode):
        x = T.tensor("uint8", (), name="x")
        with pytest.raises((DtypeError, ShapeError)):
            sc.function([x], x, mode=mode)(value)

    def test_a_number_too_large(self, mode):
        x = T.fscalar("x")
        f = sc.function([x], x, mode=mode)
        with pytest.raises(DtypeError, match="does not fit into float32"):
            f(1e300)
        with pytest.raises(DtypeError, match=f"the Python number {2**70} does not fit"):
            f(2**70)


class TestDowncast:
    WIDE = np.array([0.1, 1e300])

    def test_by_default(self, mode):
        x = T.fvector("x")
        f = sc.function([x], x, mode=mode)
        with pytest.raises(DtypeError, match="float64 array does not fit into float32"):
            f(np.zeros(2))
        np.testing.assert_array_equal(f([0.1, 2]), np.array([0.1, 2], np.float32))
        np.testing.assert_array_equal(f([]), [])

    def test_allowed(self, mode):
        x = T.fvector("x")
        f = sc.function([x], x, mode=mode, allow_input_downcast=True)
        np.testing.assert_array_equal(f(self.WIDE), np.array([0.1, np.inf], np.float32))
        i = T.ivector("i")
        f = sc.function([i], i, mode=mode, allow_input_downcast=True)
        np.testing.assert_array_equal(f(np.array([1.9, -1.9])), [1, -1])

    def test_forbidden(self, mode):
        x = T.fscalar("x")
        f = sc.function([x], x, mode=mode, allow_input_downcast=False)
        assert f(0.5) == 0.5
        assert f(3) == 3
        with pytest.raises(DtypeError, match=r"the Python number 0\.1 does not fit into float32"):
            f(0.1)

    def test_the_option(self, mode):
        x = T.fvector("x")
        with sc.options(allow_input_downcast=True):
            f = sc.function([x], x, mode=mode)
        np.testing.assert_array_equal(f(np.zeros(2)), np.zeros(2))


class TestRefused:
    @pytest.fixture
    def f(self, mode):
        x = T.tensor("float64", (None, 4), name="x")
        return sc.function([x], x * 2, mode=mode, name="f")

    @pytest.mark.parametrize(
        "value, kind, words",
        [
            (A[0], ShapeError, r"input 0 \(x\) has shape \(4,\), and float64 matrix \(\?, 4\) is"),
            (A[:, :3], ShapeError, r"has shape \(3, 3\), and float64 matrix \(\?, 4\) is needed"),
            (1.0, ShapeError, r"has shape \(\)"),
            (A * 1j, DtypeError, "complex"),
            ("text", DtypeError, "text"),
            (None, DtypeError, "None is neither a number nor an array"),
            ([[1, 2], [3]], DtypeError, "list cannot be made an array"),
            (np.ma.masked_array(A, A > 3), DtypeError, "masked"),
            (A.astype("M8[s]"), DtypeError, "dates"),
            (A.astype(np.longdouble), DtypeError, "does not fit into float64"),
        ],
    )
    def test_values(self, f, value, kind, words):
        with pytest.raises(kind, match=words):
            f(value)

    def test_expressions(self, f):
        with pytest.raises(InputError, match="symbolic expression"):
            f(T.dmatrix("y"))


class TestAliases:
    def test_results_are_new_at_every_call(self):
        x = T.dvector("x")
        f = sc.function([x], x * 2)
        value = np.ones(3)
        first = f(value)
        second = f(value)
        assert not np.shares_memory(first, second)
        first[:] = 7
        assert (second == 2).all()

    def test_results_are_not_shared_values(self, mode):
        s = sc.shared(np.ones(3), "s")
        f = sc.function([], [s, s.reshape((3, 1)), s[::-1]], updates=[(s, s + 1)], mode=mode)
        for result in f():
            assert result.flags.writeable
            assert not np.shares_memory(result, s.get_value(borrow=True))
            result[:] = 100
        assert (s.get_value() == 2).all()

    def test_inputs_are_not_changed(self, mode):
        x = T.dvector("x")
        s = sc.shared(np.zeros(3), "s")
        value = np.arange(3.0)
        f = sc.function([x], x, updates=[(s, x * 2)], mode=mode)
        result = f(value)
        result[:] = 100
        np.testing.assert_array_equal(value, [0, 1, 2])

    def test_the_same_array_for_two_inputs(self, mode):
        x, y = T.dvector("x"), T.dvector("y")
        value = np.arange(3.0)
        np.testing.assert_array_equal(
            sc.function([x, y], x - 2 * y, mode=mode)(value, value), -value
        )

    def test_a_borrowed_shared_value_as_input(self):
        x = T.dmatrix("x")
        s = sc.shared(np.arange(9.0).reshape(3, 3), "s")
        f = sc.function([x], x @ s, updates=[(s, x * 2)])
        old = s.get_value()
        np.testing.assert_allclose(f(s.get_value()), old @ old)
        np.testing.assert_array_equal(s.get_value(), old * 2)


class TestPython:
    def make(self, function, result=lambda x: x):
        op = sc.python_op(function, type=result)
        x = T.dmatrix("x")
        return sc.function([x], op(x + 1) * 2)

    def test_calls(self):
        np.testing.assert_array_equal(self.make(lambda a: a[::-1])(A), (A + 1)[::-1] * 2)

    def test_sizes_of_each_call(self):
        f = self.make(lambda a: a.sum(0), lambda x: ("float64", (x.shape[1],)))
        for n in (0, 1, 5):
            value = np.ones((n, 3))
            np.testing.assert_array_equal(f(value), (value + 1).sum(0) * 2)

    def test_exceptions_come_out_as_they_were(self):
        class Mine(Exception):
            pass

        def fails(a):
            raise Mine("here")

        f = self.make(fails)
        with pytest.raises(Mine, match="here") as caught:
            f(A)
        assert any(entry.name == "fails" for entry in caught.traceback)
        with pytest.raises(Mine):
            f(A)

    def test_interrupts(self):
        def interrupted(a):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.make(interrupted)(A)

    @pytest.mark.parametrize(
        "result, kind, words",
        [
            (lambda a: a.astype("f4"), DtypeError, "returned float32 where float64 was declared"),
            (lambda a: a[0], ShapeError, r"returned shape \(4,\) where"),
            (lambda a: a[:1], ShapeError, r"returned shape \(1, 4\) where \(3, 4\) was declared"),
        ],
    )
    def test_results_must_be_as_declared(self, result, kind, words):
        with pytest.raises(kind, match=words):
            self.make(result)(A)

    def test_arguments_may_be_kept_and_changed(self):
        kept = []

        def keeps(a):
            kept.append(a)
            a += 1
            return a

        f = self.make(keeps)
        value = np.ones((2, 2))
        assert (f(value) == 6).all()
        assert (f(value * 5) == 14).all()
        assert (kept[0] == 3).all()
        assert (value == 1).all()

    def test_several_and_nested(self):
        inner = self.make(lambda a: a * 10)
        first = sc.python_op(lambda a: inner(a), type=lambda x: x)
        second = sc.python_op(lambda a, b: a + b.sum(), type=lambda x, y: x)
        x, k = T.dmatrix("x"), T.lvector("k")
        f = sc.function([x, k], second(first(x), k) + first(x * 2))
        expected = (A + 1) * 20 + 6 + (2 * A + 1) * 20
        np.testing.assert_array_equal(f(A, np.array([1, 2, 3])), expected)


# --- many inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["c", "check"])
def test_more_inputs_than_the_bridge_to_c_takes(mode):
    """Pointers and sizes then go in two arrays."""
    inputs = [T.dmatrix(f"x{k}") for k in range(120)]
    offset = sc.shared(np.ones((2, 1)))
    f = sc.function(inputs, [sum(inputs[1:], inputs[0]) + offset, inputs[7].sum()], mode=mode)
    total, seventh = f(*(np.full((2, 3), float(k)) for k in range(120)))
    np.testing.assert_array_equal(total, np.full((2, 3), 120 * 119 / 2 + 1))
    assert seventh == 42
    with pytest.raises(ShapeError, match=r"x\d+\.shape\[1\] is 4"):
        f(*(np.ones((2, 4 if k == 80 else 3)) for k in range(120)))
