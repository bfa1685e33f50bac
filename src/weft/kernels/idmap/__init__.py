"""External integer ids to dense nodes, in rising order of the ids."""

from weft.kernels.idmap.cpu import IdIndex, IdSet, narrow_ids

__all__ = ["IdIndex", "IdSet", "narrow_ids"]
