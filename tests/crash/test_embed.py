"""A training run that is killed again and again, or runs into a full disk, ends with the same vectors."""

from __future__ import annotations

import errno
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.embed.checkpoint import pairs_saved, remove
from weft.graph import Graph

RUN = {"dim": 20, "epochs": 6000, "walk_length": 10, "window": 3, "parts": 4, "seed": 3}
KILLS = 60

FIT = """
import sys
import numpy as np
import weft
from weft.embed import NodeEmbedding
from weft.graph import Graph
graph, settings = Graph.open(sys.argv[1]), eval(sys.argv[3])
weft.set_num_threads(int(sys.argv[4]))
print("ready", flush=True)
model = NodeEmbedding(**settings).fit(graph, checkpoint=sys.argv[2], every_minutes=0, resume=True)
np.savez(sys.argv[2] + ".npz", vertex=model.embedding_, context=model.context_, history=model.loss_history_)
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(*rng.integers(0, 400, (2, 1600)), rng.random(1600), num_nodes=420)
    return graph.save(tmp_path_factory.mktemp("graph") / "g")


@pytest.fixture(scope="module")
def whole(graph):
    return NodeEmbedding(**RUN).fit(graph)


def start(graph, place, threads):
    words = [sys.executable, "-c", FIT, str(graph.path), str(place), repr(RUN), str(threads)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def same(file, whole):
    with np.load(file) as made:
        np.testing.assert_array_equal(made["vertex"], whole.embedding_)
        np.testing.assert_array_equal(made["context"], whole.context_)
        np.testing.assert_array_equal(made["history"], whole.loss_history_)


@pytest.mark.slow
def test_kill_at_any_moment(tmp_path, graph, whole):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    place, kills, ends, forward = tmp_path / "state", 0, 0, 0
    while kills < KILLS or ends == 0:
        before = pairs_saved(place) or 0
        with start(graph, place, threads=1 + kills % 3) as child:
            # Long enough for a checkpoint or two, and as many moments inside of one as between two.
            time.sleep(chance.uniform(0, 0.15) if kills < KILLS else 60)
            child.kill()
            kills += 1
            child.wait()
            if "done" in child.stdout.read():
                same(f"{place}.npz", whole)
                ends += 1
                remove(place)
                continue
        after = pairs_saved(place) or 0
        assert after >= before
        forward += after > before
    print(f"{kills} kills, {forward} of them after a new checkpoint, {ends} runs ended")


FULL = """
import resource, signal, sys
from weft.embed import NodeEmbedding
from weft.errors import StorageError
from weft.graph import Graph
graph, settings, limit = Graph.open(sys.argv[1]), eval(sys.argv[3]), int(sys.argv[4])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
seen = []
def fill_the_disk(done, total, loss):
    seen.append(done)
    if len(seen) == 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    NodeEmbedding(**settings, on_progress=fill_the_disk).fit(graph, checkpoint=sys.argv[2], every_minutes=0)
except StorageError as error:
    print(f"{seen[-2]} StorageError {error.errno}: {error}")
"""


@pytest.mark.parametrize("limit", [0, 3000, 5000, 30_000])
def test_no_room_for_a_checkpoint(tmp_path, graph, whole, limit):
    place = tmp_path / "state"
    words = [sys.executable, "-c", FULL, str(graph.path), str(place), repr(RUN), str(limit)]
    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    saved, error = said.split(" ", 1)
    assert error.startswith(f"StorageError {errno.EFBIG}: training stopped at ")
    assert "cannot write" in error
    assert "the file would pass the size limit" in error
    assert "the one before is intact" in error
    assert pairs_saved(place) == int(saved)
    assert [p.name for p in tmp_path.iterdir()] == ["state"]
    model = NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True)
    np.testing.assert_array_equal(model.embedding_, whole.embedding_)
