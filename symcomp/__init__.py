"""symcomp: a compiler for mathematics. Symbolic tensor expressions in, fast native functions out."""

from symcomp import tensor
from symcomp.autodiff import check_gradient, grad, hessian, jacobian, jvp, vjp
from symcomp.compile.function import Function, In, function
from symcomp.graph.shared import shared
from symcomp.options import options
from symcomp.tensor.foreign import c_function, equation, python_op
from symcomp.tensor.gradients import stop_gradient
from symcomp.version import VERSION as __version__
