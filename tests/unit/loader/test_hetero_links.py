from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.loader import LinkLoader
from torch_geometric.sampler import BaseSampler, HeteroSamplerOutput, NegativeSampling, neighbor_sampler

from weft.errors import WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import HeteroGraph
from weft.loader import LinkNeighborLoader
from weft.sampling import HeteroNeighborSampler, NegativeSampler
from weft.sampling.epochs import epoch_seed

COUNT = {"paper": 90, "author": 60}
WRITES, CITES = ("author", "writes", "paper"), ("paper", "cites", "paper")
X = {kind: np.random.default_rng(0).random((count, 4)).astype(np.float32) for kind, count in COUNT.items()}


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    writes = [rng.integers(0, 60, 300), rng.integers(0, 90, 300)]
    return HeteroGraph.from_edges(
        {
            WRITES: writes,
            CITES: rng.integers(0, 90, (2, 300)),
            ("paper", "rev_writes", "author"): writes[::-1],
        },
        COUNT,
    )


@pytest.mark.parametrize(
    ("edges", "error", "match"),
    [
        (None, WeftTypeError, "needs edges with their type"),
        (np.zeros((2, 3), int), WeftTypeError, "needs edges with their type"),
        ([[0, 1], [2, 3]], WeftTypeError, "needs edges with their type"),
        ((5, [[0], [1]]), WeftTypeError, "needs edges with their type"),
        ("author", WeftTypeError, "needs edges with their type"),
        (("author", "edits", "paper"), WeftKeyError, "no edges of type"),
        ((WRITES, [[60], [0]]), WeftValueError, "edge 0 comes from node 60, there are 60 nodes"),
        ((WRITES, [[0], [90]]), WeftValueError, "edge 0 leads to node 90, there are 90 nodes"),
        ((WRITES, np.zeros((2, 0), int)), WeftValueError, "there are no edges"),
    ],
)
def test_wrong_edges(graph, edges, error, match):
    with pytest.raises(error, match=match):
        LinkNeighborLoader(graph, X, [2], edges)


class _Ours(BaseSampler):
    """Our draws behind PyG's own loader, in one batch."""

    def __init__(self, sampler):
        self.sampler = sampler

    def sample_from_nodes(self, index):
        raise NotImplementedError

    def sample_from_edges(self, index, neg_sampling=None):
        def tensors(arrays):
            return {kind: torch.from_numpy(np.ascontiguousarray(a)) for kind, a in arrays.items()}

        def sample(seeds, seed_time):
            got = self.sampler.sample({k: v.numpy() for k, v in seeds.items()}, seed=epoch_seed(6, 0))
            return HeteroSamplerOutput(
                node=tensors(got.n_id),
                row=tensors({kind: index[0] for kind, index in got.edge_index.items()}),
                col=tensors({kind: index[1] for kind, index in got.edge_index.items()}),
                edge=tensors(got.e_id),
                batch=tensors(got.batch) if got.batch is not None else None,
                num_sampled_nodes=got.num_sampled_nodes,
                num_sampled_edges=got.num_sampled_edges,
            )

        disjoint = self.sampler.disjoint
        return neighbor_sampler.edge_sample(index, sample, COUNT, disjoint, None, neg_sampling)

    @property
    def edge_permutation(self):
        return None


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("kind", [WRITES, CITES])
@pytest.mark.parametrize("wanted", [None, ("binary", 2.0), ("triplet", 1), ("triplet", 3)])
def test_batches_are_those_that_pyg_makes(graph, monkeypatch, wanted, kind, disjoint):
    """Names, their order, dtypes and values: PyG's own loader assembles the same draws."""
    rng = np.random.default_rng(1)
    index = np.stack([rng.integers(0, COUNT[kind[0]], 40), rng.integers(0, COUNT[kind[2]], 40)])
    ours = LinkNeighborLoader(
        graph, X, [3, 2], (kind, index), batch_size=40, neg_sampling=wanted, seed=6, disjoint=disjoint
    )
    cast = NegativeSampling.cast(wanted)
    rows = graph[kind]
    draws = NegativeSampler.between(rows.indptr, rows.indices, COUNT[kind[2]])

    def negatives(ends, described, nodes, *_, endpoint):
        edge = index[0], index[1], np.arange(40), int(described.amount)
        if described.is_binary():
            drawn = draws.pairs(*edge, seed=epoch_seed(6, 0))[endpoint == "dst"].T.reshape(-1)
        else:
            drawn = draws.corrupt(*edge, seed=epoch_seed(6, 0))
            drawn = drawn.T.reshape(-1) if disjoint else drawn.reshape(-1)
        return torch.from_numpy(drawn.copy())

    monkeypatch.setattr(neighbor_sampler, "neg_sample", negatives)
    data = graph.to_pyg()
    for name, x in X.items():
        data[name].x = torch.from_numpy(x)
        del data[name].num_nodes
    sampler = HeteroNeighborSampler.of(graph, [3, 2], disjoint=disjoint)
    theirs = LinkLoader(
        data, _Ours(sampler), (kind, torch.from_numpy(index)), neg_sampling=cast, batch_size=40
    )
    (one,), (other,) = ours, theirs
    for left, right in zip(one.stores, other.stores, strict=True):
        assert list(left.keys()) == list(right.keys())
        for key, value in left.items():
            if isinstance(value, torch.Tensor):
                assert value.dtype == right[key].dtype, key
                torch.testing.assert_close(value, right[key], rtol=0, atol=0)
            else:
                assert value == right[key], key


def leaks(batch, kind, graph, *, turned):
    """Edges of a batch that say that a positive one is there, straight or by its reverse."""
    edge_type = batch[kind]
    src, dst = edge_type.edge_label_index[:, : len(edge_type.input_id)]
    pairs = set(zip(batch[kind[0]].n_id[src].tolist(), batch[kind[2]].n_id[dst].tolist(), strict=True))
    names = {kind: pairs, (kind[2], f"rev_{kind[1]}", kind[0]): {(b, a) for a, b in pairs}}
    if kind[0] == kind[2]:
        names = {kind: pairs | {(b, a) for a, b in pairs}}
    found = 0
    for stored, telling in names.items():
        there = (stored[2], f"rev_{stored[1]}", stored[0]) if turned else stored
        row, col = batch[there].edge_index
        ends = zip(batch[there[0]].n_id[row].tolist(), batch[there[2]].n_id[col].tolist(), strict=True)
        found += sum(((b, a) if turned else (a, b)) in telling for a, b in ends)
    return found


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("kind", [WRITES, CITES])
def test_targets_do_not_leak(graph, kind, direction, disjoint):
    found = {}
    for exclude in (False, True):
        loader = LinkNeighborLoader(
            graph,
            X,
            [4, 3],
            kind,
            batch_size=64,
            neg_sampling="binary",
            exclude_targets=exclude,
            disjoint=disjoint,
            direction=direction,
        )
        found[exclude] = 0
        for batch in loader:
            found[exclude] += leaks(batch, kind, graph, turned=direction == "out")
            for name in COUNT:
                store = batch[name]
                np.testing.assert_array_equal(store.x, X[name][store.n_id])
                assert sum(store.num_sampled_nodes) == len(store.n_id)
            if disjoint and exclude:
                reached = {n: set(range(batch[n].num_sampled_nodes[0])) for n in COUNT}
                for there, (row, col) in batch.edge_index_dict.items():
                    reached[there[0]] |= set(row.tolist())
                    assert torch.equal(batch[there[0]].batch[row], batch[there[2]].batch[col])
                assert all(reached[n] == set(range(len(batch[n].n_id))) for n in COUNT)
    assert found[False] > 0  # else this shows nothing
    assert found[True] == 0


def test_strict_between_types(graph):
    rows = graph[WRITES]
    edges = set(zip(rows.sources().tolist(), rows.indices.tolist(), strict=True))
    loader = LinkNeighborLoader(
        graph, X, [2], WRITES, batch_size=100, neg_sampling=("triplet", 4), negatives="degree", strict=True
    )
    for batch in loader:
        source = batch["author"].n_id[batch["author"].src_index].repeat_interleave(4)
        target = batch["paper"].n_id[batch["paper"].dst_neg_index.reshape(-1)]
        assert not set(zip(source.tolist(), target.tolist(), strict=True)) & edges
