"""Large results use the memory of earlier ones, but never under anybody's hands."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.compile.results import COUNTED, LARGE, Results

pytestmark = pytest.mark.skipif(not COUNTED, reason="this Python does not count references exactly")


def address(array: np.ndarray) -> int:
    return array.ctypes.data


def test_memory_that_nobody_holds_is_used_again():
    make = Results(np.dtype("float32"))
    first = address(make((3, 5)))
    assert address(make((3, 5))) == first


@pytest.mark.parametrize("hold", [lambda a: a, lambda a: a[1:], memoryview, lambda a: [a]])
def test_memory_that_somebody_holds_is_not(hold):
    make = Results(np.dtype("float32"))
    held = hold(make((3, 5)))
    places = {address(make((3, 5))) for _ in range(3)}
    array = np.asarray(held[0] if isinstance(held, list) else held)
    start = address(array) - (20 if array.shape[0] == 2 else 0)
    assert start not in places


def test_another_shape_has_memory_of_its_own():
    make = Results(np.dtype("float64"))
    make((4,))
    assert make((2, 2)).shape == (2, 2)
    frozen = make((3,))
    frozen.flags.writeable = False
    del frozen
    assert make((3,)).flags.writeable


def test_the_option_turns_it_off():
    with sc.options(reuse_results=False):
        make = Results(np.dtype("float32"))
    make((3, 5))
    assert not make.kept


def test_no_more_than_two_are_kept():
    make = Results(np.dtype("float32"))
    held = [make((3, 5)) for _ in range(5)]
    assert len({address(array) for array in held}) == 5
    del held
    assert len(make.kept) == 2
    # The one that was written last is the one that the caches hold.
    last = address(make((3, 5)))
    assert address(make((3, 5))) == last


def test_functions_reuse_their_large_results():
    x = T.fvector("x")
    f = sc.function([x], x + 1)
    n = LARGE // 4
    values = np.zeros(n, "float32")
    first = address(f(values))
    assert address(f(values)) == first
    kept = f(values)
    other = f(values + 1)
    assert address(kept) != address(other)
    assert kept[0] == 1 and other[-1] == 2
    assert f(values[:10]).shape == (10,)
