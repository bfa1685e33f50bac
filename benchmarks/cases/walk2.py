"""Second-order walks (node2vec) on R-MAT, beside first-order walks of the same graph in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row, rate
from benchmarks.cases.pecanpy_peer import pecanpy_walks
from benchmarks.cases.walk import EDGE_FACTOR, LENGTH, MILLION_STEPS, SCALE, SEED, THREADS, WALKS
from benchmarks.graphs import rmat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["CASE"]

P, Q = 0.25, 4.0
PEER_SCALE = 16  # PecanPy weighs all edges of a node at every step


def _rows(folder: Path) -> list[Row]:
    import dataclasses

    from weft.kernels.memory import zeros_huge
    from weft.kernels.threads import set_num_threads
    from weft.sampling.walks import WalkSampler, second_order_bytes

    set_num_threads(THREADS)
    graph = rmat(SCALE, EDGE_FACTOR, SEED)
    rng = np.random.default_rng(SEED)
    starts = rng.choice(np.flatnonzero(graph.degree()), WALKS)
    weight = rng.random(graph.num_edges, np.float32) + np.float32(0.01)
    out: Any = zeros_huge((WALKS, LENGTH + 1), np.uint32)

    def walks(sampler: WalkSampler) -> Callable[[], float]:
        return lambda: rate(MILLION_STEPS, lambda: sampler.walks(starts, LENGTH, seed=SEED, out=out))

    def row(name: str, of: Graph) -> Row:
        added = second_order_bytes(of) / of.nbytes
        return Row(
            name=f"{name}, memory of the graph + {100 * added:.1f} %",
            ours=walks(WalkSampler.of(of, p=P, q=Q)),
            peer=walks(WalkSampler.of(of)),
            peer_name="weft, first-order walks",
        )

    def beside_pecanpy() -> Row:
        small = rmat(PEER_SCALE, EDGE_FACTOR, SEED)
        every, sampler = np.arange(small.num_nodes), WalkSampler.of(small, p=P, q=Q)
        room: Any = zeros_huge((len(every), LENGTH + 1), np.uint32)
        peer, name = pecanpy_walks(small, folder, p=P, q=Q, length=LENGTH, threads=THREADS)
        return Row(
            name=f"uniform, R-MAT {PEER_SCALE}, a walk from every node",
            ours=lambda: rate(
                len(every) * LENGTH / 1e6, lambda: sampler.walks(every, LENGTH, seed=SEED, out=room)
            ),
            peer=peer,
            peer_name=name if peer else None,
            note=None if peer else name,
        )

    return [
        beside_pecanpy(),
        row("uniform", graph),
        row("weighted", dataclasses.replace(graph, weight=weight, directed=True)),
    ]


CASE = Case(
    name="embed.walk2",
    summary="node2vec's walks beside first-order ones, R-MAT 20",
    unit="M steps/s",
    rows=_rows,
    config={
        "graph": f"R-MAT scale {SCALE}, {EDGE_FACTOR} edges a node, undirected, duplicates merged, ids "
        "shuffled; the weighted one as a directed graph, for its random weights differ by direction",
        "p": P,
        "q": Q,
        "walks": WALKS,
        "length": LENGTH,
        "threads": THREADS,
        "seed": SEED,
    },
    repeat=11,
)
