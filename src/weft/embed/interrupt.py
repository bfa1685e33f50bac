"""Ctrl-C and SIGTERM as a wish that is granted when the state can be saved."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Interrupts"]


class Interrupts:
    """While inside, the first SIGINT or SIGTERM is noted, and the second does what it always does.

    A signal that the process ignores stays ignored. Outside the main thread, where Python hands no signals,
    nothing is noted.

    Args:
        unit: of the work that is done before the state can be saved.
    """

    def __init__(self, unit: str = "pool") -> None:
        self._say = f"\nstopping when the {unit} is trained and a checkpoint written; again: at once, without"
        self.asked: int | None = None
        """The signal that came."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = number
        self._restore()
        os.write(2, f"{self._say}\n".encode())  # a handler may have come in the middle of a print

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
