"""Walks to pairs, pairs to blocks: native against the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.pairs import block_pairs, bucket_pairs, pairs_per_walk, reference, window_pairs


def walks(count, length, nodes=50):
    rng = np.random.default_rng(count)
    return rng.integers(0, nodes, (count, length + 1)).astype(np.uint32), rng.permutation(nodes).astype(
        np.uint32
    )


@pytest.mark.parametrize("count", [0, 1, 63, 100, 1000])
@pytest.mark.parametrize(("length", "window"), [(1, 1), (1, 5), (5, 2), (7, 7), (4, 9)])
def test_window_pairs(count, length, window, threads):
    walk, row = walks(count, length)
    got = window_pairs(walk, row, window)
    np.testing.assert_array_equal(got, reference.window_pairs(walk, row, window))
    assert len(got) == count * pairs_per_walk(length, window)


@pytest.mark.parametrize("count", [0, 1, 100, 1000])
def test_walks_end_at_sinks(count, threads):
    walk, row = walks(count, 6)
    sink = (np.arange(50) % 4 == 0).astype(np.uint8)
    want = reference.window_pairs(walk, row, 3, sink)
    np.testing.assert_array_equal(window_pairs(walk, row, 3, sink_N=sink), want)


def test_window_pairs_into_a_given_array():
    walk, row = walks(10, 3)
    out = np.full(100, 7, np.uint64)
    got = window_pairs(walk, row, 2, out=out)
    assert got.base is out
    assert (out[len(got) :] == 7).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"walk_WL": np.zeros((3, 1), np.uint32)}, "L >= 1"),
        ({"walk_WL": np.zeros(3, np.uint32)}, "L >= 1"),
        ({"walk_WL": np.full((3, 4), 50, np.uint32)}, "node 50 of a graph with 50"),
        ({"window": 0}, "window must be at least 1"),
        ({"out": np.zeros(3, np.uint64)}, "too small"),
        ({"sink_N": np.zeros(3, np.uint8)}, "same nodes"),
    ],
)
def test_window_pairs_refuses(change, message):
    walk, row = walks(10, 3)
    with pytest.raises(WeftValueError, match=message):
        window_pairs(**{"walk_WL": walk, "row_N": row, "window": 2, **change})


@pytest.mark.parametrize("count", [0, 1, 63, 100, 1000, 20_000])
@pytest.mark.parametrize(("rows", "parts"), [(1, 1), (100, 1), (1, 5), (7, 3), (400, 8)])
def test_bucket_pairs(count, rows, parts, threads):
    rng = np.random.default_rng(count)
    # Squared, so that some rows and blocks are crowded; the low bits of duplicates tell their order.
    ends = (rng.random((2, count)) ** 2 * rows * parts).astype(np.uint64)
    pairs = ends[0] << np.uint64(32) | ends[1]
    want, begins = reference.bucket_pairs(pairs, rows, parts)
    np.testing.assert_array_equal(bucket_pairs(pairs, rows, parts), begins)
    np.testing.assert_array_equal(pairs, want)


@pytest.mark.parametrize("count", [0, 1, 100, 20_000])
@pytest.mark.parametrize(
    ("heads", "tails"), [(range(8), range(2, 5)), (range(7, 8), range(8)), (range(3, 6), range(1))]
)
def test_bucket_pairs_of_some_parts(count, heads, tails, threads):
    rng, rows = np.random.default_rng(count), 50
    head, tail = (
        rng.integers(of.start * rows, of.stop * rows, count).astype(np.uint64) for of in (heads, tails)
    )
    pairs = head << np.uint64(32) | tail
    want, begins = reference.bucket_pairs(pairs, rows, 8, heads, tails)
    np.testing.assert_array_equal(bucket_pairs(pairs, rows, 8, heads=heads, tails=tails), begins)
    np.testing.assert_array_equal(pairs, want)


@pytest.mark.parametrize("pair", [21 << 32, 21, (1 << 64) - 1])
def test_bucket_pairs_refuses_unknown_rows(pair):
    with pytest.raises(WeftValueError, match=r"head rows 0 \.\. 20 and tail rows 0 \.\. 20"):
        bucket_pairs(np.array([0, pair], np.uint64), 7, 3)


@pytest.mark.parametrize("pair", [7 << 32, 21 << 32 | 7, 7 << 32 | 7, 14 << 32 | 14])
def test_bucket_pairs_refuses_pairs_of_other_parts(pair):
    with pytest.raises(WeftValueError, match=r"head rows 14 \.\. 20 and tail rows 7 \.\. 13"):
        bucket_pairs(np.array([14 << 32 | 7, pair], np.uint64), 7, 5, heads=range(2, 3), tails=range(1, 2))


@pytest.mark.parametrize("parts", [range(2, 6), range(0, 4, 2), range(-1, 2)])
def test_bucket_pairs_refuses_parts(parts):
    with pytest.raises(WeftValueError, match=r"in 0 \.\. 5"):
        bucket_pairs(np.zeros(0, np.uint64), 7, 5, heads=parts)
    with pytest.raises(WeftValueError, match=r"positive"):
        bucket_pairs(np.zeros(0, np.uint64), 7, 5, tails=range(3, 3))


@pytest.mark.parametrize(("rows", "parts"), [(0, 3), (1 << 31, 2), (1 << 32, 1)])
def test_bucket_pairs_refuses_sizes(rows, parts):
    with pytest.raises(WeftValueError, match=r"2\^32"):
        bucket_pairs(np.zeros(1, np.uint64), rows, parts)


def test_bucket_pairs_refuses_a_short_scratch():
    with pytest.raises(WeftValueError, match="scratch"):
        bucket_pairs(np.zeros(5, np.uint64), 1, 1, scratch=np.zeros(4, np.uint64))


@pytest.mark.parametrize("count", [0, 1, 63, 100, 1000])
@pytest.mark.parametrize(("length", "window"), [(1, 1), (5, 2), (4, 9)])
@pytest.mark.parametrize(("rows", "parts"), [(50, 1), (7, 8), (1, 50), (9, 6)])
def test_block_pairs(count, length, window, rows, parts, threads):
    walk, row = walks(count, length)
    sink = (np.arange(50) % 9 == 0).astype(np.uint8)
    for most in (None, 0, 1, 77, 10**9):
        got = block_pairs(walk, row, window, rows, parts, most=most, sink_N=sink)
        want = reference.block_pairs(walk, row, window, rows, parts, most=most, sink_N=sink)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"walk_WL": np.zeros((3, 1), np.uint32)}, "L >= 1"),
        ({"walk_WL": np.full((3, 4), 50, np.uint32)}, "node 50 of a graph with 50"),
        ({"window": 0}, "at least 1"),
        ({"parts": 0}, "at least 1"),
        ({"rows": 1 << 31}, "2\\^32 rows"),
        ({"rows": 24}, "of 48"),
        ({"out": np.zeros(3, np.uint64)}, "room for 3 of"),
        ({"sink_N": np.zeros(3, np.uint8)}, "same nodes"),
    ],
)
def test_block_pairs_refuses(change, message):
    walk, row = walks(30, 3)
    with pytest.raises(WeftValueError, match=message):
        block_pairs(**{"walk_WL": walk, "row_N": row, "window": 2, "rows": 25, "parts": 2, **change})
