"""Sparse times dense in the native core. Shapes: A is [R, C] with E entries, D columns of a dense matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

if TYPE_CHECKING:
    from weft.kernels.spmm.rows import SparseRows

__all__ = ["LANES", "spmm", "spmm_transposed"]

F32 = npt.NDArray[np.float32]

LANES = 16  # D is a multiple of this
_NONE = np.zeros(0, np.float32)


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
    """``out = alpha * scale * (A x + loop * x) + beta * x + gamma * out``.

    The bits are the same at any number of threads and on any CPU.

    Args:
        a: the sparse matrix; square where ``loop`` or ``beta`` is not 0.
        x_CD: float32 ``[C, D]``, contiguous, D a multiple of 16.
        out_RD: float32 ``[R, D]``, contiguous, no part of ``x_CD``; read only where ``gamma`` is not 0.
        scale_R: float32 ``[R]``, a factor for each row; None: 1.
        alpha: a factor for all rows.
        loop: added to each entry of A's diagonal.
        beta: of ``x`` itself.
        gamma: of what ``out_RD`` held.

    Returns:
        ``out_RD``.

    Raises:
        WeftValueError: a shape does not fit, or the matrix is damaged.
    """
    _check(x_CD, a.columns, "x")
    _check(out_RD, a.rows, "out")
    _check_apart(x_CD, out_RD)
    scale = _NONE if scale_R is None else scale_R
    value = _NONE if a.value is None else a.value
    x, out, width = x_CD.reshape(-1), out_RD.reshape(-1), x_CD.shape[1]
    try:
        _core.spmm(a.indptr, a.indices, value, scale, x, width, alpha, loop, beta, gamma, out)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return out_RD


def spmm_transposed(a: SparseRows, x_RD: F32, out_CD: F32) -> F32:
    """``out = transpose(A) x``, without a transposed copy; the same bits at any number of threads.

    Args:
        a: the sparse matrix.
        x_RD: float32 ``[R, D]``, contiguous, D a multiple of 16.
        out_CD: float32 ``[C, D]``, contiguous, no part of ``x_RD``.

    Returns:
        ``out_CD``.

    Raises:
        WeftValueError: a shape does not fit, or the matrix is damaged.
    """
    _check(x_RD, a.rows, "x")
    _check(out_CD, a.columns, "out")
    _check_apart(x_RD, out_CD)
    value = _NONE if a.value is None else a.value
    x, out = x_RD.reshape(-1), out_CD.reshape(-1)
    try:
        _core.spmm_transposed(a.indptr, a.indices, value, x, x_RD.shape[1], out)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return out_CD


def _check(dense: F32, rows: int, name: str) -> None:
    fits = dense.ndim == 2 and dense.dtype == np.float32 and dense.flags.c_contiguous
    if not fits or len(dense) != rows or dense.shape[1] % LANES or dense.shape[1] == 0:
        raise WeftValueError(
            f"spmm: {name} must be contiguous float32 [{rows}, a multiple of {LANES}] "
            f"(got {dense.dtype} {list(dense.shape)})"
        )


def _check_apart(x: F32, out: F32) -> None:
    if x.shape[1] != out.shape[1]:
        raise WeftValueError(f"spmm: x has {x.shape[1]} columns, out has {out.shape[1]}")
    if np.may_share_memory(x, out):
        raise WeftValueError("spmm: x and out share memory; give out its own")
