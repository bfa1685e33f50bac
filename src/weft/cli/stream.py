"""Keep a model current with a stream of events: each is scored before it is learned from.

DIR holds the state, which is written as a whole, metrics.jsonl, late.jsonl, aside.jsonl and report.html. A
run that was killed goes on with --resume, and every event counts once.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from weft.checks import check_minutes
from weft.errors import WeftValueError

if TYPE_CHECKING:
    from weft.stream import Run, Settings, Source

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft stream``."""

    source: Annotated[Positional[str], arg(metavar="SOURCE")]
    """A file of lines (CSV, TSV, spaces; plain or .gz), a .parquet file, or kafka://HOST:PORT/TOPIC."""

    out: Annotated[Path, arg(metavar="DIR")]
    """Where the run's folder is."""

    model: Literal["logistic", "tgn", "heuristic", "edgebank"] = "logistic"
    """logistic: regression on what both nodes did lately. tgn: needs torch. heuristic and edgebank learn
    nothing, and are measured beside any model."""

    columns: Annotated[str | None, arg(metavar="SRC,DST,TIME")] = None
    """Columns by name, or by number from 0. When not given: source,target,time, or 0,1,2 of text."""

    op: Annotated[str | None, arg(metavar="COLUMN")] = None
    """Column that says what is done; D, - and delete are deletions, all else adds."""

    deletes: Literal["pair", "target"] = "pair"
    """What a deletion without the id of an event takes out: the events of its pair, or all of its target."""

    eid: Annotated[str | None, arg(metavar="COLUMN")] = None
    """Column of ids of events; one that comes twice counts once."""

    ids: Literal["auto", "string"] = "auto"
    """string: ids of nodes are text, even where they look like numbers."""

    bipartite: bool = False
    """Sources and targets are of two kinds: the same id is another node as the other."""

    directed: bool = False
    """Events are found from their sources alone."""

    follow: bool = False
    """Wait for more at the end, until interrupted."""

    lateness: int = 0
    """By how much an event may be older than the newest, in the unit of time, and still be sorted in."""

    round_size: int = 1000
    """Events between two lines of metrics."""

    batch_size: int = 200
    """Events that are scored before any of them is taken in."""

    warmup: int = 0
    """Events of the first round, which are only learned from."""

    epochs: int = 1
    """Passes over these, and over all events when the model is trained anew."""

    frozen: bool = False
    """Learn nothing after the first round, but with --retrain."""

    replay: float = 0.5
    """Past events that are learned again for each new one."""

    retrain: int = 0
    """Rounds after each of which a new model learns from all events; 0: never."""

    window: Annotated[int | None, arg(metavar="TIME")] = None
    """Forget events that are so much older than the newest."""

    negatives: int = 20
    """Targets that an event is ranked among."""

    historical: float = 0.5
    """The share of these that may be targets its source had before."""

    seed: int = 0
    """Of everything that is drawn."""

    snapshot_minutes: float = 10.0
    """Minutes between two states; inf: only at the end, or when interrupted."""

    snapshot_rounds: Annotated[int | None, arg(metavar="INT")] = None
    """Rounds between two states as well, whatever the time."""

    rounds: Annotated[int | None, arg(metavar="INT")] = None
    """Stop after so many more rounds."""

    resume: bool = False
    """Go on from the state, if there is one."""

    overwrite: bool = False
    """Begin anew where there is a run."""

    tensorboard: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where curves of the scores go."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; torch's sums depend on them."""


def run(args: Args) -> int:
    """Open, work through, report."""
    from weft.cli.train import set_threads
    from weft.serve.stream import describe_stream
    from weft.stream import Run

    check_minutes("snapshot_minutes", args.snapshot_minutes)
    if args.rounds is not None and args.rounds < 1:
        raise WeftValueError(f"--rounds must be at least 1 (got {args.rounds})")
    if args.tensorboard is not None:
        from weft.embed.curves import check_curves

        check_curves()
    set_threads(args.threads)
    made = Run(
        _source(args),
        args.out,
        args.model,
        settings=_settings(args),
        resume=args.resume,
        overwrite=args.overwrite,
        snapshot_rounds=args.snapshot_rounds,
        snapshot_minutes=args.snapshot_minutes,
        tensorboard=args.tensorboard,
    )
    if args.resume:
        read = made.counts["arrived"]
        said = f"round {made.rounds:,}, {read:,} events read" if read else "the beginning"
        sys.stdout.write(f"  resume   from {said}\n")
        sys.stdout.flush()
    before, begun = made.live.events, time.perf_counter()
    try:
        made.go(rounds=args.rounds)
    finally:
        if (args.out / "metrics.jsonl").is_file() and made.rounds:
            page = describe_stream(made).write(args.out / "report.html")
            sys.stdout.write(_show(made, before, time.perf_counter() - begun) + f"  report   {page}\n")
            sys.stdout.flush()
    return 0


def _show(made: Run, before: int, seconds: float) -> str:
    from weft.config import show_rows, show_seconds
    from weft.serve.stream import means
    from weft.stream.journal import read_lines

    events, counts = made.live.events - before, made.counts
    graph = made.live.graph
    rows = {
        "stream": f"{made.live.events:,} events in {made.rounds:,} rounds, {made.name} in {made.out}",
        "graph": f"{graph.num_events:,} events left, {graph.num_nodes:,} nodes",
        "time": f"{show_seconds(seconds)}, {events / seconds:,.0f} events/s",
    }
    for name, found in means(read_lines(made.out / "metrics.jsonl")).items():
        rows[name] = f"AP {found['ap']:.4f}, AUC {found['auc']:.4f}, MRR {found['mrr']:.4f}"
    aside = {"late": "late", "repeated": "repeated", "not there": "deletions of nothing"}
    if any(counts[why] for why in aside):
        rows["aside"] = ", ".join(f"{counts[why]:,} {said}" for why, said in aside.items() if counts[why])
    return show_rows(rows)


def _settings(args: Args) -> Settings:
    import dataclasses

    from weft.stream import Settings

    names = [field.name for field in dataclasses.fields(Settings)]
    return Settings(**{name: getattr(args, name) for name in names})


def _source(args: Args) -> Source:
    from weft.stream import KafkaSource, ParquetSource, TextSource

    if args.source.startswith("kafka://"):
        return _kafka(args, KafkaSource)
    path = Path(args.source)
    if not path.is_file():
        raise WeftValueError(f"there is no file {path}")
    if path.suffix == ".parquet":
        if args.follow:
            raise WeftValueError(f"{path}: a Parquet file does not grow; leave --follow out")
        given = ("source", "target", "time") if args.columns is None else args.columns.split(",")
        _three(given)
        return ParquetSource(path, columns=given, op=args.op, eid=args.eid)
    columns = None if args.columns is None else [_column(name) for name in args.columns.split(",")]
    if columns is not None:
        _three(columns)
    op, eid = (None if name is None else _column(name) for name in (args.op, args.eid))
    return TextSource(path, columns=columns, op=op, eid=eid, ids=args.ids, follow=args.follow)


def _three(columns: Any) -> None:  # noqa: ANN401
    if len(columns) != 3:
        raise WeftValueError(f"--columns takes source, target and time, such as 0,1,2 (got {len(columns)})")


def _column(name: str) -> int | str:
    return int(name) if name.isdecimal() else name


def _kafka(args: Args, kind: type) -> Source:
    server, _, topic = args.source.removeprefix("kafka://").partition("/")
    if not server or not topic:
        raise WeftValueError(f"a topic is given as kafka://HOST:PORT/TOPIC (got {args.source})")
    return kind({"bootstrap.servers": server}, topic, end=not args.follow)
