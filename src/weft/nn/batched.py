"""Models that take batches, whole or a layer at a time.

Shapes: M nodes of a batch, B of them seeds, which come first; F columns.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal, cast

import torch

from weft.errors import WeftValueError
from weft.nn.gcn import GcnNorm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from torch.nn import Module
    from torch_geometric.data import Data

    from weft.graph import Graph

__all__ = ["Batched"]


class Batched(torch.nn.Module):
    """A model of PyG that is given batches of sampled neighbours.

    Args:
        gnn: from :func:`weft.nn.model`, or another of ``torch_geometric.nn.models``, but without jumping
            knowledge.
        graph: what batches are sampled from; needed for a GCN, for the graph's degrees and weights.
        direction: in which they are.
        num_neighbors: of the batches it learns from; needed for single layers of a GCN that takes degrees
            from the batch (``normalize=True``, as PyG makes it).

    Raises:
        WeftValueError: it is a GCN, and no graph is given, or it has other loops than Kipf and Welling's.
    """

    def __init__(
        self,
        gnn: Module,
        graph: Graph | None = None,
        direction: Literal["in", "out"] = "in",
        num_neighbors: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.gnn = gnn
        self._norm: GcnNorm | None = None
        self._weight = None if graph is None else graph.weight
        self._num_neighbors = num_neighbors
        # PyG's convolution itself counts the edges that it is given.
        self._counts = False
        if getattr(gnn, "supports_edge_weight", False):
            if graph is None:
                raise WeftValueError(
                    "a GCN takes its edge weights from the degrees of the graph; give graph="
                )
            self._norm = GcnNorm(graph, direction)
            convs = cast("Any", gnn).convs
            self._counts = any(conv.normalize for conv in convs)
            if any(conv.improved or (conv.normalize and not conv.add_self_loops) for conv in convs):
                raise WeftValueError("a GCN with improved=True or add_self_loops=False is not supported here")
            if num_neighbors is not None and len(num_neighbors) != len(convs):
                raise WeftValueError(
                    f"num_neighbors: a model of {len(convs)} layers needs as many numbers (got "
                    f"{list(num_neighbors)})"
                )

    @property
    def layers(self) -> int:
        """How many there are."""
        return int(cast("Any", self.gnn).num_layers)

    def forward(self, batch: Data) -> Tensor:
        """The last layer's rows of the seeds, ``[B, out]``; what they do not need is not computed.

        Args:
            batch: as :class:`weft.loader.NeighborLoader` and :class:`weft.loader.LinkNeighborLoader` give it,
                as many hops as there are layers.

        Raises:
            WeftValueError: there are not.
        """
        hops: list[int] = list(batch.num_sampled_edges)
        nodes: list[int] = list(batch.num_sampled_nodes)
        if len(hops) != self.layers:
            raise WeftValueError(
                f"a model of {self.layers} layers needs as many hops (got num_neighbors of {len(hops)})"
            )
        edge_index: Tensor = cast("Any", batch).edge_index
        more: dict[str, Tensor] = {}
        if self._counts and self._weight is not None:
            more = {"edge_weight": torch.from_numpy(self._weight[batch.e_id.numpy()])}
        elif self._norm is not None and not self._counts:
            edge_index, weight, hops = self._norm(batch.n_id, edge_index, batch.e_id, nodes, hops)
            more = {"edge_weight": weight}
        out = self.gnn(
            batch.x, edge_index, **more, num_sampled_nodes_per_hop=nodes, num_sampled_edges_per_hop=hops
        )
        return out[: nodes[0]]

    def layer(
        self, i: int, x_MF: Tensor, n_id: Tensor, edge_index: Tensor, e_id: Tensor, seeds: int
    ) -> Tensor:
        """One layer's rows of the seeds, ``[B, …]``, activation included, without dropout.

        Args:
            i: which layer.
            x_MF: what the layer before made of the nodes.
            n_id: int64 ``[M]``, the nodes.
            edge_index: int64 ``[2, S]``, all edges into the seeds.
            e_id: int64 ``[S]``, places of the edges in the graph.
            seeds: B.

        Raises:
            WeftValueError: a GCN takes degrees from the batch, and ``num_neighbors`` was not given.
        """
        gnn = cast("Any", self.gnn)
        conv = gnn.convs[i]
        if self._norm is None:
            out = conv((x_MF, x_MF[:seeds]), edge_index)
        elif self._counts:
            if self._num_neighbors is None:
                raise WeftValueError(
                    "a layer of a GCN that learned with the degrees of batches depends on the neighbours "
                    "that were drawn; give num_neighbors="
                )
            drawn = self._num_neighbors[self.layers - 1 - i]
            edge_index, weight = self._norm.as_drawn(n_id, edge_index, e_id, seeds, drawn)
            weighed = copy.copy(conv)  # shares the weights
            weighed.normalize = False
            out = weighed(x_MF, edge_index, edge_weight=weight)[:seeds]
        else:
            nodes = [seeds, len(n_id) - seeds]
            edge_index, weight, _ = self._norm(n_id, edge_index, e_id, nodes, [edge_index.shape[1]])
            out = conv(x_MF, edge_index, edge_weight=weight)[:seeds]
        return gnn.act(gnn.norms[i](out)) if i < self.layers - 1 else out
