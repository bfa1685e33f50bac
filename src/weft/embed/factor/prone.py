"""ProNE's matrix: how much likelier an edge is than a negative.

Zhang, Dong, Wang, Tang, Ding, "ProNE: Fast and scalable network representation learning", IJCAI 2019, section
3.1.
Shapes: N nodes, E edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weft.embed.factor.edges import edge_chunks, reached
from weft.kernels.memory import zeros_huge
from weft.kernels.spmm import SparseRows

if TYPE_CHECKING:
    import numpy.typing as npt

    from weft.embed.factor.edges import Chunk
    from weft.graph import Graph

__all__ = ["edge_matrix", "edge_scores"]

_POWER = 0.75


def edge_matrix(graph: Graph, out_N: npt.NDArray[np.float64]) -> SparseRows:
    """``log p(v | u) - log q(v)`` at every edge (u, v), 0 elsewhere and at edges of weight 0.

    ``p`` is the transition probability, and ``q`` in proportion to the power 0.75 of what all nodes'
    transitions give v. An edge that is stored several times is one of their weights together: its first
    entry has the value, the others are 0.

    Args:
        graph: of N nodes.
        out_N: float64 ``[N]``, the weights of the edges that leave a node, summed.
    """
    share_N = np.divide(1, out_N, out=np.zeros_like(out_N), where=out_N > 0)
    reached_N = reached(graph, share_N) ** _POWER
    with np.errstate(divide="ignore"):  # a node that no edge reaches is no target
        leave_N, reach_N = np.log(share_N), np.log(reached_N / reached_N.sum())
    value_E = zeros_huge(graph.num_edges, np.float32).view(np.float32)
    for chunk in edge_chunks(graph):
        value_E[chunk.begin : chunk.begin + len(chunk.weight)] = edge_scores(chunk, leave_N, reach_N)
    return SparseRows(graph.indptr, np.asarray(graph.indices, np.uint32), value_E, graph.num_nodes)


def edge_scores(
    chunk: Chunk, leave_N: npt.NDArray[np.float64], reach_N: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The matrix at some edges; float64 ``[B]``.

    Args:
        chunk: the edges.
        leave_N: float64 ``[N]``, minus the logarithm of the degree.
        reach_N: float64 ``[N]``, the logarithm of q.
    """
    weight_B = _together(chunk)
    # Where all edges of a node weigh 0, infinities meet and are not used.
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log(weight_B) + leave_N[chunk.source] - reach_N[chunk.target]
    return np.where(weight_B > 0, score, 0)


def _together(chunk: Chunk) -> npt.NDArray[np.float64]:
    """The weights, those of repetitions added to the first, which leaves 0 for them; float64 ``[B]``."""
    new_B = np.ones(len(chunk.weight), np.bool_)
    new_B[1:] = (chunk.target[1:] != chunk.target[:-1]) | (chunk.source[1:] != chunk.source[:-1])
    if new_B.all():
        return chunk.weight
    weight_B = np.zeros_like(chunk.weight)
    weight_B[new_B] = np.add.reduceat(chunk.weight, np.flatnonzero(new_B))
    return weight_B
