"""Learn vectors further after edges and nodes have come or gone.

Nodes are known again by their ids: old ones begin with their vectors, new ones with the mean of their
neighbours'. All other parameters are those the vectors were learned with.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from weft.checks import check_minutes
from weft.cli._training import (
    check_apart,
    check_out,
    check_report,
    finished,
    go_on,
    nearest,
    notes,
    show_plan,
    show_result,
    show_time,
    sibling,
    write_report,
)
from weft.embed.methods import own
from weft.errors import WeftValueError
from weft.progress import shown_here

if TYPE_CHECKING:
    from weft.embed import Embedding, NodeEmbedding
    from weft.graph import Graph

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft update``."""

    vectors: Annotated[Positional[Path], arg(metavar="VECTORS")]
    """Directory that weft embed or weft update wrote."""

    graph: Annotated[Path, arg(metavar="DIR")]
    """The graph as it is now, whole: a directory that weft import wrote."""

    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where the new vectors go; only --plan does without."""

    epochs: float = 100.0
    """Passes over the whole graph."""

    learning_rate: Annotated[float | None, arg(metavar="FLOAT")] = None
    """At the beginning; half of the one the vectors were learned with when not given."""

    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """Memory to use, such as 4GiB; nine tenths of what is free when not given."""

    scratch: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where tables and pairs go that do not fit into the memory; beside --out when not given."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; the result does not depend on it."""

    checkpoint: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where the state of the run is kept until it is done; DIR.checkpoint beside --out when not given."""

    checkpoint_minutes: float = 10.0
    """Minutes between checkpoints; 0: after every pool; inf: only when interrupted."""

    resume: bool = False
    """Go on from the checkpoint, if there is one."""

    tensorboard: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where curves of loss, speed, learning rate and score go."""

    report: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write an HTML page with a picture of the vectors."""

    overwrite: bool = False
    """Replace what is at --out, and forget a checkpoint unless told to --resume."""

    plan: bool = False
    """Only say what the training would take; nothing is kept."""


def run(args: Args) -> int:
    """Open, go on learning, save."""
    from weft.checks import check_int
    from weft.embed import Embedding
    from weft.embed.checkpoint import Checkpoint, check_place, graph_identity
    from weft.graph import Graph
    from weft.graph._lock import locked
    from weft.kernels.threads import MOST, set_num_threads

    _check(args)
    if args.threads is not None:
        set_num_threads(check_int("threads", args.threads, 1, MOST))
    before, graph = Embedding.open(args.vectors), Graph.open(args.graph)
    model = before.model().set_params(
        memory=args.memory,
        scratch=nearest(args.out) if args.scratch is None and args.out is not None else args.scratch,
        progress=shown_here(),
        tensorboard=args.tensorboard,
    )
    if args.plan:
        _show_plan(args, before, model, graph)
        return 0
    out, state = _out(args), _state(args)
    if args.resume and not args.overwrite and _finished(args, before, out, state):
        return 0
    _check_places(args, out, state)
    with locked(out):
        if args.resume:
            with locked(state):  # who writes there would change it while it is read
                if check_place(state):
                    Checkpoint(state, {"graph": graph_identity(graph)}).check()
        _show_plan(args, before, model, graph)
        _update(args, model, graph, out, state)
    return 0


def _out(args: Args) -> Path:
    if args.out is None:
        raise WeftValueError("where shall the new vectors go? give --out DIR (only --plan does without)")
    return args.out


def _state(args: Args) -> Path:
    return args.checkpoint if args.checkpoint is not None else sibling(_out(args), ".checkpoint")


def _finished(args: Args, before: Embedding, out: Path, state: Path) -> bool:
    """Whether these vectors are there already."""
    from weft.embed.family import deciding

    model = before.model()
    made_with = own(model.method, deciding(model))
    made_with |= {"updates": model.updates_ + 1, "graph": str(args.graph.resolve())}
    return finished(out, state, made_with, holdout=False)


def _show_plan(args: Args, before: Embedding, model: NodeEmbedding, graph: Graph) -> None:
    """Sizes and time, for as many epochs as the update has."""
    from weft.embed import NodeEmbedding

    planner = NodeEmbedding(**model.get_params()).set_params(epochs=args.epochs, patience=None)
    with notes():
        plan = planner.plan(graph)
    new = int((before.ids.find(graph.ids.take(range(graph.num_nodes))) < 0).sum())
    gone = before.num_nodes - (graph.num_nodes - new)
    sys.stdout.write(f"{show_plan(graph, plan)}  changes  {new:,} nodes are new, {gone:,} are gone\n")
    sys.stdout.write(show_time(planner.estimate(graph, plan)))
    sys.stdout.flush()


def _update(args: Args, model: NodeEmbedding, graph: Graph, out: Path, state: Path) -> None:
    """Learn, save and report."""
    from weft.embed import Embedding
    from weft.embed.checkpoint import remove

    trained = go_on(state, resume=args.resume)
    begun = time.perf_counter()
    with notes():
        model.partial_fit(
            graph,
            epochs=args.epochs,
            learning_rate=args.learning_rate,
            checkpoint=state,
            every_minutes=args.checkpoint_minutes,
            resume=args.resume,
        )
    seconds = time.perf_counter() - begun
    made = Embedding.of(model, graph).save(out, overwrite=args.overwrite)
    remove(state)
    sys.stdout.write(show_result(model, made, seconds, trained))
    if args.report is not None:
        sys.stdout.write(write_report(args.report, model, made, graph.labels, seconds))


def _check(args: Args) -> None:
    """What should not come to light only after the training."""
    check_minutes("checkpoint_minutes", args.checkpoint_minutes)
    if not args.plan:
        _state(args)
    if not args.graph.is_dir():
        there = "is a file" if args.graph.exists() else "is not there"
        raise WeftValueError(
            f"--graph {args.graph} {there}: weft update takes a graph directory; weft import FILE --out DIR "
            "makes one of a file of edges"
        )
    if args.report is not None:
        check_report(args.report, args.out)


def _check_places(args: Args, out: Path, state: Path) -> None:
    """What exists is replaced only when told."""
    from weft.embed.store import KIND

    check_apart(
        {"--out": out, "--checkpoint": state}, {"--graph": args.graph, "--tensorboard": args.tensorboard}
    )
    check_apart({"--checkpoint": state}, {"VECTORS": args.vectors})
    check_out(out, KIND, state, overwrite=args.overwrite, resume=args.resume)
