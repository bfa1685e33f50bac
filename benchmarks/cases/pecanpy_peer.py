"""PecanPy's walks on the fly, in a process of its own: it needs NumPy 1, which weft does without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["pecanpy_walks"]

PLACE = "WEFT_PECANPY"

_CHILD = """
import json, sys, time
sys.path.insert(0, sys.argv[2])
import numpy as np
from importlib.metadata import distributions
from pecanpy.pecanpy import SparseOTF
file = np.load(sys.argv[1])
graph = SparseOTF(p=float(sys.argv[3]), q=float(sys.argv[4]), random_state=0)
graph.indptr, graph.indices = file["indptr"].astype(np.uint32), file["indices"].astype(np.uint32)
graph.data = np.ones(len(graph.indices), np.float32)
graph.set_node_ids([str(i) for i in range(len(graph.indptr) - 1)])
version = next(d.version for d in distributions(path=[sys.argv[2]]) if d.name.lower() == "pecanpy")
length = int(sys.argv[5])
graph.simulate_walks(1, 2)  # compiled by now
graph._map_walk = lambda walk: walk  # ids as strings are no part of walking
print(json.dumps({"version": version}), flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    walks = graph.simulate_walks(1, length)
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "steps": int(sum(walk[-1] - 1 for walk in walks))}), flush=True)
"""


def pecanpy_walks(
    graph: Graph, folder: Path, *, p: float, q: float, length: int, threads: int
) -> tuple[Callable[[], float] | None, str]:
    """M steps/s of a walk from every node, and who it is; None without a folder in ``WEFT_PECANPY``."""
    place = os.environ.get(PLACE)
    if place is None:
        return None, f"PecanPy: set {PLACE} to a folder made by pip install --target FOLDER pecanpy"
    np.savez(folder / "graph.npz", indptr=graph.indptr, indices=graph.indices)
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(folder / "graph.npz"), place, str(p), str(q), str(length)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NUMBA_NUM_THREADS": str(threads)},
    )
    said, asked = child.stdout, child.stdin
    assert said is not None
    assert asked is not None
    version = json.loads(said.readline())["version"]

    def walk() -> float:
        asked.write("go\n")
        asked.flush()
        done = json.loads(said.readline())
        return done["steps"] / done["seconds"] / 1e6

    return walk, f"PecanPy {version} SparseOTF"
