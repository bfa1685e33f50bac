"""Rows in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import WeftTypeError, WeftValueError
from weft.features.table import Array, Background, Ticket, checked_ids, checked_out
from weft.kernels.codec import said_by
from weft.kernels.gather import gather
from weft.kernels.memory import copy_huge

__all__ = ["MemoryTable", "raw_rows"]


def raw_rows(rows: Array) -> Array:
    """Records as their bytes, uint8 ``[N, W]``; any other array as it is."""
    if said_by(rows.dtype) is None or rows.ndim != 1:
        return rows
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), rows.dtype.itemsize)


class MemoryTable:
    """Rows of an array, gathered on all threads; see :class:`weft.features.FeatureTable`.

    Args:
        rows: ``[N, F]`` of any dtype of numbers; or records of a codec, which are rows of bytes then, for
            :class:`weft.features.Decoded`.
        copy: put them on huge pages, where random reads are about twice as fast; otherwise they are read
            where they are, and must be contiguous.

    Raises:
        WeftValueError: it is no contiguous array ``[N, F]`` of numbers.
    """

    def __init__(self, rows: Array, *, copy: bool = True) -> None:
        if not isinstance(rows, np.ndarray):
            raise WeftTypeError(f"features: rows must be a NumPy array [N, F] (got {type(rows).__name__})")
        rows = raw_rows(rows)
        if rows.ndim != 2 or rows.dtype.kind not in "fiub":
            raise WeftValueError(f"features must be [N, F] numbers (got {rows.dtype} {list(rows.shape)})")
        if not copy and not rows.flags.c_contiguous:
            raise WeftValueError("features: rows that are not copied must be contiguous; give copy=True")
        self._rows = copy_huge(rows) if copy and rows.size else rows
        self._background = Background()

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return self._rows.shape[0], self._rows.shape[1]

    @property
    def rows(self) -> Array:
        """All of them, where they are."""
        return self._rows

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        return self._rows.dtype

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`."""
        ids = checked_ids(ids, self.shape[0])
        return gather(self._rows, ids, checked_out(out, (len(ids), self.shape[1]), self.dtype))

    def submit(self, ids: Array, out: Array | None = None) -> Ticket:
        """As in :class:`weft.features.FeatureTable`."""
        return self._background.submit(self.take, ids, out)

    def close(self) -> None:
        """As in :class:`weft.features.FeatureTable`."""
        self._background.close()
