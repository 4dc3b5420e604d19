"""Contractions, indexing, and whole softmaxes: rules that look through several operations.

A transpose in front of a product is only a change of labels; what does not depend on a summed label
need not be summed; what is put in one place and summed is what was put. These rules find what
gradients and plain formulas write down the long way.
"""

from __future__ import annotations

from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.op import apply
from symcomp.graph.scalar import Elementwise
from symcomp.graph.type import is_float
from symcomp.rewrite.arrays import depends, same, without
from symcomp.rewrite.canonical import is_number
from symcomp.rewrite.facts import Facts
from symcomp.rewrite.match import fitted
from symcomp.rewrite.rule import array_rule
from symcomp.tensor.arithmetic import add, divide, multiply
from symcomp.tensor.creation import Range
from symcomp.tensor.elementary import exp, log
from symcomp.tensor.indexing import Embed, Pick, Place, Scatter, Slice, Take, embed, place, slices
from symcomp.tensor.layout import Axes, Broadcast, broadcast_to
from symcomp.tensor.layout import axes as reorder
from symcomp.tensor.linear import Dot, product
from symcomp.tensor.nn import LogSoftmax, Softmax
from symcomp.tensor.reduction import LogSumExp, Reduce

# --- contractions ---------------------------------------------------------------------------------


def contraction(a: Expr, b: Expr, left: str, right: str, out: str, node: Expr) -> Expr | None:
    """A product with some labels of the original result missing: its axes of length 1 are put
    back."""
    have = [c for c in out if c in left or c in right]
    result = product(a, b, left, right, "".join(have))
    if len(have) != len(out):
        places = iter(range(len(have)))
        result = reorder(result, [next(places) if c in have else None for c in out])
    return fitted(result, node)


@array_rule(Dot)
def dot_of_transposed(node: Expr, known: Facts) -> Expr | None:
    """xᵀ·y → Σ with other labels;  x[:, newaxis]·y → the label of the new axis goes"""
    op = node.op
    for side in (0, 1):
        a = node.args[side]
        if not isinstance(a.op, Axes):
            continue
        labels, others = (op.left, op.right) if side == 0 else (op.right, op.left)
        order, own = a.op.order, a.args[0]
        if len([n for n in order if n is not None]) != own.ndim:
            continue
        new = [c for c, n in zip(labels, order, strict=True) if n is None]
        if any(c in others for c in new):
            continue
        mine = "".join(labels[order.index(n)] for n in range(own.ndim))
        pair = (
            (own, node.args[1], mine, op.right) if side == 0 else (node.args[0], own, op.left, mine)
        )
        return contraction(*pair, op.out, node)
    return None


@array_rule(Dot)
def dot_of_single(node: Expr, known: Facts) -> Expr | None:
    """An axis of length 1 in a product is no axis: (n, 1)·(1, m), (n, k)·(k, 1)"""
    op, (a, b) = node.op, node.args
    labels, lengths = op.left + op.right, (*a.shape, *b.shape)
    # A length on the other side that must be 1, but is not known before the call, stays an axis.
    single = {*labels} - {c for c, n in zip(labels, lengths, strict=True) if n != 1}
    if not single:
        return None
    a, left = _without_labels(a, op.left, single)
    b, right = _without_labels(b, op.right, single)
    return contraction(a, b, left, right, op.out, node)


def _without_labels(x: Expr, labels: str, dropped) -> tuple[Expr, str]:
    kept = [i for i, c in enumerate(labels) if c not in dropped]
    return reorder(x, kept), "".join(labels[i] for i in kept)


@array_rule(Dot)
def dot_of_broadcast(node: Expr, known: Facts) -> Expr | None:
    """Σₖ xᵢ·yₖⱼ → xᵢ·Σₖ yₖⱼ: a label along which one side is repeated leaves that side"""
    op = node.op
    if node.dtype == "bool":
        return None
    for side in (0, 1):
        a = node.args[side]
        if not isinstance(a.op, Broadcast):
            continue
        own, labels = a.args[0], op.left if side == 0 else op.right
        repeated = {c for i, c in enumerate(labels) if not depends(own, [i], a.ndim)}
        others = op.right if side == 0 else op.left
        lost = {c for c in repeated if c not in others and c not in op.out}
        if lost:
            continue
        kept = "".join(c for c in labels if c not in repeated)
        own = without(own, [labels.index(c) for c in repeated], a.ndim)
        own = broadcast_to(own, [a.shape[labels.index(c)] for c in kept])
        pair = (
            (own, node.args[1], kept, op.right) if side == 0 else (node.args[0], own, op.left, kept)
        )
        return contraction(*pair, op.out, node)
    return None


@array_rule(Dot)
def dot_that_sums_nothing(node: Expr, known: Facts) -> Expr | None:
    """A product without a summed label is elementwise: xᵢ·yⱼ"""
    op, (a, b) = node.op, node.args
    if op.summed:
        return None

    def aligned(x: Expr, labels: str) -> Expr:
        return reorder(x, [labels.index(c) if c in labels else None for c in op.out])

    return fitted(build(multiply, (aligned(a, op.left), aligned(b, op.right))), node)


@array_rule(Axes)
def transposed_dot(node: Expr, known: Facts) -> Expr | None:
    """(x·y)ᵀ → the same product, its result labelled in the other order"""
    x, order = node.args[0], node.op.order
    if not isinstance(x.op, Dot) or x in known.shared:
        return None
    if len(order) != x.ndim or None in order:
        return None
    out = "".join(x.op.out[a] for a in order)
    return product(*x.args, x.op.left, x.op.right, out)


@array_rule(Dot)
def scalars_out_of_dot(node: Expr, known: Facts) -> Expr | None:
    """(a·x)·y → a·(x·y) and (x / a)·y → (x·y) / a where a is a scalar"""
    op = node.op
    for side in (0, 1):
        x = node.args[side]
        if x.op is divide and not x.args[1].ndim and x.args[0].ndim:
            pair = (x.args[0], node.args[1]) if side == 0 else (node.args[0], x.args[0])
            return fitted(divide(apply(op, *pair), x.args[1]), node)
        if x.op is not multiply or x.dtype == "bool":
            continue
        scalars = [a for a in x.args if not a.ndim]
        arrays = [a for a in x.args if a.ndim]
        if not scalars or not arrays:
            continue
        inner = arrays[0] if len(arrays) == 1 else build(multiply, tuple(arrays))
        if not same(inner.shape, x.shape):
            continue
        pair = (inner, node.args[1]) if side == 0 else (node.args[0], inner)
        return fitted(multiply(*scalars, apply(op, *pair)), node)
    return None


@array_rule(Dot)
def matrices_before_vector(node: Expr, known: Facts) -> Expr | None:
    """(A·B)·v → A·(B·v): two products with a vector instead of one with a matrix"""
    op = node.op
    if not is_float(node.dtype):
        return None
    for side in (0, 1):
        x, v = node.args[side], node.args[1 - side]
        if not isinstance(x.op, Dot) or x in known.shared or v.ndim != 1 or x.ndim != 2:
            continue
        labels, summed = (op.left, op.right) if side == 0 else (op.right, op.left)
        if summed not in labels or summed in op.out or len(x.op.summed) != 1:
            continue
        inner = x.op.out[labels.index(summed)]
        a, b = x.args
        if inner in x.op.left and inner in x.op.right:
            continue
        if inner in x.op.left:
            a, b, left, right = b, a, x.op.right, x.op.left
        else:
            left, right = x.op.left, x.op.right
        k = x.op.summed
        if set(right) != {inner, k} or k not in left:
            continue
        first = product(b, v, right, inner, k)
        rest = "".join(c for c in x.op.out if c != inner)
        return fitted(product(a, first, left, k, rest), node)
    return None


@array_rule(Reduce)
def sum_of_dot(node: Expr, known: Facts) -> Expr | None:
    """Σᵢ Σₖ aᵢₖ·bₖⱼ → Σₖ (Σᵢ aᵢₖ)·bₖⱼ"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or not isinstance(x.op, Dot) or x in known.shared or x.dtype == "bool":
        return None
    out = "".join(c for a, c in enumerate(x.op.out) if a not in op.axes)
    return fitted(product(*x.args, x.op.left, x.op.right, out), node)


@array_rule(Reduce)
def sum_of_outer_product(node: Expr, known: Facts) -> Expr | None:
    """Σₖ x[:, newaxis, k]·y[newaxis, :, k] → the product of x and y"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or x.op is not multiply or len(x.args) != 2 or not is_float(x.dtype):
        return None
    names = "abcdefghijklmnopqrstuvwxyz"[: x.ndim]
    sides = [_labelled(a, names, x.ndim) for a in x.args]
    left, right = (labels for _, labels in sides)
    out = "".join(c for i, c in enumerate(names) if i not in op.axes)
    summed = [names[a] for a in op.axes]
    both = all(c in left and c in right for c in summed)
    apart = any(c not in left for c in out) and any(c not in right for c in out)
    if not both or not apart or set(out) - set(left) - set(right):
        return None
    return fitted(product(sides[0][0], sides[1][0], left, right, out), node)


def _labelled(a: Expr, names: str, ndim: int) -> tuple[Expr, str]:
    """An argument without the axes that it does not have, and the labels of those that it has."""
    absent = [i for i in range(ndim) if not depends(a, [i], ndim)]
    return without(a, absent, ndim), "".join(c for i, c in enumerate(names) if i not in absent)


# --- indexing -------------------------------------------------------------------------------------


def is_range(e: Expr, n) -> bool:
    """Whether an expression is 0, 1, …, n − 1."""
    if not isinstance(e.op, Range) or not all(is_number(a) for a in e.args[:2]):
        return False
    return e.args[0].value == 0 and e.args[1].value == 1 and (e.shape[0] is n or e.shape[0] == n)


def _plain(e: Expr) -> Expr:
    return e.args[0] if isinstance(e.op, Broadcast) and e.args[0].ndim == e.ndim else e


@array_rule(Take)
def take_all(node: Expr, known: Facts) -> Expr | None:
    """x[arange(n)] → x where n is the length of the axis"""
    x, op = node.args[0], node.op
    if len(op.axes) != 1 or op.position != op.axes[0]:
        return None
    return x if is_range(node.args[1], x.shape[op.axes[0]]) else None


@array_rule(Take)
def take_as_pick(node: Expr, known: Facts) -> Expr | None:
    """x[arange(m), at] → one element of each of the first m rows"""
    x, op = node.args[0], node.op
    if op.axes != (0, 1) or op.position != 0 or x.ndim != 2:
        return None
    rows, at = map(_plain, node.args[1:])
    if at.ndim != 1 or at.shape[0] == 1:
        return None
    if not is_range(rows, x.shape[0]):
        if not is_range(rows, at.shape[0]):
            return None
        x = slices(x, (0, 0), (at.shape[0], x.shape[1]), (1, 1))
    return fitted(apply(Pick(1), x, at), node)


@array_rule(Scatter)
def scatter_as_place(node: Expr, known: Facts) -> Expr | None:
    """zeros with zeros[arange(m), at] += g → g placed in each of the first m rows"""
    op, (base, g, *indices) = node.op, node.args
    if op.axes != (0, 1) or op.position != 0 or base.ndim != 2 or not _is_zeros(base):
        return None
    rows, at = map(_plain, indices)
    if at.ndim != 1 or at.shape[0] == 1 or g.ndim != 1:
        return None
    if not is_range(rows, base.shape[0]):
        if not is_range(rows, at.shape[0]):
            return None
        # The rows beyond have a zero put at position 0, which is as good as nothing.
        g, at = (embed(e, base.shape[:1], (0,), (1,)) for e in (g, at))
    return fitted(place(g, at, base.shape[1], 1), node)


@array_rule(add)
def scattered_into(node: Expr, known: Facts) -> Expr | None:
    """x + c·scatter(zeros, v) → scatter(x, c·v): only what is added to is read and written"""
    for position, term in enumerate(node.args):
        scattered = [a for a in _factors(term) if _is_scattered(a)]
        factors = [a for a in _factors(term) if a not in scattered]
        fits = len(scattered) == 1 and not any(f.ndim for f in factors)
        if not fits or term in known.shared or scattered[0] in known.shared:
            continue
        rest = [a for i, a in enumerate(node.args) if i != position]
        base = rest[0] if len(rest) == 1 else build(add, tuple(rest))
        if same(scattered[0].shape, node.shape) and same(base.shape, node.shape):
            return fitted(_into(base, factors, scattered[0]), node)
    return None


def _factors(term: Expr) -> tuple[Expr, ...]:
    return term.args if term.op is multiply else (term,)


def _is_scattered(e: Expr) -> bool:
    """Whether an expression is zeros that values have been added into."""
    while isinstance(e.op, Scatter) and e.op.monoid == "sum":
        e = e.args[0]
        if _is_zeros(e):
            return True
    return False


def _into(base: Expr, factors: list[Expr], scattered: Expr) -> Expr:
    """The values that were added into zeros, times factors, added into `base`."""
    inner, values, *indices = scattered.args
    if not _is_zeros(inner):
        base = _into(base, factors, inner)
    if factors:
        values = build(multiply, (*factors, values))
    return apply(scattered.op, base, values, *indices)


def _is_zeros(e: Expr) -> bool:
    e = e.args[0] if isinstance(e.op, Broadcast) else e
    return is_number(e) and e.value == 0


@array_rule(Reduce)
def sum_of_placed(node: Expr, known: Facts) -> Expr | None:
    """Σ over the axis along which g was placed → g"""
    x, op = node.args[0], node.op
    if op.monoid != "sum" or not isinstance(x.op, Place) or x.op.axis not in op.axes:
        return None
    g = x.args[0]
    kept = [a for a in range(x.ndim) if a != x.op.axis]
    folded = tuple(kept.index(a) for a in op.axes if a != x.op.axis)
    return fitted(apply(Reduce("sum", folded), g) if folded else g, node)


@array_rule(Pick)
def pick_of_placed(node: Expr, known: Facts) -> Expr | None:
    """What was placed at a position, picked there, is what was placed"""
    x, at = node.args
    if isinstance(x.op, Place) and x.op.axis == node.op.axis and x.args[1] is at:
        return fitted(x.args[0], node)
    return None


@array_rule(Pick)
def pick_inwards(node: Expr, known: Facts) -> Expr | None:
    """f(x)[at] → f(x[at]): fewer elements are computed"""
    x = node.args[0]
    if not isinstance(x.op, Elementwise) or x in known.shared:
        return None
    arrays = [a for a in x.args if a.ndim]
    if len(arrays) != 1 or not same(arrays[0].shape, x.shape):
        return None
    return fitted(
        build(x.op, tuple(apply(node.op, a, *node.args[1:]) if a.ndim else a for a in x.args)), node
    )


@array_rule(Embed)
def embed_of_all(node: Expr, known: Facts) -> Expr | None:
    """embed(x) in its own shape → x"""
    g = node.args[0]
    _, starts = node.op._parts(node.args[1:])
    whole = all(s == 0 for s in starts) and set(node.op.steps) <= {1}
    return g if whole and same(g.shape, node.shape) else None


@array_rule(Slice)
def slice_of_range(node: Expr, known: Facts) -> Expr | None:
    """arange(n)[i:j] → arange(i, j)"""
    x = node.args[0]
    if not isinstance(x.op, Range) or not all(is_number(a) for a in x.args[:2]):
        return None
    (start,), (length,) = node.op.places(node.args[1:])
    if not isinstance(start, int) or x.dtype != "int64":
        return None
    first, step = (int(a.value) for a in x.args[:2])
    literal = length if isinstance(length, int) else None
    sizes = () if literal is not None else (length,)
    begin = size.as_expr(first + start * step)
    stride = size.as_expr(step * node.op.steps[0])
    return fitted(apply(Range(x.dtype, literal), begin, stride, *sizes), node)


# --- softmax and its logarithm --------------------------------------------------------------------


@array_rule(log)
def log_of_softmax(node: Expr, known: Facts) -> Expr | None:
    """log(softmax(x)) → log_softmax(x)"""
    x = node.args[0]
    return apply(LogSoftmax(x.op.axis), x.args[0]) if isinstance(x.op, Softmax) else None


@array_rule(log)
def log_of_part_of_softmax(node: Expr, known: Facts) -> Expr | None:
    """log(softmax(x)[at]) → log_softmax(x)[at], for parts of any kind"""
    x = node.args[0]
    if not isinstance(x.op, (Pick, Take, Slice)) or not isinstance(x.args[0].op, Softmax):
        return None
    s = x.args[0]
    return build(x.op, (apply(LogSoftmax(s.op.axis), s.args[0]), *x.args[1:]))


@array_rule(exp)
def exp_of_log_softmax(node: Expr, known: Facts) -> Expr | None:
    """exp(log_softmax(x)) → softmax(x)"""
    x = node.args[0]
    if not isinstance(x.op, LogSoftmax) or x in known.shared:
        return None
    return apply(Softmax(x.op.axis), x.args[0])


@array_rule(log)
def log_of_sum_of_exp(node: Expr, known: Facts) -> Expr | None:
    """log Σ eˣ → logsumexp(x), which does not overflow"""
    x = node.args[0]
    if not isinstance(x.op, Reduce) or x.op.monoid != "sum" or x.args[0].op is not exp:
        return None
    return apply(LogSumExp(x.op.axes, False), x.args[0].args[0])


@array_rule(LogSumExp)
def logsumexp_without_kept_axes(node: Expr, known: Facts) -> Expr | None:
    """logsumexp with axes kept → without them, and new axes"""
    op, x = node.op, node.args[0]
    if not op.keepdims:
        return None
    left = iter(range(x.ndim - len(op.axes)))
    order = [None if a in op.axes else next(left) for a in range(x.ndim)]
    return reorder(apply(LogSumExp(op.axes, False), x), order)


def _kept_over(e: Expr, kind: type) -> tuple[Expr, tuple[int, ...]] | None:
    """The folded expression and the axes, where `e` is a fold whose axes are kept with length 1."""
    if isinstance(e.op, kind) and len(e.op.axes) == e.args[0].ndim == 1:
        return e, e.op.axes
    if not isinstance(e.op, Axes) or not isinstance(e.args[0].op, kind):
        return None
    inner = e.args[0]
    left = iter(range(inner.ndim))
    axes, ndim = inner.op.axes, inner.args[0].ndim
    # A leading axis of length 1 is implied, and may have been left out.
    expected = [None if a in axes else next(left) for a in range(ndim)]
    order = list(e.op.order)
    order = [None] * (ndim - len(order)) + order
    return (inner, axes) if order == expected else None


def _fold_beside(e: Expr, x_ndim: int, kind: type) -> tuple[Expr, int] | None:
    """The fold and its one axis, where `e` stands beside an array of `x_ndim` axes as its fold
    along that axis."""
    kept = _kept_over(e, kind)
    if kept is None and isinstance(e.op, kind) and e.op.axes == (0,) and e.args[0].ndim == x_ndim:
        kept = e, (0,)
    if kept is None or len(kept[1]) != 1 or kept[0].args[0].ndim != x_ndim:
        return None
    return kept[0], kept[1][0]


@array_rule(divide)
def quotient_as_softmax(node: Expr, known: Facts) -> Expr | None:
    """eˣ / Σ eˣ → softmax(x), which does not overflow"""
    top, bottom = node.args
    if top.op is not exp:
        return None
    found = _fold_beside(bottom, top.ndim, Reduce)
    if found is None or found[0].op.monoid != "sum" or found[0].args[0] is not top:
        return None
    return fitted(apply(Softmax(found[1]), top.args[0]), node)


@array_rule(add)
def difference_as_log_softmax(node: Expr, known: Facts) -> Expr | None:
    """x − logsumexp(x) → log_softmax(x)"""
    for term in node.args:
        if term.op is not multiply or not is_number(term.args[0]) or term.args[0].value != -1:
            continue
        if len(term.args) != 2:
            continue
        found = _fold_beside(term.args[1], node.ndim, LogSumExp)
        if found is None or found[0].args[0] not in node.args:
            continue
        x = found[0].args[0]
        rest = list(node.args)
        rest.remove(term)
        rest.remove(x)
        return fitted(add(apply(LogSoftmax(found[1]), x), *rest), node)
    return None


@array_rule(multiply)
def softmax_cancels(node: Expr, known: Facts) -> Expr | None:
    """s·(x / s) → x;  s·(x / s + y) → x + s·y where s is a softmax: never zero, though it may round
    to it"""
    for s in node.args:
        if not isinstance(s.op, Softmax):
            continue
        for other in node.args:
            new = _times_softmax(s, other)
            if new is not None:
                rest = list(node.args)
                rest.remove(s)
                rest.remove(other)
                return fitted(multiply(new, *rest) if rest else new, node)
    return None


def _times_softmax(s: Expr, other: Expr) -> Expr | None:
    if other.op is divide and other.args[1] is s:
        return other.args[0]
    if other.op is not add:
        return None
    cancelled = [_without_divisor(t, s) for t in other.args]
    if not any(c is not None for c in cancelled):
        return None
    left = [t for t, c in zip(other.args, cancelled, strict=True) if c is None]
    terms = [c for c in cancelled if c is not None]
    return (
        add(*terms, multiply(s, add(*left) if len(left) > 1 else left[0])) if left else add(*terms)
    )


def _without_divisor(term: Expr, s: Expr) -> Expr | None:
    if term.op is divide and term.args[1] is s:
        return term.args[0]
    if term.op is not multiply:
        return None
    for position, a in enumerate(term.args):
        if a.op is divide and a.args[1] is s:
            rest = (*term.args[:position], *term.args[position + 1 :])
            return multiply(a.args[0], *rest)
    return None


@array_rule(Softmax, LogSoftmax)
def softmax_of_shifted(node: Expr, known: Facts) -> Expr | None:
    """softmax(x + a) → softmax(x) where a is the same all along the axis"""
    x = node.args[0]
    if x.op is not add:
        return None
    axis = node.op.axis
    free = [a for a in x.args if not depends(a, [axis], x.ndim) and known.finite(a)]
    bound = [a for a in x.args if a not in free]
    if not free or not bound:
        return None
    inner = bound[0] if len(bound) == 1 else build(add, tuple(bound))
    if inner.ndim != x.ndim or inner.shape[axis] != x.shape[axis]:
        return None
    return fitted(apply(node.op, inner), node)


@array_rule(Softmax)
def softmax_of_log_softmax(node: Expr, known: Facts) -> Expr | None:
    """softmax(log_softmax(x)) → softmax(x)"""
    x = node.args[0]
    if isinstance(x.op, LogSoftmax) and x.op.axis == node.op.axis:
        return apply(node.op, x.args[0])
    return None
