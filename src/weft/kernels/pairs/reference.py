"""Training pairs in NumPy: the definition. Shapes: W walks of L steps, N nodes, B pairs, P parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["block_pairs", "bucket_pairs", "window_pairs"]

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


def window_pairs(walk_WL: U32, row_N: U32, window: int, sink_N: npt.NDArray[np.uint8] | None = None) -> U64:
    """As :func:`weft.kernels.pairs.window_pairs`."""
    out: list[int] = []
    for walk in walk_WL.tolist():
        stop = next((x for x, u in enumerate(walk) if sink_N is not None and sink_N[u]), len(walk) - 1)
        rows = [int(row_N[u]) for u in walk[: stop + 1]]
        for x, head in enumerate(rows):
            out += [head << 32 | tail for tail in rows[x + 1 : x + 1 + window]]
    return np.array(out, np.uint64)


def bucket_pairs(
    pair_B: U64, rows: int, parts: int, heads: range | None = None, tails: range | None = None
) -> tuple[U64, I64]:
    """The pairs in order, and where blocks begin; as :func:`weft.kernels.pairs.bucket_pairs`."""
    heads, tails = (range(parts) if given is None else given for given in (heads, tails))
    head, tail = (
        (pair_B >> np.uint64(32)).astype(np.int64),
        (pair_B & np.uint64(0xFFFFFFFF)).astype(np.int64),
    )
    block = (head // rows - heads.start) * len(tails) + tail // rows - tails.start
    order = np.lexsort([head, block])  # stable
    begins = np.searchsorted(block[order], np.arange(len(heads) * len(tails) + 1))
    return pair_B[order], begins.astype(np.int64)


def block_pairs(
    walk_WL: U32,
    row_N: U32,
    window: int,
    rows: int,
    parts: int,
    *,
    most: int | None = None,
    sink_N: npt.NDArray[np.uint8] | None = None,
) -> tuple[U64, I64]:
    """As :func:`weft.kernels.pairs.block_pairs`."""
    return bucket_pairs(window_pairs(walk_WL, row_N, window, sink_N)[:most], rows, parts)
