"""Events in Parquet files, a slice of rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.checks import check_int, check_path
from weft.errors import ParseError
from weft.graph.sources import parquet_rows, parquet_schema, reading_parquet
from weft.graph.temporal import as_times
from weft.stream.batch import ADD, DELETE, Batch, Offset

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

__all__ = ["ParquetSource"]


class ParquetSource:
    """Rows of source, target and time; several files are one stream, in the order given.

    Args:
        path: a file, or several with the same columns.
        columns: of source, target and time, by name.
        op: column of what is done; None: events are added.
        delete: what it says of a deletion.
        eid: column of ids of events; None: by arrival.
        rows: that are read together.

    Raises:
        ParseError: a file is damaged, or lacks a column.
        StorageError: a file cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        columns: Sequence[str] = ("source", "target", "time"),
        op: str | None = None,
        delete: Sequence[str] = ("D", "-", "delete"),
        eid: str | None = None,
        rows: int = 1 << 16,
    ) -> None:
        several = list(path) if isinstance(path, Sequence) and not isinstance(path, str) else [path]
        self.paths: list[Path] = [check_path("a source", one) for one in several]
        if not self.paths:
            raise ParseError("no Parquet files were given")
        self.name = str(self.paths[0])
        self._names = dict(zip(("source", "target", "time"), columns, strict=True))
        self._names |= {} if op is None else {"op": op}
        self._names |= {} if eid is None else {"eid": eid}
        self._delete, self._rows = list(delete), check_int("rows", rows, 1)
        schemas = [parquet_schema(one) for one in self.paths]
        for one, schema in zip(self.paths, schemas, strict=True):
            for what, name in self._names.items():
                if name not in schema:
                    raise ParseError(f"{one} has no column {name!r} for {what}; it has {', '.join(schema)}")
                if schema[name] != schemas[0][name]:
                    raise ParseError(
                        f"{one}: the column {name!r} holds {schema[name]}, and in {self.name} it holds "
                        f"{schemas[0][name]}; make them alike"
                    )

    def batches(self, offset: Offset) -> Iterator[Batch | None]:
        """See :class:`weft.stream.Source`; the part of an offset is ``row``."""
        import polars as pl

        done, before = offset.get("row", 0), 0
        for path in self.paths:
            count = parquet_rows(path)
            table = pl.scan_parquet(path).select(list(self._names.values()))
            while done < before + count:
                with reading_parquet(path):
                    frame = table.slice(done - before, self._rows).collect()
                columns = self._columns(path, frame, done - before)
                yield Batch(**columns, begin={"row": done}, end={"row": done + len(frame)})
                done += len(frame)
            before += count

    def _columns(self, path: Path, frame: pl.DataFrame, first: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for what, name in self._names.items():
            series = frame[name]
            if series.null_count():
                row = first + int(series.is_null().arg_max() or 0) + 1
                raise ParseError(f"{path}, row {row:,} has no value in the column {name!r}")
            if what == "op":
                made[what] = np.where(series.is_in(self._delete).to_numpy(), DELETE, ADD).astype(np.uint8)
                continue
            made[what] = series.to_numpy()
            if what == "time":
                try:
                    made[what] = as_times(made[what])
                except ValueError as error:
                    raise ParseError(f"{path}, from row {first + 1:,}: {error}") from None
        return made
