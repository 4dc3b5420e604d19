"""What the threads of a team do together, in the emulation: folds of every dtype, and barriers."""

from __future__ import annotations

import numpy as np
import pytest
from emulated import HERE, ORDERS, Kernels, missing_compiler

pytestmark = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())

SOURCE = (HERE / "team_kernels.cu").read_text(encoding="utf-8")
DTYPES = {
    "b": "bool", "f32": "float32", "f64": "float64",
    **{f"{'u' if unsigned else 'i'}{n}": f"{unsigned}int{n}"
       for n in (8, 16, 32, 64) for unsigned in ("", "u")},
}  # fmt: skip
WIDTHS = [*(2**k for k in range(11)), 96, 640]


def maximum(a, b):
    """sc_maximum: nan wins, and of equal ones the left."""
    return np.where(a >= b, a, np.where(a != a, a, b))


def minimum(a, b):
    return np.where(a <= b, a, np.where(a != a, a, b))


def truth(function):
    return lambda a, b: function(a, b).astype(a.dtype)


OPERATIONS = {
    "sum": np.add,
    "prod": np.multiply,
    "max": maximum,
    "min": minimum,
    "any": truth(np.logical_or),
    "all": truth(np.logical_and),
}


def butterfly(operation, rows):
    """Neighbours first, then pairs, and so on: how a team folds, whatever its width. One without a
    neighbour waits.
    """
    while rows.shape[1] > 1:
        even = rows.shape[1] // 2 * 2
        pairs = operation(rows[:, :even:2], rows[:, 1:even:2]).astype(rows.dtype)
        rows = np.concatenate([pairs, rows[:, even:]], axis=1)
    return rows


def bits(a):
    return a.view(f"u{a.dtype.itemsize}")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    names = [f"{op}_{suffix}" for op in OPERATIONS for suffix in DTYPES]
    folder = tmp_path_factory.mktemp("teams")
    return Kernels(folder, SOURCE, ("-ffp-contract=off",), [*names, "reversed"])


def values(suffix, operation, count, generator):
    dtype = np.dtype(DTYPES[suffix])
    if dtype.kind == "b":
        return generator.random(count) < (0.1 if operation == "any" else 0.9)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        x = generator.integers(info.min, info.max, count, dtype=dtype, endpoint=True)
        return np.where(generator.random(count) < 0.5, x, x % 3).astype(dtype)
    x = generator.normal(size=count) * 10.0 ** generator.integers(-3, 4, count)
    x[generator.random(count) < 0.2] = 0.0
    return (x * np.where(generator.random(count) < 0.5, 1, -1)).astype(dtype)


@np.errstate(all="ignore")
@pytest.mark.parametrize("suffix", DTYPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_folds_of_every_dtype_and_width(kernels, operation, suffix):
    """All threads get the same bits, those of the butterfly, under every order of threads."""
    generator = np.random.default_rng(11)
    for number, width in enumerate(WIDTHS):
        teams = max(32 // width, 1) * (2 if width < 32 else 1)
        rows = 2 * teams + 1 if width <= 32 else 3
        x = values(suffix, operation, 2 * rows * width, generator)
        if x.dtype.kind == "f" and number % 2:
            x[generator.integers(0, x.size, 2)] = np.nan, np.inf
        expected = butterfly(OPERATIONS[operation], x.reshape(2 * rows, width))
        order = ORDERS[number % len(ORDERS)]
        out = np.zeros_like(x)
        name = f"{operation}_{suffix}"
        kernels.launch(name, 2, (width, teams), x, out, rows, order=order)
        got = out.reshape(2 * rows, width)
        assert (bits(got) == bits(np.ascontiguousarray(got[:, :1]))).all(), "the same in a team"
        if x.dtype.kind == "f":
            same = (bits(got) == bits(expected)) | (np.isnan(got) & np.isnan(expected))
        else:
            same = got == expected
        assert same.all(), (name, width, order, x.reshape(2 * rows, width)[~same.all(1)][0])


@pytest.mark.parametrize("suffix", ["f32", "f64"])
def test_extremes_with_nan_and_zeros(kernels, suffix):
    dtype = np.dtype(DTYPES[suffix])
    for width in (1, 2, 32, 64, 1024):
        for place in {0, width // 2, width - 1}:
            x = np.zeros(2 * width, dtype)
            x[place] = np.nan
            x[width + place] = -0.0
            for name in ("max", "min"):
                out = np.ones_like(x)
                teams = max(32 // width, 1)
                kernels.launch(f"{name}_{suffix}", 1, (width, teams), x, out, 1, order="random")
                assert np.isnan(out[:width]).all(), (name, width, place)
                assert len(set(bits(out[width:]).tolist())) == 1, "one zero for all"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_barrier_of_the_team(kernels, width, order):
    """Also where the teams of a block have different numbers of rows."""
    teams = max(64 // width, 1) if width <= 32 else 1
    rows = 3 * teams + teams // 2 + 1
    x = np.arange(rows * width, dtype=np.int32)
    out = np.full_like(x, -7)
    shared = 4 * width * teams
    kernels.launch("reversed", 2, (width, teams), x, out, rows, shared=shared, order=order)
    assert np.array_equal(out.reshape(rows, width), x.reshape(rows, width)[:, ::-1])
