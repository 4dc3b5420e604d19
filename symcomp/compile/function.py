"""function(): from symbolic inputs and outputs to something that can be called.

A `Function` is an object of a class of its own, whose `__call__` is written for it: in mode "c" by
`compile.native`, which calls the one native entry; in mode "numpy" by `compile.interpreted`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symcomp.compile import (
    pickling,  # noqa: F401  (teaches expressions to be pickled)
    report,
)
from symcomp.compile.check import checker
from symcomp.compile.definition import Definition, In, define, fail, fitting
from symcomp.compile.interpreted import interpreter
from symcomp.compile.native import compiled
from symcomp.errors import UpdateError
from symcomp.graph.expr import Expr, Variable
from symcomp.graph.shared import Shared
from symcomp.graph.show import text

__all__ = ["Function", "In", "function", "make"]


class Function:
    """A compiled function. Call it with arrays, by position or by name."""

    definition: Definition
    #: The text of the method that calls native code; empty where functions are interpreted.
    call_source: str = ""

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def shared(self) -> list[Shared]:
        """The shared values that it reads or updates."""
        return self.definition.shared()

    def __repr__(self) -> str:
        d = self.definition
        inputs = ", ".join(f"{i.label or 'input'}: {i.variable.type}" for i in d.inputs)
        return f"<symcomp function {d.name}({inputs}), mode {d.mode!r}>"

    def explain(self, part: str = "", device: str | None = None) -> report.Report:
        """How the function computes: rules that fired, steps, memory, times of the passes, the
        source's place.

        part: "" all of that; or one of "plan", "rules", "loops", "c", "cuda" (the kernels of a GPU,
        whose launch plan is "c"), "graph" (Graphviz), "call" (the Python text of the call).
        device: "cpu" or "cuda", to see what the function would be there; no GPU is needed for that.
        Errors: ArgumentError.
        """
        return report.explain(self, part, device)

    def profile(self) -> report.Profile:
        """The times of its kernels in all calls until now; it was compiled with profile=True.

        Errors: ArgumentError.
        """
        return report.profile(self)

    def copy(
        self,
        share: bool = True,
        swap: Mapping[Shared, Shared] | None = None,
        name: str | None = None,
    ) -> Function:
        """The same function again.

        With `share=False` it works on copies of the shared values; `swap` puts other shared values
        in the place of some. Errors: UpdateError where one does not fit what it replaces.
        """
        replaced = {} if share else {s: copy.copy(s) for s in self.shared}
        replaced |= _swapped(self.shared, swap or {})
        made = self.definition.replaced(replaced) if replaced else self.definition
        return make(made.changed(name=name or made.name))

    def __copy__(self) -> Function:
        return self.copy()

    def __deepcopy__(self, memo: dict) -> Function:
        replaced = {s: copy.deepcopy(s, memo) for s in self.shared}
        return make(self.definition.replaced(replaced))

    def __reduce__(self) -> tuple[Callable, tuple]:
        return make, (self.definition,)


def _swapped(shared: Sequence[Shared], swap: Mapping[Shared, Shared]) -> dict[Shared, Expr]:
    result = {}
    for old, new in swap.items():
        if old not in shared:
            fail(UpdateError, f"copy: {text(old)} is not a shared value of this function")
        if not isinstance(new, Shared):
            fail(UpdateError, f"copy: {text(old)} can be swapped for a shared value, not {new!r}")
        fitted = fitting(f"the swap for {text(old)}", old, new)
        if fitted is not new:
            fail(UpdateError, f"copy: {text(new)} is {new.dtype}, and {old.dtype} is needed")
        result[old] = new
    return result


def function(
    inputs: Sequence[Variable | In],
    outputs: Any = None,
    updates: Any = None,
    givens: Any = None,
    mode: str | None = None,
    on_unused_input: str | None = None,
    allow_input_downcast: bool | None = None,
    name: str | None = None,
    profile: bool = False,
    rules: Any = None,
    no_default_updates: Any = False,
    device: str | None = None,
    results: str = "numpy",
) -> Function:
    """Compile outputs and updates to a function of the inputs.

    inputs: symbolic variables, or `In(variable, value=default, name=…)`.
    outputs: None, one expression, a list, or a dict; the result has the same form.
    updates: pairs (or a dict) of shared values and their new values, all computed from the old
    ones, then written in place.
    givens: pairs (or a dict) of expressions and what is to be used in their place.
    mode: "c" (native), "numpy" (interpreted), "check" (both, compared step by step).
    on_unused_input: "raise", "warn" or "ignore".
    allow_input_downcast: True converts with loss; None converts Python's numbers and lists where
    they fit; False converts nothing that would not keep its exact value.
    name: what errors and files call it. profile: keep times for `f.profile()`.
    rules: more rewrite rules, a set made by `@ruleset`. Such a function is rewritten anew in each
    process; the compiler's work is found in the cache.
    no_default_updates: a shared value with a `default_update` (the state of a random stream) is
    updated by every function that uses it, unless `updates` name it; True refuses that, and a list
    of shared values refuses it for these.
    device: "cpu" or "cuda" (by default the option `device`): where it runs. On a GPU inputs are
    NumPy's arrays or arrays there (anything with `__cuda_array_interface__`), and shared values
    move there and stay.
    results: "numpy", or "device" for arrays that stay on the GPU (`symcomp.DeviceArray`).

    Errors: MissingInputError, UnusedInputError, InputError, UpdateError, OptionError, ShapeError,
    DtypeError, CompilerError, CacheError, GpuError.
    """
    return make(
        define(
            inputs, outputs, updates, givens, mode, on_unused_input, allow_input_downcast, name,
            profile, rules, no_default_updates, device, results,
        )
    )  # fmt: skip


def make(definition: Definition) -> Function:
    """The function of a definition, in its mode."""
    with definition.as_asked():
        if definition.mode == "numpy":
            call, source = interpreter(definition), ""
        elif definition.mode == "check":
            call, source = checker(definition), ""
        else:
            call, source = compiled(definition)
    made = object.__new__(type("Function", (Function,), {"__call__": call}))
    made.definition, made.call_source = definition, source
    return made
