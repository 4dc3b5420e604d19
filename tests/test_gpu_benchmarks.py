"""`python -m benchmarks.gpu`: every part runs in the emulation; without a GPU it says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu import __main__ as command_line
from benchmarks.gpu import cases, checking, checks
from benchmarks.gpu.clock import Clock
from benchmarks.gpu.libraries import Library
from benchmarks.gpu.processes import Outcome
from benchmarks.gpu.report import GpuReport
from benchmarks.timing import ContestantFailed
from tests.codegen.emulated import missing_compiler

ROOT = Path(__file__).parent.parent
CASE = next(c for c in cases.CASES if c.group == "elementwise")


def run(*words: str, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "benchmarks.gpu", *words]
    surroundings = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())
def test_every_part_runs_in_the_emulation(tmp_path):
    data, page = tmp_path / "figures.json", tmp_path / "table.md"
    done = run("--emulation", "--minutes", "30", "--json", str(data), "--markdown", str(page))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(data.read_text("utf-8"))
    assert not [o for o in found["outcomes"] if o["error"]]
    assert not found["left out"]
    assert [bar["holds"] for bar in found["bars"]] == [True], done.stdout
    assert "failed" not in done.stdout
    assert {c.group for c in command_line.chosen(True)} == {
        c.group for c in command_line.chosen(False)
    }
    for case in command_line.chosen(True):
        assert any(o["case"] == case.name and o["seconds"] > 0 for o in found["outcomes"])
        assert case.name in page.read_text("utf-8")


def test_without_a_gpu_it_says_so():
    try:
        import pycuda  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("pycuda is here, and perhaps a GPU")
    done = run()
    assert done.returncode == 1 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("benchmarks.gpu: no GPU to measure") and "pycuda" in line


def test_a_wrong_result_is_seen():
    held = cases.Held()
    prepared = CASE.prepare(Library(np), True, held)
    value = prepared.run()
    assert prepared.facts(value) == {"elements": value.size, "bytes": 4}
    shifted = value.copy()
    shifted[-1] += 1
    assert "differs by 1" in prepared.facts(shifted)["wrong"]
    assert "shape" in prepared.facts(value[:-1, None])["wrong"]
    assert "differs" in prepared.facts(np.full_like(value, np.nan))["wrong"]


@pytest.mark.parametrize(
    "group", ["rows", "columns", "full", "convolutions", "gathers", "scatters"]
)
def test_references_agree_with_themselves(group):
    """NumPy's own results, rounded to the dtype of the data, pass."""
    for case in (c for c in cases.CASES if c.group == group):
        prepared = case.prepare(Library(np), True, cases.Held())
        assert "wrong" not in prepared.facts(np.asarray(prepared.run())), case.name


class Broken:
    """A crowd whose processes end at some items."""

    def __init__(self, fatal: set[int]) -> None:
        self.fatal, self.emulation, self.folder, self.clock = fatal, True, ROOT, Clock(100)

    def ask(self, process, patience, do, kind, items):
        if self.fatal & set(items):
            raise ContestantFailed("the process ended")
        return {"wrong": {str(n): "is odd" for n in items if n % 2}}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distances_of_numbers_are_exact(dtype):
    tiny, huge = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max
    bits = np.dtype(dtype).itemsize * 8
    for a, b, steps in (
        (1.0, np.nextafter(np.dtype(dtype).type(1), 2), 1),
        (-1.5, np.nextafter(np.dtype(dtype).type(-1.5), 0), 1),
        (0.0, -0.0, 0),
        (tiny, -tiny, 2),
        (np.inf, huge, 1),
        (-huge, -np.inf, 1),
        (1.0, 2.0, 1 << (np.finfo(dtype).nmant)),
        (np.inf, -np.inf, 2 * int(np.array(np.inf, dtype).view(f"u{bits // 8}"))),
        (np.nan, np.nan, 0),
        (np.nan, 1.0, np.inf),
    ):
        pair = np.array([a], dtype), np.array([b], dtype)
        assert checks._ulp(*pair)[0] == checks._ulp(*pair[::-1])[0] == float(steps), (a, b)


def test_what_ends_a_process_is_named():
    found = checking.run(Broken({3}), {"numbers": list(range(8)), "more": [0]})
    assert found.wrong["numbers 3"] == "the process ended"
    assert {k for k, v in found.wrong.items() if v == "is odd"} == {
        f"numbers {n}" for n in (1, 5, 7)
    }
    assert found.right == {"numbers": 4, "more": 1}


def test_without_time_nothing_is_begun(tmp_path):
    crowd = Broken(set())
    crowd.clock = Clock(0)
    found = checking.run(crowd, {"numbers": list(range(8))})
    assert found.missed == {"numbers": 8} and not found.wrong


def test_all_kinds_of_checks_are_there():
    everything = checks.items(toy=False)
    assert len(everything["small"]) > 50 and len(everything["functions"]) > 60
    assert sum(len(everything[kind]) for kind in checks.RANDOM) == 300


def test_shares_and_bars(capsys):
    report = GpuReport(emulation=False)
    report.bandwidth = 1e12
    moved = 2 * 4 * cases.FULL
    facts = {"elements": cases.FULL, "bytes": 4}
    mine = Outcome(CASE.name, "symcomp", seconds=moved / 0.9e12, facts=facts)
    other = Outcome(CASE.name, "torch", error="the process ended")
    report.group("elementwise", [CASE], [[mine, other]])
    text = capsys.readouterr().out
    assert "(90%)" in text and "failed" in text and "the process ended" in text
    assert [bar.holds for bar in report.bars] == [True]
    mine.seconds *= 1.2
    report.group("elementwise", [CASE], [[mine, other]])
    assert [bar.holds for bar in report.bars] == [True, False]
    page = report.markdown({"date": "today"})
    assert "| where(a > 0, a, a / 10), float32 |" in page
