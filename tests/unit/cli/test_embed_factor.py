"""``weft embed`` by factorisation, and what reads the vectors."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from weft.cli import main
from weft.embed import Embedding, NodeEmbedding
from weft.graph import Graph

METHODS = pytest.mark.parametrize("method", ["prone", "lightne"])


@pytest.fixture
def graph(tmp_path):
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 60, (2, 300)) + 1000
    return Graph.from_edges(*edges).save(tmp_path / "graph")


def words_of(graph, out, method, *more):
    return ["embed", str(graph.path), "--out", str(out), "--method", method, "--dim", "16", *more]


@METHODS
def test_vectors_equal_those_of_the_estimator(method, tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    params = {"samples": 7, "window": 3} if method == "lightne" else {}
    options = [word for name, value in params.items() for word in (f"--{name}", str(value))]
    assert main(words_of(graph, out, method, *options, "--no-propagate", "--threads", "1")) == 0
    made = Embedding.open(out, verify=True)
    model = NodeEmbedding(method=method, dim=16, **params, propagate=False)
    np.testing.assert_array_equal(made.vectors, model.fit_transform(graph))
    text = capsys.readouterr().out
    assert re.search(r"matrix +(at most )?[\d,]+ entries\n", text)
    assert ("walks" in text) == (method == "lightne")
    assert re.search(r"time     about .*, by a short trial\n", text)
    assert re.search(r"vectors  60 of 16 dimensions in .*\n  time     \d+\.\d s\n", text)
    assert "loss" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph", "vectors"]


@METHODS
def test_the_plan_alone(method, tmp_path, graph, capsys):
    assert main(["embed", str(graph.path), "--method", method, "--plan"]) == 0
    text = capsys.readouterr().out
    names = [line.split()[0] for line in text.splitlines()]
    walks = ["walks"] if method == "lightne" else []
    # The vectors have more columns than the graph has nodes.
    assert names == ["graph", *walks, "matrix", "vectors", "svd", "filter", "memory", "time"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph"]


@METHODS
def test_what_reads_the_vectors(method, tmp_path, capsys):
    pytest.importorskip("sklearn")
    group = np.arange(120) % 4
    src, dst = np.random.default_rng(0).integers(0, 120, (2, 6000))
    same = group[src] == group[dst]
    graph = Graph.from_edges(src[same], dst[same], num_nodes=121).save(tmp_path / "graph")
    labels = tmp_path / "labels.csv"
    labels.write_text("id,label\n" + "".join(f"{i},{g}\n" for i, g in enumerate(group)))
    out, page = tmp_path / "vectors", tmp_path / "page.html"
    assert main(words_of(graph, out, method, "--holdout", "0.1", "--report", str(page))) == 0
    assert "1 node without out-edges: the vector 0" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "entries of the matrix" in text
    assert "pairs of a pool" not in text
    assert "mean loss per pair" not in text
    assert main(["evaluate", str(out), "--labels", str(labels), "--portions", "0.2", "--trials", "1"]) == 0
    assert re.search(r"20\.0% .* 1\.0000 ± 0\.0000", capsys.readouterr().out)
    assert main(["evaluate", str(out), "--task", "link"]) == 0
    assert "cosine" in capsys.readouterr().out
    assert main(["evaluate", str(out), "--task", "link", "--score", "context"]) == 2
    assert "context" in capsys.readouterr().err
    assert main(["neighbors", str(out), "5", "-k", "3"]) == 0
    found = [int(line.split()[1]) for line in capsys.readouterr().out.splitlines()[-3:]]
    assert {node % 4 for node in found} == {1}
    assert main(["export", str(out), "--to", str(tmp_path / "vectors.npy")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), Embedding.open(out).vectors)


@METHODS
def test_vectors_are_not_updated(method, tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    assert main(words_of(graph, out, method)) == 0
    words = ["update", str(out), "--graph", str(graph.path), "--out", str(tmp_path / "new")]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert f"{method} computes vectors whole; embed the graph as it is now (weft embed)" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph", "vectors"]


@METHODS
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dim", "0"], "dim must be in 1"),
        (
            ["--checkpoint", "state"],
            "--checkpoint does nothing with METHOD, only with deepwalk, node2vec and",
        ),
        (["--checkpoint-minutes=3"], "--checkpoint-minutes does nothing with METHOD"),
        (["--resume"], "--resume does nothing with METHOD"),
        (["--tensorboard", "curves"], "--tensorboard does nothing with METHOD"),
        (["--epochs", "1000"], "--epochs does nothing with METHOD"),
        (["--walk_length", "40"], "--walk_length does nothing with METHOD, only with deepwalk and node2vec"),
        (["--memory", "20KiB"], "memory allows 20.0 KiB"),
    ],
)
def test_refuses(method, options, message, tmp_path, graph, capsys):
    assert main(words_of(graph, tmp_path / "vectors", method, *options)) == 2
    assert message.replace("METHOD", method) in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph"]


def test_a_checkpoint_of_another_method_is_left_alone(tmp_path, graph):
    state = tmp_path / "vectors.checkpoint"
    NodeEmbedding(dim=16, epochs=300).fit(graph, checkpoint=state, every_minutes=0)
    assert main(words_of(graph, tmp_path / "vectors", "prone")) == 0
    assert state.exists()


def test_an_interrupt_leaves_nothing(tmp_path):
    file = tmp_path / "edges.csv"
    rng = np.random.default_rng(0)
    file.write_text("a,b\n" + "".join(f"x{a},x{b}\n" for a, b in rng.integers(0, 5000, (40_000, 2))))
    words = [
        "embed",
        str(file),
        "--out",
        str(tmp_path / "vectors"),
        "--method",
        "lightne",
        "--samples",
        "9999",
    ]
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    while not child.stdout.readline().startswith("  time"):
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 128 + signal.SIGINT
    assert "weft embed: error: interrupted" in said
    assert list(tmp_path.iterdir()) == [file]


@METHODS
def test_demo(method, tmp_path, capsys):
    pytest.importorskip("sklearn")
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), "--nodes", "2000", "--method", method]) == 0
    said = capsys.readouterr().out
    assert f"--method {method} --dim 128" in said
    page = (out / "report.html").read_text("utf-8")
    assert {"prone": "ProNE", "lightne": "LightNE"}[method] in page
    assert "pairs trained" not in page
    assert main(["evaluate", f"{out}/vectors", "--portions", "0.1", "--trials", "2"]) == 0
