"""Small programs run in each way that there is, and how results are compared."""

from __future__ import annotations

import sys

import numpy as np

import symcomp as sc
from symcomp.codegen.interpret import execute
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.graph.walk import evaluate
from tests.small_programs import Case

#: What the lowering for a GPU cuts loops by, made tiny: small arrays reach every edge.
TINY_GRID = {
    "SMALL": 2, "TEAM_WORK": 16, "MOST_TEAMS": 5, "CHUNKS": 4, "CHUNK": 3,
    "LONG_ROW": 4, "ROW_PART": 3, "SQUARE": 8, "SMALL_SQUARE": 4, "ROUNDS": 2,
    "TEAM": 16, "SECTOR": 2, "BROAD": 5, "LEFT": 2, "COLUMN_THREADS": 32, "UNCUT": 4,
    "COLUMN_TEAMS": 6, "LEAST_ROWS": 1, "TOGETHER": 2,
    "SIDE": 4, "AT_ONCE": 2, "MOST_WORK": 100, "TERM_BYTES": 80,
    "FEW": 2, "FAN": 2, "MOST_ROUNDS": 9, "COLUMNS": 2, "SHORT": 2,
    "PERIOD": 2, "TILE": 4, "TILE_COLUMNS": 2,
}  # fmt: skip


def by_numpy(c: Case) -> list[np.ndarray]:
    everything = [*c.outputs, *(v for _, v in c.updates)]
    values = evaluate(everything, dict(zip(c.inputs, c.arguments, strict=True)))
    return [np.array(v) for v in values]


def by_interpreter(c: Case, shuffle=None, device: str = "cpu") -> list[np.ndarray]:
    job = compile_expression(Compilation("f", c.outputs, c.updates, device=device))
    given = dict(zip(c.inputs, c.arguments, strict=True))
    actual = {leaf: np.array(evaluate([leaf], given)[0]) for leaf in job.bound.leaves}
    arrays = {b: actual[leaf] for leaf, b in job.bound.leaves.items()}
    sizes = {d: int(evaluate([atom], given)[0]) for d, atom in job.bound.dimensions.items()}
    status, outputs = execute(job.program, arrays, sizes, shuffle)
    assert status == 0
    return [*outputs, *(actual[s] for s, _ in c.updates)]


def by_function(c: Case, **options) -> list[np.ndarray]:
    f = sc.function(c.inputs, c.outputs, updates=c.updates, **options)
    outputs = f(*c.arguments)
    return [*outputs, *(s.get_value() for s, _ in c.updates)]


def assert_same(got, expected):
    for g, e in zip(got, expected, strict=True):
        assert g.shape == e.shape and g.dtype == e.dtype
        tolerance = {"float32": 2e-5, "float64": 1e-12}.get(e.dtype.name, 0)
        np.testing.assert_allclose(g, e, rtol=tolerance, atol=tolerance * 10)


def shrink(monkeypatch, values: dict[str, int]) -> None:
    """Give constants of the lowering other values in every module that has them."""
    found = set()
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("symcomp.codegen."):
            for name, value in values.items():
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, value)
                    found.add(name)
    assert found == set(values)
