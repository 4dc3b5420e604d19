"""04: a multilayer perceptron learns handwritten digits.

The data are scikit-learn's 1797 real digits of 8 × 8 pixels. Two thirds are learned from, one third
is held out to see what has been learned. The network is 64 pixels → 256 tanh units → 10 classes.

Everything of a training step is one symbolic expression: the forward pass, the cost, its gradients
and the changes to the parameters. symcomp makes one C function of it, and each step is one call of
that function.

Run it:  python tutorials/04_mlp_on_digits.py     (or `make demo`, which installs what it needs)
"""

from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import symcomp as sc
import symcomp.tensor as T

OUTPUT = Path(__file__).parent / "output"

HIDDEN = 256
EPOCHS = 300
BATCH = 32
RATE = 0.08  # at the start; it falls to 0 in a straight line
MOMENTUM = 0.9
DECAY = 1e-4  # of the weights: the L2 penalty


def digits():
    """Training and held-out images (float32, 0 to 1) and labels."""
    data = load_digits()
    images = (data.data / 16).astype("float32")
    labels = data.target.astype("int64")
    parts = train_test_split(images, labels, test_size=1 / 3, random_state=0, stratify=labels)
    train_x, test_x, train_y, test_y = parts
    return train_x, train_y, test_x, test_y


# --- 1. The network, as an expression ------------------------------------------------------------
#
# Parameters are *shared values*: arrays that live between calls, which a compiled function may read
# and update.


def weights(rng, n, m, name):
    """A random n × m matrix, scaled so that tanh units start in their linear range."""
    return sc.shared(rng.normal(0, n**-0.5, (n, m)).astype("float32"), name)


def biases(n, name):
    return sc.shared(np.zeros(n, "float32"), name)


def network(x, rng):
    """The class scores (logits) of each row of x, and the four parameters."""
    W, b = weights(rng, 64, HIDDEN, "W"), biases(HIDDEN, "b")
    V, c = weights(rng, HIDDEN, 10, "V"), biases(10, "c")
    hidden = T.tanh(x @ W + b)
    return hidden @ V + c, (W, b, V, c)


# --- 2. One training step, as one function -------------------------------------------------------
#
# `updates` are pairs (shared value, its new value). All new values are computed from the old ones,
# then written in place. Gradients are expressions like any other: the same rules simplify them, the
# same loops are fused.


def training_step(x, labels, logits, parameters):
    """step(images, labels, rate) → cost: forward pass, backward pass and updates, in one call."""
    rate = T.fscalar("rate")
    fit = T.nn.cross_entropy_with_logits(logits, labels).mean()
    W, _, V, _ = parameters
    cost = fit + DECAY * ((W * W).sum() + (V * V).sum())
    updates = []
    for p, g in zip(parameters, sc.grad(cost, parameters), strict=True):
        velocity = sc.shared(np.zeros_like(p.get_value()), f"velocity of {p}")
        faster = MOMENTUM * velocity - rate * g
        updates += [(velocity, faster), (p, p + faster)]
    return sc.function([x, labels, rate], fit, updates=updates, name="training_step")


# --- 3. Learning ---------------------------------------------------------------------------------
#
# A digit moved by a pixel, or written with a shaking hand, is the same digit: so each epoch sees
# the images a little changed, which teaches more than the 1198 images alone. This is NumPy's work;
# its arrays go straight into the C function.


def varied(images, rng):
    """The images with a little noise; one in three is moved by up to a pixel along both axes."""
    chosen = rng.random((len(images), 1)) < 1 / 3
    noise = rng.normal(0, 0.1, images.shape)
    return (np.where(chosen, displaced(images, rng), images) + noise).astype("float32")


def displaced(images, rng):
    """The images, each moved by −1, 0 or 1 pixel along both axes."""
    n = len(images)
    framed = np.pad(images.reshape(n, 8, 8), ((0, 0), (1, 1), (1, 1)))
    down, right = rng.integers(0, 3, (2, n, 1, 1))
    pixel = np.arange(8)
    moved = framed[np.arange(n)[:, None, None], down + pixel[:, None], right + pixel]
    return moved.reshape(n, 64)


def learn(step, wrong, train, test, epochs, rng):
    """Train. Returns each epoch's cost and wrong answers on both sets, and the seconds a step."""
    images, labels = train
    history, seconds, steps = [], 0.0, 0
    progress = tqdm(range(epochs), desc="learning", unit=" epochs", mininterval=0.2)
    for epoch in progress:
        rate = RATE * (1 - epoch / epochs)
        order = rng.permutation(len(images))
        shown, answers = varied(images, rng)[order], labels[order]
        costs = []
        for start in range(0, len(order), BATCH):
            batch = slice(start, start + BATCH)
            begin = perf_counter()
            costs.append(step(shown[batch], answers[batch], rate))
            seconds += perf_counter() - begin
        steps += len(costs)
        history.append((np.mean(costs), float(wrong(*train)), float(wrong(*test))))
        progress.set_postfix_str(
            f"{1 - history[-1][2]:.1%} of the held-out digits right", refresh=False
        )
    return np.array(history), seconds / steps


def main(quick=False):
    """Learn, print and draw what came out; returns the share of held-out digits got right."""
    OUTPUT.mkdir(exist_ok=True)
    train_x, train_y, test_x, test_y = digits()
    print(f"{len(train_x)} digits to learn from, {len(test_x)} held out")

    rng = np.random.default_rng(1)
    x = T.tensor("float32", shape=(None, 64), name="x")
    labels = T.lvector("labels")
    logits, parameters = network(x, rng)

    begin = perf_counter()
    step = training_step(x, labels, logits, parameters)
    # T.not_equal compares elements; Python's own != asks whether two expressions are the same.
    mistakes = T.not_equal(T.argmax(logits, axis=1), labels)
    wrong = sc.function([x, labels], mistakes.mean(), name="wrong_answers")
    compiling = perf_counter() - begin

    begin = perf_counter()
    train, test = (train_x, train_y), (test_x, test_y)
    history, per_step = learn(step, wrong, train, test, EPOCHS // 5 if quick else EPOCHS, rng)
    learning = perf_counter() - begin

    right = 1 - history[-1, 2]
    print(f"right on the held-out third  {right:.2%}")
    print(f"right on what was learned    {1 - history[-1, 1]:.2%}")
    print(f"compiling two functions      {compiling:.2f} s (much less once they are in the cache)")
    print(f"learning                     {learning:.2f} s, {len(history)} epochs")
    print(f"one training step            {1e6 * per_step:.0f} µs, a batch of {BATCH}")
    print(f"learning curve               {draw_curve(history)}")
    print(f"learned filters              {draw_filters(parameters[0].get_value())}")
    assert right >= 0.97, f"only {right:.2%} of the held-out digits are right"
    return right


# --- 4. Pictures ---------------------------------------------------------------------------------

INK, GREY, ORANGE = "#222222", "#999999", "#d9671e"


def plain(axes):
    """Axes with no more lines than needed."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)


def draw_curve(history):
    """The learning curve: the cost, and the share of wrong answers on both sets."""
    epochs = np.arange(1, len(history) + 1)
    figure = Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, history[:, 0], color=INK)
    left.set_yscale("log")
    left.set_title("cost per example", loc="left", fontsize=10)
    left.yaxis.set_major_formatter("{x:g}")
    for column, colour, name, lift in ((1, GREY, "learned from", 0), (2, ORANGE, "held out", 3)):
        share = 100 * history[:, column]
        right.plot(epochs, share, color=colour)
        right.annotate(
            f"{name} {share[-1]:.1f}", (epochs[-1], share[-1]), xytext=(6, lift),
            textcoords="offset points", color=colour, fontsize=9, va="center",
            annotation_clip=False,
        )  # fmt: skip
    right.set_title("wrong answers, in %", loc="left", fontsize=10)
    right.set_ylim(0, 10)
    for axes in (left, right):
        axes.set_xlabel("epoch", fontsize=9)
        axes.set_xlim(1, epochs[-1])
        plain(axes)
    path = OUTPUT / "learning_curve.png"
    figure.savefig(path)
    return path


def draw_filters(W, rows=4, columns=16):
    """The pixels that each of the strongest hidden units looks for (blue) and against (red)."""
    strength = np.linalg.norm(W, axis=0)
    strongest = np.argsort(-strength)[: rows * columns]
    limit = np.quantile(np.abs(W[:, strongest]), 0.995)
    figure = Figure(figsize=(9, 9 * rows / columns + 0.35), dpi=150, layout="constrained")
    title = f"what the {rows * columns} strongest of {W.shape[1]} hidden units look for"
    figure.suptitle(f"{title} (blue) and against (red)", fontsize=10, x=0.005, ha="left")
    for axes, unit in zip(figure.subplots(rows, columns).flat, strongest, strict=True):
        axes.imshow(W[:, unit].reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_axis_off()
    path = OUTPUT / "filters.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main()
