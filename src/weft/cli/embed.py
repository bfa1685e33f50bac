"""Learn a vector for every node of a graph directory or an edge list.

An edge list (CSV, TSV, Parquet, .npz, .mat; gzip or zstd) is imported first, and the graph kept beside the
vectors. weft import has more options for input that needs them.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from weft.embed import Embedding, NodeEmbedding, Plan
    from weft.graph import Graph

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft embed``."""

    source: Annotated[Positional[Path], arg(metavar="GRAPH_OR_EDGE_FILE")]
    """Directory that weft import wrote, or a file of edges."""

    out: Annotated[Path, arg(metavar="DIR")]
    """Where the vectors go."""

    method: Literal["deepwalk", "line"] = "deepwalk"
    """Pairs from walks, or edges."""

    dim: int = 128
    """Length of a vector."""

    epochs: float = 1000
    """Passes; each trains as many pairs as there are edges."""

    walk_length: int = 40
    """Steps of a walk."""

    window: Annotated[int | None, arg(metavar="INT")] = None
    """Steps between the nodes of a pair, at most; by the graph's density when not given."""

    num_negatives: int = 1
    """Negatives of each pair."""

    negative_weight: float = 5.0
    """Of a pair's negatives together."""

    learning_rate: float = 0.025
    """At the beginning; it falls to nearly 0."""

    weight_decay: float = 0.0
    """0 for none."""

    holdout: float = 0.0
    """Share of the edges to hide from training, for weft evaluate --task link."""

    directed: bool = False
    """Edge file: edges lead one way."""

    weight: Annotated[str | None, arg(metavar="COLUMN")] = None
    """Edge file: the column of weights, by name or number."""

    graph: Annotated[Path | None, arg(metavar="DIR")] = None
    """Edge file: where the imported graph goes; DIR.graph beside --out when not given."""

    seed: int = 0
    """Of everything that is drawn."""

    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """Memory to use, such as 4GiB; what the machine has when not given."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; the result does not depend on it."""

    report: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write an HTML page with a picture of the vectors."""

    overwrite: bool = False
    """Replace what is at --out."""

    plan: bool = False
    """Only say what the training would take."""


def run(args: Args) -> int:
    """Open or import, hide edges, train, save, report."""
    from weft.embed import Embedding, NodeEmbedding
    from weft.kernels.threads import set_num_threads

    shared = NodeEmbedding().get_params()
    model = NodeEmbedding(
        **{name: getattr(args, name) for name in shared if hasattr(args, name)}, progress=sys.stderr.isatty()
    )
    _check(args, model)
    if args.threads is not None:
        set_num_threads(args.threads)
    graph = _open(args)
    train, holdout = graph, None
    if args.holdout:
        from weft.eval import split_edges

        train, holdout = split_edges(graph, args.holdout, args.seed)
    plan = model.plan(train)
    sys.stdout.write(_show_plan(train, plan, 0 if holdout is None else len(holdout)))
    sys.stdout.flush()
    if args.plan:
        return 0
    begun = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - begun
    made = Embedding.of(model, train, holdout=holdout, graph_path=graph.path)
    made = made.save(args.out, overwrite=args.overwrite)
    sys.stdout.write(_show_result(model, made, seconds))
    if args.report is not None:
        from weft.serve.report import describe

        page = describe(made, graph.labels, plan=model.plan_, stages=[("embed", seconds)]).write(args.report)
        sys.stdout.write(f"  report   {page}\n")
    return 0


def _check(args: Args, model: NodeEmbedding) -> None:
    """What should not come to light only after the import or the training."""
    from weft.embed.checks import check_int, check_real
    from weft.errors import WeftValueError

    if not args.source.exists():
        raise WeftValueError(f"there is no {args.source}; give a graph directory or a file of edges")
    if args.out.exists() and not args.overwrite and not args.plan:
        raise WeftValueError(f"{args.out} exists; choose another --out or pass --overwrite")
    place = _place(args)
    if not args.source.is_dir() and place.exists() and not args.overwrite:
        raise WeftValueError(
            f"{place} exists, perhaps from an earlier run: weft embed {place} takes up from there; or choose "
            "another --graph, or pass --overwrite to import again"
        )
    model.check_params()
    if check_real("holdout", args.holdout, least=0) >= 1:
        raise WeftValueError(f"holdout must be below 1, such as 0.1 (got {args.holdout:g})")
    if args.threads is not None:
        check_int("threads", args.threads, 1)


def _place(args: Args) -> Path:
    """Where a file of edges is imported to."""
    return args.graph if args.graph is not None else args.out.with_name(args.out.name + ".graph")


def _open(args: Args) -> Graph:
    """The graph directory, or the file of edges as one."""
    from weft.graph import Graph

    if args.source.is_dir():
        return Graph.open(args.source)
    from weft.graph.ingest import ingest

    place = _place(args)
    graph = ingest(
        args.source,
        place,
        memory=args.memory,
        directed=args.directed,
        weight=int(args.weight) if args.weight is not None and args.weight.isdecimal() else args.weight,
        overwrite=args.overwrite,
        progress=sys.stderr.isatty(),
        say=lambda text: print(f"note: {text}", file=sys.stderr),
    )
    sys.stdout.write(f"imported {args.source} to {place}\n")
    return graph


def _show_plan(graph: Graph, plan: Plan, hidden: int) -> str:
    from weft.config import show_bytes
    from weft.kernels.threads import num_threads

    rows = {
        "graph": f"{graph.num_nodes:,} nodes, {graph.num_edges:,} stored edges"
        + (f", {hidden:,} hidden" if hidden else ""),
        "pairs": f"{plan.pairs:,} of walks of length {plan.length}, window {plan.window}",
        "parts": f"{plan.parts} of {plan.rows:,} nodes, threads: {min(num_threads(), plan.parts)}",
        "pools": f"{-(-plan.pairs // plan.pool):,} of {plan.pool:,} pairs",
        "memory": f"{show_bytes(plan.bytes)} of {show_bytes(plan.limit)}",
    }
    return "".join(f"  {name:<8} {text}\n" for name, text in rows.items())


def _show_result(model: NodeEmbedding, made: Embedding, seconds: float) -> str:
    rows = {
        "vectors": f"{made.num_nodes:,} of {made.dim} dimensions in {made.path}",
        "time": f"{seconds:.1f} s, {model.plan_.pairs / seconds / 1e6:.1f} M pairs/s",
        "loss": f"{model.loss_history_[0, 1]:.3f} at first, {model.loss_history_[-1, 1]:.3f} at the end",
    }
    if model.untrained_:
        rows["isolated"] = f"{model.untrained_:,} nodes without out-edges keep their initial vector"
    return "".join(f"  {name:<8} {text}\n" for name, text in rows.items())
