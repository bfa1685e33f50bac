"""The score on hidden edges: what it says, when it ends a run, which vectors stay."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.embed.swap.schedule import Grid, Swap
from weft.embed.validation import HiddenEdges, best, still
from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Graph
from weft.sampling.holdout import hide_edges


class Vectors:
    """Stands for a run: fixed tables."""

    def __init__(self, vertex, context):
        self.tables = vertex, context

    def vectors(self, nodes):
        return tuple(table[nodes] for table in self.tables)


def communities(nodes=600, groups=6, seed=0):
    rng = np.random.default_rng(seed)
    src = rng.integers(0, nodes, nodes * 6)
    dst = rng.integers(0, nodes // groups, len(src)) * groups + src % groups
    return Graph.from_edges(src, dst, num_nodes=nodes, self_loops="drop"), np.arange(nodes) % groups


@pytest.mark.parametrize("directed", [False, True])
def test_the_score_is_the_share_of_strangers_below(directed, monkeypatch):
    monkeypatch.setattr("weft.embed.validation._BLOCK", 7)
    rng = np.random.default_rng(0)
    vertex, context = rng.normal(size=(2, 50, 8)).astype(np.float32)
    vertex[3], edges = 0, rng.integers(0, 50, (40, 2))
    other = rng.integers(0, 50, (40, 4))
    other[::5, 2:] = -1
    hidden = HiddenEdges(edges, other, directed)
    shares = []
    for (u, v), nodes in zip(edges, other, strict=True):
        side = context if directed else vertex

        def cosine(x, u=u, side=side):
            return vertex[u] @ side[x] / max(1e-30, np.linalg.norm(vertex[u]) * np.linalg.norm(side[x]))

        versus = [cosine(x) for x in nodes if x >= 0]
        shares.append(np.mean([(cosine(v) > c) + 0.5 * (abs(cosine(v) - c) < 1e-9) for c in versus]))
    score, error = hidden.score(Vectors(vertex, context))
    assert score == pytest.approx(np.mean(shares))
    assert error == pytest.approx(np.std(shares) / 40**0.5)


def test_good_vectors_score_high_and_random_ones_do_not():
    graph, group = communities()
    rest, edges = hide_edges(graph, 200, seed=0)
    hidden = HiddenEdges.of(graph, edges, seed=0)
    assert not graph.has_edges(np.repeat(hidden.edge_H2[:, 0], 4), hidden.other_HC.ravel()).any()
    assert not rest.has_edges(*edges.T).any()
    good = np.eye(6, dtype=np.float32)[group]
    # A stranger is of the same group one time in six, less the neighbours: a tie.
    assert hidden.score(Vectors(good, good))[0] == pytest.approx(1 - 0.5 / 6, abs=0.02)
    noise = np.random.default_rng(0).normal(size=(600, 6)).astype(np.float32)
    score, error = hidden.score(Vectors(noise, noise))
    assert abs(score - 0.5) < 4 * error < 0.15


def test_nothing_to_compare_with():
    whole = Graph.from_edges(*np.triu_indices(8, 1))
    with pytest.raises(WeftValueError, match="linked to every node"):
        NodeEmbedding(epochs="auto", dim=8, validation=0.1).fit(whole)


def rows(*scores, error=0.01):
    return np.array([(10 * (at + 1), score, error) for at, score in enumerate(scores)])


@pytest.mark.parametrize(
    ("scores", "count", "kept"),
    [
        ((0.5,), 0, 10),
        ((0.5, 0.6, 0.7), 0, 30),
        ((0.5, 0.6, 0.605), 1, 30),
        ((0.5, 0.6, 0.595), 1, 30),
        ((0.5, 0.6, 0.58), 1, 20),
        ((0.5, 0.6, 0.605, 0.609, 0.612), 0, 50),
        ((0.9, 0.5, 0.6, 0.7), 3, 10),
    ],
)
def test_rising_and_the_best(scores, count, kept):
    assert still(rows(*scores)) == count
    assert best(rows(*scores)) == kept


AUTO = {"epochs": "auto", "dim": 16, "walk_length": 10, "window": 3}


def test_auto_ends_when_the_score_has_stopped_rising():
    graph, group = communities()
    model = NodeEmbedding(**AUTO).fit(graph)
    scores = model.score_history_
    ends = [n * 500 * graph.num_edges // 2 for n in (1, 3, 7)]
    assert scores[:, 0].tolist() == ends[: len(scores)]
    assert len(scores) == 2
    assert still(scores) == 1
    assert model.loss_history_[-1, 0] == scores[-1, 0] < model.plan_.pairs == ends[-1]
    assert scores[-1, 1] > 0.8
    unit = model.embedding_ / np.linalg.norm(model.embedding_, axis=1, keepdims=True)
    cosine, same = unit @ unit.T, group[:, None] == group
    assert cosine[same].mean() - cosine[~same].mean() > 0.4


def test_a_first_round_is_that_of_a_number(monkeypatch):
    """So the rounds of auto are schedules like any other."""
    graph, _ = communities(200)
    monkeypatch.setattr("weft.embed.validation.least_scores", lambda _: 1)
    monkeypatch.setattr("weft.embed.validation.still", lambda _: 9)
    settings = {**AUTO, "parts": 2, "validation": 0.05}
    first = NodeEmbedding(**settings).fit(graph)
    alone = NodeEmbedding(**{**settings, "epochs": 500}, patience=100).fit(graph)
    # Its pools are smaller where the whole run is shorter, so only the schedule is compared.
    assert first.loss_history_[-1, 0] == alone.loss_history_[-1, 0] == alone.plan_.pairs
    assert first.loss_history_[-1, 1] == pytest.approx(alone.loss_history_[-1, 1], rel=0.05)


def test_patience_ends_a_run_of_given_length():
    graph, _ = communities()
    model = NodeEmbedding(**{**AUTO, "epochs": 4000}, patience=3).fit(graph)
    assert still(model.score_history_) == 3
    assert model.loss_history_[-1, 0] == model.score_history_[-1, 0] < model.plan_.pairs
    assert len(NodeEmbedding(**{**AUTO, "epochs": 10}).fit(graph).score_history_) == 0


def test_the_best_vectors_are_kept(monkeypatch):
    """Not the last, when the score has fallen since."""
    graph, _ = communities(200)
    settings = {**AUTO, "epochs": 2000, "patience": 2}
    scores = iter([0.5, 0.7, 0.6, 0.65])
    kept = []

    def score(self, run):
        kept.append([table.copy() for table in run.vectors(np.arange(200))])
        return next(scores), 0.01

    monkeypatch.setattr(HiddenEdges, "score", score)
    model = NodeEmbedding(**settings).fit(graph)
    assert len(kept) == 4
    np.testing.assert_array_equal(model.embedding_, kept[1][0])
    np.testing.assert_array_equal(model.context_, kept[1][1])
    assert best(model.score_history_) == model.score_history_[1, 0]


class Stop(Exception):
    pass


@pytest.mark.parametrize("pools", [3, 30, 90])
@pytest.mark.parametrize("settings", [{}, {"epochs": 2500, "patience": 4}], ids=["auto", "patience"])
def test_a_scored_run_goes_on_where_it_stopped(tmp_path, pools, settings):
    graph, _ = communities(120)
    settings = {**AUTO, "parts": 2, **settings}
    whole = NodeEmbedding(**settings).fit(graph)
    seen = []

    def stop(*figures):
        seen.append(figures)
        if len(seen) == pools:
            raise Stop

    state = tmp_path / "state"
    try:
        NodeEmbedding(**settings, on_progress=stop).fit(graph, checkpoint=state, every_minutes=0)
    except Stop:
        assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]
    again = NodeEmbedding(**settings).fit(graph, checkpoint=state, resume=True)
    np.testing.assert_array_equal(again.embedding_, whole.embedding_)
    np.testing.assert_array_equal(again.context_, whole.context_)
    np.testing.assert_array_equal(again.score_history_, whole.score_history_)
    np.testing.assert_array_equal(again.loss_history_, whole.loss_history_)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": "autos"}, WeftTypeError, "epochs must be a number"),
        ({"patience": 0}, WeftValueError, "patience must be at least 1"),
        ({"patience": 1.5}, WeftTypeError, "patience must be an integer"),
        ({"validation": 0}, WeftValueError, "validation must be greater than 0"),
        ({"validation": 1}, WeftValueError, "validation must be below 1"),
    ],
)
def test_bad_settings(settings, error, message):
    with pytest.raises(error, match=message):
        NodeEmbedding(**settings).fit(communities(60)[0])


def test_scored_runs_with_tables_on_disk_are_the_same(tmp_path):
    graph, _ = communities(200)
    settings = {"epochs": 500, "patience": 3, "dim": 12, "parts": 5, "walk_length": 10, "window": 3}
    whole = NodeEmbedding(**settings).fit(graph)
    swapped = NodeEmbedding(**settings, scratch=tmp_path)
    grid = Grid(parts=5, panel=2, strip=1)
    plan = dataclasses.replace(
        swapped.plan(graph), swap=Swap(tables=True, grid=grid, capacity=1 << 16), disk=1 << 20
    )
    swapped.fit(graph, plan=plan, checkpoint=tmp_path / "state", every_minutes=0)
    np.testing.assert_array_equal(swapped.score_history_, whole.score_history_)
    np.testing.assert_array_equal(swapped.embedding_, whole.embedding_)
