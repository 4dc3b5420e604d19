"""The facts of the machine and the versions of everybody, printed at the head of every report."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("symcomp", "numpy", "jax", "torch", "pytensor", "numba", "numexpr", "scipy-openblas32")


def facts(threads: int) -> dict[str, str]:
    """What a reader must know to compare two reports."""
    found = {name: _version(name) for name in PACKAGES}
    return {
        "processor": _processor(),
        "processors used": f"{threads} of {os.cpu_count()}",
        "load at the start": f"{os.getloadavg()[0]:.2f}",
        "system": platform.platform(),
        "compiler": _compiler(),
        "python": platform.python_version(),
        **{name: found[name] or "not installed" for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        pass
    return "from this folder" if Path(package).is_dir() else ""


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor()
    lines = information.read_text().splitlines()
    values = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    fields = {key.strip(): value.strip() for key, value in values.items()}
    numbers = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    wide = ", AVX-512" if "avx512f" in fields.get("flags", "").split() else ""
    return f"{fields.get('model name', platform.machine())} ({numbers}{wide})"


def _compiler() -> str:
    compiler = shutil.which(os.environ.get("CC", "gcc"))
    if compiler is None:
        return "none"
    answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return answer.stdout.partition("\n")[0] or compiler
