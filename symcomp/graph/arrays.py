"""Arrays that people give, made ready for native code: one place decides what converts.

Arrays and NumPy's own scalars convert where NumPy calls it safe. Python's numbers, and lists of
them, are weak: they take the dtype that is wanted wherever they fit into it. What is ready is a
plain ndarray: C-contiguous, aligned, of native byte order.
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
        what = _STRANGE.get(given.dtype.kind, str(given.dtype))
        raise DtypeError(f"{type(value).__name__} of {what} (dtype {given.dtype}) is not numeric")
    return given


def is_weak(value: Any) -> bool:
    """Whether a value is one of Python's own numbers, or a list of them."""
    if isinstance(value, (list, tuple)):
        return True
    return isinstance(value, (bool, int, float)) and not isinstance(value, np.generic)


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
    if is_weak(value):
        return f"the Python number {value!r}"
    return f"a {given.dtype} {'array' if given.ndim else 'scalar'}"
