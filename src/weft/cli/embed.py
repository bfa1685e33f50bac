"""Learn a vector for every node of a graph directory or an edge list.

An edge list (CSV, TSV, Parquet, .npz, .mat; gzip or zstd) is imported first, and the graph kept beside the
vectors. weft import has more options for input that needs them.

A run that was killed or interrupted goes on with --resume, to the vectors it would have had.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, Suppress, arg

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
from weft.embed.methods import FACTOR, Method, check_own, methods_of, own
from weft.errors import WeftValueError
from weft.progress import shown_here

if TYPE_CHECKING:
    from weft.embed import NodeEmbedding
    from weft.graph import Graph

__all__ = ["Args", "run"]


def _own(name: str, metavar: str | None = None) -> object:
    """An option that not every method has: its help says which do."""
    some = methods_of(name)
    return arg(metavar=metavar, help_behavior_hint=lambda default: f"({', '.join(some)}; default: {default})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft embed``."""

    source: Annotated[Positional[Path], arg(metavar="GRAPH_OR_EDGE_FILE")]
    """Directory that weft import wrote, or a file of edges."""

    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where the vectors go; only --plan does without."""

    method: Method = "deepwalk"
    """Train on pairs from walks or on edges; or factor the matrix of edges (prone) or of sampled walks
    (lightne), which takes seconds where training large graphs takes minutes."""

    dim: int = 128
    """Length of a vector."""

    epochs: Annotated[float | Literal["auto"], _own("epochs", "FLOAT|auto")] = 1000
    """Passes; each trains as many pairs as there are edges. auto: while a score on hidden edges rises."""

    walk_length: Annotated[int, _own("walk_length")] = 40
    """Steps of a walk."""

    window: Annotated[int | Literal["auto"], _own("window", "INT|auto")] = "auto"
    """Steps between the nodes of a pair, at most; no more than a walk has. auto: by the graph's density."""

    p: Annotated[float, _own("p")] = 1.0
    """A walk's going back weighs 1/p."""

    q: Annotated[float, _own("q")] = 1.0
    """A walk's going on to where the node before has no edge to weighs 1/q."""

    order: Annotated[Literal[1, 2, "both"], _own("order")] = 2
    """Linked nodes are near (1), nodes with the same neighbours are (2), or half of the vector each."""

    samples: Annotated[float | Literal["auto"], _own("samples", "FLOAT|auto")] = "auto"
    """Walks over an edge; auto: by the graph's size."""

    propagate: Annotated[bool, _own("propagate")] = True
    """Whether the vectors are sent through the graph at the end; the option leaves it out."""

    num_negatives: Annotated[int, _own("num_negatives")] = 3
    """Negatives of each pair, shared by four heads."""

    negative_weight: Annotated[float, _own("negative_weight")] = 5.0
    """Of a pair's negatives together."""

    learning_rate: Annotated[float, _own("learning_rate")] = 0.025
    """At the beginning; it falls to nearly 0."""

    weight_decay: Annotated[float, _own("weight_decay")] = 0.0
    """0 for none."""

    patience: Annotated[int | None, _own("patience", "INT")] = None
    """Stop after so many scores on hidden edges that did not rise; with auto 1 when not given, else never."""

    validation: Annotated[float, _own("validation")] = 0.02
    """Share of the edges to hide for these scores."""

    holdout: float = 0.0
    """Share of the edges to hide from training, for weft evaluate --task link."""

    directed: bool = False
    """Edge file: edges lead one way."""

    weight: Annotated[str | None, arg(metavar="COLUMN")] = None
    """Edge file: the column of weights, by name or by number from 0."""

    graph: Annotated[Path | None, arg(metavar="DIR")] = None
    """Edge file: where the imported graph goes; DIR.graph beside --out when not given."""

    seed: int = 0
    """Of everything that is drawn."""

    parts: Annotated[int | Literal["auto"], _own("parts", "INT|auto")] = "auto"
    """Parts the tables are cut into; auto: by their size."""

    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """Memory to use, such as 4GiB; nine tenths of what is free when not given."""

    scratch: Annotated[Path | None, _own("scratch", "DIR")] = None
    """Where tables and pairs go that do not fit into the memory; beside --out when not given."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; the result does not depend on it."""

    checkpoint: Annotated[Path | None, _own("checkpoint", "DIR")] = None
    """Where the state of the run is kept until it is done; DIR.checkpoint beside --out when not given."""

    checkpoint_minutes: Annotated[float, _own("checkpoint_minutes")] = 10.0
    """Minutes between checkpoints; 0: after every pool; inf: only when interrupted."""

    resume: Annotated[bool, _own("resume")] = False
    """Go on from the checkpoint, if there is one."""

    tensorboard: Annotated[Path | None, _own("tensorboard", "DIR")] = None
    """Where curves of loss, speed, learning rate and score go."""

    report: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write an HTML page with a picture of the vectors."""

    overwrite: bool = False
    """Replace what is at --out, and forget a checkpoint unless told to --resume."""

    plan: bool = False
    """Only say what the training would take; nothing is kept."""

    given: Annotated[Mapping[str, str], Suppress] = field(default_factory=dict)
    """The options that were written, by name."""


def run(args: Args) -> int:
    """Open or import, hide edges, train, save, report."""
    from weft.embed import NodeEmbedding
    from weft.graph import Graph
    from weft.graph._lock import check_free, locked
    from weft.kernels.threads import set_num_threads

    shared = NodeEmbedding().get_params()
    model = NodeEmbedding(
        **{name: getattr(args, name) for name in shared if hasattr(args, name)}, progress=shown_here()
    )
    _check(args, model)
    if args.scratch is None and args.out is not None and not _factors(args):
        model.set_params(scratch=nearest(args.out))
    if args.threads is not None:
        set_num_threads(args.threads)
    with contextlib.ExitStack() as stack:
        if not args.plan:
            if args.resume and not args.overwrite and _finished(args, model):
                return 0
            check_free(_out(args))  # a run beside this one has made directories that would be complained of
            _check_places(args)
            stack.enter_context(locked(_out(args)))
        if args.source.is_dir():
            _embed(args, model, Graph.open(args.source))
        elif args.plan:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="weft-"))
            _embed(args, model, _import(args, Path(folder) / "graph"))
        else:
            _embed_file(args, model)
    return 0


def _finished(args: Args, model: NodeEmbedding) -> bool:
    """Whether these vectors are there already."""
    from weft.embed.family import deciding

    graph = args.source if args.source.is_dir() else _place(args)
    made_with = own(args.method, deciding(model)) | {"updates": 0, "graph": str(graph.resolve())}
    return finished(_out(args), _state(args), made_with, holdout=args.holdout > 0)


def _embed_file(args: Args, model: NodeEmbedding) -> None:
    """Import, unless a run before this one has; embed."""
    from weft.graph import Graph

    place = _place(args)
    fresh = not place.exists()
    if args.resume and not fresh:
        graph = Graph.open(place)
        sys.stdout.write(f"{args.source} was imported to {place}\n")
    else:
        graph = _import(args, place)
        sys.stdout.write(f"imported {args.source} to {place}\n")
    try:
        _embed(args, model, graph)
    except BaseException:  # an interrupted factorisation leaves nothing either
        state = _state(args)
        if fresh and not _out(args).exists() and not (state is not None and state.exists()):
            shutil.rmtree(place, ignore_errors=True)  # it would only stand in the way of a second try
        raise


def _embed(args: Args, model: NodeEmbedding, graph: Graph) -> None:
    """Say the plan; unless that is all, train, save and report."""
    from weft.embed import Embedding, Plan
    from weft.embed.checkpoint import Checkpoint, check_place, identity, remove
    from weft.embed.family import deciding
    from weft.graph._lock import locked

    train, holdout = graph, None
    if args.holdout:
        from weft.eval import split_edges

        train, holdout = split_edges(graph, args.holdout, args.seed)
    with notes():
        plan = model.plan(train)
    if args.report is not None:
        from weft.serve.picture import check_drawable

        check_drawable(graph.num_nodes)
    open_end = args.epochs == "auto" or args.patience is not None
    hidden = 0 if holdout is None else len(holdout)
    state = None if args.plan else _state(args)
    if state is not None and args.resume:
        with locked(state):  # who writes there would change it while it is read
            if check_place(state):
                assert isinstance(plan, Plan)
                Checkpoint(state, identity(deciding(model), plan, train)).check()
    sys.stdout.write(show_plan(train, plan, hidden=hidden, open_end=open_end))
    before = 0 if state is None else go_on(state, resume=args.resume)
    sys.stdout.flush()
    done = before / plan.pairs if isinstance(plan, Plan) else 0.0
    sys.stdout.write(show_time(model.estimate(train, plan), max(0.0, 1 - done)))
    sys.stdout.flush()
    if args.plan:
        return
    begun = time.perf_counter()
    with notes():
        model.fit(
            train,
            plan=plan,
            checkpoint=state,
            every_minutes=args.checkpoint_minutes,
            resume=args.resume,
        )
    seconds = time.perf_counter() - begun
    made = Embedding.of(model, train, holdout=holdout, graph_path=graph.path)
    made = made.save(_out(args), overwrite=args.overwrite)
    if state is not None:
        remove(state)
    sys.stdout.write(show_result(model, made, seconds, before))
    if args.report is not None:
        sys.stdout.write(write_report(args.report, model, made, graph.labels, seconds))


def _check(args: Args, model: NodeEmbedding) -> None:
    """What should not come to light only after the import or the training."""
    from weft.checks import check_int, check_real
    from weft.kernels.threads import MOST

    if not args.source.exists():
        raise WeftValueError(f"there is no {args.source}; give a graph directory or a file of edges")
    if args.source.is_dir():
        _check_no_import(args)
    check_own(args.method, args.given)
    model.check_params()
    check_minutes("checkpoint_minutes", args.checkpoint_minutes)
    if check_real("holdout", args.holdout, least=0) >= 1:
        raise WeftValueError(f"holdout must be below 1, such as 0.1 (got {args.holdout:g})")
    if args.threads is not None:
        check_int("threads", args.threads, 1, MOST)
    if args.report is not None:
        check_report(args.report, args.out)


def _check_no_import(args: Args) -> None:
    """A graph directory already has its direction and weights."""
    given = {
        "--directed": args.directed,
        "--weight": args.weight is not None,
        "--graph": args.graph is not None,
    }
    for option in (option for option, there in given.items() if there):
        raise WeftValueError(
            f"{option} is for a file of edges, and {args.source} is a graph directory; leave it out, or "
            "embed the file the graph was made from"
        )


def _check_places(args: Args) -> None:
    """What exists is replaced only when told, and there must be room for what will be made."""
    from weft.embed.store import KIND
    from weft.graph.format import check_target

    out, place, state = _out(args), _place(args), _state(args)
    kept = {"the input": args.source, "--tensorboard": args.tensorboard}
    made = {"--out": out} if state is None else {"--out": out, "--checkpoint": state}
    if args.source.is_dir():
        check_apart(made, kept)
    else:
        check_apart(made, {**kept, "--graph": place})
        check_apart({"--graph": place}, {"the input": args.source})
    check_out(out, KIND, state, overwrite=args.overwrite, resume=args.resume)
    if args.source.is_dir():
        return
    if args.overwrite:
        check_target(place, overwrite=True, kind="weft.graph")
    elif place.exists() and not args.resume:
        raise WeftValueError(
            f"{place} exists, perhaps from an earlier run: embed it directly (weft embed {place} --out "
            f"{out}), or pass --overwrite to import {args.source} again, or choose another --graph"
        )


def _out(args: Args) -> Path:
    """Where the vectors go."""
    if args.out is None:
        raise WeftValueError("where shall the vectors go? give --out DIR (only --plan does without)")
    return args.out


def _place(args: Args) -> Path:
    """Where a file of edges is imported to."""
    out = _out(args)
    return args.graph if args.graph is not None else sibling(out, ".graph")


def _state(args: Args) -> Path | None:
    """Where checkpoints go, if any are kept."""
    if _factors(args):
        return None
    return args.checkpoint if args.checkpoint is not None else sibling(_out(args), ".checkpoint")


def _factors(args: Args) -> bool:
    return args.method in FACTOR


def _import(args: Args, place: Path) -> Graph:
    """The file of edges as a graph directory."""
    from weft.graph.ingest import ingest

    return ingest(
        args.source,
        place,
        memory=args.memory,
        directed=args.directed,
        weight=int(args.weight) if args.weight is not None and args.weight.isdecimal() else args.weight,
        overwrite=args.overwrite,
        progress=sys.stderr.isatty(),
        say=lambda text: print(f"note: {text}", file=sys.stderr),
    )
