"""What is known of pairs of nodes: how often they met, and when last.

Shapes: E events, K pairs asked for, Q queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NEVER", "Pairs"]

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

NEVER = int(np.iinfo(np.int64).min)
"""The time of what has not happened."""
_HALF = np.uint64(32)


class _Run(NamedTuple):
    """Pairs in rising order: ``source << 32 | target``, how many events, the time of the newest."""

    pair: U64
    count: I64
    last: I64

    def take(self, which: npt.NDArray[Any]) -> _Run:
        """Some of the pairs."""
        return _Run(self.pair[which], self.count[which], self.last[which])


def keys(source: npt.ArrayLike, target: npt.ArrayLike) -> U64:
    """Pairs as numbers that rise by source, then by target; uint64 ``[E]``."""
    return (np.asarray(source).astype(np.uint64) << _HALF) | np.asarray(target).astype(np.uint64)


class Pairs:
    """Counts and newest times of pairs.

    Sorted runs, each at least twice as long as the next, so that an event is moved a logarithmic number of
    times and a pair found by as many searches. What is told does not depend on how events were cut up.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def add(self, source: npt.ArrayLike, target: npt.ArrayLike, time: I64) -> None:
        """Take in events, ``[E]`` each."""
        if len(time) == 0:
            return
        run = _merged([_Run(keys(source, target), np.ones(len(time), np.int64), time)])
        while self._runs and len(self._runs[-1].pair) < 2 * len(run.pair):
            run = _merged([self._runs.pop(), run])
        self._runs.append(run)

    def find(self, source: npt.ArrayLike, target: npt.ArrayLike) -> tuple[I64, I64]:
        """How many events pairs ``[K]`` have, and when the newest was (NEVER without one); int64 ``[K]``."""
        asked = keys(source, target)
        count, last = np.zeros(len(asked), np.int64), np.full(len(asked), NEVER, np.int64)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run.pair, asked), len(run.pair) - 1)
            hit = np.flatnonzero(run.pair[at] == asked)
            count[hit] += run.count[at[hit]]
            last[hit] = np.maximum(last[hit], run.last[at[hit]])
        return count, last

    def forget(self, source: npt.ArrayLike, target: npt.ArrayLike) -> None:
        """Let go of all that pairs ``[K]`` had."""
        gone = keys(source, target)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run.pair, gone), len(run.pair) - 1)
            at = at[run.pair[at] == gone]
            # Left where it is, and dropped when runs are merged: a pair costs a search.
            run.count[at], run.last[at] = 0, NEVER

    def expire(self, before: int) -> None:
        """Let go of the pairs whose newest event is from before a time."""
        run = _merged(self._runs)
        kept = run.last >= before
        self._runs = [run.take(kept)] if kept.any() else []

    def partners(self, source: npt.ArrayLike) -> tuple[I64, I64]:
        """The targets that sources ``[Q]`` had: numbers of queries, rising, and targets, rising in each."""
        first = np.asarray(source).astype(np.uint64) << _HALF
        row: list[I64] = [np.empty(0, np.int64)]
        target: list[I64] = [np.empty(0, np.int64)]
        for run in self._runs:
            begin = np.searchsorted(run.pair, first)
            size = np.searchsorted(run.pair, first | np.uint64(0xFFFFFFFF), side="right") - begin
            at = np.repeat(begin - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
            there = run.count[at] > 0
            at = at[there]
            row.append(np.repeat(np.arange(len(first)), size)[there])
            target.append((run.pair[at] & np.uint64(0xFFFFFFFF)).astype(np.int64))
        both = np.unique(keys(np.concatenate(row), np.concatenate(target)))
        return (both >> _HALF).astype(np.int64), (both & np.uint64(0xFFFFFFFF)).astype(np.int64)

    def state_dict(self) -> dict[str, Any]:
        """All pairs as arrays."""
        run = _merged(self._runs)
        return {"pair": run.pair, "count": run.count, "last": run.last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        run = _Run(np.asarray(state["pair"]), np.asarray(state["count"]), np.asarray(state["last"]))
        self._runs = [run] if len(run.pair) else []


def _merged(runs: list[_Run]) -> _Run:
    """One run of several, a pair once."""
    if not runs:
        return _Run(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
    every = np.concatenate([run.pair for run in runs])
    order = np.argsort(every, kind="stable")
    pair = every[order]
    count = np.concatenate([run.count for run in runs])[order]
    last = np.concatenate([run.last for run in runs])[order]
    if len(pair) == 0:
        return runs[0]
    begin = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]]))
    run = _Run(pair[begin], np.add.reduceat(count, begin), np.maximum.reduceat(last, begin))
    return run if run.count.all() else run.take(run.count > 0)
