"""Arrays kept in memory while a common allowance lasts, in an unnamed file after that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from weft.errors import StorageError
from weft.files import storage_errors

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Allowance", "Shelf"]

Array = npt.NDArray[Any]


class Allowance:
    """Bytes that several shelves may hold in memory together."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0


class _OnDisk:
    """Where an array lies in a shelf's file."""

    __slots__ = ("at", "dtype", "size")

    def __init__(self, at: int, array: Array) -> None:
        self.at, self.dtype, self.size = at, array.dtype, array.size


class Shelf:
    """Entries of a few 1-D arrays each, put once and read by slices.

    Args:
        allowance: what may be held in memory; an entry that would pass it goes to the file.
        folder: where the file is. It loses its name at once, so that nothing is left of it when the
            process ends, however it ends.
    """

    def __init__(self, allowance: Allowance, folder: Path) -> None:
        self._allowance, self._folder = allowance, folder
        self._entries: list[tuple[Array | _OnDisk, ...]] = []
        self._file: int | None = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def on_disk(self) -> int:
        """Bytes in the file."""
        return self._end

    def fits(self, size: int) -> bool:
        """Whether an entry of so many bytes would stay in memory."""
        return self._allowance.used + size <= self._allowance.limit

    def put(self, *arrays: Array, keep: bool | None = None) -> None:
        """Add an entry.

        Args:
            *arrays: theirs is the shelf's from now on, unless they go to the file.
            keep: in memory, or else in the file; by default in memory where they fit.
        """
        size = _size(arrays)
        if self.fits(size) if keep is None else keep:
            self._allowance.used += size
            self._entries.append(arrays)
        else:
            self._entries.append(tuple(self._store(array) for array in arrays))

    def get(self, entry: int, part: int, begin: int = 0, end: int | None = None) -> Array:
        """Elements ``begin .. end-1`` of an array: a view, or read from the file."""
        stored = self._entries[entry][part]
        if not isinstance(stored, _OnDisk):
            return stored[begin:end]
        out = np.empty((stored.size if end is None else end) - begin, stored.dtype)
        self._read(out.view(np.uint8).data, stored.at + begin * stored.dtype.itemsize)
        return out

    def release(self, entry: int) -> None:
        """Let go of what an entry holds in memory; it cannot be read again."""
        self._allowance.used -= _size(self._entries[entry])
        self._entries[entry] = ()

    def spill(self) -> None:
        """Move everything to the file."""
        for i, entry in enumerate(self._entries):
            self._entries[i] = tuple(a if isinstance(a, _OnDisk) else self._store(a) for a in entry)
            self._allowance.used -= _size(entry)

    def close(self) -> None:
        """Let go of memory and file."""
        for i in range(len(self._entries)):
            self.release(i)
        self._entries = []
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _store(self, array: Array) -> _OnDisk:
        if self._file is None:
            path = self._folder / f"spill-{id(self):x}"
            with storage_errors("create", path):
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                path.unlink()
        place = _OnDisk(self._end, array)
        view = memoryview(array.view(np.uint8).data) if array.size else memoryview(b"")
        with storage_errors("write temporary data in", self._folder):
            while view:
                written = os.pwrite(self._file, view, self._end)
                self._end += written
                view = view[written:]
        return place

    def _read(self, view: memoryview, at: int) -> None:
        assert self._file is not None
        with storage_errors("read temporary data in", self._folder):
            while view:
                read = os.preadv(self._file, [view], at)
                if read == 0:
                    raise StorageError(f"temporary data in {self._folder} ended before its time")
                at += read
                view = view[read:]


def _size(arrays: tuple[Array | _OnDisk, ...]) -> int:
    return sum(a.nbytes for a in arrays if not isinstance(a, _OnDisk))
