"""Temporaries that share storage: never while both are wanted, nor at the price of more of it."""

import random
from dataclasses import dataclass

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import memory


@dataclass(frozen=True)
class Temporary:
    serial: int
    shape: tuple
    dtype: str


@dataclass(frozen=True)
class Step:
    """A kernel, as far as storage goes."""

    read: frozenset
    written: frozenset


def taken(slots, known) -> int:
    """Bytes, where unknown sizes are these."""
    return sum(
        max(known.get(n, n) * np.dtype(dtype).itemsize for n, dtype in slot.sizes) for slot in slots
    )


@pytest.mark.parametrize("seed", range(300))
def test_what_lives_at_the_same_time_shares_nothing(seed, monkeypatch):
    monkeypatch.setattr(memory, "read_buffers", lambda step: step.read)
    monkeypatch.setattr(memory, "written_buffers", lambda step: step.written)
    rng = random.Random(seed)
    unknown = [T.fvector().shape[0] for _ in range(3)]
    sizes = [*unknown, 1, 8, 100, 10_000] if seed % 3 else [4, 5, 100, 1000]
    count = rng.randint(1, 12)
    every = [
        Temporary(n, (rng.choice(sizes),), rng.choice(["float32", "float64"])) for n in range(count)
    ]
    life = {b: sorted(rng.sample(range(20), 2)) for b in every}
    steps = [
        Step(
            frozenset(b for b in every if life[b][1] == n),
            frozenset(b for b in every if life[b][0] == n),
        )
        for n in range(20)
    ]
    kept = [b for b in every if rng.random() < 0.1]
    slots = memory.assign(steps, every, kept)
    assert sorted(b.serial for s in slots for b in s.tenants) == list(range(count))
    for slot in slots:
        for a, b in zip(slot.tenants, slot.tenants[1:], strict=False):
            assert life[a][1] < life[b][0] and a not in kept
        assert {memory.measure(b) for b in slot.tenants} == set(slot.sizes)
    for _ in range(5):
        known = {n: rng.choice([0, 1, 50, 5000]) for n in unknown}
        alone = [memory.Slot([memory.measure(b)], [b]) for b in every]
        assert taken(slots, known) <= taken(alone, known)


def test_temporaries_of_unknown_sizes_share_one_slot():
    """Packed filters for both directions, and the parts of the filters' gradient."""
    x, w, u = (T.ftensor4(n) for n in "xwu")
    f = sc.function([x, w, u], sc.vjp(T.nn.conv2d(x, w), [x, w], u))
    assert "2 temporaries (1 share the storage of others)" in f.explain()
    rng = np.random.default_rng(1)
    for shape, filters in (((2, 3, 9, 8), (5, 3, 3, 3)), ((3, 40, 5, 5), (2, 40, 1, 1))):
        values = rng.normal(size=shape).astype("f"), rng.normal(size=filters).astype("f")
        upstream = np.ones(T.nn.conv2d(*values).eval().shape, "float32")
        plain = sc.function([x, w, u], sc.vjp(T.nn.conv2d(x, w), [x, w], u), mode="numpy")
        for got, want in zip(f(*values, upstream), plain(*values, upstream), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
