"""Arithmetic, comparison, logic, bits and choice: the functions that every dtype has."""

from __future__ import annotations

import numpy as np

from symcomp.graph.expr import Constant
from symcomp.graph.op import registry
from symcomp.graph.scalar import (
    cast,
    choosing,
    integer,
    logical,
    number,
    predicate,
    primitive,
    quotient,
    real,
    same,
    shifting,
    testing,
)
from symcomp.graph.size import add, floor_divide, maximum, multiply

__all__ = [
    "abs", "add", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "cast", "ceil", "clip",
    "copysign", "divide", "equal", "floor", "floor_divide", "fmax", "fmin", "greater",
    "greater_equal", "isclose", "isfinite", "isinf", "isnan", "left_shift", "less", "less_equal",
    "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod",
    "multiply", "negative", "not_equal", "power", "reciprocal", "right_shift", "rint", "round",
    "sign", "signbit", "square", "subtract", "trunc", "where",
]  # fmt: skip


@primitive(
    numpy=np.subtract, c="{x} - {y}", grad=lambda x, y, out: (1, -1), types=number, infix=("-", 40)
)
def subtract(x, y):
    """x − y"""


@primitive(numpy=np.negative, c="-{x}", grad=lambda x, out: -1, types=number, infix=("-", 55))
def negative(x):
    """−x"""


@primitive(
    numpy=np.true_divide,
    c="{x} / {y}",
    grad=lambda x, y, out: (1 / y, -out / y),
    types=quotient,
    infix=("/", 50),
)
def divide(x, y):
    """x / y in floating point"""


@primitive(
    numpy=np.mod,
    c="sc_mod_{t}({x}, {y})",
    grad=lambda x, y, out: (1, -floor(x / y)),
    types=number,
    infix=("%", 50),
)
def mod(x, y):
    """x − ⌊x/y⌋·y: the remainder with the sign of the divisor; an integer modulo zero is zero, as
    in NumPy.
    """


def _power_partials(x, y, out):
    if isinstance(y, Constant) and not y.ndim:
        c = y.value.item()
        return (c if c in (0, 1) else c * x if c == 2 else c * power(x, c - 1)), None
    # y·x^(y−1), which is 0 and not nan where y is 0; log x only where x is positive (0⁰ = 1 has
    # slope 0 in y).
    by_exponent = where(greater(x, 0), out * registry["log"](where(greater(x, 0), x, 1)), 0)
    return y * power(x, where(equal(y, 0), 1, y - 1)), by_exponent


@primitive(
    numpy=np.power,
    c="sc_pow_{t}({x}, {y})",
    grad=_power_partials,
    types=number,
    infix=("**", 60),
)
def power(x, y):
    """xʸ; an integer to a negative integer power is an error in NumPy and 0 in compiled code (±1
    apart).
    """


@primitive(numpy=np.square, c="{x} * {x}", grad=lambda x, out: 2 * x, types=number)
def square(x):
    """x²"""


@primitive(numpy=np.reciprocal, c="1 / {x}", grad=lambda x, out: -out * out, types=real)
def reciprocal(x):
    """1 / x in floating point"""


@primitive(numpy=np.absolute, c="sc_abs_{t}({x})", grad=lambda x, out: sign(x), types=same)
def abs(x):
    """|x|; the derivative at 0 is 0."""


@primitive(numpy=np.sign, c="sc_sign_{t}({x})", types=number)
def sign(x):
    """−1, 0 or 1; nan for nan. Its derivative is zero."""


@primitive(
    numpy=np.minimum,
    c="sc_minimum_{t}({x}, {y})",
    grad=lambda x, y, out: (x <= y, x > y),
    types=same,
    commutative=True,
)
def minimum(x, y):
    """The smaller of two; nan where either is nan. The derivative at a tie goes to the first."""


@primitive(
    numpy=np.fmax,
    c="sc_fmax_{t}({x}, {y})",
    grad=lambda x, y, out: (equal(x, out), not_equal(x, out)),
    types=same,
)
def fmax(x, y):
    """The larger of two, ignoring nan."""


@primitive(
    numpy=np.fmin,
    c="sc_fmin_{t}({x}, {y})",
    grad=lambda x, y, out: (equal(x, out), not_equal(x, out)),
    types=same,
)
def fmin(x, y):
    """The smaller of two, ignoring nan."""


@primitive(numpy=np.floor, c="sc_floor_{t}({x})", types=real)
def floor(x):
    """⌊x⌋, the largest whole number not above x."""


@primitive(numpy=np.ceil, c="sc_ceil_{t}({x})", types=real)
def ceil(x):
    """⌈x⌉, the smallest whole number not below x."""


@primitive(numpy=np.trunc, c="sc_trunc_{t}({x})", types=real)
def trunc(x):
    """x without its fraction."""


@primitive(numpy=np.rint, c="sc_rint_{t}({x})", types=real)
def rint(x):
    """The nearest whole number; halves go to the even one."""


def round(x, decimals: int = 0):
    """x rounded to so many decimals, halves to even, as `np.round`."""
    if decimals == 0:
        return rint(x)
    scale = 10.0**decimals
    return rint(multiply(x, scale)) / scale


@primitive(
    numpy=np.copysign,
    c="sc_copysign_{t}({x}, {y})",
    grad=lambda x, y, out: (sign(x) * copysign(1.0, y), None),
    types=real,
)
def copysign(x, y):
    """|x| with the sign of y."""


# --- comparison ----------------------------------------------------------------------------------


@primitive(numpy=np.equal, c="{x} == {y}", types=predicate, infix=("==", 30), commutative=True)
def equal(x, y):
    """Whether x = y (symbolic expressions compare by identity with Python's own ==)."""


@primitive(numpy=np.not_equal, c="{x} != {y}", types=predicate, infix=("!=", 30), commutative=True)
def not_equal(x, y):
    """Whether x ≠ y."""


@primitive(numpy=np.less, c="{x} < {y}", types=predicate, infix=("<", 30))
def less(x, y):
    """Whether x < y."""


@primitive(numpy=np.less_equal, c="{x} <= {y}", types=predicate, infix=("<=", 30))
def less_equal(x, y):
    """Whether x ≤ y."""


@primitive(numpy=np.greater, c="{x} > {y}", types=predicate, infix=(">", 30))
def greater(x, y):
    """Whether x > y."""


@primitive(numpy=np.greater_equal, c="{x} >= {y}", types=predicate, infix=(">=", 30))
def greater_equal(x, y):
    """Whether x ≥ y."""


@primitive(numpy=np.isnan, c="{x} != {x}", types=testing)
def isnan(x):
    """Whether x is not a number."""


@primitive(numpy=np.isinf, c="sc_isinf_{t}({x})", types=testing)
def isinf(x):
    """Whether x is infinite."""


@primitive(numpy=np.isfinite, c="sc_isfinite_{t}({x})", types=testing)
def isfinite(x):
    """Whether x is neither infinite nor nan."""


@primitive(numpy=np.signbit, c="sc_signbit_{t}({x})", types=testing)
def signbit(x):
    """Whether the sign bit is set (true for −0.0)."""


def isclose(x, y, rtol: float = 1e-05, atol: float = 1e-08):
    """|x − y| ≤ atol + rtol·|y|, elementwise; equal infinities are close."""
    near = less_equal(abs(subtract(x, y)), add(atol, multiply(rtol, abs(y))))
    return logical_or(equal(x, y), logical_and(near, isfinite(y)))


# --- logic and bits ------------------------------------------------------------------------------


@primitive(numpy=np.logical_and, c="{x} && {y}", types=logical, infix=("&", 35), commutative=True)
def logical_and(x, y):
    """Whether both are true."""


@primitive(numpy=np.logical_or, c="{x} || {y}", types=logical, infix=("|", 33), commutative=True)
def logical_or(x, y):
    """Whether either is true."""


@primitive(numpy=np.logical_xor, c="{x} != {y}", types=logical, infix=("^", 34), commutative=True)
def logical_xor(x, y):
    """Whether exactly one is true."""


@primitive(numpy=np.logical_not, c="!{x}", types=logical, infix=("~", 55))
def logical_not(x):
    """Whether x is false."""


@primitive(numpy=np.bitwise_and, c="{x} & {y}", types=integer, infix=("&", 35), commutative=True)
def bitwise_and(x, y):
    """The bits set in both."""


@primitive(numpy=np.bitwise_or, c="{x} | {y}", types=integer, infix=("|", 33), commutative=True)
def bitwise_or(x, y):
    """The bits set in either."""


@primitive(numpy=np.bitwise_xor, c="{x} ^ {y}", types=integer, infix=("^", 34), commutative=True)
def bitwise_xor(x, y):
    """The bits set in exactly one."""


@primitive(numpy=np.bitwise_not, c="sc_not_{t}({x})", types=integer, infix=("~", 55))
def bitwise_not(x):
    """Every bit inverted; of a boolean, its negation."""


@primitive(numpy=np.left_shift, c="sc_shl_{t}({x}, {y})", types=shifting, infix=("<<", 38))
def left_shift(x, y):
    """x shifted left by y bits; 0 where y is not less than the width."""


@primitive(numpy=np.right_shift, c="sc_shr_{t}({x}, {y})", types=shifting, infix=(">>", 38))
def right_shift(x, y):
    """x shifted right by y bits, keeping the sign."""


# --- choice --------------------------------------------------------------------------------------


@primitive(
    numpy=np.where,
    c="{condition} ? {x} : {y}",
    grad=lambda condition, x, y, out: (None, condition, ~condition),
    types=choosing,
)
def where(condition, x, y):
    """x where the condition holds, else y, elementwise."""


def clip(x, low=None, high=None):
    """x, but not below `low` nor above `high` (either may be None); nan stays nan."""
    if low is not None:
        x = maximum(x, low)
    return x if high is None else minimum(x, high)
