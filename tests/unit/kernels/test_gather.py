"""Gathering rows: the native core against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.gather import gather
from weft.kernels.gather.reference import gather as reference
from weft.kernels.threads import num_threads, set_num_threads


@pytest.fixture(params=[1, 3], autouse=True)
def threads(request):
    before = num_threads()
    set_num_threads(request.param)
    yield
    set_num_threads(before)


@pytest.mark.parametrize("columns", [1, 3, 16, 32, 64, 100, 128, 1500])
@pytest.mark.parametrize("ids", [np.uint32, np.int64, np.int16])
def test_native_is_the_definition(columns, ids):
    rng = np.random.default_rng(columns)
    table = rng.random((777, columns)).astype(np.float32)
    wanted = rng.integers(0, 777, 3000).astype(ids)
    np.testing.assert_array_equal(gather(table, wanted), reference(table, wanted))
    out = np.empty((3000, columns), np.float32)
    assert gather(table, wanted, out) is out
    np.testing.assert_array_equal(out, reference(table, wanted))


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.float64, "V1", "<U5"])
@pytest.mark.parametrize("shape", [(40,), (40, 5), (40, 2, 3)])
def test_any_dtype_and_shape(dtype, shape):
    numbers = np.random.default_rng(0).integers(0, 100, shape)
    table = numbers.astype("i1").view("V1") if dtype == "V1" else numbers.astype(dtype)
    ids = np.array([39, 0, 0, 7])
    np.testing.assert_array_equal(gather(table, ids), table[ids])


def test_nothing():
    assert gather(np.ones((5, 3)), np.empty(0, np.int64)).shape == (0, 3)
    assert gather(np.ones((0, 3)), np.empty(0, np.int64)).shape == (0, 3)
    assert gather(np.ones((5, 0)), np.array([4, 4])).shape == (2, 0)
    assert gather(np.ones((5, 3))[::2].copy(), np.arange(3)[::2]).shape == (2, 3)


@pytest.mark.parametrize("columns", [0, 2])
@pytest.mark.parametrize(
    ("ids", "match"),
    [
        (np.array([0, 9, 10, 3]), r"id 2 is row 10 of 10"),
        (np.array([0, -1]), r"id 1 is row -1 of 10"),
        (np.full(100_000, 10, np.uint32), r"is row 10 of 10"),
        (np.array([0.0]), "integers"),
        (np.array([[0]]), "integers"),
        (np.array([True]), "integers"),
        (np.array([0], np.uint64), "integers"),
    ],
)
def test_ids_there_are_not(columns, ids, match):
    with pytest.raises(WeftValueError, match=match):
        gather(np.ones((10, columns), np.float32), ids)


def test_arrays_that_do_not_fit():
    table, ids = np.ones((10, 4), np.float32), np.array([1, 2])
    with pytest.raises(WeftValueError, match="the table must be contiguous"):
        gather(table[:, ::2], ids)
    with pytest.raises(WeftValueError, match="the table must be contiguous"):
        gather(np.array([[None]]), ids)
    for out in (np.empty((2, 3), np.float32), np.empty((2, 4)), np.empty((2, 8), np.float32)[:, ::2]):
        with pytest.raises(WeftValueError, match="out must be writable"):
            gather(table, ids, out)
    with pytest.raises(WeftValueError, match="overlap"):
        gather(table, ids, table[3:5])
