"""01: expressions and functions.

symcomp works in two steps: first you write down *what* is to be computed, as an expression, then
you compile the expression to a function and call that as often as you like.

Run it:  python tutorials/01_expressions_and_functions.py
"""

import numpy as np

import symcomp as sc
import symcomp.tensor as T


def expressions():
    """Expressions are values: immutable, their dtype and shape known before anything runs."""
    # Inputs are symbolic variables. `vector` and `matrix` have the dtype options.floatX, float64
    # unless you change it; a letter in front says another: f is float32, d float64, b, w, i, l are
    # integers of 1, 2, 4, 8 bytes.
    x = T.vector("x")
    A = T.fmatrix("A")
    print(A, "is a", A.type)

    # Operators and functions are NumPy's, in name and in meaning. They make larger expressions, and
    # compute nothing.
    y = T.exp(-(x**2) / 2)
    print("y =", y)

    # Writing the same formula twice gives the same object: expressions are compared by identity.
    # Therefore == and != answer at once, whether two expressions are the same; for a comparison of
    # elements there are T.equal and T.not_equal (<, <=, > and >= do compare elements).
    assert T.exp(-(x**2) / 2) is y
    print("elementwise:", T.equal(x, 0), "and", x < 0)

    # Sizes may be unknown until the function is called. x.shape[0] is then an expression too, and
    # can be used in others. What must fit is checked as early as it can be: here, when the product
    # is written down.
    P = T.tensor("float64", shape=(None, 3), name="P")
    Q = T.tensor("float64", shape=(4, None), name="Q")
    try:
        P @ Q
    except ValueError as error:
        print("\nAn error names the formula, the sizes and your line:\n" + str(error) + "\n")

    # dtypes are promoted as NumPy 2 does; Python's own numbers take the dtype of what they meet.
    assert (A + 1.5).dtype == "float32"
    assert (A + x).dtype == "float64"


def functions():
    """`sc.function(inputs, outputs)` compiles; the result takes and returns NumPy arrays."""
    x, w = T.vectors("x", "w")
    f = sc.function([x, w], (x * w).sum())
    print("f(x, w) =", f([1, 2, 3], [4, 5, 6]))
    assert f([1, 2, 3], [4, 5, 6]) == 32

    # One compiled function serves all sizes. Here nothing is compiled again:
    for n in (1, 10, 1000):
        assert f(np.ones(n), np.ones(n)) == n

    # The outputs may be one expression, a list or a dict; the function returns the same form.
    # Inputs go by position or by name, and may have defaults.
    scale = T.scalar("scale")
    statistics = sc.function(
        [x, sc.In(scale, value=1.0)],
        {"mean": (scale * x).mean(), "deviation": (scale * x).std()},
        name="statistics",
    )
    print("statistics:", statistics([1, 2, 3, 4]), statistics(x=[1, 2, 3, 4], scale=10))

    # mode="numpy" needs no compiler: it interprets the expression with NumPy, here to see whether
    # both agree. `eval` does the same for a value that is wanted once.
    reference = sc.function([x, w], (x * w).sum(), mode="numpy")
    assert np.allclose(f([0.1, 0.2], [3, 4]), reference([0.1, 0.2], [3, 4]))
    assert (x**2).sum().eval({x: [3, 4]}) == 25

    # An array is never converted with loss behind your back.
    single = sc.function([v := T.fvector("v")], 2 * v)
    try:
        single(np.ones(3))
    except TypeError as error:
        print("\n" + str(error) + "\n")
    relaxed = sc.function([v], 2 * v, allow_input_downcast=True)
    assert relaxed(np.ones(3)).dtype == "float32"


def state():
    """Shared values are arrays that live between calls; a function can read and update them."""
    total = sc.shared(0.0, name="total")
    amount = T.scalar("amount")
    deposit = sc.function([amount], total, updates=[(total, total + amount)])

    # Outputs and new values are both computed from the old ones, so the balance returned is that
    # before the deposit.
    assert deposit(100) == 0
    assert deposit(50) == 100
    print("total:", total.get_value())
    assert total.get_value() == 150

    # get_value and set_value copy, so that nothing outside can change a shared value by accident.
    total.set_value(0.0)

    # Swapping needs no third variable, for the same reason.
    a, b = sc.shared(np.arange(3.0), "a"), sc.shared(np.ones(3), "b")
    swap = sc.function([], updates=[(a, b), (b, a)])
    swap()
    assert (a.get_value() == 1).all()
    assert (b.get_value() == np.arange(3)).all()

    # `givens` replace a part of an expression by another when the function is compiled: here an
    # input by a row of a table that stays inside.
    x, row = T.vector("x"), T.lscalar("row")
    table = sc.shared(np.arange(6.0).reshape(2, 3), "table")
    norm = sc.function([row], T.sqrt((x**2).sum()), givens={x: table[row]})
    assert np.allclose(norm(1), np.sqrt(9 + 16 + 25))
    print("norm of row 1:", norm(1))


def main(quick=False):
    """Everything above, in order."""
    expressions()
    functions()
    state()


if __name__ == "__main__":
    main()
