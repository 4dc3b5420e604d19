"""Pooling as people call it: strides, paddings, modes, layouts, and as many results as asked for.

An average is a sum divided by how many elements the window holds, an l2 norm the root of a sum of
squares: see `windowed` for the operations and their derivatives.
"""

from __future__ import annotations

import operator
from typing import Any

from symcomp.errors import ArgumentError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import apply, as_expr
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.graph.type import float_of, is_float, sum_of
from symcomp.tensor import arithmetic, elementary
from symcomp.tensor.arithmetic import where
from symcomp.tensor.creation import arange
from symcomp.tensor.indexing import take
from symcomp.tensor.layout import expand_dims, reshape, template
from symcomp.tensor.windowed import SMALL, Held, Patches, Pool
from symcomp.tensor.windows import Even, Window, Windows, checked

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "global_average_pool",
    "global_max_pool", "images2neighbours", "max_pool", "pool",
]  # fmt: skip

MODES = ("max", "average", "average_with_padding", "sum", "l2")


def pool(
    x: Any, window: Any, stride: Any = None, padding: Any = 0, mode: str = "max",
    ignore_border: bool = True, layout: str | None = None,
) -> Expr:  # fmt: skip
    """Windows of an array's trailing axes reduced to one value each.

    x: (..., *space), usually (batch, channels, height, width), with one to three axes of space;
    with a layout whose channels are last ("NHWC") the axes between the first and the last.
    window, stride: a number, or one for each axis; the stride is the window's size by default.
    padding: a number, one for each axis, or a pair (before, after) for each; smaller than the
    window. Padding is never counted, but by the mode "average_with_padding".
    mode: "max", "sum", "average", "average_with_padding" (divided by the window's size) or "l2"
    (the root of the sum of squares).
    ignore_border: windows that reach beyond the padded array are dropped (True), or kept and hold
    what is within (False); each begins within the array.

    The result: (..., *windows), of the dtype of x; sums of small integers are int64, averages of
    integers float64. The gradient of a maximum goes to the first largest element of each window,
    row by row, where nan counts as largest. A gradient of "l2" at 0 is 0.

    Errors: ShapeError, DtypeError, ArgumentError (sizes below 1, a padding that is too large).
    """
    x = as_expr(x)
    axes = spatial_axes(x, window, layout)
    lengths = numbers(window, len(axes), "window")
    strides = lengths if stride is None else numbers(stride, len(axes), "stride")
    pads = _paddings(padding, len(axes))
    windows = tuple(
        Window(w, s, before, after, not ignore_border)
        for w, s, (before, after) in zip(lengths, strides, pads, strict=True)
    )
    return _pooled(x, axes, checked(windows), mode)


def _pooled(x: Expr, axes, windows: Windows, mode: str) -> Expr:
    if mode not in MODES:
        raise ArgumentError(f"the mode of pooling must be one of {', '.join(MODES)}, not {mode!r}")
    if mode == "max":
        return apply(Pool("max", axes, windows), x)
    if mode == "sum":
        return apply(Pool("sum", axes, windows), cast(x, sum_of(x.dtype)))
    if mode == "l2":
        return _root_of(arithmetic.square(cast(x, float_of(x.dtype))), axes, windows)
    x = x if is_float(x.dtype) else cast(x, "float64")
    total = apply(Pool("sum", axes, windows), x)
    return total / _held(x, axes, windows, mode == "average_with_padding")


def _root_of(squares: Expr, axes, windows: Windows) -> Expr:
    """The square root, with the derivative 0 at 0."""
    total = apply(Pool("sum", axes, windows), squares)
    nothing = arithmetic.equal(total, 0)
    return where(nothing, 0, elementary.sqrt(where(nothing, 1, total)))


def _held(x: Expr, axes, windows: Windows, padded: bool) -> Any:
    """How many elements windows hold: a number where all hold as many."""
    total, number = None, 1.0
    for a, w in zip(axes, windows, strict=True):
        n = x.shape[a]
        if isinstance(w, Window) and not w.partial and (padded or not (w.before or w.after)):
            number *= w.length
            continue
        if w == Even(1):
            own = cast(size.as_expr(n), x.dtype)
        else:
            literal, sizes = template((n,))
            own = apply(Held(w, padded, x.dtype, literal[0]), *sizes)
            own = expand_dims(own, tuple(range(1, x.ndim - a))) if a < x.ndim - 1 else own
        total = own if total is None else total * own
    return number if total is None else total if number == 1 else total * number


def max_pool(
    x: Any, window: Any, stride: Any = None, padding: Any = 0, ignore_border: bool = True,
    layout: str | None = None,
) -> Expr:  # fmt: skip
    """The largest element of each window: `pool` with the mode "max"."""
    return pool(x, window, stride, padding, "max", ignore_border, layout)


def average_pool(
    x: Any, window: Any, stride: Any = None, padding: Any = 0, count_padding: bool = False,
    ignore_border: bool = True, layout: str | None = None,
) -> Expr:  # fmt: skip
    """The mean of each window, which counts padding if told so: `pool` with the mode "average"."""
    mode = "average_with_padding" if count_padding else "average"
    return pool(x, window, stride, padding, mode, ignore_border, layout)


def global_max_pool(x: Any, layout: str | None = None, keepdims: bool = False) -> Expr:
    """The largest element of each channel: (batch, channels), or with `keepdims` axes of length 1.
    The gradient goes to the first one.
    """
    return _global(x, "max", layout, keepdims)


def global_average_pool(x: Any, layout: str | None = None, keepdims: bool = False) -> Expr:
    """The mean of each channel: (batch, channels), or with `keepdims` axes of length 1."""
    return _global(x, "average", layout, keepdims)


def _global(x: Any, mode: str, layout: str | None, keepdims: bool) -> Expr:
    x = as_expr(x)
    axes = spatial_axes(x, 1, layout)
    result = _pooled(x, axes, (Even(1),) * len(axes), mode)
    return result if keepdims else result.squeeze(axes)


def adaptive_average_pool(x: Any, shape: Any, layout: str | None = None) -> Expr:
    """The means of as many windows as `shape` says, on each axis: window i of o goes from ⌊i·n/o⌋
    to ⌈(i + 1)·n/o⌉. None keeps an axis as it is.
    """
    return _adaptive(x, shape, "average", layout)


def adaptive_max_pool(x: Any, shape: Any, layout: str | None = None) -> Expr:
    """The largest elements of as many windows as `shape` says; see `adaptive_average_pool`."""
    return _adaptive(x, shape, "max", layout)


def _adaptive(x: Any, shape: Any, mode: str, layout: str | None) -> Expr:
    x = as_expr(x)
    axes = spatial_axes(x, shape, layout)
    given = shape if isinstance(shape, (tuple, list)) else (shape,) * len(axes)
    results = [None if o is None else numbers(o, 1, "shape")[0] for o in given]
    windows = [_even(x.shape[a], o) for a, o in zip(axes, results, strict=True)]
    return _pooled(x, axes, checked(tuple(windows)), mode)


def _even(n: Size, results: int | None) -> Window | Even:
    if results is None:
        return Window(1, 1)
    if isinstance(n, int) and results > 0 and n and n % results == 0 and n // results <= SMALL:
        return Window(n // results, n // results)
    return Even(results)


# --- patches --------------------------------------------------------------------------------------


def images2neighbours(x: Any, neighbours: Any, step: Any = None, mode: str = "valid") -> Expr:
    """Patches as rows: (batch, channels, height, width) to (batch·channels·rows·columns, h·w).

    neighbours: the size (h, w) of a patch; step: how far patches are apart, their size by default.
    mode: "valid" (patches must fill the images), "ignore_borders" (what is left over is dropped),
    "wrap_centered" (each patch is centred on a pixel, and images go round at their edges; odd
    sizes), "half" and "full" (with zeros around the images: half a patch, or all but one pixel).
    Theano's `images2neibs`.

    Errors: ShapeError, ArgumentError.
    """
    x = as_expr(x)
    if x.ndim != 4:
        raise ShapeError(f"images2neighbours needs (batch, channels, height, width), not {x.type}")
    lengths = numbers(neighbours, 2, "neighbours")
    steps = lengths if step is None else numbers(step, 2, "step")
    if mode not in _AROUND:
        raise ArgumentError(f"the mode must be one of {', '.join(_AROUND)}, not {mode!r}")
    if mode == "wrap_centered":
        x = _wrapped(x, lengths)
    around = [_AROUND[mode](w) for w in lengths]
    windows = tuple(Window(*w) for w in zip(lengths, steps, around, around, strict=True))
    if mode == "valid":
        for w, n in zip(checked(windows), x.shape[2:], strict=True):
            filled = size.plus(size.times(size.minus(w.count(n), 1), w.stride), w.length)
            size.same_size(n, filled, "pixels: {}; the patches fill {}: use ignore_borders")
    patches = apply(Patches((2, 3), checked(windows)), x)
    return reshape(patches, (size.product(patches.shape[:4]), lengths[0] * lengths[1]))


_AROUND = {
    "valid": lambda w: 0,
    "ignore_borders": lambda w: 0,
    "wrap_centered": lambda w: 0,
    "half": lambda w: w // 2,
    "full": lambda w: w - 1,
}


def _wrapped(x: Expr, lengths) -> Expr:
    """Images continued beyond each edge with what lies at the other."""
    for a, w in zip((2, 3), lengths, strict=True):
        if w % 2 == 0:
            raise ArgumentError(f"wrap_centered needs patches of odd sizes, not {w}")
        n = size.as_expr(x.shape[a])
        x = take(x, (arange(size.plus(x.shape[a], w - 1)) - w // 2) % n, axis=a)
    return x


# --- arguments ------------------------------------------------------------------------------------


def spatial_axes(x: Expr, given: Any, layout: str | None) -> tuple[int, ...]:
    """The axes of space: by the layout, else as many trailing ones as numbers are given."""
    if layout is not None:
        return _axes_of(x, layout)
    rank = len(given) if isinstance(given, (tuple, list)) else x.ndim - 2
    if not 1 <= rank <= 3 or rank > x.ndim:
        raise ShapeError(
            f"pooling is over one to three axes, and leading ones: {x.ndim} axes do not fit; "
            "give one number for each axis of space"
        )
    return tuple(range(x.ndim - rank, x.ndim))


def _axes_of(x: Expr, layout: str) -> tuple[int, ...]:
    rank = len(layout) - 2
    if layout not in {"NCW", "NWC", "NCHW", "NHWC", "NCDHW", "NDHWC"}:
        raise ArgumentError(f"a layout is one of NCW, NWC, NCHW, NHWC, NCDHW, NDHWC: not {layout}")
    if x.ndim != rank + 2:
        raise ShapeError(f"the layout {layout} has {rank + 2} axes, not {x.ndim}")
    first = 1 if layout.endswith("C") else 2
    return tuple(range(first, first + rank))


def numbers(given: Any, count: int, what: str) -> tuple[int, ...]:
    """One whole number for each axis."""
    values = given if isinstance(given, (tuple, list)) else (given,) * count
    if len(values) != count:
        raise ArgumentError(f"{what} has {len(values)} numbers for {count} axes")
    try:
        return tuple(operator.index(v) for v in values)
    except TypeError:
        raise ArgumentError(f"{what} must be whole numbers, not {given!r}") from None


def _paddings(padding: Any, count: int) -> list[tuple[int, int]]:
    given = padding if isinstance(padding, (tuple, list)) else (padding,) * count
    if len(given) != count:
        raise ArgumentError(f"padding has {len(given)} entries for {count} axes")
    return [numbers(p, 2, "padding") for p in given]
