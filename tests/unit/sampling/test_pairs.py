"""Pools of pairs: the same however they are read, found by their number, cut where the run ends."""

from __future__ import annotations

import numpy as np
import pytest

from weft.graph import Graph
from weft.kernels.pairs import pairs_per_walk, window_pairs
from weft.sampling import WalkSampler, pairs
from weft.sampling.pairs import PairPools, walks_at_once

SHAPE = {"length": 6, "window": 3, "seed": 5}


@pytest.fixture(params=[False, True], ids=["undirected", "directed"])
def graph(request):
    rng = np.random.default_rng(1)
    src, dst = rng.integers(0, 80, (2, 200))
    return Graph.from_edges(src, dst, num_nodes=90, directed=request.param)


def all_pairs(graph, walks, row):
    sink = (graph.degree() == 0).astype(np.uint8)
    walk = WalkSampler.of(graph).walks(walks, SHAPE["length"], seed=SHAPE["seed"])
    return window_pairs(walk, row, SHAPE["window"], sink_N=sink)


def pools_of(graph, walks):
    row = np.random.default_rng(2).permutation(graph.num_nodes).astype(np.uint32)
    return PairPools(graph, row, walks=walks, **SHAPE), row


def filled(pool):
    return pool.fill(np.empty(pool.source.capacity, np.uint64))


def in_chunks(pool):
    return np.concatenate([np.zeros(0, np.uint64), *(chunk.copy() for chunk in pool.chunks())])


@pytest.mark.parametrize("at_once", [1, 30, 1000, 1 << 20])
def test_pools_are_the_walks_cut_into_pieces(graph, at_once, monkeypatch):
    monkeypatch.setattr(pairs, "_PAIRS", at_once)
    pools, row = pools_of(graph, 50)
    assert pools.chunk == min(50, max(1, at_once // pairs_per_walk(6, 3)))
    whole = all_pairs(graph, 200, row)
    for read in (filled, in_chunks):
        got = np.concatenate([read(pools.pool(k, 1 << 40)) for k in (0, 1, 2, 3)])
        np.testing.assert_array_equal(got, whole)


@pytest.mark.parametrize("most", [0, 1, 7, 100, 10**6])
def test_a_pool_ends_where_it_is_told_to(graph, most, monkeypatch):
    monkeypatch.setattr(pairs, "_PAIRS", 30)
    pools, row = pools_of(graph, 50)
    whole = all_pairs(graph, 100, row)[len(all_pairs(graph, 50, row)) :]
    for read in (filled, in_chunks):
        np.testing.assert_array_equal(read(pools.pool(1, most)), whole[:most])


def test_pools_in_any_order(graph):
    pools, _ = pools_of(graph, 20)
    forward = [filled(pools.pool(k, 1 << 40)).copy() for k in range(4)]
    for k in (3, 0, 2, 1):
        np.testing.assert_array_equal(filled(pools.pool(k, 1 << 40)), forward[k])


def test_walks_at_once():
    assert walks_at_once(10, 40, 3) == 10
    assert walks_at_once(1 << 30, 1, 1) == 1 << 20
    assert walks_at_once(1 << 30, 40, 3) * pairs_per_walk(40, 3) <= 1 << 20
    assert walks_at_once(5, 1 << 20, 10) == 1
