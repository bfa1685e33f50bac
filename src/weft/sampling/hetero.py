"""Neighbours of seeds in a graph of several types, hop by hop.

Shapes: B seeds, M nodes of a type, S edges of a type, H hops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftKeyError, WeftValueError
from weft.graph import EdgeType
from weft.kernels.neighbor import Relation, neighbor
from weft.sampling.neighbors import _fanout
from weft.sampling.walks import row_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import HeteroGraph, Rows
    from weft.sampling.neighbors import Direction

__all__ = ["HeteroNeighborSampler", "HeteroSampled"]

I64 = npt.NDArray[np.int64]
Seeds = Mapping[str, npt.NDArray[Any]] | tuple[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HeteroSampled:
    """A batch as :class:`torch_geometric.loader.NeighborLoader` has it: ``HeteroData`` by type.

    Every type of nodes and of edges is there, if need be with nothing.

    Attributes:
        n_id: int64 ``[M]``, the nodes of each type: the seeds, then others in the order in which they were
            found.
        edge_index: int64 ``[2, S]``, source and target of each edge, numbered by ``n_id`` of their types.
            Messages go from the neighbour to the node that it was sampled for.
        e_id: int64 ``[S]``, the edge's place in the ``indices`` of its type.
        batch: int64 ``[M]``, the number of the seed that the node was found from, seeds counted over all
            types; None if not disjoint.
        num_sampled_nodes: H + 1 numbers for each type, the seeds first.
        num_sampled_edges: H numbers for each type.
    """

    n_id: dict[str, I64]
    edge_index: dict[EdgeType, I64]
    e_id: dict[EdgeType, I64]
    batch: dict[str, I64] | None
    num_sampled_nodes: dict[str, list[int]]
    num_sampled_edges: dict[EdgeType, list[int]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HeteroNeighborSampler:
    """Samples neighbours from one graph of several types, again and again, from several threads if need be.

    Make one with :meth:`of`.

    Attributes:
        num_nodes: of each type.
        edge_types: of the edges that batches have.
        relations: the rows that are sampled from, one for each of ``edge_types``.
        places: uint32 or int64 ``[E]`` for each of them, the place in the graph of each edge of these rows;
            None: the same.
        replace: an edge may be drawn twice.
        disjoint: each seed has a tree of its own.
    """

    num_nodes: dict[str, int]
    edge_types: tuple[EdgeType, ...]
    relations: tuple[Relation, ...]
    places: tuple[npt.NDArray[Any] | None, ...]
    replace: bool
    disjoint: bool

    @classmethod
    def of(
        cls,
        graph: HeteroGraph,
        num_neighbors: Sequence[int] | Mapping[EdgeType, Sequence[int]],
        *,
        replace: bool = False,
        weighted: bool | None = None,
        disjoint: bool = False,
        direction: Direction = "in",
    ) -> HeteroNeighborSampler:
        """Prepare a graph: for edges that come in, rows are turned round; by weight 8 bytes an edge more.

        Args:
            graph: fastest after :meth:`weft.graph.HeteroGraph.in_memory`.
            num_neighbors: how many for each node at each hop, along each type of edges; -1: all. By type, all
                of them are named, and have as many hops; 0 leaves a type out.
            replace: an edge may be drawn twice, and every node with an edge gets as many as asked for.
            weighted: draw by weight; None: along the types of edges that have weights.
            disjoint: a node that is found from two seeds is two nodes.
            direction: sample the sources of edges that come ``in``, as PyG does, or where they lead ``out``
                to. Out of a node along (source, relation, target) the batch has edges of type
                (target, ``rev_`` + relation, source), because that way messages go.

        Raises:
            WeftValueError: weights are asked for and a type has none, or all of a node's are zero; numbers
                are missing for a type; or an option is none.
            WeftKeyError: numbers are given for a type that there is not.
        """
        if direction not in ("in", "out"):
            raise WeftValueError(f"neighbors: direction must be 'in' or 'out' (got {direction!r})")
        if not graph.rows:
            raise WeftValueError("neighbors: the graph has no types of edges to sample along")
        number = {name: i for i, name in enumerate(graph.nodes)}
        kinds: list[EdgeType] = []
        relations: list[Relation] = []
        places: list[npt.NDArray[Any] | None] = []
        for kind, fanout in _fanouts(graph, num_neighbors).items():
            source, called, target = kind
            rows, place = graph.rows[kind], None
            by_weight = rows.weight is not None if weighted is None else weighted
            if by_weight and rows.weight is None:
                raise WeftValueError(f"neighbors: weighted=True, but edges of type {kind} have no weights")
            if direction == "in":
                rows, place = rows.turned(graph.num_nodes[target])
            else:
                source, called, target = target, f"rev_{called}", source
            kinds.append((source, called, target))
            places.append(place)
            relations.append(
                Relation(
                    indptr=rows.indptr,
                    indices=rows.indices,
                    fanout=fanout,
                    nodes=graph.num_nodes[source],
                    source=number[source],
                    target=number[target],
                    weight=rows.weight if by_weight else None,
                    alias=_table(graph, rows, target) if by_weight else None,
                )
            )
        return cls(
            num_nodes=graph.num_nodes,
            edge_types=tuple(kinds),
            relations=tuple(relations),
            places=tuple(places),
            replace=replace,
            disjoint=disjoint,
        )

    @property
    def hops(self) -> int:
        """H."""
        return len(self.relations[0].fanout)

    def sample(self, nodes: Seeds, *, seed: int, batch: int = 0) -> HeteroSampled:
        """Sample for ``nodes``; a batch depends on the seed, its number and its nodes alone.

        Args:
            nodes: integers ``[B]`` by type, or (type, integers); one that comes twice is sampled for twice.
            seed: 0 to 2**64 - 1.
            batch: its number, below 2**32; other batches draw other neighbours.

        Raises:
            WeftKeyError: there is no such type.
            WeftValueError: one is not a node, or the graph is damaged.
        """
        found = neighbor(
            self.relations,
            self._seeds(nodes),
            seed,
            batch=batch,
            replace=self.replace,
            disjoint=self.disjoint,
        )
        e_id = [
            edge if place is None else place[edge].astype(np.int64, copy=False)
            for edge, place in zip(found.edge, self.places, strict=True)
        ]
        edges = [np.stack(ends) for ends in zip(found.row, found.col, strict=True)]
        return HeteroSampled(
            n_id=self._by_node([some.astype(np.int64) for some in found.node]),
            edge_index=dict(zip(self.edge_types, edges, strict=True)),
            e_id=dict(zip(self.edge_types, e_id, strict=True)),
            batch=self._by_node(found.tree) if self.disjoint else None,
            num_sampled_nodes=self._by_node(found.nodes_of_hop),
            num_sampled_edges=dict(zip(self.edge_types, found.edges_of_hop, strict=True)),
        )

    def _by_node(self, values: list[Any]) -> dict[str, Any]:
        return dict(zip(self.num_nodes, values, strict=True))

    def _seeds(self, nodes: Seeds) -> list[npt.NDArray[Any]]:
        """Seeds of all types, those of a type without edges checked: the kernel knows their number not."""
        given = {nodes[0]: nodes[1]} if isinstance(nodes, tuple) else nodes
        for name, some in given.items():
            if name not in self.num_nodes:
                raise WeftKeyError(f"neighbors: no nodes of type {name!r}; there are {list(self.num_nodes)}")
            some = np.asarray(some)
            count = self.num_nodes[name]
            if some.ndim == 1 and some.dtype.kind in "iu" and ((some < 0) | (some >= count)).any():
                at = int(((some < 0) | (some >= count)).argmax())
                raise WeftValueError(
                    f"neighbors: seed {at} of type {name!r} is node {some[at]}, there are {count:,}"
                )
        return [np.asarray(given.get(name, np.empty(0, np.int64))) for name in self.num_nodes]


def _fanouts(
    graph: HeteroGraph, num_neighbors: Sequence[int] | Mapping[EdgeType, Sequence[int]]
) -> dict[EdgeType, tuple[int, ...]]:
    """Numbers of neighbours for every type of edges, in the graph's order."""
    if not isinstance(num_neighbors, Mapping):
        return dict.fromkeys(graph.rows, tuple(_fanout(k) for k in num_neighbors))
    for kind in num_neighbors:
        if kind not in graph.rows:
            raise WeftKeyError(f"neighbors: no edges of type {kind!r}; there are {graph.edge_types}")
    hops = max((len(some) for some in num_neighbors.values()), default=0)
    for kind in graph.rows:
        if kind not in num_neighbors:
            raise WeftValueError(
                f"neighbors: num_neighbors lacks edges of type {kind}; {[0] * hops} leaves them out"
            )
        if len(num_neighbors[kind]) != hops:
            raise WeftValueError(
                f"neighbors: num_neighbors of {kind} has {len(num_neighbors[kind])} hops, others have "
                f"{hops}; give all the same"
            )
    return {kind: tuple(_fanout(k) for k in num_neighbors[kind]) for kind in graph.rows}


def _table(graph: HeteroGraph, rows: Rows, owner: str) -> npt.NDArray[np.uint64] | None:
    return None if rows.weight is None else row_table(rows.indptr, rows.weight, graph.nodes[owner].ids)
