"""The price of a call: eight elements, so that what is measured is the way to the machine code."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Arrays, Case, Prepared


def _data() -> Arrays:
    random = np.random.default_rng(3)
    return {"a": random.normal(size=8), "c": random.normal(size=8)}


def _symcomp(data: Arrays) -> Prepared:
    import symcomp as sc
    import symcomp.tensor as T

    a, c = T.dvector("a"), T.dvector("c")
    return Prepared(sc.function([a, c], (a + c) * T.tanh(a)), (data["a"], data["c"]))


def _numpy(data: Arrays) -> Prepared:
    return Prepared(lambda a, c: (a + c) * np.tanh(a), (data["a"], data["c"]))


def _numba(data: Arrays) -> Prepared:
    import numba

    return Prepared(numba.njit(lambda a, c: (a + c) * np.tanh(a)), (data["a"], data["c"]))


def _numexpr(data: Arrays) -> Prepared:
    import numexpr

    return Prepared(numexpr.evaluate, ("(a + c) * tanh(a)", data))


def _jax(data: Arrays) -> Prepared:
    import jax
    import jax.numpy as jnp

    function = jax.jit(lambda a, c: (a + c) * jnp.tanh(a))
    arguments = jnp.asarray(data["a"]), jnp.asarray(data["c"])
    return Prepared(function, arguments, finish=jax.block_until_ready)


def _torch(compiled: bool) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import torch

        def function(a: Any, c: Any) -> Any:
            return (a + c) * torch.tanh(a)

        arguments = torch.from_numpy(data["a"]), torch.from_numpy(data["c"])
        return Prepared(torch.compile(function) if compiled else function, arguments)

    return build


def _pytensor(data: Arrays) -> Prepared:
    import pytensor
    import pytensor.tensor as pt

    a, c = pt.dvector("a"), pt.dvector("c")
    return Prepared(pytensor.function([a, c], (a + c) * pt.tanh(a)), (data["a"], data["c"]))


CASES = [
    Case(
        name="call (a + c) * tanh(a)  float64, 8 elements",
        data=_data,
        contestants={
            "symcomp": _symcomp,
            "numpy": _numpy,
            "jax": _jax,
            "torch": _torch(compiled=False),
            "torch.compile": _torch(compiled=True),
            "numexpr": _numexpr,
            "numba": _numba,
            "pytensor C": _pytensor,
            "pytensor numba": _pytensor,
        },
        bars=("microseconds 1.5",),
        tolerance=1e-12,
    )
]
