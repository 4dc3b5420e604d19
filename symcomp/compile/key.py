"""The identity of an expression across processes: what the disk cache goes by.

A key is a digest of the structure as it was written, before any rewriting, so that a hit skips everything. Leaves count
by their place (first input, second shared value, …), never by name or history. An operation that is declared outside
symcomp counts with the code of its methods, so that changing an equation changes the key.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from symcomp.graph.expr import Constant, Expr, Variable
from symcomp.graph.scalar import Primitive
from symcomp.graph.shared import Shared
from symcomp.graph.walk import order


def structure(outputs: Sequence[Expr], updates, inputs: Sequence[Variable]) -> str:
    """A text that is the same for equal computations, and differs for different ones."""
    places = {x: f"input {n} {x._type}" for n, x in enumerate(inputs)}
    digest = hashlib.sha256()
    numbers: dict[Expr, int] = {}
    shared = 0
    roots = [*outputs, *(e for pair in updates for e in pair)]
    for e in order(roots):
        numbers[e] = len(numbers)
        if e.op is not None:
            token = f"{_op_token(e.op)} {[numbers[a] for a in e.args]}"
        elif isinstance(e, Constant):
            token = f"constant {e.dtype} {e.value.shape} {e.weak} "
            digest.update(e.value.tobytes())
        elif isinstance(e, Shared):
            token = f"shared {shared} {e._type}"
            shared += 1
        else:
            token = places[e]
        digest.update(token.encode())
        digest.update(b"\n")
    digest.update(
        f"{[numbers[o] for o in outputs]} {[(numbers[s], numbers[v]) for s, v in updates]}".encode()
    )
    digest.update(str(len(inputs)).encode())
    return digest.hexdigest()


_tokens: dict = {}


def _op_token(op) -> str:
    token = _tokens.get(op)
    if token is None:
        token = _primitive_token(op) if isinstance(op, Primitive) else _class_token(op)
        if len(_tokens) < 10_000:
            _tokens[op] = token
    return token


def _primitive_token(op: Primitive) -> str:
    source = getattr(op, "source", None) or ""
    return f"{op.name} {op.c} {_code(op.body)} {source}"


def _class_token(op) -> str:
    kind = type(op)
    fields = (
        [(f.name, _field(getattr(op, f.name))) for f in op.fields()]
        if dataclasses.is_dataclass(op)
        else ""
    )
    own = kind.__module__.startswith("symcomp.")
    code = (
        ""
        if own
        else "".join(_code(getattr(kind, m, None)) for m in ("type", "element", "loops", "body"))
    )
    return f"{kind.__module__}.{kind.__qualname__} {fields} {code}"


def _field(value) -> str:
    return _code(value) if callable(value) else repr(value)


def _code(function) -> str:
    """A function's code, with the code of the functions within it."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    inner = [_code_of(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    closure = [repr(c.cell_contents) for c in function.__closure__ or ()]
    return f"{code.co_code.hex()} {code.co_names} {inner} {closure} {function.__defaults__}"


def _code_of(code) -> str:
    inner = [_code_of(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {inner}"
