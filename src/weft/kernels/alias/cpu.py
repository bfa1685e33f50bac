"""Alias tables in the native core."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError
from weft.kernels.memory import zeros_huge

__all__ = ["alias_tables"]


def alias_tables(
    indptr: npt.NDArray[np.int64], weight: npt.NDArray[np.float32] | npt.NDArray[np.float64]
) -> npt.NDArray[np.uint64]:
    """One table per row, 8 bytes an edge, on huge pages.

    Args:
        indptr: int64 ``[N+1]``.
        weight: float32 or float64 ``[E]``.

    Returns:
        uint64 ``[E]``: the threshold in the low 32 bits, the other edge of the slot in the high ones.

    Raises:
        WeftValueError: a weight is negative or not finite, the weights of a row are all zero, or a row
            does not lie within the weights.
    """
    if indptr.ndim != 1 or indptr.dtype != np.int64 or len(indptr) == 0:
        raise WeftValueError(f"alias: indptr must be int64 [N+1] (got {indptr.dtype} {list(indptr.shape)})")
    if weight.ndim != 1 or weight.dtype not in (np.float32, np.float64):
        raise WeftValueError(
            f"alias: weight must be float32 or float64 [E] (got {weight.dtype} {list(weight.shape)})"
        )
    table = zeros_huge(len(weight), np.uint64).view(np.uint64)
    try:
        _core.alias_tables(np.ascontiguousarray(indptr), np.ascontiguousarray(weight), table)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return table
