"""Hidden edges: which, and what is left of the graph."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.sampling.holdout import hide_edges, strangers


def some(directed=False, weighted=False, duplicates="drop", nodes=60, edges=300):
    rng = np.random.default_rng(4)
    weight = rng.integers(0, 3, edges).astype(np.float32) if weighted else None
    src, dst = rng.integers(0, nodes - 5, (2, edges))
    return Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=directed, duplicates=duplicates)


def table(graph):
    """Each stored edge with its weight."""
    src = np.repeat(np.arange(graph.num_nodes), graph.degree())
    weight = np.ones(graph.num_edges) if graph.weight is None else graph.weight
    return list(zip(src.tolist(), graph.indices.tolist(), weight.tolist(), strict=True))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("duplicates", ["drop", "keep"])
@pytest.mark.parametrize("count", [1, 20, 10_000])
def test_the_rest_and_the_hidden_are_the_whole(directed, weighted, duplicates, count):
    graph = some(directed, weighted, duplicates)
    before = table(graph)
    rest, hidden = hide_edges(graph, count, seed=1)
    away = {(u, v) for u, v in hidden.tolist()}
    assert 0 < len(away) == len(hidden) <= count
    assert count > 20 or len(away) == count
    away |= set() if directed else {(v, u) for u, v in away}
    assert table(rest) == [edge for edge in before if edge[:2] not in away]
    assert table(graph) == before
    assert {edge[:2] for edge in before if edge[2] > 0} >= {tuple(edge) for edge in hidden.tolist()}
    assert all(u != v for u, v in away)


@pytest.mark.parametrize("weighted", [False, True])
def test_no_node_loses_its_last_edge(weighted):
    graph = some(weighted=weighted)
    rest, _ = hide_edges(graph, 10_000, seed=0)

    def reach(graph):
        return {u for u, _, weight in table(graph) if weight > 0}

    assert reach(rest) == reach(graph)
    assert rest.num_edges < graph.num_edges


def test_the_seed_decides():
    first, again, other = (hide_edges(some(), 20, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_every_edge_is_a_last_one():
    with pytest.raises(WeftValueError, match="cannot hide any of 20 edges: each is the last"):
        hide_edges(Graph.from_edges(np.zeros(10, int), np.arange(1, 11)), 5, seed=0)


@pytest.mark.parametrize("directed", [False, True])
def test_strangers(directed):
    graph = some(directed)
    source = np.random.default_rng(0).integers(0, 60, 500)
    weight = np.arange(60.0)
    found = strangers(graph, source, 20, weight, seed=3)
    assert found.shape == (500, 20)
    assert not graph.has_edges(np.repeat(source, 20), found.ravel()).any()
    assert (found != source[:, None]).all()
    assert not (found == 0).any()  # it weighs nothing
    # Drawn by weight: 10,000 draws leave the mean, 39.3 without neighbours, within 0.6 (15 / 100 * 4).
    assert abs(found.mean() - 39.3) < 1.5
    np.testing.assert_array_equal(found, strangers(graph, source, 20, weight, seed=3))


def test_a_source_linked_to_all_has_no_strangers():
    graph = Graph.from_edges(np.zeros(5, int), np.arange(1, 6), num_nodes=7)
    found = strangers(graph, np.array([0, 1]), 4, np.array([1.0] * 6 + [0]), seed=0)
    assert (found[0] == -1).all()
    assert (found[1] >= 2).all()
