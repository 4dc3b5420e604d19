"""Pieces of parallel loops that are equal but for names are compiled once.

A network repeats its layers, and a compiler takes as long for a copy as for the first. Where the
functions of several parallel loops agree up to the names of their own variables and of the arrays
that they work on, the first one is kept: it is handed its arrays, and all loops call it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: Files of fewer pieces compile quickly, and stay as they are: easier to read.
MANY_PIECES = 40
_PIECE = re.compile(
    r"^(?:SC_STREAM )?static void (\w+_piece\d+)\(void \*context, int64_t begin, int64_t end\) \{\n"
    r"    frame_t \*const frame = context;\n(.*?)^\}\n",
    re.MULTILINE | re.DOTALL,
)
#: A line that takes an array from the frame.
_ARRAY = re.compile(r"^(    (?:const )?\w+ \*restrict const )(\w+) = frame->(\w+);$", re.MULTILINE)
#: A variable where it is declared.
_DECLARED = re.compile(r"\b(?:const|int|float|double|bool|\w+_t) \**(\w+)(?: = |\[| __attribute__)")
#: A name that is not a field of the frame.
_WORD = re.compile(r"(?<!->)\b[A-Za-z_]\w*")


class _Piece(NamedTuple):
    name: str
    text: str
    arrays: list[str]  # of the frame, in the order in which the function takes them
    form: str


def merged(kernels: str) -> str:
    """The text of kernels in which twins are one function, if there are many."""
    pieces = [_piece(match) for match in _PIECE.finditer(kernels)]
    if len(pieces) < MANY_PIECES:
        return kernels
    twins: dict[str, list[_Piece]] = {}
    for piece in pieces:
        twins.setdefault(piece.form, []).append(piece)
    texts: dict[str, str] = {}
    calls: dict[str, tuple[str, list[str]]] = {}
    for first, *others in twins.values():
        if others:
            texts[first.name] = _handed(first.text)
            texts |= {piece.name: "" for piece in others}
            calls |= {piece.name: (first.name, piece.arrays) for piece in (first, *others)}
    if not calls:
        return kernels
    kernels = _PIECE.sub(lambda m: texts.get(m[1], m[0]), kernels)
    call = re.compile(r"^( *)runtime->parallel\((\w+), frame, (.*)$", re.MULTILINE)
    return call.sub(lambda m: _called(m, calls), kernels)


def _piece(match: re.Match) -> _Piece:
    """A function, and its form: its own names are numbers, and its arrays have none."""
    name, body = match[1], match[2]
    arrays = [m[3] for m in _ARRAY.finditer(body)]
    own = {m[2] for m in _ARRAY.finditer(body)} | set(_DECLARED.findall(body))
    numbers: dict[str, str] = {}

    def renamed(m: re.Match) -> str:
        return numbers.setdefault(m[0], f"#{len(numbers)}") if m[0] in own else m[0]

    form = _WORD.sub(renamed, _ARRAY.sub(r"\1\2 = frame", body))
    return _Piece(name, match[0], arrays, match[0].partition("static")[0] + form)


def _handed(text: str) -> str:
    """A function that is handed the frame and its arrays."""
    start = "    void *const *const given = context;\n    frame_t *const frame = given[0];\n"
    text = text.replace("    frame_t *const frame = context;\n", start, 1)
    places = iter(range(1, text.count("\n")))
    return _ARRAY.sub(lambda m: f"{m[1]}{m[2]} = given[{next(places)}];", text)


def _called(match: re.Match, calls: dict[str, tuple[str, list[str]]]) -> str:
    indent, name, rest = match.groups()
    if name not in calls:
        return match[0]
    shared, arrays = calls[name]
    given = ", ".join(["frame", *(f"frame->{a}" for a in arrays)])
    inner = indent + "    "
    return (
        f"{indent}{{\n{inner}void *const given[] = {{{given}}};\n"
        f"{inner}runtime->parallel({shared}, (void *)given, {rest}\n{indent}}}"
    )
