"""Random programs in C against the NumPy references, and bit-equal whatever the number of threads.

Half of them are compiled with tiny pieces, blocks and tiles, so that small arrays reach every edge
of the loops. `--programs N --seed S` tries N programs of each kind, from seed S on.
"""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
from tests.comparing import shrink
from tests.laws.random_programs import KINDS, check, runner

#: How many programs of each kind are tried unless told otherwise, and in how many tests.
COUNTS = {"expression": 60, "gradient": 40, "update": 60}
CHUNKS = 5
STEPS = {"expression": 9, "gradient": 6, "update": 6}

#: Lengths that the lowering cuts loops into, made tiny.
TINY = {"PIECE": 8, "BLOCK": 6, "RUN": 5, "TILE": 4}


@pytest.fixture
def tiny(monkeypatch, tmp_path_factory):
    """Loops cut into tiny parts; what is compiled so has a cache of its own."""
    shrink(monkeypatch, TINY)
    with sc.options(cache=tmp_path_factory.mktemp("tiny")):
        yield


def wrong_programs(kind: str, chunk: int, request) -> list[str]:
    count = request.config.getoption("--programs") or COUNTS[kind]
    start = request.config.getoption("--seed")
    wrong = []
    for seed in range(start + chunk, start + count, CHUNKS):
        found = wrong_program(kind, seed)
        if found:
            wrong.append(f"{kind} program {seed}: {found}")
    return wrong


def wrong_program(kind: str, seed: int) -> str:
    """What is wrong with one program, empty if nothing is."""
    program, outputs, updates = KINDS[kind](seed, STEPS[kind])
    try:
        run = runner(program, outputs, updates)
        with sc.options(threads=1):
            wrong = check(program, outputs, updates, run)
            alone = run()
        for threads in (2, 3):
            with sc.options(threads=threads):
                for name, (a, b) in enumerate(zip(alone, run(), strict=True)):
                    if np.asarray(a).tobytes() != np.asarray(b).tobytes():
                        wrong.append(f"result {name} is different on {threads} threads")
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:600]}"
    return "; ".join(wrong)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("kind", KINDS)
def test_random_programs(kind, chunk, request):
    assert not wrong_programs(kind, chunk, request)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("kind", KINDS)
def test_random_programs_in_tiny_pieces(kind, chunk, request, tiny):
    assert not wrong_programs(kind, chunk, request)


def test_a_wrong_value_is_seen():
    program, outputs, updates = KINDS["expression"](3)
    right = runner(program, outputs, updates)()
    assert not check(program, outputs, updates, lambda: right)
    shifted = [np.asarray(r) if np.asarray(r).dtype == bool else np.asarray(r + 1) for r in right]
    assert check(
        program,
        outputs,
        updates,
        lambda: [s.astype(r.dtype) for s, r in zip(shifted, right, strict=True)],
    )
