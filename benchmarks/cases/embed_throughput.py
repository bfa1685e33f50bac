"""Skip-gram from the graph to the vectors on R-MAT, against gensim and the arithmetic the machine can do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Row
from benchmarks.cases.gensim_peer import NAME, train_seconds, write_walks

if TYPE_CHECKING:
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["CASE"]

SCALE, EDGE_FACTOR, SEED = 20, 16, 1
DIM, WINDOW, LENGTH, THREADS = 128, 5, 40, 2
# A run of the default length has 16 times as many: the shorter, the more its first pool and its start weigh.
PAIRS, PEER_PAIRS = 1_000_000_000, 40_000_000
_PROBE = 20_000_000


def _graph() -> Graph:
    from weft.graph import Graph
    from weft.kernels.rmat import rmat_edges
    from weft.rng import Op, key

    src, dst = rmat_edges(SCALE, EDGE_FACTOR << SCALE, key(SEED, Op.RMAT))
    return Graph.from_edges(src, dst, num_nodes=1 << SCALE)


def _fit(graph: Graph, negatives: int) -> float:
    from weft.embed import NodeEmbedding

    edges = graph.num_edges / 2
    model = NodeEmbedding(dim=DIM, epochs=PAIRS / edges, window=WINDOW, num_negatives=negatives, seed=SEED)
    begun = time.perf_counter()
    model.fit(graph)
    return model.loss_history_[-1, 0] / (time.perf_counter() - begun) / 1e6


def _arithmetic(negatives: int) -> float:
    """M pairs/s if multiplications and additions were all: a score and two moves for each of 1 + K rows."""
    from weft import _core

    begun = time.perf_counter()
    _core.probe_arithmetic(_PROBE)
    multiply_adds = THREADS * _PROBE * 192 / (time.perf_counter() - begun)
    return multiply_adds / (3 * (1 + negatives) * DIM) / 1e6


def _rows(folder: Path) -> list[Row]:
    from weft.kernels.threads import set_num_threads

    set_num_threads(THREADS)
    graph = _graph()
    walks, pairs = write_walks(graph, folder / "walks.txt", pairs=PEER_PAIRS, length=LENGTH, window=WINDOW)

    def row(name: str, negatives: int, peer: int) -> Row:
        def theirs() -> float:
            seconds = train_seconds(walks, dim=DIM, window=WINDOW, negatives=peer, workers=THREADS)
            return pairs / seconds / 1e6

        what: dict[str, Any] = {"peer": theirs, "peer_name": NAME} if walks is not None else {"note": NAME}
        return Row(
            name=name, ours=lambda: _fit(graph, negatives), limit=lambda: _arithmetic(negatives), **what
        )

    return [
        row("K=1", 1, 1),
        row("default: 3 shared negatives; peer K=1", 3, 1),
        row("K=5", 5, 5),
    ]


CASE = Case(
    name="embed.throughput",
    summary="Skip-gram from the graph to the vectors, R-MAT 20, d=128",
    unit="M pairs/s",
    rows=_rows,
    config={
        "graph": f"R-MAT scale {SCALE}, {EDGE_FACTOR} edges a node, undirected, duplicates merged",
        "weft": f"NodeEmbedding.fit from the graph to the vectors, walks and all, {PAIRS:,} pairs",
        "peer": "gensim Word2Vec.train(corpus_file) alone: walks and vocabulary are ready, "
        f"{PEER_PAIRS:,} pairs",
        "dim": DIM,
        "window": WINDOW,
        "length": LENGTH,
        "threads": THREADS,
        "seed": SEED,
        "limit": "float32 multiply-adds, not fused, of all threads / (3 (1 + K) dim)",
    },
    repeat=3,
    warmup=False,
    slow=True,
    packages=("gensim", "numpy"),
)
