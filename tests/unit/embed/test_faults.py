"""Graphs that break other programs: learned, stopped, resumed and updated; or refused with a reason."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import weft
from weft.embed import NodeEmbedding
from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Graph


def star(directed=False):
    """One hub, to or from which every edge leads."""
    leaves = np.arange(1, 20_001)
    return Graph.from_edges(np.zeros(20_000, np.int64), leaves, num_nodes=20_001, directed=directed)


def sparse():
    """100 edges among 2,000 nodes: most are isolated."""
    return Graph.from_edges(np.arange(0, 200, 2), np.arange(1, 200, 2), num_nodes=2000)


def chains():
    """Paths of three edges, one way: walks end after at most three steps."""
    src = np.arange(8000)
    src = src[src % 4 < 3]
    return Graph.from_edges(src, src + 1, num_nodes=8000, directed=True)


GRAPHS = {
    "one node": lambda: Graph.from_edges([0], [0], num_nodes=1),
    "one edge": lambda: Graph.from_edges([0], [1]),
    "sparse": sparse,
    "star": star,
    "directed star": lambda: star(directed=True),
    "chains": chains,
    "weights": lambda: Graph.from_edges(
        [0, 1, 2, 3], [1, 2, 3, 0], np.array([1e-30, 1e30, 1, 0], np.float32)
    ),
}


class Stop(Exception):
    pass


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("dim", [1, 19])
def test_learned_stopped_resumed_and_updated(name, dim, tmp_path):
    graph = GRAPHS[name]()
    settings = {"dim": dim, "epochs": 3 if graph.num_nodes > 5000 else 9000, "walk_length": 10}
    weft.set_num_threads(1)
    whole = NodeEmbedding(**settings).fit(graph)
    assert whole.embedding_.shape == (graph.num_nodes, dim)
    assert np.isfinite(whole.embedding_).all()
    assert whole.untrained_ == np.count_nonzero(graph.degree() == 0)
    assert whole.loss_history_[-1, 0] == whole.plan_.pairs
    weft.set_num_threads(3)

    def stop(*figures):
        raise Stop

    # Ends after the first pool: there is no checkpoint of it yet, or the run is over.
    with pytest.raises(Stop):
        NodeEmbedding(**settings, on_progress=stop).fit(graph, checkpoint=tmp_path / "c", every_minutes=0)
    seen = []

    def stop_later(*figures):
        seen.append(figures)
        if len(seen) == 2:
            raise Stop

    with contextlib.suppress(Stop):
        NodeEmbedding(**settings, on_progress=stop_later).fit(
            graph, checkpoint=tmp_path / "c", every_minutes=0, resume=True
        )
    again = NodeEmbedding(**settings).fit(graph, checkpoint=tmp_path / "c", resume=True)
    np.testing.assert_array_equal(again.embedding_, whole.embedding_)
    np.testing.assert_array_equal(again.context_, whole.context_)
    assert np.isfinite(again.partial_fit(graph, epochs=1).embedding_).all()


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("epochs", [5, "auto"])
def test_weights_that_are_all_zero(directed, epochs):
    src = np.arange(40)
    graph = Graph.from_edges(src, (src + 1) % 40, np.zeros(40, np.float32), directed=directed)
    with pytest.raises(
        WeftValueError, match=r"only edges of weight zero .*; drop them or give one a weight|cannot hide any"
    ):
        NodeEmbedding(dim=8, epochs=epochs).fit(graph)


def test_auto_on_graphs_with_nothing_to_hide():
    for graph in (star(), sparse(), GRAPHS["one node"]()):
        with pytest.raises(WeftValueError, match=r"cannot hide any of .* edges: each is the last of a node"):
            NodeEmbedding(dim=8, epochs="auto").fit(graph)


def test_divergence_in_a_resumed_run_and_an_update(tmp_path):
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(*rng.integers(0, 100, (2, 500)))
    model = NodeEmbedding(dim=8, epochs=5).fit(graph)
    before = model.embedding_.copy()
    with pytest.raises(WeftValueError, match=r"diverged .* learning_rate=1e\+30; try learning_rate=0\.025"):
        model.partial_fit(graph, learning_rate=1e30)
    np.testing.assert_array_equal(model.embedding_, before)
    with pytest.raises(WeftValueError, match="diverged"):
        NodeEmbedding(dim=8, learning_rate=1e30).fit(graph, checkpoint=tmp_path / "c", every_minutes=0)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("planned", "changes", "message"),
    [
        ({}, {"dim": 40}, r"width 16 \(now 48\)"),
        ({}, {"epochs": 4}, r"pairs 8\d\d \(now 1,\d\d\d\);"),
        ({}, {"epochs": "auto"}, r"pairs 8\d\d \(now 955,500\);"),
        ({}, {"walk_length": 7}, r"length 40 \(now 7\);"),
        ({}, {"window": 2}, r"window \d \(now 2\);"),
        ({}, {"parts": 3}, r"parts 1 \(now 3\);"),
        ({"method": "line"}, {"order": 1}, r"tables 2 \(now 1\)"),
        ({"method": "line", "order": "both"}, {"order": 2}, r"tables 3 \(now 2\)"),
        ({"method": "line", "order": "both"}, {"dim": 50}, r"width 16 \(now 32\)"),
    ],
)
def test_a_plan_of_other_parameters(planned, changes, message):
    graph = Graph.from_edges(*np.random.default_rng(0).integers(0, 50, (2, 300)), num_nodes=60)
    plan = NodeEmbedding(dim=4, epochs=3, **planned).plan(graph)
    model = NodeEmbedding(**{"dim": 4, "epochs": 3, **planned, **changes})
    with pytest.raises(WeftValueError, match=rf"fit: the plan is of another .*: {message}") as refused:
        model.fit(graph, plan=plan)
    assert "give what plan(graph) says now" in str(refused.value)


def test_a_plan_of_another_graph():
    small, large = (Graph.from_edges([0, 1], [1, 2], num_nodes=count) for count in (3, 30))
    model = NodeEmbedding(dim=4, epochs=3)
    for graph, other in ((small, large), (large, small)):
        with pytest.raises(WeftValueError, match=rf"nodes {other.num_nodes} \(now {graph.num_nodes}\)"):
            model.fit(graph, plan=model.plan(other))


def test_a_checkpoint_that_is_no_path():
    graph = Graph.from_edges([0, 1], [1, 2])
    with pytest.raises(WeftTypeError, match=r"checkpoint must be a folder \(got 3\)"):
        NodeEmbedding(dim=4, epochs=1).fit(graph, checkpoint=3)
