"""Where nodes stand in the tables, and how negatives are drawn there.

Shapes: N nodes, P parts of R rows, D floats in a row of the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.kernels.alias import alias_tables
from weft.kernels.csr import in_degrees
from weft.kernels.philox import philox_fill

if TYPE_CHECKING:
    from weft.embed.plan import Plan
    from weft.graph import Graph

__all__ = ["Deals", "Placement", "deal", "move_rows"]

_BYTES = 1 << 21  # of rows moved at a time: they stay in cache


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where nodes stand during a pool.

    Attributes:
        row_N: uint32 ``[N]``, the row of each node in both tables.
        alias_R: uint64 ``[P * R]``, for each part an alias table of its rows.
        shift_R: int64 ``[R]``, how many parts on from the first placement the nodes of each turn stand: what
            was row r of part p is row r of part ``(p + shift_R[r]) % P``. None: it is the first.
    """

    row_N: npt.NDArray[np.uint32]
    alias_R: npt.NDArray[np.uint64]
    shift_R: npt.NDArray[np.int64] | None = None


class Deals:
    """Nodes dealt to parts by degree, once or for every pool anew.

    A pair draws its negatives from the part of its tail, so a head is kept away from those parts alone in
    which it has neighbours. Two tables do not mind: all context vectors have a direction in common. With one
    table for both ends, vectors of the other parts come to lie anywhere. So there each pool has its deal:
    the nodes of each turn move on by a random number of parts, which keeps parts even, and over the pools
    any two nodes of different turns meet in a part as often as any others.

    Args:
        graph: decides, with the parts, the first placement.
        plan: sizes of the run.
        key: of the deals after the first, ``weft.rng.key(seed, Op.DEAL)``; None: the first is the only one.

    Raises:
        WeftValueError: the graph is damaged.
    """

    def __init__(self, graph: Graph, plan: Plan, key: int | None = None) -> None:
        self._parts, self._rows, self._key = plan.parts, plan.rows, key
        count_N, weight_N = in_degrees(graph.indices, graph.num_nodes, graph.weight)
        row_N = deal(graph.degree() + count_N.astype(np.int64), plan.parts)
        weight_PR = np.zeros((plan.parts, plan.rows))
        weight_PR.reshape(-1)[row_N] = weight_N**0.75
        self.first = Placement(row_N, self._alias(weight_PR))
        """Nodes by falling degree, negatives by (weighted in-degree)^0.75."""
        self._weight_PR = None if key is None else weight_PR

    def of(self, number: int) -> Placement:
        """The placement of the pool ``number``."""
        if self._key is None or self._weight_PR is None:
            return self.first
        word_R = philox_fill(self._rows, self._key, 0, number & 0xFFFFFFFF, number >> 32)[:, 0]
        shift_R = (word_R.astype(np.uint64) * self._parts >> 32).astype(np.int64)
        part_N, turn_N = np.divmod(self.first.row_N, np.uint32(self._rows))
        row_N = ((part_N + shift_R[turn_N]) % self._parts * self._rows + turn_N).astype(np.uint32)
        weight_PR = self._weight_PR.copy()
        move_rows(weight_PR.reshape(-1, 1), self._parts, shift_R)
        return Placement(row_N, self._alias(weight_PR), shift_R)

    def _alias(self, weight_PR: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
        # No edge leads into such a part, so none of its pairs will ask for negatives; a table must exist.
        weight_PR = np.where(weight_PR.sum(axis=1, keepdims=True) == 0, 1, weight_PR)
        begins = np.arange(self._parts + 1, dtype=np.int64) * self._rows
        return alias_tables(begins, weight_PR.reshape(-1))


def move_rows(table_RD: npt.NDArray[Any], parts: int, shift_R: npt.NDArray[np.int64]) -> None:
    """Move rows to other parts, in place: row r of part p to part ``(p + shift_R[r]) % P``.

    Args:
        table_RD: ``[P * R, D]``, contiguous.
        parts: P.
        shift_R: int64 ``[R]``, of any sign.
    """
    rows = len(shift_R)
    table_PRD = table_RD.reshape(parts, rows, -1)
    part_P1 = np.arange(parts)[:, None]
    step = max(1, _BYTES * rows // max(1, table_RD.nbytes))
    for begin in range(0, rows, step):
        turn = np.arange(begin, min(begin + step, rows))
        table_PRD[:, turn] = table_PRD[(part_P1 - shift_R[turn]) % parts, turn]


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
