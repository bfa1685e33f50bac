"""Vectors as files that other programs read, always with the ids of the input.

=================  =========================================================================
``.npy``           float32 ``[N, D]``; ids beside it in ``NAME.ids.npy`` (int64), or where
                   they are strings in ``NAME.ids.txt``, a line each
``.parquet``       columns ``id`` and ``vector`` (a fixed-size list of float32)
``.txt``, ``.vec`` word2vec's text form: ``N D``, then per line the id and its D numbers
=================  =========================================================================
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import StorageError, WeftValueError
from weft.files import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from weft.graph import Ids

__all__ = ["FORMATS", "export_vectors"]

FORMATS = (".npy", ".parquet", ".txt", ".vec")

_BLOCK_ROWS = 1 << 14


def export_vectors(
    vectors_ND: npt.NDArray[np.floating], ids: Ids, path: str | os.PathLike[str]
) -> list[Path]:
    """Write vectors and ids; the ending of ``path`` says how.

    Files appear under their names when they are complete. Numbers in text are the shortest that read
    back as the same float32.

    Args:
        vectors_ND: float ``[N, D]``.
        ids: of the N nodes.
        path: ends in ``.npy``, ``.parquet``, ``.txt`` or ``.vec``.

    Returns:
        The files written.

    Raises:
        WeftValueError: the ending is none of these, the lengths differ, or an id has white space that
            the form cannot hold.
        StorageError: the system refuses to write.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise WeftValueError(f"export to {path}: the name must end in one of {', '.join(FORMATS)}")
    if vectors_ND.ndim != 2 or len(vectors_ND) != len(ids):
        raise WeftValueError(
            f"export: vectors must be [{len(ids)}, D], a row per id (got {list(vectors_ND.shape)})"
        )
    if path.suffix == ".npy":
        return _npy(vectors_ND, ids, path)
    if path.suffix == ".parquet":
        return [_write(path, lambda file: _parquet(vectors_ND, ids, file, path))]
    return [_write(path, lambda file: _text(vectors_ND, ids, file))]


def _npy(vectors_ND: npt.NDArray[np.floating], ids: Ids, path: Path) -> list[Path]:
    if ids.kind == "string":
        beside = path.with_suffix(".ids.txt")

        def put(file: IO[bytes]) -> None:
            for names in _id_blocks(ids):
                _refuse(names, "\n\r", "a line break", path)
                file.write("".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape"))
    else:
        beside = path.with_suffix(".ids.npy")

        def put(file: IO[bytes]) -> None:
            _save(file, ids.take(np.arange(len(ids))))

    table = _write(path, lambda file: _save(file, np.asarray(vectors_ND, np.float32)))
    return [table, _write(beside, put)]


def _parquet(vectors_ND: npt.NDArray[np.floating], ids: Ids, file: IO[bytes], path: Path) -> None:
    import polars as pl

    names = ids.take(np.arange(len(ids)))
    column = pl.Series("id", names.tolist(), pl.String) if ids.kind == "string" else pl.Series("id", names)
    width = pl.Array(pl.Float32, vectors_ND.shape[1])
    vector = pl.Series("vector", np.ascontiguousarray(vectors_ND, np.float32), width)
    try:
        pl.DataFrame([column, vector]).write_parquet(file)
    except pl.exceptions.PolarsError as error:
        raise StorageError(f"cannot write {path}: {error}") from error


def _text(vectors_ND: npt.NDArray[np.floating], ids: Ids, file: IO[bytes]) -> None:
    import polars as pl

    file.write(f"{vectors_ND.shape[0]} {vectors_ND.shape[1]}\n".encode())
    for block, names in enumerate(_id_blocks(ids)):
        _refuse(names, None, "white space", None)
        rows = slice(block * _BLOCK_ROWS, (block + 1) * _BLOCK_ROWS)
        part = np.ascontiguousarray(vectors_ND[rows], np.float32)
        frame = pl.DataFrame(part, schema=[f"v{i}" for i in range(part.shape[1])], orient="row")
        frame.insert_column(0, pl.Series("id", names, pl.String))
        frame.write_csv(file, include_header=False, separator=" ", quote_style="never")


def _id_blocks(ids: Ids) -> Iterator[list[str]]:
    """The ids as text, a block of rows at a time."""
    for begin in range(0, len(ids), _BLOCK_ROWS):
        nodes = np.arange(begin, min(begin + _BLOCK_ROWS, len(ids)))
        yield [str(name) for name in ids.take(nodes)]


def _refuse(names: list[str], characters: str | None, what: str, path: Path | None) -> None:
    """Refuse ids that would break the form."""
    for name in names:
        broken = name.split() != [name] if characters is None else any(c in name for c in characters)
        if broken:
            form = "word2vec's text form" if path is None else f"{path.with_suffix('.ids.txt')}"
            raise WeftValueError(f"export: id {name!r} has {what}, which {form} cannot hold; use .parquet")


def _write(path: Path, put: Callable[[IO[bytes]], None]) -> Path:
    """Write beside, sync, rename."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        put(file)
    return path


def _save(file: IO[bytes], array: npt.NDArray[Any]) -> None:
    """As ``np.save``, whose error about a full disk does not say that the disk is full."""
    array = np.ascontiguousarray(array)
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    file.write(array.reshape(-1).view(np.uint8).data)
