"""What is sampled around seeds in a graph of one type, and the batch it becomes.

Shapes: M nodes, S edges, N nodes of the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch_geometric.data import Data

from weft.loader.arrays import as_fanout, as_labels, as_table
from weft.loader.pipeline import Drawn, Rows
from weft.sampling import NeighborSampler, Sampled
from weft.sampling.links import exclude_edges

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import EdgeType, Graph

    I64 = npt.NDArray[np.int64]

__all__ = ["OneType"]


class OneType:
    """Samples, reads and assembles; the type of all nodes is called ``""``.

    Args:
        graph: what is sampled from.
        num_neighbors: at each hop.
        features: a row for each node, or None.
        y: an entry for each node, or None.
        options: of the sampler.

    Raises:
        WeftValueError: an array has the wrong length, or an option is none.
        WeftTypeError: something is no array, tensor or table.
    """

    def __init__(
        self,
        graph: Graph,
        num_neighbors: Any,  # noqa: ANN401
        features: Any,  # noqa: ANN401
        y: Any,  # noqa: ANN401
        options: dict[str, Any],
    ) -> None:
        self.graph = graph
        fanout = as_fanout(num_neighbors)
        self.tables: dict[str, FeatureTable] = {}
        if features is not None:
            self.tables[""] = as_table(features, graph.num_nodes)
        self._y = None if y is None else as_labels(y, graph.num_nodes)
        self._sampler = NeighborSampler.of(graph, fanout, **options)
        self._turned = options["direction"] == "out"

    def sample(self, seeds: dict[str, npt.NDArray[Any]], seed: int, number: int) -> Sampled:
        """Draw a batch around seeds."""
        return self._sampler.sample(seeds[""], seed=seed, batch=number)

    def exclude(self, sampled: Sampled, kind: EdgeType, source_B: I64, target_B: I64) -> Sampled:
        """Keep edges, whose ends were the seeds, out of what was sampled."""
        ends = (target_B, source_B) if self._turned else (source_B, target_B)
        return exclude_edges(sampled, *ends, both=not self.graph.directed)

    def drawn(self, sampled: Sampled, more: Any, *, repeats: bool) -> Drawn:  # noqa: ANN401
        """What was sampled as a pipeline has it, with more to keep beside."""
        nbytes = sampled.n_id.nbytes + sampled.edge_index.nbytes + sampled.e_id.nbytes
        return Drawn(n_id={"": sampled.n_id}, repeats=repeats, data=(sampled, more), nbytes=nbytes)

    def data(self, sampled: Sampled, rows: Rows) -> Data:
        """What was sampled as PyG has it: the same names, in the same order."""
        n_id = torch.from_numpy(sampled.n_id)
        data = Data(
            x=torch.from_numpy(rows[""]) if rows else None,
            edge_index=torch.from_numpy(sampled.edge_index),
            y=None if self._y is None else self._y[n_id],
        )
        if self.graph.weight is not None:
            data.edge_weight = torch.from_numpy(self.graph.weight[sampled.e_id])
        if not rows:
            data.num_nodes = len(n_id)
        data.n_id = n_id
        data.e_id = torch.from_numpy(sampled.e_id)
        data.batch = None if sampled.batch is None else torch.from_numpy(sampled.batch)
        data.num_sampled_nodes = sampled.num_sampled_nodes
        data.num_sampled_edges = sampled.num_sampled_edges
        return data
