"""06: your own operation.

An operation that symcomp does not have can be declared in three ways, from the most to the least
transparent: by an equation (it fuses with everything around it), by a C symbol (a function in C is
called for each element), by Python (the compiled function calls out to your code, once for each
call). Functions of real numbers have a fourth: a formula in other functions.

Run it:  python tutorials/06_your_own_operation.py
"""

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.graph.notation import Sum, index

# --- 1. By a formula -----------------------------------------------------------------------------
#
# The simplest case needs nothing: a Python function that makes an expression *is* a new operation.


def gaussian(x, width):
    """exp(−x² / 2·width²)"""
    return T.exp(-0.5 * (x / width) ** 2)


def by_formula():
    """Gradients, rules and fusion come for free."""
    x, width = T.vector("x"), T.scalar("width")
    f = sc.function([x, width], [gaussian(x, width), sc.grad(gaussian(x, width).sum(), width)])
    values, slope = f([0, 1, 2], 2.0)
    assert np.allclose(values, np.exp([0, -1 / 8, -1 / 2]))
    print("by a formula:", values, slope)


# --- 2. By an equation ---------------------------------------------------------------------------
#
# out[i, j] = Σₖ |a[i, k] − b[j, k]|: the value at an index, in terms of the elements of the
# operands. The equation is the meaning (mode="numpy" evaluates it) and what is compiled. The
# gradient is yours to say, in expressions.


def _distance_vjp(g, out, a, b):
    """g is the gradient that reaches the result; returned are those that reach a and b."""
    direction = T.sign(a[:, None, :] - b[None, :, :])
    weighted = g[:, :, None] * direction
    return weighted.sum(axis=1), -weighted.sum(axis=0)


@sc.equation(shape=lambda a, b: (a.shape[0], b.shape[0]), vjp=_distance_vjp)
def distance(a, b, i, j):
    """The sum of absolute differences between each row of a and each row of b."""
    k = index(a.shape[1])
    return Sum(k, T.abs(a[i, k] - b[j, k]))


def by_equation():
    """The nearest of some centres, for each point."""
    points, centres = T.matrix("points"), T.matrix("centres")
    d = distance(points, centres)
    nearest = sc.function([points, centres], [T.argmin(d, axis=1), d.min(axis=1)])
    rng = np.random.default_rng(0)
    p, c = rng.normal(size=(1000, 3)), rng.normal(size=(5, 3))
    which, how_far = nearest(p, c)
    expected = np.abs(p[:, None] - c[None]).sum(axis=2)
    assert (which == expected.argmin(axis=1)).all()
    assert np.allclose(how_far, expected.min(axis=1))
    error = sc.check_gradient(lambda a, b: distance(a, b), [p[:4], c])
    print(f"by an equation: {which[:8]} …; its gradient is right to {error:.1e}")


# --- 3. By a C symbol ----------------------------------------------------------------------------
#
# Any C function of numbers will do: from a header of yours, or written here. {x} is the argument;
# the Python function is the reference that mode="numpy" runs, and that tests compare with.

SOURCE = """
static inline double triangle_wave(double x) {
    double phase = x - floor(x);
    return phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase;
}
"""


@sc.c_function(
    "triangle_wave({x})",
    source=SOURCE,
    grad=lambda x, out: T.where(x - T.floor(x) < 0.5, 4.0, -4.0),
    dtype="float64",
)
def triangle(x):
    """A triangle wave of period 1 between −1 and 1."""
    phase = x - np.floor(x)
    return np.where(phase < 0.5, 4 * phase - 1, 3 - 4 * phase)


def by_c():
    """Elementwise, so it broadcasts, fuses and has a gradient like T.sin."""
    t = T.vector("t")
    signal = 0.5 * triangle(3 * t) ** 2
    compiled = sc.function([t], [signal, sc.grad(signal.sum(), t)])
    reference = sc.function([t], [signal, sc.grad(signal.sum(), t)], mode="numpy")
    at = np.linspace(-2, 2, 1001)
    for a, b in zip(compiled(at), reference(at), strict=True):
        assert np.allclose(a, b)
    print("by a C symbol:", compiled(at[:4])[0])


# --- 4. By Python --------------------------------------------------------------------------------
#
# What is only to be had in Python: here NumPy's solver. The result's type is declared beforehand,
# so that shapes and dtypes are still checked when an expression is written; the gradient is again
# yours, and may use the operation itself.


def _solve_vjp(g, out, A, b):
    """With x = A⁻¹b and adjoint y = A⁻ᵀg: the gradients are −y·xᵀ and y."""
    y = solve(A.T, g)
    return -T.outer(y, out), y


@sc.python_op(type=lambda A, b: b, vjp=_solve_vjp)
def solve(A, b):
    """The solution x of A·x = b, for a square matrix A and a vector b."""
    return np.linalg.solve(A, b)


def by_python():
    """Least squares with a gradient through the solver."""
    A, b = T.matrix("A"), T.vector("b")
    x = solve(A.T @ A + 0.1 * T.eye(A.shape[1]), A.T @ b)
    penalty = (x**2).sum()
    f = sc.function([A, b], [x, sc.grad(penalty, b)])
    rng = np.random.default_rng(0)
    matrix, right = rng.normal(size=(6, 3)), rng.normal(size=6)
    answer, slope = f(matrix, right)
    assert np.allclose(
        answer, np.linalg.solve(matrix.T @ matrix + 0.1 * np.eye(3), matrix.T @ right)
    )
    step = 1e-6 * slope / np.linalg.norm(slope)
    moved = f(matrix, right + step)[0], f(matrix, right - step)[0]
    quotient = ((moved[0] ** 2).sum() - (moved[1] ** 2).sum()) / 2e-6
    assert np.isclose(quotient, np.linalg.norm(slope), rtol=1e-5)
    print("by Python:", answer)


def main(quick=False):
    """Everything above, in order."""
    by_formula()
    by_equation()
    by_c()
    by_python()


if __name__ == "__main__":
    main()
