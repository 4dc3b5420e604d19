"""The interpreter of loops: it agrees with NumPy and with C, whatever the order of the pieces, and
it sees what C would only do wrong: accesses outside, conflicts between pieces, values that nobody
has written."""

from __future__ import annotations

import numpy as np
import pytest

from symcomp.codegen import interpret, loops
from symcomp.codegen.interpret import Machine
from symcomp.codegen.loops import (
    For,
    Kernel,
    Let,
    Scratch,
    Store,
    Update,
    View,
    buffer,
    load,
    local,
)
from symcomp.errors import InternalError
from symcomp.graph import size
from symcomp.graph.expr import constant
from symcomp.graph.notation import identity, index
from symcomp.tensor.arithmetic import where
from tests.comparing import assert_same, by_function, by_interpreter, by_numpy, shrink
from tests.laws.random_programs import KINDS, check
from tests.small_programs import CASES, Case


@pytest.mark.parametrize("name", CASES)
def test_interpreter_numpy_and_c_agree(name):
    c = CASES[name]()
    expected = by_numpy(c)
    assert_same(by_interpreter(c), expected)
    assert_same(by_function(c), expected)


@pytest.mark.parametrize("name", ["long_sum", "dense_layer", "scattered", "training_step"])
def test_the_order_of_the_pieces_changes_nothing(name, monkeypatch):
    shrink(monkeypatch, {"PIECE": 8, "BLOCK": 64, "RUN": 5, "TILE": 4})
    straight = by_interpreter(CASES[name]())
    for seed in range(3):
        shuffled = by_interpreter(CASES[name](), np.random.default_rng(seed))
        for a, b in zip(straight, shuffled, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_random_programs_have_no_conflicts(kind, monkeypatch):
    """In tiny pieces and in any order: what races, or reads what nobody has written, is seen."""
    shrink(monkeypatch, {"PIECE": 8, "BLOCK": 6, "RUN": 5, "TILE": 4})
    for seed in range(200, 230):
        program, outputs, updates = KINDS[kind](seed, 4)
        arguments = [program.values[x] for x in program.inputs]
        if any(a.size > 400 for a in arguments):
            continue
        case = Case(program.inputs, outputs, updates, arguments)
        run = lambda: by_interpreter(case, np.random.default_rng(0))  # noqa: B023, E731
        assert not check(program, outputs, updates, run), f"program {seed}"


# --- what it sees ---------------------------------------------------------------------------------

A, B = buffer("float64", (6,), "a"), buffer("float64", (6,), "b")


def run(*body, **keywords):
    memory = {A: np.arange(6.0), B: np.zeros(6)}
    machine = Machine(memory, {}, **keywords)
    machine.run(Kernel("k", tuple(body)))
    return machine.memory[B]


def loop(body, how="serial", n=6, grain=2):
    i = index(n, "i")
    return For(i, tuple(body(i)), how, grain)


def test_a_store_outside_is_an_error():
    with pytest.raises(InternalError, match=r"b\[6\] is outside its 6 elements"):
        run(loop(lambda i: [Store(B, size.plus(i, 1), load(A, i))]))


def test_a_load_outside_is_an_error_where_it_is_used():
    before = lambda i: load(A, size.minus(i, 1))  # noqa: E731
    with pytest.raises(InternalError, match=r"a\[-1\] is outside"):
        run(loop(lambda i: [Store(B, i, before(i))]))
    guarded = run(loop(lambda i: [Store(B, i, where(i > 0, before(i), 0.0))]))
    assert guarded.tolist() == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("how", ["parallel", "simd"])
def test_pieces_that_write_the_same_place_are_an_error(how):
    with pytest.raises(InternalError, match=r"writes what another has written: b\[0\]"):
        run(loop(lambda i: [Store(B, 0, load(A, i))], how))


@pytest.mark.parametrize("how", ["parallel", "simd"])
def test_pieces_that_read_what_another_writes_are_an_error(how):
    body = lambda i: [Store(A, i, load(A, size.minus(5, i)) + 1.0)]  # noqa: E731
    with pytest.raises(InternalError, match=r"has (read|written)"):
        run(loop(body, how))


def test_a_serial_loop_may_depend_on_itself():
    got = run(
        Store(B, 0, constant(1.0)),
        loop(lambda i: [Store(B, size.plus(i, 1), load(B, i) * 2.0)], n=5),
    )
    assert got.tolist() == [1, 2, 4, 8, 16, 32]


def test_updates_of_a_simd_loop_are_a_fold():
    s = local("float64", "s")
    fold = loop(lambda i: [Update(s, "sum", load(A, i))], "simd")
    assert run(Let(s, identity("sum", "float64")), fold, Store(B, 0, s))[0] == 15


def test_every_piece_of_a_parallel_loop_computes_its_own_before():
    v, i = local("float64", "v"), index(6, "i")
    made = For(i, (Store(B, i, load(A, i) * v),), "parallel", 4, (Let(v, constant(3.0)),))
    assert run(made, shuffle=np.random.default_rng(0)).tolist() == [0, 3, 6, 9, 12, 15]


def test_scratch_is_garbage_until_it_is_written():
    tile = buffer("float64", (2,), "tile")
    got = run(
        Scratch(tile),
        Store(B, 0, load(tile, 1)),
        Store(tile, 1, constant(4.0)),
        Store(B, 1, load(tile, 1)),
    )
    assert np.isnan(got[0]) and got[1] == 4


def test_gemm_scales_and_keeps():
    one, two = constant(1.0), constant(2.0)
    left, right, out = View(A, 0, 3), View(A, 0, 3, True), View(B, 1, 2)
    sizes = map(size.as_expr, (2, 2, 3))
    got = run(
        Store(B, 1, constant(10.0)),
        loops.Call("gemm", (*sizes, one, left, right, two, out), "float64"),
    )
    assert got.tolist() == [0, 25, 14, 14, 50, 0]


def test_a_matrix_outside_its_buffer_is_an_error():
    sizes = map(size.as_expr, (2, 2, 3))
    one = constant(1.0)
    call = loops.Call(
        "gemm", (*sizes, one, View(A, 1, 3), View(A, 0, 3, True), one, View(B, 0, 2)), "float64"
    )
    with pytest.raises(InternalError, match=r"a\[6\] is outside"):
        run(call)


def test_work_counts_the_operations():
    short = Kernel("k", (loop(lambda i: [Store(B, i, load(A, i))], n=2),))
    long = Kernel("k", (loop(lambda i: [Store(B, i, load(A, i))], n=2000),))
    assert interpret.work(long, {}) > 500 * interpret.work(short, {}) > 0
