"""Edge weights of a graph convolution, the same for a sampled batch as for the whole graph.

Shapes: N nodes of the graph, M nodes and S edges of a batch, H hops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from weft.graph import Graph

__all__ = ["GcnNorm"]

_EDGES = 1 << 22  # looked at at a time
F64 = npt.NDArray[np.float64]


class GcnNorm:
    """Weights ``w_ji / sqrt(d_j d_i)`` of Kipf and Welling (ICLR 2017), the degrees being the graph's.

    PyG's ``GCNConv`` takes degrees from the edges it is given. In a sampled batch those are the edges that
    happened to be drawn, and nodes of the last hop have none: another model than on the whole graph. Here
    ``d_i`` counts all edges of the graph that come into i, and 1 for i itself. Where k of a node's D edges
    were drawn, uniformly, each weighs D / k times as much, so that the sum is right on average; with all
    neighbours it is exactly the whole graph's.

    Every node also sends to itself, with weight 1; an edge of the graph from a node to itself takes the place
    of that, with its own weight, as in PyG.

    Args:
        graph: whose neighbours are sampled, uniformly. 12 bytes a node are kept.
        direction: along which they are, as in :class:`weft.loader.NeighborLoader`; with ``out`` the edges
            that count are those that lead from i.
    """

    def __init__(self, graph: Graph, direction: Literal["in", "out"] = "in") -> None:
        into_N = np.zeros(graph.num_nodes)
        count_N = np.zeros(graph.num_nodes, np.int64)
        loop_N = np.full(graph.num_nodes, np.nan)
        for begin in range(0, graph.num_edges, _EDGES):
            edges = slice(begin, begin + _EDGES)
            target = graph.indices[edges].astype(np.int64)
            weight = np.ones(len(target)) if graph.weight is None else graph.weight[edges].astype(np.float64)
            at = np.arange(begin, begin + len(target))
            source = np.searchsorted(graph.indptr, at, side="right") - 1
            own = source == target
            target = target if direction == "in" else source
            count_N += np.bincount(target, minlength=graph.num_nodes)
            into_N += np.bincount(target[~own], weight[~own], graph.num_nodes)
            loop_N[target[own]] = weight[own]
        loop_N[np.isnan(loop_N)] = 1.0
        degree_N = into_N + loop_N
        with np.errstate(divide="ignore"):
            scale_N = np.where(degree_N > 0, 1 / np.sqrt(degree_N), 0.0)
        self._scale = torch.from_numpy(scale_N.astype(np.float32))
        self._loop = torch.from_numpy((loop_N * scale_N * scale_N).astype(np.float32))
        self._count = torch.from_numpy(count_N.astype(np.float32))
        self._weight = graph.weight

    def as_drawn(
        self, n_id: Tensor, edge_index: Tensor, e_id: Tensor, seeds: int, drawn: int
    ) -> tuple[Tensor, Tensor]:
        """All edges into nodes, for a model that learned with the degrees of batches, as PyG takes them.

        There an edge weighs ``w_ji / sqrt(d_i)``, since nodes at the rim of a batch have degree 1. Of D
        edges into a node, of which a batch holds k at most, each has k / D of that on average. That holds
        where few nodes of a batch are found twice; in batches that cover much of the graph, or have all
        neighbours, sources have degrees, too, and this is another model than the one that learned.

        Args:
            n_id: int64 ``[M]``, the nodes.
            edge_index: int64 ``[2, S]``, all edges into the first ``seeds``, numbered by ``n_id``.
            e_id: int64 ``[S]``, places of the edges in the graph.
            seeds: B.
            drawn: k; -1: all.

        Returns:
            ``edge_index`` of edges and loops, and float32 weights of these.
        """
        source, target = edge_index
        weight_S = torch.ones(edge_index.shape[1])
        if self._weight is not None:
            weight_S = torch.from_numpy(self._weight[e_id.numpy()])
        own = source == target
        loop_B = torch.ones(seeds).index_put_((target[own],), weight_S[own])
        count_B = self._count[n_id[:seeds]]
        share_B = torch.ones(seeds) if drawn < 0 else (drawn / count_B.clamp(min=1)).clamp_(max=1)
        weight_S = torch.where(own, 0.0, weight_S * share_B[target])
        degree_B = loop_B.index_add(0, target, weight_S)
        scale_B = torch.where(degree_B > 0, degree_B.rsqrt(), 0.0)
        loops = torch.arange(seeds).expand(2, -1)
        weight = torch.cat([weight_S * scale_B[target], loop_B * scale_B * scale_B])
        return torch.cat([edge_index, loops], dim=1), weight

    def __call__(
        self,
        n_id: Tensor,
        edge_index: Tensor,
        e_id: Tensor | None,
        nodes: Sequence[int] | None = None,
        edges: Sequence[int] | None = None,
    ) -> tuple[Tensor, Tensor, list[int]]:
        """Edges of a batch with loops among them, and the weights of all.

        The loops of the nodes of a hop stand behind the edges that lead there, so that
        ``torch_geometric.utils.trim_to_layer`` cuts them off together.

        Args:
            n_id: int64 ``[M]``, the nodes.
            edge_index: int64 ``[2, S]``, source and target, numbered by ``n_id``.
            e_id: int64 ``[S]``, places of the edges in the graph; needed where the graph has weights.
            nodes: of each hop, H + 1 numbers, the seeds first; None: one hop to all M.
            edges: of each hop, H numbers.

        Returns:
            ``edge_index`` of edges and loops, float32 weights of these, and how many there are of each hop.

        Raises:
            WeftValueError: the graph has weights, and ``e_id`` is not given.
        """
        if self._weight is not None and e_id is None:
            raise WeftValueError("gcn: the graph has weights; give e_id, which says which edges these are")
        source, target = edge_index
        scale_M = self._scale[n_id]
        drawn_M = torch.bincount(target, minlength=len(n_id)).clamp_(min=1)
        weight_S = (scale_M * self._count[n_id] / drawn_M)[target] * scale_M[source]
        if self._weight is not None and e_id is not None:
            weight_S = weight_S * torch.from_numpy(self._weight[e_id.numpy()])
        weight_S = torch.where(source == target, 0.0, weight_S)
        loop_M = self._loop[n_id]
        nodes = [len(n_id)] if nodes is None else list(nodes[:-1])
        edges = [edge_index.shape[1]] if edges is None else list(edges)
        index: list[Tensor] = []
        weight: list[Tensor] = []
        at_node = at_edge = 0
        for here, drawn in zip(nodes, edges, strict=True):
            loops = torch.arange(at_node, at_node + here)
            index += [edge_index[:, at_edge : at_edge + drawn], loops.expand(2, -1)]
            weight += [weight_S[at_edge : at_edge + drawn], loop_M[at_node : at_node + here]]
            at_node, at_edge = at_node + here, at_edge + drawn
        together = [here + drawn for here, drawn in zip(nodes, edges, strict=True)]
        return torch.cat(index, dim=1), torch.cat(weight), together
