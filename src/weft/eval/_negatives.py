"""Pairs of nodes that are no edges.

Shapes: ``H`` held-out edges, ``P`` forbidden pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["count_by_source", "forbidden_pairs", "sample_negatives"]

I64 = npt.NDArray[np.int64]

_REJECTIONS = 16  # rounds of redrawing before the nodes that are no neighbours are listed


def sample_negatives(
    source_H: I64, num_nodes: int, forbidden_P: I64, count: int, rng: np.random.Generator
) -> I64:
    """Targets drawn uniformly from the nodes a source may be paired with; int64 ``[H, count]``.

    Args:
        source_H: int64 ``[H]``; each must have at least one node left.
        num_nodes: N.
        forbidden_P: pairs ``source * N + target``, rising; a node with itself among them.
        count: targets per source.
        rng: the numbers.
    """
    target_HC = rng.integers(0, num_nodes, (len(source_H), count))
    base_H = source_H * num_nodes
    at = np.arange(target_HC.size)
    flat = target_HC.reshape(-1)
    for _ in range(_REJECTIONS):
        at = at[_contains(forbidden_P, base_H[at // count] + flat[at])]
        if len(at) == 0:
            return target_HC
        flat[at] = rng.integers(0, num_nodes, len(at))
    at = at[_contains(forbidden_P, base_H[at // count] + flat[at])]
    # What is left belongs to sources linked to almost all nodes: list the few others.
    for row in np.unique(at // count):
        begin, end = np.searchsorted(forbidden_P, [base_H[row], base_H[row] + num_nodes])
        free = np.setdiff1d(np.arange(num_nodes), forbidden_P[begin:end] - base_H[row])
        mine = at[at // count == row]
        flat[mine] = free[rng.integers(0, len(free), len(mine))]
    return target_HC


def forbidden_pairs(graph: Graph, held_out_H2: I64) -> I64:
    """Pairs that must not be negatives, for the sources in question: edges, hidden or not, and loops."""
    sources = np.unique(held_out_H2[:, 0])
    counts = graph.indptr[sources + 1] - graph.indptr[sources]
    begin = np.cumsum(counts) - counts
    at = np.repeat(graph.indptr[sources] - begin, counts) + np.arange(int(counts.sum()))
    known = np.repeat(sources, counts) * graph.num_nodes + graph.indices[at].astype(np.int64)
    hidden = held_out_H2[:, 0] * graph.num_nodes + held_out_H2[:, 1]
    if not graph.directed:
        turned = held_out_H2[:, 1] * graph.num_nodes + held_out_H2[:, 0]
        hidden = np.concatenate([hidden, turned])
    return np.unique(np.concatenate([known, hidden, sources * (graph.num_nodes + 1)]))


def count_by_source(forbidden_P: I64, num_nodes: int) -> I64:
    """How many pairs each source has; int64 ``[N]``."""
    return np.bincount(forbidden_P // num_nodes, minlength=num_nodes)


def _contains(rising_P: I64, values: I64) -> npt.NDArray[np.bool_]:
    at = np.minimum(np.searchsorted(rising_P, values), len(rising_P) - 1)
    return rising_P[at] == values
