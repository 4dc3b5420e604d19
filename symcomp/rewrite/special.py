"""What is cheapest to compute: canonical sums and powers brought back to differences, squares and
roots.

These are the last rules that run. Powers by a whole number become products, by repeated squaring:
x¹⁰ is four multiplications. That is within 2 ulp for exponents up to 4, and at worst about 0.7·n
ulp beyond (6 for x⁹, 11 for x¹⁶, as measured); above `LARGEST_POWER` floating-point powers are left
to the library. Integers are exact either way. Terms of lower rank are put together first, so that
they are computed once and not for every element.
"""

from __future__ import annotations

import numpy as np

from symcomp.graph.expr import Expr, build, constant
from symcomp.graph.type import is_float
from symcomp.rewrite.canonical import arithmetic, is_minus_one, is_number, whole_exponent
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.match import fitted
from symcomp.rewrite.rule import array_rule
from symcomp.tensor.arithmetic import add, divide, multiply, negative, power, square, subtract
from symcomp.tensor.elementary import sqrt
from symcomp.tensor.layout import Axes, Broadcast, Reshape

#: Larger whole exponents of floats are left to the library's pow; its error does not grow with the
#: exponent.
LARGEST_POWER = 16


@array_rule(power)
def small_powers(node: Expr, known: Facts) -> Expr | None:
    """x² → square(x);  x¹⁰ → (x²·(x²)²)²…;  x^½ → √x;  x⁻¹ → 1 / x"""
    x, exponent = node.args
    if not is_number(exponent):
        return None
    if is_float(node.dtype) and exponent.value == 0.5:
        return sqrt(x)
    n = whole_exponent(node)
    largest = LARGEST_POWER if is_float(node.dtype) else 64
    if n is None or abs(n) > largest or (n < 0 and not is_float(node.dtype)):
        return None
    if n < 0:
        # Of x⁻ⁿ only the first few are as accurate as the library's.
        return divide(1, _raised(x, -n)) if n >= -2 else None
    return fitted(_raised(x, n) if n else 1, node)


def _raised(x: Expr, n: int) -> Expr:
    """xⁿ by squares: the product of x^(2ᵏ) for the bits k of n."""
    result, part = None, x
    while n:
        if n & 1:
            result = part if result is None else build(multiply, (result, part))
        n >>= 1
        if n:
            part = build(square, (part,))
    return result


@array_rule(multiply)
def negated_products(node: Expr, known: Facts) -> Expr | None:
    """(−1)·x·y → −(x·y)"""
    if node.dtype == "bool" or not _is_minus_one(node.args[0]):
        return None
    rest = node.args[1:]
    return negative(rest[0] if len(rest) == 1 else build(multiply, rest))


def _is_minus_one(e: Expr) -> bool:
    return is_number(e) and e.dtype != "bool" and is_minus_one(e.value, arithmetic(e.dtype))


@array_rule(add)
def differences(node: Expr, known: Facts) -> Expr | None:
    """x + (−y) → x − y;  x + (−2)·y → x − 2·y"""
    if node.dtype == "bool":
        return None
    plus, minus = [], []
    for a in node.args:
        opposite = _opposite(a)
        if opposite is None:
            plus.append(a)
        else:
            minus.append(opposite)
    if not minus:
        return None
    if not plus:
        whole = build(add, tuple(minus)) if len(minus) > 1 else minus[0]
        return fitted(negative(whole), node)
    left = plus[0] if len(plus) == 1 else build(add, tuple(plus))
    right = minus[0] if len(minus) == 1 else build(add, tuple(minus))
    return fitted(build(subtract, (left, right)), node)


def _opposite(e: Expr) -> Expr | None:
    """−e, where e is written with a minus."""
    if e.op is negative:
        return e.args[0]
    if e.op is not multiply or not is_number(e.args[0]) or not is_float(e.dtype):
        return None
    c = e.args[0].value
    if not c < 0:
        return None
    return build(multiply, (constant(-c), *e.args[1:]))


@array_rule(add, multiply)
def lower_ranks_first(node: Expr, known: Facts) -> Expr | None:
    """x·a·b → (a·b)·x where a and b have fewer elements than x"""
    if len(node.args) < 3:
        return None
    groups: dict[tuple, list[Expr]] = {}
    for a in node.args:
        groups.setdefault(a.shape, []).append(a)
    small = [s for s, members in groups.items() if s != node.shape and len(members) > 1]
    if not small or len(groups) == 1:
        return None
    args = []
    for shape, members in sorted(groups.items(), key=lambda item: len(item[0])):
        if shape in small:
            args.append(build(node.op, tuple(members)))
        else:
            args.extend(members)
    return fitted(build(node.op, tuple(args)), node)


@array_rule(divide)
def exact_quotients(node: Expr, known: Facts) -> Expr | None:
    """x / 2ⁿ → 2⁻ⁿ·x"""
    x, d = node.args
    if not is_number(d) or abs(np.frexp(d.value)[0]) != 0.5:
        return None
    front = 1 / d.value
    return multiply(constant(front.astype(node.dtype)), x) if np.isfinite(front) and front else None


@array_rule(Axes, Broadcast, Reshape)
def nothing_to_arrange(node: Expr, known: Facts) -> Expr | None:
    """An arrangement that changes nothing is none"""
    x = node.args[0]
    if x.shape != node.shape:
        return None
    if isinstance(node.op, Axes) and node.op.order != tuple(range(x.ndim)):
        return None
    return x
