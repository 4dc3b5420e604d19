"""sc.nn: layers, initializers, optimizers and schedules, written in symcomp's public names alone.

Nothing here knows how symcomp works: a layer is a function from expressions to expressions that
keeps its shared values, an optimizer a function from a cost to updates.

    model = sc.nn.Sequential(sc.nn.Dense(784, 500), T.tanh, sc.nn.Dense(500, 10))
    cost = T.nn.cross_entropy_with_logits(model(x, training=True), labels).mean()
    updates = sc.nn.adam(cost, model) + model.updates()
    step = sc.function([x, labels], cost, updates=updates)
    predict = sc.function([x], T.argmax(model(x), axis=1))
    model.save("digits.safetensors")
"""

from symcomp.nn import initializers, schedules
from symcomp.nn.images import (
    AveragePool,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
    Pool,
)
from symcomp.nn.initializers import seed
from symcomp.nn.layers import Dense, Dropout, Embedding, Flatten, Lambda, Residual, Sequential
from symcomp.nn.module import Module
from symcomp.nn.normalization import BatchNorm, GroupNorm, LayerNorm
from symcomp.nn.optimizers import (
    adadelta,
    adagrad,
    adam,
    adamax,
    adamw,
    lamb,
    momentum,
    nadam,
    nesterov,
    rmsprop,
    sgd,
)
from symcomp.nn.saving import StateError, load, restore, save
from symcomp.nn.training import (
    average,
    average_stochastic_weights,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    decay_weights,
    global_norm,
    l1,
    l2,
)
