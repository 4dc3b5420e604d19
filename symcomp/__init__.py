"""symcomp: a compiler for mathematics. Tensor expressions in, one fast native function out."""

from symcomp import tensor
from symcomp.autodiff import check_gradient, grad, hessian, jacobian, jvp, vjp
from symcomp.compile.function import Function, In, function
from symcomp.graph.latex import dot as to_dot
from symcomp.graph.latex import latex
from symcomp.graph.shared import shared
from symcomp.options import options
from symcomp.rewrite import simplify
from symcomp.tensor.foreign import c_function, equation, python_op
from symcomp.tensor.gradients import stop_gradient
from symcomp.version import VERSION as __version__
