"""Random numbers as mathematics: a number is a function of its place, computed where it is needed.

The bits are those of Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC'11), a cipher that turns a counter of 128 bits and a key of 64 into a block of four 32-bit words.
Nothing is remembered from one number to the next, so they are the same in NumPy and in C, in any
order and by any number of threads, and fuse into the formulas that use them. A *state* is a vector
of two uint64: the key, and the number of the call. A *draw* is an expression that takes numbers
from a state; each has a number of its own. The counter is laid out so:

    word 0    bits  0 … 31    the block's number, low 32 of its 40 bits
    word 1    bits 32 … 39    the block's number, high 8 bits
              bits 40 … 63    the call's number, low 24 of its 56 bits
    word 2    bits 64 … 95    the draw's number
    word 3    bits 96 … 127   the call's number, high 32 bits

An element takes its words by its row-major position i: a 32-bit one word i mod 4 of block i / 4, a
64-bit one words 2(i mod 2) (low half) and 2(i mod 2) + 1 of block i / 2. Normal numbers come in
pairs, at an even position and the next, which have a radius and an angle in common: those are made
of the bits of the first position and of the other, 32 each in float32, 64 in float64.
`symcomp.random` gives this to people; here is what it is made of. The C is in
codegen/include/symcomp_random.h.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.notation import Write, index
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import Primitive, cast, primitive
from symcomp.graph.type import Type, float_of, is_float
from symcomp.tensor.arithmetic import maximum, minimum, where
from symcomp.tensor.layout import (
    broadcast_to,
    filled,
    filled_values,
    normal_axes,
    template,
)

__all__ = ["Draw", "alpha_dropout", "dropout"]

# --- the bits, in NumPy --------------------------------------------------------------------------

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_RAISES = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
#: Elements that are computed together: what is between the rounds stays in the cache.
_TOGETHER = 1 << 13


def philox(a, b, c, d, key) -> tuple:
    """The block of a counter (four words) under a key of 64 bits, as uint64 arrays below 2³²."""
    key = int(key)
    left, right = key & 0xFFFFFFFF, key >> 32
    for _ in range(ROUNDS):
        p, q = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b = (q >> _HALF) ^ b ^ np.uint64(left), q & _LOW
        c, d = (p >> _HALF) ^ d ^ np.uint64(right), p & _LOW
        left, right = (left + _RAISES[0]) & 0xFFFFFFFF, (right + _RAISES[1]) & 0xFFFFFFFF
    return a, b, c, d


def _block(key, call, draw, block) -> tuple:
    """The words of a block at a place of a state."""
    second = ((block >> _HALF) & np.uint64(0xFF)) | ((call << np.uint64(8)) & _LOW)
    return philox(block & _LOW, second, draw & _LOW, (call >> np.uint64(24)) & _LOW, key)


def _bits32(key, call, draw, position):
    a, b, c, d = _block(key, call, draw, position >> np.uint64(2))
    odd, upper = position & np.uint64(1) != 0, position & np.uint64(2) != 0
    return np.where(upper, np.where(odd, d, c), np.where(odd, b, a)).astype("uint32")


def _bits64(key, call, draw, position):
    a, b, c, d = _block(key, call, draw, position >> np.uint64(1))
    odd = position & np.uint64(1) != 0
    return np.where(odd, c | d << _HALF, a | b << _HALF)


def _placed(function, dtype: str):
    """The reference of a function of a place: keys one after another, elements part by part."""

    def reference(key, call, draw, position):
        arrays = np.broadcast_arrays(key, call, draw, position)
        flat = [np.ascontiguousarray(a, dtype="uint64").reshape(-1) for a in arrays]
        result = np.empty(flat[0].size, dtype)
        if np.ndim(key) == 0 or np.size(key) <= 1:
            keys = [(flat[0][:1], slice(None))] if result.size else []
        else:
            keys = [([k], np.flatnonzero(flat[0] == k)) for k in np.unique(flat[0])]
        for (key,), chosen in keys:
            own = [a[chosen] for a in flat[1:]]
            parts = [
                function(key, *(a[start : start + _TOGETHER] for a in own))
                for start in range(0, own[0].size, _TOGETHER)
            ]
            result[chosen] = np.concatenate(parts)
        return result.reshape(arrays[0].shape)

    return reference


def _place(dtype: str):
    return lambda *dtypes: (("uint64",) * 4, dtype)


@primitive(
    numpy=_placed(_bits32, "uint32"),
    c="symcomp_random_bits32({key}, {call}, {draw}, {position})",
    types=_place("uint32"),
)
def random_bits32(key, call, draw, position):
    """Word `position` of a draw: 32 random bits."""


@primitive(
    numpy=_placed(_bits64, "uint64"),
    c="symcomp_random_bits64({key}, {call}, {draw}, {position})",
    types=_place("uint64"),
)
def random_bits64(key, call, draw, position):
    """Pair of words `position` of a draw: 64 random bits."""


# --- normal numbers ------------------------------------------------------------------------------

#: 2π, as precise as NumPy has it.
_TURN = 8 * np.arctan(np.longdouble(1))


def _normal(u, quarter, x, position):
    """√(−2 ln u) · cos 2π(quarter/4 + x) at even positions, at odd ones · sin, which is the cosine
    a quarter of a turn before; |x| ≤ 1/8. In the precision of u and x.
    """
    angle = x * _TURN.astype(x.dtype)
    quarter = quarter - (position & np.uint64(1)).astype("int64")
    part = np.where(quarter & 1, np.sin(angle), np.cos(angle))
    return np.sqrt(-2 * np.log(u)) * np.where((quarter + 1) & 2, -part, part)


def _normal32(key, call, draw, position):
    bits = _bits64(key, call, draw, position >> np.uint64(1))
    u = ((bits & _LOW).astype("int64") >> 1 | 1).astype("float32").astype("float64") / 2**31
    angle = ((bits >> _HALF).astype("int64") + 2**29) & 0xFFFFFFFF
    x = ((angle & (2**30 - 1)) - 2**29).astype("float32").astype("float64") / 2**32
    return _normal(u, angle >> 30, x, position).astype("float32")


@primitive(
    numpy=_placed(_normal32, "float32"),
    c="symcomp_random_normal32({key}, {call}, {draw}, {position})",
    types=_place("float32"),
)
def random_normal32(key, call, draw, position):
    """Number `position` of a draw of the standard normal distribution, as a float32: pairs of
    √(−2 ln u) · cos 2πv and √(−2 ln u) · sin 2πv (Box and Muller), u of 31 bits, v of 32.
    """


def _normal64(key, call, draw, position):
    a, b, c, d = _block(key, call, draw, position >> np.uint64(1))
    low, high = a | b << _HALF, c | d << _HALF
    u = (low >> np.uint64(11) | np.uint64(1)).astype(np.longdouble) / 2**53
    angle = ((high >> np.uint64(10)).astype("int64") + 2**51) & (2**54 - 1)
    x = ((angle & (2**52 - 1)) - 2**51).astype(np.longdouble) / 2**54
    return _normal(u, angle >> 52, x, position).astype("float64")


@primitive(
    numpy=_placed(_normal64, "float64"),
    c="symcomp_random_normal64({key}, {call}, {draw}, {position})",
    types=_place("float64"),
)
def random_normal64(key, call, draw, position):
    """The same as a float64: u of 53 bits, v of 54."""


# --- by whole blocks -----------------------------------------------------------------------------


def _part(whole: Primitive, count: int, k: int) -> Primitive:
    """What `whole` gives at position count · block + k, as a function of the block."""

    def reference(key, call, draw, block):
        first = np.asarray(block, "uint64") * np.uint64(count)
        return whole.reference(key, call, draw, first + np.uint64(k))

    def part(key, call, draw, block):
        """What one of the elements that share a block of a draw takes of it."""

    name = f"{whole.name}_part{k}"
    c = f"symcomp_{name}({{key}}, {{call}}, {{draw}}, {{block}})"
    return primitive(name=name, numpy=reference, c=c, types=whole.signature)(part)


#: The functions of a place in parts, one for each element that shares a block: loops that use all
#: of them compute the block once, and what a pair of normal numbers has in common.
PARTS = {
    whole: tuple(_part(whole, count, k) for k in range(count))
    for whole, count in (
        (random_bits32, 4),
        (random_bits64, 2),
        (random_normal32, 4),
        (random_normal64, 2),
    )
}


# --- from bits to numbers ------------------------------------------------------------------------


def _always(result: str, *arguments: str):
    return lambda *dtypes: (arguments, result)


def _fraction(bits, shift: int, exponent: int, lowest: int, dtype: str):
    """Bits from `shift` upwards, the lowest set if asked for, over 2^exponent: exact."""
    whole = np.asarray(bits >> np.asarray(bits).dtype.type(shift)).astype("int64") | lowest
    return np.ldexp(whole.astype("float64"), -exponent).astype(dtype)


@primitive(
    numpy=lambda bits: _fraction(bits, 8, 24, 0, "float32"),
    c="symcomp_random_float32({bits})",
    types=_always("float32", "uint32"),
)
def random_float32(bits):
    """Bits as a float32 in [0, 1): the upper 24 over 2²⁴."""


@primitive(
    numpy=lambda bits: _fraction(bits, 11, 53, 0, "float64"),
    c="symcomp_random_float64({bits})",
    types=_always("float64", "uint64"),
)
def random_float64(bits):
    """Bits as a float64 in [0, 1): the upper 53 over 2⁵³."""


@primitive(
    numpy=lambda bits: _fraction(bits, 8, 24, 1, "float32"),
    c="symcomp_random_open32({bits})",
    types=_always("float32", "uint32"),
)
def random_open32(bits):
    """Bits as a float32 in (0, 1): an odd multiple of 2⁻²⁴."""


@primitive(
    numpy=lambda bits: _fraction(bits, 11, 53, 1, "float64"),
    c="symcomp_random_open64({bits})",
    types=_always("float64", "uint64"),
)
def random_open64(bits):
    """Bits as a float64 in (0, 1): an odd multiple of 2⁻⁵³."""


def _below(bits, limit):
    a, b, c, d = bits & _LOW, bits >> _HALF, limit & _LOW, limit >> _HALF
    middle = b * c + (a * c >> _HALF)
    other = a * d + (middle & _LOW)
    product = b * d + (middle >> _HALF) + (other >> _HALF)
    return np.where(limit == 0, bits, product)


@primitive(
    numpy=_below,
    c="symcomp_random_below({bits}, {limit})",
    types=_always("uint64", "uint64", "uint64"),
)
def random_below(bits, limit):
    """⌊bits · limit / 2⁶⁴⌋, a whole number below a limit (0 stands for 2⁶⁴).

    Each has its share of the 2⁶⁴ values of the bits, up to one of them (Lemire, 2019, without
    rejection).
    """


def _chance(bits, p):
    unit = random_float32.reference if p.dtype == np.float32 else random_float64.reference
    return unit(bits) < p


def _chance_types(bits, p):
    if bits is float or is_float(bits):
        raise DtypeError(f"bits are whole numbers, not {bits}")
    if p == "float32":
        return ("uint32", "float32"), "bool"
    return ("uint64", "float64"), "bool"


@primitive(numpy=_chance, c="symcomp_random_chance_{t}({bits}, {p})", types=_chance_types)
def random_chance(bits, p):
    """Whether bits, as a number in [0, 1), are below p: true with probability p."""


# --- places --------------------------------------------------------------------------------------


@operation
class Position(Op):
    """The row-major position of each element of an array of a shape, as uint64."""

    shape: tuple[int | None, ...]

    samples = (
        (((2, 3),),),
        (((2, None),), 4),
        (((0, 3),),),
        (((),),),
    )

    def type(self, *sizes):
        return Type("uint64", filled(self.shape, sizes))

    def element(self, *rest):
        count = len(rest) - len(self.shape)
        shape = filled(self.shape, [s.expr for s in rest[:count]])
        at: Any = 0
        for n, i in zip(shape, rest[count:], strict=True):
            at = size.plus(size.times(at, n), i)
        return cast(size.as_expr(at), "uint64")

    def numpy(self, *sizes):
        shape = [int(n) for n in filled_values(self.shape, sizes)]
        return np.arange(math.prod(shape), dtype="uint64").reshape(shape)


class Draw(NamedTuple):
    """Where an expression takes its random numbers: a state (key, call), and the number of the draw
    among those from that state.
    """

    state: Expr
    number: int

    def place(self) -> tuple[Expr, Expr, Expr]:
        return self.state[0], self.state[1], as_expr(np.uint64(self.number))


def positions(shape: tuple) -> Expr:
    """The row-major position of each element of an array of a shape, as uint64."""
    literal, sizes = template(shape)
    return apply(Position(literal), *sizes)


def bits32(draw: Draw, shape: tuple) -> Expr:
    """32 random bits for each element of a shape, as uint32."""
    return random_bits32(*draw.place(), positions(shape))


def bits64(draw: Draw, shape: tuple) -> Expr:
    """64 random bits for each element of a shape, as uint64."""
    return random_bits64(*draw.place(), positions(shape))


def unit(draw: Draw, shape: tuple, dtype: str) -> Expr:
    """Uniform in [0, 1), of 24 bits (float32) or 53 (float64)."""
    if dtype == "float32":
        return random_float32(bits32(draw, shape))
    return random_float64(bits64(draw, shape))


def open_unit(draw: Draw, shape: tuple, dtype: str) -> Expr:
    """Uniform in (0, 1), neither end included, of 23 bits (float32) or 52 (float64)."""
    if dtype == "float32":
        return random_open32(bits32(draw, shape))
    return random_open64(bits64(draw, shape))


def standard_normal(draw: Draw, shape: tuple, dtype: str) -> Expr:
    """Of mean 0 and variance 1."""
    normal = random_normal32 if dtype == "float32" else random_normal64
    return normal(*draw.place(), positions(shape))


def chance(draw: Draw, p: Expr, shape: tuple) -> Expr:
    """True with probability p (of 24 bits in float32, of 53 in float64), for each element."""
    return random_chance((bits32 if p.dtype == "float32" else bits64)(draw, shape), p)


@operation
class Places(Op):
    """places[i], a random whole number from 0 to i, for each i of a length (None: the last
    argument). Written as writes, so that they are stored: in vectors and in parallel.
    """

    length: int | None

    samples = (
        ((5,), 3, 1, 0),
        ((None,), 3, 1, 7, 6),
        ((0,), 3, 1, 0),
    )

    def type(self, key, call, draw, *sizes):
        return Type("int64", filled((self.length,), sizes))

    def loops(self, out, key, call, draw, *sizes):
        i = index(out.shape[0])
        place = (cast(v[()], "uint64") for v in (key, call, draw))
        bits = random_bits64(*place, cast(i, "uint64"))
        limit = cast(size.as_expr(size.plus(i, 1)), "uint64")
        return [Write((i,), (i,), cast(random_below(bits, limit), "int64"))]

    def numpy(self, key, call, draw, *sizes):
        (n,) = filled_values((self.length,), sizes)
        at = np.arange(int(n), dtype="uint64")
        place = (np.asarray(v).astype("uint64") for v in (key, call, draw))
        bits = random_bits64.numpy(*place, at)
        return random_below.numpy(bits, at + np.uint64(1)).astype("int64")


@operation
class Shuffled(Op):
    """The numbers 0 … n − 1 after n exchanges, of which the i-th puts i at places[i], at most i,
    and what was there at i: Fisher and Yates' shuffle inside out (Durstenfeld, 1964).
    """

    samples = (
        ((), (5,)),
        ((), (0,)),
        ((), (1,)),
    )

    def type(self, places):
        if places.ndim != 1 or is_float(places.dtype):
            raise ShapeError(f"places are a vector of whole numbers, not a {places.type}")
        return Type("int64", places.shape)

    def loops(self, out, places):
        i, step = index(places.shape[0]), index(2)
        j = minimum(maximum(cast(places[i], "int64"), 0), i)
        move = step < 1
        target, value = where(move, i, j), where(move, out[j], i)
        return [Write((i, step), (target,), value, injective=False)]

    def numpy(self, places):
        result = [0] * len(places)
        for i, j in enumerate(places.tolist()):
            j = min(max(j, 0), i)
            result[i] = result[j]
            result[j] = i
        return np.array(result, dtype="int64")


def permutation(draw: Draw, length: Any) -> Expr:
    """A random permutation of 0 … length − 1, as int64; all are equally likely."""
    (literal,), sizes = template((length,))
    return apply(Shuffled(), apply(Places(literal), *draw.place(), *sizes))


# --- dropout -------------------------------------------------------------------------------------


def _probability(what: str, value: Any) -> Expr | float:
    """A probability: a number in [0, 1], or a symbolic scalar."""
    if isinstance(value, Expr) and not isinstance(value, Constant):
        if value.ndim:
            message = f"{what} must be a number or a scalar, not a {value.type}"
            raise ShapeError(describe(message, origin=here()))
        if not is_float(value.dtype):
            message = f"{what} must be floating point, not {value.dtype}"
            raise DtypeError(describe(message, origin=here()))
        return value
    number = float(value.value if isinstance(value, Constant) else value)
    if not 0 <= number <= 1:
        message = f"{what} must be a probability, between 0 and 1, not {number}"
        raise ArgumentError(describe(message, origin=here()))
    return number


def _kept(name: str, x: Expr, keep: Any, stream: Any, axes: Any) -> Expr:
    """Whether each element is kept, with probability `keep`; along axes that are not named all are
    kept or dropped together.
    """
    if not hasattr(stream, "bernoulli"):
        message = f"{name}: the stream is a symcomp.random.RandomStream, not {stream!r}"
        raise ArgumentError(describe(message, origin=here()))
    own = normal_axes(axes, x.ndim)
    shape = tuple(n if a in own else 1 for a, n in enumerate(x.shape))
    keep = keep if isinstance(keep, Expr) else np.float32(keep)
    kept = stream.bernoulli(keep, shape)
    return kept if shape == x.shape else broadcast_to(kept, x.shape)


def _dropped(name: str, x: Any, rate: Any) -> tuple[Expr, Expr | float]:
    x = as_expr(x)
    return cast(x, float_of(x.dtype)), _probability(f"{name}: the rate", rate)


def dropout(x: Any, rate: Any, stream: Any, axes: Any = None) -> Expr:
    """x with each element dropped (zero) with probability `rate`, the others divided by 1 − rate,
    so that the expectation stays (Srivastava et al., 2014).

    stream: a `symcomp.random.RandomStream`. axes: those along which each index has a chance of its
    own (all by default); along the others elements are dropped together: of images (n, c, h, w),
    `axes=(0, 1)` drops whole channels. rate: a number or a symbolic scalar; 0 gives x itself, 1
    zeros. It fuses into the formulas around it. Errors: ArgumentError, DtypeError, ShapeError.
    """
    x, rate = _dropped("dropout", x, rate)
    if isinstance(rate, float) and rate == 0:
        return x
    keep = 1 - rate
    kept = _kept("dropout", x, keep, stream, axes)
    if isinstance(keep, Expr):
        return where(kept, x / cast(keep, x.dtype), 0)
    return where(kept, x * (1 / keep if keep else 0.0), 0)


#: What SELU tends to for small numbers: −λα (Klambauer et al., 2017).
_SATURATED = -1.0507009873554805 * 1.6732632423543772


def alpha_dropout(x: Any, rate: float, stream: Any, axes: Any = None) -> Expr:
    """Dropout for SELU (Klambauer et al., 2017): dropped elements become −λα, then an affine map
    restores mean 0 and variance 1.

    rate: a number in [0, 1). The other arguments and errors are those of `dropout`.
    """
    x, rate = _dropped("alpha_dropout", x, rate)
    if not isinstance(rate, float) or rate == 1:
        message = f"alpha_dropout: the rate must be a number in [0, 1), not {rate}"
        raise ArgumentError(describe(message, origin=here()))
    if rate == 0:
        return x
    keep = 1 - rate
    kept = _kept("alpha_dropout", x, keep, stream, axes)
    scale = (keep + _SATURATED**2 * keep * rate) ** -0.5
    return where(kept, x, _SATURATED) * scale - scale * rate * _SATURATED
