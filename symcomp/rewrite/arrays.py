"""Layout and reductions: transposes, broadcasts, reshapes, slices, joins, folds.

These rules are functions of a node, since patterns cannot say axes; each one's docstring is its
formula. The idea behind most of them: what only arranges elements moves outwards, towards the
result, where it meets its like and goes away, and what folds an axis moves inwards, past all that
does not depend on that axis. Rules of contractions, of indexing and of whole softmaxes are in
`products`.
"""

from __future__ import annotations

import numpy as np

from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, build, constant
from symcomp.graph.op import apply
from symcomp.graph.scalar import Cast, Elementwise, cast
from symcomp.graph.type import is_float, is_integer
from symcomp.rewrite.canonical import is_number
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.match import fitted
from symcomp.rewrite.rule import array_rule
from symcomp.tensor.arithmetic import add, divide, maximum, minimum, multiply, power, where
from symcomp.tensor.indexing import Embed, Slice, slices
from symcomp.tensor.layout import Axes, Broadcast, Join, Reshape, broadcast_to, reshape
from symcomp.tensor.layout import axes as reorder
from symcomp.tensor.reduction import Reduce


def same(shape, other) -> bool:
    """Whether two shapes are the same for certain."""
    return tuple(shape) == tuple(other)


# --- broadcasts -----------------------------------------------------------------------------------


@array_rule(Elementwise)
def broadcast_outwards(node: Expr, known: Facts) -> Expr | None:
    """f(broadcast(x), y) → f(x, y), broadcast where it must be: functions repeat their arguments
    themselves"""
    if not any(isinstance(a.op, Broadcast) for a in node.args):
        return None
    args = tuple(a.args[0] if isinstance(a.op, Broadcast) else a for a in node.args)
    return fitted(build(node.op, args), node)


@array_rule(Elementwise)
def leading_axes_implied(node: Expr, known: Facts) -> Expr | None:
    """f(x[newaxis, :], y) → f(x, y): leading axes of length 1 are implied"""
    for position, a in enumerate(node.args):
        if isinstance(a.op, Axes) and a.op.order[:1] == (None,):
            order = list(a.op.order)
            while order and order[0] is None:
                del order[0]
            args = list(node.args)
            args[position] = reorder(a.args[0], order)
            new = build(node.op, tuple(args))
            if same(new.shape, node.shape):
                return new
    return None


@array_rule(Elementwise)
def single_number(node: Expr, known: Facts) -> Expr | None:
    """f([[a]], x) → f(a, x): an array of one literal is a number where its shape does not count"""
    if not any(isinstance(a, Constant) and a.ndim and a.value.size == 1 for a in node.args):
        return None
    args = tuple(
        constant(a.value.reshape(())) if isinstance(a, Constant) and a.value.size == 1 else a
        for a in node.args
    )
    return fitted(build(node.op, args), node)


@array_rule(Broadcast)
def broadcast_of_broadcast(node: Expr, known: Facts) -> Expr | None:
    """broadcast(broadcast(x, s), t) → broadcast(x, t); a broadcast to the same shape is none"""
    x = node.args[0]
    if same(x.shape, node.shape):
        return x
    if isinstance(x.op, Broadcast):
        return broadcast_to(x.args[0], node.shape)
    return None


@array_rule(Axes)
def axes_of_broadcast(node: Expr, known: Facts) -> Expr | None:
    """transpose(broadcast(x)) → broadcast(transpose(x))"""
    x = node.args[0]
    if not isinstance(x.op, Broadcast):
        return None
    own = x.args[0]
    missing = x.ndim - own.ndim
    order = [None if a is None or a < missing else a - missing for a in node.op.order]
    dropped = [a for a in range(own.ndim) if a not in order]
    if any(own.shape[a] != 1 for a in dropped):
        return None
    return broadcast_to(reorder(own, order), node.shape)


@array_rule(Slice)
def slice_of_broadcast(node: Expr, known: Facts) -> Expr | None:
    """broadcast(x)[i:j] → broadcast(x[i:j])"""
    x = node.args[0]
    if not isinstance(x.op, Broadcast):
        return None
    own = x.args[0]
    starts, lengths = node.op.places(node.args[1:])
    cut = list(zip(starts, lengths, node.op.steps, strict=True))[x.ndim - own.ndim :]
    parts = [(0, 1, 1) if n == 1 else part for n, part in zip(own.shape, cut, strict=True)]
    return broadcast_to(slices(own, *zip(*parts, strict=True)) if parts else own, node.shape)


@array_rule(Reshape)
def reshape_of_number(node: Expr, known: Facts) -> Expr | None:
    """reshape(broadcast(a)) → broadcast(a) where a is a scalar"""
    x = node.args[0]
    if isinstance(x.op, Broadcast) and not x.args[0].ndim:
        return broadcast_to(x.args[0], node.shape)
    return None


# --- axes and reshapes ----------------------------------------------------------------------------


@array_rule(Axes)
def axes_of_axes(node: Expr, known: Facts) -> Expr | None:
    """transpose(transpose(x)) → one transpose; one that keeps all as it is is none"""
    x, order = node.args[0], node.op.order
    if order == tuple(range(x.ndim)):
        return x
    if not isinstance(x.op, Axes):
        return None
    return reorder(x.args[0], [None if a is None else x.op.order[a] for a in order])


@array_rule(Elementwise)
def axes_outwards(node: Expr, known: Facts) -> Expr | None:
    """f(xᵀ, yᵀ, a) → f(x, y, a)ᵀ where all that are not scalars are transposed alike"""
    arrays = [a for a in node.args if a.ndim]
    if not arrays or not all(isinstance(a.op, Axes) for a in arrays):
        return None
    order, inner = arrays[0].op.order, arrays[0].args[0]
    if any(a.op.order != order or a.args[0].ndim != inner.ndim for a in arrays):
        return None
    if len(arrays) > 1 and len([a for a in order if a is not None]) != inner.ndim:
        return None
    new = build(node.op, tuple(a.args[0] if a.ndim else a for a in node.args))
    dropped = [a for a in range(new.ndim) if a not in order]
    if new.ndim != inner.ndim or any(new.shape[a] != 1 for a in dropped):
        return None
    return fitted(reorder(new, order), node)


@array_rule(Reshape)
def reshape_of_reshape(node: Expr, known: Facts) -> Expr | None:
    """reshape(reshape(x, s), t) → reshape(x, t); one to the same shape is none"""
    x = node.args[0]
    if same(x.shape, node.shape):
        return x
    if isinstance(x.op, Reshape):
        return reshape(x.args[0], node.shape)
    return None


@array_rule(Reshape)
def reshape_of_new_axes(node: Expr, known: Facts) -> Expr | None:
    """reshape(x[:, newaxis]) → reshape(x): axes of length 1 do not move elements"""
    x = node.args[0]
    if not isinstance(x.op, Axes):
        return None
    own = x.args[0]
    moved = [a for a in x.op.order if a is not None and own.shape[a] != 1]
    return reshape(own, node.shape) if moved == sorted(moved) else None


@array_rule(Axes)
def squeezed_reshape(node: Expr, known: Facts) -> Expr | None:
    """reshape(x)[:, 0, :] → reshape(x), to the shape without axes of length 1"""
    x = node.args[0]
    if not isinstance(x.op, Reshape) or x in known.shared:
        return None
    moved = [a for a in node.op.order if a is not None and x.shape[a] != 1]
    return reshape(x.args[0], node.shape) if moved == sorted(moved) else None


@array_rule(Reshape)
def reshape_as_axes(node: Expr, known: Facts) -> Expr | None:
    """reshape(x) → x with axes of length 1 put in or left out, where that is all it does"""
    x = node.args[0]
    kept = [a for a in range(x.ndim) if x.shape[a] != 1]
    places = [i for i, n in enumerate(node.shape) if n != 1]
    if [x.shape[a] for a in kept] != [node.shape[i] for i in places]:
        return None
    order: list = [None] * node.ndim
    for i, a in zip(places, kept, strict=True):
        order[i] = a
    return reorder(x, order)


@array_rule(Elementwise)
def reshape_outwards(node: Expr, known: Facts) -> Expr | None:
    """f(reshape(x), a) → reshape(f(x, a)) where the rest are scalars"""
    arrays = [a for a in node.args if a.ndim]
    if len(arrays) != 1 or not isinstance(arrays[0].op, Reshape) or arrays[0] in known.shared:
        return None
    new = build(node.op, tuple(a.args[0] if a.ndim else a for a in node.args))
    return fitted(reshape(new, node.shape), node)


# --- slices and joins -----------------------------------------------------------------------------


@array_rule(Slice)
def slice_of_slice(node: Expr, known: Facts) -> Expr | None:
    """x[a:b][c:d] → x[a + c : …]"""
    x = node.args[0]
    starts, lengths = node.op.places(node.args[1:])
    if same(x.shape, lengths) and all(s == 0 for s in starts) and set(node.op.steps) <= {1}:
        return x
    if not isinstance(x.op, Slice):
        return None
    first, _ = x.op.places(x.args[1:])
    moved = [
        size.plus(a, size.times(b, step))
        for a, b, step in zip(first, starts, x.op.steps, strict=True)
    ]
    steps = [a * b for a, b in zip(x.op.steps, node.op.steps, strict=True)]
    return slices(x.args[0], moved, lengths, steps)


@array_rule(Slice)
def slice_of_join(node: Expr, known: Facts) -> Expr | None:
    """join(x, y)[i:j] → x[i:j] where the slice is all in x"""
    x = node.args[0]
    if not isinstance(x.op, Join):
        return None
    axis = x.op.axis
    starts, lengths = (list(p) for p in node.op.places(node.args[1:]))
    if node.op.steps[axis] != 1:
        return None
    begin = 0
    for part in x.args:
        end = size.plus(begin, part.shape[axis])
        inside = size.is_nonnegative(size.minus(starts[axis], begin)) and size.is_nonnegative(
            size.minus(end, size.plus(starts[axis], lengths[axis]))
        )
        if inside:
            starts[axis] = size.minus(starts[axis], begin)
            return fitted(slices(part, starts, lengths, node.op.steps), node)
        begin = end
    return None


@array_rule(Slice)
def slice_inwards(node: Expr, known: Facts) -> Expr | None:
    """f(x, y)[i:j] → f(x[i:j], y[i:j]): fewer elements are computed"""
    x = node.args[0]
    if not isinstance(x.op, Elementwise) or x in known.shared:
        return None
    starts, lengths = node.op.places(node.args[1:])
    parts = list(zip(starts, lengths, node.op.steps, strict=True))

    def sliced(a: Expr) -> Expr:
        own = parts[len(parts) - a.ndim :] if a.ndim else []
        own = [(0, 1, 1) if n == 1 else p for n, p in zip(a.shape, own, strict=True)]
        return slices(a, *zip(*own, strict=True)) if own else a

    return fitted(build(x.op, tuple(map(sliced, x.args))), node)


@array_rule(Slice)
def slice_of_embed(node: Expr, known: Facts) -> Expr | None:
    """The place where `embed` has put an array, sliced out, is that array"""
    x = node.args[0]
    if not isinstance(x.op, Embed):
        return None
    _, starts = x.op._parts(x.args[1:])
    own, lengths = node.op.places(node.args[1:])
    if same(own, starts) and same(lengths, x.args[0].shape) and node.op.steps == x.op.steps:
        return x.args[0]
    return None


@array_rule(Join)
def join_of_one(node: Expr, known: Facts) -> Expr | None:
    """join(x) → x;  join(x, join(y, z)) → join(x, y, z); empty parts are left out"""
    parts: list[Expr] = []
    for a in node.args:
        nested = isinstance(a.op, Join) and a.op == node.op and a not in known.shared
        parts.extend(a.args if nested else [a])
    filled = [p for p in parts if p.shape[node.op.axis] != 0]
    parts = filled or parts[:1]
    if len(parts) == len(node.args) and all(p is a for p, a in zip(parts, node.args, strict=True)):
        return parts[0] if len(parts) == 1 else None
    return fitted(parts[0] if len(parts) == 1 else apply(node.op, *parts), node)


@array_rule(Join)
def join_of_slices(node: Expr, known: Facts) -> Expr | None:
    """join(x[:k], x[k:]) → x: neighbouring slices of one array are one slice"""
    axis = node.op.axis
    for i in range(len(node.args) - 1):
        left, right = node.args[i], node.args[i + 1]
        merged = _merged(left, right, axis)
        if merged is not None:
            args = (*node.args[:i], merged, *node.args[i + 2 :])
            return fitted(merged if len(args) == 1 else apply(node.op, *args), node)
    return None


def _merged(left: Expr, right: Expr, axis: int) -> Expr | None:
    if (
        not (isinstance(left.op, Slice) and isinstance(right.op, Slice))
        or left.args[0] is not right.args[0]
    ):
        return None
    s, n = (list(p) for p in left.op.places(left.args[1:]))
    t, m = (list(p) for p in right.op.places(right.args[1:]))
    if left.op.steps != right.op.steps or left.op.steps[axis] != 1:
        return None
    others = [a for a in range(left.ndim) if a != axis]
    if any(s[a] != t[a] or n[a] != m[a] for a in others) or size.plus(s[axis], n[axis]) != t[axis]:
        return None
    n[axis] = size.plus(n[axis], m[axis])
    return slices(left.args[0], s, n, left.op.steps)


# --- reductions -----------------------------------------------------------------------------------


def depends(e: Expr, axes, ndim: int) -> bool:
    """Whether `e`, as an argument among others of `ndim` axes, is not the same all along some of
    these axes."""
    offset = ndim - e.ndim
    return any(a >= offset and e.shape[a - offset] != 1 for a in axes)


def without(e: Expr, axes, ndim: int) -> Expr:
    """`e` without axes on which it does not depend, as an operand of what is left when they are
    folded."""
    offset = ndim - e.ndim
    return reorder(e, [a for a in range(e.ndim) if a + offset not in axes])


@array_rule(Reduce)
def reduce_of_reduce(node: Expr, known: Facts) -> Expr | None:
    """Σᵢ Σⱼ x → Σᵢⱼ x, and so for every monoid; a fold of no axes is none"""
    x, op = node.args[0], node.op
    if not op.axes:
        return x
    if not isinstance(x.op, Reduce) or x.op.monoid != op.monoid or x in known.shared:
        return None
    left = [a for a in range(x.args[0].ndim) if a not in x.op.axes]
    axes = tuple(sorted({*x.op.axes, *(left[a] for a in op.axes)}))
    return apply(Reduce(op.monoid, axes), x.args[0])


@array_rule(Reduce)
def reduce_of_single(node: Expr, known: Facts) -> Expr | None:
    """A fold over an axis of length 1 is the element"""
    x, op = node.args[0], node.op
    single = [a for a in op.axes if isinstance(x.shape[a], int) and x.shape[a] == 1]
    if not single:
        return None
    kept = [a for a in range(x.ndim) if a not in single]
    folded = tuple(kept.index(a) for a in op.axes if a not in single)
    squeezed = reorder(x, kept)
    return apply(Reduce(op.monoid, folded), squeezed) if folded else squeezed


@array_rule(Reduce)
def reduce_of_axes(node: Expr, known: Facts) -> Expr | None:
    """Σ over an axis of xᵀ → Σ over that axis of x, transposed"""
    x, op = node.args[0], node.op
    if not isinstance(x.op, Axes):
        return None
    order = x.op.order
    if any(order[a] is None for a in op.axes):
        return None
    own = x.args[0]
    folded = sorted(order[a] for a in op.axes)
    kept = [a for a in range(own.ndim) if a not in folded]
    result = apply(Reduce(op.monoid, tuple(folded)), own)
    rest = [order[a] for a in range(x.ndim) if a not in op.axes]
    return reorder(result, [None if a is None else kept.index(a) for a in rest])


@array_rule(Reduce)
def reduce_of_reshape(node: Expr, known: Facts) -> Expr | None:
    """Σ of all elements of reshape(x) → Σ of all elements of x"""
    x, op = node.args[0], node.op
    if not isinstance(x.op, Reshape) or len(op.axes) != x.ndim:
        return None
    own = x.args[0]
    return apply(Reduce(op.monoid, tuple(range(own.ndim))), own) if own.ndim else own


@array_rule(Reduce)
def reduce_of_broadcast(node: Expr, known: Facts) -> Expr | None:
    """Σ of n equal elements → n·x;  ∏ → xⁿ;  max, min, any, all → x"""
    x, op = node.args[0], node.op
    if not isinstance(x.op, Broadcast):
        return None
    own = x.args[0]
    free = [a for a in op.axes if not depends(own, [a], x.ndim)]
    count = size.product([x.shape[a] for a in free])
    if not free or (op.monoid not in ("sum", "prod") and not isinstance(count, int)):
        return None
    if isinstance(count, int) and count == 0 and op.monoid not in ("sum", "prod"):
        return None
    kept = [a for a in range(x.ndim) if a not in free]
    inner = broadcast_to(without(own, free, x.ndim), [x.shape[a] for a in kept])
    folded = tuple(kept.index(a) for a in op.axes if a not in free)
    result = apply(Reduce(op.monoid, folded), inner) if folded else inner
    if op.monoid in ("sum", "prod") and count != 1:
        n = cast(size.as_expr(count), x.dtype)
        if op.monoid == "prod" and not is_float(x.dtype):
            return None
        result = result * n if op.monoid == "sum" else power(result, n)
    return fitted(result, node)


@array_rule(Reduce)
def sum_of_product(node: Expr, known: Facts) -> Expr | None:
    """Σₖ a·xₖ → a·Σₖ xₖ where a does not depend on k"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or x.op is not multiply or x.dtype == "bool":
        return None
    free = [a for a in x.args if not depends(a, op.axes, x.ndim)]
    bound = [a for a in x.args if depends(a, op.axes, x.ndim)]
    if not free or not bound or (x in known.shared and not all(map(is_number, free))):
        return None
    inner = bound[0] if len(bound) == 1 else build(multiply, tuple(bound))
    total = _folded(op, inner, x)
    if total is None:
        return None
    return fitted(multiply(total, *(without(f, op.axes, x.ndim) for f in free)), node)


@array_rule(Reduce)
def sum_of_quotient(node: Expr, known: Facts) -> Expr | None:
    """Σₖ xₖ / a → (Σₖ xₖ) / a where a does not depend on k"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or x.op is not divide or depends(x.args[1], op.axes, x.ndim):
        return None
    total = _folded(op, x.args[0], x)
    if total is None or not depends(x.args[0], op.axes, x.ndim):
        return None
    return fitted(total / without(x.args[1], op.axes, x.ndim), node)


def _folded(op: Reduce, inner: Expr, x: Expr) -> Expr | None:
    """A fold of an argument of x over the axes, where that has all of them."""
    offset = x.ndim - inner.ndim
    axes = tuple(a - offset for a in op.axes)
    if axes[0] < 0 or any(inner.shape[a - offset] != x.shape[a] for a in op.axes):
        return None
    return apply(Reduce(op.monoid, axes), inner)


@array_rule(Reduce)
def extreme_of_shifted(node: Expr, known: Facts) -> Expr | None:
    """maxₖ (a + xₖ) → a + maxₖ xₖ where a does not depend on k: rounding keeps order"""
    x, op = node.args[0], node.op
    if op.monoid not in ("max", "min") or x.op is not add or not is_float(x.dtype):
        return None
    free = [a for a in x.args if not depends(a, op.axes, x.ndim)]
    bound = [a for a in x.args if depends(a, op.axes, x.ndim)]
    if not free or len(bound) != 1:
        return None
    best = _folded(op, bound[0], x)
    if best is None:
        return None
    return fitted(add(best, *(without(f, op.axes, x.ndim) for f in free)), node)


@array_rule(Reduce)
def extreme_of_scaled(node: Expr, known: Facts) -> Expr | None:
    """maxₖ a·xₖ → a·maxₖ xₖ where a > 0, a·minₖ xₖ where a < 0"""
    x, op = node.args[0], node.op
    if op.monoid not in ("max", "min") or x.op is not multiply or not is_float(x.dtype):
        return None
    a = x.args[0]
    if not is_number(a) or not np.isfinite(a.value) or a.value == 0:
        return None
    inner = x.args[1] if len(x.args) == 2 else build(multiply, x.args[1:])
    other = {"max": "min", "min": "max"}[op.monoid]
    best = _folded(Reduce(op.monoid if a.value > 0 else other, op.axes), inner, x)
    return None if best is None else fitted(a * best, node)


@array_rule(Reduce)
def reduce_of_join(node: Expr, known: Facts) -> Expr | None:
    """Σ of join(x, y) → Σ x + Σ y"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or not isinstance(x.op, Join) or x.op.axis not in op.axes:
        return None
    if x in known.shared or len(x.args) > 8 or x.dtype == "bool":
        return None
    return fitted(add(*(apply(op, p) for p in x.args)), node)


@array_rule(Reduce)
def sum_of_embed(node: Expr, known: Facts) -> Expr | None:
    """Σ of all elements of embed(x) → Σ of all elements of x"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or not isinstance(x.op, Embed) or len(op.axes) != x.ndim:
        return None
    return apply(op, x.args[0])


# --- casts and bounds -----------------------------------------------------------------------------


@array_rule(Cast)
def cast_of_cast(node: Expr, known: Facts) -> Expr | None:
    """cast(cast(x, b), c) → cast(x, c) where b holds every value of x's dtype; one to the same
    dtype is none"""
    x = node.args[0]
    if x.dtype == node.dtype:
        return x
    if not isinstance(x.op, Cast) or not np.can_cast(x.args[0].dtype, x.dtype, "safe"):
        return None
    start = x.args[0]
    if start.weak or (is_float(start.dtype) and is_integer(node.dtype)):
        return None
    return cast(start, node.dtype)


@array_rule(Cast)
def cast_of_choice(node: Expr, known: Facts) -> Expr | None:
    """cast(where(c, a, b)) → where(c, cast(a), cast(b)) where a and b are literals"""
    x = node.args[0]
    if x.op is not where or not all(is_number(a) for a in x.args[1:]):
        return None
    values = [constant(a.value.astype(node.dtype)) for a in x.args[1:]]
    return fitted(where(x.args[0], *values), node)


@array_rule(where)
def choice_as_cast(node: Expr, known: Facts) -> Expr | None:
    """where(c, 1, 0) → cast(c)"""
    c, x, y = node.args
    if node.dtype == "bool" or not (is_number(x) and is_number(y)) or x.value != 1 or y.value != 0:
        return None
    return fitted(cast(c, node.dtype), node)


@array_rule(maximum, minimum)
def bounded(node: Expr, known: Facts) -> Expr | None:
    """max(x, y) → x where it is known that x ≥ y;  min(x, y) → y"""
    for x, y in (node.args, node.args[::-1]):
        above, below = known.of(x), known.of(y)
        if above.low < below.high:
            continue
        if node.op is maximum and below.finite:
            return fitted(x, node)
        if node.op is minimum and above.finite:
            return fitted(y, node)
    return None


@array_rule(power)
def even_power(node: Expr, known: Facts) -> Expr | None:
    """(−x)²ⁿ → x²ⁿ;  |x|²ⁿ → x²ⁿ"""
    x, exponent = node.args
    if not is_number(exponent) or exponent.value % 2 != 0 or exponent.value <= 0:
        return None
    minus = (
        x.op is multiply and is_number(x.args[0]) and x.args[0].value == -1 and is_float(x.dtype)
    )
    if minus:
        rest = x.args[1] if len(x.args) == 2 else build(multiply, x.args[1:])
        return fitted(power(rest, exponent), node)
    return None
