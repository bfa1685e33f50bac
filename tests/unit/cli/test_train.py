"""weft train and weft predict, from files to files."""

import os
import signal

import numpy as np
import polars as pl
import pytest

from weft.cli import main
from weft.graph import Graph
from weft.train import Trained
from weft.train.run import Run

FEW = ("--epochs", "3", "--hidden", "8", "--num-neighbors", "5,5", "--batch-size", "64", "--threads", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A graph of 300 nodes whose ids are words, with features, labels and a split in files."""
    folder, rng = tmp_path_factory.mktemp("train"), np.random.default_rng(0)
    group = np.arange(300) % 3
    src, dst = np.append(
        rng.integers(0, 300, (2, 4000)), [np.arange(300), (np.arange(300) + 3) % 300], axis=1
    )
    kept = group[src] == group[dst]
    pl.DataFrame({"src": [f"n{i}" for i in src[kept]], "dst": [f"n{i}" for i in dst[kept]]}).write_csv(
        folder / "edges.csv"
    )
    assert main(["import", str(folder / "edges.csv"), "--out", str(folder / "g")]) == 0
    graph = Graph.open(folder / "g")
    ids = graph.ids.take(np.arange(graph.num_nodes)).tolist()
    code = np.array([int(i[1:]) % 3 for i in ids])
    np.save(folder / "x.npy", (np.eye(3)[code] + rng.normal(size=(len(ids), 3))).astype(np.float32))
    np.save(folder / "y.npy", code)
    split = np.array(["train", "valid", "test"])[rng.choice(3, len(ids), p=[0.5, 0.2, 0.3])].tolist()
    names = [("red", "green", "blue")[c] for c in code]
    pl.DataFrame({"id": ids, "label": names}).write_csv(folder / "y.csv")
    pl.DataFrame({"id": ids, "label": names, "split": split}).write_csv(folder / "ys.csv")
    pl.DataFrame({"id": ids, "set": split}).write_csv(folder / "split.csv")
    return folder


def weft(verb, *words):
    return main([verb, *(str(word) for word in words)])


def given(place, out, *more, labels="y.csv"):
    return (place / "g", "--features", place / "x.npy", "--labels", place / labels, "--out", out, *FEW, *more)


def test_from_files_to_predictions(place, tmp_path, capsys):
    out, page = tmp_path / "run", tmp_path / "report.html"
    longer = ("--tensorboard", tmp_path / "curves", "--epochs", "15", "--learning-rate", "0.02")
    assert weft("train", *given(place, out, "--report", page, *longer)) == 0
    said = capsys.readouterr().out
    for word in ("split", "features", "model", "batches", "memory", "accuracy", "a step", "weft predict"):
        assert word in said, word
    html = page.read_text()
    for word in ("Loss", "Validation", "A step of the training", "compute", "accuracy of the test set"):
        assert word in html, word
    assert not (tmp_path / "run.checkpoint").exists()
    assert list((tmp_path / "curves").iterdir())
    trained = Trained.open(out)
    assert sorted(trained.classes) == ["blue", "green", "red"]
    assert weft("predict", out, "--out", tmp_path / "said", "--memory", "1MiB") == 0
    said = capsys.readouterr().out
    assert "with all neighbours" in said
    table = pl.read_csv(tmp_path / "said" / "predictions.csv")
    right = (table["label"] == pl.read_csv(place / "y.csv")["label"]).mean()
    assert right > 0.6, said
    assert weft("neighbors", tmp_path / "said", "n7") == 0
    assert weft("predict", out, "--out", tmp_path / "said") == 2
    assert "exists" in capsys.readouterr().err


def test_the_plan_alone(place, tmp_path, capsys):
    words = given(place, tmp_path / "run", "--plan", labels="y.npy")
    assert weft("train", *words) == 0
    said = capsys.readouterr().out
    assert "180 to train on, 60 to validate, 60 to test" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("ys.csv",), ("y.csv", "split.csv")])
def test_a_split_of_the_users(place, tmp_path, words):
    more = () if len(words) == 1 else ("--split", place / words[1])
    assert weft("train", *given(place, tmp_path / "run", *more, labels=words[0])) == 0
    table = pl.read_csv(place / "ys.csv")
    graph, trained = Graph.open(place / "g"), Trained.open(tmp_path / "run")
    for part, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        ids = graph.ids.take(getattr(trained.split, part)).tolist()
        assert set(ids) == set(table.filter(table["split"] == name)["id"])


def test_interrupted_and_resumed(place, tmp_path, capsys, monkeypatch):
    out, step = tmp_path / "run", Run.step
    assert weft("train", *given(place, tmp_path / "whole")) == 0

    def signalled(self, batch):
        step(self, batch)
        if self.steps == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "step", signalled)
        assert weft("train", *given(place, out)) == 128 + signal.SIGINT
    assert f"{out}.checkpoint holds the state: --resume" in capsys.readouterr().err
    assert weft("train", *given(place, out)) == 2
    assert "pass --resume to go on" in capsys.readouterr().err
    assert weft("train", *given(place, out, "--resume")) == 0
    assert "after 5 batches" in capsys.readouterr().out
    for name, value in Trained.open(tmp_path / "whole").weights.items():
        np.testing.assert_array_equal(value.numpy(), Trained.open(out).weights[name].numpy())
    assert weft("train", *given(place, out, "--resume")) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert weft("train", *given(place, out, "--resume", "--seed", "1")) == 2
    assert "seed=0 (now 1)" in capsys.readouterr().err
    assert weft("train", *given(place, out)) == 2
    assert "exists" in capsys.readouterr().err
    assert weft("train", *given(place, out, "--overwrite")) == 0


def test_what_cannot_be_trained(place, tmp_path, capsys):
    np.save(tmp_path / "short.npy", np.zeros((9, 3), np.float32))
    np.save(tmp_path / "nan.npy", np.full((300, 3), np.nan, np.float32))
    np.save(tmp_path / "far.npy", np.full(300, -5))
    (tmp_path / "none.csv").write_text("id,label\nzebra,red\nlion,blue\n")
    (tmp_path / "odd.csv").write_text("id,split\nn1,train\nn2,sometimes\n")
    out = tmp_path / "run"
    for words, said in (
        ((place / "nowhere", "--out", out), "there is no graph directory"),
        ((place / "g",), "where shall the model go"),
        ((place / "g", "--out", out), "the graph has no labels"),
        (given(place, out, "--labels", tmp_path / "none.csv"), "none of its"),
        (given(place, out, "--labels", tmp_path / "far.npy"), "the label of node 0 is -5"),
        (given(place, out, "--labels", tmp_path / "gone.csv"), "there is no file"),
        (given(place, out, "--split", tmp_path / "odd.csv"), "the split names 'sometimes'"),
        (given(place, out, "--features", tmp_path / "short.npy"), "features have 9 rows"),
        (given(place, out, "--features", tmp_path / "nan.npy"), "900 features of 900 are NaN"),
        (given(place, out, "--num-neighbors", "5;5"), "numbers with commas"),
        (given(place, out, "--memory", "much"), "memory must be a size"),
        (given(place, out, "--checkpoint-minutes", "-1"), "checkpoint_minutes"),
        (given(place, out, "--report", tmp_path / "no" / "r.html"), "there is no folder"),
        (given(place, out, "--checkpoint", tmp_path), "--out"),
    ):
        assert weft("train", *words) == 2, said
        assert said in capsys.readouterr().err
    assert not out.exists()
    assert weft("predict", place / "g", "--out", out) == 2
    assert "expected 'weft.model'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        weft("train", *given(place, out, "--model", "mlp"))


def test_what_changed_since_a_run_that_is_over(place, tmp_path, capsys):
    for name in ("x.npy", "y.csv"):
        (tmp_path / name).write_bytes((place / name).read_bytes())
    words = (
        place / "g",
        "--features",
        tmp_path / "x.npy",
        "--labels",
        tmp_path / "y.csv",
        "--out",
        tmp_path / "m",
    )
    again = (*words, *FEW, "--resume")
    assert weft("train", *words, *FEW) == 0
    assert weft("train", *again) == 0
    assert "nothing to do" in capsys.readouterr().out
    lines = (tmp_path / "y.csv").read_text().splitlines()
    swapped = [line.replace("red", "blue") if i % 7 == 0 else line for i, line in enumerate(lines)]
    (tmp_path / "y.csv").write_text("\n".join(swapped) + "\n")
    assert weft("train", *again) == 2
    assert "m exists and was made with other labels; choose another --out" in capsys.readouterr().err
    (tmp_path / "y.csv").write_text("\n".join(lines) + "\n")
    np.save(tmp_path / "x.npy", np.load(tmp_path / "x.npy")[::-1])
    assert weft("train", *again) == 2
    assert "was made with other features" in capsys.readouterr().err
    assert weft("train", *again, "--hidden", "9") == 2
    assert "was made with hidden=8 (now 9)" in capsys.readouterr().err


def test_checkpoints_by_epochs(place, tmp_path, capsys, monkeypatch):
    from weft.embed.checkpoint import Checkpoint

    saved = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, parts, pairs: saved.append(pairs))
    assert weft("train", *given(place, tmp_path / "m", "--checkpoint-epochs", "1", "--patience", "None")) == 0
    assert len(saved) == 2
    assert weft("train", *given(place, tmp_path / "m2", "--checkpoint-epochs", "0")) == 2
    assert "--checkpoint-epochs must be at least 1 (got 0)" in capsys.readouterr().err


def test_predict_names_itself(place, tmp_path, capsys):
    assert weft("train", *given(place, tmp_path / "m")) == 0
    np.save(tmp_path / "short.npy", np.load(place / "x.npy")[:-1])
    wrong = np.load(place / "x.npy")
    wrong[3] = np.nan
    np.save(tmp_path / "nan.npy", wrong)
    capsys.readouterr()
    for name, said in (("short", "features have 299 rows"), ("nan", "3 features of 900 are NaN")):
        words = ("--out", tmp_path / "p", "--features", tmp_path / f"{name}.npy")
        assert weft("predict", tmp_path / "m", *words) == 2
        shown = capsys.readouterr().err
        assert f"predict: {said}" in shown
        assert "train:" not in shown
