"""Random walks: errors, equality with the reference, damage, and where they go."""

from __future__ import annotations

import numpy as np
import pytest

import weft
from weft.errors import WeftValueError
from weft.kernels.alias import alias_tables
from weft.kernels.walk import cpu, reference

DTYPES = pytest.mark.parametrize("dtype", [np.uint32, np.int64])


def csr(nodes, src, dst, dtype=np.uint32):
    order = np.lexsort((dst, src))
    indptr = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(np.asarray(src, np.int64), minlength=nodes), out=indptr[1:])
    return indptr, np.asarray(dst)[order].astype(dtype)


def shaped(kind, nodes, dtype):
    rng = np.random.default_rng(nodes)
    edges = {"empty": 0, "isolated": nodes // 3}.get(kind, nodes * 4)
    src, dst = rng.integers(0, max(1, nodes), (2, edges if nodes else 0))
    if kind == "loops":
        dst = np.where(rng.random(len(src)) < 0.5, src, dst)
    elif kind == "duplicates":
        dst = dst % 2
    elif kind == "skewed":
        src = np.where(rng.random(len(src)) < 0.7, 0, src)
    if nodes == 1:
        dst[:] = 0
    return csr(nodes, src, dst, dtype)


KINDS = ["random", "empty", "isolated", "loops", "duplicates", "skewed"]


@pytest.fixture
def triangle():
    return np.array([0, 2, 3, 4]), np.array([1, 2, 2, 0], np.uint32)


@pytest.mark.parametrize("start", [-1, 3, 2**32, -(2**63)])
def test_start_that_is_no_node(triangle, start):
    with pytest.raises(WeftValueError, match=f"start 1 is node {start}, the graph has 3 nodes"):
        cpu.walk(*triangle, np.array([0, start]), 5, 0)


def test_unsigned_start_that_is_no_node(triangle):
    with pytest.raises(WeftValueError, match="the graph has 3 nodes"):
        cpu.walk(*triangle, np.array([2**63], np.uint64), 5, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": -1}, "length must be 0 or more"),
        ({"seed": -1}, "seed must be"),
        ({"first": -1}, "first must be"),
        ({"first": 2**64}, "first must be"),
        ({"starts": np.zeros(2)}, "starts must be integers"),
        ({"starts": np.zeros((1, 2), np.int64)}, "starts must be integers"),
        ({"indptr": np.zeros(0, np.int64)}, r"indptr must hold N\+1 values"),
        ({"indptr": np.zeros(4, np.int32)}, "indptr must be a contiguous vector of int64"),
        ({"indices": np.zeros(4, np.int32)}, "indices must be a contiguous vector of uint32 or int64"),
        ({"indices": np.zeros(8, np.uint32)[::2]}, "indices must be a contiguous vector"),
        ({"alias": np.zeros(3, np.uint64)}, "alias has 3 slots for 4 edges"),
        ({"alias": np.zeros(4, np.int64)}, "alias must be a contiguous vector of uint64"),
        ({"out": np.zeros((2, 5), np.uint32)}, "out must be"),
        ({"out": np.zeros((2, 6), np.int64)}, "out must be"),
        ({"out": np.zeros((6, 2), np.uint32).T}, "out must be"),
    ],
)
def test_bad_arguments(triangle, change, message):
    given = {
        "indptr": triangle[0],
        "indices": triangle[1],
        "starts": np.zeros(2, np.int64),
        "length": 5,
        "seed": 0,
    }
    with pytest.raises(WeftValueError, match=message):
        cpu.walk(**given | change)


@pytest.mark.parametrize("wrong", [-1, -(2**63), 5, 2**62, 2**63 - 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_damaged_indptr_raises(triangle, wrong, weighted):
    indptr, indices = triangle
    alias = np.zeros(4, np.uint64) if weighted else None
    for at in range(4):
        damaged = indptr.copy()
        damaged[at] = wrong
        with pytest.raises(WeftValueError, match="the graph is damaged: the row of node"):
            cpu.walk(damaged, indices, np.arange(3), 20, 0, alias=alias)


def test_rows_that_fall_raise():
    with pytest.raises(WeftValueError, match="the row of node 1"):
        cpu.walk(np.array([0, 3, 1, 4]), np.zeros(4, np.uint32), np.array([1]), 3, 0)


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [(np.uint32, 3), (np.uint32, 2**32 - 1), (np.int64, 3), (np.int64, -1), (np.int64, 2**63 - 1)],
)
def test_damaged_indices_raise(triangle, dtype, wrong):
    indices = triangle[1].astype(dtype)
    indices[2] = wrong
    with pytest.raises(WeftValueError, match="the graph is damaged: indices hold node"):
        cpu.walk(triangle[0], indices, np.arange(3), 20, 0)


def test_foreign_alias_table_raises(triangle):
    with pytest.raises(WeftValueError, match="the alias table does not belong to the graph"):
        cpu.walk(*triangle, np.arange(3), 20, 0, alias=np.full(4, 2 << 32, np.uint64))


@DTYPES
@pytest.mark.parametrize("nodes", [1, 63, 100, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_reference(kind, nodes, dtype, threads):
    indptr, indices = shaped(kind, nodes, dtype)
    starts = np.random.default_rng(1).integers(0, nodes, 1000)
    ours = cpu.walk(indptr, indices, starts, 13, 2**64 - 1, first=2**32 - 7)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(
        ours, reference.walk(indptr, indices, starts, 13, 2**64 - 1, first=2**32 - 7)
    )


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
def test_weighted_equals_reference(kind, dtype, threads):
    indptr, indices = shaped(kind, 100, dtype)
    weight = np.random.default_rng(2).pareto(0.5, len(indices)).astype(np.float32)
    alias = alias_tables(indptr, weight)
    starts = np.arange(1000) % 100
    np.testing.assert_array_equal(
        cpu.walk(indptr, indices, starts, 13, 3, alias=alias),
        reference.walk(indptr, indices, starts, 13, 3, alias=alias),
    )


@pytest.mark.parametrize("walks", [0, 1, 63, 64, 65, 100, 1000])
@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 40])
def test_odd_sizes_equal_reference(walks, length):
    indptr, indices = shaped("random", 100, np.uint32)
    starts = np.arange(walks) % 100
    ours = cpu.walk(indptr, indices, starts, length, 5)
    assert ours.shape == (walks, length + 1)
    np.testing.assert_array_equal(ours, reference.walk(indptr, indices, starts, length, 5))


def test_graph_without_nodes():
    empty = np.zeros(1, np.int64), np.zeros(0, np.uint32)
    assert cpu.walk(*empty, np.zeros(0, np.int64), 5, 0).shape == (0, 6)
    with pytest.raises(WeftValueError, match="the graph has 0 nodes"):
        cpu.walk(*empty, np.zeros(1, np.int64), 5, 0)


@pytest.mark.parametrize("cut", [1, 63, 64, 2048, 4999])
def test_cut_batch_gives_the_same_walks(cut):
    indptr, indices = shaped("skewed", 1000, np.uint32)
    starts = np.arange(5000) % 1000
    whole = cpu.walk(indptr, indices, starts, 9, 8, first=11)
    head = cpu.walk(indptr, indices, starts[:cut], 9, 8, first=11)
    tail = cpu.walk(indptr, indices, starts[cut:], 9, 8, first=11 + cut)
    np.testing.assert_array_equal(np.concatenate([head, tail]), whole)


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_do_not_matter(weighted):
    indptr, indices = shaped("skewed", 1000, np.uint32)
    alias = alias_tables(indptr, np.arange(1, len(indices) + 1, dtype=np.float32)) if weighted else None
    results = []
    for count in (1, 2, 4):
        weft.set_num_threads(count)
        results.append(cpu.walk(indptr, indices, np.arange(20_000) % 1000, 10, 4, alias=alias))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_isolated_nodes_stay_put():
    indptr, indices = np.array([0, 0, 1, 1]), np.array([2], np.uint32)
    walks = cpu.walk(indptr, indices, np.arange(3), 3, 0)
    assert walks.tolist() == [[0, 0, 0, 0], [1, 2, 2, 2], [2, 2, 2, 2]]


def test_longer_walks_begin_like_shorter_ones():
    indptr, indices = shaped("random", 100, np.uint32)
    long = cpu.walk(indptr, indices, np.arange(100), 21, 9)
    assert np.array_equal(long[:, :8], cpu.walk(indptr, indices, np.arange(100), 7, 9))


def test_out_is_filled_and_returned(triangle):
    out = np.full((3, 6), 77, np.uint32)
    assert cpu.walk(*triangle, np.arange(3), 5, 0, out=out) is out
    assert out.max() < 3


def test_read_only_graph_is_accepted(triangle):
    for array in triangle:
        array.flags.writeable = False
    assert cpu.walk(*triangle, np.arange(3), 5, 0).shape == (3, 6)


def transitions(walks, node, nodes):
    here, there = walks[:, :-1].ravel(), walks[:, 1:].ravel()
    return np.bincount(there[here == node], minlength=nodes)


@pytest.mark.parametrize("weight", [None, [5, 1, 0, 2, 2]])
def test_transition_frequencies(weight):
    # A hub with five neighbours that all lead back to it.
    indptr, indices = np.array([0, 5, 6, 7, 8, 9, 10]), np.array([1, 2, 3, 4, 5, 0, 0, 0, 0, 0], np.uint32)
    share = np.ones(5) if weight is None else np.array(weight, float)
    alias = None if weight is None else alias_tables(indptr, np.float32([*weight, 1, 1, 1, 1, 1]))
    walks = cpu.walk(indptr, indices, np.zeros(10_000, np.int64), 40, 12, alias=alias)
    counts = transitions(walks, 0, 6)[1:]
    expected = share / share.sum() * counts.sum()
    possible = share > 0
    assert counts.sum() == 200_000
    assert not counts[~possible].any()
    # The 0.999 quantiles of chi-square with 4 and 3 degrees of freedom.
    limit = 18.47 if weight is None else 16.27
    assert np.sum((counts - expected)[possible] ** 2 / expected[possible]) < limit
