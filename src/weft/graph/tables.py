"""Edges and labels as tables: Parquet or separated text, written in pieces of bounded size."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weft.errors import StorageError, WeftValueError
from weft.files import replacing, storage_errors

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import numpy.typing as npt
    import polars as pl

    from weft.graph.ids import Ids
    from weft.graph.sources.base import EdgeSource

__all__ = ["write_edges", "write_labels"]

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": " "}
_ROW_GROUP = 1 << 20


def write_edges(source: EdgeSource, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write the edges of a source with integer ids as columns ``src``, ``dst`` and ``weight``, if any.

    Args:
        source: where the edges come from.
        path: ends in ``.parquet``, ``.csv``, ``.tsv`` or ``.txt`` (spaces).
        overwrite: replace a file that is there already.

    Raises:
        WeftValueError: the ending is another, or the file exists.
        StorageError: the disk is full, or the system refuses otherwise.
    """
    place = Path(path)
    if place.suffix not in (".parquet", *_SEPARATORS):
        raise WeftValueError(
            f"cannot write {place}: its name must end in .parquet, .csv, .tsv or .txt (got '{place.suffix}')"
        )
    with _beside(place, overwrite) as temporary:
        if place.suffix == ".parquet":
            _sink_parquet(source, temporary, place)
        else:
            _write_text(_frames(source), temporary, _SEPARATORS[place.suffix])
    return place


def write_labels(
    labels: npt.NDArray[np.int64], ids: Ids, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write one ``id,label`` line for each node.

    Raises:
        WeftValueError: the file exists.
        StorageError: the disk is full, or the system refuses otherwise.
    """
    import polars as pl

    with _beside(Path(path), overwrite) as temporary:
        table = pl.DataFrame({"id": ids.take(np.arange(len(ids))), "label": labels})
        _write_text(iter([table]), temporary, ",")
    return Path(path)


@contextlib.contextmanager
def _beside(place: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary name beside ``place``, which is renamed when all went well."""
    if place.exists() and not overwrite:
        raise WeftValueError(
            f"cannot write {place}: it exists; choose another place, or "
            "pass --overwrite (overwrite=True in Python)"
        )
    with storage_errors("create", place):
        place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as temporary:
        yield temporary


def _frames(source: EdgeSource) -> Iterator[pl.DataFrame]:
    import polars as pl

    for chunk in source.chunks():
        columns: dict[str, object] = {"src": chunk.src, "dst": chunk.dst}
        if chunk.weight is not None:
            columns["weight"] = chunk.weight
        yield pl.DataFrame(columns)


def _write_text(frames: Iterator[pl.DataFrame], path: Path, separator: str) -> None:
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            frame.write_csv(file, include_header=number == 0, separator=separator)


def _sink_parquet(source: EdgeSource, path: Path, place: Path) -> None:
    import polars as pl
    from polars.io.plugins import register_io_source

    def pieces(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del predicate, n_rows, batch_size
        for frame in _frames(source):
            yield frame if with_columns is None else frame.select(with_columns)

    schema = {"src": pl.Int64, "dst": pl.Int64} | ({"weight": pl.Float32} if source.weighted else {})
    try:
        register_io_source(pieces, schema=schema).sink_parquet(
            path, row_group_size=_ROW_GROUP, compression="zstd", compression_level=1
        )
    except pl.exceptions.PolarsError as error:
        raise StorageError(f"cannot write {place}: {error}") from error
