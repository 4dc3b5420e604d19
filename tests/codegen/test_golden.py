"""The generated C and CUDA as files that a reviewer reads: what a change of the compiler does to
them is seen in the diff.

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
HERE = Path(__file__).parent

#: One function for each kind of kernel.
GOLDEN = (
    "elementwise", "vector_over_rows", "row_softmax", "column_sums", "full_sums", "dense_layer",
    "batched_product", "joined", "scattered", "gathered", "running_sums", "updated_in_place",
    "swapped", "training_step", "convolution_layer",
)  # fmt: skip
#: And of a GPU: kernels, and launch plans.
GOLDEN_CUDA = (
    "elementwise", "transposed_sum", "row_softmax", "column_sums", "full_sums", "dense_layer",
    "scattered", "gathered", "running_sums", "swapped", "training_step", "convolution_layer",
)  # fmt: skip
FILES = (
    *(f"golden/{name}.c" for name in GOLDEN),
    *(f"golden_cuda/{name}{suffix}" for name in GOLDEN_CUDA for suffix in (".cu", ".c")),
)


def generated(seed: str) -> dict[str, str]:
    """The texts of all golden files, from a process with a hash seed of its own."""
    command = [sys.executable, "-m", "tests.codegen.golden_sources", *FILES]
    environment = dict(os.environ, PYTHONHASHSEED=seed)
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return generated("1")


@pytest.mark.parametrize("file", FILES)
def test_golden(file, sources, update_golden):
    path = HERE / file
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(sources[file], encoding="utf-8")
    known = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(
        known.splitlines(), sources[file].splitlines(), file, "generated", lineterm=""
    )
    assert known == sources[file], "\n".join(["is the change meant? --update-golden", *changes])


def test_the_same_text_every_time(sources):
    assert generated("2") == sources


def test_every_golden_file_is_of_a_function():
    found = [p for folder in ("golden", "golden_cuda") for p in (HERE / folder).iterdir()]
    assert sorted(str(p.relative_to(HERE)) for p in found) == sorted(FILES)
