"""External integer ids to dense nodes, in rising order of the ids."""

from weft.kernels.idmap.cpu import IdIndex, IdSet

__all__ = ["IdIndex", "IdSet"]
