"""The compilers of kernels: a text of CUDA becomes a cubin for a GPU, or a library of the host.

Three compilers read the same text. NVRTC (a library, the quickest) and else nvcc make a cubin for
a target such as "sm_90", without a GPU or its driver. For the target "host" a C++ compiler makes a
shared library that emulates a GPU (include/emulation.h): each kernel is a function there, named
`emulated_<kernel>`. Nothing is looked for before it is needed, and no process is started to find
it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from symcomp.codegen import build
from symcomp.errors import CompilerError

#: The target that is no GPU: the emulation.
HOST = "host"
TARGET = re.compile(r"sm_(\d+)[af]?")

#: Flags of the compilers for GPUs. Contraction is on by default, as in the CPU's C; denormal
#: numbers, and exact division and square roots, are kept by default, too.
FLAGS = ("-std=c++17", "-w")

#: The emulation's flags mean the same for numbers as the CPU's (build.FLAGS).
HOST_FLAGS = (
    "-x",
    "c++",
    "-std=gnu++17",
    "-O1",
    "-march=native",
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

#: The C++ compiler that comes with a C compiler.
COMPANIONS = (("clang", "clang++"), ("gcc", "g++"), ("cc", "c++"))

INSTALL = (
    "install NVRTC (`pip install nvidia-cuda-nvrtc`, for CUDA 12 `nvidia-cuda-nvrtc-cu12`) or the "
    "CUDA toolkit; one that lies elsewhere is named by CUDA_HOME"
)
INSTALL_HOST = "install one (`apt install g++`), or name yours in CXX"


class KernelCompiler(NamedTuple):
    """One that makes kernels: `kind` is "nvrtc", "nvcc" or "host"; `command` is what is started,
    for NVRTC the path of the library.
    """

    kind: str
    command: tuple[str, ...]

    @property
    def identity(self) -> str:
        """What tells this compiler, with its flags, from others and from its own next version;
        costs no process.
        """
        flags = HOST_FLAGS if self.kind == HOST else FLAGS
        return " ".join([self.kind, *_stamp(self.command), *flags])

    def version(self) -> str:
        """What the compiler says of itself, in a line; for people."""
        if self.kind == "nvrtc":
            major, minor = _nvrtc(self.command[0]).version()
            return f"NVRTC {major}.{minor}"
        status, text = build.run([*self.command, "--version"])
        lines = [line for line in text.splitlines() if line.strip()]
        if status != 0 or not lines:
            return "unknown version"
        release = (line for line in lines if "release" in line)
        return next(release, lines[0]).strip()


@functools.lru_cache(maxsize=32)
def _stamp(command: tuple[str, ...]) -> tuple[str, ...]:
    path = os.path.realpath(command[0])
    try:
        status = os.stat(path)
    except OSError as error:
        raise CompilerError(f"the compiler {path} cannot be read: {error.strerror}") from None
    return (*command, path, str(status.st_size), str(status.st_mtime_ns))


# --- finding them ---------------------------------------------------------------------------------


def compiler(target: str) -> KernelCompiler:
    """The compiler for a target, "sm_90" and its like or "host"; or a CompilerError that says what
    to install.
    """
    if target == HOST:
        return host_compiler()
    if not TARGET.fullmatch(target):
        raise CompilerError(f"no target {target!r}: a target is like 'sm_90', or 'host'")
    found = nvrtc() or nvcc()
    if found is None:
        raise CompilerError(f"no compiler of CUDA: found neither NVRTC nor nvcc; {INSTALL}")
    return found


def nvrtc() -> KernelCompiler | None:
    """NVRTC: of NVIDIA's wheel, else of a toolkit; the newest of each."""
    return _find_nvrtc(_surroundings())


def nvcc() -> KernelCompiler | None:
    """nvcc: of the toolkit that CUDA_HOME names, else on the path, else in /usr/local/cuda*."""
    return _find_nvcc(_surroundings())


def host_compiler() -> KernelCompiler:
    """The C++ compiler: CXX from the environment, else the companion of symcomp's C compiler."""
    return _find_host(build.compiler(), os.environ.get("CXX", ""), os.environ.get("PATH", ""))


def identity(target: str) -> str:
    """What a compiled kernel depends on beside its text: the target and the compiler, and of a host
    the processor.
    """
    machine = build.machine() if target == HOST else ""
    return "\n".join([target, compiler(target).identity, machine])


def _surroundings() -> tuple[str, ...]:
    """What the search depends on."""
    names = ("CUDA_HOME", "CUDA_PATH", "PATH")
    return tuple(os.environ.get(name, "") for name in names)


def toolkits(surroundings: tuple[str, ...]) -> Iterator[Path]:
    """The folders where a toolkit may lie: those that are named, then the usual ones."""
    *named, path = surroundings
    yield from (Path(place).expanduser() for place in named if place)
    on_path = build.which("nvcc", path)
    if on_path:
        yield Path(os.path.realpath(on_path)).parents[1]
    local = Path("/usr/local")
    yield local / "cuda"
    yield from sorted(local.glob("cuda-*"), key=_version_of, reverse=True)


def _version_of(path: Path) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", path.name))


@functools.lru_cache(maxsize=8)
def _find_nvrtc(surroundings: tuple[str, ...]) -> KernelCompiler | None:
    spec = importlib.util.find_spec("nvidia")
    wheels = (spec.submodule_search_locations or ()) if spec else ()
    folders = [f for w in wheels for f in sorted(Path(w).glob("*/lib"), reverse=True)]
    for root in toolkits(surroundings):
        folders += [root / "lib64", *sorted(root.glob("targets/*/lib"))]
    for folder in folders:
        found = sorted(folder.glob("libnvrtc.so*"), key=_version_of, reverse=True)
        if found:
            return KernelCompiler("nvrtc", (str(found[0]),))
    return None


@functools.lru_cache(maxsize=8)
def _find_nvcc(surroundings: tuple[str, ...]) -> KernelCompiler | None:
    *named, path = surroundings
    places = [str(Path(place).expanduser() / "bin" / "nvcc") for place in named if place]
    places += ["nvcc", *(str(root / "bin" / "nvcc") for root in toolkits(surroundings))]
    for place in places:
        found = build.which(place, path)
        if found:
            return KernelCompiler("nvcc", (found,))
    return None


@functools.lru_cache(maxsize=8)
def _find_host(c: build.Compiler, variable: str, path: str) -> KernelCompiler:
    if variable.strip():
        command = build.split("CXX", variable)
        found = build.which(os.path.expanduser(command[0]), path)
        if not found:
            raise CompilerError(
                f"no C++ compiler: the environment variable CXX names {command[0]!r}, not found; "
                f"{INSTALL_HOST}"
            )
        return KernelCompiler(HOST, (found, *command[1:]))
    if "ziglang" in c.command:
        return KernelCompiler(HOST, (sys.executable, "-m", "ziglang", "c++"))
    folder, name = os.path.split(c.command[0])
    for mine, other in COMPANIONS:
        if mine in name:
            beside = build.which(os.path.join(folder, name.replace(mine, other)), path)
            if beside:
                return KernelCompiler(HOST, (beside, *c.command[1:]))
    for name in ("g++", "clang++", "c++"):
        found = build.which(name, path)
        if found:
            return KernelCompiler(HOST, (found,))
    raise CompilerError(f"no C++ compiler: found none of g++, clang++, c++; {INSTALL_HOST}")


# --- compiling ------------------------------------------------------------------------------------


def compile_kernels(
    source: str,
    output: Path,
    target: str,
    kernels: Sequence[str],
    extra: Sequence[str] = (),
    chosen: KernelCompiler | None = None,
) -> None:
    """Compile a text of CUDA into `output`, for a GPU or for "host"; the text is kept beside it,
    with suffix `.cu`.

    `kernels` are the names of its kernels; `extra` are further flags, and `chosen` a compiler
    other than that of the target. Raises a CompilerError that shows what the compiler said.
    """
    found = chosen or compiler(target)
    path = output.with_suffix(".cu")
    if found.kind == HOST:
        source += "".join(f"\nSYMCOMP_EMULATED({name})" for name in kernels) + "\n"
    path.write_text(source, encoding="utf-8")
    include = f"-I{build.INCLUDE}"
    if found.kind == "nvrtc":
        options = [f"--gpu-architecture={target}", *FLAGS, *extra, include]
        command = [f"nvrtcCompileProgram in {found.command[0]}", *options]
        log = _nvrtc(found.command[0]).compile(source, path, options, output)
        if log is not None:
            raise CompilerError(_failure(found, command, "failed", log, path))
        return
    flags = (
        (*HOST_FLAGS, *extra)
        if found.kind == HOST
        else (f"-arch={target}", "-cubin", *FLAGS, *extra)
    )
    command = [*found.command, *flags, include, str(path), "-o", str(output)]
    status, text = build.run(command, folder=output.parent)
    if status != 0 or not output.exists():
        how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
        raise CompilerError(_failure(found, command, how, text, path))


def _failure(
    found: KernelCompiler, command: Sequence[str], how: str, text: str, source: Path
) -> str:
    what = "C++ compiler" if found.kind == HOST else "compiler of CUDA"
    lines = [line for line in text.splitlines() if line.strip()]
    first = next((i for i, line in enumerate(lines) if "error" in line or "undefined" in line), 0)
    shown = lines[first : first + build.SHOWN_LINES] or ["(the compiler said nothing)"]
    return "\n".join(
        [
            f"the {what} {how}: {found.command[0]} ({found.version()})",
            *(f"  {line}" for line in shown),
            f"  the source is kept in {source}",
            f"  the command was: {shlex.join(command)}",
        ]
    )


# --- NVRTC ----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def _nvrtc(path: str) -> _Nvrtc:
    return _Nvrtc(Path(path))


class _Nvrtc:
    """The functions of NVRTC that make a cubin, by cffi."""

    def __init__(self, path: Path) -> None:
        import _cffi_backend

        self.ffi = _cffi_backend.FFI()
        try:
            # NVRTC looks for its own second library by name alone: loaded before, it is found.
            for builtins in sorted(path.parent.glob("libnvrtc-builtins.so*")):
                _cffi_backend.load_library(str(builtins), os.RTLD_NOW | os.RTLD_GLOBAL)
            self.library = _cffi_backend.load_library(str(path), os.RTLD_NOW | os.RTLD_LOCAL)
        except OSError as error:
            raise CompilerError(f"cannot load NVRTC, {path}: {error}") from None

    def _call(self, name: str, types: str, *arguments: Any) -> int:
        kind = self.ffi.typeof(f"int(*)({types})")
        return self.library.load_function(kind, f"nvrtc{name}")(*arguments)

    def _checked(self, name: str, types: str, *arguments: Any) -> None:
        status = self._call(name, types, *arguments)
        if status != 0:
            kind = self.ffi.typeof("char *(*)(int)")
            said = self.library.load_function(kind, "nvrtcGetErrorString")(status)
            text = self.ffi.string(said).decode(errors="replace")
            raise CompilerError(f"nvrtc{name} failed: {text}")

    def version(self) -> tuple[int, int]:
        """The version of CUDA that it belongs to."""
        major, minor = self.ffi.new("int *"), self.ffi.new("int *")
        self._checked("Version", "int *, int *", major, minor)
        return major[0], minor[0]

    def compile(self, source: str, path: Path, options: Sequence[str], output: Path) -> str | None:
        """Write the cubin; None, or what the compiler said when it failed."""
        ffi = self.ffi
        handle = ffi.new("void **")
        null = ffi.NULL
        text, name = (ffi.new("char[]", s.encode()) for s in (source, str(path)))
        types = "void **, char *, char *, int, void *, void *"
        self._checked("CreateProgram", types, handle, text, name, 0, null, null)
        try:
            words = [ffi.new("char[]", word.encode()) for word in options]
            given = ffi.new("char *[]", words)
            status = self._call(
                "CompileProgram", "void *, int, char **", handle[0], len(words), given
            )
            if status != 0:
                return self._text(handle[0], "ProgramLog").decode(errors="replace").rstrip("\0")
            output.write_bytes(self._text(handle[0], "CUBIN"))
            return None
        finally:
            self._call("DestroyProgram", "void **", handle)

    def _text(self, program: Any, what: str) -> bytes:
        size = self.ffi.new("size_t *")
        self._checked(f"Get{what}Size", "void *, size_t *", program, size)
        content = self.ffi.new("char[]", size[0])
        self._checked(f"Get{what}", "void *, char *", program, content)
        return bytes(self.ffi.buffer(content))
