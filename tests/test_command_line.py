"""`python -m symcomp`: the cache, the options, the doctor; what they print and how they exit."""

import subprocess
import sys

import pytest

from symcomp import __main__ as command_line
from symcomp import doctor
from symcomp.codegen import build, cache, runtime
from symcomp.errors import GpuError, SymcompError
from symcomp.options import options
from tests.codegen.emulated import missing_compiler

SOURCE = "int f(void) { return 1; }"


@pytest.fixture
def folder(tmp_path):
    with options(cache=tmp_path / "cache", threads=1):
        yield tmp_path / "cache"


def test_cache_lists_its_entries(folder, capsys):
    cache.publish("0" * 32, "softmax", SOURCE)
    assert command_line.main(["cache"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("0" * 32) and first.endswith("softmax")
    assert last.startswith("1 entries") and last.endswith(str(folder))


def test_cache_path(folder, capsys):
    assert command_line.main(["cache", "path"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"


def test_cache_prune(folder, capsys):
    cache.publish("0" * 32, "softmax", SOURCE)
    assert command_line.main(["cache", "prune", "--days", "1"]) == 0
    assert capsys.readouterr().out == f"deleted 0 entries from {folder}\n"
    assert command_line.main(["cache", "prune", "--max-megabytes", "0"]) == 0
    assert capsys.readouterr().out == f"deleted 1 entries from {folder}\n"
    assert list(cache.entries()) == []


@pytest.mark.parametrize("words", [[], ["nothing"], ["cache", "prune", "--days", "-1"]])
def test_wrong_commands_exit_with_a_message(words, capsys):
    with pytest.raises(SystemExit) as caught:
        command_line.main(words)
    assert caught.value.code == 2
    assert "usage: python -m symcomp" in capsys.readouterr().err


def test_an_unusable_folder_is_told_without_a_traceback(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with options(cache=tmp_path / "file"):
        assert command_line.main(["cache"]) == 1
    assert "is not safe to load code from: it is not a folder" in capsys.readouterr().err


def test_options_are_listed(capsys):
    assert command_line.main(["options"]) == 0
    assert capsys.readouterr().out.startswith("floatX")


def test_the_doctor_of_a_healthy_machine(folder, capsys):
    assert command_line.main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "WRONG" not in text and text.endswith("All is well.\n")
    for part in ("Python", "NumPy", "C compiler", "it compiles", "kernels", "threads", str(folder)):
        assert part in text


def test_the_doctor_without_a_compiler(folder, capsys):
    with options(cc="no-such-compiler"):
        assert command_line.main(["doctor"]) == 1
    assert "WRONG  no C compiler: the option 'cc' (SYMCOMP_CC) names" in capsys.readouterr().out


def test_the_doctor_with_an_unusable_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with options(cache=tmp_path / "file"):
        assert command_line.main(["doctor"]) == 1
    assert f"WRONG  the cache folder {tmp_path / 'file'}" in capsys.readouterr().out


def test_the_doctor_with_a_wrong_option(folder, monkeypatch, capsys):
    monkeypatch.setenv("SYMCOMP_DEBUG", "loud")
    assert command_line.main(["doctor"]) == 1
    assert "-> correct or unset SYMCOMP_DEBUG" in capsys.readouterr().out


def test_the_doctor_without_blas(monkeypatch):
    monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SymcompError, match="pip install scipy-openblas32"):
        runtime.blas_library()


def test_the_doctor_with_the_wrong_kernels(monkeypatch):
    wrong = runtime.Kernels(runtime.Path("blas.so"), "Haswell", "SKYLAKEX", "OpenBLAS 1")
    monkeypatch.setattr(runtime.Runtime, "blas", lambda self: wrong)
    last = list(doctor.kernels())[-1]
    assert last.wrong and last.text.startswith("OpenBLAS does not run the kernels SKYLAKEX")


def test_the_doctor_notices_too_many_threads(monkeypatch):
    with options(threads=200):
        assert any(finding.wrong for finding in doctor.processor())


def test_the_doctor_looks_for_a_gpu(folder, monkeypatch):
    def none():
        raise GpuError("there is no GPU that can be used")

    monkeypatch.setattr(doctor.gpu, "gpu", none)
    first, *rest = doctor.graphics()
    assert first.text == "GPU: none: there is no GPU that can be used" and not first.wrong
    assert not any(finding.wrong for finding in rest)
    text = "\n".join(finding.text for finding in rest)
    for part in ("NVIDIA's driver", "compilers of kernels", "cuBLAS", "cuDNN"):
        assert part in text
    with options(device="cuda"):
        assert next(doctor.graphics()).wrong


@pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())
def test_the_doctor_knows_the_emulation():
    with options(cuda_driver="host"):
        first, second, *rest = doctor.graphics()
    assert first.text.startswith("GPU: ") and not first.wrong
    assert second == doctor.Finding("it keeps numbers")
    assert any("kernels" in finding.text for finding in rest)


def test_it_runs_as_a_module(folder):
    done = subprocess.run(
        [sys.executable, "-m", "symcomp", "cache", "path"],
        env={"SYMCOMP_CACHE": str(folder), "PATH": "", "PYTHONPATH": str(build.INCLUDE.parents[2])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, f"{folder}\n"), done.stderr
