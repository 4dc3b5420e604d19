"""The operations on windows: pooling, patches, and all that follows from them.

Two operations pool: `Pool` by a sum and `Pool` by a maximum. An average is a sum divided by how
many elements the window holds, an l2 norm the root of a sum of squares. The gradient of a sum is
`Spread`, its transpose. That of a maximum goes to the *first* largest element of each window, row
by row (nan counts as largest), as in PyTorch and JAX: `LargestAt` says which one it is, `PutAt`
puts a value there, and `PickAt`, the transpose of `PutAt`, takes the value from there. They are
linear in that value, so derivatives of every order stay within the family. `Patches` are the
elements of windows as they are, `Overlay`, its transpose, adds patches up where they lie.

Gradients are gathers: each element adds up what it gets from the windows that hold it, and where
windows do not overlap there is one. So a gradient is an equation like any other, which fuses with
what is computed from it.
"""

from __future__ import annotations

import numpy as np

from symcomp.errors import DtypeError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr, constant
from symcomp.graph.notation import MONOIDS, identity
from symcomp.graph.op import Op, apply, operation
from symcomp.graph.scalar import cast
from symcomp.graph.size import Size
from symcomp.graph.type import Type, is_float
from symcomp.tensor import arithmetic
from symcomp.tensor.arithmetic import where
from symcomp.tensor.indexing import zero
from symcomp.tensor.layout import filled, filled_values, template
from symcomp.tensor.windows import (
    Even,
    Window,
    Windows,
    all_of,
    chosen,
    described,
    elements,
    folded,
    holders,
    row_major,
    taken,
    taps,
)

#: Windows of at most so many elements are written out: a maximum of four loads, not a loop.
SMALL = 16

#: What the position of an element in its window is counted in.
POSITION = "int32"


class Gathering(Op, register=False):
    """Operations whose equations read several places, and keep them all within the axes."""

    def repeats(self, x: Expr) -> bool:
        """Whether elements of an argument are read more than once by what computes a result."""
        return True

    def taps(self, x: Expr) -> int:
        """How often the formula of one result repeats the formula of an argument."""
        return 1


class Windowed(Gathering, register=False):
    """What all operations on windows have in common."""

    axes: tuple[int, ...]
    windows: Windows

    def counts(self, shape) -> tuple:
        """A shape with the number of windows on the axes that have them."""
        windows = dict(zip(self.axes, self.windows, strict=True))
        return tuple(windows[a].count(n) if a in windows else n for a, n in enumerate(shape))

    def require(self, shape) -> None:
        for a, w in zip(self.axes, self.windows, strict=True):
            w.require(shape[a])

    def volume(self, shape) -> Size:
        """How many elements a window has at most."""
        return size.product(
            [w.extent(shape[a]) for a, w in zip(self.axes, self.windows, strict=True)]
        )

    def repeats(self, x):
        return any(w.overlap for w in self.windows)

    def text(self, *args):
        options = [getattr(self, "monoid", ""), f"axes={self.axes}", described(self.windows)]
        return f"{self.name}({', '.join([*args, *filter(None, options)])})"

    def same_counts(self, have, want) -> None:
        message = "{} results do not fit {} windows"
        for n, m in zip(have, want, strict=True):
            size.same_size(n, m, message)


class _Spreading(Windowed, register=False):
    """Operations whose result has the windows' elements: lengths that are None are arguments."""

    lengths: tuple[int | None, ...]

    def shape(self, of, sizes) -> tuple:
        lengths = filled(self.lengths, [getattr(s, "expr", s) for s in sizes])
        result = list(of)
        for a, n in zip(self.axes, lengths, strict=True):
            result[a] = n
        return tuple(result)

    def empty(self, like: np.ndarray, sizes) -> np.ndarray:
        shape = list(like.shape)
        for a, n in zip(self.axes, filled_values(self.lengths, sizes), strict=True):
            shape[a] = int(n)
        return np.zeros(shape, like.dtype)


def _require_numbers(x: Expr) -> None:
    if x.dtype == "bool":
        raise DtypeError("a sum over windows needs numbers, not bool: cast them")


def is_small(volume: Size) -> bool:
    return isinstance(volume, int) and volume <= SMALL


@operation
class Pool(Windowed):
    """Windows folded by a monoid: out[i] = Σₖ x[i·stride + k − before]."""

    monoid: str
    axes: tuple[int, ...]
    windows: Windows

    samples = (
        (("max", (1,), (Window(2, 2),)), (2, 5)),
        (("sum", (0, 1), (Window(2, 1), Window(3, 2, 1, 1))), (4, 5)),
        (("max", (1, 2), (Window(3, 2, 1, 1), Window(2, 2, 0, 0, True))), (1, 4, 5)),
        (("max", (0,), (Window(20, 3, 4, 2),)), (23,)),
        (("sum", (0,), (Window(2, 3, 0, 0, True),)), (7,)),
        (("sum", (0, 1), (Even(3), Even(1))), (7, 2)),
        (("max", (1,), (Even(4),)), (2, 6)),
        (("max", (0,), (Window(3, 1),)), (2,)),
        (("sum", (1,), (Window(2, 2),)), (0, 4)),
    )

    def type(self, x):
        if self.monoid == "sum":
            _require_numbers(x)
        self.require(x.shape)
        return Type(x.dtype, self.counts(x.shape))

    def element(self, x, *indices):
        twice = self.monoid == "max"  # the largest is the same if an element counts twice
        places = elements(self.axes, self.windows, x.shape, indices, clamp=twice)
        value = x[places.at]
        if not twice:
            value = chosen(places.conditions, value, zero(x.dtype))
        return folded(self.monoid, places.bound, value)

    def taps(self, x):
        volume = self.volume(x.shape)
        return volume if is_small(volume) else 1

    def vjp(self, g, out, x):
        if not is_float(x.dtype):
            return (None,)
        if self.monoid == "sum":
            return (spread(g, self.axes, self.windows, x.shape),)
        at = largest_at(x, out, self.axes, self.windows)
        return (put_at(g, at, self.axes, self.windows, x.shape),)

    def numpy(self, x):
        monoid = MONOIDS[self.monoid]
        start = np.asarray(monoid.identity(x.dtype.name), x.dtype)
        out = np.full(self.counts(x.shape), start)
        with np.errstate(all="ignore"):
            for _, at, mask in taps(self.axes, self.windows, x.shape):
                out = monoid.numpy(out, np.where(mask, taken(x, self.axes, at), start))
        return out.astype(x.dtype)


@operation
class Spread(_Spreading):
    """What reaches the elements of windows: out[q] = Σ g[i] over the windows i that hold q. The
    transpose of `Pool` by a sum.
    """

    axes: tuple[int, ...]
    windows: Windows
    lengths: tuple[int | None, ...]

    samples = (
        (((1,), (Window(2, 2),), (5,)), (2, 2)),
        (((0, 1), (Window(2, 1), Window(3, 2, 1, 1)), (4, None)), (3, 3), 5),
        (((0,), (Window(2, 3, 0, 0, True),), (7,)), (3,)),
        (((0, 1), (Even(3), Even(1)), (7, 2)), (3, 1)),
        (((0,), (Even(4),), (None,)), (4,), 2),
    )

    def type(self, g, *sizes):
        _require_numbers(g)
        shape = self.shape(g.shape, sizes)
        self.require(shape)
        self.same_counts(g.shape, self.counts(shape))
        return Type(g.dtype, shape)

    def element(self, g, *rest):
        cut = len(rest) - g.ndim
        sizes, indices = rest[:cut], rest[cut:]
        places = holders(self.axes, self.windows, self.shape(g.shape, sizes), indices)
        value = chosen(places.conditions, g[places.at], zero(g.dtype))
        return folded("sum", places.bound, value)

    def repeats(self, g):
        return True

    def vjp(self, g, out, of, *sizes):
        return (apply(Pool("sum", self.axes, self.windows), g), *(None for _ in sizes))

    def numpy(self, g, *sizes):
        out = self.empty(g, sizes)
        for _, at, mask in taps(self.axes, self.windows, out.shape):
            _add_at(out, self.axes, at, np.where(mask, g, g.dtype.type(0)))
        return out


def _add_at(out: np.ndarray, axes, at, values) -> None:
    places = dict(zip(axes, at, strict=True))
    grid = np.ix_(*(places.get(a, np.arange(n)) for a, n in enumerate(out.shape)))
    with np.errstate(all="ignore"):
        np.add.at(out, grid, values)


@operation
class LargestAt(Windowed):
    """The number in its window, row by row, of the first largest element; of the first nan where
    there is one. Large windows are given with their largest elements.
    """

    axes: tuple[int, ...]
    windows: Windows

    samples = (
        (((1,), (Window(2, 2),)), (2, 5)),
        (((0, 1), (Window(2, 1), Window(3, 2, 1, 1))), (4, 5)),
        (((0,), (Window(3, 2, 1, 1, True),)), (6,)),
    )

    def type(self, x, *best):
        self.require(x.shape)
        if not best and not is_small(self.volume(x.shape)):
            raise ShapeError(
                "large windows are searched for what is given as their largest element"
            )
        counts = self.counts(x.shape)
        for b in best:
            self.same_counts(b.shape, counts)
        return Type(POSITION, counts)

    def element(self, x, *rest):
        cut = len(rest) - x.ndim
        best, indices = rest[:cut], rest[cut:]
        return self._searched(x, best[0], indices) if best else self._compared(x, indices)

    def _searched(self, x, best, indices):
        """The first element that is no smaller than the largest."""
        places = elements(self.axes, self.windows, x.shape, indices, clamp=True)
        value = x[places.at]
        hit = arithmetic.logical_not(value < best[tuple(indices)])
        if is_float(x.dtype):
            hit = where(arithmetic.isnan(best[tuple(indices)]), arithmetic.isnan(value), hit)
        hit = all_of((*places.conditions, hit))
        last = identity("min", POSITION)
        number = cast(size.as_expr(places.number), POSITION)
        return folded("min", places.bound, where(hit, number, last))

    def _compared(self, x, indices):
        """The largest element, and from the last to the first each that is it. What stands for an
        element outside is one of the window, which is met again by its own number.
        """
        extents = [w.extent(x.shape[a]) for a, w in zip(self.axes, self.windows, strict=True)]
        read = [
            elements(self.axes, self.windows, x.shape, indices, k, clamp=True)
            for k in np.ndindex(*extents)
        ]
        values = [x[places.at] for places in read]
        best = values[0]
        for v in values[1:]:
            best = _larger(v, best)
        at = constant(np.asarray(len(read) - 1, POSITION))
        for places, v in list(zip(read, values, strict=True))[-2::-1]:
            hit = arithmetic.equal(v, best)
            if is_float(x.dtype):
                hit = arithmetic.bitwise_or(hit, arithmetic.isnan(v))
            number = constant(np.asarray(places.number, POSITION))
            at = where(all_of((*places.conditions, hit)), number, at)
        return at

    def taps(self, x):
        volume = self.volume(x.shape)
        return 2 * volume if is_small(volume) else 1

    def numpy(self, x, *best):
        lowest = np.asarray(MONOIDS["max"].identity(x.dtype.name), x.dtype)
        best = np.full(self.counts(x.shape), lowest)
        at = np.full(best.shape, -1)
        extents = [w.extent(x.shape[a]) for a, w in zip(self.axes, self.windows, strict=True)]
        for k, places, mask in taps(self.axes, self.windows, x.shape):
            value = taken(x, self.axes, places)
            larger = (at < 0) | (value > best) | ((value != value) & (best == best))
            hit = mask & larger
            best, at = np.where(hit, value, best), np.where(hit, row_major(extents, k), at)
        return at.astype(POSITION)


def _larger(x: Expr, y: Expr) -> Expr:
    """The larger of two; nan where either is. Compilers make lanes of it, and no branches."""
    if not is_float(x.dtype):
        return arithmetic.maximum(x, y)
    return where(arithmetic.isnan(x), x, where(x > y, x, y))


@operation
class PutAt(_Spreading):
    """Values put where windows have their largest elements: out[q] = Σ g[i] over the windows i in
    which q has the number at[i]. The transpose of `PickAt`.
    """

    axes: tuple[int, ...]
    windows: Windows
    lengths: tuple[int | None, ...]

    samples = (
        (((1,), (Window(2, 2),), (5,)), (2, 2), [[0, 1], [1, 0]]),
        (((0,), (Window(3, 2, 1, 1),), (None,)), (3,), [1, 0, 2], 5),
        (((0,), (Window(2, 3, 0, 0, True),), (7,)), (3,), [1, 0, 0]),
        (((0,), (Even(3),), (None,)), (3,), [2, 1, 0], 7),
    )

    def type(self, g, at, *sizes):
        _require_numbers(g)
        shape = self.shape(g.shape, sizes)
        self.require(shape)
        self.same_counts(g.shape, self.counts(shape))
        self.same_counts(at.shape, g.shape)
        return Type(g.dtype, shape)

    def element(self, g, at, *rest):
        cut = len(rest) - g.ndim
        sizes, indices = rest[:cut], rest[cut:]
        places = holders(self.axes, self.windows, self.shape(g.shape, sizes), indices)
        number = cast(size.as_expr(places.number), at.dtype)
        hit = arithmetic.equal(at[places.at], number)
        hit = all_of((*places.conditions, hit))
        return folded("sum", places.bound, where(hit, g[places.at], zero(g.dtype)))

    def repeats(self, g):
        return True

    def vjp(self, g, out, of, at, *sizes):
        return (apply(PickAt(self.axes, self.windows), g, at), *(None for _ in (at, *sizes)))

    def numpy(self, g, at, *sizes):
        out = self.empty(g, sizes)
        extents = [w.extent(out.shape[a]) for a, w in zip(self.axes, self.windows, strict=True)]
        for k, places, mask in taps(self.axes, self.windows, out.shape):
            hit = mask & (at == row_major(extents, k))
            _add_at(out, self.axes, places, np.where(hit, g, g.dtype.type(0)))
        return out


@operation
class PickAt(Windowed):
    """The element of each window that has the number at[i]."""

    axes: tuple[int, ...]
    windows: Windows

    samples = (
        (((1,), (Window(2, 2),)), (2, 5), [[0, 1], [1, 0]]),
        (((0,), (Window(3, 2, 1, 1),)), (5,), [1, 0, 1]),
        (((0,), (Even(3),)), (7,), [2, 1, 0]),
    )

    def type(self, x, at):
        self.require(x.shape)
        self.same_counts(at.shape, self.counts(x.shape))
        return Type(x.dtype, at.shape)

    def element(self, x, at, *indices):
        numbers = []
        left = cast(at[tuple(indices)], "int64")
        for a, w in reversed(list(zip(self.axes, self.windows, strict=True))):
            extent = size.as_expr(w.extent(x.shape[a]))
            numbers.append(arithmetic.mod(left, extent))
            left = arithmetic.floor_divide(left, extent)
        place = list(indices)
        for a, w, k in zip(self.axes, self.windows, reversed(numbers), strict=True):
            place[a] = size.as_expr(w.position(indices[a], 0, x.shape[a])) + k
        return x[tuple(place)]

    def vjp(self, g, out, x, at):
        return put_at(g, at, self.axes, self.windows, x.shape), None

    def numpy(self, x, at):
        out = np.zeros(at.shape, x.dtype)
        extents = [w.extent(x.shape[a]) for a, w in zip(self.axes, self.windows, strict=True)]
        for k, places, mask in taps(self.axes, self.windows, x.shape):
            hit = mask & (at == row_major(extents, k))
            out = np.where(hit, taken(x, self.axes, places), out)
        return out


@operation
class Patches(Windowed):
    """The elements of windows: out[i, k] = x[i·stride + k − before], where x is 0 outside its
    lengths. The axes of k follow all others.
    """

    axes: tuple[int, ...]
    windows: tuple[Window, ...]

    samples = (
        (((1,), (Window(2, 2),)), (2, 5)),
        (((0, 1), (Window(2, 1), Window(3, 2, 1, 1))), (4, 5)),
    )

    def type(self, x):
        self.require(x.shape)
        return Type(x.dtype, (*self.counts(x.shape), *(w.length for w in self.windows)))

    def element(self, x, *indices):
        outer, k = indices[: x.ndim], indices[x.ndim :]
        places = elements(self.axes, self.windows, x.shape, outer, k)
        return chosen(places.conditions, x[places.at], zero(x.dtype))

    def vjp(self, g, out, x):
        if not is_float(x.dtype):
            return (None,)
        literal, sizes = template([x.shape[a] for a in self.axes])
        return (apply(Overlay(self.axes, self.windows, literal), g, *sizes),)

    def numpy(self, x):
        lengths = tuple(w.length for w in self.windows)
        out = np.zeros((*self.counts(x.shape), *lengths), x.dtype)
        for k, at, mask in taps(self.axes, self.windows, x.shape):
            out[(..., *k)] = np.where(mask, taken(x, self.axes, at), x.dtype.type(0))
        return out


@operation
class Overlay(_Spreading):
    """Patches added up where they lie: out[q] = Σ g[i, k] over the windows i whose element k is q.
    The transpose of `Patches`.
    """

    axes: tuple[int, ...]
    windows: tuple[Window, ...]
    lengths: tuple[int | None, ...]

    samples = (
        (((1,), (Window(2, 2),), (5,)), (2, 2, 2)),
        (((0, 1), (Window(2, 1), Window(3, 2, 1, 1)), (4, None)), (3, 3, 2, 3), 5),
    )

    def whole(self, g, sizes) -> tuple:
        return self.shape(g.shape[: g.ndim - len(self.axes)], sizes)

    def type(self, g, *sizes):
        _require_numbers(g)
        shape = self.whole(g, sizes)
        self.require(shape)
        self.same_counts(g.shape, (*self.counts(shape), *(w.length for w in self.windows)))
        return Type(g.dtype, shape)

    def element(self, g, *rest):
        cut = len(rest) - g.ndim + len(self.axes)
        sizes, indices = rest[:cut], rest[cut:]
        places = holders(self.axes, self.windows, self.whole(g, sizes), indices)
        value = chosen(places.conditions, g[(*places.at, *places.numbers)], zero(g.dtype))
        return folded("sum", places.bound, value)

    def vjp(self, g, out, of, *sizes):
        return (apply(Patches(self.axes, self.windows), g), *(None for _ in sizes))

    def numpy(self, g, *sizes):
        first = g[(..., *(0 for _ in self.axes))]
        out = self.empty(first, sizes)
        for k, at, mask in taps(self.axes, self.windows, out.shape):
            _add_at(out, self.axes, at, np.where(mask, g[(..., *k)], g.dtype.type(0)))
        return out


@operation
class Held(Op):
    """How many elements each window of one axis holds, with or without the padding."""

    window: Window | Even
    padded: bool
    dtype: str
    length: int | None

    samples = (
        ((Window(3, 2, 1, 1), False, "float64", 5),),
        ((Window(3, 2, 1, 1, True), True, "float32", 6),),
        ((Even(3), False, "float64", None), 7),
    )

    def text(self, *sizes):
        n = filled_values((self.length,), sizes)[0]
        return f"held({n}, {described((self.window,))}{', padded' if self.padded else ''})"

    def _n(self, sizes) -> Size:
        return filled((self.length,), [getattr(s, "expr", s) for s in sizes])[0]

    def type(self, *sizes):
        return Type(self.dtype, (self.window.count(self._n(sizes)),))

    def element(self, *rest):
        *sizes, i = rest
        n, w = self._n(sizes), self.window
        if isinstance(w, Even):
            return cast(size.as_expr(size.minus(w.end(i, n), w.start(i, n))), self.dtype)
        begin = size.as_expr(w.position(i, 0, n))
        end = size.as_expr(w.position(i, w.length, n))
        last = size.as_expr(size.plus(n, w.after) if self.padded else n)
        if w.before and not self.padded:
            begin = where(begin >= 0, begin, size.as_expr(0))
        end = where(size.as_expr(size.minus(last, end)) >= 0, end, last)
        return cast(end - begin, self.dtype)

    def numpy(self, *sizes):
        n = int(filled_values((self.length,), sizes)[0])
        w = self.window
        i = np.arange(w.count(n))
        if isinstance(w, Even):
            return (-(-(i + 1) * n // w.results) - i * n // w.results).astype(self.dtype)
        begin = i * w.stride - w.before
        end = np.minimum(begin + w.length, n + w.after if self.padded else n)
        begin = begin if self.padded else np.maximum(begin, 0)
        return (end - begin).astype(self.dtype)


# --- the operations as functions ------------------------------------------------------------------


def spread(g: Expr, axes, windows: Windows, shape) -> Expr:
    """`Spread` to an array of the given shape."""
    literal, sizes = template([shape[a] for a in axes])
    return apply(Spread(tuple(axes), windows, literal), g, *sizes)


def put_at(g: Expr, at: Expr, axes, windows: Windows, shape) -> Expr:
    """`PutAt` into an array of the given shape."""
    literal, sizes = template([shape[a] for a in axes])
    return apply(PutAt(tuple(axes), windows, literal), g, at, *sizes)


def largest_at(x: Expr, best: Expr, axes, windows: Windows) -> Expr:
    """`LargestAt`, with the largest elements where windows are large."""
    op = LargestAt(tuple(axes), windows)
    return apply(op, x) if is_small(op.volume(x.shape)) else apply(op, x, best)
