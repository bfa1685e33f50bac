from __future__ import annotations

import numpy as np
import pytest

from weft.graph import Graph
from weft.sampling import NeighborSampler
from weft.sampling.links import between, exclude_edges


def brute(u, v, src, dst, both):
    pairs = set(zip(src.tolist(), dst.tolist(), strict=True))
    return np.array(
        [(a, b) in pairs or (both and (b, a) in pairs) for a, b in zip(u.tolist(), v.tolist(), strict=True)],
        bool,
    )


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("pairs", [0, 1, 63, 300])
@pytest.mark.parametrize("base", [0, (1 << 62) - 100])
def test_between(pairs, both, base):
    rng = np.random.default_rng(pairs)
    u, v = rng.integers(0, 30, (2, 500)) + base
    src, dst = rng.integers(0, 25, (2, pairs)) + base
    np.testing.assert_array_equal(between(u, v, src, dst, both=both), brute(u, v, src, dst, both))
    assert between(u[:0], v[:0], src, dst, both=both).shape == (0,)


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_nothing_else_goes(disjoint, both):
    rng = np.random.default_rng(5)
    graph = Graph.from_edges(*rng.integers(0, 80, (2, 500)), num_nodes=80, directed=not both)
    src = np.repeat(np.arange(80), graph.degree())[::40]
    dst = graph.indices[::40].astype(np.int64)
    seeds = np.concatenate([src, dst]) if disjoint else np.unique([src, dst])
    whole = NeighborSampler.of(graph, [4, 3], disjoint=disjoint).sample(seeds, seed=1)
    got = exclude_edges(whole, src, dst, both=both)
    gone = brute(*whole.n_id[whole.edge_index], src, dst, both)
    assert gone.any()
    assert not brute(*got.n_id[got.edge_index], src, dst, both).any()
    assert sum(got.num_sampled_edges) == len(got.e_id) == got.edge_index.shape[1]
    assert sum(got.num_sampled_nodes) == len(got.n_id)
    np.testing.assert_array_equal(got.n_id[: len(seeds)], seeds)
    if not disjoint:
        np.testing.assert_array_equal(got.e_id, whole.e_id[~gone])
        np.testing.assert_array_equal(got.edge_index, whole.edge_index[:, ~gone])
        np.testing.assert_array_equal(got.n_id, whole.n_id)
        return
    # Every node but the seeds is there because of an edge, whose other end was there before.
    assert set(range(len(seeds), len(got.n_id))) <= set(got.edge_index[0].tolist())
    reached = set(range(len(seeds)))
    for row, col in got.edge_index.T.tolist():
        assert col in reached
        reached.add(row)
    np.testing.assert_array_equal(*got.batch[got.edge_index])
    kept = set(zip(got.e_id.tolist(), got.batch[got.edge_index[1]].tolist(), strict=True))
    before = set(zip(whole.e_id.tolist(), whole.batch[whole.edge_index[1]].tolist(), strict=True))
    assert kept < before
