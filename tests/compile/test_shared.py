"""Shared values: conversion, copies and borrowing."""

import copy

import numpy as np
import pytest

import symcomp as sc
from symcomp.errors import DtypeError, ShapeError


def with_and_without_cell(value, **options):
    """A shared value that no function knows, and one that native code has seen."""
    fresh, seen = sc.shared(value, **options), sc.shared(value, **options)
    sc.function([], seen.sum())()
    return fresh, seen


def test_get_value_copies():
    for s in with_and_without_cell(np.ones(3)):
        s.get_value()[:] = 5
        assert (s.get_value() == 1).all()


def test_get_value_borrows():
    for s in with_and_without_cell(np.ones(3)):
        s.get_value(borrow=True)[:] = 5
        assert (s.get_value() == 5).all()
        assert s.sum().eval() == 15
        assert sc.function([], s.sum())() == 15


def test_set_value_copies():
    for s in with_and_without_cell(np.ones(3)):
        given = np.full(3, 2.0)
        s.set_value(given)
        given[:] = 9
        assert (s.get_value() == 2).all()
        assert sc.function([], s.sum())() == 6


def test_set_value_borrows():
    for s in with_and_without_cell(np.ones(3)):
        given = np.full(3, 2.0)
        s.set_value(given, borrow=True)
        assert s.get_value(borrow=True) is given
        sc.function([], updates=[(s, s + 1)])()
        assert (given == 3).all()


@pytest.mark.parametrize(
    "given",
    [
        np.repeat(np.arange(3.0), 2)[::2],
        np.arange(3.0).astype(">f8"),
        np.arange(3),
        [0.0, 1.0, 2.0],
        np.ma.masked_array(np.arange(3.0)),
    ],
)
def test_what_cannot_be_borrowed_is_copied(given):
    s = sc.shared(np.ones(3))
    s.set_value(given, borrow=True)
    np.testing.assert_array_equal(s.get_value(), [0, 1, 2])
    s.get_value(borrow=True)[:] = 7
    np.testing.assert_array_equal(given, [0, 1, 2])


def test_a_read_only_array_is_copied():
    given = np.arange(3.0)
    given.flags.writeable = False
    for s in (sc.shared(given, borrow=True), sc.shared(given)):
        sc.function([], updates=[(s, s * 2)])()
        np.testing.assert_array_equal(s.get_value(), [0, 2, 4])
        np.testing.assert_array_equal(given, [0, 1, 2])


def test_creation():
    given = np.ones((2, 2))
    assert sc.shared(given, borrow=True).get_value(borrow=True) is given
    assert sc.shared(given).get_value(borrow=True) is not given
    assert sc.shared(3).dtype == "int64"
    assert sc.shared(3.0).dtype == "float64"
    assert sc.shared([True]).dtype == "bool"
    assert sc.shared(np.ones((2, 3)), shape=(None, 3)).type.shape == (None, 3)
    assert sc.shared(np.asfortranarray(np.ones((2, 3)))).get_value(borrow=True).flags.c_contiguous
    assert sc.shared(np.zeros((0, 3))).sum().eval() == 0


def test_refused():
    for s in with_and_without_cell(np.ones((2, 3), np.float32), name="w"):
        with pytest.raises(ShapeError, match=r"set_value of w: it has shape \(2, 3\)"):
            s.set_value(np.ones((3, 3), np.float32))
        with pytest.raises(DtypeError, match="float64 array does not fit into float32"):
            s.set_value(np.ones((2, 3)))
        with pytest.raises(DtypeError, match="complex"):
            s.set_value(np.ones((2, 3)) * 1j)
        assert (s.get_value() == 1).all()
    i = sc.shared(np.int8(1), "i")
    with pytest.raises(DtypeError, match="the Python number 300 does not fit into int8"):
        i.set_value(300)
    i.set_value(100)
    assert i.get_value() == 100
    with pytest.raises(DtypeError, match="complex"):
        sc.shared(1j)
    with pytest.raises(ShapeError, match="the value has shape"):
        sc.shared(np.ones(3), shape=(4,))


def test_copies():
    s = sc.shared(np.ones(3), "s")
    for other in (copy.copy(s), copy.deepcopy(s)):
        other.set_value(np.zeros(3))
        assert other.name == "s"
        assert (s.get_value() == 1).all()
    expression = (s * 2).sum()
    value, again = copy.deepcopy([s, expression])
    value.set_value(np.full(3, 5.0))
    assert again.eval() == 30
    assert expression.eval() == 6
