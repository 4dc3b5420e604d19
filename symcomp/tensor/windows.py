"""Windows over an axis: which elements a window holds, and which windows hold an element.

Everything that pools, and every derivative of it, is an equation about one relation: element `q` of
an axis of length `n` is number `k` of window `i`. Read from the windows to the elements it is
pooling; read from the elements to the windows it is the gradient, as a gather. Both directions are
written here once, for regular windows (`Window`) and for as many windows as there should be results
(`Even`).

A position that may lie outside is kept inside by a guard of its own, one for each axis: so a loop
over the elements of a row has no guard but its own axis's, and code generation can peel it off (see
codegen/phases.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from symcomp.errors import ArgumentError, ShapeError
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import Index, fold, index
from symcomp.graph.size import Size
from symcomp.tensor.arithmetic import bitwise_and, greater_equal, where


class Window(NamedTuple):
    """Windows of a length, a stride apart; the first begins `before` elements before the axis.

    A window that ends beyond `after` elements behind the axis is dropped or, if `partial`, kept:
    windows hold only what lies within the axis. Window i begins at i·stride − before.
    """

    length: int
    stride: int
    before: int = 0
    after: int = 0
    partial: bool = False

    def count(self, n: Size) -> Size:
        """How many windows there are."""
        w, s = self.length, self.stride
        whole = size.plus(n, self.before + self.after - w)
        if not self.partial:
            return size.at_least_zero(size.quotient(size.plus(whole, s), s))
        starts = size.quotient(size.plus(n, self.before + s - 1), s)
        if s >= w and not self.after:
            return starts
        needed = size.quotient(size.plus(size.at_least_zero(whole), s - 1), s)
        return size.smaller(size.plus(needed, 1), starts)

    def extent(self, n: Size) -> Size:
        """How many elements a window has at most."""
        return self.length

    def position(self, i, k, n: Size) -> Size:
        """Where element k of window i lies, if it does."""
        return size.plus(size.times(i, self.stride), k, -self.before)

    def inside(self, i, k, n: Size) -> list[Expr]:
        """What must hold for it to lie within the axis."""
        at = self.position(i, k, n)
        beyond = self.after > 0 or self.partial
        sides = ((at, self._below(k)), (_left(n, at), beyond))
        return [_is_count(p) for p, needed in sides if needed]

    def clamped(self, i, k, n: Size) -> Size:
        """The element of window i nearest to number k: itself, if it lies within the axis."""
        at = self.position(i, k, n)
        low, *high = self.inside(i, k, n) if self._below(k) else (None, *self.inside(i, k, n))
        last = size.as_expr(size.minus(n, 1))
        at = where(high[0], size.as_expr(at), last) if high else at
        return at if low is None else where(low, size.as_expr(at), size.as_expr(0))

    def _below(self, k) -> bool:
        """Whether element k of some window may lie before the axis."""
        return self.before > 0 and not (isinstance(k, int) and k >= self.before)

    def cover(self, n: Size) -> Size:
        """How many windows hold an element at most."""
        return -(-self.length // self.stride)

    def covering(self, q, j, n: Size) -> Size:
        """The window that holds element q and has j later ones that do, if there is one."""
        return size.minus(size.quotient(size.plus(q, self.before), self.stride), j)

    def number(self, q, i, n: Size) -> Size:
        """Which element of window i element q is."""
        return size.minus(size.plus(q, self.before), size.times(i, self.stride))

    def covers(self, q, i, n: Size) -> list[Expr]:
        """What must hold for window i to exist, and to hold element q."""
        conditions = []
        if self.length > self.stride:
            conditions.append(_is_count(i))
        if not (self.partial and self.stride >= self.length and not self.after):
            conditions.append(_is_count(_left(self.count(n), i)))
        if self.length % self.stride:
            conditions.append(_is_count(_left(self.length, self.number(q, i, n))))
        return conditions

    @property
    def overlap(self) -> bool:
        return self.length > self.stride

    def places(self, n: int) -> np.ndarray:
        """The positions of the elements of every window; those outside are negative or beyond."""
        windows = np.arange(self.count(n))[:, None] * self.stride - self.before
        return windows + np.arange(self.length)

    def require(self, n: Size) -> None:
        """Note that every window must hold some element."""
        if self.before + self.after >= self.length or (self.partial and self.before):
            _require_some(n)


class Even(NamedTuple):
    """`results` windows that divide an axis evenly: window i goes from ⌊i·n / results⌋ to
    ⌈(i + 1)·n / results⌉ (as PyTorch's adaptive pooling; neighbours may share an element).
    """

    results: int

    def count(self, n: Size) -> Size:
        return self.results

    def extent(self, n: Size) -> Size:
        o = self.results
        if o == 1:
            return n
        if isinstance(n, int):
            ends = [-(-(i + 1) * n // o) - i * n // o for i in range(o)]
            return max(ends, default=0)
        return size.plus(size.quotient(size.plus(n, o - 1), o), 1)

    def start(self, i, n: Size) -> Size:
        return size.quotient(size.times(i, n), self.results) if self.results > 1 else 0

    def end(self, i, n: Size) -> Size:
        """Where window i ends: one beyond its last element."""
        o = self.results
        if o == 1:
            return n
        return size.quotient(size.plus(size.times(i, n), n, o - 1), o)

    def position(self, i, k, n: Size) -> Size:
        return size.plus(self.start(i, n), k)

    def inside(self, i, k, n: Size) -> list[Expr]:
        if self.results == 1:
            return []
        return [_is_count(_left(self.end(i, n), self.position(i, k, n)))]

    def clamped(self, i, k, n: Size) -> Size:
        at, last = self.position(i, k, n), size.minus(self.end(i, n), 1)
        inside = self.inside(i, k, n)
        return where(inside[0], size.as_expr(at), size.as_expr(last)) if inside else at

    def cover(self, n: Size) -> Size:
        o = self.results
        if o == 1:
            return 1
        return size.plus(size.quotient(size.plus(o - 1, n), n), 1)

    def covering(self, q, j, n: Size) -> Size:
        if self.results == 1:
            return 0
        return size.plus(size.quotient(size.times(q, self.results), n), j)

    def number(self, q, i, n: Size) -> Size:
        return size.minus(q, self.start(i, n))

    def covers(self, q, i, n: Size) -> list[Expr]:
        if self.results == 1:
            return []
        within = _left(self.results, i), self.number(q, i, n), _left(self.end(i, n), q)
        return [_is_count(p) for p in within]

    @property
    def overlap(self) -> bool:
        return False

    def places(self, n: int) -> np.ndarray:
        i = np.arange(self.results)[:, None]
        at = i * n // self.results + np.arange(self.extent(n))
        return np.where(at < -(-(i + 1) * n // self.results), at, -1)

    def require(self, n: Size) -> None:
        _require_some(n)


Windows = tuple[Window | Even, ...]


def _require_some(n: Size) -> None:
    if isinstance(n, int) and not n:
        raise ShapeError("there is nothing to pool in an axis of length 0")
    if not isinstance(n, int):
        size.require_long_enough(n, 1)


def _left(end, at) -> Size:
    """How many places there are after `at`, before `end`."""
    return size.minus(size.minus(end, at), 1)


def _is_count(p: Size) -> Expr:
    """Whether p ≥ 0."""
    return greater_equal(size.as_expr(p), size.as_expr(0))


def checked(windows: Windows) -> Windows:
    """The windows, if they make sense."""
    for w in windows:
        numbers = (w.length, w.stride) if isinstance(w, Window) else w
        if min(numbers) < 1:
            raise ArgumentError(f"windows and strides must be at least 1, not {min(numbers)}")
        pads = (w.before, w.after) if isinstance(w, Window) else (0,)
        if min(pads) < 0 or (any(pads) and max(pads) >= w.length):
            raise ArgumentError(
                f"the padding of a window of length {w.length} must be from 0 to "
                f"{w.length - 1}, not {w.before} and {w.after}"
            )
    return windows


def described(windows: Windows) -> str:
    """Windows in words: `window=3×3, stride=2×2, padding=1×1`."""
    if all(isinstance(w, Even) for w in windows):
        return f"results={'×'.join(str(w.results) for w in windows)}"
    if any(isinstance(w, Even) for w in windows):
        return ", ".join(described((w,)) for w in windows)
    shown = {
        "window": [str(w.length) for w in windows],
        "stride": [str(w.stride) for w in windows],
        "padding": [
            f"{w.before}" if w.before == w.after else f"({w.before}, {w.after})" for w in windows
        ],
    }
    if shown["stride"] == shown["window"]:
        del shown["stride"]
    if set(shown["padding"]) == {"0"}:
        del shown["padding"]
    partial = ["partial"] if windows[0].partial else []
    return ", ".join([*(f"{k}={'×'.join(v)}" for k, v in shown.items()), *partial])


# --- equations -----------------------------------------------------------------------------------


class Places(NamedTuple):
    """Where an equation reads: the bound indices, the place on each axis, what must hold."""

    bound: tuple[Index, ...]
    at: tuple
    conditions: tuple[Expr, ...]
    #: The number of the element in its window: on each axis, and row by row.
    numbers: tuple
    number: Size


def elements(axes, windows: Windows, shape, indices, numbers=None, clamp=False) -> Places:
    """The elements of the window at `indices`, by number on each axis: bound ones if not given.
    Positions of those outside are 0 or, if they are to be clamped, that of the nearest element.
    """
    bound, at, conditions, own_numbers = [], list(indices), [], []
    for position, (a, w) in enumerate(zip(axes, windows, strict=True)):
        n = shape[a]
        if numbers is not None:
            k = numbers[position]
        elif w.extent(n) == 1:
            k = 0
        else:
            k = index(w.extent(n), f"k{a}")
            bound.append(k)
        own = w.inside(indices[a], k, n)
        place = w.position(indices[a], k, n)
        at[a] = w.clamped(indices[a], k, n) if clamp else _guarded(place, own)
        conditions += own
        own_numbers.append(k)
    return _places(axes, windows, shape, bound, at, conditions, own_numbers)


def holders(axes, windows: Windows, shape, indices) -> Places:
    """The windows that hold the element at `indices` of an array of that shape."""
    bound, at, conditions, numbers = [], list(indices), [], []
    for a, w in zip(axes, windows, strict=True):
        n, j = shape[a], 0
        if w.cover(n) != 1:
            j = index(w.cover(n), f"j{a}")
            bound.append(j)
        i = w.covering(indices[a], j, n)
        own = w.covers(indices[a], i, n)
        at[a] = _guarded(i, own)
        conditions += own
        numbers.append(w.number(indices[a], i, n))
    return _places(axes, windows, shape, bound, at, conditions, numbers)


def _places(axes, windows: Windows, shape, bound, at, conditions, numbers) -> Places:
    extents = [w.extent(shape[a]) for a, w in zip(axes, windows, strict=True)]
    number = row_major(extents, numbers)
    return Places(tuple(bound), tuple(at), tuple(conditions), tuple(numbers), number)


def row_major(extents, numbers) -> Size:
    total: Size = 0
    for n, k in zip(extents, numbers, strict=True):
        total = size.plus(size.times(total, n), k)
    return total


def _guarded(at: Size, conditions: Sequence[Expr]) -> Size:
    """A position that is read only where the conditions hold: 0 elsewhere."""
    return where(all_of(conditions), size.as_expr(at), size.as_expr(0)) if conditions else at


def all_of(conditions: Sequence[Expr]) -> Expr:
    """Whether all hold: by bits, since `&&` is a branch, which keeps compilers from lanes."""
    together = conditions[0]
    for c in conditions[1:]:
        together = bitwise_and(together, c)
    return together


def chosen(conditions: Sequence[Expr], value: Expr, other: Expr) -> Expr:
    """The value where all conditions hold."""
    return where(all_of(conditions), value, other) if conditions else value


def folded(monoid: str, bound: Sequence[Index], value: Expr) -> Expr:
    for k in reversed(bound):
        value = fold(monoid, k, value)
    return value


# --- the same in NumPy, window element by window element, for all windows at once -----------------


def taps(axes, windows: Windows, shape):
    """For each number k of an element in its window, row by row: (k, the positions on each axis,
    a mask of the windows that have it).
    """
    places = [w.places(shape[a]) for a, w in zip(axes, windows, strict=True)]
    for k in itertools.product(*(range(p.shape[1]) for p in places)):
        at, mask = [], np.ones([1] * len(shape), bool)
        for a, p, one in zip(axes, places, k, strict=True):
            own = p[:, one]
            good = (own >= 0) & (own < shape[a])
            at.append(np.where(good, own, 0))
            mask = mask & good.reshape([-1 if b == a else 1 for b in range(len(shape))])
        yield k, at, mask


def taken(x: np.ndarray, axes, at) -> np.ndarray:
    for a, p in zip(axes, at, strict=True):
        x = np.take(x, p, axis=a)
    return x
