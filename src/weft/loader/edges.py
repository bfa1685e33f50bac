"""Positive edges and their labels, as users give them.

Shapes: P positive edges, B of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.sampler import NegativeSampling

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.loader.arrays import as_array

__all__ = ["Positives", "as_edge_label", "as_negatives"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Positives:
    """Edges by number: those given, or all of a graph.

    Attributes:
        given: sources and targets, int64 ``[P]`` each; None: those of the graph.
        graph: the graph.
    """

    given: tuple[I64, I64] | None
    graph: Graph

    @classmethod
    def of(cls, graph: Graph, edges: object) -> Positives:
        """Check edges.

        Raises:
            WeftValueError: they are no integers ``[2, P]``, one is between no nodes, or there are none.
        """
        if edges is None:
            if graph.num_edges == 0:
                raise WeftValueError("edge_label_index: there are no edges, the graph has none")
            return cls(None, graph)
        array = as_array(edges, "edge_label_index")
        if array.ndim != 2 or array.shape[0] != 2 or (array.size and array.dtype.kind not in "iu"):
            raise WeftValueError(
                f"edge_label_index must be integers [2, P] (got {array.dtype} {list(array.shape)})"
            )
        if array.shape[1] == 0:
            raise WeftValueError("edge_label_index: there are no edges (got [2, 0])")
        wrong = np.argwhere((array < 0) | (array >= graph.num_nodes))
        if len(wrong):
            end, at = wrong[0].tolist()
            raise WeftValueError(
                f"edge_label_index: edge {at} {('comes from', 'leads to')[end]} node {array[end, at]}, there "
                f"are {graph.num_nodes:,} nodes"
            )
        return cls((array[0].astype(np.int64), array[1].astype(np.int64)), graph)

    def __len__(self) -> int:
        """P."""
        return self.graph.num_edges if self.given is None else len(self.given[0])

    def take(self, number_B: I64) -> tuple[I64, I64]:
        """Sources and targets, int64 ``[B]`` each."""
        if self.given is not None:
            return self.given[0][number_B], self.given[1][number_B]
        source_B = np.searchsorted(self.graph.indptr, number_B, side="right") - 1
        return source_B, self.graph.indices[number_B].astype(np.int64)


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
    label = given if isinstance(given, torch.Tensor) else torch.tensor(as_array(given, "edge_label"))
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
