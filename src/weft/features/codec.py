"""Tables whose rows are stored in fewer bytes than they have.

Shapes: N rows of F columns, W bytes an encoded row, M rows asked for.
"""

from __future__ import annotations

import copy
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from weft.checks import check_path
from weft.errors import WeftValueError
from weft.features.memory import MemoryTable, raw_rows
from weft.features.table import Array, Background, Ticket, checked_ids, checked_out, checked_table
from weft.files import replacing
from weft.kernels import codec as kernel
from weft.kernels.codec import Codec, columns_of, record, said_by
from weft.kernels.codec.form import check_codec
from weft.kernels.memory import drop_pages
from weft.npy import NpyHeader, npy_header, open_npy, read_header

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from weft.features.table import FeatureTable

__all__ = ["Decoded", "codec_of", "encode", "encoded", "pieces", "raw_header"]

_PLAIN: dict[str, Codec] = {"<f4": "float32", "<f2": "float16"}
_PIECE = 16 << 20  # bytes of float32 that are encoded at a time


@overload
def encode(rows: Array | str | os.PathLike[str], codec: Codec, path: None = None) -> Array: ...
@overload
def encode(
    rows: Array | str | os.PathLike[str], codec: Codec, path: str | os.PathLike[str], *, overwrite: bool = ...
) -> Path: ...
def encode(
    rows: Array | str | os.PathLike[str],
    codec: Codec,
    path: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
) -> Array | Path:
    """Rows in another codec: in memory, or as a ``.npy`` file, a piece at a time.

    float32 and float16 give ordinary arrays ``[N, F]``. NumPy has no bfloat16, and a row of int8 has a scale:
    theirs are records ``[N]`` with fields that say so: ``bfloat16``, uint16 ``[F]``; or ``int8``, int8
    ``[F]``, and ``scale``, float32. Numbers go to the nearest, ties to the even one. NaN and infinities stay
    in floats and are refused by int8; a finite number that would become infinite is refused.

    Args:
        rows: numbers ``[N, F]``, or a ``.npy`` file of them.
        codec: ``"float32"``, ``"float16"``, ``"bfloat16"`` or ``"int8"``.
        path: where the file goes; it appears there when it is whole. Data begin at byte 4096.
        overwrite: replace a file that is there already.

    Returns:
        The array, or the path.

    Raises:
        WeftValueError: a number cannot be held, by its row and column; or the file exists.
        StorageError: the disk is full, or the system refuses otherwise.
    """
    check_codec(codec)
    shape = rows.shape if isinstance(rows, np.ndarray) else read_header(check_path("features", rows)).shape
    if len(shape) != 2:
        raise WeftValueError(f"encode: rows must be numbers [N, F] (got {list(shape)})")
    dtype, rest = record(codec, shape[1])
    if path is None:
        out = np.empty((shape[0], *rest), dtype)
        for begin, piece in pieces(rows):
            out[begin : begin + len(piece)] = encoded(piece, codec, begin)
        return out
    place = Path(path)
    if place.exists() and not overwrite:
        raise WeftValueError(f"cannot write {place}: it exists; choose another place, or pass overwrite=True")
    with replacing(place) as temporary, temporary.open("wb") as file:
        file.write(npy_header(dtype, (shape[0], *rest)))
        for begin, piece in pieces(rows):
            file.write(encoded(piece, codec, begin).data)
    return place


def encoded(rows: Array, codec: Codec, first: int = 0) -> Array:
    """A piece of encoded rows as an array; ``first`` is the number of its first row, for messages."""
    dtype, rest = record(codec, rows.shape[1])
    if dtype.itemsize == 0:
        return np.zeros((len(rows), *rest), dtype)
    return kernel.encode(rows, codec, first=first).reshape(-1).view(dtype).reshape(len(rows), *rest)


def pieces(rows: Array | str | os.PathLike[str]) -> Iterator[tuple[int, Array]]:
    """Rows a piece at a time, each with the number of its first; little of a file is in memory."""
    array = rows if isinstance(rows, np.ndarray) else open_npy(check_path("features: rows", rows))
    step = max(1, _PIECE // max(1, 4 * math.prod(array.shape[1:]), array.dtype.itemsize))
    for begin in range(0, len(array), step):
        yield begin, array[begin : begin + step]
        if isinstance(array, np.memmap):
            drop_pages(array)


def codec_of(source: Array | str | os.PathLike[str]) -> Codec | None:
    """The codec of an array or a ``.npy`` file, by its dtype; None if it is of none.

    Raises:
        FormatError: it is no such file.
    """
    dtype = (
        source.dtype if isinstance(source, np.ndarray) else read_header(check_path("features", source)).dtype
    )
    if (said := said_by(dtype)) is not None:
        return said[0]
    return _PLAIN.get(dtype.str)


def raw_header(header: NpyHeader) -> NpyHeader:
    """The header of a file of records as one of their bytes, uint8 ``[N, W]``; any other as it is."""
    if said_by(header.dtype) is None or len(header.shape) != 1:
        return header
    shape = (header.shape[0], header.dtype.itemsize)
    return replace(header, shape=shape, dtype=np.dtype(np.uint8), fortran=False)


def _bytes(rows: Array, width: int) -> Array:
    """Rows as uint8 ``[N, W]``, where they are."""
    return rows.reshape(-1).view(np.uint8).reshape(len(rows), width)


def decoded_form(rows: Array) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the dtype that rows have once decoded, as :func:`weft.features.open` does."""
    said = said_by(rows.dtype) if rows.ndim == 1 else None
    if said is not None:
        return (len(rows), said[1]), np.dtype(np.float32)
    return rows.shape, np.dtype(np.float32) if codec_of(rows) == "float16" else rows.dtype


def decoded(rows: Array) -> Array:
    """Records of a codec as float32 ``[N, F]``; any other array as it is."""
    said = said_by(rows.dtype) if rows.ndim == 1 else None
    if said is None or rows.dtype.itemsize == 0:
        return rows if said is None else np.zeros((len(rows), 0), np.float32)
    return kernel.decode(raw_rows(rows), said[0])


class Decoded:
    """Rows of an encoded table as float32; see :class:`weft.features.FeatureTable`.

    Around a cache it makes the cache hold encoded rows, so that more fit. What a cache can do beside
    :meth:`take` (``window``, ``expect``, ``forget``) is handed on.

    Args:
        base: the encoded rows, ``[N, ...]`` of W bytes each: float16 ``[N, F]``, or the bytes that
            :class:`weft.features.DiskTable` and :class:`weft.features.MemoryTable` give of records.
        codec: what they are.

    Raises:
        WeftValueError: rows of the codec have not so many bytes.
    """

    def __init__(self, base: FeatureTable, codec: Codec) -> None:
        self.base, self.codec = checked_table(base), check_codec(codec)
        """What is decoded, and how."""
        wanted = {"float32": "f", "float16": "fu", "bfloat16": "u", "int8": "u"}[codec]
        size = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}[codec]
        if base.dtype != np.uint8 and (base.dtype.kind not in wanted or base.dtype.itemsize != size):
            raise WeftValueError(f"features: rows of {base.dtype} {list(base.shape)} are none of {codec}")
        self._width = base.shape[1] * base.dtype.itemsize
        self._shape = base.shape[0], columns_of(codec, self._width)
        self._background, self._scratch = Background(), threading.local()

    def __reduce__(self) -> tuple[type[Decoded], tuple[FeatureTable, Codec]]:
        """A copy is around a copy of the table."""
        return Decoded, (self.base, self.codec)

    def __copy__(self) -> Decoded:
        """Around a copy of the table: each of the two closes its own.

        Raises:
            WeftValueError: the table is closed.
        """
        return Decoded(copy.copy(self.base), self.codec)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`."""
        ids = checked_ids(ids, self._shape[0])
        out = checked_out(out, (len(ids), self._shape[1]), self.dtype)
        if isinstance(self.base, MemoryTable) and self._width:
            # Straight from where they are: no second pass.
            return kernel.gather(_bytes(self.base.rows, self._width), self.codec, ids, out)
        rows = self.base.take(ids, self._room(len(ids)))
        if out.size:
            kernel.decode(_bytes(rows, self._width), self.codec, out)
        return out

    def submit(self, ids: Array, out: Array | None = None) -> Ticket:
        """As in :class:`weft.features.FeatureTable`."""
        return self._background.submit(self.take, ids, out)

    def close(self) -> None:
        """As in :class:`weft.features.FeatureTable`."""
        self._background.close()
        self.base.close()

    @property
    def window(self) -> int:
        """How many batches ahead the table wants to know; 0: none."""
        return int(getattr(self.base, "window", 0))

    def expect(self, ids: Array) -> None:
        """Announce the rows of a batch, in the order in which batches will be taken."""
        if self.window:
            cache: Any = self.base
            cache.expect(ids)

    def forget(self) -> None:
        """Drop what was announced and not taken."""
        if self.window:
            cache: Any = self.base
            cache.forget()

    def _room(self, rows: int) -> Array:
        """Where the encoded rows go: memory of the thread that asks, taken once."""
        room = getattr(self._scratch, "room", None)
        if room is None or len(room) < rows:
            room = np.empty((rows, self.base.shape[1]), self.base.dtype)
            self._scratch.room = room
        return room[:rows]
