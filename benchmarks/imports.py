"""What an import costs, in fresh processes, beside NumPy's, and what it drags in."""

import sys
from pathlib import Path

from benchmarks.contestants import environment
from benchmarks.fresh import Failed, command_answer
from benchmarks.report import Bar, Report, below, duration
from benchmarks.timing import quartiles

PACKAGES = {
    "symcomp": "symcomp, symcomp.tensor",
    "numpy": "numpy",
    "numexpr": "numexpr",
    "numba": "numba",
    "jax": "jax, jax.numpy",
    "torch": "torch",
    "pytensor": "pytensor, pytensor.tensor",
}
LATE = ("cffi", "_cffi_backend", "sympy", "scipy_openblas32", "matplotlib", "pycuda", "scipy")
PROGRAM = """
import sys, time, json
start = time.perf_counter_ns()
import {modules}
elapsed = time.perf_counter_ns() - start
print(json.dumps([elapsed, [name for name in {late} if name in sys.modules]]))
"""
LIMIT_MS = 80.0


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """Time every package in turns; the first round, which reads the disk, does not count."""
    packages = [package for package in PACKAGES if {package, f"{package} C"} & set(names)]
    samples = {package: [] for package in packages}
    errors, loaded = {}, []
    for turn in range(1 + (5 if quick else 15)):
        for package in packages:
            slow = package not in ("symcomp", "numpy")
            if package in errors or (slow and turn > (1 if quick else 5)):
                continue
            try:
                elapsed, late = _once(package, folder, threads)
            except Failed as error:
                errors[package] = str(error)
                continue
            if turn:
                samples[package].append(elapsed)
            if package == "symcomp":
                loaded = late
    _show(report, samples, errors, loaded)


def _once(package: str, folder: Path, threads: int) -> tuple[float, list[str]]:
    program = PROGRAM.format(modules=PACKAGES[package], late=LATE)
    around = environment(package, folder / "import", threads)
    # An installed package's byte code is there; where writing it is forbidden, ours would never be.
    around.pop("PYTHONDONTWRITEBYTECODE", None)
    return command_answer([sys.executable, "-c", program], around, 60)


def _show(
    report: Report, samples: dict[str, list[float]], errors: dict[str, str], loaded: list[str]
) -> None:
    rows, extra = [], None
    numpy = samples.get("numpy") or []
    for package, values in samples.items():
        if package in errors or not values:
            rows.append((package, "-", "-", "-", f"failed: {errors.get(package, '')}"))
            continue
        low, middle, high = quartiles(values)
        more = middle - quartiles(numpy)[1] if numpy else float("nan")
        spread = f"{duration(low)} - {duration(high)}"
        rows.append((package, duration(middle), spread, f"{more / 1e6:+.0f} ms", ""))
    header = ("import", "median", "quartiles", "more than numpy", "")
    report.add("Import, in a fresh process", header, rows)
    measured = bool(samples.get("symcomp")) and bool(numpy)
    if measured:
        extra = (quartiles(samples["symcomp"])[1] - quartiles(numpy)[1]) / 1e6
    heavy = ", ".join(loaded) or "none"
    if "symcomp" not in samples:
        return
    report.promise(
        below("import symcomp, more than import numpy", extra, LIMIT_MS, "ms"),
        Bar(
            "heavy packages loaded by import symcomp",
            heavy if measured else "failed",
            "none",
            measured and not loaded,
        ),
    )
