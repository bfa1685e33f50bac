"""Graphs of several types, from PyG and to PyG."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import MissingExtraError, WeftTypeError
from weft.graph._hetero_build import build
from weft.graph._rows import EdgeType, Nodes, Rows, edge_name
from weft.graph.labels import Labels
from weft.kernels.codec import decode, said_by

if TYPE_CHECKING:
    import numpy.typing as npt

    from weft.graph.graph import Duplicates
    from weft.graph.hetero import HeteroGraph

__all__ = ["read", "write"]


def read(data: Any, duplicates: Duplicates) -> tuple[dict[str, Nodes], dict[EdgeType, Rows]]:  # noqa: ANN401
    """Nodes and rows of a ``HeteroData``."""
    if not hasattr(data, "node_types") or not hasattr(data, "edge_types"):
        raise WeftTypeError(f"from_pyg takes torch_geometric.data.HeteroData (got {type(data).__name__})")
    edges: dict[EdgeType, list[Any]] = {}
    for kind in data.edge_types:
        store = data[kind]
        index = _numpy(store.get("edge_index"))
        if index is None or index.ndim != 2 or len(index) != 2:
            raise WeftTypeError(f"from_pyg: {edge_name(kind)} needs an edge_index [2, E]")
        weight = _numpy(store.get("edge_weight"))
        attr = _numpy(store.get("edge_attr"))
        if weight is None and attr is not None and (attr.ndim == 1 or attr.shape[1:] == (1,)):
            weight = attr
        edges[kind] = [index[0], index[1], *([] if weight is None else [weight.reshape(-1)])]
    named = dict.fromkeys([*data.node_types, *(name for s, _, t in data.edge_types for name in (s, t))])
    counts = {name: _count(data, name, edges) for name in named}
    nodes, rows = build(edges, counts, {}, duplicates)
    for name in data.node_types:
        x, y = _numpy(data[name].get("x")), _numpy(data[name].get("y"))
        if x is not None and x.ndim == 2 and x.dtype.kind in "fiub":
            nodes[name] = replace(nodes[name], features=x)
        if y is not None and y.shape == (counts[name],) and y.dtype.kind in "iu":
            labelled = np.flatnonzero(y >= 0)
            labels = Labels.from_pairs(labelled, [str(v) for v in y[labelled].tolist()], counts[name])
            nodes[name] = replace(nodes[name], labels=labels)
    return nodes, rows


def write(graph: HeteroGraph) -> Any:  # noqa: ANN401
    """A ``HeteroData``."""
    try:
        import torch
        from torch_geometric.data import HeteroData
    except ImportError:
        raise MissingExtraError("to_pyg", "torch-geometric", "gnn") from None
    data: Any = HeteroData()
    for name, nodes in graph.nodes.items():
        data[name].num_nodes = len(nodes.ids)
        if nodes.features is not None:
            data[name].x = torch.from_numpy(_decoded(nodes.features))
        if nodes.labels is not None:
            data[name].y = torch.from_numpy(_targets(nodes.labels))
    for kind, rows in graph.rows.items():
        index = np.stack([rows.sources(), rows.indices.astype(np.int64)])
        data[kind].edge_index = torch.from_numpy(index)
        if rows.weight is not None:
            data[kind].edge_weight = torch.from_numpy(np.array(rows.weight))
    return data


def _numpy(tensor: Any) -> Any:  # noqa: ANN401
    return tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else None


def _count(data: Any, name: str, edges: dict[EdgeType, list[Any]]) -> int:  # noqa: ANN401
    """How many nodes a store says it has, or up to the highest that edges name."""
    # PyG guesses with a warning where nothing says how many there are; edges say it without.
    held = ("num_nodes", "x", "n_id", "y", "pos", "batch")
    if name in data.node_types and any(data[name].get(key) is not None for key in held):
        return int(data[name].num_nodes)
    ends = [arrays[0] for kind, arrays in edges.items() if kind[0] == name]
    ends += [arrays[1] for kind, arrays in edges.items() if kind[2] == name]
    return max((int(some.max()) + 1 for some in ends if len(some)), default=0)


def _decoded(features: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy of features, those of a codec as float32."""
    said = said_by(features.dtype)
    if said is None:
        return np.array(features)
    raw = np.ascontiguousarray(features).view(np.uint8).reshape(len(features), features.dtype.itemsize)
    return decode(raw, said[0])


def _targets(labels: Labels) -> npt.NDArray[Any]:
    counts, (nodes, codes) = np.diff(labels.indptr), labels.pairs()
    if counts.max(initial=0) > 1:
        several = np.zeros((len(counts), len(labels.names)), np.bool_)
        several[nodes, codes] = True
        return several
    single = np.full(len(counts), -1, np.int64)
    single[nodes] = codes
    return single
