"""05: write and prove a rule.

symcomp simplifies expressions by rules such as log(1 + x) → log1p(x). Each is an identity, and each
is held to four laws: it is *true* (SymPy proves it), *no worse in accuracy*, *terminating* (the
right side is smaller in one order), and *alive* (it fires somewhere). This tutorial adds a rule of
its own, and holds it to the same laws.

Run it:  python tutorials/05_write_and_prove_a_rule.py      (needs SymPy: pip install sympy)
"""

import mpmath
import numpy as np
import sympy

import symcomp as sc
import symcomp.tensor as T
from symcomp.rewrite import Float, positive, ruleset, stabilize
from symcomp.rewrite.bridge import to_sympy
from symcomp.rewrite.engine import pattern_form
from symcomp.rewrite.rule import decreases

# --- 1. The rule ---------------------------------------------------------------------------------
#
# The density of the logistic distribution is e⁻ˣ / (1 + e⁻ˣ)². Where x is below −709 the
# exponential overflows, and inf / inf is nan. The product sigmoid(x)·sigmoid(−x) is the same, and
# safe everywhere.
#
# A table of rules is a generator: `yield left, right[, condition]`. Its parameters are the
# wildcards, an annotation says what a wildcard may stand for, and both sides are ordinary
# expressions. Sums and products match in any order.


@ruleset
def distributions(x: Float, y: Float):
    """Densities of the logistic distribution, and of the Rayleigh distribution."""
    yield T.exp(-x) / (1 + T.exp(-x)) ** 2, T.sigmoid(x) * T.sigmoid(-x)
    yield T.log(x * T.exp(-y)), T.log(x) - y, positive(x)


# --- 2. True -------------------------------------------------------------------------------------


def proven(rule):
    """Whether SymPy simplifies left − right to 0, given what the rule's conditions assume."""
    assumed = {x: {"real": True} for x in rule.wilds}
    for condition in rule.conditions:
        for part in condition.parts:
            assumed[part][condition.assumption] = True
    symbols = {x: sympy.Symbol(x.name, **assumed[x]) for x in rule.wilds}
    return sympy.simplify(to_sympy(rule.left, symbols) - to_sympy(rule.right, symbols)) == 0


def truth():
    """The rules above are true; a careless one is found out."""
    for rule in distributions:
        print(f"{rule}\n    proven by SymPy: {proven(rule)}")
        assert proven(rule)

    @ruleset
    def _careless(x: Float):
        yield T.sqrt(x**2), x  # what if x is negative?

    (wrong,) = _careless
    print(f"{wrong}\n    proven by SymPy: {proven(wrong)}")
    assert not proven(wrong)


# --- 3. No worse in accuracy ---------------------------------------------------------------------


def accuracy(points):
    """Both sides of the first rule in float64, against 60 digits."""
    rule, *_ = distributions
    x = T.vector("x")
    sides = T.exp(-x) / (1 + T.exp(-x)) ** 2, T.sigmoid(x) * T.sigmoid(-x)
    exact = sympy.lambdify(sympy.Symbol("x", real=True), to_sympy(rule.left), "mpmath")
    for scale in (10, 1000):
        at = np.random.default_rng(0).uniform(-scale, scale, points)
        left, right = (error(sc.function([x], e, mode="numpy")(at), at, exact) for e in sides)
        print(f"|x| < {scale}: the left side is up to {left:.3g} ulp off, the right {right:.3g}")
        assert right < left + 2.5


def error(values, at, exact):
    """The largest error in ulp (units in the last place); inf where a value is no number."""
    worst = 0.0
    with mpmath.workdps(60):
        for value, x in zip(values, at, strict=True):
            truth = exact(mpmath.mpf(x))
            if truth < 1e-300:
                continue  # too small for float64 to say accurately
            if not np.isfinite(value):
                return np.inf
            worst = max(worst, float(abs(mpmath.mpf(value) - truth) / np.spacing(float(truth))))
    return worst


# --- 4. Terminating ------------------------------------------------------------------------------


def termination():
    """Rules whose right side is smaller than the left cannot go on for ever."""
    for rule in distributions:
        assert decreases(pattern_form(rule.left), pattern_form(rule.right))
    print("every right side is smaller than its left side")


# --- 5. Alive ------------------------------------------------------------------------------------


def use():
    """`function(..., rules=mine)` tries your rules first; symcomp's own come after them."""
    x, s = T.vector("x"), T.scalar("s")
    z = x / s
    density = (
        T.exp(-z) / (T.exp(-z) + 1) ** 2 / s
    )  # terms in another order, and z is not a mere variable

    trace = []
    (simplified,) = stabilize([density], trace, rules=distributions)
    for line in trace:
        print("   ", line)
    print("density:", simplified)

    as_written = sc.function([x, s], density)
    with_rules = sc.function([x, s], density, rules=distributions)
    print("as written:", as_written([-1000.0, 1.0], 1.0))
    print("with rules:", with_rules([-1000.0, 1.0], 1.0))
    assert np.allclose(with_rules([-1000.0, 1.0], 1.0), [0, 0.19661193])


def main(quick=False):
    """Everything above, in order."""
    truth()
    accuracy(200 if quick else 1000)
    termination()
    use()


if __name__ == "__main__":
    main()
