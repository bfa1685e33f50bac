import math
import os
import signal

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from weft.embed.checkpoint import Checkpoint, differences, pairs_saved
from weft.errors import Interrupted, StorageError, WeftTypeError, WeftValueError
from weft.features import MemoryTable
from weft.graph import Graph
from weft.testing import FaultyTable
from weft.train import Settings, Split, Training, fit
from weft.train.run import Run

SMALL = {"hidden": 8, "num_neighbors": (4, 4), "batch_size": 50, "epochs": 4, "patience": None}
STEPS = 4  # of an epoch


def same(a, b):
    for name, value in a.weights.items():
        np.testing.assert_array_equal(value.numpy(), b.weights[name].numpy())
    np.testing.assert_array_equal(a.history[:, :3], b.history[:, :3])


def stopped(monkeypatch, at, call, *args, **more):
    """Run until ``at`` batches are done, and then have a signal."""
    step = Run.step

    def signalled(self, batch):
        step(self, batch)
        if self.steps == at:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "step", signalled)
        with pytest.raises(Interrupted, match="--resume") as error:
            call(*args, **more)
    return error.value


@pytest.mark.parametrize("at", [1, STEPS, STEPS + 2, 3 * STEPS - 1])
def test_interrupted_and_resumed(graph, rows, labels, tmp_path, monkeypatch, at):
    state = tmp_path / "state"
    error = stopped(monkeypatch, at, fit, graph, rows, labels, checkpoint=state, **SMALL)
    assert error.signal == signal.SIGINT
    assert f"batch {(at - 1) % STEPS + 1} of 4 of epoch {(at - 1) // STEPS + 1};" in str(error)
    assert pairs_saved(state) == at
    whole = fit(graph, rows, labels, **SMALL)
    same(whole, fit(graph, rows, labels, checkpoint=state, resume=True, every_minutes=0, **SMALL))


def test_a_checkpoint_of_another_run(graph, rows, labels, tmp_path, monkeypatch):
    state = tmp_path / "state"
    stopped(monkeypatch, 2, fit, graph, rows, labels, checkpoint=state, **SMALL)
    for more, said in (
        ({"hidden": 16}, r"hidden=8 \(now 16\)"),
        ({"labels": (labels + 1) % 3}, "other labels"),
        ({"rows": rows[::-1].copy()}, "other features"),
        ({"rows": rows[:, :4]}, r"features='float32 \[300, 8\]'"),
    ):
        given = {"rows": rows, "labels": labels, **SMALL, **more}
        x, y = given.pop("rows"), given.pop("labels")
        with pytest.raises(WeftValueError, match=said):
            fit(graph, x, y, checkpoint=state, resume=True, **given)
    # Without resume it is of no use, and goes.
    same(fit(graph, rows, labels, checkpoint=state, **SMALL), fit(graph, rows, labels, **SMALL))
    assert pairs_saved(state) is None
    with pytest.raises(WeftValueError, match="every_minutes"):
        fit(graph, rows, labels, checkpoint=state, every_minutes=-1, **SMALL)


def test_features_that_fail_in_the_middle(graph, rows, labels, tmp_path):
    state = tmp_path / "state"
    table = FaultyTable(MemoryTable(rows), fail_at={1 + STEPS + 3})  # one look at all, then batches
    with pytest.raises(StorageError, match="made to fail"):
        fit(graph, table, labels, checkpoint=state, every_minutes=0, **SMALL)
    assert pairs_saved(state) > 0
    same(fit(graph, rows, labels, **SMALL), fit(graph, rows, labels, checkpoint=state, resume=True, **SMALL))


def test_curves(graph, rows, labels, tmp_path, monkeypatch):
    state, folder = tmp_path / "state", tmp_path / "curves"
    more = {"checkpoint": state, "tensorboard": folder, **SMALL}
    stopped(monkeypatch, STEPS + 2, fit, graph, rows, labels, **more)
    made = fit(graph, rows, labels, resume=True, **more)
    events = EventAccumulator(str(folder)).Reload()
    loss = {event.step: event.value for event in events.Scalars("epoch/loss")}
    score = {event.step: event.value for event in events.Scalars("epoch/accuracy")}
    steps = (made.history[:, 0] * STEPS).astype(int).tolist()
    np.testing.assert_allclose(list(loss.values()), made.history[:, 1], rtol=1e-6)
    np.testing.assert_allclose(list(score.values()), made.history[:, 2], rtol=1e-6)
    assert list(loss) == list(score) == steps
    assert len(events.Scalars("train/loss")) == 4 * STEPS


def test_a_checkpoint_every_so_many_epochs(graph, rows, labels, tmp_path, monkeypatch):
    state, saved = tmp_path / "state", []
    save = Checkpoint.save

    def noted(self, parts, pairs):
        saved.append(pairs)
        save(self, parts, pairs)

    monkeypatch.setattr(Checkpoint, "save", noted)
    more = {"checkpoint": state, "every_minutes": math.inf, **SMALL, "epochs": 6}
    whole = fit(graph, rows, labels, every_epochs=2, **more)
    assert saved == [2 * STEPS, 4 * STEPS], "none after the last: nothing is left to do"
    assert pairs_saved(state) == 4 * STEPS
    same(whole, fit(graph, rows, labels, resume=True, **more))
    saved.clear()
    fit(graph, rows, labels, **more)
    assert saved == []
    for wrong, error in ((0, WeftValueError), (1.5, WeftTypeError), (True, WeftTypeError)):
        with pytest.raises(error, match="every_epochs must be"):
            fit(graph, rows, labels, every_epochs=wrong, **more)


def test_what_tells_a_training_that_is_over(graph, rows, labels, tmp_path):
    made = fit(graph, rows, labels, **SMALL).save(tmp_path / "m")
    split = Split.random(np.arange(200), 0)
    other = Graph.from_edges([0, 1], [1, 2], num_nodes=300)
    for given, more, said in (
        ((graph, rows, labels), {}, []),
        ((graph, rows[::-1].copy(), labels), {}, ["other features"]),
        ((graph, rows, (labels + 1) % 3), {}, ["other labels"]),
        ((graph, rows, labels), {"split": split}, ["other split"]),
        ((graph, rows, labels), {"settings": Settings(**{**SMALL, "hidden": 9})}, ["hidden=8 (now 9)"]),
    ):
        with Training(*given, **{"settings": Settings(**SMALL), **more}) as training:
            assert differences(made.identity, training.identity()) == said
    with Training(other, rows, labels, settings=Settings(**SMALL)) as training:
        assert "other edges or weights" in differences(made.identity, training.identity())
