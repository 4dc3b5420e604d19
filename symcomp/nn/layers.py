"""Layers: the modules that networks are put together from.

A network is a `Sequential` of layers and of any functions of an expression:

    model = sc.nn.Sequential(
        sc.nn.Dense(784, 500), T.tanh, sc.nn.Dropout(0.5), sc.nn.Dense(500, 10), name="digits"
    )

What the layers that learn take:

    weights, bias   an initializer (`sc.nn.initializers`), a number, or an array to start as; a bias
                    may also be None: there is none then
    dtype           of the parameters; options.floatX unless given
    seed            a seed or a NumPy generator; else the common generator (`sc.nn.seed`)
    name            what comes before a dot in the names of parameters, in errors and in the source
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.nn import initializers
from symcomp.nn.module import Module, call
from symcomp.nn.step import fail


def parameter(
    start: Any, shape: Sequence[int], dtype: str | None, seed: Any, name: str
) -> sc.Shared:
    """A shared value that starts as an initializer, a number or an array says.

    Errors: ArgumentError where an array has another shape.
    """
    dtype = dtype or sc.options.floatX
    if callable(start):
        return sc.shared(np.asarray(start(tuple(shape), dtype, seed), dtype), name)
    array = np.asarray(start, dtype)
    if array.ndim and array.shape != tuple(shape):
        fail(f"{name}: it has shape {tuple(shape)} and cannot start as an array of {array.shape}")
    return sc.shared(np.array(np.broadcast_to(array, shape)), name)


def prefixed(name: str | None, what: str) -> str:
    return f"{name}.{what}" if name else what


# --- modules of modules --------------------------------------------------------------------------


class Sequential(Module):
    """Layers and functions, each called with what the one before returned."""

    def __init__(self, *layers: Callable, name: str | None = None):
        self.layers = list(layers)
        self.name = name

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        for layer in self.layers:
            x = call(layer, x, training)
        return x

    def parts(self) -> Iterator[tuple[str, Any]]:
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def __getitem__(self, which: int | slice) -> Any:
        """A layer, or a Sequential of several, which share their values with this one."""
        chosen = self.layers[which]
        return Sequential(*chosen) if isinstance(which, slice) else chosen

    def __len__(self) -> int:
        return len(self.layers)

    def title(self) -> str:
        return self.name or "Sequential"


class Residual(Module):
    """shortcut(x) + Σ branch(x); the shortcut is x itself unless it is given (He et al., Deep
    residual learning for image recognition, 2016)."""

    def __init__(self, *branches: Callable, shortcut: Callable | None = None):
        if not branches:
            fail("Residual: there is no branch to add to the shortcut")
        self.branches = list(branches)
        self.shortcut = shortcut

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        y = x if self.shortcut is None else call(self.shortcut, x, training)
        for branch in self.branches:
            y = y + call(branch, x, training)
        return y

    def parts(self) -> Iterator[tuple[str, Any]]:
        yield from ((str(i), branch) for i, branch in enumerate(self.branches))
        if self.shortcut is not None:
            yield "shortcut", self.shortcut

    def title(self) -> str:
        return "Residual"


class Lambda(Module):
    """A function of an expression, with a name to be shown by."""

    shows = ("name",)

    def __init__(self, function: Callable[[sc.Expr], sc.Expr], name: str | None = None):
        self._function = function
        self.name = name or getattr(function, "__name__", "function")

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return self._function(x)


# --- layers --------------------------------------------------------------------------------------


class Dense(Module):
    """x @ weights + bias, over the last axis of x."""

    shows = ("inputs", "outputs")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        weights: Any = initializers.glorot_uniform,
        bias: Any = 0.0,
        dtype: str | None = None,
        seed: Any = None,
        name: str | None = None,
    ):
        self.inputs, self.outputs = inputs, outputs
        where = (dtype, initializers.generator(seed))
        self.weights = parameter(weights, (inputs, outputs), *where, prefixed(name, "weights"))
        if bias is not None:
            self.bias = parameter(bias, (outputs,), *where, prefixed(name, "bias"))

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        y = x @ self.weights
        return y + self.bias if hasattr(self, "bias") else y


class Embedding(Module):
    """A row of a table for each integer of x."""

    shows = ("rows", "columns")

    def __init__(
        self,
        rows: int,
        columns: int,
        weights: Any = initializers.normal,
        dtype: str | None = None,
        seed: Any = None,
        name: str | None = None,
    ):
        self.rows, self.columns = rows, columns
        rng = initializers.generator(seed)
        self.weights = parameter(weights, (rows, columns), dtype, rng, prefixed(name, "weights"))

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.take(self.weights, x, axis=0)


class Flatten(Module):
    """All axes but the first, merged into one."""

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.flatten(x, 2)


class Dropout(Module):
    """In training, each element is 0 with probability `rate`, and else divided by 1 − rate; in use,
    x itself (Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting,
    2014).

    `stream` is a RandomStream of `sc.random` that layers may share; else there is a new one.
    """

    shows = ("rate",)

    def __init__(self, rate: float, seed: Any = None, stream: Any = None):
        self.rate = rate
        if stream is None:
            stream = sc.random.RandomStream(int(initializers.generator(seed).integers(2**63)))
        self._stream = stream

    def __call__(self, x: sc.Expr, training: bool = False) -> sc.Expr:
        return T.nn.dropout(x, self.rate, self._stream) if training else x
