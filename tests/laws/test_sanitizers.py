"""Generated C under the address and undefined-behaviour sanitizers, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symcomp.codegen import build
from tests.backends import no_gpu
from tests.laws.random_programs import KINDS
from tests.small_programs import CASES

ROOT = Path(__file__).parents[2]
FLAGS = (
    "-fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all "
    "-fno-omit-frame-pointer -g1 -O1"
)
#: Functions that cover every kind of kernel; `--programs` adds random ones.
CHOSEN = (
    "elementwise", "broadcast", "row_softmax", "column_softmax", "normalised_rows", "column_sums",
    "middle_axis", "full_sums", "extremes_with_nan", "positions", "dense_layer", "many_rows",
    "transposed_products", "batched_product", "integer_product", "joined", "slices", "embedded",
    "scattered", "gathered", "picked", "running_sums", "reshaped", "rolled_and_padded", "ranges",
    "integers", "booleans", "casts", "neighbours", "updated_in_place", "swapped",
    "product_into_shared", "training_step", "constant_tables", "five_axes",
)  # fmt: skip
CONVOLUTIONS = tuple(name for name in CASES if name.startswith("convolution"))
CHUNKS = 4


def preloaded() -> str:
    """The address sanitizer's library, which must be loaded before all others; empty if there is
    none.
    """
    chosen = build.compiler()
    if chosen.dialect != "gcc":
        return ""
    status, text = build.run([*chosen.command, "-print-file-name=libasan.so"])
    path = text.strip()
    return os.path.realpath(path) if status == 0 and os.path.isabs(path) else ""


def _sanitized(cache: Path) -> dict[str, str]:
    """The environment of a process whose C is built with sanitizers."""
    return dict(
        os.environ,
        LD_PRELOAD=preloaded(),
        ASAN_OPTIONS="detect_leaks=0:abort_on_error=0:exitcode=99",
        UBSAN_OPTIONS="print_stacktrace=1",
        SYMCOMP_CFLAGS=FLAGS,
        SYMCOMP_CACHE=str(cache),
        SYMCOMP_THREADS="2",
    )


def run_sanitized(names, cache: Path, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tests.laws.sanitized", *names]
    environment = _sanitized(cache) | variables
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


needs_sanitizer = pytest.mark.skipif(not preloaded(), reason="no address sanitizer")


@needs_sanitizer
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_wrong_with_memory_and_arithmetic(chunk, tmp_path, request):
    count = request.config.getoption("--programs") or 6
    random = [f"{kind}:{seed}" for kind in KINDS for seed in range(count)]
    assert_clean(run_sanitized([*CHOSEN, *random][chunk::CHUNKS], tmp_path))


@needs_sanitizer
def test_nothing_is_wrong_with_convolutions(tmp_path):
    """In one process: their library takes the compiler as long as all of their functions."""
    assert_clean(run_sanitized(CONVOLUTIONS, tmp_path))


def assert_clean(done: subprocess.CompletedProcess) -> None:
    assert done.returncode == 0 and done.stdout.endswith("done\n"), (
        f"in {done.stdout.split()[-1:]}:\n{done.stderr[:3000]}"
    )


#: Functions that cover every shape of kernels of a GPU.
ON_GPU = (
    "elementwise", "transposed_sum", "row_softmax", "column_sums", "full_sums", "long_sum",
    "positions", "dense_layer", "slices", "scattered", "gathered", "picked", "running_sums",
    "integers", "casts", "swapped", "training_step", "constant_tables", "five_axes",
)  # fmt: skip


@needs_sanitizer
@pytest.mark.skipif(bool(no_gpu()), reason=no_gpu())
@pytest.mark.parametrize("chunk", range(2))
def test_nothing_is_wrong_with_kernels_of_a_gpu(chunk, tmp_path, request):
    """On the emulation, in another order of the threads; `--programs` runs all, and random ones."""
    count = request.config.getoption("--programs")
    names = [*CASES, *(f"{k}:{n}" for k in KINDS for n in range(count))] if count else ON_GPU
    emulated = {"SYMCOMP_DEVICE": "cuda", "SYMCOMP_CUDA_DRIVER": "host"}
    order = {"SYMCOMP_EMULATION_ORDER": "random"}
    assert_clean(run_sanitized(names[chunk::2], tmp_path, **emulated, **order))


@needs_sanitizer
def test_the_sanitizers_see_faults(tmp_path):
    """The check can fail: a read behind an array, and a shift too far, are seen."""
    for fault, seen in (
        ("return x[n];", "heap-buffer-overflow"),
        ("return 1 << (n + 64);", "shift"),
    ):
        done = _run_probe(fault, tmp_path / seen)
        assert done.returncode != 0 and seen in done.stderr, done.stderr[:500]


SCRATCH = """
#include "symcomp.h"
SYMCOMP_ATTACH
SYMCOMP_EXPORT char probe(int64_t bytes, int64_t at) {
    char *here = runtime->push(bytes), *next = runtime->push(bytes);
    for (int64_t n = 0; n < bytes; ++n) here[n] = next[n] = 1;
    char read = here[at];
    runtime->pop(here);
    return read;
}
"""
PROBE = """
import sys
from symcomp.codegen import cache, runtime
library = runtime.native().load(cache.publish(cache.key(SCRATCH), "probe", SCRATCH, {}).library)
runtime.function(library, "probe", "char", ["int64_t"] * 2)(100, int(sys.argv[1]))
print("done")
"""


@needs_sanitizer
def test_the_sanitizers_see_what_goes_beyond_scratch_memory(tmp_path):
    """Each block of a chunk is guarded by itself, to the byte."""
    program = f"SCRATCH = {SCRATCH!r}\n{PROBE}"
    for at, fits in ((99, True), (100, False), (130, False)):
        command = [sys.executable, "-c", program, str(at)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=_sanitized(tmp_path), cwd=ROOT
        )
        assert (done.stdout == "done\n") == fits, done.stderr[:2000]
        assert fits or "use-after-poison" in done.stderr, done.stderr[:2000]


def _run_probe(statement: str, folder: Path) -> subprocess.CompletedProcess:
    folder.mkdir()
    source = f"#include <stdint.h>\nint64_t probe(const int64_t *x, int64_t n) {{ {statement} }}\n"
    (folder / "probe.c").write_text(source)
    library = folder / "probe.so"
    command = [
        *build.compiler().command,
        *FLAGS.split(),
        "-shared",
        "-fPIC",
        str(folder / "probe.c"),
    ]
    subprocess.run([*command, "-o", str(library)], check=True)
    program = (
        "import ctypes, numpy as np; x = np.ones(4, 'int64'); "
        f"f = ctypes.CDLL({str(library)!r}).probe; "
        "f(ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(4))"
    )
    environment = dict(os.environ, LD_PRELOAD=preloaded(), ASAN_OPTIONS="detect_leaks=0")
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )


def test_every_chosen_function_is_there():
    assert {*CHOSEN, *ON_GPU} <= set(CASES)
