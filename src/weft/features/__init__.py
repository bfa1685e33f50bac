"""Tables of rows, one for each node, and where they live."""

from weft.features.attach import attach
from weft.features.cached import CachedTable
from weft.features.codec import Decoded, codec_of, encode
from weft.features.disk import DiskTable
from weft.features.memory import MemoryTable
from weft.features.opened import describe, open
from weft.features.table import FeatureTable, Ticket

__all__ = [
    "CachedTable",
    "Decoded",
    "DiskTable",
    "FeatureTable",
    "MemoryTable",
    "Ticket",
    "attach",
    "codec_of",
    "describe",
    "encode",
    "open",
]
