"""Pooling, patches and resizing: against windows cut one by one, in every dtype and with sizes that
are known only at the call; derivatives of every order; the C that comes out.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.errors import ArgumentError, DtypeError, ShapeError
from symcomp.graph.expr import Variable, constant
from symcomp.graph.type import DTYPES, Type


def variable(like, known=False):
    shape = like.shape if known else tuple(1 if n == 1 else None for n in like.shape)
    return Variable(Type(like.dtype.name, shape), "x")


def run(function, x, known=False):
    v = variable(x, known)
    return sc.function([v], function(v))(x)


def spans(n, window, stride, before, after, partial):
    """Where each window begins and ends within an axis of length n."""
    result, begin = [], -before
    while begin < n and (begin + window <= n + after or partial):
        if partial and result and result[-1][2]:
            break
        result.append((max(begin, 0), min(begin + window, n), begin + window >= n + after))
        begin += stride
    return [(a, b) for a, b, _ in result]


FOLDS = {
    "max": lambda p: p.max(axis=(-2, -1)),
    "sum": lambda p: p.sum(axis=(-2, -1)),
    "average": lambda p: p.mean(axis=(-2, -1)),
    "l2": lambda p: np.sqrt((p * p).sum(axis=(-2, -1))),
}


def pooled(x, mode, rows, columns):
    parts = [[FOLDS[mode](x[..., a:b, c:d]) for c, d in columns] for a, b in rows]
    if not rows or not columns:
        return np.zeros((*x.shape[:-2], len(rows), len(columns)), x.dtype)
    return np.stack([np.stack(row, -1) for row in parts], -2)


GEOMETRIES = [
    (2, None, 0, True), ((2, 3), (1, 2), 0, True), (3, 2, 1, True), (3, 1, 1, True),
    (2, 3, 0, True), ((3, 2), 2, ((1, 0), (0, 1)), True), (3, 2, 0, False),
    ((4, 2), (3, 2), 1, False),
    (1, 2, 0, False), (6, 5, 4, True), (5, 1, 2, True), (9, 1, 0, True),
]  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("mode", FOLDS)
@pytest.mark.parametrize(("window", "stride", "padding", "ignore"), GEOMETRIES)
def test_windows_one_by_one(window, stride, padding, ignore, mode, known, rng):
    two = lambda v: v if isinstance(v, tuple) else (v, v)  # noqa: E731
    inputs, outputs, values, wanted = [], [], [], []
    for shape in ((2, 3, 7, 8), (1, 2, 5, 9), (2, 1, 8, 37), (3, 2, 1, 2), (0, 1, 4, 4)):
        x = rng.standard_normal(shape)
        spread_out = [
            spans(n, w, s, *two(p), not ignore)
            for n, w, s, p in zip(
                shape[2:], two(window), two(stride or window), two(padding), strict=True
            )
        ]
        inputs.append(variable(x, known))
        outputs.append(T.nn.pool(inputs[-1], window, stride, padding, mode, ignore))
        values.append(x)
        wanted.append(pooled(x, mode, *spread_out))
    for got, want in zip(sc.function(inputs, outputs)(*values), wanted, strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_average_with_padding(rng):
    x = rng.standard_normal((1, 1, 5, 5))
    got = run(lambda v: T.nn.pool(v, 3, 2, 1, "average_with_padding"), x)
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    ends = [(0, 3), (2, 5), (4, 7)]
    np.testing.assert_allclose(got, pooled(padded, "average", ends, ends))
    clipped = run(lambda v: T.nn.pool(v, 3, 2, 1, "average_with_padding", False), x[..., :4, :4])
    ends = [(0, 3), (2, 5), (4, 6)]
    np.testing.assert_allclose(
        clipped, pooled(padded[..., :6, :6] * (np.arange(6) < 5) * (np.arange(6) < 5)[:, None],
                        "average", ends, ends),
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["NCW", "NWC", "NCHW", "NHWC", "NCDHW", "NDHWC"])
def test_layouts(layout, rng):
    rank = len(layout) - 2
    x = rng.standard_normal((2, 3, 4, 5, 6)[: rank + 2])
    first = run(lambda v: T.nn.max_pool(v, 2), x)
    moved = np.moveaxis(x, 1, -1) if layout.endswith("C") else x
    got = run(lambda v: T.nn.max_pool(v, 2, layout=layout), np.ascontiguousarray(moved))
    np.testing.assert_array_equal(got, np.moveaxis(first, 1, -1) if layout.endswith("C") else first)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes_of_every_dtype(dtype):
    if dtype == "bool":
        x = np.array([[False, False, True, False, True]])
    elif dtype.startswith("float"):
        x = np.array([[-np.inf, -np.inf, -0.0, -np.inf, np.inf, 1.0, np.nan, 2.0, np.nan]], dtype)
    else:
        info = np.iinfo(dtype)
        x = np.array([[info.min, info.min, info.max, 0, 1, info.min, 3]], dtype)
    for window, stride, padding in ((2, 1, 0), (3, 2, 1), (2, 2, 1)):
        ends = spans(x.shape[1], window, stride, padding, padding, False)
        want = np.stack([x[:, a:b].max(1) for a, b in ends], 1)
        got = run(lambda v: T.nn.pool(v, (window,), stride, padding), x)  # noqa: B023
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(got, want)


def test_sums_and_means_of_small_integers():
    x = np.full((1, 1, 2, 2), 100, "int8")
    assert run(lambda v: T.nn.pool(v, 2, mode="sum"), x).tolist() == [[[[400]]]]
    mean = run(lambda v: T.nn.average_pool(v, 2), x)
    assert (mean.dtype, mean.item()) == (np.float64, 100.0)


# --- gradients -----------------------------------------------------------------------------------


def gradient_of_max(x, g, ends):
    """The value of g put at the first largest element of each window, nan being largest."""
    out = np.zeros_like(x)
    for n, (a, b) in enumerate(ends):
        for i in range(len(x)):
            part = x[i, a:b]
            at = np.flatnonzero(np.isnan(part))[0] if np.isnan(part).any() else part.argmax()
            out[i, a + at] += g[i, n]
    return out


@pytest.mark.parametrize(("window", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1),
                                                          (20, 7, 3), (2, 3, 0)])  # fmt: skip
def test_ties_go_to_the_first(window, stride, padding, rng):
    x = rng.integers(0, 3, (6, 45)).astype("float32")
    x[0, ::5] = np.nan
    x[1] = -np.inf
    ends = spans(45, window, stride, padding, padding, False)
    g = rng.standard_normal((6, len(ends))).astype("float32")
    v, gv = variable(x), variable(g)
    y = T.nn.pool(v, (window,), stride, padding)
    got = sc.function([v, gv], sc.grad((where_finite(y) * gv).sum(), v))(x, g)
    want = gradient_of_max(x, np.where(np.isfinite(outcome(x, ends)), g, 0), ends)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    direct = sc.function([v, gv], sc.vjp(y, v, gv))(x, g)
    np.testing.assert_allclose(direct, gradient_of_max(x, g, ends), rtol=1e-5, atol=1e-6)


def outcome(x, ends):
    return np.stack([x[:, a:b].max(1) for a, b in ends], 1)


def where_finite(y):
    return T.where(T.isfinite(y), y, 0)


@pytest.mark.parametrize("mode", ["max", "average", "sum", "l2"])
@pytest.mark.parametrize(("window", "stride", "padding", "ignore"), GEOMETRIES[::2])
def test_gradients_of_first_and_second_order(window, stride, padding, ignore, mode, rng):
    x = rng.permutation(2 * 7 * 9).reshape(1, 2, 7, 9) / 20 + 0.1
    function = lambda v: T.nn.pool(v, window, stride, padding, mode, ignore)  # noqa: E731
    sc.check_gradient(function, [x], tolerance=1e-6)
    slope = lambda v: sc.grad((function(v) ** 3).sum(), v)  # noqa: E731
    sc.check_gradient(slope, [x], tolerance=2e-5)


def test_the_gradient_of_l2_at_zero_is_zero():
    v = variable(np.zeros((1, 4)))
    slope = sc.grad(T.nn.pool(v, (2,), mode="l2").sum(), v)
    assert sc.function([v], slope)(np.zeros((1, 4))).tolist() == [[0, 0, 0, 0]]


def test_a_whole_network_is_differentiated_in_two_passes(rng):
    """The pooled relu, and the gradient: each is one kernel."""
    x = rng.standard_normal((2, 3, 9, 34)).astype("float32")
    v = variable(x)
    y = T.nn.max_pool(T.nn.relu(v + 1), 2)
    g = variable(np.zeros((2, 3, 4, 17), "float32"))
    slope = sc.vjp(y, v, g)
    job = compile_expression(Compilation("f", [y, slope], []))
    assert [group.kind for group in job.plan.groups] == ["map", "map"]


# --- adaptive and global -------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("results", [1, 3, 4, (2, 11), (None, 2)])
def test_adaptive(results, known, rng):
    x = rng.permutation(2 * 8 * 9).reshape(2, 1, 8, 9) / 8.0
    counts = results if isinstance(results, tuple) else (results, results)
    counts = [n if o is None else o for o, n in zip(counts, x.shape[2:], strict=True)]
    ends = [
        [(i * n // o, -(-(i + 1) * n // o)) for i in range(o)]
        for o, n in zip(counts, x.shape[2:], strict=True)
    ]
    for name, mode in (("adaptive_average_pool", "average"), ("adaptive_max_pool", "max")):
        function = getattr(T.nn, name)
        got = run(lambda v: function(v, results), x, known)  # noqa: B023
        np.testing.assert_allclose(got, pooled(x, mode, *ends), rtol=1e-12)
        sc.check_gradient(lambda v: function(v, results), [x], tolerance=1e-6)  # noqa: B023


def test_global(rng):
    x = rng.integers(0, 4, (2, 3, 5, 6)).astype("float64")
    np.testing.assert_allclose(run(T.nn.global_average_pool, x), x.mean((2, 3)))
    np.testing.assert_array_equal(run(T.nn.global_max_pool, x), x.max((2, 3)))
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    got = run(lambda v: T.nn.global_max_pool(v, "NHWC", keepdims=True), last)
    np.testing.assert_array_equal(got, last.max((1, 2), keepdims=True))
    v = variable(x)
    slope = sc.function([v], sc.grad(T.nn.global_max_pool(v).sum(), v))(x).reshape(6, 30)
    assert (slope.argmax(1) == x.reshape(6, 30).argmax(1)).all()
    assert (slope.sum(1) == 1).all()


# --- patches and resizing ------------------------------------------------------------------------


def test_images2neighbours(rng):
    x = np.arange(2 * 2 * 6 * 4.0).reshape(2, 2, 6, 4)
    got = run(lambda v: T.nn.images2neighbours(v, (3, 2)), x)
    want = [
        x[b, c, i : i + 3, j : j + 2].ravel()
        for b, c, i, j in itertools.product(range(2), range(2), (0, 3), (0, 2))
    ]
    np.testing.assert_array_equal(got, want)
    dropped = run(lambda v: T.nn.images2neighbours(v, (4, 3), (1, 2), "ignore_borders"), x)
    assert dropped.shape == (2 * 2 * 3 * 1, 12)
    centred = run(lambda v: T.nn.images2neighbours(v, (3, 3), (1, 1), "wrap_centered"), x)
    np.testing.assert_array_equal(centred[0], np.roll(x[0, 0], (1, 1), (0, 1))[:3, :3].ravel())
    assert centred.shape == (2 * 2 * 6 * 4, 9)
    for mode in ("half", "full", "ignore_borders"):
        function = lambda v: T.nn.images2neighbours(v, (3, 3), (2, 1), mode)  # noqa: B023, E731
        sc.check_gradient(function, [rng.standard_normal((1, 2, 5, 4))], tolerance=1e-6)
    with pytest.raises(ShapeError):
        T.nn.images2neighbours(constant(x), (4, 2))


def bilinear(x, factor):
    """Along the last axis, one result at a time."""
    n = x.shape[-1]
    parts = []
    for q in range(n * factor):
        at = min(max((q + 0.5) / factor - 0.5, 0), n - 1)
        low = min(int(at), n - 1)
        high = min(low + 1, n - 1)
        parts.append(x[..., low] * (1 - (at - low)) + x[..., high] * (at - low))
    return np.stack(parts, -1)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("factor", [1, 2, 3, (4, 1), (2, 5)])
def test_upsample(factor, known, rng):
    x = rng.standard_normal((2, 1, 3, 20))
    f, h = factor if isinstance(factor, tuple) else (factor, factor)
    near = run(lambda v: T.nn.upsample(v, factor), x, known)
    np.testing.assert_array_equal(near, x.repeat(f, 2).repeat(h, 3))
    between = run(lambda v: T.nn.upsample(v, factor, "bilinear"), x, known)
    want = bilinear(np.swapaxes(bilinear(np.swapaxes(x, 2, 3), f), 2, 3), h)
    np.testing.assert_allclose(between, want, rtol=1e-12, atol=1e-12)
    for method in ("nearest", "bilinear"):
        function = lambda v: T.nn.upsample(v, factor, method)  # noqa: B023, E731
        sc.check_gradient(function, [x[:1]], tolerance=1e-6)
        slope = lambda v: sc.grad((function(v) ** 3).sum(), v)  # noqa: B023, E731
        sc.check_gradient(slope, [x[:1, :, :2, :3]], tolerance=2e-5)


# --- errors and code -----------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "error", "words"), [
    (lambda x: T.nn.pool(x, 0), ArgumentError, "at least 1"),
    (lambda x: T.nn.pool(x, 2, padding=2), ArgumentError, "padding"),
    (lambda x: T.nn.pool(x, 2, mode="median"), ArgumentError, "one of max, average"),
    (lambda x: T.nn.pool(x, (1, 2, 3, 4)), ShapeError, "one to three axes"),
    (lambda x: T.nn.pool(x, 2.5), ArgumentError, "whole numbers"),
    (lambda x: T.nn.pool(x, 2, layout="NCW"), ShapeError, "3 axes, not 4"),
    (lambda x: T.nn.pool(x, 2, layout="CHWN"), ArgumentError, "layout"),
    (lambda x: T.nn.upsample(x, 2, "cubic"), ArgumentError, "nearest or bilinear"),
    (lambda x: T.nn.upsample(T.cast(x, "int32"), 2, "bilinear"), DtypeError, "floating"),
    (lambda x: T.nn.adaptive_max_pool(x, 0), ArgumentError, "at least 1"),
])  # fmt: skip
def test_errors(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong(variable(np.zeros((2, 3, 4, 5))))


def test_there_must_be_something_to_pool():
    v = variable(np.zeros((2, 3)))
    f = sc.function([v], T.nn.pool(v, (3,), 1, (2,)))
    with pytest.raises(ShapeError):
        f(np.zeros((2, 0)))


def test_loops_have_nothing_to_decide():
    """Small windows are written out; along a row there is one loop in lanes without a condition."""
    x = T.tensor4("x", dtype="float32")
    g = T.tensor4("g", dtype="float32")
    y = T.nn.max_pool(x, 2)
    for outputs in ([y], [sc.vjp(y, x, g)]):
        source = compile_expression(Compilation("f", outputs, [])).source
        inner = source[source.rindex("#pragma omp simd") :]
        inner = inner[: inner.index("}")]
        assert "for (int64_t" in inner and inner.count("for (") == 1
        assert "/ 2" not in inner.split("{", 1)[1]
        assert "sc_floordiv_i64(i" not in inner


@pytest.mark.parametrize(("arrays", "steps"), [(3, 2), (2, 1)])
def test_windows_that_overlap_read_what_is_stored(arrays, steps):
    """Not three arrays for each of the windows that an element lies in; one or two they do."""
    x, g, a, b = (T.tensor4(n, dtype="float32") for n in ("x", "g", "a", "b"))
    y = T.nn.max_pool(x, 3, stride=2)
    slope = sc.vjp(y, [x], T.where(a > 0, a * (b if arrays == 3 else g) + g, 0))[0]
    job = compile_expression(Compilation("f", [slope], []))
    pooled = [k for k in job.program.kernels if "largestat" not in k.name]
    assert len(pooled) == steps, [k.name for k in pooled]
    random = np.random.default_rng(3)
    values = [random.normal(size=(2, 3, 9, 11)).astype("float32")]
    shape = sc.function([x], y)(*values).shape
    values += [random.normal(size=shape).astype("float32") for _ in range(3)]
    inputs, values = [x, g, a, b][: arrays + 1], values[: arrays + 1]
    compiled, plain = (sc.function(inputs, slope, mode=m) for m in ("c", "numpy"))
    np.testing.assert_allclose(compiled(*values), plain(*values), rtol=1e-6)
