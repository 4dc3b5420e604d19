"""f.explain(), f.profile() and option debug: what they show, that they need no C compiler, and what
they cost.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build
from symcomp.codegen.loops import For, If, Kernel, Let, Scratch, Store, buffer, load, local
from symcomp.codegen.show_loops import amount, show
from symcomp.compile import report
from symcomp.errors import ArgumentError
from symcomp.graph import size
from symcomp.graph.expr import constant
from symcomp.graph.notation import index
from symcomp.graph.size import Dimension
from tests.small_programs import CASES


@pytest.fixture(autouse=True)
def own_cache(tmp_path):
    with sc.options(cache=tmp_path / "cache"):
        yield


@pytest.fixture
def no_compiler(monkeypatch):
    def compile_shared(*_, **__):
        raise AssertionError("the C compiler was called")

    return lambda: monkeypatch.setattr(build, "compile_shared", compile_shared)


def layer(**keywords):
    x, w, b = T.fmatrix("x"), T.fmatrix("w"), T.fvector("b")
    return sc.function([x, w, b], T.log(1 + T.exp(x @ w + b)), name="layer", **keywords)


def test_explain_shows_every_part():
    text = layer().explain()
    assert text.startswith(
        "function layer, mode 'c', device 'cpu'\n    input   x: float32 matrix (?, ?)"
    )
    assert "output  0: float32 matrix" in text
    for title in ("rules that fired", "steps", "memory", "passes", "source: "):
        assert f"\n\n{title}" in text
    assert "gemm float32" in text and "simd" in text and "x @ w" in text
    assert repr(text) == str(text)
    assert max(map(len, text.splitlines())) < 200


def test_explain_shows_rules_as_mathematics():
    text = layer().explain("rules")
    line = next(line for line in text.splitlines() if "→" in line and "exp" in line)
    assert line.split()[1] == "×"


def test_explain_says_where_sizes_come_from():
    x = T.dmatrix("x")
    text = sc.function([x], x.sum(axis=1)).explain("plan")
    assert text.splitlines()[0] == "where n0 = x.shape[0], n1 = x.shape[1]"


def test_explain_says_what_is_in_place():
    w = sc.shared(np.zeros(5), name="w")
    x = T.dvector("x")
    text = sc.function([x], updates=[(w, w - x)]).explain("plan")
    assert "w in place" in text


def test_explain_says_what_is_copied():
    w = sc.shared(np.zeros((5, 5)), name="w")
    text = sc.function([], updates=[(w, w.T)]).explain("plan")
    assert "to w: the old value was needed until now" in text


def test_the_parts_of_an_explanation():
    f = layer()
    assert "static void" in f.explain("c") and "symcomp_entry" in f.explain("c")
    assert f.explain("c") == report.compilation(f.definition).source
    assert "@ w" in f.explain("loops") and "gemm" in f.explain("loops")
    assert f.explain("graph").startswith("digraph")
    assert f.explain("call").startswith("def __call__")
    with pytest.raises(ArgumentError, match="'assembly' is none of the parts"):
        f.explain("assembly")


def test_the_explained_source_is_the_compiled_one():
    f = layer()
    path = next(
        line[len("source: ") :] for line in f.explain().splitlines() if line.startswith("source: ")
    )
    assert Path(path).read_text(encoding="utf-8") == f.explain("c")


def test_a_function_from_the_cache_explains_itself_without_a_compiler(no_compiler):
    first = layer().explain("plan")
    no_compiler()
    again = layer()
    assert again.explain("plan") == first


def test_what_a_function_would_be_on_a_gpu_is_shown_without_one(no_compiler):
    f = layer()
    no_compiler()
    assert "__global__" in f.explain("cuda") and "sc_log1p_f32" in f.explain("cuda")
    assert "gpu->product(" in f.explain("c", device="cuda")
    assert "product float32 on the GPU" in f.explain("plan", device="cuda")
    whole = f.explain(device="cuda")
    assert "device 'cuda'" in whole and "source: " not in whole
    assert f.explain("plan") == f.explain("plan", device="cpu") != f.explain("plan", device="cuda")
    with pytest.raises(ArgumentError, match="'tpu' is none of the devices"):
        f.explain("plan", device="tpu")


def test_other_modes_explain_what_c_would_do():
    assert "gemm" in layer(mode="numpy").explain("plan")


@pytest.mark.parametrize("name", CASES)
def test_every_small_program_explains_itself(name):
    c = CASES[name]()
    job = report.compile_expression(report.Compilation("f", c.outputs, c.updates))
    for lines in (report.rules(job), report.steps(job), report.storage(job), report.passes(job)):
        assert list(lines)
    for kernel in report.all_kernels(job):
        assert show(kernel).startswith(kernel.name)


# --- profiles -------------------------------------------------------------------------------------


def test_a_profile_counts_calls_and_time():
    f = layer(profile=True)
    arguments = np.ones((64, 32), "f4"), np.ones((32, 16), "f4"), np.zeros(16, "f4")
    for _ in range(5):
        f(*arguments)
    made = f.profile()
    assert [t.calls for t in made.timings] == [5] * len(made.timings)
    assert all(t.seconds > 0 for t in made.timings)
    assert sum(t.operations for t in made.timings) == 2 * 64 * 32 * 16
    assert made.startswith("5 calls, ") and "GFLOP/s" in made and "x @ w" in made


def test_a_profile_does_not_change_the_result():
    arguments = np.ones((3, 2), "f4"), np.ones((2, 4), "f4"), np.zeros(4, "f4")
    plain, timed = layer()(*arguments), layer(profile=True)(*arguments)
    assert plain.tobytes() == timed.tobytes()


def test_nothing_is_paid_without_a_profile():
    assert "SYMCOMP_TIMED" not in layer().explain("c")
    assert "SYMCOMP_TIMED" in layer(profile=True).explain("c")


def test_a_profile_must_have_been_asked_for():
    with pytest.raises(ArgumentError, match="profile=True"):
        layer().profile()


# --- option debug ---------------------------------------------------------------------------------


def test_debug_prints_more_and_more(capsys):
    sizes = []
    for level in range(6):
        with sc.options(debug=level):
            x = T.dvector("x")
            sc.function([x], T.tanh(x) * (level + 2), name="told")
        sizes.append(capsys.readouterr().err)
    assert sizes[0] == ""
    assert "symcomp: function told compiled in" in sizes[1] and "parallel" in sizes[1]
    assert "rules that fired" in sizes[2] and "loops:" not in sizes[2]
    assert "loops:" in sizes[3] and "static void" not in sizes[3]
    assert "static void" in sizes[4] and ".globl" not in sizes[4]
    assert "symcomp_entry" in sizes[5] and ".globl" in sizes[5]


def test_debug_says_what_came_from_the_cache(capsys):
    layer()
    with sc.options(debug=1):
        layer()
    assert "found in the cache" in capsys.readouterr().err


# --- the text of loops ----------------------------------------------------------------------------


def test_the_text_of_loops():
    n = Dimension("n")
    a, b, row = (buffer("float64", (n,), name) for name in ("a", "b", "row"))
    i, j, s = index(n, "i"), index(4, "j"), local("float64", "s")
    body = (
        Scratch(row),
        Let(s, constant(0.0)),
        For(j, (Store(row, j, load(a, j)),), "simd"),
        If(i < 3, (Store(b, i, s, "sum"),)),
    )
    kernel = Kernel("k1_test", (For(i, body, "parallel", 64),), "map: a")
    assert show(kernel).splitlines() == [
        "k1_test    map: a",
        "    parallel i < n, in pieces of 64",
        "        scratch row[n]",
        "        s = 0.0",
        "        simd j < 4",
        "            row[j] = a[j]",
        "        if i < 3",
        "            b[i] += s",
    ]


def test_sizes_are_shown_as_polynomials():
    n, m = Dimension("n"), Dimension("m")
    assert amount(7) == "7"
    assert amount(size.minus(size.times(n, m, 2), 1)) == "2·n·m - 1"
    assert amount(size.minus(1, n)) == "1 - n"
    assert amount(size.quotient(size.plus(n, 3), 4)) == "((n + 3) // 4)"
    assert amount(size.at_least_zero(size.minus(n, 1))) == "max(0, n - 1)"
