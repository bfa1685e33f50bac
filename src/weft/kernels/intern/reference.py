"""The interner in plain Python: the definition.

Shapes: B strings of a batch, K bytes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Interner"]

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]


class Interner:
    """As ``cpu.Interner``."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, bytes_K: U8, offsets: I64) -> U32:
        """The number of each string; uint32 ``[B]``."""
        return np.array([self._number(s) for s in _unpack(bytes_K, offsets)], np.uint32)

    def add_pairs(self, a: tuple[U8, I64], b: tuple[U8, I64]) -> tuple[U32, U32]:
        """The numbers of two columns, given row by row."""
        rows = zip(_unpack(*a), _unpack(*b), strict=True)
        numbers_B2 = np.array([(self._number(x), self._number(y)) for x, y in rows], np.uint32).reshape(-1, 2)
        return numbers_B2[:, 0], numbers_B2[:, 1]

    def find(self, bytes_K: U8, offsets: I64) -> I64:
        """The number of each string; int64 ``[B]``, -1 where it has none."""
        return np.array([self._numbers.get(s, -1) for s in _unpack(bytes_K, offsets)], np.int64)

    def names(self) -> tuple[U8, I64]:
        """All strings in order of their numbers."""
        offsets: I64 = np.zeros(len(self) + 1, np.int64)
        np.cumsum([len(s) for s in self._numbers], out=offsets[1:])
        return np.frombuffer(b"".join(self._numbers), np.uint8), offsets

    def _number(self, string: bytes) -> int:
        return self._numbers.setdefault(string, len(self._numbers))


def _unpack(bytes_K: U8, offsets: I64) -> list[bytes]:
    data = bytes_K.tobytes()
    return [data[begin:end] for begin, end in pairwise(offsets.tolist())]
