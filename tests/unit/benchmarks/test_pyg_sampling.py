import numpy as np
import pytest
from benchmarks.pyg_sampling import Sampler

from weft.graph import Graph
from weft.sampling import NeighborSampler


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    return Graph.from_edges(*rng.integers(0, 200, (2, 900)), num_nodes=210)


def test_all_neighbours_are_what_our_sampler_finds(graph):
    seeds = np.array([3, 209, 17])
    ours = NeighborSampler.of(graph, [-1, -1]).sample(seeds, seed=0)
    hops = Sampler(graph, [1000, 1000], 0).sample(seeds)
    np.testing.assert_array_equal(hops.n_id, ours.n_id)
    np.testing.assert_array_equal(hops.edge_index, ours.edge_index)
    assert hops.nodes == ours.num_sampled_nodes
    assert hops.edges == ours.num_sampled_edges


def test_no_more_than_asked_for_each_once(graph):
    sampler = Sampler(graph, [4, 2], 0)
    counts = np.zeros(210, int)
    for _ in range(300):
        hops = sampler.sample(np.array([5, 9]))
        pairs = hops.n_id[hops.edge_index]
        assert graph.has_edges(pairs[1], pairs[0]).all()
        assert len(np.unique(pairs, axis=1).T) == pairs.shape[1]
        into = np.bincount(hops.edge_index[1], minlength=len(hops.n_id))
        assert (into[:2] == np.minimum(4, graph.degree()[[5, 9]])).all()
        assert into[2:].max() <= 2
        counts[pairs[0, pairs[1] == 5]] += 1
    drawn = counts[graph.neighbors(5)]
    expected = 300 * 4 / len(drawn)
    assert (abs(drawn - expected) < 6 * expected**0.5).all()
