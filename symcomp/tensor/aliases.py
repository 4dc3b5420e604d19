"""The names that Theano, NumPy and others give to what is declared elsewhere: one table."""

from __future__ import annotations

from typing import Any

from symcomp.graph.expr import Expr, constant
from symcomp.graph.op import as_expr
from symcomp.graph.scalar import cast
from symcomp.tensor import arithmetic, elementary, layout, linear, reduction, special
from symcomp.tensor.creation import full_like

#: Another name: what it means.
ALIASES = {
    "absolute": arithmetic.abs,
    "abs_": arithmetic.abs,
    "and_": arithmetic.bitwise_and,
    "bitwise_invert": arithmetic.bitwise_not,
    "div": arithmetic.divide,
    "eq": arithmetic.equal,
    "ge": arithmetic.greater_equal,
    "gt": arithmetic.greater,
    "int_div": arithmetic.floor_divide,
    "inv": arithmetic.reciprocal,
    "invert": arithmetic.bitwise_not,
    "le": arithmetic.less_equal,
    "lt": arithmetic.less,
    "mul": arithmetic.multiply,
    "neg": arithmetic.negative,
    "neq": arithmetic.not_equal,
    "or_": arithmetic.bitwise_or,
    "pow": arithmetic.power,
    "remainder": arithmetic.mod,
    "round_half_to_even": arithmetic.rint,
    "sgn": arithmetic.sign,
    "sqr": arithmetic.square,
    "sub": arithmetic.subtract,
    "switch": arithmetic.where,
    "true_div": arithmetic.divide,
    "true_divide": arithmetic.divide,
    "xor": arithmetic.bitwise_xor,
    "acos": elementary.arccos,
    "acosh": elementary.arccosh,
    "asin": elementary.arcsin,
    "asinh": elementary.arcsinh,
    "atan": elementary.arctan,
    "atan2": elementary.arctan2,
    "atanh": elementary.arctanh,
    "degrees": elementary.rad2deg,
    "radians": elementary.deg2rad,
    "lgamma": special.gammaln,
    "shape_padaxis": layout.expand_dims,
    "tensor_dot": linear.tensordot,
    "batched_tensordot": linear.batched_dot,
    "max_and_argmax": lambda x, axis=None: (reduction.max(x, axis), reduction.argmax(x, axis)),
    "fill": lambda x, value: full_like(x, value),
    "second": lambda x, value: full_like(x, value),
}


def as_tensor_variable(value: Any, name: str | None = None, ndim: int | None = None) -> Expr:
    """An expression: itself, a constant, or a list of expressions stacked (Theano's)."""
    if isinstance(value, (list, tuple)) and any(isinstance(v, (Expr, list, tuple)) for v in value):
        value = layout.stack([as_tensor_variable(v) for v in value])
    x = constant(value, name=name) if name and not isinstance(value, Expr) else as_expr(value)
    if ndim is not None and ndim > x.ndim:
        x = layout.expand_dims(x, tuple(range(ndim - x.ndim)))
    return x


def shape(x: Any) -> Expr:
    """The shape as a vector of integers; `x.shape` gives the sizes one by one."""
    x = as_expr(x)
    if not x.ndim:
        return constant([], "int64")
    return layout.stack([cast(n, "int64") for n in x.shape])


def iround(x: Any) -> Expr:
    """The nearest whole number as int64; halves go to the even one."""
    return cast(arithmetic.rint(x), "int64")


ALIASES |= {
    "as_tensor": as_tensor_variable,
    "as_tensor_variable": as_tensor_variable,
    "constant": constant,
    "iround": iround,
    "shape": shape,
}
