"""The vocabulary of neural networks, `T.nn`: activations, losses, normalisation, convolutions.

The modules that are imported here declare it. Losses are one value for each example: take `.mean()`
for a cost.
"""

from symcomp.tensor.activations import LogSoftmax as LogSoftmax
from symcomp.tensor.activations import Softmax as Softmax
from symcomp.tensor.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    log_softmin,
    maxout,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    silu,
    soft_shrink,
    softmax,
    softmin,
    softsign,
    swish,
    tanh_shrink,
    threshold_relu,
)
from symcomp.tensor.attention import (
    attention,
)
from symcomp.tensor.ctc import (
    ctc_loss,
)
from symcomp.tensor.elementary import (
    sigmoid,
    softplus,
    tanh,
)
from symcomp.tensor.embeddings import (
    embedding,
)
from symcomp.tensor.filtering import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from symcomp.tensor.indexing import (
    one_hot,
)
from symcomp.tensor.losses import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    binary_crossentropy,
    categorical_crossentropy,
    cosine_embedding,
    cosine_similarity,
    cross_entropy,
    cross_entropy_with_logits,
    focal,
    gaussian_nll,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    multi_class_hinge,
    poisson_nll,
    smooth_l1,
    squared_error,
    squared_hinge,
    triplet,
)
from symcomp.tensor.normalization import (
    batch_norm,
    batch_norm_train,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
    standardize,
)
from symcomp.tensor.pooling import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    global_average_pool,
    global_max_pool,
    images2neighbours,
    max_pool,
    pool,
)
from symcomp.tensor.random import (
    alpha_dropout,
    dropout,
)
from symcomp.tensor.reduction import (
    logsumexp,
)
from symcomp.tensor.resizing import (
    upsample,
)

__all__ = [
    "absolute_error", "adaptive_average_pool", "adaptive_max_pool", "alpha_dropout",
    "attention", "average_pool", "batch_norm", "batch_norm_train", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "binary_crossentropy", "categorical_crossentropy",
    "celu", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "cosine_embedding", "cosine_similarity", "cross_entropy",
    "cross_entropy_with_logits", "ctc_loss", "dropout", "elu", "embedding", "focal",
    "gaussian_nll", "gelu", "global_average_pool", "global_max_pool", "glu", "group_norm",
    "hard_shrink", "hard_sigmoid", "hard_swish", "hard_tanh", "hinge", "huber",
    "images2neighbours", "instance_norm", "kl_divergence", "layer_norm", "leaky_relu",
    "local_response_norm", "log_cosh", "log_sigmoid", "log_softmax", "log_softmin", "logsumexp",
    "max_pool", "maxout", "mish", "multi_class_hinge", "one_hot", "poisson_nll", "pool",
    "prelu", "relu", "relu6", "rms_norm", "selu", "sigmoid", "silu", "smooth_l1", "soft_shrink",
    "softmax", "softmin", "softplus", "softsign", "squared_error", "squared_hinge",
    "standardize", "swish", "tanh", "tanh_shrink", "threshold_relu", "triplet", "upsample",
]  # fmt: skip
