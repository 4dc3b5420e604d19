"""The documentation is true: pages are up to date, examples print what they say, links lead on."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symcomp.options import BY_NAME

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


def test_reference_pages_are_up_to_date():
    # In a process of its own: other tests declare operations and rules, which the registries keep.
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--check"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun `make docs`"


def printed(program: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, "README.md", "exec"), {})
    return out.getvalue()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_print_what_they_say(path):
    """Each Python block runs; where the page has as many text blocks, they are what is printed."""
    programs, outputs = blocks(path, "python"), blocks(path, "text")
    for program, output in zip(programs, outputs, strict=False):
        assert printed(program) == output
    for program in programs[len(outputs) :]:
        printed(program)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        assert re.match(r"https?:", target) or (path.parent / target).exists(), target


def test_the_readme_names_only_options_that_exist():
    (section,) = re.findall(
        r"^## Options$(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.M | re.S
    )
    rows = re.findall(r"^\| (`.*?) \|", section, re.M)
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert names
    assert set(names) <= set(BY_NAME)
