"""Guessing how a text file is written from its first lines. Every guess can be overruled."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from weft.errors import ParseError, WeftValueError
from weft.graph.sources._columns import Column, named_ends, pick_ends, pick_weight
from weft.graph.sources._messages import listed
from weft.graph.sources.base import IdKind
from weft.kernels.parse import LineFormat
from weft.kernels.parse.reference import fields_of

__all__ = ["Layout", "TextOptions", "sniff"]

_DELIMITERS = ("\t", ";", ",", "|", None)
_NAMED = {"tab": "\t", "comma": ",", "semicolon": ";", "space": None, "blank": None, " ": None}
_TITLE = re.compile(r"[A-Za-z_][A-Za-z_ ]*[0-9]?")
_WORD = re.compile(r"[A-Za-z_ ]+")
_INTEGER = re.compile(rb"-?[0-9]+")
_LOOK = 1000  # how many lines a guess is made from


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """What is known about a text file; the defaults are guessed from its first lines.

    Attributes:
        delimiter: one character, "tab", "comma", "semicolon" or "space" (a run of blanks), or "auto".
        header: whether the first line that is no comment names the columns; None: guess.
        columns: source and target by name or by number from 0; None: the first two, or those that a
            header calls source and target.
        weight: column of the weight by name or number. None: only a column whose header is weight, w,
            value or rating, because a nameless third column is as often a time. False: no weight.
        ids: "int", "string", or "auto": integers when those of the first lines are.
        comments: lines that begin with one of these characters are left out.
        quote: the character around fields that hold delimiters; None when fields are never quoted.
        on_error: "fail", or "skip" to leave out lines that cannot be read and report them.
    """

    delimiter: str = "auto"
    header: bool | None = None
    columns: tuple[Column, Column] | None = None
    weight: Column | Literal[False] | None = None
    ids: Literal["auto", "int", "string"] = "auto"
    comments: str = "#%"
    quote: str | None = '"'
    on_error: Literal["fail", "skip"] = "fail"

    def __post_init__(self) -> None:
        for field, choices in (("ids", ("auto", "int", "string")), ("on_error", ("fail", "skip"))):
            if getattr(self, field) not in choices:
                raise WeftValueError(f"{field} must be one of {choices} (got {getattr(self, field)!r})")
        if self.columns is not None and len(self.columns) != 2:
            raise WeftValueError(f"columns must be two, source and target (got {self.columns!r})")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a file are to be read.

    Attributes:
        form: the form of a line.
        id_kind: what ids are.
        names: what the header calls the columns; None without a header.
        first: the fields of the first line, a header or not.
        width: the most fields of a line.
        start: byte of the first line after the header.
        first_line: number of that line, from 0.
        notes: guesses that a user may want to overrule.
    """

    form: LineFormat
    id_kind: IdKind
    names: tuple[str, ...] | None
    first: tuple[str, ...]
    width: int
    start: int
    first_line: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    text: bytes
    number: int
    end: int


def sniff(name: str, head: bytes, options: TextOptions) -> Layout:
    """Decide how to read a file that begins with the lines ``head``.

    Raises:
        ParseError: the file holds no edge or no text, or has no column of the name asked for.
        WeftValueError: the options contradict each other.
    """
    start = _text_start(name, head)
    lines = _content(head, start, options.comments)
    if not lines:
        raise ParseError(f"{name} holds no data: every line is blank or a comment")
    form = LineFormat(delimiter=_delimiter(lines, options), comments=options.comments, quote=options.quote)
    rows = [_split(line.text, form) for line in lines]
    header, guessed = _has_header(rows, options)
    first = tuple(field.decode("utf-8", "replace") for field in rows[0])
    names = first if header else None
    if header and not rows[1:]:
        raise ParseError(f"{name} holds no data: its only line is a header, {_shown(lines[0].text)}")
    form = _with_columns(name, form, names, options)
    data = rows[1:] if header else rows
    notes = []
    if header and guessed:
        notes.append(f"line {lines[0].number + 1} is taken as a header: {_shown(lines[0].text)}")
    width = max(len(row) for row in data)
    notes += _ignored(form, names, width)
    kind = _id_kind(data, form, options)
    if kind == "string" and guessed and not header and len(rows) > 1:
        notes.append(
            f"line {lines[0].number + 1} is taken as an edge: {_shown(lines[0].text)} "
            "(if it names the columns: weft import --header yes, header=True in Python)"
        )
    if kind == "string" and options.ids == "auto":
        notes += _mixed(data, lines[len(rows) - len(data) :], form)
    return Layout(
        form,
        kind,
        names,
        first,
        width,
        lines[0].end if header else start,
        lines[0].number + 1 if header else 0,
        tuple(notes),
    )


def _text_start(name: str, head: bytes) -> int:
    if not head:
        raise ParseError(f"{name} is empty, expected lines such as 'a,b'")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ParseError(f"{name} is UTF-16, weft reads UTF-8: convert it with iconv -f utf-16 -t utf-8")
    if b"\0" in head:
        raise ParseError(
            f"{name} is not text: byte {head.index(0):,} is zero; weft reads text, Parquet, .npz, .mat"
        )
    return 3 if head.startswith(b"\xef\xbb\xbf") else 0


def _content(head: bytes, start: int, comments: str) -> list[_Line]:
    marks = tuple(c.encode() for c in comments)
    lines: list[_Line] = []
    number = 0
    while start < len(head) and len(lines) < _LOOK:
        newline = head.find(b"\n", start)
        end = len(head) if newline < 0 else newline + 1
        text = head[start:end].removesuffix(b"\n").removesuffix(b"\r")
        stripped = text.strip(b" \t")
        if stripped and not stripped.startswith(marks):
            lines.append(_Line(text, number, end))
        start = end
        number += 1
    return lines


def _split(line: bytes, form: LineFormat) -> list[bytes]:
    """The fields, none when quotes do not close."""
    return fields_of(line, form) or []


def _delimiter(lines: list[_Line], options: TextOptions) -> str | None:
    """The delimiter that gives every line two fields, as far as possible equally many."""
    if options.delimiter != "auto":
        return _NAMED.get(options.delimiter, options.delimiter)

    def fit(delimiter: str | None) -> tuple[bool, bool, int]:
        if delimiter is not None and delimiter in options.comments + (options.quote or ""):
            return False, False, 0
        form = LineFormat(delimiter=delimiter, comments="", quote=options.quote)
        counts = [len(_split(line.text, form)) for line in lines[:100]]
        enough = sum(count >= 2 for count in counts)
        return enough == len(counts), enough > 0 and len(set(counts)) == 1, enough

    fits = {delimiter: fit(delimiter) for delimiter in _DELIMITERS}
    # max() takes the first of equals; with not one line of two fields, a comma reads best in messages.
    best = max(_DELIMITERS, key=lambda delimiter: fits[delimiter])
    return best if fits[best][2] else ","


def _has_header(rows: list[list[bytes]], options: TextOptions) -> tuple[bool, bool]:
    """Whether the first line names the columns, and whether that is a guess."""
    if options.header is not None:
        return options.header, False
    wanted = [*(options.columns or ()), options.weight]
    if any(isinstance(column, str) and not column.isdigit() for column in wanted):
        return True, False
    first = [field.decode("utf-8", "replace").strip().lower() for field in rows[0]]
    if named_ends(first):
        return True, True
    at = [int(column) for column in options.columns or (0, 1)]
    if len(first) <= max(at):
        return False, False
    below = [row for row in rows[1:] if len(row) > max(at)]
    titles = not any(_INTEGER.fullmatch(rows[0][i]) for i in at)
    over_numbers = titles and any(_over_numbers(first[i], [row[i] for row in below]) for i in at)
    return over_numbers or all(_over_codes(first[i], [row[i] for row in below]) for i in at), True


def _over_numbers(title: str, ids: list[bytes]) -> bool:
    """Whether a column has a title and integers below it."""
    return bool(ids and _TITLE.fullmatch(title)) and all(_INTEGER.fullmatch(text) for text in ids)


def _over_codes(title: str, ids: list[bytes]) -> bool:
    """Whether a column has a word for a title and nothing but codes below it: no id is made of letters."""
    words = (_WORD.fullmatch(text.decode("utf-8", "replace")) for text in ids)
    return len(ids) >= 3 and bool(_WORD.fullmatch(title)) and not any(words)


def _with_columns(
    name: str, form: LineFormat, names: tuple[str, ...] | None, options: TextOptions
) -> LineFormat:
    src, dst = pick_ends(name, names, options.columns)
    weight = pick_weight(name, names, options.weight, (src, dst))
    return replace(form, src=src, dst=dst, weight=weight)


def _id_kind(rows: list[list[bytes]], form: LineFormat, options: TextOptions) -> IdKind:
    if options.ids != "auto":
        return options.ids
    ids = [row[i] for row in rows if len(row) >= form.needed for i in _ends(form)]
    return "int" if ids and all(_is_int64(text) for text in ids if text) else "string"


def _mixed(rows: list[list[bytes]], lines: list[_Line], form: LineFormat) -> list[str]:
    """A note when most ids are integers: the others may be mistakes."""
    ids = [
        (row[i], line)
        for row, line in zip(rows, lines, strict=True)
        if len(row) >= form.needed
        for i in _ends(form)
    ]
    others = [(text, line) for text, line in ids if text and not _INTEGER.fullmatch(text)]
    if not others or len(others) * 4 > len(ids):
        return []
    text, line = others[0]
    return [
        f"ids are read as text because line {line.number + 1} has {_shown(text)}; "
        "weft import --ids int (ids='int' in Python) would refuse it"
    ]


def _ends(form: LineFormat) -> tuple[int, int]:
    return form.src, form.dst


def _is_int64(text: bytes) -> bool:
    return bool(_INTEGER.fullmatch(text)) and -(2**63) <= int(text) < 2**63


def _ignored(form: LineFormat, names: tuple[str, ...] | None, width: int) -> list[str]:
    used = {form.src, form.dst, form.weight}
    extra = [i for i in range(width) if i not in used]
    if not extra:
        return []
    shown = listed(names[i] if names and i < len(names) else i for i in extra)
    hint = (
        ""
        if form.weight is not None
        else " (--weight COLUMN, in Python weight=…, names the one of the weight)"
    )
    return [f"columns not used: {shown}{hint}"]


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 60 else text[:57] + "...")
