"""10: filters that are given, filters that are learned from an example, filters nobody asked for.

A convolution moves a small table of weights over an image. The weights may be

  1. *given*: Sobel's two filters find edges, as people have done by hand for fifty years;
  2. *learned from an example*: shown a photograph and its edges, gradient descent finds Sobel's
     weights without being told them;
  3. *learned from nothing but photographs*: a network that has to describe small patches by as
     little as possible invents filters for edges of all directions, as the first cells of the
     brain's visual cortex have them (Olshausen and Field, Emergence of simple-cell receptive field
     properties by learning a sparse code for natural images, 1996).

The photographs are scikit-learn's two: a temple in China, and a flower.

Run it:  python tutorials/10_edges_and_learned_filters.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_images

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn

OUTPUT = Path(__file__).parent / "output"

SIDE = 10  # of a patch, in pixels
KEPT = 64  # directions of SIDE² in which patches vary; the rest is mostly noise
STROKES = 64
SPARSE = 2.0  # how much a description costs
BATCH = 500


def photographs():
    """Two grey images of about 213 × 320 pixels, from 0 to 1: (2, 1, rows, columns)."""
    colour = np.stack(load_sample_images().images)[:, :426, :640] / 255
    grey = colour @ [0.299, 0.587, 0.114]
    halved = grey.reshape(2, 213, 2, 320, 2).mean((2, 4))
    return halved[:, None].astype("float32")


# --- 1. Filters that are given -------------------------------------------------------------------
#
# T.nn.conv2d takes images (batch, channel, row, column) and filters (out, in, row, column). Sobel's
# filters are the slope along one axis, smoothed along the other; the strength of an edge is the
# length of both together.

SLOPE = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "float32") / 8
SOBEL = np.stack([SLOPE, SLOPE.T])[:, None]


def strength(slopes):
    """√(horizontal² + vertical²) of two channels; the small number keeps the slope at 0 finite."""
    return T.sqrt(T.square(slopes).sum(axis=1) + 1e-8)


def sobel(images):
    x = T.tensor("float32", shape=(None, 1, None, None), name="x")
    return sc.function([x], strength(T.nn.conv2d(x, SOBEL)), name="sobel")(images)


# --- 2. Filters learned from an example ----------------------------------------------------------
#
# One photograph and its edges are all that is known. Two filters begin at random; which of the two
# becomes which, and with which sign, nobody says: the strength is the same.


def learn_edges(image, edges, steps):
    """Two filters that make these edges of this image, and how the cost fell."""
    layer = nn.Conv2d(1, 2, 3, weights=nn.initializers.normal, bias=None, dtype="float32", seed=3)
    x = T.tensor("float32", shape=(None, 1, None, None), name="x")
    wanted = T.tensor("float32", shape=(None, None, None), name="wanted")
    cost = T.square(strength(layer(x)) - wanted).mean()
    updates = nn.adam(cost, layer, nn.schedules.cosine(0.03, steps))
    step = sc.function([x, wanted], cost, updates=updates, name="learn_edges")
    history = [step(image, edges) for _ in range(steps)]
    return layer.weights.get_value(), history


def aligned(filters):
    """The two filters turned among themselves so that the first is the horizontal slope.

    Any rotation of the pair gives the same strength, so only this can be compared with Sobel's.
    """
    u, _, v = np.linalg.svd(SOBEL.reshape(2, 9) @ filters.reshape(2, 9).T)
    return (u @ v @ filters.reshape(2, 9)).reshape(2, 1, 3, 3)


# --- 3. Filters nobody asked for -----------------------------------------------------------------
#
# A module of our own: what it knows is a table of strokes, one in each column. A patch is described
# by how much of each stroke is in it, and drawn again from this description. The cost asks that the
# drawing be right and the description sparse: most strokes near 0 (independent component analysis
# with a reconstruction cost: Le, Karpenko, Ngiam and Ng, 2011). That is all.
#
# Most strokes are edges and lines. The chequered ones are the temple's: learned from the flower
# alone, with learn_strokes(images[1:], …), there are none.


class Strokes(nn.Module):
    """Describe patches by strokes, and draw them again."""

    def __init__(self, size, count):
        start = nn.initializers.orthogonal((size, count), "float32")
        self.strokes = sc.shared(start, "strokes")

    def describe(self, x):
        return x @ self.strokes

    def __call__(self, x, training=False):
        return self.describe(x) @ self.strokes.T


def sparsity(code):
    """log(cosh(a)), almost |a| but round at 0; written so that it does not overflow."""
    return abs(code) + T.log1p(T.exp(-2 * abs(code))) - np.log(2)


def patches(images, count, rng):
    """Small pieces of the photographs, at random places, without their mean, of one contrast."""
    which = rng.integers(0, len(images), count)
    row = rng.integers(0, images.shape[2] - SIDE, count)
    column = rng.integers(0, images.shape[3] - SIDE, count)
    inside = np.arange(SIDE)
    found = images[
        which[:, None, None],
        0,
        row[:, None, None] + inside[:, None],
        column[:, None, None] + inside,
    ].reshape(count, -1)
    found = found - found.mean(axis=1, keepdims=True)
    return found / (found.std(axis=1, keepdims=True) + 0.05)


def strongest(pieces):
    """The KEPT directions in which patches vary most, as columns, and the variance along each."""
    values, vectors = np.linalg.eigh(np.cov(pieces.T))
    return vectors[:, -KEPT:].astype("float32"), values[-KEPT:].astype("float32")


def learn_strokes(images, steps):
    """The strokes by which patches are best described, and how the cost fell."""
    rng = np.random.default_rng(0)
    nn.seed(0)
    pieces = patches(images, 30_000, rng)
    directions, variances = strongest(pieces)
    pieces = pieces @ directions / np.sqrt(variances)  # "white": nothing that PCA could learn
    model = Strokes(KEPT, STROKES)
    x = T.tensor("float32", shape=(None, KEPT), name="x")
    error = T.square(model(x) - x).sum(axis=1).mean()
    cost = error + SPARSE * sparsity(model.describe(x)).sum(axis=1).mean()
    updates = nn.adam(cost, model, nn.schedules.one_cycle(1e-2, steps))
    step = sc.function([x], cost, updates=updates, name="learn_strokes")
    history = [step(pieces[rng.integers(0, len(pieces), BATCH)]) for _ in range(steps)]
    strokes = (directions @ model.strokes.get_value()).T
    return strokes.reshape(-1, SIDE, SIDE), history


def main(quick=False):
    """Find edges, learn to find them, learn strokes; returns the error of the learned edges."""
    images = photographs()
    edges = sobel(images)
    print(f"edges of two photographs of {images.shape[2]} × {images.shape[3]} pixels by Sobel")

    filters, history = learn_edges(images[:1], edges[:1], 4000)
    found = aligned(filters)
    wrong = float(np.abs(found - SOBEL).max())
    print(f"learned from the temple alone, error {history[0]:.2e} → {history[-1]:.2e}:")
    for mine, his in zip(found[:, 0], SOBEL[:, 0], strict=True):
        for a, b in zip(mine, his, strict=True):
            learned = " ".join(f"{v:6.3f}" for v in a)
            print(f"    {learned}      Sobel {' '.join(f'{v:6.3f}' for v in b)}")
        print()
    assert wrong < 0.02

    strokes, history = learn_strokes(images, 300 if quick else 3000)
    ends = np.mean(history[:20]), np.mean(history[-20:])
    print(f"{STROKES} strokes to describe patches by, cost {ends[0]:.1f} → {ends[1]:.1f}")
    assert ends[1] < 0.9 * ends[0]

    print("drawn:", draw_edges(images, edges))
    print("drawn:", draw_strokes(strokes))
    return wrong


# --- 4. Pictures ---------------------------------------------------------------------------------


def draw_edges(images, edges):
    """The photographs and their edges."""
    figure = Figure(figsize=(9, 6.2), dpi=150, layout="constrained")
    for row, image, edge in zip(figure.subplots(2, 2), images, edges, strict=True):
        row[0].imshow(image[0], cmap="gray")
        row[1].imshow(edge, cmap="gray_r", vmax=np.quantile(edge, 0.99))
        for axes in row:
            axes.set_axis_off()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "edges.png"
    figure.savefig(path)
    return path


def draw_strokes(strokes):
    """What each unit draws, each with a contrast of its own."""
    figure = Figure(figsize=(9, 3.1), dpi=150, layout="constrained")
    title = (
        f"the {STROKES} strokes by which {SIDE} × {SIDE} pixels of the photographs are described"
    )
    figure.suptitle(title, fontsize=10, x=0.005, ha="left")
    for axes, stroke in zip(figure.subplots(STROKES // 16, 16).flat, strokes, strict=True):
        limit = np.abs(stroke).max()
        axes.imshow(stroke, cmap="gray", vmin=-limit, vmax=limit)
        axes.set_axis_off()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "strokes.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    main()
