"""Walks on a graph: where they start, weights, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.graph.ingest import ingest
from weft.kernels.alias import alias_tables
from weft.kernels.walk import reference
from weft.kernels.walk2 import reference as second_order
from weft.sampling import WalkSampler, random_walks
from weft.sampling.walks import second_order_bytes


@pytest.fixture
def graph():
    rng = np.random.default_rng(3)
    src, dst = rng.integers(0, 50, (2, 300))
    return Graph.from_edges(src, dst, rng.pareto(1.0, 300).astype(np.float32), num_nodes=60)


def plain(graph):
    return replace(graph, weight=None)


def test_weights_that_are_not_there(graph):
    with pytest.raises(WeftValueError, match="the graph has no weights"):
        random_walks(plain(graph), 5, 3, seed=0, weighted=True)


def test_no_edge_to_start_from():
    empty = Graph.from_edges([], [], num_nodes=3)
    with pytest.raises(WeftValueError, match="at least one edge"):
        random_walks(empty, 2, 3, seed=0)
    assert random_walks(empty, [0, 2], 2, seed=0).tolist() == [[0, 0, 0], [2, 2, 2]]


@pytest.mark.parametrize("starts", [[60], [-1], [0.5]])
def test_bad_starts(graph, starts):
    with pytest.raises(WeftValueError, match="start"):
        random_walks(graph, starts, 3, seed=0)


@pytest.mark.parametrize("weighted", [True, False])
def test_damaged_graph(graph, weighted):
    indptr = graph.indptr.copy()
    indptr[10] = indptr[-1] + 1
    damaged = replace(graph, indptr=indptr)
    with pytest.raises(WeftValueError, match="import the graph again"):
        random_walks(damaged, 5, 3, seed=0, weighted=weighted)


def test_numpy_number_of_walks(graph):
    np.testing.assert_array_equal(
        random_walks(graph, np.int32(7), 3, seed=0), random_walks(graph, 7, 3, seed=0)
    )


def test_negative_number_of_walks(graph):
    with pytest.raises(WeftValueError, match="number of walks must be 0 or more"):
        random_walks(graph, -1, 3, seed=0)


def test_node_whose_weights_are_all_zero():
    graph = Graph.from_edges([0, 1], [1, 2], np.float32([1, 0]), num_nodes=3, directed=True)
    with pytest.raises(WeftValueError, match=r"node 1 has only edges of weight zero \(1\); drop them"):
        random_walks(graph, 5, 3, seed=0)
    assert random_walks(graph, 5, 3, seed=0, weighted=False).shape == (5, 4)


@pytest.mark.parametrize(("sources", "name"), [([70, 80], "80"), (["ann", "bob"], "'bob'")])
def test_such_a_node_is_named_as_the_user_does(tmp_path, sources, name):
    graph = ingest((sources, sources[::-1], [1.0, 0.0]), tmp_path / "graph", directed=True)
    with pytest.raises(WeftValueError, match=rf"draws by weight: node {name} has only edges of weight zero"):
        random_walks(graph, 5, 3, seed=0)


@pytest.mark.parametrize("weighted", [None, True, False])
def test_walks_equal_reference(graph, weighted, threads):
    starts = np.arange(60)
    alias = None if weighted is False else alias_tables(graph.indptr, graph.weight)
    np.testing.assert_array_equal(
        random_walks(graph, starts, 7, seed=2, weighted=weighted),
        reference.walk(graph.indptr, graph.indices, starts, 7, 2, alias=alias),
    )


def test_no_starts(graph):
    assert random_walks(graph, [], 4, seed=0).shape == (0, 5)
    assert random_walks(graph, 0, 4, seed=0).shape == (0, 5)


def test_cut_batch_gives_the_same_walks(graph):
    sampler = WalkSampler.of(graph)
    whole = sampler.walks(1000, 5, seed=1)
    parts = [sampler.walks(n, 5, seed=1, first=first) for first, n in ((0, 300), (300, 700))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("weighted", [True, False])
def test_starts_follow_the_weighted_degree(graph, weighted):
    starts = WalkSampler.of(graph, weighted=weighted).starts(300_000, seed=6)
    weight = graph.weight if weighted else np.ones(graph.num_edges)
    source = np.repeat(np.arange(60), graph.degree())
    share = np.bincount(source, weight, 60)
    counts = np.bincount(starts, minlength=60)
    some = share > 0
    assert not counts[~some].any()
    expected = share[some] / share.sum() * len(starts)
    # The 0.999 quantile of chi-square with 49 degrees of freedom is 85.4.
    assert np.sum((counts[some] - expected) ** 2 / expected) < 85.4


def test_first_steps_follow_the_edges(graph):
    # Start by degree and one step: every edge is drawn in proportion to its weight.
    walks = random_walks(graph, 400_000, 1, seed=9).astype(np.int64)
    counts = np.bincount(walks[:, 0] * 60 + walks[:, 1], minlength=3600)
    source = np.repeat(np.arange(60), graph.degree())
    share = np.bincount(source * 60 + graph.indices, graph.weight, 3600)
    expected = share / share.sum() * len(walks)
    enough = expected > 20
    rest = counts[~enough].sum() - expected[~enough].sum()
    chi = np.sum((counts - expected)[enough] ** 2 / expected[enough]) + rest**2 / expected[~enough].sum()
    degrees = enough.sum()
    # Five standard deviations above the mean of chi-square.
    assert chi < degrees + 5 * np.sqrt(2 * degrees)


@pytest.mark.parametrize(("p", "q"), [(0, 1), (1, -2), (np.inf, 1), (1, np.nan), (1e-9, 1)])
def test_bias_out_of_range(graph, p, q):
    with pytest.raises(WeftValueError, match=r"[pq] must be 1e-06 to 1e\+06"):
        random_walks(graph, 5, 3, seed=0, p=p, q=q)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("directed", [True, False])
def test_second_order_walks_equal_reference(graph, weighted, directed):
    if directed:
        graph = replace(graph, directed=True)
    sampler = WalkSampler.of(graph, weighted=weighted, p=0.5, q=4)
    table = {}
    if weighted:
        table = {
            "weight": graph.weight,
            "alias": sampler.edge_table,
            "total": sampler.second.sum_N,
            "peak": sampler.second.peak_N,
        }
        assert sampler.second.sum_N[0] == pytest.approx(graph.weight[: graph.indptr[1]].sum())
    starts = np.arange(60)
    expected = second_order.walk2(
        graph.indptr, graph.indices, starts, 7, 2, p=0.5, q=4, directed=directed, **table
    )
    np.testing.assert_array_equal(sampler.walks(starts, 7, seed=2), expected)


def test_p_and_q_of_one_are_of_first_order(graph):
    np.testing.assert_array_equal(
        random_walks(graph, 50, 9, seed=4, p=1, q=1), random_walks(graph, 50, 9, seed=4)
    )


@pytest.mark.parametrize("weighted", [True, False])
def test_second_order_takes_a_tenth_of_the_graph(graph, weighted):
    graph = graph if weighted else plain(graph)
    second = WalkSampler.of(graph, p=0.5).second
    taken = second.edges.words.nbytes + (second.sum_N.nbytes + second.peak_N.nbytes if weighted else 0)
    assert taken == second_order_bytes(graph)
    assert second.edges.words.nbytes <= (graph.indptr.nbytes + graph.indices.nbytes) / 10


def test_second_order_cut_batch_gives_the_same_walks(graph):
    sampler = WalkSampler.of(graph, p=4, q=0.25)
    whole = sampler.walks(1000, 5, seed=1)
    parts = [sampler.walks(n, 5, seed=1, first=first) for first, n in ((0, 300), (300, 700))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_second_order_on_a_damaged_graph(graph):
    indices = graph.indices.copy()
    indices[3] = 60
    with pytest.raises(WeftValueError, match="import the graph again"):
        random_walks(replace(graph, indices=indices), 5, 3, seed=0, q=2)
