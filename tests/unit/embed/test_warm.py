"""Where old and new nodes begin when a graph has grown."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft.embed import warm
from weft.embed.start import initial_vectors
from weft.embed.warm import Known, WarmStart
from weft.errors import WeftValueError
from weft.graph import Graph, Ids
from weft.graph.ids import Strings


def known(ids, dim=3):
    rng = np.random.default_rng(0)
    return Known(ids, *rng.normal(size=(2, len(ids), dim)).astype(np.float32))


def named(graph, names):
    packed = Strings.of(names)
    return dataclasses.replace(graph, ids=Ids.strings(packed.data, packed.offsets))


def test_ids_decide_which_node_is_which():
    before = Graph.from_edges([10, 20], [20, 30])
    now = Graph.from_edges([5, 20, 30], [10, 30, 40])  # 5 and 40 are new, 10, 20, 30 moved by one
    old = known(before.ids)
    start = WarmStart(now, old, seed=0)
    assert now.ids.take(start.new).tolist() == [5, 40]
    vertex, context = start.vectors(1, 3)
    np.testing.assert_array_equal(vertex, old.vertex)
    np.testing.assert_array_equal(context, old.context)


def test_string_ids():
    before = named(Graph.from_edges([0, 1], [1, 2]), ["ann", "bob", "cid"])
    now = named(Graph.from_edges([0, 1, 2], [1, 2, 3]), ["dora", "cid", "ann", "bob"])
    old = known(before.ids)
    np.testing.assert_array_equal(WarmStart(now, old, seed=0).vectors(1, 3)[0], old.vertex[[2, 0, 1]])


@pytest.mark.parametrize("edges_at_once", [2, 3, 1 << 16])
@pytest.mark.parametrize("nodes_at_once", [1, 2, 1 << 16])
@pytest.mark.parametrize("weighted", [False, True])
def test_new_nodes_begin_at_the_mean_of_their_neighbours(edges_at_once, nodes_at_once, weighted, monkeypatch):
    monkeypatch.setattr(warm, "_EDGES", edges_at_once)
    monkeypatch.setattr(warm, "_NODES", nodes_at_once)
    # 0 to 3 are old; 4 hangs on three of them, 5 on 4 and one old node, 6 on 5 alone, 7 on 6 alone.
    src = np.array([4, 4, 4, 5, 5, 6, 7, 0])
    dst = np.array([0, 1, 2, 4, 3, 5, 6, 1])
    weight = np.array([1, 2, 3, 4, 5, 6, 7, 8], np.float32)
    graph = Graph.from_edges(src, dst, weight if weighted else None, num_nodes=8)
    old = known(Ids.range(4))
    vectors = WarmStart(graph, old, seed=0).vectors(0, 8)
    share = np.array([1, 2, 3]) / 6 if weighted else np.full(3, 1 / 3)
    for table, before in zip(vectors, (old.vertex, old.context), strict=True):
        np.testing.assert_array_equal(table[:4], before)
        np.testing.assert_allclose(table[4], share @ before[:3], rtol=1e-5, atol=1e-6)
        # Its neighbour 4 is new itself: only the old one counts.
        np.testing.assert_allclose(table[5], before[3], rtol=1e-6)
        np.testing.assert_allclose(table[6], before[3], rtol=1e-6)
        np.testing.assert_allclose(table[7], before[3], rtol=1e-6)


def test_directed_edges_count_both_ways():
    graph = Graph.from_edges([0, 2], [2, 1], num_nodes=3, directed=True)
    old = known(Ids.range(2))
    np.testing.assert_allclose(
        WarmStart(graph, old, seed=0).vectors(2, 1)[0][0], old.vertex.mean(axis=0), rtol=1e-6
    )


def test_edges_without_weight_and_nodes_apart():
    # 2 hangs on an edge that weighs nothing, 3 and 4 on each other, 5 on nothing.
    graph = Graph.from_edges([0, 0, 3], [1, 2, 4], np.array([1, 0, 1], np.float32), num_nodes=6)
    vertex, context = WarmStart(graph, known(Ids.range(2)), seed=9).vectors(2, 4)
    np.testing.assert_array_equal(vertex, initial_vectors(2, 4, 3, 9).astype(np.float32))
    assert not context.any()


def test_no_node_is_known():
    graph = Graph.from_edges([7, 8], [8, 9])
    with pytest.raises(WeftValueError, match=r"none of the graph's 3 nodes, such as 7, has one of the 2 ids"):
        WarmStart(graph, known(Ids.range(2)), seed=0)


def test_the_digest_tells_starts_apart():
    graph = Graph.from_edges([0, 1], [1, 2])
    old = known(Ids.range(3))
    other = Known(old.ids, old.vertex, old.context + 1)
    digests = {WarmStart(graph, some, seed=0).digest() for some in (old, other, known(Ids.range(2)))}
    assert len(digests) == 3
    assert WarmStart(graph, old, seed=0).digest() in digests
