"""What caches of a tenth of the rows read, in an epoch of neighbour sampling, beside the least possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row

if TYPE_CHECKING:
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["CASE", "an_epoch", "rmat"]

SCALE, EDGE_FACTOR, SEED = 22, 16, 1
FANOUT, BATCH, SHARE, TRAINING = (10, 10, 10), 1024, 0.1, 0.1
Trace = list[npt.NDArray[np.uint32]]


def rmat(scale: int = SCALE) -> Graph:
    """R-MAT without duplicates, ids shuffled so that hubs do not lie side by side; on huge pages."""
    from weft.graph import Graph
    from weft.kernels.rmat import rmat_edges
    from weft.rng import Op, key

    src, dst = rmat_edges(scale, EDGE_FACTOR << scale, key(SEED, Op.RMAT))
    shuffled = np.random.default_rng(SEED).permutation(1 << scale).astype(np.uint32)
    return Graph.from_edges(shuffled[src], shuffled[dst], num_nodes=1 << scale).in_memory()


def an_epoch(graph: Graph) -> Trace:
    """The rows that each batch asks for; a tenth of the nodes that have edges are trained on."""
    from weft.sampling import NeighborSampler

    sampler = NeighborSampler.of(graph, FANOUT)
    seeds = np.random.default_rng(SEED).permutation(np.flatnonzero(graph.degree()))
    seeds = seeds[: int(TRAINING * len(seeds))]
    return [
        sampler.sample(seeds[begin : begin + BATCH], seed=SEED, batch=number).n_id.astype(np.uint32)
        for number, begin in enumerate(range(0, len(seeds), BATCH))
    ]


def least(trace: Trace, rows: int, slots: int) -> int:
    """Rows read when, after each batch, those are kept that are needed first (Belady 1966): the fewest.

    Not by the code that is measured: next uses come from a sort of the whole epoch, what is kept from a
    partition.
    """
    batch_U = np.repeat(np.arange(len(trace)), [len(ids) for ids in trace])
    row_U = np.concatenate(trace)
    order = np.lexsort((batch_U, row_U))
    following = np.full(len(row_U), len(trace), np.int64)
    same = row_U[order[1:]] == row_U[order[:-1]]
    following[order[:-1][same]] = batch_U[order[1:][same]]
    ends = np.cumsum([0, *(len(ids) for ids in trace)])
    kept, until, there, read = np.empty(0, np.uint32), np.empty(0, np.int64), np.zeros(rows, bool), 0
    for number, ids in enumerate(trace):
        read += int(np.count_nonzero(~there[ids]))
        still = until > number
        all_of = np.concatenate([kept[still], ids])
        next_of = np.concatenate([until[still], following[ends[number] : ends[number + 1]]])
        all_of, next_of = all_of[next_of < len(trace)], next_of[next_of < len(trace)]
        there[kept] = False
        if len(all_of) > slots:
            first = np.argpartition(next_of, slots)[:slots]
            all_of, next_of = all_of[first], next_of[first]
        kept, until = all_of, next_of
        there[kept] = True
    return read


def _rows(_: Path) -> list[Row]:
    from weft.features.policies import replay

    graph = rmat()
    trace, degree = an_epoch(graph), graph.degree()
    slots, asked = int(SHARE * graph.num_nodes), sum(map(len, trace))
    fewest = asked / least(trace, graph.num_nodes, slots)

    def row(name: str, policy: str, **more: Any) -> Row:  # noqa: ANN401
        def ours() -> float:
            return asked / int(replay(trace, graph.num_nodes, slots, policy, **more).sum())

        return Row(
            name=name, ours=ours, peer=lambda: fewest, peer_name="Belady's optimum", limit=lambda: fewest
        )

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
