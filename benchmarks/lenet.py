"""One training step of LeNet: two convolutions of 5x5, two dense layers, digits of 28x28.

Each convolution is followed by max-pooling over 2x2, a bias and tanh; the cost is the mean
cross-entropy, and gradient descent moves all eight parameters.  Besides the time of a step, the
time to the first one is measured, in a fresh process and with an empty cache.
"""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import first
from benchmarks.case import Arrays, Case
from benchmarks.libraries import contestants
from benchmarks.networks import Network
from benchmarks.report import Report

BATCH, CLASSES, HIDDEN = 100, 10, 500
RIVALS = ("jax", "jax NHWC", "torch", "torch channels_last", "torch.compile")
FIRST = first.Subject("LeNet", {"symcomp": 5, "jax": 2}, {"empty": 1.0})


def data() -> Arrays:
    """A batch of noise, and parameters as LeCun would draw them."""
    random = np.random.default_rng(7)

    def normal(*shape: int, terms: int) -> np.ndarray:
        return random.standard_normal(shape, np.float32) / np.float32(np.sqrt(terms))

    return {
        "x": normal(BATCH, 1, 28, 28, terms=1),
        "y": random.integers(0, CLASSES, BATCH).astype(np.int32),
        "filters 1": normal(20, 1, 5, 5, terms=25),
        "bias 1": np.zeros(20, np.float32),
        "filters 2": normal(50, 20, 5, 5, terms=500),
        "bias 2": np.zeros(50, np.float32),
        "rows": normal(50, 4, 4, HIDDEN, terms=800),
        "bias 3": np.zeros(HIDDEN, np.float32),
        "classes": normal(HIDDEN, CLASSES, terms=HIDDEN),
        "bias 4": np.zeros(CLASSES, np.float32),
    }


def forward(w: Any, p: dict[str, Any], x: Any, training: bool) -> tuple[Any, dict[str, Any]]:
    """The logits; there are no running averages."""
    for layer in "12":
        x = w.tanh(w.pooled_conv(x, p[f"filters {layer}"], p[f"bias {layer}"]))
    x = w.tanh(w.dense(w.flatten(x), p["rows"], p["bias 3"]))
    return w.dense(x, p["classes"], p["bias 4"]), {}


NETWORK = Network(data, forward, rate=0.05)

#: Both convolutions and both dense layers forward, their gradients (not that of the images).
FLOPS = (
    2.0 * BATCH * (2 * 24**2 * 25 * 20 + 3 * (8**2 * 500 * 50 + 800 * HIDDEN + HIDDEN * CLASSES))
)

CASES = [
    Case(
        name=f"LeNet step  batch {BATCH}",
        data=data,
        contestants=contestants(NETWORK, "train", RIVALS),
        rivals=RIVALS,
        bars=("fastest 2",),
        tolerance=1e-3,
        flops=FLOPS,
    )
]


def run(report: Report, folder: Path, names: list[str], threads: int, quick: bool) -> None:
    """From the first expression to the first step; the rounds show that of the others."""
    known = [name for name in names if name in FIRST.repeats]
    first.compare(FIRST, CASES[0], report, folder / "lenet", known, threads, quick)
