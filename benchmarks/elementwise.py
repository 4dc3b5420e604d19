"""Elementwise formulas on a million elements, and a softmax over rows: what fusion is for.

Each formula is one text that every contestant evaluates with its own functions, so that a reader
need not believe that they compute the same thing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Arrays, Case, Prepared

RIVALS = ("jax", "torch.compile", "numexpr", "numba", "numba ufunc")


def formula(text: str, namespace: Any) -> Callable:
    """The formula as a function of ``a`` and ``b`` with the functions of a namespace."""
    functions = {name: getattr(namespace, name) for name in ("exp", "tanh") if name in text}
    return eval(f"lambda a, b: {text}", functions)


def _symcomp(text: str, dtype: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import symcomp as sc
        import symcomp.tensor as T

        a, b = T.tensor(dtype, (None,), name="a"), T.tensor(dtype, (None,), name="b")
        return Prepared(sc.function([a, b], formula(text, T)(a, b)), (data["a"], data["b"]))

    return build


def _numpy(text: str) -> Callable[[Arrays], Prepared]:
    return lambda data: Prepared(formula(text, np), (data["a"], data["b"]))


def _jax(text: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import jax
        import jax.numpy as jnp

        a, b = jnp.asarray(data["a"]), jnp.asarray(data["b"])
        return Prepared(jax.jit(formula(text, jnp)), (a, b), finish=jax.block_until_ready)

    return build


def _torch(text: str, compiled: bool) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import torch

        function = formula(text, torch)
        function = torch.compile(function) if compiled else function
        return Prepared(function, (torch.from_numpy(data["a"]), torch.from_numpy(data["b"])))

    return build


def _numexpr(text: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import numexpr

        return Prepared(numexpr.evaluate, (text, data))

    return build


def _numba(text: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import numba

        return Prepared(numba.njit(formula(text, np), parallel=True), (data["a"], data["b"]))

    return build


def _numba_ufunc(text: str, dtype: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import numba

        signature = [f"{dtype}({dtype}, {dtype})"]
        ufunc = numba.vectorize(signature, target="parallel")(formula(text, np))
        return Prepared(ufunc, (data["a"], data["b"]))

    return build


def _pytensor(text: str, dtype: str) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import pytensor
        import pytensor.tensor as pt

        a, b = pt.vector("a", dtype=dtype), pt.vector("b", dtype=dtype)
        return Prepared(pytensor.function([a, b], formula(text, pt)(a, b)), (data["a"], data["b"]))

    return build


def _vectors(dtype: str, size: int) -> Arrays:
    random = np.random.default_rng(1)
    return {name: random.uniform(-2, 2, size).astype(dtype) for name in "ab"}


def _elementwise(text: str, dtype: str, size: int = 10**6) -> Case:
    return Case(
        name=f"{text}  {dtype}, {size:,} elements",
        data=lambda: _vectors(dtype, size),
        contestants={
            "symcomp": _symcomp(text, dtype),
            "numpy": _numpy(text),
            "jax": _jax(text),
            "torch": _torch(text, compiled=False),
            "torch.compile": _torch(text, compiled=True),
            "numexpr": _numexpr(text),
            "numba": _numba(text),
            "numba ufunc": _numba_ufunc(text, dtype),
            "pytensor C": _pytensor(text, dtype),
            "pytensor numba": _pytensor(text, dtype),
        },
        rivals=RIVALS,
        bars=("fastest 1",),
        placements=5,
    )


def _softmax_symcomp(data: Arrays) -> Prepared:
    import symcomp as sc
    import symcomp.tensor as T

    x = T.fmatrix("x")
    return Prepared(sc.function([x], T.nn.softmax(x)), (data["x"],))


def _softmax_numpy(data: Arrays) -> Prepared:
    def softmax(x: np.ndarray) -> np.ndarray:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    return Prepared(softmax, (data["x"],))


def _softmax_jax(data: Arrays) -> Prepared:
    import jax
    import jax.numpy as jnp

    return Prepared(
        jax.jit(jax.nn.softmax), (jnp.asarray(data["x"]),), finish=jax.block_until_ready
    )


def _softmax_torch(compiled: bool) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import torch

        def softmax(x: Any) -> Any:
            return torch.softmax(x, dim=-1)

        function = torch.compile(softmax) if compiled else softmax
        return Prepared(function, (torch.from_numpy(data["x"]),))

    return build


def _softmax_numba(data: Arrays) -> Prepared:
    import numba

    @numba.njit(parallel=True)
    def softmax(x):
        y = np.empty_like(x)
        for i in numba.prange(x.shape[0]):
            largest = x[i].max()
            total = np.float32(0)
            for j in range(x.shape[1]):
                y[i, j] = np.exp(x[i, j] - largest)
                total += y[i, j]
            for j in range(x.shape[1]):
                y[i, j] /= total
        return y

    return Prepared(softmax, (data["x"],))


def _softmax_pytensor(data: Arrays) -> Prepared:
    import pytensor
    import pytensor.tensor as pt

    x = pt.matrix("x", dtype="float32")
    return Prepared(pytensor.function([x], pt.special.softmax(x, axis=-1)), (data["x"],))


def _rows() -> Arrays:
    return {"x": np.random.default_rng(2).normal(0, 3, (2000, 1000)).astype(np.float32)}


SOFTMAX = Case(
    name="softmax over rows  float32, 2000 x 1000",
    data=_rows,
    contestants={
        "symcomp": _softmax_symcomp,
        "numpy": _softmax_numpy,
        "jax": _softmax_jax,
        "torch": _softmax_torch(compiled=False),
        "torch.compile": _softmax_torch(compiled=True),
        "numba": _softmax_numba,
        "pytensor C": _softmax_pytensor,
        "pytensor numba": _softmax_pytensor,
    },
    rivals=RIVALS,
    bars=("fastest 1",),
)

CASES = [
    _elementwise("a**2 + b**2 + 2*a*b", "float64"),
    _elementwise("2*a + b**10", "float64"),
    _elementwise("tanh(a) * exp(-b * b)", "float32"),
    SOFTMAX,
]
