"""Positive edges and their labels, as users give them.

Shapes: P positive edges, B of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from torch_geometric.sampler import NegativeSampling

from weft.errors import WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import EdgeType, Graph, HeteroGraph
from weft.loader.arrays import as_array, as_tensor

if TYPE_CHECKING:
    import torch

__all__ = ["Positives", "as_edge_label", "as_negatives"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Positives:
    """Edges of one type by number: those given, or all of a graph.

    Attributes:
        kind: their type; ``("", "", "")`` in a graph of one.
        given: sources and targets, int64 ``[P]`` each; None: those of the graph.
        indptr: int64 ``[N + 1]``, rows of the graph's edges of this type.
        indices: ``[E]``.
        nodes: how many sources and targets there may be.
        both: every edge says that there is its reverse.
    """

    kind: EdgeType
    given: tuple[I64, I64] | None
    indptr: I64
    indices: npt.NDArray[Any]
    nodes: tuple[int, int]
    both: bool

    @classmethod
    def of(cls, graph: Graph | HeteroGraph, edges: object) -> Positives:
        """Check edges; of a graph of several types they are given with their type.

        Raises:
            WeftTypeError: the type is missing.
            WeftKeyError: there is no such type.
            WeftValueError: they are no integers ``[2, P]``, one is between no nodes, or there are none.
        """
        if isinstance(graph, Graph):
            kind, rows, both = ("", "", ""), graph, not graph.directed
            nodes = graph.num_nodes, graph.num_nodes
        else:
            kind, edges = _typed(graph, edges)
            rows, both = graph[kind], False
            nodes = graph.num_nodes[kind[0]], graph.num_nodes[kind[2]]
        if edges is None and len(rows.indices) == 0:
            raise WeftValueError("edge_label_index: there are no edges, the graph has none")
        given = None if edges is None else _checked(as_array(edges, "edge_label_index"), nodes)
        return cls(kind=kind, given=given, indptr=rows.indptr, indices=rows.indices, nodes=nodes, both=both)

    def __len__(self) -> int:
        """P."""
        return len(self.indices) if self.given is None else len(self.given[0])

    def take(self, number_B: I64) -> tuple[I64, I64]:
        """Sources and targets, int64 ``[B]`` each."""
        if self.given is not None:
            return self.given[0][number_B], self.given[1][number_B]
        source_B = np.searchsorted(self.indptr, number_B, side="right") - 1
        return source_B, self.indices[number_B].astype(np.int64)


def _typed(graph: HeteroGraph, given: object) -> tuple[EdgeType, object]:
    """The type of edges, and the edges if there are any beside it."""
    parts = tuple(given) if isinstance(given, Sequence) else ()
    named, edges = parts if len(parts) == 2 else (parts, None)
    kind = tuple(named) if isinstance(named, Sequence) else ()
    if len(kind) != 3 or not all(isinstance(name, str) for name in kind):
        raise WeftTypeError(
            "edge_label_index: a graph of several types needs edges with their type, as ((source, relation, "
            f"target), edges); the types are {graph.edge_types}"
        )
    if kind not in graph.rows:
        raise WeftKeyError(f"edge_label_index: no edges of type {kind!r}; there are {graph.edge_types}")
    return kind, edges


def _checked(edge_2P: npt.NDArray[Any], nodes: tuple[int, int]) -> tuple[I64, I64]:
    if edge_2P.ndim != 2 or edge_2P.shape[0] != 2 or (edge_2P.size and edge_2P.dtype.kind not in "iu"):
        raise WeftValueError(
            f"edge_label_index must be integers [2, P] (got {edge_2P.dtype} {list(edge_2P.shape)})"
        )
    if edge_2P.shape[1] == 0:
        raise WeftValueError("edge_label_index: there are no edges (got [2, 0])")
    wrong = np.argwhere((edge_2P < 0) | (edge_2P >= np.array(nodes)[:, None]))
    if len(wrong):
        end, at = wrong[0].tolist()
        raise WeftValueError(
            f"edge_label_index: edge {at} {('comes from', 'leads to')[end]} node {edge_2P[end, at]}, there "
            f"are {nodes[end]:,} nodes"
        )
    return edge_2P[0].astype(np.int64), edge_2P[1].astype(np.int64)


def as_negatives(given: Any) -> NegativeSampling | None:  # noqa: ANN401 all that PyG's cast takes
    """PyG's description of negatives: ``"binary"``, ``("triplet", 5)``, a dict, or itself.

    Raises:
        WeftValueError: it is none.
    """
    try:
        wanted = cast("NegativeSampling | None", NegativeSampling.cast(given))
    except (ValueError, TypeError) as error:
        raise WeftValueError(
            f"neg_sampling must be 'binary', 'triplet', ('binary', amount) or PyG's NegativeSampling "
            f"(got {given!r}): {error}"
        ) from None
    if wanted is not None and not (math.isfinite(wanted.amount) and wanted.amount > 0):
        raise WeftValueError(f"neg_sampling: the amount must be a number above 0 (got {wanted.amount})")
    if wanted is not None and (wanted.src_weight is not None or wanted.dst_weight is not None):
        raise WeftValueError("neg_sampling: weights of nodes are not taken; give negatives='degree'")
    return wanted


def as_edge_label(given: object, edges: int, wanted: NegativeSampling | None) -> torch.Tensor | None:
    """Labels of positive edges; those that begin with 0 are raised by one where 0 means negative.

    Raises:
        WeftValueError: there is not one for each edge, or triplets are asked for.
    """
    if given is None:
        return None
    label = as_tensor(given, "edge_label")
    if label.ndim == 0 or len(label) != edges:
        raise WeftValueError(
            f"edge_label has the shape {list(label.shape)}, there are {edges:,} edges; there must be an "
            "entry for each"
        )
    if wanted is not None and wanted.is_triplet():
        raise WeftValueError(
            "edge_label: triplets have no labels; leave it out, or give neg_sampling='binary'"
        )
    return label + 1 if wanted is not None and label.min() == 0 else label
