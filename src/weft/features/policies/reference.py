"""What each policy keeps: the definitions, for tests; and the fewest reads there can be.

A batch is a list of rows. ``serve`` returns those that must be read.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["Lookahead", "Lru", "Sieve", "belady"]


class Lru:
    """Least recently used."""

    def __init__(self, slots: int) -> None:
        self.slots, self.kept = slots, OrderedDict[int, None]()

    def serve(self, batch: Sequence[int]) -> list[int]:
        """Rows to read."""
        missing = [row for row in batch if row not in self.kept]
        for row in batch:
            if row in self.kept:
                self.kept.move_to_end(row)
        for row in missing:
            if len(self.kept) == self.slots:
                self.kept.popitem(last=False)
            self.kept[row] = None
        return missing


class Sieve:
    """SIEVE (Zhang et al., NSDI 2024): a queue, and a hand that spares what was used since it came by."""

    def __init__(self, slots: int) -> None:
        self.slots, self.queue, self.seen, self.hand = slots, list[int](), set[int](), 0

    def serve(self, batch: Sequence[int]) -> list[int]:
        """Rows to read."""
        missing = [row for row in batch if row not in self.queue]
        self.seen.update(row for row in batch if row in self.queue)
        for row in missing:
            if len(self.queue) == self.slots:
                while self.queue[self.hand] in self.seen:
                    self.seen.remove(self.queue[self.hand])
                    self.hand = (self.hand + 1) % self.slots
                del self.queue[self.hand]
                # Past the newest row, the hand goes on with the oldest, before another comes in.
                self.hand %= max(1, len(self.queue))
            self.queue.append(row)
        return missing


class Lookahead:
    """Rows whose next use is nearest among the batches told; then by class of heat, then the latest.

    Args:
        slots: rows kept.
        heat: class of each row, 0 the hottest.
    """

    def __init__(self, slots: int, heat: Sequence[int]) -> None:
        self.slots, self.heat, self.clock = slots, heat, 0
        self.told: list[Collection[int]] = []
        self.kept: dict[int, int] = {}  # row: when it was put in its place

    def expect(self, batch: Collection[int]) -> None:
        """The batch after those told."""
        self._stamp(row for row in batch if row in self.kept and not any(row in told for told in self.told))
        self.told.append(set(batch))

    def serve(self, batch: Sequence[int]) -> list[int]:
        """Rows to read. ``batch`` is the first of those told."""
        self.told = self.told[1:]
        self._stamp(row for row in batch if row in self.kept)
        missing = [row for row in batch if row not in self.kept]
        for row in missing:
            if len(self.kept) == self.slots:
                worst = max(self.kept, key=lambda kept: (self._use(kept), -self.kept[kept]))
                mine, theirs = self._use(row), self._use(worst)
                if mine > theirs or (mine == theirs and mine[0] < math.inf):
                    continue
                del self.kept[worst]
            self._stamp([row])
        return missing

    def _use(self, row: int) -> tuple[float, int]:
        at = next((i for i, told in enumerate(self.told) if row in told), math.inf)
        return (at, 0) if at < math.inf else (at, self.heat[row])

    def _stamp(self, rows: Iterable[int]) -> None:
        for row in rows:
            self.clock += 1
            self.kept[row] = self.clock


def belady(trace: Sequence[npt.NDArray[Any]], rows: int, slots: int) -> npt.NDArray[np.int64]:
    """Rows read for each batch when all is known: the fewest possible; int64 ``[batches]``.

    Belady, IBM Systems Journal 5(2), 1966, with the right not to keep a row: after a batch, of the rows in
    memory those stay that are used first. Next uses come from a sort of the whole trace.

    Args:
        trace: rows of each batch, integers ``[M]``, each once.
        rows: N.
        slots: rows that are kept, at most.
    """
    batch_U = np.repeat(np.arange(len(trace)), [len(ids) for ids in trace])
    row_U = np.concatenate([np.empty(0, np.int64), *trace])
    order = np.lexsort((batch_U, row_U))
    following_U = np.full(len(row_U), len(trace))
    same = row_U[order[1:]] == row_U[order[:-1]]
    following_U[order[:-1][same]] = batch_U[order[1:][same]]
    ends = np.cumsum([0, *(len(ids) for ids in trace)])
    kept, until = np.empty(0, np.int64), np.empty(0, np.int64)
    there_N, read = np.zeros(rows, bool), np.zeros(len(trace), np.int64)
    for number, ids in enumerate(trace):
        read[number] = np.count_nonzero(~there_N[ids])
        there_N[kept] = False
        still = until > number
        kept = np.concatenate([kept[still], ids])
        until = np.concatenate([until[still], following_U[ends[number] : ends[number + 1]]])
        kept, until = kept[until < len(trace)], until[until < len(trace)]
        if len(kept) > slots:
            first = np.argpartition(until, slots)[:slots]
            kept, until = kept[first], until[first]
        there_N[kept] = True
    return read
