"""Batches of nodes and what was sampled around them.

Shapes: B seeds, M nodes, S edges, N nodes of the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import Data, HeteroData

from weft.checks import check_flag
from weft.graph import EdgeType, Graph, HeteroGraph
from weft.loader.around import OneType
from weft.loader.arrays import as_nodes
from weft.loader.base import Loader
from weft.loader.hetero import ManyTypes, typed_nodes

if TYPE_CHECKING:
    from weft.features import FeatureTable
    from weft.loader.pipeline import Drawn, Rows
    from weft.sampling.neighbors import Direction

__all__ = ["NeighborLoader"]

I64 = npt.NDArray[np.int64]
Given = npt.NDArray[Any] | torch.Tensor
Numbers = Given | Sequence[int]


class NeighborLoader(Loader[Any]):
    """Gives batches as :class:`torch_geometric.loader.NeighborLoader` does, from features that live anywhere.

    The next batches are sampled, read and assembled by threads of the loader while the model works on this
    one: there are no worker processes. What an epoch gives depends on ``seed`` and its number alone, not on
    threads or ``prefetch``. A table that wants to know what comes, as a cache that looks ahead does, is told
    the nodes of as many batches as it asks for.

    Each batch is a :class:`torch_geometric.data.Data` with ``x``, ``y``, ``edge_index``, ``edge_weight`` (of
    a graph with weights), ``n_id``, ``e_id``, ``input_id``, ``batch_size``, ``num_sampled_nodes``,
    ``num_sampled_edges``, and ``batch`` if disjoint. The seeds are its first ``batch_size`` nodes. Of a
    :class:`weft.graph.HeteroGraph` it is a :class:`torch_geometric.data.HeteroData`, with these by type.

    Args:
        graph: fastest after :meth:`weft.graph.Graph.in_memory`.
        features: a row for each node: a table, an array or a tensor; None: batches have no ``x``. A table is
            the caller's to close. Of a graph of several types, a dict by type of nodes.
        num_neighbors: how many to sample for each node at each hop; -1: all. Of a graph of several types,
            that many along each type of edges, or a dict by type of edges.
        input_nodes: seeds: integers ``[B]``, a mask bool ``[N]``, or None: all nodes. Of a graph of several
            types, ``(type, seeds)``, or a type.
        batch_size: seeds of a batch.
        y: an entry for each node, ``[N]`` or ``[N, ...]``; batches have those of their nodes. Of a graph of
            several types, a dict by type of nodes.
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
        WeftTypeError: something is no array, tensor or table, or not by type.
        WeftKeyError: there is no such type.
    """

    def __init__(
        self,
        graph: Graph | HeteroGraph,
        features: FeatureTable | Given | Mapping[str, FeatureTable | Given] | None,
        num_neighbors: Sequence[int] | Mapping[EdgeType, Sequence[int]],
        input_nodes: Numbers | str | tuple[str, Numbers | None] | None = None,
        batch_size: int = 1,
        *,
        y: Given | Mapping[str, Given] | None = None,
        replace: bool = False,
        disjoint: bool = False,
        direction: Direction = "in",
        weighted: bool | None = None,
        shuffle: bool = False,
        drop_last: bool = False,
        seed: int = 0,
        prefetch: int = 2,
    ) -> None:
        self.input_type = ""
        """The type of the seeds; empty where all nodes are of one."""
        if isinstance(graph, HeteroGraph):
            self.input_type, self._seed_I, masked = typed_nodes(input_nodes, graph)
        else:
            self._seed_I, masked = as_nodes(input_nodes, graph.num_nodes)
        super().__init__(
            len(self._seed_I), batch_size, shuffle=shuffle, drop_last=drop_last, seed=seed, prefetch=prefetch
        )
        # PyG numbers the seeds of a mask by node, others by their place.
        self._number_I = self._seed_I if masked else None
        options: dict[str, Any] = {
            "replace": check_flag("loader: replace", replace),
            "disjoint": check_flag("loader: disjoint", disjoint),
            "direction": direction,
            "weighted": weighted,
        }
        self._around: OneType | ManyTypes
        if isinstance(graph, HeteroGraph):
            self._around = ManyTypes(graph, num_neighbors, features, y, options)
        else:
            self._around = OneType(graph, num_neighbors, features, y, options)
        self._repeats = disjoint or len(np.unique(self._seed_I)) < len(self._seed_I)

    def _tables(self) -> Mapping[str, FeatureTable]:
        return self._around.tables

    def _draw(self, position_B: I64, seed: int, number: int) -> Drawn:
        around: Any = self._around
        sampled = around.sample({self.input_type: self._seed_I[position_B]}, seed, number)
        number_B = position_B if self._number_I is None else self._number_I[position_B]
        return around.drawn(sampled, number_B, repeats=self._repeats)

    def _assemble(self, number: int, drawn: Drawn, rows: Rows) -> Data | HeteroData:
        sampled, number_B = drawn.data
        data = self._around.data(sampled, rows)
        store: Any = data[self.input_type] if isinstance(data, HeteroData) else data
        store.input_id = torch.from_numpy(number_B)
        store.seed_time = None
        store.batch_size = len(number_B)
        return data
