"""Tables around others that fail, or take their time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from weft.errors import StorageError
from weft.features.table import Array, Background, FeatureTable, Ticket

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FaultyTable", "SlowTable"]


class _Around:
    """A table that hands everything on."""

    def __init__(self, base: FeatureTable) -> None:
        self._base, self._background = base, Background()

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return self._base.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        return self._base.dtype

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`."""
        return self._base.take(ids, out)

    def submit(self, ids: Array, out: Array | None = None) -> Ticket:
        """As in :class:`weft.features.FeatureTable`."""
        return self._background.submit(self.take, ids, out)

    def close(self) -> None:
        """As in :class:`weft.features.FeatureTable`."""
        self._background.close()
        self._base.close()


class FaultyTable(_Around):
    """Fails now and then, as a disk that dies does.

    Args:
        base: what it is put around.
        fail_at: numbers of the calls of :meth:`take`, from 0, that raise.
        error: what they raise; by default a :class:`weft.errors.StorageError`.
    """

    def __init__(
        self, base: FeatureTable, fail_at: set[int] | frozenset[int], error: Exception | None = None
    ) -> None:
        super().__init__(base)
        self._fail_at, self._error = frozenset(fail_at), error
        self._lock = threading.Lock()
        self.calls = 0
        """How often rows were asked for."""

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`, unless it is time to fail."""
        with self._lock:
            call, self.calls = self.calls, self.calls + 1
        if call in self._fail_at:
            raise self._error or StorageError(f"features: made to fail at call {call}")
        return super().take(ids, out)


class SlowTable(_Around):
    """Takes so long, as a disk far away does.

    Args:
        base: what it is put around.
        seconds: of every call.
        seconds_per_row: and of every row of it.
    """

    def __init__(self, base: FeatureTable, seconds: float = 0.0, seconds_per_row: float = 0.0) -> None:
        super().__init__(base)
        self._seconds, self._per_row = seconds, seconds_per_row

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """As in :class:`weft.features.FeatureTable`, later."""
        time.sleep(self._seconds + self._per_row * len(ids))
        return super().take(ids, out)
