"""Optimizers: from a cost and its parameters to the updates of one training step.

Each optimizer is a function that returns pairs (shared value, its new value), the form that
`sc.function(…, updates=…)` takes, so that a whole training step is compiled as one:

    updates = sc.nn.adam(cost, parameters, learning_rate=1e-3)
    step = sc.function([x, labels], cost, updates=updates)

What all of them take:

    cost           a scalar expression; or a list of gradients, one for each parameter
    parameters     shared values in a list, or a dict of them by name, or a module
    learning_rate  a number, an expression, a shared value, or a schedule: a function from the
                   number of steps taken before this one to an expression (`sc.nn.schedules`)

The state of an optimizer is shared values in the dtype of their parameter, named after it:
"<parameter>/adam_m". The number of steps taken is one int64 of the optimizer: "adam/step". What is
computed from it is a scalar, kept in float64 and rounded once to the dtype of the parameter.
The definitions agree with PyTorch's, which is not always the letter of the paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import symcomp as sc
import symcomp.tensor as T
from symcomp.nn.step import Step, Updates, cast_like


def sgd(cost: Any, parameters: Any, learning_rate: Any = 0.01) -> Updates:
    """p ← p − rate·g: gradient descent (Robbins and Monro, A stochastic approximation method,
    1951)."""
    step = Step("sgd", cost, parameters, learning_rate)
    for p, g in step:
        step.put(p, p - step.rate(p) * g)
    return step.updates


def momentum(
    cost: Any, parameters: Any, learning_rate: Any = 0.01, momentum: float = 0.9
) -> Updates:
    """v ← momentum·v + g;  p ← p − rate·v (Polyak, Some methods of speeding up the convergence of
    iteration methods, 1964)."""
    step = Step("momentum", cost, parameters, learning_rate, momentum=momentum)
    for p, g in step:
        v = step.gather(p, "velocity", momentum, g)
        step.put(p, p - step.rate(p) * v)
    return step.updates


def nesterov(
    cost: Any, parameters: Any, learning_rate: Any = 0.01, momentum: float = 0.9
) -> Updates:
    """v ← momentum·v + g;  p ← p − rate·(g + momentum·v) (Nesterov, 1983, in the form of Sutskever
    et al., On the importance of initialization and momentum in deep learning, 2013)."""
    step = Step("nesterov", cost, parameters, learning_rate, momentum=momentum)
    for p, g in step:
        v = step.gather(p, "velocity", momentum, g)
        step.put(p, p - step.rate(p) * (g + momentum * v))
    return step.updates


def adagrad(
    cost: Any, parameters: Any, learning_rate: Any = 0.01, epsilon: float = 1e-10
) -> Updates:
    """s ← s + g²;  p ← p − rate·g / (√s + ε) (Duchi, Hazan and Singer, Adaptive subgradient methods
    for online learning and stochastic optimization, 2011)."""
    step = Step("adagrad", cost, parameters, learning_rate)
    for p, g in step:
        s = step.gather(p, "squares", 1.0, g * g)
        step.put(p, p - step.rate(p) * g / (T.sqrt(s) + epsilon))
    return step.updates


def rmsprop(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 0.01,
    decay: float = 0.99,
    epsilon: float = 1e-8,
    momentum: float = 0.0,
    centered: bool = False,
) -> Updates:
    """s ← mean of g²;  p ← p − rate·g / (√s + ε), the means decaying (Tieleman and Hinton, lecture
    6.5 of Neural networks for machine learning, 2012).

    `centered` divides by the standard deviation of g instead (Graves, Generating sequences with
    recurrent neural networks, 2013). With momentum, v ← momentum·v + g / (√s + ε) takes the place
    of the quotient.
    """
    step = Step("rmsprop", cost, parameters, learning_rate, decay=decay, momentum=momentum)
    for p, g in step:
        s = step.average(p, "squares", decay, g * g)
        if centered:
            s = s - T.square(step.average(p, "mean", decay, g))
        move = g / (T.sqrt(s) + epsilon)
        if momentum:
            move = step.gather(p, "velocity", momentum, move)
        step.put(p, p - step.rate(p) * move)
    return step.updates


def adadelta(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 1.0,
    decay: float = 0.9,
    epsilon: float = 1e-6,
) -> Updates:
    """d = g·√(u + ε) / √(s + ε);  p ← p − rate·d, where s and u are decaying means of g² and d²
    (Zeiler, ADADELTA: an adaptive learning rate method, 2012)."""
    step = Step("adadelta", cost, parameters, learning_rate, decay=decay)
    for p, g in step:
        s = step.average(p, "squares", decay, g * g)
        u = step.state(p, "changes")
        d = g * T.sqrt(u + epsilon) / T.sqrt(s + epsilon)
        step.put(u, decay * u + (1 - decay) * d * d)
        step.put(p, p - step.rate(p) * d)
    return step.updates


def adam(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    amsgrad: bool = False,
) -> Updates:
    """p ← p − rate·m̂ / (√v̂ + ε), where m̂ and v̂ are decaying means of g and g², corrected for
    their start at 0 (Kingma and Ba, Adam: a method for stochastic optimization, 2015).

    `amsgrad` divides by the largest v so far (Reddi, Kale and Kumar, On the convergence of Adam
    and beyond, 2018).
    """
    step = Step("adam", cost, parameters, learning_rate, beta1=beta1, beta2=beta2)
    for p, g in step:
        step.put(p, p - step.rate(p) * _adam_move(step, p, g, beta1, beta2, epsilon, amsgrad))
    return step.updates


def adamw(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
    amsgrad: bool = False,
) -> Updates:
    """Adam with decay of the weights apart from the gradient: p ← (1 − rate·weight_decay)·p − …
    (Loshchilov and Hutter, Decoupled weight decay regularization, 2019)."""
    step = Step("adamw", cost, parameters, learning_rate, beta1=beta1, beta2=beta2)
    for p, g in step:
        move = _adam_move(step, p, g, beta1, beta2, epsilon, amsgrad)
        step.put(p, p - step.rate(p) * (move + weight_decay * p))
    return step.updates


def _adam_move(step: Step, p, g, beta1, beta2, epsilon, amsgrad=False) -> sc.Expr:
    """m̂ / (√v̂ + ε), with the corrections gathered into two scalars."""
    m = step.average(p, "m", beta1, g)
    v = step.average(p, "v", beta2, g * g)
    if amsgrad:
        largest = step.state(p, "largest_v")
        v = step.put(largest, T.maximum(largest, v))
    root = T.sqrt(1 - beta2**step.number)
    scale = cast_like(root / (1 - beta1**step.number), p)
    return scale * m / (T.sqrt(v) + cast_like(epsilon * root, p))


def adamax(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Updates:
    """u ← max(β₂·u, |g| + ε);  p ← p − rate·m̂ / u: Adam by the largest gradient instead of the
    mean square (Kingma and Ba, 2015, section 7.1)."""
    step = Step("adamax", cost, parameters, learning_rate, beta1=beta1, beta2=beta2)
    for p, g in step:
        m = step.average(p, "m", beta1, g)
        u = step.state(p, "largest")
        largest = step.put(u, T.maximum(beta2 * u, abs(g) + epsilon))
        scale = cast_like(1 / (1 - beta1**step.number), p)
        step.put(p, p - step.rate(p) * scale * m / largest)
    return step.updates


def nadam(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    momentum_decay: float = 4e-3,
) -> Updates:
    """Adam with Nesterov's momentum, which grows from β₁/2 to β₁ (Dozat, Incorporating Nesterov
    momentum into Adam, 2016)."""
    step = Step("nadam", cost, parameters, learning_rate, beta1=beta1, beta2=beta2)
    t = step.number
    now = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    then = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    so_far = sc.shared(np.float64(1), "nadam/momentum_product")
    product = step.put(so_far, so_far * now)
    for p, g in step:
        m = step.average(p, "m", beta1, g)
        v = step.average(p, "v", beta2, g * g)
        root = T.sqrt(1 - beta2**t)
        of_g = cast_like(root * (1 - now) / (1 - product), p)
        of_m = cast_like(root * then / (1 - product * then), p)
        move = (of_g * g + of_m * m) / (T.sqrt(v) + cast_like(epsilon * root, p))
        step.put(p, p - step.rate(p) * move)
    return step.updates


def lamb(
    cost: Any,
    parameters: Any,
    learning_rate: Any = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-6,
    weight_decay: float = 0.0,
) -> Updates:
    """Adam's step d, with decay, made as long as its parameter: p ← p − rate·(‖p‖/‖d‖)·d (You et
    al., Large batch optimization for deep learning: training BERT in 76 minutes, 2020).

    The quotient is 1 where either norm is 0.
    """
    step = Step("lamb", cost, parameters, learning_rate, beta1=beta1, beta2=beta2)
    for p, g in step:
        d = _adam_move(step, p, g, beta1, beta2, epsilon) + weight_decay * p
        of_p, of_d = T.sqrt((p * p).sum()), T.sqrt((d * d).sum())
        trust = T.where((of_p > 0) & (of_d > 0), of_p / of_d, 1)
        step.put(p, p - step.rate(p) * trust * d)
    return step.updates
