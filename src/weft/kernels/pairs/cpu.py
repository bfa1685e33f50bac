"""Training pairs in the native core. Shapes: W walks of L steps, N nodes, B pairs, P parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["block_pairs", "bucket_pairs", "pairs_per_walk", "window_pairs"]

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
_NO_SINK = np.zeros(0, np.uint8)


def pairs_per_walk(length: int, window: int) -> int:
    """The pairs of a walk of ``length`` steps that does not get stuck."""
    return _core.pairs_per_walk(length, window)


def window_pairs(
    walk_WL: U32,
    row_N: U32,
    window: int,
    *,
    sink_N: npt.NDArray[np.uint8] | None = None,
    out: U64 | None = None,
) -> U64:
    """Every (earlier, later) pair of nodes at most ``window`` steps apart in a walk.

    Args:
        walk_WL: uint32 ``[W, L+1]``, nodes.
        row_N: uint32 ``[N]``, the table row of each node.
        window: at least 1.
        sink_N: uint8 ``[N]``, non-zero where no edge leads out: a walk ends there. None: no such node.
        out: uint64, at least ``W * pairs_per_walk(L, window)``: written and returned as far as it is filled.

    Returns:
        uint64 ``[B]``, head row << 32 | tail row, by walk, earlier node, distance.

    Raises:
        WeftValueError: a shape or value does not fit, or a walk names an unknown node.
    """
    if walk_WL.ndim != 2 or walk_WL.shape[1] < 2:
        raise WeftValueError(f"window_pairs: walks must be [W, L+1] with L >= 1 (got {list(walk_WL.shape)})")
    if window < 1:
        raise WeftValueError(f"window_pairs: window must be at least 1 (got {window})")
    length = walk_WL.shape[1] - 1
    if out is None:
        out = np.empty(len(walk_WL) * pairs_per_walk(length, window), np.uint64)
    flat = np.ascontiguousarray(walk_WL, np.uint32).reshape(-1)
    sink = _NO_SINK if sink_N is None else sink_N
    try:
        return out[: _core.window_pairs(flat, length, window, row_N, sink, out)]
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None


def bucket_pairs(
    pair_B: U64,
    rows: int,
    parts: int,
    *,
    heads: range | None = None,
    tails: range | None = None,
    scratch: U64 | None = None,
) -> I64:
    """Sort pairs, in place and stably, by part of the head, part of the tail, and head.

    Args:
        pair_B: uint64 ``[B]``, head row << 32 | tail row.
        rows: rows of a part.
        parts: P.
        heads: the I parts where heads are; None: all.
        tails: the J parts where tails are; None: all.
        scratch: uint64, at least ``B``: overwritten.

    Returns:
        int64 ``[I*J+1]``, where the pairs of each block begin.

    Raises:
        WeftValueError: a pair lies outside of the parts, or a size does not fit.
    """
    heads, tails = (range(parts) if given is None else given for given in (heads, tails))
    for given in (heads, tails):
        if given.step != 1 or given.start < 0 or given.stop > parts:
            raise WeftValueError(f"bucket_pairs: heads and tails must be in 0 .. {parts} (got {given})")
    offset = np.empty(len(heads) * len(tails) + 1, np.int64)
    scratch = np.empty_like(pair_B) if scratch is None else scratch
    try:
        _core.bucket_pairs(pair_B, scratch, rows, heads.start, len(heads), tails.start, len(tails), offset)
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None
    return offset


def block_pairs(
    walk_WL: U32,
    row_N: U32,
    window: int,
    rows: int,
    parts: int,
    *,
    most: int | None = None,
    sink_N: npt.NDArray[np.uint8] | None = None,
    out: U64 | None = None,
) -> tuple[U64, I64]:
    """``window_pairs`` and ``bucket_pairs`` in one, without a second copy of the pairs.

    Args:
        walk_WL: uint32 ``[W, L+1]``, nodes.
        row_N: uint32 ``[N]``, the table row of each node.
        window: at least 1.
        rows: rows of a part.
        parts: P.
        most: only the first so many pairs of the walks; None: all.
        sink_N: uint8 ``[N]``, non-zero where no edge leads out: a walk ends there. None: no such node.
        out: uint64, with room for the pairs: written and returned as far as it is filled.

    Returns:
        uint64 ``[B]``, head row << 32 | tail row, sorted by part of the head, part of the tail, and head; and
        int64 ``[P*P+1]``, where the pairs of each block begin.

    Raises:
        WeftValueError: a shape or value does not fit, or a walk names an unknown node or row.
    """
    if walk_WL.ndim != 2 or walk_WL.shape[1] < 2:
        raise WeftValueError(f"block_pairs: walks must be [W, L+1] with L >= 1 (got {list(walk_WL.shape)})")
    if min(window, rows, parts) < 1:
        raise WeftValueError(
            f"block_pairs: window, rows and parts must be at least 1 (got {window}, {rows} and {parts})"
        )
    length = walk_WL.shape[1] - 1
    full = len(walk_WL) * pairs_per_walk(length, window)
    most = full if most is None else min(most, full)
    out = np.empty(most, np.uint64) if out is None else out
    offset = np.empty(parts * parts + 1, np.int64)
    flat = np.ascontiguousarray(walk_WL, np.uint32).reshape(-1)
    sink = _NO_SINK if sink_N is None else sink_N
    try:
        count = _core.block_pairs(flat, length, window, row_N, sink, most, rows, parts, out, offset)
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None
    return out[:count], offset
