"""Expressions: immutable, interned values.

Equal expressions are the same object: `build` looks an operation and its arguments up in a table of
weak references before it makes a node, so sharing is free, equality is `is`, and there is no graph
to mutate. Leaves are variables, constants and shared values; variables and shared values carry
their own identity, whatever their name. Beside its identity a node keeps where the user wrote it
(`origin`) and the equalities of sizes that it needs (`requires`).

The operators (`x + y`, `x.sum()`, `x[1:]`) are attached by `symcomp.tensor`, where the mathematics
lives.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from symcomp.errors import DtypeError, Origin, mark, resolve
from symcomp.graph.type import Type, check_dtype

_serials = itertools.count()
_interned: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
#: The references behind `_interned`: reading them directly halves the time of finding a node.
_references: dict = _interned.data
_forget = _interned._remove


class _State(threading.local):
    """The requirements of the node that this thread is making, None between nodes."""

    pending: list | None = None


_state = _State()


class Requirement(NamedTuple):
    """Two sizes that must be equal when the function is called."""

    left: Any
    right: Any


class Expr:
    """A value: an operation applied to arguments, or a leaf. Compared by identity, since equal ones
    are the same.
    """

    __slots__ = ("__weakref__", "_type", "args", "op", "place", "requires", "serial", "weak")
    __array_priority__ = 1000
    __array_ufunc__ = None  # until `tensor` says what `array + expression` and np.exp(x) mean

    op: Any
    args: tuple[Expr, ...]

    def __init__(self, op, args, type, requires=(), weak=False):
        self.op = op
        self.args = args
        self._type = type
        self.requires = requires
        self.place = mark()
        self.serial = next(_serials)
        self.weak = weak

    @property
    def origin(self) -> Origin | None:
        """The user's line that wrote this."""
        return resolve(self.place)

    @property
    def type(self) -> Type:
        """The dtype and the known part of the shape (None where an axis has no literal size)."""
        shape = tuple(n if isinstance(n, int) else None for n in self._type.shape)
        return Type(self._type.dtype, shape)

    @property
    def dtype(self) -> str:
        return self._type.dtype

    @property
    def shape(self) -> tuple:
        """One entry an axis: an int, or a symbolic integer expression."""
        return self._type.shape

    @property
    def ndim(self) -> int:
        return len(self._type.shape)

    @property
    def name(self) -> str | None:
        return None

    @property
    def is_leaf(self) -> bool:
        return self.op is None

    def __bool__(self) -> bool:
        raise DtypeError(
            f"the truth of a symbolic expression is not known before it runs: {self}\n"
            "  use T.where(condition, a, b) to choose, and & | ~ to combine conditions"
        )

    def __iter__(self):
        if not self.ndim or not isinstance(self.shape[0], int):
            raise DtypeError(f"cannot iterate over {self}: its length is not known before it runs")
        return (self[i] for i in range(self.shape[0]))

    def __setitem__(self, key, value):
        raise DtypeError(
            "an expression cannot be changed in place: T.set_subtensor(x[key], value) is a new one "
            "(T.inc_subtensor adds to what is there)"
        )

    def __len__(self) -> int:
        if not self.ndim or not isinstance(self.shape[0], int):
            raise DtypeError(f"len() of {self} is not known before it runs; use x.shape[0]")
        return self.shape[0]

    def __float__(self):
        raise DtypeError(f"{self} has no value before it runs; use .eval(), or symcomp.function")

    __int__ = __index__ = __float__

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo) -> Expr:
        return self


class Leaf(Expr):
    """An expression without arguments, with its own identity."""

    __slots__ = ("_name", "_shape")

    def __init__(self, type: Type, name: str | None = None, weak: bool = False):
        super().__init__(None, (), type, (), weak)
        self._name = name
        self._shape = None if None in type.shape else type.shape

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def type(self) -> Type:
        return self._type

    @property
    def shape(self) -> tuple:
        shape = self._shape
        if shape is None:
            fixed = enumerate(self._type.shape)
            self._shape = shape = tuple(length(self, i) if n is None else n for i, n in fixed)
        return shape


class Variable(Leaf):
    """A symbolic input. `type.shape` holds None where a size is known only at the call."""

    __slots__ = ()


class Constant(Leaf):
    """A literal array; equal small constants are the same object."""

    __slots__ = ("value",)

    def __init__(self, value: np.ndarray, weak: bool = False, name: str | None = None):
        super().__init__(Type(check_dtype(value.dtype), value.shape), name, weak)
        self.value = value


#: Constants of at most so many elements are interned by their value.
_SMALL = 256


def constant(
    value: Any, dtype: str | None = None, weak: bool = False, name: str | None = None
) -> Constant:
    """A constant expression; the array is copied (and cannot be changed later)."""
    array = np.array(value, dtype=dtype, order="C")
    kind = check_dtype(array.dtype)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    array.flags.writeable = False
    if array.size > _SMALL or name:
        return Constant(array, weak, name)
    key = (kind, array.shape, array.tobytes(), weak)
    reference = _references.get(key)
    found = reference() if reference is not None else None
    return _kept(key, Constant(array, weak)) if found is None else found


@lru_cache(maxsize=4096, typed=True)
def _number(value: Any, dtype: str, weak: bool) -> Constant:
    return constant(value, dtype, weak)


def literal(value: bool | int | float, dtype: str, weak: bool = False) -> Constant:
    """`constant` for one of Python's own numbers, remembered since few of them are common."""
    # 0.0 and -0.0 are equal, and so would be remembered as one.
    return _number(value, dtype, weak) if value else constant(value, dtype, weak)


#: How to express the length of an axis; set by `graph.size`, which needs expressions to say what a
#: size is.
_length: list = []


def length(x: Expr, axis: int) -> Expr:
    """The length of an axis of a leaf, as an integer expression."""
    return _length[0](x, axis)


def build(op, args: tuple[Expr, ...]) -> Expr:
    """The one node that applies `op` to `args`."""
    key = (op, args)
    reference = _references.get(key)
    if reference is not None and (found := reference()) is not None:
        return found
    outer = _state.pending
    _state.pending = pending = []
    try:
        type = op.type(*args)
    finally:
        _state.pending = outer
    requires = tuple(dict.fromkeys(pending)) if pending else ()
    return _kept(key, Expr(op, args, type, requires, op.is_weak(args)))


def _kept(key: tuple, node: Expr) -> Expr:
    """The node, or the equal one that another thread was first to make."""
    new = weakref.KeyedRef(node, _forget, key)
    while True:
        # One step of the interpreter, unlike the method of WeakValueDictionary.
        reference = _references.setdefault(key, new)
        if reference is new:
            return node
        found = reference()
        if found is not None:
            return found
        _forget(reference)


def require_equal(left: Any, right: Any) -> None:
    """Note, while the type of a node is computed, that two sizes must be equal at the call."""
    pending = _state.pending
    if pending is not None:
        pending.append(Requirement(left, right))
