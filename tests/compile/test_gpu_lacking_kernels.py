"""Our own kernels of products and convolutions are compiled when a call lacks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.backends import no_gpu

pytestmark = pytest.mark.skipif(bool(no_gpu()), reason=no_gpu())

BEGINNING = """
import json
import numpy as np, symcomp as sc, symcomp.tensor as T
from pathlib import Path
from symcomp.codegen import gpu_libraries

asked, add = [], gpu_libraries.Products.add_lacking
def counted(self, *given):
    asked.append(1)
    add(self, *given)
gpu_libraries.Products.add_lacking = counted

def function(*given, **more):
    return sc.function(*given, device="cuda", **more)

def compiled():
    return sorted({p.name[:-3] for p in Path(sc.options.cache).rglob("sc_*.cu")})

random = np.random.default_rng(3)
def matrix(*shape):
    return random.standard_normal(shape).astype("float32")
x, y, A, B = T.fmatrix("x"), T.fmatrix("y"), matrix(300, 200), matrix(200, 310)
"""


def told(folder: Path, program: str):
    """What a program prints, in a process and a cache of its own."""
    text = BEGINNING + textwrap.dedent(program)
    surroundings = {"SYMCOMP_CACHE": str(folder), "SYMCOMP_CUDA_DRIVER": "host"}
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        env={**os.environ, **surroundings},
    )
    assert done.stdout, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_a_call_is_made_once_and_only_what_it_needs_is_compiled(tmp_path):
    program = """
        n = sc.shared(np.zeros(2), "n")
        f = function([x, y], x @ y, updates=[(n, n + 1)])
        before = compiled()
        near = [bool(np.allclose(f(A, B), A @ B, atol=1e-3)) for _ in range(3)]
        print(json.dumps([before, near, n.get_value().tolist(), compiled(), len(asked)]))
    """
    before, near, count, compiled, asked = told(tmp_path, program)
    assert before == [] and all(near) and count == [3, 3] and asked == 1
    assert compiled == ["sc_multiply_f32"]
    again = told(tmp_path, program)
    assert again[1:] == [near, count, compiled, 1], "the next process finds it"


def test_all_that_a_call_lacks_is_compiled_at_once(tmp_path):
    program = """
        v, w, r = T.ftensor4("v"), T.ftensor4("w"), T.ftensor4("r")
        z = T.nn.conv2d(v, w)
        f = function([v, w, r, x, y], [z, *sc.vjp(z, [v, w], r), x @ y])
        given = matrix(2, 3, 9, 9), matrix(5, 3, 3, 3), matrix(2, 5, 7, 7), A, B
        want = sc.function([v, w, r, x, y], [z, *sc.vjp(z, [v, w], r), x @ y])(*given)
        near = [bool(np.allclose(g, h, atol=1e-3)) for g, h in zip(f(*given), want)]
        print(json.dumps([near, compiled(), len(asked)]))
    """
    near, compiled, asked = told(tmp_path, program)
    assert near == [True] * 4 and asked == 1
    assert len(compiled) == 4
    for direction in ("forward", "backward", "filters", "multiply"):
        assert any(name.startswith(f"sc_{direction}") for name in compiled)


def test_python_is_called_once(tmp_path):
    program = """
        seen = []
        op = sc.python_op(lambda v: (seen.append(1), v * 2)[1], type=lambda v: v)
        f = function([x, y], op(x) @ y)
        near = bool(np.allclose(f(A, B), 2 * A @ B, atol=1e-3))
        print(json.dumps([near, len(seen), len(asked)]))
    """
    assert told(tmp_path, program) == [True, 1, 1]


def test_what_is_not_computed_needs_no_kernels(tmp_path):
    program = """
        f = function([x, y], x @ y)
        shapes = [f(A[:0], B).shape, f(A, B[:, :0]).shape, f(A[:, :0], B[:0]).any().tolist()]
        print(json.dumps([shapes, len(asked)]))
    """
    assert told(tmp_path, program)[0] == [[0, 310], [300, 0], False]


def test_a_compiler_that_fails_is_told_and_the_next_call_works(tmp_path):
    program = """
        from symcomp.codegen import cuda_build
        from symcomp.errors import CompilerError
        f = function([x, y], x @ y)
        compile_kernels = cuda_build.compile_kernels
        def failing(*given, **more):
            raise CompilerError("no room")
        cuda_build.compile_kernels = failing
        try:
            f(A, B)
        except CompilerError as error:
            said = str(error)
        cuda_build.compile_kernels = compile_kernels
        print(json.dumps([said, bool(np.allclose(f(A, B), A @ B, atol=1e-3))]))
    """
    said, near = told(tmp_path, program)
    assert "no room" in said and near


def test_threads_that_lack_the_same(tmp_path):
    program = """
        from concurrent.futures import ThreadPoolExecutor
        f = function([x, y], x @ y)
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda k: f(A, B * k), range(8)))
        got = [bool(np.allclose(g, A @ B * k, atol=1e-2)) for k, g in enumerate(got)]
        print(json.dumps([got, compiled()]))
    """
    assert told(tmp_path, program) == [[True] * 8, ["sc_multiply_f32"]]


def test_a_wrong_position_in_the_first_call_is_this_calls(tmp_path):
    program = """
        at = T.lvector("at")
        f = function([x, y, at], (x @ y)[at])
        try:
            f(A, B, sc.to_device(np.array([7, 300])))
        except IndexError as error:
            print(json.dumps([str(error), len(asked)]))
    """
    said, asked = told(tmp_path, program)
    assert "index 300 is out of bounds" in said and "earlier" not in said and asked == 1
