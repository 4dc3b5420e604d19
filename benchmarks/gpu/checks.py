"""Whether a GPU computes what NumPy does: all small programs, random programs, and the functions of
real numbers.

What is wrong is told in a line each.  Random programs also run twice: to the last bit, both results
are the same.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.walk import evaluate
from tests.laws import random_programs
from tests.small_programs import CASES

#: Random programs of each kind, in all and without a GPU, and the steps that they grow.
RANDOM, TOY = {"expression": 120, "gradient": 80, "update": 100}, 2
STEPS = {"expression": 9, "gradient": 6, "update": 6}
#: Between results of the GPU and of the CPU: each is right to two or three units in the last place.
LARGEST_ULP = 6
POINTS = 20_000
#: Functions of one number, and where (beside awkward places) they are compared.
UNARY: dict[str, tuple[float, float]] = {
    "exp": (-750, 720), "exp2": (-1080, 1030), "expm1": (-40, 710), "log": (0, 1e5),
    "log2": (0, 1e5), "log10": (0, 1e5), "log1p": (-1, 1e5), "sin": (-1e5, 1e5),
    "cos": (-1e5, 1e5), "tan": (-1e5, 1e5), "arcsin": (-1, 1), "arccos": (-1, 1),
    "arctan": (-1e3, 1e3), "sinh": (-90, 90), "cosh": (-90, 90), "tanh": (-20, 20),
    "arcsinh": (-1e5, 1e5), "arccosh": (1, 1e5), "arctanh": (-1, 1), "sqrt": (0, 1e5),
    "cbrt": (-1e5, 1e5), "erf": (-6, 6), "erfc": (-6, 25), "erfinv": (-1, 1),
    "gammaln": (0.01, 1e3), "digamma": (0.01, 1e3), "sigmoid": (-90, 90), "softplus": (-90, 90),
}  # fmt: skip
BINARY = ("arctan2", "hypot", "logaddexp", "power", "remainder")
AWKWARD = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-40, 1e-310, 1e30, np.inf, -np.inf, np.nan]


def items(toy: bool) -> dict[str, list[Any]]:
    """What there is to check, by kind."""
    functions = [f"{f} {d}" for f in (*UNARY, *BINARY) for d in ("float32", "float64")]
    counts = dict.fromkeys(RANDOM, TOY) if toy else RANDOM
    small = list(CASES)[::12] if toy else list(CASES)
    return {
        "small": small,
        "functions": functions[::16] if toy else functions,
        **{kind: list(range(count)) for kind, count in counts.items()},
    }


def check(kind: str, item: Any) -> str:
    """What is wrong with one item; empty if nothing is."""
    found: dict[str, Callable[[Any], str]] = {"small": _small, "functions": _function}
    if kind in found:
        return found[kind](item)
    return _random(kind, item)


def _small(name: str) -> str:
    """One of tests/small_programs.py, with the new values of its shared ones."""
    case = CASES[name]()
    values = dict(zip(case.inputs, case.arguments, strict=True))
    values |= {s: np.array(s.get_value()) for s, _ in case.updates}
    expressions = [*case.outputs, *(new for _, new in case.updates)]
    expected = evaluate(expressions, values)
    f = sc.function(case.inputs, case.outputs, updates=case.updates, device="cuda")
    results = [*f(*case.arguments), *(s.get_value() for s, _ in case.updates)]
    triples = zip(results, expected, expressions, strict=True)
    wrong = [_differs(f"value {k}", *triple) for k, triple in enumerate(triples)]
    return "; ".join(filter(None, wrong))


def _differs(name: str, got: Any, expected: Any, expression: Any) -> str:
    """As for random programs; nan and inf must be where NumPy has them."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.dtype.kind == "f" and got.shape == expected.shape:
        alike = ~np.isfinite(expected) & (
            (got == expected) | ((got != got) & (expected != expected))
        )
        got, expected = np.where(alike, 0, got), np.where(alike, 0, expected)
    return random_programs.differences(name, got, expected, expression, False)


def _random(kind: str, seed: int) -> str:
    program, outputs, updates = random_programs.KINDS[kind](seed, STEPS[kind])
    run = random_programs.runner(program, outputs, updates, device="cuda")
    wrong = random_programs.check(program, outputs, updates, run)
    for k, (first, again) in enumerate(zip(run(), run(), strict=True)):
        if np.asarray(first).tobytes() != np.asarray(again).tobytes():
            wrong.append(f"result {k} is different the next time")
    return "; ".join(wrong)


def _function(item: str) -> str:
    """A function of real numbers on the GPU beside the CPU's."""
    name, dtype = item.split()
    random = np.random.default_rng(3)
    variables = [T.tensor(dtype, (None,), v) for v in "xy"][: 1 if name in UNARY else 2]
    low, high = UNARY.get(name, (-30, 30))
    with np.errstate(all="ignore"):
        awkward = np.array(AWKWARD).astype(dtype)
        points = [random.uniform(low, high, POINTS).astype(dtype) for _ in variables]
        points = [np.concatenate([p, random.permutation(awkward), awkward]) for p in points]
    value = getattr(T, name)(*variables)
    results = [sc.function(variables, value, device=d)(*points) for d in ("cuda", "cpu")]
    got, expected = (np.asarray(r, dtype) for r in results)
    distance = _ulp(got, expected)
    if name == "logaddexp":  # near 0 its terms cancel: as accurate as they are
        terms = np.maximum(*map(np.abs, points))
        with np.errstate(all="ignore"):
            near = np.abs(got - expected) <= LARGEST_ULP * np.spacing(terms)
        distance = np.where(near, 0.0, distance)
    if distance.max() <= LARGEST_ULP:
        return ""
    at = int(distance.argmax())
    place = ", ".join(repr(p[at]) for p in points)
    return f"{name}({place}) is {got[at]!r}; on the CPU {expected[at]!r}"


def _ulp(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many numbers of the dtype lie between; infinitely many where only one is nan."""
    ranks = _ranks(a), _ranks(b)
    away = (np.maximum(*ranks) - np.minimum(*ranks)).astype(float)
    both = np.isnan(a) & np.isnan(b)
    return np.where(both, 0.0, np.where(np.isnan(a) | np.isnan(b), np.inf, away))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Numbers of a dtype, counted from the least one on; both zeros are the same."""
    kind = {4: np.uint32, 8: np.uint64}[values.dtype.itemsize]
    bits, zero = values.view(kind), 1 << (8 * values.dtype.itemsize - 1)
    return np.where(bits < zero, bits + zero, -bits)
