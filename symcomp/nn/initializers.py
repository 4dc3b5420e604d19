"""Initializers: the arrays that parameters start as.

Each is a function (shape, dtype, rng) → NumPy array, where `rng` is a NumPy generator or a seed, or
None for one generator that starts alike in every process (`sc.nn.seed` starts it anew). What else
it takes is given by name. Layers take any such function, so `functools.partial(he_normal, gain=1)`
sets one's options.

The scaled ones keep the size of signals from layer to layer. They count how many inputs each output
sums, fan_in, and how many outputs each input reaches, fan_out:

    shape                                       fan_in       fan_out
    (inputs, outputs)                           inputs       outputs
    (outputs, inputs / groups, *kernel)         inputs·Πk    outputs·Πk      inputs: of one group
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import symcomp as sc

Shape = Sequence[int]

#: The common generator; NumPy's random numbers are loaded when it is first asked for.
_common: np.random.Generator | None = None


def seed(value: int) -> None:
    """Start anew the generator from which everything is drawn that has no seed of its own."""
    global _common
    _common = np.random.default_rng(value)


def generator(rng: Any = None) -> np.random.Generator:
    """The generator itself, or a new one from a seed, or the common one for None."""
    if rng is not None:
        return np.random.default_rng(rng)
    if _common is None:
        seed(0)
    return _common


# --- without chance ------------------------------------------------------------------------------


def zeros(shape: Shape, dtype: str = "float64", rng: Any = None) -> np.ndarray:
    """All 0."""
    return np.zeros(shape, dtype)


def ones(shape: Shape, dtype: str = "float64", rng: Any = None) -> np.ndarray:
    """All 1."""
    return np.ones(shape, dtype)


def constant(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, value: Any = 0.0
) -> np.ndarray:
    """All one number, or an array that can be broadcast to the shape."""
    return np.array(np.broadcast_to(value, shape), dtype)


def identity(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, gain: float = 1.0
) -> np.ndarray:
    """gain on the diagonal of a matrix, else 0 (Le, Jaitly and Hinton, A simple way to initialize
    recurrent networks of rectified linear units, 2015)."""
    if len(shape) != 2:
        _fail("identity", shape, "2 axes")
    return np.asarray(gain * np.eye(*shape), dtype)


def dirac(shape: Shape, dtype: str = "float64", rng: Any = None, *, groups: int = 1) -> np.ndarray:
    """Filters (outputs, inputs / groups, *kernel) that let their input through: 1 in the middle of
    filter i for channel i (Zagoruyko and Komodakis, DiracNets, 2017)."""
    if len(shape) < 3 or shape[0] % groups:
        _fail("dirac", shape, f"3 axes or more, the first of {groups} equal groups")
    result = np.zeros(shape, dtype)
    middle = tuple(k // 2 for k in shape[2:])
    per_group = shape[0] // groups
    for group in range(groups):
        for i in range(min(per_group, shape[1])):
            result[(group * per_group + i, i, *middle)] = 1
    return result


# --- random, of a given size ---------------------------------------------------------------------


def uniform(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, low: float = -0.05, high: float = 0.05
) -> np.ndarray:
    """Uniform from low to high."""
    return generator(rng).uniform(low, high, shape).astype(dtype)


def normal(
    shape: Shape,
    dtype: str = "float64",
    rng: Any = None,
    *,
    mean: float = 0.0,
    deviation: float = 0.05,
) -> np.ndarray:
    """Normal, with a mean and a standard deviation."""
    return generator(rng).normal(mean, deviation, shape).astype(dtype)


def truncated_normal(
    shape: Shape,
    dtype: str = "float64",
    rng: Any = None,
    *,
    mean: float = 0.0,
    deviation: float = 0.05,
    bound: float = 2.0,
) -> np.ndarray:
    """Normal, drawn again where further than `bound` deviations from the mean. `deviation` is that
    of the whole distribution: what is left by a bound of 2 has 0.88 of it."""
    draw = generator(rng).standard_normal
    result = draw(shape)
    while (far := np.abs(result) > bound).any():
        result = np.where(far, draw(shape), result)
    return (mean + deviation * result).astype(dtype)


# --- random, of a size that suits the shape ------------------------------------------------------


def glorot_uniform(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, gain: float = 1.0
) -> np.ndarray:
    """Uniform with variance gain²·2 / (fan_in + fan_out), for tanh and its like (Glorot and Bengio,
    Understanding the difficulty of training deep feedforward neural networks, 2010)."""
    return _uniform_of(shape, dtype, rng, gain * math.sqrt(2 / sum(fans(shape))))


def glorot_normal(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, gain: float = 1.0
) -> np.ndarray:
    """Normal with variance gain²·2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    return normal(shape, dtype, rng, deviation=gain * math.sqrt(2 / sum(fans(shape))))


def he_uniform(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, gain: float = math.sqrt(2)
) -> np.ndarray:
    """Uniform with variance gain² / fan_in; a gain of √2 suits relu (He et al., Delving deep into
    rectifiers, 2015)."""
    return _uniform_of(shape, dtype, rng, gain / math.sqrt(fans(shape)[0]))


def he_normal(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, gain: float = math.sqrt(2)
) -> np.ndarray:
    """Normal with variance gain² / fan_in; a gain of √2 suits relu (He et al., 2015)."""
    return normal(shape, dtype, rng, deviation=gain / math.sqrt(fans(shape)[0]))


def lecun_uniform(shape: Shape, dtype: str = "float64", rng: Any = None) -> np.ndarray:
    """Uniform with variance 1 / fan_in (LeCun et al., Efficient backprop, 1998); for selu and for
    layers without a nonlinearity."""
    return he_uniform(shape, dtype, rng, gain=1)


def lecun_normal(shape: Shape, dtype: str = "float64", rng: Any = None) -> np.ndarray:
    """Normal with variance 1 / fan_in (LeCun et al., 1998)."""
    return he_normal(shape, dtype, rng, gain=1)


def orthogonal(
    shape: Shape, dtype: str = "float64", rng: Any = None, *, gain: float = 1.0
) -> np.ndarray:
    """gain times a random matrix whose rows, or columns where these are fewer, are orthonormal
    (Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks, 2014). Filters are matrices (outputs, all the rest)."""
    if len(shape) < 2:
        _fail("orthogonal", shape, "2 axes or more")
    rows, columns = shape[0], math.prod(shape[1:])
    drawn = generator(rng).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0, -1, 1)  # so that all orthogonal matrices are equally likely
    matrix = q if rows >= columns else q.T
    return np.array(gain * matrix.reshape(shape), dtype, order="C")


# --- what they share -----------------------------------------------------------------------------


def fans(shape: Shape) -> tuple[int, int]:
    """fan_in and fan_out of a matrix (inputs, outputs), or of filters (outputs, inputs, *kernel).

    Errors: ArgumentError where the shape has fewer than 2 axes.
    """
    if len(shape) < 2:
        _fail("fans", shape, "2 axes or more: (inputs, outputs) or (outputs, inputs, *kernel)")
    if len(shape) == 2:
        inputs, outputs = shape
        return max(inputs, 1), max(outputs, 1)
    outputs, inputs, *kernel = shape
    area = math.prod(kernel)
    return max(inputs * area, 1), max(outputs * area, 1)


def _uniform_of(shape: Shape, dtype: str, rng: Any, deviation: float) -> np.ndarray:
    bound = math.sqrt(3) * deviation
    return uniform(shape, dtype, rng, low=-bound, high=bound)


def _fail(name: str, shape: Shape, axes: str) -> None:
    raise sc.errors.ArgumentError(f"{name}: the shape must have {axes}, and is {tuple(shape)}")
