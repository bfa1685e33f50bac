"""Neighbours at a moment, against the machine's random reads and NumPy on a T-CSR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from benchmarks.case import Case, Row, on_threads
from benchmarks.events import PER_NODE, SCALE, SEED, TCSR, Edges, batches_of, rmat_events, roots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from weft.graph import TemporalGraph

__all__ = ["CASE"]

THREADS, NODES, EVENTS = 2, 1 << SCALE, 600
How = Literal["recent", "uniform"]
Where = Literal["head", "spread"]
Roots = list[tuple["npt.NDArray[np.uint32]", "npt.NDArray[np.int64]"]]
# TGL's own sampler (amazon-science/tgl, built from source), on such a machine, on another day.
TGL = {
    ("recent", 1): "TGL on such a machine: 18.3",
    ("uniform", 1): "TGL on such a machine: 9.9",
    ("uniform", 2): "TGL on such a machine: 14.3",
    ("recent", 2): "TGL on such a machine: it crashed",
}


def _ours(graph: TemporalGraph, some: Roots, how: How, hops: int, pyg: bool) -> int:
    edges = 0
    for batch, (root, time) in enumerate(some):
        found: list[Edges] = []
        node, at = root, time
        for hop in range(hops):
            drawn = graph.rows.sample(node, at, 10, how=how, seed=SEED, hop=hop, first=batch * len(node))
            found.append(Edges(drawn.row, drawn.node, graph.eids(drawn.number), at[drawn.row] - drawn.time))
            node, at = drawn.node, drawn.time
            edges += len(drawn.row)
        if pyg:
            _data(root, found)
    return edges


def _data(root: npt.NDArray[np.uint32], hops: list[Edges]) -> object:
    """A batch as PyG has it: every event that was drawn is a node of its own."""
    import torch
    from torch_geometric.data import Data

    n_id = np.concatenate([root, *(hop.node for hop in hops)]).astype(np.int64)
    index: list[npt.NDArray[np.int64]] = []
    begin, end = 0, len(root)
    for hop in hops:
        index.append(np.stack([end + np.arange(len(hop.row)), begin + hop.row]))
        begin, end = end, end + len(hop.row)
    whole = np.concatenate(index, axis=1)
    return Data(
        n_id=torch.from_numpy(n_id),
        edge_index=torch.from_numpy(whole),
        e_id=torch.from_numpy(np.concatenate([hop.eid for hop in hops])),
        since=torch.from_numpy(np.concatenate([hop.since for hop in hops])),
        batch_size=len(root),
    )


def _peer(plain: TCSR, some: Roots, how: How, hops: int) -> int:
    edges, rng = 0, np.random.default_rng(SEED)
    for root, time in some:
        node, at = root, time
        for _ in range(hops):
            drawn, at = plain.sample(node, at, 10, how, rng)
            node = drawn.node.astype(np.uint32, copy=False)
            edges += len(drawn.row)
    return edges


def _counted(run: Callable[[], int]) -> Callable[[], float]:
    """M edges/s of a function that says how many edges there were, after one call that is not measured."""
    edges = run() / 1e6
    return on_threads(THREADS, edges, run)


def _rows(_: Path) -> list[Row]:
    import importlib.util

    from weft import _core
    from weft.graph import TemporalGraph

    stream = rmat_events()
    plain, graph = TCSR.build(stream, NODES), TemporalGraph(NODES)
    for piece in batches_of(stream, 100_000):
        graph.append(*piece)
    memory, reads = np.ones(len(plain.node) * 4, np.uint32), 10_000_000
    probe = on_threads(THREADS, reads / 1e6, lambda: _core.probe_random_reads(memory, reads, SEED))
    with_pyg = importlib.util.find_spec("torch_geometric") is not None

    def row(how: How, hops: int, where: Where, pyg: bool = False) -> Row:
        some = roots(stream, where, EVENTS, 100 if hops == 1 else 15, NODES)
        fanout = ", ".join(["10"] * hops)
        random = how == "uniform"
        return Row(
            name=f"{how} {fanout}, {where}{', as PyG Data' * pyg}",
            ours=_counted(lambda: _ours(graph, some, how, hops, pyg)),
            peer=None if pyg else _counted(lambda: _peer(plain, some, how, hops)),
            peer_name=f"NumPy {np.__version__} on a T-CSR{', with replacement' * random}",
            limit=probe if random else None,
            note=("limit: a random read for each edge; " if random else "") + TGL[how, hops],
        )

    kinds: list[tuple[How, int]] = [("recent", 1), ("uniform", 1), ("uniform", 2), ("recent", 2)]
    places: tuple[Where, Where] = ("head", "spread")
    rows = [row(how, hops, where) for how, hops in kinds for where in places]
    if with_pyg:
        rows += [row(how, hops, "head", pyg=True) for how, hops in kinds]
    return rows


CASE = Case(
    name="temporal.sample",
    summary=f"events before a moment, R-MAT {SCALE}, {PER_NODE} events a node, 1,800 roots, two threads",
    unit="M edges/s",
    rows=_rows,
    config={
        "scale": SCALE,
        "events_per_node": PER_NODE,
        "events_of_a_batch": EVENTS,
        "roots_of_a_batch": 3 * EVENTS,
        "threads": THREADS,
        "seed": SEED,
    },
    packages=("numpy", "torch", "torch-geometric"),
)
