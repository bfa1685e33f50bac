"""Training on graphs of several types."""

import json
import os
import signal

import numpy as np
import pytest
import torch

import weft.features
from weft.errors import BudgetError, Interrupted, WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import Graph, HeteroGraph, Labels
from weft.train import Split, Trained, Training, TypedTraining, fit
from weft.train.run import Run

PEOPLE, ITEMS, EACH = 400, 300, 6
LIKES, HATES = ("item", "liked", "person"), ("item", "hated", "person")
SMALL = {"hidden": 8, "num_neighbors": (4, 4), "batch_size": 60, "epochs": 4, "patience": None}
STEPS = 4  # of an epoch: 240 people to train on


def same(a, b):
    assert a.weights.keys() == b.weights.keys()
    for name, value in a.weights.items():
        np.testing.assert_array_equal(value.numpy(), b.weights[name].numpy())
    np.testing.assert_array_equal(a.history[:, :3], b.history[:, :3])


def stop_at(monkeypatch, steps):
    """Have a signal after so many batches."""
    step = Run.step

    def signalled(self, batch):
        step(self, batch)
        if self.steps == steps:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Run, "step", signalled)


@pytest.fixture(scope="module")
def world():
    """People like items of their own sign and hate as many of the other: only the type of an edge tells."""
    rng = np.random.default_rng(0)
    sign = np.where(np.arange(ITEMS) < ITEMS // 2, 1, -1)
    own = rng.integers(0, 2, PEOPLE) * 2 - 1
    of_sign = {s: np.flatnonzero(sign == s) for s in (1, -1)}
    person = np.repeat(np.arange(PEOPLE), EACH)
    liked = np.concatenate([rng.choice(of_sign[s], EACH, replace=False) for s in own])
    hated = np.concatenate([rng.choice(of_sign[-s], EACH, replace=False) for s in own])
    return {
        "liked": (liked, person),
        "hated": (hated, person),
        "x": (sign[:, None] + rng.normal(size=(ITEMS, 3))).astype(np.float32),
        "y": (own > 0).astype(np.int64),
    }


@pytest.fixture(scope="module")
def graph(world, tmp_path_factory):
    made = HeteroGraph.from_edges(
        {LIKES: world["liked"], HATES: world["hated"]}, {"person": PEOPLE, "item": ITEMS}
    ).with_reverse()
    return made.save(tmp_path_factory.mktemp("typed") / "g")


@pytest.fixture(scope="module")
def rows(world):
    return {"item": world["x"], "person": np.ones((PEOPLE, 1), np.float32)}


def test_types_of_edges_tell_what_an_untyped_model_cannot(world, graph, rows):
    settings = {"hidden": 16, "num_neighbors": (12,), "batch_size": 128, "epochs": 30, "learning_rate": 0.02}
    typed = fit(graph, rows, world["y"], target="person", **settings)
    assert typed.scores["test"] > 0.95
    # The same edges, features and labels without types.
    ends = np.concatenate([world["liked"], world["hated"]], axis=1)
    plain = Graph.from_edges(ends[0] + PEOPLE, ends[1], num_nodes=PEOPLE + ITEMS)
    x = np.zeros((PEOPLE + ITEMS, 4), np.float32)
    x[:PEOPLE, 3], x[PEOPLE:, :3] = 1, world["x"]
    y = np.append(world["y"], np.full(ITEMS, -1))
    untyped = fit(plain, x, y, model="sage", split=typed.split, **settings)
    assert untyped.scores["test"] < 0.7
    assert typed.split.digest() == untyped.split.digest()


@pytest.mark.parametrize("at", [1, STEPS, STEPS + 2])
@pytest.mark.parametrize("given", [True, False], ids=["features", "vectors"])
def test_interrupted_and_resumed(world, graph, rows, tmp_path, monkeypatch, at, given):
    state, x = tmp_path / "state", rows if given else {"item": rows["item"]}
    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="--resume"):
        stop_at(patch, at)
        fit(graph, x, world["y"], target="person", checkpoint=state, **SMALL)
    whole = fit(graph, x, world["y"], target="person", **SMALL)
    resumed = fit(graph, x, world["y"], target="person", checkpoint=state, resume=True, **SMALL)
    same(whole, resumed)
    assert whole.scores == resumed.scores
    with pytest.raises(WeftValueError, match="other labels"):
        fit(graph, x, 1 - world["y"], target="person", checkpoint=state, resume=True, **SMALL)
    with pytest.raises(WeftValueError, match="other features"):
        fit(
            graph,
            {**x, "item": -x["item"]},
            world["y"],
            target="person",
            checkpoint=state,
            resume=True,
            **SMALL,
        )


def test_what_it_leaves(world, graph, rows, tmp_path):
    made = fit(graph, {"item": rows["item"]}, world["y"], target="person", **SMALL)
    assert made.types.target == "person"
    assert made.types.in_channels == {"item": 3}
    assert made.types.vectors == {"person": PEOPLE}
    assert made.types.edge_types == tuple(graph.edge_types)
    opened = made.save(tmp_path / "m")
    same(made, opened)
    assert opened.types == made.types
    assert opened.targets.digest() == made.targets.digest()
    assert Trained.open(tmp_path / "m").typed_net().gnn.rows_of("person").shape == (PEOPLE, 8)
    with pytest.raises(WeftValueError, match="typed_net"):
        opened.net(graph)


def test_features_on_disk_give_the_same_model(world, graph, rows, tmp_path):
    rng = np.random.default_rng(0)
    wide = {name: np.tile(some, (1, 700)) for name, some in rows.items()}
    paths = {}
    for name, some in wide.items():
        some += rng.normal(size=some.shape).astype(np.float32)
        paths[name] = tmp_path / f"{name}.npy"
        np.save(paths[name], some)
    settings = {**SMALL, "num_neighbors": (2, 2), "batch_size": 4, "epochs": 1}
    split = Split(train=np.arange(40), val=np.arange(40, 60), test=np.arange(60, 80))
    in_memory = fit(graph, wide, world["y"], target="person", split=split, **settings)
    with TypedTraining(
        graph,
        paths,
        world["y"],
        settings=in_memory.settings,
        split=split,
        memory="3500KiB",
    ) as training:
        assert "on disk" in str(training.plan)
        same(in_memory, training.fit())
    with pytest.raises(BudgetError, match="give at least"):
        fit(graph, paths, world["y"], target="person", split=split, memory="64KiB", **settings)


def test_the_plan_says_what_is_learned(world, graph, rows):
    with TypedTraining(graph, {"item": rows["item"]}, world["y"], settings=_settings()) as training:
        said = str(training.plan)
    for word in (
        "item 300 × 3 float32",
        "learned vectors of 8: person 400",
        "4 types of edges",
        "240 to train",
    ):
        assert word in said, said


def _settings(**more):
    from weft.train import Settings

    return Settings(**{"model": "rgcn", "target": "person", **SMALL, **more})


def test_nan_and_codecs(world, graph, rows, tmp_path):
    broken = rows["item"].copy()
    broken[7, 1] = np.nan
    with pytest.raises(WeftValueError, match=r"first at node 7.*'item'"):
        fit(graph, {**rows, "item": broken}, world["y"], target="person", **SMALL)
    made = fit(graph, {**rows, "item": broken}, world["y"], target="person", on_nan="zero", **SMALL)
    whole = np.nan_to_num(broken)
    same(made, fit(graph, {**rows, "item": whole}, world["y"], target="person", **SMALL))
    weft.features.encode(rows["item"], "bfloat16", tmp_path / "b.npy")
    fit(graph, {**rows, "item": tmp_path / "b.npy"}, world["y"], target="person", **SMALL)


def test_attached_features_labels_and_split(world, graph, rows, tmp_path):
    copy = graph.save(tmp_path / "g")
    names = np.array(["no", "yes"])[world["y"]].tolist()
    parts = np.array(["train", "val", "test"])[np.arange(PEOPLE) % 3].tolist()
    weft.features.attach(
        copy.path,
        rows["person"],
        labels=(np.arange(PEOPLE), names),
        split=(np.arange(PEOPLE), parts),
        type="person",
    )
    copy = weft.features.attach(copy.path, rows["item"], type="item")
    made = fit(copy, **SMALL)  # the only type with labels
    assert made.types.target == "person"
    np.testing.assert_array_equal(made.split.val, np.arange(1, PEOPLE, 3))
    assert made.source["features"]["item"].endswith("features.npy")


def test_several_labels_of_a_node(world, graph, rows):
    several = np.stack([world["y"], 1 - world["y"], np.ones(PEOPLE, np.int64)], axis=1)
    made = fit(graph, rows, several, target="person", **SMALL)
    assert made.score_name == "micro-F1"
    assert 0 < made.scores["test"] <= 1


def test_what_cannot_be_trained(world, graph, rows):
    y = world["y"]
    one_way = HeteroGraph.from_edges({LIKES: world["liked"]}, {"person": PEOPLE, "item": ITEMS})
    for given, more, error, said in (
        (rows, {"model": "sage", "target": "person"}, WeftValueError, "--model rgcn"),
        (rows, {"task": "link", "target": "person"}, WeftValueError, "graphs of one type"),
        (rows, {}, WeftValueError, "labels are given: which nodes.*person, item"),
        (rows, {"target": "venue"}, WeftKeyError, "'venue' to tell; the types are person, item"),
        ({"venue": y}, {"target": "person"}, WeftKeyError, "for nodes of type 'venue'"),
        (rows["item"], {"target": "person"}, WeftTypeError, "given by type"),
        ({**rows, "item": rows["item"][:9]}, {"target": "person"}, WeftValueError, "9 rows.*'item'"),
        (rows, {"target": "item"}, WeftValueError, "labels of 400 nodes for a graph of 300"),
        (rows, {"target": "person", "num_neighbors": (3, 0)}, WeftValueError, "num_neighbors"),
    ):
        with pytest.raises(error, match=said):
            fit(graph, given, y, **{**SMALL, **more})
    with pytest.raises(WeftValueError, match="no type has labels attached"):
        fit(graph, rows, **SMALL)
    with pytest.raises(WeftValueError, match="'person' have no labels"):
        fit(graph, rows, target="person", **SMALL)
    with pytest.raises(WeftValueError, match="no edges lead to nodes of type 'item'"):
        fit(one_way, rows, y[:ITEMS], target="item", **SMALL)
    with pytest.raises(WeftTypeError, match="TypedTraining"):
        Training(graph, rows["item"], y)


def test_rgcn_of_one_type_is_sage(world):
    """Its sum over one type of edges is the mean of SAGE."""
    plain = Graph.from_edges(*world["liked"], num_nodes=max(PEOPLE, ITEMS))
    x = np.random.default_rng(0).normal(size=(plain.num_nodes, 4)).astype(np.float32)
    labels = Labels.from_pairs(np.arange(PEOPLE), [str(c) for c in world["y"]], plain.num_nodes)
    one, other = (fit(plain, x, labels, model=name, **SMALL) for name in ("rgcn", "sage"))
    same(one, other)
    assert isinstance(one.net(plain.reverse()), torch.nn.Module)


def test_vectors_alone(world, graph):
    """No type has features: all nodes have learned vectors."""
    with TypedTraining(graph, None, world["y"], settings=_settings()) as training:
        assert "features none" in str(training.plan)
        made = training.fit()
    assert made.types.vectors == {"person": PEOPLE, "item": ITEMS}
    assert made.in_channels == 0
    assert np.isfinite(made.history[:, 1]).all()


def test_types_whose_names_look_alike_are_told_apart():
    """A checkpoint of the one graph is none of the other."""
    count, ends = {"a": 5, "a b": 5, "d": 5}, [np.arange(5), np.arange(5)]
    found = []
    for kind in (("a b", "c", "d"), ("a", "b c", "d"), ("a", "b-> d -c", "d"), ("a -b-> d", "c", "d")):
        graph = HeteroGraph.from_edges({kind: ends}, {**count, "a -b-> d": 5})
        with TypedTraining(graph, None, np.arange(5) % 2, settings=_settings(target="d")) as training:
            found.append(json.dumps(training.identity()["graph"]))
    assert len(set(found)) == len(found)
