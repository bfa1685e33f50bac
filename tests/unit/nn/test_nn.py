import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.nn import models as pyg

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.nn import MODELS, Batched, GcnNorm, model
from weft.sampling import NeighborSampler

NODES, COLUMNS = 60, 12


def graph_of(*, directed=False, weighted=False, seed=0):
    """With isolated nodes at the end, a hub, and edges from nodes to themselves."""
    rng = np.random.default_rng(seed)
    src, dst = rng.integers(0, NODES - 3, (2, 200))
    src, dst = np.append(src, [5, 7, *[0] * 20]), np.append(dst, [5, 7, *range(20, 40)])
    weight = rng.random(len(src)).astype(np.float32) + 0.1 if weighted else None
    return Graph.from_edges(src, dst, weight, num_nodes=NODES, directed=directed)


def features(seed=1):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(NODES, COLUMNS)).astype(np.float32))


def batch_of(graph, x, seeds, fanout, number=0, direction="in"):
    """As the loader makes it."""
    sampler = NeighborSampler.of(graph, fanout, weighted=False, direction=direction)
    found = sampler.sample(np.asarray(seeds), seed=0, batch=number)
    n_id = torch.from_numpy(found.n_id)
    return Data(
        x=x[n_id],
        edge_index=torch.from_numpy(found.edge_index),
        n_id=n_id,
        e_id=torch.from_numpy(found.e_id),
        batch_size=len(seeds),
        num_sampled_nodes=found.num_sampled_nodes,
        num_sampled_edges=found.num_sampled_edges,
    )


def whole(graph):
    src = np.repeat(np.arange(graph.num_nodes), graph.degree())
    edge_index = torch.from_numpy(np.stack([src, graph.indices.astype(np.int64)]))
    return edge_index, None if graph.weight is None else torch.from_numpy(graph.weight.copy())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "mlp"}, "no model 'mlp'"),
        ({"hidden": 0}, "hidden must be at least 1"),
        ({"layers": 0}, "layers must be at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"name": "gat", "hidden": 12}, "multiple of heads=8"),
        ({"name": "gcn", "degrees": "row"}, "degrees must be graph or batch"),
        ({"name": "sage", "degrees": "batch"}, "those of a gcn"),
    ],
)
def test_models_there_are_not(given, said):
    with pytest.raises(WeftValueError, match=said):
        model(**{"name": "sage", "in_channels": 3, "hidden": 16, "out": 2, **given})


def test_a_gcn_needs_the_graph():
    with pytest.raises(WeftValueError, match="give graph="):
        Batched(model("gcn", 3, 16, 2))
    norm = GcnNorm(graph_of(weighted=True))
    nodes = torch.arange(3)
    with pytest.raises(WeftValueError, match="give e_id"):
        norm(nodes, torch.zeros(2, 0, dtype=torch.long), None)


def test_a_gcn_that_is_refused():
    graph = graph_of()
    with pytest.raises(WeftValueError, match="improved"):
        Batched(pyg.GCN(3, 16, 2, 2, add_self_loops=False), graph)
    with pytest.raises(WeftValueError, match="model of 2 layers"):
        Batched(model("gcn", 3, 16, 2, degrees="batch"), graph, num_neighbors=[3])


def test_as_many_hops_as_layers():
    graph = graph_of()
    net = Batched(model("sage", COLUMNS, 16, 4, layers=3))
    with pytest.raises(WeftValueError, match="3 layers needs as many hops"):
        net(batch_of(graph, features(), [0, 1], [5, 5]))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_all_neighbours_give_the_whole_graphs_rows(name, directed, layers):
    graph, x = graph_of(directed=directed), features()
    torch.manual_seed(0)
    net = Batched(model(name, COLUMNS, 16, 4, layers=layers), graph).eval()
    # The same weights in PyG's own model, which sees every edge and takes the degrees from them.
    peer = pyg.GCN(COLUMNS, 16, layers, 4) if name == "gcn" else net.gnn
    peer.load_state_dict(net.gnn.state_dict())
    seeds = [3, 59, 5, 0, 30]
    with torch.no_grad():
        ours = net(batch_of(graph, x, seeds, [-1] * layers))
        theirs = peer.eval()(x, whole(graph)[0])[seeds]
    # Sums of at most some 30 float32 terms of size 1, in another order, through three layers.
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_weighted_graph_in_a_gcn(direction):
    graph, x = graph_of(weighted=True, directed=True), features()
    torch.manual_seed(0)
    sampled = graph if direction == "in" else graph.reverse()
    net = Batched(model("gcn", COLUMNS, 16, 4), sampled, direction).eval()
    peer = pyg.GCN(COLUMNS, 16, 2, 4).eval()
    peer.load_state_dict(net.gnn.state_dict())
    edge_index, weight = whole(graph)
    with torch.no_grad():
        ours = net(batch_of(sampled, x, [3, 5, 7], [-1, -1], direction=direction))
        theirs = peer(x, edge_index, weight)[[3, 5, 7]]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_sampled_gcn_sums_are_right_on_average():
    graph, x = graph_of(), features()
    net = Batched(model("gcn", COLUMNS, 16, 4, layers=1), graph).eval()
    seeds = [0, 20, 3]
    with torch.no_grad():
        exact = net(batch_of(graph, x, seeds, [-1]))
        drawn = torch.stack([net(batch_of(graph, x, seeds, [3], number)) for number in range(2000)])
    error = drawn.std(dim=0) / np.sqrt(len(drawn))
    assert (error > 0).any()
    assert ((drawn.mean(dim=0) - exact).abs() <= 5 * error + 1e-6).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fanout", [[3, 2], [-1, -1]])
def test_a_gcn_with_the_degrees_of_batches_is_pygs(weighted, fanout):
    graph, x = graph_of(weighted=weighted), features()
    torch.manual_seed(0)
    net = Batched(model("gcn", COLUMNS, 16, 4, degrees="batch"), graph).eval()
    peer = pyg.GCN(COLUMNS, 16, 2, 4).eval()
    peer.load_state_dict(net.gnn.state_dict())
    batch = batch_of(graph, x, [3, 5, 7], fanout)
    weight = torch.from_numpy(graph.weight[batch.e_id.numpy()]) if weighted else None
    with torch.no_grad():
        theirs = peer(
            batch.x,
            batch.edge_index,
            edge_weight=weight,
            num_sampled_nodes_per_hop=batch.num_sampled_nodes,
            num_sampled_edges_per_hop=batch.num_sampled_edges,
        )
        assert torch.equal(net(batch), theirs[:3])
        graphs = Batched(model("gcn", COLUMNS, 16, 4), graph).eval()
        graphs.gnn.load_state_dict(net.gnn.state_dict())
        assert not torch.allclose(graphs(batch), theirs[:3])


def test_a_layer_with_the_degrees_of_batches_is_right_on_average():
    graph, x = graph_of(), features()
    net = Batched(model("gcn", COLUMNS, 16, 4, layers=1, degrees="batch"), graph, num_neighbors=[3]).eval()
    with torch.no_grad():
        for seed in (0, 20, 3):  # one at a time: a seed that is a neighbour, too, has a degree there
            whole = batch_of(graph, x, [seed], [-1])
            exact = net.layer(0, whole.x, whole.n_id, whole.edge_index, whole.e_id, 1)
            drawn = torch.stack([net(batch_of(graph, x, [seed], [3], number)) for number in range(500)])
            error = drawn.std(dim=0) / np.sqrt(len(drawn))
            assert (error > 0).any()
            assert ((drawn.mean(dim=0) - exact).abs() <= 5 * error + 1e-5).all()


def test_a_layer_with_the_degrees_of_batches_depends_on_what_is_drawn():
    graph, x = graph_of(), features()
    net = Batched(model("gcn", COLUMNS, 16, 4, degrees="batch"), graph)
    batch = batch_of(graph, x, [0], [-1])
    with pytest.raises(WeftValueError, match="give num_neighbors="):
        net.layer(0, batch.x, batch.n_id, batch.edge_index, batch.e_id, 1)


@pytest.mark.parametrize("name", MODELS)
def test_layer_by_layer_is_the_whole_model(name):
    graph, x = graph_of(directed=True), features()
    torch.manual_seed(0)
    net = Batched(model(name, COLUMNS, 16, 4, layers=3), graph).eval()
    rows, everyone = x, np.arange(NODES)
    with torch.no_grad():
        for i in range(3):
            made = []
            for seeds in np.array_split(everyone, 4):
                batch = batch_of(graph, rows, seeds, [-1])
                made.append(net.layer(i, batch.x, batch.n_id, batch.edge_index, batch.e_id, len(seeds)))
            rows = torch.cat(made)
        torch.testing.assert_close(rows, net(batch_of(graph, x, everyone, [-1] * 3)), rtol=1e-4, atol=1e-5)


def test_learning_reaches_every_weight():
    graph, x = graph_of(), features()
    for name in MODELS:
        net = Batched(model(name, COLUMNS, 16, 4), graph)
        net(batch_of(graph, x, list(range(20)), [4, 4])).square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters()), name


def test_norm_of_a_graph_with_nothing_in_it():
    lonely = Graph.from_edges([], [], num_nodes=2)
    index, weight, count = GcnNorm(lonely)(torch.arange(2), torch.zeros(2, 0, dtype=torch.long), None)
    assert index.tolist() == [[0, 1], [0, 1]]
    assert weight.tolist() == [1.0, 1.0]
    assert count == [2]
