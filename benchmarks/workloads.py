"""The cases that are timed in rounds, by group."""

from benchmarks import call, convolution, elementwise, gemm, lenet, mlp, resnet
from benchmarks.case import Case

GROUPS = {
    "mlp": mlp.CASES,
    "elementwise": elementwise.CASES,
    "call": call.CASES,
    "gemm": gemm.CASES,
    "conv": convolution.CASES,
    "lenet": lenet.CASES,
    "resnet": resnet.CASES,
}


def find_case(name: str) -> Case:
    """The case of that name."""
    return next(case for cases in GROUPS.values() for case in cases if case.name == name)
