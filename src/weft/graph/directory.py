"""The directory of a graph, for those who put something into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.graph import _hetero_store, _store
from weft.graph._arrays import ArrayWriter, PlacedWriter
from weft.graph._hetero_store import node_part
from weft.graph._lock import locked
from weft.graph._part import WriterPart
from weft.graph._store import split_meta
from weft.graph.format import DirectoryReader, DirectoryWriter
from weft.graph.graph import Graph

if TYPE_CHECKING:
    from weft.graph.hetero import HeteroGraph

__all__ = [
    "ArrayWriter",
    "DirectoryReader",
    "DirectoryWriter",
    "PlacedWriter",
    "WriterPart",
    "kind_of",
    "locked",
    "node_part",
    "split_meta",
]


def kind_of(graph: Graph | HeteroGraph) -> str:
    """The format of a graph's directory."""
    return _store.KIND if isinstance(graph, Graph) else _hetero_store.KIND
