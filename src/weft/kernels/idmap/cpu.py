"""External ids to dense nodes in the native core. Shapes: B ids given, N distinct ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["IdIndex", "IdSet", "narrow_ids"]

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
    """Where each of N rising ids stands.

    Nothing is kept for a range, a bitmap with ranks where ids fill a fair part of one; elsewhere a binary
    search begins by the high bits.

    Args:
        ids: int64 ``[N]``, strictly rising, borrowed; or N for the ids ``0 .. N-1``.

    Raises:
        WeftValueError: ids do not rise.
    """

    __slots__ = ("_index", "count", "is_range")

    def __init__(self, ids: I64 | int) -> None:
        try:
            self._index = _core.IdIndex(ids if isinstance(ids, int) else np.ascontiguousarray(ids))
        except ValueError as error:
            raise WeftValueError(str(error)) from None
        self.count = ids if isinstance(ids, int) else len(ids)
        self.is_range = isinstance(ids, int) or self.count == 0 or (ids[0] == 0 and ids[-1] == self.count - 1)

    def map(self, external: npt.NDArray[Any], out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """The nodes of ids that all exist; uint32 ``[B]``, or int64 where N > 2**32.

        Args:
            external: int64 or uint32 ``[B]``.
            out: where to put them.

        Raises:
            WeftValueError: an id is not there.
        """
        if out is None:
            out = np.empty(len(external), np.uint32 if self.count <= 1 << 32 else np.int64)
        try:
            self._index.map(external, out)
        except IndexError as error:
            raise WeftValueError(str(error)) from None
        return out

    def find(self, external: npt.ArrayLike) -> I64:
        """The nodes of ids, -1 for one that is not there; int64 ``[B]``."""
        given = np.ascontiguousarray(external, np.int64)
        out = np.empty(len(given), np.int64)
        self._index.find(given, out)
        return out


def narrow_ids(ids: I64) -> npt.NDArray[Any]:
    """The ids as uint32 ``[B]`` when all fit, else as they are."""
    out = np.empty(len(ids), np.uint32)
    return out if _core.narrow_ids(ids, out) else ids
