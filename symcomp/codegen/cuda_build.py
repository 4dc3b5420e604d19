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

from symcomp.codegen import build, parts
from symcomp.errors import CompilerError
from symcomp.options import options

#: The target that is no GPU: the emulation.
HOST = "host"
TARGET = re.compile(r"sm_(\d+)[af]?")

#: Flags of the compilers for GPUs. Contraction is on by default, as in the CPU's C; denormal
#: numbers, and exact division and square roots, are kept by default, too.
FLAGS = ("-std=c++17",)
#: What stands before each kernel that may be compiled apart from others, and how many are a part.
PART, KERNELS_OF_PART = "SC_IN_PART(", 3

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

#: Lets gcc's address sanitizer watch arrays in shared memory, which lie in a section of their own.
SHARED_WATCHED = ("-fsanitize-sections=emulated_shared",)

#: Where toolkits are installed by default, in folders such as cuda-13.0.
USUAL = Path("/usr/local")

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
        return " ".join([self.kind, *_stamp(self.command), *self.flags()])

    def flags(self) -> tuple[str, ...]:
        """All flags but the target's and those of one file. The user's own (option `cflags`) are
        the host's: those of the emulation.
        """
        if self.kind != HOST:
            return FLAGS
        own = tuple(build.split("cflags", options.cflags))
        watched = any("-fsanitize=" in flag and "address" in flag for flag in own)
        plain = build.dialect(" ".join(self.command)) == "gcc"
        return (*HOST_FLAGS, *own, *(SHARED_WATCHED if watched and plain else ()))

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
    """NVRTC: of the toolkit that CUDA_HOME names, else of NVIDIA's wheels, else of a toolkit on
    the path or in /usr/local/cuda*; the newest of each.
    """
    return _find_nvrtc(surroundings())


def nvcc() -> KernelCompiler | None:
    """nvcc: of the toolkit that CUDA_HOME names, else on the path, else in /usr/local/cuda*."""
    return _find_nvcc(surroundings())


def host_compiler() -> KernelCompiler:
    """The C++ compiler: CXX from the environment, else the companion of symcomp's C compiler."""
    return _find_host(build.compiler(), os.environ.get("CXX", ""), os.environ.get("PATH", ""))


def identity(target: str) -> str:
    """What a compiled kernel depends on beside its text: the target and the compiler, and of a host
    the processor.
    """
    machine = build.machine() if target == HOST else ""
    return "\n".join([target, compiler(target).identity, machine])


def surroundings() -> tuple[str, ...]:
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
    yield USUAL / "cuda"
    yield from sorted(USUAL.glob("cuda-*"), key=_version_of, reverse=True)


def _version_of(path: Path) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", path.name))


@functools.lru_cache(maxsize=8)
def _find_nvrtc(surroundings: tuple[str, ...]) -> KernelCompiler | None:
    *named, _ = surroundings
    spec = importlib.util.find_spec("nvidia")
    wheels = (spec.submodule_search_locations or ()) if spec else ()
    places = [
        [_libraries(Path(place).expanduser()) for place in named if place],
        [[f for place in wheels for f in Path(place).glob("*/lib/libnvrtc.so*")]],
        [_libraries(root) for root in toolkits(surroundings)],
    ]
    for found in (files for group in places for files in group):
        if found:
            return KernelCompiler("nvrtc", (str(max(found, key=_version_of)),))
    return None


def _libraries(root: Path) -> list[Path]:
    """The NVRTC of a toolkit, by all its names."""
    folders = [root / "lib64", root / "lib", *root.glob("targets/*/lib")]
    return [f for folder in folders for f in folder.glob("libnvrtc.so*")]


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
) -> str:
    """Compile a text of CUDA into `output`, for a GPU or for "host"; the text is kept beside it,
    with suffix `.cu`. The result is what the compiler said.

    `kernels` are the names of its kernels; `extra` are further flags, and `chosen` a compiler
    other than that of the target. Raises a CompilerError that shows what the compiler said.
    """
    found = chosen or compiler(target)
    path = output.with_suffix(".cu")
    if found.kind == HOST:
        source += "".join(f"\nSYMCOMP_EMULATED({name})" for name in kernels) + "\n"
    path.write_text(source, encoding="utf-8")
    flags = [*found.flags(), *extra, f"-I{build.INCLUDE}"]
    if found.kind == "nvrtc":
        flags = [f"--gpu-architecture={target}", *flags]
        command = [f"nvrtcCompileProgram in {found.command[0]}", *flags]
        cubin, text = _nvrtc(found.command[0]).compile(source, path, flags)
        if cubin is None:
            raise CompilerError(_failure(found, command, "failed", text, path))
        output.write_bytes(cubin)
        return text
    wanted = [] if found.kind == HOST else [f"-arch={target}", "-cubin"]
    command = [*found.command, *wanted, *flags, str(path), "-o", str(output)]
    status, text = build.run(command, folder=output.parent)
    if status != 0 or not output.exists():
        how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
        raise CompilerError(_failure(found, command, how, text, path))
    return text


def compile_in_parts(
    source: str,
    output: Path,
    target: str,
    kernels: Sequence[str],
    chosen: KernelCompiler | None = None,
) -> list[Path]:
    """The same, where there are many kernels for a GPU in parts, side by side. The result are the
    files, each of which has some of the kernels; `output` is the first.

    (NVRTC's own option for that, --split-compile, failed or waited for ever in CUDA 13.0.)
    """
    many = 0 if target == HOST else -(-source.count(PART) // KERNELS_OF_PART)
    number = min(many, parts.MOST, parts.processors())
    if number <= 1:
        compile_kernels(source, output, target, kernels, chosen=chosen)
        return [output]
    # Only a process that compiles needs it.
    from concurrent.futures import ThreadPoolExecutor

    files = [output, *(output.with_suffix(f".{n}{output.suffix}") for n in range(1, number))]

    def compile_part(n: int) -> None:
        flags = (f"-DSYMCOMP_PARTS={number}", f"-DSYMCOMP_PART={n}")
        compile_kernels(source, files[n], target, kernels, flags, chosen)

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(compile_part, range(number)))
    for file in files[1:]:
        file.with_suffix(".cu").unlink()
    return files


def parts_of(output: Path) -> list[Path]:
    """The files of kernels that were compiled with this one as the first."""
    return [output, *sorted(output.parent.glob(f"{output.stem}.*{output.suffix}"))]


class Resources(NamedTuple):
    """What a kernel takes of a GPU: registers of a thread, bytes of a thread that are spilled
    (stored, loaded) or on its stack, bytes of shared memory of a block that have a fixed size.
    """

    registers: int
    spill_stores: int
    spill_loads: int
    stack: int
    shared: int


def resources(
    source: str, output: Path, target: str, chosen: KernelCompiler | None = None
) -> dict[str, Resources]:
    """Compile a text of CUDA for a GPU, and what each of its kernels takes, as ptxas tells it."""
    log = compile_kernels(source, output, target, (), ("-Xptxas=-v",), chosen)
    found: dict[str, dict[str, int]] = {}
    entry = described = ""
    for line in log.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            entry = match[1]
            found[entry] = {}
        elif match := re.search(r"Function properties for (\w+)", line):
            described = match[1]
        elif match := re.search(r"(\d+) bytes stack frame, (\d+) \D+(\d+) bytes spill loads", line):
            if described in found:
                numbers = map(int, match.groups())
                found[described].update(
                    zip(("stack", "spill_stores", "spill_loads"), numbers, strict=True)
                )
        elif match := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            found[entry].update(registers=int(match[1]), shared=int(shared[1]) if shared else 0)
    return {name: Resources(**numbers) for name, numbers in found.items()}


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
            # NVRTC looks for its own second library by name alone: one that is loaded is found.
            self.builtins = [
                _cffi_backend.load_library(str(builtins), os.RTLD_NOW | os.RTLD_GLOBAL)
                for builtins in sorted(path.parent.glob("libnvrtc-builtins.so*"))
            ]
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

    def compile(self, source: str, path: Path, options: Sequence[str]) -> tuple[bytes | None, str]:
        """The cubin, or None where the text is wrong; and what the compiler said."""
        ffi = self.ffi
        handle = ffi.new("void **")
        text, name = (ffi.new("char[]", s.encode()) for s in (source, str(path)))
        types = "void **, char *, char *, int, void *, void *"
        self._checked("CreateProgram", types, handle, text, name, 0, ffi.NULL, ffi.NULL)
        try:
            words = [ffi.new("char[]", word.encode()) for word in options]
            given = ffi.new("char *[]", words)
            types = "void *, int, char **"
            status = self._call("CompileProgram", types, handle[0], len(words), given)
            said = self._content(handle[0], "ProgramLog").rstrip(b"\0").decode(errors="replace")
            return (self._content(handle[0], "CUBIN") if status == 0 else None), said
        finally:
            self._call("DestroyProgram", "void **", handle)

    def _content(self, program: Any, what: str) -> bytes:
        size = self.ffi.new("size_t *")
        self._checked(f"Get{what}Size", "void *, size_t *", program, size)
        content = self.ffi.new("char[]", size[0])
        self._checked(f"Get{what}", "void *, char *", program, content)
        return bytes(self.ffi.buffer(content))
