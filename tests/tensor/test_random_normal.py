"""Normal numbers, which come in pairs: what their bits stand for, one number at each position in
whichever way it is read, and pairs whose two numbers are independent.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.scalar import primitive
from symcomp.tensor import random as core
from tests.backends import no_gpu

DTYPES = ("float32", "float64")
#: As many positions as fill blocks and leave some over, and the threads' pieces, too.
ODD = 70_003
#: The smallest p-value that is not taken for a failure: the seeds are fixed, so it is met or not.
UNLIKELY = 1e-4
#: Whether NumPy has more digits than float64.
WIDE = np.finfo(np.longdouble).nmant > 60


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and no_gpu():
        pytest.skip(no_gpu())
    return request.param


@pytest.fixture
def draw():
    return core.Draw(sc.random.RandomStream(2027).state, 3)


def value(expression, **options):
    """What an expression is, without its stream moving on."""
    return np.asarray(sc.function([], expression, no_default_updates=True, **options)())


def normal(draw, dtype, shape=(ODD,), **options):
    return value(core.standard_normal(draw, shape, dtype), **options)


def likely(test):
    assert test.pvalue > UNLIKELY, test


def distance(got, exact):
    """In units of the last place, from what is exact, rounded."""
    rounded = exact.astype(got.dtype)
    return (np.abs(got - rounded) / np.spacing(np.abs(rounded))).max(initial=0)


# --- what the bits stand for ----------------------------------------------------------------------


def of_bits(dtype: str):
    """The C of a number of a pair, as a function of the pair's bits, low and high."""
    bits, kind = ("uint32", "f32") if dtype == "float32" else ("uint64", "f64")

    @primitive(
        internal=True,
        name=f"normal_of_{bits}",
        c=f"symcomp_random_normal_{kind}({{low}}, {{high}}, {{odd}})",
        types=lambda *dtypes: ((bits,) * 3, dtype),
    )
    def function(low, high, odd):
        """√(−2 ln u) · cos 2πv, or sin 2πv where `odd` is 1."""

    return function, bits


def exactly(low, high, odd, dtype):
    """The same to more digits: a quarter of a turn, and sine and cosine of what is left of it."""
    wide = np.float64 if dtype == "float32" else np.longdouble
    if dtype == "float32":
        radius = ((low >> 1) | 1).astype("float32").astype(wide) / wide(2**31)
        angle, turn = high.astype("int64"), 2**32
    else:
        radius = ((low >> np.uint64(11)) | np.uint64(1)).astype(wide) / wide(2**53)
        angle, turn = (high >> np.uint64(10)).astype("int64"), 2**54
    quarter = (angle + turn // 8) // (turn // 4)
    rest = (angle - quarter * (turn // 4)).astype(dtype).astype(wide) / wide(turn)
    sine, cosine = (f(rest * (8 * np.arctan(wide(1)))) for f in (np.sin, np.cos))
    even = np.choose(quarter % 4, [cosine, -sine, -cosine, sine])
    other = np.choose(quarter % 4, [sine, cosine, -sine, -cosine])
    return np.sqrt(-2 * np.log(radius)) * np.where(odd, other, even)


@pytest.mark.parametrize("dtype", DTYPES)
def test_accurate_for_all_bits(dtype, device):
    """Near zero and in the tails, too: near the axes, and for radii from none to the largest."""
    function, bits = of_bits(dtype)
    width, rng = np.iinfo(bits).bits, np.random.default_rng(3)
    least = 0 if width == 32 else 10
    low = [0, 2, 2**least, 2 ** (width // 2), 2 ** (width - 1), 2**width - 2**12, 2**width - 1]
    near = [0, 1, 2, 5, 1000, 2 ** (width // 3)]
    high = [
        (eighth * 2 ** (width - 3) + sign * (v << least)) % 2**width
        for eighth in range(8) for sign in (-1, 1) for v in near
    ]  # fmt: skip
    at = np.meshgrid(np.array(low, bits), np.array(high, bits), np.array([0, 1], bits))
    chosen = [v.ravel() for v in at]
    drawn = [rng.integers(0, 2**width, 50_000, bits) for _ in range(2)]
    drawn.append(np.arange(50_000, dtype=bits) % 2)
    given = [np.concatenate(both) for both in zip(chosen, drawn, strict=True)]
    variables = [T.tensor(bits, (None,), name=name) for name in ("low", "high", "odd")]
    got = np.asarray(sc.function(variables, function(*variables), device=device)(*given))
    assert distance(got, exactly(*given, dtype)) <= (2 if WIDE or dtype == "float32" else 4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_pair_has_bits_of_its_own(draw, dtype):
    """Those of its two positions: the radius is made of the first, the angle of the other."""
    bits = core.random_bits32 if dtype == "float32" else core.random_bits64
    at = np.arange(ODD + 1, dtype="uint64")
    both = bits.numpy(*value(draw.state), np.uint64(draw.number), at)
    low, high = (np.repeat(both[k::2], 2) for k in (0, 1))
    want = exactly(low, high, at % np.uint64(2) == 1, dtype)
    assert distance(normal(draw, dtype, (ODD + 1,), mode="numpy"), want) <= 1


# --- one number at each position ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_read_singly_or_by_whole_blocks(draw, dtype, device):
    """A position has the same bits however it is come by."""
    whole = normal(draw, dtype, device=device)
    function = core.random_normal32 if dtype == "float32" else core.random_normal64
    at = np.random.default_rng(1).permutation(ODD).astype("uint64")
    drawn = core.standard_normal(draw, (ODD,), dtype)
    rows = ODD // 7
    for got, want in (
        (value(function(*draw.place(), at), device=device), whole[at]),
        (value(drawn[3::5], device=device), whole[3::5]),
        (value(drawn[::-1], device=device), whole[::-1]),
        (value(T.take(drawn, at.astype("int64")), device=device), whole[at]),
        (
            value(core.standard_normal(draw, (rows, 7), dtype)[:, 1], device=device),
            whole[: 7 * rows].reshape(rows, 7)[:, 1],
        ),
    ):
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2,), (3,), (5, 0), (3, 5), (2, 3, 33), (1023,)])
def test_shapes_are_beginnings_of_one_sequence(draw, dtype, shape, device):
    whole, got = normal(draw, dtype), normal(draw, dtype, shape, device=device)
    assert (got.shape, got.dtype) == (shape, dtype)
    want = whole[: math.prod(shape)].reshape(shape)
    if device == "cpu":
        np.testing.assert_array_equal(got, want)
    else:
        assert distance(got, want) <= 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_are_what_the_whole_has_there(draw, dtype, device):
    whole = normal(draw, dtype, device=device)
    function = core.random_normal32 if dtype == "float32" else core.random_normal64
    parts = core.PARTS[function]
    for k, part in enumerate(parts):
        blocks = np.arange(len(whole[k :: len(parts)]), dtype="uint64")
        got = value(part(*draw.place(), blocks), device=device)
        np.testing.assert_array_equal(got, whole[k :: len(parts)])


@pytest.mark.parametrize("dtype", DTYPES)
def test_near_numpy_on_both_devices(draw, dtype, device):
    want = normal(draw, dtype, mode="numpy")
    allowed = 2 if WIDE or dtype == "float32" else 4
    assert distance(normal(draw, dtype, device=device), want) <= allowed


@pytest.mark.parametrize("dtype", DTYPES)
def test_beside_draws_of_other_widths(dtype, device):
    """Elements that share blocks of some draws, and several of others."""
    results = []
    for options in ({"device": device}, {"mode": "numpy"}):
        s = sc.random.RandomStream(4)
        shape = (1001,)
        total = s.normal(shape, dtype=dtype) + s.uniform(shape, dtype="float32")
        total += s.integers(0, 10, shape) + s.normal(shape, dtype="float64")
        results.append(np.asarray(sc.function([], total, **options)()))
    np.testing.assert_allclose(*results, 1e-6, 1e-6)


# --- what is normal about them --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_two_of_a_pair_are_independent(draw, dtype):
    n = 400_000
    x, y = normal(draw, dtype, (n, 2)).astype("float64").T
    for one in (x, y):
        likely(scipy.stats.kstest(one, "norm"))
        assert abs(one.mean()) < 4 / math.sqrt(n) and abs(one.var() - 1) < 4 * math.sqrt(2 / n)
        assert abs(scipy.stats.skew(one)) < 4 * math.sqrt(6 / n)
        assert abs(scipy.stats.kurtosis(one)) < 4 * math.sqrt(24 / n)
    for a in (x, x * x, abs(x), x**3):
        for b in (y, y * y, abs(y), y**3):
            assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / math.sqrt(n)
    likely(scipy.stats.kstest((x * x + y * y) / 2, "expon"))
    likely(scipy.stats.kstest(np.arctan2(y, x), scipy.stats.uniform(-math.pi, 2 * math.pi).cdf))
    counts, *_ = np.histogram2d(scipy.stats.norm.cdf(x), scipy.stats.norm.cdf(y), 16, [[0, 1]] * 2)
    likely(scipy.stats.chisquare(counts.ravel()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_pairs_are_independent(draw, dtype):
    x = normal(draw, dtype, (400_000,)).astype("float64")
    for a in (x, x * x):
        for lag in range(1, 9):
            assert abs(np.corrcoef(a[lag:], a[:-lag])[0, 1]) < 4.5 / math.sqrt(x.size)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("first", [0, 1])
def test_tails(draw, dtype, first):
    n = 4_000_000
    x = normal(draw, dtype, (2 * n,))[first::2]
    for limit in (2, 3, 4, 4.5):
        p = scipy.stats.norm.sf(limit)
        likely(scipy.stats.binomtest(int((x > limit).sum()), n, p))
        likely(scipy.stats.binomtest(int((x < -limit).sum()), n, p))
    assert 4.8 < np.abs(x).max() < math.sqrt(2 * math.log(2**31 if dtype == "float32" else 2**53))
    likely(scipy.stats.binomtest(int((np.abs(x) < 1e-3).sum()), n, math.erf(1e-3 / math.sqrt(2))))
