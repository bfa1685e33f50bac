"""Training pairs in NumPy: the definition. Shapes: W walks of L steps, N nodes, B pairs, P parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft.kernels.philox.reference import draw

__all__ = ["bucket_pairs", "draw_alias", "window_pairs"]

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


def bucket_pairs(pair_B: U64, rows: int, parts: int) -> tuple[U64, I64]:
    """The pairs in order, and where blocks begin; as :func:`weft.kernels.pairs.bucket_pairs`."""
    head, tail = pair_B >> np.uint64(32), pair_B & np.uint64(0xFFFFFFFF)
    block = (head // np.uint64(rows) * np.uint64(parts) + tail // np.uint64(rows)).astype(np.int64)
    order = np.lexsort([head, block])  # stable
    return pair_B[order], np.searchsorted(block[order], np.arange(parts * parts + 1)).astype(np.int64)


def draw_alias(alias_N: U64, count: int, *, key: int, first: int = 0) -> U32:
    """As :func:`weft.kernels.pairs.draw_alias`."""
    size, half = np.uint64(len(alias_N)), np.uint64(32)
    high_B, low_B = draw(key, np.arange(first, first + count, dtype=np.uint64), 0)[:, :2].T.astype(np.uint64)
    spot_B = high_B * size + (low_B * size >> half)
    entry_B = alias_N[(spot_B >> half).astype(np.int64)]
    kept_B = spot_B.astype(np.uint32) < entry_B.astype(np.uint32)
    return np.where(kept_B, spot_B >> half, entry_B >> half).astype(np.uint32)
