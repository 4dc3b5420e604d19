"""The C compiler: which one, with which flags, and what it says when it fails.

One source file becomes one shared library by one run of the compiler, and nothing else: no version
is asked for, no flags are tried out. What tells two compilers apart is their file (path, size, time
of change), so that a cached function is found without starting any process.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symcomp.codegen import parts
from symcomp.errors import CompilerError
from symcomp.options import options

INCLUDE = Path(__file__).parent / "include"

#: Tried in this order when neither the option `cc` nor CC names a compiler.
CANDIDATES = ("gcc", "clang", "cc")

#: Flags for every compiler. No `-ffast-math`: nan, inf and the order of sums keep their meaning.
#: Contraction, and not keeping track of errno and of floating-point traps, change no value that the
#: language promises; without them gcc vectorises neither sqrt nor comparisons. `-fopenmp-simd`
#: obeys `#pragma omp simd` and needs no OpenMP at run time.
FLAGS = (
    "-std=gnu11",
    "-march=native",
    "-fopenmp-simd",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fwrapv",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-w",
    "-pipe",
)

#: The passes of gcc's -O2 that generated loops profit from, and the vectoriser: the same speed in
#: three quarters of its time. The last three leave out a tenth more, and change no loop.
OPTIMISE = {
    "gcc": (
        "-O1",
        "-ftree-vectorize",
        "-fvect-cost-model=dynamic",
        "-fstrict-aliasing",
        "-fexpensive-optimizations",
        "-fno-tree-slp-vectorize",
        "-ftree-pre",
        "-fno-tree-ccp",
        "-fira-region=one",
        "--param=max-combine-insns=2",
    ),
    "clang": ("-O3",),
}

INSTALL = "install one (`apt install gcc`, or `pip install ziglang`), or name yours in SYMCOMP_CC"

SHOWN_LINES = 12


class Compiler(NamedTuple):
    """A command that compiles C, and the dialect of its flags."""

    command: tuple[str, ...]
    dialect: str

    def flags(self) -> tuple[str, ...]:
        """All flags but those of one file, the user's own (option `cflags`) last."""
        return (*FLAGS, *OPTIMISE[self.dialect], *split("cflags", options.cflags))

    @property
    def identity(self) -> str:
        """What tells this compiler from others and from its own next version; costs no process."""
        return _identity(self.command)

    def version(self) -> str:
        """The first line of what the compiler says of itself; starts a process, for people only."""
        status, text = run([*self.command, "--version"])
        return text.strip().splitlines()[0] if status == 0 and text.strip() else "unknown version"


def split(option: str, text: str) -> list[str]:
    """The words of a command line, or a CompilerError that names the option."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CompilerError(
            f"option {option!r} is not a command line: {text!r} ({error})"
        ) from None


def compiler() -> Compiler:
    """The C compiler: option `cc`, else CC from the environment, else the first candidate found."""
    return _find(options.cc, os.environ.get("CC", ""), os.environ.get("PATH", os.defpath))


@functools.lru_cache(maxsize=16)
def _find(option: str, variable: str, path: str) -> Compiler:
    for source, text in (
        ("option 'cc' (SYMCOMP_CC)", option),
        ("environment variable CC", variable),
    ):
        if text.strip():
            return _named(source, split(source, text), path)
    for name in CANDIDATES:
        found = which(name, path)
        if found:
            return Compiler((found,), dialect(found))
    if importlib.util.find_spec("ziglang") is not None:
        return Compiler((sys.executable, "-m", "ziglang", "cc"), "clang")
    tried = ", ".join(CANDIDATES)
    raise CompilerError(f"no C compiler: found neither {tried} nor ziglang; {INSTALL}")


def which(name: str, path: str) -> str | None:
    """The first executable file of this name on a search path, made absolute."""
    folders = [""] if os.sep in name else path.split(os.pathsep)
    for folder in folders:
        found = os.path.abspath(os.path.join(folder, name))
        if os.path.isfile(found) and os.access(found, os.X_OK):
            return found
    return None


def _named(source: str, command: list[str], path: str) -> Compiler:
    found = which(os.path.expanduser(command[0]), path)
    if not found:
        raise CompilerError(
            f"no C compiler: the {source} names {command[0]!r}, not found; {INSTALL}"
        )
    return Compiler((found, *command[1:]), dialect(" ".join(command)))


def dialect(command: str) -> str:
    """gcc's or clang's flags; on Apple and the BSDs, cc and gcc are other names of clang."""
    if re.search(r"clang|zig|icx", command):
        return "clang"
    plain = not re.search(r"gcc-\d", command)
    return "clang" if plain and platform.system() in ("Darwin", "FreeBSD", "OpenBSD") else "gcc"


@functools.lru_cache(maxsize=16)
def _identity(command: tuple[str, ...]) -> str:
    path = os.path.realpath(command[0])
    try:
        status = os.stat(path)
    except OSError as error:
        raise CompilerError(f"the C compiler {path} cannot be read: {error.strerror}") from None
    parts = [*command, path, str(status.st_size), str(status.st_mtime_ns)]
    if "ziglang" in command:
        spec = importlib.util.find_spec("ziglang")
        parts += [str(os.stat(spec.origin).st_mtime_ns) if spec and spec.origin else "gone"]
    return " ".join(parts)


@functools.cache
def machine() -> str:
    """What `-march=native` and linking depend on: the processor, and the C library's version."""
    parts = [platform.system(), platform.machine(), cpu_model(), " ".join(cpu_features())]
    if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", {}):
        parts.append(os.confstr("CS_GNU_LIBC_VERSION") or "")
    return "\n".join(parts)


@functools.cache
def _first_processor() -> dict[str, str]:
    """What Linux says of the first processor; the others of a large machine are not read."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            block = file.read(8192).split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


@functools.cache
def cpu_features() -> tuple[str, ...]:
    """The processor's features, sorted, by Linux's names or else by NumPy's."""
    processor = _first_processor()
    listed = processor.get("flags") or processor.get("Features")
    if listed:
        return tuple(sorted(listed.split()))
    core = getattr(np, "_core", None)
    found = getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
    return tuple(sorted(name.lower() for name, present in found.items() if present))


@functools.cache
def cpu_model() -> str:
    """The processor's name and its family, model and stepping, as far as the system tells."""
    processor = _first_processor()
    names = ("model name", "cpu family", "model", "stepping", "CPU implementer", "CPU part")
    words = [processor[name] for name in names if name in processor]
    return " ".join(words) or platform.processor() or platform.machine()


def run(command: list[str], folder: Path | None = None) -> tuple[int, str]:
    """Run a command in the C locale; its exit status and all that it printed."""
    return run_all([command], folder)[0]


def run_all(commands: list[list[str]], folder: Path | None = None) -> list[tuple[int, str]]:
    """Run commands side by side."""
    # subprocess takes milliseconds to import: only a process that compiles needs it.
    import subprocess

    environment = dict(os.environ, LC_ALL="C")

    def started(command: list[str]) -> subprocess.Popen | OSError:
        try:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            return error

    results = []
    processes = [started(c) for c in commands]
    try:
        for command, process in zip(commands, processes, strict=True):
            if isinstance(process, OSError):
                results.append((127, f"{command[0]}: {process.strerror}"))
            else:
                text = process.communicate()[0].decode(errors="replace")
                results.append((process.returncode, text))
    except BaseException:  # an interruption, say
        for process in processes:
            if not isinstance(process, OSError):
                process.kill()
                process.wait()
        raise
    return results


def compile_shared(source: str, output: Path, extra: tuple[str, ...] = ()) -> None:
    """Compile C text into the shared library `output`, in as many parts as it says (see parts.py);
    the text is kept beside it, with suffix `.c`.

    Raises a CompilerError that shows what the compiler said.
    """
    path = output.with_suffix(".c")
    path.write_text(source, encoding="utf-8")
    chosen = compiler()
    command = [*chosen.command, *chosen.flags(), *extra, f"-I{INCLUDE}"]
    number = parts.declared(source)
    objects = [output.with_suffix(f".{n}.o") for n in range(number if number > 1 else 0)]
    compiled = [
        [*command, "-c", f"-DSYMCOMP_PART={n}", str(path), "-o", str(part)]
        for n, part in enumerate(objects)
    ]
    _run(chosen, compiled, path)
    linked = [*command, *map(str, objects or [path]), "-o", str(output), "-lm"]
    _run(chosen, [linked], path)
    if not output.exists():
        raise CompilerError(_failure(chosen, linked, 0, "", path))
    for part in objects:
        part.unlink()


def _run(chosen: Compiler, commands: list[list[str]], source: Path) -> None:
    for command, (status, text) in zip(commands, run_all(commands, source.parent), strict=True):
        if status != 0:
            raise CompilerError(_failure(chosen, command, status, text, source))


def _failure(chosen: Compiler, command: list[str], status: int, text: str, source: Path) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    first = next((i for i, line in enumerate(lines) if "error" in line or "undefined" in line), 0)
    shown = lines[first : first + SHOWN_LINES] or ["(the compiler said nothing)"]
    killed = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
    return "\n".join(
        [
            f"the C compiler {killed}: {chosen.command[0]} ({chosen.version()})",
            *(f"  {line}" for line in shown),
            f"  the source is kept in {source}",
            f"  the command was: {shlex.join(command)}",
        ]
    )
