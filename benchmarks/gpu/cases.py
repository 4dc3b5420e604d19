"""What is timed on a GPU: formulas over the words of ``libraries``, with data and right answers.

A case is compared with NumPy, in float64, before it is timed: at the first and the last rows of its
result, or at all of it where each element depends on everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.gpu.libraries import Formula, Library

#: Elements of the largest array of a case that memory bounds, and without a GPU.
FULL, TOY = 10**8, 3000
#: Random numbers that are drawn for an array; a longer one repeats them.
PERIOD = 1_000_003
#: Elements at either end of a result that are compared.
COMPARED = 200_000
EAGER = ("symcomp", "torch", "jax", "cupy")
EVERYBODY = ("symcomp", "torch", "torch.compile", "jax", "cupy")
PRODUCTS = ("symcomp", "symcomp own kernels", "torch", "jax", "cupy")
CONVOLUTIONS = ("symcomp", "symcomp own kernels", "torch", "jax")
TOLERANCE = {"float32": 3e-5, "float64": 1e-11}
#: Of a sum of everything, or of long columns, whose float32 parts may be added one by one.
OF_SUMS = {"float32": 5e-4, "float64": 1e-11}


class Data(NamedTuple):
    """An array to be made: ``normal`` numbers, ``uniform`` ones from 0.1 to 1, ``small`` ones, or
    whole ones ``below`` a bound.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    kind: str = "normal"
    below: int = 0

    def make(self) -> np.ndarray:
        """The same numbers each time."""
        random, count = np.random.default_rng(11), int(np.prod(self.shape))
        if self.below:
            return random.integers(0, self.below, self.shape)
        some = min(count, PERIOD)
        drawn = {
            "normal": lambda: random.normal(size=some),
            "uniform": lambda: random.uniform(0.1, 1, some),
            "small": lambda: random.normal(0, 0.1, some),
        }[self.kind]()
        return np.resize(drawn.astype(self.dtype), self.shape)


@dataclass
class Prepared:
    """A call, and what says, after it was first made, whether its result is right.

    ``facts(value)`` is what the parent is told of the first result: ``wrong`` says what is wrong
    with it, ``costs`` are compared with those of the other contestants.
    """

    run: Callable[[], Any]
    facts: Callable[[Any], dict[str, Any]]


def _rows(arrays: Sequence[np.ndarray], rows: slice) -> list[np.ndarray]:
    return [a[rows] for a in arrays]


def _everything(arrays: Sequence[np.ndarray], rows: slice) -> list[np.ndarray] | None:
    return list(arrays)


@dataclass(frozen=True)
class Case:
    """One comparison.

    ``data(n)`` are the arrays for about n elements, ``cut(arrays, rows)`` what those rows of the
    result are computed from (``whole``: everything is compared, at once); ``moved`` the bytes that
    must be read and written, ``flops`` the arithmetic, both of the arrays and the result's size;
    ``least`` is the share of the copy's bandwidth that symcomp promises, and ``host_limit`` the
    most microseconds of the host's that a call takes.
    """

    group: str
    name: str
    formula: Formula
    data: Callable[[int], tuple[Data, ...]]
    contestants: tuple[str, ...] = EVERYBODY
    cut: Callable = _rows
    whole: bool = False
    moved: Callable[[Sequence[Data], int], int] | None = None
    flops: Callable[[Sequence[Data]], float] | None = None
    least: float = 0.0
    host_limit: float = 0.0
    size: int = FULL
    toy: int = TOY
    tolerance: dict[str, float] = field(default_factory=lambda: TOLERANCE)

    def arrays(self, toy: bool) -> tuple[Data, ...]:
        """The data at full or at toy size."""
        return self.data(self.toy if toy else self.size)

    def prepare(self, library: Library, toy: bool, held: "Held") -> Prepared:
        """The call, with its data on the GPU."""
        pairs = [held.get(d, library) for d in self.arrays(toy)]
        run = library.compiled(self.formula, [there for _, there in pairs])
        return Prepared(run, partial(self._facts, library, [here for here, _ in pairs]))

    def _facts(self, library: Library, arrays: list[np.ndarray], value: Any) -> dict[str, Any]:
        length, rest = value.shape[0] if len(value.shape) else 1, value.shape[1:]
        few = max(1, min(length, COMPARED // max(1, int(np.prod(rest)))))
        places = [slice(0, few), slice(length - few, length)]
        for rows in [slice(None)] if self.whole else places:
            own = [_exactly(a) for a in self.cut(arrays, rows)]
            expected = np.asarray(self.formula(Library(np), *own))
            got = library.host(value) if self.whole else library.rows(value, rows)
            if wrong := _difference(got, expected, self.tolerance):
                return {"wrong": wrong}
        return {"elements": int(np.prod(value.shape)), "bytes": got.dtype.itemsize}


class Held:
    """The arrays of the latest case, on the host and on the GPU."""

    def __init__(self) -> None:
        self.arrays: dict[Data, tuple[np.ndarray, Any]] = {}

    def keep(self, wanted: Sequence[Data]) -> None:
        """Forget all others."""
        self.arrays = {d: pair for d, pair in self.arrays.items() if d in wanted}

    def get(self, data: Data, library: Library) -> tuple[np.ndarray, Any]:
        if data not in self.arrays:
            made = data.make()
            self.arrays[data] = made, library.put(made)
        return self.arrays[data]


def _exactly(a: np.ndarray) -> np.ndarray:
    return a.astype(np.float64) if a.dtype == np.float32 else a


def _difference(got: np.ndarray, expected: np.ndarray, tolerance: dict[str, float]) -> str:
    got = np.asarray(got)
    if got.shape != expected.shape:
        return f"shape {got.shape}, not {expected.shape}"
    allowed = tolerance.get(str(got.dtype), 0.0)
    if np.allclose(got, expected, rtol=allowed, atol=allowed):
        return ""
    away = np.abs(got - expected)
    return f"differs by {np.nanmax(away) if np.isfinite(away).any() else np.nan:.2g}"


# --- what memory bounds ---------------------------------------------------------------------------


def _read_and_written(data: Sequence[Data], written: int) -> int:
    return sum(int(np.prod(d.shape)) * np.dtype(d.dtype).itemsize for d in data) + written


def _maps() -> list[Case]:
    formulas: dict[str, tuple[int, Formula]] = {
        "where(a > 0, a, a / 10)": (1, lambda w, a: w.where(a > 0, a, a * 0.1)),
        "a * b + a": (2, lambda w, a, b: a * b + a),
        "a² + b² + 2ab": (2, lambda w, a, b: a * a + b * b + 2 * a * b),
        "tanh(a) * exp(-b²)": (2, lambda w, a, b: w.tanh(a) * w.exp(-b * b)),
    }
    kinds = ("normal", "uniform")

    def data(n: int, inputs: int, dtype: str) -> tuple[Data, ...]:
        return tuple(Data((n,), dtype, kind) for kind in kinds[:inputs])

    return [
        Case("elementwise", f"{name}, {dtype}", formula, partial(data, inputs=inputs, dtype=dtype),
             moved=_read_and_written, least=0.85)
        for dtype in ("float32", "float64") for name, (inputs, formula) in formulas.items()
    ]  # fmt: skip


def _of_rows() -> list[Case]:
    formulas: dict[str, Formula] = {
        "sum": lambda w, x: w.total(x, 1),
        "max": lambda w, x: w.largest(x, 1),
        "variance": lambda w, x: w.variance(x, 1),
        "softmax": lambda w, x: w.softmax(x),
        "normalised": lambda w, x: w.normalised(x),
    }

    def data(n: int, length: int, dtype: str = "float32") -> tuple[Data, ...]:
        return (Data((max(1, n // length), length), dtype, "uniform"),)

    def case(name: str, length: int, dtype: str) -> Case:
        title = f"{name} of rows of {length}, {dtype}"
        given = partial(data, length=length, dtype=dtype)
        return Case("rows", title, formulas[name], given, moved=_read_and_written, least=0.85)

    made = [case(name, 1000, "float32") for name in formulas]
    made += [case(name, n, "float32") for n in (100, 10_000) for name in ("sum", "softmax")]
    made += [case("sum", 1_000_000, "float32")]
    return made + [case(name, 1000, "float64") for name in ("sum", "softmax")]


def _columns() -> list[Case]:
    def data(n: int, columns: int) -> tuple[Data, ...]:
        return (Data((max(1, n // columns), columns), "float32", "uniform"),)

    return [
        Case("columns", f"sum of {n} columns, float32", lambda w, x: w.total(x, 0),
             partial(data, columns=n), cut=_everything, whole=True, moved=_read_and_written,
             tolerance=OF_SUMS)
        for n in (100, 10_000, 1_000_000)
    ]  # fmt: skip


def _folds() -> list[Case]:
    def data(n: int, dtype: str, inputs: int) -> tuple[Data, ...]:
        return tuple(Data((n,), dtype, kind) for kind in ("uniform", "normal")[:inputs])

    return [
        Case("full", f"{name}, {dtype}", formula, partial(data, dtype=dtype, inputs=inputs),
             cut=_everything, whole=True, moved=_read_and_written, tolerance=OF_SUMS)
        for name, dtype, inputs, formula in (
            ("sum(a)", "float32", 1, lambda w, a: w.total(a)),
            ("sum(a)", "float64", 1, lambda w, a: w.total(a)),
            ("sum((a - b)²)", "float32", 2, lambda w, a, b: w.total((a - b) * (a - b))),
        )
    ]  # fmt: skip


def _moved_about() -> list[Case]:
    """Transposes, gathers and scatters."""

    def matrix(n: int, columns: int, dtype: str) -> tuple[Data, ...]:
        return (Data((max(1, n // columns), columns), dtype),)

    def columns(arrays: Sequence[np.ndarray], rows: slice) -> list[np.ndarray]:
        return [arrays[0][:, rows]]

    def transposed(n: int, dtype: str) -> Case:
        return Case(
            "transposes", f"xᵀ of {FULL // n} × {n}, {dtype}", lambda w, x: w.transposed(x),
            partial(matrix, columns=n, dtype=dtype), EAGER, columns, moved=_read_and_written,
        )  # fmt: skip

    def table(n: int, width: int, share: float) -> tuple[Data, ...]:
        """Rows of a table, and where to take (share) of as many."""
        length = max(2, n // width)
        return Data((length, width)), Data((max(1, int(share * length)),), "int64", below=length)

    def positions(arrays: Sequence[np.ndarray], rows: slice) -> list[np.ndarray]:
        return [arrays[0], arrays[1][rows]]

    def taken(data: Sequence[Data], written: int) -> int:
        """What was written was read, too; and the positions."""
        return 2 * written + 8 * int(np.prod(data[1].shape))

    def gathered(width: int, size: int) -> Case:
        return Case(
            "gathers", f"x[at], {size // width} rows of {width}, float32",
            lambda w, x, at: w.picked(x, at), partial(table, width=width, share=1.0), EAGER,
            positions, moved=taken, size=size,
        )  # fmt: skip

    def changed(n: int, width: int) -> tuple[Data, ...]:
        length = max(2, n // width)
        at = Data((max(1, length // 2),), "int64", below=length)
        return Data((length, width)), at, Data((max(1, length // 2), width), "float32", "uniform")

    def scattered(data: Sequence[Data], written: int) -> int:
        """The table copied; at as many rows as there are positions, two reads and a write."""
        return 2 * written + 3 * 4 * int(np.prod(data[2].shape)) + 8 * data[1].shape[0]

    scatter = Case(
        "scatters", "x with v added to the rows at, 20000 of 40000 rows of 250, float32",
        lambda w, x, at, v: w.added(x, at, v), partial(changed, width=250), EAGER, _everything,
        whole=True, moved=scattered, size=10**7,
    )  # fmt: skip
    made = [
        transposed(10_000, "float32"),
        transposed(100, "float32"),
        transposed(10_000, "float64"),
    ]
    return [*made, gathered(250, FULL), gathered(1, FULL // 10), scatter]


@dataclass(frozen=True)
class Draw:
    """Random numbers: their mean and their variance must be right."""

    group: str
    name: str
    kind: str
    contestants: tuple[str, ...] = EAGER
    least: float = 0.0

    def arrays(self, toy: bool) -> tuple[Data, ...]:
        """There are none."""
        return ()

    def prepare(self, library: Library, toy: bool, held: Held) -> Prepared:
        count = TOY if toy else FULL
        return Prepared(library.draws(self.kind, count), partial(self._facts, library, count))

    def _facts(self, library: Library, count: int, value: Any) -> dict[str, Any]:
        some = min(count, 10**6)
        drawn = library.rows(value, slice(0, some)).astype(float)
        mean, variance = {"uniform": (0.5, 1 / 12), "normal": (0, 1)}[self.kind]
        found, spread = drawn.mean(), drawn.var()
        if abs(found - mean) < 6 / some**0.5 and abs(spread - variance) < 12 / some**0.5:
            return {"elements": count, "bytes": 4}
        return {"wrong": f"mean {found:.3g}, variance {spread:.3g}"}

    def moved(self, data: Sequence[Data], written: int) -> int:
        return written

    flops = None


# --- what arithmetic bounds -----------------------------------------------------------------------


def _products() -> list[Case]:
    def data(n: int, shape: tuple[int, int, int], dtype: str) -> tuple[Data, ...]:
        rows, inner, columns = (max(3, size * n // FULL) for size in shape)
        return Data((rows, inner), dtype), Data((inner, columns), dtype, "uniform")

    def rows(arrays: Sequence[np.ndarray], rows: slice) -> list[np.ndarray]:
        return [arrays[0][rows], arrays[1]]

    def flops(data: Sequence[Data]) -> float:
        return 2.0 * data[0].shape[0] * data[0].shape[1] * data[1].shape[1]

    sizes = [
        ("float32", (1024, 1024, 1024)),
        ("float32", (4096, 4096, 4096)),
        ("float32", (8192, 8192, 8192)),
        ("float32", (1024, 784, 4096)),
        ("float64", (1024, 1024, 1024)),
        ("float64", (4096, 4096, 4096)),
    ]
    return [
        Case("products", f"{m} × {k} @ {k} × {n}, {dtype}", lambda w, a, b: a @ b,
             partial(data, shape=(m, k, n), dtype=dtype), PRODUCTS, rows, flops=flops,
             toy=FULL // 200, tolerance={"float32": 2e-3, "float64": 1e-9})
        for dtype, (m, k, n) in sizes
    ]  # fmt: skip


def _convolutions() -> list[Case]:
    #: Images, channels in and out, rows and columns of the results, of the filters.
    sizes = {
        "3×3, 64→64 channels, 64 × 56²": (64, 64, 64, 56, 3),
        "1×1, 256→1024 channels, 64 × 14²": (64, 256, 1024, 14, 1),
        "5×5, 20→50 channels, 1000 × 8²": (1000, 20, 50, 8, 5),
    }

    def data(n: int, which: str, shape: tuple[int, ...]) -> tuple[Data, ...]:
        if n < FULL:
            shape = (2, 3, 5, 6, shape[-1])
        images, inner, outer, length, taps = shape
        whole = length + taps - 1
        x, w = Data((images, inner, whole, whole)), Data((outer, inner, taps, taps))
        v = Data((images, outer, length, length), "float32", "uniform")
        return {"forward": (x, w), "images": (w, v, x), "filters": (x, v, w)}[which]

    def flops(data: Sequence[Data], shape: tuple[int, ...]) -> float:
        images, inner, outer, length, taps = shape
        return 2.0 * images * inner * outer * length**2 * taps**2

    ways: dict[str, tuple[Formula, Callable]] = {
        "forward": (lambda w, x, f: w.conv(x, f), lambda a, rows: [a[0][rows], a[1]]),
        "images": (
            lambda w, f, v, x: w.conv_images(f, v, x),
            lambda a, rows: [a[0], a[1][rows], a[2][rows]],
        ),
        "filters": (lambda w, x, v, f: w.conv_filters(x, v, f), _everything),
    }
    return [
        Case("convolutions", f"{name}: {which}", formula, partial(data, which=which, shape=shape),
             CONVOLUTIONS, cut, which == "filters", flops=partial(flops, shape=shape),
             tolerance={"float32": 1e-2})
        for name, shape in sizes.items() for which, (formula, cut) in ways.items()
    ]  # fmt: skip


CASES: list[Any] = [
    *_maps(),
    *_of_rows(),
    *_products(),
    *_convolutions(),
    *_columns(),
    *_folds(),
    *_moved_about(),
    Draw("random", "uniform, 10⁸ float32", "uniform"),
    Draw("random", "normal, 10⁸ float32", "normal"),
]
