"""Large files are compiled in parts, side by side.

A compiler works on one core, and a deep network is some thousand lines. Its file says of itself
that it may be compiled in so many parts, and which functions are each part's (see symcomp.h): every
core takes one, and the results are linked to one library. Compiled at once, it is an ordinary file.
"""

from __future__ import annotations

import os
import re

#: Characters of kernels in a part at least: about half a second of a compiler.
LEAST = 100_000
#: Compilers at once at most: each takes some hundred MB.
MOST = 8
#: A function, with its comment, up to the line that closes it.
_FUNCTION = re.compile(r"^(?=\S).*?^\}\n", re.MULTILINE | re.DOTALL)
_HEAD = re.compile(r"^((?:SC_STREAM )?)static (void \w+\([^)]*\)) \{$", re.MULTILINE)
_DECLARED = re.compile(r"^#define SYMCOMP_PARTS (\d+)$", re.MULTILINE)


def count(kernels: str) -> int:
    """In how many parts the text of kernels should be compiled."""
    return max(1, min(processors(), MOST, len(kernels) // LEAST))


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def declared(source: str) -> int:
    """In how many parts a file says that it may be compiled."""
    found = _DECLARED.search(source, 0, 1000)
    return int(found[1]) if found else 1


def divided(kernels: str, number: int) -> str:
    """The text of kernels for so many parts of about the same length: all functions are declared
    first, as any may be called from any part.
    """
    heads = [m[2] for m in _HEAD.finditer(kernels)]
    kernels = _HEAD.sub(r"\1SC_LOCAL \2 {", kernels)
    groups: list[list[str]] = [[]]
    length = 0
    for function in _FUNCTION.findall(f"{kernels}\n"):
        if length >= len(groups) * len(kernels) / number:
            groups.append([])
        groups[-1].append(function)
        length += len(function)
    lines = [*(f"SC_LOCAL {head};" for head in heads), ""]
    for part, functions in enumerate(groups):
        lines += [f"#if SC_IN_PART({part})", "", "\n".join(functions), "#endif", ""]
    return "\n".join(lines)
