"""R-MAT in the native core."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError
from weft.kernels.rmat.reference import thresholds

__all__ = ["rmat_edges"]

U32 = npt.NDArray[np.uint32]


def rmat_edges(
    scale: int, count: int, key: int, first: int = 0, a: float = 0.57, b: float = 0.19, c: float = 0.19
) -> tuple[U32, U32]:
    """Edges ``first .. first + count`` of the R-MAT graph with ``2**scale`` nodes.

    Args:
        scale: 1 to 32.
        count: how many edges.
        key: ``weft.rng.key(seed, Op.RMAT)``.
        first: number of the first edge; an edge depends on its number and the key alone.
        a: probability of the quadrant (0, 0) at each level.
        b: of (0, 1).
        c: of (1, 0); (1, 1) has the rest.

    Returns:
        src and dst, uint32 ``[count]``.

    Raises:
        WeftValueError: scale or a probability is out of range.
    """
    if not 1 <= scale <= 32:
        raise WeftValueError(f"rmat: scale must be 1 to 32 (got {scale})")
    if min(a, b, c) < 0 or a + b + c > 1 + 1e-9:
        raise WeftValueError(
            f"rmat: a, b, c must be probabilities with a sum of at most 1 (got {a}, {b}, {c})"
        )
    src, dst = np.empty(count, np.uint32), np.empty(count, np.uint32)
    _core.rmat_edges(key, scale, *thresholds(a, b, c), first, src, dst)
    return src, dst
