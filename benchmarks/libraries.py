"""What the words of ``networks`` mean to each library, and how it trains and predicts.

Each is written as its own users would: symcomp's parameters are shared values, JAX's are handed
back to the step, which may overwrite them, PyTorch's are updated in place by its optimiser.
Images, filters and the matrices of dense layers lie in the layout that the contestant is named for.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Arrays, Prepared
from benchmarks.networks import (
    EPSILON,
    MOMENTUM,
    OIHW_TO_HWIO,
    TO_NHWC,
    Network,
    learned,
    parameters_of,
    progress,
)


class Symcomp:
    """NCHW; parameters are shared values, updated by the function itself."""

    def __init__(self, variant: str) -> None:
        import symcomp
        import symcomp.tensor

        self.sc, self.T = symcomp, symcomp.tensor
        nn = self.T.nn
        self.tanh, self.relu = self.T.tanh, nn.relu

    def conv(self, x: Any, filters: Any, stride: int = 1, padding: int = 0) -> Any:
        return self.T.nn.conv2d(x, filters, stride=stride, padding=padding)

    def pooled_conv(self, x: Any, filters: Any, bias: Any) -> Any:
        return self.max_pool(self.conv(x, filters), 2, stride=2) + bias[:, None, None]

    def dense(self, x: Any, matrix: Any, bias: Any) -> Any:
        return x @ matrix + bias

    def max_pool(self, x: Any, window: int, stride: int, padding: int = 0) -> Any:
        return self.T.nn.max_pool(x, window, stride=stride, padding=padding)

    def mean(self, x: Any) -> Any:
        return x.mean(axis=(2, 3))

    def flatten(self, x: Any) -> Any:
        return x.reshape((x.shape[0], -1))

    def batch_norm(self, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Any:
        return self.T.nn.batch_norm(x, scale, shift, mean, variance, epsilon=EPSILON)

    def batch_norm_train(self, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> tuple:
        y, m, v = self.T.nn.batch_norm_train(x, scale, shift, epsilon=EPSILON)
        n = (x.shape[0] * x.shape[2] * x.shape[3]).astype("float32")
        kept = 1 - MOMENTUM
        return y, kept * mean + MOMENTUM * m, kept * variance + MOMENTUM * (n / (n - 1) * v)

    def _start(self, network: Network, data: Arrays, training: bool) -> tuple:
        parameters = parameters_of(data, last=False)
        shared = {name: self.sc.shared(array, name=name) for name, array in parameters.items()}
        # Any number of images, of a known size.
        x = self.T.tensor("float32", (None, *data["x"].shape[1:]), name="x")
        return parameters, shared, x, *network.forward(self, shared, x, training)

    def train(self, network: Network, data: Arrays) -> Prepared:
        start, shared, x, logits, averages = self._start(network, data, training=True)
        y = self.T.ivector("y")
        cost = self.T.nn.cross_entropy_with_logits(logits, y).mean()
        names = learned(shared)
        gradients = self.sc.grad(cost, [shared[name] for name in names])
        updates = [(shared[name], average) for name, average in averages.items()]
        for name, g in zip(names, gradients, strict=True):
            updates.append((shared[name], shared[name] - network.rate * g))
        step = self.sc.function([x, y], cost, updates=updates)

        def result(cost: Any) -> np.ndarray:
            now = {name: value.get_value() for name, value in shared.items()}
            return progress(cost, start, now, network.rate)

        return Prepared(step, (data["x"], data["y"]), result=result)

    def predict(self, network: Network, data: Arrays) -> Prepared:
        _, _, x, logits, _ = self._start(network, data, training=False)
        return Prepared(self.sc.function([x], logits), (data["x"],))


class Jax:
    """NCHW or NHWC; parameters are handed back to the step, which may overwrite them."""

    def __init__(self, variant: str) -> None:
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp
        self.last = "NHWC" in variant
        self.numbers = ("NHWC", "HWIO", "NHWC") if self.last else ("NCHW", "OIHW", "NCHW")
        self.places = (1, 2) if self.last else (2, 3)
        self.tanh, self.relu = jnp.tanh, jax.nn.relu

    def _channels(self, v: Any) -> Any:
        return v if self.last else v[:, None, None]

    def conv(self, x: Any, filters: Any, stride: int = 1, padding: int = 0) -> Any:
        pads, numbers = [(padding, padding)] * 2, self.numbers
        return self.jax.lax.conv_general_dilated(
            x, filters, (stride, stride), pads, dimension_numbers=numbers
        )

    def pooled_conv(self, x: Any, filters: Any, bias: Any) -> Any:
        return self.max_pool(self.conv(x, filters), 2, stride=2) + self._channels(bias)

    def dense(self, x: Any, matrix: Any, bias: Any) -> Any:
        return x @ matrix + bias

    def max_pool(self, x: Any, window: int, stride: int, padding: int = 0) -> Any:
        def every_axis(outer: Any, inner: Any) -> tuple:
            return tuple(inner if axis in self.places else outer for axis in range(4))

        windows, strides = every_axis(1, window), every_axis(1, stride)
        pads = every_axis((0, 0), (padding, padding))
        lax, low = self.jax.lax, -np.inf
        return lax.reduce_window(x, low, lax.max, windows, strides, pads)

    def mean(self, x: Any) -> Any:
        return x.mean(axis=self.places)

    def flatten(self, x: Any) -> Any:
        return x.reshape((x.shape[0], -1))

    def batch_norm(self, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Any:
        factor = scale * self.jax.lax.rsqrt(variance + EPSILON)
        return (x - self._channels(mean)) * self._channels(factor) + self._channels(shift)

    def batch_norm_train(self, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> tuple:
        """With the mean of squares, in one pass, as Flax has it."""
        axes = (0, *self.places)
        m = x.mean(axes)
        v = self.jnp.maximum((x * x).mean(axes) - m * m, 0)
        y, n = self.batch_norm(x, scale, shift, m, v), x.size / m.size
        kept = 1 - MOMENTUM
        return y, kept * mean + MOMENTUM * m, kept * variance + MOMENTUM * n / (n - 1) * v

    def _start(self, data: Arrays) -> tuple[dict[str, Any], Any]:
        parameters, x = parameters_of(data, self.last), data["x"]
        if self.last:
            x = x.transpose(TO_NHWC)
            for name, array in parameters.items():
                if name.startswith("filters"):
                    parameters[name] = array.transpose(OIHW_TO_HWIO)
        return parameters, self.jnp.array(x)

    def train(self, network: Network, data: Arrays) -> Prepared:
        start, x = self._start(data)
        names = learned(start)

        def loss(chosen: Any, others: Any, x: Any, y: Any) -> tuple:
            logits, averages = network.forward(self, {**others, **chosen}, x, True)
            log_p = self.jax.nn.log_softmax(logits)
            return -log_p[self.jnp.arange(y.shape[0]), y].mean(), averages

        def step(parameters: Any, x: Any, y: Any) -> tuple:
            chosen = {name: parameters[name] for name in names}
            slope = self.jax.value_and_grad(loss, has_aux=True)
            (cost, averages), gradients = slope(chosen, parameters, x, y)
            return cost, averages | {n: chosen[n] - network.rate * gradients[n] for n in names}

        compiled = self.jax.jit(step, donate_argnums=0)
        parameters = {name: self.jnp.array(array) for name, array in start.items()}

        def run(x: Any, y: Any) -> Any:
            nonlocal parameters
            cost, parameters = compiled(parameters, x, y)
            return cost

        def finish(cost: Any) -> Any:
            return self.jax.block_until_ready((cost, parameters))

        def result(cost: Any) -> np.ndarray:
            now = {name: np.asarray(value) for name, value in parameters.items()}
            return progress(cost, start, now, network.rate)

        return Prepared(run, (x, self.jnp.array(data["y"])), finish, result)

    def predict(self, network: Network, data: Arrays) -> Prepared:
        start, x = self._start(data)
        parameters = {name: self.jnp.array(array) for name, array in start.items()}
        compiled = self.jax.jit(
            lambda parameters, x: network.forward(self, parameters, x, False)[0]
        )
        return Prepared(compiled, (parameters, x), finish=self.jax.block_until_ready)


class Torch:
    """Contiguous or channels_last, eager or compiled; parameters are updated in place."""

    def __init__(self, variant: str) -> None:
        import torch

        self.torch, self.functional = torch, torch.nn.functional
        self.last, self.compiled = "channels_last" in variant, "compile" in variant
        self.form = torch.channels_last if self.last else torch.contiguous_format
        self.tanh, self.relu = torch.tanh, torch.relu

    def conv(self, x: Any, filters: Any, stride: int = 1, padding: int = 0) -> Any:
        return self.functional.conv2d(x, filters, stride=stride, padding=padding)

    def pooled_conv(self, x: Any, filters: Any, bias: Any) -> Any:
        return self.max_pool(self.functional.conv2d(x, filters, bias), 2, stride=2)

    def dense(self, x: Any, matrix: Any, bias: Any) -> Any:
        return self.torch.addmm(bias, x, matrix)

    def max_pool(self, x: Any, window: int, stride: int, padding: int = 0) -> Any:
        return self.functional.max_pool2d(x, window, stride, padding)

    def mean(self, x: Any) -> Any:
        return x.mean((2, 3))

    def flatten(self, x: Any) -> Any:
        return (x.permute(TO_NHWC) if self.last else x).flatten(1)

    def batch_norm(self, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Any:
        return self.functional.batch_norm(x, mean, variance, scale, shift, eps=EPSILON)

    def batch_norm_train(self, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> tuple:
        """The averages are updated in place."""
        given = {"training": True, "momentum": MOMENTUM, "eps": EPSILON}
        return self.functional.batch_norm(x, mean, variance, scale, shift, **given), mean, variance

    def _start(self, data: Arrays) -> tuple[dict[str, Any], Any]:
        parameters = {}
        for name, array in parameters_of(data, self.last).items():
            tensor = self.torch.tensor(array)
            images = name.startswith("filters")
            parameters[name] = tensor.contiguous(memory_format=self.form) if images else tensor
        x = self.torch.from_numpy(data["x"]).contiguous(memory_format=self.form)
        return parameters, x

    def train(self, network: Network, data: Arrays) -> Prepared:
        parameters, x = self._start(data)
        start = {name: tensor.numpy().copy() for name, tensor in parameters.items()}
        descending = [parameters[name].requires_grad_(True) for name in learned(parameters)]

        def loss(x: Any, y: Any) -> Any:
            logits, _ = network.forward(self, parameters, x, True)
            return self.functional.cross_entropy(logits, y)

        forward = self.torch.compile(loss) if self.compiled else loss
        optimizer = self.torch.optim.SGD(descending, lr=network.rate, fused=True)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            cost = forward(x, y)
            cost.backward()
            optimizer.step()
            return cost

        def result(cost: Any) -> np.ndarray:
            now = {name: tensor.detach().numpy() for name, tensor in parameters.items()}
            return progress(cost.detach(), start, now, network.rate)

        labels = self.torch.from_numpy(data["y"]).long()
        return Prepared(step, (x, labels), result=result)

    def predict(self, network: Network, data: Arrays) -> Prepared:
        parameters, x = self._start(data)

        def forward(x: Any) -> Any:
            return network.forward(self, parameters, x, False)[0]

        chosen = self.torch.compile(forward) if self.compiled else forward
        return Prepared(self.torch.no_grad()(chosen), (x,))


LIBRARIES = {"symcomp": Symcomp, "jax": Jax, "torch": Torch}


def contestants(
    network: Network, what: str, rivals: tuple[str, ...]
) -> dict[str, Callable[[Arrays], Prepared]]:
    """symcomp and the rivals, to ``train`` or to ``predict``."""

    def builder(name: str) -> Callable[[Arrays], Prepared]:
        library = LIBRARIES[name.split(".")[0].split()[0]]
        return lambda data: getattr(library(name), what)(network, data)

    return {name: builder(name) for name in ("symcomp", *rivals)}
