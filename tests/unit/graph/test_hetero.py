"""Graphs of several types: what they refuse, what they hold, and their directory."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from weft import Graph, HeteroGraph
from weft.cli import main
from weft.errors import FormatError, WeftError, WeftKeyError, WeftTypeError, WeftValueError
from weft.features import encode
from weft.graph import Labels, Nodes, open_graph
from weft.graph.format import DirectoryWriter

RATES = ("user", "rates", "item")
KNOWS = ("user", "knows", "user")


def random_graph(seed=0, *, weighted=True):
    rng = np.random.default_rng(seed)
    rates = rng.integers(0, [[40], [7]], (2, 120))
    knows = rng.integers(0, 40, (2, 60))
    weight = [rng.random(120).astype(np.float32)] if weighted else []
    return HeteroGraph.from_edges(
        {RATES: (*rates, *weight), KNOWS: tuple(knows)},
        {"user": 40, "item": 7, "lonely": 3},
        duplicates="keep",
    )


def pairs(graph, kind):
    rows = graph[kind]
    return list(zip(rows.sources().tolist(), rows.indices.tolist(), strict=True))


@pytest.mark.parametrize(
    ("edges", "options", "message"),
    [
        ({"rates": ([0], [1])}, {}, "triple|source type, relation, target type"),
        ({("user", "item"): ([0], [1])}, {}, r"got \('user', 'item'\)"),
        ({("user", "", "item"): ([0], [1])}, {}, "printable characters, not blank"),
        ({("user", "a\nb", "item"): ([0], [1])}, {}, r"'a\\nb'"),
        ({("user", 3, "item"): ([0], [1])}, {}, "got 3"),
        ({("user", "\ud800", "item"): ([0], [1])}, {}, "printable"),
        ({RATES: ([0],)}, {}, r"user -rates-> item takes \(src, dst\) or .* \(got 1 arrays\)"),
        ({RATES: ([0], [1, 2])}, {}, "user -rates-> item: src has 1 values, dst has 2"),
        ({RATES: ([0.5], [1])}, {}, "rates.*src must be a 1-D array of integers"),
        ({RATES: ([0], [1], [-1.0])}, {}, r"rates.*weight\[0\] is -1.0"),
        ({RATES: ([0, 1], [1, 9])}, {"num_nodes": {"item": 3}}, r"dst\[1\] is 9, past the 3 nodes .* 'item'"),
        (
            {RATES: ([-1], [1])},
            {"num_nodes": {"user": 3}},
            r"src\[0\] is -1, past the 3 nodes of type 'user'",
        ),
        ({RATES: ([0], [1])}, {"num_nodes": {"item": 0}}, "past the 0 nodes .*none"),
        ({RATES: ([0], [1])}, {"num_nodes": {"item": -1}}, r"item: num_nodes must be 0 or more \(got -1\)"),
        ({RATES: ([0], [1])}, {"num_nodes": {"item": 2.0}}, "got 2.0"),
        ({RATES: ([0], [1])}, {"ids": {"item": ["a"]}}, "past the 1 nodes"),
        ({RATES: ([0], [0])}, {"ids": {"item": ["a", "a"]}}, "distinct"),
        ({RATES: ([0], [0])}, {"ids": {"item": [3, 2]}}, "item: .*rise strictly"),
        ({RATES: ([0], [0])}, {"ids": {"item": [0.5]}}, "strings or integers"),
        (
            {RATES: ([0], [0])},
            {"ids": {"item": ["a"]}, "num_nodes": {"item": 2}},
            "1 ids, but num_nodes is 2",
        ),
        ({RATES: ([0], [0])}, {"duplicates": "all"}, "duplicates"),
        ({}, {"num_nodes": {"": 2}}, "not blank"),
    ],
)
def test_bad_arrays(edges, options, message):
    with pytest.raises(WeftError, match=message):
        HeteroGraph.from_edges(edges, **options)


def test_unknown_types_are_named():
    with pytest.raises(WeftKeyError, match=r"'likes'.*there are user -rates-> item, user -knows-> user"):
        random_graph()["user", "likes", "item"]


def test_what_it_holds():
    graph = HeteroGraph.from_edges(
        {RATES: ([1, 0, 1, 1], [6, 2, 0, 6], [1, 2, 3, 4]), KNOWS: ([900], [-5])},
        {"item": 7, "lonely": 3},
        duplicates="sum",
    )
    assert graph.node_types == ["item", "lonely", "user"]
    assert graph.edge_types == [RATES, KNOWS]
    assert graph.num_nodes == {"item": 7, "lonely": 3, "user": 4}
    assert graph.num_edges == {RATES: 3, KNOWS: 1}
    assert graph.ids["user"].take([0, 1, 2, 3]).tolist() == [-5, 0, 1, 900]
    assert pairs(graph, RATES) == [(1, 2), (2, 0), (2, 6)]
    assert graph[RATES].weight.tolist() == [2, 3, 5]
    assert pairs(graph, KNOWS) == [(3, 0)]
    assert repr(graph) == (
        "HeteroGraph(14 nodes (item: 7, lonely: 3, user: 4), "
        "4 edges (user -rates-> item: 3, user -knows-> user: 1))"
    )


@pytest.mark.parametrize(("duplicates", "kept"), [("keep", 3), ("drop", 2), ("sum", 2)])
def test_duplicates(duplicates, kept):
    graph = HeteroGraph.from_edges({RATES: ([0, 0, 1], [1, 1, 0])}, duplicates=duplicates)
    assert graph.num_edges[RATES] == kept


def test_reverse_edges_are_those_turned_round():
    graph = random_graph()
    both = graph.with_reverse()
    assert both.edge_types == [RATES, KNOWS, ("item", "rev_rates", "user"), ("user", "rev_knows", "user")]
    for source, called, target in graph.edge_types:
        there, back = graph[source, called, target], both[target, f"rev_{called}", source]
        turned = sorted(zip(there.indices.tolist(), there.sources().tolist(), strict=True))
        assert list(zip(back.sources().tolist(), back.indices.tolist(), strict=True)) == turned
        assert len(back.indptr) == graph.num_nodes[target] + 1
        if there.weight is not None:
            assert sorted(back.weight.tolist()) == sorted(there.weight.tolist())
    with pytest.raises(WeftValueError, match="item -rev_rates-> user already"):
        both.with_reverse()


def everything():
    """A graph with all that a directory can hold."""
    graph = HeteroGraph.from_edges(
        {
            ("Autor/in ü", "schrieb …", "../paper"): ([0, 2, 2], [1, 0, 3], [0.5, 1, 2]),
            ("../paper", "cites", "../paper"): ([4, 90], [90, 7]),
        },
        ids={"Autor/in ü": ["ann", "bö", ""]},
        num_nodes={"tag": 2},
    )
    nodes = dict(graph.nodes)
    labels = Labels.from_pairs(np.array([0, 2, 2]), ["a", "b", "a"], 3)
    features = encode(np.arange(6).reshape(3, 2), "bfloat16")
    nodes["Autor/in ü"] = Nodes(ids=nodes["Autor/in ü"].ids, labels=labels, features=features)
    nodes["tag"] = Nodes(ids=nodes["tag"].ids, features=np.ones((2, 5), np.float32))
    return HeteroGraph(nodes=nodes, rows=graph.rows)


def assert_same(a, b):
    assert repr(a) == repr(b)
    assert a.edge_types == b.edge_types
    for kind in a.edge_types:
        for one, other in zip(a[kind].arrays(), b[kind].arrays(), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    for name in a.node_types:
        every = np.arange(a.num_nodes[name])
        assert a.ids[name].take(every).tolist() == b.ids[name].take(every).tolist()
    assert a.labels.keys() == b.labels.keys()
    assert a.features.keys() == b.features.keys()
    for name, features in a.features.items():
        np.testing.assert_array_equal(features, b.features[name])
    for name, labels in a.labels.items():
        assert [labels[i] for i in range(a.num_nodes[name])] == [
            b.labels[name][i] for i in range(a.num_nodes[name])
        ]


@pytest.mark.parametrize("make", [random_graph, everything])
def test_save_and_open(tmp_path, make):
    graph = make()
    back = graph.save(tmp_path / "g")
    assert_same(graph, back)
    assert_same(graph, HeteroGraph.open(tmp_path / "g", verify=True).in_memory())
    assert_same(graph, open_graph(tmp_path / "g"))
    assert all(file.read_bytes()[:6] == b"\x93NUMPY" for file in (tmp_path / "g").glob("*.npy"))
    for name, file in back.features_path.items():
        np.testing.assert_array_equal(np.load(file), graph.features[name])
    assert back.features_path.keys() == graph.features.keys()
    assert graph.features_path == {}
    with pytest.raises(WeftValueError, match="it exists"):
        graph.save(tmp_path / "g")


def test_no_types_at_all(tmp_path):
    graph = HeteroGraph.from_edges({}).save(tmp_path / "g")
    assert (graph.num_nodes, graph.num_edges, graph.nbytes) == ({}, {}, 0)


def test_kinds_of_directories_are_told_apart(tmp_path):
    random_graph().save(tmp_path / "typed")
    plain = Graph.from_edges([0], [1]).save(tmp_path / "plain")
    with pytest.raises(FormatError, match=r"format is 'weft\.heterograph', .*HeteroGraph opens it"):
        Graph.open(tmp_path / "typed")
    with pytest.raises(FormatError, match=r"its format is 'weft\.graph', expected 'weft\.heterograph'"):
        HeteroGraph.open(tmp_path / "plain")
    assert repr(open_graph(tmp_path / "plain")) == repr(plain)
    with pytest.raises(FormatError, match="no such directory"):
        open_graph(tmp_path / "none")
    with pytest.raises(WeftValueError, match=r"is a weft\.graph, not a weft\.heterograph"):
        random_graph().save(tmp_path / "plain", overwrite=True)


def test_damage_is_refused(tmp_path):
    random_graph().save(tmp_path / "g")
    file = tmp_path / "g" / "edge_0_indices.npy"
    whole = file.read_bytes()
    os.truncate(file, len(whole) - 4)
    with pytest.raises(FormatError, match=r"edge_0_indices\.npy holds"):
        HeteroGraph.open(tmp_path / "g")
    file.write_bytes(whole[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(FormatError, match=r"edge_0_indices\.npy does not match its checksum"):
        HeteroGraph.open(tmp_path / "g", verify=True)


RANGE = {"kind": "range"}
USER = {"name": "user", "num_nodes": 2, "ids": RANGE, "labels": None}
EDGES = {"type": ["user", "knows", "user"], "num_edges": 1}


@pytest.mark.parametrize(
    ("node_types", "edge_types", "message"),
    [
        (None, [], "node_types as None"),
        ([3], [], r"node_types as \[3\]"),
        ([USER], {"a": 1}, "edge_types as"),
        ([USER | {"num_nodes": -1}], [], "num_nodes as -1"),
        ([USER | {"name": ""}], [], "not blank"),
        ([USER | {"name": 3}], [], "got 3"),
        ([USER, USER], [], "'user' of nodes twice"),
        ([USER | {"ids": {"kind": "int"}}], [], "no array 'node_0_ids'"),
        ([USER | {"ids": None}], [], "ids as None"),
        ([USER | {"labels": {"count": 2}}], [], "node_0_label"),
        ([USER], [EDGES | {"type": ["user", "item"]}], "as a type of edges"),
        ([USER], [EDGES | {"type": ["user", "x", "item"]}], "between types of nodes that there are not"),
        ([USER], [EDGES, EDGES], "of edges twice"),
        ([USER], [EDGES | {"num_edges": 2}], r"edge_0_indices\.npy has shape"),
        ([USER | {"num_nodes": 3}], [EDGES], r"edge_0_indptr\.npy has shape"),
        ([USER], [EDGES | {"num_edges": True}], "num_edges as True"),
    ],
)
def test_hostile_directories(tmp_path, node_types, edge_types, message):
    with DirectoryWriter(tmp_path / "g", "weft.heterograph") as writer:
        writer.write_array("edge_0_indptr", np.array([0, 1, 1]))
        writer.write_array("edge_0_indices", np.array([1], np.uint32))
        writer.finish({"node_types": node_types, "edge_types": edge_types})
    with pytest.raises(FormatError, match=message):
        HeteroGraph.open(tmp_path / "g", verify=True)


def test_edges_that_end_at_no_node(tmp_path):
    with DirectoryWriter(tmp_path / "g", "weft.heterograph") as writer:
        writer.write_array("edge_0_indptr", np.array([0, 1, 1]))
        writer.write_array("edge_0_indices", np.array([2], np.uint32))
        writer.finish({"node_types": [USER], "edge_types": [EDGES]})
    graph = HeteroGraph.open(tmp_path / "g")
    with pytest.raises(WeftValueError, match="node 2"):
        graph.with_reverse()
    with pytest.raises(FormatError, match=r"edge_0_indices\.npy names node 2, there are 2"):
        HeteroGraph.open(tmp_path / "g", verify=True)


def test_offsets_that_fall_are_named_with_their_file(tmp_path):
    with DirectoryWriter(tmp_path / "g", "weft.heterograph") as writer:
        writer.write_array("edge_0_indptr", np.array([0, 2, 1]))
        writer.write_array("edge_0_indices", np.array([0], np.uint32))
        writer.finish({"node_types": [USER], "edge_types": [EDGES]})
    with pytest.raises(FormatError, match=r"'.*g': edge_0_indptr\.npy does not rise"):
        HeteroGraph.open(tmp_path / "g")


def test_info(tmp_path, capsys):
    everything().save(tmp_path / "g")
    assert main(["info", str(tmp_path / "g"), "--verify"]) == 0
    shown = capsys.readouterr().out
    assert "Autor/in ü: nodes 3, ids string, labels 2, features 3, 2, bfloat16" in shown
    assert "Autor/in ü -schrieb …-> ../paper: edges 3, weighted, largest degree 2" in shown
    assert main(["info", str(tmp_path / "g"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["stored_edges"] == 5
    assert [one["nodes"] for one in facts["node_type"]] == [2, 3, 6]


def test_pyg_and_back():
    pytest.importorskip("torch_geometric")
    graph = everything()
    data = graph.to_pyg()
    assert data.num_nodes == 11
    assert data["tag"].x.shape == (2, 5)
    assert data["Autor/in ü"].x.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert data["Autor/in ü"].y.tolist() == [[True, False], [False, False], [True, True]]
    kind = graph.edge_types[0]
    assert data[kind].edge_index.tolist() == [[0, 2, 2], [1, 0, 2]]
    assert data[kind].edge_weight.tolist() == [0.5, 1, 2]
    back = HeteroGraph.from_pyg(data)
    for kind in graph.edge_types:
        for one, other in zip(graph[kind].arrays(), back[kind].arrays(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert back.num_nodes == graph.num_nodes
    np.testing.assert_array_equal(back.features["tag"], graph.features["tag"])


def test_from_pyg():
    torch = pytest.importorskip("torch")
    from torch_geometric.data import HeteroData

    data = HeteroData()
    data["user"].x = torch.ones(4, 3)
    data["user"].y = torch.tensor([2, -1, 0, 2])
    data[RATES].edge_index = torch.tensor([[0, 3, 3], [5, 1, 1]])
    data[RATES].edge_attr = torch.tensor([[1.0], [2.0], [3.0]])
    graph = HeteroGraph.from_pyg(data)
    assert graph.num_nodes == {"user": 4, "item": 6}
    assert pairs(graph, RATES) == [(0, 5), (3, 1), (3, 1)]
    assert graph[RATES].weight.tolist() == [1, 2, 3]
    assert [graph.labels["user"][i] for i in range(4)] == [("2",), (), ("0",), ("2",)]
    assert graph.to_pyg()["user"].y.tolist() == [1, -1, 0, 1]
    with pytest.raises(WeftTypeError, match="HeteroData"):
        HeteroGraph.from_pyg(torch.ones(3))
    data["item", "x", "user"].edge_attr = torch.ones(2, 2)
    with pytest.raises(WeftTypeError, match="item -x-> user needs an edge_index"):
        HeteroGraph.from_pyg(data)
