"""Rows of features from arrays and files, a piece at a time.

Shapes: N rows of F columns, B rows of a piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from weft.errors import ParseError, WeftTypeError, WeftValueError
from weft.features.codec import pieces
from weft.graph._tables import read_column
from weft.graph.sources import listed
from weft.kernels.codec import said_by
from weft.npy import open_npy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.features.table import Array

__all__ = ["ArrayRows", "Piece", "RowSource", "open_rows", "pick"]

# What a column of ids is called when nobody says.
_ID_WORDS = ("id", "node", "node_id", "nodeid", "vertex")


class Piece(NamedTuple):
    """Rows that follow each other.

    ``rows`` is ``[B, F]``, or ``[B]`` records of a codec; ``ids`` is whose they are, ``[B]``, or None: they
    are in the order of the nodes. ``first`` is the number of the first.
    """

    first: int
    rows: Array
    ids: Array | None


class RowSource(Protocol):
    """Where rows come from, read as often as asked for."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def count(self) -> int | None:
        """N; None where it is only known at the end."""
        ...

    @property
    def columns(self) -> int:
        """F."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        ...

    @property
    def id_column(self) -> str | None:
        """The column that says whose a row is; None if none does."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """The rows, in order.

        Raises:
            ParseError: a row cannot be read, by its number.
            StorageError: the system refuses a read.
        """
        ...


class ArrayRows:
    """Rows of an array or a ``.npy`` file.

    Args:
        given: numbers ``[N, F]``, or records ``[N]`` of a codec, or a file of either.
        id_column: the number of a column that holds ids.
        ids: of the rows, ``[N]``.

    Raises:
        FormatError: the file is no ``.npy``, or ends early.
        WeftValueError: it holds something else, or there are not as many ids.
    """

    def __init__(self, given: Array | Path, id_column: int | None = None, ids: Array | None = None) -> None:
        self._given, self._column, self._ids = given, id_column, ids
        self.name = f"features {given}" if isinstance(given, Path) else "features"
        rows = open_npy(given) if isinstance(given, Path) else given
        said = said_by(rows.dtype) if rows.ndim == 1 else None
        if said is None and (rows.ndim != 2 or rows.dtype.kind not in "fiub"):
            raise WeftValueError(f"{self.name} must be numbers [N, F] (got {rows.dtype} {list(rows.shape)})")
        if id_column is not None and (said is not None or not 0 <= id_column < rows.shape[1]):
            there = 0 if said is not None else rows.shape[1]
            raise WeftValueError(f"{self.name} has no column {id_column} of ids: it has {there} columns")
        self.count, self.dtype = len(rows), rows.dtype
        self.columns = said[1] if said is not None else rows.shape[1] - (id_column is not None)
        if ids is not None and (ids.ndim != 1 or len(ids) != self.count):
            raise WeftValueError(f"{self.name} has {self.count:,} rows but {ids.size:,} ids")
        self.id_column = f"column {id_column}" if id_column is not None else None
        if ids is not None:
            self.id_column = "the ids given"

    def pieces(self) -> Iterator[Piece]:
        """As in :class:`RowSource`."""
        for first, rows in pieces(self._given):
            if self._column is None:
                yield Piece(first, rows, None if self._ids is None else self._ids[first : first + len(rows)])
                continue
            ids = np.asarray(rows[:, self._column])
            wrong = ~(np.isfinite(ids) & (ids == np.floor(ids)))
            if wrong.any():
                at = int(wrong.argmax())
                raise ParseError(
                    f"{self.name} row {first + at:,}: {ids[at]} in column {self._column} is no id: it is no "
                    "whole number"
                )
            yield Piece(first, np.delete(rows, self._column, 1), ids.astype(np.int64))


def open_rows(
    given: Any,  # noqa: ANN401
    *,
    columns: Sequence[int | str] | None = None,
    feature_ids: Any = None,  # noqa: ANN401
    kind: str = "int",
) -> RowSource:
    """The rows of whatever is given.

    Args:
        given: an array, a tensor, or a path: ``.npy``, ``.parquet``, else text; after a colon, columns of a
            table may follow, separated by commas.
        columns: those of a table that are features, by name, by a pattern (``f*``) or by number from 0; by
            default all that hold numbers and are not the ids.
        feature_ids: whose each row is: a column, by name or number; or a file or an array of ids. By default
            the column of a table that is called id, node or the like.
        kind: of the graph's ids.

    Raises:
        ParseError: a file cannot be read as what it should be, or has no such column.
        WeftTypeError: it is nothing of these.
        WeftValueError: an option does not fit.
    """
    from weft.features.tables import ParquetRows, TextRows

    if not isinstance(given, str) and not hasattr(given, "__fspath__"):
        rows: Any = given.detach().cpu().numpy() if hasattr(given, "detach") else given
        if not hasattr(rows, "__array__") and not isinstance(rows, Sequence):
            raise WeftTypeError(f"features must be an array, a tensor or a path (got {type(given).__name__})")
        rows = rows if isinstance(rows, np.ndarray) else np.asarray(rows)
        return _array(rows, columns, feature_ids, kind)
    path = Path(given)
    if not path.exists() and ":" in path.name:
        if columns is not None:
            raise WeftValueError(f"features: columns are given twice, in {path.name} and as {list(columns)}")
        name, _, after = str(given).rpartition(":")
        path, columns = Path(name), [word.strip() for word in after.split(",") if word.strip()]
    if path.suffix == ".npy":
        return _array(path, columns, feature_ids, kind)
    table = ParquetRows if path.suffix in (".parquet", ".pq") else TextRows
    if isinstance(feature_ids, int) or (isinstance(feature_ids, str) and not Path(feature_ids).is_file()):
        return table(path, columns, feature_ids, kind)
    return table(path, columns, None, kind, _ids_of(feature_ids, kind))


def _array(
    given: Array | Path,
    columns: Sequence[int | str] | None,
    feature_ids: Any,  # noqa: ANN401
    kind: str,
) -> ArrayRows:
    if columns is not None:
        raise WeftValueError("features: columns are for tables; of an array give rows[:, columns]")
    if isinstance(feature_ids, int):
        return ArrayRows(given, feature_ids)
    return ArrayRows(given, ids=_ids_of(feature_ids, kind))


def _ids_of(feature_ids: Any, kind: str) -> Array | None:  # noqa: ANN401
    """Ids of rows from a file or an array."""
    if feature_ids is None:
        return None
    if isinstance(feature_ids, str) or hasattr(feature_ids, "__fspath__"):
        return read_column(Path(feature_ids), kind)
    return np.asarray(feature_ids)


def pick(
    table: str,
    names: Sequence[str],
    numeric: Sequence[bool],
    columns: Sequence[int | str] | None,
    feature_ids: int | str | None,
    *,
    search: bool = True,
) -> tuple[list[int], int | None]:
    """Which columns of a table are features, and which holds the ids.

    Args:
        table: its name, for messages.
        names: of its columns.
        numeric: whether they hold numbers.
        columns: as in :func:`open_rows`.
        feature_ids: as in :func:`open_rows`.
        search: look for ids by the names of columns.

    Raises:
        ParseError: there is no such column, or none with numbers.
    """
    at = None if feature_ids is None else _find(table, names, feature_ids)[0]
    if at is None and search:
        lowered = [name.strip().lower() for name in names]
        at = next((lowered.index(word) for word in _ID_WORDS if word in lowered), None)
    if columns is None:
        chosen = [i for i, number in enumerate(numeric) if number and i != at]
    else:
        chosen = [i for column in columns for i in _find(table, names, column)]
        at = None if feature_ids is None and at in chosen else at
    if not chosen:
        raise ParseError(f"{table} has no columns of numbers beside the ids; it has {listed(names)}")
    for i in chosen:
        if not numeric[i]:
            raise ParseError(f"{table}: column {names[i]!r} does not hold numbers; name the columns that do")
    return chosen, at


def _find(table: str, names: Sequence[str], column: int | str) -> list[int]:
    if isinstance(column, str):
        found = [i for i, name in enumerate(names) if name == column]
        found = found or [i for i, name in enumerate(names) if fnmatchcase(name, column)]
        if found:
            return found
    if (isinstance(column, int) or column.isdigit()) and int(column) < len(names):
        return [int(column)]
    raise ParseError(f"{table} has no column {column!r}; it has {listed(names)}")
