"""A graph of events: what it refuses, and that nothing changes then; ids, times and memory."""

import numpy as np
import pytest

from weft.errors import WeftKeyError, WeftValueError
from weft.graph import TemporalGraph


@pytest.fixture
def graph():
    made = TemporalGraph(3)
    made.append([0, 1], [1, 2], [5, 7])
    return made


@pytest.mark.parametrize(
    ("source", "target", "time", "eid", "match"),
    [
        ([0], [1], [float("nan")], None, "nan at 0 is no integer"),
        ([0], [1], [float("inf")], None, "inf at 0"),
        ([0], [1], [0.5], None, "0.5 at 0 is no integer"),
        ([0], [1], [2.0**63], None, "at 0 is no integer of 64 bits"),
        ([0], [1], [1 << 63], None, "does not fit into int64"),
        ([0, 1], [1, 2], np.array(["2020-01-01", "NaT"], "M8[s]"), None, "1 are missing, the first at 1"),
        ([0], [1], ["noon"], None, "integers"),
        ([0, 1], [1], [1, 2], None, "differ in length"),
        ([-1], [1], [1], None, "-1 does not fit"),
        ([0], [(1 << 32) - 1], [1], None, "nodes must be below"),
        ([0, 1], [1, 2], [1, 2], [9, 9], "given twice: 9"),
        ([0], [1], [1], [1], "1 are ids of events that came before"),
        ([0], [1], [1], [8, 9], "differ in length"),
        ([0], [1], [1], [1.5], "integers"),
    ],
)
def test_events_that_are_none(graph, source, target, time, eid, match):
    with pytest.raises(WeftValueError, match=match):
        graph.append(source, target, time, eid)
    assert (graph.num_nodes, graph.num_events) == (3, 2)
    assert graph.append([0], [1], [9]).tolist() == [2]


def test_deletions_that_are_none(graph):
    with pytest.raises(WeftKeyError, match="no event has the id 2, 3"):
        graph.delete([0, 2, 3])
    with pytest.raises(WeftValueError, match="given twice: 1"):
        graph.delete([1, 1])
    with pytest.raises(WeftKeyError, match="3 is not one of 3"):
        graph.delete_node(3)
    graph.delete([1])
    with pytest.raises(WeftValueError, match="1 were deleted before, or have expired"):
        graph.delete([0, 1])
    assert graph.num_events == 1
    assert graph.expire(6) == 1
    with pytest.raises(WeftValueError, match="0 were deleted before"):
        graph.delete([0])
    assert repr(graph) == "TemporalGraph(3 nodes, 0 events, undirected)"


@pytest.mark.parametrize(
    "time",
    [
        [-5.0, 3.0],
        np.array([-5, 3], np.int16),
        np.array(["1969-12-31T23:59:55", "1970-01-01T00:00:03"], "M8[s]"),
    ],
)
def test_times(time):
    graph = TemporalGraph(2)
    graph.append([0, 0], [1, 1], time)
    drawn = graph.rows.sample([0], [100], 5)
    assert drawn.time.tolist() == [3, -5]


@pytest.mark.parametrize("directed", [False, True])
def test_whose_events_they_are(directed):
    graph = TemporalGraph(3, directed=directed)
    graph.append([0, 2, 1], [1, 2, 0], [1, 2, 3], [70, 80, 90])
    drawn = graph.rows.sample([0, 1, 2], [9, 9, 9], 9)
    ids = [graph.eids(drawn.number)[drawn.row == root].tolist() for root in range(3)]
    assert ids == ([[70], [90], [80]] if directed else [[90, 70], [90, 70], [80]])
    assert graph.delete_node(0) == 2
    assert graph.num_events == 1
    assert [len(piece.eid) for piece in graph.events()] == [1]


def test_numbers_of_more_than_32_bits(monkeypatch):
    """After so many events rows keep the low bits of a number, and ids are still those."""
    graph = TemporalGraph(2)
    graph._log.next = (1 << 32) - 3
    ids = graph.append([0] * 6, [1] * 6, np.arange(6))
    assert ids.tolist() == list(range((1 << 32) - 3, (1 << 32) + 3))
    drawn = graph.rows.sample([1], [99], 9)
    assert graph.eids(drawn.number).tolist() == ids[::-1].tolist()
    graph.delete(ids[2:4])
    assert (
        graph.snapshot().eids(graph.rows.sample([1], [99], 9).number).tolist() == ids[[5, 4, 1, 0]].tolist()
    )


def test_too_many_events_at_once():
    graph = TemporalGraph(2)
    graph.append([0], [1], [0])
    graph._log.next = 1 << 32
    with pytest.raises(WeftValueError, match="let old ones expire"):
        graph.append([0], [1], [1])


@pytest.mark.parametrize("given", [False, True])
def test_a_stream_in_a_window_of_memory(given):
    """What expires is given back, ids too: a stream that never stops takes no more than its window."""
    rng, graph, most = np.random.default_rng(0), TemporalGraph(500), 0
    for step in range(60):
        ids = rng.permutation(20_000) + 20_000 * step if given else None
        graph.append(*rng.integers(0, 500, (2, 20_000)), np.arange(20_000) + 20_000 * step, ids)
        graph.expire(20_000 * (step - 9))
        if step == 20:
            most = graph.nbytes
    assert graph.num_events == 200_000
    assert graph.nbytes < 1.25 * most


def test_a_snapshot_beside_changes():
    rng, graph = np.random.default_rng(1), TemporalGraph(50)
    graph.append(*rng.integers(0, 50, (2, 200_000)), np.sort(rng.integers(0, 1000, 200_000)))
    seen = graph.snapshot()
    root, time = np.arange(50), np.full(50, 600)
    before = seen.rows.sample(root, time, 300)
    ids = seen.eids(before.number)
    graph.delete(ids[:100])
    graph.expire(900)
    graph.append(*rng.integers(0, 60, (2, 100_000)), rng.integers(0, 1000, 100_000))
    after = seen.rows.sample(root, time, 300)
    np.testing.assert_array_equal(before.time, after.time)
    np.testing.assert_array_equal(ids, seen.eids(after.number))
    assert (seen.num_nodes, seen.num_events) == (50, 200_000)


def test_events_at_their_places():
    given = 200_000
    rng = np.random.default_rng(5)
    graph = TemporalGraph(50)
    ends, time = rng.integers(0, 50, (2, given)), rng.integers(0, 1000, given)
    ids = graph.append(*ends, time, rng.permutation(given) + 7)
    gone = np.concatenate([np.arange(65_000, 140_000), rng.choice(60_000, 20_000, replace=False)])
    graph.delete(ids[gone])
    left = np.setdiff1d(np.arange(given), gone)
    rank = rng.integers(0, len(left), 3000)
    found = graph.events_at(rank)
    np.testing.assert_array_equal(found.eid, ids[left[rank]])
    np.testing.assert_array_equal(found.time, time[left[rank]])
    np.testing.assert_array_equal(found.source, ends[0][left[rank]])
    assert len(graph.events_at([]).time) == 0


@pytest.mark.parametrize("rank", [[-1], [3], [0, 5]])
def test_places_that_are_none(rank):
    graph = TemporalGraph()
    graph.append([1, 2, 3], [4, 5, 6], [7, 8, 9])
    with pytest.raises(WeftValueError, match="places must be in"):
        graph.events_at(rank)


@pytest.mark.parametrize("wrong", [[-1], [1 << 16], [1.5], [1, 2]])
def test_types_that_are_none(graph, wrong):
    with pytest.raises(WeftValueError):
        graph.append([0], [1], [9], type=wrong)
    assert graph.num_events == 2


def test_types():
    """They come at any time, are 0 before, are those of a snapshot, and go with their events."""
    rng, graph = np.random.default_rng(2), TemporalGraph(20)
    known, ids = np.zeros(0, np.uint16), []
    for step, count in enumerate((70_000, 1000, 80_000, 0, 500)):
        kind = rng.integers(0, 1 << 16, count) if step in (1, 2, 3) else None
        if step == 1:
            seen = graph.snapshot()
        ids.append(graph.append(*rng.integers(0, 20, (2, count)), rng.integers(0, 99, count), type=kind))
        known = np.concatenate([known, np.zeros(count, np.uint16) if kind is None else kind])
    graph.delete(rng.choice(len(known), 5000, replace=False))
    for one in (graph, graph.snapshot()):
        drawn = one.rows.sample(np.arange(20), np.full(20, 50), 10_000)
        types = one.types(drawn.number)
        assert types.dtype == np.uint16
        np.testing.assert_array_equal(types, known[one.eids(drawn.number)])
        assert types.any()
    drawn = seen.rows.sample(np.arange(20), np.full(20, 50), 1000)
    assert not seen.types(drawn.number).any()
    assert graph.types(np.empty(0, np.uint32)).tolist() == []
