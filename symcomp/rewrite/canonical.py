"""One form for sums and products: flat, sorted, collected.

    x − (y − z)      →  x + (−1)·y + z     a sum has only coefficients, no differences
    2·x + y + 3·x    →  5·x + y            like terms are collected, constants folded
    x · y · x        →  x² · y             powers too, by whole and positive exponents
    (a·x) / y        →  a · (x / y)        constants stand in front

so that a rule need be written once for all the ways in which its left side can be written down.
Terms are sorted by `serial`, the order in which expressions were made. `specialize` brings
differences and negations back at the end.

**Decisions.** Floating-point sums and products are regrouped (their result may differ in the last
bits), but constants are not folded where that gives inf, 0 or a subnormal number of ordinary ones.
Constants fold as NumPy computes them, in the dtype of the expression; integers wrap around.
Quotients of expressions are not regrouped: (x / y)·z may be finite where x·z is not. A sum or
product that several expressions use is computed once: it is not taken in by each of them. `x − x`
and `0·x` vanish where x is known to be finite (integers always are): a nan must not be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import frexp
from typing import Any, NamedTuple

import numpy as np

from symcomp.graph.expr import Constant, Expr, build, constant
from symcomp.graph.scalar import Elementwise
from symcomp.graph.type import is_float, is_integer
from symcomp.rewrite import engine
from symcomp.rewrite.engine import MOST_TERMS
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.match import fitted
from symcomp.rewrite.rule import array_rule, registry
from symcomp.tensor.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    power,
    reciprocal,
    square,
    subtract,
)
from symcomp.tensor.layout import Axes, Reshape
from symcomp.tensor.reduction import Reduce

#: Literal arrays of more elements than this are not computed with while compiling.
_SMALL = 256


class Arithmetic(NamedTuple):
    """How constants of a dtype are added and multiplied while compiling."""

    of: Callable[[np.ndarray], Any]
    add: Callable[[Any, Any], Any]
    multiply: Callable[[Any, Any], Any]
    literal: Callable[[Any], Constant]
    #: Whether a result may take the place of the ordinary numbers that it was computed from.
    ordinary: Callable[[Any], bool]


@cache
def arithmetic(dtype: str) -> Arithmetic:
    """Integers wrap around; floats are computed as NumPy does."""
    if is_integer(dtype):
        limits = np.iinfo(dtype)

        def wrap(n: int) -> int:
            return (n - limits.min) % (limits.max - limits.min + 1) + limits.min

        def integer(n: int) -> Constant:
            return constant(np.array(wrap(n), dtype=dtype))

        return Arithmetic(
            lambda v: int(v),
            lambda a, b: wrap(int(a) + int(b)),
            lambda a, b: wrap(int(a) * int(b)),
            integer,
            lambda v: True,
        )
    kind, smallest = np.dtype(dtype).type, np.finfo(dtype).tiny

    def quietly(function):
        def compute(a, b):
            with np.errstate(all="ignore"):
                return function(kind(a), kind(b))

        return compute

    return Arithmetic(
        lambda v: kind(v),
        quietly(np.add),
        quietly(np.multiply),
        lambda v: constant(np.array(v, dtype=dtype)),
        lambda v: bool(np.isfinite(v)) and abs(v) >= smallest,
    )


def is_number(e: Expr) -> bool:
    """Whether an expression is a literal number."""
    return isinstance(e, Constant) and not e.value.ndim


def is_minus_one(c: Any, numbers: Arithmetic) -> bool:
    """Whether a number is −1 (of an unsigned dtype, the largest: they wrap around)."""
    return numbers.add(c, 1) == 0


def coefficient(e: Expr, numbers: Arithmetic) -> tuple[Any, tuple[Expr, ...]]:
    """A term as a number times factors."""
    if e.op is multiply and is_number(e.args[0]):
        return numbers.of(e.args[0].value), e.args[1:]
    return numbers.of(1), (e,)


def _serials(factors: tuple[Expr, ...]) -> list[int]:
    return [f.serial for f in factors]


def _serial(e: Expr) -> int:
    return e.serial


# --- sums -----------------------------------------------------------------------------------------


@array_rule(add, subtract, negative)
def sums(node: Expr, known: Facts) -> Expr | None:
    """x − (y − z) → x + (−1)·y + z;  a·x + b·x → (a + b)·x"""
    if node.dtype == "bool":
        return None
    numbers = arithmetic(node.dtype)
    total, terms = _flat_sum(node, known, numbers)
    args = []
    for factors, parts in terms.items():
        args.extend(_collected(factors, parts, numbers, known))
    args.sort(key=lambda item: item[0])
    result = [e for _, e in args]
    if total:
        result.append(numbers.literal(total))
    if not result:
        return fitted(0, node)
    return fitted(result[0] if len(result) == 1 else build(add, tuple(result)), node)


def _flat_sum(node: Expr, known: Facts, numbers: Arithmetic):
    """The constant of a sum, and its terms: {factors: [(coefficient, the expression so written, or
    None)]}."""
    total, terms = numbers.of(0), {}
    minus = numbers.of(-1) if is_float(node.dtype) else -1
    stack = [(numbers.of(1), node)]
    while stack:
        c, e = stack.pop()
        if e.op in (add, subtract, negative) and (e is node or _open(e, known)):
            if e.op is add:
                stack.extend((c, a) for a in reversed(e.args))
            elif e.op is subtract:
                stack.append((numbers.multiply(c, minus), e.args[1]))
                stack.append((c, e.args[0]))
            else:
                stack.append((numbers.multiply(c, minus), e.args[0]))
            continue
        if is_number(e):
            value = numbers.multiply(c, numbers.of(e.value))
            total = numbers.add(total, value)
            continue
        own, factors = coefficient(e, numbers)
        both = numbers.multiply(c, own)
        if len(factors) == 1 and own == minus and factors[0].op is add and _open(factors[0], known):
            stack.append((both, factors[0]))
            continue
        terms.setdefault(factors, []).append((both, e if c == 1 else None))
    return total, terms


def _open(e: Expr, known: Facts) -> bool:
    """Whether a sum or product may be taken in by the one that it is in."""
    return e not in known.shared and len(e.args) <= MOST_TERMS and not e.weak


def _collected(factors, parts, numbers: Arithmetic, known: Facts):
    """Like terms as one, with what they are sorted by; as several where their sum would not be
    ordinary."""
    order = _serials(factors)
    if len(parts) == 1:
        c, written = parts[0]
        return [(order, written if written is not None else _scaled(c, factors, numbers))]
    c = parts[0][0]
    for p, _ in parts[1:]:
        c = numbers.add(c, p)
    if c == 0:
        if all(known.finite(f) for f in factors):
            return []
        up = [p for p, _ in parts if p > 0]
        c = up[0]
        for p in up[1:]:
            c = numbers.add(c, p)
        both = [c, -c]
    elif not numbers.ordinary(c):
        both = [p for p, _ in parts]
    else:
        both = [c]
    return [(order, _scaled(b, factors, numbers)) for b in both]


def _scaled(c: Any, factors: tuple[Expr, ...], numbers: Arithmetic) -> Expr:
    if c == 1:
        return factors[0] if len(factors) == 1 else build(multiply, factors)
    return build(multiply, (numbers.literal(c), *factors))


# --- products -------------------------------------------------------------------------------------


@array_rule(multiply)
def products(node: Expr, known: Facts) -> Expr | None:
    """(a·x)·(b·y) → (a·b)·x·y;  xᵐ·xⁿ → xᵐ⁺ⁿ;  −(x + y) → −x + −y"""
    if node.dtype == "bool":
        return None
    numbers = arithmetic(node.dtype)
    constants, powers = _flat_product(node, known, numbers)
    factors = sorted(
        (f for base, ways in powers.items() for f in _raised(base, ways, node.dtype)), key=_serial
    )
    front = _folded(constants, numbers)
    if len(front) == 1 and front[0] == 0 and all(known.finite(f) for f in factors):
        return fitted(0, node)
    if len(front) == 1 and len(factors) == 1 and is_minus_one(front[0], numbers):
        total = factors[0]
        if total.op is add and _open(total, known):
            minus = numbers.literal(front[0])
            return fitted(build(add, tuple(build(multiply, (minus, t)) for t in total.args)), node)
    args = [*map(numbers.literal, front), *factors]
    if not args:
        return fitted(1, node)
    return fitted(args[0] if len(args) == 1 else build(multiply, tuple(args)), node)


def _flat_product(node: Expr, known: Facts, numbers: Arithmetic):
    """The constants of a product, and its factors: {base: [(exponent or None, the factor as
    written)]}."""
    constants: list = []
    powers: dict[Expr, list] = {}
    minus = -1
    stack = [node]
    while stack:
        e = stack.pop()
        if e.op is multiply and (e is node or _open(e, known)):
            stack.extend(reversed(e.args))
        elif e.op is negative and (e is node or _open(e, known)):
            constants.append(numbers.of(minus))
            stack.append(e.args[0])
        elif is_number(e):
            constants.append(numbers.of(e.value))
        else:
            base, exponent = _power_of(e)
            powers.setdefault(base, []).append((exponent, e))
    return constants, powers


def whole_exponent(e: Expr) -> int | None:
    """The exponent of a power by a literal whole number, else None."""
    if e.op is not power or not is_number(e.args[1]):
        return None
    n = e.args[1].value.item()
    return int(n) if np.isfinite(n) and n == int(n) else None


def _power_of(e: Expr) -> tuple[Expr, int]:
    if e.op is square:
        return e.args[0], 2
    n = whole_exponent(e)
    return (e.args[0], n) if n is not None and n > 0 else (e, 1)


def _raised(base: Expr, ways: list, dtype: str) -> list[Expr]:
    """The powers of one base as one, where the exponent fits the dtype."""
    n = sum(exponent for exponent, _ in ways)
    if len(ways) == 1 or (is_integer(dtype) and n > np.iinfo(dtype).max):
        return [e for _, e in ways]
    return [build(power, (base, constant(np.array(n, dtype=dtype))))]


def _folded(constants: list, numbers: Arithmetic) -> list:
    """The product of constants, without a one; all of them where it is not ordinary and they
    are."""
    if not constants:
        return []
    c = constants[0]
    for d in constants[1:]:
        c = numbers.multiply(c, d)
    if len(constants) > 1 and not numbers.ordinary(c) and all(map(numbers.ordinary, constants)):
        return sorted(constants)
    return [] if c == 1 else [c]


# --- quotients, and other names for the same ------------------------------------------------------


@array_rule(divide)
def quotients(node: Expr, known: Facts) -> Expr | None:
    """(a·x) / y → a·(x / y);  (a·x) / b → (a/b)·x;  x / 2ⁿ → 2⁻ⁿ·x;  x / (−y) → −(x / y);  (−a) / y
    → −(a / y)"""
    numbers = arithmetic(node.dtype)
    top, bottom = node.args
    if is_number(top) and is_number(bottom):
        return None
    c, above = (numbers.of(top.value), ()) if is_number(top) else coefficient(top, numbers)
    d, below = (numbers.of(bottom.value), ()) if is_number(bottom) else coefficient(bottom, numbers)
    plain_top, plain_bottom = c == 1 or not above, d == 1
    if plain_top and plain_bottom:
        if above or not c < 0:
            return None
        minus = numbers.literal(numbers.of(-1))
        return build(multiply, (minus, build(divide, (numbers.literal(-c), bottom))))
    front = _quotient(c, d, node.dtype)
    exact = abs(d) == 1 or _power_of_two(d) or c != 1
    if front is None or not exact or (c == 1 and d == 1):
        if plain_top:
            return None
        front, below, d = c, (bottom,), numbers.of(1)
    if not above:
        return fitted(build(divide, (numbers.literal(front), _scaled(1, below, numbers))), node)
    rest = _scaled(1, above, numbers)
    if below:
        rest = build(divide, (rest, _scaled(1, below, numbers)))
    return fitted(build(multiply, (numbers.literal(front), rest)), node)


def _quotient(c: Any, d: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        front = np.divide(c, d)
    return front if arithmetic(dtype).ordinary(front) else None


def _power_of_two(d: Any) -> bool:
    return bool(np.isfinite(d)) and abs(frexp(float(d))[0]) == 0.5


@array_rule(square, reciprocal)
def other_names(node: Expr, known: Facts) -> Expr:
    """square(x) → x²;  reciprocal(x) → 1 / x"""
    x = node.args[0]
    return power(x, 2) if node.op is square else divide(1, x)


# --- constants ------------------------------------------------------------------------------------


@array_rule(Elementwise, Axes, Reshape, Reduce)
def constants(node: Expr, known: Facts) -> Expr | None:
    """f(a) is computed where a is a literal."""
    if not node.args or not all(isinstance(a, Constant) for a in node.args):
        return None
    values = [a.value for a in node.args]
    elements = [n for n in node.shape if not isinstance(n, int)]
    if elements or max(v.size for v in values) > _SMALL or np.prod(node.shape, dtype=int) > _SMALL:
        return None
    if node.op is power and is_integer(node.dtype) and np.any(values[1] < 0):
        return None
    result = np.asarray(node.op.numpy(*values))
    return constant(result.astype(node.dtype))


engine._pattern_rules.append(registry["canonical"])
