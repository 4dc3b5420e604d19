"""Rows that teams of a GPU hold in registers: which loops can be run so, and what comes out."""

from __future__ import annotations

import numpy as np
import pytest
from emulated import HERE, Kernels, missing_compiler

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import cuda
from symcomp.codegen.held_rows import RowLoops, row_loops
from symcomp.compile.pipeline import Compilation, compile_expression

emulated = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())


def rows_of(*outputs, updates=()) -> list[RowLoops | None]:
    """How the rows of each kernel are shared."""
    job = compile_expression(Compilation("f", list(outputs), list(updates), device="cuda"))
    return [row_loops(k) for k in job.program.kernels if cuda.is_launched(k)]


def normalised(x):
    return (x - T.mean(x, axis=1, keepdims=True)) / T.sqrt(T.var(x, axis=1, keepdims=True) + 1e-5)


# --- which loops ----------------------------------------------------------------------------------


def test_a_softmax_is_held_and_read_once():
    (rows,) = rows_of(T.nn.softmax(T.fmatrix("x")))
    assert (rows.lanes, rows.slots, rows.is_held) == (4, 4, True)
    assert len(rows.passes) == 3 and len(rows.begun) == 1
    assert len(rows.multiples) == 1 and len(list(rows.ways())) == 4


def test_of_float64_a_thread_has_half_as_many():
    (rows,) = rows_of(T.nn.softmax(T.dmatrix("x")))
    assert (rows.lanes, rows.slots) == (2, 4)


def test_one_fold_has_nothing_to_hold():
    (rows,) = rows_of(T.fmatrix("x").sum(axis=1))
    assert not rows.is_held and [held for held, _ in rows.ways()] == [False, False]


@pytest.mark.parametrize(
    "columns, ways",
    [(10, [(True, False)]), (1000, [(True, True)]), (1 << 20, [(True, True), (False, True)])],
)
def test_known_lengths_leave_fewer_cases(columns, ways):
    (rows,) = rows_of(T.nn.softmax(T.tensor("float32", (None, columns), "x")))
    expected = ways if columns < 1 << 20 else ways[1:] + ways[:1]
    assert sorted(rows.ways()) == sorted(expected)


def test_many_arrays_leave_fewer_vectors():
    a, b, c = T.fmatrix("a"), T.fmatrix("b"), T.fmatrix("c")
    y = a * b * c / T.sum(a * b * c, axis=1, keepdims=True)
    (rows,) = rows_of(y)
    assert rows.is_held and rows.slots < 4


def test_what_lies_elsewhere_in_a_row_is_not_held():
    x = T.fmatrix("x")
    e = T.exp(x - T.max(x, axis=1, keepdims=True))
    y = e[:, ::-1] / T.sum(e, axis=1, keepdims=True)
    assert None in rows_of(y)


def test_parts_of_a_long_fold_begin_at_whole_vectors():
    parts, _ = rows_of(T.fvector("x").sum())
    assert parts.multiples is not None and (False, True) in parts.ways()


# --- what comes out -------------------------------------------------------------------------------

FUNCTIONS = {
    "softmax": (T.nn.softmax, lambda x: np.exp(x - x.max(1, keepdims=True))),
    "sum": (lambda x: T.sum(x, axis=1), lambda x: x.sum(1)),
    "norm": (normalised, lambda x: (x - x.mean(1, keepdims=True))
             / np.sqrt(x.var(1, keepdims=True) + 1e-5)),
    "centred": (lambda x: x - T.max(x, axis=1, keepdims=True),
                lambda x: x - x.max(1, keepdims=True)),
    "place": (lambda x: x / T.sum(x, axis=1, keepdims=True) + T.arange(x.shape[1])[None, :],
              lambda x: x / x.sum(1, keepdims=True) + np.arange(x.shape[1])),
}  # fmt: skip
#: Teams within a warp and of many, rows of whole vectors or not, too long to be held, and none.
SHAPES = [
    (1, 1), (3, 2), (40, 100), (33, 7), (300, 8), (7, 127), (3, 1000), (2, 1001), (2, 10000),
    (1, 17000), (2, 20001), (0, 5), (1000, 10),
]  # fmt: skip


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_rows_of_every_length(name, dtype):
    if dtype.startswith("int") and name in ("softmax", "norm"):
        pytest.skip("of floats")
    ours, numpys = FUNCTIONS[name]
    generator = np.random.default_rng(5)
    with sc.options(cuda_driver="host"), np.errstate(all="ignore"):
        f = sc.function([x := T.matrix("x", dtype=dtype)], ours(x), device="cuda")
        for shape in SHAPES:
            value = (generator.normal(size=shape) * 5 + 2).astype(dtype)
            expected = numpys(value.astype("float64") if dtype.startswith("float") else value)
            if name == "softmax":
                expected = expected / expected.sum(1, keepdims=True)
            close = 2e-4 if dtype == "float32" else 1e-9
            got = f(value)
            np.testing.assert_allclose(got, expected, close, close, err_msg=str(shape))
            assert f(value).tobytes() == got.tobytes(), "the same bits again"


@emulated
def test_rows_are_updated_in_place():
    generator = np.random.default_rng(6)
    for shape in [(5, 12), (3, 1000), (40, 7), (1, 11000)]:
        value = generator.normal(size=shape).astype("float32")
        with sc.options(cuda_driver="host"):
            s = sc.shared(value.copy(), "s")
            f = sc.function([], [], updates=[(s, s - T.mean(s, axis=1, keepdims=True))],
                            device="cuda")  # fmt: skip
            f()
            np.testing.assert_allclose(
                s.get_value(), value - value.mean(1, keepdims=True), 1e-4, 1e-4
            )


@emulated
def test_nan_and_infinities_go_through():
    x = np.ones((4, 9), "float32")
    x[0, 3], x[1, 4], x[2, 8] = np.nan, np.inf, -np.inf
    with sc.options(cuda_driver="host"), np.errstate(all="ignore"):
        v = T.fmatrix("x")
        f = sc.function([v], [v / T.sum(v, axis=1, keepdims=True), T.max(v, axis=1)], device="cuda")
        quotient, largest = f(x)
        np.testing.assert_array_equal(quotient, x / x.sum(1, keepdims=True))
        np.testing.assert_array_equal(largest, x.max(1))


# --- quotients by one divisor ---------------------------------------------------------------------


@emulated
def test_names_that_are_none_of_c():
    x, b = T.fmatrix("2 rows"), T.fvector("bias 4")
    with sc.options(cuda_driver="host"):
        f = sc.function([x, b], T.nn.softmax(x + b), device="cuda")
        result = f(np.zeros((2, 6), "float32"), np.ones(6, "float32"))
    np.testing.assert_allclose(result, np.full((2, 6), 1 / 6), rtol=1e-6)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    source = (HERE / "row_kernels.cu").read_text(encoding="utf-8")
    return Kernels(tmp_path_factory.mktemp("rows"), source, ("-ffp-contract=off",))


@emulated
@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quotients_of_the_whole_range(kernels, dtype):
    """All but correctly rounded, and with the right zeros, infinities and nans."""
    dtype = np.dtype(dtype)
    info, generator = np.finfo(dtype), np.random.default_rng(7)
    low, high = info.minexp - info.nmant, info.maxexp
    wild = np.ldexp(generator.uniform(0.5, 1, 2000), generator.integers(low, high, 2000))
    edges = [0, 1, info.tiny, info.smallest_subnormal, info.max, np.inf, np.nan, 3, 1 / 3]
    values = np.array([*edges, *wild], dtype)
    x, s = np.concatenate([values, -values]), np.concatenate([values[:200], -values[:200]])
    out = np.zeros((s.size, x.size), dtype)
    kernels.launch(f"divided_f{8 * dtype.itemsize}", 2, (32, 1), x, s, out,
                   x.size, s.size)  # fmt: skip
    expected = x / s[:, None]
    finite = np.isfinite(expected) & np.isfinite(out)
    same = (out == expected) | (np.isnan(out) & np.isnan(expected))
    assert same[~finite].all()
    gap = np.abs(out - expected)[finite]
    assert (gap <= np.spacing(np.abs(expected[finite]))).all(), "the neighbour at most"
    small = info.tiny * dtype.type(2) ** (info.nmant + 2)
    assert same[(np.abs(x) >= small) & (np.abs(expected) >= info.tiny)].all()
    zeros = (expected == 0) & (out == 0)
    assert (np.signbit(out) == np.signbit(expected))[zeros].all()
