"""A contestant's process on a GPU: ``python -m benchmarks.gpu.worker <contestant> <threads>``.

It answers one request a line, as ``benchmarks.worker`` does: ``hello`` takes the GPU, ``prepare``
builds a case and looks whether it is right, ``measure`` times it; the others are symcomp's own.
"""

import gc
import statistics
import traceback
from importlib.metadata import version
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.gpu import calls, cases, compiling, networks
from benchmarks.gpu.libraries import LIBRARIES
from benchmarks.worker import serve

SUBJECTS = {case.name: case for case in (*cases.CASES, *networks.NETWORKS, *calls.CALLS)}
#: Seconds that a sample should take, the samples of a case, and its calls at most.
SAMPLE, SAMPLES, MOST_CALLS = 0.03, 7, 2000
TOY_SAMPLE, TOY_SAMPLES = 0.0, 2
#: Calls whose host time is taken before the GPU is waited for: fewer than its queue holds.
QUEUED = 16
WARM_UP = 4


class Worker:
    """The requests, one method each; the prepared case is kept between them."""

    def __init__(self, contestant: str, threads: int) -> None:
        name = "symcomp" if contestant.startswith("checker") else contestant
        self.library = LIBRARIES[name]() if name in LIBRARIES else None
        self.held = cases.Held()
        self.prepared: cases.Prepared | None = None

    def hello(self) -> dict[str, Any]:
        """What this is, and on what."""
        return {"device": self.library.device(), "timed by": self.library.timed_by}

    def surroundings(self) -> dict[str, str]:
        """The compilers of kernels and NVIDIA's libraries that symcomp found."""
        from symcomp.codegen import cuda_build

        found = {"cuda driver": "the emulation", "kernels by": ""}
        if self.library.emulated:
            return found | {"kernels by": cuda_build.host_compiler().version()}
        compilers = [c for c in (cuda_build.nvrtc(), cuda_build.nvcc()) if c]
        found["kernels by"] = ", else ".join(c.version() for c in compilers)
        found["cuda driver"] = f"pycuda {version('pycuda')}"
        states = self.library.gpu.products().libraries
        return found | {state.library.name: str(state) for state in states}

    def build(self) -> dict[str, Any]:
        """Have the runtime and the kernels of products compiled, so that others find them."""
        ones = np.ones((4, 4), np.float32)
        self.library.round_trip(lambda w, x: x @ x, [ones])()
        return {}

    def prepare(self, case: str, toy: bool) -> dict[str, Any]:
        """Build a case, with the seconds from the first expression to the first result, and facts
        about that.
        """
        subject = SUBJECTS[case]
        self.prepared = None
        self.held.keep(subject.arrays(toy))
        gc.collect()
        for data in subject.arrays(toy):
            self.held.get(data, self.library)
        start = perf_counter()
        prepared = subject.prepare(self.library, toy, self.held)
        value = prepared.run()
        self.library.wait(value)
        seconds = perf_counter() - start
        facts = prepared.facts(value)
        del value
        self.prepared = prepared
        return {"first": seconds, **facts}

    def measure(self, toy: bool) -> dict[str, Any]:
        """Seconds of a call, and seconds of the host's for it; medians and all samples."""
        library, run = self.library, self.prepared.run
        wanted, count = (TOY_SAMPLE, TOY_SAMPLES) if toy else (SAMPLE, SAMPLES)
        for _ in range(WARM_UP):
            run()
        library.wait(run())
        each = library.span(run, 2) / 2
        loops = int(min(MOST_CALLS, max(1, wanted / max(each, 1e-7))))
        gc.collect()
        gc.disable()
        samples = [library.span(run, loops) / loops for _ in range(count)]
        host = [self._issue(min(loops, QUEUED)) for _ in range(3 * count)]
        gc.enable()
        return {
            "seconds": statistics.median(samples),
            "samples": samples,
            "host": statistics.median(host),
            "loops": loops,
        }

    def _issue(self, count: int) -> float:
        """The host's seconds for a call, the GPU's queue being empty before."""
        run = self.prepared.run
        start = perf_counter()
        for _ in range(count - 1):
            run()
        value = run()
        seconds = (perf_counter() - start) / count
        self.library.wait(value)
        return seconds

    # --- symcomp alone ----------------------------------------------------------------------------

    def launches(self) -> dict[str, Any]:
        """Kernels launched, and steps replayed, by ten calls."""
        before = self.library.gpu.statistics()
        for _ in range(10):
            self.prepared.run()
        self.library.wait()
        after = self.library.gpu.statistics()
        return {key: after[key] - before[key] for key in ("launches", "replays")}

    def copy(self, count: int) -> dict[str, Any]:
        """Bytes that are read and written in a second when so many are copied on the GPU."""
        gpu = self.library.gpu
        one, other = (gpu.allocate(count) for _ in range(2))

        def run() -> None:
            gpu.copy(int(other), int(one), count)

        self.prepared = cases.Prepared(run, lambda value: {})
        found = self.measure(count < 10**6)
        return {"rate": 2 * count / found["seconds"], **found}

    def on_the_cpu(self, case: str, toy: bool) -> dict[str, Any]:
        """The costs of a network's first steps on the CPU."""
        return {"costs": networks.on_the_cpu(SUBJECTS[case], toy)}

    def first_result(self, name: str, toy: bool) -> dict[str, Any]:
        """See ``compiling``."""
        return compiling.first_result(self.library, name, toy)

    def kernels_alone(self, name: str, toy: bool) -> dict[str, Any]:
        """See ``compiling``."""
        return compiling.kernels_alone(self.library, name, toy)

    def check(self, kind: str, items: list[Any]) -> dict[str, Any]:
        """What is wrong with each of some items; after an error of the GPU, `broken`."""
        from benchmarks.gpu import checks

        wrong: dict[str, str] = {}
        for item in items:
            try:
                text = checks.check(kind, item)
            except Exception as error:
                traceback.print_exc()
                text = f"{type(error).__name__}: {str(error)[:300]}"
                if type(error).__name__ == "GpuError":
                    return {"wrong": {**wrong, str(item): text}, "broken": item}
            if text:
                wrong[str(item)] = text
        return {"wrong": wrong}


if __name__ == "__main__":
    serve(Worker)
