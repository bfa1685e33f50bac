"""What is attached to nodes: labels and features. Shapes: N nodes, M rows given, F columns."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.checks import check_path
from weft.errors import ParseError, WeftValueError
from weft.files import storage_errors
from weft.graph._tables import read_column
from weft.graph.labels import Labels
from weft.npy import open_npy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from weft.graph.format import DirectoryWriter
    from weft.graph.ids import Ids

__all__ = ["read_labels", "write_features"]

_CHUNK_BYTES = 16 << 20


def _warning(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=3)


def read_labels(
    given: str | os.PathLike[str] | tuple[npt.ArrayLike, Sequence[object]],
    ids: Ids,
    warn: Callable[[str], None] = _warning,
    *,
    columns: tuple[int | str, int | str] | None = None,
    say: Callable[[str], None] | None = None,
) -> Labels:
    """Labels from (id, label) lines; several per node allowed, ids that are not in the graph are left out.

    Args:
        given: a text file, fields separated by comma, tab, semicolon or space, with or without header; a
            ``.mat`` file with a sparse ``group``; or ids and labels, as many.
        ids: of the nodes.
        warn: takes a sentence about ids that were left out; by default it becomes a ``UserWarning``.
        columns: of the id and the label in a text file, by name or by number from 0; by default those that a
            header names so, or the only two.
        say: takes a sentence about which columns were read, if there are more than two.

    Raises:
        ParseError: the table cannot be read, or none of its ids is in the graph.
        WeftValueError: there are not as many ids as labels, or ``columns`` for what has none.
    """
    if isinstance(given, tuple):
        if columns is not None:
            raise WeftValueError("label columns are for files, and the labels are given as arrays")
        name, external, names = "labels", np.asarray(given[0]), [str(label) for label in given[1]]
    else:
        path = check_path("labels", given)
        name = f"labels {path}"
        from weft.graph.sources import TextOptions, read_label_pairs

        external, names = read_label_pairs(
            check_path("labels", given), ids.kind, TextOptions(columns=columns), say
        )
    if len(external) != len(names):
        raise WeftValueError(f"{name}: {len(external):,} ids but {len(names):,} labels")
    nodes = ids.find(external)
    _report_unknown(name, external, nodes, warn)
    known = nodes >= 0
    kept = [label for label, keep in zip(names, known.tolist(), strict=True) if keep]
    return Labels.from_pairs(nodes[known], kept, len(ids))


def write_features(
    given: str | os.PathLike[str] | npt.NDArray[Any],
    row_ids: int | str | os.PathLike[str] | npt.ArrayLike | None,
    ids: Ids,
    writer: DirectoryWriter,
    warn: Callable[[str], None],
) -> None:
    """Write one row of features for each node.

    Raises:
        FormatError: the file is no ``.npy``, or ends early.
        WeftValueError: rows are missing, too many or given twice.
    """
    name = "features" if isinstance(given, np.ndarray) else f"features {os.fspath(given)}"
    rows = given if isinstance(given, np.ndarray) else open_npy(Path(given))
    if rows.ndim != 2 or rows.dtype.kind not in "fiub":
        raise WeftValueError(f"{name} must be a 2-D array of numbers (got {rows.dtype} {list(rows.shape)})")
    columns: Any = slice(None)
    order = None
    if row_ids is None:
        if len(rows) != len(ids):
            raise WeftValueError(
                f"{name} has {len(rows):,} rows, the graph has {len(ids):,} nodes; give "
                "--feature-ids (feature_ids in Python) to say which row is whose, or --num-nodes (num_nodes) "
                "if nodes without edges were meant to count"
            )
    else:
        if isinstance(row_ids, int):
            if not 0 <= row_ids < rows.shape[1]:
                raise WeftValueError(f"{name} has no column {row_ids}: it has {rows.shape[1]} columns")
            columns = [c for c in range(rows.shape[1]) if c != row_ids]
        order = _order(name, _row_ids(rows, row_ids, ids.kind), len(rows), ids, warn)
    width = rows.shape[1] if isinstance(columns, slice) else len(columns)
    out = writer.array("features", rows.dtype.newbyteorder("<"), (len(ids), width))
    step = max(1, _CHUNK_BYTES // max(1, width * rows.dtype.itemsize))
    with storage_errors("read", Path(name)):
        for begin in range(0, len(ids), step):
            end = min(len(ids), begin + step)
            if isinstance(rows, np.memmap) and not isinstance(given, np.ndarray):
                rows = open_npy(Path(given))  # a new mapping: what the old one touched is no longer resident
            out.write(rows[begin:end] if order is None else rows[order[begin:end]][:, columns])


def _row_ids(rows: npt.NDArray[Any], row_ids: object, kind: str) -> npt.NDArray[Any]:
    if isinstance(row_ids, int):
        column = np.asarray(rows[:, row_ids])
        if column.dtype.kind == "f" and not (np.isfinite(column) & (column == np.floor(column))).all():
            raise WeftValueError(f"column {row_ids} of the features holds no ids: they are not whole numbers")
        return column.astype(np.int64) if kind != "string" else column.astype(np.int64).astype(str)
    if isinstance(row_ids, (str, os.PathLike)):
        return read_column(Path(row_ids), kind)
    return np.asarray(row_ids)


def _order(
    name: str, external: npt.NDArray[Any], count: int, ids: Ids, warn: Callable[[str], None]
) -> npt.NDArray[np.int64]:
    """Which row is each node's; int64 ``[N]``."""
    if external.ndim != 1 or len(external) != count:
        raise WeftValueError(f"{name} has {count:,} rows but {external.size:,} ids")
    nodes = ids.find(external)
    _report_unknown(name, external, nodes, warn)
    at = np.flatnonzero(nodes >= 0)
    order = np.full(len(ids), -1, np.int64)
    order[nodes[at]] = at
    if len(at) != np.count_nonzero(order >= 0):
        twice = np.flatnonzero(np.bincount(nodes[at], minlength=len(ids)) > 1)
        raise WeftValueError(f"{name}: {len(twice):,} ids are given twice, such as {ids[int(twice[0])]!r}")
    missing = np.flatnonzero(order < 0)
    if len(missing):
        raise WeftValueError(
            f"{name}: {len(missing):,} of {len(ids):,} nodes have no row, such as {ids[int(missing[0])]!r}"
        )
    return order


def _report_unknown(
    name: str, external: npt.NDArray[Any], nodes: npt.NDArray[np.int64], warn: Callable[[str], None]
) -> None:
    unknown = external[nodes < 0]
    if len(unknown) == 0:
        return
    some = ", ".join(repr(v.item() if isinstance(v, np.generic) else v) for v in unknown[:3])
    if len(unknown) == len(external):
        raise ParseError(f"{name}: none of its {len(external):,} ids is in the graph; it begins with {some}")
    warn(f"{name}: {len(unknown):,} of {len(external):,} ids are not in the graph and were left out: {some}")
