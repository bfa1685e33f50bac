"""Arrays on huge pages, where random reads cost no page walk; pages of mapped files, let go of."""

from __future__ import annotations

import ctypes
import math
import mmap

import numpy as np
import numpy.typing as npt

from weft import _core

_PIECE = 64 << 20  # bytes copied between two looks at the pages of a mapped file

__all__ = ["copy_huge", "drop_pages", "trim", "zeros_huge"]


def zeros_huge(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
    """A zeroed array on 2 MiB pages where the system grants them, on ordinary pages elsewhere."""
    dims = (shape,) if isinstance(shape, int) else shape
    kind = np.dtype(dtype)
    size = math.prod(dims) * kind.itemsize
    return _core.empty_huge(size)[:size].view(kind).reshape(dims)


def copy_huge(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """A copy of ``array`` on huge pages; of a mapped file, little is in memory twice."""
    out = zeros_huge(array.shape, array.dtype)
    step = max(1, _PIECE // max(1, array.nbytes // max(1, len(array))))
    for begin in range(0, len(array), step):
        out[begin : begin + step] = array[begin : begin + step]
        drop_pages(array)
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


def trim() -> None:
    """Give freed memory back to the system: glibc holds on to what was freed in pieces below 32 MiB."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)
