"""Arrays on huge pages, where random reads cost no page walk; pages of mapped files, let go of."""

from __future__ import annotations

import math
import mmap

import numpy as np
import numpy.typing as npt

from weft import _core

__all__ = ["copy_huge", "drop_pages", "zeros_huge"]


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


def drop_pages(array: npt.NDArray[np.generic]) -> None:
    """Let go of the memory that reading a mapped file took; other arrays stay as they are."""
    base: object = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.mode == "c":
            return  # what was written there is nowhere else
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
