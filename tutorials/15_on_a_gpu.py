"""15: on a GPU, with one word changed.

The networks of tutorials 04 and 07, a multilayer perceptron and LeNet, trained on a GPU: the word
is device="cuda". Everything else stays as it was: the same expressions, the same rules, the same
call. What changes is what the compiler writes: CUDA kernels, and a C function that launches them.

On a machine without a GPU this tutorial says so, shows what would run, and trains on the CPU. With
SYMCOMP_CUDA_DRIVER=host the kernels run in an emulation, which needs no GPU, and is slow.

Run it:  python tutorials/15_on_a_gpu.py
"""

from time import perf_counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symcomp as sc
import symcomp.tensor as T
from symcomp import nn
from symcomp.errors import GpuError

HIDDEN, BATCH, RATE, DECAY, MOMENTUM = 256, 32, 0.05, 1e-4, 0.9
EPOCHS = 20
STEPS_IN_THE_EMULATION = 3


def digits():
    """Training and held-out images (n, 1, 8, 8), float32 from 0 to 1, and labels."""
    data = load_digits()
    images = (data.images[:, None] / 16).astype("float32")
    labels = data.target.astype("int64")
    parts = train_test_split(images, labels, test_size=1 / 3, random_state=0, stratify=labels)
    train_x, test_x, train_y, test_y = parts
    return train_x, train_y, test_x, test_y


# --- 1. Is there a GPU? --------------------------------------------------------------------------
#
# What is needed: NVIDIA's driver, the package pycuda, and a compiler of kernels (NVRTC or nvcc).
# The first thing that is asked of a GPU takes it, or raises a GpuError that says what is missing.
# `python -m symcomp doctor` tells more.


def device():
    """Where this tutorial trains: "cuda", or "cpu" where there is no GPU."""
    try:
        sc.to_device(0.0)
    except GpuError as error:
        print(f"no GPU here: {error.message}")
        print("so what follows shows what a GPU would run, and trains on the CPU")
        return "cpu"
    emulated = sc.options.cuda_driver == "host"
    print("the GPU is emulated: a few steps only" if emulated else "there is a GPU: it trains")
    return "cuda"


# --- 2. The perceptron of tutorial 04 ------------------------------------------------------------
#
# Parameters are shared values. A function on a GPU takes them there at its first call, and there
# they stay: a training step moves one batch to the GPU and one number back. `get_value()` brings
# a value to the host when you ask for it.


def perceptron(where):
    """The training step step(images, labels, rate) → cost, on the device of that name."""
    rng = np.random.default_rng(1)
    x = T.tensor("float32", shape=(None, 64), name="x")
    labels, rate = T.lvector("labels"), T.fscalar("rate")
    W = sc.shared(rng.normal(0, 1 / 8, (64, HIDDEN)).astype("float32"), "W")
    V = sc.shared(rng.normal(0, 1 / 16, (HIDDEN, 10)).astype("float32"), "V")
    b, c = sc.shared(np.zeros(HIDDEN, "float32"), "b"), sc.shared(np.zeros(10, "float32"), "c")
    logits = T.tanh(x @ W + b) @ V + c
    fit = T.nn.cross_entropy_with_logits(logits, labels).mean()
    cost = fit + DECAY * ((W * W).sum() + (V * V).sum())
    updates = []
    for p, g in zip((W, b, V, c), sc.grad(cost, [W, b, V, c]), strict=True):
        velocity = sc.shared(np.zeros_like(p.get_value()), f"velocity of {p}")
        faster = MOMENTUM * velocity - rate * g
        updates += [(velocity, faster), (p, p + faster)]
    name = "training_step"
    step = sc.function([x, labels, rate], fit, updates=updates, name=name, device=where)
    read = sc.function([x], T.argmax(logits, axis=1), name="read", device=where)
    return step, read


# --- 3. What a GPU runs --------------------------------------------------------------------------
#
# `explain` shows a function as it is, or as it would be on another device; for that no GPU is
# needed. "plan" lists the steps, "cuda" is the source of the kernels, and "c" the C function that
# launches them. A loop over `threads` gives each thread its elements; in a loop over `teams` the
# threads of a team share one row, and fold it together. Products go to cuBLAS, or, where that is
# not installed, to symcomp's own kernels.


def show(step):
    """The plan of a training step on a GPU, and one of its kernels."""
    print()
    print("the steps of one training step on a GPU:")
    for line in step.explain("plan", device="cuda").splitlines():
        if line[:2].strip().isdigit():
            print(f"  {line}")
    print()
    print("one of its kernels, which finishes a layer:")
    kernels = step.explain("cuda").split("\n\n")
    print(next(k for k in kernels if "__global__" in k and "sc_tanh" in k))
    print()


# --- 4. Learning ---------------------------------------------------------------------------------


def learn(name, step, images, labels, epochs, most=None):
    """Train, at most so many steps; the costs of all steps."""
    rng, costs = np.random.default_rng(0), []
    begin = perf_counter()
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        for start in range(0, len(order) - BATCH, BATCH):
            chosen = order[start : start + BATCH]
            costs.append(float(step(images[chosen], labels[chosen], RATE * (1 - epoch / epochs))))
            if most and len(costs) == most:
                break
        if most and len(costs) >= most:
            break
    seconds = perf_counter() - begin
    print(f"{name}: {len(costs)} steps, {1e6 * seconds / len(costs):.0f} µs each")
    assert np.isfinite(costs).all()
    return costs


# --- 5. LeNet, as in tutorial 07 -----------------------------------------------------------------
#
# `sc.nn` needs no word at all: functions that are made within `sc.options(device="cuda")`, or with
# SYMCOMP_DEVICE=cuda in the environment, go to the GPU. Convolutions are cuDNN's where it is
# installed, else symcomp's own. Dropout draws the same random bits there as on the CPU.


def lenet():
    """The training step of a small LeNet, on the device of the option."""
    nn.seed(0)
    relu = T.nn.relu
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding="same", dtype="float32"), relu, nn.MaxPool(2),
        nn.Conv2d(12, 24, 3, padding="same", dtype="float32"), relu, nn.MaxPool(2),
        nn.Flatten(), nn.Dense(96, 48, dtype="float32"), relu, nn.Dropout(0.2),
        nn.Dense(48, 10, dtype="float32"),
    )  # fmt: skip
    x, labels = T.tensor("float32", (None, 1, 8, 8), "x"), T.lvector("labels")
    cost = T.nn.cross_entropy_with_logits(model(x, training=True), labels).mean()
    rate = T.fscalar("rate")
    updates = nn.momentum(cost, model, rate, momentum=MOMENTUM)
    return sc.function([x, labels, rate], cost, updates=updates, name="lenet")


# --- 6. Arrays that stay -------------------------------------------------------------------------
#
# `sc.to_device` puts an array on the GPU once; functions take it like NumPy's. With
# results="device" results stay there, too, and nobody waits for them. CuPy, PyTorch and JAX take
# these arrays as they are, and functions take theirs (`__cuda_array_interface__`).


def stay():
    """A chain of two functions between which nothing comes back to the host."""
    x = T.fvector("x")
    double = sc.function([x], 2 * x, device="cuda", results="device")
    total = sc.function([x], x.sum(), device="cuda")
    there = double(double(sc.to_device(np.ones(1000, "float32"))))
    print(f"{there!r}: its sum is {float(total(there)):g}")


def main(quick=False):
    """Show, train and compare; returns the share of held-out digits that the perceptron reads."""
    train_x, train_y, test_x, test_y = digits()
    where = device()
    emulated = where == "cuda" and sc.options.cuda_driver == "host"
    epochs = EPOCHS // 2 if quick else EPOCHS
    most = STEPS_IN_THE_EMULATION if emulated else None

    flat, held_out = train_x.reshape(-1, 64), test_x.reshape(-1, 64)
    step, read = perceptron(where)
    show(step)
    costs = learn(f"perceptron on device {where!r}", step, flat, train_y, epochs, most)
    right = float((read(held_out) == test_y).mean())
    if where == "cuda":
        on_cpu, _ = perceptron("cpu")
        same = learn("the same on the CPU", on_cpu, flat, train_y, epochs, most)
        print(f"the first costs differ by {np.abs(np.subtract(costs, same)[:3]).max():.1g}")
        stay()
    with sc.options(device=where):
        lenet_step = lenet()
    costs = learn(f"LeNet on device {where!r}", lenet_step, train_x, train_y, epochs // 2, most)
    if not emulated:
        print(f"the perceptron reads {right:.2%} of the held-out digits")
        assert right >= 0.95 and np.mean(costs[-20:]) < 0.2 * np.mean(costs[:5])
    return right


if __name__ == "__main__":
    main()
