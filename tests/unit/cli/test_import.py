"""weft generate, import and info as a user calls them."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest

from weft.cli import main
from weft.embed import Embedding
from weft.errors import WeftValueError
from weft.graph import Graph, Ids


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "edges.csv"
    labels = tmp_path / "labels.csv"
    assert (
        run("generate", "planted", "--nodes", 200, "--communities", 4, "--out", path, "--labels", labels) == 0
    )
    return path, labels


def test_from_table_to_description(tmp_path, table, capsys):
    out = tmp_path / "g"
    assert (
        run("import", table[0], "--out", out, "--labels", table[1], "--memory", "2GiB", "--threads", 2) == 0
    )
    assert "200 nodes" in capsys.readouterr().out
    assert run("info", out, "--verify", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["nodes"], facts["labels"], facts["labelled_nodes"], facts["assignments"]) == (
        200,
        4,
        200,
        200,
    )
    assert facts["verified"]
    assert run("info", out) == 0
    assert "mean degree" in capsys.readouterr().out


def test_options_reach_the_import(tmp_path, capsys):
    (tmp_path / "e.txt").write_text("when;to;from;w\n1;5;7;2\n1;5;7;3\nbroken\n1;7;7;1\n")
    words = ["--columns", "from", "to", "--weight", "w", "--on-error", "skip", "--delimiter", ";"]
    words += ["--directed", "--duplicates", "sum", "--self-loops", "drop"]
    assert run("import", tmp_path / "e.txt", "--out", tmp_path / "g", *words) == 0
    graph = Graph.open(tmp_path / "g")
    assert graph.directed
    assert graph.ids.take([0, 1]).tolist() == [5, 7]
    np.testing.assert_array_equal(graph.indptr, [0, 0, 1])
    np.testing.assert_array_equal(graph.weight, [5])
    assert "1 line could not be read" in capsys.readouterr().err


def test_features(tmp_path):
    (tmp_path / "e.csv").write_text("5,7\n7,9\n")
    np.save(tmp_path / "f.npy", np.array([[9.0, 1], [5, 2], [7, 3]]))
    words = ["--features", tmp_path / "f.npy", "--feature-ids", "0"]
    assert run("import", tmp_path / "e.csv", "--out", tmp_path / "g", *words) == 0
    np.testing.assert_array_equal(Graph.open(tmp_path / "g").features, [[2], [3], [1]])


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("1,2\n3\n", [], "line 2"),
        ("1,2\n3,4\n", ["--num-nodes", "3"], "past the declared count"),
        ("1,2\n", ["--memory", "1MiB"], "too small"),
        ("", [], "empty"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, capsys, text, words, message):
    (tmp_path / "e.csv").write_text(text)
    assert run("import", tmp_path / "e.csv", "--out", tmp_path / "g", *words) == 2
    error = capsys.readouterr().err
    assert error.startswith("weft import: error: ")
    assert message in error
    assert not (tmp_path / "g").exists()


def test_generate_a_graph_directory(tmp_path, capsys):
    assert run("generate", "rmat", "--scale", 8, "--seed", 3, "--out", tmp_path / "g") == 0
    assert "256 nodes" in capsys.readouterr().out
    assert run("generate", "planted", "--nodes", 100, "--communities", 5, "--out", tmp_path / "p") == 0
    assert Graph.open(tmp_path / "p").labels.names == tuple("01234")
    assert run("generate", "rmat", "--scale", 8, "--out", tmp_path / "g") == 2
    assert "exists" in capsys.readouterr().err


def test_generate_parquet(tmp_path):
    path = tmp_path / "e.parquet"
    assert run("generate", "rmat", "--scale", 8, "--edge-factor", 4, "--out", path) == 0
    assert pl.read_parquet(path).shape == (1024, 2)


def test_info_of_nothing(tmp_path, capsys):
    assert run("info", tmp_path / "absent") == 2
    assert "no such directory" in capsys.readouterr().err


def test_columns_of_the_labels(tmp_path, table):
    (tmp_path / "l.csv").write_text("when;kind;who\n0;red;5\n0;blue;6\n")
    words = ["--labels", tmp_path / "l.csv", "--label-columns", "who", "kind"]
    assert run("import", table[0], "--out", tmp_path / "g", *words) == 0
    graph = Graph.open(tmp_path / "g")
    assert graph.labels[int(graph.ids.find(np.array([5]))[0])] == ("red",)
    assert run("import", table[0], "--out", tmp_path / "h", "--label-columns", "who", "kind") == 2


def test_overwriting_replaces_graphs_alone(tmp_path, table, capsys):
    out = tmp_path / "vectors"
    Embedding(vectors=np.eye(3, dtype=np.float32), ids=Ids.range(3)).save(out)
    assert run("import", table[0], "--out", out, "--overwrite") == 2
    assert "it is a weft.embedding, not a weft.graph" in capsys.readouterr().err
    assert Embedding.open(out, verify=True).dim == 3
    assert run("import", table[0], "--out", tmp_path / "g") == 0
    assert run("import", table[0], "--out", tmp_path / "g", "--overwrite") == 0
    with pytest.raises(WeftValueError, match=r"it is a weft\.graph, not a weft\.embedding"):
        Embedding.open(out).save(tmp_path / "g", overwrite=True)


def test_labels_are_counted_by_node_and_by_assignment(tmp_path, capsys):
    (tmp_path / "e.csv").write_text("a,b\nb,c\n")
    (tmp_path / "l.csv").write_text("a,red\na,blue\nb,red\n")
    assert run("import", tmp_path / "e.csv", "--labels", tmp_path / "l.csv", "--out", tmp_path / "g") == 0
    assert run("info", tmp_path / "g") == 0
    shown = re.sub(" +", " ", capsys.readouterr().out)
    assert "\nlabels 2\nlabelled nodes 2\nassignments 3\n" in shown


@pytest.mark.parametrize(("header", "nodes"), [("auto", 5), ("yes", 3), ("no", 5)])
def test_a_first_line_of_text_above_text(tmp_path, capsys, header, nodes):
    path = tmp_path / "people.csv"
    path.write_text("who,whom\nann,bob\nbob,cat\n")
    assert run("import", path, "--header", header, "--out", tmp_path / "g") == 0
    printed = capsys.readouterr()
    assert f"{nodes} nodes" in printed.out
    assert ("'who,whom' (if it names the columns: weft import --header yes" in printed.err) == (
        header == "auto"
    )


def test_quotes_that_are_text(tmp_path, capsys):
    (tmp_path / "e.csv").write_text('"a,b\nb,c\n')
    assert run("import", tmp_path / "e.csv", "--out", tmp_path / "g") == 2
    assert "--no-quotes" in capsys.readouterr().err
    assert run("import", tmp_path / "e.csv", "--out", tmp_path / "g", "--no-quotes") == 0
    assert '"a' in Graph.open(tmp_path / "g").ids.take(range(3))


@pytest.mark.parametrize(
    ("text", "words", "option"),
    [
        ("a,1\n", ["--ids", "int"], "--ids string"),
        ("1,99999999999999999999\n", ["--ids", "int"], "--ids string"),
        ("a,b\n", ["--num-nodes", "3"], "--num-nodes"),
        ("1,2\n", ["--out", "{}/e.csv"], "--overwrite"),
    ],
)
def test_errors_name_the_options(tmp_path, capsys, text, words, option):
    (tmp_path / "e.csv").write_text(text)
    words = [word.format(tmp_path) for word in words]
    assert run("import", tmp_path / "e.csv", "--out", tmp_path / "g", *words) == 2
    assert option in capsys.readouterr().err


def test_types_of_edges(tmp_path, capsys):
    (tmp_path / "w.csv").write_text("author,paper\nann,10\nbob,10\nbob,7\nbob,7\n")
    (tmp_path / "c.csv").write_text("7,10,2\n10,7,0.5\n")
    words = ("--edges", f"author,writes,paper={tmp_path / 'w.csv'}:author,paper")
    words += ("--edges", f"paper, cites, paper={tmp_path / 'c.csv'}:0,1,2")
    assert run("import", *words, "--out", tmp_path / "g", "--num-nodes", "venue=4") == 0
    said = capsys.readouterr()
    assert "author -rev_writes->" not in said.out
    assert "paper -rev_writes-> author: 3" in said.out
    assert "1 duplicate edge dropped (the first is kept), of 4 edges read" in said.err
    assert run("info", tmp_path / "g", "--verify", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in facts["node_type"]] == ["venue", "author", "paper"]
    assert [one["weighted"] for one in facts["edge_type"]] == [False, True, False, True]
    assert facts["edge_type"][0]["name"] == "author -writes-> paper"
    np.save(tmp_path / "x.npy", np.ones((2, 3), np.float32))
    assert run("attach", tmp_path / "g", "--type", "paper", "--features", tmp_path / "x.npy") == 0
    assert run("import", *words, "--out", tmp_path / "g") == 2
    assert "exists" in capsys.readouterr().err
    assert run("import", *words, "--out", tmp_path / "g", "--directed", "--overwrite") == 0


def test_types_of_edges_that_are_refused(tmp_path, capsys):
    file = tmp_path / "w.csv"
    file.write_text("ann,10\n")
    typed, out = ("--edges", f"author,writes,paper={file}"), ("--out", tmp_path / "g")
    for words, said in (
        (out, "which edges?"),
        ((file, *typed, *out), "--edges SOURCE,RELATION,TARGET="),
        (("--edges", f"author,writes={file}", *out), "SOURCE_TYPE,RELATION,TARGET_TYPE=FILE"),
        (("--edges", str(file), *out), "SOURCE_TYPE,RELATION,TARGET_TYPE=FILE"),
        ((*typed, *typed, *out), "given twice"),
        (("--edges", f"a,b,c={file}:0", *out), "after the colon stand the columns"),
        ((*typed, *out, "--num-nodes", "5"), "of which type?"),
        ((*typed, *out, "--num-nodes", "paper"), "numbers by type"),
        ((*typed, *out, "--num-nodes", "paper=50,paper=60"), "--num-nodes paper= is given twice"),
        ((file, *out, "--num-nodes", "paper=5"), "without --edges"),
        ((*typed, *out, "--labels", file), "weft attach"),
        (("--edges", "a,b,c=nowhere.csv", *out), "no such file"),
    ):
        assert run("import", *words) == 2 if "no such" not in said else run("import", *words) == 1, said
        assert said in capsys.readouterr().err
    assert not (tmp_path / "g").exists()
