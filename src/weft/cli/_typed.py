"""How types of nodes and edges are given on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import EdgeType
    from weft.graph.hetero_ingest import TypedEdges

__all__ = ["column", "counts_of", "edges_of"]


def edges_of(
    words: Sequence[str], columns: tuple[str | int, str | int] | None, weight: str | int | None
) -> dict[EdgeType, TypedEdges]:
    """From ``author,writes,paper=FILE``, which columns may follow: ``FILE:SOURCE,TARGET[,WEIGHT]``.

    Args:
        words: one for each type of edges.
        columns: of the files that name none.
        weight: likewise.

    Raises:
        WeftValueError: a word is not of this form, or two are of one type.
    """
    from weft.graph.hetero_ingest import TypedEdges

    found: dict[EdgeType, TypedEdges] = {}
    for word in words:
        names, equals, place = word.partition("=")
        triple = [name.strip() for name in names.split(",")]
        if not equals or len(triple) != 3 or not all(triple) or not place:
            raise WeftValueError(
                "--edges takes SOURCE_TYPE,RELATION,TARGET_TYPE=FILE, such as author,writes,paper=writes.csv "
                f"(got {word!r})"
            )
        kind = triple[0], triple[1], triple[2]
        if kind in found:
            raise WeftValueError(f"--edges {names} is given twice; put the edges of a type into one file")
        path, there = Path(place), columns
        by = weight
        if not path.exists() and ":" in path.name:
            place, _, after = place.rpartition(":")
            given = [column(one.strip()) for one in after.split(",")]
            if len(given) not in (2, 3) or "" in given:
                raise WeftValueError(
                    f"--edges {names}: after the colon stand the columns of source and target, and perhaps "
                    f"of the weight (got {after!r})"
                )
            there, by = (given[0], given[1]), given[2] if len(given) == 3 else weight
        found[kind] = TypedEdges(place, there, by)
    return found


def counts_of(text: str) -> int | dict[str, int]:
    """``1000``, or by type ``paper=1000,author=50``.

    Raises:
        WeftValueError: it is neither.
    """
    if text.isdecimal():
        return int(text)
    counts: dict[str, int] = {}
    for word in text.split(","):
        name, _, number = word.partition("=")
        if not name.strip() or not number.strip().isdecimal():
            raise WeftValueError(
                "--num-nodes takes a number, or with --edges numbers by type, such as paper=1000,author=50 "
                f"(got {text!r})"
            )
        counts[name.strip()] = int(number)
    return counts


def column(text: str) -> str | int:
    """A column: digits are a number."""
    return int(text) if text.isdigit() else text
