"""Where the verbs that train write: what would be lost or cannot be written is refused before the work."""

from __future__ import annotations

import os

import numpy as np
import pytest

from weft.cli import main
from weft.embed import Embedding, NodeEmbedding
from weft.graph import Graph

QUICK = ["--epochs", "30", "--dim", "8"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a graph, vectors of it, the same as a file of edges, and a file."""
    monkeypatch.chdir(tmp_path)
    edges = np.random.default_rng(0).integers(0, 60, (2, 300))
    graph = Graph.from_edges(*edges).save("graph")
    Embedding.of(NodeEmbedding(dim=8, epochs=1).fit(graph), graph).save("vectors")
    (tmp_path / "edges.csv").write_text("".join(f"{a},{b}\n" for a, b in edges.T))
    (tmp_path / "file").write_text("x")
    (tmp_path / "nowhere").symlink_to("gone")
    return tmp_path


def refused(capsys, *words, says):
    """Nothing was written, and the message is one line."""
    before = sorted(os.listdir())
    assert main([*words, *(QUICK if words[0] == "embed" else [])]) in (1, 2)
    out, err = capsys.readouterr()
    assert says in err, err
    assert err.count("\n") == 1
    assert "fault of weft" not in err
    assert "time" not in out, "it was tried before it was refused"
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("out", ["", ".", "/"])
def test_vectors_need_a_name(place, capsys, out):
    refused(capsys, "embed", "graph", "--out", out, says="--out must be the name of a directory")
    refused(capsys, "update", "vectors", "--graph", "graph", "--out", out, says="--out must be the name")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--out", "file/v"], "a part of that path is a file"),
        (["--out", "/proc/weft/v"], "cannot write /proc/weft/v"),
        (["--out", "x" * 250], "File name too long"),
        (["--out", "nowhere"], "nowhere exists"),
        (["--out", "nowhere", "--overwrite"], "nowhere: it is not a weft directory"),
        (["--out", "file", "--overwrite"], "file: it is not a weft directory"),
        (["--out", "graph", "--overwrite"], "not apart from --out graph"),
        (["--out", "v", "--checkpoint", "v"], "--checkpoint v is not apart from --out v"),
        (["--out", "v", "--checkpoint", "v/state"], "--checkpoint v/state is not apart from --out v"),
        (["--out", "v/w", "--checkpoint", "v"], "--out v/w is not apart from --checkpoint v"),
        (["--out", "v", "--tensorboard", "v/curves"], "--tensorboard v/curves is not apart from --out v"),
        (["--out", "v", "--checkpoint", "nowhere"], "nowhere: it is not a weft directory"),
        (["--out", "v", "--checkpoint", "/proc/weft"], "cannot write /proc/weft"),
        (["--out", "v", "--report", "none/page.html"], "there is no folder none for --report"),
    ],
)
def test_refused_before_training(place, capsys, options, says):
    if "/proc" in says and not os.path.isdir("/proc"):
        pytest.skip("no /proc")
    if "--tensorboard" in options:
        pytest.importorskip("tensorboard")
    refused(capsys, "embed", "graph", *options, says=says)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--graph", "v"], "--graph v is not apart from --out v"),
        (["--graph", "v/graph"], "--graph v/graph is not apart from --out v"),
        (["--graph", "v.checkpoint"], "--graph v.checkpoint is not apart from --checkpoint"),
        (["--graph", "edges.csv", "--overwrite"], "the input edges.csv is not apart from --graph"),
        (["--graph", "vectors", "--overwrite"], "vectors: it is a weft.embedding, not a weft.graph"),
    ],
)
def test_refused_before_the_import(place, capsys, options, says):
    refused(capsys, "embed", "edges.csv", "--out", "v", *options, says=says)


def test_an_update_leaves_the_graph_alone(place, capsys):
    update = ["update", "vectors", "--graph", "graph", "--overwrite", "--out"]
    refused(capsys, *update, "graph", says="--graph graph is not apart from --out graph")
    Graph.open("graph").save("other")
    refused(capsys, *update, "other", says="other: it is a weft.graph, not a weft.embedding")
    refused(capsys, *update, "v", "--checkpoint", "vectors", says="not apart from --checkpoint")
    refused(capsys, *update, "file/v", says="a part of that path is a file")
    assert main([*update, "vectors", "--epochs", "1"]) == 0


def test_vectors_go_where_there_is_a_way(place):
    assert (
        main(["embed", "graph", "--out", "new/sp ace/ü", "--report", "new/sp ace/ü/page.html", *QUICK]) == 0
    )
    assert os.path.isfile("new/sp ace/ü/page.html")
    assert main(["embed", "graph", "--out", "vectors", "--overwrite", *QUICK]) == 0


@pytest.mark.parametrize("checkpoint", ["file/state", "nowhere"])
def test_checkpoints_are_refused_in_python_too(place, checkpoint):
    with pytest.raises((ValueError, OSError), match=r"part of that path is a file|not a weft directory"):
        NodeEmbedding(dim=8, epochs=1).fit(Graph.open("graph"), checkpoint=checkpoint)
