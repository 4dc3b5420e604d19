"""The path through pycuda and CUDA's driver, without a GPU: pycuda as it is on an emulated libcuda.

`make test-cuda` does all the set-up. Each program is a process of its own (pycuda_programs.py),
that must end in order, too: without a word from pycuda about what could not be cleaned up.
"""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import emulated_libcuda
import pytest
from emulated import missing_compiler

REASON = emulated_libcuda.unusable() or missing_compiler()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

PROGRAMS = (
    "results", "shared_memory", "products", "replays", "addresses", "updates", "device_results",
    "positions", "gpuarrays", "streams", "page_locked", "other_contexts", "threads", "fork",
    "nested", "illegal", "cubin",
)  # fmt: skip


@pytest.fixture(scope="session")
def libcuda(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libcuda")
    library = emulated_libcuda.make(folder)
    emulated_libcuda.make(folder, emulated_libcuda.missing(library))
    return folder


def run(program: str, folder: Path, **variables: str) -> None:
    """Run a program with the libraries of a folder."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder), **variables}
    environment.pop("CUDA_DEVICE", None)
    path = Path(__file__).with_name("pycuda_programs.py")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(path), program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert done.stdout.endswith("done\n"), said
    assert "PyCUDA" not in said and "Traceback" not in said, said


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program, libcuda):
    run(program, libcuda)


@pytest.mark.parametrize("captures", ["0", "2"])
def test_a_driver_that_captures_nothing(libcuda, captures):
    run("no_replays", libcuda, EMULATED_CUDA_CAPTURES=captures)


def test_a_gpu_whose_memory_does_not_suffice(libcuda):
    run("no_memory", libcuda, EMULATED_CUDA_MEMORY=str(32 << 20))


def test_no_gpu(libcuda):
    words = "there is no GPU that can be used|no CUDA-capable device|nvidia-smi|emulation"
    run("unusable", libcuda, EMULATED_CUDA_DEVICES="0", WORDS=words)


def test_no_driver(tmp_path):
    if ctypes.util.find_library("cuda"):
        pytest.skip("NVIDIA's driver is installed here")
    run("unusable", tmp_path, WORDS="pycuda cannot be imported|libcuda.so.1|NVIDIA's driver")


def test_no_pycuda(libcuda):
    words = "needs pycuda, which is not here|pip install 'symcomp[cuda]'|emulation"
    run("without_pycuda", libcuda, WORDS=words)
