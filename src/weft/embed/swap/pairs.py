"""A pool's pairs on disk, brought back as panels and strips need them.

Shapes: B pairs, P parts, C cells: one for each panel and head part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.config import show_bytes
from weft.embed.batches import Batch
from weft.embed.swap.scratch import aligned, padded
from weft.embed.swap.spill import Spill
from weft.errors import BudgetError
from weft.kernels.pairs import bucket_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.embed.plan import Plan
    from weft.embed.swap.schedule import Swap
    from weft.embed.swap.scratch import Scratch, Transfer
    from weft.sampling.pairs import PairPool

__all__ = ["PAIR_BYTES", "DiskBatches"]

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

PAIR_BYTES = 24  # of a pair of the largest batch: one batch is read while another is sorted and trained


class DiskBatches:
    """Pairs are drawn in chunks, sorted into blocks and written; then read strip by strip and sorted again.

    Sorting is stable, so the blocks are those that sorting the whole pool in memory gives.

    Args:
        plan: sizes of the run.
        swap: panels and strips, and how many pairs a batch may have; strips with more are cut between parts.
        scratch: where the pairs go.
    """

    def __init__(self, plan: Plan, swap: Swap, scratch: Scratch) -> None:
        self._plan, self._grid = plan, swap.grid
        # While pairs are written, the memory serves three chunks: one is made while two are on their way.
        each = -(-plan.pool // plan.walks)
        third = padded(8 * max(swap.capacity, each)) // 8
        arena_3B = aligned(3 * 8 * third).view(np.uint64)[: 3 * third].reshape(3, -1)
        self._capacity, self._batch = third, arena_3B[:2]
        self._chunk_B = self._sort_B = arena_3B[2]
        writing = arena_3B[:2].view(np.uint8)
        self._spill = Spill(
            scratch,
            "spilled pairs",
            len(swap.grid.panels) * plan.parts,
            np.uint64,
            buffers=(writing[0], writing[1]),
        )

    def of(self, pool: PairPool, first: int) -> Iterator[Batch]:
        """As in :class:`weft.embed.batches.Batches`.

        Raises:
            BudgetError: one part has more pairs with a panel than a batch holds.
            StorageError: the disk is full, or the system refuses otherwise.
        """
        count_PP = self._fill(pool)
        before = np.cumsum(count_PP) - count_PP.reshape(-1) + first
        item_PP = before.astype(np.uint64).reshape(count_PP.shape)
        cuts = list(self._cuts())
        coming = self._read(cuts[0], 0)
        for k, (panel, heads) in enumerate(cuts):
            pair_B, transfer = coming
            transfer.wait()
            if k + 1 < len(cuts):
                coming = self._read(cuts[k + 1], (k + 1) % 2)
            tails = self._grid.panels[panel]
            offset = bucket_pairs(
                pair_B, self._plan.rows, self._plan.parts, heads=heads, tails=tails, scratch=self._sort_B
            )
            item = item_PP[heads.start : heads.stop, tails.start : tails.stop].reshape(-1)
            yield Batch(heads, tails, pair_B, offset, item)

    def close(self) -> None:
        """Let go of the room on the disk."""
        self._spill.close()

    def _fill(self, pool: PairPool) -> I64:
        """Write all pairs; how many lie in each block, int64 ``[P, P]``."""
        self._spill.clear()
        parts = self._plan.parts
        count_PP, rows_P = np.zeros((parts, parts), np.int64), np.arange(parts) * parts
        for pair_B, offset in pool.block_chunks(self._plan.rows, parts, self._chunk_B):
            begin_C, end_C = (
                np.concatenate([offset[rows_P + at] for at in ends])
                for ends in zip(*((tails.start, tails.stop) for tails in self._grid.panels), strict=True)
            )
            self._spill.put(pair_B, begin_C, end_C - begin_C)
            count_PP += np.diff(offset).reshape(parts, parts)
        return count_PP

    def _cuts(self) -> Iterator[tuple[int, range]]:
        """The panel and the head parts of each batch."""
        for step in self._grid.steps():
            begin, held = step.heads.start, 0
            for part in step.heads:
                count = int(self._spill.count_C[step.panel * self._plan.parts + part])
                self._check(count)
                if held + count > self._capacity:
                    yield step.panel, range(begin, part)
                    begin, held = part, 0
                held += count
            yield step.panel, range(begin, step.heads.stop)

    def _check(self, count: int) -> None:
        if count > self._capacity:
            more = (count - self._capacity) * PAIR_BYTES
            raise BudgetError(
                f"embed: {count:,} pairs of the nodes of one part come together, the plan has room for "
                f"{self._capacity:,}; give {show_bytes(more)} more memory (the vectors stay the same)"
            )

    def _read(self, cut: tuple[int, range], turn: int) -> tuple[U64, Transfer]:
        panel, heads = cut
        first, last = (panel * self._plan.parts + part for part in (heads.start, heads.stop))
        out = self._batch[turn][: int(self._spill.count_C[first:last].sum())]
        return out, self._spill.read(first, last, out)
