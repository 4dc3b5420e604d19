"""Keys: equal computations share a binary, also between processes; different ones never do."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build
from symcomp.compile.definition import define
from symcomp.compile.key import structure
from symcomp.graph.op import Op
from symcomp.graph.type import Type

NAN = np.array([0x7FF8000000000000, 0x7FF8000000000001], np.uint64).view(np.float64)


def key(inputs, outputs, **more):
    return structure(define(inputs, outputs, on_unused_input="ignore", **more))


def vectors(dtype="float64", shape=(None,)):
    return T.tensor(dtype, shape, name="x"), T.tensor(dtype, shape, name="y")


def with_shared(value, factor=2):
    s = sc.shared(value)
    return key([], [], updates=[(s, s * factor)])


def test_names_and_history_do_not_matter():
    a, b = vectors()
    d, c = T.dvector("other"), T.dvector()
    assert key([a, b], T.exp(a) - b) == key([c, d], T.exp(c) - d)
    assert key([a], a * 2, name="f") == key([a], {"key": a * 2}, name="g")


def test_values_of_shared_values_do_not_matter():
    assert with_shared(np.ones(3)) == with_shared(np.zeros(3))


def different():
    """Computations of which no two may share a key."""
    x, y = vectors()
    f, _ = vectors("float32")
    fixed, _ = vectors(shape=(3,))
    one, _ = vectors(shape=(1,))
    s, t = sc.shared(np.ones(3)), sc.shared(np.ones(3))
    yield "x", key([x], x * 2)
    yield "two outputs", key([x], [x * 2, x * 2])
    yield "float32", key([f], f * 2)
    yield "size 3", key([fixed], fixed * 2)
    yield "size 1", key([one], one * 2)
    yield "x - y", key([x, y], x - y)
    yield "y - x", key([y, x], x - y)
    yield "order of outputs", key([x], [x, x * 2])
    yield "other order of outputs", key([x], [x * 2, x])
    yield "one input more", key([x, y], x * 2)
    yield "constant 0", key([x], x * T.constant(0.0))
    yield "constant -0", key([x], x * T.constant(-0.0))
    for k in range(2):
        yield f"nan {k}", key([x], x * T.constant(NAN[k]))
        yield f"nan {k} in an array", key([x], x * T.constant(NAN[[k, k]]))
    yield "large constant", key([x], x + T.constant(np.arange(1e4)))
    changed = np.arange(1e4)
    changed[5000] += 1e-9
    yield "large constant changed in the middle", key([x], x + T.constant(changed))
    yield "weak", key([], T.constant(2) + T.constant(np.int8(3)))
    yield "axis 0", key([x], T.stack([x, x], 0))
    yield "axis 1", key([x], T.stack([x, x], 1))
    yield "update", key([], [], updates=[(s, s * 2)])
    yield "output instead", key([], s * 2)
    yield "update from another", key([], [], updates=[(s, t * 2)])
    yield "update both", key([], [], updates=[(s, t), (t, s)])
    yield "update each by itself", key([], [], updates=[(s, s), (t, t)])
    with sc.options(rewrite_budget=1.0):
        yield "another budget", key([x], x * 2)


def test_what_differs_has_another_key():
    found = {}
    for name, k in different():
        assert k is not None
        assert k not in found, f"{name} and {found[k]}"
        found[k] = name


# --- operations that are declared outside symcomp ------------------------------------------------

SCALE = 2.0


def operation(namespace=None, **changes):
    """An operation by subclass, whose code is compiled from a text with changes."""
    text = '''
@dataclass(frozen=True)
class Mine(Op, register=False):
    """An operation."""
    name = "mine"
    factor: float = 1.0
    extra = EXTRA

    def type(self, x):
        return Type(x.dtype, x.shape)

    def element(self, x, *at):
        return helper(x[at]) * SCALE FORMULA

    def numpy(self, x):
        return x
'''
    values = {"EXTRA": "0", "FORMULA": ""} | changes
    for word, replacement in values.items():
        text = text.replace(word, replacement)
    space = {"dataclass": dataclass, "Op": Op, "Type": Type, "SCALE": SCALE, "T": T,
             "helper": lambda v: v + 1, "__name__": "mine"} | (namespace or {})  # fmt: skip
    exec(text, space)
    return space["Mine"]


def test_code_of_operations_counts():
    x = T.dvector("x")
    keys = [
        key([x], op(x))
        for op in (
            operation()(),
            operation()(2.0),
            operation(FORMULA="+ 1")(),
            operation(FORMULA="+ 2")(),
            operation({"SCALE": 3.0})(),
            operation({"helper": lambda v: v + 2})(),
            operation({"helper": T.exp})(),
            operation(EXTRA="1")(),
        )
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert key([x], operation()()(x)) == keys[0]


def test_what_is_not_certain_has_no_key():
    class Strange:
        pass

    x = T.dvector("x")
    assert key([x], operation({"SCALE": Strange()})()(x)) is None


def test_an_operation_without_a_key_works():
    class Strange:
        def __rmul__(self, other):
            return NotImplemented

    value = T.constant(3.0)
    x = T.dvector("x")
    for _ in range(2):
        f = sc.function([x], operation({"SCALE": value})()(x))
        np.testing.assert_array_equal(f(np.ones(2)), [6, 6])


def test_equations_and_closures():
    def declared(k):
        @sc.equation(shape=lambda a: a.shape)
        def power(a, i):
            return a[i] ** k

        return power

    x = T.dvector("x")
    assert key([x], declared(2)(x)) != key([x], declared(3)(x))
    assert key([x], declared(2)(x)) == key([x], declared(2)(x))
    f, g = (sc.function([x], declared(k)(x)) for k in (2, 3))
    assert (f([3.0]), g([3.0])) == (9, 27)


def test_values_that_change_between_functions():
    factor = 2.0

    @sc.equation(shape=lambda a: a.shape)
    def times_factor(a, i):
        return a[i] * factor

    x = T.dvector("x")
    assert sc.function([x], times_factor(x))([1.0]) == 2
    factor = 3.0
    assert sc.function([x], times_factor(x))([1.0]) == 3


def test_c_source_counts():
    def declared(source):
        @sc.c_function("keyed({x})", source=source)
        def keyed(x):
            return x

        return keyed

    x = T.dvector("x")
    one = declared("static double keyed(double x) { return x + 1; }")
    two = declared("static double keyed(double x) { return x + 2; }")
    assert key([x], one(x)) != key([x], two(x))
    assert sc.function([x], one(x))([1.0]) == 2
    assert sc.function([x], two(x))([1.0]) == 3


# --- hits ----------------------------------------------------------------------------------------


@pytest.fixture
def compiled(monkeypatch):
    """Counts runs of the C compiler."""
    runs = []
    run = build.compile_shared

    def counted(source, *arguments):
        runs.append(source)
        return run(source, *arguments)

    monkeypatch.setattr(build, "compile_shared", counted)
    return runs


def test_a_hit_compiles_nothing_and_has_its_own_words(tmp_path, compiled):
    with sc.options(cache=tmp_path / "cache"):
        for n in range(2):
            x, i = T.dvector(f"x{n}"), T.lvector(f"i{n}")
            s = sc.shared(np.full(3, n + 1.0), "s")
            outputs = {f"key{n}": x[i] * s[0], "table": T.constant(np.arange(500.0))[i]}
            f = sc.function([x, i], outputs, updates=[(s, s + x)], name=f"f{n}")
            result = f(np.ones(3), [2, 2])
            assert list(result) == [f"key{n}", "table"]
            assert (result[f"key{n}"] == n + 1).all()
            np.testing.assert_array_equal(s.get_value(), np.full(3, n + 2.0))
            with pytest.raises(sc.errors.BoundsError, match=rf"f{n}: index 3 [^$]*x{n}\[") as error:
                f(np.ones(3), [3])
            assert "test_cache_of_functions.py" in str(error.value)
            assert len(compiled) == 1


def test_another_process_hits(tmp_path):
    program = """
        import sys, numpy as np, symcomp as sc, symcomp.tensor as T
        from symcomp.codegen import build
        junk = [T.dscalar() for _ in range(int(sys.argv[1]))]
        runs, run = [], build.compile_shared
        build.compile_shared = lambda *a: (runs.append(1), run(*a))
        @sc.equation(shape=lambda a: a.shape)
        def twice(a, i, j):
            return a[i, j] * FACTOR
        FACTOR = 2.0
        x, w = T.fmatrix("x"), sc.shared(np.ones((3, 4), "f4"))
        cost = T.nn.log_softmax(T.tanh(x @ w)).sum() + twice(x).sum()
        f = sc.function([x], cost, updates=[(w, w - sc.grad(cost, w))])
        print(f(np.ones((5, 3), "f4")).item().hex(), len(runs), sys.hash_info.width)
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    results = []
    for n in range(2):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "program.py"), str(n * 17)],
            capture_output=True, text=True, check=False,
            env=build.os.environ | {"SYMCOMP_CACHE": str(tmp_path / "cache"),
                                    "PYTHONHASHSEED": str(n)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        results.append(done.stdout.split())
    assert results[0][0] == results[1][0]
    assert results[0][1] == "2"
    assert results[1][1] == "0"
