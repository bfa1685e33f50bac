"""``weft embed``: from a graph to vectors on disk, and what it refuses before any work is done."""

from __future__ import annotations

import dataclasses
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from weft.cli import main
from weft.cli.embed import Args
from weft.embed import Embedding, NodeEmbedding
from weft.embed.methods import NAMES, methods_of
from weft.graph import Graph

QUICK = ["--epochs", "30", "--dim", "16", "--walk-length", "10"]


@pytest.fixture
def graph(tmp_path):
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 60, (2, 300)) + 1000
    return Graph.from_edges(*edges).save(tmp_path / "graph")


def test_vectors_equal_those_of_the_estimator(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    assert main(["embed", str(graph.path), "--out", str(out), *QUICK, "--threads", "1"]) == 0
    made = Embedding.open(out, verify=True)
    np.testing.assert_array_equal(
        made.vectors, NodeEmbedding(dim=16, epochs=30, walk_length=10).fit_transform(graph)
    )
    np.testing.assert_array_equal(made.ids.take([0, 1]), graph.ids.take([0, 1]))
    assert made.config["graph"] == str(graph.path)
    text = capsys.readouterr().out
    for word in ("pairs", "parts", "memory", "vectors", "M pairs/s", "loss"):
        assert word in text


def test_straight_from_an_edge_file(tmp_path, capsys):
    file = tmp_path / "people.csv"
    file.write_text("who,whom,often\nann,bob,1\nbob,cid,2\ncid,ann,1\ndora,ann,4\n")
    out = tmp_path / "vectors"
    assert main(["embed", str(file), "--out", str(out), "--weight", "often", "--holdout", "0.3", *QUICK]) == 0
    made, graph = Embedding.open(out), Graph.open(tmp_path / "vectors.graph")
    assert made.ids.take(range(4)).tolist() == graph.ids.take(range(4)).tolist()
    assert set(made.ids.take(range(4))) == {"ann", "bob", "cid", "dora"}
    assert made.config["graph"] == str(tmp_path / "vectors.graph")
    assert graph.weight.max() == 4
    assert "vectors.graph" in capsys.readouterr().out


def test_hidden_edges_are_not_learned(tmp_path, graph):
    out = tmp_path / "vectors"
    assert main(["embed", str(graph.path), "--out", str(out), *QUICK, "--holdout", "0.2"]) == 0
    made = Embedding.open(out)
    assert graph.has_edges(*made.holdout.T).all()
    assert len(made.holdout) == pytest.approx(
        0.2 * graph.num_edges / 2, abs=1 + 0.2 * 60
    )  # loops are never hidden
    assert made.num_nodes == graph.num_nodes
    whole = NodeEmbedding(dim=16, epochs=30, walk_length=10)
    assert made.history[-1, 0] < whole.plan(graph).pairs


def test_every_parameter_of_the_estimator_is_an_option_with_its_default():
    options = {field.name: field.default for field in dataclasses.fields(Args)}
    parameters = NodeEmbedding().get_params()
    del parameters["progress"], parameters["on_progress"]
    assert {name: options.get(name, "missing") for name in parameters} == parameters


def test_the_help_says_which_methods_have_an_option(capsys):
    with pytest.raises(SystemExit):
        main(["embed", "--help"])
    text = re.sub(r"[│\s]+", " ", capsys.readouterr().out)
    for field in dataclasses.fields(Args):
        if len(methods := methods_of(field.name)) < len(NAMES):
            option = f"--{'no-' if field.default is True else ''}{field.name.replace('_', '-')} "
            help_ = text[text.index(option) :]
            assert f"({', '.join(methods)}; default: {field.default})" in help_[: help_.index("default") + 40]


def test_until_the_score_stops_rising(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    words = ["embed", str(graph.path), "--out", str(out), "--dim", "16", "--epochs", "auto"]
    assert main([*words, "--validation", "0.1"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"pairs    at most [\d,]+ of walks", text)
    assert re.search(r"score    0\.\d+: how often a hidden edge is closer than a pair without edge", text)
    assert re.search(r"kept     the vectors of this score, after [\d,]+ of the [\d,]+ pairs trained", text)
    made = Embedding.open(out)
    assert made.config["epochs"] == "auto"
    assert len(made.scores) >= 2
    assert made.scores[-1, 0] == made.history[-1, 0]


def test_plan_alone_writes_nothing(tmp_path, graph, capsys):
    assert main(["embed", str(graph.path), "--out", str(tmp_path / "vectors"), "--plan"]) == 0
    assert "memory" in capsys.readouterr().out
    assert not (tmp_path / "vectors").exists()


def test_an_existing_place_is_kept_unless_told(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    words = ["embed", str(graph.path), "--out", str(out), *QUICK]
    assert main(words) == 0
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dim", "0"], "dim must be in"),
        (["--method", "line", "--num-negatives", "0"], "num_negatives must be in"),
        (["--memory", "lots"], "memory must be a size"),
        (["--memory", "20KiB"], "memory allows 20.0 KiB"),
        (["--holdout", "1"], "holdout must be below 1"),
        (["--holdout", "-0.1"], "holdout must be at least 0"),
        (["--p", "2"], "--p does nothing with deepwalk, only with node2vec; leave it out, or choose another"),
        (["--order", "2"], "--order does nothing with deepwalk, only with line"),
        (["--no-propagate"], "--no-propagate does nothing with deepwalk, only with prone and lightne"),
        (["--method=line", "--window=3"], "--window does nothing with line, only with deepwalk, node2vec"),
        (["--threads", "0"], "threads must be in 1 .. 4096"),
        (["--threads", "1000000000000000000000"], "threads must be in 1 .. 4096"),
        (["--memory", "9" * 400 + "GiB"], "memory must be a size"),
        (["--epochs", "1e18"], "give fewer epochs"),
        (["--epochs", "1e308", "--method", "line", "--order", "1"], "give fewer epochs"),
    ],
)
def test_refuses(tmp_path, graph, capsys, options, message):
    assert main(["embed", str(graph.path), "--out", str(tmp_path / "vectors"), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("weft embed: error: ")
    assert not (tmp_path / "vectors").exists()


def test_no_such_graph(tmp_path, capsys):
    assert main(["embed", str(tmp_path / "nothing"), "--out", str(tmp_path / "vectors")]) == 2
    assert "there is no" in capsys.readouterr().err


def test_a_page(tmp_path, graph, capsys):
    page = tmp_path / "report.html"
    words = ["embed", str(graph.path), "--out", str(tmp_path / "vectors"), *QUICK]
    assert main([*words, "--report", str(page)]) == 0
    text = page.read_text("utf-8")
    assert "<svg" in text
    assert "pairs of a pool" in text
    assert str(page) in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--epochs", "nan"], ["--dim", "0"], ["--memory", "lots"]])
def test_what_is_refused_is_refused_before_the_import(tmp_path, capsys, option):
    file = tmp_path / "people.csv"
    file.write_text("ann,bob\nbob,cid\n")
    assert main(["embed", str(file), "--out", str(tmp_path / "vectors"), *option]) == 2
    assert option[0].removeprefix("--") in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture
def people(tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("ann,bob\nbob,cid\n")
    return file


def test_a_graph_of_an_earlier_run_is_pointed_at(tmp_path, people, capsys):
    words = ["embed", str(people), "--out", str(tmp_path / "vectors"), *QUICK]
    Graph.from_edges([0], [1]).save(tmp_path / "vectors.graph")
    assert main(words) == 2
    error = capsys.readouterr().err
    assert f"embed it directly (weft embed {tmp_path / 'vectors.graph'} --out" in error
    assert "--overwrite" in error
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize(
    "options", [["--memory", "20KiB"], ["--learning-rate", "1e30", "--num-negatives", "9"], ["--report", "p"]]
)
def test_what_fails_after_the_import_can_be_tried_again(tmp_path, people, options):
    words = ["embed", str(people), "--out", str(tmp_path / "vectors"), *QUICK]
    assert main([*words, *options]) == 2
    assert list(tmp_path.iterdir()) == [people]
    assert main(words) == 0


def test_a_graph_that_was_there_survives_a_failure(tmp_path, people):
    Graph.from_edges([0], [1]).save(tmp_path / "kept")
    words = ["embed", str(people), "--out", str(tmp_path / "vectors"), "--graph", str(tmp_path / "kept")]
    assert main([*words, "--overwrite", "--learning-rate", "1e30", "--num-negatives", "9"]) == 2
    assert Graph.open(tmp_path / "kept").num_nodes == 3


def test_the_plan_of_an_edge_file_leaves_nothing(tmp_path, people, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["embed", str(people), "--plan"]) == 0
    assert "3 nodes" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [people]


def test_vectors_need_a_place(people, capsys):
    assert main(["embed", str(people)]) == 2
    assert "--out" in capsys.readouterr().err


def test_a_page_without_scikit_learn_is_refused_before_training(tmp_path, people, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    words = [
        "embed",
        str(people),
        "--out",
        str(tmp_path / "vectors"),
        "--report",
        str(tmp_path / "page.html"),
    ]
    assert main(words) == 2
    assert "pip install scikit-learn" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [people]


@pytest.mark.parametrize("option", [["--directed"], ["--weight", "2"], ["--graph", "elsewhere"]])
def test_options_of_the_import_are_refused_for_a_directory(tmp_path, graph, capsys, option):
    assert main(["embed", str(graph.path), "--out", str(tmp_path / "vectors"), *option]) == 2
    assert f"{option[0]} is for a file of edges" in capsys.readouterr().err
    assert not (tmp_path / "vectors").exists()


def interrupted(graph_or_file, out, *options):
    """``weft embed``, ended by SIGTERM as soon as a checkpoint is there; what it said on stderr."""
    words = ["embed", str(graph_or_file), "--out", str(out), *LONG, *options]
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    state = out.with_name(out.name + ".checkpoint")
    while child.poll() is None and not state.exists():
        time.sleep(0.01)
    child.terminate()
    said = child.communicate()[1]
    assert child.returncode == 128 + signal.SIGTERM
    return said


LONG = ["--epochs", "20000", "--dim", "16", "--walk-length", "10", "--checkpoint-minutes", "0"]


def test_an_interrupted_run_goes_on(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    said = interrupted(graph.path, out)
    assert "weft embed: stopped at " in said
    assert "vectors.checkpoint holds the state: --resume" in said
    words = ["embed", str(graph.path), "--out", str(out), *LONG]
    assert main(words) == 2
    assert "pass --resume to go on from it, or --overwrite to begin anew" in capsys.readouterr().err
    assert main([*words, "--resume", "--dim", "17"]) == 2
    assert "dim=16 (now 17)" in capsys.readouterr().err
    assert main([*words, "--resume", "--threads", "1", "--memory", "64GiB"]) == 0
    assert re.search(r"resume   after [\d,]+ pairs, from .*vectors\.checkpoint", capsys.readouterr().out)
    again = NodeEmbedding(dim=16, epochs=20000, walk_length=10).fit_transform(graph)
    np.testing.assert_array_equal(Embedding.open(out).vectors, again)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph", "vectors"]


def test_an_interrupted_run_of_an_edge_file_goes_on(tmp_path, capsys):
    file = tmp_path / "edges.csv"
    rng = np.random.default_rng(0)
    file.write_text("a,b\n" + "".join(f"x{a},x{b}\n" for a, b in rng.integers(0, 60, (300, 2))))
    out = tmp_path / "vectors"
    interrupted(file, out, "--holdout", "0.1")
    words = ["embed", str(file), "--out", str(out), *LONG, "--holdout", "0.1"]
    assert main([*words, "--resume"]) == 0
    assert f"was imported to {tmp_path}/vectors.graph" in capsys.readouterr().out
    made = Embedding.open(out)
    assert main([*words, "--overwrite"]) == 0
    np.testing.assert_array_equal(made.vectors, Embedding.open(out).vectors)


def test_overwriting_forgets_a_checkpoint(tmp_path, graph):
    out = tmp_path / "vectors"
    interrupted(graph.path, out)
    assert main(["embed", str(graph.path), "--out", str(out), *QUICK, "--overwrite"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph", "vectors"]


def test_nothing_to_resume(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    assert main(["embed", str(graph.path), "--out", str(out), *QUICK, "--resume"]) == 0
    assert "there is no checkpoint at" in capsys.readouterr().out


def test_a_finished_run_has_nothing_to_resume(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    words = ["embed", str(graph.path), "--out", str(out), *QUICK]
    assert main([*words, "--resume"]) == 0
    before = (out / "manifest.json").stat().st_ino
    capsys.readouterr()
    assert main([*words, "--resume", "--memory", "64GiB"]) == 0
    text = capsys.readouterr().out
    assert text == f"  resume   nothing to do: {out} is finished, Embedding(60 nodes, dim 16, deepwalk)\n"
    assert (out / "manifest.json").stat().st_ino == before
    assert main([*words, "--resume", "--seed", "3", "--holdout", "0.1"]) == 2
    error = capsys.readouterr().err
    assert "was made with seed=0 (now 3), holdout=False (now True); choose another --out" in error
    graph.save(tmp_path / "other")
    assert main(["embed", str(tmp_path / "other"), *words[2:], "--resume"]) == 2
    assert f"graph='{graph.path}' (now '{tmp_path / 'other'}')" in capsys.readouterr().err
    assert main([*words, "--resume", "--overwrite"]) == 0
    assert (out / "manifest.json").stat().st_ino != before


def test_vectors_beside_an_unfinished_run_are_not_its_own(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    interrupted(graph.path, out)
    assert main(["embed", str(graph.path), "--out", str(tmp_path / "quick"), *QUICK]) == 0
    (tmp_path / "quick").rename(out)
    assert main(["embed", str(graph.path), "--out", str(out), *LONG, "--resume"]) == 2
    assert "exists; choose another --out or pass --overwrite" in capsys.readouterr().err


def test_another_graph_is_told_before_the_plan(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    interrupted(graph.path, out)
    other = Graph.from_edges(*np.random.default_rng(1).integers(0, 60, (2, 300))).save(tmp_path / "other")
    assert main(["embed", str(other.path), "--out", str(out), *LONG, "--resume"]) == 2
    shown = capsys.readouterr()
    assert "it was made with" in shown.err
    assert shown.out == ""


def test_two_runs_of_one_place(tmp_path, graph, capsys):
    out = tmp_path / "vectors"
    until_killed = ["--epochs", "100000000"]
    words = ["embed", str(graph.path), "--out", str(out), *LONG, *until_killed]
    child = subprocess.Popen([sys.executable, "-m", "weft", *words], stdout=subprocess.DEVNULL)
    while child.poll() is None and not (tmp_path / "vectors.checkpoint").exists():
        time.sleep(0.01)
    try:
        assert main([*words, "--overwrite"]) == 2
        assert f"is in use by another run, process {child.pid}" in capsys.readouterr().err
        elsewhere = ["--out", str(tmp_path / "b"), "--checkpoint", str(tmp_path / "vectors.checkpoint")]
        for more in ("--overwrite", "--resume"):
            assert main([*words[:2], *elsewhere, *words[4:], more]) == 2
            assert "vectors.checkpoint is in use by another run" in capsys.readouterr().err
    finally:
        child.kill()
        child.wait()
    assert main([*words[:4], *QUICK, "--overwrite"]) == 0  # a killed process locks nothing
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph", "vectors"]


def test_a_run_beside_one_that_imported_its_file(tmp_path, capsys):
    rng, file = np.random.default_rng(0), tmp_path / "edges.csv"
    np.savetxt(file, rng.integers(0, 60, (300, 2)), "%d", ",")
    words = ["embed", str(file), "--out", str(tmp_path / "vectors"), *LONG, "--epochs", "100000000"]
    child = subprocess.Popen([sys.executable, "-m", "weft", *words], stdout=subprocess.DEVNULL)
    while child.poll() is None and not (tmp_path / "vectors.checkpoint").exists():
        time.sleep(0.01)
    try:
        for more in ([], ["--overwrite"], ["--resume"]):
            assert main([*words, *more]) == 2
            assert f"is in use by another run, process {child.pid}" in capsys.readouterr().err
    finally:
        child.kill()
        child.wait()


def test_a_window_that_no_walk_has_is_said(tmp_path, graph, capsys):
    words = ["embed", str(graph.path), "--out", str(tmp_path / "vectors"), *QUICK]
    assert main([*words, "--walk-length", "4", "--window", "9"]) == 0
    shown = capsys.readouterr()
    assert "walks of length 4, window 4" in shown.out
    assert shown.err.count("window=9 is more than the 4 steps of a walk: window 4 is used") == 1
    assert main([*words, "--walk-length", "4", "--window", "4", "--overwrite"]) == 0
    assert main([*words, "--walk-length", "1", "--overwrite"]) == 0, "a window that nobody gave"
    assert "is more than" not in capsys.readouterr().err


def test_a_checkpoint_takes_no_other_place(tmp_path, graph, capsys):
    words = ["embed", str(graph.path), "--out", str(tmp_path / "vectors"), *QUICK, "--overwrite"]
    graph.save(tmp_path / "other")
    assert main([*words, "--checkpoint", str(tmp_path / "other")]) == 2
    assert "its format is 'weft.graph', expected 'weft.checkpoint'" in capsys.readouterr().err
    assert main([*words, "--checkpoint-minutes", "-1"]) == 2
    assert "checkpoint_minutes must be at least 0" in capsys.readouterr().err


def test_a_plan_with_tables_on_disk(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("weft.embed.plan.resident", lambda: 0)
    monkeypatch.setattr("weft.embed.room._file_system", lambda _: "")  # /tmp may be in memory
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(*rng.integers(0, 100_000, (2, 150_000)), num_nodes=100_000)
    graph = graph.save(tmp_path / "graph")
    words = ["embed", str(graph.path), "--out", str(tmp_path / "vectors"), "--plan", "--epochs", "1"]
    assert main([*words, "--memory", "85MiB"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"memory +\d+\.\d MiB of 85\.0 MiB\n", text)
    assert re.search(r"disk +\d+\.\d MiB: tables and pairs, \d.* moved for each pool; in memory \d", text)
    assert re.search(r"time +about .* by a short trial: .* M pairs/s, .*/s of the disk\n", text)
    assert main([*words, "--memory", "85MiB", "--scratch", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err
    assert main([*words, "--memory", "20MiB"]) == 2
    assert re.search(r"need \d+\.\d MiB, .* memory allows 20\.0 MiB", capsys.readouterr().err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph"]


def test_curves(tmp_path, graph):
    pytest.importorskip("tensorboard")
    words = ["embed", str(graph.path), "--out", str(tmp_path / "vectors"), *QUICK]
    assert main([*words, "--tensorboard", str(tmp_path / "curves")]) == 0
    assert [file.name.split(".")[2] for file in (tmp_path / "curves").iterdir()] == ["tfevents"]
    assert "tensorboard" not in Embedding.open(tmp_path / "vectors").config
