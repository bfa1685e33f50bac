"""External ids to dense nodes in NumPy: the definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["distinct", "find"]

I64 = npt.NDArray[np.int64]


def distinct(chunks: Iterable[npt.NDArray[Any]]) -> I64:
    """The distinct ids of all chunks, rising."""
    return np.unique(np.concatenate([np.zeros(0, np.int64), *chunks]).astype(np.int64))


def find(ids: I64, external: npt.NDArray[Any]) -> I64:
    """The place of each id in the rising ``ids``, or -1."""
    if len(ids) == 0:
        return np.full(len(external), -1, np.int64)
    at = np.minimum(np.searchsorted(ids, external), len(ids) - 1)
    return np.where(ids[at] == external, at, -1)
