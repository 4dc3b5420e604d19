"""Numerical stability: formulas that overflow or cancel, and those that do not.

The right side is never less accurate than the left; where the left overflows, cancels, or rounds to
0, it is right.
"""

from __future__ import annotations

from math import log as ln

from symcomp.rewrite.rule import Constant, Float, nonnegative, positive, ruleset, used_once
from symcomp.tensor.elementary import (
    arccosh,
    arcsinh,
    arctanh,
    cos,
    cosh,
    exp,
    expm1,
    log,
    log1p,
    logaddexp,
    sigmoid,
    sin,
    sinh,
    softplus,
    sqrt,
    tanh,
)


@ruleset
def near_zero(x: Float, y: Float):
    """eˣ − 1 and log(1 + x) for small x."""
    yield exp(x) - 1, expm1(x), used_once(exp(x))
    yield 1 - exp(x), -expm1(x), used_once(exp(x))
    yield expm1(x) + 1, exp(x)
    yield log(1 + x), log1p(x)
    yield log1p(x - 1), log(x)
    yield log1p(expm1(x)), x
    yield expm1(log1p(x)), x, positive(1 + x)
    yield exp(log1p(x)), 1 + x, nonnegative(1 + x)
    yield 1 - cos(x), 2 * sin(0.5 * x) ** 2, used_once(cos(x))
    yield cosh(x) - 1, 2 * sinh(0.5 * x) ** 2, used_once(cosh(x))
    yield 1 - cos(x) ** 2, sin(x) ** 2, used_once(cos(x))
    yield 1 - sin(x) ** 2, cos(x) ** 2, used_once(sin(x))
    yield cosh(x) ** 2 - 1, sinh(x) ** 2, used_once(cosh(x))


@ruleset
def logistic(x: Float, y: Float):
    """The logistic function and its integral, the softplus."""
    yield 1 / (1 + exp(x)), sigmoid(-x)
    yield exp(x) / (1 + exp(x)), sigmoid(x)
    yield y / (1 + exp(x)), y * sigmoid(-x)
    yield 1 - sigmoid(x), sigmoid(-x), used_once(sigmoid(x))
    yield sigmoid(x) - 1, -sigmoid(-x), used_once(sigmoid(x))
    yield log(sigmoid(x)), -softplus(-x)
    yield log1p(-sigmoid(x)), -softplus(x)
    yield log1p(exp(x)), softplus(x)
    yield exp(-softplus(x)), sigmoid(-x)
    yield expm1(-softplus(x)), -sigmoid(x)
    yield softplus(x) - x, softplus(-x), used_once(softplus(x))
    yield softplus(-x) + x, softplus(x), used_once(softplus(-x))
    yield 2 * sigmoid(2 * x) - 1, tanh(x)
    yield 0.5 * (1 + tanh(0.5 * x)), sigmoid(x)
    yield 0.5 + 0.5 * tanh(0.5 * x), sigmoid(x)
    yield softplus(log(x)), log1p(x), nonnegative(x)


@ruleset
def logarithms(x: Float, y: Float, a: Constant):
    """Logarithms of sums of exponentials, and inverse hyperbolic functions written out."""
    yield log(exp(x) + exp(y)), logaddexp(x, y)
    yield logaddexp(x, 0), softplus(x)
    yield logaddexp(x, x), x + ln(2)
    yield exp(logaddexp(x, y) - x), 1 + exp(y - x), used_once(logaddexp(x, y))
    yield log(x + sqrt(x**2 + 1)), arcsinh(x)
    yield log(x + sqrt(x**2 - 1)), arccosh(x), positive(x)
    yield 0.5 * log((1 + x) / (1 - x)), arctanh(x)
    yield log1p(x) - log1p(-x), 2 * arctanh(x)
    yield sinh(x) + cosh(x) - 1, expm1(x)


#: All rules of stability.
stability = near_zero + logistic + logarithms
