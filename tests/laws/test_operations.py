"""The laws of operations, run over the registry: a new operation is tested by being declared.

Every operation agrees with NumPy on every dtype and on awkward values, in every backend; its
equation means what its reference does; its derivative is that of its values, once and twice; it
can be batched.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import symcomp as sc
from symcomp.graph import meaning
from symcomp.graph.expr import Variable, constant
from symcomp.graph.scalar import Primitive
from symcomp.graph.type import Type, is_float
from symcomp.graph.walk import evaluate
from tests.backends import BACKENDS, by_numpy, dtypes
from tests.laws.cases import (
    CLASSES,
    ENTRIES,
    FLOAT_ENTRIES,
    PRIMITIVES,
    accepted,
    awkward,
    pairs,
    sample,
    strided,
)

TOLERANCE = {"float32": 3e-5, "float64": 3e-13}

#: Functions whose SciPy counterparts answer otherwise at poles and infinities: compared within.
INSIDE = ("gamma", "gammaln", "digamma", "erfinv", "i0", "i1", "xlogy", "xlog1py", "logit")


def assert_same(got, want, what=""):
    got, want = np.asarray(got), np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), what
    tolerance = TOLERANCE.get(want.dtype.name, 0)
    np.testing.assert_allclose(got, want, tolerance, tolerance, equal_nan=True, err_msg=what)


def test_every_operation_has_samples():
    assert not [name for name, op in CLASSES.items() if not op.samples]


def test_every_function_has_a_meaning():
    for op in PRIMITIVES.values():
        assert op.reference is not None or op.body is not None, op
        assert op.c is not None or op.body is not None, op
        assert op.__doc__, op


def usable(op: Primitive, arrays):
    """Without what NumPy refuses (a negative whole exponent)."""
    if op.name != "power" or arrays[0].dtype.kind not in "iu":
        return arrays
    good = arrays[1] >= 0
    return [a[good] for a in arrays]


def forms(arrays):
    """The same values as they are, apart and backwards in memory, one of them, and none."""
    return {
        "contiguous": arrays,
        "strided": [strided(a) for a in arrays],
        "one": [a[:1] for a in arrays],
        "none": [a[:0] for a in arrays],
    }


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PRIMITIVES)
def test_functions_of_real_numbers(backend, name, request):
    """Every dtype in one compiled function; scalars beside arrays."""
    op = PRIMITIVES[name]
    inputs, outputs, values = [], [], {form: [] for form in forms([])}
    for dtype in (d for d in dtypes(backend, name, request) if accepted(op, d)):
        arrays = usable(op, pairs(op, dtype))
        own = [Variable(Type(dtype, (None,)), f"{dtype}_{i}") for i in range(len(arrays))]
        lone = [Variable(Type(dtype, ()), f"{dtype}_scalar_{i}") for i in range(len(arrays))]
        inputs += own + lone
        outputs += [op(*own), op(*lone)]
        for form, given in forms(arrays).items():
            values[form] += [*given, *(a[2] for a in arrays)]
    for form, given in values.items():
        got = BACKENDS[backend](inputs, outputs, given)
        want = by_numpy(inputs, outputs, given)
        for output, g, w in zip(outputs, got, want, strict=True):
            assert w.dtype.name == output.dtype
            assert_same(g, w, f"{output} of {output.args[0].dtype}, {form}")


def outside_reference(name):
    return getattr(np, name, None) or getattr(scipy.special, name, None)


@pytest.mark.parametrize("name", [n for n in PRIMITIVES if outside_reference(n) is not None])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_functions_are_those_of_numpy_and_scipy(name, dtype):
    op = PRIMITIVES[name]
    if not accepted(op, dtype) or op.name == "where":
        pytest.skip("not for this dtype")
    arrays = usable(op, pairs(op, dtype))
    if name in INSIDE:
        keep = np.all([np.isfinite(a) & (np.abs(a) < 100) & (a > 0) for a in arrays], axis=0)
        arrays = [a[keep] for a in arrays]
    inputs = [Variable(Type(dtype, (None,)), f"x{i}") for i in range(len(arrays))]
    got = by_numpy(inputs, [op(*inputs)], arrays)[0]
    with np.errstate(all="ignore"):
        function = outside_reference(name)
        want = function(*arrays[:2]) if op.variadic else function(*arrays)
        if op.variadic:
            want = function(want, arrays[2])
    np.testing.assert_allclose(got, want, rtol=TOLERANCE.get(dtype, 0), equal_nan=True)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("name", CLASSES)
def test_operations(backend, known, name, request):
    """Every sample in every dtype, in one compiled function (axes of length 1 are always known)."""
    if known and name == "length":
        pytest.skip("a known length is a number")
    own = [
        (position, dtype)
        for n, position, dtype in ENTRIES
        if n == name and dtype in dtypes(backend, f"{name} {position}", request, few=known)
    ]
    for start in range(0, len(own), 30):
        check_operations(backend, known, name, own[start : start + 30])


def check_operations(backend, known, name, entries):
    inputs, outputs, values, wanted = [], [], [], []
    for position, dtype in entries:
        op, variables, arrays = sample(CLASSES[name], CLASSES[name].samples[position], dtype)
        want = np.asarray(op.numpy(*_all(variables, arrays)))
        variables = variables if known else [_loose(v) for v in variables]
        outputs.append(op(*variables))
        inputs += [v for v in variables if isinstance(v, Variable)]
        values += arrays
        wanted.append(want.astype(outputs[-1].dtype))
    for given in (values, [strided(a) for a in values]):
        for output, got, want in zip(
            outputs, BACKENDS[backend](inputs, outputs, given), wanted, strict=True
        ):
            assert_same(got, want, f"{output} in {output.dtype}")


def _loose(v):
    """The variable with sizes that are known only at the call."""
    if not isinstance(v, Variable):
        return v
    return Variable(Type(v.dtype, tuple(1 if n == 1 else None for n in v.shape)), v.name)


def _all(variables, arrays):
    """The values of all arguments: the arrays, and the literal sizes among them."""
    arrays = iter(arrays)
    return [next(arrays) if isinstance(v, Variable) else v.value for v in variables]


@pytest.mark.parametrize(("name", "position", "dtype"), ENTRIES)
def test_equations_mean_what_their_references_do(name, position, dtype):
    op, variables, arrays = sample(CLASSES[name], CLASSES[name].samples[position], dtype)
    values = _all(variables, arrays)
    want = np.asarray(op.numpy(*values)).astype(op(*variables).dtype)
    if op.element is not None:
        assert_same(meaning.equation(op, values), want)
    elif op.loops is not None:
        assert_same(meaning.writes(op, values), want)
    elif op.body is not None:
        inputs = dict(zip((v for v in variables if isinstance(v, Variable)), arrays, strict=True))
        assert_same(evaluate([op.body(*variables)], inputs)[0], want)
    else:
        assert name in ("cast", "length"), "an operation has a body, an element, loops or perform"


# --- derivatives ---------------------------------------------------------------------------------


def _function(op, variables):
    """The operation as a function of its floating-point arguments."""
    free = [v for v in variables if isinstance(v, Variable) and is_float(v.dtype)]

    def function(*values):
        given = dict(zip(free, values, strict=True))
        return op(*(given.get(v, v) for v in variables))

    return function, free


#: Operations that have no gradient, or another one on purpose.
NOT_SMOOTH = ("stop_gradient", "zero_grad", "grad_clip", "range", "eye", "extreme", "length")


def _differentiable():
    for name, position in FLOAT_ENTRIES:
        op, variables, _ = sample(CLASSES[name], CLASSES[name].samples[position], "float64")
        smooth = name not in (
            "stop_gradient",
            "zero_grad",
            "grad_clip",
            "range",
            "eye",
            "extreme",
            "length",
        )
        if (
            smooth
            and is_float(op(*variables).dtype)
            and getattr(op, "dtype", "float64") == "float64"
        ):
            yield name, position


def _with_positions_fixed(variables, arrays):
    """Index arrays as constants, so that only real arguments are left."""
    arrays, result, points = iter(arrays), [], []
    for v in variables:
        a = next(arrays) if isinstance(v, Variable) else None
        result.append(constant(a) if a is not None and not is_float(v.dtype) else v)
        if a is not None and is_float(v.dtype):
            points.append(a)
    return result, points


@pytest.mark.parametrize(("name", "position"), _differentiable())
def test_gradients_of_operations(name, position):
    op, variables, arrays = sample(CLASSES[name], CLASSES[name].samples[position], "float64")
    variables, points = _with_positions_fixed(variables, arrays)
    function, _ = _function(op, variables)
    sc.check_gradient(function, points, tolerance=1e-6)
    sc.check_gradient(lambda *xs: _first_gradient(function, xs), points, tolerance=2e-5)


def _first_gradient(function, xs):
    """Σ of the gradients of a weighted output: its own gradient is of second order."""
    out = function(*xs)
    cost = (out * out).sum()
    gradients = sc.grad(cost, list(xs), disconnected_inputs="ignore")
    return sum(((g * g).sum() for g in gradients), start=sc.tensor.constant(0.0))


@pytest.mark.parametrize(("name", "position"), _differentiable())
def test_batching_of_operations(name, position):
    """A Jacobian, which is batched, has the columns that forward mode gives one by one."""
    op, variables, arrays = sample(CLASSES[name], CLASSES[name].samples[position], "float64")
    variables, points = _with_positions_fixed(variables, arrays)
    _, free = _function(op, variables)
    output = op(*variables)
    given = dict(zip(free, points, strict=True))
    for x, point in given.items():
        whole = evaluate([sc.jacobian(output, x, "ignore")], given)[0]
        assert whole.shape == (*evaluate([output], given)[0].shape, *point.shape)
        for at in list(np.ndindex(point.shape))[:4]:
            tangent = np.zeros(point.shape)
            tangent[at] = 1
            column = evaluate([sc.jvp(output, x, constant(tangent))], given)[0]
            np.testing.assert_allclose(whole[(..., *at)], column, atol=1e-12)


def _points(op, count=5):
    """Points where a function is smooth: inside its domain, and not near 0."""
    low, high = op.domain
    points = np.random.default_rng(1).uniform(0.3, min(high, 1.4) - 0.1, count)
    return points + low if low >= 0 else points * ([1, -1, 1, -1, 1] if low == -np.inf else 0.5)


def _smooth_functions():
    for name, op in PRIMITIVES.items():
        if op.grad is not None and accepted(op, "float64"):
            yield name


@pytest.mark.parametrize("name", _smooth_functions())
def test_derivatives_of_functions(name):
    op = PRIMITIVES[name]
    count = 3 if op.variadic else len(op.parameters)
    points = [_points(op) + 0.01 * i for i in range(count)]
    if name == "power":
        points[0] = np.abs(points[0])
    if name == "where":
        points = points[1:]
        condition = constant(np.array([True, False, True, True, False]))
        function = lambda x, y: op(condition, x, y)  # noqa: E731
    elif name == "mod":
        points[1] = np.abs(points[1]) + 2.5
        function = op
    else:
        function = op
    sc.check_gradient(function, points, tolerance=1e-6)
    sc.check_gradient(lambda *xs: _first_gradient(function, xs), points, tolerance=5e-5)


def test_awkward_values_are_awkward():
    assert np.isnan(awkward("float32")).any()
    assert awkward("int8").min() == -128
