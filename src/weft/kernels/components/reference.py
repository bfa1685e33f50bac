"""Weakly connected components in NumPy: the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["connected_components"]


def connected_components(indptr: npt.NDArray[np.int64], indices: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The smallest node of each node's component; int64 ``[N]``."""
    src = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    dst = indices.astype(np.int64)
    root = np.arange(len(indptr) - 1)
    while True:
        before = root.copy()
        np.minimum.at(root, src, before[dst])
        np.minimum.at(root, dst, before[src])
        if np.array_equal(root, before):
            return root
