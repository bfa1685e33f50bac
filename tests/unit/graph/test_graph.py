"""Graph: what it refuses, and each operation against a definition in plain Python."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft import Graph
from weft.errors import FormatError, WeftKeyError, WeftValueError
from weft.graph import Labels
from weft.graph.format import DirectoryWriter


def random_graph(nodes=50, edges=200, *, directed=False, weighted=False, seed=0):
    rng = np.random.default_rng(seed)
    src, dst = rng.integers(0, nodes, (2, edges))
    weight = rng.random(edges).astype(np.float32) if weighted else None
    return Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=directed)


def edges_of(graph):
    return [(u, int(v)) for u in range(graph.num_nodes) for v in graph.neighbors(u)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [1]), "src has 2 values, dst has 1"),
        (([0.5], [1]), "src must be a 1-D array of integers"),
        (([[0]], [[1]]), "src must be a 1-D array of integers"),
        (([0], [1], [float("nan")]), "weight"),
        (([0], [1], [-1.0]), "weight"),
        (([0], [1], [float("inf")]), "weight"),
        (([0], [1], [1.0, 2.0]), "weight"),
    ],
)
def test_bad_arrays(arguments, message):
    with pytest.raises(WeftValueError, match=message):
        Graph.from_edges(*arguments)


@pytest.mark.parametrize("edge", [(-1, 0), (0, 5), (5, 5)])
def test_ids_past_the_declared_count(edge):
    with pytest.raises(WeftValueError, match="5"):
        Graph.from_edges([0, edge[0]], [1, edge[1]], num_nodes=5)


def test_undirected_stores_both_directions_and_loops_once():
    graph = Graph.from_edges([0, 1, 2], [1, 2, 2])
    assert edges_of(graph) == [(0, 1), (1, 0), (1, 2), (2, 1), (2, 2)]


def test_sparse_ids_become_nodes_in_rising_order():
    graph = Graph.from_edges([900, -5], [7, 900], directed=True)
    assert graph.ids.kind == "int"
    assert graph.ids.take([0, 1, 2]).tolist() == [-5, 7, 900]
    assert edges_of(graph) == [(0, 2), (2, 1)]


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_save_and_open(tmp_path, directed, weighted):
    graph = random_graph(directed=directed, weighted=weighted)
    back = graph.save(tmp_path / "g")
    for name in ("indptr", "indices", "weight"):
        np.testing.assert_array_equal(getattr(back, name), getattr(graph, name))
    assert back.directed == directed
    assert repr(Graph.open(tmp_path / "g", verify=True)) == repr(graph)


@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_tiny_graphs(tmp_path, nodes):
    graph = Graph.from_edges([], [], num_nodes=nodes).save(tmp_path / "g")
    assert (graph.num_nodes, graph.num_edges) == (nodes, 0)
    assert graph.reverse().num_nodes == nodes
    assert graph.largest_component().num_nodes == min(nodes, 1)
    assert graph.in_memory().degree().tolist() == [0] * nodes


@pytest.mark.parametrize("weighted", [True, False])
def test_reverse(weighted):
    graph = random_graph(directed=True, weighted=weighted)
    back = graph.reverse()
    assert sorted((v, u) for u, v in edges_of(back)) == sorted(edges_of(graph))
    np.testing.assert_array_equal(back.reverse().indices, graph.indices)
    if graph.weight is not None and back.weight is not None:
        weights = dict(zip(edges_of(graph), graph.weight, strict=True))
        assert [weights[v, u] for u, v in edges_of(back)] == back.weight.tolist()
    assert random_graph().reverse().num_edges == random_graph().num_edges


def test_subgraph_keeps_ids_labels_features_and_order():
    graph = Graph.from_edges([10, 20, 30], [20, 30, 10], [1.0, 2.0, 3.0])
    labels = Labels.from_pairs(np.array([0, 1, 1]), ["b", "a", "b"], 3)
    whole = Graph(
        indptr=graph.indptr,
        indices=graph.indices,
        weight=graph.weight,
        directed=False,
        ids=graph.ids,
        labels=labels,
        features=np.arange(6.0).reshape(3, 2),
    )
    part = whole.subgraph([1, 2])
    assert edges_of(part) == [(0, 1), (1, 0)]
    assert part.weight is not None
    assert part.weight.tolist() == [2.0, 2.0]
    assert part.ids.take([0, 1]).tolist() == [20, 30]
    assert part.labels is not None
    assert [part.labels[i] for i in range(2)] == [("a", "b"), ()]
    assert part.features is not None
    assert part.features.tolist() == [[2, 3], [4, 5]]
    assert whole.subgraph([2, 1]).ids.take([0, 1]).tolist() == ["30", "20"]


@pytest.mark.parametrize(
    ("nodes", "message"), [([0, 0], "twice"), ([99], "0 .. 49"), ([-1], "0 .. 49"), ([0.5], "integers")]
)
def test_bad_subgraph(nodes, message):
    with pytest.raises(WeftValueError, match=message):
        random_graph().subgraph(nodes)


def test_subgraph_against_plain_python():
    graph = random_graph(directed=True, weighted=True)
    chosen = np.random.default_rng(3).permutation(50)[:20]
    place = {int(n): i for i, n in enumerate(chosen)}
    expected = sorted((place[u], place[v]) for u, v in edges_of(graph) if u in place and v in place)
    assert edges_of(graph.subgraph(chosen)) == expected


def test_largest_component():
    graph = Graph.from_edges([0, 1, 5, 6, 7], [1, 2, 6, 7, 8], num_nodes=10, directed=True)
    assert graph.largest_component().ids.take(np.arange(4)).tolist() == [5, 6, 7, 8]


def test_has_edges():
    graph = random_graph(directed=True)
    stored = set(edges_of(graph))
    src, dst = (a.reshape(-1) for a in np.meshgrid(np.arange(50), np.arange(50), indexing="ij"))
    assert graph.has_edges(src, dst).tolist() == [(u, v) in stored for u, v in zip(src, dst, strict=True)]


@pytest.mark.parametrize("node", [-1, 50])
def test_neighbors_of_no_node(node):
    with pytest.raises(WeftKeyError, match=r"is not in 0 \.\. 49"):
        random_graph().neighbors(node)


def damaged(tmp_path, **arrays):
    graph = random_graph(4, 10, weighted=True)
    meta = {
        "num_nodes": 4,
        "num_edges": graph.num_edges,
        "directed": False,
        "ids": {"kind": "range"},
        "labels": None,
    }
    meta |= arrays.pop("meta", {})
    with DirectoryWriter(tmp_path / "g", "weft.graph") as writer:
        for name in ("indptr", "indices", "weight"):
            writer.write_array(name, arrays.get(name, getattr(graph, name)))
        for name in arrays.keys() - {"indptr", "indices", "weight"}:
            writer.write_array(name, arrays[name])
        writer.finish(meta)
    return tmp_path / "g"


GRAPH = random_graph(4, 10, weighted=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"meta": {"num_nodes": 5}}, r"indptr.npy has shape \(5,\)"),
        ({"meta": {"num_edges": 1}}, r"indices.npy has shape"),
        ({"meta": {"num_edges": "many"}}, "num_edges as 'many'"),
        ({"meta": {"directed": 1}}, "directed as 1"),
        ({"meta": {"ids": {"kind": "fish"}}}, "ids of kind 'fish'"),
        ({"meta": {"ids": 3}}, "ids as 3"),
        ({"meta": {"ids": {"kind": "int"}}}, "no array 'ids'"),
        ({"meta": {"labels": {"count": -1}}}, "-1 as the number of labels"),
        ({"indptr": GRAPH.indptr[::-1].copy()}, "indptr.npy does not rise"),
        ({"indices": GRAPH.indices.astype(np.int64)}, "indices.npy has dtype int64, expected uint32"),
        ({"indices": GRAPH.indices + np.uint32(4)}, "there are 4"),
        ({"indices": GRAPH.indices[::-1].copy()}, "not sorted"),
        ({"weight": GRAPH.weight * np.float32(-1)}, "negative"),
        ({"features": np.zeros((3, 2))}, "expected 4 rows"),
        ({"meta": {"ids": {"kind": "int"}}, "ids": np.array([3, 2, 1, 0])}, "ids.npy does not rise"),
    ],
)
def test_directories_that_disagree_with_themselves(tmp_path, change, message):
    place = damaged(tmp_path, **change)
    with pytest.raises(FormatError, match=message):
        Graph.open(place, verify=True)


def test_negative_counts_masks_of_another_length_and_damage_are_refused():
    with pytest.raises(WeftValueError, match="num_nodes must not be negative"):
        Graph.from_edges([], [], num_nodes=-1)
    graph = Graph.from_edges([0, 1], [1, 2])
    with pytest.raises(WeftValueError, match=r"a mask must have the shape \[3\]"):
        graph.subgraph(np.ones(2, bool))
    damaged = dataclasses.replace(graph, indices=np.array([1, 0, 9, 1], np.uint32))
    with pytest.raises(WeftValueError, match="indices hold node 9 of 3"):
        damaged.subgraph([0, 1])


def test_sums_of_weights_must_fit():
    with pytest.raises(WeftValueError, match="past float32"):
        Graph.from_edges([0, 0], [1, 1], [3e38, 3e38], duplicates="sum")
    with pytest.raises(WeftValueError, match=r"weight\[0\] is inf"):
        Graph.from_edges([0], [1], [1e300])
