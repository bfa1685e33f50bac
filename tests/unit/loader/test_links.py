from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.loader import LinkLoader
from torch_geometric.sampler import BaseSampler, NegativeSampling, SamplerOutput, neighbor_sampler

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.loader import LinkNeighborLoader
from weft.sampling import NegativeSampler, NeighborSampler
from weft.sampling.epochs import epoch_seed

N = 300


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"edge_label_index": np.zeros((3, 2), int)}, r"integers \[2, P\] \(got int64 \[3, 2\]\)"),
        ({"edge_label_index": np.zeros((2, 0), int)}, "there are no edges"),
        ({"edge_label_index": [[0.5], [1.0]]}, "integers"),
        ({"edge_label_index": [[0, 1], [2, N]]}, f"edge 1 leads to node {N}, there are {N} nodes"),
        ({"edge_label_index": [[0, -1], [2, 3]]}, "edge 1 comes from node -1"),
        ({"edge_label_index": [[0, 1], [2, 3]], "edge_label": [1]}, r"the shape \[1\], there are 2 edges"),
        ({"neg_sampling": "hard"}, "neg_sampling must be 'binary', 'triplet'"),
        ({"neg_sampling": ("triplet", 1.5)}, "needs to be an integer"),
        ({"neg_sampling": ("binary", 0.0)}, "amount"),
        ({"neg_sampling": NegativeSampling("binary", 1.0, dst_weight=torch.ones(N))}, "negatives='degree'"),
        ({"neg_sampling": "binary", "negatives": "hard"}, "negatives must be one of"),
        ({"edge_label_index": [[0], [2]], "edge_label": [1], "neg_sampling": "triplet"}, "have no labels"),
        ({"batch_size": 0}, "batch_size"),
        ({"num_neighbors": []}, "must list how many neighbors"),
    ],
)
def test_wrong_options(graph, x, options, match):
    with pytest.raises(WeftValueError, match=match):
        LinkNeighborLoader(graph, **({"features": x, "num_neighbors": [2]} | options))


def test_no_edges(x):
    with pytest.raises(WeftValueError, match="the graph has none"):
        LinkNeighborLoader(Graph.from_edges([], [], num_nodes=N), x, [2])


class _Ours(BaseSampler):
    """Our draws behind PyG's own loader, in one batch."""

    def __init__(self, sampler):
        self.sampler = sampler

    def sample_from_nodes(self, index):
        raise NotImplementedError

    def sample_from_edges(self, index, neg_sampling=None):
        def sample(seed, seed_time):
            got = self.sampler.sample(seed.numpy(), seed=epoch_seed(6, 0))
            row, col = torch.from_numpy(got.edge_index)
            return SamplerOutput(
                node=torch.from_numpy(got.n_id),
                row=row,
                col=col,
                edge=torch.from_numpy(got.e_id),
                batch=None if got.batch is None else torch.from_numpy(got.batch),
                num_sampled_nodes=got.num_sampled_nodes,
                num_sampled_edges=got.num_sampled_edges,
            )

        return neighbor_sampler.edge_sample(index, sample, N, self.sampler.disjoint, None, neg_sampling)

    @property
    def edge_permutation(self):
        return None


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        *itertools.product([None, "binary", ("binary", 0.7)], [None, "from 0", "from 1", "columns"]),
        (("triplet", 1), None),
        (("triplet", 3), None),
    ],
)
def test_batches_are_those_that_pyg_makes(graph, x, monkeypatch, wanted, labels, disjoint):
    """Names, their order, dtypes and values: PyG's own loader assembles the same draws."""
    index = np.random.default_rng(1).integers(0, N, (2, 40))
    label = {
        None: None,
        "from 0": torch.arange(40) % 3,
        "from 1": torch.arange(40) % 3 + 1,
        "columns": torch.ones(40, 2),
    }[labels]
    y = torch.arange(N)
    ours = LinkNeighborLoader(
        graph, x, [3, 2], index, label, 40, neg_sampling=wanted, y=y, seed=6, disjoint=disjoint
    )
    cast = NegativeSampling.cast(wanted)

    def negatives(ends, described, nodes, *_, endpoint):
        count = int(np.ceil(described.amount))
        draws = NegativeSampler.of(graph)
        edge = index[0], index[1], np.arange(40), count
        if described.is_binary():
            drawn = draws.pairs(*edge, seed=epoch_seed(6, 0))[endpoint == "dst"].T.reshape(-1)
        else:
            drawn = draws.corrupt(*edge, seed=epoch_seed(6, 0))
            drawn = drawn.T.reshape(-1) if disjoint else drawn.reshape(-1)
        return torch.from_numpy(drawn[: int(np.ceil(40 * described.amount))].copy())

    monkeypatch.setattr(neighbor_sampler, "neg_sample", negatives)
    data = Data(x=torch.from_numpy(x), edge_index=torch.empty(2, graph.num_edges, dtype=torch.long), y=y)
    theirs = LinkLoader(
        data,
        _Ours(NeighborSampler.of(graph, [3, 2], disjoint=disjoint)),
        torch.from_numpy(index),
        label,
        neg_sampling=cast,
        batch_size=40,
    )
    (one,), (other,) = ours, theirs
    assert one.keys() == other.keys()
    for key, value in one.to_dict().items():
        if isinstance(value, torch.Tensor):
            assert value.dtype == other[key].dtype, key
            torch.testing.assert_close(value, other[key], rtol=0, atol=0)
        else:
            assert value == other[key], key


@pytest.mark.parametrize("directed", [False, True])
def test_all_edges_of_the_graph(made_graph, x, directed):
    graph = made_graph(directed=directed)
    loader = LinkNeighborLoader(graph, x, [2], batch_size=500, shuffle=True)
    seen = []
    for batch in loader:
        ends = batch.n_id[batch.edge_label_index]
        wanted = np.stack(
            [np.repeat(np.arange(N), graph.degree())[batch.input_id], graph.indices[batch.input_id]]
        )
        np.testing.assert_array_equal(ends, wanted)
        np.testing.assert_array_equal(batch.x, x[batch.n_id])
        assert "edge_label" not in batch
        seen.append(batch.input_id)
    assert torch.cat(seen).sort()[0].tolist() == list(range(graph.num_edges))


def targets_seen(graph, batch, *, turned=False):
    """Edges of a batch that are among its positive ones, by their ends in the graph."""
    pairs = set(map(tuple, batch.n_id[batch.edge_label_index[:, : len(batch.input_id)]].T.tolist()))
    if turned:
        pairs = {(b, a) for a, b in pairs}
    if not graph.directed:
        pairs |= {(b, a) for a, b in pairs}
    return sum(edge in pairs for edge in map(tuple, batch.n_id[batch.edge_index].T.tolist()))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("fanout", [[-1, -1], [4, 2]])
def test_targets_do_not_leak(made_graph, x, directed, disjoint, direction, fanout):
    graph = made_graph(directed=directed)
    row = np.repeat(np.arange(N), graph.degree())
    edges = np.stack([row, graph.indices])[:, ::15]
    options = {"disjoint": disjoint, "direction": direction, "batch_size": 64, "shuffle": True}
    found = {}
    for exclude in (False, True):
        loader = LinkNeighborLoader(
            graph, x, fanout, edges, neg_sampling="binary", exclude_targets=exclude, **options
        )
        found[exclude] = sum(targets_seen(graph, b, turned=direction == "out") for b in loader)
    assert found[False] > 0  # else this shows nothing
    assert found[True] == 0


def test_strict_and_counts(graph, x):
    edges = set(zip(np.repeat(np.arange(N), graph.degree()).tolist(), graph.indices.tolist(), strict=True))
    for kind in ("uniform", "degree", "in-batch"):
        loader = LinkNeighborLoader(
            graph, x, [2], batch_size=100, neg_sampling=("triplet", 4), negatives=kind, strict=True
        )
        batch = next(iter(loader))
        loader.close()
        assert batch.dst_neg_index.shape == (100, 4)
        source = batch.n_id[batch.src_index].repeat_interleave(4).tolist()
        drawn = set(zip(source, batch.n_id[batch.dst_neg_index.reshape(-1)].tolist(), strict=True))
        assert not drawn & edges
        assert all(a != b for a, b in drawn)


def test_an_epoch_depends_on_seed_and_number_alone(graph, x):
    def gathered(**options):
        loader = LinkNeighborLoader(
            graph, x, [3, 2], batch_size=200, shuffle=True, neg_sampling="binary", **options
        )
        loader.epoch = 2
        return [(b.n_id, b.edge_index, b.e_id, b.edge_label_index, b.edge_label) for b in loader]

    first = gathered(prefetch=0)
    for prefetch in (1, 4):
        for one, other in zip(first, gathered(prefetch=prefetch), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(first[0][3], gathered(seed=1)[0][3])
