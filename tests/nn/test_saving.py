"""What is saved is what is loaded; what does not fit is named, and changes nothing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn

pytest.importorskip("safetensors")


def network(outputs=2, dtype=None):
    return nn.Sequential(nn.Dense(3, 4, dtype=dtype), T.tanh, nn.Dense(4, outputs, dtype=dtype))


def test_a_module_comes_back(tmp_path):
    one, two = network(), network()
    one.save(tmp_path / "a.safetensors")
    two.load(str(tmp_path / "a.safetensors"))
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert np.array_equal(p.get_value(), q.get_value())
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_buffers_are_saved_too(tmp_path):
    layer = nn.BatchNorm(3)
    layer.mean.set_value(np.arange(3.0))
    layer.save(tmp_path / "a")
    assert nn.load(tmp_path / "a")["mean"].tolist() == [0, 1, 2]


def test_training_goes_on_where_it_stopped(tmp_path):
    def start():
        p = sc.shared(np.ones(3), "p")
        updates = nn.adam(T.square(p).sum(), [p], 0.1)
        return {v.name: v for v, _ in updates}, sc.function([], p, updates=updates)

    state, step = start()
    step()
    nn.save(state, tmp_path / "a")
    expected = [step() for _ in range(2)]
    state, step = start()
    nn.restore(state, tmp_path / "a")
    assert state["adam/step"].get_value() == 1
    assert np.array_equal([step() for _ in range(2)], expected)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint16", "float32", "float64"])
def test_arrays_of_all_dtypes_and_shapes(tmp_path, dtype):
    arrays = {
        "matrix": np.arange(6).reshape(2, 3).astype(dtype),
        "transposed": np.arange(6).reshape(2, 3).astype(dtype).T,
        "scalar": np.ones((), dtype),
        "empty": np.ones((0, 3), dtype),
    }
    nn.save(arrays, tmp_path / "a")
    loaded = nn.load(tmp_path / "a")
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        assert loaded[name].dtype == dtype and loaded[name].shape == array.shape
        assert np.array_equal(loaded[name], array)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: network(outputs=5), r"2.weights has shape \(4, 5\), and \(4, 2\) in the file"),
        (lambda: network(dtype="float32"), "0.weights is float32, and float64 in the file"),
        (lambda: network()[:1], "2.bias is in the file, and nothing here has this name"),
        (lambda: nn.Sequential(*network().layers, nn.Dense(2, 2)), "3.weights is not in the file"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path, other, words):
    network().save(tmp_path / "a")
    model = other()
    before = [p.get_value() for p in model.parameters()]
    with pytest.raises(nn.StateError, match=words):
        model.load(tmp_path / "a")
    for p, value in zip(model.parameters(), before, strict=True):
        assert np.array_equal(p.get_value(), value)


def test_a_damaged_file(tmp_path):
    (tmp_path / "a").write_bytes(b"not a model")
    with pytest.raises(nn.StateError, match="cannot be read as safetensors"):
        nn.load(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "b")


def test_only_named_arrays_are_saved(tmp_path):
    with pytest.raises(nn.StateError, match="need a module or a dict"):
        nn.save([np.ones(2)], tmp_path / "a")
    with pytest.raises(nn.StateError, match="word is an array of"):
        nn.save({"word": np.array(["text"])}, tmp_path / "a")
    with pytest.raises(nn.StateError, match="saved under a name"):
        nn.save({3: np.ones(2)}, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        network().save(tmp_path / "a")
