import dataclasses
from contextlib import closing

import numpy as np
import pytest
import torch

from weft.errors import BudgetError, FormatError, WeftValueError
from weft.features import CachedTable, Decoded, DiskTable, attach, encode
from weft.features.codec import decoded
from weft.graph import Graph, Ids, Labels
from weft.train import Settings, Split, Trained, Training, fit

SMALL = {"hidden": 16, "num_neighbors": (5, 5), "batch_size": 32, "epochs": 8, "learning_rate": 0.02}


def weights(trained):
    return {name: value.numpy() for name, value in trained.weights.items()}


def same(a, b):
    assert weights(a).keys() == weights(b).keys()
    for name, value in weights(a).items():
        np.testing.assert_array_equal(value, weights(b)[name])
    np.testing.assert_array_equal(a.history[:, :3], b.history[:, :3])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "mlp"}, "no model 'mlp'"),
        ({"task": "graph"}, "'node' or 'link'"),
        ({"num_neighbors": ()}, "a number for each layer"),
        ({"num_neighbors": (5, 0)}, "a number for each layer"),
        ({"hidden": 0}, "hidden must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"patience": 0}, "patience must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"weight_decay": -1.0}, "weight_decay must be"),
        ({"model": "gat", "hidden": 12}, "multiple of heads"),
    ],
)
def test_settings_that_are_none(graph, rows, labels, given, said):
    with pytest.raises(WeftValueError, match=said):
        fit(graph, rows, labels, **given)


def test_labels_that_cannot_be_told(graph, rows, labels):
    for wrong, said in (
        (None, "the graph has no labels"),
        (labels[:-1], "labels of 299 nodes for a graph of 300"),
        (np.where(labels == 0, -2, labels), "the label of node 0 is -2"),
        (np.where(np.arange(300) == 9, 10**9, labels), "the label of node 9 is 1,000,000,000"),
        (np.full(300, -1), "nothing to tell apart with 0 class"),
        (np.zeros(300, int), "nothing to tell apart with 1 class"),
        (labels.astype(float), "must be integers"),
        (np.full((300, 2), 2), "must be 0 or 1"),
        (Labels.from_pairs(np.arange(4), list("abab"), 4), "labels of 4 nodes"),
    ):
        with pytest.raises(WeftValueError, match=said):
            Training(graph, rows, wrong)


def test_features_that_are_none(graph, rows, labels, tmp_path):
    broken = rows.copy()
    broken[7, 2], broken[9] = np.nan, np.inf
    (tmp_path / "x.npy").write_bytes(b"no array")
    for wrong, said in (
        (None, "the graph has no features"),
        (rows[:-1], "features have 299 rows, the graph has 300 nodes"),
        (rows[:, 0], r"must be numbers \[N, F\]"),
        (rows.astype(complex), r"must be numbers \[N, F\]"),
        (broken, r"9 features of 2,400 are NaN or infinite, the first at node 7;.*--on-nan zero"),
    ):
        with pytest.raises(WeftValueError, match=said):
            Training(graph, wrong, labels)
    with pytest.raises(FormatError, match=r"not a \.npy file"):
        Training(graph, tmp_path / "x.npy", labels)
    with pytest.raises(WeftValueError, match="'fail' or 'zero'"):
        Training(graph, rows, labels, on_nan="mean")


def test_broken_features_as_zeros(graph, rows, labels):
    broken, zeros = rows.copy(), rows.copy()
    broken[:40], zeros[:40] = np.nan, 0
    with Training(graph, broken, labels, settings=Settings(**SMALL), on_nan="zero") as training:
        assert training.broken == 320
        made = training.fit()
    same(made, fit(graph, zeros, labels, **SMALL))


@pytest.mark.parametrize("codec", ["float16", "bfloat16", "int8"])
def test_features_of_a_codec(graph, rows, labels, tmp_path, codec):
    settings = SMALL | {"epochs": 2}
    graph.save(tmp_path / "g")
    attached = attach(tmp_path / "g", rows, codec=codec)
    wanted = fit(graph, decoded(encode(rows, codec)).astype(np.float32), labels, **settings)
    for features in (None, attached.features_path, encode(rows, codec)):
        same(fit(attached, features, labels, **settings), wanted)


def test_the_split_of_the_graph(graph, rows, labels, tmp_path):
    names = np.array(["train", "val", "test"])[np.arange(300) % 7 % 3]
    attached = attach(graph.save(tmp_path / "g"), split=(np.arange(300), names.tolist()))
    with Training(attached, rows, labels) as training:
        wanted = [int(np.count_nonzero(names == part)) for part in ("train", "val", "test")]
        assert [training.plan.items, training.plan.val, training.plan.test] == wanted


def test_splits(labels):
    everyone = np.arange(300)
    made = Split.random(everyone, seed=1)
    assert [len(made.train), len(made.val), len(made.test)] == [180, 60, 60]
    np.testing.assert_array_equal(np.sort(np.concatenate([made.train, made.val, made.test])), everyone)
    assert (Split.random(everyone, seed=2).train != made.train).any()
    # A node's number depends on itself alone: with fewer nodes the order of those left is the same.
    fewer = Split.random(everyone[:200], seed=1, shares=(0.5, 0.5, 0))
    assert len(fewer.test) == 0
    names = Labels.from_pairs(np.array([3, 1, 2, 9]), ["Train", "valid", "train", "test"], 300)
    named = Split.named(names)
    assert [named.train.tolist(), named.val.tolist(), named.test.tolist()] == [[2, 3], [1], [9]]
    with pytest.raises(WeftValueError, match="the split names 'hidden'"):
        Split.named(Labels.from_pairs(np.array([0]), ["hidden"], 3))
    with pytest.raises(WeftValueError, match="no node to train on"):
        Split(train=[], val=[1], test=[])
    with pytest.raises(WeftValueError, match="node 4 in two of"):
        Split(train=[4, 5], val=[4], test=[])
    with pytest.raises(WeftValueError, match="three numbers"):
        Split.random(everyone, shares=(0.9, 0.2, 0.2))


def test_a_split_of_nodes_without_labels(graph, rows, labels):
    some = np.where(np.arange(300) < 50, -1, labels)
    with pytest.raises(WeftValueError, match=r"2 of the 3 nodes of the split's val have no label.*node 4"):
        Training(graph, rows, some, split=Split(train=[100, 101], val=[4, 5, 102], test=[]))
    with pytest.raises(WeftValueError, match="val names node 300"):
        Training(graph, rows, labels, split=Split(train=[100, 101], val=[300], test=[]))
    with Training(graph, rows, some) as training:  # those without are left out
        assert (training.plan.items, training.plan.val, training.plan.test) == (150, 50, 50)


@pytest.mark.parametrize("name", ["sage", "gat", "gcn", "gin"])
def test_learning(graph, rows, labels, name):
    state = torch.random.get_rng_state()
    made = fit(graph, rows, labels, model=name, **SMALL)
    assert torch.equal(torch.random.get_rng_state(), state)
    # The features alone tell half: the neighbours help.
    assert made.scores["test"] > 0.75
    assert made.history[-1, 1] < made.history[0, 1]
    assert made.history[int(made.scores["epoch"]) - 1, 2] == made.history[:, 2].max() == made.scores["val"]


def test_several_labels(graph, rows, labels):
    several = np.eye(3, dtype=int)[labels]
    several[:, 2] |= labels == 0
    made = fit(graph, rows, several, **SMALL)
    assert made.targets.several
    assert made.score_name == "micro-F1"
    assert made.scores["test"] > 0.75


def test_the_same_weights_from_memory_and_disk(graph, rows, labels, tmp_path):
    np.save(tmp_path / "x.npy", rows)
    made = fit(graph, rows, labels, **SMALL)
    for policy in ("lookahead", "static", "lru", "sieve"):
        cached = CachedTable(DiskTable(tmp_path / "x.npy"), 6000, policy=policy, hotness=graph.degree())
        with closing(cached) as table:
            assert table.rows_kept < 150
            same(made, fit(graph, table, labels, **SMALL))
    same(made, fit(graph, tmp_path / "x.npy", labels, **SMALL))
    other = fit(graph, rows, labels, **SMALL, seed=1)
    assert any((weights(made)[name] != weights(other)[name]).any() for name in weights(made))


def test_looking_through_rows_leaves_the_cache_alone(graph, rows, labels, tmp_path):
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "half.npy", rows.astype(np.float16))
    for given in (DiskTable(tmp_path / "x.npy"), DiskTable(tmp_path / "half.npy")):
        table = CachedTable(given, 60_000, policy="lru")
        with Training(graph, Decoded(table, "float16") if given.dtype == np.float16 else table, labels):
            assert sum(table.counts.values()) == 0
        table.close()


def test_early_stop(graph, rows, labels):
    made = fit(graph, rows, labels, **{**SMALL, "epochs": 60, "patience": 3})
    assert len(made.history) < 60
    assert len(made.history) - made.scores["epoch"] == 3
    given = {**SMALL, "patience": None}
    without = fit(graph, rows, labels, split=Split(train=range(100), val=[], test=[]), **given)
    assert without.scores == {"epoch": 8.0}
    assert np.isnan(without.history[:, 2]).all()


def test_divergence_is_said(graph, rows, labels):
    with pytest.raises(WeftValueError, match=r"training diverged: the loss is .* lower learning_rate"):
        fit(graph, rows * 1e30, labels, **{**SMALL, "learning_rate": 1e10})


def test_saved_and_opened(graph, rows, labels, tmp_path):
    made = fit(graph, rows, labels, **SMALL)
    saved = made.save(tmp_path / "run")
    same(saved, made)
    assert saved.settings == made.settings
    assert saved.classes == ("0", "1", "2")
    assert saved.scores == made.scores
    np.testing.assert_array_equal(saved.split.val, made.split.val)
    assert "test 0." in repr(saved)
    with pytest.raises(WeftValueError, match="exists"):
        made.save(tmp_path / "run")
    data = (tmp_path / "run" / "state.npy").read_bytes()
    (tmp_path / "run" / "state.npy").write_bytes(data[:-1])
    with pytest.raises(FormatError, match=r"state\.npy"):
        Trained.open(tmp_path / "run")
    with pytest.raises(FormatError, match="format"):
        Trained.open(graph.path)


def test_the_plan(graph, rows, labels, tmp_path):
    wide = np.tile(rows, 300)
    np.save(tmp_path / "x.npy", wide)
    settings = Settings(**{**SMALL, "batch_size": 2, "num_neighbors": (1, 1)})
    with Training(graph, tmp_path / "x.npy", labels, memory="2MiB", settings=settings) as training:
        plan = training.plan
    assert plan.features == wide.nbytes
    assert plan.cache < wide.nbytes
    assert plan.parameters == 2 * 16 * 2400 + 16 + 2 * 16 * 3 + 3
    assert "on disk" in str(plan)
    with pytest.raises(BudgetError, match=r"rows of the batches under way take .*give at least"):
        Training(graph, tmp_path / "x.npy", labels, memory="1MiB", settings=Settings(**SMALL))
    assert "180 to train on, 60 to validate, 60 to test" in str(plan)


def test_a_graph_without_edges(rows, labels):
    lonely = Graph.from_edges([], [], num_nodes=300)
    for name in ("sage", "gat", "gcn", "gin"):
        made = fit(lonely, rows, labels, model=name, **SMALL)
        assert made.scores["test"] > 0.4


def test_links(graph, rows):
    small = {**SMALL, "task": "link", "hidden": 16, "batch_size": 256, "epochs": 15}
    src = np.repeat(np.arange(300), graph.degree())
    for given in (graph, Graph.from_edges(src, graph.indices, num_nodes=300)):
        with Training(given, rows, settings=Settings(**small)) as training:
            plan = training.plan
            made = training.fit()
        edges = given.num_edges if given.directed else (given.indptr[-1] - loops(given)) // 2 + loops(given)
        assert plan.items + plan.val + plan.test == edges - loops(given)
        assert plan.unit == "edges"
        assert made.score_name == "AUC"
        # Edges lie within one of three classes: knowing these, two thirds of the negatives are told.
        assert 0.62 < made.scores["test"] < 0.9
        assert made.targets is None
        assert made.split is None
        same(made, fit(given, rows, **small))


def loops(graph):
    return int((np.repeat(np.arange(graph.num_nodes), graph.degree()) == graph.indices).sum())


def test_links_that_cannot_be_learned(graph, rows, labels):
    with pytest.raises(WeftValueError, match="leave them out"):
        fit(graph, rows, labels, task="link")
    with pytest.raises(WeftValueError, match="3 edges are too few"):
        fit(Graph.from_edges([0, 1, 2], [1, 2, 0]), rows[:3], task="link")


def test_rows_in_the_order_of_names_are_told(graph, rows, labels):
    names = [f"n{node}".encode() for node in range(graph.num_nodes)]
    offsets = np.cumsum([0, *map(len, names)])
    named = dataclasses.replace(graph, ids=Ids.strings(np.frombuffer(b"".join(names), np.uint8), offsets))
    with pytest.warns(UserWarning, match=r"row i is taken for node i, .* 'n0', 'n1'"):
        Training(named, rows, labels, settings=Settings(**SMALL)).close()
