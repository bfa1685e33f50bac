"""Random walks on R-MAT, against the machine's random reads and PyTorch's walkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row, rate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CASE", "WEIGHTED"]

SCALE, EDGE_FACTOR, SEED = 20, 16, 1
WALKS, LENGTH, THREADS = 400_000, 40, 2
MILLION_STEPS = WALKS * LENGTH / 1e6

Graph = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]
Starts = npt.NDArray[np.uint32]


def _graph() -> Graph:
    """R-MAT, symmetrised, ids shuffled so that hubs do not lie side by side; on huge pages."""
    from weft.kernels.csr import edges_to_csr
    from weft.kernels.memory import copy_huge
    from weft.kernels.rmat import rmat_edges
    from weft.rng import Op, key

    src, dst = rmat_edges(SCALE, EDGE_FACTOR << SCALE, key(SEED, Op.RMAT))
    shuffled = np.random.default_rng(SEED).permutation(1 << SCALE).astype(np.uint32)
    indptr, indices, _ = edges_to_csr(
        shuffled[src], shuffled[dst], None, 1 << SCALE, directed=False, duplicates="keep"
    )
    return copy_huge(indptr).view(np.int64), copy_huge(indices).view(np.uint32)


def _starts(indptr: npt.NDArray[np.int64]) -> Starts:
    connected = np.flatnonzero(np.diff(indptr)).astype(np.uint32)
    return np.random.default_rng(SEED).choice(connected, WALKS)


def _reads_per_step(indices: npt.NDArray[np.uint32], reads: int) -> Callable[[], float]:
    """M steps/s that a step of so many random reads could reach, from a probe over the same memory."""
    from weft import _core

    seeds = iter(range(0, 2**32, 77_777_777))
    count = reads * WALKS * LENGTH
    return lambda: rate(MILLION_STEPS, lambda: _core.probe_random_reads(indices, count, next(seeds)))


def _peer() -> tuple[Any, str]:
    """torch-cluster's or pyg-lib's operator, and its name; or None, and why."""
    try:
        import torch
        import torch_cluster  # pyrefly: ignore[missing-import]
    except (ImportError, OSError):
        pass
    else:
        return torch.ops.torch_cluster.random_walk, f"torch-cluster {torch_cluster.__version__}"
    try:
        import pyg_lib  # pyrefly: ignore[missing-import]
        import torch
    except (ImportError, OSError):
        return None, "neither torch-cluster nor pyg-lib is installed"
    return torch.ops.pyg.random_walk, f"pyg-lib {pyg_lib.__version__}"


def _peer_walks(
    indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.uint32], starts: Starts
) -> dict[str, Any]:
    operator, name = _peer()
    if operator is None:
        return {"note": name}
    import torch

    torch.set_num_threads(THREADS)
    graph = [torch.from_numpy(array.astype(np.int64)) for array in (indptr, indices, starts)]
    uniform = (1.0, 1.0)  # node2vec's p and q
    return {
        "peer": lambda: rate(MILLION_STEPS, lambda: operator(*graph, LENGTH, *uniform)),
        "peer_name": name,
    }


def _prepare() -> tuple[Graph, Starts, npt.NDArray[Any]]:
    from weft.kernels.memory import zeros_huge
    from weft.kernels.threads import set_num_threads

    set_num_threads(THREADS)
    graph = _graph()
    return graph, _starts(graph[0]), zeros_huge((WALKS, LENGTH + 1), np.uint32)


def _uniform(_: Path) -> list[Row]:
    from weft.kernels.walk import walk

    (indptr, indices), starts, out = _prepare()

    def ours() -> float:
        return rate(MILLION_STEPS, lambda: walk(indptr, indices, starts, LENGTH, SEED, out=out))

    peer = _peer_walks(indptr, indices, starts)
    return [Row(name="uniform", ours=ours, limit=_reads_per_step(indices, 2), **peer)]


def _weighted(_: Path) -> list[Row]:
    from weft.kernels.alias import alias_tables
    from weft.kernels.walk import walk

    (indptr, indices), starts, out = _prepare()
    weight = np.random.default_rng(SEED).random(len(indices), np.float32) + np.float32(0.01)
    alias = alias_tables(indptr, weight)

    def ours() -> float:
        return rate(MILLION_STEPS, lambda: walk(indptr, indices, starts, LENGTH, SEED, alias=alias, out=out))

    note = "no peer walks by weight from a table"
    return [Row(name="weighted", ours=ours, limit=_reads_per_step(indices, 3), note=note)]


_CONFIG = {
    "graph": f"R-MAT scale {SCALE}, {EDGE_FACTOR} edges a node, symmetrised, duplicates kept, ids shuffled",
    "walks": WALKS,
    "length": LENGTH,
    "threads": THREADS,
    "seed": SEED,
}
_PACKAGES = ("torch", "torch-cluster", "pyg-lib")

CASE = Case(
    name="walk",
    summary="Uniform random walks, R-MAT 20",
    unit="M steps/s",
    rows=_uniform,
    config=_CONFIG | {"limit": "half the random 4-byte reads/s over the memory of the indices"},
    repeat=11,
    packages=_PACKAGES,
)

WEIGHTED = Case(
    name="walk-weighted",
    summary="Weighted random walks, R-MAT 20",
    unit="M steps/s",
    rows=_weighted,
    config=_CONFIG | {"limit": "a third of the random 4-byte reads/s over the memory of the indices"},
    repeat=11,
    packages=_PACKAGES,
)
