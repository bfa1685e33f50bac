"""Train a graph neural network on a graph directory and features that need not fit into memory.

Neighbours are sampled, and their rows read, by threads that work ahead of the model. A run that was killed or
interrupted goes on with --resume, to the weights it would have had.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from weft.checks import check_minutes
from weft.cli._training import (
    check_apart,
    check_out,
    check_report,
    check_same,
    go_on,
    notes,
    other_than,
    sibling,
    unfinished_at,
)
from weft.cli._typed import check_kind, features_of
from weft.errors import WeftValueError
from weft.progress import shown_here

if TYPE_CHECKING:
    from weft.graph import Graph, HeteroGraph, Labels
    from weft.train import Settings, Split, Trained
    from weft.train.fitting import Fitting
    from weft.train.inputs import NodeSet

__all__ = ["Args", "labels_of", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft train``."""

    graph: Annotated[Positional[Path], arg(metavar="GRAPH")]
    """Directory that weft import wrote."""

    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where the model goes; only --plan does without."""

    model: Literal["sage", "gat", "gcn", "gin", "rgcn"] = "sage"
    """GraphSAGE, GAT, GCN or GIN, as PyG has them; rgcn, R-GCN, for graphs of several types."""

    task: Literal["node", "link"] = "node"
    """node: tell the labels of nodes. link: learn vectors whose products tell edges from other pairs; 5 % of
    the edges are hidden to validate, 10 % to test."""

    target: Annotated[str | None, arg(metavar="TYPE")] = None
    """The type whose nodes are told, of a graph of several; the only one with labels when not given."""

    features: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="[TYPE=]NPY")] = ()
    """A row for each node; the graph's features when not given. Of a graph of several types once for each
    type; nodes of a type without features have a learned vector each."""

    labels: Annotated[Path | None, arg(metavar="FILE")] = None
    """Lines of id and label, several for a node allowed; or a .npy of a class for each node, -1 for unknown.
    The graph's labels when not given."""

    label_columns: Annotated[tuple[str, str] | None, arg(metavar="ID LABEL")] = None
    """The columns of id and label in that file, by name or by number from 0."""

    split: Annotated[Path | None, arg(metavar="FILE")] = None
    """Lines of id and train, val or test. When not given: a column named split in the file of labels, else
    60, 20 and 20 % of the labelled nodes."""

    hidden: int = 128
    """Width of the layers between; with --task link of the vectors, too."""

    num_neighbors: Annotated[str, arg(metavar="K[,K...]")] = "15,10"
    """Neighbours drawn at each hop, -1 for all; as many layers."""

    batch_size: int = 1024
    """Nodes, or edges, of a step."""

    epochs: int = 50
    """Passes over the nodes or edges to learn from, at most."""

    patience: Annotated[int | None, arg(metavar="INT|None")] = 10
    """Stop after so many epochs without a better score on the validation set. The best weights are kept."""

    learning_rate: float = 0.005
    """Of Adam."""

    weight_decay: float = 0.0
    """Of Adam."""

    dropout: Annotated[float | None, arg(metavar="FLOAT")] = None
    """0.6 for gat, else 0.5, when not given."""

    heads: int = 8
    """Of gat."""

    degrees: Literal["graph", "batch"] = "graph"
    """Of gcn. graph: edges weigh as on the whole graph. batch: by the edges that were sampled, as in PyG."""

    negatives: int = 1
    """link: pairs that are no edges, for each edge."""

    memory: Annotated[str, arg(metavar="SIZE")] = "2GiB"
    """For features: those kept in memory, and those of the batches under way."""

    on_nan: Literal["fail", "zero"] = "fail"
    """Features that are NaN or infinite: refuse them, or take them for 0."""

    seed: int = 0
    """Of everything that is drawn."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; torch's sums depend on them."""

    checkpoint: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where the state of the run is kept until it is done; DIR.checkpoint beside --out when not given."""

    checkpoint_minutes: float = 10.0
    """Minutes between checkpoints; 0: after every batch; inf: only when interrupted."""

    checkpoint_epochs: Annotated[int | None, arg(metavar="INT")] = None
    """Epochs between checkpoints as well, whatever the time."""

    resume: bool = False
    """Go on from the checkpoint, if there is one."""

    tensorboard: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where curves of loss, score and speed go."""

    report: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write an HTML page with curves, and where the time of a step went."""

    overwrite: bool = False
    """Replace what is at --out, and forget a checkpoint unless told to --resume."""

    plan: bool = False
    """Only say what the training would take."""


def run(args: Args) -> int:
    """Open, check, say the plan; train, save, report."""
    from weft.graph import Graph, open_graph
    from weft.graph._lock import locked
    from weft.train.fit import prepare

    _check(args)
    settings = _settings(args)
    set_threads(args.threads)
    made = None
    with contextlib.ExitStack() as stack:
        if not args.plan:
            if args.resume and not args.overwrite:
                made = _finished(args, settings)
            if made is None:
                _check_places(args)
                stack.enter_context(locked(_out(args)))
        graph, features = open_graph(args.graph), features_of(args.features)
        check_kind(None if isinstance(graph, Graph) else graph.node_types, features)
        nodes = _nodes(args, graph, settings)
        with notes():
            training = stack.enter_context(
                prepare(
                    graph,
                    features,
                    labels_of(nodes, args.labels, args.label_columns),
                    settings=settings,
                    split=_split(args, nodes),
                    memory=args.memory,
                    on_nan=args.on_nan,
                )
            )
        if made is not None:
            _nothing_to_do(args, made, training)
            return 0
        sys.stdout.write(f"{training.plan}\n")
        if training.broken:
            sys.stdout.write(f"  nan      {training.broken:,} features are taken for 0\n")
        sys.stdout.flush()
        if not args.plan:
            _train(args, training)
    return 0


def _nodes(args: Args, graph: Graph | HeteroGraph, settings: Settings) -> NodeSet:
    """Those that labels and split are of."""
    from weft.graph import Graph
    from weft.train.inputs import NodesOf
    from weft.train.typed import check_model, target_of

    if isinstance(graph, Graph):
        if args.target is not None:
            raise WeftValueError(f"--target {args.target}: the graph has one type of nodes; leave it out")
        return graph
    check_model(settings)
    return NodesOf.type(graph, target_of(graph, args.target, labelled=args.labels is not None))


def _train(args: Args, training: Fitting) -> None:
    from weft.embed.checkpoint import remove

    state = _state(args)
    before = go_on(state, resume=args.resume, unit="batches")
    sys.stdout.flush()
    begun = time.perf_counter()
    made = training.fit(
        checkpoint=state,
        every_minutes=args.checkpoint_minutes,
        every_epochs=args.checkpoint_epochs,
        resume=args.resume,
        tensorboard=args.tensorboard,
        progress=shown_here(),
    )
    seconds = time.perf_counter() - begun
    made = made.save(_out(args), overwrite=args.overwrite)
    remove(state)
    sys.stdout.write(_show(made, seconds, before))
    if args.report is not None:
        from weft.serve.training import describe_training

        page = describe_training(made, plan=training.plan).write(args.report)
        sys.stdout.write(f"  report   {page}\n")


def _show(made: Trained, seconds: float, before: int) -> str:
    """What came out, ``before`` batches having been learned from by an earlier process."""
    from weft.config import show_rows, show_seconds

    epochs = len(made.history)
    rows = {
        "model": f"{made.settings.model} in {made.path}, as after epoch {made.scores['epoch']:.0f}",
        "time": f"{show_seconds(seconds)}, {epochs} epochs" + (" with those before" if before else ""),
        "loss": f"{made.history[0, 1]:.4f} in the first epoch, {made.history[-1, 1]:.4f} in the last",
    }
    named = {"val": "validation", "test": "test"}
    found = [f"{made.scores[part]:.4f} ({name})" for part, name in named.items() if part in made.scores]
    if found:
        rows[made.score_name] = ", ".join(found) + ", with as many neighbours as in training"
    if made.times:
        stages = ("sample", "read", "assemble", "compute", "wait")
        rows["a step"] = ", ".join(f"{s} {1e3 * made.times[s]:.1f} ms" for s in stages if s in made.times)
    return show_rows(rows) + f"  next     weft predict {made.path} --out DIR: every node, all neighbours\n"


def _check(args: Args) -> None:
    """What should not come to light only after the graph was read."""
    if not args.graph.is_dir():
        raise WeftValueError(
            f"there is no graph directory {args.graph}; make one of a file of edges with weft import"
        )
    check_minutes("checkpoint_minutes", args.checkpoint_minutes)
    if args.checkpoint_epochs is not None and args.checkpoint_epochs < 1:
        raise WeftValueError(f"--checkpoint-epochs must be at least 1 (got {args.checkpoint_epochs})")
    if args.task == "link" and (args.labels is not None or args.split is not None):
        raise WeftValueError("--labels and --split are for --task node; leave them out")
    if args.label_columns is not None and args.labels is None:
        raise WeftValueError("--label-columns needs --labels FILE")
    features_of(args.features)
    for option, file in (("--labels", args.labels), ("--split", args.split)):
        if file is not None and not file.is_file():
            raise WeftValueError(f"there is no file {file} for {option}")
    if args.report is not None:
        check_report(args.report, args.out, picture=False)
    if args.tensorboard is not None:
        from weft.embed.curves import check_curves

        check_curves()


def _settings(args: Args) -> Settings:
    from weft.train import Settings

    try:
        fanout = tuple(int(word) for word in args.num_neighbors.split(","))
    except ValueError:
        raise WeftValueError(
            f"--num-neighbors takes numbers with commas between, such as 15,10 (got {args.num_neighbors!r})"
        ) from None
    return Settings(
        model=args.model,
        task=args.task,
        hidden=args.hidden,
        num_neighbors=fanout,
        batch_size=args.batch_size,
        epochs=args.epochs,
        patience=args.patience,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        dropout=args.dropout,
        heads=args.heads,
        degrees=args.degrees,
        negatives=args.negatives,
        seed=args.seed,
        target=args.target,
    )


def set_threads(threads: int | None) -> None:
    """Ours, and those of torch."""
    if threads is not None:
        import torch

        from weft.kernels.threads import set_num_threads

        set_num_threads(threads)
        torch.set_num_threads(threads)


def labels_of(graph: NodeSet, file: Path | None, columns: tuple[str, str] | None) -> Labels | Any | None:  # noqa: ANN401
    """Labels from a file; None: the graph's."""
    if file is None:
        return None
    if file.suffix == ".npy":
        from weft.npy import open_npy

        return open_npy(file)
    from weft.cli.import_ import columns_of

    return _read(graph, file, columns_of(columns))


def _split(args: Args, graph: NodeSet) -> Split | None:
    """From a file, or a column of the file of labels; None: by chance."""
    from weft.graph.sources.labels import column_titled
    from weft.train import Split

    if args.split is not None:
        return Split.named(_read(graph, args.split, column_titled(args.split, "split")))
    if args.labels is not None and args.labels.suffix not in (".npy", ".mat"):
        columns = column_titled(args.labels, "split")
        if columns is not None:
            sys.stdout.write(f"  split    by the column {columns[1]!r} of {args.labels}\n")
            return Split.named(_read(graph, args.labels, columns))
    return None


def _read(graph: NodeSet, file: Path, columns: tuple[int | str, int | str] | None) -> Labels:
    from weft.graph import read_labels

    def say(text: str) -> None:
        print(f"note: {text}", file=sys.stderr)

    return read_labels(file, graph.ids, say, columns=columns, say=say)


def _check_places(args: Args) -> None:
    """What exists is replaced only when told, and there must be room for what will be made."""
    from weft.train.store import KIND

    out, state = _out(args), _state(args)
    given = features_of(args.features)
    kept: dict[str, Path | None] = {
        "the graph": args.graph,
        **(given if isinstance(given, dict) else {"--features": given}),
        "--labels": args.labels,
        "--split": args.split,
        "--tensorboard": args.tensorboard,
    }
    check_apart({"--out": out, "--checkpoint": state}, kept)
    check_out(out, KIND, state, overwrite=args.overwrite, resume=args.resume)


def _finished(args: Args, settings: Settings) -> Trained | None:
    """The model that is there already.

    Raises:
        WeftValueError: it was made with other settings.
    """
    from weft.graph.format import format_of
    from weft.train import Trained
    from weft.train.store import KIND

    out = _out(args)
    if format_of(out) != KIND or unfinished_at(_state(args)):
        return None
    made = Trained.open(out)
    check_same(out, made.settings.to_dict(), settings.to_dict())
    return made


def _nothing_to_do(args: Args, made: Trained, training: Fitting) -> None:
    """Say that a model is there, if it is of this graph, these features, labels and split."""
    from weft.embed.checkpoint import differences

    if differ := differences(made.identity, training.identity()):
        raise other_than(_out(args), differ)
    sys.stdout.write(f"  resume   nothing to do: {_out(args)} is finished, {made!r}\n")


def _out(args: Args) -> Path:
    if args.out is None:
        raise WeftValueError("where shall the model go? give --out DIR (only --plan does without)")
    return args.out


def _state(args: Args) -> Path:
    return args.checkpoint if args.checkpoint is not None else sibling(_out(args), ".checkpoint")
