"""Links of a graph of events: learn from the past, ask for the future. The published protocol.

Shapes: E events, Q events of a batch, C negatives of each.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.eval import metrics
from weft.eval._pairs import Pairs
from weft.eval.negatives import OneVsMany
from weft.kernels.philox import philox_fill
from weft.rng import Op, key

__all__ = [
    "EventReport",
    "EventScores",
    "EventSplit",
    "LinkModel",
    "evaluate_events",
    "ranked",
    "split_events",
]

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


class LinkModel(Protocol):
    """What tells how likely events are, and takes in those that came."""

    def score(self, source: I64, target: I64, time: I64) -> npt.NDArray[np.floating]:
        """A finite number of each pair ``[K]`` at a time, higher where likelier. Changes nothing."""
        ...

    def observe(self, source: I64, target: I64, time: I64, eid: I64) -> None:
        """Take in events ``[Q]`` that have come."""
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EventSplit:
    """Events by time.

    Attributes:
        train: numbers of events to learn from, int64, in the order of time.
        val: to choose by.
        test: to be judged by.
        unseen: bool ``[E]``: an end of the event has no event in ``train``.
    """

    train: I64
    val: I64
    test: I64
    unseen: npt.NDArray[np.bool_]


def split_events(
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    val: float = 0.15,
    test: float = 0.15,
    hide: float = 0.0,
    seed: int = 0,
) -> EventSplit:
    """Cut at two quantiles of time, 70, 15 and 15 % when nothing is said; events of one time stay together.

    Args:
        source: nodes, integers ``[E]``.
        target: likewise.
        time: integers ``[E]``, in any order.
        val: share.
        test: share, the newest.
        hide: share of all nodes, drawn from those with events after training, whose events are taken out of
            training: TGN takes 0.1, so that there are unseen nodes to ask for (Rossi et al., 2020).
        seed: of the nodes hidden.

    Raises:
        WeftValueError: a share is out of range, or a part would be empty.
    """
    source, target, time = (np.asarray(a).astype(np.int64) for a in (source, target, time))
    if not (val >= 0 and test > 0 and val + test < 1 and 0 <= hide < 1):
        raise WeftValueError(f"split events: val, test and hide must be shares (got {val}, {test}, {hide})")
    order = np.argsort(time, kind="stable")
    rising = time[order]
    if len(time) == 0:
        raise WeftValueError("split events: there are none")
    # The quantile's event itself belongs to the part before it, as in TGB and DyGLib.
    cuts = [rising[int(share * (len(rising) - 1))] for share in (1 - val - test, 1 - test)]
    first, second = np.searchsorted(rising, cuts, side="right").tolist()
    train, middle, last = order[:first], order[first:second], order[second:]
    if not (len(train) and len(last)):
        raise WeftValueError(
            f"split events: {len(train)} to learn from and {len(last)} to test on; times must differ, and "
            "there must be more events"
        )
    nodes = int(max(source.max(), target.max())) + 1
    if hide:
        later = np.concatenate([middle, last])
        free = np.unique(np.concatenate([source[later], target[later]]))
        # The smallest of as many random words as there are nodes: a choice that no order changes.
        words = philox_fill(nodes, key(seed, Op.SPLIT))[free, 0]
        hidden = free[np.argsort(words, kind="stable")[: round(hide * nodes)]]
        train = train[~(np.isin(source[train], hidden) | np.isin(target[train], hidden))]
        if len(train) == 0:
            raise WeftValueError(f"split events: hide={hide} leaves nothing to learn from; give less")
    seen = np.zeros(nodes, bool)
    seen[source[train]] = seen[target[train]] = True
    return EventSplit(train=train, val=middle, test=last, unseen=~(seen[source] & seen[target]))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventScores:
    """What a part of the events came to.

    Attributes:
        ap: average precision of the events against one random negative each.
        auc: likewise.
        mrr: mean reciprocal rank of the target among its negatives, of equal scores the mean rank.
        events: how many.
    """

    ap: float
    auc: float
    mrr: float
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReport:
    """The result of :func:`evaluate_events`.

    Attributes:
        val: all events to choose by (transductive, as the literature says); None: there are none.
        test: all events to be judged by.
        unseen: those of ``test`` with a node that training had not (inductive); None: there are none.
        num_negatives: per event, for the MRR.
        historical: the share of them that may be historical.
        seed: of the negatives.
    """

    val: EventScores | None
    test: EventScores
    unseen: EventScores | None
    num_negatives: int
    historical: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"task": "events", **asdict(self)}


def evaluate_events(
    model: LinkModel,
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    time: npt.ArrayLike,
    split: EventSplit,
    *,
    eid: npt.ArrayLike | None = None,
    num_negatives: int = 100,
    historical: float = 0.5,
    batch_size: int = 200,
    seed: int = 0,
    observe_train: bool = True,
) -> EventReport:
    """Score the events after training, batch by batch: first score a batch, then let the model take it in.

    The AP and the AUC are those of the temporal-GNN literature, with one negative an event, drawn from all
    targets. The MRR is that of TGB, one against many, where historical negatives are from training.

    Args:
        model: has learned from ``split.train``.
        source: nodes, integers ``[E]``.
        target: likewise.
        time: integers ``[E]``.
        split: of the events.
        eid: ids that the model knows events by, int64 ``[E]``; None: their numbers.
        num_negatives: C.
        historical: the share of them that may be historical.
        batch_size: events that are scored before any of them is taken in.
        seed: of the negatives.
        observe_train: let the model take in the events of training first; False: it has.

    Raises:
        WeftValueError: a score is NaN, or an argument is out of range.
    """
    source, target, time = (np.asarray(a).astype(np.int64) for a in (source, target, time))
    ids = np.arange(len(time)) if eid is None else np.asarray(eid).astype(np.int64)
    if batch_size < 1:
        raise WeftValueError(f"batch_size must be at least 1 (got {batch_size})")
    history, candidates = Pairs(), np.unique(target)
    history.add(source[split.train], target[split.train], time[split.train])

    def observe(at: I64) -> None:
        model.observe(source[at], target[at], time[at], ids[at])

    for begin in range(0, len(split.train) if observe_train else 0, batch_size):
        observe(split.train[begin : begin + batch_size])
    later = np.concatenate([split.val, split.test])
    ends = source[later], target[later], time[later]
    more = {"history": history, "count": num_negatives, "historical": historical}
    many = OneVsMany(*ends, candidates, **more, seed=seed)
    one = OneVsMany(*ends, candidates, count=1, seed=seed)
    rank: list[npt.NDArray[np.float64]] = []
    true: list[npt.NDArray[np.floating]] = []
    false: list[npt.NDArray[np.floating]] = []
    for begin in range(0, len(later), batch_size):
        rows = slice(begin, min(begin + batch_size, len(later)))
        negative = np.concatenate([one.of(rows.start, rows.stop), many.of(rows.start, rows.stop)], axis=1)
        positive, against = ranked(model, ends[0][rows], ends[1][rows], ends[2][rows], negative)
        rank.append(metrics.ranks(positive, against[:, 1:]))
        true.append(positive)
        false.append(against[:, 0])
        observe(later[rows])
    parts = np.concatenate(rank), np.concatenate(true), np.concatenate(false)

    def scores(which: npt.NDArray[np.bool_]) -> EventScores | None:
        ranks, positive, negative = parts[0][which], parts[1][which], parts[2][which]
        negative = negative[negative > -np.inf]
        if not (len(positive) and len(negative)):
            return None
        return EventScores(
            ap=metrics.average_precision(positive, negative),
            auc=metrics.auc(positive, negative),
            mrr=metrics.mrr(ranks),
            events=len(positive),
        )

    tested = np.arange(len(later)) >= len(split.val)
    test = scores(tested)
    if test is None:
        raise WeftValueError("evaluate events: there is one target only, so that there are no negatives")
    return EventReport(
        val=scores(~tested),
        test=test,
        unseen=scores(tested & split.unseen[later]),
        num_negatives=num_negatives,
        historical=historical,
        seed=seed,
    )


def ranked(
    model: LinkModel, source: I64, target: I64, time: I64, negative: I64
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Scores of events and of their negatives, all asked for at once.

    Args:
        model: who scores.
        source: int64 ``[Q]``.
        target: int64 ``[Q]``.
        time: int64 ``[Q]``.
        negative: targets, int64 ``[Q, C]``, -1 for none.

    Returns:
        Scores ``[Q]`` and ``[Q, C]``, minus infinity for none.
    """
    every = np.concatenate([target[:, None], negative], axis=1)
    there = every >= 0
    row = np.nonzero(there)[0]
    found = np.asarray(model.score(source[row], every[there], time[row]))
    if found.shape != row.shape:
        raise WeftValueError(
            f"score must give a number for each of {len(row)} pairs (got {list(found.shape)})"
        )
    out = np.full(every.shape, -np.inf, np.result_type(found.dtype, np.float32))
    out[there] = found
    return out[:, 0], out[:, 1:]
