"""How many edges a graph has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["count_edges"]

_NODES = 1 << 16  # whose edges are looked at at a time


def count_edges(graph: Graph) -> int:
    """Edges, an undirected one counting once: both of its directions are stored, a self-loop once."""
    if graph.directed:
        return graph.num_edges
    degree_N, loops = graph.degree(), 0
    for begin in range(0, graph.num_nodes, _NODES):
        nodes = np.arange(begin, min(begin + _NODES, graph.num_nodes))
        source = np.repeat(nodes, degree_N[nodes])
        loops += int(np.count_nonzero(source == graph.indices[graph.indptr[begin] :][: len(source)]))
    return (graph.num_edges + loops) // 2
