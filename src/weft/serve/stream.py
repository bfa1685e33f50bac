"""The report of a stream: AP and MRR over time, the baselines beside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from weft.serve.report import Curve, Report
from weft.stream.journal import read_lines
from weft.stream.loop import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.stream import Run

__all__ = ["describe_stream", "means"]

_NAMES = {"model": "model", "edgebank": "EdgeBank", "heuristic": "counts and recency"}
_MOST = 400  # points of a line


def means(lines: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """AP, AUC and MRR of each model, the mean of rounds weighted by their events.

    Args:
        lines: of ``metrics.jsonl``.
    """
    scored = [line for line in lines if line["scores"]]
    if not scored:
        return {}
    weights = [line["events"] for line in scored]
    return {
        name: {
            metric: float(np.average([line["scores"][name][metric] for line in scored], weights=weights))
            for metric in ("ap", "auc", "mrr")
        }
        for name in scored[0]["scores"]
    }


def describe_stream(run: Run) -> Report:
    """Curves of what was told before it was learned, and what became of every event.

    Args:
        run: whose report it is.
    """
    lines = read_lines(run.out / METRICS)
    found = means(lines)
    graph, seconds = run.live.graph, sum(line["seconds"] for line in lines)
    events = sum(line["events"] for line in lines)
    own = found.get("model", {})
    return Report(
        title="A model that follows a stream",
        lead=f"{run.source.name}: {run.name}, {run.rounds:,} rounds, in {run.out}.",
        numbers=[
            *((f"{own[metric]:.4f}", f"prequential {metric.upper()}") for metric in ("ap", "mrr") if own),
            (f"{events:,}", "events taken in"),
            (f"{events / seconds:,.0f}" if seconds else "–", "events a second"),
        ],
        curves=[
            *(_curve(lines, metric, run.settings.negatives) for metric in ("ap", "mrr")),
            Curve(
                heading="Loss",
                x_label="events",
                y_label="mean loss of a round",
                points=_points(lines, ("loss",)),
            ),
        ],
        facts={
            "Mean over the stream": {
                f"{metric.upper()} of {_NAMES[name]}": scores[metric]
                for metric in ("ap", "auc", "mrr")
                for name, scores in found.items()
            },
            "Events": {
                "came": run.counts["arrived"],
                "too late, in late.jsonl": run.counts["late"],
                "repeated ids, in aside.jsonl": run.counts["repeated"],
                "deletions of nothing, in aside.jsonl": run.counts["not there"],
                "taken out by deletions": sum(line["deleted"] for line in lines),
                "expired": sum(line["expired"] for line in lines),
                "left": graph.num_events,
                "nodes": graph.num_nodes,
            },
            "Settings": {"model": run.name, **run.settings.to_dict()},
        },
    )


def _curve(lines: list[dict[str, Any]], metric: str, negatives: int) -> Curve:
    def points(name: str) -> list[tuple[float, float]]:
        return _points(lines, ("scores", name, metric))

    against = "one random target each" if metric == "ap" else f"{negatives} targets each"
    return Curve(
        heading=f"{metric.upper()}, before learning, against {against}",
        x_label="events",
        y_label=metric.upper(),
        points=points("model"),
        name=_NAMES["model"],
        others={said: points(name) for name, said in _NAMES.items() if name != "model"},
    )


def _points(lines: list[dict[str, Any]], path: Sequence[str]) -> list[tuple[float, float]]:
    """(events so far, value) of rounds; of very many, the means of as many stretches as a line has points."""
    done, held = 0, list[tuple[float, float]]()
    for line in lines:
        value: Any = line
        for step in path:
            value = None if value is None else value.get(step)
        done += line["events"]
        if value is not None:
            held.append((float(done), float(value)))
    if len(held) <= _MOST:
        return held
    return [(float(x), float(y)) for x, y in (part.mean(axis=0) for part in np.array_split(held, _MOST))]
