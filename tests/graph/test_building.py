"""Building expressions: interning, origins, promotion of Python's numbers, and that it is fast."""

from __future__ import annotations

import threading
import time

import numpy as np

import symcomp.tensor as T
from symcomp.errors import inherit
from symcomp.graph.expr import constant


def test_equal_expressions_are_one_object():
    x = T.vector("x")
    assert T.tanh(x) * 2 + 1 is T.tanh(x) * 2 + 1
    assert constant(1.0) is constant(1.0)
    assert constant(0.0) is not constant(-0.0)
    assert (x * 0.0) is not (x * -0.0)
    assert T.vector("x") is not x


def test_an_expression_knows_its_line():
    x = T.vector("x")
    y = x + 1
    line = y.origin.line
    assert y.origin.file == __file__
    z = (
        x
        * 3
    )  # fmt: skip
    assert z.origin.line == line + 4
    with inherit(y.place):
        assert (x * 7).origin == y.origin


def test_python_numbers_are_weak():
    f, i, b = T.fvector(), T.tensor("int8", (None,)), T.tensor("bool", (None,))
    assert (f * 2.5).dtype == "float32"
    assert (f * np.float64(2)).dtype == "float64"
    assert (i + 1).dtype == "int8"
    assert (i + 1.0).dtype == "float64"
    assert (b + 1).dtype == "int64"
    assert (i * T.vector().shape[0]).dtype == "int8"
    assert T.exp(i).dtype == "float32"


def test_threads_build_the_same_nodes():
    x = T.vector("x")
    results = [None] * 4

    def work(k):
        y = x
        for j in range(500):
            y = T.tanh(y * j + 1)
        results[k] = y

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(results)) == 1


def test_building_is_linear_and_fast():
    x = T.vector("x")

    def build(n):
        y, start = x, time.process_time()
        for j in range(n):
            y = y * 2 + j
        return (time.process_time() - start) / (2 * n)

    build(100)
    # A few microseconds on a quiet machine; the bound only catches what is not linear.
    assert build(20_000) < 100e-6
