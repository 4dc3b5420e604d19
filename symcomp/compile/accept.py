"""Arguments that are not ready for native code: converted, or refused with words.

This is the road that compiled functions leave to whatever is not an array of the right dtype and
rank, and the only one that interpreted functions take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from symcomp.compile.definition import MISSING, Definition
from symcomp.errors import (
    DtypeError,
    InputError,
    MissingInputError,
    ShapeError,
    SymcompError,
    describe,
    here,
)
from symcomp.graph.arrays import ready
from symcomp.graph.expr import Expr
from symcomp.graph.shared import fits
from symcomp.graph.show import text
from symcomp.graph.type import shape_text


class Acceptance:
    """The arguments of one function: their places, names, types and defaults."""

    def __init__(self, definition: Definition):
        self.name = definition.name
        self.labels = [i.label for i in definition.inputs]
        self.types = [v.type for v in definition.variables]
        self.downcast = definition.downcast
        #: Inputs that may be arrays on the GPU, and what makes an argument one.
        self.on_gpu: set[int] = set()
        self.seen: Callable[[Any], Any] | None = None
        self.defaults = [MISSING if i.value is MISSING else self._default(k, i.value)
                         for k, i in enumerate(definition.inputs)]  # fmt: skip

    def _default(self, k: int, value: Any) -> np.ndarray:
        return self(k, value).copy()

    def __call__(self, k: int, value: Any) -> np.ndarray:
        """`value` as an array for input k: of its dtype, rank and fixed sizes, ready to be read."""
        wanted = self.types[k]
        if value is MISSING:
            self.fail(MissingInputError, f"{self.called(k)} is missing")
        if isinstance(value, Expr):
            message = f"{self.called(k)} is a symbolic expression ({text(value)}): give it an array"
            self.fail(InputError, message)
        if hasattr(value, "__cuda_array_interface__"):
            value = self._from_gpu(k, value)
            if k in self.on_gpu and value.dtype.name == wanted.dtype:
                if not fits(wanted.shape, value.shape):
                    self.wrong_size(k, value)
                return value
            value = np.asarray(value)
        try:
            array = ready(value, wanted.dtype, self.downcast)
        except DtypeError as error:
            self.fail(DtypeError, f"{self.called(k)}: {error.message}{self._advice(value)}")
        if not fits(wanted.shape, array.shape):
            self.wrong_size(k, array)
        return array

    def _from_gpu(self, k: int, value: Any) -> Any:
        """An array of the GPU as one of ours, for a function that runs there."""
        if self.seen is None:
            message = (
                f"{self.called(k)} lies on a GPU, and this function runs on the host: "
                'copy it, or compile the function with device="cuda"'
            )
            self.fail(InputError, message)
        try:
            return self.seen(value)
        except SymcompError as error:
            self.fail(type(error), f"{self.called(k)}: {error}")

    def _advice(self, value: Any) -> str:
        numeric = getattr(getattr(value, "dtype", None), "kind", "-") in "biuf"
        return "; cast it, or use allow_input_downcast=True" if numeric else ""

    def called(self, k: int) -> str:
        """An input as errors name it."""
        return f"input {k} ({self.labels[k]})" if self.labels[k] else f"input {k}"

    def wrong_size(self, k: int, value: np.ndarray) -> NoReturn:
        have, wanted = shape_text(np.shape(value)), self.types[k]
        self.fail(ShapeError, f"{self.called(k)} has shape {have}, and {wanted} is needed")

    def fail(self, kind: type[SymcompError], message: str) -> NoReturn:
        raise kind(describe(f"{self.name}: {message}", origin=here())) from None

    # --- which argument is which -----------------------------------------------------------------

    def place(
        self, values: Sequence[Any], more: Sequence[Any], keywords: Mapping[str, Any]
    ) -> list[Any]:
        """The arguments in order, from those given by place and by name."""
        result = [*values]
        if more:
            count, given = len(result), len(result) + len(more)
            takes = f"takes {count} input{'s' * (count != 1)}"
            self.fail(InputError, f"{takes}, and {given} were given")
        for name, value in keywords.items():
            if name not in self.labels:
                known = ", ".join(label for label in self.labels if label) or "without names"
                self.fail(InputError, f"has no input {name!r}; its inputs are {known}")
            k = self.labels.index(name)
            if result[k] is not self.defaults[k]:
                self.fail(InputError, f"{self.called(k)} is given twice")
            result[k] = value
        return result

    def all(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> list[np.ndarray]:
        """All arguments of a call, ready."""
        count = len(self.types)
        given = [*args[:count], *self.defaults[len(args) :]]
        placed = self.place(given, args[count:], keywords)
        return [self(k, value) for k, value in enumerate(placed)]
