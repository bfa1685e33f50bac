"""Rows of blocks against a log of segments that are merged, on one thread: where events may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from benchmarks.case import Case, Row, on_threads
from benchmarks.events import PER_NODE, SCALE, SEED, batches_of, rmat_events, roots
from benchmarks.segments import Segments, compiled

if TYPE_CHECKING:
    import ctypes
    from pathlib import Path

    from benchmarks.events import Stream
    from weft.kernels.temporal import TemporalRows

__all__ = ["CASE"]

NODES, EVENTS, LATE = 1 << SCALE, PER_NODE << SCALE, 0.05
NAME = "a log of segments (prototype)"


def _blocks(stream: Stream, batch: int) -> TemporalRows:
    from weft.kernels.temporal import TemporalRows

    rows, number = TemporalRows(NODES), 0
    for piece in batches_of(stream, batch):
        rows.append(*piece, number)
        number += len(piece.time)
    return rows


def _segments(library: ctypes.CDLL, stream: Stream, batch: int) -> Segments:
    log = Segments(library, NODES)
    for piece in batches_of(stream, batch):
        log.append(piece)
    return log


def _append(library: ctypes.CDLL | None, batch: int, late: float) -> Row:
    stream = rmat_events(late=late)
    said: dict[str, str] = {}

    def ours() -> None:
        rows = _blocks(stream, batch)
        said["blocks"] = f"{rows.used / EVENTS / 2:.1f} B used, {rows.held / EVENTS / 2:.1f} B held"

    def peer() -> None:
        assert library is not None
        log = _segments(library, stream, batch)
        used, held = (log.bytes(held=h) / EVENTS / 2 for h in (False, True))
        said["segments"] = f"{used:.1f} B used, {held:.1f} B held in {len(log)} segments"

    def note() -> str:
        parts = (f"{name}: {text}" for name, text in said.items())
        return "of a directed edge, " + "; ".join(parts)

    work = 2 * EVENTS / 1e6
    return Row(
        name=f"append batches of {batch:,}{', 5 % late' * (late > 0)}",
        ours=on_threads(1, work, ours),
        peer=None if library is None else on_threads(1, work, peer),
        peer_name=NAME,
        note=note,
    )


def _rows(folder: Path) -> list[Row]:
    library = compiled(folder)
    rows = [_append(library, *kind) for kind in ((100_000, 0.0), (1_000, 0.0), (100_000, LATE))]
    stream = rmat_events()
    # An odd end, so that the log has segments of every size, as it has most of the time.
    stream = next(batches_of(stream, EVENTS - 123_456))
    blocks = _blocks(stream, 1_000)
    log = None if library is None else _segments(library, stream, 1_000)

    def row(how: Literal["recent", "uniform"], where: Literal["head", "spread"]) -> Row:
        some = roots(stream, where, 600, 100, NODES)

        def ours() -> int:
            return sum(len(blocks.sample(root, at, 10, how=how, seed=SEED).row) for root, at in some)

        def peer() -> int:
            assert log is not None
            return sum(len(log.sample(root, at, 10, uniform=how == "uniform")[0]) for root, at in some)

        return Row(
            name=f"{how} 10, {where}",
            ours=on_threads(1, ours() / 1e6, ours),
            peer=None if log is None else on_threads(1, peer() / 1e6, peer),
            peer_name=NAME,
            note=f"{len(log)} segments" if log is not None else "there is no compiler for the prototype",
        )

    places: tuple[Literal["head"], Literal["spread"]] = ("head", "spread")
    return [*rows, *(row("recent", where) for where in places), *(row("uniform", where) for where in places)]


CASE = Case(
    name="temporal.store",
    summary=f"rows of blocks against merged segments, R-MAT {SCALE}, {PER_NODE} events a node, one thread",
    unit="M edges/s",
    rows=_rows,
    config={"scale": SCALE, "events_per_node": PER_NODE, "late": LATE, "seed": SEED},
    packages=("numpy",),
)
