"""Products of a sparse matrix and a dense one."""

from weft.kernels.spmm.cpu import LANES, spmm, spmm_transposed
from weft.kernels.spmm.rows import SparseRows

__all__ = ["LANES", "SparseRows", "spmm", "spmm_transposed"]
