"""The processes of a run on a GPU: who takes part, in which surroundings, and how they fail."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import contestants
from benchmarks.gpu.clock import Clock
from benchmarks.timing import ContestantFailed, Process

PACKAGES = {
    "symcomp": "symcomp",
    "symcomp own kernels": "symcomp",
    "symcomp without replays": "symcomp",
    "torch": "torch",
    "torch.compile": "torch",
    "jax": "jax",
    "cupy": "cupy",
}
#: For everybody: memory is taken as it is needed, and nobody rounds float32 to TF32.
SURROUNDINGS = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "NVIDIA_TF32_OVERRIDE": "0"}
#: Seconds for an answer at most, and what is always left for the end of a run.
PATIENCE, RESERVE = 100.0, 4.0
#: How much more patience there is with the emulation.
PATIENT = 6
#: Failures in a row after which a contestant is not asked any more.
HOPELESS = 4


class GpuProcess(Process):
    """A contestant's process; all of symcomp's have one cache, unless one is given its own."""

    MODULE = "benchmarks.gpu.worker"

    def __init__(self, name: str, folder: Path, emulation: bool, cache: str = "symcomp") -> None:
        super().__init__(name, folder, os.cpu_count() or 1, PATIENCE)
        self.emulation, self.cache = emulation, cache
        self.failures = 0

    def _environment(self) -> dict[str, str]:
        # Of "jax" and "torch" the table of all contestants knows more.
        surroundings = contestants.environment(self.contestant, self.folder / "cache", self.threads)
        driver = "host" if self.emulation else "pycuda"
        own = {"SYMCOMP_CUDA_DRIVER": driver, "SYMCOMP_DEVICE": "cpu"}
        own["SYMCOMP_CACHE"] = str(self.folder / "cache" / self.cache)
        return {**surroundings, **SURROUNDINGS, **own}


@dataclass
class Outcome:
    """What came of one contestant in one case; `error` is empty where it was timed."""

    case: str
    contestant: str
    error: str = ""
    first: float = 0.0
    seconds: float = 0.0
    host: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


class Crowd:
    """All contestants' processes, and the clock that they share."""

    def __init__(self, names: list[str], folder: Path, emulation: bool, clock: Clock) -> None:
        self.processes = {name: GpuProcess(name, folder, emulation) for name in names}
        self.clock, self.emulation, self.folder = clock, emulation, folder

    def ask(self, process: GpuProcess, patience: float = PATIENCE, **request: Any) -> dict:
        """An answer within the time that is left; ContestantFailed where there is none.

        After a failure the process is ended: the GPU may answer it nothing any more.
        """
        left = self.clock.left() - RESERVE
        if process.failures >= HOPELESS:
            raise ContestantFailed("failed too often")
        if left <= 0:
            raise ContestantFailed("no time was left")
        process.patience = min(patience * (PATIENT if self.emulation else 1), left)
        try:
            answer = process.ask(**request)
        except ContestantFailed:
            process.failures += 1
            process.close()
            raise
        process.failures = 0
        return answer

    def together(self, names: list[str], patience: float = PATIENCE, **request: Any) -> dict:
        """The answers of several at once: each an answer, or the ContestantFailed."""

        def one(name: str) -> Any:
            try:
                return self.ask(self.processes[name], patience, **request)
            except ContestantFailed as error:
                return error

        for name in names:
            if self.processes[name].failures < HOPELESS:
                self.processes[name].start()  # here, as they end with the thread that does it
        with ThreadPoolExecutor(max(1, len(names))) as pool:
            return dict(zip(names, pool.map(one, names), strict=True))

    def compete(self, case: Any) -> list[Outcome]:
        """Everybody prepares the case at once, and is timed alone."""
        toy, outcomes = self.emulation, []
        names = [name for name in case.contestants if name in self.processes]
        prepared = self.together(names, do="prepare", case=case.name, toy=toy)
        for name in names:
            found = Outcome(case.name, name)
            outcomes.append(found)
            answer = prepared[name]
            try:
                if isinstance(answer, ContestantFailed):
                    raise answer
                found.facts, found.first = answer, answer["first"]
                if answer.get("wrong"):
                    raise ContestantFailed(f"WRONG: {answer['wrong']}")
                timed = self.ask(self.processes[name], do="measure", toy=toy)
                found.seconds, found.host = timed.pop("seconds"), timed.pop("host")
                found.facts |= timed
            except ContestantFailed as error:
                found.error = str(error)
        return outcomes

    def close(self) -> None:
        for process in self.processes.values():
            process.close()


def installed() -> list[str]:
    """The contestants whose packages are here."""
    return [name for name, package in PACKAGES.items() if find_spec(package)]
