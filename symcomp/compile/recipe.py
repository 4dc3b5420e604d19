"""Recipes: how to call a compiled entry, as data that the cache on disk can hold.

Sizes are Python expressions over the sizes of the arguments:

    _n0_1   the length of axis 1 of input 0          _s0_1   of axis 1 of shared value 0
    _v0     the value of input 0, an integer scalar  _w0     of shared value 0

Nothing in a recipe names a variable or a line: functions of equal structure share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from symcomp.codegen import program, ways
from symcomp.compile.checks import size_checks
from symcomp.compile.definition import Definition
from symcomp.compile.pipeline import Compilation
from symcomp.errors import ShapeError, describe
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr
from symcomp.graph.scalar import Cast, Primitive
from symcomp.graph.show import text
from symcomp.graph.size import Length
from symcomp.graph.walk import order, substitute


@dataclass(frozen=True)
class Recipe:
    """How to check the inputs, compute the sizes, make the outputs and call the entry."""

    dtypes: list[str]
    shapes: list[list]  # of the inputs; None where a length is not fixed
    arrays: list[int]  # what the entry takes as pointers: inputs, and ~k for large constant k
    cells: list[int]  # shared values (by number) in the entry's order
    exclusive: list[bool]
    dimensions: list[str]
    checks: list[str]  # conditions under which the sizes are wrong
    outputs: list[list]  # [dtype, [size, …]]
    libraries: list
    python_calls: list[
        list
    ]  # [number of the operation, [dtype, [size, …]] of result and arguments]
    types: list[str]
    packed: bool  # pointers in one array, and dimensions in another
    launched: list[str] | None = None  # on a GPU: the kernels, in the order of the plan's table
    noted: int = 0  # on a GPU: the checks of positions, for which the entry takes a record

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def tables(self) -> list[int]:
        """The large constants (by number) that the entry takes."""
        return [~k for k in self.arrays if k < 0]

    def sizes(self) -> list[str]:
        """Every text in which sizes stand."""
        shapes = [*self.outputs, *(a for _, arrays in self.python_calls for a in arrays)]
        return [*self.dimensions, *self.checks, *(n for _, sizes in shapes for n in sizes)]


def python_operations(definition: Definition) -> list[Any]:
    """The operations of an expression that call out to Python, in a fixed order."""
    nodes = order(definition.values())
    return list(dict.fromkeys(e.op for e in nodes if e.op is not None and e.op.perform is not None))


def make_recipe(definition: Definition, job: Compilation) -> Recipe:
    """The recipe of what the pipeline has made."""
    face = job.program.interface
    original = {b: leaf for leaf, b in job.bound.leaves.items()}
    place = {v: k for k, v in enumerate(definition.variables)}
    place |= {c: ~k for k, c in enumerate(definition.constants())}
    shared = {s: k for k, s in enumerate(definition.shared())}
    texts = _Sizes(definition, job)
    calls = list(zip(job.program.python_calls, job.program.python_arguments, strict=True))
    operations = python_operations(definition)
    return Recipe(
        dtypes=[v.dtype for v in definition.variables],
        shapes=[list(v.type.shape) for v in definition.variables],
        arrays=[place[original[b]] for b in face.inputs],
        cells=[shared[original[b]] for b in face.cells],
        exclusive=job.program.exclusive,
        dimensions=[texts.bound(n) for n in face.dimensions],
        checks=[texts.wrong(c) for c in size_checks(definition)],
        outputs=[texts.array(b) for b in face.outputs],
        libraries=ways.libraries_of(job.program.kernels),
        python_calls=[
            [operations.index(e.op), [texts.array(x) for x in (e, *e.args)]] for e, _ in calls
        ],
        types=[
            *program.argument_types(job.program),
            *["void *"] * bool(job.program.checked),
            *["int64_t"] * job.on_gpu,
        ],
        packed=face.packed,
        launched=job.launched if job.on_gpu else None,
        noted=len(job.program.checked),
    )


class _Sizes:
    """Sizes as Python text."""

    def __init__(self, definition: Definition, job: Compilation):
        self.leaves = {v: ("n", "v", k) for k, v in enumerate(definition.variables)}
        self.leaves |= {s: ("s", "w", k) for k, s in enumerate(definition.shared())}
        self.atoms = {d: size.as_expr(atom) for d, atom in job.bound.dimensions.items()}

    def bound(self, n: Any) -> str:
        """A size over the dimensions of the program."""
        if isinstance(n, int):
            return str(n)
        return self.original(size.as_size(substitute([n], self.atoms)[0]))

    def array(self, e: Expr) -> list:
        return [e.dtype, [self.bound(n) for n in e.shape]]

    def wrong(self, check) -> str:
        """The condition under which a check fails."""
        relation = "!=" if check.equal else "<"
        return f"{self.original(check.left)} {relation} {self.original(check.right)}"

    def original(self, n: Any) -> str:
        """A size over the leaves of the definition."""
        if isinstance(n, int):
            return str(n)
        texts: dict[Expr, str] = {}
        for e in order([n], stop=lambda e: isinstance(e.op, Length)):
            texts[e] = self._text(e, texts)
        return texts[n]

    def _text(self, e: Expr, texts: Mapping[Expr, str]) -> str:
        if isinstance(e.op, Length):
            letter, _, number = self.leaves[e.args[0]]
            return f"_{letter}{number}_{e.op.axis}"
        if isinstance(e, Constant):
            return f"({e.value.item()!r})"
        if e.op is None:
            _, letter, number = self.leaves[e]
            return f"_{letter}{number}"
        made = _operation(e, [texts[a] for a in e.args])
        if made is None:
            message = f"a size cannot be computed by {e.op.name}: use + - * // % and comparisons"
            raise ShapeError(describe(message, text(e), origin=e.origin))
        return made


#: Operations on integers in Python's notation, where it is not the operation's own symbol.
_NOTATION = {
    "maximum": lambda *x: f"max({', '.join(x)})",
    "minimum": lambda *x: f"min({', '.join(x)})",
    "abs": lambda x: f"abs({x})",
    "floor_divide": lambda x, y: f"({x} // {y} if {y} else 0)",
    "mod": lambda x, y: f"({x} % {y} if {y} else 0)",
    "where": lambda condition, x, y: f"({x} if {condition} else {y})",
    "logical_and": lambda *x: f"({' and '.join(x)})",
    "logical_or": lambda *x: f"({' or '.join(x)})",
    "logical_not": lambda x: f"(not {x})",
    "sign": lambda x: f"(({x} > 0) - ({x} < 0))",
}
#: Symbols that mean the same in Python, on integers.
_SYMBOLS = frozenset(["+", "-", "*", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^"])


def _operation(e: Expr, args: list[str]) -> str | None:
    if isinstance(e.op, Cast):
        return f"int({args[0]})"
    if not isinstance(e.op, Primitive):
        return None
    notation = _NOTATION.get(e.op.name)
    if notation is not None:
        return notation(*args)
    symbol = e.op.infix and e.op.infix[0]
    if symbol not in _SYMBOLS:
        return None
    return f"({f' {symbol} '.join(args)})" if len(args) > 1 else f"({symbol}{args[0]})"
