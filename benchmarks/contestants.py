"""Who takes part: the package it needs, what is imported before the clock starts, its environment.

One table.  A contestant whose package is not installed is left out of every comparison.  All of
them run on the same processors, with the same number of threads, and with every cache inside one
folder that the parent hands out, so that a run never profits from an earlier one.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

#: No library, but a loop that shows what the machine can do.
PEAK = "FMA peak"


@dataclass(frozen=True)
class Contestant:
    """A library, used in one particular way."""

    package: str
    imports: tuple[str, ...]
    environment: dict[str, str]


def _pytensor(linker: str) -> Contestant:
    flags = f"floatX=float32,linker={linker},openmp=True,base_compiledir={{cache}}/pytensor"
    return Contestant("pytensor", ("pytensor", "pytensor.tensor"), {"PYTENSOR_FLAGS": flags})


_JAX = Contestant(
    "jax",
    ("jax", "jax.numpy"),
    {"JAX_ENABLE_X64": "1", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"},
)

CONTESTANTS = {
    "symcomp": Contestant("symcomp", ("symcomp", "symcomp.tensor"), {}),
    "numpy": Contestant("numpy", ("numpy",), {}),
    "jax": _JAX,
    "jax NHWC": _JAX,
    "torch": Contestant("torch", ("torch",), {}),
    "torch channels_last": Contestant("torch", ("torch",), {}),
    "torch.compile": Contestant("torch", ("torch",), {}),
    "torch.compile channels_last": Contestant("torch", ("torch",), {}),
    "numexpr": Contestant("numexpr", ("numexpr",), {}),
    "numba": Contestant("numba", ("numba",), {}),
    "numba ufunc": Contestant("numba", ("numba",), {}),
    "pytensor C": _pytensor("cvm"),
    "pytensor numba": _pytensor("numba"),
    PEAK: Contestant("numpy", ("numpy",), {}),
}

_THREADS = (
    "SYMCOMP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
)
_CACHES = {
    "SYMCOMP_CACHE": "symcomp",
    "TORCHINDUCTOR_CACHE_DIR": "torch",
    "NUMBA_CACHE_DIR": "numba",
    "JAX_COMPILATION_CACHE_DIR": "jax",
}


def installed(name: str) -> bool:
    """Whether the contestant's package can be imported here."""
    return find_spec(CONTESTANTS[name].package) is not None


def own_cache(name: str, cache: str | Path) -> Path:
    """The folder for all that a contestant caches."""
    return Path(cache) / name.replace(" ", "-")


def environment(name: str, cache: str | Path, threads: int) -> dict[str, str]:
    """The process environment in which a contestant runs."""
    own = own_cache(name, cache)
    surroundings = dict(os.environ)
    surroundings.update({variable: str(threads) for variable in _THREADS})
    surroundings.update({variable: f"{own}/{folder}" for variable, folder in _CACHES.items()})
    if name in CONTESTANTS:
        extra = CONTESTANTS[name].environment
        surroundings.update({key: text.format(cache=own) for key, text in extra.items()})
    root = str(Path(__file__).resolve().parent.parent)
    surroundings["PYTHONPATH"] = os.pathsep.join(
        filter(None, (root, surroundings.get("PYTHONPATH")))
    )
    surroundings["PYTHONWARNINGS"] = "ignore"
    return surroundings


def bind(threads: int) -> None:
    """Keep this process, and all that it starts, on the first ``threads`` processors it has.

    JAX has no setting for the number of its threads: it takes as many as there are processors.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
