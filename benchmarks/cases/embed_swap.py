"""Tables four times as large as the memory allowed, against the same run with all in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CASE"]

NODES, EDGES, DIM, SEED = 1_000_000, 2_000_000, 128, 1
EPOCHS, LENGTH, WINDOW, THREADS = 66, 40, 5, 2
MEMORY = 2 * NODES * DIM * 4 // 4
PROBE = 1 << 30

# A process of its own for each run: its peak is its own, and nothing of the run before is in its memory.
CHILD = """
import json, sys, time, zlib
import numpy as np
import weft
from weft.embed import NodeEmbedding
from weft.embed.run import Run
from weft.graph import Graph
graph, settings = Graph.open(sys.argv[1]), json.loads(sys.argv[2])
weft.set_num_threads(settings.pop("threads"))
moved = {"read": 0, "written": 0, "waited": 0.0}
leave = Run.__exit__
def count(run, *exception):
    if run.scratch is not None:
        moved.update(read=run.scratch.read, written=run.scratch.written, waited=run.scratch.waited)
    leave(run, *exception)
Run.__exit__ = count
model = NodeEmbedding(**settings)
plan = model.plan(graph)
begun = time.perf_counter()
model.fit(graph, plan=plan)
seconds = time.perf_counter() - begun
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
crc = zlib.crc32(np.ascontiguousarray(model.embedding_))
print(json.dumps({"seconds": seconds, "pairs": plan.pairs, "plan": plan.bytes, "peak": peak, "crc": crc,
                  "tables": 2 * plan.parts * plan.part, "swapped": plan.swap is not None, **moved}))
"""


class _Runs:
    """The two runs, and what is known of the last of each."""

    def __init__(self, folder: Path) -> None:
        from weft.graph import Graph

        rng = np.random.default_rng(SEED)
        ends = rng.integers(0, NODES, (2, EDGES))
        self._folder = folder
        self._graph = Graph.from_edges(*ends, num_nodes=NODES).save(folder / "graph").path
        self._last: dict[str, dict[str, Any]] = {}
        self._bandwidth = 0.0

    def rate(self, name: str) -> float:
        """M pairs/s of the last run of a kind."""
        return self._last[name]["pairs"] / self._last[name]["seconds"] / 1e6

    def train(self, name: str, memory: int | None) -> float:
        """M pairs/s of a new run."""
        settings = {"dim": DIM, "epochs": EPOCHS, "walk_length": LENGTH, "window": WINDOW, "threads": THREADS}
        settings |= {"memory": memory, "scratch": str(self._folder)}
        words = [sys.executable, "-c", CHILD, str(self._graph), json.dumps(settings)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        self._last[name] = json.loads(done.stdout)
        return self.rate(name)

    def limit(self) -> float:
        """M pairs/s if a run on disk, made now, did nothing but move its bytes as a plain program does."""
        self.train("disk", MEMORY)
        last = self._last["disk"]
        return last["pairs"] / 1e6 / ((last["read"] + last["written"]) / self._probe())

    def _probe(self) -> float:
        """Bytes a second of sequential writing and reading."""
        block, path = memoryview(bytearray(os.urandom(1 << 20) * 8)), self._folder / "probe"
        begun = time.perf_counter()
        with path.open("wb", buffering=0) as file:
            for _ in range(PROBE // len(block)):
                file.write(block)
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with path.open("rb", buffering=0) as file:
            while file.readinto(block):
                pass
        self._bandwidth = 2 * PROBE / (time.perf_counter() - begun)
        path.unlink()
        return self._bandwidth

    def note(self) -> str:
        disk, memory = self._last["disk"], self._last["memory"]
        assert disk["swapped"], "the budget was to be too small"
        assert not memory["swapped"], "the machine was to have room"
        assert disk["crc"] == memory["crc"], "vectors differ"
        moved = disk["read"] + disk["written"]
        speed, waited = moved / disk["seconds"] / 1e9, disk["waited"] / disk["seconds"]
        return (
            f"same vectors; tables {disk['tables'] / MEMORY:.1f} times the memory allowed, peak "
            f"{disk['peak'] / MEMORY:.2f} of it; {moved / 1e9:.1f} GB moved, {speed:.1f} GB/s beside "
            f"training, waited for in {waited:.0%} of the time; a plain program moves "
            f"{self._bandwidth / 1e9:.1f} GB/s"
        )


def _rows(folder: Path) -> list[Row]:
    runs = _Runs(folder)
    return [
        Row(
            name="a quarter",
            ours=lambda: runs.rate("disk"),  # of the run that the limit was reckoned for
            peer=lambda: runs.train("memory", None),
            peer_name="weft with all in memory, the same parts",
            limit=runs.limit,
            note=runs.note,
        )
    ]


CASE = Case(
    name="embed.swap",
    summary="Embedding with tables 4 times the memory allowed",
    unit="M pairs/s",
    rows=_rows,
    config={
        "graph": f"{NODES:,} nodes, {EDGES:,} random edges",
        "dim": DIM,
        "memory": MEMORY,
        "epochs": EPOCHS,
        "walk_length": LENGTH,
        "window": WINDOW,
        "threads": THREADS,
        "seed": SEED,
        "limit": "the bytes the run moves, at the speed of plain sequential writing and reading",
    },
    repeat=3,
    warmup=False,
    slow=True,
)
