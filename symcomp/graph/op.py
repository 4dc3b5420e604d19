"""Op: the protocol of an operation.

An operation is a frozen dataclass of static parameters. It declares its type and gives its meaning
in exactly one of four ways, from the most to the least transparent:

    body(*args)              other operations: it is expanded before planning
    element(*args, indices)  an equation, the value at an index: it fuses, and is C and CUDA
    loops(...)               statements of the loop IR (scatter, cumulative sums)
    perform(*arrays)         foreign: a C symbol or a Python function

and beside it `vjp` (the transposed derivative), `numpy` (the reference) and `samples` (arguments to
test it on).
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from symcomp.errors import SymcompError, describe, here
from symcomp.graph.expr import Expr, build, constant
from symcomp.graph.show import operand_text, signature_text
from symcomp.graph.type import Type

#: Every class of operations by name, and every named function of real numbers: what documentation,
#: tests and unpickling go by.
registry: dict[str, Any] = {}


class Op:
    """The base of all operations; see the module's text for what a subclass declares."""

    name: ClassVar[str] = ""
    #: Arguments on which tests run the operation: see tests/laws.
    samples: ClassVar[tuple] = ()
    body = None
    element = None
    loops = None
    perform = None
    #: The name of an own shape of loops for floating-point arguments (others go by the equation).
    kernel: ClassVar[str | None] = None

    def __init_subclass__(cls, register: bool = True, **options):
        super().__init_subclass__(**options)
        if not cls.__dict__.get("name"):
            cls.name = cls.__name__.lower()
        if register:
            registry[cls.name] = cls

    def type(self, *args: Expr) -> Type:
        """The type of the result; raises a ShapeError or DtypeError that says in words what does
        not fit.
        """
        raise NotImplementedError

    def vjp(self, g: Expr, out: Expr, *args: Expr):
        """For each argument, the gradient that reaches it when `g` reaches `out`; None where there
        is none.
        """
        return (None,) * len(args)

    def numpy(self, *arrays: np.ndarray):
        """The reference meaning, on NumPy arrays."""
        raise NotImplementedError

    def is_weak(self, args: tuple[Expr, ...]) -> bool:
        """Whether the result takes the dtype of what it meets, as Python's own numbers do."""
        return False

    def text(self, *args: str) -> str:
        """The formula, given the texts of the arguments."""
        fields = [f"{f.name}={getattr(self, f.name)!r}" for f in self.fields()]
        return f"{self.name}({', '.join([*args, *fields])})"

    def fields(self):
        return dataclasses.fields(self) if dataclasses.is_dataclass(self) else ()

    def __call__(self, *args: Any) -> Expr:
        return apply(self, *(as_expr(a) for a in args))


def operation(cls: type) -> type:
    """`dataclass(frozen=True)` for operations, without the source that it compiles for each class:
    a tenth of the time to import.
    """
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    cls._names = tuple(f.name for f in dataclasses.fields(cls))
    cls.__init__, cls.__repr__ = _set_fields, _shown
    cls.__eq__, cls.__hash__ = _equal, _hashed
    cls.__setattr__, cls.__delattr__ = _frozen, _frozen
    return cls


def _set_fields(self, *args, **keywords) -> None:
    names = self._names
    if keywords or len(args) != len(names):
        args = _all_fields(self, args, keywords)
    self.__dict__.update(zip(names, args, strict=True))


def _all_fields(self, args: tuple, keywords: dict) -> list:
    cls, names = type(self), self._names
    given = dict(zip(names, args, strict=False))
    unknown = [n for n in keywords if n not in names or n in given]
    given.update(keywords)
    missing = [n for n in names if n not in given and not hasattr(cls, n)]
    if unknown or missing or len(args) > len(names):
        raise TypeError(f"{cls.__name__} takes the fields {', '.join(names)}")
    return [given[n] if n in given else getattr(cls, n) for n in names]


def _shown(self) -> str:
    fields = ", ".join(f"{n}={getattr(self, n)!r}" for n in self._names)
    return f"{type(self).__qualname__}({fields})"


def _equal(self, other) -> Any:
    return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented


def _hashed(self) -> int:
    return hash((type(self), *self.__dict__.values()))


def _frozen(self, name: str, *value) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


def apply(op: Op, *args: Expr) -> Expr:
    """The node `op(*args)`; an error says the formula, the operands and the user's line."""
    try:
        return build(op, args)
    except SymcompError as error:
        if getattr(error, "described", False):
            raise
        message = describe(
            str(error), signature_text(op, args), [operand_text(a) for a in args], here()
        )
        better = type(error)(message)
        better.described = True
        raise better from None


def as_expr(value: Any) -> Expr:
    """An expression: itself, or a constant of NumPy's own dtype for the value."""
    if isinstance(value, Expr):
        return value
    return constant(value)
