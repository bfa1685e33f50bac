"""Batches of nodes and what was sampled around them.

Shapes: B seeds, M nodes, S edges, N nodes of the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import Data

from weft.loader.arrays import as_fanout, as_labels, as_nodes, as_table
from weft.loader.base import Loader
from weft.loader.pipeline import Drawn, Rows
from weft.sampling import NeighborSampler, Sampled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weft.features import FeatureTable
    from weft.graph import Graph
    from weft.sampling.neighbors import Direction

__all__ = ["NeighborLoader"]

I64 = npt.NDArray[np.int64]


class NeighborLoader(Loader[Data]):
    """Gives batches as :class:`torch_geometric.loader.NeighborLoader` does, from features that live anywhere.

    The next batches are sampled, read and assembled by threads of the loader while the model works on this
    one: there are no worker processes. What an epoch gives depends on ``seed`` and its number alone, not on
    threads or ``prefetch``. A table that wants to know what comes, as a cache that looks ahead does, is told
    the nodes of as many batches as it asks for.

    Each batch is a :class:`torch_geometric.data.Data` with ``x``, ``y``, ``edge_index``, ``edge_weight`` (of
    a graph with weights), ``n_id``, ``e_id``, ``input_id``, ``batch_size``, ``num_sampled_nodes``,
    ``num_sampled_edges``, and ``batch`` if disjoint. The seeds are its first ``batch_size`` nodes.

    Args:
        graph: fastest after :meth:`weft.graph.Graph.in_memory`.
        features: a row for each node: a table, an array or a tensor; None: batches have no ``x``. A table is
            the caller's to close.
        num_neighbors: how many to sample for each node at each hop; -1: all.
        input_nodes: seeds: integers ``[B]``, a mask bool ``[N]``, or None: all nodes.
        batch_size: seeds of a batch.
        y: an entry for each node, ``[N]`` or ``[N, ...]``; batches have those of their nodes.
        replace: an edge may be drawn twice, and every node with an edge gets as many as asked for.
        disjoint: each seed has a tree of its own.
        direction: sample where edges come ``in`` from, as PyG does, or where they lead ``out`` to.
        weighted: draw by weight; None: when the graph has weights.
        shuffle: take seeds in another order in every epoch.
        drop_last: leave out the last batch where it is smaller.
        seed: of all draws, 0 to 2**64 - 1.
        prefetch: batches that are made ready before they are asked for; each is held in memory.

    Raises:
        WeftValueError: an array has the wrong length, a seed is not a node, or an option is none.
        WeftTypeError: something is no array, tensor or table.
    """

    def __init__(
        self,
        graph: Graph,
        features: FeatureTable | npt.NDArray[Any] | torch.Tensor | None,
        num_neighbors: Sequence[int],
        input_nodes: npt.NDArray[Any] | torch.Tensor | Sequence[int] | None = None,
        batch_size: int = 1,
        *,
        y: npt.NDArray[Any] | torch.Tensor | None = None,
        replace: bool = False,
        disjoint: bool = False,
        direction: Direction = "in",
        weighted: bool | None = None,
        shuffle: bool = False,
        drop_last: bool = False,
        seed: int = 0,
        prefetch: int = 2,
    ) -> None:
        fanout, nodes = as_fanout(num_neighbors), graph.num_nodes
        self._seed_I, masked = as_nodes(input_nodes, nodes)
        super().__init__(
            len(self._seed_I), batch_size, shuffle=shuffle, drop_last=drop_last, seed=seed, prefetch=prefetch
        )
        # PyG numbers the seeds of a mask by node, others by their place.
        self._number_I = self._seed_I if masked else None
        self._features = {} if features is None else {"": as_table(features, nodes)}
        self._y = None if y is None else as_labels(y, nodes)
        self._weight = graph.weight
        self._sampler = NeighborSampler.of(
            graph, fanout, replace=replace, weighted=weighted, disjoint=disjoint, direction=direction
        )
        self._repeats = disjoint or len(np.unique(self._seed_I)) < len(self._seed_I)

    def _tables(self) -> Mapping[str, FeatureTable]:
        return self._features

    def _draw(self, position_B: I64, seed: int, number: int) -> Drawn:
        sampled = self._sampler.sample(self._seed_I[position_B], seed=seed, batch=number)
        number_B = position_B if self._number_I is None else self._number_I[position_B]
        return Drawn(
            n_id={"": sampled.n_id},
            repeats=self._repeats,
            data=(sampled, number_B),
            nbytes=sampled.n_id.nbytes + sampled.edge_index.nbytes + sampled.e_id.nbytes,
        )

    def _assemble(self, number: int, drawn: Drawn, rows: Rows) -> Data:
        sampled, number_B = drawn.data
        data = as_data(sampled, rows.get(""), self._y, self._weight)
        data.input_id = torch.from_numpy(number_B)
        data.seed_time = None
        data.batch_size = len(number_B)
        return data


def as_data(
    sampled: Sampled,
    x: npt.NDArray[Any] | None,
    y: torch.Tensor | None,
    weight: npt.NDArray[np.float32] | None,
) -> Data:
    """What was sampled as PyG has it: the same names, in the same order."""
    n_id = torch.from_numpy(sampled.n_id)
    data = Data(
        x=None if x is None else torch.from_numpy(x),
        edge_index=torch.from_numpy(sampled.edge_index),
        y=None if y is None else y[n_id],
    )
    if weight is not None:
        data.edge_weight = torch.from_numpy(weight[sampled.e_id])
    if x is None:
        data.num_nodes = len(n_id)
    data.n_id = n_id
    data.e_id = torch.from_numpy(sampled.e_id)
    data.batch = None if sampled.batch is None else torch.from_numpy(sampled.batch)
    data.num_sampled_nodes = sampled.num_sampled_nodes
    data.num_sampled_edges = sampled.num_sampled_edges
    return data
