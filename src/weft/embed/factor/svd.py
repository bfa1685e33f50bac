"""Randomised truncated SVD of a matrix that is only ever multiplied.

Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 2011, algorithms 4.4 and 5.1.
Shapes: N nodes, K columns of the sketch, W columns kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from weft.embed.factor.dense import eigen_turn, gram, orthonormalise, turn
from weft.kernels.memory import zeros_huge
from weft.kernels.philox import philox_fill
from weft.kernels.spmm import LANES, SparseRows, spmm, spmm_transposed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Operator", "Plain", "Symmetric", "left_factor", "products"]

F32 = npt.NDArray[np.float32]

_NODES = 1 << 12


class Operator(Protocol):
    """A square matrix."""

    @property
    def nodes(self) -> int:
        """N."""
        ...

    def times(self, x_NK: F32, out_NK: F32) -> F32:
        """The matrix times ``x_NK``, into ``out_NK``."""
        ...

    def transposed(self, x_NK: F32, out_NK: F32) -> F32:
        """The transpose times ``x_NK``, into ``out_NK``."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """A sparse matrix itself."""

    matrix: SparseRows

    @property
    def nodes(self) -> int:
        """N."""
        return self.matrix.rows

    def times(self, x_NK: F32, out_NK: F32) -> F32:
        """As in :class:`Operator`."""
        return spmm(self.matrix, x_NK, out_NK)

    def transposed(self, x_NK: F32, out_NK: F32) -> F32:
        """As in :class:`Operator`."""
        return spmm_transposed(self.matrix, x_NK, out_NK)


@dataclass(frozen=True, slots=True)
class Symmetric:
    """The mean of a sparse matrix and its transpose, of which no second copy is made."""

    matrix: SparseRows

    @property
    def nodes(self) -> int:
        """N."""
        return self.matrix.rows

    def times(self, x_NK: F32, out_NK: F32) -> F32:
        """As in :class:`Operator`."""
        spmm_transposed(self.matrix, x_NK, out_NK)
        return spmm(self.matrix, x_NK, out_NK, alpha=0.5, gamma=0.5)

    def transposed(self, x_NK: F32, out_NK: F32) -> F32:
        """As in :class:`Operator`."""
        return self.times(x_NK, out_NK)


def products(power: int) -> int:
    """How many products :func:`left_factor` takes."""
    return 2 * power + 2


def left_factor(a: Operator, dim: int, sketch: int, power: int, key: int, step: Callable[[], None]) -> F32:
    """Left singular vectors, each times the root of its singular value.

    Args:
        a: the matrix.
        dim: how many.
        sketch: K, a multiple of 16, at least W.
        power: steps of subspace iteration; each multiplies by the matrix and by its transpose.
        key: of the random numbers.
        step: called after each product.

    Returns:
        float32 ``[N, W]``, where W is ``dim`` rounded up to a multiple of 16; columns past ``dim`` and past
        the rank are 0.
    """
    width = -(-dim // LANES) * LANES
    x_NK, y_NK = (zeros_huge((a.nodes, sketch), np.float32).view(np.float32) for _ in range(2))
    _fill(x_NK, key)
    for _ in range(power):
        a.times(x_NK, y_NK)
        step()
        a.transposed(y_NK, x_NK)
        step()
        orthonormalise(x_NK)
    a.times(x_NK, y_NK)
    step()
    orthonormalise(y_NK)
    orthonormalise(y_NK)  # what the first pass leaves is orthonormal to about 1e-4
    a.transposed(y_NK, x_NK)
    step()
    basis_KW, value_W = eigen_turn(gram(x_NK), width)
    basis_KW[:, dim:] = 0
    del x_NK
    out_NW = zeros_huge((a.nodes, width), np.float32).view(np.float32)
    return turn(y_NK, basis_KW * np.sqrt(value_W), out_NW)


def _fill(x_NK: F32, key: int) -> None:
    """Uniform in (-1/2, 1/2): node i takes the blocks from ``i * K / 4`` on."""
    nodes, columns = x_NK.shape
    for begin in range(0, nodes, _NODES):
        part = x_NK[begin : begin + _NODES]
        words = philox_fill(len(part) * columns // 4, key, begin * columns // 4).reshape(part.shape)
        np.multiply(words, np.float32(2**-32), out=part, casting="unsafe")
        part -= np.float32(0.5)
