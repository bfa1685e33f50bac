"""What caches of a tenth of the rows read, in an epoch of neighbour sampling, beside the least possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row
from benchmarks.graphs import rmat

if TYPE_CHECKING:
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["CASE"]

SCALE, EDGE_FACTOR, SEED = 22, 16, 1
FANOUT, BATCH, SHARE, TRAINING = (10, 10, 10), 1024, 0.1, 0.1
Trace = list[npt.NDArray[np.uint32]]


def _epoch(graph: Graph) -> Trace:
    """The rows that each batch asks for; a tenth of the nodes that have edges are trained on."""
    from weft.sampling import NeighborSampler

    sampler = NeighborSampler.of(graph, FANOUT)
    seeds = np.random.default_rng(SEED).permutation(np.flatnonzero(graph.degree()))
    seeds = seeds[: int(TRAINING * len(seeds))]
    return [
        sampler.sample(seeds[begin : begin + BATCH], seed=SEED, batch=number).n_id.astype(np.uint32)
        for number, begin in enumerate(range(0, len(seeds), BATCH))
    ]


def _rows(_: Path) -> list[Row]:
    from weft.features.policies import replay
    from weft.features.policies.reference import belady

    graph = rmat(SCALE, EDGE_FACTOR, SEED)
    trace, degree = _epoch(graph), graph.degree()
    slots, asked = int(SHARE * graph.num_nodes), sum(map(len, trace))
    fewest = asked / int(belady(trace, graph.num_nodes, slots).sum())

    def row(name: str, policy: str, **more: Any) -> Row:  # noqa: ANN401
        def ours() -> float:
            return asked / int(replay(trace, graph.num_nodes, slots, policy, **more).sum())

        return Row(name=name, ours=ours, peer=lambda: fewest, peer_name="Belady's optimum")

    def preloaded(name: str, hotness: npt.NDArray[Any]) -> Row:
        def ours() -> float:
            read = replay(trace, graph.num_nodes, slots, "static", hotness=hotness).sum()
            return asked / int(read + slots)

        return Row(
            name=name,
            ours=ours,
            peer=lambda: fewest,
            peer_name="Belady's optimum",
            note="what it loads at the start is counted",
        )

    counts = np.bincount(np.concatenate(trace[: max(1, len(trace) // 10)]), minlength=graph.num_nodes)
    return [
        row("lookahead, a whole epoch", "lookahead", window=len(trace)),
        *(row(f"lookahead, W = {w}", "lookahead", window=w, hotness=degree) for w in (64, 16, 8, 4, 1)),
        preloaded("static, by degree", degree),
        preloaded("static, by a tenth of the epoch sampled before", counts),
        row("sieve", "sieve"),
        row("lru", "lru"),
    ]


CASE = Case(
    name="policy",
    summary=f"rows asked for each row read, a cache of 10 % of the rows, R-MAT {SCALE}, fanout 10, 10, 10",
    unit="rows/read",
    rows=_rows,
    config={
        "scale": SCALE,
        "edge_factor": EDGE_FACTOR,
        "fanout": list(FANOUT),
        "batch": BATCH,
        "share": SHARE,
        "training": TRAINING,
        "seed": SEED,
    },
    repeat=1,
    warmup=False,
)
