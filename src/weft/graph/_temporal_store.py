"""A graph of events in a directory: which arrays, checked how.

Shapes: E events of the chunks that are kept, C chunks, I ids of the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.graph._events import CHUNK, EventLog
from weft.graph._store import count_of
from weft.kernels.temporal import TemporalRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.graph._part import Reads
    from weft.graph.format import DirectoryReader, DirectoryWriter

__all__ = ["KIND", "read", "write"]

I64 = npt.NDArray[np.int64]
KIND = "weft.temporalgraph"
_COLUMNS = {"source": np.uint32, "target": np.uint32, "time": np.int64, "eid": np.int64, "gone": np.bool_}
_NUMBERS = 1 << 32


def write(writer: DirectoryWriter, rows: TemporalRows, log: EventLog, prefix: str = "") -> dict[str, object]:
    """Put a graph into a directory.

    Args:
        writer: of the directory.
        rows: of the graph; they are not written, as the events give them.
        log: its events.
        prefix: what the names of its arrays begin with.

    Returns:
        What the manifest must say of it.
    """
    pieces = list(log.stored())
    for column, dtype in _COLUMNS.items():
        array = writer.array(prefix + column, dtype, (None,))
        for piece in pieces:
            array.write(piece.columns[column])
        writer.close_array(prefix + column)
    if any("type" in piece.columns for piece in pieces):
        array = writer.array(prefix + "type", np.uint16, (None,))
        for piece in pieces:
            array.write(piece.columns.get("type", np.zeros(len(piece.columns["time"]), np.uint16)))
        writer.close_array(prefix + "type")
    writer.write_array(prefix + "chunk", np.array([piece.key for piece in pieces], np.int64))
    ids = log.ids_stored()
    for name in ("index_eid", "index_number"):
        array = writer.array(prefix + name, np.int64, (None,))
        for run in ids.runs:
            array.write(run[name == "index_number"])
        writer.close_array(prefix + name)
    return {
        "num_nodes": rows.nodes,
        "num_events": log.left,
        "directed": not rows.both,
        "next": log.next,
        "implied": ids.implied,
        "runs": [len(eid) for eid, _ in ids.runs],
    }


def read(reader: DirectoryReader | Reads, meta: Mapping[str, Any]) -> tuple[TemporalRows, EventLog]:
    """The graph that was written.

    Raises:
        FormatError: arrays and manifest do not agree.
    """
    said = dict(meta)
    nodes, number = count_of(reader, said, "num_nodes"), count_of(reader, said, "next")
    directed = said.get("directed")
    if not isinstance(directed, bool):
        raise reader.error(f"the manifest gives directed as {directed!r}")
    log = EventLog()
    log.next = number
    _read_events(reader, said, log, nodes)
    _read_ids(reader, said, log)
    rows = TemporalRows(nodes, both=not directed)
    _fill(rows, log)
    return rows, log


def _read_events(reader: DirectoryReader | Reads, meta: dict[str, Any], log: EventLog, nodes: int) -> None:
    keys = reader.get("chunk", np.int64)
    events = reader.get("source", np.uint32)
    columns = {name: reader.get(name, dtype, events.shape) for name, dtype in _COLUMNS.items()}
    if "type" in reader.arrays:
        columns["type"] = reader.get("type", np.uint16, events.shape)
    if keys.ndim != 1 or events.ndim != 1:
        raise reader.error(f"chunk.npy and source.npy have shapes {keys.shape} and {events.shape}")
    size = np.minimum(np.maximum(log.next - keys * CHUNK, 0), CHUNK) if len(keys) else keys
    rising = not len(keys) or (keys[0] >= 0 and bool((np.diff(keys) > 0).all()))
    if not rising or size.sum() != len(events) or bool((size == 0).any()):
        raise reader.error(
            f"chunk.npy does not place the {len(events):,} events of source.npy below number {log.next:,}"
        )
    begin = 0
    for key, count in zip(keys.tolist(), size.tolist(), strict=True):
        piece = {name: np.asarray(column[begin : begin + count]) for name, column in columns.items()}
        if max(int(piece["source"].max()), int(piece["target"].max())) >= nodes:
            raise reader.error(f"source.npy or target.npy names a node that is not one of {nodes:,}")
        if int(piece["gone"].view(np.uint8).max()) > 1:
            raise reader.error("gone.npy holds what is neither true nor false")
        log.restore(key, piece)
        begin += count
    if log.left != count_of(reader, meta, "num_events"):
        raise reader.error(f"gone.npy leaves {log.left:,} events, the manifest says {meta['num_events']:,}")


def _read_ids(reader: DirectoryReader | Reads, meta: dict[str, Any], log: EventLog) -> None:
    eid = reader.get("index_eid", np.int64)
    number = reader.get("index_number", np.int64, eid.shape)
    runs, implied = meta.get("runs"), meta.get("implied")
    if not isinstance(runs, list) or not all(type(n) is int and n > 0 for n in runs) or sum(runs) != len(eid):
        raise reader.error(f"the manifest gives runs of ids as {runs!r}, index_eid.npy holds {len(eid):,}")
    if implied is None:
        if runs:
            raise reader.error("index_eid.npy holds ids, the manifest says that there are none")
        return
    if type(implied) is not int or not 0 <= implied <= log.next:
        raise reader.error(f"the manifest gives implied as {implied!r}, with {log.next:,} events")
    if len(number) and (int(number.min()) < 0 or int(number.max()) >= log.next):
        raise reader.error(f"index_number.npy names an event that is not one of {log.next:,}")
    parts: list[tuple[I64, I64]] = []
    for end, count in zip(np.cumsum(runs, dtype=np.int64).tolist(), runs, strict=True):
        run = np.array(eid[end - count : end])
        if (np.diff(run) <= 0).any():
            raise reader.error("index_eid.npy does not rise within a run")
        parts.append((run, np.array(number[end - count : end])))
    log.restore_ids(implied, parts)


def _fill(rows: TemporalRows, log: EventLog) -> None:
    """Events into rows: in the order of time, so that each comes to the end of its row."""
    last, sorted_ = np.iinfo(np.int64).min, True
    for piece in log.pieces():
        if len(piece.time):
            sorted_ = sorted_ and piece.time[0] >= last and bool((np.diff(piece.time) >= 0).all())
            last = piece.time[-1]
    if sorted_:
        for piece in log.pieces():
            rows.append(piece.source, piece.target, piece.time, piece.number & (_NUMBERS - 1))
    elif log.left:
        source, target, time, _, number = (np.concatenate(c) for c in zip(*log.pieces(), strict=True))
        order = np.argsort(time, kind="stable")
        for begin in range(0, len(order), CHUNK * 16):
            some = order[begin : begin + CHUNK * 16]
            rows.append(source[some], target[some], time[some], number[some] & (_NUMBERS - 1))
    rows.compact()
