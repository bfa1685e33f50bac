"""Batches of edges, of pairs that are none, and what was sampled around them.

Shapes: B positive edges, C negatives for each, P positive edges in all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import Data, HeteroData

from weft.checks import check_flag
from weft.graph import EdgeType, Graph, HeteroGraph
from weft.loader.around import OneType
from weft.loader.base import Loader
from weft.loader.edges import Positives, as_edge_label, as_negatives
from weft.loader.hetero import ManyTypes
from weft.sampling.negatives import Kind, NegativeSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch_geometric.sampler import NegativeSampling

    from weft.features import FeatureTable
    from weft.loader.pipeline import Drawn, Rows
    from weft.sampling.neighbors import Direction

__all__ = ["LinkNeighborLoader"]

I64 = npt.NDArray[np.int64]
Given = npt.NDArray[Any] | torch.Tensor


class LinkNeighborLoader(Loader[Any]):
    """Gives batches as :class:`torch_geometric.loader.LinkNeighborLoader` does, made ahead by threads.

    Each batch is a :class:`torch_geometric.data.Data` as of :class:`weft.loader.NeighborLoader`, with
    ``edge_label_index`` and ``edge_label``, or for triplets ``src_index``, ``dst_pos_index`` and
    ``dst_neg_index`` ``[B]``, of several negatives ``[B, C]``, instead of ``batch_size``. ``input_id`` has
    the numbers of its positive edges. Of a :class:`weft.graph.HeteroGraph` it is a
    :class:`torch_geometric.data.HeteroData`, with these at the type of the edges and of their ends.

    Args:
        graph: what is sampled from.
        features: as of :class:`weft.loader.NeighborLoader`.
        num_neighbors: as of :class:`weft.loader.NeighborLoader`.
        edge_label_index: positive edges, integers ``[2, P]``; None: all of the graph, those of an undirected
            one in both directions. Of a graph of several types, ``(type, edges)``, or a type.
        edge_label: an entry for each, ``[P]`` or ``[P, ...]``; with binary negatives, which have 0, labels
            that begin with 0 are raised by one.
        batch_size: positive edges of a batch.
        neg_sampling: ``"binary"``: pairs of nodes with label 0; ``"triplet"``: other targets for each source;
            ``("triplet", 5)``: so many for each; or PyG's ``NegativeSampling``; None: no negatives.
        negatives: how they are drawn: ``"uniform"``, by ``"degree"`` to the power of 0.75, or ``"in-batch"``:
            targets of the other edges of the batch.
        strict: no negative is an edge of the graph or a positive one, or joins a node with itself.
        exclude_targets: keep the positive edges of a batch out of what is sampled for it, so that the model
            cannot see what it shall tell. They are kept out in both directions where the graph is undirected
            or of several types: there, of an edge type between nodes of one type, and of the type that is
            called ``rev_`` and the same, as PyG's ``ToUndirected`` does. A node has fewer neighbours then.
        y: as of :class:`weft.loader.NeighborLoader`, like all that follows.
        replace: an edge may be drawn twice.
        disjoint: each end of an edge has a tree of its own; ``batch`` numbers the edges.
        direction: ``in`` or ``out``.
        weighted: draw by weight; None: when the graph has weights.
        shuffle: take edges in another order in every epoch.
        drop_last: leave out the last batch where it is smaller.
        seed: of all draws.
        prefetch: batches that are made ready before they are asked for.

    Raises:
        WeftValueError: an array has the wrong length, an edge is between no nodes, or an option is none.
        WeftTypeError: something is no array, tensor or table, or not by type.
        WeftKeyError: there is no such type.
    """

    def __init__(
        self,
        graph: Graph | HeteroGraph,
        features: FeatureTable | Given | Mapping[str, FeatureTable | Given] | None,
        num_neighbors: Sequence[int] | Mapping[EdgeType, Sequence[int]],
        edge_label_index: Given | EdgeType | tuple[EdgeType, Given | None] | None = None,
        edge_label: Given | None = None,
        batch_size: int = 1,
        *,
        neg_sampling: str | tuple[str, float] | NegativeSampling | None = None,
        negatives: Kind = "uniform",
        strict: bool = False,
        exclude_targets: bool = False,
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
        self._edges = Positives.of(graph, edge_label_index)
        super().__init__(
            len(self._edges), batch_size, shuffle=shuffle, drop_last=drop_last, seed=seed, prefetch=prefetch
        )
        self._wanted = as_negatives(neg_sampling)
        self._label = as_edge_label(edge_label, len(self._edges), self._wanted)
        self.input_type = self._edges.kind
        """The type of the positive edges; empty names where all are of one."""
        self._negatives = NegativeSampler.between(
            self._edges.indptr,
            self._edges.indices,
            self._edges.nodes[1],
            negatives,
            strict=strict,
            known=self._edges.given,
            both=self._edges.both,
            apart=self.input_type[0] != self.input_type[2],
        )
        self._disjoint, self._exclude = disjoint, exclude_targets
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

    def _tables(self) -> Mapping[str, FeatureTable]:
        return self._around.tables

    def _draw(self, position_B: I64, seed: int, number: int) -> Drawn:
        source_B, target_B = self._edges.take(position_B)
        more_source, more_target = self._more(source_B, target_B, position_B, seed)
        seeds, place = self._seeds([source_B, more_source], [target_B, more_target])
        around: Any = self._around
        sampled = around.sample(seeds, seed, number)
        if self._exclude:
            sampled = around.exclude(sampled, self.input_type, source_B, target_B)
        return around.drawn(sampled, (place, position_B), repeats=self._disjoint)

    def _seeds(self, sources: list[I64], targets: list[I64]) -> tuple[dict[str, I64], I64]:
        """Seeds by type, and where among those of its type each end is."""
        begin, _, end = self.input_type
        by_type = {begin: sources + targets} if begin == end else {begin: sources, end: targets}
        seeds: dict[str, I64] = {}
        places: list[I64] = []
        for kind, parts in by_type.items():
            node = np.concatenate(parts)
            place = np.arange(len(node))
            if not self._disjoint:
                node, place = np.unique(node, return_inverse=True)
            seeds[kind] = node
            places.append(place)
        return seeds, np.concatenate(places)

    def _more(self, source_B: I64, target_B: I64, position_B: I64, seed: int) -> tuple[I64, I64]:
        """Sources and targets of negatives, the first of every edge first; triplets need no sources."""
        none = np.empty(0, np.int64)
        if self._wanted is None:
            return none, none
        count, edge = math.ceil(self._wanted.amount), (source_B, target_B, position_B)
        if self._wanted.is_triplet():
            return none, self._negatives.corrupt(*edge, count, seed=seed).T.reshape(-1)
        total = math.ceil(len(source_B) * self._wanted.amount)
        source, target = self._negatives.pairs(*edge, count, seed=seed)
        return source.T.reshape(-1)[:total], target.T.reshape(-1)[:total]

    def _assemble(self, number: int, drawn: Drawn, rows: Rows) -> Data | HeteroData:
        sampled, (place, position_B) = drawn.data
        data = self._around.data(sampled, rows)
        whole: list[Any] = data.node_stores
        for store in whole:
            if "batch" in store:
                store.batch = store.batch % len(position_B)
        typed = isinstance(data, HeteroData)
        edges: Any = data[self.input_type] if typed else data
        edges.input_id = torch.from_numpy(position_B)
        for name, value in self._targets(torch.from_numpy(place), position_B).items():
            store = edges
            if typed and name.startswith(("src", "dst")):
                store = data[self.input_type[0 if name.startswith("src") else 2]]
            setattr(store, name, value)
        return data

    def _targets(self, place: torch.Tensor, position_B: I64) -> dict[str, torch.Tensor | None]:
        """What the model shall tell, by PyG's names: where in the batch the ends of edges are."""
        edges = len(position_B)
        if self._wanted is not None and self._wanted.is_triplet():
            other_BC = place[2 * edges :].view(-1, edges).t()
            return {
                "src_index": place[:edges],
                "dst_pos_index": place[edges : 2 * edges],
                "dst_neg_index": other_BC.squeeze(-1).contiguous(),
            }
        index = place.view(2, -1)
        label = None if self._label is None else self._label[torch.from_numpy(position_B)]
        if self._wanted is not None:
            label = torch.ones(edges) if label is None else label
            zeros = label.new_zeros(index.shape[1] - edges, *label.shape[1:])
            label = torch.cat([label, zeros])
        return {"edge_label_index": index, "edge_label": label}
