"""mode="numpy" and `expr.eval`: expressions computed at once by the NumPy references.

No compiler, no rewriting: what a function means, and what compiled code is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symcomp.compile.accept import Acceptance
from symcomp.compile.checks import bounds_error, require_sizes
from symcomp.compile.definition import Definition, In, define
from symcomp.errors import InputError, MissingInputError, describe, here
from symcomp.graph import shared
from symcomp.graph.expr import Expr, Variable
from symcomp.graph.show import text
from symcomp.graph.walk import evaluate, order


def interpreter(definition: Definition) -> Callable[..., Any]:
    """The method `__call__` of an interpreted function."""
    accept = Acceptance(definition)
    variables = definition.variables

    def __call__(self, /, *args, **keywords):
        arrays = accept.all(args, keywords)
        return definition.pack(run(definition, dict(zip(variables, arrays, strict=True))))

    return __call__


def run(definition: Definition, values: Mapping[Expr, np.ndarray]) -> list[np.ndarray]:
    """The outputs for these inputs; shared values are updated in place."""
    used = definition.shared()
    written = {s for s, _ in definition.updates}
    if not used:
        return _computed(definition, values)
    with shared.held(used, [s in written for s in used]):
        results = _computed(definition, values)
        count = len(definition.outputs)
        for (target, _), value in zip(definition.updates, results[count:], strict=True):
            np.copyto(target.array, value)
            target.rewritten()
        return results[:count]


def _computed(definition: Definition, values: Mapping[Expr, np.ndarray]) -> list[np.ndarray]:
    """Outputs and new values, each in memory of its own."""
    require_sizes(definition, values)
    try:
        results = evaluate(definition.values(), values)
    except IndexError:
        raise bounds_error(definition, values) from None
    return [np.array(r, order="C", subok=False) for r in results]


def evaluated(expr: Expr, values: Mapping[Expr, Any] | None = None) -> np.ndarray:
    """The value of an expression, at once: `expr.eval({x: array, …})`.

    Shared values are read as they are now; inputs convert as those of functions do. Errors:
    MissingInputError, InputError, DtypeError, ShapeError, BoundsError.
    """
    given = {} if values is None else values
    variables = _variables(expr, given)
    definition = define(
        [In(v) for v in variables], expr, mode="numpy", on_unused_input="ignore", name="eval"
    )
    arrays = Acceptance(definition).all([given[v] for v in variables], {})
    return run(definition, dict(zip(variables, arrays, strict=True)))[0]


def _variables(expr: Expr, values: Any) -> Sequence[Variable]:
    if not isinstance(values, Mapping):
        message = f"eval: values are a dict {{variable: array}}, not {values!r}"
        raise InputError(describe(message, text(expr), origin=here()))
    for key in values:
        if not isinstance(key, Variable):
            message = f"eval: values are given for symbolic variables, not for {key!r}"
            raise InputError(describe(message, text(expr), origin=here()))
    missing = [e for e in order([expr]) if isinstance(e, Variable) and e not in values]
    if missing:
        names = ", ".join(map(text, missing))
        message = f"eval: no value is given for {names}: write .eval({{{names}: …}})"
        raise MissingInputError(describe(message, text(expr), origin=here()))
    return list(values)


Expr.eval = evaluated
