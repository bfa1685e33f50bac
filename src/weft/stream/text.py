"""Events in a file of text, one a line; it may still be growing."""

from __future__ import annotations

import contextlib
import csv
import gzip
import re
import time
import zlib
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np

from weft.checks import check_int, check_path, check_real
from weft.errors import ParseError, StorageError, WeftValueError
from weft.files import check_regular, storage_errors
from weft.graph.ids import Strings
from weft.stream.batch import ADD, DELETE, Batch, Offset

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

__all__ = ["TextSource"]

Column = int | str
_ENDS = ("source", "target", "time")
_SHOWN = 60  # characters of a line that an error shows
_INTEGER = re.compile(r"[+-]?\d+")
_TIME = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class TextSource:
    """Lines of source, target and time, with commas, tabs, semicolons or spaces between.

    The first line decides how many columns there are, what is between them, and whether ids are integers; a
    line that is otherwise ends the stream with its number. Its offset is a byte, so a run goes on without
    reading what it has.

    Args:
        path: of a file, gzip where its name ends with ``.gz``.
        columns: of source, target and time, by number from 0, or by name where the file begins with names;
            None: those of these names, if there are all three, else the first three.
        op: column of what is done; None: events are added.
        delete: what it says of a deletion.
        eid: column of ids of events, integers; None: by arrival.
        ids: ``string``: ids of nodes are text, even where they look like numbers.
        follow: wait for more at the end of the file.
        poll: seconds between two looks at a file that is followed.
        block: bytes that are read together.

    Raises:
        ParseError: the first line does not have the columns.
        StorageError: the file cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[Column] | None = None,
        op: Column | None = None,
        delete: Sequence[str] = ("D", "-", "delete"),
        eid: Column | None = None,
        ids: Literal["auto", "string"] = "auto",
        follow: bool = False,
        poll: float = 0.2,
        block: int = 1 << 20,
    ) -> None:
        self.path = check_path("a source", path)
        self.name = str(self.path)
        self._named = columns is None
        columns = (0, 1, 2) if columns is None else columns
        if len(columns) != 3 or len(set(columns)) < 3:
            raise WeftValueError(f"columns are source, target and time, three of them (got {list(columns)})")
        self._asked: dict[str, Column] = dict(zip(_ENDS, columns, strict=True))
        self._asked |= {} if op is None else {"op": op}
        self._asked |= {} if eid is None else {"eid": eid}
        self._delete, self._ids, self._follow = set(delete), ids, follow
        self._poll, self._block = check_real("poll", poll, above=0), check_int("block", block, 1)
        self._zipped = self.path.suffix == ".gz"
        if follow and self._zipped:
            raise WeftValueError(f"{path} is compressed: it cannot be followed while it grows")
        check_regular(self.path)
        self._separator, self._width, self._text = "", 0, False
        self._at: dict[str, int] = {}

    def batches(self, offset: Offset) -> Iterator[Batch | None]:
        """See :class:`weft.stream.Source`; the parts of an offset are ``byte`` and ``line``."""
        with storage_errors("read", self.path), _whole(self.path), self._open() as file:
            begun = yield from self._begin(file)
            if begun is None:
                return
            byte, line = offset.get("byte", begun[0]), offset.get("line", begun[1])
            if not self._zipped and (size := self.path.stat().st_size) < byte:
                raise ParseError(
                    f"{self.path} holds {size:,} bytes, and {byte:,} were read before: it was cut off or "
                    "replaced; begin anew"
                )
            file.seek(max(0, byte - 1))
            around = file.read(2) if byte else b""
            # The last line of a file may have lacked its end, which comes now.
            if len(around) == 2 and b"\n" not in around:
                raise ParseError(
                    f"{self.path}: no line ends where reading is to go on, at byte {byte:,}: what was read "
                    "before has been changed since; begin anew"
                )
            file.seek(byte)
            rest = b""
            while True:
                piece = file.read(self._block)
                if piece:
                    rest += piece
                    whole = rest.rfind(b"\n") + 1
                elif self._follow:
                    self._check_size(byte)
                    yield None
                    time.sleep(self._poll)
                    continue
                else:
                    whole = len(rest)  # the last line may lack its end
                if whole:
                    data, rest = rest[:whole], rest[whole:]
                    lines = data.count(b"\n") + (not data.endswith(b"\n"))
                    yield self._batch(data, lines, byte, line)
                    byte, line = byte + whole, line + lines
                if not piece:
                    return

    def _open(self) -> IO[bytes]:
        return cast("IO[bytes]", gzip.open(self.path)) if self._zipped else self.path.open("rb")

    def _check_size(self, byte: int) -> None:
        if (size := self.path.stat().st_size) < byte:
            raise ParseError(f"{self.path} shrank from {byte:,} to {size:,} bytes while it was read")

    def _begin(self, file: IO[bytes]) -> Generator[None, None, tuple[int, int] | None]:
        """Learn the form from the first line; where events begin: byte and line."""
        byte, line = 0, 0
        while True:
            first = file.readline()
            if self._follow and not first.endswith(b"\n"):
                yield None
                time.sleep(self._poll)
                file.seek(byte)
                continue
            if not first:
                return None
            if not first.startswith((b"#", b"%")) and first.strip():
                break
            byte, line = byte + len(first), line + 1
        text = self._decoded(first, line)
        self._separator = next((s for s in ",\t;" if s in text), " ")
        names = self._fields(text)
        self._width = len(names)
        asked = self._asked
        if self._named and all(name in names for name in _ENDS):
            asked = {**asked, **{name: name for name in _ENDS}}
        self._at = {what: self._column(column, names, line) for what, column in asked.items()}
        headed = not _TIME.fullmatch(names[self._at["time"]])
        if headed and (_number(names[self._at["time"]]) or any(map(_INTEGER.fullmatch, names))):
            # No names of columns, but events of which the first is broken.
            self._value("time", names[self._at["time"]], f"{self.path}, line {line + 1}: '{text[:_SHOWN]}'")
        if headed:
            byte, line = byte + len(first), line + 1
            second = file.readline()
            while self._follow and not second.endswith(b"\n"):
                yield None
                time.sleep(self._poll)
                file.seek(byte)
                second = file.readline()
            names = self._fields(self._decoded(second, line)) if second.strip() else []
        elif any(isinstance(column, str) for column in self._asked.values()):
            raise ParseError(f"{self.path} does not begin with names of columns; give their numbers from 0")
        ends = [names[self._at[end]] for end in ("source", "target")] if len(names) == self._width else []
        self._text = self._ids == "string" or not all(map(_INTEGER.fullmatch, ends))
        return byte, line

    def _column(self, column: Column, names: list[str], line: int) -> int:
        at = names.index(column) if column in names else column
        if isinstance(at, str) or not 0 <= at < len(names):
            raise ParseError(
                f"{self.path}, line {line + 1}: there is no column {column!r} among {', '.join(names)}"
            )
        return at

    def _decoded(self, line: bytes, number: int) -> str:
        try:
            return line.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ParseError(f"{self.path}, line {number + 1} is no text in UTF-8") from None

    def _fields(self, text: str) -> list[str]:
        return (
            text.split()
            if self._separator == " "
            else next(csv.reader([text], delimiter=self._separator), [])
        )

    def _batch(self, data: bytes, lines: int, byte: int, line: int) -> Batch:
        """Events of whole lines; quick where all is in order, else line by line to say what is not."""
        columns = self._quick(data, lines)
        if columns is None:
            columns = self._slow(data, line)
        begin, end = {"byte": byte, "line": line}, {"byte": byte + len(data), "line": line + lines}
        return Batch(**columns, begin=begin, end=end)

    def _quick(self, data: bytes, lines: int) -> dict[str, Any] | None:
        import polars as pl

        tidy = data.replace(b"\r\n", b"\n")
        if self._separator == " ":
            tidy = re.sub(rb"[ \t]+", b" ", tidy)
        # Polars fills short lines up: where no text is quoted, counting finds them.
        if b'"' in tidy or tidy.count(self._separator.encode()) != lines * (self._width - 1):
            return None
        try:
            frame = pl.read_csv(
                tidy, has_header=False, separator=self._separator, infer_schema=False, quote_char=None
            )
        except pl.exceptions.PolarsError:
            return None
        if frame.shape != (lines, self._width) or frame.select(pl.all().null_count()).sum_horizontal().item():
            return None
        made: dict[str, Any] = {}
        for what, at in self._at.items():
            series = frame.to_series(at)
            if what == "op":
                deleted = series.is_in(list(self._delete)).to_numpy()
                made[what] = np.where(deleted, DELETE, ADD).astype(np.uint8)
            elif what in ("source", "target") and self._text:
                made[what] = Strings.of(series.to_list())
            else:
                numbers = series.cast(pl.Int64, strict=False)
                if numbers.null_count():
                    return None
                made[what] = numbers.to_numpy()
        return made

    def _slow(self, data: bytes, line: int) -> dict[str, Any]:
        rows: dict[str, list[Any]] = {what: [] for what in self._at}
        for number, raw in enumerate(data.split(b"\n"), line):
            text = self._decoded(raw, number)
            fields = self._fields(text)
            if not fields:
                continue
            where = f"{self.path}, line {number + 1}: '{text[:_SHOWN]}'"
            if len(fields) != self._width:
                raise ParseError(
                    f"{where} has {len(fields)} columns, and the first line has {self._width}; make them "
                    "alike"
                )
            for what, at in self._at.items():
                rows[what].append(self._value(what, fields[at], where))
        ends = {end: Strings.of(rows.pop(end)) for end in ("source", "target") if self._text}
        kinds = {"op": np.uint8}
        return {what: np.array(column, kinds.get(what, np.int64)) for what, column in rows.items()} | ends

    def _value(self, what: str, text: str, where: str) -> Any:  # noqa: ANN401
        if what == "op":
            return DELETE if text in self._delete else ADD
        if what in ("source", "target") and self._text:
            return text
        if what == "time" and not _INTEGER.fullmatch(text) and _TIME.fullmatch(text):
            value = float(text)
            number = int(value) if abs(value) < 2.0**63 and value == int(value) else None
        else:
            number = int(text) if _INTEGER.fullmatch(text) else None
        if number is None or not -(1 << 63) <= number < 1 << 63:
            kind = {"time": "a time, an integer", "eid": "an id of an event, an integer"}.get(
                what, "an integer id"
            )
            raise ParseError(f"{where} has {text!r} where {kind} of 64 bits, is expected")
        return number


def _number(text: str) -> bool:
    """Whether it is one, or not a number, or infinite."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say of a compressed file that it was cut off."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise StorageError(f"cannot read {path}: it is damaged or was cut off ({error})") from None
