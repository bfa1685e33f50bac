"""Lines where there is no terminal: now and then, never a bar, nothing of what is over soon."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from weft import NodeEmbedding, progress
from weft.errors import WeftValueError
from weft.graph import Graph


def fill(shown, seconds, monkeypatch, steps=10):
    monkeypatch.setattr(progress, "_SECONDS", seconds)
    bar = progress.bar(shown, total=1000 * steps, unit=" nodes", unit_scale=True, desc="train")
    for number in range(steps):
        bar.set_postfix_str(f"loss={number}", refresh=False)
        bar.update(1000)
    bar.close()


def test_lines_stand_one_below_the_other(monkeypatch, capsys):
    fill("lines", 0, monkeypatch)
    shown = capsys.readouterr().err
    assert "\r" not in shown
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert len(lines) >= 10
    for line in lines:
        assert re.fullmatch(
            r"train: \d+ %, [\d.]+k? of 10\.0k nodes, .* nodes/s, about [\d:?]+ left(, loss=\d)?", line
        )
    assert "100 %, 10.0k of 10.0k nodes" in lines[-1]
    assert lines[-1].endswith("loss=9")


def test_no_line_before_its_time(monkeypatch, capsys):
    fill("lines", 10.0, monkeypatch, 100)
    fill(False, 0, monkeypatch)
    assert capsys.readouterr().err == ""


def test_a_bar_is_a_bar(monkeypatch, capsys):
    fill(True, 0, monkeypatch)
    assert "\rtrain:" in capsys.readouterr().err


def test_what_is_no_way_to_show_it():
    with pytest.raises(
        WeftValueError, match=r"progress must be True \(a bar\), 'lines' .* or False \(got 'line'\)"
    ):
        NodeEmbedding(progress="line").check_params()
    assert progress.check_shown(np.True_) is True
    assert progress.check_shown(None) is False


# A second stands for the ten.
MAIN = """
import sys, weft.progress
weft.progress._SECONDS = 0.2
from weft.cli import main
sys.exit(main(sys.argv[1:]))
"""


def said(*words, timeout=120):
    """What a process without a terminal wrote to stderr."""
    given = [sys.executable, "-c", MAIN, *map(str, words)]
    ran = subprocess.run(given, capture_output=True, text=True, timeout=timeout)
    assert ran.returncode == 0, ran.stderr
    assert "\r" not in ran.stderr
    return ran.stderr


@pytest.fixture
def graph(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.random((3000, 64)).astype(np.float32))
    np.save(tmp_path / "y.npy", np.arange(3000) % 3)
    return Graph.from_edges(*rng.integers(0, 3000, (2, 20_000)), num_nodes=3000).save(tmp_path / "g").path


@pytest.mark.parametrize("more", [("--epochs", "1500"), ("--method", "prone", "--dim", "64")])
def test_embed_without_a_terminal(graph, tmp_path, more):
    shown = said("embed", graph, "--out", tmp_path / "v", *more)
    if "prone" not in more:
        assert re.search(r"\nembed: \d+ %, [\d.]+M of 3\d\.\dM pairs, .*loss=", "\n" + shown)


def test_train_and_predict_without_a_terminal(graph, tmp_path):
    pytest.importorskip("torch_geometric")
    given = ("--features", tmp_path / "x.npy", "--labels", tmp_path / "y.npy", "--out", tmp_path / "m")
    shown = said("train", graph, *given, "--epochs", "8", "--patience", "None", "--batch-size", "128")
    lines = re.findall(r"^train: \d+ %, .* nodes, .*, epoch \d+, loss=[\d.]+.*$", shown, re.MULTILINE)
    assert 2 <= len(lines) <= 200
    assert any("accuracy=" in line for line in lines)
    said("predict", tmp_path / "m", "--out", tmp_path / "p")
