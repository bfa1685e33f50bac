"""Small tables beside the edges: columns of ids, ``.npy`` files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import ParseError
from weft.graph.sources._blocks import blocks
from weft.graph.sources._messages import shorten
from weft.kernels.parse import LineFormat
from weft.kernels.parse.reference import fields_of
from weft.npy import open_npy

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_column"]

_ID_WORDS = {"id", "node", "node_id", "nodeid", "vertex", "name", "user", "item"}


def read_column(path: Path, kind: str) -> npt.NDArray[Any]:
    """Ids from a ``.npy`` file or from the first column of a text file.

    Raises:
        ParseError: naming the line.
        FormatError: the ``.npy`` file is damaged.
    """
    if path.suffix == ".npy":
        return np.asarray(open_npy(path))
    lines = _lines(path)
    first = lines[0][1]
    delimiter = next((mark for mark in ("\t", ",", ";") if mark in first), None)
    form = LineFormat(delimiter=delimiter)
    ids = [(number, _first(path, number, line, form)) for number, line in lines]
    headed = ids[0][1].lower() in _ID_WORDS
    return _ids(path, ids[headed:], kind)


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that are neither blank nor comments, with their numbers from 1."""
    out: list[tuple[int, str]] = []
    before = 0
    for block in blocks(path):
        lines = block.text.tobytes().removesuffix(b"\n").split(b"\n")
        for number, line in enumerate(lines, before + 1):
            try:
                text = line.decode().removeprefix("\ufeff").strip("\r")
            except UnicodeDecodeError:
                raise ParseError(
                    f"{path} line {number}: {line!r:.60} is not UTF-8; convert the file, e.g. iconv -f "
                    "latin1 -t utf-8"
                ) from None
            if text.strip() and not text.lstrip().startswith(("#", "%")):
                out.append((number, text))
        before += len(lines)
    if not out:
        raise ParseError(f"{path} holds no lines; expected an id on each")
    return out


def _first(path: Path, number: int, line: str, form: LineFormat) -> str:
    fields = fields_of(line.encode(), form)
    if not fields:
        raise ParseError(f"{path} line {number}: {shorten(line)} has a quote that does not close")
    return fields[0].decode().strip()


def _ids(path: Path, given: list[tuple[int, str]], kind: str) -> npt.NDArray[Any]:
    out = np.empty(len(given), object if kind == "string" else np.int64)
    for i, (number, text) in enumerate(given):
        try:
            out[i] = text if kind == "string" else int(text)
        except (ValueError, OverflowError):
            raise ParseError(
                f"{path} line {number}: {shorten(text)} is no integer id, as those of the edges are"
            ) from None
    return out
