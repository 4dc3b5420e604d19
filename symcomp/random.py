"""Random numbers: streams, whose draws are expressions.

    stream = sc.random.RandomStream(seed=7)
    noise = stream.normal((100, n), std=0.1)       # an expression: n may be symbolic
    f = sc.function([x], x + noise)                # every call of f draws anew

A stream holds its state in a shared value, (key, number of the call). Functions that use it advance
it by one at each call, by the shared value's `default_update`; no number depends on how many were
drawn before it, nor on threads. Within an expression each draw has a number of its own, so two
draws are independent, and one draw that is used twice is one value. How a place becomes bits is
written in `symcomp.tensor.random`: Philox 4x32-10, the same in NumPy and in C. Bits, whole numbers,
truths, uniform numbers and permutations are the same to the last bit; what takes logarithms or
cosines (normal, exponential, gumbel) agrees to a few units in the last place.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.op import as_expr
from symcomp.graph.scalar import broadcast_shape, cast
from symcomp.graph.shared import Shared, shared
from symcomp.graph.type import check_dtype, is_float, is_integer, promote
from symcomp.options import options
from symcomp.tensor import random as draws
from symcomp.tensor.arithmetic import clip
from symcomp.tensor.elementary import log
from symcomp.tensor.indexing import take
from symcomp.tensor.layout import broadcast_to, moveaxis, normal_axis, sizes_of
from symcomp.tensor.reduction import argmax
from symcomp.tensor.special import erfinv

__all__ = ["RandomStream"]

#: Held while a stream numbers a draw or a child.
_guard = threading.Lock()
_LARGEST = 2**32


def _fail(kind: type, message: str):
    raise kind(describe(message, origin=here()))


def _key(seed: Any, child: tuple[int, ...] = ()) -> int:
    """A key of 64 bits that a seed gives, by NumPy's `SeedSequence`, so that neighbouring seeds
    have nothing in common.
    """
    try:
        if isinstance(seed, (bool, np.bool_)):
            raise TypeError
        sequence = np.random.SeedSequence(seed, spawn_key=child)
    except (TypeError, ValueError):
        message = (
            "RandomStream: a seed is a whole number that is not negative, a sequence of them, "
            f"or None, not {seed!r}"
        )
        _fail(ArgumentError, message)
    return int(sequence.generate_state(1, "uint64")[0])


class RandomStream:
    """A source of random numbers for compiled functions.

    seed: a whole number, a sequence of them, or None for one from the operating system. Streams of
    different seeds are independent, and so are those that `split` gives. The same seed gives the
    same numbers for the same draws, made in the same order. Errors: ArgumentError.

    The arguments that all draws take: `shape`, of ints and symbolic sizes (by default that of the
    parameters, broadcast); `like`, an array whose shape (and dtype, where it is floating point) the
    draw has; `dtype`. Parameters are numbers or expressions that broadcast to the shape.
    """

    #: (key, number of the call), as uint64: a shared value whose default update raises the second.
    state: Shared

    def __init__(self, seed: Any = None, name: str | None = None):
        self.state = shared(np.array([_key(seed), 0], "uint64"), name or "random_state")
        self.state.default_update = self.state + np.array([0, 1], "uint64")
        self._draws = self._children = 0

    def __repr__(self) -> str:
        key, call = self.state.get_value().tolist()
        return f"<random stream, key {key:#018x}, call {call}, {self._draws} draws>"

    # --- the state --------------------------------------------------------------------------------

    def seed(self, seed: Any = None) -> None:
        """Begin again, with the numbers that a new stream of this seed gives."""
        self.state.set_value(np.array([_key(seed), 0], "uint64"))

    def get_state(self) -> np.ndarray:
        """The key and the number of the next call, two uint64: all that later numbers depend on."""
        return self.state.get_value()

    def set_state(self, state: Any) -> None:
        """Go on from where `get_state` was asked: its array, or the list of its two numbers.

        Errors: DtypeError, ShapeError.
        """
        if isinstance(state, (list, tuple)) and all(isinstance(v, int) for v in state):
            if any(not 0 <= v < 2**64 for v in state):
                _fail(DtypeError, f"set_state: numbers of 64 bits are needed, not {state}")
            state = np.array(state, "uint64")  # as they are: by itself NumPy takes int64 or floats
        self.state.set_value(state)

    def split(self, n: int) -> list[RandomStream]:
        """n new streams, independent of this one, of each other, and of those of later splits; the
        same ones for the same key. Errors: ArgumentError.
        """
        if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 0:
            _fail(ArgumentError, f"split: n is a whole number that is not negative, not {n!r}")
        with _guard:
            first, self._children = self._children, self._children + int(n)
        key = int(self.state.get_value()[0])
        made = [RandomStream(0, self.state.name) for _ in range(n)]
        for k, stream in enumerate(made, first):
            stream.state.set_value(np.array([_key(key, (k,)), 0], "uint64"))
        return made

    def __copy__(self) -> RandomStream:
        """A stream with a state of its own, which starts where this one is."""
        return copy.deepcopy(self)

    def _next(self) -> draws.Draw:
        with _guard:
            number, self._draws = self._draws, self._draws + 1
        if number >= _LARGEST:
            _fail(ArgumentError, "a stream has numbers for 2³² draws: split it")
        return draws.Draw(self.state, number)

    # --- real numbers -----------------------------------------------------------------------------

    def uniform(
        self,
        shape: Any = None,
        low: Any = 0.0,
        high: Any = 1.0,
        dtype: Any = None,
        like: Any = None,
    ) -> Expr:
        """Uniform in [low, high): 24 random bits in float32, 53 in float64 (scaling may round up
        to `high` itself). Gradients reach low and high.
        """
        _require_less("uniform", low, high)
        dtype = _float(dtype, like, low, high)
        shape, (low, high) = _arranged("uniform", shape, like, low, high)
        unit = draws.unit(self._next(), shape, dtype)
        if _is_number(low, 0) and _is_number(high, 1):
            return unit
        low, high = cast(low, dtype), cast(high, dtype)
        return low + (high - low) * unit

    def normal(
        self,
        shape: Any = None,
        mean: Any = 0.0,
        std: Any = 1.0,
        dtype: Any = None,
        like: Any = None,
    ) -> Expr:
        """Normal with this mean and standard deviation (Box and Muller, 1958; two neighbours are
        one of their pairs, and independent). Gradients reach both.
        """
        _require_not_negative("normal: the standard deviation", std)
        dtype = _float(dtype, like, mean, std)
        shape, parameters = _arranged("normal", shape, like, mean, std)
        return _scaled(draws.standard_normal(self._next(), shape, dtype), *parameters)

    def truncated_normal(
        self,
        shape: Any = None,
        mean: Any = 0.0,
        std: Any = 1.0,
        low: float = -2.0,
        high: float = 2.0,
        dtype: Any = None,
        like: Any = None,
    ) -> Expr:
        """Normal, given that it lies between `low` and `high` standard deviations from the mean:
        numbers, between which the distribution function must not be flat (|low|, |high| ≲ 5 in
        float32, 8 in float64). By the inverse of the distribution function.
        """
        _require_not_negative("truncated_normal: the standard deviation", std)
        _require_less("truncated_normal", low, high)
        dtype = _float(dtype, like, mean, std)
        low, high = float(low), float(high)
        below, above = (math.erf(v / math.sqrt(2)) for v in (low, high))
        if not below < above:
            message = f"truncated_normal: nothing is left between {low} and {high}"
            _fail(ArgumentError, message)
        shape, parameters = _arranged("truncated_normal", shape, like, mean, std)
        unit = draws.open_unit(self._next(), shape, dtype)
        value = math.sqrt(2) * erfinv(below + (above - below) * unit)
        return _scaled(clip(value, low, high), *parameters)

    def exponential(
        self, shape: Any = None, scale: Any = 1.0, dtype: Any = None, like: Any = None
    ) -> Expr:
        """Exponential with this mean: −scale · log u. Gradients reach the scale."""
        _require_not_negative("exponential: the scale", scale)
        dtype = _float(dtype, like, scale)
        shape, (scale,) = _arranged("exponential", shape, like, scale)
        value = -log(draws.open_unit(self._next(), shape, dtype))
        return value if _is_number(scale, 1) else value * cast(scale, dtype)

    def gumbel(
        self,
        shape: Any = None,
        loc: Any = 0.0,
        scale: Any = 1.0,
        dtype: Any = None,
        like: Any = None,
    ) -> Expr:
        """Gumbel's distribution of extremes: loc − scale · log(−log u). Gradients reach both."""
        _require_not_negative("gumbel: the scale", scale)
        dtype = _float(dtype, like, loc, scale)
        shape, parameters = _arranged("gumbel", shape, like, loc, scale)
        return _scaled(-log(-log(draws.open_unit(self._next(), shape, dtype))), *parameters)

    # --- whole numbers ----------------------------------------------------------------------------

    def bernoulli(
        self, p: Any = 0.5, shape: Any = None, dtype: Any = "bool", like: Any = None
    ) -> Expr:
        """True with probability p, which is met to 2⁻²⁴ where it is float32 and to 2⁻⁵³ where it is
        float64 or a number of Python. No gradient reaches p.
        """
        dtype = check_dtype(dtype)
        p = as_expr(p)
        if not is_float(p.dtype):
            p = cast(p, "float64")
        if isinstance(p, Constant) and not ((p.value >= 0) & (p.value <= 1)).all():
            shown = p.value if not p.ndim else "an array with others"
            _fail(ArgumentError, f"bernoulli: p must be between 0 and 1, not {shown}")
        shape, (p,) = _arranged("bernoulli", shape, like, p)
        return cast(draws.chance(self._next(), p, shape), dtype)

    def integers(
        self,
        low: Any,
        high: Any = None,
        shape: Any = None,
        dtype: Any = "int64",
        like: Any = None,
    ) -> Expr:
        """Whole numbers from low to high − 1, or from 0 to low − 1 where only one is given; all
        equally likely, but for one in 2⁶⁴ / (high − low) of the bits (no rejection).
        """
        dtype = check_dtype(dtype)
        if not is_integer(dtype):
            _fail(DtypeError, f"integers: the dtype must be one of integers, not {dtype}")
        low, high = (0, low) if high is None else (low, high)
        _require_integers(low, high, dtype)
        shape, (low, high) = _arranged("integers", shape, like, low, high)
        bits = draws.bits64(self._next(), shape)
        low, high = (_as_bits(v) for v in (low, high))
        return cast(low + draws.random_below(bits, high - low), dtype)

    def categorical(
        self, logits: Any, shape: Any = None, axis: int = -1, dtype: Any = "int64"
    ) -> Expr:
        """Classes k with probability softmax(logits)ₖ along an axis, by the largest of logits +
        Gumbel noise (Maddison, Tarlow and Minka, 2014): nothing is normalised or summed up.

        The result has the shape of the logits without the axis, or `shape`, to which that
        broadcasts: `categorical(logits, (n,))` draws n times from one vector.
        """
        logits = as_expr(logits)
        logits = cast(logits, _float(None, None, logits))
        if not logits.ndim:
            _fail(ShapeError, "categorical: the logits must have an axis of classes")
        logits = moveaxis(logits, normal_axis(axis, logits.ndim), -1)
        own = logits.shape[:-1] if shape is None else sizes_of(shape, "a size of categorical")
        whole = (*own, logits.shape[-1])
        noise = self.gumbel(whole, dtype=logits.dtype)
        return cast(argmax(broadcast_to(logits, whole) + noise, axis=-1), dtype)

    # --- order ------------------------------------------------------------------------------------

    def permutation(self, x: Any, axis: int = 0) -> Expr:
        """The numbers 0 … x − 1 in random order for a size x, as int64; for an array its parts
        along an axis in random order. By Fisher and Yates' shuffle: all orders are equally likely.
        """
        if not isinstance(x, (int, np.integer)):
            x = as_expr(x)
            if x.ndim:
                order = draws.permutation(self._next(), x.shape[normal_axis(axis, x.ndim)])
                return take(x, order, axis)
        length = size.as_size(x, "the length of a permutation")
        if isinstance(length, int) and length < 0:
            _fail(ShapeError, f"permutation: a length cannot be negative, and this is {length}")
        return draws.permutation(self._next(), length)

    def shuffle(self, x: Any, axis: int = 0) -> Expr:
        """The parts of an array along an axis in random order (a new value: nothing is changed)."""
        x = as_expr(x)
        if not x.ndim:
            _fail(ShapeError, "shuffle: a scalar has no order")
        return self.permutation(x, axis)

    def choice(self, a: Any, shape: Any = (), replace: bool = True, p: Any = None) -> Expr:
        """Elements of a vector `a`, or of 0 … a − 1 for a size a, each with probability p (all
        equally likely by default). Without replacement, `shape` is one size.
        """
        a = size.as_expr(a) if isinstance(a, int) else as_expr(a)
        if a.ndim > 1:
            _fail(ShapeError, f"choice: the elements must be a vector, not a {a.type}")
        if p is not None and not replace:
            _fail(ArgumentError, "choice: without replacement all elements are equally likely")
        length = a.shape[0] if a.ndim else size.as_size(a, "the number of elements of choice")
        if not replace:
            (n,) = sizes_of(shape, "the number of choices") or (1,)
            chosen = self.permutation(length)[: size.as_expr(n)]
        elif p is None:
            chosen = self.integers(0, length, shape)
        else:
            p = as_expr(p)
            broadcast_to(p, (length,))
            chosen = self.categorical(log(p), shape)
        return take(a, chosen) if a.ndim else chosen


# --- parameters ----------------------------------------------------------------------------------


def _is_number(value: Any, number: float) -> bool:
    """Whether a parameter is this literal number."""
    return isinstance(value, Constant) and not value.ndim and value.value == number


def _literal(value: Any) -> np.ndarray | None:
    """The value of a parameter that is known now."""
    if isinstance(value, Expr):
        return value.value if isinstance(value, Constant) else None
    return np.asarray(value)


def _require_less(what: str, low: Any, high: Any) -> None:
    least, most = _literal(low), _literal(high)
    if least is not None and most is not None and not np.all(least < most):
        shown = f"not {low} and {high}" if not (least.ndim or most.ndim) else "everywhere"
        _fail(ArgumentError, f"{what}: low must be below high, {shown}")


def _require_not_negative(what: str, value: Any) -> None:
    known = _literal(value)
    if known is not None and not np.all(known >= 0):
        shown = f", not {value}" if not known.ndim else ""
        _fail(ArgumentError, f"{what} must not be negative{shown}")


def _require_integers(low: Any, high: Any, dtype: str) -> None:
    """Bounds that are whole, in order, and within the dtype (`high` may be one beyond it)."""
    for value in (low, high):
        kind = value.dtype if isinstance(value, Expr) else np.asarray(value).dtype.name
        large = isinstance(value, int) and not isinstance(value, bool)
        if not large and not is_integer(kind):
            _fail(DtypeError, f"integers: the bounds must be integers, not {kind}")
    _require_less("integers", low, high)
    limits = np.iinfo(dtype)
    for value, most in ((low, limits.max), (high, limits.max + 1)):
        known = _literal(value)
        if known is None or not known.size:
            continue
        if known.min() < limits.min or known.max() > most:
            message = f"integers: the bounds must be within {dtype}: {limits.min} … {most}"
            _fail(ArgumentError, message)


def _as_bits(value: Expr) -> Expr:
    """An integer modulo 2⁶⁴."""
    return cast(value, "uint64")


def _float(dtype: Any, like: Any, *parameters: Any) -> str:
    """The dtype of a real draw: as asked for, that of `like`, that of the parameters (Python's own
    numbers apart), options.floatX.
    """
    if dtype is not None:
        found = check_dtype(dtype)
        if not is_float(found):
            _fail(DtypeError, f"a real number is float32 or float64, not {found}; cast the draw")
        return found
    if like is not None and is_float(as_expr(like).dtype):
        return as_expr(like).dtype
    arrays = [p for p in parameters if isinstance(p, (Expr, np.ndarray, np.generic))]
    floats = [d for d in (as_expr(p).dtype for p in arrays) if is_float(d)]
    return promote(*floats) if floats else options.floatX


def _arranged(what: str, shape: Any, like: Any, *parameters: Any) -> tuple[tuple, Sequence[Expr]]:
    """The shape of a draw, and the parameters, which broadcast to it."""
    found = [_parameter(what, p) for p in parameters]
    if like is not None:
        if shape is not None:
            _fail(ArgumentError, f"{what}: give a shape, or an array that the draw is like")
        shape = as_expr(like).shape
    if shape is None:
        return broadcast_shape(found), found
    shape = sizes_of(shape, f"a size of {what}")
    negative = [n for n in shape if isinstance(n, int) and n < 0]
    if negative:
        _fail(ShapeError, f"{what}: a size cannot be negative, and one is {negative[0]}")
    return shape, [broadcast_to(p, shape) if p.ndim else p for p in found]


def _parameter(what: str, value: Any) -> Expr:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = np.uint64(value % 2**64)  # a bound of integers: arithmetic is modulo 2⁶⁴
    return as_expr(value)


def _scaled(value: Expr, mean: Expr, scale: Expr) -> Expr:
    """mean + scale · value, without what does nothing."""
    if not _is_number(scale, 1):
        value = cast(scale, value.dtype) * value
    return value if _is_number(mean, 0) else cast(mean, value.dtype) + value
