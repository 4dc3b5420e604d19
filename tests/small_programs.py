"""A few dozen small functions, one for each way in which kernels are made: what the interpreter,
the golden files and the sanitizers go over."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.expr import Expr
from symcomp.graph.shared import Shared
from symcomp.tensor.random import Shuffled


class Case(NamedTuple):
    """A function with arguments: `updates` are pairs of shared values and their new values."""

    inputs: list[Expr]
    outputs: list[Expr]
    updates: list[tuple[Shared, Expr]]
    arguments: list[np.ndarray]


CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable) -> Callable:
    """Declare a case: a function from nothing to (variables, outputs, arguments[, updates])."""

    def made() -> Case:
        inputs, outputs, arguments, *updates = make()
        outputs = outputs if isinstance(outputs, list) else [outputs]
        arrays = [np.asarray(a, x.dtype) for a, x in zip(arguments, inputs, strict=True)]
        return Case(inputs, outputs, updates[0] if updates else [], arrays)

    CASES[make.__name__] = made
    return made


def grid(*shape, dtype="float64") -> np.ndarray:
    """Numbers that are neither sorted nor symmetric."""
    n = int(np.prod(shape))
    return (((np.arange(n) * 37) % 101 - 50) / 16).reshape(shape).astype(dtype)


@case
def elementwise():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    return [x, y], T.tanh(x) * y + 2 * x, [grid(5, 7), grid(5, 7) * 2]


@case
def two_results_of_one_loop():
    x = T.fvector("x")
    return [x], [T.exp(x), T.exp(x) * x], [grid(9)]


@case
def broadcast():
    x, row, column = T.dmatrix("x"), T.drow("row"), T.dcol("column")
    return [x, row, column], x * row + column, [grid(4, 6), grid(1, 6), grid(4, 1)]


@case
def vector_over_rows():
    x, b = T.fmatrix("x"), T.fvector("b")
    return [x, b], T.nn.relu(x + b), [grid(3, 5), grid(5)]


@case
def transposed_sum():
    x = T.dmatrix("x")
    return [x], x + x.T, [grid(5, 5)]


@case
def row_softmax():
    x = T.fmatrix("x")
    return [x], T.nn.softmax(x), [grid(4, 9)]


@case
def column_softmax():
    x = T.dmatrix("x")
    return [x], T.nn.softmax(x, axis=0), [grid(6, 5)]


@case
def log_softmax_of_rows():
    x = T.dmatrix("x")
    return [x], T.nn.log_softmax(x), [grid(3, 8)]


@case
def normalised_rows():
    x = T.fmatrix("x")
    centred = x - x.mean(axis=1, keepdims=True)
    return [x], centred / T.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5), [grid(5, 6)]


@case
def row_sums():
    x = T.dmatrix("x")
    return [x], [x.sum(axis=1), (x * x).max(axis=1)], [grid(4, 7)]


@case
def column_sums():
    x = T.dmatrix("x")
    return [x], [x.sum(axis=0), (x * x).sum(axis=0)], [grid(6, 11)]


@case
def middle_axis():
    x = T.dtensor3("x")
    return [x], [x.sum(axis=1), x.max(axis=(0, 2))], [grid(3, 4, 5)]


@case
def full_sums():
    x = T.fmatrix("x")
    return [x], [x.sum(), (x * x).mean(), x.min()], [grid(6, 9)]


@case
def long_sum():
    x = T.fvector("x")
    return [x], [T.sum(T.sin(x)), T.prod(1 + x / 1000)], [grid(20000)]


@case
def extremes_with_nan():
    x = T.dmatrix("x")
    value = grid(3, 6)
    value[1, 2] = np.nan
    return [x], [x.max(axis=1), x.min(), T.argmax(x, axis=1)], [value]


@case
def positions():
    x = T.dmatrix("x")
    return [x], [T.argmax(x, axis=1), T.argmin(x, axis=0), T.argmax(x)], [grid(5, 6)]


@case
def product():
    x, w = T.dmatrix("x"), T.dmatrix("w")
    return [x, w], x @ w, [grid(5, 4), grid(4, 6)]


@case
def dense_layer():
    x, w, b = T.fmatrix("x"), T.fmatrix("w"), T.fvector("b")
    return [x, w, b], T.tanh(x @ w + b), [grid(5, 4), grid(4, 3), grid(3)]


@case
def transposed_products():
    x, w = T.dmatrix("x"), T.dmatrix("w")
    return [x, w], [x.T @ w, w.T @ x, T.dot(x.T, w).T], [grid(5, 4), grid(5, 3)]


@case
def many_rows():
    x, w = T.fmatrix("x"), T.fmatrix("w")
    return [x, w], x @ w, [grid(150, 5), grid(5, 7)]


@case
def product_beside_what_is_turned():
    """Maps of one group: the first reads a product, the second an array across."""
    w = T.dmatrix("w")
    return [w], [w - 0.5 * (w @ w), T.maximum(w, w.T)], [grid(5, 5)]


@case
def matrix_times_vector():
    x, v = T.dmatrix("x"), T.dvector("v")
    return [x, v], [x @ v, v @ x.T, v @ v], [grid(5, 4), grid(4)]


@case
def batched_product():
    x, y = T.dtensor3("x"), T.dtensor3("y")
    return [x, y], T.matmul(x, y), [grid(3, 4, 5), grid(3, 5, 2)]


@case
def outer_product():
    x, y = T.dvector("x"), T.dvector("y")
    return [x, y], T.outer(x, y) + 1, [grid(4), grid(5)]


@case
def integer_product():
    x, y = T.lmatrix("x"), T.lmatrix("y")
    return [x, y], x @ y, [np.arange(12).reshape(3, 4), np.arange(20).reshape(4, 5) - 9]


@case
def joined():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    return [x, y], T.concatenate([x, y * 2, x[:1]], axis=0), [grid(3, 4), grid(2, 4)]


@case
def stacked():
    x, y = T.dvector("x"), T.dvector("y")
    return [x, y], [T.stack([x, y], axis=1), T.concatenate([x, y]).sum()], [grid(4), grid(4)]


@case
def slices():
    x = T.dmatrix("x")
    return [x], [x[::-1, 1::2], x[-2:, :-1], x[1], x[:, -1]], [grid(5, 6)]


@case
def differences():
    x = T.dvector("x")
    return [x], x[1:] - x[:-1], [grid(7)]


@case
def embedded():
    x = T.dvector("x")
    return [x], sc.grad((x[1::2] ** 3).sum(), x), [grid(8)]


@case
def scattered():
    x, at, v = T.dmatrix("x"), T.lvector("at"), T.dmatrix("v")
    changed = [T.inc_subtensor(x[at], v), T.set_subtensor(x[at], v)]
    return [x, at, v], changed, [grid(5, 3), [3, 0, -1, 3], grid(4, 3)]


@case
def shuffled():
    """Writes that read what others have written: only in order."""
    places = T.lvector("places")
    return [places], Shuffled()(places), [[0, 1, 0, 2, 4, 0, 3, 7, 1]]


@case
def gathered():
    x, at = T.dmatrix("x"), T.ivector("at")
    return [x, at], [x[at], x[:, at] * 2, T.take(x, at, axis=0).sum()], [grid(5, 6), [4, 0, -1, 2]]


@case
def picked():
    x, at = T.dmatrix("x"), T.lvector("at")
    cost = T.nn.cross_entropy_with_logits(x, at).mean()
    return [x, at], [T.pick(x, at), cost, sc.grad(cost, x)], [grid(4, 5), [0, 4, 2, 2]]


@case
def running_sums():
    x = T.dmatrix("x")
    return [x], [T.cumsum(x, axis=0), T.cumsum(x, axis=1), T.cumprod(x)], [grid(4, 5)]


@case
def reshaped():
    x = T.dmatrix("x")
    return [x], [x.reshape((-1, 2)) * 2, (x + 1).reshape(-1).sum(), x.T.reshape(-1)], [grid(4, 6)]


@case
def rolled_and_padded():
    x = T.dvector("x")
    return [x], [T.roll(x, 2), T.pad(x, 2), T.repeat(x, 3), T.tile(x, 2)], [grid(5)]


@case
def ranges():
    n, x = T.lscalar("n"), T.dmatrix("x")
    return [n, x], [T.arange(n) * 2, T.eye(n), T.tril(x)], [4, grid(3, 3)]


@case
def integers():
    x, y = T.ivector("x"), T.bvector("y")
    many = [x + y, x // 3, x % 4, x << 2, ~y, abs(y), x.sum(), y.max()]
    return [x, y], many, [[7, -8, 9, 2**31 - 1], [127, -128, 3, -1]]


@case
def booleans():
    x, y = T.dvector("x"), T.dvector("y")
    less = x < y
    return (
        [x, y],
        [less & (x > 0), ~less, less.any(), less.all(), less.sum()],
        [grid(6), grid(6)[::-1]],
    )


@case
def casts():
    x, n = T.dvector("x"), T.lvector("n")
    many = [
        x.astype("int32"),
        x.astype("bool"),
        n.astype("float32"),
        n.astype("uint8"),
        x.astype("float32"),
    ]
    return [x, n], many, [grid(5), [0, 1, -1, 300, 2**40]]


@case
def chosen():
    x = T.dmatrix("x")
    return [x], T.where(x > 0, T.log(1 + abs(x)), x * x), [grid(4, 5)]


@case
def neighbours():
    x = T.dvector("x")
    e = T.exp(x)
    return [x], e[1:] * e[:-1] + e[1:].sum(), [grid(9) / 4]


@case
def updated_in_place():
    w, x = sc.shared(grid(4, 3), name="w"), T.dmatrix("x")
    return [x], [(w * x).sum()], [grid(4, 3)], [(w, w - 0.5 * x)]


@case
def swapped():
    a, b = sc.shared(grid(3, 3), name="a"), sc.shared(grid(3, 3) + 1, name="b")
    return [], [a.sum()], [], [(a, b), (b, a.T)]


@case
def product_into_shared():
    w = sc.shared(grid(4, 3), name="w")
    x, y = T.dmatrix("x"), T.dmatrix("y")
    return [x, y], [], [grid(5, 4), grid(5, 3)], [(w, w - 0.1 * (x.T @ y))]


@case
def training_step():
    rng = np.random.default_rng(3)
    w = sc.shared(rng.normal(size=(4, 6)).astype("f4"), name="w")
    v = sc.shared(rng.normal(size=(6, 3)).astype("f4"), name="v")
    c = sc.shared(np.zeros(3, "f4"), name="c")
    x, at = T.fmatrix("x"), T.lvector("at")
    cost = T.nn.cross_entropy_with_logits(T.tanh(x @ w) @ v + c, at).mean()
    steps = [(p, p - 0.1 * g) for p, g in zip((w, v, c), sc.grad(cost, [w, v, c]), strict=True)]
    return [x, at], [cost], [rng.normal(size=(7, 4)), [0, 1, 2, 0, 1, 2, 0]], steps


@case
def scalars_only():
    x, y = T.dscalar("x"), T.dscalar("y")
    return [x, y], [x * y + 1, T.hypot(x, y)], [3.0, 4.0]


@case
def constant_tables():
    x = T.dvector("x")
    table = np.arange(300.0)
    return (
        [x],
        [x + table[:5], T.constant(table).sum() * x, T.take(T.constant(table), [3, 250])],
        [grid(5)],
    )


@case
def five_axes():
    x = T.dtensor5("x")
    y = x.transpose(4, 2, 0, 3, 1)
    return [x], [y * 2, (y + 1).sum(axis=(0, 3))], [grid(2, 3, 2, 2, 3)]


# --- convolutions: forward, and the gradients of a cost -------------------------------------------


def with_gradients(inputs, y, arrays):
    """The result, and how the sum of its squares depends on the inputs."""
    return inputs, [y, *sc.grad((y * y).sum() / 16, inputs)], arrays


@case
def convolution_layer():
    x, w = T.tensor("float32", (None, 3, 6, 7), "x"), T.tensor("float32", (6, 3, 3, 3), "w")
    b = T.tensor("float32", (6, 1, 1), "b")
    y = T.nn.relu(T.nn.conv2d(x, w, padding="same") + b)
    return with_gradients([x, w, b], y, [grid(2, 3, 6, 7), grid(6, 3, 3, 3) / 8, grid(6, 1, 1)])


@case
def convolution_of_unknown_sizes():
    x, w = T.dtensor4("x"), T.dtensor4("w")
    y = T.nn.conv2d(x, w, stride=(2, 3), padding=((2, 1), (0, 3)), dilation=(2, 1))
    return with_gradients([x, w], y, [grid(3, 2, 9, 8), grid(9, 2, 3, 2)])


@case
def convolution_in_groups():
    x, w = T.tensor("float32", (None, 6, 5, None), "x"), T.tensor("float32", (10, 3, 2, 3), "w")
    y = T.nn.conv2d(x, w, stride=(1, 2), padding=1, groups=2)
    return with_gradients([x, w], y, [grid(2, 6, 5, 7), grid(10, 3, 2, 3)])


@case
def convolution_of_each_channel():
    x, w = T.tensor("float32", (2, 5, 6, 9), "x"), T.tensor("float32", (10, 1, 3, 3), "w")
    y = T.tanh(T.nn.conv2d(x, w, padding="same", groups=5))
    return with_gradients([x, w], y, [grid(2, 5, 6, 9) / 8, grid(10, 1, 3, 3) / 8])


@case
def convolution_of_signals():
    x, w = T.dtensor3("x"), T.tensor("float64", (7, 2, 5), "w")
    y = T.nn.conv1d(x, w, stride=2, padding="half", dilation=2)
    return with_gradients([x, w], y, [grid(3, 2, 19), grid(7, 2, 5)])


@case
def convolution_of_volumes():
    x, w = T.tensor("float32", (2, 2, 4, 5, 4), "x"), T.tensor("float32", (5, 2, 3, 2, 3), "w")
    y = T.nn.conv3d(x, w, stride=(2, 1, 1), padding=1)
    return with_gradients([x, w], y, [grid(2, 2, 4, 5, 4), grid(5, 2, 3, 2, 3) / 4])


@case
def convolution_by_winograd():
    x, w = T.tensor("float32", (2, 32, 5, None), "x"), T.tensor("float32", (33, 32, 3, 3), "w")
    y = T.nn.conv2d(x, w, padding=1)
    return with_gradients([x, w], y, [grid(2, 32, 5, 6) / 4, grid(33, 32, 3, 3) / 32])


@case
def convolution_of_large_filters():
    x, w = T.tensor("float32", (2, 17, 9, None), "x"), T.tensor("float32", (18, 17, 5, 5), "w")
    y = T.nn.conv2d(x, w, padding=1)
    return with_gradients([x, w], y, [grid(2, 17, 9, 8) / 4, grid(18, 17, 5, 5) / 32])


@case
def convolution_of_small_images():
    x, w = T.tensor("float64", (None, 4, 5, 6), "x"), T.tensor("float64", (9, 4, 3, 2), "w")
    return with_gradients([x, w], T.nn.conv2d(x, w), [grid(5, 4, 5, 6), grid(9, 4, 3, 2)])


@case
def convolution_transposed():
    x, w = T.tensor("float32", (None, 6, 4, 3), "x"), T.tensor("float32", (6, 5, 3, 2), "w")
    options = {"stride": 2, "padding": 1, "output_padding": (1, 0), "groups": 2}
    y = T.nn.conv_transpose2d(x, w, **options)
    return with_gradients([x, w], T.nn.relu(y), [grid(2, 6, 4, 3), grid(6, 5, 3, 2)])


@case
def convolution_training():
    w = sc.shared(grid(6, 2, 3, 3, dtype="float32") / 8, name="w")
    c = sc.shared(grid(6, 1, 1, dtype="float32") / 8, name="c")
    x, t = T.tensor("float32", (None, 2, 8, 8), "x"), T.tensor("float32", (None, 6), "t")
    y = T.nn.relu(T.nn.conv2d(x, w, stride=2, padding=1) + c).mean(axis=(2, 3))
    cost = ((y - t) ** 2).mean()
    steps = [(p, p - 0.1 * g) for p, g in zip((w, c), sc.grad(cost, [w, c]), strict=True)]
    return [x, t], [cost], [grid(3, 2, 8, 8), grid(3, 6)], steps
