"""A graph of events that never stops."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftKeyError, WeftValueError
from weft.graph import _temporal_store
from weft.graph._events import Eids, EventLog, Events, Types
from weft.graph.format import DirectoryReader, DirectoryWriter
from weft.kernels.temporal import TemporalRows
from weft.kernels.temporal.form import checked

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from weft.kernels.temporal import TemporalView

__all__ = ["TemporalGraph", "TemporalSnapshot"]

I64 = npt.NDArray[np.int64]
_NODES = np.iinfo(np.uint32).max  # nodes at most
_LOOSE = 1 << 16  # events that may go before rows are packed anew: memory of few is not worth it
_NUMBERS = 1 << 32  # between the oldest event that is left and the newest


class TemporalSnapshot:
    """A graph as it was at a moment, for readers beside the writer.

    Attributes:
        rows: events of nodes by time.
        num_nodes: how many there were.
        num_events: likewise.
    """

    def __init__(self, rows: TemporalView, eids: Eids, types: Types, num_events: int) -> None:
        self.rows, self._eids, self._types = rows, eids, types
        self.num_nodes, self.num_events = rows.nodes, num_events

    def eids(self, number: npt.NDArray[np.uint32]) -> I64:
        """Ids of events, int64 ``[S]``, by the numbers that rows give, uint32 ``[S]``."""
        return self._eids.of(number)

    def types(self, number: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint16]:
        """Types of events, uint16 ``[S]``, by the numbers that rows give, uint32 ``[S]``."""
        return self._types.of(number)


class TemporalGraph:
    """A multigraph of events, each with a source, a target, a time and an id.

    Events may come in any order; each takes its place by time, and of one time after those that came before
    it, so that the graph equals one of the sorted stream. One thread changes it; others read
    :meth:`snapshot`, or sample, which waits for a change to end.

    Args:
        num_nodes: nodes there are at first; events of others bring more.
        directed: an event is found from its source alone; otherwise from both its nodes, under one id.
    """

    def __init__(self, num_nodes: int = 0, *, directed: bool = False) -> None:
        self.rows = TemporalRows(num_nodes, both=not directed)
        """Events of nodes by time."""
        self._log, self._lock = EventLog(), threading.RLock()
        self._loose = 0  # events that went since rows were packed

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = False) -> TemporalGraph:
        """Read a graph that was saved into memory.

        It goes on as the one that was saved would have: the same draws, ids, numbers and refusals. Sizes,
        headers, the manifest's checksum and what arrays say of each other are checked; with ``verify``
        checksums, too. Rows are built anew, as small as they can be.

        Raises:
            FormatError: the directory is damaged, foreign or of another version.
            StorageError: it cannot be read.
        """
        reader = DirectoryReader(path, _temporal_store.KIND, verify=verify)
        graph = cls()
        graph.rows, graph._log = _temporal_store.read(reader, reader.meta)
        return graph

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a directory: all of it, or what stood there stays.

        A thread that changes the graph waits meanwhile.

        Args:
            path: where the directory will be.
            overwrite: a temporal graph that is there may be replaced.

        Raises:
            WeftValueError: something is there and may not be replaced.
            StorageError: the disk is full, or the system refuses otherwise.
        """
        with self._lock, DirectoryWriter(path, _temporal_store.KIND, overwrite=overwrite) as writer:
            writer.finish(_temporal_store.write(writer, self.rows, self._log))

    def compact(self) -> None:
        """Give back what memory events do not need, such as room to grow. No draw changes.

        Ids of events whose memory was given back before may then be taken again. What snapshots hold goes
        with the first change after they are gone.

        Raises:
            MemoryError: there is no room to move events to; nothing is lost then.
        """
        with self._lock:
            self.rows.compact()
            self._log.compact()
            self._loose = 0

    def __repr__(self) -> str:
        """Sizes."""
        kind = "directed" if self.directed else "undirected"
        return f"TemporalGraph({self.num_nodes:,} nodes, {self.num_events:,} events, {kind})"

    @property
    def directed(self) -> bool:
        """Whether an event is found from its source alone."""
        return not self.rows.both

    @property
    def num_nodes(self) -> int:
        """One more than the largest node that ever was."""
        return self.rows.nodes

    @property
    def num_events(self) -> int:
        """Events that are neither deleted nor expired."""
        return self._log.left

    @property
    def nbytes(self) -> int:
        """Bytes that the system gave for rows, events and ids."""
        return self.rows.held + self._log.nbytes

    def append(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        eid: npt.ArrayLike | None = None,
        type: npt.ArrayLike | None = None,
    ) -> I64:
        """Add events: all of them, or none.

        Args:
            source: nodes, integers ``[E]`` from 0 to 2**32 - 2.
            target: likewise.
            time: ``[E]``: integers of any unit, negative ones too; floats that are integers; or datetimes of
                one unit. In any order; fast where they rise.
            eid: ids, integers ``[E]`` of 64 bits; None: 0, 1, 2, … in the order of arrival.
            type: of each event, integers ``[E]`` from 0 to 65,535; None: 0.

        Returns:
            Their ids, int64 ``[E]``.

        Raises:
            WeftValueError: arrays differ in length, a time is NaN, no integer or too large, a node is none,
                or an id was there before.
            MemoryError: there is no room; every later call refuses then.
        """
        u, v, t = checked("append events", (source, target, as_times(time)), (np.uint32, np.uint32, np.int64))
        given = None if eid is None else checked("append events", (eid, u), (np.int64, np.uint32))[0]
        kind = None if type is None else checked("append events", (type, u), (np.uint16, np.uint32))[0]
        if len(u) and max(int(u.max()), int(v.max())) >= _NODES:
            raise WeftValueError(f"append events: nodes must be below {_NODES:,} (got {_NODES:,})")
        with self._lock:
            if self._log.next + len(u) - self._log.first >= _NUMBERS:
                raise WeftValueError(
                    f"append events: between the oldest event that is left and the newest lie {_NUMBERS:,}; "
                    "let old ones expire"
                )
            ids = self._log.check_new(given, len(u))
            number = self._log.append(u, v, t, ids, kind)
            self.rows.append(u, v, t, number & (_NUMBERS - 1))
            return ids

    def delete(self, eid: npt.ArrayLike) -> None:
        """Take events out: all of them, or none.

        Args:
            eid: ids, integers ``[K]``.

        Raises:
            WeftKeyError: an id never was.
            WeftValueError: it is given twice, or of an event that was deleted or has expired.
        """
        (ids,) = checked("delete events", (eid,), (np.int64,))
        with self._lock:
            self._take_out(self._log.find(ids))

    def delete_node(self, node: int) -> int:
        """Take all events of a node out, which looks at every event; the node itself stays.

        Returns:
            How many they were.

        Raises:
            WeftKeyError: there is no such node.
        """
        if not 0 <= node < self.num_nodes:
            raise WeftKeyError(f"delete node: {node} is not one of {self.num_nodes:,}")
        with self._lock:
            number = self._log.of(node)
            self._take_out(number)
            return len(number)

    def _take_out(self, number: I64) -> None:
        gone = self._log.take(number)
        self.rows.remove(gone.source, gone.target, gone.time, number & (_NUMBERS - 1))
        self._drop(number)

    def expire(self, before: int) -> int:
        """Take out all events from before a time.

        Returns:
            How many they were.
        """
        with self._lock:
            number = self._log.before(before)
            gone = self._log.take(number)
            nodes = gone.source if self.directed else np.concatenate([gone.source, gone.target])
            self.rows.expire(before, np.unique(nodes))
            self._drop(number)
            return len(number)

    def _drop(self, number: I64) -> None:
        self._log.drop(number)
        self._loose += len(number)
        if self._loose > max(self._log.left // 2, _LOOSE):
            self._loose = 0
            with contextlib.suppress(MemoryError):  # what was asked for is done
                self.rows.compact()

    def events(self) -> Iterator[Events]:
        """All events in the order of arrival, a piece at a time."""
        return self._log.pieces()

    def events_at(self, rank: npt.ArrayLike) -> Events:
        """Events by their place in the order of arrival, integers ``[K]`` from 0 to below ``num_events``.

        Raises:
            WeftValueError: there is no such place.
        """
        (places,) = checked("events at", (rank,), (np.int64,))
        with self._lock:
            if len(places) and not 0 <= places.min() <= places.max() < self.num_events:
                raise WeftValueError(
                    f"events at: places must be in 0 .. {self.num_events - 1} (got {places.min()} .. "
                    f"{places.max()})"
                )
            return self._log.at(places)

    def snapshot(self) -> TemporalSnapshot:
        """The graph as it is now. What it alone holds is given back by the first change after it is gone."""
        with self._lock:
            return TemporalSnapshot(self.rows.view(), self._log.eids(), self._log.types(), self.num_events)

    def eids(self, number: npt.NDArray[np.uint32]) -> I64:
        """Ids of events, int64 ``[S]``, by the numbers that rows give, uint32 ``[S]``."""
        with self._lock:
            eids = self._log.eids()
        return eids.of(number)

    def types(self, number: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint16]:
        """Types of events, uint16 ``[S]``, by the numbers that rows give, uint32 ``[S]``."""
        with self._lock:
            types = self._log.types()
        return types.of(number)


def as_times(time: npt.ArrayLike) -> npt.NDArray[Any]:
    """Times as integers.

    Raises:
        WeftValueError: one is NaN, no integer, or does not fit into 64 bits.
    """
    given = np.asarray(time)
    if given.dtype.kind == "M":
        missing = np.isnat(given)
        if missing.any():
            raise WeftValueError(
                f"times: {np.count_nonzero(missing):,} are missing, the first at {missing.argmax()}"
            )
        return given.astype(np.int64)
    if given.dtype.kind != "f":
        return given
    # 2**63 itself is a float64 and no int64.
    wrong = ~((given >= -(2.0**63)) & (given < 2.0**63)) | (given != np.floor(given))
    if wrong.any():
        at = int(wrong.argmax())
        raise WeftValueError(
            f"times: {given.flat[at]} at {at} is no integer of 64 bits ({np.count_nonzero(wrong):,} such); "
            "round them, or give a finer unit as integers"
        )
    return given.astype(np.int64)
