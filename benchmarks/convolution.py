"""Single convolutions: the layers of well-known networks, and the kinds that others are slow at.

Each is two cases: forward, and forward with both gradients for an upstream gradient that is given.
Everybody computes the same from the same numbers, in the layout that the contestant is named for
(NCHW without a name); the arrays lie there already when the clock starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import peak
from benchmarks.case import Arrays, Case, Prepared
from benchmarks.contestants import PEAK
from benchmarks.networks import OIHW_TO_HWIO, TO_NHWC

RIVALS = (
    "jax",
    "jax NHWC",
    "torch",
    "torch channels_last",
    "torch.compile",
    "torch.compile channels_last",
)
PEAK_SHARE = 0.65

#: A prime: every row, column and channel is met.
COMPARED = 29

TO_NCHW = (0, 3, 1, 2)
HWIO_TO_OIHW = (3, 2, 0, 1)


@dataclass(frozen=True)
class Layer:
    """A convolution of square images with square filters."""

    name: str
    inputs: int
    outputs: int
    size: int
    window: int
    padding: int
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    transposed: bool = False
    of_peak: bool = False
    batch: int = 16

    @property
    def result_size(self) -> int:
        """Rows and columns of what comes out."""
        reach = self.dilation * (self.window - 1)
        if self.transposed:
            return (self.size - 1) * self.stride + 1 + reach - 2 * self.padding
        return (self.size + 2 * self.padding - reach - 1) // self.stride + 1

    @property
    def flops(self) -> float:
        """Of the forward pass; either gradient takes as many."""
        places = (self.size if self.transposed else self.result_size) ** 2
        taps = self.window**2 * self.inputs * self.outputs // self.groups
        return 2.0 * self.batch * places * taps

    @property
    def filters_shape(self) -> tuple[int, int, int, int]:
        """(out, in/groups, ·, ·), or, transposed, (in, out/groups, ·, ·)."""
        ends = (self.outputs, self.inputs)[:: -1 if self.transposed else 1]
        return (ends[0], ends[1] // self.groups, self.window, self.window)

    def data(self) -> Arrays:
        """Images, filters and the upstream gradient, scaled so that the output's variance is 1."""
        random = np.random.default_rng(6)
        terms = self.flops / (2.0 * self.batch * self.outputs * self.result_size**2)

        def normal(*shape: int) -> np.ndarray:
            return random.standard_normal(shape, np.float32)

        return {
            "x": normal(self.batch, self.inputs, self.size, self.size),
            "filters": normal(*self.filters_shape) / np.float32(np.sqrt(terms)),
            "upstream": normal(self.batch, self.outputs, self.result_size, self.result_size),
        }


LAYERS = [
    Layer("3x3 64->64, 56x56", 64, 64, 56, window=3, padding=1, of_peak=True),
    Layer("3x3 256->256, 28x28", 256, 256, 28, window=3, padding=1, of_peak=True),
    Layer("1x1 256->1024, 14x14", 256, 1024, 14, window=1, padding=0),
    Layer("7x7/2 3->64, 224x224", 3, 64, 224, window=7, padding=3, stride=2),
    Layer("depthwise 3x3 128, 56x56", 128, 128, 56, window=3, padding=1, groups=128),
    Layer("grouped (8) 3x3 128->128, 56x56", 128, 128, 56, window=3, padding=1, groups=8),
    Layer("dilated (2) 3x3 128->128, 56x56", 128, 128, 56, window=3, padding=2, dilation=2),
    Layer(
        "transposed 4x4/2 128->64, 28x28", 128, 64, 28, window=4, padding=1, stride=2,
        transposed=True,
    ),
]  # fmt: skip

Convolution = Callable[[Any, Any], Any]


def _sampled(arrays: Sequence[Any], layer: Layer) -> np.ndarray:
    """Values of the output, or of the output and both gradients, all of them in NCHW and OIHW.

    The filters' gradient is a sum over all places, and is divided by the root of their number.
    """
    places = np.float32(layer.batch * layer.result_size**2)
    scales = (1, 1, 1 / np.sqrt(places))
    flat = (np.asarray(array).reshape(-1)[::COMPARED] for array in arrays)
    return np.concatenate([part * scale for part, scale in zip(flat, scales, strict=False)])


def _symcomp(layer: Layer, gradients: bool, variant: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import symcomp as sc
        import symcomp.tensor as T

        x, filters, upstream = T.ftensor4("x"), T.ftensor4("filters"), T.ftensor4("upstream")
        given = {
            "stride": layer.stride,
            "padding": layer.padding,
            "dilation": layer.dilation,
            "groups": layer.groups,
        }
        operation = T.nn.conv_transpose2d if layer.transposed else T.nn.conv2d
        y = operation(x, filters, **given)
        arrays = tuple(data.values())
        if not gradients:
            function = sc.function([x, filters], y)
            return Prepared(function, arrays[:2], result=lambda y: _sampled([y], layer))
        slopes = sc.vjp(y, [x, filters], upstream)
        function = sc.function([x, filters, upstream], [y, *slopes])
        return Prepared(function, arrays, result=lambda all: _sampled(all, layer))

    return build


def _jax_convolution(layer: Layer, last: bool) -> Convolution:
    from jax import lax

    numbers = ("NHWC", "HWIO", "NHWC") if last else ("NCHW", "OIHW", "NCHW")
    reach = layer.dilation * (layer.window - 1)

    def forward(x: Any, filters: Any) -> Any:
        return lax.conv_general_dilated(
            x,
            filters,
            (layer.stride,) * 2,
            [(layer.padding,) * 2] * 2,
            rhs_dilation=(layer.dilation,) * 2,
            dimension_numbers=numbers,
            feature_group_count=layer.groups,
        )

    def transposed(x: Any, filters: Any) -> Any:
        return lax.conv_transpose(
            x,
            filters,
            (layer.stride,) * 2,
            [(reach - layer.padding,) * 2] * 2,
            rhs_dilation=(layer.dilation,) * 2,
            dimension_numbers=numbers,
            transpose_kernel=True,
        )

    return transposed if layer.transposed else forward


def _jax(layer: Layer, gradients: bool, variant: str) -> Callable[[Arrays], Prepared]:
    last = "NHWC" in variant

    def build(data: Arrays) -> Prepared:
        import jax
        import jax.numpy as jnp

        convolution = _jax_convolution(layer, last)

        def both(x: Any, filters: Any, upstream: Any) -> Any:
            y, back = jax.vjp(convolution, x, filters)
            return y, *back(upstream)

        def result(value: Any) -> np.ndarray:
            y, *slopes = map(np.asarray, value if gradients else [value])
            if last:
                orders = (TO_NCHW, HWIO_TO_OIHW)
                slopes = [g.transpose(o) for g, o in zip(slopes, orders, strict=False)]
                y = y.transpose(TO_NCHW)
            return _sampled([y, *slopes], layer)

        x, filters, upstream = data.values()
        if last:
            x, upstream = x.transpose(TO_NHWC), upstream.transpose(TO_NHWC)
            filters = filters.transpose(OIHW_TO_HWIO)
        arrays = [jnp.array(array) for array in (x, filters, upstream)]
        function, taken = (both, 3) if gradients else (convolution, 2)
        finish = jax.block_until_ready
        return Prepared(jax.jit(function), arrays[:taken], finish, result)

    return build


def _torch_convolution(layer: Layer) -> Convolution:
    from torch.nn.functional import conv2d, conv_transpose2d

    given = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}

    def forward(x: Any, filters: Any) -> Any:
        return conv2d(x, filters, groups=layer.groups, **given)

    def transposed(x: Any, filters: Any) -> Any:
        return conv_transpose2d(x, filters, groups=layer.groups, **given)

    return transposed if layer.transposed else forward


def _torch(layer: Layer, gradients: bool, variant: str) -> Callable[[Arrays], Prepared]:
    last, compiled = "channels_last" in variant, "compile" in variant

    def build(data: Arrays) -> Prepared:
        import torch

        convolution = _torch_convolution(layer)
        if compiled:
            # Sizes that differ from case to case would else be made symbolic, and slower.
            torch.compiler.reset()
            convolution = torch.compile(convolution, dynamic=False)
        form = torch.channels_last if last else torch.contiguous_format
        arrays = [torch.from_numpy(a).contiguous(memory_format=form) for a in data.values()]

        def both(x: Any, filters: Any, upstream: Any) -> Any:
            y = convolution(x, filters)
            return y.detach(), *torch.autograd.grad(y, (x, filters), upstream)

        def result(value: Any) -> np.ndarray:
            return _sampled(value if gradients else [value], layer)

        if not gradients:
            return Prepared(convolution, arrays[:2], result=result)
        for array in arrays[:2]:
            array.requires_grad_(True)
        return Prepared(both, arrays, result=result)

    return build


def _case(layer: Layer, gradients: bool) -> Case:
    flops = layer.flops * (3 if gradients else 1)
    contestants = {"symcomp": _symcomp(layer, gradients, "symcomp")}
    for rival in RIVALS:
        library = _jax if rival.startswith("jax") else _torch
        contestants[rival] = library(layer, gradients, rival)
    bars = ("fastest 1.3",)
    if layer.of_peak and not gradients:
        contestants[PEAK] = peak.loop(flops)
        bars += (f"peak {PEAK_SHARE}",)
    return Case(
        name=f"conv {layer.name}, batch {layer.batch}: "
        + ("forward and both gradients" if gradients else "forward"),
        data=layer.data,
        contestants=contestants,
        rivals=RIVALS,
        bars=bars,
        tolerance=1e-3,
        flops=flops,
    )


CASES = [_case(layer, gradients) for layer in LAYERS for gradients in (False, True)]
