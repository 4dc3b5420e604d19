"""Attention against its formula: masks, leading axes, rows that may look nowhere; gradients."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import ArgumentError, DtypeError, ShapeError

RANDOM = np.random.default_rng(2)
Q, K, V = (RANDOM.normal(size=s) for s in ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6)))
MASK = RANDOM.uniform(size=(2, 1, 5, 7)) > 0.4
MASK[0, :, 2] = False


def reference(q, k, v, mask=None, causal=False, scale=None):
    s = q @ np.swapaxes(k, -1, -2) * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    allowed = np.broadcast_to(True if mask is None else mask, s.shape)
    if causal:
        allowed = allowed & np.tri(*s.shape[-2:], dtype=bool)
    with np.errstate(all="ignore"):
        e = np.where(allowed, np.exp(s - s.max(-1, keepdims=True)), 0)
        return np.nan_to_num(e / e.sum(-1, keepdims=True)) @ v


def compiled(function, *arrays, mode="c"):
    variables = [T.tensor(a.dtype.name, (None,) * a.ndim, f"x{i}") for i, a in enumerate(arrays)]
    return sc.function(variables, function(*variables), mode=mode)(*arrays)


OPTIONS = [
    {}, {"causal": True}, {"scale": 0.3}, {"mask": MASK}, {"mask": MASK, "causal": True},
    {"mask": MASK[0, 0]},
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "+".join(o))
def test_formula(options, dtype):
    arrays = [a.astype(dtype) for a in (Q, K, V)]
    got = compiled(lambda *a: T.nn.attention(*a, **options), *arrays)
    assert got.dtype == dtype
    tolerance = 2e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(got, reference(Q, K, V, **options), tolerance, tolerance)


def test_ranks_and_leading_axes():
    for rank in (2, 3):
        arrays = [a[(0,) * (4 - rank)] for a in (Q, K, V)]
        np.testing.assert_allclose(
            compiled(T.nn.attention, *arrays), reference(*arrays), 1e-13, 1e-13
        )
    shared = T.nn.attention(Q, K[:, :1], V[0])  # keys for all heads, values for all of the batch
    want = reference(Q, K[:, :1], V[0])
    np.testing.assert_allclose(sc.function([], shared)(), want, 1e-13, 1e-13)
    assert compiled(T.nn.attention, Q[:, :, :0], K, V).shape == (2, 3, 0, 6)


def test_rows_that_may_look_nowhere_are_zero():
    q, k, v = T.dtensor4("q"), T.dtensor4("k"), T.dtensor4("v")
    y = T.nn.attention(q, k, v, MASK)
    got, *gradients = sc.function([q, k, v], [y, *sc.grad(T.square(y).sum(), [q, k, v])])(Q, K, V)
    assert (got[0, :, 2] == 0).all()
    assert (gradients[0][0, :, 2] == 0).all()
    assert all(np.isfinite(g).all() for g in gradients)


def test_large_scores_do_not_overflow():
    got = compiled(T.nn.attention, (1e4 * Q).astype("float32"), K.astype("float32"),
                   V.astype("float32"))  # fmt: skip
    best = (Q @ np.swapaxes(K, -1, -2)).argmax(-1)
    want = np.take_along_axis(V, best[..., None], 2)
    np.testing.assert_allclose(got, want, 1e-3, 1e-3)


SMALL = [a[:, :2, :3, :2] for a in (Q, K, V)]
VARIANTS = {
    "plain": lambda q, k, v: T.nn.attention(q, k, v),
    "causal": lambda q, k, v: T.nn.attention(q, k, v, causal=True),
    "masked": lambda q, k, v: T.nn.attention(q, k, v, MASK[:, :, :3, :3]),
    "keys of one head": lambda q, k, v: T.nn.attention(q, k[:, :1], v[:1]),
    "itself": lambda q, k, v: T.nn.attention(q, q, q),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients(name):
    function = VARIANTS[name]
    sc.check_gradient(function, SMALL)
    sc.check_gradient(
        lambda q, k, v: sc.grad(T.sin(function(q, k, v)).sum(), q), SMALL, tolerance=1e-4
    )


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "+".join(o))
def test_compiled_gradients(options):
    """In float32 against float64 by NumPy's reference of the same operations."""
    results = []
    for dtype, mode in (("float32", "c"), ("float64", "numpy")):
        q, k, v = (T.tensor(dtype, (None,) * 4, n) for n in "qkv")
        g = sc.grad(T.sin(T.nn.attention(q, k, v, **options)).sum(), [q, k, v])
        results.append(sc.function([q, k, v], g, mode=mode)(*(a.astype(dtype) for a in (Q, K, V))))
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, 2e-4, 2e-5)


def test_a_scale_that_is_learned():
    s = T.dscalar("s")
    cost = T.square(T.nn.attention(Q, K, V, scale=s)).sum()
    got = sc.function([s], sc.grad(cost, s))(0.4)
    values = [np.square(reference(Q, K, V, scale=0.4 + h)).sum() for h in (1e-6, -1e-6)]
    np.testing.assert_allclose(got, (values[0] - values[1]) / 2e-6, rtol=1e-6)


m, n, b = T.fmatrix("m"), T.fmatrix("n"), T.tensor("bool", (None, None), "b")
REFUSED = [
    (lambda: T.nn.attention(m[0], n, n), ShapeError, "the query must have two axes or more"),
    (lambda: T.nn.attention(m, n, n, m), DtypeError, "a mask is boolean, true where"),
    (lambda: T.nn.attention(m, n, n, causal=1), ArgumentError, "causal is True or False"),
    (lambda: T.nn.attention(np.ones((2, 3)), np.ones((2, 4)), n), ShapeError,
     "queries of length 3 do not fit keys of length 4"),
    (lambda: T.nn.attention(m, np.ones((2, 4)), np.ones((3, 4))), ShapeError,
     "2 keys do not fit 3 values"),
    (lambda: T.nn.attention(np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 3)),
                            np.ones((2, 5), bool)), ShapeError,
     "a mask of length 5 does not fit 4"),
    (lambda: T.nn.attention(np.ones((2, 2, 3)), np.ones((3, 4, 3)), np.ones((3, 4, 3))),
     ShapeError, "leading axes of 2 and 3 do not fit"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "error", "message"), REFUSED)
def test_what_is_refused(write, error, message):
    with pytest.raises(error, match=message):
        write()


def test_sizes_are_checked_at_the_call():
    f = sc.function([m, n, b], T.nn.attention(m, n, n, b))
    one = lambda *shape: np.ones(shape, "float32")  # noqa: E731
    assert f(one(2, 3), one(4, 3), np.ones((2, 4), bool)).shape == (2, 3)
    for shapes in (((2, 3), (4, 5), (2, 4)), ((2, 3), (4, 3), (2, 5)), ((2, 3), (4, 3), (3, 4))):
        with pytest.raises(ShapeError):
            f(one(*shapes[0]), one(*shapes[1]), np.ones(shapes[2], bool))


# --- the streaming kernel -------------------------------------------------------------------------

#: Shapes of query, key and value that end within tiles and blocks, or have nothing in them.
STREAMED = [
    ((2, 70, 4), (2, 1030, 4), (2, 1030, 3)),
    ((600, 4), (530, 4), (530, 2)),
    ((2, 1, 4), (2, 600, 4), (2, 600, 3)),
    ((2, 3, 4), (2, 0, 4), (2, 0, 3)),
    ((2, 0, 4), (2, 3, 4), (2, 3, 3)),
    ((2, 3, 66, 4), (1, 3, 90, 4), (2, 1, 90, 3)),
]


def with_gradients(shapes, dtype="float64", mode="c", mask=None, **options):
    """An attention and its gradients on random arrays, compiled with open sizes."""
    random = np.random.default_rng(5)
    arrays = [random.normal(size=s).astype(dtype) for s in shapes]
    variables = [
        T.tensor(dtype, tuple(1 if n == 1 else None for n in s), name)
        for s, name in zip(shapes, "qkv", strict=True)
    ]
    y = T.nn.attention(*variables, mask and mask(*variables), **options)
    f = sc.function(variables, [y, *sc.grad(T.sin(y).sum(), variables)], mode=mode)
    return f, arrays


def agree(shapes, dtype="float64", **options):
    results = []
    for mode in ("c", "numpy"):
        f, arrays = with_gradients(shapes, dtype, mode, **options)
        results.append(f(*arrays))
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, tolerance, tolerance)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shapes", STREAMED, ids=str)
def test_tiles_and_blocks(shapes, causal):
    agree(shapes, causal=causal)


def test_tiles_and_blocks_in_float32():
    agree(STREAMED[0], "float32", causal=True)


FORMULAS = {
    "band": lambda q, k, v: abs(T.arange(70)[:, None] - T.arange(600)[None, :]) < 7,
    "of the keys": lambda q, k, v: k[:, :, 0][:, None, :] > 0,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_mask_is_read_as_a_formula(name):
    shapes = ((2, 70, 4), (2, 600, 4), (2, 600, 3))
    f, _ = with_gradients(shapes, mask=FORMULAS[name])
    assert "bool" not in f.explain("c").split("} frame_t;")[0], "a mask is in memory"
    agree(shapes, mask=FORMULAS[name])


@pytest.mark.parametrize("causal", [False, True])
def test_loops_do_what_they_say(causal):
    f, arrays = with_gradients(((2, 66, 2), (2, 5, 2), (2, 5, 2)), mode="check", causal=causal)
    f(*arrays)


def test_one_pass_computes_all_results():
    f, _ = with_gradients(STREAMED[0])
    lines = f.explain("loops").splitlines()
    kernels = [x.split()[1] for x in lines if x.startswith("k") and "attention" in x.split()[0]]
    assert kernels.count("attention:") == 1
    assert f.explain("c").count("sgemm(101") + f.explain("c").count("dgemm(101") == 7


def test_results_do_not_depend_on_threads():
    f, arrays = with_gradients(((1, 200, 8), (1, 2100, 8), (1, 2100, 8)), "float32")
    results = []
    for n in (1, 2):
        with sc.options(threads=n):
            results.append(f(*arrays))
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


#: Prints by how many bytes the peak of resident memory grows during a call with gradients.
GROWTH = """
import numpy as np, symcomp as sc, symcomp.tensor as T

def peak():
    with open("/proc/self/status") as lines:
        return next(int(x.split()[1]) * 1024 for x in lines if x.startswith("VmHWM"))

shape = (1, 8, 4096, 64)
arrays = [np.random.default_rng(n).normal(size=shape).astype("float32") for n in range(3)]
variables = [T.tensor("float32", (None,) * 4, name) for name in "qkv"]
y = T.nn.attention(*variables, causal=True)
f = sc.function(variables, [y, *sc.grad(T.square(y).sum(), variables)])
before = peak()
f(*arrays)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_memory_is_linear():
    """Scores of all queries and keys would take 512 MiB, an argument or a result takes 8."""
    run = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 128 << 20
