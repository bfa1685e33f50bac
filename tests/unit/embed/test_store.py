"""Embeddings on disk: what goes in comes out, and damage is told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import weft
from weft.embed import Embedding, NodeEmbedding
from weft.embed.methods import own
from weft.errors import FormatError, WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import Graph, Ids
from weft.graph.ids import Strings


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    return Graph.from_edges(rng.integers(0, 1 << 40, 60), rng.integers(0, 9, 60))


@pytest.fixture
def model(graph):
    return NodeEmbedding(dim=8, epochs=5, memory="64GiB", progress=False).fit(graph)


def test_round_trip(tmp_path, graph, model):
    holdout = np.array([[0, 1], [2, 3]])
    made = Embedding.of(model, graph, holdout=holdout).save(tmp_path / "out")
    again = Embedding.open(tmp_path / "out", verify=True)
    for there in (made, again):
        np.testing.assert_array_equal(there.vectors, model.embedding_)
        np.testing.assert_array_equal(there.context, model.context_)
        np.testing.assert_array_equal(there.history, model.loss_history_)
        np.testing.assert_array_equal(there.holdout, holdout)
        np.testing.assert_array_equal(there.ids.take(np.arange(5)), graph.ids.take(np.arange(5)))
        assert there.path == tmp_path / "out"
    assert repr(again) == f"Embedding({graph.num_nodes} nodes, dim 8, deepwalk)"


def test_config_is_complete(tmp_path, graph, model):
    Embedding.of(model, graph).save(tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["format"], manifest["version"]) == ("weft.embedding", 1)
    assert manifest["created_by"] == f"weft {weft.__version__}"
    config = manifest["meta"]["config"]
    aside = ("progress", "tensorboard", "on_progress", "scratch")
    params = own("deepwalk", model.get_params())
    assert not {"p", "q", "order", "samples", "propagate"} & params.keys()
    kept = {name: value for name, value in params.items() if name not in aside}
    beside = {"estimator": "NodeEmbedding", "updates": 0, "window_used": model.plan_.window, "graph": None}
    assert config == {**beside, **kept}
    for name in beside:
        del config[name]
    np.testing.assert_array_equal(NodeEmbedding(**config).fit_transform(graph), model.embedding_)


def named(vectors):
    strings = Strings.of(["alice", "bob", "cid", "dora"])
    return Embedding(vectors=vectors, ids=Ids.strings(strings.data, strings.offsets))


@pytest.mark.parametrize("mapped", [False, True])
def test_vectors_by_id(tmp_path, mapped):
    vectors = np.float32([[1, 0], [0, 1], [3, 1], [-1, 0]])
    there = named(vectors)
    if mapped:
        there = there.save(tmp_path / "out")
    np.testing.assert_array_equal(there["cid"], vectors[2])
    np.testing.assert_array_equal(there[["dora", "alice"]], vectors[[3, 0]])
    assert "bob" in there
    assert "eve" not in there
    assert None not in there
    names, cosines = zip(*there.most_similar("alice", 2), strict=True)
    assert names == ("cid", "bob")
    np.testing.assert_allclose(cosines, [3 / np.sqrt(10), 0], atol=1e-12)
    assert len(there.most_similar("alice")) == 3


def test_vectors_by_number():
    vectors = np.eye(3, dtype=np.float32)
    there = Embedding(vectors=vectors, ids=Ids.integers(np.array([5, 70, 1 << 40])))
    np.testing.assert_array_equal(there[70], vectors[1])
    np.testing.assert_array_equal(there[np.array([1 << 40, 5])], vectors[[2, 0]])
    np.testing.assert_array_equal(there[np.int64(5)], vectors[0])
    assert there.most_similar(5, 1) == [(70, 0.0)]
    assert 0 not in there


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ("eve", WeftKeyError, "no node has the id 'eve'; ids look like 'alice'"),
        (["bob", "eve"], WeftKeyError, "no node has the id 'eve'"),
        (0, WeftKeyError, "no node has the id 0"),
        (slice(0, 2), WeftTypeError, "takes an id or a list of ids"),
        ([["bob"]], WeftTypeError, "takes an id or a list of ids"),
        (None, WeftTypeError, "takes an id or a list of ids"),
    ],
)
def test_ids_that_are_not_there(ids, error, message):
    there = named(np.eye(4, dtype=np.float32))
    with pytest.raises(error, match=message):
        there[ids]
    with pytest.raises(TypeError):
        list(there)


@pytest.mark.parametrize("kind", ["range", "string"])
def test_ids_of_every_kind(tmp_path, kind):
    strings = Strings.of(["ä", "b", "long id"])
    ids = Ids.range(3) if kind == "range" else Ids.strings(strings.data, strings.offsets)
    Embedding(vectors=np.eye(3, dtype=np.float32), ids=ids).save(tmp_path / "out")
    there = Embedding.open(tmp_path / "out")
    assert there.ids.take([0, 1, 2]).tolist() == ids.take([0, 1, 2]).tolist()
    assert there.context is None
    assert there.holdout is None
    assert there.config == {}


def test_no_nodes(tmp_path):
    Embedding(vectors=np.zeros((0, 4), np.float32), ids=Ids.range(0)).save(tmp_path / "out")
    assert Embedding.open(tmp_path / "out").vectors.shape == (0, 4)


def test_existing_places(tmp_path, graph, model):
    made = Embedding.of(model, graph)
    made.save(tmp_path / "out")
    with pytest.raises(WeftValueError, match="exists"):
        made.save(tmp_path / "out")
    made.save(tmp_path / "out", overwrite=True)


def test_of_refuses(graph, model):
    with pytest.raises(WeftValueError, match="call fit first"):
        Embedding.of(NodeEmbedding(), graph)
    with pytest.raises(WeftValueError, match="the graph has 2"):
        Embedding.of(model, Graph.from_edges([0], [1]))


@pytest.mark.parametrize("damage", ["truncate", "flip", "graph", "holdout"])
def test_damage(tmp_path, graph, model, damage):
    out = tmp_path / "out"
    holdout = np.array([[0, graph.num_nodes if damage == "holdout" else 1]])
    if damage == "holdout":
        with pytest.raises(FormatError, match=r"holdout\.npy names node"):
            Embedding.of(model, graph, holdout=holdout).save(out)
        return
    Embedding.of(model, graph, holdout=holdout).save(out)
    file = out / "embedding.npy"
    data = bytearray(file.read_bytes())
    if damage == "truncate":
        file.write_bytes(data[:-4])
    elif damage == "flip":
        data[-1] ^= 1
        file.write_bytes(data)
    else:
        shutil.rmtree(out)
        graph.save(out)
    with pytest.raises(FormatError, match={"graph": "weft.graph"}.get(damage, "embedding.npy")):
        Embedding.open(out, verify=True)
