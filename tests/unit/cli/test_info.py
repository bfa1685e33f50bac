"""weft info of everything that weft writes: what it is, how it was made, how large it is."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

from weft.cli import main
from weft.graph import Graph

SHORT = ("--dim", "8", "--epochs", "3", "--walk-length", "5", "--window", "2", "--threads", "1")
FEW = ("--epochs", "2", "--hidden", "8", "--num-neighbors", "3,3", "--batch-size", "64", "--threads", "1")


def weft(verb, *words):
    return main([verb, *(str(word) for word in words)])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A graph, vectors of it, and what a model would take."""
    folder, rng = tmp_path_factory.mktemp("info"), np.random.default_rng(0)
    Graph.from_edges(*rng.integers(0, 200, (2, 2000)), num_nodes=200).save(folder / "g")
    np.save(folder / "x.npy", rng.random((200, 4)).astype(np.float32))
    np.save(folder / "y.npy", np.arange(200) % 3)
    assert weft("embed", folder / "g", "--out", folder / "v", "--holdout", "0.1", *SHORT) == 0
    return folder


@pytest.fixture(scope="module")
def model(place):
    """The model and its predictions."""
    pytest.importorskip("torch_geometric")
    words = ("--features", place / "x.npy", "--labels", place / "y.npy", "--out", place / "m", *FEW)
    assert weft("train", place / "g", *words) == 0
    assert weft("predict", place / "m", "--out", place / "p") == 0
    return place


def facts(capsys, *words):
    capsys.readouterr()
    assert weft("info", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_vectors(place, capsys):
    got = facts(capsys, place / "v")
    assert got["what"] == "vectors of nodes"
    assert (got["nodes"], got["dimensions"], got["method"]) == (200, 8, "deepwalk")
    assert got["settings"]["walk_length"] == 5
    assert got["settings"]["seed"] == 0
    assert got["of_graph"] == str(place / "g")
    assert got["trained_pairs"] > 0
    assert got["hidden_edges"] > 0
    assert got["can_be_updated"]
    assert "embedding float32 [200, 8]" in got["arrays"]
    assert got["made_by"].startswith("weft")
    assert weft("info", place / "v") == 0
    said = capsys.readouterr().out
    assert "walk_length=5" in said
    assert "\nsize             " in said


def test_vectors_of_a_factorisation(place, tmp_path, capsys):
    assert weft("embed", place / "g", "--out", tmp_path / "v", "--method", "prone", "--dim", "8") == 0
    got = facts(capsys, tmp_path / "v")
    assert got["method"] == "prone"
    assert not got["can_be_updated"]
    assert "trained_pairs" not in got


def test_a_model_and_its_predictions(model, capsys):
    got = facts(capsys, model / "m", "--verify")
    assert (got["what"], got["model"], got["task"]) == ("a trained model (weft train)", "sage", "node")
    assert (got["features"], got["classes"], got["epochs_done"], got["nodes"]) == (4, 3, 2, 200)
    assert got["settings"]["num_neighbors"] == [3, 3]
    assert got["split"] == ["train 120", "val 40", "test 40"]
    assert set(got["scores"]) == {"val", "test"}
    assert got["of_features"] == str(model / "x.npy")
    assert got["verified"]
    assert weft("info", model / "m") == 0
    assert "num_neighbors=[3, 3], " in capsys.readouterr().out
    got = facts(capsys, model / "p")
    assert got["what"] == "predictions of a model (weft predict)"
    assert (got["classes"], got["method"], got["dimensions"]) == (3, "sage", 8)
    assert set(got["scores"]) == {"val", "test"}
    assert "output float32 [200, 3]" in got["arrays"]


def test_checkpoints(model, tmp_path, capsys, monkeypatch):
    from weft.train.run import Run

    step = Run.step

    def killed(run, batch):
        step(run, batch)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Run, "step", killed)
    words = ("--features", model / "x.npy", "--labels", model / "y.npy", "--out", tmp_path / "m", *FEW)
    assert weft("train", model / "g", *words) != 0
    got = facts(capsys, tmp_path / "m.checkpoint")
    assert got["what"] == "the checkpoint of an unfinished run of weft train"
    assert (got["model"], got["batches_done"], got["nodes"]) == ("sage", 1, 200)
    assert got["settings"]["hidden"] == 8
    assert "--resume" in got["next"]


def test_the_checkpoint_of_vectors(place, tmp_path, capsys):
    from weft.embed import NodeEmbedding
    from weft.errors import Interrupted

    model = NodeEmbedding(dim=8, epochs=5000, walk_length=5, window=2, on_progress=_stop)
    with pytest.raises(Interrupted):
        model.fit(Graph.open(place / "g"), checkpoint=tmp_path / "state", every_minutes=0)
    got = facts(capsys, tmp_path / "state")
    assert got["what"] == "the checkpoint of an unfinished run of weft embed or update"
    assert got["pairs_done"] > 0
    assert got["share"].endswith("%")
    assert got["method"] == "deepwalk"


def test_a_graph_of_events(tmp_path, capsys):
    from weft.graph import TemporalGraph

    graph = TemporalGraph()
    graph.append([0, 1, 2], [1, 2, 5], [7, 5, 6], eid=[10, 20, 30])
    graph.delete([20])
    graph.save(tmp_path / "g")
    got = facts(capsys, tmp_path / "g")
    assert got["what"] == "a graph of events (weft.graph.TemporalGraph)"
    assert (got["nodes"], got["events"], got["arrived"]) == (6, 2, 3)
    assert (got["ids"], got["types"], got["directed"]) == ("given", False, False)


def test_the_folder_of_a_stream(tmp_path, capsys):
    from weft.stream import IteratorSource, run

    run(IteratorSource([([0, 1, 2], [1, 2, 0], [1, 2, 3])]), tmp_path / "run", "edgebank")
    got = facts(capsys, tmp_path / "run")
    assert got["what"] == "the state of a run of weft stream"
    assert got["events_left"] == 3


def _stop(*_):
    signal.raise_signal(signal.SIGTERM)


def test_what_is_damaged_or_something_else(place, tmp_path, capsys):
    (tmp_path / "d").mkdir()
    for name in ("manifest.json", "embedding.npy", "history.npy"):
        (tmp_path / "d" / name).write_bytes((place / "v" / name).read_bytes()[:-1])
    assert weft("info", tmp_path / "d") == 2
    assert "damaged" in capsys.readouterr().err
    (tmp_path / "d" / "manifest.json").write_text('{"format": "other"}')
    assert weft("info", tmp_path / "d") == 2
    assert "its format is 'other'" in capsys.readouterr().err
