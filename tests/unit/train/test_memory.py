"""The memory that a training takes is the memory its plan said."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from weft.graph import Graph

NODES, COLUMNS = 60_000, 256

# The peak is the kernel's: of pages that were there at once, in the process that planned and trained.
FIT = """
import json, sys
import numpy as np
import torch
from weft.graph import Graph
from weft.train import Settings, Split, Training
torch.set_num_threads(2)
folder, settings, memory = sys.argv[1], Settings(**json.loads(sys.argv[2])), sys.argv[3]
given = {}
if settings.task == "node":
    nodes = np.arange(2000)
    given = {"labels": np.arange(60_000) % 5, "split": Split(train=nodes[:1500], val=nodes[1500:], test=[])}
given |= {"settings": settings, "memory": memory}
with Training(Graph.open(folder + "/g"), folder + "/x.npy", **given) as training:
    plan, told = training.plan, getattr(training._table, "window", 0) > 0
    training.fit()
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
print(json.dumps({"plan": plan.bytes, "base": plan.base, "peak": peak, "told": told}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A graph on disk, and features of 59 MiB."""
    place, rng = tmp_path_factory.mktemp("memory"), np.random.default_rng(0)
    Graph.from_edges(*rng.integers(0, NODES, (2, 400_000)), num_nodes=NODES).save(place / "g")
    np.save(place / "x.npy", rng.random((NODES, COLUMNS), np.float32))
    return place


@pytest.mark.parametrize(
    ("settings", "memory", "on_disk"),
    [
        ({"batch_size": 500}, "1GiB", False),
        ({"batch_size": 40}, "60MiB", True),
        pytest.param(
            {"task": "link", "batch_size": 2048, "num_neighbors": [2], "hidden": 8, "epochs": 1},
            "1GiB",
            False,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_peak_is_as_planned(folder, settings, memory, on_disk):
    words = [sys.executable, "-c", FIT, str(folder), json.dumps({"epochs": 2, **settings}), memory]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    got = json.loads(ran.stdout)
    peak, plan = got["peak"] - got["base"], got["plan"] - got["base"]
    print(got, round(got["peak"] / got["plan"], 3), "beside the process", round(peak / plan, 3))
    assert got["told"] == on_disk
    # A fifth is what a plan may be wrong by.
    assert got["plan"] / 1.2 <= got["peak"] <= got["plan"] * 1.2
    # What is beside the interpreter and its libraries is known less well where it is little.
    assert plan / 1.3 <= peak <= plan * 1.3
