"""Memory for the rows of batches, used again when a batch is let go of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from weft.features import FeatureTable

__all__ = ["ROOM", "Buffers"]

ROOM = 1.125
"""More of it than asked for: batches differ in size by a few percent."""


class Buffers:
    """Arrays for the rows of one table, for one thread.

    New memory of the size of a batch is cleared by the system, page by page, every time: a gather into
    memory that was written before took 10 ms where one into new memory took 25 (40 MB, two cores).

    Args:
        table: whose rows they shall hold.
        count: how many are kept for further use.
    """

    def __init__(self, table: FeatureTable, count: int) -> None:
        self._columns, self._dtype, self._count = table.shape[1], table.dtype, count
        self._kept: list[npt.NDArray[Any]] = []

    def room(self, rows: int) -> npt.NDArray[Any]:
        """An array ``[rows, F]`` that nothing else refers to; what it holds is undefined."""
        # What was made of a buffer, tensors too, holds a reference to it: one that has none but the list's
        # (and the call's) is free.
        free = [at for at in range(len(self._kept)) if sys.getrefcount(self._kept[at]) <= 2]
        fits = [at for at in free if len(self._kept[at]) >= rows]
        if fits:
            return self._kept[fits[0]][:rows]
        for at in reversed(free):  # too small
            del self._kept[at]
        made = np.empty((int(rows * ROOM), self._columns), self._dtype)
        if len(self._kept) < self._count:
            self._kept.append(made)
        return made[:rows]
