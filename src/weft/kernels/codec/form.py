"""Which codecs there are, and how their rows lie in memory and in files.

Shapes: N rows of F columns, W bytes a row.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from weft.errors import WeftValueError

__all__ = ["CODECS", "Codec", "check_codec", "columns_of", "record", "row_bytes", "said_by"]

Codec = Literal["float32", "float16", "bfloat16", "int8"]
CODECS: tuple[Codec, ...] = get_args(Codec)

_PLAIN = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}


def check_codec(codec: object) -> Codec:
    """Refuse what is no codec.

    Raises:
        WeftValueError: naming those there are.
    """
    for one in CODECS:
        if one == codec:
            return one
    raise WeftValueError(f"features: codec must be one of {', '.join(CODECS)} (got {codec!r})")


def row_bytes(codec: Codec, columns: int) -> int:
    """W."""
    return {"float32": 4 * columns, "float16": 2 * columns, "bfloat16": 2 * columns, "int8": columns + 4}[
        codec
    ]


def columns_of(codec: Codec, size: int) -> int:
    """F of a row of ``size`` bytes.

    Raises:
        WeftValueError: no row has so many.
    """
    columns = size - 4 if codec == "int8" else size // (4 if codec == "float32" else 2)
    if columns < 0 or row_bytes(codec, columns) != size:
        raise WeftValueError(f"features: a row of {size:,} bytes is none of {codec}")
    return columns


def record(codec: Codec, columns: int) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The dtype of an array of encoded rows, and what follows N in its shape.

    NumPy has float32 and float16: their arrays are ``[N, F]``. Rows of the others are records ``[N]`` whose
    field says by its name what they are.
    """
    if codec in _PLAIN:
        return _PLAIN[codec], (columns,)
    if codec == "bfloat16":
        return np.dtype([("bfloat16", "<u2", (columns,))]), ()
    return np.dtype([("int8", "|i1", (columns,)), ("scale", "<f4")]), ()


def said_by(dtype: np.dtype[Any]) -> tuple[Codec, int] | None:
    """The codec of records of this dtype, and F; None if they are none."""
    if dtype.names is None or dtype.names[0] not in ("bfloat16", "int8"):
        return None
    shape = dtype[0].shape
    if len(shape) != 1:
        return None
    codec: Codec = "bfloat16" if dtype.names[0] == "bfloat16" else "int8"
    return (codec, shape[0]) if record(codec, shape[0])[0] == dtype else None
