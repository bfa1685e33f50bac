"""What both forms of the parser take and give."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

__all__ = ["BadLine", "IntEdges", "LineFormat", "Packed", "StringEdges", "Why"]

I64 = npt.NDArray[np.int64]
Packed = tuple[npt.NDArray[np.uint8], I64]


class Why(enum.IntEnum):
    """What is wrong with a line. ``detail`` of a BadLine: see each group."""

    FEW_FIELDS = 1  # how many there are
    OPEN_QUOTE = 2  # which field, from 0
    AFTER_QUOTE = 3
    EMPTY_ID = 4  # 0: source, 1: target
    NOT_INTEGER = 5
    ID_OVERFLOW = 6
    NOT_UTF8 = 7
    NOT_NUMBER = 8  # always 0: the weight
    NOT_FINITE = 9
    NEGATIVE = 10


class BadLine(NamedTuple):
    """A line that cannot be read: its first byte and its number in the text, both from 0."""

    offset: int
    line: int
    why: Why
    detail: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """How an edge is written on a line.

    Attributes:
        delimiter: one character, or None for runs of spaces and tabs.
        src: column of the source, from 0.
        dst: column of the target.
        weight: column of the weight, None when there is none.
        comments: a line whose first character that is not blank is one of these is no edge.
        quote: the character around fields that hold delimiters; None when fields are never quoted.
    """

    delimiter: str | None = ","
    src: int = 0
    dst: int = 1
    weight: int | None = None
    comments: str = "#%"
    quote: str | None = '"'

    def __post_init__(self) -> None:
        if self.delimiter is not None and not _is_mark(self.delimiter, also="\t"):
            raise WeftValueError(
                f"delimiter must be a tab, one punctuation mark or None for blanks (got {self.delimiter!r})"
            )
        if self.quote is not None and (not _is_mark(self.quote) or self.quote == self.delimiter):
            raise WeftValueError(f"quote must be one punctuation character or None (got {self.quote!r})")
        for char in self.comments:
            if not _is_mark(char) or char in (self.delimiter, self.quote):
                raise WeftValueError(f"comments must be punctuation characters (got {char!r})")
        columns = [self.src, self.dst, *([] if self.weight is None else [self.weight])]
        if min(columns) < 0 or max(columns) > 1 << 20 or len(set(columns)) < len(columns):
            raise WeftValueError(f"columns must differ and be in 0 .. 2**20 (got {columns})")

    @property
    def needed(self) -> int:
        """How many fields a line must have."""
        return max(self.src, self.dst, -1 if self.weight is None else self.weight) + 1


def _is_mark(char: str, also: str = "") -> bool:
    """A character that is no part of a number: fields and marks could not be told apart."""
    if len(char) != 1:
        return False
    return char in also or ("!" <= char <= "~" and not char.isalnum() and char not in "+-.")


@dataclass(frozen=True, slots=True, eq=False)
class IntEdges:
    """B edges with integer ids.

    Attributes:
        src: int64 ``[B]``.
        dst: int64 ``[B]``.
        weight: float32 ``[B]``; None when the format has no weight.
        lines: how many lines the text has.
        bad: how many of them could not be read; without ``skip`` at most 1.
        overflow: one of the bad lines holds an integer that int64 does not.
        first: the first bad lines.
    """

    src: I64
    dst: I64
    weight: npt.NDArray[np.float32] | None
    lines: int
    bad: int
    overflow: bool
    first: list[BadLine]


@dataclass(frozen=True, slots=True, eq=False)
class StringEdges:
    """B edges with string ids; ``src`` and ``dst`` are (uint8 ``[K]``, int64 offsets ``[B + 1]``)."""

    src: Packed
    dst: Packed
    weight: npt.NDArray[np.float32] | None
    lines: int
    bad: int
    overflow: bool
    first: list[BadLine]
