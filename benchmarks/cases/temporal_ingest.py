"""Events into a temporal graph, against the machine's random reads and a T-CSR that NumPy builds at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Row, on_threads
from benchmarks.events import PER_NODE, SCALE, SEED, TCSR, batches_of, rmat_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.events import Stream
    from weft.graph import TemporalGraph

__all__ = ["CASE"]

THREADS, LATE = 2, 0.05
NODES, EVENTS = 1 << SCALE, PER_NODE << SCALE
CASES = {
    "in order, batches of 100,000": (100_000, 0.0),
    "in order, batches of 1,000": (1_000, 0.0),
    "5 % late, batches of 100,000": (100_000, LATE),
}


def _ingest(stream: Stream, batch: int) -> TemporalGraph:
    from weft.graph import TemporalGraph

    graph = TemporalGraph(NODES)
    for piece in batches_of(stream, batch):
        graph.append(*piece)
    return graph


def _said(graph: TemporalGraph, plain: TCSR) -> str:
    """Bytes of a directed edge."""
    edges = len(plain.node)
    used, held = graph.rows.used / edges, graph.rows.held / edges
    rows, listed = plain.nbytes / edges, (graph.nbytes - graph.rows.held) / EVENTS
    return (
        f"rows: {used:.1f} B a directed edge used, {held:.1f} B held, {rows:.1f} B in a T-CSR of the same "
        f"fields ({held / rows:.2f}×); the list of events besides: {listed:.1f} B an event"
    )


def _row(name: str, batch: int, late: float, limit: Callable[[], float]) -> Row:
    stream = rmat_events(late=late)
    kept: list[TemporalGraph | TCSR] = []

    def ours() -> None:
        kept[:1] = []
        kept.insert(0, _ingest(stream, batch))

    def peer() -> None:
        kept[1:] = []
        kept.append(TCSR.build(stream, NODES))

    def note() -> str:
        graph, plain = kept
        assert isinstance(plain, TCSR)
        assert not isinstance(graph, TCSR)
        return f"limit: a random read of memory for each edge; {_said(graph, plain)}"

    import numpy as np

    work = 2 * EVENTS / 1e6
    return Row(
        name=name,
        ours=on_threads(THREADS, work, ours),
        peer=on_threads(THREADS, work, peer),
        peer_name=f"NumPy {np.__version__}: lexsort of all events at once, batches or not",
        limit=limit,
        note=note,
    )


def _rows(_: Path) -> list[Row]:
    import numpy as np

    from weft import _core

    memory = np.ones(2 * EVENTS * 4, np.uint32)  # as large as the rows will be
    reads = 20_000_000
    probe = on_threads(THREADS, reads / 1e6, lambda: _core.probe_random_reads(memory, reads, SEED))
    return [_row(name, batch, late, probe) for name, (batch, late) in CASES.items()]


CASE = Case(
    name="temporal.ingest",
    summary=f"append events of R-MAT {SCALE}, {PER_NODE} a node, both directions, two threads",
    unit="M edges/s",
    rows=_rows,
    config={
        "scale": SCALE,
        "events_per_node": PER_NODE,
        "threads": THREADS,
        "late": LATE,
        "late_by_at_most": 10_000,
        "seed": SEED,
    },
    packages=("numpy",),
)
