"""A report as one HTML file that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from weft import __version__
from weft.config import show_bytes
from weft.embed import FactorPlan
from weft.eval import ClassificationReport, LinkReport
from weft.files import replacing
from weft.serve import charts
from weft.serve.picture import Picture, draw

if TYPE_CHECKING:
    import os

    from weft.embed import Embedding, Plan
    from weft.graph import Labels

__all__ = ["Curve", "Report", "describe", "plan_facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line in a chart of its own.

    Attributes:
        heading: above it.
        x_label: what goes to the right.
        y_label: what goes up.
        points: (x, y), from left to right; with fewer than two there is no chart.
        name: of the line, where there are others.
        others: lines behind it by name, four at most.
    """

    heading: str
    x_label: str
    y_label: str
    points: Sequence[tuple[float, float]]
    name: str = ""
    others: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report shows; what is not given is left out.

    Attributes:
        title: the heading.
        lead: a sentence under it.
        numbers: (value, what it is), shown large.
        picture: the vectors in the plane.
        classification: node classification.
        link: link prediction.
        loss: (pairs trained, mean loss) along the training.
        curves: charts.
        stages: (name, seconds).
        step: (name, seconds) of the parts of one step, some of them done beside others.
        step_note: a sentence under these.
        facts: tables of names and values under their headings.
        next_steps: commands to try.
    """

    title: str
    lead: str = ""
    numbers: Sequence[tuple[str, str]] = ()
    picture: Picture | None = None
    classification: ClassificationReport | None = None
    link: LinkReport | None = None
    loss: Sequence[tuple[float, float]] = ()
    curves: Sequence[Curve] = ()
    stages: Sequence[tuple[str, float]] = ()
    step: Sequence[tuple[str, float]] = ()
    step_note: str = ""
    facts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    next_steps: str = ""

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page.

        Raises:
            StorageError: the system refuses.
        """
        path, page = Path(path), self.html()
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
        return path

    def html(self) -> str:
        """The page."""
        steps = f"<pre>{escape(self.next_steps)}</pre>"
        style = resources.files("weft.serve").joinpath("report.css").read_text("utf-8")
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title>\n<style>\n{style}</style></head>\n<body><main>\n"
            f'<header><h1>{escape(self.title)}</h1><p class="lead">{escape(self.lead)}</p></header>\n'
            f"{_numbers(self.numbers)}{self._middle()}{_facts(self.facts)}"
            f"{_section('What to try next', steps) if self.next_steps else ''}"
            f"<footer>weft {__version__}, Python {platform.python_version()}, {platform.machine()}, "
            f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}</footer>\n</main></body></html>\n"
        )

    def _middle(self) -> str:
        """The picture beside what was measured."""
        measured = "".join(
            (
                _classification(self.classification),
                _link(self.link),
                _loss(self.loss),
                *map(_curve, self.curves),
                _stages(self.stages),
                _step(self.step, self.step_note),
            )
        )
        if self.picture is None:
            return f'<div class="tables">{measured}</div>\n' if measured else ""
        drawn = _section("The vectors", f'{charts.scatter(self.picture)}<p class="note">{_caption(self)}</p>')
        return f'<div class="grid2"><div>{drawn}</div><div>{measured}</div></div>\n'


def describe(
    embedding: Embedding,
    labels: Labels | None = None,
    *,
    plan: Plan | FactorPlan | None = None,
    measured: ClassificationReport | LinkReport | None = None,
    stages: Sequence[tuple[str, float]] = (),
) -> Report:
    """The report of an embedding: its picture, loss and configuration, and what was measured.

    Args:
        embedding: whose report it is.
        labels: colours of the picture.
        plan: sizes of its training.
        measured: what an evaluation found.
        stages: (name, seconds).

    Raises:
        WeftValueError: there are too few vectors to draw, or they are not finite.
        MissingExtraError: scikit-learn is not installed.
    """
    method = str(embedding.config.get("method", "given vectors"))
    return Report(
        title="A vector for every node",
        lead=f"{embedding.path or 'Vectors'}: {method}, {embedding.dim} dimensions.",
        numbers=[
            *_headline(measured),
            (f"{embedding.num_nodes:,}", "nodes"),
            (f"{embedding.dim}", "dimensions"),
        ],
        picture=draw(embedding.vectors, labels),
        classification=measured if isinstance(measured, ClassificationReport) else None,
        link=measured if isinstance(measured, LinkReport) else None,
        loss=[(float(pairs), float(loss)) for pairs, loss in embedding.history],
        stages=stages,
        facts={"Configuration": embedding.config, "Plan": {} if plan is None else plan_facts(plan)},
    )


def _headline(measured: ClassificationReport | LinkReport | None) -> list[tuple[str, str]]:
    if isinstance(measured, ClassificationReport):
        last = measured.scores[-1]
        return [(f"{last.micro_mean:.4f}", f"micro-F1 with {last.portion:.0%} of labels")]
    return [] if measured is None else [(f"{measured.auc:.4f}", "AUC of hidden edges")]


def plan_facts(plan: Plan | FactorPlan) -> dict[str, object]:
    """The sizes of a training that a reader asks for."""
    if isinstance(plan, FactorPlan):
        return {
            "entries of the matrix": plan.entries,
            "walks": plan.walks,
            "window": plan.window,
            "columns of the SVD": plan.sketch,
            "power iterations": plan.power,
            "memory": show_bytes(plan.bytes),
        }
    return {
        "pairs": plan.pairs,
        "parts": plan.parts,
        "nodes of a part": plan.rows,
        "pairs of a pool": plan.pool,
        "walk length": plan.length,
        "window": plan.window,
        "memory": show_bytes(plan.bytes),
    }


def _caption(report: Report) -> str:
    return escape(report.picture.caption + "." if report.picture else "")


def _section(heading: str, inside: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{inside}</section>\n"


def _numbers(numbers: Sequence[tuple[str, str]]) -> str:
    cards = "".join(
        f'<div class="number"><b>{escape(value)}</b><span>{escape(what)}</span></div>'
        for value, what in numbers
    )
    return f'<div class="numbers">{cards}</div>\n' if cards else ""


def _classification(report: ClassificationReport | None) -> str:
    if report is None:
        return ""
    rows = "".join(
        f"<tr><td>{score.portion:.0%}</td><td>{score.train:,}</td>"
        f"<td>{score.micro_mean:.4f} <i>±{score.micro_std:.4f}</i></td>"
        f"<td>{score.macro_mean:.4f} <i>±{score.macro_std:.4f}</i></td></tr>"
        for score in report.scores
    )
    trials = f"{report.trials} trial{'s' if report.trials > 1 else ''}"
    return _section(
        "Node classification",
        "<table><tr><th>labelled</th><th>nodes</th><th>micro-F1</th><th>macro-F1</th></tr>"
        f'{rows}</table><p class="note">One logistic regression per label on unit vectors, '
        f"{report.labels:,} labels, {report.nodes:,} nodes, mean ± deviation of {trials}.</p>",
    )


def _link(report: LinkReport | None) -> str:
    if report is None:
        return ""
    hits = "".join(f"<tr><td>hits@{k}</td><td>{share:.4f}</td></tr>" for k, share in report.hits.items())
    return _section(
        "Link prediction",
        f'<table class="facts"><tr><td>AUC</td><td>{report.auc:.4f}</td></tr>'
        f"<tr><td>MRR</td><td>{report.mrr:.4f}</td></tr>{hits}</table>"
        f'<p class="note">{report.edges:,} held-out edges, each against {report.num_negatives} pairs '
        f"that are no edges, by {escape(report.score)}.</p>",
    )


def _loss(loss: Sequence[tuple[float, float]]) -> str:
    return _curve(Curve(heading="Loss", x_label="pairs trained", y_label="mean loss per pair", points=loss))


def _curve(curve: Curve) -> str:
    if len(curve.points) < 2:
        return ""
    xs, ys = zip(*curve.points, strict=True)
    drawn = charts.line_chart(
        xs, ys, x_label=curve.x_label, y_label=curve.y_label, others=list(curve.others.values())
    )
    paints = ["mark", *"cdef"]
    names = "".join(
        f'<li><i style="background:var(--{paint})"></i>{escape(name)}</li>'
        for name, paint in zip([curve.name, *curve.others], paints, strict=False)
    )
    return _section(curve.heading, drawn + (f'<ul class="legend">{names}</ul>' if curve.others else ""))


def _stages(stages: Sequence[tuple[str, float]]) -> str:
    total = sum(seconds for _, seconds in stages)
    return _parts(f"Time: {total:.1f} s", stages, 1, "s") if stages else ""


def _step(step: Sequence[tuple[str, float]], note: str) -> str:
    if not step:
        return ""
    said = f'<p class="note">{escape(note)}</p>' if note else ""
    return _parts("A step of the training", step, 1e3, "ms", said)


def _parts(heading: str, stages: Sequence[tuple[str, float]], scale: float, unit: str, more: str = "") -> str:
    """A bar whose parts are as long as they took, and what each is."""
    paints = [f"var(--{'abcdef'[i % 6]})" for i in range(len(stages))]
    bar = "".join(
        f'<span style="flex:{scale * seconds:.3f};background:{paint}"></span>'
        for (_, seconds), paint in zip(stages, paints, strict=True)
    )
    legend = "".join(
        f'<li><i style="background:{paint}"></i>{escape(name)}<span>{scale * seconds:.1f} {unit}</span></li>'
        for (name, seconds), paint in zip(stages, paints, strict=True)
    )
    return _section(heading, f'<div class="stages">{bar}</div><ul class="legend">{legend}</ul>{more}')


def _facts(facts: Mapping[str, Mapping[str, object]]) -> str:
    tables = "".join(
        _section(
            heading,
            '<table class="facts">'
            + "".join(
                f"<tr><td>{escape(str(name))}</td><td>{escape(_value(value))}</td></tr>"
                for name, value in rows.items()
            )
            + "</table>",
        )
        for heading, rows in facts.items()
        if rows
    )
    return f'<div class="masonry">{tables}</div>\n' if tables else ""


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
