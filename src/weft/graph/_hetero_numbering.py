"""Numbering the nodes of each type over all files of edges that name them. Shapes: N nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.graph._numbering import Declared, Integers, Texts
from weft.graph.ids import Ids, Strings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weft.graph._numbering import Numbering
    from weft.graph._rows import EdgeType
    from weft.graph.sources.base import EdgeChunk, EdgeSource

__all__ = ["Pair", "Words", "number_types", "same_kind"]

Array = npt.NDArray[Any]

_BLOCK = 1 << 18  # names read as numbers at a time
_DIGITS = np.zeros(256, bool)
_DIGITS[np.frombuffer(b"-0123456789", np.uint8)] = True


class Words(Texts):
    """Strings, which are integers after all if each of them is one in decimal.

    A file has ids of one kind, so the number of a paper beside the name of an author is read as text.

    Args:
        declared: ids are the integers ``0 .. declared-1``; None: those that occur.
        text: leave them strings.
    """

    def __init__(self, declared: int | None, *, text: bool) -> None:
        super().__init__()
        self._declared, self._text = declared, text
        self._place_N: Array | None = None

    def finish(self) -> Ids:
        """All strings, or all integers, rising.

        Raises:
            WeftValueError: a count is declared, and a string is no integer below it.
        """
        names = super().finish()
        assert isinstance(names.values, Strings)
        value_N = None if self._text else _whole(names.values)
        if self._declared is not None:
            self._check(names, value_N, self._declared)
            self._place_N = value_N
            return Ids.range(self._declared)
        if value_N is None or len(value_N) == 0:
            return names
        order_N = np.argsort(value_N, kind="stable")
        place_N = np.empty(len(order_N), np.uint32)
        place_N[order_N] = np.arange(len(order_N), dtype=np.uint32)
        self._place_N, rising_N = place_N, value_N[order_N]
        dense = rising_N[0] == 0 and rising_N[-1] == len(rising_N) - 1
        return Ids.range(len(rising_N)) if dense else Ids.integers(rising_N)

    def place(self, external: Array, out: Array, edge: int, name: str) -> None:
        """Numbers of strings as nodes."""
        out[:] = external if self._place_N is None else self._place_N[external]

    @staticmethod
    def _check(names: Ids, value_N: Array | None, declared: int) -> None:
        if value_N is None:
            raise WeftValueError(
                f"with a declared count of {declared:,} nodes ids are 0 .. {declared - 1}, and some here are "
                f"names, such as {names[0]!r}; leave the count out"
            )
        wrong = np.flatnonzero((value_N < 0) | (value_N >= declared))
        if len(wrong):
            raise WeftValueError(
                f"there is a node {int(value_N[wrong[0]])}, past the declared count: ids are 0 .. "
                f"{declared - 1}; declare more nodes, or none"
            )


class Pair:
    """The numberings of the two ends of a type of edges.

    Args:
        source: of the sources.
        target: of the targets; the same where they are of one type.
        everyone: those of all types, whose memory counts together.
    """

    def __init__(self, source: Numbering, target: Numbering, everyone: Sequence[Numbering]) -> None:
        self._source, self._target, self._everyone = source, target, everyone

    def collect(self, chunk: EdgeChunk) -> tuple[Array, Array]:
        """Take note of a chunk's ids; gives both ends as they are placed."""
        if self._source is self._target:
            return self._source.collect(chunk)
        return self._source.note(chunk.src), self._target.note(chunk.dst)

    @property
    def nbytes(self) -> int:
        """Bytes that all numberings hold."""
        return sum(numbering.nbytes for numbering in self._everyone)


def number_types(
    sources: Mapping[EdgeType, EdgeSource], num_nodes: Mapping[str, int], bitmap: int, *, text: bool
) -> dict[str, Numbering]:
    """A numbering for each type of nodes: those declared, then those of edges as they come.

    Args:
        sources: of the edges; see :func:`same_kind`.
        num_nodes: declared counts.
        bitmap: bytes that may be taken to note integers of compact ranges.
        text: integers written as text stay text.
    """
    words = {name for kind, source in sources.items() if source.id_kind == "string" for name in kind[::2]}
    types = dict.fromkeys([*num_nodes, *(name for kind in sources for name in kind[::2])])
    made: dict[str, Numbering] = {}
    for name in types:
        count = num_nodes.get(name)
        if name in words:
            made[name] = Words(count, text=text)
        else:
            made[name] = Integers(bitmap // len(types)) if count is None else Declared(count)
    return made


def same_kind(sources: Mapping[EdgeType, EdgeSource]) -> dict[EdgeType, EdgeSource]:
    """The sources, those read as strings that share a type of nodes with one that has strings."""
    out = dict(sources)
    words: set[str] = set()
    while True:
        touched = [
            kind for kind, source in out.items() if source.id_kind == "string" or words & {kind[0], kind[2]}
        ]
        now = {name for kind in touched for name in kind[::2]}
        for kind in touched:
            if out[kind].id_kind == "int":
                out[kind] = out[kind].as_strings()
        if now == words:
            return out
        words = now


def _whole(names: Strings) -> npt.NDArray[np.int64] | None:
    """The integers that strings are; None if one of them is none, or is not written as an integer is."""
    import polars as pl

    value_N = np.empty(len(names), np.int64)
    for begin in range(0, len(names), _BLOCK):
        end = min(begin + _BLOCK, len(names))
        if not _DIGITS[names.data[names.offsets[begin] : names.offsets[end]]].all():
            return None
        text = pl.Series(names.take(np.arange(begin, end)), dtype=pl.String)
        value = text.cast(pl.Int64, strict=False)
        if value.null_count() or not (value.cast(pl.String) == text).all():
            return None
        value_N[begin:end] = value.to_numpy()
    return value_N
