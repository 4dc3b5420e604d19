"""How we time: one process per contestant, in turns, and ratios within each turn.

All contestants are warmed up and say how many calls make a sample.  Then the parent goes round:
A B C … A B C …, one sample each, so that whatever the machine does meanwhile happens to all.
While one runs, the others are stopped (SIGSTOP): the threads of an idle pool, which some libraries
keep spinning, cannot take a processor from it.  A sample is preceded by calls that are not counted,
since the others have meanwhile used the caches.  Reported are each contestant's median and
quartiles, and the median of its ratio to symcomp *in the same round*.

Work that memory bounds depends on which pages its arrays happen to get, by a fifth either way and
for as long as the process lives: such a case is prepared several times over the rounds, the arrays
of the earlier times being kept, so that the later ones lie elsewhere.
"""

import json
import os
import selectors
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.case import Case
from benchmarks.contestants import environment


class ContestantFailed(Exception):
    """A contestant raised, died, or took too long."""


@dataclass
class Series:
    """One contestant's times in nanoseconds per call, one per round; or why there are none."""

    samples: list[float] = field(default_factory=list)
    faults: list[float] = field(default_factory=list)
    first_seconds: float = 0.0
    error: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    def ratios(self, other: "Series") -> list[float]:
        """This one's time over the other's, round by round."""
        return [mine / its for mine, its in zip(self.samples, other.samples, strict=False)]


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    return tuple(float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))


class Process:
    """A contestant's process, stopped whenever it is not asked anything."""

    def __init__(self, contestant: str, folder: Path, threads: int, patience: float) -> None:
        self.contestant, self.folder, self.threads = contestant, folder, threads
        self.patience = patience
        self.process: subprocess.Popen | None = None

    def ask(self, **request: Any) -> dict[str, Any]:
        """Wake the process, ask, wait for the answer, and put it to sleep again."""
        self._start()
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self._read())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            self.close()
            raise ContestantFailed("the process ended") from error
        os.kill(self.process.pid, signal.SIGSTOP)
        if "error" in answer:
            raise ContestantFailed(answer["error"])
        return answer

    def _start(self) -> None:
        if self.process is not None:
            return
        with open(self.folder / f"{self.contestant.replace(' ', '-')}.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", self.contestant, str(self.threads)],
                env=environment(self.contestant, self.folder / "cache", self.threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def _read(self) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(self.patience):
                self.close()
                raise ContestantFailed(f"no answer within {self.patience:.0f} s")
        return self.process.stdout.readline()

    def close(self) -> None:
        """End the process, if there is one."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None


def compete(case: Case, processes: dict[str, Process], rounds: int, sample_ns: int) -> dict:
    """Time a case: a :class:`Series` for each contestant that has a process."""
    table = {name: Series() for name in case.contestants if name in processes}
    values, loops = {}, {}
    for name, series in table.items():
        file = processes[name].folder / "value.npy"
        with _recorded(series):
            answer = _prepare(case, processes[name], file)
            series.first_seconds, values[name] = answer["seconds"], np.load(file)
            loops[name] = processes[name].ask(do="calibrate", target_ns=sample_ns)["loops"]
    _compare(case, table, values)
    for turn in range(rounds):
        anew = turn and turn % -(-rounds // case.placements) == 0
        for name, series in table.items():
            if not series.error:
                with _recorded(series):
                    if anew:
                        _prepare(case, processes[name], processes[name].folder / "value.npy")
                    answer = processes[name].ask(do="sample", loops=loops[name])
                    series.samples.append(answer["nanoseconds"])
                    series.faults.append(answer["faults"])
    return table


def _prepare(case: Case, process: Process, file: Path) -> dict[str, Any]:
    return process.ask(do="prepare", case=case.name, results=str(file))


class _recorded:
    """A contestant's failure becomes its row."""

    def __init__(self, series: Series) -> None:
        self.series = series

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, ContestantFailed):
            self.series.error = str(error)
            return True
        return False


def _compare(case: Case, table: dict[str, Series], values: dict[str, np.ndarray]) -> None:
    """Whoever disagrees with NumPy (or, without it, with the first) is told so in its row."""
    if not values:
        return
    reference = values.get("numpy", next(iter(values.values())))
    for name, value in values.items():
        if value.shape != reference.shape:
            table[name].note = f"WRONG: shape {value.shape[1:]}, not {reference.shape[1:]}"
        elif not np.allclose(value, reference, rtol=case.tolerance, atol=case.tolerance):
            worst = float(np.max(np.abs(value - reference)))
            table[name].note = f"WRONG: differs by {worst:.2g}"
        elif value.dtype != reference.dtype:
            table[name].note = f"{value.dtype}, not {reference.dtype}"
