"""From a source of edges for each type to the directory of a typed graph, within a given memory."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from weft.config import parse_bytes, show_bytes, show_count
from weft.errors import IdRangeError, ParseError, WeftValueError
from weft.graph import _hetero_store
from weft.graph._build import RowWriter, Written, collect, direct, plan_rows, spooled
from weft.graph._hetero_build import check_names
from weft.graph._hetero_numbering import Pair, number_types, same_kind
from weft.graph._numbering import Declared
from weft.graph._plan import Plan, free_memory, resident
from weft.graph._progress import Progress
from weft.graph._rows import EdgeType, edge_name
from weft.graph._scatter import Ends, Rules
from weft.graph._shelf import Allowance, Shelf
from weft.graph._store import index_dtype
from weft.graph.format import DirectoryWriter
from weft.graph.hetero import HeteroGraph
from weft.graph.ingest import lost
from weft.graph.sources import open_source
from weft.kernels.csr.cpu import check_options
from weft.kernels.memory import drop_pages
from weft.npy import open_npy

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from weft.graph._numbering import Numbering
    from weft.graph.ids import Ids
    from weft.graph.sources.base import EdgeSource

__all__ = ["TypedEdges", "ingest_typed"]

_EDGES = 1 << 20  # of rows turned round at a time


class TypedEdges(NamedTuple):
    """Edges of a type, and which columns of a table hold them.

    ``source`` is what :func:`weft.graph.sources.open_source` takes; ``columns`` and ``weight`` as there.
    """

    source: object
    columns: tuple[str | int, str | int] | None = None
    weight: str | int | Literal[False] | None = None


def ingest_typed(
    edges: Mapping[EdgeType, object],
    out: str | os.PathLike[str],
    *,
    memory: int | str | None = None,
    directed: bool = False,
    duplicates: Literal["keep", "drop", "sum"] = "drop",
    self_loops: Literal["keep", "drop"] = "keep",
    num_nodes: Mapping[str, int] | None = None,
    ids: Literal["auto", "int", "string"] = "auto",
    on_error: Literal["fail", "skip"] = "fail",
    overwrite: bool = False,
    progress: bool = False,
    say: Callable[[str], None] | None = None,
    **reading: Any,  # noqa: ANN401
) -> HeteroGraph:
    """Import edges of several types as a graph directory.

    An id means the same node of its type in every file. The same input gives the same bytes whatever the
    memory and the number of threads.

    Args:
        edges: for each type (source type, relation, target type) what :func:`weft.graph.ingest.ingest` takes,
            or :class:`TypedEdges`, which says the columns.
        out: the directory to write.
        memory: bytes the process may have resident, such as ``"4GiB"``; by default half of what is free.
            Edges that do not fit are kept in unnamed temporary files beside ``out``.
        directed: store edges as given; otherwise there are also edges (target type, ``rev_`` + relation,
            source type), the reverse of each.
        duplicates: of several edges of a type with one source and target ``keep`` all, ``drop`` all but the
            first, or ``sum`` their weights (without weights: count them).
        self_loops: ``keep`` or ``drop`` edges from a node to itself.
        num_nodes: of the types it names ids are ``0 .. N-1`` and need not all have an edge; a type that no
            edge names is there with so many nodes. Of other types the ids that occur are the nodes: integers
            in rising order, strings in the order in which they appear.
        ids: ``int`` refuses ids that are no integers, ``string`` takes all as text, ``auto`` decides by type
            of nodes.
        on_error: what to do with a line that cannot be read: ``fail``, or ``skip`` and count it.
        overwrite: replace a typed graph that is at ``out`` already, nothing else.
        progress: show a bar on stderr.
        say: takes what a user should know, a sentence at a time.
        **reading: further options of :func:`weft.graph.sources.open_source`, for all files.

    Raises:
        ParseError: an input cannot be read, or holds a square matrix for edges between two types.
        WeftTypeError: a type of edges is no triple.
        WeftValueError: an option, a name or an id does not fit.
        BudgetError: ``memory`` is too small even with the edges on disk.
        StorageError: the disk is full, or the system refuses otherwise. In all cases nothing is left
            at ``out``, or what was there before.
    """
    check_options(duplicates, self_loops)
    counts = dict(num_nodes or {})
    _check(edges, counts, directed=directed)
    budget = free_memory() // 2 if memory is None else parse_bytes(memory)
    with DirectoryWriter(out, _hetero_store.KIND, overwrite=overwrite) as writer:
        sources: dict[EdgeType, EdgeSource] = {}
        for kind, given in edges.items():
            one = given if isinstance(given, TypedEdges) else TypedEdges(given)
            sources[kind] = open_source(
                one.source, columns=one.columns, weight=one.weight, ids=ids, on_error=on_error, **reading
            )
            _check_matrix(kind, sources[kind], counts)
        job = _Import(writer, counts, directed, duplicates, self_loops, progress=progress, say=say)
        sources = same_kind(sources)
        try:
            meta: dict[str, object] | None = job.run(sources, budget, text=ids == "string")
        except IdRangeError:
            if job.begun or ids == "int":
                raise
            meta = None
        if meta is None:
            sources = {kind: source.as_strings() for kind, source in sources.items()}
            meta = job.run(sources, budget, text=False)
        writer.finish(meta)
    return HeteroGraph.open(out)


class _Import:
    """An import that has a place to write to."""

    def __init__(
        self,
        writer: DirectoryWriter,
        counts: dict[str, int],
        directed: bool,
        duplicates: Literal["keep", "drop", "sum"],
        self_loops: Literal["keep", "drop"],
        *,
        progress: bool,
        say: Callable[[str], None] | None,
    ) -> None:
        self._writer, self._counts, self._directed = writer, counts, directed
        self._duplicates: Literal["keep", "drop", "sum"] = duplicates
        self._self_loops: Literal["keep", "drop"] = self_loops
        self._shown, self._say = progress, say
        self.begun = False
        """Whether rows are being written."""

    def run(self, sources: dict[EdgeType, EdgeSource], budget: int, *, text: bool) -> dict[str, object]:
        """Number all nodes, then write the rows of each type; gives the manifest's ``meta``."""
        plan = Plan.make(budget, resident())
        numberings = number_types(sources, self._counts, plan.keep // 8, text=text)
        allowance = Allowance(plan.keep // 2)
        with contextlib.ExitStack() as stack:
            bar = stack.enter_context(Progress(self._shown, self._shares(sources)))
            spools = {kind: stack.enter_context(Shelf(allowance, self._writer.temporary)) for kind in sources}
            kept = {
                kind: self._collect(kind, source, numberings, spools[kind], plan, bar)
                for kind, source in sources.items()
            }
            ids = self._finish(numberings)
            plan = plan_rows(plan, max(map(len, ids.values())), list(spools.values()), allowance)
            dtype = index_dtype(max(map(len, ids.values())))
            self.begun = True
            stored: list[int] = []
            for number, (kind, source) in enumerate(sources.items()):
                held, edges = kept[kind]
                pieces = spooled(spools[kind], source.weighted) if held else direct(source)
                both = numberings[kind[0]], numberings[kind[2]]
                put = self._writer_of(number, kind, plan, bar, allowance).write(
                    pieces,
                    both,
                    max(len(ids[kind[0]]), len(ids[kind[2]])),
                    edges,
                    source.name,
                    source.weighted,
                    len(ids[kind[0]]),
                    dtype,
                )
                self._tell(kind, source, put)
                stored.append(put.num_edges)
            for number, (kind, source) in enumerate(sources.items() if not self._directed else ()):
                weighted = source.weighted or self._duplicates == "sum"
                at = number + len(sources)
                back = self._writer_of(at, kind, plan, bar, allowance, turned=True)
                both = Declared(len(ids[kind[2]])), Declared(len(ids[kind[0]]))
                put = back.write(
                    _turned(self._writer, number, weighted=weighted),
                    both,
                    max(len(ids[kind[0]]), len(ids[kind[2]])),
                    stored[number],
                    source.name,
                    weighted,
                    len(ids[kind[2]]),
                    dtype,
                )
                stored.append(put.num_edges)
        if self._say is not None:
            self._say(f"memory: {show_bytes(budget)} allowed")
        kinds = [*sources, *(map(_back, sources) if not self._directed else ())]
        return _hetero_store.meta_of(self._writer, ids, dict(zip(kinds, stored, strict=True)))

    def _collect(
        self,
        kind: EdgeType,
        source: EdgeSource,
        numberings: dict[str, Numbering],
        spool: Shelf,
        plan: Plan,
        bar: Progress,
    ) -> tuple[bool, int]:
        """Number the nodes of a file; whether its edges were kept, and how many there are, about."""
        ends = numberings[kind[0]], numberings[kind[2]]
        guess = source.size_hint() // 8 if source.num_edges is None else source.num_edges
        if all(isinstance(one, Declared) for one in ends):
            return False, guess
        bar.begin(f"numbering {edge_name(kind)}")
        edges, kept = collect(source, Pair(*ends, list(numberings.values())), spool, plan, bar)
        if source.isolated is not None and kind[0] == kind[2]:
            ends[0].note(source.isolated)
        return kept, edges

    @staticmethod
    def _finish(numberings: dict[str, Numbering]) -> dict[str, Ids]:
        ids: dict[str, Ids] = {}
        for name, numbering in numberings.items():
            try:
                ids[name] = numbering.finish()
            except WeftValueError as error:
                raise WeftValueError(f"nodes of type {name!r}: {error}") from None
        if not any(map(len, ids.values())):
            raise ParseError(
                "there are no edges in any of the files; declare nodes with --num-nodes (num_nodes in "
                "Python) if the graph is meant to have none"
            )
        return ids

    def _writer_of(
        self,
        number: int,
        kind: EdgeType,
        plan: Plan,
        bar: Progress,
        allowance: Allowance,
        *,
        turned: bool = False,
    ) -> RowWriter:
        # Numbers of two types may agree without being one node: only edges within a type can be loops.
        loops = self._self_loops if kind[0] == kind[2] else "keep"
        rules = Rules(directed=True, duplicates="keep" if turned else self._duplicates, self_loops=loops)
        return RowWriter(self._writer, rules, plan, bar, allowance, _hetero_store.edge_part(number))

    def _shares(self, sources: dict[EdgeType, EdgeSource]) -> dict[str, float]:
        """How the time divides, by sizes of files."""
        shares: dict[str, float] = {}
        for number, (kind, source) in enumerate(sources.items()):
            size = float(max(1, source.size_hint()))
            shares[f"numbering {edge_name(kind)}"] = 2 * size
            for at in (number,) if self._directed else (number, number + len(sources)):
                part = _hetero_store.edge_part(at)
                shares |= {f"{part}scattering": 2 * size, f"{part}sorting": 3 * size}
        return shares

    def _tell(self, kind: EdgeType, source: EdgeSource, put: Written) -> None:
        if self._say is None:
            return
        report, name = source.report(), f"{edge_name(kind)}, {source.name}"
        if report.skipped:
            first = "\n  ".join(report.messages)
            self._say(f"{name}: {show_count(report.skipped, 'line')} could not be read, skipped\n  {first}")
        for note in report.notes:
            self._say(f"{name}: {note}")
        if gone := lost(put, self._duplicates):
            self._say(f"{name}: {gone}")


def _turned(writer: DirectoryWriter, number: int, *, weighted: bool) -> Iterator[Ends]:
    """The edges of a type that is written, each turned round, in the order of the rows."""
    part = _hetero_store.edge_part(number)
    indices = open_npy(writer.close_array(f"{part}indices"))
    weight = open_npy(writer.close_array(f"{part}weight")) if weighted else None
    indptr = open_npy(writer.temporary / f"{part}indptr.npy")
    for begin in range(0, len(indices), _EDGES):
        end = min(begin + _EDGES, len(indices))
        source = np.searchsorted(indptr, np.arange(begin, end), side="right") - 1
        yield (
            np.array(indices[begin:end]),
            source,
            None if weight is None else np.array(weight[begin:end]),
        )
        for array in (indptr, indices) if weight is None else (indptr, indices, weight):
            drop_pages(array)


def _back(kind: EdgeType) -> EdgeType:
    return kind[2], f"rev_{kind[1]}", kind[0]


def _check(edges: Mapping[EdgeType, object], counts: dict[str, int], *, directed: bool) -> None:
    """What should not come to light only after files were read."""
    check_names(edges, counts)
    if not edges:
        raise WeftValueError("a typed graph needs edges of at least one type")
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise WeftValueError(f"num_nodes of {name!r} must be 0 or more (got {count!r})")
    for kind in edges if not directed else ():
        if _back(kind) in edges:
            raise WeftValueError(
                f"edges {edge_name(_back(kind))} are given, and would be made of {edge_name(kind)}; pass "
                "--directed (directed=True in Python) to store edges as they are given"
            )


def _check_matrix(kind: EdgeType, source: EdgeSource, counts: dict[str, int]) -> None:
    """A matrix says how many nodes its type has, if it is one of one type."""
    if source.num_nodes is None:
        return
    if kind[0] != kind[2]:
        raise ParseError(
            f"{source.name} is a square matrix, whose rows and columns are the same nodes; {edge_name(kind)} "
            "joins two types: give these edges as a table of two columns, or as arrays"
        )
    counts[kind[0]] = max(source.num_nodes, counts.get(kind[0], 0))
