"""Features, labels and splits into a graph's directory, a piece at a time.

Shapes: N nodes, F columns, B rows of a piece.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.checks import check_path
from weft.errors import ParseError, WeftValueError
from weft.features.codec import encoded
from weft.features.sources import open_rows
from weft.graph import Graph, HeteroGraph, open_graph, read_labels
from weft.graph.directory import (
    DirectoryReader,
    DirectoryWriter,
    WriterPart,
    kind_of,
    locked,
    node_part,
    split_meta,
)
from weft.graph.sources.labels import column_titled
from weft.kernels.codec import record, said_by
from weft.kernels.codec.form import check_codec

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from weft.features.sources import Piece, RowSource
    from weft.features.table import Array
    from weft.graph import Ids, Labels
    from weft.graph.directory import ArrayWriter, PlacedWriter
    from weft.kernels.codec import Codec

__all__ = ["attach"]

OnNan = Literal["fail", "zero"]


def _warning(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=3)


def attach(
    graph: str | os.PathLike[str] | Graph | HeteroGraph,
    features: Any = None,  # noqa: ANN401
    *,
    feature_ids: int | str | os.PathLike[str] | npt.ArrayLike | None = None,
    columns: Sequence[int | str] | None = None,
    codec: Codec | None = None,
    on_nan: OnNan = "fail",
    labels: str | os.PathLike[str] | tuple[npt.ArrayLike, Sequence[object]] | None = None,
    label_columns: tuple[int | str, int | str] | None = None,
    split: str | os.PathLike[str] | tuple[npt.ArrayLike, Sequence[object]] | None = None,
    type: str | None = None,
    say: Callable[[str], None] = _warning,
) -> Graph | HeteroGraph:
    """Put features, labels or a split into the directory of a graph, in place of those that are there.

    The new directory takes the old one's place in one step when it is whole; edges are not copied but stand
    in both until then. Of the rows, some megabytes are in memory at a time.

    Args:
        graph: the directory, or a graph that was opened from one.
        features: an array or tensor ``[N, F]``, also a mapped one; or a file: ``.npy``, Parquet, or separated
            text. ``"x.parquet:f0,f1"`` or ``columns`` say which columns of a table.
        feature_ids: whose each row is: a column, by name or number, or a file or an array of ids. By default
            the column of a table that is called id, node or the like; without one, row i is node i's.
        columns: of a table, by name, pattern (``f*``) or number; by default all that hold numbers.
        codec: how rows are stored (:func:`weft.features.encode`); by default as they are given.
        on_nan: of what is no number, ``fail``, or ``zero``: count and replace it.
        labels: as in :func:`weft.graph.read_labels`.
        label_columns: as there.
        split: what nodes are for, train, val or test, given as labels are; one each.
        type: of the nodes, where there are several types.
        say: takes a sentence about what was left out or replaced; by default it becomes a ``UserWarning``.

    Returns:
        The graph, opened anew.

    Raises:
        ParseError: the rows cannot be read, or none of the ids is in the graph.
        WeftValueError: rows are missing, too many or given twice; a number is NaN, or one that the codec
            cannot hold; or another process attaches to this graph.
        StorageError: the disk is full, or the system refuses otherwise.
    """
    if features is None and labels is None and split is None:
        raise WeftValueError("attach: give features, labels or a split")
    if on_nan not in ("fail", "zero"):
        raise WeftValueError(f"attach: on_nan must be 'fail' or 'zero' (got {on_nan!r})")
    if codec is not None:
        check_codec(codec)
    place = _place(graph)
    if not place.is_dir():
        open_graph(place)  # says what is there instead
    with locked(place):
        opened = open_graph(place)
        prefix, ids, number = _nodes(opened, type)
        reader = DirectoryReader(place, kind_of(opened))
        found = None if labels is None else read_labels(labels, ids, say, columns=label_columns)
        parts = None if split is None else _split(split, ids, say)
        source = (
            None
            if features is None
            else open_rows(features, columns=columns, feature_ids=feature_ids, kind=ids.kind)
        )
        if source is not None and source.id_column is None and (note := ids.order()) is not None:
            say(note)
        with DirectoryWriter(place, kind_of(opened), overwrite=True) as writer:
            given = {"features": source, "label_": found, "split_": parts}
            replaced = tuple(prefix + name for name, one in given.items() if one is not None)
            for name in reader.arrays:
                if not name.startswith(replaced):
                    writer.adopt(reader, name)
            if source is not None:
                _Writing(source, ids, codec, on_nan, say).write(writer, f"{prefix}features")
            writer.finish(_meta(reader.meta, number, found, parts, WriterPart(writer, prefix)))
    return open_graph(place)


def _place(graph: str | os.PathLike[str] | Graph | HeteroGraph) -> Path:
    if isinstance(graph, Graph | HeteroGraph):
        if graph.path is None:
            raise WeftValueError("attach: the graph has no directory; save it first")
        return graph.path.resolve()
    return check_path("attach: graph", graph).resolve()  # of a link, what it leads to is replaced


def _nodes(graph: Graph | HeteroGraph, type: str | None) -> tuple[str, Ids, int | None]:
    """What the names of the arrays of these nodes begin with, their ids, and the number of their type."""
    if isinstance(graph, Graph):
        if type is not None:
            raise WeftValueError(
                f"attach: the graph has no types of nodes (got --type {type!r}); leave it out"
            )
        return "", graph.ids, None
    names = graph.node_types
    if type is None and len(names) == 1:
        type = names[0]
    if type not in names:
        given = "none was given" if type is None else f"got {type!r}"
        raise WeftValueError(f"attach: --type (type in Python) must be one of {', '.join(names)} ({given})")
    number = names.index(type)
    return node_part(number), graph.nodes[type].ids, number


def _split(given: Any, ids: Ids, say: Callable[[str], None]) -> Labels:  # noqa: ANN401
    """What nodes are for, read as labels are: at most one for a node."""
    path = None if isinstance(given, tuple) else check_path("attach: split", given)
    titled = None if path is None or path.suffix == ".mat" else column_titled(path, "split")
    labels = read_labels(given, ids, say, columns=titled)
    several = np.flatnonzero(np.diff(labels.indptr) > 1)
    if len(several):
        node = int(several[0])
        raise WeftValueError(
            f"attach: the split puts {len(several):,} nodes into several parts, such as {ids[node]!r} into "
            f"{' and '.join(labels[node])}"
        )
    return labels


def _meta(
    old: dict[str, Any], number: int | None, labels: Labels | None, split: Labels | None, part: WriterPart
) -> dict[str, Any]:
    """The manifest's ``meta`` with new labels and a new split, which are written."""
    meta = copy.deepcopy(old)
    at = meta if number is None else meta["node_types"][number]
    if labels is not None:
        at["labels"] = labels.save(part)
    at.update(split_meta(part, split))
    return meta


@dataclass(slots=True)
class _Nans:
    """What was no number."""

    values: int = 0
    rows: int = 0
    first: tuple[int, int] | None = None

    def look(self, piece: Piece) -> Array:
        """The rows with zeros instead."""
        rows = piece.rows
        if rows.dtype.kind != "f":
            return rows
        wrong = np.isnan(rows)
        if not wrong.any():
            return rows
        if self.first is None:
            row, column = divmod(int(wrong.argmax()), rows.shape[1])
            self.first = piece.first + row, column
        self.values += int(np.count_nonzero(wrong))
        self.rows += int(np.count_nonzero(wrong.any(1)))
        return np.where(wrong, rows.dtype.type(0), rows)

    def text(self) -> str:
        assert self.first is not None
        return (
            f"{self.values:,} values in {self.rows:,} rows are NaN, the first in row {self.first[0]:,}, "
            f"column {self.first[1]:,}"
        )


class _Writing:
    """From a source to an array of the directory."""

    def __init__(
        self, source: RowSource, ids: Ids, codec: Codec | None, on_nan: OnNan, say: Callable[[str], None]
    ) -> None:
        self._source, self._ids, self._codec, self._on_nan, self._say = source, ids, codec, on_nan, say
        said = said_by(source.dtype)
        if said is not None and codec not in (None, said[0]):
            raise WeftValueError(f"attach: {source.name} holds {said[0]} already; give it without a codec")
        self._raw = said is not None
        self._nans = _Nans()

    def write(self, writer: DirectoryWriter, name: str) -> None:
        dtype: Any = self._source.dtype
        rest: tuple[int, ...] = () if self._raw else (self._source.columns,)
        if self._codec is not None and not self._raw:
            dtype, rest = record(self._codec, self._source.columns)
        if dtype.kind == "b":
            dtype = np.dtype(np.uint8)
        count = self._source.count
        if self._source.id_column is None and count is not None:
            self._check_count(count)
        if self._source.id_column is None:
            self._in_order(writer.array(name, dtype, (len(self._ids), *rest)))
        else:
            self._by_id(writer.placed(name, dtype, (len(self._ids), *rest)))
        if self._nans.values and self._on_nan == "fail":
            raise WeftValueError(
                f"{self._source.name}: {self._nans.text()}; --on-nan zero (on_nan='zero' in Python) puts 0 "
                "instead"
            )
        if self._nans.values:
            self._say(f"{self._source.name}: {self._nans.text()}; they became 0")

    def _check_count(self, count: int) -> None:
        if count != len(self._ids):
            raise WeftValueError(
                f"{self._source.name} has {count:,} rows, there are {len(self._ids):,} nodes; a column of "
                "ids (--feature-ids, feature_ids in Python) says whose each row is"
            )

    def _coded(self, piece: Piece) -> Array:
        rows = piece.rows if self._raw else self._nans.look(piece)
        if self._nans.values and self._on_nan == "fail":
            return rows[:0]  # the rest is only counted
        return rows if self._codec is None or self._raw else encoded(rows, self._codec, piece.first)

    def _in_order(self, out: ArrayWriter) -> None:
        done = 0
        for piece in self._source.pieces():
            done += len(piece.rows)
            if done > len(self._ids):
                break
            out.write(self._coded(piece))
        if done != len(self._ids):
            rest = sum(len(piece.rows) for piece in self._source.pieces()) if done > len(self._ids) else done
            self._check_count(rest)

    def _by_id(self, out: PlacedWriter) -> None:
        seen = np.zeros(len(self._ids), bool)
        unknown: list[object] = []
        missed = total = 0
        for piece in self._source.pieces():
            assert piece.ids is not None
            total += len(piece.ids)
            nodes = self._ids.find(piece.ids)
            known = nodes >= 0
            missed += len(nodes) - int(np.count_nonzero(known))
            if len(unknown) < 3:
                unknown += [v.item() if isinstance(v, np.generic) else v for v in piece.ids[~known][:3]]
            there = nodes[known]
            order = np.sort(there)
            again = np.concatenate([there[seen[there]], order[1:][order[1:] == order[:-1]]])
            if len(again):
                raise WeftValueError(
                    f"{self._source.name}: some ids are given twice, such as {self._ids[int(again[0])]!r}"
                )
            seen[there] = True
            rows = self._coded(piece)
            if len(rows) == len(nodes):
                out.put(there, rows[known])
        self._report(seen, unknown[:3], missed, total)

    def _report(self, seen: npt.NDArray[np.bool_], unknown: list[object], missed: int, total: int) -> None:
        name, shown = self._source.name, ", ".join(map(repr, unknown))
        if missed and missed == total:
            raise ParseError(f"{name}: none of its {total:,} ids is in the graph; it begins with {shown}")
        if not seen.all():
            lacking = int(np.count_nonzero(~seen))
            raise WeftValueError(
                f"{name}: {lacking:,} of {len(seen):,} nodes have no row, such as "
                f"{self._ids[int((~seen).argmax())]!r}"
            )
        if missed:
            self._say(f"{name}: {missed:,} of {total:,} ids are not in the graph and were left out: {shown}")
