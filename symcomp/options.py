"""The options: one table. Each has a name, a default, the values it accepts, and a line that says
what it does.

An option's value is looked for in this order: a `with options(...)` block of the calling thread,
`options.set(...)` (the whole process), the environment variable `SYMCOMP_<NAME>`, the default.
Nothing is read before the first use:

    options.floatX                      'float64'
    options.set(threads=1)              for the process
    with options(threads=1): ...        for this thread, within the block
    options.describe()                  every option, its value, and where that value comes from
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from symcomp.errors import OptionError

MAXIMUM_THREADS = 256


class Accept(NamedTuple):
    """The values that an option accepts: how one is read, and words for what is allowed."""

    read: Callable[[Any], Any]
    allowed: str


class Option(NamedTuple):
    """One row of the table; `default` may be a function, called at the first use."""

    name: str
    default: Any
    accept: Accept
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that sets this option."""
        return f"SYMCOMP_{self.name.upper()}"

    def read(self, value: Any, source: str = "") -> Any:
        """The value in its own type, or an OptionError that names the option and what it allows."""
        try:
            return self.accept.read(value)
        except (ValueError, TypeError, OverflowError):
            place = f" (from the environment variable {self.variable})" if source else ""
            raise OptionError(
                f"option {self.name!r}{place} cannot be {value!r}: allowed is {self.accept.allowed}"
            ) from None


def one_of(*values: str) -> Accept:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in values:
            raise ValueError
        return str(value)

    return Accept(read, " or ".join(map(repr, values)))


def integer(low: int, high: int) -> Accept:
    """A whole number between two bounds."""

    def read(value: Any) -> int:
        if isinstance(value, bool):
            raise ValueError
        number = int(value) if isinstance(value, str) else value.__index__()
        if not low <= number <= high:
            raise ValueError
        return number

    def forgiving(value: Any) -> int:
        try:
            return read(value)
        except AttributeError:
            raise ValueError from None

    return Accept(forgiving, f"a whole number from {low} to {high}")


def real(low: float, high: float) -> Accept:
    """A finite number between two bounds."""

    def read(value: Any) -> float:
        number = float(value)
        if isinstance(value, bool) or not math.isfinite(number) or not low <= number <= high:
            raise ValueError
        return number

    return Accept(read, f"a finite number from {low:g} to {high:g}")


TRUTHS = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip


def _read_truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in TRUTHS:
        return TRUTHS[value.lower()]
    raise ValueError


def _read_text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value


def _read_folder(value: Any) -> Path:
    text = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError
    return Path(os.path.abspath(os.path.expanduser(text)))


truth = Accept(
    _read_truth, "True or False (in the environment: 1, 0, true, false, yes, no, on, off)"
)
text = Accept(_read_text, "a string")
folder = Accept(_read_folder, "the path of a folder")


def available_cpus() -> int:
    """The number of processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _default_threads() -> int:
    return min(available_cpus(), MAXIMUM_THREADS)


def _default_cache() -> Path:
    home = Path(os.path.expanduser("~"))
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.path.abspath(os.environ["XDG_CACHE_HOME"])) / "symcomp"
    if os.uname().sysname == "Darwin":
        return home / "Library" / "Caches" / "symcomp"
    return home / ".cache" / "symcomp"


TABLE = (
    Option(
        "floatX",
        "float64",
        one_of("float32", "float64"),
        "the dtype of T.scalar, T.vector, T.matrix and their like",
    ),
    Option(
        "mode",
        "c",
        one_of("c", "numpy", "check"),
        "how functions run: native code, NumPy, or both compared",
    ),
    Option("device", "cpu", one_of("cpu", "cuda"), "where functions run"),
    Option(
        "cuda_driver",
        "pycuda",
        one_of("pycuda", "host"),
        "what drives the device cuda: pycuda, or an emulation on the host, slow, for tests",
    ),
    Option(
        "threads",
        _default_threads,
        integer(1, MAXIMUM_THREADS),
        "how many threads one call may use; default: the processors this process may use",
    ),
    Option(
        "debug",
        0,
        integer(0, 5),
        "what is printed: 1 steps and times, 2 rules, 3 loops, 4 source, 5 assembly",
    ),
    Option(
        "on_unused_input",
        "raise",
        one_of("raise", "warn", "ignore"),
        "what happens at an input that no output depends on",
    ),
    Option(
        "allow_input_downcast",
        False,
        truth,
        "convert arguments to a narrower dtype instead of raising",
    ),
    Option(
        "rewrite_budget",
        64.0,
        real(0.0, 1e6),
        "rewrites per node of an expression, after which rewriting stops",
    ),
    Option("cache", _default_cache, folder, "the folder that keeps compiled functions"),
    Option(
        "cc",
        "",
        text,
        "the C compiler's command; empty: CC from the environment, else gcc, clang, cc, ziglang",
    ),
    Option(
        "reuse_results",
        True,
        truth,
        "functions made with it use the memory of earlier large results that nobody holds",
    ),
    Option(
        "direct_convolutions",
        False,
        truth,
        "functions made with it sum convolutions term by term, slower: a nan stays where it is",
    ),
    Option("cflags", "", text, "flags added to the C compiler's command"),
    Option(
        "blas_coretype",
        "auto",
        text,
        "OpenBLAS's kernels (its OPENBLAS_CORETYPE); auto: the best for this processor",
    ),
)

BY_NAME = {option.name: option for option in TABLE}


def find(name: str) -> Option:
    """The option of this name, or an OptionError that suggests the nearest names."""
    if name in BY_NAME:
        return BY_NAME[name]
    import difflib  # late: only for a mistake

    lower = {known.lower(): known for known in BY_NAME}
    near = [lower[found] for found in difflib.get_close_matches(name.lower(), lower, n=2)]
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else "known are: " + ", ".join(BY_NAME)
    )
    raise OptionError(f"unknown option {name!r}: {hint}")


class Options:
    """The options as attributes; `options` is the one instance."""

    def __init__(self) -> None:
        self._process: dict[str, Any] = {}
        self._initial: dict[str, Any] = {}
        self._local = threading.local()
        self._watchers: list[tuple[str, Callable[[], None]]] = []

    def __getattr__(self, name: str) -> Any:
        # Reached only for names that are not real attributes: the options themselves.
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self.set(**{name: value})

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *BY_NAME]

    def get(self, name: str) -> Any:
        """The value of an option for the calling thread."""
        for values in reversed(self._blocks()):
            if name in values:
                return values[name]
        return self.process_value(name)

    def process_value(self, name: str) -> Any:
        """The value of an option outside all `with` blocks."""
        if name in self._process:
            return self._process[name]
        return self._from_environment(find(name))

    def _from_environment(self, option: Option) -> Any:
        given = os.environ.get(option.variable)
        if given is not None and given != "":
            return option.read(given, "environment")
        if option.name not in self._initial:
            default = option.default
            self._initial[option.name] = default() if callable(default) else default
        return self._initial[option.name]

    def set(self, **values: Any) -> None:
        """Set options for the whole process; all are checked before any is set."""
        self._process.update({name: find(name).read(value) for name, value in values.items()})
        self._notify(values)

    def reset(self, *names: str) -> None:
        """Forget what `set` has set for these options, or for all."""
        for name in names or tuple(self._process):
            self._process.pop(find(name).name, None)
        self._notify(names or tuple(BY_NAME))

    def __call__(self, **values: Any) -> Block:
        """Options for the calling thread within a `with` block."""
        return Block(self, {name: find(name).read(value) for name, value in values.items()})

    def in_block(self, name: str) -> bool:
        """Whether the calling thread's value comes from a `with` block."""
        return any(name in values for values in self._blocks())

    def watch(self, name: str, action: Callable[[], None]) -> None:
        """Have `action()` called, in the thread concerned, whenever the option may have changed."""
        self._watchers.append((find(name).name, action))

    def source(self, name: str) -> str:
        """Where the value of an option comes from, in a few words."""
        option = find(name)
        if self.in_block(name):
            return "with block"
        if name in self._process:
            return "set"
        return option.variable if os.environ.get(option.variable) else "default"

    def describe(self) -> str:
        """Every option with its value, where that comes from, and what it does."""
        return "\n".join(
            f"{option.name:<21} {str(self.get(option.name)) or '(empty)':<28} "
            f"{self.source(option.name):<16} {option.meaning}"
            for option in TABLE
        )

    def _blocks(self) -> list[dict[str, Any]]:
        blocks = getattr(self._local, "blocks", None)
        if blocks is None:
            blocks = self._local.blocks = []
        return blocks

    def _notify(self, names: Any) -> None:
        for name, action in self._watchers:
            if name in names:
                action()

    def __repr__(self) -> str:
        return self.describe()


class Block:
    """The options of one `with` block; blocks nest, and the innermost wins."""

    def __init__(self, owner: Options, values: dict[str, Any]) -> None:
        self._owner, self._values = owner, values

    def __enter__(self) -> Options:
        self._owner._blocks().append(self._values)
        self._owner._notify(self._values)
        return self._owner

    def __exit__(self, *exception: object) -> None:
        blocks = self._owner._blocks()
        for position in reversed(range(len(blocks))):
            if blocks[position] is self._values:
                del blocks[position]
                break
        self._owner._notify(self._values)


options = Options()
