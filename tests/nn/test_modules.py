"""Modules compute what they say, and know what they contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn


def value(layer, x, training=False, **options):
    """What a layer makes of an array, in a compiled function that takes any sizes."""
    x = np.asarray(x)
    given = T.tensor(str(x.dtype), shape=(None,) * x.ndim, name="x")
    if "sizes" in options:
        given = T.tensor(str(x.dtype), shape=options["sizes"], name="x")
    return sc.function([given], nn.module.call(layer, given, training))(x)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# --- what a module contains ----------------------------------------------------------------------


class Pair(nn.Module):
    """Modules and values in all the places where they are looked for."""

    buffers = ("seen",)

    def __init__(self):
        self.scale = sc.shared(np.ones(2), "scale")
        self.seen = sc.shared(np.int64(0), "seen")
        self.blocks = [nn.Dense(2, 3), {"last": nn.Dense(3, 2, bias=None)}]
        self.again = self.blocks[0]
        self._own = sc.shared(np.zeros(1), "own")

    def __call__(self, x, training=False):
        if training:
            self._pending = [(self.seen, self.seen + 1)]
        return self.blocks[1]["last"](self.blocks[0](x)) * self.scale


def test_names_are_the_way_to_a_value():
    pair = Pair()
    expected = ["scale", "blocks.0.weights", "blocks.0.bias", "blocks.1.last.weights"]
    assert list(pair.named_parameters()) == expected
    assert list(pair.named_buffers()) == ["seen"]
    assert list(pair.state()) == [*expected, "seen"]
    assert pair.parameters()[1] is pair.blocks[0].weights
    outer = nn.Sequential(T.tanh, pair)
    assert list(outer.named_parameters()) == [f"1.{name}" for name in expected]


def test_updates_are_those_of_the_last_call_in_training():
    pair = Pair()
    model = nn.Sequential(pair, T.tanh)
    x = T.matrix("x")
    model(x)
    assert model.updates() == []
    y = model(x, training=True)
    assert [v for v, _ in model.updates()] == [pair.seen]
    step = sc.function([x], y, updates=model.updates())
    step(np.ones((1, 2)))
    step(np.ones((1, 2)))
    assert pair.seen.get_value() == 2


def test_an_optimizer_takes_a_module():
    model = nn.Sequential(nn.Dense(3, 4), T.tanh, nn.Dense(4, 1))
    cost = model(T.matrix("x")).sum()
    names = [v.name for v, _ in nn.momentum(cost, model) if v not in model.parameters()]
    assert names == [f"{name}/momentum_velocity" for name in model.named_parameters()]


def test_a_module_is_shown_as_a_tree():
    model = nn.Sequential(
        nn.Dense(3, 4), T.tanh, nn.Residual(nn.Sequential(nn.Dense(4, 4, bias=None))), name="net"
    )
    lines = [line.split() for line in repr(model).splitlines()]
    assert lines == [
        ["net", "32"],
        ["0:", "Dense(3,", "4)", "16"],
        ["1:", "tanh"],
        ["2:", "Residual", "16"],
        ["0:", "Sequential", "16"],
        ["0:", "Dense(4,", "4)", "16"],
    ]
    assert "0.weights      3 × 4  float64  12" in model.summary()
    assert model.summary().endswith("32 parameters, 256 bytes in all")


def test_a_summary_tells_what_is_not_learned():
    assert "mean      3  float32  3  not learned" in nn.BatchNorm(3, dtype="float32").summary()


# --- starting values -----------------------------------------------------------------------------


def test_a_seed_repeats_a_network():
    def make(seed):
        nn.seed(seed)
        return nn.Sequential(nn.Dense(4, 4), nn.Dense(4, 4)).parameters()

    first, again, other = make(1), make(1), make(2)
    assert np.array_equal(first[0].get_value(), again[0].get_value())
    assert not np.array_equal(first[0].get_value(), other[0].get_value())
    assert not np.array_equal(first[0].get_value(), first[2].get_value())
    alone = [nn.Dense(4, 4, seed=5).weights.get_value() for _ in range(2)]
    assert np.array_equal(*alone)


def test_parameters_start_as_initializers_numbers_or_arrays():
    given = np.arange(6.0).reshape(2, 3)
    layer = nn.Dense(2, 3, weights=given, bias=0.5, dtype="float32", name="first")
    assert np.array_equal(layer.weights.get_value(), given)
    assert layer.bias.get_value().tolist() == [0.5] * 3
    assert [p.name for p in layer.parameters()] == ["first.weights", "first.bias"]
    assert {p.dtype for p in layer.parameters()} == {"float32"}
    assert nn.Dense(2, 2, weights=nn.initializers.identity).weights.get_value()[0, 0] == 1
    given[0, 0] = 9
    assert layer.weights.get_value()[0, 0] == 0
    with pytest.raises(sc.errors.ArgumentError, match=r"first.weights: it has shape \(3, 2\)"):
        nn.Dense(3, 2, weights=given, name="first")


def test_the_dtype_is_that_of_the_option():
    with sc.options(floatX="float32"):
        assert nn.Dense(2, 2).weights.dtype == "float32"
    assert nn.Dense(2, 2).weights.dtype == "float64"


# --- layers --------------------------------------------------------------------------------------


def test_dense(rng):
    layer = nn.Dense(3, 2, bias=nn.initializers.normal)
    W, b = (p.get_value() for p in layer.parameters())
    for shape in [(5, 3), (2, 5, 3)]:
        x = rng.normal(size=shape)
        np.testing.assert_allclose(value(layer, x), x @ W + b, rtol=1e-12)
    x = rng.normal(size=(5, 3))
    layer = nn.Dense(3, 2, bias=None)
    np.testing.assert_allclose(value(layer, x), x @ layer.weights.get_value(), rtol=1e-12)


def test_embedding():
    layer = nn.Embedding(7, 3)
    ids = np.array([[1, 6], [0, 1]])
    assert np.array_equal(value(layer, ids), layer.weights.get_value()[ids])


def test_flatten_and_lambda(rng):
    x = rng.normal(size=(2, 3, 4))
    assert np.array_equal(value(nn.Flatten(), x), x.reshape(2, 12))
    double = nn.Lambda(lambda x: 2 * x, "double")
    assert np.array_equal(value(double, x), 2 * x)
    assert repr(double) == "Lambda('double')"


def test_residual(rng):
    x = rng.normal(size=(2, 3))
    expected = x + np.tanh(x)
    np.testing.assert_allclose(value(nn.Residual(T.tanh), x), expected)
    branches = nn.Residual(T.tanh, lambda x: 3 * x, shortcut=lambda x: 10 * x)
    np.testing.assert_allclose(value(branches, x), 13 * x + np.tanh(x))
    with pytest.raises(sc.errors.ArgumentError, match="no branch"):
        nn.Residual()


def test_sequential_is_a_list_of_layers():
    model = nn.Sequential(nn.Dense(2, 3), T.tanh, nn.Dense(3, 4))
    assert len(model) == 3 and model[1] is T.tanh
    assert model[:2].parameters() == model[0].parameters()


def test_dropout_drops_in_training_alone(rng):
    x = rng.normal(size=(200, 100)) + 10
    layer = nn.Dropout(0.25, seed=1)
    assert np.array_equal(value(layer, x), x)
    y = value(layer, x, training=True)
    kept = y != 0
    assert abs(kept.mean() - 0.75) < 0.02
    np.testing.assert_allclose(y[kept], x[kept] / 0.75)


def test_dropout_draws_anew_at_each_call():
    x = T.matrix("x")
    f = sc.function([x], nn.Dropout(0.5, seed=1)(x, training=True))
    first, second = f(np.ones((20, 20))), f(np.ones((20, 20)))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4), (6, 3, 4, 5)], ids=str)
def test_batch_norm(rng, shape):
    layer = nn.BatchNorm(3, scale=2.0, shift=1.0, momentum=0.25)
    x = rng.normal(2, 3, size=shape)
    axes = (0, *range(2, len(shape)))
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    expected = 2 * (x - mean) / np.sqrt(variance + 1e-5) + 1
    given = T.tensor("float64", shape=(None,) * len(shape), name="x")
    y = layer(given, training=True)
    found = sc.function([given], y, updates=layer.updates())(x)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    unbiased = x.var(axes, ddof=1)
    np.testing.assert_allclose(layer.mean.get_value(), 0.25 * mean.ravel())
    np.testing.assert_allclose(layer.variance.get_value(), 0.75 + 0.25 * unbiased)
    kept = [p.get_value().reshape(mean.shape) for p in (layer.mean, layer.variance)]
    np.testing.assert_allclose(value(layer, x), 2 * (x - kept[0]) / np.sqrt(kept[1] + 1e-5) + 1)


def test_layer_norm(rng):
    x = rng.normal(size=(5, 3, 4))
    for shape, axes in ((4, 2), ((3, 4), (1, 2))):
        layer = nn.LayerNorm(shape, scale=2.0, shift=1.0)
        mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        expected = 2 * (x - mean) / np.sqrt(variance + 1e-5) + 1
        np.testing.assert_allclose(value(layer, x), expected, rtol=1e-9)


def test_group_norm(rng):
    x = rng.normal(size=(5, 6, 4))
    grouped = x.reshape(5, 2, 12)
    deviation = np.sqrt(grouped.var(2, keepdims=True) + 1e-5)
    expected = (grouped - grouped.mean(2, keepdims=True)) / deviation
    np.testing.assert_allclose(value(nn.GroupNorm(2, 6), x), expected.reshape(x.shape), rtol=1e-9)


# --- images --------------------------------------------------------------------------------------


def correlated(x, filters, bias):
    """The valid correlation of images (n, c, h, w) with filters (o, c, h, w)."""
    axes = (2, 3)
    windows = np.lib.stride_tricks.sliding_window_view(x, filters.shape[2:], axis=axes)
    return np.einsum("nchwij,ocij->nohw", windows, filters) + bias[:, None, None]


def test_conv2d(rng):
    x = rng.normal(size=(2, 3, 6, 5))
    layer = nn.Conv2d(3, 4, (3, 2), bias=nn.initializers.normal)
    filters, bias = (p.get_value() for p in layer.parameters())
    assert filters.shape == (4, 3, 3, 2)
    expected = correlated(x, filters, bias)
    np.testing.assert_allclose(value(layer, x), expected, rtol=1e-10)
    layer = nn.Conv2d(3, 4, (3, 2), stride=2, weights=filters, bias=bias)
    np.testing.assert_allclose(value(layer, x), expected[:, :, ::2, ::2], rtol=1e-10)


def test_conv2d_with_channels_last(rng):
    x = rng.normal(size=(2, 6, 5, 3))
    layer = nn.Conv2d(3, 4, 3, bias=nn.initializers.normal, layout="NHWC", seed=0)
    filters, bias = (p.get_value() for p in layer.parameters())
    assert filters.shape == (3, 3, 3, 4)
    first = nn.Conv2d(3, 4, 3, seed=0).weights.get_value()
    assert np.array_equal(filters, first.transpose(2, 3, 1, 0))
    expected = correlated(x.transpose(0, 3, 1, 2), first, bias)
    np.testing.assert_allclose(value(layer, x), expected.transpose(0, 2, 3, 1), rtol=1e-10)


@pytest.mark.parametrize(
    ("plain", "transposed", "rank"),
    [
        (nn.Conv1d, nn.ConvTranspose1d, 1),
        (nn.Conv2d, nn.ConvTranspose2d, 2),
        (nn.Conv3d, nn.ConvTranspose3d, 3),
    ],
    ids=["1d", "2d", "3d"],
)
@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
def test_a_transposed_convolution_is_the_transpose(rng, plain, transposed, rank, last):
    """⟨conv(x), y⟩ = ⟨x, transposed(y)⟩ for the same filters."""
    layout = ("NWC", "NHWC", "NDHWC")[rank - 1] if last else None
    there = plain(4, 6, 3, stride=2, groups=2, bias=None, layout=layout)
    filters = there.weights.get_value()
    back = transposed(6, 4, 3, stride=2, groups=2, weights=filters, bias=None, layout=layout)
    spatial = (7,) * rank
    x = rng.normal(size=(2, *spatial, 4) if last else (2, 4, *spatial))
    forth = value(there, x)
    y = rng.normal(size=forth.shape)
    assert np.isclose((forth * y).sum(), (x * value(back, y)).sum())


def test_pooling(rng):
    x = rng.normal(size=(2, 3, 4, 6))
    blocks = x.reshape(2, 3, 2, 2, 3, 2)
    assert np.array_equal(value(nn.MaxPool(2), x), blocks.max((3, 5)))
    np.testing.assert_allclose(value(nn.AveragePool((2, 2)), x), blocks.mean((3, 5)))
    np.testing.assert_allclose(value(nn.Pool(2, mode="sum"), x), blocks.sum((3, 5)))
    np.testing.assert_allclose(value(nn.GlobalAveragePool(), x).reshape(2, 3), x.mean((2, 3)))
    assert np.array_equal(value(nn.GlobalMaxPool(), x).reshape(2, 3), x.max((2, 3)))


# --- together ------------------------------------------------------------------------------------


def test_a_small_network_learns(rng):
    nn.seed(0)
    model = nn.Sequential(
        nn.Dense(2, 16, dtype="float32"),
        nn.BatchNorm(16, dtype="float32"),
        T.tanh,
        nn.Residual(nn.Dense(16, 16, dtype="float32")),
        nn.Dense(16, 2, dtype="float32"),
    )
    x, labels = T.fmatrix("x"), T.lvector("labels")
    cost = T.nn.cross_entropy_with_logits(model(x, training=True), labels).mean()
    updates = nn.adam(cost, model, learning_rate=0.02) + model.updates()
    updates, averaged = nn.average(updates, model, decay=0.9)
    step = sc.function([x, labels], cost, updates=updates)
    predict = sc.function([x], T.argmax(model(x), axis=1), givens=averaged)
    points = rng.uniform(-1, 1, (500, 2)).astype("float32")
    sides = (points[:, 0] * points[:, 1] > 0).astype("int64")
    first = step(points, sides)
    for _ in range(150):
        last = step(points, sides)
    assert last < first / 4
    assert (predict(points) == sides).mean() > 0.95


# --- the package itself --------------------------------------------------------------------------

FILES = sorted(Path(nn.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_it_is_written_in_public_names_alone(file):
    """What a person could not import, the layers do not import either."""
    text = file.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        for name in names:
            ours = name.split(".")[0] == "symcomp"
            assert not ours or name in ("symcomp", "symcomp.tensor") or name[:10] == "symcomp.nn"
    assert not re.search(r"\b(sc|T)(\.\w+)*\._", text), "a private name"
    assert len(text.splitlines()) <= 300


def test_it_is_loaded_when_it_is_used():
    program = "import sys, symcomp; a = 'symcomp.nn' in sys.modules; print(a, symcomp.nn.adam)"
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("False <function adam")
