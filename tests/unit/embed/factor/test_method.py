"""Factorisations through the estimator: odd input, the same bits, no checkpoints, and what comes out."""

from __future__ import annotations

import math
import os
import signal
import time

import numpy as np
import pytest
import threadpoolctl

import weft
from weft.embed import Embedding, FactorPlan, NodeEmbedding
from weft.embed.factor import run
from weft.errors import BudgetError, WeftTypeError, WeftValueError
from weft.graph import Graph

METHODS = pytest.mark.parametrize("method", ["prone", "lightne"])
SMALL = {"prone": {"dim": 24}, "lightne": {"dim": 24, "samples": 5.0}}


def planted(nodes=400, groups=4, inside=10, outside=1, seed=0, **kind):
    rng = np.random.default_rng(seed)
    group = np.arange(nodes) % groups
    src = rng.integers(0, nodes, nodes * (inside + outside) // 2)
    dst = rng.integers(0, nodes // groups, len(src)) * groups + group[src]
    away = rng.random(len(src)) < outside / (inside + outside)
    dst[away] = rng.integers(0, nodes, int(away.sum()))
    return Graph.from_edges(src, dst, num_nodes=nodes, self_loops="drop", **kind), group


def margin(unit, group):
    """Mean cosine within groups minus that across them."""
    cosine, same = unit @ unit.T, group[:, None] == group[None, :]
    np.fill_diagonal(same, False)
    return cosine[same].mean() - cosine[group[:, None] != group[None, :]].mean()


@METHODS
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("samples", 0, WeftValueError),
        ("samples", -1.0, WeftValueError),
        ("samples", math.nan, WeftValueError),
        ("samples", math.inf, WeftValueError),
        ("samples", "many", WeftValueError),
        ("samples", True, WeftTypeError),
        ("propagate", 1, WeftTypeError),
        ("propagate", None, WeftTypeError),
        ("window", 0, WeftValueError),
        ("dim", 0, WeftValueError),
        ("seed", -1, WeftValueError),
    ],
)
def test_parameters_are_checked_at_fit(method, name, value, error):
    model = NodeEmbedding(**{"method": method, name: value})
    with pytest.raises(error, match=name):
        model.fit(planted(20)[0])
    assert not hasattr(model, "embedding_")


@pytest.mark.parametrize(("name", "value"), [("samples", 1e300), ("window", 1 << 40)])
def test_what_no_machine_could_walk(name, value):
    with pytest.raises((WeftValueError, BudgetError), match=r"samples|window"):
        NodeEmbedding(**{"method": "lightne", "dim": 8, "memory": "64GiB", name: value}).fit(planted(20)[0])


@METHODS
def test_no_edges(method):
    with pytest.raises(WeftValueError, match="5 nodes and no edges"):
        NodeEmbedding(method=method).fit(Graph.from_edges([], [], num_nodes=5))
    with pytest.raises(WeftTypeError, match=r"weft\.Graph \(got list\)"):
        NodeEmbedding(method=method).fit([[0, 1]])


@METHODS
def test_weights_of_zero(method):
    with pytest.raises(WeftValueError, match="weigh 0"):
        NodeEmbedding(method=method).fit(Graph.from_edges([0, 1], [1, 2], [0.0, 0.0]))


def odd_graphs():
    yield "one node", Graph.from_edges([0], [0], num_nodes=1)
    yield "isolated", Graph.from_edges([1, 2, 4], [2, 4, 1], num_nodes=7)
    yield "few edges", Graph.from_edges(np.arange(0, 200, 2), np.arange(1, 200, 2), num_nodes=600)
    yield "star", Graph.from_edges(np.zeros(3000, int), np.arange(1, 3001))
    yield "star outwards", Graph.from_edges(np.zeros(99, int), np.arange(1, 100), directed=True)
    yield "path", Graph.from_edges(np.arange(9), np.arange(1, 10), directed=True)
    yield "twice", Graph.from_edges([0, 0, 0, 1, 2], [1, 1, 1, 2, 2], num_nodes=3, duplicates="keep")
    yield "partly weighed", Graph.from_edges([0, 1, 2], [1, 2, 3], [1.0, 0.0, 1e-30], num_nodes=4)


@METHODS
@pytest.mark.parametrize(("name", "graph"), [pytest.param(n, g, id=n) for n, g in odd_graphs()])
def test_odd_graphs(method, name, graph):
    for changes in ({}, {"dim": 1}, {"dim": 19}, {"propagate": False}):
        model = NodeEmbedding(**{"method": method, **SMALL[method], **changes})
        assert model.estimate(graph, model.plan(graph)).seconds > 0
        found = model.fit(graph).embedding_
        assert found.shape == (graph.num_nodes, model.dim)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        assert np.isfinite(found).all()
        alone = graph.degree() == 0
        assert not found[alone].any()
        assert model.untrained_ == alone.sum()


@METHODS
@pytest.mark.parametrize("directed", [False, True])
def test_groups_separate(method, directed):
    graph, group = planted(directed=directed)
    model = NodeEmbedding(method=method, dim=32).fit(graph)
    # Vectors without groups are at 0; by direction each node has half the edges.
    assert margin(model.embedding_, group) > (0.2 if directed else 0.3)
    assert model.context_ is None
    assert model.loss_history_.shape == (0, 2)
    assert model.score_history_.shape == (0, 3)
    assert model.updates_ == 0
    assert isinstance(model.plan_, FactorPlan)


@METHODS
@pytest.mark.parametrize("directed", [False, True])
def test_threads_do_not_show(method, directed):
    graph, _ = planted(9000, directed=directed)  # several pieces of 4096 rows
    results = set()
    for count in (1, 2, 4):
        weft.set_num_threads(count)
        results.add(NodeEmbedding(method=method, **SMALL[method]).fit_transform(graph).tobytes())
    assert len(results) == 1


def test_threads_of_blas_do_not_show():
    graph, _ = planted(3000)
    before = threadpoolctl.threadpool_info()
    results = set()
    for count in (1, 3):
        with threadpoolctl.threadpool_limits(count, user_api="blas"):
            results.add(NodeEmbedding(method="prone", dim=100).fit_transform(graph).tobytes())
    assert len(results) == 1
    assert threadpoolctl.threadpool_info() == before


@METHODS
def test_the_seed_decides(method):
    graph, _ = planted()
    first = NodeEmbedding(method=method, **SMALL[method]).fit_transform(graph)
    again, other = (
        NodeEmbedding(method=method, **SMALL[method], seed=seed).fit_transform(graph) for seed in (0, 1)
    )
    np.testing.assert_array_equal(again, first)
    assert (other != first).any()


def test_window_samples_and_propagation_decide():
    graph, _ = planted()
    found = [
        NodeEmbedding(**{"method": "lightne", **SMALL["lightne"], **changes}).fit_transform(graph).tobytes()
        for changes in ({}, {"window": 2}, {"window": 7}, {"samples": 6}, {"propagate": False})
    ]
    assert len(set(found)) == len(found)
    edges = [
        NodeEmbedding(**{"method": "prone", **SMALL["prone"], **changes}).fit_transform(graph).tobytes()
        for changes in ({}, {"propagate": False})
    ]
    assert edges[0] != edges[1]


@METHODS
def test_a_plan_is_kept_and_one_of_others_refused(method):
    graph, _ = planted()
    model = NodeEmbedding(method=method, **SMALL[method])
    plan = model.plan(graph)
    assert model.fit(graph, plan=plan).plan_ is plan
    trained = NodeEmbedding(dim=24)
    others = (
        trained.plan(graph),
        model.plan(planted(100)[0]),
        NodeEmbedding(**{"method": method, **SMALL[method], "dim": 64}).plan(graph),
    )
    for other in others:
        with pytest.raises(WeftValueError, match=r"the plan is of another method, graph or dim"):
            model.fit(graph, plan=other)
    for change in (
        {"propagate": False},
        {"method": "prone" if method == "lightne" else "lightne", "samples": None},
    ):
        with pytest.raises(WeftValueError, match=r"the plan is of other parameters than method="):
            NodeEmbedding(**{"method": method, **SMALL[method], **change}).fit(graph, plan=plan)
    if method == "lightne":
        for change in ({"window": 2}, {"samples": 6}):
            with pytest.raises(WeftValueError, match=r"the plan is of other parameters than method="):
                NodeEmbedding(**{"method": method, **SMALL[method], **change}).fit(graph, plan=plan)
    with pytest.raises(WeftValueError, match=r"the plan is of another method than deepwalk"):
        trained.fit(graph, plan=plan)


@METHODS
def test_budget(method, monkeypatch):
    graph, _ = planted()
    with pytest.raises(BudgetError, match=r"400 nodes at dim=24 by .* memory allows 20\.0 KiB"):
        NodeEmbedding(method=method, **SMALL[method], memory="20KiB").fit(graph)
    monkeypatch.setattr(run, "resident", lambda: 0)
    plan = NodeEmbedding(method=method, **SMALL[method], memory="64GiB").plan(graph)
    tight = NodeEmbedding(method=method, **SMALL[method], memory=plan.bytes)
    np.testing.assert_array_equal(
        tight.fit_transform(graph), NodeEmbedding(method=method, **SMALL[method]).fit_transform(graph)
    )
    with pytest.raises(BudgetError):
        tight.set_params(memory=plan.bytes // 2).plan(graph)


@METHODS
def test_no_checkpoint(method, tmp_path):
    graph, _ = planted(50)
    model = NodeEmbedding(method=method, **SMALL[method])
    for given in ({"checkpoint": tmp_path / "state"}, {"resume": True}):
        with pytest.raises(WeftValueError, match=f"{method} keeps no checkpoint .* leave checkpoint"):
            model.fit(graph, **given)
    assert list(tmp_path.iterdir()) == []


@METHODS
def test_learning_further_is_refused(method):
    graph, _ = planted(50)
    model = NodeEmbedding(method=method, **SMALL[method])
    for _ in range(2):
        with pytest.raises(WeftValueError, match=f"{method} computes its vectors whole.*use fit"):
            model.partial_fit(graph)
        model.fit(graph)
    with pytest.raises(WeftValueError, match=r"deepwalk goes on from .* context vectors.*use fit"):
        model.set_params(method="deepwalk", samples=None).partial_fit(graph)


@METHODS
def test_progress(method, capsys):
    graph, _ = planted(100)
    seen = []
    model = NodeEmbedding(
        method=method, **SMALL[method], progress=True, on_progress=lambda *figures: seen.append(figures)
    ).fit(graph)
    assert [done for done, _, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total, _ in seen} == {len(seen)}
    assert all(math.isnan(loss) for _, _, loss in seen)
    shown = capsys.readouterr().err
    assert "embed: 100%" in shown
    assert f"{len(seen)}/{len(seen)}" in shown
    model.set_params(progress=False).fit(graph)
    assert capsys.readouterr().err == ""


@METHODS
def test_an_interrupt_ends_it(method):
    graph, _ = planted(3000)
    before = threadpoolctl.threadpool_info()
    seen = []

    def stop(done, total, loss):
        seen.append(done)
        if done == 3:
            os.kill(os.getpid(), signal.SIGINT)

    model = NodeEmbedding(method=method, **SMALL[method], on_progress=stop)
    with pytest.raises(KeyboardInterrupt):
        model.fit(graph)
    assert len(seen) < 6
    assert not hasattr(model, "embedding_")
    assert threadpoolctl.threadpool_info() == before
    whole = model.set_params(on_progress=None).fit_transform(graph)
    np.testing.assert_array_equal(whole, NodeEmbedding(method=method, **SMALL[method]).fit_transform(graph))


@METHODS
def test_estimate(method):
    graph, _ = planted(20_000)
    model = NodeEmbedding(method=method)
    plan = model.plan(graph)
    estimate = model.estimate(graph, plan)
    assert estimate.pairs is None
    assert estimate.bandwidth is None
    # Of one machine on one day: within a factor that only nonsense exceeds.
    begun = time.perf_counter()
    model.fit(graph, plan=plan)
    assert 0.02 < estimate.seconds / (time.perf_counter() - begun) < 50


@METHODS
def test_on_disk_and_back(method, tmp_path):
    graph, _ = planted(60)
    model = NodeEmbedding(method=method, **SMALL[method]).fit(graph)
    made = Embedding.of(model, graph).save(tmp_path / "vectors")
    again = Embedding.open(tmp_path / "vectors", verify=True)
    np.testing.assert_array_equal(again.vectors, model.embedding_)
    assert again.context is None
    assert len(again.history) == len(again.scores) == 0
    assert again.config["method"] == method
    assert again.config["window_used"] == model.plan_.window
    assert again.config["samples_used"] == model.plan_.samples == (5.0 if method == "lightne" else 0.0)
    assert method in repr(made)
    with pytest.raises(WeftValueError, match=f"{method} computes vectors whole; embed the graph"):
        again.model()
