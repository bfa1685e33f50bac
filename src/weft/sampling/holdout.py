"""Edges kept from training to see how well it goes, and nodes they are compared with.

Shapes: E stored edges, H hidden edges, C nodes compared with each.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["hide_edges", "strangers"]

I64 = npt.NDArray[np.int64]

_TRIES = 4  # edges drawn for each to be hidden: some are loops, drawn twice, or a node's last
_REJECTIONS = 16  # rounds of redrawing nodes that are neighbours


def hide_edges(graph: Graph, count: int, seed: int) -> tuple[Graph, I64]:
    """Take edges out of a graph, but from no node its last.

    Unlike :func:`weft.eval.split_edges`, every node that can be learned still can be, and no array of the
    length of the edges is made beside the graph itself.

    Args:
        graph: with at least one edge.
        count: how many to hide; fewer where edges are few.
        seed: of the choice.

    Returns:
        The graph without them, in memory, and the hidden edges, int64 ``[H, 2]``. An edge that is stored
        several times is hidden with all its copies, an undirected one in both directions.

    Raises:
        WeftValueError: every edge is the last of a node.
    """
    rng = np.random.default_rng([key(seed, Op.SPLIT), 1])
    drawn = rng.integers(0, graph.num_edges, _TRIES * count)
    source = np.searchsorted(graph.indptr, drawn, side="right") - 1
    choice = _Choice(graph)
    for u, v in zip(source.tolist(), graph.indices[drawn].tolist(), strict=True):
        if choice.take(u, v) and len(choice.taken) == count:
            break
    if not choice.taken:
        raise WeftValueError(
            f"cannot hide any of {graph.num_edges:,} edges: each is the last of a node; train without a "
            "held-out score (epochs as a number, no patience)"
        )
    gone = np.sort(np.concatenate(choice.gone))
    return _without(graph.in_memory(), gone), np.array(choice.taken, np.int64)


class _Choice:
    """Edges chosen so far, and how many each of their nodes has left."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._left: dict[int, int] = {}
        self._met: set[tuple[int, int]] = set()
        self.taken: list[tuple[int, int]] = []
        self.gone: list[I64] = []

    def take(self, u: int, v: int) -> bool:
        """Choose the edge from u to v, if it may be."""
        if not self._graph.directed:
            u, v = min(u, v), max(u, v)
        if u == v or (u, v) in self._met:
            return False
        self._met.add((u, v))
        rows = [(u, v)] if self._graph.directed else [(u, v), (v, u)]
        places = [self._places(*row) for row in rows]
        left = [self._learned(a) - self._weighty(at) for (a, _), at in zip(rows, places, strict=True)]
        if min(left) < 1 or not self._weighty(places[0]):
            return False
        self._left.update((a, some) for (a, _), some in zip(rows, left, strict=True))
        self.gone += places
        self.taken.append((u, v))
        return True

    def _places(self, u: int, v: int) -> I64:
        """Where the edge and its copies stand."""
        begin, end = self._graph.indptr[u : u + 2].tolist()
        low, high = (np.searchsorted(self._graph.indices[begin:end], v, side) for side in ("left", "right"))
        return np.arange(begin + low, begin + high)

    def _learned(self, u: int) -> int:
        """Edges of u that are not hidden and that a walk can take."""
        if u not in self._left:
            self._left[u] = self._weighty(np.arange(*self._graph.indptr[u : u + 2].tolist()))
        return self._left[u]

    def _weighty(self, at: I64) -> int:
        return len(at) if self._graph.weight is None else int(np.count_nonzero(self._graph.weight[at]))


def _without(graph: Graph, gone: I64) -> Graph:
    """The graph without the edges at ``gone``, rising; its arrays are overwritten."""
    kept = graph.num_edges - len(gone)
    for array in (graph.indices, graph.weight):
        if array is not None:
            bounds = [*gone.tolist(), graph.num_edges]
            for hole, (begin, end) in enumerate(itertools.pairwise(bounds)):
                array[begin - hole : end - hole - 1] = array[begin + 1 : end]
    return replace(
        graph,
        indptr=graph.indptr - np.searchsorted(gone, graph.indptr),
        indices=graph.indices[:kept],
        weight=None if graph.weight is None else graph.weight[:kept],
        path=None,
    )


def strangers(graph: Graph, source_H: I64, count: int, weight_N: npt.NDArray[np.float64], seed: int) -> I64:
    """Nodes that a source has no edge to, drawn by weight.

    Args:
        graph: with all edges.
        source_H: int64 ``[H]``.
        count: C.
        weight_N: float64 ``[N]``, not all zero.
        seed: of the draws.

    Returns:
        int64 ``[H, C]``; -1 where none was found, the source being linked to almost all.
    """
    rng = np.random.default_rng([key(seed, Op.SPLIT), 2])
    below_N = np.cumsum(weight_N)
    node_HC = np.full((len(source_H), count), -1)
    left = np.arange(node_HC.size)
    for _ in range(_REJECTIONS):
        source = source_H[left // count]
        node = np.searchsorted(below_N, rng.random(len(left)) * below_N[-1], side="right")
        node_HC.reshape(-1)[left] = node
        left = left[graph.has_edges(source, node) | (source == node)]
        if len(left) == 0:
            break
    node_HC.reshape(-1)[left] = -1
    return node_HC
