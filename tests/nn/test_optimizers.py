"""Optimizers take the steps that their papers write, as independent NumPy loops take them."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T

STEPS = 7

# --- the methods, written again in NumPy, one parameter at a time, in float64 --------------------
#
# Each is a generator: it is sent a gradient and the parameter, and yields the new parameter.


def sgd(p, rate=0.01):
    g = yield
    while True:
        p = p - rate * g
        g = yield p


def momentum(p, rate=0.01, momentum=0.9, nesterov=False):
    v = np.zeros_like(p)
    g = yield
    while True:
        v = momentum * v + g
        p = p - rate * (g + momentum * v if nesterov else v)
        g = yield p


def nesterov(p, **settings):
    return momentum(p, nesterov=True, **settings)


def adagrad(p, rate=0.01, epsilon=1e-10):
    total = np.zeros_like(p)
    g = yield
    while True:
        total += g**2
        p = p - rate * g / (np.sqrt(total) + epsilon)
        g = yield p


def rmsprop(p, rate=0.01, decay=0.99, epsilon=1e-8, momentum=0.0, centered=False):
    square, mean, v = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    g = yield
    while True:
        square = decay * square + (1 - decay) * g**2
        mean = decay * mean + (1 - decay) * g
        variance = square - mean**2 if centered else square
        v = momentum * v + g / (np.sqrt(variance) + epsilon)
        p = p - rate * v
        g = yield p


def adadelta(p, rate=1.0, decay=0.9, epsilon=1e-6):
    square, change = np.zeros_like(p), np.zeros_like(p)
    g = yield
    while True:
        square = decay * square + (1 - decay) * g**2
        delta = np.sqrt((change + epsilon) / (square + epsilon)) * g
        change = decay * change + (1 - decay) * delta**2
        p = p - rate * delta
        g = yield p


def adam_direction(p, beta1=0.9, beta2=0.999, epsilon=1e-8, amsgrad=False):
    """Is sent gradients, yields m̂ / (√v̂ + ε)."""
    m, v, largest, t = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p), 0
    g = yield
    while True:
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        largest = np.maximum(largest, v)
        corrected = (largest if amsgrad else v) / (1 - beta2**t)
        g = yield m / (1 - beta1**t) / (np.sqrt(corrected) + epsilon)


def adamw(p, rate=1e-3, weight_decay=0.01, **settings):
    direction = adam_direction(p, **settings)
    next(direction)
    g = yield
    while True:
        p = p * (1 - rate * weight_decay) - rate * direction.send(g)
        g = yield p


def adam(p, **settings):
    return adamw(p, weight_decay=0.0, **settings)


def adamax(p, rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m, u, t = np.zeros_like(p), np.zeros_like(p), 0
    g = yield
    while True:
        t += 1
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g) + epsilon)
        p = p - rate / (1 - beta1**t) * m / u
        g = yield p


def nadam(p, rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum_decay=4e-3):
    m, v, product, t = np.zeros_like(p), np.zeros_like(p), 1.0, 0
    g = yield
    while True:
        t += 1
        now = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        then = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product *= now
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        root = np.sqrt(v / (1 - beta2**t)) + epsilon
        p = p - rate * (1 - now) / (1 - product) * g / root
        p = p - rate * then / (1 - product * then) * m / root
        g = yield p


def lamb(p, rate=1e-3, weight_decay=0.0, epsilon=1e-6, **settings):
    direction = adam_direction(p, epsilon=epsilon, **settings)
    next(direction)
    g = yield
    while True:
        move = direction.send(g) + weight_decay * p
        lengths = np.linalg.norm(p), np.linalg.norm(move)
        trust = lengths[0] / lengths[1] if min(lengths) > 0 else 1.0
        p = p - rate * trust * move
        g = yield p


# --- the comparison ------------------------------------------------------------------------------

CASES = [
    (sgd, {}),
    (momentum, {}),
    (momentum, {"momentum": 0.5}),
    (nesterov, {}),
    (adagrad, {}),
    (rmsprop, {}),
    (rmsprop, {"centered": True}),
    (rmsprop, {"momentum": 0.9, "decay": 0.9}),
    (adadelta, {}),
    (adam, {}),
    (adam, {"beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3}),
    (adam, {"amsgrad": True, "beta2": 0.5}),
    (adamax, {}),
    (adamw, {}),
    (adamw, {"weight_decay": 0.1, "amsgrad": True}),
    (nadam, {}),
    (nadam, {"momentum_decay": 0.5}),
    (lamb, {}),
    (lamb, {"weight_decay": 0.1}),
]


def name_of(case) -> str:
    return "-".join([case[0].__name__, *case[1]])


def problem(dtype: str):
    """A cost of two parameters and an input, and the gradients of both in NumPy."""
    rng = np.random.default_rng(5)
    start = rng.normal(size=(3, 2)), rng.normal(size=2)
    x = T.tensor(dtype, shape=(None, 3), name="x")
    W, b = (sc.shared(p.astype(dtype), name) for p, name in zip(start, ("W", "b"), strict=True))
    cost = T.sqrt(1 + T.square(x @ W + b)).sum()

    def gradients(x, W, b):
        z = x @ W + b
        slope = z / np.sqrt(1 + z * z)
        return x.T @ slope, slope.sum(axis=0)

    inputs = [rng.normal(size=(4, 3)).astype(dtype) for _ in range(STEPS)]
    return x, cost, [W, b], gradients, inputs


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_method_takes_the_steps_of_its_definition(case, dtype):
    method, settings = case
    x, cost, parameters, gradients, inputs = problem(dtype)
    updates = getattr(sc.nn, method.__name__)(cost, parameters, **settings)
    step = sc.function([x], cost, updates=updates)
    expected = [p.get_value().astype("float64") for p in parameters]
    references = [method(p, **settings) for p in expected]
    for reference in references:
        next(reference)
    costs = []
    for value in inputs:
        costs.append(step(value))
        both = gradients(value.astype("float64"), *expected)
        expected = [r.send(g) for r, g in zip(references, both, strict=True)]
    for p, e in zip(parameters, expected, strict=True):
        assert p.get_value().dtype == dtype
        np.testing.assert_allclose(p.get_value(), e, rtol=1e-12 if dtype == "float64" else 3e-6)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_state_has_the_dtype_of_its_parameter_and_a_name(case):
    method, settings = case
    _, cost, parameters, _, _ = problem("float32")
    for value, new in getattr(sc.nn, method.__name__)(cost, parameters, **settings):
        assert new.dtype == value.dtype
        if value in parameters:
            continue
        owner, _, what = value.name.partition("/")
        if owner in ("W", "b"):
            assert what.startswith(method.__name__) and value.dtype == "float32"
            assert not value.get_value().any()
        else:
            assert owner == method.__name__ and value.ndim == 0


def test_an_optimizer_counts_its_steps_once():
    _, cost, parameters, _, _ = problem("float32")
    counts = [v for v, _ in sc.nn.adam(cost, parameters) if v.dtype == "int64"]
    assert [c.name for c in counts] == ["adam/step"]
    assert not [v for v, _ in sc.nn.sgd(cost, parameters) if v.dtype == "int64"]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_whole_step_is_compiled_without_copies(case):
    """Every parameter and all state are written in place, by the kernel that computes them."""
    method, settings = case
    x, cost, parameters, _, _ = problem("float32")
    updates = getattr(sc.nn, method.__name__)(cost, parameters, **settings)
    plan = str(sc.function([x], updates=updates).explain("plan"))
    assert [v.name for v, _ in updates if f"{v.name} in place" not in plan] == []


# --- the learning rate ---------------------------------------------------------------------------


def rates_used(learning_rate, dtype="float64", inputs=(), calls=()):
    """The rates of a few steps: the gradient is 1, so p moves by the rate."""
    p = sc.shared(np.zeros((), dtype), "p")
    updates = sc.nn.sgd([T.ones_like(p)], [p], learning_rate)
    step = sc.function(list(inputs), p, updates=updates)
    values = [step(*c) for c in (calls or [()] * 4)] + [p.get_value()]
    return -np.diff(values)


def test_the_rate_may_be_a_schedule():
    rates = rates_used(sc.nn.schedules.polynomial(0.4, 4))
    np.testing.assert_allclose(rates, [0.4, 0.3, 0.2, 0.1], rtol=1e-12)


def test_the_rate_may_be_a_function_of_the_users_own():
    np.testing.assert_allclose(rates_used(lambda n: 1.0 / (1 + n)), [1, 1 / 2, 1 / 3, 1 / 4])


def test_the_rate_may_be_an_input():
    rate = T.dscalar("rate")
    calls = [(0.5,), (0.25,), (0.125,)]
    assert rates_used(rate, "float32", [rate], calls).tolist() == [0.5, 0.25, 0.125]


def test_the_rate_may_be_shared():
    rate = sc.shared(np.float32(0.5), "rate")
    p = sc.shared(np.zeros((), "float32"), "p")
    step = sc.function([], updates=sc.nn.sgd([T.ones_like(p)], p, rate))
    step()
    rate.set_value(np.float32(0.25))
    step()
    assert p.get_value() == -0.75


def test_a_schedule_of_an_int64_step_keeps_float32_parameters_in_float32():
    assert rates_used(sc.nn.schedules.cosine(0.5, 4), "float32").dtype == "float32"


# --- parameters and gradients --------------------------------------------------------------------


def test_gradients_may_be_given():
    x, cost, parameters, _, inputs = problem("float64")
    given = sc.nn.adam(sc.grad(cost, parameters), parameters)
    step = sc.function([x], updates=given)
    step(inputs[0])
    x2, cost2, others, _, _ = problem("float64")
    sc.function([x2], updates=sc.nn.adam(cost2, others))(inputs[0])
    for p, q in zip(parameters, others, strict=True):
        assert np.array_equal(p.get_value(), q.get_value())


def test_a_dict_names_the_state():
    _, cost, (W, b), _, _ = problem("float64")
    names = {v.name for v, _ in sc.nn.momentum(cost, {"first": W, "second": b})}
    assert {"first/momentum_velocity", "second/momentum_velocity"} <= names


def test_parameters_of_one_name_have_state_of_different_names():
    p, q = (sc.shared(np.ones(2), "weights") for _ in range(2))
    names = [v.name for v, _ in sc.nn.adam((p * q).sum(), [p, q]) if v not in (p, q)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: sc.nn.sgd([p, p], [p]), "2 gradients do not belong to 1 parameters"),
        (lambda p: sc.nn.sgd([T.fvector("g")], [p]), "the gradient of p is float32"),
        (lambda p: sc.nn.adam(p.sum(), [p], beta1=1.5), "beta1 lies from 0 to below 1"),
        (lambda p: sc.nn.adam(p.sum(), [p + 1]), "is not a shared value"),
        (lambda p: sc.nn.adam(p.sum(), [p, p]), "are the same shared value"),
        (lambda p: sc.nn.average([], [p]), "p is not among the updates"),
    ],
)
def test_errors_name_what_is_wrong(call, words):
    with pytest.raises(sc.errors.ArgumentError, match=words):
        call(sc.shared(np.ones(3), "p"))


# --- clipping, penalties, averages ---------------------------------------------------------------


def values(expressions):
    return [e.eval() for e in expressions]


def test_clipping():
    g, h = np.array([3.0, -4.0]), np.array([[0.5], [0.1]])
    expressions = [sc.shared(g), sc.shared(h)]
    clipped = values(sc.nn.clip_by_value(expressions, 2))
    assert clipped[0].tolist() == [2, -2] and np.array_equal(clipped[1], h)
    clipped = values(sc.nn.clip_by_norm(expressions, 1))
    np.testing.assert_allclose(clipped[0], [0.6, -0.8])
    np.testing.assert_allclose(clipped[1], h)
    norm = np.sqrt(25 + 0.26)
    np.testing.assert_allclose(sc.nn.global_norm(expressions).eval(), norm)
    clipped = values(sc.nn.clip_by_global_norm(expressions, 1))
    np.testing.assert_allclose(clipped[1], h / norm)
    assert np.array_equal(values(sc.nn.clip_by_global_norm(expressions, 6))[0], g)


@pytest.mark.parametrize("clip", ["clip_by_value", "clip_by_norm", "clip_by_global_norm"])
def test_clipping_zeros_gives_zeros_and_keeps_the_dtype(clip):
    (clipped,) = getattr(sc.nn, clip)([sc.shared(np.zeros(3, "float32"))], 1.0)
    assert clipped.dtype == "float32" and clipped.eval().tolist() == [0, 0, 0]


def test_penalties():
    parameters = [sc.shared(np.array([1.0, -2.0])), sc.shared(np.array([[3.0]]))]
    assert sc.nn.l1(parameters).eval() == 6
    assert sc.nn.l2(parameters).eval() == 14


def test_decay_of_weights_is_apart_from_the_gradient():
    p, q = sc.shared(np.array([2.0]), "p"), sc.shared(np.array([2.0]), "q")
    updates = sc.nn.sgd((p + q).sum(), [p, q], 0.5)
    sc.function([], updates=sc.nn.decay_weights(updates, [p], 0.1))()
    assert p.get_value() == 2 - 0.5 - 0.2 and q.get_value() == 1.5


def counter():
    """p goes 0, 1, 2, 3, … when its updates are made."""
    p = sc.shared(np.zeros(2), "p")
    return p, [(p, p + 1)]


def test_average_of_parameters_decays():
    p, updates = counter()
    updates, averaged = sc.nn.average(updates, [p], decay=0.75)
    step = sc.function([], updates=updates)
    expected = 0.0
    for k in range(1, 5):
        step()
        expected = 0.75 * expected + 0.25 * k
    assert averaged[p].get_value().tolist() == [expected] * 2
    assert averaged[p].name == "p/average"
    read = sc.function([], p * 2, givens=averaged)
    assert read().tolist() == [2 * expected] * 2


def test_stochastic_weight_averaging_takes_every_nth_step():
    p, updates = counter()
    updates, averaged = sc.nn.average_stochastic_weights(updates, [p], start=2, every=3)
    step = sc.function([], updates=updates)
    seen = []
    for _ in range(9):
        step()
        seen.append(float(averaged[p].get_value()[0]))
    # p is 3 after step 2, 6 after step 5, 9 after step 8
    assert seen == [0, 0, 3, 3, 3, 4.5, 4.5, 4.5, 6]
