"""Sampled paths: errors, equality with the reference at any number of threads, and their expectation."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

import weft
from weft.errors import WeftValueError
from weft.graph import Graph
from weft.kernels.alias import alias_tables
from weft.kernels.paths import PathGraph, PathSampling, cpu, reference

KEY = 0x0123456789ABCDEF


def random_graph(nodes, edges, *, directed=False, weighted=False, skew=False, seed=0):
    rng = np.random.default_rng(seed)
    src, dst = rng.integers(0, max(1, nodes), (2, edges))
    if skew:
        src[: edges // 2] = 0
    weight = rng.exponential(size=edges) + 1e-3 if weighted else None
    return Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=directed)


def path_graph(graph):
    owner = np.repeat(np.arange(graph.num_nodes), graph.degree())
    weight = np.ones(graph.num_edges) if graph.weight is None else graph.weight.astype(np.float64)
    return PathGraph(
        indptr=graph.indptr,
        indices=graph.indices,
        out_degree=np.bincount(owner, weight, graph.num_nodes),
        in_degree=np.bincount(graph.indices, weight, graph.num_nodes),
        weight=graph.weight,
        alias=None if graph.weight is None else alias_tables(graph.indptr, graph.weight),
    )


def how(samples=3.3, keep=2.0, window=4, key=KEY):
    return PathSampling(samples=samples, keep=keep, window=window, key=key)


def dense_rows(given, sampling, row_scale, column_scale, cut=None):
    """All rows by the native op, as a dense matrix, asked for in two parts."""
    nodes = len(given.indptr) - 1
    walks = cpu.path_counts(given, sampling)
    out = np.zeros((nodes, nodes), np.float32)
    for begin, end in ((0, cut or 0), (cut or 0, nodes)):
        room = int(cpu.path_room(given, sampling, walks)[begin:end].sum())
        columns, values = np.empty(room, np.uint32), np.empty(room, np.float32)
        degree, used = cpu.path_rows(
            given, sampling, begin, walks[begin:end], row_scale, column_scale, (columns, values)
        )
        assert used == degree.sum()
        row = np.repeat(np.arange(begin, end), degree)
        key = row * nodes + columns[:used]
        assert (np.diff(key) > 0).all()
        out[row, columns[:used]] = values[:used]
    return out


GRAPHS = {
    "none": random_graph(0, 0),
    "isolated": random_graph(5, 0),
    "loop": Graph.from_edges([0], [0], num_nodes=1),
    "sparse": random_graph(63, 50),
    "dense": random_graph(30, 400),
    "skewed": random_graph(100, 200, skew=True),
    "weighted": random_graph(60, 150, weighted=True),
    "directed": random_graph(63, 100, directed=True),
    "directed and weighted": random_graph(40, 120, directed=True, weighted=True),
}


@functools.cache
def reference_of(name, samples, window):
    given, sampling = path_graph(GRAPHS[name]), how(samples=samples, window=window)
    return reference.path_counts(given, sampling), reference.path_units(given, sampling)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize(("samples", "window"), [(3.3, 4), (0.2, 7), (3.3, 1), (0, 4)])
def test_equals_the_reference(threads, name, samples, window):
    given, sampling = path_graph(GRAPHS[name]), how(samples=samples, window=window)
    nodes = len(given.indptr) - 1
    walks, units = reference_of(name, samples, window)
    np.testing.assert_array_equal(cpu.path_counts(given, sampling), walks)
    rng = np.random.default_rng(5)
    row_scale, column_scale = rng.exponential(size=(2, nodes))
    # Large enough that some entries pass 1 and some do not.
    row_scale *= 20 / (2.0**36 * (sampling.samples + 1))
    wanted = (units.astype(np.float64) * row_scale[:, None] * column_scale).astype(np.float32)
    got = dense_rows(given, sampling, row_scale, column_scale, cut=nodes // 3)
    np.testing.assert_array_equal(got, np.where(wanted > 1, wanted, 0))


def test_long_rows_and_many_batches():
    """A hub whose walks fill several batches and the table of all columns, between short rows."""
    graph = Graph.from_edges(np.full(300, 2), np.arange(300), num_nodes=300)
    given, sampling = path_graph(graph), how(samples=8, window=2)
    assert cpu.path_counts(given, sampling)[2] > 2048
    ones, wanted = np.ones(300), reference.path_units(given, sampling).astype(np.float32)
    for threads in (1, 2, 4):
        weft.set_num_threads(threads)
        np.testing.assert_array_equal(dense_rows(given, sampling, ones, ones), wanted)


@pytest.mark.parametrize("window", [1000, 8193])
def test_long_walks_come_in_smaller_batches(window):
    """On a directed circle a walk of T steps meets every node as often as T says, with no chance in it."""
    nodes, samples = 10, 600
    graph = Graph.from_edges(np.arange(nodes), (np.arange(nodes) + 1) % nodes, directed=True)
    given, sampling = path_graph(graph), how(samples=samples, window=window)
    met = np.bincount(np.arange(1, window + 1) % nodes, minlength=nodes) * samples
    wanted = np.stack([np.roll(met, u) for u in range(nodes)]) / 2.0**10
    got = dense_rows(given, sampling, np.full(nodes, 2.0**-46), np.ones(nodes), cut=3)
    np.testing.assert_array_equal(got, wanted.astype(np.float32))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("keep", [1.0, 1e9])
def test_the_expectation_is_the_matrix_of_walks(directed, weighted, keep):
    """The mean of many draws against the sum of the powers of the transition matrix, entry by entry."""
    graph = random_graph(25, 70, directed=directed, weighted=weighted, seed=3)
    given = path_graph(graph)
    nodes, window, samples, draws = 25, 3, 8.0, 400
    weights = np.ones(graph.num_edges) if graph.weight is None else graph.weight.astype(np.float64)
    a = np.zeros((nodes, nodes))
    np.add.at(a, (np.repeat(np.arange(nodes), graph.degree()), graph.indices), weights)
    p = np.divide(a, given.out_degree[:, None], out=np.zeros_like(a), where=given.out_degree[:, None] > 0)
    wanted = sum(np.linalg.matrix_power(p, r) for r in range(1, window + 1))
    sums = np.zeros((2, nodes, nodes))
    ones = np.ones(nodes)
    for draw in range(draws):
        sampling = how(samples=samples, keep=keep, window=window, key=KEY + draw)
        share = dense_rows(given, sampling, ones, ones) / (samples * 2.0**36)
        sums += share, share**2
    mean = sums[0] / draws
    deviation = np.sqrt(np.maximum(sums[1] / draws - mean**2, 0) / draws)
    # 625 entries and eight cases: |z| beyond 5 once in 350 such tests, were the draws normal; an entry that
    # no walk met may still have an expectation of a fraction of one walk's share.
    assert (abs(mean - wanted) <= 5 * deviation + 1e-3).all()
    # Few entries may be far off: the mean |z| of a normal is 0.8.
    moved = deviation > 0
    assert 0.6 < (abs(mean - wanted)[moved] / deviation[moved]).mean() < 1.0


def test_downsampling_saves_walks_at_hubs():
    graph = random_graph(200, 5000)
    given = path_graph(graph)
    all_of_them = cpu.path_counts(given, how(samples=10, keep=1e9)).sum()
    kept = cpu.path_counts(given, how(samples=10, keep=2.0)).sum()
    assert all_of_them == 10 * graph.num_edges
    share = np.minimum(
        1, 2 * (1 / given.out_degree.repeat(graph.degree()) + 1 / given.in_degree[graph.indices])
    )
    # Each edge rounds up or down on its own: a standard deviation of at most half a walk an edge.
    assert abs(kept - 10 * share.sum()) < 5 * 0.5 * np.sqrt(graph.num_edges)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": -1.0}, "samples"),
        ({"samples": float("nan")}, "samples"),
        ({"samples": 1e9}, "samples"),
        ({"keep": 0.5}, "keep"),
        ({"window": 0}, "window"),
    ],
)
def test_parameters_out_of_range(change, message):
    given = path_graph(GRAPHS["sparse"])
    with pytest.raises(WeftValueError, match=message):
        cpu.path_counts(given, dataclasses.replace(how(), **change))


def test_damage_is_an_error(threads):
    given = path_graph(GRAPHS["weighted"])
    nodes, edges = 60, len(given.indices)
    walks, ones = cpu.path_counts(given, how()), np.ones(nodes)
    room = int(cpu.path_room(given, how(), walks).sum())
    out = (np.empty(room, np.uint32), np.empty(room, np.float32))
    wrong_index = given.indices.copy()
    wrong_index[edges // 2] = 60
    for change, message in (
        ({"indices": wrong_index}, "indices hold node 60 of 60"),
        ({"indptr": np.where(np.arange(nodes + 1) == 7, 2**40, given.indptr)}, "the row of node"),
        ({"indptr": np.where(np.arange(nodes + 1) == 7, -1, given.indptr)}, "the row of node"),
        ({"alias": np.full(edges, 2**63, np.uint64)}, "the alias table does not belong"),
        ({"alias": given.alias[1:]}, "weight and alias"),
        ({"weight": given.weight[1:]}, "weight and alias"),
        ({"out_degree": given.out_degree / 1e6}, "out says that all of them weigh"),
        ({"out_degree": given.out_degree[1:]}, "out and in N"),
    ):
        damaged = dataclasses.replace(given, **change)
        with pytest.raises(WeftValueError, match=message):
            cpu.path_rows(damaged, how(), 0, walks, ones, ones, out)
    with pytest.raises(WeftValueError, match="walks do not belong to the graph"):
        cpu.path_rows(given, how(), 0, walks // 2, ones, ones, out)
    with pytest.raises(WeftValueError, match="room for"):
        cpu.path_rows(given, how(), 0, walks, ones, ones, (out[0][:5], out[1][:5]))
    with pytest.raises(WeftValueError, match="a value for each row"):
        cpu.path_rows(given, how(), 1, walks, ones, ones, out)


def test_threads_do_not_matter():
    graph = random_graph(3000, 60_000, skew=True)
    given, ones = path_graph(graph), np.ones(3000)
    walks = cpu.path_counts(given, how())
    room = int(cpu.path_room(given, how(), walks).sum())
    found = []
    for threads in (1, 2, 4):
        weft.set_num_threads(threads)
        out = (np.empty(room, np.uint32), np.empty(room, np.float32))
        degree, used = cpu.path_rows(given, how(), 0, walks, ones, ones, out)
        found.append((degree, out[0][:used], out[1][:used]))
    for other in found[1:]:
        for got, wanted in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(got, wanted)
