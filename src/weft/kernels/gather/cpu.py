"""Gathering rows in the native core."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["gather"]


def gather(
    table: npt.NDArray[Any], ids: npt.NDArray[Any], out: npt.NDArray[Any] | None = None
) -> npt.NDArray[Any]:
    """``table[ids]`` on all threads, memory being asked for ahead.

    Args:
        table: ``[N, ...]``, contiguous, of any dtype; fastest on huge pages
            (:func:`weft.kernels.memory.zeros_huge`).
        ids: integers ``[M]``, 0 to N - 1; uint32 and int64 are read in place.
        out: where to write, ``[M, ...]`` of the table's dtype, contiguous; None makes a new array.
            It must not overlap ``table``.

    Returns:
        ``[M, ...]``.

    Raises:
        WeftValueError: an id is not a row, or an array does not fit; ``out`` is then undefined.
    """
    if table.ndim == 0 or not table.flags.c_contiguous or table.dtype.hasobject:
        raise WeftValueError(
            f"gather: the table must be contiguous [N, ...] of numbers "
            f"(got {table.dtype} {list(table.shape)})"
        )
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or ids.dtype == np.uint64:
        raise WeftValueError(f"gather: ids must be integers [M] (got {ids.dtype} {list(ids.shape)})")
    shape = (len(ids), *table.shape[1:])
    if out is None:
        out = np.empty(shape, table.dtype)
    usable = out.flags.c_contiguous and out.flags.writeable
    if not usable or out.shape != shape or out.dtype != table.dtype:
        raise WeftValueError(
            f"gather: out must be writable, contiguous {table.dtype} {list(shape)} "
            f"(got {out.dtype} {list(out.shape)})"
        )
    if np.may_share_memory(table, out):
        raise WeftValueError("gather: out must not overlap the table")
    if ids.dtype not in (np.uint32, np.int64):
        ids = ids.astype(np.int64)
    width = table.dtype.itemsize * math.prod(table.shape[1:])
    if width == 0:
        # Rows without columns: the ids are checked all the same.
        _gather(np.empty(len(table), np.uint8), 1, ids, np.empty(len(ids), np.uint8))
    else:
        _gather(table, width, ids, out)
    return out


def _gather(table: npt.NDArray[Any], width: int, ids: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
    try:
        _core.gather(_bytes(table), width, np.ascontiguousarray(ids), _bytes(out))
    except ValueError as error:
        raise WeftValueError(str(error)) from None


def _bytes(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)
