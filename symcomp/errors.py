"""Every error that symcomp raises, and how it is told: what is wrong, the formula, the sizes, the
user's line.

All derive from `SymcompError` and from the built-in exception that NumPy would raise in the same
place, so that `except ValueError` keeps working. The text of an error is put together by
`describe`; where it names no line, the error itself adds the user's. That is the innermost frame
outside this package, NumPy and Python's own library.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from typing import Any, NamedTuple

import numpy

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
#: Folders whose code is never the user's own, though it may stand between the user's and symcomp's.
LIBRARIES = (PACKAGE, *(os.path.dirname(os.path.abspath(m.__file__)) + os.sep for m in (os, numpy)))
#: Where packages lie that are not Python's own, within the folder of Python's library.
INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
#: What a person types has no file; all other code without a file is written by programs.
TYPED = ("<stdin>", "<ipython-input", "<python-input", "<doctest")
LINE = "\n  at "


class SymcompError(Exception):
    """The root of all errors of symcomp."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.origin = None if LINE in message else here()

    @property
    def message(self) -> str:
        """The text as it was given, to be part of a better one."""
        return self.args[0]

    def __str__(self) -> str:
        return self.message if self.origin is None else f"{self.message}{LINE}{self.origin}"


class ShapeError(SymcompError, ValueError):
    """Sizes or ranks do not fit."""


class DtypeError(SymcompError, TypeError):
    """A dtype is not accepted, or would lose information."""


class ArgumentError(SymcompError, ValueError):
    """A parameter of a symbolic function has a value that it cannot have."""


class InputError(SymcompError, TypeError):
    """The inputs of a compiled function, or of `function`, are wrong."""


class MissingInputError(InputError):
    """An output depends on a variable that is not an input."""


class UnusedInputError(InputError):
    """An input that no output depends on."""


class UpdateError(SymcompError, ValueError):
    """An update or a given does not fit what it replaces."""


class GradientError(SymcompError, ValueError):
    """A gradient that is not defined was asked for."""


class DisconnectedInputError(GradientError):
    """The cost does not depend on the variable."""


class BoundsError(SymcompError, IndexError):
    """An index is outside its axis."""


class RuleError(SymcompError, ValueError):
    """A rewrite rule is malformed."""


class OptionError(SymcompError, ValueError):
    """An unknown option, or a value that it does not accept."""


class CompilerError(SymcompError, RuntimeError):
    """No C compiler, or one that fails."""


class CacheError(SymcompError, OSError):
    """The cache folder cannot be used."""


class GpuError(SymcompError, RuntimeError):
    """There is no GPU that can be used, or it failed."""


class CheckError(SymcompError, AssertionError):
    """`mode="check"` found a rule or a kernel that disagrees with NumPy."""


class InternalError(SymcompError, RuntimeError):
    """A fault of symcomp itself: please report it."""


class Origin(NamedTuple):
    """A place in the user's own code."""

    file: str
    line: int

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        place = f"{_short(self.file)}:{self.line}"
        return f"{place}: {text}" if text else place


class _State(threading.local):
    """The origins that `inherit` has set in this thread, innermost last."""

    def __init__(self):
        self.inherited: list = []


_state = _State()
#: For each source file seen: whether it is not the user's.
_own: dict[str, bool] = {}


def _is_own(file: str) -> bool:
    if file.startswith("<"):
        return not file.startswith(TYPED)
    if file.startswith(LIBRARIES[:1]):
        return True
    installed = any(part in file for part in INSTALLED)
    return file.startswith(LIBRARIES[2:] if installed else LIBRARIES)


#: The places that `mark` has returned.
_places: dict[tuple, tuple] = {}
_MOST_PLACES = 10_000


def mark() -> Any:
    """Where the user is now, not yet looked up: cheap enough to keep with every expression."""
    inherited = _state.inherited
    if inherited:
        return inherited[-1]
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        own = _own.get(code.co_filename)
        if own is None:
            own = _own[code.co_filename] = _is_own(code.co_filename)
        if not own:
            place = code, frame.f_lasti
            if len(_places) > _MOST_PLACES:
                _places.clear()
            # One object for all that a line writes: there is less for Python to keep track of.
            return _places.setdefault(place, place)
        frame = frame.f_back
    return None


def resolve(place: Any) -> Origin | None:
    """The file and line of what `mark` returned."""
    if place is None or isinstance(place, Origin):
        return place
    code, instruction = place
    line = code.co_firstlineno
    for start, stop, number in code.co_lines():
        if start <= instruction < stop and number is not None:
            line = number
    return Origin(code.co_filename, line)


def here() -> Origin | None:
    """The innermost line outside symcomp, or the origin that `inherit` has set."""
    return resolve(mark())


class inherit:
    """Within this block, new expressions are said to come from `place` (for rules and gradients).

    `place` is an origin, or what `mark` returned (`expr.place`).
    """

    __slots__ = ("place",)

    def __init__(self, place: Any):
        self.place = place

    def __enter__(self):
        _state.inherited.append(self.place)

    def __exit__(self, *_):
        _state.inherited.pop()


def describe(message: str, formula: str = "", operands=(), origin: Origin | None = None) -> str:
    """The text of an error: the message, the formula, its operands with their types, the line.

    A line that the message ends with gives way to `origin`.
    """
    lines = [message.split(LINE)[0]] if origin is not None else [message]
    if formula:
        lines.append(f"  in: {formula}")
    lines += [f"  where {operand}" for operand in operands]
    if origin is not None:
        lines.append(f"  at {origin}")
    return "\n".join(lines)


def _short(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative
