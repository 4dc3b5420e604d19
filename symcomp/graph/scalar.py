"""Functions of real numbers, declared once, and their map over arrays.

`@primitive` declares a function by its NumPy meaning, its C expression, its derivative and its
domain; `@define` by a formula in other functions, which is inlined. Either gives an operation that
broadcasts as NumPy does: a missing or length-one axis is repeated. (An axis of unknown length is
never repeated: its sizes must agree at the call.)

In a C expression `{x}` is the argument, `{t}` the suffix of the dtype that is computed in (`f32`,
`f64`, `i64`, …) and `{T}` its C type.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import numpy as np

from symcomp.errors import DtypeError, ShapeError, SymcompError, describe, here
from symcomp.graph.expr import Constant, Expr, constant, literal, require_equal
from symcomp.graph.op import Op, apply, operation, registry
from symcomp.graph.show import operand_text
from symcomp.graph.type import (
    Type,
    check_dtype,
    float_of,
    is_float,
    is_integer,
    promote,
    shape_text,
)

# --- dtypes: from the dtypes of the arguments to those computed in, and that of the result -------


def same(*dtypes):
    """NumPy's promotion; the result has the common dtype."""
    d = promote(*dtypes)
    return (d,) * len(dtypes), d


def number(*dtypes):
    """As `same`, but not for booleans, as in NumPy's subtraction."""
    d = promote(*dtypes)
    if d == "bool":
        raise DtypeError("booleans have no such arithmetic: cast them, or use logical operations")
    return (d,) * len(dtypes), d


def real(*dtypes):
    """Computed in floating point; integers are converted as NumPy does."""
    d = float_of(promote(*dtypes))
    return (d,) * len(dtypes), d


def quotient(*dtypes):
    """True division: integers divide in float64, whatever their width."""
    d = promote(*dtypes)
    d = d if is_float(d) else "float64"
    return (d,) * len(dtypes), d


def predicate(*dtypes):
    """Compared in the common dtype; the result is bool."""
    d = promote(*dtypes)
    return (d,) * len(dtypes), "bool"


def logical(*dtypes):
    """Each argument is taken as true or false."""
    return ("bool",) * len(dtypes), "bool"


def integer(*dtypes):
    """Integers and booleans only."""
    d = promote(*dtypes)
    if is_float(d):
        raise DtypeError(f"only integers and booleans have bits; this is {d}")
    return (d,) * len(dtypes), d


def shifting(*dtypes):
    """Integers; booleans shift as int8, as in NumPy."""
    d = promote(*dtypes)
    if is_float(d):
        raise DtypeError(f"only integers can be shifted; this is {d}")
    d = "int8" if d == "bool" else d
    return (d,) * len(dtypes), d


def testing(*dtypes):
    """A question about a floating-point value."""
    d = float_of(promote(*dtypes))
    return (d,) * len(dtypes), "bool"


def choosing(condition, *dtypes):
    """`where`: the first argument is a condition, the others are promoted."""
    d = promote(*dtypes)
    return ("bool", *((d,) * len(dtypes))), d


# --- the map over arrays -------------------------------------------------------------------------


class Elementwise(Op, register=False):
    """An operation that acts on each element; arguments broadcast against each other."""

    def scalar_type(self, *dtypes: str) -> str:
        """The dtype of the result, given arguments already in the dtypes that the function is
        computed in.
        """
        raise NotImplementedError

    def type(self, *args: Expr) -> Type:
        dtype = self.scalar_type(*[a._type.dtype for a in args])
        shape = broadcast_shape(args)
        for a in args:
            if a._type.shape is shape and a._type.dtype == dtype:
                return a._type  # shared, so that a long chain holds one type
        return Type(dtype, shape)

    def derivative(self, out: Expr, *args: Expr):
        """∂out/∂arg for each argument, as expressions (or numbers, or None)."""
        return (None,) * len(args)

    def vjp(self, g: Expr, out: Expr, *args: Expr):
        partials = self.derivative(out, *args)
        return tuple(
            None if d is None or not is_float(a.dtype) else unbroadcast(times(g, d), a)
            for d, a in zip(partials, args, strict=True)
        )


def broadcast_shape(args) -> tuple:
    """The shape of arguments repeated against each other; notes the equalities that it needs."""
    shape: tuple = ()
    for a in args:
        own = a.shape
        if not own or own is shape:
            continue
        if shape and own != shape:
            return _broadcast_shape(args)
        shape = own
    return shape


def _broadcast_shape(args) -> tuple:
    ndim = max((a.ndim for a in args), default=0)
    shape: list[Any] = [1] * ndim
    for a in args:
        if not a.ndim:
            continue
        offset = ndim - a.ndim
        for axis, n in enumerate(a.shape, offset):
            have = shape[axis]
            if have is n or n == 1:
                continue
            shape[axis] = n if have == 1 else _equal(have, n, axis, args)
    return tuple(shape)


def _equal(left, right, axis, args):
    if isinstance(left, int) and isinstance(right, int):
        if left == right:
            return left
        shapes = " and ".join(shape_text(a.type.shape) for a in args if a.ndim)
        raise ShapeError(
            f"shapes {shapes} do not broadcast: "
            f"axis {axis} has {left} in one and {right} in another"
        )
    require_equal(left, right)
    if isinstance(left, int) or isinstance(right, int):
        return left if isinstance(left, int) else right
    return min(left, right, key=lambda n: n.serial)


def times(g: Expr, d: Any) -> Expr:
    """`g · d`, where a boolean d is a mask; literal numbers are not repeated to be multiplied."""
    c = number_in(g)
    if isinstance(d, (int, float)):
        if c is not None and abs(d) == 1:
            return g if d == 1 else _everywhere(constant(-c.value), g)
        return g if d == 1 else -g if d == -1 else g * d
    if d.dtype == "bool":
        return registry["where"](d, g, 0)
    one = number_in(d)
    if one is not None and one.value == 1:
        return g
    if c is None or d.dtype != g.dtype:
        return g * d
    product = d if c.value == 1 else -d if c.value == -1 else c * d
    return _everywhere(product, g) if g.ndim else product


def number_in(e: Expr) -> Constant | None:
    """The literal number that an expression is, repeated or not."""
    while e.op is not None and e.op.name == "broadcast":
        e = e.args[0]
    return e if isinstance(e, Constant) and not e._type.shape else None


def _everywhere(e: Expr, like: Expr) -> Expr:
    """`e` repeated to the shape that it has beside another."""
    return e if e.shape == like.shape or e.ndim > like.ndim else e.broadcast_to(like.shape)


def unbroadcast(g: Expr, like: Expr) -> Expr:
    """Sum `g` over the axes along which `like` was repeated."""
    extra = g.ndim - like.ndim
    axes = [*range(extra)]
    ones = [i for i, n in enumerate(like.shape, extra) if n == 1 and g.shape[i] != 1]
    if axes or ones:
        g = g.sum(axis=(*axes, *ones))
        if ones:
            g = g.expand_dims(tuple(i - extra for i in ones))
    return g if g.dtype == like.dtype else cast(g, like.dtype)


@operation
class Cast(Elementwise):
    """The same values in another dtype, as `ndarray.astype`."""

    dtype: str

    samples = (
        (("float32",), (3,)),
        (("int64",), (3,)),
        (("bool",), (2, 2)),
    )

    def scalar_type(self, dtype):
        return self.dtype

    def derivative(self, out, x):
        return (1 if is_float(self.dtype) else None,)

    def numpy(self, x):
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(x).astype(self.dtype)

    def text(self, x):
        return f"{self.dtype}({x})"


def cast(x: Any, dtype: Any) -> Expr:
    """`x` in another dtype; itself where it has it already."""
    dtype = check_dtype(dtype)
    if not isinstance(x, Expr):
        x = constant(x)
    if x.dtype == dtype and not x.weak:
        return x
    if x.op is None and hasattr(x, "value") and not hasattr(x, "get_value") and x.ndim == 0:
        with np.errstate(invalid="ignore", over="ignore"):
            return constant(x.value.astype(dtype))
    return x if x.dtype == dtype else apply(Cast(dtype), x)


class Primitive(Elementwise, register=False):
    """A named function of real numbers, made by `@primitive` or `@define`; equal if the same."""

    def __init__(self, function: Callable, **declaration):
        self.name = declaration.get("name") or function.__name__
        self.__name__ = self.name
        self.__doc__ = function.__doc__
        self.__signature__ = inspect.signature(function)
        self.parameters = tuple(self.__signature__.parameters)
        kinds = [p.kind for p in self.__signature__.parameters.values()]
        self.variadic = inspect.Parameter.VAR_POSITIONAL in kinds
        self.reference = declaration.get("numpy")
        self.c = declaration.get("c")
        self.grad = declaration.get("grad")
        self.signature = declaration.get("types") or real
        self.domain = declaration.get("domain", (-inf, inf))
        self.infix = declaration.get("infix")
        self.commutative = declaration.get("commutative", self.variadic)
        self.samples = declaration.get("samples", ())
        self.body = function if declaration.get("defined") else None
        self._signatures: dict[tuple, tuple[str, ...]] = {}
        self._results: dict[tuple[str, ...], str] = {}
        self.internal = declaration.get("internal", False)
        if not self.internal:
            registry[self.name] = self

    def __reduce__(self):
        return _primitive, (self.name,)

    def __repr__(self):
        return f"<function of real numbers {self.name}>"

    def is_weak(self, args):
        for a in args:
            if not a.weak:
                return False
        return bool(args) and is_integer(self.scalar_type(*[a.dtype for a in args]))

    def scalar_type(self, *dtypes):
        result = self._results.get(dtypes)
        if result is None:
            result = self._results[dtypes] = self.signature(*dtypes)[1]
        return result

    def derivative(self, out, *args):
        if self.grad is None:
            return (None,) * len(args)
        partials = self.grad(*args, out)
        return partials if isinstance(partials, tuple) else (partials,)

    def numpy(self, *arrays):
        if self.reference is None:
            return evaluate_body(self, arrays)
        with np.errstate(all="ignore"):
            if self.variadic:
                result = arrays[0]
                for a in arrays[1:]:
                    result = self.reference(result, a)
                return result
            return self.reference(*arrays)

    def text(self, *args):
        return f"{self.name}({', '.join(args)})"

    def __call__(self, *args: Any) -> Expr:
        if not self.variadic and len(args) != len(self.parameters):
            raise TypeError(
                f"{self.name} takes {len(self.parameters)} arguments, not {len(args)}: "
                f"{self.name}{self.__signature__}"
            )
        return apply(self, *self.convert(args))

    def convert(self, args) -> Sequence[Expr]:
        """The arguments as expressions, cast to the dtypes that the function is computed in."""
        markers = []
        for a in args:
            if isinstance(a, Expr):
                markers.append(int if a.weak else a._type.dtype)
            elif isinstance(a, (bool, int, float)):
                markers.append(type(a))
            else:
                return self.convert([b if isinstance(b, _PLAIN) else constant(b) for b in args])
        markers = tuple(markers)
        dtypes = self._signatures.get(markers)
        if dtypes is None:
            dtypes = self._signatures[markers] = self._signature(markers, args)
        if dtypes == markers:
            return args
        return [
            a
            if m is d or (m is int and isinstance(a, Expr) and a._type.dtype == d)
            else _converted(self, a, d)
            for a, m, d in zip(args, markers, dtypes, strict=True)
        ]

    def _signature(self, markers, args) -> tuple[str, ...]:
        try:
            return self.signature(*markers)[0]
        except SymcompError as error:
            operands = [operand_text(a) if isinstance(a, Expr) else repr(a) for a in args]
            better = type(error)(describe(f"{self.name}: {error}", "", operands, here()))
            better.described = True
            raise better from None


#: What promotion goes by: a dtype, or Python's own type where a value is weak; anything else
#: becomes a constant first.
_PLAIN = (Expr, bool, int, float)


def _converted(op, a, dtype: str) -> Expr:
    if isinstance(a, Expr):
        return cast(a, dtype)
    if dtype == "bool":
        return literal(bool(a), dtype)
    try:
        return literal(a, dtype, weak=dtype == "int64" and type(a) is int)
    except OverflowError:
        message = f"{op.name}: the Python number {a} does not fit into {dtype}"
        raise DtypeError(describe(message, "", (), here())) from None


def _primitive(name: str) -> Primitive:
    return registry[name]


def primitive(**declaration) -> Callable[[Callable], Primitive]:
    """Declare a function of real numbers: `numpy`, `c`, `grad`, `types`, `domain`, `infix`,
    `samples`.
    """
    return lambda function: Primitive(function, **declaration)


def define(**declaration) -> Callable[[Callable], Primitive]:
    """Declare a function of real numbers by a formula in others; compiled code inlines it."""
    return lambda function: Primitive(function, defined=True, **declaration)


#: Evaluates an expression on arrays; set by `graph.walk`.
_evaluate: list = []


def evaluate_body(op, arrays):
    """The reference of an operation that is declared by a body."""
    from_arrays = [constant(a) for a in arrays]
    return _evaluate[0](op.body(*from_arrays))
