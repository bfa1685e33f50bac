"""Alias tables in NumPy: the definition. README.md has the maths.

Source: Walker, "An efficient method for generating discrete random variables with general distributions",
ACM TOMS 1977; the sweep is that of Hübschle-Schneider and Sanders, "Parallel weighted random sampling",
ACM TOMS 2022.

Shapes: N rows, E edges, D edges of one row, B draws.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["alias_row", "alias_tables", "choose", "masses"]

UNIT = 1 << 32
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]


def masses(weight_D: npt.NDArray[np.floating]) -> U64:
    """Whole numbers that sum to exactly D * 2**32, in proportion to the weights; uint64 ``[D]``."""
    cumulative_D = np.cumsum(weight_D, dtype=np.float64)
    slots = float(len(weight_D)) * float(UNIT)
    until_D = (cumulative_D / cumulative_D[-1] * slots).astype(np.uint64)
    return np.diff(until_D, prepend=np.uint64(0))


def alias_row(weight_D: npt.NDArray[np.floating]) -> U64:
    """The table of one row; uint64 ``[D]``."""
    mass = masses(weight_D).tolist()
    lights = iter([i for i, m in enumerate(mass) if m < UNIT])
    heavies = iter([i for i, m in enumerate(mass) if m >= UNIT])
    table = [0] * len(mass)
    light, heavy = next(lights, None), next(heavies)
    rest = mass[heavy]
    while True:
        if light is not None and rest > UNIT:
            table[light] = mass[light] | heavy << 32
            rest -= UNIT - mass[light]
            light = next(lights, None)
            continue
        after = next(heavies, None)
        if rest == UNIT:
            table[heavy] = (UNIT - 1) | heavy << 32
            rest = 0 if after is None else mass[after]
        else:
            assert after is not None  # the masses are one unit each on average
            table[heavy] = rest | after << 32
            rest = mass[after] - (UNIT - rest)
        if after is None:
            return np.array(table, np.uint64)
        heavy = after


def alias_tables(indptr: I64, weight: npt.NDArray[np.floating]) -> U64:
    """One table per row.

    Args:
        indptr: int64 ``[N+1]``.
        weight: float32 or float64 ``[E]``, not all zero in any row.

    Returns:
        uint64 ``[E]``: the threshold in the low 32 bits, the other edge of the slot in the high ones.
    """
    rows = [alias_row(weight[a:b]) for a, b in pairwise(indptr) if b > a]
    return np.concatenate([np.empty(0, np.uint64), *rows])


def choose(table: U64, begin_B: I64, degree_B: I64, word_B: npt.NDArray[np.uint32]) -> I64:
    """Which edge of its row each word draws, counted from the row's begin; int64 ``[B]``.

    Args:
        table: uint64 ``[E]``.
        begin_B: where the rows begin.
        degree_B: at least 1.
        word_B: random words.
    """
    product_B = word_B.astype(np.uint64) * degree_B.astype(np.uint64)
    own_B = product_B >> np.uint64(32)
    slot_B = table[begin_B + own_B.astype(np.int64)]
    low = np.uint64(UNIT - 1)
    return np.where((product_B & low) < (slot_B & low), own_B, slot_B >> np.uint64(32)).astype(np.int64)
