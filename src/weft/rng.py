"""Random numbers: one generator, keyed by (seed, op), counted by item.

Every op that draws numbers has an entry in :class:`Op`. Its numbers are words of Philox4x32-10 under the
key ``key(seed, op)`` at the counter ``(item low, item high, index, lane)``: *item* is what the op
works on (a walk, an edge, a pair), *index* counts the draws of that item, *lane* is the op's to use. A
number therefore depends on nothing but the seed and what it is for: not on threads, batches or devices.
The generator itself is the op :mod:`weft.kernels.philox`.
"""

from __future__ import annotations

import enum
import operator

from weft.errors import WeftTypeError, WeftValueError

__all__ = ["Op", "key"]


class Op(enum.IntEnum):
    """What numbers are drawn for. Values are part of every published result: never renumber."""

    WALK = 1
    WALK_START = 2
    NEGATIVE = 3
    INIT = 4
    RMAT = 5
    PARTITION = 6
    SPLIT = 7
    EVALUATE = 8
    SHUFFLE = 9
    WALK2 = 10
    DEAL = 11
    NEIGHBOR = 12
    EPOCH = 13
    LINK = 14
    TEMPORAL = 15
    PATH = 20
    SKETCH = 21
    EVENT_NEGATIVE = 24
    REPLAY = 25
    DROPOUT = 30


_MASK = (1 << 64) - 1


def key(seed: int, op: Op) -> int:
    """The 64-bit Philox key of ``op`` under ``seed``.

    The seed is offset by the op and passed through the finaliser of SplitMix64 (Steele, Lea, Flood:
    "Fast splittable pseudorandom number generators", OOPSLA 2014), a bijection: for one op, different
    seeds have different keys.

    Args:
        seed: 0 to 2**64 - 1.
        op: what the numbers are for.

    Raises:
        WeftTypeError: the seed is no whole number.
        WeftValueError: it is out of range.
    """
    try:
        seed = operator.index(seed)
    except TypeError:
        raise WeftTypeError(f"seed must be a whole number (got {seed!r})") from None
    if not 0 <= seed <= _MASK:
        raise WeftValueError(f"seed must be in 0 .. 2**64-1 (got {seed})")
    z = (seed + int(op) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
