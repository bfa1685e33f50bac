"""Which columns of a table are the source, the target and the weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from weft.errors import ParseError, WeftValueError
from weft.graph.sources._messages import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Column", "named_ends", "pick_ends", "pick_weight"]

Column = int | str

_WEIGHTS = ("weight", "weights", "w", "value", "rating")
_ENDS = (("source", "target"), ("src", "dst"), ("from", "to"))


def named_ends(names: Sequence[str]) -> tuple[int, int] | None:
    """Where the columns are that are called source and target, or by another pair of such names."""
    lowered = [name.strip().lower() for name in names]
    pair = next((ends for ends in _ENDS if set(ends) <= set(lowered)), None)
    return (lowered.index(pair[0]), lowered.index(pair[1])) if pair else None


def pick_ends(
    table: str, names: Sequence[str] | None, columns: tuple[Column, Column] | None
) -> tuple[int, int]:
    """The columns asked for; else those whose names say it; else the first two."""
    if columns is None:
        return named_ends(names or ()) or (0, 1)
    src, dst = (_number(table, column, names) for column in columns)
    return src, dst


def pick_weight(
    table: str, names: Sequence[str] | None, column: Column | Literal[False] | None, ends: tuple[int, int]
) -> int | None:
    """The column asked for; else, unless that is False, the one whose name says it."""
    if column is None:
        lowered = [name.strip().lower() for name in names or ()]
        return next((i for i, name in enumerate(lowered) if name in _WEIGHTS and i not in ends), None)
    return None if column is False else _number(table, column, names)


def _number(table: str, column: Column, names: Sequence[str] | None) -> int:
    if names is not None and column in names:
        return list(names).index(str(column))
    if isinstance(column, int) or column.isdigit():
        return int(column)
    if names is None:
        raise WeftValueError(f"column {column!r} is a name, but {table} is read without a header")
    raise ParseError(f"{table} has no column {column!r}; it has {listed(names)}")
