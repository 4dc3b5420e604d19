"""The generated C as files that a reviewer reads: what a change of the compiler does to it is seen
in the diff.

`pytest tests/codegen/test_golden.py --update-golden` writes the files anew.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "golden"

#: One function for each kind of kernel.
GOLDEN = (
    "elementwise", "vector_over_rows", "row_softmax", "column_sums", "full_sums", "dense_layer",
    "batched_product", "joined", "scattered", "gathered", "running_sums", "updated_in_place",
    "swapped", "training_step", "convolution_layer",
)  # fmt: skip


def generated(seed: str) -> dict[str, str]:
    """The C of all golden functions, from a process with a hash seed of its own."""
    command = [sys.executable, "-m", "tests.codegen.golden_sources", *GOLDEN]
    environment = dict(os.environ, PYTHONHASHSEED=seed)
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return generated("1")


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name, sources, update_golden):
    path = FOLDER / f"{name}.c"
    if update_golden:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(sources[name], encoding="utf-8")
    known = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(
        known.splitlines(), sources[name].splitlines(), f"golden/{name}.c", "generated", lineterm=""
    )
    assert known == sources[name], "\n".join(["is the change meant? --update-golden", *changes])


def test_the_same_text_every_time(sources):
    assert generated("2") == sources


def test_every_golden_file_is_of_a_function():
    assert sorted(p.stem for p in FOLDER.glob("*.c")) == sorted(GOLDEN)
