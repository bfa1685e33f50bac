"""How long a unit of work takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Times work.

    Attributes:
        seconds: to spend on each kind of work, at least.
    """

    seconds: float

    def each(self, work: Callable[[], int]) -> float:
        """Seconds that one of the things takes of which ``work`` does some and says how many."""
        work()  # pages are touched, threads are awake
        begun, done = time.perf_counter(), 0
        while True:
            done += max(1, work())
            if (elapsed := time.perf_counter() - begun) >= self.seconds:
                return elapsed / done
