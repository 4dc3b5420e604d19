"""The identity of a computation across processes: what the cache on disk goes by.

A key is a digest of the structure as it was written, before any rewriting, so that a hit skips
everything. Leaves count by their place (first input, second shared value, …), never by name or
history. An operation that is declared outside symcomp counts with its code: that of its methods, of
the functions they call and the values that they refer to. What cannot be told apart for sure by
such a text (an object of unknown class) gives no key at all, and its function is built anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from symcomp.compile.definition import Definition
from symcomp.graph.expr import Constant, Expr, Leaf
from symcomp.graph.op import Op
from symcomp.graph.scalar import Primitive
from symcomp.graph.shared import Shared
from symcomp.graph.walk import order

#: Parts of an operation that compiled code does not depend on.
_APART = frozenset({"numpy", "vjp", "jvp", "perform", "samples", "text", "reference"})


class Unknown(Exception):
    """A value whose identity in another process is not certain."""


def structure(definition: Definition) -> str | None:
    """A digest that is the same for equal computations only; None where that is not certain."""
    try:
        return _digest(definition)
    except Unknown:
        return None


def _digest(definition: Definition) -> str:
    digest = hashlib.sha256()
    numbers: dict[Expr, int] = {}
    places = {x: k for k, x in enumerate(definition.variables)}
    tokens: dict[Any, str] = {}
    shared = 0
    lines: list[str] = []
    for e in order(definition.roots()):
        numbers[e] = len(numbers)
        op = e.op
        if op is not None:
            token = tokens.get(op)
            if token is None:
                token = tokens[op] = operation(op)
            lines.append(f"{token} {[numbers[a] for a in e.args]}")
        elif isinstance(e, Constant):
            lines.append(f"constant {_array(e.value)} {e.weak}")
        elif isinstance(e, Shared):
            lines.append(f"shared {shared} {_type(e)}")
            shared += 1
        else:
            lines.append(f"input {places[e]} {_type(e)} {e.weak}")
    inputs = [_type(v) for v in definition.variables]
    outputs = [numbers[o] for o in definition.outputs]
    updates = [(numbers[s], numbers[v]) for s, v in definition.updates]
    settings = _value(definition.settings, ())
    lines.append(f"{inputs} {outputs} {updates} {settings} {_value(definition.rules, ())}")
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()


def _type(e: Leaf) -> str:
    return f"{e.dtype} {e.type.shape}"


def _array(value: np.ndarray) -> str:
    data = np.ascontiguousarray(value)
    text = data.tobytes().hex() if data.size <= 8 else hashlib.sha256(data).hexdigest()
    return f"{value.dtype.str} {value.shape} {text}"


_tokens: dict[Op, str] = {}


def operation(op: Op) -> str:
    """An operation as text. Those of symcomp itself are told by name and fields, since the version
    is part of every key; all others by their code too, which is read again for each function.
    """
    token = _tokens.get(op)
    if token is None:
        token = _value(op, ())
        if _is_fixed(op) and len(_tokens) < 10_000:
            _tokens[op] = token
    return token


def _is_fixed(op: Op) -> bool:
    """Whether the text of an operation can be kept: what a person's code refers to may change."""
    if isinstance(op, Primitive) or not _is_own(type(op)):
        return False
    return all(isinstance(getattr(op, f.name), (*_PLAIN, tuple)) for f in op.fields())


def _is_own(thing: Any) -> bool:
    module = getattr(thing, "__module__", None) or ""
    return module == "symcomp" or module.startswith("symcomp.")


# --- values of any kind --------------------------------------------------------------------------

#: What the text of is exact.
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), np.dtype, slice, range)


def _value(value: Any, within: tuple) -> str:
    """A text that tells a value from all others; `within` are the values that hold it."""
    if isinstance(value, (*_PLAIN, np.generic)):
        return f"{type(value).__name__} {value!r}"
    for k, outer in enumerate(within):
        if value is outer:
            return f"circle {k}"
    inside = (*within, value)
    if isinstance(value, np.ndarray):
        return _array(value) if value.dtype.kind in "biufc" else _unknown(value)
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} [{'; '.join(_value(v, inside) for v in value)}]"
    if isinstance(value, (set, frozenset)):
        return f"set {sorted(_value(v, inside) for v in value)}"
    if isinstance(value, Mapping):
        return f"map [{'; '.join(_value(p, inside) for p in value.items())}]"
    return _object(value, inside)


def _unknown(value: Any) -> str:
    raise Unknown(type(value).__name__)


def _object(value: Any, inside: tuple) -> str:
    if isinstance(value, Primitive):
        return _primitive(value, inside)
    if isinstance(value, type):
        return _class(value, inside)
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__} {getattr(value, '__version__', '')}"
    if isinstance(value, types.MethodType):
        return f"method {_value(value.__func__, inside)} {_value(value.__self__, inside)}"
    if isinstance(value, (staticmethod, classmethod)):
        return f"{type(value).__name__} {_value(value.__func__, inside)}"
    if isinstance(value, property):
        return f"property {_value(value.fget, inside)}"
    if isinstance(value, types.CodeType):
        return _code(value, inside)
    if isinstance(value, types.FunctionType):
        return _function(value, inside)
    if isinstance(value, (types.BuiltinFunctionType, np.ufunc)):
        return f"builtin {getattr(value, '__module__', '')} {value.__name__}"
    if isinstance(value, Expr):
        return _unknown(value)
    if dataclasses.is_dataclass(value):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
        kept = [f for f in fields if not (isinstance(value, Op) and f[0] in _apart(value))]
        return f"{_class(type(value), inside)} {_value(kept, inside)}"
    if isinstance(value, Op):
        state = getattr(value, "__dict__", {})
        return f"{_class(type(value), inside)} {_value(state, inside)}"
    return _unknown(value)


def _apart(op: Op) -> frozenset[str]:
    """Fields of an operation that only Python reads, while it runs or differentiates."""
    return frozenset({"transpose", "function"}) if op.perform is not None else _TRANSPOSE


_TRANSPOSE = frozenset({"transpose"})


def _primitive(op: Primitive, inside: tuple) -> str:
    facts = f"{op.name} {op.c} {op.domain} {op.commutative}"
    source = getattr(op, "source", "")
    if not source and _is_own(op.signature) and (op.body is None or _is_own(op.body)):
        return facts
    return f"{facts} {source} {_value(op.signature, inside)} {_value(op.body, inside)}"


def _class(kind: type, inside: tuple) -> str:
    name = f"{kind.__module__}.{kind.__qualname__}"
    if _is_own(kind):
        return name
    if not issubclass(kind, Op):
        return name if kind.__module__ in ("builtins", "numpy") else _unknown(kind)
    parts = [
        (key, member)
        for base in kind.__mro__
        if not _is_own(base) and base is not object
        for key, member in vars(base).items()
        if key not in _APART and not (key.startswith("__") and key != "__call__")
    ]
    return f"{name} {_value(parts, inside)}"


def _function(function: types.FunctionType, inside: tuple) -> str:
    """A function's code, with the values of what it refers to."""
    if _is_own(function):
        cells = function.__closure__ or ()
        names = f"{function.__module__}.{function.__qualname__}"
        return f"{names} {_value([c.cell_contents for c in cells], inside)}"
    used = {n: function.__globals__[n] for n in _names(function.__code__)
            if n in function.__globals__}  # fmt: skip
    captured = [c.cell_contents for c in function.__closure__ or ()]
    more = (function.__defaults__, function.__kwdefaults__, captured, used)
    return f"function {_code(function.__code__, inside)} {_value(more, inside)}"


def _names(code: types.CodeType) -> list[str]:
    inner = [n for c in code.co_consts if isinstance(c, types.CodeType) for n in _names(c)]
    return [*code.co_names, *inner]


def _code(code: types.CodeType, inside: tuple) -> str:
    constants = _value(list(code.co_consts), inside)
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"
