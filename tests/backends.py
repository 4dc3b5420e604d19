"""The ways to evaluate expressions that tests compare: each takes inputs, outputs and values."""

from __future__ import annotations

import symcomp
from symcomp.graph.walk import evaluate


def by_numpy(inputs, outputs, values):
    return evaluate(outputs, dict(zip(inputs, values, strict=True)))


def by_c(inputs, outputs, values):
    function = symcomp.function(inputs, outputs, on_unused_input="ignore")
    return function(*values)


#: Every backend by name.
BACKENDS = {"numpy": by_numpy}
if hasattr(symcomp, "function"):
    BACKENDS["c"] = by_c
