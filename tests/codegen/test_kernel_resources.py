"""The kernels of all small programs, compiled for a GPU: they are valid CUDA, and what they take.

One run of the compiler for all of them, where there is one (no GPU is needed). `--update-golden`
writes the table in docs/gpu.md anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symcomp.codegen import cuda_build
from symcomp.compile.pipeline import Compilation, compile_expression
from tests.small_programs import CASES

PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"
TITLE = "## Registers and spills of the kernels of the test-suite"
TARGET = "sm_90"
#: Bytes of a thread that may go to memory and back: a few, at the edge of what a block may have.
FEW = 64


def _compiler() -> cuda_build.KernelCompiler | None:
    return cuda_build.nvrtc() or cuda_build.nvcc()


def renamed(name: str, job: Compilation) -> str:
    """The kernels of a function, their templates and constants, under names that no other function
    has.
    """
    text = job.kernels
    templates = re.findall(r"^SC_INLINE void (\w+)\(", text, re.MULTILINE)
    constants = re.findall(r"__device__ const \w+ (\w+)\[", text)
    for own in [*job.launched, *templates, *constants]:
        text = re.sub(rf"\b{own}\b", f"{name}__{own}", text)
    return text


@pytest.fixture(scope="module")
def resources(tmp_path_factory) -> dict[str, dict[str, cuda_build.Resources]]:
    """What each kernel of each function takes."""
    found = _compiler()
    if found is None:
        pytest.skip("no compiler of CUDA: neither NVRTC nor nvcc")
    texts, launched = [], {}
    for name, make in CASES.items():
        c = make()
        job = compile_expression(Compilation(name, c.outputs, c.updates, device="cuda"))
        texts.append(renamed(name, job))
        launched[name] = job.launched
    path = tmp_path_factory.mktemp("kernels") / "all.cubin"
    of = cuda_build.resources("\n".join(texts), path, TARGET, found)
    return {name: {k: of[f"{name}__{k}"] for k in own} for name, own in launched.items()}


def test_nothing_spills(resources):
    spilled = {
        f"{name}: {kernel}": taken
        for name, kernels in resources.items()
        for kernel, taken in kernels.items()
        if max(taken.spill_stores, taken.spill_loads) > FEW
    }
    assert not spilled


def test_blocks_of_full_width_fit(resources):
    """A thread of a block of 1024 may have 64 registers, one of 256 all 255; and what has a fixed
    size in shared memory is as much as every GPU gives a block.
    """
    for name, kernels in resources.items():
        for kernel, taken in kernels.items():
            assert 0 < taken.registers <= 255, (name, kernel)
            assert taken.shared <= 48 << 10, (name, kernel)


def table(resources) -> str:
    lines = [
        "| function | kernels | registers of a thread | bytes spilled | bytes of shared memory |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, kernels in resources.items():
        if not kernels:
            continue
        taken = list(kernels.values())
        spilled = max(t.spill_stores for t in taken)
        columns = (
            name.replace("_", " "),
            len(taken),
            ", ".join(map(str, sorted({t.registers for t in taken}))),
            spilled or "",
            max(t.shared for t in taken) or "",
        )
        lines.append(f"| {' | '.join(map(str, columns))} |")
    return "\n".join(lines)


def test_the_table(resources, update_golden):
    """Only written here: the numbers are those of one version of the compiler."""
    text = PAGE.read_text(encoding="utf-8")
    before, title, rest = text.partition(TITLE)
    if update_golden:
        after = re.search(r"^## ", rest, re.MULTILINE)
        tail = rest[after.start() :] if after else ""
        version = _compiler().version()
        intro = (
            f"The kernels of `tests/small_programs.py`, compiled for {TARGET} by {version}.\n"
            "Shared memory is that of a fixed size; tiles come on top, as a call needs.\n"
            "Written by `pytest tests/codegen/test_kernel_resources.py --update-golden`."
        )
        section = f"{TITLE}\n\n{intro}\n\n{table(resources)}\n"
        PAGE.write_text(
            f"{before.rstrip()}\n\n{section}{tail and chr(10) + tail}", encoding="utf-8"
        )
        title = TITLE
    assert title, f"{PAGE.name} has no section {TITLE!r}"
