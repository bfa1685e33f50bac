"""Where edges come from: text, tables, arrays, objects of other libraries."""

from weft.graph.sources._blocks import blocks, sample
from weft.graph.sources._messages import listed, shorten
from weft.graph.sources._sniff import TextOptions
from weft.graph.sources.arrays import ArraySource
from weft.graph.sources.base import EdgeChunk, EdgeSource, IdArray, IdKind, ReadReport
from weft.graph.sources.labels import read_label_pairs
from weft.graph.sources.opening import open_source
from weft.graph.sources.parquet import ParquetSource, parquet_rows, parquet_schema, reading_parquet
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
    "blocks",
    "listed",
    "open_source",
    "parquet_rows",
    "parquet_schema",
    "read_label_pairs",
    "reading_parquet",
    "sample",
    "shorten",
]
