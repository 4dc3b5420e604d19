"""The C compiler: how it is found, what it is told, and what an error says."""

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from symcomp.codegen import build, runtime
from symcomp.errors import CompilerError
from symcomp.options import options

ADD = """
#include <stdint.h>
void add(const double *x, double *out, int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = x[i] + 1;
}
"""


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def call_add(library_path: Path) -> np.ndarray:
    add = runtime.function(
        runtime.open_library(library_path), "add", "void", ["double *", "double *", "int64_t"]
    )
    x, out = np.arange(10.0), np.zeros(10)
    x.flags.writeable = False
    cast = runtime.ffi().cast
    add(cast("double *", runtime.pointer(x)), cast("double *", runtime.pointer(out)), 10)
    return out


def exported(source: str) -> str:
    return source.replace("void add", '__attribute__((visibility("default"))) void add')


def test_a_file_compiles_loads_and_runs(tmp_path):
    build.compile_shared(exported(ADD), tmp_path / "add.so")
    assert (tmp_path / "add.c").read_text() == exported(ADD)
    np.testing.assert_array_equal(call_add(tmp_path / "add.so"), np.arange(1.0, 11.0))


def test_only_marked_functions_are_visible(tmp_path):
    build.compile_shared(ADD, tmp_path / "add.so")
    with pytest.raises(AttributeError):
        call_add(tmp_path / "add.so")


def test_an_error_shows_the_compilers_words_and_the_kept_source(tmp_path):
    with pytest.raises(CompilerError) as caught:
        build.compile_shared("int f(void) { return undeclared_name; }", tmp_path / "f.so")
    message = str(caught.value)
    assert "failed with status 1" in message
    assert "undeclared_name" in message
    assert f"the source is kept in {tmp_path / 'f.c'}" in message
    assert (tmp_path / "f.c").exists()


def test_many_errors_are_cut_short(tmp_path):
    source = "\n".join(f"int f{i}(void) {{ return missing{i}; }}" for i in range(100))
    with pytest.raises(CompilerError) as caught:
        build.compile_shared(source, tmp_path / "f.so")
    assert len(str(caught.value).splitlines()) < 20


def test_without_any_compiler_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    with options(cc=""), pytest.raises(CompilerError) as caught:
        build.compiler()
    assert caught.value.message == (
        "no C compiler: found neither gcc, clang, cc nor ziglang; install one "
        "(`apt install gcc`, or `pip install ziglang`), or name yours in SYMCOMP_CC"
    )


def test_a_compiler_that_is_not_there_is_named():
    with options(cc="no-such-compiler -m64"), pytest.raises(CompilerError) as caught:
        build.compiler()
    assert str(caught.value).startswith(
        "no C compiler: the option 'cc' (SYMCOMP_CC) names 'no-such-compiler', not found; install"
    )


def test_cc_from_the_environment_gives_way_to_the_option(tmp_path, monkeypatch):
    mine = executable(tmp_path / "mine", "#!/bin/sh\nexit 0\n")
    other = executable(tmp_path / "other", "#!/bin/sh\nexit 0\n")
    monkeypatch.setenv("CC", f"{other} -m64")
    with options(cc=""):
        assert build.compiler().command == (str(other), "-m64")
    with options(cc=str(mine)):
        assert build.compiler().command == (str(mine),)


def test_ziglang_is_the_last_resort(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: object())
    with options(cc=""):
        found = build.compiler()
    assert found.command == (sys.executable, "-m", "ziglang", "cc")
    assert found.dialect == "clang"


@pytest.mark.parametrize(
    ("command", "dialect"),
    [("clang-16", "clang"), ("/usr/bin/gcc-12", "gcc"), ("python -m ziglang cc", "clang")],
)
def test_the_dialect_follows_from_the_command(command, dialect):
    assert build.dialect(command) == dialect


def test_a_changed_compiler_has_another_identity(tmp_path):
    path = executable(tmp_path / "cc", "#!/bin/sh\n")
    before = build.Compiler((str(path),), "gcc").identity
    build._identity.cache_clear()
    executable(path, "#!/bin/sh\n# a new version\n")
    assert build.Compiler((str(path),), "gcc").identity != before


def test_a_compiler_that_succeeds_without_output_is_an_error(tmp_path):
    silent = executable(tmp_path / "silent", "#!/bin/sh\nexit 0\n")
    with options(cc=str(silent)), pytest.raises(CompilerError, match="the compiler said nothing"):
        build.compile_shared(ADD, tmp_path / "add.so")


def test_a_killed_compiler_is_told_as_such(tmp_path):
    dying = executable(tmp_path / "dying", "#!/bin/sh\nkill -9 $$\n")
    with options(cc=str(dying)), pytest.raises(CompilerError, match="was killed by signal 9"):
        build.compile_shared(ADD, tmp_path / "add.so")


def test_the_users_flags_come_last_and_malformed_ones_are_named():
    with options(cflags="-O0 -DNAME='two words'"):
        assert build.compiler().flags()[-2:] == ("-O0", "-DNAME=two words")
    with (
        options(cflags="'"),
        pytest.raises(CompilerError, match="option 'cflags' is not a command"),
    ):
        build.compiler().flags()


@pytest.mark.parametrize("flags", ["-fsanitize=undefined -fno-sanitize-recover", "-g -O0"])
def test_the_users_flags_can_ask_for_other_builds(tmp_path, flags):
    with options(cflags=flags):
        build.compile_shared(exported(ADD), tmp_path / "add.so")
    np.testing.assert_array_equal(call_add(tmp_path / "add.so"), np.arange(1.0, 11.0))


def test_the_key_of_the_machine_needs_no_process(monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("a process was started")

    monkeypatch.setattr(build, "run", refuse)
    monkeypatch.setattr(os, "posix_spawn", refuse)
    for cached in (build._find, build._identity, build.machine, build._first_processor):
        cached.cache_clear()
    assert build.compiler().identity and build.machine()
