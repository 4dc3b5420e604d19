"""Derivatives of whole expressions: reverse mode by the `vjp` of each operation; all results are
expressions.

Gradients are accumulated in one sweep from the cost to the leaves, iteratively, so depth does not
matter. Forward mode (`jvp`) is the transpose of the transpose: the vjp is linear in its cotangent,
and its vjp with respect to that cotangent is the jvp. Rules then simplify what either writes down.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symcomp.batch import batched
from symcomp.errors import (
    DisconnectedInputError,
    GradientError,
    OptionError,
    describe,
    here,
    inherit,
)
from symcomp.graph import size
from symcomp.graph.expr import Expr, Variable
from symcomp.graph.op import as_expr
from symcomp.graph.show import text, type_text
from symcomp.graph.type import Type, is_float
from symcomp.graph.walk import evaluate, order
from symcomp.tensor.creation import eye, ones_like, zeros, zeros_like
from symcomp.tensor.layout import reshape

_DISCONNECTED = ("raise", "warn", "ignore")


def grad(
    cost: Expr,
    wrt: Any,
    consider_constant: Expr | Sequence[Expr] = (),
    known_grads: Mapping[Expr, Expr] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """∂cost/∂wrt: one expression, or a list or dict like `wrt`, each with the shape and dtype of
    its
    variable.

    `consider_constant` lists expressions through which no gradient flows. `known_grads` gives
    gradients of the cost with respect to inner expressions (the cost may then be None).
    `disconnected_inputs` says what happens where the cost does not depend on a variable: "raise"
    (DisconnectedInputError), "warn", "ignore" (a gradient of zeros).
    """
    targets, like = _targets(wrt)
    if disconnected_inputs not in _DISCONNECTED:
        allowed = " or ".join(map(repr, _DISCONNECTED))
        raise OptionError(
            describe(
                f"grad: disconnected_inputs is {allowed}, not {disconnected_inputs!r}",
                origin=here(),
            )
        )
    seeds = _known(known_grads or {})
    if cost is not None:
        cost = as_expr(cost)
        _check_cost(cost)
        seeds[cost] = seeds[cost] + ones_like(cost) if cost in seeds else ones_like(cost)
    elif not seeds:
        message = "grad: there is neither a cost nor a known gradient"
        raise GradientError(describe(message, origin=here()))
    fixed = {consider_constant} if isinstance(consider_constant, Expr) else set(consider_constant)
    gradients = _reverse(seeds, targets, fixed)
    return like(
        [_settled(g, t, cost, disconnected_inputs) for g, t in zip(gradients, targets, strict=True)]
    )


def _known(known_grads: Mapping[Expr, Expr]) -> dict[Expr, Expr]:
    seeds = {as_expr(k): as_expr(v) for k, v in known_grads.items()}
    for k, v in seeds.items():
        if k.ndim != v.ndim:
            message = (
                f"grad: the known gradient of {text(k)} is a {type_text(v)}, "
                f"but that is a {type_text(k)}"
            )
            raise GradientError(describe(message, origin=here()))
    return seeds


def _targets(wrt, name: str = "grad") -> tuple[list[Expr], Callable[[list], Any]]:
    """What to differentiate by, and how to return results in the same form: one, list or dict."""
    like: Callable[[list], Any] = list
    if isinstance(wrt, Expr):
        targets, like = [wrt], operator.itemgetter(0)
    elif isinstance(wrt, Mapping):
        targets = list(wrt.values())

        def like(results):
            return dict(zip(wrt, results, strict=True))

    elif isinstance(wrt, (list, tuple)):
        targets = list(wrt)
    else:
        message = f"{name}: {wrt!r} is not a symbolic expression, nor a list or dict of them"
        raise GradientError(describe(message, origin=here()))
    for t in targets:
        if not isinstance(t, Expr):
            message = f"{name}: {t!r} is not a symbolic expression"
            raise GradientError(describe(message, origin=here()))
        if not is_float(t.dtype):
            message = f"{name}: {text(t)} is {t.dtype}; only floating-point values have derivatives"
            raise GradientError(describe(message, origin=here()))
    return targets, like


def _check_cost(cost: Expr) -> None:
    if cost.ndim:
        message = (
            f"grad: the cost must be a scalar, not a {type_text(cost)}; "
            "take its sum() or mean(), or use vjp"
        )
        raise GradientError(describe(message, text(cost), origin=here()))
    if not is_float(cost.dtype):
        message = f"grad: the cost is {cost.dtype}; only floating-point values have derivatives"
        raise GradientError(describe(message, text(cost), origin=here()))


def _all_settled(gradients, targets, cost: Expr | None, policy: str) -> list[Expr]:
    pairs = zip(gradients, targets, strict=True)
    return [_settled(g, t, cost, policy) for g, t in pairs]


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
    """The vector-Jacobian product: Σ cotangent · ∂output/∂wrt, for each of `wrt` (Theano's Lop)."""
    outputs, cotangents = _list(outputs), _list(cotangents)
    _check_pairs("vjp", "cotangent", outputs, cotangents)
    targets, like = _targets(wrt, "vjp")
    seeds: dict[Expr, Expr] = {}
    for o, c in zip(outputs, cotangents, strict=True):
        seeds[o] = seeds[o] + c if o in seeds else c
    gradients = _reverse(seeds, targets, set())
    return like(
        [_settled(g, t, None, disconnected_inputs) for g, t in zip(gradients, targets, strict=True)]
    )


def jvp(outputs: Any, wrt: Any, tangents: Any) -> Any:
    """The Jacobian-vector product: Σ ∂output/∂wrt · tangent, for each output (Theano's Rop)."""
    single = isinstance(outputs, Expr)
    outputs, tangents = _list(outputs), _list(tangents)
    targets, _ = _targets(wrt if isinstance(wrt, (Expr, Mapping)) else list(wrt), "jvp")
    _check_pairs("jvp", "tangent", targets, tangents)
    results = [_forward(o, targets, tangents) for o in outputs]
    return results[0] if single else results


def _check_pairs(name: str, what: str, values: list[Expr], vectors: list[Expr]) -> None:
    if len(values) != len(vectors):
        message = f"{name}: {len(values)} values need as many {what}s, not {len(vectors)}"
        raise GradientError(describe(message, origin=here()))
    for x, v in zip(values, vectors, strict=True):
        if x.ndim != v.ndim:
            message = (
                f"{name}: the {what} of {text(x)} is a {type_text(v)}, but that is a {type_text(x)}"
            )
            raise GradientError(describe(message, origin=here()))


def _like(x: Expr, name: str) -> Variable:
    """A variable with the type of an expression, and its very sizes."""
    dummy = Variable(x.type, name)
    dummy._shape = x.shape
    return dummy


def _forward(output: Expr, targets: list[Expr], tangents: list[Expr]) -> Expr:
    dummy = _like(output, "cotangent")
    transposed = _reverse({output: dummy}, targets, set())
    seeds: dict[Expr, Expr] = {}
    for g, v in zip(transposed, tangents, strict=True):
        if g is not None:
            seeds[g] = seeds[g] + v if g in seeds else v
    (result,) = _reverse(seeds, [dummy], set()) if seeds else (None,)
    return zeros_like(output) if result is None else result


# --- whole derivatives ---------------------------------------------------------------------------


def jacobian(output: Expr, wrt: Any, disconnected_inputs: str = "raise") -> Any:
    """∂output/∂wrt in full: an array of shape output.shape + wrt.shape, for each of `wrt`.

    The rows are one batched vector-Jacobian product with the identity, so the expression does not
    grow with the sizes, which may be symbolic. Errors: GradientError where an operation has no rule
    for batching (Python's own).
    """
    output = as_expr(output)
    targets, like = _targets(wrt, "jacobian")
    if not is_float(output.dtype):
        message = (
            f"jacobian: the output is {output.dtype}; only floating-point values have derivatives"
        )
        raise GradientError(describe(message, text(output), origin=here()))
    dummy = _like(output, "cotangent")
    gradients = _reverse({output: dummy}, targets, set())
    count = size.product(output.shape)
    basis = reshape(eye(count, dtype=output.dtype), (count, *output.shape))
    connected = [g for g in gradients if g is not None]
    rows = iter(batched(connected, {dummy: basis}) if connected else ())
    results = []
    for g, t in zip(gradients, targets, strict=True):
        shape = (*output.shape, *t.shape)
        if g is None:
            _settled(g, t, output, disconnected_inputs)
            results.append(zeros(shape, t.dtype))
        else:
            results.append(reshape(next(rows), shape))
    return like(results)


def hessian(cost: Expr, wrt: Any, disconnected_inputs: str = "raise") -> Any:
    """∂²cost/∂wrt², of shape wrt.shape + wrt.shape, for each of `wrt`.

    `disconnected_inputs` is as in `grad`; a gradient that is constant has a Hessian of zeros.
    """
    targets, like = _targets(wrt, "hessian")
    gradients = grad(cost, targets, disconnected_inputs=disconnected_inputs)
    return like([jacobian(g, t, "ignore") for g, t in zip(gradients, targets, strict=True)])


def check_gradient(
    function: Callable[..., Expr],
    points: Sequence[Any],
    *,
    step: float = 1e-6,
    tolerance: float = 1e-5,
    seed: int = 0,
) -> float:
    """Compare the gradient of a function with central differences; returns the largest error found.

    `function` takes expressions and returns one; `points` are the arrays to take it at, computed in
    float64. The output is weighted by random numbers, so that no error cancels. The error is
    relative to max(1, |gradient|). Errors: GradientError where it exceeds the tolerance.
    """
    points = [np.array(p, dtype="float64") for p in points]
    variables = [Variable(Type("float64", p.shape), f"x{i}") for i, p in enumerate(points)]
    output = function(*variables)
    given = dict(zip(variables, points, strict=True))
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, evaluate([output], given)[0].shape)
    cost = (output * weights).sum()
    exact = evaluate(grad(cost, variables, disconnected_inputs="ignore"), given)
    worst = 0.0
    for i, (g, p) in enumerate(zip(exact, points, strict=True)):
        numeric = _differences(cost, given, p, step)
        error = np.abs(g - numeric) / np.maximum(1, np.abs(numeric))
        worst = max(worst, float(error.max(initial=0.0)))
        if not (error <= tolerance).all():
            at = tuple(int(k) for k in np.unravel_index(np.argmax(error), error.shape))
            message = (
                f"check_gradient: with respect to argument {i} at {list(at)} the gradient is "
                f"{g[at]:.8g} and the difference quotient {numeric[at]:.8g}"
            )
            raise GradientError(describe(message, text(output), origin=here()))
    return worst


def _differences(cost: Expr, given: Mapping[Expr, np.ndarray], point: np.ndarray, step: float):
    """Central differences of a scalar with respect to each element of `point`, changed in place."""
    result = np.empty_like(point)
    for at in np.ndindex(point.shape):
        start = point[at]
        h = step * max(1.0, abs(start))
        values = []
        for moved in (start + h, start - h):
            point[at] = moved
            values.append(float(evaluate([cost], given)[0]))
        point[at] = start
        result[at] = (values[0] - values[1]) / (2 * h)
    return result


def _list(values) -> list[Expr]:
    return [as_expr(v) for v in (values if isinstance(values, (list, tuple)) else [values])]
