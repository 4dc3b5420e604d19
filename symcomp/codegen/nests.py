"""What every lowering needs: formulas whose loads are loads of buffers, names, sizes cut to tiles,
nests of loops.

Sizes that decide speed stand here as named constants: how long a piece of parallel work is, how
wide a tile of accumulators, how long a floating-point sum runs before it is added to the total
(which keeps long sums accurate).
"""

from __future__ import annotations

from collections.abc import Iterator

from symcomp.codegen import loops, tiling
from symcomp.codegen.equations import Formulas, is_dear, reindexed
from symcomp.codegen.loops import Buffer, For, Let, Scratch, Store, Update, load, local
from symcomp.codegen.plan import Root
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import ELEMENT, Fold, Index, formula_order, identity, index
from symcomp.graph.type import is_float
from symcomp.graph.walk import order
from symcomp.tensor.arithmetic import greater, less, minimum, where

#: Simple operations in one piece of parallel work: some tens of microseconds, in vector lanes.
PIECE = 1 << 19
#: Long pieces are a multiple of so many elements: whole cache lines, and most of a page.
WHOLE = 512
#: Elements that a full fold sums up before they join the total.
BLOCK = 2048
#: Terms of a floating-point sum that are added up before they join the total.
RUN = 2048
#: Accumulators in the tile of a column fold.
TILE = 256


class Context:
    """Where each stored expression lives, and the pieces that loop nests are made of."""

    def __init__(self, buffers: dict[Expr, Buffer], visible: set[Expr], formulas: Formulas):
        self.buffers = buffers
        self.visible = visible
        self.formulas = formulas
        self.temporaries: list[Buffer] = []
        self.names: Iterator[int] = iter(range(10**9))

    def located(self, value: Expr, values: dict[Expr, Expr] | None = None) -> Expr:
        """A formula whose loads of stored expressions are loads of buffers, or values at hand.

        `values` maps (expression) to what stands for a load of it at the position being computed.
        """
        done: dict[Expr, Expr] = {}
        for e in order([value], stop=_inside_load):
            if e.op is ELEMENT:
                array = e.args[0]
                if values and array in values:
                    done[e] = values[array](e.args[1]) if callable(values[array]) else values[array]
                else:
                    offset = self.located(e.args[1], values) if _has_load(e.args[1]) else e.args[1]
                    done[e] = load(self.buffers.get(array, array), offset)
            elif e.op is None:
                done[e] = e
            else:
                args = tuple(done[a] for a in e.args)
                done[e] = e if args == e.args else build(e.op, args)
        return done[value]

    def unfolded(self, value: Expr, body: list) -> Expr:
        """A formula whose inner folds are computed by loops that are put before it."""
        while True:
            fold = next((e for e in formula_order([value]) if isinstance(e.op, Fold)), None)
            if fold is None:
                return value
            total = local(fold.dtype, f"s{next(self.names)}")
            inner: list = []
            part = self.unfolded(fold.args[0], inner)
            body.append(Let(total, identity(fold.op.monoid, fold.dtype)))
            body.append(
                For(
                    fold.op.index,
                    (*inner, Update(total, fold.op.monoid, part)),
                    "simd" if not inner else "serial",
                )
            )
            value = _replaced(value, fold, total)

    def let(self, value, name: str, body: list):
        """A size under a name, so that the C stays readable; itself where it is literal."""
        if isinstance(value, int):
            return value
        variable = loops.local_size(f"{name}{next(self.names)}")
        body.append(Let(variable, value))
        return variable

    def cut(self, extent, block, length, body: list):
        """How much of [0, extent) a block has: min(length, extent − block·length)."""
        if isinstance(extent, int) and isinstance(length, int) and extent <= length:
            return extent
        left = size.as_expr(size.minus(extent, size.times(block, length)))
        return self.let(build(minimum, (size.as_expr(length), left)), "length", body)

    def fresh(self, extents, name: str) -> tuple[Index, ...]:
        return tuple(index(n, f"{name}{next(self.names)}") for n in extents)

    # --- map --------------------------------------------------------------------------------------
    def store_members(self, members, values, offset, body, at_hand: dict | None = None) -> None:
        """Compute all members at one position, then store: an update in place is read before it is
        written. `at_hand` says what stands for what has been computed before.
        """
        at_hand = dict(at_hand or {})
        stores = []
        for m, value in zip(members, values, strict=True):
            value = self.unfolded(self.located(value, at_hand), body)
            value = self.chosen_first(value, body)
            variable = local(m.expr.dtype, f"v{next(self.names)}")
            body.append(Let(variable, value))
            at_hand[m.expr] = variable
            if m.expr in self.visible:
                stores.append(Store(self.buffers[m.expr], offset, variable))
        body.extend(stores)

    def chosen_first(self, value: Expr, body: list) -> Expr:
        """A formula whose choices of the larger or smaller of two are statements before it: one
        instruction each. Inside another choice gcc makes branches of them, which are guessed wrong
        half of the time.
        """
        done: dict[Expr, Expr] = {}
        for e in formula_order([value]):
            if e.op is None or any(a not in done for a in e.args):
                done[e] = e
                continue
            args = tuple(done[a] for a in e.args)
            done[e] = e if args == e.args else build(e.op, args)
            if e is not value and e.op is where and _is_extreme(*e.args):
                chosen = local(e.dtype, f"m{next(self.names)}")
                body.append(Let(chosen, done[e]))
                done[e] = chosen
        return done[value]

    # --- row --------------------------------------------------------------------------------------
    #: Whether long sums are added up in runs; threads that share a row have short ones anyway.
    sums_in_runs = True

    def along_row(self, indices, body):
        """The loop over what lies inside a row."""
        return nest_serial(indices, body)

    def temporary(self, dtype: str, shape, name: str) -> Buffer:
        made = loops.buffer(dtype, shape, f"{name}{next(self.names)}")
        self.temporaries.append(made)
        return made

    # --- column -----------------------------------------------------------------------------------


# --- helpers --------------------------------------------------------------------------------------


def _inside_load(e: Expr) -> bool:
    return e.op is ELEMENT


def _is_extreme(condition: Expr, yes: Expr, no: Expr) -> bool:
    """Whether a choice is x > y ? x : y, or the same with <."""
    return condition.op in (greater, less) and condition.args == (yes, no) and is_float(yes.dtype)


def _has_load(e: Expr) -> bool:
    return isinstance(e, Expr) and any(x.op is ELEMENT for x in formula_order([e]))


def _replaced(value: Expr, old: Expr, new: Expr) -> Expr:
    done = {old: new}
    for e in order([value], stop=lambda e: e is old):
        if e not in done:
            args = tuple(done[a] for a in e.args)
            done[e] = e if args == e.args else build(e.op, args)
    return done[value]


def at_indices(m: Root, indices) -> Expr:
    """A member's formula at given indices (its own, then its folds')."""
    own = (*m.equation.indices, *m.equation.folds)
    moved = {a: size.as_expr(b) for a, b in zip(own, indices, strict=True) if a is not b}
    return reindexed(m.equation.value, moved)


def cost(values, stores: int = 1) -> int:
    """Simple operations that formulas take, roughly; what goes to memory counts as four."""
    total = 4 * stores
    for e in formula_order(values):
        if e.op is ELEMENT:
            total += 4
        elif e.op is not None and not e.weak:
            total += 12 if is_dear(e.op) else 1
    return total


def wide(m: Root) -> str:
    """The dtype in which the results of runs and blocks are put together: long sums lose no digits
    there.
    """
    adds = m.equation.monoid in ("sum", "prod")
    return "float64" if adds and m.expr.dtype == "float32" else m.expr.dtype


def vectorises(statements) -> bool:
    return all(isinstance(s, (Let, Update, Store, Scratch)) for s in statements)


def nest_serial(indices, body, simd: bool = True):
    """Loops from the outermost index to the innermost, which runs in SIMD lanes."""
    body = tuple(body)
    for position, i in enumerate(reversed(indices)):
        how = "simd" if position == 0 and simd and vectorises(body) else "serial"
        body = (For(i, body, how),)
    if len(body) == 1:
        return body[0]
    return For(index(1), body)


def nest(indices, body, work, simd: bool = True) -> For:
    """A parallel outermost loop, serial ones, and an innermost one in SIMD lanes; `work` is that
    of one `body`.
    """
    if not indices:
        return For(index(1), tuple(body))
    first, *inner = indices
    body = tuple(body)
    for position, i in enumerate(reversed(inner)):
        how = "simd" if position == 0 and simd and vectorises(body) else "serial"
        body = (For(i, body, how),)
    per_index = size.times(work, *(i.extent for i in inner))
    grain = tiling.grain(PIECE, per_index)
    if isinstance(grain, int) and grain > WHOLE:
        grain -= grain % WHOLE
    return For(first, body, "parallel", grain)
