"""How types of nodes and edges are given on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import EdgeType
    from weft.graph.hetero_ingest import TypedEdges

__all__ = ["check_kind", "column", "counts_of", "edges_of", "features_of"]


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
        if name.strip() in counts:
            raise WeftValueError(f"--num-nodes {name.strip()}= is given twice (got {text!r})")
        counts[name.strip()] = int(number)
    return counts


def features_of(words: Sequence[str]) -> Path | dict[str, Path] | None:
    """One file of features, or by type ``paper=FILE``; None: none is given.

    Raises:
        WeftValueError: there is no such file, a word is not of this form, or two are of one type.
    """
    if not words:
        return None
    if all("=" not in word or Path(word).is_file() for word in words):
        return _file(words[-1])  # as of any option, the last counts
    found: dict[str, Path] = {}
    for word in words:
        name, equals, place = word.partition("=")
        if not equals or not name or not place:
            raise WeftValueError(
                "--features takes FILE.npy, or for a graph of several types TYPE=FILE.npy, once for each "
                f"(got {word!r})"
            )
        if name in found:
            raise WeftValueError(f"--features {name}= is given twice")
        found[name] = _file(place)
    return found


def check_kind(types: Sequence[str] | None, features: Path | dict[str, Path] | None) -> None:
    """Refuse features by type for a graph of one type (None), and the other way round.

    Raises:
        WeftValueError: they are.
    """
    if types is not None and isinstance(features, Path):
        raise WeftValueError(
            f"--features {features}: of which nodes? The graph has several types: give --features "
            f"TYPE={features}, TYPE being one of {', '.join(types)}"
        )
    if isinstance(features, dict) and types is None:
        raise WeftValueError(
            f"--features {next(iter(features))}=…: the graph has one type of nodes; give the file alone"
        )


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise WeftValueError(f"there is no file {text} for --features")
    return Path(text)


def column(text: str) -> str | int:
    """A column: digits are a number."""
    return int(text) if text.isdigit() else text
