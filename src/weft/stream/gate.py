"""One thread that changes a state, and others that ask it between two changes."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Gate"]

_PATIENCE = 0.05  # seconds that a stream of questions may hold the writer up


class Gate:
    """A lock that questions get before the next change: a bare one would go to the writer again and again."""

    def __init__(self) -> None:
        self._lock, self._turn, self._asking = threading.Lock(), threading.Condition(), 0

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """The state stands still."""
        with self._turn:
            self._asking += 1
        try:
            with self._lock:
                yield
        finally:
            with self._turn:
                self._asking -= 1
                self._turn.notify_all()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody asks."""
        with self._turn:
            self._turn.wait_for(lambda: self._asking == 0, timeout=_PATIENCE)
        with self._lock:
            yield
