"""What the tests of the vector math compare: the functions, their exact meaning, points and bounds.

Points are random bit patterns, dense special regions, the awkward values and the thresholds
between the branches of the methods, with their neighbours.
"""

import math

import mpmath
import numpy as np

TYPES = {"f32": ("float", np.float32), "f64": ("double", np.float64)}
HUGE, TINY = np.finfo(np.float64).max, np.finfo(np.float64).tiny
HUGE32, TINY32 = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)

AWKWARD = [
    0.0,
    5e-324,
    1e-310,
    TINY,
    1e-45,
    1e-40,
    TINY32,
    1e-8,
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
    1e22,
    2.0**24 - 1,
]
AWKWARD += [2.0**53, 1e300, HUGE32, HUGE, math.inf, math.nan]
AWKWARD += [-value for value in AWKWARD]


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def softplus(x):
    return max(x, mpmath.mpf(0)) + mpmath.log1p(mpmath.exp(-abs(x)))


def logaddexp(x, y):
    return max(x, y) + softplus(-abs(x - y))


# name: (exact function, ranges of points, thresholds, ulp float64, ulp float32)
LN2 = math.log(2)
ALL, POSITIVE = "all bits", "positive bits"
UNARY = {
    "exp": (
        mpmath.exp,
        [ALL, (-746, 711), (-1, 1)],
        [709.78, -745.13, -708.4, 88.72, -103.97, LN2 / 2],
        2,
        2,
    ),
    "exp2": (
        lambda x: mpmath.mpf(2) ** x,
        [ALL, (-1080, 1030), (-1, 1)],
        [1024, -1022, -1075, 128, -150, 0.5],
        2,
        2,
    ),
    "expm1": (
        mpmath.expm1,
        [ALL, (-45, 711), (-1, 1)],
        [0.5, -0.5, LN2 / 2, 1.5 * LN2, -LN2, 88.72, 709.78],
        2,
        2,
    ),
    "log": (mpmath.log, [POSITIVE, (0.5, 2), (0.99, 1.01)], [1, 0.5**0.5, 2**0.5], 2, 2),
    "log2": (
        lambda x: mpmath.log(x, 2),
        [POSITIVE, (0.5, 2)],
        [1, 0.5**0.5, 2**0.5, 8, 2.0**-1074],
        2,
        2,
    ),
    "log10": (mpmath.log10, [POSITIVE, (0.5, 2)], [1, 10, 100, 1000, 1e22], 2, 2),
    "log1p": (
        mpmath.log1p,
        [POSITIVE, (-1, 3), (-0.01, 0.01)],
        [0.5, -0.5, -1, 2**0.5 - 1, 2.0**60, 2.0**500],
        2,
        2,
    ),
    "tanh": (mpmath.tanh, [ALL, (-20, 20), (-1, 1)], [LN2 / 4, 3 * LN2 / 4, 9, 19], 2, 2),
    "sigmoid": (sigmoid, [ALL, (-746, 40), (-3, 3)], [-745.13, -103.97, -88.72], 2, 2),
    "softplus": (softplus, [ALL, (-746, 746), (-3, 3)], [], 4, 4),
    "sin": (
        mpmath.sin,
        [ALL, (-100, 100), (-1e5, 1e5)],
        [2.0**33, 2.0**24, 2.0**50, 2.0**76, 2.0**102],
        2,
        2,
    ),
    "cos": (
        mpmath.cos,
        [ALL, (-100, 100), (-1e5, 1e5)],
        [2.0**33, 2.0**24, 2.0**50, 2.0**76, 2.0**102],
        2,
        2,
    ),
    "tan": (
        mpmath.tan,
        [ALL, (-100, 100), (-1e5, 1e5)],
        [2.0**33, 2.0**24, 2.0**50, 2.0**76, 2.0**102],
        4,
        4,
    ),
    "sin_bounded": (mpmath.sin, [(-1e5, 1e5), (-10, 10)], [], 2, 2),
    "cos_bounded": (mpmath.cos, [(-1e5, 1e5), (-10, 10)], [], 2, 2),
    "tan_bounded": (mpmath.tan, [(-1e5, 1e5), (-10, 10)], [], 4, 4),
    "sinh": (mpmath.sinh, [ALL, (-711, 711), (-2, 2)], [710.4758, 89.4159, LN2 / 2], 4, 4),
    "cosh": (mpmath.cosh, [ALL, (-711, 711), (-2, 2)], [710.4758, 89.4159, LN2 / 2], 4, 4),
    "asin": (mpmath.asin, [(-1, 1), (-0.01, 0.01), (0.99, 1)], [0.5, 1], 4, 4),
    "acos": (mpmath.acos, [(-1, 1), (-0.01, 0.01), (0.99, 1)], [0.5, 1], 4, 4),
    "atan": (mpmath.atan, [ALL, (-4, 4)], [2**0.5 - 1, 2**0.5 + 1], 4, 4),
    "asinh": (mpmath.asinh, [ALL, (-4, 4)], [2.0**30, 2.0**60], 4, 4),
    "acosh": (mpmath.acosh, [POSITIVE, (1, 1.1), (1, 100)], [1, 2.0**30, 2.0**60], 4, 4),
    "atanh": (mpmath.atanh, [(-1, 1), (-0.01, 0.01), (0.99, 1)], [1, 0.2], 4, 4),
    "erf": (mpmath.erf, [ALL, (-6.1, 6.1), (-1, 1)], [1, 4, 6], 2, 2),
    "erfc": (mpmath.erfc, [(-7, 27.3), (-1, 1), (24, 27.3)], [0.5, 9.2, 10.1, 26.5, 27.2], 4, 4),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), [ALL, (-8, 8)], [8, 27], 1, 1),
    "sqrt": (mpmath.sqrt, [POSITIVE], [], 0.5001, 0.5001),
}
BINARY = {
    "pow": (lambda x, y: x**y, 2, 2),
    "atan2": (lambda y, x: mpmath.atan2(y, x) if y else None, 4, 4),
    "hypot": (mpmath.hypot, 4, 4),
    "logaddexp": (logaddexp, 4, 4),
}
EXACT = {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint, "sign": np.sign}
EXACT_BINARY = {
    "maximum": np.maximum,
    "minimum": np.minimum,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "copysign": np.copysign,
    "heaviside": np.heaviside,
}
DIVISION = {"mod": np.mod, "floordiv": np.floor_divide, "fmod": np.fmod}
# Not made for vectors: (exact function, ranges, ulp)
SCALAR = {
    "gammaln": (mpmath.loggamma, [(0.01, 0.9), (2.2, 100), (100, 1e6)], 10),
    "gamma": (mpmath.gamma, [(0.01, 30), (-20.3, -0.1)], 20),
    "digamma": (mpmath.digamma, [(0.01, 30), (1.43, 1.49), (-3.4, -2.7), (-0.4, -0.1)], 20),
    "trigamma": (lambda x: mpmath.polygamma(1, x), [(0.01, 30), (-3.9, -0.1)], 20),
    "erfinv": (mpmath.erfinv, [(-1, 1), (-1e-3, 1e-3), (0.999, 1)], 10),
    "ndtri": (
        lambda p: -mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * p),
        [(0.001, 0.499), (1e-12, 1e-9)],
        20,
    ),
    "i0": (lambda x: mpmath.besseli(0, x), [(-30, 30), (30, 700)], 20),
    "i1": (lambda x: mpmath.besseli(1, x), [(-30, 30), (30, 700)], 20),
}
VECTOR_BINARY = [*BINARY, *EXACT_BINARY]
INTEGERS = {
    f"{sign}{bits}": f"{'u' * (sign == 'u')}int{bits}" for sign in "iu" for bits in (8, 16, 32, 64)
}
# What NumPy says at the ends where mpmath says nothing: x in order, value
ENDS = [math.inf, -math.inf, math.nan]
LIMITS = {
    "sigmoid": (1.0, 0.0, math.nan),
    "softplus": (math.inf, 0.0, math.nan),
    "erf": (1.0, -1.0, math.nan),
    "erfc": (0.0, 2.0, math.nan),
}
NUMPY_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "pow": "power",
    "atan2": "arctan2",
}
NUMPY_NAMES |= {name: f"arc{name[1:]}" for name in ("asinh", "acosh", "atanh")}


def evaluate(function, *arguments):
    """The exact real value, or None where it is no finite real number."""
    if not all(map(math.isfinite, arguments)):
        return None
    try:
        value = function(*map(mpmath.mpf, arguments))
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return value if isinstance(value, mpmath.mpf) and mpmath.isfinite(value) else None


def random_bits(generator, dtype, size):
    width = np.uint32 if dtype == np.float32 else np.uint64
    return generator.integers(0, np.iinfo(width).max, size, dtype=width).view(dtype)


def nearby(values, dtype, steps=12):
    """Each value with its neighbours on both sides."""
    centre = np.array([*values, *(-v for v in values)], dtype)
    rows = [centre]
    for towards in (-np.inf, np.inf):
        moved = centre
        for _ in range(steps):
            moved = np.nextafter(moved, dtype(towards))
            rows.append(moved)
    return np.concatenate(rows)


@np.errstate(all="ignore")
def unary_points(name, dtype, size):
    _, ranges, thresholds, _, _ = UNARY[name]
    generator = np.random.default_rng(sum(map(ord, name)))
    parts = [np.array(AWKWARD).astype(dtype), nearby(thresholds, dtype)]
    for region in ranges:
        if isinstance(region, str):
            bits = random_bits(generator, dtype, 2 * size)
            parts.append(bits if region == ALL else np.abs(bits))
        else:
            parts.append(generator.uniform(*region, 2 * size).astype(dtype))
    exponents = generator.uniform(-17, 0, size)
    parts.append((generator.choice([-1, 1], size) * 10.0**exponents).astype(dtype))
    parts.append((1 + generator.choice([-1, 1], size) * 10.0**exponents).astype(dtype))
    if name[:3] in ("sin", "cos", "tan") and "h" not in name:
        parts.append((np.arange(1, size) * (np.pi / 2)).astype(dtype))
        parts.append(
            np.array([6381956970095103 * 2.0**797, 5319372648326541 * 2.0**3]).astype(dtype)
        )
    points = np.concatenate(parts)
    if "bounded" in name:
        points = points[np.abs(points) <= (2.0**17 if dtype == np.float32 else 2.0**33)]
    return (points,)


@np.errstate(all="ignore")
def binary_points(name, dtype, size):
    generator = np.random.default_rng(sum(map(ord, name)))
    a, b = (
        grid.ravel()
        for grid in np.meshgrid(np.array(AWKWARD + [-7.0, 1e15 + 1]), np.array(AWKWARD))
    )
    xs, ys = [a, generator.normal(size=size)], [b, generator.normal(size=size)]
    if name == "pow":
        top = 104 if dtype == np.float32 else 746
        spread = np.exp(generator.uniform(-top, top, size))
        near = 1 + generator.normal(size=size) * 10 ** generator.uniform(
            -7 if dtype == np.float32 else -14, -0.5, size
        )
        middle = generator.uniform(0.6, 1.6, size)
        for x in (spread, np.abs(near), middle):
            x = x.astype(dtype).astype(float)
            xs.append(x)
            ys.append(generator.uniform(-top, top, size) / np.log(x))
        xs.append(generator.integers(-9, 10, size).astype(float))
        ys.append(generator.integers(-30, 31, size).astype(float))
    else:
        xs.append(random_bits(generator, dtype, size).astype(float))
        ys.append(random_bits(generator, dtype, size).astype(float))
    return np.concatenate(xs).astype(dtype), np.concatenate(ys).astype(dtype)


def ulp_error(got, exact_value, scale=0):
    """|got - exact| in units of the last place of exact (or of scale); inf counts as 2^1024."""
    limit = mpmath.mpf(2) ** 1024
    if math.isinf(got):
        got, exact_value = math.copysign(1, got) * limit, max(min(exact_value, limit), -limit)
        return float(abs(got - exact_value) / mpmath.mpf(2) ** 971)
    if math.isnan(got):
        return math.inf
    size = max(abs(exact_value), scale)
    exponent = max(int(mpmath.frexp(size)[1]) - 53, -1074) if size else -1074
    return float(abs(mpmath.mpf(got) - exact_value) / mpmath.mpf(2) ** exponent)


def same(got, expected):
    """Equal as values, nan equal to nan, zeros with their sign."""
    zero = (got != 0) | (np.signbit(got) == np.signbit(expected))
    return ((got == expected) & zero) | (np.isnan(got) & np.isnan(expected))
