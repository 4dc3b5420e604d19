"""Connectionist temporal classification: the probability of a sequence of labels, over all ways of
aligning it with the frames of an input (Graves et al., 2006).

Between the labels, before and after them stand blanks: b a b c b for "ac". An alignment walks along
these states, a state at each frame: it stays, goes one on, or skips a blank between two labels that
differ. `Alignments` is the sum over all walks that end in a state, by a recursion over the frames
in logarithms, so that no product of a thousand probabilities rounds to 0. Its derivative is a
linear recurrence backwards over the frames, whose weights are the parts that walks have in sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr, constant
from symcomp.graph.notation import Write, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.type import Type, is_float, is_integer
from symcomp.tensor.arithmetic import equal, maximum, not_equal, where
from symcomp.tensor.creation import arange, full
from symcomp.tensor.elementary import exp, log, logaddexp
from symcomp.tensor.indexing import zero
from symcomp.tensor.layout import broadcast_to, concatenate, expand_dims, reshape, stack
from symcomp.tensor.reduction import require_float

__all__ = ["ctc_loss"]


@operation
class Alignments(Op):
    """α[t, b, s]: log Σ over all walks that are in state s at frame t.

    α[0, s] = start[s] + e[0, s]; then each state is entered from itself, the one before it, and
    the one before that: α[t, s] = e[t, s] + log(exp α[t − 1, s] + exp α[t − 1, s − 1] +
    exp(α[t − 1, s − 2] + skip[s])). `e` (frames, batch, states) are logarithms of probabilities;
    `start` and `skip` (batch, states) are 0 where a walk may start in a state or jump to it, else
    −∞.
    """

    samples = (
        ((), (3, 2, 5), (2, 5), (2, 5)),
        ((), (4, 1, 1), (1, 1), (1, 1)),
        ((), (1, 2, 3), (2, 3), (2, 3)),
        ((), (0, 2, 5), (2, 5), (2, 5)),
    )

    def type(self, e, start, skip):
        require_float("an alignment", e)
        for other in (start, skip):
            if other.dtype != e.dtype:
                raise DtypeError(f"alignments need one dtype, not {e.dtype} and {other.dtype}")
            for n, m in zip(e.shape[1:], other.shape, strict=True):
                size.same_size(n, m, "emissions and states do not fit: {} is not {}")
        return Type(e.dtype, e.shape)

    def loops(self, out, e, start, skip):
        first, rest, after = _frames(e.shape)
        t, b, s = rest[1], rest[0], rest[2]
        nowhere = constant(np.asarray(-np.inf, e.dtype))
        terms = [out[t, b, s]]
        for d in (1, 2):
            jump = out[t, b, size.at_least_zero(size.minus(s, d))]
            terms.append(where(s >= d, jump + skip[b, s] if d == 2 else jump, nowhere))
        value = _log_of_sum(terms) + e[after]
        f, b0, s0 = first[1], first[0], first[2]
        return [
            Write(first, (f, b0, s0), start[b0, s0] + e[f, b0, s0]),
            Write(rest, after, value, injective=False, free=(b, s)),
        ]

    def vjp(self, g, out, e, start, skip):
        shares = [_share(out, e, skip, d) for d in range(3)]
        back = _backwards(g, shares)
        return back, back[:1].sum(0), (back * shares[2])[1:].sum(0)

    def numpy(self, e, start, skip):
        out = np.full(e.shape, -np.inf, e.dtype)
        with np.errstate(all="ignore"):
            out[:1] = start + e[:1]
            for t in range(1, len(e)):
                terms = np.full((3, *e.shape[1:]), -np.inf, e.dtype)
                terms[0], terms[1, :, 1:] = out[t - 1], out[t - 1, :, :-1]
                terms[2, :, 2:] = out[t - 1, :, :-2] + skip[:, 2:]
                out[t] = np.logaddexp.reduce(terms) + e[t]
        return out


def _frames(shape) -> tuple[tuple, tuple, tuple]:
    """Indices (batch, frame, state) of the first frame; those of each but the last; the place of
    the next.
    """
    frames, batch, states = shape
    first = (index(batch), index(size.smaller(frames, 1)), index(states))
    rest = (index(batch), index(size.at_least_zero(size.minus(frames, 1))), index(states))
    return first, rest, (size.plus(rest[1], 1), rest[0], rest[2])


def _log_of_sum(terms: list[Expr]) -> Expr:
    """log Σ exp(x), −∞ where all of them are."""
    top = terms[0]
    for x in terms[1:]:
        top = maximum(top, x)
    top = where(equal(top, -np.inf), zero(top.dtype), top)
    return top + log(sum((exp(x - top) for x in terms[1:]), exp(terms[0] - top)))


def _share(alpha: Expr, e: Expr, skip: Expr, d: int) -> Expr:
    """The part that the walks through state s − d at frame t − 1 have in those in s at t."""
    before = shift(shift(alpha, 0, 1), 2, d)
    if d:
        before = where(arange(alpha.shape[2]) >= d, before, -np.inf)
    before = before + skip if d == 2 else before
    reached = not_equal(alpha, -np.inf)
    return where(reached, exp(before - where(reached, alpha - e, 0)), 0)


def _backwards(g: Expr, weights: list[Expr]) -> Expr:
    """a[t, s] = g[t, s] + Σ weights[d][t + 1, s + d] · a[t + 1, s + d]: the recurrence reversed."""
    turned = [shift(shift(w, 0, -1), 2, -d) for d, w in enumerate(weights)]
    back = apply(BandedRecurrence(), *(x[::-1, :, ::-1] for x in (g, *turned)))
    return back[::-1, :, ::-1]


@operation
class BandedRecurrence(Op):
    """out[t, b, s] = x[t, b, s] + Σ w_d[t, b, s] · out[t − 1, b, s − d], for d = 0, 1, 2.

    Its derivative is the same recurrence with frames and states reversed.
    """

    name = "banded_recurrence"

    samples = (
        ((), *[(3, 2, 4)] * 4),
        ((), *[(2, 1, 1)] * 4),
        ((), *[(0, 2, 3)] * 4),
    )

    def type(self, x, *weights):
        require_float("a recurrence", x)
        for w in weights:
            if w.dtype != x.dtype:
                raise DtypeError(f"a recurrence needs one dtype, not {x.dtype} and {w.dtype}")
            for n, m in zip(x.shape, w.shape, strict=True):
                size.same_size(n, m, "a recurrence needs arrays of one shape: {} is not {}")
        return Type(x.dtype, x.shape)

    def loops(self, out, x, *weights):
        first, rest, after = _frames(x.shape)
        b, t, s = rest
        value = x[after]
        for d, w in enumerate(weights):
            term = w[after] * out[t, b, size.at_least_zero(size.minus(s, d)) if d else s]
            value = value + (where(s >= d, term, zero(x.dtype)) if d else term)
        start = (first[1], first[0], first[2])
        return [
            Write(first, start, x[start]),
            Write(rest, after, value, injective=False, free=(b, s)),
        ]

    def vjp(self, g, out, x, *weights):
        back = _backwards(g, list(weights))
        return back, *(back * shift(shift(out, 0, 1), 2, d) for d in range(3))

    def numpy(self, x, *weights):
        out = np.array(x)
        with np.errstate(all="ignore"):
            for t in range(1, len(x)):
                for d, w in enumerate(weights):
                    n = max(x.shape[2] - d, 0)
                    out[t, :, d:] += w[t, :, d:] * out[t - 1, :, :n]
        return out


@operation
class Shift(Op):
    """out[i] = x[i − by] along an axis, 0 where there is no such element."""

    axis: int
    by: int

    samples = (
        ((0, 1), (3, 2)),
        ((1, -2), (2, 4)),
        ((0, 3), (2,)),
        ((0, -1), (0,)),
    )

    def type(self, x):
        require_float("a shift", x)
        return Type(x.dtype, x.shape)

    def element(self, x, *indices):
        place = size.as_expr(size.plus(indices[self.axis], -self.by))
        inside = place >= 0 if self.by > 0 else place < size.as_expr(x.shape[self.axis])
        at = (*indices[: self.axis], place, *indices[self.axis + 1 :])
        return where(inside, x[at], zero(x.dtype))

    def vjp(self, g, out, x):
        return (shift(g, self.axis, -self.by),)

    def numpy(self, x):
        out, n = np.zeros_like(x), x.shape[self.axis]
        kept = max(n - abs(self.by), 0)
        at = max(self.by, 0)
        target, source = [slice(None)] * x.ndim, [slice(None)] * x.ndim
        target[self.axis] = slice(at, at + kept)
        source[self.axis] = slice(max(-self.by, 0), max(-self.by, 0) + kept)
        out[tuple(target)] = x[tuple(source)]
        return out


def shift(x: Expr, axis: int, by: int) -> Expr:
    """The elements moved along an axis; zeros follow."""
    return apply(Shift(axis, by), x) if by else x


def ctc_loss(
    log_probabilities: Any,
    labels: Any,
    input_lengths: Any,
    label_lengths: Any,
    blank: int = 0,
) -> Expr:
    """−log of the probability of each sequence of labels, over all its alignments: a vector.

    `log_probabilities` (frames, batch, classes) are those of `log_softmax` over the last axis, with
    a class that is the blank. `labels` (batch, length) are integers; what lies beyond the
    `label_lengths` (batch) is not looked at, nor are frames beyond the `input_lengths` (batch). The
    loss is inf, and its gradient 0, where no alignment exists: a sequence needs as many frames as
    it has labels, and one more for each label that repeats the one before. An empty sequence is
    all blanks.

    Errors: DtypeError for labels or lengths that are not integers, ShapeError for arrays that do
    not fit, ArgumentError for a blank that is not a class; at the call, BoundsError for a length
    that is negative or too large, or a label that is no class.
    """
    x, labels, frames, lengths = map(
        as_expr, (log_probabilities, labels, input_lengths, label_lengths)
    )
    _check(x, labels, frames, lengths, blank)
    labels, frames, lengths = (cast(v, "int64") for v in (labels, frames, lengths))
    longest = labels.shape[1]
    inside = arange(longest) < expand_dims(lengths, 1)
    labels = where(inside, labels, blank)
    states = _states(labels, blank)
    rows = arange(x.shape[1])
    e = x[:, expand_dims(rows, 1), states]
    alpha = apply(Alignments(), e, _starts(labels, x.dtype), _skips(labels, x.dtype))
    # A negative length must not count from the end: it becomes one that is too large.
    at = where(frames < 0, x.shape[0], maximum(frames - 1, 0))
    final = where(lengths < 0, size.as_expr(size.plus(longest, longest, 1)), 2 * lengths)
    in_blank = alpha[at, rows, final]
    in_label = where(final > 0, alpha[at, rows, maximum(final - 1, 0)], -np.inf)
    possible = not_equal(maximum(in_blank, in_label), -np.inf) & (frames > 0)
    total = logaddexp(where(possible, in_blank, 0), where(possible, in_label, 0))
    nothing = (frames <= 0) & (lengths <= 0)
    return where(possible, -total, cast(where(nothing, 0.0, np.inf), x.dtype))


def _states(labels: Expr, blank: int) -> Expr:
    """blank, label, blank, label, …, blank."""
    return _interleaved(full(labels.shape, blank, "int64"), labels, blank)


def _interleaved(blanks: Expr, labels: Expr, last: Any) -> Expr:
    """Columns of blanks and labels in turn, and one more for the last blank."""
    batch, longest = labels.shape
    pairs = reshape(stack([blanks, labels], 2), (batch, size.times(longest, 2)))
    return concatenate([pairs, full((batch, 1), last, labels.dtype)], 1)


def _starts(labels: Expr, dtype: str) -> Expr:
    """0 at the first blank and the first label, where walks start, −∞ elsewhere."""
    batch, longest = labels.shape
    states = arange(size.plus(size.times(longest, 2), 1))
    return broadcast_to(cast(where(states < 2, 0.0, -np.inf), dtype), (batch, states.shape[0]))


def _skips(labels: Expr, dtype: str) -> Expr:
    """0 at labels that do not repeat the one before, −∞ elsewhere."""
    never = full(labels.shape, -np.inf, dtype)
    before = concatenate([labels[:, :1], labels[:, :-1]], 1)
    each = cast(where(not_equal(labels, before), 0.0, -np.inf), dtype)
    return _interleaved(never, each, -np.inf)


def _check(x: Expr, labels: Expr, frames: Expr, lengths: Expr, blank: int) -> None:
    if not is_float(x.dtype):
        _fail(f"ctc_loss: log-probabilities must be floating-point, not {x.dtype}", DtypeError)
    for name, v in (("labels", labels), ("input_lengths", frames), ("label_lengths", lengths)):
        if not is_integer(v.dtype):
            _fail(f"ctc_loss: {name} must be integers, not {v.dtype}", DtypeError)
    for name, v, n, axes in (
        ("log_probabilities", x, 3, "(frames, batch, classes)"),
        ("labels", labels, 2, "(batch, length)"),
        ("input_lengths", frames, 1, "(batch,)"),
        ("label_lengths", lengths, 1, "(batch,)"),
    ):
        if v.ndim != n:
            _fail(f"ctc_loss: {name} must have {n} axes {axes}, not {v.ndim}")
    for name, n in (
        ("labels", labels.shape[0]),
        ("input_lengths", frames.shape[0]),
        ("label_lengths", lengths.shape[0]),
    ):
        message = f"ctc_loss: {name} for {{}} sequences do not fit a batch of {{}}"
        size.same_size(n, x.shape[1], message)
    classes = x.shape[2]
    bad = not isinstance(blank, int) or isinstance(blank, bool) or blank < 0
    if bad or (isinstance(classes, int) and blank >= classes):
        _fail(f"ctc_loss: the blank must be one of the classes 0 … , not {blank!r}", ArgumentError)


def _fail(message: str, error: type = ShapeError) -> None:
    raise error(describe(message, origin=here()))
