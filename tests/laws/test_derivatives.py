"""The law of derivatives: SymPy proves that each function's derivative is the derivative of what it
means.

Each function is translated by name; a derivative is proven where SymPy reduces the difference to
zero, else it is evidence: 40 digits at many points. Which of the two held is in the name of what
the test prints.
"""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy

from symcomp.graph.expr import Constant, Variable
from symcomp.graph.scalar import Cast, Primitive
from symcomp.graph.type import Type
from symcomp.graph.walk import order
from symcomp.tensor.special import Polygamma
from tests.laws.cases import PRIMITIVES, accepted

S = sympy

#: What each function means to SymPy, for real arguments.
MEANINGS = {
    "add": lambda *a: S.Add(*a),
    "multiply": lambda *a: S.Mul(*a),
    "subtract": lambda x, y: x - y,
    "negative": lambda x: -x,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "abs": S.Abs,
    "sign": S.sign,
    "maximum": S.Max,
    "minimum": S.Min,
    "floor": S.floor,
    "mod": lambda x, y: x - y * S.floor(x / y),
    "fmax": S.Max,
    "fmin": S.Min,
    "sqrt": S.sqrt,
    "cbrt": lambda x: x ** S.Rational(1, 3),
    "exp": S.exp,
    "exp2": lambda x: 2**x,
    "expm1": lambda x: S.exp(x) - 1,
    "log": S.log,
    "log2": lambda x: S.log(x) / S.log(2),
    "log10": lambda x: S.log(x) / S.log(10),
    "log1p": lambda x: S.log(1 + x),
    "logaddexp": lambda x, y: S.log(S.exp(x) + S.exp(y)),
    "sin": S.sin,
    "cos": S.cos,
    "tan": S.tan,
    "arcsin": S.asin,
    "arccos": S.acos,
    "arctan": S.atan,
    "arctan2": S.atan2,
    "hypot": lambda x, y: S.sqrt(x**2 + y**2),
    "sinh": S.sinh,
    "cosh": S.cosh,
    "tanh": S.tanh,
    "arcsinh": S.asinh,
    "arccosh": S.acosh,
    "arctanh": S.atanh,
    "sigmoid": lambda x: 1 / (1 + S.exp(-x)),
    "softplus": lambda x: S.log(1 + S.exp(x)),
    "deg2rad": lambda x: x * S.pi / 180,
    "rad2deg": lambda x: x * 180 / S.pi,
    "erf": S.erf,
    "erfc": S.erfc,
    "erfinv": S.erfinv,
    "ndtr": lambda x: S.erfc(-x / S.sqrt(2)) / 2,
    "gamma": S.gamma,
    "gammaln": S.loggamma,
    "digamma": S.digamma,
    "i0": lambda x: S.besseli(0, x),
    "i1": lambda x: S.besseli(1, x),
    "xlogy": lambda x, y: x * S.log(y),
    "xlog1py": lambda x, y: x * S.log(1 + y),
    "logit": lambda x: S.log(x / (1 - x)),
    "sinc": lambda x: S.sin(S.pi * x) / (S.pi * x),
    "relu": lambda x: S.Max(x, 0),
    "relu6": lambda x: S.Min(S.Max(x, 0), 6),
    "silu": lambda x: x / (1 + S.exp(-x)),
    "gelu": lambda x: x * S.erfc(-x / S.sqrt(2)) / 2,
    "gelu_tanh": lambda x: (
        x / 2 * (1 + S.tanh(S.sqrt(2 / S.pi) * (x + S.Float("0.044715", 40) * x**3)))
    ),
    "softsign": lambda x: x / (1 + S.Abs(x)),
    "tanh_shrink": lambda x: x - S.tanh(x),
    "mish": lambda x: x * S.tanh(S.log(1 + S.exp(x))),
    "copysign": lambda x, y: S.Abs(x) * S.sign(y),
    "where": lambda c, x, y: S.Piecewise((x, c), (y, True)),
    "equal": S.Eq,
    "not_equal": S.Ne,
    "less": S.Lt,
    "less_equal": S.Le,
    "greater": S.Gt,
    "greater_equal": S.Ge,
    "logical_and": S.And,
    "logical_or": S.Or,
    "logical_not": S.Not,
    "bitwise_and": S.And,
    "isnan": lambda x: S.false,
}


def to_sympy(output, symbols):
    """A rank-0 expression as SymPy reads it."""
    done = dict(symbols)
    for e in order([output]):
        if e in done:
            continue
        if isinstance(e, Constant):
            done[e] = number(e)
        elif isinstance(e.op, Cast):
            done[e] = done[e.args[0]]
        elif isinstance(e.op, Polygamma):
            done[e] = S.polygamma(e.op.order, done[e.args[0]])
        else:
            done[e] = MEANINGS[e.op.name](*(done[a] for a in e.args))
    return done[output]


#: What the floating-point constants of derivatives are small multiples of.
_UNITS = [S.Integer(1), S.pi, S.pi**2, 1 / S.pi, S.sqrt(S.pi), 1 / S.sqrt(S.pi), S.sqrt(2 * S.pi)]
_UNITS += [1 / S.sqrt(2 * S.pi), S.sqrt(2 / S.pi), S.log(2), 1 / S.log(2), S.log(10), 1 / S.log(10)]


def number(e):
    """A constant as the exact number that it stands for."""
    if e.dtype == "bool":
        return S.true if e.value else S.false
    value = float(e.value)
    for unit in _UNITS:
        ratio = Fraction(value / float(unit)).limit_denominator(5000)
        if abs(float(ratio) * float(unit) - value) <= 4e-16 * abs(value):
            return S.Rational(ratio.numerator, ratio.denominator) * unit
    return S.Float(value, 40)


def differentiable():
    return [n for n, op in PRIMITIVES.items() if op.grad is not None and accepted(op, "float64")]


def test_every_derivative_is_judged():
    assert not [n for n in differentiable() if n not in MEANINGS]


@pytest.mark.parametrize("name", differentiable())
def test_sympy_proves_the_derivative(name, record_property):
    op = PRIMITIVES[name]
    count = 3 if op.variadic else len(op.parameters)
    variables = [Variable(Type("float64", ()), f"x{i}") for i in range(count)]
    positive = op.domain[0] >= 0 or name in ("power", "cbrt")
    symbols = [S.Symbol(v.name, real=True, positive=positive or None) for v in variables]
    if name == "where":
        variables[0] = Variable(Type("bool", ()), "c")
        symbols[0] = S.Symbol("c")
    meaning = MEANINGS[name](*symbols)
    partials = op.derivative(op(*variables), *variables)
    for v, s, d in zip(variables, symbols, partials, strict=True):
        if d is None:
            continue
        claimed = d if isinstance(d, (int, float)) else as_number(d, variables, symbols)
        # SymPy leaves the derivative of ⌊·⌋ unsaid: it is 0 wherever there is one.
        true = S.diff(meaning, s).replace(
            lambda e: isinstance(e, (S.Derivative, S.Subs)), lambda e: S.Integer(0)
        )
        rung = "proof" if proven(claimed - true) else "evidence"
        if rung == "evidence":
            check_at_points(op, symbols, claimed, true)
        record_property(f"{name} by {v.name}", rung)
        print(f"{name}: derivative by {v.name}: {rung}")


def as_number(d, variables, symbols):
    """The derivative as a number: a mask stands for 0 and 1."""
    result = to_sympy(d, dict(zip(variables, symbols, strict=True)))
    return S.Piecewise((1, result), (0, True)) if d.dtype == "bool" else result


def proven(difference) -> bool:
    if difference.has(S.Piecewise, S.Max, S.Min, S.floor, S.Float, S.Abs, S.sign, S.besseli):
        return False
    return S.simplify(difference.rewrite(S.exp)) == 0 or S.simplify(difference) == 0


def check_at_points(op: Primitive, symbols, claimed, true):
    low, high = op.domain
    start, stop = max(low, -2), min(high, 2)
    start = 1.1 if low >= 1 else start
    stop = 3 if low >= 1 else stop
    fractions = ("0.137", "0.311", "0.593", "0.779", "0.941")
    for k, f in enumerate(fractions):
        at = {}
        for i, s in enumerate(symbols):
            g = mpmath.mpf(fractions[(k + i) % len(fractions)]) if i else mpmath.mpf(f)
            at[s] = S.Float(start + (stop - start) * g, 40)
        if s.name and "c" in {t.name for t in symbols}:
            at = {t: (S.true if k % 2 else S.false) if t.name == "c" else v for t, v in at.items()}
        a, b = (complex(S.N(S.sympify(e).subs(at).doit(), 30)) for e in (claimed, true))
        assert abs(a - b) <= 1e-12 * max(1, abs(b)), (op, at, a, b)
