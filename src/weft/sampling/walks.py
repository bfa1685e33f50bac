"""Random walks on a graph, and where they start.

Shapes: N nodes, W walks, L steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.errors import WeftValueError
from weft.graph import Graph
from weft.kernels.alias import alias_tables
from weft.kernels.philox import philox_fill
from weft.kernels.walk import walk

__all__ = ["WalkSampler", "random_walks"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WalkSampler:
    """Draws walks from one graph, again and again.

    Attributes:
        graph: fastest after :meth:`weft.graph.Graph.in_memory`.
        edge_table: alias tables of the rows, or None: every edge alike.
        start_table: one alias table over all nodes by weighted degree; None where starts cannot be drawn.
    """

    graph: Graph
    edge_table: npt.NDArray[np.uint64] | None
    start_table: npt.NDArray[np.uint64] | None

    @classmethod
    def of(cls, graph: Graph, *, weighted: bool | None = None) -> WalkSampler:
        """Build the tables: 8 bytes a node, and 8 bytes an edge when weighted.

        Args:
            graph: what to walk on.
            weighted: follow edges by weight; None: when the graph has weights.

        Raises:
            WeftValueError: weights are asked for and the graph has none, or all of a node's are zero.
        """
        by_weight = graph.weight is not None if weighted is None else weighted
        if by_weight and graph.weight is None:
            raise WeftValueError("random_walks: weighted=True, but the graph has no weights")
        weight = graph.weight if by_weight else None
        table = None if weight is None else alias_tables(graph.indptr, weight)
        return cls(graph=graph, edge_table=table, start_table=_start_table(graph, weight))

    def starts(self, count: int, *, seed: int, first: int = 0) -> npt.NDArray[Any]:
        """Nodes in proportion to their weighted out-degree, as the source of an edge drawn by weight is.

        The next step from such a node completes the drawn edge: this is the departure of GraphVite (Zhu,
        Xu, Tang, Qu: "GraphVite: a high-performance CPU-GPU hybrid system for node embedding", WWW 2019).

        Args:
            count: W.
            seed: 0 to 2**64 - 1.
            first: the number of the first walk.

        Returns:
            ``[W]`` of the dtype of the graph's indices.

        Raises:
            WeftValueError: ``count`` is negative, or the graph has no edge or 2**32 nodes.
        """
        if count < 0:
            raise WeftValueError(f"random_walks: the number of walks must be 0 or more (got {count})")
        if self.start_table is None:
            raise WeftValueError(
                "random_walks: drawing starts takes at least one edge and fewer than 2**32 nodes; "
                f"the graph has {self.graph.num_edges} and {self.graph.num_nodes}: give the starts"
            )
        words_W4 = philox_fill(count, rng.key(seed, rng.Op.WALK_START), first)
        return _draw(self.start_table, words_W4).astype(self.graph.indices.dtype)

    def walks(
        self,
        starts: int | npt.ArrayLike,
        length: int,
        *,
        seed: int,
        first: int = 0,
        out: npt.NDArray[Any] | None = None,
    ) -> npt.NDArray[Any]:
        """Walks from given nodes, or so many walks from :meth:`starts`.

        Args:
            starts: nodes ``[W]``, or W.
            length: L, the number of steps.
            seed: 0 to 2**64 - 1.
            first: the number of the first walk; a batch cut in two gives the same walks.
            out: where to write, ``[W, L+1]``; None makes a new array.

        Returns:
            ``[W, L+1]`` of the dtype of the graph's indices, starts included. A node without an out-edge
            keeps its walk.

        Raises:
            WeftValueError: a start is not a node, an array does not fit, or the graph is damaged.
        """
        if isinstance(starts, int | np.integer):
            nodes_W = self.starts(int(starts), seed=seed, first=first)
        else:
            nodes_W = np.asarray(starts) if np.size(starts) else np.empty(0, np.int64)
        graph = self.graph
        return walk(
            graph.indptr, graph.indices, nodes_W, length, seed, alias=self.edge_table, first=first, out=out
        )


def random_walks(
    graph: Graph,
    starts: int | npt.ArrayLike,
    length: int,
    *,
    seed: int,
    weighted: bool | None = None,
) -> npt.NDArray[Any]:
    """Walks on ``graph``; use :class:`WalkSampler` to draw more than once.

    Args:
        graph: what to walk on.
        starts: nodes ``[W]``, or W: then in proportion to the weighted out-degree.
        length: L, the number of steps.
        seed: 0 to 2**64 - 1.
        weighted: follow edges by weight; None: when the graph has weights.

    Returns:
        ``[W, L+1]`` of the dtype of the graph's indices, starts included.

    Raises:
        WeftValueError: a start is not a node, or weights are missing or all zero at a node.
    """
    return WalkSampler.of(graph, weighted=weighted).walks(starts, length, seed=seed)


def _start_table(graph: Graph, weight: npt.NDArray[np.float32] | None) -> npt.NDArray[np.uint64] | None:
    """The alias table over all nodes by weighted out-degree."""
    if graph.num_edges == 0 or graph.num_nodes >= 2**32:
        return None
    degree_N = graph.degree().astype(np.float64)
    if degree_N.min() < 0:
        raise WeftValueError(
            f"random_walks: the graph is damaged: indptr falls after node {int(degree_N.argmin())}; "
            "import the graph again"
        )
    if weight is not None:
        # Rows without edges take no room, so the begins of the others cut the weights into rows.
        begins = graph.indptr[:-1][degree_N > 0]
        degree_N[degree_N > 0] = np.add.reduceat(weight, begins, dtype=np.float64)
    return alias_tables(np.array([0, graph.num_nodes]), degree_N)


def _draw(table_N: npt.NDArray[np.uint64], words_W4: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """A draw from one table of all nodes.

    64 random bits instead of 32: with N slots, 32 would leave a slot only 2**32 / N distinct values.
    """
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    size = np.uint64(len(table_N))
    carry_W = (words_W4[:, 0] * size) >> half
    product_W = words_W4[:, 1] * size + carry_W
    own_W = product_W >> half
    slot_W = table_N[own_W]
    return np.where((product_W & low) < (slot_W & low), own_W, slot_W >> half)
