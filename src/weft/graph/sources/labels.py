"""Labels of nodes: ``id,label`` lines, several for a node allowed, or the ``group`` of a MATLAB file.

Shapes: M lines, each one assignment.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import ParseError, WeftValueError
from weft.graph.sources._messages import listed, shorten
from weft.graph.sources._sniff import TextOptions
from weft.graph.sources.matrices import read_mat
from weft.graph.sources.text import TextSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.graph.ids import Strings

__all__ = ["column_titled", "read_label_pairs"]

_IDS = ("id", "node", "node_id", "nodeid", "vertex", "name", "user", "item", "source")
_LABELS = ("label", "labels", "class", "target", "group", "community", "category", "type", "page_type")
_ENDS = ("id", "label")


def read_label_pairs(
    path: Path,
    kind: str,
    options: TextOptions | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[npt.NDArray[Any], list[str]]:
    """Ids and labels.

    Args:
        path: text in the forms that edges may have, or a ``.mat`` file whose sparse ``group [N, labels]``
            says which node has which labels; there ids are row numbers and labels column numbers.
        kind: the kind of ids to give: "string", or else integers.
        options: what is known about the text; a header may name the columns, and must when there are more
            than two and ``options.columns`` is not given.
        say: takes a sentence about which of more than two columns were read.

    Returns:
        ids, int64 ``[M]`` or objects ``[M]`` of str, and M labels.

    Raises:
        ParseError: naming the line.
        StorageError: the file cannot be read.
        WeftValueError: columns are given for a ``.mat`` file.
    """
    if path.suffix.lower() == ".mat":
        if options is not None and options.columns is not None:
            raise WeftValueError(f"label columns are for text, and {path} is a .mat file; leave them out")
        row, labels = _from_mat(path)
        return row if kind != "string" else _objects([str(i) for i in row.tolist()]), labels
    asked = replace(options or TextOptions(), ids="string", weight=False)
    source = _with_columns(TextSource(path, asked, ends=_ENDS))
    if say is not None and source.layout.width > 2:
        say(f"labels {path}: {_chosen(source)}")
    ids: list[str] = []
    labels: list[str] = []
    for chunk in source.chunks():
        ids += _unpacked(chunk.src)
        labels += _unpacked(chunk.dst)
    return _objects(ids) if kind == "string" else _integers(source, ids), labels


def column_titled(path: Path, title: str) -> tuple[str, str] | None:
    """What the header of a text file calls the columns of the id and of ``title``; None if it names no such.

    Raises:
        ParseError: the file is no text.
        StorageError: it cannot be read.
    """
    first = TextSource(path, TextOptions(ids="string", weight=False), ends=_ENDS).layout.first
    titles = [name.strip().lower() for name in first]
    at_id = next((i for i, name in enumerate(titles) if name in _IDS), None)
    return None if at_id is None or title not in titles else (first[at_id], first[titles.index(title)])


def _with_columns(source: TextSource) -> TextSource:
    if source.options.columns is not None:
        return source
    titles = [title.strip().lower() for title in source.layout.first]
    at_id = next((i for i, title in enumerate(titles) if title in _IDS), None)
    at_label = next((i for i, title in enumerate(titles) if title in _LABELS and i != at_id), None)
    if at_id is not None and at_label is not None:
        columns = (at_id, at_label)
    elif source.layout.width > 2:
        raise ParseError(
            f"{source.name} has {source.layout.width} columns ({listed(source.layout.first)}); name "
            "the two of the id and the label (--label-columns ID LABEL), or call them 'id' and 'label' in a "
            "header"
        )
    else:
        columns = (0, 1)
    header = source.options.header
    if header is None and (source.layout.names is not None or at_id is not None or at_label is not None):
        header = True
    return TextSource(source.path, replace(source.options, columns=columns, header=header), ends=_ENDS)


def _chosen(source: TextSource) -> str:
    form, names = source.layout.form, source.layout.names

    def called(column: int) -> str:
        return repr(names[column]) if names and column < len(names) else f"number {column}"

    return f"ids from column {called(form.src)}, labels from {called(form.dst)}, of {source.layout.width}"


def holds_labels(source: object) -> bool:
    """Whether a source of edges is a ``.mat`` file with labels beside its edges."""
    if not isinstance(source, str | Path) or Path(source).suffix != ".mat":
        return False
    held = read_mat(Path(source))
    return "group" in held and held["group"].nnz > 0


def _from_mat(path: Path) -> tuple[npt.NDArray[np.int64], list[str]]:
    held = read_mat(path)
    if "group" not in held:
        raise ParseError(f"{path} has no sparse matrix 'group' of labels; it has {listed(held) or 'none'}")
    group = held["group"].tocoo()
    given = group.data != 0
    row, col = group.row[given].astype(np.int64), group.col[given]
    order = np.lexsort((col, row))
    return row[order], [str(c) for c in col[order].tolist()]


def _integers(source: TextSource, ids: list[str]) -> npt.NDArray[np.int64]:
    try:
        return np.array([int(i) for i in ids], np.int64)
    except (ValueError, OverflowError):
        at = next(i for i, text in enumerate(ids) if not _is_int64(text))
        raise ParseError(
            f"{source.name} line {source.line_of(at)}: {shorten(ids[at])} is no integer id, "
            "as those of the edges are"
        ) from None


def _is_int64(text: str) -> bool:
    try:
        return -(2**63) <= int(text) < 2**63
    except ValueError:
        return False


def _objects(ids: list[str]) -> npt.NDArray[Any]:
    out = np.empty(len(ids), object)
    out[:] = ids
    return out


def _unpacked(strings: npt.NDArray[np.int64] | Strings) -> list[str]:
    assert not isinstance(strings, np.ndarray)
    data, ends = strings.data.tobytes(), strings.offsets.tolist()
    return [data[a:b].decode() for a, b in pairwise(ends)]
