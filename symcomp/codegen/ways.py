"""The ways in which a convolution may be computed, each a library of its own.

The library `direct` decides at the call (`other_way` in include/convolution_correlate.h), by all
sizes. Here it is seen which of the others that decision may fall on, by those that are known when
a function is compiled: only what it may need is built and loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symcomp.codegen.loops import Call, Kernel, walk
from symcomp.graph import size

#: What is wanted of a convolution, by the kind of kernel.
DIRECTIONS = {
    "convolution": "forward", "convolution_input": "input", "convolution_filters": "filters",
}  # fmt: skip
#: In the order of the ways in symcomp.h.
WAYS = (
    "direct", "winograd", "channelwise", "pairs", "fives", "one_tap", "pointwise", "scatter",
)  # fmt: skip
SUFFIXES = {"float32": "f32", "float64": "f64"}
#: How many numbers a `symcomp_geometry` has; and those of the other ways that are direct sums, too.
NUMBERS, EXACT = 23, ("channelwise", "pointwise", "scatter")

#: With fewer channels on either side nothing is gained by Winograd's algorithm. (The library asks
#: for more of them.)
FEW_CHANNELS = 8
#: Channels, positions of an image and of all images from which filters of one tap gain: see
#: convolution_fits.h.
ONE_TAP_CHANNELS, ONE_TAP_AREA, ONE_TAP_POSITIONS = 128, 192, 1024
#: Channels times filters of a group, at most, for each channel to be convolved by itself.
FEW_PRODUCTS = 4


def library(way: str, dtype: str) -> str:
    """The name of a library of convolutions."""
    return f"convolution_{way}_{SUFFIXES[dtype]}"


def ways(which: str, sizes: Iterable[Any], dtype: str) -> list[str]:
    """How a convolution (`forward`) or one of its transposes may be computed, of these sizes, which
    are those of `symcomp_geometry`.
    """
    numbers = [size.as_size(n) for n in sizes]
    others = [way for way in (EXACT if numbers[-1] else MAY_BE) if MAY_BE[way](numbers, dtype)]
    if which != "input":
        others = [way for way in others if way != "scatter"]
    return ["direct", *others]


def libraries_of(kernels: Iterable[Kernel]) -> list[str]:
    """The libraries that kernels call: `blas`, those of convolutions, and `products` for all that
    computes products and convolutions on a GPU.
    """
    found: dict[str, None] = {}
    for call in (s for k in kernels for s in walk(k.body) if isinstance(s, Call)):
        if call.symbol == "gemm":
            found["blas"] = None
        elif call.symbol in ("product", "convolve"):
            found["products"] = None
        elif call.symbol == "convolution":
            chosen = ways(call.arguments[1], call.arguments[2 : 2 + NUMBERS], call.dtype)
            found |= {library(way, call.dtype): None for way in chosen}
    return sorted(found)


def _may_be_winograd(numbers: list, dtype: str, taps: int = 3) -> bool:
    depth, kernel, stride = numbers[7], numbers[8:10], numbers[14:16]
    planes = [size.times(n, depth) for n in numbers[2:4]]
    return (
        dtype == "float32"
        and all(_may_be(n, taps) for n in kernel)
        and all(_may_be(n, 1) for n in stride)
        and not any(isinstance(n, int) and n < FEW_CHANNELS for n in planes)
    )


def _may_be_fives(numbers: list, dtype: str) -> bool:
    return _may_be_winograd(numbers, dtype, 5)


def _may_be(n: Any, value: int) -> bool:
    return not isinstance(n, int) or n == value


def _up(n: int, d: int) -> int:
    return -(-n // d)


def _may_be_channelwise(numbers: list, dtype: str) -> bool:
    groups, channels, filters = numbers[1:4]
    products = size.times(channels, filters)
    return groups != 1 and not (isinstance(products, int) and products > FEW_PRODUCTS)


def _may_be_pairs(numbers: list, dtype: str) -> bool:
    depth, kernel, stride, dilation = numbers[7], numbers[8:10], numbers[14:16], numbers[17:19]
    planes = [size.times(n, depth) for n in numbers[2:4]]
    return (
        dtype == "float32"
        and all(s <= 2 and _may_be(k, 2 * s) for k, s in zip(kernel, stride, strict=True))
        and all(d == 1 for d in dilation)
        and not any(isinstance(n, int) and n < FEW_CHANNELS for n in planes)
    )


def _may_be_one_tap(numbers: list, dtype: str) -> bool:
    planes, window, stride = numbers[2:4], numbers[7:10], numbers[13:16]
    area = size.times(*numbers[4:7])
    positions = size.times(numbers[0], area)
    return (
        dtype == "float32"
        and all(_may_be(n, 1) for n in (*window, *stride))
        and not any(isinstance(n, int) and (n < ONE_TAP_CHANNELS or n % 32) for n in planes)
        and not (isinstance(area, int) and area < ONE_TAP_AREA)
        and not (isinstance(positions, int) and positions < ONE_TAP_POSITIONS)
    )


def _may_be_pointwise(numbers: list, dtype: str) -> bool:
    sizes, window, outputs, strides = (numbers[k : k + 3] for k in (4, 7, 10, 13))
    return (
        all(_may_be(n, 1) for n in (sizes[0], *window, outputs[0], *strides))
        and all(_may_be(n, 0) for n in numbers[19:22])
        and all(_may_be(size.minus(n, m), 0) for n, m in zip(sizes, outputs, strict=True))
    )


def _may_be_scatter(numbers: list, dtype: str) -> bool:
    depths, strides = (numbers[4], numbers[7], numbers[10]), numbers[14:16]
    if not all(_may_be(n, 1) for n in (*depths, *strides)):
        return False
    if not all(isinstance(n, int) for n in numbers[2:]):
        return True
    if dtype == "float32" and not numbers[-1] and any(_is_winograd(numbers, t) for t in (3, 5)):
        return False
    places, results = numbers[5] * numbers[6], numbers[11] * numbers[12]
    return results > 0 and 2 * places > 3 * results


def _is_winograd(numbers: list, taps: int) -> bool:
    """Whether a gradient with respect to images is surely computed by Winograd's algorithm, of
    sizes that are known: see `is_winograd` in convolution_fits.h.
    """
    channels, filters, depth = numbers[2], numbers[3], numbers[7]
    tile, tiles, places = 7 - taps, 1, 1
    if min(channels, filters * depth) < (32 if taps == 3 else 16):
        return False
    for axis in (1, 2):
        length, kernel, output, stride, dilation, low = numbers[4 + axis : 22 : 3]
        tiled = length if taps == 3 else output
        inside = low >= 0 and length + low <= output + (taps - 1) * dilation
        if kernel != taps or stride != 1 or tiled < tile * dilation or not (taps == 3 or inside):
            return False
        tiles *= dilation * _up(_up(tiled, dilation), tile)
        places *= tiled
    made = 36 * tiles * _up(channels, 8) * 8
    return taps == 3 or 3 * made <= 2 * taps * taps * places * channels


MAY_BE = {
    "winograd": _may_be_winograd,
    "channelwise": _may_be_channelwise,
    "pairs": _may_be_pairs,
    "fives": _may_be_fives,
    "one_tap": _may_be_one_tap,
    "pointwise": _may_be_pointwise,
    "scatter": _may_be_scatter,
}
