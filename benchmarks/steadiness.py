"""What must not depend on circumstances: thread counts, rival processes, damage, a fork.

Results are bit-equal with one, two and three threads; eight processes that compile the same
function at once, one of them killed midway, leave a sound cache; a damaged entry is rebuilt; a
forked child can call what its parent compiled, and compile something new.
"""

import hashlib
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fresh
from benchmarks.contestants import environment
from benchmarks.mlp import training_step
from benchmarks.report import Bar, Report

PROCESSES = 8


def _answer() -> np.ndarray:
    """The result of one small function, compiled if need be."""
    import symcomp as sc
    import symcomp.tensor as T

    x = T.dmatrix("x")
    data = np.linspace(-2, 2, 30_000).reshape(300, 100)
    return np.asarray(sc.function([x], T.tanh(x @ x.T).sum(axis=1))(data))


def _expected() -> np.ndarray:
    data = np.linspace(-2, 2, 30_000).reshape(300, 100)
    return np.tanh(data @ data.T).sum(axis=1)


def check() -> dict[str, bool]:
    """Whether the function's result is right."""
    return {"right": bool(np.allclose(_answer(), _expected(), rtol=1e-9, atol=1e-9))}


def digest(batch: int) -> dict[str, str]:
    """A digest of all costs and of a softmax, a sum and a mean over much data."""
    import symcomp as sc
    import symcomp.tensor as T

    found, case = hashlib.sha256(), training_step(batch)
    step = case.contestants["symcomp"](case.data())
    for _ in range(20):
        found.update(np.asarray(step.call(*step.arguments)).tobytes())
    x = T.fmatrix("x")
    values = np.random.default_rng(7).normal(size=(1999, 1001)).astype(np.float32)
    for expression in (T.nn.softmax(x), x.sum(), x.mean(axis=0), T.exp(x).sum(axis=1)):
        found.update(np.asarray(sc.function([x], expression)(values)).tobytes())
    return {"digest": found.hexdigest()}


def forked() -> dict[str, bool]:
    """A forked child calls its parent's function and compiles a new one."""
    import symcomp as sc
    import symcomp.tensor as T

    x = T.dvector("x")
    data = np.linspace(0, 1, 200_000)
    old = sc.function([x], T.tanh(x) * x)
    parent = old(data)
    context = multiprocessing.get_context("fork")
    results = context.Queue()

    def child() -> None:
        new = sc.function([x], T.exp(x) + x)
        same = np.array_equal(old(data), parent)
        results.put(bool(same and np.allclose(new(data), np.exp(data) + data)))

    process = context.Process(target=child, daemon=True)
    process.start()
    try:
        return {"right": results.get(timeout=30)}
    finally:
        process.kill()


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """Four promises, one row each."""
    if "symcomp" not in names:
        return
    around = environment("symcomp", folder / "steadiness", threads)
    report.add("Steadiness", ("",), [])
    for name, bar, measure in (
        ("bit-equal results with 1, 2 and 3 threads", "1 digest", _threads),
        (f"{PROCESSES} processes compile at once, one is killed", "all others right", _crowd),
        ("every cache entry truncated, then altered", "rebuilt", _damage),
        ("a forked child calls and compiles", "right", _fork),
    ):
        try:
            figure, holds = measure(around)
        except fresh.Failed as error:
            figure, holds = f"failed: {error}"[:80], False
        report.promise(Bar(name, figure, bar, holds))


def _threads(around: dict[str, str]) -> tuple[str, bool]:
    digests = set()
    for count in "123":
        counted = {**around, "SYMCOMP_THREADS": count, "OMP_NUM_THREADS": count}
        answer = fresh.call("benchmarks.steadiness:digest", counted, batch=137)
        digests.add(answer["digest"])
    return f"{len(digests)} digests", len(digests) == 1


def _crowd(around: dict[str, str]) -> tuple[str, bool]:
    lonely = {**around, "SYMCOMP_CACHE": around["SYMCOMP_CACHE"] + "-crowd"}
    command = [sys.executable, "-m", "benchmarks.fresh", "benchmarks.steadiness:check", "{}"]
    crowd = [
        subprocess.Popen(
            command, env=lonely, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for _ in range(PROCESSES)
    ]
    cache = Path(lonely["SYMCOMP_CACHE"])
    deadline = time.monotonic() + 30
    while not cache.exists() and crowd[0].poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    crowd[0].kill()
    answers = [process.communicate(timeout=120)[0] for process in crowd][1:]
    right = sum('"right": true' in answer for answer in answers)
    afterwards = fresh.call("benchmarks.steadiness:check", lonely)["right"]
    figure = f"{right} of {PROCESSES - 1} right, afterwards {'right' if afterwards else 'wrong'}"
    return figure, right == PROCESSES - 1 and afterwards


def _damage(around: dict[str, str]) -> tuple[str, bool]:
    verdicts: list[Any] = []
    for damage in (_truncate, _alter):
        fresh.call("benchmarks.steadiness:check", around)
        binaries = list(Path(around["SYMCOMP_CACHE"]).rglob("*.so*"))
        for path in binaries:
            damage(path)
        answer = fresh.call("benchmarks.steadiness:check", around)
        verdicts.append(bool(binaries) and answer["right"])
    words = ["right" if verdict else "wrong" for verdict in verdicts]
    return f"truncated {words[0]}, altered {words[1]}", all(verdicts)


def _truncate(path: Path) -> None:
    os.chmod(path, 0o700)
    os.truncate(path, path.stat().st_size // 2)


def _alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 0xFF for byte in content[middle : middle + 64])
    os.chmod(path, 0o700)
    path.write_bytes(bytes(content))


def _fork(around: dict[str, str]) -> tuple[str, bool]:
    right = fresh.call("benchmarks.steadiness:forked", around, 60)["right"]
    return "right" if right else "wrong", right
