"""Every rule that is a function of a node: it fires on its example, and keeps values for all
dtypes, shapes and strides."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.expr import Variable
from symcomp.graph.op import apply
from symcomp.graph.size import as_expr
from symcomp.graph.type import Type, is_float
from symcomp.graph.walk import evaluate, order
from symcomp.rewrite import canonicalize, specialize, stabilize
from symcomp.rewrite.engine import rewrite
from symcomp.rewrite.rule import ArrayRule, RuleSet, registry
from symcomp.tensor.indexing import Embed, Pick, embed, place
from symcomp.tensor.layout import Axes, Broadcast, Reshape
from symcomp.tensor.linear import Dot, product
from symcomp.tensor.nn import log_softmax, softmax
from symcomp.tensor.reduction import LogSumExp, Reduce, logsumexp

#: A rule, and a formula in x (4×3), y (4×3), s (3), t (4), a (a scalar), w (3×5), i (4 positions
#: below 3) at which it fires.
EXAMPLES = {
    # canonical
    "sums": lambda v: v.x - (v.y - v.x),
    "products": lambda v: v.x * v.y * v.x,
    "quotients": lambda v: (2 * v.x) / (4 * v.y),
    "other_names": lambda v: T.square(v.x) + T.square(v.y),
    "constants": lambda v: (
        v.x + T.maximum(T.cast(np.array(2), v.dtype), T.cast(np.array(3), v.dtype))
    ),
    # fractions
    "paired_factors": lambda v: T.exp(v.x) / v.s * v.y / (1 + T.exp(v.x)),
    "multiplied_out": lambda v: T.exp(v.x) * (T.sigmoid(-v.x) * v.y + v.s * T.sigmoid(-v.x)),
    # arrays
    "broadcast_outwards": lambda v: T.broadcast_to(v.s, v.x.shape) * v.x,
    "leading_axes_implied": lambda v: v.s[None, :] + v.x,
    "single_number": lambda v: v.x * np.full((1, 1), 3, v.dtype),
    "broadcast_of_broadcast": lambda v: T.broadcast_to(
        T.broadcast_to(v.s, v.x.shape), (2, *v.x.shape)
    ),
    "axes_of_broadcast": lambda v: T.broadcast_to(v.s, v.x.shape).T,
    "slice_of_broadcast": lambda v: T.broadcast_to(v.s, v.x.shape)[1:, 1:],
    "reshape_of_number": lambda v: T.broadcast_to(v.a, v.x.shape).reshape((-1,)),
    "axes_of_axes": lambda v: v.x.T.T,
    "axes_outwards": lambda v: v.x.T + v.y.T,
    "reshape_of_reshape": lambda v: v.x.reshape((-1,)).reshape((v.x.shape[1], v.x.shape[0])),
    "reshape_of_new_axes": lambda v: v.x[:, None].reshape((-1,)),
    "squeezed_reshape": lambda v: v.x.reshape((1, -1))[0],
    "reshape_as_axes": lambda v: apply(Reshape((1, None, None)), v.x, *map(as_expr, v.x.shape)),
    "reshape_outwards": lambda v: v.x.reshape((-1,)) * 2,
    "slice_of_slice": lambda v: v.x[1:][::2, 1:],
    "slice_of_join": lambda v: T.concatenate([v.x, v.y])[:2] if v.literal else None,
    "slice_inwards": lambda v: (v.x + v.s)[1:, :2],
    "slice_of_embed": lambda v: embed(v.x, (6, 7), (1, 2), (1, 1))[1:5, 2:5] if v.literal else None,
    "join_of_one": lambda v: T.concatenate([v.x, T.concatenate([v.y, v.x])]),
    "join_of_slices": lambda v: T.concatenate([v.x[:2], v.x[2:]]) if v.literal else None,
    "reduce_of_reduce": lambda v: v.x.max(axis=0).max(),
    "reduce_of_single": lambda v: v.x[:, None].max(axis=1),
    "reduce_of_axes": lambda v: v.x.T.max(axis=0),
    "reduce_of_reshape": lambda v: v.x.reshape((-1,)).max(),
    "reduce_of_broadcast": lambda v: apply(Reduce("sum", (0,)), T.broadcast_to(v.s, v.x.shape)),
    "sum_of_product": lambda v: apply(Reduce("sum", (0,)), v.x * v.s),
    "sum_of_quotient": lambda v: apply(Reduce("sum", (0,)), v.x / v.s),
    "extreme_of_shifted": lambda v: (v.x + v.s).max(axis=0),
    "extreme_of_scaled": lambda v: (v.x * -2).max(axis=0),
    "reduce_of_join": lambda v: apply(Reduce("sum", (0,)), T.concatenate([v.x, v.y])),
    "sum_of_embed": lambda v: apply(Reduce("sum", (0, 1)), embed(v.x, (6, 7), (1, 2), (1, 1))),
    "cast_of_cast": lambda v: T.cast(T.cast(v.i32, "int64"), "float64"),
    "cast_of_choice": lambda v: T.cast(T.where(v.x > 0, 1.0, 0.5), "float32"),
    "choice_as_cast": lambda v: T.where(
        v.x > 0, T.cast(np.array(1), v.dtype), T.cast(np.array(0), v.dtype)
    ),
    "bounded": lambda v: T.maximum(abs(v.x) + 1, -1.0),
    "even_power": lambda v: (-v.x * v.y) ** 4,
    # products
    "dot_of_transposed": lambda v: T.dot(v.x.T, v.y),
    "dot_of_single": lambda v: product(v.x, v.s[:, None], "ik", "kj", "ij"),
    "dot_of_broadcast": lambda v: T.dot(T.broadcast_to(v.a, v.x.shape), v.w),
    "dot_that_sums_nothing": lambda v: T.outer(v.s, v.t),
    "transposed_dot": lambda v: T.dot(v.x, v.w).T,
    "scalars_out_of_dot": lambda v: T.dot(v.x * v.a, v.w),
    "matrices_before_vector": lambda v: T.dot(T.dot(v.x, v.w), v.five),
    "sum_of_dot": lambda v: apply(Reduce("sum", (0,)), T.dot(v.x, v.w)),
    "sum_of_outer_product": lambda v: (v.x[:, None, :] * v.y[None, :, :]).sum(
        axis=2, dtype=v.dtype
    ),
    "take_all": lambda v: v.x[T.arange(v.x.shape[0])],
    "take_as_pick": lambda v: v.x[T.arange(v.x.shape[0]), v.i],
    "scattered_into": lambda v: (
        v.x + v.a * T.inc_subtensor(T.inc_subtensor(T.zeros_like(v.x)[v.i], v.x)[v.i32], v.y)
    ),
    "scatter_as_place": lambda v: T.inc_subtensor(
        T.zeros_like(v.x)[T.arange(v.x.shape[0]), v.i], v.t
    ),
    "sum_of_placed": lambda v: apply(Reduce("sum", (1,)), place(v.t, v.i, 3, 1)),
    "pick_of_placed": lambda v: apply(Pick(1), place(v.t, v.i, 3, 1), v.i),
    "pick_inwards": lambda v: T.pick(T.maximum(v.x, 0), v.i),
    "embed_of_all": lambda v: apply(Embed((4, 3), (0, 0), (1, 1)), v.x) if v.literal else None,
    "slice_of_range": lambda v: T.arange(v.x.shape[0] + 7)[2:5] * 2 if v.literal else None,
    "log_of_softmax": lambda v: T.log(softmax(v.x)),
    "log_of_part_of_softmax": lambda v: T.log(softmax(v.x)[1:]),
    "exp_of_log_softmax": lambda v: T.exp(log_softmax(v.x)),
    "log_of_sum_of_exp": lambda v: T.log(T.exp(v.x).sum(axis=1)),
    "logsumexp_without_kept_axes": lambda v: logsumexp(v.x, axis=1, keepdims=True),
    "quotient_as_softmax": lambda v: T.exp(v.x) / T.exp(v.x).sum(axis=1, keepdims=True),
    "difference_as_log_softmax": lambda v: v.x - T.expand_dims(logsumexp(v.x, axis=1), 1) + v.y,
    "softmax_cancels": lambda v: softmax(v.x) * (v.y / softmax(v.x) + v.s),
    "softmax_of_shifted": lambda v: softmax(v.x + T.sigmoid(T.cast(v.i, v.dtype))[:, None]),
    "softmax_of_log_softmax": lambda v: softmax(log_softmax(v.x)),
    # special
    "small_powers": lambda v: v.x**5,
    "negated_products": lambda v: T.multiply(
        T.cast(np.array(-1).astype(v.dtype), v.dtype), v.x, v.y
    ),
    "differences": lambda v: T.add(v.x, -v.y),
    "lower_ranks_first": lambda v: T.multiply(v.s, v.x, v.s),
    "exact_quotients": lambda v: v.x / 8,
    "nothing_to_arrange": lambda v: apply(Broadcast((None, None)), v.x, *map(as_expr, v.x.shape)),
}

FLOATS_ONLY = {
    "quotients", "sum_of_quotient", "extreme_of_shifted", "extreme_of_scaled", "cast_of_choice",
    "bounded", "even_power", "matrices_before_vector", "sum_of_outer_product", "log_of_softmax",
    "exp_of_log_softmax", "log_of_sum_of_exp", "logsumexp_without_kept_axes",
    "quotient_as_softmax", "difference_as_log_softmax", "softmax_cancels", "softmax_of_shifted",
    "softmax_of_log_softmax", "exact_quotients", "scatter_as_place",
    "paired_factors", "multiplied_out", "log_of_part_of_softmax",
}  # fmt: skip


class Inputs:
    """Variables of a dtype, with literal sizes or with symbolic ones."""

    def __init__(self, dtype, literal):
        self.dtype, self.literal = dtype, literal
        shapes = {
            "x": (4, 3),
            "y": (4, 3),
            "s": (3,),
            "t": (4,),
            "a": (),
            "w": (3, 5),
            "five": (5,),
        }
        self.values = {}
        rng = np.random.default_rng(len(dtype) + literal)
        for name, shape in shapes.items():
            v = Variable(Type(dtype, shape if literal else (None,) * len(shape)), name)
            setattr(self, name, v)
            self.values[v] = strided(rng, shape, dtype)
        for name, kind in (("i", "int64"), ("i32", "int32")):
            v = Variable(Type(kind, (4,) if literal else (None,)), name)
            setattr(self, name, v)
            self.values[v] = rng.integers(0, 3, 4).astype(kind)


def strided(rng, shape, dtype):
    """An array whose strides are not those of a fresh one."""
    wide = rng.normal(size=tuple(2 * n for n in shape)) * 3
    if not is_float(dtype):
        wide = wide * 10
    return np.asarray(wide).astype(dtype)[tuple(slice(None, None, 2) for _ in shape)]


RULES = [r for rules in registry.values() for r in rules if isinstance(r, ArrayRule)]


def test_every_rule_has_an_example():
    assert {r.name for r in RULES} == set(EXAMPLES)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8"])
@pytest.mark.parametrize("literal", [True, False], ids=["literal", "symbolic"])
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_fires_and_keeps_values(rule, literal, dtype):
    if rule.name in FLOATS_ONLY and not is_float(dtype):
        pytest.skip("for floats only")
    v = Inputs(dtype, literal)
    before = EXAMPLES[rule.name](v)
    if before is None:
        pytest.skip("only with literal sizes")
    assert rule.formula
    helpers = registry["canonical"] if rule.table != "special" else RuleSet("none", tuple)
    trace = []
    (after,) = rewrite([before], RuleSet("one", lambda: [rule]) + helpers, trace)
    assert any(t.rule is rule for t in trace), f"{rule.name} does not fire at {before}"
    staged = specialize(stabilize(canonicalize([before])))[0]
    assert after.type == before.type and staged.type == before.type
    assert after.shape == before.shape and staged.shape == before.shape
    want, got, full = evaluate([before, after, staged], v.values)
    for value in (got, full):
        assert value.shape == want.shape and value.dtype == want.dtype
        if is_float(want.dtype.name):
            np.testing.assert_allclose(
                value, want, rtol=1e-4 if dtype == "float32" else 1e-10, atol=1e-5
            )
        else:
            np.testing.assert_array_equal(value, want)


# --- what whole formulas become -------------------------------------------------------------------


def normal(*outputs):
    return specialize(stabilize(canonicalize(list(outputs))))


def test_a_gradient_of_a_broadcast_needs_no_broadcast():
    x = T.matrix("x")
    g = normal(sc.grad((x * x).sum(), x))[0]
    assert not any(isinstance(e.op, Broadcast) for e in order([g]))


def test_the_gradient_of_cross_entropy_is_softmax_minus_one_hot():
    x, t = T.matrix("x"), T.lvector("t")
    cost = T.nn.cross_entropy(softmax(x), t).sum()
    g = normal(sc.grad(cost, x))[0]
    rng = np.random.default_rng(0)
    # So far apart that the softmax itself is 0 where it should be 1e-300.
    values = {x: np.array([[800.0, 0.0, -5.0], *rng.normal(size=(2, 3))]), t: np.array([1, 0, 2])}
    (got,) = evaluate([g], values)
    p = np.exp(values[x] - values[x].max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    np.testing.assert_allclose(got, p - np.eye(3)[values[t]], atol=1e-12)


def test_transposes_are_absorbed_in_products():
    a, b = T.matrix("a"), T.matrix("b")
    for e in (T.dot(a.T, b), T.dot(a, b.T), T.dot(a, b).T, T.dot(b.T, a.T).T):
        (n,) = normal(e)
        assert isinstance(n.op, Dot) and not any(isinstance(x.op, Axes) for x in order([n]))


def test_keepdims_of_logsumexp_is_axes():
    x = T.matrix("x")
    (n,) = normal(logsumexp(x, axis=1, keepdims=True))
    assert isinstance(n.op, Axes) and n.args[0].op == LogSumExp((1,), False)


def test_rows_of_another_length():
    """x[arange(m), y] where m is the length of y: at most that of x, which the call checks."""
    x, y, v = T.matrix("x"), T.lvector("y"), T.vector("v")
    picked = x[T.arange(y.shape[0]), y]
    outputs = [picked, sc.grad((picked * v).sum(), x)]
    rewritten = canonicalize(outputs)
    assert not any(type(e.op).__name__ in ("Take", "Scatter") for e in order(rewritten))
    rng = np.random.default_rng(3)
    f = sc.function([x, y, v], outputs)
    for m in (0, 2, 4):
        given = {x: rng.normal(size=(4, 3)), y: rng.integers(-3, 3, m), v: rng.normal(size=m)}
        expected = evaluate(outputs, given)
        for values in (evaluate(rewritten, given), f(*given.values())):
            for a, b in zip(expected, values, strict=True):
                np.testing.assert_array_equal(a, b)
    with pytest.raises(sc.errors.BoundsError):
        f(np.zeros((4, 3)), np.zeros(5, "int64"), np.zeros(5))


def test_a_length_that_must_be_one_is_no_single_axis():
    """(n, 1)·(m, 1), where m is known to be 1 only at the call, which checks it."""
    x = T.tensor("float64", (None, 1), name="x")
    f = sc.function([x], x @ x[:-2:-1])
    np.testing.assert_array_equal(f(np.full((3, 1), 2.0)), np.full((3, 1), 4.0))
    with pytest.raises(sc.errors.ShapeError):
        f(np.zeros((0, 1)))
