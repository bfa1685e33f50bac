from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.loader import NodeLoader
from torch_geometric.nn import HeteroConv, SAGEConv
from torch_geometric.sampler import BaseSampler, HeteroSamplerOutput
from torch_geometric.utils import trim_to_layer

from weft.errors import StorageError, WeftKeyError, WeftTypeError, WeftValueError
from weft.features import CachedTable, MemoryTable
from weft.graph import HeteroGraph
from weft.loader import NeighborLoader
from weft.sampling import HeteroNeighborSampler
from weft.sampling.epochs import epoch_seed
from weft.testing import FaultyTable

COUNT = {"paper": 120, "author": 60, "venue": 5}
X = {
    kind: np.random.default_rng(i).random((COUNT[kind], 4 + i)).astype(np.float32)
    for i, kind in enumerate(["paper", "author"])
}
Y = {"paper": torch.arange(120)}


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)

    def ends(a, b, edges):
        return [rng.integers(0, COUNT[a], edges), rng.integers(0, COUNT[b], edges)]

    return HeteroGraph.from_edges(
        {
            ("author", "writes", "paper"): ends("author", "paper", 400),
            ("paper", "cites", "paper"): [*ends("paper", "paper", 300), rng.random(300) + 0.1],
            ("paper", "rev_writes", "author"): ends("paper", "author", 400),
            ("paper", "in", "venue"): ends("paper", "venue", 100),
        },
        COUNT,
    )


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"input_nodes": None}, WeftTypeError, "seeds with their type"),
        ({"input_nodes": [3, 4]}, WeftTypeError, "seeds with their type"),
        ({"input_nodes": "editor"}, WeftKeyError, "no nodes of type 'editor'; there are"),
        ({"input_nodes": ("venue", [5])}, WeftValueError, "input_nodes of 'venue': seed 0 is node 5"),
        ({"input_nodes": ("venue", np.ones(4, bool))}, WeftValueError, "a mask must have"),
        ({"features": X["paper"]}, WeftTypeError, "features: .* needs a dict by type .got ndarray"),
        ({"features": {"editor": X["paper"]}}, WeftKeyError, "features: no nodes of type 'editor'"),
        ({"features": {"author": X["paper"]}}, WeftValueError, "features of 'author' has 120 rows"),
        ({"y": torch.arange(120)}, WeftTypeError, "y: .* needs a dict by type .got Tensor"),
        ({"y": {"author": torch.arange(120)}}, WeftValueError, "y of 'author' has the shape"),
        ({"num_neighbors": []}, WeftValueError, "must list how many neighbors"),
        ({"num_neighbors": {("paper", "cites", "paper"): [2]}}, WeftValueError, "lacks edges of type"),
    ],
)
def test_wrong_options(graph, options, error, match):
    given = {"features": X, "num_neighbors": [2], "input_nodes": "paper"} | options
    with pytest.raises(error, match=match):
        NeighborLoader(graph, **given)


class _Ours(BaseSampler):
    """Our draws behind PyG's own loader."""

    def __init__(self, sampler):
        self.sampler = sampler

    def sample_from_nodes(self, index):
        number = int(index.input_id[0]) // 50
        got = self.sampler.sample((index.input_type, index.node.numpy()), seed=epoch_seed(4, 0), batch=number)

        def tensors(arrays):
            return {kind: torch.from_numpy(np.ascontiguousarray(a)) for kind, a in arrays.items()}

        return HeteroSamplerOutput(
            node=tensors(got.n_id),
            row=tensors({kind: index[0] for kind, index in got.edge_index.items()}),
            col=tensors({kind: index[1] for kind, index in got.edge_index.items()}),
            edge=tensors(got.e_id),
            batch=tensors(got.batch) if got.batch is not None else None,
            num_sampled_nodes=got.num_sampled_nodes,
            num_sampled_edges=got.num_sampled_edges,
            metadata=(index.input_id, index.time),
        )

    def sample_from_edges(self, index, neg_sampling=None):
        raise NotImplementedError

    @property
    def edge_permutation(self):
        return None


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("seeds", ["paper", ("paper", torch.tensor([3, 99, 4])), ("venue", None)])
def test_batches_are_those_that_pyg_makes(graph, seeds, disjoint):
    """Names, their order, dtypes and values: PyG's own loader assembles the same draws."""
    ours = NeighborLoader(graph, X, [3, 2], seeds, 50, y=Y, seed=4, disjoint=disjoint)
    data = graph.to_pyg()
    for kind, x in X.items():
        data[kind].x = torch.from_numpy(x)
        del data[kind].num_nodes
    data["paper"].y = Y["paper"]
    sampler = HeteroNeighborSampler.of(graph, [3, 2], disjoint=disjoint)
    theirs = NodeLoader(data, _Ours(sampler), seeds, batch_size=50)
    assert ours.input_type == (seeds if isinstance(seeds, str) else seeds[0])
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.node_types == other.node_types
        assert one.edge_types == other.edge_types
        for left, right in zip(one.stores, other.stores, strict=True):
            assert list(left.keys()) == list(right.keys())
            for key, value in left.items():
                if isinstance(value, torch.Tensor):
                    assert value.dtype == right[key].dtype, key
                    torch.testing.assert_close(value, right[key], rtol=0, atol=0)
                else:
                    assert value == right[key], key


def test_a_model_of_pyg(graph):
    """Two layers on batches, trimmed and not, are two layers on the whole graph."""
    torch.manual_seed(0)
    x = X | {"venue": np.ones((5, 3), np.float32)}
    size = {kind: rows.shape[1] for kind, rows in x.items()}
    layers = [
        HeteroConv(
            {
                kind: SAGEConv((inside[kind[0]], inside[kind[-1]]), outside, project=False)
                for kind in graph.edge_types
            }
        )
        for inside, outside in ((size, 8), (dict.fromkeys(size, 8), 3))
    ]
    whole = graph.to_pyg()
    with torch.no_grad():
        hidden = {kind: torch.from_numpy(rows) for kind, rows in x.items()}
        for layer in layers:
            hidden = layer(hidden, whole.edge_index_dict)
        for batch in NeighborLoader(graph, x, [-1, -1], "paper", 40):
            got, edges = batch.x_dict, batch.edge_index_dict
            for number, layer in enumerate(layers):
                got, edges, _ = trim_to_layer(
                    number, batch.num_sampled_nodes_dict, batch.num_sampled_edges_dict, got, edges
                )
                got = layer(got, edges)
            seeds = batch["paper"].input_id
            # Sums of a few dozen float32 numbers near 1, in another order.
            torch.testing.assert_close(
                got["paper"][: len(seeds)], hidden["paper"][seeds], rtol=1e-5, atol=1e-5
            )


def test_tables_of_types_know_what_comes(graph):
    cached = {kind: CachedTable(MemoryTable(x), "6KiB", window=5) for kind, x in X.items()}
    plain = NeighborLoader(graph, X, [3, 2], "paper", 10, shuffle=True)
    ahead = NeighborLoader(graph, cached, [3, 2], "paper", 10, shuffle=True)
    for _ in range(2):
        for one, other in zip(plain, ahead, strict=True):
            for kind in X:
                assert torch.equal(one[kind].n_id, other[kind].n_id)
                assert torch.equal(one[kind].x, other[kind].x)
    assert all(table.counts["hits"] > 0 for table in cached.values())


def test_one_table_of_two_types(graph):
    rows = np.random.default_rng(0).random((max(map(len, X.values())), 3)).astype(np.float32)
    sizes = {kind: len(of_kind) for kind, of_kind in X.items()}
    edges = {kind: edge.numpy() for kind, edge in graph.to_pyg().edge_index_dict.items()}
    same = HeteroGraph.from_edges(edges, num_nodes=dict.fromkeys(sizes, len(rows)))
    table = CachedTable(MemoryTable(rows), "1MiB", window=64)
    for batch in NeighborLoader(same, dict.fromkeys(sizes, table), [3, 2], "paper", 1):
        for kind in sizes:
            np.testing.assert_array_equal(batch[kind].x, rows[batch[kind].n_id.numpy()])


def test_errors_arrive_with_their_type_and_batch(graph):
    tables = {"paper": MemoryTable(X["paper"]), "author": FaultyTable(MemoryTable(X["author"]), {2})}
    with pytest.raises(StorageError) as caught:
        for _ in NeighborLoader(graph, tables, [2], "paper", 20):
            pass
    assert caught.value.__notes__ == ["weft: in batch 2 of epoch 0"]


def test_directions_and_numbers_by_type(graph):
    fanout = {kind: [2, 1] if kind[1] == "writes" else [0, 0] for kind in graph.edge_types}
    batch = next(iter(NeighborLoader(graph, X, fanout, "paper", 10)))
    assert {k[1] for k in batch.edge_types if batch[k].edge_index.shape[1]} == {"writes"}
    batch = next(iter(NeighborLoader(graph, X, fanout, "author", 10, direction="out")))
    edges = batch["paper", "rev_writes", "author"]
    rows = graph["author", "writes", "paper"]
    ends = batch["author"].n_id[edges.edge_index[1]]
    np.testing.assert_array_equal(rows.sources()[edges.e_id], ends)
