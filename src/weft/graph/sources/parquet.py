"""Edges in Parquet files, read a slice of rows at a time."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.errors import IdRangeError, ParseError, StorageError
from weft.files import check_regular
from weft.graph.ids import Strings
from weft.graph.sources._columns import Column, pick_ends, pick_weight
from weft.graph.sources._messages import listed
from weft.graph.sources.arrays import CHUNK, check_weights
from weft.graph.sources.base import EdgeChunk, IdArray, IdKind, ReadReport

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import polars as pl

__all__ = ["ParquetSource", "parquet_rows", "parquet_schema", "reading_parquet"]


class ParquetSource:
    """Edges in one Parquet file, or in several that have the same columns.

    A slice of rows is decoded at a time: 268 M edges pass through 0.2 GB of memory.

    Args:
        paths: files, in the order in which they are read.
        columns: source and target by name or number; None: the columns called source and target (src
            and dst, from and to), else the first two.
        weight: column of the weight; None: a column called weight, w, value or rating. False: none.
        ids: "int", "string", or "auto": what the columns hold.
        name: what messages call the files together.

    Raises:
        ParseError: a file is no Parquet or is damaged, columns are missing or hold something else.
        StorageError: a file cannot be read.
    """

    rereadable = True
    num_nodes: int | None = None
    isolated: IdArray | None = None

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        columns: tuple[Column, Column] | None = None,
        weight: Column | Literal[False] | None = None,
        ids: Literal["auto", "int", "string"] = "auto",
        name: str | None = None,
    ) -> None:
        self.paths = [Path(path) for path in paths]
        if not self.paths:
            raise ParseError("no Parquet files were given")
        self.name = name or str(self.paths[0])
        self.position = 0
        self._columns, self._weight_asked, self._ids = columns, weight, ids
        self._sizes = [_size(path) for path in self.paths]
        schemas = [parquet_schema(path) for path in self.paths]
        names = list(schemas[0])
        if len(names) < 2:
            raise ParseError(f"{self.paths[0]} has {len(names)} column, expected at least 2 (source, target)")
        ends = pick_ends(str(self.paths[0]), names, columns)
        at = pick_weight(str(self.paths[0]), names, weight, ends)
        for column in (*ends, *([] if at is None else [at])):
            if not 0 <= column < len(names):
                raise ParseError(f"{self.paths[0]} has no column {column}; it has {listed(names)}")
        self._ends = names[ends[0]], names[ends[1]]
        self._weight = None if at is None else names[at]
        kinds = [
            _kind(path, schema, column)
            for path, schema in zip(self.paths, schemas, strict=True)
            for column in self._ends
        ]
        if ids == "int" and "string" in kinds:
            raise ParseError(
                f"{self.name}: columns {self._ends} hold strings, and --ids int (ids='int' in "
                "Python) was asked for"
            )
        self.id_kind: IdKind = "string" if ids == "string" or "string" in kinds else "int"
        if self._weight is not None:
            for path, schema in zip(self.paths, schemas, strict=True):
                if not schema.get(self._weight, _none()).is_numeric():
                    raise ParseError(f"{path}: the weight column {self._weight!r} does not hold numbers")
        self._rows = [parquet_rows(path) for path in self.paths]
        self.num_edges: int | None = sum(self._rows)
        if self.num_edges == 0:
            raise ParseError(f"{self.name} holds no edges: its tables have no rows")
        rest = [n for n in names if n not in (*self._ends, self._weight)]
        self._notes = (f"columns not used: {listed(rest)}",) if rest else ()

    @property
    def weighted(self) -> bool:
        """Whether a column is read as the weight."""
        return self._weight is not None

    def size_hint(self) -> int:
        """The size of the files."""
        return sum(self._sizes)

    def as_strings(self) -> ParquetSource:
        """The same files with string ids."""
        return ParquetSource(
            self.paths, columns=self._columns, weight=self._weight_asked, ids="string", name=self.name
        )

    def report(self) -> ReadReport:
        """Columns that are not used."""
        return ReadReport(notes=self._notes)

    def chunks(self) -> Iterator[EdgeChunk]:
        """The edges in order; see ``EdgeSource.chunks``."""
        import polars as pl

        before = 0
        for path, rows, size in zip(self.paths, self._rows, self._sizes, strict=True):
            columns = [*self._ends, *([] if self._weight is None else [self._weight])]
            table = pl.scan_parquet(path).select(columns)
            for begin in range(0, rows, CHUNK):
                with reading_parquet(path):
                    frame = table.slice(begin, CHUNK).collect()
                self.position = before + size * min(rows, begin + CHUNK) // rows
                yield self._chunk(path, frame, begin)
            before += size

    def _chunk(self, path: Path, frame: pl.DataFrame, first: int) -> EdgeChunk:
        for series in frame.iter_columns():
            if series.null_count():
                row = first + int(series.is_null().arg_max() or 0) + 1
                raise ParseError(f"{path} row {row:,} has no value in the column {series.name!r}")
        src, dst = (self._ids_of(path, frame[name], first) for name in self._ends)
        weight = None
        if self._weight is not None:
            weight = check_weights(str(path), frame[self._weight].to_numpy(), first, "row")
        return EdgeChunk(src, dst, weight)

    def _ids_of(self, path: Path, series: pl.Series, first: int) -> IdArray:
        import polars as pl

        if self.id_kind == "string":
            return _strings(series.cast(pl.String))
        if series.dtype == pl.UInt64 and len(series) and int(str(series.max())) >= 2**63:
            row = first + int((series >= 2**63).arg_max() or 0)
            # Who asked for integers must not be given strings instead.
            wrong = ParseError if self._ids == "int" else IdRangeError
            raise wrong(
                f"{path} row {row + 1:,} has the id {series[row - first]}, which does not fit into int64; "
                "read it with weft import --ids string (ids='string' in Python)"
            )
        return np.ascontiguousarray(series.cast(pl.Int64).to_numpy())


def _strings(series: pl.Series) -> Strings:
    lengths = series.str.len_bytes().to_numpy()
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    text = series.str.join("").item() or ""
    return Strings(np.frombuffer(text.encode(), np.uint8), offsets)


def _kind(path: Path, schema: pl.Schema, column: str) -> IdKind:
    import polars as pl

    dtype: Any = schema.get(column)
    if dtype is None:
        raise ParseError(f"{path} has no column {column!r}; it has {listed(schema)}")
    if dtype.is_integer():
        return "int"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "string"
    raise ParseError(f"{path}: column {column!r} holds {dtype}, expected integers or strings")


def _none() -> pl.DataType:
    import polars as pl

    return pl.Null()


def _size(path: Path) -> int:
    check_regular(path)
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0, 2)
            size = file.tell()
            file.seek(max(0, size - 4))
            tail = file.read(4)
    except OSError as e:
        raise StorageError(f"cannot read {path}: {e.strerror or e}") from e
    if size == 0:
        raise ParseError(f"{path} is empty")
    if head != b"PAR1":
        raise ParseError(f"{path} is no Parquet file: it does not begin with PAR1")
    if size < 12 or tail != b"PAR1":
        raise ParseError(f"{path} is truncated: it does not end with PAR1, copy it again ({size:,} bytes)")
    return size


def parquet_schema(path: Path) -> pl.Schema:
    """The columns of a file and what they hold.

    Raises:
        ParseError: it is no Parquet file, or damaged.
        StorageError: it cannot be read.
    """
    _size(path)
    import polars as pl

    with reading_parquet(path):
        return pl.scan_parquet(path).collect_schema()


def parquet_rows(path: Path) -> int:
    """How many rows a file has."""
    import polars as pl

    with reading_parquet(path):
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())


@contextmanager
def reading_parquet(path: Path) -> Generator[None]:
    """Errors of Polars become ours."""
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as e:
        first = str(e).splitlines()[0] if str(e) else type(e).__name__
        if isinstance(e, OSError) and e.errno is not None:
            raise StorageError(f"cannot read {path}: {first}") from e
        raise ParseError(f"{path} is damaged or no Parquet file: {first}; write it again") from e
