"""Build pycuda into this Python's environment where there is no driver, and perhaps no toolkit.

pycuda is only to be had as a source. It needs cuda.h, from a toolkit or else from NVIDIA's wheels,
and a libcuda to link: the emulated one is as good as any, since the one that is found when pycuda
is imported counts. Where there is a driver, what is built here drives the GPU.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import emulated_libcuda

from symcomp.codegen import cuda_build

PYCUDA = "pycuda>=2025.1.2"
HEADERS = ("nvidia-cuda-runtime", "nvidia-cuda-profiler-api")
NEEDED = ("cuda.h", "cudaProfiler.h")
#: Where toolkits are looked for: see cuda_build.toolkits.
SURROUNDINGS = tuple(os.environ.get(name, "") for name in ("CUDA_HOME", "CUDA_PATH", "PATH"))


def pip(*arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", *arguments, *quiet], check=True)


def headers() -> Path | None:
    """The folder of cuda.h."""
    places = [root / "include" for root in cuda_build.toolkits(SURROUNDINGS)]
    places += [Path("/usr/include"), Path("/usr/include/cuda")]
    places += sorted(Path(sysconfig.get_path("purelib")).glob("nvidia/*/include"), reverse=True)
    return next((p for p in places if all((p / name).exists() for name in NEEDED)), None)


def is_complete() -> bool:
    """Whether pycuda is here already, in a version that fits; it may not be importable."""
    spec = importlib.util.find_spec("pycuda")
    if spec is None or spec.origin is None:
        return False
    found = re.search(r"VERSION\s*=\s*\((\d+), (\d+)", Path(spec.origin).read_text())
    return found is not None and tuple(map(int, found.groups())) >= (2025, 1)


def install(folder: Path) -> None:
    """Build pycuda, with the folder for what is needed on the way."""
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        raise SystemExit("Python's headers are missing (on Debian: apt install python3-dev)")
    include = headers()
    if include is None:
        print("There is no cuda.h: taking NVIDIA's wheels.", flush=True)
        pip("install", *HEADERS)
        include = headers()
    if include is None:
        raise SystemExit(f"no cuda.h, neither of a toolkit nor in {', '.join(HEADERS)}")
    emulated_libcuda.make(folder / "lib")
    (folder / "lib" / "libcuda.so").symlink_to(emulated_libcuda.NAME)
    pip("download", "--no-deps", "--no-binary", "pycuda", "--dest", str(folder), PYCUDA)
    (archive,) = folder.glob("pycuda-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder)
    source = folder / archive.name.removesuffix(".tar.gz")
    settings = {
        "CUDA_ROOT": str(include.parent),
        "CUDA_INC_DIR": [str(include)],
        "CUDADRV_LIB_DIR": [str(folder / "lib")],
        "CUDA_ENABLE_CURAND": False,
        "CXXFLAGS": ["-O1", "-g0"],
        "LDFLAGS": ["-Wl,--no-as-needed"],
    }
    lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
    (source / "siteconf.py").write_text("".join(lines))
    print(f"Building {source.name} with {include}/cuda.h: this takes a minute or two.", flush=True)
    pip("install", str(source))


if __name__ == "__main__":
    if is_complete():
        print("pycuda is here already.")
    else:
        with tempfile.TemporaryDirectory(prefix="pycuda-") as temporary:
            install(Path(temporary))
