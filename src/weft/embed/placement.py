"""Where nodes stand in the tables, and how negatives are drawn there.

Shapes: N nodes, P parts of R rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.kernels.alias import alias_tables

if TYPE_CHECKING:
    from weft.embed.plan import Plan
    from weft.graph import Graph

__all__ = ["Placement", "deal", "in_degrees"]

_EDGES = 1 << 20  # counted at a time


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """A function of the graph and the number of parts alone.

    Attributes:
        row_N: uint32 ``[N]``, the row of each node in both tables.
        alias_R: uint64 ``[P * R]``, for each part an alias table of its rows.
    """

    row_N: npt.NDArray[np.uint32]
    alias_R: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, graph: Graph, plan: Plan) -> Placement:
        """Nodes dealt by degree, negatives drawn by (weighted in-degree)^0.75.

        Raises:
            WeftValueError: the graph is damaged.
        """
        count_N, weight_N = in_degrees(graph)
        row_N = deal(graph.degree() + count_N.astype(np.int64), plan.parts)
        weight_PR = np.zeros((plan.parts, plan.rows))
        weight_PR.reshape(-1)[row_N] = weight_N**0.75
        # No edge leads into such a part, so none of its pairs will ask for negatives; a table must exist.
        weight_PR[weight_PR.sum(axis=1) == 0] = 1
        begins = np.arange(plan.parts + 1, dtype=np.int64) * plan.rows
        return cls(row_N, alias_tables(begins, weight_PR.reshape(-1)))


def deal(degree_N: npt.NDArray[np.int64], parts: int) -> npt.NDArray[np.uint32]:
    """The table row of each node: by falling degree, dealt to the parts forth and back.

    Parts then hold as many edges as each other, as far as their nodes allow. Part p has the rows
    ``p * R .. (p + 1) * R`` with ``R = ceil(N / P)``; a few rows at the end of parts stay unused.

    Args:
        degree_N: int64 ``[N]``.
        parts: P.

    Returns:
        uint32 ``[N]``, all different.
    """
    turn, card = np.divmod(np.arange(len(degree_N)), parts)
    part = np.where(turn % 2, parts - 1 - card, card)
    row_N = np.empty(len(degree_N), np.uint32)
    row_N[np.argsort(-degree_N, kind="stable")] = part * -(-len(degree_N) // parts) + turn
    return row_N


def in_degrees(graph: Graph) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The edges that lead into each node, and the sum of their weights."""
    count_N, weight_N = np.zeros((2, graph.num_nodes))
    for begin in range(0, graph.num_edges, _EDGES):  # whole, bincount would copy all edges as int64
        indices = graph.indices[begin : begin + _EDGES]
        if (most := int(indices.max())) >= graph.num_nodes:
            raise WeftValueError(
                f"embed: the graph is damaged: indices hold node {most} of {graph.num_nodes}; "
                "import the graph again"
            )
        count_N += np.bincount(indices, minlength=graph.num_nodes)
        if graph.weight is not None:
            weight = graph.weight[begin : begin + _EDGES]
            weight_N += np.bincount(indices, weight, minlength=graph.num_nodes)
    return count_N, count_N if graph.weight is None else weight_N
