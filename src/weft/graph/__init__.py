"""Graphs: compressed rows on disk or in memory, ids, labels, import and generation."""

from weft.graph._attach import read_labels
from weft.graph.graph import Graph
from weft.graph.ids import Ids, Strings
from weft.graph.labels import Labels

__all__ = ["Graph", "Ids", "Labels", "Strings", "read_labels"]
