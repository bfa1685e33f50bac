"""The memory a run takes is the memory its plan said, in RAM and with tables on disk."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from weft.graph import Graph

# The peak is the kernel's: of pages that were there at once, in the process that planned and trained.
FIT = """
import json, sys
from weft.embed import Embedding, NodeEmbedding, room
from weft.graph import Graph
from weft.graph._plan import resident
room._file_system = lambda _: ""  # the folder of the test may be in memory
graph = Graph.open(sys.argv[1])
memory = resident() + (int(sys.argv[4]) << 20)  # what an interpreter holds is another on every machine
model = NodeEmbedding(**json.loads(sys.argv[2]), memory=memory, scratch=sys.argv[3])
plan = model.plan(graph)
state = None if plan.swap is None else sys.argv[3] + "/state"
model.fit(graph, plan=plan, checkpoint=state, every_minutes=0)
Embedding.of(model, graph).save(sys.argv[3] + "/vectors")
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
swap = plan.swap and ("tables" if plan.swap.tables else "pairs")
print(json.dumps({"plan": plan.bytes, "limit": plan.limit, "peak": peak, "swap": swap}))
"""


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """Without and with weights; the weighted one directed."""
    rng, folder, nodes = np.random.default_rng(0), tmp_path_factory.mktemp("graphs"), 150_000
    src, dst = rng.integers(0, nodes, (2, 300_000))
    plain = Graph.from_edges(src, dst, num_nodes=nodes).save(folder / "plain")
    weight = rng.random(len(src)).astype(np.float32)
    weighted = Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=True).save(folder / "weighted")
    return {"plain": plain, "weighted": weighted}


@pytest.mark.parametrize(
    ("kind", "epochs", "spare_mib", "swap"),
    [
        ("plain", 16, 1024, None),
        ("plain", 40, 262, "pairs"),
        ("plain", 16, 120, "tables"),
        ("weighted", 16, 92, "tables"),
        ("weighted", 16, 1024, None),
    ],
)
def test_peak_is_as_planned(graphs, tmp_path, kind, epochs, spare_mib, swap):
    settings = json.dumps({"dim": 128, "epochs": epochs, "walk_length": 20, "window": 4})
    words = [sys.executable, "-c", FIT, str(graphs[kind].path), settings, str(tmp_path), str(spare_mib)]
    got = json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)
    print(got, round(got["peak"] / got["plan"], 3))
    assert got["swap"] == swap
    assert got["plan"] <= got["limit"]
    # A fifth is what a plan may be wrong by.
    assert got["plan"] / 1.2 <= got["peak"] <= got["plan"] * 1.2
