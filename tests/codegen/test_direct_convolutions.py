"""The option `direct_convolutions`: term by term, whatever the sizes."""

from __future__ import annotations

import numpy as np
import pytest

import symcomp as sc
import symcomp.tensor as T

#: Filters for which there are quicker ways than direct sums, and their strides.
FILTERS = [((48, 40, 3, 3), 1), ((32, 40, 5, 5), 1), ((32, 40, 4, 4), 2), ((256, 256, 1, 1), 1)]


def gradients(stride: int, **given):
    """The convolution and both of its gradients, for arrays of any size."""
    x, w, u = (T.ftensor4(n) for n in "xwu")
    y = T.nn.conv2d(x, w, stride=stride)
    return sc.function([x, w, u], [y, *sc.vjp(y, [x, w], u)], **given)


def data(shape, stride: int):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, shape[1], 24, 26)).astype("float32")
    w = rng.normal(size=shape).astype("float32")
    high, wide = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], shape[2:], strict=True))
    return x, w, rng.normal(size=(3, shape[0], high, wide)).astype("float32")


@pytest.mark.parametrize(("shape", "stride"), FILTERS)
def test_direct_sums_are_more_exact(shape, stride):
    x, w, u = (T.dtensor4(n) for n in "xwu")
    y = T.nn.conv2d(x, w, stride=stride)
    values = data(shape, stride)
    exact = sc.function([x, w, u], [y, *sc.vjp(y, [x, w], u)])(*(v.astype("f8") for v in values))
    quick = gradients(stride)(*values)
    with sc.options(direct_convolutions=True):
        direct = gradients(stride)(*values)
    assert any(not np.array_equal(a, b) for a, b in zip(quick, direct, strict=True))
    for a, b, want in zip(quick, direct, exact, strict=True):
        errors = [np.sqrt(np.mean((r - want) ** 2)) / want.std() for r in (a, b)]
        assert errors[1] <= errors[0] < 3e-6


@pytest.mark.parametrize(("shape", "stride"), FILTERS)
def test_what_is_not_finite_stays_where_it_is(shape, stride):
    x, w, u = data(shape, stride)
    x[1, 7, 11, 12] = np.nan
    u[2, 5, 3, 4] = np.inf
    with sc.options(direct_convolutions=True):
        f = gradients(stride)
    y, gx, gw = f(x, w, u)
    (high, wide), (down, right) = shape[2:], (11, 12)
    reached = np.zeros(y.shape, bool)
    rows, columns = (
        slice(max(0, -(-(at - n + 1) // stride)), at // stride + 1)
        for at, n in ((down, high), (right, wide))
    )
    reached[1, :, rows, columns] = True
    np.testing.assert_array_equal(np.isnan(y), reached)
    reached = np.zeros(gx.shape, bool)
    reached[2, :, 3 * stride : 3 * stride + high, 4 * stride : 4 * stride + wide] = True
    np.testing.assert_array_equal(~np.isfinite(gx), reached)
    reached = np.zeros(gw.shape, bool)
    reached[5] = True
    reached[:, 7, down % stride :: stride, right % stride :: stride] = True
    np.testing.assert_array_equal(~np.isfinite(gw), reached)


def test_the_option_counts_when_a_function_is_made():
    values = data((32, 40, 5, 5), 1)
    quick = gradients(1)
    with sc.options(direct_convolutions=True):
        direct = gradients(1)
        inside = quick(*values)[0]
    outside = quick(*values)[0]
    np.testing.assert_array_equal(inside, outside)
    assert not np.array_equal(outside, direct(*values)[0])
    assert ".direct = 1" in str(direct.explain("c")) and ".direct" not in str(quick.explain("c"))


def test_it_reaches_the_libraries_of_a_gpu():
    with sc.options(direct_convolutions=True, cuda_driver="host"):
        f = gradients(1, device="cuda")
    assert str(f.explain("c")).count(".direct = 1") == 3
