"""Codecs of rows in NumPy: the definition.

Shapes: N rows of F columns, W bytes a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from weft.kernels.codec.form import Codec

__all__ = ["decode", "encode", "gather", "refused"]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


def decode(rows_NW: U8, codec: Codec) -> F32:
    """Rows as float32 ``[N, F]``."""
    if codec == "int8":
        scale_N1 = np.ascontiguousarray(rows_NW[:, -4:]).view("<f4")
        return rows_NW[:, :-4].view(np.int8).astype(np.float32) * scale_N1
    if codec == "bfloat16":
        return (rows_NW.view("<u2").astype(np.uint32) << 16).view(np.float32)
    with np.errstate(invalid="ignore"):
        return rows_NW.view("<f2" if codec == "float16" else "<f4").astype(np.float32)


def gather(rows_NW: U8, codec: Codec, ids_M: npt.NDArray[np.integer]) -> F32:
    """Rows ``ids``, decoded; float32 ``[M, F]``."""
    return decode(np.ascontiguousarray(rows_NW[ids_M]), codec)


def refused(rows_NF: F32, codec: Codec) -> npt.NDArray[np.bool_]:
    """Which numbers the codec cannot hold; bool ``[N, F]``."""
    if codec == "int8":
        return ~np.isfinite(rows_NF)
    if codec == "float32":
        return np.zeros(rows_NF.shape, np.bool_)
    past = np.float32(65520) if codec == "float16" else np.array(0x7F7F8000, np.uint32).view(np.float32)
    return np.isfinite(rows_NF) & (np.abs(rows_NF) >= past)


def encode(rows_NF: F32, codec: Codec) -> U8:
    """Rows as bytes ``[N, W]``; where :func:`refused`, undefined."""
    if codec == "int8":
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            scale_N1 = np.abs(rows_NF).max(1, keepdims=True, initial=0) / np.float32(127)
            whole_NF = np.rint(np.where(scale_N1 > 0, rows_NF / scale_N1, rows_NF)).clip(-127, 127)
            return np.hstack([whole_NF.astype(np.int8).view(np.uint8), scale_N1.view(np.uint8)])
    if codec == "float32":
        return np.ascontiguousarray(rows_NF).view(np.uint8)
    bits_NF = np.ascontiguousarray(rows_NF).view(np.uint32)
    if codec == "bfloat16":
        rounded_NF = (bits_NF + 0x7FFF + (bits_NF >> 16 & 1)) >> 16
        quiet_NF = bits_NF >> 16 | 0x40
        return np.where(np.isnan(rows_NF), quiet_NF, rounded_NF).astype("<u2").view(np.uint8)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        half_NF = rows_NF.astype("<f2").view("<u2")
    quiet_NF = bits_NF >> 16 & 0x8000 | 0x7E00 | bits_NF >> 13 & 0x3FF
    return np.where(np.isnan(rows_NF), quiet_NF, half_NF).astype("<u2").view(np.uint8)
