"""Graphs: compressed rows on disk or in memory, ids, labels, import and generation."""

from weft.graph._attach import read_labels
from weft.graph._rows import EdgeType, Nodes, Rows
from weft.graph.graph import Graph
from weft.graph.hetero import HeteroGraph
from weft.graph.ids import Ids, Strings
from weft.graph.labels import Labels
from weft.graph.opening import open_graph
from weft.graph.temporal import TemporalGraph, TemporalSnapshot

__all__ = [
    "EdgeType",
    "Graph",
    "HeteroGraph",
    "Ids",
    "Labels",
    "Nodes",
    "Rows",
    "Strings",
    "TemporalGraph",
    "TemporalSnapshot",
    "open_graph",
    "read_labels",
]
