"""A training that is killed in the middle of an epoch, or of a checkpoint, ends with the same weights."""

from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from weft.embed.checkpoint import pairs_saved  # noqa: E402
from weft.graph import Graph  # noqa: E402
from weft.train import fit  # noqa: E402

SETTINGS = {"hidden": 8, "num_neighbors": (4, 4), "batch_size": 25, "epochs": 4, "dropout": 0.5, "seed": 3}
STEPS = 12  # of an epoch

KILLED = """
import os, signal, sys
import numpy as np, torch
from weft.graph import Graph
from weft.graph.format import DirectoryWriter
from weft.train import fit
from weft.train.run import Run
torch.set_num_threads(1)
place, when, settings = sys.argv[1], sys.argv[2], eval(sys.argv[3])
write, step = DirectoryWriter.finish, Run.step
def kill():
    os.kill(os.getpid(), signal.SIGKILL)
if when == "checkpoint":
    calls = []
    def finish(self, meta):
        calls.append(None)
        if len(calls) == 20:
            kill()
        return write(self, meta)
    DirectoryWriter.finish = finish
else:
    def stepped(self, batch):
        if self.steps == 20:
            kill()
        step(self, batch)
    Run.step = stepped
fit(Graph.open(place + "/g"), place + "/x.npy", np.load(place + "/y.npy"), checkpoint=place + "/state",
    every_minutes=0, **settings)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("train"), np.random.default_rng(0)
    Graph.from_edges(*rng.integers(0, 500, (2, 3000)), num_nodes=500).save(folder / "g")
    np.save(folder / "x.npy", rng.normal(size=(500, 6)).astype(np.float32))
    np.save(folder / "y.npy", rng.integers(0, 4, 500))
    return folder


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(place, **more):
    return fit(Graph.open(place / "g"), place / "x.npy", np.load(place / "y.npy"), **SETTINGS, **more)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("when", "saved"), [("batch", 20), ("checkpoint", 19)])
def test_killed_in_mid_epoch(place, when, saved):
    child = subprocess.run([sys.executable, "-c", KILLED, str(place), when, repr(SETTINGS)], check=False)
    assert child.returncode == -signal.SIGKILL
    state = place / "state"
    assert pairs_saved(state) == saved
    assert STEPS < saved < 2 * STEPS
    whole, resumed = run(place), run(place, checkpoint=state, resume=True)
    for name, value in whole.weights.items():
        assert value.numpy().tobytes() == resumed.weights[name].numpy().tobytes(), name
    np.testing.assert_array_equal(whole.history[:, :3], resumed.history[:, :3])
    assert whole.scores == resumed.scores
    assert [p.name for p in place.iterdir() if p.name.startswith(".state")] == []
