"""symcomp: a compiler for mathematics. Symbolic tensor expressions in, fast native functions out."""

from symcomp import tensor
from symcomp.autodiff import grad, jvp, stop_gradient, vjp
from symcomp.compile.function import Function, In, function
from symcomp.graph.shared import shared
from symcomp.options import options
from symcomp.version import VERSION as __version__
