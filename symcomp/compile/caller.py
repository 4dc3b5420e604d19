"""The path from Python to C, written for each function: no loops over containers, no dispatch.

A *recipe* says, in data that the disk cache can hold, how to check the inputs, compute the sizes, make the outputs and
call the entry. `write` turns it into the text of one method. Fast arguments (arrays of the right dtype and rank,
C-contiguous) go straight through; everything else takes `accept`, which converts or says what is wrong.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from symcomp.codegen.program import FIRST_CHECK, NO_MEMORY, PYTHON_ERROR
from symcomp.errors import (
    BoundsError,
    DtypeError,
    InputError,
    MissingInputError,
    ShapeError,
    SymcompError,
    describe,
    here,
)
from symcomp.graph.expr import Expr
from symcomp.graph.scalar import Cast, Primitive
from symcomp.graph.show import text as show
from symcomp.graph.size import Length
from symcomp.graph.type import Type, shape_text
from symcomp.graph.walk import order


@dataclass
class Recipe:
    """How to call an entry. Sizes are Python expressions in `n0_1` (axis 1 of input 0), `s0_1` (of shared value 0) and
    `v0` (the value of integer scalar input 0)."""

    name: str
    dtypes: list[str]
    shapes: list[list]
    arrays: list[int]  # inputs that the entry takes as pointers, in order
    cells: list[int]  # shared values (by number) in the entry's order
    exclusive: list[bool]
    tables: list[int]  # large constants (by number) in the entry's order
    dimensions: list[str]
    checks: list[list[str]]
    outputs: list[list]  # [dtype, [size, …]]
    uses_blas: bool
    python_calls: list[list]
    types: list[str]
    failures: list[list[str]]

    def as_data(self) -> dict:
        return asdict(self)


def size_text(n, leaves: dict[Expr, str]) -> str:
    """A size as Python, over the lengths and values of original leaves."""
    if isinstance(n, int):
        return str(n)
    texts: dict[Expr, str] = {}
    for e in order([n], stop=lambda e: isinstance(e.op, Length)):
        texts[e] = _python(e, texts, leaves)
    return texts[n]


def _python(e: Expr, texts, leaves) -> str:
    if isinstance(e.op, Length):
        kind, number = leaves[e.args[0]]
        return f"{'n' if kind == 'input' else 's'}{number}_{e.op.axis}"
    if e.op is None:
        if hasattr(e, "value"):
            return f"({int(e.value)})"
        kind, number = leaves[e]
        return f"v{number}" if kind == "input" else f"w{number}"
    args = [texts[a] for a in e.args]
    if isinstance(e.op, Cast):
        return f"int({args[0]})"
    if isinstance(e.op, Primitive):
        if e.op.name in ("maximum", "minimum", "abs"):
            return f"{ {'maximum': 'max', 'minimum': 'min', 'abs': 'abs'}[e.op.name] }({', '.join(args)})"
        if e.op.name in ("floor_divide", "mod"):
            sign = {"floor_divide": "//", "mod": "%"}[e.op.name]
            return f"({args[0]} {sign} {args[1]} if {args[1]} else 0)"
        if e.op.name == "where":
            return f"({args[1]} if {args[0]} else {args[2]})"
        symbol = {"logical_and": "and", "logical_or": "or"}.get(e.op.name) or (
            e.op.infix and e.op.infix[0]
        )
        if symbol == "~":
            return f"(not {args[0]})"
        if symbol:
            return f"({f' {symbol} '.join(args)})" if len(args) > 1 else f"({symbol}{args[0]})"
    raise ShapeError(
        describe(
            f"a size cannot be computed by {e.op.name}: use + - * // % and comparisons",
            show(e),
            origin=e.origin,
        )
    )


def write(
    recipe: Recipe, parameters: list[str], defaults: list[bool], result: str, names: list[str]
) -> str:
    """The text of the method `__call__`.

    `parameters` are the Python names of the inputs; `result` is none, one, list or dict (with `names`).
    """
    shown = [f"{p}=_default_{p}" if d else p for p, d in zip(parameters, defaults, strict=True)]
    lines = [f"def __call__(self{''.join(', ' + s for s in shown)}):"]
    used = " ".join(
        [
            *recipe.dimensions,
            *(c for pair in recipe.checks for c in pair[:2]),
            *(s for _, sizes in recipe.outputs for s in sizes),
        ]
    )
    for k, p in enumerate(parameters):
        lines += _input(recipe, k, p, used)
    lines += _shared_sizes(used)
    for number, (left, right) in enumerate(pair[:2] for pair in recipe.checks):
        lines.append(f"    if {left} != {right}: _mismatch({number}, {left}, {right})")
    arguments = ["_cells"] if recipe.cells else []
    arguments += ["_python"] if recipe.python_calls else []
    arguments += [f"p{k}" if k >= 0 else f"_table{-k - 1}" for k in recipe.arrays]
    for n, (dtype, sizes) in enumerate(recipe.outputs):
        lines.append(f"    o{n} = _empty(({''.join(s + ', ' for s in sizes)}), _{dtype})")
        arguments.append(f"_pointer(o{n})")
    arguments += recipe.dimensions
    lines.append(f"    status = _entry({', '.join(arguments)})")
    lines.append("    if status: _failed(status)")
    outs = [f"o{n}" for n in range(len(recipe.outputs))]
    lines.append("    return " + {
        "none": "None",
        "one": outs[0] if outs else "None",
        "list": f"[{', '.join(outs)}]",
        "dict": "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(names, outs, strict=False)) + "}",
    }[result])  # fmt: skip
    return "\n".join(lines)


def _input(recipe: Recipe, k: int, p: str, used: str) -> list[str]:
    """Check one input and take its pointer and sizes."""
    rank = len(recipe.shapes[k])
    lengths = "".join(f"n{k}_{a}, " for a in range(rank))
    take = [f"p{k} = _pointer({p})"] if k in recipe.arrays else []
    unpack = [f"{lengths}= {p}.shape"] if rank else [f"if {p}.shape: raise ValueError"]
    lines = [
        "    try:",
        f"        if {p}.dtype is not _{recipe.dtypes[k]}: raise TypeError",
        *(f"        {t}" for t in unpack + take),
        "    except (TypeError, ValueError, AttributeError):",
        f"        {p} = _accept({k}, {p})",
        *(f"        {t}" for t in (unpack if rank else []) + take),
    ]
    for a, n in enumerate(recipe.shapes[k]):
        if n is not None:
            lines.append(f"    if n{k}_{a} != {n}: _wrong_size({k}, {p})")
    if f"v{k}" in used:
        lines.append(f"    v{k} = int({p})")
    return lines


def _shared_sizes(used: str) -> list[str]:
    import re

    lines = []
    for j, a in sorted(set(re.findall(r"\bs(\d+)_(\d+)\b", used))):
        lines.append(f"    s{j}_{a} = _shared{j}.array.shape[{a}]")
    for j in sorted(set(re.findall(r"\bw(\d+)\b", used))):
        lines.append(f"    w{j} = int(_shared{j}.array)")
    return lines


# --- what happens off the fast path ----------------------------------------------------------------------------------


class Acceptance:
    """Converts an argument that is not ready, or says what is wrong with it."""

    def __init__(self, name: str, types: list[Type], names: list[str], downcast):
        self.name = name
        self.types = types
        self.names = names
        self.downcast = downcast

    def __call__(self, k: int, value) -> np.ndarray:
        wanted, label = self.types[k], self.label(k)
        if value is MISSING:
            self.fail(MissingInputError, f"{label} is missing")
        if isinstance(value, Expr):
            self.fail(
                InputError, f"{label} is a symbolic expression ({show(value)}); give it an array"
            )
        try:
            given = np.asarray(value)
        except ValueError as error:
            self.fail(InputError, f"{label} cannot be made an array: {error}")
        if given.dtype.kind not in "biuf":
            self.fail(DtypeError, f"{label} has dtype {given.dtype}, and {wanted.dtype} is needed")
        if given.ndim != len(wanted.shape):
            need = f"{len(wanted.shape)} axes ({wanted})"
            self.fail(
                ShapeError, f"{label} has shape {shape_text(given.shape)}, and {need} are needed"
            )
        return self._converted(value, given, wanted.dtype, label)

    def _converted(self, value, given, dtype: str, label: str) -> np.ndarray:
        weak = isinstance(value, (bool, int, float, list, tuple))
        if given.dtype.name != dtype and not self._may_convert(given, dtype, weak):
            self.fail(
                DtypeError,
                f"{label} has dtype {given.dtype}, which does not fit into {dtype} without loss; cast it, "
                "or use allow_input_downcast=True",
            )
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(given, dtype=dtype).reshape(given.shape)

    def _may_convert(self, given, dtype: str, weak: bool) -> bool:
        if self.downcast or np.can_cast(given.dtype, dtype, "safe") or not given.size:
            return True
        if self.downcast is None and weak:
            if np.dtype(dtype).kind == "f":
                return given.dtype.kind in "iuf"
            with np.errstate(all="ignore"):
                return given.dtype.kind in "biu" and bool(np.all(given.astype(dtype) == given))
        return False

    def label(self, k: int) -> str:
        named = f" ({self.names[k]})" if self.names[k] else ""
        return f"input {k}{named}"

    def wrong_size(self, k: int, value) -> None:
        wanted = self.types[k]
        self.fail(
            ShapeError,
            f"{self.label(k)} has shape {shape_text(np.shape(value))}, and {wanted} is needed",
        )

    def fail(self, kind: type[SymcompError], message: str) -> None:
        raise kind(describe(f"{self.name}: {message}", origin=here())) from None


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


MISSING = _Missing()


def failure(recipe: Recipe, status: int) -> SymcompError | MemoryError:
    """The error that a status of the entry stands for."""
    if status == NO_MEMORY:
        return MemoryError(f"{recipe.name}: there is no memory for the temporaries")
    if status >= FIRST_CHECK and status - FIRST_CHECK < len(recipe.failures):
        formula, origin = recipe.failures[status - FIRST_CHECK]
        lines = [f"{recipe.name}: an index is out of bounds", f"  in: {formula}"]
        return BoundsError("\n".join(lines + ([f"  at {origin}"] if origin else [])))
    assert status == PYTHON_ERROR
    return SymcompError(f"{recipe.name}: an operation in Python failed")
