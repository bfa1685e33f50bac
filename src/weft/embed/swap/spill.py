"""Records on disk by cell: written chunk after chunk, read cell by cell.

Shapes: C cells, B records.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.embed.swap.scratch import padded

if TYPE_CHECKING:
    from weft.embed.swap.scratch import Scratch, Transfer

__all__ = ["CELL_BYTES", "Spill"]

Array = npt.NDArray[Any]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

_OFFSET = np.uint32  # a chunk fits into memory: it has fewer records than that
CELL_BYTES = 4
"""Of knowing where a cell begins in a chunk."""

_TASKS = 16  # of a read: a few for each thread, so that none is waited for long


class Spill:
    """A distribution of records over C cells that need not fit into memory.

    A chunk is written whole, its records in the order of their cells; a run of cells is then one range of
    bytes in every chunk. What is read of a cell is in the order in which it was put.

    Args:
        scratch: where the file is.
        what: the records are, for messages.
        cells: C.
        dtype: of a record.
        shape: of a record.
        buffers: two, aligned, each for a chunk of records; written while the other is filled.
    """

    def __init__(
        self,
        scratch: Scratch,
        what: str,
        cells: int,
        dtype: npt.DTypeLike,
        shape: tuple[int, ...] = (),
        *,
        buffers: tuple[U8, U8],
    ) -> None:
        self._scratch, self._file = scratch, scratch.file(what)
        self._dtype, self._shape = np.dtype(dtype), shape
        self._record = self._dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._buffers = buffers
        self._writing: list[Transfer | None] = [None, None]
        self._begins: list[int] = []
        self._offsets: list[npt.NDArray[np.uint32]] = []
        self._end = 0
        self.count_C = np.zeros(cells, np.int64)

    def put(self, records: Array, begin_C: I64, count_C: I64) -> None:
        """Add a chunk.

        Args:
            records: ``[B, ...]``, no more than a buffer holds; they may change once this returns.
            begin_C: int64 ``[C]``, where the records of each cell begin, in any order.
            count_C: int64 ``[C]``, how many they are.

        Raises:
            StorageError: the system refuses, now or at a chunk before.
        """
        turn = len(self._begins) % 2
        self._settle(turn)
        offset = np.concatenate([[0], np.cumsum(count_C)]).astype(_OFFSET)
        size = padded(int(offset[-1]) * self._record)
        into = (
            self._buffers[turn][: int(offset[-1]) * self._record].view(self._dtype).reshape(-1, *self._shape)
        )
        for cell in np.flatnonzero(count_C):
            begin, count = begin_C[cell], count_C[cell]
            into[offset[cell] : offset[cell + 1]] = records[begin : begin + count]
        self._writing[turn] = self._file.write(self._buffers[turn][:size], self._end)
        self._begins.append(self._end)
        self._offsets.append(offset)
        self._end += size
        self.count_C += count_C

    def read(self, first: int, last: int, out: Array) -> Transfer:
        """Start to read the records of cells ``first .. last-1``, chunk after chunk.

        Args:
            first: a cell.
            last: one past the last cell.
            out: ``[B, ...]``, C-contiguous: as many records as the cells hold.
        """
        for turn in range(2):
            self._settle(turn)
        flat, at = out.reshape(-1).view(np.uint8), 0
        jobs: list[tuple[int, U8]] = []
        for begin, offset in zip(self._begins, self._offsets, strict=True):
            size = int(offset[last] - offset[first]) * self._record
            if size:
                jobs.append((begin + int(offset[first]) * self._record, flat[at : at + size]))
                at += size
        assert at == len(flat), (at, len(flat))
        self._scratch.read += at
        share = -(-len(jobs) // _TASKS)
        return self._scratch.submit(
            partial(self._fetch, jobs[k : k + share]) for k in range(0, len(jobs), max(1, share))
        )

    def clear(self) -> None:
        """Forget all records; their room is used again."""
        for turn in range(2):
            self._settle(turn)
        self._begins.clear()
        self._offsets.clear()
        self._end = 0
        self.count_C[:] = 0

    def close(self) -> None:
        """Let go of the file and its room."""
        self.clear()
        self._file.close()

    def _settle(self, turn: int) -> None:
        writing, self._writing[turn] = self._writing[turn], None
        if writing is not None:
            writing.wait()

    def _fetch(self, jobs: list[tuple[int, U8]]) -> None:
        for at, out in jobs:
            self._file.fetch_now(out, at)
