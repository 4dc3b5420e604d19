"""Algebra: the tables of identities that make an expression smaller.

Each line is proven by tests/laws/test_rules.py. What needs no rule because of the canonical form
(x + 0, 1·x, x − (y − z), like terms, whole powers) is in `canonical`.
"""

from __future__ import annotations

from math import e
from math import log as ln

from symcomp.rewrite.rule import (
    Boolean,
    Constant,
    Float,
    Integer,
    Number,
    Signed,
    Value,
    finite,
    integer,
    negative_,
    nonnegative,
    nonpositive,
    nonzero,
    positive,
    ruleset,
    used_once,
    varying,
)
from symcomp.tensor.arithmetic import (
    abs,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    ceil,
    copysign,
    equal,
    floor,
    floor_divide,
    fmax,
    fmin,
    greater,
    greater_equal,
    left_shift,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    not_equal,
    right_shift,
    rint,
    sign,
    trunc,
    where,
)
from symcomp.tensor.elementary import (
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    cbrt,
    cos,
    cosh,
    deg2rad,
    exp,
    exp2,
    hypot,
    log,
    log2,
    rad2deg,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)


@ruleset
def powers(x: Number, y, a: Constant, b: Constant, f: Float):
    """Powers and roots."""
    yield x**0, 1
    yield x**1, x
    yield f ** (-1), 1 / f
    yield f**0.5, sqrt(f)
    yield 1**f, 1
    yield (f**a) ** b, f ** (a * b), integer(a), integer(b), positive(a), positive(b)
    yield sqrt(f) ** 2, f, nonnegative(f)
    yield sqrt(f**2), abs(f)
    yield abs(f) ** 2, f**2
    yield (-x) ** 2, x**2
    yield cbrt(f) ** 3, f
    yield cbrt(f**3), f
    yield f / sqrt(f), sqrt(f), positive(f)
    yield sqrt(f) / f, 1 / sqrt(f), positive(f)
    yield 2**f, exp2(f)
    yield sign(f) ** 2, 1, finite(f), nonzero(f)


@ruleset
def quotients_of_quotients(x, y, a: Constant):
    """Quotients; those that could overflow where the original does not are in `fast`."""
    yield x * (1 / y), x / y, varying(x)
    yield a * (1 / y), a / y, positive(a)
    yield 1 / (1 / x), x
    yield 1 / (x / y), y / x
    yield y / (1 / x), x * y
    yield x / x, 1, finite(x), nonzero(x)
    yield 0 / x, 0, finite(x), nonzero(x)
    yield (x / y) * y, x, finite(y), nonzero(y)
    yield (x * y) / y, x, finite(y), nonzero(y)
    yield y / (x * y), 1 / x, finite(y), nonzero(y)


@ruleset
def signs(x: Number, s: Signed, f: Float, g: Float, a: Constant):
    """Absolute values and signs."""
    yield abs(abs(x)), abs(x)
    yield abs(-s), abs(s)
    yield abs(f), f, nonnegative(f)
    yield abs(f), -f, nonpositive(f)
    yield abs(a * f), -a * abs(f), negative_(a)
    yield abs(f**2), f**2
    yield sign(sign(x)), sign(x)
    yield sign(-f), -sign(f)
    yield sign(abs(f)), 1, finite(f), nonzero(f)
    yield sign(f), 1, finite(f), positive(f)
    yield sign(f), -1, finite(f), negative_(f)
    yield f * sign(f), abs(f)
    yield abs(f) * sign(f), f
    yield abs(f) / f, sign(f), nonzero(f)
    yield copysign(f, f), f
    yield abs(copysign(f, g)), abs(f), finite(g)
    yield hypot(-f, g), hypot(f, g)
    yield hypot(f, 0), abs(f)


@ruleset
def rounding(x: Number, f: Float):
    """Whole numbers are their own floor."""
    yield floor(f), f, integer(f)
    yield ceil(f), f, integer(f)
    yield rint(f), f, integer(f)
    yield trunc(f), f, integer(f)
    yield -floor(-f), ceil(f)
    yield -ceil(-f), floor(f)
    yield rint(-f), -rint(f)
    yield trunc(-f), -trunc(f)


@ruleset
def extremes(x: Value, y: Value, f: Float, g: Float, u: Signed, a: Constant, b: Constant):
    """The larger and the smaller of two."""
    yield maximum(x, x), x
    yield minimum(x, x), x
    yield maximum(maximum(x, y), x), maximum(x, y)
    yield minimum(minimum(x, y), x), minimum(x, y)
    yield maximum(x, minimum(x, y)), x, finite(y)
    yield minimum(x, maximum(x, y)), x, finite(y)
    yield maximum(maximum(f, a), b), maximum(f, maximum(a, b))
    yield minimum(minimum(f, a), b), minimum(f, minimum(a, b))
    yield maximum(-f, -g), -minimum(f, g)
    yield minimum(-f, -g), -maximum(f, g)
    yield maximum(u, -u), abs(u)
    yield minimum(f, -f), -abs(f)
    yield fmax(x, x), x
    yield fmin(x, x), x


@ruleset
def comparisons(x: Value, f: Float, g: Float, i: Integer, j: Integer, n: Number):
    """Comparisons. Negating one is not the opposite where a nan may stand, but for equality."""
    yield equal(x, x), True, finite(x)
    yield less_equal(x, x), True, finite(x)
    yield greater_equal(x, x), True, finite(x)
    yield not_equal(x, x), False, finite(x)
    yield less(x, x), False
    yield greater(x, x), False
    yield logical_not(equal(f, g)), not_equal(f, g)
    yield logical_not(not_equal(f, g)), equal(f, g)
    yield logical_not(equal(i, j)), not_equal(i, j)
    yield logical_not(not_equal(i, j)), equal(i, j)
    yield logical_not(less(i, j)), greater_equal(i, j)
    yield logical_not(less_equal(i, j)), greater(i, j)
    yield logical_not(greater(i, j)), less_equal(i, j)
    yield logical_not(greater_equal(i, j)), less(i, j)
    yield less(f, 0), False, nonnegative(f)
    yield greater(f, 0), False, nonpositive(f)
    yield greater_equal(f, 0), True, nonnegative(f), finite(f)
    yield less_equal(f, 0), True, nonpositive(f), finite(f)
    yield less(-f, -g), greater(f, g)
    yield greater(-f, -g), less(f, g)
    yield equal(-f, -g), equal(f, g)
    yield less(abs(f), 0), False


@ruleset
def logic(c: Boolean, d: Boolean):
    """Boolean algebra."""
    yield logical_and(c, c), c
    yield logical_or(c, c), c
    yield logical_xor(c, c), False
    yield logical_and(c, True), c
    yield logical_and(c, False), False
    yield logical_or(c, False), c
    yield logical_or(c, True), True
    yield logical_xor(c, False), c
    yield logical_xor(c, True), logical_not(c)
    yield logical_not(logical_not(c)), c
    yield logical_and(c, logical_not(c)), False
    yield logical_or(c, logical_not(c)), True
    yield logical_and(c, logical_or(c, d)), c
    yield logical_or(c, logical_and(c, d)), c
    yield logical_and(c, logical_and(c, d)), logical_and(c, d)
    yield logical_or(c, logical_or(c, d)), logical_or(c, d)
    yield logical_and(logical_not(c), logical_not(d)), logical_not(logical_or(c, d))
    yield logical_or(logical_not(c), logical_not(d)), logical_not(logical_and(c, d))
    yield logical_xor(logical_not(c), logical_not(d)), logical_xor(c, d)


@ruleset
def choices(
    c: Boolean, d: Boolean, x: Value, y: Value, z: Value, n: Number, m: Number, f: Float, g: Float,
    i: Integer, j: Integer, p: Boolean, q: Boolean,
):  # fmt: skip
    """Choices by a condition."""
    yield where(c, x, x), x
    yield where(True, x, y), x
    yield where(False, x, y), y
    yield where(logical_not(c), x, y), where(c, y, x)
    yield where(c, where(c, x, y), z), where(c, x, z)
    yield where(c, x, where(c, y, z)), where(c, x, z)
    yield where(c, where(d, x, y), y), where(logical_and(c, d), x, y)
    yield where(c, x, where(d, x, y)), where(logical_or(c, d), x, y)
    yield where(c, True, False), c
    yield where(c, False, True), logical_not(c)
    yield where(c, p, False), logical_and(c, p)
    yield where(c, True, p), logical_or(c, p)
    yield where(c, -n, -m), -where(c, n, m)
    yield where(c, f, 0) * where(c, g, 0), where(c, f * g, 0)
    yield where(c, n, 0) + where(c, m, 0), where(c, n + m, 0)
    yield where(greater(i, j), i, j), maximum(i, j)
    yield where(less(i, j), i, j), minimum(i, j)
    yield where(equal(i, j), i, j), j


@ruleset
def bits(i: Integer, j: Integer):
    """Bits and whole division."""
    yield bitwise_and(i, i), i
    yield bitwise_or(i, i), i
    yield bitwise_xor(i, i), 0
    yield bitwise_and(i, 0), 0
    yield bitwise_or(i, 0), i
    yield bitwise_xor(i, 0), i
    yield bitwise_not(bitwise_not(i)), i
    yield left_shift(i, 0), i
    yield right_shift(i, 0), i
    yield floor_divide(i, 1), i
    yield mod(i, 1), 0
    yield mod(mod(i, j), j), mod(i, j)


@ruleset
def inverses(x: Float, y: Float):
    """Functions that undo each other."""
    yield log(exp(x)), x
    yield exp(log(x)), x, positive(x)
    yield log2(exp2(x)), x
    yield exp2(log2(x)), x, positive(x)
    yield sinh(arcsinh(x)), x
    yield arcsinh(sinh(x)), x
    yield arctanh(tanh(x)), x
    yield arccosh(cosh(x)), abs(x)
    yield tan(arctan(x)), x
    yield deg2rad(rad2deg(x)), x
    yield rad2deg(deg2rad(x)), x


@ruleset
def exponentials(x: Float, y: Float, a: Constant):
    """Exponentials and logarithms, where both sides are equally accurate."""
    yield exp(-log(x)), 1 / x, positive(x)
    yield exp(a * log(x)), x**a, positive(x)
    yield e**x, exp(x)
    yield exp(x) ** 2, exp(2 * x)
    yield exp(x) ** (-1), exp(-x)
    yield 1 / exp(x), exp(-x)
    yield y / exp(x), y * exp(-x), used_once(exp(x))
    yield 1 / exp2(x), exp2(-x)
    yield sqrt(exp(x)), exp(0.5 * x)
    yield log(sqrt(x)), 0.5 * log(x)
    yield log(1 / x), -log(x)
    yield log(x**2), 2 * log(abs(x))
    yield log(exp2(x)), ln(2) * x
    yield log2(exp(x)), (1 / ln(2)) * x


@ruleset
def odd_and_even(x: Float):
    """Signs go out of odd functions, and vanish in even ones."""
    yield sin(-x), -sin(x)
    yield cos(-x), cos(x)
    yield tan(-x), -tan(x)
    yield arcsin(-x), -arcsin(x)
    yield arctan(-x), -arctan(x)
    yield sinh(-x), -sinh(x)
    yield cosh(-x), cosh(x)
    yield tanh(-x), -tanh(x)
    yield arcsinh(-x), -arcsinh(x)
    yield arctanh(-x), -arctanh(x)
    yield cbrt(-x), -cbrt(x)
    yield cos(abs(x)), cos(x)
    yield cosh(abs(x)), cosh(x)


@ruleset
def trigonometry(x: Float, y: Float):
    """Circular and hyperbolic functions."""
    yield sin(x) / cos(x), tan(x)
    yield sinh(x) / cosh(x), tanh(x)
    yield tanh(x) * cosh(x), sinh(x)
    yield tan(x) * cos(x), sin(x)
    yield sin(x) ** 2 + cos(x) ** 2, 1, finite(x)
    yield cosh(x) ** 2 - sinh(x) ** 2, 1, finite(x)
    yield 2 * sin(x) * cos(x), sin(2 * x)
    yield cos(x) ** 2 - sin(x) ** 2, cos(2 * x)
    yield (exp(x) - exp(-x)) / (exp(x) + exp(-x)), tanh(x)
    yield 0.5 * (exp(x) - exp(-x)), sinh(x)
    yield 0.5 * (exp(x) + exp(-x)), cosh(x)
    yield cosh(x) + sinh(x), exp(x)
    yield cosh(x) - sinh(x), exp(-x)


@ruleset
def cancelling(x: Number, f: Float):
    """What is zero or one whatever x is, so long as it is finite."""
    yield f - f, 0, finite(f)
    yield 0 * f, 0, finite(f)


#: All identities.
identities = (
    powers
    + quotients_of_quotients
    + signs
    + rounding
    + extremes
    + comparisons
    + logic
    + choices
    + bits
    + inverses
    + exponentials
    + odd_and_even
    + trigonometry
)
