"""Edges a chunk at a time, and the weights of each node's. Shapes: N nodes, B edges of a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.graph import Graph

__all__ = ["EDGES", "Chunk", "edge_chunks", "out_degrees", "reached"]

F64 = npt.NDArray[np.float64]

EDGES = 1 << 20  # a chunk and what is computed of it take some 48 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive stored edges.

    Attributes:
        begin: the number of the first.
        source: int64 ``[B]``.
        target: int64 ``[B]``.
        weight: float64 ``[B]``.
    """

    begin: int
    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    weight: F64


def edge_chunks(graph: Graph) -> Iterator[Chunk]:
    """All stored edges, in order; those from one node to the same other are in one chunk.

    Raises:
        WeftValueError: the graph is damaged.
    """
    end = 0
    while (begin := end) < graph.num_edges:
        end = _end_of_run(graph, min(graph.num_edges, begin + EDGES))
        first = int(np.searchsorted(graph.indptr, begin, "right")) - 1
        last = int(np.searchsorted(graph.indptr, end, "left"))
        count = np.diff(np.clip(graph.indptr[first : last + 1], begin, end))
        target = graph.indices[begin:end].astype(np.int64)
        if (most := int(target.max())) >= graph.num_nodes or (count < 0).any():
            raise WeftValueError(
                f"embed: the graph is damaged: indices hold node {most} of {graph.num_nodes}, or rows fall; "
                "import the graph again"
            )
        given = graph.weight
        weight = np.ones(end - begin) if given is None else given[begin:end].astype(np.float64)
        yield Chunk(begin, np.repeat(np.arange(first, last), count), target, weight)


def _end_of_run(graph: Graph, end: int) -> int:
    """The first edge from ``end`` on that is no repetition of the one before."""
    while end < graph.num_edges and graph.indices[end] == graph.indices[end - 1]:
        if graph.indptr[np.searchsorted(graph.indptr, end)] == end:  # a row begins
            break
        end += 1
    return end


def out_degrees(graph: Graph) -> F64:
    """The weights of the edges that leave each node, summed; float64 ``[N]``.

    Raises:
        WeftValueError: the graph is damaged, or no edge has a weight.
    """
    if graph.weight is None:
        return graph.degree().astype(np.float64)
    total_N = np.zeros(graph.num_nodes)
    for chunk in edge_chunks(graph):
        total_N += np.bincount(chunk.source, chunk.weight, graph.num_nodes)
    if not total_N.any():
        raise WeftValueError(
            f"embed: all {graph.num_edges:,} stored edges weigh 0, so they say nothing; give one a weight, "
            "or import the graph without weights"
        )
    return total_N


def reached(graph: Graph, share_N: F64) -> F64:
    """What reaches each node, an edge carrying its weight times a factor of its source; float64 ``[N]``.

    Args:
        graph: the graph.
        share_N: float64 ``[N]``, the factors.
    """
    total_N = np.zeros(graph.num_nodes)
    for chunk in edge_chunks(graph):
        total_N += np.bincount(chunk.target, chunk.weight * share_N[chunk.source], graph.num_nodes)
    return total_N
