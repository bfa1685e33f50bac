"""``weft update``: vectors of a graph that has changed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from weft.cli import main
from weft.embed import Embedding
from weft.graph import Graph


@pytest.fixture
def places(tmp_path):
    """Vectors of a graph without the last ten ids and without the first five, which are gone by now."""
    edges = np.random.default_rng(0).integers(0, 60, (2, 400)) + 1000
    young = (edges < 1050).all(axis=0)
    Graph.from_edges(*edges[:, young]).save(tmp_path / "before")
    Graph.from_edges(*edges[:, (edges >= 1005).all(axis=0)]).save(tmp_path / "now")
    words = ["embed", str(tmp_path / "before"), "--out", str(tmp_path / "vectors"), "--dim", "16"]
    assert main([*words, "--epochs", "30", "--window", "2"]) == 0
    return tmp_path


def words_of(places, *more):
    return [
        "update",
        str(places / "vectors"),
        "--graph",
        str(places / "now"),
        "--out",
        str(places / "new"),
        *more,
    ]


def test_update(places, capsys):
    assert main(words_of(places, "--epochs", "20")) == 0
    text = capsys.readouterr().out
    assert re.search(r"graph +55 nodes, [\d,]+ stored edges\n", text)
    assert "10 nodes are new, 5 are gone" in text
    planned = int(re.search(r"pairs +([\d,]+) of walks", text)[1].replace(",", ""))
    assert planned == Embedding.open(places / "new").history[-1, 0]
    made, now = Embedding.open(places / "new", verify=True), Graph.open(places / "now")
    model = Embedding.open(places / "vectors").model()
    np.testing.assert_array_equal(made.vectors, model.partial_fit(now, epochs=20).embedding_)
    assert made.config["updates"] == 1
    assert made.config["epochs"] == 30
    assert sorted(path.name for path in places.iterdir()) == ["before", "new", "now", "vectors"]


def test_a_finished_update_has_nothing_to_resume(places, capsys):
    assert main(words_of(places, "--epochs", "2", "--resume")) == 0
    capsys.readouterr()
    assert main(words_of(places, "--epochs", "2", "--resume")) == 0
    assert "  resume   nothing to do: " in capsys.readouterr().out
    words = words_of(places, "--resume")
    assert main([*words[:3], str(places / "before"), *words[4:]]) == 2
    assert "was made with graph=" in capsys.readouterr().err


def test_the_plan_alone(places, capsys):
    before = sorted(places.iterdir())
    assert main(words_of(places, "--plan")) == 0
    text = capsys.readouterr().out
    for row in ("pairs", "parts", "memory", "changes", "time     about"):
        assert f"  {row}" in text
    assert sorted(places.iterdir()) == before
    assert main([*words_of(places)[:4], "--plan"]) == 0, "where the vectors would go does not matter"
    assert capsys.readouterr().out.count("\n") == text.count("\n")
    assert sorted(places.iterdir()) == before
    assert main(words_of(places)[:4]) == 2
    assert "where shall the new vectors go? give --out DIR" in capsys.readouterr().err


def test_a_page(places, capsys):
    pytest.importorskip("sklearn")
    page = places / "page.html"
    assert main(words_of(places, "--epochs", "2", "--report", str(places / "none" / "page.html"))) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert main(words_of(places, "--epochs", "2", "--report", str(page))) == 0
    assert "<svg" in page.read_text("utf-8")
    assert f"report   {page}" in capsys.readouterr().out


@pytest.mark.parametrize("there", [True, False])
def test_a_file_of_edges_is_to_be_imported(places, capsys, there):
    file = places / "now.csv"
    if there:
        file.write_text("a,b\n")
    words = words_of(places)
    assert main([*words[:3], str(file), *words[4:]]) == 2
    error = capsys.readouterr().err
    assert ("is a file" if there else "is not there") in error
    assert "weft import FILE --out DIR makes one" in error


def test_in_place_again_and_again(places):
    for times in (1, 2):
        words = words_of(places, "--epochs", "2", "--overwrite")
        assert main([*words[:5], str(places / "vectors"), *words[6:]]) == 0
        assert Embedding.open(places / "vectors").config["updates"] == times


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--epochs", "0"], "epochs must be greater than 0"),
        (["--threads", "0"], "threads must be in 1 .. 4096"),
        (["--checkpoint-minutes", "-1"], "checkpoint_minutes"),
        (["--memory", "1MiB"], "memory allows"),
        (["--learning-rate", "0"], "learning_rate must be greater than 0"),
    ],
)
def test_refuses(places, capsys, more, message):
    assert main(words_of(places, *more)) == 2
    assert message in capsys.readouterr().err
    assert not (places / "new").exists()


def test_places(places, capsys):
    (places / "new").mkdir()
    assert main(words_of(places)) == 2
    assert "new exists; choose another --out or pass --overwrite" in capsys.readouterr().err


def test_other_ids(places, capsys):
    Graph.from_edges([1, 2], [2, 3]).save(places / "now", overwrite=True)
    assert main(words_of(places)) == 2
    assert "none of the graph's 3 nodes" in capsys.readouterr().err
