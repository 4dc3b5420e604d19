"""Convolutions against sums written out, SciPy and NumPy; their gradients, sizes and errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.signal

import symcomp as sc
import symcomp.tensor as T
from symcomp.batch import batched
from symcomp.errors import ArgumentError, DtypeError, ShapeError
from symcomp.graph import size
from symcomp.graph.walk import evaluate
from symcomp.tensor.convolution import Convolution, ConvolutionFilters, ConvolutionInput
from tests.backends import BACKENDS

RANDOM = np.random.default_rng(7)


def written_out(x, w, stride, pads, dilation, groups):
    """Σ x[b, c, stride·p + dilation·k − before] · w[o, c, k], one product after another."""
    rank = x.ndim - 2
    before = [p[0] for p in pads]
    sizes = [
        max((n + sum(p) - d * (k - 1) - 1) // s + 1, 0)
        for n, k, s, p, d in zip(x.shape[2:], w.shape[2:], stride, pads, dilation, strict=True)
    ]
    out = np.zeros((x.shape[0], w.shape[0], *sizes))
    for b, o, *p in np.ndindex(out.shape):
        first = o // (w.shape[0] // groups) * w.shape[1]
        for c, *k in np.ndindex(w.shape[1:]):
            at = [stride[a] * p[a] + dilation[a] * k[a] - before[a] for a in range(rank)]
            if all(0 <= i < n for i, n in zip(at, x.shape[2:], strict=True)):
                out[(b, o, *p)] += x[(b, first + c, *at)] * w[(o, c, *k)]
    return out


#: name: (shape of x, shape of the filters, stride, paddings, dilation, groups)
CASES = {
    "1d": ((2, 3, 7), (4, 3, 3), (1,), ((0, 0),), (1,), 1),
    "1d all options": ((2, 4, 9), (6, 2, 3), (2,), ((1, 3),), (2,), 2),
    "2d": ((2, 3, 6, 5), (2, 3, 3, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "2d stride": ((1, 2, 7, 8), (3, 2, 3, 3), (2, 3), ((1, 1), (2, 2)), (1, 1), 1),
    "2d dilation": ((1, 2, 7, 8), (2, 2, 3, 2), (1, 1), ((2, 2), (1, 1)), (2, 3), 1),
    "2d depthwise": ((2, 3, 4, 5), (6, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
    "2d one side": ((2, 2, 5, 4), (2, 2, 2, 3), (2, 1), ((0, 2), (3, 0)), (1, 1), 1),
    "2d single": ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "3d": ((2, 2, 3, 4, 3), (2, 2, 2, 2, 1), (1, 1, 1), ((0, 0),) * 3, (1, 1, 1), 1),
    "3d all options": (
        (1, 4, 4, 3, 5), (4, 2, 2, 2, 3), (2, 1, 2), ((1, 0), (0, 1), (1, 1)), (1, 2, 1), 2,
    ),
    "no images": ((0, 2, 5), (3, 2, 2), (1,), ((1, 1),), (1,), 1),
    "no filters": ((2, 2, 5), (0, 2, 2), (1,), ((1, 1),), (1,), 1),
    "no channels": ((2, 0, 5), (3, 0, 2), (1,), ((1, 1),), (1,), 1),
    "image without elements": ((2, 2, 0), (3, 2, 2), (1,), ((2, 2),), (1,), 1),
    "filter larger than the image": ((2, 2, 3, 3), (2, 2, 5, 2), (1, 1), ((0, 0),) * 2, (1, 1), 1),
    "filter larger, padded": ((2, 2, 3), (2, 2, 5), (1,), ((1, 2),), (1,), 1),
    "stride beyond the image": ((1, 1, 4), (1, 1, 2), (5,), ((0, 0),), (1,), 1),
}  # fmt: skip
SMOOTH = [n for n, c in CASES.items() if 0 not in (*c[0], *c[1]) and n != "2d single"]
RANK = {1: T.nn.conv1d, 2: T.nn.conv2d, 3: T.nn.conv3d}
TRANSPOSED = {1: T.nn.conv_transpose1d, 2: T.nn.conv_transpose2d, 3: T.nn.conv_transpose3d}


def arrays(case):
    random = np.random.default_rng(len(case))
    return [random.normal(size=shape) for shape in CASES[case][:2]]


def convolution(case, x, w):
    _, _, stride, pads, dilation, groups = CASES[case]
    return RANK[len(stride)](x, w, stride, pads, dilation, groups)


def variables(values, known):
    return [T.tensor(a.dtype, [n if known or n == 1 else None for n in a.shape]) for a in values]


def run(function, *values, known=False, backend="numpy"):
    inputs = variables(values, known)
    return BACKENDS[backend](inputs, [function(*inputs)], list(values))[0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("case", CASES)
def test_values(case, known, backend):
    x, w = arrays(case)
    got = run(lambda x, w: convolution(case, x, w), x, w, known=known, backend=backend)
    want = written_out(x, w, *CASES[case][2:])
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_what_is_known_is_decided_when_it_is_written(case):
    x, w = variables(arrays(case), known=True)
    out = convolution(case, x, w)
    assert all(isinstance(n, int) for n in out.shape)
    assert len(out.args) == 2


def test_sizes_that_are_seen():
    """With stride 1 the size is a polynomial in the length of the image."""
    x, w = T.tensor3("x", "float64"), T.tensor("float64", (8, 3, 5))
    n = x.shape[2]
    sizes = {"same": n, "half": n, 2: n, "full": n + 4, ((1, 0),): None, "valid": None}
    for padding, want in sizes.items():
        out = T.nn.conv1d(x, w, padding=padding)
        assert None not in out.op.low
        if want is not None:
            assert size.minus(out.shape[2], want) == 0
    assert size.minus(T.nn.conv1d(x, w, 2, "same").shape[2], (n + 1) // 2) == 0


def test_formulas():
    x, w = T.tensor("float64", (1, 4, 9), "x"), T.tensor("float64", (2, 2, 3), "w")
    assert str(T.nn.conv1d(x, w, 2, 1, groups=2)) == (
        "convolution(x, w, stride=2, low=1, groups=2, size=5)"
    )
    planes = T.tensor("float64", (1, 4, 9, None), "x"), T.tensor("float64", (2, 4, 3, 1), "w")
    assert str(T.nn.conv2d(*planes, padding="same")) == (
        "convolution(x, w, low=1×0, size=9×x.shape[3])"
    )


def test_what_is_not_finite():
    """What lies outside is zero, and meets the filters: 0 · inf is nan, in every backend. In a
    transposed convolution it may meet them or not.
    """
    x, w = np.ones((1, 1, 3)), np.array([[[1, np.inf]]])
    for backend in BACKENDS:
        got = run(lambda x, w: T.nn.conv1d(x, w, padding=1), x, w, backend=backend)[0, 0]
        np.testing.assert_array_equal(got, [np.inf, np.inf, np.inf, np.nan])
        got = run(T.nn.conv_transpose1d, x, w, backend=backend)[0, 0]
        np.testing.assert_array_equal(got[1:], [np.inf] * 3)


# --- SciPy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
def test_planes_are_those_of_scipy(mode):
    x, w = RANDOM.normal(size=(9, 8)), RANDOM.normal(size=(3, 5))
    plane = lambda x, w, **o: T.nn.conv2d(x[None, None], w[None, None], padding=mode, **o)[0, 0]  # noqa: E731
    got = run(plane, x, w)
    np.testing.assert_allclose(got, scipy.signal.correlate2d(x, w, mode), rtol=1e-12, atol=1e-12)
    flipped = run(lambda x, w: plane(x, w, filter_flip=True), x, w)
    np.testing.assert_allclose(flipped, scipy.signal.convolve2d(x, w, mode), rtol=1e-12, atol=1e-12)


def test_many_channels_are_those_of_scipy():
    x, w = RANDOM.normal(size=(2, 3, 12, 11)), RANDOM.normal(size=(4, 3, 5, 4))
    got = run(lambda x, w: T.nn.conv2d(x, w, padding="full", filter_flip=True), x, w)
    want = scipy.signal.fftconvolve(x[:, None], w[None], axes=(3, 4)).sum(axis=2)
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


# --- paddings, layouts, dtypes -------------------------------------------------------------------


def explicit(padding, n, k, s, d):
    reach = d * (k - 1)
    if padding == "same":
        total = max((-(-n // s) - 1) * s + reach + 1 - n, 0)
        return total // 2, total - total // 2
    each = {"valid": 0, "full": reach, "half": (reach + 1) // 2}[padding]
    return each, each


@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("padding", ["valid", "same", "full", "half"])
def test_names_of_paddings(padding, known):
    for n, k, s, d in itertools.product((1, 4, 5), (1, 2, 3), (1, 2, 3), (1, 2)):
        x, w = RANDOM.normal(size=(1, 2, n)), RANDOM.normal(size=(2, 2, k))
        got = run(lambda x, w, s=s, d=d: T.nn.conv1d(x, w, s, padding, d), x, w, known=known)
        want = written_out(x, w, (s,), (explicit(padding, n, k, s, d),), (d,), 1)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12, err_msg=f"{n, k, s, d}")
        if padding == "same":
            assert got.shape[2] == -(-n // s)


def test_ways_to_say_a_padding():
    x, w = RANDOM.normal(size=(2, 2, 6, 5)), RANDOM.normal(size=(3, 2, 3, 3))
    want = written_out(x, w, (1, 1), ((2, 2), (2, 2)), (1, 1), 1)
    n = T.lscalar()
    for padding in (2, (2, 2), ((2, 2), (2, 2)), [2, (2, 2)], np.int64(2), "full"):
        np.testing.assert_allclose(
            run(lambda x, w, p=padding: T.nn.conv2d(x, w, padding=p), x, w), want
        )
    out = T.nn.conv2d(x, w, padding=n)
    np.testing.assert_allclose(evaluate([out], {n: np.int64(2)})[0], want)
    np.testing.assert_allclose(sc.function([n], out)(2), want)


LAST = {1: ("NWC", (0, 2, 1), (2, 1, 0)), 2: ("NHWC", (0, 2, 3, 1), (2, 3, 1, 0)),
        3: ("NDHWC", (0, 2, 3, 4, 1), (2, 3, 4, 1, 0))}  # fmt: skip


@pytest.mark.parametrize("case", ["1d all options", "2d stride", "2d depthwise", "3d all options"])
def test_channels_last(case):
    x, w = arrays(case)
    _, _, stride, pads, dilation, groups = CASES[case]
    layout, of_x, of_w = LAST[len(stride)]
    options = {"dilation": dilation, "groups": groups, "layout": layout}
    function = lambda x, w: RANK[len(stride)](x, w, stride, pads, **options)  # noqa: E731
    got = run(function, x.transpose(of_x), w.transpose(of_w))
    want = written_out(x, w, *CASES[case][2:]).transpose(of_x)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    y = np.ones_like(want)
    back = lambda y, w: TRANSPOSED[len(stride)](y, w, stride, pads, **options)  # noqa: E731
    plain = lambda y, w: TRANSPOSED[len(stride)](y, w, stride, pads, 0, dilation, groups)  # noqa: E731
    first = run(plain, np.ones_like(written_out(x, w, *CASES[case][2:])), w)
    np.testing.assert_allclose(run(back, y, w.transpose(of_w)), first.transpose(of_x))


@pytest.mark.parametrize("backend", BACKENDS)
def test_whole_numbers_wrap_as_those_of_numpy(backend):
    x, w = (RANDOM.integers(-128, 128, shape).astype("int8") for shape in ((1, 3, 9), (2, 3, 4)))
    got = run(lambda x, w: T.nn.conv1d(x, w), x, w, backend=backend)
    want = written_out(x.astype(float), w.astype(float), (1,), ((0, 0),), (1,), 1)
    np.testing.assert_array_equal(got, want.astype("int64").astype("int8"))
    assert got.dtype == "int8"


PROMOTED = [("int8", "float32", "float32"), ("int32", "float32", "float64"),
            ("uint8", "int8", "int16"), ("float32", "float64", "float64")]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "together"), PROMOTED)
def test_dtypes_are_promoted(left, right, together):
    x, w = np.ones((1, 1, 4), left), np.ones((1, 1, 2), right)
    got = run(lambda x, w: T.nn.conv1d(x, w), x, w)
    assert got.dtype == together
    np.testing.assert_array_equal(got, np.full((1, 1, 3), 2))


# --- transposed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("case", SMOOTH)
def test_transposed_is_the_transpose(case, known):
    """⟨conv(x), y⟩ = ⟨x, conv_transpose(y)⟩ for every x and y."""
    x, w = arrays(case)
    _, _, stride, pads, dilation, groups = CASES[case]
    y = RANDOM.normal(size=written_out(x, w, *CASES[case][2:]).shape)
    if not y.size:
        return
    extra = [
        n - ((m - 1) * s - sum(p) + d * (k - 1) + 1)
        for n, m, s, p, d, k in zip(
            x.shape[2:], y.shape[2:], stride, pads, dilation, w.shape[2:], strict=True
        )
    ]
    transposed = TRANSPOSED[len(stride)]
    back = run(
        lambda y, w: transposed(y, w, stride, pads, extra, dilation, groups), y, w, known=known
    )
    assert back.shape == x.shape
    np.testing.assert_allclose((written_out(x, w, *CASES[case][2:]) * y).sum(), (x * back).sum())


def test_sizes_of_transposed():
    for n, k, s, d, extra in itertools.product((1, 4), (1, 3), (1, 2, 3), (1, 2), (0, 1)):
        x, w = T.tensor("float64", (2, 3, n)), T.tensor("float64", (3, 2, k))
        reach = d * (k - 1)
        for padding, less in {"valid": 0, "full": 2 * reach, 1: 2, ((0, 1),): 1}.items():
            out = T.nn.conv_transpose1d(x, w, s, padding, extra, d)
            assert out.shape == (2, 2, max((n - 1) * s + reach + 1 - less + extra, 0))
        assert T.nn.conv_transpose1d(x, w, s, "same", 0, d).shape == (2, 2, n * s)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_of_same_is_the_gradient_of_same(stride):
    x, w = RANDOM.normal(size=(1, 2, 4 * stride)), RANDOM.normal(size=(3, 2, 3))
    y = RANDOM.normal(size=(1, 3, 4))
    image = T.tensor("float64", x.shape)
    cost = (T.nn.conv1d(image, w, stride, "same") * y).sum()
    want = evaluate([sc.grad(cost, image)], {image: x})[0]
    got = run(lambda y, w: T.nn.conv_transpose1d(y, w, stride, "same"), y, w)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


# --- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SMOOTH)
def test_gradients(case):
    function = lambda x, w: convolution(case, x, w)  # noqa: E731
    sc.check_gradient(function, arrays(case), tolerance=1e-6)


@pytest.mark.parametrize("case", ["1d all options", "2d one side", "2d depthwise"])
def test_gradients_of_gradients(case):
    def gradients(x, w):
        out = convolution(case, x, w)
        return sum((g * g).sum() for g in sc.grad((out * out).sum(), [x, w]))

    sc.check_gradient(gradients, [0.3 * a for a in arrays(case)], tolerance=2e-5)


def test_gradients_of_transposed():
    y, w = RANDOM.normal(size=(2, 2, 3, 2)), RANDOM.normal(size=(2, 3, 2, 3))
    function = lambda y, w: T.nn.conv_transpose2d(y, w, (2, 1), ((1, 0), (0, 1)), (1, 0))  # noqa: E731
    sc.check_gradient(function, [y, w], tolerance=1e-6)


def test_gradients_are_the_other_two_operations():
    x, w = T.tensor("float64", (2, 3, 6, 6)), T.tensor("float64", (4, 3, 3, 3))
    out = T.nn.conv2d(x, w)
    of_x, of_w = sc.grad((out * out).sum(), [x, w])
    assert isinstance(out.op, Convolution)
    assert isinstance(of_x.op, ConvolutionInput)
    assert isinstance(of_w.op, ConvolutionFilters)
    assert (of_x.shape, of_w.shape) == (x.shape, w.shape)


@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("case", ["1d all options", "2d stride", "2d depthwise", "no images"])
def test_gradients_compiled(case, known):
    values = arrays(case)
    inputs = variables(values, known)
    out = convolution(case, *inputs)
    outputs = sc.grad((out * out).sum(), inputs)
    want = evaluate(outputs, dict(zip(inputs, values, strict=True)))
    for got, w in zip(sc.function(inputs, outputs)(*values), want, strict=True):
        np.testing.assert_allclose(got, w, rtol=1e-11, atol=1e-11)


# --- one function for all sizes ------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 70, 34, 3), (2, 6, 40, 1), (3, 128, 2, 1)])
def test_gradients_of_filters_are_finished_where_they_are_added_up(shape):
    """Some filters and columns at a time, also where a map divides the columns into axes."""
    batch, channels, filters, width = shape
    x, w = (
        RANDOM.normal(size=(batch, channels, 9, 8)),
        RANDOM.normal(size=(filters, channels // 2, width, width)),
    )
    upstream = RANDOM.normal(size=(batch, filters, 10 - width, 9 - width))
    scale = RANDOM.normal(size=channels // 2)
    inputs = [T.tensor4(n, dtype="float64") for n in ("x", "w", "upstream")]
    each = T.vector("scale", dtype="float64")
    made = sc.vjp(T.nn.conv2d(*inputs[:2], groups=2), inputs[:2], inputs[2])[1]
    plain, scaled = made - 0.5 * inputs[1], made * each[:, None, None]
    f = sc.function([*inputs, each], [plain, scaled])
    (correct,) = evaluate([made], dict(zip(inputs, (x, w, upstream), strict=True)))
    got = f(x, w, upstream, scale)
    np.testing.assert_allclose(got[0], correct - 0.5 * w, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(got[1], correct * scale[:, None, None], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("padding", ["valid", "same", "full", "half", 1])
def test_one_function_serves_all_sizes(padding):
    x, w = T.tensor4("x", "float64"), T.tensor4("w", "float64")
    out = T.nn.conv2d(x, w, 2, padding)
    function = sc.function([x, w], [out, *sc.grad((out * out).sum(), [x, w])])
    for batch, n, m, k in ((2, 6, 5, 3), (1, 3, 8, 2), (0, 4, 4, 3), (2, 2, 3, 4), (1, 1, 1, 1)):
        a, b = RANDOM.normal(size=(batch, 2, n, m)), RANDOM.normal(size=(3, 2, k, k))
        got, of_x, of_w = function(a, b)
        pads = [
            (padding, padding) if padding == 1 else explicit(padding, length, k, 2, 1)
            for length in (n, m)
        ]
        np.testing.assert_allclose(got, written_out(a, b, (2, 2), pads, (1, 1), 1), atol=1e-12)
        assert (of_x.shape, of_w.shape) == (a.shape, b.shape)


def test_unknown_channels_are_checked_at_the_call():
    x, w = T.tensor3("x", "float64"), T.tensor3("w", "float64")
    function = sc.function([x, w], T.nn.conv1d(x, w, groups=2))
    assert function(np.ones((1, 4, 5)), np.ones((2, 2, 3))).shape == (1, 2, 3)
    with pytest.raises(ShapeError):
        function(np.ones((1, 3, 5)), np.ones((2, 2, 3)))
    with pytest.raises(ShapeError):
        function(np.ones((1, 4, 5)), np.ones((3, 2, 3)))


# --- batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False], ids=["known number", "unknown number"])
@pytest.mark.parametrize("which", [(0,), (1,), (0, 1)], ids=["first", "second", "both"])
@pytest.mark.parametrize("kind", [Convolution, ConvolutionInput, ConvolutionFilters])
def test_batches(kind, which, known):
    shapes = {
        Convolution: ((2, 4, 6, 5), (6, 2, 3, 2), (3, 5)),
        ConvolutionInput: ((2, 6, 3, 5), (6, 2, 3, 2), (6, 5)),
        ConvolutionFilters: ((2, 4, 6, 5), (2, 6, 3, 5), (3, 2)),
    }[kind]
    op = kind((2, 1), (1, 2), 2, (1, 1), shapes[2])
    plain = [T.tensor("float64", s) for s in shapes[:2]]
    values = [RANDOM.normal(size=(3, *s) if i in which else s) for i, s in enumerate(shapes[:2])]
    rows = {i: T.tensor("float64", (3 if known else None, *shapes[i])) for i in which}
    (out,) = batched([op(*plain)], {plain[i]: rows[i] for i in which})
    given = {rows[i] if i in which else plain[i]: v for i, v in enumerate(values)}
    got = evaluate([out], given)[0]
    for row in range(3):
        want = op.numpy(*(v[row] if i in which else v for i, v in enumerate(values)))
        np.testing.assert_allclose(got[row], want, rtol=1e-12, atol=1e-12)


# --- convolve and correlate ----------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_vectors_are_those_of_numpy(name, mode, known):
    for n, m in itertools.product((1, 2, 3, 4, 7), (1, 2, 3, 4, 6)):
        a, v = RANDOM.normal(size=n), RANDOM.normal(size=m)
        got = run(lambda a, v: getattr(T, name)(a, v, mode), a, v, known=known)
        want = getattr(np, name)(a, v, mode)
        assert got.shape == want.shape, (n, m)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12, err_msg=f"{n, m}")


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_arrays_are_those_of_scipy(name, mode):
    for a, v in (((6, 5), (3, 2)), ((5, 4, 6), (2, 3, 3))):
        a, v = RANDOM.normal(size=a), RANDOM.normal(size=v)
        got = run(lambda a, v: getattr(T, name)(a, v, mode), a, v)
        want = getattr(scipy.signal, name)(a, v, mode, method="direct")
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_convolve_compiles_and_has_gradients(name):
    a, v = RANDOM.normal(size=7), RANDOM.normal(size=4)
    for mode in ("full", "same", "valid"):
        function = lambda a, v, mode=mode: getattr(T, name)(a, v, mode)  # noqa: E731
        want = getattr(np, name)(a, v, mode)
        np.testing.assert_allclose(run(function, a, v, backend="c"), want, rtol=1e-12, atol=1e-12)
        sc.check_gradient(function, [a, v], tolerance=1e-6)


# --- what is wrong is said -----------------------------------------------------------------------


def image(*shape, dtype="float64"):
    return T.tensor(dtype, shape)


#: (what is written, the kind of the error, what it says)
WRONG = [
    (lambda: T.nn.conv2d(image(3, 4), image(2, 3, 3, 3)), ShapeError,
     "conv2d needs images with 4 axes, not a float64 matrix (3, 4)"),
    (lambda: T.nn.conv1d(image(1, 3, 4), image(3, 3)), ShapeError,
     "conv1d needs filters with 3 axes, not a float64 matrix (3, 3)"),
    (lambda: T.nn.conv2d(image(1, 3, 9, 9), image(2, 4, 3, 3)), ShapeError,
     "images of 3 channels do not fit filters for 4"),
    (lambda: T.nn.conv2d(image(1, 3, 9, 9), image(4, 3, 3, 3), groups=2), ShapeError,
     "images of 3 channels do not fit filters for 6 (3 in each of 2 groups)"),
    (lambda: T.nn.conv2d(image(1, 4, 9, 9), image(3, 2, 3, 3), groups=2), ShapeError,
     "3 filters cannot be shared out to 2 groups"),
    (lambda: T.nn.conv_transpose1d(image(1, 3, 9), image(2, 3, 3)), ShapeError,
     "arrays of 3 channels do not fit filters that take 2"),
    (lambda: T.nn.conv1d(image(1, 1, 5), image(1, 1, 0)), ShapeError,
     "conv1d needs filters of at least one element"),
    (lambda: T.nn.conv1d(image(1, 1, 5, dtype="bool"), image(1, 1, 2, dtype="bool")), DtypeError,
     "a convolution needs numbers, not bool"),
    (lambda: T.nn.conv2d(image(1, 1, 5, 5), image(1, 1, 2, 2), stride=0), ArgumentError,
     "conv2d: stride must be a whole number of at least 1, not 0"),
    (lambda: T.nn.conv2d(image(1, 1, 5, 5), image(1, 1, 2, 2), dilation=1.5), ArgumentError,
     "conv2d: dilation must be a whole number of at least 1, not 1.5"),
    (lambda: T.nn.conv2d(image(1, 1, 5, 5), image(1, 1, 2, 2), stride=(1, 1, 1)), ArgumentError,
     "conv2d: stride needs one number for each of 2 axes, not (1, 1, 1)"),
    (lambda: T.nn.conv2d(image(1, 1, 5, 5), image(1, 1, 2, 2), padding="samw"), ArgumentError,
     'conv2d: padding is "valid", "same", "full", "half", a number, or one or two for each axis, '
     "not 'samw'"),
    (lambda: T.nn.conv1d(image(1, 1, 5), image(1, 1, 2), padding=(1, 2)), ArgumentError,
     "conv1d: padding needs a number or a pair (before, after) for each of 1 axes, not (1, 2)"),
    (lambda: T.nn.conv1d(image(1, 1, 5), image(1, 1, 2), padding=-1), ArgumentError,
     "conv1d: padding cannot be negative: -1"),
    (lambda: T.nn.conv1d(image(1, 1, 5), image(1, 1, 2), padding=0.5), ShapeError,
     "conv1d: padding must be an integer, not 0.5"),
    (lambda: T.nn.conv2d(image(1, 1, 5, 5), image(1, 1, 2, 2), layout="NCW"), ArgumentError,
     'conv2d has the layouts "NCHW" and "NHWC", not \'NCW\''),
    (lambda: T.nn.conv_transpose1d(image(1, 1, 5), image(1, 1, 2), 2, "same", 1), ArgumentError,
     'conv_transpose1d: padding "same" says the size of the result: no output_padding'),
    (lambda: T.convolve(image(3), image(2, 2)), ShapeError,
     "convolve needs two arrays of the same number of axes, one to three, not a float64 vector"),
    (lambda: T.correlate(image(3), image(0)), ShapeError,
     "correlate of an array without elements"),
    (lambda: T.convolve(image(3), image(2), "middle"), ArgumentError,
     'convolve has the modes "full", "same" and "valid", not \'middle\''),
]  # fmt: skip


@pytest.mark.parametrize(("write", "kind", "message"), WRONG, ids=range(len(WRONG)))
def test_errors(write, kind, message):
    with pytest.raises(kind) as caught:
        write()
    assert message in str(caught.value)
    assert "test_convolution.py" in str(caught.value)
