"""Events in the order of arrival, found by number and by id.

Shapes: E events of a batch, K events asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from weft.errors import WeftKeyError, WeftValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK", "Eids", "EventLog", "Events", "Ids", "Piece", "Types"]

I64 = npt.NDArray[np.int64]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]

_BITS = 16
CHUNK = 1 << _BITS  # events whose memory is given back together
_SHOWN = 5  # ids that an error names


class Events(NamedTuple):
    """Columns of events: source and target uint32, time, id and number int64, all ``[E]``."""

    source: U32
    target: U32
    time: I64
    eid: I64
    number: I64


class Piece(NamedTuple):
    """What is kept of numbers from ``key * CHUNK`` on: columns by name, ``[E]``, of gone ones too."""

    key: int
    columns: dict[str, npt.NDArray[Any]]


class Ids(NamedTuple):
    """Where ids are.

    Attributes:
        implied: events from before ids were given; None: none ever were.
        runs: ids, rising, and numbers of their events, both int64.
    """

    implied: int | None
    runs: list[tuple[I64, I64]]


class _Chunk:
    """So many events in a row of numbers; filled from the front, and never changed but for ``gone``."""

    def __init__(self) -> None:
        self.source = np.empty(CHUNK, np.uint32)
        self.target = np.empty(CHUNK, np.uint32)
        self.time = np.empty(CHUNK, np.int64)
        self.eid = np.empty(CHUNK, np.int64)
        self.gone = np.zeros(CHUNK, bool)
        self.type: U16 | None = None  # 0 of all, until one is given
        self.size = self.left = 0
        self.first = np.iinfo(np.int64).max  # the earliest time of those that are left, or earlier

    @property
    def nbytes(self) -> int:
        columns = (self.source, self.target, self.time, self.eid, self.gone, self.type)
        return sum(a.nbytes for a in columns if a is not None)

    def set_type(self, here: slice, values: U16) -> None:
        """Types of some events."""
        if self.type is None:
            self.type = np.zeros(CHUNK, np.uint16)
        self.type[here] = values


class _Index:
    """Where ids are: sorted runs, each at least twice as long as the next; new ones take shorter ones in."""

    def __init__(self) -> None:
        self.runs: list[tuple[I64, I64]] = []

    @property
    def nbytes(self) -> int:
        return sum(eid.nbytes + number.nbytes for eid, number in self.runs)

    def add(self, eid: I64, number: I64, first: int) -> None:
        """Take in new ids; those of events with numbers below ``first`` are let go."""
        order = np.argsort(eid, kind="stable")
        run = eid[order], number[order]
        while self.runs and len(self.runs[-1][0]) < 2 * len(run[0]):
            last = self.runs.pop()
            kept = last[1] >= first
            merged = np.concatenate([last[0][kept], run[0]])
            order = np.argsort(merged, kind="stable")
            run = merged[order], np.concatenate([last[1][kept], run[1]])[order]
        self.runs.append(run)

    def compact(self, first: int) -> None:
        """Let ids of events with numbers below ``first`` go."""
        kept = [(eid[number >= first], number[number >= first]) for eid, number in self.runs]
        self.runs = [run for run in kept if len(run[0])]

    def find(self, eid: I64) -> I64:
        """The numbers of ids, -1 of those that are not there."""
        found = np.full(len(eid), -1, np.int64)
        for known, number in self.runs:
            at = np.minimum(np.searchsorted(known, eid), len(known) - 1)
            hit = known[at] == eid
            found[hit] = number[at[hit]]
        return found


class EventLog:
    """Every event once, by number: 0, 1, 2, … in the order of arrival.

    The id of an event is its number, unless ids are given. An id is not taken twice, until the memory of the
    event that had it was given back.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, _Chunk] = {}  # in rising order, as they are made
        self._index: _Index | None = None
        self._implied = 0  # events from before ids were given: their numbers are their ids
        self.next = 0
        """The number of the next event."""
        self.left = 0
        """Events that are neither deleted nor expired."""

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        chunks = sum(chunk.nbytes for chunk in self._chunks.values())
        return chunks + (0 if self._index is None else self._index.nbytes)

    @property
    def first(self) -> int:
        """No event that is left has a lower number."""
        return next(iter(self._chunks)) << _BITS if self._chunks else self.next

    def check_new(self, eid: I64 | None, count: int) -> I64:
        """The ids that so many new events have.

        Raises:
            WeftValueError: one was there before, or is given twice.
        """
        if eid is None:
            ids = np.arange(self.next, self.next + count)
            if self._index is None:
                return ids
        else:
            ids = eid
            if len(np.unique(ids)) < len(ids):
                values, times = np.unique(ids, return_counts=True)
                raise WeftValueError(f"append events: ids are given twice: {_some(values[times > 1])}")
        there = self._numbers(ids) >= 0
        if there.any():
            raise WeftValueError(
                f"append events: {_some(ids[there])} are ids of events that came before; leave out what a "
                "source repeats, or give other ids"
            )
        return ids

    def append(self, source: U32, target: U32, time: I64, eid: I64, kind: U16 | None = None) -> I64:
        """Keep events, whose ids :meth:`check_new` has seen, and types if not all are 0; their numbers."""
        count, number = len(source), np.arange(self.next, self.next + len(source))
        if self._index is None and not np.array_equal(eid, number):
            self._index, self._implied = _Index(), self.next
        if self._index is not None and count:
            self._index.add(eid, number, self.first)
        done = 0
        while done < count:
            key = self.next >> _BITS
            if (chunk := self._chunks.get(key)) is None:
                chunk = self._chunks[key] = _Chunk()
            at = self.next & (CHUNK - 1)
            more = min(count - done, CHUNK - at)
            here, there = slice(at, at + more), slice(done, done + more)
            for column, values in (("source", source), ("target", target), ("time", time), ("eid", eid)):
                getattr(chunk, column)[here] = values[there]
            if kind is not None:
                chunk.set_type(here, kind[there])
            chunk.first = min(chunk.first, int(time[there].min()))
            chunk.size, chunk.left = at + more, chunk.left + more
            self.next, done = self.next + more, done + more
        self.left += count
        return number

    def _numbers(self, eid: I64) -> I64:
        implied = self.next if self._index is None else self._implied
        number = np.where((eid >= 0) & (eid < implied), eid, -1)
        return number if self._index is None else np.maximum(number, self._index.find(eid))

    def find(self, eid: I64) -> I64:
        """The numbers of events that are left.

        Raises:
            WeftKeyError: an id never was.
            WeftValueError: it is given twice, or of an event that was deleted or has expired.
        """
        if len(np.unique(eid)) < len(eid):
            values, times = np.unique(eid, return_counts=True)
            raise WeftValueError(f"delete events: ids are given twice: {_some(values[times > 1])}")
        number = self._numbers(eid)
        if (number < 0).any():
            raise WeftKeyError(f"delete events: no event has the id {_some(eid[number < 0])}")
        gone = self._gone(number)
        if gone.any():
            raise WeftValueError(f"delete events: {_some(eid[gone])} were deleted before, or have expired")
        return number

    def _gone(self, number: I64) -> npt.NDArray[np.bool_]:
        gone = np.ones(len(number), bool)
        for key, at, inside in _by_chunk(number):
            if (chunk := self._chunks.get(key)) is not None:
                gone[at] = chunk.gone[inside]
        return gone

    def take(self, number: I64) -> Events:
        """Events that are left, by number ``[K]``."""
        count = len(number)
        source, target = np.empty(count, np.uint32), np.empty(count, np.uint32)
        time, eid = np.empty(count, np.int64), np.empty(count, np.int64)
        for key, at, inside in _by_chunk(number):
            chunk = self._chunks[key]
            source[at], target[at] = chunk.source[inside], chunk.target[inside]
            time[at], eid[at] = chunk.time[inside], chunk.eid[inside]
        return Events(source, target, time, eid, number)

    def drop(self, number: I64) -> None:
        """Let events go that are left."""
        for key, _, inside in _by_chunk(number):
            chunk = self._chunks[key]
            chunk.gone[inside] = True
            chunk.left -= len(inside)
            if chunk.left == 0 and chunk.size == CHUNK:
                del self._chunks[key]
        self.left -= len(number)

    def before(self, time: int) -> I64:
        """Numbers of the events that are left from before a time."""
        found: list[I64] = []
        for key, chunk in self._chunks.items():
            if chunk.first >= time:
                continue
            there = ~chunk.gone[: chunk.size]
            old = there & (chunk.time[: chunk.size] < time)
            found.append((key << _BITS) + np.flatnonzero(old))
            chunk.first = int(chunk.time[: chunk.size][there & ~old].min(initial=np.iinfo(np.int64).max))
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def of(self, node: int) -> I64:
        """Numbers of the events that are left and that a node has part in."""
        found: list[I64] = []
        for key, chunk in self._chunks.items():
            size = chunk.size
            its = (chunk.source[:size] == node) | (chunk.target[:size] == node)
            found.append((key << _BITS) + np.flatnonzero(its & ~chunk.gone[:size]))
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def at(self, rank: I64) -> Events:
        """Events that are left, by their place 0, 1, 2, … among these in the order of arrival."""
        keys = np.array(list(self._chunks), np.int64)
        ends = np.cumsum([chunk.left for chunk in self._chunks.values()])
        which = np.searchsorted(ends, rank, side="right")
        number = np.empty(len(rank), np.int64)
        for one in np.unique(which):
            mine, chunk = which == one, self._chunks[int(keys[one])]
            there = np.flatnonzero(~chunk.gone[: chunk.size])
            number[mine] = (keys[one] << _BITS) + there[rank[mine] - (ends[one] - chunk.left)]
        return self.take(number)

    def pieces(self) -> Iterator[Events]:
        """All events that are left, by number, a piece at a time."""
        for key, chunk in self._chunks.items():
            at = np.flatnonzero(~chunk.gone[: chunk.size])
            yield Events(
                chunk.source[at], chunk.target[at], chunk.time[at], chunk.eid[at], (key << _BITS) + at
            )

    def compact(self) -> None:
        """Give back the memory of ids whose events' memory was given back."""
        if self._index is not None:
            self._index.compact(self.first)

    def stored(self) -> Iterator[Piece]:
        """All that is kept of events, by number."""
        for key, chunk in self._chunks.items():
            names = ("source", "target", "time", "eid", "gone")
            columns = {name: getattr(chunk, name)[: chunk.size] for name in names}
            if chunk.type is not None:
                columns["type"] = chunk.type[: chunk.size]
            yield Piece(key, columns)

    def restore(self, key: int, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Take back what :meth:`stored` gave, the least key first."""
        chunk = self._chunks[key] = _Chunk()
        chunk.size = len(columns["time"])
        for name, values in columns.items():
            if name != "type":
                getattr(chunk, name)[: chunk.size] = values
            elif values.any():
                chunk.set_type(slice(chunk.size), values)
        there = ~chunk.gone[: chunk.size]
        chunk.left = int(np.count_nonzero(there))
        chunk.first = int(chunk.time[: chunk.size][there].min(initial=np.iinfo(np.int64).max))
        self.left += chunk.left

    def ids_stored(self) -> Ids:
        """Where ids are."""
        return Ids(None, []) if self._index is None else Ids(self._implied, self._index.runs)

    def restore_ids(self, implied: int, runs: list[tuple[I64, I64]]) -> None:
        """Take back what :meth:`ids_stored` gave."""
        self._implied, self._index = implied, _Index()
        self._index.runs = runs

    def eids(self) -> Eids:
        """What gives ids for numbers as they are now."""
        if self._index is None:
            return Eids(self.first, {})
        return Eids(self.first, {key: chunk.eid for key, chunk in self._chunks.items()})

    def types(self) -> Types:
        """What gives types for numbers as they are now."""
        chunks = {key: chunk.type for key, chunk in self._chunks.items() if chunk.type is not None}
        return Types(self.first, chunks)


class Types:
    """From numbers modulo 2**32 to types of events."""

    def __init__(self, first: int, chunks: dict[int, U16]) -> None:
        self._first, self._chunks = first, chunks

    def of(self, number: U32) -> U16:
        """Uint16 types of uint32 numbers, both ``[S]``."""
        out = np.zeros(len(number), np.uint16)
        if self._chunks:
            for key, at, inside in _by_chunk(_whole(self._first, number)):
                if (chunk := self._chunks.get(key)) is not None:
                    out[at] = chunk[inside]
        return out


class Eids:
    """From numbers modulo 2**32, as rows of events keep them, to ids."""

    def __init__(self, first: int, chunks: dict[int, Any]) -> None:
        self._first, self._chunks = first, chunks

    def of(self, number: U32) -> I64:
        """Int64 ids of uint32 numbers, both ``[S]``."""
        full = _whole(self._first, number)
        if not self._chunks:
            return full
        out = np.empty(len(full), np.int64)
        for key, at, inside in _by_chunk(full):
            out[at] = self._chunks[key][inside]
        return out


def _whole(first: int, number: U32) -> I64:
    """Numbers, none below ``first``, from their low 32 bits."""
    if first == 0:
        return number.astype(np.int64)
    return first + (number - np.uint32(first & 0xFFFFFFFF)).astype(np.int64)


def _by_chunk(number: I64) -> Iterator[tuple[int, I64, I64]]:
    """For each chunk that holds some of the events: its key, which they are, and where they are in it."""
    keys = number >> _BITS
    order = np.argsort(keys, kind="stable")
    for at in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        if len(at):
            yield int(keys[at[0]]), at, number[at] & (CHUNK - 1)


def _some(values: npt.NDArray[Any]) -> str:
    text = ", ".join(map(str, values[:_SHOWN].tolist()))
    return text if len(values) <= _SHOWN else f"{text}, … ({len(values):,} in all)"
