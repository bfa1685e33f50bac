"""Philox4x32-10 in NumPy: the definition.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
Shapes: B blocks, 4 words each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["bounded", "draw", "philox4x32", "philox_fill"]

U32 = npt.NDArray[np.uint32]


def philox4x32(counter_B4: U32, key: int) -> U32:
    """Encrypt counters.

    Args:
        counter_B4: uint32 ``[B, 4]``.
        key: 64 bits, the low half being the first key word.

    Returns:
        uint32 ``[B, 4]``.
    """
    c0, c1, c2, c3 = counter_B4.astype(np.uint64).T
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (p1 >> half) ^ c1 ^ np.uint64(k0),
            p1 & low,
            (p0 >> half) ^ c3 ^ np.uint64(k1),
            p0 & low,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def draw(key: int, item_B: npt.NDArray[np.uint64], index: int | U32, lane: int | U32 = 0) -> U32:
    """The block of each item at (index, lane); uint32 ``[B, 4]``."""
    item_B = np.asarray(item_B, np.uint64)
    counter_B4 = np.empty((len(item_B), 4), np.uint32)
    counter_B4[:, 0] = item_B & np.uint64(0xFFFFFFFF)
    counter_B4[:, 1] = item_B >> np.uint64(32)
    counter_B4[:, 2] = index
    counter_B4[:, 3] = lane
    return philox4x32(counter_B4, key)


def philox_fill(blocks: int, key: int, first: int = 0, index: int = 0, lane: int = 0) -> U32:
    """The blocks of items ``first .. first + blocks``; uint32 ``[blocks, 4]``."""
    return draw(key, np.arange(first, first + blocks, dtype=np.uint64), index, lane)


def bounded(bits: U32, n: int | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A number in ``[0, n)`` from 32 random bits; for n <= 2**32 the bias is at most n / 2**32."""
    return ((bits.astype(np.uint64) * np.asarray(n).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
