"""Normalization: layers that give their inputs mean 0 and variance 1, then a scale and a shift of
their own.

They differ in what they take means over: each channel of a batch (BatchNorm), each example
(LayerNorm), or groups of channels of each example (GroupNorm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import symcomp as sc
import symcomp.tensor as T
from symcomp.nn.layers import parameter, prefixed
from symcomp.nn.module import Module


class BatchNorm(Module):
    """In training, by the mean and variance of the batch; in use, by their running averages (Ioffe
    and Szegedy, Batch normalization, 2015).

    `axis` is that of the channels. Each call in training moves the averages by `momentum` towards
    the batch's: `model.updates()` says how, and belongs into the updates of the training step. As
    in PyTorch the running variance is the unbiased one.
    """

    shows = ("channels",)
    buffers = ("mean", "variance")

    def __init__(
        self,
        channels: int,
        axis: int = 1,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        scale: Any = 1.0,
        shift: Any = 0.0,
        dtype: str | None = None,
        name: str | None = None,
    ):
        self.channels, self.axis, self.momentum, self.epsilon = channels, axis, momentum, epsilon
        starts = {"scale": scale, "shift": shift, "mean": 0.0, "variance": 1.0}
        for what, start in starts.items():
            value = parameter(start, (channels,), dtype, None, prefixed(name, what))
            setattr(self, what, value)

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        axis, epsilon = self.axis, self.epsilon
        if not training:
            return T.nn.batch_norm(
                x, self.scale, self.shift, self.mean, self.variance, axis, epsilon
            )
        y, mean, variance = T.nn.batch_norm_train(x, self.scale, self.shift, axis, epsilon)
        count = T.as_tensor(math.prod(n for i, n in enumerate(x.shape) if i != axis % x.ndim))
        unbiased = variance * T.cast(count / T.maximum(count - 1, 1), x.dtype)
        self._pending = [self._moved(self.mean, mean), self._moved(self.variance, unbiased)]
        return y

    def _moved(self, average: sc.Shared, now: sc.Expr) -> tuple[sc.Shared, sc.Expr]:
        return average, (1 - self.momentum) * average + self.momentum * now


class LayerNorm(Module):
    """By the mean and variance of each example, over its last axes, whose sizes are `shape` (Ba,
    Kiros and Hinton, Layer normalization, 2016)."""

    shows = ("shape",)

    def __init__(
        self,
        shape: int | Sequence[int],
        epsilon: float = 1e-5,
        scale: Any = 1.0,
        shift: Any = 0.0,
        dtype: str | None = None,
        name: str | None = None,
    ):
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.epsilon = epsilon
        self.scale = parameter(scale, self.shape, dtype, None, prefixed(name, "scale"))
        self.shift = parameter(shift, self.shape, dtype, None, prefixed(name, "shift"))

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        axes = tuple(range(-len(self.shape), 0))
        return T.nn.layer_norm(x, self.scale, self.shift, axes, self.epsilon)


class GroupNorm(Module):
    """By the mean and variance of each example in each group of neighbouring channels (Wu and He,
    Group normalization, 2018)."""

    shows = ("groups", "channels")

    def __init__(
        self,
        groups: int,
        channels: int,
        axis: int = 1,
        epsilon: float = 1e-5,
        scale: Any = 1.0,
        shift: Any = 0.0,
        dtype: str | None = None,
        name: str | None = None,
    ):
        self.groups, self.channels, self.axis, self.epsilon = groups, channels, axis, epsilon
        self.scale = parameter(scale, (channels,), dtype, None, prefixed(name, "scale"))
        self.shift = parameter(shift, (channels,), dtype, None, prefixed(name, "shift"))

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.nn.group_norm(x, self.groups, self.scale, self.shift, self.axis, self.epsilon)
