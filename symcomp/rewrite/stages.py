"""The three stages of rewriting, and the sets of rules that each is made of.

    canonicalize    one form for sums and products, algebra, layout
    stabilize       the same, and formulas that overflow or cancel replaced by those that do not;
                    a user's own rules
    specialize      what is cheapest to compute: differences, squares and roots instead of
                    canonical sums and powers

Every stage is the one engine with other rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcomp.graph.expr import Expr
from symcomp.graph.op import as_expr
from symcomp.rewrite import (  # noqa: F401 - they declare rules
    arrays,
    canonical,
    fractions,
    products,
    special,
)
from symcomp.rewrite.engine import rewrite
from symcomp.rewrite.identities import identities
from symcomp.rewrite.rule import RuleSet, registry
from symcomp.rewrite.stability import stability

#: What both of the first two stages do.
ALGEBRA = registry["canonical"] + identities + registry["arrays"] + registry["products"]
STABILITY = registry["canonical"] + registry["fractions"] + stability + ALGEBRA
SPECIAL = registry["special"]
#: When operations have been expanded to their bodies, what would put them together again is left
#: out.
EXPANDED = ALGEBRA.without("log_of_sum_of_exp", "quotient_as_softmax", "difference_as_log_softmax")


def canonicalize(outputs: Sequence[Expr], trace: list | None = None) -> list[Expr]:
    """The outputs in canonical form, simplified by algebra."""
    return rewrite(outputs, ALGEBRA, trace)


def simplify_bodies(outputs: Sequence[Expr], trace: list | None = None) -> list[Expr]:
    """The outputs simplified by algebra, after operations have been expanded to their bodies."""
    return rewrite(outputs, EXPANDED, trace)


def stabilize(
    outputs: Sequence[Expr], trace: list | None = None, rules: RuleSet | None = None
) -> list[Expr]:
    """The outputs with formulas that overflow or cancel replaced; `rules` are a user's own, tried
    first."""
    return rewrite(outputs, STABILITY if rules is None else _joined(rules), trace)


def specialize(outputs: Sequence[Expr], trace: list | None = None) -> list[Expr]:
    """The outputs in the form that is cheapest to compute."""
    return rewrite(outputs, SPECIAL, trace)


def simplify(expr: Any) -> Any:
    """An expression as it would be computed: the algebra, the stable forms and the cheapest
    operations that `function` would find for it. A list or tuple of expressions is simplified
    together, and gives a list.

        x = T.vector("x")
        sc.simplify(T.log(1 + T.exp(x)))     # softplus(x)
    """
    several = isinstance(expr, (list, tuple))
    outputs = [as_expr(e) for e in (expr if several else [expr])]
    results = specialize(stabilize(canonicalize(outputs)))
    return results if several else results[0]


def _joined(rules: RuleSet) -> RuleSet:
    if rules.joined is None:
        rules.joined = rules + STABILITY
    return rules.joined
