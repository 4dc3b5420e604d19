"""Operations that are declared outside symcomp: by an equation, by a C symbol, by Python.

    @sc.equation(shape=lambda a, b: (a.shape[0], b.shape[0]))
    def distance(a, b, i, j):                       # fuses, and is compiled like symcomp's own
        k = index(a.shape[1])
        return Sum(k, abs(a[i, k] - b[j, k]))

    @sc.c_function("airy_{t}({x})", source='#include "airy.h"', grad=...)
    def airy(x):                                    # the NumPy reference
        return ...

    @sc.python_op(type=lambda x: x, vjp=lambda g, out, x: g)
    def smooth(x):                                  # the compiled function calls out to Python
        return filter(x)

Each gives an operation that is called with expressions. Beside these, anyone may subclass `Op` as
symcomp itself does.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import numpy as np

from symcomp.errors import ArgumentError, DtypeError, GradientError, ShapeError, describe, here
from symcomp.graph import meaning
from symcomp.graph.expr import Expr
from symcomp.graph.notation import Operand, index
from symcomp.graph.op import Op, as_expr, operation, registry
from symcomp.graph.scalar import Primitive, real
from symcomp.graph.show import text
from symcomp.graph.size import as_size
from symcomp.graph.type import Type, check_dtype, shape_text

__all__ = ["c_function", "equation", "python_op"]


class _Declared(Op, register=False):
    """What operations by equation and by Python share: a function, and perhaps a vjp."""

    function: Callable
    transpose: Callable | None

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def __doc__(self):
        return self.function.__doc__

    def vjp(self, g, out, *args):
        if self.transpose is None:
            message = f"{self.name} was declared without a vjp, so that it has no gradient"
            raise GradientError(describe(message, text(out), origin=here()))
        partials = self.transpose(g, out, *args)
        partials = partials if isinstance(partials, tuple) else (partials,)
        if len(partials) != len(args):
            message = (
                f"the vjp of {self.name} gives {len(partials)} gradients for {len(args)} arguments"
            )
            raise GradientError(describe(message, text(out), origin=here()))
        return tuple(None if p is None else as_expr(p) for p in partials)

    def text(self, *args):
        return f"{self.name}({', '.join(args)})"

    def __reduce__(self):
        # By reference: the module that declares the operation is imported again.
        return self.__qualname__


def _named(op: _Declared, function: Callable) -> Any:
    for attribute in ("__module__", "__qualname__"):
        object.__setattr__(op, attribute, getattr(function, attribute, function.__class__.__name__))
    return op


def _type(rule: Any, name: str, args: Sequence[Expr]) -> Type:
    """A result type as people give it: a Type, an array like it, or (dtype, shape); or a function
    of the arguments.
    """
    given = rule(*args) if callable(rule) else rule
    if isinstance(given, Type):
        dtype, shape = given
    elif isinstance(given, Expr):
        dtype, shape = given.dtype, given.shape
    elif isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], (tuple, list)):
        dtype, shape = given
    else:
        raise ArgumentError(
            f"{name}: a result type is an expression like it, or (dtype, shape), not {given!r}"
        )
    return Type(check_dtype(dtype), tuple(as_size(n, f"a size of {name}") for n in shape))


# --- by equation ---------------------------------------------------------------------------------


@operation
class Equation(_Declared, register=False):
    """An operation given by the value at an index."""

    function: Callable
    shape: Callable
    dtype: str | None
    transpose: Callable | None
    name = _Declared.name

    def type(self, *args):
        shape = tuple(as_size(n, f"a size of {self.name}") for n in self.shape(*args))
        dtype = self.dtype or self.element(*map(Operand, args), *map(index, shape)).dtype
        return Type(dtype, shape)

    def element(self, *operands):
        return as_expr(self.function(*operands))

    def numpy(self, *arrays):
        return meaning.equation(self, arrays)


def equation(
    *, shape: Callable[..., tuple], dtype: Any = None, vjp: Callable | None = None
) -> Callable[[Callable], Equation]:
    """Declare an operation by an equation: a function of its operands and of the indices of the
    result.

    `shape(*args)` gives the shape of the result, of which each axis has one index; `dtype` defaults
    to that of the formula; `vjp(g, out, *args)` gives the gradient for each argument.
    """
    dtype = None if dtype is None else check_dtype(dtype)

    def declare(function: Callable) -> Equation:
        return _named(Equation(function, shape, dtype, vjp), function)

    return declare


# --- by Python -----------------------------------------------------------------------------------


@operation
class PythonOp(_Declared, register=False):
    """An operation that calls Python when it runs."""

    function: Callable
    result: Any
    transpose: Callable | None
    name = _Declared.name

    def type(self, *args):
        return _type(self.result, self.name, args)

    def perform(self, *arrays):
        """The function's result, which must be what was declared: dtype and rank."""
        result = np.asarray(self.function(*arrays))
        leaves = meaning.stand_ins(arrays)
        expected = self.type(*leaves)
        if result.dtype.name != expected.dtype:
            message = f"{self.name} returned {result.dtype} where {expected.dtype} was declared"
            raise DtypeError(message)
        fits = result.ndim == expected.ndim and all(
            not isinstance(n, int) or n == m
            for n, m in zip(expected.shape, result.shape, strict=True)
        )
        if not fits:
            message = (
                f"{self.name} returned shape {shape_text(result.shape)} "
                f"where {shape_text(expected.shape)} was declared"
            )
            raise ShapeError(message)
        return result

    def numpy(self, *arrays):
        return self.perform(*arrays)


def python_op(function: Callable | None = None, *, type: Any, vjp: Callable | None = None) -> Any:
    """Declare an operation by a Python function of arrays; a decorator, or called with the
    function.

    `type` is the result's type: an expression like it, `(dtype, shape)`, or a function of the
    arguments that gives one of these. `vjp(g, out, *args)` gives the gradient for each argument, in
    expressions. The function must return the same for the same arguments, and must not change them.
    """

    def declare(function: Callable) -> PythonOp:
        return _named(PythonOp(function, type, vjp), function)

    return declare if function is None else declare(function)


# --- by a C symbol -------------------------------------------------------------------------------


class CFunction(Primitive, register=False):
    """A function of real numbers that C code outside symcomp computes."""

    def __init__(self, function: Callable, source: str, **declaration):
        super().__init__(function, numpy=function, **declaration)
        self.source = source
        self.__module__, self.__qualname__ = function.__module__, function.__qualname__

    def __reduce__(self):
        return self.__qualname__


def c_function(
    call: str,
    *,
    source: str = "",
    grad: Callable | None = None,
    dtype: Any = None,
    domain: tuple[float, float] = (-inf, inf),
) -> Callable[[Callable], CFunction]:
    """Declare a function of real numbers by C; the decorated function is its NumPy reference.

    `call` is a C expression in which `{x}` stands for the parameter x, `{t}` for the suffix of the
    dtype (f32, f64) and `{T}` for its C type. `source` is C that the generated file contains: an
    #include, or static functions. `grad(*args, out)` gives the derivative for each argument. With
    `dtype` the function is computed in that dtype only. Errors: ArgumentError where the expression
    names what is not a parameter, or the name is taken.
    """
    types = real if dtype is None else _always(check_dtype(dtype))

    def declare(function: Callable) -> CFunction:
        known = registry.get(function.__name__)
        if known is not None and not isinstance(known, CFunction):
            message = f"c_function: {function.__name__} is the name of an operation of symcomp"
            raise ArgumentError(describe(message, origin=here()))
        allowed = {*inspect.signature(function).parameters, "t", "T"}
        for _, field, _, _ in string.Formatter().parse(call):
            if field is not None and field not in allowed:
                message = (
                    f"c_function: {{{field}}} in {call!r} is not a parameter of {function.__name__}"
                )
                raise ArgumentError(describe(message, origin=here()))
        return CFunction(function, source, c=call, grad=grad, types=types, domain=domain)

    return declare


def _always(dtype: str) -> Callable:
    return lambda *dtypes: ((dtype,) * len(dtypes), dtype)
