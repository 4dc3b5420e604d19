"""Layers for images, and for what has one spatial axis or three: convolutions and pooling.

`padding`, `stride` and `dilation` are those of `T.nn.conv2d`, numbers or one for each spatial axis;
so is `layout`, which says where the channels are: "NCHW" unless given, or "NHWC", and their like
for other numbers of axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.nn import initializers
from symcomp.nn.layers import parameter, prefixed
from symcomp.nn.module import Module


class _Convolution(Module):
    """Filters and a bias, for `rank` spatial axes."""

    rank: int
    shows = ("inputs", "outputs", "window")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        window: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Any = "valid",
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        weights: Any = initializers.he_uniform,
        bias: Any = 0.0,
        layout: str | None = None,
        dtype: str | None = None,
        seed: Any = None,
        name: str | None = None,
    ):
        self.inputs, self.outputs = inputs, outputs
        self.window = (window,) * self.rank if isinstance(window, int) else tuple(window)
        self.layout = layout
        self._options = {
            "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
            "layout": layout,
        }  # fmt: skip
        where = (dtype, initializers.generator(seed))
        shape = (*self._channels(groups), *self.window)
        if self._channels_last():
            weights, shape = _channels_last(weights), (*self.window, *shape[1::-1])
        self.weights = parameter(weights, shape, *where, prefixed(name, "weights"))
        if bias is not None:
            self.bias = parameter(bias, (outputs,), *where, prefixed(name, "bias"))

    def _channels(self, groups: int) -> tuple[int, int]:
        """The first two sizes of the filters, where channels come first."""
        return self.outputs, self.inputs // groups

    def _channels_last(self) -> bool:
        return self.layout is not None and self.layout.endswith("C")

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        y = type(self).function(x, self.weights, **self._options)
        if not hasattr(self, "bias"):
            return y
        spread = (self.outputs,) if self._channels_last() else (self.outputs, *(1,) * self.rank)
        return y + T.reshape(self.bias, spread)


def _channels_last(start: Any) -> Any:
    """An initializer of filters (out, in, *window), for filters (*window, in, out)."""
    if not callable(start):
        return start

    def moved(shape, dtype, rng):
        filters = start((shape[-1], shape[-2], *shape[:-2]), dtype, rng)
        return np.ascontiguousarray(np.moveaxis(filters, (0, 1), (-1, -2)))

    return moved


class Conv1d(_Convolution):
    """`T.nn.conv1d` with filters (outputs, inputs / groups, window), and a bias."""

    rank, function = 1, T.nn.conv1d


class Conv2d(_Convolution):
    """`T.nn.conv2d` with filters (outputs, inputs / groups, *window), and a bias."""

    rank, function = 2, T.nn.conv2d


class Conv3d(_Convolution):
    """`T.nn.conv3d` with filters (outputs, inputs / groups, *window), and a bias."""

    rank, function = 3, T.nn.conv3d


class _ConvTranspose(_Convolution):
    def __init__(self, *sizes: Any, output_padding: int | Sequence[int] = 0, **options: Any):
        super().__init__(*sizes, **options)
        self._options["output_padding"] = output_padding

    def _channels(self, groups: int) -> tuple[int, int]:
        return self.inputs, self.outputs // groups


class ConvTranspose1d(_ConvTranspose):
    """`T.nn.conv_transpose1d` with filters (inputs, outputs / groups, window), and a bias."""

    rank, function = 1, T.nn.conv_transpose1d


class ConvTranspose2d(_ConvTranspose):
    """`T.nn.conv_transpose2d` with filters (inputs, outputs / groups, *window), and a bias."""

    rank, function = 2, T.nn.conv_transpose2d


class ConvTranspose3d(_ConvTranspose):
    """`T.nn.conv_transpose3d` with filters (inputs, outputs / groups, *window), and a bias."""

    rank, function = 3, T.nn.conv_transpose3d


# --- pooling -------------------------------------------------------------------------------------


class Pool(Module):
    """`T.nn.pool`: the largest element, the average, … of each window, moved by `stride` (by the
    window's own size unless given)."""

    shows = ("window",)
    mode = "max"

    def __init__(
        self,
        window: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Any = 0,
        mode: str | None = None,
        ignore_border: bool = True,
        layout: str | None = None,
    ):
        self.window = window
        self._options = {
            "stride": stride, "padding": padding, "mode": mode or self.mode,
            "ignore_border": ignore_border, "layout": layout,
        }  # fmt: skip

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.nn.pool(x, self.window, **self._options)


class MaxPool(Pool):
    """The largest element of each window."""


class AveragePool(Pool):
    """The average of each window."""

    mode = "average"


class GlobalMaxPool(Module):
    """The largest element of each channel."""

    def __init__(self, layout: str | None = None):
        self.layout = layout

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.nn.global_max_pool(x, layout=self.layout)


class GlobalAveragePool(Module):
    """The average of each channel."""

    def __init__(self, layout: str | None = None):
        self.layout = layout

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.nn.global_average_pool(x, layout=self.layout)
