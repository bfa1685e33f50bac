"""From a source of edges to a graph directory, within a given memory."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, cast

from weft.config import parse_bytes, show_bytes, show_count
from weft.errors import IdRangeError, WeftValueError
from weft.graph import _store
from weft.graph._attach import read_labels, write_features
from weft.graph._build import Built, build
from weft.graph._plan import Plan, free_memory, resident
from weft.graph._progress import Progress
from weft.graph._scatter import Rules
from weft.graph.format import DirectoryWriter
from weft.graph.graph import Graph
from weft.graph.sources import open_source
from weft.graph.sources.labels import holds_labels
from weft.kernels.csr.cpu import check_options

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from weft.graph._build import Written
    from weft.graph.sources.base import EdgeSource

__all__ = ["ingest", "lost"]

# Roughly how the time of an import divides among its passes.
_SHARES = {"numbering": 2.0, "scattering": 2.0, "sorting": 3.0}


def ingest(
    source: object,
    out: str | os.PathLike[str],
    *,
    memory: int | str | None = None,
    directed: bool = False,
    duplicates: Literal["keep", "drop", "sum"] = "drop",
    self_loops: Literal["keep", "drop"] = "keep",
    num_nodes: int | None = None,
    ids: Literal["auto", "int", "string"] = "auto",
    columns: tuple[str | int, str | int] | None = None,
    weight: str | int | Literal[False] | None = None,
    labels: str | os.PathLike[str] | tuple[npt.ArrayLike, Sequence[object]] | None = None,
    label_columns: tuple[str | int, str | int] | None = None,
    features: str | os.PathLike[str] | npt.NDArray[Any] | None = None,
    feature_ids: int | str | os.PathLike[str] | npt.ArrayLike | None = None,
    on_error: Literal["fail", "skip"] = "fail",
    overwrite: bool = False,
    progress: bool = False,
    say: Callable[[str], None] | None = None,
    **reading: Any,  # noqa: ANN401
) -> Graph:
    """Import edges as a graph directory.

    The same input gives the same bytes whatever the memory and the number of threads.

    Args:
        source: whatever ``weft.graph.sources.open_source`` takes: a file (text, Parquet, ``.npz``,
            ``.mat``), arrays ``(src, dst[, weight])``, an object of another library, an ``EdgeSource``.
        out: the directory to write.
        memory: bytes the process may have resident, such as ``"4GiB"``; by default half of what is free.
            Edges that do not fit are kept in an unnamed temporary file beside ``out``.
        directed: store edges as given; otherwise also in reverse.
        duplicates: of several edges with one source and target ``keep`` all, ``drop`` all but the
            first, or ``sum`` their weights (without weights: count them).
        self_loops: ``keep`` or ``drop`` edges from a node to itself.
        num_nodes: ids are ``0 .. num_nodes-1`` and need not all have an edge; by default the ids that
            occur are the nodes: integers in rising order, strings in the order in which they appear.
        ids: ``int`` refuses ids that are no integers, ``string`` takes all as text, ``auto`` decides.
        columns: source and target in a table, by name or by number from 0; by default those that a header
            names so, else the first two.
        weight: the column of weights in a table; by default one whose name says so. False: none.
        labels: a table of node ids and labels, one assignment a line; or ids and labels, as many. Those in
            ``group`` of a ``.mat`` file of edges are attached unasked.
        label_columns: of the id and the label in such a table, by name or by number from 0.
        features: a 2-D ``.npy`` file or array with a row for each node, in the order of the nodes.
        feature_ids: which node each row of ``features`` is for: ids (array or ``.npy`` or text file), or
            the number of the column of ``features`` that holds them.
        on_error: what to do with a line that cannot be read: ``fail``, or ``skip`` and count it.
        overwrite: replace a graph that is at ``out`` already, nothing else.
        progress: show a bar on stderr.
        say: takes what a user should know, a sentence at a time; without it what may be wrong with the
            input becomes a ``UserWarning``.
        **reading: further options of ``weft.graph.sources.open_source``.

    Raises:
        ParseError: the input cannot be read.
        WeftValueError: an option, an id or an attachment does not fit.
        BudgetError: ``memory`` is too small even with the edges on disk.
        StorageError: the disk is full, or the system refuses otherwise. In all cases nothing is left
            at ``out``, or what was there before.
    """
    check_options(duplicates, self_loops)
    if num_nodes is not None and num_nodes < 0:
        raise WeftValueError(f"num_nodes must not be negative (got {num_nodes})")
    if label_columns is not None and labels is None:
        raise WeftValueError("--label-columns (label_columns in Python) are given, but no labels")
    budget = free_memory() // 2 if memory is None else parse_bytes(memory)
    rules = Rules(directed=directed, duplicates=duplicates, self_loops=self_loops, num_nodes=num_nodes)
    with DirectoryWriter(out, _store.KIND, overwrite=overwrite) as writer:
        edges = open_source(source, columns=columns, weight=weight, ids=ids, on_error=on_error, **reading)
        built = _build(edges, writer, rules, budget, progress)
        if built is None:
            edges = edges.as_strings()
            built = _build(edges, writer, rules, budget, progress)
            assert built is not None
        _tell(edges, built, rules, say)
        for note in _unattached(source, len(built.ids), labels is None, features is None):
            if say is not None:
                say(f"{edges.name}: {note}")
        warn = _warning if say is None else say
        attached = None
        if labels is None and holds_labels(source):
            labels = cast("str", source)
        if labels is not None:
            attached = read_labels(labels, built.ids, warn, columns=label_columns, say=say)
        # By now the directory of the writer holds the rows; labels and features join them.
        meta: dict[str, object] = {
            "num_nodes": len(built.ids),
            "num_edges": built.num_edges,
            "directed": directed,
            "ids": built.ids.save(writer),
            "labels": None if attached is None else attached.save(writer),
        }
        if features is not None:
            write_features(features, feature_ids, built.ids, writer, warn)
        writer.finish(meta)
    return Graph.open(out)


def _build(
    source: EdgeSource, writer: DirectoryWriter, rules: Rules, budget: int, progress: bool
) -> Built | None:
    """None when integer ids turn out not to fit and must be read as strings."""
    declared = rules.num_nodes is not None or source.num_nodes is not None
    shares = {name: share for name, share in _SHARES.items() if not (declared and name == "numbering")}
    try:
        with Progress(progress, shares) as bar:
            return build(source, writer, rules, Plan.make(budget, resident()), bar)
    except IdRangeError:
        if source.id_kind == "string" or rules.num_nodes is not None:
            raise
        return None


def _tell(source: EdgeSource, built: Built, rules: Rules, say: Callable[[str], None] | None) -> None:
    report = source.report()
    if report.skipped:
        lines = show_count(report.skipped, "line")
        first = "\n  ".join(report.messages)
        (say or _warning)(f"{source.name}: {lines} could not be read, skipped\n  {first}")
    if say is not None:
        for note in report.notes:
            say(f"{source.name}: {note}")
        if gone := lost(built, rules.duplicates):
            both = "" if rules.directed or not built.duplicates else "; an edge and its reverse count as one"
            say(f"{source.name}: {gone}{both}")
        where = (
            f"{show_bytes(built.spilled)} of edges waited on disk" if built.spilled else "edges stayed in it"
        )
        say(f"memory: {show_bytes(built.plan.budget)} allowed, {where}")


def lost(put: Built | Written, duplicates: str) -> str:
    """What of the edges read was not stored; empty where all were."""
    parts = []
    if put.duplicates:
        what = "merged (weights summed)" if duplicates == "sum" else "dropped (the first is kept)"
        parts.append(f"{show_count(put.duplicates, 'duplicate edge')} {what}")
    if put.loops:
        parts.append(f"{show_count(put.loops, 'self-loop')} dropped")
    return f"{', '.join(parts)}, of {show_count(put.edges_read, 'edge')} read" if parts else ""


def _unattached(source: object, nodes: int, no_labels: bool, no_features: bool) -> list[str]:
    """What PyG data holds for each node and an import of its edges leaves behind."""
    if not hasattr(source, "edge_index"):
        return []
    remedies = {
        "x": ("features=data.x.numpy()", no_features),
        "y": ("labels=(range(data.num_nodes), data.y.tolist())", no_labels),
    }
    notes = []
    for name, (remedy, wanted) in remedies.items():
        shape = tuple(getattr(getattr(source, name, None), "shape", ()))
        if wanted and shape[:1] == (nodes,):
            notes.append(f"its {name} was not attached; {remedy} does that")
    return notes


def _warning(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)
