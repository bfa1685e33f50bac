"""Where edges come from: text, tables, arrays, objects of other libraries."""

from weft.graph.sources._sniff import TextOptions
from weft.graph.sources.arrays import ArraySource
from weft.graph.sources.base import EdgeChunk, EdgeSource, IdArray, IdKind, ReadReport
from weft.graph.sources.labels import read_label_pairs
from weft.graph.sources.opening import open_source
from weft.graph.sources.parquet import ParquetSource
from weft.graph.sources.text import TextSource

__all__ = [
    "ArraySource",
    "EdgeChunk",
    "EdgeSource",
    "IdArray",
    "IdKind",
    "ParquetSource",
    "ReadReport",
    "TextOptions",
    "TextSource",
    "open_source",
    "read_label_pairs",
]
