"""Elementary functions: roots, exponentials, logarithms, trigonometric and hyperbolic functions,
the logistic family.

Each is declared by its NumPy meaning, its C expression, its derivative and its domain; all else
follows.
"""

from __future__ import annotations

from math import inf, pi
from math import log as _ln

import numpy as np

from symcomp.graph.scalar import define, primitive
from symcomp.tensor.arithmetic import abs, maximum

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "rad2deg",
    "sigmoid",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "tan",
    "tanh",
]  # fmt: skip


def _sigmoid(x):
    positive = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + positive), positive / (1 + positive)).astype(np.result_type(x))


@primitive(numpy=np.sqrt, c="sc_sqrt_{t}({x})", grad=lambda x, y: 0.5 / y, domain=(0, inf))
def sqrt(x):
    """The square root."""


@primitive(numpy=np.cbrt, c="sc_cbrt_{t}({x})", grad=lambda x, y: 1 / (3 * y * y))
def cbrt(x):
    """The cube root."""


@primitive(numpy=np.exp, c="sc_exp_{t}({x})", grad=lambda x, y: y)
def exp(x):
    """eˣ"""


@primitive(numpy=np.exp2, c="sc_exp2_{t}({x})", grad=lambda x, y: y * _ln(2))
def exp2(x):
    """2ˣ"""


@primitive(numpy=np.expm1, c="sc_expm1_{t}({x})", grad=lambda x, y: y + 1)
def expm1(x):
    """eˣ − 1, accurate when x is small."""


@primitive(numpy=np.log, c="sc_log_{t}({x})", grad=lambda x, y: 1 / x, domain=(0, inf))
def log(x):
    """The natural logarithm."""


@primitive(numpy=np.log2, c="sc_log2_{t}({x})", grad=lambda x, y: 1 / (x * _ln(2)), domain=(0, inf))
def log2(x):
    """The logarithm to base 2."""


@primitive(
    numpy=np.log10, c="sc_log10_{t}({x})", grad=lambda x, y: 1 / (x * _ln(10)), domain=(0, inf)
)
def log10(x):
    """The logarithm to base 10."""


@primitive(numpy=np.log1p, c="sc_log1p_{t}({x})", grad=lambda x, y: 1 / (1 + x), domain=(-1, inf))
def log1p(x):
    """log(1 + x), accurate when x is small."""


@primitive(
    numpy=np.logaddexp,
    c="sc_logaddexp_{t}({x}, {y})",
    grad=lambda x, y, out: (exp(x - out), exp(y - out)),
    commutative=True,
)
def logaddexp(x, y):
    """log(eˣ + eʸ), without overflow."""


@primitive(numpy=np.sin, c="sc_sin_{t}({x})", grad=lambda x, y: cos(x))
def sin(x):
    """The sine of x radians."""


@primitive(numpy=np.cos, c="sc_cos_{t}({x})", grad=lambda x, y: -sin(x))
def cos(x):
    """The cosine of x radians."""


@primitive(numpy=np.tan, c="sc_tan_{t}({x})", grad=lambda x, y: 1 + y * y)
def tan(x):
    """The tangent of x radians."""


@primitive(
    numpy=np.arcsin, c="sc_asin_{t}({x})", grad=lambda x, y: 1 / sqrt(1 - x * x), domain=(-1, 1)
)
def arcsin(x):
    """The angle in [−π/2, π/2] whose sine is x."""


@primitive(
    numpy=np.arccos, c="sc_acos_{t}({x})", grad=lambda x, y: -1 / sqrt(1 - x * x), domain=(-1, 1)
)
def arccos(x):
    """The angle in [0, π] whose cosine is x."""


@primitive(numpy=np.arctan, c="sc_atan_{t}({x})", grad=lambda x, y: 1 / (1 + x * x))
def arctan(x):
    """The angle in [−π/2, π/2] whose tangent is x."""


@primitive(
    numpy=np.arctan2,
    c="sc_atan2_{t}({y}, {x})",
    grad=lambda y, x, out: (x / (x * x + y * y), -y / (x * x + y * y)),
)
def arctan2(y, x):
    """The angle of the point (x, y), in [−π, π]."""


@primitive(
    numpy=np.hypot,
    c="sc_hypot_{t}({x}, {y})",
    grad=lambda x, y, out: (x / out, y / out),
    commutative=True,
)
def hypot(x, y):
    """√(x² + y²), without overflow."""


@primitive(numpy=np.sinh, c="sc_sinh_{t}({x})", grad=lambda x, y: cosh(x))
def sinh(x):
    """The hyperbolic sine."""


@primitive(numpy=np.cosh, c="sc_cosh_{t}({x})", grad=lambda x, y: sinh(x))
def cosh(x):
    """The hyperbolic cosine."""


@primitive(numpy=np.tanh, c="sc_tanh_{t}({x})", grad=lambda x, y: 1 - y * y)
def tanh(x):
    """The hyperbolic tangent."""


@primitive(numpy=np.arcsinh, c="sc_asinh_{t}({x})", grad=lambda x, y: 1 / sqrt(x * x + 1))
def arcsinh(x):
    """The inverse of sinh."""


@primitive(
    numpy=np.arccosh,
    c="sc_acosh_{t}({x})",
    grad=lambda x, y: 1 / (sqrt(x - 1) * sqrt(x + 1)),
    domain=(1, inf),
)
def arccosh(x):
    """The inverse of cosh, not negative."""


@primitive(
    numpy=np.arctanh, c="sc_atanh_{t}({x})", grad=lambda x, y: 1 / (1 - x * x), domain=(-1, 1)
)
def arctanh(x):
    """The inverse of tanh."""


@primitive(numpy=_sigmoid, c="sc_sigmoid_{t}({x})", grad=lambda x, y: y * (1 - y))
def sigmoid(x):
    """1 / (1 + e⁻ˣ), without overflow."""


@define(grad=lambda x, y: sigmoid(x))
def softplus(x):
    """log(1 + eˣ), without overflow."""
    return maximum(x, 0) + log1p(exp(-abs(x)))


@primitive(numpy=np.deg2rad, c="{x} * ({T})0.017453292519943295", grad=lambda x, y: pi / 180)
def deg2rad(x):
    """Degrees to radians."""


@primitive(numpy=np.rad2deg, c="{x} * ({T})57.29577951308232", grad=lambda x, y: 180 / pi)
def rad2deg(x):
    """Radians to degrees."""
