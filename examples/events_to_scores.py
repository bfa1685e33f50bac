"""From a list of events to who meets whom next, in Python: append, train, score as more come.

    python examples/events_to_scores.py

The events are made here, so that the example runs by itself: users who come back to a few pages of their own
for a while, then turn to others. Put your own columns in their place. Needs ``weft[gnn]``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from weft.graph import TemporalGraph
from weft.nn.temporal import TGN, TemporalLinks
from weft.train import fit_events

USERS, PAGES = 60, 40
I64 = npt.NDArray[np.int64]


def visits(count: int = 4000) -> tuple[I64, I64, I64]:
    """User, page and time of each visit; the pages of a user change every thousand seconds or so."""
    rng = np.random.default_rng(0)
    time = np.sort(rng.integers(0, 10_000, count))
    user = rng.integers(0, USERS, count)
    favourite = (user * 7 + (time + 37 * user) // 1000 * 11) % PAGES
    page = np.where(rng.random(count) < 0.1, rng.integers(0, PAGES, count), favourite)
    return user, USERS + page, time


def main(epochs: int = 7) -> float:
    """Average precision on the newest events."""
    user, page, time = visits()
    graph = TemporalGraph()
    graph.append(user, page, time)
    torch.manual_seed(0)
    model = TemporalLinks(TGN(graph, 32, time_dim=16), lr=5e-3)
    reports = [epoch.report for epoch in fit_events(model, epochs=epochs, batch_size=50)]
    for number, report in enumerate(reports, 1):
        assert report is not None
        print(f"epoch {number}: average precision on the newest events {report.test.ap:.3f}")
    # New events come: score them, learn from them, take them in.
    now = np.array([int(time[-1]) + 1])
    candidates = USERS + np.arange(PAGES)
    scores = model.score(np.full(PAGES, user[-1]), candidates, np.repeat(now, PAGES))
    print(f"user {user[-1]} goes most likely to page {candidates[scores.argmax()]}")
    graph.append(user[-1:], page[-1:], now)
    model.learn(user[-1:], page[-1:], now)
    model.observe(user[-1:], page[-1:], now)
    assert reports[-1] is not None
    return reports[-1].test.ap


if __name__ == "__main__":
    main()
