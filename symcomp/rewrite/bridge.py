"""To SymPy and back: elementwise expressions as SymPy's, for proofs, for printing, and for what
SymPy alone can do.

SymPy is an optional extra, imported when first asked for; nothing that compiles a function needs
it. Shapes and dtypes are lost on the way there: an expression becomes the function of real numbers
that it is for each element. Literals that stand for known constants (log 2, π, e) become those;
others become exact fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from symcomp.errors import ArgumentError, describe, here
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.op import as_expr, registry
from symcomp.graph.scalar import Cast, Elementwise
from symcomp.graph.show import text
from symcomp.graph.walk import order
from symcomp.tensor import arithmetic, elementary

#: Functions that SymPy has under another name, as formulas in `s` (SymPy) and the arguments.
_TO: dict[str, Callable] = {
    "add": lambda s, *a: s.Add(*a),
    "multiply": lambda s, *a: s.Mul(*a),
    "subtract": lambda s, x, y: x - y,
    "negative": lambda s, x: -x,
    "divide": lambda s, x, y: x / y,
    "reciprocal": lambda s, x: 1 / x,
    "power": lambda s, x, y: x**y,
    "square": lambda s, x: x**2,
    "abs": lambda s, x: s.Abs(x),
    "sign": lambda s, x: s.sign(x),
    "maximum": lambda s, x, y: s.Max(x, y),
    "minimum": lambda s, x, y: s.Min(x, y),
    "fmax": lambda s, x, y: s.Max(x, y),
    "fmin": lambda s, x, y: s.Min(x, y),
    "floor": lambda s, x: s.floor(x),
    "ceil": lambda s, x: s.ceiling(x),
    "rint": lambda s, x: _nearest(s, x),
    "trunc": lambda s, x: s.sign(x) * s.floor(s.Abs(x)),
    "copysign": lambda s, x, y: s.Piecewise((s.Abs(x), y >= 0), (-s.Abs(x), True)),
    "mod": lambda s, x, y: s.Mod(x, y),
    "floor_divide": lambda s, x, y: s.floor(x / y),
    "sqrt": lambda s, x: s.sqrt(x),
    "cbrt": lambda s, x: s.sign(x) * s.Abs(x) ** s.Rational(1, 3),
    "exp": lambda s, x: s.exp(x),
    "exp2": lambda s, x: s.Integer(2) ** x,
    "expm1": lambda s, x: s.exp(x) - 1,
    "log": lambda s, x: s.log(x),
    "log2": lambda s, x: s.log(x) / s.log(2),
    "log10": lambda s, x: s.log(x) / s.log(10),
    "log1p": lambda s, x: s.log(1 + x),
    "logaddexp": lambda s, x, y: s.log(s.exp(x) + s.exp(y)),
    "hypot": lambda s, x, y: s.sqrt(x**2 + y**2),
    "arcsin": lambda s, x: s.asin(x),
    "arccos": lambda s, x: s.acos(x),
    "arctan": lambda s, x: s.atan(x),
    "arctan2": lambda s, y, x: s.atan2(y, x),
    "arcsinh": lambda s, x: s.asinh(x),
    "arccosh": lambda s, x: s.acosh(x),
    "arctanh": lambda s, x: s.atanh(x),
    "sigmoid": lambda s, x: 1 / (1 + s.exp(-x)),
    "softplus": lambda s, x: s.log(1 + s.exp(x)),
    "relu": lambda s, x: s.Max(x, 0),
    "silu": lambda s, x: x / (1 + s.exp(-x)),
    "deg2rad": lambda s, x: x * s.pi / 180,
    "rad2deg": lambda s, x: x * 180 / s.pi,
    "where": lambda s, c, x, y: s.Piecewise((x, c), (y, True)),
    "equal": lambda s, x, y: s.Eq(x, y),
    "not_equal": lambda s, x, y: s.Ne(x, y),
    "less": lambda s, x, y: x < y,
    "less_equal": lambda s, x, y: x <= y,
    "greater": lambda s, x, y: x > y,
    "greater_equal": lambda s, x, y: x >= y,
    "logical_and": lambda s, x, y: s.And(x, y),
    "logical_or": lambda s, x, y: s.Or(x, y),
    "logical_xor": lambda s, x, y: s.Xor(x, y),
    "logical_not": lambda s, x: s.Not(x),
    **{name: (lambda s, x, name=name: getattr(s, name)(x)) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc",
    )},
    "gammaln": lambda s, x: s.loggamma(x),
}  # fmt: skip


def _nearest(s: Any, x: Any) -> Any:
    """The nearest whole number; halves go to the even one."""
    up = s.floor(x + s.Rational(1, 2))
    tie = s.And(s.Eq(s.Mod(x, 1), s.Rational(1, 2)), s.Eq(s.Mod(up, 2), 1))
    return s.Piecewise((up - 1, tie), (up, True))


#: Literals that stand for a constant of mathematics.
_CONSTANTS: dict[float, Callable] = {
    math.pi: lambda s: s.pi,
    math.e: lambda s: s.E,
    math.log(2): lambda s: s.log(2),
    math.log(10): lambda s: s.log(10),
    1 / math.log(2): lambda s: 1 / s.log(2),
    math.sqrt(2): lambda s: s.sqrt(2),
}


def to_sympy(expr: Any, symbols: Mapping[Expr, Any] | Callable | None = None) -> Any:
    """A SymPy expression for the value of each element of an elementwise expression.

    `symbols` gives the symbol of each leaf (a mapping, or a function); by default real symbols of
    the same names. Errors: ArgumentError where an operation is not elementwise, or has no name in
    SymPy.
    """
    import sympy

    expr = as_expr(expr)
    name_of = symbols if callable(symbols) else _symbols(sympy, symbols or {})
    done: dict[Expr, Any] = {}
    for node in order([expr]):
        if isinstance(node, Constant):
            done[node] = _number(sympy, node)
        elif node.op is None:
            done[node] = name_of(node)
        else:
            done[node] = _applied(sympy, node, [done[a] for a in node.args])
    return done[expr]


def _symbols(sympy, given: Mapping[Expr, Any]) -> Callable:
    def symbol(leaf: Expr):
        if leaf in given:
            return given[leaf]
        name = leaf.name or f"x{leaf.serial}"
        return sympy.Symbol(name) if leaf.dtype == "bool" else sympy.Symbol(name, real=True)

    return symbol


def _number(sympy, node: Constant) -> Any:
    if node.value.size != 1:
        raise ArgumentError(describe(f"to_sympy: {text(node)} is not one number", origin=here()))
    value = node.value.item()
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int):
        return sympy.Integer(value)
    if not math.isfinite(value):
        return sympy.nan if math.isnan(value) else sympy.oo * int(math.copysign(1, value))
    if value in _CONSTANTS:
        return _CONSTANTS[value](sympy)
    if -value in _CONSTANTS:
        return -_CONSTANTS[-value](sympy)
    exact = Fraction(value)
    return sympy.Rational(exact.numerator, exact.denominator)


def _applied(sympy, node: Expr, args: list) -> Any:
    if isinstance(node.op, Cast) and node.dtype != "bool":
        boolean = node.args[0].dtype == "bool"
        return sympy.Piecewise((1, args[0]), (0, True)) if boolean else args[0]
    formula = _TO.get(node.op.name) if isinstance(node.op, Elementwise) else None
    if formula is None:
        message = f"to_sympy: {node.op.name} has no meaning for a single number in SymPy"
        raise ArgumentError(describe(message, text(node, 3), origin=here()))
    return formula(sympy, *args)


#: SymPy's functions by name, as symcomp's.
_FROM: dict[str, Callable] = {
    "Add": arithmetic.add,
    "Mul": arithmetic.multiply,
    "Pow": lambda x, y: 1 / x if _is(y, -1) else elementary.sqrt(x) if _is(y, 0.5) else x**y,
    "Abs": arithmetic.abs,
    "sign": arithmetic.sign,
    "floor": arithmetic.floor,
    "ceiling": arithmetic.ceil,
    "exp": elementary.exp,
    "log": lambda x, *base: (
        elementary.log(x) / elementary.log(*base) if base else elementary.log(x)
    ),
    "asin": elementary.arcsin,
    "acos": elementary.arccos,
    "atan": elementary.arctan,
    "atan2": elementary.arctan2,
    "asinh": elementary.arcsinh,
    "acosh": elementary.arccosh,
    "atanh": elementary.arctanh,
    "Equality": arithmetic.equal,
    "Unequality": arithmetic.not_equal,
    "StrictLessThan": arithmetic.less,
    "LessThan": arithmetic.less_equal,
    "StrictGreaterThan": arithmetic.greater,
    "GreaterThan": arithmetic.greater_equal,
    "Not": arithmetic.logical_not,
}
_FOLDED = {
    "Max": arithmetic.maximum,
    "Min": arithmetic.minimum,
    "And": arithmetic.logical_and,
    "Or": arithmetic.logical_or,
    "Xor": arithmetic.logical_xor,
}


def _is(value: Any, number: float) -> bool:
    return not isinstance(value, Expr) and value == number


def from_sympy(formula: Any, variables: Mapping[Any, Expr]) -> Expr:
    """A symcomp expression for a SymPy one; `variables` maps its symbols (or their names) to
    expressions.

    Errors: ArgumentError where a symbol has no expression, or a function no counterpart.
    """
    import sympy

    by_name = {getattr(k, "name", k): v for k, v in variables.items()}
    done: dict[Any, Any] = {}
    for node in sympy.postorder_traversal(sympy.sympify(formula)):
        if node not in done:
            done[node] = _translated(sympy, node, done, by_name)
    return as_expr(done[sympy.sympify(formula)])


def _translated(sympy, node: Any, done: dict, variables: Mapping[str, Expr]) -> Any:
    if node.is_Symbol:
        if node.name not in variables:
            raise ArgumentError(describe(f"from_sympy: no expression for {node}", origin=here()))
        return variables[node.name]
    if node in (sympy.true, sympy.false):
        return bool(node)
    if node.is_Integer:
        return int(node)
    if node.is_number and not node.free_symbols:
        return float(node)
    name = type(node).__name__
    if name == "ExprCondPair":
        return None
    args = [done[a] for a in node.args]
    if name == "Piecewise":
        return _choices(node, done)
    if name in _FOLDED:
        result = args[0]
        for a in args[1:]:
            result = _FOLDED[name](result, a)
        return result
    function = _FROM.get(name) or registry.get(name)
    if function is None:
        raise ArgumentError(
            describe(f"from_sympy: {name} is not a function of symcomp", origin=here())
        )
    return function(*args)


def _choices(node: Any, done: dict) -> Any:
    *pairs, (last, otherwise) = [(done[p.expr], done[p.cond]) for p in node.args]
    result = last if otherwise is True else arithmetic.where(otherwise, last, math.nan)
    for value, condition in reversed(pairs):
        result = arithmetic.where(condition, value, result)
    return result
