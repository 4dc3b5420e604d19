"""Products of arrays: one operation, `Dot`, says them all.

A product of two arrays is given by labels, as in Einstein's notation: `ik,kj→ij` is the matrix
product, `ik,k→i` that of a matrix and a vector, `bik,bkj→bij` a batch of matrix products, `i,j→ij`
the outer product. A transpose is only a change of labels, and the gradient of a product is again a
product. Compiled, those that are matrix products go to BLAS.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import fold, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast, times
from symcomp.graph.type import Type, is_float, promote, shape_text
from symcomp.tensor.creation import arange
from symcomp.tensor.layout import axes as reorder
from symcomp.tensor.layout import expand_dims, normal_axes, transpose, wrap

__all__ = [
    "batched_dot", "diagonal", "dot", "einsum", "inner", "matmul", "outer", "tensordot", "trace",
    "vdot",
]  # fmt: skip


@operation
class Dot(Op):
    """out[i, j] = Σₖ a[i, k] · b[k, j], with the labels of the axes of a, b and out. Labels not in
    `out` are summed.

    Each label stands once in an operand; a summed label is in both (others are summed before).
    """

    left: str
    right: str
    out: str

    samples = (
        (("ik", "kj", "ij"), (3, 4), (4, 5)),
        (("ik", "k", "i"), (3, 4), (4,)),
        (("k", "k", ""), (5,), (5,)),
        (("bik", "bkj", "bij"), (2, 3, 4), (2, 4, 5)),
        (("i", "j", "ij"), (3,), (4,)),
        (("ik", "kj", "ij"), (0, 4), (4, 5)),
        (("ik", "kj", "ij"), (3, 0), (0, 2)),
        (("ki", "jk", "ji"), (4, 3), (5, 4)),
        (("bk", "bk", "b"), (3, 4), (3, 4)),
    )

    @property
    def summed(self) -> str:
        return "".join(c for c in self.left if c in self.right and c not in self.out)

    def type(self, a, b):
        sizes = dict(zip(self.left, a.shape, strict=True))
        for label, n in zip(self.right, b.shape, strict=True):
            if label in sizes:
                message = (
                    f"shapes {shape_text(a.type.shape)} and {shape_text(b.type.shape)} "
                    "do not fit in a product: {} is not {}"
                )
                n = size.same_size(sizes[label], n, message)
            sizes[label] = n
        if a.dtype != b.dtype:
            raise DtypeError(f"a product of {a.dtype} and {b.dtype}: cast one")
        return Type(a.dtype, tuple(sizes[c] for c in self.out))

    def element(self, a, b, *indices):
        at = dict(zip(self.out, indices, strict=True))
        folded = {c: index(a.shape[self.left.index(c)], c) for c in self.summed}
        at |= folded
        value = a[tuple(at[c] for c in self.left)] * b[tuple(at[c] for c in self.right)]
        monoid = "any" if a.dtype == "bool" else "sum"
        for k in folded.values():
            value = fold(monoid, k, value)
        return value

    def vjp(self, g, out, a, b):
        if not is_float(a.dtype):
            return None, None
        if not self.out and set(self.left) == set(self.right):
            # All labels are summed: the gradient is the other side, times a number.
            beside_a = reorder(b, [self.right.index(c) for c in self.left])
            beside_b = reorder(a, [self.left.index(c) for c in self.right])
            return times(g, beside_a), times(g, beside_b)
        return product(g, b, self.out, self.right, self.left), product(
            a, g, self.left, self.out, self.right
        )

    def numpy(self, a, b):
        with np.errstate(all="ignore"):
            if a.dtype == bool or a.dtype.kind in "iu" or not a.size or not b.size:
                return np.einsum(f"{self.left},{self.right}->{self.out}", a, b)
            batch = [c for c in self.out if c in self.left and c in self.right]
            rows = [c for c in self.left if c not in self.right]
            columns = [c for c in self.right if c not in self.left]
            x = np.einsum(f"{self.left}->{''.join([*batch, *rows, *self.summed])}", a)
            y = np.einsum(f"{self.right}->{''.join([*batch, *self.summed, *columns])}", b)
            nb, nr, nk = len(batch), len(rows), len(self.summed)
            x2 = x.reshape(
                *x.shape[:nb], int(np.prod(x.shape[nb : nb + nr])), int(np.prod(x.shape[nb + nr :]))
            )
            y2 = y.reshape(*y.shape[:nb], x2.shape[-1], int(np.prod(y.shape[nb + nk :])))
            z = np.matmul(x2, y2).reshape((*x.shape[: nb + nr], *y.shape[nb + nk :]))
            return np.einsum(f"{''.join([*batch, *rows, *columns])}->{self.out}", z)

    def text(self, a, b):
        if (self.left, self.right, self.out) in (
            ("ik", "kj", "ij"),
            ("ik", "k", "i"),
            ("k", "kj", "j"),
            ("k", "k", ""),
        ):
            return f"{wrap(a)} @ {wrap(b)}"
        return f"einsum({self.left},{self.right}->{self.out}: {a}, {b})"


def product(a: Any, b: Any, left: str, right: str, out: str) -> Expr:
    """`Dot` in canonical labels; operands get one dtype, and labels that only one operand has and
    `out` lacks are summed.
    """
    a, b = as_expr(a), as_expr(b)
    dtype = promote(*(int if x.weak else x.dtype for x in (a, b)))
    a, b = cast(a, dtype), cast(b, dtype)
    lonely = [i for i, c in enumerate(left) if c not in right and c not in out]
    if lonely:
        a = a.sum(axis=tuple(lonely), dtype=dtype)
        left = "".join(c for i, c in enumerate(left) if i not in lonely)
    lonely = [i for i, c in enumerate(right) if c not in left and c not in out]
    if lonely:
        b = b.sum(axis=tuple(lonely), dtype=dtype)
        right = "".join(c for i, c in enumerate(right) if i not in lonely)
    return apply(Dot(*canonical_labels(left, right, out)), a, b)


def canonical_labels(left: str, right: str, out: str) -> tuple[str, str, str]:
    """The same product with rows i…, columns j…, summed k…, batch b…: equal products get equal
    labels.
    """
    kinds = {
        "i": [c for c in left if c not in right],
        "k": [c for c in left if c in right and c not in out],
        "b": [c for c in out if c in left and c in right],
        "j": [c for c in right if c not in left],
    }
    spare = iter(c for c in string.ascii_lowercase + string.ascii_uppercase if c not in "ikbj")
    names = {}
    for first, labels in kinds.items():
        for position, c in enumerate(labels):
            names[c] = first if position == 0 else next(spare)
    rename = lambda text: "".join(names[c] for c in text)  # noqa: E731
    return rename(left), rename(right), rename(out)


def dot(a: Any, b: Any) -> Expr:
    """The product of vectors, matrices and (along the last and the last but one axis) higher
    arrays, as `np.dot`.
    """
    a, b = as_expr(a), as_expr(b)
    if not a.ndim or not b.ndim:
        return a * b
    left = string.ascii_uppercase[: a.ndim - 1]
    right = string.ascii_lowercase[: b.ndim - 1]
    second = right[:-1] + "z" + right[-1:]
    return product(a, b, left + "z", second, left + right)


def matmul(a: Any, b: Any) -> Expr:
    """The matrix product over the last two axes; leading axes are a batch and broadcast, as
    `np.matmul` and `@`.
    """
    a, b = as_expr(a), as_expr(b)
    if not a.ndim or not b.ndim:
        raise ShapeError("matmul (@) has no meaning for scalars: use *")
    if a.ndim <= 2 and b.ndim <= 2:
        return dot(a, b)
    rows = "I" if a.ndim > 1 else ""
    columns = "J" if b.ndim > 1 else ""
    batch = string.ascii_lowercase[: max(a.ndim, b.ndim, 2) - 2]
    a, left = _batch(a, batch, rows + "K")
    b, right = _batch(b, batch, "K" + columns)
    missing = [c for c in batch if c not in left and c not in right]
    result = product(
        a, b, left, right, "".join(c for c in batch if c not in missing) + rows + columns
    )
    for position, c in enumerate(batch):
        if c in missing:
            result = expand_dims(result, position)
    return result


def _batch(x: Expr, batch: str, own: str) -> tuple[Expr, str]:
    """Drop the batch axes of length 1: they are repeated, so the product lacks their label."""
    have = batch[len(batch) - (x.ndim - len(own)) :] if x.ndim > len(own) else ""
    dropped = [i for i in range(len(have)) if x.shape[i] == 1]
    kept = "".join(c for i, c in enumerate(have) if i not in dropped)
    if dropped:
        x = reorder(x, [i for i in range(x.ndim) if i not in dropped])
    return x, kept + own


def tensordot(a: Any, b: Any, axes: Any = 2) -> Expr:
    """Summed over pairs of axes: the last n of a with the first n of b, or those given, as
    `np.tensordot`.
    """
    a, b = as_expr(a), as_expr(b)
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ShapeError(
                f"tensordot cannot sum {axes} axes of arrays with {a.ndim} and {b.ndim}"
            )
        axes = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    of_a, of_b = (
        normal_axes(s if isinstance(s, (tuple, list)) else (s,), x.ndim)
        for s, x in zip(axes, (a, b), strict=True)
    )
    if len(of_a) != len(of_b):
        raise ShapeError(
            f"tensordot needs as many axes of each operand, not {len(of_a)} and {len(of_b)}"
        )
    left = list(string.ascii_lowercase[: a.ndim])
    right = list(string.ascii_uppercase[: b.ndim])
    for i, j in zip(of_a, of_b, strict=True):
        right[j] = left[i]
    out = [c for i, c in enumerate(left) if i not in of_a] + [
        c for j, c in enumerate(right) if j not in of_b
    ]
    return product(a, b, "".join(left), "".join(right), "".join(out))


def batched_dot(a: Any, b: Any) -> Expr:
    """The product of each pair along the first axis (Theano's)."""
    a, b = as_expr(a), as_expr(b)
    if a.ndim < 2 or b.ndim < 2:
        raise ShapeError("batched_dot needs a batch axis and one more in each operand")
    left = "b" + string.ascii_uppercase[: a.ndim - 2] + "z"
    tail = string.ascii_lowercase[2 : b.ndim]
    right = "bz" + tail if b.ndim > 1 else "b"
    return product(a, b, left, right[: b.ndim], "b" + left[1:-1] + right[2 : b.ndim])


def inner(a: Any, b: Any) -> Expr:
    """Summed over the last axis of both."""
    a, b = as_expr(a), as_expr(b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,))) if a.ndim and b.ndim else a * b


def outer(a: Any, b: Any) -> Expr:
    """All products of an element of a with one of b, both flattened."""
    a, b = as_expr(a).ravel(), as_expr(b).ravel()
    return product(a, b, "i", "j", "ij")


def vdot(a: Any, b: Any) -> Expr:
    """The inner product of both, flattened."""
    return dot(as_expr(a).ravel(), as_expr(b).ravel())


def trace(x: Any) -> Expr:
    """The sum of the main diagonal of a matrix."""
    return diagonal(x).sum()


def diagonal(x: Any) -> Expr:
    """The main diagonal of a matrix."""
    x = as_expr(x)
    if x.ndim != 2:
        raise ShapeError(f"diagonal needs a matrix, not a {x.type}")
    i = arange(size.smaller(x.shape[0], x.shape[1]))
    return x[i, i]


def einsum(subscripts: str, *operands: Any) -> Expr:
    """Einstein's notation, as `np.einsum`: `einsum("bik,bkj->bij", a, b)`; several operands are
    joined left to right.
    """
    operands = [as_expr(o) for o in operands]
    inputs, out = _parse(subscripts, operands)
    terms = [_without_diagonals(o, labels) for o, labels in zip(operands, inputs, strict=True)]
    value, labels = terms[0]
    for position, (other, right) in enumerate(terms[1:], 2):
        later = set(out).union(*(t[1] for t in terms[position:]))
        kept = "".join(dict.fromkeys(c for c in labels + right if c in later))
        value, labels = product(value, other, labels, right, kept), kept
    lonely = tuple(i for i, c in enumerate(labels) if c not in out)
    if lonely:
        value = value.sum(axis=lonely)
        labels = "".join(c for c in labels if c in out)
    return transpose(value, [labels.index(c) for c in out]) if out else value


def _parse(subscripts: str, operands: Sequence[Expr]) -> tuple[list[str], str]:
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ArgumentError(
            f"einsum: {subscripts!r} names {len(inputs)} operands, and {len(operands)} were given"
        )
    for labels, o in zip(inputs, operands, strict=True):
        if not labels.isalpha() and labels:
            raise ArgumentError(f"einsum: {labels!r} has something other than letters")
        if len(labels) != o.ndim:
            raise ShapeError(
                f"einsum: {labels!r} names {len(labels)} axes of an array with {o.ndim}"
            )
    if not arrow:
        out = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if len(set(out)) != len(out) or not set(out) <= set(left):
        raise ArgumentError(
            f"einsum: the result {out!r} must have each label once, and only labels of the operands"
        )
    return inputs, out


def _without_diagonals(x: Expr, labels: str) -> tuple[Expr, str]:
    """A label that stands twice in one operand takes its diagonal."""
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            i, j = [p for p, d in enumerate(labels) if d == c][:2]
            x = transpose(x, [i, j, *(p for p in range(x.ndim) if p not in (i, j))])
            position = arange(
                size.same_size(x.shape[0], x.shape[1], "einsum: a diagonal of {} by {}")
            )
            x = x[position, position]
            labels = c + "".join(d for p, d in enumerate(labels) if p not in (i, j))
    return x, labels
