"""What one pass over the data has of its own: an order, and a seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.kernels.philox import philox4x32, philox_fill
from weft.rng import Op, key

__all__ = ["epoch_seed", "shuffled"]


def shuffled(count: int, *, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The numbers 0 .. ``count`` - 1 in the order of an epoch; int64 ``[count]``, 24 bytes each on the way.

    They are sorted by 64 random bits each, item i // 2 having those of i and its neighbour.

    Raises:
        WeftValueError: the seed or the epoch is out of range.
    """
    blocks = philox_fill((count + 1) // 2, key(seed, Op.SHUFFLE), index=_checked(epoch))
    return np.argsort(blocks.view(np.uint64).reshape(-1)[:count], kind="stable")


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of what is drawn in an epoch, 64 bits.

    Raises:
        WeftValueError: the seed or the epoch is out of range.
    """
    words = philox4x32(np.array([[_checked(epoch), 0, 0, 0]], np.uint32), key(seed, Op.EPOCH))
    return int(words.view(np.uint64)[0, 0])


def _checked(epoch: int) -> int:
    if not 0 <= epoch < 1 << 32:
        raise WeftValueError(f"epoch must be in 0 .. 2**32-1 (got {epoch})")
    return epoch
