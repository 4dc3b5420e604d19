"""A layer, ``tanh(x @ W + b)``: a matrix product whose bias and activation belong to the tile."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Arrays, Case, Prepared


def _symcomp(data: Arrays) -> Prepared:
    import symcomp as sc
    import symcomp.tensor as T

    x, W, b = T.fmatrix("x"), T.fmatrix("W"), T.fvector("b")
    return Prepared(sc.function([x, W, b], T.tanh(x @ W + b)), tuple(data.values()))


def _numpy(data: Arrays) -> Prepared:
    return Prepared(lambda x, W, b: np.tanh(x @ W + b), tuple(data.values()))


def _numba(data: Arrays) -> Prepared:
    import numba

    function = numba.njit(lambda x, W, b: np.tanh(np.dot(x, W) + b), parallel=True)
    return Prepared(function, tuple(data.values()))


def _jax(data: Arrays) -> Prepared:
    import jax
    import jax.numpy as jnp

    function = jax.jit(lambda x, W, b: jnp.tanh(x @ W + b))
    arguments = tuple(map(jnp.asarray, data.values()))
    return Prepared(function, arguments, finish=jax.block_until_ready)


def _torch(compiled: bool) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import torch

        def function(x: Any, W: Any, b: Any) -> Any:
            return torch.tanh(x @ W + b)

        arguments = tuple(map(torch.from_numpy, data.values()))
        return Prepared(torch.compile(function) if compiled else function, arguments)

    return build


def _pytensor(data: Arrays) -> Prepared:
    import pytensor
    import pytensor.tensor as pt

    x, W, b = pt.fmatrix("x"), pt.fmatrix("W"), pt.fvector("b")
    return Prepared(pytensor.function([x, W, b], pt.tanh(x @ W + b)), tuple(data.values()))


def _layer(m: int, k: int, n: int) -> Case:
    def data() -> Arrays:
        random = np.random.default_rng(4)
        x = random.uniform(0, 1, (m, k)).astype(np.float32)
        W = (random.normal(size=(k, n)) / np.sqrt(k)).astype(np.float32)
        return {"x": x, "W": W, "b": random.normal(size=n).astype(np.float32)}

    return Case(
        name=f"tanh(x @ W + b)  float32, {m} x {k} x {n}",
        data=data,
        contestants={
            "symcomp": _symcomp,
            "numpy": _numpy,
            "jax": _jax,
            "torch": _torch(compiled=False),
            "torch.compile": _torch(compiled=True),
            "numba": _numba,
            "pytensor C": _pytensor,
            "pytensor numba": _pytensor,
        },
        tolerance=1e-4,
        flops=2.0 * m * k * n,
    )


CASES = [_layer(1024, 1024, 1024), _layer(128, 784, 500)]
