"""Memory for large results: that of an earlier one, where nobody holds it any more.

The system clears every page that it gives to a program, which takes as long as to compute a simple
result. Up to 32 MiB the C library keeps memory for the next array; what is larger (its
`M_MMAP_THRESHOLD`) it gives back to the system at once, and the next result has new pages. So a
function keeps its last large results, and uses the memory of one again when the counter of
references says that it alone still knows the array. Whoever holds the array, a view of it or a
buffer on it keeps it: a result never changes under one's hands.
"""

from __future__ import annotations

import sys
from collections import deque

import numpy as np

from symcomp.options import options

#: Bytes from which a result is large, and how many of them a function keeps.
LARGE, KEPT = 32 << 20, 2


class Results:
    """Arrays of one dtype for one output of a function; safe to call from several threads."""

    __slots__ = ("dtype", "kept")

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.kept: deque[np.ndarray] = deque()

    def __call__(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of that shape, whose elements are to be written."""
        found = self._unused(shape) if COUNTED and options.reuse_results else None
        array = np.empty(shape, self.dtype) if found is None else found
        if COUNTED and options.reuse_results:
            self.kept.append(array)
            if len(self.kept) > KEPT:
                self.kept.popleft()
        return array

    def _unused(self, shape: tuple[int, ...]) -> np.ndarray | None:
        for _ in range(len(self.kept)):
            try:
                array = self.kept.popleft()
            except IndexError:  # another thread has taken it
                return None
            if sys.getrefcount(array) == ALONE:
                return array if array.shape == shape and array.flags.carray else None
            self.kept.append(array)
        return None


def _alone() -> int:
    """What the counter says of an array that only a local variable refers to."""
    kept = deque([np.empty(1)])
    array = kept.popleft()
    return sys.getrefcount(array)


#: Whether references are counted exactly: in CPython with its lock.
COUNTED = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
ALONE = _alone() if COUNTED else 0
