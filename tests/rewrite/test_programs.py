"""Random programs: rewriting keeps every value, dtype and shape, and what is rewritten stays as it
is."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.expr import Variable
from symcomp.graph.type import Type, is_float, is_integer
from symcomp.graph.walk import evaluate
from symcomp.rewrite import canonicalize, specialize, stabilize

FLOAT = (
    T.exp, T.tanh, T.sigmoid, T.sin, T.cos, T.softplus, T.expm1, abs, T.square,
    lambda x: T.log1p(abs(x)), lambda x: T.sqrt(abs(x)), lambda x: T.log(x * x + 1),
    lambda x: x**3, lambda x: x / 2, lambda x: 1 / (1 + T.exp(-x)), T.floor, T.sign,
    lambda x: T.nn.softmax(x) if x.ndim else x, lambda x: T.nn.log_softmax(x) if x.ndim else x,
)  # fmt: skip
ANY = (
    lambda x: -x,
    lambda x: x + 1,
    lambda x: 2 * x,
    lambda x: x - 3,
    lambda x: x * x,
    lambda x: x * 0 + x,
    abs,
)
TWO = (
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, T.maximum, T.minimum, lambda x,
    y: T.where(x > y, x, y), lambda x, y: T.where(x < y, x, y * 2), lambda x, y: x + y - x,
)  # fmt: skip
SHAPED = (
    lambda x: x.sum(axis=-1, dtype=x.dtype) if x.ndim else x,
    lambda x: x.max(axis=0) if x.ndim else x,
    lambda x: x.T,
    lambda x: x.reshape((-1,)) if x.ndim else x,
    lambda x: x[::-1] if x.ndim else x,
    lambda x: x[1:] if x.ndim and x.shape[0] in (3, 4) else x,
    lambda x: T.expand_dims(x, 0) if x.ndim < 3 else x,
    lambda x: x.broadcast_to((4, 3)) if x.shape in ((), (3,), (1, 3), (4, 1)) else x,
    lambda x: T.concatenate([x[:1], x[1:]]) if x.ndim else x,
)


def fits(x, y) -> bool:
    pairs = zip(reversed(x.shape), reversed(y.shape), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)


def program(rng, dtype):
    """A few outputs made by random operations on four arrays."""
    shapes = [(), (3,), (4, 3), (4, 1)]
    variables = [Variable(Type(dtype, s), f"v{i}") for i, s in enumerate(shapes)]
    made = list(variables)
    for _ in range(int(rng.integers(5, 25))):
        x, y = (made[int(i)] for i in rng.integers(0, len(made), 2))
        kind = rng.integers(0, 10)
        if kind < 3 and is_float(dtype):
            new = FLOAT[rng.integers(len(FLOAT))](x)
        elif kind < 5:
            new = ANY[rng.integers(len(ANY))](x)
        elif kind < 8 and fits(x, y):
            new = TWO[rng.integers(len(TWO))](x, y)
        else:
            new = SHAPED[rng.integers(len(SHAPED))](x)
        if new.dtype == dtype:
            made.append(new)
    return variables, made[-3:]


def arrays(variables, rng, dtype):
    values = {}
    for v in variables:
        a = rng.normal(size=v.shape) if is_float(dtype) else rng.integers(-50, 50, v.shape)
        values[v] = np.asarray(a).astype(dtype)
    return values


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "int8", "uint8", "int64"])
@pytest.mark.parametrize("seed", range(60))
def test_values_are_kept(seed, dtype):
    rng = np.random.default_rng(seed)
    variables, outputs = program(rng, dtype)
    values = arrays(variables, rng, dtype)
    stages = [outputs]
    for stage in (canonicalize, stabilize, specialize, canonicalize, specialize):
        stages.append(stage(stages[-1]))
    expected = evaluate(outputs, values)
    for after in stages[1:]:
        for o, r, want, got in zip(outputs, after, expected, evaluate(after, values), strict=True):
            assert r.dtype == o.dtype and r.shape == o.shape
            agree(want, got, dtype)


def agree(want, got, dtype):
    assert want.dtype == got.dtype and want.shape == got.shape
    if not is_float(dtype):
        np.testing.assert_array_equal(got, want)
        return
    fine = np.isfinite(want) & (np.abs(want) < 1e6)
    tolerance = 3e-3 if dtype == "float32" else 1e-7
    np.testing.assert_allclose(got[fine], want[fine], rtol=tolerance, atol=tolerance)
    assert not np.any(np.isnan(got) & np.isfinite(want))


@pytest.mark.parametrize("dtype", ["float64", "int32"])
@pytest.mark.parametrize("seed", range(40))
def test_rewriting_twice_changes_nothing(seed, dtype):
    _, outputs = program(np.random.default_rng(seed), dtype)
    for stage in (canonicalize, stabilize, specialize):
        outputs = stage(outputs)
        again = stage(outputs)
        assert all(a is b for a, b in zip(outputs, again, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_gradients_keep_their_values(seed):
    rng = np.random.default_rng(seed)
    variables, outputs = program(rng, "float64")
    cost = sum((T.tanh(o).sum() for o in outputs), start=T.zeros((), "float64"))
    gradients = sc.grad(cost, variables, disconnected_inputs="ignore")
    values = arrays(variables, rng, "float64")
    after = specialize(stabilize(canonicalize(gradients)))
    for want, got in zip(evaluate(gradients, values), evaluate(after, values), strict=True):
        agree(want, got, "float64")


def test_symbolic_sizes_are_kept():
    x, y, s = T.matrix("x"), T.matrix("y"), T.vector("s")
    outputs = [
        T.zeros_like(x) + y, (x + s).sum(axis=0), T.broadcast_to(s, x.shape) * y, x[1:] + y[1:],
        (x * y).T.reshape((-1,)), T.ones_like(x).sum(), T.concatenate([x, y]) * 2, (x - x) * s,
    ]  # fmt: skip
    after = specialize(stabilize(canonicalize(outputs)))
    rng = np.random.default_rng(0)
    values = {x: rng.normal(size=(5, 4)), y: rng.normal(size=(5, 4)), s: rng.normal(size=4)}
    for o, r, want, got in zip(
        outputs, after, evaluate(outputs, values), evaluate(after, values), strict=True
    ):
        assert o.shape == r.shape
        np.testing.assert_allclose(got, want, atol=1e-12)


def test_integer_arithmetic_wraps_around():
    for dtype in ("int8", "uint8", "int16", "uint64"):
        assert is_integer(dtype)
        v = Variable(Type(dtype, (None,)), "v")
        outputs = [v * 100 + v * 100, v - 3 * v, v * v * v, -v - v, (v + 100) + 100, v - v]
        values = {v: np.arange(5).astype(dtype) * 25}
        after = specialize(canonicalize(outputs))
        for want, got in zip(evaluate(outputs, values), evaluate(after, values), strict=True):
            np.testing.assert_array_equal(want, got)
            assert want.dtype == got.dtype
