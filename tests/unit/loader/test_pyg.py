from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torch_geometric.typing
from torch_geometric.data import HeteroData
from torch_geometric.loader import LinkNeighborLoader, NeighborLoader, NodeLoader
from torch_geometric.sampler import BaseSampler, SamplerOutput

import weft.loader
from weft.errors import WeftTypeError, WeftValueError
from weft.features import MemoryTable
from weft.graph import HeteroGraph
from weft.loader import as_feature_store, as_graph_store
from weft.sampling import NeighborSampler

N = 300
WITH_SAMPLER = torch_geometric.typing.WITH_PYG_LIB or torch_geometric.typing.WITH_TORCH_SPARSE
needs_sampler = pytest.mark.skipif(not WITH_SAMPLER, reason="neither pyg-lib nor torch-sparse is installed")


def pairs(edge_index):
    return torch.sort(edge_index[0] * N + edge_index[1])[0]


def expanded(indptr):
    return torch.repeat_interleave(torch.arange(len(indptr) - 1), indptr.diff())


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
def test_layouts_have_the_same_edges(made_graph, edges_of, tmp_path, directed, mapped):
    graph = made_graph(directed=directed)
    graph = graph.save(tmp_path / "graph") if mapped else graph
    store, wanted = as_graph_store(graph), edges_of(graph)
    (attr,) = store.get_all_edge_attrs()
    assert (attr.edge_type, attr.size) == (None, (N, N))
    coo = torch.stack(store.get_edge_index(None, "coo"))
    assert torch.equal(coo, wanted)
    row, colptr = store.get_edge_index(None, "csc")
    assert torch.equal(pairs(torch.stack([row, expanded(colptr)])), pairs(wanted))
    rowptr, col = store.get_edge_index(None, "csr")
    assert torch.equal(pairs(torch.stack([expanded(rowptr), col])), pairs(wanted))
    # PyG's conversions: numbers of edges stay those of the graph.
    row, colptr, perm = store.csc()
    got = torch.stack([row, expanded(colptr)])
    assert torch.equal(got, wanted if perm is None else wanted[:, perm])
    assert torch.equal(torch.stack(store.coo()[:2]), wanted)
    rowptr, col, _ = store.csr()
    assert torch.equal(pairs(torch.stack([expanded(rowptr), col])), pairs(wanted))
    with pytest.raises(KeyError):
        store.get_edge_index(("a", "to", "b"), "coo")
    for write in (
        lambda: store.put_edge_index(coo, None, "coo"),
        lambda: store.remove_edge_index(None, "coo"),
    ):
        with pytest.raises(WeftValueError, match="cannot be written"):
            write()


def test_types_of_edges():
    edges = {("a", "to", "b"): ([0, 1, 1], [4, 0, 2]), ("b", "back", "a"): ([0, 3], [1, 0])}
    store = as_graph_store(HeteroGraph.from_edges(edges, {"a": 2, "b": 5}))
    assert {a.edge_type: a.size for a in store.get_all_edge_attrs()} == {
        ("a", "to", "b"): (2, 5),
        ("b", "back", "a"): (5, 2),
    }
    for kind, (src, dst) in edges.items():
        assert torch.stack(store.get_edge_index(kind, "coo")).tolist() == [src, dst]
        assert store.get_edge_index(kind, "csr")[1].tolist() == dst
    row, colptr = store.get_edge_index(("a", "to", "b"), "csc")
    assert (row.tolist(), colptr.tolist()) == ([1, 1, 0], [0, 1, 1, 2, 2, 3])
    rows, colptrs, perms = store.csc()
    assert rows["a", "to", "b"].tolist() == [1, 1, 0]
    assert colptrs["a", "to", "b"].tolist() == [0, 1, 1, 2, 2, 3]
    assert perms["a", "to", "b"].tolist() == [1, 2, 0]


def test_features_by_index(x):
    y = torch.arange(N)
    store = as_feature_store(MemoryTable(x), y, mask=np.arange(N) % 2 == 0)
    assert [a.attr_name for a in store.get_all_tensor_attrs()] == ["x", "y", "mask"]
    assert store.get_tensor_size(None, "x") == (N, 8)
    assert store.get_tensor_size(None, "y") == (N,)
    assert store.get_tensor_size("other", "x") is None
    assert store.get_tensor("other", "x", None) is None
    some = torch.tensor([5, 2, 5])
    for index in (some, None, slice(3, 90, 7), 4, y % 3 == 0, slice(None)):
        got = store.get_tensor(None, "x", index)
        np.testing.assert_array_equal(got, x if index is None else x[index])
        assert torch.equal(store.get_tensor(None, "y", index), y if index is None else y[index])
    np.testing.assert_array_equal(store[None, "x"][some], x[some])
    with pytest.raises(WeftValueError, match="row 300 of 300"):
        store.get_tensor(None, "x", torch.tensor([N]))
    with pytest.raises(WeftValueError, match="cannot be written"):
        store.put_tensor(y, None, "y", None)
    with pytest.raises(WeftValueError, match="cannot be written"):
        store.remove_tensor(None, "y", None)
    with pytest.raises(WeftTypeError, match="is a path"):
        as_feature_store("x.npy")


class _Ours(BaseSampler):
    def __init__(self, sampler):
        self.sampler = sampler

    def sample_from_nodes(self, index):
        got = self.sampler.sample(index.node.numpy(), seed=1)
        row, col = torch.from_numpy(got.edge_index)
        return SamplerOutput(
            node=torch.from_numpy(got.n_id),
            row=row,
            col=col,
            edge=torch.from_numpy(got.e_id),
            metadata=(index.input_id, index.time),
        )

    def sample_from_edges(self, index, neg_sampling=None):
        raise NotImplementedError

    @property
    def edge_permutation(self):
        return None


def test_a_loader_of_pyg_reads_our_table(graph, x):
    data = (as_feature_store(x, np.arange(N)), as_graph_store(graph))
    loader = NodeLoader(data, _Ours(NeighborSampler.of(graph, [3, 2])), torch.arange(40), batch_size=16)
    for batch in loader:
        np.testing.assert_array_equal(batch.x, x[batch.n_id])
        assert torch.equal(batch.y, batch.n_id)
    assert batch.batch_size == 8


@pytest.fixture
def _quiet():
    # PyG says that torch-sparse is not the sampler that it would rather have.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@needs_sampler
@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("directed", [False, True])
def test_neighbor_loader_of_pyg(made_graph, edges_of, x, directed):
    graph = made_graph(directed=directed)
    data = (as_feature_store(x, np.arange(N)), as_graph_store(graph))
    theirs = NeighborLoader(data, [-1, -1], torch.arange(60), batch_size=20)
    ours = weft.loader.NeighborLoader(graph, x, [-1, -1], torch.arange(60), 20, y=np.arange(N))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(other.x, x[other.n_id])
        assert torch.equal(one.n_id.sort()[0], other.n_id.sort()[0])
        assert torch.equal(one.e_id.sort()[0], other.e_id.sort()[0])
        assert torch.equal(pairs(one.n_id[one.edge_index]), pairs(other.n_id[other.edge_index]))
        assert torch.equal(other.n_id[other.edge_index], edges_of(graph)[:, other.e_id])
        assert one.input_id.tolist() == other.input_id.tolist()


@needs_sampler
@pytest.mark.usefixtures("_quiet")
def test_loaders_of_pyg_on_types():
    rng = np.random.default_rng(0)
    graph = HeteroGraph.from_edges(
        {
            ("a", "to", "b"): rng.integers(0, 40, (2, 200)),
            ("b", "back", "a"): rng.integers(0, 40, (2, 200)),
        },
        {"a": 40, "b": 50},
    )
    x = {"a": rng.random((40, 3)).astype(np.float32), "b": rng.random((50, 5)).astype(np.float32)}
    data = (as_feature_store(x), as_graph_store(graph))
    for batch in NeighborLoader(data, [3, 2], ("b", torch.arange(50)), batch_size=25):
        assert isinstance(batch, HeteroData)
        for kind in "ab":
            np.testing.assert_array_equal(batch[kind].x, x[kind][batch[kind].n_id])
    links = LinkNeighborLoader(data, [2], (("a", "to", "b"), None), neg_sampling="binary", batch_size=50)
    batch = next(iter(links))
    assert batch["a", "to", "b"].edge_label_index.shape == (2, 100)
