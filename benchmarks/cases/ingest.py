"""Importing R-MAT edge lists, against Polars reading and sorting the same file; and within 4 GiB."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.case import Case, Row, rate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CASE", "MEMORY"]

SCALE, EDGE_FACTOR, SEED, THREADS = 20, 16, 1, 2
EDGES = EDGE_FACTOR << SCALE
# What an import moves at least, besides reading the file: an 8-byte key of each edge and of its reverse,
# written when scattered and read when sorted, and 4 bytes written for each in the result.
BYTES_PER_EDGE = 2 * (8 + 8 + 4)
LARGE, BUDGET, BAR_GIB = 24, "4GiB", 5.0


def _edges_per_second(file: Path) -> Callable[[], float]:
    """M edges/s that memory allows, from two threads copying 256 MiB, for what an import must move."""
    parts = np.array_split(np.ones(1 << 28, np.uint8), THREADS)
    copies = [np.empty_like(part) for part in parts]
    moved = 2 * sum(part.nbytes for part in parts)
    per_edge = file.stat().st_size / EDGES + BYTES_PER_EDGE

    def limit() -> float:
        with ThreadPoolExecutor(THREADS) as pool:
            return rate(moved / per_edge / 1e6, lambda: list(pool.map(np.copyto, copies, parts)))

    return limit


def _rows(folder: Path) -> list[Row]:
    import polars as pl

    from weft.graph.generate import rmat
    from weft.graph.ingest import ingest
    from weft.graph.tables import write_edges
    from weft.kernels.threads import set_num_threads

    set_num_threads(THREADS)
    source = rmat(SCALE, EDGE_FACTOR, seed=SEED)
    rows: list[Row] = []
    for name, read in (("parquet", pl.read_parquet), ("csv", pl.read_csv)):
        file = write_edges(source, folder / f"edges.{name}")

        def ours(file: Path = file) -> float:
            return rate(EDGES / 1e6, lambda: ingest(file, folder / "graph", overwrite=True))

        def peer(file: Path = file, read: Callable[[Path], pl.DataFrame] = read) -> float:
            return rate(EDGES / 1e6, lambda: read(file).sort("src", "dst"))

        rows.append(
            Row(
                name=name,
                ours=ours,
                peer=peer,
                peer_name=f"Polars {pl.__version__} read and sort",
                limit=_edges_per_second(file),
                note="weft stores both directions on disk; the peer sorts one in memory",
            )
        )
    return rows


# Not getrusage: its peak also counts the process that started this one.
_CHILD = """
import json, pathlib, sys, time
from weft.graph.ingest import ingest
begun = time.perf_counter()
graph = ingest(sys.argv[1], sys.argv[2], memory=sys.argv[3], overwrite=True)
seconds = time.perf_counter() - begun
words = pathlib.Path("/proc/self/status").read_text().split()
peak = int(words[words.index("VmHWM:") + 1]) * 1024
print(json.dumps({"seconds": seconds, "peak": peak, "stored": graph.num_edges}))
"""


def _memory(folder: Path) -> list[Row]:
    from weft.graph.generate import rmat
    from weft.graph.tables import write_edges

    file = write_edges(rmat(LARGE, EDGE_FACTOR, seed=SEED), folder / "edges.parquet")

    peaks: list[float] = []

    def ours() -> float:
        command = [sys.executable, "-c", _CHILD, str(file), str(folder / "graph"), BUDGET]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        result = json.loads(done.stdout)
        peaks.append(result["peak"] / 2**30)
        if peaks[-1] > BAR_GIB:
            raise RuntimeError(f"peak RSS {peaks[-1]:.2f} GiB is past the bar of {BAR_GIB} GiB")
        return (EDGE_FACTOR << LARGE) / result["seconds"] / 1e6

    def note() -> str:
        return f"peak RSS {max(peaks):.2f} GiB (VmHWM of the importing process), bar {BAR_GIB} GiB"

    return [Row(name=f"within {BUDGET}", ours=ours, note=note)]


CASE = Case(
    name="ingest",
    summary="import of R-MAT scale 20",
    unit="M edges/s",
    rows=_rows,
    config={
        "scale": SCALE,
        "edge_factor": EDGE_FACTOR,
        "seed": SEED,
        "threads": THREADS,
        "directed": False,
        "duplicates": "drop",
        "limit": "two-thread copy bandwidth / (file bytes + 40) per edge",
    },
    packages=("polars",),
)

MEMORY = Case(
    name="ingest-memory",
    summary="import of R-MAT scale 24 within 4 GiB",
    unit="M edges/s",
    rows=_memory,
    config={"scale": LARGE, "edge_factor": EDGE_FACTOR, "seed": SEED, "memory": BUDGET},
    repeat=1,
    warmup=False,
    slow=True,
    packages=("polars",),
)
