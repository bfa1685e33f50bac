"""Learning further after a graph has changed: what is new is learned, what is old stays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft.embed import Embedding, NodeEmbedding
from weft.embed.validation import HiddenEdges
from weft.errors import BudgetError, WeftTypeError, WeftValueError
from weft.graph import Graph
from weft.sampling.holdout import hide_edges

SETTINGS = {"dim": 32, "epochs": 300, "walk_length": 10, "window": 3}


class Vectors:
    def __init__(self, *tables):
        self.tables = tables

    def vectors(self, nodes):
        return tuple(table[nodes] for table in self.tables)


@pytest.fixture(scope="module")
def grown():
    """Communities of 100; the graph before lacks a tenth of the nodes and a tenth of the other edges."""
    rng = np.random.default_rng(0)
    nodes = 1000
    src = rng.integers(0, nodes, 8000)
    dst = rng.integers(0, nodes // 10, len(src)) * 10 + src % 10
    src = np.where(rng.random(len(src)) < 0.1, rng.integers(0, nodes, len(src)), src)
    whole = Graph.from_edges(src, dst, num_nodes=nodes, self_loops="drop")
    now, hidden = hide_edges(whole, 600, seed=1)
    before = now.subgraph(np.sort(rng.permutation(nodes)[: nodes * 9 // 10]))
    before, _ = hide_edges(before, before.num_edges // 20, seed=2)
    return before, now, HiddenEdges.of(whole, hidden, seed=0)


@pytest.fixture(scope="module")
def old(grown):
    return NodeEmbedding(**SETTINGS).fit(grown[0])


def copy_of(model):
    other = NodeEmbedding(**model.get_params())
    vars(other).update(vars(model))
    return other


def in_place(model, graph):
    """Its vectors in the graph's order, at random where it has none."""
    rows = model.ids_.find(graph.ids.take(range(graph.num_nodes)))
    noise = np.random.default_rng(0).normal(size=(graph.num_nodes, 32)).astype(np.float32)
    return np.where((rows >= 0)[:, None], model.embedding_[rows], noise), rows


def test_new_edges_and_nodes_are_learned_and_old_neighbourhoods_stay(grown, old):
    _, now, hidden = grown
    model = copy_of(old).partial_fit(now, epochs=60)
    before, rows = in_place(old, now)
    assert len(model.embedding_) == 1000
    assert model.updates_ == 1
    fresh = (rows[hidden.edge_H2] < 0).any(axis=1)

    def score(vectors, which):
        some = dataclasses.replace(hidden, edge_H2=hidden.edge_H2[which], other_HC=hidden.other_HC[which])
        return some.score(Vectors(vectors, vectors))[0]

    assert fresh.sum() > 80
    # An edge to a node at random scores a half; to one that was learned, .9 within communities.
    assert score(before, fresh) < 0.6
    assert score(model.embedding_, fresh) > 0.8
    # 490 edges leave a standard error of 0.013.
    assert score(model.embedding_, ~fresh) > score(before, ~fresh) - 0.025
    assert neighbours_kept(before[rows >= 0], model.embedding_[rows >= 0]) > 0.5
    # Learned anew, the same graph gives other neighbours, for all that it knows the communities.
    anew = NodeEmbedding(**SETTINGS, seed=5).fit(now)
    assert neighbours_kept(before[rows >= 0], anew.embedding_[rows >= 0]) < neighbours_kept(
        before[rows >= 0], model.embedding_[rows >= 0]
    )


def neighbours_kept(before, after):
    """The mean share of the ten nearest nodes that are the same."""
    nearest = []
    for vectors in (before, after):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, -2)
        nearest.append(np.argsort(-cosine, axis=1)[:, :10])
    return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*map(np.ndarray.tolist, nearest), strict=True)])


def test_the_same_bits_again_and_other_draws_each_time(grown, old):
    _, now, _ = grown
    first, again = (copy_of(old).partial_fit(now, epochs=5) for _ in range(2))
    np.testing.assert_array_equal(first.embedding_, again.embedding_)
    second = copy_of(first).partial_fit(now, epochs=5)
    third = copy_of(first)
    third.updates_ = 0
    third.partial_fit(now, epochs=5)
    assert second.updates_ == 2
    assert (second.embedding_ != third.embedding_).any()


def test_parameters_stay_as_they_were(grown, old):
    model = copy_of(old)
    model.partial_fit(grown[1], epochs=2, learning_rate=0.001)
    assert model.get_params() == old.get_params()
    assert model.plan_.pairs == 2 * grown[1].num_edges // 2
    assert model.loss_history_[-1, 0] == model.plan_.pairs


def test_a_low_rate_moves_little(grown, old):
    def moved(rate):
        model = copy_of(old).partial_fit(grown[0], epochs=5, learning_rate=rate)
        return abs(model.embedding_ - old.embedding_).mean()

    assert moved(1e-9) < 1e-6
    assert moved(1e-3) < moved(1e-2)


def test_nodes_that_are_gone(grown, old):
    before, _, _ = grown
    fewer = before.subgraph(np.arange(300))
    model = copy_of(old).partial_fit(fewer, epochs=1)
    assert len(model.embedding_) == 300
    np.testing.assert_array_equal(model.ids_.take(range(300)), fewer.ids.take(range(300)))


def test_saved_vectors_go_on(grown, old, tmp_path):
    before, now, _ = grown
    saved = Embedding.of(old, before).save(tmp_path / "vectors")
    model = saved.model()
    assert model.get_params() == old.get_params()
    np.testing.assert_array_equal(
        model.partial_fit(now, epochs=5).embedding_, copy_of(old).partial_fit(now, epochs=5).embedding_
    )
    twice = Embedding.of(model, now).save(tmp_path / "twice").model()
    assert twice.updates_ == 1


def test_saved_vectors_that_cannot_go_on(grown, old, tmp_path):
    made = Embedding.of(old, grown[0])
    with pytest.raises(WeftValueError, match="lack context vectors"):
        dataclasses.replace(made, context=None).model()
    with pytest.raises(WeftValueError, match="their estimator is None"):
        dataclasses.replace(made, config={}).model()


class Stop(Exception):
    pass


def test_an_update_goes_on_where_it_stopped(grown, old, tmp_path):
    _, now, _ = grown
    whole = copy_of(old).partial_fit(now, epochs=200)
    seen, state = [], tmp_path / "state"

    def stop(*figures):
        seen.append(figures)
        if len(seen) == 3:
            raise Stop

    with pytest.raises(Stop):
        copy_of(old).set_params(on_progress=stop).partial_fit(
            now, epochs=200, checkpoint=state, every_minutes=0
        )
    other = copy_of(old)
    other.embedding_ = other.embedding_ + 1
    with pytest.raises(WeftValueError, match="vectors to begin with"):
        other.partial_fit(now, epochs=200, checkpoint=state, resume=True)
    with pytest.raises(WeftValueError, match=r"epochs=200\S* \(now 100"):
        copy_of(old).partial_fit(now, checkpoint=state, resume=True)
    again = copy_of(old).partial_fit(now, epochs=200, checkpoint=state, resume=True)
    np.testing.assert_array_equal(again.embedding_, whole.embedding_)


def test_nothing_learned_yet_is_a_fit(grown):
    graph = grown[0].subgraph(np.arange(200))
    np.testing.assert_array_equal(
        NodeEmbedding(**SETTINGS).partial_fit(graph).embedding_,
        NodeEmbedding(**SETTINGS).fit(graph).embedding_,
    )


@pytest.mark.parametrize(
    ("changes", "arguments", "error", "message"),
    [
        ({"dim": 16}, {}, WeftValueError, "have 32 dimensions, dim is 16"),
        ({}, {"epochs": 0}, WeftValueError, "epochs must be greater than 0"),
        ({}, {"epochs": "auto"}, WeftTypeError, "epochs must be a number"),
        ({}, {"learning_rate": -1}, WeftValueError, "learning_rate must be greater than 0"),
        ({"memory": "1MiB"}, {}, BudgetError, "memory allows"),
    ],
)
def test_refuses(grown, old, changes, arguments, error, message):
    model = copy_of(old).set_params(**changes)
    with pytest.raises(error, match=message):
        model.partial_fit(grown[1], **arguments)
    np.testing.assert_array_equal(model.embedding_, old.embedding_)


def test_only_graphs(old):
    with pytest.raises(WeftTypeError, match=r"weft\.Graph"):
        copy_of(old).partial_fit([[0, 1]])
