"""What is sampled around seeds in a graph of several types, and the batch it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch_geometric.data import HeteroData

from weft.errors import WeftKeyError, WeftTypeError
from weft.loader.arrays import as_fanout, as_labels, as_nodes, as_table
from weft.loader.pipeline import Drawn, Rows
from weft.sampling import HeteroNeighborSampler, HeteroSampled
from weft.sampling.links import exclude_typed_edges

if TYPE_CHECKING:
    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import EdgeType, HeteroGraph

    I64 = npt.NDArray[np.int64]

__all__ = ["ManyTypes", "typed_nodes"]


class ManyTypes:
    """As :class:`weft.loader.around.OneType`, by types of nodes.

    Raises:
        WeftKeyError: there is no such type.
        WeftValueError: an array has the wrong length, or an option is none.
        WeftTypeError: something is no array, tensor or table, or not by type.
    """

    def __init__(
        self,
        graph: HeteroGraph,
        num_neighbors: Any,  # noqa: ANN401
        features: Any,  # noqa: ANN401
        y: Any,  # noqa: ANN401
        options: dict[str, Any],
    ) -> None:
        self.graph, count = graph, graph.num_nodes
        if not isinstance(num_neighbors, Mapping):
            num_neighbors = as_fanout(num_neighbors)
        else:
            num_neighbors = {kind: as_fanout(some) for kind, some in num_neighbors.items()}
        self.tables: dict[str, FeatureTable] = {
            kind: as_table(some, count[kind], f"features of {kind!r}")
            for kind, some in _by_type(features, graph, "features").items()
        }
        self._y = {
            kind: as_labels(some, count[kind], f"y of {kind!r}")
            for kind, some in _by_type(y, graph, "y").items()
        }
        self._sampler = HeteroNeighborSampler.of(graph, num_neighbors, **options)
        self._turned = options["direction"] == "out"

    def sample(self, seeds: dict[str, npt.NDArray[Any]], seed: int, number: int) -> HeteroSampled:
        """Draw a batch around seeds."""
        return self._sampler.sample(seeds, seed=seed, batch=number)

    def exclude(self, sampled: HeteroSampled, kind: EdgeType, source_B: I64, target_B: I64) -> HeteroSampled:
        """Keep edges of a type, whose ends were the seeds, out of what was sampled: there and back."""
        source, relation, target = kind
        back = target, relation[4:] if relation.startswith("rev_") else f"rev_{relation}", source
        gone: dict[EdgeType, tuple[I64, I64]] = {}
        for stored, there in zip(self.graph.edge_types, self._sampler.edge_types, strict=True):
            pairs = []
            if stored == kind:
                pairs.append((source_B, target_B))
            if stored == back or (stored == kind and source == target):
                pairs.append((target_B, source_B))
            if pairs:
                begin, end = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
                gone[there] = (end, begin) if self._turned else (begin, end)
        return exclude_typed_edges(sampled, gone)

    def drawn(self, sampled: HeteroSampled, more: Any, *, repeats: bool) -> Drawn:  # noqa: ANN401
        """What was sampled as a pipeline has it, with more to keep beside."""
        parts = (sampled.n_id, sampled.edge_index, sampled.e_id)
        nbytes = sum(array.nbytes for part in parts for array in part.values())
        return Drawn(n_id=sampled.n_id, repeats=repeats, data=(sampled, more), nbytes=nbytes)

    def data(self, sampled: HeteroSampled, rows: Rows) -> HeteroData:
        """What was sampled as PyG has it: the same names, in the same order."""
        data = HeteroData()
        n_id = {kind: torch.from_numpy(nodes) for kind, nodes in sampled.n_id.items()}
        for kind, nodes in n_id.items():
            store = data[kind]
            if kind in rows:
                store.x = torch.from_numpy(rows[kind])
            else:
                store.num_nodes = len(nodes)
            if kind in self._y:
                store.y = self._y[kind][nodes]
        # Where edges lead out, batches have the types turned round, in the order of the graph's.
        for kind, stored in zip(self._sampler.edge_types, self.graph.rows.values(), strict=True):
            data[kind].edge_index = torch.from_numpy(sampled.edge_index[kind])
            if stored.weight is not None:
                data[kind].edge_weight = torch.from_numpy(stored.weight[sampled.e_id[kind]])
        for kind, nodes in n_id.items():
            data[kind].n_id = nodes
        for kind, edges in sampled.e_id.items():
            data[kind].e_id = torch.from_numpy(edges)
        for kind, trees in (sampled.batch or {}).items():
            data[kind].batch = torch.from_numpy(trees)
        for kind, counts in sampled.num_sampled_nodes.items():
            data[kind].num_sampled_nodes = counts
        for kind, counts in sampled.num_sampled_edges.items():
            data[kind].num_sampled_edges = counts
        return data


def typed_nodes(given: object, graph: HeteroGraph) -> tuple[str, npt.NDArray[np.int64], bool]:
    """Seeds of a type: their type, int64 ``[B]``, and whether they were given as a mask.

    Raises:
        WeftTypeError: they are not given with their type.
        WeftKeyError: there is no such type.
        WeftValueError: one is no node, or there are none.
    """
    kind, nodes = given, None
    if isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 2:
        kind, nodes = given
    if not isinstance(kind, str):
        raise WeftTypeError(
            "input_nodes: a graph of several types needs seeds with their type, as (type, nodes); the types "
            f"are {graph.node_types}"
        )
    if kind not in graph.num_nodes:
        raise WeftKeyError(f"input_nodes: no nodes of type {kind!r}; there are {graph.node_types}")
    return kind, *as_nodes(nodes, graph.num_nodes[kind], f"input_nodes of {kind!r}")


def _by_type(given: object, graph: HeteroGraph, what: str) -> dict[str, Any]:
    """What is given for types of nodes; those that have None are left out."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise WeftTypeError(
            f"{what}: a graph of several types needs a dict by type (got {type(given).__name__}); the types "
            f"are {graph.node_types}"
        )
    for kind in given:
        if kind not in graph.nodes:
            raise WeftKeyError(f"{what}: no nodes of type {kind!r}; there are {graph.node_types}")
    return {kind: some for kind, some in given.items() if some is not None}
