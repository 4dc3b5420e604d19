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

Slow work is timed less often.  A contestant leaves the rounds of a case once it has spent its
seconds there (its ratios are those of the rounds it was in), and whoever takes longer than
``TOO_SLOW_NS`` for one call is asked for no round at all: its second call is its time.
"""

import contextlib
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

TOO_SLOW_NS = 2.5e9


class ContestantFailed(Exception):
    """A contestant raised, died, or took too long."""


@dataclass(frozen=True)
class Effort:
    """How much of everything: ``seconds`` is what a contestant may spend on the rounds of a case,
    but for the first ``least`` of them."""

    quick: bool
    rounds: int
    least: int
    seconds: float
    sample_ns: int
    patience: float

    def rounds_of(self, sample_ns: float) -> int:
        """The rounds for a contestant whose samples take that long."""
        affordable = int(self.seconds * 1e9 / max(sample_ns, 1.0))
        return min(self.rounds, max(self.least, affordable))


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

    def once(self, nanoseconds: float) -> None:
        """One call was enough."""
        self.samples, self.faults, self.note = [nanoseconds], [0.0], "timed once"

    def ratios(self, other: "Series") -> list[float]:
        """This one's time over the other's, round by round."""
        return [mine / its for mine, its in zip(self.samples, other.samples, strict=False)]


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    return tuple(float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))


class Process:
    """A contestant's process, stopped whenever it is not asked anything."""

    #: What the process runs.
    MODULE = "benchmarks.worker"

    def __init__(self, contestant: str, folder: Path, threads: int, patience: float) -> None:
        self.contestant, self.folder, self.threads = contestant, folder, threads
        self.patience = patience
        self.process: subprocess.Popen | None = None

    def ask(self, **request: Any) -> dict[str, Any]:
        """Wake the process, ask, wait for the answer, and put it to sleep again."""
        self.start()
        try:
            os.kill(self.process.pid, signal.SIGCONT)
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self._read())
        except (BrokenPipeError, ProcessLookupError, json.JSONDecodeError) as error:
            self.close()
            raise ContestantFailed("the process ended") from error
        os.kill(self.process.pid, signal.SIGSTOP)
        if "error" in answer:
            raise ContestantFailed(answer["error"])
        return answer

    def start(self) -> None:
        """Have the process; it ends with the thread that started it."""
        if self.process is not None:
            return
        with open(self.folder / f"{self.contestant.replace(' ', '-')}.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.MODULE, self.contestant, str(self.threads)],
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def _environment(self) -> dict[str, str]:
        return environment(self.contestant, self.folder / "cache", self.threads)

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
        with contextlib.suppress(BrokenPipeError):  # what was not read is lost
            self.process.stdin.close()
        self.process.stdout.close()
        self.process = None


def compete(case: Case, processes: dict[str, Process], effort: Effort) -> dict[str, Series]:
    """Time a case: a :class:`Series` for each contestant that has a process."""
    table = {name: Series() for name in case.contestants if name in processes}
    values, loops, rounds = {}, {}, dict.fromkeys(table, 0)
    for name, series in table.items():
        with _recorded(series):
            answer = _prepare(case, processes[name])
            series.first_seconds, values[name] = answer["seconds"], np.load(_file(processes[name]))
            if answer["nanoseconds"] > TOO_SLOW_NS:
                series.once(answer["nanoseconds"])
                continue
            answer = processes[name].ask(do="calibrate", target_ns=effort.sample_ns)
            loops[name], rounds[name] = answer["loops"], effort.rounds_of(answer["nanoseconds"])
    _compare(case, table, values)
    for turn in range(effort.rounds):
        anew = turn and turn % -(-effort.rounds // case.placements) == 0
        for name, series in table.items():
            if not series.error and turn < rounds[name]:
                with _recorded(series):
                    if anew:
                        _prepare(case, processes[name])
                    answer = processes[name].ask(do="sample", loops=loops[name])
                    series.samples.append(answer["nanoseconds"])
                    series.faults.append(answer["faults"])
    return table


def _file(process: Process) -> Path:
    return process.folder / "value.npy"


def _prepare(case: Case, process: Process) -> dict[str, Any]:
    limit = int(TOO_SLOW_NS)
    return process.ask(do="prepare", case=case.name, results=str(_file(process)), limit_ns=limit)


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
    """Whoever disagrees with NumPy (or, without it, with most others) is told so in its row.

    Whoever computes nothing (a loop that only shows what the machine can do) leaves empty arrays,
    and is not compared; whoever was too slow left fewer values.
    """
    values = {name: value for name, value in values.items() if value.size}
    if not values:
        return
    verdicts: dict[str, str] = {}
    for reference in ["numpy"] if "numpy" in values else values:
        its = values[reference]
        found = {name: _verdict(mine, its, case.tolerance) for name, mine in values.items()}
        right = sum(not verdict.startswith("WRONG") for verdict in found.values())
        if not verdicts or 2 * right > len(values):
            verdicts = found
        if 2 * right > len(values):
            break
    for name, verdict in verdicts.items():
        table[name].note = ", ".join(filter(None, (verdict, table[name].note)))


def _verdict(mine: np.ndarray, its: np.ndarray, tolerance: float) -> str:
    common = min(len(mine), len(its))
    mine, its = mine[:common], its[:common]
    if mine.shape != its.shape:
        return f"WRONG: shape {mine.shape[1:]}, not {its.shape[1:]}"
    if not np.allclose(mine, its, rtol=tolerance, atol=tolerance):
        return f"WRONG: differs by {float(np.max(np.abs(mine - its))):.2g}"
    return "" if mine.dtype == its.dtype else f"{mine.dtype}, not {its.dtype}"
