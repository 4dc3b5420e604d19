"""Wrong programs and what they are told: errors.txt, a table of programs and exact messages.

A program stands there as a user would write it in a file program.py; after `=>` comes the error it
ends with. `pytest tests/laws/test_errors.py --update-golden` writes the messages anew, for a person
to read.
"""

import copy
import linecache
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp import errors

TABLE = Path(__file__).with_name("errors.txt")
FILE = "program.py"


def read_table() -> list[tuple[str, str]]:
    """Pairs of a program and its message. Messages have no empty lines; programs may."""
    first, *parts = TABLE.read_text(encoding="utf-8").rstrip("\n").split("\n=> ")
    programs, messages = [first], []
    for part in parts:
        message, _, program = part.partition("\n\n")
        messages.append(message)
        programs.append(program)
    return list(zip(programs[:-1], messages, strict=True))


def error_of(program: str) -> BaseException:
    """The error that a program ends with."""
    lines = [line + "\n" for line in program.split("\n")]
    linecache.cache[FILE] = (len(program), None, lines, FILE)
    with pytest.raises(Exception) as caught:
        exec(compile(program, FILE, "exec"), {"np": np, "sc": sc, "T": T})
    return caught.value


def told(error: BaseException, folder: Path) -> str:
    return f"{type(error).__name__}: {error}".replace(str(folder), "<folder>")


PROGRAMS = read_table()


def test_the_table_is_large():
    assert len(PROGRAMS) >= 80
    assert len({program for program, _ in PROGRAMS}) == len(PROGRAMS)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_message(number, tmp_path, monkeypatch, update_golden):
    program, message = PROGRAMS[number]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CC", raising=False)
    error = error_of(program)
    if update_golden:
        PROGRAMS[number] = program, told(error, tmp_path)
        TABLE.write_text("\n\n".join(f"{p}\n=> {m}" for p, m in PROGRAMS) + "\n", encoding="utf-8")
        return
    assert told(error, tmp_path) == message
    assert isinstance(error, errors.SymcompError)
    assert f"\n  at {FILE}:" in str(error)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_no_message_names_symcomp_itself(number):
    message = PROGRAMS[number][1]
    assert "symcomp/" not in message
    assert "object at 0x" not in message


# --- where a user is -----------------------------------------------------------------------------


def test_lines_are_not_those_of_libraries():
    """Between the user and symcomp there may be NumPy, and Python's own library."""
    x = T.dmatrix("x")
    made = [
        np.transpose(x),
        copy.deepcopy(x + 1),
        pickle.loads(pickle.dumps(x * 2)),
        *map(T.exp, [x]),
        np.ones((2, 2)) + x,
    ]
    for e in made:
        assert os.path.samefile(e.origin.file, __file__)


def test_packages_that_use_symcomp_are_users(tmp_path):
    package = tmp_path / "lib" / "site-packages" / "mine.py"
    package.parent.mkdir(parents=True)
    package.write_text("import symcomp.tensor as T\ne = T.exp(T.dvector('x'))\n")
    program = "import mine; print(mine.e.origin.file)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(package.parent), *sys.path])},
    )  # fmt: skip
    assert done.stdout.strip().endswith("mine.py")


def test_what_is_typed_has_a_line():
    program = "import symcomp.tensor as T\nx = T.dvector('x')\nx['a']\n"
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=program, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "at <stdin>:1" in done.stderr


# --- errors themselves ---------------------------------------------------------------------------


def classes():
    found = [errors.SymcompError]
    for kind in found:
        found += kind.__subclasses__()
    return found


@pytest.mark.parametrize("kind", classes())
def test_errors_are_pickled_with_their_line(kind):
    error = kind("what is wrong")
    assert str(error).startswith("what is wrong\n  at ")
    assert error.message == "what is wrong"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.message == error.message
    assert str(again) == str(error)


def test_a_line_is_said_once():
    text = errors.describe("wrong", "x + y", ["x is 1"], errors.here())
    assert str(errors.ShapeError(text)) == text
    assert errors.describe(text, origin=errors.here()).count("\n  at ") == 1


def test_builtin_exceptions_catch_them():
    pairs = [
        (ValueError, errors.ShapeError),
        (TypeError, errors.DtypeError),
        (IndexError, errors.BoundsError),
        (TypeError, errors.MissingInputError),
        (OSError, errors.CacheError),
        (RuntimeError, errors.CompilerError),
        (AssertionError, errors.CheckError),
    ]
    assert all(issubclass(kind, builtin) for builtin, kind in pairs)
