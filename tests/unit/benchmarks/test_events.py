import numpy as np
import pytest
from benchmarks.events import TCSR, Stream, batches_of, rmat_events, roots
from benchmarks.segments import Segments, compiled

from weft.graph import TemporalGraph


def test_a_tcsr_draws_what_the_graph_draws():
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, 40, (2, 3000)).astype(np.uint32)
    stream = Stream(source, target, rng.integers(-50, 900, 3000))
    plain, graph = TCSR.build(stream, 40), TemporalGraph(40)
    for piece in batches_of(stream, 700):
        graph.append(*piece)
    root, at = rng.integers(0, 40, 200).astype(np.uint32), rng.integers(-60, 950, 200)
    edges, time = plain.sample(root, at, 10, "recent", rng)
    drawn = graph.rows.sample(root, at, 10)
    np.testing.assert_array_equal(edges.row, drawn.row)
    np.testing.assert_array_equal(edges.node, drawn.node)
    np.testing.assert_array_equal(edges.eid, graph.eids(drawn.number))
    np.testing.assert_array_equal(time, drawn.time)
    np.testing.assert_array_equal(edges.since, at[edges.row] - time)
    edges, time = plain.sample(root, at, 10, "uniform", rng)
    drawn = graph.rows.sample(root, at, 10, how="uniform")
    np.testing.assert_array_equal(edges.row, drawn.row)
    assert (time < at[edges.row]).all()
    np.testing.assert_array_equal(np.sort(stream.time[edges.eid]), np.sort(time))


def test_roots_are_where_they_should_be():
    stream = rmat_events(8, 16, late=0.05)
    assert 0.02 < np.mean(np.diff(stream.time) < 0) < 0.06
    stream = rmat_events(8, 16)
    for node, time in roots(stream, "head", 20, 3, 256):
        assert len(node) == len(time) == 60
        np.testing.assert_array_equal(np.diff(time[:20]), 1)
        assert time.min() >= 0.94 * len(stream.time)
        np.testing.assert_array_equal(node[:20], stream.source[time[:20]])
        np.testing.assert_array_equal(node[20:40], stream.target[time[:20]])
    for _, time in roots(stream, "spread", 20, 3, 256):
        assert time.min() >= len(stream.time) // 2
        assert (np.diff(time[:20]) != 1).any()


@pytest.mark.parametrize("late", [False, True])
def test_segments_hold_what_the_graph_holds(tmp_path, late):
    library = compiled(tmp_path)
    if library is None:
        pytest.skip("needs a C++ compiler")
    rng = np.random.default_rng(1)
    time = np.arange(5000) - late * rng.integers(0, 200, 5000)
    stream = Stream(*rng.integers(0, 90, (2, 5000)).astype(np.uint32), time)
    log, graph, small = Segments(library, 90), TemporalGraph(90), Segments(library, 90)
    for piece in batches_of(stream, 5000):
        log.append(piece)
        graph.append(*piece)
    for piece in batches_of(stream, 17):  # some segments have a few nodes, others all
        small.append(piece)
    assert len(small) > 3
    root, at = np.arange(90, dtype=np.uint32), rng.integers(0, 6000, 90)
    drawn = graph.rows.sample(root, at, 20)
    for name, ours in zip(drawn._fields, log.sample(root, at, 20, uniform=False), strict=True):
        np.testing.assert_array_equal(ours, getattr(drawn, name))
    if not late:
        for name, ours in zip(drawn._fields, small.sample(root, at, 20, uniform=False), strict=True):
            np.testing.assert_array_equal(ours, getattr(drawn, name))
    any_, wanted = log.sample(root, at, 20, uniform=True), graph.rows.sample(root, at, 20, how="uniform")
    np.testing.assert_array_equal(any_[0], wanted.row)
    assert (any_[3] < at[any_[0]]).all()
    np.testing.assert_array_equal(any_[3], stream.time[any_[2]])
    assert all(len(np.unique(any_[2][any_[0] == n])) == (any_[0] == n).sum() for n in range(90))
