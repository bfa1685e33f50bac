"""Second-order random walks in the native core."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core, rng
from weft.errors import WeftTypeError, WeftValueError
from weft.kernels.memory import zeros_huge
from weft.kernels.walk import checks

__all__ = ["EdgeFilter", "check_bias", "edge_filter", "filter_words", "row_peaks", "walk2"]

_SHARE = 10  # of the graph's bytes, one in so many for the filter
LIMIT = 1e6
"""p and q lie between 1 / LIMIT and LIMIT: the 32 bits of a draw cannot tell more apart."""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeFilter:
    """A Bloom filter of a graph's edges: it spares most look-ups of edges that are not there.

    Attributes:
        words: uint64.
        directed: whether an edge says nothing of its reverse.
        parallel: the most edges from one node to one other.
    """

    words: npt.NDArray[np.uint64]
    directed: bool
    parallel: int


def filter_words(nodes: int, edges: int, itemsize: int) -> int:
    """Words of a graph's filter: a tenth of the bytes of its indptr and indices, rounded down."""
    return max(1, min(2**32, (8 * (nodes + 1) + itemsize * edges) // (8 * _SHARE)))


def edge_filter(
    indptr: npt.NDArray[np.int64], indices: npt.NDArray[Any], *, directed: bool, words: int | None = None
) -> EdgeFilter:
    """The filter of a graph's edges.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``, rising in every row.
        directed: else each edge has its reverse.
        words: of 64 bits, 1 to 2**32; None: a tenth of the bytes of the graph.

    Raises:
        WeftValueError: an array does not fit, or the graph is damaged.
    """
    checks.check_graph(indptr, indices, None)
    size = filter_words(len(indptr) - 1, len(indices), indices.itemsize) if words is None else words
    if not 1 <= size <= 2**32:
        raise WeftValueError(f"edge_filter: words must be 1 to 2**32 (got {size})")
    word: Any = zeros_huge(size, np.uint64)
    try:
        parallel = _core.edge_filter(indptr, indices, directed, word)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return EdgeFilter(word, directed, parallel)


def row_peaks(
    indptr: npt.NDArray[np.int64], indices: npt.NDArray[Any], weight: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """For each node the largest weight of the edges to one other, rounded up: float32 ``[N]``.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``, rising in every row.
        weight: float32 ``[E]``.

    Raises:
        WeftValueError: an array does not fit, or the graph is damaged.
    """
    checks.check_graph(indptr, indices, None)
    checks.check_vector("weight", weight, (np.dtype(np.float32),))
    peak: Any = zeros_huge(len(indptr) - 1, np.float32)
    try:
        _core.row_peaks(indptr, indices, weight, peak)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return peak


def walk2(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[Any],
    starts: npt.NDArray[Any],
    length: int,
    seed: int,
    *,
    p: float,
    q: float,
    edges: EdgeFilter,
    weight: npt.NDArray[np.float32] | None = None,
    alias: npt.NDArray[np.uint64] | None = None,
    total: npt.NDArray[np.float64] | None = None,
    peak: npt.NDArray[np.float32] | None = None,
    first: int = 0,
    out: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """Walks of ``length`` steps from ``starts``, each step biased by the one before: node2vec's.

    From node v, to which the walk came from t, the edge to x is taken in proportion to its weight times 1/p
    if x is t, 1 if t has an edge to x, and 1/q else (Grover, Leskovec: "node2vec: scalable feature learning
    for networks", KDD 2016). Edges are followed in their direction: "t has an edge to x" is t → x. An edge of
    weight zero is an edge. The first step is of first order.

    A walk depends on the seed, its number and its start alone: cutting a batch in two and giving the second
    half its ``first`` gives the same walks.

    Args:
        indptr: int64 ``[N+1]``; fastest on huge pages, as the other arrays of the graph are.
        indices: uint32 or int64 ``[E]``, rising in every row.
        starts: nodes ``[W]``, of any integer dtype.
        length: L, the number of steps.
        seed: 0 to 2**64 - 1.
        p: 1e-6 to 1e6; below 1, walks go back often.
        q: 1e-6 to 1e6; above 1, walks stay near the node before.
        edges: from :func:`edge_filter`.
        weight: float32 ``[E]``; None: every edge weighs 1.
        alias: uint64 ``[E]`` from :func:`weft.kernels.alias.alias_tables`; with ``weight``.
        total: float64 ``[N]``, sums of the weights of each row; with ``weight``.
        peak: float32 ``[N]`` from :func:`row_peaks`; with ``weight``.
        first: the number of the first walk.
        out: where to write, ``[W, L+1]`` of the dtype of ``indices``; None makes a new array.

    Returns:
        ``[W, L+1]`` of the dtype of ``indices``, starts included. A node without an out-edge keeps its walk.

    Raises:
        WeftValueError: p or q is out of range, a start is not a node, an array does not fit, or the graph is
            damaged.
    """
    checks.check_graph(indptr, indices, alias)
    check_bias(p, q)
    _check_weights(indptr, indices, weight, alias, total, peak)
    checks.check_vector("words of the filter", edges.words, (np.dtype(np.uint64),))
    checks.check_numbers(length, first, len(starts))
    starts_W = checks.checked_starts(starts, len(indptr) - 1, indices.dtype)
    out_WL = checks.checked_out(out, (len(starts_W), length + 1), indices.dtype)
    try:
        _core.walk2(
            indptr,
            indices,
            np.empty(0, np.float32) if weight is None else weight,
            np.empty(0, np.uint64) if alias is None else alias,
            np.empty(0, np.float64) if total is None else total,
            np.empty(0, np.float32) if peak is None else peak,
            edges.words,
            edges.directed,
            edges.parallel,
            float(p),
            float(q),
            starts_W,
            length,
            rng.key(seed, rng.Op.WALK2),
            first,
            out_WL.reshape(-1),
        )
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return out_WL


def check_bias(p: float, q: float) -> None:
    """Check node2vec's parameters.

    Raises:
        WeftTypeError: one is no number.
        WeftValueError: one is out of range.
    """
    for name, value in (("p", p), ("q", q)):
        if isinstance(value, str) or not hasattr(value, "__float__"):
            raise WeftTypeError(f"walk: {name} must be a number (got {value!r})")
        if not (math.isfinite(value) and 1 / LIMIT <= value <= LIMIT):
            raise WeftValueError(f"walk: {name} must be {1 / LIMIT:g} to {LIMIT:g} (got {value:g})")


def _check_weights(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[Any],
    weight: npt.NDArray[np.float32] | None,
    alias: npt.NDArray[np.uint64] | None,
    total: npt.NDArray[np.float64] | None,
    peak: npt.NDArray[np.float32] | None,
) -> None:
    if weight is None and alias is None and total is None and peak is None:
        return
    if weight is None or alias is None or total is None or peak is None:
        raise WeftValueError("walk: weight, alias, total and peak go together: give all or none")
    checks.check_vector("weight", weight, (np.dtype(np.float32),))
    checks.check_vector("total", total, (np.dtype(np.float64),))
    checks.check_vector("peak", peak, (np.dtype(np.float32),))
    if len(weight) != len(indices) or not len(total) == len(peak) == len(indptr) - 1:
        raise WeftValueError(
            f"walk: weight, total and peak have {len(weight)}, {len(total)} and {len(peak)} values for "
            f"{len(indices)} edges and {len(indptr) - 1} nodes"
        )
