"""07: a convolutional network reads digits.

A digit is the same digit a pixel further to the right. A convolution knows that: it looks for the
same small pattern at every place. LeNet (LeCun et al., Gradient-based learning applied to document
recognition, 1998) is two rounds of "look for patterns, keep the strongest of each neighbourhood",
and a small classifier on what is left. Here it reads scikit-learn's digits of 8 × 8 pixels: two
thirds are learned from, one third is held out.

Run it:  python tutorials/07_lenet_on_digits.py
"""

from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn

OUTPUT = Path(__file__).parent / "output"

EPOCHS = 40
BATCH = 48


def digits():
    """Images (n, 1, 8, 8) and labels: to learn from, and held out."""
    data = load_digits()
    images = (data.images[:, None] / 16).astype("float32")
    labels = data.target.astype("int64")
    parts = train_test_split(images, labels, test_size=1 / 3, random_state=0, stratify=labels)
    train_x, test_x, train_y, test_y = parts
    return train_x, train_y, test_x, test_y


# --- 1. The network ------------------------------------------------------------------------------
#
# Images are arrays (batch, channel, row, column). What may be written for `sc.nn` is any function
# of an expression: layers, which keep parameters, or T.nn.relu, which has none.


def lenet():
    relu = T.nn.relu
    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding="same", dtype="float32"), relu,  # 24 × 8 × 8
        nn.MaxPool(2),  # 24 × 4 × 4
        nn.Conv2d(24, 48, 3, padding="same", dtype="float32"), relu,  # 48 × 4 × 4
        nn.MaxPool(2),  # 48 × 2 × 2
        nn.Flatten(),
        nn.Dense(192, 96, dtype="float32"), relu,
        nn.Dropout(0.4),
        nn.Dense(96, 10, dtype="float32"),
        name="LeNet",
    )  # fmt: skip


# --- 2. One training step ------------------------------------------------------------------------
#
# `training=True` says that dropout should drop. The averages of the parameters over the last steps
# are a little better than the parameters themselves; `givens` puts them in their place.


def functions(model, steps):
    """The training step, and the function that reads digits."""
    x = T.tensor("float32", shape=(None, 1, 8, 8), name="x")
    labels = T.lvector("labels")
    logits = model(x, training=True)
    cost = T.nn.cross_entropy_with_logits(logits, labels).mean()
    rate = nn.schedules.one_cycle(6e-3, steps)
    updates = nn.adamw(cost, model, rate, weight_decay=0.01)
    updates, averaged = nn.average(updates, model, decay=0.98)
    step = sc.function([x, labels], cost, updates=updates, name="step")
    read = sc.function([x], T.argmax(model(x), axis=1), givens=averaged, name="read")
    return step, read


# --- 3. Learning ---------------------------------------------------------------------------------
#
# Each epoch sees every digit moved by up to a pixel along both axes.


def moved(images, rng):
    """The images, each moved by −1, 0 or 1 pixel along both axes."""
    framed = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
    down, right = rng.choice(3, (2, len(images), 1, 1), p=[0.2, 0.6, 0.2])
    pixel = np.arange(8)
    each = np.arange(len(images))[:, None, None]
    return framed[each, down + pixel[:, None], right + pixel][:, None]


def learn(step, images, labels, epochs):
    rng = np.random.default_rng(0)
    begin, steps = perf_counter(), 0
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        shown, answers = moved(images, rng)[order], labels[order]
        batches = range(0, len(order), BATCH)
        costs = [step(shown[i : i + BATCH], answers[i : i + BATCH]) for i in batches]
        steps += len(costs)
        if (epoch + 1) % 10 == 0:
            print(f"  epoch {epoch + 1:3}: cost {np.mean(costs):.4f}")
    return (perf_counter() - begin) / steps


def main(quick=False):
    """Learn, print and draw what came out; returns the share of held-out digits got right."""
    nn.seed(0)
    epochs = EPOCHS // 2 if quick else EPOCHS
    train_x, train_y, test_x, test_y = digits()
    model = lenet()
    print(model)

    begin = perf_counter()
    step, read = functions(model, epochs * -(-len(train_x) // BATCH))
    print(f"compiled in {perf_counter() - begin:.2f} s")
    per_step = learn(step, train_x, train_y, epochs)
    found = read(test_x)
    right = float((found == test_y).mean())
    print(f"{1e3 * per_step:.2f} ms for a training step of {BATCH} digits")
    print(f"right on the held-out third: {right:.2%} ({(found != test_y).sum()} wrong)")
    assert right >= (0.975 if quick else 0.985)

    print("learned filters drawn: ", draw_filters(model, test_x))
    print("confusion matrix drawn:", draw_confusion(test_x, test_y, found))
    return right


# --- 4. Pictures ---------------------------------------------------------------------------------


def draw_filters(model, images):
    """The filters of the first layer, and what each finds in one digit."""
    filters = model[0].weights.get_value()[:, 0]
    x = T.tensor("float32", shape=(None, 1, 8, 8), name="x")
    seen = sc.function([x], model[:2](x))(images[:1])[0]
    limit = np.abs(filters).max()
    figure = Figure(figsize=(9, 4.2), dpi=150, layout="constrained")
    title = "the filters of the first layer (blue: more, red: less), and what they find in the "
    figure.suptitle(title + "first held-out digit", fontsize=10, x=0.005, ha="left")
    axes = figure.subplots(4, 13)
    axes[1, 0].imshow(images[0, 0], cmap="gray_r")
    for k in range(24):
        row, column = divmod(k, 12)
        axes[2 * row, column + 1].imshow(filters[k], cmap="RdBu", vmin=-limit, vmax=limit)
        axes[2 * row + 1, column + 1].imshow(seen[k], cmap="gray_r", vmin=0, vmax=seen.max())
    for each in axes.flat:
        each.set_axis_off()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "lenet_filters.png"
    figure.savefig(path)
    return path


def draw_confusion(images, labels, found):
    """How often each digit was taken for each, and the digits that were misread."""
    table = confusion_matrix(labels, found)
    figure = Figure(figsize=(9, 4.2), dpi=150, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1))
    axes = left.subplots()
    off = table * (1 - np.eye(10, dtype=int))
    axes.imshow(off, cmap="Oranges", vmin=0, vmax=max(3, off.max()))
    for i, j in np.argwhere(table):
        axes.text(j, i, table[i, j], ha="center", va="center", fontsize=8)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("taken for", fontsize=9)
    axes.set_ylabel("is", fontsize=9)
    axes.set_title("the held-out digits", loc="left", fontsize=10)
    wrong = np.flatnonzero(found != labels)[:6]
    right.suptitle("misread", fontsize=10, x=0.02, ha="left")
    for place, axes in enumerate(right.subplots(2, 3).flat):
        axes.set_axis_off()
        if place < len(wrong):
            k = wrong[place]
            axes.imshow(images[k, 0], cmap="gray_r")
            axes.set_title(f"{labels[k]}, taken for {found[k]}", fontsize=8)
    path = OUTPUT / "lenet_confusion.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main()
