import itertools

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels import csr
from weft.kernels.csr import Buckets, reference

SIZES = [0, 1, 63, 100, 1000]
OPTIONS = list(itertools.product([True, False], ["keep", "drop", "sum"], ["keep", "drop"]))


def edges(shape, size, rng):
    """(src, dst, num_nodes) of a graph with the named trait."""
    if shape == "sparse":
        return rng.integers(0, 4 * size + 1, size), rng.integers(0, 4 * size + 1, size), 4 * size + 1
    if shape == "duplicate":
        return rng.integers(0, 4, size), rng.integers(0, 4, size), 5
    if shape == "looped":
        src = rng.integers(0, size + 1, size)
        return src, np.where(rng.random(size) < 0.5, src, (src + 1) % (size + 1)), size + 1
    if shape == "skewed":
        return (size * rng.random(size) ** 8).astype(np.int64), rng.integers(0, size + 1, size), size + 1
    if shape == "star":
        return np.zeros(size, np.int64), rng.integers(0, 2 * size + 1, size), 2 * size + 1
    assert shape == "far"
    return rng.integers(0, 3, size), (1 << 20) - rng.integers(1, 9, size), 1 << 20


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shape", ["sparse", "duplicate", "looped", "skewed", "star", "far"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_equals_reference(shape, size, weighted, threads):
    rng = np.random.default_rng(size)
    src, dst, n = edges(shape, size, rng)
    weight = rng.random(size).astype(np.float32) if weighted else None
    for directed, duplicates, loops in OPTIONS:
        options = {"directed": directed, "duplicates": duplicates, "self_loops": loops}
        expected = reference.edges_to_csr(src, dst, weight, n, **options)
        assert_same(csr.edges_to_csr(src, dst, weight, n, **options), expected)
        if n < 1 << 20:
            narrow = csr.edges_to_csr(src.astype(np.uint32), dst.astype(np.uint32), weight, n, **options)
            assert_same(narrow, expected)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_many_edges_in_one_bucket(weighted, threads):
    # Past 2,048 and 32,768 edges a bucket the sort takes wider digits.
    rng = np.random.default_rng(3)
    for size in (2047, 2048, 40_000):
        src, dst = rng.integers(0, 1000, size), rng.integers(0, 1000, size)
        weight = rng.random(size).astype(np.float32) if weighted else None
        for directed, duplicates in itertools.product([True, False], ["keep", "drop", "sum"]):
            options = {"directed": directed, "duplicates": duplicates}
            expected = reference.edges_to_csr(src, dst, weight, 1000, **options)
            assert_same(csr.edges_to_csr(src, dst, weight, 1000, **options), expected)


@pytest.mark.parametrize("shift", [0, 3, 10])
@pytest.mark.parametrize("cuts", [[], [17], [0, 500, 500, 999]])
def test_runs_and_groups_of_buckets_do_not_matter(shift, cuts, threads):
    rng = np.random.default_rng(1)
    src, dst = rng.integers(0, 700, 1000), rng.integers(0, 700, 1000)
    weight = rng.random(1000).astype(np.float32)
    buckets = Buckets(700, shift)
    pieces = [np.split(a, cuts) for a in (src, dst, weight)]
    runs = [
        csr.scatter_edges(*piece, buckets, both_ways=True, drop_loops=False)
        for piece in zip(*pieces, strict=True)
    ]
    degree, indices, weights = [], [], []
    for first in range(0, buckets.count, 3):
        part = [run.select(first, min(first + 3, buckets.count)) for run in runs]
        rows, places, values, starts, counts = csr.sort_buckets(part, buckets, first, "drop")
        assert values is not None
        degree.append(rows)
        for start, count in zip(starts, counts, strict=True):
            indices.append(places[start : start + count])
            weights.append(values[start : start + count])
    expected = reference.edges_to_csr(src, dst, weight, 700, directed=False, duplicates="drop")
    np.testing.assert_array_equal(np.concatenate(degree), np.diff(expected[0]))
    np.testing.assert_array_equal(np.concatenate(indices), expected[1])
    np.testing.assert_array_equal(np.concatenate(weights), expected[2])


def test_nodes_past_32_bits_take_int64():
    n = (1 << 33) + 5
    buckets = Buckets(n, 40)
    src = np.array([n - 1, 0, n - 1, 1 << 32], np.int64)
    dst = np.array([0, n - 1, 1 << 32, 7], np.int64)
    # Degrees of 2**33 rows are not wanted here, so the keys alone are looked at.
    with pytest.raises(WeftValueError, match="at most 64"):
        csr.scatter_edges(src, dst, None, buckets, both_ways=False, drop_loops=False)
    run = csr.scatter_edges(src, dst, None, Buckets(n, 30), both_ways=False, drop_loops=False)
    order = [1, 3, 0, 2]
    local = src[order] & ((1 << 30) - 1)
    np.testing.assert_array_equal(run.keys, (local << 34 | dst[order]).astype(np.uint64))


@pytest.mark.parametrize("shape", ["sparse", "duplicate", "looped", "skewed", "star"])
@pytest.mark.parametrize("size", SIZES)
def test_transpose_and_has_edges_equal_reference(shape, size, threads):
    rng = np.random.default_rng(size)
    src, dst, n = edges(shape, size, rng)
    weight = rng.random(size).astype(np.float32)
    rows = reference.edges_to_csr(src, dst, weight, n)
    assert_same(csr.transpose(*rows), reference.transpose(*rows))
    assert_same(csr.transpose(rows[0], rows[1], None), reference.transpose(rows[0], rows[1], None))
    a = np.concatenate([src, rng.integers(0, n, 200)])
    b = np.concatenate([dst, rng.integers(-2, n + 2, 200)])
    np.testing.assert_array_equal(
        csr.has_edges(rows[0], rows[1], a, b), reference.has_edges(rows[0], rows[1], a, b)
    )


@pytest.mark.parametrize("dtype", [np.uint32, np.int64])
def test_rows_may_lead_to_more_nodes_than_there_are_rows(dtype, threads):
    rows = np.array([0, 1, 3]), np.array([4, 0, (1 << 32) - 1], dtype)
    dst = np.array([0, 4, (1 << 32) - 1, 1 << 32, (1 << 32) + 4, -1, 1 << 62])
    for source in (0, 1):
        src = np.full(len(dst), source)
        np.testing.assert_array_equal(csr.has_edges(*rows, src, dst), reference.has_edges(*rows, src, dst))
        assert csr.has_edges(*rows, src, dst).sum() == source + 1


@pytest.mark.parametrize("bad", [-1, 10, 1 << 40, -(1 << 63)])
@pytest.mark.parametrize("at", ["src", "dst"])
def test_foreign_node_is_named(bad, at, threads):
    good, wrong = np.arange(5), np.array([0, 1, 2, bad, 4])
    src, dst = (wrong, good) if at == "src" else (good, wrong)
    with pytest.raises(
        WeftValueError, match=rf"edge 3 .* node {bad}, past the declared count: nodes are 0 .. 9"
    ):
        csr.edges_to_csr(src, dst, None, 10)


def test_bad_options_and_lengths():
    five, four = np.arange(5), np.arange(4)
    with pytest.raises(WeftValueError, match="one length"):
        csr.edges_to_csr(five, four, None, 10)
    with pytest.raises(WeftValueError, match="one length"):
        csr.edges_to_csr(five, five, np.ones(4, np.float32), 10)
    with pytest.raises(WeftValueError, match=r"duplicates must be .* \(got 'first'\)"):
        csr.edges_to_csr(five, five, None, 10, duplicates="first")  # type: ignore[arg-type]
    with pytest.raises(WeftValueError, match="self_loops"):
        csr.edges_to_csr(five, five, None, 10, self_loops="maybe")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_bad_weight_is_named(bad):
    weight = np.array([1, bad, 2], np.float32)
    with pytest.raises(WeftValueError, match=rf"weight of edge 1 .* \(got {bad}\)"):
        csr.edges_to_csr(np.arange(3), np.arange(3), weight, 3)


@pytest.mark.parametrize("indptr", [[0, 3, 2, 4], [0, 2, 4, 9], [1, 2, 3, 4], [0, -5, 3, 4]])
def test_damaged_rows_raise(indptr, threads):
    damaged, indices = np.array(indptr, np.int64), np.zeros(4, np.uint32)
    with pytest.raises(WeftValueError, match="indptr"):
        csr.transpose(damaged, indices, None)
    if indptr[0] == 0:
        with pytest.raises(WeftValueError, match="damaged"):
            csr.has_edges(damaged, indices, np.arange(3), np.zeros(3, np.int64))


@pytest.mark.parametrize(("sources", "targets"), [(1, 1), (3, 90), (90, 3), (0, 4), (4, 0)])
def test_transpose_between_two_sets(sources, targets, threads):
    rng = np.random.default_rng(sources)
    size = 500 if sources and targets else 0
    src, dst = rng.integers(0, max(1, sources), size), rng.integers(0, max(1, targets), size)
    weight = rng.random(size).astype(np.float32)
    rows = reference.edges_to_csr(src, dst, weight, max(sources, targets))
    rows = rows[0][: sources + 1], *rows[1:]
    turned = csr.transpose(*rows, targets)
    assert_same(turned, reference.transpose(*rows, targets))
    assert len(turned[0]) == targets + 1
    assert_same(csr.transpose(*turned, sources), rows)
    placed = csr.transpose_places(rows[0], rows[1], targets)
    wanted = reference.transpose_places(rows[0], rows[1], targets)
    assert_same(placed[:2], wanted[:2])
    np.testing.assert_array_equal(placed[2], wanted[2])
    np.testing.assert_array_equal(rows[2][placed[2]], turned[2])


def test_places_past_what_a_float_carries(monkeypatch):
    rows = reference.edges_to_csr(np.array([0, 2, 1, 2]), np.array([1, 1, 0, 0]), None, 3)
    carried = csr.transpose_places(rows[0], rows[1])
    assert carried[2].dtype == np.uint32
    monkeypatch.setattr("weft.kernels.csr.cpu._MOST_CARRIED", 3)
    sorted_ = csr.transpose_places(rows[0], rows[1])
    assert sorted_[2].dtype == np.int64
    assert_same(carried[:2], sorted_[:2])
    np.testing.assert_array_equal(carried[2], sorted_[2])


def test_damaged_neighbour_raises_in_transpose():
    with pytest.raises(WeftValueError, match="past the 2 nodes"):
        csr.transpose(np.array([0, 2, 2, 2]), np.array([0, 2], np.uint32), None, 2)
    with pytest.raises(WeftValueError, match="names node 9"):
        csr.transpose(np.array([0, 2]), np.array([0, 9], np.uint32), None)
    with pytest.raises(WeftValueError, match="node 7 is not in"):
        csr.has_edges(np.array([0, 1]), np.zeros(1, np.uint32), np.array([7]), np.array([0]))
