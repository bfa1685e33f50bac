"""Rows in a file, read past the page cache."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np

from weft import _core
from weft.checks import check_path
from weft.errors import FormatError, StorageError, WeftValueError
from weft.features.codec import raw_header
from weft.features.table import Array, Background, Ticket, checked_ids, checked_out
from weft.npy import read_header

__all__ = ["DiskTable", "read_bytes"]

# As many as keep a local NVMe disk busy; more wait in the queue of the device and cost 64 KiB of buffer each.
_DEPTH = 128
_BLOCK, _LONGEST = 4096, 64 << 10  # bytes of what is read at least, and of neighbouring rows at most


def read_bytes(width: int) -> int:
    """Bytes that a read under way takes, of rows that are ``width`` bytes wide."""
    return max(_LONGEST, -(-width // _BLOCK) * _BLOCK + _BLOCK)


class DiskTable:
    """Rows of a ``.npy`` file; see :class:`weft.features.FeatureTable`.

    Of a file of records of a codec they are bytes, for :class:`weft.features.Decoded`.

    Nothing is kept in memory: rows of one 4 KiB block that are asked for together are read at once, blocks in
    the order of the file, many under way, and two that lie close with what lies between them: how close is
    measured when the file is opened (768 reads, for files of 64 MiB and more). By io_uring where the system
    lets us, else by threads; with O_DIRECT where the file system can: the page cache is left to others.

    A copy, also one that pickle carries to another process, opens the file anew.

    Args:
        path: of the file, row after row.
        depth: reads under way, 1 to 4096.
        io: ``"auto"``, ``"io_uring"`` (refused when the system forbids it) or ``"threads"``.
        direct: past the page cache.

    Raises:
        FormatError: it is no ``.npy`` file of numbers ``[N, F]``, or its size is not what its header says.
        StorageError: it cannot be opened, or io_uring is asked for and forbidden.
        WeftValueError: an option is none.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        depth: int = _DEPTH,
        io: Literal["auto", "io_uring", "threads"] = "auto",
        direct: bool = True,
    ) -> None:
        self._open_file(path, depth, io, direct=direct, gap=None)

    def _open_file(
        self, path: str | os.PathLike[str], depth: int, io: str, *, direct: bool, gap: int | None
    ) -> None:
        if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or not 1 <= depth <= 4096:
            raise WeftValueError(f"features: depth must lie within 1 .. 4096 (got {depth!r})")
        if io not in ("auto", "io_uring", "threads"):
            raise WeftValueError(f"features: io must be 'auto', 'io_uring' or 'threads' (got {io!r})")
        self.path = check_path("features: the file", path)
        """The file."""
        header = raw_header(read_header(self.path))
        if len(header.shape) != 2 or header.fortran or header.dtype.kind not in "fiub":
            order = ", column after column" if header.fortran else ""
            raise FormatError(
                f"{self.path} holds {header.dtype} {list(header.shape)}{order}; features are numbers [N, F], "
                "row after row (numpy.ascontiguousarray)"
            )
        self._shape, self._dtype = (header.shape[0], header.shape[1]), header.dtype
        self.depth = depth
        """Reads under way."""
        self._background, self._closed = Background(), False
        self._file: _core.RowFile | None = None
        if 0 not in header.shape:
            self._file = self._open(header.offset, int(depth), io, direct=bool(direct), gap=gap)
        self._given: dict[str, Any] = {"depth": int(depth), "io": io, "direct": bool(direct)}

    def __getstate__(self) -> dict[str, Any]:
        """Where the file is, what it held, and how it is read."""
        self._check_open()
        return {
            "path": self.path.absolute(),
            "holds": (self._shape, self._dtype),
            "gap": self.gap,
            **self._given,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file anew.

        Raises:
            FormatError: it holds other rows by now.
            StorageError: it cannot be opened.
        """
        shape, dtype = state.pop("holds")
        self._open_file(**state)
        if (self._shape, self._dtype) != (shape, dtype):
            raise FormatError(
                f"{self.path} holds {self._dtype} {list(self._shape)}, and {dtype} {list(shape)} when the "
                "table was copied; make the table anew"
            )

    def _open(self, offset: int, depth: int, io: str, *, direct: bool, gap: int | None) -> _core.RowFile:
        rows, columns = self._shape
        width = columns * self._dtype.itemsize
        try:
            os.fspath(self.path).encode()
        except UnicodeEncodeError:
            raise StorageError(
                f"features: the name {os.fspath(self.path)!a} is not UTF-8; rename the file"
            ) from None
        try:
            file = _core.RowFile(os.fspath(self.path), offset, rows, width, depth, io != "threads", direct)
            if gap is None:
                file.measure_gap()
            else:
                file.gap = gap
        except OSError as error:
            raise StorageError(error.errno, f"features: {error.strerror}") from None
        except ValueError as error:
            raise WeftValueError(str(error)) from None
        if io == "io_uring" and not file.ring:
            raise StorageError(
                f"features: the system forbids io_uring, or {self.path} lies in memory; take io='auto'"
            )
        return file

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        return self._dtype

    @property
    def io(self) -> str:
        """How rows are read: ``"io_uring"`` or ``"threads"``, which also serve a file system in memory."""
        return "io_uring" if self._file is not None and self._file.ring else "threads"

    @property
    def direct(self) -> bool:
        """Whether they are read past the page cache."""
        return self._file is not None and self._file.direct

    @property
    def gap(self) -> int:
        """Bytes between two blocks that are rather read than left out."""
        return 0 if self._file is None else self._file.gap

    def set_gap(self, bytes: int) -> None:
        """Read at most so many bytes between two blocks, rounded down to 4 KiB; 0: none."""
        if self._file is not None:
            self._file.gap = max(0, bytes)

    @property
    def counts(self) -> tuple[int, int]:
        """Reads, and bytes of them, since the table was opened."""
        return (0, 0) if self._file is None else self._file.counts

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`."""
        ids = checked_ids(ids, self._shape[0])
        out = checked_out(out, (len(ids), self._shape[1]), self._dtype)
        self._check_open()
        if len(ids) and self._file is not None:
            try:
                self._file.read(ids.astype(np.int64, copy=False), out.reshape(-1).view(np.uint8))
            except OSError as error:
                raise StorageError(error.errno, f"features: {error.strerror}") from None
        return out

    def take_through(self, cache: _core.RowCache, ids: Array, out: Array) -> None:
        """Rows ``ids``, those that the cache has not read from the file and kept as it thinks fit.

        Args:
            cache: of this table's rows.
            ids: uint32 ``[M]``.
            out: uint8 ``[M * bytes of a row]``.

        Raises:
            StorageError: rows cannot be read.
        """
        self._check_open()
        assert self._file is not None, "a cache has rows of at least a byte"
        try:
            cache.take(self._file, ids, out)
        except OSError as error:
            raise StorageError(error.errno, f"features: {error.strerror}") from None

    def submit(self, ids: Array, out: Array | None = None) -> Ticket:
        """As in :class:`weft.features.FeatureTable`."""
        return self._background.submit(self.take, ids, out)

    def close(self) -> None:
        """As in :class:`weft.features.FeatureTable`."""
        self._background.close()
        self._file, self._closed = None, True

    def _check_open(self) -> None:
        if self._closed:
            raise WeftValueError(f"features: the table of {self.path} is closed; open it again")
