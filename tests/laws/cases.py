"""What the laws of operations run on: arguments of every dtype, from the samples of operations."""

from __future__ import annotations

import numpy as np

import symcomp.tensor  # noqa: F401 - fills the registry
from symcomp.errors import SymcompError
from symcomp.graph.expr import Variable
from symcomp.graph.op import registry
from symcomp.graph.scalar import Primitive
from symcomp.graph.size import as_expr
from symcomp.graph.type import DTYPES, Type, is_float
from symcomp.tensor.foreign import CFunction

#: Operations that symcomp.tensor and symcomp.graph declare (equations' own vocabulary apart).
PRIMITIVES = {
    n: op
    for n, op in registry.items()
    if isinstance(op, Primitive) and not isinstance(op, CFunction)
}
CLASSES = {
    n: op
    for n, op in registry.items()
    if not isinstance(op, Primitive)
    and op.__module__.startswith(("symcomp.tensor", "symcomp.graph"))
    and n not in ("element", "fold")
}

#: Values that numerical code gets wrong.
AWKWARD = {
    "float": [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-3, 3.0, 20.0, -30.0, 1e5, 1e30, np.inf, -np.inf,
              np.nan],
    "bool": [False, True, True],
}  # fmt: skip


def awkward(dtype: str) -> np.ndarray:
    if dtype == "bool":
        return np.array(AWKWARD["bool"])
    if is_float(dtype):
        return np.array(AWKWARD["float"], dtype)
    info = np.iinfo(dtype)
    values = [0, 1, 2, 3, 7, 5, info.max, info.min, info.max - 1]
    return np.array(values + ([-1, -2, -7] if info.min else []), dtype)


def strided(x: np.ndarray) -> np.ndarray:
    """The same values, lying apart and backwards in memory."""
    if not x.ndim:
        return x
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::-2]
    wide[...] = x
    return wide


def accepted(op: Primitive, dtype: str) -> bool:
    """Whether a function takes arguments of a dtype as they are."""
    count = 2 if op.variadic else len(op.parameters)
    try:
        dtypes, _ = op.signature(*(dtype,) * count)
    except SymcompError:
        return False
    return dtypes[-1] == dtype or dtype in ("bool", "int8")


def pairs(op: Primitive, dtype: str) -> list[np.ndarray]:
    """All combinations of awkward values, one array an argument."""
    values = awkward(dtype)
    count = 3 if op.variadic else len(op.parameters)
    if count == 1:
        return [values]
    grid = np.meshgrid(*(values,) * count, indexing="ij")
    return [g.ravel() for g in grid]


def sample(op_class, entry, dtype: str, seed: int = 0):
    """The operation of a sample, with arguments: (op, variables or sizes, their arrays)."""
    fields, *specs = entry
    random = np.random.default_rng(seed)
    variables, arrays = [], []
    for spec in specs:
        if isinstance(spec, tuple):
            low = max(getattr(op_class, "domain", (-3,))[0] + 0.5, -3)
            array = random.uniform(low, 3, spec)
            array = (array > 0) if dtype == "bool" else np.abs(array) if dtype[0] == "u" else array
            array = np.asarray(array).astype(dtype)
        else:
            array = np.asarray(spec, "int64")
        if isinstance(spec, int):
            variables.append(as_expr(spec))
            continue
        variables.append(Variable(Type(array.dtype.name, array.shape), f"x{len(arrays)}"))
        arrays.append(array)
    return op_class(*fields), variables, arrays


def entries():
    """(name, position, dtype) for every sample and dtype that the operation accepts."""
    for name, op_class in CLASSES.items():
        for position, entry in enumerate(op_class.samples):
            for dtype in DTYPES:
                try:
                    op, variables, _ = sample(op_class, entry, dtype)
                    op(*variables)
                except SymcompError:
                    continue
                yield name, position, dtype


ENTRIES = list(entries())
FLOAT_ENTRIES = [(n, p) for n, p, dtype in ENTRIES if dtype == "float64"]
