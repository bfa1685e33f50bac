"""External ids to dense nodes in the native core. Shapes: B ids given, N distinct ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["IdIndex", "IdSet"]

I64 = npt.NDArray[np.int64]


class IdSet:
    """Collects distinct integer ids: a bit each in a compact range from 0, a place in a hash table elsewhere.

    Args:
        max_bitmap: bytes that the bits may take; ids beyond go to the hash table.
    """

    __slots__ = ("_set",)

    def __init__(self, max_bitmap: int = 1 << 29) -> None:
        self._set = _core.IdSet(max_bitmap)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._set.bytes()

    def add(self, ids: npt.NDArray[Any]) -> None:
        """Add ids; int64 or uint32 ``[B]``."""
        self._set.add(ids)

    def finish(self) -> I64:
        """The distinct ids, rising; int64 ``[N]``. The set is then empty."""
        out = np.empty(self._set.finish(), np.int64)
        self._set.write(out)
        self._set = _core.IdSet(0)
        return out


class IdIndex:
    """Where each of N rising ids stands: nothing for a range, a bitmap with ranks where ids fill a fair
    part of one, else a binary search that begins by the high bits.

    Args:
        ids: int64 ``[N]``, strictly rising; borrowed.

    Raises:
        WeftValueError: ids do not rise.
    """  # noqa: D205

    __slots__ = ("_index", "_node", "is_range")

    def __init__(self, ids: I64) -> None:
        try:
            self._index = _core.IdIndex(np.ascontiguousarray(ids))
        except ValueError as error:
            raise WeftValueError(str(error)) from None
        self.is_range = len(ids) == 0 or (int(ids[0]) == 0 and int(ids[-1]) == len(ids) - 1)
        self._node = np.uint32 if len(ids) <= 1 << 32 else np.int64

    def map(self, external: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The nodes of ids that all exist; uint32 ``[B]``, or int64 where N > 2**32.

        Args:
            external: int64 or uint32 ``[B]``.

        Raises:
            WeftValueError: an id is not there.
        """
        out = np.empty(len(external), self._node)
        try:
            self._index.map(external, out)
        except IndexError as error:
            raise WeftValueError(str(error)) from None
        return out

    def find(self, external: I64) -> I64:
        """The nodes of ids, -1 for one that is not there; int64 ``[B]``."""
        out = np.empty(len(external), np.int64)
        self._index.find(np.ascontiguousarray(external, np.int64), out)
        return out
