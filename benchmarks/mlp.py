"""One training step of a multilayer perceptron, 784-500-10, as every contestant would write it.

``cost = -mean(log_softmax(tanh(x W + b) V + c)[i, yᵢ]) + 0.0001 (ΣW² + ΣV²)``, and plain gradient
descent on all four parameters, float32.  The data lie where each library likes them (on JAX's
device, in PyTorch tensors); JAX may overwrite its old parameters (donated buffers).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Arrays, Case, Prepared

PARAMETERS = ("W", "b", "V", "c")
RATE, DECAY = 0.01, 0.0001


def _data(batch: int) -> Arrays:
    random = np.random.default_rng(5)

    def layer(m: int, n: int) -> np.ndarray:
        return random.uniform(-1, 1, (m, n)).astype(np.float32) * np.float32(np.sqrt(6 / (m + n)))

    return {
        "x": random.uniform(0, 1, (batch, 784)).astype(np.float32),
        "y": random.integers(0, 10, batch).astype(np.int32),
        "W": layer(784, 500),
        "b": np.zeros(500, np.float32),
        "V": layer(500, 10),
        "c": np.zeros(10, np.float32),
    }


def _symcomp(data: Arrays) -> Prepared:
    import symcomp as sc
    import symcomp.tensor as T

    x, y = T.fmatrix("x"), T.ivector("y")
    parameters = W, b, V, c = [sc.shared(data[name], name=name) for name in PARAMETERS]
    logp = T.nn.log_softmax(T.tanh(x @ W + b) @ V + c)
    cost = -logp[T.arange(y.shape[0]), y].mean() + DECAY * ((W**2).sum() + (V**2).sum())
    gradients = sc.grad(cost, parameters)
    updates = [(p, p - RATE * g) for p, g in zip(parameters, gradients, strict=True)]
    return Prepared(sc.function([x, y], cost, updates=updates), (data["x"], data["y"]))


def _numpy(data: Arrays) -> Prepared:
    W, b, V, c = (data[name].copy() for name in PARAMETERS)

    def step(x: np.ndarray, y: np.ndarray) -> np.float32:
        rows = np.arange(len(y))
        h = np.tanh(x @ W + b)
        z = h @ V + c
        z -= z.max(axis=1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        cost = -logp[rows, y].mean() + DECAY * ((W**2).sum() + (V**2).sum())
        dz = np.exp(logp)
        dz[rows, y] -= 1
        dz /= np.float32(len(y))
        da = (dz @ V.T) * (1 - h * h)
        dV, dW = h.T @ dz + (2 * DECAY) * V, x.T @ da + (2 * DECAY) * W
        for parameter, gradient in ((W, dW), (b, da.sum(0)), (V, dV), (c, dz.sum(0))):
            parameter -= RATE * gradient
        return cost

    return Prepared(step, (data["x"], data["y"]))


def _jax(data: Arrays) -> Prepared:
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        W, b, V, c = parameters
        logp = jax.nn.log_softmax(jnp.tanh(x @ W + b) @ V + c)
        data_cost = -logp[jnp.arange(y.shape[0]), y].mean()
        return data_cost + DECAY * ((W**2).sum() + (V**2).sum())

    def step(parameters: Any, x: Any, y: Any) -> Any:
        cost, gradients = jax.value_and_grad(loss)(parameters, x, y)
        return cost, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    compiled = jax.jit(step, donate_argnums=0)
    parameters = [jnp.array(data[name]) for name in PARAMETERS]

    def run(x: Any, y: Any) -> Any:
        nonlocal parameters
        cost, parameters = compiled(parameters, x, y)
        return cost

    arguments = jnp.asarray(data["x"]), jnp.asarray(data["y"])
    return Prepared(run, arguments, finish=lambda cost: jax.block_until_ready((cost, parameters)))


def _torch(compiled: bool) -> Callable[[Arrays], Prepared]:
    def build(data: Arrays) -> Prepared:
        import torch

        parameters = W, b, V, c = [
            torch.tensor(data[name], requires_grad=True) for name in PARAMETERS
        ]

        def loss(x: Any, y: Any) -> Any:
            logp = torch.log_softmax(torch.tanh(x @ W + b) @ V + c, dim=1)
            data_cost = -logp[torch.arange(y.shape[0]), y].mean()
            return data_cost + DECAY * ((W**2).sum() + (V**2).sum())

        forward = torch.compile(loss) if compiled else loss
        optimizer = torch.optim.SGD(parameters, lr=RATE)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            cost = forward(x, y)
            cost.backward()
            optimizer.step()
            return cost

        arguments = torch.from_numpy(data["x"]), torch.from_numpy(data["y"]).long()
        return Prepared(step, arguments, result=lambda cost: cost.detach().numpy())

    return build


def _pytensor(data: Arrays) -> Prepared:
    import pytensor
    import pytensor.tensor as pt

    x, y = pt.fmatrix("x"), pt.ivector("y")
    parameters = W, b, V, c = [pytensor.shared(data[name], name=name) for name in PARAMETERS]
    logp = pt.special.log_softmax(pt.tanh(x @ W + b) @ V + c, axis=-1)
    rate, decay = np.float32(RATE), np.float32(DECAY)
    cost = -logp[pt.arange(y.shape[0]), y].mean() + decay * ((W**2).sum() + (V**2).sum())
    gradients = pytensor.grad(cost, parameters)
    updates = [(p, p - rate * g) for p, g in zip(parameters, gradients, strict=True)]
    return Prepared(pytensor.function([x, y], cost, updates=updates), (data["x"], data["y"]))


def training_step(batch: int) -> Case:
    """The step at one size of batch."""
    return Case(
        name=f"MLP step  batch {batch}",
        data=lambda: _data(batch),
        contestants={
            "symcomp": _symcomp,
            "numpy": _numpy,
            "jax": _jax,
            "torch": _torch(compiled=False),
            "torch.compile": _torch(compiled=True),
            "pytensor C": _pytensor,
            "pytensor numba": _pytensor,
        },
        rivals=("jax",),
        bars=("fastest 1", "pytensor 2"),
        tolerance=1e-4,
        flops=2.0 * batch * (2 * 784 * 500 + 3 * 500 * 10),
    )


CASES = [training_step(20), training_step(128), training_step(600)]
