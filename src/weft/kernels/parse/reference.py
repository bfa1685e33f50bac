"""The grammar of edge lists in plain Python: the definition.

A text is lines that end in a newline, before which one carriage return does not count. A line is blank
(spaces and tabs), a comment, or an edge: fields between delimiters. Blanks around a field are not part of
it. A field that begins with a quote ends with one on the same line; two quotes inside stand for one.
Shapes: B edges, K bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from weft.kernels.parse.format import I64, BadLine, IntEdges, LineFormat, Packed, StringEdges, Why

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fields_of", "parse_ints", "parse_strings"]

_INTEGER = re.compile(rb"-?[0-9]+")
_NUMBER = re.compile(rb"(\+|-)?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(rb"(\+|-)?(inf|infinity|nan|nan\([A-Za-z0-9_]*\))", re.IGNORECASE)


class _BadError(Exception):
    def __init__(self, why: Why, detail: int = 0) -> None:
        self.why, self.detail = why, detail


class _Edge(NamedTuple):
    src: bytes
    dst: bytes
    weight: np.float32 | None


def fields_of(line: bytes, form: LineFormat) -> list[bytes] | None:
    """The fields of a line, however many; None when a quote does not close or text follows one."""
    try:
        return _split(line, form)
    except _BadError:
        return None


def _split(line: bytes, form: LineFormat) -> list[bytes]:
    blank = b" " if form.delimiter == "\t" else b" \t"
    parts = b" \t" if form.delimiter is None else form.delimiter.encode()
    quote = b"" if form.quote is None else form.quote.encode()
    fields: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at] in blank:
            at += 1
        if form.delimiter is None and at == len(line):
            break
        if quote and line[at : at + 1] == quote:
            field, at = _quoted(line, at + 1, quote, len(fields))
            while form.delimiter is not None and at < len(line) and line[at] in blank:
                at += 1
            if at < len(line) and line[at] not in parts:
                raise _BadError(Why.AFTER_QUOTE, len(fields))
        else:
            begin = at
            while at < len(line) and line[at] not in parts:
                at += 1
            field = line[begin:at].rstrip(blank)
        fields.append(field)
        if at == len(line):
            break
        at += 1
    return fields


def _quoted(line: bytes, at: int, quote: bytes, index: int) -> tuple[bytes, int]:
    field = b""
    while True:
        end = line.find(quote, at)
        if end < 0:
            raise _BadError(Why.OPEN_QUOTE, index)
        field += line[at:end]
        if line[end + 1 : end + 2] != quote:
            return field, end + 1
        field += quote
        at = end + 2


def weight_of(text: bytes) -> np.float32:
    """A weight: a decimal number, finite and not negative; the float32 nearest to it."""
    if _NO_NUMBER.fullmatch(text):
        raise _BadError(Why.NOT_FINITE)
    if not _NUMBER.fullmatch(text):
        raise _BadError(Why.NOT_NUMBER)
    with np.errstate(over="ignore"):
        value = np.float32(text.decode())
    if not np.isfinite(value):
        raise _BadError(Why.NOT_FINITE)
    if value < 0:
        raise _BadError(Why.NEGATIVE)
    return value + np.float32(0)


def _check_integer(text: bytes, which: int) -> None:
    if not _INTEGER.fullmatch(text):
        raise _BadError(Why.NOT_INTEGER, which)
    if not -(2**63) <= int(text) < 2**63:
        raise _BadError(Why.ID_OVERFLOW, which)


def _check_utf8(text: bytes, which: int) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise _BadError(Why.NOT_UTF8, which) from None


def _edge(line: bytes, form: LineFormat, check: Callable[[bytes, int], None]) -> _Edge:
    fields = _split(line, form)
    if len(fields) < form.needed:
        raise _BadError(Why.FEW_FIELDS, len(fields))
    ends = fields[form.src], fields[form.dst]
    for which, text in enumerate(ends):
        if not text:
            raise _BadError(Why.EMPTY_ID, which)
        check(text, which)
    return _Edge(*ends, None if form.weight is None else weight_of(fields[form.weight]))


def _read(
    text: npt.NDArray[np.uint8], form: LineFormat, skip: bool, check: Callable[[bytes, int], None]
) -> tuple[list[_Edge], int, list[BadLine]]:
    lines = text.tobytes().split(b"\n")
    if not lines[-1]:
        lines.pop()
    edges: list[_Edge] = []
    bad: list[BadLine] = []
    offset = 0
    for number, line in enumerate(lines):
        body = line[:-1] if line.endswith(b"\r") else line
        start = body.lstrip(b" \t")[:1]
        if start and start not in {c.encode() for c in form.comments}:
            try:
                edges.append(_edge(body, form, check))
            except _BadError as e:
                bad.append(BadLine(offset, number, e.why, e.detail))
                if not skip:
                    break
        offset += len(line) + 1
    return edges, len(lines), bad


def _weights(edges: list[_Edge], form: LineFormat) -> npt.NDArray[np.float32] | None:
    return None if form.weight is None else np.array([e.weight for e in edges], np.float32)


def parse_ints(
    text: npt.NDArray[np.uint8], form: LineFormat, *, skip: bool = False, keep: int = 10
) -> IntEdges:
    """As ``cpu.parse_ints``."""
    edges, lines, bad = _read(text, form, skip, _check_integer)
    return IntEdges(
        np.array([int(e.src) for e in edges], np.int64),
        np.array([int(e.dst) for e in edges], np.int64),
        _weights(edges, form),
        lines,
        len(bad),
        any(b.why == Why.ID_OVERFLOW for b in bad),
        bad[:keep],
    )


def parse_strings(
    text: npt.NDArray[np.uint8], form: LineFormat, *, skip: bool = False, keep: int = 10
) -> StringEdges:
    """As ``cpu.parse_strings``."""
    edges, lines, bad = _read(text, form, skip, _check_utf8)
    src, dst = _pack([e.src for e in edges]), _pack([e.dst for e in edges])
    return StringEdges(src, dst, _weights(edges, form), lines, len(bad), False, bad[:keep])


def _pack(strings: list[bytes]) -> Packed:
    offsets: I64 = np.zeros(len(strings) + 1, np.int64)
    np.cumsum([len(s) for s in strings], out=offsets[1:])
    return np.frombuffer(b"".join(strings), np.uint8), offsets
