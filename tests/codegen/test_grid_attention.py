"""Attention on a GPU, block by block: under the interpreter of loops, and in the emulation."""

from __future__ import annotations

import numpy as np
import pytest
from emulated import missing_compiler

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import grid_attention
from symcomp.compile.pipeline import Compilation, compile_expression
from tests.comparing import assert_same, by_interpreter, by_numpy
from tests.small_programs import Case

SHAPES = [
    ((2, 7, 4), (2, 19, 4), (2, 19, 3)),
    ((9, 2), (9, 2), (9, 1)),
    ((2, 2, 3, 4), (2, 2, 8, 4), (2, 2, 8, 2)),
    ((2, 3, 4), (2, 0, 4), (2, 0, 3)),
    ((2, 0, 4), (2, 3, 4), (2, 3, 3)),
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path_factory):
    """Blocks of so few keys that there are several; what is compiled so has a cache of its own."""
    monkeypatch.setattr(grid_attention, "KEYS", 8)
    with sc.options(cache=tmp_path_factory.mktemp("blocks")):
        yield


def attention(shapes, dtype="float64", mask=None, **options) -> Case:
    """An attention with its gradients, of sizes that are open."""
    random = np.random.default_rng(3)
    arrays = [random.normal(size=s).astype(dtype) for s in shapes]
    variables = [T.tensor(dtype, (None,) * len(s), n) for s, n in zip(shapes, "qkv", strict=True)]
    y = T.nn.attention(*variables, mask and mask(*variables), **options)
    outputs = [y, *sc.grad(T.sin(y).sum(), variables)]
    return Case(variables, outputs, [], arrays)


def band(q, k, v):
    """A mask that leaves some queries no key at all."""
    n, m = q.shape[-2], k.shape[-2]
    near = abs(T.arange(n)[:, None] - T.arange(m)[None, :]) < 4
    return T.reshape(near & (T.arange(n)[:, None] != 2), (*(1,) * (q.ndim - 2), n, m))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_the_loops_are_right(shapes, causal):
    c = attention(shapes, causal=causal)
    assert_same(by_interpreter(c, np.random.default_rng(0), "cuda"), by_numpy(c))


@pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())
@pytest.mark.parametrize("options", [{}, {"causal": True}, {"mask": band}, {"dtype": "float32"}])
def test_blocks_in_the_emulation(options):
    c = attention(SHAPES[0], **options)
    with sc.options(cuda_driver="host"):
        f = sc.function(c.inputs, c.outputs, device="cuda")
        assert_same(f(*c.arguments), by_numpy(c))
        assert_same(f(*c.arguments), by_numpy(c))


def plan(shapes_known) -> Compilation:
    q, k, v = (T.tensor("float64", s, n) for s, n in zip(shapes_known, "qkv", strict=True))
    return compile_expression(Compilation("f", [T.nn.attention(q, k, v)], [], device="cuda"))


def goes_over_keys(c: Compilation) -> bool:
    return any(r.number is not None for r in c.program.repeats)


def test_few_keys_are_one_softmax_and_so_is_what_repeats():
    few = plan(((None, 4), (8, 4), (8, 4)))
    repeated = plan(((None, None, 4), (1, None, 4), (1, None, 4)))
    assert not goes_over_keys(few) and not goes_over_keys(repeated)
    assert goes_over_keys(plan(((None, 4), (None, 4), (None, 4))))


def test_only_scores_of_one_block_are_kept():
    made = plan(((None, 4), (None, 4), (None, 4))).program
    (scores,) = (b for b in made.temporaries if b.name.startswith("scores"))
    assert scores.shape[-1] == grid_attention.KEYS
    others = (b for b in made.temporaries if b is not scores)
    assert all(sum(not isinstance(n, int) for n in b.shape) <= 1 for b in others)
