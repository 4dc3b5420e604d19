"""The compilers of kernels: how they are found, what they are told, and what their errors say."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from emulated import Kernels, missing_compiler

from symcomp.codegen import build, cuda_build, gpu_drivers, parts, runtime
from symcomp.errors import CompilerError, GpuError
from symcomp.options import options

GOOD = """#include "symcomp_grid.cuh"
extern "C" __global__ void plus(const float *x, float *out, int64_t n) {
    for (int64_t i = sc_thread(); i < n; i += sc_threads()) out[i] = x[i] + 1;
}
"""
BAD = GOOD.replace("x[i] + 1", "x[i] + undeclared_name")

needs_host = pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())
CUBIN = ("nvrtc", "nvcc")


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine on which nothing of CUDA is installed."""
    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(cuda_build, "USUAL", tmp_path / "local")
    monkeypatch.setattr(cuda_build.importlib.util, "find_spec", lambda name: None)
    return tmp_path


class Spec:
    def __init__(self, place):
        self.submodule_search_locations = [str(place)]


# --- finding them ---------------------------------------------------------------------------------


def test_without_any_compiler_the_error_says_what_to_install(nowhere):
    with pytest.raises(CompilerError) as caught:
        cuda_build.compiler("sm_90")
    assert caught.value.message == (
        "no compiler of CUDA: found neither NVRTC nor nvcc; install NVRTC (`pip install "
        "nvidia-cuda-nvrtc`, for CUDA 12 `nvidia-cuda-nvrtc-cu12`) or the CUDA toolkit; one that "
        "lies elsewhere is named by CUDA_HOME"
    )


@pytest.mark.parametrize("target", ["", "90", "sm_", "sm_9x", "compute_90", "sm_90; rm -rf /"])
def test_a_target_that_there_is_not(target):
    with pytest.raises(CompilerError, match="a target is like 'sm_90', or 'host'"):
        cuda_build.compiler(target)


def test_nvrtc_comes_from_the_named_toolkit_then_wheels_then_the_usual_places(nowhere, monkeypatch):
    def library(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")
        return (str(place),)

    assert cuda_build.nvrtc() is None
    local = nowhere / "local"
    library(local / "cuda-12.4" / "lib64" / "libnvrtc.so.12")
    newest = library(local / "cuda-13.0" / "lib64" / "libnvrtc.so.13")
    (local / "cuda-13.0" / "lib64" / "libnvrtc_static.a").write_text("")
    _clear()
    assert cuda_build.nvrtc() == ("nvrtc", newest)

    monkeypatch.setattr(cuda_build.importlib.util, "find_spec", lambda name: Spec(nowhere / "w"))
    library(nowhere / "w" / "cuda_nvrtc" / "lib" / "libnvrtc.so.12")
    wheel = library(nowhere / "w" / "cu13" / "lib" / "libnvrtc.so.13")
    library(nowhere / "w" / "cu13" / "lib" / "libnvrtc-builtins.so.13.0")
    _clear()
    assert cuda_build.nvrtc() == ("nvrtc", wheel)

    named = library(nowhere / "mine" / "targets" / "any" / "lib" / "libnvrtc.so.12")
    monkeypatch.setenv("CUDA_HOME", str(nowhere / "mine"))
    assert cuda_build.nvrtc() == ("nvrtc", named)
    monkeypatch.setenv("CUDA_HOME", str(nowhere / "empty"))
    assert cuda_build.nvrtc() == ("nvrtc", wheel)


def test_nvcc_comes_from_the_named_toolkit_then_the_path_then_the_usual_places(
    nowhere, monkeypatch
):
    assert cuda_build.nvcc() is None
    script = "#!/bin/sh\nexit 0\n"
    executable(nowhere / "local" / "cuda-9.2" / "bin" / "nvcc", script)
    usual = executable(nowhere / "local" / "cuda-13.0" / "bin" / "nvcc", script)
    _clear()
    assert cuda_build.nvcc() == ("nvcc", (str(usual),)) and cuda_build.compiler("sm_90a")
    on_path = executable(nowhere / "path" / "nvcc", script)
    _clear()
    assert cuda_build.nvcc() == ("nvcc", (str(on_path),))
    named = executable(nowhere / "named" / "bin" / "nvcc", script)
    monkeypatch.setenv("CUDA_PATH", str(nowhere / "named"))
    assert cuda_build.nvcc() == ("nvcc", (str(named),))


def _clear():
    cuda_build._find_nvrtc.cache_clear()
    cuda_build._find_nvcc.cache_clear()
    cuda_build._find_host.cache_clear()


@pytest.fixture(autouse=True)
def _fresh():
    _clear()
    yield
    _clear()


def test_the_host_compiler_belongs_to_the_c_compiler(nowhere, monkeypatch):
    script = "#!/bin/sh\nexit 0\n"
    monkeypatch.delenv("CXX", raising=False)
    for c, cxx in (("gcc-12", "g++-12"), ("x-gcc", "x-g++"), ("clang-16", "clang++-16")):
        path = executable(nowhere / "tools" / c, script)
        companion = executable(nowhere / "tools" / cxx, script)
        with options(cc=f"{path} -m64"):
            assert cuda_build.host_compiler() == ("host", (str(companion), "-m64"))
    alone = executable(nowhere / "alone" / "mycc", script)
    with options(cc=str(alone)):
        with pytest.raises(CompilerError, match=r"found none of g\+\+, clang\+\+, c\+\+; install"):
            cuda_build.host_compiler()
        plus = executable(nowhere / "path" / "g++", script)
        assert cuda_build.host_compiler() == ("host", (str(plus),))
        monkeypatch.setenv("CXX", f"{companion} -O0")
        assert cuda_build.host_compiler() == ("host", (str(companion), "-O0"))
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.raises(CompilerError, match="CXX names 'no-such-compiler', not found"):
            cuda_build.host_compiler()
    monkeypatch.delenv("CXX")
    with options(cc=""):
        monkeypatch.setattr(build, "CANDIDATES", ())
        build._find.cache_clear()
        monkeypatch.setattr(cuda_build.importlib.util, "find_spec", lambda name: object())
        assert cuda_build.host_compiler().command == (sys.executable, "-m", "ziglang", "c++")
    build._find.cache_clear()


def test_identities_differ_by_compiler_target_and_flags(nowhere):
    one = executable(nowhere / "one" / "nvcc", "#!/bin/sh\n")
    two = executable(nowhere / "two" / "nvcc", "#!/bin/sh\n")
    compilers = [cuda_build.KernelCompiler("nvcc", (str(path),)) for path in (one, two)]
    identities = {c.identity for c in compilers}
    cuda_build._stamp.cache_clear()
    executable(one, "#!/bin/sh\n# a new version\n")
    identities.add(compilers[0].identity)
    executable(nowhere / "path" / "nvcc", "#!/bin/sh\n")
    identities |= {cuda_build.identity(target) for target in ("sm_80", "sm_90")}
    assert len(identities) == 5
    two.unlink()
    cuda_build._stamp.cache_clear()
    with pytest.raises(CompilerError, match=f"the compiler {two} cannot be read"):
        _ = compilers[1].identity


@needs_host
def test_the_users_flags_are_the_emulations():
    plain = cuda_build.identity("host")
    with options(cflags="-DMINE -fsanitize=address,undefined"):
        found = cuda_build.host_compiler()
        assert "-DMINE" in found.flags()
        if build.dialect(" ".join(found.command)) == "gcc":
            assert found.flags()[-1] == "-fsanitize-sections=emulated_shared"
        assert cuda_build.identity("host") != plain
        assert cuda_build.KernelCompiler("nvcc", ("nvcc",)).flags() == cuda_build.FLAGS


# --- compiling ------------------------------------------------------------------------------------


def available(target: str, kind: str):
    if target == "host":
        if missing_compiler():
            pytest.skip(missing_compiler())
        return cuda_build.host_compiler()
    chosen = getattr(cuda_build, kind)()
    if chosen is None:
        pytest.skip(f"no {kind}")
    return chosen


ALL = pytest.mark.parametrize(
    ("target", "kind"), [("host", "host"), *[("sm_90", kind) for kind in CUBIN]]
)


@ALL
def test_kernels_compile_and_the_text_is_kept(target, kind, tmp_path):
    chosen = available(target, kind)
    output = tmp_path / "plus.cubin"
    cuda_build.compile_kernels(GOOD, output, target, ["plus"], chosen=chosen)
    assert output.read_bytes()[:4] == b"\x7fELF"
    assert output.with_suffix(".cu").read_text().startswith(GOOD)
    assert "\n" not in chosen.version() and "unknown" not in chosen.version()


@ALL
def test_an_error_shows_the_compilers_words_and_the_kept_source(target, kind, tmp_path):
    chosen = available(target, kind)
    output = tmp_path / "plus.cubin"
    with pytest.raises(CompilerError) as caught:
        cuda_build.compile_kernels(BAD, output, target, ["plus"], chosen=chosen)
    message = caught.value.message
    what = "the C++ compiler" if target == "host" else "the compiler of CUDA"
    assert message.startswith(f"{what} failed")
    assert "undeclared_name" in message and "plus.cu" in message
    assert f"  the source is kept in {tmp_path / 'plus.cu'}\n" in message
    assert "  the command was: " in message and len(message.splitlines()) < 18
    assert (tmp_path / "plus.cu").exists() and not output.exists()


@ALL
def test_more_flags(target, kind, tmp_path):
    chosen = available(target, kind)
    source = GOOD.replace("+ 1", "+ MORE")
    output = tmp_path / "plus.cubin"
    cuda_build.compile_kernels(source, output, target, ["plus"], ("-DMORE=2",), chosen)
    assert output.exists()


@needs_host
def test_a_kernel_that_is_not_in_the_text_is_an_error(tmp_path):
    with pytest.raises(CompilerError, match="minus"):
        cuda_build.compile_kernels(GOOD, tmp_path / "plus.so", "host", ["plus", "minus"])


@needs_host
def test_an_empty_text_compiles(tmp_path):
    assert Kernels(tmp_path, '#include "symcomp_device.cuh"\n').names == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo oh dear; exit 3", "failed with status 3"),
        ("kill -9 $$", "was killed by signal 9"),
        ("exit 0", "failed with status 0"),
    ],
)
def test_a_compiler_that_fails_otherwise(nowhere, script, said):
    fake = executable(nowhere / "fake" / "nvcc", f"#!/bin/sh\n{script}\n")
    chosen = cuda_build.KernelCompiler("nvcc", (str(fake),))
    output = nowhere / "plus.cubin"
    with pytest.raises(CompilerError) as caught:
        cuda_build.compile_kernels(GOOD, output, "sm_90", ["plus"], chosen=chosen)
    assert said in caught.value.message
    assert ("oh dear" if "oh dear" in script else "said nothing") in caught.value.message


def test_nvcc_is_told_the_target(nowhere):
    script = '#!/bin/sh\necho "$@" > "$0.told"\nfor last; do :; done\necho x > "$last"\n'
    fake = executable(nowhere / "fake" / "nvcc", script)
    chosen = cuda_build.KernelCompiler("nvcc", (str(fake),))
    output = nowhere / "plus.cubin"
    cuda_build.compile_kernels(GOOD, output, "sm_100a", ["plus"], ("-lineinfo",), chosen)
    told = Path(f"{fake}.told").read_text()
    for flag in ("-arch=sm_100a", "-cubin", "-std=c++17", "-lineinfo", f"-I{build.INCLUDE}"):
        assert flag in told.split()


def test_nvrtc_that_cannot_be_loaded(tmp_path):
    broken = tmp_path / "libnvrtc.so.13"
    broken.write_text("no library")
    chosen = cuda_build.KernelCompiler("nvrtc", (str(broken),))
    with pytest.raises(CompilerError, match="cannot load NVRTC"):
        cuda_build.compile_kernels(GOOD, tmp_path / "a.cubin", "sm_90", ["plus"], chosen=chosen)


MANY = "".join(
    f"#if SC_IN_PART({n})\n__device__ int place{n};\n"
    f'extern "C" __global__ void k{n}(int *x) {{ x[0] = {n}; }}\n#endif\n'
    for n in range(9)
)


@pytest.mark.parametrize("kind", CUBIN)
@pytest.mark.parametrize("processors", [1, 2, 16])
def test_many_kernels_are_compiled_in_parts(kind, processors, tmp_path, monkeypatch):
    chosen = available("sm_90", kind)
    monkeypatch.setattr(parts, "processors", lambda: processors)
    output = tmp_path / "many.cubin"
    text = f'#include "symcomp_grid.cuh"\n{MANY}'
    names = [f"k{n}" for n in range(9)]
    files = cuda_build.compile_in_parts(text, output, "sm_90", names, chosen)
    assert files[0] == output and len(files) == min(processors, 3)
    assert cuda_build.parts_of(output) == files
    assert sorted(tmp_path.iterdir()) == sorted([*files, tmp_path / "many.cu"])
    found = [name for f in files for name in names if f".text.{name}\0".encode() in f.read_bytes()]
    assert sorted(found) == names, "each of them once"


def test_a_part_that_fails(tmp_path, monkeypatch):
    chosen = available("sm_90", "nvcc")
    monkeypatch.setattr(parts, "processors", lambda: 3)
    text = f'#include "symcomp_grid.cuh"\n{MANY}'.replace("x[0] = 7", "x[0] = undeclared_name")
    with pytest.raises(CompilerError, match="undeclared_name"):
        cuda_build.compile_in_parts(text, tmp_path / "many.cubin", "sm_90", [], chosen)


def test_nvrtc_says_which_targets_it_does_not_know(tmp_path):
    chosen = available("sm_90", "nvrtc")
    with pytest.raises(CompilerError, match="sm_1"):
        cuda_build.compile_kernels(GOOD, tmp_path / "a.cubin", "sm_1", ["plus"], chosen=chosen)


@pytest.mark.parametrize("kind", CUBIN)
def test_what_kernels_take_of_a_gpu(kind, tmp_path):
    chosen = available("sm_90", kind)
    source = GOOD + (
        'extern "C" __global__ void large(float *x) {\n'
        "    __shared__ float tile[100];\n"
        "    float local[400];\n"
        "    for (int k = 0; k < 400; ++k) local[k] = x[k * threadIdx.x];\n"
        "    tile[threadIdx.x] = local[threadIdx.x];\n"
        "    __syncthreads();\n"
        "    x[threadIdx.x] = tile[99 - threadIdx.x] + local[(int)x[5] & 255];\n"
        "}\n"
    )
    found = cuda_build.resources(source, tmp_path / "a.cubin", "sm_90", chosen)
    assert set(found) == {"large", "plus"}
    assert 0 < found["plus"].registers <= 64 and found["plus"][1:] == (0, 0, 0, 0)
    assert found["large"].shared == 400 and found["large"].stack >= 1600


def test_nothing_is_left_open_to_the_shell(tmp_path):
    """Names with spaces and quotes are words of the command like any other."""
    chosen = available("host", "host")
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    cuda_build.compile_kernels(GOOD, folder / "a b.so", "host", ["plus"], chosen=chosen)
    assert os.path.exists(folder / "a b.cu")


def test_kernels_are_found_in_whichever_part_has_them(tmp_path):
    """By the driver, which is asked for each in one module after another."""
    ffi, asked = runtime.ffi(), []
    files = [tmp_path / name for name in ("many.cubin", "many.1.cubin", "many.2.cubin")]
    for n, file in enumerate(files):
        file.write_bytes(bytes([n + 1]))

    def load(module, image):
        module[0] = ffi.cast("void *", ffi.cast("char *", image)[0][0])
        return 0

    def find(place, module, name):
        number = int(ffi.string(name)[1:])
        asked.append(number)
        place[0] = ffi.cast("void *", 100 + number)
        return 0 if int(ffi.cast("intptr_t", module)) == number % 3 + 1 else 500

    driver = object.__new__(gpu_drivers.PycudaDriver)
    driver.context, driver._most_shared = ffi.NULL, 1000
    driver._call = {
        "cuCtxPushCurrent_v2": lambda *_: 0,
        "cuCtxPopCurrent_v2": lambda *_: 0,
        "cuModuleLoadData": load,
        "cuModuleGetFunction": find,
        "cuFuncGetAttribute": lambda *_: 0,
        "cuFuncSetAttribute": lambda *_: 0,
        "cuGetErrorString": lambda *_: 1,
    }
    found = driver.kernels(files[0], ["k4", "k0", "k2"])
    assert [int(ffi.cast("intptr_t", k)) for k in found] == [104, 100, 102]
    assert asked == [4, 4, 0, 2, 2, 2]
    for file in files[1:]:
        file.unlink()
    with pytest.raises(GpuError, match="has no kernel k4"):
        driver.kernels(files[0], ["k4"])
