"""Rows in memory before a table that is slower."""

from __future__ import annotations

import copy
import math
import os
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.config import parse_bytes, show_at_least, show_bytes
from weft.errors import BudgetError, WeftValueError
from weft.features.disk import DiskTable
from weft.features.policies.replay import make
from weft.features.table import (
    Array,
    Background,
    FeatureTable,
    Ticket,
    checked_ids,
    checked_out,
    checked_table,
)

if TYPE_CHECKING:
    from weft import _core

__all__ = ["CachedTable", "least_memory"]

# Bytes beside the row itself: its number (of static in Python, too), whether it is there, and its neighbours
# in the list.
_SLOT = {"lookahead": 17, "static": 13, "lru": 17, "sieve": 18}
# For each row of the table: where it is kept, for lookahead also its last known use and how hot it is.
_ROW = {"lookahead": 9, "static": 4, "lru": 4, "sieve": 4}
_USE = 8  # bytes of a use that is known
_KNOWN = 1 / 16  # of the memory at most, for uses that are known, or for the rows that static begins with
_PIECE = 8 << 20  # bytes asked at once from a table that can write to one place only


def least_memory(base: FeatureTable, policy: str) -> int:
    """Bytes that a cache of one row takes."""
    rows, columns = base.shape
    each = columns * base.dtype.itemsize + _SLOT.get(policy, 0)
    return math.ceil((_ROW.get(policy, 0) * rows + each) / (1 - (_KNOWN if policy == "lookahead" else 0)))


class CachedTable:
    """Some rows of ``base`` in memory; see :class:`weft.features.FeatureTable`.

    Which ones is up to the policy. ``lookahead``, the default, must be told what comes: :meth:`expect`
    announces the next batch, in the order in which batches will be taken, and a row stays when its next use
    is near. Rows that share a block of the disk are read once for all batches that are known. Without batches
    to expect it keeps the hottest rows. ``lru`` and ``sieve`` look at the past alone, ``static`` keeps the
    hottest rows from the start. A batch may have more rows than the cache: what finds no room is handed on,
    and a warning says so once.

    A forked child reads past it: it has no part in what other threads were at, and memory of its own. A copy,
    also one that pickle carries to another process, has as much memory, begins empty (``static``: with the
    same rows), and knows no hotness: give other processes a smaller one, or ``table.base``.

    Args:
        base: the table behind, closed with this one.
        memory: bytes, or a text such as ``"2GiB"``, for rows and all that is noted about them; the read
            buffers of a :class:`DiskTable` (8 MiB) are its own.
        policy: ``"lookahead"``, ``"static"``, ``"lru"`` or ``"sieve"``.
        hotness: numbers ``[N]`` such as degrees: what ``static`` keeps, and by which ``lookahead`` tells
            apart rows of which no use is known.
        window: batches that ``lookahead`` wants to know at most.

    Raises:
        BudgetError: the memory does not suffice for one row.
        WeftValueError: an option is none, or the table has more than 2**32 - 2 rows.
    """

    rows_kept: int
    """Rows that fit."""

    def __init__(
        self,
        base: FeatureTable,
        memory: int | str,
        *,
        policy: str = "lookahead",
        hotness: Array | None = None,
        window: int = 64,
    ) -> None:
        self._make(checked_table(base), parse_bytes(memory), policy, window, hotness)

    def _make(self, base: FeatureTable, memory: int, policy: str, window: int, hotness: Array | None) -> None:
        self.memory = memory
        """Bytes that may be taken."""
        self.policy = policy
        """Which rows are kept."""
        rows, columns = base.shape
        self._base, self._width = base, columns * base.dtype.itemsize
        self._uses = int(self.memory * _KNOWN) if policy == "lookahead" else 0
        noted = _ROW.get(policy, 0) * rows + self._uses
        each = self._width + _SLOT.get(policy, 0)
        slots = min(rows, (self.memory - noted) // each)
        if rows and self._width and slots < 1:
            least = show_at_least(least_memory(base, policy))
            raise BudgetError(
                f"features: a cache of {show_bytes(self.memory)} holds no row of {rows:,}: what is noted of "
                f"each takes {show_bytes(noted)}; give at least {least}, or read without a cache "
                "(weft.features.DiskTable)"
            )
        self.rows_kept = slots
        self._cache: _core.RowCache | None = None
        self._kept = np.empty(0, np.uint32)
        if rows and self._width:
            self._cache, self._kept = make(policy, rows, self._width, slots, window=window, hotness=hotness)
        self._largest, self._window, self._said = 1, window, False
        self._background, self._lock, self._process = Background(), threading.Lock(), os.getpid()
        self._fill()

    def __getstate__(self) -> dict[str, Any]:
        """What a cache like this one is made from."""
        return {
            "base": self._base,
            "memory": self.memory,
            "policy": self.policy,
            "window": self._window,
            "kept": self._kept,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a cache like it.

        Raises:
            FormatError: the file behind holds other rows by now.
            StorageError: it cannot be opened.
        """
        kept, hotness = state.pop("kept"), None
        if state["policy"] == "static":
            hotness = np.zeros(state["base"].shape[0], np.uint8)
            hotness[kept] = 1
        self._make(**state, hotness=hotness)

    def __copy__(self) -> CachedTable:
        """A cache like it around a copy of the table: each of the two closes its own.

        Raises:
            WeftValueError: the table is closed.
        """
        made = object.__new__(type(self))
        made.__setstate__({**self.__getstate__(), "base": copy.copy(self._base)})
        return made

    @property
    def base(self) -> FeatureTable:
        """The table behind."""
        return self._base

    def _fill(self) -> None:
        """Read the rows that are kept for ever, a piece at a time."""
        kept = self._kept
        if self._cache is None:
            return
        piece = max(1, min(_PIECE, int(self.memory * _KNOWN)) // self._width)  # beside the cache itself
        for begin in range(0, len(kept), piece):
            ids = kept[begin : begin + piece]
            self._cache.fill(ids, _bytes(self._base.take(ids)))

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return self._base.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        return self._base.dtype

    @property
    def window(self) -> int:
        """How many batches ahead there is use in knowing, the next one included; 0: none."""
        if self._cache is None or self._forked():
            return 0
        wanted = self._cache.window
        return min(wanted, max(2, self._uses // (_USE * self._largest))) if wanted else 0

    @property
    def counts(self) -> dict[str, int]:
        """Rows so far: found (``hits``) and not (``misses``), and those read though the batch had them not.

        ``ahead`` for the batches after it, ``along`` because their block was read.
        """
        names = ("hits", "misses", "ahead", "along")
        return dict(zip(names, self._cache.counts if self._cache else (0, 0, 0, 0), strict=True))

    def expect(self, ids: Array) -> None:
        """Announce the batch after those announced; batches are then taken in this order.

        Taking another batch meanwhile gives its rows and changes nothing of what is kept.

        Args:
            ids: integers ``[M]``, each once.

        Raises:
            WeftValueError: an id is not a row, or more batches are announced than ``window`` at the start.
        """
        ids = checked_ids(ids, self.shape[0])
        if self._cache is None or self.policy != "lookahead" or self._forked():
            return
        self._largest = max(self._largest, len(ids))
        try:
            self._cache.expect(ids.astype(np.uint32, copy=False))
        except ValueError as error:
            raise WeftValueError(str(error)) from None

    def forget(self) -> None:
        """Take back what was announced and not taken."""
        if self._cache is not None and not self._forked():
            self._cache.forget()

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`."""
        ids = checked_ids(ids, self.shape[0])
        out = checked_out(out, (len(ids), self.shape[1]), self.dtype)
        if self._cache is None:
            return out
        if self._forked():
            return self._base.take(ids, out)
        ids = ids.astype(np.uint32, copy=False)
        if len(ids) > self.rows_kept and not self._said:
            self._say_larger(ids)
        with self._lock:
            if isinstance(self._base, DiskTable):
                self._base.take_through(self._cache, ids, _bytes(out))
            else:
                self._take(self._cache, ids, out)
        return out

    def _say_larger(self, ids: Array) -> None:
        """Warn of a batch that the cache cannot hold: nothing breaks, but more is read than users expect."""
        if (asked := len(np.unique(ids))) <= self.rows_kept:
            return
        self._said = True
        share = 1 - (_KNOWN if self.policy == "lookahead" else 0)
        noted = _ROW.get(self.policy, 0) * self.shape[0]
        enough = show_at_least(math.ceil((noted + asked * (self._width + _SLOT.get(self.policy, 0))) / share))
        warnings.warn(
            f"features: a batch asks for {asked:,} rows and the cache of {show_bytes(self.memory)} holds "
            f"{self.rows_kept:,}: those beyond are read for this batch alone; {enough} would hold it",
            UserWarning,
            stacklevel=3,
        )

    def _forked(self) -> bool:
        """Whether this is a child of the process that the cache is in: its lock may be held for ever here."""
        return self._process != os.getpid()

    def _take(self, cache: _core.RowCache, ids: Array, out: Array) -> None:
        """From a table of any kind."""
        missing = np.empty(len(ids), np.int64)
        missing = missing[: cache.begin(ids, _bytes(out), missing)]
        there = False
        try:
            piece = max(1, _PIECE // self._width)
            for begin in range(0, len(missing), piece):
                places = missing[begin : begin + piece]
                out[places] = self._base.take(ids[places])
            there = True
        finally:
            cache.end(ids, _bytes(out), there)

    def submit(self, ids: Array, out: Array | None = None) -> Ticket:
        """As in :class:`weft.features.FeatureTable`; in the order of the calls."""
        return self._background.submit(self.take, ids, out)

    def close(self) -> None:
        """As in :class:`weft.features.FeatureTable`."""
        self._background.close()
        self._base.close()


def _bytes(array: Array) -> Array:
    return array.reshape(-1).view(np.uint8)
