"""Gathering rows in NumPy: the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["gather"]


def gather(table: npt.NDArray[Any], ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``table[ids]``."""
    return np.ascontiguousarray(table[ids.astype(np.int64)])
