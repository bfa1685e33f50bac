"""Neighbour sampling on graphs of several types: what PyG calls a batch of HeteroData."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from weft.errors import WeftError, WeftValueError
from weft.graph import HeteroGraph
from weft.sampling import HeteroNeighborSampler

RATES = ("user", "rates", "item")
TAGS = ("tag", "on", "item")
KNOWS = ("user", "knows", "user")
SIZES = {"user": 60, "item": 25, "tag": 5}


def graph_of(*, weighted=False, reverse=True):
    rng = np.random.default_rng(0)

    def edges(kind, count):
        ends = [rng.integers(0, SIZES[kind[0]], count), rng.integers(0, SIZES[kind[2]], count)]
        return (*ends, (1 + rng.random(count)).astype(np.float32)) if weighted else tuple(ends)

    graph = HeteroGraph.from_edges(
        {RATES: edges(RATES, 200), TAGS: edges(TAGS, 40), KNOWS: edges(KNOWS, 90)}, SIZES, duplicates="keep"
    )
    return graph.with_reverse() if reverse else graph


def ends(graph, kind):
    return graph[kind].sources(), graph[kind].indices.astype(np.int64)


def hops_by_hand(graph, seeds, hops):
    """All edges into the seeds, into what these come from, and so on: (nodes, edges) of each hop by type."""
    seen = {name: set(seeds.get(name, ())) for name in graph.node_types}
    frontier = {name: set(some) for name, some in seen.items()}
    nodes, edges = [frontier], []
    for _ in range(hops):
        found, taken = {name: set() for name in seen}, {}
        for kind in graph.edge_types:
            src, dst = ends(graph, kind)
            taken[kind] = np.flatnonzero(np.isin(dst, list(frontier[kind[2]])))
            found[kind[0]] |= set(src[taken[kind]].tolist())
        frontier = {name: found[name] - seen[name] for name in seen}
        seen = {name: seen[name] | found[name] for name in seen}
        nodes.append(frontier)
        edges.append(taken)
    return nodes, edges


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("seeds", [{"user": [3, 1, 59]}, {"item": [0, 24], "tag": [2]}, {}])
def test_all_neighbours_are_those_found_by_hand(reverse, seeds):
    graph = graph_of(reverse=reverse)
    sampler = HeteroNeighborSampler.of(graph, [-1, -1, -1])
    got = sampler.sample({name: np.array(some) for name, some in seeds.items()}, seed=0)
    nodes, edges = hops_by_hand(graph, seeds, 3)
    for name in graph.node_types:
        sizes = [len(hop[name]) for hop in nodes]
        assert got.num_sampled_nodes[name] == sizes
        parts = np.split(got.n_id[name], np.cumsum(sizes)[:-1])
        assert [set(part.tolist()) for part in parts] == [hop[name] for hop in nodes]
        assert parts[0].tolist() == list(seeds.get(name, ()))
    for kind in graph.edge_types:
        sizes = [len(hop[kind]) for hop in edges]
        assert got.num_sampled_edges[kind] == sizes
        parts = np.split(got.e_id[kind], np.cumsum(sizes)[:-1])
        for part, hop in zip(parts, edges, strict=True):
            np.testing.assert_array_equal(np.sort(part), hop[kind])


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("disjoint", [False, True])
def test_edges_are_those_of_the_graph(direction, weighted, disjoint):
    graph = graph_of(weighted=weighted)
    fanout = {kind: [3, 0, 2] if kind == KNOWS else [2, 2, 1] for kind in graph.edge_types}
    sampler = HeteroNeighborSampler.of(graph, fanout, direction=direction, disjoint=disjoint)
    got = sampler.sample({"user": np.arange(20, dtype=np.uint32), "item": np.array([4])}, seed=5, batch=2)
    assert sampler.hops == 3
    for kind, original in zip(sampler.edge_types, graph.edge_types, strict=True):
        if direction == "out":
            assert kind == (original[2], f"rev_{original[1]}", original[0])
        src, dst = ends(graph, original)
        far, near = (src, dst) if direction == "in" else (dst, src)
        row, col = got.edge_index[kind]
        np.testing.assert_array_equal(got.n_id[kind[0]][row], far[got.e_id[kind]])
        np.testing.assert_array_equal(got.n_id[kind[2]][col], near[got.e_id[kind]])
        assert sum(got.num_sampled_edges[kind]) == len(got.e_id[kind])
        assert got.edge_index[kind].dtype == got.e_id[kind].dtype == np.int64
        most = np.bincount(col, minlength=1)
        assert most.max() <= (3 if original == KNOWS else 2)
        if disjoint:
            np.testing.assert_array_equal(got.batch[kind[0]][row], got.batch[kind[2]][col])
    for name in graph.node_types:
        assert sum(got.num_sampled_nodes[name]) == len(got.n_id[name])
    assert got.n_id["user"][:20].tolist() == list(range(20))
    assert (got.batch is not None) == disjoint
    assert got.num_sampled_edges[sampler.edge_types[graph.edge_types.index(KNOWS)]][1] == 0


def test_by_weight_zero_weighs_nothing():
    graph = HeteroGraph.from_edges({RATES: ([0, 1, 2], [0, 0, 0], [0, 1, 0]), KNOWS: ([0, 1], [1, 1])})
    got = HeteroNeighborSampler.of(graph, [2]).sample(("item", np.array([0])), seed=1)
    assert got.n_id["user"].tolist() == [1]
    unweighted = HeteroNeighborSampler.of(graph, [-1], weighted=False).sample(("item", np.array([0])), seed=1)
    assert unweighted.n_id["user"].tolist() == [0, 1, 2]


def test_threads_and_batches():
    sampler = HeteroNeighborSampler.of(graph_of(), [4, 4])

    def draw(number):
        return sampler.sample(("user", np.arange(number, number + 20)), seed=3, batch=number)

    alone = [draw(number) for number in range(24)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(draw, range(24)))
    for one, other in zip(alone, together, strict=True):
        for name in SIZES:
            np.testing.assert_array_equal(one.n_id[name], other.n_id[name])
        for kind in sampler.edge_types:
            np.testing.assert_array_equal(one.edge_index[kind], other.edge_index[kind])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"num_neighbors": [2, -2]}, r"-1 for all \(got -2\)"),
        ({"num_neighbors": [2], "direction": "both"}, "'in' or 'out'"),
        ({"num_neighbors": [2], "weighted": True}, r"\('user', 'rates', 'item'\) have no weights"),
        (
            {"num_neighbors": {RATES: [2]}},
            r"lacks edges of type \('tag', 'on', 'item'\); \[0\] leaves them out",
        ),
        (
            {"num_neighbors": {RATES: [2], TAGS: [2, 2], KNOWS: [2]}},
            r"\('user', .* has 1 hops, others have 2",
        ),
        ({"num_neighbors": {("a", "b", "c"): [2]}}, r"no edges of type \('a', 'b', 'c'\)"),
    ],
)
def test_wrong_options(options, match):
    with pytest.raises(WeftError, match=match):
        HeteroNeighborSampler.of(graph_of(reverse=False), **options)


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ({"user": np.array([0, 60])}, "seed 1 of type 'user' is node 60, there are 60"),
        ({"tag": np.array([-1])}, "seed 0 of type 'tag' is node -1, there are 5"),
        ({"usr": np.array([1])}, "no nodes of type 'usr'"),
        (("user", np.array([0.5])), "seeds must be integers"),
        (("user", np.array([[1]])), "seeds must be integers"),
    ],
)
def test_wrong_seeds(nodes, match):
    with pytest.raises(WeftError, match=match):
        HeteroNeighborSampler.of(graph_of(reverse=False), [2]).sample(nodes, seed=0)


def test_weights_that_cannot_be_drawn_by():
    graph = HeteroGraph.from_edges({RATES: ([0, 1], [70, 80], [0, 1])})
    with pytest.raises(WeftValueError, match="draws by weight: node 70"):
        HeteroNeighborSampler.of(graph, [1])
    with pytest.raises(WeftValueError, match="no types of edges"):
        HeteroNeighborSampler.of(HeteroGraph.from_edges({}, {"user": 3}), [1])
