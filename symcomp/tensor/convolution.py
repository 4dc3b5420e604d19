"""Convolutions: one geometry, and three operations that are each other's derivatives.

Images x[B, G·C, *S], filters w[G·O, C, *K] and outputs y[B, G·O, *P], with one to three spatial
axes, are tied by one trilinear form: the sum of x[b, gC + c, q] · w[gO + o, c, k] · y[b, gO + o, p]
over all places with q = stride·p + dilation·k − low. Its gradient with respect to y is
`Convolution`, with respect to x `ConvolutionInput` (the transposed convolution), with respect to w
`ConvolutionFilters`. Each is linear in its two arguments, and its own gradients are the other two:
there is nothing else to derive, to whatever order.

What lies outside an image is zero (and so, times a filter that is not finite, nan; in a transposed
convolution that is not said). The padding after the end needs no parameter: it follows from
the size of the result, which is explicit. Layouts, flips and the names of paddings are the
business of the functions that people call: see `filtering`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from symcomp.errors import DtypeError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import Operand, Sum, index
from symcomp.graph.op import Op, apply, operation
from symcomp.graph.size import Size
from symcomp.graph.type import Type, is_float
from symcomp.tensor.arithmetic import equal, where
from symcomp.tensor.indexing import zero
from symcomp.tensor.layout import filled, filled_values, template


class Geometry(NamedTuple):
    """The sizes of a convolution, the same for all three operations; each is an int or symbolic."""

    batch: Size  # B
    groups: Size  # G
    channels: Size  # C, of images, in each group
    filters: Size  # O, in each group
    image: tuple[Size, ...]  # S
    kernel: tuple[Size, ...]  # K
    output: tuple[Size, ...]  # P
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    low: tuple[Size, ...]  # how far the first output reaches before the image (negative: inside)

    @property
    def images_shape(self) -> tuple:
        return (self.batch, size.times(self.groups, self.channels), *self.image)

    @property
    def filters_shape(self) -> tuple:
        return (size.times(self.groups, self.filters), self.channels, *self.kernel)

    @property
    def outputs_shape(self) -> tuple:
        return (self.batch, size.times(self.groups, self.filters), *self.output)

    def group(self, channel: Expr, each: Size) -> Size:
        """The group of a channel, where each group has `each` of them."""
        return 0 if self.groups == 1 else size.quotient(channel, each)

    def position(self, axis: int, p: Size, k: Size) -> Size:
        """Where in the image the output p meets the tap k."""
        reach = size.plus(size.times(p, self.stride[axis]), size.times(k, self.dilation[axis]))
        return size.minus(reach, self.low[axis])

    def read(self, images: Operand, b: Expr, channel: Size, p, k) -> Expr:
        """An element of the images under the tap k of the output p; 0 outside."""
        at, inside = [], []
        for axis, n in enumerate(self.image):
            q = self.position(axis, p[axis], k[axis])
            at.append(size.as_expr(q))
            end = self.position(
                axis, size.minus(self.output[axis], 1), size.minus(self.kernel[axis], 1)
            )
            if not size.is_nonnegative(size.minus(0, self.low[axis])):
                inside.append(at[-1] >= 0)
            if not size.is_nonnegative(size.minus(size.minus(n, 1), end)):
                inside.append(at[-1] < n)
        return _where_all(inside, images[(b, size.as_expr(channel), *at)])

    def met(self, q, k) -> tuple[list[Expr], list[Expr]]:
        """The output whose tap k lies on the place q of the image, and what must hold for there to
        be one.
        """
        at, exists = [], []
        for axis, (n, s, d) in enumerate(zip(self.image, self.stride, self.dilation, strict=True)):
            low, last = self.low[axis], size.minus(self.kernel[axis], 1)
            reach = size.minus(size.plus(q[axis], low), size.times(k[axis], d))
            p = size.as_expr(size.quotient(reach, s))
            at.append(p)
            if not size.is_nonnegative(size.minus(low, size.times(last, d))):
                exists.append(size.as_expr(reach) >= 0)
            if s != 1:
                exists.append(equal(size.as_expr(reach) % s, 0))
            enough = size.times(self.output[axis], s)
            if not size.is_nonnegative(size.minus(enough, size.plus(n, low))):
                exists.append(p < self.output[axis])
        return at, exists

    # --- of literal sizes: what the NumPy references are made of ---

    @property
    def is_empty(self) -> bool:
        """Whether nothing meets anything: all is zero, or there is nothing at all."""
        return not all((*self.images_shape, *self.filters_shape, *self.outputs_shape))

    def frame(self) -> tuple[tuple[int, ...], tuple, tuple]:
        """The extent of what is read along each axis, the part of it that the image covers, and the
        part of the image that is covered.
        """
        extents, within, covered = [], [], []
        for axis, (n, low) in enumerate(zip(self.image, self.low, strict=True)):
            extent = self.position(axis, self.output[axis] - 1, self.kernel[axis] - 1) + low + 1
            first, last = max(low, 0), min(extent, n + low)
            last = max(first, last)
            extents.append(extent)
            within.append(slice(first, last))
            covered.append(slice(first - low, last - low))
        return tuple(extents), (..., *within), (..., *covered)

    def taps(self):
        """Every tap of the filters, with the part of the frame that it meets."""
        for k in itertools.product(*map(range, self.kernel)):
            parts = zip(k, self.stride, self.dilation, self.output, strict=True)
            yield (
                (..., *k),
                (..., *(slice(d * i, d * i + s * (n - 1) + 1, s) for i, s, d, n in parts)),
            )

    def framed(self, images: np.ndarray) -> np.ndarray:
        """Images with the zeros around them, by group."""
        extents, within, covered = self.frame()
        frame = np.zeros((*images.shape[:2], *extents), images.dtype)
        frame[within] = images[covered]
        return frame.reshape(self.batch, self.groups, self.channels, *extents)


def _where_all(conditions: list[Expr], value: Expr) -> Expr:
    """The value where all conditions hold, else 0."""
    if not conditions:
        return value
    together = conditions[0]
    for c in conditions[1:]:
        together = together & c
    return where(together, value, zero(value.dtype))


def _sum(indices: Sequence[Expr], body: Expr) -> Expr:
    for i in reversed(indices):
        body = Sum(i, body)
    return body


@operation
class _Convolution(Op, register=False):
    """What the three have in common. Fields that are None stand for symbolic arguments, which
    follow the two arrays: the number of groups, `low`, and the spatial sizes of the result.
    """

    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int | None
    low: tuple[int | None, ...]
    shape: tuple[int | None, ...]

    #: What the two arrays are called in errors.
    called = ("images", "filters")

    def numbers(self, sizes) -> tuple[Size, tuple, tuple]:
        """Groups, low and the result's spatial sizes, with the symbolic ones filled in."""
        rank = len(self.stride)
        given = [getattr(s, "expr", s) for s in sizes]
        groups, *rest = filled((self.groups, *self.low, *self.shape), given)
        return groups, tuple(rest[:rank]), tuple(map(size.at_least_zero, rest[rank:]))

    def geometry(self, a, b, *sizes) -> Geometry:
        """All sizes, from the arguments (expressions, operands of an equation, or arrays)."""
        raise NotImplementedError

    def require(self, a, b, *sizes) -> Geometry:
        """The geometry, of arguments that have the right number of axes and a fit dtype."""
        rank = len(self.stride)
        for x, what in zip((a, b), self.called, strict=True):
            if x.ndim != rank + 2:
                raise ShapeError(
                    f"a convolution over {rank} {'axis' if rank == 1 else 'axes'} needs {what} "
                    f"with {rank + 2} axes, not a {x.type}"
                )
        if a.dtype != b.dtype:
            raise DtypeError(f"a convolution of {a.dtype} and {b.dtype}: cast one")
        if a.dtype == "bool":
            raise DtypeError("a convolution needs numbers, not bool: cast them")
        return self.geometry(a, b, *sizes)

    def reference(self, s: Geometry, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The values, where there are any to add up."""
        raise NotImplementedError

    def result(self, s: Geometry) -> tuple:
        """The shape of the result."""
        raise NotImplementedError

    def numpy(self, a, b, *sizes):
        s = self.geometry(a, b, *sizes)
        if s.is_empty:
            return np.zeros(self.result(s), a.dtype)
        with np.errstate(all="ignore"):
            return self.reference(s, a, b).reshape(self.result(s))

    def vjp(self, g, out, a, b, *sizes):
        if not is_float(a.dtype):
            return (None,) * (2 + len(sizes))
        s = self.geometry(a, b, *sizes)
        return (*self.gradients(s, g, a, b), *(None for _ in sizes))

    def text(self, a, b, *sizes):
        groups, *rest = filled_values((self.groups, *self.low, *self.shape), sizes)
        rank = len(self.stride)
        options = {
            "stride": (self.stride, 1),
            "dilation": (self.dilation, 1),
            "low": (rest[:rank], 0),
            "groups": ((groups,), 1),
            "size": (rest[rank:], None),
        }
        shown = [
            f"{name}={'×'.join(map(_short, values))}"
            for name, (values, usual) in options.items()
            if any(v != usual for v in values)
        ]
        return f"{self.name}({', '.join([a, b, *shown])})"


def _short(value: int | str) -> str:
    """A number, or a size where it is not too long to read inside a formula."""
    return text if len(text := str(value)) <= 20 else "…"


def _shared_out(n: Size, groups: Size, what: str) -> None:
    """Note that a number of channels or filters must be a multiple of the number of groups."""
    message = f"{{}} {what} cannot be shared out to {groups} groups"
    size.same_size(n, size.times(groups, size.quotient(n, groups)), message)


@operation
class Convolution(_Convolution):
    """out[b, gO + o, p] = Σ x[b, gC + c, stride·p + dilation·k − low] · w[gO + o, c, k] over c and
    k, where x is 0 outside its sizes.
    """

    name = kernel = "convolution"
    samples = (
        (((1,), (1,), 1, (0,), (3,)), (2, 2, 5), (3, 2, 3)),
        (((2,), (1,), 2, (1,), (3,)), (2, 4, 5), (6, 2, 3)),
        (((1, 2), (2, 1), 1, (1, 2), (4, 3)), (2, 2, 5, 4), (3, 2, 2, 3)),
        (((1,), (1,), None, (None,), (None,)), (1, 4, 5), (2, 2, 2), 2, 1, 6),
        (((2,), (1,), 1, (-1,), (2,)), (1, 1, 6), (1, 1, 2)),
        (((1, 1, 1), (1, 1, 1), 1, (0, 1, 0), (2, 3, 2)), (1, 1, 3, 2, 2), (2, 1, 2, 2, 1)),
        (((1,), (1,), 1, (1,), (2,)), (0, 2, 3), (1, 2, 4)),
        (((1,), (1,), 1, (0,), (0,)), (1, 1, 2), (1, 1, 3)),
    )

    def geometry(self, x, w, *sizes):
        groups, low, output = self.numbers(sizes)
        return Geometry(
            x.shape[0], groups, w.shape[1], size.quotient(w.shape[0], groups),
            tuple(x.shape[2:]), tuple(w.shape[2:]), output, self.stride, self.dilation, low,
        )  # fmt: skip

    def type(self, x, w, *sizes):
        s = self.require(x, w, *sizes)
        _shared_out(w.shape[0], s.groups, "filters")
        groups = "" if s.groups == 1 else f" ({s.channels} in each of {s.groups} groups)"
        message = f"images of {{}} channels do not fit filters for {{}}{groups}"
        size.same_size(x.shape[1], size.times(s.groups, s.channels), message)
        return Type(x.dtype, (s.batch, w.shape[0], *s.output))

    def element(self, x, w, *rest):
        rank = len(self.stride)
        s = self.geometry(x, w, *rest[: -rank - 2])
        b, filter, *p = rest[-rank - 2 :]
        c, k = index(s.channels, "c"), [index(n, "k") for n in s.kernel]
        channel = size.plus(size.times(s.group(filter, s.filters), s.channels), c)
        return _sum([c, *k], s.read(x, b, channel, p, k) * w[(filter, c, *k)])

    def gradients(self, s, g, x, w):
        return convolution_input(s, g, w), convolution_filters(s, x, g)

    def result(self, s):
        return s.outputs_shape

    def reference(self, s, x, w):
        frame = s.framed(x)
        w = w.reshape(s.groups, s.filters, s.channels, *s.kernel)
        out = np.zeros((s.batch, s.groups, s.filters, math.prod(s.output)), x.dtype)
        for k, part in s.taps():
            out += w[k] @ frame[part].reshape(s.batch, s.groups, s.channels, -1)
        return out


@operation
class ConvolutionInput(_Convolution):
    """out[b, gC + c, q] = Σ y[b, gO + o, p] · w[gO + o, c, k] over o and all p and k with
    stride·p + dilation·k − low = q: the transpose of `Convolution` with respect to its images.
    """

    name = kernel = "convolution_input"
    samples = (
        (((1,), (1,), 1, (0,), (5,)), (2, 3, 3), (3, 2, 3)),
        (((2,), (1,), 2, (1,), (5,)), (2, 6, 3), (6, 2, 3)),
        (((1, 2), (2, 1), 1, (1, 2), (5, 4)), (2, 3, 4, 3), (3, 2, 2, 3)),
        (((3,), (2,), None, (None,), (None,)), (1, 2, 3), (2, 2, 2), 2, 1, 8),
        (((2,), (1,), 1, (-1,), (6,)), (1, 1, 2), (1, 1, 2)),
        (((1, 1, 1), (1, 1, 1), 1, (0, 1, 0), (3, 2, 2)), (1, 2, 2, 3, 2), (2, 1, 2, 2, 1)),
        (((1,), (1,), 1, (1,), (2,)), (0, 1, 3), (1, 2, 4)),
        (((1,), (1,), 1, (0,), (0,)), (1, 1, 2), (1, 1, 3)),
    )
    called = ("outputs", "filters")

    def geometry(self, y, w, *sizes):
        groups, low, image = self.numbers(sizes)
        return Geometry(
            y.shape[0], groups, w.shape[1], size.quotient(w.shape[0], groups),
            image, tuple(w.shape[2:]), tuple(y.shape[2:]), self.stride, self.dilation, low,
        )  # fmt: skip

    def type(self, y, w, *sizes):
        s = self.require(y, w, *sizes)
        _shared_out(w.shape[0], s.groups, "filters")
        message = "arrays of {} channels do not fit filters that take {}"
        size.same_size(y.shape[1], w.shape[0], message)
        return Type(y.dtype, s.images_shape)

    def element(self, y, w, *rest):
        rank = len(self.stride)
        s = self.geometry(y, w, *rest[: -rank - 2])
        b, channel, *q = rest[-rank - 2 :]
        o, k = index(s.filters, "o"), [index(n, "k") for n in s.kernel]
        group = s.group(channel, s.channels)
        filter = size.as_expr(size.plus(size.times(group, s.filters), o))
        c = size.as_expr(size.minus(channel, size.times(group, s.channels)))
        p, exists = s.met(q, k)
        return _sum([o, *k], _where_all(exists, y[(b, filter, *p)] * w[(filter, c, *k)]))

    def gradients(self, s, h, y, w):
        return convolution(s, h, w), convolution_filters(s, h, y)

    def result(self, s):
        return s.images_shape

    def reference(self, s, y, w):
        extents, within, covered = s.frame()
        y = y.reshape(s.batch, s.groups, s.filters, -1)
        w = w.reshape(s.groups, s.filters, s.channels, *s.kernel)
        frame = np.zeros((s.batch, s.groups, s.channels, *extents), y.dtype)
        for k, part in s.taps():
            met = np.swapaxes(w[k], -1, -2) @ y
            frame[part] += met.reshape(*met.shape[:3], *s.output)
        out = np.zeros((s.batch, s.groups, s.channels, *s.image), y.dtype)
        out[covered] = frame[within]
        return out


@operation
class ConvolutionFilters(_Convolution):
    """out[gO + o, c, k] = Σ x[b, gC + c, stride·p + dilation·k − low] · y[b, gO + o, p] over b and
    p: the transpose of `Convolution` with respect to its filters.
    """

    name = kernel = "convolution_filters"
    samples = (
        (((1,), (1,), 1, (0,), (3,)), (2, 2, 5), (2, 3, 3)),
        (((2,), (1,), 2, (1,), (3,)), (2, 4, 5), (2, 6, 3)),
        (((1, 2), (2, 1), 1, (1, 2), (2, 3)), (2, 2, 5, 4), (2, 3, 4, 3)),
        (((1,), (1,), None, (None,), (None,)), (1, 4, 5), (1, 2, 6), 2, 1, 2),
        (((2,), (1,), 1, (-1,), (2,)), (1, 1, 6), (1, 1, 2)),
        (((1, 1, 1), (1, 1, 1), 1, (0, 1, 0), (2, 2, 1)), (1, 1, 3, 2, 2), (1, 2, 2, 3, 2)),
        (((1,), (1,), 1, (1,), (4,)), (0, 2, 3), (0, 1, 2)),
        (((1,), (1,), 1, (0,), (3,)), (1, 1, 2), (1, 1, 0)),
    )
    called = ("images", "outputs")

    def geometry(self, x, y, *sizes):
        groups, low, kernel = self.numbers(sizes)
        channels, filters = (size.quotient(a.shape[1], groups) for a in (x, y))
        return Geometry(
            x.shape[0], groups, channels, filters, tuple(x.shape[2:]), kernel, tuple(y.shape[2:]),
            self.stride, self.dilation, low,
        )  # fmt: skip

    def type(self, x, y, *sizes):
        s = self.require(x, y, *sizes)
        _shared_out(x.shape[1], s.groups, "channels")
        _shared_out(y.shape[1], s.groups, "filters")
        size.same_size(x.shape[0], y.shape[0], "{} images do not fit {} outputs")
        return Type(x.dtype, (y.shape[1], s.channels, *s.kernel))

    def element(self, x, y, *rest):
        rank = len(self.stride)
        s = self.geometry(x, y, *rest[: -rank - 2])
        filter, c, *k = rest[-rank - 2 :]
        b, p = index(s.batch, "b"), [index(n, "p") for n in s.output]
        channel = size.plus(size.times(s.group(filter, s.filters), s.channels), c)
        return _sum([b, *p], s.read(x, b, channel, p, k) * y[(b, filter, *p)])

    def gradients(self, s, h, x, y):
        return convolution_input(s, y, h), convolution(s, x, h)

    def result(self, s):
        return s.filters_shape

    def reference(self, s, x, y):
        frame = s.framed(x)
        y = y.reshape(s.batch, s.groups, s.filters, -1)
        out = np.zeros((s.groups, s.filters, s.channels, *s.kernel), x.dtype)
        for k, part in s.taps():
            patch = frame[part].reshape(s.batch, s.groups, s.channels, -1)
            out[k] = (y @ np.swapaxes(patch, -1, -2)).sum(0, dtype=x.dtype)
        return out


# --- the operations, by what is wanted of a geometry ---------------------------------------------


def _applied(cls: type[_Convolution], s: Geometry, shape: tuple, a: Expr, b: Expr) -> Expr:
    literal, symbolic = template((s.groups, *s.low, *shape))
    cut = 1 + len(s.low)
    op = cls(s.stride, s.dilation, literal[0], literal[1:cut], literal[cut:])
    return apply(op, a, b, *symbolic)


def convolution(s: Geometry, x: Expr, w: Expr) -> Expr:
    """`Convolution`, with a result of `s.output`."""
    return _applied(Convolution, s, s.output, x, w)


def convolution_input(s: Geometry, y: Expr, w: Expr) -> Expr:
    """`ConvolutionInput`, with a result of `s.image`."""
    return _applied(ConvolutionInput, s, s.image, y, w)


def convolution_filters(s: Geometry, x: Expr, y: Expr) -> Expr:
    """`ConvolutionFilters`, with a result of `s.kernel`."""
    return _applied(ConvolutionFilters, s, s.kernel, x, y)
