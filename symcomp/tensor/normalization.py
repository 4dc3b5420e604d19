"""Normalisation: values brought to mean 0 and variance 1 along some axes of an array.

One operation, `Standardize`, says them all: a batch is normalised along all axes but the channels,
a layer along the last axes, a group along a part of the channels. Its gradient needs two means, and
not one for each step of the formula. The variance is the mean squared distance from a mean that is
known by then, never E[x²] − E[x]²: that would leave no digits where the mean is large. Compiled, x
is read once for its mean, once more for the variance (while a row or a channel is in cache), and
once to normalise it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.size import multiply
from symcomp.graph.type import Type, float_of
from symcomp.tensor import reduction
from symcomp.tensor.arithmetic import square, where
from symcomp.tensor.elementary import sqrt
from symcomp.tensor.indexing import zero
from symcomp.tensor.layout import expand_dims, normal_axes, normal_axis, reshape
from symcomp.tensor.reduction import require_float

__all__ = [
    "batch_norm", "batch_norm_train", "group_norm", "instance_norm", "layer_norm",
    "local_response_norm", "rms_norm", "standardize",
]  # fmt: skip


# --- the operations ------------------------------------------------------------------------------


@operation
class Moment(Op):
    """The mean (order 1) or the variance (order 2) along axes, which are kept with length 1."""

    order: int
    axes: tuple[int, ...]

    samples = (
        ((1, (1,)), (3, 4)),
        ((2, (1,)), (3, 4)),
        ((2, (0, 2)), (3, 2, 4)),
    )

    def type(self, x):
        require_float(("mean", "variance")[self.order - 1], x)
        return Type(x.dtype, _kept(x, self.axes))

    def body(self, x):
        if self.order == 1:
            return reduction.mean(x, self.axes, keepdims=True)
        distance = x - apply(Moment(1, self.axes), x)
        return reduction.mean(square(distance), self.axes, keepdims=True)

    def vjp(self, g, out, x):
        each = g / _count(x, self.axes)
        if self.order == 1:
            return (reduction.broadcast_to(each, x.shape),)
        return (2 * each * (x - apply(Moment(1, self.axes), x)),)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            return (np.mean, np.var)[self.order - 1](x, axis=self.axes, keepdims=True)


@operation
class Standardize(Op):
    """(x − mean) / √(variance + epsilon), with the mean and the variance of x along axes."""

    axes: tuple[int, ...]
    epsilon: float

    samples = (
        (((1,), 1e-5), (3, 4)),
        (((0, 2), 0.1), (3, 2, 4)),
        (((0,), 1e-3), (1, 2)),
    )

    def type(self, x):
        require_float("a normalisation", x)
        return Type(x.dtype, x.shape)

    def body(self, x):
        return (x - apply(Moment(1, self.axes), x)) * self._scale(x)

    def _scale(self, x: Expr) -> Expr:
        return 1 / sqrt(apply(Moment(2, self.axes), x) + self.epsilon)

    def vjp(self, g, out, x):
        g, factor = _without_scale(g, self.axes)
        mean = reduction.mean(g, self.axes, keepdims=True)
        along = reduction.mean(g * out, self.axes, keepdims=True)
        result = (g - mean - out * along) * self._scale(x)
        return (result if factor is None else result * factor,)

    def numpy(self, x):
        with np.errstate(all="ignore"):
            distance = x - x.mean(axis=self.axes, keepdims=True)
            variance = np.square(distance).mean(axis=self.axes, keepdims=True)
            return (distance / np.sqrt(variance + self.epsilon)).astype(x.dtype)


def _without_scale(g: Expr, axes: tuple[int, ...]) -> tuple[Expr, Expr | None]:
    """g = h · scale, where the scale is the same all along the axes: (h, scale).

    The two means of h are those that the gradients of a scale and a shift need too.
    """
    if g.op is multiply and len(g.args) == 2:
        for h, scale in (g.args, g.args[::-1]):
            offset = g.ndim - scale.ndim
            alike = all(a < offset or scale.shape[a - offset] == 1 for a in axes)
            if alike and h.ndim == g.ndim and all(h.shape[a] != 1 for a in axes):
                return h, scale
    return g, None


@operation
class NeighbourSum(Op):
    """out[i] = Σ x[i + d] along an axis, for d from −before to after; 0 beyond the axis."""

    axis: int
    before: int
    after: int

    samples = (
        ((1, 1, 1), (2, 5)),
        ((0, 2, 1), (4, 3)),
        ((0, 2, 2), (1, 2)),
        ((0, 1, 0), (0,)),
    )

    name = "neighbour_sum"

    def type(self, x):
        require_float("a sum over neighbours", x)
        return Type(x.dtype, x.shape)

    def element(self, x, *indices):
        # Written out, and not folded: it is inlined, and each condition is that of a whole row.
        here_, n = indices[self.axis], size.as_expr(x.shape[self.axis])
        total = x[indices]
        for d in range(-self.before, self.after + 1):
            if d:
                place = size.as_expr(size.plus(here_, d))
                inside = place >= 0 if d < 0 else place < n
                at = (*indices[: self.axis], place, *indices[self.axis + 1 :])
                total = total + where(inside, x[at], zero(x.dtype))
        return total

    def vjp(self, g, out, x):
        return (apply(NeighbourSum(self.axis, self.after, self.before), g),)

    def numpy(self, x):
        n = x.shape[self.axis]
        wide = np.zeros([m + (self.before + self.after) * (a == self.axis)
                         for a, m in enumerate(x.shape)], x.dtype)  # fmt: skip
        part = [slice(None)] * x.ndim
        part[self.axis] = slice(self.before, self.before + n)
        wide[tuple(part)] = x
        total = np.zeros_like(x)
        for d in range(self.before + self.after + 1):
            part[self.axis] = slice(d, d + n)
            total += wide[tuple(part)]
        return total


# --- what people call ----------------------------------------------------------------------------


def standardize(x: Any, axis: int | Sequence[int] | None = None, epsilon: float = 1e-5) -> Expr:
    """(x − mean) / √(variance + epsilon) along axes (all by default).

    Over all axes of filters but the first it is weight standardisation (Qiao et al., 2019).
    """
    x = _real(x)
    axes = _folded("standardize", x, axis)
    return apply(Standardize(axes, _epsilon("standardize", epsilon)), x) if axes else x * 0


def batch_norm(
    x: Any,
    scale: Any,
    shift: Any,
    mean: Any,
    variance: Any,
    axis: int | Sequence[int] = 1,
    epsilon: float = 1e-5,
) -> Expr:
    """(x − mean) / √(variance + epsilon) · scale + shift, with statistics that are given.

    `axis` is the axis of the channels (several: an array of channels); `scale`, `shift`, `mean` and
    `variance` have the shape of these axes. `scale` and `shift` may be None: 1 and 0. This is what
    a trained network does (Ioffe and Szegedy, 2015). Errors: ShapeError where a parameter does not
    fit the channels.
    """
    x = _real(x)
    axes = tuple(sorted(normal_axes(axis, x.ndim)))
    mean, variance, scale, shift = (
        _beside("batch_norm", name, p, x, axes)
        for name, p in (("mean", mean), ("variance", variance), ("scale", scale), ("shift", shift))
    )
    factor = 1 / sqrt(variance + _epsilon("batch_norm", epsilon))
    return _affine((x - mean) * (factor if scale is None else factor * scale), None, shift)


def batch_norm_train(
    x: Any, scale: Any, shift: Any, axis: int | Sequence[int] = 1, epsilon: float = 1e-5
) -> tuple[Expr, Expr, Expr]:
    """`batch_norm` with the statistics of the batch itself: (y, mean, variance).

    Mean and variance are taken over all axes but those of the channels, whose shape they have, and
    gradients flow through them. The variance is the one that y is normalised by: Σ(x − mean)²/n,
    with n values for each channel. PyTorch and Theano keep n/(n − 1) times that in their running
    averages:

        y, mean, variance = T.nn.batch_norm_train(x, scale, shift)
        updates = [(running_mean, 0.9 * running_mean + 0.1 * mean),
                   (running_variance, 0.9 * running_variance + 0.1 * variance * n / (n - 1))]

    Errors: ShapeError where a parameter does not fit the channels, or no axis is left.
    """
    x = _real(x)
    own = normal_axes(axis, x.ndim)
    over = tuple(a for a in range(x.ndim) if a not in own)
    if not over:
        _fail(f"batch_norm_train: there is no axis but that of the channels in a {x.type}")
    own = tuple(sorted(own))
    scale, shift = (
        _beside("batch_norm_train", name, p, x, own)
        for name, p in (("scale", scale), ("shift", shift))
    )
    y = apply(Standardize(over, _epsilon("batch_norm_train", epsilon)), x)
    mean, variance = (apply(Moment(order, over), x).squeeze(over) for order in (1, 2))
    return _affine(y, scale, shift), mean, variance


def layer_norm(
    x: Any,
    scale: Any = None,
    shift: Any = None,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-5,
) -> Expr:
    """x normalised along axes (the last by default), · scale + shift (Ba et al., 2016).

    `scale` and `shift` have the shape of the axes; None is 1 and 0. Errors: ShapeError where they
    do not fit.
    """
    x = _real(x)
    axes = _folded("layer_norm", x, axis)
    scale, shift = (
        _beside("layer_norm", name, p, x, axes) for name, p in (("scale", scale), ("shift", shift))
    )
    return _affine(apply(Standardize(axes, _epsilon("layer_norm", epsilon)), x), scale, shift)


def rms_norm(
    x: Any, scale: Any = None, axis: int | Sequence[int] = -1, epsilon: float = 1e-5
) -> Expr:
    """x / √(mean of x² + epsilon) · scale along axes (Zhang and Sennrich, 2019)."""
    x = _real(x)
    axes = _folded("rms_norm", x, axis)
    scale = _beside("rms_norm", "scale", scale, x, axes)
    power = reduction.mean(square(x), axes, keepdims=True)
    return _affine(x * (1 / sqrt(power + _epsilon("rms_norm", epsilon))), scale, None)


def group_norm(
    x: Any,
    groups: int,
    scale: Any = None,
    shift: Any = None,
    axis: int = 1,
    epsilon: float = 1e-5,
) -> Expr:
    """x normalised in each example and each group of channels (Wu and He, 2018).

    The first axis counts the examples; `axis` is the axis of the channels, cut into `groups` of
    neighbours. `scale` and `shift` are vectors with one value for each channel. Errors:
    ArgumentError where there is no such number of groups; ShapeError where the channels cannot be
    cut, or a parameter does not fit them.
    """
    x = _real(x)
    axis = _channel_axis("group_norm", x, axis)
    if not isinstance(groups, int) or isinstance(groups, bool) or groups < 1:
        _fail(f"group_norm: the number of groups must be a positive integer, not {groups!r}",
              ArgumentError)  # fmt: skip
    channels = x.shape[axis]
    if isinstance(channels, int) and channels % groups:
        _fail(f"group_norm: {channels} channels cannot be cut into {groups} equal groups")
    parts = (groups, size.quotient(channels, groups))
    size.same_size(
        size.times(*parts), channels, "group_norm: {1} channels are not groups of {0} in all"
    )
    scale, shift = (
        None if p is None else _grouped(_beside("group_norm", name, p, x, (axis,)), axis, parts)
        for name, p in (("scale", scale), ("shift", shift))
    )
    cut = reshape(x, (*x.shape[:axis], *parts, *x.shape[axis + 1 :]))
    over = tuple(a for a in range(1, cut.ndim) if a != axis)
    y = apply(Standardize(over, _epsilon("group_norm", epsilon)), cut)
    return reshape(_affine(y, scale, shift), x.shape)


def _grouped(parameter: Expr, axis: int, parts: tuple) -> Expr:
    ones = (1,) * (parameter.ndim - axis - 1)
    return reshape(parameter, (*(1,) * axis, *parts, *ones))


def instance_norm(
    x: Any, scale: Any = None, shift: Any = None, axis: int = 1, epsilon: float = 1e-5
) -> Expr:
    """x normalised in each example and each channel (Ulyanov et al., 2016).

    The first axis counts the examples, `axis` is that of the channels; the others are normalised
    over. `scale` and `shift` are vectors with one value for each channel. Errors: ShapeError where
    they do not fit, or there is no other axis.
    """
    x = _real(x)
    axis = _channel_axis("instance_norm", x, axis)
    over = tuple(a for a in range(1, x.ndim) if a != axis)
    if not over:
        _fail(f"instance_norm: a {x.type} has only examples and channels: nothing to normalise")
    scale, shift = (
        _beside("instance_norm", name, p, x, (axis,))
        for name, p in (("scale", scale), ("shift", shift))
    )
    return _affine(apply(Standardize(over, _epsilon("instance_norm", epsilon)), x), scale, shift)


def local_response_norm(
    x: Any,
    window: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 2.0,
    axis: int = 1,
) -> Expr:
    """x / (k + alpha · Σ x²)^beta, with the sum over a window of neighbouring channels.

    The defaults and the formula are AlexNet's (Krizhevsky et al., 2012, section 3.3); PyTorch
    divides alpha by the window. The window reaches window // 2 channels back, and stops at the
    first and the last channel. Errors: ArgumentError where the window is not a positive integer.
    """
    x = _real(x)
    axis = normal_axis(axis, x.ndim)
    if not isinstance(window, int) or isinstance(window, bool) or window < 1:
        _fail(f"local_response_norm: the window must be a positive integer, not {window!r}",
              ArgumentError)  # fmt: skip
    near = apply(NeighbourSum(axis, window // 2, (window - 1) // 2), square(x))
    base = k + alpha * near
    if beta == 0.75:
        root = sqrt(base)
        return x / (root * sqrt(root))
    return x / (base if beta == 1 else sqrt(base) if beta == 0.5 else base**beta)


# --- helpers -------------------------------------------------------------------------------------


def _real(x: Any) -> Expr:
    x = as_expr(x)
    return cast(x, float_of(x.dtype))


def _fail(message: str, error: type = ShapeError) -> None:
    raise error(describe(message, origin=here()))


def _kept(x: Expr, axes: tuple[int, ...]) -> tuple:
    return tuple(1 if a in axes else n for a, n in enumerate(x.shape))


def _count(x: Expr, axes: tuple[int, ...]) -> Expr:
    return size.as_expr(size.product([x.shape[a] for a in axes]))


def _folded(name: str, x: Expr, axis: Any) -> tuple[int, ...]:
    axes = tuple(sorted(normal_axes(axis, x.ndim)))
    if not axes:
        _fail(f"{name}: a {x.type} has no axis to normalise along")
    return axes


def _channel_axis(name: str, x: Expr, axis: int) -> int:
    axis = normal_axis(axis, x.ndim)
    if not axis:
        _fail(f"{name}: axis 0 counts the examples, so that it is not the axis of the channels",
              ArgumentError)  # fmt: skip
    return axis


def _epsilon(name: str, epsilon: float) -> float:
    if isinstance(epsilon, Expr) or not epsilon >= 0:
        _fail(f"{name}: epsilon must be a number that is not negative, not {epsilon!r}",
              ArgumentError)  # fmt: skip
    return float(epsilon)


def _beside(name: str, what: str, parameter: Any, x: Expr, axes: tuple[int, ...]) -> Any:
    """A parameter with the shape of some axes of x, in the dtype of x, beside x; None stays."""
    if parameter is None:
        return None
    p = as_expr(parameter)
    if p.ndim != len(axes):
        form = "a vector" if len(axes) == 1 else f"an array with {len(axes)} axes"
        _fail(f"{name}: the {what} must be {form}, one value for each place along axis "
              f"{axes[0] if len(axes) == 1 else axes} of x, not a {p.type}")  # fmt: skip
    for a, n in zip(axes, p.shape, strict=True):
        size.same_size(
            n, x.shape[a], f"{name}: a {what} of length {{}} does not fit axis {a} of x, of {{}}"
        )
    if p.dtype != x.dtype and p.dtype != "float64":
        p = cast(p, x.dtype)
    return expand_dims(p, tuple(a for a in range(x.ndim) if a not in axes))


def _affine(y: Expr, scale: Expr | None, shift: Expr | None) -> Expr:
    y = y if scale is None else y * scale
    return y if shift is None else y + shift
