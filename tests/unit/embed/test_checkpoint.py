"""Checkpoints: what goes on is the run that stopped, and only that one; nothing is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.embed.checkpoint import pairs_saved, remove
from weft.embed.interrupt import Interrupts
from weft.errors import FormatError, Interrupted, StorageError, WeftTypeError, WeftValueError
from weft.graph import Graph

RUN = {"dim": 12, "epochs": 1500, "walk_length": 8, "window": 3, "parts": 3}


def some_graph(seed=0, weighted=False):
    rng = np.random.default_rng(seed)
    weight = rng.random(200).astype(np.float32) if weighted else None
    return Graph.from_edges(*rng.integers(0, 60, (2, 200)), weight, num_nodes=70, directed=True)


@pytest.fixture
def graph():
    return some_graph()


@pytest.fixture
def place(tmp_path):
    return tmp_path / "state"


class Stop(Exception):
    pass


def after(pools):
    """A callback that ends the run when so many pools are trained."""
    seen = []

    def stop(*figures):
        seen.append(figures)
        if len(seen) == pools:
            raise Stop

    return stop


def stopped(graph, place, pools=4, **changes):
    """A run that ended in the middle, with a checkpoint after each pool but the last."""
    with pytest.raises(Stop):
        NodeEmbedding(**RUN, on_progress=after(pools), **changes).fit(
            graph, checkpoint=place, every_minutes=0
        )


def same(a, b):
    np.testing.assert_array_equal(a.embedding_, b.embedding_)
    np.testing.assert_array_equal(a.context_, b.context_)
    np.testing.assert_array_equal(a.loss_history_, b.loss_history_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pools", [2, 5, 9])
def test_goes_on_to_the_same_vectors(place, pools, weighted):
    graph = some_graph(weighted=weighted)
    whole = NodeEmbedding(**RUN).fit(graph)
    assert len(whole.loss_history_) > 9
    stopped(graph, place, pools)
    assert pairs_saved(place) == whole.loss_history_[pools - 2, 0]
    again = NodeEmbedding(**RUN, memory="64GiB").fit(graph, checkpoint=place, resume=True)
    same(again, whole)


def test_a_run_may_stop_again_and_again(graph, place):
    whole = NodeEmbedding(**RUN).fit(graph)
    for _ in range(3):
        with pytest.raises(Stop):
            NodeEmbedding(**RUN, on_progress=after(3)).fit(
                graph, checkpoint=place, every_minutes=0, resume=True
            )
    same(NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True), whole)


def test_figures_go_on_where_they_were(graph, place):
    stopped(graph, place, 4)
    seen = []
    model = NodeEmbedding(**RUN, on_progress=lambda *f: seen.append(f))
    model.fit(graph, checkpoint=place, resume=True)
    assert [done for done, _, _ in seen] == model.loss_history_[3:, 0].tolist()


def test_nothing_there_to_go_on_from(graph, place):
    same(NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True), NodeEmbedding(**RUN).fit(graph))
    assert not place.exists()
    place.mkdir()
    assert pairs_saved(place) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 13}, r"dim=12 \(now 13\)"),
        ({"epochs": 1499, "seed": 4}, r"epochs=1500 \(now 1499\), seed=0 \(now 4\)"),
        ({"learning_rate": 0.02}, r"learning_rate=0\.025 \(now 0\.02\)"),
        ({"parts": None}, r"parts=3 \(now 'auto'\)"),
    ],
)
def test_other_parameters_are_named(graph, place, change, message):
    stopped(graph, place)
    with pytest.raises(WeftValueError, match=f"it was made with {message}; give the same"):
        NodeEmbedding(**{**RUN, **change}).fit(graph, checkpoint=place, resume=True)
    assert pairs_saved(place)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (some_graph(1), "other edges or weights"),
        (some_graph(0, weighted=True), r"graph weighted=False \(now True\)"),
        (Graph.from_edges([0], [1]), r"graph nodes=70 \(now 2\)"),
    ],
)
def test_another_graph_is_named(graph, place, other, message):
    stopped(graph, place)
    with pytest.raises(WeftValueError, match=message):
        NodeEmbedding(**{**RUN, "parts": 3 if other.num_nodes > 3 else 1}).fit(
            other, checkpoint=place, resume=True
        )


def test_numpy_numbers_are_numbers(graph, place):
    stopped(graph, place)
    settings = {**RUN, "dim": np.int64(12), "epochs": np.float64(1500)}
    same(NodeEmbedding(**settings).fit(graph, checkpoint=place, resume=True), NodeEmbedding(**RUN).fit(graph))


def test_a_checkpoint_is_not_lost_by_accident(graph, place):
    stopped(graph, place)
    before = pairs_saved(place)
    with pytest.raises(WeftValueError, match="checkpoint of an unfinished run; go on from it with --resume"):
        NodeEmbedding(**RUN).fit(graph, checkpoint=place)
    assert pairs_saved(place) == before
    remove(place)
    remove(place)
    assert not list(place.parent.iterdir())


def test_something_else_is_there(graph, place):
    graph.save(place)
    for resume in (False, True):
        with pytest.raises(FormatError, match=r"its format is 'weft.graph', expected 'weft.checkpoint'"):
            NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=resume)
    with pytest.raises(FormatError):
        remove(place)
    assert Graph.open(place).num_nodes == 70


@pytest.mark.parametrize("name", ["vertex", "context", "history"])
def test_damage_is_told(graph, place, name):
    stopped(graph, place)
    file = place / f"{name}.npy"
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    with pytest.raises(FormatError, match=rf"{name}\.npy does not match its checksum"):
        NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True)


def test_what_a_killed_writer_left_goes(graph, place):
    stopped(graph, place)
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    left = place.with_name(f".{place.name}.tmp-{process.pid}-00000000")
    left.mkdir()
    assert pairs_saved(place)
    assert not left.exists()


def test_how_often(graph, place):
    NodeEmbedding(**RUN).fit(graph, checkpoint=place, every_minutes=float("inf"))
    assert not place.exists()
    NodeEmbedding(**RUN).fit(graph, checkpoint=place, every_minutes=0)
    # The last pool leaves nothing to go on with, so the last checkpoint is that of the pool before.
    assert json.loads((place / "manifest.json").read_text())["meta"]["pairs"] < RUN["epochs"] * 200


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"resume": True}, WeftValueError, "give checkpoint=DIR"),
        ({"every_minutes": -1}, WeftValueError, "every_minutes must be at least 0"),
        ({"every_minutes": float("nan")}, WeftValueError, "every_minutes must be at least 0"),
        ({"every_minutes": "ten"}, WeftTypeError, "every_minutes must be a number"),
    ],
)
def test_bad_arguments(graph, arguments, error, message):
    with pytest.raises(error, match=message):
        NodeEmbedding(**RUN).fit(graph, **arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_checkpoint(graph, place, number, capfd):
    def send(done, total, loss):
        if done > total / 2:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=r"stopped at 5\d% of the pairs; .*state holds the state") as stop:
        NodeEmbedding(**RUN, on_progress=send).fit(graph, checkpoint=place)
    assert stop.value.signal == number
    assert not isinstance(stop.value, Exception)
    assert signal.getsignal(number) == before
    assert "stopping when the pool is trained" in capfd.readouterr().err
    same(NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True), NodeEmbedding(**RUN).fit(graph))


def test_a_signal_during_the_last_pool(graph, place):
    def send(done, total, loss):
        if done == total:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="stopped at 100%"):
        NodeEmbedding(**RUN, on_progress=send).fit(graph, checkpoint=place)
    same(NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True), NodeEmbedding(**RUN).fit(graph))


def test_the_second_signal_waits_for_nothing(graph, place):
    def send(done, total, loss):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as stop:
        NodeEmbedding(**RUN, on_progress=send).fit(graph, checkpoint=place)
    assert not isinstance(stop.value, Interrupted)
    assert not place.exists()


def test_signals_outside_the_main_thread_are_left_alone(graph, place):
    before = signal.getsignal(signal.SIGINT)
    found = []

    def fit():
        NodeEmbedding(**RUN, on_progress=lambda *_: found.append(signal.getsignal(signal.SIGINT))).fit(
            graph, checkpoint=place
        )

    thread = threading.Thread(target=fit)
    thread.start()
    thread.join()
    assert set(found) == {before}


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupts.asked is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_place_that_cannot_be_written(graph, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*part of that path is a file"):
        NodeEmbedding(**RUN).fit(graph, checkpoint=tmp_path / "file" / "state", every_minutes=0)


@pytest.mark.parametrize("file", ["vertex.npy", "manifest.json"])
def test_a_damaged_checkpoint_says_what_to_do(graph, place, file):
    stopped(graph, place)
    (place / file).write_bytes((place / file).read_bytes()[:-4])
    with pytest.raises(FormatError, match="remove it to begin anew"):
        NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True)


def test_of_another_directory_removal_is_not_advised(graph, tmp_path):
    graph.save(tmp_path / "graph")
    with pytest.raises(FormatError, match=r"its format is 'weft\.graph', expected 'weft\.checkpoint'$"):
        NodeEmbedding(**RUN).fit(graph, checkpoint=tmp_path / "graph", resume=True)
