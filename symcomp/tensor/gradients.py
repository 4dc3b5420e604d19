"""Values as they are, with another derivative: stopped, or clipped on its way back."""

from __future__ import annotations

from typing import Any

from symcomp.errors import ArgumentError, describe, here
from symcomp.graph.expr import Expr
from symcomp.graph.op import Op, apply, as_expr, operation
from symcomp.graph.type import Type
from symcomp.tensor.arithmetic import clip
from symcomp.tensor.creation import zeros_like

__all__ = ["disconnected_grad", "grad_clip", "stop_gradient", "zero_grad"]


class _Itself(Op, register=False):
    """The value itself."""

    def type(self, x):
        return Type(x.dtype, x.shape)

    def body(self, x):
        return x

    def numpy(self, x):
        return x


@operation
class StopGradient(_Itself):
    """The value itself, through which no gradient flows."""

    samples = (((), (2, 3)),)

    name = "stop_gradient"


@operation
class ZeroGradient(_Itself):
    """The value itself, whose gradient is zero (and not missing)."""

    samples = (((), (2, 3)),)

    name = "zero_grad"

    def vjp(self, g, out, x):
        return (zeros_like(g),)


@operation
class ClipGradient(_Itself):
    """The value itself, whose gradient is clipped between two bounds."""

    low: float
    high: float
    samples = (((-2.0, 2.0), (2, 3)),)

    name = "grad_clip"

    def vjp(self, g, out, x):
        return (clip(g, self.low, self.high),)


def stop_gradient(x: Any) -> Expr:
    """x, taken as constant by derivatives."""
    return apply(StopGradient(), as_expr(x))


#: Theano's name for `stop_gradient`.
disconnected_grad = stop_gradient


def zero_grad(x: Any) -> Expr:
    """x with a gradient of zero, which unlike that of `stop_gradient` counts as connected."""
    return apply(ZeroGradient(), as_expr(x))


def grad_clip(x: Any, low: float, high: float) -> Expr:
    """x, whose gradient is clipped between low and high on its way back (Theano's)."""
    if not low <= high:
        message = f"grad_clip: the lower bound {low} must not be above the upper bound {high}"
        raise ArgumentError(describe(message, origin=here()))
    return apply(ClipGradient(float(low), float(high)), as_expr(x))
