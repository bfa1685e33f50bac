"""A memory-mapped table of which no more than a share stays in memory."""

from __future__ import annotations

import ctypes
import mmap
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HeldMap"]

_PAGE = mmap.PAGESIZE
_PIECE = 4096  # rows read between two looks at what is in memory
_PARTS = 32


class HeldMap:
    """Rows of a mapped ``.npy`` file; parts of it are let go in turn while more than ``share`` is in memory.

    The rows themselves are taken as anybody does: ``numpy.take`` on ``numpy.load(path, mmap_mode="r")``; or,
    if ``advised``, as well as a map can do it: in the order of the file, without reading ahead.
    """

    def __init__(self, path: Path, share: float, *, advised: bool = False) -> None:
        self.rows: Any = np.load(path, mmap_mode="r")
        self._file = os.open(path, os.O_RDONLY)
        self._map: Any = self.rows
        while isinstance(self._map, np.ndarray):
            self._map = self._map.base
        # The map begins at a page of the file, where the rows or, with an odd header, those before them are.
        self._before = self.rows.offset - self.rows.offset % mmap.ALLOCATIONGRANULARITY
        self._address = self.rows.ctypes.data - self.rows.offset % mmap.ALLOCATIONGRANULARITY
        self._bytes = len(self._map)
        self._most = share * self._bytes
        self._part, self._advised = 0, advised
        if advised:
            self._map.madvise(mmap.MADV_RANDOM)
        self.highest, self.holding = 0.0, 0.0  # share that stayed; seconds that letting go took
        self.forget()

    def resident(self) -> int:
        """Bytes of the file that are in the page cache."""
        pages = -(-self._bytes // _PAGE)
        there = np.empty(pages, np.uint8)
        call = ctypes.CDLL(None, use_errno=True).mincore
        call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        if call(self._address, self._bytes, there.ctypes.data) != 0:
            raise OSError(ctypes.get_errno(), "mincore")
        return int(np.count_nonzero(there & 1)) * _PAGE

    def forget(self) -> None:
        """Let go of all of it."""
        self._let_go(0, self._bytes)

    def take(self, ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows ``ids``."""
        out = np.empty((len(ids), self.rows.shape[1]), self.rows.dtype)
        order = np.argsort(ids) if self._advised else np.arange(len(ids))
        for begin in range(0, len(ids), _PIECE):
            places = order[begin : begin + _PIECE]
            if self._advised:
                out[places] = self.rows[ids[places]]
            else:
                np.take(self.rows, ids[places], axis=0, out=out[begin : begin + _PIECE])
            self._hold()
        return out

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _hold(self) -> None:
        start = time.perf_counter()
        there = self.resident()
        while there > self._most:
            step = -(-self._bytes // _PARTS // _PAGE) * _PAGE
            begin = self._part * step
            self._let_go(begin, min(step, self._bytes - begin))
            self._part = (self._part + 1) % _PARTS
            there = self.resident()
        self.highest = max(self.highest, there / self._bytes)
        self.holding += time.perf_counter() - start

    def _let_go(self, begin: int, size: int) -> None:
        # A page that is mapped stays, whatever posix_fadvise says.
        self._map.madvise(mmap.MADV_DONTNEED, begin, size)
        os.posix_fadvise(self._file, self._before + begin, size, os.POSIX_FADV_DONTNEED)
