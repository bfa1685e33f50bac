"""Vectors from graph order into the order of table rows, and back, by way of the disk.

The two orders have nothing to do with each other, so moving vectors one by one would be a seek for each. They
are distributed to cells (ranges of the new order) instead, and each cell is put in order in memory.
Shapes: D numbers of a vector, B vectors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.swap.scratch import aligned
from weft.embed.swap.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Generator

    from weft.embed.swap.scratch import Scratch, Transfer

__all__ = ["Reorder", "piece"]

F32 = npt.NDArray[np.float32]
U32 = npt.NDArray[np.uint32]

_READ = 1 << 16  # bytes of a cell in a chunk: fewer, and the disk is slowed down by their number


def piece(places: int, dim: int) -> int:
    """Vectors put at a time, and put in order at a time: 12 MB of a table of 2 GB, 120 of one of 200 GB."""
    return max(1, min(places, math.isqrt(places * _READ // (4 * (dim + 1)))))


class Reorder:
    """N places that are given vectors in any order, and then read from the first to the last.

    Args:
        scratch: where the vectors wait.
        places: N.
        dim: D.
    """

    def __init__(self, scratch: Scratch, places: int, dim: int) -> None:
        record = 4 * (dim + 1)  # its place goes along
        self._cell = piece(places, dim)
        self._places, self._dim = places, dim
        self._spill = Spill(
            scratch,
            "vectors being put in order",
            -(-places // self._cell),
            np.float32,
            (dim + 1,),
            buffers=(aligned(self._cell * record), aligned(self._cell * record)),
        )
        self._record, self._used = np.empty((self._cell, dim + 1), np.float32), 0
        self._coming = self._cells()
        self._left_BD = np.zeros((0, dim), np.float32)

    def put(self, place_B: U32, vector_BD: F32) -> None:
        """Give vectors to places.

        Args:
            place_B: uint32 ``[B]``; none that was given one before.
            vector_BD: float32 ``[B, D]``.
        """
        done = 0
        while done < len(place_B):
            some = min(len(place_B) - done, len(self._record) - self._used)
            record = self._record[self._used : self._used + some]
            record[:, 0].view(np.uint32)[:] = place_B[done : done + some]
            record[:, 1:] = vector_BD[done : done + some]
            done, self._used = done + some, self._used + some
            if self._used == len(self._record):
                self._flush()

    def _flush(self) -> None:
        record, self._used = self._record[: self._used], 0
        place_B = record[:, 0].view(np.uint32)
        count_C = np.bincount(place_B // self._cell, minlength=len(self._spill.count_C))
        self._spill.put(record[np.argsort(place_B)], np.cumsum(count_C) - count_C, count_C)

    def take(self, out_BD: F32) -> None:
        """Fill ``out_BD``, float32 ``[B, D]``, with the next B places; zero where none was put."""
        filled = 0
        while filled < len(out_BD):
            if len(self._left_BD) == 0:
                self._left_BD = next(self._coming)
            some = self._left_BD[: len(out_BD) - filled]
            out_BD[filled : filled + len(some)] = some
            self._left_BD = self._left_BD[len(some) :]
            filled += len(some)

    def close(self) -> None:
        """Let go of the room on the disk and in memory."""
        self._coming.close()  # it refers back to this object: the cycle would keep some cells in memory
        self._left_BD = self._left_BD[:0].copy()
        self._spill.close()

    def _cells(self) -> Generator[F32]:
        """The vectors of each cell, overwritten by the next, which is read meanwhile."""
        self._flush()
        out_BD = np.empty((self._cell, self._dim), np.float32)
        record_2BD = np.empty((2, self._cell, self._dim + 1), np.float32)
        coming = self._start(0, record_2BD[0])
        for cell in range(len(self._spill.count_C)):
            record, transfer = coming
            transfer.wait()
            if cell + 1 < len(self._spill.count_C):
                coming = self._start(cell + 1, record_2BD[(cell + 1) % 2])
            first = cell * self._cell
            some = out_BD[: self._places - first]
            if len(record) < len(some):
                some[:] = 0
            some[record[:, 0].view(np.uint32) - np.uint32(first)] = record[:, 1:]
            yield some

    def _start(self, cell: int, into_BD: F32) -> tuple[F32, Transfer]:
        record = into_BD[: int(self._spill.count_C[cell])]
        return record, self._spill.read(cell, cell + 1, record)
