"""The price of a call on a GPU: eight elements, which may stay there or go to and fro."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gpu.cases import EVERYBODY, Case, Data, Held, Prepared
from benchmarks.gpu.libraries import Library
from benchmarks.gpu.networks import SMALL


def _formula(w: Any, a: Any, b: Any) -> Any:
    return (a + b) * w.tanh(a)


@dataclass(frozen=True)
class Call:
    """`there`: from arrays on the GPU to a result on the GPU; else from NumPy's to NumPy's."""

    group: str
    name: str
    there: bool
    contestants: tuple[str, ...]
    host_limit: float = 0.0
    flops: Callable[[Sequence[Data]], float] | None = None
    moved: Callable[[Sequence[Data], int], int] | None = None

    def arrays(self, toy: bool) -> tuple[Data, ...]:
        """Two vectors."""
        return Data((8,), "float64"), Data((8,), "float64", "uniform")

    def prepare(self, library: Library, toy: bool, held: Held) -> Prepared:
        """The call, with its result compared."""
        here, there = zip(*(held.get(d, library) for d in self.arrays(toy)), strict=True)
        expected = _formula(np, *here)
        if self.there:
            run = library.compiled(_formula, there)
        else:
            run = library.round_trip(_formula, here)

        def facts(value: Any) -> dict[str, Any]:
            got = library.host(value) if self.there else value
            return {} if np.allclose(got, expected, rtol=1e-12) else {"wrong": f"{got}"}

        return Prepared(run, facts)


DEPTH, WIDTH, ROWS = 12, 64, 32


def _chain(w: Any, x: Any, m: Any, b: Any) -> Any:
    """Products and small kernels, one after the other; nothing fuses across a product."""
    for _ in range(DEPTH):
        x = w.tanh(x @ m + b)
    return x


def _chain_data(n: int) -> tuple[Data, ...]:
    return (
        Data((ROWS, WIDTH)),
        Data((WIDTH, WIDTH), "float32", "small"),
        Data((WIDTH,), "float32", "small"),
    )


CHAIN = Case(
    group="small step",
    name=f"{DEPTH} layers tanh(x @ m + b), {ROWS} × {WIDTH}",
    formula=_chain,
    data=_chain_data,
    contestants=("symcomp", "symcomp without replays", *EVERYBODY[1:]),
    cut=lambda arrays, rows: [arrays[0][rows], *arrays[1:]],
    host_limit=15.0,
    tolerance={"float32": 1e-3},
)
CALLS = [
    CHAIN,
    SMALL,
    Call("calls", "(a + b) * tanh(a), 8 float64, on the GPU", True, EVERYBODY),
    Call("calls", "the same, from NumPy to NumPy", False, ("symcomp", "torch", "jax", "cupy")),
]
