"""Counts and recency: what came often and lately comes again. Nothing is learned; few models beat it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.eval._nodes import Nodes
from weft.eval._pairs import NEVER, Pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CountRecency", "history"]

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

_REVERSE, _TARGET, _COUNT = 0.5, 0.1, 0.01


class CountRecency:
    """Scores a pair by when it, its reverse and its target last had an event, and how many.

    With ``age`` the time since the newest event (infinite without one), ``n`` the number of events, ``g`` the
    mean time between events of the stream so far, r(age) = 1 / (1 + log(1 + age / g)) and
    c(n) = log(1 + n) / (1 + log(1 + n))::

        score = r(age of pair) + 0.5 r(age of reverse) + 0.1 r(age of target as a target)
              + 0.01 c(n of pair) + 0.001 c(n of target)

    so that the recency of the pair decides, then that of the target; counts tell equal ages apart. No number
    in it depends on the unit of time. That such a rule is second among the models on two data sets of
    TGB, and that recency and popularity alone go far, is known (Poursafaei et al., NeurIPS 2022; Daniluk,
    Dąbrowski: "Temporal graph models fail to capture global temporal dynamics", 2023).
    """

    def __init__(self) -> None:
        self._pairs, self._targets = Pairs(), Nodes()
        self._events, self._first, self._last = 0, 0, 0

    @property
    def gap(self) -> float:
        """The mean time between events so far."""
        return max(1.0, (self._last - self._first) / max(1, self._events))

    def score(
        self, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike
    ) -> npt.NDArray[np.float32]:
        """A number of each pair ``[K]`` at a time, higher where an event is likelier; float32 ``[K]``."""
        count, age = history(self, source, target, time)
        fresh = 1 / (1 + np.log1p(age / self.gap))
        often = 1 - 1 / (1 + np.log1p(count))
        score = fresh[0] + _REVERSE * fresh[1] + _TARGET * fresh[2]
        return (score + _COUNT * (often[0] + _TARGET * often[2])).astype(np.float32)

    def observe(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        eid: npt.ArrayLike | None = None,
    ) -> None:
        """Take in events ``[E]``."""
        at = np.asarray(time, np.int64)
        if len(at) == 0:
            return
        self._first = int(at.min()) if self._events == 0 else min(self._first, int(at.min()))
        self._last = int(at.max()) if self._events == 0 else max(self._last, int(at.max()))
        self._events += len(at)
        self._pairs.add(source, target, at)
        self._targets.add(target, at)

    def forget(self, source: npt.ArrayLike, target: npt.ArrayLike) -> None:
        """Let go of pairs ``[K]`` whose events were deleted."""
        self._pairs.forget(source, target)

    def expire(self, before: int) -> None:
        """Let go of pairs that had no event since a time."""
        self._pairs.expire(before)

    def state_dict(self) -> dict[str, Any]:
        """All that was taken in."""
        at = np.array([self._events, self._first, self._last], np.int64)
        return {"pairs": self._pairs.state_dict(), "targets": self._targets.state_dict(), "at": at}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self._pairs.load_state_dict(state["pairs"])
        self._targets.load_state_dict(state["targets"])
        self._events, self._first, self._last = np.asarray(state["at"]).tolist()


def history(
    of: CountRecency, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike
) -> tuple[F64, F64]:
    """Events of pairs, of their reverses and of their targets, and the age of the newest.

    Args:
        of: what was taken in.
        source: nodes, integers ``[K]``.
        target: likewise.
        time: what ages are counted to, integers ``[K]``.

    Returns:
        Numbers and ages, float64 ``[3, K]`` each; the age is infinite where there is no event.
    """
    at = np.asarray(time, np.int64).astype(np.float64)
    found = [of._pairs.find(source, target), of._pairs.find(target, source), of._targets.find(target)]
    count, last = (np.stack(column) for column in zip(*found, strict=True))
    return count.astype(np.float64), np.where(last == NEVER, np.inf, np.maximum(at - last, 0))
