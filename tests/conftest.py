"""What all tests share: a cache of their own, options of the suite, and seeds that can be repeated.

The compiled functions of a run go to one temporary folder that all workers of the run share, so
that no test reads or fills the user's cache, and none finds what another run has left.
`--symcomp-cache` names a folder to keep instead.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest


def pytest_addoption(parser):
    group = parser.getgroup("symcomp")
    group.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files with what is generated now",
    )
    group.addoption("--symcomp-cache", default="", help="keep compiled functions in this folder")
    group.addoption(
        "--programs", type=int, default=0, help="how many random programs of each kind to try"
    )
    group.addoption(
        "--all-dtypes",
        action="store_true",
        help="run the laws of operations in every dtype on a GPU, too, not in one of each class",
    )
    group.addoption("--seed", type=int, default=0, help="the seed of the first random program")


#: Where the first process of a run tells its workers which folder they share.
_SHARED = "SYMCOMP_TEST_CACHE"


def pytest_configure(config):
    """Choose the folder before anything of symcomp is imported."""
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        chosen = config.getoption("--symcomp-cache")
        config.symcomp_temporary = "" if chosen else tempfile.mkdtemp(prefix="symcomp-tests-")
        os.environ[_SHARED] = os.path.abspath(chosen or config.symcomp_temporary)
    os.environ["SYMCOMP_CACHE"] = os.environ[_SHARED]
    # What runs on a GPU is emulated, unless the environment asks for a real one ("pycuda").
    os.environ.setdefault("SYMCOMP_CUDA_DRIVER", "host")
    # Processes that tests start find the package too, installed or not.
    root = str(Path(__file__).parents[1])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(p for p in (root, *paths) if p)


def pytest_unconfigure(config):
    folder = getattr(config, "symcomp_temporary", "")
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def update_golden(request) -> bool:
    return request.config.getoption("--update-golden")


@pytest.fixture(autouse=True)
def seeded(request):
    """Every test starts from the same random numbers, whichever ran before it."""
    seed = request.config.getoption("--seed")
    random.seed(seed)
    np.random.seed(seed)


@pytest.fixture
def rng(request) -> np.random.Generator:
    return np.random.default_rng(request.config.getoption("--seed"))
