"""Which expressions are stored, and the equation of each stored one in terms of the others.

Planning starts with one decision per expression: *inline* (its formula is repeated in every reader)
or *stored* (it is computed once into memory, or into a local variable of a fused loop). Stored is
what a fold, a product, a scatter or Python makes, what those need as whole arrays, what is dear and
would be computed again and again, and what would make a formula too long. Everything else costs
nothing: transposes, broadcasts, slices, gathers and cheap arithmetic dissolve into the formulas of
their readers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from symcomp.codegen.formulas import reindexed as reindexed
from symcomp.codegen.formulas import remade, settled, unrolled
from symcomp.graph import size
from symcomp.graph.expr import Constant, Expr, build
from symcomp.graph.notation import ELEMENT, Fold, Index, Operand, Write, index
from symcomp.graph.scalar import Elementwise, Primitive
from symcomp.graph.size import Dimension
from symcomp.graph.type import is_float
from symcomp.graph.walk import order
from symcomp.tensor.arithmetic import greater_equal, less_equal, maximum, minimum, where
from symcomp.tensor.creation import Eye, Range
from symcomp.tensor.indexing import Pick, Place, Scatter, Slice, Take
from symcomp.tensor.layout import Axes, Broadcast, Reshape
from symcomp.tensor.linear import Dot
from symcomp.tensor.reduction import Reduce
from symcomp.tensor.windowed import Gathering, LargestAt

#: A formula of more parts than this is cut: compilers are slower than linear in the length of a
#: loop's body.
LONGEST_FORMULA = 160
#: So many arrays are read no faster for each window that a value lies in than its value is stored.
MANY_ARRAYS = 3

#: Functions that cost about as much as an addition; any other function of the C library is dear.
_CHEAP = {
    "abs", "maximum", "minimum", "fmax", "fmin", "sign", "floor", "ceil", "trunc", "rint",
    "copysign", "isinf", "isfinite", "signbit", "bitwise_not", "left_shift", "right_shift", "sqrt",
}  # fmt: skip


def is_dear(op) -> bool:
    """Whether computing a function once more costs more than reading its value from memory."""
    return isinstance(op, Primitive) and op.name not in _CHEAP and "(" in (op.c or "")


#: Operations that only move elements about.
_TRANSPARENT = (Axes, Broadcast, Slice, Take, Pick, Place, Range, Eye)

#: Operations whose folds stay loops, however short: what is computed from them shares these loops.
_FOLDS = (Reduce, Dot)


class Equation(NamedTuple):
    """expr[indices] = ⊕ over folds of value; `value` is made of loads of stored expressions and of
    leaves.
    """

    indices: tuple[Index, ...]
    folds: tuple[Index, ...]
    monoid: str | None
    value: Expr


def flat(shape, indices):
    """The row-major position of an element."""
    return size.mixed_radix(shape, indices)


def stored_base(e: Expr) -> Expr:
    """The expression whose memory a reshape shows in another shape."""
    while isinstance(e.op, Reshape):
        e = e.args[0]
    return e


def is_array(e: Expr) -> bool:
    """Whether an expression is a leaf that lives in memory (rather than a number in the code)."""
    if e.op is not None or isinstance(e, (Index, Dimension)):
        return False
    return not (isinstance(e, Constant) and not e.ndim)


# --- the decision ---------------------------------------------------------------------------------


def decide(outputs: Iterable[Expr], also: Iterable[Expr] = ()) -> list[Expr]:
    """The stored expressions, in an order in which they can be computed; `also` are needed, but
    not stored as such.
    """
    nodes = order([*outputs, *also])
    stored = {e for e in outputs if e.op is not None}
    for e in nodes:
        stored.update(_must_be_stored(e))
    stored = {stored_base(e) for e in stored}
    stored = {e for e in stored if e.op is not None}
    _add_gathered(nodes, stored)
    _add_repeated(nodes, stored)
    _cut_long_formulas(nodes, stored)
    return [e for e in nodes if e in stored]


def _must_be_stored(e: Expr) -> list[Expr]:
    op = e.op
    if op is None:
        return []
    if isinstance(op, Reduce):
        return [e]
    if isinstance(op, Dot):
        whole = is_float(e.dtype) and e.ndim >= 1 and all(a.ndim > 1 for a in e.args)
        return [e, *(a for a in e.args if whole or is_dear(a.op))]
    if isinstance(op, Scatter):
        # A scatter in place must not read through its values what it has already written.
        base, values = e.args[:2]
        tables = {a for a in order([base]) if is_array(a) and a.shape == e.shape}
        return [e, values] if tables and tables & set(order([values])) else [e]
    if op.loops is not None:
        return [e]
    if op.perform is not None:
        return [e, *e.args]
    if has_kernel(e):
        return [e, *kernel_arrays(e)]
    if isinstance(op, Reshape):
        return [e.args[0]]
    if isinstance(op, LargestAt):
        return [e, *(a for a in e.args if len(e.args) > 1)]
    if not isinstance(op, (Elementwise, *_TRANSPARENT)) and _has_fold(e):
        return [e]
    return []


def has_kernel(e: Expr) -> bool:
    """Whether an expression has a shape of loops of its own."""
    return getattr(e.op, "kernel", None) is not None and is_float(e.dtype)


def kernel_arrays(e: Expr) -> list[Expr]:
    """The arguments that a kernel reads as arrays: all but sizes and masks."""
    return [a for a in e.args if a.ndim and a.dtype != "bool"]


def masks_of(e: Expr) -> list[Expr]:
    """The arguments that a kernel reads as formulas of its indices."""
    return [a for a in e.args if a.ndim and a.dtype == "bool"]


def _has_fold(e: Expr) -> bool:
    """Whether the equation of an operation folds (asked of operations that people declare)."""
    indices = tuple(index(n) for n in e.shape)
    value = e.op.element(*map(Operand, e.args), *indices)
    return any(isinstance(v.op, Fold) for v in order([value], stop=lambda v: v.op is ELEMENT))


def _add_gathered(nodes: list[Expr], stored: set[Expr]) -> None:
    """Store what overlapping windows read again and again, if that reads several arrays itself."""
    for e in nodes:
        for a in e.args if isinstance(e.op, Gathering) else ():
            if a.ndim and e.op.repeats(a) and len(_arrays_of(a, stored)) >= MANY_ARRAYS:
                stored.add(stored_base(a))


def _arrays_of(value: Expr, stored: set[Expr]) -> set[Expr]:
    """The arrays of as many axes that the formula of a value reads, up to MANY_ARRAYS."""
    found: set[Expr] = set()
    seen: set[Expr] = set()
    stack = [value]
    while stack and len(found) < MANY_ARRAYS:
        e = stack.pop()
        if e in seen:
            continue
        seen.add(e)
        if is_array(e) or stored_base(e) in stored:
            found |= {e} if _rank(e) >= _rank(value) else set()
        else:
            stack += e.args
    return found


def _rank(e: Expr) -> int:
    """How many axes are longer than 1."""
    return sum(n != 1 for n in e.shape)


def _add_repeated(nodes: list[Expr], stored: set[Expr]) -> None:
    """Store what is dear and read by several stored expressions, or read again and again by one."""
    readers: dict[Expr, set[Expr]] = {}
    repeats: dict[Expr, bool] = {}
    for e in reversed(nodes):
        mine, again = readers.get(e, set()), repeats.get(e, False)
        if (
            e not in stored
            and e.op is not None
            and is_dear(e.op)
            and e.ndim
            and (again or len(mine) > 1)
        ):
            stored.add(e)
        if e in stored:
            mine, again = {e}, False
        for a in e.args:
            readers.setdefault(a, set()).update(mine)
            repeats[a] = repeats.get(a, False) or again or _repeats(e, a)


def _repeats(reader: Expr, argument: Expr) -> bool:
    """Whether a reader's loops go over the same elements of an argument again and again."""
    if not argument.ndim:
        return False
    if isinstance(reader.op, Elementwise):
        offset = reader.ndim - argument.ndim
        varies = [n != 1 for n in argument.shape]
        last = max((i for i, v in enumerate(varies) if v), default=-1)
        missing = offset > 0 and any(n != 1 for n in reader.shape[:offset])
        return last >= 0 and (
            missing or any(not varies[i] and reader.shape[offset + i] != 1 for i in range(last))
        )
    if isinstance(reader.op, Dot):
        return True
    if isinstance(reader.op, Gathering):
        return reader.op.repeats(argument)
    return type(reader.op).__name__ in ("Broadcast", "Take", "Place")


def _cut_long_formulas(nodes: list[Expr], stored: set[Expr]) -> None:
    parts: dict[Expr, frozenset] = {}
    empty: frozenset = frozenset()
    for e in nodes:
        if e.op is None:
            parts[e] = empty
            continue
        for a in e.args if isinstance(e.op, Gathering) else ():
            if len(parts[a]) * e.op.taps(a) > LONGEST_FORMULA // 2:
                stored.add(stored_base(a))
                parts[a] = empty
        inner = [parts[a] for a in e.args]
        total = frozenset().union(*inner)
        if len(total) >= LONGEST_FORMULA:
            for a in sorted(set(e.args), key=lambda a: -len(parts[a])):
                if len(total) < LONGEST_FORMULA or not parts[a]:
                    break
                stored.add(stored_base(a))
                parts[a] = empty
                total = frozenset().union(*(parts[b] for b in e.args))
        parts[e] = empty if e in stored else total | {e}


# --- equations ------------------------------------------------------------------------------------


class Formulas:
    """Writes formulas: the value of any expression at given indices, in terms of stored ones."""

    def __init__(self, stored: Iterable[Expr]):
        self.stored = set(stored)
        self._done: dict = {}

    def equation(self, e: Expr) -> Equation:
        """The equation of a stored expression (not one with `loops`)."""
        indices = tuple(index(n, f"i{a}") for a, n in enumerate(e.shape))
        value = self._own(e, indices)
        folds, monoid = [], None
        while isinstance(value.op, Fold) and monoid in (None, value.op.monoid):
            monoid = value.op.monoid
            folds.append(value.op.index)
            (value,) = value.args
        return Equation(indices, tuple(folds), monoid, self.resolve(value))

    def writes(self, e: Expr) -> list[Write]:
        """The writes of an operation that declares `loops`, with their values and targets
        resolved.
        """
        result = []
        for w in e.op.loops(Operand(e), *map(Operand, e.args)):
            target = tuple(self.resolve(size.as_expr(t)) for t in w.target)
            result.append(w._replace(target=target, value=self.resolve(guarded(w.value))))
        return result

    def at(self, e: Expr, indices: tuple) -> Expr:
        """The value of an expression at an index."""
        if e in self.stored or is_array(e):
            return build(ELEMENT, (e, size.as_expr(flat(e.shape, indices))))
        if e.op is None:
            return e
        key = (e, indices)
        found = self._done.get(key)
        if found is None:
            found = self._done[key] = self._own(e, indices)
            if not isinstance(e.op, Elementwise):
                found = self._done[key] = self.resolve(found)
        return found

    def _own(self, e: Expr, indices: tuple) -> Expr:
        op = e.op
        if isinstance(op, Reshape):
            base = stored_base(e)
            return build(ELEMENT, (base, size.as_expr(flat(e.shape, indices))))
        if isinstance(op, Elementwise):
            args = tuple(self.at(a, _aligned(a, indices)) for a in e.args)
            return _bounded(op, args) if op in _BOUNDS else build(op, args)
        value = op.element(*map(Operand, e.args), *indices)
        if isinstance(op, _TRANSPARENT):
            return value
        value = settled(value) if isinstance(op, Gathering) else guarded(value)
        return value if isinstance(op, _FOLDS) else unrolled(value)

    def resolve(self, value: Expr) -> Expr:
        """A scalar formula whose elements of expressions are replaced by their formulas."""
        done: dict[Expr, Expr] = {}
        for e in order([value], stop=_is_array_leaf):
            if e.op is ELEMENT:
                array, at = e.args[0], tuple(done[i] for i in e.args[1:])
                if len(at) == array.ndim and not (len(at) == 1 and self._is_flat(array)):
                    done[e] = self.at(array, at)
                else:
                    done[e] = build(ELEMENT, (array, *at))
            elif e.op is None:
                done[e] = e
            elif e.ndim == 0 and all(a in done for a in e.args):
                args = tuple(done[a] for a in e.args)
                done[e] = e if args == e.args else remade(e, args)
        return done[value]

    def _is_flat(self, array: Expr) -> bool:
        """An element of a stored vector is its own flat load."""
        return array.ndim == 1 and (array in self.stored or is_array(array))


#: The larger or smaller of something and a number: what to compare by.
_BOUNDS = {maximum: less_equal, minimum: greater_equal}


def _bounded(op, args: tuple[Expr, ...]) -> Expr:
    """max(x, c) for a number c is c where x ≤ c, else x: nobody need ask whether x is nan."""
    x, c = args
    if isinstance(x, Constant):
        x, c = c, x
    plain = isinstance(c, Constant) and not c.ndim and not np.isnan(c.value)
    if not plain or not is_float(c.dtype) or isinstance(x, Constant):
        return build(op, args)
    return build(where, (build(_BOUNDS[op], (x, c)), c, x))


def guarded(value: Expr, guards: tuple[Expr, ...] = ()) -> Expr:
    """A formula that may be computed in any order: `where(i > 0, a[i − 1], 0)` never reads a[−1].

    Conditions on indices guard what their branches read: where a guard does not hold, element 0 is
    read, and not used. Elements at a plain index of their own axis need no guard.
    """
    op = value.op
    if op is None or value.ndim:
        return value
    if op is ELEMENT:
        array, *at = value.args
        inner = [guarded(i, guards) for i in at]
        pairs = zip(inner, array.shape, strict=False)
        return build(ELEMENT, (array, *(_kept_within(i, n, guards) for i, n in pairs)))
    if op is where and _is_about_indices(value.args[0]):
        condition, yes, no = value.args
        condition = guarded(condition, guards)
        yes, no = guarded(yes, (*guards, condition)), guarded(no, (*guards, ~condition))
        return build(where, (condition, yes, no))
    args = tuple(guarded(a, guards) for a in value.args)
    return value if args == value.args else build(op, args)


def _is_about_indices(condition: Expr) -> bool:
    nodes = order([condition], stop=lambda e: e.op is ELEMENT)
    return any(isinstance(e, Index) for e in nodes)


def _kept_within(i: Expr, n, guards: tuple[Expr, ...]) -> Expr:
    if not guards or isinstance(i, Constant) or (isinstance(i, Index) and i.extent is n):
        return i
    if isinstance(i, Index) and i.extent == n:
        return i
    together = guards[0]
    for g in guards[1:]:
        together = together & g
    return where(together, i, 0)


def _is_array_leaf(e: Expr) -> bool:
    return e.op is not ELEMENT and e.ndim > 0


def _aligned(argument: Expr, indices: tuple) -> tuple:
    """The indices of an argument that broadcasts: its own axes', 0 along axes of length 1."""
    own = indices[len(indices) - argument.ndim :] if argument.ndim else ()
    return tuple(0 if n == 1 else i for n, i in zip(argument.shape, own, strict=True))
