"""Derivatives of whole expressions: reverse mode by the `vjp` of each operation; all results are
expressions.

Gradients are accumulated in one sweep from the cost to the leaves, iteratively, so depth does not
matter. Forward mode (`jvp`) is the transpose of the transpose: the vjp is linear in its cotangent,
and its vjp with respect to that cotangent is the jvp. Rules then simplify what either writes down.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symcomp.errors import (
    DisconnectedInputError,
    GradientError,
    OptionError,
    describe,
    here,
    inherit,
)
from symcomp.graph.expr import Expr, Variable
from symcomp.graph.op import Op, apply, as_expr
from symcomp.graph.show import text, type_text
from symcomp.graph.type import Type, is_float
from symcomp.graph.walk import order
from symcomp.tensor.creation import ones_like, zeros_like

_DISCONNECTED = ("raise", "warn", "ignore")


@dataclass(frozen=True)
class StopGradient(Op):
    """The value itself, through which no gradient flows."""

    def type(self, x):
        return Type(x.dtype, x.shape)

    def body(self, x):
        return x

    def numpy(self, x):
        return x

    def text(self, x):
        return f"stop_gradient({x})"


def stop_gradient(x: Any) -> Expr:
    """x, taken as constant by derivatives."""
    return apply(StopGradient(), as_expr(x))


def grad(
    cost: Expr,
    wrt: Expr | Sequence[Expr],
    consider_constant: Sequence[Expr] = (),
    known_grads: Mapping[Expr, Expr] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """∂cost/∂wrt: one expression, or a list like `wrt`, each with the shape and dtype of its
    variable.

    `consider_constant` lists expressions through which no gradient flows. `known_grads` gives
    gradients of the cost with respect to inner expressions (the cost may then be None).
    `disconnected_inputs` says what happens where the cost does not depend on a variable: "raise"
    (DisconnectedInputError), "warn", "ignore" (a gradient of zeros).
    """
    targets, single = _targets(wrt)
    if disconnected_inputs not in _DISCONNECTED:
        allowed = " or ".join(map(repr, _DISCONNECTED))
        raise OptionError(
            describe(
                f"grad: disconnected_inputs is {allowed}, not {disconnected_inputs!r}",
                origin=here(),
            )
        )
    seeds = {as_expr(k): as_expr(v) for k, v in (known_grads or {}).items()}
    for k, v in seeds.items():
        if k.ndim != v.ndim:
            message = f"grad: the known gradient of {text(k)} is a {type_text(v)}, but that is a {type_text(k)}"
            raise GradientError(describe(message, origin=here()))
    if cost is not None:
        cost = as_expr(cost)
        _check_cost(cost)
        seeds[cost] = seeds[cost] + ones_like(cost) if cost in seeds else ones_like(cost)
    elif not seeds:
        raise GradientError(
            describe("grad: there is neither a cost nor a known gradient", origin=here())
        )
    gradients = _reverse(seeds, targets, set(consider_constant))
    results = [
        _settled(g, t, cost, disconnected_inputs) for g, t in zip(gradients, targets, strict=True)
    ]
    return results[0] if single else results


def _targets(wrt) -> tuple[list[Expr], bool]:
    single = isinstance(wrt, Expr)
    targets = [wrt] if single else list(wrt)
    for t in targets:
        if not isinstance(t, Expr):
            raise GradientError(
                describe(f"grad: {t!r} is not a symbolic expression", origin=here())
            )
        if not is_float(t.dtype):
            message = f"grad: {text(t)} is {t.dtype}; only floating-point values have derivatives"
            raise GradientError(describe(message, origin=here()))
    return targets, single


def _check_cost(cost: Expr) -> None:
    if cost.ndim:
        message = f"grad: the cost must be a scalar, not a {type_text(cost)}; take its sum() or mean(), or use vjp"
        raise GradientError(describe(message, text(cost), origin=here()))
    if not is_float(cost.dtype):
        message = f"grad: the cost is {cost.dtype}; only floating-point values have derivatives"
        raise GradientError(describe(message, text(cost), origin=here()))


def _settled(g: Expr | None, target: Expr, cost: Expr | None, policy: str) -> Expr:
    if g is not None:
        return g
    message = f"grad: the cost does not depend on {text(target)} by any differentiable path"
    if policy == "raise":
        hint = 'disconnected_inputs="ignore" gives zeros instead'
        formula = text(cost) if cost is not None else ""
        raise DisconnectedInputError(describe(f"{message}; {hint}", formula, origin=here()))
    if policy == "warn":
        warnings.warn(message, stacklevel=3)
    return zeros_like(target)


def _reverse(
    seeds: Mapping[Expr, Expr], targets: Sequence[Expr], constant: set
) -> list[Expr | None]:
    """Gradients of Σ ⟨seed value, seed⟩ with respect to the targets."""
    nodes = order(seeds, stop=lambda e: e in constant)
    wanted = set(targets)
    useful: set[Expr] = set()
    for node in nodes:
        if node in wanted or (node not in constant and any(a in useful for a in node.args)):
            useful.add(node)
    gradients: dict[Expr, list[Expr]] = {k: [v] for k, v in seeds.items()}
    results: dict[Expr, Expr] = {}
    for node in reversed(nodes):
        parts = gradients.pop(node, None)
        if parts is None or node not in useful:
            continue
        with inherit(node.place):
            total = parts[0] if len(parts) == 1 else _total(parts)
            if node in wanted:
                results[node] = total
            if node.op is None or node in constant:
                continue
            _spread(node, total, useful, gradients)
    return [results.get(t) for t in targets]


def _total(parts: list[Expr]) -> Expr:
    total = parts[0]
    for p in parts[1:]:
        total = total + p
    return total


def _spread(node: Expr, g: Expr, useful: set, gradients: dict) -> None:
    partials = node.op.vjp(g, node, *node.args)
    for a, d in zip(node.args, partials, strict=True):
        if d is not None and a in useful and is_float(a.dtype):
            gradients.setdefault(a, []).append(d)


def vjp(outputs: Any, wrt: Any, cotangents: Any, disconnected_inputs: str = "raise") -> Any:
    """The vector-Jacobian product: Σ cotangent · ∂output/∂wrt, one for each of `wrt` (Theano's
    Lop).
    """
    outputs, cotangents = _list(outputs), _list(cotangents)
    if len(outputs) != len(cotangents):
        raise GradientError(
            describe(
                f"vjp: {len(outputs)} outputs need as many cotangents, not {len(cotangents)}",
                origin=here(),
            )
        )
    for o, c in zip(outputs, cotangents, strict=True):
        if o.ndim != c.ndim:
            message = (
                f"vjp: the cotangent of {text(o)} is a {type_text(c)}, but that is a {type_text(o)}"
            )
            raise GradientError(describe(message, origin=here()))
    targets, single = _targets(wrt)
    seeds: dict[Expr, Expr] = {}
    for o, c in zip(outputs, cotangents, strict=True):
        seeds[o] = seeds[o] + c if o in seeds else c
    gradients = _reverse(seeds, targets, set())
    results = [
        _settled(g, t, None, disconnected_inputs) for g, t in zip(gradients, targets, strict=True)
    ]
    return results[0] if single else results


def jvp(outputs: Any, wrt: Any, tangents: Any) -> Any:
    """The Jacobian-vector product: Σ ∂output/∂wrt · tangent, one for each output (Theano's Rop)."""
    single = isinstance(outputs, Expr)
    outputs, tangents = _list(outputs), _list(tangents)
    targets, _ = _targets(wrt)
    if len(targets) != len(tangents):
        raise GradientError(
            describe(
                f"jvp: {len(targets)} variables need as many tangents, not {len(tangents)}",
                origin=here(),
            )
        )
    for t, v in zip(targets, tangents, strict=True):
        if t.ndim != v.ndim:
            message = (
                f"jvp: the tangent of {text(t)} is a {type_text(v)}, but that is a {type_text(t)}"
            )
            raise GradientError(describe(message, origin=here()))
    results = [_forward(o, targets, tangents) for o in outputs]
    return results[0] if single else results


def _forward(output: Expr, targets: list[Expr], tangents: list[Expr]) -> Expr:
    dummy = Variable(Type(output.dtype, output.type.shape), "cotangent")
    transposed = _reverse({output: dummy}, targets, set())
    seeds = {}
    for g, v in zip(transposed, tangents, strict=True):
        if g is not None:
            seeds[g] = seeds[g] + v if g in seeds else v
    (result,) = _reverse(seeds, [dummy], set()) if seeds else (None,)
    return zeros_like(output) if result is None else result


def _list(values) -> list[Expr]:
    return [as_expr(v) for v in (values if isinstance(values, (list, tuple)) else [values])]
