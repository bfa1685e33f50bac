"""R-GCN on batches of a graph of several types, whole or a layer at a time.

Shapes: M nodes of a type in a batch, B of them seeds, which come first; S edges of a type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from weft.errors import WeftValueError
from weft.nn.rgcn import RGCN, ByName, rgcn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor
    from torch_geometric.data import HeteroData

__all__ = ["TypedBatched", "TypedModel"]

EdgeType = tuple[str, str, str]


class TypedModel(torch.nn.Module):
    """An :class:`RGCN`, and a learned vector for each node of the types that have no features.

    The gradients of the vectors are sparse, for ``torch.optim.SparseAdam``.

    Args:
        in_channels: columns of the features of the types that have some.
        vectors: how many nodes there are of each type that has none; their vectors are ``hidden`` wide.
        edge_types: those of the graph.
        hidden: width of the layers between.
        out: width of the last layer.
        layers: how many; as many as hops are sampled.
        dropout: between layers; None: 0.5.

    Raises:
        WeftValueError: a size is none.
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        vectors: Mapping[str, int],
        edge_types: Sequence[EdgeType],
        hidden: int,
        out: int,
        layers: int,
        *,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        widths = {**in_channels, **dict.fromkeys(vectors, hidden)}
        self.rgcn: RGCN = rgcn(
            widths, edge_types, hidden, out, layers, dropout=0.5 if dropout is None else dropout
        )
        self._learned = tuple(vectors)
        self.vectors = ByName(
            {name: torch.nn.Embedding(count, hidden, sparse=True) for name, count in vectors.items()}
        )

    def rows_of(self, name: str) -> Tensor:
        """The vectors of a type without features, ``[N, hidden]``."""
        return cast("torch.nn.Embedding", self.vectors[name]).weight

    def forward(
        self,
        x_dict: dict[str, Tensor],
        n_id_dict: dict[str, Tensor],
        edge_index_dict: dict[EdgeType, Tensor],
        num_sampled_nodes_dict: dict[str, list[int]] | None = None,
        num_sampled_edges_dict: dict[EdgeType, list[int]] | None = None,
    ) -> dict[str, Tensor]:
        """Rows of the last layer by type of node, as :meth:`RGCN.forward` gives them.

        Args:
            x_dict: rows of the types with features, float32 ``[M, F]``.
            n_id_dict: int64 ``[M]``, the nodes; needed of the types without.
            edge_index_dict: int64 ``[2, S]`` by type.
            num_sampled_nodes_dict: of each hop.
            num_sampled_edges_dict: likewise.
        """
        learned = {name: self.vectors[name](n_id_dict[name]) for name in self._learned}
        return self.rgcn(
            {**x_dict, **learned}, edge_index_dict, num_sampled_nodes_dict, num_sampled_edges_dict
        )


class TypedBatched(torch.nn.Module):
    """A :class:`TypedModel` that is given batches of sampled neighbours, and tells the nodes of a type.

    Args:
        gnn: the model.
        target: the type of the seeds.
        turned: batches are of a graph whose edges are turned round, each under the name it had before, and
            sampled where they lead out to: their types begin with one ``rev_`` more than the model's.
    """

    def __init__(self, gnn: TypedModel, target: str, *, turned: bool = False) -> None:
        super().__init__()
        self.gnn, self._target, self._turned = gnn, target, turned

    @property
    def layers(self) -> int:
        """How many there are."""
        return self.gnn.rgcn.num_layers

    def forward(self, batch: HeteroData) -> Tensor:
        """The last layer's rows of the seeds, ``[B, out]``; what they do not need is not computed.

        Args:
            batch: as :class:`weft.loader.NeighborLoader` gives it, as many hops as there are layers.

        Raises:
            WeftValueError: there are not.
        """
        kinds = {kind: self._own(kind) for kind in batch.edge_types}
        hops = {own: list(batch[kind].num_sampled_edges) for kind, own in kinds.items()}
        wrong = next((len(hop) for hop in hops.values() if len(hop) != self.layers), None)
        if wrong is not None:
            raise WeftValueError(
                f"a model of {self.layers} layers needs as many hops (got num_neighbors of {wrong})"
            )
        out = self.gnn(
            {name: batch[name].x for name in batch.node_types if "x" in batch[name]},
            {name: batch[name].n_id for name in batch.node_types},
            {own: batch[kind].edge_index for kind, own in kinds.items()},
            {name: list(batch[name].num_sampled_nodes) for name in batch.node_types},
            hops,
        )
        return out[self._target][: batch[self._target].batch_size]

    def layer(
        self, i: int, name: str, x_dict: Mapping[str, Tensor], edges: Mapping[EdgeType, Tensor], seeds: int
    ) -> Tensor:
        """One layer's rows of seeds of a type, ``[B, …]``, activation included, without dropout.

        Args:
            i: which layer.
            name: the type.
            x_dict: what the layer before made of the nodes of each type, ``[M, …]``; the seeds first.
            edges: int64 ``[2, S]``, all edges into the seeds, by the types of the batch.
            seeds: B.
        """
        net = cast("Any", self.gnn.rgcn)
        own_B = x_dict[name][:seeds]
        out = net.roots[i][name](own_B)
        for kind, edge_index in edges.items():
            conv = net.convs[i].convs[self._own(kind)]
            out = out + conv((x_dict[kind[0]], own_B), edge_index)
        return out.relu() if i < self.layers - 1 else out

    def _own(self, kind: EdgeType) -> EdgeType:
        """The model's name of a type of edges of a batch."""
        return (kind[0], kind[1].removeprefix("rev_"), kind[2]) if self._turned else kind
