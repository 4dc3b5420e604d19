"""Symbolic sizes: integer expressions in one normal form, so that equal sizes are the same object.

A size is an int, or an expression that is a polynomial with integer coefficients over *atoms*: the
lengths of the axes of leaves, and whatever other integer expressions a person computes a size from.
Sums are flat and sorted, products too, so `n + m` and `m + n` are one expression. What is not a
polynomial is an atom: `max(0, n − 1)`, `n // 2`. A length is never negative, which is all that is
needed to see that `x[1:]` and `x[:-1]` are equally long.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from symcomp.errors import ShapeError
from symcomp.graph import expr as _expr
from symcomp.graph.expr import Constant, Expr, Leaf, build, constant, require_equal
from symcomp.graph.op import Op, operation
from symcomp.graph.scalar import Cast, number, primitive, same
from symcomp.graph.type import Type, is_integer

Size = Any  # int | Expr

# --- the functions of integers that sizes are made of (and everything else uses too) -------------


def _product_partials(*args):
    *factors, _ = args
    if len(factors) == 2:
        return factors[1], factors[0]
    prefix, suffix = [None], [None]
    for f in factors[:-1]:
        prefix.append(f if prefix[-1] is None else prefix[-1] * f)
    for f in reversed(factors[1:]):
        suffix.append(f if suffix[-1] is None else f * suffix[-1])
    suffix.reverse()
    return tuple(
        1 if p is None and s is None else s if p is None else p if s is None else p * s
        for p, s in zip(prefix, suffix, strict=True)
    )


@primitive(
    numpy=np.add,
    c="{x} + {y}",
    grad=lambda *args: (1,) * (len(args) - 1),
    types=same,
    infix=("+", 40),
)
def add(*terms):
    """The sum of its arguments (booleans: whether any is true)."""


@primitive(numpy=np.multiply, c="{x} * {y}", grad=_product_partials, types=same, infix=("*", 50))
def multiply(*factors):
    """The product of its arguments (booleans: whether all are true)."""


@primitive(
    numpy=np.maximum,
    c="sc_maximum_{t}({x}, {y})",
    grad=lambda x, y, out: (x >= y, x < y),
    types=same,
    commutative=True,
)
def maximum(x, y):
    """The larger of two; nan where either is nan. The derivative at a tie goes to the first."""


@primitive(numpy=np.floor_divide, c="sc_floordiv_{t}({x}, {y})", types=number, infix=("//", 50))
def floor_divide(x, y):
    """⌊x / y⌋, rounding down; an integer divided by zero is zero, as in NumPy."""


@operation
class Length(Op):
    """The length of one axis of an array: x.shape[axis]."""

    axis: int

    samples = (
        ((1,), (2, 3)),
        ((0,), (0, 3)),
    )

    def type(self, x):
        return Type("int64", ())

    def is_weak(self, args):
        return True

    def numpy(self, x):
        return np.int64(x.shape[self.axis])

    def text(self, x):
        return f"{x}.shape[{self.axis}]"


class Dimension(Leaf):
    """A size that is known when a function is called; at least 0 unless `signed`."""

    __slots__ = ("signed",)

    def __init__(self, name: str, signed: bool = False):
        super().__init__(Type("int64", ()), name, weak=True)
        self.signed = signed


_expr._length.append(lambda x, axis: build(Length(axis), (x,)))

# --- polynomials: {sorted tuple of atoms: coefficient} -------------------------------------------


def _literal(e: Expr) -> int | None:
    if isinstance(e, Constant) and e.ndim == 0 and e.dtype != "bool" and is_integer(e.dtype):
        return int(e.value)
    return None


def polynomial(size: Size) -> dict:
    """{sorted tuple of atoms: coefficient}; the constant term is that of ()."""
    if isinstance(size, int):
        return {(): size} if size else {}
    value = _literal(size)
    if value is not None:
        return {(): value} if value else {}
    if size.op is add or size.op is multiply:
        found = _polynomials.get(size)
        if found is None:
            combine = _sum if size.op is add else _products
            found = _polynomials[size] = combine(map(polynomial, size.args))
        return found
    if isinstance(size.op, Cast) and size.args[0].weak:
        return polynomial(size.args[0])
    return {(size,): 1}


#: The monomials of a constant.
_CONSTANT = {(): 1}.keys()
#: The polynomials of sums and products; what they are made of is alive as long as these are.
_polynomials: WeakKeyDictionary[Expr, dict] = WeakKeyDictionary()


def _sum(polynomials) -> dict:
    result: dict = {}
    for p in polynomials:
        for monomial, c in p.items():
            c += result.pop(monomial, 0)
            if c:
                result[monomial] = c
    return result


def _products(polynomials) -> dict:
    result = {(): 1}
    for p in polynomials:
        result = _product(result, p)
    return result


def _product(p: dict, q: dict) -> dict:
    for one, other in ((p, q), (q, p)):
        if one.keys() == _CONSTANT:
            factor = one[()]
            return {m: c * factor for m, c in other.items()}
    return _sum({sorted_monomial((*m, *k)): c * d} for m, c in p.items() for k, d in q.items())


def sorted_monomial(atoms) -> tuple:
    """A product of atoms as a key of a polynomial."""
    return tuple(sorted(atoms, key=_serial))


def _serial(e: Expr) -> int:
    return e.serial


def _precedence(monomial: tuple):
    """Monomials in the order of their atoms; the constant term last."""
    return not monomial, [a.serial for a in monomial]


@lru_cache(maxsize=4096)
def _weak(n: int) -> Constant:
    return constant(np.int64(n), weak=True)


def from_polynomial(p: dict) -> Size:
    """The normal form of a polynomial: an int, an atom, or a flat sorted sum of flat sorted
    products.
    """
    if not p:
        return 0
    terms = []
    for monomial in sorted(p, key=_precedence):
        c = p[monomial]
        if not monomial:
            terms.append(c)
        elif c == 1 and len(monomial) == 1:
            terms.append(monomial[0])
        else:
            factors = monomial if c == 1 else (*monomial, _weak(c))
            terms.append(build(multiply, factors))
    if len(terms) == 1:
        return terms[0]
    return build(add, tuple(_weak(t) if isinstance(t, int) else t for t in terms))


# --- arithmetic of sizes -------------------------------------------------------------------------


def as_size(value: Any, what: str = "a size") -> Size:
    """A size in normal form from an int or an integer scalar expression."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu":
        return int(value)
    if not isinstance(value, Expr):
        raise ShapeError(f"{what} must be an integer, not {value!r}")
    if value.ndim or not is_integer(value.dtype):
        raise ShapeError(f"{what} must be an integer scalar, not a {value.type}")
    return from_polynomial(polynomial(value))


def as_expr(size: Size) -> Expr:
    """A size as an expression."""
    return _weak(size) if isinstance(size, int) else size


def plus(*sizes: Size) -> Size:
    if all(isinstance(s, int) for s in sizes):
        return sum(sizes)
    return from_polynomial(_sum(map(polynomial, sizes)))


def minus(left: Size, right: Size) -> Size:
    if isinstance(left, int) and isinstance(right, int):
        return left - right
    negative = {m: -c for m, c in polynomial(right).items()}
    return from_polynomial(_sum([polynomial(left), negative]))


def times(*sizes: Size) -> Size:
    if all(isinstance(s, int) for s in sizes):
        return prod(sizes)
    return from_polynomial(_products(map(polynomial, sizes)))


def mixed_radix(lengths, digits) -> Size:
    """The number that has these digits: the row-major position of an element of an array."""
    terms: dict = {}
    for n, digit in zip(lengths, digits, strict=True):
        if n != 1:
            terms = _sum([_product(terms, polynomial(n)), polynomial(digit)])
    return from_polynomial(terms)


def at_least_zero(size: Size) -> Size:
    """max(0, size); the size itself where it is seen not to be negative.

    Of max(0, p) = p + max(0, −p) the one with a positive leading coefficient is the normal form.
    """
    if isinstance(size, int):
        return max(size, 0)
    if is_nonnegative(size):
        return size
    terms = _collapsed(polynomial(size))
    size = from_polynomial(terms)
    negated = {m: -c for m, c in terms.items()}
    if _never_negative(negated):
        return 0
    leading = min(terms, key=_precedence)
    if terms[leading] > 0:
        return build(maximum, (_weak(0), size))
    return plus(size, at_least_zero(from_polynomial(negated)))


def _collapsed(terms: dict) -> dict:
    """p + r for max(0, p) + r where r ≤ 0: both are the same under max(0, ·)."""
    for monomial, c in terms.items():
        inner = _positive_part(monomial) if c == 1 else None
        if inner is not None:
            rest = {m: d for m, d in terms.items() if m != monomial}
            if _never_negative({m: -d for m, d in rest.items()}):
                return _collapsed(_sum([polynomial(inner), rest]))
    return terms


def _positive_part(monomial: tuple) -> Expr | None:
    """p where the monomial is max(0, p)."""
    if len(monomial) != 1 or monomial[0].op is not maximum:
        return None
    first, second = monomial[0].args
    return second if _literal(first) == 0 else None


def larger(left: Size, right: Size) -> Size:
    """max(left, right)"""
    return plus(left, at_least_zero(minus(right, left)))


def smaller(left: Size, right: Size) -> Size:
    """min(left, right)"""
    return minus(left, at_least_zero(minus(left, right)))


def quotient(left: Size, right: Size) -> Size:
    """⌊left / right⌋, exact where the polynomials divide."""
    if isinstance(left, int) and isinstance(right, int):
        return left // right if right else 0
    if left is right:
        return 1
    exact = _divide(polynomial(left), polynomial(right))
    if exact is not None:
        return from_polynomial(exact)
    return build(floor_divide, (as_expr(left), as_expr(right)))


def parts(extent: Size, length: Size) -> Size:
    """How many parts of a length an extent has, a last shorter one included."""
    return quotient(plus(extent, minus(length, 1)), length)


def _divide(p: dict, q: dict) -> dict | None:
    if len(q) != 1:
        return None
    ((divisor, d),) = q.items()
    result = {}
    for monomial, c in p.items():
        rest = list(monomial)
        for atom in divisor:
            if atom not in rest:
                return None
            rest.remove(atom)
        if c % d:
            return None
        result[tuple(rest)] = c // d
    return result


def _is_count(atom: Expr) -> bool:
    """Whether an atom is seen to be at least zero."""
    if isinstance(atom.op, Length):
        return True
    if isinstance(atom, Dimension):
        return not atom.signed
    if atom.op is maximum:
        return any(_literal(a) is not None and _literal(a) >= 0 for a in atom.args)
    if atom.op is floor_divide:
        top, bottom = atom.args
        return is_nonnegative(top) and (_literal(bottom) or 0) > 0
    return False


def is_nonnegative(size: Size) -> bool:
    """Whether a size is seen to be at least zero, from its form alone."""
    if isinstance(size, int):
        return size >= 0
    return _never_negative(polynomial(size))


def _never_negative(terms: dict) -> bool:
    for monomial, c in terms.items():
        if c == -1 and (inner := _positive_part(monomial)) is not None:
            # p − max(0, p − q) = min(p, q), which is not negative where p and q are not.
            p = {m: d for m, d in terms.items() if m != monomial}
            q = _sum([p, {m: -d for m, d in polynomial(inner).items()}])
            return _never_negative(p) and _never_negative(q)
    return all(c >= 0 and all(map(_is_count, m)) for m, c in terms.items())


def same_size(left: Size, right: Size, message: str) -> Size:
    """The common value of two sizes: checked now where both are literal, at the call where they are
    not.
    """
    if left is right:
        return left
    if isinstance(left, int) and isinstance(right, int):
        if left != right:
            raise ShapeError(message.format(left, right))
        return left
    difference = minus(left, right)
    if isinstance(difference, int) and difference:
        raise ShapeError(message.format(left, right))
    require_equal(left, right)
    if isinstance(left, int) or isinstance(right, int):
        return left if isinstance(left, int) else right
    return min(left, right, key=_serial)


def product(shape) -> Size:
    """The number of elements of a shape."""
    return times(*shape)


def require_long_enough(length: Size, least: int) -> None:
    """Note that an axis must have at least so many elements at the call: max(least − length, 0) =
    0.
    """
    require_equal(at_least_zero(minus(least, length)), 0)
