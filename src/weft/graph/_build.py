"""The passes of an import: number the nodes, scatter the edges, sort the buckets.

Every pass goes through its input in order and in pieces, so what is written depends neither on the size of
the pieces nor on where they are kept between the passes. Shapes: B edges of a chunk, K buckets.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

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
    from collections.abc import Iterable, Iterator, Sequence

    from weft.graph._numbering import Collecting
    from weft.graph._progress import Progress
    from weft.graph.format import DirectoryWriter
    from weft.graph.sources.base import EdgeSource

__all__ = ["Built", "RowWriter", "Written", "build", "collect", "direct", "plan_rows", "spooled"]

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


class Written(NamedTuple):
    """Rows that were written, and what of ``edges_read`` was not."""

    num_edges: int
    edges_read: int
    duplicates: int
    loops: int
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
    with Shelf(allowance, writer.temporary) as spool:
        edges, pieces = source.num_edges, direct(source)
        if declared is None:
            progress.begin("numbering")
            edges, kept = collect(source, numbering, spool, plan, progress)
            if source.isolated is not None:
                numbering.note(source.isolated)
            pieces = spooled(spool, source.weighted) if kept else pieces
        ids = numbering.finish()
        if len(ids) == 0:
            raise ParseError(
                f"{source.name} holds no edges; give --num-nodes (num_nodes in Python) if "
                "the graph is meant to have none"
            )
        plan = plan_rows(plan, len(ids), [spool], allowance)
        guess = edges if edges is not None else source.size_hint() // 8
        rows = RowWriter(writer, rules, plan, progress, allowance)
        put = rows.write(pieces, (numbering, numbering), len(ids), guess, source.name, source.weighted)
        return Built(
            ids=ids,
            num_edges=put.num_edges,
            edges_read=put.edges_read,
            duplicates=put.duplicates,
            loops=put.loops,
            plan=plan,
            spilled=spool.on_disk + put.spilled,
        )


def plan_rows(plan: Plan, num_nodes: int, spools: Sequence[Shelf], allowance: Allowance) -> Plan:
    """The plan of what comes after numbering, when it is known how many nodes there are."""
    _trim()
    if not plan.fixed:
        plan = Plan.make(plan.budget, max(0, resident() - allowance.used), num_nodes, 8)
    allowance.limit = plan.keep
    if allowance.used > plan.keep:
        for spool in spools:
            spool.spill()
    return plan


class RowWriter:
    """Scatters and sorts edges, and writes their rows.

    Args:
        writer: of the directory.
        rules: what becomes of the edges.
        plan: sizes.
        progress: of the passes.
        allowance: what may be held in memory.
        prefix: what the names of the arrays begin with.
    """

    def __init__(
        self,
        writer: DirectoryWriter,
        rules: Rules,
        plan: Plan,
        progress: Progress,
        allowance: Allowance,
        prefix: str = "",
    ) -> None:
        self._writer, self._rules, self._plan = writer, rules, plan
        self._progress, self._allowance, self._prefix = progress, allowance, prefix

    def write(
        self,
        pieces: Iterable[Ends],
        numberings: tuple[Numbering, Numbering],
        num_nodes: int,
        guess: int,
        name: str,
        weighted: bool,
        sources: int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> Written:
        """Write ``indptr``, ``indices`` and perhaps ``weight``.

        Args:
            pieces: edges.
            numberings: of their sources and of their targets.
            num_nodes: more than every node's number.
            guess: how many edges there are, about.
            name: what messages call the input.
            weighted: whether every piece has weights.
            sources: how many nodes edges may leave; None: all.
            dtype: of ``indices``; None: what ``num_nodes`` needs.
        """
        plan, rules = self._plan, self._rules
        with Shelf(self._allowance, self._writer.temporary) as shelf:
            self._progress.begin(f"{self._prefix}scattering")
            buckets = Buckets.plan(num_nodes, guess * (1 if rules.directed else 2))
            scatter = Scatter(shelf, buckets, rules, plan, weighted)
            edges = self._scatter(pieces, numberings, scatter, guess, name)
            _trim()
            if not plan.holds_bucket(scatter.largest(), self._allowance.used):
                shelf.spill()
            plan.check_bucket(scatter.largest(), self._allowance.used)
            self._progress.begin(f"{self._prefix}sorting")
            kind = buckets.index_dtype if dtype is None else dtype
            stored = self._sort(scatter, num_nodes if sources is None else sources, kind)
            return Written(stored, edges, *scatter.lost(stored), shelf.on_disk)

    def _scatter(
        self,
        pieces: Iterable[Ends],
        numberings: tuple[Numbering, Numbering],
        scatter: Scatter,
        guess: int,
        name: str,
    ) -> int:
        edges = 0
        for ends in pieces:
            scatter.add(ends, numberings, edges, name)
            edges += len(ends[0])
            self._progress.at(edges / max(1, guess), edges)
        scatter.flush()
        scatter.release()
        return edges

    def _sort(self, scatter: Scatter, sources: int, dtype: npt.DTypeLike) -> int:
        buckets, rules, writer = scatter.buckets, self._rules, self._writer
        sizes = scatter.sizes()
        total, done, stored = int(sizes.sum()), 0, 0
        weighted = scatter.weighted or rules.duplicates == "sum"
        indices = writer.array(f"{self._prefix}indices", dtype, (None,))
        weights = writer.array(f"{self._prefix}weight", np.float32, (None,)) if weighted else None
        indptr = np.zeros(buckets.num_nodes + 1, np.int64)
        for begin, end in _groups(sizes, self._plan.group):
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
            self._progress.at(done / max(1, total), done // (1 if rules.directed else 2))
        indptr = indptr[: sources + 1]  # no edge leaves the others
        np.cumsum(indptr, out=indptr)
        writer.write_array(f"{self._prefix}indptr", indptr)
        return stored


def _numbering(source: EdgeSource, declared: int | None, plan: Plan) -> Numbering:
    if source.id_kind == "string":
        if declared is not None:
            raise WeftValueError(
                f"--num-nodes {declared} (num_nodes in Python) needs integer ids, but "
                f"those of {source.name} are strings"
            )
        return Texts()
    return Integers(plan.keep // 8) if declared is None else Declared(declared)


def collect(
    source: EdgeSource, numbering: Collecting, spool: Shelf, plan: Plan, progress: Progress
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
    return edges, kept


def _check_room(numbering: Collecting, plan: Plan) -> None:
    # Numbering the ids at the end takes as much again.
    if not plan.fixed and 2 * numbering.nbytes > plan.keep:
        raise BudgetError(
            f"memory of {show_bytes(plan.budget)} is too small: the distinct ids alone take "
            f"{show_bytes(2 * numbering.nbytes)} of the {show_bytes(plan.keep)} that the process and its "
            "buffers leave"
        )


def direct(source: EdgeSource) -> Iterator[Ends]:
    """Edges with integer ids as they are read."""
    for chunk in source.chunks():
        assert isinstance(chunk.src, np.ndarray)
        assert isinstance(chunk.dst, np.ndarray)
        yield chunk.src, chunk.dst, chunk.weight


def spooled(spool: Shelf, weighted: bool) -> Iterator[Ends]:
    """What :func:`collect` kept; the spool is closed at the end."""
    for entry in range(len(spool)):
        yield spool.get(entry, 0), spool.get(entry, 1), spool.get(entry, 2) if weighted else None
        spool.release(entry)
    spool.close()


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
