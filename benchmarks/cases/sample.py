"""Neighbour sampling on R-MAT, against the machine's random reads and the operator under PyG's loader."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row, rate
from benchmarks.graphs import rmat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["CASE"]

SCALE, EDGE_FACTOR, SEED = 20, 16, 1
FANOUT, BATCH, BATCHES = (15, 10, 5), 1024, 60
Seeds = list[Any]


def _sampling(threads: int, sample: Callable[[int], int]) -> Callable[[], float]:
    """M edges/s of all batches, shared by threads."""

    def run() -> float:
        with ThreadPoolExecutor(threads) as pool:
            edges = 0

            def work() -> None:
                nonlocal edges
                edges = sum(pool.map(sample, range(BATCHES)))

            seconds = 1 / rate(1, work)
        return edges / 1e6 / seconds

    return run


def _reads(graph: Graph, threads: int, each: int) -> Callable[[], float]:
    """M edges/s, if an edge were so many random reads of the graph's memory."""
    from weft import _core
    from weft.kernels.threads import set_num_threads

    seeds = iter(range(0, 2**32, 77_777_777))
    reads = 20_000_000

    def run() -> float:
        set_num_threads(threads)
        return rate(reads / each / 1e6, lambda: _core.probe_random_reads(graph.indices, reads, next(seeds)))

    return run


def _peer(graph: Graph, seeds: Seeds) -> tuple[Callable[[int], int] | None, str]:
    """PyG's operator: pyg-lib's, or that of torch-sparse; or None, and why."""
    try:
        import torch
    except ImportError:
        return None, "torch is not installed"
    arrays = [torch.from_numpy(array.astype(np.int64)) for array in (graph.indptr, graph.indices)]
    nodes = [torch.from_numpy(some.astype(np.int64)) for some in seeds]
    torch.set_num_threads(1)
    try:
        import pyg_lib  # pyrefly: ignore[missing-import]

        name = f"pyg-lib {pyg_lib.__version__}"
        sample = torch.ops.pyg.neighbor_sample
        return lambda b: len(sample(*arrays, nodes[b], list(FANOUT))[0]), name
    except (ImportError, OSError):
        pass
    try:
        import torch_sparse  # pyrefly: ignore[missing-import]

        name = f"torch-sparse {torch_sparse.__version__}"
        operator = torch.ops.torch_sparse.neighbor_sample
        return lambda b: len(operator(*arrays, nodes[b], list(FANOUT), False, True)[1]), name
    except (ImportError, OSError):
        return None, "neither pyg-lib nor torch-sparse is installed"


def _rows(_: Path) -> list[Row]:
    from weft.sampling import NeighborSampler

    graph = rmat(SCALE, EDGE_FACTOR, SEED, "keep")
    connected = np.flatnonzero(graph.degree())
    rng = np.random.default_rng(SEED)
    seeds = [rng.choice(connected, BATCH, replace=False) for _ in range(BATCHES)]
    sampler = NeighborSampler.of(graph, FANOUT)
    peer, name = _peer(graph, seeds)

    def ours(number: int) -> int:
        return sampler.sample(seeds[number], seed=SEED, batch=number).edge_index.shape[1]

    return [
        Row(
            name=f"{threads} thread{'s' * (threads > 1)}",
            ours=_sampling(threads, ours),
            limit=_reads(graph, threads, 2),
            note="limit: two random reads an edge" + ("" if peer else f"; {name}"),
            peer=None if peer is None else _sampling(threads, peer),
            peer_name=None if peer is None else name,
        )
        for threads in (1, 2)
    ]


CASE = Case(
    name="sample",
    summary=f"neighbours of R-MAT {SCALE}, fanout 15, 10, 5, batches of {BATCH}; PyG's operator beside it",
    unit="M edges/s",
    rows=_rows,
    config={
        "scale": SCALE,
        "edge_factor": EDGE_FACTOR,
        "fanout": list(FANOUT),
        "batch": BATCH,
        "batches": BATCHES,
        "seed": SEED,
    },
    packages=("torch", "torch-sparse", "pyg-lib"),
)
