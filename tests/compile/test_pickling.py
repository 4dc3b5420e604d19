"""Pickles of expressions and functions: what comes back is equal, and nothing is executed."""

import copy
import pickle
import pickletools
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import RuleError
from symcomp.rewrite import ruleset

A = np.arange(6.0).reshape(2, 3)


def again(value):
    return pickle.loads(pickle.dumps(value))


@sc.python_op(type=lambda x: x)
def halves(a):
    return a / 2


@ruleset
def _circle(x):
    """The equation of the circle."""
    yield T.sin(x) ** 2 + T.cos(x) ** 2, x * 0 + 1


class TestRules:
    """Functions with rules of their own; a pickle holds where the rules are declared."""

    x = T.dvector("x")
    circle = T.sin(x) ** 2 + T.cos(x) ** 2

    @pytest.mark.parametrize("rules", [_circle, _circle + _circle.only("_circle.1")])
    def test_function(self, rules):
        f = again(sc.function([self.x], self.circle, rules=rules))
        assert "sin(" not in str(f.explain("c"))
        assert f([1.0, 2.0]).tolist() == [1, 1]

    def test_tables_stay_themselves(self):
        assert again(_circle) is _circle
        assert [r.name for r in again(_circle.without("_circle.1"))] == []

    def test_the_cache_keeps_them_apart(self):
        f, plain = (sc.function([self.x], self.circle, rules=r) for r in (_circle, None))
        other = sc.function([self.x], self.circle, rules=_circle)
        entries = [type(g).__call__.entry.library for g in (f, plain, other)]
        assert entries[0] != entries[1] and entries[0] == entries[2]

    def test_rules_that_are_not_declared_in_a_module(self):
        @ruleset
        def _local(x):
            yield T.sin(x), x

        with pytest.raises(RuleError, match="there are no rules"):
            again(_local)


class TestExpressions:
    def test_leaves(self):
        x = again(T.tensor("float32", (None, 3, 1), name="x"))
        assert (x.name, x.dtype, x.type.shape) == ("x", "float32", (None, 3, 1))
        c = T.constant(-0.0)
        assert again(c) is c
        big = again(T.constant(np.arange(1000.0)))
        np.testing.assert_array_equal(big.eval(), np.arange(1000.0))
        s = again(sc.shared(A, "s"))
        np.testing.assert_array_equal(s.get_value(), A)
        s.set_value(A * 2)
        assert s.sum().eval() == 30

    def test_leaves_keep_their_identity_within_one_pickle(self):
        x, s = T.dmatrix("x"), sc.shared(A, "s")
        y = T.exp(x) * s
        a, t, b, c = again([x, s, y, x + 1])
        assert a is not x
        np.testing.assert_array_equal(b.eval({a: A}), np.exp(A) * A)
        np.testing.assert_array_equal(c.eval({a: A}), A + 1)
        t.set_value(np.zeros((2, 3)))
        assert not b.eval({a: A}).any()
        assert y.eval({x: A}).any()

    def test_equal_parts_are_one_again(self):
        x = T.dmatrix("x")
        a, b, c = again((x, T.exp(x), T.exp(x) + T.exp(x)))
        assert b is T.exp(a)
        assert c is b + b

    def test_many_operations(self):
        x = T.dmatrix("x")
        parts = [
            x @ x.T, x.T.reshape((-1,)), x[::-1, 1:], x[[0, 1, 1]], T.nn.softmax(x), x.sum(0),
            T.concatenate([x, x]), T.where(x > 1, x, -x), x.astype("int8"), T.arange(x.shape[1]),
            x.argmax(1), halves(x), T.cumsum(x, 0), sc.grad((x**3).sum(), x),
        ]  # fmt: skip
        for e in parts:
            y, f = again((x, e))
            assert (f.dtype, f.ndim) == (e.dtype, e.ndim)
            np.testing.assert_array_equal(f.eval({y: A}), e.eval({x: A}))

    @pytest.mark.slow
    def test_a_very_deep_expression(self):
        e = x = T.dscalar("x")
        for _ in range(50_000):
            e = e + x
        y, f = again((x, e))
        assert f.eval({y: 1.0}) == 50_001
        assert copy.deepcopy(e) is e

    def test_copies(self):
        x = T.dvector("x")
        assert copy.copy(x) is copy.deepcopy(x) is x
        assert copy.deepcopy([x + 1])[0] is x + 1


class TestFunctions:
    @pytest.fixture(params=("c", "numpy"))
    def f(self, request):
        x, w = T.dmatrix("x"), sc.shared(np.ones((2, 3)), "w")
        scale = T.dscalar("scale")
        return sc.function(
            [x, sc.In(scale, value=2.0)],
            {"sum": (x * w * scale).sum(), "w": w},
            updates=[(w, w + x)],
            name="pickled",
            mode=request.param,
        )

    def test_everything_comes_back(self, f):
        f(A)
        g = again(f)
        assert (g.name, g.definition.mode) == (f.name, f.definition.mode)
        assert g.shared[0].name == "w"
        np.testing.assert_array_equal(g.shared[0].get_value(), A + 1)
        have, want = g(A, scale=3), f(A, scale=3)
        assert list(have) == ["sum", "w"]
        assert have["sum"] == want["sum"]
        g(A)
        np.testing.assert_array_equal(f.shared[0].get_value(), 2 * A + 1)
        np.testing.assert_array_equal(g.shared[0].get_value(), 3 * A + 1)

    def test_functions_share_values_within_one_pickle(self, f):
        g, h, w = again([f, f.copy(), f.shared[0]])
        g(A)
        np.testing.assert_array_equal(w.get_value(), A + 1)
        np.testing.assert_array_equal(h(A)["w"], A + 1)

    def test_deep_copies_are_apart(self, f):
        g, w = copy.deepcopy([f, f.shared[0]])
        g(A)
        assert (f.shared[0].get_value() == 1).all()
        np.testing.assert_array_equal(w.get_value(), A + 1)
        copy.copy(f)(A)
        np.testing.assert_array_equal(f.shared[0].get_value(), A + 1)

    def test_no_code_is_stored(self, f):
        """A pickle calls nothing but constructors of symcomp and NumPy."""
        stored = pickle.dumps(f, protocol=4)
        strings = [a for op, a, _ in pickletools.genops(stored) if isinstance(a, str)]
        modules = {s for s in strings if s.startswith(("symcomp", "numpy", "builtins"))}
        assert modules
        for s in strings:
            assert "def " not in s
            assert "#include" not in s
            assert s not in ("exec", "eval", "builtins", "marshal", "types")
        assert b"ELF" not in stored

    def test_in_another_process(self, f, tmp_path):
        (tmp_path / "f").write_bytes(pickle.dumps(f))
        program = """
            import pickle, sys, numpy as np
            f = pickle.load(open(sys.argv[1], "rb"))
            print(f(np.arange(6.0).reshape(2, 3))["sum"])
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "f")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert float(done.stdout) == 30

    def test_size_is_linear(self):
        """Outputs and updates that share an expression store it once."""
        x = T.dvector("x")
        e = x
        for k in range(300):
            e = T.tanh(e) + k
        outputs = [e + k for k in range(100)]
        f = sc.function([x], outputs, mode="numpy")
        assert len(pickle.dumps(f)) < 60_000
        start = time.perf_counter()
        again(f)
        assert time.perf_counter() - start < 2
