"""Where edges come from: text, tables, arrays, objects of other libraries."""

from weft.graph.sources.base import EdgeChunk, EdgeSource, IdArray, IdKind, ReadReport

__all__ = ["EdgeChunk", "EdgeSource", "IdArray", "IdKind", "ReadReport"]
