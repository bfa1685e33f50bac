"""R-MAT in NumPy: the definition.

Source: Chakrabarti, Zhan, Faloutsos, "R-MAT: a recursive model for graph mining", SDM 2004. Each level of
the recursion takes one word of Philox: edge e, level l is word ``l % 4`` of the block (item e, index
``l // 4``, lane 0). Node numbers then pass a Feistel network whose keys are words 0 and 1 of the blocks
(items 0, 1, 2, index 0, lane 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft.kernels.philox.reference import draw

__all__ = ["permute", "rmat_edges", "thresholds"]

U32 = npt.NDArray[np.uint32]


def thresholds(a: float, b: float, c: float) -> tuple[int, int, int]:
    """Bounds of the quadrants (0,0), (0,1), (1,0) among 32-bit words."""
    sums = (a, a + b, a + b + c)
    first, second, third = (min(1 << 32, round(p * 2**32)) for p in sums)
    return first, second, third


def rmat_edges(
    scale: int, count: int, key: int, first: int = 0, a: float = 0.57, b: float = 0.19, c: float = 0.19
) -> tuple[U32, U32]:
    """Edges ``first .. first + count`` of the graph with ``2**scale`` nodes; see ``cpu.rmat_edges``."""
    items = np.arange(first, first + count, dtype=np.uint64)
    bounds = np.array(thresholds(a, b, c), np.uint64)
    src, dst = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    for level in range(scale):
        word = draw(key, items, level // 4)[:, level % 4].astype(np.uint64)
        quadrant = (word[:, None] >= bounds).sum(axis=1).astype(np.uint64)
        src, dst = src * 2 + quadrant // 2, dst * 2 + quadrant % 2
    return permute(src.astype(np.uint32), scale, key), permute(dst.astype(np.uint32), scale, key)


def permute(nodes: U32, scale: int, key: int) -> U32:
    """A permutation of ``0 .. 2**scale - 1``: a Feistel network on a low and a high half, six rounds."""
    keys = draw(key, np.arange(3, dtype=np.uint64), 0, 1)[:, :2].reshape(-1)
    low_bits = scale // 2
    low_mask, high_mask = np.uint32((1 << low_bits) - 1), np.uint32((1 << (scale - low_bits)) - 1)
    low, high = nodes & low_mask, nodes >> np.uint32(low_bits)
    for even, odd in keys.reshape(3, 2):
        high = high ^ (_scramble(low, even) & high_mask)
        low = low ^ (_scramble(high, odd) & low_mask)
    return high << np.uint32(low_bits) | low


def _scramble(x: U32, key: np.uint32) -> U32:
    x = (x ^ key) * np.uint32(0x9E3779B1)
    x = (x ^ x >> np.uint32(15)) * np.uint32(0x85EBCA77)
    return x ^ x >> np.uint32(13)
