"""The estimator: its contract, what it refuses, odd graphs, and that it learns."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
import shutil
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import weft
from weft.embed import Embedding, NodeEmbedding, room
from weft.embed import plan as plan_module
from weft.embed.methods import own
from weft.embed.start import initial_vectors
from weft.errors import BudgetError, NotFittedError, StorageError, WeftTypeError, WeftValueError
from weft.graph import Graph

SMALL = {"dim": 16, "epochs": 20, "walk_length": 10}


def planted(nodes=400, groups=4, inside=10, outside=1, seed=0):
    """A graph in which a node has about ``inside`` edges within its group and ``outside`` beyond."""
    rng = np.random.default_rng(seed)
    group = np.arange(nodes) % groups
    src = rng.integers(0, nodes, nodes * (inside + outside) // 2)
    dst = rng.integers(0, nodes // groups, len(src)) * groups + group[src]
    away = rng.random(len(src)) < outside / (inside + outside)
    dst[away] = rng.integers(0, nodes, int(away.sum()))
    return Graph.from_edges(src, dst, num_nodes=nodes, self_loops="drop"), group


def margin(vectors, group):
    """Mean cosine within groups minus that across them."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine, same = unit @ unit.T, group[:, None] == group[None, :]
    np.fill_diagonal(same, False)
    across = group[:, None] != group[None, :]
    return cosine[same].mean() - cosine[across].mean()


@pytest.mark.parametrize(("method", "apart"), [("deepwalk", 0.5), ("line", 0.3)])
def test_groups_separate_and_the_loss_falls(method, apart):
    graph, group = planted()
    model = NodeEmbedding(method=method, dim=32, epochs=200).fit(graph)
    # Before training it is 0, within 0.02.
    assert margin(model.embedding_, group) > apart
    pairs, loss = model.loss_history_.T
    assert (np.diff(pairs) > 0).all()
    assert pairs[-1] == model.plan_.pairs
    assert loss[-1] < loss[0] - 0.2


@pytest.mark.parametrize("method", ["deepwalk", "line"])
@pytest.mark.parametrize("directed", [False, True])
def test_threads_do_not_show(method, directed):
    graph, _ = planted(2100)
    if directed:
        graph = Graph.from_edges(*edges_of(graph), num_nodes=graph.num_nodes, directed=True)
    results = []
    for count in (1, 2, 4):
        weft.set_num_threads(count)
        model = NodeEmbedding(**own(method, {"method": method, **SMALL})).fit(graph)
        assert model.plan_.parts > 1
        results.append((model.embedding_.tobytes(), model.context_.tobytes(), model.loss_history_.tobytes()))
    assert results[0] == results[1] == results[2]


def edges_of(graph):
    src = np.repeat(np.arange(graph.num_nodes), graph.degree())
    return src, graph.indices.astype(np.int64)


def test_seed_decides():
    graph, _ = planted(100)
    first, again, other = (NodeEmbedding(seed=s, **SMALL).fit_transform(graph) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_result_shapes():
    graph, _ = planted(100)
    model = NodeEmbedding(**{**SMALL, "dim": 19}).fit(graph)
    for array in (model.embedding_, model.context_):
        assert array.shape == (100, 19)
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
        assert array.flags.c_contiguous
    assert model.untrained_ == 0


def test_isolated_nodes_keep_their_initial_vector():
    graph = Graph.from_edges([1, 2, 4], [2, 4, 1], num_nodes=7)
    model = NodeEmbedding(**SMALL).fit(graph)
    start = initial_vectors(0, 7, 16, seed=0)
    same = (model.embedding_ == start).all(axis=1)
    np.testing.assert_array_equal(same, [True, False, False, True, False, True, True])
    assert model.untrained_ == 4


def test_initial_vectors_do_not_depend_on_the_split():
    whole = initial_vectors(0, 50, 10, seed=9)
    np.testing.assert_array_equal(whole[20:], initial_vectors(20, 30, 10, seed=9))
    assert (abs(whole) < 0.05).all()
    assert abs(whole.mean()) < 0.005  # 500 values of standard deviation 0.029: five of their mean's


def test_one_node_with_a_loop():
    model = NodeEmbedding(**SMALL).fit(Graph.from_edges([0], [0], num_nodes=1))
    assert np.isfinite(model.embedding_).all()


def test_fewer_edges_than_nodes():
    graph = Graph.from_edges(np.arange(0, 200, 2), np.arange(1, 200, 2), num_nodes=600)
    assert NodeEmbedding(**SMALL).plan(graph).window == 10
    assert NodeEmbedding(**SMALL).fit(graph).untrained_ == 400


def test_walks_of_a_directed_path_end():
    graph = Graph.from_edges(np.arange(9), np.arange(1, 10), num_nodes=10, directed=True)
    model = NodeEmbedding(**{**SMALL, "epochs": 100}, window=3).fit(graph)
    assert model.loss_history_[-1, 0] == 900
    assert model.untrained_ == 1
    # The last node is no head, the first no tail.
    np.testing.assert_array_equal(model.embedding_[9], initial_vectors(9, 1, 16, seed=0)[0])
    assert not model.context_[0].any()


def test_weights_decide_which_edges_are_learned():
    # Two triangles joined by edges a million times lighter; unweighted, a prism without groups.
    src = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2])
    dst = np.array([1, 2, 0, 4, 5, 3, 3, 4, 5])
    weight = np.where(np.arange(9) < 6, 1.0, 1e-6)
    settings = {"dim": 16, "epochs": 3000, "method": "line"}
    graph = Graph.from_edges(src, dst, weight, num_nodes=6)
    inside = NodeEmbedding(**settings).fit(graph).embedding_
    alike = NodeEmbedding(**settings).fit(Graph.from_edges(src, dst, num_nodes=6)).embedding_
    group = np.array([0, 0, 0, 1, 1, 1])
    assert margin(inside, group) > margin(alike, group) + 0.2
    zero = Graph.from_edges(src, dst, np.where(np.arange(9) < 6, 1.0, 0.0), num_nodes=6)
    assert np.isfinite(NodeEmbedding(**settings).fit(zero).embedding_).all()


def test_star_and_skewed_graphs():
    hub = Graph.from_edges(np.zeros(3000, np.int64), np.arange(1, 3001), num_nodes=3001, directed=True)
    assert np.isfinite(NodeEmbedding(**SMALL).fit(hub).embedding_).all()
    both = Graph.from_edges(np.zeros(3000, np.int64), np.arange(1, 3001), num_nodes=3001)
    assert np.isfinite(NodeEmbedding(**SMALL).fit(both).embedding_).all()


def test_duplicates_and_loops():
    graph = Graph.from_edges([0, 0, 0, 1, 2], [1, 1, 1, 2, 2], num_nodes=3, duplicates="keep")
    model = NodeEmbedding(**SMALL)
    # Three edges 0-1, one 1-2 and a loop: five, though nine arcs are stored.
    assert model.plan(graph).pairs == 20 * 5
    assert np.isfinite(model.fit(graph).embedding_).all()


def test_graph_from_disk_gives_the_same(tmp_path):
    graph, _ = planted(100)
    there = graph.save(tmp_path / "graph")
    np.testing.assert_array_equal(
        NodeEmbedding(**SMALL).fit_transform(graph), NodeEmbedding(**SMALL).fit_transform(there)
    )


def test_divergence_names_the_learning_rate():
    graph, _ = planted(100)
    with pytest.raises(WeftValueError, match=r"diverged .* learning_rate=1e\+30; try learning_rate=0\.025"):
        NodeEmbedding(**SMALL, learning_rate=1e30).fit(graph)


def test_no_edges():
    with pytest.raises(WeftValueError, match="5 nodes and no edges"):
        NodeEmbedding().fit(Graph.from_edges([], [], num_nodes=5))
    with pytest.raises(WeftValueError, match="0 nodes and no edges"):
        NodeEmbedding().fit(Graph.from_edges([], [], num_nodes=0))


def test_only_graphs():
    with pytest.raises(WeftTypeError, match=r"weft\.Graph \(got list\)"):
        NodeEmbedding().fit([[0, 1]])


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("method", "struc2vec", WeftValueError),
        ("method", None, WeftValueError),
        ("dim", 0, WeftValueError),
        ("dim", 1 << 20, WeftValueError),
        ("dim", 8.0, WeftTypeError),
        ("dim", True, WeftTypeError),
        ("epochs", 0, WeftValueError),
        ("epochs", float("nan"), WeftValueError),
        ("epochs", "ten", WeftTypeError),
        ("walk_length", 0, WeftValueError),
        ("window", 0, WeftValueError),
        ("window", 2.5, WeftTypeError),
        ("window", "wide", WeftValueError),
        ("window", np.array([1, 2]), WeftTypeError),
        ("samples", "many", WeftValueError),
        ("order", "1", WeftValueError),
        ("order", np.array([1, 2]), WeftValueError),
        ("order", np.array(1), WeftValueError),
        ("method", ["deepwalk"], WeftValueError),
        ("epochs", np.array([1.0, 2.0]), WeftTypeError),
        ("epochs", 10**400, WeftTypeError),
        ("learning_rate", np.array(["a"]), WeftTypeError),
        ("num_negatives", 0, WeftValueError),
        ("negative_weight", 0.0, WeftValueError),
        ("negative_weight", None, WeftTypeError),
        ("learning_rate", -0.1, WeftValueError),
        ("learning_rate", float("inf"), WeftValueError),
        ("weight_decay", -1e-9, WeftValueError),
        ("seed", -1, WeftValueError),
        ("seed", 1 << 64, WeftValueError),
        ("parts", 0, WeftValueError),
        ("parts", 1025, WeftValueError),
        ("parts", "two", WeftValueError),
        ("memory", "plenty", WeftValueError),
        ("memory", -1, WeftValueError),
        ("scratch", 3, WeftTypeError),
        ("on_progress", 3, WeftTypeError),
    ],
)
def test_parameters_are_checked_at_fit(name, value, error):
    model = NodeEmbedding(**{name: value})
    graph, _ = planted(20)
    with pytest.raises(error, match=name):
        model.fit(graph)
    assert not hasattr(model, "embedding_")


def test_budget():
    graph, _ = planted(100)
    with pytest.raises(BudgetError, match=r"need .* memory allows 9\.8 KiB"):
        NodeEmbedding(memory=10_000).fit(graph)


@pytest.fixture(scope="module")
def wide():
    """A graph whose tables, 98 MiB, do not fit into what the tests below allow."""
    rng = np.random.default_rng(0)
    return Graph.from_edges(*rng.integers(0, 100_000, (2, 150_000)), num_nodes=100_000)


def test_with_little_memory_the_same_vectors(wide, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_file_system", lambda _: "")  # /tmp may be in memory
    settings = {"epochs": 2, "walk_length": 10, "window": 2}
    whole = NodeEmbedding(**settings).fit(wide)
    monkeypatch.setattr(plan_module, "resident", lambda: 0)
    model = NodeEmbedding(**settings, memory="85MiB", scratch=tmp_path)
    plan = model.plan(wide)
    assert plan.swap is not None
    assert plan.swap.tables
    model.fit(wide)
    for name in ("embedding_", "context_", "loss_history_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(whole, name))
    assert list(tmp_path.iterdir()) == []
    model.embedding_[0] = 0  # as writable as an array in memory
    Embedding.of(model, wide).save(tmp_path / "out")
    np.testing.assert_array_equal(Embedding.open(tmp_path / "out").context, whole.context_)
    estimate = model.estimate(wide, plan)
    assert estimate.seconds > 0
    assert estimate.bandwidth > 0


def test_no_room_for_what_does_not_fit(wide, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_module, "resident", lambda: 0)
    model = NodeEmbedding(memory="85MiB", scratch=tmp_path / "none")
    with pytest.raises(StorageError, match=r"folder for temporary files .*none"):
        model.plan(wide)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    model.set_params(scratch=tmp_path)
    with pytest.raises(
        StorageError, match=r"embed: \d+\.\d MiB do not fit .*where 1\.0 MiB are free.*--scratch"
    ):
        model.fit(wide)
    monkeypatch.setattr(room, "_file_system", lambda _: "tmpfs")
    with pytest.raises(WeftValueError, match=r"is in memory itself \(tmpfs\).*--scratch"):
        model.fit(wide)


@pytest.mark.parametrize("method", ["deepwalk", "prone", "lightne"])
def test_a_plan_is_shown_as_a_table(method):
    plan = NodeEmbedding(method=method, dim=16, memory="64GiB").plan(planted(100)[0])
    lines = str(plan).splitlines()
    assert lines[0].split() == ["nodes", f"{plan.nodes:,}"]
    assert lines[-1].startswith("  memory   ")
    assert all(re.match(r"  \w+ +\S", line) for line in lines)
    assert "Plan(" not in str(plan)


def test_estimate():
    graph, _ = planted(2000)
    for method in ("deepwalk", "line"):
        model = NodeEmbedding(method=method, dim=16, epochs=100)
        plan = model.plan(graph)
        estimate = model.estimate(graph, plan)
        assert estimate.bandwidth is None
        # Of one machine on one day: within a factor that only nonsense exceeds.
        begun = time.perf_counter()
        model.fit(graph)
        assert 0.02 < estimate.seconds / (time.perf_counter() - begun) < 50
        assert estimate.seconds == pytest.approx(plan.pairs / estimate.pairs)


def test_auto_may_be_written_in_two_ways():
    graph, _ = planted(100)
    auto, none = (NodeEmbedding(**SMALL, window=value, parts=value).fit(graph) for value in ("auto", None))
    np.testing.assert_array_equal(auto.embedding_, none.embedding_)
    assert Embedding.of(auto, graph).config == Embedding.of(none, graph).config
    NodeEmbedding(method="line", window=None).check_params()


def test_parts_can_be_given():
    graph, _ = planted(100)
    default = NodeEmbedding(**SMALL).fit(graph)
    np.testing.assert_array_equal(NodeEmbedding(**SMALL, parts=1).fit_transform(graph), default.embedding_)
    three = NodeEmbedding(**SMALL, parts=3).fit(graph)
    assert three.plan_.parts == 3
    assert (three.embedding_ != default.embedding_).any()


def test_progress(capsys):
    graph, _ = planted(100)
    seen = []
    model = NodeEmbedding(**SMALL, progress=True, on_progress=lambda *args: seen.append(args)).fit(graph)
    assert [(done, loss) for done, _, loss in seen] == [tuple(row) for row in model.loss_history_.tolist()]
    assert {total for _, total, _ in seen} == {model.plan_.pairs}
    assert "loss=" in capsys.readouterr().err
    NodeEmbedding(**SMALL).fit(graph)
    assert capsys.readouterr().err == ""


def test_an_error_in_the_callback_comes_through():
    def stop(done, total, loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        NodeEmbedding(**SMALL, on_progress=stop).fit(planted(100)[0])


def test_parameters_are_stored_unchanged():
    memory = "1 GiB"
    model = NodeEmbedding(dim=7, memory=memory)
    assert model.memory is memory
    params = model.get_params(deep=True)
    assert params["dim"] == 7
    assert NodeEmbedding(**params).get_params() == params
    assert repr(model) == "NodeEmbedding(dim=7, memory='1 GiB')"
    assert repr(NodeEmbedding()) == "NodeEmbedding()"


def test_set_params():
    model = NodeEmbedding()
    assert model.set_params(dim=5, method="line") is model
    assert (model.dim, model.method) == (5, "line")
    with pytest.raises(WeftValueError, match="no parameter 'dims'; it has method, dim"):
        model.set_params(dims=5)


def test_arguments_have_names():
    with pytest.raises(TypeError):
        NodeEmbedding("line")


def test_clones_as_scikit_learn_does():
    base = pytest.importorskip("sklearn.base")
    graph, _ = planted(50)
    model = NodeEmbedding(**SMALL).fit(graph)
    copy = base.clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "embedding_")


def test_two_fits_at_once_do_not_disturb_each_other():
    graph, _ = planted(100)
    models = [NodeEmbedding(**SMALL) for _ in range(3)]
    threads = [threading.Thread(target=model.fit, args=(graph,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model in models[1:]:
        np.testing.assert_array_equal(model.embedding_, models[0].embedding_)


def test_a_damaged_graph_is_named():
    graph = Graph.from_edges([0, 1], [1, 2])
    graph = dataclasses.replace(graph, indices=np.array([1, 0, 2**31, 1], np.uint32))
    with pytest.raises(WeftValueError, match="indices hold node 2147483648 of 3"):
        NodeEmbedding(**SMALL).fit(graph)


@pytest.mark.parametrize("name", ["embedding_", "context_", "loss_history_", "untrained_", "plan_"])
def test_what_is_learned_is_not_there_before(name):
    model = NodeEmbedding(dim=16)
    assert not hasattr(model, name)
    with pytest.raises(
        NotFittedError, match=rf"NodeEmbedding\(dim=16\) has no {name} yet; call fit first"
    ) as e:
        getattr(model, name)
    assert isinstance(e.value, AttributeError)


def test_other_attributes_are_missing_as_ever():
    with pytest.raises(AttributeError, match="has no attribute 'embeding_'"):
        NodeEmbedding().embeding_  # noqa: B018
    assert copy.deepcopy(NodeEmbedding(dim=7)).dim == 7
    assert pickle.loads(pickle.dumps(NodeEmbedding(dim=7))).dim == 7
