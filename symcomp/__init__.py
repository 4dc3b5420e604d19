"""symcomp: a compiler for mathematics. Tensor expressions in, one fast native function out."""

import importlib

from symcomp import random, tensor
from symcomp.autodiff import check_gradient, grad, hessian, jacobian, jvp, vjp
from symcomp.codegen.device_array import DeviceArray, to_device
from symcomp.compile.function import Function, In, function
from symcomp.graph.expr import Expr
from symcomp.graph.latex import dot as to_dot
from symcomp.graph.latex import latex
from symcomp.graph.shared import Shared, shared
from symcomp.options import options
from symcomp.rewrite import simplify
from symcomp.tensor.foreign import c_function, equation, python_op
from symcomp.tensor.gradients import stop_gradient
from symcomp.version import VERSION as __version__


def __getattr__(name: str):
    """`sc.nn` is loaded when it is first used: not every program has layers."""
    if name == "nn":
        return importlib.import_module("symcomp.nn")
    raise AttributeError(f"module 'symcomp' has no attribute {name!r}")
