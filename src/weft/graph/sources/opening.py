"""From a path or an object to a source of edges."""

from __future__ import annotations

import glob
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from weft.errors import ParseError, StorageError, WeftTypeError, WeftValueError
from weft.files import check_regular
from weft.graph.sources._sniff import TextOptions
from weft.graph.sources.matrices import open_mat, open_npz
from weft.graph.sources.objects import from_object
from weft.graph.sources.parquet import ParquetSource
from weft.graph.sources.text import TextSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph.sources._columns import Column
    from weft.graph.sources.base import EdgeSource

__all__ = ["open_source"]

_FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "compressed with bzip2; decompress it, or use gzip or zstd",
    b"\xfd7zXZ": "compressed with xz; decompress it, or use gzip or zstd",
    b"\x89HDF": "HDF5",
    b"\x93NUMPY": "a .npy array; load it and pass (src, dst)",
    b"ARROW1": "an Arrow file; write it as Parquet",
    b"SQLite format": "an SQLite database",
}


def open_source(
    source: object,
    *,
    columns: tuple[Column, Column] | None = None,
    weight: Column | Literal[False] | None = None,
    ids: Literal["auto", "int", "string"] = "auto",
    on_error: Literal["fail", "skip"] = "fail",
    variable: str | None = None,
    **text: Any,  # noqa: ANN401
) -> EdgeSource:
    """A source of edges for whatever holds them.

    Args:
        source: a path (a text file, also ``.gz`` or ``.zst``; Parquet: a file, a directory or a pattern
            with ``*``; SciPy's ``.npz``; MATLAB's ``.mat``), a list of Parquet paths, arrays
            ``(src, dst[, weight])``, an object of PyG, NetworkX, SciPy, Polars or pandas, or a source,
            which is given back.
        columns: source and target in a table, by name or by number from 0.
        weight: the column of weights in a table. False: leave weights out.
        ids: what ids are; see ``TextOptions``.
        on_error: skip lines of text that cannot be read, or fail.
        variable: the name of the matrix in a ``.mat`` file; None: ``network``, or the only square one.
        **text: further fields of ``TextOptions``, for text alone.

    Raises:
        ParseError: the file is empty, damaged or of an unknown kind.
        StorageError: it cannot be read.
        WeftTypeError: the object is of a kind that weft does not take.
        WeftValueError: an option is unknown or does not fit the file.
    """
    unknown = set(text) - {field.name for field in fields(TextOptions)}
    if unknown:
        raise WeftValueError(f"open_source: unknown option {', '.join(sorted(unknown))}")
    options = TextOptions(columns=columns, weight=weight, ids=ids, on_error=on_error, **text)
    if hasattr(source, "chunks") and hasattr(source, "id_kind"):
        return cast("EdgeSource", source)
    table = {"columns": columns, "weight": weight, "ids": ids}
    if isinstance(source, (str, os.PathLike)):
        return _open_path(os.fspath(source), options, table, variable)
    if isinstance(source, list) and source and all(isinstance(p, (str, os.PathLike)) for p in source):
        return ParquetSource([Path(p) for p in source], **table)
    opened = from_object(source, columns=columns, weight=weight)
    if ids == "int" and opened.id_kind == "string":
        raise WeftTypeError(f"{opened.name}: ids are strings, and ids='int' was asked for")
    return opened.as_strings() if ids == "string" and opened.id_kind == "int" else opened


def _matrix_weights(weight: object) -> bool | None:
    return None if weight is None else weight is not False


def _open_path(given: str, options: TextOptions, table: dict[str, Any], variable: str | None) -> EdgeSource:
    path = Path(given)
    if not path.exists():
        files = sorted(glob.glob(given, recursive=True)) if any(c in given for c in "*?[") else []
        if files:
            return ParquetSource(cast("Sequence[str]", files), name=given, **table)
        raise StorageError(f"cannot read {given}: no such file")
    if path.is_dir():
        files = sorted(str(p) for p in path.rglob("*.parquet"))
        if not files:
            raise ParseError(f"{path} is a directory without .parquet files; expected a file with edges")
        return ParquetSource(cast("Sequence[str]", files), name=given, **table)
    check_regular(path)
    return _open_file(path, options, table, variable)


def _open_file(path: Path, options: TextOptions, table: dict[str, Any], variable: str | None) -> EdgeSource:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as e:
        raise StorageError(f"cannot read {path}: {e.strerror or e}") from e
    if not head:
        raise ParseError(f"{path} is empty: expected edges, in text one a line such as 'a,b'")
    suffix = path.suffix.lower()
    if head.startswith(b"PAR1") or suffix in (".parquet", ".pq"):
        return ParquetSource([path], **table)
    weighted = _matrix_weights(options.weight)
    matrix: EdgeSource | None = None
    if suffix == ".npz" and head.startswith(b"PK"):
        matrix = open_npz(path, weighted=weighted)
    elif suffix == ".mat" or head.startswith(b"MATLAB 5.0"):
        matrix = open_mat(path, variable=variable, weighted=weighted)
    if matrix is not None:
        return matrix.as_strings() if options.ids == "string" else matrix
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise ParseError(f"{path} cannot be read as edges: it is {what}")
    return TextSource(path, options)
