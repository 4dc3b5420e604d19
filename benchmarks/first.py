"""From expression to first result: a training step, in a fresh process, its cache empty or filled.

The import is not counted; everything after it is: writing the expression, differentiating,
compiling, loading, and the first step itself.  The caches are left to the rounds of the same step,
which would otherwise spend another minute on the peers' compilers.
"""

import importlib
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks import fresh
from benchmarks.case import Case, options
from benchmarks.contestants import CONTESTANTS, environment, own_cache
from benchmarks.mlp import CASES
from benchmarks.report import Report, below, duration


@dataclass(frozen=True)
class Subject:
    """What is compiled: its name in the bars, how often by whom (once by others), the bars."""

    name: str
    repeats: dict[str, int]
    limits: dict[str, float]


MLP, MLP_STEP = Subject("MLP", {"symcomp": 7, "jax": 3}, {"empty": 0.6, "warm": 0.03}), CASES[1]


def measure(case: str, contestant: str, threads: int) -> dict[str, float]:
    """Seconds to the first result, for the contestant's own fresh process."""
    # The table of all cases knows the modules that use this one.
    from benchmarks.workloads import find_case

    chosen = find_case(case)
    for module in CONTESTANTS[contestant].imports:
        importlib.import_module(module)
    options(threads, contestant)
    data = chosen.data()
    start = perf_counter()
    prepared = chosen.contestants[contestant](data)
    prepared.finish(prepared.call(*prepared.arguments))
    return {"seconds": perf_counter() - start}


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """The step of the multilayer perceptron."""
    compare(MLP, MLP_STEP, report, folder / "cache", names, threads, quick)


def compare(
    subject: Subject,
    case: Case,
    report: Report,
    cache: Path,
    names: list[str],
    threads: int,
    quick: bool,
) -> None:
    """Each contestant with an empty cache, then again with what it left there."""
    rows, medians = [], {"empty": None, "warm": None}
    for name in (name for name in case.contestants if name in names):
        repeats = subject.repeats.get(name, 1)
        repeats = min(3, repeats) if quick else repeats
        try:
            cold, warm = _cold_and_warm(case.name, name, cache, threads, repeats)
        except fresh.Failed as error:
            rows.append((name, "-", "-", "-", "-", f"failed: {error}"))
            continue
        if name == "symcomp":
            medians = {"empty": statistics.median(cold), "warm": statistics.median(warm)}
        rows.append((name, *_cells(cold), *_cells(warm), ""))
    header = ("", "empty cache", "least - most", "warm cache", "least - most", "")
    report.add(f"From expression to first result: {case.name}", header, rows)
    for state, limit in subject.limits.items() if "symcomp" in names else ():
        name = f"{subject.name} first result, {state} cache"
        report.promise(below(name, medians[state], limit, "s"))


def _cells(seconds: list[float]) -> tuple[str, str]:
    spread = f"{duration(min(seconds) * 1e9)} - {duration(max(seconds) * 1e9)}"
    return duration(statistics.median(seconds) * 1e9), spread


def _cold_and_warm(
    case: str, name: str, cache: Path, threads: int, repeats: int
) -> tuple[list[float], list[float]]:
    states: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        shutil.rmtree(own_cache(name, cache), ignore_errors=True)
        around = environment(name, cache, threads)
        for seconds in states:
            answer = fresh.call(
                "benchmarks.first:measure", around, case=case, contestant=name, threads=threads
            )
            seconds.append(answer["seconds"])
    return states
