"""The report of a training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from weft.serve.report import Curve, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.train import Plan, Trained

__all__ = ["describe_training"]

_STAGES = ("sample", "plan", "read", "assemble", "compute")


def describe_training(trained: Trained, *, plan: Plan | None = None) -> Report:
    """Curves of loss and score, what the model is worth, and where the time of a step went.

    Args:
        trained: whose report it is.
        plan: sizes of its training.
    """
    settings, times, history = trained.settings, trained.times, trained.history
    scored = [(float(epoch), float(score)) for epoch, score in history[:, [0, 2]] if not math.isnan(score)]
    return Report(
        title="A model of the nodes" if settings.task == "node" else "A model of the edges",
        lead=f"{trained.path or 'A training'}: {settings.model}, {settings.layers} layers of "
        f"{settings.hidden}, after epoch {trained.scores['epoch']:.0f} of {len(history)}.",
        numbers=[
            *(
                (f"{trained.scores[part]:.4f}", f"{trained.score_name} of the {what} set")
                for part, what in (("test", "test"), ("val", "validation"))
                if part in trained.scores
            ),
            (f"{history[:, 3].mean():.1f} s" if len(history) else "–", "an epoch"),
        ],
        curves=[
            Curve(
                heading="Loss",
                x_label="epoch",
                y_label="mean loss",
                points=[(float(epoch), float(loss)) for epoch, loss in history[:, :2]],
            ),
            Curve(heading="Validation", x_label="epoch", y_label=trained.score_name, points=scored),
        ],
        step=[(stage, times[stage]) for stage in _STAGES if times.get(stage, 0) > 0],
        step_note=_waited(times),
        facts={
            "Training": settings.to_dict(),
            "Plan": {} if plan is None else plan.facts(),
            "Input": trained.source,
        },
        next_steps=""
        if trained.path is None
        else f"weft predict {trained.path} --out predictions   # every node, from all of its neighbours",
    )


def _waited(times: Mapping[str, float]) -> str:
    if "wait" not in times or "compute" not in times:
        return ""
    step = times["compute"] + times["wait"]
    return (
        "All but compute is done ahead by other threads. The model waited for "
        f"{1e3 * times['wait']:.1f} ms a step, {times['wait'] / step if step else 0:.0%} of the time."
    )
