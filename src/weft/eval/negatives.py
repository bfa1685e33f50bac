"""Negatives of events: for each, other targets that its source did not meet at that time.

Shapes: E events, Q queries, C negatives of each, N candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.checks import check_int, check_real
from weft.errors import WeftValueError
from weft.kernels.philox import philox_fill
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.eval._pairs import Pairs

__all__ = ["OneVsMany"]

I64 = npt.NDArray[np.int64]


class OneVsMany:
    """Draws negatives as TGB does (Huang et al., "Temporal Graph Benchmark", NeurIPS 2023).

    Up to a share of the negatives of an event are targets its source had before (*historical*); the others
    are drawn from the candidates its source never had (*random*). None is drawn twice for an event, and none
    is the target of an event with the same source and time. Negatives depend on the seed and the number
    of the event alone.

    Args:
        source: of the events, integers ``[E]``.
        target: likewise.
        time: likewise.
        candidates: nodes that can be targets, int64 ``[N]``, strictly rising.
        history: pairs from before; None: all negatives are random.
        count: C, negatives of an event.
        historical: the share that may be historical, 0 to 1.
        seed: of the draws.
        first: the number of the first event.

    Raises:
        WeftValueError: arrays differ in length, candidates do not rise, or a number is out of range.
    """

    def __init__(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        candidates: npt.ArrayLike,
        *,
        history: Pairs | None = None,
        count: int = 100,
        historical: float = 0.5,
        seed: int = 0,
        first: int = 0,
    ) -> None:
        self.count = check_int("count", count, 1)
        share = check_real("historical", historical, least=0)
        if share > 1:
            raise WeftValueError(f"historical must be at most 1 (got {share:g})")
        self._most = int(self.count * share) if history is not None else 0
        self._history, self._first, self._key = history, first, key(seed, Op.EVENT_NEGATIVE)
        arrays = [np.asarray(column).astype(np.int64) for column in (source, target, time)]
        self._source, self._target, self._time = arrays
        if len({len(column) for column in arrays}) > 1:
            raise WeftValueError(
                f"negatives: arrays differ in length ({', '.join(str(len(a)) for a in arrays)})"
            )
        self._candidates = np.asarray(candidates).astype(np.int64)
        if np.any(self._candidates[1:] <= self._candidates[:-1]):
            raise WeftValueError("negatives: candidates must rise strictly; give np.unique of them")
        # Events of the same source and time share a group, and so what they must not draw.
        order = np.lexsort((self._target, self._time, self._source))
        s, t = self._source[order], self._time[order]
        new = np.concatenate([[True], (s[1:] != s[:-1]) | (t[1:] != t[:-1])])[: len(s)]
        self._begin = np.append(np.flatnonzero(new), len(s))
        self._group = np.empty(len(s), np.int64)
        self._group[order] = np.cumsum(new) - 1
        self._sorted = self._target[order]

    def __len__(self) -> int:
        return len(self._source)

    def of(self, begin: int, end: int) -> I64:
        """Negatives of the events ``begin .. end``: int64 ``[Q, C]``, historical first, -1 for none left."""
        # What a source had before is listed once for all of its events, which may be very many.
        source_U, which_Q = np.unique(self._source[begin:end], return_inverse=True)
        out = np.full((len(which_Q), self.count), -1, np.int64)
        past_row, past = (which_Q[:0], which_Q[:0]) if self._history is None else self._partners(source_U)
        # Events of one source and time share what they must not draw; they may be thousands, too.
        group_G, first_Q, with_Q = np.unique(self._group[begin:end], return_index=True, return_inverse=True)
        which_G = which_Q[first_Q]
        own_row, own = self._own(group_G)
        key, past_key = _joined(which_G[own_row], own), _joined(past_row, past)
        at = np.searchsorted(past_key, key)
        had = np.isin(key, past_key)
        if self._most:
            first_U, left_U = _rows(past_row, len(source_U))
            barred = own_row[had], (at - first_U[which_G[own_row]])[had]
            left = (left_U[which_G] - np.bincount(barred[0], minlength=len(group_G)))[with_Q]
            drawn = _distinct(
                left, np.minimum(left, self._most), self._most, self._key, self._first + begin, 0
            )
            row, column = np.nonzero(drawn >= 0)
            place = _skip(with_Q[row], drawn[row, column], *barred, len(past))
            out[row, column] = past[first_U[which_Q[row]] + place]
        used = (out >= 0).sum(axis=1)
        n = len(self._candidates)
        past_row, past = self._places(past_row, past)
        own_row, own = self._places(own_row[~had], own[~had])
        first_U, barred_U = _rows(past_row, len(source_U))
        mine = which_G[own_row]
        # Among the candidates that the source never had, an own target comes so many places earlier.
        before = np.searchsorted(past_row * (n + 1) + past, mine * (n + 1) + own) - first_U[mine]
        left = (n - barred_U[which_G] - np.bincount(own_row, minlength=len(group_G)))[with_Q]
        wanted = np.minimum(left, self.count - used)
        drawn = _distinct(left, wanted, self.count, self._key, self._first + begin, 1)
        row, column = np.nonzero(drawn >= 0)
        place = _skip(with_Q[row], drawn[row, column], own_row, own - before, n)
        place = _skip(which_Q[row], place, past_row, past, n)
        out[row, column + used[row]] = self._candidates[place]
        return out

    def _partners(self, source_U: I64) -> tuple[I64, I64]:
        assert self._history is not None
        return self._history.partners(source_U)

    def _own(self, group_G: I64) -> tuple[I64, I64]:
        """Targets of the events of groups, once each, rising: numbers of groups, and targets."""
        size = self._begin[group_G + 1] - self._begin[group_G]
        at = np.repeat(self._begin[group_G] - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
        row, target = np.repeat(np.arange(len(group_G)), size), self._sorted[at]  # rising in each
        new = np.append(True, (row[1:] != row[:-1]) | (target[1:] != target[:-1]))[: len(row)]
        return row[new], target[new]

    def _places(self, row: I64, node: I64) -> tuple[I64, I64]:
        """Where nodes are among the candidates; those that are none are left out."""
        at = np.searchsorted(self._candidates, node)
        inside = at < len(self._candidates)
        inside[inside] = self._candidates[at[inside]] == node[inside]
        return row[inside], at[inside]


def _distinct(n_Q: I64, k_Q: I64, width: int, philox_key: int, first: int, lane: int) -> I64:
    """Of each query's ``n`` numbers ``k`` different ones, by Floyd's method; int64 ``[Q, width]``, -1 else.

    Bentley, Floyd: "A sample of brilliance", Communications of the ACM 30 (1987).
    """
    out = np.full((len(n_Q), width), -1, np.int64)
    words = np.empty((0, 4), np.uint32)
    for j in range(int(k_Q.max(initial=0))):
        if j % 4 == 0:
            words = philox_fill(len(n_Q), philox_key, first, j // 4, lane)
        top = n_Q - k_Q + j
        drawn = ((words[:, j % 4].astype(np.uint64) * (top + 1).astype(np.uint64)) >> np.uint64(32)).astype(
            np.int64
        )
        drawn = np.where((out[:, :j] == drawn[:, None]).any(axis=1), top, drawn)
        out[:, j] = np.where(j < k_Q, drawn, -1)
    return out


def _skip(rows: I64, rank: I64, barred_row: I64, barred: I64, n: int) -> I64:
    """Of each row's free numbers 0 .. n-1, the one of a rank; the barred ones rise by row and number."""
    begin = _rows(barred_row, int(rows.max(initial=-1)) + 1)[0]
    # A barred number less those before it: how many free ones precede it.
    free_before = barred - (np.arange(len(barred)) - begin[barred_row])
    passed = np.searchsorted(barred_row * (n + 1) + free_before, rows * (n + 1) + rank, side="right")
    return rank + passed - begin[rows]


def _rows(row: I64, count: int) -> tuple[I64, I64]:
    """Where each of so many rows begins, and how long it is."""
    size = np.bincount(row, minlength=count)
    return np.cumsum(size) - size, size


def _joined(row: I64, node: I64) -> I64:
    """(row, node) as numbers that rise by row, then by node."""
    return (row << 32) | node
