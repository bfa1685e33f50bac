"""ProNE's second half: vectors sent through a filter of the graph's Laplacian.

Zhang, Dong, Wang, Tang, Ding, "ProNE: Fast and scalable network representation learning", IJCAI 2019, section
3.2, with the constants of the authors' program but for ``AXES``.
Shapes: N nodes, W columns, C columns at a time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.factor.dense import eigen_turn, gram, turn, unit_rows
from weft.errors import WeftValueError
from weft.kernels.memory import zeros_huge
from weft.kernels.spmm import SparseRows, spmm

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.graph import Graph

__all__ = [
    "AXES",
    "MU",
    "THETA",
    "check_weights",
    "coefficients",
    "elementwise_passes",
    "propagate",
    "propagation_products",
]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

MU = 0.2  # the filter passes eigenvalues of the Laplacian near 1 - MU least changed
THETA = 0.5  # how sharp it is
ORDER = 10  # terms of the expansion
# A principal axis counts by this power of its singular value; with ProNE's root, noise weighs more. Micro-F1
# of lightne at window 5, without propagation and by 0.5, 0.75, 1: BlogCatalog at 50 % of labels 41.6, 43.0,
# 42.3, 40.0; Facebook pages at 5 % 87.1, 87.7, 88.0, 87.6; DBLP at 1 % 51.5, 50.2, 51.9, 53.3; Cora at 5 %
# 59.1, 52.8, 58.2, 61.7.
AXES = 0.75

_LIGHT, _HEAVY = 1e-32, 1e32  # times a vector's elements, and ten terms of them, still float32


def coefficients(directed: bool) -> list[float]:
    """Chebyshev coefficients of ``exp(-THETA x)`` on -1 .. 1: ``(-1)^k (2 - [k = 0]) I_k(THETA)``.

    Without direction the polynomials are at most 1 on the spectrum, so that terms below the rounding of
    float32 are left out: seven remain. With direction, eigenvalues are complex and all ten are kept.
    """
    terms = [(-1) ** k * (2 - (k == 0)) * _bessel(k, THETA) for k in range(ORDER)]
    return terms if directed else [term for term in terms if abs(term) > 2**-24]


def _bessel(k: int, x: float) -> float:
    """The modified Bessel function I_k(x), by its power series; 20 terms are exact for x up to 2."""
    return sum((x / 2) ** (2 * m + k) / (math.factorial(m) * math.factorial(m + k)) for m in range(20))


def propagation_products(directed: bool) -> int:
    """How many products with the graph :func:`propagate` takes for each strip of columns."""
    return 2 * (len(coefficients(directed)) - 1) + 1


def elementwise_passes(directed: bool) -> int:
    """How many times :func:`propagate` goes over all elements of the vectors beside that."""
    return 4 * len(coefficients(directed)) - 2


def check_weights(graph: Graph, out_N: F64) -> None:
    """Refuse weights whose products with vectors float32 cannot hold.

    Args:
        graph: at least one edge.
        out_N: float64 ``[N]``, the weights of the edges that leave a node, summed.

    Raises:
        WeftValueError: the edges of a node weigh too much, or those of all too little.
    """
    most, mean = float(out_N.max()), float(out_N.sum()) / graph.num_edges
    if most > _HEAVY or mean < _LIGHT:
        raise WeftValueError(
            f"embed: edges weigh {mean:.3g} on average, those of one node {most:.3g} together; vectors are "
            f"sent over them in float32, which takes an average from {_LIGHT:g} and sums up to {_HEAVY:g}. "
            f"Only ratios count: divide all weights by {mean:.0e}, or leave out the propagation "
            "(--no-propagate, propagate=False)"
        )


def propagate(graph: Graph, out_N: F64, x_NW: F32, columns: int, step: Callable[[], None]) -> F32:
    """Filter the vectors, gather them over neighbours, and turn them to their principal axes.

    With self-loops of the mean weight, the Laplacian is ``L = I - D^-1 A``; the vectors become
    ``A (I - exp(-THETA ((L - MU)^2 / 2 - I))) x``, and these ``U S^AXES`` of their SVD, in rows of length 1.

    Args:
        graph: of N nodes.
        out_N: float64 ``[N]``, the weights of the edges that leave a node, summed; see :func:`check_weights`.
        x_NW: float32 ``[N, W]``, W a multiple of 16; overwritten.
        columns: C, how many to filter at a time, a multiple of 16: memory and time depend on it, no result.
        step: called after each strip's product.

    Returns:
        ``x_NW``; columns past the rank are 0.
    """
    mean = float(out_N.sum()) / graph.num_edges
    rows = SparseRows(graph.indptr, np.asarray(graph.indices, np.uint32), graph.weight, graph.num_nodes)
    filtering = _Filter(
        rows, mean, (1 / (out_N + mean)).astype(np.float32), coefficients(graph.directed), step
    )
    _filter_strips(filtering, x_NW, columns)
    basis, value = eigen_turn(gram(x_NW), x_NW.shape[1])
    with np.errstate(divide="ignore"):
        turn(x_NW, basis * np.where(value > 0, value ** (AXES - 1), 0), x_NW)
    unit_rows(x_NW)
    return x_NW


def _filter_strips(filtering: _Filter, x_NW: F32, columns: int) -> None:
    """All strips, in place; their four buffers are gone when this returns."""
    buffers = [zeros_huge((len(x_NW), columns), np.float32).view(np.float32) for _ in range(4)]
    for begin in range(0, x_NW.shape[1], columns):
        part = x_NW[:, begin : begin + columns]
        part[:] = filtering(
            part, *(buffer.reshape(-1)[: part.size].reshape(part.shape) for buffer in buffers)
        )


class _Filter:
    """The filter on a strip of columns, by Chebyshev's recurrence."""

    def __init__(
        self, rows: SparseRows, mean: float, scale_N: F32, terms: list[float], step: Callable[[], None]
    ) -> None:
        self._rows, self._mean, self._scale_N, self._terms, self._step = rows, mean, scale_N, terms, step

    def _shifted(self, x_NC: F32, out_NC: F32, alpha: float = 1.0, gamma: float = 0.0) -> None:
        """``out = alpha (L - MU) x + gamma out``."""
        beta = alpha * (1 - MU)
        spmm(
            self._rows,
            x_NC,
            out_NC,
            scale_R=self._scale_N,
            alpha=-alpha,
            loop=self._mean,
            beta=beta,
            gamma=gamma,
        )
        self._step()

    def __call__(self, part_NC: F32, old: F32, new: F32, half: F32, rest: F32) -> F32:
        """The polynomials of ``X = (L - MU)^2 / 2 - I``: ``T_1 = X T_0``, ``T_k = 2 X T_{k-1} - T_{k-2}``."""
        old[:] = part_NC
        np.multiply(old, np.float32(1 - self._terms[0]), out=rest)
        new[:] = old
        self._shifted(old, half)
        self._shifted(half, new, alpha=0.5, gamma=-1.0)
        self._subtract(self._terms[1], new, rest, half)
        for term in self._terms[2:]:
            self._shifted(new, half)
            self._shifted(half, old, gamma=-1.0)
            np.multiply(new, np.float32(2), out=half)
            old -= half
            old, new = new, old
            self._subtract(term, new, rest, half)
        spmm(self._rows, rest, half, alpha=1 / self._mean, loop=self._mean)
        self._step()
        return half

    @staticmethod
    def _subtract(term: float, x_NC: F32, rest: F32, room: F32) -> None:
        np.multiply(x_NC, np.float32(term), out=room)
        rest -= room
