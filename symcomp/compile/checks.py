"""What must hold of actual sizes and indices at a call, and the words for it when it does not.

Compiled code only finds that something is wrong; which formula it is, and which sizes, is found
here, by computing the sizes and indices of the definition again with NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from symcomp.codegen.gpu import Note
from symcomp.codegen.positions import positions
from symcomp.compile.bind import bind, substituted
from symcomp.compile.definition import Definition
from symcomp.errors import BoundsError, ShapeError, UpdateError, describe
from symcomp.graph.expr import Expr
from symcomp.graph.scalar import Elementwise
from symcomp.graph.show import text, type_text
from symcomp.graph.size import Length, as_expr, floor_divide, is_nonnegative, maximum
from symcomp.graph.type import shape_text
from symcomp.graph.walk import evaluate, order, substitute
from symcomp.tensor.layout import Reshape


class Check(NamedTuple):
    """Two sizes that must be equal (or the left one at least the right one), and who needs it."""

    left: Any
    right: Any
    equal: bool
    node: Expr
    target: Expr | None = None  # the shared value whose update this is


def size_checks(definition: Definition) -> list[Check]:
    """All that must hold of sizes, each once."""
    found: dict[tuple, Check] = {}
    for e in order(definition.values()):
        for need in e.requires:
            found.setdefault((*need, True), Check(*need, True, e))
        for n in e.shape:
            if isinstance(n, Expr) and (n, 0, False) not in found and not is_nonnegative(n):
                found[n, 0, False] = Check(n, 0, False, e)
    for target, value in definition.updates:
        for n, m in zip(target.shape, value.shape, strict=True):
            if n is not m and not (isinstance(n, int) and isinstance(m, int)):
                found.setdefault((n, m, True), Check(n, m, True, value, target))
    return list(found.values())


def require_sizes(definition: Definition, values: Mapping[Expr, np.ndarray]) -> None:
    """Raise the error of the first check that does not hold for these inputs."""
    checks = size_checks(definition)
    sizes = [n for c in checks for n in (c.left, c.right) if isinstance(n, Expr)]
    atoms = [e for e in order(sizes, _is_length) if not e.ndim]
    known = dict(zip(atoms, map(int, evaluate(atoms, values)), strict=True))
    for check in checks:
        left, right = (known.get(n, n) for n in (check.left, check.right))
        if not (left == right if check.equal else left >= right):
            raise _wrong_size(definition.name, check, known)


def _is_length(e: Expr) -> bool:
    return isinstance(e.op, Length)


def _wrong_size(name: str, check: Check, known: Mapping[Expr, int]) -> ShapeError | UpdateError:
    left, right = (known.get(n, n) for n in (check.left, check.right))
    kind: type[ShapeError | UpdateError] = ShapeError
    if not check.equal:
        message = f"a size is negative: {_text(check.left)} is {left}"
    elif check.target is not None:
        kind = UpdateError
        message = (
            f"the update of {text(check.target)} has length {right} "
            f"along an axis where that has {left}"
        )
    elif right == 0 and (short := _shortage(check.left, known)):
        message = short
    elif isinstance(check.node.op, Reshape):
        message = _reshape(check.node, left, known)
    else:
        message = f"sizes do not fit: {_both(check, left, right)}{_advice(check, left, right)}"
    node = check.node
    operands = [f"{text(a, 4)} is {type_text(a)}" for a in node.args if a.ndim]
    return kind(describe(f"{name}: {message}", text(node), operands, node.origin))


def _shortage(size: Any, known: Mapping[Expr, int]) -> str:
    """What max(least − length, 0) says, which was to be 0; nothing for other sizes."""
    nodes = order([size], _is_length) if isinstance(size, Expr) else []
    if not any(e.op is maximum for e in nodes):
        return ""
    lengths = [e for e in nodes if _is_length(e)]
    short = known[size]
    if len(lengths) == 1 and _at(size, {lengths[0]: known[lengths[0]] + 1}) == short - 1:
        (n,) = lengths
        axis = f"axis {n.op.axis} of {text(n.args[0])}"
        return f"{axis} has length {known[n]}, and at least {known[n] + short} is needed"
    found = ", ".join(f"{text(n)} is {known[n]}" for n in lengths)
    return f"an axis is too short by {short}: {found}"


def _reshape(node: Expr, total: int, known: Mapping[Expr, int]) -> str:
    """Why an array of `total` elements cannot have a shape."""
    shape = [_at(n, known) for n in node.shape]
    guessed = [k for k, n in enumerate(node.shape) if _is_quotient(n)]
    what = f"{text(node.args[0])} has {total} element{'s' * (total != 1)}"
    if len(guessed) == 1:
        others = math.prod(n for k, n in enumerate(shape) if k != guessed[0])
        return f"{what}, which is not a multiple of {others}"
    return f"{what}, and shape {shape_text(shape)} needs {math.prod(shape)}"


def _at(size: Any, known: Mapping[Expr, int]) -> int:
    """The value of a size where some others are known."""
    return int(evaluate([as_expr(size)], dict(known))[0])


def _is_quotient(n: Any) -> bool:
    return isinstance(n, Expr) and n.op is floor_divide


def _advice(check: Check, left: int, right: int) -> str:
    if 1 not in (left, right) or not isinstance(check.node.op, Elementwise):
        return ""
    return (
        "; an axis of unknown length is not repeated: "
        "declare it as 1 (T.row, T.col, or shape=(1, None))"
    )


def _both(check: Check, left: int, right: int) -> str:
    if isinstance(check.left, int):
        return f"{_text(check.right)} is {right} and must be {left}"
    if isinstance(check.right, int):
        return f"{_text(check.left)} is {left} and must be {right}"
    return f"{_text(check.left)} is {left} and {_text(check.right)} is {right}"


def _text(n: Any) -> str:
    return str(n) if isinstance(n, int) else text(n)


def bounds_error(definition: Definition, values: Mapping[Expr, np.ndarray]) -> BoundsError:
    """The error for an index that compiled code has found to be outside its axis."""
    for e, at, n in _indexed(definition):
        index, length = evaluate([at, as_expr(n)], values)
        wrong = index[(index < -length) | (index >= length)]
        if wrong.size:
            return _out_of_bounds(definition.name, e, wrong.flat[0], length)
    return _out_of_bounds(definition.name)


def noted_error(name: str, definition: Definition | None, note: Note) -> BoundsError:
    """The same for what kernels of a GPU have noted, perhaps in a call that is over; the definition
    may be gone by now.
    """
    if definition is None:
        return _out_of_bounds(name, None, note.position, note.length, note.when)
    bound = bind(definition.outputs, definition.updates)
    position = positions([*bound.outputs, *(v for _, v in bound.updates)])[note.check]
    users = (
        e
        for e, at, n in _indexed(definition)
        if substitute([at], bound.replacements)[0] is position.at
        and substituted(n, bound.replacements) == position.length
    )
    return _out_of_bounds(name, next(users, None), note.position, note.length, note.when)


def _indexed(definition: Definition) -> Iterator[tuple[Expr, Expr, Any]]:
    """What uses positions, the positions, and the length of their axis."""
    for e in order(definition.values()):
        if e.op is not None and hasattr(e.op, "bounds"):
            for at, n in e.op.bounds(*e.args):
                yield e, at, n


def _out_of_bounds(
    name: str, e: Expr | None = None, index: Any = None, length: Any = None, when: str = ""
) -> BoundsError:
    message = f"{name}: an index is out of bounds"
    if index is not None:
        message = f"{name}: index {index} is out of bounds for an axis of length {length}"
    if when:
        message += f" (in {when} of {name}: a call on a GPU does not wait for its positions' check)"
    if e is None:
        return BoundsError(message)
    operands = [f"{text(a, 4)} is {type_text(a)}" for a in e.args if a.ndim]
    return BoundsError(describe(message, text(e), operands, e.origin))
