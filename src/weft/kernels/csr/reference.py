"""Edges to compressed rows in NumPy: the definition."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["edges_to_csr", "has_edges", "transpose"]

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Rows = tuple[I64, npt.NDArray[Any], F32 | None]


def edges_to_csr(
    src: I64,
    dst: I64,
    weight: F32 | None,
    num_nodes: int,
    *,
    directed: bool = True,
    duplicates: Literal["keep", "drop", "sum"] = "keep",
    self_loops: Literal["keep", "drop"] = "keep",
) -> Rows:
    """Rows sorted by neighbour, ties in input order; see ``cpu.edges_to_csr``."""
    order = np.arange(len(src))
    if self_loops == "drop":
        order = order[src != dst]
    if not directed:
        # Each edge and its reverse hold the same place in the order, so "first" means the same for both.
        both = order[src[order] != dst[order]]
        order, src, dst = (
            np.concatenate([order, both]),
            np.concatenate([src[order], dst[both]]),
            np.concatenate([dst[order], src[both]]),
        )
    else:
        src, dst = src[order], dst[order]
    by = np.lexsort((order, dst, src))
    order, src, dst = order[by], src[by], dst[by]
    weights = None if weight is None else weight[order]
    if duplicates != "keep" and len(src):
        first = np.ones(len(src), bool)
        first[1:] = (src[1:] != src[:-1]) | (dst[1:] != dst[:-1])
        if duplicates == "sum":
            ones = np.ones(len(src), np.float32) if weights is None else weights
            # bincount adds one by one in float64; reduceat would add in pairs.
            weights = np.bincount(np.cumsum(first) - 1, ones.astype(np.float64)).astype(np.float32)
        elif weights is not None:
            weights = weights[first]
        src, dst = src[first], dst[first]
    elif duplicates == "sum":
        weights = np.zeros(0, np.float32)
    indptr = np.zeros(num_nodes + 1, np.int64)
    np.cumsum(np.bincount(src, minlength=num_nodes), out=indptr[1:])
    return indptr, dst.astype(np.uint32 if num_nodes <= 1 << 32 else np.int64), weights


def transpose(indptr: I64, indices: npt.NDArray[Any], weight: F32 | None, targets: int | None = None) -> Rows:
    """Every edge turned round."""
    nodes = len(indptr) - 1
    targets = nodes if targets is None else targets
    src = np.repeat(np.arange(nodes), np.diff(indptr))
    turned, places, merged = edges_to_csr(indices.astype(np.int64), src, weight, max(nodes, targets))
    return turned[: targets + 1], places, merged


def transpose_places(
    indptr: I64, indices: npt.NDArray[Any], targets: int | None = None
) -> tuple[I64, npt.NDArray[Any], I64]:
    """Every edge turned round, and where each was."""
    return *transpose(indptr, indices, None, targets)[:2], np.argsort(indices, kind="stable")


def has_edges(indptr: I64, indices: npt.NDArray[Any], src: I64, dst: I64) -> npt.NDArray[np.bool_]:
    """Whether ``dst[i]`` is in the sorted row of ``src[i]``."""
    out = np.empty(len(src), bool)
    for i, (u, v) in enumerate(zip(src, dst, strict=True)):
        row = indices[indptr[u] : indptr[u + 1]]
        at = np.searchsorted(row, v)
        out[i] = at < len(row) and row[at] == v
    return out
