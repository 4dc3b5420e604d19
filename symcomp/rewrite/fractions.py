"""Overflowing factors found wherever they stand in a product or quotient.

Gradients write the logistic function as a fraction with much else in between: (eˣ/n)·v / (1 + eˣ).
A pattern would have to say all the ways in which that can stand. Here a tree of products and
quotients is read as factors with whole exponents, of which two that belong together are replaced by
one that does not overflow:

    eˣ / (1 + eˣ) → σ(x)          eˣ·σ(−x) → σ(x)             σ(x) / σ(x) → 1
    eˣ / (eˣ + eʸ) → σ(x − y)     (1 + eˣ)·σ(−x) → 1          y / (1 + eˣ) → y·σ(−x)
    sinh x / cosh x → tanh x      eˣ / Σ eˣ → softmax(x)      s·place(x / pick(s)) → place(x)

where s is a softmax. All other factors stay where they are: the tree keeps its form, since
(x / y)·z may be finite where (x·z) / y is not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from symcomp.graph.expr import Expr, build
from symcomp.graph.op import apply
from symcomp.rewrite.canonical import is_number, whole_exponent
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.match import fitted
from symcomp.rewrite.products import _fold_beside
from symcomp.rewrite.rule import array_rule
from symcomp.tensor.arithmetic import add, divide, multiply, negative, power, subtract
from symcomp.tensor.elementary import cos, cosh, exp, sigmoid, sin, sinh, tan, tanh
from symcomp.tensor.indexing import Embed, Pick, Place, Slice
from symcomp.tensor.layout import Axes
from symcomp.tensor.layout import axes as reorder
from symcomp.tensor.nn import Softmax
from symcomp.tensor.reduction import Reduce

#: A fraction of more factors than this is left alone, and a sum of more terms is not multiplied
#: out.
_MOST_FACTORS, _MOST_TERMS = 24, 4

#: Functions one of which every pair has.
_TELLING = (exp, sigmoid, cosh, cos)


class Factor(NamedTuple):
    """base ** exponent, at a place of the tree: which argument to follow from its root."""

    place: tuple[int, ...]
    base: Expr
    exponent: int


class Pair(NamedTuple):
    """Some powers of factors, (factor, how many), and what replaces them at the place of the
    first."""

    taken: tuple[tuple[Factor, int], ...]
    new: Expr | None


def opened(e: Expr) -> Expr:
    """(x / y)[:, newaxis] as x[:, newaxis] / y[:, newaxis]; other expressions as they are."""
    if not isinstance(e.op, Axes) or e.args[0].op not in (multiply, divide):
        return e
    inner, order = e.args[0], e.op.order
    args = []
    for a in inner.args:
        missing = inner.ndim - a.ndim
        own = [None if i is None or i < missing else i - missing for i in order]
        args.append(reorder(a, own) if a.ndim else a)
    new = build(inner.op, tuple(args))
    return new if new.shape == e.shape else e


def factors_of(e: Expr) -> list[Factor]:
    """The factors of a tree of products and quotients; none where there are very many."""
    found: list[Factor] = []
    stack = [((), e, 1)]
    while stack:
        place, e, sign = stack.pop()
        e = opened(e)
        if e.op is multiply and e.dtype != "bool":
            stack.extend(((*place, i), a, sign) for i, a in reversed([*enumerate(e.args)]))
        elif e.op is divide:
            stack.append(((*place, 1), e.args[1], -sign))
            stack.append(((*place, 0), e.args[0], sign))
        else:
            n = whole_exponent(e)
            found.append(Factor(place, e.args[0], sign * n) if n else Factor(place, e, sign))
        if len(found) + len(stack) > _MOST_FACTORS:
            return []
    return found


@array_rule(multiply, divide)
def paired_factors(node: Expr, known: Facts) -> Expr | None:
    """a·eˣ / (b·(1 + eˣ)) → a·σ(x) / b, and other factors that overflow only by themselves"""
    factors = _telling(node)
    pair = _pair(factors, known) if factors else None
    if pair is None:
        return None
    return fitted(_replaced(node, pair, _written_out(factors, pair)), node)


def _written_out(factors: list[Factor], pair: Pair) -> dict[tuple, Expr]:
    """The other factors that are written 1 − σ(x): σ(−x), now that they need not share σ(x)."""
    taken = [f.place for f, _ in pair.taken]
    return {
        f.place: _power(sigmoid(_argument(f.base)), abs(f.exponent))
        for f in factors
        if f.base.op is add and f.place not in taken and _argument(f.base) is not None
    }


@array_rule(multiply, divide)
def multiplied_out(node: Expr, known: Facts) -> Expr | None:
    """eˣ·(σ(−x)·y + σ(−x)·z) → σ(x)·y + σ(x)·z, where there is a pair in each term; softmaxes,
    which are at most 1, also where there is one in some"""
    factors = _telling(node)
    for f in factors:
        if f.exponent != 1 or f.base.op is not add or len(f.base.args) > _MOST_TERMS:
            continue
        if _exponent_of_one_plus(f.base) is not None:
            continue
        others = [g for g in factors if g is not f]
        softmaxes = [g for g in others if isinstance(g.base.op, Softmax)]
        if all(_meets(others, t) for t in f.base.args) or any(
            _meets(softmaxes, t) for t in f.base.args
        ):
            terms = [_rebuilt(node, {f.place: t}, ()) for t in f.base.args]
            return fitted(add(*terms), node)
    return None


def _telling(node: Expr) -> list[Factor]:
    """The factors, where there may be a pair among them."""
    if node.dtype not in ("float32", "float64"):
        return []
    factors = factors_of(node)
    if len(factors) < 2:
        return []
    for f in factors:
        op = f.base.op
        if op in _TELLING or isinstance(op, Softmax):
            return factors
        if op is add and any(_tells(a) for a in f.base.args):
            return factors
    return []


def _tells(term: Expr) -> bool:
    return term.op in _TELLING or (
        term.op in (multiply, divide) and any(f.base.op in _TELLING for f in factors_of(term))
    )


def _meets(others: list[Factor], term: Expr) -> bool:
    """Whether some of the other factors make a pair with one of a term."""
    own = [f._replace(place=("term", *f.place)) for f in factors_of(term)]
    for f in own:
        for g in others:
            if _pair_of(f, g) is not None or _pair_of(g, f) is not None:
                return True
    return False


# --- pairs ----------------------------------------------------------------------------------------


def _pair(factors: list[Factor], known: Facts) -> Pair | None:
    for f in factors:
        if f.exponent > 0 and _may_begin(f.base):
            for g in factors:
                found = _pair_of(f, g) if g is not f else None
                if found is not None and (
                    found.new is not None or _may_vanish(f, g, factors, known)
                ):
                    return found
    for g in factors:
        x = _exponent_of_one_plus(g.base) if g.exponent < 0 else None
        if x is not None:
            return Pair(((g, 1),), sigmoid(-x))
    return None


def _may_vanish(f: Factor, g: Factor, factors: list[Factor], known: Facts) -> bool:
    """Whether a pair may go without a trace: a nan in it must show in what is left.

    Softmaxes may, as in `softmax_cancels`: gradients have them beside.
    """
    x = _argument(f.base)
    if x is None:
        x = _exponent_of_one_plus(f.base)
    if x is None or known.finite(x):
        return True
    atoms = [k[0] for k in _combination(x) if k]
    left = [h.base for h in factors if h is not f and h is not g]
    left += [h.base for h in (f, g) if abs(h.exponent) > 1]
    return all(any(_mentions(e, a) for e in left) for a in atoms)


def _mentions(e: Expr, x: Expr, depth: int = 5) -> bool:
    """Whether an expression is made of x, as far as is seen from near."""
    return e is x or (depth > 0 and any(_mentions(a, x, depth - 1) for a in e.args[:8]))


def _may_begin(base: Expr) -> bool:
    return base.op in (exp, sigmoid, sinh, sin, add) or isinstance(base.op, Softmax)


def _pair_of(f: Factor, g: Factor) -> Pair | None:
    """What a factor of the numerator makes with another factor."""
    if f.exponent <= 0:
        return None
    op = f.base.op
    if op is exp:
        return _with_exponential(f, g)
    if isinstance(op, Softmax) and isinstance(g.base.op, Place) and g.exponent == 1:
        return _with_placed(f, g)
    if f.base is g.base:
        cancels = _argument(f.base) is not None or isinstance(op, Softmax)
        return Pair(((f, 1), (g, 1)), None) if cancels and g.exponent < 0 else None
    if op in (sinh, sin):
        below, whole = (cosh, tanh) if op is sinh else (cos, tan)
        if g.exponent < 0 and g.base.op is below and g.base.args[0] is f.base.args[0]:
            return Pair(((f, 1), (g, 1)), whole(f.base.args[0]))
        return None
    x = _argument(f.base)
    if x is None:
        return None
    if g.exponent < 0:
        y = _argument(g.base)
        return Pair(((f, 1), (g, 1)), None) if y is not None and _ratio(x, y) == 1 else None
    y = _exponent_of_one_plus(g.base)
    return Pair(((f, 1), (g, 1)), None) if y is not None and _ratio(x, y) == -1 else None


def _with_exponential(f: Factor, g: Factor) -> Pair | None:
    x = f.base.args[0]
    if g.exponent > 0:
        y = _argument(g.base)
        k = _count(_ratio(x, y), -1, g.exponent) if y is not None else 0
        return Pair(((f, 1), (g, k)), _power(sigmoid(-y), k)) if k else None
    y = _exponent_of_one_plus(g.base)
    if y is not None:
        k = _count(_ratio(x, y), 1, -g.exponent)
        return Pair(((f, 1), (g, k)), _power(sigmoid(y), k)) if k else None
    if g.base.op is add and len(g.base.args) == 2 and f.base in g.base.args:
        (other,) = [a for a in g.base.args if a is not f.base] or [f.base]
        if other.op is exp and other.shape == f.base.shape:
            return Pair(((f, 1), (g, 1)), sigmoid(subtract(x, other.args[0])))
        return None
    found = _fold_beside(g.base, f.base.ndim, Reduce)
    if found is not None and found[0].op.monoid == "sum" and found[0].args[0] is f.base:
        return Pair(((f, 1), (g, 1)), apply(Softmax(found[1]), x))
    return None


def _with_placed(f: Factor, g: Factor) -> Pair | None:
    """A softmax, and what is placed where an element of it was picked as a divisor."""
    value, at, *sizes = g.base.args
    core, position = value, at
    if isinstance(value.op, Embed) and isinstance(at.op, Embed):
        core, position = value.args[0], at.args[0]
    for h in factors_of(core):
        picked = h.base
        if h.exponent != -1 or not isinstance(picked.op, Pick):
            continue
        if picked.op.axis != g.base.op.axis or picked.args[1] is not position:
            continue
        if picked.args[0] is f.base or _is_leading_part(picked.args[0], f.base):
            new = fitted(_rebuilt(core, {h.place: None}, ()), core)
            if core is not value:
                new = build(value.op, (new, *value.args[1:]))
            return Pair(((g, 1), (f, 1)), build(g.base.op, (new, at, *sizes)))
    return None


def _is_leading_part(e: Expr, x: Expr) -> bool:
    """Whether an expression is the first rows of x."""
    if not isinstance(e.op, Slice) or e.args[0] is not x:
        return False
    return set(e.op.starts) == {0} and set(e.op.steps) == {1}


def _count(ratio: Any, sign: int, most: int) -> int:
    """How many of the other factor a power eᵏˣ pairs with."""
    k = ratio * sign if ratio is not None else 0
    return int(k) if 1 <= k <= most and k == int(k) else 0


def _power(e: Expr, k: int) -> Expr:
    return e if k == 1 else power(e, k)


def _exponent_of_one_plus(e: Expr) -> Expr | None:
    """x where e is 1 + eˣ."""
    if e.op is not add or len(e.args) != 2:
        return None
    for one, other in (e.args, e.args[::-1]):
        if is_number(one) and one.value == 1 and other.op is exp:
            return other.args[0]
    return None


def _argument(e: Expr) -> Expr | None:
    """x where e is σ(x), or 1 − σ(−x), which is the same."""
    if e.op is sigmoid:
        return e.args[0]
    if e.op is not add or len(e.args) != 2:
        return None
    for one, other in (e.args, e.args[::-1]):
        if is_number(one) and one.value == 1 and other.op is multiply and len(other.args) == 2:
            minus, s = other.args
            if is_number(minus) and minus.value == -1 and s.op is sigmoid:
                return -s.args[0]
    return None


# --- multiples ------------------------------------------------------------------------------------


def _ratio(x: Expr, y: Expr) -> Any:
    """c where x is seen to be c·y, else None."""
    if x is y:
        return 1
    p, q = _combination(x), _combination(y)
    if p.keys() != q.keys() or not p:
        return None
    ratios = {p[k] / q[k] if q[k] else None for k in p}
    return ratios.pop() if len(ratios) == 1 else None


def _combination(e: Expr) -> dict:
    """An expression as coefficients of what is added up in it: {factors: coefficient}."""
    into: dict = {}
    stack = [(e, 1.0)]
    while stack:
        e, scale = stack.pop()
        sums = len(into) + len(stack) < _MOST_FACTORS
        if is_number(e):
            into[()] = into.get((), 0.0) + scale * float(e.value)
        elif e.op is add and sums:
            stack.extend((a, scale) for a in e.args)
        elif e.op is negative and sums:
            stack.append((e.args[0], -scale))
        elif e.op is multiply and is_number(e.args[0]) and len(e.args) == 2 and sums:
            stack.append((e.args[1], scale * float(e.args[0].value)))
        else:
            key = e.args if e.op is multiply else (e,)
            if e.op is multiply and is_number(e.args[0]):
                scale, key = scale * float(e.args[0].value), e.args[1:]
            into[key] = into.get(key, 0.0) + scale
    return into


# --- building -------------------------------------------------------------------------------------


def _replaced(node: Expr, pair: Pair, edits: dict[tuple, Any]) -> Any:
    """The tree with a pair replaced: at the first one's place, or beside the numerator above it."""
    for f, count in pair.taken:
        left = abs(f.exponent) - count
        edits[f.place] = _power(f.base, left) if left else None
    first = pair.taken[0][0]
    if pair.new is None:
        return _rebuilt(node, edits, ())
    if first.exponent > 0:
        rest = edits[first.place]
        edits[first.place] = pair.new if rest is None else multiply(pair.new, rest)
        return _rebuilt(node, edits, ())
    return _rebuilt(node, edits, (), {_numerator(node, first.place): pair.new})


def _numerator(node: Expr, place: tuple) -> tuple:
    """The place of the numerator of the outermost quotient in whose denominator a factor stands."""
    e = opened(node)
    for depth, i in enumerate(place):
        if e.op is divide and i == 1:
            return (*place[:depth], 0)
        e = opened(e.args[i])
    return place


def _rebuilt(e: Expr, edits: dict, place: tuple, beside: dict | None = None) -> Any:
    """The tree with the edited factors; 1 where nothing is left."""
    beside = beside or {}
    e = opened(e)
    if place in edits:
        result = 1 if edits[place] is None else edits[place]
    elif not any(p[: len(place)] == place for p in (*edits, *beside) if p != place):
        result = e
    elif e.op is multiply:
        parts = [_rebuilt(a, edits, (*place, i), beside) for i, a in enumerate(e.args)]
        parts = [p for p in parts if not _is_one(p)]
        result = multiply(*parts) if len(parts) > 1 else parts[0] if parts else 1
    elif e.op is divide:
        top, bottom = (_rebuilt(a, edits, (*place, i), beside) for i, a in enumerate(e.args))
        result = top if _is_one(bottom) else divide(top, bottom)
    else:
        result = e
    new = beside.get(place)
    if new is None:
        return result
    return new if _is_one(result) else multiply(result, new)


def _is_one(e: Any) -> bool:
    return e == 1 if not isinstance(e, Expr) else is_number(e) and e.value == 1
