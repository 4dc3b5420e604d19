"""A contestant's own process: it builds cases and times calls when its parent tells it to.

``python -m benchmarks.worker <contestant> <threads>`` reads one JSON request per line and answers
each with one line.  ``prepare`` builds a case and runs it for the first time, ``calibrate`` finds
how many calls make a sample, ``sample`` times that many.
"""

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from itertools import repeat
from time import perf_counter_ns
from typing import Any

import numpy as np

from benchmarks.case import Prepared, options
from benchmarks.contestants import CONTESTANTS
from benchmarks.workloads import find_case

CHECKED_CALLS = 3
PARENT_DEATH_SIGNAL = 1
WARM_UP_NS = 5_000_000
LONG_NS = 250_000_000


class Worker:
    """The requests, one method each; the prepared case is kept between them."""

    def __init__(self, contestant: str, threads: int) -> None:
        self.contestant = contestant
        for module in CONTESTANTS[contestant].imports:
            importlib.import_module(module)
        options(threads, contestant)
        self.prepared: Prepared | None = None
        self.case, self.earlier = "", []
        self.warm_up = 1

    def prepare(self, case: str, results: str, limit_ns: int) -> dict[str, Any]:
        """Build a case, run it, and leave what the first calls returned in a file.

        The seconds go from the first expression to the first finished result, the nanoseconds are
        those of the latest call; one beyond the limit is the last.  What the same case had before
        is kept, so that its memory is not used again.
        """
        self.earlier = [*self.earlier, self.prepared] if case == self.case else []
        self.case, self.prepared = case, None
        chosen = find_case(case)
        data = chosen.data()
        start = perf_counter_ns()
        prepared = chosen.contestants[self.contestant](data)
        first = prepared.call(*prepared.arguments)
        prepared.finish(first)
        seconds = (perf_counter_ns() - start) / 1e9
        values = [np.array(prepared.result(first))]
        for _ in range(CHECKED_CALLS - 1):
            start = perf_counter_ns()
            value = prepared.call(*prepared.arguments)
            prepared.finish(value)
            elapsed = perf_counter_ns() - start
            values.append(np.array(prepared.result(value)))
            if elapsed > limit_ns:
                break
        np.save(results, np.stack(values))
        self.prepared = prepared
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return {"seconds": seconds, "nanoseconds": elapsed}

    def calibrate(self, target_ns: int) -> dict[str, Any]:
        """The number of calls whose time comes nearest to the target, from below two milliseconds
        or from above, and at least one; and the nanoseconds of a sample, its warm-up included.

        A call long enough to fill the caches for itself needs no warm-up.
        """
        loops, elapsed = 1, self._time(1)
        while elapsed < target_ns / 2 and loops < 10**7:
            loops = max(loops + 1, min(10 * loops, int(loops * target_ns / max(elapsed, 1))))
            elapsed = self._time(loops)
        each = max(elapsed / loops, 1.0)
        self.warm_up = max(1, min(loops, int(WARM_UP_NS / each))) if each < LONG_NS else 0
        return {"loops": loops, "nanoseconds": each * (loops + self.warm_up)}

    def sample(self, loops: int) -> dict[str, Any]:
        """Nanoseconds and page faults per call, after a few calls that are not counted."""
        if self.warm_up:
            self._time(self.warm_up)
        faults = _page_faults()
        nanoseconds = self._time(loops)
        return {"nanoseconds": nanoseconds / loops, "faults": (_page_faults() - faults) / loops}

    def _time(self, loops: int) -> int:
        """Time the calls; each result is dropped at once, so that its memory can serve the next."""
        call, arguments = self.prepared.call, tuple(self.prepared.arguments)
        gc.disable()
        try:
            start = perf_counter_ns()
            for _ in repeat(None, loops - 1):
                call(*arguments)
            self.prepared.finish(call(*arguments))
            return perf_counter_ns() - start
        finally:
            gc.enable()


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"[:300]


def _die_with_parent() -> None:
    """A stopped process would not notice that its parent is gone: let Linux kill it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, int(signal.SIGKILL))


def serve(make: Callable[[str, int], Any]) -> None:
    """Answer requests until the parent closes the pipe; libraries that print go to stderr.

    What answers is made of the process's arguments, a contestant and a number of threads, at the
    first request.
    """
    _die_with_parent()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or make(sys.argv[1], int(sys.argv[2]))
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": _first_line(error)}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    serve(Worker)
