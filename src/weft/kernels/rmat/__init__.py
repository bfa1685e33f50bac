"""R-MAT: random edges with skewed degrees."""

from weft.kernels.rmat.cpu import rmat_edges

__all__ = ["rmat_edges"]
