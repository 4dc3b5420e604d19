"""What is timed: data, and for each contestant a function that builds the same result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def _nothing(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Prepared:
    """A contestant ready to run: ``call(*arguments)`` is what the clock sees.

    ``finish(value)`` waits for the last value where calls return before their work is done;
    ``result(value)`` turns a value into a NumPy array for the comparison with the others.
    """

    call: Callable[..., Any]
    arguments: Sequence[Any] = ()
    finish: Callable[[Any], Any] = _nothing
    result: Callable[[Any], Any] = np.asarray


@dataclass(frozen=True)
class Case:
    """One comparison.

    ``bars`` are among ``fastest 1`` (so many times as fast as the best of ``rivals``, at least),
    ``pytensor 2`` (likewise), ``peak 0.65`` (this share of the machine's own speed, at least) and
    ``microseconds 1.5`` (at most); ``flops`` is the work of one call,
    where it is worth printing; ``placements`` is how often the arrays are laid out anew meanwhile,
    for work that memory bounds: which pages an array gets decides more than the code does.
    """

    name: str
    data: Callable[[], Arrays]
    contestants: dict[str, Callable[[Arrays], Prepared]]
    rivals: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()
    tolerance: float = 1e-5
    flops: float = 0.0
    placements: int = 1


def options(threads: int, name: str) -> None:
    """Tell a library its number of threads where no environment variable does."""
    if name.startswith("torch"):
        import torch

        torch.set_num_threads(threads)
    if name == "numexpr":
        import numexpr

        numexpr.set_num_threads(threads)
