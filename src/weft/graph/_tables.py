"""Small tables beside the edges: columns of ids, ``.npy`` files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import FormatError, ParseError
from weft.graph._files import storage_errors

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

__all__ = ["open_npy", "read_column"]

_ID_WORDS = {"id", "node", "node_id", "nodeid", "vertex", "name", "user", "item"}


def read_column(path: Path, kind: str) -> npt.NDArray[Any]:
    """Ids from a ``.npy`` file or from the first column of a text file.

    Raises:
        ParseError: naming the line.
        FormatError: the ``.npy`` file is damaged.
    """
    if path.suffix == ".npy":
        return np.asarray(open_npy(path))
    table, skipped = _read(path)
    headed = str(table.row(0)[0]).strip().lower() in _ID_WORDS
    return _ids(path, table[:, 0].slice(int(headed)), kind, skipped + headed)


def _read(path: Path) -> tuple[pl.DataFrame, int]:
    """All fields as text, and how many comment lines there are before the first of them."""
    import polars as pl

    with storage_errors("read", path):
        raw = path.read_bytes()
    raw = _unpacked(raw)
    lines = raw.splitlines(keepends=True)
    content = [line for line in lines if line.strip() and not line.lstrip().startswith((b"#", b"%"))]
    if not content:
        raise ParseError(f"{path} holds no lines; expected an id and a label on each")
    first = content[0].decode("utf-8", "replace")
    separator = next((s for s in ("\t", ",", ";", " ") if s in first.strip()), ",")
    try:
        table = pl.read_csv(
            io.BytesIO(b"".join(content)), separator=separator, has_header=False, infer_schema=False
        )
    except pl.exceptions.PolarsError as error:
        raise ParseError(f"{path} cannot be read as a table: {str(error).splitlines()[0]}") from None
    return table, lines.index(content[0])


def _unpacked(raw: bytes) -> bytes:
    if raw[:2] == b"\x1f\x8b":
        import gzip

        return gzip.decompress(raw)
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(raw).read()
    return raw


def _ids(path: Path, column: pl.Series, kind: str, before: int) -> npt.NDArray[Any]:
    texts = [str(v).strip() for v in column.to_list()]
    if kind == "string":
        out = np.empty(len(texts), object)
        out[:] = texts
        return out
    values = [_integer(text) for text in texts]
    if None in values:
        at = values.index(None)
        raise ParseError(
            f"{path} line {at + before + 1}: '{texts[at]}' is no integer id, as those of the edges are"
        )
    return np.array(values, np.int64)


def _integer(text: str) -> int | None:
    try:
        value = int(text)
    except ValueError:
        return None
    return value if -(1 << 63) <= value < 1 << 63 else None


def open_npy(path: Path) -> npt.NDArray[Any]:
    """Map a ``.npy`` file.

    Raises:
        FormatError: it is no such file, or its size is not what its header says.
    """
    with storage_errors("read", path), path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read(file)
        except ValueError:
            raise FormatError(f"{path} is not a .npy file: save it with numpy.save") from None
        if dtype.hasobject:
            raise FormatError(f"{path} holds Python objects; save an array of numbers")
        expected = file.tell() + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        held = path.stat().st_size
        if held != expected:
            why = (
                "it is truncated, copy it again" if held < expected else "it is not the file that was written"
            )
            raise FormatError(f"{path} holds {held:,} bytes, its header says {expected:,}; {why}")
        if 0 in shape:
            return np.zeros(shape, dtype)
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")
