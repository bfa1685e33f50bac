"""Curves for TensorBoard, read back by TensorBoard itself."""

from __future__ import annotations

import errno
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.errors import MissingExtraError, StorageError, WeftTypeError
from weft.graph import Graph

RUN = {"dim": 8, "epochs": 800, "walk_length": 8, "window": 3, "parts": 3}


@pytest.fixture
def graph():
    return Graph.from_edges(*np.random.default_rng(0).integers(0, 70, (2, 200)), num_nodes=70)


def read(folder):
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reading.EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_what_is_drawn(graph, tmp_path):
    model = NodeEmbedding(**RUN, patience=20, tensorboard=tmp_path / "curves" / "run").fit(graph)
    curves = read(tmp_path / "curves" / "run")
    assert set(curves) == {
        f"embed/{name}" for name in ("loss", "pairs per second", "learning rate", "score on hidden edges")
    }
    np.testing.assert_allclose(curves["embed/loss"], model.loss_history_, rtol=1e-6)
    np.testing.assert_allclose(curves["embed/score on hidden edges"], model.score_history_[:, :2], rtol=1e-6)
    steps, rates = zip(*curves["embed/learning rate"], strict=True)
    begins = np.array([0, *steps[:-1]])
    np.testing.assert_allclose(rates, 0.025 * (1 - begins / model.plan_.pairs), rtol=1e-6)
    assert all(speed > 0 for _, speed in curves["embed/pairs per second"])


class Stop(Exception):
    pass


def test_a_run_that_goes_on_draws_each_pool_once(graph, tmp_path):
    whole = NodeEmbedding(**RUN).fit(graph)
    seen = []

    def stop(*figures):
        seen.append(figures)
        if len(seen) == 5:
            raise Stop

    watched = {**RUN, "tensorboard": str(tmp_path / "curves")}
    with pytest.raises(Stop):
        NodeEmbedding(**watched, on_progress=stop).fit(graph, checkpoint=tmp_path / "state", every_minutes=0)
    # Five pools are drawn or nearly, four are saved.
    model = NodeEmbedding(**watched).fit(graph, checkpoint=tmp_path / "state", resume=True)
    np.testing.assert_array_equal(model.embedding_, whole.embedding_)
    np.testing.assert_allclose(read(tmp_path / "curves")["embed/loss"], whole.loss_history_, rtol=1e-6)


def test_a_killed_run_has_written_what_it_had_to_say(graph, tmp_path):
    code = """
import os, sys
from weft.embed import NodeEmbedding
from weft.graph import Graph
pools = []
def kill(done, total, loss):
    pools.append(done)
    if len(pools) == 4:
        os.kill(os.getpid(), 9)
NodeEmbedding(**eval(sys.argv[2]), tensorboard=sys.argv[3], on_progress=kill).fit(Graph.open(sys.argv[1]))
"""
    graph = graph.save(tmp_path / "graph")
    words = [sys.executable, "-c", code, str(graph.path), repr(RUN), str(tmp_path / "curves")]
    assert subprocess.run(words).returncode == -9
    assert len(read(tmp_path / "curves")["embed/loss"]) >= 3


def test_without_tensorboard(graph, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else found(name)
    )
    with pytest.raises(MissingExtraError, match=r"pip install weft\[tensorboard\]"):
        NodeEmbedding(**RUN, tensorboard=tmp_path).fit(graph)
    NodeEmbedding(**RUN).fit(graph)


def test_a_place_that_cannot_be_written(graph, tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write curves to") as refused:
        NodeEmbedding(**RUN, tensorboard=tmp_path / "file").fit(graph)
    assert refused.value.errno in (errno.EEXIST, errno.ENOTDIR)
    with pytest.raises(WeftTypeError, match="tensorboard must be a folder"):
        NodeEmbedding(**RUN, tensorboard=3).fit(graph)


def test_watching_needs_no_torch(graph, tmp_path):
    code = """
import sys
from weft.embed import NodeEmbedding
from weft.graph import Graph
NodeEmbedding(dim=4, epochs=2, tensorboard=sys.argv[1]).fit(Graph.from_edges([0, 1], [1, 2]))
print("torch" in sys.modules, "tensorflow" in sys.modules)
"""
    pytest.importorskip("tensorboard")
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert said.stdout == "False False\n"


def test_a_full_disk_ends_the_run(graph, tmp_path):
    pytest.importorskip("tensorboard")
    code = """
import resource, signal, sys
from weft.embed import NodeEmbedding
from weft.errors import StorageError
from weft.graph import Graph
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def fill_the_disk(done, total, loss):
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
try:
    NodeEmbedding(**eval(sys.argv[2]), tensorboard=sys.argv[3], on_progress=fill_the_disk).fit(
        Graph.open(sys.argv[1])
    )
except StorageError as error:
    print(error)
"""
    graph = graph.save(tmp_path / "graph")
    words = [sys.executable, "-c", code, str(graph.path), repr(RUN), str(tmp_path / "curves")]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    assert "cannot write curves to" in done.stdout
    assert "the file would pass the size limit" in done.stdout
