"""Weakly connected components in the native core."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["connected_components"]


def connected_components(indptr: npt.NDArray[np.int64], indices: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The smallest node of each node's component.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``.

    Returns:
        int64 ``[N]``.

    Raises:
        WeftValueError: the rows are damaged.
    """
    root = np.empty(len(indptr) - 1, np.int64)
    try:
        _core.connected_components(indptr, indices, root)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return root
