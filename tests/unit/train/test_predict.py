import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from weft.embed import Embedding
from weft.errors import BudgetError, WeftValueError
from weft.graph import Graph, Ids, Strings, read_labels
from weft.train import Predictions, Trained, fit, predict

SMALL = {"hidden": 16, "num_neighbors": (5, 5), "batch_size": 64, "epochs": 3}


def at_once(trained, graph, rows):
    """The model on the whole graph."""
    from torch_geometric.nn.models import GCN

    net = trained.net(graph.reverse()).gnn
    if trained.settings.model == "gcn":
        settings = trained.settings
        peer = GCN(trained.in_channels, settings.hidden, settings.layers, trained.out)
        peer.load_state_dict(net.state_dict())
        net = peer
    src = np.repeat(np.arange(graph.num_nodes), graph.degree())
    edge_index = torch.from_numpy(np.stack([src, graph.indices.astype(np.int64)]))
    with torch.no_grad():
        return net.eval()(torch.from_numpy(rows), edge_index).numpy()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["sage", "gat", "gcn", "gin"])
def test_as_on_the_whole_graph(graph, rows, labels, tmp_path, name, layers):
    np.save(tmp_path / "x.npy", rows)
    trained = fit(graph, tmp_path / "x.npy", labels, model=name, **{**SMALL, "num_neighbors": (4,) * layers})
    made = predict(trained, tmp_path / "out", memory=60_000)  # a batch holds a part of the nodes
    whole = at_once(trained, graph, rows)
    # Sums of at most some 40 float32 rows in another order, through four layers.
    np.testing.assert_allclose(made.output, whole, rtol=1e-3, atol=1e-4)
    assert made.embedding.shape == (300, 16 if layers > 1 else 3)
    test = trained.split.test
    right = (whole[test].argmax(axis=1) == labels[test]).mean()
    assert made.scores["test"] == pytest.approx(right)
    assert sorted(p.name for p in made.path.iterdir() if "layer" in p.name) == []


def test_what_is_written(graph, rows, labels, tmp_path):
    made = predict(fit(graph, rows, labels, **SMALL), tmp_path / "out", features=rows)
    table = pl.read_csv(tmp_path / "out" / "predictions.csv")
    assert table.columns == ["id", "label", "probability"]
    np.testing.assert_array_equal(table["id"], np.arange(300))
    np.testing.assert_array_equal(table["label"], made.output.argmax(axis=1))
    share = torch.softmax(torch.from_numpy(made.output.copy()), dim=1).amax(dim=1)
    np.testing.assert_allclose(table["probability"], share, atol=1e-5)
    # Other verbs know it: as vectors, and as labels.
    embedding = Embedding.open(tmp_path / "out")
    np.testing.assert_array_equal(embedding.vectors, made.embedding)
    assert len(embedding.most_similar(3, 5)) == 5
    read = read_labels(tmp_path / "out" / "predictions.csv", graph.ids, columns=("id", "label"))
    assert read[7] == (str(made.output[7].argmax()),)
    with pytest.raises(WeftValueError, match="exists"):
        predict(fit(graph, rows, labels, **SMALL), tmp_path / "out", features=rows)


def test_several_labels(graph, rows, labels, tmp_path):
    several = np.eye(3, dtype=int)[labels]
    several[:, 2] |= labels == 0
    trained = fit(graph, rows, several, **SMALL).save(tmp_path / "run")
    made = predict(trained, tmp_path / "out", features=rows)
    table = pl.read_csv(tmp_path / "out" / "predictions.csv")
    assert len(table) == (made.output > 0).sum()
    assert (table["probability"] >= 0.5).all()
    assert 0 < made.scores["test"] <= 1


def test_what_cannot_be_predicted(graph, rows, labels, tmp_path):
    trained = fit(graph, rows, labels, **SMALL)
    for more, said in (
        ({}, "no features"),
        ({"features": rows[:, :3]}, "features have 3 columns, the model was trained on 8"),
        ({"features": rows[:9]}, "features have 9 rows"),
        ({"features": np.where(rows > 2, np.nan, rows)}, "are NaN or infinite"),
    ):
        with pytest.raises(WeftValueError, match=said):
            predict(trained, tmp_path / "out", **more)
    with pytest.raises(BudgetError, match="neighbours"):
        predict(trained, tmp_path / "out", features=rows, memory=500)
    assert list(tmp_path.iterdir()) == []


def test_nan_taken_for_zero_in_training_is_in_prediction(graph, rows, labels, tmp_path):
    broken, zeros = rows.copy(), rows.copy()
    broken[::7], zeros[::7] = np.nan, 0
    trained = fit(graph, broken, labels, on_nan="zero", **SMALL)
    a = predict(trained, tmp_path / "a", features=broken)
    b = predict(trained, tmp_path / "b", features=zeros)
    np.testing.assert_array_equal(a.output, b.output)


def test_of_another_graph(graph, rows, labels, tmp_path):
    """New nodes, which no training has seen: nothing but the width of their rows must fit."""
    trained = fit(graph, rows, labels, **SMALL)
    other = Graph.from_edges([0, 1, 2], [1, 2, 0])
    made = predict(trained, tmp_path / "out", graph=other, features=rows[:3])
    assert made.output.shape == (3, 3)
    assert made.scores == {}
    assert "not those of the training" in made.unscored


def test_of_the_same_people_in_another_order(graph, rows, labels, tmp_path):
    """Features and labels of the training are of its nodes, whatever their numbers are elsewhere."""
    perm = np.random.default_rng(2).permutation(300)
    inverse = np.argsort(perm)

    def named(one, order):
        packed = Strings.of([f"n{i}" for i in order])
        return replace(one, ids=Ids.strings(packed.data, packed.offsets), path=None)

    first = replace(named(graph, range(300)), features=rows).save(tmp_path / "first")
    src = np.repeat(np.arange(300), graph.degree())
    other = Graph.from_edges(inverse[src], inverse[graph.indices], num_nodes=300, directed=True)
    bare = named(other, perm)
    trained = fit(first, None, labels, **SMALL)
    said = predict(trained, tmp_path / "a")  # no note: they are attached
    assert said.unscored is None
    assert set(said.scores) == {"val", "test"}
    moved = predict(
        trained, tmp_path / "b", graph=replace(bare, features=rows[perm]).save(tmp_path / "other")
    )
    np.testing.assert_allclose(moved.output, said.output[perm], rtol=1e-4, atol=1e-5)
    assert moved.scores == {}
    assert "another order" in moved.unscored
    with pytest.raises(WeftValueError, match="no features; give --features"):
        predict(trained, tmp_path / "c", graph=bare)
    # The same nodes, whose graph has changed: features of the training are theirs.
    fewer = named(graph.reverse(), range(300))
    again = predict(trained, tmp_path / "d", graph=fewer)
    assert set(again.scores) == {"val", "test"}


KILLED = """
import os, signal, sys
from weft.train import Trained, predict
from weft.train.layerwise import PlainLayers
layer = PlainLayers._layer
def killed(self, i, *args, **more):
    made = layer(self, i, *args, **more)
    if i == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return made
PlainLayers._layer = killed
predict(Trained.open(sys.argv[1]), sys.argv[2])
"""


def test_killed_and_begun_again(graph, rows, labels, tmp_path):
    np.save(tmp_path / "x.npy", rows)
    settings = {**SMALL, "num_neighbors": (4, 4, 4)}
    trained = fit(graph, tmp_path / "x.npy", labels, **settings).save(tmp_path / "run")
    words = [sys.executable, "-c", KILLED, str(tmp_path / "run"), str(tmp_path / "out")]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    left = [p for p in tmp_path.iterdir() if p.name.startswith(".out.tmp")]
    assert len(left) == 1
    again = predict(Trained.open(tmp_path / "run"), tmp_path / "out")
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".out.tmp")] == []
    np.testing.assert_array_equal(again.output, predict(trained, tmp_path / "other").output)
    assert os.listdir(tmp_path / "out").count("layer0.npy") == 0
    assert isinstance(again, Predictions)
