"""Rewriting: expressions simplified by proven identities, in three stages.

The tables are in `identities`, `stability`, `arrays` and `products`; `stages` says which rules run
when. Rules that hold only for finite values, or that trade accuracy for speed, are in `fast`, for
those who ask for them: `function(inputs, outputs, rules=forgetful + regrouping)`.
"""

from symcomp.rewrite.engine import Rewritten, rewrite
from symcomp.rewrite.fast import forgetful, regrouping
from symcomp.rewrite.rule import (
    Boolean,
    Constant,
    Float,
    Integer,
    Number,
    Rule,
    RuleSet,
    Scalar,
    Signed,
    Value,
    array_rule,
    constant,
    finite,
    independent,
    integer,
    nonnegative,
    nonpositive,
    nonzero,
    positive,
    real,
    registry,
    ruleset,
    used_once,
    varying,
)
from symcomp.rewrite.stages import (
    canonicalize,
    simplify,
    simplify_bodies,
    specialize,
    stabilize,
)
