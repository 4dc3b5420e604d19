"""Arrays that people give, made ready for native code: one place decides what converts.

Arrays convert where NumPy calls it safe. Python's numbers, NumPy's own scalars, and lists of them
are weak: they take the dtype that is wanted wherever they fit into it. What is ready is a plain
ndarray: C-contiguous, aligned, of native byte order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symcomp.errors import DtypeError

#: What NumPy calls the elements that symcomp has no dtype for.
_STRANGE = {
    "c": "complex numbers",
    "O": "Python objects",
    "U": "text",
    "S": "bytes",
    "V": "records",
    "M": "dates",
    "m": "time differences",
}


def ready(value: Any, dtype: str, downcast: bool | None = None) -> np.ndarray:
    """`value` as an array of this dtype; itself where it is ready.

    downcast: True converts with loss; None converts Python's numbers and lists where they fit, a
    float being rounded; False converts only what keeps its exact value. Errors: DtypeError.
    """
    given = _array(value)
    if given.dtype.name != dtype and not (downcast or _converts(value, given, dtype, downcast)):
        raise DtypeError(f"{_called(value, given)} does not fit into {dtype} without loss")
    with np.errstate(all="ignore"):
        return np.require(given, dtype, ["C", "A"])


def _array(value: Any) -> np.ndarray:
    # By its mask, not by its class: to name numpy.ma would import it.
    if isinstance(value, np.ndarray) and np.any(getattr(value, "mask", False)):
        raise DtypeError("a masked array with masked elements has no value there: use .filled()")
    try:
        given = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DtypeError(f"{type(value).__name__} cannot be made an array: {error}") from None
    if given.dtype.kind not in "biuf":
        if type(value) is int:
            raise DtypeError(f"the Python number {value} does not fit into any dtype")
        raise DtypeError(_not_numeric(value, given))
    return given


def _not_numeric(value: Any, given: np.ndarray) -> str:
    if isinstance(value, np.ndarray) or given.ndim:
        what = "a list" if isinstance(value, (list, tuple)) else "an array"
        kind = _STRANGE.get(given.dtype.kind, str(given.dtype))
        return f"{what} of {kind} (dtype {given.dtype}) is not numeric"
    shown = repr(value)
    short = len(shown) <= 40 and " at 0x" not in shown
    return f"{shown if short else 'a ' + type(value).__name__} is neither a number nor an array"


def is_weak(value: Any) -> bool:
    """Whether a value is one of Python's own numbers, a NumPy scalar, or a list of them."""
    return isinstance(value, (list, tuple, bool, int, float, np.bool_, np.integer, np.floating))


def _converts(value: Any, given: np.ndarray, dtype: str, downcast: bool | None) -> bool:
    if np.can_cast(given.dtype, dtype, "safe"):
        return True
    if not is_weak(value):
        return False
    if given.size == 0:
        return True
    with np.errstate(all="ignore"):
        converted = given.astype(dtype)
    if downcast is None and np.dtype(dtype).kind == "f":
        return bool(np.all(np.isfinite(converted) | ~np.isfinite(given)))
    exact = np.issubdtype(given.dtype, np.integer) or np.dtype(dtype).kind == "f"
    return bool(exact and np.array_equal(converted, given, equal_nan=given.dtype.kind == "f"))


def _called(value: Any, given: np.ndarray) -> str:
    if isinstance(value, (list, tuple)):
        return f"a list of {given.dtype}"
    if isinstance(value, np.generic):
        return f"the {given.dtype} number {value.item()!r}"
    if is_weak(value):
        return f"the Python number {value!r}"
    return f"a {given.dtype} {'array' if given.ndim else 'scalar'}"
