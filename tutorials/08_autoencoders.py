"""08: autoencoders squeeze digits through a few numbers, and clean noisy ones.

An autoencoder is a network that learns to say what it has heard, through a bottleneck: the image is
*encoded* in a few numbers, and *decoded* from them. What it leaves out is what it has not seen
often, so a network that is shown noisy images and asked for the clean ones takes the noise away
(Vincent et al., Extracting and composing robust features with denoising autoencoders, 2008).

Principal component analysis does the first with straight lines, and stands here for comparison.

Run it:  python tutorials/08_autoencoders.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn

OUTPUT = Path(__file__).parent / "output"

CODE = 10  # numbers that an image is squeezed into
NOISE = 0.4  # its standard deviation; pixels are between 0 and 1
BATCH = 50


def digits():
    """Images to learn from and images that are held out: one in each row, pixels from 0 to 1."""
    images = (load_digits().data / 16).astype("float32")
    return train_test_split(images, test_size=1 / 3, random_state=0)


# --- 1. Two networks -----------------------------------------------------------------------------
#
# `Sequential` takes layers and any function of an expression. The last layer gives logits: the
# cost wants them, and whoever looks at the images takes their sigmoid.


def dense(inputs, outputs):
    return nn.Dense(inputs, outputs, weights=nn.initializers.he_normal, dtype="float32")


def encoder():
    return nn.Sequential(dense(64, 128), T.nn.gelu, dense(128, CODE), name="encoder")


def decoder():
    return nn.Sequential(dense(CODE, 128), T.nn.gelu, dense(128, 64), name="decoder")


def denoiser():
    """No bottleneck: noise is what has to be thrown away, and not size."""
    return nn.Sequential(dense(64, 256), T.nn.gelu, dense(256, 64), name="denoiser")


# --- 2. One training step ------------------------------------------------------------------------
#
# The noise is an expression too. A stream of random numbers draws anew at every call of the
# function, inside of the C code, so the network never sees the same noise twice.


def training(name, seen, wanted, model, steps):
    """A function of the images `wanted`: one step of `model` towards saying them for `seen`."""
    cost = T.nn.binary_cross_entropy_with_logits(model(seen, training=True), wanted)
    cost = cost.sum(axis=1).mean()
    rate = nn.schedules.cosine(4e-3, steps)
    return sc.function([wanted], cost, updates=nn.adam(cost, model, rate), name=name)


def learn(step, images, epochs):
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        order = rng.permutation(len(images))
        costs = [step(images[order[i : i + BATCH]]) for i in range(0, len(order), BATCH)]
    return np.mean(costs)


def main(quick=False):
    """Learn, print, draw; returns the errors of the autoencoder and of PCA."""
    nn.seed(0)
    epochs = 40 if quick else 200
    train, test = digits()
    steps = epochs * -(-len(train) // BATCH)
    x = T.tensor("float32", shape=(None, 64), name="x")

    both = nn.Sequential(encoder(), decoder(), name="autoencoder")
    print(both)
    learn(training("autoencoder", x, x, both, steps), train, epochs)
    reconstruct = sc.function([x], T.sigmoid(both(x)), name="reconstruct")
    said = reconstruct(test)
    pca = PCA(CODE).fit(train)
    straight = pca.inverse_transform(pca.transform(test)).astype("float32")

    stream = sc.random.RandomStream(seed=1)
    noisy = x + stream.normal(x.shape, std=NOISE, dtype="float32")
    model = denoiser()
    learn(training("denoiser", noisy, x, model, steps), train, epochs)
    # Noise that is the same each time, to compare: made by NumPy.
    heard = test + np.random.default_rng(2).normal(0, NOISE, test.shape).astype("float32")
    clean = sc.function([x], T.sigmoid(model(x)), name="clean")(heard)

    def error(found):
        return float(np.sqrt(np.mean((found - test) ** 2)))

    print(f"error of a pixel, root mean square over {len(test)} digits that were held out")
    print(f"  {CODE} numbers by principal components  {error(straight):.3f}")
    print(f"  {CODE} numbers by the autoencoder       {error(said):.3f}")
    print(f"  with noise                         {error(heard):.3f}")
    print(f"  the noise taken away               {error(clean):.3f}")
    assert error(said) < error(straight)
    assert error(clean) < 0.45 * error(heard)

    rows = {"held-out digits": test, f"from {CODE} numbers, PCA": straight}
    rows |= {f"from {CODE} numbers, autoencoder": said}
    print("drawn:", draw(rows, "autoencoder.png"))
    rows = {"held-out digits": test, "with noise": heard, "the noise taken away": clean}
    print("drawn:", draw(rows, "denoising.png"))
    return error(said), error(straight)


def draw(rows, name, count=16):
    """The first images of each row, one above the other."""
    figure = Figure(figsize=(9, 0.82 * len(rows)), dpi=150, layout="constrained")
    for part, (title, images) in zip(figure.subfigures(len(rows), 1), rows.items(), strict=True):
        part.suptitle(title, fontsize=9, x=0.005, ha="left")
        for axes, image in zip(part.subplots(1, count), images, strict=False):
            axes.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            axes.set_axis_off()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / name
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main()
