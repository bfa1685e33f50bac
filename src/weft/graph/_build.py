"""The passes of an import: number the nodes, scatter the edges, sort the buckets.

Every pass goes through its input in order and in pieces, so what is written depends neither on the size of
the pieces nor on where they are kept between the passes. Shapes: B edges of a chunk, K buckets.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.config import show_bytes
from weft.errors import BudgetError, ParseError, WeftValueError
from weft.graph._numbering import Declared, Integers, Numbering, Texts
from weft.graph._plan import Plan, resident
from weft.graph._scatter import Ends, Rules, Scatter
from weft.graph._shelf import Allowance, Shelf
from weft.graph.ids import Ids
from weft.kernels.csr import Buckets, sort_buckets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.graph._progress import Progress
    from weft.graph.format import DirectoryWriter
    from weft.graph.sources.base import EdgeSource

__all__ = ["Built", "build"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was written to ``indptr``, ``indices`` and ``weight``, and what of ``edges_read`` was not."""

    ids: Ids
    num_edges: int
    edges_read: int
    duplicates: int
    loops: int
    plan: Plan
    spilled: int


def build(source: EdgeSource, writer: DirectoryWriter, rules: Rules, plan: Plan, progress: Progress) -> Built:
    """Read ``source`` and write its rows.

    Raises:
        ParseError: the input cannot be read, or holds nothing.
        WeftValueError: an id is past the declared count.
        BudgetError: the memory of the plan is too small for this graph.
        StorageError: the system refuses a read or a write.
    """
    declared = source.num_nodes if rules.num_nodes is None else rules.num_nodes
    numbering = _numbering(source, declared, plan)
    allowance = Allowance(plan.keep // 2)
    with Shelf(allowance, writer.temporary) as spool, Shelf(allowance, writer.temporary) as shelf:
        edges, pieces = source.num_edges, _direct(source)
        if declared is None:
            progress.begin("numbering")
            edges, kept = _collect(source, numbering, spool, plan, progress)
            pieces = _spooled(spool, source.weighted) if kept else pieces
        ids = numbering.finish()
        if len(ids) == 0:
            raise ParseError(
                f"{source.name} holds no edges; give --num-nodes (num_nodes in Python) if "
                "the graph is meant to have none"
            )
        _trim()
        if not plan.fixed:
            plan = Plan.make(plan.budget, max(0, resident() - allowance.used), len(ids), 8)
        allowance.limit = plan.keep
        if allowance.used > plan.keep:
            spool.spill()
        progress.begin("scattering")
        guess = edges if edges is not None else source.size_hint() // 8
        buckets = Buckets.plan(len(ids), guess * (1 if rules.directed else 2))
        scatter = Scatter(shelf, buckets, rules, plan, source.weighted)
        edges = _scatter(pieces, numbering, scatter, source, guess, progress)
        spool.close()
        _trim()
        if not plan.holds_bucket(scatter.largest(), allowance.used):
            shelf.spill()
        plan.check_bucket(scatter.largest(), allowance.used)
        progress.begin("sorting")
        num_edges = _sort(scatter, writer, rules, plan, progress)
        duplicates, loops = scatter.lost(num_edges)
        return Built(
            ids=ids,
            num_edges=num_edges,
            edges_read=edges,
            duplicates=duplicates,
            loops=loops,
            plan=plan,
            spilled=spool.on_disk + shelf.on_disk,
        )


def _numbering(source: EdgeSource, declared: int | None, plan: Plan) -> Numbering:
    if source.id_kind == "string":
        if declared is not None:
            raise WeftValueError(
                f"--num-nodes {declared} (num_nodes in Python) needs integer ids, but "
                f"those of {source.name} are strings"
            )
        return Texts()
    return Integers(plan.keep // 8) if declared is None else Declared(declared)


def _collect(
    source: EdgeSource, numbering: Numbering, spool: Shelf, plan: Plan, progress: Progress
) -> tuple[int, bool]:
    """Number every node. Gives the number of edges, and whether the spool holds all of them."""
    each = 8 + (4 if source.weighted else 0)
    again = source.rereadable and source.id_kind == "int"
    kept = not (again and (source.num_edges or 0) * each > plan.keep // 2)
    edges, size = 0, max(1, source.size_hint())
    for chunk in source.chunks():
        src, dst = numbering.collect(chunk)
        edges += len(chunk)
        _check_room(numbering, plan)
        parts = (src, dst) if chunk.weight is None else (src, dst, chunk.weight)
        if kept and again and not spool.fits(sum(part.nbytes for part in parts)):
            spool.close()  # reading once more is cheaper than writing and reading what was read
            kept = False
        if kept:
            spool.put(*parts)
        progress.at(source.position / size, edges)
    if source.isolated is not None:
        numbering.extra(source.isolated)
    return edges, kept


def _check_room(numbering: Numbering, plan: Plan) -> None:
    # Numbering the ids at the end takes as much again.
    if isinstance(numbering, Integers) and not plan.fixed and 2 * numbering.nbytes > plan.keep:
        raise BudgetError(
            f"memory of {show_bytes(plan.budget)} is too small: the distinct ids alone take "
            f"{show_bytes(2 * numbering.nbytes)} of the {show_bytes(plan.keep)} that the process and its "
            "buffers leave"
        )


def _direct(source: EdgeSource) -> Iterator[Ends]:
    for chunk in source.chunks():
        assert isinstance(chunk.src, np.ndarray)
        assert isinstance(chunk.dst, np.ndarray)
        yield chunk.src, chunk.dst, chunk.weight


def _spooled(spool: Shelf, weighted: bool) -> Iterator[Ends]:
    for entry in range(len(spool)):
        yield spool.get(entry, 0), spool.get(entry, 1), spool.get(entry, 2) if weighted else None
        spool.release(entry)


def _scatter(
    pieces: Iterator[Ends],
    numbering: Numbering,
    scatter: Scatter,
    source: EdgeSource,
    guess: int,
    progress: Progress,
) -> int:
    edges = 0
    for ends in pieces:
        scatter.add(ends, numbering, edges, source.name)
        edges += len(ends[0])
        progress.at(edges / max(1, guess), edges)
    scatter.flush()
    scatter.release()
    return edges


def _sort(scatter: Scatter, writer: DirectoryWriter, rules: Rules, plan: Plan, progress: Progress) -> int:
    buckets = scatter.buckets
    sizes = scatter.sizes()
    total, done, stored = int(sizes.sum()), 0, 0
    weighted = scatter.weighted or rules.duplicates == "sum"
    indices = writer.array("indices", buckets.index_dtype, (None,))
    weights = writer.array("weight", np.float32, (None,)) if weighted else None
    indptr = np.zeros(buckets.num_nodes + 1, np.int64)
    for begin, end in _groups(sizes, plan.group):
        runs = scatter.load(begin, end)
        if not runs:
            continue
        degree, places, merged, starts, counts = sort_buckets(runs, buckets, begin, rules.duplicates)
        first = begin << buckets.shift
        indptr[1 + first : 1 + first + len(degree)] = degree
        for start, count in _spans(starts, counts, len(places)):
            indices.write(places[start : start + count])
            if weights is not None and merged is not None:
                weights.write(merged[start : start + count])
        stored += int(counts.sum())
        done += len(places)
        progress.at(done / max(1, total), done // (1 if rules.directed else 2))
    np.cumsum(indptr, out=indptr)
    writer.write_array("indptr", indptr)
    return stored


def _groups(sizes: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Ranges of consecutive buckets with at most ``most`` edges, or of one bucket."""
    ends = np.cumsum(sizes)
    cuts = [0]
    while cuts[-1] < len(sizes):
        before = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(max(cuts[-1] + 1, int(np.searchsorted(ends, before + most, side="right"))))
    return pairwise(cuts)


def _spans(starts: Array, counts: Array, total: int) -> list[tuple[int, int]]:
    if int(counts.sum()) == total:
        return [(0, total)]
    return list(zip(starts.tolist(), counts.tolist(), strict=True))


def _trim() -> None:
    """Give freed memory back to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
