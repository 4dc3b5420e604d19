"""Training steps on a GPU: the words and the network of ``benchmarks.networks``, trained there.

Each library is used as on the CPU, but everything lies on the GPU and the cost stays there.  What
the first steps cost is compared with symcomp's own results on the CPU.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks import lenet, libraries
from benchmarks.case import Arrays
from benchmarks.gpu.cases import Data, Held, Prepared
from benchmarks.networks import Network, learned, parameters_of

#: Steps whose costs are compared, and how nearly equal they must be.
STEPS, TOLERANCE = 3, 2e-3
RIVALS = ("torch", "torch.compile", "jax")


def layers(batch: int, *widths: int) -> Callable[[bool], Arrays]:
    """Data of a multilayer perceptron; small ones for a toy."""

    def data(toy: bool) -> Arrays:
        own = [min(w, 24) for w in widths] if toy else list(widths)
        own[-1] = widths[-1]
        count = min(batch, 16) if toy else batch
        random = np.random.default_rng(5)
        arrays = {
            "x": random.uniform(0, 1, (count, own[0])).astype(np.float32),
            "y": random.integers(0, own[-1], count).astype(np.int32),
        }
        for n, (m, k) in enumerate(pairwise(own)):
            weights = random.standard_normal((m, k), np.float32) / np.float32(np.sqrt(m))
            arrays |= {f"matrix {n}": weights, f"bias {n}": np.zeros(k, np.float32)}
        return arrays

    return data


def perceptron(w: Any, p: dict[str, Any], x: Any, training: bool) -> tuple[Any, dict[str, Any]]:
    """The logits of tanh layers."""
    count = sum(name.startswith("matrix") for name in p)
    for n in range(count):
        x = w.dense(x, p[f"matrix {n}"], p[f"bias {n}"])
        x = x if n == count - 1 else w.tanh(x)
    return x, {}


def _digits(batch: int) -> Callable[[bool], Arrays]:
    def data(toy: bool) -> Arrays:
        arrays, random = lenet.data(), np.random.default_rng(7)
        count = 4 if toy else batch
        arrays["x"] = random.standard_normal((count, 1, 28, 28), np.float32)
        arrays["y"] = random.integers(0, lenet.CLASSES, count).astype(np.int32)
        return arrays

    return data


@dataclass(frozen=True)
class Training:
    """One training step: plain gradient descent on the mean cross-entropy."""

    group: str
    name: str
    data: Callable[[bool], Arrays]
    forward: Callable
    rate: float
    contestants: tuple[str, ...] = ("symcomp", *RIVALS)
    #: The most microseconds that the host may spend on a call.
    host_limit: float = 0.0
    flops: Any = None
    moved: Any = None

    def arrays(self, toy: bool) -> tuple[Data, ...]:
        """None that others use."""
        return ()

    def prepare(self, library: Any, toy: bool, held: Held) -> Prepared:
        arrays = self.data(toy)
        network = Network(lambda: arrays, self.forward, self.rate)
        train = {"Symcomp": _symcomp, "Torch": _torch, "Jax": _jax}[type(library).__name__]
        step = train(library, network, arrays)
        first = [float(library.host(step())) for _ in range(STEPS)]
        return Prepared(step, lambda cost: {"costs": first})


def on_the_cpu(case: Training, toy: bool) -> list[float]:
    """What the first steps cost on the CPU."""
    arrays = case.data(toy)
    network = Network(lambda: arrays, case.forward, case.rate)
    prepared = libraries.Symcomp("symcomp").train(network, arrays)
    return [float(prepared.call(*prepared.arguments)) for _ in range(STEPS)]


def _symcomp(library: Any, network: Network, data: Arrays) -> Callable[[], Any]:
    words, sc, T = libraries.Symcomp("symcomp"), library.sc, library.m
    shared = {name: sc.shared(array, name) for name, array in parameters_of(data, False).items()}
    x = T.tensor("float32", (None, *data["x"].shape[1:]), name="x")
    y = T.ivector("y")
    logits, _ = network.forward(words, shared, x, True)
    cost = T.nn.cross_entropy_with_logits(logits, y).mean()
    parameters = [shared[name] for name in learned(shared)]
    gradients = sc.grad(cost, parameters)
    updates = [(p, p - network.rate * g) for p, g in zip(parameters, gradients, strict=True)]
    step = sc.function([x, y], cost, updates=updates, device="cuda", results="device")
    images, labels = library.put(data["x"]), library.put(data["y"])
    if library.replays:
        return lambda: step(images, labels)
    return library.alternating(step, [images, labels])


def _jax(library: Any, network: Network, data: Arrays) -> Callable[[], Any]:
    prepared = libraries.Jax("jax").train(network, data)
    return lambda: prepared.call(*prepared.arguments)


def _torch(library: Any, network: Network, data: Arrays) -> Callable[[], Any]:
    torch, words = library.m, libraries.Torch("torch")
    parameters = {
        name: library.put(array).requires_grad_(True)
        for name, array in parameters_of(data, False).items()
    }

    def loss(x: Any, y: Any) -> Any:
        logits, _ = network.forward(words, parameters, x, True)
        return torch.nn.functional.cross_entropy(logits, y)

    forward = library.compiling(loss) if library.is_compiled else loss
    optimizer = torch.optim.SGD(list(parameters.values()), lr=network.rate, fused=True)
    x, y = library.put(data["x"]), library.put(data["y"]).long()

    def step() -> Any:
        optimizer.zero_grad()
        cost = forward(x, y)
        cost.backward()
        optimizer.step()
        return cost.detach()

    return step


MLP = Training(
    "networks", "MLP 784-4096-4096-10, one step, batch 1024",
    layers(1024, 784, 4096, 4096, 10), perceptron, 0.01,
)  # fmt: skip
LENET = Training("networks", "LeNet, one step, batch 1000", _digits(1000), lenet.forward, 0.005)
SMALL = Training(
    "small step", "MLP 64-64-64-64-10, one step, batch 32", layers(32, 64, 64, 64, 64, 10),
    perceptron, 0.01, ("symcomp", "symcomp without replays", *RIVALS), host_limit=15.0,
)  # fmt: skip
NETWORKS = [MLP, LENET]
