"""``python -m benchmarks.gpu``: everything that symcomp promises on a GPU, checked and timed in one
run of less than eight minutes.

First all small programs, a few hundred random programs and the functions of real numbers are
compared with NumPy and the CPU; then come the bandwidth of a copy, elementwise formulas, rows,
training steps, small steps, calls, products, convolutions, compiling, columns, folds, transposes,
gathers, scatters and random numbers, beside whichever of PyTorch (eager and compiled), JAX and CuPy
are there.

What is needed: NVIDIA's driver, this folder, NumPy, cffi, pycuda, scipy-openblas32, a C compiler,
and NVRTC (a wheel, or the toolkit's) or nvcc.  A machine without a network often has the rivals,
but not pycuda and cffi.  Bring them along as wheels for its version of Python:

    pip download --no-deps --only-binary=:all: --python-version 3.12 -d WHEELS cffi pycparser
        pytools mako markupsafe platformdirs siphash24 typing_extensions scipy-openblas32
    pip wheel --no-deps -w WHEELS pycuda    where CUDA's toolkit and the same Python are

and there:

    python -m pip install --no-index --no-deps --target SITE WHEELS/*.whl
    PYTHONPATH=SITE python -m benchmarks.gpu --markdown table.md --json figures.json

``--emulation`` runs every part at toy sizes without a GPU, with one case of each formula: it shows
that all parts work, and its times mean nothing.
"""

import argparse
import contextlib
import datetime
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.gpu import calls, cases, checking, networks
from benchmarks.gpu.clock import Clock
from benchmarks.gpu.processes import Crowd, GpuProcess, installed
from benchmarks.gpu.report import GpuReport
from benchmarks.machine import facts
from benchmarks.report import Bar, duration
from benchmarks.timing import ContestantFailed

MINUTES = 7.5
#: Seconds that must be left for a case to begin, and for a part.
CASE_NEEDS, PART_NEEDS = 12.0, 20.0
COPIED = (400_000_000, 800_000_000, 4_000_000)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--emulation", action="store_true", help="toy sizes, without a GPU")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"at most ({MINUTES:g})")
    parser.add_argument("--only", metavar="NAMES", help="parts to run, separated by commas")
    parser.add_argument("--peers", metavar="NAMES", help="contestants besides symcomp")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write all tables to a file")
    return parser.parse_args()


class Run:
    """The parts, one method each or one group of cases each."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.emulation, self.folder = arguments.emulation, folder
        self.clock = Clock(60 * arguments.minutes)
        names = ["symcomp", "symcomp without replays"]
        if not self.emulation:
            names.append("symcomp own kernels")
            wanted = arguments.peers.split(",") if arguments.peers is not None else None
            others = [name for name in installed() if name not in names]
            names += [name for name in others if wanted is None or name in wanted]
        self.crowd = Crowd(names, folder, self.emulation, self.clock)
        self.report = GpuReport(self.emulation)
        groups: dict[str, list[Any]] = {}
        for case in chosen(self.emulation):
            groups.setdefault(case.group, []).append(case)
        self.groups = groups
        self.parts: dict[str, Callable[[], None]] = {
            "checks": self.checks,
            "copies": self.copies,
            **{name: self._part(name) for name in ("elementwise", "rows", "networks")},
            **{name: self._part(name) for name in ("small step", "calls")},
            **{name: self._part(name) for name in ("products", "convolutions")},
            "compiling": self.compiling,
            **{name: self._part(name) for name in groups if name not in BEFORE},
        }

    def start(self) -> dict[str, str]:
        """Who takes part; exits where symcomp has no GPU."""
        symcomp = self.crowd.processes["symcomp"]
        try:
            hello = self.crowd.ask(symcomp, 200, do="hello")
            self.crowd.ask(symcomp, 200, do="build")
            surroundings = self.crowd.ask(symcomp, do="surroundings")
        except ContestantFailed as error:
            if self.emulation:
                sys.exit(f"benchmarks.gpu: the emulation does not work: {error}")
            sys.exit(f"benchmarks.gpu: no GPU to measure (--emulation does without): {error}")
        others = [name for name in self.crowd.processes if name != "symcomp"]
        answers = {"symcomp": hello, **self.crowd.together(others, do="hello")}
        rows = []
        for name, answer in answers.items():
            if isinstance(answer, ContestantFailed):
                self.crowd.processes.pop(name).close()
                rows.append((name, f"does not take part: {answer}", ""))
            else:
                rows.append((name, answer["device"], answer["timed by"]))
        self.report.add("Contestants", ("Contestants", "on", "timed by"), rows)
        return {
            "date": datetime.date.today().isoformat(),
            "GPU": hello["device"].rpartition(", symcomp")[0],
            "NVIDIA's driver": _driver(),
            **surroundings,
            "CuPy": _version("cupy", "cupy-cuda13x", "cupy-cuda12x"),
        }

    def run(self, names: list[str]) -> None:
        """The parts, in order, as far as time allows."""
        for name in names:
            if self.clock.left() < PART_NEEDS:
                self.report.left_out.append(name)
                continue
            try:
                self.parts[name]()
            except Exception as error:
                self.report.add(f"{name}: failed", ("part", "why"), [(name, repr(error))])
        if self.report.left_out:
            rows = [(name,) for name in self.report.left_out]
            self.report.add("Left out for want of time", ("Left out for want of time",), rows)

    # --- parts ------------------------------------------------------------------------------------

    def _part(self, group: str) -> Callable[[], None]:
        def part() -> None:
            timed, found = [], []
            for case in self.groups[group]:
                if self.clock.left() < CASE_NEEDS:
                    self.report.left_out.append(case.name)
                    continue
                timed.append(case)
                found.append(self.crowd.compete(case))
                if isinstance(case, networks.Training):
                    self._compare_costs(case, found[-1])
            self.report.group(group, timed, found)
            if group == "small step" and timed:
                self._launches(timed[0])

        return part

    def _compare_costs(self, case: Any, outcomes: list[Any]) -> None:
        """With the first steps on the CPU."""
        process = GpuProcess("symcomp on the CPU", self.folder, self.emulation)
        request = {"do": "on_the_cpu", "case": case.name, "toy": self.emulation}
        try:
            expected = self.crowd.ask(process, 60, **request)["costs"]
        except ContestantFailed as error:
            self.report.left_out.append(f"the comparison of {case.name} with the CPU ({error})")
            return
        finally:
            process.close()
        for o in outcomes:
            got = o.facts.get("costs", expected)
            allowed = networks.TOLERANCE * max(map(abs, expected))
            if any(not abs(a - b) <= allowed for a, b in zip(got, expected, strict=True)):
                o.error = f"WRONG: costs {got}, not {expected}"

    def _launches(self, case: Any) -> None:
        rows = []
        for name in ("symcomp", "symcomp without replays"):
            process = self.crowd.processes[name]
            try:
                self.crowd.ask(process, do="prepare", case=case.name, toy=self.emulation)
                self.crowd.ask(process, do="launches")
                counted = self.crowd.ask(process, do="launches")
                rows.append((name, str(counted["launches"] / 10), str(counted["replays"] / 10)))
            except ContestantFailed as error:
                rows.append((name, "failed", str(error)))
        header = ("Of one small step", "kernels launched", "sequences replayed")
        self.report.add(header[0], header, rows)

    def checks(self) -> None:
        """Right values first."""
        from benchmarks.gpu import checks

        found = checking.run(self.crowd, checks.items(self.emulation))
        header = ("Checked against NumPy", "right", "wrong", "not reached")
        rows = []
        for kind, right in found.right.items():
            wrong = sum(name.startswith(f"{kind} ") for name in found.wrong)
            rows.append((kind, str(right), str(wrong), str(found.missed[kind])))
        self.report.add(header[0], header, rows)
        if found.wrong:
            self.report.add("Wrong", ("Wrong", "how"), list(found.wrong.items()))
        total, missed = sum(found.right.values()), sum(found.missed.values())
        figure = f"{total} right, {len(found.wrong)} wrong, {missed} not reached"
        holds = False if found.wrong else None if missed else True
        self.report.promise(Bar("checks", figure, "all right", holds))

    def copies(self) -> None:
        """The bandwidth that shares refer to."""
        rows = []
        for count in (40_000,) if self.emulation else COPIED:
            answer = self.crowd.ask(self.crowd.processes["symcomp"], do="copy", count=count)
            self.report.bandwidth = max(self.report.bandwidth, answer["rate"])
            rate = f"{answer['rate'] / 1e9:.4g} GB/s"
            rows.append((f"{count / 1e6:g} MB", duration(answer["seconds"] * 1e9), rate))
        header = ("Copies on the GPU", "time", "read and written")
        self.report.add(header[0], header, rows)

    def compiling(self) -> None:
        """Cold, warm, and the compilers of kernels alone."""
        from benchmarks.gpu.compiling import SUBJECTS

        rows = []
        for name in list(SUBJECTS)[: 2 if self.emulation else None]:
            row = [name]
            for _ in ("cold", "warm"):
                row.append(self._alone("compiled", "first_result", name))
            row.append(self._alone("symcomp", "kernels_alone", name))
            rows.append(tuple(row))
        header = ("Compiling", "cold", "warm", "kernels alone")
        self.report.add(header[0], header, rows)

    def _alone(self, cache: str, request: str, name: str) -> str:
        """A request to a fresh process whose runtime is built and whose GPU is taken."""
        process = GpuProcess("symcomp", self.folder, self.emulation, cache)
        try:
            self.crowd.ask(process, do="build")
            answer = self.crowd.ask(process, do=request, name=name, toy=self.emulation)
        except ContestantFailed as error:
            return f"failed: {error}"
        finally:
            process.close()
        if "seconds" in answer:
            return duration(answer["seconds"] * 1e9)
        times = (f"{k} {duration(s * 1e9)}" for k, s in answer["compilers"].items())
        return f"{answer['kernels']} kernels: {', '.join(times)}"


#: The groups that have a place of their own; the others follow, in the order of their cases.
BEFORE = (
    "elementwise", "rows", "networks", "small step", "calls", "products", "convolutions",
)  # fmt: skip


def chosen(emulation: bool) -> list[Any]:
    """All cases; in the emulation one of each formula, as sizes and dtypes say nothing there."""
    every = [*cases.CASES, *networks.NETWORKS, *calls.CALLS]
    if not emulation:
        return every
    first: dict[Any, Any] = {}
    for case in every:
        formula = getattr(case, "formula", None)
        first.setdefault(formula.__code__ if formula else case.name, case)
    return list(first.values())


def _driver() -> str:
    """The version of NVIDIA's driver."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip().partition("\n")[0] or "unknown"


def _version(*packages: str) -> str:
    """Of the first of these names of a package that is installed."""
    for package in packages:
        with contextlib.suppress(PackageNotFoundError):
            return version(package)
    return "not installed"


def main() -> None:
    """Run what was asked for and print it as it comes."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with tempfile.TemporaryDirectory(prefix="symcomp-gpu-") as folder:
        run = Run(arguments, Path(folder))
        names = list(run.parts)
        if arguments.only:
            names = [name.strip() for name in arguments.only.split(",")]
            unknown = [name for name in names if name not in run.parts]
            if unknown:
                sys.exit(f"no part {', '.join(unknown)}; there are: {', '.join(run.parts)}")
        try:
            known = run.start() | facts(os.cpu_count() or 1)
            for name, fact in known.items():
                print(f"{name + ':':<20}{fact}", flush=True)
            run.run(names)
        finally:
            run.crowd.close()
    run.report.summary()
    print(f"in {run.clock.spent():.0f} s")
    run.report.write(known, arguments.markdown, arguments.json)


if __name__ == "__main__":
    main()
