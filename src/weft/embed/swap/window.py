"""A table on disk, and the slots of it that are in memory.

Shapes: D floats in a row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.swap.scratch import ALIGN, Transfer, aligned, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from weft.embed.swap.scratch import Scratch

__all__ = ["Window"]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_PIECE = 4 << 20  # bytes moved together when the whole table is written or read


@dataclass(slots=True, eq=False)
class _Buffer:
    data: U8
    slot: int = -1
    dirty: bool = False
    moving: Transfer | None = None

    def settle(self) -> None:
        """Wait for what is under way."""
        moving, self.moving = self.moving, None
        if moving is not None:
            moving.wait()


class Window:
    """Slots of equally many rows (the last may have fewer); some are in memory at a time.

    With fewer buffers than slots, a slot that is let go of is written behind; with one buffer, when the next
    is read. With a buffer for each, slots stay until :meth:`flush`.

    Attributes:
        slot: rows of a slot.
        slots: how many there are.

    Args:
        scratch: where the table is; its room is taken at once.
        what: the rows are, for messages.
        rows: of the table.
        slot: rows of a slot.
        width: D.
        buffers: slots in memory.
    """

    def __init__(
        self, scratch: Scratch, what: str, *, rows: int, slot: int, width: int, buffers: int
    ) -> None:
        self.slots = -(-rows // slot)
        self.slot = slot
        self._rows, self._row = rows, 4 * width
        self._bytes = padded(slot * self._row)
        # Pieces begin where blocks do: at some multiple of ALIGN rows at the latest.
        whole = math.lcm(ALIGN, self._row) // self._row
        self._piece = max(1, min(_PIECE // self._row, slot) // whole) * whole
        self._file = scratch.file(what, self.slots * self._bytes)
        self._buffers = [_Buffer(aligned(self._bytes)) for _ in range(min(buffers, self.slots))]
        self._held: _Buffer | None = None

    def hold(self, slot: int) -> F32:
        """The rows of a slot, to be changed: float32 ``[rows of the slot, D]``, until another is held."""
        if self._held is not None and self._held.slot != slot:
            self._let_go(self._held)
        buffer = self._held = self._load(slot)
        buffer.settle()
        buffer.dirty = True
        return self._view(buffer)

    def prefetch(self, slot: int) -> None:
        """Begin to read a slot that will be held next, if there is a buffer beside that which is held."""
        if len(self._buffers) > 1:
            self._load(slot)

    def fill(self, make: Callable[[int, F32], None]) -> None:
        """Write the whole table anew, through a few MB of memory beside the slots.

        Args:
            make: ``make(first row, rows)`` fills some rows, which are zero; from the first to the last.
        """
        pair = [_Buffer(aligned(self._piece * self._row)) for _ in range(2)]
        for turn, (first, at, rows) in enumerate(self._pieces()):
            buffer = pair[turn % 2]
            buffer.settle()
            data = buffer.data[: padded(rows * self._row)]
            data[:] = 0
            make(first, self._rows_of(data, rows))
            buffer.moving = self._file.write(data, at)
        for buffer in pair:
            buffer.settle()
        for buffer in self._buffers:
            buffer.settle()
            buffer.slot, buffer.dirty = -1, False

    def scan(self, wanted: Callable[[int, int], bool] = lambda *_: True) -> Iterator[tuple[int, F32]]:
        """All rows, through a few MB of memory beside the slots.

        Args:
            wanted: ``wanted(first row, count)`` says whether to read some rows.

        Yields:
            The number of the first and some rows, overwritten by those after the next.
        """
        self.flush()
        pieces = [piece for piece in self._pieces() if wanted(piece[0], piece[2])]
        pair = [_Buffer(aligned(self._piece * self._row)) for _ in range(2)]

        def start(turn: int) -> None:
            _, at, rows = pieces[turn]
            pair[turn % 2].moving = self._file.read(pair[turn % 2].data[: padded(rows * self._row)], at)

        if pieces:
            start(0)
        for turn, (first, _, rows) in enumerate(pieces):
            pair[turn % 2].settle()
            if turn + 1 < len(pieces):
                start(turn + 1)
            yield first, self._rows_of(pair[turn % 2].data, rows)

    def flush(self) -> None:
        """Write what was changed, and wait until the file holds the table.

        Raises:
            StorageError: the system refuses, now or at a write before.
        """
        for buffer in self._buffers:
            buffer.settle()
            if buffer.dirty:
                self._write(buffer)
        for buffer in self._buffers:
            buffer.settle()

    def release(self) -> None:
        """Write what was changed and let go of the memory; the table can still be scanned."""
        self.flush()
        self._held = None
        self._buffers.clear()

    def close(self) -> None:
        """Let go of the file and its room."""
        self.release()
        self._file.close()

    def _pieces(self) -> Iterator[tuple[int, int, int]]:
        """First row, place in the file and count of rows that are moved together."""
        for slot in range(self.slots):
            end = min((slot + 1) * self.slot, self._rows)
            for first in range(slot * self.slot, end, self._piece):
                at = slot * self._bytes + (first - slot * self.slot) * self._row
                yield first, at, min(self._piece, end - first)

    def _load(self, slot: int) -> _Buffer:
        for buffer in self._buffers:
            if buffer.slot == slot:
                return buffer
        # The oldest of the others: its write has had the longest time.
        buffer = next(b for b in self._buffers if b is not self._held or len(self._buffers) == 1)
        self._buffers.remove(buffer)
        self._buffers.append(buffer)
        buffer.settle()
        to, source = buffer.slot * self._bytes, slot * self._bytes
        read, exchange = self._file.read, self._file.exchange
        buffer.moving = exchange(buffer.data, to, source) if buffer.dirty else read(buffer.data, source)
        buffer.slot, buffer.dirty = slot, False
        return buffer

    def _let_go(self, buffer: _Buffer) -> None:
        if 1 < len(self._buffers) < self.slots:
            self._write(buffer)

    def _write(self, buffer: _Buffer) -> None:
        buffer.moving = self._file.write(buffer.data, buffer.slot * self._bytes)
        buffer.dirty = False

    def _view(self, buffer: _Buffer) -> F32:
        return self._rows_of(buffer.data, min(self.slot, self._rows - buffer.slot * self.slot))

    def _rows_of(self, data: U8, rows: int) -> F32:
        return data[: rows * self._row].view(np.float32).reshape(rows, -1)
