"""09: why deep networks take a shortcut.

A deeper network can say all that a shallow one can, and yet it learns worse: what each layer passes
on, and each gradient on its way back, is bent a little by every layer in between. A residual
network (He et al., Deep residual learning for image recognition, 2016) lets each block *add* to
what it was given, so there is a straight way from the cost to every block:

    plain:      y = block(x)
    residual:   y = x + block(x)

Here both learn scikit-learn's digits, with the same blocks, the same numbers to start from and the
same steps. The plain one has nothing wrong with it but its depth.

Run it:  python tutorials/09_residual_network.py
"""

from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn

OUTPUT = Path(__file__).parent / "output"

BLOCKS = 12  # each of two convolutions
CHANNELS = 16
BATCH = 64


def digits():
    """Images (n, 1, 8, 8) and labels: to learn from, and held out."""
    data = load_digits()
    images = (data.images[:, None] / 16).astype("float32")
    parts = train_test_split(
        images, data.target, test_size=1 / 3, random_state=0, stratify=data.target
    )
    train_x, test_x, train_y, test_y = parts
    return train_x, train_y, test_x, test_y


# --- 1. Blocks, and a network of them ------------------------------------------------------------
#
# Batch normalisation keeps running averages of what it has seen, for the time after training. They
# are no parameters: `model.updates()` says how the last call with training=True wants them changed.


def convolution(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding="same", bias=None, dtype="float32")


def normalisation():
    return nn.BatchNorm(CHANNELS, dtype="float32")


def block():
    return nn.Sequential(
        convolution(CHANNELS, CHANNELS), normalisation(), T.nn.relu,
        convolution(CHANNELS, CHANNELS), normalisation(),
        name="block",
    )  # fmt: skip


def network(count, wrap):
    """2·count + 2 layers with parameters of their own; `wrap` says what becomes of a block."""
    nn.seed(1)
    blocks = []
    for _ in range(count):
        blocks += [wrap(block()), T.nn.relu]
    return nn.Sequential(
        convolution(1, CHANNELS), normalisation(), T.nn.relu,
        nn.MaxPool(2),
        *blocks,
        nn.GlobalAveragePool(),
        nn.Dense(CHANNELS, 10, dtype="float32"),
    )  # fmt: skip


# --- 2. Training ---------------------------------------------------------------------------------


def functions(model, steps):
    """The training step, and the share of right answers."""
    x = T.tensor("float32", shape=(None, 1, 8, 8), name="x")
    labels = T.lvector("labels")
    cost = T.nn.cross_entropy_with_logits(model(x, training=True), labels).mean()
    rate = nn.schedules.warm_up(20, nn.schedules.cosine(0.1, steps - 20))
    updates = nn.nesterov(cost, model, rate) + model.updates()
    step = sc.function([x, labels], cost, updates=updates, name="step")
    right = T.equal(T.argmax(model(x), axis=1), labels).mean()
    return step, sc.function([x, labels], right, name="right")


def gradient_lengths(model, images, labels):
    """The length of the gradient of each convolution's filters, from the first to the last.

    What is computed once need not be compiled: `mode="numpy"` interprets it.
    """
    x = T.tensor("float32", shape=(None, 1, 8, 8), name="x")
    y = T.lvector("y")
    cost = T.nn.cross_entropy_with_logits(model(x, training=True), y).mean()
    filters = [p for p in model.parameters() if p.ndim == 4]
    lengths = T.stack([T.sqrt(T.square(g).sum()) for g in sc.grad(cost, filters)])
    return sc.function([x, y], lengths, mode="numpy")(images, labels)


def learn(step, images, labels, epochs):
    """The cost of each epoch, and the seconds a step."""
    rng = np.random.default_rng(0)
    history, begin, steps = [], perf_counter(), 0
    for _ in range(epochs):
        order = rng.permutation(len(images))
        batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
        history.append(np.mean([step(images[b], labels[b]) for b in batches]))
        steps += len(batches)
    return history, (perf_counter() - begin) / steps


def main(quick=False):
    """Train both; returns the share of held-out digits that each gets right."""
    epochs, blocks = (4, 5) if quick else (12, BLOCKS)
    train_x, train_y, test_x, test_y = digits()
    steps = epochs * -(-len(train_x) // BATCH)
    kinds = {"plain": lambda block: block, "residual": nn.Residual}
    curves, gradients, rights = {}, {}, {}
    for name, wrap in kinds.items():
        model = network(blocks, wrap)
        if name == "residual":
            print(repr(model).split("  6:")[0] + "  …")
        gradients[name] = gradient_lengths(model, train_x[:256], train_y[:256])
        begin = perf_counter()
        step, right = functions(model, steps)
        compiling = perf_counter() - begin
        curves[name], per_step = learn(step, train_x, train_y, epochs)
        rights[name] = float(right(test_x, test_y))
        print(
            f"{name:>8}: {2 * blocks + 2} layers, {model.size():,} parameters, compiled in "
            f"{compiling:.1f} s, {1e3 * per_step:.0f} ms a step; "
            f"cost {curves[name][-1]:.3f}, {rights[name]:.1%} of the held-out digits right"
        )
    print("drawn:", draw(curves, gradients))
    assert curves["residual"][-1] < curves["plain"][-1]
    assert rights["residual"] >= (0.9 if quick else 0.97)
    return rights


# --- 3. Picture ----------------------------------------------------------------------------------


def draw(curves, gradients):
    """How the cost falls, and how long the first gradient is in each layer."""
    figure = Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, costs), colour in zip(curves.items(), ("#999999", "#d9671e"), strict=True):
        left.plot(range(1, len(costs) + 1), costs, color=colour, label=name)
        lengths = gradients[name]
        right.plot(range(1, len(lengths) + 1), lengths, color=colour, label=name)
    left.set_title("cost per example", loc="left", fontsize=10)
    left.set_xlabel("epoch", fontsize=9)
    right.set_title("length of the first gradient, by layer", loc="left", fontsize=10)
    right.set_xlabel("convolution, from the image on", fontsize=9)
    for axes in (left, right):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        axes.tick_params(labelsize=9)
    right.set_yticks([0.2, 0.5, 1, 2])
    left.legend(frameon=False, fontsize=9)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "residual.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main()
