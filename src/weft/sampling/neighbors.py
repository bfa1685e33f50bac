"""Neighbours of seeds in a graph, hop by hop.

Shapes: B seeds, M nodes, S edges, H hops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.checks import check_flag, check_int
from weft.errors import WeftValueError
from weft.kernels.neighbor import Relation, neighbor
from weft.sampling.checks import check_graph, checked_nodes
from weft.sampling.walks import edge_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import Graph

__all__ = ["NeighborSampler", "Sampled"]

I64 = npt.NDArray[np.int64]
Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sampled:
    """A batch as :class:`torch_geometric.loader.NeighborLoader` has it.

    Attributes:
        n_id: int64 ``[M]``, the nodes: the seeds, then others in the order in which they were found.
        edge_index: int64 ``[2, S]``, source and target of each edge, numbered by ``n_id``. Messages go from
            the neighbour to the node that it was sampled for.
        e_id: int64 ``[S]``, the edge's place in the graph's ``indices``.
        batch: int64 ``[M]``, the number of the seed that the node was found from; None if not disjoint.
        num_sampled_nodes: H + 1 numbers, the seeds first.
        num_sampled_edges: H numbers.
    """

    n_id: I64
    edge_index: I64
    e_id: I64
    batch: I64 | None
    num_sampled_nodes: list[int]
    num_sampled_edges: list[int]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NeighborSampler:
    """Samples neighbours from one graph, again and again, from several threads if need be.

    Make one with :meth:`of`.

    Attributes:
        relation: the rows that are sampled from.
        edge_E: uint32 or int64 ``[E]``, the place in the graph of each edge of these rows; None: the same.
        replace: an edge may be drawn twice.
        disjoint: each seed has a tree of its own.
    """

    relation: Relation
    edge_E: npt.NDArray[Any] | None
    replace: bool
    disjoint: bool

    @classmethod
    def of(
        cls,
        graph: Graph,
        num_neighbors: Sequence[int],
        *,
        replace: bool = False,
        weighted: bool | None = None,
        disjoint: bool = False,
        direction: Direction = "in",
    ) -> NeighborSampler:
        """Prepare a graph: by weight 8 bytes an edge; for edges that come in, a directed one is turned round.

        Args:
            graph: fastest after :meth:`weft.graph.Graph.in_memory`.
            num_neighbors: how many for each node at each hop; -1: all.
            replace: an edge may be drawn twice, and every node with an edge gets as many as asked for.
            weighted: draw by weight; None: when the graph has weights.
            disjoint: a node that is found from two seeds is two nodes.
            direction: sample the sources of edges that come ``in``, as PyG does, or where they lead ``out``
                to. Without direction both are the same.

        Raises:
            WeftTypeError: the graph is none, or an option is neither true nor false.
            WeftValueError: weights are asked for and the graph has none, or all of a node's are zero; or an
                option is none.
        """
        check_graph("neighbors", graph)
        if direction not in ("in", "out"):
            raise WeftValueError(f"neighbors: direction must be 'in' or 'out' (got {direction!r})")
        if isinstance(num_neighbors, str) or hasattr(num_neighbors, "keys") or not np.iterable(num_neighbors):
            raise WeftValueError(
                f"neighbors: num_neighbors takes a number for each hop, as [15, 10] (got {num_neighbors!r})"
            )
        fanout = tuple(_fanout(k) for k in num_neighbors)
        replace, disjoint = (
            check_flag("neighbors: replace", replace),
            check_flag("neighbors: disjoint", disjoint),
        )
        by_weight = graph.weight is not None if weighted is None else weighted
        if by_weight and graph.weight is None:
            raise WeftValueError("neighbors: weighted=True, but the graph has no weights")
        edge_E = None
        if direction == "in" and graph.directed:
            # The sort is stable: within a row, edges stay in the order of their sources.
            graph, edge_E = graph.turned()
        relation = Relation(
            indptr=graph.indptr,
            indices=graph.indices,
            fanout=fanout,
            nodes=graph.num_nodes,
            weight=graph.weight if by_weight else None,
            alias=edge_table(graph) if by_weight else None,
        )
        return cls(relation=relation, edge_E=edge_E, replace=replace, disjoint=disjoint)

    def sample(self, nodes: npt.NDArray[Any], *, seed: int, batch: int = 0) -> Sampled:
        """Sample for ``nodes``; a batch depends on the seed, its number and its nodes alone.

        Args:
            nodes: integers ``[B]``; one that comes twice is sampled for twice.
            seed: 0 to 2**64 - 1.
            batch: its number, below 2**32; other batches draw other neighbours.

        Raises:
            WeftValueError: one is not a node, or the graph is damaged.
        """
        nodes, batch = (
            checked_nodes("neighbors: nodes", nodes),
            check_int("neighbors: batch", batch, 0, (1 << 32) - 1),
        )
        found = neighbor(
            [self.relation], [nodes], seed, batch=batch, replace=self.replace, disjoint=self.disjoint
        )
        edge = found.edge[0]
        return Sampled(
            n_id=found.node[0].astype(np.int64),
            edge_index=np.stack([found.row[0], found.col[0]]),
            e_id=edge if self.edge_E is None else self.edge_E[edge].astype(np.int64, copy=False),
            batch=found.tree[0] if self.disjoint else None,
            num_sampled_nodes=found.nodes_of_hop[0],
            num_sampled_edges=found.edges_of_hop[0],
        )


def _fanout(k: object) -> int:
    """A number of neighbours.

    Raises:
        WeftValueError: it is none.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < -1:
        raise WeftValueError(f"neighbors: num_neighbors takes whole numbers, -1 for all (got {k!r})")
    return int(k)
