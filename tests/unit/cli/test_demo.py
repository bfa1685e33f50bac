"""The demo from end to end, at a small size."""

import json
import sys

import numpy as np
import polars as pl
import pytest

from weft.cli import demo, main
from weft.embed import Embedding
from weft.graph import Graph


def test_too_few_nodes(tmp_path, capsys):
    assert main(["demo", "--out", f"{tmp_path}/demo", "--nodes", "100"]) == 2
    assert "--nodes must be at least 200 (got 100)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_scikit_learn(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert main(["demo", "--out", f"{tmp_path}/demo"]) == 2
    assert "pip install scikit-learn, or pip install weft[eval]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_from_nothing_to_a_page(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["demo", "--out", str(out), "--nodes", "2000"]) == 0
    assert "What to try next" in capsys.readouterr().out
    _check_page(out)
    _check_graph(out)
    _check_vectors(out, capsys)


def _check_page(out):
    page = (out / "report.html").read_text("utf-8")
    for shown in ("micro-F1", "2,000", "mean loss per pair", "learning_rate", "weft neighbors", "<svg"):
        assert shown in page
    assert "http" not in page


def _check_graph(out):
    graph, frame = Graph.open(out / "graph", verify=True), pl.read_csv(out / "edges.csv")
    assert graph.ids.kind == "string"
    ends = [graph.ids.find(frame[column].to_numpy()) for column in ("source", "target")]
    assert min(end.min() for end in ends) >= 0
    assert graph.has_edges(*ends).all()
    names = dict(pl.read_csv(out / "labels.csv").iter_rows())
    assert all(graph.labels[node] == (names[graph.ids[node]],) for node in range(graph.num_nodes))


def _check_vectors(out, capsys):
    assert np.isfinite(Embedding.open(out / "vectors", verify=True).vectors).all()
    assert main(["evaluate", f"{out}/vectors", "--portions", "0.1", "--trials", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["portions"][0]["micro_f1"] >= 0.95


@pytest.mark.parametrize(
    ("method", "options"),
    [("line", {"dim", "epochs", "learning_rate"}), ("prone", {"dim"})],
)
def test_a_method_gets_its_own_settings(method, options):
    assert demo._settings(method).keys() == options | {"method"}


def test_once_more_in_the_same_place_gives_the_same(tmp_path, capsys):
    runs = []
    for _ in range(2):
        assert main(["demo", "--out", str(tmp_path / "out"), "--nodes", "300"]) == 0
        edges = (tmp_path / "out" / "edges.csv").read_bytes()
        runs.append((edges, np.array(Embedding.open(tmp_path / "out" / "vectors").vectors)))
    assert runs[0][0] == runs[1][0]
    np.testing.assert_array_equal(runs[0][1], runs[1][1])
    assert str(tmp_path / "out" / "report.html") in capsys.readouterr().out
