"""Prequential scores of a round, of several models on the same negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.eval import metrics
from weft.eval.events import ranked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.eval import LinkModel

__all__ = ["Scores"]

I64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]


class Scores:
    """Collects scores of events and of their negatives, batch by batch."""

    def __init__(self) -> None:
        self._rank: dict[str, list[npt.NDArray[np.float64]]] = {}
        self._true: dict[str, list[Floats]] = {}
        self._false: dict[str, list[Floats]] = {}
        self.events = 0

    def add(
        self, models: Mapping[str, LinkModel], source: I64, target: I64, time: I64, negative: I64
    ) -> None:
        """Score events int64 ``[B]`` and negatives int64 ``[B, C]``, -1 for none."""
        self.events += len(time)
        # Random ones come last, and where there are too few of them, none after them.
        some = np.flatnonzero(negative[:, 0] >= 0)
        last = (negative[some] >= 0).sum(axis=1) - 1
        for name, model in models.items():
            positive, against = ranked(model, source, target, time, negative)
            self._rank.setdefault(name, []).append(metrics.ranks(positive, against))
            self._true.setdefault(name, []).append(positive)
            self._false.setdefault(name, []).append(against[some, last])

    def found(self) -> dict[str, dict[str, float]]:
        """AP, AUC and MRR of each model; nothing where there were no events, or no negatives."""
        made: dict[str, dict[str, float]] = {}
        for name, parts in self._rank.items():
            true, false = np.concatenate(self._true[name]), np.concatenate(self._false[name])
            if len(true) and len(false):
                made[name] = {
                    "ap": metrics.average_precision(true, false),
                    "auc": metrics.auc(true, false),
                    "mrr": metrics.mrr(np.concatenate(parts)),
                }
        return made
