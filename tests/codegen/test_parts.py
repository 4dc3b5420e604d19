"""Large files are compiled in parts: the same library as at once."""

import re
import subprocess

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import build, parts, program, twins
from symcomp.errors import CompilerError

TEXT = "".join(
    f"/* a kernel {{ */\n{how}static void k{n}(frame_t *frame) {{\n    {n};\n}}\n\n"
    for n, how in enumerate(["", "SC_STREAM ", "", ""])
)


@pytest.fixture
def divided(monkeypatch):
    """Functions of this test are large enough for three parts; what was printed of them."""
    monkeypatch.setattr(parts, "LEAST", 2000)
    monkeypatch.setattr(parts, "processors", lambda: 3)
    monkeypatch.setattr(twins, "MANY_PIECES", 0)
    printed = []
    source = program.source
    monkeypatch.setattr(program, "source", lambda p: printed.append(source(p)) or printed[-1])
    return printed


def test_there_are_as_many_parts_as_pay(monkeypatch):
    lengths = [0, parts.LEAST - 1, 2 * parts.LEAST - 1, 2 * parts.LEAST, 100 * parts.LEAST]
    for processors, most in ((1, 1), (4, 4), (64, parts.MOST)):
        monkeypatch.setattr(parts, "processors", lambda n=processors: n)
        counts = [parts.count("x" * n) for n in lengths]
        assert counts == [1, 1, 1, min(2, most), most]


def test_every_function_is_in_one_part_and_declared_for_all():
    text = parts.divided(TEXT, 2)
    head, *bodies = re.split(r"#if SC_IN_PART\(\d\)\n", text)
    assert [line for line in head.splitlines() if line] == [
        f"SC_LOCAL void k{n}(frame_t *frame);" for n in range(4)
    ]
    assert [re.findall(r"void (k\d)\(", body) for body in bodies] == [["k0", "k1"], ["k2", "k3"]]
    assert "SC_STREAM SC_LOCAL void k1(frame_t *frame) {" in bodies[0]
    assert parts.declared("#define SYMCOMP_PARTS 2\n" + text) == 2
    assert parts.declared(text) == 1


def test_parts_make_the_same_library(divided, tmp_path, monkeypatch):
    def made():
        x, w, b = (sc.shared(v.copy(), name=n) for n, v in values.items())
        cost = T.nn.softmax(T.tanh(x @ w + b)).sum(axis=0) * T.exp(x).sum() + T.sin(b)
        gradients = sc.grad((cost * cost).sum(), [w, b])
        updates = [(v, v - 0.01 * g) for v, g in zip([w, b], gradients, strict=True)]
        outputs = [cost, T.cumsum(x), T.exp(x), T.exp(w), T.exp(b)]
        f = sc.function([], outputs, updates=updates)
        return [*f(), *f(), w.get_value(), b.get_value()]

    random = np.random.default_rng(3)
    values = {
        "x": random.normal(size=(40, 30)),
        "w": random.normal(size=(30, 20)),
        "b": np.ones(20),
    }
    with sc.options(cache=tmp_path / "several"):
        several = made()
    assert parts.declared(divided[-1]) == 3
    monkeypatch.setattr(parts, "LEAST", 10**9)
    with sc.options(cache=tmp_path / "at once"):
        at_once = made()
    assert parts.declared(divided[-1]) == 1
    for left, right in zip(several, at_once, strict=True):
        assert left.tobytes() == right.tobytes()


def test_nothing_but_the_library_is_left_and_only_the_entry_is_seen(divided, tmp_path):
    x = T.vector("x")
    sc.function([x], [T.cumsum(x), T.cumprod(x), *(T.exp(x * n) for n in range(40))])
    source = divided[-1]
    number = parts.declared(source)
    assert number > 1
    build.compile_shared(source, tmp_path / "f.so")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.c", "f.so"]
    names = subprocess.run(["nm", "-D", "--defined-only", tmp_path / "f.so"], capture_output=True)
    seen = {line.split()[-1] for line in names.stdout.decode().splitlines()}
    assert seen == {"symcomp_attach", "symcomp_entry"}


def test_an_error_in_a_part_is_the_compilers(tmp_path):
    text = (
        "#define SYMCOMP_PARTS 2\n#if SYMCOMP_PART == 1\nint f(void) { return missing; }\n#endif\n"
    )
    with pytest.raises(CompilerError, match="missing") as caught:
        build.compile_shared(text, tmp_path / "f.so")
    assert "-DSYMCOMP_PART=1" in str(caught.value)
    assert f"the source is kept in {tmp_path / 'f.c'}" in str(caught.value)
