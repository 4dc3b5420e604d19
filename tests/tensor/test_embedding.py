"""Embeddings: rows of a table; their gradient; updates that touch only the rows that were read."""

from __future__ import annotations

import time

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T
from symcomp.errors import BoundsError, DtypeError, ShapeError

RANDOM = np.random.default_rng(3)


def table(rows=10, columns=4):
    return RANDOM.normal(size=(rows, columns))


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,)])
def test_rows(shape):
    E, ids = table(), RANDOM.integers(-10, 10, shape)
    e, i = T.dmatrix("e"), T.tensor("int64", (None,) * len(shape), "i")
    np.testing.assert_array_equal(sc.function([e, i], T.nn.embedding(e, i))(E, ids), E[ids])
    cost = T.square(T.nn.embedding(e, i)).sum()
    g = sc.function([e, i], sc.grad(cost, e))(E, ids)
    want = np.zeros_like(E)
    np.add.at(want, ids, 2 * E[ids])
    np.testing.assert_allclose(g, want, rtol=1e-14, atol=1e-14)


def step(cost_of, E, updates=None, mode="c", lookups=1):
    """A training step on a table, and the table after one with the ids."""
    shared = sc.shared(E, "table")
    ids = [T.lvector(f"ids{k}") for k in range(lookups)]
    cost = cost_of(shared, *ids)
    g = sc.grad(cost, shared)
    new = shared - 0.1 * g if updates is None else updates(shared, g)
    return sc.function(ids, cost, updates=[(shared, new)], mode=mode), shared


def added(E, *parts):
    E = E.copy()
    for ids, values in parts:
        np.add.at(E, ids, values)
    return E


IDS = np.array([3, 1, 3, -1, 3, 0])


@pytest.mark.parametrize("mode", ["c", "check", "numpy"])
def test_repeated_ids_add_up(mode):
    E = table()
    f, shared = step(lambda t, i: T.sin(T.nn.embedding(t, i)).sum(), E, mode=mode)
    cost = f(IDS)
    np.testing.assert_allclose(cost, np.sin(E[IDS]).sum(), rtol=1e-12)
    np.testing.assert_allclose(
        shared.get_value(), added(E, (IDS, -0.1 * np.cos(E[IDS]))), rtol=1e-12
    )


@pytest.mark.parametrize("mode", ["c", "check", "numpy"])
def test_two_lookups_in_one_table(mode):
    E, other = table(), np.array([2, 3, 3])
    f, shared = step(
        lambda t, i, j: T.nn.embedding(t, i).sum() + 3 * T.square(T.nn.embedding(t, j)).sum(),
        E, mode=mode, lookups=2,
    )  # fmt: skip
    f(IDS, other)
    want = added(E, (IDS, -0.1 * np.ones((6, 4))), (other, -0.6 * E[other]))
    np.testing.assert_allclose(shared.get_value(), want, rtol=1e-12)


@pytest.mark.parametrize("mode", ["c", "check"])
def test_weight_decay_reads_all_and_outputs_the_old_rows(mode):
    E = table()
    shared, ids = sc.shared(E, "table"), T.lvector("ids")
    rows = T.nn.embedding(shared, ids)
    g = sc.grad(T.square(rows).sum(), shared)
    new = 0.99 * shared - 0.1 * g
    f = sc.function([ids], [rows, shared.sum()], updates=[(shared, new)], mode=mode)
    got, total = f(IDS)
    np.testing.assert_array_equal(got, E[IDS])
    np.testing.assert_allclose(total, E.sum())
    np.testing.assert_allclose(
        shared.get_value(), added(0.99 * E, (IDS, -0.2 * E[IDS])), rtol=1e-12
    )


def test_two_tables_that_exchange():
    """Each is updated from the old value of the other."""
    A, B = table(), table()
    a, b, ids = sc.shared(A, "a"), sc.shared(B, "b"), T.lvector("ids")
    ga, gb = sc.grad((T.nn.embedding(a, ids) * T.nn.embedding(b, ids)).sum(), [a, b])
    sc.function([ids], updates=[(a, a - 0.1 * ga), (b, b - 0.1 * gb)])(IDS)
    np.testing.assert_allclose(a.get_value(), added(A, (IDS, -0.1 * B[IDS])), rtol=1e-12)
    np.testing.assert_allclose(b.get_value(), added(B, (IDS, -0.1 * A[IDS])), rtol=1e-12)


def test_a_gradient_that_is_also_an_output():
    E = table()
    shared, ids = sc.shared(E, "table"), T.lvector("ids")
    g = sc.grad(T.square(T.nn.embedding(shared, ids)).sum(), shared)
    got = sc.function([ids], g, updates=[(shared, shared - 0.1 * g)])(IDS)
    want = added(np.zeros_like(E), (IDS, 2 * E[IDS]))
    np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_allclose(shared.get_value(), E - 0.1 * want, rtol=1e-12)


def test_errors():
    e, i = T.fmatrix("e"), T.lvector("i")
    for error, message, write in (
        (DtypeError, "ids must be integers, not float32", lambda: T.nn.embedding(e, e)),
        (DtypeError, "the table comes first", lambda: T.nn.embedding(i, i)),
        (ShapeError, "must have a row for each id", lambda: T.nn.embedding(e[0], i)),
        (BoundsError, "out of bounds", lambda: T.nn.embedding(np.ones((3, 2)), [3])),
    ):
        with pytest.raises(error, match=message):
            write()
    f, shared = step(lambda t, i: T.nn.embedding(t, i).sum(), E := table())
    with pytest.raises(BoundsError):
        f(np.array([1, 10]))
    np.testing.assert_array_equal(shared.get_value(), E)


def test_only_rows_that_were_read_are_touched():
    """A pass over the table of 256 MB would take ten milliseconds and more."""
    E = np.zeros((10**6, 64), "float32")
    shared, ids = sc.shared(E, "table"), T.lvector("ids")
    cost = T.exp(T.nn.embedding(shared, ids)).sum()
    f = sc.function([ids], cost, updates=[(shared, shared - 0.5 * sc.grad(cost, shared))])
    assert "table in place" in str(f.explain())
    f(IDS)
    touched = shared.get_value()
    assert touched[3, 0] == -1.5 and touched[-1, 5] == -0.5
    assert (np.flatnonzero(touched[:, 7]) == [0, 1, 3, 10**6 - 1]).all()
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        f(IDS)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1e-3
