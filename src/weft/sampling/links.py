"""Edges kept out of what was sampled around them.

Shapes: P edges to keep out, M nodes, S edges sampled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.graph import EdgeType
    from weft.sampling.hetero import HeteroSampled
    from weft.sampling.neighbors import Sampled

__all__ = ["between", "exclude_edges", "exclude_typed_edges"]

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def exclude_edges(sampled: Sampled, source_P: I64, target_P: I64, *, both: bool) -> Sampled:
    """Take edges, with all their copies, out of a batch whose seeds are their ends.

    Fewer neighbours are left then than were asked for, as with DGL's ``exclude``. No node goes, since all
    ends are seeds, unless trees are disjoint: there, what was found by way of such an edge goes too. A tree
    would tell by its nodes that the edge is there.

    Args:
        sampled: the batch.
        source_P: int64 ``[P]``, numbers of nodes in the graph; messages run from source to target.
        target_P: int64 ``[P]``.
        both: keep out target → source too.
    """
    row_S, col_S = sampled.edge_index
    kept_S = ~between(sampled.n_id[row_S], sampled.n_id[col_S], source_P, target_P, both=both)
    if kept_S.all():
        return sampled
    if sampled.batch is None:
        return _filtered(sampled, kept_S)
    kept_M, kept_S = _reached(sampled, kept_S)
    rest = _filtered(sampled, kept_S)
    number_M = np.cumsum(kept_M) - 1
    return replace(
        rest,
        n_id=sampled.n_id[kept_M],
        edge_index=number_M[rest.edge_index],
        batch=sampled.batch[kept_M],
        num_sampled_nodes=_recount(sampled.num_sampled_nodes, kept_M),
    )


def exclude_typed_edges(sampled: HeteroSampled, gone: Mapping[EdgeType, tuple[I64, I64]]) -> HeteroSampled:
    """As :func:`exclude_edges`, of a batch of several types.

    Args:
        sampled: the batch, whose seeds are the ends of the edges.
        gone: sources and targets of the edges to keep out, int64 ``[P]`` each, by their type in the batch.
    """
    kept = {}
    for kind, (row_S, col_S) in sampled.edge_index.items():
        source_P, target_P = gone.get(kind, (row_S[:0], row_S[:0]))
        u_S, v_S = sampled.n_id[kind[0]][row_S], sampled.n_id[kind[2]][col_S]
        kept[kind] = ~between(u_S, v_S, source_P, target_P, both=False)
    if all(mask.all() for mask in kept.values()):
        return sampled
    if sampled.batch is None:
        return _filtered_types(sampled, kept)
    there = _reached_types(sampled, kept)
    rest = _filtered_types(sampled, kept)
    number = {kind: np.cumsum(mask) - 1 for kind, mask in there.items()}
    return replace(
        rest,
        n_id={kind: nodes[there[kind]] for kind, nodes in sampled.n_id.items()},
        edge_index={
            kind: np.stack([number[kind[0]][row], number[kind[2]][col]])
            for kind, (row, col) in rest.edge_index.items()
        },
        batch={kind: trees[there[kind]] for kind, trees in sampled.batch.items()},
        num_sampled_nodes={
            kind: _recount(counts, there[kind]) for kind, counts in sampled.num_sampled_nodes.items()
        },
    )


def _filtered_types(sampled: HeteroSampled, kept: Mapping[EdgeType, Mask]) -> HeteroSampled:
    return replace(
        sampled,
        edge_index={
            kind: np.ascontiguousarray(index[:, kept[kind]]) for kind, index in sampled.edge_index.items()
        },
        e_id={kind: edges[kept[kind]] for kind, edges in sampled.e_id.items()},
        num_sampled_edges={
            kind: _recount(counts, kept[kind]) for kind, counts in sampled.num_sampled_edges.items()
        },
    )


def _reached_types(sampled: HeteroSampled, kept: dict[EdgeType, Mask]) -> dict[str, Mask]:
    """Nodes that seeds reach along edges that are kept, hop by hop; edges that do not are taken out."""
    there = {kind: np.zeros(len(nodes), np.bool_) for kind, nodes in sampled.n_id.items()}
    for kind, counts in sampled.num_sampled_nodes.items():
        there[kind][: counts[0]] = True
    ends = {kind: np.cumsum([0, *counts]) for kind, counts in sampled.num_sampled_edges.items()}
    hops = max((len(bounds) - 1 for bounds in ends.values()), default=0)
    for hop in range(hops):
        slices = {kind: slice(*bounds[hop : hop + 2].tolist()) for kind, bounds in ends.items()}
        for kind, part in slices.items():
            kept[kind][part] &= there[kind[2]][sampled.edge_index[kind][1, part]]
        for kind, part in slices.items():
            there[kind[0]][sampled.edge_index[kind][0, part][kept[kind][part]]] = True
    return there


def _recount(counts: list[int], kept: Mask) -> list[int]:
    """How many of each hop are kept."""
    hops = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(hops[kept], minlength=len(counts)).tolist()


def between(u_S: I64, v_S: I64, source_P: I64, target_P: I64, *, both: bool) -> Mask:
    """Whether edges u → v are among P; bool ``[S]``."""
    # Numbered by rank among the ends: a product of two numbers of nodes may not fit into 64 bits.
    sources, targets = np.unique(source_P), np.unique(target_P)
    pairs_P = np.searchsorted(sources, source_P) * len(targets) + np.searchsorted(targets, target_P)
    found_S = _among(u_S, v_S, sources, targets, pairs_P)
    return found_S | _among(v_S, u_S, sources, targets, pairs_P) if both else found_S


def _among(u_S: I64, v_S: I64, sources: I64, targets: I64, pairs_P: I64) -> Mask:
    found_S = np.zeros(len(u_S), np.bool_)
    if len(pairs_P) == 0:
        return found_S
    rank_u = np.minimum(np.searchsorted(sources, u_S), len(sources) - 1)
    at = np.flatnonzero(sources[rank_u] == u_S)
    rank_v = np.minimum(np.searchsorted(targets, v_S[at]), len(targets) - 1)
    at, rank_v = at[targets[rank_v] == v_S[at]], rank_v[targets[rank_v] == v_S[at]]
    found_S[at] = np.isin(rank_u[at] * len(targets) + rank_v, pairs_P)
    return found_S


def _filtered(sampled: Sampled, kept_S: Mask) -> Sampled:
    return replace(
        sampled,
        edge_index=np.ascontiguousarray(sampled.edge_index[:, kept_S]),
        e_id=sampled.e_id[kept_S],
        num_sampled_edges=_recount(sampled.num_sampled_edges, kept_S),
    )


def _reached(sampled: Sampled, kept_S: Mask) -> tuple[Mask, Mask]:
    """Nodes that seeds reach along edges that are kept, hop by hop, and the edges that do."""
    kept_M = np.zeros(len(sampled.n_id), np.bool_)
    kept_M[: sampled.num_sampled_nodes[0]] = True
    kept_S = kept_S.copy()
    begin = 0
    for count in sampled.num_sampled_edges:
        hop = slice(begin, begin + count)
        row, col = sampled.edge_index[:, hop]
        kept_S[hop] &= kept_M[col]
        kept_M[row[kept_S[hop]]] = True
        begin += count
    return kept_M, kept_S
