"""Attention: averages of values, weighted by how well their keys answer a query.

out[i] = Σⱼ p[i, j]·v[j], where p is the softmax of q·kᵀ along each row (Vaswani et al., 2017). The
derivative needs p again. It is not kept but computed anew from one number for each row, the
logarithm of its sum of exponentials: so a kernel that never holds more than a tile of p computes
both directions (Rabe and Staats, 2021; Dao et al., 2022): see codegen/attention.py. Here `body`
says what it must compute.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast, unbroadcast
from symcomp.graph.type import Type, float_of, is_float, promote
from symcomp.graph.walk import order
from symcomp.tensor import reduction
from symcomp.tensor.arithmetic import equal, where
from symcomp.tensor.creation import arange
from symcomp.tensor.elementary import exp, sqrt
from symcomp.tensor.layout import expand_dims, swapaxes
from symcomp.tensor.linear import matmul

__all__ = ["attention"]


class _Attention(Op, register=False):
    """What the three operations have in common: their scores, and derivatives through the body."""

    #: The shape of loops that takes the place of the body.
    kernel = "attention"
    causal: bool

    def of_scores(self, *args: Expr) -> tuple[Expr, ...]:
        """The arguments that the scores are made of."""
        return args

    def goes_with(self, own: Expr, other: Expr) -> bool:
        """Whether two such nodes have the same scores and leading axes: one pass computes both."""
        same = self.of_scores(*own.args) == other.op.of_scores(*other.args)
        return same and self.causal == other.op.causal and own.shape[:-2] == other.shape[:-2]

    def vjp(self, g, out, *args):
        return _through(self.body(*args), args, g)

    def scores(self, q: Expr, k: Expr, *mask: Expr) -> Expr:
        """q·kᵀ, −∞ where a query may not look."""
        s = matmul(q, swapaxes(k, -1, -2))
        if mask:
            s = where(mask[0], s, -np.inf)
        if self.causal:
            n, m = s.shape[-2:]
            s = where(expand_dims(arange(n), 1) >= arange(m), s, -np.inf)
        return s

    def numpy_scores(self, q, k, *mask):
        s = q @ np.swapaxes(k, -1, -2)
        if mask:
            s = np.where(mask[0], s, -np.inf)
        return np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf) if self.causal else s


def _through(out: Expr, args: tuple[Expr, ...], g: Expr) -> tuple:
    """The gradients of a formula in other operations, for each of its arguments.

    Where an argument stands twice, as in the attention of a sequence to itself, the first place has
    all of its gradient.
    """
    gradients, found = {out: g}, {}
    for node in reversed(order([out], stop=lambda e: e in args)):
        total = gradients.pop(node, None)
        if total is None or not is_float(node.dtype):
            continue
        if node in args:
            found[node] = total
        elif node.op is not None:
            for a, d in zip(node.args, node.op.vjp(total, node, *node.args), strict=True):
                if d is not None:
                    gradients[a] = gradients[a] + d if a in gradients else d
    return tuple(found.pop(a, None) for a in args)


def _shape(arrays: tuple[Expr, ...], last: tuple) -> tuple:
    """The leading axes of all, which broadcast, and the last two."""
    lead = []
    for sizes in zip(*(a.shape[:-2] for a in arrays), strict=True):
        common = 1
        for n in sizes:
            if n != 1:
                message = "leading axes of {} and {} do not fit"
                common = n if isinstance(common, int) and common == 1 else size.same_size(
                    common, n, message
                )  # fmt: skip
        lead.append(common)
    return (*lead, *last)


def _check_scores(name: str, q: Expr, k: Expr, *mask: Expr) -> None:
    for a in (q, k):
        if not is_float(a.dtype) or a.dtype != q.dtype:
            raise DtypeError(f"{name} needs arrays of one floating-point dtype, not {q.dtype} "
                             f"and {a.dtype}")  # fmt: skip
        if a.ndim < 2 or a.ndim != q.ndim:
            raise ShapeError(f"{name} needs arrays of as many axes, two or more, not {q.ndim} "
                             f"and {a.ndim}")  # fmt: skip
    size.same_size(q.shape[-1], k.shape[-1], "queries of length {} do not fit keys of length {}")
    for m in mask:
        if m.dtype != "bool":
            raise DtypeError(f"a mask is boolean (true where a query may look), not {m.dtype}")
        if m.ndim != q.ndim:
            raise ShapeError(f"a mask of {m.ndim} axes does not fit scores of {q.ndim}")
        for own, n in zip(m.shape[-2:], (q.shape[-2], k.shape[-2]), strict=True):
            if own != 1:
                size.same_size(own, n, "a mask of length {} does not fit {} queries or keys")


@operation
class Attention(_Attention):
    """softmax(q·kᵀ)·v; rows that may look nowhere are 0."""

    causal: bool

    samples = (
        ((False,), (2, 3, 4), (2, 5, 4), (2, 5, 2)),
        ((True,), (4, 3), (4, 3), (4, 2)),
        ((False,), (0, 4), (3, 4), (3, 2)),
    )

    def type(self, q, k, v, *mask):
        _check_scores(self.name, q, k, *mask)
        if v.dtype != q.dtype or v.ndim != q.ndim:
            raise ShapeError(f"the values, a {v.type}, do not fit queries, a {q.type}")
        size.same_size(k.shape[-2], v.shape[-2], "{} keys do not fit {} values")
        shape = _shape((q, k, v, *mask), (q.shape[-2], v.shape[-1]))
        return Type(q.dtype, shape)

    def body(self, q, k, v, *mask):
        s = self.scores(q, k, *mask)
        top = reduction.top_of(s, (s.ndim - 1,))
        e = exp(s - where(equal(top, -np.inf), 0, top))
        total = reduction.sum(e, -1, keepdims=True)
        return matmul(e / where(equal(total, 0), 1, total), v)

    def vjp(self, g, out, q, k, v, *mask):
        sums = apply(AttentionSums(self.causal), q, k, *mask)
        parts = (apply(AttentionGradient(i, self.causal), g, out, sums, q, k, v, *mask)
                 for i in range(3))  # fmt: skip
        return (*map(unbroadcast, parts, (q, k, v)), *(None for _ in mask))

    def of_scores(self, q, k, v, *mask):
        return (q, k, *mask)

    def numpy(self, q, k, v, *mask):
        with np.errstate(all="ignore"):
            s = self.numpy_scores(q, k, *mask)
            top = s.max(-1, keepdims=True, initial=-np.inf)
            e = np.exp(s - np.where(top == -np.inf, 0, top))
            total = e.sum(-1, keepdims=True)
            return ((e / np.where(total == 0, 1, total)) @ v).astype(q.dtype)


@operation
class AttentionSums(_Attention):
    """log Σⱼ exp(q[i]·k[j]) for each row, which is kept; 0 for a row that may look nowhere."""

    causal: bool

    name = "attention_sums"
    samples = (
        ((False,), (2, 3, 4), (2, 5, 4)),
        ((True,), (4, 3), (4, 3)),
    )

    def type(self, q, k, *mask):
        _check_scores("attention", q, k, *mask)
        return Type(q.dtype, _shape((q, k, *mask), (q.shape[-2], 1)))

    def body(self, q, k, *mask):
        s = self.scores(q, k, *mask)
        sums = reduction.logsumexp(s, -1, keepdims=True)
        return where(equal(sums, -np.inf), 0, sums)

    def numpy(self, q, k, *mask):
        with np.errstate(all="ignore"):
            s = self.numpy_scores(q, k, *mask)
            top = s.max(-1, keepdims=True, initial=-np.inf)
            top = np.where(top == -np.inf, 0, top)
            sums = top + np.log(np.exp(s - top).sum(-1, keepdims=True))
            return np.where(sums == -np.inf, 0, sums).astype(q.dtype)


@operation
class AttentionGradient(_Attention):
    """What reaches the queries (of = 0), the keys (1) or the values (2) when g reaches the output.

    With p = exp(q·kᵀ − sums) and d = p·(g·vᵀ − Σ g·out): d·k, dᵀ·q and pᵀ·g. The result has all
    leading axes, also those along which an argument is repeated.
    """

    of: int
    causal: bool

    name = "attention_gradient"
    kernel = "attention_gradient"
    #: Of arguments that do not belong together p can be any number: tests keep it small.
    domain = (2.0, np.inf)
    samples = tuple(
        ((of, causal), (2, 2, 1), (2, 2, 1), (2, 2, 1), (2, 2, 1), (2, 3, 1), (2, 3, 1))
        for of, causal in ((0, False), (1, False), (2, True))
    )

    def type(self, g, out, sums, q, k, v, *mask):
        _check_scores("attention", q, k, *mask)
        return Type(q.dtype, _shape((g, out, sums, q, k, v, *mask), (q, k, v)[self.of].shape[-2:]))

    def body(self, g, out, sums, q, k, v, *mask):
        p = exp(self.scores(q, k, *mask) - sums)
        if self.of == 2:
            return matmul(swapaxes(p, -1, -2), g)
        d = p * (matmul(g, swapaxes(v, -1, -2)) - reduction.sum(g * out, -1, keepdims=True))
        if self.of == 1:
            return matmul(swapaxes(d, -1, -2), q)
        return matmul(d, k)

    def numpy(self, g, out, sums, q, k, v, *mask):
        with np.errstate(all="ignore"):
            p = np.exp(self.numpy_scores(q, k, *mask) - sums)
            if self.of == 2:
                return (np.swapaxes(p, -1, -2) @ g).astype(q.dtype)
            d = p * (g @ np.swapaxes(v, -1, -2) - (g * out).sum(-1, keepdims=True))
            return (np.swapaxes(d, -1, -2) @ q if self.of else d @ k).astype(q.dtype)


def attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    causal: bool = False,
    scale: Any = None,
) -> Expr:
    """softmax(query·keyᵀ · scale)·value: for each query the average of the values that it looks at.

    Shapes: query (…, n, d), key (…, m, d), value (…, m, v), result (…, n, v); the leading axes
    (batch, heads) broadcast. `mask` is boolean, true where a query may look, and broadcasts to
    (…, n, m); with `causal` query i looks at keys 0 to i. A query that may look nowhere gets zeros.
    `scale` is 1/√d by default. Errors: DtypeError for a mask that is not boolean, ShapeError for
    shapes that do not fit.
    """
    q, k, v = (as_expr(a) for a in (query, key, value))
    for name, a in (("query", q), ("key", k), ("value", v)):
        if a.ndim < 2:
            _fail(f"attention: the {name} must have two axes or more, not {a.ndim}")
    if not isinstance(causal, bool):
        _fail(f"attention: causal is True or False, not {causal!r}", ArgumentError)
    dtype = float_of(promote(*(a.dtype for a in (q, k, v))))
    q, k, v = (cast(a, dtype) for a in (q, k, v))
    masks = () if mask is None else (as_expr(mask),)
    rank = max(a.ndim for a in (q, k, v, *masks))
    if masks and masks[0].dtype != "bool":
        _fail("attention: a mask is boolean, true where a query may look, not "
              f"{masks[0].dtype}", DtypeError)  # fmt: skip
    if scale is None:
        scale = 1 / sqrt(cast(size.as_expr(q.shape[-1]), dtype))
    q = q * cast(as_expr(scale), dtype)
    arrays = (expand_dims(a, tuple(range(rank - a.ndim))) if a.ndim < rank else a
              for a in (q, k, v, *masks))  # fmt: skip
    return apply(Attention(causal), *arrays)


def _fail(message: str, error: type = ShapeError) -> None:
    raise error(describe(message, origin=here()))
