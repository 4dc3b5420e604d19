"""Scatters on a GPU: NumPy's results to the bit, whatever meets where, in any order of threads."""

from __future__ import annotations

import numpy as np
import pytest
from emulated import ORDERS, VARIABLE, missing_compiler

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import scatters
from symcomp.codegen.loops import Call, walk
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.graph.type import DTYPES
from tests.comparing import TINY_GRID, by_interpreter, by_numpy, shrink
from tests.small_programs import Case

emulated = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

CHANGES = {"inc": T.inc_subtensor, "set": T.set_subtensor}


def values(dtype: str, *shape: int, seed: int = 0) -> np.ndarray:
    """Numbers of a dtype whose sums depend on the order, where they are of floats."""
    made = np.random.default_rng(seed).normal(size=shape) * 50
    return (
        (made > 0)
        if dtype == "bool"
        else made.astype("int64" if dtype[0] == "u" else dtype).astype(dtype)
    )


def expected(change: str, x, at, v) -> np.ndarray:
    x = x.copy()
    with np.errstate(all="ignore"):
        np.add.at(x, at, v) if change == "inc" else x.__setitem__(at, v)
    return x


def assert_bits(got, wanted) -> None:
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    assert got.tobytes() == wanted.tobytes()


def scattered(change: str, dtype: str, positions: str, ndim: int, **options):
    """A function that changes rows, or elements, of an array."""
    x, v = (T.tensor(dtype, (None,) * ndim, name) for name in "xv")
    at = T.tensor(positions, (None,), "at")
    return sc.function([x, at, v], CHANGES[change](x[at], v), **options)


@pytest.fixture
def on_host():
    """Functions on the emulated GPU."""
    with sc.options(cuda_driver="host", device="cuda"):
        yield


# --- by the interpreter ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 40])
@pytest.mark.parametrize("rows", [1, 2, 9])
@pytest.mark.parametrize("tiny", [True, False], ids=["tiny parts", "as it is"])
def test_positions_of_all_kinds(count, rows, tiny, monkeypatch):
    """Rows, columns, single elements and elements of two arrays of positions; with repeats."""
    if tiny:
        shrink(monkeypatch, TINY_GRID)
    x, v, w, p = T.dmatrix("x"), T.dmatrix("v"), T.dmatrix("w"), T.dvector("p")
    i, j = T.lvector("i"), T.ivector("j")
    outputs = [
        change(x[key], value)
        for change in CHANGES.values()
        for key, value in ((i, v), ((slice(None), j), w), ((i, j), p))
    ]
    rng = np.random.default_rng(count)
    arguments = [
        values("float64", rows, 5), values("float64", count, 5), values("float64", rows, count),
        values("float64", count), rng.integers(-rows, rows, count),
        rng.integers(-5, 5, count).astype("int32"),
    ]  # fmt: skip
    c = Case([x, v, w, p, i, j], outputs, [], arguments)
    for got, wanted in zip(by_interpreter(c, rng, "cuda"), by_numpy(c), strict=True):
        assert_bits(got, wanted)


def steps(count: int, columns: int) -> list[str]:
    """What a scatter of so many rows is made of: kernels, and the sort."""
    x, v = (T.tensor("float32", (n, columns), "a") for n in (1000, count))
    at = T.tensor("int64", (count,), "at")
    output = T.inc_subtensor(x[at], v)
    job = compile_expression(Compilation("f", [output], [], device="cuda"))
    calls = [[s for s in walk(k.body) if isinstance(s, Call)] for k in job.program.kernels]
    return [found[0].symbol if found else "kernel" for found in calls]


def test_few_positions_are_one_kernel_and_many_are_sorted():
    copied = ["kernel"]
    assert steps(scatters.FEW, 8) == [*copied, "kernel"]
    assert steps(scatters.FEW + 1, 8) == [*copied, "kernel", "sort", *["kernel"] * 3]
    assert "sort" in steps(scatters.FEW, scatters.MOST_PAIRS), "pairs times columns are too many"


# --- by the emulation -----------------------------------------------------------------------------


@emulated
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_dtype(dtype, change, on_host):
    f = scattered(change, dtype, "int32", 2)
    rng = np.random.default_rng(1)
    for count in (20, 700):
        x, v = values(dtype, 30, 3), values(dtype, count, 3, seed=1)
        at = rng.integers(-30, 30, count).astype("int32")
        assert_bits(f(x, at, v), expected(change, x, at, v))


@emulated
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("columns", [0, 1, 3, 70])
def test_the_same_bits_in_each_order_of_threads(columns, change, on_host, monkeypatch):
    """Few positions and many, of one tile of the sort and of several; few places and many."""
    f = scattered(change, "float32", "int64", 2)
    rng = np.random.default_rng(2)
    for count, rows in ((0, 4), (1, 4), (256, 6), (257, 1), (2049, 5), (2500, 70_000)):
        x, v = values("float32", rows, columns), values("float32", count, columns, seed=3)
        at = rng.integers(-rows, rows, count)
        for order in ORDERS:
            monkeypatch.setenv(VARIABLE, order)
            assert_bits(f(x, at, v), expected(change, x, at, v))


@emulated
@pytest.mark.parametrize("count, rows", [(70_000, 9), (300, (1 << 24) + 5)])
def test_many_tiles_and_many_digits(count, rows, on_host):
    """So many tiles that their counts are summed up by a kernel; so many places that they have
    four digits.
    """
    f = scattered("inc", "int16", "int64", 1)
    x, v = values("int16", rows), values("int16", count, seed=4)
    at = np.random.default_rng(5).integers(-rows, rows, count)
    assert_bits(f(x, at, v), expected("inc", x, at, v))


@emulated
def test_signs_of_zero_and_what_is_no_number(on_host):
    """Nothing is added that was not asked for: -0 stays what it is."""
    f = scattered("inc", "float32", "int64", 1)
    x = np.asarray([-0.0, -0.0, np.inf, np.nan, 1], "f4")
    for count in (4, 400):
        at = np.resize([0, 2, -2, 4], count)
        v = np.resize(np.asarray([-0.0, -np.inf, 1, np.inf], "f4"), count)
        np.testing.assert_array_equal(f(x, at, v), expected("inc", x, at, v))
        assert np.signbit(f(x, at, v)[:2]).all()


@emulated
def test_an_embedding_is_updated_in_place(on_host):
    """The rows that are read, and no others, in the table itself."""
    table, ids = sc.shared(values("float32", 50, 6), "table"), T.ivector("ids")
    cost = (T.nn.embedding(table, ids) ** 2).sum()
    f = sc.function([ids], cost, updates=[(table, table - 0.25 * sc.grad(cost, table))])
    before = table.get_value()
    for count in (10, 600):
        old = table.get_value().astype("float64")
        at = np.random.default_rng(count).integers(0, 20, count).astype("int32")
        f(at)
        wanted = old.copy()
        np.add.at(wanted, at, -0.5 * old[at])
        np.testing.assert_allclose(table.get_value(), wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(table.get_value()[20:], before[20:])
