"""NumPy's universal functions of expressions: `np.exp(x)` is `T.exp(x)`, and `array + x` an
expression.

One table, by NumPy's own names, of the functions that mean the same here.
"""

from __future__ import annotations

import numpy as np

from symcomp.errors import DtypeError
from symcomp.graph.expr import Expr
from symcomp.tensor import aliases, arithmetic, elementary, linear

_HOMES = (arithmetic, elementary, linear)


def _meaning(name: str):
    """What is declared here under a name of NumPy's, or nothing."""
    if name in aliases.ALIASES:
        return aliases.ALIASES[name]
    return next((getattr(home, name) for home in _HOMES if name in home.__all__), None)


_UFUNCS = {u: _meaning(u.__name__) for u in vars(np).values() if isinstance(u, np.ufunc)}


def apply_ufunc(self: Expr, ufunc: np.ufunc, method: str, *args, **keywords):
    """NumPy's protocol: called where an argument of a universal function is an expression."""
    name = ufunc.__name__
    if "out" in keywords:
        raise DtypeError(
            f"np.{name} cannot write an expression into an array: it has no value before it runs "
            "(instead of a += x write a = a + x)"
        )
    function = _UFUNCS.get(ufunc)
    if function is None:
        raise DtypeError(f"np.{name} has no symbolic meaning: see symcomp.tensor for what has")
    if method != "__call__" or keywords:
        detail = f".{method}" if method != "__call__" else f" with {', '.join(keywords)}="
        raise DtypeError(f"np.{name}{detail} has no symbolic meaning; T.{name} is the function")
    return function(*args)


Expr.__array_ufunc__ = apply_ufunc
