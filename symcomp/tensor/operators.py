"""Python's operators and NumPy's methods on expressions: `x + y`, `x @ w`, `x[1:]`,
`x.sum(axis=0)`, `x.T`.

`graph` says what an expression is and knows no mathematics; here the two are joined, in two tables.
"""

from __future__ import annotations

from symcomp.errors import ArgumentError
from symcomp.graph.expr import Expr
from symcomp.graph.scalar import cast
from symcomp.tensor import (
    arithmetic,
    cumulative,
    elementary,
    indexing,
    keys,
    layout,
    linear,
    reduction,
)


def _binary(function):
    def method(self, other):
        return function(self, other)

    return method


def _reflected(function):
    def method(self, other):
        return function(other, self)

    return method


def _bits(on_integers, on_booleans):
    """`&`, `|`, `^` are logical on booleans and bitwise on integers, as in NumPy."""

    def apply(x, y):
        both = all(getattr(v, "dtype", None) == "bool" or isinstance(v, bool) for v in (x, y))
        return (on_booleans if both else on_integers)(x, y)

    return apply


def _invert(x):
    return arithmetic.logical_not(x) if x.dtype == "bool" else arithmetic.bitwise_not(x)


def _power(x, y, modulo=None):
    if modulo is not None:
        raise ArgumentError("pow with a modulus has no symbolic meaning")
    return arithmetic.power(x, y)


def _transpose(x, *axes):
    """`x.transpose()`, `x.transpose(1, 0)` or `x.transpose((1, 0))`."""
    if len(axes) == 1 and not isinstance(axes[0], int):
        axes = axes[0]
    return layout.transpose(x, axes or None)


_BINARY = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": arithmetic.floor_divide,
    "mod": arithmetic.mod,
    "pow": _power,
    "matmul": linear.matmul,
    "and": _bits(arithmetic.bitwise_and, arithmetic.logical_and),
    "or": _bits(arithmetic.bitwise_or, arithmetic.logical_or),
    "xor": _bits(arithmetic.bitwise_xor, arithmetic.logical_xor),
    "lshift": arithmetic.left_shift,
    "rshift": arithmetic.right_shift,
}

_METHODS = {
    "__neg__": arithmetic.negative,
    "__pos__": lambda x: x,
    "__abs__": arithmetic.abs,
    "__invert__": _invert,
    "__lt__": arithmetic.less,
    "__le__": arithmetic.less_equal,
    "__gt__": arithmetic.greater,
    "__ge__": arithmetic.greater_equal,
    "__getitem__": keys.getitem,
    "astype": cast,
    "dot": linear.dot,
    "clip": arithmetic.clip,
    "round": arithmetic.round,
    "transpose": _transpose,
    **{name: getattr(layout, name) for name in (
        "dimshuffle", "expand_dims", "squeeze", "reshape", "ravel", "flatten", "swapaxes",
        "broadcast_to", "repeat",
    )},
    **{name: getattr(reduction, name) for name in (
        "sum", "prod", "mean", "var", "std", "min", "max", "argmin", "argmax", "any", "all", "norm",
    )},
    **{name: getattr(cumulative, name) for name in (
        "cumsum", "cumprod",
    )},
    "take": indexing.take,
    "exp": elementary.exp,
    "log": elementary.log,
    "sqrt": elementary.sqrt,
}  # fmt: skip


def _method(name: str, function):
    """A method that calls a function declared elsewhere (functions of real numbers are not
    functions to Python). NumPy's functions call it with an `out` of None: `np.sum(x)`.
    """

    def method(self, *args, **keywords):
        if "out" in keywords and keywords["out"] is None:
            del keywords["out"]
        return function(self, *args, **keywords)

    method.__name__ = name
    method.__doc__ = function.__doc__
    return method


for _name, _function in _BINARY.items():
    setattr(Expr, f"__{_name}__", _binary(_function))
    setattr(Expr, f"__r{_name}__", _reflected(_function))
for _name, _function in _METHODS.items():
    setattr(Expr, _name, _method(_name, _function))
Expr.T = property(layout.transpose)
