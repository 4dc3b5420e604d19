"""The loops of a GPU under the interpreter: they are those of NumPy, in any order of the threads,
and no two threads touch the same place.

Waiting is no matter here: the interpreter goes through a team's loop to its end before it goes on.
What is missing between loops is seen by the emulation (tests/laws/test_emulation_orders.py).
"""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import gpu, loops
from symcomp.codegen.loops import For
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.graph.notation import formula_order
from symcomp.tensor.random import PARTS, Draw, positions
from tests.comparing import TINY_GRID, assert_same, by_interpreter, by_numpy, shrink
from tests.laws.random_programs import KINDS, check
from tests.small_programs import CASES, Case, grid


def compiled(outputs, updates=()) -> Compilation:
    return compile_expression(Compilation("f", outputs, list(updates), device="cuda"))


@pytest.mark.parametrize("name", CASES)
def test_small_programs(name):
    c = CASES[name]()
    assert_same(by_interpreter(c, device="cuda"), by_numpy(c))


@pytest.mark.parametrize("name", CASES)
def test_small_programs_in_tiny_parts_and_any_order(name, monkeypatch):
    shrink(monkeypatch, TINY_GRID)
    expected = by_numpy(CASES[name]())
    for shuffle in (None, np.random.default_rng(0)):
        # A program with updates changes its shared values: it is made anew.
        assert_same(by_interpreter(CASES[name](), shuffle, "cuda"), expected)


@pytest.mark.parametrize("chunk", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_random_programs(kind, chunk, request, monkeypatch):
    """In tiny parts and in any order: what races, or reads what nobody has written, is seen."""
    shrink(monkeypatch, TINY_GRID)
    count = request.config.getoption("--programs") or 30
    start = 500 + request.config.getoption("--seed")
    for seed in range(start + chunk, start + count, 3):
        program, outputs, updates = KINDS[kind](seed, 5)
        arguments = [program.values[x] for x in program.inputs]
        if any(a.size > 400 for a in arguments):
            continue
        c = Case(program.inputs, outputs, updates, arguments)
        run = lambda: by_interpreter(c, np.random.default_rng(0), "cuda")  # noqa: B023, E731
        assert not check(program, outputs, updates, run), f"program {seed}"


# --- shapes that reach the edges -----------------------------------------------------------------


def edges() -> tuple:
    """What folds, turns, scatters and runs along a matrix and a vector."""
    x, v, at = T.dmatrix("x"), T.ivector("v"), T.lvector("at")
    empty = [x.max(axis=1, keepdims=True), v.max()]  # of nothing: an error
    outputs = [
        x.sum(), x.prod(axis=1), x.sum(axis=0), T.nn.softmax(x), x.T + 1, x + x.sum(axis=0),
        T.cumsum(x, axis=0), T.cumsum(x, axis=1), T.cumprod(v), x * 2, (x * x).mean(axis=1),
        (v * v).sum(), T.inc_subtensor(x[at], x[at] * 2), T.set_subtensor(x[at], x[at] + 1), v // 3,
    ]  # fmt: skip
    return [x, v, at], outputs, empty


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 33])
@pytest.mark.parametrize("columns", [0, 1, 3, 4, 31])
@pytest.mark.parametrize("tiny", [True, False], ids=["tiny parts", "as it is"])
def test_awkward_lengths(rows, columns, tiny, monkeypatch):
    if tiny:
        shrink(monkeypatch, TINY_GRID)
    inputs, outputs, not_empty = edges()
    x = grid(rows, columns) / 4
    v = np.arange(rows * columns, dtype="int32") - 7
    at = np.arange(rows)[::-1] // 2 - rows // 2
    outputs = outputs if x.size == 0 else [*outputs, *not_empty]
    c = Case(inputs, outputs, [], [x, v, at])
    with np.errstate(all="ignore"):
        assert_same(by_interpreter(c, np.random.default_rng(1), "cuda"), by_numpy(c))


# --- what kernels look like ----------------------------------------------------------------------


def kernels(outputs, updates=()):
    return compiled(outputs, updates).program.kernels


def hows(kernel) -> list[str]:
    return [s.how for s in loops.walk(kernel.body) if isinstance(s, For)]


def test_a_map_is_one_kernel_of_threads():
    x = T.fmatrix("x")
    (kernel,) = kernels([T.tanh(x) + 1])
    groups, rest = kernel.body
    stores = [sum(isinstance(s, loops.Store) for s in loop.body) for loop in (groups, rest)]
    assert stores == [4, 1], "four neighbours a thread, as one load"
    assert isinstance(groups.body[-4], loops.Store), "no load waits for a store"
    (kernel,) = kernels([T.tanh(T.tensor("float32", (3, 4), "x"))])
    assert hows(kernel) == ["grid"], "a small result has threads enough"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_neighbours_are_loaded_and_stored_as_one(dtype):
    """Where arrays begin is promised: without that, four loads do not become one."""
    a, b = T.tensor(dtype, (None,), "a"), T.tensor(dtype, (None,), "b")
    text = sc.function([a, b], a * b + a).explain("cuda", device="cuda")
    for name in ("a", "b", "out0"):
        assert f"sc_aligned({name}, 16);" in text


def test_a_softmax_is_one_kernel_of_teams():
    (kernel,) = kernels([T.nn.softmax(T.fmatrix("x"))])
    assert hows(kernel)[0] == "grid" and hows(kernel).count("block") == 3


def test_long_folds_are_folded_by_many_teams():
    assert len(kernels([T.fvector("x").sum()])) == 2
    (kernel,) = kernels([T.tensor("float32", (1000,), "x").sum()])
    assert hows(kernel) == ["grid", "block"]


def test_folds_down_few_columns_are_cut_into_blocks_of_rows():
    first, second = kernels([T.dmatrix("x").sum(axis=0)])
    for kernel in (first, second):
        assert hows(kernel)[:2] == ["grid", "thread"], "teams that lie across columns and down rows"
    assert len(kernels([T.tensor("float64", (None, 5), "x").sum(axis=0)])) == 2
    assert len(kernels([T.tensor("float64", (8, 5), "x").sum(axis=0)])) == 1
    assert len(kernels([T.tensor("float64", (2000, 5), "x").sum(axis=0)])) == 1


def test_what_lies_across_is_read_through_tiles():
    (kernel,) = kernels([T.fmatrix("x").T + 1])
    assert hows(kernel) == ["grid", "thread", "thread"]
    (scratch,) = (s for s in loops.walk(kernel.body) if isinstance(s, loops.Scratch))
    assert scratch.buffer.shape == (64 * 65,)
    many = [T.dmatrix(name) for name in "abc"]
    (kernel,) = kernels([sum(x.T for x in many)])
    found = [s.buffer.shape for s in loops.walk(kernel.body) if isinstance(s, loops.Scratch)]
    assert found == [(32 * 33,)] * 3, "all together must fit into what a block surely has"


@pytest.mark.parametrize("whole", PARTS)
def test_random_numbers_are_drawn_by_whole_blocks(whole):
    draw = Draw(sc.random.RandomStream(1).state, 0)
    kernel, *_ = kernels([whole(*draw.place(), positions((T.lscalar("n"),)))])
    values = [v for s in loops.walk(kernel.body[:1]) for v in loops.values(s)]
    drawn = [e for e in formula_order(values) if e.op in PARTS[whole]]
    assert {e.op for e in drawn} == set(PARTS[whole]), "neighbours have a block in common"
    assert len({e.args for e in drawn}) == 1, "and only that"


def test_how_long_folds_are_cut_depends_on_sizes_alone(monkeypatch):
    """So results are the same on every GPU: nothing of the device is in the kernels."""

    def refused():
        raise AssertionError("the device was asked")

    monkeypatch.setattr(gpu, "gpu", refused)
    compiled([T.fvector("x").sum(), T.nn.softmax(T.fmatrix("y")), T.dmatrix("z").sum(axis=0)])


def test_loops_of_threads_have_no_loops_of_the_cpu():
    for name in CASES:
        c = CASES[name]()
        for kernel in kernels(c.outputs, c.updates):
            assert "parallel" not in hows(kernel), name


def test_loops_can_be_shown():
    f = sc.function([x := T.fmatrix("x")], T.nn.softmax(x), mode="numpy", device="cuda")
    assert "grid" in f.explain("loops") and "block" in f.explain("loops")
