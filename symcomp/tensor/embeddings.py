"""Embeddings: rows of a table, looked up by their number.

A table may be large, and a batch reads a few of its rows. The gradient with respect to the table is
a `Scatter` into zeros; an update by it, `table - rate * gradient`, is rewritten to a scatter into
the table itself (see `rewrite.products`), which is done in place: only the rows that were read are
written.
"""

from __future__ import annotations

from typing import Any

from symcomp.errors import DtypeError, ShapeError, describe, here
from symcomp.graph.expr import Expr
from symcomp.graph.op import as_expr
from symcomp.graph.type import is_float, is_integer
from symcomp.tensor.indexing import take

__all__ = ["embedding"]


def embedding(table: Any, ids: Any) -> Expr:
    """The rows of a table at integer positions: shape ids.shape + table.shape[1:].

    `table` has one row for each number, `ids` is an integer array of any shape; negative numbers
    count from the end. Errors: DtypeError where the ids are not integers or the table is not
    floating-point, ShapeError where the table has fewer than two axes; at the call, BoundsError
    for a number that has no row.
    """
    table, ids = as_expr(table), as_expr(ids)
    if not is_integer(ids.dtype):
        message = f"embedding: ids must be integers, not {ids.dtype}"
        raise DtypeError(describe(message, origin=here()))
    if not is_float(table.dtype):
        message = f"embedding: the table must be floating-point, not {table.dtype}"
        if is_integer(table.dtype):
            message += "; the table comes first, then the ids"
        raise DtypeError(describe(message, origin=here()))
    if table.ndim < 2:
        message = f"embedding: the table must have a row for each id: a matrix, not a {table.type}"
        raise ShapeError(describe(message, origin=here()))
    return take(table, ids, 0)
