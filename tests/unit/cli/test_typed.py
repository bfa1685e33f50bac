"""weft import, attach, train and predict of graphs of several types, from files to files."""

import os
import signal

import numpy as np
import polars as pl
import pytest

from weft.cli import main
from weft.graph import HeteroGraph
from weft.train import Trained
from weft.train.run import Run

FEW = ("--epochs", "3", "--hidden", "8", "--num-neighbors", "6,6", "--batch-size", "64", "--threads", "1")
AUTHORS, PAPERS = 80, 200


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Papers of three topics by authors of one topic each; features and labels of papers in files."""
    folder, rng = tmp_path_factory.mktemp("typed"), np.random.default_rng(0)
    topic = np.arange(PAPERS) % 3
    by = rng.integers(0, AUTHORS // 3, (PAPERS, 2)) * 3 + topic[:, None]
    pl.DataFrame(
        {
            "author": [f"a{a}" for a in np.append(by.ravel(), np.arange(78))],
            "paper": np.append(np.repeat(np.arange(PAPERS), 2), np.arange(78)),
        }
    ).write_csv(folder / "writes.csv")
    pl.DataFrame(rng.integers(0, PAPERS, (400, 2)), schema=["a", "b"]).write_csv(
        folder / "cites.csv", include_header=False
    )
    words = ("--edges", f"author,writes,paper={folder / 'writes.csv'}")
    words += ("--edges", f"paper,cites,paper={folder / 'cites.csv'}")
    assert weft("import", *words, "--out", folder / "g") == 0
    x = np.eye(4)[topic] + rng.normal(size=(PAPERS, 4))
    np.save(folder / "x.npy", x.astype(np.float32))
    np.save(folder / "y.npy", topic)
    names = [("red", "green", "blue")[c] for c in topic]
    pl.DataFrame({"id": np.arange(PAPERS), "label": names}).write_csv(folder / "y.csv")
    return folder


def weft(verb, *words):
    return main([verb, *(str(word) for word in words)])


def given(place, out, *more):
    words = ("--features", f"paper={place / 'x.npy'}", "--labels", place / "y.csv")
    return (place / "g", *words, "--model", "rgcn", "--target", "paper", "--out", out, *FEW, *more)


def test_from_files_to_a_model(place, tmp_path, capsys):
    graph = HeteroGraph.open(place / "g")
    assert graph.ids["paper"].kind == "range"
    assert graph.ids["author"].kind == "string"
    assert weft("train", *given(place, tmp_path / "run", "--report", tmp_path / "r.html")) == 0
    said = capsys.readouterr().out
    for word in (
        "paper 200 × 4 float32",
        "learned vectors of 8: author",
        "120 to train on",
        "4 types of edges",
    ):
        assert word in said, word
    html = (tmp_path / "r.html").read_text()
    for word in ("Validation", "accuracy of the test set", "learned vectors"):
        assert word in html, word
    assert sorted(Trained.open(tmp_path / "run").classes) == ["blue", "green", "red"]
    assert weft("info", tmp_path / "run") == 0
    said = capsys.readouterr().out
    for word in ("paper -rev_cites-> paper", "author=78", "tells nodes of   paper"):
        assert word in said, said


def test_predictions(place, tmp_path, capsys):
    longer = ("--epochs", "30", "--learning-rate", "0.02", "--dropout", "0")
    assert weft("train", *given(place, tmp_path / "run", *longer)) == 0
    assert weft("predict", tmp_path / "run", "--out", tmp_path / "said", "--memory", "4MiB") == 0
    assert "with all neighbours" in capsys.readouterr().out
    table = pl.read_csv(tmp_path / "said" / "predictions.csv")
    assert table["id"].to_list() == list(range(PAPERS))
    right = (table["label"] == pl.read_csv(place / "y.csv")["label"]).mean()
    assert right > 0.6
    assert weft("neighbors", tmp_path / "said", "7") == 0
    words = ("--features", f"paper={place / 'x.npy'}", "--graph", place / "g")
    assert weft("predict", tmp_path / "run", "--out", tmp_path / "again", *words) == 0
    a, b = (np.load(tmp_path / name / "output.npy") for name in ("said", "again"))
    np.testing.assert_array_equal(a, b)
    (tmp_path / "e.csv").write_text("1,2\n2,3\n")
    assert weft("import", tmp_path / "e.csv", "--out", tmp_path / "plain") == 0
    capsys.readouterr()
    for words, said in (
        (("--features", place / "x.npy"), "of which nodes?"),
        (("--features", f"venue={place / 'x.npy'}"), "the model takes those of paper"),
        (("--graph", tmp_path / "plain"), "was trained on a graph of several types"),
    ):
        assert weft("predict", tmp_path / "run", "--out", tmp_path / "no", *words) == 2, said
        assert said in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_what_is_attached_is_found(place, tmp_path, capsys):
    words = ("--edges", f"author,writes,paper={place / 'writes.csv'}", "--out", tmp_path / "g")
    assert weft("import", *words) == 0
    more = ("--type", "paper", "--features", place / "x.npy", "--labels", place / "y.csv")
    capsys.readouterr()
    assert weft("attach", tmp_path / "g", *more) == 0
    assert "paper: 200 (3 labels, features [200, 4])" in capsys.readouterr().out
    assert weft("train", tmp_path / "g", "--model", "rgcn", "--plan", *FEW) == 0
    assert "120 to train on" in capsys.readouterr().out


def test_interrupted_and_resumed(place, tmp_path, capsys, monkeypatch):
    out, step = tmp_path / "run", Run.step
    assert weft("train", *given(place, tmp_path / "whole")) == 0

    def signalled(self, batch):
        step(self, batch)
        if self.steps == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "step", signalled)
        assert weft("train", *given(place, out)) == 128 + signal.SIGINT
    capsys.readouterr()
    assert weft("train", *given(place, out, "--resume")) == 0
    assert "after 3 batches" in capsys.readouterr().out
    for name, value in Trained.open(tmp_path / "whole").weights.items():
        np.testing.assert_array_equal(value.numpy(), Trained.open(out).weights[name].numpy())
    assert weft("train", *given(place, out, "--resume")) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_what_cannot_be_trained(place, tmp_path, capsys):
    x, out = place / "x.npy", tmp_path / "run"
    np.save(tmp_path / "short.npy", np.zeros((9, 3), np.float32))
    (tmp_path / "e.csv").write_text("1,2\n2,3\n")
    assert weft("import", tmp_path / "e.csv", "--out", tmp_path / "plain") == 0
    capsys.readouterr()
    to = ("--out", out)
    typed = (place / "g", *to, "--model", "rgcn")
    for words, said in (
        ((place / "g", *to), "'sage' does not know; give --model rgcn"),
        ((*typed, "--task", "link"), "graphs of one type"),
        (typed, "no type has labels attached"),
        ((*typed, "--labels", place / "y.csv"), "--target NAME"),
        ((*typed, "--target", "venue", "--labels", place / "y.csv"), "'venue' to tell"),
        ((*typed, "--target", "paper"), "have no labels"),
        (given(place, out, "--features", "author=nowhere.npy"), "there is no file nowhere.npy"),
        (given(place, out, "--features", x), "takes FILE.npy, or for a graph of several types"),
        (given(place, out, "--features", f"paper={x}"), "given twice"),
        (given(place, out, "--features", f"venue={x}"), "for nodes of type 'venue'"),
        (given(place, out, "--features", f"author={tmp_path / 'short.npy'}"), "9 rows"),
        ((*typed, "--target", "paper", "--labels", place / "y.csv", "--features", x), "of which nodes?"),
        ((tmp_path / "plain", *to, "--features", f"a={x}"), "the graph has one type of nodes"),
        ((tmp_path / "plain", *to, "--target", "paper"), "the graph has one type of nodes"),
    ):
        assert weft("train", *words) == 2, said
        assert said in capsys.readouterr().err
    assert not out.exists()
