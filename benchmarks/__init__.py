"""The bars of symcomp beside its peers, in one run: ``python -m benchmarks``.

Every figure that symcomp promises is measured here, next to whichever of NumPy, JAX, PyTorch,
PyTensor, Numba and numexpr are installed.  The one idea: each contestant lives in a process of its
own, and the processes take turns (``timing.py``), so that neither the machine's drift nor another
library's spinning threads can decide the order.
"""
