"""Neighbour sampling on graphs: what PyG calls a batch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.sampling.neighbors import NeighborSampler


def graph_of(*, directed, weighted, duplicates="keep"):
    rng = np.random.default_rng(0)
    weight = (1 + rng.random(3000)).astype(np.float32) if weighted else None
    src, dst = rng.integers(0, 200, (2, 3000))
    return Graph.from_edges(src, dst, weight, num_nodes=200, directed=directed, duplicates=duplicates)


def ends(graph):
    """Source and target of every stored edge."""
    return np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr)), graph.indices.astype(np.int64)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("fanout", [(3, 2), (-1,)])
def test_edges_are_those_of_the_graph(directed, direction, weighted, fanout):
    graph = graph_of(directed=directed, weighted=weighted)
    sampler = NeighborSampler.of(graph, fanout, direction=direction)
    got = sampler.sample(np.arange(50, 80), seed=1)
    src, dst = ends(graph)
    found, seed = got.n_id[got.edge_index]
    # Out of a node of an undirected graph and into it are the same: its own row.
    turned = direction == "in" and directed
    np.testing.assert_array_equal(found, (src if turned else dst)[got.e_id])
    np.testing.assert_array_equal(seed, (dst if turned else src)[got.e_id])
    assert got.n_id.dtype == got.edge_index.dtype == got.e_id.dtype == np.int64
    assert sum(got.num_sampled_nodes) == len(got.n_id)
    assert sum(got.num_sampled_edges) == got.edge_index.shape[1]
    if fanout == (-1,):
        wanted = np.flatnonzero(np.isin(dst if turned else src, np.arange(50, 80)))
        np.testing.assert_array_equal(np.sort(got.e_id), wanted)
    if weighted:  # the weights went where their edges did
        assert sampler.relation.weight is not None
        place = np.arange(graph.num_edges) if sampler.edge_E is None else sampler.edge_E
        np.testing.assert_array_equal(sampler.relation.weight, graph.weight[place])


def test_trees_and_threads():
    graph = graph_of(directed=False, weighted=False)
    sampler = NeighborSampler.of(graph, [4, 4], disjoint=True)
    seeds = [np.arange(i, i + 40) for i in range(32)]

    def draw(number):
        return sampler.sample(seeds[number], seed=3, batch=number)

    alone = [draw(number) for number in range(32)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(draw, range(32)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.edge_index, other.edge_index)
        np.testing.assert_array_equal(one.n_id, other.n_id)
    tree = alone[0].batch
    np.testing.assert_array_equal(tree[:40], np.arange(40))
    np.testing.assert_array_equal(*tree[alone[0].edge_index])


def test_without_edges():
    got = NeighborSampler.of(Graph.from_edges([], [], num_nodes=3), [2, -1]).sample(np.array([1]), seed=0)
    assert (got.n_id.tolist(), got.edge_index.shape, got.batch) == ([1], (2, 0), None)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"num_neighbors": [2, -2]}, r"-1 for all \(got -2\)"),
        ({"num_neighbors": [True]}, "got True"),
        ({"num_neighbors": [2.0]}, "got 2.0"),
        ({"num_neighbors": [2], "direction": "both"}, "'in' or 'out'"),
        ({"num_neighbors": [2], "weighted": True}, "the graph has no weights"),
    ],
)
def test_wrong_options(options, match):
    with pytest.raises(WeftValueError, match=match):
        NeighborSampler.of(graph_of(directed=True, weighted=False), **options)


def test_weights_that_cannot_be_drawn_by():
    graph = Graph.from_edges([0, 1], [1, 0], np.array([0, 1], np.float32), num_nodes=2, directed=True)
    with pytest.raises(WeftValueError, match="draws by weight: node 1"):
        NeighborSampler.of(graph, [1])
