"""Measure vectors: do they tell the labels of nodes, or the edges that were hidden from them?

Classification follows DeepWalk: one logistic regression per label on a share of the labelled nodes,
every other node given as many labels as it truly has, averaged over shuffles.

Link prediction compares the edges that weft embed --holdout hid from training with pairs of nodes that
are no edges.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from weft.embed import Embedding
    from weft.eval import ClassificationReport, LinkReport
    from weft.graph import Graph, Labels

__all__ = ["Args", "graph_of", "labels_of", "run", "show_classification"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft evaluate``."""

    embedding: Annotated[Positional[Path], arg(metavar="EMBEDDING")]
    """Directory that weft embed wrote."""

    task: Literal["classification", "link"] = "classification"
    """What to measure by."""

    graph: Annotated[Path | None, arg(metavar="GRAPH")] = None
    """The graph; when not given, the directory the vectors were learnt from."""

    labels: Annotated[Path | None, arg(metavar="FILE")] = None
    """Classification: lines of id and label; the graph's labels when not given."""

    label_columns: Annotated[tuple[str, str] | None, arg(metavar="ID LABEL")] = None
    """The columns of id and label in that file, by name or by number from 0."""

    portions: Annotated[tuple[float, ...], arg(metavar="P [P ...]")] = (0.1, 0.5, 0.9)
    """Classification: shares of the labelled nodes that train."""

    trials: int = 10
    """Classification: shuffles per portion."""

    workers: Annotated[int | None, arg(metavar="INT")] = None
    """Classification: processes; chosen by the amount of work when not given."""

    negatives: int = 100
    """Link prediction: pairs that are no edges, per hidden edge."""

    score: Literal["auto", "cosine", "dot", "context"] = "auto"
    """Link prediction: how two vectors are compared. context is what training went by: a node's vector
    and the other's context vector; auto takes it where context vectors were kept, else the cosine."""

    seed: int = 0
    """Of shuffles and negatives."""

    report: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write the result and a picture of the vectors as an HTML page."""

    json: bool = False
    """Print JSON."""


def run(args: Args) -> int:
    """Measure, print, and write the page if asked."""
    from weft.embed import Embedding

    if args.task == "link" and args.labels is not None:
        raise WeftValueError("evaluate: --labels are for --task classification; link prediction has none")
    embedding = Embedding.open(args.embedding)
    if args.report is not None:
        from weft.serve.picture import check_drawable

        check_drawable(embedding.num_nodes)
    labels = None
    if args.task == "classification":
        labels = labels_of(embedding, args.labels, args.graph, args.label_columns)
        result = _classify(args, embedding, labels)
        shown = show_classification(result)
    else:
        result = _predict_links(args, embedding)
        shown = _show_link(result)
    sys.stdout.write(json.dumps(result.to_dict(), indent=1) + "\n" if args.json else shown)
    if args.report is not None:
        from weft.serve.report import describe

        page = describe(embedding, labels, measured=result).write(args.report)
        sys.stderr.write(f"report: {page}\n")
    return 0


def graph_of(embedding: Embedding, path: Path | None) -> Graph:
    """The graph the vectors belong to.

    Args:
        embedding: the vectors.
        path: where it is, or None: where the embedding says.

    Raises:
        WeftValueError: nobody says where it is, or it has other nodes.
    """
    import numpy as np

    from weft.graph import Graph

    recorded = embedding.config.get("graph")
    if path is None and not recorded:
        raise WeftValueError("these vectors do not say which graph they were learnt from; give --graph DIR")
    path = Path(str(recorded)) if path is None else path
    graph = Graph.open(path)
    everyone = np.arange(embedding.num_nodes)
    if graph.num_nodes != embedding.num_nodes or not np.array_equal(
        graph.ids.take(everyone), embedding.ids.take(everyone)
    ):
        raise WeftValueError(f"{path} has other nodes than {embedding.path}: it is not their graph")
    return graph


def labels_of(
    embedding: Embedding, file: Path | None, graph: Path | None, columns: tuple[str, str] | None = None
) -> Labels:
    """Labels from a file, or else the graph's.

    Raises:
        WeftValueError: there are none, or columns of no file.
    """
    from weft.cli.import_ import columns_of

    if file is not None:
        from weft.graph import read_labels

        def say(text: str) -> None:
            print(f"note: {text}", file=sys.stderr)

        return read_labels(file, embedding.ids, say, columns=columns_of(columns), say=say)
    if columns is not None:
        raise WeftValueError("--label-columns needs --labels FILE")
    found = graph_of(embedding, graph)
    if found.labels is None:
        raise WeftValueError(f"the graph {found.path} has no labels; give --labels FILE")
    return found.labels


def show_classification(result: ClassificationReport) -> str:
    """A table for the terminal."""
    lines = [
        f"{result.nodes:,} labelled nodes, {result.labels:,} labels, "
        f"{result.trials} trial{'s' if result.trials > 1 else ''}, {result.seconds:.1f} s",
        f"{'labelled':>9}  {'nodes':>9}  {'micro-F1':>15}  {'macro-F1':>15}",
    ]
    lines += [
        f"{score.portion:>9.1%}  {score.train:>9,}  {score.micro_mean:.4f} ± {score.micro_std:.4f}  "
        f"{score.macro_mean:.4f} ± {score.macro_std:.4f}"
        for score in result.scores
    ]
    return "\n".join(lines) + "\n"


def _show_link(result: LinkReport) -> str:
    skipped = f", {result.skipped:,} without negatives left out" if result.skipped else ""
    hits = "".join(f"  hits@{k:<4} {share:.4f}\n" for k, share in result.hits.items())
    return (
        f"{result.edges:,} held-out edges{skipped}, {result.num_negatives} negatives each, "
        f"{result.score}, {result.seconds:.1f} s\n"
        f"  AUC       {result.auc:.4f}\n  MRR       {result.mrr:.4f}\n{hits}"
    )


def _classify(args: Args, embedding: Embedding, labels: Labels) -> ClassificationReport:
    from weft.eval import classify_nodes

    return classify_nodes(
        embedding.vectors,
        labels,
        portions=args.portions,
        trials=args.trials,
        seed=args.seed,
        workers=args.workers,
        progress=sys.stderr.isatty(),
    )


def _predict_links(args: Args, embedding: Embedding) -> LinkReport:
    from weft.eval import evaluate_links

    if embedding.holdout is None:
        raise WeftValueError(
            "no edges were hidden from these vectors, so link prediction would ask for what they were "
            "taught; learn them with weft embed GRAPH --holdout 0.1 --out DIR"
        )
    by_default = "cosine" if embedding.context is None else "context"
    return evaluate_links(
        embedding.vectors,
        graph_of(embedding, args.graph),
        embedding.holdout,
        num_negatives=args.negatives,
        score=by_default if args.score == "auto" else args.score,
        context_ND=embedding.context,
        seed=args.seed,
    )
