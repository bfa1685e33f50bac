"""A start from vectors of an earlier graph: old nodes keep theirs, new ones begin among their neighbours.

Shapes: N nodes, M new ones, B of a block.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.start import initial_vectors
from weft.errors import WeftValueError
from weft.graph import Ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.graph import Graph

__all__ = ["Known", "WarmStart"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_NODES = 1 << 16  # whose ids are looked up at a time
_EDGES = 1 << 16  # whose vectors are gathered at a time: 32 MB at d=128


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was learned before.

    Attributes:
        ids: of the nodes.
        vertex: float32 ``[K, dim]``.
        context: float32 ``[K, dim]``.
    """

    ids: Ids
    vertex: F32
    context: F32

    def find(self, graph: Graph) -> I64:
        """The row of each of the graph's nodes, by its id; int64 ``[N]``, -1 for new nodes.

        Raises:
            WeftValueError: all nodes are new.
        """
        row_N = np.empty(graph.num_nodes, np.int64)
        for begin in range(0, graph.num_nodes, _NODES):
            nodes = np.arange(begin, min(begin + _NODES, graph.num_nodes))
            row_N[nodes] = self.ids.find(graph.ids.take(nodes))
        if graph.num_nodes and (row_N < 0).all():
            there = f", such as {self.ids[0]!r}" if len(self.ids) else ""
            raise WeftValueError(
                f"partial_fit: none of the graph's {graph.num_nodes:,} nodes, such as {graph.ids[0]!r}, has "
                f"one of the {len(self.ids):,} ids with vectors{there}; is it the graph they belong to?"
            )
        return row_N


class WarmStart:
    """Vectors of old nodes as they were, of new ones the mean of their neighbours'.

    A new node whose neighbours are all new takes the mean of theirs once they have one, and so on along the
    edges; one that no edge connects with an old node begins at random, as in a first run. In a directed graph
    edges count in both directions; weights count.

    Args:
        graph: the graph now.
        known: the vectors of before.
        seed: of random vectors.
    """

    def __init__(self, graph: Graph, known: Known, *, seed: int) -> None:
        self._known, self._seed, self._dim = known, seed, known.vertex.shape[1]
        self._row_N = known.find(graph)
        self.new = np.flatnonzero(self._row_N < 0)
        """The new nodes, int64 ``[M]``."""
        self._vertex_MD, self._context_MD = np.zeros((2, len(self.new), self._dim), np.float32)
        self._has_M = np.zeros(len(self.new), bool)
        sides = [graph, graph.reverse()] if graph.directed else [graph]
        while len(reached := self._reach(sides)):
            self._has_M[reached] = True
        self._begin_at_random(np.flatnonzero(~self._has_M))

    def digest(self) -> str:
        """Of the vectors of before and of which node has which; a run must begin with the same to go on."""
        digest = hashlib.sha256(self._row_N.data)
        for table in (self._known.vertex, self._known.context):
            for begin in range(0, len(table), _NODES):
                rows = np.ascontiguousarray(table[begin : begin + _NODES])
                digest.update(rows.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def vectors(self, first: int, count: int) -> tuple[F32, F32]:
        """As in :class:`weft.embed.start.Start`."""
        return self._take(np.arange(first, first + count))

    def _take(self, nodes: I64) -> tuple[F32, F32]:
        """Vertex and context vectors of ``nodes``, as far as they are known by now."""
        row_B = self._row_N[nodes]
        old_B = row_B >= 0
        out = []
        for known, fresh in (
            (self._known.vertex, self._vertex_MD),
            (self._known.context, self._context_MD),
        ):
            out_BD = np.empty((len(nodes), self._dim), np.float32)
            out_BD[old_B] = known[row_B[old_B]]
            out_BD[~old_B] = fresh[np.searchsorted(self.new, nodes[~old_B])]
            out.append(out_BD)
        return out[0], out[1]

    def _begin_at_random(self, at: I64) -> None:
        """The new nodes that no edge connects with an old one."""
        for m in at.tolist():
            self._vertex_MD[m] = initial_vectors(int(self.new[m]), 1, self._dim, self._seed)

    def _reach(self, sides: list[Graph]) -> I64:
        """Give means to new nodes next to nodes with vectors; which, as positions among the new."""
        waiting = np.flatnonzero(~self._has_M)
        total_M = np.zeros(len(self.new))
        for graph in sides:
            for begin in range(0, len(waiting), _NODES):
                for at_B, node_B, weight_B in _edges(graph, self.new, waiting[begin : begin + _NODES]):
                    self._add(at_B, node_B, weight_B, total_M)
        reached = waiting[total_M[waiting] > 0]
        for table in (self._vertex_MD, self._context_MD):
            table[reached] /= total_M[reached, None].astype(np.float32)
        return reached

    def _add(self, at_B: I64, node_B: I64, weight_B: F64, total_M: F64) -> None:
        """Add the vectors of the nodes that have one, times weight, to the new nodes at ``at_B``, rising."""
        row_B = self._row_N[node_B]
        seen_B = (weight_B > 0) & ((row_B >= 0) | self._has(node_B))
        at_B, node_B, weight_B = at_B[seen_B], node_B[seen_B], weight_B[seen_B]
        if len(at_B) == 0:
            return
        begins = np.flatnonzero(np.diff(at_B, prepend=-1))
        total_M[at_B[begins]] += np.add.reduceat(weight_B, begins)
        for table, rows in zip((self._vertex_MD, self._context_MD), self._take(node_B), strict=True):
            rows *= weight_B[:, None].astype(np.float32)
            table[at_B[begins]] += np.add.reduceat(rows, begins)

    def _has(self, nodes: I64) -> npt.NDArray[np.bool_]:
        """Which of ``nodes`` are new and have a vector by now."""
        at = np.minimum(np.searchsorted(self.new, nodes), len(self.new) - 1)
        return (self.new[at] == nodes) & self._has_M[at]


def _edges(graph: Graph, new_M: I64, at: I64) -> Iterator[tuple[I64, I64, F64]]:
    """The edges of the new nodes at ``at``, piece by piece: position of the node, neighbour, weight."""
    begin, end = graph.indptr[new_M[at]], graph.indptr[new_M[at] + 1]
    count = end - begin
    position = np.repeat(at, count)
    edge = np.repeat(begin - (np.cumsum(count) - count), count) + np.arange(len(position))
    for first in range(0, len(edge), _EDGES):
        piece = edge[first : first + _EDGES]
        weight = np.ones(len(piece)) if graph.weight is None else graph.weight[piece].astype(np.float64)
        yield position[first : first + _EDGES], graph.indices[piece].astype(np.int64), weight
