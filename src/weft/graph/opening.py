"""A graph directory of either kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from weft.graph import _hetero_store
from weft.graph.format import format_of
from weft.graph.graph import Graph
from weft.graph.hetero import HeteroGraph

if TYPE_CHECKING:
    import os

__all__ = ["open_graph"]


def open_graph(path: str | os.PathLike[str], *, verify: bool = False) -> Graph | HeteroGraph:
    """Open what a directory holds: a graph, or one of several types.

    Raises:
        FormatError: the directory is damaged, foreign or of another version.
    """
    typed = format_of(Path(path)) == _hetero_store.KIND
    return HeteroGraph.open(path, verify=verify) if typed else Graph.open(path, verify=verify)
