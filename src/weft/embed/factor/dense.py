"""Tall dense matrices, a few thousand rows at a time. Shapes: N rows of D columns, turned into K columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft.embed.factor.blas import each, one_blas_thread
from weft.kernels.threads import num_threads

__all__ = ["dense_bytes", "eigen_turn", "gram", "orthonormalise", "turn", "unit_rows"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_ROWS = 1 << 12
_NOISE = 1e-5  # of the largest singular value: what lies below is the rounding of float32
_SUMS = 64 << 20  # bytes of the partial sums of a Gram matrix


def _piece(nodes: int, columns: int) -> int:
    """Rows whose products are summed by one task. Bits depend on it, so it is no function of the threads."""
    pieces = max(4, min(64, _SUMS // (8 * columns * columns)))
    return max(_ROWS, -(-nodes // pieces))


def dense_bytes(nodes: int, columns: int) -> int:
    """What :func:`gram`, :func:`turn` and eigenvectors take beside ``[N, D]`` matrices, at most at once."""
    square, piece = 8 * columns * columns, _piece(nodes, columns)
    busy = min(num_threads(), -(-nodes // piece))
    sums = busy * (2 * square + 8 * min(nodes, _ROWS) * columns) + 3 * square
    return max(sums, 6 * square)  # LAPACK's divide and conquer works on copies


def gram(x_ND: F32) -> F64:
    """``transpose(x) x``; float64 ``[D, D]``."""
    nodes, columns = x_ND.shape
    rows = _piece(nodes, columns)

    def sum_of(first: int) -> F64:
        total = np.zeros((columns, columns))
        for begin in range(first, min(nodes, first + rows), _ROWS):
            part = x_ND[begin : min(begin + _ROWS, first + rows)].astype(np.float64)
            total += part.T @ part
        return total

    return sum(each(sum_of, range(0, nodes, rows)), np.zeros((columns, columns)))


def turn(x_ND: F32, by_DK: F64, out_NK: F32) -> F32:
    """``out = x by``; ``out_NK`` may be ``x_ND`` itself."""
    by = by_DK.astype(np.float32)

    def rows(begin: int) -> None:
        out_NK[begin : begin + _ROWS] = x_ND[begin : begin + _ROWS] @ by

    for _ in each(rows, range(0, len(x_ND), _ROWS)):
        pass
    return out_NK


def _eigen(square_DD: F64) -> tuple[F64, F64]:
    """Roots of the eigenvalues, rising, and eigenvectors."""
    with one_blas_thread():
        value, basis = np.linalg.eigh(square_DD)
    return np.sqrt(np.maximum(value, 0)), basis


def orthonormalise(x_ND: F32, cut: float = 1e-7) -> None:
    """Turn the columns, in place, into an orthonormal basis of what they span.

    By the eigenvectors of the Gram matrix in float64: half the work of Householder's QR, no second copy, and
    a column for which nothing is left becomes 0 rather than noise.

    Args:
        x_ND: float32 ``[N, D]``.
        cut: directions shorter than this share of the longest count as nothing.
    """
    length, basis = _eigen(gram(x_ND))
    with np.errstate(divide="ignore"):
        turn(x_ND, basis * np.where(length > cut * length[-1], 1 / length, 0), x_ND)


def eigen_turn(gram_DD: F64, columns: int) -> tuple[F64, F64]:
    """Of a matrix whose Gram matrix is given: right singular vectors ``[D, columns]``, and singular values.

    Both by falling value. Where a value is lost in the noise, both are 0.
    """
    length, basis = _eigen(gram_DD)
    length = length[::-1][:columns]
    real = length > _NOISE * length[0]
    return basis[:, ::-1][:, :columns] * real, length * real


def unit_rows(x_ND: F32) -> None:
    """Scale rows to length 1, in place; rows of zeros stay."""
    for begin in range(0, len(x_ND), _ROWS):
        part = x_ND[begin : begin + _ROWS]
        # Scaled by its largest value first: the square of a tiny float32 is 0.
        part /= np.maximum(np.abs(part).max(axis=1, initial=0, keepdims=True), np.finfo(np.float32).tiny)
        part /= np.maximum(np.linalg.norm(part, axis=1, keepdims=True), np.finfo(np.float32).tiny)
