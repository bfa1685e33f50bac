"""Temporal sampling: bad input, windows, and that neither threads nor batches change what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftError, WeftTypeError, WeftValueError
from weft.graph import TemporalGraph
from weft.kernels import threads
from weft.sampling import TemporalNeighborSampler
from weft.sampling.temporal import unique_pairs

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def graph_of(events=4000, nodes=60, seed=0):
    rng = np.random.default_rng(seed)
    graph = TemporalGraph(nodes)
    graph.append(*rng.integers(0, nodes, (2, events)), np.sort(rng.integers(0, 1000, events)))
    return graph


@pytest.mark.parametrize(
    ("hops", "more", "match"),
    [
        ([], {}, "a number for each hop"),
        ("10", {}, "a number for each hop"),
        (10, {}, "a number for each hop"),
        ([-1], {}, "num_neighbors must be in 0"),
        ([2.5], {}, "num_neighbors must be an integer"),
        ([2], {"how": "newest"}, "how must be one of 'recent', 'uniform'"),
        ([2], {"window": 0}, "window must be in 1"),
        ([2], {"window": -4}, "window must be in 1"),
        ([2], {"window": 1.5}, "window must be an integer"),
        ([2], {"snapshots": 3}, "3 snapshots need the length of a window"),
        ([2], {"snapshots": 0}, "snapshots must be in 1"),
        ([2], {"snapshots": 2, "window": 1 << 62}, "window must be in 1"),
        ([2], {"inclusive": "no"}, "inclusive must be True or False"),
        ([2], {"replace": 1}, "replace must be True or False"),
        ([2], {"dedup": None}, "dedup must be True or False"),
        ([2], {"prop_time": 0}, "prop_time must be True or False"),
    ],
)
def test_samplers_that_are_none(hops, more, match):
    with pytest.raises(WeftError, match=match):
        TemporalNeighborSampler(TemporalGraph(3), hops, **more)


def test_a_graph_that_is_none():
    with pytest.raises(WeftTypeError, match="TemporalGraph"):
        TemporalNeighborSampler(np.zeros(3), [2])


@pytest.mark.parametrize(
    ("node", "time", "match"),
    [
        ([3], [1], "node 3 is not one of 3"),
        ([-1], [1], "-1 does not fit"),
        ([1, 2], [1], "differ in length"),
        ([1], [0.5], "no integer"),
        ([1], [np.nan], "no integer"),
        ([1.0], [1], "integers"),
        ([[1]], [[1]], "integers"),
    ],
)
def test_roots_that_are_none(node, time, match):
    graph = TemporalGraph(3)
    graph.append([0], [1], [5])
    for dedup in (True, False):
        with pytest.raises(WeftValueError, match=match):
            TemporalNeighborSampler(graph, [2], dedup=dedup).sample(node, time)


def test_a_difference_that_is_too_large():
    graph = TemporalGraph()
    graph.append([0], [1], [LEAST])
    sampler = TemporalNeighborSampler(graph, [2])
    assert sampler.sample([0], [-1]).hops[0].delta.tolist() == [MOST]
    with pytest.raises(WeftValueError, match="more than int64 holds"):
        sampler.sample([0], [0])


def test_nothing_to_find():
    empty = TemporalNeighborSampler(TemporalGraph(2), [3, 2]).sample([0, 1, 0], [5, 5, 5])
    assert [len(hop.row) for hop in empty.hops] == [0, 0]
    assert empty.of.tolist() == [0, 1, 0]
    none = TemporalNeighborSampler(graph_of(), [3, 2]).sample([], [])
    assert len(none.node) == len(none.hops[1].node) == 0


def test_the_second_hop_is_before_the_event_of_the_first():
    graph = TemporalGraph()
    graph.append([0, 1, 1, 1], [1, 2, 3, 4], [20, 10, 20, 30], [7, 8, 9, 6])
    first, second = TemporalNeighborSampler(graph, [5, 5]).sample([0], [40]).hops
    assert (first.eid.tolist(), first.delta.tolist()) == ([7], [20])
    assert (first.node.tolist(), first.time.tolist()) == ([1], [20])
    assert (second.eid.tolist(), second.delta.tolist(), second.node.tolist()) == ([8], [10], [2])
    _, second = TemporalNeighborSampler(graph, [5, 5], prop_time=True).sample([0], [40]).hops
    assert sorted(second.eid.tolist()) == [6, 7, 8, 9]


def test_windows_touch_and_do_not_overlap():
    graph = TemporalGraph()
    graph.append(np.zeros(40, int), np.arange(1, 41), np.arange(40))
    for inclusive in (False, True):
        sampler = TemporalNeighborSampler(graph, [50], window=10, snapshots=3, inclusive=inclusive)
        found = [window[0].eid.tolist() for window in sampler.sample([0], [35]).snapshots]
        newest = 36 if inclusive else 35
        assert found == [[*range(14, 4, -1)], [*range(24, 14, -1)], [*range(newest - 1, 24, -1)]]
    early = TemporalNeighborSampler(graph, [50], window=1 << 60, snapshots=4).sample([0], [LEAST + 5])
    assert all(len(window[0].eid) == 0 for window in early.snapshots)


@pytest.mark.parametrize("dedup", [True, False])
def test_threads_and_batches_change_nothing(dedup):
    graph, rng = graph_of(), np.random.default_rng(1)
    node, time = rng.integers(0, 60, 3000), rng.integers(0, 40, 3000) * 25
    sampler = TemporalNeighborSampler(graph, [5, 4], how="uniform", dedup=dedup)

    def tree(sampled):
        """What every root of the first hop found, and what was found from that."""
        first, second = sampled.hops
        below = np.split(second.eid, np.searchsorted(second.row, np.arange(1, len(first.node))))
        parts = [(int(e), *below[c].tolist()) for e, c in zip(first.eid, first.col, strict=True)]
        cuts = np.searchsorted(first.row, np.arange(len(sampled.node) + 1))
        return [parts[cuts[i] : cuts[i + 1]] for i in sampled.of]

    before = threads.num_threads()
    try:
        threads.set_num_threads(1)
        whole = tree(sampler.sample(node, time, seed=3))
        threads.set_num_threads(4)
        assert tree(sampler.sample(node, time, seed=3)) == whole
    finally:
        threads.set_num_threads(before)
    pieces = [tree(sampler.sample(node[i : i + 700], time[i : i + 700], seed=3)) for i in range(0, 3000, 700)]
    assert [t for piece in pieces for t in piece] == whole
    assert tree(sampler.sample(node, time, seed=4)) != whole


def test_no_event_of_the_future_or_the_moment():
    graph, rng = graph_of(), np.random.default_rng(2)
    found = TemporalNeighborSampler(graph, [9, 9], how="uniform").sample(
        rng.integers(0, 60, 500), rng.integers(0, 1000, 500)
    )
    time = found.time
    for hop in found.hops:
        assert hop.delta.min() > 0
        np.testing.assert_array_equal(time[hop.row] - hop.delta, hop.time[hop.col])
        time = hop.time


@pytest.mark.parametrize("far", [False, True])
def test_pairs(far):
    rng = np.random.default_rng(3)
    node, time = rng.integers(0, 9, 400), rng.integers(-9, 9, 400) * ((1 << 59) if far else 1)
    nodes, times, of = unique_pairs(node, time)
    pairs = sorted(set(zip(time.tolist(), node.tolist(), strict=True)))
    assert list(zip(times.tolist(), nodes.tolist(), strict=True)) == pairs
    np.testing.assert_array_equal(nodes[of], node)
    np.testing.assert_array_equal(times[of], time)
