"""Link prediction: hide some edges, learn from the rest, ask whether the hidden ones score high.

Shapes: ``H`` held-out edges, ``C`` negatives per held-out edge, ``D`` dimensions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.eval import metrics
from weft.eval._negatives import count_by_source, forbidden_pairs, sample_negatives
from weft.rng import Op, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import Graph

__all__ = ["LinkReport", "evaluate_links", "split_edges"]

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

_BLOCK = 1 << 23  # vector values gathered at a time: 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """The result of :func:`evaluate_links`.

    Attributes:
        auc: probability that a held-out edge scores above a pair that is no edge.
        mrr: mean reciprocal rank of the held-out target among the negatives of its source; of equal
            scores the mean rank is taken.
        hits: for each k, the share of ranks that are at most k.
        edges: held-out edges that were ranked.
        skipped: held-out edges whose source is linked to every node, so that it has no negatives.
        num_negatives: negatives per held-out edge.
        score: how two vectors are compared.
        seed: of the negatives.
        seconds: how long it took.
    """

    auc: float
    mrr: float
    hits: dict[int, float]
    edges: int
    skipped: int
    num_negatives: int
    score: str
    seed: int
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "task": "link",
            "auc": self.auc,
            "mrr": self.mrr,
            "hits": {str(k): share for k, share in self.hits.items()},
            "edges": self.edges,
            "skipped": self.skipped,
            "num_negatives": self.num_negatives,
            "score": self.score,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
        }


def split_edges(graph: Graph, fraction: float = 0.1, seed: int = 0) -> tuple[Graph, I64]:
    """Hide a share of the edges.

    An undirected edge is hidden in both directions, an edge that is stored several times in all its
    copies. Self-loops are never hidden. A node may lose all its edges: it stays, with none.

    Args:
        graph: what to split.
        fraction: share of the distinct edges to hide, in (0, 1).
        seed: of the choice.

    Returns:
        The graph without them, in memory, and the hidden edges: int64 ``[H, 2]``, in rising order,
        source below target where the graph is undirected.

    Raises:
        WeftValueError: ``fraction`` is out of range, or there are fewer than 2 edges to choose from.
    """
    if not 0 < fraction < 1:
        raise WeftValueError(f"fraction must lie between 0 and 1, both excluded (got {fraction})")
    src_E = np.repeat(np.arange(graph.num_nodes), graph.degree())
    dst_E = graph.indices.astype(np.int64)
    free_E = src_E != dst_E if graph.directed else src_E < dst_E
    pair_E = src_E * graph.num_nodes + dst_E
    # Rows are sorted, so the pairs of the candidates rise and copies stand side by side.
    candidates = np.unique(pair_E[free_E])
    count = round(fraction * len(candidates))
    if len(candidates) < 2 or not 0 < count < len(candidates):
        raise WeftValueError(
            f"cannot hide {fraction:g} of {len(candidates)} edges: at least one must be hidden and one "
            "stay; choose another fraction"
        )
    rng = np.random.default_rng(key(seed, Op.SPLIT))
    hidden_H = np.sort(rng.choice(candidates, count, replace=False, shuffle=False))
    gone_E = np.isin(pair_E, hidden_H)
    if not graph.directed:
        gone_E |= np.isin(dst_E * graph.num_nodes + src_E, hidden_H)
    indptr = np.zeros(graph.num_nodes + 1, np.int64)
    np.cumsum(np.bincount(src_E[~gone_E], minlength=graph.num_nodes), out=indptr[1:])
    rest = replace(
        graph,
        indptr=indptr,
        indices=graph.indices[~gone_E],
        weight=None if graph.weight is None else graph.weight[~gone_E],
        path=None,
    )
    return rest, np.stack(np.divmod(hidden_H, graph.num_nodes), axis=1)


def evaluate_links(
    vectors_ND: npt.NDArray[np.floating],
    graph: Graph,
    held_out_H2: I64,
    *,
    num_negatives: int = 100,
    score: Literal["cosine", "dot", "context"] = "cosine",
    context_ND: npt.NDArray[np.floating] | None = None,
    ks: Sequence[int] = (1, 10),
    seed: int = 0,
) -> LinkReport:
    """Measure vectors by how well they tell hidden edges from pairs that are no edges.

    Each held-out edge is compared with ``num_negatives`` pairs of the same source and a node drawn
    uniformly from those it has no edge to. MRR and hits rank it among its own; AUC compares all
    held-out edges with the first negative of each.

    Args:
        vectors_ND: float ``[N, D]``, learnt without the held-out edges.
        graph: with all edges, the held-out ones included or not: neither kind is ever a negative.
        held_out_H2: int64 ``[H, 2]``.
        num_negatives: C, at least 1.
        score: ``cosine`` or ``dot`` product of two vectors; or ``context``, what skip-gram was trained
            by: the dot product of the source's vector and the target's context vector, in an undirected
            graph the mean of both directions.
        context_ND: float ``[N, D]``, for the score ``context``.
        ks: for hits@k.
        seed: of the negatives.

    Raises:
        WeftValueError: an argument is out of range, or no held-out edge has negatives.
    """
    begun = time.perf_counter()
    held_out_H2 = _check(vectors_ND, graph, held_out_H2, num_negatives, score)
    table = _Scorer.of(vectors_ND, score, context_ND, graph.directed)
    forbidden_P = forbidden_pairs(graph, held_out_H2)
    usable_H = count_by_source(forbidden_P, graph.num_nodes)[held_out_H2[:, 0]] < graph.num_nodes
    ranked_H2 = held_out_H2[usable_H]
    if len(ranked_H2) == 0:
        raise WeftValueError(
            "link prediction: the source of every held-out edge is linked to all nodes, so there are no "
            "pairs to compare with"
        )
    rng = np.random.default_rng([key(seed, Op.EVALUATE), 1])
    negative_HC = sample_negatives(ranked_H2[:, 0], graph.num_nodes, forbidden_P, num_negatives, rng)
    positive_H = table.score(ranked_H2[:, 0], ranked_H2[:, 1:])[:, 0]
    against_HC = table.score(ranked_H2[:, 0], negative_HC)
    ranks_H = metrics.ranks(positive_H, against_HC)
    return LinkReport(
        auc=metrics.auc(positive_H, against_HC[:, 0]),
        mrr=metrics.mrr(ranks_H),
        hits={k: metrics.hits_at(ranks_H, k) for k in ks},
        edges=len(ranked_H2),
        skipped=len(held_out_H2) - len(ranked_H2),
        num_negatives=num_negatives,
        score=score,
        seed=seed,
        seconds=time.perf_counter() - begun,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scorer:
    """Scores pairs by the dot product of a row of ``left`` and one of ``right``, or of both turned."""

    left_ND: npt.NDArray[np.floating]
    right_ND: npt.NDArray[np.floating]
    turned: bool

    @classmethod
    def of(
        cls,
        vectors_ND: npt.NDArray[np.floating],
        score: str,
        context_ND: npt.NDArray[np.floating] | None,
        directed: bool,
    ) -> _Scorer:
        if score == "context":
            if context_ND is None or context_ND.shape != vectors_ND.shape:
                raise WeftValueError(
                    f"score='context' needs context vectors {list(vectors_ND.shape)} "
                    f"(got {None if context_ND is None else list(context_ND.shape)}); use 'cosine'"
                )
            return cls(vectors_ND, context_ND, turned=not directed)
        if score == "cosine":
            norm_N1 = np.linalg.norm(vectors_ND, axis=1, keepdims=True)
            vectors_ND = vectors_ND / np.where(norm_N1 > 0, norm_N1, 1)
        return cls(vectors_ND, vectors_ND, turned=False)

    def score(self, source_H: I64, target_HC: I64) -> F32:
        """Scores of each source with each of its targets; float32 ``[H, C]``."""
        out_HC = np.empty(target_HC.shape, np.float32)
        block = max(1, _BLOCK // (target_HC.shape[1] * self.left_ND.shape[1]))
        for begin in range(0, len(source_H), block):
            rows = slice(begin, begin + block)
            source, target = source_H[rows], target_HC[rows]
            out_HC[rows] = np.einsum("hd,hcd->hc", self.left_ND[source], self.right_ND[target])
            if self.turned:
                out_HC[rows] += np.einsum("hd,hcd->hc", self.right_ND[source], self.left_ND[target])
        if self.turned:
            out_HC *= 0.5
        return out_HC


def _check(
    vectors_ND: npt.NDArray[np.floating],
    graph: Graph,
    held_out_H2: I64,
    num_negatives: int,
    score: str,
) -> I64:
    """Refuse arguments that cannot be used; gives the held-out edges as int64."""
    if vectors_ND.ndim != 2 or vectors_ND.dtype.kind != "f" or len(vectors_ND) != graph.num_nodes:
        raise WeftValueError(
            f"vectors must be float [{graph.num_nodes}, D], a row per node of the graph "
            f"(got {vectors_ND.dtype} {list(vectors_ND.shape)})"
        )
    if not np.isfinite(vectors_ND).all():
        raise WeftValueError("vectors hold NaN or infinity: training diverged")
    if held_out_H2.ndim != 2 or held_out_H2.shape[1] != 2 or len(held_out_H2) == 0:
        raise WeftValueError(
            f"held-out edges must be [H, 2] with H at least 1 (got {list(held_out_H2.shape)})"
        )
    if held_out_H2.min() < 0 or held_out_H2.max() >= graph.num_nodes:
        raise WeftValueError(f"held-out edges must join nodes in 0 .. {graph.num_nodes - 1}")
    if num_negatives < 1:
        raise WeftValueError(f"num_negatives must be at least 1 (got {num_negatives})")
    if score not in ("cosine", "dot", "context"):
        raise WeftValueError(f"score must be 'cosine', 'dot' or 'context' (got {score!r})")
    return held_out_H2.astype(np.int64)
