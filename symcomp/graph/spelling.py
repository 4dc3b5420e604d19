"""Sizes and slices as people write them.

Sizes are polynomials in which minima and maxima stand as n − max(0, n − 3); here they are read
back: `minimum(n, 3)`, `n - 1`, `x[1:-1]`.
"""

from __future__ import annotations

from symcomp.graph import show, size
from symcomp.graph.expr import Expr
from symcomp.graph.size import Size
from symcomp.graph.type import is_integer

#: The precedence of a sum, and of a product.
_SUM, _PRODUCT = 40, 50

#: Literal stops that are tried, counted from the start and from the end.
_MOST_GUESSES = 20


def size_text(expr: Expr, depth: int) -> tuple[str, int] | None:
    """A sum or product of sizes with differences, minima and maxima, and its precedence."""
    if expr.op not in (size.add, size.multiply) or not is_integer(expr.dtype):
        return None
    both = _extreme(expr)
    if both is not None:
        name, left, right = both
        parts = (show.text(size.as_expr(s), depth - 1) for s in (left, right))
        return f"{name}({', '.join(parts)})", show.ATOM
    terms = size.polynomial(expr)
    text, level = "", _SUM
    for monomial in sorted(terms, key=lambda m: (terms[m] < 0, size._precedence(m))):
        c = terms[monomial]
        if text:
            text += " + " if c > 0 else " - "
        elif c < 0:
            text = "-"
        text += _term(abs(c), monomial, depth)
        level = _PRODUCT if len(terms) == 1 and c > 0 else _SUM
    return text, level


def _term(c: int, monomial: tuple, depth: int) -> str:
    factors = [str(c)] if c != 1 or not monomial else []
    for atom in monomial:
        inner, level = show.text_and_level(atom, depth - 1)
        factors.append(inner if level > _PRODUCT else f"({inner})")
    return " * ".join(factors)


def _extreme(expr: Size) -> tuple[str, Size, Size] | None:
    """(name, p, q) where a size is min(p, q) or max(p, q), written as p ∓ max(0, …)."""
    if isinstance(expr, int):
        return None
    terms = size.polynomial(expr)
    for monomial, c in terms.items():
        inner = size._positive_part(monomial) if abs(c) == 1 else None
        if inner is None or len(terms) == 1:
            continue
        rest = size.from_polynomial({m: d for m, d in terms.items() if m != monomial})
        other = size.plus(rest, inner) if c == 1 else size.minus(rest, inner)
        if isinstance(other, int) or len(size.polynomial(other)) <= len(terms):
            return ("maximum" if c == 1 else "minimum"), rest, other
    return None


def slice_text(start: Size, length: Size, step: int, n: Size) -> str:
    """One axis of an index: `1:-1`, `::2`."""
    if step > 0:
        ends = _forward(start, length, step, n)
    else:
        ends = _backward(start, length, step, n)
    first, last = ends
    return f"{first}:{last}" + (f":{step}" if step != 1 else "")


def position_text(start: Size, n: Size) -> str:
    """One element: `3`, `-1`."""
    return _bound(start, n) or show.text(size.as_expr(start))


def _forward(start: Size, length: Size, step: int, n: Size) -> tuple[str, str]:
    first = "" if start == 0 else position_text(start, n)
    if step == 1:
        stop = size.plus(start, length)
    elif length is _steps(size.minus(n, start), step) or length == _steps(
        size.minus(n, start), step
    ):
        stop = n
    else:
        stop = size.plus(start, size.times(size.plus(length, -1), step), 1)
    if stop is n or stop == n:
        return first, ""
    spelled = _bound(stop, n)
    if spelled is None and step == 1:
        spelled = _guessed(start, length, n)
    return first, show.text(size.as_expr(stop)) if spelled is None else spelled


def _guessed(start: Size, length: Size, n: Size) -> str | None:
    """The stop of a slice whose length is max(0, stop − start)."""
    if size.at_least_zero(size.minus(n, start)) is length:
        return ""
    inner = _positive(length)
    if inner is not None and (spelled := _bound(size.plus(start, inner), n)) is not None:
        return spelled
    for k in range(1, _MOST_GUESSES):
        for text, stop in (
            (str(-k), size.at_least_zero(size.minus(n, k))),
            (str(k), size.smaller(k, n)),
        ):
            if size.at_least_zero(size.minus(stop, start)) is length:
                return text
    return None


def _backward(start: Size, length: Size, step: int, n: Size) -> tuple[str, str]:
    last = size.minus(n, 1)
    first = "" if start is last or start == last else show.text(size.as_expr(start))
    stop = size.plus(start, size.times(length, step))
    whole = _steps(size.plus(start, 1), -step)
    if length is whole or length == whole or (isinstance(stop, int) and stop < 0):
        return first, ""
    return first, show.text(size.as_expr(stop))


def _steps(span: Size, step: int) -> Size:
    return size.quotient(size.plus(span, step - 1), step)


def _bound(at: Size, n: Size) -> str | None:
    """A literal bound, clamped to the axis: min(n, 3) is 3, and max(0, n − 1) is −1."""
    if isinstance(at, int):
        return str(at)
    both = _extreme(at)
    if both is not None and both[0] == "minimum" and n in both[1:]:
        other = both[1] if both[2] is n else both[2]
        return str(other) if isinstance(other, int) else None
    from_end = size.minus(n, at)
    if isinstance(from_end, int):
        return str(-from_end) if from_end > 0 else None
    inner = _positive(at)
    from_end = size.minus(n, inner) if inner is not None else None
    if isinstance(from_end, int):
        return str(-from_end) if from_end > 0 else None
    return _clamped(at, n)


def _positive(at: Size) -> Size | None:
    """p where a size is max(0, p)."""
    terms = {} if isinstance(at, int) else size.polynomial(at)
    return size._positive_part(*terms) if list(terms.values()) == [1] else None


def _clamped(at: Size, n: Size) -> str | None:
    """k where a bound is k, counted from the end if it is negative, clamped to the axis."""
    for atom in {a for monomial in size.polynomial(at) for a in monomial}:
        inner = _positive(atom) if atom.op is size.maximum else atom
        if isinstance(inner, Expr) and inner.op is not None and inner.op.name == "where":
            clamped = size.smaller(size.at_least_zero(inner), n)
            return show.text(inner.args[2]) if clamped is at else None
    return None


show.speller.append(size_text)
