"""The arrays of a directory: ``.npy`` files, written piece by piece or row by row, and their entries."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.files import storage_errors
from weft.kernels.codec import record, said_by
from weft.kernels.memory import drop_pages
from weft.npy import DATA_OFFSET, npy_header

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ArrayEntry", "ArrayWriter", "PlacedWriter", "dtype_name", "named_dtype"]

Array = npt.NDArray[Any]

# Plain numbers alone: an element of dtype object would be an address to follow.
_NUMBERS = re.compile(r"\|[biu]1|<[iuf](2|4|8)")
# Rows of a codec; a hundred million columns and more are none.
_BFLOAT16 = re.compile(r"\[\('bfloat16', '<u2', \((\d{1,8}),\)\)\]")
_INT8 = re.compile(r"\[\('int8', '\|i1', \((\d{1,8}),\)\), \('scale', '<f4'\)\]")
# Rows put at once: the system maps pages around each that is touched, and all count until they are let go.
_TOUCHED = 1024


class ArrayEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array of a directory."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    sha256: str


def dtype_name(dtype: np.dtype[Any]) -> str:
    """How the manifest names a dtype: NumPy's string, or of a codec's rows what the header says."""
    return dtype.str if dtype.names is None else repr(np.lib.format.dtype_to_descr(dtype))


def named_dtype(name: str) -> np.dtype[Any] | None:
    """The dtype of this name; None if a directory holds no such arrays."""
    if _NUMBERS.fullmatch(name):
        return np.dtype(name)
    if match := _BFLOAT16.fullmatch(name):
        return record("bfloat16", int(match[1]))[0]
    match = _INT8.fullmatch(name)
    return record("int8", int(match[1]))[0] if match else None


def storable(dtype: npt.DTypeLike) -> np.dtype[Any] | None:
    """The dtype as a directory has it; None if it cannot."""
    kind = np.dtype(dtype)
    kind = kind if said_by(kind) else kind.newbyteorder("<")
    return kind if named_dtype(dtype_name(kind)) == kind else None


class ArrayWriter:
    """Writes one ``.npy`` file piece by piece, hashing the elements as it goes.

    The number of rows may be left open; the header, which names it, is then completed at the end.
    """

    def __init__(self, file: Path, dtype: npt.DTypeLike, shape: tuple[int | None, ...]) -> None:
        rows, *rest = shape
        self.dtype, self._rows, self._row_shape = np.dtype(dtype), rows, tuple(int(n or 0) for n in rest)
        self._row_bytes = max(1, int(np.prod(self._row_shape, dtype=np.int64)) * self.dtype.itemsize)
        self._size = None if rows is None else int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        self._written = 0
        self._path, self._hash = file, hashlib.sha256()
        with storage_errors("write", file):
            self._file = file.open("wb", buffering=0)
        self._put(npy_header(self.dtype, self.shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, of what was written so far where the number of rows is open."""
        if self._rows is not None:
            return (int(self._rows), *self._row_shape)
        return (self._written // self._row_bytes, *self._row_shape)

    def write(self, chunk: Array) -> None:
        """Append the next elements, in C order."""
        flat = np.ascontiguousarray(chunk, self.dtype).reshape(-1)
        data = flat.view(np.uint8).data
        self._written += len(data)
        if self._size is not None and self._written > self._size:
            more = self._written - self._size
            raise WeftValueError(f"write {self._path.name}: {more} bytes more than shape {self.shape} holds")
        self._hash.update(data)
        self._put(data)

    def _put(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        with storage_errors("write", self._path):
            while view:
                view = view[self._file.write(view) :]

    def close(self) -> ArrayEntry:
        """Sync the file and give its entry in the manifest."""
        try:
            left = -self._written % self._row_bytes if self._size is None else self._size - self._written
            if left:
                raise WeftValueError(
                    f"write {self._path.name}: {left} bytes fewer than shape {self.shape} holds"
                )
            with storage_errors("sync", self._path):
                if self._rows is None:
                    self._file.seek(0)
                    self._put(npy_header(self.dtype, self.shape))
                os.fsync(self._file.fileno())
        finally:
            self._file.close()
        return ArrayEntry(self._path.name, dtype_name(self.dtype), self.shape, self._hash.hexdigest())

    def abandon(self) -> None:
        """Close the file without completing it."""
        self._file.close()


class PlacedWriter:
    """Writes the rows of one ``.npy`` file in any order; rows that are not written are zero."""

    def __init__(self, file: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> None:
        self._path, self._dtype, self._shape = file, np.dtype(dtype), shape
        size = self._dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._rows: Array | None = None
        with storage_errors("write", file):
            self._file = file.open("xb+")
            try:
                self._reserve(size)
            except OSError:
                self._file.close()
                raise

    def _reserve(self, size: int) -> None:
        self._file.write(npy_header(self._dtype, self._shape))
        self._file.flush()
        if size:
            # On a full disk a mapped file ends the process: the room is taken before.
            os.posix_fallocate(self._file.fileno(), DATA_OFFSET, size)
            self._rows = np.memmap(self._path, self._dtype, "r+", DATA_OFFSET, self._shape)

    def put(self, places: npt.NDArray[np.int64], rows: Array) -> None:
        """Write ``rows[i]`` as row ``places[i]``."""
        if self._rows is None:
            return
        order = np.argsort(places, kind="stable")
        for begin in range(0, len(order), _TOUCHED):
            some = order[begin : begin + _TOUCHED]
            self._rows[places[some]] = rows[some]
            drop_pages(self._rows)

    def close(self) -> ArrayEntry:
        """Sync the file and give its entry in the manifest."""
        digest = hashlib.sha256()
        try:
            with storage_errors("sync", self._path):
                if isinstance(self._rows, np.memmap):
                    self._rows.flush()
                self._rows = None
                os.fsync(self._file.fileno())
                self._file.seek(DATA_OFFSET)
                while block := self._file.read(1 << 22):
                    digest.update(block)
        finally:
            self._file.close()
        return ArrayEntry(self._path.name, dtype_name(self._dtype), self._shape, digest.hexdigest())

    def abandon(self) -> None:
        """Close the file without completing it."""
        self._rows = None
        self._file.close()
