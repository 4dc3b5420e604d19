"""What the routines of the convolution library mean, on NumPy arrays.

The library may put filters and partial sums in any order that suits its kernels;
here they lie in the plainest one, within the same places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.codegen.loops import Call, View
from symcomp.codegen.tiling import PANEL
from symcomp.codegen.ways import NUMBERS
from symcomp.tensor.convolution import (
    Convolution,
    ConvolutionFilters,
    ConvolutionInput,
    Geometry,
)

OPERATIONS = {"forward": Convolution, "input": ConvolutionInput, "filters": ConvolutionFilters}


class ConvolutionMachine:
    """The part of the interpreter that convolves."""

    def _convolution(self, s: Call) -> None:
        routine, which, *rest = s.arguments
        g, numbers, views = self._given(rest)
        getattr(self, f"_convolution_{routine}")(g, which, numbers, *views)

    def _convolve(self, s: Call) -> None:
        """A whole convolution, or one of its transposes."""
        which, *rest = s.arguments
        g, _, views = self._given(rest)
        self._whole(g, which, *views)

    def _convolution_convolve(self, g, which, numbers, source, weights, packed, target) -> None:
        self._whole(g, which, source, weights, target)

    def _whole(self, g, which: str, left: View, right: View, target: View) -> None:
        sides = {"images": g.images_shape, "filters": g.filters_shape, "outputs": g.outputs_shape}
        first, second = {
            "forward": ("images", "filters"),
            "input": ("outputs", "filters"),
            "filters": ("images", "outputs"),
        }[which]
        a, b = self._block(left, 0, sides[first]), self._block(right, 0, sides[second])
        value = _value(OPERATIONS[which], g, a, b).ravel()
        self._put(target, np.arange(value.size), value)

    def _given(self, rest) -> tuple[Geometry, list[int], list[View]]:
        """The geometry, the numbers after it, and the arrays of a call."""
        numbers = [self.integer(v) for v in rest if not isinstance(v, View)]
        views = [v for v in rest if isinstance(v, View)]
        sizes = [tuple(numbers[k : k + 3]) for k in range(4, 22, 3)]
        image, kernel, output, stride, dilation, low = sizes
        g = Geometry(*numbers[:4], image, kernel, output, stride, dilation, low)
        return g, numbers[NUMBERS:], views

    def _block(self, view: View, start: int, shape: tuple) -> np.ndarray:
        """A stretch of an array, from `start` after where the view begins."""
        first = self.integer(view.offset) + start
        count = int(np.prod(shape))
        self._within(view, first, count)
        return self._gathered(view.buffer, np.arange(first, first + count).reshape(shape))

    def _put(self, view: View, places: np.ndarray, values: np.ndarray) -> None:
        places = places + self.integer(view.offset)
        if places.size:
            self._within(view, int(places.min()), 1)
            self._within(view, int(places.max()), 1)
        for w in self.watching:
            for offset in places.ravel().tolist():
                w.write(view.buffer, offset)
        self.memory[view.buffer][places] = values

    def _within(self, view: View, first: int, count: int) -> None:
        if count:
            self._inside(view.buffer, first)
            self._inside(view.buffer, first + count - 1)

    def _convolution_pack(self, g, which: str, numbers, weights: View, packed: View) -> None:
        channels = g.filters if which == "forward" else g.channels
        panels = -(-channels // PANEL)
        for number in range(*numbers):
            group, panel = divmod(number, panels)
            rows = slice(panel * PANEL, min((panel + 1) * PANEL, channels))
            w = self._block(weights, 0, (g.groups, g.filters, g.channels, *g.kernel))[group]
            w = w[rows] if which == "forward" else np.swapaxes(w, 0, 1)[rows]
            terms = int(np.prod(w.shape[1:]))
            start = number * PANEL * terms
            self._put(packed, start + np.arange(w.size), w.ravel())

    def _convolution_correlate(self, g, which, numbers, source, packed, target) -> None:
        image, images, group, first, some, slice_, row, rows, step, channel_step = numbers
        inputs, channels, taken, made = (
            (g.channels, g.filters, g.image, g.output)
            if which == "forward"
            else (g.filters, g.channels, g.output, g.image)
        )
        shape = (inputs, *g.kernel)
        count = channels * int(np.prod(shape))
        start = group * -(-channels // PANEL) * PANEL * int(np.prod(shape))
        w = self._block(packed, start, (count,)).reshape(channels, *shape)
        w = w if which == "forward" else np.swapaxes(w, 0, 1)
        area = int(np.prod(taken))
        x = [
            self._block(source, ((image + i) * g.groups + group) * inputs * area, (inputs, *taken))
            for i in range(images)
        ]
        part = g._replace(batch=images, groups=1)
        x = np.reshape(x, (images, inputs, *taken)).astype(w.dtype)
        value = _value(OPERATIONS[which], part, x, np.ascontiguousarray(w))
        value = value.reshape(images, channels, *made)
        value = value[:, first : first + some, slice_, row : row + rows]
        i, m, y, u = np.indices(value.shape)
        self._put(target, i * step + m * channel_step + y * made[2] + u, value)

    def _convolution_sum_filters(self, g, which, numbers, images, gradient, partial) -> None:
        chunks, blocks = numbers
        each, some = -(-g.batch // chunks), -(-g.channels // blocks)
        for chunk, group, block in np.ndindex(chunks, g.groups, blocks):
            image = range(g.batch)[chunk * each : (chunk + 1) * each]
            channel = range(g.channels)[block * some : (block + 1) * some]
            if channel:
                self._sum_filters(g, image, group, channel, images, gradient, (partial, chunk))

    def _sum_filters(self, g, these, group, channels, images, gradient, target) -> None:
        """A part of a gradient of filters: of some images, for some channels of a group."""
        area, positions = int(np.prod(g.image)), int(np.prod(g.output))
        pairs = [image * g.groups + group for image in these]
        shape = (len(channels), *g.image)
        x = [self._block(images, (p * g.channels + channels[0]) * area, shape) for p in pairs]
        y = [
            self._block(gradient, p * g.filters * positions, (g.filters, *g.output)) for p in pairs
        ]
        partial, chunk = target
        dtype = self._array(partial.buffer).dtype
        part = g._replace(batch=len(pairs), groups=1, channels=len(channels))
        x = np.reshape(x, (len(pairs), *shape)).astype(dtype)
        y = np.reshape(y, (len(pairs), g.filters, *g.output)).astype(dtype)
        value = _value(ConvolutionFilters, part, x, y).reshape(g.filters, -1)
        padded = np.zeros((value.shape[1], _padded(g.filters, dtype)), dtype)
        padded[:, : g.filters] = value.T
        start = ((chunk * g.groups + group) * g.channels + channels[0]) * int(np.prod(g.kernel))
        self._put(partial, start * padded.shape[1] + np.arange(padded.size), padded.ravel())

    def _convolution_add_up(self, g, which, numbers, partial, tile) -> None:
        chunks, group, first_filter, first, columns, line = numbers
        dtype = self._array(partial.buffer).dtype
        lanes, width, taps = 64 // dtype.itemsize, _padded(g.filters, dtype), int(np.prod(g.kernel))
        parts = self._block(partial, 0, (chunks, g.groups, g.channels * taps, width))
        here = parts[:, group, first : first + columns, first_filter : first_filter + lanes]
        value = here[0].copy()
        for part in here[1:]:
            value += part
        k, filter_ = np.indices(value.shape)
        self._put(tile, filter_ * line + k, value)


def _value(cls: Any, g: Geometry, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    op = cls(g.stride, g.dilation, 1, g.low, (0, 0, 0))
    if g.is_empty:
        return np.zeros(op.result(g), a.dtype)
    return op.reference(g, a, b).reshape(op.result(g))


def _padded(filters: int, dtype: np.dtype) -> int:
    lanes = 64 // dtype.itemsize
    return -(-filters // lanes) * lanes
