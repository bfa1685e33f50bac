"""A temporal graph whose writer is killed: what stands in its place is one that was saved, whole."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time

import pytest

from weft.graph import TemporalGraph

SAVE = """
import sys
import numpy as np
from weft.graph import TemporalGraph
rng, graph = np.random.default_rng(0), TemporalGraph(1000)
print("ready", flush=True)
while True:
    graph.append(*rng.integers(0, 1000, (2, 20_000)), rng.integers(0, 1000, 20_000))
    graph.save(sys.argv[1], overwrite=True)
    print(graph.num_events, flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_kill_at_any_moment(tmp_path, seed):
    chance, out = random.Random(seed), tmp_path / "g"
    command = [sys.executable, "-c", SAVE, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        said = [int(child.stdout.readline()) for _ in range(chance.randrange(1, 4))]
        time.sleep(chance.random() * 0.05)
        child.kill()
        said += [int(line) for line in child.stdout]
    graph = TemporalGraph.open(out, verify=True)
    # The last one said, or one that was renamed before the word of it went out.
    assert graph.num_events in (said[-1], said[-1] + 20_000)
    for entry in tmp_path.iterdir():
        assert entry.name == "g" or re.fullmatch(r"\.g\.tmp-\d+-[0-9a-f]{8}(\.old)?", entry.name)
    graph.save(out, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["g"]
