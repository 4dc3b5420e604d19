"""Checks of positions on a GPU: kernels that write nothing unless a position is outside its axis.

Nobody waits for them. Teams share the positions, in order; the first wrong one of each team goes to
the team's own place in memory of the host, and the verdict says that there is one: the host looks
there when it waits anyway, or is called next (include/gpu_notes.h). Of all that were noted the
lowest place of the lowest check tells which comes first.

    noted[check, team] = (length of the axis, position)        a length of 0: nothing was wrong
"""

from __future__ import annotations

from symcomp.codegen import loops
from symcomp.codegen.loops import Buffer, For, If, Kernel, Let, Store, Update, local
from symcomp.codegen.lower import Lowering
from symcomp.codegen.program import FIRST_CHECK
from symcomp.codegen.teams import one_index
from symcomp.graph import size
from symcomp.graph.expr import Expr
from symcomp.graph.notation import index
from symcomp.graph.scalar import cast
from symcomp.tensor.arithmetic import where

#: Positions for which another team is worth while; teams of one check, and numbers that each may
#: note (SYMCOMP_NOTING, SYMCOMP_NOTE in gpu_notes.h).
CHECK_WORK, NOTING, NOTE = 1 << 12, 128, 2


def noted(checks: int) -> Buffer:
    """Where so many checks note what is wrong."""
    return loops.buffer("int64", (checks * NOTING * NOTE,), "noted")


class GridChecks(Lowering):
    """Lowers checks."""

    noted: Buffer

    def check(self, at: Expr, n, number: int, status: Buffer) -> Kernel:
        """A kernel that notes a position outside its axis, and sets `status` then."""
        total = size.product(at.shape)
        count, length = self._shares(total)
        team = index(count, f"team{next(self.names)}")
        begin = size.times(team, length)
        left = size.at_least_zero(size.minus(total, begin))
        within = index(size.smaller(length, left), f"k{next(self.names)}")
        first = local("int64", f"first{next(self.names)}")
        indices = self.fresh(at.shape, "i")
        every, others = one_index(indices)
        here = size.as_expr(size.plus(begin, within))
        wrong = where(self.outside(at, n, indices), cast(here, "int64"), first_none(total))
        rounds = (Let(every, here), *others, Update(first, "min", wrong))
        body = (
            Let(first, first_none(total)),
            For(within, rounds, "block"),
            If(first < first_none(total), tuple(self._note(at, n, number, team, first, status))),
        )
        return self._kernel("check", [For(team, body, "grid")], "positions within their axis")

    def _shares(self, total) -> tuple:
        """How many teams share the positions, and how many each has."""
        if isinstance(total, int) and total <= CHECK_WORK:
            return 1, total
        count = size.larger(1, size.smaller(NOTING, size.parts(total, CHECK_WORK)))
        count = self.known(count, "checkers")
        return count, self.known(size.parts(total, count), "share")

    def _note(self, at: Expr, n, number: int, team, first: Expr, status: Buffer):
        """The length and the position to the team's place."""
        indices = self.fresh(at.shape, "i")
        every, others = one_index(indices)
        place = size.times(size.plus((number - FIRST_CHECK) * NOTING, team), NOTE)
        value = cast(self.located(self.formulas.at(at, indices)), "int64")
        yield Let(every, first)
        yield from others
        yield Store(self.noted, size.as_expr(place), cast(size.as_expr(n), "int64"))
        yield Store(self.noted, size.as_expr(size.plus(place, 1)), value)
        yield Store(status, size.as_expr(0), cast(size.as_expr(number), "int64"))


def first_none(total) -> Expr:
    """What stands for no position: the number of all."""
    return cast(size.as_expr(total), "int64")
