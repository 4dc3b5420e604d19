"""Loops over elements that draw random numbers, turned into loops over the blocks that these are
words of.

A block of Philox gives four words of 32 bits, to four neighbouring elements; a loop over elements
computes it four times. Here the body of the loop is repeated for the elements of one block (two,
where all bits are taken in pairs of words), so that the C compiler computes each block once, and
once what a pair of normal numbers has in common; the elements that are left over follow in a loop
of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symcomp.codegen.equations import reindexed
from symcomp.codegen.loops import For, Let, Local, Statement, Store, local, values
from symcomp.graph import size
from symcomp.graph.expr import Expr, build
from symcomp.graph.notation import ELEMENT, Index, formula_order, index
from symcomp.graph.scalar import Cast, cast
from symcomp.tensor.random import PARTS


def by_block(loop: For, names: Iterator[int]) -> list[For]:
    """The loop over blocks and that over the elements left over; the loop itself where nothing is
    shared.
    """
    i, count = loop.index, 0
    if loop.how == "parallel" and not loop.before:
        count = per_block(loop.body, i)
    if not count:
        return [loop]
    whole = size.quotient(i.extent, count)
    block = index(whole, f"block{next(names)}")
    body = blocked(loop.body, i, block, count, names)
    grain = size.larger(1, size.quotient(loop.grain, count))
    result = [For(block, tuple(body), "parallel", grain)]
    rest = size.minus(i.extent, size.times(whole, count))
    if rest != 0:
        last = index(rest, f"rest{next(names)}")
        at = size.plus(size.times(whole, count), last)
        result.append(For(last, tuple(_copied(loop.body, i, at, names)), "serial"))
    return result


def per_block(body: Sequence[Statement], i: Index) -> int:
    """How many elements share a block, where the plain body of a loop over i draws bits and each of
    its elements takes them at its own position; else 0.
    """
    if not all(map(is_plain, body)):
        return 0
    formulas = [v for s in body for v in values(s) if isinstance(v, Expr)]
    drawn = [e for e in formula_order(formulas) if e.op in PARTS]
    if not drawn or not all(_position(e) is i for e in drawn):
        return 0
    return max(len(PARTS[e.op]) for e in drawn)


def blocked(body: Sequence[Statement], i: Index, block: Index, count: int, names) -> list:
    """The statements for `count` elements from i = count · block on, which share blocks of bits."""
    result: list = []
    for k in range(count):
        at = size.plus(size.times(block, count), k)
        result += _copied(body, i, at, names, (block, k, count))
    return _stores_last(result)


def written_out(body: Sequence[Statement], i: Index, part: Index, count: int, names) -> list:
    """The same where blocks are shared or not, each load where it is used: none is made that a
    choice forbids. So no load waits for another element's store.
    """
    drawn = per_block(body, i)
    result: list = []
    for k in range(count):
        at = size.plus(size.times(part, count), k)
        own = (part, k, count) if drawn else None
        result += _copied(body, i, at, names, own, loaded=False)
    return _stores_last(result)


def _stores_last(body: list) -> list:
    """Loads before stores: nothing that one element stores is read by another."""
    stores = [s for s in body if isinstance(s, Store)]
    return [s for s in body if isinstance(s, Let)] + stores


def is_plain(s) -> bool:
    """Whether a statement computes a value, or writes one."""
    return isinstance(s, Let) or (isinstance(s, Store) and s.monoid is None)


def _position(e: Expr) -> Expr | None:
    at = e.args[3]
    return at.args[0] if isinstance(at.op, Cast) else None


def _copied(body, i: Index, at, names, part=None, loaded: bool = True) -> list:
    """The statements at another position, with locals of their own; `part` is the block, which
    element of it this is, and of how many. What they load is loaded before, if `loaded`.
    """
    new: dict[Expr, Expr] = {i: size.as_expr(at)}
    result = []
    for s in body:
        own = new | (_parts(s.value, new, *part) if part else {})
        own |= _loaded(s.value, new, names, result) if part and loaded else {}
        value = reindexed(s.value, own)
        if isinstance(s, Let):
            new[s.local] = Local(s.local.type, f"{s.local.name}_{next(names)}")
            result.append(Let(new[s.local], value))
        else:
            offset = reindexed(size.as_expr(s.offset), {i: new[i]})
            result.append(Store(s.buffer, offset, value))
    return result


def _parts(value: Expr, new: dict, block: Index, k: int, count: int) -> dict[Expr, Expr]:
    """What element k of `count` draws, as parts of blocks: of several where a block is shared by
    fewer elements than these.
    """
    found: dict[Expr, Expr] = {}
    for e in formula_order([value]):
        if e.op in PARTS:
            parts = PARTS[e.op]
            which, within = divmod(k, len(parts))
            at = size.plus(size.times(block, count // len(parts)), which)
            place = (reindexed(a, new) for a in e.args[:3])
            found[e] = build(parts[within], (*place, cast(size.as_expr(at), "uint64")))
    return found


def _loaded(value: Expr, new: dict, names, body: list) -> dict[Expr, Expr]:
    """What the value loads under names, loaded before: within a choice, the C compiler would take
    each load for one that may not be made, and vectorise none that are four apart.
    """
    found: dict[Expr, Expr] = {}
    for e in formula_order([value]):
        if e.op is ELEMENT and e.args[1].weak and any(i in new for i in formula_order(e.args[1:])):
            found[e] = local(e.dtype, f"x{next(names)}")
            body.append(Let(found[e], reindexed(e, new)))
    return found
