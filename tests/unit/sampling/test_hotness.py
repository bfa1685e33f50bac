"""Hotness of rows."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.sampling import NeighborSampler, reverse_pagerank, sampled_counts


@pytest.fixture(scope="module")
def graph():
    rng = np.random.default_rng(0)
    src, dst = rng.integers(0, 60, (2, 400))
    return Graph.from_edges(src, dst, num_nodes=61, directed=True)


def test_as_networkx_has_it(graph, monkeypatch):
    monkeypatch.setattr("weft.sampling.hotness._EDGES", 37)  # several pieces
    other = networkx.DiGraph()
    other.add_nodes_from(range(61))
    src = np.repeat(np.arange(61), graph.degree())
    other.add_edges_from(zip(graph.indices.tolist(), src.tolist(), strict=True))  # against the edges
    stuck = [node for node in range(61) if other.out_degree(node) == 0]
    other.add_edges_from((node, node) for node in stuck)  # networkx sends those anywhere
    rank = networkx.pagerank(other, alpha=0.85, max_iter=500, tol=1e-13)
    ours = reverse_pagerank(graph, steps=300)
    for node in set(range(61)) - set(stuck):
        assert ours[node] == pytest.approx(rank[node], abs=1e-9)
    some = reverse_pagerank(graph, np.array([5, 5, 7]), steps=0)
    assert some[5] == pytest.approx(2 / 3)
    assert some.sum() == pytest.approx(1)
    assert reverse_pagerank(Graph.from_edges([], [], num_nodes=3)).tolist() == pytest.approx([0.05] * 3)


def test_counts_of_a_trial():
    src, dst = np.random.default_rng(1).geometric(0.004, (2, 8000)) % 1000
    graph = Graph.from_edges(src, dst, num_nodes=1000)
    sampler = NeighborSampler.of(graph, [5, 5])
    seeds = np.flatnonzero(graph.degree())[:200]
    counts = sampled_counts(sampler, seeds, 20, batches=10)
    assert counts[seeds].min() >= 1  # the whole of an epoch
    assert counts.max() == 10
    assert sampled_counts(sampler, seeds, 20).max() == 1
    hot = np.corrcoef(counts, reverse_pagerank(graph, seeds))[0, 1]
    assert hot > 0.7


def test_wrong_arguments(graph):
    for wrong in ({"damping": 1.0}, {"damping": -0.1}, {"steps": -1}):
        with pytest.raises(WeftValueError, match="damping"):
            reverse_pagerank(graph, **wrong)
    for seeds in ([61], []):
        with pytest.raises(WeftValueError, match="some of 61 nodes"):
            reverse_pagerank(graph, np.array(seeds, np.int64))
    with pytest.raises(WeftValueError, match="at least one seed"):
        sampled_counts(NeighborSampler.of(graph, [2]), np.arange(3), 0)
