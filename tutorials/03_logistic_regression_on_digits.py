"""03: logistic regression on digits.

The smallest classifier that learns: the score of each class is a weighted sum of the pixels, the
softmax makes probabilities of the scores, and the weights follow the gradient downhill. The data
are scikit-learn's 1797 digits.

Run it:  python tutorials/03_logistic_regression_on_digits.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symcomp as sc
import symcomp.tensor as T

OUTPUT = Path(__file__).parent / "output"


def main(quick=False):
    """Learn, draw what was learned; returns the share of right answers on the held-out third."""
    data = load_digits()
    images, labels = data.data / 16, data.target
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=1 / 3, random_state=0, stratify=labels
    )

    # --- The model -------------------------------------------------------------------------------
    # x: one image in each row. y: the class of each, an integer. W and b are learned, so they are
    # shared values.
    x, y = T.matrix("x"), T.lvector("y")
    W = sc.shared(np.zeros((64, 10)), "W")
    b = sc.shared(np.zeros(10), "b")
    probabilities = T.nn.softmax(x @ W + b)

    # The cost is written as the textbook has it: minus the logarithm of the probability of the
    # right class. Written like this in NumPy it would be inf as soon as a probability rounds to 0.
    # Here a rule replaces log(softmax(z)) by z − logsumexp(z) before anything is compiled, and its
    # gradient becomes softmax(z) − one_hot(y).
    cost = T.nn.cross_entropy(probabilities, y).mean() + 1e-3 * (W**2).sum()

    # --- Learning --------------------------------------------------------------------------------
    # Plain gradient descent on all training images at once: one call is one step.
    rate = 0.5
    step = sc.function(
        [x, y],
        cost,
        updates=[(p, p - rate * g) for p, g in zip([W, b], sc.grad(cost, [W, b]), strict=True)],
        name="step",
    )
    predict = sc.function([x], T.argmax(probabilities, axis=1), name="predict")

    first = step(train_x, train_y)
    for _ in range(200 if quick else 1000):
        last = step(train_x, train_y)
    right = (predict(test_x) == test_y).mean()
    print(f"cost: {first:.3f} before the first step, {last:.3f} before the last")
    print(f"right on the held-out third: {right:.2%}")
    assert np.isclose(first, np.log(10))  # nothing is known yet: each class has probability 1/10
    assert last < first
    assert right > 0.9 if quick else right > 0.94

    print("templates drawn:", draw(W.get_value()))
    return right


def draw(W):
    """For each class, the pixels that speak for it (blue) and against it (red)."""
    limit = np.abs(W).max()
    figure = Figure(figsize=(9, 1.15), dpi=150, layout="constrained")
    for digit, axes in enumerate(figure.subplots(1, 10)):
        axes.imshow(W[:, digit].reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_title(digit, fontsize=10)
        axes.set_axis_off()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "templates.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main()
