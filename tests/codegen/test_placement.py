"""Where an array lies in memory changes no bit of a result: not for streams either, whose first
elements are done one by one until a cache line begins.
"""

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T

FORMULAS = {
    "squares": lambda a, b: a**2 + b**2 + 2 * a * b,
    "sums of products": lambda a, b: a * b + a / b - a * a * b,
    "dear": lambda a, b: T.tanh(a) * b + 2 * a,
    "dear and cheap": lambda a, b: T.exp(a) + a * b,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMULAS)
def test_placement_changes_nothing(name, dtype):
    a, b = T.tensor(dtype, (None,), name="a"), T.tensor(dtype, (None,), name="b")
    f = sc.function([a, b], FORMULAS[name](a, b))
    random = np.random.default_rng(0)
    x, y = (random.normal(size=203).astype(dtype) for _ in range(2))
    results, places, kept = set(), set(), []
    for k in range(200):
        kept.append(np.empty(2 * k + 1))
        result = f(x, y)
        results.add(result.tobytes())
        places.add(result.ctypes.data % 64)
        kept.append(result)
    assert len(places) > 1, "the test needs arrays that lie differently"
    assert len(results) == 1
