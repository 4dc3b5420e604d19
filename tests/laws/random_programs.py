"""Random programs: expressions grown from a table of makers, each with the value that NumPy gives
it.

A program keeps a pool of items. A maker takes some of them and returns a new expression, which
joins the pool with its value. What is not continuous (comparisons, rounding, positions of extremes,
casts to integers) is asked of *exact* items only: small dyadic numbers made by operations that
round nothing, which compiled code must get right to the bit. All else is kept of moderate size, so
that a wrong element is far outside the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import SymcompError
from symcomp.graph.expr import Expr
from symcomp.graph.type import DTYPES, INTEGERS
from symcomp.graph.walk import evaluate, order

FLOATS = ("float32", "float64")
#: No value has more elements, none of a float is larger.
MOST_ELEMENTS = 20_000
LARGEST = 1e3


class Item(NamedTuple):
    expr: Expr
    value: np.ndarray
    exact: bool

    @property
    def ndim(self):
        return self.expr.ndim

    @property
    def kind(self) -> str:
        return np.dtype(self.expr.dtype).kind


class Program:
    """Inputs, a pool of expressions, and what the references say of them."""

    def __init__(self, seed: int, dtypes=DTYPES):
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.dtypes = dtypes
        self.sizes = [int(n) for n in self.rng.choice(SIZES, 3)]
        self.inputs: list[Expr] = []
        self.shared: list[Expr] = []
        self.pool: list[Item] = []
        self.values: dict[Expr, np.ndarray] = {}

    # --- chance -----------------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def pick(self, things):
        return things[int(self.rng.integers(len(things)))]

    def item(self, wanted: Callable[[Item], bool] = lambda i: True) -> Item:
        """An item of the pool, rather a young one."""
        found = [i for i in self.pool if wanted(i)]
        if not found:
            raise Unfit
        return found[min(int(self.rng.exponential(4)), len(found) - 1) * -1 - 1]

    def axis(self, i: Item) -> int:
        if not i.ndim:
            raise Unfit
        return int(self.rng.integers(i.ndim))

    # --- inputs -----------------------------------------------------------------------------------

    def array(self, dtype: str, shape) -> np.ndarray:
        if dtype == "bool":
            return self.rng.random(shape) < 0.5
        if dtype in FLOATS:
            return (self.rng.integers(-24, 25, shape) / 8).astype(dtype)
        low = 0 if dtype.startswith("u") else -9
        return self.rng.integers(low, 10, shape).astype(dtype)

    def shape(self) -> tuple[int, ...]:
        rank = int(self.rng.choice(5, p=[0.08, 0.25, 0.4, 0.2, 0.07]))
        return tuple(1 if self.chance(0.12) else self.pick(self.sizes) for _ in range(rank))

    def variable(self, dtype: str | None = None, shape=None) -> Item:
        dtype = dtype or self.pick(self.dtypes)
        shape = self.shape() if shape is None else shape
        known = tuple(n if n == 1 or self.chance(0.3) else None for n in shape)
        x = T.tensor(dtype, known, name=f"x{len(self.inputs)}")
        self.inputs.append(x)
        return self._add_leaf(x, self.array(dtype, shape))

    def share(self, dtype: str | None = None, shape=None) -> Item:
        dtype = dtype or self.pick(self.dtypes)
        value = self.array(dtype, self.shape() if shape is None else shape)
        s = sc.shared(value, name=f"w{len(self.shared)}")
        self.shared.append(s)
        return self._add_leaf(s, value)

    def _add_leaf(self, x: Expr, value: np.ndarray) -> Item:
        self.values[x] = value
        self.pool.append(Item(x, value, True))
        return self.pool[-1]

    # --- growing ----------------------------------------------------------------------------------

    def add(self, expr: Expr, exact: bool) -> Item:
        """Put an expression in the pool if it is fit to be compared."""
        self.require_sizes(expr)
        value = evaluate([expr], self.values)[0]
        if value.ndim > 5:
            raise Unfit
        if value.dtype.kind == "f":
            largest = np.abs(value).max(initial=0)
            if not largest <= LARGEST:
                raise Unfit
            exact = exact and bool(np.all(value * 64 == np.rint(value * 64)))
        self.values[expr] = value
        self.pool.append(Item(expr, value, exact or value.dtype.kind in "biu"))
        return self.pool[-1]

    def require_sizes(self, expr: Expr) -> None:
        """The sizes that must be equal are, and no part is too large."""
        for e in order([expr], stop=lambda e: e in self.values):
            if any(self.size(need.left) != self.size(need.right) for need in e.requires):
                raise Unfit
            if np.prod([float(self.size(n)) for n in e.shape]) > MOST_ELEMENTS:
                raise Unfit

    def size(self, n) -> int:
        return n if isinstance(n, int) else int(evaluate([n], self.values)[0])

    def grow(self, steps: int, makers=None) -> None:
        makers = makers or MAKERS
        done = 0
        for _ in range(steps * 30):
            if done == steps:
                return
            try:
                self.add(*self.pick(makers)(self))
                done += 1
            except (Unfit, SymcompError):
                continue

    def outputs(self, count: int) -> list[Expr]:
        made = [i.expr for i in self.pool if i.expr.op is not None]
        last = made[-1:]
        rest = [self.pick(made) for _ in range(count - 1)] if made else []
        return list(dict.fromkeys(last + rest)) or [self.pool[0].expr]


class Unfit(Exception):
    """What was drawn does not fit; draw again."""


SIZES = (1, 2, 3, 4, 5, 7, 8, 13, 17, 32, 33)

# --- makers: what is drawn returns (expression, whether it is exact) ------------------------------

SMOOTH = (
    "tanh", "sigmoid", "sin", "cos", "arctan", "softplus", "erf", "expm1", "exp", "sinh", "log1p",
    "sqrt", "log", "cosh", "reciprocal", "arcsinh", "log2", "exp2", "cbrt", "gammaln",
)  # fmt: skip
#: Functions of positive numbers, given 1 + |x|; and of those whose results would grow, given x / 4.
OF_POSITIVE = {"log1p", "sqrt", "log", "reciprocal", "log2", "gammaln", "cbrt"}
GROWING = {"exp", "expm1", "sinh", "cosh", "exp2"}


def smooth(p: Program):
    x, name = p.item(lambda i: i.kind == "f"), p.pick(SMOOTH)
    e = x.expr
    if name in OF_POSITIVE:
        e = 1 + abs(e)
    if name in GROWING:
        e = e * 0.25
    return getattr(T, name)(e), False


def exact_map(p: Program):
    x = p.item(lambda i: i.exact)
    name = p.pick(("negative", "abs", "square", "sign", "floor", "ceil", "rint", "trunc", "relu"))
    if x.kind in "bu" or (x.kind == "i" and name in ("floor", "ceil", "rint", "trunc")):
        raise Unfit
    return (T.nn.relu if name == "relu" else getattr(T, name))(x.expr), True


def arithmetic(p: Program):
    x, y = p.item(), p.item()
    name = p.pick(("add", "subtract", "multiply", "maximum", "minimum"))
    return getattr(T, name)(x.expr, y.expr), x.exact and y.exact


def with_number(p: Program):
    x = p.item()
    c = p.pick((0, 1, 2, 3, -1, 0.5, -0.25, 2.0))
    name = p.pick(("add", "subtract", "multiply", "maximum", "divide", "power"))
    if name == "power":
        return x.expr ** p.pick((2, 3)), x.exact
    if name == "divide":
        return x.expr / (c or 4), x.exact
    return getattr(T, name)(*((x.expr, c) if p.chance(0.5) else (c, x.expr))), x.exact


def divided(p: Program):
    x, y = p.item(), p.item()
    return x.expr / (1 + abs(y.expr)), False


def whole_division(p: Program):
    x, y = p.item(lambda i: i.exact and i.kind != "b"), p.item(lambda i: i.exact and i.kind != "b")
    if np.any(y.value == 0) or "f" in (x.kind, y.kind):
        raise Unfit
    return (x.expr // y.expr if p.chance(0.5) else x.expr % y.expr), True


def compared(p: Program):
    x, y = p.item(lambda i: i.exact), p.item(lambda i: i.exact)
    name = p.pick(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"))
    return getattr(T, name)(x.expr, y.expr), True


def logic(p: Program):
    x, y = p.item(lambda i: i.kind == "b"), p.item(lambda i: i.kind == "b")
    return p.pick(
        (lambda: x.expr & y.expr, lambda: x.expr | y.expr, lambda: x.expr ^ y.expr, lambda: ~x.expr)
    )(), True


def bits(p: Program):
    x, y = p.item(lambda i: i.kind in "iu"), p.item(lambda i: i.kind in "iu")
    e, f = x.expr, y.expr
    made = p.pick((
        lambda: e & f, lambda: e | f, lambda: e ^ f, lambda: ~e, lambda: e << 2, lambda: e >> 1,
    ))  # fmt: skip
    return made(), True


def chosen(p: Program):
    c, x, y = p.item(lambda i: i.kind == "b"), p.item(), p.item()
    return T.where(c.expr, x.expr, y.expr), x.exact and y.exact


def clipped(p: Program):
    x = p.item(lambda i: i.kind == "f")
    return T.clip(x.expr, -1.5, 1.25), x.exact


def cast(p: Program):
    x, to = p.item(), p.pick(p.dtypes)
    if x.kind == "f" and to not in FLOATS:
        limit = np.iinfo(to) if to in INTEGERS else None
        outside = limit and (
            x.value.min(initial=0) < limit.min or x.value.max(initial=0) > limit.max
        )
        if not x.exact or outside:
            raise Unfit
    return x.expr.astype(to), x.exact


def _axes(p: Program, x: Item):
    if p.chance(0.25) or not x.ndim:
        return None
    if p.chance(0.6):
        return p.axis(x)
    count = int(p.rng.integers(1, x.ndim + 1))
    return tuple(int(a) for a in p.rng.permutation(x.ndim)[:count])


def folded(p: Program):
    x = p.item()
    name = p.pick(
        (
            "sum",
            "sum",
            "mean",
            "max",
            "min",
            "prod",
            "any",
            "all",
            "var",
            "logsumexp",
            "count_nonzero",
        )
    )
    axes = _axes(p, x)
    if name in ("any", "all", "count_nonzero"):
        if not x.exact:
            raise Unfit
        return getattr(T, name)(x.expr, axes, keepdims=p.chance(0.3)), True
    if name in ("var", "logsumexp", "prod") and x.kind != "f":
        raise Unfit
    e = T.tanh(x.expr) if name == "prod" else x.expr
    exact = x.exact and name in ("sum", "max", "min")
    return getattr(T, name)(e, axes, keepdims=p.chance(0.3)), exact


def position(p: Program):
    x = p.item(lambda i: i.exact and i.value.size > 0)
    axis = p.axis(x) if x.ndim and p.chance(0.8) else None
    return getattr(T, p.pick(("argmax", "argmin")))(x.expr, axis), True


def running(p: Program):
    x = p.item(lambda i: i.kind != "b")
    axis = p.axis(x) if p.chance(0.8) else None
    if p.chance(0.3) and x.kind == "f":
        return T.cumprod(T.tanh(x.expr) + 0.5, axis), False
    return T.cumsum(x.expr, axis), x.exact


def arranged(p: Program):
    x = p.item(lambda i: i.ndim > 0)
    e = x.expr
    a = p.axis(x)
    made = p.pick((
        lambda: e.T,
        lambda: e.transpose(*(int(k) for k in p.rng.permutation(x.ndim))),
        lambda: e.reshape(-1),
        lambda: e.reshape((e.shape[0], -1)),
        lambda: e.expand_dims(a),
        lambda: e.squeeze(),
        lambda: T.flip(e, a),
        lambda: T.roll(e, p.pick((1, -2, 5)), a),
        lambda: T.repeat(e, 2, a),
        lambda: T.tile(e, (2,) * x.ndim),
        lambda: T.tril(e) if x.ndim > 1 else T.diag(e),
        lambda: T.diagonal(e) if x.ndim == 2 else e.T,
        lambda: T.broadcast_to(e, (3, *e.shape)),
        lambda: T.pad(e, 1),
        lambda: e.reshape((e.shape[0] * e.shape[1], *e.shape[2:])) if x.ndim > 1 else e[None],
        lambda: T.diff(e, axis=a) if x.kind != "b" else e.T,
    ))  # fmt: skip
    return made(), x.exact


def joined(p: Program):
    x = p.item(lambda i: i.ndim > 0)
    y = p.item(lambda i: i.ndim == x.ndim)
    a = p.axis(x)
    if p.chance(0.4):
        return T.stack([x.expr, y.expr, x.expr][: p.pick((2, 3))], axis=a), x.exact and y.exact
    return T.concatenate([x.expr, y.expr, x.expr][: p.pick((2, 3))], axis=a), x.exact and y.exact


def sliced(p: Program):
    x = p.item(lambda i: i.ndim > 0)
    return x.expr[_key(p, x)], x.exact


def _key(p: Program, x: Item) -> tuple:
    key: list[Any] = []
    for n in x.value.shape:
        ends = [None, *range(-n - 1, n + 2)]
        step = p.pick((None, 1, 2, 3, -1, -2))
        if n and p.chance(0.2):
            key.append(int(p.rng.integers(-n, n)))
        elif p.chance(0.6):
            key.append(slice(p.pick(ends), p.pick(ends), step))
        else:
            key.append(slice(None))
    return tuple(key[: int(p.rng.integers(1, len(key) + 1))])


def changed(p: Program):
    """A part set or increased: by a basic key, or at the places of an index array."""
    x = p.item(lambda i: i.ndim > 0 and i.kind != "b")
    if p.chance(0.5):
        part = x.expr[_key(p, x)]
    else:
        a = p.axis(x)
        part = x.expr[(slice(None),) * a + (_indices(p, x.value.shape[a]),)]
    values = p.item(lambda i: i.expr.dtype == x.expr.dtype and i.ndim <= part.ndim)
    change = p.pick((T.set_subtensor, T.inc_subtensor))
    return change(part, values.expr), x.exact and values.exact


def _indices(p: Program, n: int):
    """An index array (of an input, or literal) within an axis; each place at most once when
    literal.
    """
    if not n:
        raise Unfit
    if p.chance(0.5):
        chosen = p.rng.permutation(n)[: int(p.rng.integers(1, n + 1))]
        return chosen - n * (p.rng.random(len(chosen)) < 0.3)
    dtype = p.pick(("int64", "int32", "uint8", "int8"))
    low = 0 if dtype.startswith("u") else -n
    item = p.variable(dtype, (p.pick(p.sizes),))
    value = p.rng.permutation(n)[: item.value.size].astype(dtype)
    if value.size != item.value.size:
        value = p.rng.integers(low, n, item.value.shape).astype(dtype)
        if len(set(value % n)) != value.size:
            p.duplicates = True
    p.values[item.expr] = value
    p.pool[-1] = Item(item.expr, value, True)
    return item.expr


def gathered(p: Program):
    x = p.item(lambda i: i.ndim > 0)
    a = p.axis(x)
    at = _indices(p, x.value.shape[a])
    if p.chance(0.3) and x.ndim > 1 and x.value.shape[1]:
        second = p.rng.integers(
            0, x.value.shape[1], np.shape(at) if isinstance(at, np.ndarray) else 1
        )
        if a == 0:
            return x.expr[at, second], x.exact
    return T.take(x.expr, at, axis=a), x.exact


def picked(p: Program):
    x = p.item(lambda i: i.ndim > 1 and i.value.shape[-1] > 0)
    at = p.variable("int64", x.value.shape[:-1])
    value = p.rng.integers(0, x.value.shape[-1], at.value.shape)
    p.values[at.expr] = value
    p.pool[-1] = Item(at.expr, value, True)
    return T.pick(x.expr, at.expr), x.exact


PRODUCTS = (
    "ij,ij->i", "ij,kj->ik", "ij,ik->jk", "ij,jk->ki", "ij,ij->", "ij,jk->ik", "ij,kl->ik",
    "ij,kj->ki", "ij,jk->i",
)  # fmt: skip


def product(p: Program):
    x = p.item(lambda i: i.ndim > 0)
    y = p.item(lambda i: i.ndim > 0 and i.expr.dtype == x.expr.dtype)
    e, f = x.expr, y.expr
    if p.chance(0.3):
        e = e.T
    if p.chance(0.3):
        f = f.T
    name = p.pick(("dot", "matmul", "outer", "tensordot", "einsum", "other"))
    exact = x.exact and y.exact
    if name == "tensordot":
        return T.tensordot(e, f, axes=1), exact
    if name == "einsum":
        if x.ndim != 2 or y.ndim != 2:
            raise Unfit
        return T.einsum(p.pick(PRODUCTS), e, f), exact
    if name == "other":
        f = f if p.chance(0.5) else f.T
        name = "matmul"
    return getattr(T, name)(e, f), exact


def normalised(p: Program):
    x = p.item(lambda i: i.kind == "f" and i.ndim > 0)
    a = p.axis(x)
    e = x.expr
    made = p.pick((
        lambda: T.nn.softmax(e, axis=a),
        lambda: T.nn.log_softmax(e, axis=a),
        lambda: (e - e.mean(axis=a, keepdims=True)) / T.sqrt(e.var(axis=a, keepdims=True) + 0.1),
        lambda: e - e.max(axis=a, keepdims=True),
        lambda: e / (1 + abs(e).sum(axis=a, keepdims=True)),
        lambda: T.exp(e * 0.1 - T.logsumexp(e * 0.1, axis=a, keepdims=True)),
    ))  # fmt: skip
    return made(), False


def fresh(p: Program):
    p.variable()
    raise Unfit


MAKERS = [
    smooth, smooth, exact_map, arithmetic, arithmetic, arithmetic, with_number, with_number,
    divided, whole_division, compared, logic, bits, chosen, clipped, cast, folded, folded, folded,
    position, running, arranged, arranged, arranged, joined, sliced, sliced, changed, gathered,
    picked, product, product, normalised, fresh,
]  # fmt: skip

#: What a gradient goes through: float64 and float32 alone, and only at points where the derivative
#: is smooth enough.
SMOOTH_MAKERS = [
    smooth, smooth, arithmetic, arithmetic, with_number, divided, clipped, folded, folded, running,
    arranged, arranged, joined, sliced, sliced, changed, gathered, picked, product, product,
    product, normalised, normalised, fresh,
]  # fmt: skip

# --- programs of a kind ---------------------------------------------------------------------------


def expression_program(seed: int, steps: int = 8):
    """Any expressions of any dtypes: (program, outputs, updates)."""
    p = Program(seed)
    for _ in range(3):
        p.variable()
    p.grow(steps)
    return p, p.outputs(3), []


def gradient_program(seed: int, steps: int = 6):
    """A cost made of smooth functions, and its gradients."""
    p = Program(seed, dtypes=("float64", "float64", "float32"))
    for _ in range(3):
        p.variable()
    p.grow(steps, SMOOTH_MAKERS)
    last = next(i for i in reversed(p.pool) if i.kind == "f")
    cost = T.sum(T.sin(last.expr) * last.expr)
    wanted = [x for x in p.inputs if np.dtype(x.dtype).kind == "f"]
    outs = [cost, *(g for g in sc.grad(cost, wanted, disconnected_inputs="ignore"))]
    for o in outs:
        if o not in p.values:
            p.values[o] = evaluate([o], p.values)[0]
    return p, outs, []


def update_program(seed: int, steps: int = 5):
    """Shared values updated from one another: swapped, transposed, accumulated, cut and put
    together again.
    """
    p = Program(seed, dtypes=("float64", "float32", "int32", "int64"))
    dtype, n = p.pick(p.dtypes), p.pick((2, 3, 5, 8, 17))
    p.sizes = [n]
    same = [p.share(dtype, (n, n)) for _ in range(int(p.rng.integers(1, 5)))]
    if p.chance(0.5):
        same.append(p.share(dtype, (n,)))
    p.variable(dtype, (n, n))
    p.variable(dtype, (n,))
    p.grow(steps, UPDATE_MAKERS)
    updates = []
    for s in same:
        fit = [i for i in p.pool if i.expr.dtype == dtype and i.value.shape == s.value.shape]
        if p.chance(0.85):
            updates.append((s.expr, fit[int(p.rng.integers(len(fit)))].expr))
    return p, p.outputs(int(p.rng.integers(0, 3))) if p.chance(0.7) else [], updates


def _hazard(p: Program):
    """What reads its argument elsewhere than at its own place."""
    x = p.item(lambda i: i.ndim == 2)
    y = p.item(lambda i: i.ndim == 2 and i.expr.dtype == x.expr.dtype)
    e, f = x.expr, y.expr
    made = p.pick((
        lambda: e.T,
        lambda: e[::-1],
        lambda: e[:, ::-1],
        lambda: T.roll(e, 1, 0),
        lambda: T.concatenate([e[1:], f[:1]], axis=0),
        lambda: T.concatenate([e[:, 1:], f[:, :1]], axis=1),
        lambda: T.set_subtensor(e[1:], f[:-1]),
        lambda: T.inc_subtensor(e[:, 0], f[:, -1]),
        lambda: T.dot(e, f) if x.kind == "f" else e + f.T,
        lambda: e - (0.5 if x.kind == "f" else 2) * (T.dot(f, e) if x.kind == "f" else f),
        lambda: e + T.outer(f[0], f[:, 0]),
        lambda: e * 2 - f,
        lambda: e - e.sum(axis=1, keepdims=True),
        lambda: e + f.sum(axis=0),
        lambda: e.sum(axis=0) * T.ones_like(e[0]),
        lambda: T.maximum(e, f.T),
        lambda: T.where(e > f, e, f),
        lambda: T.cumsum(e, axis=0),
        lambda: e + e.T,
    ))  # fmt: skip
    return made(), x.exact and y.exact


UPDATE_MAKERS = [_hazard]
KINDS = {"expression": expression_program, "gradient": gradient_program, "update": update_program}


def check(p: Program, outs: list[Expr], updates, run: Callable) -> list[str]:
    """What is wrong with outputs and new values that `run` returns in one list."""
    exact = {i.expr: i.exact for i in p.pool}
    expected = evaluate([*outs, *(v for _, v in updates)], p.values)
    got = run()
    wrong = []
    named = [
        *((f"output {k}", o) for k, o in enumerate(outs)),
        *((f"new {s}", v) for s, v in updates),
    ]
    for (name, e), g, want in zip(named, got, expected, strict=True):
        if found := differences(name, g, want, e, exact.get(e, False)):
            wrong.append(f"{found} in {e}")
    return wrong


def runner(p: Program, outs: list[Expr], updates, **options) -> Callable:
    """Compile, and give what calls the function on the program's values and puts the shared values
    back.
    """
    f = sc.function(p.inputs, outs, updates=updates, on_unused_input="ignore", **options)
    arguments = [p.values[x] for x in p.inputs]

    def run():
        for s in p.shared:
            s.set_value(p.values[s])
        results = f(*arguments)
        new = [s.get_value() for s, _ in updates]
        for s in p.shared:
            if s not in dict(updates):
                assert np.array_equal(s.get_value(), p.values[s]), f"{s} has changed"
        return [*results, *new]

    return run


def tolerance(expr: Expr) -> float:
    """Of the largest magnitude: what rounding in another order, amplified by a short program, may
    change.

    The coarsest floating-point dtype that a value went through counts.
    """
    coarse = any(e.dtype == "float32" for e in order([expr]))
    return 2e-4 if coarse else 1e-10


def differences(name: str, got, expected, expr: Expr, exact: bool) -> str:
    """What is wrong with a value, in one line; empty if nothing is."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.dtype != expected.dtype or got.shape != expected.shape:
        return f"{name}: {got.dtype}{got.shape} instead of {expected.dtype}{expected.shape}"
    if exact or got.dtype.kind != "f":
        wrong = ~((got == expected) | ((got != got) & (expected != expected)))
    else:
        largest = max(1.0, float(np.abs(expected).max(initial=0)))
        wrong = ~(np.abs(got - expected) <= tolerance(expr) * largest)
    if not wrong.any():
        return ""
    at = tuple(int(k) for k in np.argwhere(wrong)[0]) if got.ndim else ()
    count = f"{int(wrong.sum())} of {got.size} differ"
    return f"{name}{list(at)} is {got[at]!r} instead of {expected[at]!r} ({count})"
