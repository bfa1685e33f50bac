"""Training on a fixed list of events: epochs from the first event to the last.

Shapes: E events, Q events of a batch.
"""

from __future__ import annotations

import copy
import time as clock
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft import progress as shown
from weft.checks import check_flag, check_int
from weft.errors import WeftTypeError, WeftValueError
from weft.eval.events import EventReport, EventSplit, evaluate_events, split_events
from weft.graph import TemporalGraph
from weft.kernels.philox import philox_fill
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.nn.temporal import TemporalLinks

__all__ = ["TemporalEpoch", "fit_events"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalEpoch:
    """What an epoch came to.

    Attributes:
        loss: mean binary cross-entropy of events and negatives.
        rate: events learned from in a second.
        report: validation and test after it; None: not evaluated.
    """

    loss: float
    rate: float
    report: EventReport | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def fit_events(
    model: TemporalLinks,
    *,
    split: EventSplit | None = None,
    epochs: int = 5,
    batch_size: int = 200,
    seed: int = 0,
    evaluate: bool = True,
    num_negatives: int = 1,
    progress: shown.Shown = False,
) -> list[TemporalEpoch]:
    """Learn from the events of the model's graph, in the order of time.

    Each epoch starts from a memory of nothing. A batch is learned from with the memory of the batches before
    it, then observed. Negatives are drawn uniformly from the targets of training. After the epoch the later
    events are scored and observed in turn, which changes no weight. What is left in the end is the model of
    the epoch with the best AP on validation, if there is one.

    Args:
        model: is changed. Its graph must be a :class:`weft.graph.TemporalGraph` that holds all events.
        split: of the events by time, then by their arrival; None: 70, 15 and 15 %.
        epochs: how many.
        batch_size: events of a step. More learn faster and see less of each other.
        seed: of negatives, in training and in evaluation.
        evaluate: score the later events after each epoch; False: never.
        num_negatives: of an event, for the MRR.
        progress: as :data:`weft.progress.Shown`.

    Returns:
        What each epoch came to.

    Raises:
        WeftTypeError: the model is looked up in a snapshot, or an argument has another type.
        WeftValueError: the graph is empty, or an argument is out of range.
    """
    graph = model.encoder.graph
    if not isinstance(graph, TemporalGraph):
        raise WeftTypeError(
            f"fit events: the model's graph must be a TemporalGraph (got {type(graph).__name__})"
        )
    epochs, batch_size = check_int("epochs", epochs, 1), check_int("batch_size", batch_size, 1)
    evaluate = check_flag("evaluate", evaluate)
    source, target, time, eid = _events(graph)
    split = split_events(source, target, time) if split is None else split
    train = split.train
    targets, negatives = np.unique(target[train]), key(seed, Op.NEGATIVE)
    done: list[TemporalEpoch] = []
    best: tuple[float, dict[str, Any]] | None = None
    with shown.bar(progress, total=epochs * len(train), unit=" events", desc="training") as bar:
        for epoch in range(epochs):
            model.reset()
            start, loss = clock.perf_counter(), 0.0
            for number, begin in enumerate(range(0, len(train), batch_size)):
                at = train[begin : begin + batch_size]
                words = philox_fill(-(-len(at) // 4), negatives, index=number, lane=epoch).reshape(-1)
                drawn = (words[: len(at)].astype(np.uint64) * np.uint64(len(targets))) >> np.uint64(32)
                wrong = targets[drawn.astype(np.int64)]
                loss += len(at) * model.learn(source[at], target[at], time[at], wrong)
                model.observe(source[at], target[at], time[at], eid[at])
                bar.update(len(at))
            seconds = clock.perf_counter() - start
            report = None
            if evaluate:
                report = evaluate_events(
                    model,
                    source,
                    target,
                    time,
                    split,
                    eid=eid,
                    num_negatives=num_negatives,
                    batch_size=batch_size,
                    seed=seed,
                    observe_train=False,
                )
                bar.set_postfix_str(_said(report))
                if report.val is not None and (best is None or report.val.ap > best[0]):
                    best = report.val.ap, copy.deepcopy(model.state_dict())
            done.append(TemporalEpoch(loss=loss / len(train), rate=len(train) / seconds, report=report))
    if best is not None:
        model.load_state_dict(best[1])
    return done


def _events(graph: TemporalGraph) -> tuple[I64, I64, I64, I64]:
    pieces = list(graph.events())
    if not graph.num_events:
        raise WeftValueError("fit events: the graph has no events; append them first")
    source, target, time, eid = (
        np.concatenate([getattr(piece, name) for piece in pieces]).astype(np.int64)
        for name in ("source", "target", "time", "eid")
    )
    order = np.argsort(time, kind="stable")
    return source[order], target[order], time[order], eid[order]


def _said(report: EventReport) -> str:
    val = "" if report.val is None else f"val AP {report.val.ap:.4f}, "
    return f", {val}test AP {report.test.ap:.4f}"
