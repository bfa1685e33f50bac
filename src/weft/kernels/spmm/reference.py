"""Sparse times dense in NumPy: the definition. Shapes: A is [R, C], D columns of a dense matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from weft.kernels.spmm.rows import SparseRows

__all__ = ["spmm", "spmm_transposed"]

F32 = npt.NDArray[np.float32]
_RUN = 256


def spmm(
    a: SparseRows,
    x_CD: F32,
    out_RD: F32,
    *,
    scale_R: F32 | None = None,
    alpha: float = 1.0,
    loop: float = 0.0,
    beta: float = 0.0,
    gamma: float = 0.0,
) -> F32:
    """As :func:`weft.kernels.spmm.spmm`: entries are added in order, 256 at a time, every step in float32."""
    f32 = np.float32
    for row, (begin, end) in enumerate(zip(a.indptr[:-1].tolist(), a.indptr[1:].tolist(), strict=True)):
        total_D = np.zeros(x_CD.shape[1], f32)
        for first in range(begin, end, _RUN):
            sum_D = np.zeros_like(total_D)
            for e in range(first, min(end, first + _RUN)):
                sum_D += (f32(1) if a.value is None else a.value[e]) * x_CD[a.indices[e]]
            total_D += sum_D
        if loop:
            total_D += f32(loop) * x_CD[row]
        total_D *= f32(alpha) if scale_R is None else f32(alpha) * scale_R[row]
        if beta:
            total_D += f32(beta) * x_CD[row]
        if gamma:
            total_D += f32(gamma) * out_RD[row]
        out_RD[row] = total_D
    return out_RD


def spmm_transposed(a: SparseRows, x_RD: F32, out_CD: F32) -> F32:
    """As :func:`weft.kernels.spmm.spmm_transposed`: rows are added in order, every step in float32."""
    out_CD[:] = 0
    for row, (begin, end) in enumerate(zip(a.indptr[:-1].tolist(), a.indptr[1:].tolist(), strict=True)):
        for e in range(begin, end):
            out_CD[a.indices[e]] += (np.float32(1) if a.value is None else a.value[e]) * x_RD[row]
    return out_CD
