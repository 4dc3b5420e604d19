"""Convolutional networks, written once: the dozen words they need, and what their names say.

A network is ``forward(words, parameters, x, training) -> (logits, running averages)``; the words
are those of one library and one layout (``libraries``):

    conv(x, filters, stride, padding)     dense(x, matrix, bias)  tanh(x)  relu(x)
    max_pool(x, window, stride, padding)  mean(x), of places      flatten(x)
    pooled_conv(x, filters, bias), the maxima over 2x2; bias before or after, as is faster
    batch_norm(x, scale, shift, mean, variance)
    batch_norm_train(…) -> (y, the running mean, the running variance)

All start from the same arrays, and after each of the first steps the costs are compared, and how
far each parameter has moved: the size of its gradient, whatever its layout.

A parameter's name says what it is: ``filters …`` are (out, in, rows, columns); ``rows …`` is the
matrix of a dense layer on images, (channels, rows, columns, out); ``mean …`` and ``variance …`` are
running averages, which are not learned; anything else is the same in every layout.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.case import Arrays

TO_NHWC = (0, 2, 3, 1)
OIHW_TO_HWIO = (2, 3, 1, 0)

#: What is added to a variance, and the share of the batch in the running averages.
EPSILON, MOMENTUM = 1e-5, 0.1


@dataclass(frozen=True)
class Network:
    """The data (``x``, ``y`` and parameters), what is computed of them, and the rate of descent."""

    data: Callable[[], Arrays]
    forward: Callable[[Any, dict[str, Any], Any, bool], tuple[Any, dict[str, Any]]]
    rate: float


def learned(names: Iterable[str]) -> list[str]:
    """The parameters that descend."""
    return [name for name in names if name.split()[0] not in ("mean", "variance")]


def parameters_of(data: Arrays, last: bool) -> Arrays:
    """The parameters, dense layers as matrices for images whose channels come first or last."""
    parameters = {name: array for name, array in data.items() if name not in ("x", "y")}
    for name, array in parameters.items():
        if name.startswith("rows"):
            ordered = array.transpose(1, 2, 0, 3) if last else array
            parameters[name] = np.ascontiguousarray(ordered.reshape(-1, array.shape[3]))
    return parameters


def progress(cost: Any, before: Arrays, after: Arrays, rate: float) -> np.ndarray:
    """The cost, and each parameter's way from the start, in units of the rate."""
    ways = [np.linalg.norm(after[name] - before[name]) / rate for name in before]
    return np.array([np.asarray(cost), *ways], np.float32)
