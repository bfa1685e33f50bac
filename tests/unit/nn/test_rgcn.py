import numpy as np
import pytest
import torch

from weft.errors import WeftValueError
from weft.graph import HeteroGraph
from weft.loader import NeighborLoader
from weft.nn import rgcn

COUNT = {"paper": 90, "author": 40}
WIDTH = {"paper": 6, "author": 3}


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)

    def ends(a, b, edges):
        return [rng.integers(0, COUNT[a], edges), rng.integers(0, COUNT[b], edges)]

    return HeteroGraph.from_edges(
        {
            ("author", "writes", "paper"): ends("author", "paper", 200),
            ("paper", "cites", "paper"): ends("paper", "paper", 150),
            ("paper", "rev_writes", "author"): ends("paper", "author", 200),
        },
        COUNT,
    )


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    return {kind: rng.normal(size=(COUNT[kind], WIDTH[kind])).astype(np.float32) for kind in COUNT}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hidden": 0}, "hidden must be at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"in_channels": {"paper": 6}}, "of type 'author', whose features have no width"),
        ({"in_channels": {**WIDTH, "author": 0}}, "author must be at least 1"),
    ],
)
def test_models_there_are_not(graph, given, said):
    with pytest.raises(WeftValueError, match=said):
        rgcn(**{"in_channels": WIDTH, "edge_types": graph.edge_types, "hidden": 8, "out": 2, **given})


def test_as_it_is_defined(graph, rows):
    """One layer, by hand."""
    torch.manual_seed(0)
    model = rgcn(WIDTH, graph.edge_types, 8, 5, layers=1)
    x = {kind: torch.from_numpy(some) for kind, some in rows.items()}
    data = graph.to_pyg()
    out = model(x, data.edge_index_dict)
    expected = model.roots[0]["paper"](x["paper"])
    for kind in graph.edge_types:
        if kind[2] != "paper":
            continue
        source, target = data.edge_index_dict[kind]
        weight = model.convs[0].convs[kind].lin_l.weight
        for node in range(COUNT["paper"]):
            near = x[kind[0]][source[target == node]]
            if len(near):
                expected[node] = expected[node] + weight @ near.mean(dim=0)
    torch.testing.assert_close(out["paper"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_batch_of_all_neighbours_is_the_whole_graph(graph, rows, layers):
    torch.manual_seed(0)
    model = rgcn(WIDTH, graph.edge_types, 8, 5, layers=layers).eval()
    x = {kind: torch.from_numpy(some) for kind, some in rows.items()}
    with torch.no_grad():
        whole = model(x, graph.to_pyg().edge_index_dict)["paper"]
        loader = NeighborLoader(graph, rows, [-1] * layers, ("paper", np.arange(30)), batch_size=10)
        with loader:
            for number, batch in enumerate(loader):
                out = model(
                    batch.x_dict,
                    batch.edge_index_dict,
                    batch.num_sampled_nodes_dict,
                    batch.num_sampled_edges_dict,
                )["paper"][: batch["paper"].batch_size]
                wanted = whole[10 * number : 10 * number + 10]
                # Means of a few float32 rows in another order, through three layers.
                torch.testing.assert_close(out, wanted, rtol=1e-4, atol=1e-5)


def test_learning_reaches_every_weight(graph, rows):
    model = rgcn(WIDTH, graph.edge_types, 8, 2)
    with NeighborLoader(graph, rows, [5, 5], ("paper", np.arange(90)), batch_size=90) as loader:
        batch = next(iter(loader))
    out = model(batch.x_dict, batch.edge_index_dict)
    out["paper"].square().sum().backward()
    number = sorted(graph.edge_types).index(("paper", "rev_writes", "author"))
    last = {f"roots.1.of.{sorted(WIDTH).index('author')}.", f"convs.1.convs.of.{number}."}
    for name, p in model.named_parameters():
        if not any(name.startswith(other) for other in last):
            assert p.grad is not None, name
            assert p.grad.abs().sum() > 0, name
