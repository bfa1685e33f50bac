"""Tables of rows, one for each node, and where they live."""

from weft.features.disk import DiskTable
from weft.features.memory import MemoryTable
from weft.features.table import FeatureTable, Ticket

__all__ = ["DiskTable", "FeatureTable", "MemoryTable", "Ticket"]
