"""The live state: graph, models, and what a round does to them.

Shapes: E events of a round, B of a batch.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.eval import CountRecency, EdgeBank, OneVsMany
from weft.eval._nodes import Nodes
from weft.eval._pairs import Pairs
from weft.graph.temporal import TemporalGraph
from weft.kernels.philox import philox_fill
from weft.rng import Op, key
from weft.stream.batch import ADD, NO_ID
from weft.stream.gate import Gate
from weft.stream.ids import NodeIds
from weft.stream.models import Make, can
from weft.stream.scores import Scores
from weft.stream.watermark import Columns, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from weft.graph._events import Events
    from weft.stream.settings import Settings

__all__ = ["Live"]

I64 = npt.NDArray[np.int64]
_EVER = int(np.iinfo(np.int64).max)
_ALL = (1 << 31) - 1  # events of a node


class Live:
    """A graph and the models that are kept current with it.

    A batch of events is appended, scored, learned from and observed, in this order: neighbours are strictly
    from before each event, and memories and weights know nothing of it when it is scored. Deletions of a
    batch follow.

    Args:
        make: makes the model.
        settings: of the run.
    """

    def __init__(self, make: Make, settings: Settings) -> None:
        self.settings, self._make, self.gate = settings, make, Gate()
        self.ids = NodeIds(bipartite=settings.bipartite)
        self.graph = TemporalGraph(directed=settings.directed)
        self.model = self._made()
        self.baselines: dict[str, Any] = {"edgebank": EdgeBank(), "heuristic": CountRecency()}
        self._met, self._targets = Pairs(), Nodes()
        self.newest: int | None = None
        """The time of the newest event."""
        self.events, self.steps = 0, 0
        """Events that were taken in ever, and steps of learning."""

    def _made(self) -> Any:  # noqa: ANN401
        knew = "torch" in sys.modules
        self._seed(0)
        made = self._make(self.graph)
        if "torch" in sys.modules and not knew:  # making it brought torch in: its weights were not seeded
            self._seed(0)
            made = self._make(self.graph)
        return made

    def _seed(self, step: int) -> None:
        """Torch's generator as a function of the step, so that it is no state."""
        if (torch := sys.modules.get("torch")) is not None:
            torch.manual_seed(int(philox_fill(1, key(self.settings.seed, Op.DROPOUT), first=step)[0, 0]))

    @property
    def models(self) -> dict[str, Any]:
        """The model and the baselines."""
        return {"model": self.model, **self.baselines}

    def round(self, events: Columns, *, score: bool, learn: bool) -> tuple[dict[str, Any], list[int]]:
        """Work through events.

        Args:
            events: source, target, time, eid and op, in the order of time.
            score: score them first.
            learn: learn from them and from the past.

        Returns:
            Figures of the round, and the rows of deletions that found nothing to take out.
        """
        add = np.flatnonzero(events["op"] == ADD)
        negatives = self._negatives(rows(events, add)) if score else None
        scores, losses, lost, deleted = Scores(), list[float](), list[int](), 0
        size, done = self.settings.batch_size, 0
        for begin in range(0, len(events["op"]), size):
            batch = rows(events, slice(begin, begin + size))
            adds = rows(batch, batch["op"] == ADD)
            count = len(adds["time"])
            if count:
                with self.gate.changing():
                    self._append(adds)
                if negatives is not None:  # scoring changes nothing, so that questions need not wait
                    ends = adds["source"], adds["target"], adds["time"]
                    scores.add(self.models, *ends, negatives.of(done, done + count))
                if learn:
                    with self.gate.changing():
                        losses += self._learn(adds)
            with self.gate.changing():
                if count:
                    self._observe(adds)
                gone, none = self._delete(batch)
            deleted += gone
            lost += [begin + row for row in none]
            done += count
        figures = {"events": len(add), "deleted": deleted, "scores": scores.found()}
        return figures | {"loss": float(np.mean(losses)) if losses else None}, lost

    def _negatives(self, adds: Columns) -> OneVsMany | None:
        candidates = self._targets.seen()
        if len(candidates) < 2 or not len(adds["time"]):
            return None
        return OneVsMany(
            adds["source"],
            adds["target"],
            adds["time"],
            candidates,
            history=self._met,
            count=self.settings.negatives,
            historical=self.settings.historical,
            seed=self.settings.seed,
            first=self.events,
        )

    def _append(self, adds: Columns) -> None:
        self.graph.append(*(adds[name] for name in ("source", "target", "time", "eid")))
        self.events += len(adds["time"])
        last = int(adds["time"].max())
        self.newest = last if self.newest is None else max(self.newest, last)

    def _observe(self, adds: Columns) -> None:
        ends = adds["source"], adds["target"], adds["time"]
        for model in self.models.values():
            model.observe(*ends, adds["eid"])
        self._met.add(*ends)
        self._targets.add(adds["target"], adds["time"])

    def _learn(self, adds: Columns) -> list[float]:
        """A step on new events and as many of the past as there shall be."""
        if not can(self.model, "learn"):
            return []
        columns = [adds[name] for name in ("source", "target", "time")]
        again = round(self.settings.replay * len(adds["time"]))
        if again:
            past = self.graph.events_at(self._drawn(again, self.graph.num_events, 0))
            ends = past.source.astype(np.int64), past.target.astype(np.int64), past.time
            columns = [np.concatenate(pair) for pair in zip(columns, ends, strict=True)]
            order = np.argsort(columns[2], kind="stable")
            columns = [column[order] for column in columns]
        return [self._step(self.model, *columns)]

    def _step(self, model: Any, source: I64, target: I64, time: I64) -> float:  # noqa: ANN401
        """One step, against targets drawn from all that there are."""
        new = np.unique(target[self._targets.find(target)[0] == 0])
        pool = np.concatenate([self._targets.seen(), new])
        negative = pool[self._drawn(len(target), len(pool), 1)]
        self._seed(1 + self.steps)
        loss = float(model.learn(source, target, time, negative))
        self.steps += 1
        return loss

    def _drawn(self, count: int, below: int, lane: int) -> I64:
        philox_key = key(self.settings.seed, Op.REPLAY)
        words = philox_fill(-(-count // 4), philox_key, index=self.steps & 0xFFFFFFFF, lane=lane).reshape(-1)
        return ((words[:count].astype(np.uint64) * np.uint64(below)) >> np.uint64(32)).astype(np.int64)

    def _delete(self, batch: Columns) -> tuple[int, list[int]]:
        """Take out what deletions name, but events after them; how many, and the rows that named none."""
        row_D = np.flatnonzero(batch["op"] != ADD)
        if len(row_D) == 0:
            return 0, []
        source_D, target_D = batch["source"][row_D], batch["target"][row_D]
        named_D = batch["eid"][row_D] != NO_ID
        whole_D = ~named_D & (self.settings.deletes == "target")
        root_D = np.where(whole_D, target_D, source_D)
        known = np.flatnonzero(root_D < self.graph.num_nodes)
        found = self.graph.rows.sample(root_D[known], np.full(len(known), _EVER), _ALL, inclusive=True)
        of, ids = known[found.row], self.graph.eids(found.number)
        other = found.node.astype(np.int64)
        its = whole_D[of] | (other == target_D[of])
        its &= ~named_D[of] | (ids == batch["eid"][row_D][of])
        its &= _places(batch, ids) < row_D[of]
        # An event goes by the first deletion that names it.
        claim = np.flatnonzero(its)[np.lexsort((of[its], ids[its]))]
        claim = claim[np.append(True, ids[claim][1:] != ids[claim][:-1])[: len(claim)]]
        gone = ids[claim]
        lost = np.setdiff1d(row_D, row_D[of[claim]])
        if len(gone):
            self.graph.delete(gone)
            pair = (root_D[of] << 32) | other
            over, first = np.unique(pair[claim], return_index=True)
            first = claim[first][~np.isin(over, pair[~np.isin(ids, gone)])]
            self._forget(
                np.where(
                    whole_D[of[first]] & (not self.settings.directed), other[first], source_D[of[first]]
                ),
                target_D[of[first]],
            )
        return len(gone), lost.tolist()

    def _forget(self, source: I64, target: I64) -> None:
        self._met.forget(source, target)
        for model in self.models.values():
            if can(model, "forget"):
                model.forget(source, target)

    def expire(self) -> int:
        """Forget what the window leaves behind; how many events."""
        if self.settings.window is None or self.newest is None:
            return 0
        before = max(self.newest, -_EVER + self.settings.window) - self.settings.window
        with self.gate.changing():
            gone = self.graph.expire(before)
            self._met.expire(before)
            for model in self.models.values():
                if can(model, "expire"):
                    model.expire(before)
        return gone

    def retrain(self) -> float | None:
        """Put a new model, which has learned from all events, in the place of the model; its mean loss.

        Questions are answered by the old one meanwhile.
        """
        made, losses = self._made(), list[float]()
        for epoch in range(self.settings.epochs if can(made, "learn") else 1):
            if epoch and can(made, "reset"):
                made.reset()
            for source, target, time, eid in self._in_order():
                if can(made, "learn"):
                    losses.append(self._step(made, source, target, time))
                if not epoch or can(made, "reset"):
                    made.observe(source, target, time, eid)
        with self.gate.changing():
            self.model = made
        return float(np.mean(losses)) if losses else None

    def _in_order(self) -> Iterator[tuple[I64, I64, I64, I64]]:
        """All events by time, a batch at a time."""
        pieces: list[Events] = list(self.graph.events())
        if not pieces:
            return
        source, target = (
            np.concatenate(part).astype(np.int64) for part in list(zip(*pieces, strict=True))[:2]
        )
        time, eid = (np.concatenate(part) for part in list(zip(*pieces, strict=True))[2:4])
        order = np.argsort(time, kind="stable")
        for begin in range(0, len(order), self.settings.batch_size):
            at = order[begin : begin + self.settings.batch_size]
            yield source[at], target[at], time[at], eid[at]

    def state_dict(self) -> dict[str, Any]:
        """All but the events of the graph."""
        return {
            "ids": self.ids.state_dict(),
            "nodes": self.graph.num_nodes,
            "met": self._met.state_dict(),
            "targets": self._targets.state_dict(),
            "models": {name: model.state_dict() for name, model in self.models.items()},
            "counters": [self.newest, self.events, self.steps],
        }

    def load_state_dict(self, state: Mapping[str, Any], events: Columns) -> None:
        """Take back what :meth:`state_dict` gave, and the events of the graph in the order of arrival."""
        self.ids.load_state_dict(state["ids"])
        self.graph = TemporalGraph(state["nodes"], directed=self.settings.directed)
        self.graph.append(*(events[name] for name in ("source", "target", "time", "eid")))
        self._met.load_state_dict(state["met"])
        self._targets.load_state_dict(state["targets"])
        self.model = self._made()
        for name, model in self.models.items():
            model.load_state_dict(state["models"][name])
        self.newest, self.events, self.steps = state["counters"]


def _places(batch: Columns, ids: I64) -> I64:
    """Where in a batch the events with these ids are added; -1 elsewhere."""
    add = np.flatnonzero(batch["op"] == ADD)
    if len(add) == 0:
        return np.full(len(ids), -1)
    order = add[np.argsort(batch["eid"][add], kind="stable")]
    rising = batch["eid"][order]
    at = np.minimum(np.searchsorted(rising, ids), len(rising) - 1)
    return np.where(rising[at] == ids, order[at], -1)
