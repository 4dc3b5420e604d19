"""From expression to first result: the MLP step, in a fresh process, its cache empty or filled.

The import is not counted; everything after it is: writing the expression, differentiating,
compiling, loading, and the first step itself.  The caches are left to the rounds of the same step,
which would otherwise spend another minute on the peers' compilers.
"""

import importlib
import shutil
import statistics
from pathlib import Path

from benchmarks import fresh
from benchmarks.case import options
from benchmarks.contestants import CONTESTANTS, environment, own_cache
from benchmarks.mlp import CASES
from benchmarks.report import Report, below, duration

BATCH = 1
REPEATS = {"symcomp": 7, "jax": 3}
LIMITS = {"empty": 0.6, "warm": 0.03}


def measure(contestant: str, threads: int) -> dict[str, float]:
    """Seconds to the first result, for the contestant's own fresh process."""
    from time import perf_counter

    for module in CONTESTANTS[contestant].imports:
        importlib.import_module(module)
    options(threads, contestant)
    data = CASES[BATCH].data()
    start = perf_counter()
    prepared = CASES[BATCH].contestants[contestant](data)
    prepared.finish(prepared.call(*prepared.arguments))
    return {"seconds": perf_counter() - start}


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """Each contestant with an empty cache, then again with what it left there."""
    rows, medians = [], {"empty": None, "warm": None}
    for name in (name for name in CASES[BATCH].contestants if name in names):
        repeats = REPEATS.get(name, 1) if not quick else min(3, REPEATS.get(name, 1))
        try:
            cold, warm = _cold_and_warm(name, folder / "cache", threads, repeats)
        except fresh.Failed as error:
            rows.append((name, "-", "-", "-", "-", f"failed: {error}"))
            continue
        if name == "symcomp":
            medians = {"empty": statistics.median(cold), "warm": statistics.median(warm)}
        rows.append((name, *_cells(cold), *_cells(warm), ""))
    header = ("", "empty cache", "least - most", "warm cache", "least - most", "")
    title = f"From expression to first result: {CASES[BATCH].name}"
    report.add(title, header, rows)
    for state, limit in LIMITS.items() if "symcomp" in names else ():
        report.promise(below(f"MLP first result, {state} cache", medians[state], limit, "s"))


def _cells(seconds: list[float]) -> tuple[str, str]:
    spread = f"{duration(min(seconds) * 1e9)} - {duration(max(seconds) * 1e9)}"
    return duration(statistics.median(seconds) * 1e9), spread


def _cold_and_warm(
    name: str, cache: Path, threads: int, repeats: int
) -> tuple[list[float], list[float]]:
    states: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        shutil.rmtree(own_cache(name, cache), ignore_errors=True)
        around = environment(name, cache, threads)
        for seconds in states:
            answer = fresh.call(
                "benchmarks.first:measure", around, contestant=name, threads=threads
            )
            seconds.append(answer["seconds"])
    return states
