"""Run in a process of its own by test_sanitizers: small functions on ordinary and awkward
arguments.

`python -m tests.laws.sanitized name …` prints each name before its function runs, so that what a
sanitizer stops is known. Errors that symcomp raises (sizes, indices) are as good as results here.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import numpy as np

import symcomp as sc
from symcomp.errors import SymcompError
from tests.laws.random_programs import KINDS
from tests.small_programs import CASES, Case

MOST_ELEMENTS = 10_000
#: Values that arithmetic is defined for, however awkward.
AWKWARD_FLOATS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e-300, 2.0**63, -1.5)


def sized(c: Case, length: int) -> list[np.ndarray]:
    """The arguments with axes of free length cut (or repeated) to a length."""
    result = []
    for x, a in zip(c.inputs, c.arguments, strict=True):
        for axis, n in enumerate(x.type.shape):
            if n is None:
                a = np.take(a, np.arange(length) % max(a.shape[axis], 1), axis=axis)
        result.append(np.ascontiguousarray(a).reshape(a.shape))
    return result


def filled(c: Case, which: int) -> list[np.ndarray]:
    """The arguments with awkward values: extremes of integers, nan and infinities."""
    result = []
    for a in c.arguments:
        a = a.copy()
        if a.dtype.kind in "iu" and a.ndim:
            info = np.iinfo(a.dtype)
            a[...] = (info.min, info.max, -1 if info.min else 0)[which]
        elif a.dtype.kind == "f":
            with np.errstate(over="ignore"):
                values = np.roll(AWKWARD_FLOATS, which).astype(a.dtype)
            a.flat = np.resize(values, a.size)
        result.append(a)
    return result


def calls(c: Case) -> Iterator[list[np.ndarray]]:
    """Ordinary, empty, short, long and awkward arguments, and indices just inside and outside their
    bounds.
    """
    yield c.arguments
    axes = max((x.ndim for x in c.inputs), default=0)
    for length in (0, 1, 2, 5, 64, 67):
        if length**axes <= MOST_ELEMENTS:
            yield sized(c, length)
    for which in range(3):
        yield filled(c, which)
    for shift in (-1, 1):
        yield [a + shift if a.dtype.kind in "iu" else a for a in c.arguments]
    yield [_strided(a) for a in c.arguments]


def _strided(a: np.ndarray) -> np.ndarray:
    """The same values, not contiguous."""
    wide = np.zeros((*a.shape, 2), a.dtype)
    wide[..., 0] = a
    return wide[..., 0]


def run_case(name: str) -> None:
    c = CASES[name]()
    f = sc.function(c.inputs, c.outputs, updates=c.updates, on_unused_input="ignore")
    for arguments in calls(c):
        with contextlib.suppress(SymcompError):
            f(*arguments)


def run_random(kind: str, seed: int) -> None:
    program, outputs, updates = KINDS[kind](seed, 7)
    f = sc.function(program.inputs, outputs, updates=updates, on_unused_input="ignore")
    for threads in (1, 3):
        with sc.options(threads=threads):
            f(*(program.values[x] for x in program.inputs))


def main(names: list[str]) -> None:
    np.seterr(all="ignore")
    for name in names:
        print(name, flush=True)
        if name in CASES:
            run_case(name)
        else:
            kind, seed = name.split(":")
            run_random(kind, int(seed))
    print("done")


if __name__ == "__main__":
    main(sys.argv[1:])
