"""The tutorials run, say what they should, and draw what they promise."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "tutorials"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))

#: The pictures that a tutorial draws.
PICTURES = {
    "03": ["templates.png"],
    "04": ["filters.png", "learning_curve.png"],
    "07": ["lenet_confusion.png", "lenet_filters.png"],
    "08": ["autoencoder.png", "denoising.png"],
    "09": ["residual.png"],
    "10": ["edges.png", "strokes.png"],
}
#: What a tutorial that learns digits must reach on those that it has not seen.
LEARNED = {"04": 0.97, "07": 0.985}


def load(path: Path):
    """A tutorial as a module (its name is no identifier, so it cannot be imported by one)."""
    spec = importlib.util.spec_from_file_location(f"tutorial_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_tutorials_are_there():
    assert [path.stem[:2] for path in SCRIPTS] == [f"{n:02}" for n in (*range(1, 11), 15)]


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
    assert path.stem[:2] not in LEARNED or result >= LEARNED[path.stem[:2]]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_tutorial_says_how_to_run_it(path):
    text = path.read_text(encoding="utf-8")
    assert f"python tutorials/{path.name}" in text
    assert text.startswith(f'"""{path.stem[:2]}: ')
