"""Variables, and arrays made of nothing but their shape: zeros, ones, ranges, the identity.

Constructors are Theano's: `matrix("x")` has dtype options.floatX, `fmatrix` is float32, `imatrix`
int32 and so on. An axis is of unknown length unless the name says otherwise (`row`, `col`) or
`tensor(dtype, shape)` does.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, ShapeError, describe, here
from symcomp.graph import size
from symcomp.graph.expr import Expr, Variable, constant
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.scalar import cast
from symcomp.graph.type import (
    PREFIXES,
    RANK_NAMES,
    Type,
    check_dtype,
    is_integer,
    promote,
    shape_text,
)
from symcomp.options import options
from symcomp.tensor.arithmetic import equal
from symcomp.tensor.layout import broadcast_to, sizes_of


def tensor(
    dtype: Any = None, shape: Any = None, name: str | None = None, ndim: int | None = None
) -> Variable:
    """A symbolic input of any rank.

    `shape` has one entry an axis: a length, or None where it is known only at the call: `(None,
    784, 1)`. `dtype` defaults to options.floatX. Errors: DtypeError, ShapeError.
    """
    dtype = check_dtype(options.floatX if dtype is None else dtype)
    if shape is None:
        shape = (None,) * (ndim or 0)
    if not isinstance(shape, (tuple, list)):
        shape = (shape,)
    lengths = []
    for n in shape:
        if n is not None:
            try:
                n = operator.index(n)
            except TypeError:
                raise ShapeError(_bad_shape(shape, "each entry is an int or None")) from None
            if n < 0:
                raise ShapeError(_bad_shape(shape, "a length cannot be negative"))
        lengths.append(n)
    return Variable(Type(dtype, tuple(lengths)), name)


def _bad_shape(shape, why: str) -> str:
    return describe(f"tensor: {shape_text(tuple(shape))} is not a shape: {why}", origin=here())


def _constructor(name: str, dtype: str | None, shape: tuple):
    def make(name: str | None = None, dtype: Any = dtype) -> Variable:
        return tensor(dtype, shape, name)

    kind = dtype or "floatX"
    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A symbolic {kind} array of shape {shape_text(shape)}."
    return make


_SHAPES = {
    **{name: (None,) * ndim for ndim, name in enumerate(RANK_NAMES)},
    "row": (1, None),
    "col": (None, 1),
}

#: `scalar`, `fmatrix`, `lvector`, …: exported by symcomp.tensor.
constructors = {
    prefix + kind: _constructor(prefix + kind, dtype, shape)
    for kind, shape in _SHAPES.items()
    for prefix, dtype in {"": None, **PREFIXES}.items()
}


def _plural(kind: str) -> str:
    return kind[: -len("ix")] + "ices" if kind.endswith("matrix") else kind + "s"


def _several(kind: str):
    def make(*names: str) -> list[Variable]:
        return [constructors[kind](name) for name in names]

    make.__name__ = make.__qualname__ = _plural(kind)
    make.__doc__ = f"Several symbolic inputs at once: `x, y = {_plural(kind)}('x', 'y')`."
    return make


constructors.update({_plural(kind): _several(kind) for kind in list(constructors)})


@operation
class Range(Op):
    """start, start + step, …: out[i] = start + i·step."""

    dtype: str
    length: int | None

    samples = (
        (("float64", 5), 1, 2),
        (("int32", None), 3, -1, 4),
        (("int8", 0), 0, 1),
    )

    def type(self, start, step, *length):
        return Type(
            self.dtype, (self.length if self.length is not None else size.as_size(length[0]),)
        )

    def element(self, start, step, *rest):
        i = rest[-1]
        return cast(start[()], self.dtype) + cast(i, self.dtype) * cast(step[()], self.dtype)

    def numpy(self, start, step, *length):
        n = self.length if self.length is not None else int(length[0])
        with np.errstate(over="ignore"):
            return (start + np.arange(n) * step).astype(self.dtype)

    def text(self, start, step, *length):
        return (
            f"arange({', '.join(length) or self.length})"
            if start == "0"
            else f"arange(from={start}, step={step})"
        )


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Expr:
    """start, start + step, … up to but without stop; the bounds may be symbolic integers, or
    numbers.
    """
    if stop is None:
        start, stop = 0, start
    numbers = (start, stop, step)
    if not any(isinstance(v, Expr) for v in numbers):
        values = np.arange(*numbers, dtype=dtype)
        if not is_integer(values.dtype.name):
            return constant(values)
        length: Any = len(values)
    else:
        length = _range_length(*numbers)
    dtype = check_dtype(dtype or promote(*(_kind(v) for v in numbers)))
    literal = length if isinstance(length, int) else None
    sizes = () if literal is not None else (length,)
    return apply(Range(dtype, literal), as_expr(start), as_expr(step), *sizes)


def _kind(v: Any):
    return "int64" if isinstance(v, int) or (isinstance(v, Expr) and v.weak) else as_expr(v).dtype


def _range_length(start, stop, step):
    start, stop, step = (size.as_size(v, "a bound of arange") for v in (start, stop, step))
    if not isinstance(step, int):
        raise ArgumentError("arange: with symbolic bounds, the step must be a literal integer")
    if step == 0:
        raise ArgumentError("arange: the step must not be zero")
    distance = size.minus(stop, start) if step > 0 else size.minus(start, stop)
    if math.fabs(step) == 1:
        return size.at_least_zero(distance)
    step = int(math.fabs(step))
    return size.at_least_zero(size.quotient(size.plus(distance, step - 1), step))


@operation
class Eye(Op):
    """Ones on the diagonal j = i + k, zeros elsewhere."""

    dtype: str
    shape: tuple[int | None, int | None]
    k: int

    samples = (
        (("float32", (3, 4), 1),),
        (("int64", (3, None), -1), 3),
        (("bool", (0, 2), 0),),
    )

    def type(self, *sizes):
        sizes = iter(sizes)
        return Type(
            self.dtype, tuple(size.as_size(next(sizes)) if n is None else n for n in self.shape)
        )

    def element(self, *rest):
        *_, i, j = rest
        return cast(equal(j, i + self.k if self.k else i), self.dtype)

    def numpy(self, *sizes):
        sizes = iter(sizes)
        n, m = (int(next(sizes)) if n is None else n for n in self.shape)
        return np.eye(n, m, self.k, dtype=self.dtype)


def eye(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Expr:
    """The n × m matrix with ones on its k-th diagonal."""
    shape = sizes_of((n, n if m is None else m), "a size in eye")
    symbolic = [s for s in shape if not isinstance(s, int)]
    literal = tuple(s if isinstance(s, int) else None for s in shape)
    return apply(Eye(check_dtype(dtype or options.floatX), literal, operator.index(k)), *symbolic)


identity = eye


def full(shape: Any, value: Any, dtype: Any = None) -> Expr:
    """An array of one value (a number or a symbolic scalar)."""
    value = as_expr(value)
    if value.ndim:
        raise ShapeError(f"full: the value must be a scalar, not a {value.type}")
    return broadcast_to(cast(value, dtype or value.dtype), sizes_of(shape, "a size in full"))


def zeros(shape: Any, dtype: Any = None) -> Expr:
    """An array of zeros; dtype is options.floatX unless given."""
    return full(shape, 0, dtype or options.floatX)


def ones(shape: Any, dtype: Any = None) -> Expr:
    """An array of ones; dtype is options.floatX unless given."""
    return full(shape, 1, dtype or options.floatX)


def zeros_like(x: Any, dtype: Any = None) -> Expr:
    """Zeros with the shape and dtype of x."""
    x = as_expr(x)
    return zeros(x.shape, dtype or x.dtype)


def ones_like(x: Any, dtype: Any = None) -> Expr:
    """Ones with the shape and dtype of x."""
    x = as_expr(x)
    return ones(x.shape, dtype or x.dtype)


def full_like(x: Any, value: Any, dtype: Any = None) -> Expr:
    """An array of one value with the shape and dtype of x."""
    x = as_expr(x)
    return full(x.shape, value, dtype or x.dtype)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Expr:
    """`num` evenly spaced numbers from start to stop, float64."""
    if num < 0:
        raise ArgumentError(f"linspace: num must not be negative, not {num}")
    steps = num - 1 if endpoint else num
    position = arange(num, dtype="float64")
    return as_expr(start) + position * ((as_expr(stop) - start) / max(steps, 1))
