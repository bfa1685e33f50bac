"""ProNE's matrix against its definition, entry by entry."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft.embed.factor import edges
from weft.embed.factor.prone import edge_matrix
from weft.errors import WeftValueError
from weft.graph import Graph


def random_graph(*, directed=False, weighted=False):
    rng = np.random.default_rng(0)
    src, dst = rng.integers(0, 38, (2, 120))
    weight = rng.exponential(size=120) if weighted else None
    if weight is not None:
        weight[:5] = 0
    return Graph.from_edges(src, dst, weight, num_nodes=40, directed=directed)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_equals_the_definition(directed, weighted, chunk, monkeypatch):
    monkeypatch.setattr(edges, "EDGES", chunk)
    graph = random_graph(directed=directed, weighted=weighted)
    matrix = edge_matrix(graph, edges.out_degrees(graph))
    a = np.zeros((40, 40))
    np.add.at(
        a,
        (np.repeat(np.arange(40), graph.degree()), graph.indices),
        1.0 if graph.weight is None else graph.weight,
    )
    p = a / np.maximum(a.sum(axis=1, keepdims=True), 1e-300)
    negative = p.sum(axis=0) ** 0.75
    negative /= negative.sum()
    for u in range(40):
        for e in range(int(graph.indptr[u]), int(graph.indptr[u + 1])):
            v = int(graph.indices[e])
            wanted = np.log(p[u, v] / negative[v]) if a[u, v] else 0
            assert matrix.value[e] == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("weighted", [False, True])
def test_repeated_edges_are_one_of_their_weights(weighted, chunk, monkeypatch):
    rng = np.random.default_rng(1)
    src, dst = rng.integers(0, 6, (2, 90))  # 36 places; row ends where the next begins with the same node too
    weight = rng.integers(0, 4, 90).astype(float) if weighted else np.ones(90)

    def dense(duplicates, weight):
        graph = Graph.from_edges(src, dst, weight, num_nodes=6, directed=True, duplicates=duplicates)
        monkeypatch.setattr(edges, "EDGES", chunk if duplicates == "keep" else 1 << 20)
        matrix = edge_matrix(graph, edges.out_degrees(graph))
        out = np.zeros((6, 6))
        np.add.at(out, (np.repeat(np.arange(6), graph.degree()), graph.indices), matrix.value)
        return out

    kept = dense("keep", weight if weighted else None)
    np.testing.assert_allclose(kept, dense("sum", weight), rtol=1e-5, atol=1e-6)
    assert abs(kept).max() > 0.1


def test_a_run_ends_with_its_row(monkeypatch):
    monkeypatch.setattr(edges, "EDGES", 1)
    graph = Graph.from_edges([0, 0, 1, 3, 3], [4, 4, 4, 4, 4], num_nodes=5, directed=True, duplicates="keep")
    assert [len(chunk.weight) for chunk in edges.edge_chunks(graph)] == [2, 1, 2]


def test_degrees_in_chunks(monkeypatch):
    graph = random_graph(directed=True, weighted=True)
    whole = edges.out_degrees(graph)
    into = edges.reached(graph, np.ones(graph.num_nodes))
    monkeypatch.setattr(edges, "EDGES", 3)
    # Other places to break a sum of float64.
    np.testing.assert_allclose(edges.out_degrees(graph), whole, rtol=1e-12)
    np.testing.assert_allclose(edges.reached(graph, np.ones(graph.num_nodes)), into, rtol=1e-12)
    assert whole.sum() == pytest.approx(into.sum())
    joined = np.concatenate([chunk.source for chunk in edges.edge_chunks(graph)])
    np.testing.assert_array_equal(joined, np.repeat(np.arange(40), graph.degree()))


def test_weights_of_zero_alone():
    graph = Graph.from_edges([0, 1], [1, 2], [0.0, 0.0])
    with pytest.raises(WeftValueError, match="all 4 stored edges weigh 0"):
        edges.out_degrees(graph)


def test_damage_is_named():
    graph = Graph.from_edges([0, 1], [1, 2], directed=True)
    damaged = dataclasses.replace(graph, indices=np.array([1, 7], np.uint32))
    with pytest.raises(WeftValueError, match="indices hold node 7 of 3"):
        list(edges.edge_chunks(damaged))
    damaged = dataclasses.replace(graph, indptr=np.array([0, 2, 1, 2]))
    with pytest.raises(WeftValueError, match="rows fall"):
        list(edges.edge_chunks(damaged))
