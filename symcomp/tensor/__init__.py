"""The mathematics: every operation once, with its type rule, equation, derivative, NumPy reference
and samples.
"""

from symcomp.graph.scalar import define, primitive
from symcomp.tensor import (
    aliases,
    arithmetic,
    arrange,
    convolution,
    creation,
    cumulative,
    elementary,
    filtering,
    foreign,
    gradients,
    indexing,
    keys,
    layout,
    linear,
    nn,
    operators,
    pooling,
    random,
    reduction,
    resizing,
    special,
    ufuncs,
)
from symcomp.tensor.arithmetic import *
from symcomp.tensor.arrange import *
from symcomp.tensor.creation import (
    arange,
    eye,
    full,
    full_like,
    identity,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from symcomp.tensor.cumulative import *
from symcomp.tensor.elementary import *
from symcomp.tensor.filtering import convolve, correlate
from symcomp.tensor.gradients import *
from symcomp.tensor.indexing import *
from symcomp.tensor.keys import *
from symcomp.tensor.layout import *
from symcomp.tensor.linear import *
from symcomp.tensor.reduction import *
from symcomp.tensor.special import *

globals().update(creation.constructors)
globals().update(aliases.ALIASES)
