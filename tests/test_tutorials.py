"""The tutorials run, say what they should, and draw what they promise."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "tutorials"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))

#: The pictures that a tutorial draws.
PICTURES = {"03": ["templates.png"], "04": ["filters.png", "learning_curve.png"]}


def load(path: Path):
    """A tutorial as a module (its name is no identifier, so it cannot be imported by one)."""
    spec = importlib.util.spec_from_file_location(f"tutorial_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_tutorials_are_there():
    assert [path.stem[:2] for path in SCRIPTS] == ["01", "02", "03", "04", "05", "06"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_tutorial(path, tmp_path, capsys):
    module = load(path)
    if hasattr(module, "OUTPUT"):
        module.OUTPUT = tmp_path / "output"
    result = module.main(quick=True)
    assert capsys.readouterr().out
    drawn = sorted(tmp_path.glob("output/*.png"))
    assert [p.name for p in drawn] == PICTURES.get(path.stem[:2], [])
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 5000 for p in drawn)
    if path.stem.startswith("04"):
        assert result >= 0.97


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_tutorial_says_how_to_run_it(path):
    text = path.read_text(encoding="utf-8")
    assert f"python tutorials/{path.name}" in text
    assert text.startswith(f'"""{path.stem[:2]}: ')
