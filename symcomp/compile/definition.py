"""What a function computes: the arguments of `function()`, checked and in one form.

Everything that can be wrong with inputs, outputs, updates and givens is found here, when the
function is defined; what depends on the sizes of actual arrays is checked at the call.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from symcomp.errors import (
    InputError,
    MissingInputError,
    OptionError,
    RuleError,
    SymcompError,
    UnusedInputError,
    UpdateError,
    describe,
    here,
)
from symcomp.graph.arrays import is_weak
from symcomp.graph.expr import Constant, Expr, Leaf, Variable, constant, length
from symcomp.graph.op import as_expr
from symcomp.graph.scalar import cast
from symcomp.graph.shared import Shared
from symcomp.graph.show import text, type_text
from symcomp.graph.size import as_expr as size_expr
from symcomp.graph.walk import leaves, order, substitute
from symcomp.options import Block, options
from symcomp.rewrite.rule import RuleSet

MODES = ("c", "numpy", "check")
UNUSED = ("raise", "warn", "ignore")
DOWNCAST = (None, True, False)
DEVICES = ("cpu", "cuda")
RESULTS = ("numpy", "device")


class _Missing:
    """Stands where an input has no default."""

    def __repr__(self) -> str:
        return "<missing>"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True)
class In:
    """An input with more to say than its variable: a default value, a name for calls by keyword."""

    variable: Variable
    value: Any = MISSING
    name: str | None = None

    @property
    def label(self) -> str:
        """The name that a call may use, or nothing."""
        return self.name or self.variable.name or ""


#: Options that change what is generated, beside those of the C compiler.
SETTINGS = ("rewrite_budget", "direct_convolutions")


def _settings() -> tuple[tuple[str, Any], ...]:
    return tuple((name, options.get(name)) for name in SETTINGS)


@dataclass(frozen=True)
class Definition:
    """What a function computes: everything that `function` was asked for, checked."""

    inputs: tuple[In, ...]
    outputs: tuple[Expr, ...]
    result: str  # none, one, list or dict
    names: tuple[Any, ...]  # the keys of a dict
    updates: tuple[tuple[Shared, Expr], ...]
    name: str
    mode: str
    downcast: bool | None
    rules: Any = None
    profile: bool = False
    device: str = "cpu"
    results: str = "numpy"
    settings: tuple[tuple[str, Any], ...] = field(default_factory=_settings)

    @property
    def variables(self) -> list[Variable]:
        return [i.variable for i in self.inputs]

    def values(self) -> list[Expr]:
        """All that is computed: outputs, then new values of updates."""
        return [*self.outputs, *(v for _, v in self.updates)]

    def roots(self) -> list[Expr]:
        """`values` and the shared values that are updated."""
        return [*self.outputs, *(e for pair in self.updates for e in pair)]

    def leaves(self) -> list[Expr]:
        return [e for e in order(self.roots()) if e.op is None]

    def shared(self) -> list[Shared]:
        """The shared values that are read or updated, in a fixed order."""
        return [e for e in self.leaves() if isinstance(e, Shared)]

    def constants(self) -> list[Constant]:
        return [e for e in self.leaves() if isinstance(e, Constant)]

    def as_asked(self) -> Block:
        """A `with` block in which options are as they were when the function was asked for."""
        return options(**dict(self.settings))

    def changed(self, **fields: Any) -> Definition:
        return dataclasses.replace(self, **fields)

    def replaced(self, replacements: Mapping[Expr, Expr]) -> Definition:
        """The same with other expressions in the place of some, targets of updates included."""
        new = substitute(self.values(), with_sizes(replacements))
        count = len(self.outputs)
        targets = [replacements.get(s, s) for s, _ in self.updates]
        updates = tuple(zip(targets, new[count:], strict=True))
        return self.changed(outputs=tuple(new[:count]), updates=updates)

    def pack(self, outputs: Sequence[Any]) -> Any:
        """The outputs in the form that the definition gave them."""
        if self.result == "none":
            return None
        if self.result == "one":
            return outputs[0]
        if self.result == "list":
            return list(outputs)
        return dict(zip(self.names, outputs, strict=True))


def with_sizes(replacements: Mapping[Expr, Expr]) -> dict[Expr, Expr]:
    """Replacements of leaves, and of the symbolic lengths of their axes."""
    result = dict(replacements)
    for old, new in replacements.items():
        if isinstance(old, Leaf):
            for axis, n in enumerate(old.type.shape):
                if n is None:
                    result[length(old, axis)] = size_expr(new.shape[axis])
    return result


def define(
    inputs: Any,
    outputs: Any,
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
) -> Definition:
    """The definition that the arguments of `function` describe, or an error that says why not."""
    mode = _one_of("mode", options.mode if mode is None else mode, MODES)
    unused = options.on_unused_input if on_unused_input is None else on_unused_input
    unused = _one_of("on_unused_input", unused, UNUSED)
    downcast = _one_of("allow_input_downcast", allow_input_downcast, DOWNCAST)
    device = _one_of("device", options.device if device is None else device, DEVICES)
    results = _one_of("results", results, RESULTS)
    if results == "device" and device == "cpu":
        fail(OptionError, 'results stay on a device only with device="cuda"')
    if downcast is None and options.allow_input_downcast:
        downcast = True
    ins = _inputs(inputs)
    values, result, names = _outputs(outputs)
    if rules is not None and not isinstance(rules, RuleSet):
        fail(RuleError, f"rules are a set of rules made by @ruleset, not {_shown(rules)}")
    definition = Definition(
        ins, values, result, names, _updates(updates), _name(name), mode, downcast, rules,
        bool(profile), device, results,
    )  # fmt: skip
    replaced = _givens(givens)
    if replaced:
        definition = _with_givens(definition, replaced)
    definition = _with_default_updates(definition, _refused(no_default_updates), replaced)
    _check_inputs(definition, unused)
    return definition


def fail(kind: type[SymcompError], message: str, formula: str = "") -> NoReturn:
    raise kind(describe(f"function: {message}", formula, origin=here()))


def _one_of(what: str, value: Any, allowed: tuple) -> Any:
    if not any(value is a or (isinstance(value, str) and value == a) for a in allowed):
        fail(OptionError, f"{what} is {' or '.join(map(repr, allowed))}, not {value!r}")
    return value


def _name(name: Any) -> str:
    if name is not None and not isinstance(name, str):
        fail(InputError, f"name is a string, not {name!r}")
    return name or "function"


# --- inputs and outputs --------------------------------------------------------------------------


def _inputs(inputs: Any) -> tuple[In, ...]:
    if not isinstance(inputs, (list, tuple)):
        fail(InputError, f"inputs must be a list of variables, not {_shown(inputs)}")
    result: list[In] = []
    for i in inputs:
        item = i if isinstance(i, In) else In(i)
        _check_input(item.variable)
        if any(item.variable is other.variable for other in result):
            fail(InputError, f"{item.variable} is an input twice")
        if item.name and any(item.name == other.label for other in result):
            fail(InputError, f"two inputs have the name {item.name!r}")
        result.append(item)
    return tuple(result)


def _check_input(given: Any) -> None:
    if isinstance(given, Shared):
        message = f"{given} is a shared value: it needs no input; use givens to replace it"
        fail(InputError, message)
    if not isinstance(given, Variable):
        fail(InputError, f"an input must be a symbolic variable, not {_shown(given)}")


def _shown(value: Any) -> str:
    """A wrong argument on one short line."""
    if isinstance(value, Expr):
        return f"the expression {text(value)}" if value.op is not None else text(value)
    shown = repr(value)
    return shown if len(shown) <= 60 and "\n" not in shown else f"a {type(value).__name__}"


def _outputs(outputs: Any) -> tuple[tuple[Expr, ...], str, tuple]:
    if outputs is None:
        return (), "none", ()
    if isinstance(outputs, Mapping):
        return tuple(map(_output, outputs.values())), "dict", tuple(outputs)
    if isinstance(outputs, (list, tuple)):
        return tuple(map(_output, outputs)), "list", ()
    return (_output(outputs),), "one", ()


def _output(value: Any) -> Expr:
    if not isinstance(value, (Expr, int, float, bool, np.ndarray, np.generic)):
        fail(InputError, f"an output must be a symbolic expression, not {_shown(value)}")
    return as_expr(value)


def _check_inputs(d: Definition, unused: str) -> None:
    nodes = order(d.values())
    known = set(d.variables)
    for e in nodes:
        if isinstance(e, Variable) and e not in known:
            user = next((u for u in nodes if e in u.args), e)
            where = f", made at {e.origin}" if e.origin else ""
            other = e.name and any(v.name == e.name for v in known)
            which = " (another variable of that name is)" if other else ""
            message = f"{text(e)} is needed, but is not among the inputs{which}{where}"
            fail(MissingInputError, message, text(user))
    present = set(nodes)
    extra = [v for v in d.variables if v not in present]
    if extra and unused != "ignore":
        names = ", ".join(map(text, extra))
        message = f'no output depends on the input {names}; on_unused_input="ignore" allows it'
        if not any(isinstance(e, (Variable, Shared)) for e in nodes):
            # Outputs that are all literal: often the True or False that Python makes of x == y.
            message += "; are x == y or x != y meant by element? these are T.equal and T.not_equal"
        if unused == "raise":
            fail(UnusedInputError, message)
        place = here()
        warnings.warn_explicit(
            message, UserWarning, place.file if place else "symcomp", place.line if place else 1
        )


# --- updates and givens --------------------------------------------------------------------------


def _pairs(what: str, given: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(given, Mapping):
        return list(given.items())
    if given is not None and not isinstance(given, (list, tuple)):
        fail(UpdateError, f"{what} are a list of pairs or a dict, not {_shown(given)}")
    for pair in given or ():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            fail(UpdateError, f"{what} are pairs (old, new), not {_shown(pair)}")
    return [tuple(pair) for pair in given or ()]


def _updates(updates: Any) -> tuple[tuple[Shared, Expr], ...]:
    result: dict[Shared, Expr] = {}
    for target, value in _pairs("updates", updates):
        if not isinstance(target, Shared):
            fail(UpdateError, f"only shared values can be updated, not {_shown(target)}")
        if target in result:
            fail(UpdateError, f"{text(target)} is updated twice")
        result[target] = fitting(f"the update of {text(target)}", target, value)
    return tuple(result.items())


def _givens(givens: Any) -> dict[Expr, Expr]:
    result: dict[Expr, Expr] = {}
    for old, new in _pairs("givens", givens):
        if not isinstance(old, Expr):
            fail(UpdateError, f"givens replace symbolic expressions, not {_shown(old)}")
        if old in result:
            fail(UpdateError, f"{text(old)} is given twice")
        result[old] = fitting(f"the given for {text(old)}", old, new)
    return result


def fitting(what: str, old: Expr, given: Any) -> Expr:
    """`given` as an expression that can stand where `old` stands."""
    new = _as_value(what, old, given)
    if new.ndim != old.ndim:
        message = f"{what} is a {type_text(new)}, but that is a {type_text(old)}"
        fail(UpdateError, message, text(new))
    if new.dtype != old.dtype:
        if not np.can_cast(new.dtype, old.dtype, "safe") and not new.weak:
            message = (
                f"{what} is {new.dtype}, which does not fit into its {old.dtype} without loss; "
                f"cast it: .astype({old.dtype!r})"
            )
            fail(UpdateError, message, text(new))
        new = cast(new, old.dtype)
    for axis, (n, m) in enumerate(zip(old.type.shape, new.type.shape, strict=True)):
        if n is not None and m is not None and n != m:
            message = f"{what} has length {m} along axis {axis}, but that has {n}"
            fail(UpdateError, message, text(new))
    return new


def _as_value(what: str, old: Expr, given: Any) -> Expr:
    """An expression; Python's own numbers take the dtype of what they replace, if they fit."""
    if isinstance(given, Expr):
        return given
    try:
        if is_weak(given):
            plain = np.asarray(given)
            converted = plain.astype(old.dtype)
            if np.dtype(old.dtype).kind == "f" or np.array_equal(plain, converted):
                return constant(converted)
        return as_expr(given)
    except (SymcompError, ValueError, TypeError, OverflowError):
        fail(UpdateError, f"{what} must be an expression or an array, not {_shown(given)}")


def _with_givens(definition: Definition, givens: Mapping[Expr, Expr]) -> Definition:
    """Givens replace what is computed; an update still writes to its own shared value."""
    new = substitute(definition.values(), with_sizes(givens))
    count = len(definition.outputs)
    updates = tuple(
        (target, fitting(f"the update of {text(target)}", target, value))
        for (target, _), value in zip(definition.updates, new[count:], strict=True)
    )
    return definition.changed(outputs=tuple(new[:count]), updates=updates)


def _refused(given: Any) -> bool | set[Shared]:
    """Whether there are default updates, or the shared values that get none."""
    if isinstance(given, bool):
        return given
    if not isinstance(given, (list, tuple, set, frozenset)):
        message = f"no_default_updates is True, False or a list of shared values, not {given!r}"
        fail(OptionError, message)
    for s in given:
        if not isinstance(s, Shared):
            fail(UpdateError, f"no_default_updates lists shared values, not {_shown(s)}")
    return set(given)


def _with_default_updates(
    definition: Definition, refused: bool | set[Shared], givens: Mapping[Expr, Expr]
) -> Definition:
    """The updates that the shared values in use bring along, and those that these need in turn."""
    if refused is True:
        return definition
    updates = dict(definition.updates)
    kept = set() if refused is False else refused
    new = definition.values()
    while new:
        found = [
            e
            for e in leaves(new)
            if isinstance(e, Shared)
            and e.default_update is not None
            and e not in updates
            and e not in kept
        ]
        values = substitute([s.default_update for s in found], with_sizes(givens))
        new = [
            fitting(f"the default update of {text(s)}", s, value)
            for s, value in zip(found, values, strict=True)
        ]
        updates.update(zip(found, new, strict=True))
    return definition.changed(updates=tuple(updates.items()))
