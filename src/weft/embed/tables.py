"""The two tables of a run: trained a pool at a time, read in graph order, saved and loaded.

Shapes: N nodes, D floats in a row of the tables, B pairs, P parts of R rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from weft.embed.placement import move_rows
from weft.embed.start import at_once
from weft.kernels.memory import zeros_huge
from weft.kernels.sgns import sgns_train

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.embed.batches import Batch, Batches
    from weft.embed.placement import Placement
    from weft.embed.plan import Plan
    from weft.embed.start import Start
    from weft.graph.format import DirectoryReader, DirectoryWriter
    from weft.sampling.pairs import PairPool

__all__ = ["Losses", "MemoryTables", "Objective", "Rate", "Tables", "load_arrays", "save_arrays"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is minimised, the same during the whole run.

    Attributes:
        key: of the negatives, ``weft.rng.key(seed, Op.NEGATIVE)``.
        negatives: of each pair.
        negative_weight: of each negative.
        weight_decay: 0 for none.
        tied: one table is both: a pair moves the vectors of its two nodes towards each other, as LINE's first
            order asks.
    """

    key: int
    negatives: int
    negative_weight: float
    weight_decay: float
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """The learning rate of pair i of the run: ``learning_rate * max(1 - i / total, 1e-4)``."""

    learning_rate: float
    total: int

    def at(self, item: int) -> float:
        """The learning rate of pair ``item`` of the run."""
        return self.learning_rate * max(1 - item / self.total, 1e-4)


class Tables(Protocol):
    """Vertex and context vectors, wherever their rows live.

    Every kind of tables gives the same bits for the same plan: where rows are kept is no part of the result.
    A checkpoint that one kind saved another kind can load: it holds the arrays ``vertex`` and, unless one
    table is both, ``context``, float32 ``[P * R, D]``, in the order of the rows.
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
        """All vertex and context vectors in graph order; the tables cannot be used any more.

        They are one array where one table is both.
        """
        ...

    def move(self, placement: Placement) -> None:
        """Put the nodes elsewhere. They are saved and loaded where the first placement has them."""
        ...

    def save(self, writer: DirectoryWriter) -> None:
        """Write the tables."""
        ...

    def load(self, reader: DirectoryReader) -> None:
        """Read what :meth:`save` wrote."""
        ...


class Losses:
    """Trains batches; adds the losses of their blocks up in one order, whatever that of the batches is."""

    def __init__(self, parts: int) -> None:
        self._loss_PP = np.zeros((parts, parts))
        self.pairs = 0
        """Pairs trained."""

    def train(
        self,
        vertex_ID: F32,
        context_JD: F32,
        batch: Batch,
        placement: Placement,
        objective: Objective,
        rate: Rate,
    ) -> None:
        """Train a batch; the tables begin with the rows of its first parts."""
        parts, heads, tails = len(self._loss_PP), batch.heads, batch.tails
        rows = len(placement.alias_R) // parts
        losses = sgns_train(
            vertex_ID[: len(heads) * rows],
            context_JD[: len(tails) * rows],
            batch.pair_B,
            batch.offset,
            batch.item,
            placement.alias_R[tails.start * rows : tails.stop * rows],
            rows=rows,
            head_first=heads.start * rows,
            tail_first=tails.start * rows,
            key=objective.key,
            total=rate.total,
            negatives=objective.negatives,
            negative_weight=objective.negative_weight,
            learning_rate=rate.learning_rate,
            weight_decay=objective.weight_decay,
        )
        self._loss_PP[heads.start : heads.stop, tails.start : tails.stop] = losses.reshape(len(heads), -1)
        self.pairs += len(batch.pair_B)

    @property
    def sum(self) -> float:
        """Of all pairs trained."""
        return float(self._loss_PP.sum())


class MemoryTables:
    """Both tables in memory, or the one that is both.

    Args:
        plan: sizes of the run.
        placement: of the nodes.
        batches: where pairs come from.
        dim: of the vectors.
        objective: what to train for.
    """

    def __init__(
        self, plan: Plan, placement: Placement, batches: Batches, *, dim: int, objective: Objective
    ) -> None:
        self._plan, self._placement, self._dim, self._objective = plan, placement, dim, objective
        self._batches = batches
        shape = (plan.parts * plan.rows, plan.width)
        self._vertex_RD = zeros_huge(shape, np.float32).view(np.float32)
        self._context_RD = (
            self._vertex_RD if objective.tied else zeros_huge(shape, np.float32).view(np.float32)
        )

    def begin(self, start: Start) -> None:
        """As in :class:`Tables`."""
        step = at_once(self._dim)
        for first in range(0, self._plan.nodes, step):
            rows = self._placement.row_N[first : first + step]
            vertex, context = start.vectors(first, len(rows))
            if not self._objective.tied:
                self._context_RD[rows, : self._dim] = context
            self._vertex_RD[rows, : self._dim] = vertex

    def train(self, pool: PairPool, first: int, rate: Rate) -> tuple[int, float]:
        """As in :class:`Tables`."""
        losses = Losses(self._plan.parts)
        for batch in self._batches.of(pool, first):
            self.train_batch(batch, losses, rate)
        return losses.pairs, losses.sum

    def train_batch(self, batch: Batch, losses: Losses, rate: Rate) -> None:
        """Train the pairs of ``batch`` and add their losses up."""
        rows = self._plan.rows
        vertex, context = (
            self._vertex_RD[batch.heads.start * rows :],
            self._context_RD[batch.tails.start * rows :],
        )
        losses.train(vertex, context, batch, self._placement, self._objective, rate)

    def move(self, placement: Placement) -> None:
        """As in :class:`Tables`."""
        shift_R = np.zeros(self._plan.rows, np.int64)
        if placement.shift_R is not None:
            shift_R += placement.shift_R
        if self._placement.shift_R is not None:
            shift_R -= self._placement.shift_R
        if shift_R.any():
            for table_RD in self.arrays().values():
                move_rows(table_RD, self._plan.parts, shift_R)
        self._placement = placement

    def vectors(self, nodes: I64) -> tuple[F32, F32]:
        """As in :class:`Tables`."""
        rows = self._placement.row_N[nodes]
        return self._vertex_RD[rows, : self._dim], self._context_RD[rows, : self._dim]

    def forget_pairs(self) -> None:
        """Let go of their memory: nothing is trained any more."""
        del self._batches

    def finish(self) -> tuple[F32, F32]:
        """As in :class:`Tables`; what is not needed any more is let go before the next copy is made."""
        row_N = self._placement.row_N
        self.forget_pairs()
        vertex = self._vertex_RD[row_N, : self._dim]
        del self._vertex_RD
        context = vertex if self._objective.tied else self._context_RD[row_N, : self._dim]
        del self._context_RD
        return vertex, context

    def arrays(self) -> dict[str, F32]:
        """The tables by their names in a checkpoint: ``[P * R, D]``, no copies."""
        tables = {"vertex": self._vertex_RD, "context": self._context_RD}
        return {"vertex": self._vertex_RD} if self._objective.tied else tables

    def save(self, writer: DirectoryWriter) -> None:
        """As in :class:`Tables`."""
        save_arrays(self.arrays(), writer)

    def load(self, reader: DirectoryReader) -> None:
        """As in :class:`Tables`."""
        load_arrays(self.arrays(), reader)


def save_arrays(arrays: Mapping[str, F32], writer: DirectoryWriter) -> None:
    """Write tables by their names."""
    for name, table in arrays.items():
        writer.write_array(name, table)


def load_arrays(arrays: Mapping[str, F32], reader: DirectoryReader) -> None:
    """Fill tables from the arrays of their names.

    Raises:
        FormatError: one is missing or has another shape.
    """
    for name, table in arrays.items():
        table[:] = reader.get(name, np.float32, table.shape)
