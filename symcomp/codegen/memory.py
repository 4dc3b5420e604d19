"""Which temporaries share storage.

Every temporary lives from the first kernel that writes it to the last that reads it. Going through
the kernels in order, a temporary takes a slot that is free: one exactly as large; else of literal
sizes the one that fits best; else the last that was used, unless a temporary exactly as large will
want it meanwhile. The slots are laid out in one arena, whose size is computed when the function is
called: of unknown sizes that share a slot the largest is found then.
Kernels that run in order never share a slot that either still needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from symcomp.codegen.loops import Buffer, Kernel, read_buffers, written_buffers
from symcomp.graph import size


@dataclass(eq=False)
class Slot:
    """A piece of the arena, and the temporaries that use it one after another."""

    sizes: list = field(default_factory=list)  # (elements, itemsize) of each tenant, all different
    tenants: list[Buffer] = field(default_factory=list)


def assign(
    kernels: Sequence[Kernel],
    temporaries: Sequence[Buffer],
    kept: Sequence[Buffer] = (),
    repeated: Sequence[tuple[int, int]] = (),
) -> list[Slot]:
    """Slots for the temporaries of a sequence of kernels; `kept` ones outlive the last. What is
    used within a `repeated` stretch, from one kernel to another, lives from its begin to its end.
    """
    wanted = set(temporaries)
    touched = [(read_buffers(k) | written_buffers(k)) & wanted for k in kernels]
    for begin, end in repeated:
        together = set().union(*touched[begin : end + 1])
        touched[begin] = touched[end] = together
    last = {b: step for step, buffers in enumerate(touched) for b in buffers}
    first = {b: step for step, buffers in reversed([*enumerate(touched)]) for b in buffers}
    begun: list[list[tuple]] = [[] for _ in kernels]
    for b, step in first.items():
        begun[step].append(measure(b))
    slots: list[Slot] = []
    free: list[Slot] = []
    holding: dict[Buffer, Slot] = {}
    for step, buffers in enumerate(touched):
        for b in sorted(buffers - holding.keys(), key=lambda b: b.serial):
            slot = _choose(free, b, list(chain(*begun[step : last[b] + 1])))
            if slot is None:
                slot = Slot()
                slots.append(slot)
            else:
                free.remove(slot)
            _occupy(slot, b)
            holding[b] = slot
        for b in sorted(buffers, key=lambda b: b.serial):
            if last[b] == step and b not in kept:
                free.append(holding[b])
    return slots


def measure(b: Buffer) -> tuple:
    """How much a buffer takes: elements, and their dtype."""
    return size.product(b.shape), b.dtype


def _choose(free: list[Slot], b: Buffer, meanwhile: Sequence[tuple]) -> Slot | None:
    """`meanwhile` are the sizes of what begins to live before `b` ends."""
    exact = [s for s in free if measure(b) in s.sizes]
    if exact:
        return exact[-1]
    others = [s for s in free if not any(m in s.sizes for m in meanwhile)]
    literal = [s for s in others if all(isinstance(n, int) for n, _ in (*s.sizes, measure(b)))]
    if literal:
        wanted = _bytes(measure(b))
        sizes = {s: max(map(_bytes, s.sizes)) for s in literal}
        return min(literal, key=lambda s: (sizes[s] < wanted, abs(sizes[s] - wanted)))
    return others[-1] if others else None


def _bytes(measured: tuple) -> int:
    count, dtype = measured
    return count * np.dtype(dtype).itemsize


def _occupy(slot: Slot, b: Buffer) -> None:
    size_of_it = measure(b)
    if size_of_it not in slot.sizes:
        slot.sizes.append(size_of_it)
    slot.tenants.append(b)
