"""Logistic regression on what two nodes did lately: a model that learns, in NumPy alone.

Shapes: P pairs, K events of a node, F features, U nodes at times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.checks import check_int, check_real
from weft.sampling.temporal import unique_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.graph import TemporalGraph

__all__ = ["NeighborLogistic"]

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

_FEATURES = 9
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # of Adam (Kingma, Ba, ICLR 2015)


class NeighborLogistic:
    """Tells events from other pairs by the K newest events of both nodes from before.

    Features of a pair: whether the two met among these, how lately and how often; how lately each of them had
    any event and how many; and how many nodes both of them met. Lateness and counts as in
    :class:`weft.eval.CountRecency`. All come from the graph, strictly from before the time asked for, so past
    events can be learned again as they were, and what is deleted or expires is gone.

    Args:
        graph: that the run keeps.
        neighbors: K.
        learning_rate: of Adam.
    """

    def __init__(self, graph: TemporalGraph, *, neighbors: int = 20, learning_rate: float = 0.02) -> None:
        self._graph, self._neighbors = graph, check_int("neighbors", neighbors, 1)
        self._rate = check_real("learning_rate", learning_rate, above=0)
        self.weights = np.zeros(_FEATURES)
        self._moments = np.zeros((2, _FEATURES))
        self._steps = 0
        self._events, self._first, self._last = 0, 0, 0

    def score(self, source: I64, target: I64, time: I64) -> npt.NDArray[np.float32]:
        """Log-odds of pairs at times, float32 ``[P]``; changes nothing."""
        return (self._features(source, target, time) * self.weights).sum(axis=1).astype(np.float32)

    def learn(self, source: I64, target: I64, time: I64, negative: I64) -> float:
        """A step on the cross-entropy of events and of as many pairs that are none; the loss."""
        features = np.concatenate([self._features(source, end, time) for end in (target, negative)])
        wanted = np.repeat([1.0, 0.0], len(source))
        odds = (features * self.weights).sum(axis=1)
        told = 0.5 * (1 + np.tanh(0.5 * odds))
        gradient = ((told - wanted)[:, None] * features).mean(axis=0)
        self._steps += 1
        for moment, value, beta in zip(self._moments, (gradient, gradient**2), (_BETA1, _BETA2), strict=True):
            moment *= beta
            moment += (1 - beta) * value
        mean, square = (
            self._moments[0] / (1 - _BETA1**self._steps),
            self._moments[1] / (1 - _BETA2**self._steps),
        )
        self.weights -= self._rate * mean / (np.sqrt(square) + _EPSILON)
        return float(np.logaddexp(0, np.where(wanted > 0, -odds, odds)).mean())

    def observe(self, source: I64, target: I64, time: I64, eid: I64) -> None:
        """Take note of how fast events come."""
        if len(time) == 0:
            return
        ends = (int(time.min()), int(time.max()))
        self._first = min(self._first, ends[0]) if self._events else ends[0]
        self._last = max(self._last, ends[1]) if self._events else ends[1]
        self._events += len(time)

    def reset(self) -> None:
        """Forget what was observed; what was learned stays."""
        self._events, self._first, self._last = 0, 0, 0

    def _features(self, source: I64, target: I64, time: I64) -> F64:
        nodes, times, of = unique_pairs(np.concatenate([source, target]), np.concatenate([time, time]))
        near, when = self._near(nodes, times)
        a, b = of[: len(source)], of[len(source) :]
        met = near[a] == target[:, None]
        there = met.any(axis=1)
        age = np.where(there, time - when[a, met.argmax(axis=1)], np.inf)
        common = ((near[a][:, :, None] == near[b][:, None, :]) & (near[a] >= 0)[:, :, None]).any(axis=2)
        last = [np.where(near[end, 0] >= 0, time - when[end, 0], np.inf) for end in (a, b)]
        size = [(near[end] >= 0).sum(axis=1) for end in (a, b)]
        gap = max(1.0, (self._last - self._first) / max(1, self._events))
        fresh = [1 / (1 + np.log1p(np.maximum(one, 0) / gap)) for one in (age, *last)]
        often = [1 - 1 / (1 + np.log1p(one)) for one in (met.sum(axis=1), *size, common.sum(axis=1))]
        return np.stack([np.ones(len(time)), there, *fresh, *often], axis=1, dtype=np.float64)

    def _near(self, nodes: I64, times: I64) -> tuple[I64, F64]:
        """Other ends and times of the newest events of nodes, ``[U, K]`` each, newest first; -1 for none."""
        near = np.full((len(nodes), self._neighbors), -1, np.int64)
        when = np.zeros((len(nodes), self._neighbors))
        known = np.flatnonzero(nodes < self._graph.num_nodes)
        found = self._graph.rows.sample(nodes[known], times[known], self._neighbors)
        size = np.bincount(found.row, minlength=len(known))
        column = np.arange(len(found.row)) - np.repeat(np.cumsum(size) - size, size)
        near[known[found.row], column], when[known[found.row], column] = found.node, found.time
        return near, when

    def state_dict(self) -> dict[str, Any]:
        """All but the graph."""
        at = [self._steps, self._events, self._first, self._last]
        return {"weights": self.weights.copy(), "moments": self._moments.copy(), "at": at}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.weights, self._moments = np.array(state["weights"]), np.array(state["moments"])
        self._steps, self._events, self._first, self._last = state["at"]
