"""Arrays on huge pages: random reads then cost no page walk."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from weft import _core

__all__ = ["copy_huge", "zeros_huge"]


def zeros_huge(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
    """A zeroed array on 2 MiB pages where the system grants them, on ordinary pages elsewhere."""
    dims = (shape,) if isinstance(shape, int) else shape
    kind = np.dtype(dtype)
    size = math.prod(dims) * kind.itemsize
    return _core.empty_huge(size)[:size].view(kind).reshape(dims)


def copy_huge(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """A copy of ``array`` on huge pages."""
    out = zeros_huge(array.shape, array.dtype)
    np.copyto(out, array)
    return out
