"""Neighbours sampled as torch_geometric.loader.NeighborLoader does, in NumPy, where pyg-lib is not installed.

Shapes: B seeds, M nodes, S edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import Graph

__all__ = ["Hops", "Sampler"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Hops:
    """A batch: n_id int64 ``[M]``, edge_index int64 ``[2, S]``, and how many nodes and edges of each hop."""

    n_id: I64
    edge_index: I64
    nodes: list[int]
    edges: list[int]


class Sampler:
    """Draws uniformly without replacement; a node is expanded once, when it is first found.

    Args:
        graph: undirected.
        fanout: neighbours of each hop.
        seed: of NumPy's generator.
    """

    def __init__(self, graph: Graph, fanout: Sequence[int], seed: int) -> None:
        self._graph, self._fanout = graph, fanout
        self._rng = np.random.default_rng(seed)
        self._place = np.full(graph.num_nodes, -1)

    def sample(self, seed_B: I64) -> Hops:
        """A batch around distinct seeds."""
        found, nodes, count = [seed_B], [len(seed_B)], [0]
        edges = [np.empty((2, 0), np.int64)]
        self._place[seed_B] = np.arange(len(seed_B))
        front, known = seed_B, len(seed_B)
        for k in self._fanout:
            owner, target = self._draw(front, k)
            unseen = target[self._place[target] < 0]
            unique, first = np.unique(unseen, return_index=True)
            fresh = unique[np.argsort(first)]
            self._place[fresh] = known + np.arange(len(fresh))
            edges.append(np.stack([self._place[target], self._place[front][owner]]))
            found.append(fresh)
            nodes.append(len(fresh))
            count.append(len(owner))
            front, known = fresh, known + len(fresh)
        n_id = np.concatenate(found)
        self._place[n_id] = -1
        return Hops(n_id, np.concatenate(edges, axis=1), nodes, count[1:])

    def _draw(self, front: I64, k: int) -> tuple[I64, I64]:
        """Which of ``front`` an edge leads to, and where it comes from."""
        begin = self._graph.indptr[front]
        degree = self._graph.indptr[front + 1] - begin
        owner = np.repeat(np.arange(len(front)), degree)
        first = np.cumsum(degree) - degree
        at = np.repeat(begin - first, degree) + np.arange(len(owner))
        order = np.lexsort((self._rng.random(len(owner)), owner))
        kept = np.sort(order[(np.arange(len(owner)) - np.repeat(first, degree)) < k])
        return owner[kept], self._graph.indices[at[kept]].astype(np.int64)
