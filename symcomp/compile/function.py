"""function(): from symbolic inputs and outputs to something that can be called.

A `Function` is an object of a class of its own, whose `__call__` is written for it by `compile.caller`. In mode "c" it
calls the one native entry; in mode "numpy" it interprets the expression with the NumPy references.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcomp.codegen import cache, program, runtime
from symcomp.compile import caller
from symcomp.compile.bind import requirements
from symcomp.compile.caller import MISSING, Acceptance, Recipe
from symcomp.compile.key import structure
from symcomp.compile.pipeline import Compilation, compile_expression
from symcomp.errors import (
    InputError,
    MissingInputError,
    OptionError,
    ShapeError,
    UnusedInputError,
    UpdateError,
    describe,
    here,
)
from symcomp.graph.expr import Constant, Expr, Variable
from symcomp.graph.op import as_expr
from symcomp.graph.scalar import cast
from symcomp.graph.shared import Shared
from symcomp.graph.show import text, type_text
from symcomp.graph.walk import evaluate, order, substitute
from symcomp.options import options

MODES = ("c", "numpy", "check")
UNUSED = ("raise", "warn", "ignore")


@dataclass(frozen=True)
class In:
    """An input with more to say than its variable: a default value, a name for calls by keyword."""

    variable: Variable
    value: Any = MISSING
    name: str | None = None


@dataclass
class Definition:
    """What a function computes: everything that `function` was asked for, checked."""

    inputs: list[In]
    outputs: list[Expr]
    result: str  # none, one, list or dict
    names: list[str]
    updates: list[tuple[Shared, Expr]]
    name: str
    mode: str
    downcast: bool | None
    rules: Any = None

    @property
    def variables(self) -> list[Variable]:
        return [i.variable for i in self.inputs]

    def everything(self) -> list[Expr]:
        return [*self.outputs, *(v for _, v in self.updates)]


class Function:
    """A compiled function. Call it with arrays, by position or by name."""

    def __init__(self, definition: Definition):
        self.definition = definition
        self.name = definition.name
        self.shared = [e for e in _leaves(definition) if isinstance(e, Shared)]
        self.tables = [e for e in _leaves(definition) if isinstance(e, Constant)]

    def __repr__(self) -> str:
        d = self.definition
        inputs = ", ".join(
            f"{i.name or i.variable.name or 'input'}: {i.variable.type}" for i in d.inputs
        )
        return f"<symcomp function {self.name}({inputs}), mode {d.mode!r}>"

    def copy(self, share: bool = True, name: str | None = None) -> Function:
        """The same function again; with share=False on copies of the shared values."""
        d = self.definition
        if share:
            return make(Definition(**{**d.__dict__, "name": name or d.name}))
        new = {s: Shared(s.get_value(), s._type, s.name) for s in self.shared}
        values = substitute(d.everything(), new)
        outputs, updated = values[: len(d.outputs)], values[len(d.outputs) :]
        updates = [(new.get(s, s), v) for (s, _), v in zip(d.updates, updated, strict=True)]
        changed = {"outputs": outputs, "updates": updates, "name": name or d.name}
        return make(Definition(**{**d.__dict__, **changed}))


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
) -> Function:
    """Compile outputs and updates to a function of the inputs.

    inputs: symbolic variables, or `In(variable, value=default, name=…)`.
    outputs: None, one expression, a list, or a dict of names to expressions; the result has the same form.
    updates: pairs (or a dict) of shared values and their new values, all computed from the old ones.
    givens: pairs (or a dict) of expressions and what is to be used in their place.
    mode: "c" (native), "numpy" (interpreted), "check" (both, compared step by step).
    on_unused_input: "raise", "warn" or "ignore". allow_input_downcast: True converts with loss, False never converts,
    None converts Python numbers and lists. rules: more rewrite rules.

    Errors: MissingInputError, UnusedInputError, InputError, UpdateError, ShapeError, DtypeError, CompilerError.
    """
    definition = _define(
        inputs, outputs, updates, givens, mode, on_unused_input, allow_input_downcast, name, rules
    )
    return make(definition)


# --- checking what was asked for -------------------------------------------------------------------------------------


def _fail(kind, message: str, formula: str = ""):
    raise kind(describe(f"function: {message}", formula, origin=here()))


def _define(inputs, outputs, updates, givens, mode, unused, downcast, name, rules) -> Definition:
    mode = _one_of("mode", mode or options.mode, MODES)
    unused = _one_of("on_unused_input", unused or options.on_unused_input, UNUSED)
    ins = _inputs(inputs)
    values, result, names = _outputs(outputs)
    pairs = _updates(updates)
    replaced = _givens(givens)
    everything = (
        substitute([*values, *(v for _, v in pairs)], replaced)
        if replaced
        else [*values, *(v for _, v in pairs)]
    )
    values, new = everything[: len(values)], everything[len(values) :]
    pairs = [(s, v) for (s, _), v in zip(pairs, new, strict=True)]
    definition = Definition(
        ins, values, result, names, pairs, name or "function", mode, downcast, rules
    )
    _check_inputs(definition, unused)
    return definition


def _one_of(what: str, value, allowed):
    if value not in allowed:
        _fail(OptionError, f"{what} is {' or '.join(map(repr, allowed))}, not {value!r}")
    return value


def _inputs(inputs) -> list[In]:
    if not isinstance(inputs, (list, tuple)):
        _fail(InputError, f"inputs must be a list of variables, not {inputs!r}")
    result, seen = [], set()
    for i in inputs:
        item = i if isinstance(i, In) else In(i)
        if isinstance(item.variable, Shared):
            _fail(
                InputError,
                f"{item.variable} is a shared value: it needs no input; use givens to replace it",
            )
        if not isinstance(item.variable, Variable):
            _fail(InputError, f"an input must be a symbolic variable, not {item.variable!r}")
        if item.variable in seen:
            _fail(InputError, f"{item.variable} is an input twice")
        seen.add(item.variable)
        result.append(item)
    return result


def _outputs(outputs) -> tuple[list[Expr], str, list[str]]:
    if outputs is None:
        return [], "none", []
    if isinstance(outputs, Mapping):
        return [_output(o) for o in outputs.values()], "dict", [str(k) for k in outputs]
    if isinstance(outputs, (list, tuple)):
        return [_output(o) for o in outputs], "list", []
    return [_output(outputs)], "one", []


def _output(value) -> Expr:
    if not isinstance(value, (Expr, int, float, bool, np.ndarray, np.generic)):
        _fail(InputError, f"an output must be a symbolic expression, not {value!r}")
    return as_expr(value)


def _updates(updates) -> list[tuple[Shared, Expr]]:
    pairs = list(updates.items()) if isinstance(updates, Mapping) else list(updates or ())
    result, seen = [], set()
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            _fail(UpdateError, f"an update is a pair (shared value, new value), not {pair!r}")
        target, value = pair
        if not isinstance(target, Shared):
            _fail(UpdateError, f"only shared values can be updated, not {target}")
        if target in seen:
            _fail(UpdateError, f"{target} is updated twice")
        seen.add(target)
        result.append((target, _update_value(target, as_expr(value))))
    return result


def _update_value(target: Shared, value: Expr) -> Expr:
    if value.ndim != target.ndim:
        _fail(
            UpdateError,
            f"the update of {target} is a {type_text(value)}, but that is a {type_text(target)}",
            text(value),
        )
    if value.dtype != target.dtype:
        if not np.can_cast(value.dtype, target.dtype, "safe") and not value.weak:
            _fail(
                UpdateError,
                f"the update of {target} is {value.dtype}, which does not fit into its {target.dtype} without loss; "
                f"cast it: .astype({target.dtype!r})",
                text(value),
            )
        value = cast(value, target.dtype)
    for axis, (n, m) in enumerate(zip(target.type.shape, value.type.shape, strict=True)):
        if n is not None and m is not None and n != m:
            _fail(
                UpdateError,
                f"the update of {target} has length {m} along axis {axis}, but that has {n}",
                text(value),
            )
    return value


def _givens(givens) -> dict[Expr, Expr]:
    pairs = list(givens.items()) if isinstance(givens, Mapping) else list(givens or ())
    result = {}
    for old, new in pairs:
        if not isinstance(old, Expr):
            _fail(UpdateError, f"givens replace symbolic expressions, not {old!r}")
        new = as_expr(new)
        if new.ndim != old.ndim:
            _fail(
                UpdateError,
                f"the given for {old} is a {type_text(new)}, but that is a {type_text(old)}",
            )
        if new.dtype != old.dtype:
            if not np.can_cast(new.dtype, old.dtype, "safe"):
                _fail(
                    UpdateError,
                    f"the given for {old} is {new.dtype}, which does not fit into {old.dtype}; cast it",
                )
            new = cast(new, old.dtype)
        result[old] = new
    return result


def _check_inputs(d: Definition, unused: str) -> None:
    leaves = [e for e in order(d.everything()) if e.op is None]
    known = set(d.variables)
    for e in leaves:
        if isinstance(e, Variable) and e not in known:
            user = next((u for u in order(d.everything()) if e in u.args), e)
            where = f", made at {e.origin}" if e.origin else ""
            _fail(
                MissingInputError, f"{e} is needed, but is not among the inputs{where}", text(user)
            )
    extra = [v for v in d.variables if v not in set(leaves)]
    if extra and unused != "ignore":
        names = ", ".join(str(v) for v in extra)
        message = f'no output depends on the input {names}; on_unused_input="ignore" allows it'
        if unused == "raise":
            _fail(UnusedInputError, message)
        import warnings

        warnings.warn(message, stacklevel=4)


def _leaves(d: Definition) -> list[Expr]:
    roots = [*d.outputs, *(e for pair in d.updates for e in pair)]
    return [e for e in order(roots) if e.op is None]


# --- making ----------------------------------------------------------------------------------------------------------


def make(definition: Definition) -> Function:
    """The function of a definition, in its mode."""
    if definition.mode == "numpy":
        return _interpreted(definition)
    made = Function(definition)
    recipe, library = _compiled(made)
    return _callable(made, recipe, _native(made, recipe, library))


def _compiled(made: Function) -> tuple[Recipe, Any]:
    """The recipe and the library, from the cache or built now."""
    d = made.definition
    key = None
    if d.rules is None:
        key = cache.key("function", structure(d.outputs, d.updates, d.variables))
        entry = cache.lookup(key)
        if entry is not None:
            return Recipe(**entry.metadata["recipe"]), runtime.native().load(entry.library)
    job = compile_expression(Compilation(d.name, d.outputs, d.updates, d.rules))
    recipe = _recipe(made, job)
    if key is None:
        key = cache.key("source", job.source)
    word = re.sub(r"\W+", "_", d.name)[:40] or "function"
    entry = cache.publish(key, word, job.source, {"kind": "function", "recipe": recipe.as_data()})
    return recipe, runtime.native().load(entry.library)


def _recipe(made: Function, job: Compilation) -> Recipe:
    d, face, bound = made.definition, job.program.interface, job.bound
    original = {b: leaf for leaf, b in bound.leaves.items()}
    leaves = {v: ("input", k) for k, v in enumerate(d.variables)}
    leaves |= {s: ("shared", k) for k, s in enumerate(made.shared)}
    tables = {c: k for k, c in enumerate(made.tables)}
    place = {v: k for k, v in enumerate(d.variables)}
    arrays = [
        place[leaf] if (leaf := original[b]) in place else -1 - tables[leaf] for b in face.inputs
    ]
    back = {dim: atom for dim, atom in bound.dimensions.items()}
    in_python = lambda n: caller.size_text(_original(n, back), leaves)  # noqa: E731
    checks = [
        [caller.size_text(left, leaves), caller.size_text(right, leaves)]
        for left, right in requirements(order(d.everything()))
    ]
    checks += _update_checks(d, leaves)
    return Recipe(
        name=d.name,
        dtypes=[v.dtype for v in d.variables],
        shapes=[list(v.type.shape) for v in d.variables],
        arrays=arrays,
        cells=[leaves[original[b]][1] for b in face.cells],
        exclusive=job.program.exclusive,
        tables=[-a - 1 for a in arrays if a < 0],
        dimensions=[in_python(dim) for dim in face.dimensions],
        checks=checks,
        outputs=[[b.dtype, [in_python(n) for n in b.shape]] for b in face.outputs],
        uses_blas="gemm(" in job.source,
        python_calls=[],
        types=program.argument_types(job.program),
        failures=[list(f) for f in job.failures],
    )


def _original(n, back):
    """A size over the original leaves."""
    from symcomp.graph import size

    return (
        n
        if isinstance(n, int)
        else size.as_size(substitute([n], {k: size.as_expr(v) for k, v in back.items()})[0])
    )


def _update_checks(d: Definition, leaves) -> list[list[str]]:
    """The new value of a shared value must have its sizes, where they are not known before the call."""
    checks = []
    for target, value in d.updates:
        for n, m in zip(target.shape, value.shape, strict=True):
            if n is not m and not (isinstance(n, int) and isinstance(m, int)):
                checks.append([caller.size_text(n, leaves), caller.size_text(m, leaves)])
    return checks


def _native(made: Function, recipe: Recipe, library) -> dict[str, Any]:
    """What the written method needs of native code."""
    native = runtime.native()
    if recipe.uses_blas:
        native.blas()
    space = {
        "_entry": runtime.function(library, program.ENTRY, "int64_t", recipe.types),
        "_pointer": runtime.ffi().from_buffer,
        "_empty": np.empty,
    }
    for s in made.shared:
        if s.cell is None:
            s.cell = runtime.Cell(s.array)
    cells = [made.shared[k].cell for k in recipe.cells]
    if cells:
        space["_cells"], space["_holding"] = runtime.arguments(cells, recipe.exclusive)
    for k in recipe.tables:
        space[f"_table{k}"] = runtime.pointer(made.tables[k].value)
    for k, s in enumerate(made.shared):
        space[f"_shared{k}"] = s
    return space


def _callable(made: Function, recipe: Recipe, space: dict[str, Any]) -> Function:
    """Give the function its `__call__`."""
    d = made.definition
    names = [i.name or i.variable.name for i in d.inputs]
    parameters = _parameters(names)
    types = [i.variable.type for i in d.inputs]
    accept = Acceptance(d.name, types, [n or "" for n in names], d.downcast)
    space |= {f"_{t}": np.dtype(t) for t in {*recipe.dtypes, *(o[0] for o in recipe.outputs)}}
    space |= {
        "_accept": accept,
        "_wrong_size": accept.wrong_size,
        "max": max,
        "min": min,
        "int": int,
        "abs": abs,
    }
    space["_failed"] = lambda status: _raise(caller.failure(recipe, status))
    space["_mismatch"] = lambda number, left, right: _mismatch(made, number, left, right)
    for p, i in zip(parameters, d.inputs, strict=True):
        space[f"_default_{p}"] = _default(i, accept, parameters.index(p))
    source = caller.write(recipe, parameters, [True] * len(parameters), d.result, d.names)
    exec(compile(source, f"<symcomp call of {d.name}>", "exec"), space)
    made.__class__ = type(
        "Function", (Function,), {"__call__": space["__call__"], "__doc__": Function.__doc__}
    )
    made.recipe, made.call_source = recipe, source
    return made


def _default(i: In, accept: Acceptance, k: int):
    if i.value is MISSING:
        return MISSING
    return accept(k, i.value)


def _raise(error):
    raise error


def _parameters(names: Sequence[str | None]) -> list[str]:
    """Python names for the inputs, each once."""
    import keyword

    result: list[str] = []
    for k, name in enumerate(names):
        good = (
            name
            and name.isidentifier()
            and not keyword.iskeyword(name)
            and not name.startswith("_")
        )
        if (
            not good
            or name in result
            or name == "self"
            or re.fullmatch(r"[nspovw]\d+(_\d+)?|status", name)
        ):
            name = f"input{k}"
        result.append(name)
    return result


def _mismatch(made: Function, number: int, left, right) -> None:
    """Say which sizes disagree, in whose formula."""
    found = requirements(order(made.definition.everything()))
    if number >= len(found):
        raise ShapeError(
            describe(f"{made.name}: the update of a shared value has length {right}, not {left}")
        )
    need = found[number]
    node = next(e for e in order(made.definition.everything()) if need in e.requires)
    operands = [f"{text(a, 4)} is {type_text(a)}" for a in node.args if a.ndim]
    message = (
        f"{made.name}: sizes do not fit: {text(need.left)} is {left} and {_text(need.right)} is {right}"
        if isinstance(need.left, Expr)
        else f"{made.name}: sizes do not fit: {_text(need.right)} is {right} and must be {left}"
    )
    message += (
        "; an axis of unknown length is not repeated: declare it as 1 (T.row, T.col, shape=(1, None))"
        if 1 in (left, right)
        else ""
    )
    raise ShapeError(describe(message, text(node), operands, node.origin))


def _text(n) -> str:
    return str(n) if isinstance(n, int) else text(n)


def _interpreted(definition: Definition) -> Function:
    """mode="numpy": the references, on NumPy arrays."""
    d = definition
    names = [i.name or i.variable.name for i in d.inputs]
    parameters = _parameters(names)
    types = [i.variable.type for i in d.inputs]
    accept = Acceptance(d.name, types, [n or "" for n in names], d.downcast)
    made = Function(d)
    needed = requirements(order(d.everything()))

    def call(self, *args, **keywords):
        values = _collect(d, parameters, accept, args, keywords)
        sizes = [n for pair in needed for n in pair if isinstance(n, Expr)]
        known = dict(zip(sizes, evaluate(sizes, values), strict=True))
        for number, (left, right) in enumerate(needed):
            left, right = known.get(left, left), known.get(right, right)
            if left != right:
                _mismatch(made, number, int(left), int(right))
        results = evaluate(d.everything(), values)
        outputs = [np.array(r) for r in results[: len(d.outputs)]]
        new = [np.array(r) for r in results[len(d.outputs) :]]
        for (s, _), value in zip(d.updates, new, strict=True):
            s.set_value(value)
        return _packed(d, outputs)

    made.__class__ = type("Function", (Function,), {"__call__": call, "__doc__": Function.__doc__})
    return made


def _collect(d: Definition, parameters, accept, args, keywords) -> dict[Expr, np.ndarray]:
    if len(args) > len(parameters):
        accept.fail(InputError, f"takes {len(parameters)} inputs, and {len(args)} were given")
    given = dict(zip(parameters, args, strict=False))
    for k, v in keywords.items():
        if k not in parameters or k in given:
            accept.fail(
                InputError, f"has no input {k!r} left: its inputs are {', '.join(parameters)}"
            )
        given[k] = v
    values = {}
    for k, (p, i) in enumerate(zip(parameters, d.inputs, strict=True)):
        values[i.variable] = accept(k, given.get(p, i.value))
        shape = i.variable.type.shape
        if any(
            n is not None and n != m for n, m in zip(shape, values[i.variable].shape, strict=True)
        ):
            accept.wrong_size(k, values[i.variable])
    return values


def _packed(d: Definition, outputs):
    if d.result == "none":
        return None
    if d.result == "one":
        return outputs[0]
    return outputs if d.result == "list" else dict(zip(d.names, outputs, strict=True))
