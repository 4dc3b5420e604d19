"""From what a person wrote to what is compiled: leaves become buffers, and sizes are solved.

Every axis of unknown length is an unknown; the equalities that the expression needs are solved for
them, so that `x + y` with lengths n and m is planned with one length, and the call checks n = m.
What is left are *dimensions*, the integers that the call passes in. An integer scalar that a size
depends on (`arange(k)`) is a dimension too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symcomp.codegen.c import LARGEST_PRINTED
from symcomp.codegen.loops import Buffer
from symcomp.errors import ShapeError, describe
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, Leaf, Requirement, length
from symcomp.graph.scalar import cast
from symcomp.graph.shared import Shared
from symcomp.graph.show import text
from symcomp.graph.size import Dimension, Length
from symcomp.graph.type import Type, is_integer
from symcomp.graph.walk import order, substitute


@dataclass
class Bound:
    """An expression over buffers and dimensions, and what each of them stands for."""

    outputs: list[Expr]
    updates: list[tuple[Buffer, Expr]]
    #: Original leaf → what stands for it in the program.
    leaves: dict[Expr, Expr] = field(default_factory=dict)
    #: Dimension → the original atom (a length, or an integer scalar) that gives its value.
    dimensions: dict[Dimension, Expr] = field(default_factory=dict)
    #: What stands for leaves and their lengths.
    replacements: dict[Expr, Expr] = field(default_factory=dict)


def requirements(nodes: Sequence[Expr]) -> list[Requirement]:
    """The equalities of sizes that expressions need, each once, in order."""
    found: dict[Requirement, None] = {}
    for e in nodes:
        found.update(dict.fromkeys(e.requires))
    return list(found)


def bind(outputs: Sequence[Expr], updates: Sequence[tuple[Shared, Expr]]) -> Bound:
    """Put buffers and dimensions in the place of leaves and their sizes."""
    everything = [*outputs, *(v for _, v in updates)]
    nodes = order(everything)
    needed = dict.fromkeys(e for e in nodes if e.op is None)
    needed.update(dict.fromkeys(s for s, _ in updates))
    solved = solve(requirements(nodes))
    bound = Bound([], [])
    replacements = _dimensions(nodes, needed, solved, bound)
    targets = {s for s, _ in updates}
    for leaf in needed:
        # A shared number that is a size is passed in; it has a place too where it is written to.
        if leaf in targets or (leaf not in replacements and not _is_literal(leaf)):
            shape = tuple(substituted(n, replacements) for n in leaf.shape)
            bound.leaves[leaf] = Buffer(Type(leaf.dtype, shape), leaf.name or _letter(leaf))
            replacements.setdefault(leaf, bound.leaves[leaf])
    results = substitute(everything, replacements)
    bound.replacements = replacements
    bound.outputs = results[: len(outputs)]
    written = [bound.leaves[s] for s, _ in updates]
    bound.updates = list(zip(written, results[len(outputs) :], strict=True))
    return bound


def _letter(leaf: Leaf) -> str:
    return {"Shared": "shared", "Constant": "table"}.get(type(leaf).__name__, "input")


def _is_literal(leaf: Leaf) -> bool:
    return isinstance(leaf, Constant) and leaf.value.size <= LARGEST_PRINTED


def solve(equalities: Sequence[Requirement]) -> dict[Expr, object]:
    """Lengths in terms of other lengths (or ints); what cannot be solved is only checked."""
    solved: dict[Expr, object] = {}
    #: Length → the lengths that are solved in terms of it.
    readers: dict[Expr, set[Expr]] = {}
    for left, right in equalities:
        left, right = _in_terms(left, solved), _in_terms(right, solved)
        if left is right or (isinstance(left, int) and isinstance(right, int)):
            continue
        for unknown, value in ((right, left), (left, right)):
            if _can_be_solved(unknown, value):
                changed = readers.pop(unknown, set())
                solved |= {k: substituted(solved[k], {unknown: value}) for k in changed}
                solved[unknown] = value
                for n in _lengths(value):
                    readers.setdefault(n, set()).update(changed, (unknown,))
                break
    return solved


def _in_terms(n, solved: dict[Expr, object]):
    """A size in terms of the lengths that are not solved."""
    return substituted(n, {k: solved[k] for k in _lengths(n) if k in solved})


def _lengths(n) -> list[Expr]:
    if not isinstance(n, Expr):
        return []
    return [e for e in order([n], stop=_is_length) if _is_length(e)]


def _can_be_solved(unknown, value) -> bool:
    if not (isinstance(unknown, Expr) and isinstance(unknown.op, Length)):
        return False
    return not (isinstance(value, Expr) and unknown in order([value]))


def substituted(n, replacements):
    """A size in which some atoms are replaced."""
    if isinstance(n, int) or not replacements:
        return n
    exprs = {k: size.as_expr(v) for k, v in replacements.items()}
    return size.as_size(substitute([n], exprs)[0])


def _dimensions(nodes, needed, solved, bound: Bound) -> dict[Expr, Expr]:
    """A dimension for each unknown length, and for each integer scalar that a size depends on."""
    replacements: dict[Expr, Expr] = {}
    for leaf in needed:
        for axis, n in enumerate(leaf.type.shape):
            if n is None:
                atom = length(leaf, axis)
                if atom not in solved:
                    d = Dimension(f"n{len(bound.dimensions)}")
                    bound.dimensions[d] = atom
                    replacements[atom] = d
    for leaf in _values_in_sizes(nodes):
        d = Dimension(leaf.name or f"k{len(bound.dimensions)}", signed=True)
        bound.dimensions[d] = leaf
        replacements[leaf] = cast(d, leaf.dtype) if leaf.dtype != "int64" else d
    for atom, value in solved.items():
        replacements[atom] = size.as_expr(substituted(value, replacements))
    return replacements


def _is_length(e: Expr) -> bool:
    return isinstance(e.op, Length)


def _values_in_sizes(nodes) -> list[Leaf]:
    """Integer scalars whose value is part of a size."""
    sizes = {n: e for e in nodes for n in e.shape if isinstance(n, Expr)}
    found: dict[Leaf, None] = {}
    for e in order(sizes, stop=_is_length):
        if e.op is not None and e.ndim == 0 and all(a.ndim == 0 for a in e.args):
            continue
        if isinstance(e.op, Length) or isinstance(e, (Constant, Dimension)):
            continue
        if e.op is None and e.ndim == 0 and is_integer(e.dtype):
            found[e] = None
            continue
        user = next((u for n, u in sizes.items() if e in order([n], stop=_is_length)), e)
        message = (
            f"the size of {text(user)} depends on the values of an array ({text(e)}); "
            "a size may depend on sizes and on integer scalars"
        )
        raise ShapeError(describe(message, origin=user.origin))
    return list(found)
