"""R-GCN for graphs with types of nodes and edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import torch
from torch_geometric.nn import HeteroConv, MessagePassing, SAGEConv
from torch_geometric.utils import trim_to_layer

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

__all__ = ["RGCN", "ByName", "rgcn"]

EdgeType = tuple[str, str, str]
Name = TypeVar("Name", str, EdgeType)


class ByName(torch.nn.Module, Generic[Name]):
    """Modules by any names, among their weights numbered.

    A torch ``ModuleDict`` refuses names with dots and those of its own attributes, and PyG's confuses some.

    Args:
        made: the modules; their numbers go by the order of the names, whatever order they are given in.
    """

    def __init__(self, made: Mapping[Name, torch.nn.Module]) -> None:
        super().__init__()
        names = sorted(made)
        self._numbers = {name: names.index(name) for name in made}
        self.of = torch.nn.ModuleList(made[name] for name in names)

    def __getitem__(self, name: Name) -> torch.nn.Module:
        return self.of[self._numbers[name]]

    def __len__(self) -> int:
        return len(self._numbers)

    def items(self) -> list[tuple[Name, torch.nn.Module]]:
        """Names and modules, in the order in which they were given."""
        return [(name, self[name]) for name in self._numbers]


class RGCN(torch.nn.Module):
    """Sums over types of edges, each with weights of its own; see :func:`rgcn`.

    ``x_i' = W_0 x_i + sum over types r of W_r mean of the neighbours of i along r``, ``W_0`` being of the
    type of the node.
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        edge_types: Sequence[EdgeType],
        hidden: int,
        out: int,
        layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.num_layers = layers
        self.convs, self.roots = torch.nn.ModuleList(), torch.nn.ModuleList()
        self._dropout = torch.nn.Dropout(dropout)
        width = dict(in_channels)
        for layer in range(layers):
            made = out if layer == layers - 1 else hidden
            relations: dict[EdgeType, MessagePassing] = {
                kind: SAGEConv((width[kind[0]], width[kind[2]]), made, root_weight=False, bias=False)
                for kind in edge_types
            }
            conv: Any = HeteroConv({}, aggr="sum")
            conv.convs = ByName(relations)
            self.convs.append(conv)
            self.roots.append(ByName({kind: torch.nn.Linear(size, made) for kind, size in width.items()}))
            width = dict.fromkeys(width, made)

    def forward(
        self,
        x_dict: dict[str, Tensor],
        edge_index_dict: dict[EdgeType, Tensor],
        num_sampled_nodes_dict: dict[str, list[int]] | None = None,
        num_sampled_edges_dict: dict[EdgeType, list[int]] | None = None,
    ) -> dict[str, Tensor]:
        """Rows of the last layer by type of node, ``[M, out]``.

        Args:
            x_dict: rows of the nodes by type, float32 ``[M, in_channels]``.
            edge_index_dict: int64 ``[2, S]`` by type.
            num_sampled_nodes_dict: of each hop, as :class:`weft.loader.NeighborLoader` gives it: what the
                seeds do not need is then not computed.
            num_sampled_edges_dict: likewise.
        """
        for layer, conv in enumerate(self.convs):
            roots = cast("ByName[str]", self.roots[layer])
            if num_sampled_nodes_dict is not None and num_sampled_edges_dict is not None:
                # Its overloads know dicts of a union of types alone.
                trim: Any = trim_to_layer
                x_dict, edge_index_dict, _ = trim(
                    layer, num_sampled_nodes_dict, num_sampled_edges_dict, x_dict, edge_index_dict
                )
            sums = conv(x_dict, edge_index_dict)
            x_dict = {kind: roots[kind](x) + sums.get(kind, 0.0) for kind, x in x_dict.items()}
            if layer < self.num_layers - 1:
                x_dict = {kind: self._dropout(x.relu()) for kind, x in x_dict.items()}
        return x_dict


def rgcn(
    in_channels: Mapping[str, int],
    edge_types: Sequence[EdgeType],
    hidden: int,
    out: int,
    layers: int = 2,
    *,
    dropout: float = 0.5,
) -> RGCN:
    """An R-GCN (Schlichtkrull et al., ESWC 2018) of PyG's ``HeteroConv``, its weights drawn by torch.

    Args:
        in_channels: columns of the features of each type of node.
        edge_types: those of the graph, :attr:`weft.graph.HeteroGraph.edge_types`.
        hidden: width of the layers between.
        out: width of the last layer.
        layers: how many; as many as hops are sampled.
        dropout: between layers.

    Raises:
        WeftValueError: a size is none, or a type of edge joins nodes of a type without features.
    """
    for what, size in (("hidden", hidden), ("out", out), ("layers", layers), *in_channels.items()):
        if size < 1:
            raise WeftValueError(f"model rgcn: {what} must be at least 1 (got {size})")
    if not 0 <= dropout < 1:
        raise WeftValueError(f"model rgcn: dropout must lie within 0 .. 1, below 1 (got {dropout:g})")
    for kind in edge_types:
        for end in (kind[0], kind[2]):
            if end not in in_channels:
                raise WeftValueError(
                    f"model rgcn: edges {kind} join nodes of type {end!r}, whose features have no width; "
                    "give in_channels for it, with one column of ones if there are no features"
                )
    return RGCN(in_channels, edge_types, hidden, out, layers, dropout)
