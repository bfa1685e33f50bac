"""Our graphs and tables behind PyG's interfaces, so that PyG's own loaders take them.

Shapes: N nodes, E edges, M rows asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import EdgeAttr, FeatureStore, GraphStore, TensorAttr
from torch_geometric.data.graph_store import EdgeLayout

from weft.errors import WeftValueError
from weft.graph import Graph, HeteroGraph
from weft.kernels import csr
from weft.loader.arrays import as_array, as_table, as_tensor

if TYPE_CHECKING:
    from weft.features import FeatureTable
    from weft.graph import EdgeType

__all__ = ["TableStore", "WeftGraphStore", "as_feature_store", "as_graph_store"]

Ends = tuple[torch.Tensor, torch.Tensor]


def as_graph_store(graph: Graph | HeteroGraph) -> WeftGraphStore:
    """A graph as a :class:`torch_geometric.data.GraphStore`.

    Edges are numbered by their place in ``indices``, as ``e_id`` of our loaders is. PyG samples from int64
    arrays, which it holds beside the graph: 8 bytes an edge, and as many again where a directed graph is
    turned round.
    """
    return WeftGraphStore(graph)


def as_feature_store(
    features: FeatureTable | npt.NDArray[Any] | torch.Tensor | Mapping[str, Any] | None,
    y: npt.NDArray[Any] | torch.Tensor | Mapping[str, Any] | None = None,
    **more: npt.NDArray[Any] | torch.Tensor | Mapping[str, Any],
) -> TableStore:
    """A table of features as a :class:`torch_geometric.data.FeatureStore`.

    Args:
        features: a row for each node, given as ``x``; of a graph of several types, by type.
        y: an entry for each node, likewise.
        more: further attributes of nodes by name, likewise.

    Raises:
        WeftTypeError: something is no array, tensor or table.
    """
    values: dict[tuple[str | None, str | None], FeatureTable | torch.Tensor] = {}
    for name, given in {"x": features, "y": y, **more}.items():
        by_type: Mapping[Any, Any] = given if isinstance(given, Mapping) else {None: given}
        for kind, value in by_type.items():
            if value is not None:
                values[kind, name] = as_table(value, None, name) if name == "x" else as_tensor(value, name)
    return TableStore(values)


class WeftGraphStore(GraphStore):
    """Made by :func:`as_graph_store`; it cannot be written to."""

    def __init__(self, graph: Graph | HeteroGraph) -> None:
        super().__init__()
        self._graph = graph

    def get_all_edge_attrs(self) -> list[EdgeAttr]:
        """The layout that costs least, of every type of edges."""
        if isinstance(self._graph, HeteroGraph):
            count = self._graph.num_nodes
            return [
                EdgeAttr(kind, EdgeLayout.CSR, False, (count[kind[0]], count[kind[-1]]))
                for kind in self._graph.edge_types
            ]
        layout = EdgeLayout.CSR if self._graph.directed else EdgeLayout.CSC
        # PyG's name of the edges of a graph of one type is None, whatever it annotates.
        kind: Any = None
        size = (self._graph.num_nodes, self._graph.num_nodes)
        return [EdgeAttr(kind, layout, layout == EdgeLayout.CSC, size)]

    def _get_edge_index(self, edge_attr: EdgeAttr) -> Ends | None:
        rows = self._rows(edge_attr.edge_type)
        if rows is None:
            return None
        indptr, indices, targets, both = rows
        if edge_attr.layout == EdgeLayout.CSR:
            return _tensor(indptr), _tensor(indices)
        if edge_attr.layout == EdgeLayout.COO:
            row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
            # An edge of an undirected graph is numbered in the row that it leads to.
            return (_tensor(indices), _tensor(row)) if both else (_tensor(row), _tensor(indices))
        if not both:
            indptr, indices, _ = csr.transpose(indptr, indices, None, targets)
        return _tensor(indices), _tensor(indptr)

    def _rows(self, kind: EdgeType | None) -> tuple[Any, Any, int, bool] | None:
        """indptr, indices, how many nodes edges lead to, and whether they stand in both directions."""
        graph = self._graph
        if isinstance(graph, Graph):
            found = None if kind is not None else (graph.indptr, graph.indices)
            return None if found is None else (*found, graph.num_nodes, not graph.directed)
        if kind not in graph.rows:
            return None
        rows = graph.rows[kind]
        return rows.indptr, rows.indices, graph.num_nodes[kind[-1]], False

    def _put_edge_index(self, edge_index: object, edge_attr: EdgeAttr) -> bool:
        _refuse("graph")

    def _remove_edge_index(self, edge_attr: EdgeAttr) -> bool:
        _refuse("graph")


class TableStore(FeatureStore):
    """Made by :func:`as_feature_store`; it cannot be written to."""

    def __init__(self, values: dict[tuple[str | None, str | None], FeatureTable | torch.Tensor]) -> None:
        super().__init__()
        self._values = values

    def get_all_tensor_attrs(self) -> list[TensorAttr]:
        """All there are. Each call makes new ones: PyG writes to them."""
        return [TensorAttr(kind, name) for kind, name in self._values]

    def _get_tensor(self, attr: TensorAttr) -> torch.Tensor | None:
        value = self._values.get((attr.group_name, attr.attr_name))
        if value is None:
            return None
        index = attr.index
        if isinstance(value, torch.Tensor):
            return value if index is None else value[index]
        rows = torch.from_numpy(value.take(_numbers(index, value.shape[0])))
        return rows[0] if isinstance(index, int | np.integer) else rows

    def _get_tensor_size(self, attr: TensorAttr) -> tuple[int, ...] | None:
        value = self._values.get((attr.group_name, attr.attr_name))
        return None if value is None else tuple(value.shape)

    def _put_tensor(self, tensor: object, attr: TensorAttr) -> bool:
        _refuse("features")

    def _remove_tensor(self, attr: TensorAttr) -> bool:
        _refuse("features")


def _numbers(index: Any, rows: int) -> npt.NDArray[Any]:  # noqa: ANN401 all that PyG takes
    """Rows from what PyG indexes with: tensors, arrays and masks, slices, numbers, None for all."""
    if index is None or isinstance(index, slice):
        return np.arange(rows)[slice(None) if index is None else index]
    if isinstance(index, int | np.integer):
        return np.array([index])
    array = as_array(index, "index")
    return np.flatnonzero(array) if array.dtype == bool else array


def _tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    # A copy in any case: torch has no arrays that cannot be written to, such as mapped files.
    return torch.from_numpy(array.astype(np.int64))


def _refuse(what: str) -> NoReturn:
    raise WeftValueError(f"the {what} of weft cannot be written by way of PyG's store")
