"""The pairs of a pool, sorted into blocks, as they are handed to the kernel.

Shapes: B pairs, P parts of R rows, I head parts against J tail parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from weft.kernels.memory import zeros_huge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.embed.plan import Plan
    from weft.sampling.pairs import PairPool

__all__ = ["Batch", "Batches", "MemoryBatches"]

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Blocks that are trained by one call.

    Attributes:
        heads: the I parts of heads.
        tails: the J parts of tails.
        pair_B: uint64 ``[B]``, head row << 32 | tail row, by block and head; overwritten by the next batch.
        offset: int64 ``[I*J+1]``, where blocks begin.
        item: uint64 ``[I*J]``, how many pairs of the run lie in the blocks before each.
    """

    heads: range
    tails: range
    pair_B: U64
    offset: I64
    item: U64


class Batches(Protocol):
    """Turns pools into batches, each after those above and to the left of its blocks."""

    def of(self, pool: PairPool, first: int) -> Iterator[Batch]:
        """Every block of ``pool`` once; ``first`` pairs were trained before."""
        ...


class MemoryBatches:
    """All blocks in one batch, in memory.

    Args:
        plan: sizes of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._walk_WL = np.empty((plan.walks, plan.length + 1), np.uint32)
        # On huge pages: pairs are written to as many places at once as there are parts.
        self._pair_B = zeros_huge((plan.pool,), np.uint64).view(np.uint64)

    def of(self, pool: PairPool, first: int) -> Iterator[Batch]:
        """As in :class:`Batches`."""
        every = range(self._plan.parts)
        pair_B, offset = pool.blocks(self._plan.rows, self._plan.parts, self._walk_WL, self._pair_B)
        yield Batch(every, every, pair_B, offset, (offset[:-1] + first).astype(np.uint64))
