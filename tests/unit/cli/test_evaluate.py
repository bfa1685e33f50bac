"""``weft evaluate``: refusals first, then both tasks, JSON and the page."""

import json

import numpy as np
import pytest

from weft.cli import main
from weft.embed import Embedding
from weft.graph import Graph

QUICK = ["--trials", "2", "--portions", "0.2", "0.5"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{}/none"], "none"),
        (["{}/graph"], "graph"),
        (["{}/vectors"], "give --graph DIR"),
        (["{}/vectors", "--graph", "{}/graph", "--portions", "1.5"], "portions must lie between 0 and 1"),
        (["{}/vectors", "--graph", "{}/graph", "--trials", "0"], "trials must be at least 1"),
        (["{}/vectors", "--graph", "{}/none"], "none"),
        (["{}/vectors", "--labels", "{}/none.csv"], "none.csv"),
        (["{}/plain", "--task", "link", "--graph", "{}/graph"], "--holdout"),
        (["{}/vectors", "--task", "link", "--labels", "{}/graph"], "--labels are for --task classification"),
        (
            ["{}/vectors", "--task", "link", "--graph", "{}/graph", "--negatives", "0"],
            "num_negatives must be at least 1",
        ),
    ],
)
def test_what_cannot_be_evaluated(small, capsys, words, message):
    status = main(["evaluate", *(word.format(small) for word in words)])
    shown = capsys.readouterr()
    assert status in (1, 2)
    assert shown.err.startswith("weft evaluate: error: ")
    assert message in shown.err
    assert shown.out == ""


def test_a_graph_of_other_nodes(small, tmp_path, capsys):
    Graph.from_edges([0, 1], [1, 2]).save(tmp_path / "other")
    assert main(["evaluate", f"{small}/vectors", "--graph", f"{tmp_path}/other"]) == 2
    assert "has other nodes" in capsys.readouterr().err


def test_a_graph_without_labels(small, tmp_path, capsys):
    import dataclasses

    bare = dataclasses.replace(Graph.open(small / "graph"), labels=None)
    bare.save(tmp_path / "bare")
    assert main(["evaluate", f"{small}/vectors", "--graph", f"{tmp_path}/bare"]) == 2
    assert "has no labels; give --labels FILE" in capsys.readouterr().err


def test_classification(small, capsys):
    words = ["evaluate", f"{small}/vectors", "--graph", f"{small}/graph", *QUICK]
    assert main(words) == 0
    table = capsys.readouterr().out
    assert "120 labelled nodes, 4 labels, 2 trials" in table
    assert "20.0%" in table
    assert main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["portion"] for row in result["portions"]] == [0.2, 0.5]
    assert result["portions"][1]["micro_f1"] > 0.9


def test_labels_from_a_file(small, tmp_path, capsys):
    lines = [f"n{i},{'even' if i % 2 == 0 else 'odd'}" for i in range(100)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    words = ["evaluate", f"{small}/vectors", "--labels", f"{tmp_path}/labels.csv", *QUICK, "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["nodes"], result["labels"]) == (100, 2)


def test_columns_of_the_labels(small, tmp_path, capsys):
    lines = [f"{i},n{i},{'even' if i % 2 == 0 else 'odd'}" for i in range(100)]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    words = ["evaluate", f"{small}/vectors", "--labels", f"{tmp_path}/labels.csv", *QUICK]
    assert main(words) == 2
    assert "--label-columns ID LABEL" in capsys.readouterr().err
    assert main([*words, "--label-columns", "1", "2"]) == 0
    shown = capsys.readouterr()
    assert "100 labelled nodes, 2 labels" in shown.out
    assert "ids from column number 1, labels from number 2, of 3" in shown.err
    assert main(["evaluate", f"{small}/vectors", "--label-columns", "1", "2"]) == 2
    assert "needs --labels" in capsys.readouterr().err


def test_link_prediction(small, capsys):
    words = ["evaluate", f"{small}/vectors", "--task", "link", "--graph", f"{small}/graph"]
    assert main(words) == 0
    assert "AUC" in capsys.readouterr().out
    assert main([*words, "--json", "--score", "dot"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["edges"] == 3
    assert 0 <= result["auc"] <= 1


def test_a_graph_the_vectors_name(small, tmp_path, capsys):
    import dataclasses

    named = dataclasses.replace(Embedding.open(small / "vectors"), config={"graph": str(small / "graph")})
    named.save(tmp_path / "named")
    assert main(["evaluate", f"{tmp_path}/named", *QUICK]) == 0
    assert "4 labels" in capsys.readouterr().out


@pytest.mark.parametrize("task", ["classification", "link"])
def test_a_page(small, tmp_path, capsys, task):
    page = tmp_path / "report.html"
    words = ["evaluate", f"{small}/vectors", "--graph", f"{small}/graph", "--task", task, *QUICK]
    assert main([*words, "--report", str(page)]) == 0
    text = page.read_text("utf-8")
    assert ("Node classification" if task == "classification" else "Link prediction") in text
    assert "120 of 120 nodes" in text
    assert str(page) in capsys.readouterr().err


def test_vectors_on_disk_are_only_read(small):
    before = np.array(Embedding.open(small / "vectors").vectors)
    main(["evaluate", f"{small}/vectors", "--graph", f"{small}/graph", *QUICK])
    np.testing.assert_array_equal(Embedding.open(small / "vectors", verify=True).vectors, before)
