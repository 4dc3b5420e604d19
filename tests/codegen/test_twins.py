"""Loops that are equal but for names are compiled once, and no others."""

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import twins


def _piece(name: str, array: str, size: str, factor: int) -> str:
    return (
        f"static void {name}_piece0(void *context, int64_t begin, int64_t end) {{\n"
        f"    frame_t *const frame = context;\n"
        f"    const int64_t {size} = frame->{size};\n"
        f"    float *restrict const {array} = frame->{array};\n"
        f"    for (int64_t {array}_i = begin; {array}_i < end; ++{array}_i) {{\n"
        f"        {array}[{array}_i] = {factor} * {size};\n"
        f"    }}\n}}\n"
        f"static void {name}(frame_t *frame) {{\n"
        f"    runtime->parallel({name}_piece0, frame, 8, 1);\n}}\n"
    )


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(twins, "MANY_PIECES", 0)


def test_twins_are_one_function(always):
    text = twins.merged(_piece("k1", "x", "n", 2) + _piece("k2", "y", "n", 2))
    assert "k2_piece0" not in text
    assert text.count("runtime->parallel(k1_piece0, (void *)given, 8, 1);") == 2
    assert "{frame, frame->x}" in text and "{frame, frame->y}" in text
    assert "float *restrict const x = given[1];" in text


@pytest.mark.parametrize("other", [("y", "m", 2), ("y", "n", 3)])
def test_another_size_or_number_makes_no_twin(always, other):
    text = _piece("k1", "x", "n", 2) + _piece("k2", *other)
    assert twins.merged(text) == text


def test_few_pieces_stay_as_they_are():
    text = _piece("k1", "x", "n", 2) + _piece("k2", "y", "n", 2)
    assert twins.merged(text) == text


def test_values_of_merged_loops(always, monkeypatch):
    found = []
    merged = twins.merged
    monkeypatch.setattr(twins, "merged", lambda text: found.append(merged(text)) or found[-1])
    x, y = T.vector("x"), T.vector("y")
    outputs = [T.cumsum(x) * 2, T.cumsum(y) * 2, T.exp(x), T.exp(y), T.exp(x) / y]
    f = sc.function([x, y], outputs, mode="c", name="twins")
    a, b = np.linspace(1, 2, 50), np.linspace(3, 9, 70)[:50]
    for got, wanted in zip(
        f(a, b),
        [np.cumsum(a) * 2, np.cumsum(b) * 2, np.exp(a), np.exp(b), np.exp(a) / b],
        strict=True,
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-13)
    assert "given[0]" in found[0]
