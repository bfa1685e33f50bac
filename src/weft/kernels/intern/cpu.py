"""The interner in the native core.

Shapes: B strings of a batch, K bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["Interner"]

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]


class Interner:
    """Numbers strings 0, 1, 2, … as they first appear; the same number for the same bytes ever after.

    Strings come packed: string ``i`` is ``bytes[offsets[i]:offsets[i + 1]]``.
    """

    def __init__(self) -> None:
        self._core = _core.Interner()

    def __len__(self) -> int:
        return self._core.size()

    def add(self, bytes_K: U8, offsets: I64) -> U32:
        """The number of each string, a new one for a string that has none.

        Args:
            bytes_K: uint8 ``[K]``.
            offsets: int64 ``[B + 1]``.

        Returns:
            uint32 ``[B]``.

        Raises:
            WeftValueError: the arrays are of another kind, or offsets fall or leave the bytes.
        """
        out_B = np.empty(_count(bytes_K, offsets), np.uint32)
        try:
            self._core.add(bytes_K, offsets, out_B)
        except IndexError as e:
            raise WeftValueError(str(e)) from None
        return out_B

    def add_pairs(self, a: tuple[U8, I64], b: tuple[U8, I64]) -> tuple[U32, U32]:
        """As ``add`` of a[0], b[0], a[1], …: numbers do not depend on how a file is cut into batches."""
        out_a, out_b = (np.empty(_count(*strings), np.uint32) for strings in (a, b))
        if len(out_a) != len(out_b):
            raise WeftValueError(f"Interner.add_pairs: {len(out_a)} and {len(out_b)} strings are no pairs")
        try:
            self._core.add_pairs(*a, *b, out_a, out_b)
        except IndexError as e:
            raise WeftValueError(str(e)) from None
        return out_a, out_b

    def find(self, bytes_K: U8, offsets: I64) -> I64:
        """The number of each string; int64 ``[B]``, -1 where it has none."""
        out_B = np.empty(_count(bytes_K, offsets), np.uint32)
        try:
            self._core.find(bytes_K, offsets, out_B)
        except IndexError as e:
            raise WeftValueError(str(e)) from None
        found_B = out_B.astype(np.int64)
        found_B[out_B == np.uint32(0xFFFFFFFF)] = -1
        return found_B

    def names(self) -> tuple[U8, I64]:
        """All strings in order of their numbers: uint8 ``[K]`` and int64 offsets ``[len + 1]``."""
        bytes_K, offsets = np.empty(self._core.bytes(), np.uint8), np.empty(len(self) + 1, np.int64)
        self._core.names(bytes_K, offsets)
        return bytes_K, offsets


def _count(bytes_K: U8, offsets: I64) -> int:
    for name, array, kind in (("bytes", bytes_K, np.uint8), ("offsets", offsets, np.int64)):
        if array.dtype != kind or array.ndim != 1 or not array.flags.c_contiguous:
            got = f"{array.dtype} {list(array.shape)}"
            raise WeftValueError(f"Interner: {name} must be contiguous {np.dtype(kind)} [B] (got {got})")
    if len(offsets) == 0:
        raise WeftValueError("Interner: offsets must hold one value more than there are strings (got none)")
    return len(offsets) - 1
