"""Random walks on a graph, and where they start.

Shapes: N nodes, W walks, L steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.checks import check_int
from weft.errors import WeftValueError
from weft.graph import Graph, Ids
from weft.kernels.alias import alias_tables
from weft.kernels.philox import philox_fill
from weft.kernels.walk import walk
from weft.kernels.walk2 import EdgeFilter, check_bias, edge_filter, filter_words, row_peaks, walk2
from weft.sampling.checks import check_graph, checked_nodes

__all__ = ["WalkSampler", "edge_table", "random_walks", "row_table", "second_order_bytes"]


@dataclass(frozen=True, slots=True, eq=False)
class SecondOrder:
    """What node2vec's walks take beside the tables.

    Attributes:
        p: going back weighs 1/p.
        q: going on to where the node before has no edge to weighs 1/q.
        edges: a filter.
        weight: float32 ``[E]``, or None: every edge alike.
        sum_N: float64 ``[N]``, of the weights of each row; None without.
        peak_N: float32 ``[N]``, the largest of the weights of each row; None without.
    """

    p: float
    q: float
    edges: EdgeFilter
    weight: npt.NDArray[np.float32] | None
    sum_N: npt.NDArray[np.float64] | None
    peak_N: npt.NDArray[np.float32] | None


def second_order_bytes(graph: Graph) -> int:
    """Bytes that a sampler takes more with p or q other than 1."""
    words = filter_words(graph.num_nodes, graph.num_edges, graph.indices.itemsize)
    return 8 * words + (0 if graph.weight is None else 12 * graph.num_nodes)


def edge_table(graph: Graph) -> npt.NDArray[np.uint64] | None:
    """Alias tables of the rows of a graph with weights: uint64 ``[E]``; None without.

    Raises:
        WeftValueError: a node's weights cannot be drawn by, all of them being zero, for example.
    """
    return None if graph.weight is None else row_table(graph.indptr, graph.weight, graph.ids)


def row_table(
    indptr: npt.NDArray[np.int64], weight: npt.NDArray[np.float32], ids: Ids
) -> npt.NDArray[np.uint64]:
    """Alias tables of rows: uint64 ``[E]``; see :func:`edge_table`.

    Args:
        indptr: int64 ``[N+1]``.
        weight: float32 ``[E]``.
        ids: of the nodes whose rows these are.
    """
    try:
        return alias_tables(indptr, weight)
    except WeftValueError as error:
        named = re.fullmatch(r"alias: node (\d+) (.*)", str(error))
        if named is None:
            raise
        # The kernel knows numbers, the user ids.
        raise WeftValueError(f"draws by weight: node {ids[int(named[1])]!r} {named[2]}") from None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WalkSampler:
    """Draws walks from one graph, again and again.

    Attributes:
        graph: fastest after :meth:`weft.graph.Graph.in_memory`.
        edge_table: alias tables of the rows, or None: every edge alike.
        start_table: one alias table over all nodes by weighted degree; None where starts cannot be drawn.
        second: what node2vec's walks take more, or None: each step depends on its node alone.
    """

    graph: Graph
    edge_table: npt.NDArray[np.uint64] | None
    start_table: npt.NDArray[np.uint64] | None
    second: SecondOrder | None = None

    @classmethod
    def of(cls, graph: Graph, *, weighted: bool | None = None, p: float = 1.0, q: float = 1.0) -> WalkSampler:
        """Build the tables: 8 bytes a node, and 8 bytes an edge when weighted.

        With p or q other than 1 also a tenth of the bytes of the graph's indptr and indices, and when
        weighted 12 bytes a node.

        Args:
            graph: what to walk on.
            weighted: follow edges by weight; None: when the graph has weights.
            p: of node2vec, 1e-6 to 1e6: going back weighs 1/p.
            q: of node2vec, 1e-6 to 1e6: going on to where the node before has no edge to weighs 1/q. With
                both 1, steps are of first order. See :func:`weft.kernels.walk2.walk2`.

        Raises:
            WeftValueError: weights are asked for and the graph has none, or all of a node's are zero; p or q
                is out of range; or, with these, the graph is damaged.
        """
        check_graph("random_walks", graph)
        check_bias(p, q)
        by_weight = graph.weight is not None if weighted is None else weighted
        if by_weight and graph.weight is None:
            raise WeftValueError("random_walks: weighted=True, but the graph has no weights")
        weight = graph.weight if by_weight else None
        table = edge_table(graph) if by_weight else None
        sum_N = _sums(graph, weight)
        second = None
        if (p, q) != (1, 1):
            edges = edge_filter(graph.indptr, graph.indices, directed=graph.directed)
            second = SecondOrder(p, q, edges, weight, None, None)
            if weight is not None:
                peak_N = row_peaks(graph.indptr, graph.indices, weight)
                second = SecondOrder(p, q, edges, weight, sum_N, peak_N)
        return cls(graph=graph, edge_table=table, start_table=_start_table(graph, sum_N), second=second)

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
            nodes_W = checked_nodes("random_walks: starts", starts)
        length = check_int("random_walks: length", length, 0)
        graph, second, alias = self.graph, self.second, self.edge_table
        if second is None:
            return walk(graph.indptr, graph.indices, nodes_W, length, seed, alias=alias, first=first, out=out)
        return walk2(
            graph.indptr,
            graph.indices,
            nodes_W,
            length,
            seed,
            p=second.p,
            q=second.q,
            edges=second.edges,
            weight=second.weight,
            alias=alias,
            total=second.sum_N,
            peak=second.peak_N,
            first=first,
            out=out,
        )


def random_walks(
    graph: Graph,
    starts: int | npt.ArrayLike,
    length: int,
    *,
    seed: int,
    weighted: bool | None = None,
    p: float = 1.0,
    q: float = 1.0,
) -> npt.NDArray[Any]:
    """Walks on ``graph``; use :class:`WalkSampler` to draw more than once.

    Args:
        graph: what to walk on.
        starts: nodes ``[W]``, or W: then in proportion to the weighted out-degree.
        length: L, the number of steps.
        seed: 0 to 2**64 - 1.
        weighted: follow edges by weight; None: when the graph has weights.
        p: of node2vec: going back weighs 1/p.
        q: of node2vec: going on to where the node before has no edge to weighs 1/q.

    Returns:
        ``[W, L+1]`` of the dtype of the graph's indices, starts included.

    Raises:
        WeftValueError: a start is not a node, weights are missing or all zero at a node, or p or q is not
            within 1e-6 .. 1e6.
    """
    return WalkSampler.of(graph, weighted=weighted, p=p, q=q).walks(starts, length, seed=seed)


def _sums(graph: Graph, weight: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float64]:
    """The weighted out-degree of every node; float64 ``[N]``."""
    degree_N = graph.degree().astype(np.float64)
    if len(degree_N) and degree_N.min() < 0:
        raise WeftValueError(
            f"random_walks: the graph is damaged: indptr falls after node {int(degree_N.argmin())}; "
            "import the graph again"
        )
    if weight is not None and graph.num_edges:
        # Rows without edges take no room, so the begins of the others cut the weights into rows.
        begins = graph.indptr[:-1][degree_N > 0]
        degree_N[degree_N > 0] = np.add.reduceat(weight, begins, dtype=np.float64)
    return degree_N


def _start_table(graph: Graph, sum_N: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64] | None:
    """The alias table over all nodes by weighted out-degree."""
    if graph.num_edges == 0 or graph.num_nodes >= 2**32:
        return None
    return alias_tables(np.array([0, graph.num_nodes]), sum_N)


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
