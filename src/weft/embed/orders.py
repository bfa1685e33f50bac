"""LINE's two orders of proximity, trained beside each other on the same pairs.

Tang, Qu, Wang, Zhang, Yan, Mei, "LINE: Large-scale information network embedding", WWW 2015. Shapes: N nodes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.start import Start, at_once
from weft.embed.tables import Losses, MemoryTables, load_arrays, save_arrays

if TYPE_CHECKING:
    from weft.embed.batches import Batches
    from weft.embed.placement import Placement
    from weft.embed.plan import Plan
    from weft.embed.tables import Objective, Rate
    from weft.graph.format import DirectoryReader, DirectoryWriter
    from weft.sampling.pairs import PairPool

__all__ = ["BothOrders"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


class BothOrders:
    """Tables of the first and of the second order; a vector is that of the first, then that of the second.

    The first order has ``dim // 2`` dimensions and one table, which stands for the context vectors too. So
    the product of a vertex and a context vector is the sum of what both orders say.

    Args:
        plan: sizes of the run.
        placement: of the nodes.
        batches: where pairs come from.
        dim: of the vectors, at least 2.
        objective: what to train for.
    """

    def __init__(
        self, plan: Plan, placement: Placement, batches: Batches, *, dim: int, objective: Objective
    ) -> None:
        self._plan, self._batches, self._dim = plan, batches, dim
        self._split = dim // 2
        self._first = MemoryTables(
            plan, placement, batches, dim=dim // 2, objective=dataclasses.replace(objective, tied=True)
        )
        self._second = MemoryTables(plan, placement, batches, dim=dim - dim // 2, objective=objective)

    def begin(self, start: Start) -> None:
        """As in :class:`weft.embed.tables.Tables`."""
        self._first.begin(_Columns(start, slice(0, self._split)))
        self._second.begin(_Columns(start, slice(self._split, self._dim)))

    def train(self, pool: PairPool, first: int, rate: Rate) -> tuple[int, float]:
        """As in :class:`weft.embed.tables.Tables`; the loss is the mean of both orders'."""
        losses = Losses(self._plan.parts), Losses(self._plan.parts)
        for batch in self._batches.of(pool, first):
            self._first.train_batch(batch, losses[0], rate)
            self._second.train_batch(batch, losses[1], rate)
        return losses[0].pairs, (losses[0].sum + losses[1].sum) / 2

    def move(self, placement: Placement) -> None:
        """As in :class:`weft.embed.tables.Tables`."""
        self._first.move(placement)
        self._second.move(placement)

    def vectors(self, nodes: I64) -> tuple[F32, F32]:
        """As in :class:`weft.embed.tables.Tables`."""
        first, _ = self._first.vectors(nodes)
        vertex, context = self._second.vectors(nodes)
        return np.concatenate([first, vertex], axis=1), np.concatenate([first, context], axis=1)

    def finish(self) -> tuple[F32, F32]:
        """As in :class:`weft.embed.tables.Tables`."""
        del self._batches
        self._first.forget_pairs()
        self._second.forget_pairs()
        vertex, context = np.empty((2, self._plan.nodes, self._dim), np.float32)
        step = at_once(self._dim)
        for begin in range(0, self._plan.nodes, step):
            nodes = np.arange(begin, min(begin + step, self._plan.nodes))
            vertex[nodes], context[nodes] = self.vectors(nodes)
        del self._first, self._second
        return vertex, context

    def arrays(self) -> dict[str, F32]:
        """The tables by their names in a checkpoint: ``[P * R, D]``, no copies."""
        return {"first": self._first.arrays()["vertex"], **self._second.arrays()}

    def save(self, writer: DirectoryWriter) -> None:
        """As in :class:`weft.embed.tables.Tables`: ``first``, ``vertex`` and ``context``."""
        save_arrays(self.arrays(), writer)

    def load(self, reader: DirectoryReader) -> None:
        """As in :class:`weft.embed.tables.Tables`."""
        load_arrays(self.arrays(), reader)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Some columns of the vectors that a run begins with."""

    start: Start
    columns: slice

    def vectors(self, first: int, count: int) -> tuple[F32, F32]:
        vertex, context = self.start.vectors(first, count)
        return vertex[:, self.columns], context[:, self.columns]
