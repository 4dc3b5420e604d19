"""symcomp on a GPU beside its peers, checked and timed in one run: ``python -m benchmarks.gpu``.

The one idea: the run has a clock of its own and always reaches its end.  Each contestant lives in a
process that may fail, and is then a row that says so; what would not fit into the time any more is
left out, and named.
"""
