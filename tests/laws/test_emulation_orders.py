"""Kernels on the emulated GPU, whose threads run in several orders: what waits too little gives
other results in some of them, and what is right the same bits in all.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import grid as lowering
from symcomp.codegen import loops
from symcomp.codegen.loops import Barrier, For
from tests.backends import no_gpu
from tests.comparing import TINY_GRID, assert_same, by_function, by_numpy, shrink
from tests.laws.random_programs import KINDS, check, runner
from tests.small_programs import CASES, grid

if os.environ.get("SYMCOMP_CUDA_DRIVER") != "host":
    pytest.skip("these are tests by the emulation", allow_module_level=True)
pytestmark = pytest.mark.skipif(bool(no_gpu()), reason=no_gpu())

ORDERS = ("forward", "reverse", "random", "random:1")


@pytest.fixture(params=[False, True], ids=["as it is", "tiny parts"])
def tiny(request, monkeypatch, tmp_path_factory):
    """Loops as they are, or cut into tiny parts: then what is compiled has a cache of its own."""
    if not request.param:
        yield
        return
    shrink(monkeypatch, TINY_GRID)
    with sc.options(cache=tmp_path_factory.mktemp("tiny")):
        yield


def in_order(monkeypatch, order: str) -> None:
    monkeypatch.setenv("SYMCOMP_EMULATION_ORDER", order)


@pytest.mark.parametrize("name", CASES)
def test_small_programs(name, tiny, monkeypatch):
    results = []
    for order in ORDERS:
        in_order(monkeypatch, order)
        results.append(by_function(CASES[name](), device="cuda"))
    assert_same(results[0], by_numpy(CASES[name]()))
    for order, other in zip(ORDERS, results, strict=True):
        assert [v.tobytes() for v in other] == [v.tobytes() for v in results[0]], order


@pytest.mark.parametrize("kind", KINDS)
def test_random_programs(kind, tiny, request, monkeypatch):
    """`--programs N` tries N of each kind."""
    count = request.config.getoption("--programs") or 8
    start = 900 + request.config.getoption("--seed")
    wrong = []
    for seed in range(start, start + count):
        program, outputs, updates = KINDS[kind](seed, 7)
        run = runner(program, outputs, updates, device="cuda")
        first = None
        for order in ORDERS:
            in_order(monkeypatch, order)
            wrong += [f"{seed}, {order}: {w}" for w in check(program, outputs, updates, run)]
            bits = [np.asarray(v).tobytes() for v in run()]
            first = first or bits
            wrong += [f"{seed}: other bits, {order}"] if bits != first else []
    assert not wrong


def values(make, monkeypatch, tmp_path, changed=None) -> dict[str, np.ndarray]:
    """What a function gives in each order, with other barriers than the compiler's own."""
    if changed is not None:
        own = lowering.with_barriers
        monkeypatch.setattr(lowering, "with_barriers", lambda body: changed(own(body)))
    inputs, output, arguments = make()
    with sc.options(cache=tmp_path / str(changed is None)):
        f = sc.function(inputs, output, device="cuda")
    found = {}
    for order in ORDERS:
        in_order(monkeypatch, order)
        found[order] = f(*arguments)
    return found


def without_barriers(body: tuple) -> tuple:
    """A team's loops without any barrier."""
    return tuple(
        replace(s, body=without_barriers(s.body)) if isinstance(s, For) else s
        for s in body
        if not isinstance(s, Barrier)
    )


def without_last_barriers(body: tuple) -> tuple:
    """Without those that stand at the end of a row, before the next."""
    return tuple(
        replace(s, body=s.body[:-1])
        if isinstance(s, For) and isinstance(s.body[-1], Barrier)
        else s
        for s in body
    )


def turned():
    """A tile in shared memory, written along and read across; more tiles than teams."""
    x = T.tensor("float32", (None, 32), "x")
    return [x], x.T * 2, [grid(34000, 32, dtype="float32")]


@pytest.mark.parametrize("changed", [without_barriers, without_last_barriers])
def test_a_missing_barrier_is_seen(changed, monkeypatch, tmp_path):
    (argument,) = turned()[2]
    for got in values(turned, monkeypatch, tmp_path).values():
        np.testing.assert_array_equal(got, argument.T * 2)
    wrong = values(turned, monkeypatch, tmp_path, changed)
    assert any(not np.array_equal(got, argument.T * 2) for got in wrong.values())


def test_what_is_removed_are_barriers():
    """The two tests above change something."""
    inputs, output, _ = turned()
    f = sc.function(inputs, output, device="cuda", mode="numpy")
    assert f.explain("cuda").count("__syncthreads();") == 2
    assert not any(
        isinstance(s, Barrier) for s in loops.walk(without_barriers((Barrier(), Barrier())))
    )
