"""Edges to compressed rows."""

from weft.kernels.csr.reference import edges_to_csr, has_edges, transpose

__all__ = ["edges_to_csr", "has_edges", "transpose"]
