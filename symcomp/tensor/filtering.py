"""Convolutions as people call them: strides, names of paddings, layouts, flips.

Everything here is bookkeeping around the three operations of `convolution`: a padding becomes where
the first output begins and how many there are; a layout is a transpose before and after; true
convolution is correlation with flipped filters. A size is a number wherever it can be.
"""

from __future__ import annotations

import operator
from typing import Any

from symcomp.errors import ArgumentError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import as_expr
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.graph.type import promote
from symcomp.tensor.arithmetic import where
from symcomp.tensor.convolution import Geometry, convolution, convolution_input
from symcomp.tensor.keys import flip
from symcomp.tensor.layout import axes, expand_dims

#: What `T.nn` takes over; `convolve` and `correlate` belong to `T` itself.
__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

#: The layouts of images, by the number of spatial axes: channels first, channels last.
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}


def conv1d(
    x: Any, filters: Any, stride: Any = 1, padding: Any = "valid", dilation: Any = 1,
    groups: int = 1, filter_flip: bool = False, layout: str | None = None,
) -> Expr:  # fmt: skip
    """`conv2d` over one spatial axis: x (batch, channels, width), filters (out, channels / groups,
    width). Layouts: "NCW", "NWC".
    """
    given = _Given("conv1d", 1, x, filters, stride, dilation, groups, filter_flip, layout)
    return given.convolved(padding)


def conv2d(
    x: Any, filters: Any, stride: Any = 1, padding: Any = "valid", dilation: Any = 1,
    groups: int = 1, filter_flip: bool = False, layout: str | None = None,
) -> Expr:  # fmt: skip
    """The correlation of images with filters: out[b, o, p] = Σ x[b, c, stride·p + dilation·k − pad]
    · filters[o, c, k] over the channels c and the places k of the filter, with zeros outside.

    x: (batch, channels, height, width); filters: (out, channels / groups, height, width); the
    result: (batch, out, height, width). With the layout "NHWC" x and the result have the channels
    last, and filters are (height, width, channels / groups, out). Dtypes are promoted to one.

    stride, dilation: a number, or one for each axis. groups: images and filters are split along
    their channels into so many parts that do not mix (as many as channels: depthwise).
    filter_flip: true convolution, with the filters turned round.
    padding: "valid" (none), "same" (⌈size / stride⌉ outputs, an odd zero at the end, as
    TensorFlow), "full" (all outputs that meet the image), "half" (half the filter's size on both
    sides, as Theano), a number, one number for each axis, or a pair (before, after) for each axis.

    Errors: ShapeError, DtypeError (bool), ArgumentError. See Dumoulin and Visin, "A guide to
    convolution arithmetic for deep learning" (2016).
    """
    given = _Given("conv2d", 2, x, filters, stride, dilation, groups, filter_flip, layout)
    return given.convolved(padding)


def conv3d(
    x: Any, filters: Any, stride: Any = 1, padding: Any = "valid", dilation: Any = 1,
    groups: int = 1, filter_flip: bool = False, layout: str | None = None,
) -> Expr:  # fmt: skip
    """`conv2d` over three spatial axes: x (batch, channels, depth, height, width), filters (out,
    channels / groups, depth, height, width). Layouts: "NCDHW", "NDHWC".
    """
    given = _Given("conv3d", 3, x, filters, stride, dilation, groups, filter_flip, layout)
    return given.convolved(padding)


def conv_transpose1d(
    x: Any, filters: Any, stride: Any = 1, padding: Any = "valid", output_padding: Any = 0,
    dilation: Any = 1, groups: int = 1, filter_flip: bool = False, layout: str | None = None,
) -> Expr:  # fmt: skip
    """`conv_transpose2d` over one spatial axis: x (batch, in, width), filters (in, out / groups,
    width). Layouts: "NCW", "NWC".
    """
    given = _Given("conv_transpose1d", 1, x, filters, stride, dilation, groups, filter_flip, layout)
    return given.transposed(padding, output_padding)


def conv_transpose2d(
    x: Any, filters: Any, stride: Any = 1, padding: Any = "valid", output_padding: Any = 0,
    dilation: Any = 1, groups: int = 1, filter_flip: bool = False, layout: str | None = None,
) -> Expr:  # fmt: skip
    """The transposed convolution: each element of x adds a filter, times itself, to the result. It
    is the gradient of `conv2d` with respect to its images, for the same stride and padding.

    x: (batch, in, height, width); filters: (in, out / groups, height, width); the result: (batch,
    out, height, width), with (n − 1)·stride − before − after + dilation·(k − 1) + output_padding +
    1 rows for n rows. With the layout "NHWC" x and the result have the channels last, and filters
    are (height, width, out / groups, in).

    padding is that of the convolution that this is the transpose of: it makes the result smaller.
    "same" gives size · stride; else as in `conv2d`. output_padding: rows more at the end, a number
    or one for each axis. The other parameters and the errors are those of `conv2d`; after Zeiler
    et al., "Deconvolutional networks" (2010).
    """
    given = _Given("conv_transpose2d", 2, x, filters, stride, dilation, groups, filter_flip, layout)
    return given.transposed(padding, output_padding)


def conv_transpose3d(
    x: Any, filters: Any, stride: Any = 1, padding: Any = "valid", output_padding: Any = 0,
    dilation: Any = 1, groups: int = 1, filter_flip: bool = False, layout: str | None = None,
) -> Expr:  # fmt: skip
    """`conv_transpose2d` over three spatial axes: x (batch, in, depth, height, width), filters (in,
    out / groups, depth, height, width). Layouts: "NCDHW", "NDHWC".
    """
    given = _Given("conv_transpose3d", 3, x, filters, stride, dilation, groups, filter_flip, layout)
    return given.transposed(padding, output_padding)


def convolve(a: Any, v: Any, mode: str = "full") -> Expr:
    """Σₖ a[p − k] · v[k], as `np.convolve`, of two vectors or of two arrays of two or three axes.

    mode, along each axis with lengths n ≥ m: "full" (n + m − 1 elements), "same" (the n in the
    middle), "valid" (the n − m + 1 to which all of the shorter contributes). The operands may be
    exchanged. Dtypes are promoted to one. Errors: ShapeError, DtypeError (bool), ArgumentError.
    """
    a, v = _operands("convolve", a, v)
    if all(_is_longer(m, n) for n, m in zip(a.shape, v.shape, strict=True)):
        a, v = v, a
    return _slid("convolve", a, flip(v), mode, lambda n, m: _half(size.smaller(n, m)))


def correlate(a: Any, v: Any, mode: str = "full") -> Expr:
    """Σₖ a[p + k] · v[k], as `np.correlate`, of two vectors or of two arrays of two or three axes.

    mode is that of `convolve`; NumPy's own default is "valid". Errors: as `convolve`.
    """
    a, v = _operands("correlate", a, v)
    return _slid("correlate", a, v, mode, _middle_of_correlation)


# --- what is given, brought to the form of the operations ----------------------------------------


def _wrong(kind: type, message: str) -> Exception:
    return kind(describe(message, origin=here()))


class _Given:
    """The arguments of a call, with channels first, of one dtype, and a number for each axis."""

    def __init__(self, name, rank, x, filters, stride, dilation, groups, filter_flip, layout):
        self.name, self.rank = name, rank
        x, w = _of_one_dtype(as_expr(x), as_expr(filters))
        for array, what in ((x, "images"), (w, "filters")):
            if array.ndim != rank + 2:
                message = f"{name} needs {what} with {rank + 2} axes, not a {array.type}"
                raise _wrong(ShapeError, message)
        self.channels_last = self._is_last(layout)
        if self.channels_last:
            x = axes(x, (0, rank + 1, *range(1, rank + 1)))
            w = axes(w, (rank + 1, rank, *range(rank)))
        if 0 in w.shape[2:]:
            raise _wrong(ShapeError, f"{name} needs filters of at least one element, not {w.type}")
        self.x = x
        self.w = flip(w, tuple(range(2, rank + 2))) if filter_flip else w
        self.stride = self._each("stride", stride, 1)
        self.dilation = self._each("dilation", dilation, 1)
        self.groups = self._number("groups", groups, 1)

    def _is_last(self, layout: str | None) -> bool:
        first, last = LAYOUTS[self.rank]
        if layout not in (None, first, last):
            message = f'{self.name} has the layouts "{first}" and "{last}", not {layout!r}'
            raise _wrong(ArgumentError, message)
        return layout == last

    def _number(self, what: str, value: Any, least: int) -> int:
        try:
            n = operator.index(value)
        except TypeError:
            n = least - 1
        if n < least:
            message = f"{self.name}: {what} must be a whole number of at least {least}, not {value}"
            raise _wrong(ArgumentError, message)
        return n

    def _each(self, what: str, value: Any, least: int) -> tuple[int, ...]:
        values = value if isinstance(value, (tuple, list)) else (value,) * self.rank
        if len(values) != self.rank:
            message = f"{self.name}: {what} needs one number for each of {self.rank} axes"
            raise _wrong(ArgumentError, f"{message}, not {value!r}")
        return tuple(self._number(what, v, least) for v in values)

    def _paddings(self, padding: Any) -> list:
        """For each axis a name, or what is padded before and after."""
        if isinstance(padding, str):
            if padding not in ("valid", "same", "full", "half"):
                message = (
                    f'{self.name}: padding is "valid", "same", "full", "half", a number, or one '
                    f"or two for each axis, not {padding!r}"
                )
                raise _wrong(ArgumentError, message)
            return [padding] * self.rank
        entries = padding if isinstance(padding, (tuple, list)) else (padding,) * self.rank
        pairs = [e if isinstance(e, (tuple, list)) else (e, e) for e in entries]
        if len(pairs) != self.rank or any(len(p) != 2 for p in pairs):
            message = (
                f"{self.name}: padding needs a number or a pair (before, after) for each of "
                f"{self.rank} axes, not {padding!r}"
            )
            raise _wrong(ArgumentError, message)
        return [tuple(self._padding(n) for n in pair) for pair in pairs]

    def _padding(self, value: Any) -> Size:
        n = size.as_size(value, f"{self.name}: padding")
        if isinstance(n, int) and n < 0:
            raise _wrong(ArgumentError, f"{self.name}: padding cannot be negative: {n}")
        return n

    def _spatial(self, padding: Any):
        """(length, reach of the filter, stride, padding) of each axis."""
        reaches = [
            size.times(size.minus(k, 1), d)
            for k, d in zip(self.w.shape[2:], self.dilation, strict=True)
        ]
        return zip(self.x.shape[2:], reaches, self.stride, self._paddings(padding), strict=True)

    def convolved(self, padding: Any) -> Expr:
        low, output = zip(*(_outputs(*axis) for axis in self._spatial(padding)), strict=True)
        s = self._geometry(low, self.x.shape[2:], output)
        return self._laid_out(convolution(s, self.x, self.w))

    def transposed(self, padding: Any, output_padding: Any) -> Expr:
        extra = self._each("output_padding", output_padding, 0)
        if padding == "same" and any(extra):
            message = f'{self.name}: padding "same" says the size of the result: no output_padding'
            raise _wrong(ArgumentError, message)
        spatial = zip(self._spatial(padding), extra, strict=True)
        low, image = zip(*(_inputs(*axis, more) for axis, more in spatial), strict=True)
        s = self._geometry(low, image, self.x.shape[2:])
        return self._laid_out(convolution_input(s, self.x, self.w))

    def _geometry(self, low: tuple, image: tuple, output: tuple) -> Geometry:
        filters = size.quotient(self.w.shape[0], self.groups)
        return Geometry(
            self.x.shape[0], self.groups, self.w.shape[1], filters, tuple(image),
            tuple(self.w.shape[2:]), tuple(output), self.stride, self.dilation, low,
        )  # fmt: skip

    def _laid_out(self, out: Expr) -> Expr:
        return axes(out, (0, *range(2, self.rank + 2), 1)) if self.channels_last else out


def _of_one_dtype(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    dtype = promote(*(int if x.weak else x.dtype for x in (a, b)))
    return cast(a, dtype), cast(b, dtype)


def _named(padding: Any, reach: Size) -> tuple[Size, Size]:
    """What is padded before and after, for all names but "same"."""
    if padding == "valid":
        return 0, 0
    if padding == "full":
        return reach, reach
    if padding == "half":
        half = size.quotient(size.plus(reach, 1), 2)
        return half, half
    return padding


def _outputs(n: Size, reach: Size, stride: int, padding: Any) -> tuple[Size, Size]:
    """Where the first output begins before the image, and how many outputs there are."""
    if padding == "same":
        count = size.quotient(size.plus(n, stride - 1), stride)
        covered = size.plus(size.times(size.minus(count, 1), stride), reach, 1)
        # A filter of one element never reaches beyond the image, whatever its size.
        total = 0 if reach == 0 else size.at_least_zero(size.minus(covered, n))
        return size.quotient(total, 2), count
    low, high = _named(padding, reach)
    room = size.minus(size.plus(n, low, high, stride - 1), reach)
    return low, size.at_least_zero(size.quotient(room, stride))


def _inputs(n: Size, reach: Size, stride: int, padding: Any, more: int) -> tuple[Size, Size]:
    """Of a transposed convolution: where the first output began, and how long the image was."""
    if padding == "same":
        total = size.at_least_zero(size.minus(reach, stride - 1))
        return size.quotient(total, 2), size.times(n, stride)
    low, high = _named(padding, reach)
    whole = size.plus(size.times(size.minus(n, 1), stride), reach, more + 1)
    return low, size.at_least_zero(size.minus(whole, size.plus(low, high)))


# --- convolve and correlate ----------------------------------------------------------------------


def _operands(name: str, a: Any, v: Any) -> tuple[Expr, Expr]:
    a, v = _of_one_dtype(as_expr(a), as_expr(v))
    if a.ndim != v.ndim or a.ndim not in LAYOUTS:
        message = (
            f"{name} needs two arrays of the same number of axes, one to three, not a {a.type} "
            f"and a {v.type}"
        )
        raise _wrong(ShapeError, message)
    if 0 in (*a.shape, *v.shape):
        raise _wrong(ShapeError, f"{name} of an array without elements: {a.type}, {v.type}")
    return a, v


def _is_longer(m: Size, n: Size) -> bool:
    return size.is_nonnegative(size.minus(m, n))


def _half(n: Size) -> Size:
    return size.quotient(size.minus(n, 1), 2)


def _middle_of_correlation(n: Size, m: Size) -> Size:
    """NumPy correlates the longer with the shorter and turns the result round where that is not the
    order given: so the middle of an even number is another one.
    """
    if _is_longer(n, m):
        return _half(m)
    swapped = size.quotient(n, 2)
    if _is_longer(size.minus(m, 1), n):
        return swapped
    return size.as_size(where(n < m, size.as_expr(swapped), size.as_expr(_half(m))))


def _slid(name: str, a: Expr, v: Expr, mode: str, middle) -> Expr:
    """v slid along a: those of all places where they meet that the mode keeps."""
    low, output = [], []
    for n, m in zip(a.shape, v.shape, strict=True):
        start, count = 0, size.minus(size.plus(n, m), 1)
        if mode == "same":
            start, count = middle(n, m), size.larger(n, m)
        elif mode == "valid":
            shorter = size.smaller(n, m)
            start, count = size.minus(shorter, 1), size.minus(count, size.times(2, shorter))
            count = size.plus(count, 2)
        elif mode != "full":
            message = f'{name} has the modes "full", "same" and "valid", not {mode!r}'
            raise _wrong(ArgumentError, message)
        low.append(size.minus(size.minus(m, 1), start))
        output.append(count)
    once = (1,) * a.ndim
    s = Geometry(1, 1, 1, 1, a.shape, v.shape, tuple(output), once, once, tuple(low))
    out = convolution(s, expand_dims(a, (0, 1)), expand_dims(v, (0, 1)))
    return axes(out, range(2, a.ndim + 2))
