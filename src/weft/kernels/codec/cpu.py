"""Codecs of rows in the native core.

Shapes: N rows of F columns, W bytes a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError
from weft.kernels.codec.form import Codec, check_codec, columns_of, row_bytes
from weft.kernels.gather import gather as gather_rows

__all__ = ["decode", "encode", "gather"]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_NUMBER: dict[Codec, int] = {"float16": 0, "bfloat16": 1, "int8": 2}


def decode(rows_NW: U8, codec: Codec, out: F32 | None = None) -> F32:
    """Encoded rows as float32, on all threads.

    Args:
        rows_NW: uint8 ``[N, W]``, contiguous.
        codec: what they are.
        out: where to write, float32 ``[N, F]``, contiguous; None makes a new array.

    Returns:
        float32 ``[N, F]``.

    Raises:
        WeftValueError: no row of the codec has W bytes, or an array does not fit.
    """
    out = _room(rows_NW, codec, len(rows_NW), out)
    columns = out.shape[1]
    if out.size == 0:
        return out
    if codec == "float32":
        np.copyto(out, rows_NW.view("<f4"))
    else:
        _core.decode_rows(_NUMBER[codec], rows_NW.reshape(-1), columns, out.reshape(-1))
    return out


def gather(
    rows_NW: U8, codec: Codec, ids_M: npt.NDArray[np.uint32] | npt.NDArray[np.int64], out: F32 | None = None
) -> F32:
    """Rows ``ids_M``, decoded, on all threads, memory being asked for ahead; float32 ``[M, F]``.

    Args:
        rows_NW: as for :func:`decode`.
        codec: as there.
        ids_M: uint32 or int64 ``[M]``, 0 to N - 1.
        out: as there, ``[M, F]``.

    Raises:
        WeftValueError: an id is not a row, or as for :func:`decode`; ``out`` is then undefined.
    """
    if ids_M.ndim != 1 or ids_M.dtype not in (np.uint32, np.int64):
        raise WeftValueError(
            f"gather: ids must be uint32 or int64 [M] (got {ids_M.dtype} {list(ids_M.shape)})"
        )
    out = _room(rows_NW, codec, len(ids_M), out)
    if codec == "float32" or out.shape[1] == 0:
        plain = rows_NW.view("<f4") if out.shape[1] else np.empty((len(rows_NW), 0), np.float32)
        return gather_rows(plain, ids_M, out)
    try:
        _core.gather_decoded(
            _NUMBER[codec], rows_NW.reshape(-1), out.shape[1], np.ascontiguousarray(ids_M), out.reshape(-1)
        )
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return out


def _room(rows_NW: U8, codec: Codec, count: int, out: F32 | None) -> F32:
    """Where decoded rows go."""
    check_codec(codec)
    if rows_NW.ndim != 2 or rows_NW.dtype != np.uint8 or not rows_NW.flags.c_contiguous:
        raise WeftValueError(
            f"decode: rows must be contiguous uint8 [N, W] (got {rows_NW.dtype} {list(rows_NW.shape)})"
        )
    shape = (count, columns_of(codec, rows_NW.shape[1]))
    if out is None:
        return np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32 or not (out.flags.c_contiguous and out.flags.writeable):
        raise WeftValueError(
            f"decode: out must be writable, contiguous float32 {list(shape)} "
            f"(got {out.dtype} {list(out.shape)})"
        )
    return out


def encode(rows_NF: npt.NDArray[Any], codec: Codec, *, first: int = 0) -> U8:
    """Rows of numbers as bytes, on all threads.

    Args:
        rows_NF: ``[N, F]`` of any dtype of numbers; they become float32 first.
        codec: what they become.
        first: the number of the first row, for messages.

    Returns:
        uint8 ``[N, W]``.

    Raises:
        WeftValueError: a number is none that the codec can hold.
    """
    check_codec(codec)
    if rows_NF.ndim != 2 or rows_NF.dtype.kind not in "fiub":
        raise WeftValueError(
            f"encode: rows must be numbers [N, F] (got {rows_NF.dtype} {list(rows_NF.shape)})"
        )
    with np.errstate(over="ignore"):
        single_NF = np.ascontiguousarray(rows_NF, "<f4")
    if rows_NF.dtype.kind == "f" and rows_NF.dtype.itemsize > 4:
        lost_NF = np.isinf(single_NF) & np.isfinite(rows_NF)
        if lost_NF.any():
            _refuse(rows_NF, int(lost_NF.argmax()), "float32", first)
    out_NW = np.empty((len(rows_NF), row_bytes(codec, rows_NF.shape[1])), np.uint8)
    if rows_NF.shape[1] == 0:
        out_NW[:] = 0
        return out_NW
    if codec == "float32":
        return single_NF.view(np.uint8)
    wrong = _core.encode_rows(_NUMBER[codec], single_NF.reshape(-1), rows_NF.shape[1], out_NW.reshape(-1))
    if wrong >= 0:
        _refuse(single_NF, wrong, codec, first)
    return out_NW


def _refuse(rows_NF: npt.NDArray[Any], at: int, codec: Codec, first: int) -> None:
    row, column = divmod(at, rows_NF.shape[1])
    value = rows_NF[row, column]
    if np.isfinite(value):
        why = f"past what {codec} holds; scale the features, or take a codec of a wider range"
    else:
        why = f"which {codec} cannot hold; replace it, or take float16 or bfloat16"
    raise WeftValueError(f"features: row {first + row:,}, column {column:,} is {value}, {why}")
