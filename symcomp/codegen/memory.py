"""Which temporaries share storage.

Every temporary lives from the first kernel that writes it to the last that reads it. Going through
the kernels in order, a temporary takes a slot that is free and, if there is one, exactly as large;
what is left over is laid out in one arena, whose size is computed when the function is called.
Kernels that run in order never share a slot that either still needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    for first, last_one in repeated:
        together = set().union(*touched[first : last_one + 1])
        touched[first] = touched[last_one] = together
    last = {b: step for step, buffers in enumerate(touched) for b in buffers}
    slots: list[Slot] = []
    free: list[Slot] = []
    holding: dict[Buffer, Slot] = {}
    for step, buffers in enumerate(touched):
        for b in sorted(buffers - holding.keys(), key=lambda b: b.serial):
            slot = _choose(free, b)
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


def _choose(free: list[Slot], b: Buffer) -> Slot | None:
    count, dtype = measure(b)
    exact = [s for s in free if any(n is count or n == count for n, d in s.sizes if d == dtype)]
    if exact:
        return exact[-1]
    same_kind = [
        s for s in free if isinstance(count, int) and all(isinstance(n, int) for n, _ in s.sizes)
    ]
    return same_kind[-1] if same_kind else None


def _occupy(slot: Slot, b: Buffer) -> None:
    size_of_it = measure(b)
    if size_of_it not in slot.sizes:
        slot.sizes.append(size_of_it)
    slot.tenants.append(b)
