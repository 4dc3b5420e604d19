"""Special functions: the error function, gamma and its family, Bessel's, and what probability is
written in.

NumPy has few of them, so their references are here too: Python's own `math.erf` and `math.lgamma`
where it has one, else a series or a Newton iteration that is accurate to a few units in the last
place (Abramowitz and Stegun, "Handbook of Mathematical Functions", chapters 6, 7 and 9). They are
the meaning that compiled code is tested against.
"""

from __future__ import annotations

import math
from math import inf, pi
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, describe, here
from symcomp.graph.expr import Expr
from symcomp.graph.op import apply, as_expr, operation
from symcomp.graph.scalar import Elementwise, cast, define, evaluate_body, primitive
from symcomp.graph.type import float_of, is_float
from symcomp.tensor.arithmetic import abs, equal, isnan, where
from symcomp.tensor.elementary import cos, exp, log, log1p, sigmoid, sin, tan

__all__ = [
    "betaln", "digamma", "erf", "erfc", "erfinv", "expit", "gamma", "gammaln", "i0", "i1", "logit",
    "ndtr", "polygamma", "psi", "sinc", "tri_gamma", "trigamma", "xlog1py", "xlogy",
]  # fmt: skip

# --- references ----------------------------------------------------------------------------------


def _each(function):
    """A function of one Python float, mapped over arrays and computed in float64."""
    mapped = np.frompyfunc(function, 1, 1)

    def reference(x):
        x = np.asarray(x)
        with np.errstate(all="ignore"):
            return np.asarray(mapped(x.astype("float64")), dtype="float64").astype(x.dtype)

    return reference


def _is_pole(x: float) -> bool:
    return x <= 0 and x == math.floor(x)


def _gammaln(x: float) -> float:
    if math.isinf(x) or _is_pole(x):
        return inf
    try:
        return math.lgamma(x)
    except OverflowError:
        return inf


def _gamma(x: float) -> float:
    if x == 0:
        return math.copysign(inf, x)
    if x == -inf or _is_pole(x):
        return math.nan
    try:
        return math.gamma(x)
    except OverflowError:
        return math.copysign(inf, x)


#: B₂, B₄, …: the numerator and the denominator.
_BERNOULLI = (
    (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798),
)  # fmt: skip


def _digamma(x: float) -> float:
    if math.isinf(x):
        return inf if x > 0 else math.nan
    if _is_pole(x):
        return -math.copysign(inf, x) if x == 0 else math.nan
    if x < 0:
        # The fraction first: π·x would lose what is left of the point.
        return _digamma(1 - x) - pi / math.tan(pi * (x - math.floor(x)))
    shift = 0.0
    while x < 10:
        shift, x = shift + 1 / x, x + 1
    square = 1 / x / x
    tail = _horner([0.0, *(b / (2 * j * d) for j, (b, d) in enumerate(_BERNOULLI, 1))], square)
    return math.log(x) - 0.5 / x - tail - shift


def _erfinv(y: float) -> float:
    if not -1 < y < 1:
        return math.copysign(inf, y) if math.fabs(y) == 1 else math.nan
    if math.fabs(y) < 1e-8:
        return y * math.sqrt(pi) / 2
    # Winitzki's first approximation, then Newton's iteration on erfc, which is exact in the tail.
    part = 2 / (pi * 0.147) + math.log1p(-y * y) / 2
    x = math.sqrt(math.sqrt(part * part - math.log1p(-y * y) / 0.147) - part)
    target = 1 - math.fabs(y)
    for _ in range(6):
        off = math.erfc(x) - target if target < 0.5 else math.fabs(y) - math.erf(x)
        x += off / (2 / math.sqrt(pi) * math.exp(-x * x))
    return math.copysign(x, y)


def _bessel(order: int):
    """Iₙ(x) by its power series (all terms have one sign), or far out by its asymptotic one."""

    def function(x: float) -> float:
        if math.isnan(x) or math.isinf(x):
            return x if order else math.fabs(x)
        size = math.fabs(x)
        value = _bessel_series(order, size) if size < 30 else _bessel_far(order, size)
        return math.copysign(value, x) if order else value

    return function


def _bessel_series(order: int, x: float) -> float:
    term = total = (x / 2) ** order
    k = 0
    while term > total * 1e-18:
        k += 1
        term *= (x / 2) ** 2 / (k * (k + order))
        total += term
    return total


def _bessel_far(order: int, x: float) -> float:
    term = total = 1.0
    for k in range(1, 30):
        term *= -(4 * order**2 - (2 * k - 1) ** 2) / (k * 8 * x)
        total += term
    try:
        # In two halves, so that the result overflows no earlier than it must.
        return total / math.sqrt(2 * pi * x) * math.exp(x / 2) * math.exp(x / 2)
    except OverflowError:
        return inf


# --- the error function --------------------------------------------------------------------------


@primitive(
    numpy=_each(math.erf),
    c="sc_erf_{t}({x})",
    grad=lambda x, y: 2 / math.sqrt(pi) * exp(-x * x),
)
def erf(x):
    """2/√π ∫₀ˣ exp(−t²) dt"""


@primitive(
    numpy=_each(math.erfc),
    c="sc_erfc_{t}({x})",
    grad=lambda x, y: -2 / math.sqrt(pi) * exp(-x * x),
)
def erfc(x):
    """1 − erf(x), accurate when x is large."""


@primitive(
    numpy=_each(_erfinv),
    c="sc_erfinv_{t}({x})",
    grad=lambda x, y: math.sqrt(pi) / 2 * exp(y * y),
    domain=(-1, 1),
)
def erfinv(x):
    """The inverse of erf."""


@define(grad=lambda x, y: exp(-0.5 * x * x) / math.sqrt(2 * pi))
def ndtr(x):
    """The area under the standard normal density to the left of x."""
    return 0.5 * erfc(x * -math.sqrt(0.5))


# --- gamma and its family ------------------------------------------------------------------------


@primitive(
    numpy=_each(_gamma),
    c="sc_gamma_{t}({x})",
    grad=lambda x, y: y * digamma(x),
    domain=(0, inf),
)
def gamma(x):
    """Γ(x), which is (x − 1)! at whole numbers."""


@primitive(
    numpy=_each(_gammaln),
    c="sc_gammaln_{t}({x})",
    grad=lambda x, y: digamma(x),
    domain=(0, inf),
)
def gammaln(x):
    """log |Γ(x)|"""


@primitive(
    numpy=_each(_digamma),
    c="sc_digamma_{t}({x})",
    grad=lambda x, y: polygamma(1, x),
    domain=(0, inf),
)
def digamma(x):
    """ψ(x), the derivative of log Γ."""


psi = digamma


@operation
class Polygamma(Elementwise):
    """ψ⁽ⁿ⁾(x), the n-th derivative of ψ, for n ≥ 1."""

    order: int
    domain = (0.0, inf)

    samples = (
        ((1,), (3, 4)),
        ((2,), (3,)),
        ((5,), (2,)),
    )

    def scalar_type(self, dtype):
        if not is_float(dtype):
            raise DtypeError(f"polygamma is computed in floating point; cast the {dtype} first")
        return dtype

    def derivative(self, out, x):
        return (polygamma(self.order + 1, x),)

    def body(self, x):
        # ψ⁽ⁿ⁾(x) = (−1)ⁿ ψ⁽ⁿ⁾(1 − x) − π Dⁿcot(πx) brings the left half to the right.
        n = self.order
        left = x < 0.5
        right = self._right_half(where(left, 1 - x, x))
        angle = where(left, x, 0.25)
        mirrored = (-1) ** n * right - pi * _horner(_cotangents(n), 1 / tan(pi * angle))
        return where(left, mirrored, right)

    def _right_half(self, x):
        """A few steps of the recurrence, then the asymptotic series (6.4.6 and 6.4.11)."""
        n, steps = self.order, 10 + 2 * self.order
        total = sum((1 / (x + k) ** (n + 1) for k in range(1, steps)), 1 / x ** (n + 1))
        z = x + steps
        square = 1 / (z * z)
        factors = [
            b * math.factorial(2 * j + n - 1) / (d * math.factorial(2 * j))
            for j, (b, d) in enumerate(_BERNOULLI, 1)
        ]
        tail = _horner([0, *factors], square) / z**n
        near = math.factorial(n - 1) / z**n + math.factorial(n) / (2 * z ** (n + 1))
        return (-1) ** (n + 1) * (math.factorial(n) * total + near + tail)

    def numpy(self, x):
        return evaluate_body(self, (x,))

    def text(self, x):
        return f"polygamma({self.order}, {x})"


def _cotangents(n: int) -> list[float]:
    """The coefficients of Dⁿcot(πx) as a polynomial in c = cot(πx), by c' = −π(1 + c²)."""
    p = [0.0, 1.0]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(p)][1:]
        p = [-pi * (a + b) for a, b in zip(slope + [0.0, 0.0], [0.0, 0.0] + slope, strict=True)]
    return p


def _horner(coefficients, x):
    """Σ coefficients[k]·xᵏ"""
    result = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        result = result * x + c
    return result


def polygamma(n: int, x: Any) -> Expr:
    """The n-th derivative of ψ = digamma, for a literal n ≥ 0."""
    if not isinstance(n, int) or isinstance(n, bool) or n < 0:
        message = f"polygamma: the order must be a whole number that is not negative, not {n!r}"
        raise ArgumentError(describe(message, origin=here()))
    if not n:
        return digamma(x)
    x = as_expr(x)
    return apply(Polygamma(n), cast(x, float_of(x.dtype)))


def trigamma(x: Any) -> Expr:
    """ψ′(x), the second derivative of log Γ."""
    return polygamma(1, x)


tri_gamma = trigamma


def betaln(a: Any, b: Any) -> Expr:
    """log of Euler's beta function, for positive a and b."""
    a, b = as_expr(a), as_expr(b)
    return gammaln(a) + gammaln(b) - gammaln(a + b)


# --- Bessel's ------------------------------------------------------------------------------------


@primitive(numpy=_each(_bessel(0)), c="sc_i0_{t}({x})", grad=lambda x, y: i1(x))
def i0(x):
    """The modified Bessel function of the first kind, order 0."""


def _i1_slope(x, y):
    origin = equal(x, 0)
    return where(origin, 0.5, i0(x) - y / where(origin, 1, x))


@primitive(numpy=_each(_bessel(1)), c="sc_i1_{t}({x})", grad=_i1_slope)
def i1(x):
    """The modified Bessel function of the first kind, order 1."""


# --- formulas ------------------------------------------------------------------------------------


@define(grad=lambda x, y, out: (where(equal(x, 0), 0, log(y)), x / y), domain=(0, inf))
def xlogy(x, y):
    """x·log(y), and 0 where x is 0."""
    return where(equal(x, 0) & ~isnan(y), 0, x * log(y))


@define(grad=lambda x, y, out: (where(equal(x, 0), 0, log1p(y)), x / (1 + y)), domain=(0, inf))
def xlog1py(x, y):
    """x·log(1 + y), and 0 where x is 0."""
    return where(equal(x, 0) & ~isnan(y), 0, x * log1p(y))


@define(grad=lambda x, y: 1 / (x * (1 - x)), domain=(0, 1))
def logit(x):
    """log(x / (1 − x)), the inverse of the sigmoid."""
    return log(x) - log1p(-x)


def _sinc_slope(x, y):
    # Near 0 the difference cancels; there its Taylor series stands for it.
    near = abs(x) < 0.1
    far = where(near, 1, x)
    square = (pi * x) * (pi * x)
    factors = [(-1) ** j * 2 * j / math.factorial(2 * j + 1) for j in range(1, 8)]
    series = pi * pi * x * _horner(factors, square)
    return where(near, series, (cos(pi * far) - y) / far)


@define(grad=_sinc_slope)
def sinc(x):
    """sin(πx) / (πx), and 1 at 0 (NumPy's)."""
    origin = equal(x, 0)
    angle = pi * where(origin, 1, x)
    return where(origin, 1, sin(angle) / angle)


expit = sigmoid
