"""Edges to compressed rows."""

from weft.kernels.csr.buckets import Buckets, Run, scatter_edges, sort_buckets
from weft.kernels.csr.cpu import edges_to_csr, has_edges, in_degrees, transpose, transpose_places

__all__ = [
    "Buckets",
    "Run",
    "edges_to_csr",
    "has_edges",
    "in_degrees",
    "scatter_edges",
    "sort_buckets",
    "transpose",
    "transpose_places",
]
