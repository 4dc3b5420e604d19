"""Memory for large results: that of an earlier one, where nobody holds it any more.

The system clears every page that it gives to a program, which takes longer than to compute a
simple result; and the C library gives pages back when large arrays are freed, at once those that
are larger than any freed before (its `M_MMAP_THRESHOLD`), the others when enough lie together
(`M_TRIM_THRESHOLD`), by luck of the heap's layout. So a function keeps its last large results, and
uses the memory of one again when the counter of references says that it alone still knows the
array. Whoever holds the array, a view of it or a buffer on it keeps it: a result never changes
under one's hands.
"""

from __future__ import annotations

import sys
from collections import deque

import numpy as np

from symcomp.options import options

#: Bytes from which a result is large, and how many of them a function keeps: two, so that
#: `y = f(x)` in a loop, where one is held while the next is computed, goes back and forth.
LARGE, KEPT = 64 << 10, 2


class Results:
    """Arrays of one dtype for one output of a function; safe to call from several threads.

    The option `reuse_results` counts as it is when the function is made.
    """

    __slots__ = ("dtype", "kept")

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        most = KEPT if COUNTED and options.reuse_results else 0
        self.kept: deque[np.ndarray] = deque(maxlen=most)

    def __call__(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of that shape, whose elements are to be written."""
        kept = self.kept
        for _ in range(len(kept)):
            try:
                array = kept.pop()
            except IndexError:  # another thread has taken it
                break
            if getrefcount(array) != ALONE:
                kept.appendleft(array)
            elif array.shape == shape and array.flags.carray:
                kept.append(array)
                return array
        array = np.empty(shape, self.dtype)
        kept.append(array)
        return array


def _alone() -> int:
    """What the counter says of an array that only a local variable refers to."""
    kept = deque([np.empty(1)])
    array = kept.pop()
    return getrefcount(array)


getrefcount = getattr(sys, "getrefcount", lambda _: 0)
#: Whether references are counted exactly: in CPython with its lock.
COUNTED = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
ALONE = _alone() if COUNTED else 0
