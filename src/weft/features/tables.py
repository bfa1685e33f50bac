"""Rows of features from tables: Parquet and separated text, a piece at a time.

Shapes: N rows of F columns, B rows of a piece.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ParseError
from weft.features.sources import Piece, pick
from weft.graph.sources import blocks, parquet_rows, parquet_schema, reading_parquet, sample, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from weft.features.table import Array

__all__ = ["ParquetRows", "TextRows"]

_PIECE = 16 << 20  # bytes of rows at a time
_MISSING = ("", "NA", "N/A", "null", "None")
_TEXT = 4 << 20  # bytes of text at a time: Polars takes about ten times as much


class ParquetRows:
    """Rows of a Parquet file; each column is a number, or a list of as many numbers in every row.

    Args:
        path: the file.
        columns: as in :func:`weft.features.sources.open_rows`.
        feature_ids: the column of ids.
        kind: of the graph's ids.
        ids: of the rows, ``[N]``, if no column has them.

    Raises:
        ParseError: it is no Parquet file or damaged, or has no such columns.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[int | str] | None = None,
        feature_ids: int | str | None = None,
        kind: str = "int",
        ids: Array | None = None,
    ) -> None:
        import polars as pl

        self._path, self._kind, self._ids = path, kind, ids
        self.name = f"features {path}"
        schema = parquet_schema(path)
        names = list(schema)
        numeric = [_is_number(dtype) or _is_list(dtype) for dtype in schema.values()]
        chosen, at = pick(self.name, names, numeric, columns, feature_ids, search=ids is None)
        self._columns = [names[i] for i in chosen]
        self._id = None if at is None else names[at]
        self.id_column = "the ids given" if ids is not None else self._id
        self.count = parquet_rows(path)
        if ids is not None and len(ids) != self.count:
            raise ParseError(f"{self.name} has {self.count:,} rows but {len(ids):,} ids")
        kinds = {_inner(schema[name]) for name in self._columns}
        common = kinds.pop() if len(kinds) == 1 else pl.Float64() if pl.Float64() in kinds else pl.Float32()
        self._dtype = common
        self.dtype = (
            pl.Series([], dtype=common).cast(pl.UInt8 if common == pl.Boolean else common).to_numpy().dtype
        )
        self._widths = self._measure(schema)
        self.columns = sum(self._widths)

    def _measure(self, schema: pl.Schema) -> list[int]:
        """How many numbers each column has: as many as in its first row."""
        import polars as pl

        lists = [name for name in self._columns if _is_list(schema[name])]
        if not lists:
            return [1] * len(self._columns)
        with reading_parquet(self._path):
            head = pl.scan_parquet(self._path).select(lists).head(1).collect()
        first = {name: int(_lengths(head[name])[0]) if len(head) else 0 for name in lists}
        return [first.get(name, 1) for name in self._columns]

    def pieces(self) -> Iterator[Piece]:
        """As in :class:`weft.features.sources.RowSource`."""
        import polars as pl

        wanted = self._columns + ([] if self._id is None else [self._id])
        table = pl.scan_parquet(self._path).select(wanted)
        step = max(1, _PIECE // max(1, self.columns * self.dtype.itemsize))
        for first in range(0, self.count, step):
            with reading_parquet(self._path):
                frame = table.slice(first, step).collect()
            parts = [
                self._numbers(frame[name], width, first)
                for name, width in zip(self._columns, self._widths, strict=True)
            ]
            ids = None if self._ids is None else self._ids[first : first + step]
            if self._id is not None:
                ids = _ids(self.name, frame[self._id], self._kind, first)
            rows = np.hstack(parts) if parts else np.empty((len(frame), 0), self.dtype)
            yield Piece(first, rows, ids)

    def _numbers(self, series: pl.Series, width: int, first: int) -> Array:

        if _is_list(series.dtype):
            lengths = _lengths(series)
            if (lengths != width).any():
                at = int((lengths != width).argmax())
                raise ParseError(
                    f"{self.name} row {first + at:,} has {lengths[at]} numbers in column {series.name!r}, "
                    f"the first row has {width}"
                )
            series = series.explode() if width else series.clear().cast(self._dtype)
        if series.null_count() and self.dtype.kind != "f":
            at = int(series.is_null().arg_max() or 0) // max(1, width)
            raise ParseError(f"{self.name} row {first + at:,} has no value in column {series.name!r}")
        # Of floats, what is missing is no number.
        return series.cast(self._dtype).to_numpy().astype(self.dtype, copy=False).reshape(-1, width)


class TextRows:
    """Rows of separated text, plain, gzip or zstd, with or without a line of names; numbers become float32.

    What is missing is NaN. Lines that begin with ``#`` are comments.

    Args:
        path: the file.
        columns: as in :func:`weft.features.sources.open_rows`.
        feature_ids: the column of ids; without names and of ids that are text, the first that is no number.
        kind: of the graph's ids.
        ids: of the rows, ``[N]``, if no column has them.

    Raises:
        ParseError: the file is empty, or has no such columns.
    """

    count: int | None = None
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        path: Path,
        columns: Sequence[int | str] | None = None,
        feature_ids: int | str | None = None,
        kind: str = "int",
        ids: Array | None = None,
    ) -> None:
        self._path, self._kind, self._ids = path, kind, ids
        self.name = f"features {path}"
        lines = [line for line in sample(path).decode("utf-8", "replace").splitlines() if _is_data(line)]
        if not lines:
            raise ParseError(f"{self.name} holds no lines")
        self._delimiter = next((mark for mark in ("\t", ",", ";") if mark in lines[0]), " ")
        first = self._split(lines[0])
        second = self._split(lines[1]) if len(lines) > 1 else []
        # Names are no numbers; a first line that has some is a row.
        self._headed = not any(map(_number, first)) and (any(map(_number, second)) or len(lines) == 1)
        row = second if self._headed else first
        if not row:
            raise ParseError(f"{self.name} holds no rows: it has a line of names alone")
        names = first if self._headed else [str(i) for i in range(len(first))]
        numeric = [_number(text) or not text for text in row]
        if kind == "string" and not self._headed and not numeric[0] and feature_ids is None and ids is None:
            feature_ids = 0
        chosen, at = pick(
            self.name, names, numeric, columns, feature_ids, search=ids is None and self._headed
        )
        self._chosen, self._at, self._width = chosen, at, len(names)
        self.columns = len(chosen)
        self.id_column = "the ids given" if ids is not None else None if at is None else names[at]

    def _split(self, line: str) -> list[str]:
        parts = line.split() if self._delimiter == " " else line.split(self._delimiter)
        return [part.strip().strip('"') for part in parts]

    def pieces(self) -> Iterator[Piece]:
        """As in :class:`weft.features.sources.RowSource`."""
        first, line, skip = 0, 0, self._headed
        for block in blocks(self._path, _TEXT):
            text = block.text.tobytes()
            frame, skip = self._frame(text, line, skip), False
            line += text.count(b"\n")
            if frame is None:
                continue
            rows = np.empty((len(frame), self.columns), np.float32)
            for place, column in enumerate(self._chosen):
                rows[:, place] = frame.to_series(column).to_numpy()
            ids = None if self._ids is None else self._ids[first : first + len(rows)]
            if self._at is not None:
                ids = _ids(self.name, frame.to_series(self._at), self._kind, first)
            yield Piece(first, rows, ids)
            first += len(rows)
        if self._ids is not None and first != len(self._ids):
            raise ParseError(f"{self.name} has {first:,} rows but {len(self._ids):,} ids")

    def _frame(self, text: bytes, line: int, skip: bool) -> pl.DataFrame | None:
        """The rows of a block of text; None if there are none."""
        import polars as pl

        if skip:
            text, line = self._after_names(text, line)
        if self._delimiter == " ":  # runs of blanks are one
            text = b"\n".join(b" ".join(one.split()) for one in text.split(b"\n"))
        schema: dict[str, Any] = {
            f"c{i}": pl.Float32 if i in self._chosen else pl.String for i in range(self._width)
        }
        try:
            frame = pl.read_csv(
                io.BytesIO(text),
                has_header=False,
                separator=self._delimiter,
                schema=schema,
                comment_prefix="#",
                null_values=list(_MISSING),
            )
        except pl.exceptions.NoDataError:
            return None
        except pl.exceptions.PolarsError:
            return pl.DataFrame(self._slowly(text, line), schema=schema, orient="row")
        if frame.to_series(self._width - 1).null_count():
            self._slowly(text, line)  # a value is missing, or a line is short
        return frame

    def _after_names(self, text: bytes, line: int) -> tuple[bytes, int]:
        """The text without its first line of data, and the number of the line before the rest."""
        at = 0
        while at < len(text):
            end = text.find(b"\n", at) + 1 or len(text)
            row, at, line = text[at:end], end, line + 1
            if _is_data(row.decode("utf-8", "replace")):
                break
        return text[at:], line

    def _slowly(self, text: bytes, line: int) -> list[list[object]]:
        """What Polars does not read, as numbers with blanks around; else the line that is wrong is named."""
        rows: list[list[object]] = []
        for number, raw in enumerate(text.split(b"\n"), line + 1):
            shown = raw.decode("utf-8", "replace").strip("\r")
            if not _is_data(shown):
                continue
            fields, where = self._split(shown), f"{self.name} line {number:,}: {shorten(shown)}"
            if len(fields) != self._width:
                raise ParseError(f"{where} has {len(fields)} fields, expected {self._width}")
            row: list[object] = []
            for i, one in enumerate(fields):
                if i in self._chosen and not _number(one) and one not in _MISSING:
                    raise ParseError(f"{where}: {shorten(one)} in column {i} is no number")
                row.append(None if one in _MISSING else float(one) if i in self._chosen else one)
            rows.append(row)
        return rows


def _is_data(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ids(name: str, series: pl.Series, kind: str, first: int) -> Array:
    """Ids of rows as the graph has them: int64, or objects of str."""
    import polars as pl

    if series.null_count():
        at = int(series.is_null().arg_max() or 0)
        raise ParseError(f"{name} row {first + at:,} has no id in column {series.name!r}")
    if kind == "string":
        text = series.cast(pl.String)
        return np.array(text.to_list(), object)
    whole = series.cast(pl.Int64, strict=False)
    if whole.null_count():
        at = int(whole.is_null().arg_max() or 0)
        raise ParseError(
            f"{name} row {first + at:,}: {shorten(str(series[at]))} is no integer id, as those of the graph "
            "are"
        )
    return whole.to_numpy()


def _is_number(dtype: Any) -> bool:  # noqa: ANN401
    import polars as pl

    return dtype.is_float() or dtype.is_integer() or dtype == pl.Boolean


def _is_list(dtype: Any) -> bool:  # noqa: ANN401
    import polars as pl

    return isinstance(dtype, pl.List | pl.Array) and _is_number(dtype.inner)


def _lengths(series: pl.Series) -> Array:
    """How many numbers each row of a column of lists has."""
    import polars as pl

    return series.cast(pl.List(_inner(series.dtype))).list.len().fill_null(0).to_numpy()


def _inner(dtype: Any) -> Any:  # noqa: ANN401
    return dtype.inner if _is_list(dtype) else dtype
