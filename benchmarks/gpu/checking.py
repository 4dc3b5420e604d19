"""The checks, in several processes at once: see ``checks``.

An error of the GPU itself ends a process; what was in hand is tried again one by one, so that the
program which caused it is named.
"""

import os
import queue
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from benchmarks.gpu.processes import Crowd, GpuProcess
from benchmarks.timing import ContestantFailed

#: Items for one request; checkers at most; seconds for all checks at most, as a share of the run's.
CHUNK, MOST_CHECKERS, SHARE = 6, 10, 0.3


@dataclass
class Checked:
    """How many were right, what was wrong with others, and how many were not reached."""

    right: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)


def run(crowd: Crowd, items: dict[str, list[Any]]) -> Checked:
    """Check all items, as far as time allows."""
    chunks: queue.Queue = queue.Queue()
    for kind, all_of in items.items():
        for start in range(0, len(all_of), CHUNK):
            chunks.put((kind, all_of[start : start + CHUNK]))
    result = Checked(dict.fromkeys(items, 0), {}, dict.fromkeys(items, 0))
    end = crowd.clock.left() * (1 - SHARE)
    count = 2 if crowd.emulation else max(1, min(MOST_CHECKERS, (os.cpu_count() or 1) - 2))

    def work(number: int) -> None:
        process = GpuProcess(f"checker {number}", crowd.folder, crowd.emulation)
        try:
            while True:
                try:
                    kind, some = chunks.get_nowait()
                except queue.Empty:
                    return
                if crowd.clock.left() <= end:
                    result.missed[kind] += len(some)
                    continue
                _check(crowd, process, kind, some, result)
        finally:
            process.close()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))
    return result


def _check(crowd: Crowd, process: GpuProcess, kind: str, some: list, result: Checked) -> None:
    process.failures = 0
    try:
        answer = crowd.ask(process, 60, do="check", kind=kind, items=some)
    except ContestantFailed as error:
        if len(some) == 1:
            result.wrong[f"{kind} {some[0]}"] = str(error)
            return
        for item in some:
            _check(crowd, process, kind, [item], result)
        return
    reached = some
    if "broken" in answer:
        process.close()
        place = some.index(answer["broken"]) + 1
        reached, rest = some[:place], some[place:]
        if rest:
            _check(crowd, process, kind, rest, result)
    result.wrong |= {f"{kind} {item}": text for item, text in answer["wrong"].items()}
    result.right[kind] += len(reached) - len(answer["wrong"])
