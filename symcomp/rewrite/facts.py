"""What is known of an expression before it runs: bounds, wholeness, whether it can be zero,
infinite or nan.

Bounds are those of the mathematical value: e^x is positive, although it may round to 0. `finite` is
about the computed value: neither infinite nor nan, whatever the inputs are. Integers wrap around,
so an integer expression is known to be within bounds only where they fit its dtype. Facts are found
bottom-up, iteratively, and kept for the whole run.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan, log, pi
from typing import NamedTuple

import numpy as np

from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.scalar import Cast, Elementwise
from symcomp.graph.type import is_float, is_integer
from symcomp.graph.walk import order
from symcomp.tensor.creation import Eye, Range
from symcomp.tensor.indexing import Embed, Pick, Place, Scatter, Slice, Take
from symcomp.tensor.layout import Axes, Broadcast, Join, Reshape
from symcomp.tensor.linear import Dot
from symcomp.tensor.nn import LogSoftmax, Softmax
from symcomp.tensor.reduction import Extreme, LogSumExp, Reduce


class Fact(NamedTuple):
    """low ≤ x ≤ high; whole: an integer; nonzero: never 0; finite: neither infinite nor nan when
    computed."""

    low: float = -inf
    high: float = inf
    whole: bool = False
    nonzero: bool = False
    finite: bool = False

    @property
    def positive(self) -> bool:
        return self.low > 0 or (self.low >= 0 and self.nonzero)

    @property
    def negative(self) -> bool:
        return self.high < 0 or (self.high <= 0 and self.nonzero)


UNKNOWN = Fact()

#: Beyond this a float32 overflows; bounds within it stay finite in every floating dtype.
_LARGE = 3e38


class Facts:
    """Facts about the expressions of one run, found when asked for; also which of them several
    others use."""

    def __init__(self):
        self._known: dict[Expr, Fact] = {}
        #: Expressions that more than one expression needs.
        self.shared: set[Expr] = set()
        #: Sums within sums and products within products, which their root takes in all at once.
        self.absorbed: set[Expr] = set()

    def of(self, expr: Expr) -> Fact:
        """All that is known of an expression."""
        found = self._known.get(expr)
        if found is None:
            for node in order([expr], stop=self._settled):
                if node not in self._known:
                    self._known[node] = self._find(node)
            found = self._known[expr]
        return found

    def _settled(self, e: Expr) -> bool:
        return e in self._known or e.weak

    def positive(self, e: Expr) -> bool:
        return self.of(e).positive

    def negative(self, e: Expr) -> bool:
        return self.of(e).negative

    def nonnegative(self, e: Expr) -> bool:
        return self.of(e).low >= 0

    def nonpositive(self, e: Expr) -> bool:
        return self.of(e).high <= 0

    def nonzero(self, e: Expr) -> bool:
        fact = self.of(e)
        return fact.nonzero or fact.low > 0 or fact.high < 0

    def whole(self, e: Expr) -> bool:
        return self.of(e).whole

    def finite(self, e: Expr) -> bool:
        return self.of(e).finite

    def independent(self, e: Expr, axis: int) -> bool:
        """Whether `e` is the same all along an axis, counted from the end."""
        return e.ndim < -axis or e.shape[axis] == 1

    def _find(self, node: Expr) -> Fact:
        if isinstance(node, Constant):
            return _of_array(node.value)
        if node.weak:
            return Fact(0 if size.is_nonnegative(node) else -inf, inf, True, False, True)
        if node.op is None:
            return _of_dtype(node.dtype)
        args = [self._known[a] for a in node.args]
        rule = _RULES.get(getattr(node.op, "name", None)) or _BY_CLASS.get(type(node.op))
        if rule is None:
            return _of_dtype(node.dtype)
        return _within(node, rule(node, *args), args)


def _of_array(value: np.ndarray) -> Fact:
    if not value.size or value.size > 4096:
        return _of_dtype(value.dtype.name)
    low, high = float(value.min()), float(value.max())
    if isnan(low):
        return UNKNOWN
    whole = bool(np.all(value == np.floor(value))) if value.dtype.kind == "f" else True
    return Fact(low, high, whole, bool(np.all(value != 0)), bool(np.all(np.isfinite(value))))


def _of_dtype(dtype: str) -> Fact:
    if dtype == "bool":
        return Fact(0, 1, True, False, True)
    if is_integer(dtype):
        limits = np.iinfo(dtype)
        return Fact(float(limits.min), float(limits.max), True, False, True)
    return UNKNOWN


def _within(node: Expr, fact: Fact, args: list[Fact]) -> Fact:
    """What the dtype makes of a mathematical fact: integers wrap around, floats overflow."""
    if isnan(fact.low) or isnan(fact.high):
        fact = fact._replace(low=-inf, high=inf)
    if is_float(node.dtype):
        bounded = -_LARGE < fact.low and fact.high < _LARGE
        fine = fact.finite or (bounded and all(a.finite for a in args) and _total(node))
        return fact._replace(finite=fine)
    limits = _of_dtype(node.dtype)
    if fact.low < limits.low or fact.high > limits.high:
        return limits
    return fact._replace(whole=True, finite=True)


#: Functions that are finite wherever their arguments are and their bounds are.
_TOTAL = {
    "abs", "add", "arctan", "arctan2", "ceil", "clip", "copysign", "cos", "exp", "floor", "fmax",
    "fmin", "maximum", "minimum", "multiply", "negative", "relu", "rint", "sigmoid", "sign", "sin",
    "softplus", "square", "subtract", "tanh", "trunc", "where",
}  # fmt: skip


def _total(node: Expr) -> bool:
    if isinstance(node.op, Elementwise):
        return isinstance(node.op, Cast) or node.op.name in _TOTAL
    return True


# --- one line for each function -------------------------------------------------------------------


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _sum(node: Expr, *args: Fact) -> Fact:
    if node.dtype == "bool":
        return Fact(0, 1, True)
    low, high = sum(a.low for a in args), sum(a.high for a in args)
    one_sided = (all(a.low >= 0 for a in args) or all(a.high <= 0 for a in args)) and any(
        a.nonzero for a in args
    )
    return Fact(low, high, all(a.whole for a in args), low > 0 or high < 0 or one_sided)


def _difference(node: Expr, x: Fact, y: Fact) -> Fact:
    return _sum(node, x, _negated(node, y))


def _negated(node: Expr, x: Fact) -> Fact:
    return Fact(-x.high, -x.low, x.whole, x.nonzero)


def _product(node: Expr, *args: Fact) -> Fact:
    low = high = 1.0
    for a in args:
        ends = [_times(p, q) for p in (low, high) for q in (a.low, a.high)]
        low, high = min(ends), max(ends)
    return Fact(low, high, all(a.whole for a in args), all(a.nonzero for a in args))


def _quotient(node: Expr, x: Fact, y: Fact) -> Fact:
    if y.positive:
        low = 0.0 if x.low >= 0 else -inf
        high = 0.0 if x.high <= 0 else inf
        if y.low >= 1:
            low, high = (max(low, min(x.low, 0.0)), min(high, max(x.high, 0.0)))
        return Fact(low, high, False, x.nonzero)
    return Fact(nonzero=x.nonzero and x.finite)


def _power(node: Expr, x: Fact, y: Fact) -> Fact:
    exponent = node.args[1]
    even = isinstance(exponent, Constant) and bool(np.all(exponent.value % 2 == 0))
    whole = x.whole and y.whole and y.low >= 0
    nonzero = x.nonzero and y.low >= 0
    if even and y.low > 0:
        top = max(abs(x.low), abs(x.high))
        high = top**y.high if top < 1e9 and y.high < 30 else inf
        return Fact(0, high, whole, nonzero)
    if x.low >= 0:
        return Fact(0, inf, whole, x.positive)
    return Fact(-inf, inf, whole, nonzero)


def _absolute(node: Expr, x: Fact) -> Fact:
    low = max(x.low, -x.high, 0.0)
    return Fact(low, max(-x.low, x.high), x.whole, x.nonzero, x.finite)


def _exponential(node: Expr, x: Fact) -> Fact:
    return Fact(0 if x.low < -700 else float(np.exp(x.low)), _exp(x.high), False, True)


def _exp(v: float) -> float:
    return inf if v > 700 else float(np.exp(v))


def _monotone(function: Callable, low: float, high: float) -> Callable:
    """A function that grows, from one value to another."""

    def fact(node: Expr, x: Fact) -> Fact:
        with np.errstate(all="ignore"):
            bottom = low if x.low == -inf else float(function(x.low))
            top = high if x.high == inf else float(function(x.high))
            at_zero = function(0.0)
        bottom = low if isnan(bottom) else bottom
        top = high if isnan(top) else top
        nonzero = (bottom > 0 or top < 0) or (
            x.nonzero and (x.low >= 0 or x.high <= 0) and at_zero == 0
        )
        return Fact(bottom, top, False, nonzero)

    return fact


def _bounded(low: float, high: float) -> Callable:
    return lambda node, *args: Fact(low, high)


def _rounded(function: Callable) -> Callable:
    def fact(node: Expr, x: Fact) -> Fact:
        return Fact(float(function(x.low)), float(function(x.high)), True, x.low >= 1, x.finite)

    return fact


def _hull(*args: Fact) -> Fact:
    """What holds of every one of several values."""
    return Fact(
        min(a.low for a in args),
        max(a.high for a in args),
        all(a.whole for a in args),
        all(a.nonzero for a in args),
        all(a.finite for a in args),
    )


def _larger(node: Expr, x: Fact, y: Fact) -> Fact:
    nonzero = (x.nonzero and y.nonzero) or x.positive or y.positive
    return Fact(max(x.low, y.low), max(x.high, y.high), x.whole and y.whole, nonzero)


def _smaller(node: Expr, x: Fact, y: Fact) -> Fact:
    nonzero = (x.nonzero and y.nonzero) or x.negative or y.negative
    return Fact(min(x.low, y.low), min(x.high, y.high), x.whole and y.whole, nonzero)


def _cast(node: Expr, x: Fact) -> Fact:
    if is_float(node.dtype):
        # Wide integers round, which keeps them whole and within rounded bounds.
        return Fact(
            float(x.low), float(x.high), x.whole, x.nonzero, x.finite and abs(x.high) < _LARGE
        )
    if is_float(node.args[0].dtype):
        return _of_dtype(node.dtype)
    if node.dtype == "bool":
        return Fact(1 if x.nonzero else 0, 1, True, x.nonzero)
    return x


def _square(node: Expr, x: Fact) -> Fact:
    top = max(-x.low, x.high)
    return Fact(0, top * top, x.whole, x.nonzero)


def _reduced(node: Expr, x: Fact) -> Fact:
    if node.op.monoid in ("max", "min", "any", "all"):
        return x._replace(finite=x.finite)
    if node.op.monoid == "sum":
        low, high = (0 if x.low >= 0 else -inf), (0 if x.high <= 0 else inf)
        return Fact(low, high, x.whole)
    return Fact(0 if x.low >= 0 else -inf, inf, x.whole)


def _contracted(node: Expr, a: Fact, b: Fact) -> Fact:
    term = _product(node, a, b)
    return Fact(0 if term.low >= 0 else -inf, 0 if term.high <= 0 else inf, term.whole)


def _first(node: Expr, x: Fact, *rest: Fact) -> Fact:
    return x


def _softplus(node: Expr, x: Fact) -> Fact:
    return Fact(max(x.low, 0.0), inf if x.high > 700 else x.high + log(2) + 1, False, True)


def _range(node: Expr, start: Fact, step: Fact, *length: Fact) -> Fact:
    low = start.low if step.low >= 0 else -inf
    return Fact(low, inf, start.whole and step.whole, False, step.finite and start.finite)


_BOOLEAN = _bounded(0, 1)
_PREDICATES = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isnan", "isinf",
    "isfinite", "signbit", "logical_and", "logical_or", "logical_xor", "logical_not",
)  # fmt: skip

_RULES: dict[str, Callable] = {
    "add": _sum,
    "subtract": _difference,
    "multiply": _product,
    "negative": _negated,
    "divide": _quotient,
    "reciprocal": lambda node, x: _quotient(node, Fact(1, 1, True, True, True), x),
    "power": _power,
    "square": _square,
    "abs": _absolute,
    "sign": lambda node, x: Fact(
        0 if x.low >= 0 else -1, 0 if x.high <= 0 else 1, True, x.nonzero, x.finite
    ),
    "maximum": _larger,
    "fmax": _larger,
    "minimum": _smaller,
    "fmin": _smaller,
    "floor": _rounded(np.floor),
    "ceil": _rounded(np.ceil),
    "rint": _rounded(np.rint),
    "trunc": _rounded(np.trunc),
    "where": lambda node, c, x, y: _hull(x, y),
    "cast": _cast,
    "sqrt": _monotone(np.sqrt, 0, inf),
    "cbrt": _monotone(np.cbrt, -inf, inf),
    "exp": _exponential,
    "exp2": lambda node, x: Fact(0, inf, False, True),
    "expm1": _monotone(np.expm1, -1, inf),
    "log": _monotone(np.log, -inf, inf),
    "log2": _monotone(np.log2, -inf, inf),
    "log10": _monotone(np.log10, -inf, inf),
    "log1p": _monotone(np.log1p, -inf, inf),
    "sin": _bounded(-1, 1),
    "cos": _bounded(-1, 1),
    "arctan": _monotone(np.arctan, -pi / 2, pi / 2),
    "arctan2": _bounded(-pi, pi),
    "arcsin": _monotone(np.arcsin, -pi / 2, pi / 2),
    "arccos": _bounded(0, pi),
    "sinh": _monotone(np.sinh, -inf, inf),
    "cosh": lambda node, x: Fact(1, inf, False, True),
    "tanh": _monotone(np.tanh, -1, 1),
    "arcsinh": _monotone(np.arcsinh, -inf, inf),
    "arccosh": _bounded(0, inf),
    "hypot": lambda node, x, y: Fact(0, inf, False, x.nonzero or y.nonzero),
    "sigmoid": lambda node, x: Fact(0, 1, False, True),
    "softplus": _softplus,
    "relu": lambda node, x: Fact(max(x.low, 0.0), max(x.high, 0.0), x.whole, x.positive),
    **dict.fromkeys(_PREDICATES, _BOOLEAN),
}

_BY_CLASS: dict[type, Callable] = {
    **dict.fromkeys((Axes, Broadcast, Reshape, Slice, Take, Pick), _first),
    Join: lambda node, *args: _hull(*args),
    Place: lambda node, g, at, *n: _hull(g, Fact(0, 0, True, False, True)),
    Embed: lambda node, g, *n: _hull(g, Fact(0, 0, True, False, True)),
    Scatter: lambda node, base, values, *at: (
        UNKNOWN if node.op.monoid == "sum" else _hull(base, values)
    ),
    Eye: lambda node, *n: Fact(0, 1, True, False, True),
    Range: _range,
    Reduce: _reduced,
    Dot: _contracted,
    Softmax: lambda node, x: Fact(0, 1, False, True),
    LogSoftmax: lambda node, x: Fact(-inf, 0),
    LogSumExp: lambda node, x: UNKNOWN,
    Extreme: lambda node, x: Fact(0, inf, True, False, True),
}
