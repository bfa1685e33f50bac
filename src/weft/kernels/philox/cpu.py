"""Philox4x32-10 in the native core."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["philox4x32", "philox_fill"]

U32 = npt.NDArray[np.uint32]


def philox4x32(counter_B4: U32, key: int) -> U32:
    """Encrypt counters.

    Args:
        counter_B4: uint32 ``[B, 4]``.
        key: 64 bits, the low half being the first key word.

    Returns:
        uint32 ``[B, 4]``.

    Raises:
        WeftValueError: ``counter_B4`` is not ``[B, 4]``.
    """
    if counter_B4.ndim != 2 or counter_B4.shape[1] != 4:
        raise WeftValueError(
            f"philox4x32: counters must have the shape [B, 4] (got {list(counter_B4.shape)})"
        )
    counter_B4 = np.ascontiguousarray(counter_B4, np.uint32)
    out_B4 = np.empty_like(counter_B4)
    _core.philox_blocks(counter_B4.reshape(-1), key, out_B4.reshape(-1))
    return out_B4


def philox_fill(blocks: int, key: int, first: int = 0, index: int = 0, lane: int = 0) -> U32:
    """The blocks of items ``first .. first + blocks`` at (index, lane); uint32 ``[blocks, 4]``."""
    out_B4 = np.empty((blocks, 4), np.uint32)
    _core.philox_fill(out_B4.reshape(-1), key, first, index, lane)
    return out_B4
