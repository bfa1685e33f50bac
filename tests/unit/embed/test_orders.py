"""LINE's orders of proximity: what each learns, and that both are trained as each alone would be."""

from __future__ import annotations

import dataclasses
import weakref
from typing import ClassVar

import numpy as np
import pytest

from weft.embed import Embedding, NodeEmbedding
from weft.embed.batches import MemoryBatches
from weft.embed.orders import BothOrders
from weft.embed.placement import Deals
from weft.embed.plan import make_plan, row_width
from weft.embed.run import Run, Settings, complete
from weft.errors import BudgetError, WeftValueError
from weft.graph import Graph
from weft.kernels.threads import num_threads, set_num_threads

PAIRS = 40_000
LINE = {"method": "line", "dim": 18, "epochs": 200, "parts": 3}


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    return Graph.from_edges(*rng.integers(0, 60, (2, 200)), num_nodes=70, directed=True)


class Columns:
    """The same random numbers, as many of them as a run asks for."""

    def __init__(self, begin, end):
        self.columns = slice(begin, end)

    def vectors(self, first, count):
        tables = np.random.default_rng(0).normal(scale=0.1, size=(2, 70, 18)).astype(np.float32)
        return tuple(table[first : first + count, self.columns] for table in tables)


def settings(order, dim):
    return Settings(
        dim=dim,
        num_negatives=2,
        negative_weight=5.0,
        learning_rate=0.025,
        weight_decay=0.0,
        seed=7,
        rounds=(PAIRS,),
        order=order,
    )


def run_of(graph, order, begin, end):
    # Of the same pools and with the same deals as the first order, what the second has nothing of by itself.
    plan = make_plan(graph, dim=end - begin, pairs=PAIRS, length=1, window=1, tables=1, parts=3)
    tables = {1: 1, 2: 2, "both": 3}[order]
    plan = dataclasses.replace(plan, tables=tables, width=row_width(end - begin, tables))
    run = Run(graph, plan, settings(order, end - begin))
    run.begin(Columns(begin, end))
    complete(run, [])
    return run


def test_both_orders_are_trained_as_each_alone(graph, monkeypatch):
    monkeypatch.setattr("weft.embed.run.Deals", lambda graph, plan, key: Deals(graph, plan, 5))
    both = run_of(graph, "both", 0, 18)
    first, second = run_of(graph, 1, 0, 9), run_of(graph, 2, 9, 18)
    some = both.vectors(np.array([5, 0, 69]))
    losses = (first.history[:, 1] + second.history[:, 1]) / 2
    np.testing.assert_allclose(both.history[:, 1], losses, rtol=1e-12)
    vertex, context = both.finish()
    (one, one_again), (two, other) = first.finish(), second.finish()
    assert one is one_again
    np.testing.assert_array_equal(vertex, np.concatenate([one, two], axis=1))
    np.testing.assert_array_equal(context, np.concatenate([one, other], axis=1))
    np.testing.assert_array_equal(some, np.stack([vertex, context])[:, [5, 0, 69]])


@pytest.mark.parametrize("order", [1, "both"])
def test_threads_and_interruptions_leave_no_trace(graph, order, tmp_path):
    whole = NodeEmbedding(**LINE, order=order).fit(graph)
    threads = num_threads()
    try:
        set_num_threads(3)
        several = NodeEmbedding(**LINE, order=order).fit(graph)
    finally:
        set_num_threads(threads)
    np.testing.assert_array_equal(several.embedding_, whole.embedding_)

    class Stop(Exception):
        pass

    def stop(done, total, loss):
        if done > total / 2:
            raise Stop

    place = tmp_path / "state"
    with pytest.raises(Stop):
        NodeEmbedding(**LINE, order=order, on_progress=stop).fit(graph, checkpoint=place, every_minutes=0)
    resumed = NodeEmbedding(**LINE, order=order).fit(graph, checkpoint=place, resume=True)
    np.testing.assert_array_equal(resumed.embedding_, whole.embedding_)
    np.testing.assert_array_equal(resumed.context_, whole.context_)


def test_what_each_order_brings_together():
    """Two sides, linked across: nodes of a side are near in the second order, linked ones in the first."""
    rng = np.random.default_rng(0)
    src, dst = rng.integers(0, 100, 1000), rng.integers(100, 200, 1000)
    graph = Graph.from_edges(src, dst, num_nodes=200)

    def nearness(order):
        vectors = NodeEmbedding(method="line", order=order, dim=16, epochs=300).fit_transform(graph)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosine = unit @ unit.T
        return cosine[:100, :100].mean(), cosine[:100, 100:].mean(), cosine[src, dst].mean()

    side, across, linked = nearness(2)
    assert side > across + 0.2
    side, across, linked = nearness(1)
    assert linked > across + 0.2
    assert linked > side + 0.2


def test_the_first_order_learns_as_well_in_parts():
    """LINE's objective itself, of all nodes: 4.159 before; fixed parts would leave it at 4.4."""
    rng = np.random.default_rng(0)
    nodes, groups = 1000, 20
    src = rng.integers(0, nodes, 8000)
    dst = np.where(rng.random(8000) < 0.8, rng.integers(0, nodes // groups, 8000) * groups + src % groups, 0)
    dst = np.where(dst, dst, rng.integers(0, nodes, 8000))
    graph = Graph.from_edges(src, dst, num_nodes=nodes)
    noise_N = graph.degree() ** 0.75
    noise_B = rng.choice(nodes, 8000, p=noise_N / noise_N.sum())

    def loss(parts):
        model = NodeEmbedding(method="line", order=1, dim=32, epochs=400, parts=parts).fit(graph)
        vectors = model.embedding_.astype(np.float64)
        linked = (vectors[src] * vectors[dst]).sum(axis=1)
        apart = (vectors[src] * vectors[noise_B]).sum(axis=1)
        return np.logaddexp(0, -linked).mean() + 5 * np.logaddexp(0, apart).mean()

    whole = loss(1)
    print(whole, loss(8))
    assert whole < 3.9
    assert loss(8) < whole + 0.05


@pytest.mark.parametrize("order", [1, "both"])
def test_the_best_vectors_stay(graph, order, monkeypatch):
    """Those of the second score come back, though later pools had other deals."""
    seen = {}
    step = Run.step

    def watched(run):
        done = step(run)
        seen[run.pairs] = run.vectors(np.arange(70))
        return done

    monkeypatch.setattr(Run, "step", watched)
    monkeypatch.setattr("weft.embed.validation.best", lambda scores: scores[:2][-1, 0])
    monkeypatch.setattr("weft.embed.validation.still", lambda scores: 0)
    model = NodeEmbedding(**LINE, order=order, patience=2).fit(graph)
    assert len(model.score_history_) > 3
    assert len(seen) > 3
    vertex, context = seen[model.score_history_[1, 0]]
    np.testing.assert_array_equal(model.embedding_, vertex)
    np.testing.assert_array_equal(model.context_, context)
    assert (vertex != seen[max(seen)][0]).any()


@pytest.mark.parametrize("order", [1, "both"])
def test_saved_and_learned_further(graph, order, tmp_path):
    model = NodeEmbedding(**LINE, order=order).fit(graph)
    opened = Embedding.of(model, graph).save(tmp_path / "vectors")
    assert (tmp_path / "vectors" / "context.npy").exists() == (order == "both")
    np.testing.assert_array_equal(opened.context, model.context_)
    further = opened.model().partial_fit(graph, epochs=5)
    np.testing.assert_array_equal(further.embedding_, model.partial_fit(graph, epochs=5).embedding_)


def test_the_first_order_must_fit(graph, monkeypatch):
    monkeypatch.setattr("weft.embed.plan.resident", lambda: 0)
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(*rng.integers(0, 300_000, (2, 600_000)), num_nodes=300_000)
    memory = "200MiB"
    assert NodeEmbedding(method="line", dim=64, memory=memory, epochs=100).plan(graph).swap is not None
    for order in (1, "both"):
        with pytest.raises(BudgetError, match=r"first order.* memory allows 200\.0 MiB.*order=2"):
            NodeEmbedding(method="line", dim=64, memory=memory, epochs=100, order=order).plan(graph)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"order": 3}, r"order must be one of 1, 2, 'both' \(got 3\)"),
        ({"order": True}, "got True"),
        ({"order": "both", "dim": 1}, "half of dim"),
    ],
)
def test_orders_there_are_not(graph, changes, match):
    with pytest.raises(WeftValueError, match=match):
        NodeEmbedding(**{**LINE, **changes}).fit(graph)


def test_pairs_are_gone_when_vectors_are_put_side_by_side(graph, monkeypatch):
    class Watched(MemoryBatches):
        made: ClassVar[list[weakref.ref]] = []

        def __init__(self, plan):
            super().__init__(plan)
            self.made.append(weakref.ref(self))

    monkeypatch.setattr("weft.embed.run.MemoryBatches", Watched)
    run, there = run_of(graph, "both", 0, 18), []
    vectors = BothOrders.vectors

    def spying(tables, nodes):
        there.append(Watched.made[0]() is not None)
        return vectors(tables, nodes)

    monkeypatch.setattr(BothOrders, "vectors", spying)
    run.vectors(np.array([0]))
    run.finish()
    assert there == [True, False]
