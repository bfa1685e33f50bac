"""Edges to compressed rows in the native core."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError
from weft.kernels.csr.buckets import Buckets, Duplicates, scatter_edges, sort_buckets

__all__ = ["edges_to_csr", "has_edges", "in_degrees", "transpose", "transpose_places"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
_EDGES = 1 << 20  # counted at a time at least
_MOST_CARRIED = 0x7F800000  # bits of infinity as a float32
Rows = tuple[I64, npt.NDArray[Any], F32 | None]


def edges_to_csr(
    src: npt.NDArray[Any],
    dst: npt.NDArray[Any],
    weight: F32 | None,
    num_nodes: int,
    *,
    directed: bool = True,
    duplicates: Duplicates = "keep",
    self_loops: str = "keep",
) -> Rows:
    """Rows sorted by neighbour, ties in input order.

    Args:
        src: nodes, int64 or uint32 ``[E]``.
        dst: as ``src``.
        weight: float32 ``[E]``, finite and not negative, or None.
        num_nodes: N.
        directed: otherwise each edge that is no self-loop is also stored in reverse.
        duplicates: of edges with one source and one destination ``keep`` all, ``drop`` all but the first
            (without direction: the first in either direction), or ``sum`` their weights, each edge of an
            unweighted graph weighing 1.
        self_loops: ``keep`` or ``drop``.

    Returns:
        indptr int64 ``[N+1]``; indices uint32, or int64 where N > 2**32; weight float32 or None.

    Raises:
        WeftValueError: lengths or options do not fit, a node is not in ``0 .. N-1``, or a weight is
            negative, infinite or NaN.
    """
    check_options(duplicates, self_loops)
    check_weight(weight)
    buckets = Buckets.plan(num_nodes, len(src) * (1 if directed else 2))
    run = scatter_edges(src, dst, weight, buckets, both_ways=not directed, drop_loops=self_loops == "drop")
    degree, indices, merged, starts, counts = sort_buckets([run], buckets, 0, duplicates)
    indptr = np.zeros(num_nodes + 1, np.int64)
    np.cumsum(degree, out=indptr[1:])
    return indptr, _pack(indices, starts, counts), None if merged is None else _pack(merged, starts, counts)


def check_options(duplicates: str, self_loops: str) -> None:
    """Refuse words that are no choice.

    Raises:
        WeftValueError: naming the option.
    """
    if duplicates not in ("keep", "drop", "sum"):
        raise WeftValueError(f"duplicates must be 'keep', 'drop' or 'sum' (got {duplicates!r})")
    if self_loops not in ("keep", "drop"):
        raise WeftValueError(f"self_loops must be 'keep' or 'drop' (got {self_loops!r})")


def check_weight(weight: F32 | None) -> None:
    """Refuse weights that are negative, infinite or NaN.

    Raises:
        WeftValueError: naming the first.
    """
    if weight is None:
        return
    bad = ~(np.isfinite(weight) & (weight >= 0))
    if bad.any():
        at = int(bad.argmax())
        raise WeftValueError(
            f"weight of edge {at} (counted from 0) must be finite and not negative (got {weight[at]})"
        )


def _pack(values: npt.NDArray[Any], starts: I64, counts: I64) -> npt.NDArray[Any]:
    """The used places of all buckets, one after another."""
    total = int(counts.sum())
    if total == len(values):
        return values
    out = np.empty(total, values.dtype)
    at = 0
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        out[at : at + count] = values[start : start + count]
        at += count
    return out


def transpose(indptr: I64, indices: npt.NDArray[Any], weight: F32 | None, targets: int | None = None) -> Rows:
    """Every edge turned round.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``.
        weight: float32 ``[E]``, or None.
        targets: how many nodes edges lead to, where these are others than those they leave; by default N.

    Returns:
        indptr int64 ``[targets+1]``, indices of the dtype given, weight.

    Raises:
        WeftValueError: the rows are damaged.
    """
    owner = np.empty(len(indices), indices.dtype)
    try:
        _core.expand_rows(indptr, owner)
    except IndexError as error:
        raise WeftValueError(str(error)) from None
    nodes = len(indptr) - 1
    targets = nodes if targets is None else targets
    # One set of nodes, the larger; those that edges lead to are the first of it.
    turned, places, merged = edges_to_csr(indices, owner, weight, max(nodes, targets))
    if targets < nodes:
        if turned[targets] != turned[-1]:
            raise WeftValueError(f"transpose: an edge leads past the {targets} nodes there are")
        turned = turned[: targets + 1].copy()
    return turned, places.astype(indices.dtype, copy=False), merged


def transpose_places(
    indptr: I64, indices: npt.NDArray[Any], targets: int | None = None
) -> tuple[I64, npt.NDArray[Any], npt.NDArray[Any]]:
    """Every edge turned round, and where each was.

    Args:
        indptr: as for :func:`transpose`.
        indices: as there.
        targets: as there.

    Returns:
        indptr and indices as there; the place in the ``indices`` given of each edge, rising within a row:
        uint32 ``[E]``, int64 where they do not fit.

    Raises:
        WeftValueError: the rows are damaged.
    """
    edges = len(indices)
    if edges > _MOST_CARRIED:
        turned = transpose(indptr, indices, None, targets)
        return *turned[:2], np.argsort(indices, kind="stable")
    # Weights go where their edges do. All patterns of bits up to there are finite floats, not below zero; the
    # sort moves them and reckons nothing: several times as fast as NumPy's stable argsort.
    carried = np.arange(edges, dtype=np.uint32).view(np.float32)
    turned, places, moved = transpose(indptr, indices, carried, targets)
    assert moved is not None
    return turned, places, moved.view(np.uint32)


def has_edges(indptr: I64, indices: npt.NDArray[Any], src: I64, dst: I64) -> npt.NDArray[np.bool_]:
    """Whether ``dst[i]`` is in the row of ``src[i]``.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``, rising within a row.
        src: nodes, int64 ``[B]``.
        dst: int64 ``[B]``.

    Returns:
        bool ``[B]``.

    Raises:
        WeftValueError: lengths differ, a source is not in ``0 .. N-1``, or the rows are damaged.
    """
    out = np.empty(len(src), np.uint8)
    try:
        _core.has_edges(indptr, indices, np.ascontiguousarray(src), np.ascontiguousarray(dst), out)
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None
    return out.view(np.bool_)


def in_degrees(
    indices: npt.NDArray[Any], nodes: int, weight: npt.NDArray[np.float32] | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The edges that lead to each node, and the sum of their weights.

    Args:
        indices: integers ``[E]``, where edges lead to.
        nodes: N.
        weight: float32 ``[E]``; None: 1.

    Returns:
        float64 ``[N]`` twice; without weights they are one array.

    Raises:
        WeftValueError: an edge leads to no node.
    """
    count_N, weight_N = np.zeros((2, nodes))
    # Whole, bincount would copy all edges as int64; in small pieces it would add up N numbers too often.
    step = max(_EDGES, nodes)
    for begin in range(0, len(indices), step):
        some = indices[begin : begin + step]
        if (most := int(some.max())) >= nodes:
            raise WeftValueError(
                f"the graph is damaged: indices hold node {most} of {nodes}; import the graph again"
            )
        count_N += np.bincount(some, minlength=nodes)
        if weight is not None:
            weight_N += np.bincount(some, weight[begin : begin + step], minlength=nodes)
    return count_N, count_N if weight is None else weight_N
