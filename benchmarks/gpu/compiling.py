"""How long functions for a GPU take to compile: the whole, and the compilers of kernels alone.

*Cold* is from the first expression to the first finished result, with nothing of this function in
the cache (the runtime is there already); *warm* the same in another process, where the cache has
it.  A compiler of kernels is timed on the CUDA text of the same functions, several times.
"""

import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.gpu.cases import CASES, Held
from benchmarks.gpu.networks import LENET, MLP

#: What is compiled, and how often a compiler is asked.
SUBJECTS = {case.name: case for case in (CASES[3], MLP, LENET)}
REPEATS = 3


def first_result(library: Any, name: str, toy: bool) -> dict[str, Any]:
    """Seconds to the first result of a case."""
    case, held = SUBJECTS[name], Held()
    for data in case.arrays(toy):
        held.get(data, library)
    start = perf_counter()
    library.wait(case.prepare(library, toy, held).run())
    return {"seconds": perf_counter() - start}


def kernels_alone(library: Any, name: str, toy: bool) -> dict[str, Any]:
    """The median of the seconds that each compiler of kernels takes for the kernels of a case, and
    how many kernels there are.
    """
    from symcomp.codegen import cuda_build

    texts: list[tuple[str, list[str]]] = []
    compile_in_parts = cuda_build.compile_in_parts

    def keep(source: str, output: Path, target: str, kernels: Any) -> list[Path]:
        texts.append((source, list(kernels)))
        return compile_in_parts(source, output, target, kernels)

    cuda_build.compile_in_parts = keep
    try:
        with tempfile.TemporaryDirectory() as folder, library.sc.options(cache=Path(folder)):
            SUBJECTS[name].prepare(library, toy, Held()).run()
            library.wait()
    finally:
        cuda_build.compile_in_parts = compile_in_parts
    source, kernels = max(texts, key=lambda text: len(text[1]))
    target = library.gpu.device.architecture
    if target == "host":
        found = {"C++": cuda_build.host_compiler()}
    else:
        found = {"NVRTC": cuda_build.nvrtc(), "nvcc": cuda_build.nvcc()}
    seconds = {
        kind: _seconds(source, target, kernels, compiler, 1 if toy else REPEATS)
        for kind, compiler in found.items()
        if compiler is not None
    }
    return {"compilers": seconds, "kernels": len(kernels)}


def _seconds(source: str, target: str, kernels: list[str], compiler: Any, count: int) -> float:
    from symcomp.codegen import cuda_build

    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(count):
            start = perf_counter()
            path = Path(folder, f"kernels{n}.out")
            cuda_build.compile_in_parts(source, path, target, kernels, compiler)
            taken.append(perf_counter() - start)
    return statistics.median(taken)
