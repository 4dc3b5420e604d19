"""Rules for those who ask for them: `function(..., rules=forgetful + regrouping)`.

`forgetful` are the identities that hold for finite values only, taken as if all values were finite:
x − x → 0, 0·x → 0, x / x → 1 forget a nan. `regrouping` are true, and may overflow or lose accuracy
where the original does not.
"""

from __future__ import annotations

from symcomp.rewrite.identities import cancelling, identities
from symcomp.rewrite.rule import Constant, Float, positive, ruleset
from symcomp.tensor.elementary import exp, log, sqrt


@ruleset
def regrouping(x: Float, y: Float, z: Float, a: Constant):
    """Fewer operations; intermediate results may overflow, or the result lose digits."""
    yield exp(x) * exp(y), exp(x + y)
    yield exp(x) / exp(y), exp(x - y)
    yield exp(x) ** a, exp(a * x)
    yield log(x) + log(y), log(x * y), positive(x), positive(y)
    yield log(x) - log(y), log(x / y), positive(x), positive(y)
    yield sqrt(x) * sqrt(y), sqrt(x * y), positive(x), positive(y)
    yield (x / y) / z, x / (y * z)
    yield x / (y / z), (x * z) / y


#: Identities as if every value were finite.
forgetful = (cancelling + identities).assuming("real")
