"""The whole first job in a minute, with no download.

A graph with planted communities is written as a CSV file like yours, imported, embedded, evaluated and
drawn; report.html shows the result.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from weft.embed.methods import NAMES, Method, own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.embed import Embedding, NodeEmbedding
    from weft.eval import ClassificationReport
    from weft.graph import Graph
    from weft.serve.picture import Picture
    from weft.serve.report import Report

__all__ = ["Args", "run"]

_COMMUNITY = 1000  # nodes of one, so that larger demos have more of them
_DEGREE = 15.0
_MIXING = 0.3  # share of the edges that lead to other communities
_PORTIONS = (0.02, 0.1)
_TRIALS = 3
# 200 passes instead of 1000 to stay within a minute, with larger steps to make up for it.
_TRAINING = {"dim": 128, "epochs": 200, "window": 5, "learning_rate": 0.05}


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft demo``."""

    out: Annotated[Path, arg(metavar="DIR")] = Path("weft-demo")
    """Where everything goes; files of an earlier demo are replaced."""

    nodes: int = 50_000
    """Nodes of the graph, at least 200."""

    method: Method = "deepwalk"
    """How the vectors are made, as in weft embed."""

    seed: int = 0
    """Of the graph, the training and the evaluation."""


@dataclass(slots=True)
class _Clock:
    """Times the stages and says what is happening."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str, same_as: str) -> Iterator[None]:
        """One stage, and the command that would do the same."""
        sys.stdout.write(f"\n{name}: {same_as}\n")
        sys.stdout.flush()
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun
        sys.stdout.write(f"  {self.seconds[name]:.1f} s\n")


def run(args: Args) -> int:
    """Generate, import, embed, evaluate, draw."""
    from weft.errors import MissingExtraError, WeftValueError

    if args.nodes < 200:
        raise WeftValueError(f"--nodes must be at least 200 (got {args.nodes})")
    try:
        import sklearn  # noqa: F401 - better now than after the training
    except ImportError as error:
        raise MissingExtraError("weft demo", "scikit-learn", "eval") from error
    out, clock = args.out, _Clock()
    out.mkdir(parents=True, exist_ok=True)
    with clock.stage("generate", f"{out}/edges.csv and {out}/labels.csv, with names as ids"):
        edges, labels = _write_input(out, args.nodes, args.seed)
    with clock.stage("import", f"weft import {edges} --labels {labels} --out {out}/graph"):
        graph = _import(edges, labels, out / "graph")
    settings = _settings(args.method)
    options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.items())
    with clock.stage("embed", f"weft embed {out}/graph --out {out}/vectors {options}"):
        model, embedding = _embed(graph, out / "vectors", {**settings, "seed": args.seed})
    protocol = f"--portions {' '.join(map(str, _PORTIONS))} --trials {_TRIALS}"
    with clock.stage("evaluate", f"weft evaluate {out}/vectors {protocol}"):
        scores = _evaluate(embedding, graph, args.seed)
    with clock.stage("draw", f"{out}/report.html"):
        from weft.serve.picture import draw

        picture = draw(embedding.vectors, graph.labels, seed=args.seed)
    some = embedding.ids[0]
    steps = (
        f"weft neighbors {out}/vectors {some} -k 5\n"
        f"weft export {out}/vectors --to vectors.parquet\n"
        "weft embed your_edges.csv --out your_vectors      # your own file: two columns are enough\n"
        "weft evaluate your_vectors --labels your_labels.csv"
    )
    page = _report(graph, model, embedding, scores, picture, clock.seconds, steps).write(out / "report.html")
    total = sum(clock.seconds.values())
    sys.stdout.write(f"\nreport: {page.resolve()} ({total:.0f} s in all)\n\nWhat to try next:\n")
    sys.stdout.write("".join(f"  {line}\n" for line in steps.splitlines()))
    return 0


def _write_input(out: Path, nodes: int, seed: int) -> tuple[Path, Path]:
    """Files like a user's: names as ids, in no order, a header, an edge in one direction."""
    import numpy as np
    import polars as pl

    from weft.files import replacing
    from weft.graph.generate import planted_partition

    communities = max(4, nodes // _COMMUNITY)
    made = planted_partition(nodes, communities, _DEGREE, _MIXING, seed=seed)
    assert made.labels is not None
    src, dst = made.edges()
    width = len(str(nodes - 1))
    name = pl.select("user-" + pl.Series(np.arange(nodes)).cast(pl.String).str.zfill(width)).to_series()
    label = pl.select("community-" + pl.Series(made.labels).cast(pl.String)).to_series()
    edges, labels = out / "edges.csv", out / "labels.csv"
    with replacing(edges) as temporary:
        pl.DataFrame({"source": name.gather(src), "target": name.gather(dst)}).write_csv(temporary)
    with replacing(labels) as temporary:
        pl.DataFrame({"id": name, "label": label}).write_csv(temporary)
    sys.stdout.write(
        f"  {nodes:,} nodes in {communities} communities, {len(src):,} edges, "
        f"{_MIXING:.0%} of them between communities\n"
    )
    return edges, labels


def _import(edges: Path, labels: Path, out: Path) -> Graph:
    from weft.graph.ingest import ingest

    graph = ingest(edges, out, labels=labels, overwrite=True, progress=sys.stderr.isatty())
    sys.stdout.write(f"  {graph!r}\n")
    return graph


def _settings(method: Method) -> dict[str, Any]:
    """Of the estimator, as far as they are not its own."""
    params = _TRAINING if method == "deepwalk" else {"method": method, **_TRAINING}
    return own(method, params)


def _embed(graph: Graph, out: Path, settings: dict[str, Any]) -> tuple[NodeEmbedding, Embedding]:
    from weft.embed import Embedding, NodeEmbedding

    model = NodeEmbedding(**settings, progress=sys.stderr.isatty()).fit(graph)
    embedding = Embedding.of(model, graph).save(out, overwrite=True)
    trained = "".join(
        f", {pairs:,.0f} pairs, loss {loss:.3f} at the end" for pairs, loss in model.loss_history_[-1:]
    )
    sys.stdout.write(f"  {embedding!r}{trained}\n")
    return model, embedding


def _evaluate(embedding: Embedding, graph: Graph, seed: int) -> ClassificationReport:
    from weft.cli.evaluate import show_classification
    from weft.eval import classify_nodes

    assert graph.labels is not None
    scores = classify_nodes(
        embedding.vectors,
        graph.labels,
        portions=_PORTIONS,
        trials=_TRIALS,
        seed=seed,
        progress=sys.stderr.isatty(),
    )
    sys.stdout.write("".join(f"  {line}\n" for line in show_classification(scores).splitlines()))
    return scores


def _report(
    graph: Graph,
    model: NodeEmbedding,
    embedding: Embedding,
    scores: ClassificationReport,
    picture: Picture,
    seconds: dict[str, float],
    steps: str,
) -> Report:
    from weft.serve.report import Report, plan_facts

    best = scores.scores[-1]
    speed = [
        (f"{pairs / seconds['embed'] / 1e6:.1f} M/s", "pairs trained")
        for pairs in model.loss_history_[-1:, 0]
    ]
    return Report(
        title="A vector for every node",
        lead=f"{graph.num_nodes:,} nodes of an edge list, embedded with {NAMES[model.method]} on this "
        "machine.",
        numbers=[
            (f"{best.micro_mean:.4f}", f"micro-F1 with {best.portion:.0%} of labels"),
            (f"{graph.num_nodes:,}", "nodes"),
            (f"{graph.num_edges // 2:,}", "edges"),
            *speed,
            (f"{sum(seconds.values()):.0f} s", "in all"),
        ],
        picture=picture,
        classification=scores,
        loss=[(float(pairs), float(loss)) for pairs, loss in embedding.history],
        stages=list(seconds.items()),
        facts={
            "Configuration": embedding.config,
            "Plan": plan_facts(model.plan_),
            "Graph": {
                "nodes": graph.num_nodes,
                "edges": graph.num_edges // 2,
                "ids": graph.ids.kind,
                "labels": scores.labels,
                "edges between communities": f"{_MIXING:.0%}",
            },
        },
        next_steps=steps,
    )
