"""The plan: which stored expressions are computed together, and in which order.

Each stored expression is a *root* with an equation. Roots that can share loops form a *group*, and
a group becomes a kernel. There are eight kinds:

    map      equations without folds over one shape
    row      folds over trailing axes, and what is computed from them row by row while the row is in
    cache
             (a softmax is one pass over each row); also full folds, whose row is everything
    column   folds that leave the contiguous axis: a tile of accumulators runs down the rows
    gemm     a matrix product by BLAS, tile by tile, and the maps that finish each tile while it is
    hot
    convolution  a convolution or one of its transposes by the library, block by block, finished
    while hot
    attention  the results of one attention, or its gradients, by tiles of scores that are not kept
    writes   joins, scatters, running sums: writes to computed places
    python   a call out to Python

A root joins a group when their loops agree, when it reads the group's other members only where the
same iteration (or an earlier loop over the same row) has written them, and when no other group
would have to run in between. Shared values are updated in place where everything that reads the old
value has run before; else through a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symcomp.codegen.equations import (
    Equation,
    Formulas,
    decide,
    flat,
    has_kernel,
    kernel_arrays,
    masks_of,
    stored_base,
)
from symcomp.codegen.improve import coefficient
from symcomp.codegen.positions import Position, read_by_check
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import ELEMENT, Write, formula_order, index
from symcomp.graph.scalar import Elementwise
from symcomp.graph.shared import Shared
from symcomp.graph.type import is_float
from symcomp.tensor.linear import Dot

#: A group stops growing here: large loop bodies compile slowly and spill registers.
LARGEST_GROUP = 12
#: Kinds of groups that operations ask for by name (`Op.kernel`).
KERNELS = ("convolution", "convolution_input", "convolution_filters")
#: Kinds whose members are operations on the same arguments: one pass computes all of them.
SHARED_KERNELS = ("attention", "attention_gradient")
MOST_PARTS = 240


@dataclass(frozen=True)
class Copy(Elementwise):
    """The same values in a place of their own: an output that is also something else."""

    number: int

    def scalar_type(self, dtype):
        return dtype

    def numpy(self, x):
        return x

    def text(self, x):
        return x


@dataclass(eq=False)
class Root:
    """A stored expression, how it is computed, and what it reads."""

    expr: Expr
    kind: str
    equation: Equation | None = None
    writes: list[Write] | None = None
    reads: dict[Expr, list[Expr]] = field(default_factory=dict)
    parts: int = 0
    group: Group | None = None

    @property
    def shape(self):
        return self.expr.shape


@dataclass(eq=False)
class Group:
    """Roots that are computed by one kernel."""

    number: int
    kind: str
    members: list[Root] = field(default_factory=list)
    before: set[Group] = field(default_factory=set)
    #: The extents of the row loops, once a fold has fixed them.
    outer: tuple | None = None

    def add(self, root: Root) -> None:
        self.members.append(root)
        root.group = self


@dataclass
class Plan:
    """Groups in the order in which they run, and where their results go."""

    groups: list[Group]
    roots: dict[Expr, Root]
    #: What an output or an update is computed into: root expression → output number, or shared
    #: value.
    destinations: dict[Expr, object]
    #: Updates that go through a temporary: (root expression, shared value).
    copies: list[tuple[Expr, Shared]]
    #: Stored expressions that another one is written over: base → scatter into it.
    overwritten: dict[Expr, Expr]


def make_plan(
    outputs: Sequence[Expr],
    updates: Sequence[tuple[Expr, Expr]],
    positions: Sequence[Position] = (),
) -> Plan:
    """Plan the computation of outputs and of updates (leaf, new value)."""
    destinations = _destinations(outputs, updates)
    stored = decide(destinations, [p.at for p in positions])
    formulas = Formulas(stored)
    roots: dict[Expr, Root] = {}
    for e in stored:
        roots[e] = _root(e, formulas)
    # Positions that come of stored expressions are checked among the kernels, others before all.
    late = [r for r in (read_by_check(p.at, formulas) for p in positions) if r & roots.keys()]
    checked = set().union(*late)
    overwritten = _overwritten(roots, destinations, checked)
    in_place = {e: d for e, d in destinations.items() if isinstance(d, Expr)}
    planner = _Planner(roots, in_place, overwritten, checked)
    for root in roots.values():
        planner.place(root)
    groups, copies = planner.ordered()
    return Plan(groups, roots, destinations, copies, overwritten)


def _overwritten(roots: dict[Expr, Root], destinations, checked: set[Expr]) -> dict[Expr, Expr]:
    """Which stored expressions need no memory of their own: only a scatter into them reads them. A
    scatter into a sum of several takes the place of one.
    """
    readers: dict[Expr, list[Root]] = {}
    for root in roots.values():
        for r in root.reads:
            readers.setdefault(r, []).append(root)
    found, taken = {}, set()
    for e, (reader, *others) in readers.items():
        alone = e in roots and e not in destinations and e not in checked and not others
        free = alone and e.dtype == reader.expr.dtype and reader not in taken
        if free and is_scatter_into(reader, e):
            found[e] = reader.expr
            taken.add(reader)
    return found


def is_scatter_into(root: Root, array: Expr) -> bool:
    """Whether writes begin with what they replace, read at its own position, and read it no more.

    Such writes may go to the memory of the array itself.
    """
    if root.kind != "writes" or not same_shape(root.shape, array.shape):
        return False
    first, *rest = root.writes
    if len(first.indices) != len(array.shape):
        return False
    own = size.as_expr(flat(array.shape, first.indices))
    whole = same_shape(root.shape, [i.extent for i in first.indices])
    straight = size.as_expr(flat(root.shape, first.target)) is own
    later = [v for w in rest for v in (*w.target, w.value)]
    return (
        whole
        and first.monoid is None
        and straight
        and all(o is own for o in _reads([first.value]).get(array, ()))
        and array not in _reads(later)
    )


def _destinations(outputs, updates):
    """Give every output and update an expression of its own, computed for it."""
    destinations: dict[Expr, object] = {}
    number = 0
    for target, value in [*enumerate(outputs), *updates]:
        if value.op is None or stored_base(value) is not value or value in destinations:
            value = Copy(number)(value)
            number += 1
        destinations[value] = target
    return destinations


# --- roots ----------------------------------------------------------------------------------------


def _root(e: Expr, formulas: Formulas) -> Root:
    if e.op.perform is not None:
        return Root(e, "python", reads={stored_base(a): [] for a in e.args})
    if isinstance(e.op, Dot) and is_float(e.dtype) and matrices(e) is not None:
        return Root(e, "gemm", reads={stored_base(a): [] for a in e.args}, parts=1)
    if has_kernel(e):
        return Root(e, e.op.kernel, reads=_kernel_reads(e, formulas), parts=1)
    if e.op.loops is not None:
        writes = formulas.writes(e)
        values = [v for w in writes for v in (*w.target, w.value)]
        return Root(
            e, "writes", writes=writes, reads=_reads(values, e), parts=len(formula_order(values))
        )
    equation = formulas.equation(e)
    nodes = formula_order([equation.value])
    kind = "map" if not equation.folds else _fold_kind(equation, nodes)
    return Root(e, kind, equation, reads=_reads([equation.value]), parts=len(nodes))


def _kernel_reads(e: Expr, formulas: Formulas) -> dict[Expr, list[Expr]]:
    """The arrays, which are read in some order, and what sizes and masks are made of."""
    arrays = {stored_base(a): [] for a in kernel_arrays(e)}
    given = [formulas.resolve(a) for a in e.args if not a.ndim]
    given += [formulas.at(m, tuple(index(n) for n in m.shape)) for m in masks_of(e)]
    return arrays | _reads(given)


def _reads(values, own: Expr | None = None) -> dict[Expr, list[Expr]]:
    reads: dict[Expr, list[Expr]] = {}
    for e in formula_order(values):
        if e.op is ELEMENT and e.args[0] is not own:
            reads.setdefault(e.args[0], []).append(e.args[1])
    return reads


def _fold_kind(equation: Equation, nodes) -> str:
    """Row where the contiguous axis is folded, column where it is kept."""
    if not equation.indices or not any(i.extent != 1 for i in equation.indices):
        return "row"
    last_kept = next(i for i in reversed(equation.indices) if i.extent != 1)
    along = {"row": 0, "column": 0}
    for e in nodes:
        if e.op is ELEMENT and any(k in formula_order([e.args[1]]) for k in equation.folds):
            along["row"] += any(coefficient(e.args[1], k) == 1 for k in equation.folds)
            along["column"] += coefficient(e.args[1], last_kept) == 1
    return "column" if along["column"] and along["column"] >= along["row"] else "row"


@dataclass(frozen=True)
class Matrices:
    """A product as batches of matrix products: the sizes, and how each operand is read."""

    batch: object
    rows: object
    columns: object
    inner: object
    left: Expr
    right: Expr
    transpose_left: bool
    transpose_right: bool
    #: How many of the result's axes are of the batch, and of the rows; the others are columns.
    batch_axes: int
    row_axes: int


def matrices(e: Expr) -> Matrices | None:
    """How BLAS can compute a product; None where it is not one of matrices."""
    op, (a, b) = e.op, e.args
    batch = [c for c in op.out if c in op.left and c in op.right]
    if any(list(s[: len(batch)]) != batch for s in (op.left, op.right, op.out)):
        return None
    left, right, out = (s[len(batch) :] for s in (op.left, op.right, op.out))
    sizes = dict(zip(op.left, a.shape, strict=True)) | dict(zip(op.right, b.shape, strict=True))
    rows = [c for c in left if c not in right]
    if not out or not rows or not op.summed:
        return None
    if out[: len(rows)] != "".join(rows):
        a, b, left, right = b, a, right, left
        rows = [c for c in left if c not in right]
    columns = [c for c in right if c not in left]
    inner = list(op.summed)
    if not columns or out != "".join(rows + columns):
        return None
    forms = _form(left, rows, inner), _form(right, inner, columns)
    if None in forms:
        return None
    size_of = lambda labels: size.times(*(sizes[c] for c in labels))  # noqa: E731
    sizes_of = (size_of(labels) for labels in (batch, rows, columns, inner))
    return Matrices(*sizes_of, a, b, *forms, len(batch), len(rows))


def _form(labels: str, first: list, second: list) -> bool | None:
    """False where labels are [first][second], True where transposed, None where neither."""
    if labels == "".join(first + second):
        return False
    return True if labels == "".join(second + first) else None


# --- groups ---------------------------------------------------------------------------------------


class _Planner:
    def __init__(
        self,
        roots: dict[Expr, Root],
        in_place: dict[Expr, Expr],
        overwritten: dict[Expr, Expr],
        checked: set[Expr],
    ):
        self.roots = roots
        self.in_place = in_place
        #: What checks among the kernels read: they stand between the kernel that computes it and
        #: those that use it, and nothing of it is overwritten before the end.
        self.checked = checked
        self.under = {e: base for base, e in overwritten.items()}
        self.groups: list[Group] = []
        self.readers: dict[Expr, list[Group]] = {}

    def place(self, root: Root) -> None:
        needs = {self.roots[r].group for r in root.reads if r in self.roots}
        candidates = sorted(needs, key=lambda g: -g.number) + self._neighbours(root)
        for group in candidates:
            if self._fits(root, group) and not self._between(group, needs):
                break
        else:
            group = Group(len(self.groups), root.kind)
            self.groups.append(group)
        if root.kind == "row" and group.outer is None:
            group.kind = "row"
            group.outer = tuple(root.shape)
        group.add(root)
        group.before |= needs - {group}
        for r in root.reads:
            self.readers.setdefault(r, []).append(group)

    def _neighbours(self, root: Root) -> list[Group]:
        """Groups that read what this root reads."""
        found: dict[Group, None] = {}
        for r in root.reads:
            for g in self.readers.get(r, [])[-4:]:
                found[g] = None
        return list(found)

    def _between(self, group: Group, needs: set[Group]) -> bool:
        """Whether something this root needs must run after the group."""
        stack, seen = [g for g in needs if g is not group], set()
        while stack:
            g = stack.pop()
            if g is group:
                return True
            for b in g.before:
                if b not in seen:
                    seen.add(b)
                    stack.append(b)
        return False

    def _fits(self, root: Root, group: Group) -> bool:
        alone = ("writes", "python")
        starts = ("gemm", *KERNELS, *(k for k in SHARED_KERNELS if k != group.kind))
        if (
            root.kind in (*starts, *alone)
            or group.kind in alone
            or len(group.members) >= LARGEST_GROUP
        ):
            return False
        if sum(m.parts for m in group.members) + root.parts > MOST_PARTS:
            return False
        if not getattr(self, f"_fits_{group.kind}")(root, group):
            return False
        members = {m.expr for m in group.members}
        if any(r in self.checked and r in members for r in root.reads):
            return False
        return self._in_place_is_safe(root, group)

    def _fits_map(self, root: Root, group: Group) -> bool:
        first = group.members[0]
        if root.kind == "map":
            return same_shape(root.shape, first.shape) and self._reads_same(root, group)
        if root.kind != "row" or (not root.shape and any(m.kind == "row" for m in group.members)):
            return False
        row = len(root.shape)
        inner = tuple(k.extent for k in root.equation.folds)
        return (
            same_shape((*root.shape, *inner), first.shape)
            and self._reads_same(root, group)
            and row < len(first.shape)
        )

    def _fits_row(self, root: Root, group: Group) -> bool:
        outer = group.outer
        if root.kind == "column" or not same_shape(root.shape[: len(outer)], outer):
            return False
        if root.kind == "row" and len(root.shape) != len(outer):
            return False
        if not outer:
            return self._fits_full(root, group)
        return all(
            self._row_aligned(root, self.roots[r], offsets, len(outer))
            for r, offsets in root.reads.items()
            if r in self.roots and self.roots[r].group is group
        )

    def _fits_full(self, root: Root, group: Group) -> bool:
        """A fold of everything runs in blocks: only what has the same loops and reads no result of
        a fold joins.
        """
        loops = [(*m.shape, *(k.extent for k in m.equation.folds)) for m in group.members]
        own = (*root.shape, *(k.extent for k in root.equation.folds))
        return same_shape(own, loops[0]) and self._reads_same(root, group)

    def _fits_column(self, root: Root, group: Group) -> bool:
        first = group.members[0]
        if not same_shape(root.shape, first.shape):
            return False
        if root.kind == "column":
            folds = [tuple(k.extent for k in m.equation.folds) for m in (root, first)]
            return same_shape(*folds) and not any(
                r in self.roots and self.roots[r].group is group for r in root.reads
            )
        return root.kind == "map" and self._reads_same(root, group)

    def _fits_gemm(self, root: Root, group: Group) -> bool:
        first = group.members[0]
        plain = len(first.shape) == 2 or (
            len(first.shape) == 3 and first.expr.op.out[0] in _shared_labels(first.expr)
        )
        return (
            root.kind == "map"
            and plain
            and same_shape(root.shape, first.shape)
            and self._reads_same(root, group)
        )

    def _fits_kernel(self, root: Root, group: Group) -> bool:
        """What is computed from the result alone, element by element."""
        first = group.members[0]
        return (
            root.kind == "map"
            and same_shape(root.shape, first.shape)
            and self._reads_same(root, group)
        )

    _fits_convolution = _fits_convolution_input = _fits_convolution_filters = _fits_kernel

    def _fits_shared(self, root: Root, group: Group) -> bool:
        """Other results of the same scores."""
        first = group.members[0].expr
        return root.kind == group.kind and root.expr.op.goes_with(root.expr, first)

    _fits_attention = _fits_attention_gradient = _fits_shared

    def _reads_same(self, root: Root, group: Group) -> bool:
        """Whether the root reads members only at its own position."""
        position = (*root.equation.indices, *root.equation.folds)
        for r, offsets in root.reads.items():
            if r in self.roots and self.roots[r].group is group:
                if self.roots[r].kind == "row" or len(position) < len(r.shape):
                    return False
                want = size.as_expr(flat(r.shape, position[: len(r.shape)]))
                if len(position) != len(r.shape) or any(o is not want for o in offsets):
                    return False
        return True

    def _row_aligned(self, root: Root, member: Root, offsets, row: int) -> bool:
        """Whether a member is read within the row that its group has written."""
        indices = root.equation.indices[:row]
        base = flat(member.shape, (*indices, *([0] * (len(member.shape) - row))))
        for o in offsets:
            rest = size.as_expr(size.minus(o, base))
            if any(i in formula_order([rest]) for i in indices):
                return False
        return True

    def _in_place_is_safe(self, root: Root, group: Group) -> bool:
        """Whether writing shared values in place disturbs no other member of the group."""
        for writer, others in [(root, group.members), *((m, [root]) for m in group.members)]:
            target = self.in_place.get(writer.expr)
            if target is None:
                continue
            for other in others:
                offsets = other.reads.get(target)
                if offsets is None:
                    continue
                if group.kind == "row" or not _at_own_position(other, target, offsets):
                    return False
        return True

    def ordered(self) -> tuple[list[Group], list[tuple[Expr, Shared]]]:
        """The groups in an order that computes before it reads, and updates in place after the
        last reader.
        """
        after: dict[Group, set[Group]] = {g: set(g.before) for g in self.groups}
        copies = []
        for expr, target in self.in_place.items():
            writers = [self.roots[e].group for e in self._chain(expr)]
            readers = {g for g in self.readers.get(target, []) if g not in writers}
            own = [m for g in writers for m in g.members if target in m.reads]
            unsafe = any(not _reads_own_position(m, target) for m in own)
            first = writers[-1]
            # What a chain of scatters starts from is the old value, or else written before.
            late = [m for g in writers[:-1] for m in g.members if target in m.reads]
            read = target in self.checked
            if unsafe or late or read or any(_reaches(after, g, first) for g in readers):
                copies.append((expr, target))
            else:
                after[first] |= readers
        return _topological(self.groups, after), copies

    def _chain(self, expr: Expr) -> list[Expr]:
        """An expression, what it is written over, and so on down to the first."""
        chain = [expr]
        while chain[-1] in self.under:
            chain.append(self.under[chain[-1]])
        return chain


def _shared_labels(e: Expr) -> set[str]:
    return set(e.op.left) & set(e.op.right)


def _reads_own_position(root: Root, array: Expr) -> bool:
    return is_scatter_into(root, array) or _at_own_position(root, array, root.reads[array])


def _at_own_position(root: Root, array: Expr, offsets) -> bool:
    if root.equation is None or root.equation.folds or len(root.shape) != len(array.shape):
        return False
    want = size.as_expr(flat(array.shape, root.equation.indices))
    return all(o is want for o in offsets)


def _reaches(after: dict, start: Group, goal: Group) -> bool:
    """Whether `goal` must run before `start`."""
    stack, seen = [start], {start}
    while stack:
        g = stack.pop()
        if g is goal:
            return True
        for b in after[g]:
            if b not in seen:
                seen.add(b)
                stack.append(b)
    return False


def _topological(groups: list[Group], after: dict) -> list[Group]:
    result: list[Group] = []
    done: set[Group] = set()
    for g in groups:
        stack = [g]
        while stack:
            top = stack[-1]
            if top in done:
                stack.pop()
                continue
            waiting = sorted((b for b in after[top] if b not in done), key=lambda b: b.number)
            if waiting:
                stack.extend(reversed(waiting))
            else:
                done.add(top)
                result.append(top)
                stack.pop()
    return result


def same_shape(left: Sequence, right: Sequence) -> bool:
    return len(left) == len(right) and all(
        n is m or n == m for n, m in zip(left, right, strict=True)
    )
