"""Products of small matrices on a GPU, which are one kernel with the maps that read them."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.codegen import small_products
from symcomp.compile.pipeline import Compilation, compile_expression
from tests.codegen.emulated import missing_compiler
from tests.comparing import assert_same, by_interpreter, by_numpy
from tests.small_programs import Case

#: Rows, columns and terms: less than a tile, a tile, a little more.
SIZES = [(1, 1, 1), (3, 5, 2), (16, 16, 16), (17, 33, 19), (40, 15, 7), (2, 3, 0), (0, 3, 4)]


def layer(rows, columns, terms, dtype="float64", turned=(False, False), known=False) -> Case:
    """A dense layer, with an operand or both transposed."""
    random = np.random.default_rng(0)
    shapes = [(rows, terms), (terms, columns)]
    shapes = [s[::-1] if t else s for s, t in zip(shapes, turned, strict=True)]
    arguments = [random.standard_normal(s).astype(dtype) for s in (*shapes, (columns,))]
    inputs = [
        T.tensor(dtype, a.shape if known else (None,) * a.ndim, n)
        for a, n in zip(arguments, "xwb", strict=True)
    ]
    x, w, b = inputs
    product = (x.T if turned[0] else x) @ (w.T if turned[1] else w)
    return Case(inputs, [T.tanh(product + b), product], [], arguments)


def program(c: Case):
    return compile_expression(Compilation("f", c.outputs, [], device="cuda")).program


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_layer_in_any_order(sizes, turned):
    c = layer(*sizes, turned=turned)
    assert_same(by_interpreter(c, np.random.default_rng(0), "cuda"), by_numpy(c))


@pytest.mark.skipif(bool(missing_compiler()), reason=missing_compiler())
@pytest.mark.parametrize("most", [small_products.MOST_WORK, 0], ids=["one kernel", "a library's"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_in_the_emulation(dtype, most, monkeypatch):
    monkeypatch.setattr(small_products, "MOST_WORK", most)
    for sizes in SIZES:
        c = layer(*sizes, dtype)
        with sc.options(cuda_driver="host"):
            f = sc.function(c.inputs, c.outputs, device="cuda")
            assert_same(f(*c.arguments), by_numpy(c))


def test_a_batch_and_a_sum_in_place():
    random = np.random.default_rng(1)
    a, b = T.dtensor3("a"), T.dtensor3("b")
    arguments = [random.standard_normal(s) for s in ((3, 5, 4), (3, 4, 18))]
    c = Case([a, b], [T.exp(a @ b)], [], arguments)
    assert_same(by_interpreter(c, np.random.default_rng(0), "cuda"), by_numpy(c))
    w = sc.shared(random.standard_normal((20, 6)), "w")
    x, y = T.dmatrix("x"), T.dmatrix("y")
    arguments = [random.standard_normal(s) for s in ((9, 20), (9, 6))]
    c = Case([x, y], [], [(w, w - 0.1 * (x.T @ y))], arguments)
    assert_same(by_interpreter(c, np.random.default_rng(0), "cuda"), by_numpy(c))


SEVERAL = [
    ("abk,kc->abc", (2, 3, 4), (4, 5)),
    ("ak,kbc->abc", (2, 4), (4, 3, 5)),
    ("abk,kcd->abcd", (2, 3, 4), (4, 5, 6)),
    ("zabk,zkcd->zabcd", (2, 2, 3, 4), (2, 4, 5, 6)),
    ("yzak,yzkc->yzac", (2, 3, 4, 5), (2, 3, 5, 6)),
]


@pytest.mark.parametrize(("spec", "left", "right"), SEVERAL)
def test_rows_and_columns_of_several_axes(spec, left, right):
    """What follows a product reads arrays that go along one of its axes each."""
    random = np.random.default_rng(2)
    a, b = random.standard_normal(left), random.standard_normal(right)
    shape = np.einsum(spec, a, b).shape
    alone = [tuple(n if k == j else 1 for k, n in enumerate(shape)) for j in range(len(shape))]
    arguments = [a, b, *map(random.standard_normal, alone)]
    kinds = [
        (None,) * a.ndim,
        (None,) * b.ndim,
        *(tuple(n if n == 1 else None for n in s) for s in alone),
    ]
    inputs = [T.tensor("float64", kind, f"x{n}") for n, kind in enumerate(kinds)]
    value = T.einsum(spec, *inputs[:2])
    for x in inputs[2:]:
        value = 2 * value + x
    c = Case(inputs, [T.tanh(value)], [], arguments)
    assert_same(by_interpreter(c, np.random.default_rng(0), "cuda"), by_numpy(c))


def test_known_sizes_choose_at_once():
    small, large = layer(8, 8, 8, known=True), layer(8, 8, 200, known=True)
    assert len(program(small).kernels) == 1 and not program(small).repeats
    assert not program(large).repeats
    assert program(large).kernels[0].body[0].symbol == "product"


def test_unknown_sizes_choose_at_the_launch():
    chosen = program(layer(2, 2, 2)).repeats
    assert [r.number for r in chosen] == [None, None]
    assert chosen[0].first == chosen[0].last != chosen[1].first


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((256, 256, 128), 1), ((257, 256, 128), 0), ((4, 4, 128), 1), ((4, 4, 129), 0)],
)
def test_what_is_small(sizes, expected):
    rows, columns, terms = sizes
    assert len(program(layer(rows, columns, terms, known=True)).kernels) == 2 - expected
