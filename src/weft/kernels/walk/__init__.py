"""First-order random walks, uniform or by edge weight."""

from weft.kernels.walk.cpu import walk

__all__ = ["walk"]
