"""EdgeBank: an event will come if its pair came before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.checks import check_int
from weft.eval._pairs import NEVER, Pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EdgeBank"]


class EdgeBank:
    """Scores a pair 1 if it had an event, else 0; nothing is learned.

    Poursafaei, Huang, Pelrine, Rabbany: "Towards better evaluation for dynamic link prediction", NeurIPS
    2022.

    Args:
        window: None: an event at any time counts (EdgeBank of unlimited memory); else only one that is at
            most so much older than the time asked for (of a time window).
    """

    def __init__(self, window: int | None = None) -> None:
        self.window = None if window is None else check_int("window", window, 1)
        self._pairs = Pairs()

    def score(
        self, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike
    ) -> npt.NDArray[np.float32]:
        """1 or 0 of each pair ``[K]`` at a time; float32 ``[K]``."""
        count, last = self._pairs.find(source, target)
        there = count > 0
        if self.window is not None:
            # The subtraction of the oldest time there is would pass the end of int64.
            least = np.maximum(np.asarray(time, np.int64), NEVER + self.window) - self.window
            there &= last >= least
        return there.astype(np.float32)

    def observe(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        eid: npt.ArrayLike | None = None,
    ) -> None:
        """Take in events ``[E]``."""
        self._pairs.add(source, target, np.asarray(time, np.int64))

    def forget(self, source: npt.ArrayLike, target: npt.ArrayLike) -> None:
        """Let go of pairs ``[K]`` whose events were deleted."""
        self._pairs.forget(source, target)

    def expire(self, before: int) -> None:
        """Let go of pairs that had no event since a time."""
        self._pairs.expire(before)

    def state_dict(self) -> dict[str, Any]:
        """All that was taken in."""
        return self._pairs.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self._pairs.load_state_dict(state)
