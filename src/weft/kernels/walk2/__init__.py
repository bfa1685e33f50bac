"""Second-order random walks (node2vec), uniform or by edge weight."""

from weft.kernels.walk2.cpu import EdgeFilter, edge_filter, walk2

__all__ = ["EdgeFilter", "edge_filter", "walk2"]
