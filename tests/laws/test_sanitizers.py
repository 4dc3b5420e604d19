"""Generated C under the address and undefined-behaviour sanitizers, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symcomp.codegen import build
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


def run_sanitized(names, cache: Path) -> subprocess.CompletedProcess:
    environment = dict(
        os.environ,
        LD_PRELOAD=preloaded(),
        ASAN_OPTIONS="detect_leaks=0:abort_on_error=0:exitcode=99",
        UBSAN_OPTIONS="print_stacktrace=1",
        SYMCOMP_CFLAGS=FLAGS,
        SYMCOMP_CACHE=str(cache),
        SYMCOMP_THREADS="2",
    )
    command = [sys.executable, "-m", "tests.laws.sanitized", *names]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


needs_sanitizer = pytest.mark.skipif(not preloaded(), reason="no address sanitizer")


@needs_sanitizer
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_wrong_with_memory_and_arithmetic(chunk, tmp_path, request):
    count = request.config.getoption("--programs") or 6
    random = [f"{kind}:{seed}" for kind in KINDS for seed in range(count)]
    names = [*CHOSEN, *random][chunk::CHUNKS]
    done = run_sanitized(names, tmp_path)
    assert done.returncode == 0 and done.stdout.endswith("done\n"), (
        f"in {done.stdout.split()[-1:]}:\n{done.stderr[:3000]}"
    )


@needs_sanitizer
def test_the_sanitizers_see_faults(tmp_path):
    """The check can fail: a read behind an array, and a shift too far, are seen."""
    for fault, seen in (
        ("return x[n];", "heap-buffer-overflow"),
        ("return 1 << (n + 64);", "shift"),
    ):
        done = _run_probe(fault, tmp_path / seen)
        assert done.returncode != 0 and seen in done.stderr, done.stderr[:500]


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
    assert set(CHOSEN) <= set(CASES)
