"""The two tables of a run: trained a pool at a time, read in graph order, saved and loaded.

Shapes: N nodes, D floats in a row of the tables, B pairs, P parts of R rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from weft.kernels.memory import zeros_huge
from weft.kernels.sgns import sgns_train

if TYPE_CHECKING:
    from weft.embed.placement import Placement
    from weft.embed.plan import Plan
    from weft.embed.start import Start
    from weft.graph.format import DirectoryReader, DirectoryWriter
    from weft.sampling.pairs import PairPool

__all__ = ["MemoryTables", "Objective", "Rate", "Tables"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_NODES = 1 << 14  # initialised at a time: a few MB of random words


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is minimised, the same during the whole run.

    Attributes:
        key: of the negatives, ``weft.rng.key(seed, Op.NEGATIVE)``.
        negatives: of each pair.
        negative_weight: of each negative.
        weight_decay: 0 for none.
    """

    key: int
    negatives: int
    negative_weight: float
    weight_decay: float


@dataclass(frozen=True, slots=True)
class Rate:
    """The learning rate of pair i of the run: ``learning_rate * max(1 - i / total, 1e-4)``."""

    learning_rate: float
    total: int


class Tables(Protocol):
    """Vertex and context vectors, wherever their rows live.

    Every kind of tables gives the same bits for the same plan: where rows are kept is no part of the result.
    A checkpoint that one kind saved another kind can load: it holds the arrays ``vertex`` and ``context``,
    float32 ``[P * R, D]``, in the order of the rows.
    """

    def begin(self, start: Start) -> None:
        """Write the vectors a run begins with."""
        ...

    def train(self, pool: PairPool, first: int, rate: Rate) -> tuple[int, float]:
        """Train on every pair of a pool once, as :func:`weft.kernels.sgns.sgns_train` defines it.

        Args:
            pool: fills a buffer, or gives its pairs in chunks.
            first: pairs the run trained before.
            rate: the learning rate over the whole run.

        Returns:
            How many pairs there were, and the sum of their losses.
        """
        ...

    def vectors(self, nodes: I64) -> tuple[F32, F32]:
        """Copies of the vertex and context vectors of ``nodes``: float32 ``[M, dim]`` each."""
        ...

    def finish(self) -> tuple[F32, F32]:
        """All vertex and context vectors in graph order; the tables cannot be used any more."""
        ...

    def save(self, writer: DirectoryWriter) -> None:
        """Write the arrays ``vertex`` and ``context``."""
        ...

    def load(self, reader: DirectoryReader) -> None:
        """Read what :meth:`save` wrote."""
        ...


class MemoryTables:
    """Both tables and the pairs of a pool in memory.

    Args:
        plan: sizes of the run.
        placement: of the nodes.
        dim: of the vectors.
        objective: what to train for.
    """

    def __init__(self, plan: Plan, placement: Placement, *, dim: int, objective: Objective) -> None:
        self._plan, self._placement, self._dim, self._objective = plan, placement, dim, objective
        shape = (plan.parts * plan.rows, plan.width)
        self._vertex_RD = zeros_huge(shape, np.float32).view(np.float32)
        self._context_RD = zeros_huge(shape, np.float32).view(np.float32)
        self._walk_WL = np.empty((plan.walks, plan.length + 1), np.uint32)
        # On huge pages: pairs are written to as many places at once as there are parts.
        self._pair_B = zeros_huge((plan.pool,), np.uint64).view(np.uint64)

    def begin(self, start: Start) -> None:
        """As in :class:`Tables`."""
        for first in range(0, self._plan.nodes, _NODES):
            rows = self._placement.row_N[first : first + _NODES]
            vertex, context = start.vectors(first, len(rows))
            self._vertex_RD[rows, : self._dim] = vertex
            self._context_RD[rows, : self._dim] = context

    def train(self, pool: PairPool, first: int, rate: Rate) -> tuple[int, float]:
        """As in :class:`Tables`."""
        pair_B, offset = pool.blocks(self._plan.rows, self._plan.parts, self._walk_WL, self._pair_B)
        losses = sgns_train(
            self._vertex_RD,
            self._context_RD,
            pair_B,
            offset,
            (offset[:-1] + first).astype(np.uint64),
            self._placement.alias_R,
            rows=self._plan.rows,
            key=self._objective.key,
            total=rate.total,
            negatives=self._objective.negatives,
            negative_weight=self._objective.negative_weight,
            learning_rate=rate.learning_rate,
            weight_decay=self._objective.weight_decay,
        )
        return len(pair_B), float(losses.sum())

    def vectors(self, nodes: I64) -> tuple[F32, F32]:
        """As in :class:`Tables`."""
        rows = self._placement.row_N[nodes]
        return self._vertex_RD[rows, : self._dim], self._context_RD[rows, : self._dim]

    def finish(self) -> tuple[F32, F32]:
        """As in :class:`Tables`; what is not needed any more is let go before the next copy is made."""
        row_N = self._placement.row_N
        del self._pair_B, self._walk_WL
        vertex = self._vertex_RD[row_N, : self._dim]
        del self._vertex_RD
        context = self._context_RD[row_N, : self._dim]
        del self._context_RD
        return vertex, context

    def save(self, writer: DirectoryWriter) -> None:
        """As in :class:`Tables`."""
        writer.write_array("vertex", self._vertex_RD)
        writer.write_array("context", self._context_RD)

    def load(self, reader: DirectoryReader) -> None:
        """As in :class:`Tables`."""
        self._vertex_RD[:] = reader.get("vertex", np.float32, self._vertex_RD.shape)
        self._context_RD[:] = reader.get("context", np.float32, self._context_RD.shape)
