"""A table on disk, and the slots of it that are in memory.

Shapes: D floats in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.swap.scratch import Transfer, aligned, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from weft.embed.swap.scratch import Scratch

__all__ = ["Window"]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


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
        self._rows, self._width = rows, width
        self._bytes = padded(slot * width * 4)
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
        """Write the whole table anew: ``make(first row, rows)`` fills the rows of a slot, which are zero."""
        for slot in range(self.slots):
            buffer = self._buffers[slot % len(self._buffers)]
            buffer.settle()
            buffer.slot, buffer.dirty = slot, False
            buffer.data[:] = 0
            make(slot * self.slot, self._view(buffer))
            buffer.moving = self._file.write(buffer.data, slot * self._bytes)
        self.flush()

    def scan(self, slots: list[int] | None = None) -> Iterator[tuple[int, F32]]:
        """The first row and the rows of all slots, or of some; they must not be changed."""
        self.flush()
        self._held = None
        coming = list(range(self.slots)) if slots is None else slots
        for slot, after in zip(coming, [*coming[1:], None], strict=True):
            buffer = self._held = self._load(slot)
            buffer.settle()
            if after is not None:
                self.prefetch(after)
            yield slot * self.slot, self._view(buffer)
        self._held = None

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

    def close(self) -> None:
        """Let go of the file and its room."""
        self._file.close()
        self._buffers.clear()

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
        rows = min(self.slot, self._rows - buffer.slot * self.slot)
        return buffer.data[: rows * self._width * 4].view(np.float32).reshape(rows, self._width)
