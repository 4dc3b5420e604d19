"""Saving: named arrays in a file of the format safetensors, which many programs read and none runs.

What is saved is a module, or any dict of shared values or arrays, so the state of an optimizer too:

    sc.nn.save(model, "model.safetensors")
    sc.nn.save({value.name: value for value, _ in updates}, "training.safetensors")

Loading into a module or a dict of shared values checks every name, shape and dtype before anything
is changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

import symcomp as sc


class StateError(sc.errors.SymcompError, ValueError):
    """What a file holds is not what a module needs."""


def save(model: Any, path: Any) -> None:
    """Write the values of a module, or of a dict of shared values or arrays, to a file.

    The file is replaced whole, or left as it was. Errors: StateError where there are no names to
    save under; ImportError where the package safetensors is missing; OSError.
    """
    arrays = {name: _array(name, value) for name, value in _state(model).items()}
    path = os.fspath(path)
    unfinished = f"{path}.{os.getpid()}.unfinished"
    try:
        _safetensors().save_file(arrays, unfinished)
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def load(path: Any) -> dict[str, np.ndarray]:
    """The arrays in a file, by name."""
    try:
        return _safetensors().load_file(os.fspath(path))
    except OSError:
        raise
    except Exception as error:
        raise StateError(f"{os.fspath(path)} cannot be read as safetensors: {error}") from error


def restore(model: Any, path: Any) -> None:
    """Set the values of a module, or of a dict of shared values, to those in a file.

    Errors: StateError where names, shapes or dtypes differ; nothing is changed then.
    """
    state, arrays = _state(model), load(path)
    problems = list(_problems(state, arrays))
    if problems:
        raise StateError("\n  ".join([f"{os.fspath(path)} does not fit:", *problems]))
    for name, value in state.items():
        value.set_value(arrays[name])


def _state(model: Any) -> Mapping[str, Any]:
    state = model.state() if hasattr(model, "state") else model
    if not isinstance(state, Mapping):
        raise StateError(f"save and load need a module or a dict of values, not {model!r}")
    for name in state:
        if not isinstance(name, str):
            raise StateError(f"a value is saved under a name, and {name!r} is none")
    return state


def _array(name: str, value: Any) -> np.ndarray:
    array = value.get_value() if isinstance(value, sc.Shared) else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise StateError(f"{name} is an array of {array.dtype}, which cannot be saved")
    return np.ascontiguousarray(array).reshape(array.shape)


def _problems(state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]):
    """What does not fit, a line for each value."""
    for name, value in state.items():
        if name not in arrays:
            yield f"{name} is not in the file"
            continue
        wanted, found = value.get_value(borrow=True), arrays[name]
        if wanted.shape != found.shape:
            yield f"{name} has shape {wanted.shape}, and {found.shape} in the file"
        elif wanted.dtype != found.dtype:
            yield f"{name} is {wanted.dtype}, and {found.dtype} in the file"
    for name in arrays:
        if name not in state:
            yield f"{name} is in the file, and nothing here has this name"


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        message = "saving needs the package safetensors: pip install safetensors, or symcomp[nn]"
        raise ImportError(message) from error
    return safetensors.numpy
