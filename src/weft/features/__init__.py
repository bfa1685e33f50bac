"""Tables of rows, one for each node, and where they live."""

from weft.features.cached import CachedTable
from weft.features.disk import DiskTable
from weft.features.memory import MemoryTable
from weft.features.opened import describe, open
from weft.features.table import FeatureTable, Ticket

__all__ = ["CachedTable", "DiskTable", "FeatureTable", "MemoryTable", "Ticket", "describe", "open"]
