"""Vector math against a wider type: the largest error in units in the last place.

Single precision is judged by NumPy in double precision, double precision by NumPy's long double
(80 bits on x86), and erf by mpmath.  The arguments are spread evenly over all exponents of the
domain in which the exact result is a normal number.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import fresh
from benchmarks.contestants import environment
from benchmarks.report import Bar, Report

LIMIT = 2.0
Sampler = Callable[[np.random.Generator, int, str], np.ndarray]


def _magnitudes(low: float, high: float, signed: bool = True) -> Sampler:
    """Every power of two between the bounds alike, with either sign or positive."""

    def draw(random: np.random.Generator, count: int, dtype: str) -> np.ndarray:
        values = np.exp2(random.uniform(math.log2(low), math.log2(high), count))
        return values * random.choice([-1.0, 1.0], count) if signed else values

    return draw


def _range(single: tuple[float, float], double: tuple[float, float]) -> Sampler:
    """Half of the values even over the range, half even over the exponents."""

    def draw(random: np.random.Generator, count: int, dtype: str) -> np.ndarray:
        low, high = single if dtype == "float32" else double
        even = random.uniform(low, high, count // 2)
        small = _magnitudes(1e-30, min(-low, high))(random, count - count // 2, dtype)
        return np.concatenate([even, small])

    return draw


def _erf(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.float64:
        return np.vectorize(math.erf)(x)
    import mpmath

    with mpmath.workprec(100):
        digits = [mpmath.nstr(mpmath.erf(mpmath.mpf(float(value))), 25) for value in x]
    return np.array([np.longdouble(text) for text in digits])


class Judged(NamedTuple):
    """A function: its arguments, its reference in any float type, and how many points."""

    samplers: tuple[Sampler, ...]
    reference: Callable[..., np.ndarray]
    points: int = 400_000


FUNCTIONS = {
    "exp": Judged((_range((-87, 88), (-708, 709)),), np.exp),
    "log": Judged((_magnitudes(1e-37, 1e37, signed=False),), np.log),
    "log1p": Judged((_magnitudes(1e-30, 0.999),), np.log1p),
    "log1p (large)": Judged((_magnitudes(0.5, 1e37, signed=False),), np.log1p),
    "expm1": Judged((_range((-87, 88), (-708, 709)),), np.expm1),
    "tanh": Judged((_magnitudes(1e-30, 50),), np.tanh),
    "sigmoid": Judged((_range((-86, 86), (-700, 700)),), lambda x: 1 / (1 + np.exp(-x))),
    "erf": Judged((_magnitudes(1e-30, 8),), _erf, 20_000),
    "sin": Judged((_magnitudes(1e-30, 1e30),), np.sin),
    "cos": Judged((_magnitudes(1e-30, 1e30),), np.cos),
    "pow": Judged((_magnitudes(1e-3, 1e3, signed=False), _magnitudes(1e-6, 12)), np.power),
}


def _symbolic(name: str, arguments: list[Any]) -> Any:
    import symcomp.tensor as T

    if name == "pow":
        return arguments[0] ** arguments[1]
    word = name.partition(" ")[0]
    return (getattr(T, word, None) or getattr(T.nn, word))(*arguments)


def measure(name: str, dtype: str) -> dict[str, Any]:
    """The largest error of one function, and the argument where it is."""
    import symcomp as sc
    import symcomp.tensor as T

    judged, random = FUNCTIONS[name], np.random.default_rng(6)
    wider = np.float64 if dtype == "float32" else np.longdouble
    data = [draw(random, judged.points, dtype).astype(dtype) for draw in judged.samplers]
    inputs = [T.tensor(dtype, (None,), name=letter) for letter in "xy"[: len(data)]]
    value = sc.function(inputs, _symbolic(name, inputs))(*data)
    exact = judged.reference(*(values.astype(wider) for values in data))
    normal = np.abs(exact) >= np.finfo(dtype).tiny
    unit = np.spacing(np.abs(exact[normal]).astype(dtype)).astype(wider)
    errors = np.abs(value[normal].astype(wider) - exact[normal]) / unit
    errors[~np.isfinite(errors)] = np.inf
    worst = int(np.argmax(errors))
    return {"ulp": float(errors[worst]), "at": [float(x[normal][worst]) for x in data]}


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """One row per function, both precisions."""
    if "symcomp" not in names:
        return
    around, rows, bars = environment("symcomp", folder / "accuracy", threads), [], []
    for name in FUNCTIONS:
        row = [name]
        for dtype in ("float32", "float64"):
            cells, holds = _cells(around, name, dtype)
            row += cells
            bars.append(Bar(f"{name} {dtype}", cells[0], f"<= {LIMIT:g} ulp", holds))
        rows.append(tuple(row))
    header = ("", "float32", "at", "float64", "at")
    report.add("Vector math: the largest error in ulp", header, rows)
    report.promise(*bars)


def _cells(around: dict[str, str], name: str, dtype: str) -> tuple[list[str], bool]:
    try:
        answer = fresh.call("benchmarks.accuracy:measure", around, 120, name=name, dtype=dtype)
    except fresh.Failed as error:
        return ["failed", str(error)[:60]], False
    where = ", ".join(f"{x:.9g}" for x in answer["at"])
    return [f"{answer['ulp']:.2f}", where], answer["ulp"] <= LIMIT
