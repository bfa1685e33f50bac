"""Labels and splits that cannot be meant are told before a training on them."""

from __future__ import annotations

import numpy as np
import pytest

from weft.cli import main
from weft.errors import WeftValueError
from weft.graph import Labels
from weft.train import Settings, Split, Targets, Training
from weft.train.classes import check_classes, show_classes

SMALL = {"hidden": 8, "num_neighbors": (3,), "batch_size": 64}


def targets(codes, names=None):
    return Targets.of(np.array(codes), len(codes))


def test_the_plan_says_what_the_labels_are(graph, rows, labels):
    with Training(graph, rows, labels) as training:
        assert (
            training.plan.facts()["labels"]
            == "3 classes of 33.3 to 33.3 % of 300 labelled nodes; 0 nodes without"
        )
    few = np.where(np.arange(300) < 40, labels, -1)
    few[0] = 9
    with Training(graph, rows, few) as training:
        assert (
            training.plan.facts()["labels"]
            == "4 classes (10 by number) of 2.5 to 32.5 % of 40 labelled nodes; 260 nodes without"
        )


def test_several_labels():
    given = Targets.of(Labels.from_pairs(np.array([0, 0, 1, 2]), ["a", "b", "a", "a"], 5), 5)
    assert (
        show_classes(given)
        == "2 classes of 33.3 to 100 % of 3 labelled nodes, some with several; 2 nodes without"
    )


def test_ids_in_place_of_labels(graph, rows):
    ids = np.random.default_rng(0).permutation(300)
    with pytest.raises(
        WeftValueError, match=r"no two of the 300 labelled nodes have the same label \('\d+', '\d+', .* …\)"
    ):
        Training(graph, rows, ids)
    with pytest.raises(
        WeftValueError, match="as if they were ids; give the file, or the column, of the classes"
    ):
        Training(graph, rows, Labels.from_pairs(np.arange(50), [f"n{i}" for i in range(50)], 300))


def test_two_nodes_of_a_karate_club_may_differ(recwarn):
    check_classes(targets([0, 1, -1, -1]), Split(train=[0, 1], val=[], test=[]))
    assert not recwarn.list


def test_classes_that_nothing_is_learned_of():
    codes = np.arange(100) // 2  # names of people, each twice
    split = Split(train=np.arange(0, 60), val=np.arange(60, 80), test=np.arange(80, 100))
    with pytest.warns(
        UserWarning, match="40 of the 40 nodes to validate and test have a class that no node to train"
    ):
        check_classes(targets(codes), split)
    mixed = Split(train=np.arange(0, 100, 2), val=np.arange(1, 50, 2), test=np.arange(51, 100, 2))
    check_classes(targets(codes), mixed)


def test_a_split_without_nodes_to_validate(graph, rows, labels):
    split = Split(train=np.arange(200), val=[], test=np.arange(200, 300))
    given = {"settings": Settings(**SMALL, epochs=3)}
    with pytest.warns(
        UserWarning, match=r"no node to validate on: patience=10 ends nothing, all 3 .*--patience None"
    ):
        training = Training(graph, rows, labels, split=split, **given)
    with training:
        assert training.plan.facts()["epochs"].startswith("3; nothing validates: none ends it early")
        assert training.fit().scores["epoch"] == 3


def test_none_is_warned_of_what_was_asked_for(graph, rows, labels, recwarn):
    split = Split(train=np.arange(200), val=[], test=np.arange(200, 300))
    with Training(graph, rows, labels, split=split, settings=Settings(**SMALL, patience=None)):
        pass
    with Training(graph, rows, labels, settings=Settings(**SMALL, patience=None)) as training:
        assert training.plan.facts()["epochs"] == "50; the weights of the best are kept"
    assert not [warning for warning in recwarn.list if "train:" in str(warning.message)]


def test_on_the_command_line(graph, rows, tmp_path, capsys):
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "ids.npy", np.arange(300))
    given = [str(graph.path), "--features", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "ids.npy")]
    assert main(["train", *given, "--plan"]) == 2
    assert "no two of the 300 labelled nodes have the same label" in capsys.readouterr().err
    np.save(tmp_path / "ids.npy", np.arange(300) % 4)
    (tmp_path / "split.csv").write_text("".join(f"{i},train\n" for i in range(300)))
    assert main(["train", *given, "--plan", "--split", str(tmp_path / "split.csv")]) == 0
    shown = capsys.readouterr()
    assert "labels   4 classes of 25 to 25 % of 300 labelled nodes; 0 nodes without" in shown.out
    assert "note: train: the split has no node to validate on" in shown.err
