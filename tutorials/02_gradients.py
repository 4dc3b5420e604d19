"""02: gradients.

The derivative of an expression is an expression: it is written down by the chain rule, operation by
operation, and then simplified and compiled like any other. So derivatives of derivatives need
nothing new.

Run it:  python tutorials/02_gradients.py
"""

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.rewrite import canonicalize


def scalars():
    """`sc.grad(cost, x)` is ∂cost/∂x."""
    x = T.scalar("x")
    y = T.sin(x) * x**2
    slope = sc.grad(y, x)
    print("y  =", y)
    # What the chain rule writes down is not pretty; what is compiled is simplified first.
    print("y' =", slope)
    print("   =", *canonicalize([slope]))

    # One function may return both; what they have in common (here sin x) is computed once.
    both = sc.function([x], [y, slope])
    value, derivative = both(2.0)
    assert np.isclose(derivative, np.cos(2.0) * 4 + 2 * 2 * np.sin(2.0))
    print(f"y(2) = {value:.6f}, y'(2) = {derivative:.6f}")

    # The third derivative of x⁵ is 60·x².
    z = x**5
    for _ in range(3):
        z = sc.grad(z, x)
    assert np.isclose(sc.function([x], z)(3.0), 60 * 9)

    # Derivatives are simplified by rules that never lose accuracy. log(1 + eˣ) overflows as it is
    # written, and so would its derivative; what is compiled does not.
    softplus = T.log(1 + T.exp(x))
    stable = sc.function([x], [softplus, sc.grad(softplus, x)])
    assert [float(v) for v in stable(1000.0)] == [1000.0, 1.0]


def arrays():
    """The cost is a scalar; the gradient has the shape of what it is taken by."""
    W, b = T.matrix("W"), T.vector("b")
    x = T.matrix("x")
    cost = (T.tanh(x @ W + b) ** 2).mean()

    # A list (or a dict) of variables gives a list (or a dict) of gradients.
    by_W, by_b = sc.grad(cost, [W, b])
    gradients = sc.function([x, W, b], [by_W, by_b])
    rng = np.random.default_rng(0)
    arguments = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    dW, db = gradients(*arguments)
    assert dW.shape == (3, 2)
    assert db.shape == (2,)

    # Is it right? `check_gradient` compares with difference quotients and returns the largest
    # error.
    error = sc.check_gradient(lambda x, W, b: (T.tanh(x @ W + b) ** 2).mean(), arguments)
    print(f"largest difference from the difference quotients: {error:.1e}")

    # What has no gradient says so.
    other = T.vector("other")
    try:
        sc.grad(cost, other)
    except sc.errors.DisconnectedInputError as problem:
        print("\n" + str(problem) + "\n")
    zeros = sc.grad(cost, other, disconnected_inputs="ignore")
    assert (sc.function([other], zeros)([1, 2]) == 0).all()

    # Two ways to keep a gradient from flowing: in the expression, or when the gradient is taken.
    t = T.scalar("t")
    held = sc.grad(t * T.stop_gradient(t), t)
    held_too = sc.grad(t * (square := t**2), t, consider_constant=[square])
    assert sc.function([t], [held, held_too])(3.0) == [3.0, 9.0]


def whole_derivatives():
    """Jacobians, Hessians, and their products with vectors."""
    x, v = T.vectors("x", "v")
    y = T.concatenate([x[:1] * x[1:], T.sin(x)])
    point, direction = np.array([1.0, 2.0]), np.array([0.5, -1.0])

    J = sc.function([x], sc.jacobian(y, x))(point)
    assert np.allclose(J, [[2, 1], [np.cos(1), 0], [0, np.cos(2)]])

    # J·v (forward) and vᵀ·J (reverse) cost about as much as y itself: the Jacobian is never made.
    w = T.vector("w")
    forward = sc.function([x, v], sc.jvp(y, [x], [v]))
    reverse = sc.function([x, w], sc.vjp(y, x, w))
    assert np.allclose(forward(point, direction), J @ direction)
    assert np.allclose(reverse(point, [1, 2, 3]), np.array([1, 2, 3]) @ J)

    rosenbrock = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    H = sc.hessian(rosenbrock, x)
    print("Hessian of Rosenbrock's function at its minimum:\n", sc.function([x], H)([1.0, 1.0]))

    # Newton's method: x ← x − H⁻¹·∇. The update is computed by NumPy here; gradient and Hessian by
    # one call.
    newton = sc.function([x], [sc.grad(rosenbrock, x), H])
    at = np.array([-1.2, 1.0])
    for _ in range(10):
        gradient, curvature = newton(at)
        at = at - np.linalg.solve(curvature, gradient)
    print("its minimum, by ten steps of Newton's method from (-1.2, 1):", at)
    assert np.allclose(at, 1)


def main(quick=False):
    """Everything above, in order."""
    scalars()
    arrays()
    whole_derivatives()


if __name__ == "__main__":
    main()
