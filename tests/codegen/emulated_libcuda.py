"""An emulated libcuda.so.1 (see emulated_cuda/libcuda.c): pycuda runs on it as it is."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from symcomp.codegen import build

HERE = Path(__file__).parent / "emulated_cuda"
NAME = "libcuda.so.1"


def make(folder: Path, others: Sequence[str] = ()) -> Path:
    """Compile the library into a folder; `others` are entry points that are not supported."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "others.h").write_text("".join(f"OTHER({name})\n" for name in others))
    sources = [HERE / "libcuda.c", HERE / "others.c", build.INCLUDE / "emulated_driver.c"]
    flags = ["-std=gnu11", "-O1", "-g", "-fPIC", "-shared", f"-Wl,-soname,{NAME}", "-pthread"]
    include = [f"-I{build.INCLUDE}", f"-I{folder}"]
    command = [*build.compiler().command, *flags, *include, *map(str, sources), "-ldl"]
    subprocess.run([*command, "-o", str(folder / NAME)], check=True)
    return folder / NAME


def entry_points(library: Path) -> list[str]:
    """The entry points that a library has, by `nm`."""
    return _names(library, "--defined-only")


def missing(library: Path) -> list[str]:
    """The entry points that pycuda needs, and that the library does not have."""
    return sorted({*_names(_extension(), "--undefined-only")} - {*entry_points(library)})


def unusable() -> str:
    """Why pycuda cannot be run on the emulation here, or nothing."""
    if _extension() is None:
        return "pycuda is not installed: `make test-cuda` builds it"
    if shutil.which("nm") is None:
        return "needs nm, of the binutils"
    return ""


def _extension() -> Path | None:
    """pycuda's own library, found without importing it."""
    spec = importlib.util.find_spec("pycuda")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in Path(place).glob("_driver*.so"):
            return path
    return None


def _names(library: Path, which: str) -> list[str]:
    command = ["nm", "-D", which, os.fspath(library)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"\b(cu[A-Z]\w*)", text)))
