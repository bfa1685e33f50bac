"""Tables on disk and a run that is killed, or a disk that fills up: nothing stays but the checkpoint."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.embed.checkpoint import pairs_saved
from weft.graph import Graph

RUN = {"dim": 20, "epochs": 4000, "walk_length": 10, "window": 3, "parts": 5, "seed": 3}
KILLS = 50

SWAPPED = """
import dataclasses, resource, signal, sys
import numpy as np
import weft.embed.skipgram as module
from weft.embed import NodeEmbedding, room
from weft.embed.swap.schedule import Grid, Swap
from weft.errors import StorageError
from weft.graph import Graph
make_plan = module.make_plan
# So small a run would fit into any memory: two context parts of five stay, strips of one pass.
swap = Swap(tables=True, grid=Grid(parts=5, panel=2, strip=1), capacity=1 << 15)
module.make_plan = lambda *a, **k: dataclasses.replace(make_plan(*a, **k), swap=swap, disk=1)
room._file_system = lambda _: ""  # the folder of the test may be in memory
graph, state, scratch = Graph.open(sys.argv[1]), sys.argv[2], sys.argv[3]
settings, limit = eval(sys.argv[4]), int(sys.argv[5])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
seen = []
def after(done, total, loss):
    seen.append(done)
    if limit and len(seen) == 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print("ready", flush=True)
try:
    model = NodeEmbedding(**settings, scratch=scratch, on_progress=after)
    model.fit(graph, checkpoint=state, every_minutes=0, resume=True)
except StorageError as error:
    print(f"{seen[-1]} {error}")
else:
    np.savez(state + ".npz", vertex=model.embedding_, context=model.context_, history=model.loss_history_)
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


@pytest.fixture
def scratch(tmp_path):
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def start(graph, place, scratch, limit=0):
    words = [sys.executable, "-c", SWAPPED, str(graph.path), str(place), str(scratch), repr(RUN), str(limit)]
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
def test_kill_at_any_moment(tmp_path, graph, whole, scratch):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance, place, forward = random.Random(seed), tmp_path / "state", 0
    for kill in range(KILLS):
        before = pairs_saved(place) or 0
        with start(graph, place, scratch) as child:
            time.sleep(chance.uniform(0, 0.15))
            child.kill()
        assert list(scratch.iterdir()) == []
        after = pairs_saved(place) or 0
        assert after >= before
        forward += after > before
        if after > 0.8 * whole.loss_history_[-1, 0] and kill < KILLS - 1:
            # Nearly done: from the beginning again, so that there is something to kill.
            subprocess.run(["rm", "-r", str(place)], check=True)
    with start(graph, place, scratch) as child:
        assert "done" in child.stdout.read()
    same(f"{place}.npz", whole)
    print(f"{KILLS} kills, {forward} of them after a new checkpoint")


@pytest.mark.parametrize("limit", [4096, 12 * 4096])
def test_a_disk_that_fills_up(tmp_path, graph, whole, scratch, limit):
    """At 4 KiB the tables' own files refuse; at 48 KiB the pairs that are spilled beside them."""
    place = tmp_path / "state"
    with start(graph, place, scratch, limit) as child:
        done, _, error = child.stdout.read().partition(" ")
    assert "the file would pass the size limit" in error
    assert "cannot write" in error or "no checkpoint could be written" in error
    assert 0 < pairs_saved(place) <= int(done)
    assert list(scratch.iterdir()) == []
    model = NodeEmbedding(**RUN).fit(graph, checkpoint=place, resume=True)
    np.testing.assert_array_equal(model.embedding_, whole.embedding_)
