from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader
from torch_geometric.nn import SAGEConv
from torch_geometric.sampler import BaseSampler, SamplerOutput
from torch_geometric.utils import k_hop_subgraph, trim_to_layer

from weft.errors import WeftTypeError, WeftValueError
from weft.features import MemoryTable, encode
from weft.graph import Graph
from weft.loader import NeighborLoader
from weft.sampling import NeighborSampler
from weft.sampling.epochs import epoch_seed

N = 300


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"num_neighbors": []}, "must list how many neighbors"),
        ({"num_neighbors": 5}, "must list how many neighbors"),
        ({"num_neighbors": [2, -3]}, r"got -3"),
        ({"input_nodes": [5, N]}, f"seed 1 is node {N}, there are {N} nodes"),
        ({"input_nodes": [-1]}, "seed 0 is node -1"),
        ({"input_nodes": [0.5]}, "integers"),
        ({"input_nodes": []}, "there are no seeds"),
        ({"input_nodes": np.zeros(N, bool)}, "the mask holds none"),
        ({"input_nodes": np.ones(N - 1, bool)}, r"a mask must have the shape \[300\] \(got \[299\]\)"),
        ({"batch_size": 0}, "batch_size .* >= 1 .got 0"),
        ({"batch_size": 2.5}, "batch_size .* >= 1 .got 2.5"),
        ({"prefetch": -1}, "prefetch .* >= 0 .got -1"),
        ({"seed": -1}, "seed must be in"),
        ({"y": np.zeros(N + 1)}, r"y has the shape \[301\], the graph 300 nodes"),
        ({"features": np.ones((N - 1, 4))}, "299 rows, the graph 300 nodes"),
        ({"features": MemoryTable(np.ones((7, 4)))}, "7 rows, the graph 300 nodes"),
        ({"weighted": True}, "no weights"),
        ({"direction": "both"}, "direction"),
    ],
)
def test_wrong_options(graph, x, options, match):
    with pytest.raises(WeftValueError, match=match):
        NeighborLoader(graph, **({"features": x, "num_neighbors": [2]} | options))


@pytest.mark.parametrize(
    ("features", "match"),
    [
        ("x.npy", "is a path"),
        ({"a": 1}, "array or tensor .got dict"),
        (torch.zeros(N, 2, dtype=torch.bfloat16), "NumPy knows no torch.bfloat16"),
    ],
)
def test_features_that_are_none(graph, features, match):
    with pytest.raises(WeftTypeError, match=match):
        NeighborLoader(graph, features, [2])


def test_labels_of_any_array(graph, x):
    for y in (np.arange(N)[::-1], list(range(N)), torch.arange(2 * N)[::2], np.arange(N, dtype=np.uint16)):
        (batch,) = NeighborLoader(graph, x, [2], [4, 5], 2, y=y)
        assert batch.y.tolist() == [int(y[i]) for i in batch.n_id]
    with pytest.raises(WeftTypeError, match="torch has no tensors of <U1"):
        NeighborLoader(graph, x, [2], y=np.array(["a"] * N))


def test_numbers_that_torch_has_not(graph, x):
    for dtype in (">f4", np.longdouble):
        with pytest.raises(WeftTypeError, match=r"torch has no numbers of .*; store them as float32"):
            NeighborLoader(graph, MemoryTable(x.astype(dtype)), [2])


def test_epochs_out_of_range(graph, x):
    loader = NeighborLoader(graph, x, [2], batch_size=100)
    loader.start = 4
    with pytest.raises(WeftValueError, match=r"start must lie within 0 .. 3 batches .got 4"):
        iter(loader)
    loader.start, loader.epoch = 0, -1
    with pytest.raises(WeftValueError, match=r"epoch must be .* .got -1"):
        iter(loader)


class _Ours(BaseSampler):
    """Our draws behind PyG's own loader."""

    def __init__(self, sampler, batch_size):
        self.sampler, self.batch_size = sampler, batch_size

    def sample_from_nodes(self, index):
        number = int(index.input_id[0]) // self.batch_size
        got = self.sampler.sample(index.node.numpy(), seed=epoch_seed(4, 0), batch=number)
        row, col = torch.from_numpy(got.edge_index)
        return SamplerOutput(
            node=torch.from_numpy(got.n_id),
            row=row,
            col=col,
            edge=torch.from_numpy(got.e_id),
            batch=None if got.batch is None else torch.from_numpy(got.batch),
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
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("with_x", [False, True])
@pytest.mark.parametrize("seeds", [None, "index", "mask"])
def test_batches_are_those_that_pyg_makes(made_graph, x, weighted, disjoint, with_x, seeds):
    """Names, their order, dtypes and values: PyG's own loader assembles the same draws."""
    graph = made_graph(weighted=weighted)
    y = torch.arange(N)
    options = {"disjoint": disjoint}
    given = {"index": torch.tensor([5, 3, 290, 7]), "mask": torch.arange(N) % 7 == 0, None: None}[seeds]
    ours = NeighborLoader(graph, x if with_x else None, [3, 2], given, 64, y=y, seed=4, **options)
    data = Data(
        x=torch.from_numpy(x) if with_x else None,
        edge_index=torch.empty(2, graph.num_edges, dtype=torch.long),
        y=y,
    )
    if weighted:
        data.edge_weight = torch.from_numpy(graph.weight)
    if not with_x:
        data.num_nodes = N
    if seeds == "mask":  # numbered by node, so that _Ours could not tell which batch it is asked for
        (batch,) = ours
        assert (
            batch.input_id.tolist()
            == batch.n_id[: batch.batch_size].tolist()
            == given.nonzero().view(-1).tolist()
        )
        return
    theirs = NodeLoader(data, _Ours(NeighborSampler.of(graph, [3, 2], **options), 64), given, batch_size=64)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for key, value in one.to_dict().items():
            if isinstance(value, torch.Tensor):
                assert value.dtype == other[key].dtype, key
                torch.testing.assert_close(value, other[key], rtol=0, atol=0)
            else:
                assert value == other[key], key
        assert one.num_nodes == other.num_nodes


@pytest.mark.parametrize("directed", [False, True])
def test_all_neighbours_are_the_k_hop_neighbourhood(made_graph, edges_of, x, directed):
    graph = made_graph(directed=directed)
    edge_index = edges_of(graph)
    for batch in NeighborLoader(graph, x, [-1, -1], batch_size=16):
        seeds = batch.n_id[: batch.batch_size]
        assert torch.equal(seeds, batch.input_id)
        within = [k_hop_subgraph(seeds, hops, edge_index, num_nodes=N)[0] for hops in (0, 1, 2)]
        assert torch.equal(batch.n_id.sort()[0], within[2])
        sizes = [len(nodes) for nodes in within]
        assert batch.num_sampled_nodes == [sizes[0], sizes[1] - sizes[0], sizes[2] - sizes[1]]
        into = [torch.isin(edge_index[1], nodes) for nodes in within]
        assert torch.equal(batch.e_id.sort()[0], into[1].nonzero().view(-1))
        assert batch.num_sampled_edges == [int(into[0].sum()), int(into[1].sum() - into[0].sum())]
        assert torch.equal(batch.n_id[batch.edge_index], edge_index[:, batch.e_id])


def test_a_model_of_pyg(graph, edges_of, x):
    """Two layers on batches, trimmed and not, are two layers on the whole graph."""
    torch.manual_seed(0)
    first, second = SAGEConv(8, 16), SAGEConv(16, 4)
    edge_index = edges_of(graph)
    with torch.no_grad():
        whole = second(first(torch.from_numpy(x), edge_index).relu(), edge_index)
        for batch in NeighborLoader(graph, x, [-1, -1], batch_size=50):
            hidden, edges = batch.x, batch.edge_index
            for layer, convolution in enumerate((first, second)):
                hidden, edges, _ = trim_to_layer(
                    layer, batch.num_sampled_nodes, batch.num_sampled_edges, hidden, edges
                )
                hidden = convolution(hidden, edges)
                hidden = hidden.relu() if layer == 0 else hidden
            plain = second(first(batch.x, batch.edge_index).relu(), batch.edge_index)[: batch.batch_size]
            # Sums of up to a dozen float32 numbers near 1, in another order.
            torch.testing.assert_close(hidden[: batch.batch_size], plain, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(plain, whole[batch.input_id], rtol=1e-5, atol=1e-6)


def test_isolated_and_repeated_seeds(x):
    graph = Graph.from_edges([0], [1], num_nodes=N)
    (batch,) = NeighborLoader(graph, torch.from_numpy(x), [2, -1], [299, 0, 299], 3, y=np.arange(N))
    assert batch.n_id.tolist() == [299, 0, 299, 1]
    assert batch.y.tolist() == batch.n_id.tolist()
    assert batch.edge_index[:, :1].tolist() == [[3], [1]]
    np.testing.assert_array_equal(batch.x, x[batch.n_id])
    (batch,) = NeighborLoader(graph, x, [2], [298], 5)
    assert (batch.edge_index.shape, batch.batch_size, batch.num_sampled_edges) == ((2, 0), 1, [0])


@pytest.mark.parametrize("directed", [False, True])
def test_mapped_files(made_graph, x, tmp_path, directed):
    """A graph and features that are read where they are: nothing of them can be written to."""
    graph = made_graph(directed=directed, weighted=True)
    mapped = graph.save(tmp_path / "graph")
    np.save(tmp_path / "x.npy", x)
    rows = np.load(tmp_path / "x.npy", mmap_mode="r")
    y = np.arange(N, dtype=np.float32)
    y.flags.writeable = False
    seeds = np.arange(N)[::-1]
    seeds.flags.writeable = False
    one = NeighborLoader(graph, x, [3, 2], seeds, 64, y=y)
    other = NeighborLoader(mapped, rows, [3, 2], seeds, 64, y=y)
    for left, right in zip(one, other, strict=True):
        for key in left.keys():  # noqa: SIM118 of Data
            assert np.array_equal(left[key], right[key]), key


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8])
def test_dtypes_of_features(graph, dtype):
    x = np.arange(N * 3).reshape(N, 3).astype(dtype)
    (batch,) = NeighborLoader(graph, x, [2], [4, 5], 2)
    np.testing.assert_array_equal(batch.x.numpy(), x[batch.n_id])
    assert batch.x.numpy().dtype == dtype


@pytest.mark.parametrize("codec", ["bfloat16", "int8"])
def test_features_of_a_codec(graph, codec):
    x = np.arange(N * 3).reshape(N, 3) % 100
    (batch,) = NeighborLoader(graph, encode(x, codec), [2], [4, 5], 2)
    np.testing.assert_allclose(batch.x.numpy(), x[batch.n_id], atol=0.5)
    assert batch.x.numpy().dtype == np.float32


def test_directions(x):
    graph = Graph.from_edges([0], [1], num_nodes=N, directed=True)
    found = {
        direction: next(iter(NeighborLoader(graph, x, [-1], [1], direction=direction))).n_id.tolist()
        for direction in ("in", "out")
    }
    assert found == {"in": [1, 0], "out": [1]}


def gathered(loader):
    return [(b.n_id, b.edge_index, b.e_id, b.input_id, b.x) for b in loader]


def same(one, other):
    return len(one) == len(other) and all(
        torch.equal(a, b)
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def test_an_epoch_depends_on_seed_and_number_alone(graph, x):
    def loader(**options):
        return NeighborLoader(graph, x, [3, 2], batch_size=32, shuffle=True, **({"seed": 9} | options))

    first = loader()
    epochs = [gathered(first) for _ in range(3)]
    assert first.epoch == 3
    assert not same(epochs[0], epochs[1])
    for prefetch in (0, 1, 5, 100):
        again = loader(prefetch=prefetch)
        again.epoch = 1
        assert same(gathered(again), epochs[1])
    assert not same(gathered(loader(seed=8)), epochs[0])
    resumed = loader()
    resumed.epoch, resumed.start = 2, 4
    assert same(gathered(resumed), epochs[2][4:])
    assert (resumed.epoch, resumed.start) == (3, 0)


def test_every_seed_once(graph, x):
    for drop_last, left in ((False, N), (True, 256)):
        loader = NeighborLoader(graph, x, [2], batch_size=64, shuffle=True, drop_last=drop_last)
        for _ in range(2):
            seen = torch.cat([b.input_id for b in loader])
            assert len(seen.unique()) == len(seen) == left
            assert seen.tolist() != sorted(seen.tolist())
        assert len(loader) == (4 if drop_last else 5)
