"""What is known of nodes: how often they met anyone, and when last. Shapes: E events, K nodes asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.eval._pairs import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Nodes"]

I64 = npt.NDArray[np.int64]


class Nodes:
    """Counts and newest times of nodes 0, 1, 2, …, of which more may come."""

    def __init__(self) -> None:
        self._count, self._last = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def add(self, node: npt.ArrayLike, time: I64) -> None:
        """Take in nodes of events, ``[E]`` each."""
        node = np.asarray(node).astype(np.int64)
        if len(node) == 0:
            return
        if (most := int(node.max()) + 1) > len(self._count):
            more = max(most, 2 * len(self._count)) - len(self._count)
            self._count = np.concatenate([self._count, np.zeros(more, np.int64)])
            self._last = np.concatenate([self._last, np.full(more, NEVER, np.int64)])
        np.add.at(self._count, node, 1)
        np.maximum.at(self._last, node, time)

    def find(self, node: npt.ArrayLike) -> tuple[I64, I64]:
        """How many events nodes ``[K]`` have, and when the newest was (NEVER without one); int64 ``[K]``."""
        node = np.asarray(node).astype(np.int64)
        known = node < len(self._count)
        count, last = np.zeros(len(node), np.int64), np.full(len(node), NEVER, np.int64)
        count[known], last[known] = self._count[node[known]], self._last[node[known]]
        return count, last

    def seen(self) -> I64:
        """Nodes that have an event, rising."""
        return np.flatnonzero(self._count)

    def forget(self, node: npt.ArrayLike) -> None:
        """Let go of all that nodes ``[K]`` had."""
        node = np.asarray(node).astype(np.int64)
        node = node[node < len(self._count)]
        self._count[node], self._last[node] = 0, NEVER

    def state_dict(self) -> dict[str, Any]:
        """Nodes as arrays, as long as the largest node asks for."""
        size = int(self.seen()[-1]) + 1 if self._count.any() else 0
        return {"count": self._count[:size].copy(), "last": self._last[:size].copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self._count, self._last = (np.array(state[name], np.int64) for name in ("count", "last"))
