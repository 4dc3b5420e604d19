"""Modules: functions of expressions that keep what they learn.

A module is an object with shared values among its attributes, and called with an expression it
returns one. That is all there is to know in order to write one:

    class Highway(sc.nn.Module):
        def __init__(self, size):
            self.change = sc.nn.Dense(size, size)
            self.gate = sc.nn.Dense(size, size)

        def __call__(self, x, training=False):
            open = T.sigmoid(self.gate(x))
            return open * T.tanh(self.change(x)) + (1 - open) * x

Nothing is registered. What a module contains is found where it is: in its attributes, in the order
in which they were set, in the modules among them, and in lists, tuples and dicts of these. Names
are the way there, with dots: "gate.weights". An attribute that is a shared value is a parameter,
unless the class lists it in `buffers`; what begins with an underscore is the module's own business.

`training=True` is passed by whoever calls, from module to module; layers without need of it take it
and look away. Values that a call in training wants updated (the averages of batch normalisation)
it leaves in `_pending`; `updates()` collects those of the last call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import symcomp as sc
from symcomp.nn import saving
from symcomp.nn.step import Updates


class Module:
    """What all modules can do: name their values, save and load them, show themselves."""

    #: Attributes that are kept and saved, but not learned.
    buffers: tuple[str, ...] = ()
    #: Attributes that tell one module from another of its class, shown by repr.
    shows: tuple[str, ...] = ()

    _pending: Updates = []

    # --- what it contains ------------------------------------------------------------------------

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Its shared values, modules and other functions, by name."""
        for name, value in vars(self).items():
            if not name.startswith("_"):
                yield from _parts(name, value)

    def modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Itself and all modules within it, each with its name and a dot (its own is "")."""
        yield prefix, self
        for name, part in self.parts():
            if isinstance(part, Module):
                yield from part.modules(f"{prefix}{name}.")

    def named_parameters(self) -> dict[str, sc.Shared]:
        """What is learned, by dotted name; a value that stands in two places has the first name."""
        return self._values(learned=True)

    def named_buffers(self) -> dict[str, sc.Shared]:
        """What is kept and not learned, by dotted name."""
        return self._values(learned=False)

    def parameters(self) -> list[sc.Shared]:
        """What is learned, in the order of its names."""
        return list(self.named_parameters().values())

    def state(self) -> dict[str, sc.Shared]:
        """Parameters and buffers, by dotted name: all that makes two modules of one kind differ."""
        return self.named_parameters() | self.named_buffers()

    def _values(self, learned: bool) -> dict[str, sc.Shared]:
        names: dict[sc.Shared, str] = {}
        for prefix, module in self.modules():
            for name, part in module.parts():
                if isinstance(part, sc.Shared) and (name not in module.buffers) is learned:
                    names.setdefault(part, prefix + name)
        return {name: value for value, name in names.items()}

    def updates(self) -> Updates:
        """What the last call with training=True wants updated beside the parameters."""
        return list({v: new for _, m in self.modules() for v, new in m._pending}.items())

    # --- saving ----------------------------------------------------------------------------------

    def save(self, path: Any) -> None:
        """Write the state to a file in the format safetensors (see `sc.nn.save`)."""
        saving.save(self, path)

    def load(self, path: Any) -> None:
        """Read the state from a file; names, shapes and dtypes must be those of this module.

        Errors: StateError, which names the value; nothing is changed then.
        """
        saving.restore(self, path)

    # --- how it is shown -------------------------------------------------------------------------

    def size(self) -> int:
        """The number of numbers that it learns."""
        return sum(p.get_value(borrow=True).size for p in self.parameters())

    def title(self) -> str:
        """What it is, in a line: its class, and the attributes that it shows."""
        return f"{type(self).__name__}({', '.join(_shown(getattr(self, n)) for n in self.shows)})"

    def __repr__(self) -> str:
        """The tree of modules, each with the number of its parameters."""
        lines = list(_tree("", self, 0))
        width = max(len(text) for text, _ in lines)
        return "\n".join(
            f"{text:{width}}  {count:>12,}" if count else text for text, count in lines
        )

    def summary(self) -> str:
        """A table of all values: name, shape, dtype and number of elements, with their sums."""
        learned, kept = self.named_parameters(), self.named_buffers()
        rows = [_row(name, p, "") for name, p in learned.items()]
        rows += [_row(name, p, "not learned") for name, p in kept.items()]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
        lines = [
            f"{n:{widths[0]}}  {s:{widths[1]}}  {d:{widths[2]}}  {c:>{widths[3]}}  {note}".rstrip()
            for n, s, d, c, note in rows
        ]
        count = sum(p.get_value(borrow=True).nbytes for p in self.state().values())
        return "\n".join([*lines, f"{self.size():,} parameters, {count:,} bytes in all"])


def call(part: Any, x: sc.Expr, training: bool = False) -> sc.Expr:
    """A module, told whether it is in training; or any other function of an expression."""
    return part(x, training=training) if isinstance(part, Module) else part(x)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case Module() | sc.Shared():
            yield name, value
        case list() | tuple():
            for i, each in enumerate(value):
                yield from _parts(f"{name}.{i}", each)
        case dict():
            for key, each in value.items():
                yield from _parts(f"{name}.{key}", each)


def _tree(name: str, part: Any, depth: int) -> Iterator[tuple[str, int]]:
    """Lines of text, each with a number of parameters."""
    label = "  " * depth + (f"{name}: " if name else "")
    if not isinstance(part, Module):
        yield label + _shown(part), 0
        return
    yield label + part.title(), part.size()
    for inner, each in part.parts():
        if not isinstance(each, sc.Shared):
            yield from _tree(inner, each, depth + 1)


def _shown(value: Any) -> str:
    return value.__name__ if callable(value) and hasattr(value, "__name__") else repr(value)


def _row(name: str, p: sc.Shared, note: str) -> tuple[str, str, str, str, str]:
    value = p.get_value(borrow=True)
    return name, " × ".join(map(str, value.shape)) or "scalar", p.dtype, f"{value.size:,}", note
